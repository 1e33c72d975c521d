/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tests/unit/txn/rig.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>

#include "protocol/base/mem.h"
#include "protocol/msg/build.h"

/* ---- owners ---- */

static struct rig_side *told(void *owner, struct txn *t)
{
	struct rig_side *side = owner;

	if (side->forgets == RIG_FORGETS) {
		side->forgets = RIG_KEEPS;
		if (side->txn == t)
			side->txn = NULL;
		txn_forget(t);
		side->n_txns--;
	}
	return side;
}

static void on_response(void *owner, struct txn *t, const struct msg *m)
{
	struct rig_side *side = told(owner, t);

	wire_note(&side->rig->wire, "%s: %u %.*s", side->wire.name, m->status,
		SLICE_ARGS(m->cseq_method_name));
}

static void on_failed(void *owner, struct txn *t, enum txn_failure why)
{
	struct rig_side *side = told(owner, t);

	wire_note(&side->rig->wire, "%s: failed %s", side->wire.name,
		why == TXN_TIMEOUT ? "timeout" : "transport");
}

static void on_ended(void *owner, struct txn *t)
{
	struct rig_side *side = owner;

	ck_assert_int_eq(txn_state(t), TXN_TERMINATED);
	wire_note(&side->rig->wire, "%s: ended %.*s", side->wire.name,
		SLICE_ARGS(txn_request(t)->method_name));
	side->n_txns--;
	if (side->forgets == RIG_FORGETS)
		txn_forget(t);
	if (side->txn == t)
		side->txn = NULL;
	if (side->cancel_txn == t)
		side->cancel_txn = NULL;
}

static void on_acked(void *owner, struct txn *t, const struct msg *ack)
{
	struct rig_side *side = told(owner, t);

	ck_assert_int_eq(ack->method, METHOD_ACK);
	wire_note(&side->rig->wire, "%s: acked", side->wire.name);
}

static void on_cancelled(void *owner, struct txn *t, const struct msg *cancel)
{
	struct rig_side *side = told(owner, t);

	ck_assert_int_eq(cancel->method, METHOD_CANCEL);
	wire_note(&side->rig->wire, "%s: cancelled", side->wire.name);
	if (side->txn == t)
		rig_reply_txn(t, 487, "b");
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

/* ---- input ---- */

/* As the user agent's core does it (RFC 3261 section 9.2). */
static void serve_cancel(struct rig_side *side, const struct msg *m)
{
	struct txn *invite = txn_find_cancelled(&side->table, m);

	side->cancel_txn = txn_server_new(&side->table, side->flow, m, &server_ops, side);
	ck_assert_ptr_nonnull(side->cancel_txn);
	side->n_txns++;
	rig_reply_txn(side->cancel_txn, invite ? 200 : 481, "b");
	if (invite)
		txn_server_cancelled(invite, m);
}

static void serve(struct rig_side *side, const struct msg *m)
{
	struct txn *t;

	wire_note(&side->rig->wire, "%s: %.*s%s", side->wire.name, SLICE_ARGS(m->method_name),
		txn_is_merged(&side->table, m) ? " merged" : "");
	if (m->method == METHOD_CANCEL) {
		serve_cancel(side, m);
		return;
	}
	t = txn_server_new(&side->table, side->flow, m, &server_ops, side);
	if (!t) {
		wire_note(&side->rig->wire, "%s: full", side->wire.name);
		return;
	}
	side->txn = t;
	side->n_txns++;
	if (side->answers)
		rig_reply(side, side->answers);
}

enum txn_recv rig_in(struct rig_side *side, const struct msg *m)
{
	enum txn_recv r = txn_table_receive(&side->table, side->flow, m);

	switch (r) {
	case TXN_RECV_DONE:
		break;
	case TXN_RECV_REQUEST:
		serve(side, m);
		break;
	case TXN_RECV_ACK:
		wire_note(&side->rig->wire, "%s: ACK", side->wire.name);
		break;
	case TXN_RECV_STRAY_RESPONSE:
		wire_note(&side->rig->wire, "%s: stray %u %.*s", side->wire.name, m->status,
			SLICE_ARGS(m->cseq_method_name));
		break;
	}
	return r;
}

static void deliver(void *ctx, struct flow *f, struct slice bytes)
{
	struct rig_side *side = ctx;
	struct msg *m = NULL;

	(void)f;
	if (side->listening == RIG_DEAF)
		return;
	ck_assert_int_eq(msg_parse(bytes, MSG_DATAGRAM, &m), 0);
	ck_assert_uint_eq(m->fault.status, 0);
	rig_in(side, m);
	msg_unref(m);
}

static void down(void *ctx, struct flow *f)
{
	struct rig_side *side = ctx;

	txn_table_flow_down(&side->table, f);
}

/* ---- the rig ---- */

static void init_side(struct rig *rig, struct rig_side *side, const char *name, size_t max)
{
	side->rig = rig;
	side->wire =
		(struct wire_side){ .name = name, .ctx = side, .deliver = deliver, .down = down };
	(void)snprintf(side->wire.addr.host, sizeof(side->wire.addr.host), "%s.invalid", name);
	txn_table_init(&side->table, &rig->timers, 7, max);
}

void rig_init(struct rig *rig, enum transport transport, size_t max)
{
	*rig = (struct rig){ 0 };
	timerq_init(&rig->timers, 0);
	wire_init(&rig->wire, &rig->timers, 1);
	rig->wire.knobs.delay = 10 * USEC_PER_MSEC;
	init_side(rig, &rig->alice, "alice", max);
	init_side(rig, &rig->bob, "bob", max);
	rig->alice.flow = wire_connect(&rig->wire, transport, &rig->alice.wire, &rig->bob.wire);
	rig->bob.flow = wire_peer(rig->alice.flow);
}

void rig_clear(struct rig *rig)
{
	buf_reset(&rig->wire.log);
}

void rig_expect(struct rig *rig, const char *transcript)
{
	char *is;

	buf_putc(&rig->wire.log, '\0');
	is = rig->wire.log.p;
	ck_assert_str_eq(is, transcript);
	rig_clear(rig);
}

void rig_deinit(struct rig *rig)
{
	wire_run_dry(&rig->wire);
	ck_assert_uint_eq(rig->alice.table.n, 0);
	ck_assert_uint_eq(rig->bob.table.n, 0);
	ck_assert_uint_eq(rig->alice.n_txns, 0);
	ck_assert_uint_eq(rig->bob.n_txns, 0);
	txn_table_deinit(&rig->alice.table);
	txn_table_deinit(&rig->bob.table);
	wire_deinit(&rig->wire);
	timerq_deinit(&rig->timers);
}

/* ---- messages ---- */

static const char *or_else(const char *s, const char *other)
{
	return s ? s : other;
}

static void put_tag(struct buf *b, const char *tag)
{
	if (tag)
		buf_printf(b, ";tag=%s", tag);
	buf_str(b, "\r\n");
}

struct msg *rig_request(const struct rig_request *r)
{
	cleanup_buf struct buf b = BUF_NULL;
	const char *method = or_else(r->method, "OPTIONS");
	struct msg *m = NULL;

	buf_printf(&b, "%s %s SIP/2.0\r\n", method, or_else(r->uri, "sip:bob@bob.invalid"));
	buf_printf(&b, "Via: SIP/2.0/%s %s", or_else(r->transport, "UDP"),
		or_else(r->sent_by, "alice.invalid"));
	/* An empty branch is none, as in RFC 2543. */
	if (!r->branch || *r->branch)
		buf_printf(&b, ";branch=%s", or_else(r->branch, "z9hG4bK-1"));
	buf_printf(&b, "\r\nMax-Forwards: 70\r\nFrom: <sip:alice@alice.invalid>");
	put_tag(&b, or_else(r->from_tag, "a"));
	buf_printf(&b, "To: <sip:bob@bob.invalid>");
	put_tag(&b, r->to_tag);
	buf_printf(&b, "Call-ID: %s\r\nCSeq: %u %s\r\n%sContent-Length: 0\r\n\r\n",
		or_else(r->call_id, "call-1"), r->cseq ? r->cseq : 1, method,
		or_else(r->headers, ""));
	ck_assert_int_eq(msg_parse(buf_slice(&b), MSG_DATAGRAM, &m), 0);
	ck_assert_uint_eq(m->fault.status, 0);
	return m;
}

struct msg *rig_response(const struct msg *request, unsigned status, const char *to_tag)
{
	cleanup_buf struct buf b = BUF_NULL;
	struct msg *m = NULL;

	build_response(&b, request, status, SLICE_NULL, slice_str(to_tag));
	build_body(&b, SLICE_NULL, SLICE_NULL);
	ck_assert_int_eq(msg_parse(buf_slice(&b), MSG_DATAGRAM, &m), 0);
	ck_assert_uint_eq(m->fault.status, 0);
	return m;
}

enum txn_recv rig_in_request(struct rig_side *side, const struct rig_request *r)
{
	struct msg *m = rig_request(r);
	enum txn_recv result = rig_in(side, m);

	msg_unref(m);
	return result;
}

enum txn_recv rig_in_response(struct rig_side *side, unsigned status, const char *to_tag)
{
	struct msg *m = rig_response(txn_request(side->txn), status, to_tag);
	enum txn_recv result = rig_in(side, m);

	msg_unref(m);
	return result;
}

struct txn *rig_start_request(struct rig_side *side, const struct rig_request *r)
{
	struct msg *m = rig_request(r);
	struct txn *t = txn_client_new(&side->table, side->flow, m, &client_ops, side);

	msg_unref(m);
	if (t) {
		side->txn = t;
		side->n_txns++;
	}
	return t;
}

struct txn *rig_start(struct rig_side *side, const char *method)
{
	return rig_start_request(side, &(struct rig_request){ .method = method });
}

int rig_reply_txn(struct txn *t, unsigned status, const char *to_tag)
{
	struct msg *m = rig_response(txn_request(t), status, to_tag);
	int r = txn_reply(t, status, m->raw);

	msg_unref(m);
	return r;
}

int rig_reply(struct rig_side *side, unsigned status)
{
	return rig_reply_txn(side->txn, status, "b");
}
