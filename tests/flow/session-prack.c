/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Reliable provisional answers of the called side, against a caller that does what it likes. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>

#include "protocol/base/err.h"
#include "tests/flow/caller.h"
#include "tests/support/run.h"

#define RELIABLE "Supported: 100rel\n"
#define NOTHING "Content-Length: 0\n\n"

static uint32_t rseq_of(const struct msg *m)
{
	uint32_t rseq = 0;

	ck_assert(msg_number(m, HDR_RSEQ, UINT32_MAX, &rseq));
	ck_assert(msg_has_token(m, HDR_REQUIRE, SLICE("100rel")));
	return rseq;
}

static void prack(
	struct caller *c, uint32_t rseq, const char *of, const char *rest, const char *status)
{
	char lines[512];

	(void)snprintf(lines, sizeof(lines), "RAck: %u %s\n%s", rseq, of, rest);
	caller_sends(c, "PRACK", lines);
	ck_assert_int_eq(world_expect_out(c->w, status)->cseq_method, METHOD_PRACK);
}

static uint32_t rings(struct caller *c, const char *description)
{
	struct session_ring ring = { .status = 183, .reliable = SESSION_RELIABLE };

	if (description)
		ring.body = world_sdp(description);
	ck_assert_int_eq(session_ring(c->s, &ring), 0);
	return rseq_of(caller_expect(c, "183"));
}

static void hang_up(struct caller *c)
{
	caller_sends(c, "BYE", NULL);
	ck_assert_int_eq(world_expect_out(c->w, "200")->cseq_method, METHOD_BYE);
	(void)world_expect_terminated(c->wu, 200, ORIGIN_REMOTE);
	caller_finish(c);
}

/* Section 3: RSeq is one more each time; the next is not sent before the last is acknowledged. */
START_TEST(rfc3262_3_one_at_a_time)
{
	struct session_ring second = { .status = 180, .reliable = SESSION_RELIABLE };
	struct caller c = caller_new();
	uint32_t rseq;

	caller_calls(&c, RELIABLE WITH(OFFER));
	rseq = rings(&c, NULL);
	ck_assert_uint_gt(rseq, 0);
	ck_assert_uint_le(rseq, 0x7fffffff);
	ck_assert_int_eq(session_ring(c.s, &second), 0);
	world_settle(c.w);
	ck_assert_uint_eq(world_skip_out(c.w), 0);
	prack(&c, rseq, "1 INVITE", NOTHING, "200");
	ck_assert_uint_eq(rseq_of(caller_expect(&c, "180")), rseq + 1);
	prack(&c, rseq + 1, "1 INVITE", NOTHING, "200");
	world_expect_silence(c.w, 30 * SEC);
	caller_established(&c);
	hang_up(&c);
}
END_TEST

/* Section 3: at T1, doubled each time, T2 or not. */
START_TEST(rfc3262_3_repeated)
{
	static const unsigned at[] = { 500, 1500, 3500, 7500, 15500 };
	struct caller c = caller_new();
	uint32_t rseq;
	usec_t since;

	caller_calls(&c, RELIABLE WITH(OFFER));
	rseq = rings(&c, ANSWER);
	since = world_now(c.w);
	for (size_t i = 0; i < ARRAY_LEN(at); i++) {
		const struct msg *m = world_wait_out(c.w, "183", 20 * SEC);

		ck_assert_uint_eq(rseq_of(m), rseq);
		ck_assert_uint_eq((world_now(c.w) - since) / MSEC, at[i]);
	}
	prack(&c, rseq, "1 INVITE", NOTHING, "200");
	world_expect_silence(c.w, 30 * SEC);
	caller_accept(&c, NULL);
	(void)caller_expect(&c, "200");
	caller_acks(&c, 1, NULL);
	(void)world_expect_event(c.wu, UA_SESSION_ESTABLISHED);
	hang_up(&c);
}
END_TEST

/* Section 3: a PRACK for anything else is 481; without a readable RAck it is 400. */
START_TEST(rfc3262_3_matching)
{
	struct caller c = caller_new();
	uint32_t rseq;

	caller_calls(&c, RELIABLE WITH(OFFER));
	rseq = rings(&c, NULL);
	prack(&c, rseq + 1, "1 INVITE", NOTHING, "481");
	prack(&c, rseq, "2 INVITE", NOTHING, "481");
	prack(&c, rseq, "1 UPDATE", NOTHING, "481");
	prack(&c, rseq, "INVITE", NOTHING, "400");
	caller_sends(&c, "PRACK", NOTHING);
	ck_assert_int_eq(world_expect_out(c.w, "400")->cseq_method, METHOD_PRACK);
	(void)world_wait_out(c.w, "183", SEC); /* none of these counted */
	prack(&c, rseq, "1 INVITE", NOTHING, "200");
	prack(&c, rseq, "1 INVITE", NOTHING, "481"); /* twice is once too often */
	caller_established(&c);
	hang_up(&c);
}
END_TEST

/* Section 3: what says nothing about media holds no 2xx up; it is not repeated after that, but its
 * PRACK is answered. */
START_TEST(rfc3262_3_final_first)
{
	struct caller c = caller_new();
	uint32_t rseq;

	caller_calls(&c, RELIABLE WITH(OFFER));
	rseq = rings(&c, NULL);
	caller_accept(&c, ANSWER);
	(void)caller_expect(&c, "200");
	caller_acks(&c, 1, NULL);
	(void)world_expect_event(c.wu, UA_SESSION_ESTABLISHED);
	world_expect_silence(c.w, 64 * TIMER_T1);
	prack(&c, rseq, "1 INVITE", NOTHING, "200");
	hang_up(&c);
}
END_TEST

/* Section 3: a refusal waits for nothing. */
START_TEST(rfc3262_3_refused_first)
{
	struct caller c = caller_new();

	caller_calls(&c, RELIABLE WITH(OFFER));
	(void)rings(&c, ANSWER);
	ck_assert_int_eq(session_reject(c.s, 486, SLICE_NULL, NULL), 0);
	(void)caller_expect(&c, "486");
	caller_acks_refusal(&c);
	(void)world_expect_terminated(c.wu, 486, ORIGIN_LOCAL);
	world_expect_silence(c.w, 64 * TIMER_T1);
	caller_finish(&c);
}
END_TEST

/* RFC 3261 9.2: a caller may give up while our 2xx waits for its PRACK. */
START_TEST(rfc3261_9_2_cancelled_while_accepting)
{
	struct caller c = caller_new();

	caller_calls(&c, RELIABLE WITH(OFFER));
	(void)rings(&c, ANSWER);
	caller_accept(&c, NULL);
	caller_cancels(&c, NULL);
	(void)caller_expect(&c, "487");
	caller_acks_refusal(&c);
	(void)world_expect_terminated(c.wu, 487, ORIGIN_REMOTE);
	world_expect_silence(c.w, 64 * TIMER_T1);
	caller_finish(&c);
}
END_TEST

/* RFC 3261 15.1.2: or say BYE. */
START_TEST(rfc3261_15_1_2_bye_while_accepting)
{
	struct caller c = caller_new();

	caller_calls(&c, RELIABLE WITH(OFFER));
	(void)rings(&c, ANSWER);
	caller_accept(&c, NULL);
	caller_sends(&c, "BYE", NULL);
	ck_assert_int_eq(world_expect_out(c.w, "200")->cseq_method, METHOD_BYE);
	(void)caller_expect(&c, "487");
	caller_acks_refusal(&c);
	(void)world_expect_terminated(c.wu, 200, ORIGIN_REMOTE);
	caller_finish(&c);
}
END_TEST

/* RFC 3261 13.2.1: an offer of ours goes in a reliable answer, asked for or not; RFC 3262 section
 * 4: to a caller that knows of none it waits for the 2xx. */
START_TEST(rfc3261_13_2_1_offer_is_reliable)
{
	struct session_ring early = { .status = 183, .body = world_sdp(OFFER) };
	struct caller c = caller_new();
	const struct msg *m;

	caller_calls(&c, RELIABLE NOTHING);
	ck_assert_int_eq(session_ring(c.s, &early), 0);
	m = caller_expect(&c, "183");
	ck_assert(slice_eq(m->body, SLICE(OFFER)));
	prack(&c, rseq_of(m), "1 INVITE", WITH(ANSWER), "200");
	world_expect_body(world_expect_event(c.wu, UA_SESSION_ANSWER), ANSWER);
	caller_accept(&c, NULL);
	ck_assert_uint_eq(caller_expect(&c, "200")->body.n, 0);
	caller_acks(&c, 1, NULL);
	(void)world_expect_event(c.wu, UA_SESSION_ESTABLISHED);
	caller_sends(&c, "BYE", NULL);
	(void)world_expect_out(c.w, "200");
	(void)world_expect_terminated(c.wu, 200, ORIGIN_REMOTE);
	free(mem_take(&c.to_tag));
	caller_calls(&c, NOTHING);
	ck_assert_int_eq(session_ring(c.s, &early), -EOPNOTSUPP);
	caller_rung(&c);
	session_pass(c.s);
	(void)caller_expect(&c, "480");
	(void)world_expect_terminated(c.wu, 480, ORIGIN_LOCAL);
	caller_acks_refusal(&c);
	caller_finish(&c);
}
END_TEST

/* RFC 3262 section 5: our offer has to be answered in the PRACK. */
START_TEST(rfc3262_5_no_answer_in_prack)
{
	struct caller c = caller_new();

	caller_calls(&c, RELIABLE NOTHING);
	prack(&c, rings(&c, OFFER), "1 INVITE", NOTHING, "200");
	(void)caller_expect(&c, "400");
	caller_acks_refusal(&c);
	(void)world_expect_terminated(c.wu, 400, ORIGIN_LOCAL);
	caller_finish(&c);
}
END_TEST

/* RFC 3262 section 5: once there was an answer, a PRACK may offer anew; its 200 has the answer, and
 * our 2xx waits for that. */
START_TEST(rfc3262_5_offer_in_prack)
{
	struct session_body answer = world_sdp("v=0 answer 2");
	struct caller c = caller_new();
	char lines[512];
	const struct msg *m;

	caller_calls(&c, RELIABLE WITH(OFFER));
	(void)snprintf(lines, sizeof(lines), "RAck: %u 1 INVITE\n%s", rings(&c, ANSWER),
		WITH("v=0 offer 2"));
	caller_sends(&c, "PRACK", lines);
	world_expect_body(world_expect_event(c.wu, UA_SESSION_OFFER), "v=0 offer 2");
	caller_accept(&c, NULL);
	world_expect_silence(c.w, SEC);
	ck_assert_int_eq(session_answer(c.s, &answer), 0);
	m = world_expect_out(c.w, "200");
	ck_assert_int_eq(m->cseq_method, METHOD_PRACK);
	ck_assert(slice_eq(m->body, SLICE("v=0 answer 2")));
	ck_assert_uint_eq(caller_expect(&c, "200")->body.n, 0);
	caller_acks(&c, 1, NULL);
	(void)world_expect_event(c.wu, UA_SESSION_ESTABLISHED);
	hang_up(&c);
}
END_TEST

/* RFC 6337 2.3, pattern 5: who cannot take that offer refuses the whole INVITE. */
START_TEST(rfc6337_2_3_offer_in_prack_refused)
{
	struct caller c = caller_new();
	char lines[512];

	caller_calls(&c, RELIABLE WITH(OFFER));
	(void)snprintf(lines, sizeof(lines), "RAck: %u 1 INVITE\n%s", rings(&c, ANSWER),
		WITH("v=0 offer 2"));
	caller_sends(&c, "PRACK", lines);
	(void)world_expect_event(c.wu, UA_SESSION_OFFER);
	ck_assert_int_eq(session_reject_offer(c.s, 488), 0);
	ck_assert_int_eq(world_expect_out(c.w, "488")->cseq_method, METHOD_PRACK);
	(void)caller_expect(&c, "488");
	caller_acks_refusal(&c);
	(void)world_expect_terminated(c.wu, 488, ORIGIN_LOCAL);
	caller_finish(&c);
}
END_TEST

RUN_TESTS("session-prack", rfc3262_3_one_at_a_time, rfc3262_3_repeated, rfc3262_3_matching,
	rfc3262_3_final_first, rfc3262_3_refused_first, rfc3261_9_2_cancelled_while_accepting,
	rfc3261_15_1_2_bye_while_accepting, rfc3261_13_2_1_offer_is_reliable,
	rfc3262_5_no_answer_in_prack, rfc3262_5_offer_in_prack, rfc6337_2_3_offer_in_prack_refused)
