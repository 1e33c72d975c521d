/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Reliable provisional responses of the peer's (RFC 3262 section 4). */
#include <check.h>

#include "protocol/base/err.h"
#include "tests/flow/callee.h"
#include "tests/support/run.h"

#define RELIABLE(rseq) "Require: 100rel\nRSeq: " #rseq "\n"

static const struct msg *expect_prack(struct callee *c, const char *rack)
{
	const struct msg *m = callee_expect(c, "PRACK", "b");

	callee_check_header(m, HDR_RACK, rack);
	return m;
}

static void end(struct callee *c)
{
	callee_says(c, 486, "b", NULL);
	(void)world_expect_out(c->w, "ACK");
	(void)world_expect_terminated(c->wu, 486, ORIGIN_REMOTE);
	callee_finish(c);
}

/* Section 4: in order, each acknowledged once. */
START_TEST(rfc3262_4_order)
{
	struct callee c = callee_new();

	callee_called(&c, NULL);
	callee_says(&c, 180, "b", RELIABLE(100));
	world_reply(c.w, expect_prack(&c, "100 1 INVITE"), 200, NULL);
	(void)world_expect_progress(c.wu, 180);
	callee_says(&c, 180, "b", RELIABLE(100));
	callee_says(&c, 182, "b", RELIABLE(102));
	callee_says(&c, 182, "b", RELIABLE(99));
	world_expect_no_event(c.wu);
	callee_says(&c, 183, "b", RELIABLE(101) WITH(ANSWER));
	world_reply(c.w, expect_prack(&c, "101 1 INVITE"), 200, NULL);
	world_expect_body(world_expect_progress(c.wu, 183), ANSWER);
	/* Another fork counts for itself. */
	callee_says(&c, 180, "other", RELIABLE(7));
	world_reply(c.w, callee_expect(&c, "PRACK", "other"), 200, NULL);
	(void)world_expect_progress(c.wu, 180);
	end(&c);
}
END_TEST

/* RFC 5057 5.2, RFC 3261 12.2.1.2: with its only fork, the INVITE is taken back. */
START_TEST(rfc5057_5_2_prack_unheard)
{
	struct callee c = callee_new();
	const struct msg *cancel;

	callee_called(&c, NULL);
	callee_says(&c, 180, "b", RELIABLE(100));
	(void)world_expect_progress(c.wu, 180);
	world_run(c.w, 31900 * MSEC);
	(void)world_skip_out(c.w);
	cancel = world_wait_out(c.w, "CANCEL", 2 * SEC);
	world_reply(c.w, cancel, 200, NULL);
	callee_says(&c, 487, "b", NULL);
	(void)world_expect_out(c.w, "ACK");
	(void)world_expect_terminated(c.wu, 0, ORIGIN_TIMEOUT);
	callee_finish(&c);
}
END_TEST

/* A fork that does not answer is ended alone. */
START_TEST(rfc5057_5_2_prack_of_one_fork_unheard)
{
	struct callee c = callee_new();

	callee_called(&c, NULL);
	callee_says(&c, 180, "b", RELIABLE(100));
	(void)world_expect_progress(c.wu, 180);
	world_run(c.w, 31900 * MSEC);
	(void)world_skip_out(c.w);
	callee_says(&c, 180, "other", NULL);
	(void)world_expect_progress(c.wu, 180);
	world_reply(c.w, world_wait_out(c.w, "BYE", 2 * SEC), 200, NULL);
	world_settle(c.w);
	ck_assert_uint_eq(session_state(c.s), SESSION_RINGING);
	callee_established(&c, "other");
	ck_assert_int_eq(session_terminate(c.s, NULL), 0);
	callee_answers(&c, "BYE", "other", 200);
	(void)world_expect_terminated(c.wu, 0, ORIGIN_LOCAL);
	callee_finish(&c);
}
END_TEST

/* Section 5: an offer in the response is answered in the PRACK, by the client. */
START_TEST(rfc3262_5_offer_in_183)
{
	struct callee c = callee_new();
	struct session_body answer = world_sdp("v=0 a1");
	const struct msg *m;

	callee_called_without_offer(&c);
	callee_says(&c, 183, "b", RELIABLE(1) WITH("v=0 b1"));
	(void)world_expect_progress(c.wu, 183);
	world_expect_body(world_expect_event(c.wu, UA_SESSION_OFFER), "v=0 b1");
	ck_assert_int_eq(session_answer(c.s, &answer), 0);
	m = expect_prack(&c, "1 1 INVITE");
	ck_assert(slice_eq(m->body, SLICE("v=0 a1")));
	world_reply(c.w, m, 200, NULL);
	ck_assert_int_eq(session_answer(c.s, &answer), -ESTALE);
	end(&c);
}
END_TEST

/* Without an RSeq that can be read it is as good as unreliable, and 100 never is (section 4). */
START_TEST(rfc3262_4_not_reliable)
{
	struct callee c = callee_new();

	callee_called(&c, NULL);
	callee_says(&c, 180, "b", "Require: 100rel\n");
	(void)world_expect_progress(c.wu, 180);
	callee_says(&c, 183, "b", RELIABLE(none));
	(void)world_expect_progress(c.wu, 183);
	callee_says(&c, 100, "b", RELIABLE(5));
	world_expect_silence(c.w, SEC);
	end(&c);
}
END_TEST

RUN_TESTS("session-reliable", rfc3262_4_order, rfc5057_5_2_prack_unheard,
	rfc5057_5_2_prack_of_one_fork_unheard, rfc3262_5_offer_in_183, rfc3262_4_not_reliable)
