/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "protocol/ua/package.h"

#include "protocol/ua/package-private.h"
#include "protocol/ua/subscriber-private.h"

static const struct package *const packages[] = { &package_dialog, &package_reg };

/* ---- writing ---- */

static void append_char(struct buf *b, char c, bool is_utf8)
{
	unsigned char u = (unsigned char)c;

	switch (c) {
	case '&':
		buf_lit(b, "&amp;");
		return;
	case '<':
		buf_lit(b, "&lt;");
		return;
	case '>':
		buf_lit(b, "&gt;");
		return;
	case '"':
		buf_lit(b, "&quot;");
		return;
	case '\'':
		buf_lit(b, "&apos;");
		return;
	}
	buf_putc(b, (u < ' ' && c != '\t') || (u >= 0x80 && !is_utf8) ? '?' : c);
}

void package_append_text(struct buf *b, struct slice text)
{
	bool is_utf8 = slice_is_utf8(text);

	for (size_t i = 0; i < text.n; i++)
		append_char(b, text.p[i], is_utf8);
}

void package_append_attribute(struct buf *b, const char *name, struct slice text)
{
	buf_printf(b, " %s=\"", name);
	package_append_text(b, text);
	buf_putc(b, '"');
}

void package_append(struct buf *b, const struct package *p, uint32_t version, struct slice rest)
{
	buf_str(b, p->head);
	buf_u64(b, version);
	buf_put(b, rest);
}

/* ---- who may see it ---- */

static bool is_of(const struct uri *uri, const char *aor)
{
	struct buf b = BUF_NULL;
	bool same;

	uri_append_aor(&b, uri);
	same = slice_eq(buf_slice(&b), slice_str(aor));
	buf_deinit(&b);
	return same;
}

static bool is_listed(const struct profile *p, const struct uri *uri)
{
	struct uri listed;

	for (size_t i = 0; i < p->n_package_watchers; i++) {
		struct buf aor = BUF_NULL;
		bool same = false;

		if (uri_parse(slice_str(p->package_watchers[i]), &listed) == 0) {
			uri_append_aor(&aor, &listed);
			buf_putc(&aor, '\0');
			same = is_of(uri, aor.p);
		}
		buf_deinit(&aor);
		if (same)
			return true;
	}
	return false;
}

/*
 * Whom the server names in P-Asserted-Identity (RFC 3325 section 8), or in From what it let pass:
 * a server that lets anybody write anything there asserts, too. What did not come through it could
 * have been written by anybody. An assertion that names nobody is none that lets From count.
 */
static bool may_see(const struct subscriber *s)
{
	bool asserted = msg_header(s->request, HDR_P_ASSERTED_IDENTITY).p != NULL;
	struct msg_list it = { 0 };
	struct slice value;
	struct addr who = s->request->from;

	if (!subscriber_is_vouched_for(s))
		return false;
	if (asserted && (msg_list_next(s->request, HDR_P_ASSERTED_IDENTITY, &it, &value) != 1 ||
				addr_parse(value, &who) < 0))
		return false;
	return is_of(&who.uri, s->ep->aor) || is_listed(s->ep->profile, &who.uri);
}

/* ---- serving ---- */

static const struct package *find(const struct endpoint *ep, struct slice event)
{
	for (size_t i = 0; i < ARRAY_LEN(packages); i++)
		if (ep->profile->own_packages & packages[i]->name &&
			slice_eq(event, slice_str(packages[i]->event)))
			return packages[i];
	return NULL;
}

/* The state, in b. */
static struct subscriber_body body_of(
	struct buf *b, const struct endpoint *ep, const struct package *p)
{
	p->append_rest(b, ep);
	return (struct subscriber_body){
		.content_type = slice_str(p->type),
		.bytes = buf_slice(b),
	};
}

bool package_take(struct subscriber *s)
{
	const struct package *p = find(s->ep, slice_str(s->event));
	struct buf b = BUF_NULL;
	struct subscriber_body body;

	if (!p)
		return false;
	if (!may_see(s)) {
		(void)subscriber_reject(s, 403, SLICE_NULL);
		return true;
	}
	body = body_of(&b, s->ep, p);
	s->package = p;
	subscriber_withdraw(s);
	(void)subscriber_accept(s, SUBSCRIBER_ACCEPT, 0, &body);
	buf_deinit(&b);
	return true;
}

static bool is_news(const struct subscriber *s, const struct subscriber_body *body)
{
	const struct subscriber_told *known = s->queue.whole;

	return !known || !slice_eq(slice_of(known->bytes, known->n), body->bytes);
}

void package_changed(struct endpoint *ep, enum profile_package which)
{
	struct buf b = BUF_NULL;

	if (!(ep->profile->own_packages & which))
		return;
	list_for_each (node, &ep->subscribers) {
		struct subscriber *s = list_entry(node, struct subscriber, node);
		struct subscriber_body body;

		if (!s->package || s->package->name != which)
			continue;
		buf_reset(&b);
		body = body_of(&b, ep, s->package);
		if (is_news(s, &body))
			(void)subscriber_notify(s, &body);
	}
	buf_deinit(&b);
}

void package_append_names(struct buf *b, const struct endpoint *ep)
{
	for (size_t i = 0; i < ARRAY_LEN(packages); i++)
		if (ep->profile->own_packages & packages[i]->name)
			buf_printf(b, ", %s", packages[i]->event);
}
