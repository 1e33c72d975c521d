/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Non-INVITE server transaction: RFC 3261 section 17.2.2 (figure 8) with RFC 4320.
 *
 *           request passed up
 *                |
 *           +--------+  request again: nothing
 *           | Trying |-----------------------------+
 *           +--------+  64*T1: the client is gone  |
 *     200-699 |   | 100 (after 3.5 s by itself)    |
 *             |  +------------+  request again:    |
 *             |  | Proceeding |  send the 100 again|
 *             |  +------------+--------------------+
 *             |   | 200-699                        |
 *           +-----------+  request again: send the |
 *           | Completed |  response again          |
 *           +-----------+ J                        |
 *                 +--------------------------> Terminated
 *
 * Timers: the automatic 100 in Trying; 64*T1 in Trying and Proceeding, because a final response
 * would come after the client's Timer F and be of no use (RFC 4320 section 4.2, RFC 4321 section
 * 1.4); J in Completed. No flow for a response: failed, in any state (17.2.4).
 */
#include <assert.h>

#include "protocol/base/err.h"
#include "protocol/txn/txn-private.h"

static void on_timer_trying(struct timer *trying)
{
	struct txn *t = container_of(trying, struct txn, repeat);

	txn_set_state(t, TXN_PROCEEDING);
	txn_send_trying(t);
}

static void enter(struct txn *t)
{
	struct timerq *timers = t->table->timers;

	switch (t->state) {
	case TXN_TRYING:
		/* A BENOTIFY gets no response at all. */
		if (t->request->method != METHOD_BENOTIFY)
			txn_arm_repeat(t, on_timer_trying, TIMER_TRYING_NON_INVITE);
		txn_arm_deadline(t, txn_on_timeout, TIMER_F);
		break;
	case TXN_PROCEEDING:
		timer_cancel(timers, &t->repeat);
		break;
	case TXN_COMPLETED:
		timer_cancel(timers, &t->repeat);
		txn_arm_deadline(t, txn_on_end, flow_is_reliable(t->flow) ? 0 : TIMER_J_UNRELIABLE);
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
	(void)m;
	t->table->n_retransmissions_in++;
	if (t->sent)
		txn_send_response(t, txn_kept(t));
	return TXN_RECV_DONE;
}

static int reply_trying(struct txn *t, struct slice bytes)
{
	/* Over UDP it may not leave yet (RFC 4320 section 4.1) and leaves by itself in time. */
	if (t->state == TXN_TRYING && !flow_is_reliable(t->flow))
		return 0;
	if (t->state == TXN_TRYING)
		txn_set_state(t, TXN_PROCEEDING);
	txn_keep(t, bytes);
	txn_send_response(t, bytes);
	return 0;
}

static int reply(struct txn *t, unsigned status, struct slice bytes)
{
	if (t->state != TXN_TRYING && t->state != TXN_PROCEEDING)
		return -ESTALE;
	if (status == 100)
		return reply_trying(t, bytes);
	/* RFC 4320 sections 4.1 and 4.2. */
	if (status < 200 || status == 408)
		return -EINVAL;
	txn_keep(t, bytes);
	txn_set_state(t, TXN_COMPLETED);
	txn_send_response(t, bytes);
	return 0;
}

static void broken(struct txn *t)
{
	txn_fail(t, TXN_TRANSPORT);
}

const struct txn_machine txn_nist = {
	.name = "NIST",
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
	.reply = reply,
};
