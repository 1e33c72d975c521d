/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ipc/iface-clients.h"

#include <string.h>

#include "ipc/iface-owner.h"
#include "protocol/base/err.h"

/* One client's share. The last client's stays when it leaves the bus: its grace is the object's. */
struct iface_seat {
	struct list node; /* in clients->seats */
	struct iface_owned owned;
	struct iface_clients *clients;
	bool marked;
};

static struct iface_seat *of_node(struct list *node)
{
	return list_entry(node, struct iface_seat, node);
}

static struct iface_seat *of_owned(struct iface_owned *o)
{
	return container_of(o, struct iface_seat, owned);
}

static void drop(struct iface_seat *seat)
{
	iface_owned_deinit(&seat->owned);
	list_remove(&seat->node);
	free(seat);
}

/* The seat of that client, of nobody ("") if one is vacant, or NULL. */
static struct iface_seat *find(const struct iface_clients *cs, const char *client)
{
	list_for_each (node, &cs->seats) {
		struct iface_seat *seat = of_node(node);

		if (strcmp(iface_owned_by(&seat->owned), client) == 0)
			return seat;
	}
	return NULL;
}

static void on_owner_changed(struct iface_owned *o)
{
	struct iface_seat *seat = of_owned(o);
	struct iface_clients *cs = seat->clients;

	if (*iface_owned_by(o))
		cs->n++;
	else if (--cs->n)
		drop(seat);
	cs->class->changed(cs);
}

static usec_t get_grace(struct iface_owned *o)
{
	struct iface_clients *cs = of_owned(o)->clients;

	return cs->class->grace(cs);
}

static void on_owner_lost(struct iface_owned *o)
{
	struct iface_clients *cs = of_owned(o)->clients;

	cs->class->lost(cs);
}

static const struct iface_owned_class seat_class = {
	.changed = on_owner_changed,
	.grace = get_grace,
	.lost = on_owner_lost,
};

static struct iface_seat *add(struct iface_clients *cs)
{
	struct iface_seat *seat = mem_new(struct iface_seat);

	seat->clients = cs;
	iface_owned_init(&seat->owned, cs->iface, &seat_class);
	list_append(&cs->seats, &seat->node);
	return seat;
}

void iface_clients_init(
	struct iface_clients *cs, struct iface *iface, const struct iface_clients_class *class)
{
	*cs = (struct iface_clients){ .class = class, .iface = iface };
	list_init(&cs->seats);
}

void iface_clients_deinit(struct iface_clients *cs)
{
	for (struct list *node; (node = list_first(&cs->seats));)
		drop(of_node(node));
	cs->n = 0;
}

const char *iface_clients_owner(const struct iface_clients *cs)
{
	struct list *node = list_first(&cs->seats);

	return node ? iface_owned_by(&of_node(node)->owned) : "";
}

bool iface_clients_has(const struct iface_clients *cs, const char *client)
{
	return find(cs, client) != NULL;
}

int iface_clients_join(struct iface_clients *cs, const char *client)
{
	struct iface_seat *seat;

	if (iface_clients_has(cs, client))
		return 0;
	if (iface_owner_is_full(cs->iface, client))
		return -ENOSPC;
	seat = find(cs, "");
	if (seat)
		seat->marked = false;
	iface_own(seat ? &seat->owned : &add(cs)->owned, client);
	return 0;
}

void iface_clients_leave(struct iface_clients *cs, const char *client)
{
	struct iface_seat *seat = find(cs, client);

	if (!seat)
		return;
	drop(seat);
	cs->n--;
	cs->class->changed(cs);
}

void iface_clients_mark(struct iface_clients *cs, const char *client)
{
	struct iface_seat *seat = find(cs, client);

	if (seat)
		seat->marked = true;
}

bool iface_clients_is_marked(const struct iface_clients *cs, const char *client)
{
	const struct iface_seat *seat = find(cs, client);

	return seat && seat->marked;
}

const char *iface_clients_next(const struct iface_clients *cs, struct list **at)
{
	struct list *node = *at ? (*at)->next : list_first(&cs->seats);

	if (!node || node == &cs->seats || !cs->n)
		return NULL;
	*at = node;
	return iface_owned_by(&of_node(node)->owned);
}
