/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Connections as the bus shows them, and what may be done to them by whom. */
#include <string.h>

#include "protocol/base/mem.h"
#include "protocol/ua/endpoint-flow.h"
#include "protocol/ua/limits.h"
#include "tests/unit/ipc/stage.h"

#define USER ":1.20"
#define OTHER ":1.66"
#define ADMIN ":1.1"
#define CAROL "/org/sipbus1/endpoint/carol"
#define SEC USEC_PER_SEC

static struct stage s;
static struct endpoint *carol;

static struct flow *next_flow(void *ctx, const struct flow *after)
{
	(void)ctx;
	return after ? NULL : carol->flow;
}

static void register_over_tls(struct endpoint *ep)
{
	const struct msg *m;

	DBusMessage *call = stage_call(&s, CAROL, "Register");

	stage_append_options(call, (const struct stage_option[]){ { 0 } });
	stage_deliver(&s, ADMIN, call);
	m = world_expect_out(s.w, "REGISTER");
	world_reply(s.w, m, 200, "Contact: {contact};expires=600\n");
	world_settle(s.w);
	stage_run(&s, SEC);
	ck_assert_ptr_nonnull(ep->flow);
	stage_skip(&s);
}

static void setup(void)
{
	stage_init(&s);
	s.host.next_flow = next_flow;
	stage_client(&s, USER, STAGE_USER_UID);
	stage_client(&s, OTHER, STAGE_OTHER_UID);
	stage_client(&s, ADMIN, STAGE_ROOT_UID);
	carol = world_endpoint(s.alice, &(struct world_account){ .id = "carol",
						.domain = "example.com",
						.registrar = "192.0.2.9",
						.transport = TRANSPORT_TLS });
	stage_run(&s, 0);
	stage_skip(&s);
}

static void teardown(void)
{
	stage_deinit(&s);
}

static void get_connections(const char *path, const char *interface, const char *client)
{
	const char *name = "Connections";
	DBusMessage *m = recorder_call(&s.r, path, DBUS_INTERFACE_PROPERTIES, "Get");

	dbus_message_append_args(
		m, DBUS_TYPE_STRING, &interface, DBUS_TYPE_STRING, &name, DBUS_TYPE_INVALID);
	stage_deliver(&s, client, m);
}

/* Into the a{sv} of the first connection; false if there is none. */
static bool first_of(DBusMessage *m, DBusMessageIter *ret_dict)
{
	DBusMessageIter at, variant, list;

	dbus_message_iter_init(m, &at);
	dbus_message_iter_recurse(&at, &variant);
	dbus_message_iter_recurse(&variant, &list);
	if (dbus_message_iter_get_arg_type(&list) == DBUS_TYPE_INVALID)
		return false;
	dbus_message_iter_recurse(&list, ret_dict);
	return true;
}

/* The value of that key, which has to be there. */
static DBusMessageIter value_of(DBusMessageIter dict, const char *key)
{
	for (; dbus_message_iter_get_arg_type(&dict) != DBUS_TYPE_INVALID;
		dbus_message_iter_next(&dict)) {
		DBusMessageIter entry, variant;
		const char *name;

		dbus_message_iter_recurse(&dict, &entry);
		dbus_message_iter_get_basic(&entry, &name);
		dbus_message_iter_next(&entry);
		dbus_message_iter_recurse(&entry, &variant);
		if (strcmp(name, key) == 0)
			return variant;
	}
	ck_abort_msg("no %s", key);
}

static const char *text_of(DBusMessageIter dict, const char *key)
{
	DBusMessageIter v = value_of(dict, key);
	const char *text;

	dbus_message_iter_get_basic(&v, &text);
	return text;
}

static uint64_t id_of_first(const char *client)
{
	DBusMessageIter dict, v;
	dbus_uint64_t id;

	get_connections(CAROL, STAGE_ENDPOINT, client);
	ck_assert(first_of(stage_return(&s, "v"), &dict));
	v = value_of(dict, "Id");
	dbus_message_iter_get_basic(&v, &id);
	return id;
}

static void disconnect(const char *path, const char *client, uint64_t id)
{
	DBusMessage *m = stage_call(&s, path, "Disconnect");
	dbus_uint64_t v = id;

	dbus_message_append_args(m, DBUS_TYPE_UINT64, &v, DBUS_TYPE_INVALID);
	stage_append_options(m, (const struct stage_option[]){ { 0 } });
	stage_deliver(&s, client, m);
}

START_TEST(connection_is_shown)
{
	DBusMessageIter dict, v;
	dbus_uint32_t idle;

	setup();
	get_connections(CAROL, STAGE_ENDPOINT, ADMIN);
	ck_assert(!first_of(stage_return(&s, "v"), &dict));
	register_over_tls(carol);
	stage_run(&s, 7 * SEC);
	get_connections(CAROL, STAGE_ENDPOINT, ADMIN);
	ck_assert(first_of(stage_return(&s, "v"), &dict));
	ck_assert_str_eq(text_of(dict, "Transport"), "tls");
	ck_assert_str_eq(text_of(dict, "Remote"), "192.0.2.9:5061");
	ck_assert_str_eq(text_of(dict, "State"), "up");
	ck_assert_str_eq(text_of(dict, "TlsVersion"), carol->flow->tls->version);
	ck_assert_str_eq(text_of(dict, "MatchedDomain"), "192.0.2.9");
	v = value_of(dict, "Idle");
	dbus_message_iter_get_basic(&v, &idle);
	ck_assert_uint_ge(idle, 7);
	(void)value_of(dict, "Since");
	teardown();
}
END_TEST

/* It comes and goes with a PropertiesChanged each. */
START_TEST(connection_is_told)
{
	bool told = false;

	setup();
	register_over_tls(carol);
	disconnect(CAROL, ADMIN, carol->flow->id);
	stage_return(&s, "");
	world_settle(s.w);
	for (DBusMessage *m; (m = recorder_next(&s.r));) {
		DBusMessageIter at, list;

		if (!dbus_message_has_member(m, "PropertiesChanged"))
			continue;
		dbus_message_iter_init(m, &at);
		dbus_message_iter_next(&at);
		dbus_message_iter_next(&at);
		dbus_message_iter_recurse(&at, &list);
		for (; dbus_message_iter_get_arg_type(&list) == DBUS_TYPE_STRING;
			dbus_message_iter_next(&list)) {
			const char *name;

			dbus_message_iter_get_basic(&list, &name);
			told |= strcmp(name, "Connections") == 0;
		}
	}
	ck_assert(told);
	teardown();
}
END_TEST

START_TEST(disconnect_makes_it_anew)
{
	uint64_t id;

	setup();
	carol->auto_refresh = true;
	register_over_tls(carol);
	id = id_of_first(ADMIN);
	disconnect(CAROL, ADMIN, id + 1000);
	stage_error(&s, STAGE_ERROR("NoSuchObject"));
	disconnect(CAROL, ADMIN, id);
	stage_return(&s, "");
	world_settle(s.w);
	stage_run(&s, 60 * SEC);
	/* AutoRefresh: over a new one. */
	world_reply(
		s.w, world_expect_out(s.w, "REGISTER"), 200, "Contact: {contact};expires=600\n");
	world_settle(s.w);
	stage_run(&s, SEC);
	stage_skip(&s);
	ck_assert_uint_ne(id_of_first(ADMIN), id);
	disconnect(CAROL, ADMIN, id);
	stage_error(&s, STAGE_ERROR("NoSuchObject"));
	teardown();
}
END_TEST

START_TEST(connection_is_not_for_everybody)
{
	uint64_t id;

	setup();
	register_over_tls(carol);
	id = carol->flow->id;
	disconnect(STAGE_ALICE, OTHER, id);
	stage_error(&s, DBUS_ERROR_ACCESS_DENIED);
	/* Not alice's. */
	disconnect(STAGE_ALICE, USER, id);
	stage_error(&s, STAGE_ERROR("NoSuchObject"));
	/* Alice's, and that of another profile: administrators end it, as one of all. */
	endpoint_flow_use(s.ep, carol->flow);
	stage_run(&s, 0);
	stage_skip(&s);
	disconnect(STAGE_ALICE, USER, id);
	stage_error(&s, DBUS_ERROR_ACCESS_DENIED);
	disconnect(RECORDER_ROOT, USER, id);
	stage_error(&s, DBUS_ERROR_ACCESS_DENIED);
	disconnect(RECORDER_ROOT, ADMIN, id + 1000);
	stage_error(&s, STAGE_ERROR("NoSuchObject"));
	disconnect(RECORDER_ROOT, ADMIN, id);
	stage_return(&s, "");
	world_settle(s.w);
	stage_skip(&s);
	ck_assert_ptr_null(endpoint_flow_find(s.ep, id));
	ck_assert_ptr_null(endpoint_flow_find(carol, id));
	teardown();
}
END_TEST

START_TEST(all_connections)
{
	DBusMessageIter dict;

	setup();
	register_over_tls(carol);
	get_connections(RECORDER_ROOT, STAGE_MANAGER, USER);
	stage_error(&s, DBUS_ERROR_ACCESS_DENIED);
	get_connections(RECORDER_ROOT, STAGE_MANAGER, ADMIN);
	ck_assert(first_of(stage_return(&s, "v"), &dict));
	ck_assert_str_eq(text_of(dict, "Transport"), "tls");
	teardown();
}
END_TEST

/* LIMITS_ENDPOINT_CONNECTIONS: the latest are shown, and nothing is left behind. */
START_TEST(connections_are_limited)
{
	static const struct flow_ops ops = { 0 };
	enum { MANY = LIMITS_ENDPOINT_CONNECTIONS + 5 };
	struct flow *flows = mem_zalloc(MANY * sizeof(*flows));

	setup();
	for (unsigned i = 0; i < MANY; i++) {
		flow_init(&flows[i], &ops, TRANSPORT_TCP);
		flows[i].id = 1000 + i;
		endpoint_flow_use(carol, &flows[i]);
		endpoint_flow_use(carol, &flows[i]);
	}
	ck_assert_uint_eq(carol->n_connections, LIMITS_ENDPOINT_CONNECTIONS);
	ck_assert_ptr_null(endpoint_flow_find(carol, 1000));
	ck_assert_ptr_eq(endpoint_flow_find(carol, 1000 + MANY - 1), &flows[MANY - 1]);
	for (unsigned i = 0; i < MANY; i++)
		flow_forget(&flows[i]);
	ck_assert_uint_eq(carol->n_connections, 0);
	teardown();
	free(flows);
}
END_TEST

int main(void)
{
	static const TTest *const *const tests[] = { &connection_is_shown, &connection_is_told,
		&disconnect_makes_it_anew, &connection_is_not_for_everybody, &all_connections,
		&connections_are_limited };

	return recorder_main("connection", tests, ARRAY_LEN(tests));
}
