/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* BYE from both sides: RFC 3261 section 15, RFC 3326. */
#include <check.h>
#include <stdio.h>

#include "protocol/base/err.h"
#include "tests/flow/callee.h"
#include "tests/support/run.h"

static struct callee established(void)
{
	struct callee c = callee_new();

	callee_called(&c, NULL);
	callee_established(&c, "b");
	return c;
}

/* ---- ours ---- */

START_TEST(rfc3261_15_1_1_bye)
{
	static const struct request_header reason[] = { { SLICE_INIT("Reason"),
		SLICE_INIT("Q.850;cause=16") } };
	struct session_end end = { .headers = { reason, 1 }, .reason = SLICE("lunch") };
	struct callee c = established();
	const struct msg *bye;
	const struct world_told *t;

	ck_assert_int_eq(session_terminate(c.s, &end), 0);
	ck_assert_uint_eq(session_state(c.s), SESSION_TERMINATING);
	bye = callee_expect(&c, "BYE", "b");
	ck_assert_uint_eq(bye->cseq, 2);
	callee_check_header(bye, HDR_REASON, "Q.850;cause=16");
	world_expect_no_event(c.wu);
	world_reply(c.w, bye, 200, NULL);
	world_settle(c.w);
	t = world_expect_terminated(c.wu, 0, ORIGIN_LOCAL);
	ck_assert(slice_eq(t->event.reason, SLICE("lunch")));
	callee_finish(&c);
}
END_TEST

/* Whatever the peer answers, we said that it is over. */
START_TEST(rfc3261_15_1_1_any_answer_to_bye_will_do)
{
	static const unsigned answers[] = { 200, 202, 302, 400, 401, 403, 404, 408, 481, 500, 503,
		603 };

	for (size_t i = 0; i < ARRAY_LEN(answers); i++) {
		struct callee c = established();

		ck_assert_int_eq(session_terminate(c.s, NULL), 0);
		callee_answers(&c, "BYE", "b", answers[i]);
		(void)world_expect_terminated(c.wu, 0, ORIGIN_LOCAL);
		callee_finish(&c);
	}
}
END_TEST

START_TEST(rfc3261_15_1_1_or_none_at_all)
{
	struct callee c = established();
	usec_t begin = world_now(c.w);

	ck_assert_int_eq(session_terminate(c.s, NULL), 0);
	world_set_reach(c.w, "192.0.2.1", WORLD_SILENT);
	while (list_is_empty(&c.wu->told))
		world_run(c.w, SEC);
	(void)world_expect_terminated(c.wu, 0, ORIGIN_LOCAL);
	ck_assert_uint_le(world_now(c.w) - begin, 33 * SEC);
	(void)world_skip_out(c.w);
	callee_finish(&c);
}
END_TEST

START_TEST(rfc3261_15_no_bye_before_the_ack_that_we_owe)
{
	struct callee c = callee_new();

	callee_called_without_offer(&c);
	callee_says(&c, 200, "b", WITH(OFFER));
	(void)world_expect_event(c.wu, UA_SESSION_OFFER);
	ck_assert_int_eq(session_terminate(c.s, NULL), 0);
	ck_assert_uint_eq(callee_acked(&c, "b")->body.n, 0);
	callee_answers(&c, "BYE", "b", 200);
	(void)world_expect_terminated(c.wu, 0, ORIGIN_LOCAL);
	/* Its timer went with it. */
	callee_finish(&c);
}
END_TEST

START_TEST(what_waits_is_done_when_it_ends)
{
	struct callee c = established();
	struct world_reply done = { 0 };
	struct session_body offer = world_sdp("v=0 second");
	struct session_reply reply = world_reply_of(&done);
	struct world_reply info_done = { 0 };
	struct session_reply info_reply = world_reply_of(&info_done);
	struct session_headers none = { 0 };
	struct session_body tone = { SLICE("application/dtmf-relay"), SLICE("Signal=1") };

	ck_assert_int_eq(session_offer(c.s, &offer, SLICE_NULL, &reply), 0);
	(void)world_skip_out(c.w);
	ck_assert_int_eq(session_info(c.s, SLICE_NULL, &tone, &none, &info_reply), 0);
	(void)callee_expect(&c, "INFO", "b");
	ck_assert_uint_eq(done.n + info_done.n, 0);
	ck_assert_int_eq(session_terminate(c.s, NULL), 0);
	ck_assert_uint_eq(done.n, 1);
	ck_assert_int_eq(done.error, -ECANCELED);
	ck_assert_uint_eq(info_done.n, 1);
	ck_assert_int_eq(info_done.error, -ECANCELED);
	callee_answers(&c, "BYE", "b", 200);
	(void)world_expect_terminated(c.wu, 0, ORIGIN_LOCAL);
	(void)world_skip_out(c.w);
	world_run(c.w, 64 * SEC);
	(void)world_skip_out(c.w);
	callee_finish(&c);
}
END_TEST

/* ---- the peer's ---- */

static const struct {
	const char *lines;
	unsigned status;
	const char *reason;
} reasons[] = {
	{ NULL, 200, "ended by the peer" },
	{ "Reason: SIP;cause=486;text=\"Busy Here\"\n", 486, "Busy Here" },
	{ "Reason: SIP ;cause=480\n", 480, "Temporarily Unavailable" },
	{ "Reason: Q.850;cause=16;text=\"Terminated\"\n", 200, "Terminated" },
	{ "Reason: Q.850;cause=31\n", 200, "Q.850 31" },
	{ "Reason: Q.850;cause=16, sip;cause=600;text=\"a \\\"b\\\"\"\n", 600, "a \"b\"" },
	{ "Reason: Q.850;cause=16\nReason: SIP;cause=503\n", 503, "Service Unavailable" },
	{ "Reason: SIP;cause=7\n", 200, "" },
	{ "Reason: Preemption\n", 200, "Preemption" },
	{ "Reason: ;;;\n", 200, "ended by the peer" },
};

START_TEST(rfc3326_2_why_the_peer_ended_it)
{
	for (size_t i = 0; i < ARRAY_LEN(reasons); i++) {
		struct callee c = established();
		const struct world_told *t;

		callee_sends(&c, "BYE", "b", reasons[i].lines);
		(void)world_expect_out(c.w, "200");
		t = world_expect_terminated(c.wu, reasons[i].status, ORIGIN_REMOTE);
		if (*reasons[i].reason)
			ck_assert_msg(slice_eq(t->event.reason, slice_str(reasons[i].reason)),
				"'%.*s', not '%s'", SLICE_ARGS(t->event.reason), reasons[i].reason);
		callee_finish(&c);
	}
}
END_TEST

START_TEST(rfc3261_15_1_2_after_it_there_is_no_dialog)
{
	struct callee c = established();

	callee_sends(&c, "BYE", "b", NULL);
	(void)world_expect_out(c.w, "200");
	(void)world_expect_terminated(c.wu, 200, ORIGIN_REMOTE);
	callee_sends(&c, "BYE", "b", NULL);
	(void)world_expect_out(c.w, "481");
	callee_sends(&c, "INFO", "b", NULL);
	(void)world_expect_out(c.w, "481");
	/* But a 2xx that was under way is still acknowledged. */
	callee_says(&c, 200, "b", WITH(ANSWER));
	(void)callee_acked(&c, "b");
	callee_finish(&c);
}
END_TEST

START_TEST(rfc5407_3_2_3_bye_crosses_bye)
{
	struct callee c = established();
	const struct msg *bye;

	ck_assert_int_eq(session_terminate(c.s, NULL), 0);
	bye = callee_expect(&c, "BYE", "b");
	callee_sends(&c, "BYE", "b", NULL);
	(void)world_expect_out(c.w, "200");
	world_expect_no_event(c.wu);
	world_reply(c.w, bye, 481, NULL);
	world_settle(c.w);
	(void)world_expect_terminated(c.wu, 0, ORIGIN_LOCAL);
	callee_finish(&c);
}
END_TEST

/* 15.1.2: what of the peer's is pending is answered all the same. */
START_TEST(rfc5407_3_2_2_bye_crosses_the_answer_to_a_reinvite)
{
	struct callee c = established();

	callee_sends(&c, "INVITE", "b", WITH("v=0 second"));
	(void)world_expect_event(c.wu, UA_SESSION_OFFER);
	world_run(c.w, SEC);
	(void)world_expect_out(c.w, "100");
	callee_sends(&c, "BYE", "b", NULL);
	(void)world_expect_terminated(c.wu, 200, ORIGIN_REMOTE);
	(void)world_expect_out(c.w, "200");
	(void)world_expect_out(c.w, "487");
	world_run(c.w, 40 * SEC); /* no ACK for it comes */
	(void)world_skip_out(c.w);
	callee_finish(&c);
}
END_TEST

START_TEST(bye_while_the_offer_in_the_2xx_waits)
{
	struct callee c = callee_new();

	callee_called_without_offer(&c);
	callee_says(&c, 200, "b", WITH(OFFER));
	(void)world_expect_event(c.wu, UA_SESSION_OFFER);
	callee_sends(&c, "BYE", "b", NULL);
	(void)world_expect_out(c.w, "200");
	(void)callee_acked(&c, "b");
	(void)world_expect_terminated(c.wu, 200, ORIGIN_REMOTE);
	callee_finish(&c);
}
END_TEST

/* ---- of a session that came ---- */

static struct session *invited(struct callee *c)
{
	static const char headers[] = "Via: SIP/2.0/UDP {peer};branch=z9hG4bK-in;rport\n"
				      "Max-Forwards: 70\nFrom: <sip:bob@192.0.2.1>;tag=b\n"
				      "Call-ID: in\nContact: <sip:bob@192.0.2.1>\n";
	struct buf b = BUF_NULL;
	char *text;

	buf_printf(&b, "INVITE {contact} SIP/2.0\n%sTo: <sip:alice@192.0.2.10>\nCSeq: 1 INVITE\n",
		headers);
	buf_lit(&b, WITH(OFFER));
	text = buf_take(&b);
	world_in(c->wu, "udp:192.0.2.1:5060", text);
	free(text);
	world_settle(c->w);
	return world_expect_session(c->wu);
}

static void bob_sends(struct callee *c, const char *method, uint32_t cseq, const struct msg *answer)
{
	struct buf b = BUF_NULL;
	char *text;

	buf_printf(&b,
		"%s {contact} SIP/2.0\nVia: SIP/2.0/UDP {peer};branch=z9hG4bK-{n};rport\n"
		"Max-Forwards: 70\nFrom: <sip:bob@192.0.2.1>;tag=b\nCall-ID: in\n"
		"To: <sip:alice@192.0.2.10>;tag=%.*s\nCSeq: %u %s\nContent-Length: 0\n\n",
		method, SLICE_ARGS(answer->to_tag), cseq, method);
	text = buf_take(&b);
	world_in(c->wu, "udp:192.0.2.1:5060", text);
	free(text);
	world_settle(c->w);
}

static const struct msg *accept(struct callee *c, struct session *s)
{
	struct session_body answer = world_sdp(ANSWER);
	struct session_headers none = { 0 };

	ck_assert_int_eq(session_accept(s, &answer, &none), 0);
	return world_expect_out(c->w, "200");
}

static void ended(struct callee *c, const struct msg *bye)
{
	world_reply(c->w, bye, 200, NULL);
	world_settle(c->w);
	(void)world_expect_terminated(c->wu, 0, ORIGIN_LOCAL);
	callee_finish(c);
}

/* The callee may not send BYE before the ACK; its 2xx goes on being repeated until then. */
START_TEST(rfc3261_15_the_callees_bye_waits_for_the_ack)
{
	struct callee c = callee_new();
	struct session *s = invited(&c);
	const struct msg *answer = accept(&c, s);

	ck_assert_int_eq(session_terminate(s, NULL), 0);
	for (unsigned i = 0; i < 3; i++)
		(void)world_wait_out(c.w, "200", 5 * SEC);
	bob_sends(&c, "ACK", 1, answer);
	ended(&c, world_expect_out(c.w, "BYE"));
}
END_TEST

/* Or before it has given up waiting for the ACK. */
START_TEST(rfc3261_15_the_callees_bye_waits_for_no_ack)
{
	struct callee c = callee_new();
	struct session *s = invited(&c);
	usec_t begin = world_now(c.w);

	(void)accept(&c, s);
	ck_assert_int_eq(session_terminate(s, NULL), 0);
	while (world_now(c.w) - begin < 31 * SEC) {
		(void)world_wait_out(c.w, "200", 5 * SEC);
	}
	ended(&c, world_wait_out(c.w, "BYE", 5 * SEC));
}
END_TEST

/* The caller may end an early dialog by BYE; its INVITE is answered then (15.1.2). */
START_TEST(rfc3261_15_1_2_the_caller_ends_an_early_dialog)
{
	struct callee c = callee_new();
	struct session *s = invited(&c);
	struct session_ring ring = { 0 };
	const struct msg *ringing;

	ck_assert_int_eq(session_ring(s, &ring), 0);
	ringing = world_expect_out(c.w, "180");
	bob_sends(&c, "BYE", 2, ringing);
	(void)world_expect_out(c.w, "200");
	(void)world_expect_out(c.w, "487");
	(void)world_expect_terminated(c.wu, 200, ORIGIN_REMOTE);
	world_run(c.w, 40 * SEC); /* no ACK for it comes */
	(void)world_skip_out(c.w);
	callee_finish(&c);
}
END_TEST

/* BYE overtakes the ACK: the 2xx is repeated no more. */
START_TEST(rfc5407_3_1_2_bye_comes_before_the_ack)
{
	struct callee c = callee_new();
	struct session *s = invited(&c);
	const struct msg *answer = accept(&c, s);

	bob_sends(&c, "BYE", 2, answer);
	(void)world_expect_out(c.w, "200");
	(void)world_expect_terminated(c.wu, 200, ORIGIN_REMOTE);
	bob_sends(&c, "ACK", 1, answer);
	world_expect_silence(c.w, 20 * SEC);
	callee_finish(&c);
}
END_TEST

RUN_TESTS("session-end", rfc3261_15_1_1_bye, rfc3261_15_1_1_any_answer_to_bye_will_do,
	rfc3261_15_1_1_or_none_at_all, rfc3261_15_no_bye_before_the_ack_that_we_owe,
	what_waits_is_done_when_it_ends, rfc3326_2_why_the_peer_ended_it,
	rfc3261_15_1_2_after_it_there_is_no_dialog, rfc5407_3_2_3_bye_crosses_bye,
	rfc5407_3_2_2_bye_crosses_the_answer_to_a_reinvite, bye_while_the_offer_in_the_2xx_waits,
	rfc3261_15_the_callees_bye_waits_for_the_ack, rfc3261_15_the_callees_bye_waits_for_no_ack,
	rfc3261_15_1_2_the_caller_ends_an_early_dialog, rfc5407_3_1_2_bye_comes_before_the_ack)
