/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "protocol/ua/uas.h"

#include "protocol/msg/build.h"
#include "protocol/msg/params.h"
#include "protocol/ua/endpoint.h"
#include "protocol/ua/incoming.h"

enum {
	RETRY_AFTER_BUSY = 5, /* seconds in our own 503 */
	TAG_HASH_SEED = 0x5e,
};

#define ALLOWED "INVITE, ACK, CANCEL, OPTIONS, MESSAGE, INFO, NOTIFY"

/* ---- the way back ---- */

static bool host_equals(struct slice host, const char *numeric)
{
	struct slice bare = host;

	if (bare.n >= 2 && bare.p[0] == '[')
		bare = slice_of(bare.p + 1, bare.n - 2);
	return slice_eq_ci(bare, slice_str(numeric));
}

void uas_append_via(struct buf *b, const struct msg *m, const struct flow *f)
{
	const struct via *v = &m->via;
	struct slice line = msg_header(m, HDR_VIA), params = v->params;
	struct param p;
	bool wants_rport = v->rport.p != NULL;

	if (!v->text.n || !line.n)
		return;
	/* The element up to its parameters, then those that are not ours to write. */
	buf_put(b,
		slice_of(v->text.p, v->params.n ? (size_t)(v->params.p - v->text.p) : v->text.n));
	while (params_next(&params, &p) == 1) {
		if (slice_eq_ci(p.name, SLICE("received")) || slice_eq_ci(p.name, SLICE("rport")))
			continue;
		buf_putc(b, ';');
		buf_put(b, p.name);
		if (p.value.p) {
			buf_putc(b, '=');
			buf_put(b, p.value);
		}
	}
	if (wants_rport || !host_equals(v->host, f->peer.host)) {
		buf_lit(b, ";received=");
		buf_str(b, f->peer.host);
	}
	if (wants_rport) {
		buf_lit(b, ";rport=");
		buf_u64(b, f->peer.port);
	}
	/* The other elements of the same line. */
	buf_put(b, slice_skip(line, (size_t)(v->text.p + v->text.n - line.p)));
}

struct flow *uas_reply_flow(struct ua *ua, struct flow *f, const struct msg *m)
{
	struct host_target target = { .transport = f->transport, .addr = f->peer, .beside = f };

	if (flow_is_reliable(f) || m->via.rport.p)
		return f;
	target.addr.port = m->via.port ? m->via.port : transport_default_port(f->transport);
	if (target.addr.port == f->peer.port)
		return f;
	return ua->host->ops->open(ua->host->ctx, &target);
}

struct flow *uas_reroute(void *ctx, const struct msg *request, struct flow *down)
{
	struct ua *ua = ctx;
	struct host_target target = { .transport = down->transport, .addr = down->peer };

	if (!flow_is_reliable(down))
		return NULL;
	target.addr.port =
		request->via.port ? request->via.port : transport_default_port(down->transport);
	return flow_ref(ua->host->ops->open(ua->host->ctx, &target));
}

/* ---- answers ---- */

void uas_append_capabilities(struct buf *b)
{
	build_header(b, HDR_ALLOW, SLICE(ALLOWED));
	build_header(b, HDR_ACCEPT, SLICE("*/*"));
	build_header(b, HDR_ACCEPT_ENCODING, SLICE("identity"));
	build_header(b, HDR_ACCEPT_LANGUAGE, SLICE("*"));
	build_header(b, HDR_SUPPORTED, SLICE("path"));
}

void uas_build_reply(
	struct buf *b, const struct ua *ua, const struct msg *m, const struct uas_reply *r)
{
	build_response(b, m, r->status, r->reason, r->to_tag);
	if (ua->host->user_agent)
		build_header(b, HDR_SERVER, slice_str(ua->host->user_agent));
	buf_put(b, r->headers);
	build_body(b, r->content_type, r->body);
}

/*
 * A To tag that is the same for each retransmission and needs no memory (RFC 3261 8.2.7): a keyed
 * hash of what tells requests apart.
 */
static void append_stateless_tag(struct buf *b, const struct ua *ua, const struct msg *m)
{
	uint64_t h[2] = { ua->queries.seed, ua->server_health.seed };

	h[0] = slice_hash(m->via.branch, h[0] ^ slice_hash(m->call_id, TAG_HASH_SEED));
	h[1] = slice_hash(m->from_tag, h[1] ^ h[0]);
	buf_hex(b, &h[1], sizeof(h[1]));
}

void uas_reject_stateless(
	struct ua *ua, struct flow *f, const struct msg *m, unsigned status, struct slice reason)
{
	struct buf tag = BUF_NULL, b = BUF_NULL;
	struct uas_reply r = { .status = status, .reason = reason };

	if (m->method == METHOD_ACK || m->method == METHOD_BENOTIFY || !msg_is_answerable(m))
		return;
	append_stateless_tag(&tag, ua, m);
	r.to_tag = buf_slice(&tag);
	uas_build_reply(&b, ua, m, &r);
	flow_send(uas_reply_flow(ua, f, m), buf_slice(&b));
	buf_deinit(&tag);
	buf_deinit(&b);
}

/*
 * A refusal with a transaction: retransmissions are answered alike and an ACK is awaited. It gets
 * a To tag if it brings none.
 */
static void reject(struct ua *ua, struct flow *f, struct msg *m, const struct uas_reply *refusal)
{
	struct uas_reply r = *refusal;
	struct txn *t = txn_server_new(&ua->txns, uas_reply_flow(ua, f, m), m, NULL, NULL);
	struct buf tag = BUF_NULL, b = BUF_NULL;

	if (!t) {
		uas_reject_stateless(ua, f, m, 503, SLICE_NULL);
		return;
	}
	if (!r.to_tag.n) {
		ua_random_hex(ua, &tag, sizeof(uint64_t));
		r.to_tag = buf_slice(&tag);
	}
	uas_build_reply(&b, ua, m, &r);
	(void)txn_reply(t, r.status, buf_slice(&b));
	buf_deinit(&tag);
	buf_deinit(&b);
}

/* ---- the checks of section 8.2, in its order; each says why not by a status ---- */

struct verdict {
	unsigned status; /* 0: go on */
	struct slice reason;
	struct buf headers;
};

static void check_method(const struct msg *m, struct verdict *v)
{
	if (m->method == METHOD_UNKNOWN) {
		v->status = 501; /* RFC 3261 21.5.2; RFC 4475 3.1.1.2 */
		uas_append_capabilities(&v->headers);
	} else if (m->method == METHOD_REGISTER) {
		v->status = 405; /* no registrar */
		uas_append_capabilities(&v->headers);
	} else if (m->to_tag.n) {
		v->status = 481; /* 12.2.2: a dialog that we do not have */
	}
}

static void check_uri(const struct msg *m, struct verdict *v)
{
	if (m->uri.scheme == URI_OTHER) /* 8.2.2.1 */
		v->status = 416;
}

/* 8.2.2.3: nothing that a request may require is supported outside of dialogs yet. */
static void check_require(const struct msg *m, struct verdict *v)
{
	struct msg_list it = { 0 };
	struct slice option;
	struct buf list = BUF_NULL;

	while (msg_list_next(m, HDR_REQUIRE, &it, &option) == 1) {
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

/* type/subtype of a Content-Type or Accept value, without parameters. */
static struct slice media_type(struct slice value)
{
	return slice_trim(slice_head(value, slice_find(value, ';')));
}

static bool body_is_optional(const struct msg *m)
{
	struct slice value, disposition = msg_header(m, HDR_CONTENT_DISPOSITION);

	disposition = slice_skip(disposition, slice_find(disposition, ';'));
	return params_find(disposition, SLICE("handling"), &value) &&
	       slice_eq_ci(value, SLICE("optional"));
}

/* 8.2.3: a session is described in SDP, alone or as a part; a page may be anything. */
static void check_content(const struct msg *m, struct verdict *v)
{
	struct slice type = media_type(m->content_type), encoding;

	if (!m->body.n || body_is_optional(m))
		return;
	encoding = msg_header(m, HDR_CONTENT_ENCODING);
	if (encoding.n && !slice_eq_ci(encoding, SLICE("identity"))) {
		v->status = 415;
		build_header(&v->headers, HDR_ACCEPT_ENCODING, SLICE("identity"));
	} else if (!type.n) {
		v->status = 400; /* 20.15: a body must say what it is */
		v->reason = SLICE("Missing Content-Type");
	} else if (m->method == METHOD_INVITE && !slice_eq_ci(type, SLICE("application/sdp")) &&
		   !slice_starts_ci(type, SLICE("multipart/"))) {
		v->status = 415;
		build_header(&v->headers, HDR_ACCEPT, SLICE("application/sdp, multipart/mixed"));
	}
}

/* 20.1: the answer to an INVITE is SDP; a caller that takes none cannot be served (406). */
static void check_accept(const struct msg *m, struct verdict *v)
{
	struct msg_list it = { 0 };
	struct slice range;
	bool any = false;

	if (m->method != METHOD_INVITE || !msg_header(m, HDR_ACCEPT).p)
		return;
	while (msg_list_next(m, HDR_ACCEPT, &it, &range) == 1) {
		range = media_type(range);
		if (slice_eq_ci(range, SLICE("application/sdp")) || slice_eq(range, SLICE("*/*")) ||
			slice_eq_ci(range, SLICE("application/*")))
			any = true;
	}
	if (!any)
		v->status = 406;
}

static void check(const struct ua *ua, const struct msg *m, struct verdict *v)
{
	static void (*const checks[])(const struct msg *, struct verdict *) = {
		check_method,
		check_uri,
		check_require,
		check_content,
		check_accept,
	};

	if (txn_is_merged(&ua->txns, m)) {
		v->status = 482; /* 8.2.2.2 */
		return;
	}
	for (size_t i = 0; i < ARRAY_LEN(checks) && !v->status; i++)
		checks[i](m, v);
}

/*
 * 9.2: the CANCEL is answered for itself, with the To tag of the answer to the INVITE; the INVITE's
 * owner decides what becomes of that.
 */
static void receive_cancel(struct ua *ua, struct flow *f, struct msg *m)
{
	struct txn *invite = txn_find_cancelled(&ua->txns, m);
	struct msg *answer = invite ? txn_last_response(invite) : NULL;

	reject(ua, f, m,
		&(struct uas_reply){ .status = invite ? 200 : 481,
			.to_tag = answer ? answer->to_tag : SLICE_NULL });
	msg_unref(answer);
	if (invite)
		txn_server_cancelled(invite, m);
}

static void hand_on(struct ua *ua, struct flow *f, struct msg *m)
{
	struct endpoint *ep = endpoint_route(ua, m);

	/* Sessions have no agents in this version: nobody is there to take one (21.4.18). */
	if (!ep || ep->closing) {
		reject(ua, f, m, &(struct uas_reply){ .status = ep ? 480 : 404 });
	} else if (m->method == METHOD_INVITE) {
		reject(ua, f, m, &(struct uas_reply){ .status = 480 });
	} else if (!incoming_new(ep, uas_reply_flow(ua, f, m), m)) {
		struct buf headers = BUF_NULL;

		build_header_u64(&headers, HDR_RETRY_AFTER, RETRY_AFTER_BUSY);
		reject(ua, f, m,
			&(struct uas_reply){ .status = 503, .headers = buf_slice(&headers) });
		buf_deinit(&headers);
	}
}

void uas_receive(struct ua *ua, struct flow *f, struct msg *m)
{
	struct verdict v = { .headers = BUF_NULL };

	if (m->method == METHOD_BENOTIFY) /* is never answered, and we subscribe to nothing yet */
		return;
	if (m->method == METHOD_CANCEL) {
		receive_cancel(ua, f, m);
		return;
	}
	check(ua, m, &v);
	if (v.status)
		reject(ua, f, m,
			&(struct uas_reply){ .status = v.status,
				.reason = v.reason,
				.headers = buf_slice(&v.headers) });
	else
		hand_on(ua, f, m);
	buf_deinit(&v.headers);
}
