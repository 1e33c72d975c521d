/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Microseconds on the host's one monotonic clock; a duration where the name says so. */
typedef uint64_t usec_t;
#define USEC_PER_MSEC ((usec_t)1000)
#define USEC_PER_SEC ((usec_t)1000000)
#define USEC_NEVER UINT64_MAX

/*
 * Deadlines without a clock: the queue knows the time only because its owner says so. Timers are
 * embedded in what they time; a zeroed timer is idle. Equal deadlines fire in the order in which
 * they were armed, so that transcripts repeat.
 */
struct timer {
	usec_t at;
	uint64_t seq;
	size_t slot; /* place in the heap, counted from 1; 0: idle */
	void (*fire)(struct timer *t);
};

struct timerq {
	struct timer **heap; /* heap[0] is the earliest */
	size_t n, cap;
	uint64_t seq;
	usec_t now;
};

void timerq_init(struct timerq *q, usec_t now);
/* Every armed timer becomes idle. */
void timerq_deinit(struct timerq *q);
/* The earliest deadline, USEC_NEVER if none. */
usec_t timerq_next(const struct timerq *q);
/*
 * The moment `now` has come. Fires what is due, earliest first; a timer that is late sees the real
 * now, so resuming from sleep does not replay what should have happened meanwhile. What a timer
 * arms while firing waits for the next run unless it is due already. Time never goes back: an
 * earlier now counts as the last one.
 */
void timerq_run(struct timerq *q, usec_t now);

/* (Re-)arms for now + delay, saturating at USEC_NEVER. t->fire must be set. */
void timer_arm(struct timerq *q, struct timer *t, usec_t delay);
void timer_arm_at(struct timerq *q, struct timer *t, usec_t at);
/* Does nothing to an idle timer. */
void timer_cancel(struct timerq *q, struct timer *t);
bool timer_is_armed(const struct timer *t);
