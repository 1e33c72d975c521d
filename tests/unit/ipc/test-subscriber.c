/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* org.sipbus1.Subscriber: what its owner says and hears, and what the watcher gets of it. */
#include <string.h>

#include "ipc/iface-subscriber.h"
#include "protocol/msg/msg.h"
#include "protocol/ua/endpoint.h"
#include "tests/unit/ipc/stage-subscriber.h"

#define OWNER ":1.20"
#define OTHER ":1.21"
#define STRANGER ":1.66"
#define SEC USEC_PER_SEC

static struct stage st;
static struct stage *const s = &st;
static struct stage_watcher bob;

static void setup(void)
{
	stage_init(s);
	bob = (struct stage_watcher){ .name = "bob" };
	stage_client(s, OWNER, STAGE_USER_UID);
	stage_client(s, OTHER, STAGE_USER_UID);
	stage_client(s, STRANGER, STAGE_OTHER_UID);
	stage_agent(s, &(struct stage_agent){ .client = OWNER, .kind = "subscription" });
}

static void teardown(void)
{
	stage_watchers_deinit(s);
}

/* Taken and not decided. */
static void taken(void)
{
	stage_subscribe(s, &bob, "Expires: 600\n", "");
	stage_take(s, OWNER, stage_asked_about(s, OWNER, &bob, NULL));
}

static void accept(const struct stage_option *options)
{
	stage_watcher_verb(s, OWNER, &bob, "Accept", options);
	(void)stage_return(s, "");
	stage_settle(s);
}

static void refresh(const char *headers, const char *body)
{
	stage_subscribe(s, &bob, headers, body);
	(void)stage_subscribed(s, &bob, "200");
}

static void expect_body(const struct msg *m, const char *body)
{
	ck_assert_msg(slice_eq(m->body, slice_str(body)), "%.*s", SLICE_ARGS(m->body));
}

/* ---- the decision ---- */

/* RFC 6665 section 4.2.1.2: the NOTIFY follows at once, with the state. */
START_TEST(accepted_with_its_state)
{
	const struct msg *m;
	uint32_t expires;

	setup();
	taken();
	accept((struct stage_option[]){ STAGE_TEXT("ContentType", STAGE_PIDF),
		STAGE_BYTES("Body", "open"), STAGE_NUMBER("Expires", 60),
		{ "Headers", 'h', "yes", 0, "X-Mine" }, { 0 } });
	m = stage_subscribed(s, &bob, "200");
	ck_assert(msg_number(m, HDR_EXPIRES, 1000, &expires));
	ck_assert_uint_eq(expires, 60);
	m = stage_notified(s, "active");
	expect_body(m, "open");
	ck_assert(slice_eq(m->content_type, SLICE(STAGE_PIDF)));
	ck_assert(slice_eq(msg_header_named(m, SLICE("X-Mine")), SLICE("yes")));
	ck_assert_str_eq(stage_watcher_read(s, OTHER, &bob, "State"), "active");
	ck_assert_str_eq(stage_watcher_read(s, OTHER, &bob, "Event"), "presence");
	ck_assert_str_eq(stage_watcher_read(s, OTHER, &bob, "EventParameters"), "");
	ck_assert_str_eq(stage_watcher_read(s, OTHER, &bob, "From"), "sip:bob@example.com");
	ck_assert_str_eq(stage_watcher_read(s, OTHER, &bob, "FromDisplayName"), "Mr bob");
	ck_assert_str_eq(stage_watcher_read(s, OTHER, &bob, "To"), "sip:alice@example.com");
	ck_assert_str_eq(stage_watcher_read(s, OTHER, &bob, "RequestUri"), "sip:alice@example.com");
	ck_assert_str_eq(stage_watcher_read(s, OTHER, &bob, "CallId"), "bob");
	ck_assert_str_eq(stage_watcher_read(s, OTHER, &bob, "Endpoint"), STAGE_ALICE);
	teardown();
}
END_TEST

START_TEST(pending_then_accepted)
{
	setup();
	taken();
	accept((struct stage_option[]){ STAGE_FLAG("Pending", 1), { 0 } });
	(void)stage_subscribed(s, &bob, "200");
	expect_body(stage_notified(s, "pending"), "");
	ck_assert_str_eq(stage_watcher_read(s, OTHER, &bob, "State"), "pending");
	accept((struct stage_option[]){
		STAGE_TEXT("ContentType", STAGE_PIDF), STAGE_BYTES("Body", "open"), { 0 } });
	expect_body(stage_notified(s, "active"), "open");
	ck_assert_str_eq(stage_watcher_read(s, OTHER, &bob, "State"), "active");
	teardown();
}
END_TEST

/* RFC 6665 section 4.1.3: rejected. */
START_TEST(pending_then_rejected)
{
	setup();
	taken();
	accept((struct stage_option[]){ STAGE_FLAG("Pending", 1), { 0 } });
	(void)stage_subscribed(s, &bob, "200");
	(void)stage_notified(s, "pending");
	stage_reject(s, OWNER, &bob, 403, "");
	(void)stage_return(s, "");
	stage_settle(s);
	(void)stage_notified(s, "terminated;reason=rejected");
	stage_watcher_gone(s, &bob, "rejected");
	teardown();
}
END_TEST

START_TEST(rejected)
{
	setup();
	taken();
	stage_reject(s, OWNER, &bob, 200, "");
	stage_error(s, STAGE_ERROR("InvalidArgument"));
	stage_reject(s, OWNER, &bob, 603, "Never");
	stage_settle(s);
	ck_assert(slice_eq(stage_subscribed(s, &bob, "603")->reason, SLICE("Never")));
	stage_watcher_gone(s, &bob, "Never");
	teardown();
}
END_TEST

START_TEST(what_cannot_be_accepted)
{
	setup();
	taken();
	stage_watcher_verb(s, OWNER, &bob, "Accept",
		(struct stage_option[]){ STAGE_NUMBER("Expires", 0), { 0 } });
	stage_error(s, STAGE_ERROR("InvalidArgument"));
	stage_watcher_verb(s, OWNER, &bob, "Accept",
		(struct stage_option[]){ STAGE_TEXT("ContentType", "a\r\nEvil: 1"),
			STAGE_BYTES("Body", "x"), { 0 } });
	stage_error(s, STAGE_ERROR("InvalidArgument"));
	stage_watcher_verb(s, OWNER, &bob, "Accept",
		(struct stage_option[]){
			{ "Headers", 'h', "active", 0, "Subscription-State" }, { 0 } });
	stage_error(s, STAGE_ERROR("InvalidArgument"));
	stage_watcher_verb(
		s, OWNER, &bob, "Accept", (struct stage_option[]){ STAGE_FLAG("Later", 1), { 0 } });
	stage_error(s, STAGE_ERROR("InvalidArgument"));
	/* Nothing came of any of it. */
	stage_notify(s, OWNER, &bob, "open", NULL);
	stage_error(s, STAGE_ERROR("WrongState"));
	ck_assert_str_eq(stage_watcher_read(s, OTHER, &bob, "State"), "incoming");
	accept(stage_no_options);
	(void)stage_subscribed(s, &bob, "200");
	teardown();
}
END_TEST

/* ---- the state ---- */

START_TEST(a_change_is_told)
{
	setup();
	stage_watched(s, OWNER, &bob, "open");
	stage_notify(s, OWNER, &bob, "closed", NULL);
	(void)stage_return(s, "");
	stage_settle(s);
	expect_body(stage_notified(s, "active"), "closed");
	/* RFC 6665 section 4.2.1.2: a refresh is answered with the whole, which we know. */
	refresh("Expires: 600\n", "");
	expect_body(stage_notified(s, "active"), "closed");
	stage_no_signal(s, "StateWanted");
	teardown();
}
END_TEST

START_TEST(the_whole_is_asked_for)
{
	setup();
	stage_watched(s, OWNER, &bob, "all");
	stage_notify(s, OWNER, &bob, "one more",
		(struct stage_option[]){ STAGE_FLAG("Partial", 1), { 0 } });
	(void)stage_return(s, "");
	stage_settle(s);
	expect_body(stage_notified(s, "active"), "one more");
	refresh("Expires: 600\n", "");
	stage_settle(s);
	(void)stage_signal(s, "StateWanted", OWNER);
	stage_notify(s, OWNER, &bob, "all and one more", NULL);
	(void)stage_return(s, "");
	stage_settle(s);
	expect_body(stage_notified(s, "active"), "all and one more");
	teardown();
}
END_TEST

START_TEST(a_filter_comes_later)
{
	DBusMessage *m;

	setup();
	stage_watched(s, OWNER, &bob, "open");
	refresh("Expires: 600\nContent-Type: text/x-filter\n", "less");
	m = stage_signal(s, "BodyReceived", OWNER);
	ck_assert_str_eq(dbus_message_get_signature(m), "saya(ss)");
	stage_expect_bytes(m, "less");
	m = recorder_call(&s->r, bob.path, STAGE_SUBSCRIBER, "GetRequest");
	stage_deliver(s, OWNER, m);
	stage_expect_bytes(stage_return(s, "saya(ss)"), "less");
	teardown();
}
END_TEST

/* ---- the end ---- */

START_TEST(it_unsubscribes)
{
	setup();
	stage_watched(s, OWNER, &bob, "open");
	refresh("Expires: 0\n", "");
	(void)stage_notified(s, "terminated");
	stage_watcher_gone(s, &bob, "unsubscribed");
	ck_assert_uint_eq(s->iface->n_subscribers, 0);
	teardown();
}
END_TEST

START_TEST(it_expires)
{
	setup();
	stage_watched(s, OWNER, &bob, "open");
	stage_run(s, 700 * SEC);
	(void)stage_notified(s, "terminated;reason=timeout");
	stage_watcher_gone(s, &bob, "timeout");
	teardown();
}
END_TEST

START_TEST(it_is_finished)
{
	setup();
	stage_watched(s, OWNER, &bob, "open");
	stage_finish(s, OWNER, &bob, "no token");
	stage_error(s, STAGE_ERROR("InvalidArgument"));
	stage_finish(s, OWNER, &bob, "invariant");
	(void)stage_return(s, "");
	stage_settle(s);
	(void)stage_notified(s, "terminated;reason=invariant");
	stage_watcher_gone(s, &bob, "invariant");
	teardown();
}
END_TEST

/* RFC 6665 section 4.1.3: retry-after. */
START_TEST(it_shall_come_back_later)
{
	setup();
	stage_watched(s, OWNER, &bob, "open");
	stage_suspend(s, OWNER, &bob, 30);
	(void)stage_return(s, "");
	stage_settle(s);
	(void)stage_notified(s, "terminated;reason=probation;retry-after=30");
	stage_watcher_gone(s, &bob, "probation");
	teardown();
}
END_TEST

START_TEST(its_endpoint_closes)
{
	setup();
	stage_watched(s, OWNER, &bob, "open");
	endpoint_close(s->ep);
	stage_settle(s);
	(void)stage_notified(s, "terminated");
	stage_run(s, 40 * SEC);
	(void)stage_signal(s, "Terminated", NULL);
	ck_assert_uint_eq(s->iface->n_subscribers, 0);
	teardown();
}
END_TEST

START_TEST(the_interfaces_go)
{
	setup();
	stage_watched(s, OWNER, &bob, "open");
	s->iface = iface_free(s->iface);
	/* The watcher goes on meanwhile. */
	stage_run(s, 700 * SEC);
	(void)stage_notified(s, "terminated;reason=timeout");
	teardown();
}
END_TEST

/* ---- many at once ---- */

static uint32_t notify_all(
	const char *client, const char *event, const struct stage_option *options)
{
	DBusMessage *m = stage_call(s, STAGE_ALICE, "NotifyAll");
	const char *type = STAGE_PIDF, *body = "news";

	dbus_message_append_args(m, DBUS_TYPE_STRING, &event, DBUS_TYPE_STRING, &type,
		DBUS_TYPE_ARRAY, DBUS_TYPE_BYTE, &body, (int)strlen(body), DBUS_TYPE_INVALID);
	stage_append_options(m, options);
	stage_deliver(s, client, m);
	return stage_status(stage_return(s, "u"));
}

START_TEST(all_are_told_at_once)
{
	struct stage_watcher carol = { .name = "carol" }, dave = { .name = "dave" };
	struct stage_watcher erin = { .name = "erin", .event = "dialog" };

	setup();
	stage_watched(s, OWNER, &bob, "open");
	stage_watched(s, OWNER, &carol, "open");
	stage_watched(s, OWNER, &erin, "idle");
	/* Who may not see the state yet does not. */
	stage_subscribe(s, &dave, "", "");
	stage_take(s, OWNER, stage_asked_about(s, OWNER, &dave, NULL));
	stage_watcher_verb(s, OWNER, &dave, "Accept",
		(struct stage_option[]){ STAGE_FLAG("Pending", 1), { 0 } });
	(void)stage_return(s, "");
	stage_settle(s);
	(void)stage_subscribed(s, &dave, "200");
	(void)stage_notified(s, "pending");
	ck_assert_uint_eq(notify_all(OWNER, "presence", stage_no_options), 2);
	stage_settle(s);
	expect_body(stage_notified(s, "active"), "news");
	expect_body(stage_notified(s, "active"), "news");
	ck_assert_uint_eq(notify_all(OTHER, "presence", stage_no_options), 0);
	ck_assert_uint_eq(notify_all(OWNER, "nothing", stage_no_options), 0);
	world_expect_silence(s->w, 0);
	/* Some of them alone; what is none of them is passed over. */
	ck_assert_uint_eq(notify_all(OWNER, "presence",
				  (struct stage_option[]){
					  { "Subscribers", 'O', carol.path, 0, NULL }, { 0 } }),
		1);
	stage_settle(s);
	ck_assert(slice_eq(stage_notified(s, "active")->call_id, SLICE("carol")));
	ck_assert_uint_eq(notify_all(OWNER, "presence",
				  (struct stage_option[]){
					  { "Subscribers", 'O', erin.path, 0, NULL }, { 0 } }),
		0);
	ck_assert_uint_eq(notify_all(OWNER, "presence",
				  (struct stage_option[]){
					  { "Subscribers", 'O', STAGE_ALICE, 0, NULL }, { 0 } }),
		0);
	teardown();
}
END_TEST

START_TEST(nobody_is_told_what_cannot_be_sent)
{
	DBusMessage *m;
	const char *event = "presence", *type = "a\r\nEvil: 1", *body = "news";

	setup();
	stage_watched(s, OWNER, &bob, "open");
	m = stage_call(s, STAGE_ALICE, "NotifyAll");
	dbus_message_append_args(m, DBUS_TYPE_STRING, &event, DBUS_TYPE_STRING, &type,
		DBUS_TYPE_ARRAY, DBUS_TYPE_BYTE, &body, (int)strlen(body), DBUS_TYPE_INVALID);
	stage_append_options(m, stage_no_options);
	stage_deliver(s, OWNER, m);
	stage_error(s, STAGE_ERROR("InvalidArgument"));
	stage_settle(s);
	world_expect_silence(s->w, 0);
	teardown();
}
END_TEST

/* ---- who may ---- */

START_TEST(strangers_see_nothing)
{
	DBusMessage *m;
	const char *interface = STAGE_SUBSCRIBER, *property = "From";

	setup();
	stage_watched(s, OWNER, &bob, "open");
	m = recorder_call(&s->r, bob.path, DBUS_INTERFACE_PROPERTIES, "Get");
	dbus_message_append_args(
		m, DBUS_TYPE_STRING, &interface, DBUS_TYPE_STRING, &property, DBUS_TYPE_INVALID);
	stage_deliver(s, STRANGER, m);
	stage_error(s, DBUS_ERROR_ACCESS_DENIED);
	stage_watcher_verb(s, STRANGER, &bob, "GetRequest", NULL);
	stage_error(s, DBUS_ERROR_ACCESS_DENIED);
	stage_watcher_verb(s, STRANGER, &bob, "Adopt", NULL);
	stage_error(s, DBUS_ERROR_ACCESS_DENIED);
	/* Who may use the profile may look, and no more. */
	stage_watcher_verb(s, OTHER, &bob, "GetRequest", NULL);
	(void)stage_return(s, "saya(ss)");
	stage_notify(s, OTHER, &bob, "closed", NULL);
	stage_error(s, DBUS_ERROR_ACCESS_DENIED);
	stage_finish(s, OTHER, &bob, "");
	stage_error(s, DBUS_ERROR_ACCESS_DENIED);
	stage_reject(s, OTHER, &bob, 403, "");
	stage_error(s, DBUS_ERROR_ACCESS_DENIED);
	stage_suspend(s, OTHER, &bob, 1);
	stage_error(s, DBUS_ERROR_ACCESS_DENIED);
	stage_watcher_verb(s, OTHER, &bob, "Release", NULL);
	stage_error(s, DBUS_ERROR_ACCESS_DENIED);
	teardown();
}
END_TEST

/* The contract: broadcasts carry paths, states and codes alone. */
START_TEST(who_watches_is_not_broadcast)
{
	setup();
	stage_watched(s, OWNER, &bob, "open");
	for (size_t i = 0; i < s->r.n; i++) {
		DBusMessage *m = s->r.sent[i];
		char *bytes;
		int n;

		if (dbus_message_get_type(m) != DBUS_MESSAGE_TYPE_SIGNAL ||
			dbus_message_get_destination(m))
			continue;
		ck_assert(dbus_message_marshal(m, &bytes, &n));
		ck_assert_ptr_null(memmem(bytes, (size_t)n, "bob@", 4));
		ck_assert_ptr_null(memmem(bytes, (size_t)n, "Mr bob", 6));
		dbus_free(bytes);
	}
	teardown();
}
END_TEST

int main(void)
{
	static const TTest *const *const tests[] = {
		&accepted_with_its_state,
		&pending_then_accepted,
		&pending_then_rejected,
		&rejected,
		&what_cannot_be_accepted,
		&a_change_is_told,
		&the_whole_is_asked_for,
		&a_filter_comes_later,
		&it_unsubscribes,
		&it_expires,
		&it_is_finished,
		&it_shall_come_back_later,
		&its_endpoint_closes,
		&the_interfaces_go,
		&all_are_told_at_once,
		&nobody_is_told_what_cannot_be_sent,
		&strangers_see_nothing,
		&who_watches_is_not_broadcast,
	};

	return recorder_main("subscriber", tests, ARRAY_LEN(tests));
}
