/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Endpoint.ConnectParties: one session that stands for two parties. */
#include <string.h>

#include "protocol/ua/limits.h"
#include "protocol/ua/session-view.h"
#include "tests/unit/ipc/stage-session.h"

#define USER ":1.20"
#define OTHER ":1.66"
#define SEC USEC_PER_SEC
#define OFFER "v=0\r\no=bob 1 1 IN IP4 h\r\ns=-\r\nt=0 0\r\nm=audio 4000 RTP/AVP 0\r\n"
#define ANSWER "v=0\r\no=bob 2 1 IN IP4 h\r\ns=-\r\nt=0 0\r\nm=audio 5000 RTP/AVP 0\r\n"

static struct stage_scene sc;
static struct stage *const s = &sc.s;

static void setup(void)
{
	stage_scene_init(&sc);
	stage_client(s, USER, STAGE_USER_UID);
	stage_client(s, OTHER, STAGE_OTHER_UID);
}

static void teardown(void)
{
	stage_scene_deinit(&sc);
}

static void try_connect(const char *client, const char *first, const char *second,
	const struct stage_option *options)
{
	DBusMessage *m = stage_call(s, STAGE_ALICE, "ConnectParties");

	dbus_message_append_args(
		m, DBUS_TYPE_STRING, &first, DBUS_TYPE_STRING, &second, DBUS_TYPE_INVALID);
	stage_append_options(m, options);
	stage_deliver(s, client, m);
}

/* Both parties are Bob's: the first is called. */
static struct session *first_called(void)
{
	const char *path;

	setup();
	try_connect(USER, "sip:bob@example.com", "sip:bob@example.com",
		(struct stage_option[]){ STAGE_TEXT("Id", "c1"), { 0 } });
	ck_assert(dbus_message_get_args(
		stage_return(s, "o"), NULL, DBUS_TYPE_OBJECT_PATH, &path, DBUS_TYPE_INVALID));
	ck_assert_str_eq(path, STAGE_C1);
	stage_settle(s);
	return world_expect_session(sc.bob);
}

/* The first has answered, and the second is called. */
static struct session *second_called(struct session *first)
{
	const struct session_body offer = world_sdp(OFFER);

	ck_assert_int_eq(session_accept(first, &offer, NULL), 0);
	stage_settle(s);
	return world_expect_session(sc.bob);
}

static const char *expect_terminated(uint32_t status)
{
	DBusMessage *m = stage_signal(s, "Terminated", NULL);
	const char *reason, *origin;
	dbus_uint32_t code;

	ck_assert(dbus_message_get_args(m, NULL, DBUS_TYPE_UINT32, &code, DBUS_TYPE_STRING, &reason,
		DBUS_TYPE_STRING, &origin, DBUS_TYPE_INVALID));
	ck_assert_uint_eq(code, status);
	(void)stage_signal(s, "InterfacesRemoved", NULL);
	ck_assert_uint_eq(s->iface->n_sessions, 0);
	return origin;
}

START_TEST(parties_are_joined)
{
	const struct session_body answer = world_sdp(ANSWER);
	const struct session_ring ring = { 0 };
	struct session *first = first_called(), *second;
	DBusMessage *m;
	const char *reason, *fork;
	dbus_uint32_t status;

	ck_assert_str_eq(stage_read(s, USER, "Owner"), USER);
	ck_assert_str_eq(stage_read(s, USER, "Type"), "ph2ph");
	ck_assert_str_eq(stage_read(s, USER, "Party"), "third");
	second = second_called(first);
	ck_assert_int_eq(session_ring(second, &ring), 0);
	stage_settle(s);
	m = stage_signal(s, "Progress", USER);
	ck_assert(dbus_message_get_args(m, NULL, DBUS_TYPE_UINT32, &status, DBUS_TYPE_STRING,
		&reason, DBUS_TYPE_STRING, &fork, DBUS_TYPE_INVALID));
	ck_assert_uint_eq(status, 180);
	ck_assert_str_eq(fork, "second");
	ck_assert_int_eq(session_accept(second, &answer, NULL), 0);
	stage_settle(s);
	(void)stage_signal(s, "Established", USER);
	ck_assert_str_eq(stage_read(s, USER, "State"), "established");
	/* The second is nobody's to see. */
	ck_assert_uint_eq(s->iface->n_sessions, 1);
	stage_no_signal(s, "OfferReceived");
	world_expect_body(world_expect_event(sc.bob, UA_SESSION_ESTABLISHED), "");
	world_expect_body(world_expect_event(sc.bob, UA_SESSION_ESTABLISHED), ANSWER);
	stage_body_verb(s, USER, "Offer", OFFER, stage_no_options);
	(void)stage_error(s, STAGE_ERROR("WrongState"));
	stage_body_verb(s, USER, "Answer", OFFER, NULL);
	(void)stage_error(s, STAGE_ERROR("WrongState"));
	stage_verb(s, OTHER, "Terminate", stage_no_options);
	(void)stage_error(s, DBUS_ERROR_ACCESS_DENIED);
	stage_verb(s, USER, "Terminate", stage_no_options);
	(void)stage_return(s, "");
	stage_settle(s);
	ck_assert_str_eq(expect_terminated(0), "local");
	(void)world_expect_event(sc.bob, UA_SESSION_TERMINATED);
	(void)world_expect_event(sc.bob, UA_SESSION_TERMINATED);
	teardown();
}
END_TEST

START_TEST(second_is_busy)
{
	struct session *second = second_called(first_called());

	ck_assert_int_eq(session_reject(second, 486, SLICE_NULL, NULL), 0);
	stage_settle(s);
	ck_assert_str_eq(expect_terminated(486), "remote");
	teardown();
}
END_TEST

START_TEST(first_is_busy)
{
	ck_assert_int_eq(session_reject(first_called(), 486, SLICE_NULL, NULL), 0);
	stage_settle(s);
	ck_assert_str_eq(expect_terminated(486), "remote");
	world_expect_no_session(sc.bob);
	teardown();
}
END_TEST

/* The policy of the profile ends both. */
START_TEST(owner_leaves)
{
	struct session *second = second_called(first_called());
	const struct session_body answer = world_sdp(ANSWER);

	ck_assert_int_eq(session_accept(second, &answer, NULL), 0);
	stage_settle(s);
	recorder_leave(&s->r, USER);
	stage_run(s, 16 * SEC);
	stage_settle(s);
	ck_assert_str_eq(expect_terminated(480), "local");
	(void)world_expect_event(sc.bob, UA_SESSION_ESTABLISHED);
	(void)world_expect_event(sc.bob, UA_SESSION_ESTABLISHED);
	(void)world_expect_event(sc.bob, UA_SESSION_TERMINATED);
	(void)world_expect_event(sc.bob, UA_SESSION_TERMINATED);
	teardown();
}
END_TEST

START_TEST(what_cannot_be_connected)
{
	static const struct {
		const char *first, *second;
		struct stage_option options[2];
		const char *error;
	} rows[] = {
		{ "bob", "sip:bob@example.com", { { 0 } }, STAGE_ERROR("InvalidArgument") },
		{ "sip:bob@example.com", "bob", { { 0 } }, STAGE_ERROR("InvalidArgument") },
		{ "sip:bob@example.com", "sip:bob@example.com", { STAGE_TEXT("Id", "") },
			STAGE_ERROR("InvalidArgument") },
		{ "sip:bob@example.com", "sip:bob@example.com",
			{ { "Headers", 'h', "x", 0, "Via" } }, STAGE_ERROR("InvalidArgument") },
		{ "sip:bob@example.com", "sip:bob@example.com", { STAGE_TEXT("Description", "") },
			STAGE_ERROR("InvalidArgument") },
	};

	setup();
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		try_connect(USER, rows[i].first, rows[i].second, rows[i].options);
		(void)stage_error(s, rows[i].error);
	}
	try_connect(OTHER, "sip:bob@example.com", "sip:bob@example.com", stage_no_options);
	(void)stage_error(s, DBUS_ERROR_ACCESS_DENIED);
	teardown();
}
END_TEST

int main(void)
{
	static const TTest *const *const tests[] = {
		&parties_are_joined,
		&second_is_busy,
		&first_is_busy,
		&owner_leaves,
		&what_cannot_be_connected,
	};

	return recorder_main("session-connect", tests, ARRAY_LEN(tests));
}
