/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Non-INVITE client transaction: RFC 3261 section 17.1.2 (figure 6).
 *
 *           request sent
 *                |
 *           +--------+  E: send again        F, flow down: failed
 *           | Trying |---------------------------------+
 *           +--------+                                 |
 *     200-699 |   | 1xx                                |
 *             |  +------------+  E: send again, T2     |
 *             |  | Proceeding |------------------------+
 *             |  +------------+  F, flow down: failed  |
 *             |   | 200-699                            |
 *           +-----------+    K                         |
 *           | Completed |------------------------> Terminated
 *           +-----------+
 *
 * Timers: E, F in Trying and Proceeding; K in Completed.
 */
#include <assert.h>

#include "protocol/txn/txn-private.h"

static void on_timer_e(struct timer *e)
{
	txn_repeat(container_of(e, struct txn, repeat), TIMER_T2);
}

static void enter(struct txn *t)
{
	switch (t->state) {
	case TXN_TRYING:
		if (!flow_is_reliable(t->flow))
			txn_arm_repeat(t, on_timer_e, TIMER_E);
		txn_arm_deadline(t, txn_on_timeout, TIMER_F);
		break;
	case TXN_PROCEEDING:
		/* The running Timer E stays; from its next firing on it is T2. F goes on. */
		t->interval = TIMER_T2;
		break;
	case TXN_COMPLETED:
		timer_cancel(t->table->timers, &t->repeat);
		txn_arm_deadline(t, txn_on_end, flow_is_reliable(t->flow) ? 0 : TIMER_K_UNRELIABLE);
		break;
	case TXN_CALLING:
	case TXN_ACCEPTED:
	case TXN_CONFIRMED:
	case TXN_TERMINATED:
		break;
	}
}

static enum txn_recv receive(struct txn *t, const struct msg *m)
{
	switch (t->state) {
	case TXN_TRYING:
	case TXN_PROCEEDING:
		if (m->status >= 200)
			txn_set_state(t, TXN_COMPLETED);
		else if (t->state == TXN_TRYING)
			txn_set_state(t, TXN_PROCEEDING);
		(void)txn_tell_response(t, m);
		return TXN_RECV_DONE;
	case TXN_COMPLETED:
		t->table->n_retransmissions_in++;
		return TXN_RECV_DONE;
	case TXN_CALLING:
	case TXN_ACCEPTED:
	case TXN_CONFIRMED:
	case TXN_TERMINATED:
		break;
	}
	assert(false);
	return TXN_RECV_STRAY_RESPONSE;
}

static void broken(struct txn *t)
{
	/* In Completed nothing is left to send: Timer K ends it. */
	if (t->state != TXN_COMPLETED)
		txn_fail(t, TXN_TRANSPORT);
}

const struct txn_machine txn_nict = {
	.name = "NICT",
	.first = TXN_TRYING,
	.next = {
		[TXN_TRYING] = TXN_STEP(TXN_PROCEEDING) | TXN_STEP(TXN_COMPLETED)
			| TXN_STEP(TXN_TERMINATED),
		[TXN_PROCEEDING] = TXN_STEP(TXN_COMPLETED) | TXN_STEP(TXN_TERMINATED),
		[TXN_COMPLETED] = TXN_STEP(TXN_TERMINATED),
	},
	.enter = enter,
	.receive = receive,
	.broken = broken,
};
