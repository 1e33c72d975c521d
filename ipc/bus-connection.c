/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ipc/bus-connection.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "ipc/bus-loop.h"
#include "ipc/bus.h"
#include "protocol/base/log.h"
#include "protocol/base/mem.h"

struct bus_connection {
	struct bus_connection_setup setup;
	DBusConnection *dbus;
	struct bus *bus;
	struct bus_loop *loop;
};

/* What the last messages get to reach a bus that does not read. */
enum { LAST_WORDS_MS = 1000 };

static uint32_t on_send(void *ctx, DBusMessage *m)
{
	struct bus_connection *c = ctx;
	dbus_uint32_t serial = 0;

	if (!dbus_connection_get_is_connected(c->dbus))
		return 0;
	if (!dbus_connection_send(c->dbus, m, &serial))
		abort();
	return serial;
}

static void on_wake(void *ctx)
{
	struct bus_connection *c = ctx;

	/* Before the loop is there, it looks by itself. */
	if (c->loop)
		bus_loop_wake(c->loop);
}

static usec_t on_now(void *ctx)
{
	(void)ctx;
	return bus_loop_now();
}

static DBusHandlerResult on_message(DBusConnection *dbus, DBusMessage *m, void *data)
{
	struct bus_connection *c = data;

	(void)dbus;
	/* libdbus makes this signal itself and lets nobody send one like it. */
	if (dbus_message_is_signal(m, DBUS_INTERFACE_LOCAL, "Disconnected")) {
		log_line(c->setup.log, LOG_LEVEL_ERROR, "bus: %s hung up", c->setup.address);
		bus_lost(c->bus);
		c->setup.lost(c->setup.ctx);
		return DBUS_HANDLER_RESULT_HANDLED;
	}
	return bus_receive(c->bus, m) == BUS_HANDLED ? DBUS_HANDLER_RESULT_HANDLED
						     : DBUS_HANDLER_RESULT_NOT_YET_HANDLED;
}

static DBusConnection *open_bus(const char *address, DBusError *error)
{
	DBusConnection *dbus;

	if (strcmp(address, "session") == 0)
		return dbus_bus_get_private(DBUS_BUS_SESSION, error);
	if (strcmp(address, "system") == 0)
		return dbus_bus_get_private(DBUS_BUS_SYSTEM, error);
	dbus = dbus_connection_open_private(address, error);
	if (dbus && !dbus_bus_register(dbus, error)) {
		dbus_connection_close(dbus);
		dbus_connection_unref(dbus);
		return NULL;
	}
	return dbus;
}

int bus_connection_new(struct event_base *base, const struct bus_connection_setup *setup,
	struct bus_connection **ret_connection)
{
	struct bus_connection *c;
	struct bus_host host = { .send = on_send, .wake = on_wake, .now = on_now };
	DBusError error = DBUS_ERROR_INIT;
	DBusConnection *dbus = open_bus(setup->address, &error);

	if (!dbus) {
		log_line(setup->log, LOG_LEVEL_ERROR, "bus: cannot connect to %s: %s",
			setup->address, error.message);
		dbus_error_free(&error);
		return -ECONNREFUSED;
	}
	c = mem_new(struct bus_connection);
	c->setup = *setup;
	c->dbus = dbus;
	dbus_connection_set_exit_on_disconnect(dbus, FALSE);
	/* Peer is in our own tables. */
	dbus_connection_set_route_peer_messages(dbus, TRUE);
	if (!dbus_connection_add_filter(dbus, on_message, c, NULL))
		abort();
	host.ctx = c;
	c->bus = bus_new(&host, setup->root, setup->log);
	c->loop = bus_loop_new(base, dbus, c->bus,
		&(struct bus_loop_hooks){ setup->enter, setup->leave, setup->ctx });
	*ret_connection = c;
	return 0;
}

/* Like dbus_connection_flush(), which would wait forever for a bus that does not read. */
static void send_last_words(DBusConnection *dbus)
{
	usec_t now = bus_loop_now(), end = now + LAST_WORDS_MS * USEC_PER_MSEC;

	while (now < end && dbus_connection_has_messages_to_send(dbus)) {
		int left = (int)((end - now + USEC_PER_MSEC - 1) / USEC_PER_MSEC);

		if (!dbus_connection_read_write(dbus, left))
			return;
		now = bus_loop_now();
	}
}

struct bus_connection *bus_connection_free(struct bus_connection *c)
{
	if (!c)
		return NULL;
	send_last_words(c->dbus);
	c->loop = bus_loop_free(c->loop);
	c->bus = bus_free(c->bus);
	dbus_connection_remove_filter(c->dbus, on_message, c);
	dbus_connection_close(c->dbus);
	dbus_connection_unref(c->dbus);
	free(c);
	return NULL;
}

struct bus *bus_connection_bus(struct bus_connection *c)
{
	return c->bus;
}

const char *bus_connection_name(const struct bus_connection *c)
{
	return dbus_bus_get_unique_name(c->dbus);
}

int bus_connection_own(struct bus_connection *c, const char *name)
{
	DBusError error = DBUS_ERROR_INIT;
	int r = dbus_bus_request_name(c->dbus, name, DBUS_NAME_FLAG_DO_NOT_QUEUE, &error);
	bool denied = dbus_error_has_name(&error, DBUS_ERROR_ACCESS_DENIED);

	if (r == DBUS_REQUEST_NAME_REPLY_PRIMARY_OWNER ||
		r == DBUS_REQUEST_NAME_REPLY_ALREADY_OWNER)
		return 0;
	log_line(c->setup.log, LOG_LEVEL_ERROR, "bus: cannot own %s: %s", name,
		dbus_error_is_set(&error) ? error.message : "another process has it");
	dbus_error_free(&error);
	if (r == DBUS_REQUEST_NAME_REPLY_EXISTS)
		return -EEXIST;
	return denied ? -EPERM : -EIO;
}
