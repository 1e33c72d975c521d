/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What comes after: the end of a dialog, a refusal, silence (RFC 6665 4.1.2.2, 4.1.3). */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>

#include "protocol/base/err.h"
#include "protocol/ua/limits.h"
#include "tests/flow/watch.h"
#include "tests/support/run.h"

enum sequel { NEVER, AT_ONCE, LATER };

static void expect_sequel(struct watch *w, enum sequel sequel, usec_t least)
{
	usec_t now = w->c.wu->ua->timers.now;

	world_settle(w->c.w);
	switch (sequel) {
	case NEVER:
		ck_assert_uint_eq(w->n_terminated, 1);
		break;
	case AT_ONCE:
		ck_assert_uint_eq(subscription_state(w->s), SUBSCRIPTION_PENDING);
		world_reply(w->c.w, watch_again(w, SEC), 489, NULL);
		watch_ended(w, "Bad Event");
		break;
	case LATER:
		ck_assert_uint_eq(subscription_state(w->s), SUBSCRIPTION_WAITING);
		ck_assert_uint_ge(subscription_next_attempt(w->s), now + least);
		world_reply(w->c.w, watch_again(w, 2 * least + 90 * SEC), 489, NULL);
		watch_ended(w, "Bad Event");
		break;
	}
}

START_TEST(rfc6665_4_1_3_reasons)
{
	static const struct {
		const char *state;
		enum sequel sequel;
		unsigned least;
	} rows[] = {
		{ "terminated;reason=deactivated", AT_ONCE, 0 },
		{ "terminated;reason=deactivated;retry-after=1000", AT_ONCE, 0 },
		{ "terminated;reason=timeout", AT_ONCE, 0 },
		{ "terminated;reason=probation", LATER, 1 },
		{ "terminated;reason=probation;retry-after=1000", LATER, 1000 },
		{ "terminated;reason=giveup", LATER, 1 },
		{ "terminated;reason=giveup;retry-after=2000", LATER, 2000 },
		{ "terminated;reason=rejected", NEVER, 0 },
		{ "terminated;reason=rejected;retry-after=1000", NEVER, 0 },
		{ "terminated;reason=noresource;retry-after=1000", NEVER, 0 },
		{ "terminated;reason=invariant;retry-after=1000", NEVER, 0 },
		{ "terminated", LATER, 1 },
		{ "terminated;retry-after=500", LATER, 500 },
		{ "terminated;reason=sunset;retry-after=500", LATER, 500 },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct watch w;

		watch_scene(&w);
		watch_active(&w, "presence", 600);
		watch_expect(&w, rows[i].state, "200");
		expect_sequel(&w, rows[i].sequel, rows[i].least * SEC);
		watch_leave(&w);
	}
}
END_TEST

START_TEST(refusals)
{
	static const struct {
		unsigned status;
		const char *headers;
		enum sequel sequel;
		unsigned least;
	} rows[] = {
		{ 403, NULL, NEVER, 0 },
		{ 403, "Retry-After: 10\n", NEVER, 0 },
		{ 404, NULL, NEVER, 0 },
		{ 406, NULL, NEVER, 0 },
		{ 489, NULL, NEVER, 0 },
		{ 501, NULL, NEVER, 0 },
		{ 603, NULL, NEVER, 0 },
		{ 480, NULL, LATER, 10 },
		{ 480, "Retry-After: 600\n", LATER, 600 },
		{ 500, NULL, LATER, 10 },
		{ 503, "Retry-After: 300 (maintenance)\n", LATER, 300 },
		{ 600, NULL, LATER, 10 },
		/* RFC 3261 21.4.17: there is nothing to be obeyed */
		{ 423, NULL, NEVER, 0 },
		{ 423, "Min-Expires: 10\n", NEVER, 0 },
		{ 423, "Min-Expires: 999999999\n", NEVER, 0 },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct watch w;

		watch_scene(&w);
		world_reply(
			w.c.w, watch_event(&w, "presence", 600), rows[i].status, rows[i].headers);
		world_settle(w.c.w);
		if (rows[i].sequel == NEVER)
			ck_assert_uint_eq(w.status, rows[i].status);
		expect_sequel(&w, rows[i].sequel, rows[i].least * SEC);
		watch_leave(&w);
	}
}
END_TEST

START_TEST(rfc6665_4_2_1_1_interval_too_brief)
{
	struct watch w;
	const struct msg *m;

	watch_scene(&w);
	world_reply(w.c.w, watch_event(&w, "presence", 30), 423, "Min-Expires: 120\n");
	m = world_expect_out(w.c.w, "SUBSCRIBE");
	call_expect_header(m, HDR_EXPIRES, "120");
	watch_grant(&w, m, 120);
	watch_expect(&w, "active;expires=120", "200");
	m = watch_refresh(&w, 120 * SEC);
	call_expect_header(m, HDR_EXPIRES, "120");
	world_reply(w.c.w, m, 423, "Min-Expires: 300\n");
	m = watch_refresh(&w, 0);
	call_expect_header(m, HDR_EXPIRES, "300");
	/* Once is enough: until it expires the old one stands. */
	world_reply(w.c.w, m, 423, "Min-Expires: 600\n");
	world_settle(w.c.w);
	ck_assert_uint_eq(subscription_state(w.s), SUBSCRIPTION_ACTIVE);
	subscription_free(w.s);
	watch_leave(&w);
}
END_TEST

START_TEST(rfc6665_4_1_2_4_timer_n)
{
	struct watch w;

	watch_scene(&w);
	watch_grant(&w, watch_event(&w, "presence", 600), 600);
	world_run(w.c.w, 31 * SEC);
	ck_assert_uint_eq(subscription_state(w.s), SUBSCRIPTION_PENDING);
	world_run(w.c.w, 2 * SEC);
	ck_assert_uint_eq(subscription_state(w.s), SUBSCRIPTION_WAITING);
	watch_expect(&w, "active;expires=600", "481");
	/* Somebody means now. */
	ck_assert_int_eq(subscription_refresh(w.s, 300), 0);
	call_expect_header(watch_again(&w, 0), HDR_EXPIRES, "300");
	subscription_free(w.s);
	world_run(w.c.w, 33 * SEC);
	(void)world_skip_out(w.c.w);
	watch_leave(&w);
}
END_TEST

START_TEST(fetch_without_answer)
{
	struct watch w;

	watch_scene(&w);
	watch_grant(&w, watch_event(&w, "presence", 0), 0);
	world_run(w.c.w, 33 * SEC);
	watch_ended(&w, "no NOTIFY came");
	ck_assert_uint_eq(w.origin, ORIGIN_TIMEOUT);
	watch_leave(&w);
}
END_TEST

/* A notifier that ends each new one at once is not asked as fast as it answers. */
START_TEST(no_storm)
{
	struct watch w;
	unsigned n = 0;

	watch_scene(&w);
	watch_active(&w, "presence", 600);
	watch_expect(&w, "terminated;reason=deactivated", "200");
	watch_grant(&w, watch_again(&w, SEC), 600);
	watch_expect(&w, "terminated;reason=deactivated", "200");
	while (world_now(w.c.w) < 3600 * SEC) {
		ck_assert_uint_eq(subscription_state(w.s), SUBSCRIPTION_WAITING);
		watch_grant(&w, watch_again(&w, 1801 * SEC), 600);
		watch_expect(&w, "terminated;reason=deactivated", "200");
		n++;
	}
	ck_assert_uint_le(n, 12);
	subscription_end(w.s);
	watch_ended(&w, "unsubscribed");
	watch_leave(&w);
}
END_TEST

/* 4.1.2.2: these say that it is no more, others nothing of it. */
START_TEST(rfc6665_4_1_2_2_refused_refresh)
{
	static const struct {
		unsigned status;
		const char *headers;
		enum sequel sequel;
	} rows[] = {
		{ 404, NULL, AT_ONCE },
		{ 405, NULL, AT_ONCE },
		{ 410, NULL, AT_ONCE },
		{ 480, NULL, AT_ONCE },
		{ 481, NULL, AT_ONCE },
		{ 489, NULL, NEVER },
		{ 501, NULL, AT_ONCE },
		{ 604, NULL, AT_ONCE },
		{ 403, NULL, LATER },
		{ 408, NULL, LATER },
		{ 500, NULL, LATER },
		{ 503, "Retry-After: 2000\n", LATER },
		{ 603, NULL, LATER },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct watch w;
		usec_t expires;

		watch_scene(&w);
		watch_active(&w, "presence", 600);
		world_reply(w.c.w, watch_refresh(&w, 600 * SEC), rows[i].status, rows[i].headers);
		world_settle(w.c.w);
		if (rows[i].sequel != LATER) {
			expect_sequel(&w, rows[i].sequel, 0);
			watch_leave(&w);
			continue;
		}
		/* It is as good as before, and NOTIFYs are heard. */
		expires = subscription_expires(w.s);
		ck_assert_uint_gt(expires, w.c.wu->ua->timers.now);
		ck_assert_uint_eq(subscription_state(w.s), SUBSCRIPTION_ACTIVE);
		watch_notify(&w, "bob", "active", WATCH_TUPLE);
		(void)world_expect_out(w.c.w, "200");
		ck_assert_uint_eq(subscription_expires(w.s), expires);
		subscription_free(w.s);
		watch_leave(&w);
	}
}
END_TEST

/* What asks to be left alone is, beyond the end of what it granted. */
START_TEST(rfc3261_20_33_retry_after)
{
	struct watch w;
	usec_t then;

	watch_scene(&w);
	watch_active(&w, "presence", 600);
	world_reply(w.c.w, watch_refresh(&w, 600 * SEC), 500, "Retry-After: 2000\n");
	then = world_now(w.c.w) + 2000 * SEC;
	world_run(w.c.w, 600 * SEC);
	ck_assert_uint_eq(subscription_state(w.s), SUBSCRIPTION_WAITING);
	world_reply(w.c.w, watch_again(&w, 2000 * SEC), 403, NULL);
	ck_assert_uint_ge(world_now(w.c.w), then);
	watch_ended(&w, "Forbidden");
	watch_leave(&w);
}
END_TEST

/* Nobody answers: it is refused by nobody, and asked for anew when it is over. */
START_TEST(rfc5057_5_2_silence)
{
	struct watch w;

	watch_scene(&w);
	watch_active(&w, "presence", 600);
	(void)watch_refresh(&w, 600 * SEC);
	world_run(w.c.w, 33 * SEC);
	(void)world_skip_out(w.c.w);
	ck_assert_uint_eq(subscription_state(w.s), SUBSCRIPTION_ACTIVE);
	while (subscription_dialogs(w.s))
		world_run(w.c.w, SEC);
	(void)world_skip_out(w.c.w);
	ck_assert_uint_le(world_now(w.c.w), 640 * SEC);
	ck_assert_uint_eq(w.n_terminated, 0);
	subscription_free(w.s);
	world_run(w.c.w, 64 * SEC);
	(void)world_skip_out(w.c.w);
	watch_leave(&w);
}
END_TEST

/* 4.1.2.2: granted, but never a NOTIFY. */
START_TEST(rfc6665_4_1_2_2_timer_n)
{
	struct watch w;

	watch_scene(&w);
	watch_active(&w, "presence", 600);
	watch_grant(&w, watch_refresh(&w, 600 * SEC), 600);
	world_run(w.c.w, 31 * SEC);
	ck_assert_uint_eq(subscription_dialogs(w.s), 1);
	world_reply(w.c.w, watch_again(&w, 2 * SEC), 489, NULL);
	watch_ended(&w, "Bad Event");
	watch_leave(&w);
}
END_TEST

RUN_TESTS("subscription-retry", rfc6665_4_1_3_reasons, refusals, rfc6665_4_2_1_1_interval_too_brief,
	rfc6665_4_1_2_4_timer_n, fetch_without_answer, no_storm, rfc6665_4_1_2_2_refused_refresh,
	rfc3261_20_33_retry_after, rfc5057_5_2_silence, rfc6665_4_1_2_2_timer_n)
