/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "protocol/base/later.h"

#include <assert.h>

void later_enter(struct later *l)
{
	l->depth++;
}

void later_leave(struct later *l)
{
	struct list *node;

	assert(l->depth > 0);
	/* Depth stays at one while delivering: entry points called by listeners only queue. */
	if (l->depth == 1) {
		while ((node = list_first(&l->notes))) {
			struct later_note *n = list_entry(node, struct later_note, node);

			list_remove(node);
			n->deliver(n);
		}
	}
	l->depth--;
}

void later_postpone(struct later *l)
{
	assert(l->depth > 0);
	l->depth--;
}

bool later_is_empty(const struct later *l)
{
	return list_is_empty(&l->notes);
}

void later_queue(struct later *l, struct later_note *n)
{
	assert(n->deliver);
	if (!list_is_linked(&n->node))
		list_append(&l->notes, &n->node);
}

void later_cancel(struct later_note *n)
{
	list_remove(&n->node);
}
