/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * INVITE client transaction: RFC 3261 sections 17.1.1 and 9.1 with RFC 6026 section 7.2 (figure 5).
 *
 *              INVITE sent
 *                  |          A: send again
 *             +---------+     B: timeout
 *       +-----| Calling |---------------------------+
 *       |     +---------+---------------+           |
 *       |          | 1xx                | 2xx       |
 *       |     +------------+            |           |
 *       | +---| Proceeding |----------+ |           |
 *       | |   +------------+ 2xx      | |           |
 *       | |        | no final response| |           |
 *       | |300-699 | after our CANCEL | |           |
 *       | |ACK sent+------------------+-+---------+ |
 *   +-----------+                +----------+     | |
 *   | Completed |                | Accepted |     | |
 *   +-----------+                +----------+     | |
 *       | D, flow down                | M         | |
 *       +-------------+---------------+-----------+-+
 *                     |
 *               Terminated       (flow down in Calling, Proceeding: failed)
 *
 * Timers: A, B in Calling; 64*T1 after a CANCEL in Proceeding; D in Completed; M in Accepted.
 */
#include <assert.h>

#include "protocol/base/err.h"
#include "protocol/msg/build.h"
#include "protocol/txn/txn-private.h"

enum { ICT_MAX_FORWARDS = 70 };

static void on_timer_a(struct timer *a)
{
	txn_repeat(container_of(a, struct txn, repeat), USEC_NEVER);
}

static void enter(struct txn *t)
{
	struct timerq *timers = t->table->timers;

	switch (t->state) {
	case TXN_CALLING:
		if (!flow_is_reliable(t->flow))
			txn_arm_repeat(t, on_timer_a, TIMER_A);
		txn_arm_deadline(t, txn_on_timeout, TIMER_B);
		break;
	case TXN_PROCEEDING:
		timer_cancel(timers, &t->repeat);
		timer_cancel(timers, &t->deadline);
		txn_bound(t);
		break;
	case TXN_COMPLETED:
		timer_cancel(timers, &t->repeat);
		txn_arm_deadline(t, txn_on_end, flow_is_reliable(t->flow) ? 0 : TIMER_D_UNRELIABLE);
		break;
	case TXN_ACCEPTED:
		timer_cancel(timers, &t->repeat);
		txn_arm_deadline(t, txn_on_end, TIMER_M);
		break;
	case TXN_TRYING:
	case TXN_CONFIRMED:
	case TXN_TERMINATED:
		break;
	}
}

static void copy_headers(struct buf *b, const struct msg *m, enum hdr_id id)
{
	const struct hdr *h = NULL;

	while ((h = msg_header_next(m, id, h)))
		build_header(b, id, h->value);
}

/* What ACK (17.1.1.3) and CANCEL (9.1) have in common: they follow the INVITE hop by hop. */
static void append_companion(
	struct buf *b, const struct msg *invite, enum method method, struct slice to)
{
	build_request_line(b, method_name(method), invite->request_uri);
	build_header(b, HDR_VIA, invite->via.text);
	copy_headers(b, invite, HDR_ROUTE);
	build_header_u64(b, HDR_MAX_FORWARDS, ICT_MAX_FORWARDS);
	build_header(b, HDR_FROM, msg_header(invite, HDR_FROM));
	build_header(b, HDR_TO, to);
	build_header(b, HDR_CALL_ID, invite->call_id);
	build_cseq(b, invite->cseq, method_name(method));
}

static void send_ack(struct txn *t, const struct msg *response)
{
	cleanup_buf struct buf b = BUF_NULL;

	append_companion(&b, t->request, METHOD_ACK, msg_header(response, HDR_TO));
	/* 22.1: an ACK cannot be challenged, so it brings what the INVITE brought. */
	copy_headers(&b, t->request, HDR_AUTHORIZATION);
	copy_headers(&b, t->request, HDR_PROXY_AUTHORIZATION);
	build_body(&b, SLICE_NULL, SLICE_NULL);
	txn_keep(t, buf_slice(&b));
	flow_send(t->flow, txn_kept(t));
}

static void send_cancel(struct txn *t)
{
	cleanup_buf struct buf b = BUF_NULL;
	struct msg *cancel = NULL;

	append_companion(&b, t->request, METHOD_CANCEL, msg_header(t->request, HDR_TO));
	/* Nothing but these lines is kept before the final response. */
	buf_put(&b, txn_kept(t));
	build_body(&b, SLICE_NULL, SLICE_NULL);
	t->cancelling = TXN_CANCEL_SENT;
	txn_arm_deadline(t, txn_on_timeout, TIMER_B);
	if (msg_parse(buf_slice(&b), MSG_DATAGRAM, &cancel) < 0)
		return;
	txn_start_beside(t, cancel);
	msg_unref(cancel);
}

int txn_cancel(struct txn *t)
{
	return txn_cancel_with(t, SLICE_NULL);
}

int txn_cancel_with(struct txn *t, struct slice lines)
{
	if (t->kind != TXN_ICT)
		return -EINVAL;
	switch (t->state) {
	case TXN_CALLING:
		if (t->cancelling == TXN_CANCEL_NONE)
			txn_keep(t, lines);
		t->cancelling = TXN_CANCEL_WANTED;
		return 0;
	case TXN_PROCEEDING:
		if (t->cancelling == TXN_CANCEL_SENT)
			return 0;
		txn_keep(t, lines);
		send_cancel(t);
		return 0;
	case TXN_COMPLETED:
	case TXN_ACCEPTED:
	case TXN_TERMINATED:
	case TXN_TRYING:
	case TXN_CONFIRMED:
		break;
	}
	return -ESTALE;
}

/* Nobody is there who could acknowledge a 2xx: the user agent's core has to. */
static enum txn_recv tell(struct txn *t, const struct msg *m, enum txn_recv if_alone)
{
	return txn_tell_response(t, m) ? TXN_RECV_DONE : if_alone;
}

static enum txn_recv receive_pending(struct txn *t, const struct msg *m)
{
	if (m->status < 200) {
		if (t->state == TXN_CALLING)
			txn_set_state(t, TXN_PROCEEDING);
		if (t->cancelling == TXN_CANCEL_WANTED)
			send_cancel(t);
		return tell(t, m, TXN_RECV_DONE);
	}
	if (m->status < 300) {
		txn_set_state(t, TXN_ACCEPTED);
		return tell(t, m, TXN_RECV_STRAY_RESPONSE);
	}
	txn_set_state(t, TXN_COMPLETED);
	send_ack(t, m);
	return tell(t, m, TXN_RECV_DONE);
}

static enum txn_recv receive(struct txn *t, const struct msg *m)
{
	bool is_2xx = m->status >= 200 && m->status < 300;

	switch (t->state) {
	case TXN_CALLING:
	case TXN_PROCEEDING:
		return receive_pending(t, m);
	case TXN_ACCEPTED:
		if (is_2xx)
			return tell(t, m, TXN_RECV_STRAY_RESPONSE);
		break;
	case TXN_COMPLETED:
		/* A fork that answered all the same: somebody has to acknowledge and end it. */
		if (is_2xx)
			return TXN_RECV_STRAY_RESPONSE;
		if (m->status >= 300)
			flow_send(t->flow, txn_kept(t));
		break;
	case TXN_TRYING:
	case TXN_CONFIRMED:
	case TXN_TERMINATED:
		assert(false);
	}
	t->table->n_retransmissions_in++;
	return TXN_RECV_DONE;
}

static void broken(struct txn *t)
{
	switch (t->state) {
	case TXN_CALLING:
	case TXN_PROCEEDING:
		txn_fail(t, TXN_TRANSPORT);
		break;
	case TXN_COMPLETED: /* No more ACK can be sent. */
		txn_end(t);
		break;
	case TXN_ACCEPTED: /* Nothing is sent; a 2xx may still come over another flow. */
	case TXN_TRYING:
	case TXN_CONFIRMED:
	case TXN_TERMINATED:
		break;
	}
}

const struct txn_machine txn_ict = {
	.name = "ICT",
	.first = TXN_CALLING,
	.next = {
		[TXN_CALLING] = TXN_STEP(TXN_PROCEEDING) | TXN_STEP(TXN_COMPLETED)
			| TXN_STEP(TXN_ACCEPTED) | TXN_STEP(TXN_TERMINATED),
		[TXN_PROCEEDING] = TXN_STEP(TXN_COMPLETED) | TXN_STEP(TXN_ACCEPTED)
			| TXN_STEP(TXN_TERMINATED),
		[TXN_COMPLETED] = TXN_STEP(TXN_TERMINATED),
		[TXN_ACCEPTED] = TXN_STEP(TXN_TERMINATED),
	},
	.enter = enter,
	.receive = receive,
	.broken = broken,
};
