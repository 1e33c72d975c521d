/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "protocol/ua/subscription-turn.h"

#include "protocol/ua/endpoint.h"
#include "protocol/ua/limits.h"

/*
 * Thousands of subscriptions of one endpoint begin, or lose their server, in the same moment: so
 * many SUBSCRIBEs are under way at a time, and the others wait in the order in which they came.
 */

static void drain(struct endpoint *ep)
{
	struct list *node;

	while (ep->n_asking < LIMITS_SUBSCRIBES_PER_ENDPOINT && (node = list_first(&ep->asking))) {
		struct subscription_turn *t = list_entry(node, struct subscription_turn, node);

		list_remove(node);
		if (t->go(t)) {
			t->out = true;
			ep->n_asking++;
		}
	}
}

void subscription_turn_ask(struct endpoint *ep, struct subscription_turn *t)
{
	if (t->out || list_is_linked(&t->node))
		return;
	list_append(&ep->asking, &t->node);
	drain(ep);
}

void subscription_turn_end(struct endpoint *ep, struct subscription_turn *t)
{
	list_remove(&t->node);
	if (!t->out)
		return;
	t->out = false;
	ep->n_asking--;
	drain(ep);
}

void subscription_turn_forget(struct endpoint *ep)
{
	struct list *node;

	while ((node = list_first(&ep->asking)))
		list_remove(node);
}
