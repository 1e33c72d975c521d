/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What changed since clients last heard of it. Objects that came and properties that changed wait
 * in two lists; what waits is sent before any message that could presuppose it: new objects before
 * everything, marks before messages of the same object. Order within an object is the table's.
 */
#include <string.h>

#include "ipc/bus-object.h"
#include "ipc/bus-peer.h"
#include "ipc/bus-table.h"

#define OBJECT_MANAGER "org.freedesktop.DBus.ObjectManager"

bool bus_change_is_managed(const struct bus_object *o)
{
	const char *root = o->bus->root;
	size_t n = strcmp(root, "/") == 0 ? 0 : strlen(root);

	return strncmp(o->path, root, n) == 0 && o->path[n] == '/' && o->path[n + 1];
}

static void send_and_close(struct bus *bus, struct bus_writer *w)
{
	DBusMessage *m = bus_writer_take(w);

	if (m) {
		bus_send_raw(bus, m);
		dbus_message_unref(m);
	} else {
		log_line(bus->log, LOG_LEVEL_ERROR, "bus: a change signal was not sent: %s",
			w->flaw);
		bus_writer_deinit(w);
	}
}

void bus_change_write_all(struct bus_writer *w, struct bus_object *o,
	const struct bus_interface *interface, const struct bus_client *client)
{
	for (const struct bus_property *p = interface->properties; p && p->name; p++) {
		if (bus_dispatch_allow_property(client, interface, o, p) < 0)
			continue;
		bus_open_entry(w, p->name, p->sig);
		p->get(w, o->user);
		bus_close(w);
	}
}

static void send_added(struct bus_object *o)
{
	const struct bus_head head = { .type = DBUS_MESSAGE_TYPE_SIGNAL,
		.path = o->bus->root,
		.interface = OBJECT_MANAGER,
		.member = "InterfacesAdded",
		.sig = "oa{sa{sv}}" };
	struct bus_writer w;

	list_remove(&o->in_added);
	bus_writer_init(&w, &head);
	bus_write_o(&w, o->path);
	bus_open_array(&w, "{sa{sv}}");
	for (size_t i = 0; o->interfaces[i]; i++) {
		bus_open_pair(&w, o->interfaces[i]->name);
		bus_open_dict(&w);
		bus_change_write_all(&w, o, o->interfaces[i], NULL);
		bus_close(&w);
		bus_close(&w);
	}
	bus_close(&w);
	send_and_close(o->bus, &w);
}

static void send_removed(struct bus_object *o)
{
	const struct bus_head head = { .type = DBUS_MESSAGE_TYPE_SIGNAL,
		.path = o->bus->root,
		.interface = OBJECT_MANAGER,
		.member = "InterfacesRemoved",
		.sig = "oas" };
	struct bus_writer w;

	bus_writer_init(&w, &head);
	bus_write_o(&w, o->path);
	bus_open_array(&w, "s");
	for (size_t i = 0; o->interfaces[i]; i++)
		bus_write_str(&w, o->interfaces[i]->name);
	bus_close(&w);
	send_and_close(o->bus, &w);
}

/* Those of marks whose values everybody may hear; of the others, everybody hears the names. */
static uint64_t public_values(
	const struct bus_object *o, const struct bus_interface *interface, uint64_t marks)
{
	const struct bus_property *rows = interface->properties;
	uint64_t values = 0;

	for (size_t i = 0; rows[i].name; i++)
		if (marks >> i & 1 && rows[i].flags & BUS_EMITS &&
			bus_dispatch_allow_property(NULL, interface, o, &rows[i]) == 0)
			values |= UINT64_C(1) << i;
	return values;
}

static void send_changed(
	struct bus_object *o, const struct bus_interface *interface, uint64_t marks)
{
	const struct bus_property *rows = interface->properties;
	uint64_t values = public_values(o, interface, marks);
	const struct bus_head head = { .type = DBUS_MESSAGE_TYPE_SIGNAL,
		.path = o->path,
		.interface = DBUS_INTERFACE_PROPERTIES,
		.member = "PropertiesChanged",
		.sig = "sa{sv}as" };
	struct bus_writer w;

	bus_writer_init(&w, &head);
	bus_write_str(&w, interface->name);
	bus_open_dict(&w);
	for (size_t i = 0; rows[i].name; i++) {
		if (!((marks & values) >> i & 1))
			continue;
		bus_open_entry(&w, rows[i].name, rows[i].sig);
		rows[i].get(&w, o->user);
		bus_close(&w);
	}
	bus_close(&w);
	bus_open_array(&w, "s");
	for (size_t i = 0; rows[i].name; i++)
		if ((marks & ~values) >> i & 1)
			bus_write_str(&w, rows[i].name);
	bus_close(&w);
	send_and_close(o->bus, &w);
}

static void flush_object(struct bus_object *o)
{
	if (!list_is_linked(&o->in_dirty))
		return;
	list_remove(&o->in_dirty);
	for (size_t i = 0; o->interfaces[i]; i++) {
		uint64_t marks = o->dirty[i];

		o->dirty[i] = 0;
		if (marks)
			send_changed(o, o->interfaces[i], marks);
	}
}

static void flush_added(struct bus *bus)
{
	for (struct list *node; (node = list_first(&bus->added));)
		send_added(list_entry(node, struct bus_object, in_added));
}

void bus_change_flush_before(struct bus *bus, struct bus_object *o)
{
	flush_added(bus);
	if (o)
		flush_object(o);
}

void bus_change_flush(struct bus *bus)
{
	flush_added(bus);
	for (struct list *node; (node = list_first(&bus->dirty));)
		flush_object(list_entry(node, struct bus_object, in_dirty));
}

static void wait_in(struct bus *bus, struct list *queue, struct list *node)
{
	list_append(queue, node);
	bus->host.wake(bus->host.ctx);
}

void bus_change_add(struct bus_object *o)
{
	if (bus_change_is_managed(o))
		wait_in(o->bus, &o->bus->added, &o->in_added);
}

void bus_change_remove(struct bus_object *o)
{
	bus_change_flush_before(o->bus, o);
	if (bus_change_is_managed(o))
		send_removed(o);
}

void bus_changed(struct bus_object *o, const struct bus_interface *interface, const char *property)
{
	const struct bus_property *rows = interface->properties;
	size_t i = 0, bit = 0;

	if (!o)
		return;
	while (o->interfaces[i] && o->interfaces[i] != interface)
		i++;
	while (rows[bit].name && strcmp(rows[bit].name, property) != 0)
		bit++;
	if (!o->interfaces[i] || !rows[bit].name || rows[bit].flags & BUS_CONST) {
		log_line(o->bus->log, LOG_LEVEL_ERROR, "bus: %s: %s.%s cannot change", o->path,
			interface->name, property);
		return;
	}
	/* An object that is still to be announced is announced with its newest values. */
	if (!(rows[bit].flags & (BUS_EMITS | BUS_INVALIDATES)) || list_is_linked(&o->in_added))
		return;
	o->dirty[i] |= UINT64_C(1) << bit;
	if (!list_is_linked(&o->in_dirty))
		wait_in(o->bus, &o->bus->dirty, &o->in_dirty);
}
