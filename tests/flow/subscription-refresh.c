/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a subscription says while it lasts, and who is told how much at a time (RFC 6665, RFC 5839).
 */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>

#include "protocol/base/err.h"
#include "protocol/ua/limits.h"
#include "tests/flow/watch.h"
#include "tests/support/run.h"

static void expect_condition(const struct msg *m, const char *value)
{
	struct slice found = msg_header_named(m, SLICE("Suppress-If-Match"));

	ck_assert_msg(slice_eq(found, slice_str(value)), "'%.*s', not '%s'", SLICE_ARGS(found),
		value ? value : "");
}

/* 4.1.3: what NOTIFY says of the duration counts. */
START_TEST(rfc6665_4_1_3_expires)
{
	struct watch w;
	usec_t begun;

	watch_scene(&w);
	watch_active(&w, "presence", 3600);
	watch_expect(&w, "active;expires=100", "200");
	begun = world_now(w.c.w);
	(void)watch_refresh(&w, 100 * SEC);
	ck_assert_uint_le(world_now(w.c.w) - begun, 70 * SEC);
	subscription_free(w.s);
	world_run(w.c.w, 33 * SEC);
	(void)world_skip_out(w.c.w);
	watch_leave(&w);
}
END_TEST

/* RFC 3265 3.2.2 let NOTIFY leave it out; the 2xx has it, before or after. */
START_TEST(rfc3265_no_expires_in_notify)
{
	struct watch w;
	const struct msg *m;

	watch_scene(&w);
	m = watch_event(&w, "presence", 3600);
	watch_expect(&w, "active", "200");
	world_reply(w.c.w, m, 202, "Contact: " WATCH_CONTACT "\nExpires: 100\n");
	world_settle(w.c.w);
	(void)watch_refresh(&w, 100 * SEC);
	subscription_free(w.s);
	world_run(w.c.w, 33 * SEC);
	(void)world_skip_out(w.c.w);
	watch_leave(&w);
}
END_TEST

START_TEST(one_at_a_time)
{
	struct watch w;
	const struct msg *m;

	watch_scene(&w);
	watch_active(&w, "presence", 600);
	ck_assert_int_eq(subscription_refresh(w.s, 0), -EINVAL);
	ck_assert_int_eq(subscription_refresh(w.s, 700), 0);
	ck_assert_int_eq(subscription_refresh(w.s, 800), 0);
	ck_assert_int_eq(
		subscription_update(w.s, SLICE("text/filter"), SLICE("only the weather")), 0);
	ck_assert_int_eq(subscription_update(w.s, SLICE_NULL, SLICE("what")), -EINVAL);
	m = watch_refresh(&w, 0);
	call_expect_header(m, HDR_EXPIRES, "700");
	ck_assert_uint_eq(m->body.n, 0);
	watch_grant(&w, m, 700);
	m = watch_refresh(&w, 0);
	call_expect_header(m, HDR_EXPIRES, "800");
	ck_assert(slice_eq(m->body, SLICE("only the weather")));
	/* The end follows as well, whatever becomes of this one. */
	subscription_end(w.s);
	ck_assert_int_eq(subscription_refresh(w.s, 60), -ESTALE);
	ck_assert_int_eq(subscription_update(w.s, SLICE("a/b"), SLICE("c")), -ESTALE);
	world_reply(w.c.w, m, 500, NULL);
	m = watch_refresh(&w, 0);
	call_expect_header(m, HDR_EXPIRES, "0");
	/* A NOTIFY that crosses it is no last word. */
	watch_expect(&w, "active;expires=700", "200");
	ck_assert_uint_eq(w.n_terminated, 0);
	watch_grant(&w, m, 0);
	watch_expect(&w, "terminated;reason=timeout", "200");
	watch_ended(&w, "unsubscribed");
	watch_leave(&w);
}
END_TEST

/* What is wanted before anybody has answered is said when somebody has. */
START_TEST(changed_before_the_dialog)
{
	struct watch w;
	const struct msg *m;

	watch_scene(&w);
	m = watch_event(&w, "presence", 600);
	ck_assert_int_eq(subscription_refresh(w.s, 900), 0);
	watch_grant(&w, m, 600);
	watch_expect(&w, "active;expires=600", "200");
	m = watch_refresh(&w, 0);
	call_expect_header(m, HDR_EXPIRES, "900");
	watch_grant(&w, m, 900);
	subscription_free(w.s);
	watch_leave(&w);
}
END_TEST

START_TEST(ended_before_the_dialog)
{
	struct watch w;
	const struct msg *m;

	watch_scene(&w);
	m = watch_event(&w, "presence", 600);
	subscription_end(w.s);
	watch_grant(&w, m, 600);
	ck_assert_uint_eq(w.n_terminated, 0);
	watch_expect(&w, "active;expires=600", "200");
	m = watch_refresh(&w, 0);
	call_expect_header(m, HDR_EXPIRES, "0");
	/* 481: it is as good as gone. */
	world_reply(w.c.w, m, 481, NULL);
	watch_ended(&w, "unsubscribed");
	watch_leave(&w);
}
END_TEST

START_TEST(ended_without_last_word)
{
	struct watch w;

	watch_scene(&w);
	watch_active(&w, "presence", 600);
	subscription_end(w.s);
	watch_grant(&w, watch_refresh(&w, 0), 0);
	world_run(w.c.w, 33 * SEC);
	watch_ended(&w, "unsubscribed");
	watch_leave(&w);
}
END_TEST

/* A NOTIFY that crosses the end is none, and the last word is waited for as if it had not come. */
START_TEST(rfc6665_4_1_2_3_crossed)
{
	struct watch w;
	const struct msg *m;

	watch_scene(&w);
	watch_active(&w, "presence", 600);
	subscription_end(w.s);
	m = watch_refresh(&w, 0);
	watch_expect(&w, "active;expires=600", "200");
	watch_grant(&w, m, 0);
	world_run(w.c.w, 65 * TIMER_T1);
	watch_ended(&w, "unsubscribed");
	watch_leave(&w);
}
END_TEST

/* The notifier shortens it to less than the refresh takes, which is granted all the same. */
START_TEST(rfc6665_4_1_2_2_granted_late)
{
	struct watch w;
	const struct msg *m;

	watch_scene(&w);
	watch_active(&w, "presence", 600);
	m = watch_refresh(&w, 600 * SEC);
	watch_expect(&w, "active;expires=1", "200");
	world_run(w.c.w, 3 * SEC);
	(void)world_skip_out(w.c.w);
	watch_grant(&w, m, 600);
	ck_assert_uint_eq(subscription_expires(w.s), w.c.wu->ua->timers.now + 600 * SEC);
	(void)watch_refresh(&w, 600 * SEC);
	subscription_free(w.s);
	world_run(w.c.w, 33 * SEC);
	(void)world_skip_out(w.c.w);
	watch_leave(&w);
}
END_TEST

/* What was granted to the last attempt says nothing of this one. */
START_TEST(rfc3265_no_expires_in_the_next)
{
	struct watch w;
	const struct msg *m;

	watch_scene(&w);
	watch_active(&w, "presence", 600);
	watch_expect(&w, "terminated;reason=deactivated", "200");
	m = watch_again(&w, SEC);
	watch_expect(&w, "active", "200");
	watch_grant(&w, m, 100);
	ck_assert_uint_eq(subscription_expires(w.s), w.c.wu->ua->timers.now + 100 * SEC);
	subscription_free(w.s);
	watch_leave(&w);
}
END_TEST

/* ---- RFC 5839 ---- */

START_TEST(rfc5839_5_6_refresh)
{
	struct watch w;
	const struct msg *m;

	watch_scene(&w);
	watch_grant(&w, watch_event(&w, "presence", 600), 600);
	watch_notify(&w, "bob", "active;expires=600", "SIP-ETag: aba91\n" WATCH_TUPLE);
	(void)world_expect_out(w.c.w, "200");
	for (unsigned i = 0; i < 2; i++) {
		m = watch_refresh(&w, 600 * SEC);
		expect_condition(m, "aba91");
		world_reply(w.c.w, m, 204, "Contact: " WATCH_CONTACT "\nExpires: 600\n");
		world_run(w.c.w, 65 * SEC);
		ck_assert_uint_eq(subscription_state(w.s), SUBSCRIPTION_ACTIVE);
	}
	ck_assert_uint_eq(w.n_notified, 1);
	/* Who asks now is told all. */
	ck_assert_int_eq(subscription_refresh(w.s, 600), 0);
	m = watch_refresh(&w, 0);
	expect_condition(m, NULL);
	watch_grant(&w, m, 600);
	watch_notify(&w, "bob", "active;expires=600", "SIP-ETag: aba92\n" WATCH_TUPLE);
	(void)world_expect_out(w.c.w, "200");
	ck_assert_uint_eq(w.n_notified, 2);
	/* 5.7 */
	subscription_end(w.s);
	m = watch_refresh(&w, 0);
	expect_condition(m, "*");
	world_reply(w.c.w, m, 204, NULL);
	watch_ended(&w, "unsubscribed");
	watch_leave(&w);
}
END_TEST

/* It expired while its end was under way. */
START_TEST(rfc5839_5_7_expired)
{
	struct watch w;
	const struct msg *m;

	watch_scene(&w);
	watch_active(&w, "presence", 600);
	watch_expect(&w, "active;expires=1", "200");
	subscription_end(w.s);
	m = watch_refresh(&w, 0);
	world_run(w.c.w, 3 * SEC);
	(void)world_skip_out(w.c.w);
	world_reply(w.c.w, m, 204, NULL);
	watch_ended(&w, "unsubscribed");
	watch_leave(&w);
}
END_TEST

/* The next dialog goes on from where the last one was. */
START_TEST(rfc5839_5_5_resumed)
{
	struct watch w;
	const struct msg *m;

	watch_scene(&w);
	watch_grant(&w, watch_event(&w, "presence", 600), 600);
	watch_notify(&w, "bob", "active;expires=600", "SIP-ETag: ega23\n" WATCH_TUPLE);
	(void)world_expect_out(w.c.w, "200");
	watch_notify(&w, "bob", "terminated;reason=deactivated", WATCH_EMPTY);
	(void)world_expect_out(w.c.w, "200");
	m = watch_again(&w, SEC);
	expect_condition(m, "ega23");
	watch_grant(&w, m, 600);
	watch_notify(&w, "bob", "active;expires=600", "SIP-ETag: ega23\n" WATCH_EMPTY);
	(void)world_expect_out(w.c.w, "200");
	ck_assert_uint_eq(w.n_notified, 1);
	ck_assert_uint_eq(subscription_state(w.s), SUBSCRIPTION_ACTIVE);
	subscription_free(w.s);
	watch_leave(&w);
}
END_TEST

static void know(struct watch *w)
{
	watch_grant(w, watch_event(w, "presence", 600), 600);
	watch_notify(w, "bob", "active;expires=600", "SIP-ETag: ega23\n" WATCH_TUPLE);
	(void)world_expect_out(w->c.w, "200");
}

static void want_else(struct watch *w)
{
	ck_assert_int_eq(subscription_update(w->s, SLICE("a/filter"), SLICE("else")), 0);
}

static void expect_whole(struct watch *w, const struct msg *m)
{
	ck_assert(slice_eq(m->body, SLICE("else")));
	expect_condition(m, NULL);
	subscription_free(w->s);
	world_run(w->c.w, 33 * SEC);
	(void)world_skip_out(w->c.w);
	watch_leave(w);
}

/* What is known is the state that another filter let through. */
START_TEST(rfc5839_5_5_other_wish)
{
	struct watch w;

	/* It is tried again later, and something else is wanted until then. */
	watch_scene(&w);
	know(&w);
	watch_notify(&w, "bob", "terminated;reason=probation", WATCH_EMPTY);
	(void)world_expect_out(w.c.w, "200");
	want_else(&w);
	expect_whole(&w, watch_again(&w, SEC));
	/* The notifier has forgotten us when it is told. */
	watch_scene(&w);
	know(&w);
	want_else(&w);
	world_reply(w.c.w, watch_refresh(&w, 0), 481, NULL);
	expect_whole(&w, watch_again(&w, SEC));
	/* The end comes before it could be told. */
	watch_scene(&w);
	know(&w);
	(void)watch_refresh(&w, 600 * SEC);
	want_else(&w);
	watch_notify(&w, "bob", "terminated;reason=deactivated", WATCH_EMPTY);
	(void)world_expect_out(w.c.w, "200");
	expect_whole(&w, watch_again(&w, SEC));
	/* It is told once more, for another reason. */
	watch_scene(&w);
	know(&w);
	want_else(&w);
	world_reply(w.c.w, watch_refresh(&w, 0), 423, "Min-Expires: 900\n");
	expect_whole(&w, watch_refresh(&w, 0));
}
END_TEST

/* 5.8: somebody between does not understand, and is not asked to again. */
START_TEST(rfc5839_5_8_fall_back)
{
	struct watch w;
	const struct msg *m;

	watch_scene(&w);
	watch_grant(&w, watch_event(&w, "presence", 600), 600);
	watch_notify(&w, "bob", "active;expires=600", "SIP-ETag: x\n" WATCH_TUPLE);
	(void)world_expect_out(w.c.w, "200");
	m = watch_refresh(&w, 600 * SEC);
	expect_condition(m, "x");
	world_reply(w.c.w, m, 500, NULL);
	m = watch_refresh(&w, 100 * SEC);
	expect_condition(m, NULL);
	watch_grant(&w, m, 600);
	subscription_free(w.s);
	watch_leave(&w);
}
END_TEST

/* ---- many ---- */

static void ignore(void *owner, struct subscription *s)
{
	(void)owner;
	(void)s;
}

static void ignore_end(void *owner, struct subscription *s, const struct subscription_end *end)
{
	(void)s;
	(void)end;
	++*(unsigned *)owner;
}

static void ignore_state(void *owner, struct subscription *s, const struct msg *m)
{
	(void)owner;
	(void)s;
	(void)m;
}

static const struct subscription_ops quiet = {
	.notified = ignore_state, .changed = ignore, .terminated = ignore_end
};

START_TEST(limits_subscribes_per_endpoint)
{
	struct subscription_spec spec = {
		.target = SLICE("sip:bob@example.com"), .event = SLICE("presence"), .expires = 600
	};
	struct watch w;
	unsigned n_ended = 0;
	struct subscription *s;

	watch_scene(&w);
	world_hush(w.c.w);
	for (unsigned i = 0; i < LIMITS_SUBSCRIBES_PER_ENDPOINT + 2; i++)
		ck_assert_int_eq(subscription_new(w.c.ep, &spec, &quiet, &n_ended, &s), 0);
	ck_assert_uint_eq(w.c.ep->n_requests, LIMITS_SUBSCRIBES_PER_ENDPOINT);
	/* Each that is answered lets the next one go. */
	for (unsigned i = 0; i < LIMITS_SUBSCRIBES_PER_ENDPOINT + 2; i++)
		world_reply(w.c.w, world_wait_out(w.c.w, "SUBSCRIBE", SEC / 10), 403, NULL);
	world_settle(w.c.w);
	ck_assert_uint_eq(n_ended, LIMITS_SUBSCRIBES_PER_ENDPOINT + 2);
	watch_leave(&w);
}
END_TEST

START_TEST(limits_subscriptions_per_endpoint)
{
	struct subscription_spec spec = {
		.target = SLICE("sip:bob@example.com"), .event = SLICE("presence"), .expires = 600
	};
	struct watch w;
	unsigned n_ended = 0;
	struct subscription *s;

	watch_scene(&w);
	world_hush(w.c.w);
	for (unsigned i = 0; i < LIMITS_SUBSCRIPTIONS_PER_ENDPOINT; i++)
		ck_assert_int_eq(subscription_new(w.c.ep, &spec, &quiet, &n_ended, &s), 0);
	ck_assert_int_eq(subscription_new(w.c.ep, &spec, &quiet, &n_ended, &s), -ENOSPC);
	endpoint_close(w.c.ep);
	world_run(w.c.w, 64 * SEC);
	ck_assert_uint_eq(n_ended, LIMITS_SUBSCRIPTIONS_PER_ENDPOINT);
	(void)world_skip_out(w.c.w);
	world_expect_idle(w.c.wu);
	world_free(w.c.w);
}
END_TEST

RUN_TESTS("subscription-refresh", rfc6665_4_1_3_expires, rfc3265_no_expires_in_notify,
	one_at_a_time, changed_before_the_dialog, ended_before_the_dialog, ended_without_last_word,
	rfc6665_4_1_2_3_crossed, rfc6665_4_1_2_2_granted_late, rfc3265_no_expires_in_the_next,
	rfc5839_5_6_refresh, rfc5839_5_7_expired, rfc5839_5_5_resumed, rfc5839_5_5_other_wish,
	rfc5839_5_8_fall_back, limits_subscribes_per_endpoint, limits_subscriptions_per_endpoint)
