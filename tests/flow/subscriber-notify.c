/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* NOTIFY, when and with what, and what its answers mean (RFC 6665 section 4.2.2, RFC 5057). */
#include <check.h>
#include <stdio.h>
#include <string.h>

#include "protocol/base/err.h"
#include "protocol/msg/build.h"
#include "protocol/ua/limits.h"
#include "tests/flow/subscribed.h"
#include "tests/support/run.h"

static void gone(struct subscribed *c, const char *reason, enum origin origin)
{
	world_expect_subscriber_changed(c->wu, SUBSCRIBER_CHANGE_STATE);
	world_expect_subscriber_removed(c->wu, reason, origin);
	subscribed_finish(c);
}

static void leave(struct subscribed *c, const char *body)
{
	ck_assert_int_eq(subscriber_finish(c->s, SLICE_NULL, 0), 0);
	subscribed_heard(c, "terminated;reason=noresource", body);
	gone(c, "noresource", ORIGIN_LOCAL);
}

static void tell_change(struct subscribed *c, const char *body)
{
	struct subscriber_body change = world_state(TYPE, body);

	change.partial = true;
	ck_assert_int_eq(subscriber_notify(c->s, &change), 0);
}

/* ---- which state ---- */

/* One is on its way at a time; of what came meanwhile the last counts. */
START_TEST(rfc6665_4_2_2_one_at_a_time)
{
	struct subscribed c = subscribed_new();
	const struct msg *m;

	subscribed_active(&c, "open");
	subscribed_tell(&c, "busy");
	m = subscribed_hears(&c, "active;expires=600", "busy");
	subscribed_tell(&c, "away");
	subscribed_tell(&c, "closed");
	world_expect_silence(c.w, 100 * MSEC);
	world_reply(c.w, m, 200, NULL);
	subscribed_heard(&c, "active;expires=600", "closed");
	leave(&c, "closed");
}
END_TEST

/* 4.2.2: the last one as well waits for its turn, and has the last state. */
START_TEST(rfc6665_4_2_2_the_last_one_waits)
{
	struct subscribed c = subscribed_new();
	const struct msg *m;

	subscribed_active(&c, "open");
	subscribed_tell(&c, "busy");
	m = subscribed_hears(&c, "active;expires=600", "busy");
	subscribed_tell(&c, "away");
	ck_assert_int_eq(subscriber_finish(c.s, SLICE("two words"), 0), -EINVAL);
	ck_assert_int_eq(subscriber_finish(c.s, SLICE("giveup"), 0), 0);
	ck_assert_int_eq(subscriber_finish(c.s, SLICE("giveup"), 0), -ESTALE);
	world_reply(c.w, m, 200, NULL);
	subscribed_heard(&c, "terminated;reason=giveup", "away");
	gone(&c, "giveup", ORIGIN_LOCAL);
}
END_TEST

/* A refresh that comes while a NOTIFY is on its way is followed by another one. */
START_TEST(rfc6665_4_2_1_2_refresh_meanwhile)
{
	struct subscribed c = subscribed_new();
	const struct msg *m;

	subscribed_active(&c, "open");
	subscribed_tell(&c, "busy");
	m = subscribed_hears(&c, "active;expires=600", "busy");
	subscribed_sends(&c, "SUBSCRIBE", "Event: presence\nExpires: 700\n");
	(void)subscribed_expect(&c, "200");
	world_expect_subscriber_changed(c.wu, SUBSCRIBER_CHANGE_EXPIRES);
	world_reply(c.w, m, 200, NULL);
	subscribed_heard(&c, "active;expires=700", "busy");
	leave(&c, "busy");
}
END_TEST

/* Changes that are not the whole are told in order, none is lost. */
START_TEST(partial_states_in_order)
{
	struct subscribed c = subscribed_new();
	const struct msg *m;

	subscribed_active(&c, "whole");
	tell_change(&c, "a");
	m = subscribed_hears(&c, "active;expires=600", "a");
	tell_change(&c, "b");
	tell_change(&c, "c");
	world_reply(c.w, m, 200, NULL);
	subscribed_heard(&c, "active;expires=600", "b");
	subscribed_heard(&c, "active;expires=600", "c");
	/* Nobody here knows the whole: the last NOTIFY is neutral. */
	leave(&c, "");
}
END_TEST

/* After changes a refresh needs the whole, which is asked for (4.2.1.2). */
START_TEST(rfc6665_4_2_1_2_whole_is_asked_for)
{
	struct subscribed c = subscribed_new();

	subscribed_active(&c, "whole");
	tell_change(&c, "a");
	subscribed_heard(&c, "active;expires=600", "a");
	subscribed_sends(&c, "SUBSCRIBE", "Event: presence\nExpires: 600\n");
	(void)subscribed_expect(&c, "200");
	world_expect_subscriber_changed(c.wu, SUBSCRIBER_CHANGE_EXPIRES);
	world_expect_subscriber_news(c.wu, SUBSCRIBER_WANTS_STATE);
	tell_change(&c, "is in the whole");
	world_expect_silence(c.w, 1 * SEC);
	subscribed_tell(&c, "whole again");
	subscribed_heard(&c, "active;expires=599", "whole again");
	/* Told by ourselves the next time. */
	subscribed_sends(&c, "SUBSCRIBE", "Event: presence\nExpires: 600\n");
	(void)subscribed_expect(&c, "200");
	subscribed_heard(&c, "active;expires=600", "whole again");
	world_expect_subscriber_changed(c.wu, SUBSCRIBER_CHANGE_EXPIRES);
	leave(&c, "whole again");
}
END_TEST

/* Nobody says it: neutral, in bounded time. */
START_TEST(whole_is_not_waited_for_for_ever)
{
	struct subscribed c = subscribed_new();

	subscribed_active(&c, "whole");
	tell_change(&c, "a");
	subscribed_heard(&c, "active;expires=600", "a");
	subscribed_sends(&c, "SUBSCRIBE", "Event: presence\nExpires: 600\n");
	(void)subscribed_expect(&c, "200");
	world_expect_subscriber_changed(c.wu, SUBSCRIBER_CHANGE_EXPIRES);
	world_expect_subscriber_news(c.wu, SUBSCRIBER_WANTS_STATE);
	world_expect_silence(c.w, (LIMITS_SUBSCRIBER_STATE_SECONDS - 1) * SEC);
	world_run(c.w, 1 * SEC);
	subscribed_heard(&c, "active;expires=595", "");
	leave(&c, "");
}
END_TEST

START_TEST(too_many_changes_wait)
{
	struct subscribed c = subscribed_new();
	const struct msg *m;
	char text[16];

	subscribed_active(&c, "whole");
	tell_change(&c, "first");
	m = subscribed_hears(&c, "active;expires=600", "first");
	for (unsigned i = 0; i < LIMITS_SUBSCRIBER_CHANGES; i++) {
		(void)snprintf(text, sizeof(text), "%u", i);
		tell_change(&c, text);
	}
	world_expect_no_subscriber(c.wu);
	tell_change(&c, "one too many");
	world_expect_subscriber_news(c.wu, SUBSCRIBER_WANTS_STATE);
	subscribed_tell(&c, "everything");
	world_reply(c.w, m, 200, NULL);
	subscribed_heard(&c, "active;expires=600", "everything");
	leave(&c, "everything");
}
END_TEST

START_TEST(bad_states)
{
	struct subscribed c = subscribed_new();
	struct request_header own = { SLICE("Via"), SLICE("x") };
	struct request_header fine = { SLICE("Content-Disposition"), SLICE("render") };
	struct subscriber_body b = world_state(TYPE, "x");
	const struct msg *m;

	subscribed_active(&c, "open");
	b.headers = &own;
	b.n_headers = 1;
	ck_assert_int_eq(subscriber_notify(c.s, &b), -EINVAL);
	b.headers = &fine;
	b.content_type = SLICE_NULL;
	ck_assert_int_eq(subscriber_notify(c.s, &b), -EINVAL);
	b.content_type = SLICE("a/b\r\nX: y");
	ck_assert_int_eq(subscriber_notify(c.s, &b), -EINVAL);
	b.content_type = SLICE(TYPE);
	b.bytes.n = LIMITS_SUBSCRIBER_BYTES + 1;
	ck_assert_int_eq(subscriber_notify(c.s, &b), -EMSGSIZE);
	b.bytes.n = 1;
	ck_assert_int_eq(subscriber_notify(c.s, &b), 0);
	m = subscribed_hears(&c, "active;expires=600", "x");
	subscribed_check(m, HDR_CONTENT_DISPOSITION, "render");
	world_reply(c.w, m, 200, NULL);
	leave(&c, "x");
}
END_TEST

/* RFC 3261 18.1.1: what a datagram cannot carry goes over TCP. */
START_TEST(rfc3261_18_1_1_large_state)
{
	struct subscribed c = subscribed_new();
	char *large = mem_zalloc(4000);
	const struct msg *m;

	memset(large, 'x', 3999);
	subscribed_active(&c, "open");
	subscribed_tell(&c, large);
	m = subscribed_hears(&c, "active;expires=600", large);
	ck_assert(slice_starts(msg_header(m, HDR_VIA), SLICE("SIP/2.0/TCP")));
	world_reply(c.w, m, 200, NULL);
	/* 413 ends nothing (RFC 5057 5.1), and the same is not sent again. */
	subscribed_tell(&c, "large");
	world_reply(c.w, subscribed_hears(&c, "active;expires=600", "large"), 413, NULL);
	world_expect_silence(c.w, 64 * TIMER_T1);
	subscribed_tell(&c, "small");
	subscribed_heard(&c, "active;expires=568", "small");
	leave(&c, "small");
	free(large);
}
END_TEST

/* ---- refusals ---- */

/* 4.2.2 names those that end it. */
START_TEST(rfc6665_4_2_2_refusals_that_end_it)
{
	static const unsigned t[] = { 404, 405, 410, 416, 480, 481, 482, 483, 484, 485, 489, 501,
		604 };

	for (size_t i = 0; i < ARRAY_LEN(t); i++) {
		struct subscribed c = subscribed_new();
		char why[80];

		subscribed_active(&c, "open");
		subscribed_tell(&c, "closed");
		world_reply(c.w, subscribed_hears(&c, "active;expires=600", "closed"), t[i], NULL);
		world_settle(c.w);
		(void)snprintf(why, sizeof(why), "%u %.*s", t[i], SLICE_ARGS(build_reason(t[i])));
		ck_assert_ptr_null(dialog_find(
			&c.wu->ua->dialogs, SLICE("sub-1"), slice_str(c.to_tag), SLICE("bob")));
		gone(&c, why, ORIGIN_REMOTE);
	}
}
END_TEST

/* RFC 5057 5.1: the transaction alone. What a server cannot do now is tried again. */
START_TEST(rfc5057_5_1_refusals_that_pass)
{
	static const unsigned t[] = { 400, 401, 403, 406, 407, 413, 415, 420, 491, 500, 503, 504,
		600 };

	for (size_t i = 0; i < ARRAY_LEN(t); i++) {
		struct subscribed c = subscribed_new();
		bool again = t[i] == 500 || t[i] == 503 || t[i] == 504;

		subscribed_active(&c, "open");
		subscribed_tell(&c, "busy");
		world_reply(c.w, subscribed_hears(&c, "active;expires=600", "busy"), t[i], NULL);
		world_settle(c.w);
		world_run(c.w, 5 * SEC);
		if (again)
			subscribed_heard(&c, "active;expires=595", "busy");
		world_run(c.w, 5 * SEC);
		ck_assert_msg(world_skip_out(c.w) == 0, "%u", t[i]);
		subscribed_tell(&c, "closed");
		subscribed_heard(&c, "active;expires=590", "closed");
		leave(&c, "closed");
	}
}
END_TEST

START_TEST(rfc3261_21_5_4_retry_after)
{
	struct subscribed c = subscribed_new();

	subscribed_active(&c, "open");
	subscribed_tell(&c, "busy");
	world_reply(
		c.w, subscribed_hears(&c, "active;expires=600", "busy"), 503, "Retry-After: 30\n");
	world_settle(c.w);
	subscribed_tell(&c, "away");
	world_expect_silence(c.w, 29 * SEC);
	world_run(c.w, 1 * SEC);
	subscribed_heard(&c, "active;expires=570", "away");
	leave(&c, "away");
}
END_TEST

/* Again and again, ever more seldom. */
START_TEST(server_stays_away)
{
	static const unsigned pauses[] = { 5, 10, 20, 40, 80, 160 };
	struct subscribed c = subscribed_new();
	char state[32];
	unsigned left = 600;

	subscribed_active(&c, "open");
	subscribed_tell(&c, "busy");
	for (size_t i = 0; i < ARRAY_LEN(pauses); i++) {
		(void)snprintf(state, sizeof(state), "active;expires=%u", left);
		world_reply(c.w, subscribed_hears(&c, state, "busy"), 500, NULL);
		world_settle(c.w);
		world_expect_silence(c.w, (pauses[i] - 1) * SEC);
		world_run(c.w, 1 * SEC);
		left -= pauses[i];
	}
	(void)snprintf(state, sizeof(state), "active;expires=%u", left);
	subscribed_heard(&c, state, "busy");
	leave(&c, "busy");
}
END_TEST

/* 4.2.2: Timer F. */
START_TEST(rfc6665_4_2_2_timer_f)
{
	struct subscribed c = subscribed_new();
	struct list *told;

	subscribed_active(&c, "open");
	subscribed_tell(&c, "closed");
	(void)subscribed_hears(&c, "active;expires=600", "closed");
	world_run(c.w, 64 * TIMER_T1);
	(void)world_skip_out(c.w);
	world_expect_subscriber_changed(c.wu, SUBSCRIBER_CHANGE_STATE);
	ck_assert_uint_eq(c.wu->n_subscribers, 0);
	ck_assert_uint_eq(list_length(&c.wu->subscriber_told), 1);
	told = list_first(&c.wu->subscriber_told);
	ck_assert_ptr_nonnull(told);
	ck_assert_int_eq(
		list_entry(told, struct world_subscriber_told, node)->origin, ORIGIN_TIMEOUT);
	world_subscriber_free_told(c.wu);
	subscribed_finish(&c);
}
END_TEST

/* A change that was refused leaves a gap, so the whole is asked for. */
START_TEST(refused_change)
{
	struct subscribed c = subscribed_new();

	subscribed_active(&c, "whole");
	tell_change(&c, "a");
	world_reply(c.w, subscribed_hears(&c, "active;expires=600", "a"), 500, NULL);
	world_settle(c.w);
	world_expect_subscriber_news(c.wu, SUBSCRIBER_WANTS_STATE);
	subscribed_tell(&c, "whole");
	world_run(c.w, 5 * SEC);
	subscribed_heard(&c, "active;expires=595", "whole");
	leave(&c, "whole");
}
END_TEST

/* The proxy between us asks who we are. */
START_TEST(rfc3261_22_3_proxy_asks)
{
	struct subscribed c = subscribed_new();
	struct subscriber_body open = world_state(TYPE, "open");
	const struct msg *m;

	c.from = "udp:192.0.2.1:5060";
	world_set_secret(c.w, "alice", "alice", "secret");
	subscribed_comes(&c, "Record-Route: <sip:192.0.2.1;lr>\nEvent: presence\nExpires: 600\n");
	ck_assert_int_eq(subscriber_accept(c.s, SUBSCRIBER_ACCEPT, 0, &open), 0);
	subscribed_check(subscribed_expect(&c, "200"), HDR_RECORD_ROUTE, "<sip:192.0.2.1;lr>");
	world_reply(c.w, subscribed_hears(&c, "active;expires=600", "open"), 407,
		"Proxy-Authenticate: Digest realm=\"192.0.2.1\", nonce=\"n\", qop=\"auth\"\n");
	m = subscribed_hears(&c, "active;expires=600", "open");
	ck_assert_uint_gt(msg_header(m, HDR_PROXY_AUTHORIZATION).n, 0);
	world_reply(c.w, m, 200, NULL);
	world_settle(c.w);
	world_expect_subscriber_changed(c.wu, SUBSCRIBER_CHANGE_STATE | SUBSCRIBER_CHANGE_EXPIRES);
	ck_assert_int_eq(subscriber_finish(c.s, SLICE_NULL, 0), 0);
	subscribed_heard(&c, "terminated;reason=noresource", "open");
	gone(&c, "noresource", ORIGIN_LOCAL);
}
END_TEST

RUN_TESTS("subscriber-notify", rfc6665_4_2_2_one_at_a_time, rfc6665_4_2_2_the_last_one_waits,
	rfc6665_4_2_1_2_refresh_meanwhile, partial_states_in_order,
	rfc6665_4_2_1_2_whole_is_asked_for, whole_is_not_waited_for_for_ever, too_many_changes_wait,
	bad_states, rfc3261_18_1_1_large_state, rfc6665_4_2_2_refusals_that_end_it,
	rfc5057_5_1_refusals_that_pass, rfc3261_21_5_4_retry_after, server_stays_away,
	rfc6665_4_2_2_timer_f, refused_change, rfc3261_22_3_proxy_asks)
