/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Somebody subscribes to us: from the SUBSCRIBE to the last NOTIFY (RFC 6665 section 4.2). */
#include <check.h>
#include <stdio.h>
#include <string.h>

#include "protocol/base/err.h"
#include "protocol/ua/limits.h"
#include "tests/flow/subscribed.h"
#include "tests/support/run.h"

/* ---- section 4.2.1.1: the first SUBSCRIBE ---- */

/* 4.2.1.2: a NOTIFY follows each 200 at once. */
START_TEST(rfc6665_4_2_1_accepted)
{
	struct subscribed c = subscribed_new();
	struct subscriber_body open = world_state(TYPE, "open");
	const struct msg *m;

	world_show(c.w, "To");
	world_show(c.w, "CSeq");
	world_show(c.w, "Contact");
	world_show(c.w, "Event");
	world_show(c.w, "Expires");
	world_show(c.w, "Subscription-State");
	world_show(c.w, "Content-Type");
	subscribed_comes(&c, "Event: presence;id=7\nExpires: 600\n");
	ck_assert(slice_eq(subscriber_event(c.s), SLICE("presence")));
	ck_assert_uint_eq(strlen(subscriber_id(c.s)), 16);
	ck_assert_ptr_eq(subscriber_endpoint(c.s), c.ep);
	ck_assert_uint_eq(subscriber_expires(c.s), 0);
	ck_assert_int_eq(subscriber_accept(c.s, SUBSCRIBER_ACCEPT, 0, &open), 0);
	m = subscribed_expect(&c, "200");
	subscribed_check(m, HDR_EXPIRES, "600");
	ck_assert_uint_gt(m->contact.uri.text.n, 0);
	m = subscribed_hears(&c, "active;expires=600", "open");
	subscribed_check(m, HDR_EVENT, "presence;id=7");
	subscribed_check(m, HDR_CONTENT_TYPE, TYPE);
	world_reply(c.w, m, 200, NULL);
	world_settle(c.w);
	world_expect_subscriber_changed(c.wu, SUBSCRIBER_CHANGE_STATE | SUBSCRIBER_CHANGE_EXPIRES);
	ck_assert_uint_eq(subscriber_state(c.s), SUBSCRIBER_ACTIVE);
	world_run(c.w, 10 * SEC);
	subscribed_tell(&c, "closed");
	subscribed_heard(&c, "active;expires=590", "closed");
	subscribed_sends(&c, "SUBSCRIBE", "Event: presence;id=7\nExpires: 0\n");
	subscribed_check(subscribed_expect(&c, "200"), HDR_EXPIRES, "0");
	world_expect_subscriber_changed(c.wu, SUBSCRIBER_CHANGE_STATE);
	subscribed_heard(&c, "terminated;reason=timeout", "closed");
	world_expect_subscriber_removed(c.wu, "unsubscribed", ORIGIN_REMOTE);
	world_log_golden(c.w, "subscriber-accepted");
	subscribed_finish(&c);
}
END_TEST

/* What we grant is what the client lets us, never more than was asked for. */
START_TEST(rfc6665_4_2_1_1_expires)
{
	static const struct {
		const char *asked;
		uint32_t max;
		const char *granted;
	} t[] = {
		{ "Expires: 600\n", 0, "600" },
		{ "Expires: 600\n", 60, "60" },
		{ "Expires: 600\n", 7200, "600" },
		{ "", 0, "3600" },
		{ "", 60, "60" },
		{ "Expires: 4294967295\n", 0, "86400" },
		{ "Expires: 9999999999999\n", 0, "3600" },
		{ "Expires: soon\n", 0, "3600" },
	};

	for (size_t i = 0; i < ARRAY_LEN(t); i++) {
		struct subscribed c = subscribed_new();
		char text[80];

		(void)snprintf(text, sizeof(text), "Event: presence\n%s", t[i].asked);
		subscribed_comes(&c, text);
		ck_assert_int_eq(subscriber_accept(c.s, SUBSCRIBER_ACCEPT, t[i].max, NULL), 0);
		subscribed_check(subscribed_expect(&c, "200"), HDR_EXPIRES, t[i].granted);
		(void)snprintf(text, sizeof(text), "active;expires=%s", t[i].granted);
		subscribed_heard(&c, text, "");
		world_expect_subscriber_changed(
			c.wu, SUBSCRIBER_CHANGE_STATE | SUBSCRIBER_CHANGE_EXPIRES);
		ck_assert_int_eq(subscriber_finish(c.s, SLICE_NULL, 0), 0);
		world_expect_subscriber_changed(c.wu, SUBSCRIBER_CHANGE_STATE);
		subscribed_heard(&c, "terminated;reason=noresource", "");
		world_expect_subscriber_removed(c.wu, "noresource", ORIGIN_LOCAL);
		subscribed_finish(&c);
	}
}
END_TEST

START_TEST(rfc6665_4_2_1_1_rejected)
{
	struct subscribed c = subscribed_new();

	subscribed_comes(&c, "Event: presence\n");
	ck_assert_int_eq(subscriber_reject(c.s, 200, SLICE_NULL), -EINVAL);
	ck_assert_int_eq(subscriber_reject(c.s, 403, SLICE("a\r\nb")), -EINVAL);
	ck_assert_int_eq(subscriber_reject(c.s, 403, SLICE("Not You")), 0);
	ck_assert(slice_eq(subscribed_expect(&c, "403")->reason, SLICE("Not You")));
	world_settle(c.w);
	world_expect_subscriber_changed(c.wu, SUBSCRIBER_CHANGE_STATE);
	world_expect_subscriber_removed(c.wu, "Not You", ORIGIN_LOCAL);
	subscribed_finish(&c);
}
END_TEST

/* Nobody takes it: no package, or nobody there; or whoever took it says nothing. */
START_TEST(rfc6665_4_2_1_1_nobody)
{
	struct subscribed c = subscribed_new();

	subscribed_comes(&c, "Event: presence\n");
	subscriber_pass(c.s, SUBSCRIBER_NO_PACKAGE);
	(void)subscribed_expect(&c, "489");
	world_expect_subscriber_changed(c.wu, SUBSCRIBER_CHANGE_STATE);
	world_expect_subscriber_removed(c.wu, "Bad Event", ORIGIN_LOCAL);
	subscribed_comes(&c, "Event: presence\n");
	subscriber_pass(c.s, SUBSCRIBER_NOBODY_THERE);
	(void)subscribed_expect(&c, "480");
	world_expect_subscriber_changed(c.wu, SUBSCRIBER_CHANGE_STATE);
	world_expect_subscriber_removed(c.wu, "Temporarily Unavailable", ORIGIN_LOCAL);
	subscribed_comes(&c, "Event: presence\n");
	(void)world_wait_out(c.w, "100", 64 * TIMER_T1); /* RFC 4320 4.1 */
	ck_assert_uint_eq(world_wait_out(c.w, "480", 64 * TIMER_T1)->status, 480);
	world_expect_subscriber_changed(c.wu, SUBSCRIBER_CHANGE_STATE);
	world_expect_subscriber_removed(c.wu, "Temporarily Unavailable", ORIGIN_LOCAL);
	subscribed_finish(&c);
}
END_TEST

START_TEST(refused_at_once)
{
	static const struct {
		const char *lines, *status;
	} t[] = {
		{ "Expires: 600\n", "489" }, /* 4.2.3: no Event */
		{ "Event: \n", "400" },
		{ "Event: presence;;=\n", "400" },
		{ "Event: refer\n", "403" }, /* RFC 3515 2.4.4 */
		{ "Event: presence\nContact: *\n", "400" },
	};
	struct subscribed c = subscribed_new();

	for (size_t i = 0; i < ARRAY_LEN(t); i++) {
		subscribed_asks(&c, t[i].lines);
		(void)subscribed_expect(&c, t[i].status);
		world_expect_no_subscriber(c.wu);
	}
	subscribed_finish(&c);
}
END_TEST

/* 4.2.1.1: greater than zero, and smaller than our minimum. */
START_TEST(rfc6665_4_2_1_1_too_brief)
{
	struct subscribed c = subscribed_new();

	subscribed_asks(&c, "Event: presence\nExpires: 9\n");
	subscribed_check(subscribed_expect(&c, "423"), HDR_MIN_EXPIRES, "10");
	world_expect_no_subscriber(c.wu);
	subscribed_active(&c, "open");
	subscribed_sends(&c, "SUBSCRIBE", "Event: presence\nExpires: 1\n");
	subscribed_check(subscribed_expect(&c, "423"), HDR_MIN_EXPIRES, "10");
	/* It stays as it was. */
	world_run(c.w, 599 * SEC);
	ck_assert_uint_eq(world_skip_out(c.w), 0);
	world_run(c.w, 1 * SEC);
	subscribed_heard(&c, "terminated;reason=timeout", "open");
	world_expect_subscriber_changed(c.wu, SUBSCRIBER_CHANGE_STATE);
	world_expect_subscriber_removed(c.wu, "timeout", ORIGIN_TIMEOUT);
	subscribed_finish(&c);
}
END_TEST

/* 4.4.3: one NOTIFY, and that is the last. */
START_TEST(rfc6665_4_4_3_fetch)
{
	struct subscribed c = subscribed_new();
	struct subscriber_body open = world_state(TYPE, "open");

	subscribed_comes(&c, "Event: presence\nExpires: 0\n");
	ck_assert_int_eq(subscriber_accept(c.s, SUBSCRIBER_ACCEPT, 0, &open), 0);
	ck_assert_int_eq(subscriber_notify(c.s, &open), -ESTALE);
	subscribed_check(subscribed_expect(&c, "200"), HDR_EXPIRES, "0");
	subscribed_heard(&c, "terminated;reason=timeout", "open");
	world_expect_subscriber_changed(c.wu, SUBSCRIBER_CHANGE_STATE);
	world_expect_subscriber_removed(c.wu, "timeout", ORIGIN_REMOTE);
	subscribed_finish(&c);
}
END_TEST

/* 4.2.1.3: pending shows nothing, until it is decided. */
START_TEST(rfc6665_4_2_1_3_pending)
{
	struct subscribed c = subscribed_new();

	subscribed_comes(&c, "Event: presence\nExpires: 600\n");
	ck_assert_int_eq(subscriber_accept(c.s, SUBSCRIBER_LEAVE_PENDING, 0, NULL), 0);
	(void)subscribed_expect(&c, "200");
	subscribed_heard(&c, "pending;expires=600", "");
	world_expect_subscriber_changed(c.wu, SUBSCRIBER_CHANGE_STATE | SUBSCRIBER_CHANGE_EXPIRES);
	subscribed_tell(&c, "open");
	world_expect_silence(c.w, 1 * SEC);
	subscribed_sends(&c, "SUBSCRIBE", "Event: presence\nExpires: 600\n");
	(void)subscribed_expect(&c, "200");
	subscribed_heard(&c, "pending;expires=600", "");
	world_expect_subscriber_changed(c.wu, SUBSCRIBER_CHANGE_EXPIRES);
	ck_assert_int_eq(subscriber_accept(c.s, SUBSCRIBER_ACCEPT, 0, NULL), 0);
	subscribed_heard(&c, "active;expires=600", "open");
	world_expect_subscriber_changed(c.wu, SUBSCRIBER_CHANGE_STATE);
	ck_assert_int_eq(subscriber_accept(c.s, SUBSCRIBER_ACCEPT, 0, NULL), -ESTALE);
	ck_assert_int_eq(subscriber_reject(c.s, 403, SLICE_NULL), -ESTALE);
	ck_assert_int_eq(subscriber_finish(c.s, SLICE("probation"), 300), 0);
	subscribed_heard(&c, "terminated;reason=probation;retry-after=300", "open");
	world_expect_subscriber_changed(c.wu, SUBSCRIBER_CHANGE_STATE);
	world_expect_subscriber_removed(c.wu, "probation", ORIGIN_LOCAL);
	subscribed_finish(&c);
}
END_TEST

START_TEST(rfc6665_4_2_1_3_pending_is_rejected)
{
	struct subscribed c = subscribed_new();
	struct subscriber_body open = world_state(TYPE, "open");

	subscribed_comes(&c, "Event: presence\nExpires: 600\n");
	ck_assert_int_eq(subscriber_accept(c.s, SUBSCRIBER_LEAVE_PENDING, 0, &open), 0);
	(void)subscribed_expect(&c, "200");
	subscribed_heard(&c, "pending;expires=600", "");
	world_expect_subscriber_changed(c.wu, SUBSCRIBER_CHANGE_STATE | SUBSCRIBER_CHANGE_EXPIRES);
	ck_assert_int_eq(subscriber_reject(c.s, 403, SLICE_NULL), 0);
	subscribed_heard(&c, "terminated;reason=rejected", "");
	world_expect_subscriber_changed(c.wu, SUBSCRIBER_CHANGE_STATE);
	world_expect_subscriber_removed(c.wu, "rejected", ORIGIN_LOCAL);
	subscribed_finish(&c);
}
END_TEST

/* 4.2.1.4: a refresh is answered, and told the whole again. */
START_TEST(rfc6665_4_2_1_4_refresh)
{
	struct subscribed c = subscribed_new();

	subscribed_active(&c, "open");
	world_run(c.w, 500 * SEC);
	subscribed_sends(&c, "SUBSCRIBE", "Event: presence\nExpires: 300\n");
	subscribed_check(subscribed_expect(&c, "200"), HDR_EXPIRES, "300");
	world_expect_subscriber_changed(c.wu, SUBSCRIBER_CHANGE_EXPIRES);
	subscribed_heard(&c, "active;expires=300", "open");
	world_run(c.w, 299 * SEC);
	ck_assert_uint_eq(world_skip_out(c.w), 0);
	world_run(c.w, 1 * SEC);
	subscribed_heard(&c, "terminated;reason=timeout", "open");
	world_expect_subscriber_changed(c.wu, SUBSCRIBER_CHANGE_STATE);
	world_expect_subscriber_removed(c.wu, "timeout", ORIGIN_TIMEOUT);
	subscribed_finish(&c);
}
END_TEST

/* The endpoint closes: who subscribed is told, and its answer is waited for. */
START_TEST(endpoint_closes)
{
	struct subscribed c = subscribed_new();

	subscribed_active(&c, "open");
	endpoint_close(c.ep);
	world_reply(c.w, subscribed_hears(&c, "terminated;reason=noresource", "open"), 200, NULL);
	world_reply(c.w, world_expect_out(c.w, "REGISTER"), 200, NULL);
	world_settle(c.w);
	world_expect_subscriber_changed(c.wu, SUBSCRIBER_CHANGE_STATE);
	world_expect_subscriber_removed(c.wu, "endpoint closed", ORIGIN_LOCAL);
	ck_assert_uint_eq(world_count_news(c.wu, WORLD_REMOVED), 1);
	world_run(c.w, 64 * TIMER_T1);
	world_expect_idle(c.wu);
	world_free(c.w);
	free(c.to_tag);
	free(c.text);
}
END_TEST

RUN_TESTS("subscriber", rfc6665_4_2_1_accepted, rfc6665_4_2_1_1_expires, rfc6665_4_2_1_1_rejected,
	rfc6665_4_2_1_1_nobody, refused_at_once, rfc6665_4_2_1_1_too_brief, rfc6665_4_4_3_fetch,
	rfc6665_4_2_1_3_pending, rfc6665_4_2_1_3_pending_is_rejected, rfc6665_4_2_1_4_refresh,
	endpoint_closes)
