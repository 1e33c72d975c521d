/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Two user agents inside one call: changes, reliable provisional responses, INFO and MESSAGE. */
#include <check.h>

#include "protocol/base/err.h"
#include "protocol/ua/limits.h"
#include "protocol/ua/request-headers.h"
#include "tests/flow/pair.h"
#include "tests/support/run.h"

/* ---- changes ---- */

/* RFC 5359 2.1: on hold by re-INVITE and back. */
START_TEST(rfc5359_2_1_hold)
{
	struct pair p = pair_new();
	struct world_reply hold = { 0 }, unhold = { 0 };

	pair_call(&p);
	pair_accept(&p);
	pair_offer(p.alice, "v=0 a2 hold", &hold);
	world_settle(p.w);
	ck_assert_uint_eq(session_description_state(p.alice), OFFER_LOCAL);
	ck_assert_uint_eq(session_description_state(p.bob), OFFER_REMOTE);
	pair_answer(p.b, p.bob, "v=0 a2 hold", "v=0 b2 hold");
	world_settle(p.w);
	pair_expect_reply(&hold, 200, 0, "v=0 b2 hold");
	pair_offer(p.alice, "v=0 a3", &unhold);
	world_settle(p.w);
	pair_answer(p.b, p.bob, "v=0 a3", "v=0 b3");
	world_settle(p.w);
	pair_expect_reply(&unhold, 200, 0, "v=0 b3");
	ck_assert_uint_eq(session_description_state(p.bob), OFFER_STABLE);
	world_log_golden(p.w, "session-hold");
	pair_finish(&p);
}
END_TEST

/* RFC 3261 14.1: who does not own the Call-ID waits less than 2 s, the owner more. */
START_TEST(rfc3261_14_1_glare)
{
	struct pair p = pair_new();
	struct world_reply of_alice = { 0 }, of_bob = { 0 };

	pair_call(&p);
	pair_accept(&p);
	pair_offer(p.alice, "v=0 a2", &of_alice);
	pair_offer(p.bob, "v=0 b2", &of_bob);
	world_run(p.w, 2100 * MSEC);
	ck_assert_uint_eq(of_alice.n + of_bob.n, 0);
	pair_answer(p.a, p.alice, "v=0 b2", "v=0 a3");
	world_settle(p.w);
	pair_expect_reply(&of_bob, 200, 0, "v=0 a3");
	world_run(p.w, 2 * SEC);
	pair_answer(p.b, p.bob, "v=0 a2", "v=0 b3");
	world_settle(p.w);
	pair_expect_reply(&of_alice, 200, 0, "v=0 b3");
	world_log_golden(p.w, "session-glare");
	pair_finish(&p);
}
END_TEST

/* RFC 3311 section 8: UPDATE both ways in an early dialog. */
START_TEST(rfc3311_8_early_update)
{
	struct pair p = pair_new();
	struct world_reply of_alice = { 0 }, of_bob = { 0 };
	struct session_ring ring = {
		.status = 183,
		.body = world_sdp("v=0 b1"),
		.reliable = SESSION_RELIABLE,
	};

	pair_call(&p);
	ck_assert_int_eq(session_ring(p.bob, &ring), 0);
	world_settle(p.w);
	world_expect_body(world_expect_progress(p.a, 183), "v=0 b1");
	pair_offer(p.alice, "v=0 a2", &of_alice);
	world_settle(p.w);
	pair_answer(p.b, p.bob, "v=0 a2", "v=0 b2");
	world_settle(p.w);
	pair_expect_reply(&of_alice, 200, 0, "v=0 b2");
	pair_offer(p.bob, "v=0 b3", &of_bob);
	world_settle(p.w);
	pair_answer(p.a, p.alice, "v=0 b3", "v=0 a3");
	world_settle(p.w);
	pair_expect_reply(&of_bob, 200, 0, "v=0 a3");
	ck_assert_int_eq(session_accept(p.bob, &(struct session_body){ 0 }, NULL), 0);
	world_settle(p.w);
	(void)world_expect_event(p.a, UA_SESSION_ESTABLISHED);
	(void)world_expect_event(p.b, UA_SESSION_ESTABLISHED);
	world_log_golden(p.w, "session-early-update");
	pair_finish(&p);
}
END_TEST

/* RFC 3261 15.1.2: what pends when the BYE comes is answered 487, and told -ECANCELED. */
START_TEST(rfc3261_15_1_2_bye_while_pending)
{
	struct pair p = pair_new();
	struct world_reply reply = { 0 };

	pair_call(&p);
	pair_accept(&p);
	pair_offer(p.alice, "v=0 a2", &reply);
	world_settle(p.w);
	(void)world_expect_event(p.b, UA_SESSION_OFFER);
	ck_assert_int_eq(session_terminate(p.bob, NULL), 0);
	world_settle(p.w);
	ck_assert_uint_eq(reply.n, 1);
	ck_assert_int_ne(reply.error, 0);
	(void)world_expect_event(p.a, UA_SESSION_TERMINATED);
	(void)world_expect_event(p.b, UA_SESSION_TERMINATED);
	pair_leave(&p);
}
END_TEST

/* ---- reliable responses ---- */

static void ring(struct session *s, unsigned status, const char *body, int expected)
{
	struct session_ring r = { .status = status, .reliable = SESSION_RELIABLE };

	if (body)
		r.body = world_sdp(body);
	ck_assert_int_eq(session_ring(s, &r), expected);
}

/* Section 3: the answer in a reliable 183, its PRACK, and a 2xx without it. */
START_TEST(rfc3262_5_answer_in_183)
{
	struct pair p = pair_new();

	world_show(p.w, "Require");
	pair_call(&p);
	ring(p.bob, 183, "v=0 b1", 0);
	world_settle(p.w);
	world_expect_body(world_expect_progress(p.a, 183), "v=0 b1");
	ring(p.bob, 180, NULL, 0);
	world_settle(p.w);
	(void)world_expect_progress(p.a, 180);
	ck_assert_int_eq(session_accept(p.bob, &(struct session_body){ 0 }, NULL), 0);
	world_settle(p.w);
	(void)world_expect_event(p.a, UA_SESSION_ESTABLISHED);
	(void)world_expect_event(p.b, UA_SESSION_ESTABLISHED);
	world_log_golden(p.w, "session-reliable");
	pair_finish(&p);
}
END_TEST

/* Section 3: the second goes after the PRACK of the first, the 2xx after those that describe. */
START_TEST(rfc3262_3_in_turn)
{
	struct pair p = pair_new();

	pair_call(&p);
	ring(p.bob, 183, "v=0 b1", 0);
	ring(p.bob, 180, NULL, 0);
	ring(p.bob, 182, "v=0 b2", -ESTALE);
	ck_assert_int_eq(session_accept(p.bob, &(struct session_body){ 0 }, NULL), 0);
	ck_assert_uint_ne(session_state(p.bob), SESSION_ESTABLISHED);
	world_settle(p.w);
	world_expect_body(world_expect_progress(p.a, 183), "v=0 b1");
	(void)world_expect_progress(p.a, 180);
	(void)world_expect_event(p.a, UA_SESSION_ESTABLISHED);
	(void)world_expect_event(p.b, UA_SESSION_ESTABLISHED);
	pair_finish(&p);
}
END_TEST

/* Section 3: repeated at T1, doubling without end, and 504 after 64*T1. */
START_TEST(rfc3262_3_no_prack)
{
	struct pair p = pair_new();

	pair_call(&p);
	world_net(p.w)->loss = 100;
	ring(p.bob, 183, "v=0 b1", 0);
	world_run(p.w, 31 * SEC);
	world_expect_no_event(p.b);
	world_run(p.w, 2 * SEC);
	(void)world_expect_terminated(p.b, 504, ORIGIN_TIMEOUT);
	world_log_golden(p.w, "session-no-prack");
	world_net(p.w)->loss = 0;
	world_run(p.w, 10 * SEC);
	(void)world_expect_event(p.a, UA_SESSION_TERMINATED);
	pair_leave(&p);
}
END_TEST

/* Only so many wait. */
START_TEST(limits_reliable)
{
	struct pair p = pair_new();

	pair_call(&p);
	for (int i = 0; i < LIMITS_RELIABLE; i++)
		ring(p.bob, 180, NULL, 0);
	ring(p.bob, 180, NULL, -ENOSPC);
	world_settle(p.w);
	for (int i = 0; i < LIMITS_RELIABLE; i++)
		(void)world_expect_progress(p.a, 180);
	ck_assert_int_eq(session_terminate(p.alice, NULL), 0);
	world_settle(p.w);
	(void)world_expect_event(p.a, UA_SESSION_TERMINATED);
	(void)world_expect_event(p.b, UA_SESSION_TERMINATED);
	pair_leave(&p);
}
END_TEST

/* ---- messages ---- */

static int inform(struct session *s, const char *package, struct world_reply *r)
{
	struct session_body body = { .type = SLICE("text/plain"), .bytes = SLICE("signal") };
	struct session_reply reply = world_reply_of(r);

	return session_info(s, slice_str(package), &body, NULL, &reply);
}

static int say(struct session *s, struct world_reply *r)
{
	struct session_body body = { .type = SLICE("text/plain"), .bytes = SLICE("hello") };
	struct session_reply reply = world_reply_of(r);

	return session_message(s, &body, NULL, &reply);
}

/* Both ways between two user agents. */
START_TEST(rfc6086_4_2_both_ways)
{
	struct pair p = pair_new();
	struct world_reply info = { 0 }, legacy = { 0 }, message = { 0 };
	const struct world_told *t;
	/* RFC 6086 5.2.3: who supports packages says so in the INVITE, or is not answered. */
	const struct request_header recv[] = {
		{ SLICE_INIT("Recv-Info"), SLICE_INIT("") },
		{ SLICE_INIT("Recv-Info"), SLICE_INIT("foo") },
	};
	struct session_headers foo = { &recv[1], 1 };
	struct session_body answer = world_sdp("v=0 b1");
	struct session_spec spec = {
		.target = SLICE("sip:bob@192.0.2.20"),
		.offer = world_sdp("v=0 a1"),
		.headers = { recv, 1 },
	};
	const char *why;

	world_show(p.w, "Recv-Info");
	world_show(p.w, "Info-Package");
	world_show(p.w, "Contact");
	ck_assert_int_eq(session_new(p.ep_a, &spec, &p.alice, &why), 0);
	world_settle(p.w);
	p.bob = world_expect_session(p.b);
	ck_assert_int_eq(session_accept(p.bob, &answer, &foo), 0);
	world_settle(p.w);
	(void)world_expect_event(p.a, UA_SESSION_ESTABLISHED);
	(void)world_expect_event(p.b, UA_SESSION_ESTABLISHED);
	ck_assert_int_eq(inform(p.alice, "foo", &info), 0);
	ck_assert_int_eq(inform(p.alice, "", &legacy), 0);
	world_settle(p.w);
	t = world_expect_event(p.b, UA_SESSION_INFO);
	world_expect_body(t, "signal");
	ck_assert(slice_eq(t->event.package, SLICE("foo")));
	t = world_expect_event(p.b, UA_SESSION_INFO);
	ck_assert_uint_eq(t->event.package.n, 0);
	ck_assert_int_eq(say(p.bob, &message), 0);
	world_settle(p.w);
	world_expect_body(world_expect_event(p.a, UA_SESSION_MESSAGE), "hello");
	pair_expect_reply(&info, 200, 0, "");
	pair_expect_reply(&legacy, 200, 0, "");
	pair_expect_reply(&message, 200, 0, "");
	world_log_golden(p.w, "session-message");
	pair_finish(&p);
}
END_TEST

RUN_TESTS("session-pair", rfc5359_2_1_hold, rfc3261_14_1_glare, rfc3311_8_early_update,
	rfc3261_15_1_2_bye_while_pending, rfc3262_5_answer_in_183, rfc3262_3_in_turn,
	rfc3262_3_no_prack, limits_reliable, rfc6086_4_2_both_ways)
