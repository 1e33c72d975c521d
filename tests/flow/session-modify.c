/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Changing a session: RFC 3261 section 14, RFC 3311, RFC 6337 section 4, RFC 6141. */
#include <check.h>

#include "protocol/base/err.h"
#include "protocol/ua/limits.h"
#include "tests/flow/callee.h"
#include "tests/flow/pair.h"
#include "tests/support/run.h"

/* ---- our requests, a scripted peer ---- */

static struct callee established(void)
{
	struct callee c = callee_new();

	callee_called(&c, NULL);
	callee_established(&c, "b");
	return c;
}

static void finish(struct callee *c)
{
	ck_assert_int_eq(session_terminate(c->s, NULL), 0);
	callee_answers(c, "BYE", "b", 200);
	(void)world_expect_event(c->wu, UA_SESSION_TERMINATED);
	callee_finish(c);
}

/* 14.1: refused, everything stays as it was. */
START_TEST(rfc3261_14_1_refused)
{
	struct callee c = established();
	struct world_reply r = { 0 };

	pair_offer(c.s, "v=0 a2", &r);
	callee_answers(&c, "INVITE", "b", 488);
	(void)world_expect_out(c.w, "ACK");
	pair_expect_reply(&r, 488, -EREMOTEIO, "");
	ck_assert_uint_eq(session_description_state(c.s), OFFER_STABLE);
	ck_assert_uint_eq(session_state(c.s), SESSION_ESTABLISHED);
	finish(&c);
}
END_TEST

/* 12.2.1.2: 481 ends the dialog. */
START_TEST(rfc3261_12_2_1_2_no_dialog)
{
	struct callee c = established();
	struct world_reply r = { 0 };

	pair_offer(c.s, "v=0 a2", &r);
	callee_answers(&c, "INVITE", "b", 481);
	(void)world_expect_out(c.w, "ACK");
	pair_expect_reply(&r, 481, -EREMOTEIO, "");
	(void)world_expect_terminated(c.wu, 481, ORIGIN_REMOTE);
	callee_finish(&c);
}
END_TEST

/* 14.1: a re-INVITE without an offer asks for one, and the ACK has the answer. */
START_TEST(rfc3261_14_1_offerless)
{
	struct callee c = established();
	struct session_body none = { 0 }, answer = world_sdp("v=0 a2");
	struct world_reply r = { 0 };
	struct session_reply reply = world_reply_of(&r);
	const struct msg *m;

	ck_assert_int_eq(session_offer(c.s, &none, SLICE_NULL, &reply), 0);
	m = callee_expect(&c, "INVITE", "b");
	ck_assert_uint_eq(m->body.n, 0);
	world_reply(c.w, m, 200, "Contact: <sip:bob@192.0.2.1>\n" WITH("v=0 b2"));
	world_settle(c.w);
	pair_expect_reply(&r, 200, 0, "v=0 b2");
	ck_assert_uint_eq(session_description_state(c.s), OFFER_REMOTE);
	ck_assert_int_eq(session_offer(c.s, &none, SLICE_NULL, NULL), -ESTALE);
	ck_assert_int_eq(session_answer(c.s, &answer), 0);
	m = callee_expect(&c, "ACK", "b");
	ck_assert(slice_eq(m->body, SLICE("v=0 a2")));
	ck_assert_uint_eq(session_description_state(c.s), OFFER_STABLE);
	finish(&c);
}
END_TEST

/* The offer that was asked for is answered in time, or the session ends. */
START_TEST(rfc3261_14_1_offerless_forgotten)
{
	struct callee c = established();
	struct session_body none = { 0 };
	struct world_reply r = { 0 };
	struct session_reply reply = world_reply_of(&r);

	ck_assert_int_eq(session_offer(c.s, &none, SLICE_NULL, &reply), 0);
	world_reply(c.w, callee_expect(&c, "INVITE", "b"), 200,
		"Contact: <sip:bob@192.0.2.1>\n" WITH("v=0 b2"));
	world_run(c.w, LIMITS_ANSWER_SECONDS * SEC);
	ck_assert_uint_eq(callee_expect(&c, "ACK", "b")->body.n, 0);
	callee_answers(&c, "BYE", "b", 200);
	(void)world_expect_terminated(c.wu, 408, ORIGIN_TIMEOUT);
	callee_finish(&c);
}
END_TEST

/* One offer at a time; a bounded number of tries against a peer that always says 491. */
START_TEST(rfc3261_14_1_tries_end)
{
	struct callee c = established();
	struct world_reply r = { 0 };
	struct session_body other = world_sdp("v=0 a3");

	pair_offer(c.s, "v=0 a2", &r);
	ck_assert_int_eq(session_offer(c.s, &other, SLICE_NULL, NULL), -ESTALE);
	for (int i = 0; i < 8; i++) {
		ck_assert_uint_eq(r.n, 0);
		world_reply(c.w, world_wait_out(c.w, "INVITE", 5 * SEC), 491, NULL);
		world_settle(c.w);
		(void)world_expect_out(c.w, "ACK");
	}
	pair_expect_reply(&r, 491, -EREMOTEIO, "");
	finish(&c);
}
END_TEST

/* RFC 3261 14.2: 500 with Retry-After passes; RFC 4028 7.4: 422 asks for a longer interval. */
START_TEST(rfc4028_7_4_longer)
{
	struct callee c = established();
	struct world_reply r = { 0 };
	const struct msg *m;

	pair_offer(c.s, "v=0 a2", &r);
	world_reply(c.w, callee_expect(&c, "INVITE", "b"), 500, "Retry-After: 3\n");
	world_settle(c.w);
	(void)world_expect_out(c.w, "ACK");
	world_expect_silence(c.w, 2900 * MSEC);
	world_reply(c.w, world_wait_out(c.w, "INVITE", SEC), 422, "Min-SE: 3600\n");
	world_settle(c.w);
	(void)world_expect_out(c.w, "ACK");
	m = callee_expect(&c, "INVITE", "b");
	callee_check_header(m, HDR_MIN_SE, "3600");
	world_reply(c.w, m, 200, "Contact: <sip:bob@192.0.2.1>\n" WITH("v=0 b2"));
	world_settle(c.w);
	(void)world_expect_out(c.w, "ACK");
	pair_expect_reply(&r, 200, 0, "v=0 b2");
	finish(&c);
}
END_TEST

/* 12.2.1.2, RFC 6141 4.7: the 2xx says where the peer is now. */
START_TEST(rfc6141_4_7_target)
{
	struct callee c = established();
	struct world_reply r = { 0 };

	pair_offer(c.s, "v=0 a2", &r);
	world_reply(c.w, callee_expect(&c, "INVITE", "b"), 200,
		"Contact: <sip:moved@192.0.2.1>\n" WITH("v=0 b2"));
	world_settle(c.w);
	ck_assert(
		slice_eq(world_expect_out(c.w, "ACK")->request_uri, SLICE("sip:moved@192.0.2.1")));
	ck_assert(slice_eq(session_remote_target(c.s), SLICE("sip:moved@192.0.2.1")));
	finish(&c);
}
END_TEST

/* A peer that never decides is asked no longer: CANCEL, and nothing has changed. */
START_TEST(rfc3261_9_1_cancelled_after_all)
{
	struct callee c = established();
	struct world_reply r = { 0 };
	const struct msg *invite;

	pair_offer(c.s, "v=0 a2", &r);
	invite = callee_expect(&c, "INVITE", "b");
	world_reply(c.w, invite, 180, NULL);
	world_settle(c.w);
	(void)world_expect_progress(c.wu, 180);
	world_expect_silence(c.w, 119 * SEC);
	world_reply(c.w, world_wait_out(c.w, "CANCEL", 2 * SEC), 200, NULL);
	world_reply(c.w, invite, 487, NULL);
	world_settle(c.w);
	(void)world_expect_out(c.w, "ACK");
	pair_expect_reply(&r, 487, -ETIMEDOUT, "");
	ck_assert_uint_eq(session_state(c.s), SESSION_ESTABLISHED);
	finish(&c);
}
END_TEST

/* ---- the peer's requests ---- */

/* RFC 4028: what changes nothing is answered without asking anybody. */
START_TEST(rfc4028_9_refreshes)
{
	struct callee c = established();
	const struct msg *m;

	callee_sends(&c, "UPDATE", "b", NULL);
	m = world_expect_out(c.w, "200");
	ck_assert_uint_eq(m->body.n, 0);
	callee_sends(&c, "INVITE", "b", WITH(ANSWER));
	m = world_expect_out(c.w, "200");
	ck_assert(slice_eq(m->body, SLICE(OFFER)));
	--c.cseq;
	callee_sends(&c, "ACK", "b", NULL);
	finish(&c);
}
END_TEST

/* 14.2: an INVITE without offer gets ours in the 200, and the answer comes in the ACK. */
START_TEST(rfc3261_14_2_offerless)
{
	struct callee c = established();
	struct session_body ours = world_sdp("v=0 a2");

	callee_sends(&c, "INVITE", "b", NULL);
	world_expect_body(world_expect_event(c.wu, UA_SESSION_OFFER), "");
	ck_assert_int_eq(session_answer(c.s, &ours), 0);
	world_settle(c.w);
	ck_assert(slice_eq(world_expect_out(c.w, "200")->body, SLICE("v=0 a2")));
	ck_assert_uint_eq(session_description_state(c.s), OFFER_LOCAL);
	--c.cseq;
	callee_sends(&c, "ACK", "b", WITH("v=0 b2"));
	world_expect_body(world_expect_event(c.wu, UA_SESSION_ANSWER), "v=0 b2");
	ck_assert_uint_eq(session_description_state(c.s), OFFER_STABLE);
	finish(&c);
}
END_TEST

/* 14.2, RFC 3311 5.2: one at a time, 500 with Retry-After to the next. */
START_TEST(rfc3261_14_2_second)
{
	struct callee c = established();

	callee_sends(&c, "INVITE", "b", WITH("v=0 b2"));
	(void)world_expect_event(c.wu, UA_SESSION_OFFER);
	callee_sends(&c, "INVITE", "b", WITH("v=0 b3"));
	ck_assert_ptr_nonnull(msg_header(world_expect_out(c.w, "500"), HDR_RETRY_AFTER).p);
	--c.cseq;
	callee_sends(&c, "ACK", "b", NULL);
	callee_sends(&c, "UPDATE", "b", WITH("v=0 b3"));
	ck_assert_ptr_nonnull(msg_header(world_expect_out(c.w, "500"), HDR_RETRY_AFTER).p);
	ck_assert_int_eq(session_reject_offer(c.s, 0), 0);
	world_settle(c.w);
	ck_assert_ptr_nonnull(msg_header(world_expect_out(c.w, "488"), HDR_WARNING).p);
	ck_assert_uint_eq(session_description_state(c.s), OFFER_STABLE);
	world_run(c.w, 40 * SEC);
	(void)world_skip_out(c.w);
	finish(&c);
}
END_TEST

/* 14.2, RFC 3311 5.2: ours pends, so 491. */
START_TEST(rfc3311_5_2_ours_pends)
{
	struct callee c = established();
	struct world_reply r = { 0 };
	const struct msg *invite;

	pair_offer(c.s, "v=0 a2", &r);
	invite = callee_expect(&c, "INVITE", "b");
	callee_sends(&c, "UPDATE", "b", WITH("v=0 b3"));
	(void)world_expect_out(c.w, "491");
	callee_sends(&c, "INVITE", "b", WITH("v=0 b3"));
	(void)world_expect_out(c.w, "491");
	world_reply(c.w, invite, 200, "Contact: <sip:bob@192.0.2.1>\n" WITH("v=0 b2"));
	world_run(c.w, 40 * SEC);
	ck_assert_uint_gt(world_skip_out(c.w), 0);
	pair_expect_reply(&r, 200, 0, "v=0 b2");
	finish(&c);
}
END_TEST

/* RFC 3311 5.2: 504 to an UPDATE that nobody answers, 14.2: 488 to a re-INVITE. */
START_TEST(rfc3311_5_2_nobody_answers)
{
	struct callee c = established();
	struct session_body late = world_sdp("v=0 a2");

	callee_sends(&c, "UPDATE", "b", WITH("v=0 b2"));
	(void)world_expect_event(c.wu, UA_SESSION_OFFER);
	(void)world_wait_out(c.w, "100", 5 * SEC);
	(void)world_wait_out(c.w, "504", 20 * SEC);
	ck_assert_int_eq(session_answer(c.s, &late), -ESTALE);
	finish(&c);
}
END_TEST

RUN_TESTS("session-modify", rfc3261_14_1_refused, rfc3261_12_2_1_2_no_dialog,
	rfc3261_14_1_offerless, rfc3261_14_1_offerless_forgotten, rfc3261_14_1_tries_end,
	rfc4028_7_4_longer, rfc6141_4_7_target, rfc3261_9_1_cancelled_after_all,
	rfc4028_9_refreshes, rfc3261_14_2_offerless, rfc3261_14_2_second, rfc3311_5_2_ours_pends,
	rfc3311_5_2_nobody_answers)
