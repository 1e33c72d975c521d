/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "protocol/ua/pace.h"

#include "protocol/base/mem.h"
#include "protocol/ua/ua.h"

static void on_timer(struct timer *t);

/* ---- tickets ---- */

static struct pace *find(const struct ua *ua, struct slice key)
{
	struct map_node *node = map_find(&ua->paces, key);

	return node ? container_of(node, struct pace, by_key) : NULL;
}

static struct pace *make(struct ua *ua, struct slice key)
{
	struct pace *p = mem_new(struct pace);

	p->ua = ua;
	p->key = slice_dup(key);
	p->timer.fire = on_timer;
	p->filled = ua->timers.now;
	list_init(&p->members);
	list_init(&p->queue);
	map_insert(&ua->paces, &p->by_key, slice_str(p->key));
	return p;
}

void pace_join(struct pace_ticket *t, struct ua *ua, struct slice key)
{
	struct pace *p = find(ua, key);

	t->pace = p ? p : make(ua, key);
	list_append(&t->pace->members, &t->member);
}

static void destroy(struct pace *p)
{
	timer_cancel(&p->ua->timers, &p->timer);
	map_remove(&p->ua->paces, &p->by_key);
	free(p->key);
	free(p);
}

void pace_part(struct pace_ticket *t)
{
	struct pace *p = t->pace;

	if (!p)
		return;
	pace_give_up(t);
	list_remove(&t->member);
	p->n_out -= t->out;
	t->out = false;
	t->pace = NULL;
	if (list_is_empty(&p->members))
		destroy(p);
	else if (!list_is_empty(&p->queue)) /* not now: a whole user agent may be going */
		timer_arm_at(&p->ua->timers, &p->timer, p->ua->timers.now);
}

bool pace_waits(const struct pace_ticket *t)
{
	return list_is_linked(&t->queue);
}

void pace_give_up(struct pace_ticket *t)
{
	list_remove(&t->queue);
	if (list_is_empty(&t->pace->queue))
		timer_cancel(&t->pace->ua->timers, &t->pace->timer);
}

/* ---- how many ---- */

static usec_t now_of(const struct pace *p)
{
	return p->ua->timers.now;
}

/* Attempts a second: twice as many with each second that the server has been there. */
static uint64_t rate_of(const struct pace *p)
{
	uint64_t rate = PACE_FIRST;

	for (usec_t lived = now_of(p) - p->since; lived >= USEC_PER_SEC && rate < PACE_MOST;
		lived -= USEC_PER_SEC)
		rate *= 2;
	return rate < PACE_MOST ? rate : PACE_MOST;
}

static void refill(struct pace *p)
{
	const uint64_t most = PACE_BURST * USEC_PER_SEC;
	usec_t now = now_of(p), idle = now - p->filled;

	if (idle > USEC_PER_SEC)
		idle = USEC_PER_SEC;
	p->tokens += idle * rate_of(p);
	if (p->tokens > most)
		p->tokens = most;
	p->filled = now;
}

/* What nobody has confirmed for a while is not known. */
static void age(struct pace *p)
{
	if (p->state == PACE_ALIVE && now_of(p) - p->heard > PACE_PROOF)
		p->state = PACE_UNKNOWN;
}

/* When the next one may go: now, later, or USEC_NEVER until one that is under way has ended. */
static usec_t next_turn(struct pace *p)
{
	age(p);
	if (p->closed > now_of(p))
		return p->closed;
	switch (p->state) {
	case PACE_UNKNOWN:
		return p->n_out < PACE_UNPROVEN ? now_of(p) : USEC_NEVER;
	case PACE_DEAD:
		if (p->n_out)
			return USEC_NEVER;
		return p->not_before > now_of(p) ? p->not_before : now_of(p);
	case PACE_ALIVE:
		break;
	}
	refill(p);
	if (p->tokens >= USEC_PER_SEC)
		return now_of(p);
	return now_of(p) + (USEC_PER_SEC - p->tokens) / rate_of(p) + 1;
}

usec_t pace_earliest(const struct pace *p)
{
	usec_t at = now_of(p);

	if (p->state == PACE_DEAD && p->not_before > at)
		at = p->not_before;
	return p->closed > at ? p->closed : at;
}

static void drain(struct pace *p)
{
	struct list *node;

	/* Who goes may end at once and come back here. */
	if (p->draining)
		return;
	p->draining = true;
	timer_cancel(&p->ua->timers, &p->timer);
	while ((node = list_first(&p->queue))) {
		struct pace_ticket *t = list_entry(node, struct pace_ticket, queue);
		usec_t at = next_turn(p);

		if (at > now_of(p)) {
			if (at != USEC_NEVER)
				timer_arm_at(&p->ua->timers, &p->timer, at);
			break;
		}
		list_remove(&t->queue);
		t->go(t);
	}
	p->draining = false;
}

static void on_timer(struct timer *t)
{
	drain(container_of(t, struct pace, timer));
}

void pace_ask(struct pace_ticket *t)
{
	if (pace_waits(t) || t->out)
		return;
	list_append(&t->pace->queue, &t->queue);
	drain(t->pace);
}

void pace_begin(struct pace_ticket *t)
{
	struct pace *p = t->pace;

	pace_give_up(t);
	if (t->out)
		return;
	t->out = true;
	t->begun = now_of(p);
	p->n_out++;
	if (p->state != PACE_ALIVE)
		return;
	refill(p);
	p->tokens -= p->tokens < USEC_PER_SEC ? p->tokens : USEC_PER_SEC;
}

/* ---- what is heard ---- */

static void revive(struct pace *p)
{
	list_for_each_safe (node, next, &p->members) {
		struct pace_ticket *t = list_entry(node, struct pace_ticket, member);

		t->revived(t);
	}
}

static void answered(struct pace *p, const struct pace_ticket *t)
{
	enum pace_state was = p->state;

	/* It is older than the wish to be left alone. */
	if (p->closed > now_of(p) && t->begun <= p->closed_at)
		return;
	p->closed = 0;
	p->heard = now_of(p);
	if (was == PACE_ALIVE)
		return;
	p->state = PACE_ALIVE;
	p->since = p->filled = now_of(p);
	p->tokens = PACE_BURST * USEC_PER_SEC;
	if (was == PACE_DEAD)
		revive(p);
}

static void silent(struct pace *p, const struct pace_ticket *t)
{
	/* Others have heard of it meanwhile: this one alone was not answered. */
	if (p->state == PACE_ALIVE && p->heard > t->begun)
		return;
	p->state = PACE_DEAD;
	p->not_before = now_of(p) + PACE_PROBE;
}

void pace_end(struct pace_ticket *t, enum pace_verdict verdict)
{
	struct pace *p = t->pace;

	if (!t->out)
		return;
	t->out = false;
	p->n_out--;
	switch (verdict) {
	case PACE_ANSWERED:
		answered(p, t);
		break;
	case PACE_SILENT:
		silent(p, t);
		break;
	case PACE_NEUTRAL: /* no answer either: the next probe waits as well */
		if (p->state == PACE_DEAD)
			silent(p, t);
		break;
	}
	drain(p);
}

void pace_close(struct pace *p, usec_t until)
{
	p->closed = until > p->closed ? until : p->closed;
	p->closed_at = now_of(p);
	p->state = PACE_DEAD;
	p->not_before = 0;
}

void pace_doubt(struct pace *p)
{
	if (p->state == PACE_ALIVE)
		p->state = PACE_UNKNOWN;
}

void pace_forget(struct pace *p)
{
	p->state = PACE_UNKNOWN;
	drain(p);
}
