/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Endpoints as the bus shows them: every call has one answer, and news come in order. */
#include <string.h>

#include "protocol/base/err.h"
#include "protocol/msg/msg.h"
#include "protocol/ua/limits.h"
#include "protocol/ua/profile.h"
#include "tests/unit/ipc/stage.h"

#define USER ":1.20"
#define OTHER ":1.66"
#define ADMIN ":1.1"
#define BOUND "Contact: {contact};expires=600\n"
#define SEC USEC_PER_SEC

static struct stage s;

static void setup(void)
{
	stage_init(&s);
	stage_client(&s, USER, STAGE_USER_UID);
	stage_client(&s, OTHER, STAGE_OTHER_UID);
}

static void teardown(void)
{
	stage_silence(&s);
	stage_deinit(&s);
}

static void verb(const char *member, const struct stage_option *options)
{
	DBusMessage *m = stage_call(&s, STAGE_ALICE, member);

	stage_append_options(m, options);
	stage_deliver(&s, USER, m);
}

static void send_page(const char *target, const struct stage_option *options)
{
	DBusMessage *m = stage_call(&s, STAGE_ALICE, "SendPage");
	const char *type = "text/plain", *body = "hi";

	dbus_message_append_args(m, DBUS_TYPE_STRING, &target, DBUS_TYPE_STRING, &type,
		DBUS_TYPE_ARRAY, DBUS_TYPE_BYTE, &body, 2, DBUS_TYPE_INVALID);
	stage_append_options(m, options);
	stage_deliver(&s, USER, m);
}

static const struct stage_option no_options[] = { { 0 } };

/* ---- Register and Unregister ---- */

/* The registrar answers the REGISTER under way, or nobody does. */
static void registrar_says(unsigned status, const char *headers)
{
	const struct msg *m = world_expect_out(s.w, "REGISTER");

	if (status)
		world_reply(s.w, m, status, headers);
	world_settle(s.w);
	stage_run(&s, status ? 0 : 40 * SEC);
}

START_TEST(register_succeeds)
{
	setup();
	verb("Register", no_options);
	stage_silence(&s);
	registrar_says(200, BOUND);
	stage_return(&s, "");
	stage_run(&s, 1 * SEC);
	verb("Unregister", no_options);
	stage_silence(&s);
	registrar_says(200, NULL);
	stage_return(&s, "");
	teardown();
}
END_TEST

START_TEST(register_fails_by_name)
{
	static const struct {
		unsigned status;
		const char *error, *text;
	} rows[] = {
		{ 403, STAGE_ERROR("Refused"), "403 Forbidden" },
		{ 0, STAGE_ERROR("Timeout"), NULL },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const char *text;

		setup();
		verb("Register", no_options);
		registrar_says(rows[i].status, NULL);
		text = stage_error(&s, rows[i].error);
		if (rows[i].text)
			ck_assert_str_eq(text, rows[i].text);
		teardown();
	}
}
END_TEST

START_TEST(register_meets_nobody)
{
	setup();
	world_set_reach(s.w, "192.0.2.9", WORLD_REFUSED);
	verb("Register", no_options);
	stage_run(&s, 1 * SEC);
	stage_error(&s, STAGE_ERROR("TransportFailed"));
	teardown();
}
END_TEST

START_TEST(the_wrong_password)
{
	setup();
	verb("Register", no_options);
	for (unsigned i = 0; i < 2; i++)
		registrar_says(
			401, "WWW-Authenticate: Digest realm=\"example.com\", nonce=\"{n}\"\n");
	stage_error(&s, STAGE_ERROR("AuthenticationFailed"));
	teardown();
}
END_TEST

/* All who wait for the same answer get it; each once. */
START_TEST(two_wait_for_one_answer)
{
	setup();
	verb("Register", no_options);
	verb("Register", no_options);
	stage_silence(&s);
	registrar_says(200, BOUND);
	stage_return(&s, "");
	stage_return(&s, "");
	teardown();
}
END_TEST

START_TEST(the_endpoint_closes_while_register_waits)
{
	setup();
	verb("Register", no_options);
	endpoint_close(s.ep);
	stage_run(&s, 40 * SEC);
	/* The registrar never said a word, and now there is no object to speak of. */
	stage_error(&s, STAGE_ERROR("NoSuchObject"));
	stage_silence(&s);
	verb("Register", no_options);
	stage_error(&s, DBUS_ERROR_UNKNOWN_OBJECT);
	teardown();
}
END_TEST

START_TEST(the_caller_leaves_while_register_waits)
{
	setup();
	verb("Register", no_options);
	recorder_leave(&s.r, USER);
	registrar_says(200, BOUND);
	stage_silence(&s);
	teardown();
}
END_TEST

START_TEST(options_are_checked)
{
	static const struct stage_option bad[][2] = {
		{ { "expires", DBUS_TYPE_UINT32, NULL, 60, NULL } },
		{ { "Expires", DBUS_TYPE_INT32, NULL, 60, NULL } },
		{ { "Expires", DBUS_TYPE_UINT32, NULL, 0, NULL } },
		{ { "Expires", DBUS_TYPE_UINT32, NULL, LIMITS_EXPIRES + 1, NULL } },
		{ { "Headers", 'h', "1", 0, "CSeq" } },
		{ { "Headers", 'h', "1", 0, "Expires" } },
		{ { "Headers", 'h', "1\r\nX: y", 0, "X-A" } },
		{ { "Headers", 'h', "1", 0, "X A" } },
	};

	setup();
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		verb("Register", bad[i]);
		stage_error(&s, STAGE_ERROR("InvalidArgument"));
	}
	verb("Unregister",
		(struct stage_option[]){ { "Al", DBUS_TYPE_BOOLEAN, NULL, 1, NULL }, { 0 } });
	stage_error(&s, STAGE_ERROR("InvalidArgument"));
	world_expect_silence(s.w, SEC);
	teardown();
}
END_TEST

/* ---- the order of news ---- */

static void expect_change(const char *old, const char *now)
{
	const char *was, *is, *interface, *reason;
	dbus_uint32_t status;
	DBusMessage *m = recorder_signal(&s.r, STAGE_ALICE, "PropertiesChanged");
	DBusMessageIter at;

	dbus_message_iter_init(m, &at);
	dbus_message_iter_get_basic(&at, &interface);
	ck_assert_str_eq(interface, STAGE_ENDPOINT);
	m = recorder_signal(&s.r, STAGE_ALICE, "RegistrationChanged");
	ck_assert(dbus_message_get_args(m, NULL, DBUS_TYPE_STRING, &was, DBUS_TYPE_STRING, &is,
		DBUS_TYPE_UINT32, &status, DBUS_TYPE_STRING, &reason, DBUS_TYPE_INVALID));
	ck_assert_str_eq(was, old);
	ck_assert_str_eq(is, now);
}

/* Properties first, then the signal, then the answer; several changes of one turn are one. */
START_TEST(news_come_in_order)
{
	setup();
	stage_run(&s, 0);
	stage_skip(&s);
	verb("Register", no_options);
	stage_run(&s, 0);
	expect_change("unregistered", "registering");
	recorder_silence(&s.r);
	world_reply(s.w, world_expect_out(s.w, "REGISTER"), 200, BOUND);
	world_settle(s.w);
	expect_change("registering", "registered");
	recorder_return(&s.r, "");
	recorder_silence(&s.r);
	teardown();
}
END_TEST

/* ---- properties ---- */

static void set_auto_refresh(const char *client, int type, dbus_bool_t v)
{
	DBusMessage *m = recorder_call(&s.r, STAGE_ALICE, DBUS_INTERFACE_PROPERTIES, "Set");
	const char *interface = STAGE_ENDPOINT, *name = "AutoRefresh";
	const char sig[2] = { (char)type, '\0' };
	DBusMessageIter at, variant;

	dbus_message_append_args(
		m, DBUS_TYPE_STRING, &interface, DBUS_TYPE_STRING, &name, DBUS_TYPE_INVALID);
	dbus_message_iter_init_append(m, &at);
	dbus_message_iter_open_container(&at, DBUS_TYPE_VARIANT, sig, &variant);
	dbus_message_iter_append_basic(&variant, type, &v);
	dbus_message_iter_close_container(&at, &variant);
	stage_deliver(&s, client, m);
}

START_TEST(auto_refresh_can_be_set)
{
	setup();
	stage_run(&s, 0);
	stage_skip(&s);
	ck_assert(!s.ep->auto_refresh);
	set_auto_refresh(OTHER, DBUS_TYPE_BOOLEAN, TRUE);
	stage_error(&s, DBUS_ERROR_ACCESS_DENIED);
	set_auto_refresh(USER, DBUS_TYPE_UINT32, TRUE);
	stage_error(&s, DBUS_ERROR_INVALID_ARGS);
	ck_assert(!s.ep->auto_refresh);
	set_auto_refresh(USER, DBUS_TYPE_BOOLEAN, TRUE);
	recorder_signal(&s.r, STAGE_ALICE, "PropertiesChanged");
	recorder_return(&s.r, "");
	ck_assert(s.ep->auto_refresh);
	teardown();
}
END_TEST

/* ---- pages ---- */

static void far_end_says(const char *method, unsigned status, const char *headers)
{
	world_reply(s.w, world_expect_out(s.w, method), status, headers);
	world_settle(s.w);
	stage_run(&s, 0);
}

START_TEST(a_page_has_one_outcome)
{
	const char *reason;
	dbus_uint32_t status;

	setup();
	send_page("sip:bob@example.com", no_options);
	stage_silence(&s);
	far_end_says("MESSAGE", 202, NULL);
	ck_assert(dbus_message_get_args(stage_return(&s, "us"), NULL, DBUS_TYPE_UINT32, &status,
		DBUS_TYPE_STRING, &reason, DBUS_TYPE_INVALID));
	ck_assert_uint_eq(status, 202);
	ck_assert_str_eq(reason, "Accepted");
	send_page("sip:bob@example.com", no_options);
	far_end_says("MESSAGE", 486, NULL);
	ck_assert_str_eq(stage_error(&s, STAGE_ERROR("Refused")), "486 Busy Here");
	send_page("sip:bob@example.com", no_options);
	stage_run(&s, 40 * SEC);
	stage_error(&s, STAGE_ERROR("Timeout"));
	teardown();
}
END_TEST

START_TEST(a_page_is_checked)
{
	static const struct stage_option bad[][2] = {
		{ { "Method", DBUS_TYPE_STRING, "REGISTER", 0, NULL } },
		{ { "method", DBUS_TYPE_STRING, "MESSAGE", 0, NULL } },
		{ { "Headers", 'h', "z9hG4bK", 0, "v" } },
		{ { "Headers", 'h', "7", 0, "Content-Length" } },
		{ { "Headers", 'h', "<sip:192.0.2.9;lr>", 0, "Route" } },
	};

	setup();
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		send_page("sip:bob@example.com", bad[i]);
		stage_error(&s, STAGE_ERROR("InvalidArgument"));
	}
	send_page("http://example.com/", no_options);
	stage_error(&s, STAGE_ERROR("InvalidArgument"));
	send_page("sip:bob@example.com>\r\nX: <y", no_options);
	stage_error(&s, STAGE_ERROR("InvalidArgument"));
	world_expect_silence(s.w, SEC);
	teardown();
}
END_TEST

START_TEST(the_endpoint_closes_while_a_page_waits)
{
	setup();
	send_page("sip:bob@example.com", no_options);
	endpoint_close(s.ep);
	stage_run(&s, 40 * SEC);
	stage_error(&s, STAGE_ERROR("WrongState"));
	teardown();
}
END_TEST

START_TEST(the_caller_leaves_while_a_page_waits)
{
	setup();
	send_page("sip:bob@example.com", no_options);
	recorder_leave(&s.r, USER);
	far_end_says("MESSAGE", 200, NULL);
	stage_silence(&s);
	teardown();
}
END_TEST

START_TEST(a_query_returns_whatever_comes)
{
	DBusMessage *m;
	const char *target = "sip:bob@example.com";
	dbus_uint32_t status;

	setup();
	m = stage_call(&s, STAGE_ALICE, "QueryCapabilities");
	dbus_message_append_args(m, DBUS_TYPE_STRING, &target, DBUS_TYPE_INVALID);
	stage_append_options(m, no_options);
	stage_deliver(&s, USER, m);
	far_end_says("OPTIONS", 486, NULL);
	m = stage_return(&s, "ua(ss)say");
	ck_assert(dbus_message_get_args(m, NULL, DBUS_TYPE_UINT32, &status, DBUS_TYPE_INVALID));
	ck_assert_uint_eq(status, 486);
	teardown();
}
END_TEST

/* ---- CreateEndpoint and Close ---- */

static void create(const char *client, const char *profile, const struct stage_option *options)
{
	DBusMessage *m = stage_call(&s, RECORDER_ROOT, "CreateEndpoint");

	dbus_message_append_args(m, DBUS_TYPE_STRING, &profile, DBUS_TYPE_INVALID);
	stage_append_options(m, options);
	stage_deliver(&s, client, m);
}

#define TEXT(name, value)                                \
	{                                                \
		name, DBUS_TYPE_STRING, (value), 0, NULL \
	}
#define FLAG(name, value)                                  \
	{                                                  \
		name, DBUS_TYPE_BOOLEAN, NULL, value, NULL \
	}

START_TEST(endpoints_are_made)
{
	const char *path;

	setup();
	create(USER, "alice",
		(struct stage_option[]){ TEXT("Id", "al2"), FLAG("Register", 0), { 0 } });
	ck_assert(dbus_message_get_args(
		stage_return(&s, "o"), NULL, DBUS_TYPE_OBJECT_PATH, &path, DBUS_TYPE_INVALID));
	ck_assert_str_eq(path, "/org/sipbus1/endpoint/al2");
	world_expect_silence(s.w, SEC);
	/* It registers if asked to. */
	create(USER, "alice",
		(struct stage_option[]){ FLAG("Register", 1), TEXT("Id", "al3"), { 0 } });
	stage_return(&s, "o");
	world_expect_out(s.w, "REGISTER");
	teardown();
}
END_TEST

START_TEST(endpoints_that_cannot_be_made)
{
	static const struct stage_option bad[][2] = {
		{ TEXT("Id", "alice") },
		{ TEXT("Id", "a/b") },
		{ TEXT("Id", "") },
		{ TEXT("Uri", "http://example.com") },
		{ TEXT("Uri", "sip:a@example.com>\r\nX-Evil: <b") },
		{ TEXT("Kind", "odd") },
		{ TEXT("Lifetime", "long") },
		{ TEXT("Transport", "pigeon") },
		{ TEXT("Colour", "red") },
		/* What would end up in a header as something else. */
		{ TEXT("InstanceId", "urn:x\"\r\nX-Evil: \"") },
		{ TEXT("InstanceId", "urn:x>\";expires=9;x=\"<") },
		{ TEXT("InstanceId", "") },
		{ TEXT("EndpointId", "a;b") },
		{ TEXT("DisplayName", "a\r\nX-Evil: b") },
		{ TEXT("OutboundProxy", "not a host") },
	};

	setup();
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		create(USER, "alice", bad[i]);
		stage_error(&s, STAGE_ERROR("InvalidArgument"));
	}
	create(USER, "bob", no_options);
	stage_error(&s, STAGE_ERROR("NoSuchObject"));
	create(USER, "", no_options);
	stage_error(&s, STAGE_ERROR("InvalidArgument"));
	create(USER, "alice", (struct stage_option[]){ FLAG("Listen", 1), { 0 } });
	stage_error(&s, STAGE_ERROR("NotSupported"));
	create(OTHER, "alice", no_options);
	stage_error(&s, DBUS_ERROR_ACCESS_DENIED);
	stage_run(&s, 40 * SEC);
	ck_assert_uint_eq(s.alice->ua->n_endpoints, 1);
	teardown();
}
END_TEST

/* A client cannot make us keep what it likes. */
START_TEST(names_have_a_limit)
{
	static const char *const names[] = { "Id", "Uri", "DisplayName", "EndpointId", "InstanceId",
		"OutboundProxy" };
	char text[LIMITS_ENDPOINT_TEXT + 2];

	setup();
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		memset(text, 'a', sizeof(text) - 1);
		text[sizeof(text) - 1] = '\0';
		if (strcmp(names[i], "Uri") == 0)
			memcpy(text, "sip:a@", 6);
		create(USER, "alice", (struct stage_option[]){ TEXT(names[i], text), { 0 } });
		stage_error(&s, STAGE_ERROR("LimitExceeded"));
	}
	teardown();
}
END_TEST

START_TEST(a_registration_that_cannot_be)
{
	static const struct stage_option evil[] = { FLAG("Register", 1),
		{ "Headers", 'h', "1", 0, "CSeq" }, { 0 } };

	setup();
	create(USER, "alice", evil);
	stage_error(&s, STAGE_ERROR("InvalidArgument"));
	stage_run(&s, 40 * SEC);
	ck_assert_uint_eq(s.alice->ua->n_endpoints, 1);
	teardown();
}
END_TEST

START_TEST(an_endpoint_for_a_clients_life)
{
	setup();
	create(USER, "alice",
		(struct stage_option[]){ TEXT("Lifetime", "client"), FLAG("Register", 0), { 0 } });
	stage_return(&s, "o");
	create(USER, "alice",
		(struct stage_option[]){ TEXT("Lifetime", "daemon"), FLAG("Register", 0), { 0 } });
	stage_return(&s, "o");
	ck_assert_uint_eq(s.alice->ua->n_endpoints, 3);
	recorder_leave(&s.r, OTHER);
	stage_run(&s, SEC);
	ck_assert_uint_eq(s.alice->ua->n_endpoints, 3);
	recorder_leave(&s.r, USER);
	stage_run(&s, SEC);
	ck_assert_uint_eq(s.alice->ua->n_endpoints, 2);
	/* The other one's watch went with it when it closes before its client does. */
	teardown();
}
END_TEST

START_TEST(close_says_goodbye)
{
	DBusMessage *m;

	setup();
	verb("Register", no_options);
	registrar_says(200, BOUND);
	stage_return(&s, "");
	m = stage_call(&s, STAGE_ALICE, "Close");
	stage_deliver(&s, USER, m);
	stage_return(&s, "");
	/* Until the registrar has answered the object stays, but does nothing any more. */
	verb("Register", no_options);
	stage_error(&s, STAGE_ERROR("WrongState"));
	send_page("sip:bob@example.com", no_options);
	stage_error(&s, STAGE_ERROR("NotRegistered"));
	registrar_says(200, NULL);
	ck_assert_uint_eq(s.alice->ua->n_endpoints, 0);
	teardown();
}
END_TEST

/* ---- who may see what ---- */

START_TEST(strangers_see_nothing)
{
	DBusMessage *m;
	DBusMessageIter at, objects, entry, interfaces;
	const char *text = STAGE_ENDPOINT;

	setup();
	m = recorder_call(&s.r, STAGE_ALICE, DBUS_INTERFACE_PROPERTIES, "GetAll");
	dbus_message_append_args(m, DBUS_TYPE_STRING, &text, DBUS_TYPE_INVALID);
	stage_deliver(&s, OTHER, m);
	stage_error(&s, DBUS_ERROR_ACCESS_DENIED);
	m = stage_call(&s, STAGE_ALICE, "Close");
	stage_deliver(&s, OTHER, m);
	stage_error(&s, DBUS_ERROR_ACCESS_DENIED);
	m = recorder_call(
		&s.r, RECORDER_ROOT, "org.freedesktop.DBus.ObjectManager", "GetManagedObjects");
	stage_deliver(&s, OTHER, m);
	dbus_message_iter_init(stage_return(&s, "a{oa{sa{sv}}}"), &at);
	for (dbus_message_iter_recurse(&at, &objects);
		dbus_message_iter_get_arg_type(&objects) == DBUS_TYPE_DICT_ENTRY;
		dbus_message_iter_next(&objects)) {
		dbus_message_iter_recurse(&objects, &entry);
		dbus_message_iter_next(&entry);
		dbus_message_iter_recurse(&entry, &interfaces);
		ck_assert_int_eq(dbus_message_iter_get_arg_type(&interfaces), DBUS_TYPE_INVALID);
	}
	teardown();
}
END_TEST

/* Both read every file while all others wait. */
START_TEST(files_are_read_for_administrators)
{
	static const char *const methods[] = { "CheckConfiguration", "Reload" };

	setup();
	stage_client(&s, ADMIN, STAGE_ROOT_UID);
	for (size_t i = 0; i < ARRAY_LEN(methods); i++) {
		stage_deliver(&s, USER, stage_call(&s, RECORDER_ROOT, methods[i]));
		stage_error(&s, DBUS_ERROR_ACCESS_DENIED);
		stage_deliver(&s, ADMIN, stage_call(&s, RECORDER_ROOT, methods[i]));
		stage_return(&s, "a(ssus)");
	}
	teardown();
}
END_TEST

/* Whether the next PropertiesChanged that speaks of that property carries its value. */
static bool is_told(const char *property)
{
	for (DBusMessage *m; (m = recorder_next(&s.r));) {
		DBusMessageIter at, dict, entry;
		const char *key;

		if (!dbus_message_has_member(m, "PropertiesChanged"))
			continue;
		dbus_message_iter_init(m, &at);
		dbus_message_iter_next(&at);
		for (dbus_message_iter_recurse(&at, &dict);
			dbus_message_iter_get_arg_type(&dict) == DBUS_TYPE_DICT_ENTRY;
			dbus_message_iter_next(&dict)) {
			dbus_message_iter_recurse(&dict, &entry);
			dbus_message_iter_get_basic(&entry, &key);
			if (strcmp(key, property) == 0)
				return true;
		}
	}
	return false;
}

/* Broadcasts carry states and codes alone, unless all who hear them are the one user. */
START_TEST(states_are_for_everybody)
{
	for (unsigned one_user = 0; one_user < 2; one_user++) {
		size_t from;

		setup();
		s.host.one_user = one_user;
		stage_run(&s, 0);
		stage_skip(&s);
		from = s.r.next;
		verb("Register", no_options);
		registrar_says(200, BOUND);
		ck_assert(is_told("RegistrationState"));
		s.r.next = from;
		ck_assert_int_eq(is_told("Contact"), one_user);
		s.r.next = from;
		ck_assert_int_eq(is_told("Bindings"), one_user);
		stage_skip(&s);
		teardown();
	}
}
END_TEST

int main(void)
{
	static const TTest *const *const tests[] = {
		&register_succeeds,
		&register_fails_by_name,
		&register_meets_nobody,
		&the_wrong_password,
		&two_wait_for_one_answer,
		&the_endpoint_closes_while_register_waits,
		&the_caller_leaves_while_register_waits,
		&options_are_checked,
		&news_come_in_order,
		&auto_refresh_can_be_set,
		&a_page_has_one_outcome,
		&a_page_is_checked,
		&the_endpoint_closes_while_a_page_waits,
		&the_caller_leaves_while_a_page_waits,
		&a_query_returns_whatever_comes,
		&endpoints_are_made,
		&endpoints_that_cannot_be_made,
		&names_have_a_limit,
		&a_registration_that_cannot_be,
		&an_endpoint_for_a_clients_life,
		&close_says_goodbye,
		&strangers_see_nothing,
		&files_are_read_for_administrators,
		&states_are_for_everybody,
	};

	return recorder_main("iface", tests, ARRAY_LEN(tests));
}
