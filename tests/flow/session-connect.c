/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Third-party call control until both parties are joined, and the ways not to get there. */
#include <check.h>
#include <stdio.h>

#include "protocol/base/err.h"
#include "tests/flow/trio.h"
#include "tests/support/run.h"

/* RFC 3725 4.1, figure 1: nothing of a description is touched. */
START_TEST(rfc3725_4_1_flow_1)
{
	struct trio t = trio_new();

	world_show(t.w, "CSeq");
	trio_connect(&t);
	ck_assert(slice_eq(session_party(t.s), SLICE("third")));
	trio_says(&t, &t.anna, t.anna.invite, 180, NULL);
	(void)world_expect_progress(t.wu, 180);
	trio_first_answers(&t);
	ck_assert(!slice_eq(t.anna.invite->call_id, t.bob.invite->call_id));
	trio_says(&t, &t.bob, t.bob.invite, 180, NULL);
	ck_assert(slice_eq(world_expect_progress(t.wu, 180)->event.fork, SLICE("second")));
	trio_second_answers(&t);
	ck_assert_uint_eq(session_state(t.s), SESSION_ESTABLISHED);
	ck_assert_uint_eq(session_description_state(t.s), OFFER_STABLE);
	trio_finish(&t);
}
END_TEST

START_TEST(golden_flow_1)
{
	struct trio t = trio_new();

	world_show(t.w, "CSeq");
	trio_connect(&t);
	trio_says(&t, &t.anna, t.anna.invite, 180, NULL);
	(void)world_expect_progress(t.wu, 180);
	world_run(t.w, 2 * SEC);
	trio_first_answers(&t);
	trio_second_answers(&t);
	world_run(t.w, 60 * SEC);
	trio_sends(&t, &t.bob, "BYE", NULL);
	(void)trio_expect(&t, &t.bob, "200", "");
	trio_bye(&t, &t.anna, "");
	(void)world_expect_terminated(t.wu, 200, ORIGIN_REMOTE);
	world_log_golden(t.w, "session-connect-flow-1");
	trio_leave(&t);
}
END_TEST

/* ---- the second takes its time ---- */

/* Bob answers at last; Anna, who was held, is asked for an offer. */
static const struct msg *asked_again(struct trio *t)
{
	const struct msg *m;

	trio_says(t, &t->bob, t->bob.invite, 200, WITH(BOB_1));
	(void)trio_expect(t, &t->bob, "ACK", "");
	m = trio_expect(t, &t->anna, "INVITE", "");
	world_expect_no_event(t->wu);
	return m;
}

static void held(struct trio *t)
{
	trio_connect(t);
	trio_first_answers(t);
	trio_held(t);
}

/* The id of the origin that Anna knows Carol by. */
static unsigned origin_of(const struct msg *m)
{
	unsigned id = 0;

	ck_assert_int_eq(sscanf(m->body.p, "v=0\r\no=- %u", &id), 1);
	return id;
}

/* RFC 3725 4.3, 4.4: Anna offers anew, Bob answers that, and Anna hears it from whom she knows. */
START_TEST(rfc3725_4_4_falls_to_flow_4)
{
	struct trio t = trio_new();
	const struct msg *held_with, *ask, *ack;
	char expected[512];

	world_show(t.w, "CSeq");
	trio_connect(&t);
	trio_first_answers(&t);
	trio_says(&t, &t.bob, t.bob.invite, 180, NULL);
	(void)world_expect_progress(t.wu, 180);
	held_with = world_wait_out(t.w, "ACK", 16 * SEC);
	ck_assert_uint_ge(world_now(t.w), 15 * SEC);
	ck_assert_uint_lt(world_now(t.w), 16 * SEC);
	(void)snprintf(expected, sizeof(expected),
		"v=0\r\no=- %u 1 IN IP4 anonymous.invalid\r\ns=-\r\nc=IN IP4 0.0.0.0\r\nt=0 0\r\n"
		"m=audio 9 RTP/AVP 0 97\r\na=inactive\r\na=rtpmap:97 x/8000\r\n",
		origin_of(held_with));
	ck_assert(slice_eq(held_with->body, slice_str(expected)));
	world_run(t.w, 60 * SEC);
	ask = asked_again(&t);
	trio_says(&t, &t.anna, ask, 200, WITH(ANNA_2));
	ask = trio_expect(&t, &t.bob, "INVITE", ANNA_2);
	trio_says(&t, &t.bob, ask, 200, WITH(BOB_2));
	(void)trio_expect(&t, &t.bob, "ACK", "");
	ack = trio_expect_any(&t, &t.anna, "ACK");
	(void)snprintf(
		expected, sizeof(expected), SDP_AS("%u 2", "bob", "5002"), origin_of(held_with));
	ck_assert(slice_eq(ack->body, slice_str(expected)));
	(void)world_expect_event(t.wu, UA_SESSION_ESTABLISHED);
	world_log_golden(t.w, "session-connect-flow-4");
	/* RFC 3264 section 8: one more with each description. */
	trio_sends(&t, &t.bob, "INVITE", WITH(BOB_1));
	ask = trio_expect_any(&t, &t.anna, "INVITE");
	(void)snprintf(
		expected, sizeof(expected), SDP_AS("%u 3", "bob", "5000"), origin_of(held_with));
	ck_assert(slice_eq(ask->body, slice_str(expected)));
	trio_says(&t, &t.anna, ask, 200, WITH(ANNA_1));
	(void)trio_expect(&t, &t.anna, "ACK", "");
	(void)trio_expect(&t, &t.bob, "200", ANNA_1);
	trio_sends(&t, &t.bob, "ACK", NULL);
	trio_finish(&t);
}
END_TEST

/* Bob has answered that offer already. */
START_TEST(held_offers_the_same)
{
	struct trio t = trio_new();
	const struct msg *m;

	held(&t);
	m = asked_again(&t);
	trio_says(&t, &t.anna, m, 200, WITH(ANNA_1));
	m = trio_expect_any(&t, &t.anna, "ACK");
	ck_assert_uint_ne(slice_find(m->body, 'b'), m->body.n);
	(void)world_expect_event(t.wu, UA_SESSION_ESTABLISHED);
	trio_finish(&t);
}
END_TEST

/* RFC 3262: the answer to an offer in a 1xx goes in PRACK, before there is a second. */
START_TEST(rfc3262_5_early_offer)
{
	struct trio t = trio_new();
	const struct msg *m;

	trio_connect(&t);
	trio_says(&t, &t.anna, t.anna.invite, 183, "Require: 100rel\nRSeq: 1\n" WITH(ANNA_1));
	m = trio_expect_any(&t, &t.anna, "PRACK");
	ck_assert_uint_ne(origin_of(m), 0);
	trio_says(&t, &t.anna, m, 200, NULL);
	(void)world_expect_progress(t.wu, 183);
	world_run(t.w, 30 * SEC);
	trio_says(&t, &t.anna, t.anna.invite, 200, NULL);
	(void)trio_expect(&t, &t.anna, "ACK", "");
	t.bob.invite = trio_expect(&t, &t.bob, "INVITE", ANNA_1);
	m = asked_again(&t);
	trio_says(&t, &t.anna, m, 200, WITH(ANNA_1));
	(void)trio_expect_any(&t, &t.anna, "ACK");
	(void)world_expect_event(t.wu, UA_SESSION_ESTABLISHED);
	trio_finish(&t);
}
END_TEST

/* RFC 3725 section 6, figure 5: nothing can be passed on yet. */
START_TEST(rfc3725_6_offer_too_early)
{
	struct trio t = trio_new();
	const struct msg *m;

	held(&t);
	trio_sends(&t, &t.anna, "INVITE", WITH(ANNA_2));
	(void)trio_expect(&t, &t.anna, "491", "");
	trio_sends(&t, &t.anna, "ACK refusal", NULL);
	m = asked_again(&t);
	trio_sends(&t, &t.bob, "UPDATE", WITH(BOB_2));
	(void)trio_expect(&t, &t.bob, "491", "");
	trio_says(&t, &t.anna, m, 200, WITH(ANNA_1));
	(void)trio_expect_any(&t, &t.anna, "ACK");
	(void)world_expect_event(t.wu, UA_SESSION_ESTABLISHED);
	trio_finish(&t);
}
END_TEST

/* The same from an early dialog, whose answer in a reliable 183 is passed on with the 200. */
START_TEST(rfc3725_6_early_update)
{
	struct trio t = trio_new();
	const struct msg *m;

	trio_connect(&t);
	trio_first_answers(&t);
	trio_says(&t, &t.bob, t.bob.invite, 183, "Require: 100rel\nRSeq: 1\n" WITH(BOB_1));
	(void)world_expect_progress(t.wu, 183);
	m = trio_expect(&t, &t.bob, "PRACK", "");
	trio_says(&t, &t.bob, m, 200, NULL);
	trio_sends(&t, &t.bob, "UPDATE", WITH(BOB_2));
	(void)trio_expect(&t, &t.bob, "491", "");
	trio_says(&t, &t.bob, t.bob.invite, 200, NULL);
	(void)trio_expect(&t, &t.bob, "ACK", "");
	(void)trio_expect(&t, &t.anna, "ACK", BOB_1);
	(void)world_expect_event(t.wu, UA_SESSION_ESTABLISHED);
	trio_finish(&t);
}
END_TEST

START_TEST(nothing_to_hold)
{
	static const char *const offers[] = {
		"Content-Type: multipart/mixed;boundary=x\n\n--x\r\n\r\nv=0\r\n--x--\r\n",
		"Content-Type: application/sdp\n\nv=0\r\nm=audio\r\n",
	};

	for (size_t i = 0; i < ARRAY_LEN(offers); i++) {
		struct trio t = trio_new();

		trio_connect(&t);
		trio_says(&t, &t.anna, t.anna.invite, 200, offers[i]);
		t.bob.invite = trio_expect_any(&t, &t.bob, "INVITE");
		trio_says(&t, &t.bob, t.bob.invite, 100, NULL);
		world_run(t.w, 15 * SEC);
		(void)trio_expect(&t, &t.anna, "ACK", "");
		trio_bye(&t, &t.anna,
			"SIP;cause=408;text=\"the second party did not answer in time\"");
		trio_says(&t, &t.bob, trio_expect(&t, &t.bob, "CANCEL", ""), 200, NULL);
		trio_says(&t, &t.bob, t.bob.invite, 487, NULL);
		(void)trio_expect(&t, &t.bob, "ACK", "");
		(void)world_expect_terminated(t.wu, 408, ORIGIN_LOCAL);
		trio_leave(&t);
	}
}
END_TEST

/* ---- refusals ---- */

START_TEST(first_refuses)
{
	struct trio t = trio_new();

	trio_connect(&t);
	trio_says(&t, &t.anna, t.anna.invite, 486, NULL);
	(void)trio_expect(&t, &t.anna, "ACK", "");
	(void)world_expect_terminated(t.wu, 486, ORIGIN_REMOTE);
	trio_leave(&t);
}
END_TEST

START_TEST(first_offers_nothing)
{
	struct trio t = trio_new();

	trio_connect(&t);
	trio_says(&t, &t.anna, t.anna.invite, 200, NULL);
	(void)trio_expect(&t, &t.anna, "ACK", "");
	trio_bye(&t, &t.anna, "");
	(void)world_expect_terminated(t.wu, 488, ORIGIN_LOCAL);
	trio_leave(&t);
}
END_TEST

static void second_refuses(struct trio *t)
{
	trio_says(t, &t->bob, t->bob.invite, 486, NULL);
	(void)trio_expect(t, &t->bob, "ACK", "");
}

/* RFC 3725 section 6: BYE, with a Reason that carries the status. */
START_TEST(rfc3725_6_second_refuses)
{
	struct trio t = trio_new();

	world_show(t.w, "CSeq");
	world_show(t.w, "Reason");
	trio_connect(&t);
	trio_first_answers(&t);
	second_refuses(&t);
	/* RFC 3261 section 15: no BYE before the 2xx is acknowledged. */
	(void)trio_expect(&t, &t.anna, "ACK", "");
	trio_bye(&t, &t.anna, "SIP;cause=486;text=\"Busy Here\"");
	(void)world_expect_terminated(t.wu, 486, ORIGIN_REMOTE);
	world_log_golden(t.w, "session-connect-busy");
	trio_leave(&t);
}
END_TEST

START_TEST(second_refuses_while_held)
{
	struct trio t = trio_new();

	held(&t);
	second_refuses(&t);
	trio_bye(&t, &t.anna, "SIP;cause=486;text=\"Busy Here\"");
	(void)world_expect_terminated(t.wu, 486, ORIGIN_REMOTE);
	trio_leave(&t);
}
END_TEST

/* Nothing in common, as it turns out: both dialogs end (RFC 3725 4.3). */
START_TEST(rfc3725_4_3_no_common_media)
{
	struct trio t = trio_new();
	const struct msg *m;

	held(&t);
	m = asked_again(&t);
	trio_says(&t, &t.anna, m, 200, WITH(ANNA_2));
	m = trio_expect(&t, &t.bob, "INVITE", ANNA_2);
	trio_says(&t, &t.bob, m, 488, NULL);
	(void)trio_expect(&t, &t.bob, "ACK", "");
	(void)trio_expect(&t, &t.anna, "ACK", "");
	trio_bye(&t, &t.anna, "SIP;cause=488;text=\"Not Acceptable Here\"");
	trio_bye(&t, &t.bob, "SIP;cause=488;text=\"Not Acceptable Here\"");
	(void)world_expect_terminated(t.wu, 488, ORIGIN_REMOTE);
	trio_leave(&t);
}
END_TEST

START_TEST(held_offers_nothing_more)
{
	struct trio t = trio_new();

	held(&t);
	trio_says(&t, &t.anna, asked_again(&t), 488, NULL);
	(void)trio_expect(&t, &t.anna, "ACK", "");
	trio_bye(&t, &t.anna, "SIP;cause=488;text=\"Not Acceptable Here\"");
	trio_bye(&t, &t.bob, "SIP;cause=488;text=\"Not Acceptable Here\"");
	(void)world_expect_terminated(t.wu, 488, ORIGIN_REMOTE);
	trio_leave(&t);
}
END_TEST

START_TEST(second_cannot_be_called)
{
	struct trio t = trio_new();
	struct connect_spec spec = { .first = SLICE("sip:anna@192.0.2.1") };
	static const char *const bad[] = { "", "bob", "https://bob", "sip:bob@192.0.2.20?a=b" };
	const char *why;

	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		spec.second = slice_str(bad[i]);
		why = NULL;
		ck_assert_int_eq(connect_new(t.ep, &spec, &t.s, &why), -EINVAL);
		ck_assert_ptr_nonnull(why);
	}
	spec.first = SLICE("anna");
	spec.second = SLICE("sip:bob@192.0.2.20");
	ck_assert_int_eq(connect_new(t.ep, &spec, &t.s, &why), -EINVAL);
	/* Found out only when its turn comes. */
	spec.first = SLICE("sip:anna@192.0.2.1");
	spec.second = SLICE("tel:+15550100");
	ck_assert_int_eq(connect_new(t.ep, &spec, &t.s, &why), 0);
	t.anna.invite = trio_expect(&t, &t.anna, "INVITE", "");
	trio_says(&t, &t.anna, t.anna.invite, 200, WITH(ANNA_1));
	(void)trio_expect(&t, &t.anna, "ACK", "");
	trio_bye(&t, &t.anna, "SIP;cause=500;text=\"no way to a URI of that kind\"");
	(void)world_expect_terminated(t.wu, 500, ORIGIN_LOCAL);
	trio_leave(&t);
}
END_TEST

/* RFC 3261 7.4.1: a body that nobody says anything about is not handed on. */
START_TEST(rfc3261_7_4_1_untyped_answer)
{
	struct trio t = trio_new();

	trio_connect(&t);
	trio_first_answers(&t);
	trio_says(&t, &t.bob, t.bob.invite, 200, "\n" BOB_1);
	(void)trio_expect(&t, &t.bob, "ACK", "");
	(void)trio_expect(&t, &t.anna, "ACK", "");
	trio_bye(&t, &t.anna, "SIP;cause=488;text=\"nothing to answer with\"");
	trio_bye(&t, &t.bob, "SIP;cause=488;text=\"nothing to answer with\"");
	(void)world_expect_terminated(t.wu, 488, ORIGIN_LOCAL);
	trio_leave(&t);
}
END_TEST

START_TEST(rfc3261_7_4_1_untyped_offer)
{
	struct trio t = trio_new();

	trio_connect(&t);
	trio_says(&t, &t.anna, t.anna.invite, 200, "\n" ANNA_1);
	(void)trio_expect(&t, &t.anna, "ACK", "");
	trio_bye(&t, &t.anna, "SIP;cause=500;text=\"a description needs a content type\"");
	(void)world_expect_terminated(t.wu, 500, ORIGIN_LOCAL);
	trio_leave(&t);
}
END_TEST

START_TEST(second_is_one_too_many)
{
	struct trio t = trio_new();

	t.wu->ua->max_sessions = 1;
	trio_connect(&t);
	trio_says(&t, &t.anna, t.anna.invite, 200, WITH(ANNA_1));
	(void)trio_expect(&t, &t.anna, "ACK", "");
	trio_bye(&t, &t.anna, "SIP;cause=503;text=\"too many requests or sessions\"");
	(void)world_expect_terminated(t.wu, 503, ORIGIN_LOCAL);
	trio_leave(&t);
}
END_TEST

/* ---- the end before both are joined ---- */

static void bob_cancelled(struct trio *t)
{
	trio_says(t, &t->bob, trio_expect(t, &t->bob, "CANCEL", ""), 200, NULL);
	trio_says(t, &t->bob, t->bob.invite, 487, NULL);
	(void)trio_expect(t, &t->bob, "ACK", "");
}

START_TEST(given_up_while_first_rings)
{
	struct trio t = trio_new();

	trio_connect(&t);
	trio_says(&t, &t.anna, t.anna.invite, 180, NULL);
	(void)world_expect_progress(t.wu, 180);
	ck_assert_int_eq(session_terminate(t.s, NULL), 0);
	trio_says(&t, &t.anna, trio_expect(&t, &t.anna, "CANCEL", ""), 200, NULL);
	trio_says(&t, &t.anna, t.anna.invite, 487, NULL);
	(void)trio_expect(&t, &t.anna, "ACK", "");
	(void)world_expect_terminated(t.wu, 487, ORIGIN_LOCAL);
	trio_leave(&t);
}
END_TEST

START_TEST(given_up_while_second_rings)
{
	struct trio t = trio_new();

	trio_connect(&t);
	trio_first_answers(&t);
	trio_says(&t, &t.bob, t.bob.invite, 180, NULL);
	(void)world_expect_progress(t.wu, 180);
	ck_assert_int_eq(session_terminate(t.s, NULL), 0);
	(void)trio_expect(&t, &t.anna, "ACK", "");
	/* Bob is not left ringing until Anna has answered her BYE. */
	trio_bye(&t, &t.anna, "");
	bob_cancelled(&t);
	(void)world_expect_terminated(t.wu, 0, ORIGIN_LOCAL);
	trio_leave(&t);
}
END_TEST

START_TEST(given_up_while_held)
{
	struct trio t = trio_new();

	held(&t);
	ck_assert_int_eq(session_terminate(t.s, NULL), 0);
	trio_bye(&t, &t.anna, "");
	bob_cancelled(&t);
	(void)world_expect_terminated(t.wu, 0, ORIGIN_LOCAL);
	trio_leave(&t);
}
END_TEST

/* A re-INVITE on its way is acknowledged, whatever it brings (RFC 3261 13.2.2.4). */
START_TEST(given_up_while_asking_again)
{
	struct trio t = trio_new();
	const struct msg *m;

	held(&t);
	m = asked_again(&t);
	ck_assert_int_eq(session_terminate(t.s, NULL), 0);
	trio_bye(&t, &t.anna, "");
	trio_bye(&t, &t.bob, "");
	(void)world_expect_terminated(t.wu, 0, ORIGIN_LOCAL);
	trio_says(&t, &t.anna, m, 200, WITH(ANNA_2));
	(void)trio_expect(&t, &t.anna, "ACK", "");
	trio_leave(&t);
}
END_TEST

/* The session tells how the party ended, not how our offer to the other did. */
START_TEST(hung_up_while_asking_again)
{
	struct trio t = trio_new();
	const struct msg *m;

	held(&t);
	m = asked_again(&t);
	trio_sends(&t, &t.anna, "BYE", NULL);
	(void)trio_expect(&t, &t.anna, "200", "");
	trio_bye(&t, &t.bob, "");
	(void)world_expect_terminated(t.wu, 200, ORIGIN_REMOTE);
	trio_says(&t, &t.anna, m, 487, NULL);
	(void)trio_expect(&t, &t.anna, "ACK", "");
	trio_leave(&t);
}
END_TEST

START_TEST(first_hangs_up_while_second_rings)
{
	struct trio t = trio_new();

	held(&t);
	trio_sends(&t, &t.anna, "BYE", NULL);
	(void)trio_expect(&t, &t.anna, "200", "");
	bob_cancelled(&t);
	(void)world_expect_terminated(t.wu, 200, ORIGIN_REMOTE);
	trio_leave(&t);
}
END_TEST

/* RFC 3261 9.1: the CANCEL came too late. */
START_TEST(second_answers_as_first_hangs_up)
{
	struct trio t = trio_new();
	const struct msg *cancel;

	held(&t);
	trio_sends(&t, &t.anna, "BYE", NULL);
	(void)trio_expect(&t, &t.anna, "200", "");
	(void)world_expect_terminated(t.wu, 200, ORIGIN_REMOTE);
	cancel = trio_expect(&t, &t.bob, "CANCEL", "");
	trio_says(&t, &t.bob, t.bob.invite, 200, WITH(BOB_1));
	trio_says(&t, &t.bob, cancel, 481, NULL);
	(void)trio_expect(&t, &t.bob, "ACK", "");
	trio_bye(&t, &t.bob, "");
	trio_leave(&t);
}
END_TEST

/* The same with nothing on the wire yet that could be cancelled. */
START_TEST(given_up_before_second_was_heard)
{
	struct trio t = trio_new();

	trio_connect(&t);
	trio_first_answers(&t);
	ck_assert_int_eq(session_terminate(t.s, NULL), 0);
	(void)trio_expect(&t, &t.anna, "ACK", "");
	trio_bye(&t, &t.anna, "");
	(void)world_expect_terminated(t.wu, 0, ORIGIN_LOCAL);
	trio_says(&t, &t.bob, t.bob.invite, 180, NULL);
	bob_cancelled(&t);
	trio_leave(&t);
}
END_TEST

START_TEST(endpoint_closes)
{
	struct trio t = trio_new();

	trio_joined(&t);
	endpoint_close(t.ep);
	trio_bye(&t, &t.anna, "");
	trio_bye(&t, &t.bob, "");
	(void)world_expect_terminated(t.wu, 0, ORIGIN_LOCAL);
	trio_leave(&t);
}
END_TEST

/* At once, without a word, in each state: nothing leaks. */
START_TEST(agent_is_freed)
{
	for (int i = 0; i < 4; i++) {
		struct trio t = trio_new();

		trio_connect(&t);
		if (i > 0)
			trio_first_answers(&t);
		if (i > 1)
			trio_held(&t);
		if (i > 2)
			(void)asked_again(&t);
		world_free(t.w);
	}
}
END_TEST

RUN_TESTS("session-connect", rfc3725_4_1_flow_1, golden_flow_1, rfc3725_4_4_falls_to_flow_4,
	held_offers_the_same, rfc3262_5_early_offer, rfc3725_6_offer_too_early,
	rfc3725_6_early_update, nothing_to_hold, first_refuses, first_offers_nothing,
	rfc3725_6_second_refuses, second_refuses_while_held, rfc3725_4_3_no_common_media,
	held_offers_nothing_more, second_cannot_be_called, rfc3261_7_4_1_untyped_answer,
	rfc3261_7_4_1_untyped_offer, second_is_one_too_many, given_up_while_first_rings,
	given_up_while_second_rings, given_up_while_held, given_up_while_asking_again,
	hung_up_while_asking_again, first_hangs_up_while_second_rings,
	second_answers_as_first_hangs_up, given_up_before_second_was_heard, endpoint_closes,
	agent_is_freed)
