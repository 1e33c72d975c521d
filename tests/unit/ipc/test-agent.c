/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Who is asked about incoming work, in which order, and what becomes of the answers. */
#include <string.h>

#include "protocol/base/err.h"
#include "protocol/msg/msg.h"
#include "protocol/ua/profile.h"
#include "tests/unit/ipc/stage.h"

#define HIGH ":1.20"
#define LOW ":1.21"
#define OBSERVER ":1.22"
#define PASS STAGE_ERROR("Pass")
#define SEC USEC_PER_SEC

static struct stage s;

static void setup(void)
{
	stage_init(&s);
	stage_client(&s, HIGH, STAGE_USER_UID);
	stage_client(&s, LOW, STAGE_USER_UID);
	stage_client(&s, OBSERVER, STAGE_USER_UID);
}

static void teardown(void)
{
	stage_silence(&s);
	stage_deinit(&s);
}

/* The one with the lower priority comes first, so that order of registration is not it. */
static void two_agents(void)
{
	stage_agent(&s, &(struct stage_agent){ .client = LOW, .priority = -3 });
	stage_agent(&s, &(struct stage_agent){ .client = HIGH, .priority = 5 });
}

static void page(void)
{
	stage_request(&s, "MESSAGE", "hi");
}

static const struct msg *answered(const char *status)
{
	const struct msg *m;

	m = world_expect_out(s.w, status);
	stage_silence(&s);
	return m;
}

/* ---- one after the other ---- */

START_TEST(the_highest_priority_is_asked_first)
{
	uint32_t serial;

	setup();
	two_agents();
	page();
	serial = stage_asked(&s, HIGH, "PageReceived", NULL);
	stage_silence(&s);
	stage_answer_page(&s, HIGH, serial, 202, "Taken");
	ck_assert(slice_eq(answered("202")->reason, SLICE("Taken")));
	teardown();
}
END_TEST

START_TEST(equals_are_asked_in_order_of_registration)
{
	setup();
	stage_agent(&s, &(struct stage_agent){ .client = LOW });
	stage_agent(&s, &(struct stage_agent){ .client = HIGH });
	page();
	stage_answer_error(&s, LOW, stage_asked(&s, LOW, "PageReceived", NULL), PASS);
	stage_answer_page(&s, HIGH, stage_asked(&s, HIGH, "PageReceived", NULL), 200, "OK");
	answered("200");
	teardown();
}
END_TEST

START_TEST(errors_pass)
{
	setup();
	two_agents();
	page();
	stage_answer_error(&s, HIGH, stage_asked(&s, HIGH, "PageReceived", NULL), PASS);
	stage_answer_error(
		&s, LOW, stage_asked(&s, LOW, "PageReceived", NULL), DBUS_ERROR_UNKNOWN_OBJECT);
	answered("480");
	teardown();
}
END_TEST

START_TEST(silence_passes)
{
	uint32_t late;

	setup();
	two_agents();
	s.profile->agent_timeout = 20 * SEC;
	page();
	late = stage_asked(&s, HIGH, "PageReceived", NULL);
	stage_run(&s, 19 * SEC);
	stage_silence(&s);
	/* RFC 4320 section 4.1: a non-INVITE that waits hears 100 after Timer E has reached T2. */
	world_expect_out(s.w, "100");
	stage_run(&s, 1 * SEC);
	stage_answer_page(&s, LOW, stage_asked(&s, LOW, "PageReceived", NULL), 200, "OK");
	answered("200");
	/* It wakes up in the end; nobody cares. */
	stage_answer_page(&s, HIGH, late, 603, "No");
	teardown();
}
END_TEST

/* The chain of agents ends before the far end's transaction does (17.1.2.2, Timer F: 32 s). */
START_TEST(thirty_seconds_in_all)
{
	setup();
	two_agents();
	s.profile->agent_timeout = 20 * SEC;
	page();
	stage_asked(&s, HIGH, "PageReceived", NULL);
	stage_run(&s, 20 * SEC);
	stage_asked(&s, LOW, "PageReceived", NULL);
	stage_run(&s, 9 * SEC);
	world_expect_out(s.w, "100");
	ck_assert_uint_eq(world_skip_out(s.w), 0);
	stage_run(&s, 1 * SEC);
	answered("480");
	teardown();
}
END_TEST

/* The bus tells who waits that the callee went, and the watch that the client did. */
START_TEST(an_agent_leaves_while_asked)
{
	uint32_t serial;

	setup();
	two_agents();
	page();
	serial = stage_asked(&s, HIGH, "PageReceived", NULL);
	recorder_leave(&s.r, HIGH);
	stage_answer_error(&s, DBUS_SERVICE_DBUS, serial, DBUS_ERROR_NO_REPLY);
	stage_answer_page(&s, LOW, stage_asked(&s, LOW, "PageReceived", NULL), 200, "OK");
	answered("200");
	teardown();
}
END_TEST

START_TEST(an_agent_goes_right_after_its_answer)
{
	setup();
	stage_agent(&s, &(struct stage_agent){ .client = HIGH });
	page();
	stage_answer_page(&s, HIGH, stage_asked(&s, HIGH, "PageReceived", NULL), 200, "OK");
	recorder_leave(&s.r, HIGH);
	answered("200");
	page();
	answered("480");
	teardown();
}
END_TEST

/* Nobody is left when the bus is: what waits is answered by the stack. */
START_TEST(the_bus_is_lost_while_asking)
{
	setup();
	two_agents();
	page();
	stage_asked(&s, HIGH, "PageReceived", NULL);
	bus_lost(s.r.bus);
	stage_run(&s, 1 * SEC);
	answered("480");
	teardown();
}
END_TEST

START_TEST(nobody_is_there)
{
	setup();
	page();
	answered("480");
	stage_request(&s, "OPTIONS", "");
	answered("200");
	stage_request(&s, "NOTIFY", "");
	ck_assert_uint_ge(world_skip_out(s.w), 1);
	teardown();
}
END_TEST

START_TEST(an_answer_that_is_none)
{
	DBusMessage *m;

	setup();
	two_agents();
	page();
	/* 100 is no final status. */
	stage_answer_page(&s, HIGH, stage_asked(&s, HIGH, "PageReceived", NULL), 100, "Trying");
	/* A reason that would be a header. */
	stage_answer_page(&s, LOW, stage_asked(&s, LOW, "PageReceived", NULL), 200, "OK\r\nX: y");
	answered("480");
	/* Another type. */
	page();
	m = dbus_message_new(DBUS_MESSAGE_TYPE_METHOD_RETURN);
	dbus_message_set_reply_serial(m, stage_asked(&s, HIGH, "PageReceived", NULL));
	(void)recorder_deliver_from(&s.r, m, HIGH);
	/* From somebody who was not asked: waits on. */
	stage_answer_page(&s, HIGH, stage_asked(&s, LOW, "PageReceived", NULL), 200, "OK");
	stage_silence(&s);
	ck_assert_uint_eq(world_skip_out(s.w), 0);
	stage_run(&s, 30 * SEC);
	world_expect_out(s.w, "100");
	answered("480");
	teardown();
}
END_TEST

/* ---- who is asked at all ---- */

START_TEST(observers_are_told_and_never_asked)
{
	DBusMessage *told;

	setup();
	stage_agent(
		&s, &(struct stage_agent){ .client = OBSERVER, .priority = 9, .observes = true });
	page();
	stage_asked(&s, OBSERVER, "PageReceived", &told);
	ck_assert(dbus_message_get_no_reply(told));
	/* Whatever it says, it was not asked. */
	stage_answer_page(&s, OBSERVER, dbus_message_get_serial(told), 200, "OK");
	answered("480");
	stage_agent(&s, &(struct stage_agent){ .client = LOW });
	page();
	stage_asked(&s, OBSERVER, "PageReceived", NULL);
	stage_answer_page(&s, LOW, stage_asked(&s, LOW, "PageReceived", NULL), 200, "OK");
	answered("200");
	teardown();
}
END_TEST

START_TEST(the_filter_decides)
{
	setup();
	stage_agent(&s, &(struct stage_agent){ .client = HIGH, .kind = "request" });
	stage_agent(&s,
		&(struct stage_agent){ .client = LOW, .endpoint = "/org/sipbus1/endpoint/bob" });
	page();
	answered("480");
	stage_agent(&s,
		&(struct stage_agent){ .client = LOW, .path = "/other", .endpoint = STAGE_ALICE });
	page();
	stage_answer_page(&s, LOW, stage_asked(&s, LOW, "PageReceived", NULL), 200, "OK");
	answered("200");
	teardown();
}
END_TEST

/* The profile's Users and Groups hold for agents as well. */
START_TEST(strangers_hear_nothing)
{
	setup();
	stage_client(&s, ":1.66", STAGE_OTHER_UID);
	stage_agent(&s, &(struct stage_agent){ .client = ":1.66", .path = "/a" });
	stage_agent(&s, &(struct stage_agent){ .client = ":1.66", .path = "/b", .observes = true });
	page();
	answered("480");
	teardown();
}
END_TEST

/* ---- registering ---- */

START_TEST(registrations_are_checked)
{
	DBusMessage *m;
	const char *path = STAGE_AGENT_PATH;

	setup();
	stage_agent(&s, &(struct stage_agent){ .client = HIGH });
	stage_try_agent(&s, &(struct stage_agent){ .client = HIGH });
	stage_error(&s, STAGE_ERROR("InvalidArgument"));
	stage_try_agent(&s, &(struct stage_agent){ .client = LOW, .kind = "pages" });
	stage_error(&s, STAGE_ERROR("InvalidArgument"));
	m = stage_call(&s, RECORDER_ROOT, "RegisterAgent");
	dbus_message_append_args(m, DBUS_TYPE_OBJECT_PATH, &path, DBUS_TYPE_INVALID);
	stage_append_options(
		m, (struct stage_option[]){ { "Prio", DBUS_TYPE_INT32, NULL, 1, NULL }, { 0 } });
	stage_deliver(&s, LOW, m);
	ck_assert_str_eq(stage_error(&s, STAGE_ERROR("InvalidArgument")),
		"option \"Prio\" is not known here");
	teardown();
}
END_TEST

static void unregister(const char *client)
{
	DBusMessage *m = stage_call(&s, RECORDER_ROOT, "UnregisterAgent");
	const char *path = STAGE_AGENT_PATH;

	dbus_message_append_args(m, DBUS_TYPE_OBJECT_PATH, &path, DBUS_TYPE_INVALID);
	stage_deliver(&s, client, m);
}

START_TEST(who_leaves_is_released)
{
	setup();
	two_agents();
	unregister(OBSERVER);
	stage_error(&s, STAGE_ERROR("NoSuchObject"));
	unregister(HIGH);
	stage_return(&s, "");
	stage_asked(&s, HIGH, "Released", NULL);
	page();
	stage_answer_page(&s, LOW, stage_asked(&s, LOW, "PageReceived", NULL), 200, "OK");
	answered("200");
	/* The end of the daemon releases all. */
	s.iface = iface_free(s.iface);
	stage_asked(&s, LOW, "Released", NULL);
	teardown();
}
END_TEST

START_TEST(there_is_a_limit)
{
	char path[32];

	setup();
	for (unsigned i = 0; i < 64; i++) {
		(void)snprintf(path, sizeof(path), "/agent/%u", i);
		stage_agent(&s, &(struct stage_agent){ .client = HIGH, .path = path });
	}
	stage_try_agent(&s, &(struct stage_agent){ .client = HIGH, .path = "/one/too/many" });
	stage_error(&s, STAGE_ERROR("LimitExceeded"));
	/* Others have their own. */
	stage_agent(&s, &(struct stage_agent){ .client = LOW });
	teardown();
}
END_TEST

/* ---- what is asked ---- */

START_TEST(a_page_is_shown_whole)
{
	const char *endpoint, *id, *from, *type;
	const unsigned char *body;
	DBusMessage *m;
	DBusMessageIter at, bytes;
	int n;

	setup();
	stage_agent(&s, &(struct stage_agent){ .client = HIGH });
	page();
	stage_asked(&s, HIGH, "PageReceived", &m);
	ck_assert_str_eq(dbus_message_get_signature(m), "osssaya{sv}");
	dbus_message_iter_init(m, &at);
	dbus_message_iter_get_basic(&at, &endpoint);
	dbus_message_iter_next(&at);
	dbus_message_iter_get_basic(&at, &id);
	dbus_message_iter_next(&at);
	dbus_message_iter_get_basic(&at, &from);
	dbus_message_iter_next(&at);
	dbus_message_iter_get_basic(&at, &type);
	dbus_message_iter_next(&at);
	dbus_message_iter_recurse(&at, &bytes);
	dbus_message_iter_get_fixed_array(&bytes, &body, &n);
	ck_assert_str_eq(endpoint, STAGE_ALICE);
	ck_assert_uint_eq(strlen(id), 16);
	ck_assert_str_eq(from, "sip:bob@example.com");
	ck_assert_str_eq(type, "text/plain");
	ck_assert_int_eq(n, 2);
	ck_assert(memcmp(body, "hi", 2) == 0);
	teardown();
}
END_TEST

/* The answer to another request: status, headers and body go to the far end. */
START_TEST(a_request_is_answered_by_its_agent)
{
	DBusMessage *m = dbus_message_new(DBUS_MESSAGE_TYPE_METHOD_RETURN);
	const char *reason = "Fine", *type = "text/plain", *text = "body", *name = "X-A",
		   *value = "1";
	uint32_t status = 200;
	DBusMessageIter at, list, pair;
	const struct msg *out;

	setup();
	stage_agent(&s, &(struct stage_agent){ .client = HIGH, .kind = "request" });
	stage_request(&s, "OPTIONS", "");
	dbus_message_set_reply_serial(m, stage_asked(&s, HIGH, "RequestReceived", NULL));
	dbus_message_append_args(
		m, DBUS_TYPE_UINT32, &status, DBUS_TYPE_STRING, &reason, DBUS_TYPE_INVALID);
	dbus_message_iter_init_append(m, &at);
	dbus_message_iter_open_container(&at, DBUS_TYPE_ARRAY, "(ss)", &list);
	dbus_message_iter_open_container(&list, DBUS_TYPE_STRUCT, NULL, &pair);
	dbus_message_iter_append_basic(&pair, DBUS_TYPE_STRING, &name);
	dbus_message_iter_append_basic(&pair, DBUS_TYPE_STRING, &value);
	dbus_message_iter_close_container(&list, &pair);
	dbus_message_iter_close_container(&at, &list);
	dbus_message_append_args(m, DBUS_TYPE_STRING, &type, DBUS_TYPE_ARRAY, DBUS_TYPE_BYTE, &text,
		4, DBUS_TYPE_INVALID);
	(void)recorder_deliver_from(&s.r, m, HIGH);
	out = answered("200");
	ck_assert(slice_eq(out->body, SLICE("body")));
	ck_assert(slice_eq(msg_header_named(out, SLICE("X-A")), SLICE("1")));
	teardown();
}
END_TEST

/* ---- the request goes meanwhile ---- */

START_TEST(the_endpoint_closes_while_asking)
{
	uint32_t serial;

	setup();
	two_agents();
	page();
	serial = stage_asked(&s, HIGH, "PageReceived", NULL);
	endpoint_close(s.ep);
	answered("480");
	stage_run(&s, 40 * SEC);
	stage_answer_page(&s, HIGH, serial, 200, "OK");
	ck_assert_uint_eq(world_skip_out(s.w), 0);
	teardown();
}
END_TEST

/* ---- credentials ---- */

static int need_credentials(uint64_t query)
{
	const struct host_secret_query what = { "alice", s.profile, SLICE("example.com"),
		SLICE("digest") };

	return iface_ask_secret(s.iface, query, &what);
}

static void answer_credentials(
	uint32_t serial, const char *client, const char *user, const char *password)
{
	DBusMessage *m = dbus_message_new(DBUS_MESSAGE_TYPE_METHOD_RETURN);
	struct stage_option options[3] = { { 0 } };
	size_t n = 0;

	if (user)
		options[n++] = (struct stage_option){ "User", DBUS_TYPE_STRING, user, 0, NULL };
	if (password)
		options[n++] =
			(struct stage_option){ "Password", DBUS_TYPE_STRING, password, 0, NULL };
	dbus_message_set_reply_serial(m, serial);
	stage_append_options(m, options);
	(void)recorder_deliver_from(&s.r, m, client);
}

START_TEST(credentials_come_from_an_agent)
{
	DBusMessage *m;

	setup();
	ck_assert_int_eq(need_credentials(1), -ENOENT);
	two_agents();
	ck_assert_int_eq(need_credentials(2), 0);
	stage_asked(&s, HIGH, "CredentialsRequired", &m);
	ck_assert_str_eq(dbus_message_get_signature(m), "osasa{sv}");
	/* Without a password it is no answer. */
	answer_credentials(dbus_message_get_serial(m), HIGH, "al", NULL);
	ck_assert_uint_eq(s.n_secrets, 0);
	answer_credentials(stage_asked(&s, LOW, "CredentialsRequired", NULL), LOW, "al", "pw");
	ck_assert_uint_eq(s.n_secrets, 1);
	ck_assert_uint_eq(s.query, 2);
	ck_assert_str_eq(s.user, "al");
	ck_assert_str_eq(s.password, "pw");
	teardown();
}
END_TEST

/* The contract: User is the profile's if absent. */
START_TEST(the_user_is_the_profiles_if_absent)
{
	setup();
	stage_agent(&s, &(struct stage_agent){ .client = HIGH });
	ck_assert_int_eq(need_credentials(3), 0);
	answer_credentials(stage_asked(&s, HIGH, "CredentialsRequired", NULL), HIGH, NULL, "pw");
	ck_assert_str_eq(s.user, "alice");
	ck_assert_str_eq(s.password, "pw");
	teardown();
}
END_TEST

START_TEST(nobody_knows_the_password)
{
	setup();
	two_agents();
	ck_assert_int_eq(need_credentials(4), 0);
	stage_answer_error(&s, HIGH, stage_asked(&s, HIGH, "CredentialsRequired", NULL), PASS);
	stage_asked(&s, LOW, "CredentialsRequired", NULL);
	stage_run(&s, 30 * SEC);
	ck_assert_uint_eq(s.n_secrets, 1);
	ck_assert_str_eq(s.password, "-");
	teardown();
}
END_TEST

START_TEST(the_endpoint_closes_while_its_password_is_asked_for)
{
	uint32_t serial;

	setup();
	two_agents();
	ck_assert_int_eq(need_credentials(5), 0);
	serial = stage_asked(&s, HIGH, "CredentialsRequired", NULL);
	endpoint_close(s.ep);
	stage_run(&s, 1 * SEC);
	stage_answer_error(&s, HIGH, serial, PASS);
	ck_assert_uint_eq(s.n_secrets, 1);
	ck_assert_str_eq(s.password, "-");
	teardown();
}
END_TEST

int main(void)
{
	static const TTest *const *const tests[] = {
		&the_highest_priority_is_asked_first,
		&equals_are_asked_in_order_of_registration,
		&errors_pass,
		&silence_passes,
		&thirty_seconds_in_all,
		&an_agent_leaves_while_asked,
		&an_agent_goes_right_after_its_answer,
		&the_bus_is_lost_while_asking,
		&nobody_is_there,
		&an_answer_that_is_none,
		&observers_are_told_and_never_asked,
		&the_filter_decides,
		&strangers_hear_nothing,
		&registrations_are_checked,
		&who_leaves_is_released,
		&there_is_a_limit,
		&a_page_is_shown_whole,
		&a_request_is_answered_by_its_agent,
		&the_endpoint_closes_while_asking,
		&credentials_come_from_an_agent,
		&the_user_is_the_profiles_if_absent,
		&nobody_knows_the_password,
		&the_endpoint_closes_while_its_password_is_asked_for,
	};

	return recorder_main("agent", tests, sizeof(tests) / sizeof(*tests));
}
