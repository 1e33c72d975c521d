/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "protocol/ua/turn.h"

static void drain(struct turn_queue *q)
{
	struct list *node;

	while (q->n_out < q->most && (node = list_first(&q->waiting))) {
		struct turn *t = list_entry(node, struct turn, node);

		list_remove(node);
		if (t->go(t)) {
			t->out = true;
			q->n_out++;
		}
	}
}

void turn_queue_init(struct turn_queue *q, size_t most)
{
	list_init(&q->waiting);
	q->n_out = 0;
	q->most = most;
}

void turn_ask(struct turn_queue *q, struct turn *t)
{
	if (t->out || list_is_linked(&t->node))
		return;
	list_append(&q->waiting, &t->node);
	drain(q);
}

void turn_end(struct turn_queue *q, struct turn *t)
{
	list_remove(&t->node);
	if (!t->out)
		return;
	t->out = false;
	q->n_out--;
	drain(q);
}

void turn_forget(struct turn_queue *q)
{
	struct list *node;

	while ((node = list_first(&q->waiting)))
		list_remove(node);
}
