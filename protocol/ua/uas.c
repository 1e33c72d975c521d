/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "protocol/ua/uas.h"

#include "protocol/dialog/usage.h"
#include "protocol/msg/build.h"
#include "protocol/msg/params.h"
#include "protocol/ua/endpoint-flow.h"
#include "protocol/ua/endpoint-route.h"
#include "protocol/ua/incoming.h"
#include "protocol/ua/microsoft-notify.h"
#include "protocol/ua/refer.h"
#include "protocol/ua/session-endpoint.h"
#include "protocol/ua/session-in.h"
#include "protocol/ua/subscriber.h"
#include "protocol/ua/subscription.h"
#include "protocol/ua/uas-check.h"
#include "protocol/ua/uas-way.h"
#include "protocol/ua/unsolicited.h"

enum {
	RETRY_AFTER_BUSY = 5,   /* seconds in our own 486 and 503 */
	RETRY_AFTER_ORDER = 10, /* at most, where requests came out of order (14.2) */
	TAG_HASH_SEED = 0x5e,
};

/* ---- the way back ---- */

static bool host_equals(struct slice host, struct slice numeric)
{
	struct slice bare = host;

	if (bare.n >= 2 && bare.p[0] == '[')
		bare = slice_of(bare.p + 1, bare.n - 2);
	return slice_eq_ci(bare, numeric);
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
	if (wants_rport || !host_equals(v->host, flow_addr_host(&f->peer))) {
		buf_lit(b, ";received=");
		buf_put(b, flow_addr_host(&f->peer));
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
	/*
	 * A maddr in Via is not followed: it is for multicast, which we do not listen to, and else
	 * would have us send to whomever the peer names.
	 */
	return flow_is_reliable(down) ? uas_way_new(ctx, request, down) : NULL;
}

/* ---- answers ---- */

void uas_append_capabilities(struct buf *b)
{
	uas_append_methods(b);
	build_header(b, HDR_ACCEPT, SLICE("*/*"));
	build_header(b, HDR_ACCEPT_ENCODING, SLICE("identity"));
	build_header(b, HDR_ACCEPT_LANGUAGE, SLICE("*"));
}

void uas_append_methods(struct buf *b)
{
	build_header(b, HDR_ALLOW, SLICE(UAS_ALLOWED));
	build_header(b, HDR_SUPPORTED, SLICE(UAS_SUPPORTED));
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

void uas_answer(
	struct ua *ua, struct flow *reply_flow, struct msg *m, const struct uas_reply *answer)
{
	struct uas_reply r = *answer;
	struct buf tag = BUF_NULL, b = BUF_NULL;
	struct txn *t;

	if (m->method == METHOD_BENOTIFY) /* [MS-SIP] 3.5: never */
		return;
	t = txn_server_new(&ua->txns, reply_flow, m, NULL, NULL);
	if (!t) {
		uas_reject_stateless(ua, reply_flow, m, 503, SLICE_NULL);
		return;
	}
	if (!r.to_tag.n && !m->to_tag.n) {
		ua_random_hex(ua, &tag, sizeof(uint64_t));
		r.to_tag = buf_slice(&tag);
	}
	uas_build_reply(&b, ua, m, &r);
	(void)txn_reply(t, r.status, buf_slice(&b));
	buf_deinit(&tag);
	buf_deinit(&b);
}

static void reject(struct ua *ua, struct flow *f, struct msg *m, const struct uas_reply *refusal)
{
	uas_answer(ua, uas_reply_flow(ua, f, m), m, refusal);
}

/* ---- requests ---- */

/*
 * 9.2: the CANCEL is answered for itself, with the To tag of the answer to the INVITE; the INVITE's
 * owner decides what becomes of that.
 */
static void receive_cancel(struct ua *ua, struct flow *f, struct msg *m)
{
	struct txn *invite = txn_find_cancelled(&ua->txns, m);
	struct buf tag = BUF_NULL;

	if (invite)
		txn_append_to_tag(&tag, invite);
	reject(ua, f, m,
		&(struct uas_reply){ .status = invite ? 200 : 481, .to_tag = buf_slice(&tag) });
	buf_deinit(&tag);
	if (invite)
		txn_server_cancelled(invite, m);
}

static void reject_for_now(
	struct ua *ua, struct flow *f, struct msg *m, unsigned status, uint64_t seconds)
{
	struct buf headers = BUF_NULL;

	build_header_u64(&headers, HDR_RETRY_AFTER, seconds);
	reject(ua, f, m, &(struct uas_reply){ .status = status, .headers = buf_slice(&headers) });
	buf_deinit(&headers);
}

/* false: it was refused. */
static bool pass_checks(struct ua *ua, struct flow *f, struct msg *m)
{
	struct uas_verdict v = { .headers = BUF_NULL };
	bool passes;

	uas_check(ua, m, &v);
	passes = v.status == 0;
	if (!passes)
		reject(ua, f, m,
			&(struct uas_reply){ .status = v.status,
				.reason = v.reason,
				.headers = buf_slice(&v.headers) });
	buf_deinit(&v.headers);
	return passes;
}

/* No usage of the dialog wants it: it is for one that is no more, or that never was. */
static void reject_unwanted(struct ua *ua, struct flow *f, struct msg *m)
{
	struct uas_reply r = { .status = 481 };
	struct buf headers = BUF_NULL;

	if (m->method == METHOD_PUBLISH || m->method == METHOD_SERVICE) {
		r.status = 405;
		uas_append_capabilities(&headers);
	} else if (m->method == METHOD_SUBSCRIBE) {
		r.status = 489; /* RFC 6665 4.2.1.1 */
	}
	r.headers = buf_slice(&headers);
	reject(ua, f, m, &r);
	buf_deinit(&headers);
}

static void receive_subscribe(struct endpoint *ep, struct flow *f, struct msg *m)
{
	unsigned status = subscriber_receive(ep, uas_reply_flow(ep->ua, f, m), m);

	if (status)
		reject_for_now(ep->ua, f, m, status, RETRY_AFTER_BUSY);
}

/* RFC 6665 4.5.2: a new subscription may share the dialog of whatever there is. */
static bool receive_shared(struct ua *ua, struct flow *f, struct msg *m)
{
	struct endpoint *ep = m->method == METHOD_SUBSCRIBE ? endpoint_route(ua, f, m) : NULL;

	if (!ep || ep->closing || !ep->kind->subscribes)
		return false;
	receive_subscribe(ep, f, m);
	return true;
}

/*
 * It has overtaken the 2xx that makes its dialog, or that 2xx was lost and will come again: 481
 * would end a session that has just begun, so it is as if it were lost too. Streams keep their
 * order, and whoever says BYE has given us up (15).
 */
static bool is_too_early(struct ua *ua, const struct flow *f, const struct msg *m)
{
	return !flow_is_reliable(f) && m->method != METHOD_BYE && session_awaits_dialog(ua, m);
}

/* RFC 6665 4.4.1: it makes the dialog of a subscription of ours. */
static bool receive_first_notify(struct ua *ua, struct flow *f, struct msg *m)
{
	if (!subscription_awaits(ua, m))
		return false;
	if (pass_checks(ua, f, m))
		subscription_receive(ua, uas_reply_flow(ua, f, m), m);
	return true;
}

/* 12.2.2: the number counts whatever becomes of the request. */
static void receive_in_dialog(struct ua *ua, struct flow *f, struct msg *m)
{
	struct dialog *d = dialog_find_of_request(&ua->dialogs, m);
	struct flow *back = uas_reply_flow(ua, f, m);

	if (d)
		flow_hold_set(&d->in, f);
	if (!d) {
		/* A NOTIFY may be the first that we see of its dialog. */
		if (!refer_receive(ua, back, m) && !receive_first_notify(ua, f, m) &&
			!microsoft_receive(ua, f, back, m) && !is_too_early(ua, f, m))
			reject(ua, f, m, &(struct uas_reply){ .status = 481 });
	} else if (dialog_take_cseq(d, m->cseq) < 0) {
		reject_for_now(ua, f, m, 500, ua_random_below(ua, RETRY_AFTER_ORDER + 1));
	} else if (pass_checks(ua, f, m) && !usage_dispatch_request(d, back, m) &&
		   !receive_shared(ua, f, m)) {
		reject_unwanted(ua, f, m);
	}
}

static void hand_on(struct ua *ua, struct flow *f, struct msg *m)
{
	struct flow *back = uas_reply_flow(ua, f, m);
	struct endpoint *ep;

	if (refer_receive(ua, back, m) || microsoft_receive(ua, f, back, m))
		return;
	ep = endpoint_route(ua, f, m);
	if (!ep || ep->closing) {
		reject(ua, f, m, &(struct uas_reply){ .status = ep ? 480 : 404 });
		return;
	}
	endpoint_flow_use(ep, f);
	if (m->method == METHOD_INVITE) {
		unsigned status = session_in_receive(ep, back, m);

		if (status)
			reject_for_now(ua, f, m, status, RETRY_AFTER_BUSY);
	} else if (m->method == METHOD_SUBSCRIBE && ep->kind->subscribes) {
		receive_subscribe(ep, f, m);
	} else if (m->method == METHOD_NOTIFY) {
		unsolicited_receive(ep, f, back, m);
	} else if (!incoming_new(ep, back, m)) {
		reject_for_now(ua, f, m, 503, RETRY_AFTER_BUSY);
	}
}

static void hear_outside(struct ua *ua, struct flow *f, struct msg *m)
{
	struct endpoint *ep = endpoint_route(ua, f, m);

	if (ep && !ep->closing && pass_checks(ua, f, m))
		unsolicited_receive(ep, f, NULL, m);
}

static void hear_inside(struct ua *ua, struct flow *f, struct dialog *d, struct msg *m)
{
	if ((d->has_remote_cseq && m->cseq <= d->remote_cseq) || !pass_checks(ua, f, m))
		return;
	(void)dialog_take_cseq(d, m->cseq);
	(void)usage_dispatch_request(d, f, m);
}

/*
 * [MS-SIP] 3.5: the sender neither hears of it nor sends it again, so what cannot be taken is as if
 * it were lost, and a number that was there before is a copy, for which there is no transaction.
 */
static void receive_best_effort(struct ua *ua, struct flow *f, struct msg *m)
{
	struct dialog *d = m->to_tag.n ? dialog_find_of_request(&ua->dialogs, m) : NULL;

	if (!m->to_tag.n)
		hear_outside(ua, f, m);
	else if (d)
		hear_inside(ua, f, d, m);
	else
		(void)receive_first_notify(ua, f, m);
}

void uas_receive(struct ua *ua, struct flow *f, struct msg *m)
{
	if (m->method == METHOD_BENOTIFY)
		receive_best_effort(ua, f, m);
	else if (m->method == METHOD_CANCEL)
		receive_cancel(ua, f, m);
	else if (m->to_tag.n)
		receive_in_dialog(ua, f, m);
	else if (pass_checks(ua, f, m))
		hand_on(ua, f, m);
}
