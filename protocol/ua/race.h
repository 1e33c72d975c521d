/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
#include "protocol/base/timer.h"
#include "protocol/ua/locate.h"

/*
 * Two connections to one server over two families, after RFC 8305: the second is opened when the
 * first is not up in time, or failed; who is up first wins, and the other is let go. Nothing is
 * sent by the race. Zeroed is idle.
 */

struct race;

struct race_lane {
	struct race *race;
	struct list by_flow; /* in flow->racers */
	struct flow *flow;   /* NULL: not opened yet, or down */
	struct locate_hop hop;
	bool failed;
};

struct race_ops {
	/* A connection to that place, as host_ops.open() gives it. */
	struct flow *(*open)(struct race *r, const struct locate_hop *hop);
	/* f is up; the race is over and idle. spare did not fail; NULL: it did. */
	void (*won)(struct race *r, struct flow *f, const struct locate_hop *hop,
		const struct locate_hop *spare);
	/* One could not be opened: to be noted only; the race goes on unless lost() follows. */
	void (*fell)(struct race *r, const struct locate_hop *hop, const char *reason);
	/* Neither came up. The race is idle. */
	void (*lost)(struct race *r);
};

struct race {
	struct ua *ua; /* NULL: idle */
	const struct race_ops *ops;
	struct race_lane lanes[2];
	bool opened; /* the second as well */
	struct timer timer;
	usec_t give_up;
};

/*
 * first has just been opened and is not up. Outcomes come by later inputs; won() and lost() may
 * end what has the race.
 */
void race_start(struct race *r, struct ua *ua, struct flow *first, const struct locate_hop hops[2]);
/* Ends it without a word; does nothing to an idle one. */
void race_cancel(struct race *r);

/* For ua.c: what became of a flow that somebody races on. */
void race_flow_up(struct flow *f);
void race_flow_down(struct flow *f, const char *reason);
