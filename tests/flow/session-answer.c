/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the called side says (RFC 3261 13.3.1), its 2xx and the ACK for that (13.3.1.4). */
#include <check.h>
#include <string.h>

#include "protocol/base/err.h"
#include "protocol/ua/limits.h"
#include "protocol/ua/request-headers.h"
#include "tests/flow/caller.h"

#define RELIABLE "Supported: 100rel\n"

/* The end that has nothing to do with what a test is about. */
static void hang_up(struct caller *c)
{
	caller_sends(c, "BYE", NULL);
	ck_assert_int_eq(world_expect_out(c->w, "200")->cseq_method, METHOD_BYE);
	(void)world_expect_terminated(c->wu, 200, ORIGIN_REMOTE);
	caller_finish(c);
}

static void refused(struct caller *c)
{
	session_pass(c->s);
	(void)caller_expect(c, "480");
	(void)world_expect_terminated(c->wu, 480, ORIGIN_LOCAL);
	caller_acks_refusal(c);
	caller_finish(c);
}

/* ---- provisional answers ---- */

/* 12.1.1, 13.3.1.1: it makes the dialog, so it has all that a dialog needs. */
START_TEST(provisional_makes_a_dialog)
{
	struct session_ring ring = { .status = 182, .reason = SLICE("Second in line") };
	struct caller c = caller_new();
	const struct msg *m;

	caller_calls(&c, "Record-Route: <sip:192.0.2.1;lr;n=2>\n"
			 "Record-Route: <sip:192.0.2.2;lr;n=1>\n" WITH(OFFER));
	ck_assert_int_eq(session_ring(c.s, &ring), 0);
	m = caller_expect(&c, "182");
	ck_assert(slice_eq(m->reason, SLICE("Second in line")));
	ck_assert(m->contact.uri.text.p != NULL);
	caller_check_header(m, HDR_RECORD_ROUTE, "<sip:192.0.2.1;lr;n=2>");
	ck_assert(msg_has_token(m, HDR_ALLOW, SLICE("UPDATE")));
	ck_assert_ptr_null(msg_header(m, HDR_RSEQ).p);
	ck_assert_uint_eq(session_state(c.s), SESSION_RINGING);
	refused(&c);
}
END_TEST

START_TEST(rings_that_are_none)
{
	static const struct request_header own = { SLICE_INIT("Contact"), SLICE_INIT("<sip:x>") };
	struct session_ring rows[] = {
		{ .status = 100 },
		{ .status = 200 },
		{ .reason = SLICE("a\r\nb") },
		{ .headers = { &own, 1 } },
		{ .body = { .bytes = SLICE("v=0") } },
	};
	struct session_ring reliable = { .reliable = SESSION_RELIABLE };
	struct caller c = caller_new();

	caller_calls(&c, NULL);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		ck_assert_int_eq(session_ring(c.s, &rows[i]), -EINVAL);
	/* RFC 3262 section 3: not to a caller that does not know of it. */
	ck_assert_int_eq(session_ring(c.s, &reliable), -EOPNOTSUPP);
	ck_assert_uint_eq(session_state(c.s), SESSION_INCOMING);
	refused(&c);
}
END_TEST

/* 13.3.1.1: again each minute, as it was, counted from the last one. */
START_TEST(provisional_is_repeated)
{
	struct session_ring early = { .status = 183, .body = world_sdp(ANSWER) };
	struct caller c = caller_new();

	caller_calls(&c, NULL);
	caller_rung(&c);
	world_run(c.w, 30 * SEC);
	ck_assert_int_eq(session_ring(c.s, &early), 0);
	ck_assert(slice_eq(caller_expect(&c, "183")->body, SLICE(ANSWER)));
	for (unsigned i = 0; i < 3; i++) {
		world_expect_silence(c.w, (LIMITS_REFRESH_SECONDS - 1) * SEC);
		world_run(c.w, SEC);
		ck_assert(slice_eq(caller_expect(&c, "183")->body, SLICE(ANSWER)));
	}
	refused(&c);
}
END_TEST

/* 13.2.1: what an unreliable one describes only previews the answer, which is the 2xx's. */
START_TEST(preview_becomes_the_answer)
{
	struct session_ring early = { .status = 183, .body = world_sdp(ANSWER) };
	struct caller c = caller_new();

	caller_calls(&c, NULL);
	ck_assert_int_eq(session_ring(c.s, &early), 0);
	(void)caller_expect(&c, "183");
	ck_assert_uint_eq(session_state(c.s), SESSION_EARLY);
	ck_assert_uint_eq(session_description_state(c.s), OFFER_REMOTE);
	caller_accept(&c, NULL);
	ck_assert(slice_eq(caller_expect(&c, "200")->body, SLICE(ANSWER)));
	ck_assert_uint_eq(session_description_state(c.s), OFFER_STABLE);
	caller_acks(&c, 1, NULL);
	(void)world_expect_event(c.wu, UA_SESSION_ESTABLISHED);
	hang_up(&c);
}
END_TEST

static void prack(struct caller *c, const struct msg *m, const char *rest)
{
	struct buf b = BUF_NULL;
	char *lines;

	buf_printf(&b, "RAck: %.*s 1 INVITE\n%s", SLICE_ARGS(msg_header(m, HDR_RSEQ)), rest);
	lines = buf_take(&b);
	caller_sends(c, "PRACK", lines);
	free(lines);
	ck_assert_int_eq(world_expect_out(c->w, "200")->cseq_method, METHOD_PRACK);
}

/* RFC 3262 section 3: 2xx not before the answer in a reliable 1xx is acknowledged. */
START_TEST(rfc3262_3_accept_waits_for_prack)
{
	struct session_ring early = {
		.status = 183, .body = world_sdp(ANSWER), .reliable = SESSION_RELIABLE
	};
	struct session_body none = { 0 }, other = world_sdp("v=0 other");
	struct caller c = caller_new();
	const struct msg *m;

	caller_calls(&c, RELIABLE WITH(OFFER));
	ck_assert_int_eq(session_ring(c.s, &early), 0);
	m = caller_expect(&c, "183");
	ck_assert(msg_has_token(m, HDR_REQUIRE, SLICE("100rel")));
	ck_assert(m->contact.uri.text.p != NULL);
	ck_assert_uint_eq(session_description_state(c.s), OFFER_STABLE);
	/* There was an answer: another would be an offer, which a 2xx cannot have. */
	ck_assert_int_eq(session_accept(c.s, &other, NULL), -EINVAL);
	ck_assert_int_eq(session_accept(c.s, &none, NULL), 0);
	ck_assert_int_eq(session_accept(c.s, &none, NULL), -ESTALE);
	ck_assert_int_eq(session_ring(c.s, &(struct session_ring){ 0 }), -ESTALE);
	world_run(c.w, 100 * MSEC);
	ck_assert_uint_eq(world_skip_out(c.w), 0);
	ck_assert_uint_eq(session_state(c.s), SESSION_EARLY);
	prack(&c, m, "Content-Length: 0\n\n");
	m = caller_expect(&c, "200");
	ck_assert_uint_eq(m->body.n, 0);
	caller_acks(&c, 1, NULL);
	(void)world_expect_event(c.wu, UA_SESSION_ESTABLISHED);
	hang_up(&c);
}
END_TEST

/* RFC 3262 section 3: a caller that requires it gets each one so. */
START_TEST(rfc3262_3_required)
{
	struct caller c = caller_new();
	const struct msg *m;

	caller_calls(&c, "Require: 100rel\n" WITH(OFFER));
	ck_assert_int_eq(session_ring(c.s, &(struct session_ring){ 0 }), 0);
	m = caller_expect(&c, "180");
	ck_assert(msg_header(m, HDR_RSEQ).n > 0);
	prack(&c, m, "Content-Length: 0\n\n");
	world_run(c.w, LIMITS_REFRESH_SECONDS * SEC);
	m = caller_expect(&c, "180");
	prack(&c, m, "Content-Length: 0\n\n");
	caller_established(&c);
	hang_up(&c);
}
END_TEST

/* 13.2.1, RFC 3262 section 5: without an offer the first reliable answer has it. */
START_TEST(rfc3262_5_offer_in_reliable)
{
	struct session_ring ring = { .reliable = SESSION_RELIABLE };
	struct caller c = caller_new();
	const struct msg *m;

	caller_calls(&c, RELIABLE "Content-Length: 0\n\n");
	ck_assert_int_eq(session_ring(c.s, &ring), -EINVAL);
	ring.body = world_sdp(OFFER);
	ck_assert_int_eq(session_ring(c.s, &ring), 0);
	m = caller_expect(&c, "180");
	ck_assert(slice_eq(m->body, SLICE(OFFER)));
	caller_accept(&c, NULL);
	world_expect_silence(c.w, 100 * MSEC);
	prack(&c, m, WITH(ANSWER));
	ck_assert_uint_eq(caller_expect(&c, "200")->body.n, 0);
	caller_acks(&c, 1, NULL);
	/* The answer that came with the PRACK was told before. */
	world_expect_body(world_expect_event(c.wu, UA_SESSION_ANSWER), ANSWER);
	(void)world_expect_event(c.wu, UA_SESSION_ESTABLISHED);
	hang_up(&c);
}
END_TEST

/* RFC 3262 section 3: nobody acknowledges, so the INVITE is refused. */
/* RFC 3261 15: the called sends no BYE before its 2xx, not even to who is not heard any more. */
START_TEST(rfc3261_15_update_without_answer)
{
	struct session_ring early = {
		.status = 183, .body = world_sdp(ANSWER), .reliable = SESSION_RELIABLE
	};
	struct session_body offer = world_sdp("v=0 other");
	struct caller c = caller_new();
	struct world_reply r = { 0 };
	struct session_reply reply = world_reply_of(&r);

	caller_calls(&c, "Allow: INVITE, ACK, CANCEL, BYE, UPDATE\n" RELIABLE WITH(OFFER));
	ck_assert_int_eq(session_ring(c.s, &early), 0);
	prack(&c, caller_expect(&c, "183"), "Content-Length: 0\n\n");
	ck_assert_int_eq(session_offer(c.s, &offer, SLICE_NULL, &reply), 0);
	(void)caller_expect_request(&c, "UPDATE");
	for (unsigned i = 0; i < 10; i++)
		(void)world_wait_out(c.w, "UPDATE", 5 * SEC);
	(void)world_wait_out(c.w, "487", 5 * SEC);
	caller_acks_refusal(&c);
	ck_assert_uint_eq(r.n, 1);
	ck_assert_int_eq(r.error, -ETIMEDOUT);
	(void)world_expect_terminated(c.wu, 0, ORIGIN_TIMEOUT);
	caller_finish(&c);
}
END_TEST

START_TEST(rfc3262_3_no_prack)
{
	struct session_ring ring = { .reliable = SESSION_RELIABLE, .body = world_sdp(ANSWER) };
	struct caller c = caller_new();

	caller_calls(&c, RELIABLE WITH(OFFER));
	ck_assert_int_eq(session_ring(c.s, &ring), 0);
	caller_accept(&c, NULL);
	world_run(c.w, 64 * TIMER_T1 - MSEC);
	(void)world_skip_out(c.w);
	world_run(c.w, MSEC);
	ck_assert_uint_eq(world_expect_out(c.w, "504")->status, 504);
	caller_acks_refusal(&c);
	(void)world_expect_terminated(c.wu, 504, ORIGIN_TIMEOUT);
	caller_finish(&c);
}
END_TEST

/* ---- 2xx ---- */

/* 13.3.1.4: what it has beside the answer. */
START_TEST(headers_of_2xx)
{
	static const struct request_header more = { SLICE_INIT("Organization"),
		SLICE_INIT("Wonderland") };
	struct session_headers headers = { &more, 1 };
	struct session_body answer = world_sdp(ANSWER);
	struct caller c = caller_new();
	const struct msg *m;

	caller_calls(&c, "Record-Route: <sip:192.0.2.1;lr>\nSupported: timer\n"
			 "Session-Expires: 1800\n" WITH(OFFER));
	ck_assert_int_eq(session_accept(c.s, &answer, &headers), 0);
	m = caller_expect(&c, "200");
	ck_assert(m->contact.uri.text.p != NULL);
	caller_check_header(m, HDR_RECORD_ROUTE, "<sip:192.0.2.1;lr>");
	caller_check_header(m, HDR_ORGANIZATION, "Wonderland");
	caller_check_header(m, HDR_CONTENT_TYPE, "application/sdp");
	ck_assert(msg_has_token(m, HDR_ALLOW, SLICE("BYE")));
	ck_assert(msg_has_token(m, HDR_SUPPORTED, SLICE("replaces")));
	ck_assert(msg_header(m, HDR_SESSION_EXPIRES).n > 0);
	ck_assert_uint_eq(session_expires(c.s), 1800);
	ck_assert(slice_eq(session_msg(c.s, SESSION_FINAL)->body, SLICE(ANSWER)));
	ck_assert_uint_eq(session_state(c.s), SESSION_ESTABLISHED);
	world_expect_no_event(c.wu); /* not before the ACK */
	caller_acks(&c, 1, NULL);
	(void)world_expect_event(c.wu, UA_SESSION_ESTABLISHED);
	hang_up(&c);
}
END_TEST

START_TEST(accepts_that_are_none)
{
	struct session_body none = { 0 }, untyped = { .bytes = SLICE("v=0") };
	struct caller c = caller_new();

	caller_calls(&c, NULL);
	ck_assert_int_eq(session_accept(c.s, &none, NULL), -EINVAL);
	ck_assert_int_eq(session_accept(c.s, &untyped, NULL), -EINVAL);
	caller_established(&c);
	ck_assert_int_eq(session_accept(c.s, &none, NULL), -ESTALE);
	ck_assert_int_eq(session_ring(c.s, &(struct session_ring){ 0 }), -ESTALE);
	ck_assert_int_eq(session_reject(c.s, 486, SLICE_NULL, NULL), -ESTALE);
	ck_assert_int_eq(session_redirect(c.s, NULL, 0, NULL), -ESTALE);
	session_pass(c.s);
	ck_assert_uint_eq(session_state(c.s), SESSION_ESTABLISHED);
	hang_up(&c);
}
END_TEST

/* 13.3.1.4: T1, doubled up to T2, until the ACK; INVITEs that come again get nothing beside. */
static void lost_200(const char *from, const char *golden)
{
	struct caller c = caller_new();

	c.from = from;
	world_show(c.w, "CSeq");
	caller_calls(&c, NULL);
	world_net(c.w)->drop_next = 1;
	caller_accept(&c, ANSWER);
	caller_repeats(&c);
	world_run(c.w, 8 * SEC);
	ck_assert_uint_ge(world_skip_out(c.w), 4);
	c.to_tag = slice_dup(session_msg(c.s, SESSION_FINAL)->to_tag);
	caller_acks(&c, 1, NULL);
	(void)world_expect_event(c.wu, UA_SESSION_ESTABLISHED);
	/* Another ACK, and a stray one for what never was, say nothing. */
	caller_acks(&c, 1, NULL);
	caller_acks(&c, 7, NULL);
	world_expect_silence(c.w, 64 * TIMER_T1);
	world_expect_no_event(c.wu);
	world_log_golden(c.w, golden);
	hang_up(&c);
}

START_TEST(lost_200_udp)
{
	lost_200("udp:192.0.2.1:5060", "session-answer-lost-200");
}
END_TEST

/* Also over a stream: what lies behind the next hop may be UDP. */
START_TEST(lost_200_tcp)
{
	lost_200("tcp:192.0.2.1:5060", "session-answer-lost-200-tcp");
}
END_TEST

/* 13.3.1.4: 64*T1 after the 2xx the session is given up, by BYE. */
START_TEST(lost_ack)
{
	struct caller c = caller_new();
	const struct world_told *t;
	usec_t accepted;

	world_show(c.w, "CSeq");
	caller_calls(&c, NULL);
	caller_accept(&c, ANSWER);
	accepted = world_now(c.w);
	(void)caller_expect(&c, "200");
	world_run(c.w, 64 * TIMER_T1 - 1);
	ck_assert_uint_eq(world_skip_out(c.w), 10);
	ck_assert_uint_eq(session_state(c.s), SESSION_ESTABLISHED);
	world_run(c.w, 1);
	ck_assert_uint_eq(session_state(c.s), SESSION_TERMINATING);
	world_reply(c.w, caller_expect_request(&c, "BYE"), 200, NULL);
	ck_assert_uint_eq(world_now(c.w) - accepted, 64 * TIMER_T1);
	world_settle(c.w);
	t = world_expect_terminated(c.wu, 0, ORIGIN_TIMEOUT);
	ck_assert(slice_eq(t->event.reason, SLICE("the answer was not acknowledged")));
	world_log_golden(c.w, "session-answer-lost-ack");
	caller_finish(&c);
}
END_TEST

/* 15: no BYE of ours before the ACK, or before it can come no more. */
START_TEST(bye_waits_for_the_ack)
{
	struct caller c = caller_new();

	caller_calls(&c, NULL);
	caller_accept(&c, ANSWER);
	(void)caller_expect(&c, "200");
	ck_assert_int_eq(session_terminate(c.s, NULL), 0);
	world_run(c.w, 400 * MSEC);
	ck_assert_uint_eq(world_skip_out(c.w), 0);
	ck_assert_uint_eq(session_state(c.s), SESSION_TERMINATING);
	world_run(c.w, 200 * MSEC); /* the 2xx goes on */
	(void)caller_expect(&c, "200");
	caller_acks(&c, 1, NULL);
	world_reply(c.w, caller_expect_request(&c, "BYE"), 200, NULL);
	world_settle(c.w);
	(void)world_expect_terminated(c.wu, 0, ORIGIN_LOCAL);
	caller_finish(&c);
}
END_TEST

START_TEST(bye_waits_for_the_lost_ack)
{
	struct caller c = caller_new();

	caller_calls(&c, NULL);
	caller_accept(&c, ANSWER);
	(void)caller_expect(&c, "200");
	ck_assert_int_eq(session_terminate(c.s, NULL), 0);
	world_run(c.w, 64 * TIMER_T1 - 1);
	(void)world_skip_out(c.w);
	world_run(c.w, 1);
	world_reply(c.w, caller_expect_request(&c, "BYE"), 200, NULL);
	world_settle(c.w);
	(void)world_expect_terminated(c.wu, 0, ORIGIN_LOCAL);
	caller_finish(&c);
}
END_TEST

/* Who says BYE has heard of the 2xx: it is not repeated any more. */
START_TEST(bye_instead_of_ack)
{
	struct caller c = caller_new();

	caller_calls(&c, NULL);
	caller_accept(&c, ANSWER);
	(void)caller_expect(&c, "200");
	caller_sends(&c, "BYE", NULL);
	ck_assert_int_eq(world_expect_out(c.w, "200")->cseq_method, METHOD_BYE);
	(void)world_expect_terminated(c.wu, 200, ORIGIN_REMOTE);
	world_expect_silence(c.w, 64 * TIMER_T1);
	caller_finish(&c);
}
END_TEST

/* 13.2.1: an offer in the 2xx is answered in the ACK, or there is no session. */
START_TEST(ack_without_the_answer)
{
	struct caller c = caller_new();

	caller_calls(&c, "Content-Length: 0\n\n");
	caller_accept(&c, OFFER);
	(void)caller_expect(&c, "200");
	caller_acks(&c, 1, NULL);
	world_reply(c.w, caller_expect_request(&c, "BYE"), 200, NULL);
	world_settle(c.w);
	(void)world_expect_terminated(c.wu, 0, ORIGIN_REMOTE);
	caller_finish(&c);
}
END_TEST

/* ---- refusals ---- */

START_TEST(redirected)
{
	struct slice targets[] = { SLICE("sip:alice@192.0.2.77"), SLICE("tel:+15551234") };
	struct slice bad = SLICE("alice@home"), evil = SLICE("sip:a@b>\r\nX: y");
	struct caller c = caller_new();
	const struct msg *m;
	struct msg_list it = { 0 };
	struct slice value;

	caller_calls(&c, NULL);
	ck_assert_int_eq(session_redirect(c.s, targets, 0, NULL), -EINVAL);
	ck_assert_int_eq(session_redirect(c.s, &bad, 1, NULL), -EINVAL);
	ck_assert_int_eq(session_redirect(c.s, &evil, 1, NULL), -EINVAL);
	ck_assert_int_eq(session_redirect(c.s, targets, ARRAY_LEN(targets), NULL), 0);
	m = caller_expect(&c, "302");
	ck_assert_int_eq(msg_list_next(m, HDR_CONTACT, &it, &value), 1);
	ck_assert(slice_eq(value, SLICE("<sip:alice@192.0.2.77>")));
	ck_assert_int_eq(msg_list_next(m, HDR_CONTACT, &it, &value), 1);
	ck_assert(slice_eq(value, SLICE("<tel:+15551234>")));
	caller_acks_refusal(&c);
	(void)world_expect_terminated(c.wu, 302, ORIGIN_LOCAL);
	caller_finish(&c);
}
END_TEST

START_TEST(too_many_targets)
{
	struct slice targets[LIMITS_REDIRECT_TARGETS + 1];
	struct caller c = caller_new();

	for (size_t i = 0; i < ARRAY_LEN(targets); i++)
		targets[i] = SLICE("sip:alice@192.0.2.77");
	caller_calls(&c, NULL);
	ck_assert_int_eq(session_redirect(c.s, targets, ARRAY_LEN(targets), NULL), -EINVAL);
	ck_assert_int_eq(session_redirect(c.s, targets, LIMITS_REDIRECT_TARGETS, NULL), 0);
	(void)caller_expect(&c, "302");
	caller_acks_refusal(&c);
	(void)world_expect_terminated(c.wu, 302, ORIGIN_LOCAL);
	caller_finish(&c);
}
END_TEST

START_TEST(refusals_that_are_none)
{
	static const struct request_header own = { SLICE_INIT("Contact"), SLICE_INIT("<sip:x>") };
	struct session_headers headers = { &own, 1 };
	struct caller c = caller_new();

	caller_calls(&c, NULL);
	ck_assert_int_eq(session_reject(c.s, 200, SLICE_NULL, NULL), -EINVAL);
	ck_assert_int_eq(session_reject(c.s, 700, SLICE_NULL, NULL), -EINVAL);
	ck_assert_int_eq(session_reject(c.s, 486, SLICE("a\nb"), NULL), -EINVAL);
	ck_assert_int_eq(session_reject(c.s, 486, SLICE_NULL, &headers), -EINVAL);
	refused(&c);
}
END_TEST

/* session_terminate() refuses what nobody decided about. */
START_TEST(terminated_before_the_answer)
{
	struct caller c = caller_new();

	caller_calls(&c, NULL);
	ck_assert_int_eq(session_terminate(c.s, NULL), 0);
	(void)caller_expect(&c, "603");
	caller_acks_refusal(&c);
	(void)world_expect_terminated(c.wu, 603, ORIGIN_LOCAL);
	caller_finish(&c);
}
END_TEST

/* ---- inside the notification ---- */

static void take_at_once(struct world_ua *wu, struct session *s)
{
	struct session_body answer = world_sdp(ANSWER);

	(void)wu;
	ck_assert_int_eq(session_accept(s, &answer, NULL), 0);
}

static void end_at_once(struct world_ua *wu, struct session *s)
{
	(void)wu;
	ck_assert_int_eq(session_terminate(s, NULL), 0);
}

static void free_at_once(struct world_ua *wu, struct session *s)
{
	(void)wu;
	session_free(s);
}

static void close_at_once(struct world_ua *wu, struct session *s)
{
	(void)wu;
	endpoint_close(session_endpoint(s));
}

START_TEST(accepted_inside_the_notification)
{
	static const struct world_session_hooks hooks = { .incoming = take_at_once };
	struct caller c = caller_new();

	c.wu->sessions = &hooks;
	caller_invites(&c, NULL);
	(void)caller_expect(&c, "200");
	caller_acks(&c, 1, NULL);
	(void)world_expect_event(c.wu, UA_SESSION_ESTABLISHED);
	hang_up(&c);
}
END_TEST

START_TEST(ended_inside_the_notification)
{
	static const struct world_session_hooks hooks = { .incoming = end_at_once };
	struct caller c = caller_new();

	c.wu->sessions = &hooks;
	caller_invites(&c, NULL);
	(void)caller_expect(&c, "603");
	caller_acks_refusal(&c);
	(void)world_expect_terminated(c.wu, 603, ORIGIN_LOCAL);
	caller_finish(&c);
}
END_TEST

/* Without a word to anybody: not even the caller hears of it. */
START_TEST(freed_inside_the_notification)
{
	static const struct world_session_hooks hooks = { .incoming = free_at_once };
	struct caller c = caller_new();

	c.wu->sessions = &hooks;
	caller_invites(&c, NULL);
	c.wu->n_sessions = 0;
	ck_assert_uint_eq(c.wu->ua->n_sessions, 0);
	ck_assert_uint_eq(c.wu->ua->dialogs.n, 0);
	ck_assert_uint_eq(world_skip_out(c.w), 0);
	world_run(c.w, SEC);
	(void)world_expect_out(c.w, "100");
	caller_finish(&c);
}
END_TEST

START_TEST(endpoint_closes_inside_the_notification)
{
	static const struct world_session_hooks hooks = { .incoming = close_at_once };
	struct caller c = caller_new();

	c.wu->sessions = &hooks;
	caller_invites(&c, NULL);
	(void)caller_expect(&c, "480");
	caller_acks_refusal(&c);
	(void)world_expect_terminated(c.wu, 480, ORIGIN_LOCAL);
	ck_assert_uint_eq(world_count_news(c.wu, WORLD_REMOVED), 1);
	world_run(c.w, 64 * TIMER_T1);
	world_expect_idle(c.wu);
	world_free(c.w);
	free(c.to_tag);
	free(c.invite);
}
END_TEST

/* Established sessions get their BYE before the endpoint goes. */
START_TEST(endpoint_closes_with_a_session)
{
	struct caller c = caller_new();

	caller_calls(&c, NULL);
	caller_established(&c);
	endpoint_close(c.ep);
	world_reply(c.w, caller_expect_request(&c, "BYE"), 200, NULL);
	world_settle(c.w);
	(void)world_expect_terminated(c.wu, 0, ORIGIN_LOCAL);
	ck_assert_uint_eq(world_count_news(c.wu, WORLD_REMOVED), 1);
	world_run(c.w, 64 * TIMER_T1);
	world_expect_idle(c.wu);
	world_free(c.w);
	free(c.to_tag);
	free(c.invite);
}
END_TEST

static TCase *answers(void)
{
	TCase *tc = tcase_create("answers");

	tcase_add_test(tc, provisional_makes_a_dialog);
	tcase_add_test(tc, rings_that_are_none);
	tcase_add_test(tc, provisional_is_repeated);
	tcase_add_test(tc, preview_becomes_the_answer);
	tcase_add_test(tc, rfc3262_3_accept_waits_for_prack);
	tcase_add_test(tc, rfc3262_3_required);
	tcase_add_test(tc, rfc3262_5_offer_in_reliable);
	tcase_add_test(tc, rfc3261_15_update_without_answer);
	tcase_add_test(tc, rfc3262_3_no_prack);
	tcase_add_test(tc, headers_of_2xx);
	tcase_add_test(tc, accepts_that_are_none);
	tcase_add_test(tc, redirected);
	tcase_add_test(tc, too_many_targets);
	tcase_add_test(tc, refusals_that_are_none);
	tcase_add_test(tc, terminated_before_the_answer);
	return tc;
}

static TCase *acks(void)
{
	TCase *tc = tcase_create("acks");

	tcase_add_test(tc, lost_200_udp);
	tcase_add_test(tc, lost_200_tcp);
	tcase_add_test(tc, lost_ack);
	tcase_add_test(tc, bye_waits_for_the_ack);
	tcase_add_test(tc, bye_waits_for_the_lost_ack);
	tcase_add_test(tc, bye_instead_of_ack);
	tcase_add_test(tc, ack_without_the_answer);
	return tc;
}

static TCase *notifications(void)
{
	TCase *tc = tcase_create("notifications");

	tcase_add_test(tc, accepted_inside_the_notification);
	tcase_add_test(tc, ended_inside_the_notification);
	tcase_add_test(tc, freed_inside_the_notification);
	tcase_add_test(tc, endpoint_closes_inside_the_notification);
	tcase_add_test(tc, endpoint_closes_with_a_session);
	return tc;
}

int main(void)
{
	Suite *s = suite_create("session-answer");
	SRunner *sr;
	int failed;

	suite_add_tcase(s, answers());
	suite_add_tcase(s, acks());
	suite_add_tcase(s, notifications());
	sr = srunner_create(s);
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed ? 1 : 0;
}
