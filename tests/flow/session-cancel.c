/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Taking an INVITE back in each of its states: RFC 3261 section 9.1, and what may cross it. */
#include <check.h>

#include "protocol/base/err.h"
#include "tests/flow/callee.h"
#include "tests/support/run.h"

static void terminate(struct callee *c)
{
	ck_assert_int_eq(session_terminate(c->s, NULL), 0);
	/* Again changes nothing. */
	ck_assert_int_eq(session_terminate(c->s, NULL), 0);
	ck_assert_uint_eq(session_state(c->s), SESSION_TERMINATING);
}

/* It goes the way of the INVITE and names the same transaction. */
static const struct msg *check_cancel(const struct callee *c, const struct msg *cancel)
{
	ck_assert(slice_eq(cancel->via.branch, c->invite->via.branch));
	ck_assert(slice_eq(cancel->request_uri, c->invite->request_uri));
	ck_assert(slice_eq(cancel->call_id, c->invite->call_id));
	ck_assert_uint_eq(cancel->cseq, c->invite->cseq);
	ck_assert_uint_eq(cancel->to_tag.n, 0);
	return cancel;
}

static void expect_cancelled(struct callee *c)
{
	callee_says(c, 487, "b", NULL);
	(void)world_expect_out(c->w, "ACK");
	(void)world_expect_terminated(c->wu, 487, ORIGIN_LOCAL);
}

START_TEST(rfc3261_9_1_before_any_answer_it_waits_for_one)
{
	struct callee c = callee_new();

	callee_called(&c, NULL);
	terminate(&c);
	world_expect_silence(c.w, 400 * MSEC);
	callee_says(&c, 100, "", NULL);
	world_reply(c.w, check_cancel(&c, world_expect_out(c.w, "CANCEL")), 200, NULL);
	expect_cancelled(&c);
	callee_finish(&c);
}
END_TEST

START_TEST(rfc3261_9_1_after_ringing_it_goes_at_once)
{
	static const struct request_header reason[] = { { SLICE_INIT("Reason"),
		SLICE_INIT("SIP;cause=200;text=\"answered elsewhere\"") } };
	struct session_end end = { .headers = { reason, 1 } };
	struct callee c = callee_new();
	const struct msg *cancel;

	callee_called(&c, NULL);
	callee_says(&c, 180, "b", NULL);
	(void)world_expect_progress(c.wu, 180);
	ck_assert_int_eq(session_terminate(c.s, &end), 0);
	cancel = check_cancel(&c, world_expect_out(c.w, "CANCEL"));
	/* RFC 3326 section 2 */
	callee_check_header(cancel, HDR_REASON, "SIP;cause=200;text=\"answered elsewhere\"");
	world_reply(c.w, cancel, 200, NULL);
	/* What still rings is not told any more. */
	callee_says(&c, 180, "b", NULL);
	callee_says(&c, 180, "b2", NULL);
	world_expect_no_event(c.wu);
	expect_cancelled(&c);
	callee_finish(&c);
}
END_TEST

START_TEST(before_the_target_is_located_nothing_is_sent)
{
	struct callee c = callee_new();
	struct session_spec spec = {
		.target = SLICE("sip:bob@example.com"),
		.offer = world_sdp(OFFER),
	};
	const char *why;

	world_set_name(c.w, "example.com", "192.0.2.1");
	world_net(c.w)->dns_delay = 2 * SEC;
	ck_assert_int_eq(session_new(c.ep, &spec, &c.s, &why), 0);
	world_run(c.w, SEC);
	ck_assert_int_eq(session_terminate(c.s, NULL), 0);
	world_settle(c.w);
	(void)world_expect_terminated(c.wu, 487, ORIGIN_LOCAL);
	world_expect_silence(c.w, 10 * SEC);
	callee_finish(&c);
}
END_TEST

START_TEST(in_the_verb_that_made_it)
{
	struct callee c = callee_new();
	struct session_spec spec = { .target = SLICE("sip:bob@192.0.2.1") };
	const char *why;

	ck_assert_int_eq(session_new(c.ep, &spec, &c.s, &why), 0);
	ck_assert_int_eq(session_terminate(c.s, NULL), 0);
	c.invite = world_expect_out(c.w, "INVITE");
	callee_says(&c, 100, "", NULL);
	world_reply(c.w, check_cancel(&c, world_expect_out(c.w, "CANCEL")), 200, NULL);
	expect_cancelled(&c);
	callee_finish(&c);
}
END_TEST

START_TEST(nobody_ever_answers_the_invite)
{
	struct callee c = callee_new();

	callee_called(&c, NULL);
	world_set_reach(c.w, "192.0.2.1", WORLD_SILENT);
	terminate(&c);
	while (list_is_empty(&c.wu->told))
		world_run(c.w, SEC);
	(void)world_expect_terminated(c.wu, 487, ORIGIN_LOCAL);
	ck_assert_uint_le(world_now(c.w), 33 * SEC);
	(void)world_skip_out(c.w);
	callee_finish(&c);
}
END_TEST

/* The INVITE counts as ended 64*T1 after the CANCEL, whatever comes. */
START_TEST(rfc3261_9_1_no_final_answer_after_cancel)
{
	struct callee c = callee_new();

	callee_called(&c, NULL);
	callee_says(&c, 180, "b", NULL);
	(void)world_expect_progress(c.wu, 180);
	terminate(&c);
	world_reply(c.w, world_expect_out(c.w, "CANCEL"), 200, NULL);
	world_expect_silence(c.w, 32 * SEC - 100 * MSEC);
	world_expect_no_event(c.wu);
	world_expect_silence(c.w, 200 * MSEC);
	(void)world_expect_terminated(c.wu, 487, ORIGIN_LOCAL);
	/* A late 2xx is nobody's call any more, but its callee has to hear so. */
	world_run(c.w, 10 * SEC);
	callee_says(&c, 200, "b", WITH(ANSWER));
	(void)callee_acked(&c, "b");
	callee_answers(&c, "BYE", "b", 200);
	callee_says(&c, 200, "b", WITH(ANSWER));
	(void)callee_acked(&c, "b");
	world_expect_silence(c.w, SEC);
	callee_finish(&c);
}
END_TEST

/* 0: the 2xx comes of an early dialog, 1: of a new one; the CANCEL came too late (481). */
static void check_crossing(unsigned i, bool with_offer)
{
	static const struct request_header reason[] = { { SLICE_INIT("Reason"),
		SLICE_INIT("SIP;cause=487") } };
	struct session_end end = { .headers = { reason, 1 } };
	struct callee c = callee_new();
	const struct msg *cancel, *bye;

	if (with_offer)
		callee_called(&c, NULL);
	else
		callee_called_without_offer(&c);
	callee_says(&c, 180, "b", NULL);
	(void)world_expect_progress(c.wu, 180);
	ck_assert_int_eq(session_terminate(c.s, &end), 0);
	cancel = world_expect_out(c.w, "CANCEL");
	callee_says(&c, 200, i ? "other" : "b", WITH("v=0 of Bob"));
	ck_assert_uint_eq(callee_acked(&c, i ? "other" : "b")->body.n, 0);
	bye = callee_expect(&c, "BYE", i ? "other" : "b");
	callee_check_header(bye, HDR_REASON, "SIP;cause=487");
	world_reply(c.w, cancel, 481, NULL);
	world_settle(c.w);
	world_expect_no_event(c.wu);
	ck_assert_uint_eq(session_state(c.s), SESSION_TERMINATING);
	world_reply(c.w, bye, 200, NULL);
	world_settle(c.w);
	(void)world_expect_terminated(c.wu, 487, ORIGIN_LOCAL);
	callee_says(&c, 200, i ? "other" : "b", WITH("v=0 of Bob"));
	(void)callee_acked(&c, i ? "other" : "b");
	callee_finish(&c);
}

START_TEST(rfc3261_9_1_the_2xx_crosses_the_cancel)
{
	check_crossing(0, true);
	check_crossing(1, true);
	check_crossing(0, false);
	check_crossing(1, false);
}
END_TEST

/* The 2xx comes before any provisional answer: no CANCEL can go, BYE does. */
START_TEST(rfc3261_9_1_a_2xx_first_is_ended_by_bye)
{
	struct callee c = callee_new();

	callee_called(&c, NULL);
	terminate(&c);
	callee_says(&c, 200, "b", WITH(ANSWER));
	(void)callee_acked(&c, "b");
	callee_answers(&c, "BYE", "b", 200);
	(void)world_expect_terminated(c.wu, 487, ORIGIN_LOCAL);
	callee_finish(&c);
}
END_TEST

START_TEST(another_failure_crosses_the_cancel)
{
	struct callee c = callee_new();

	callee_called(&c, NULL);
	callee_says(&c, 180, "b", NULL);
	(void)world_expect_progress(c.wu, 180);
	terminate(&c);
	world_reply(c.w, world_expect_out(c.w, "CANCEL"), 200, NULL);
	callee_says(&c, 486, "b", NULL);
	(void)world_expect_out(c.w, "ACK");
	(void)world_expect_terminated(c.wu, 487, ORIGIN_LOCAL);
	callee_finish(&c);
}
END_TEST

/* Neither a redirection nor a wish for another interval begins it anew. */
START_TEST(what_would_go_on_does_not)
{
	static const struct {
		unsigned status;
		const char *headers;
	} answers[] = {
		{ 302, "Contact: <sip:carol@192.0.2.1>\n" },
		{ 422, "Min-SE: 4000\n" },
		{ 503, "Retry-After: 1\n" },
	};

	for (size_t i = 0; i < ARRAY_LEN(answers); i++) {
		struct callee c = callee_new();

		callee_called(&c, NULL);
		callee_says(&c, 100, "", NULL);
		terminate(&c);
		world_reply(c.w, world_expect_out(c.w, "CANCEL"), 200, NULL);
		callee_says(&c, answers[i].status, "b", answers[i].headers);
		(void)world_expect_out(c.w, "ACK");
		(void)world_expect_terminated(c.wu, 487, ORIGIN_LOCAL);
		world_expect_silence(c.w, 5 * SEC);
		callee_finish(&c);
	}
}
END_TEST

START_TEST(while_the_secret_is_asked_for)
{
	struct callee c = callee_new_registered();

	c.wu->hold_secrets = true;
	callee_called(&c, NULL);
	callee_says(&c, 407, "p",
		"Proxy-Authenticate: Digest realm=\"example.com\", nonce=\"1\", qop=\"auth\"\n");
	(void)world_expect_out(c.w, "ACK");
	ck_assert_int_eq(session_terminate(c.s, NULL), 0);
	world_settle(c.w);
	(void)world_expect_terminated(c.wu, 487, ORIGIN_LOCAL);
	world_expect_silence(c.w, 5 * SEC);
	ck_assert_uint_eq(c.wu->ua->queries.n, 0);
	world_free(c.w);
}
END_TEST

START_TEST(a_challenge_after_cancel_is_not_answered)
{
	struct callee c = callee_new_registered();

	callee_called(&c, NULL);
	callee_says(&c, 100, "", NULL);
	terminate(&c);
	world_reply(c.w, world_expect_out(c.w, "CANCEL"), 200, NULL);
	callee_says(&c, 407, "p",
		"Proxy-Authenticate: Digest realm=\"example.com\", nonce=\"1\", qop=\"auth\"\n");
	(void)world_expect_out(c.w, "ACK");
	(void)world_expect_terminated(c.wu, 487, ORIGIN_LOCAL);
	world_expect_silence(c.w, 5 * SEC);
	callee_finish(&c);
}
END_TEST

START_TEST(a_lost_cancel_goes_again)
{
	struct callee c = callee_new();
	const struct msg *first, *again;

	callee_called(&c, NULL);
	callee_says(&c, 180, "b", NULL);
	(void)world_expect_progress(c.wu, 180);
	terminate(&c);
	first = world_expect_out(c.w, "CANCEL");
	again = world_wait_out(c.w, "CANCEL", SEC);
	ck_assert(slice_eq(first->raw, again->raw));
	world_reply(c.w, again, 200, NULL);
	expect_cancelled(&c);
	callee_finish(&c);
}
END_TEST

RUN_TESTS("session-cancel", rfc3261_9_1_before_any_answer_it_waits_for_one,
	rfc3261_9_1_after_ringing_it_goes_at_once, before_the_target_is_located_nothing_is_sent,
	in_the_verb_that_made_it, nobody_ever_answers_the_invite,
	rfc3261_9_1_no_final_answer_after_cancel, rfc3261_9_1_the_2xx_crosses_the_cancel,
	rfc3261_9_1_a_2xx_first_is_ended_by_bye, another_failure_crosses_the_cancel,
	what_would_go_on_does_not, while_the_secret_is_asked_for,
	a_challenge_after_cancel_is_not_answered, a_lost_cancel_goes_again)
