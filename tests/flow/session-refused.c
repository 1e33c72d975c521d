/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What servers and the network have against a session's requests: challenges in and outside of the
 * dialog (RFC 3261 section 22, RFC 7616), refusals that say more than their phrase, and connections
 * that break.
 */
#include <check.h>
#include <stdio.h>

#include "protocol/base/err.h"
#include "protocol/ua/session-refer.h"
#include "tests/flow/callee.h"
#include "tests/support/run.h"

#define PROXY "Record-Route: <sip:192.0.2.1;lr>\nContact: <sip:bob@192.0.2.99>\n"
#define ASKS(nonce, more)                                                         \
	"Proxy-Authenticate: Digest realm=\"example.com\", nonce=\"" nonce "\", " \
	"algorithm=MD5, qop=\"auth\"" more "\n"

/* ---- challenges ---- */

/* The answer to a challenge with that nonce, for the n-th time. */
static void check_answer(const struct msg *m, const char *nonce, unsigned n)
{
	struct slice v = msg_header(m, HDR_PROXY_AUTHORIZATION);
	char count[24], quoted[64];

	(void)snprintf(count, sizeof(count), "nc=%08x", n);
	(void)snprintf(quoted, sizeof(quoted), "nonce=\"%s\"", nonce);
	ck_assert_msg(v.p && strstr(v.p, count) && strstr(v.p, count) < v.p + v.n, "%s: %.*s",
		count, SLICE_ARGS(v));
	ck_assert(strstr(v.p, quoted) && strstr(v.p, quoted) < v.p + v.n);
}

static void says(struct callee *c, unsigned status, const char *tag, const char *headers)
{
	world_reply_as(c->w, c->invite, status, tag, headers);
	world_settle(c->w);
}

/* Established through a proxy that asked for credentials with that nonce, once. */
static struct callee established(void)
{
	struct callee c = callee_new_registered();

	callee_called(&c, &(struct session_spec){ .target = SLICE("sip:bob@example.com") });
	says(&c, 407, "proxy", ASKS("one", ""));
	(void)world_expect_out(c.w, "ACK");
	c.invite = world_expect_out(c.w, "INVITE");
	check_answer(c.invite, "one", 1);
	says(&c, 200, "b",
		PROXY "Allow: INVITE, ACK, BYE, CANCEL, UPDATE, REFER, INFO\n" WITH(ANSWER));
	check_answer(callee_acked(&c, "b"), "one", 1); /* 13.2.2.4, 22.1 */
	(void)world_expect_event(c.wu, UA_SESSION_ESTABLISHED);
	return c;
}

/* The proxy finds the nonce too old: once more, with the next CSeq and that nonce. */
static const struct msg *stale(struct callee *c, const struct msg *m, const char *challenge)
{
	const struct msg *again;

	world_reply(c->w, m, 407, challenge);
	world_settle(c->w);
	if (m->method == METHOD_INVITE)
		(void)callee_expect(c, "ACK", "b");
	again = callee_expect(c, method_name(m->method).p, "b");
	ck_assert_uint_eq(again->cseq, m->cseq + 1);
	return again;
}

START_TEST(rfc3261_22_3_challenges_in_the_dialog)
{
	struct session_body offer = world_sdp("v=0 again");
	struct callee c = established();
	struct world_reply r = { 0 }, info = { 0 };
	struct session_reply reply = world_reply_of(&r), info_reply = world_reply_of(&info);
	struct session_refer to = { .target = SLICE("sip:carol@example.com"),
		.no_subscription = true };
	const struct msg *m;

	/* The nonce is used again, with a higher count, and not asked for. */
	ck_assert_int_eq(session_offer(c.s, &offer, SLICE_NULL, &reply), 0);
	m = callee_expect(&c, "INVITE", "b");
	check_answer(m, "one", 2);
	m = stale(&c, m, ASKS("two", ", stale=true"));
	check_answer(m, "two", 1);
	world_reply(c.w, m, 200, PROXY WITH("v=0 b2"));
	world_settle(c.w);
	check_answer(callee_expect(&c, "ACK", "b"), "two", 1);
	ck_assert_uint_eq(r.status, 200);

	ck_assert_int_eq(session_info(c.s, SLICE_NULL, &offer, NULL, &info_reply), 0);
	m = callee_expect(&c, "INFO", "b");
	check_answer(m, "two", 2);
	m = stale(&c, m, ASKS("three", ", stale=TRUE"));
	check_answer(m, "three", 1);
	world_reply(c.w, m, 200, NULL);
	world_settle(c.w);
	ck_assert_uint_eq(info.status, 200);

	ck_assert_int_eq(session_refer(c.s, &to), 0);
	m = callee_expect(&c, "REFER", "b");
	check_answer(m, "three", 2);
	m = stale(&c, m, ASKS("four", ", stale=true"));
	check_answer(m, "four", 1);
	world_reply(c.w, m, 202, PROXY "Refer-Sub: false\n");
	world_settle(c.w);
	ck_assert_uint_eq(world_expect_event(c.wu, UA_SESSION_REFER_FINISHED)->event.status, 202);

	ck_assert_int_eq(session_terminate(c.s, NULL), 0);
	m = callee_expect(&c, "BYE", "b");
	check_answer(m, "four", 2);
	m = stale(&c, m, ASKS("five", ", stale=true"));
	check_answer(m, "five", 1);
	world_reply(c.w, m, 200, NULL);
	world_settle(c.w);
	(void)world_expect_terminated(c.wu, 0, ORIGIN_LOCAL);
	callee_finish(&c);
}
END_TEST

/* PRACK too; RAck stays, CSeq moves on (RFC 3262 section 4). */
START_TEST(rfc3262_4_challenge_to_prack)
{
	struct callee c = callee_new_registered();
	const struct msg *m;

	callee_called(&c, &(struct session_spec){ .target = SLICE("sip:bob@example.com") });
	says(&c, 180, "b", PROXY "Require: 100rel\nRSeq: 7\n");
	(void)world_expect_progress(c.wu, 180);
	m = callee_expect(&c, "PRACK", "b");
	ck_assert(!msg_header(m, HDR_PROXY_AUTHORIZATION).p);
	m = stale(&c, m, ASKS("one", ""));
	check_answer(m, "one", 1);
	callee_check_header(m, HDR_RACK, "7 1 INVITE");
	world_reply(c.w, m, 200, NULL);
	says(&c, 486, "b", NULL);
	(void)world_expect_out(c.w, "ACK");
	(void)world_expect_terminated(c.wu, 486, ORIGIN_REMOTE);
	callee_finish(&c);
}
END_TEST

/* The same password twice is wrong twice: 22.2 asks not to try again. */
START_TEST(rfc3261_22_2_wrong_password_in_the_dialog)
{
	struct session_body offer = world_sdp("v=0 again");
	struct callee c = established();
	struct world_reply r = { 0 };
	struct session_reply reply = world_reply_of(&r);

	ck_assert_int_eq(session_offer(c.s, &offer, SLICE_NULL, &reply), 0);
	for (unsigned i = 0; i < 8 && !r.n; i++) {
		world_reply(c.w, callee_expect(&c, "INVITE", "b"), 407, ASKS("two", ""));
		world_settle(c.w);
		(void)callee_expect(&c, "ACK", "b");
	}
	ck_assert_uint_eq(r.n, 1);
	ck_assert_uint_eq(r.status, 407);
	ck_assert_int_eq(r.error, -EACCES);
	ck_assert_uint_eq(session_state(c.s), SESSION_ESTABLISHED);
	ck_assert_int_eq(session_terminate(c.s, NULL), 0);
	callee_answers(&c, "BYE", "b", 407); /* 15.1.1: whatever it says */
	(void)world_skip_out(c.w);
	world_run(c.w, 40 * SEC);
	(void)world_skip_out(c.w);
	(void)world_expect_event(c.wu, UA_SESSION_TERMINATED);
	callee_finish(&c);
}
END_TEST

/* A stranger at the end of the dialog gets nothing. */
START_TEST(rfc3261_22_challenge_of_a_stranger)
{
	struct callee c = callee_new();
	struct world_reply r = { 0 };
	struct session_reply reply = world_reply_of(&r);
	struct session_body body = world_sdp("v=0 again");

	callee_called(&c, NULL);
	callee_established(&c, "b");
	ck_assert_int_eq(session_offer(c.s, &body, SLICE_NULL, &reply), 0);
	world_reply(c.w, callee_expect(&c, "INVITE", "b"), 407, ASKS("two", ""));
	world_settle(c.w);
	(void)callee_expect(&c, "ACK", "b");
	ck_assert_uint_eq(r.status, 407);
	ck_assert_int_eq(r.error, -EACCES);
	ck_assert_int_eq(session_terminate(c.s, NULL), 0);
	callee_answers(&c, "BYE", "b", 200);
	(void)world_expect_terminated(c.wu, 0, ORIGIN_LOCAL);
	callee_finish(&c);
}
END_TEST

/* ---- refusals that say more ---- */

/* What it told is there to be read by who has to decide what next. */
START_TEST(a_refusal_says_what_would_do)
{
	static const struct {
		unsigned status;
		const char *headers, *reason;
	} cases[] = {
		{ 486, NULL, "Busy Here" },
		{ 486, "Retry-After: 30\nReason: Q.850;cause=17\n",
			"Busy Here (Reason: Q.850;cause=17; Retry-After: 30)" },
		{ 488, "Warning: 305 x \"no codec\"\n",
			"Not Acceptable Here (Warning: 305 x \"no codec\")" },
		{ 420, "Unsupported: replaces\n", "Bad Extension (Unsupported: replaces)" },
		{ 403, "Error-Info: <sip:a@b>\nContact: <sip:c@d>\n",
			"Forbidden (Error-Info: <sip:a@b>)" },
		/* 21.3.4: not followed, for a stranger chooses no proxy of ours. */
		{ 305, "Contact: <sip:192.0.2.7>\n", "Use Proxy (Contact: <sip:192.0.2.7>)" },
		{ 380, "Contact: <sip:a@b>, <mailto:c@d>\n",
			"Alternative Service (Contact: <sip:a@b>, <mailto:c@d>)" },
		/* No way that we could go. */
		{ 302, "Contact: <mailto:c@d>\n", "Moved Temporarily (Contact: <mailto:c@d>)" },
		{ 600, "Retry-After: 5\n", "Busy Everywhere (Retry-After: 5)" },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct callee c = callee_new();
		const struct world_told *t;

		callee_called(&c, NULL);
		world_reply_as(c.w, c.invite, cases[i].status, "b", cases[i].headers);
		world_settle(c.w);
		(void)world_expect_out(c.w, "ACK");
		t = world_expect_terminated(c.wu, cases[i].status, ORIGIN_REMOTE);
		ck_assert_msg(slice_eq(t->event.reason, slice_str(cases[i].reason)), "%.*s",
			SLICE_ARGS(t->event.reason));
		callee_finish(&c);
	}
}
END_TEST

/* ---- the network ---- */

static struct callee called_over_tcp(void)
{
	static const struct world_account alice = {
		.id = "alice", .domain = "192.0.2.10", .transport = TRANSPORT_TCP
	};
	struct callee c = { .w = world_new(1) };

	c.wu = world_ua(c.w, "192.0.2.10");
	c.ep = world_endpoint(c.wu, &alice);
	callee_called(&c, NULL);
	return c;
}

/* Through a server with two addresses. */
static struct callee called_by_either(void)
{
	static const struct world_account alice = {
		.id = "alice",
		.domain = "example.com",
		.registrar = "ss.example.com",
		.transport = TRANSPORT_TCP,
	};
	struct callee c = { .w = world_new(1) };

	c.wu = world_ua(c.w, "192.0.2.10");
	c.ep = world_endpoint(c.wu, &alice);
	world_set_name(c.w, "ss.example.com", "192.0.2.1");
	world_set_name(c.w, "ss.example.com", "192.0.2.3");
	callee_called(&c, &(struct session_spec){ .target = SLICE("sip:bob@example.com") });
	return c;
}

/* RFC 3263 4.3: who rings already would ring once more, or find the INVITE merged (8.2.2.2). */
START_TEST(rfc3263_4_3_a_connection_breaks_while_it_rings)
{
	struct callee c = called_by_either();

	callee_says(&c, 180, "b", NULL);
	(void)world_expect_progress(c.wu, 180);
	world_cut(c.wu);
	world_settle(c.w);
	(void)world_expect_terminated(c.wu, 0, ORIGIN_NETWORK);
	callee_finish(&c);
}
END_TEST

/* Before anybody was heard the other address is tried. */
START_TEST(rfc3263_4_3_a_connection_breaks_before_an_answer)
{
	struct callee c = called_by_either();

	world_cut(c.wu);
	world_settle(c.w);
	c.invite = world_expect_out(c.w, "INVITE");
	callee_says(&c, 486, "b", NULL);
	(void)world_expect_out(c.w, "ACK");
	(void)world_expect_terminated(c.wu, 486, ORIGIN_REMOTE);
	callee_finish(&c);
}
END_TEST

/* A dialog is no connection: the next request makes a new one, and the peer's finds us. */
START_TEST(rfc3261_18_a_connection_breaks_in_the_session)
{
	struct callee c = called_over_tcp();
	struct world_reply r = { 0 };
	struct session_reply reply = world_reply_of(&r);
	struct session_body body = world_sdp("v=0 again");

	callee_says(&c, 200, "b", "Contact: <sip:bob@192.0.2.1;transport=tcp>\n" WITH(ANSWER));
	(void)callee_acked(&c, "b");
	(void)world_expect_event(c.wu, UA_SESSION_ESTABLISHED);
	world_cut(c.wu);
	world_settle(c.w);
	ck_assert_uint_eq(session_state(c.s), SESSION_ESTABLISHED);
	ck_assert_int_eq(session_offer(c.s, &body, SLICE_NULL, &reply), 0);
	world_reply(c.w, callee_expect(&c, "INVITE", "b"), 200,
		"Contact: <sip:bob@192.0.2.1;transport=tcp>\n" WITH("v=0 b2"));
	world_settle(c.w);
	(void)callee_expect(&c, "ACK", "b");
	ck_assert_uint_eq(r.status, 200);
	world_cut(c.wu);
	world_set_reach(c.w, "192.0.2.1", WORLD_REFUSED);
	/* Nobody is there any more: what fails is told, and BYE ends it all the same. */
	r = (struct world_reply){ 0 };
	ck_assert_int_eq(session_offer(c.s, &body, SLICE_NULL, &reply), 0);
	world_settle(c.w);
	ck_assert_uint_eq(r.n, 1);
	ck_assert_uint_eq(r.origin, ORIGIN_NETWORK);
	ck_assert_uint_eq(session_state(c.s), SESSION_ESTABLISHED);
	ck_assert_int_eq(session_terminate(c.s, NULL), 0);
	world_settle(c.w);
	(void)world_expect_terminated(c.wu, 0, ORIGIN_LOCAL);
	callee_finish(&c);
}
END_TEST

RUN_TESTS("session-refused", rfc3261_22_3_challenges_in_the_dialog, rfc3262_4_challenge_to_prack,
	rfc3261_22_2_wrong_password_in_the_dialog, rfc3261_22_challenge_of_a_stranger,
	a_refusal_says_what_would_do, rfc3263_4_3_a_connection_breaks_while_it_rings,
	rfc3263_4_3_a_connection_breaks_before_an_answer,
	rfc3261_18_a_connection_breaks_in_the_session)
