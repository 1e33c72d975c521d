/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <string.h>

#include "protocol/base/err.h"
#include "protocol/msg/build.h"
#include "protocol/ua/endpoint-flow.h"
#include "protocol/ua/health.h"
#include "protocol/ua/registration-flows.h"
#include "protocol/ua/request-connect.h"
#include "protocol/ua/request-private.h"

/* From a target to bytes on a flow: RFC 3263 section 4, RFC 3261 sections 8.1.2 and 18.1.1. */

enum {
	/* After this time it is worth another look whether the server takes TCP meanwhile. */
	NO_TCP_SEC = 300,
	MAX_UDP = 65507, /* what fits into a datagram at all */
};

/* ---- flows ---- */

static char *way_key(const struct request_hop *w)
{
	struct buf b = BUF_NULL;

	buf_str(&b, transport_name(w->to.transport));
	buf_putc(&b, ':');
	build_hostport(&b, w->to.host, w->to.port);
	return buf_take(&b);
}

static bool is_usable(const struct request *r, const struct flow *f)
{
	return f && f->state != FLOW_DOWN && !health_is_bad(r->ep->ua, f->transport, &f->peer);
}

/*
 * What leads to the endpoint's server is kept for the requests to come. The registrar's has
 * precedence, for incoming requests arrive over it. A peer keeps nothing.
 */
static void keep_flow(struct request *r, struct flow *f)
{
	struct endpoint *ep = r->ep;
	const struct registration *other;

	/* A dialog's way is that dialog's. */
	if (!r->to_server || !ep->kind->registers || r->way.dialog)
		return;
	if (r->way.server != REQUEST_TO_REGISTRAR && is_usable(r, ep->flow))
		return;
	/* One flow does not take over what goes over another that lives. */
	other = registration_over(ep, ep->flow);
	if (other && other->reg_id != r->way.reg_id && is_usable(r, ep->flow))
		return;
	endpoint_keep_flow(ep, f, r->server_key);
}

static void use_flow(struct request *r, struct flow *f)
{
	flow_ref(f);
	flow_unref(r->flow);
	r->flow = f;
	endpoint_flow_use(r->ep, f);
}

/* ---- sending ---- */

static void on_response(void *owner, struct txn *t, const struct msg *m);
static void on_failed(void *owner, struct txn *t, enum txn_failure why);
static void on_ended(void *owner, struct txn *t);

static const struct txn_client_ops client_ops = {
	.response = on_response,
	.failed = on_failed,
	.ended = on_ended,
};

static void copy_headers(struct buf *b, const struct msg *m, enum hdr_id id)
{
	const struct hdr *h = NULL;

	while ((h = msg_header_next(m, id, h)))
		build_header(b, id, h->value);
}

/*
 * 13.2.2.4: the INVITE's own. What the callee asked for it has seen already; what was for a proxy
 * is not shown to others.
 */
static void append_acks_credentials(struct buf *b, const struct request *r)
{
	copy_headers(b, r->acknowledges, HDR_AUTHORIZATION);
	if (r->to_server)
		copy_headers(b, r->acknowledges, HDR_PROXY_AUTHORIZATION);
}

static void append_credentials(struct buf *b, struct request *r, const struct flow *f)
{
	struct auth_request a = {
		.method = slice_str(r->method),
		.uri = slice_str(r->targets[r->target].uri),
		.body = slice_of(r->body, r->body_n),
		.transport = f->transport,
	};

	if (r->acknowledges)
		append_acks_credentials(b, r);
	else if (r->to_server) /* Nothing of ours is shown to a stranger. */
		auth_append(b, r->ep, &a);
}

static void transmit(struct request *r, struct slice bytes)
{
	struct txn_table *txns = &r->ep->ua->txns;
	struct msg *m = NULL;

	if (r->flow->transport == TRANSPORT_UDP && bytes.n > MAX_UDP) {
		request_finish_local(r, -EMSGSIZE, SLICE("message too large for UDP"));
		return;
	}
	/* Our own bytes, read back: what a client put in cannot have broken them. */
	if (msg_parse(bytes, MSG_STREAM, &m) < 0 || m->fault.status) {
		msg_unref(m);
		request_finish_local(r, -EINVAL, SLICE("malformed request"));
		return;
	}
	msg_unref(r->sent);
	r->sent = m;
	r->answered = false;
	r->n_attempts++;
	if (r->acknowledges) {
		flow_send(r->flow, m->raw);
		return;
	}
	r->txn = txn_client_new(txns, r->flow, m, &client_ops, r);
	if (!r->txn)
		request_finish_local(r, -ENOSPC, SLICE("too many transactions"));
}

/* RFC 3261 18.1.1: what may be fragmented goes over a congestion-controlled transport. */
static bool is_too_large(const struct request *r, const struct flow *f, size_t n)
{
	return f->transport == TRANSPORT_UDP && n > LIMITS_UDP_REQUEST &&
	       !health_is_bad(r->ep->ua, TRANSPORT_TCP, &f->peer);
}

void request_send(struct request *r, struct flow *f)
{
	struct buf bytes = BUF_NULL, credentials = BUF_NULL;
	struct locate_hop tcp;

	r->reached = true;
	use_flow(r, f);
	/* Over the connection that leads to the endpoint's server it reaches that server. */
	if (r->way.dialog && r->ep->flow && f == r->ep->flow)
		r->to_server = r->ep->kind->authenticates;
	if (r->way.dialog && !r->acknowledges)
		r->cseq = dialog_next_cseq(r->way.dialog);
	append_credentials(&credentials, r, f);
	request_build(&bytes, r, f, buf_slice(&credentials));
	if (is_too_large(r, f, bytes.n)) {
		tcp = (struct locate_hop){ TRANSPORT_TCP, f->peer };
		use_flow(r, request_open_flow(r, &tcp));
		r->upgraded = true;
		buf_reset(&bytes);
		request_build(&bytes, r, r->flow, buf_slice(&credentials));
	}
	/* What its size alone sends over TCP changes nothing, unless it registers that Contact. */
	if (!r->upgraded || r->way.server == REQUEST_TO_REGISTRAR)
		keep_flow(r, r->flow);
	if (r->way.dialog)
		flow_hold_set(&r->way.dialog->out, r->flow);
	transmit(r, buf_slice(&bytes));
	buf_deinit(&credentials);
	buf_deinit(&bytes);
}

static int current_way(const struct request *r, struct request_hop *ret)
{
	struct uri uri;

	if (uri_parse(slice_str(r->targets[r->target].uri), &uri) < 0)
		return -EINVAL;
	return request_way_find(r->ep, &r->way, &uri, ret);
}

void request_start(struct request *r)
{
	const char *key = NULL;
	struct flow *f = registration_known_flow(r->ep, r->way.reg_id, &key);
	struct request_hop w;
	const struct request_end no_way = {
		.reason = SLICE("no way to the target"),
		.origin = ORIGIN_NETWORK,
		.error = -ECONNREFUSED,
	};

	r->targets[r->target].tried = true;
	if (current_way(r, &w) < 0) {
		request_note_end(r, &no_way);
		request_try(r, REQUEST_NEXT_TARGET);
		return;
	}
	free(r->server_key);
	free(r->domain);
	r->server_key = way_key(&w);
	r->domain = slice_dup(w.to.host);
	r->to_server = w.own;
	r->cached = r->upgraded = false;
	r->reached = false;
	memset(&r->failed, 0, sizeof(r->failed));
	r->shared.transport = TRANSPORT_NONE;
	if (w.own && key && strcmp(key, r->server_key) == 0 && is_usable(r, f)) {
		r->cached = true;
		r->hop = (struct locate_hop){ f->transport, f->peer };
		request_send(r, f);
	} else {
		request_connect(r, &w);
	}
}

void request_again(struct request *r)
{
	request_stop(r);
	if (r->n_attempts >= LIMITS_ATTEMPTS || r->cancelled) {
		request_finish(r);
		return;
	}
	r->cseq++;
	if (r->flow->state != FLOW_DOWN)
		request_send(r, r->flow);
	else
		request_start(r);
}

/* ---- what is left to try ---- */

static bool next_address(struct request *r)
{
	struct request_hop w;

	if (r->cached) {
		if (current_way(r, &w) < 0)
			return false;
		/* The same server may have seen the request: with the number that it had, it would
		 * be merged with itself (8.2.2.2). */
		r->cseq++;
		r->cached = false;
		request_connect(r, &w);
		return true;
	}
	return request_connect_next(r);
}

/* The untried target with the highest q, the first of equals (RFC 3261 8.1.3.4). */
static bool next_target(struct request *r)
{
	struct request_target *best = NULL;

	for (size_t i = 0; i < r->n_targets; i++) {
		struct request_target *t = &r->targets[i];

		if (!t->tried && (!best || t->q_thousandths > best->q_thousandths))
			best = t;
	}
	if (!best)
		return false;
	r->target = (size_t)(best - r->targets);
	r->cseq++;
	request_start(r);
	return true;
}

void request_try(struct request *r, enum request_next next)
{
	request_stop(r);
	if (r->n_attempts < LIMITS_ATTEMPTS && !r->cancelled) {
		if (next == REQUEST_NEXT_ADDRESS && next_address(r))
			return;
		if (next != REQUEST_NEXT_NOTHING && next_target(r))
			return;
	}
	request_finish(r);
}

void request_stop(struct request *r)
{
	struct txn *t = mem_take(&r->txn);

	/* An INVITE that nobody waits for any more is taken back (RFC 3261 9.1). */
	if (t && txn_kind(t) == TXN_ICT)
		(void)txn_cancel(t);
	txn_forget(t);
	race_cancel(&r->race);
	ua_query_cancel(r->ep->ua, &r->secret);
}

/* ---- what the transaction says ---- */

static void on_response(void *owner, struct txn *t, const struct msg *m)
{
	struct request *r = owner;

	(void)t;
	if (m->status >= 200) {
		request_on_final(r, m);
		return;
	}
	r->answered = true;
	health_good(r->ep->ua, r->flow->transport, &r->flow->peer);
	if (r->ops->progress)
		r->ops->progress(r->owner, r, m);
}

/* RFC 3261 18.1.1: the server does not take TCP, then UDP after all, whatever the size. */
static bool fall_back_to_udp(struct request *r)
{
	struct flow_addr peer = r->flow->peer;
	struct locate_hop udp = { TRANSPORT_UDP, peer };
	struct health_trouble no_tcp = {
		.transport = TRANSPORT_TCP,
		.target = r->domain,
		.reason = "takes no TCP",
		.how_long = NO_TCP_SEC * USEC_PER_SEC,
	};

	if (!r->upgraded || r->n_attempts >= LIMITS_ATTEMPTS || r->cancelled)
		return false;
	no_tcp.addr = &peer;
	health_mark(r->ep->ua, &no_tcp);
	r->upgraded = false;
	request_stop(r);
	request_send(r, request_open_flow(r, &udp));
	return true;
}

static struct locate_hop hop_of(const struct flow *f)
{
	return (struct locate_hop){ f->transport, f->peer };
}

static void timed_out(struct request *r)
{
	struct buf why = BUF_NULL;
	struct request_end end = { .origin = ORIGIN_TIMEOUT, .error = -ETIMEDOUT };
	struct locate_hop hop;

	buf_lit(&why, "no answer from ");
	build_hostport(&why, slice_str(r->flow->peer.host), r->flow->peer.port);
	end.reason = buf_slice(&why);
	request_note_end(r, &end);
	buf_deinit(&why);
	/* A packet filter swallows what a host would have refused. */
	if (r->flow->state == FLOW_OPENING && fall_back_to_udp(r))
		return;
	/* RFC 3263 4.3: somebody was there, and may have acted on the request. */
	if (r->answered) {
		request_try(r, REQUEST_NEXT_TARGET);
		return;
	}
	hop = hop_of(r->flow);
	request_mark_bad(r, &hop, "no answer");
	if (r->cached)
		r->failed = hop;
	request_try(r, REQUEST_NEXT_ADDRESS);
}

/* RFC 5626 section 4.3: another registered flow does as well, if it leads to the same server. */
static struct flow *other_flow(const struct request *r)
{
	const struct registration *other = registration_other_flow(r->ep, r->flow);

	if (!r->cached)
		return registration_flow_to(r->ep, r->flow->transport, &r->flow->peer);
	return other ? other->flow : NULL;
}

static bool go_over_another_flow(struct request *r)
{
	struct flow *f = other_flow(r);

	if (!f || r->way.server == REQUEST_TO_REGISTRAR || r->cancelled ||
		r->n_attempts >= LIMITS_ATTEMPTS)
		return false;
	request_stop(r);
	r->cseq++;
	r->hop = hop_of(f);
	request_send(r, f);
	return true;
}

static void transport_failed(struct request *r)
{
	struct ua *ua = r->ep->ua;
	const char *why = ua->flow_error ? ua->flow_error : "transport failed";
	struct locate_hop hop = hop_of(r->flow);

	request_note_broken(r, &hop, why);
	if (r->flow->no_way)
		r->error = -ENETUNREACH;
	/* RFC 3263 4.3: somebody was there, and goes on with it. */
	if (r->answered) {
		request_try(r, REQUEST_NEXT_TARGET);
		return;
	}
	if (fall_back_to_udp(r) || go_over_another_flow(r))
		return;
	/* A cached connection that broke says nothing about the server: the address is tried anew.
	 */
	if (!r->cached && !r->flow->no_way)
		request_mark_bad(r, &hop, why);
	request_try(r, REQUEST_NEXT_ADDRESS);
}

static void on_failed(void *owner, struct txn *t, enum txn_failure why)
{
	struct request *r = owner;

	(void)t;
	switch (why) {
	case TXN_TIMEOUT:
		timed_out(r);
		break;
	case TXN_TRANSPORT:
		transport_failed(r);
		break;
	}
}

static void on_ended(void *owner, struct txn *t)
{
	struct request *r = owner;

	(void)t;
	r->txn = NULL;
}

/* ---- an ACK once more, 13.2.2.4 ---- */

void request_repeat(struct request *r)
{
	/* Not before the way is known, and nothing twice into a connection that is being made. */
	if (!r->acknowledges || r->finished || !r->sent || r->flow->state == FLOW_OPENING)
		return;
	if (r->flow->state == FLOW_UP) {
		flow_send(r->flow, r->sent->raw);
		return;
	}
	request_stop(r);
	if (!fall_back_to_udp(r))
		request_start(r);
}
