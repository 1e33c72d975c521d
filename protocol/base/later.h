/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
#include "protocol/base/list.h"

/*
 * Deferred notifications. No listener runs inside a state machine: the machine queues a note, and
 * the outermost entry point delivers all notes on its way out, so a listener may call anything,
 * including the free function of the object that told it.
 *
 * A note is embedded in, or allocated with, what it tells about. Queueing a queued note leaves it
 * where it is. Whoever frees the object cancels its notes.
 */
struct later_note {
	struct list node;
	void (*deliver)(struct later_note *n);
};

struct later {
	struct list notes;
	unsigned depth; /* entry points on the stack */
};

void later_enter(struct later *l);
/* The outermost leave delivers until nothing is queued, including what listeners queue meanwhile.
 */
void later_leave(struct later *l);
/* Leaves without delivering: what is queued waits until somebody enters and leaves again. */
void later_postpone(struct later *l);
bool later_is_empty(const struct later *l);
void later_queue(struct later *l, struct later_note *n);
void later_cancel(struct later_note *n);
