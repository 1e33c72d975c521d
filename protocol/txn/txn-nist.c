/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Non-INVITE server transaction: RFC 3261 section 17.2.2 (figure 8) with RFC 4320.
 *
 *           request passed up
 *                |
 *           +--------+  request again: nothing
 *           | Trying |------------------------------+
 *           +--------+                              |
 *     200-699 |   | 100 (after 3.5 s by itself)     |
 *             |  +------------+  request again:     | 64*T1: failed
 *             |  | Proceeding |  send the 100 again |
 *             |  +------------+                     |
 *             |   | 200-699  |                      |
 *           +-----------+----+----------------------+
 *           | Completed |  request again: send the response again, if there is one
 *           +-----------+
 *                 | J
 *            Terminated        (no flow for a response, in any state: failed, 17.2.4)
 *
 * Timers: the automatic 100 in Trying; 64*T1 in Trying and Proceeding; J in Completed. After 64*T1
 * the client's Timer F has fired: a final response would be of no use and is not sent any more (RFC
 * 4320 section 4.2, RFC 4321 section 1.2), but requests still under way are absorbed.
 */
#include "protocol/base/err.h"
#include "protocol/txn/txn-private.h"

static void on_timer_trying(struct timer *trying)
{
	struct txn *t = container_of(trying, struct txn, repeat);

	txn_set_state(t, TXN_PROCEEDING);
	txn_send_trying(t);
}

static void on_expired(struct timer *deadline)
{
	struct txn *t = container_of(deadline, struct txn, deadline);

	txn_keep(t, SLICE_NULL);
	t->table->n_timeouts++;
	txn_set_state(t, TXN_COMPLETED);
	txn_tell_failed(t, TXN_TIMEOUT);
}

static void enter(struct txn *t)
{
	struct timerq *timers = t->table->timers;

	switch (t->state) {
	case TXN_TRYING:
		/* A BENOTIFY gets no response at all. */
		if (t->request->method != METHOD_BENOTIFY)
			txn_arm_repeat(t, on_timer_trying, TIMER_TRYING_NON_INVITE);
		txn_arm_deadline(t, on_expired, TIMER_F);
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
