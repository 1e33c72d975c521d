/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * INVITE server transaction: RFC 3261 section 17.2.1 with RFC 6026 section 7.1 (figure 7).
 *
 *             INVITE passed up           a 100 after 200 ms if the user sent nothing
 *                    |
 *             +------------+  1xx from the user: send
 *             | Proceeding |  INVITE again: send the last 1xx again
 *             +------------+
 *       300-699 |       | 2xx
 *               |       +----------------+
 *        +-----------+             +----------+  INVITE again: nothing
 *        | Completed |             | Accepted |  2xx from the user: send
 *        +-----------+             +----------+  ACK: to the user
 *   G: send   |  | H: failed             | L
 *   again     |  +--------------------+  |
 *             | ACK                   |  |
 *        +-----------+    I           |  |
 *        | Confirmed |----------> Terminated
 *        +-----------+
 *
 * Timers: the automatic 100 in Proceeding; G, H in Completed; I in Confirmed; L in Accepted. A
 * response that no flow can carry is a failure that the user is told, but changes no state, so that
 * INVITEs that come again are still absorbed (RFC 6026 section 7.1).
 */
#include <assert.h>

#include "protocol/base/err.h"
#include "protocol/txn/txn-private.h"

static void on_timer_trying(struct timer *trying)
{
	txn_send_trying(container_of(trying, struct txn, repeat));
}

static void on_timer_g(struct timer *g)
{
	txn_repeat(container_of(g, struct txn, repeat), TIMER_T2);
}

static void enter(struct txn *t)
{
	struct timerq *timers = t->table->timers;

	switch (t->state) {
	case TXN_PROCEEDING:
		txn_arm_repeat(t, on_timer_trying, TIMER_TRYING);
		break;
	case TXN_COMPLETED:
		timer_cancel(timers, &t->repeat);
		if (!flow_is_reliable(t->flow))
			txn_arm_repeat(t, on_timer_g, TIMER_G);
		txn_arm_deadline(t, txn_on_timeout, TIMER_H);
		break;
	case TXN_CONFIRMED:
		timer_cancel(timers, &t->repeat);
		txn_arm_deadline(t, txn_on_end, flow_is_reliable(t->flow) ? 0 : TIMER_I_UNRELIABLE);
		break;
	case TXN_ACCEPTED:
		timer_cancel(timers, &t->repeat);
		txn_arm_deadline(t, txn_on_end, TIMER_L);
		break;
	case TXN_CALLING:
	case TXN_TRYING:
	case TXN_TERMINATED:
		break;
	}
}

static enum txn_recv receive_ack(struct txn *t, const struct msg *ack)
{
	switch (t->state) {
	case TXN_COMPLETED:
		txn_set_state(t, TXN_CONFIRMED);
		if (t->server && t->server->acked)
			t->server->acked(t->owner, t, ack);
		return TXN_RECV_DONE;
	case TXN_ACCEPTED:
		return TXN_RECV_ACK;
	case TXN_CONFIRMED:
		t->table->n_retransmissions_in++;
		return TXN_RECV_DONE;
	case TXN_PROCEEDING: /* There is nothing yet that it could acknowledge. */
	case TXN_CALLING:
	case TXN_TRYING:
	case TXN_TERMINATED:
		break;
	}
	return TXN_RECV_DONE;
}

static enum txn_recv receive(struct txn *t, const struct msg *m)
{
	if (m->method == METHOD_ACK)
		return receive_ack(t, m);
	t->table->n_retransmissions_in++;
	switch (t->state) {
	case TXN_PROCEEDING:
	case TXN_COMPLETED:
		if (t->sent)
			txn_send_response(t, txn_kept(t));
		break;
	case TXN_ACCEPTED:
	case TXN_CONFIRMED:
	case TXN_CALLING:
	case TXN_TRYING:
	case TXN_TERMINATED:
		break;
	}
	return TXN_RECV_DONE;
}

static int reply_first(struct txn *t, unsigned status, struct slice bytes)
{
	if (status >= 200 && status < 300) {
		/* Not kept: sending it again is the user's, RFC 6026 section 7.1. */
		txn_set_state(t, TXN_ACCEPTED);
		txn_send_response(t, bytes);
		return 0;
	}
	txn_keep(t, bytes);
	if (status < 200)
		timer_cancel(t->table->timers, &t->repeat);
	else
		txn_set_state(t, TXN_COMPLETED);
	txn_send_response(t, bytes);
	return 0;
}

static int reply(struct txn *t, unsigned status, struct slice bytes)
{
	switch (t->state) {
	case TXN_PROCEEDING:
		return reply_first(t, status, bytes);
	case TXN_ACCEPTED:
		if (status < 200 || status >= 300)
			break;
		txn_send_response(t, bytes);
		return 0;
	case TXN_COMPLETED:
	case TXN_CONFIRMED:
	case TXN_CALLING:
	case TXN_TRYING:
	case TXN_TERMINATED:
		break;
	}
	return -ESTALE;
}

static void broken(struct txn *t)
{
	txn_tell_failed(t, TXN_TRANSPORT);
}

const struct txn_machine txn_ist = {
	.name = "IST",
	.first = TXN_PROCEEDING,
	.next = {
		[TXN_PROCEEDING] = TXN_STEP(TXN_COMPLETED) | TXN_STEP(TXN_ACCEPTED)
			| TXN_STEP(TXN_TERMINATED),
		[TXN_COMPLETED] = TXN_STEP(TXN_CONFIRMED) | TXN_STEP(TXN_TERMINATED),
		[TXN_CONFIRMED] = TXN_STEP(TXN_TERMINATED),
		[TXN_ACCEPTED] = TXN_STEP(TXN_TERMINATED),
	},
	.enter = enter,
	.receive = receive,
	.broken = broken,
	.reply = reply,
};
