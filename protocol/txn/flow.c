/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "protocol/txn/flow.h"

#include <assert.h>
#include <string.h>

void flow_init(struct flow *f, const struct flow_ops *ops, enum transport transport)
{
	*f = (struct flow){ .ops = ops, .refs = 1, .transport = transport };
	list_init(&f->txns);
	list_init(&f->endpoints);
	list_init(&f->racers);
	list_init(&f->registrations);
	list_init(&f->holds);
	list_init(&f->links);
}

struct flow *flow_ref(struct flow *f)
{
	if (f)
		f->refs++;
	return f;
}

void flow_unref(struct flow *f)
{
	if (!f)
		return;
	assert(f->refs > 1);
	if (--f->refs == 1)
		f->ops->unused(f);
}

void flow_changed(struct flow *f)
{
	list_for_each (node, &f->links) {
		struct flow_link *l = list_entry(node, struct flow_link, node);

		l->changed(l);
	}
}

void flow_forget(struct flow *f)
{
	struct list *node;

	while ((node = list_first(&f->links))) {
		struct flow_link *l = list_entry(node, struct flow_link, node);

		list_remove(&l->node);
		l->changed(l);
	}
}

bool flow_is_unused(const struct flow *f)
{
	return f->refs <= 1;
}

void flow_close(struct flow *f, const char *reason)
{
	if (f->state != FLOW_DOWN && f->ops->close)
		f->ops->close(f, reason);
}

void flow_send(struct flow *f, struct slice bytes)
{
	if (f->state == FLOW_DOWN)
		return;
	f->n_sent++;
	f->ops->send(f, bytes);
}

bool flow_is_reliable(const struct flow *f)
{
	return transport_is_reliable(f->transport);
}

struct slice flow_local_host(const struct flow *f)
{
	return f->local.host[0] ? flow_addr_host(&f->local) : SLICE("0.0.0.0");
}

struct slice flow_addr_host(const struct flow_addr *a)
{
	return slice_of(a->host, strcspn(a->host, "%"));
}

bool flow_addr_equal(const struct flow_addr *a, const struct flow_addr *b)
{
	return a->port == b->port && strcmp(a->host, b->host) == 0;
}

void flow_hold_set(struct flow_hold *h, struct flow *f)
{
	if (f && f->state == FLOW_DOWN)
		f = NULL;
	if (f == h->flow)
		return;
	flow_ref(f);
	list_remove(&h->node);
	flow_unref(h->flow);
	h->flow = f;
	if (f)
		list_append(&f->holds, &h->node);
}

void flow_drop_holds(struct flow *f)
{
	struct list *node;

	while ((node = list_first(&f->holds)))
		flow_hold_set(list_entry(node, struct flow_hold, node), NULL);
}
