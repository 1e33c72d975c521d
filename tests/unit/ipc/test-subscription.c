/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Endpoint.Subscribe and what it makes, for one client; see test-subscription-shared.c for more. */
#include <string.h>

#include "protocol/base/err.h"
#include "protocol/msg/msg.h"
#include "protocol/ua/limits.h"
#include "protocol/ua/profile.h"
#include "tests/unit/ipc/stage-subscription.h"

#define SEC USEC_PER_SEC
#define EVIL "\r\nX-Evil: 1"

static struct stage stage;
static struct stage *const s = &stage;
static const struct stage_wish anna = { .client = STAGE_ANNA };
static const char *path;

/* Anna's subscription to bob's presence; the SUBSCRIBE. */
static const struct msg *setup(void)
{
	stage_subscription_init(s);
	return stage_wish_out(s, &anna, &path);
}

/* The same, and bob told something. */
static const struct msg *setup_active(void)
{
	const struct msg *m = setup();

	stage_bob_agrees(s, m, 3600);
	stage_bob_tells(s, m, "active;expires=3600", "open");
	stage_expect_notified(s, path, STAGE_ANNA, "open");
	return m;
}

static void teardown(void)
{
	stage_subscription_deinit(s);
}

static void expect_gone(void)
{
	(void)stage_signal(s, "InterfacesRemoved", NULL);
	stage_no_signal(s, "Terminated");
	ck_assert(list_is_empty(&s->iface->subscriptions));
	stage_subscription_call(s, STAGE_ANNA, path, "GetLast");
	stage_error(s, DBUS_ERROR_UNKNOWN_OBJECT);
}

static bool header_is(const struct msg *m, enum hdr_id id, const char *value)
{
	return slice_eq(msg_header(m, id), slice_str(value));
}

START_TEST(from_the_wish_to_the_end)
{
	const struct msg *m = setup(), *end;

	ck_assert(header_is(m, HDR_EVENT, "presence"));
	ck_assert(header_is(m, HDR_EXPIRES, "3600"));
	ck_assert_str_eq(stage_text_of(s, STAGE_ANNA, path, "State"), "pending");
	ck_assert_str_eq(stage_text_of(s, STAGE_ANNA, path, "Endpoint"), STAGE_ALICE);
	ck_assert_str_eq(stage_text_of(s, STAGE_ANNA, path, "Target"), STAGE_BOB);
	ck_assert_str_eq(stage_text_of(s, STAGE_ANNA, path, "Event"), "presence");
	ck_assert_str_eq(stage_text_of(s, STAGE_ANNA, path, "Owner"), STAGE_ANNA);
	ck_assert_uint_eq(stage_number_of(s, STAGE_ANNA, path, "Shared"), 1);
	ck_assert_uint_eq(stage_number_of(s, STAGE_ANNA, path, "Dialogs"), 0);
	stage_subscription_call(s, STAGE_ANNA, path, "GetLast");
	ck_assert_str_eq(stage_error(s, STAGE_ERROR("WrongState")), "no state came yet");
	stage_bob_agrees(s, m, 600);
	stage_bob_tells(s, m, "active;expires=600", "open");
	stage_expect_notified(s, path, STAGE_ANNA, "open");
	ck_assert_str_eq(stage_text_of(s, STAGE_ANNA, path, "State"), "active");
	ck_assert_uint_eq(stage_number_of(s, STAGE_ANNA, path, "Dialogs"), 1);
	ck_assert_uint_gt(stage_number_of(s, STAGE_ANNA, path, "Expires"), 0);
	stage_subscription_call(s, STAGE_ANNA, path, "GetLast");
	stage_expect_bytes(stage_return(s, "saya(ss)"), "open");
	stage_subscription_call(s, STAGE_ANNA, path, "Unsubscribe");
	(void)stage_return(s, "");
	stage_subscription_call(s, STAGE_ANNA, path, "Unsubscribe");
	ck_assert_str_eq(stage_error(s, STAGE_ERROR("WrongState")), "it is being ended");
	stage_refresh(s, STAGE_ANNA, path, 60);
	stage_error(s, STAGE_ERROR("WrongState"));
	stage_update(s, STAGE_ANNA, path, "<filter/>");
	stage_error(s, STAGE_ERROR("WrongState"));
	stage_settle(s);
	end = world_expect_out(s->w, "SUBSCRIBE");
	ck_assert(header_is(end, HDR_EXPIRES, "0"));
	stage_bob_agrees(s, end, 0);
	/* 4.2.1.4: the last NOTIFY has the state as it is. */
	stage_bob_tells(s, m, "terminated;reason=timeout", "closed");
	stage_expect_notified(s, path, STAGE_ANNA, "closed");
	(void)stage_expect_terminated(s, path, NULL, "unsubscribed");
	expect_gone();
	teardown();
}
END_TEST

/* RFC 6665 4.1.2.4: NOTIFY may overtake the 200. */
START_TEST(state_before_the_answer)
{
	const struct msg *m = setup();

	stage_bob_tells(s, m, "pending;expires=600", "");
	stage_expect_notified(s, path, STAGE_ANNA, "");
	ck_assert_str_eq(stage_text_of(s, STAGE_ANNA, path, "State"), "pending");
	stage_bob_tells(s, m, "active;expires=600", "open");
	stage_expect_notified(s, path, STAGE_ANNA, "open");
	stage_bob_agrees(s, m, 600);
	ck_assert_str_eq(stage_text_of(s, STAGE_ANNA, path, "State"), "active");
	teardown();
}
END_TEST

/* What goes to everybody is little: a state that changes nothing else is for its clients alone. */
START_TEST(news_are_no_broadcast)
{
	const struct msg *m = setup();

	stage_bob_agrees(s, m, 3600);
	stage_bob_tells(s, m, "active;expires=3600", "open");
	stage_expect_notified(s, path, STAGE_ANNA, "open");
	stage_skip(s);
	stage_bob_tells(s, m, "active;expires=3600", "closed");
	stage_no_signal(s, "PropertiesChanged");
	stage_expect_notified(s, path, STAGE_ANNA, "closed");
	stage_bob_tells(s, m, "pending;expires=3600", "");
	(void)stage_signal(s, "PropertiesChanged", NULL);
	teardown();
}
END_TEST

START_TEST(what_is_asked_for_is_sent)
{
	static const struct stage_option options[] = {
		STAGE_NUMBER("Expires", 120),
		{ "Accept", 'S', "application/pidf+xml", 0, NULL },
		STAGE_TEXT("ContentType", "application/simple-filter+xml"),
		STAGE_BYTES("Body", "<filter/>"),
		{ "Headers", 'h', "low", 0, "Priority" },
		STAGE_FLAG("List", 1),
		{ 0 },
	};
	const struct stage_wish wish = {
		.client = STAGE_ANNA, .event = "dialog;sla", .options = options
	};
	const struct msg *m;

	stage_subscription_init(s);
	m = stage_wish_out(s, &wish, &path);
	ck_assert(header_is(m, HDR_EVENT, "dialog;sla"));
	ck_assert(header_is(m, HDR_EXPIRES, "120"));
	ck_assert(slice_starts(msg_header(m, HDR_ACCEPT), SLICE("application/pidf+xml")));
	ck_assert(header_is(m, HDR_PRIORITY, "low"));
	ck_assert(slice_eq(m->content_type, SLICE("application/simple-filter+xml")));
	ck_assert(slice_eq(m->body, SLICE("<filter/>")));
	ck_assert_str_eq(stage_text_of(s, STAGE_ANNA, path, "Event"), "dialog;sla");
	teardown();
}
END_TEST

/* RFC 5367: the resources that are named are one subscription, which has no other body. */
START_TEST(targets_are_one_subscription)
{
	static const struct stage_option options[] = {
		{ "Targets", 'S', "sip:carol@example.com", 0, NULL },
		{ 0 },
	};
	const struct stage_wish wish = {
		.client = STAGE_ANNA, .target = "sip:lists@example.com", .options = options
	};
	const struct msg *m;

	stage_subscription_init(s);
	m = stage_wish_out(s, &wish, &path);
	ck_assert(slice_eq(m->content_type, SLICE("application/resource-lists+xml")));
	ck_assert_str_eq(stage_wish_for(s, &wish), path);
	stage_update(s, STAGE_ANNA, path, "<filter/>");
	ck_assert_ptr_nonnull(strstr(stage_error(s, STAGE_ERROR("InvalidArgument")), "Targets"));
	teardown();
}
END_TEST

/* RFC 6665 4.4.3. */
START_TEST(a_fetch_is_one_state_and_the_end)
{
	static const struct stage_option once[] = { STAGE_NUMBER("Expires", 0), { 0 } };
	const struct stage_wish wish = { .client = STAGE_ANNA, .options = once };
	const struct msg *m;

	stage_subscription_init(s);
	m = stage_wish_out(s, &wish, &path);
	ck_assert(header_is(m, HDR_EXPIRES, "0"));
	stage_bob_agrees(s, m, 0);
	stage_bob_tells(s, m, "terminated;reason=timeout", "open");
	stage_expect_notified(s, path, STAGE_ANNA, "open");
	(void)stage_expect_terminated(s, path, NULL, "timeout");
	expect_gone();
	teardown();
}
END_TEST

static const struct {
	unsigned status;
	const char *text;
} refusals[] = {
	{ 489, "489 Bad Event" },
	{ 404, "404 Not Found" },
	{ 403, "403 Forbidden" },
	{ 603, "603 Decline" },
};

START_TEST(a_refusal_is_the_end)
{
	for (size_t i = 0; i < ARRAY_LEN(refusals); i++) {
		const struct msg *m = setup();

		world_reply(s->w, m, refusals[i].status, NULL);
		stage_settle(s);
		(void)stage_expect_terminated(s, path, NULL, refusals[i].text);
		expect_gone();
		teardown();
	}
}
END_TEST

START_TEST(the_notifier_ends_it)
{
	const struct msg *m = setup_active();

	stage_bob_tells(s, m, "terminated;reason=rejected", "");
	(void)stage_expect_terminated(s, path, NULL, "rejected");
	expect_gone();
	teardown();
}
END_TEST

/* RFC 6665 4.1.3: probation is waited out, and seen from outside. */
START_TEST(it_waits_and_says_so)
{
	const struct msg *m = setup_active();

	stage_bob_tells(s, m, "terminated;reason=probation;retry-after=60", "");
	ck_assert_str_eq(stage_text_of(s, STAGE_ANNA, path, "State"), "waiting");
	ck_assert_uint_gt(stage_number_of(s, STAGE_ANNA, path, "NextAttempt"), 0);
	ck_assert_uint_eq(stage_number_of(s, STAGE_ANNA, path, "Dialogs"), 0);
	ck_assert_str_eq(stage_last_error(s, STAGE_ANNA, path), "0 probation (remote)");
	m = world_wait_out(s->w, "SUBSCRIBE", 90 * SEC);
	stage_bob_agrees(s, m, 600);
	stage_bob_tells(s, m, "active;expires=600", "open again");
	stage_expect_notified(s, path, STAGE_ANNA, "open again");
	ck_assert_uint_eq(stage_number_of(s, STAGE_ANNA, path, "NextAttempt"), 0);
	ck_assert_str_eq(stage_last_error(s, STAGE_ANNA, path), "0  ()");
	teardown();
}
END_TEST

/* There is nobody to say it to: the end comes at once, inside of the call. */
START_TEST(it_is_ended_while_it_waits)
{
	const struct msg *m = setup_active();

	stage_bob_tells(s, m, "terminated;reason=probation;retry-after=60", "");
	stage_subscription_call(s, STAGE_ANNA, path, "Unsubscribe");
	(void)stage_expect_terminated(s, path, NULL, "unsubscribed");
	(void)stage_signal(s, "InterfacesRemoved", NULL);
	(void)stage_return(s, "");
	ck_assert(list_is_empty(&s->iface->subscriptions));
	teardown();
}
END_TEST

START_TEST(nobody_is_left_while_it_waits)
{
	const struct msg *m = setup_active();

	stage_bob_tells(s, m, "terminated;reason=probation;retry-after=3600", "");
	recorder_leave(&s->r, STAGE_ANNA);
	stage_run(s, s->profile->owner_grace + SEC);
	(void)stage_expect_terminated(s, path, NULL, "unsubscribed");
	ck_assert(list_is_empty(&s->iface->subscriptions));
	teardown();
}
END_TEST

START_TEST(a_refresh_asks_at_once)
{
	const struct msg *m;

	(void)setup_active();
	stage_refresh(s, STAGE_ANNA, path, 0);
	ck_assert_str_eq(stage_error(s, STAGE_ERROR("InvalidArgument")),
		"expires of 0 is what Unsubscribe is for");
	stage_refresh(s, STAGE_ANNA, path, LIMITS_EXPIRES + 1);
	stage_error(s, STAGE_ERROR("InvalidArgument"));
	stage_refresh(s, STAGE_ANNA, path, 77);
	(void)stage_return(s, "");
	stage_settle(s);
	m = world_expect_out(s->w, "SUBSCRIBE");
	ck_assert(header_is(m, HDR_EXPIRES, "77"));
	teardown();
}
END_TEST

START_TEST(an_update_sends_another_body)
{
	const struct msg *m;

	(void)setup_active();
	stage_update(s, STAGE_ANNA, path, "<filter/>");
	(void)stage_return(s, "");
	stage_settle(s);
	m = world_expect_out(s->w, "SUBSCRIBE");
	ck_assert(slice_eq(m->body, SLICE("<filter/>")));
	stage_bob_agrees(s, m, 600);
	stage_update(s, STAGE_ANNA, path, "");
	(void)stage_return(s, "");
	stage_settle(s);
	m = world_expect_out(s->w, "SUBSCRIBE");
	ck_assert_uint_eq(m->body.n, 0);
	ck_assert_uint_eq(m->content_type.n, 0);
	teardown();
}
END_TEST

/* ---- what is refused on the bus ---- */

static const struct {
	const char *target, *event;
	struct stage_option options[3];
	const char *text; /* it begins so */
} wrong[] = {
	{ .target = "bob", .text = "target is no URI" },
	{ .target = STAGE_BOB "?Subject=x", .text = "target has header fields in it" },
	{ .target = STAGE_BOB EVIL, .text = "target is no URI" },
	{ .event = "", .text = "event is no event package" },
	{ .event = "a b", .text = "event is no event package" },
	{ .event = "presence" EVIL, .text = "event is no event package" },
	{ .options = { STAGE_NUMBER("Expires", LIMITS_EXPIRES + 1) },
		.text = "Expires is more than" },
	{ .options = { { "Accept", 'S', "", 0, NULL } }, .text = "Accept has an empty element" },
	{ .options = { { "Accept", 'S', "a/b" EVIL, 0, NULL } }, .text = "event, Accept or" },
	{ .options = { STAGE_BYTES("Body", "x") }, .text = "Body needs ContentType" },
	{ .options = { STAGE_TEXT("ContentType", "a/b") }, .text = "ContentType needs Body" },
	{ .options = { STAGE_TEXT("ContentType", "a/b" EVIL), STAGE_BYTES("Body", "x") },
		.text = "event, Accept or" },
	{ .options = { { "Headers", 'h', "x", 0, "From" } }, .text = "header \"From\" belongs" },
	{ .options = { { "Headers", 'h', "dialog", 0, "o" } }, .text = "header \"o\" belongs" },
	{ .options = { { "Headers", 'h', "5", 0, "Expires" } }, .text = "header \"Expires\" bel" },
	{ .options = { { "Headers", 'h', "x/y", 0, "ACCEPT" } }, .text = "header \"ACCEPT\" bel" },
	{ .options = { { "Headers", 'h', "x" EVIL, 0, "X-Good" } },
		.text = "header \"X-Good\" has" },
	{ .options = { { "Targets", 'S', "no uri", 0, NULL } }, .text = "Targets: \"no uri\"" },
	{ .options = { { "Targets", 'S', STAGE_BOB EVIL, 0, NULL } }, .text = "Targets: " },
	{ .options = { STAGE_FLAG("Expires", 1) }, .text = "option \"Expires\"" },
	{ .options = { STAGE_FLAG("Shared", 1) }, .text = "option \"Shared\" is not known" },
};

START_TEST(wrong_arguments_say_what_is_wrong)
{
	stage_subscription_init(s);
	for (size_t i = 0; i < ARRAY_LEN(wrong); i++) {
		const struct stage_wish wish = { STAGE_ANNA, wrong[i].target, wrong[i].event,
			wrong[i].options };
		const char *text;

		stage_try_wish(s, &wish);
		text = stage_error(s, STAGE_ERROR("InvalidArgument"));
		ck_assert_msg(strncmp(text, wrong[i].text, strlen(wrong[i].text)) == 0,
			"%s instead of %s", text, wrong[i].text);
	}
	stage_settle(s);
	ck_assert_uint_eq(world_skip_out(s->w), 0);
	ck_assert(list_is_empty(&s->iface->subscriptions));
	teardown();
}
END_TEST

START_TEST(a_peer_to_peer_endpoint_does_not_subscribe)
{
	DBusMessage *m;
	const char *target = STAGE_BOB, *event = "presence";

	stage_subscription_init(s);
	(void)world_endpoint(s->alice,
		&(struct world_account){
			.id = "peer", .domain = "192.0.2.1", .transport = TRANSPORT_UDP });
	stage_run(s, 0);
	stage_client(s, ":1.1", STAGE_ROOT_UID);
	m = stage_call(s, "/org/sipbus1/endpoint/peer", "Subscribe");
	dbus_message_append_args(
		m, DBUS_TYPE_STRING, &target, DBUS_TYPE_STRING, &event, DBUS_TYPE_INVALID);
	stage_append_options(m, NULL);
	stage_deliver(s, ":1.1", m);
	ck_assert_ptr_nonnull(strstr(stage_error(s, STAGE_ERROR("NotSupported")), "peer-to-peer"));
	teardown();
}
END_TEST

/* Who may not use the profile may not use what was made with it. */
START_TEST(the_profile_guards_it)
{
	static const char *const members[] = { "GetLast", "Adopt", "Unsubscribe" };

	(void)setup_active();
	stage_client(s, ":1.66", STAGE_OTHER_UID);
	stage_try_wish(s, &(struct stage_wish){ .client = ":1.66" });
	stage_error(s, DBUS_ERROR_ACCESS_DENIED);
	for (size_t i = 0; i < ARRAY_LEN(members); i++) {
		stage_subscription_call(s, ":1.66", path, members[i]);
		stage_error(s, DBUS_ERROR_ACCESS_DENIED);
	}
	teardown();
}
END_TEST

/* Others who may use the profile read it, but do not act on it, nor take it. */
START_TEST(its_clients_act_on_it)
{
	(void)setup_active();
	stage_subscription_call(s, STAGE_BEN, path, "Unsubscribe");
	stage_error(s, DBUS_ERROR_ACCESS_DENIED);
	stage_refresh(s, STAGE_BEN, path, 60);
	stage_error(s, DBUS_ERROR_ACCESS_DENIED);
	stage_update(s, STAGE_BEN, path, "x");
	stage_error(s, DBUS_ERROR_ACCESS_DENIED);
	stage_subscription_call(s, STAGE_BEN, path, "Adopt");
	stage_error(s, DBUS_ERROR_ACCESS_DENIED);
	stage_subscription_call(s, STAGE_ANNA, path, "Adopt");
	(void)stage_return(s, "");
	stage_subscription_call(s, STAGE_BEN, path, "GetLast");
	stage_expect_bytes(stage_return(s, "saya(ss)"), "open");
	teardown();
}
END_TEST

/* ---- the end of other things ---- */

START_TEST(it_ends_with_its_endpoint)
{
	const struct msg *m = setup_active(), *end;

	endpoint_close(s->ep);
	stage_settle(s);
	end = world_expect_out(s->w, "SUBSCRIBE");
	ck_assert(header_is(end, HDR_EXPIRES, "0"));
	stage_try_wish(s, &(struct stage_wish){ .client = STAGE_BEN, .event = "dialog" });
	ck_assert_str_eq(stage_error(s, STAGE_ERROR("NotRegistered")), "the endpoint closes");
	stage_bob_agrees(s, end, 0);
	stage_bob_tells(s, m, "terminated;reason=timeout", "open");
	stage_expect_notified(s, path, STAGE_ANNA, "open");
	(void)stage_expect_terminated(s, path, NULL, "unsubscribed");
	expect_gone();
	teardown();
}
END_TEST

START_TEST(no_more_than_the_endpoint_may_have)
{
	stage_subscription_init(s);
	/* As if they were there. */
	s->ep->n_subscriptions += LIMITS_SUBSCRIPTIONS_PER_ENDPOINT - 1;
	(void)stage_wish_for(s, &anna);
	stage_try_wish(s, &(struct stage_wish){ .client = STAGE_ANNA, .event = "dialog" });
	ck_assert_str_eq(stage_error(s, STAGE_ERROR("LimitExceeded")),
		"the endpoint has too many subscriptions");
	s->ep->n_subscriptions -= LIMITS_SUBSCRIPTIONS_PER_ENDPOINT - 1;
	teardown();
}
END_TEST

int main(void)
{
	static const TTest *const *const tests[] = {
		&from_the_wish_to_the_end,
		&state_before_the_answer,
		&news_are_no_broadcast,
		&what_is_asked_for_is_sent,
		&targets_are_one_subscription,
		&a_fetch_is_one_state_and_the_end,
		&a_refusal_is_the_end,
		&the_notifier_ends_it,
		&it_waits_and_says_so,
		&it_is_ended_while_it_waits,
		&nobody_is_left_while_it_waits,
		&a_refresh_asks_at_once,
		&an_update_sends_another_body,
		&wrong_arguments_say_what_is_wrong,
		&a_peer_to_peer_endpoint_does_not_subscribe,
		&the_profile_guards_it,
		&its_clients_act_on_it,
		&it_ends_with_its_endpoint,
		&no_more_than_the_endpoint_may_have,
	};

	return recorder_main("subscription", tests, ARRAY_LEN(tests));
}
