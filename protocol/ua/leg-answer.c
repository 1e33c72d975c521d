/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "protocol/base/err.h"
#include "protocol/ua/session-private.h"

/*
 * Our 2xx to an INVITE of the peer's. It is the user agent's own to repeat, over any transport,
 * because what lies between may lose it (RFC 3261 13.3.1.4); the transaction only absorbs INVITEs
 * that come again (RFC 6026 section 7.1). In the end there is an ACK, or a BYE.
 */

static struct leg *of_repeat(struct timer *t)
{
	return container_of(t, struct leg, answer.repeat);
}

static struct leg *of_deadline(struct timer *t)
{
	return container_of(t, struct leg, answer.deadline);
}

/* Timer L. Nothing can be sent any more; our own deadline is due as well. */
static void on_ended(void *owner, struct txn *t)
{
	struct leg *l = owner;

	(void)t;
	l->answer.txn = NULL;
}

static struct slice to_tag(void *owner)
{
	const struct leg *l = owner;

	return l->usage.dialog->local_tag;
}

/* What could not be sent is sent again, over whatever way there is then. */
static const struct txn_server_ops server_ops = { .to_tag = to_tag, .ended = on_ended };

static void on_repeat(struct timer *t)
{
	struct leg *l = of_repeat(t);
	struct leg_answer *a = &l->answer;
	struct timerq *timers = &l->s->ua->timers;

	/* Woken after the end: the deadline is about to fire. */
	if (!a->txn || a->deadline.at <= timers->now)
		return;
	a->interval = a->interval > TIMER_T2 / 2 ? TIMER_T2 : 2 * a->interval;
	timer_arm(timers, &a->repeat, a->interval);
	(void)txn_reply(a->txn, 200, slice_of(a->bytes, a->n));
}

/* 13.3.1.4: the dialog is confirmed all the same, and ends. */
static void on_deadline(struct timer *t)
{
	struct leg *l = of_deadline(t);

	leg_answer_stop(l);
	offer_failed(&l->offer, OFFER_IN_INVITE);
	session_ending(l->s, 0, SLICE("the answer was not acknowledged"), ORIGIN_TIMEOUT);
	leg_end(l, SLICE_NULL);
	leg_end_acked(l);
}

void leg_answer_send(struct leg *l, struct txn *t, struct slice bytes)
{
	struct leg_answer *a = &l->answer;
	struct timerq *timers = &l->s->ua->timers;

	leg_answer_stop(l);
	a->txn = t;
	a->bytes = slice_dup(bytes);
	a->n = bytes.n;
	a->cseq = txn_request(t)->cseq;
	a->interval = TIMER_T1;
	a->repeat.fire = on_repeat;
	a->deadline.fire = on_deadline;
	txn_hand_over(t, &server_ops, l);
	(void)txn_reply(t, 200, bytes);
	timer_arm(timers, &a->repeat, a->interval);
	timer_arm(timers, &a->deadline, 64 * TIMER_T1);
}

bool leg_answer_waits(const struct leg *l)
{
	return timer_is_armed(&l->answer.deadline);
}

void leg_answer_stop(struct leg *l)
{
	struct leg_answer *a = &l->answer;
	struct timerq *timers = &l->s->ua->timers;

	timer_cancel(timers, &a->repeat);
	timer_cancel(timers, &a->deadline);
	txn_forget(mem_take(&a->txn));
	free(mem_take(&a->bytes));
	a->n = 0;
}

/* -EBADMSG: our offer in the 2xx wants an answer, and there is none (13.2.1). */
static int take_answer(struct leg *l, const struct msg *ack)
{
	struct session_body body = leg_body_of(ack);
	enum offer_meaning what = offer_meaning(&l->offer, OFFER_IN_ACK, body.bytes.n > 0);

	if (what == OFFER_MEANS_WANTED) {
		offer_failed(&l->offer, OFFER_IN_INVITE);
		return -EBADMSG;
	}
	if (what == OFFER_MEANS_ANSWER) {
		offer_received(&l->offer, OFFER_IN_ACK, what);
		leg_body_set(&l->remote, &body);
		session_mark(l->s, UA_SESSION_DESCRIPTION);
	}
	return 0;
}

static void tell(struct leg *l, const struct msg *ack)
{
	const struct session *s = l->s;

	if (s->state != SESSION_ESTABLISHED)
		return;
	if (!s->outgoing && ack->cseq == s->invite_msg->cseq)
		session_leg_acked(l, ack);
	else
		leg_modify_acked(l, ack);
}

bool leg_answer_ack(struct leg *l, const struct msg *ack)
{
	/* Again, or for an earlier INVITE: says nothing new. */
	if (!leg_answer_waits(l) || ack->cseq != l->answer.cseq)
		return true;
	leg_answer_stop(l);
	if (take_answer(l, ack) < 0) {
		session_ending(l->s, 0, SLICE("our offer was not answered"), ORIGIN_REMOTE);
		leg_end(l, SLICE_NULL);
	} else {
		tell(l, ack);
	}
	leg_end_acked(l);
	return true;
}
