/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "protocol/ua/contact.h"

#include "protocol/msg/build.h"
#include "protocol/ua/registration-flows.h"

static bool has_scheme(const char *text, enum uri_scheme scheme)
{
	struct uri uri;

	return text && uri_parse(slice_str(text), &uri) == 0 && uri.scheme == scheme;
}

static enum gruu_kind kind_of(enum contact_privacy privacy)
{
	switch (privacy) {
	case CONTACT_OPEN:
		return GRUU_PUBLIC;
	case CONTACT_ANONYMOUS: /* RFC 5627 10.3 */
		break;
	}
	return GRUU_TEMPORARY;
}

/* RFC 5627 4.4: what a registrar gave, only with a registration that is there. */
static const char *find_gruu(const struct contact *c)
{
	if (c->ep->kind->registers &&
		registration_overall_state(c->ep->registration) != REGISTRATION_REGISTERED)
		return NULL;
	return gruu_get(c->ep, kind_of(c->privacy));
}

/* RFC 5626 4.3: what follows in a dialog shall come over the flow that it begins on. */
static bool is_outbound(const struct contact *c)
{
	const struct registration *r = registration_over(c->ep, c->flow);

	return r && r->outbound == REGISTRATION_OUTBOUND_YES;
}

void contact_append_uri(struct buf *b, const struct contact *c)
{
	const char *gruu = find_gruu(c);

	if (has_scheme(gruu, c->scheme)) {
		buf_str(b, gruu);
		return;
	}
	endpoint_append_contact_uri(b, c->ep, c->flow, c->scheme);
	if (is_outbound(c))
		buf_lit(b, ";ob");
}

void contact_append(struct buf *b, const struct contact *c)
{
	struct buf v = BUF_NULL;

	buf_putc(&v, '<');
	contact_append_uri(&v, c);
	buf_putc(&v, '>');
	build_header(b, HDR_CONTACT, buf_slice(&v));
	buf_deinit(&v);
}
