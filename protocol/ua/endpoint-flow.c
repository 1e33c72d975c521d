/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "protocol/ua/endpoint-flow.h"

#include "protocol/base/mem.h"
#include "protocol/ua/limits.h"

static struct endpoint_connection *connection_of(struct list *node)
{
	return list_entry(node, struct endpoint_connection, node);
}

static void connection_free(struct endpoint_connection *c)
{
	list_remove(&c->link.node);
	list_remove(&c->node);
	c->ep->n_connections--;
	free(c);
}

static void on_changed(struct flow_link *l)
{
	struct endpoint_connection *c = container_of(l, struct endpoint_connection, link);
	struct endpoint *ep = c->ep;

	if (!list_is_linked(&l->node))
		connection_free(c);
	if (!ep->leaving)
		endpoint_mark(ep, UA_CHANGE_CONNECTIONS);
}

/* The latest is looked for most often, and so is the first in the list. */
static struct endpoint_connection *find(const struct endpoint *ep, const struct flow *f)
{
	list_for_each (node, &ep->connections)
		if (connection_of(node)->flow == f)
			return connection_of(node);
	return NULL;
}

void endpoint_flow_use(struct endpoint *ep, struct flow *f)
{
	struct endpoint_connection *c;

	if (f->state == FLOW_DOWN || (!flow_is_reliable(f) && f != ep->flow))
		return;
	c = find(ep, f);
	if (c) {
		list_remove(&c->node);
		list_prepend(&ep->connections, &c->node);
		return;
	}
	/* One that talks to very many shows the latest. */
	if (ep->n_connections == LIMITS_ENDPOINT_CONNECTIONS)
		connection_free(connection_of(ep->connections.prev));
	c = mem_new(struct endpoint_connection);
	c->ep = ep;
	c->flow = f;
	c->link.changed = on_changed;
	list_append(&f->links, &c->link.node);
	list_prepend(&ep->connections, &c->node);
	ep->n_connections++;
	if (!ep->leaving)
		endpoint_mark(ep, UA_CHANGE_CONNECTIONS);
}

struct flow *endpoint_flow_find(const struct endpoint *ep, uint64_t id)
{
	list_for_each (node, &ep->connections)
		if (connection_of(node)->flow->id == id)
			return connection_of(node)->flow;
	return NULL;
}

bool endpoint_flow_has_others(const struct endpoint *ep, const struct flow *f)
{
	list_for_each (node, &f->links) {
		const struct flow_link *l = list_entry(node, struct flow_link, node);
		const struct endpoint_connection *c = container_of(
			(struct flow_link *)(uintptr_t)l, struct endpoint_connection, link);

		/* A response that goes over it is nobody's connection. */
		if (l->changed == on_changed && c->ep->profile != ep->profile)
			return true;
	}
	return false;
}

void endpoint_flow_deinit(struct endpoint *ep)
{
	struct list *node;

	while ((node = list_first(&ep->connections)))
		connection_free(connection_of(node));
}
