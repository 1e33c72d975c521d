/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "protocol/ua/limits.h"
#include "protocol/ua/package-private.h"
#include "protocol/ua/registration-flows.h"

/* RFC 3680: what the registrar said of the address of record, as the endpoint knows it. */

/* 5.1: unique, and the same in each document: hashes that only we can make collide. */
static void append_id(struct buf *b, const struct endpoint *ep, const char *text)
{
	uint64_t seed;
	uint64_t hash;

	memcpy(&seed, ep->ua->host->seed, sizeof(seed));
	hash = slice_hash(slice_str(text), seed);
	buf_lit(b, " id=\"");
	buf_hex(b, &hash, sizeof(hash));
	buf_putc(b, '"');
}

/* Neither expires nor duration-registered: they would be news each second. */
static void append_contact(
	struct buf *b, const struct endpoint *ep, const struct registration_binding *binding)
{
	buf_lit(b, "<contact");
	append_id(b, ep, binding->uri);
	buf_lit(b, " state=\"active\" event=\"registered\"");
	if (binding->q_thousandths < 1000)
		buf_printf(b, " q=\"0.%03u\"", binding->q_thousandths);
	buf_lit(b, "><uri>");
	package_append_text(b, slice_str(binding->uri));
	buf_lit(b, "</uri>");
	if (binding->display_name) {
		buf_lit(b, "<display-name>");
		package_append_text(b, slice_str(binding->display_name));
		buf_lit(b, "</display-name>");
	}
	buf_lit(b, "</contact>\n");
}

static void append_rest(struct buf *b, const struct endpoint *ep)
{
	const struct registration *r = ep->registration;
	size_t n = 0;

	if (r && registration_overall_state(r) == REGISTRATION_REGISTERED)
		n = r->n_bindings < LIMITS_PACKAGE_ROWS ? r->n_bindings : LIMITS_PACKAGE_ROWS;
	buf_lit(b, "\" state=\"full\">\n<registration");
	package_append_attribute(b, "aor", slice_str(ep->uri));
	append_id(b, ep, ep->uri);
	buf_printf(b, " state=\"%s\">\n", n ? "active" : "init");
	for (size_t i = 0; i < n; i++)
		append_contact(b, ep, &r->bindings[i]);
	buf_lit(b, "</registration>\n</reginfo>\n");
}

const struct package package_reg = {
	.name = PROFILE_PACKAGE_REG,
	.event = "reg",
	.type = "application/reginfo+xml",
	.head = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
		"<reginfo xmlns=\"urn:ietf:params:xml:ns:reginfo\" version=\"",
	.append_rest = append_rest,
};
