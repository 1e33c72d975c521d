/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "protocol/base/err.h"
#include "protocol/msg/substate.h"
#include "protocol/ua/backoff.h"
#include "protocol/ua/subscription-fork.h"
#include "protocol/ua/subscription-package.h"

/*
 * What comes after: the end of the last dialog, or a SUBSCRIBE that made none.
 *
 *   attempt -> NOTIFY -> dialogs -> the last one ends -.
 *      |  \                                            |
 *      |   '-- refused, or never a NOTIFY -------------+-> over
 *      '---------------- at once, or later ------------'
 */

/* RFC 5626 4.5 has it for registrations, and nobody wants to come back more eagerly. */
#define RETRY_BASE (30 * USEC_PER_SEC)
/* What lived that long was no failure: the next attempt is the first again. */
#define STABLE (60 * USEC_PER_SEC)

/* Forks that answer at all answer soon: so long the others are waited for. */
#define LINGER (4 * TIMER_T1)

/* ---- judgement ---- */

static const struct {
	struct slice reason;
	enum subscription_next next;
	bool obeys_retry_after;
} reasons[] = {
	/* RFC 6665 4.1.3 */
	{ SLICE_INIT("deactivated"), SUBSCRIPTION_AT_ONCE, false },
	{ SLICE_INIT("probation"), SUBSCRIPTION_LATER, true },
	{ SLICE_INIT("rejected"), SUBSCRIPTION_NEVER, false },
	{ SLICE_INIT("timeout"), SUBSCRIPTION_AT_ONCE, false },
	{ SLICE_INIT("giveup"), SUBSCRIPTION_LATER, true },
	{ SLICE_INIT("noresource"), SUBSCRIPTION_NEVER, false },
	{ SLICE_INIT("invariant"), SUBSCRIPTION_NEVER, false },
};

void subscription_judge_notify(const struct substate *sub, struct subscription_verdict *ret)
{
	bool obeys = true;

	/* None, or an unknown one: any time will do that is not before retry-after. */
	*ret = (struct subscription_verdict){
		.next = SUBSCRIPTION_LATER,
		.end = { .reason = sub->reason, .origin = ORIGIN_REMOTE },
	};
	for (size_t i = 0; i < ARRAY_LEN(reasons); i++) {
		if (!slice_eq_ci(sub->reason, reasons[i].reason))
			continue;
		ret->next = reasons[i].next;
		obeys = reasons[i].obeys_retry_after;
	}
	if (sub->has_retry_after && obeys)
		ret->end.retry_after = sub->retry_after;
}

/* What another attempt of the same may not be refused for. */
static bool passes(unsigned status)
{
	switch (status) {
	case 408:
	case 430: /* RFC 5626 11.5 */
	case 480:
	case 481: /* a dialog was not what we asked for */
	case 482:
	case 486:
	case 491:
	case 600:
		return true;
	case 501:
	case 505:
	case 513:
		return false;
	}
	return status >= 500 && status <= 599;
}

void subscription_judge_outcome(const struct outcome *o, struct subscription_verdict *ret)
{
	*ret = (struct subscription_verdict){
		.next = SUBSCRIPTION_NEVER,
		.end = { .reason = o->reason, .status = o->status, .origin = o->origin },
	};
	switch (o->origin) {
	case ORIGIN_NETWORK:
	case ORIGIN_TIMEOUT:
		ret->next = SUBSCRIPTION_LATER;
		break;
	case ORIGIN_REMOTE:
		/* Who refuses for good may not be asked again whatever else was said. */
		if (passes(o->status))
			ret->next = SUBSCRIPTION_LATER;
		break;
	case ORIGIN_LOCAL:
		break;
	}
	if (o->response)
		(void)msg_retry_after(o->response, &ret->end.retry_after);
}

/* ---- again ---- */

static uint64_t dice(const struct subscription *s)
{
	return ua_random_below(s->ep->ua, UINT64_MAX);
}

static void plan(struct subscription *s, uint32_t retry_after)
{
	struct timerq *timers = &s->ep->ua->timers;
	usec_t delay = backoff_delay(RETRY_BASE, s->failures ? s->failures : 1, dice(s));

	/* The notifier says when: that counts, not our own caution. */
	if (retry_after)
		delay = backoff_not_before(0, retry_after, dice(s));
	s->next_attempt = timers->now + delay;
	timer_arm_at(timers, &s->timer, s->next_attempt);
	subscription_update_state(s);
	subscription_changed(s);
}

bool subscription_on_turn(struct turn *t)
{
	struct subscription *s = container_of(t, struct subscription, turn);
	struct subscription_end end = { .reason = SLICE("no SUBSCRIBE could be sent"),
		.origin = ORIGIN_LOCAL };
	int error;

	s->since = s->ep->ua->timers.now;
	error = subscription_send(s);
	if (error == -ENOSPC) {
		s->failures++;
		plan(s, 0);
	} else if (error < 0) {
		subscription_over(s, &end);
	}
	return error == 0;
}

void subscription_attempt(struct subscription *s)
{
	s->next_attempt = 0;
	timer_cancel(&s->ep->ua->timers, &s->timer);
	turn_ask(&s->ep->subscribes, &s->turn);
	subscription_update_state(s);
}

/* The same thing soon again and again would be a storm, whoever is to blame. */
static bool is_haste(struct subscription *s)
{
	if (s->heard && s->ep->ua->timers.now - s->since >= STABLE)
		s->failures = 0;
	return s->failures++ > 0;
}

static void go_on(struct subscription *s, const struct subscription_end *end)
{
	bool haste = is_haste(s);

	switch (s->next) {
	case SUBSCRIPTION_NEVER:
		subscription_over(s, end);
		break;
	case SUBSCRIPTION_AT_ONCE:
		if (haste)
			plan(s, 0);
		else
			subscription_attempt(s);
		break;
	case SUBSCRIPTION_LATER:
		plan(s, end->retry_after);
		break;
	}
}

static void conclude(struct subscription *s)
{
	struct subscription_end gone = { .reason = SLICE("unsubscribed"), .origin = ORIGIN_LOCAL };
	struct subscription_end end = {
		.reason = slice_str(s->reason),
		.status = s->status,
		.origin = s->origin,
		.retry_after = s->retry_after,
	};

	timer_cancel(&s->ep->ua->timers, &s->timer);
	subscription_forget_call(s);
	if (s->ending)
		subscription_over(s, &gone);
	else if (!s->ask)
		subscription_over(s, &end);
	else
		go_on(s, &end);
}

/* 4.1.2.4, 5.4.9: another notifier, to whom the SUBSCRIBE was forked, may have more to tell. */
static bool hears_more(const struct subscription *s)
{
	return map_is_linked(&s->by_call) && s->hears_until > s->ep->ua->timers.now &&
	       (s->next == SUBSCRIPTION_NEVER || !s->ask) && !s->ending && s->heard &&
	       subscription_max_forks(s) > 1;
}

static void linger(struct subscription *s)
{
	usec_t at = s->ep->ua->timers.now + LINGER;

	timer_arm_at(&s->ep->ua->timers, &s->timer, at < s->hears_until ? at : s->hears_until);
}

void subscription_settle(struct subscription *s)
{
	if (s->n_forks || s->request || list_is_linked(&s->turn.node)) {
		/* Others go on (5.4.9), or the answer is still to come. */
		subscription_update_state(s);
		subscription_changed(s);
	} else if (hears_more(s)) {
		linger(s);
	} else {
		conclude(s);
	}
}

void subscription_ended(struct subscription *s, const struct subscription_verdict *v)
{
	subscription_note_end(s, &v->end);
	s->judged = true;
	s->next = v->next;
	subscription_settle(s);
}

/* 4.1.2.4: NOTIFYs of others are waited for until Timer N fires. */
static void on_timer_n(struct subscription *s)
{
	struct subscription_verdict v = {
		.next = SUBSCRIPTION_LATER,
		.end = { .reason = SLICE("no NOTIFY came"), .origin = ORIGIN_TIMEOUT },
	};

	subscription_forget_call(s);
	if (s->n_forks)
		return;
	if (s->judged)
		subscription_settle(s);
	else
		subscription_ended(s, &v);
}

void subscription_on_timer(struct timer *t)
{
	struct subscription *s = container_of(t, struct subscription, timer);

	if (s->next_attempt)
		subscription_attempt(s);
	else
		on_timer_n(s);
}

/* ---- the network, or the server, is another ---- */

/* Nobody said that it should not be tried, nobody said anything. */
static bool was_unheard(const struct subscription *s)
{
	return s->next_attempt && !s->retry_after &&
	       (s->origin == ORIGIN_NETWORK || s->origin == ORIGIN_TIMEOUT || s->status == 408 ||
		       s->status == 503 || s->status == 504);
}

void subscription_endpoint_moved(struct endpoint *ep)
{
	list_for_each (node, &ep->subscriptions) {
		struct subscription *s = list_entry(node, struct subscription, node);

		list_for_each (at, &s->forks)
			subscription_fork_moved(list_entry(at, struct subscription_fork, node));
	}
}

void subscription_endpoint_revived(struct endpoint *ep)
{
	subscription_endpoint_moved(ep);
	list_for_each (node, &ep->subscriptions) {
		struct subscription *s = list_entry(node, struct subscription, node);

		list_for_each (at, &s->forks)
			subscription_fork_revived(list_entry(at, struct subscription_fork, node));
		if (was_unheard(s)) {
			s->failures = 0;
			subscription_attempt(s);
		}
	}
}
