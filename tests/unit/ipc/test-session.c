/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* org.sipbus1.Session as its owner sees it: verbs, signals, properties. */
#include <string.h>

#include "protocol/msg/msg.h"
#include "protocol/ua/request-headers.h"
#include "protocol/ua/session-view.h"
#include "tests/unit/ipc/stage-session.h"

#define USER ":1.20"
#define OTHER ":1.66"
#define SEC USEC_PER_SEC

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

static void expect_terminated(uint32_t status, const char *origin)
{
	DBusMessage *m = stage_signal(s, "Terminated", NULL);
	const char *reason, *who;
	dbus_uint32_t code;

	ck_assert(dbus_message_get_args(m, NULL, DBUS_TYPE_UINT32, &code, DBUS_TYPE_STRING, &reason,
		DBUS_TYPE_STRING, &who, DBUS_TYPE_INVALID));
	ck_assert_uint_eq(code, status);
	ck_assert_str_eq(who, origin);
	(void)stage_signal(s, "InterfacesRemoved", NULL);
	stage_no_signal(s, "Terminated");
	ck_assert_uint_eq(s->iface->n_sessions, 0);
}

/* ---- from INVITE to BYE ---- */

START_TEST(a_session_is_made)
{
	const struct session_ring ring = { .status = 183, .body = world_sdp("early") };
	const struct session_body answer = world_sdp("early");
	struct session *in;
	DBusMessage *m;
	const char *reason, *fork;
	dbus_uint32_t status;

	setup();
	stage_create(s, USER);
	ck_assert_str_eq(stage_read(s, USER, "State"), "trying");
	ck_assert_str_eq(stage_read(s, USER, "Owner"), USER);
	ck_assert_str_eq(stage_read(s, USER, "DescriptionState"), "local-offer");
	ck_assert_str_eq(stage_read(s, USER, "RemoteUri"), "sip:bob@example.com");
	ck_assert_str_eq(stage_read(s, USER, "LocalUri"), "sip:alice@example.com");
	ck_assert_str_eq(stage_read(s, USER, "Endpoint"), STAGE_ALICE);
	stage_settle(s);
	in = world_expect_session(sc.bob);
	ck_assert_int_eq(session_ring(in, &ring), 0);
	stage_settle(s);
	m = stage_signal(s, "Progress", USER);
	ck_assert(dbus_message_get_args(m, NULL, DBUS_TYPE_UINT32, &status, DBUS_TYPE_STRING,
		&reason, DBUS_TYPE_STRING, &fork, DBUS_TYPE_INVALID));
	ck_assert_uint_eq(status, 183);
	ck_assert_str_eq(fork, "1");
	stage_expect_bytes(m, "early");
	ck_assert_str_eq(stage_read(s, USER, "State"), "early");
	ck_assert_int_eq(session_accept(in, &answer, NULL), 0);
	stage_settle(s);
	stage_expect_bytes(stage_signal(s, "Established", USER), "early");
	ck_assert_str_eq(stage_read(s, USER, "State"), "established");
	ck_assert_str_eq(stage_read(s, USER, "DescriptionState"), "stable");
	ck_assert_uint_eq(s->iface->n_sessions, 1);
	stage_verb(s, USER, "Terminate", stage_no_options);
	(void)stage_return(s, "");
	stage_settle(s);
	expect_terminated(0, "local");
	teardown();
}
END_TEST

START_TEST(the_far_end_refuses)
{
	setup();
	stage_create(s, USER);
	stage_settle(s);
	ck_assert_int_eq(session_reject(world_expect_session(sc.bob), 486, SLICE_NULL, NULL), 0);
	stage_settle(s);
	expect_terminated(486, "remote");
	stage_verb(s, USER, "Terminate", stage_no_options);
	stage_error(s, DBUS_ERROR_UNKNOWN_OBJECT);
	teardown();
}
END_TEST

START_TEST(the_far_end_hangs_up)
{
	struct session *in;

	setup();
	in = stage_established(&sc, USER);
	ck_assert_int_eq(session_terminate(in, NULL), 0);
	stage_settle(s);
	(void)stage_signal(s, "Terminated", NULL);
	(void)stage_signal(s, "InterfacesRemoved", NULL);
	stage_no_signal(s, "Terminated");
	teardown();
}
END_TEST

START_TEST(terminate_before_an_answer_cancels)
{
	const struct session_ring ring = { 0 };

	setup();
	stage_create(s, USER);
	stage_settle(s);
	ck_assert_int_eq(session_ring(world_expect_session(sc.bob), &ring), 0);
	stage_settle(s);
	ck_assert_uint_eq(stage_status(stage_signal(s, "Progress", USER)), 180);
	stage_verb(s, USER, "Terminate",
		(struct stage_option[]){ { "Headers", 'h', "SIP;cause=200", 0, "Reason" }, { 0 } });
	(void)stage_return(s, "");
	stage_settle(s);
	(void)stage_signal(s, "Terminated", NULL);
	(void)world_expect_event(sc.bob, UA_SESSION_TERMINATED);
	teardown();
}
END_TEST

START_TEST(what_cannot_be_made)
{
	static const struct stage_option bad[][2] = {
		{ STAGE_TEXT("Id", "a/b") },
		{ STAGE_TEXT("Id", "") },
		{ STAGE_TEXT("Colour", "red") },
		{ STAGE_NUMBER("Description", 1) },
		{ STAGE_BYTES("Description", "bytes of no type") },
		{ { "Headers", 'h', "1", 0, "CSeq" } },
		{ { "Headers", 'h', "1", 0, "Replaces" } },
		{ { "Headers", 'h', "a\r\nX-Evil: b", 0, "X-A" } },
		{ STAGE_TEXT("PrivacyLevel", "id\r\nX-Evil: b") },
		{ STAGE_TEXT("Type", "a b") },
	};

	setup();
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		stage_try_create(s, USER, "sip:bob@example.com", bad[i]);
		stage_error(s, STAGE_ERROR("InvalidArgument"));
	}
	stage_try_create(s, USER, "bob", stage_no_options);
	stage_error(s, STAGE_ERROR("InvalidArgument"));
	stage_try_create(s, USER, "sip:bob@example.com",
		(struct stage_option[]){ STAGE_PATH("Replaces", "/no/such"), { 0 } });
	stage_error(s, STAGE_ERROR("NoSuchObject"));
	stage_try_create(s, OTHER, "sip:bob@example.com", stage_no_options);
	stage_error(s, DBUS_ERROR_ACCESS_DENIED);
	stage_settle(s);
	world_expect_no_session(sc.bob);
	stage_create(s, USER);
	stage_try_create(s, USER, "sip:bob@example.com",
		(struct stage_option[]){ STAGE_TEXT("Id", "c1"), { 0 } });
	stage_error(s, STAGE_ERROR("InvalidArgument"));
	teardown();
}
END_TEST

/* ---- within ---- */

START_TEST(an_offer_waits_for_its_answer)
{
	const struct session_body answer = world_sdp("answer 2");
	struct session *in;
	DBusMessage *m;
	const char *type;

	setup();
	in = stage_established(&sc, USER);
	stage_body_verb(s, USER, "Offer", "offer 2", stage_no_options);
	stage_settle(s);
	world_expect_body(world_expect_event(sc.bob, UA_SESSION_OFFER), "offer 2");
	ck_assert_int_eq(session_answer(in, &answer), 0);
	stage_settle(s);
	m = stage_return(s, "say");
	ck_assert(dbus_message_get_args(m, NULL, DBUS_TYPE_STRING, &type, DBUS_TYPE_INVALID));
	ck_assert_str_eq(type, STAGE_SDP);
	stage_expect_bytes(m, "answer 2");
	stage_body_verb(s, USER, "Offer", "offer 3", stage_no_options);
	stage_settle(s);
	ck_assert_int_eq(session_reject_offer(in, 488), 0);
	stage_settle(s);
	ck_assert_str_eq(stage_error(s, STAGE_ERROR("Refused")),
		"488 Not Acceptable Here (Warning: 399 sipbus "
		"\"the offer is not acceptable here\")");
	teardown();
}
END_TEST

START_TEST(an_offer_is_received)
{
	const struct session_body offer = world_sdp("bob's offer");
	struct world_reply reply = { 0 };
	struct session_reply wait = world_reply_of(&reply);
	struct session *in;

	setup();
	in = stage_established(&sc, USER);
	ck_assert_int_eq(session_offer(in, &offer, SLICE_NULL, &wait), 0);
	stage_settle(s);
	stage_expect_bytes(stage_signal(s, "OfferReceived", USER), "bob's offer");
	ck_assert_str_eq(stage_read(s, USER, "DescriptionState"), "remote-offer");
	stage_body_verb(s, USER, "Answer", "alice's answer", NULL);
	(void)stage_return(s, "");
	stage_settle(s);
	ck_assert_uint_eq(reply.n, 1);
	ck_assert_str_eq(reply.body, "alice's answer");
	stage_body_verb(s, USER, "Answer", "another", NULL);
	stage_error(s, STAGE_ERROR("WrongState"));
	teardown();
}
END_TEST

/* RFC 3428 in a dialog, both ways. */
START_TEST(messages_go_both_ways)
{
	const struct request_header subject = { SLICE("Subject"), SLICE("what") };
	const struct session_headers headers = { &subject, 1 };
	const struct session_body text = { SLICE("text/plain"), SLICE("from bob") };
	struct world_reply reply = { 0 };
	struct session_reply wait = world_reply_of(&reply);
	struct session *in;
	dbus_uint32_t status;
	const char *reason;

	setup();
	in = stage_established(&sc, USER);
	stage_body_verb(s, USER, "SendMessage", "from alice", stage_no_options);
	stage_settle(s);
	world_expect_body(world_expect_event(sc.bob, UA_SESSION_MESSAGE), "from alice");
	ck_assert(dbus_message_get_args(stage_return(s, "us"), NULL, DBUS_TYPE_UINT32, &status,
		DBUS_TYPE_STRING, &reason, DBUS_TYPE_INVALID));
	ck_assert_uint_eq(status, 200);
	ck_assert_int_eq(session_message(in, &text, &headers, &wait), 0);
	stage_settle(s);
	stage_expect_bytes(stage_signal(s, "MessageReceived", USER), "from bob");
	ck_assert_uint_eq(reply.status, 200);
	teardown();
}
END_TEST

/* RFC 6086; without a package the legacy use. */
START_TEST(infos_go_both_ways)
{
	const struct session_body digits = { SLICE("application/dtmf-relay"), SLICE("Signal=5") };
	const char *package = "", *type = "application/dtmf-relay", *body = "Signal=1";
	struct world_reply reply = { 0 };
	struct session_reply wait = world_reply_of(&reply);
	struct session *in;
	DBusMessage *m;

	setup();
	in = stage_established(&sc, USER);
	m = stage_session_call(s, STAGE_C1, "SendInfo");
	dbus_message_append_args(m, DBUS_TYPE_STRING, &package, DBUS_TYPE_STRING, &type,
		DBUS_TYPE_ARRAY, DBUS_TYPE_BYTE, &body, 8, DBUS_TYPE_INVALID);
	stage_append_options(m, stage_no_options);
	stage_deliver(s, USER, m);
	stage_settle(s);
	world_expect_body(world_expect_event(sc.bob, UA_SESSION_INFO), "Signal=1");
	(void)stage_return(s, "us");
	ck_assert_int_eq(session_info(in, SLICE_NULL, &digits, NULL, &wait), 0);
	stage_settle(s);
	stage_expect_bytes(stage_signal(s, "InfoReceived", USER), "Signal=5");
	ck_assert_uint_eq(reply.n, 1);
	teardown();
}
END_TEST

/* Every operation ends in exactly one outcome. */
START_TEST(the_session_ends_while_a_call_waits)
{
	struct session *in;
	DBusMessage *m;

	setup();
	in = stage_established(&sc, USER);
	stage_body_verb(s, USER, "Offer", "offer 2", stage_no_options);
	stage_settle(s);
	ck_assert_int_eq(session_terminate(in, NULL), 0);
	stage_settle(s);
	m = stage_next(s);
	ck_assert_ptr_nonnull(m);
	ck_assert_int_eq(dbus_message_get_type(m), DBUS_MESSAGE_TYPE_ERROR);
	stage_silence(s);
	teardown();
}
END_TEST

START_TEST(the_caller_leaves_while_a_call_waits)
{
	const struct session_body answer = world_sdp("answer 2");
	struct session *in;

	setup();
	in = stage_established(&sc, USER);
	stage_body_verb(s, USER, "Offer", "offer 2", stage_no_options);
	stage_settle(s);
	recorder_leave(&s->r, USER);
	ck_assert_int_eq(session_answer(in, &answer), 0);
	stage_settle(s);
	stage_silence(s);
	teardown();
}
END_TEST

START_TEST(verbs_are_checked)
{
	static const char *const called[] = { "Ring", "Accept", "Redirect" };
	const char *target = "sip:x@example.com", *const *targets = &target;
	DBusMessage *m;

	setup();
	(void)stage_established(&sc, USER);
	for (size_t i = 0; i < ARRAY_LEN(called); i++) {
		if (i == 0) {
			stage_verb(s, USER, called[i], stage_no_options);
		} else if (i == 1) {
			stage_body_verb(s, USER, called[i], "x", stage_no_options);
		} else {
			m = stage_session_call(s, STAGE_C1, called[i]);
			dbus_message_append_args(m, DBUS_TYPE_ARRAY, DBUS_TYPE_STRING, &targets, 1,
				DBUS_TYPE_INVALID);
			stage_append_options(m, stage_no_options);
			stage_deliver(s, USER, m);
		}
		stage_error(s, STAGE_ERROR("WrongState"));
	}
	stage_body_verb(s, USER, "Answer", "x", NULL);
	stage_error(s, STAGE_ERROR("WrongState"));
	stage_body_verb(
		s, USER, "Offer", "x", (struct stage_option[]){ STAGE_TEXT("Fork", "77"), { 0 } });
	m = stage_next(s);
	ck_assert_int_eq(dbus_message_get_type(m), DBUS_MESSAGE_TYPE_ERROR);
	stage_body_verb(s, USER, "SendMessage", "x",
		(struct stage_option[]){ { "Headers", 'h', "1", 0, "CSeq" }, { 0 } });
	stage_error(s, STAGE_ERROR("InvalidArgument"));
	stage_verb(s, USER, "Terminate",
		(struct stage_option[]){ { "Headers", 'h', "1", 0, "Via" }, { 0 } });
	stage_error(s, STAGE_ERROR("InvalidArgument"));
	teardown();
}
END_TEST

/* ---- looking ---- */

static const char *get_message(const char *which)
{
	DBusMessage *m = stage_session_call(s, STAGE_C1, "GetMessage");
	static char text[4096];
	const unsigned char *bytes;
	DBusMessageIter at, list;
	int n;

	dbus_message_append_args(m, DBUS_TYPE_STRING, &which, DBUS_TYPE_INVALID);
	stage_deliver(s, USER, m);
	dbus_message_iter_init(stage_return(s, "ay"), &at);
	dbus_message_iter_recurse(&at, &list);
	dbus_message_iter_get_fixed_array(&list, &bytes, &n);
	ck_assert_uint_lt((size_t)n, sizeof(text));
	memcpy(text, bytes, (size_t)n);
	text[n] = '\0';
	return text;
}

static bool no_bob(void *ctx, struct world_mail *mail)
{
	(void)ctx;
	(void)mail;
	return false;
}

/* A proxy asks for credentials: they went out, and are shown to nobody. */
START_TEST(messages_are_shown_without_credentials)
{
	const struct msg *invite;
	const char *text;

	setup();
	world_ua_free(sc.bob);
	world_set_peer(s->w, no_bob, NULL);
	stage_create(s, USER);
	world_reply(s->w, world_expect_out(s->w, "INVITE"), 407,
		"Proxy-Authenticate: Digest realm=\"example.com\", nonce=\"{n}\"\n");
	world_expect_out(s->w, "ACK");
	invite = world_expect_out(s->w, "INVITE");
	ck_assert(msg_header(invite, HDR_PROXY_AUTHORIZATION).n > 0);
	text = get_message("invite");
	ck_assert_ptr_nonnull(strstr(text, "INVITE sip:bob@example.com SIP/2.0\r\n"));
	ck_assert_ptr_nonnull(strstr(text, "\r\n\r\noffer"));
	ck_assert_ptr_nonnull(strstr(text, "Proxy-Authorization: \r\n"));
	ck_assert_ptr_null(strstr(text, "response="));
	ck_assert_ptr_null(strstr(text, "nonce"));
	stage_skip(s);
	teardown();
}
END_TEST

START_TEST(messages_have_names)
{
	DBusMessage *m;
	const char *which = "first";

	setup();
	stage_create(s, USER);
	m = stage_session_call(s, STAGE_C1, "GetMessage");
	dbus_message_append_args(m, DBUS_TYPE_STRING, &which, DBUS_TYPE_INVALID);
	stage_deliver(s, USER, m);
	stage_error(s, STAGE_ERROR("InvalidArgument"));
	which = "final";
	m = stage_session_call(s, STAGE_C1, "GetMessage");
	dbus_message_append_args(m, DBUS_TYPE_STRING, &which, DBUS_TYPE_INVALID);
	stage_deliver(s, USER, m);
	stage_error(s, STAGE_ERROR("WrongState"));
	teardown();
}
END_TEST

/* ---- what is told of changes ---- */

/* The value in a PropertiesChanged; NULL: it has none. */
static const char *value_in(DBusMessage *m, const char *property)
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
		if (strcmp(text, property) != 0)
			continue;
		dbus_message_iter_next(&entry);
		dbus_message_iter_recurse(&entry, &variant);
		dbus_message_iter_get_basic(&variant, &text);
		return text;
	}
	return NULL;
}

static bool is_invalidated(DBusMessage *m, const char *property)
{
	DBusMessageIter at, list;
	const char *text;

	dbus_message_iter_init(m, &at);
	dbus_message_iter_next(&at);
	dbus_message_iter_next(&at);
	for (dbus_message_iter_recurse(&at, &list);
		dbus_message_iter_get_arg_type(&list) == DBUS_TYPE_STRING;
		dbus_message_iter_next(&list)) {
		dbus_message_iter_get_basic(&list, &text);
		if (strcmp(text, property) == 0)
			return true;
	}
	return false;
}

/* The next change of c1 with that property has this value. */
static void expect_changed(const char *property, const char *value)
{
	const char *got = NULL;

	while (!got) {
		DBusMessage *m = stage_signal(s, "PropertiesChanged", NULL);

		if (strcmp(dbus_message_get_path(m), STAGE_C1) == 0)
			got = value_in(m, property);
	}
	ck_assert_str_eq(got, value);
}

/* States are told to everybody, who the far end is to whoever may read it. */
START_TEST(changes_are_told)
{
	const struct session_ring ring = { 0 };
	const struct session_body answer = world_sdp("answer");
	struct session *in;

	setup();
	stage_create(s, USER);
	stage_settle(s);
	in = world_expect_session(sc.bob);
	ck_assert_int_eq(session_ring(in, &ring), 0);
	stage_settle(s);
	expect_changed("State", "ringing");
	ck_assert_int_eq(session_accept(in, &answer, NULL), 0);
	stage_settle(s);
	expect_changed("State", "established");
	stage_skip(s);
	stage_verb(s, USER, "Release", NULL);
	stage_settle(s);
	expect_changed("Owner", "");
	stage_verb(s, USER, "Adopt", NULL);
	stage_settle(s);
	expect_changed("Owner", USER);
	stage_skip(s);
	stage_body_verb(s, USER, "Offer", "offer 2", stage_no_options);
	stage_settle(s);
	expect_changed("DescriptionState", "local-offer");
	ck_assert_int_eq(session_answer(in, &answer), 0);
	stage_settle(s);
	expect_changed("DescriptionState", "stable");
	ck_assert_int_eq(session_terminate(in, NULL), 0);
	stage_settle(s);
	expect_changed("State", "terminated");
	(void)stage_signal(s, "Terminated", NULL);
	teardown();
}
END_TEST

START_TEST(whom_it_reached_is_not_broadcast)
{
	const struct session_body answer = world_sdp("answer");
	DBusMessage *m;

	setup();
	stage_create(s, USER);
	stage_settle(s);
	stage_skip(s);
	ck_assert_int_eq(session_accept(world_expect_session(sc.bob), &answer, NULL), 0);
	stage_settle(s);
	do {
		m = stage_signal(s, "PropertiesChanged", NULL);
		ck_assert_ptr_null(value_in(m, "RemoteTarget"));
	} while (!is_invalidated(m, "RemoteTarget"));
	teardown();
}
END_TEST

/* ---- the end of other things ---- */

START_TEST(the_endpoint_closes)
{
	setup();
	(void)stage_established(&sc, USER);
	endpoint_close(s->ep);
	stage_settle(s);
	stage_run(s, 40 * SEC);
	(void)stage_signal(s, "Terminated", NULL);
	stage_no_signal(s, "Terminated");
	ck_assert_uint_eq(s->alice->ua->n_endpoints, 0);
	teardown();
}
END_TEST

START_TEST(the_bus_goes_first)
{
	setup();
	(void)stage_established(&sc, USER);
	stage_body_verb(s, USER, "Offer", "offer 2", stage_no_options);
	stage_settle(s);
	s->iface = iface_free(s->iface);
	stage_error(s, STAGE_ERROR("NoSuchObject"));
	teardown();
}
END_TEST

int main(void)
{
	static const TTest *const *const tests[] = {
		&a_session_is_made,
		&the_far_end_refuses,
		&the_far_end_hangs_up,
		&terminate_before_an_answer_cancels,
		&what_cannot_be_made,
		&an_offer_waits_for_its_answer,
		&an_offer_is_received,
		&messages_go_both_ways,
		&infos_go_both_ways,
		&the_session_ends_while_a_call_waits,
		&the_caller_leaves_while_a_call_waits,
		&verbs_are_checked,
		&messages_are_shown_without_credentials,
		&messages_have_names,
		&changes_are_told,
		&whom_it_reached_is_not_broadcast,
		&the_endpoint_closes,
		&the_bus_goes_first,
	};

	return recorder_main("session", tests, ARRAY_LEN(tests));
}
