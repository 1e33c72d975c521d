/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Whose a session is: who may act, and what becomes of it when nobody is left. */
#include <string.h>

#include "ipc/iface-session.h"
#include "protocol/ua/profile.h"
#include "protocol/ua/session-view.h"
#include "tests/unit/ipc/stage-session.h"

#define OWNER ":1.20"
#define FRIEND ":1.21"
#define STRANGER ":1.66"
#define SEC USEC_PER_SEC

static struct stage_scene sc;
static struct stage *const s = &sc.s;

static void setup(void)
{
	stage_scene_init(&sc);
	stage_client(s, OWNER, STAGE_USER_UID);
	stage_client(s, FRIEND, STAGE_USER_UID);
	stage_client(s, STRANGER, STAGE_OTHER_UID);
	s->profile->owner_grace = 15 * SEC;
	s->profile->on_owner_lost = PROFILE_OWNER_LOST_END;
}

static void teardown(void)
{
	stage_scene_deinit(&sc);
}

static void call(const char *client, const char *member)
{
	stage_verb(s, client, member, NULL);
}

/* ---- who may ---- */

static void call_any(const char *client, const struct bus_method *row)
{
	DBusMessage *m = stage_session_call(s, STAGE_C1, row->name);
	const char *in = row->in ? row->in : "";

	stage_append_arguments(m, in, NULL);
	if (strstr(in, "a{sv}"))
		stage_append_options(m, stage_no_options);
	stage_deliver(s, client, m);
}

/* Every method but two is the owner's. */
START_TEST(others_may_read_and_not_act)
{
	static const char *const free_to_all[] = { "Adopt", "GetMessage" };
	unsigned n = 0;

	setup();
	(void)stage_established(&sc, OWNER);
	for (const struct bus_method *m = iface_session_methods; m->name; m++) {
		bool is_free = false;

		for (size_t k = 0; k < ARRAY_LEN(free_to_all); k++)
			is_free |= strcmp(m->name, free_to_all[k]) == 0;
		ck_assert_int_eq(!(m->flags & BUS_OWNER), is_free);
		if (is_free)
			continue;
		call_any(FRIEND, m);
		stage_error(s, DBUS_ERROR_ACCESS_DENIED);
		n++;
	}
	ck_assert_uint_ge(n, 16);
	stage_settle(s);
	world_expect_no_event(sc.bob);
	call(FRIEND, "Adopt");
	stage_error(s, DBUS_ERROR_ACCESS_DENIED);
	ck_assert_str_eq(stage_read(s, FRIEND, "Owner"), OWNER);
	ck_assert_str_eq(stage_read(s, FRIEND, "State"), "established");
	teardown();
}
END_TEST

/* The administrator reads, but does not act on what a client owns. */
START_TEST(the_administrator_is_no_owner)
{
	setup();
	stage_client(s, ":1.1", STAGE_ROOT_UID);
	(void)stage_established(&sc, OWNER);
	ck_assert_str_eq(stage_read(s, ":1.1", "State"), "established");
	stage_verb(s, ":1.1", "Terminate", stage_no_options);
	stage_error(s, DBUS_ERROR_ACCESS_DENIED);
	teardown();
}
END_TEST

/* The profile's Users and Groups come first. */
START_TEST(strangers_neither_read_nor_act)
{
	DBusMessage *m;
	const char *interface = STAGE_SESSION, *which = "invite";

	setup();
	(void)stage_established(&sc, OWNER);
	m = recorder_call(&s->r, STAGE_C1, DBUS_INTERFACE_PROPERTIES, "GetAll");
	dbus_message_append_args(m, DBUS_TYPE_STRING, &interface, DBUS_TYPE_INVALID);
	stage_deliver(s, STRANGER, m);
	stage_error(s, DBUS_ERROR_ACCESS_DENIED);
	m = stage_session_call(s, STAGE_C1, "GetMessage");
	dbus_message_append_args(m, DBUS_TYPE_STRING, &which, DBUS_TYPE_INVALID);
	stage_deliver(s, STRANGER, m);
	stage_error(s, DBUS_ERROR_ACCESS_DENIED);
	recorder_leave(&s->r, OWNER);
	call(STRANGER, "Adopt");
	stage_error(s, DBUS_ERROR_ACCESS_DENIED);
	teardown();
}
END_TEST

/* Nor can somebody else's session be named where the verb would end it. */
START_TEST(options_name_sessions_of_ones_own)
{
	setup();
	(void)stage_established(&sc, OWNER);
	stage_try_create(s, FRIEND, "sip:bob@example.com",
		(struct stage_option[]){ STAGE_PATH("Replaces", STAGE_C1), { 0 } });
	stage_error(s, DBUS_ERROR_ACCESS_DENIED);
	stage_try_create(s, FRIEND, "sip:bob@example.com",
		(struct stage_option[]){ STAGE_PATH("Join", STAGE_C1), { 0 } });
	stage_error(s, DBUS_ERROR_ACCESS_DENIED);
	stage_try_create(s, OWNER, "sip:bob@example.com",
		(struct stage_option[]){
			STAGE_PATH("Join", STAGE_C1), STAGE_PATH("Replaces", STAGE_C1), { 0 } });
	stage_error(s, STAGE_ERROR("InvalidArgument"));
	teardown();
}
END_TEST

/* ---- when the owner leaves ---- */

START_TEST(the_session_ends_after_the_grace)
{
	setup();
	(void)stage_established(&sc, OWNER);
	recorder_leave(&s->r, OWNER);
	ck_assert_str_eq(stage_read(s, FRIEND, "Owner"), "");
	stage_run(s, 14 * SEC);
	ck_assert_str_eq(stage_read(s, FRIEND, "State"), "established");
	stage_no_signal(s, "Terminated");
	stage_run(s, 2 * SEC);
	stage_settle(s);
	(void)stage_signal(s, "Terminated", NULL);
	stage_no_signal(s, "Terminated");
	(void)world_expect_event(sc.bob, UA_SESSION_TERMINATED);
	teardown();
}
END_TEST

START_TEST(without_grace_it_ends_at_once)
{
	setup();
	s->profile->owner_grace = 0;
	(void)stage_established(&sc, OWNER);
	recorder_leave(&s->r, OWNER);
	stage_settle(s);
	stage_settle(s);
	(void)stage_signal(s, "Terminated", NULL);
	(void)world_expect_event(sc.bob, UA_SESSION_TERMINATED);
	teardown();
}
END_TEST

/* What is not answered yet is cancelled. */
START_TEST(an_invite_is_cancelled)
{
	const struct session_ring ring = { 0 };

	setup();
	stage_create(s, OWNER);
	stage_settle(s);
	ck_assert_int_eq(session_ring(world_expect_session(sc.bob), &ring), 0);
	stage_settle(s);
	recorder_leave(&s->r, OWNER);
	stage_run(s, 16 * SEC);
	stage_settle(s);
	(void)stage_signal(s, "Terminated", NULL);
	(void)world_expect_event(sc.bob, UA_SESSION_TERMINATED);
	teardown();
}
END_TEST

START_TEST(somebody_adopts_it_in_time)
{
	const struct session_body text = { SLICE("text/plain"), SLICE("are you there?") };
	struct world_reply reply = { 0 };
	struct session_reply wait = world_reply_of(&reply);
	struct session *in;

	setup();
	in = stage_established(&sc, OWNER);
	recorder_leave(&s->r, OWNER);
	/* What happens meanwhile waits for who comes. */
	ck_assert_int_eq(session_message(in, &text, NULL, &wait), 0);
	stage_settle(s);
	stage_no_signal(s, "MessageReceived");
	call(FRIEND, "Adopt");
	stage_expect_bytes(stage_signal(s, "MessageReceived", FRIEND), "are you there?");
	(void)stage_return(s, "");
	ck_assert_str_eq(stage_read(s, FRIEND, "Owner"), FRIEND);
	/* Again is nothing new. */
	call(FRIEND, "Adopt");
	(void)stage_return(s, "");
	stage_run(s, 60 * SEC);
	ck_assert_str_eq(stage_read(s, FRIEND, "State"), "established");
	stage_verb(s, FRIEND, "Terminate", stage_no_options);
	(void)stage_return(s, "");
	stage_settle(s);
	(void)stage_signal(s, "Terminated", NULL);
	teardown();
}
END_TEST

/* Names are never used twice: who comes back is another client, and has its own grace. */
START_TEST(each_owner_has_its_grace)
{
	setup();
	(void)stage_established(&sc, OWNER);
	recorder_leave(&s->r, OWNER);
	stage_run(s, 10 * SEC);
	call(FRIEND, "Adopt");
	(void)stage_return(s, "");
	stage_run(s, 10 * SEC);
	recorder_leave(&s->r, FRIEND);
	stage_run(s, 14 * SEC);
	stage_no_signal(s, "Terminated");
	stage_run(s, 2 * SEC);
	stage_settle(s);
	(void)stage_signal(s, "Terminated", NULL);
	teardown();
}
END_TEST

START_TEST(a_client_loses_all_it_has)
{
	setup();
	(void)stage_established(&sc, OWNER);
	stage_try_create(s, OWNER, "sip:bob@example.com",
		(struct stage_option[]){ STAGE_TEXT("Id", "c2"), { 0 } });
	(void)stage_return(s, "o");
	stage_settle(s);
	recorder_leave(&s->r, OWNER);
	stage_run(s, 16 * SEC);
	stage_settle(s);
	(void)stage_signal(s, "Terminated", NULL);
	(void)stage_signal(s, "Terminated", NULL);
	ck_assert_uint_eq(s->iface->n_sessions, 0);
	teardown();
}
END_TEST

/* ---- the policy to keep it ---- */

START_TEST(it_is_kept_for_anybody)
{
	const struct session_body offer = world_sdp("bob's offer");
	struct world_reply reply = { 0 };
	struct session_reply wait = world_reply_of(&reply);
	struct session *in;

	setup();
	s->profile->on_owner_lost = PROFILE_OWNER_LOST_KEEP;
	in = stage_established(&sc, OWNER);
	recorder_leave(&s->r, OWNER);
	ck_assert_int_eq(session_offer(in, &offer, SLICE_NULL, &wait), 0);
	stage_settle(s);
	/* In the grace somebody may come who answers. */
	ck_assert_uint_eq(reply.n, 0);
	stage_run(s, 16 * SEC);
	stage_settle(s);
	ck_assert_uint_eq(reply.n, 1);
	ck_assert_uint_eq(reply.status, 488);
	/* From then on nobody will. */
	ck_assert_int_eq(session_offer(in, &offer, SLICE_NULL, &wait), 0);
	stage_settle(s);
	ck_assert_uint_eq(reply.n, 2);
	stage_run(s, 60 * SEC);
	ck_assert_str_eq(stage_read(s, FRIEND, "State"), "established");
	/* A script whose every call is a client of its own gets along. */
	stage_verb(s, FRIEND, "Terminate", stage_no_options);
	(void)stage_return(s, "");
	stage_settle(s);
	(void)stage_signal(s, "Terminated", NULL);
	teardown();
}
END_TEST

/* What a far end sends to nobody is bounded. */
START_TEST(news_that_wait_are_bounded)
{
	struct session_body text = { SLICE("text/plain"), SLICE("0") };
	struct world_reply reply = { 0 };
	struct session_reply wait = world_reply_of(&reply);
	struct session *in;
	char number[8];

	setup();
	s->profile->on_owner_lost = PROFILE_OWNER_LOST_KEEP;
	in = stage_established(&sc, OWNER);
	recorder_leave(&s->r, OWNER);
	for (unsigned i = 0; i < IFACE_HELD_NEWS + 3; i++) {
		(void)snprintf(number, sizeof(number), "%u", i);
		text.bytes = slice_str(number);
		ck_assert_int_eq(session_message(in, &text, NULL, &wait), 0);
		stage_settle(s);
	}
	call(FRIEND, "Adopt");
	stage_expect_bytes(stage_signal(s, "MessageReceived", FRIEND), "3");
	for (unsigned i = 1; i < IFACE_HELD_NEWS; i++)
		(void)stage_signal(s, "MessageReceived", FRIEND);
	stage_no_signal(s, "MessageReceived");
	teardown();
}
END_TEST

START_TEST(large_news_that_wait_are_bounded)
{
	enum { LARGE = IFACE_HELD_BYTES / 8 };
	char *bytes = mem_alloc(LARGE);
	struct session_body text = { SLICE("text/plain"), slice_of(bytes, LARGE) };
	struct world_reply reply = { 0 };
	struct session_reply wait = world_reply_of(&reply);
	struct session *in;
	unsigned n = 0;

	setup();
	memset(bytes, 'x', LARGE);
	in = stage_established(&sc, OWNER);
	recorder_leave(&s->r, OWNER);
	for (unsigned i = 0; i < 8; i++) {
		ck_assert_int_eq(session_message(in, &text, NULL, &wait), 0);
		stage_settle(s);
	}
	call(FRIEND, "Adopt");
	for (DBusMessage *m; (m = recorder_next(&s->r));)
		n += dbus_message_has_member(m, "MessageReceived");
	/* Headers and copies count as well. */
	ck_assert_uint_ge(n, 1);
	ck_assert_uint_lt(n, 8);
	free(bytes);
	teardown();
}
END_TEST

/* ---- giving it up ---- */

START_TEST(release_is_like_leaving)
{
	setup();
	(void)stage_established(&sc, OWNER);
	call(OWNER, "Release");
	(void)stage_return(s, "");
	ck_assert_str_eq(stage_read(s, OWNER, "Owner"), "");
	call(OWNER, "Release");
	stage_error(s, STAGE_ERROR("WrongState"));
	call(FRIEND, "Adopt");
	(void)stage_return(s, "");
	stage_verb(s, OWNER, "Terminate", stage_no_options);
	stage_error(s, DBUS_ERROR_ACCESS_DENIED);
	call(FRIEND, "Release");
	(void)stage_return(s, "");
	stage_run(s, 16 * SEC);
	stage_settle(s);
	(void)stage_signal(s, "Terminated", NULL);
	teardown();
}
END_TEST

/* ---- how many ---- */

static void create_another(void)
{
	const char *target = "sip:bob@example.com";
	DBusMessage *m = stage_call(s, STAGE_ALICE, "CreateSession");

	dbus_message_append_args(m, DBUS_TYPE_STRING, &target, DBUS_TYPE_INVALID);
	stage_append_options(m, stage_no_options);
	stage_deliver(s, OWNER, m);
}

START_TEST(there_is_a_limit)
{
	setup();
	stage_own_much(s, OWNER);
	create_another();
	stage_error(s, STAGE_ERROR("LimitExceeded"));
	/* Others have their own. */
	stage_create(s, FRIEND);
	call(FRIEND, "Release");
	(void)stage_return(s, "");
	call(OWNER, "Adopt");
	stage_error(s, STAGE_ERROR("LimitExceeded"));
	stage_own_less(s, 1);
	call(OWNER, "Adopt");
	(void)stage_return(s, "");
	create_another();
	stage_error(s, STAGE_ERROR("LimitExceeded"));
	teardown();
}
END_TEST

int main(void)
{
	static const TTest *const *const tests[] = {
		&others_may_read_and_not_act,
		&the_administrator_is_no_owner,
		&strangers_neither_read_nor_act,
		&options_name_sessions_of_ones_own,
		&the_session_ends_after_the_grace,
		&without_grace_it_ends_at_once,
		&an_invite_is_cancelled,
		&somebody_adopts_it_in_time,
		&each_owner_has_its_grace,
		&a_client_loses_all_it_has,
		&it_is_kept_for_anybody,
		&news_that_wait_are_bounded,
		&large_news_that_wait_are_bounded,
		&release_is_like_leaving,
		&there_is_a_limit,
	};

	return recorder_main("session-owner", tests, ARRAY_LEN(tests));
}
