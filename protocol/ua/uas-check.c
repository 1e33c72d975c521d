/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "protocol/ua/uas-check.h"

#include "protocol/msg/build.h"
#include "protocol/msg/params.h"
#include "protocol/ua/uas.h"

/* The checks of RFC 3261 section 8.2, in its order; each says why not by a status. */

/*
 * What may be required (8.2.2.3), and of which methods. UAS_SUPPORTED has the same names but for
 * eventlist, which is said in SUBSCRIBE alone (RFC 4662 section 4.1).
 */
static const struct {
	const char *tag;
	unsigned methods; /* mask of 1 << enum method */
} options[] = {
	/* RFC 3262 section 4 has it for INVITE; some repeat it in what follows. */
	{ "100rel", 1U << METHOD_INVITE | 1U << METHOD_OPTIONS | 1U << METHOD_PRACK |
			    1U << METHOD_UPDATE },
	/* Asked for or not: its bodies say themselves what they are. */
	{ "eventlist", 1U << METHOD_NOTIFY | 1U << METHOD_BENOTIFY },
	{ "gruu", ~0U }, /* RFC 5627 4.4: who requires it wants its own looked at as one */
	{ "join", 1U << METHOD_INVITE | 1U << METHOD_OPTIONS },
	{ "norefersub", 1U << METHOD_REFER },
	{ "replaces", 1U << METHOD_INVITE | 1U << METHOD_OPTIONS | 1U << METHOD_REFER },
	{ "tdialog", 1U << METHOD_REFER },
	{ "timer", 1U << METHOD_INVITE | 1U << METHOD_OPTIONS | 1U << METHOD_UPDATE },
};

static bool belongs_to_session(enum method m)
{
	return m == METHOD_BYE || m == METHOD_PRACK || m == METHOD_UPDATE;
}

static void check_method(const struct msg *m, struct uas_verdict *v)
{
	if (m->method == METHOD_UNKNOWN) {
		v->status = 501; /* RFC 3261 21.5.2; RFC 4475 3.1.1.2 */
		uas_append_capabilities(&v->headers);
	} else if (m->method == METHOD_REGISTER) {
		v->status = 405; /* no registrar */
		uas_append_capabilities(&v->headers);
	} else if (!m->to_tag.n && belongs_to_session(m->method)) {
		v->status = 481; /* 15.1.2; RFC 3262 section 3, RFC 3311 section 5.2 */
	}
}

static void check_uri(const struct msg *m, struct uas_verdict *v)
{
	if (m->uri.scheme == URI_OTHER) /* 8.2.2.1 */
		v->status = 416;
}

/* RFC 3891 section 3, RFC 3911 section 4: those are for INVITE alone. */
static void check_replacement(const struct msg *m, struct uas_verdict *v)
{
	if (m->method == METHOD_INVITE)
		return;
	if (msg_header(m, HDR_REPLACES).p)
		v->reason = SLICE("Replaces is for INVITE");
	else if (msg_header(m, HDR_JOIN).p)
		v->reason = SLICE("Join is for INVITE");
	else
		return;
	v->status = 400;
}

static bool is_supported(struct slice option, enum method m)
{
	for (size_t i = 0; i < ARRAY_LEN(options); i++)
		if (slice_eq_ci(option, slice_str(options[i].tag)))
			return options[i].methods & (1U << m);
	return false;
}

/* 8.2.2.3: exactly what is not supported is named. */
static void check_require(const struct msg *m, struct uas_verdict *v)
{
	struct msg_list it = { 0 };
	struct slice option;
	struct buf list = BUF_NULL;

	while (msg_list_next(m, HDR_REQUIRE, &it, &option) == 1) {
		if (is_supported(option, m->method))
			continue;
		if (list.n)
			buf_lit(&list, ", ");
		buf_put(&list, option);
	}
	if (list.n) {
		v->status = 420;
		build_header(&v->headers, HDR_UNSUPPORTED, buf_slice(&list));
	}
	buf_deinit(&list);
}

static bool body_is_optional(const struct msg *m)
{
	struct slice value, disposition = msg_header(m, HDR_CONTENT_DISPOSITION);

	disposition = slice_skip(disposition, slice_find(disposition, ';'));
	return params_find(disposition, SLICE("handling"), &value) &&
	       slice_eq_ci(value, SLICE("optional"));
}

/*
 * 8.2.3: the coding must be known, for nobody here undoes one. The type is for whoever takes the
 * request: descriptions are the client's as much as pages are.
 */
static void check_content(const struct msg *m, struct uas_verdict *v)
{
	struct slice encoding = msg_header(m, HDR_CONTENT_ENCODING);

	if (!m->body.n || body_is_optional(m))
		return;
	if (encoding.n && !slice_eq_ci(encoding, SLICE("identity"))) {
		v->status = 415;
		build_header(&v->headers, HDR_ACCEPT_ENCODING, SLICE("identity"));
	} else if (!slice_trim(slice_head(m->content_type, slice_find(m->content_type, ';'))).n) {
		v->status = 400; /* 20.15: a body must say what it is */
		v->reason = SLICE("Missing Content-Type");
	}
}

void uas_check(const struct ua *ua, const struct msg *m, struct uas_verdict *v)
{
	static void (*const checks[])(const struct msg *, struct uas_verdict *) = {
		check_method,
		check_uri,
		check_replacement,
		check_require,
		check_content,
	};

	if (txn_is_merged(&ua->txns, m)) {
		v->status = 482; /* 8.2.2.2 */
		return;
	}
	for (size_t i = 0; i < ARRAY_LEN(checks) && !v->status; i++)
		checks[i](m, v);
}
