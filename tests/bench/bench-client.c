/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A client of the daemon that costs as little as libdbus lets it.
 *
 * bench-client ADDRESS agent                         takes every page with 200; "ready" when it can
 * bench-client ADDRESS page ENDPOINT TARGET N WINDOW sends N pages, WINDOW at most without a reply
 * bench-client ADDRESS ping N WINDOW                 calls that do nothing: the floor of the bus
 */
#include <dbus/dbus.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "protocol/base/mem.h"

#define NAME "org.sipbus1"

struct client {
	DBusConnection *connection;
	const char *endpoint, *target; /* NULL: ping */
	unsigned replied, failed;
};

static double now(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static DBusConnection *connect_to(const char *address)
{
	DBusConnection *c = dbus_connection_open_private(address, NULL);

	if (!c || !dbus_bus_register(c, NULL)) {
		(void)fputs("bench-client: no bus\n", stderr);
		exit(EXIT_FAILURE);
	}
	return c;
}

static void append_empty_dict(DBusMessageIter *it)
{
	DBusMessageIter dict;

	dbus_message_iter_open_container(it, DBUS_TYPE_ARRAY, "{sv}", &dict);
	dbus_message_iter_close_container(it, &dict);
}

/* ---- calls ---- */

static DBusMessage *new_page(const struct client *c)
{
	static const char type[] = "text/plain", body[] = "Watson, come here.\r\n";
	const char *type_at = type, *body_at = body;
	DBusMessage *m =
		dbus_message_new_method_call(NAME, c->endpoint, NAME ".Endpoint", "SendPage");
	DBusMessageIter it;

	dbus_message_append_args(m, DBUS_TYPE_STRING, &c->target, DBUS_TYPE_STRING, &type_at,
		DBUS_TYPE_ARRAY, DBUS_TYPE_BYTE, &body_at, (int)sizeof(body) - 1,
		DBUS_TYPE_INVALID);
	dbus_message_iter_init_append(m, &it);
	append_empty_dict(&it);
	return m;
}

static void on_reply(DBusPendingCall *p, void *user)
{
	struct client *c = user;
	DBusMessage *m = dbus_pending_call_steal_reply(p);

	c->replied++;
	if (dbus_message_get_type(m) == DBUS_MESSAGE_TYPE_ERROR && !c->failed++)
		(void)fprintf(stderr, "bench-client: %s\n", dbus_message_get_error_name(m));
	dbus_message_unref(m);
	dbus_pending_call_unref(p);
}

static void call(struct client *c)
{
	DBusPendingCall *p = NULL;
	DBusMessage *m = c->target ? new_page(c)
				   : dbus_message_new_method_call(
					     NAME, "/org/sipbus1", DBUS_INTERFACE_PEER, "Ping");

	if (!dbus_connection_send_with_reply(c->connection, m, &p, DBUS_TIMEOUT_USE_DEFAULT) || !p)
		exit(EXIT_FAILURE);
	dbus_pending_call_set_notify(p, on_reply, c, NULL);
	dbus_message_unref(m);
}

static int call_many(struct client *c, unsigned count, unsigned window)
{
	double begin = now();
	unsigned sent = 0;

	while (c->replied < count) {
		for (; sent < count && sent - c->replied < window; sent++)
			call(c);
		if (!dbus_connection_read_write_dispatch(c->connection, -1))
			return EXIT_FAILURE;
	}
	printf("%u %u %.6f\n", c->replied - c->failed, c->failed, now() - begin);
	return c->failed ? EXIT_FAILURE : EXIT_SUCCESS;
}

/* ---- the agent ---- */

static DBusHandlerResult on_call(DBusConnection *connection, DBusMessage *m, void *user)
{
	static const char *const reason = "";
	dbus_uint32_t status = 200;
	DBusMessage *reply;

	(void)user;
	if (!dbus_message_is_method_call(m, NAME ".Agent", "PageReceived"))
		return DBUS_HANDLER_RESULT_NOT_YET_HANDLED;
	reply = dbus_message_new_method_return(m);
	dbus_message_append_args(
		reply, DBUS_TYPE_UINT32, &status, DBUS_TYPE_STRING, &reason, DBUS_TYPE_INVALID);
	dbus_connection_send(connection, reply, NULL);
	dbus_message_unref(reply);
	return DBUS_HANDLER_RESULT_HANDLED;
}

static int serve(DBusConnection *connection)
{
	static const DBusObjectPathVTable table = { .message_function = on_call };
	static const char path[] = "/agent";
	const char *path_at = path;
	DBusMessage *m = dbus_message_new_method_call(
		NAME, "/org/sipbus1", NAME ".Manager", "RegisterAgent");
	DBusMessage *reply;
	DBusMessageIter it;

	if (!dbus_connection_register_object_path(connection, path, &table, NULL))
		return EXIT_FAILURE;
	dbus_message_iter_init_append(m, &it);
	dbus_message_iter_append_basic(&it, DBUS_TYPE_OBJECT_PATH, &path_at);
	append_empty_dict(&it);
	reply = dbus_connection_send_with_reply_and_block(
		connection, m, DBUS_TIMEOUT_USE_DEFAULT, NULL);
	dbus_message_unref(m);
	if (!reply)
		return EXIT_FAILURE;
	dbus_message_unref(reply);
	puts("ready");
	(void)fflush(stdout);
	while (dbus_connection_read_write_dispatch(connection, -1))
		;
	return EXIT_SUCCESS;
}

static unsigned number(const char *text)
{
	return (unsigned)strtoul(text, NULL, 10);
}

int main(int argc, char **argv)
{
	struct client c = { 0 };

	if (argc == 3 && strcmp(argv[2], "agent") == 0)
		return serve(connect_to(argv[1]));
	if (argc == 7 && strcmp(argv[2], "page") == 0) {
		c.endpoint = argv[3];
		c.target = argv[4];
	} else if (argc != 5 || strcmp(argv[2], "ping") != 0) {
		(void)fputs(
			"bench-client ADDRESS agent | page ENDPOINT TARGET N WINDOW | ping N WINDOW\n",
			stderr);
		return EXIT_FAILURE;
	}
	c.connection = connect_to(argv[1]);
	return call_many(&c, number(argv[argc - 2]), number(argv[argc - 1]));
}
