/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Sessions that come: who is asked, in which order, and whose they become. */
#include <string.h>

#include "ipc/iface-session.h"
#include "protocol/ua/limits.h"
#include "protocol/ua/profile.h"
#include "protocol/ua/session-view.h"
#include "tests/unit/ipc/stage-session.h"

#define HIGH ":1.20"
#define LOW ":1.21"
#define OBSERVER ":1.22"
#define STRANGER ":1.66"
#define PASS STAGE_ERROR("Pass")
#define SEC USEC_PER_SEC

static struct stage_scene sc;
static struct stage *const s = &sc.s;
static char path[128]; /* of the session that came last */

static void setup(void)
{
	stage_scene_init(&sc);
	stage_client(s, HIGH, STAGE_USER_UID);
	stage_client(s, LOW, STAGE_USER_UID);
	stage_client(s, OBSERVER, STAGE_USER_UID);
	stage_client(s, STRANGER, STAGE_OTHER_UID);
	s->profile->agent_timeout = 20 * SEC;
}

static void teardown(void)
{
	stage_scene_deinit(&sc);
}

static void two_agents(void)
{
	stage_agent(s, &(struct stage_agent){ .client = LOW, .priority = -3 });
	stage_agent(s, &(struct stage_agent){ .client = HIGH, .priority = 5 });
}

static uint32_t asked(const char *client)
{
	const char *text;
	DBusMessage *m;
	uint32_t serial = stage_asked(s, client, "SessionReceived", &m);

	ck_assert(dbus_message_get_args(m, NULL, DBUS_TYPE_OBJECT_PATH, &text, DBUS_TYPE_INVALID));
	(void)snprintf(path, sizeof(path), "%s", text);
	return serial;
}

static void takes(const char *client, uint32_t serial)
{
	DBusMessage *m = dbus_message_new(DBUS_MESSAGE_TYPE_METHOD_RETURN);

	dbus_message_set_reply_serial(m, serial);
	(void)recorder_deliver_from(&s->r, m, client);
	stage_settle(s);
}

static void fails(const char *client, uint32_t serial, const char *error)
{
	stage_answer_error(s, client, serial, error);
	stage_settle(s);
}

static void verb(const char *client, const char *member, const char *body)
{
	DBusMessage *m = stage_session_call(s, path, member);
	const char *type = STAGE_SDP;

	if (body)
		dbus_message_append_args(m, DBUS_TYPE_STRING, &type, DBUS_TYPE_ARRAY,
			DBUS_TYPE_BYTE, &body, (int)strlen(body), DBUS_TYPE_INVALID);
	stage_append_options(m, stage_no_options);
	stage_deliver(s, client, m);
}

static void expect_refused(unsigned status)
{
	stage_settle(s);
	(void)world_expect_terminated(sc.bob, status, ORIGIN_REMOTE);
	(void)stage_signal(s, "Terminated", NULL);
	stage_no_signal(s, "Terminated");
	ck_assert_uint_eq(s->iface->n_sessions, 0);
}

/* ---- one after the other ---- */

START_TEST(who_returns_takes_it)
{
	uint32_t serial;

	setup();
	two_agents();
	(void)stage_bob_calls(&sc);
	serial = asked(HIGH);
	/* The object was there before the question. */
	ck_assert_uint_eq(s->iface->n_sessions, 1);
	takes(HIGH, serial);
	stage_silence(s);
	verb(HIGH, "Ring", NULL);
	(void)stage_return(s, "");
	stage_settle(s);
	(void)world_expect_progress(sc.bob, 180);
	verb(LOW, "Accept", "answer");
	stage_error(s, DBUS_ERROR_ACCESS_DENIED);
	verb(HIGH, "Accept", "answer");
	(void)stage_return(s, "");
	stage_settle(s);
	world_expect_body(world_expect_event(sc.bob, UA_SESSION_ESTABLISHED), "answer");
	(void)stage_signal(s, "Established", HIGH);
	verb(HIGH, "Terminate", NULL);
	(void)stage_return(s, "");
	stage_settle(s);
	(void)world_expect_event(sc.bob, UA_SESSION_TERMINATED);
	(void)stage_signal(s, "Terminated", NULL);
	teardown();
}
END_TEST

START_TEST(who_passes_hands_it_on)
{
	setup();
	two_agents();
	(void)stage_bob_calls(&sc);
	fails(HIGH, asked(HIGH), PASS);
	takes(LOW, asked(LOW));
	verb(HIGH, "Accept", "answer");
	stage_error(s, DBUS_ERROR_ACCESS_DENIED);
	verb(LOW, "Accept", "answer");
	(void)stage_return(s, "");
	teardown();
}
END_TEST

START_TEST(none_takes_it)
{
	setup();
	two_agents();
	(void)stage_bob_calls(&sc);
	fails(HIGH, asked(HIGH), PASS);
	fails(LOW, asked(LOW), DBUS_ERROR_UNKNOWN_METHOD);
	expect_refused(480);
	teardown();
}
END_TEST

START_TEST(nobody_is_there)
{
	setup();
	(void)stage_bob_calls(&sc);
	expect_refused(480);
	teardown();
}
END_TEST

/* Each has its time; INVITE knows no end of it (RFC 3261 section 17.2.1). */
START_TEST(silence_passes)
{
	uint32_t late;

	setup();
	two_agents();
	(void)stage_bob_calls(&sc);
	late = asked(HIGH);
	stage_run(s, 19 * SEC);
	stage_silence(s);
	stage_run(s, 1 * SEC);
	(void)asked(LOW);
	/* Too late: somebody else decides now. */
	takes(HIGH, late);
	verb(HIGH, "Accept", "answer");
	stage_error(s, DBUS_ERROR_ACCESS_DENIED);
	stage_run(s, 20 * SEC);
	expect_refused(480);
	teardown();
}
END_TEST

START_TEST(an_agent_leaves_while_asked)
{
	uint32_t serial;

	setup();
	two_agents();
	(void)stage_bob_calls(&sc);
	serial = asked(HIGH);
	recorder_leave(&s->r, HIGH);
	fails(DBUS_SERVICE_DBUS, serial, DBUS_ERROR_NO_REPLY);
	takes(LOW, asked(LOW));
	verb(LOW, "Accept", "answer");
	(void)stage_return(s, "");
	teardown();
}
END_TEST

/* Taken, then lost: the caller hears 480 after the grace. */
START_TEST(an_agent_leaves_after_its_answer)
{
	setup();
	s->profile->owner_grace = 15 * SEC;
	stage_agent(s, &(struct stage_agent){ .client = HIGH });
	(void)stage_bob_calls(&sc);
	takes(HIGH, asked(HIGH));
	recorder_leave(&s->r, HIGH);
	stage_run(s, 14 * SEC);
	world_expect_no_event(sc.bob);
	stage_run(s, 2 * SEC);
	expect_refused(480);
	teardown();
}
END_TEST

START_TEST(the_caller_gives_up_while_asking)
{
	struct session *out;
	uint32_t serial;

	setup();
	two_agents();
	out = stage_bob_calls(&sc);
	serial = asked(HIGH);
	ck_assert_int_eq(session_terminate(out, NULL), 0);
	/* CANCEL waits for the 100 (RFC 3261 section 9.1), which takes 200 ms (17.2.1). */
	stage_run(s, 1 * SEC);
	(void)stage_signal(s, "Terminated", NULL);
	ck_assert_uint_eq(s->iface->n_sessions, 0);
	takes(HIGH, serial);
	stage_run(s, 60 * SEC);
	stage_silence(s);
	teardown();
}
END_TEST

/* As an agent does that calls methods before it returns. */
START_TEST(who_is_asked_may_act)
{
	uint32_t serial;

	setup();
	two_agents();
	(void)stage_bob_calls(&sc);
	serial = asked(HIGH);
	verb(LOW, "Ring", NULL);
	stage_error(s, DBUS_ERROR_ACCESS_DENIED);
	verb(LOW, "Adopt", NULL);
	stage_error(s, DBUS_ERROR_INVALID_ARGS);
	stage_deliver(s, LOW, stage_session_call(s, path, "Adopt"));
	stage_error(s, DBUS_ERROR_ACCESS_DENIED);
	verb(HIGH, "Ring", NULL);
	(void)stage_return(s, "");
	verb(HIGH, "Accept", "answer");
	(void)stage_return(s, "");
	/* It has decided; what it returns changes nothing. */
	fails(HIGH, serial, PASS);
	stage_run(s, 30 * SEC);
	verb(HIGH, "Terminate", NULL);
	(void)stage_return(s, "");
	teardown();
}
END_TEST

/* Nothing is to be returned: who returns something means another question. */
START_TEST(an_answer_of_another_type_passes)
{
	const dbus_uint32_t status = 200;
	DBusMessage *m = dbus_message_new(DBUS_MESSAGE_TYPE_METHOD_RETURN);

	setup();
	two_agents();
	(void)stage_bob_calls(&sc);
	dbus_message_set_reply_serial(m, asked(HIGH));
	dbus_message_append_args(m, DBUS_TYPE_UINT32, &status, DBUS_TYPE_INVALID);
	(void)recorder_deliver_from(&s->r, m, HIGH);
	takes(LOW, asked(LOW));
	verb(HIGH, "Accept", "answer");
	stage_error(s, DBUS_ERROR_ACCESS_DENIED);
	verb(LOW, "Accept", "answer");
	(void)stage_return(s, "");
	teardown();
}
END_TEST

/* Serials can be guessed: only who was asked answers. */
START_TEST(somebody_else_answers)
{
	uint32_t serial;

	setup();
	two_agents();
	(void)stage_bob_calls(&sc);
	serial = asked(HIGH);
	takes(STRANGER, serial);
	takes(LOW, serial);
	verb(LOW, "Accept", "answer");
	stage_error(s, DBUS_ERROR_ACCESS_DENIED);
	takes(HIGH, serial);
	verb(HIGH, "Accept", "answer");
	(void)stage_return(s, "");
	teardown();
}
END_TEST

/* It owns what it accepted, though it never says so; and when it leaves, that is its owner's
 * leaving. */
START_TEST(who_accepted_leaves_without_an_answer)
{
	setup();
	s->profile->owner_grace = 15 * SEC;
	two_agents();
	(void)stage_bob_calls(&sc);
	(void)asked(HIGH);
	verb(HIGH, "Accept", "answer");
	(void)stage_return(s, "");
	stage_run(s, 30 * SEC);
	stage_silence(s);
	world_expect_body(world_expect_event(sc.bob, UA_SESSION_ESTABLISHED), "answer");
	recorder_leave(&s->r, HIGH);
	stage_run(s, 14 * SEC);
	stage_no_signal(s, "Terminated");
	stage_run(s, 2 * SEC);
	stage_settle(s);
	(void)stage_signal(s, "Terminated", NULL);
	(void)world_expect_event(sc.bob, UA_SESSION_TERMINATED);
	teardown();
}
END_TEST

START_TEST(who_is_asked_may_refuse)
{
	DBusMessage *m;
	const char *reason = "Busy";
	uint32_t status = 486;

	setup();
	two_agents();
	(void)stage_bob_calls(&sc);
	(void)asked(HIGH);
	m = stage_session_call(s, path, "Reject");
	dbus_message_append_args(
		m, DBUS_TYPE_UINT32, &status, DBUS_TYPE_STRING, &reason, DBUS_TYPE_INVALID);
	stage_append_options(m, stage_no_options);
	stage_deliver(s, HIGH, m);
	(void)world_settle(s->w);
	(void)world_expect_terminated(sc.bob, 486, ORIGIN_REMOTE);
	teardown();
}
END_TEST

/* ---- what else the called side may say ---- */

static void ring(const struct stage_option *options)
{
	DBusMessage *m = stage_session_call(s, path, "Ring");

	stage_append_options(m, options);
	stage_deliver(s, HIGH, m);
}

/* RFC 3262, and RFC 3261 section 13.2.1: early media is the answer before the answer. */
START_TEST(ringing_has_options)
{
	setup();
	two_agents();
	(void)stage_bob_calls(&sc);
	takes(HIGH, asked(HIGH));
	ring((struct stage_option[]){
		STAGE_NUMBER("Status", 182), STAGE_TEXT("Reason", "In line"), { 0 } });
	(void)stage_return(s, "");
	stage_settle(s);
	ck_assert(slice_eq(world_expect_progress(sc.bob, 182)->event.reason, SLICE("In line")));
	ring((struct stage_option[]){ STAGE_NUMBER("Status", 183), STAGE_FLAG("Reliable", 1),
		STAGE_TEXT("ContentType", STAGE_SDP), STAGE_BYTES("Description", "early"), { 0 } });
	(void)stage_return(s, "");
	stage_settle(s);
	world_expect_body(world_expect_progress(sc.bob, 183), "early");
	teardown();
}
END_TEST

static void redirect(unsigned n)
{
	DBusMessage *m = stage_session_call(s, path, "Redirect");
	const char *target = "sip:elsewhere@example.com";
	DBusMessageIter at, list;

	dbus_message_iter_init_append(m, &at);
	dbus_message_iter_open_container(&at, DBUS_TYPE_ARRAY, "s", &list);
	for (unsigned i = 0; i < n; i++)
		dbus_message_iter_append_basic(&list, DBUS_TYPE_STRING, &target);
	dbus_message_iter_close_container(&at, &list);
	stage_append_options(m, stage_no_options);
	stage_deliver(s, HIGH, m);
}

START_TEST(a_caller_is_sent_elsewhere)
{
	setup();
	two_agents();
	(void)stage_bob_calls(&sc);
	takes(HIGH, asked(HIGH));
	redirect(0);
	stage_error(s, STAGE_ERROR("InvalidArgument"));
	redirect(IFACE_SESSION_TARGETS + 1);
	stage_error(s, STAGE_ERROR("LimitExceeded"));
	redirect(IFACE_SESSION_TARGETS);
	/* The session is over by the time the call is. */
	ck_assert_uint_eq(stage_status(stage_signal(s, "Terminated", NULL)), 302);
	(void)stage_return(s, "");
	stage_settle(s);
	stage_no_signal(s, "Terminated");
	teardown();
}
END_TEST

/* ---- who is asked at all ---- */

START_TEST(the_filter_decides)
{
	setup();
	stage_agent(s, &(struct stage_agent){ .client = HIGH, .path = "/a", .kind = "page" });
	stage_agent(s, &(struct stage_agent){ .client = HIGH, .path = "/b", .type = "im" });
	stage_agent(
		s, &(struct stage_agent){
			   .client = HIGH, .path = "/c", .endpoint = "/org/sipbus1/endpoint/bob" });
	stage_agent(s, &(struct stage_agent){ .client = STRANGER, .path = "/d" });
	(void)stage_bob_calls(&sc);
	expect_refused(480);
	stage_agent(s, &(struct stage_agent){ .client = LOW,
			       .kind = "session",
			       .type = "pc2pc",
			       .endpoint = STAGE_ALICE });
	stage_run(s, 40 * SEC);
	(void)stage_bob_calls(&sc);
	takes(LOW, asked(LOW));
	stage_silence(s);
	teardown();
}
END_TEST

START_TEST(observers_are_told_and_never_asked)
{
	DBusMessage *m;

	setup();
	stage_agent(
		s, &(struct stage_agent){ .client = OBSERVER, .priority = 9, .observes = true });
	stage_agent(s, &(struct stage_agent){ .client = LOW });
	(void)stage_bob_calls(&sc);
	(void)stage_asked(s, OBSERVER, "SessionReceived", &m);
	ck_assert(dbus_message_get_no_reply(m));
	takes(OBSERVER, dbus_message_get_serial(m));
	takes(LOW, asked(LOW));
	verb(OBSERVER, "Accept", "answer");
	stage_error(s, DBUS_ERROR_ACCESS_DENIED);
	teardown();
}
END_TEST

/* ---- what is asked ---- */

static bool has_text(DBusMessage *m, const char *key, const char *value)
{
	DBusMessageIter at, dict, entry, variant;
	const char *text;

	dbus_message_iter_init(m, &at);
	dbus_message_iter_next(&at);
	for (dbus_message_iter_recurse(&at, &dict);
		dbus_message_iter_get_arg_type(&dict) == DBUS_TYPE_DICT_ENTRY;
		dbus_message_iter_next(&dict)) {
		dbus_message_iter_recurse(&dict, &entry);
		dbus_message_iter_get_basic(&entry, &text);
		if (strcmp(text, key) != 0)
			continue;
		if (!value)
			return true;
		dbus_message_iter_next(&entry);
		dbus_message_iter_recurse(&entry, &variant);
		dbus_message_iter_get_basic(&variant, &text);
		return strcmp(text, value) == 0;
	}
	return false;
}

START_TEST(a_session_is_shown_whole)
{
	DBusMessage *m;

	setup();
	stage_agent(s, &(struct stage_agent){ .client = HIGH });
	(void)stage_bob_calls(&sc);
	(void)stage_asked(s, HIGH, "SessionReceived", &m);
	ck_assert_str_eq(dbus_message_get_signature(m), "oa{sv}");
	ck_assert(has_text(m, "From", "sip:bob@example.com"));
	ck_assert(has_text(m, "To", "sip:alice@example.com"));
	ck_assert(has_text(m, "RequestUri", "sip:alice@example.com"));
	ck_assert(has_text(m, "ContentType", STAGE_SDP));
	ck_assert(has_text(m, "Type", "pc2pc"));
	ck_assert(has_text(m, "Description", NULL));
	ck_assert(has_text(m, "Headers", NULL));
	ck_assert(has_text(m, "Forked", NULL));
	ck_assert(!has_text(m, "Replaces", NULL));
	ck_assert(!has_text(m, "Join", NULL));
	teardown();
}
END_TEST

/* RFC 3891: the one that is to go is named by its object. */
START_TEST(what_it_replaces_is_named)
{
	struct session *first, *second;
	struct session_spec spec = { .target = SLICE("sip:alice@example.com"),
		.id = SLICE("b2"),
		.offer = world_sdp("again") };
	const char *why;
	DBusMessage *m;
	char old[sizeof(path)];

	setup();
	stage_agent(s, &(struct stage_agent){ .client = HIGH });
	first = stage_bob_calls(&sc);
	takes(HIGH, asked(HIGH));
	verb(HIGH, "Accept", "answer");
	(void)stage_return(s, "");
	stage_settle(s);
	(void)snprintf(old, sizeof(old), "%s", path);
	spec.replaces = first;
	ck_assert_int_eq(session_new(sc.bobs, &spec, &second, &why), 0);
	stage_settle(s);
	(void)stage_asked(s, HIGH, "SessionReceived", &m);
	ck_assert(has_text(m, "Replaces", old));
	teardown();
}
END_TEST

/* RFC 3891 section 3: whose session is to go decides about that, whoever else takes calls. */
START_TEST(who_owns_the_replaced_is_asked)
{
	struct session *first, *second;
	struct session_spec spec = { .target = SLICE("sip:alice@example.com"),
		.id = SLICE("b2"),
		.offer = world_sdp("again") };
	const char *why;

	setup();
	two_agents();
	first = stage_bob_calls(&sc);
	fails(HIGH, asked(HIGH), PASS);
	takes(LOW, asked(LOW));
	verb(LOW, "Accept", "answer");
	(void)stage_return(s, "");
	stage_settle(s);
	(void)world_expect_event(sc.bob, UA_SESSION_ESTABLISHED);
	spec.replaces = first;
	ck_assert_int_eq(session_new(sc.bobs, &spec, &second, &why), 0);
	stage_settle(s);
	fails(LOW, asked(LOW), PASS);
	(void)world_expect_terminated(sc.bob, 480, ORIGIN_REMOTE);
	teardown();
}
END_TEST

/* ---- the end of other things ---- */

START_TEST(the_bus_is_lost_while_asking)
{
	setup();
	two_agents();
	(void)stage_bob_calls(&sc);
	(void)asked(HIGH);
	bus_lost(s->r.bus);
	stage_run(s, 1 * SEC);
	stage_settle(s);
	(void)world_expect_terminated(sc.bob, 480, ORIGIN_REMOTE);
	teardown();
}
END_TEST

START_TEST(the_endpoint_closes_while_asking)
{
	uint32_t serial;

	setup();
	two_agents();
	(void)stage_bob_calls(&sc);
	serial = asked(HIGH);
	endpoint_close(s->ep);
	stage_settle(s);
	stage_run(s, 40 * SEC);
	takes(HIGH, serial);
	ck_assert_uint_eq(s->iface->n_sessions, 0);
	(void)world_expect_event(sc.bob, UA_SESSION_TERMINATED);
	teardown();
}
END_TEST

START_TEST(the_interfaces_go_while_asking)
{
	setup();
	two_agents();
	(void)stage_bob_calls(&sc);
	(void)asked(HIGH);
	s->iface = iface_free(s->iface);
	teardown();
}
END_TEST

int main(void)
{
	static const TTest *const *const tests[] = {
		&who_returns_takes_it,
		&who_passes_hands_it_on,
		&none_takes_it,
		&nobody_is_there,
		&silence_passes,
		&an_agent_leaves_while_asked,
		&an_agent_leaves_after_its_answer,
		&the_caller_gives_up_while_asking,
		&who_is_asked_may_act,
		&an_answer_of_another_type_passes,
		&somebody_else_answers,
		&who_accepted_leaves_without_an_answer,
		&who_is_asked_may_refuse,
		&ringing_has_options,
		&a_caller_is_sent_elsewhere,
		&the_filter_decides,
		&observers_are_told_and_never_asked,
		&a_session_is_shown_whole,
		&what_it_replaces_is_named,
		&the_bus_is_lost_while_asking,
		&who_owns_the_replaced_is_asked,
		&the_endpoint_closes_while_asking,
		&the_interfaces_go_while_asking,
	};

	return recorder_main("session-agent", tests, ARRAY_LEN(tests));
}
