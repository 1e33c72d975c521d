/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Peer-to-peer endpoints on the bus: who makes and uses them, how long they live, what they refuse.
 */
#include <string.h>

#include "ipc/iface-private.h"
#include "protocol/ua/endpoint.h"
#include "tests/unit/ipc/stage.h"

#define USER ":1.20"
#define GUEST ":1.21"
#define OTHER ":1.66"
#define ADMIN ":1.1"
#define PEER "/org/sipbus1/endpoint/p1"
#define SEC USEC_PER_SEC

#define TEXT(name, value)                                \
	{                                                \
		name, DBUS_TYPE_STRING, (value), 0, NULL \
	}
#define FLAG(name, value)                                  \
	{                                                  \
		name, DBUS_TYPE_BOOLEAN, NULL, value, NULL \
	}

static struct stage s;

static void setup(void)
{
	stage_init(&s);
	stage_client(&s, USER, STAGE_USER_UID);
	stage_client(&s, GUEST, STAGE_GUEST_UID);
	stage_client(&s, OTHER, STAGE_OTHER_UID);
	stage_client(&s, ADMIN, STAGE_ROOT_UID);
}

static void teardown(void)
{
	stage_silence(&s);
	stage_deinit(&s);
}

static const struct stage_option no_options[] = { { 0 } };

static void create(const char *client, const struct stage_option *options)
{
	DBusMessage *m = stage_call(&s, RECORDER_ROOT, "CreateEndpoint");
	const char *profile = "";

	dbus_message_append_args(m, DBUS_TYPE_STRING, &profile, DBUS_TYPE_INVALID);
	stage_append_options(m, options);
	stage_deliver(&s, client, m);
}

static void make(const char *client)
{
	const struct stage_option options[] = { TEXT("Id", "p1"),
		TEXT("Uri", "sip:carol@192.0.2.1"), TEXT("Lifetime", "client"), FLAG("Listen", 1),
		{ 0 } };
	const char *path;

	create(client, options);
	ck_assert(dbus_message_get_args(
		stage_return(&s, "o"), NULL, DBUS_TYPE_OBJECT_PATH, &path, DBUS_TYPE_INVALID));
	ck_assert_str_eq(path, PEER);
}

static void call(const char *client, const char *member)
{
	DBusMessage *m = stage_call(&s, PEER, member);

	stage_append_options(m, no_options);
	stage_deliver(&s, client, m);
}

static void page_with(const char *client, const struct stage_option *options)
{
	const char *target = "sip:bob@192.0.2.9", *type = "text/plain", *body = "hi";
	DBusMessage *m = stage_call(&s, PEER, "SendPage");

	dbus_message_append_args(m, DBUS_TYPE_STRING, &target, DBUS_TYPE_STRING, &type,
		DBUS_TYPE_ARRAY, DBUS_TYPE_BYTE, &body, 2, DBUS_TYPE_INVALID);
	stage_append_options(m, options);
	stage_deliver(&s, client, m);
}

static void page(const char *client)
{
	page_with(client, no_options);
}

static DBusMessageIter get(const char *client, const char *property)
{
	DBusMessage *m = recorder_call(&s.r, PEER, DBUS_INTERFACE_PROPERTIES, "Get");
	const char *interface = STAGE_ENDPOINT;
	DBusMessageIter at, value;

	dbus_message_append_args(
		m, DBUS_TYPE_STRING, &interface, DBUS_TYPE_STRING, &property, DBUS_TYPE_INVALID);
	stage_deliver(&s, client, m);
	dbus_message_iter_init(stage_return(&s, "v"), &at);
	dbus_message_iter_recurse(&at, &value);
	return value;
}

static void check_text(const char *property, const char *expected)
{
	DBusMessageIter value = get(USER, property);
	const char *text;

	dbus_message_iter_get_basic(&value, &text);
	ck_assert_str_eq(text, expected);
}

/* From options alone; what belongs to a registration is empty. */
START_TEST(from_options_alone)
{
	DBusMessageIter value;
	dbus_bool_t listens;

	setup();
	make(USER);
	check_text("Kind", "peer-to-peer");
	check_text("Uri", "sip:carol@192.0.2.1");
	check_text("Profile", "/");
	check_text("Lifetime", "client");
	check_text("RegistrationState", "unregistered");
	check_text("Contact", "");
	check_text("Gruu", "");
	check_text("Server", "");
	check_text("AuthenticationScheme", "");
	value = get(USER, "Listen");
	dbus_message_iter_get_basic(&value, &listens);
	ck_assert(listens);
	teardown();
}
END_TEST

/* RFC 3261 8.1.2: its Headers may say the way of what it begins. */
START_TEST(rfc3261_8_1_2_route)
{
	static const struct stage_option
		route[] = { { "Headers", 'h', "<sip:192.0.2.8;lr>", 0, "Route" }, { 0 } },
		bad[][2] = { { { "Headers", 'h', "sip:192.0.2.8", 0, "Route" } },
			{ { "Headers", 'h', "", 0, "Route" } },
			{ { "Headers", 'h', "<sip:192.0.2.8>\r\nX: y", 0, "Route" } } };
	const struct msg *m;

	setup();
	make(USER);
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		page_with(USER, bad[i]);
		stage_error(&s, STAGE_ERROR("InvalidArgument"));
	}
	page_with(USER, route);
	m = world_expect_out(s.w, "MESSAGE");
	ck_assert(slice_eq(msg_header(m, HDR_ROUTE), SLICE("<sip:192.0.2.8;lr>")));
	ck_assert(slice_eq(m->request_uri, SLICE("sip:bob@192.0.2.9")));
	world_reply(s.w, m, 200, NULL);
	world_settle(s.w);
	stage_run(&s, 0);
	stage_return(&s, "us");
	teardown();
}
END_TEST

/* Its maker and administrators use it, and nobody else whom the bus lets in. */
START_TEST(its_makers_alone)
{
	setup();
	make(USER);
	page(GUEST);
	stage_error(&s, DBUS_ERROR_ACCESS_DENIED);
	call(ADMIN, "Register");
	stage_error(&s, STAGE_ERROR("NotSupported"));
	create(OTHER, (struct stage_option[]){ TEXT("Uri", "sip:o@192.0.2.1"), { 0 } });
	stage_error(&s, DBUS_ERROR_ACCESS_DENIED);
	create(GUEST, (struct stage_option[]){ TEXT("Uri", "sip:g@192.0.2.1"), { 0 } });
	stage_return(&s, "o");
	teardown();
}
END_TEST

/* By name, whatever else is said. */
START_TEST(does_not_register)
{
	static const struct stage_option bad[][3] = {
		{ FLAG("Register", 1), TEXT("Uri", "sip:c@192.0.2.1") },
	};
	static const struct stage_option wrong[][3] = {
		{ TEXT("Kind", "registered"), TEXT("Uri", "sip:c@192.0.2.1") },
		{ TEXT("Kind", "peer-to-peer") },
	};

	setup();
	make(USER);
	call(USER, "Register");
	ck_assert_ptr_nonnull(
		strstr(stage_error(&s, STAGE_ERROR("NotSupported")), "does not register"));
	call(USER, "Unregister");
	stage_error(&s, STAGE_ERROR("NotSupported"));
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		create(USER, bad[i]);
		stage_error(&s, STAGE_ERROR("NotSupported"));
	}
	for (size_t i = 0; i < ARRAY_LEN(wrong); i++) {
		create(USER, wrong[i]);
		stage_error(&s, STAGE_ERROR("InvalidArgument"));
	}
	stage_run(&s, 40 * SEC);
	ck_assert_uint_eq(s.alice->ua->n_endpoints, 2);
	teardown();
}
END_TEST

/* A challenge ends the page, with a reason, and nothing of ours is shown. */
START_TEST(does_not_authenticate)
{
	setup();
	make(USER);
	page(USER);
	world_reply(s.w, world_expect_out(s.w, "MESSAGE"), 401,
		"WWW-Authenticate: Digest realm=\"example.com\", nonce=\"n\"\n");
	stage_run(&s, 0);
	ck_assert_ptr_nonnull(strstr(stage_error(&s, STAGE_ERROR("AuthenticationFailed")),
		"a peer-to-peer endpoint does not authenticate"));
	world_expect_silence(s.w, 40 * SEC);
	teardown();
}
END_TEST

/* With its maker's place on the bus it goes; what it had begun ends first. */
START_TEST(goes_with_its_maker)
{
	setup();
	make(USER);
	recorder_leave(&s.r, GUEST);
	stage_run(&s, SEC);
	ck_assert_uint_eq(s.alice->ua->n_endpoints, 2);
	recorder_leave(&s.r, USER);
	stage_run(&s, SEC);
	ck_assert_uint_eq(s.alice->ua->n_endpoints, 1);
	teardown();
}
END_TEST

/* IFACE_ENDPOINTS_PER_USER: one user does not take what all others need. */
START_TEST(limits_endpoints_per_user)
{
	const struct stage_option options[] = { TEXT("Uri", "sip:c@192.0.2.1"), { 0 } };

	setup();
	for (unsigned i = 0; i < IFACE_ENDPOINTS_PER_USER; i++) {
		create(USER, options);
		stage_return(&s, "o");
	}
	create(USER, options);
	stage_error(&s, STAGE_ERROR("LimitExceeded"));
	create(GUEST, options);
	stage_return(&s, "o");
	create(ADMIN, options);
	stage_return(&s, "o");
	teardown();
}
END_TEST

int main(void)
{
	const TTest *const *const tests[] = { &from_options_alone, &its_makers_alone,
		&rfc3261_8_1_2_route, &does_not_register, &does_not_authenticate,
		&goes_with_its_maker, &limits_endpoints_per_user };

	return recorder_main("peer", tests, ARRAY_LEN(tests));
}
