/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "protocol/ua/limits.h"
#include "protocol/ua/session-private.h"

/*
 * ACK for the 2xx of our INVITEs (RFC 3261 13.2.2.4). It is a request of its own that nobody
 * answers: it is kept, and goes again with every 2xx that comes again, for as long as that can be.
 * A peer may repeat the 2xx to the first INVITE when the next one was acknowledged already
 * (RFC 5407 section 3.1.4), so several are kept.
 */

struct kept {
	struct list node; /* in leg->ack.kept, oldest first */
	struct leg *leg;
	struct msg *invite;
	bool has_answer;         /* in its body: leg->local */
	struct request *request; /* NULL: there was no way to the peer */
	struct timer timer;
};

static void kept_free(struct kept *k)
{
	timer_cancel(&k->leg->s->ua->timers, &k->timer);
	request_free(k->request);
	msg_unref(k->invite);
	list_remove(&k->node);
	k->leg->ack.n_kept--;
	free(k);
}

/* The peer has stopped repeating its 2xx (13.3.1.4). */
static void on_forget(struct timer *t)
{
	struct kept *k = container_of(t, struct kept, timer);
	struct session *s = k->leg->s;

	kept_free(k);
	session_reap(s);
}

/* When the 2xx comes again, another way is looked for. */
static void on_done(void *owner, struct request *r, const struct outcome *o)
{
	struct kept *k = owner;

	(void)r;
	(void)o;
	k->request = NULL;
}

static const struct request_ops ops = { .done = on_done };

static void send(struct kept *k)
{
	struct leg *l = k->leg;
	struct request_spec spec = { .method = SLICE("ACK"), .acknowledges = k->invite };
	struct session_body answer = leg_body_get(&l->local);

	if (k->has_answer) {
		spec.content_type = answer.type;
		spec.body = answer.bytes;
	}
	(void)leg_request(l, &spec, &ops, k, &k->request);
}

static struct kept *keep(struct leg *l, const struct msg *invite)
{
	struct kept *k = mem_new(struct kept);
	struct list *oldest = list_first(&l->ack.kept);

	if (oldest && l->ack.n_kept == LIMITS_ACKS)
		kept_free(list_entry(oldest, struct kept, node));
	k->leg = l;
	k->invite = msg_ref(invite);
	list_append(&l->ack.kept, &k->node);
	l->ack.n_kept++;
	k->timer.fire = on_forget;
	timer_arm(&l->s->ua->timers, &k->timer, 64 * TIMER_T1);
	return k;
}

static void stop_waiting(struct leg *l)
{
	timer_cancel(&l->s->ua->timers, &l->ack.deadline);
	msg_unref(mem_take(&l->ack.waits));
}

void leg_ack(struct leg *l, const struct msg *sent, const struct session_body *body)
{
	struct kept *k = keep(l, sent);

	stop_waiting(l); /* for what sent may point at */
	if (body) {
		offer_sent(&l->offer, OFFER_IN_ACK, offer_sendable(&l->offer, OFFER_IN_ACK, true));
		leg_body_set(&l->local, body);
		session_mark(l->s, UA_SESSION_DESCRIPTION);
		k->has_answer = true;
	}
	send(k);
}

static void on_unanswered(struct timer *t)
{
	struct leg *l = container_of(t, struct leg, ack.deadline);

	session_ending(l->s, 408, SLICE("the offer was not answered in time"), ORIGIN_TIMEOUT);
	leg_end(l, SLICE_NULL);
}

void leg_ack_wait(struct leg *l, const struct msg *sent)
{
	stop_waiting(l);
	l->ack.waits = msg_ref(sent);
	l->ack.deadline.fire = on_unanswered;
	timer_arm(&l->s->ua->timers, &l->ack.deadline, LIMITS_ANSWER_SECONDS * USEC_PER_SEC);
}

bool leg_ack_stray(struct leg *l, const struct msg *m)
{
	if (l->ack.waits && l->ack.waits->cseq == m->cseq)
		return true;
	list_for_each (node, &l->ack.kept) {
		struct kept *k = list_entry(node, struct kept, node);

		if (k->invite->cseq != m->cseq)
			continue;
		if (k->request)
			request_repeat(k->request);
		else
			send(k);
		return true;
	}
	return false;
}

void leg_ack_stop(struct leg *l)
{
	struct list *node;

	stop_waiting(l);
	while ((node = list_first(&l->ack.kept)))
		kept_free(list_entry(node, struct kept, node));
}
