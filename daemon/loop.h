/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
#include "protocol/base/timer.h"

struct event;
struct event_base;
struct log_sink;
struct ua;

#define LOOP_SLEEP (2 * USEC_PER_SEC) /* a shorter sleep is none */

enum loop_signal {
	LOOP_TERMINATE, /* SIGTERM, SIGINT */
	LOOP_RELOAD,    /* SIGHUP */
};

/*
 * The one loop: sockets through libevent, all deadlines through one timerfd. The clock is
 * CLOCK_BOOTTIME, since a registration runs out while the machine sleeps.
 */
struct loop {
	struct event_base *base;
	const struct log_sink *log;
	/* Set when there is one; every input advances it to the present first. */
	struct ua *ua;
	/* The daemon's own deadlines: idle connections, look-ups, pacing. */
	struct timerq timers;
	/* Runs after every round of the loop, outside of the core; may be NULL. */
	void (*after)(void *ctx);
	void *after_ctx;
	void (*on_signal)(void *ctx, enum loop_signal s);
	void *on_signal_ctx;
	/* The machine slept and is awake again; may be NULL. */
	void (*on_resume)(void *ctx);
	void *on_resume_ctx;

	usec_t slept; /* since the machine was booted, all in all */
	int timer_fd, clock_fd;
	usec_t armed; /* what timer_fd is set to */
	struct event *timer_event, *clock_event, *signal_events[3];
	bool quit;
};

/* 0, or a negative errno that has been logged. log is borrowed. */
int loop_init(struct loop *l, const struct log_sink *log);
void loop_deinit(struct loop *l);
/* Turns until loop_quit(). -EIO: libevent gave up. */
int loop_run(struct loop *l);
void loop_quit(struct loop *l);

/*
 * Before everything that reaches the core from outside of it: the time first, so that timers are
 * counted from now and not from the last input. The deadline is set again after each round.
 */
void loop_enter(struct loop *l);
/*
 * Fires t between two rounds, after sockets had their turn: for what must not call back at once.
 * Does nothing if it is armed already.
 */
void loop_soon(struct loop *l, struct timer *t);
usec_t loop_now(void);
/* Epoch microseconds. */
int64_t loop_wall(void);
