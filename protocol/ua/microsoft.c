/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "protocol/ua/microsoft.h"

#include "protocol/msg/build.h"
#include "protocol/msg/params.h"
#include "protocol/msg/uuid.h"
#include "protocol/ua/microsoft-private.h"
#include "protocol/ua/uas-check.h"

enum {
	OPAQUE_DIGITS = 10,
	MAX_TOLD = 256, /* of a server's own words */
};

bool microsoft_is_on(const struct endpoint *ep)
{
	return ep->profile->microsoft_extensions;
}

struct microsoft *microsoft_new(struct endpoint *ep)
{
	struct microsoft *ms;

	if (!microsoft_is_on(ep))
		return NULL;
	ms = ep->microsoft = mem_new(struct microsoft);
	ms->ep = ep;
	microsoft_redirect_init(ms);
	microsoft_keepalive_init(ms);
	return ms;
}

void microsoft_free(struct microsoft *ms)
{
	if (!ms)
		return;
	microsoft_redirect_deinit(ms);
	microsoft_keepalive_deinit(ms);
	free(ms);
}

/* ---- who we are ---- */

char *microsoft_instance(const struct host *host, const char *endpoint_id)
{
	/* {fcacfb03-8a73-46ef-91b1-e5ebeeaba4fe} as it lies in memory */
	static const uint8_t name_space[UUID_BYTES] = { 0x03, 0xfb, 0xac, 0xfc, 0x73, 0x8a, 0xef,
		0x46, 0x91, 0xb1, 0xe5, 0xeb, 0xee, 0xab, 0xa4, 0xfe };
	struct slice pieces[] = {
		slice_of((const char *)name_space, sizeof(name_space)),
		slice_str(endpoint_id),
	};
	uint8_t hash[DIGEST_MAX_HASH] = { 0 };
	struct buf b = BUF_NULL;

	(void)host->ops->hash(host->ctx, CHALLENGE_SHA1, pieces, ARRAY_LEN(pieces), hash);
	uuid_swap(hash);
	uuid_mark(hash, 5);
	buf_lit(&b, "urn:uuid:");
	uuid_append(&b, hash);
	return buf_take(&b);
}

struct slice microsoft_epid(const struct endpoint *ep)
{
	return microsoft_is_on(ep) ? slice_str(ep->endpoint_id) : SLICE_NULL;
}

struct slice microsoft_opaque(const struct endpoint *ep)
{
	return slice_head(slice_str(ep->token), OPAQUE_DIGITS);
}

/* ---- REGISTER ---- */

void microsoft_append_contact_params(struct buf *b)
{
	/* The server may put the address that it sees in place of ours. */
	buf_lit(b, ";proxy=replace;methods=\"" UAS_ALLOWED "\"");
}

static bool is_given(const struct registration *r, struct slice name)
{
	for (size_t i = 0; i < r->n_headers; i++)
		if (slice_eq_ci(r->headers[i].name, name) ||
			(hdr_find(name) && hdr_find(r->headers[i].name) == hdr_find(name)))
			return true;
	return false;
}

void microsoft_append_register(struct buf *b, const struct registration *r)
{
	static const struct {
		struct slice name, value;
	} rows[] = {
		/* 2.2.2.1: the implicit subscription that registration-notify belongs to */
		{ SLICE_INIT("Event"), SLICE_INIT("registration") },
		{ SLICE_INIT("Allow-Events"), SLICE_INIT("refer, registration-notify") },
		/* [MS-CONMGMT] 2.2.1: we are the client, for this hop alone */
		{ SLICE_INIT("ms-keep-alive"), SLICE_INIT("UAC;hop-hop=yes") },
	};

	build_header(b, HDR_SUPPORTED, SLICE("gruu-10, adhoclist"));
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		if (!is_given(r, rows[i].name))
			build_header_named(b, rows[i].name, rows[i].value);
}

bool microsoft_has_lost(const struct registration *r, const struct msg *m)
{
	struct slice value = msg_header_named(m, SLICE("presence-state")), action;

	if (!microsoft_is_on(r->ep) || r->state != REGISTRATION_REGISTERED || !value.p)
		return false;
	/* The parameters may stand alone, without a value before them. */
	while (value.n) {
		struct slice one = value;

		if (!slice_cut(value, ';', &one, &value))
			value = SLICE_NULL;
		if (!slice_cut(slice_trim(one), '=', &one, &action) ||
			!slice_eq_ci(slice_trim(one), SLICE("register-action")))
			continue;
		action = params_unquote(slice_trim(action));
		return slice_eq_ci(action, SLICE("added")) || slice_eq_ci(action, SLICE("fixed"));
	}
	return false;
}

/* ErrorId;reason="..."; inside the enterprise it has precedence over the public one. */
void microsoft_append_diagnostics(struct buf *b, const struct msg *m)
{
	struct slice value = msg_header_named(m, SLICE("ms-diagnostics")), reason;

	if (!value.n)
		value = msg_header_named(m, SLICE("ms-diagnostics-public"));
	if (!value.n)
		return;
	buf_lit(b, "; ms-diagnostics ");
	buf_put(b, slice_head(slice_trim(slice_head(value, slice_find(value, ';'))), MAX_TOLD));
	if (!params_find(slice_skip(value, slice_find(value, ';')), SLICE("reason"), &reason))
		return;
	buf_lit(b, ": ");
	params_append_unescaped(b, slice_head(params_unquote(reason), MAX_TOLD));
}
