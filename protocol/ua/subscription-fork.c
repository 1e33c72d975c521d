/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "protocol/ua/subscription-fork.h"

#include "protocol/msg/build.h"
#include "protocol/ua/backoff.h"
#include "protocol/ua/limits.h"
#include "protocol/ua/microsoft-subscribe.h"
#include "protocol/ua/subscription-package.h"
#include "protocol/ua/uas.h"

/*
 * One dialog of a subscription, from the NOTIFY that makes it (RFC 6665 4.4.1) to the one that ends
 * it, or to what tells us that the notifier knows of none (4.1.2.2).
 */

enum { TIMER_N_T1 = 64 };

/* The shortest time between two refreshes, whatever the notifier says. */
#define REFRESH_LEAST (2 * USEC_PER_SEC)
#define REFRESH_BASE (30 * USEC_PER_SEC)
/* Expiries are whole seconds, and take time on the way: what is no more than that is no news. */
#define EXPIRY_NOISE (2 * USEC_PER_SEC)

static struct timerq *timers_of(struct subscription_fork *f)
{
	return &f->s->ep->ua->timers;
}

static uint64_t dice(struct subscription_fork *f)
{
	return ua_random_below(f->s->ep->ua, UINT64_MAX);
}

static struct subscription_fork *of(struct usage *u)
{
	return container_of(u, struct subscription_fork, usage);
}

/* What is wanted has changed since the last SUBSCRIBE was sent. */
static bool is_behind(const struct subscription_fork *f)
{
	return f->version != f->s->version;
}

/* ---- when ---- */

static usec_t earlier(usec_t a, usec_t b)
{
	return !a || (b && b < a) ? b : a;
}

/* Who waits for no answer, nor for its turn, waits for the timer: nothing lasts for ever. */
static void arm(struct subscription_fork *f)
{
	usec_t at = earlier(earlier(f->expires, f->refresh), f->notify_by);

	if (!at && !f->request && !list_is_linked(&f->turn.node) && !f->s->request)
		at = f->notify_by = timers_of(f)->now + TIMER_N_T1 * TIMER_T1;
	if (at)
		timer_arm_at(timers_of(f), &f->timer, at);
	else
		timer_cancel(timers_of(f), &f->timer);
}

/* It lasts that long from now on. A fetch, or what is to end, is not refreshed. */
static void set_expiry(struct subscription_fork *f, uint32_t seconds)
{
	usec_t now = timers_of(f)->now, delay;

	if (seconds > LIMITS_EXPIRES)
		seconds = LIMITS_EXPIRES;
	f->expires = now + seconds * USEC_PER_SEC;
	f->refresh = 0;
	if (f->asked && !f->s->ending) {
		delay = microsoft_refresh_delay(f->s->ep, seconds);
		if (!delay)
			delay = backoff_refresh_delay(seconds, dice(f));
		f->refresh = now + (delay < REFRESH_LEAST ? REFRESH_LEAST : delay);
	}
	arm(f);
}

/* ---- its end ---- */

void subscription_fork_free(struct subscription_fork *f)
{
	request_free(mem_take(&f->request));
	turn_end(&f->s->ep->subscribes, &f->turn);
	timer_cancel(timers_of(f), &f->timer);
	list_remove(&f->node);
	f->s->n_forks--;
	usage_leave(&f->usage);
	free(f->s->etag);
	f->s->etag = NULL;
	/* RFC 5839 5.5: with the only notifier there may be, it goes on from there. */
	if (subscription_max_forks(f->s) == 1 && !is_behind(f))
		f->s->etag = mem_take(&f->etag);
	free(f->etag);
	free(f);
}

static void over(struct subscription_fork *f, const struct subscription_verdict *v)
{
	struct subscription *s = f->s;

	subscription_fork_free(f);
	subscription_ended(s, v);
}

/* The notifier does not know of it any more, or does not answer: a new one may be wanted. */
static void lost(struct subscription_fork *f, struct slice reason, enum origin origin)
{
	struct subscription_verdict v = {
		.next = SUBSCRIPTION_AT_ONCE,
		.end = { .reason = reason, .origin = origin },
	};

	over(f, &v);
}

/* Who asked to be left alone is. */
static void expired(struct subscription_fork *f)
{
	struct subscription_verdict v = {
		.next = SUBSCRIPTION_AT_ONCE,
		.end = { .reason = SLICE("it expired"), .origin = ORIGIN_TIMEOUT },
	};
	usec_t now = timers_of(f)->now;

	if (f->not_before > now) {
		v.next = SUBSCRIPTION_LATER;
		v.end.retry_after = (uint32_t)((f->not_before - now) / USEC_PER_SEC + 1);
	}
	over(f, &v);
}

static void on_timer(struct timer *t)
{
	struct subscription_fork *f = container_of(t, struct subscription_fork, timer);
	usec_t now = timers_of(f)->now;

	if (f->notify_by && f->notify_by <= now) {
		lost(f, SLICE("no NOTIFY came"), ORIGIN_TIMEOUT);
	} else if (f->expires && f->expires <= now) {
		f->expires = f->refresh = 0;
		/* What is under way decides: a 2xx may still come. */
		if (f->request)
			arm(f);
		else
			expired(f);
	} else {
		f->refresh = 0;
		/* What is under way is one. */
		subscription_fork_refresh(f);
		arm(f);
	}
}

/* ---- SUBSCRIBE ---- */

/* 4.1.2.2: what was granted last holds on; it is tried again sooner the nearer its end is. */
static void try_later(struct subscription_fork *f, uint32_t retry_after)
{
	usec_t now = timers_of(f)->now, delay;
	usec_t left = f->expires > now ? f->expires - now : 0;

	delay = backoff_delay(REFRESH_BASE, ++f->failures, dice(f));
	delay = backoff_hurry(delay, left);
	delay = backoff_not_before(delay, retry_after, dice(f));
	f->not_before = retry_after ? now + delay : 0;
	f->refresh = now + delay;
	arm(f);
}

/* The dialog is as good as before, whatever became of the request. */
static void bear(struct subscription_fork *f, const struct subscription_verdict *v)
{
	subscription_note_end(f->s, &v->end);
	if (is_behind(f))
		subscription_fork_refresh(f);
	else if (v->next != SUBSCRIPTION_NEVER)
		try_later(f, v->end.retry_after);
	/* Else it is asked for anew when it has expired, and that answer is the last. */
	subscription_changed(f->s);
}

static void on_failed(struct subscription_fork *f, const struct outcome *o)
{
	unsigned status = o->origin == ORIGIN_TIMEOUT ? 408 : o->status;
	struct subscription_verdict v;

	if (o->status == 423 && !f->raised && subscription_raise(f->s, o->response)) {
		f->raised = true;
		subscription_fork_refresh(f);
		return;
	}
	/* RFC 5839 5.8: somebody between may not understand the condition. */
	f->s->plain = f->s->plain || (f->conditional && o->response);
	subscription_judge_outcome(o, &v);
	switch (usage_damage_of(METHOD_SUBSCRIBE, status)) {
	case USAGE_DIALOG_OVER:
		usage_dialog_over(&f->usage, status, o->reason);
		break;
	case USAGE_ENDED:
		break;
	case USAGE_UNHARMED:
		/* Else nobody wants it, and that was said as well as it could be. */
		if (f->asked && f->expires) {
			bear(f, &v);
			return;
		}
		break;
	}
	/* Whether a new one may be had, is answered to a new one; but not of another package. */
	if (status != 489)
		v.next = SUBSCRIPTION_AT_ONCE;
	over(f, &v);
}

static void ride(struct subscription_fork *f, const struct msg *m, uint32_t cseq);

static void on_accepted(struct subscription_fork *f, const struct msg *m)
{
	uint32_t seconds = f->asked, cseq = 0;
	bool rides = microsoft_is_piggyback(f->s->ep, m, &cseq);

	f->failures = 0;
	f->raised = false;
	f->not_before = 0;
	dialog_refresh_target(f->usage.dialog, m);
	(void)msg_number(m, HDR_EXPIRES, f->asked, &seconds);
	/* Timer N (4.1.2.2), whatever crossed the end; RFC 5839 5.2: a 204 has no NOTIFY. */
	if (!f->asked || (!f->heard && m->status != 204 && !rides))
		f->notify_by = timers_of(f)->now + TIMER_N_T1 * TIMER_T1;
	/* What a NOTIFY said counts more, unless that is over already. */
	if (f->asked && (!f->said || !f->expires))
		set_expiry(f, seconds);
	else
		arm(f);
	if (is_behind(f))
		subscription_fork_refresh(f);
	subscription_changed(f->s);
	if (rides)
		ride(f, m, cseq);
	else if (!f->asked && m->status == 204) /* RFC 5839 5.7: that was all */
		lost(f, SLICE("unsubscribed"), ORIGIN_LOCAL);
}

static void on_done(void *owner, struct request *request, const struct outcome *o)
{
	struct subscription_fork *f = owner;

	(void)request;
	f->request = NULL;
	turn_end(&f->s->ep->subscribes, &f->turn);
	if (o->error == 0)
		on_accepted(f, o->response);
	else
		on_failed(f, o);
}

static const struct request_ops request_ops = { .done = on_done };

static bool on_turn(struct turn *t)
{
	struct subscription_fork *f = container_of(t, struct subscription_fork, turn);

	f->heard = f->said = false;
	f->asked = f->s->ending ? 0 : f->s->ask;
	if (!f->asked)
		f->refresh = 0;
	/* Who asks for another state, or for a refresh now, is told it whole. */
	else if (is_behind(f))
		free(mem_take(&f->etag));
	if (subscription_send_in(f, f->asked, &request_ops) == 0) {
		f->version = f->s->version;
		return true;
	}
	if (f->asked) {
		try_later(f, 0);
	} else {
		/* It cannot be said: soon over all the same, but never inside of whoever asks. */
		f->notify_by = timers_of(f)->now;
		arm(f);
	}
	return false;
}

void subscription_fork_refresh(struct subscription_fork *f)
{
	/* What is under way is followed by another if what is wanted has changed. */
	if (!f->request)
		turn_ask(&f->s->ep->subscribes, &f->turn);
}

/* RFC 5627 4.4: a GRUU leads to wherever we are registered. */
static bool is_found_anyway(const struct subscription_fork *f)
{
	return gruu_get(f->s->ep, f->usage.dialog->anonymous ? GRUU_TEMPORARY : GRUU_PUBLIC) !=
	       NULL;
}

void subscription_fork_moved(struct subscription_fork *f)
{
	const struct dialog *d = f->usage.dialog;

	if (f->asked && !d->in.flow && !d->out.flow && !is_found_anyway(f))
		subscription_fork_refresh(f);
}

void subscription_fork_revived(struct subscription_fork *f)
{
	if (f->failures && f->refresh && f->not_before <= timers_of(f)->now)
		subscription_fork_refresh(f);
}

/* RFC 6665 4.3 wants proxies in every NOTIFY; those of RFC 3265 may be in the SUBSCRIBE alone. */
void subscription_fork_route(struct subscription_fork *f)
{
	const struct msg *m = f->s->accepted;
	struct dialog *d = f->usage.dialog;

	if (m && !d->n_routes && slice_eq(m->to_tag, slice_str(d->remote_tag)))
		dialog_adopt_routes(d, m);
}

void subscription_fork_granted(struct subscription_fork *f, uint32_t seconds)
{
	if (f->asked && !f->expires)
		set_expiry(f, seconds);
}

/* ---- NOTIFY ---- */

/* What a NOTIFY says of the subscription, and how it is answered. */
struct notice {
	struct uas_reply answer;
	struct substate sub;
};

static void refuse(struct notice *n, unsigned status, struct slice reason)
{
	n->answer.status = status;
	n->answer.reason = reason;
}

static void read_notice(struct subscription_fork *f, const struct msg *m, struct notice *n)
{
	*n = (struct notice){ .answer.status = 200, .sub.state = SUBSTATE_OTHER };
	if (substate_parse(msg_header(m, HDR_SUBSCRIPTION_STATE), &n->sub) < 0)
		refuse(n, 400, SLICE("Bad Subscription-State")); /* 4.1.3: there MUST be one */
	else if (m->body.n && !subscription_accepts(f->s, m->content_type))
		refuse(n, 415, SLICE_NULL);
}

static void answer(struct subscription_fork *f, struct flow *reply_flow, struct msg *m,
	const struct uas_reply *reply)
{
	struct uas_reply r = *reply;
	struct buf headers = BUF_NULL;

	if (r.status == 415) /* RFC 3261 21.4.13 */
		build_header(&headers, HDR_ACCEPT, slice_str(f->s->accept));
	r.headers = buf_slice(&headers);
	uas_answer(f->s->ep->ua, reply_flow, m, &r);
	buf_deinit(&headers);
}

/* RFC 5839 5.3: keeps its tag. False: it is what is known, and so was not sent again. */
static bool take_state(struct subscription_fork *f, const struct msg *m, const struct notice *n)
{
	struct slice etag = msg_header(m, HDR_SIP_ETAG);
	bool known = etag.n && f->etag && slice_eq(etag, slice_str(f->etag));

	if (etag.n && !known) {
		free(f->etag);
		f->etag = slice_dup(etag);
	}
	/* The end may be told without state (RFC 6665 4.1.2.3). */
	return m->body.n || (n->sub.state != SUBSTATE_TERMINATED && !known);
}

/* 4.1.3: what it says of its duration counts more than what a 2xx said. */
static void take_expiry(struct subscription_fork *f, const struct substate *sub)
{
	struct subscription *s = f->s;
	usec_t now = timers_of(f)->now, then;

	if (!f->asked) {
		/* A fetch, or the end: the last word is still to come, and "expires" says nothing.
		 */
		if (!f->notify_by && !f->request)
			f->notify_by = now + TIMER_N_T1 * TIMER_T1;
	} else if (sub->has_expires) {
		then = now + sub->expires * USEC_PER_SEC;
		f->said = true;
		if (!f->refresh || then + EXPIRY_NOISE < f->expires ||
			then > f->expires + EXPIRY_NOISE)
			set_expiry(f, sub->expires);
	} else if (!f->expires && (s->granted || !s->request)) {
		/* RFC 3265 let it be left out: then the 2xx said it, or will. */
		set_expiry(f, s->granted ? s->granted : s->ask);
	}
}

static void go_on(struct subscription_fork *f, const struct substate *sub)
{
	switch (sub->state) {
	case SUBSTATE_PENDING:
	case SUBSTATE_ACTIVE:
		f->state = sub->state;
		break;
	case SUBSTATE_OTHER: /* it is there; more than before is not known of it */
	case SUBSTATE_TERMINATED:
		break;
	}
	take_expiry(f, sub);
	arm(f);
	subscription_update_state(f->s);
	subscription_changed(f->s);
	if (!f->request && is_behind(f))
		subscription_fork_refresh(f);
}

/* The same once more, by another way than the transaction's: it was heard (12.2.2 lets it pass). */
static bool is_copy(struct subscription_fork *f, uint32_t cseq)
{
	bool copy = f->has_cseq && f->cseq == cseq;

	f->has_cseq = true;
	f->cseq = cseq;
	return copy;
}

/* What was not heard before. f may be gone afterwards. */
static void obey(struct subscription_fork *f, const struct msg *m, const struct notice *n)
{
	/* What was refused said nothing, but the dialog is there. */
	static const struct substate nothing = { .state = SUBSTATE_OTHER };
	struct subscription_verdict v;

	f->heard = f->s->heard = true;
	/* Who unsubscribed waits for the last word; others have heard what they waited for. */
	if (f->asked)
		f->notify_by = 0;
	if (n->answer.status == 200) {
		dialog_refresh_target(f->usage.dialog, m);
		if (take_state(f, m, n))
			subscription_tell(f->s, m);
	}
	if (n->sub.state == SUBSTATE_TERMINATED) {
		subscription_judge_notify(&n->sub, &v);
		over(f, &v);
	} else if (n->answer.status == 200) {
		go_on(f, &n->sub);
	} else {
		take_expiry(f, &nothing);
		arm(f);
	}
}

void subscription_fork_receive(struct subscription_fork *f, struct flow *reply_flow, struct msg *m)
{
	struct notice n;

	read_notice(f, m, &n);
	answer(f, reply_flow, m, &n.answer);
	if (!is_copy(f, m->cseq))
		obey(f, m, &n);
}

/* [MS-SIP] 3.4.5.1: a 2xx that is a NOTIFY as well; it may be older than one that came. */
static void ride(struct subscription_fork *f, const struct msg *m, uint32_t cseq)
{
	struct notice n = { .answer.status = 200, .sub.state = SUBSTATE_ACTIVE };

	if (cseq && (dialog_take_cseq(f->usage.dialog, cseq) < 0 || is_copy(f, cseq)))
		return;
	(void)substate_parse(msg_header(m, HDR_SUBSCRIPTION_STATE), &n.sub);
	if (m->body.n && !subscription_accepts(f->s, m->content_type))
		refuse(&n, 415, SLICE_NULL);
	if (!f->asked) /* It made no dialog, or ends it: no other word follows. */
		n.sub = (struct substate){ .state = SUBSTATE_TERMINATED,
			.reason = SLICE("timeout") };
	obey(f, m, &n);
}

static bool on_request(struct usage *u, struct flow *reply_flow, struct msg *m)
{
	struct subscription_fork *f = of(u);

	if ((m->method != METHOD_NOTIFY && !microsoft_takes_benotify(f->s->ep, m)) ||
		!subscription_fits(f->s, m))
		return false;
	subscription_fork_receive(f, reply_flow, m);
	return true;
}

static void on_dialog_over(struct usage *u, unsigned status, struct slice reason)
{
	(void)status;
	lost(of(u), reason, ORIGIN_REMOTE);
}

static const struct usage_class usage_class = {
	.name = "subscription",
	.request = on_request,
	.dialog_over = on_dialog_over,
};

/* ---- the first NOTIFY, or what is as good ---- */

static struct subscription_fork *join(struct subscription *s, struct dialog *d)
{
	struct subscription_fork *f = mem_new(struct subscription_fork);

	d->anonymous = s->hides;
	d->secure = slice_starts_ci(slice_str(s->target), SLICE("sips:"));
	f->s = s;
	f->state = SUBSTATE_PENDING;
	f->asked = s->asked;
	f->version = s->told;
	f->etag = mem_take(&s->etag);
	f->turn.go = on_turn;
	f->timer.fire = on_timer;
	list_append(&s->forks, &f->node);
	s->n_forks++;
	/* Others may follow until then, who came to see whether this one comes. */
	if (s->judged && s->hears_until)
		timer_arm_at(&s->ep->ua->timers, &s->timer, s->hears_until);
	usage_join(&f->usage, &usage_class, d);
	return f;
}

/* 4.4.1: the NOTIFY makes the dialog, and its route set. */
static struct subscription_fork *make(
	struct subscription *s, struct flow *reply_flow, struct msg *m)
{
	struct ua *ua = s->ep->ua;
	struct subscription_fork *f;
	struct dialog *d;

	if (dialog_new_server(&ua->dialogs, m, s->tag, &d) < 0) {
		uas_answer(ua, reply_flow, m,
			&(struct uas_reply){ .status = 400, .reason = SLICE("Bad Contact") });
		return NULL;
	}
	dialog_confirm(d, NULL);
	flow_hold_set(&d->in, reply_flow);
	d->local_cseq = s->request ? request_cseq(s->request) : s->cseq;
	f = join(s, d);
	subscription_fork_route(f);
	return f;
}

/* Whom it is for: with the names of a SUBSCRIBE, of the same package, and one dialog more may be.
 */
static struct subscription *find_awaiting(const struct ua *ua, const struct msg *m)
{
	struct buf key = BUF_NULL;
	struct map_node *node;
	struct subscription *s;

	buf_put(&key, m->call_id);
	buf_putc(&key, '\n');
	buf_put(&key, m->to_tag);
	node = map_find(&ua->subscriptions, buf_slice(&key));
	buf_deinit(&key);
	if (!node)
		return NULL;
	s = container_of(node, struct subscription, by_call);
	return subscription_fits(s, m) && s->n_forks < subscription_max_forks(s) ? s : NULL;
}

bool subscription_awaits(const struct ua *ua, const struct msg *m)
{
	const struct subscription *s = find_awaiting(ua, m);

	return s && (m->method == METHOD_NOTIFY || microsoft_takes_benotify(s->ep, m));
}

void subscription_receive(struct ua *ua, struct flow *reply_flow, struct msg *m)
{
	struct subscription *s = find_awaiting(ua, m);
	struct subscription_fork *f = s ? make(s, reply_flow, m) : NULL;

	if (f)
		subscription_fork_receive(f, reply_flow, m);
}

static struct subscription_fork *find_fork(const struct subscription *s, const struct dialog *d)
{
	list_for_each (node, &s->forks) {
		struct subscription_fork *f = list_entry(node, struct subscription_fork, node);

		if (f->usage.dialog == d)
			return f;
	}
	return NULL;
}

void subscription_fork_ride(struct subscription *s, const struct outcome *o)
{
	struct dialog_table *dialogs = &s->ep->ua->dialogs;
	struct dialog *d = dialog_find_of_response(dialogs, o->response);
	struct subscription_fork *f = d ? find_fork(s, d) : NULL;
	uint32_t cseq;

	if (!microsoft_is_piggyback(s->ep, o->response, &cseq))
		return;
	/* Who answers with the state is the only one who has it. */
	subscription_forget_call(s);
	/* Of a fetch the 2xx has no Contact: nothing is sent in its dialog. */
	if (!d) {
		(void)dialog_new_client(dialogs, o->request, o->response, &d);
		f = join(s, d);
	}
	if (f)
		ride(f, o->response, cseq);
}
