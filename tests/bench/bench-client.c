/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A client of the daemon that costs as little as libdbus lets it.
 *
 * bench-client ADDRESS agent                         takes every page with 200 and lets every
 *                                                    session ring and begin; "ready" when it can
 * bench-client ADDRESS page ENDPOINT TARGET N WINDOW sends N pages, WINDOW at most without a reply
 * bench-client ADDRESS call ENDPOINT TARGET N WINDOW begins N sessions and ends each once it is
 *                                                    established, WINDOW at most at a time
 * bench-client ADDRESS hold ENDPOINT TARGET N WINDOW begins N sessions; stays until killed
 * bench-client ADDRESS watch ENDPOINT TARGET N WINDOW subscribes to N users at the host TARGET; a
 * line once it has heard of all, and one for each N states more that it hears bench-client ADDRESS
 * ping N WINDOW                 calls that do nothing: the floor of the bus
 */
#include <dbus/dbus.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "protocol/base/mem.h"

#define NAME "org.sipbus1"

#define SESSION NAME ".Session"
#define SDP                                  \
	"v=0\r\n"                            \
	"o=- 3472 3472 IN IP4 127.0.0.1\r\n" \
	"s=-\r\n"                            \
	"c=IN IP4 127.0.0.1\r\n"             \
	"t=0 0\r\n"                          \
	"m=audio 49170 RTP/AVP 0\r\n"        \
	"a=rtpmap:0 PCMU/8000\r\n"

static const char sdp_type[] = "application/sdp", sdp[] = SDP;

struct client {
	DBusConnection *connection;
	const char *endpoint, *target;
	DBusMessage *(*new_call)(struct client *c); /* of the kind that is counted */
	bool by_signal; /* what was begun is done when a signal says so, not by its reply */
	bool holds;
	unsigned done, failed, established;
	unsigned begun, wanted, heard; /* of subscriptions */
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

static void append_bytes(DBusMessageIter *it, const char *bytes, size_t n)
{
	DBusMessageIter array;

	dbus_message_iter_open_container(it, DBUS_TYPE_ARRAY, DBUS_TYPE_BYTE_AS_STRING, &array);
	dbus_message_iter_append_fixed_array(&array, DBUS_TYPE_BYTE, &bytes, (int)n);
	dbus_message_iter_close_container(it, &array);
}

/* ---- calls ---- */

static DBusMessage *new_ping(struct client *c)
{
	(void)c;
	return dbus_message_new_method_call(NAME, "/org/sipbus1", DBUS_INTERFACE_PEER, "Ping");
}

static DBusMessage *new_page(struct client *c)
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

/* {key: <value>} of that type, s or ay. */
static void append_option(
	DBusMessageIter *dict, const char *key, const char *type, const char *value)
{
	DBusMessageIter entry, variant;

	dbus_message_iter_open_container(dict, DBUS_TYPE_DICT_ENTRY, NULL, &entry);
	dbus_message_iter_append_basic(&entry, DBUS_TYPE_STRING, &key);
	dbus_message_iter_open_container(&entry, DBUS_TYPE_VARIANT, type, &variant);
	if (*type == DBUS_TYPE_STRING)
		dbus_message_iter_append_basic(&variant, DBUS_TYPE_STRING, &value);
	else
		append_bytes(&variant, value, strlen(value));
	dbus_message_iter_close_container(&entry, &variant);
	dbus_message_iter_close_container(dict, &entry);
}

static DBusMessage *new_session(struct client *c)
{
	DBusMessage *m =
		dbus_message_new_method_call(NAME, c->endpoint, NAME ".Endpoint", "CreateSession");
	DBusMessageIter it, dict;

	dbus_message_iter_init_append(m, &it);
	dbus_message_iter_append_basic(&it, DBUS_TYPE_STRING, &c->target);
	dbus_message_iter_open_container(&it, DBUS_TYPE_ARRAY, "{sv}", &dict);
	append_option(&dict, "ContentType", "s", sdp_type);
	append_option(&dict, "Description", "ay", sdp);
	dbus_message_iter_close_container(&it, &dict);
	return m;
}

static void on_reply(DBusPendingCall *p, void *user)
{
	struct client *c = user;
	DBusMessage *m = dbus_pending_call_steal_reply(p);

	c->done += !c->by_signal;
	if (dbus_message_get_type(m) == DBUS_MESSAGE_TYPE_ERROR && !c->failed++)
		(void)fprintf(stderr, "bench-client: %s\n", dbus_message_get_error_name(m));
	dbus_message_unref(m);
	dbus_pending_call_unref(p);
}

static void call(struct client *c, DBusMessage *m)
{
	DBusPendingCall *p = NULL;

	if (!dbus_connection_send_with_reply(c->connection, m, &p, DBUS_TIMEOUT_USE_DEFAULT) || !p)
		exit(EXIT_FAILURE);
	dbus_pending_call_set_notify(p, on_reply, c, NULL);
	dbus_message_unref(m);
}

static int call_many(struct client *c, unsigned count, unsigned window)
{
	double begin = now();
	unsigned sent = 0;

	while (c->done < count && !(c->by_signal && c->failed)) {
		for (; sent < count && sent - c->done < window; sent++)
			call(c, c->new_call(c));
		if (!dbus_connection_read_write_dispatch(c->connection, -1))
			return EXIT_FAILURE;
	}
	if (c->by_signal && !c->wanted)
		c->failed = count - c->established;
	printf("%u %u %.6f\n", count - c->failed, c->failed, now() - begin);
	(void)fflush(stdout);
	while (c->holds && dbus_connection_read_write_dispatch(c->connection, -1))
		;
	return c->failed ? EXIT_FAILURE : EXIT_SUCCESS;
}

/* ---- a session ---- */

static DBusMessage *new_verb(const char *session, const char *verb, const char *body)
{
	DBusMessage *m = dbus_message_new_method_call(NAME, session, SESSION, verb);
	const char *type = sdp_type;
	DBusMessageIter it;

	dbus_message_iter_init_append(m, &it);
	if (body) {
		dbus_message_iter_append_basic(&it, DBUS_TYPE_STRING, &type);
		append_bytes(&it, body, strlen(body));
	}
	append_empty_dict(&it);
	return m;
}

static DBusHandlerResult on_signal(DBusConnection *connection, DBusMessage *m, void *user)
{
	struct client *c = user;

	(void)connection;
	if (dbus_message_is_signal(m, SESSION, "Established")) {
		c->established++;
		if (c->holds)
			c->done++;
		else
			call(c, new_verb(dbus_message_get_path(m), "Terminate", NULL));
	} else if (dbus_message_is_signal(m, SESSION, "Terminated")) {
		c->done++;
	}
	return DBUS_HANDLER_RESULT_NOT_YET_HANDLED;
}

static void begin_sessions(struct client *c)
{
	c->new_call = new_session;
	c->by_signal = true;
	dbus_connection_add_filter(c->connection, on_signal, c, NULL);
	dbus_bus_add_match(c->connection,
		"type='signal',sender='" NAME "',interface='" SESSION "',member='Terminated'",
		NULL);
}

/* ---- subscriptions ---- */

static DBusMessage *new_subscription(struct client *c)
{
	static const char event[] = "presence";
	const char *event_at = event;
	char target[256], *target_at = target;
	DBusMessage *m =
		dbus_message_new_method_call(NAME, c->endpoint, NAME ".Endpoint", "Subscribe");
	DBusMessageIter it;

	(void)snprintf(target, sizeof(target), "sip:user%u@%s", c->begun++, c->target);
	dbus_message_append_args(
		m, DBUS_TYPE_STRING, &target_at, DBUS_TYPE_STRING, &event_at, DBUS_TYPE_INVALID);
	dbus_message_iter_init_append(m, &it);
	append_empty_dict(&it);
	return m;
}

static DBusHandlerResult on_notified(DBusConnection *connection, DBusMessage *m, void *user)
{
	struct client *c = user;

	(void)connection;
	if (!dbus_message_is_signal(m, NAME ".Subscription", "Notified"))
		return DBUS_HANDLER_RESULT_NOT_YET_HANDLED;
	c->done += c->heard++ < c->wanted;
	if (c->heard > c->wanted && c->heard % c->wanted == 0) {
		printf("%u\n", c->heard);
		(void)fflush(stdout);
	}
	return DBUS_HANDLER_RESULT_HANDLED;
}

static void begin_subscriptions(struct client *c, unsigned count)
{
	c->new_call = new_subscription;
	c->by_signal = c->holds = true;
	c->wanted = count;
	dbus_connection_add_filter(c->connection, on_notified, c, NULL);
}

/* ---- the agent ---- */

static void take_page(const struct client *c, DBusMessage *m)
{
	static const char *const reason = "";
	dbus_uint32_t status = 200;
	DBusMessage *reply = dbus_message_new_method_return(m);

	dbus_message_append_args(
		reply, DBUS_TYPE_UINT32, &status, DBUS_TYPE_STRING, &reason, DBUS_TYPE_INVALID);
	dbus_connection_send(c->connection, reply, NULL);
	dbus_message_unref(reply);
}

static void take_session(struct client *c, DBusMessage *m)
{
	DBusMessage *reply = dbus_message_new_method_return(m);
	const char *session;

	dbus_message_get_args(m, NULL, DBUS_TYPE_OBJECT_PATH, &session, DBUS_TYPE_INVALID);
	dbus_connection_send(c->connection, reply, NULL);
	dbus_message_unref(reply);
	call(c, new_verb(session, "Ring", NULL));
	call(c, new_verb(session, "Accept", sdp));
}

static DBusHandlerResult on_call(DBusConnection *connection, DBusMessage *m, void *user)
{
	(void)connection;
	if (dbus_message_is_method_call(m, NAME ".Agent", "PageReceived"))
		take_page(user, m);
	else if (dbus_message_is_method_call(m, NAME ".Agent", "SessionReceived"))
		take_session(user, m);
	else
		return DBUS_HANDLER_RESULT_NOT_YET_HANDLED;
	return DBUS_HANDLER_RESULT_HANDLED;
}

static int serve(struct client *c)
{
	static const DBusObjectPathVTable table = { .message_function = on_call };
	static const char path[] = "/agent";
	const char *path_at = path;
	DBusMessage *m = dbus_message_new_method_call(
		NAME, "/org/sipbus1", NAME ".Manager", "RegisterAgent");
	DBusMessage *reply;
	DBusMessageIter it;

	if (!dbus_connection_register_object_path(c->connection, path, &table, c))
		return EXIT_FAILURE;
	dbus_message_iter_init_append(m, &it);
	dbus_message_iter_append_basic(&it, DBUS_TYPE_OBJECT_PATH, &path_at);
	append_empty_dict(&it);
	reply = dbus_connection_send_with_reply_and_block(
		c->connection, m, DBUS_TIMEOUT_USE_DEFAULT, NULL);
	dbus_message_unref(m);
	if (!reply)
		return EXIT_FAILURE;
	dbus_message_unref(reply);
	puts("ready");
	(void)fflush(stdout);
	while (dbus_connection_read_write_dispatch(c->connection, -1))
		;
	return EXIT_SUCCESS;
}

static unsigned number(const char *text)
{
	return (unsigned)strtoul(text, NULL, 10);
}

/* False: there is no such kind of work. */
static bool choose(struct client *c, int argc, char **argv)
{
	if (argc == 5 && strcmp(argv[2], "ping") == 0) {
		c->new_call = new_ping;
		return true;
	}
	if (argc != 7)
		return false;
	c->endpoint = argv[3];
	c->target = argv[4];
	c->holds = strcmp(argv[2], "hold") == 0;
	if (c->holds || strcmp(argv[2], "call") == 0)
		begin_sessions(c);
	else if (strcmp(argv[2], "watch") == 0)
		begin_subscriptions(c, number(argv[5]));
	else if (strcmp(argv[2], "page") == 0)
		c->new_call = new_page;
	return c->new_call != NULL;
}

int main(int argc, char **argv)
{
	struct client c = { 0 };

	if (argc >= 3)
		c.connection = connect_to(argv[1]);
	if (argc == 3 && strcmp(argv[2], "agent") == 0)
		return serve(&c);
	if (choose(&c, argc, argv))
		return call_many(&c, number(argv[argc - 2]), number(argv[argc - 1]));
	(void)fputs("bench-client ADDRESS agent | page|call|hold|watch ENDPOINT TARGET N WINDOW"
		    " | ping N WINDOW\n",
		stderr);
	return EXIT_FAILURE;
}
