/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A SUBSCRIBE that several notifiers answer, and NOTIFYs as they come (RFC 6665 4.1.3 to 4.1.4). */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>

#include "protocol/ua/limits.h"
#include "tests/flow/watch.h"
#include "tests/support/run.h"

static void hear(struct watch *w, const char *tag, const char *state, const char *answer)
{
	watch_notify(w, tag, state, WATCH_TUPLE);
	(void)world_expect_out(w->c.w, answer);
}

/* Each has its own expiry, its own refresh and its own end. */
START_TEST(rfc3842_3_10_several)
{
	struct watch w;

	watch_scene(&w);
	watch_grant(&w, watch_event(&w, "message-summary", 6000), 6000);
	hear(&w, "a", "active;expires=6000", "200");
	hear(&w, "b", "pending;expires=300", "200");
	ck_assert_uint_eq(subscription_dialogs(w.s), 2);
	ck_assert_uint_eq(subscription_state(w.s), SUBSCRIPTION_ACTIVE);
	watch_grant(&w, watch_refresh(&w, 300 * SEC), 300);
	hear(&w, "b", "active;expires=300", "200");
	hear(&w, "a", "terminated;reason=noresource", "200");
	ck_assert_uint_eq(w.n_terminated, 0);
	ck_assert_uint_eq(subscription_dialogs(w.s), 1);
	hear(&w, "b", "terminated;reason=rejected", "200");
	watch_ended(&w, "rejected");
	ck_assert_uint_eq(w.n_notified, 5);
	watch_leave(&w);
}
END_TEST

START_TEST(rfc3856_6_9_one_dialog)
{
	static const char *const events[] = { "presence", "reg", "conference", "xcap-diff" };

	for (size_t i = 0; i < ARRAY_LEN(events); i++) {
		struct watch w;

		watch_scene(&w);
		watch_grant(&w, watch_event(&w, events[i], 600), 600);
		hear(&w, "a", "active;expires=600", "200");
		hear(&w, "b", "active;expires=600", "481");
		hear(&w, "a", "active;expires=600", "200");
		ck_assert_uint_eq(subscription_dialogs(w.s), 1);
		hear(&w, "a", "terminated;reason=noresource", "200");
		watch_ended(&w, "noresource");
		watch_leave(&w);
	}
}
END_TEST

/* Templates are packages of their own (RFC 3857 4.9), and Timer N ends the time for new ones. */
START_TEST(rfc6665_4_1_2_4_no_more)
{
	struct watch w;

	watch_scene(&w);
	watch_grant(&w, watch_event(&w, "presence.winfo", 600), 600);
	hear(&w, "a", "active;expires=600", "200");
	world_run(w.c.w, 30 * SEC);
	hear(&w, "b", "active;expires=600", "200");
	world_run(w.c.w, 3 * SEC);
	hear(&w, "c", "active;expires=600", "481");
	hear(&w, "a", "active;expires=600", "200");
	ck_assert_uint_eq(subscription_dialogs(w.s), 2);
	hear(&w, "a", "terminated;reason=noresource", "200");
	hear(&w, "b", "terminated;reason=noresource", "200");
	watch_ended(&w, "noresource");
	watch_leave(&w);
}
END_TEST

/* Two phones of one user say what they do, and that is that. */
START_TEST(rfc6665_4_4_3_fetch_of_two)
{
	struct watch w;

	watch_scene(&w);
	watch_grant(&w, watch_event(&w, "dialog", 0), 0);
	hear(&w, "a", "terminated;reason=timeout", "200");
	hear(&w, "b", "terminated;reason=timeout", "200");
	ck_assert_uint_eq(w.n_notified, 2);
	world_run(w.c.w, 3 * SEC);
	watch_ended(&w, "timeout");
	hear(&w, "c", "terminated;reason=timeout", "481");
	watch_leave(&w);
}
END_TEST

START_TEST(limits_forks)
{
	struct watch w;
	char tag[20];

	watch_scene(&w);
	watch_grant(&w, watch_event(&w, "dialog", 600), 600);
	for (unsigned i = 0; i < LIMITS_FORKS; i++) {
		(void)snprintf(tag, sizeof(tag), "fork%u", i);
		hear(&w, tag, "active;expires=600", "200");
	}
	hear(&w, "another", "active;expires=600", "481");
	ck_assert_uint_eq(subscription_dialogs(w.s), LIMITS_FORKS);
	subscription_free(w.s);
	watch_leave(&w);
}
END_TEST

/* One branch refuses, and its answer is what a proxy passes on; another one has accepted. */
START_TEST(rfc6665_4_1_4_refusal_of_another)
{
	struct watch w;
	const struct msg *m;

	watch_scene(&w);
	m = watch_event(&w, "dialog", 600);
	hear(&w, "a", "active;expires=600", "200");
	world_reply(w.c.w, m, 403, NULL);
	world_settle(w.c.w);
	ck_assert_uint_eq(subscription_state(w.s), SUBSCRIPTION_ACTIVE);
	hear(&w, "a", "terminated;reason=noresource", "200");
	world_run(w.c.w, 33 * SEC);
	watch_ended(&w, "noresource");
	watch_leave(&w);
}
END_TEST

/* What NOTIFY leaves out is what was asked for, as there is no 2xx (RFC 3265 3.2.2). */
START_TEST(rfc6665_4_1_4_refusal_without_expires)
{
	struct watch w;
	const struct msg *m;

	watch_scene(&w);
	m = watch_event(&w, "dialog", 600);
	hear(&w, "a", "active", "200");
	world_reply(w.c.w, m, 403, NULL);
	world_settle(w.c.w);
	ck_assert_uint_eq(subscription_expires(w.s), w.c.wu->ua->timers.now + 600 * SEC);
	watch_grant(&w, watch_refresh(&w, 600 * SEC), 600);
	hear(&w, "a", "terminated;reason=noresource", "200");
	watch_ended(&w, "noresource");
	watch_leave(&w);
}
END_TEST

START_TEST(rfc6665_8_2_1_event)
{
	struct watch w;

	watch_scene(&w);
	watch_grant(&w, watch_event(&w, "presence;id=7", 600), 600);
	w.event = "presence";
	hear(&w, "a", "active;expires=600", "481");
	w.event = "presence;id=8";
	hear(&w, "a", "active;expires=600", "481");
	w.event = "presence.winfo;id=7";
	hear(&w, "a", "active;expires=600", "481");
	/* Other parameters do not count. */
	w.event = "presence;x=y;id=7";
	hear(&w, "a", "active;expires=600", "200");
	w.event = "dialog;id=7";
	hear(&w, "a", "active;expires=600", "481");
	ck_assert_uint_eq(w.n_notified, 1);
	subscription_free(w.s);
	watch_leave(&w);
}
END_TEST

/* ---- NOTIFYs one after the other ---- */

START_TEST(rfc3261_12_2_2_order)
{
	struct watch w;

	watch_scene(&w);
	watch_active(&w, "presence", 600);
	w.c.cseq -= 2;
	hear(&w, "bob", "terminated;reason=noresource", "500");
	ck_assert_uint_eq(w.n_notified, 1);
	/* The same number by another way: heard once. */
	hear(&w, "bob", "terminated;reason=noresource", "200");
	ck_assert_uint_eq(w.n_notified, 1);
	ck_assert_uint_eq(subscription_state(w.s), SUBSCRIPTION_ACTIVE);
	subscription_free(w.s);
	watch_leave(&w);
}
END_TEST

START_TEST(rfc6665_4_1_3_malformed)
{
	static const char *const bad[] = {
		/* 4.1.3: there MUST be one */
		"Contact: " WATCH_CONTACT "\nEvent: presence\nContent-Length: 0\n\n",
		"Contact: " WATCH_CONTACT
		"\nEvent: presence\nSubscription-State: ;\nContent-Length: 0\n\n",
		"Contact: ***\nEvent: presence\nSubscription-State: active\nContent-Length: 0\n\n",
		/* RFC 3261 20.15 */
		"Contact: " WATCH_CONTACT "\nEvent: presence\nSubscription-State: active\n"
		"Content-Length: {length}\n\nstate",
	};
	struct watch w;

	watch_scene(&w);
	watch_active(&w, "presence", 600);
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		call_send(&w.c, "NOTIFY", bad[i]);
		(void)world_expect_out(w.c.w, "400");
	}
	ck_assert_uint_eq(w.n_notified, 1);
	/* A word of the future changes nothing but what came with it. */
	hear(&w, "bob", "enchanted;expires=600", "200");
	ck_assert_uint_eq(w.n_notified, 2);
	ck_assert_uint_eq(subscription_state(w.s), SUBSCRIPTION_ACTIVE);
	subscription_free(w.s);
	watch_leave(&w);
}
END_TEST

/* Nowhere to go from here: no dialog, and Timer N says so. */
START_TEST(rfc6665_4_4_1_no_contact)
{
	struct watch w;

	watch_scene(&w);
	watch_grant(&w, watch_event(&w, "presence", 600), 600);
	(void)snprintf(w.c.theirs, sizeof(w.c.theirs), "bob");
	call_send(&w.c, "NOTIFY",
		"Event: presence\nSubscription-State: active\nContent-Length: 0\n\n");
	(void)world_expect_out(w.c.w, "400");
	ck_assert_uint_eq(subscription_dialogs(w.s), 0);
	world_run(w.c.w, 33 * SEC);
	ck_assert_uint_eq(subscription_state(w.s), SUBSCRIPTION_WAITING);
	ck_assert_uint_eq(w.n_notified, 0);
	subscription_free(w.s);
	watch_leave(&w);
}
END_TEST

START_TEST(rfc3261_21_4_13_type)
{
	struct subscription_spec spec = {
		.target = SLICE("sip:bob@example.com"),
		.event = SLICE("presence"),
		.expires = 600,
		.accept = SLICE("application/pidf+xml;q=0.5, text/*"),
	};
	struct watch w;

	watch_scene(&w);
	w.event = "presence";
	watch_grant(&w, watch_subscribe(&w, &spec), 600);
	hear(&w, "bob", "active;expires=600", "200");
	watch_notify(&w, "bob", "active;expires=600",
		"Content-Type: application/cpim-pidf+xml\nContent-Length: {length}\n\n<x/>");
	call_expect_header(
		world_expect_out(w.c.w, "415"), HDR_ACCEPT, "application/pidf+xml;q=0.5, text/*");
	watch_notify(&w, "bob", "active;expires=600",
		"Content-Type: Application/PIDF+xml;charset=UTF-8\n"
		"Content-Length: {length}\n\n<x/>");
	(void)world_expect_out(w.c.w, "200");
	/* Over is over, whatever else it says. */
	watch_notify(&w, "bob", "terminated;reason=noresource",
		"Content-Type: image/png\nContent-Length: {length}\n\nx");
	(void)world_expect_out(w.c.w, "415");
	watch_ended(&w, "noresource");
	ck_assert_uint_eq(w.n_notified, 2);
	watch_leave(&w);
}
END_TEST

/* The first NOTIFY cannot be read: there is a dialog, which lasts as long as was granted. */
START_TEST(rfc6665_4_1_3_first_is_malformed)
{
	struct watch w;
	const struct msg *m;

	watch_scene(&w);
	watch_grant(&w, watch_event(&w, "presence", 600), 600);
	hear(&w, "bob", ";", "400");
	ck_assert_uint_eq(subscription_dialogs(w.s), 1);
	ck_assert_uint_eq(subscription_state(w.s), SUBSCRIPTION_PENDING);
	m = watch_refresh(&w, 600 * SEC);
	watch_grant(&w, m, 600);
	hear(&w, "bob", "terminated;reason=noresource", "200");
	watch_ended(&w, "noresource");
	watch_leave(&w);
}
END_TEST

/* The only NOTIFY of a fetch is of a type that was not asked for, and says of no end. */
START_TEST(rfc3261_21_4_13_type_of_fetch)
{
	struct subscription_spec spec = {
		.target = SLICE("sip:bob@example.com"),
		.event = SLICE("presence"),
		.accept = SLICE("application/pidf+xml"),
	};
	struct watch w;

	watch_scene(&w);
	w.event = "presence";
	watch_grant(&w, watch_subscribe(&w, &spec), 0);
	hear(&w, "bob", "active", "415");
	world_run(w.c.w, 65 * TIMER_T1);
	watch_ended(&w, "no NOTIFY came");
	ck_assert_uint_eq(w.n_notified, 0);
	watch_leave(&w);
}
END_TEST

/* RFC 6665 4.4.1: as NOTIFY has it, and not as the 2xx. */
START_TEST(rfc6665_4_4_1_route_set)
{
	struct watch w;
	const struct msg *m;

	watch_scene(&w);
	world_reply(w.c.w, watch_event(&w, "presence", 600), 200,
		"Contact: <sip:other@192.0.2.20>\nRecord-Route: <sip:192.0.2.99;lr>\n"
		"Expires: 600\n");
	watch_notify(&w, "bob", "active;expires=600",
		"Record-Route: <sip:192.0.2.20;lr;first>, <sip:192.0.2.98;lr>\n" WATCH_TUPLE);
	(void)world_expect_out(w.c.w, "200");
	ck_assert_int_eq(subscription_refresh(w.s, 900), 0);
	m = watch_refresh(&w, 0);
	ck_assert(slice_eq(m->request_uri, SLICE("sip:bob@192.0.2.20")));
	call_expect_header(m, HDR_ROUTE, "<sip:192.0.2.20;lr;first>");
	call_expect_header(m, HDR_EXPIRES, "900");
	watch_grant(&w, m, 900);
	watch_expect(&w, "terminated;reason=noresource", "200");
	watch_ended(&w, "noresource");
	watch_leave(&w);
}
END_TEST

/* A proxy of RFC 3265 names itself in the SUBSCRIBE, and so in its 2xx, alone. */
START_TEST(rfc3265_route_set_of_2xx)
{
	static const char answer[] =
		"Contact: " WATCH_CONTACT "\nExpires: 600\n"
		"Record-Route: <sip:192.0.2.98;lr>, <sip:192.0.2.20;lr;first>\n";

	for (unsigned notify_first = 0; notify_first < 2; notify_first++) {
		struct watch w;
		const struct msg *m;

		watch_scene(&w);
		m = watch_event(&w, "dialog", 600);
		if (notify_first)
			hear(&w, "bob", "active;expires=600", "200");
		world_reply_as(w.c.w, m, 200, "bob", answer);
		world_settle(w.c.w);
		hear(&w, "bob", "active;expires=600", "200");
		ck_assert_int_eq(subscription_refresh(w.s, 900), 0);
		m = watch_refresh(&w, 0);
		call_expect_header(m, HDR_ROUTE, "<sip:192.0.2.20;lr;first>");
		watch_grant(&w, m, 900);
		hear(&w, "bob", "terminated;reason=noresource", "200");
		world_run(w.c.w, 33 * SEC);
		watch_ended(&w, "noresource");
		watch_leave(&w);
	}
}
END_TEST

/* Of another branch it says nothing. */
START_TEST(rfc3265_route_set_of_another)
{
	struct watch w;
	const struct msg *m;

	watch_scene(&w);
	world_reply_as(w.c.w, watch_event(&w, "dialog", 600), 200, "bob",
		"Contact: " WATCH_CONTACT "\nExpires: 600\nRecord-Route: <sip:192.0.2.20;lr>\n");
	world_settle(w.c.w);
	hear(&w, "another", "active;expires=600", "200");
	ck_assert_int_eq(subscription_refresh(w.s, 900), 0);
	m = watch_refresh(&w, 0);
	ck_assert(!msg_header(m, HDR_ROUTE).p);
	watch_grant(&w, m, 900);
	hear(&w, "another", "terminated;reason=noresource", "200");
	world_run(w.c.w, 33 * SEC);
	watch_ended(&w, "noresource");
	watch_leave(&w);
}
END_TEST

RUN_TESTS("subscription-forks", rfc3842_3_10_several, rfc3856_6_9_one_dialog,
	rfc6665_4_1_2_4_no_more, rfc6665_4_4_3_fetch_of_two, limits_forks,
	rfc6665_4_1_4_refusal_of_another, rfc6665_4_1_4_refusal_without_expires,
	rfc6665_4_1_3_first_is_malformed, rfc3261_21_4_13_type_of_fetch, rfc6665_8_2_1_event,
	rfc3261_12_2_2_order, rfc6665_4_1_3_malformed, rfc6665_4_4_1_no_contact,
	rfc3261_21_4_13_type, rfc6665_4_4_1_route_set, rfc3265_route_set_of_2xx,
	rfc3265_route_set_of_another)
