/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* One subscription of ours in one dialog, from the wish to its end (RFC 6665 section 4.1). */
#include "protocol/ua/subscription.h"

#include <check.h>
#include <stdlib.h>

#include "protocol/base/err.h"
#include "protocol/ua/limits.h"
#include "tests/flow/watch.h"
#include "tests/support/run.h"

START_TEST(rfc6665_4_1_2_1_request)
{
	static const struct request_header headers[] = { { SLICE_INIT("Priority"),
		SLICE_INIT("urgent") } };
	struct subscription_spec spec = {
		.target = SLICE("sip:bob@example.com"),
		.event = SLICE("presence;id=7"),
		.expires = 3600,
		.accept = SLICE("application/pidf+xml"),
		.content_type = SLICE("application/simple-filter+xml"),
		.body = SLICE("<filter/>"),
		.headers = headers,
		.n_headers = 1,
	};
	struct watch w;
	const struct msg *m;

	watch_scene(&w);
	m = watch_subscribe(&w, &spec);
	ck_assert(slice_eq(m->request_uri, SLICE("sip:bob@example.com")));
	call_expect_header(m, HDR_EVENT, "presence;id=7");
	call_expect_header(m, HDR_EXPIRES, "3600");
	call_expect_header(m, HDR_ACCEPT, "application/pidf+xml");
	call_expect_header(m, HDR_PRIORITY, "urgent");
	ck_assert(m->contact.uri.text.n > 0);
	ck_assert(slice_eq(m->content_type, SLICE("application/simple-filter+xml")));
	ck_assert(slice_eq(m->body, SLICE("<filter/>")));
	world_reply(w.c.w, m, 489, NULL);
	watch_ended(&w, "Bad Event");
	watch_leave(&w);
}
END_TEST

START_TEST(rfc6665_4_1_3_states)
{
	struct watch w;

	watch_scene(&w);
	watch_grant(&w, watch_event(&w, "presence", 600), 600);
	ck_assert_uint_eq(subscription_dialogs(w.s), 0);
	watch_expect(&w, "pending;expires=600", "200");
	ck_assert_uint_eq(subscription_state(w.s), SUBSCRIPTION_PENDING);
	ck_assert_uint_eq(subscription_dialogs(w.s), 1);
	ck_assert_uint_eq(w.n_notified, 1);
	ck_assert_str_eq(w.body, "state");
	watch_expect(&w, "active;expires=599", "200");
	ck_assert_uint_eq(subscription_state(w.s), SUBSCRIPTION_ACTIVE);
	ck_assert_uint_eq(w.n_notified, 2);
	watch_expect(&w, "terminated;reason=noresource", "200");
	watch_ended(&w, "noresource");
	ck_assert_uint_eq(w.n_notified, 3);
	ck_assert_uint_eq(w.origin, ORIGIN_REMOTE);
	watch_leave(&w);
}
END_TEST

/* The NOTIFY overtakes the answer, makes the dialog, and the answer changes nothing any more. */
START_TEST(rfc6665_4_1_2_4_notify_first)
{
	struct watch w;
	const struct msg *m;

	watch_scene(&w);
	m = watch_event(&w, "presence", 600);
	watch_expect(&w, "active;expires=300", "200");
	ck_assert_uint_eq(subscription_state(w.s), SUBSCRIPTION_ACTIVE);
	watch_grant(&w, m, 600);
	ck_assert_uint_le(subscription_expires(w.s), w.c.wu->ua->timers.now + 300 * SEC);
	ck_assert_uint_eq(w.n_notified, 1);
	watch_expect(&w, "terminated;reason=rejected", "200");
	watch_ended(&w, "rejected");
	watch_leave(&w);
}
END_TEST

START_TEST(rfc6665_4_1_2_2_refresh)
{
	struct watch w;
	usec_t begun;

	watch_scene(&w);
	watch_active(&w, "presence", 600);
	for (unsigned i = 0; i < 3; i++) {
		const struct msg *m;

		begun = world_now(w.c.w);
		m = watch_refresh(&w, 600 * SEC);
		/* Early enough to be repeated (backoff.h). */
		ck_assert_uint_ge(world_now(w.c.w) - begun, 350 * SEC);
		ck_assert_uint_le(world_now(w.c.w) - begun, 541 * SEC);
		call_expect_header(m, HDR_EVENT, "presence");
		call_expect_header(m, HDR_EXPIRES, "600");
		watch_grant(&w, m, 600);
		watch_expect(&w, "active;expires=600", "200");
		ck_assert_uint_eq(subscription_state(w.s), SUBSCRIPTION_ACTIVE);
	}
	subscription_free(w.s);
	watch_leave(&w);
}
END_TEST

START_TEST(rfc6665_4_1_2_3_unsubscribe)
{
	struct watch w;
	const struct msg *m;

	watch_scene(&w);
	watch_active(&w, "presence", 600);
	subscription_end(w.s);
	m = watch_refresh(&w, 0);
	call_expect_header(m, HDR_EXPIRES, "0");
	watch_grant(&w, m, 0);
	ck_assert_uint_eq(w.n_terminated, 0);
	watch_notify(&w, "bob", "terminated;reason=timeout", WATCH_EMPTY);
	(void)world_expect_out(w.c.w, "200");
	watch_ended(&w, "unsubscribed");
	/* The last NOTIFY had no state, so the one told before stands. */
	ck_assert_uint_eq(w.n_notified, 1);
	ck_assert_uint_eq(w.origin, ORIGIN_LOCAL);
	watch_leave(&w);
}
END_TEST

START_TEST(rfc6665_4_4_3_fetch)
{
	struct watch w;

	watch_scene(&w);
	watch_grant(&w, watch_event(&w, "presence", 0), 0);
	ck_assert_int_eq(subscription_refresh(w.s, 60), -ESTALE);
	watch_expect(&w, "terminated;reason=timeout", "200");
	watch_ended(&w, "timeout");
	ck_assert_uint_eq(w.n_notified, 1);
	watch_leave(&w);
}
END_TEST

START_TEST(refused)
{
	struct watch w;

	watch_scene(&w);
	world_reply(w.c.w, watch_event(&w, "presence", 600), 403, NULL);
	watch_ended(&w, "Forbidden");
	ck_assert_uint_eq(w.status, 403);
	watch_leave(&w);
}
END_TEST

START_TEST(peers_do_not_subscribe)
{
	struct call c = call_scene();
	struct subscription_spec spec = {
		.target = SLICE("sip:bob@192.0.2.20"), .event = SLICE("presence"), .expires = 60
	};
	struct subscription *s;

	ck_assert_int_eq(subscription_new(c.ep, &spec, NULL, NULL, &s), -EOPNOTSUPP);
	call_leave(&c);
}
END_TEST

/* The notifier is told, and its last word waited for. */
START_TEST(endpoint_closes)
{
	struct watch w;
	const struct msg *m;

	watch_scene(&w);
	watch_active(&w, "presence", 600);
	endpoint_close(w.c.ep);
	m = watch_refresh(&w, 0);
	call_expect_header(m, HDR_EXPIRES, "0");
	watch_grant(&w, m, 0);
	watch_expect(&w, "terminated;reason=timeout", "200");
	watch_ended(&w, "unsubscribed");
	world_run(w.c.w, 65 * TIMER_T1);
	world_expect_idle(w.c.wu);
	world_free(w.c.w);
}
END_TEST

/* Nobody answers: the end comes all the same, within 64*T1. */
START_TEST(endpoint_closes_unheard)
{
	struct watch w;

	watch_scene(&w);
	watch_active(&w, "presence", 600);
	endpoint_close(w.c.ep);
	world_run(w.c.w, 65 * TIMER_T1);
	ck_assert_uint_eq(w.n_terminated, 1);
	(void)world_skip_out(w.c.w);
	world_expect_idle(w.c.wu);
	world_free(w.c.w);
}
END_TEST

START_TEST(freed_in_its_callback)
{
	struct watch w;

	watch_scene(&w);
	w.frees = true;
	watch_grant(&w, watch_event(&w, "presence", 600), 600);
	watch_expect(&w, "active;expires=600", "200");
	ck_assert_ptr_null(w.s);
	watch_expect(&w, "active;expires=600", "481");
	watch_leave(&w);
}
END_TEST

RUN_TESTS("subscription", rfc6665_4_1_2_1_request, rfc6665_4_1_3_states,
	rfc6665_4_1_2_4_notify_first, rfc6665_4_1_2_2_refresh, rfc6665_4_1_2_3_unsubscribe,
	rfc6665_4_4_3_fetch, refused, peers_do_not_subscribe, endpoint_closes,
	endpoint_closes_unheard, freed_in_its_callback)
