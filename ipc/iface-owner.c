/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ipc/iface-owner.h"

#include "ipc/bus-client.h"
#include "ipc/bus.h"
#include "ipc/iface-private.h"

/* A client with something of its own; one watch for all of it. Goes with the last thing. */
struct iface_owner {
	struct map_node by_name; /* in iface->owners */
	char *name;
	struct bus_watch *watch;
	struct list things; /* of struct iface_owned */
	size_t n;
	size_t n_counted; /* of them, against the limit */
};

static struct iface_owner *find(const struct iface *i, const char *client)
{
	struct map_node *node = map_find(&i->owners, slice_str(client));

	return node ? container_of(node, struct iface_owner, by_name) : NULL;
}

static void forget_owner(struct iface *i, struct iface_owner *owner)
{
	map_remove(&i->owners, &owner->by_name);
	bus_unwatch(owner->watch);
	free(owner->name);
	free(owner);
}

/* Takes o from its owner, who goes with the last thing. */
static void detach(struct iface_owned *o)
{
	struct iface_owner *owner = mem_take(&o->owner);

	if (!owner)
		return;
	list_remove(&o->node);
	owner->n_counted -= !o->class->is_theirs;
	if (--owner->n == 0)
		forget_owner(o->iface, owner);
}

static void on_client_left(void *ctx, const char *client)
{
	struct iface_owner *owner = ctx;
	bool last = false;

	(void)client;
	while (!last) {
		last = owner->n == 1;
		iface_disown(list_entry(list_first(&owner->things), struct iface_owned, node));
	}
}

static struct iface_owner *get(struct iface *i, const char *client)
{
	struct iface_owner *owner = find(i, client);

	if (owner)
		return owner;
	owner = mem_new(struct iface_owner);
	owner->name = mem_strdup(client);
	map_insert(&i->owners, &owner->by_name, slice_str(owner->name));
	owner->watch = bus_watch_client(i->bus, client, on_client_left, owner);
	return owner;
}

static void on_grace_over(struct timer *t)
{
	struct iface_owned *o = container_of(t, struct iface_owned, grace);

	o->class->lost(o);
}

void iface_owned_init(
	struct iface_owned *o, struct iface *iface, const struct iface_owned_class *class)
{
	*o = (struct iface_owned){ .class = class, .iface = iface };
	o->grace.fire = on_grace_over;
}

void iface_owned_deinit(struct iface_owned *o)
{
	bus_timer_cancel(o->iface->bus, &o->grace);
	detach(o);
}

const char *iface_owned_by(const struct iface_owned *o)
{
	return o->owner ? o->owner->name : "";
}

bool iface_owner_is_full(const struct iface *i, const char *client)
{
	const struct iface_owner *owner = find(i, client);

	return owner && owner->n_counted >= IFACE_OWNED_PER_CLIENT;
}

void iface_own(struct iface_owned *o, const char *client)
{
	struct iface_owner *owner = get(o->iface, client);

	if (owner == o->owner)
		return;
	detach(o);
	bus_timer_cancel(o->iface->bus, &o->grace);
	o->owner = owner;
	owner->n++;
	owner->n_counted += !o->class->is_theirs;
	list_append(&owner->things, &o->node);
	o->class->changed(o);
}

void iface_disown(struct iface_owned *o)
{
	if (!o->owner)
		return;
	detach(o);
	bus_timer_arm(o->iface->bus, &o->grace, o->class->grace(o));
	o->class->changed(o);
}

bool iface_is_in_grace(const struct iface_owned *o)
{
	return timer_is_armed(&o->grace);
}
