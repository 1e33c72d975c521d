/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
#include "protocol/base/list.h"

/*
 * Thousands of subscriptions of one endpoint begin, or thousands of subscribers are to hear of the
 * same change, in the same moment: so many requests are under way at a time, and the others wait in
 * the order in which they came.
 */
struct turn_queue {
	struct list waiting; /* of struct turn */
	size_t n_out, most;
};

/* Who wants to send a request. Zeroed: does not. */
struct turn {
	struct list node; /* in turn_queue.waiting */
	bool out;         /* it is under way */
	/* Sends it, and calls nobody; false: it was not sent, and is as if never asked for. */
	bool (*go)(struct turn *t);
};

void turn_queue_init(struct turn_queue *q, size_t most);
/* t->go() is called when it may be sent, perhaps before this returns. Once is enough. */
void turn_ask(struct turn_queue *q, struct turn *t);
/* It was answered, or is not wanted any more. */
void turn_end(struct turn_queue *q, struct turn *t);
/* Who waits, waits in vain. */
void turn_forget(struct turn_queue *q);
