/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Transfer on the bus: Refer and the verbs of who is referred, in sessions and outside of them. */
#include <string.h>

#include "protocol/msg/msg.h"
#include "protocol/ua/profile.h"
#include "protocol/ua/session-refer.h"
#include "protocol/ua/session-view.h"
#include "tests/unit/ipc/stage-session.h"

#define USER ":1.20"
#define OTHER ":1.21"
#define STAYS ":1.22"
#define C2 "/org/sipbus1/session/c2"
#define CAROL "sip:carol@example.com"
#define SUBSCRIPTION "org.sipbus1.Subscription"
#define SEC USEC_PER_SEC

static struct stage_scene sc;
static struct stage *const s = &sc.s;
static struct session *in; /* bob's side of c1 */

/* Carol is at bob's; what alice sends to her domain comes there. */
static void setup(void)
{
	stage_scene_init(&sc);
	stage_client(s, USER, STAGE_USER_UID);
	stage_client(s, OTHER, STAGE_USER_UID);
	(void)world_endpoint(sc.bob, &(struct world_account){ .id = "carol",
					     .domain = "example.com",
					     .registrar = "192.0.2.1",
					     .transport = TRANSPORT_UDP });
	in = stage_established(&sc, USER);
}

static void teardown(void)
{
	stage_scene_deinit(&sc);
}

/* Some of (id, status, reason), in that order, and options. */
static void call_refer(const char *client, const char *member, const uint32_t *numbers, size_t n,
	const struct stage_option *options)
{
	DBusMessage *m = stage_session_call(s, STAGE_C1, member);
	const char *reason = "";

	for (size_t i = 0; i < n; i++)
		dbus_message_append_args(m, DBUS_TYPE_UINT32, &numbers[i], DBUS_TYPE_INVALID);
	if (strcmp(member, "NotifyRefer") == 0)
		dbus_message_append_args(m, DBUS_TYPE_STRING, &reason, DBUS_TYPE_INVALID);
	if (options)
		stage_append_options(m, options);
	stage_deliver(s, client, m);
}

#define NUMBERS(...) \
	((const uint32_t[]){ __VA_ARGS__ }), ARRAY_LEN(((const uint32_t[]){ __VA_ARGS__ }))

/* ---- referred ---- */

/* Bob asks alice to call carol; the id. */
static uint32_t referred(const char *target)
{
	const struct session_refer r = { .target = slice_str(target) };
	const char *to, *by;
	dbus_uint32_t id;
	DBusMessage *m;

	ck_assert_int_eq(session_refer(in, &r), 0);
	stage_settle(s);
	m = stage_signal(s, "ReferReceived", USER);
	ck_assert(dbus_message_get_args(m, NULL, DBUS_TYPE_UINT32, &id, DBUS_TYPE_STRING, &to,
		DBUS_TYPE_STRING, &by, DBUS_TYPE_INVALID));
	ck_assert_str_eq(to, target);
	ck_assert_ptr_nonnull(strstr(by, "sip:bob@example.com"));
	return id;
}

/* RFC 3515 section 3.10: no more than one NOTIFY in a second. */
static void expect_progress(unsigned status)
{
	stage_run(s, 1 * SEC);
	stage_settle(s);
	ck_assert_uint_eq(
		world_expect_event(sc.bob, UA_SESSION_REFER_PROGRESS)->event.status, status);
}

static void expect_finished(unsigned status)
{
	stage_run(s, 1 * SEC);
	stage_settle(s);
	ck_assert_uint_eq(
		world_expect_event(sc.bob, UA_SESSION_REFER_FINISHED)->event.status, status);
}

START_TEST(accepted_and_told_by_the_client)
{
	uint32_t id;

	setup();
	id = referred(CAROL);
	call_refer(OTHER, "AcceptRefer", NUMBERS(id), stage_no_options);
	stage_error(s, DBUS_ERROR_ACCESS_DENIED);
	call_refer(USER, "NotifyRefer", NUMBERS(id, 180), NULL);
	stage_error(s, STAGE_ERROR("WrongState"));
	call_refer(USER, "AcceptRefer", NUMBERS(id + 1), stage_no_options);
	stage_error(s, STAGE_ERROR("NoSuchObject"));
	call_refer(USER, "AcceptRefer", NUMBERS(id), stage_no_options);
	(void)stage_return(s, "");
	stage_settle(s);
	(void)world_expect_event(sc.bob, UA_SESSION_REFER_PROGRESS);
	call_refer(USER, "NotifyRefer", NUMBERS(id, 99), NULL);
	stage_error(s, STAGE_ERROR("InvalidArgument"));
	call_refer(USER, "NotifyRefer", NUMBERS(id, 180), NULL);
	(void)stage_return(s, "");
	expect_progress(180);
	call_refer(USER, "NotifyRefer", NUMBERS(id, 486), NULL);
	(void)stage_return(s, "");
	expect_finished(486);
	call_refer(USER, "NotifyRefer", NUMBERS(id, 200), NULL);
	stage_error(s, STAGE_ERROR("NoSuchObject"));
	teardown();
}
END_TEST

START_TEST(refused_by_the_client)
{
	uint32_t id;

	setup();
	id = referred(CAROL);
	call_refer(USER, "RejectRefer", NUMBERS(id, 200), NULL);
	stage_error(s, STAGE_ERROR("InvalidArgument"));
	call_refer(USER, "RejectRefer", NUMBERS(id, 488), NULL);
	(void)stage_return(s, "");
	expect_finished(488);
	call_refer(USER, "FollowRefer", NUMBERS(id), stage_no_options);
	stage_error(s, STAGE_ERROR("NoSuchObject"));
	teardown();
}
END_TEST

/* Nobody is there to decide: bob learns it, and not by silence. */
START_TEST(refused_for_want_of_an_owner)
{
	const struct session_refer r = { .target = SLICE(CAROL) };

	setup();
	s->profile->owner_grace = 0;
	s->profile->on_owner_lost = PROFILE_OWNER_LOST_KEEP;
	recorder_leave(&s->r, USER);
	stage_run(s, 1 * SEC);
	ck_assert_int_eq(session_refer(in, &r), 0);
	expect_finished(480);
	teardown();
}
END_TEST

static const struct stage_option follow_options[] = { STAGE_TEXT("Id", "c2"),
	STAGE_TEXT("ContentType", STAGE_SDP), STAGE_BYTES("Description", "offer to carol"), { 0 } };

static struct session *followed(uint32_t id)
{
	struct session *carols;
	const char *path;

	call_refer(USER, "FollowRefer", NUMBERS(id), follow_options);
	ck_assert(dbus_message_get_args(
		stage_return(s, "o"), NULL, DBUS_TYPE_OBJECT_PATH, &path, DBUS_TYPE_INVALID));
	ck_assert_str_eq(path, C2);
	stage_settle(s);
	carols = world_expect_session(sc.bob);
	ck_assert_str_eq(session_endpoint(carols)->id, "carol");
	return carols;
}

/* RFC 3515 2.4.4: how the call fares is what bob is told, and the client does nothing for that. */
START_TEST(followed_to_success)
{
	const struct session_ring ring = { 0 };
	const struct session_body answer = world_sdp("carol's answer");
	struct session *carols;
	uint32_t id;

	setup();
	id = referred(CAROL);
	carols = followed(id);
	ck_assert(msg_header(session_msg(carols, SESSION_INVITE), HDR_REFERRED_BY).n > 0);
	(void)world_expect_event(sc.bob, UA_SESSION_REFER_PROGRESS); /* 100 */
	call_refer(USER, "NotifyRefer", NUMBERS(id, 200), NULL);
	stage_error(s, STAGE_ERROR("WrongState"));
	call_refer(USER, "FollowRefer", NUMBERS(id), stage_no_options);
	stage_error(s, STAGE_ERROR("WrongState"));
	ck_assert_int_eq(session_ring(carols, &ring), 0);
	stage_settle(s);
	(void)stage_signal(s, "Progress", USER);
	expect_progress(180);
	ck_assert_int_eq(session_accept(carols, &answer, NULL), 0);
	stage_settle(s);
	stage_expect_bytes(stage_signal(s, "Established", USER), "carol's answer");
	teardown();
}
END_TEST

START_TEST(followed_to_failure)
{
	setup();
	ck_assert_int_eq(session_reject(followed(referred(CAROL)), 486, SLICE_NULL, NULL), 0);
	stage_settle(s);
	(void)world_expect_event(sc.bob, UA_SESSION_REFER_PROGRESS);
	(void)world_expect_terminated(sc.bob, 486, ORIGIN_LOCAL);
	expect_finished(486);
	ck_assert_uint_eq(stage_status(stage_signal(s, "Terminated", NULL)), 486);
	ck_assert_str_eq(stage_read(s, USER, "State"), "established");
	teardown();
}
END_TEST

/* What cannot be made leaves the REFER as it was. */
START_TEST(what_cannot_be_followed)
{
	static const struct stage_option bad[][2] = {
		{ STAGE_TEXT("Id", "c1") },
		{ STAGE_TEXT("Id", "a/b") },
		{ STAGE_TEXT("Type", "fax") },
		{ STAGE_BYTES("Description", "of no type") },
		{ STAGE_PATH("Replaces", STAGE_C1) },
	};
	uint32_t id;

	setup();
	id = referred(CAROL);
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		call_refer(USER, "FollowRefer", NUMBERS(id), bad[i]);
		stage_error(s, STAGE_ERROR("InvalidArgument"));
	}
	call_refer(OTHER, "FollowRefer", NUMBERS(id), stage_no_options);
	stage_error(s, DBUS_ERROR_ACCESS_DENIED);
	call_refer(USER, "FollowRefer", NUMBERS(id + 1), stage_no_options);
	stage_error(s, STAGE_ERROR("NoSuchObject"));
	ck_assert_uint_eq(s->iface->n_sessions, 1);
	call_refer(USER, "RejectRefer", NUMBERS(id, 603), NULL);
	(void)stage_return(s, "");
	id = referred("mailto:carol@example.com");
	call_refer(USER, "FollowRefer", NUMBERS(id), stage_no_options);
	stage_error(s, STAGE_ERROR("NotSupported"));
	teardown();
}
END_TEST

/* ---- referring ---- */

static void call_verb_refer(const char *client, const char *target, const char *replaces)
{
	DBusMessage *m = stage_session_call(s, STAGE_C1, "Refer");
	struct stage_option options[2] = { { 0 } };

	if (replaces)
		options[0] = (struct stage_option)STAGE_PATH("Replaces", replaces);
	dbus_message_append_args(m, DBUS_TYPE_STRING, &target, DBUS_TYPE_INVALID);
	stage_append_options(m, options);
	stage_deliver(s, client, m);
}

START_TEST(a_blind_transfer)
{
	const struct world_told *t;

	setup();
	call_verb_refer(OTHER, CAROL, NULL);
	stage_error(s, DBUS_ERROR_ACCESS_DENIED);
	call_verb_refer(USER, "carol", NULL);
	stage_error(s, STAGE_ERROR("InvalidArgument"));
	call_verb_refer(USER, CAROL, "/no/such");
	stage_error(s, STAGE_ERROR("NoSuchObject"));
	call_verb_refer(USER, CAROL, NULL);
	(void)stage_return(s, "");
	stage_settle(s);
	t = world_expect_event(sc.bob, UA_SESSION_REFER);
	ck_assert(slice_eq(t->event.refer_to, SLICE(CAROL)));
	ck_assert_int_eq(session_accept_refer(in, t->event.id), 0);
	stage_settle(s);
	(void)stage_signal(s, "ReferProgress", USER);
	ck_assert_int_eq(session_notify_refer(in, t->event.id, 200, SLICE_NULL), 0);
	stage_run(s, 1 * SEC);
	stage_settle(s);
	ck_assert_uint_eq(stage_status(stage_signal(s, "ReferFinished", USER)), 200);
	stage_no_signal(s, "ReferFinished");
	teardown();
}
END_TEST

/* Exactly one outcome, also when the session ends first. */
START_TEST(a_transfer_ends_with_its_session)
{
	setup();
	call_verb_refer(USER, CAROL, NULL);
	(void)stage_return(s, "");
	stage_settle(s);
	(void)world_expect_event(sc.bob, UA_SESSION_REFER);
	ck_assert_int_eq(session_terminate(in, NULL), 0);
	stage_run(s, 40 * SEC);
	(void)stage_signal(s, "ReferFinished", USER);
	(void)stage_signal(s, "Terminated", NULL);
	stage_no_signal(s, "ReferFinished");
	teardown();
}
END_TEST

/* RFC 5589 section 7: carol is on the line already. */
START_TEST(an_attended_transfer)
{
	const struct session_body answer = world_sdp("answer");
	const struct world_told *t;

	setup();
	stage_try_create(s, USER, CAROL,
		(struct stage_option[]){ STAGE_TEXT("Id", "c2"),
			STAGE_TEXT("ContentType", STAGE_SDP), STAGE_BYTES("Description", "offer"),
			{ 0 } });
	(void)stage_return(s, "o");
	stage_settle(s);
	ck_assert_int_eq(session_accept(world_expect_session(sc.bob), &answer, NULL), 0);
	stage_settle(s);
	(void)world_expect_event(sc.bob, UA_SESSION_ESTABLISHED);
	call_verb_refer(USER, CAROL, C2);
	(void)stage_return(s, "");
	stage_settle(s);
	t = world_expect_event(sc.bob, UA_SESSION_REFER);
	ck_assert(slice_starts(t->event.refer_to, SLICE(CAROL "?Replaces=")));
	teardown();
}
END_TEST

/* ---- outside of sessions ---- */

static char subscription[128];

static bool nobody(void *ctx, struct world_mail *mail)
{
	(void)ctx;
	(void)mail;
	return false;
}

/* Alice asks bob, who is the test now; his REFER. */
static const struct msg *refer_outside(const struct stage_option *options)
{
	const char *target = "sip:bob@example.com", *refer_to = CAROL, *path;
	DBusMessage *m;

	stage_scene_init(&sc);
	stage_client(s, USER, STAGE_USER_UID);
	stage_client(s, OTHER, STAGE_USER_UID);
	stage_client(s, STAYS, STAGE_USER_UID);
	world_ua_free(sc.bob);
	world_set_peer(s->w, nobody, NULL);
	m = stage_call(s, STAGE_ALICE, "Refer");
	dbus_message_append_args(
		m, DBUS_TYPE_STRING, &target, DBUS_TYPE_STRING, &refer_to, DBUS_TYPE_INVALID);
	stage_append_options(m, options);
	stage_deliver(s, USER, m);
	ck_assert(dbus_message_get_args(
		stage_return(s, "o"), NULL, DBUS_TYPE_OBJECT_PATH, &path, DBUS_TYPE_INVALID));
	(void)snprintf(subscription, sizeof(subscription), "%s", path);
	stage_settle(s);
	return world_expect_out(s->w, "REFER");
}

static void call_subscription(const char *client, const char *member)
{
	stage_deliver(s, client, recorder_call(&s->r, subscription, SUBSCRIPTION, member));
}

static void notify(const struct msg *refer, const char *state, const char *frag)
{
	static unsigned cseq;
	char text[1024];

	(void)snprintf(text, sizeof(text),
		"NOTIFY {contact} SIP/2.0\n"
		"Via: SIP/2.0/UDP {peer};branch=z9hG4bK{n};rport\n"
		"Max-Forwards: 70\n"
		"From: <sip:bob@example.com>;tag=bob\n"
		"To: <sip:alice@example.com>;tag=%.*s\n"
		"Call-ID: %.*s\n"
		"CSeq: %u NOTIFY\n"
		"Contact: <sip:bob@192.0.2.9>\n"
		"Event: refer\n"
		"Subscription-State: %s\n"
		"Content-Type: message/sipfrag\n"
		"Content-Length: {length}\n\n%s",
		SLICE_ARGS(refer->from_tag), SLICE_ARGS(refer->call_id), ++cseq, state, frag);
	world_in(s->alice, STAGE_PEER, text);
	stage_settle(s);
	(void)world_expect_out(s->w, "200");
}

static void expect_over(void)
{
	stage_settle(s);
	(void)stage_signal(s, "Terminated", NULL);
	(void)stage_signal(s, "InterfacesRemoved", NULL);
	stage_no_signal(s, "Terminated");
	call_subscription(STAYS, "GetLast");
	stage_error(s, DBUS_ERROR_UNKNOWN_OBJECT);
}

START_TEST(a_subscription_tells_how_it_goes)
{
	const struct msg *m = refer_outside(stage_no_options);

	call_subscription(USER, "GetLast");
	stage_error(s, STAGE_ERROR("WrongState"));
	world_reply_as(s->w, m, 202, "bob", "Contact: <sip:bob@192.0.2.9>\n");
	notify(m, "active;expires=60", "SIP/2.0 180 Ringing\r\n");
	stage_expect_bytes(stage_signal(s, "Notified", USER), "SIP/2.0 180 Ringing\r\n");
	call_subscription(OTHER, "Unsubscribe");
	stage_error(s, DBUS_ERROR_ACCESS_DENIED);
	call_subscription(OTHER, "GetLast");
	stage_expect_bytes(stage_return(s, "saya(ss)"), "SIP/2.0 180 Ringing\r\n");
	notify(m, "terminated;reason=noresource", "SIP/2.0 200 OK\r\n");
	stage_expect_bytes(stage_signal(s, "Notified", USER), "SIP/2.0 200 OK\r\n");
	expect_over();
	teardown();
}
END_TEST

START_TEST(a_refusal_ends_it)
{
	const struct msg *m = refer_outside(stage_no_options);
	const char *reason;

	world_reply(s->w, m, 405, NULL);
	stage_settle(s);
	ck_assert(dbus_message_get_args(stage_signal(s, "Terminated", NULL), NULL, DBUS_TYPE_STRING,
		&reason, DBUS_TYPE_INVALID));
	ck_assert_str_eq(reason, "405 Method Not Allowed");
	ck_assert(list_is_empty(&s->iface->subscriptions));
	teardown();
}
END_TEST

/* RFC 4488. */
START_TEST(without_a_subscription_consent_is_the_end)
{
	const struct msg *m =
		refer_outside((struct stage_option[]){ STAGE_FLAG("NoSubscription", 1), { 0 } });

	world_reply_as(s->w, m, 202, "bob", "Contact: <sip:bob@192.0.2.9>\nRefer-Sub: false\n");
	expect_over();
	teardown();
}
END_TEST

/* Its owner's leaving ends it like a session: after the grace, and by SUBSCRIBE. */
START_TEST(a_subscription_has_an_owner)
{
	const struct msg *m = refer_outside(stage_no_options), *end;

	s->profile->owner_grace = 15 * SEC;
	s->profile->on_owner_lost = PROFILE_OWNER_LOST_END;
	world_reply_as(s->w, m, 202, "bob", "Contact: <sip:bob@192.0.2.9>\n");
	notify(m, "active;expires=60", "SIP/2.0 100 Trying\r\n");
	recorder_leave(&s->r, USER);
	stage_run(s, 10 * SEC);
	call_subscription(OTHER, "Adopt");
	(void)stage_return(s, "");
	stage_run(s, 10 * SEC);
	ck_assert_uint_eq(world_skip_out(s->w), 0);
	recorder_leave(&s->r, OTHER);
	stage_run(s, 16 * SEC);
	end = world_expect_out(s->w, "SUBSCRIBE");
	ck_assert(slice_eq(msg_header(end, HDR_EXPIRES), SLICE("0")));
	(void)world_skip_out(s->w);
	world_reply(s->w, end, 200, "Expires: 0\nContact: <sip:bob@192.0.2.9>\n");
	notify(m, "terminated;reason=timeout", "SIP/2.0 100 Trying\r\n");
	expect_over();
	teardown();
}
END_TEST

int main(void)
{
	static const TTest *const *const tests[] = {
		&accepted_and_told_by_the_client,
		&refused_by_the_client,
		&refused_for_want_of_an_owner,
		&followed_to_success,
		&followed_to_failure,
		&what_cannot_be_followed,
		&a_blind_transfer,
		&a_transfer_ends_with_its_session,
		&an_attended_transfer,
		&a_subscription_tells_how_it_goes,
		&a_refusal_ends_it,
		&without_a_subscription_consent_is_the_end,
		&a_subscription_has_an_owner,
	};

	return recorder_main("session-refer", tests, ARRAY_LEN(tests));
}
