/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "protocol/ua/race.h"

#include "protocol/txn/timers.h"

/* RFC 8305 section 5: the Connection Attempt Delay. */
#define HEAD_START (250 * USEC_PER_MSEC)
/* No longer than a transaction would wait for its answer. */
#define GIVE_UP TIMER_F

static struct race_lane *lane_of(struct list *node)
{
	return list_entry(node, struct race_lane, by_flow);
}

static void lane_leave(struct race_lane *lane)
{
	struct flow *f = lane->flow;

	lane->flow = NULL;
	list_remove(&lane->by_flow);
	flow_unref(f);
}

static void lane_enter(struct race_lane *lane, struct flow *f)
{
	lane->flow = flow_ref(f);
	list_append(&f->racers, &lane->by_flow);
}

/* A connection that nobody else wants, beside the host and us, needs not be finished. */
static void lane_abandon(struct race_lane *lane)
{
	struct flow *f = lane->flow;

	if (!f)
		return;
	if (f->refs == 2 && f->state == FLOW_OPENING)
		flow_close(f, "another address was faster");
	lane_leave(lane);
}

void race_cancel(struct race *r)
{
	if (!r->ua)
		return;
	timer_cancel(&r->ua->timers, &r->timer);
	r->ua = NULL;
	lane_abandon(&r->lanes[0]);
	lane_abandon(&r->lanes[1]);
}

static void win(struct race *r, struct race_lane *lane)
{
	const struct race_lane *other = lane == &r->lanes[0] ? &r->lanes[1] : &r->lanes[0];
	struct locate_hop hop = lane->hop, spare = other->hop;
	bool has_spare = !other->failed;
	struct flow *f = flow_ref(lane->flow);

	race_cancel(r);
	r->ops->won(r, f, &hop, has_spare ? &spare : NULL);
	flow_unref(f);
}

static void open_second(struct race *r)
{
	struct race_lane *lane = &r->lanes[1];

	r->opened = true;
	lane_enter(lane, r->ops->open(r, &lane->hop));
	if (lane->flow->state == FLOW_UP)
		win(r, lane);
	else
		timer_arm_at(&r->ua->timers, &r->timer, r->give_up);
}

static void fall(struct race *r, struct race_lane *lane, const char *reason)
{
	struct locate_hop hop = lane->hop;

	lane_leave(lane);
	lane->failed = true;
	r->ops->fell(r, &hop, reason);
	if (r->lanes[0].flow || r->lanes[1].flow)
		return;
	if (!r->opened) {
		open_second(r);
		return;
	}
	race_cancel(r);
	r->ops->lost(r);
}

/* The head start is over, or all time is. */
static void on_timer(struct timer *t)
{
	struct race *r = container_of(t, struct race, timer);

	if (!r->opened) {
		open_second(r);
		return;
	}
	for (size_t i = 0; i < ARRAY_LEN(r->lanes); i++)
		if (r->lanes[i].flow)
			r->ops->fell(r, &r->lanes[i].hop, "connection timed out");
	race_cancel(r);
	r->ops->lost(r);
}

void race_start(struct race *r, struct ua *ua, struct flow *first, const struct locate_hop hops[2])
{
	race_cancel(r);
	r->ua = ua;
	r->opened = false;
	r->timer.fire = on_timer;
	r->give_up = ua->timers.now + GIVE_UP;
	for (size_t i = 0; i < ARRAY_LEN(r->lanes); i++) {
		r->lanes[i].race = r;
		r->lanes[i].hop = hops[i];
		r->lanes[i].failed = false;
	}
	lane_enter(&r->lanes[0], first);
	timer_arm(&ua->timers, &r->timer, HEAD_START);
}

void race_flow_up(struct flow *f)
{
	struct list *node;

	while ((node = list_first(&f->racers))) {
		struct race_lane *lane = lane_of(node);

		win(lane->race, lane);
	}
}

void race_flow_down(struct flow *f, const char *reason)
{
	struct list *node;

	while ((node = list_first(&f->racers))) {
		struct race_lane *lane = lane_of(node);

		fall(lane->race, lane, reason);
	}
}
