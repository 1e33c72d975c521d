/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The tree. Every node from "/" down to an object exists; those without interfaces are steps on the
 * way and vanish with the last object below them.
 */
#include "ipc/bus-object.h"

#include <errno.h>
#include <string.h>

#include "ipc/bus-peer.h"
#include "ipc/bus-table.h"

struct bus_object *bus_object_at(struct bus *bus, const char *path)
{
	struct map_node *node = map_find(&bus->objects, slice_str(path));

	return node ? container_of(node, struct bus_object, by_path) : NULL;
}

static struct bus_object *add_node(struct bus *bus, struct slice path, struct bus_object *parent)
{
	struct bus_object *o = mem_new(struct bus_object);

	o->bus = bus;
	o->path = slice_dup(path);
	o->parent = parent;
	if (parent)
		list_append(&parent->children, &o->sibling);
	map_insert(&bus->objects, &o->by_path, slice_of(o->path, path.n));
	return o;
}

/* The node at path; makes it, and those above it, as needed. */
static struct bus_object *get_node(struct bus *bus, const char *path)
{
	struct slice whole = slice_str(path);
	struct bus_object *o = NULL;

	for (size_t n = 1; n <= whole.n; n++) {
		struct slice step = slice_head(whole, n);
		struct map_node *node;

		/* "/" itself, and every prefix that ends where an element does. */
		if (n > 1 && n < whole.n && whole.p[n] != '/')
			continue;
		node = map_find(&bus->objects, step);
		o = node ? container_of(node, struct bus_object, by_path) : add_node(bus, step, o);
	}
	return o;
}

/* Removes o and what is above it, as far as nothing needs it. */
static void prune(struct bus_object *o)
{
	while (o && !o->interfaces && list_is_empty(&o->children)) {
		struct bus_object *parent = o->parent;

		map_remove(&o->bus->objects, &o->by_path);
		list_remove(&o->sibling);
		free(o->path);
		free(o);
		o = parent;
	}
}

/* Tables fit into the words and arrays that are made for them. */
static bool are_sane(const struct bus_interface *const *interfaces)
{
	for (; *interfaces; interfaces++) {
		const struct bus_property *p = (*interfaces)->properties;
		const struct bus_method *m = (*interfaces)->methods;
		size_t n = 0;

		while (p && p[n].name)
			n++;
		if (n > BUS_PROPERTIES_MAX)
			return false;
		for (; m && m->name; m++) {
			for (n = 0; m->options && m->options[n].name; n++)
				;
			if (n > BUS_OPTIONS_MAX)
				return false;
		}
	}
	return true;
}

int bus_object_new(struct bus *bus, const char *path, const struct bus_interface *const *interfaces,
	void *user, struct bus_object **ret_object)
{
	struct bus_object *o;
	size_t n = 0;

	if (!dbus_validate_path(path, NULL) || !are_sane(interfaces))
		return -EINVAL;
	o = bus_object_at(bus, path);
	if (o && o->interfaces)
		return -EEXIST;
	o = get_node(bus, path);
	for (; interfaces[n]; n++)
		bus->guarded = bus->guarded || interfaces[n]->guard;
	o->interfaces = interfaces;
	o->user = user;
	o->dirty = mem_zalloc((n + 1) * sizeof(*o->dirty));
	list_append(&bus->all, &o->in_all);
	bus_change_add(o);
	*ret_object = o;
	return 0;
}

struct bus_object *bus_object_free(struct bus_object *o)
{
	if (!o)
		return NULL;
	bus_change_remove(o);
	bus_call_object_gone(o);
	list_remove(&o->in_all);
	free(mem_take(&o->dirty));
	o->interfaces = NULL;
	o->user = NULL;
	prune(o);
	return NULL;
}

const char *bus_object_path(const struct bus_object *o)
{
	return o->path;
}

void *bus_object_user(const struct bus_object *o)
{
	return o->user;
}

void *bus_object_find(struct bus *bus, const char *path, const struct bus_interface *interface)
{
	struct bus_object *o = bus_object_at(bus, path);

	for (size_t i = 0; o && o->interfaces && o->interfaces[i]; i++)
		if (o->interfaces[i] == interface)
			return o->user;
	return NULL;
}

static int by_name(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

const char **bus_object_children(const struct bus_object *o, size_t *ret_n)
{
	const char **names;
	size_t n = 0;

	list_for_each (pos, &o->children)
		n++;
	names = mem_alloc((n + 1) * sizeof(*names));
	n = 0;
	list_for_each (pos, &o->children)
		names[n++] = strrchr(list_entry(pos, struct bus_object, sibling)->path, '/') + 1;
	qsort(names, n, sizeof(*names), by_name);
	*ret_n = n;
	return names;
}
