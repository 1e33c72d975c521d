/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Several dialogs of one INVITE: RFC 3261 12.1.2 and 13.2.2.4, RFC 6228. */
#include <check.h>
#include <stdio.h>

#include "protocol/base/err.h"
#include "protocol/ua/limits.h"
#include "tests/flow/callee.h"
#include "tests/support/run.h"

static void rings(struct callee *c, const char *tag, const char *fork)
{
	const struct world_told *t;

	callee_says(c, 180, tag, NULL);
	t = world_expect_progress(c->wu, 180);
	ck_assert_msg(slice_eq(t->event.fork, slice_str(fork)), "fork %.*s, not %s",
		SLICE_ARGS(t->event.fork), fork);
}

static void hang_up(struct callee *c, const char *tag)
{
	ck_assert_int_eq(session_terminate(c->s, NULL), 0);
	callee_answers(c, "BYE", tag, 200);
	(void)world_expect_terminated(c->wu, 0, ORIGIN_LOCAL);
}

/* Acknowledged, and ended once, however often it comes. */
static void declined(struct callee *c, const char *tag, const char *body)
{
	const struct msg *ack, *bye;

	callee_says(c, 200, tag, body);
	ack = callee_acked(c, tag);
	ck_assert_uint_eq(ack->body.n, 0);
	bye = callee_expect(c, "BYE", tag);
	ck_assert_uint_eq(bye->cseq, ack->cseq + 1);
	callee_says(c, 200, tag, body);
	ck_assert(slice_eq(callee_acked(c, tag)->raw, ack->raw));
	world_reply(c->w, bye, 200, NULL);
	world_settle(c->w);
	callee_says(c, 200, tag, body);
	ck_assert(slice_eq(callee_acked(c, tag)->raw, ack->raw));
}

START_TEST(rfc3261_13_2_2_4_one_2xx_is_kept)
{
	struct callee c = callee_new();

	callee_called(&c, NULL);
	rings(&c, "b1", "1");
	ck_assert(!session_is_forked(c.s));
	rings(&c, "b2", "2");
	ck_assert(session_is_forked(c.s));
	rings(&c, "b1", "1");
	callee_established(&c, "b2");
	/* One that rang, and one that was never heard of. */
	declined(&c, "b1", WITH(ANSWER));
	declined(&c, "b3", WITH(ANSWER));
	world_expect_no_event(c.wu);
	ck_assert_uint_eq(session_state(c.s), SESSION_ESTABLISHED);
	/* The others' dialogs go when nothing of theirs can come any more. */
	world_run(c.w, 33 * SEC);
	ck_assert_uint_eq(c.wu->ua->dialogs.by_id.n, 1);
	hang_up(&c, "b2");
	callee_finish(&c);
}
END_TEST

START_TEST(rfc3261_13_2_2_4_another_answers_when_all_is_over)
{
	struct callee c = callee_new();

	callee_called(&c, NULL);
	rings(&c, "b1", "1");
	callee_established(&c, "b1");
	hang_up(&c, "b1");
	world_run(c.w, 20 * SEC);
	declined(&c, "b2", WITH(ANSWER));
	world_expect_no_event(c.wu);
	/* Until nothing can come any more; then nobody knows of it. */
	world_run(c.w, 33 * SEC);
	callee_says(&c, 200, "b3", WITH(ANSWER));
	world_expect_silence(c.w, SEC);
	callee_finish(&c);
}
END_TEST

/* A proxy sends each 2xx on, even one that came after another branch's refusal (16.7 step 5). */
START_TEST(rfc3261_16_7_a_2xx_after_the_refusal)
{
	struct callee c = callee_new();

	callee_called(&c, NULL);
	rings(&c, "b1", "1");
	callee_says(&c, 603, "b2", NULL);
	(void)world_expect_out(c.w, "ACK");
	(void)world_expect_terminated(c.wu, 603, ORIGIN_REMOTE);
	declined(&c, "b1", WITH(ANSWER));
	world_expect_no_event(c.wu);
	callee_finish(&c);
}
END_TEST

START_TEST(an_offer_that_nobody_needs_is_not_answered)
{
	struct callee c = callee_new();
	struct session_body answer = world_sdp(ANSWER);

	callee_called_without_offer(&c);
	callee_says(&c, 200, "b1", WITH(OFFER));
	(void)world_expect_event(c.wu, UA_SESSION_OFFER);
	declined(&c, "b2", WITH(OFFER));
	world_expect_no_event(c.wu);
	ck_assert_int_eq(session_answer(c.s, &answer), 0);
	ck_assert(slice_eq(callee_acked(&c, "b1")->body, SLICE(ANSWER)));
	(void)world_expect_event(c.wu, UA_SESSION_ESTABLISHED);
	hang_up(&c, "b1");
	callee_finish(&c);
}
END_TEST

START_TEST(only_so_many_forks_are_followed)
{
	struct callee c = callee_new();
	char tag[16], fork[16];

	callee_called(&c, NULL);
	for (unsigned i = 1; i <= LIMITS_FORKS; i++) {
		(void)snprintf(tag, sizeof(tag), "b%u", i);
		(void)snprintf(fork, sizeof(fork), "%u", i);
		rings(&c, tag, fork);
	}
	callee_says(&c, 180, "more", NULL);
	world_expect_no_event(c.wu);
	ck_assert_uint_eq(c.wu->ua->dialogs.by_id.n, LIMITS_FORKS);
	/* But whoever answers first is taken. */
	callee_established(&c, "more");
	/* And no peer makes us end more than that. */
	for (unsigned i = 1; i < LIMITS_FORKS; i++) {
		(void)snprintf(tag, sizeof(tag), "b%u", i);
		declined(&c, tag, WITH(ANSWER));
	}
	callee_says(&c, 200, "even more", WITH(ANSWER));
	world_expect_silence(c.w, SEC);
	hang_up(&c, "more");
	callee_finish(&c);
}
END_TEST

START_TEST(rfc6228_4_199_ends_one_early_dialog)
{
	struct callee c = callee_new();

	callee_called(&c, NULL);
	/* Of a dialog that there is not: discarded. */
	callee_says(&c, 199, "b0", NULL);
	world_expect_no_event(c.wu);
	rings(&c, "b1", "1");
	rings(&c, "b2", "2");
	callee_says(&c, 199, "b1", NULL);
	ck_assert(slice_eq(world_expect_progress(c.wu, 199)->event.fork, SLICE("1")));
	ck_assert_uint_eq(c.wu->ua->dialogs.by_id.n, 1);
	callee_says(&c, 199, "b2", NULL);
	(void)world_expect_progress(c.wu, 199);
	ck_assert_uint_eq(c.wu->ua->dialogs.by_id.n, 0);
	/* The INVITE goes on and may be answered yet. */
	rings(&c, "b3", "3");
	callee_established(&c, "b3");
	hang_up(&c, "b3");
	callee_finish(&c);
}
END_TEST

/* The callee's 2xx got lost, and it gave up waiting for the ACK (RFC 3261 13.3.1.4). */
START_TEST(rfc3261_15_bye_in_an_early_dialog_ends_that_fork)
{
	struct callee c = callee_new();
	const struct msg *cancel;

	callee_called(&c, NULL);
	rings(&c, "b1", "1");
	rings(&c, "b2", "2");
	callee_sends(&c, "BYE", "b1", NULL);
	(void)world_expect_out(c.w, "200");
	world_expect_no_event(c.wu);
	rings(&c, "b2", "2");
	/* When nobody is left who could answer, the INVITE is taken back. */
	callee_sends(&c, "BYE", "b2", NULL);
	(void)world_expect_out(c.w, "200");
	cancel = world_expect_out(c.w, "CANCEL");
	world_reply(c.w, cancel, 200, NULL);
	callee_says(&c, 487, "b2", NULL);
	(void)world_expect_out(c.w, "ACK");
	(void)world_expect_terminated(c.wu, 200, ORIGIN_REMOTE);
	callee_finish(&c);
}
END_TEST

/* A fork that does not answer its PRACK is ended alone (RFC 3261 15); the others ring on. */
START_TEST(rfc3261_12_2_1_2_a_fork_is_not_heard)
{
	struct callee c = callee_new();

	callee_called(&c, NULL);
	callee_says(&c, 180, "b1", "Require: 100rel\nRSeq: 1\n");
	(void)world_expect_progress(c.wu, 180);
	(void)callee_expect(&c, "PRACK", "b1");
	rings(&c, "b2", "2");
	while (world_now(c.w) < 32 * SEC)
		(void)world_wait_out(c.w, world_now(c.w) < 31500 * MSEC ? "PRACK" : "BYE", 5 * SEC);
	ck_assert_uint_eq(session_state(c.s), SESSION_RINGING);
	callee_established(&c, "b2");
	world_run(c.w, 40 * SEC);
	(void)world_skip_out(c.w);
	hang_up(&c, "b2");
	callee_finish(&c);
}
END_TEST

/* The only one: nobody is left who could answer, and the INVITE is taken back. */
START_TEST(rfc3261_12_2_1_2_the_only_fork_is_not_heard)
{
	struct callee c = callee_new();

	callee_called(&c, NULL);
	callee_says(&c, 180, "b1", "Require: 100rel\nRSeq: 1\n");
	(void)world_expect_progress(c.wu, 180);
	(void)callee_expect(&c, "PRACK", "b1");
	for (unsigned i = 0; i < 10; i++)
		(void)world_wait_out(c.w, "PRACK", 5 * SEC);
	world_reply_as(c.w, world_wait_out(c.w, "CANCEL", 5 * SEC), 200, "b1", NULL);
	callee_says(&c, 487, "b1", NULL);
	(void)world_expect_out(c.w, "ACK");
	(void)world_expect_terminated(c.wu, 0, ORIGIN_TIMEOUT);
	callee_finish(&c);
}
END_TEST

/* RFC 3263 4.3: a proxy's 503 ends what it began (RFC 3261 12.3), though the INVITE that goes to
 * the next address has the same number. */
START_TEST(rfc3261_12_3_forks_of_an_attempt_that_failed)
{
	static const struct world_account alice = {
		.id = "alice", .domain = "example.com", .registrar = "ss.example.com"
	};
	struct callee c = { .w = world_new(1) };

	c.wu = world_ua(c.w, "192.0.2.10");
	c.ep = world_endpoint(c.wu, &alice);
	world_set_name(c.w, "ss.example.com", "192.0.2.1");
	world_set_name(c.w, "ss.example.com", "192.0.2.3");
	callee_called(&c, &(struct session_spec){ .target = SLICE("sip:bob@example.com") });
	rings(&c, "b1", "1");
	callee_says(&c, 503, "p", NULL);
	(void)world_expect_out(c.w, "ACK");
	c.invite = world_expect_out(c.w, "INVITE");
	rings(&c, "b2", "2");
	callee_established(&c, "b2");
	callee_sends(&c, "OPTIONS", "b1", NULL);
	(void)world_expect_out(c.w, "481");
	hang_up(&c, "b2");
	callee_finish(&c);
}
END_TEST

START_TEST(requests_of_a_fork_that_was_not_kept_find_no_dialog)
{
	struct callee c = callee_new();

	callee_called(&c, NULL);
	rings(&c, "b1", "1");
	callee_established(&c, "b2");
	callee_sends(&c, "INFO", "b1", NULL);
	(void)world_expect_out(c.w, "481"); /* RFC 3261 12.2.2 */
	hang_up(&c, "b2");
	callee_finish(&c);
}
END_TEST

/* So late that its ACK is forgotten, while our BYE is on its way: the session ends by that. */
START_TEST(rfc3261_13_2_2_4_the_same_2xx_after_all)
{
	struct callee c = callee_new();
	const struct msg *bye;

	callee_called(&c, NULL);
	callee_established(&c, "b");
	world_run(c.w, 40 * SEC);
	ck_assert_int_eq(session_terminate(c.s, NULL), 0);
	bye = callee_expect(&c, "BYE", "b");
	callee_says(&c, 200, "b", WITH(ANSWER));
	(void)callee_acked(&c, "b");
	world_reply(c.w, bye, 200, NULL);
	world_settle(c.w);
	(void)world_expect_terminated(c.wu, 0, ORIGIN_LOCAL);
	callee_says(&c, 200, "b", WITH(ANSWER));
	(void)callee_acked(&c, "b");
	callee_finish(&c);
}
END_TEST

/* The 2xx that makes the dialog was lost, or is overtaken: what comes in it comes again. */
START_TEST(rfc3261_12_2_2_not_yet_a_dialog)
{
	struct callee c = callee_new();

	callee_called(&c, NULL);
	callee_says(&c, 100, "", NULL);
	callee_sends(&c, "INFO", "b", NULL);
	world_expect_silence(c.w, SEC);
	callee_established(&c, "b");
	callee_sends(&c, "INFO", "b", NULL);
	(void)world_expect_out(c.w, "200");
	(void)world_expect_event(c.wu, UA_SESSION_INFO);
	hang_up(&c, "b");
	callee_finish(&c);
}
END_TEST

/* It gave up waiting for our ACK. */
START_TEST(rfc3261_15_bye_of_what_never_was)
{
	struct callee c = callee_new();

	callee_called(&c, NULL);
	callee_says(&c, 100, "", NULL);
	callee_sends(&c, "BYE", "b", NULL);
	(void)world_expect_out(c.w, "481");
	callee_established(&c, "b");
	hang_up(&c, "b");
	callee_finish(&c);
}
END_TEST

/* The CANCEL went unheard, and so the BYE that follows says why. */
START_TEST(rfc3326_2xx_after_all)
{
	static const struct request_header reason[] = { { SLICE_INIT("Reason"),
		SLICE_INIT("SIP;cause=486") } };
	struct session_end end = { .headers = { reason, 1 } };
	struct callee c = callee_new();
	const struct msg *bye;

	callee_called(&c, NULL);
	rings(&c, "b", "1");
	ck_assert_int_eq(session_terminate(c.s, &end), 0);
	world_run(c.w, 40 * SEC);
	(void)world_skip_out(c.w);
	(void)world_expect_terminated(c.wu, 487, ORIGIN_LOCAL);
	callee_says(&c, 200, "b", WITH(ANSWER));
	(void)callee_acked(&c, "b");
	bye = callee_expect(&c, "BYE", "b");
	callee_check_header(bye, HDR_REASON, "SIP;cause=486");
	world_reply(c.w, bye, 200, NULL);
	callee_finish(&c);
}
END_TEST

RUN_TESTS("session-forks", rfc3261_13_2_2_4_one_2xx_is_kept,
	rfc3261_13_2_2_4_another_answers_when_all_is_over, rfc3261_16_7_a_2xx_after_the_refusal,
	an_offer_that_nobody_needs_is_not_answered, only_so_many_forks_are_followed,
	rfc6228_4_199_ends_one_early_dialog, rfc3261_15_bye_in_an_early_dialog_ends_that_fork,
	rfc3261_12_2_1_2_a_fork_is_not_heard, rfc3261_12_2_1_2_the_only_fork_is_not_heard,
	rfc3261_12_3_forks_of_an_attempt_that_failed,
	requests_of_a_fork_that_was_not_kept_find_no_dialog,
	rfc3261_13_2_2_4_the_same_2xx_after_all, rfc3261_12_2_2_not_yet_a_dialog,
	rfc3261_15_bye_of_what_never_was, rfc3326_2xx_after_all)
