/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ipc/bus.h"

#include "ipc/bus-object.h"
#include "ipc/bus-peer.h"

/* One match for all names, from the first moment on: no departure can slip through. */
static void watch_departures(struct bus *bus)
{
	const char *rule = "type='signal',sender='" DBUS_SERVICE_DBUS "',path='" DBUS_PATH_DBUS
			   "',interface='" DBUS_INTERFACE_DBUS "',member='NameOwnerChanged'";
	DBusMessage *m = dbus_message_new_method_call(
		DBUS_SERVICE_DBUS, DBUS_PATH_DBUS, DBUS_INTERFACE_DBUS, "AddMatch");

	if (!m || !dbus_message_append_args(m, DBUS_TYPE_STRING, &rule, DBUS_TYPE_INVALID))
		abort();
	dbus_message_set_no_reply(m, TRUE);
	bus_send(bus, NULL, m);
}

struct bus *bus_new(const struct bus_host *host, const char *root, const struct log_sink *log)
{
	struct bus *bus = mem_new(struct bus);
	/* The hash need not be secret: whoever names things here is limited in number. */
	uint64_t seed = (uint64_t)(uintptr_t)bus;

	bus->host = *host;
	bus->root = root;
	bus->log = log;
	timerq_init(&bus->timers, host->now(host->ctx));
	map_init(&bus->objects, seed);
	map_init(&bus->clients, seed);
	map_init(&bus->asks, seed);
	watch_departures(bus);
	return bus;
}

struct bus *bus_free(struct bus *bus)
{
	if (!bus)
		return NULL;
	bus_client_drop_all(bus);
	bus_ask_drop_all(bus);
	timerq_deinit(&bus->timers);
	map_deinit(&bus->objects);
	map_deinit(&bus->clients);
	map_deinit(&bus->asks);
	free(bus);
	return NULL;
}

uint32_t bus_send_raw(struct bus *bus, DBusMessage *m)
{
	return bus->lost ? 0 : bus->host.send(bus->host.ctx, m);
}

uint32_t bus_send(struct bus *bus, struct bus_object *o, DBusMessage *m)
{
	uint32_t serial;

	bus_change_flush_before(bus, o);
	serial = bus_send_raw(bus, m);
	dbus_message_unref(m);
	return serial;
}

static void name_owner_changed(struct bus *bus, DBusMessage *m)
{
	const char *name, *before, *after;

	if (!dbus_message_has_sender(m, DBUS_SERVICE_DBUS) ||
		!dbus_message_get_args(m, NULL, DBUS_TYPE_STRING, &name, DBUS_TYPE_STRING, &before,
			DBUS_TYPE_STRING, &after, DBUS_TYPE_INVALID))
		return;
	if (name[0] == ':' && !after[0])
		bus_client_left(bus, name);
}

enum bus_handled bus_receive(struct bus *bus, DBusMessage *m)
{
	struct bus_client *client;
	const char *sender = dbus_message_get_sender(m);

	switch (dbus_message_get_type(m)) {
	case DBUS_MESSAGE_TYPE_METHOD_CALL:
		client = bus_client_get(bus, sender ? sender : "");
		bus_client_dispatch(client, m);
		bus_client_unref(client);
		return BUS_HANDLED;
	case DBUS_MESSAGE_TYPE_METHOD_RETURN:
	case DBUS_MESSAGE_TYPE_ERROR:
		return bus_ask_receive(bus, m);
	case DBUS_MESSAGE_TYPE_SIGNAL:
		if (dbus_message_is_signal(m, DBUS_INTERFACE_DBUS, "NameOwnerChanged"))
			name_owner_changed(bus, m);
		return BUS_NOT_OURS;
	default: /* a type from the future: the specification says to ignore it */
		return BUS_NOT_OURS;
	}
}

usec_t bus_deadline(const struct bus *bus)
{
	if (!list_is_empty(&bus->added) || !list_is_empty(&bus->dirty))
		return 0;
	return timerq_next(&bus->timers);
}

void bus_work(struct bus *bus)
{
	timerq_run(&bus->timers, bus->host.now(bus->host.ctx));
	bus_change_flush(bus);
}

void bus_timer_arm(struct bus *bus, struct timer *t, usec_t delay)
{
	/* The queue's own time is that of its last run, which may be long ago. */
	timer_arm_at(&bus->timers, t, bus->host.now(bus->host.ctx) + delay);
	bus->host.wake(bus->host.ctx);
}

void bus_timer_cancel(struct bus *bus, struct timer *t)
{
	timer_cancel(&bus->timers, t);
}

void bus_lost(struct bus *bus)
{
	bus->lost = true;
	bus_ask_fail_all(bus);
	for (struct map_node *node; (node = map_any(&bus->clients));)
		bus_client_left(bus, container_of(node, struct bus_client, by_name)->name);
}
