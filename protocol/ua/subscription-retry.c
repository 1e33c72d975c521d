/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "protocol/base/err.h"
#include "protocol/msg/substate.h"
#include "protocol/ua/backoff.h"
#include "protocol/ua/subscription-private.h"

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

void subscription_attempt(struct subscription *s)
{
	struct subscription_end end = { .reason = SLICE("no SUBSCRIBE could be sent"),
		.origin = ORIGIN_LOCAL };
	int error;

	s->next_attempt = 0;
	timer_cancel(&s->ep->ua->timers, &s->timer);
	s->since = s->ep->ua->timers.now;
	error = subscription_send(s);
	if (error == -ENOSPC) {
		s->failures++;
		plan(s, 0);
	} else if (error < 0) {
		subscription_over(s, &end);
	} else {
		subscription_update_state(s);
	}
}

/* The same thing soon again and again would be a storm, whoever is to blame. */
static bool is_haste(struct subscription *s)
{
	if (s->heard && s->ep->ua->timers.now - s->since >= STABLE)
		s->failures = 0;
	return s->failures++ > 0;
}

static void go_on(struct subscription *s, const struct subscription_verdict *v)
{
	bool haste = is_haste(s);

	switch (v->next) {
	case SUBSCRIPTION_NEVER:
		subscription_over(s, &v->end);
		break;
	case SUBSCRIPTION_AT_ONCE:
		if (haste)
			plan(s, 0);
		else
			subscription_attempt(s);
		break;
	case SUBSCRIPTION_LATER:
		plan(s, v->end.retry_after);
		break;
	}
}

void subscription_ended(struct subscription *s, const struct subscription_verdict *v)
{
	struct subscription_end gone = { .reason = SLICE("unsubscribed"), .origin = ORIGIN_LOCAL };

	subscription_note_end(s, &v->end);
	if (s->n_forks) {
		/* Others go on (5.4.9). */
		subscription_update_state(s);
		subscription_changed(s);
		return;
	}
	if (s->request) {
		/* The answer is still to come: it decides whether anybody else may be heard. */
		s->judged = true;
		s->next = v->next;
		return;
	}
	timer_cancel(&s->ep->ua->timers, &s->timer);
	subscription_forget_call(s);
	if (s->ending)
		subscription_over(s, &gone);
	else if (!s->ask)
		subscription_over(s, &v->end);
	else
		go_on(s, v);
}

/* 4.1.2.4: NOTIFYs of others are waited for until Timer N fires. */
static void on_timer_n(struct subscription *s)
{
	struct subscription_verdict v = {
		.next = SUBSCRIPTION_LATER,
		.end = { .reason = SLICE("no NOTIFY came"), .origin = ORIGIN_TIMEOUT },
	};

	subscription_forget_call(s);
	if (!s->n_forks)
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
