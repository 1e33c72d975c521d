/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <string.h>

#include "protocol/base/err.h"
#include "protocol/msg/build.h"
#include "protocol/ua/registration.h"
#include "protocol/ua/request-private.h"

/* From a target to bytes on a flow: RFC 3263 section 4, RFC 3261 sections 8.1.2 and 18.1.1. */

enum {
	/* A server that failed us is tried last for a while; RFC 3263 leaves the time open. */
	FAILED_SEC = 30,
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

static struct flow *open_flow(
	struct request *r, enum transport transport, const struct flow_addr *addr)
{
	const struct host *host = r->ep->ua->host;
	struct host_target t = {
		.transport = transport,
		.addr = *addr,
		.profile = r->ep->profile,
		.pool = r->ep->pool,
		.domain = r->domain,
	};

	return host->ops->open(host->ctx, &t);
}

static bool is_usable(const struct request *r, const struct flow *f)
{
	return f && f->state != FLOW_DOWN &&
	       !request_health_is_bad(r->ep->ua, f->transport, &f->peer);
}

static struct flow *flow_to(struct request *r, const struct flow_addr *addr)
{
	struct flow *f = r->ep->flow;

	if ((r->to_server || r->way.dialog) && f && f->state != FLOW_DOWN &&
		f->transport == r->locate.transport && flow_addr_equal(&f->peer, addr))
		return f;
	return open_flow(r, r->locate.transport, addr);
}

/*
 * What leads to the endpoint's server is kept for the requests to come. The registrar's has
 * precedence, for incoming requests arrive over it. A peer keeps nothing.
 */
static void keep_flow(struct request *r, struct flow *f)
{
	struct endpoint *ep = r->ep;

	/* A dialog's way is that dialog's. */
	if (!r->to_server || !ep->kind->registers || r->way.dialog)
		return;
	if (r->way.server != REQUEST_TO_REGISTRAR && is_usable(r, ep->flow))
		return;
	endpoint_set_flow(ep, f);
	free(ep->flow_key);
	ep->flow_key = mem_strdup(r->server_key);
}

static void use_flow(struct request *r, struct flow *f)
{
	flow_ref(f);
	flow_unref(r->flow);
	r->flow = f;
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
	       !request_health_is_bad(r->ep->ua, TRANSPORT_TCP, &f->peer);
}

static void send_over(struct request *r, struct flow *f)
{
	struct buf bytes = BUF_NULL, credentials = BUF_NULL;

	use_flow(r, f);
	/* Over the connection that leads to the endpoint's server it reaches that server. */
	if (r->way.dialog && r->ep->flow && f == r->ep->flow)
		r->to_server = r->ep->kind->authenticates;
	if (r->way.dialog && !r->acknowledges)
		r->cseq = dialog_next_cseq(r->way.dialog);
	append_credentials(&credentials, r, f);
	request_build(&bytes, r, f, buf_slice(&credentials));
	if (is_too_large(r, f, bytes.n)) {
		use_flow(r, open_flow(r, TRANSPORT_TCP, &f->peer));
		r->upgraded = true;
		buf_reset(&bytes);
		request_build(&bytes, r, r->flow, buf_slice(&credentials));
	}
	/* What its size alone sends over TCP changes nothing, unless it registers that Contact. */
	if (!r->upgraded || r->way.server == REQUEST_TO_REGISTRAR)
		keep_flow(r, r->flow);
	transmit(r, buf_slice(&bytes));
	buf_deinit(&credentials);
	buf_deinit(&bytes);
}

static void send_to_address(struct request *r)
{
	r->upgraded = false;
	send_over(r, flow_to(r, &r->locate.addrs[r->at]));
}

static void network_failed(struct request *r, struct slice reason)
{
	struct request_end end = {
		.reason = reason,
		.origin = ORIGIN_NETWORK,
		.error = -ECONNREFUSED,
	};

	request_note_end(r, &end);
}

/* Stable: those that others found to be bad come last. */
static void order_addresses(struct request *r)
{
	struct locate *l = &r->locate;
	struct flow_addr bad[LIMITS_ADDRESSES];
	size_t n_good = 0, n_bad = 0;

	for (size_t i = 0; i < l->n_addrs; i++) {
		if (r->failed.host[0] && flow_addr_equal(&l->addrs[i], &r->failed))
			continue;
		if (request_health_is_bad(r->ep->ua, l->transport, &l->addrs[i]))
			bad[n_bad++] = l->addrs[i];
		else
			l->addrs[n_good++] = l->addrs[i];
	}
	memcpy(l->addrs + n_good, bad, n_bad * sizeof(*bad));
	l->n_addrs = n_good + n_bad;
}

static void on_located(struct locate *l, int error)
{
	struct request *r = container_of(l, struct request, locate);

	if (error < 0 && !r->cached) {
		network_failed(r, error == -ETIMEDOUT ? SLICE("name server did not answer")
						      : SLICE("host name has no address"));
		request_try(r, REQUEST_NEXT_TARGET);
		return;
	}
	r->cached = false;
	order_addresses(r);
	r->at = 0;
	if (l->n_addrs)
		send_to_address(r);
	else /* only the address that failed already */
		request_try(r, REQUEST_NEXT_TARGET);
}

static void start_locating(struct request *r, const struct request_hop *w)
{
	int known;

	r->locate.done = on_located;
	known = locate_start(&r->locate, r->ep->ua, &w->to);
	if (known != 0)
		on_located(&r->locate, known < 0 ? known : 0);
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
	struct endpoint *ep = r->ep;
	struct flow *f = ep->flow;
	struct request_hop w;

	r->targets[r->target].tried = true;
	if (current_way(r, &w) < 0) {
		network_failed(r, SLICE("no way to the target"));
		request_try(r, REQUEST_NEXT_TARGET);
		return;
	}
	free(r->server_key);
	free(r->domain);
	r->server_key = way_key(&w);
	r->domain = slice_dup(w.to.host);
	r->to_server = w.own;
	r->cached = r->upgraded = false;
	memset(&r->failed, 0, sizeof(r->failed));
	if (w.own && ep->flow_key && strcmp(ep->flow_key, r->server_key) == 0 && is_usable(r, f)) {
		r->cached = true;
		r->locate.transport = f->transport;
		send_over(r, f);
	} else {
		start_locating(r, &w);
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
		send_over(r, r->flow);
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
		start_locating(r, &w);
		return true;
	}
	if (r->at + 1 >= r->locate.n_addrs)
		return false;
	r->at++;
	send_to_address(r);
	return true;
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
	locate_cancel(&r->locate);
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
	if (r->ops->progress)
		r->ops->progress(r->owner, r, m);
}

/* RFC 3261 18.1.1: the server does not take TCP, then UDP after all, whatever the size. */
static bool fall_back_to_udp(struct request *r)
{
	struct flow_addr peer = r->flow->peer;

	if (!r->upgraded || r->n_attempts >= LIMITS_ATTEMPTS || r->cancelled)
		return false;
	request_health_mark(r->ep->ua, TRANSPORT_TCP, &peer, NO_TCP_SEC * USEC_PER_SEC);
	r->upgraded = false;
	request_stop(r);
	send_over(r, flow_to(r, &peer));
	return true;
}

static void timed_out(struct request *r)
{
	struct buf why = BUF_NULL;
	struct request_end end = { .origin = ORIGIN_TIMEOUT, .error = -ETIMEDOUT };

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
	request_health_mark(
		r->ep->ua, r->flow->transport, &r->flow->peer, FAILED_SEC * USEC_PER_SEC);
	r->failed = r->flow->peer;
	request_try(r, REQUEST_NEXT_ADDRESS);
}

static void transport_failed(struct request *r)
{
	struct ua *ua = r->ep->ua;
	const char *why = ua->flow_error ? ua->flow_error : "transport failed";

	network_failed(r, slice_str(why));
	/* RFC 3263 4.3: somebody was there, and goes on with it. */
	if (r->answered) {
		request_try(r, REQUEST_NEXT_TARGET);
		return;
	}
	if (fall_back_to_udp(r))
		return;
	/* A cached connection that broke says nothing about the server: the address is tried anew.
	 */
	if (!r->cached)
		request_health_mark(
			ua, r->flow->transport, &r->flow->peer, FAILED_SEC * USEC_PER_SEC);
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
