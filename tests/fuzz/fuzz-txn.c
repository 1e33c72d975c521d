/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A transaction table driven by bytes: requests and responses that fit or nearly fit, mutated ones,
 * time, replies, CANCELs, broken flows, and owners that do any of it inside their callbacks. What
 * must hold is checked after every step; at the end nothing may be left.
 */
#include <stdint.h>
#include <stdlib.h>

#include "protocol/base/mem.h"
#include "protocol/msg/build.h"
#include "protocol/txn/txn.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { FUZZ_MAX = 12, FUZZ_OWNERS = 64, FUZZ_FLOWS = 3 };

struct fuzz_owner {
	struct fuzz *f;
	struct txn *t; /* NULL: never begun, ended, or forgotten */
	bool told;     /* the final response or the failure */
	bool accepted; /* the final response was a 2xx to an INVITE */
};

struct fuzz {
	const uint8_t *data;
	size_t size;
	struct timerq timers;
	struct txn_table table;
	struct flow *flows[FUZZ_FLOWS];
	struct fuzz_owner owners[FUZZ_OWNERS];
	size_t n_owners;
	unsigned depth; /* callbacks on the stack */
	bool in_verb;   /* inside an owner's own call, where no end may be told */
	bool has_reroute;
	struct msg *last; /* the last request that was made, for responses that come late */
};

static void check(bool promise)
{
	if (!promise)
		abort();
}

static unsigned take(struct fuzz *f, unsigned below)
{
	if (f->size == 0)
		return 0;
	f->size--;
	return *f->data++ % below;
}

/* ---- flows ---- */

static void on_send(struct flow *flow, struct slice bytes)
{
	check(flow->state == FLOW_UP && bytes.n > 0);
}

static void on_unused(struct flow *flow)
{
	check(flow_is_unused(flow));
}

static const struct flow_ops flow_ops = { .send = on_send, .unused = on_unused };

static struct flow *new_flow(size_t i)
{
	struct flow *flow = mem_new(struct flow);

	flow_init(flow, &flow_ops, i == 0 ? TRANSPORT_TCP : TRANSPORT_UDP);
	flow->state = FLOW_UP;
	return flow;
}

static struct flow *reroute(void *ctx, const struct msg *request, struct flow *down)
{
	struct fuzz *f = ctx;

	check(request->is_request && down->state == FLOW_DOWN);
	return f->has_reroute && f->flows[1]->state == FLOW_UP ? flow_ref(f->flows[1]) : NULL;
}

/* ---- owners ---- */

static void act(struct fuzz *f);

static void called(struct fuzz_owner *o, const struct txn *t)
{
	check(o->t == t);
	if (o->f->depth++ == 0 && take(o->f, 4) == 0)
		act(o->f);
	o->f->depth--;
}

static void on_response(void *owner, struct txn *t, const struct msg *m)
{
	struct fuzz_owner *o = owner;
	bool is_2xx = m->status >= 200 && m->status < 300;

	check(!m->is_request && (txn_kind(t) == TXN_ICT || txn_kind(t) == TXN_NICT));
	check(!o->told || (o->accepted && is_2xx));
	if (m->status >= 200)
		o->told = true;
	o->accepted = is_2xx && txn_kind(t) == TXN_ICT;
	called(o, t);
}

static void on_failed(void *owner, struct txn *t, enum txn_failure why)
{
	struct fuzz_owner *o = owner;

	(void)why;
	check(!o->told && !o->f->in_verb);
	o->told = true;
	called(o, t);
}

static void on_ended(void *owner, struct txn *t)
{
	struct fuzz_owner *o = owner;

	check(!o->f->in_verb && txn_state(t) == TXN_TERMINATED);
	called(o, t);
	o->t = NULL;
}

static void on_acked(void *owner, struct txn *t, const struct msg *ack)
{
	check(ack->method == METHOD_ACK && txn_state(t) == TXN_CONFIRMED);
	called(owner, t);
}

static void on_cancelled(void *owner, struct txn *t, const struct msg *cancel)
{
	check(cancel->method == METHOD_CANCEL && txn_state(t) == TXN_PROCEEDING);
	called(owner, t);
}

static const struct txn_client_ops client_ops = {
	.response = on_response,
	.failed = on_failed,
	.ended = on_ended,
};

static const struct txn_server_ops server_ops = {
	.acked = on_acked,
	.cancelled = on_cancelled,
	.failed = on_failed,
	.ended = on_ended,
};

static struct fuzz_owner *new_owner(struct fuzz *f)
{
	struct fuzz_owner *o;

	if (f->n_owners == FUZZ_OWNERS)
		return NULL;
	o = &f->owners[f->n_owners++];
	o->f = f;
	return o;
}

static struct fuzz_owner *pick(struct fuzz *f)
{
	struct fuzz_owner *o = f->n_owners ? &f->owners[take(f, (unsigned)f->n_owners)] : NULL;

	return o && o->t ? o : NULL;
}

/* ---- messages ---- */

static const char *one_of(struct fuzz *f, const char *const *texts, unsigned n)
{
	return texts[take(f, n)];
}

static void write_request(struct fuzz *f, struct buf *b)
{
	static const char *const methods[] = { "INVITE", "ACK", "CANCEL", "OPTIONS", "MESSAGE",
		"BENOTIFY", "X" };
	static const char *const branches[] = { ";branch=z9hG4bK-1", ";branch=z9hG4bK-2", "",
		";branch=Z9hG4bK-1", ";branch=old" };
	static const char *const sent_by[] = { "a.invalid", "A.invalid:5060", "b.invalid" };
	static const char *const tags[] = { "", ";tag=b", ";tag=c" };
	const char *method = one_of(f, methods, ARRAY_LEN(methods));

	buf_str(b, method);
	buf_lit(b, " sip:b@b.invalid SIP/2.0\r\nVia: SIP/2.0/UDP ");
	buf_str(b, one_of(f, sent_by, ARRAY_LEN(sent_by)));
	buf_str(b, one_of(f, branches, ARRAY_LEN(branches)));
	buf_lit(b, "\r\nFrom: <sip:a@a.invalid>;tag=a\r\nTo: <sip:b@b.invalid>");
	buf_str(b, one_of(f, tags, ARRAY_LEN(tags)));
	buf_lit(b, "\r\nCall-ID: c\r\nMax-Forwards: 70\r\nCSeq: 1 ");
	buf_str(b, method);
	buf_lit(b, "\r\nContent-Length: 0\r\n\r\n");
}

/* As the user agent's core does: what is faulty never reaches the table. */
static struct msg *parse(struct slice bytes)
{
	struct msg *m = NULL;

	if (msg_parse(bytes, MSG_DATAGRAM, &m) < 0)
		return NULL;
	if (m->fault.status == 0)
		return m;
	msg_unref(m);
	return NULL;
}

static struct msg *make_request(struct fuzz *f)
{
	cleanup_buf struct buf b = BUF_NULL;

	write_request(f, &b);
	if (take(f, 8) == 0)
		for (unsigned n = take(f, 4); n > 0; n--)
			b.p[take(f, 250) % b.n] = (char)take(f, 256);
	return parse(buf_slice(&b));
}

static unsigned take_status(struct fuzz *f)
{
	static const unsigned statuses[] = { 100, 180, 200, 202, 302, 408, 486, 487, 699 };

	return statuses[take(f, ARRAY_LEN(statuses))];
}

static void write_response(
	struct fuzz *f, struct buf *b, const struct msg *request, unsigned status)
{
	build_response(b, request, status, SLICE_NULL, take(f, 2) ? SLICE("b") : SLICE("c"));
	build_body(b, SLICE_NULL, SLICE_NULL);
}

/* ---- steps ---- */

static void serve(struct fuzz *f, struct flow *flow, const struct msg *m)
{
	struct fuzz_owner *o = new_owner(f);
	struct txn *invite;

	(void)txn_is_merged(&f->table, m);
	if (o)
		o->t = txn_server_new(&f->table, flow, m, &server_ops, o);
	if (m->method != METHOD_CANCEL)
		return;
	invite = txn_find_cancelled(&f->table, m);
	check(!invite || txn_kind(invite) == TXN_IST);
	if (invite)
		txn_server_cancelled(invite, m);
}

static void receive(struct fuzz *f, const struct msg *m)
{
	struct flow *flow = f->flows[take(f, FUZZ_FLOWS)];

	switch (txn_table_receive(&f->table, flow, m)) {
	case TXN_RECV_DONE:
		break;
	case TXN_RECV_REQUEST:
		check(m->is_request && m->method != METHOD_ACK);
		serve(f, flow, m);
		break;
	case TXN_RECV_ACK:
		check(m->method == METHOD_ACK);
		break;
	case TXN_RECV_STRAY_RESPONSE:
		check(!m->is_request);
		break;
	}
}

static void step_request(struct fuzz *f)
{
	struct msg *m = make_request(f);

	if (m)
		receive(f, m);
	msg_unref(m);
}

static void step_response(struct fuzz *f)
{
	cleanup_buf struct buf b = BUF_NULL;
	struct fuzz_owner *o = pick(f);
	const struct msg *request = o ? txn_request(o->t) : f->last;
	struct msg *m;

	if (!request)
		return;
	write_response(f, &b, request, take_status(f));
	m = parse(buf_slice(&b));
	if (m)
		receive(f, m);
	msg_unref(m);
}

static void step_client(struct fuzz *f)
{
	struct fuzz_owner *o = new_owner(f);
	struct msg *m = make_request(f);

	if (o && m && m->is_request && m->method != METHOD_ACK) {
		f->in_verb = true;
		o->t = txn_client_new(&f->table, f->flows[take(f, FUZZ_FLOWS)], m, &client_ops, o);
		f->in_verb = false;
		msg_unref(f->last);
		f->last = msg_ref(m);
	}
	msg_unref(m);
}

static void step_reply(struct fuzz *f)
{
	cleanup_buf struct buf b = BUF_NULL;
	struct fuzz_owner *o = pick(f);
	unsigned status = take_status(f);
	enum txn_state before;
	int r;

	if (!o)
		return;
	before = txn_state(o->t);
	write_response(f, &b, txn_request(o->t), status);
	f->in_verb = true;
	r = txn_reply(o->t, status, buf_slice(&b));
	f->in_verb = false;
	check(r == 0 || txn_state(o->t) == before);
}

static void step_cancel(struct fuzz *f)
{
	struct fuzz_owner *o = pick(f);

	f->in_verb = true;
	if (o)
		check((txn_cancel(o->t) == 0) <= (txn_kind(o->t) == TXN_ICT));
	f->in_verb = false;
}

static void step_forget(struct fuzz *f)
{
	struct fuzz_owner *o = pick(f);

	if (!o)
		return;
	txn_forget(o->t);
	o->t = NULL;
}

static void step_time(struct fuzz *f)
{
	static const usec_t steps[] = { 0, 1, 200 * USEC_PER_MSEC, 500 * USEC_PER_MSEC,
		4 * USEC_PER_SEC, 32 * USEC_PER_SEC, 180 * USEC_PER_SEC };
	usec_t now = f->timers.now + steps[take(f, ARRAY_LEN(steps))];

	timerq_run(&f->timers, now);
}

static void step_flow_down(struct fuzz *f)
{
	unsigned i = take(f, FUZZ_FLOWS);
	struct flow *flow = f->flows[i];

	flow->state = FLOW_DOWN;
	txn_table_flow_down(&f->table, flow);
	f->has_reroute = take(f, 2);
	/* A flow that is still held stays in place, down, for what comes. */
	if (!flow_is_unused(flow))
		return;
	free(flow);
	f->flows[i] = new_flow(i);
}

/* What an owner may do, in a callback or outside. */
static void act(struct fuzz *f)
{
	static void (*const acts[])(
		struct fuzz *) = { step_client, step_reply, step_cancel, step_forget };

	acts[take(f, ARRAY_LEN(acts))](f);
}

static void step(struct fuzz *f)
{
	switch (take(f, 8)) {
	case 0:
	case 1:
		step_request(f);
		break;
	case 2:
	case 3:
		step_response(f);
		break;
	case 4:
		step_time(f);
		break;
	case 5:
		if (take(f, 4) == 0)
			step_flow_down(f);
		break;
	default:
		act(f);
		break;
	}
}

static void check_table(const struct fuzz *f)
{
	const struct txn_table *tt = &f->table;
	size_t owned = 0;

	for (size_t i = 0; i < f->n_owners; i++) {
		if (!f->owners[i].t)
			continue;
		owned++;
		check(txn_state(f->owners[i].t) != TXN_TERMINATED);
	}
	check(tt->n == tt->clients.n + tt->servers.n && tt->merges.n <= tt->servers.n);
	/* One CANCEL for each INVITE may pass the ceiling. */
	check(owned <= tt->max && owned <= tt->n && tt->n <= 4 * FUZZ_MAX);
	check(f->timers.n <= 2 * tt->n);
}

/* Nobody answers any more: within Timer C and J all is gone. */
static void finish(struct fuzz *f)
{
	for (size_t i = 0; i < f->n_owners; i++) {
		if (f->owners[i].t && i % 2)
			continue; /* told `ended` by the table below */
		txn_forget(f->owners[i].t);
		f->owners[i].t = NULL;
	}
	f->size = 0;
	for (int i = 0; i < 100 && f->timers.n; i++)
		timerq_run(&f->timers, f->timers.now + 10 * USEC_PER_SEC);
	check(f->timers.n == 0);
	txn_table_deinit(&f->table);
	check(f->table.n == 0 && f->timers.n == 0);
	for (size_t i = 0; i < f->n_owners; i++)
		check(!f->owners[i].t);
	for (size_t i = 0; i < FUZZ_FLOWS; i++) {
		check(flow_is_unused(f->flows[i]) && list_is_empty(&f->flows[i]->txns));
		free(f->flows[i]);
	}
	msg_unref(f->last);
	timerq_deinit(&f->timers);
	free(f);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz *f = mem_new(struct fuzz);

	f->data = data;
	f->size = size;
	timerq_init(&f->timers, 0);
	txn_table_init(&f->table, &f->timers, 1, FUZZ_MAX);
	f->table.reroute = reroute;
	f->table.reroute_ctx = f;
	for (size_t i = 0; i < FUZZ_FLOWS; i++)
		f->flows[i] = new_flow(i);
	while (f->size > 0) {
		step(f);
		check_table(f);
	}
	finish(f);
	return 0;
}
