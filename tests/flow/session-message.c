/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* INFO (RFC 6086), MESSAGE (RFC 3428) and OPTIONS (RFC 3261 section 11) in a dialog. */
#include <check.h>

#include "protocol/base/err.h"
#include "protocol/ua/limits.h"
#include "tests/flow/callee.h"
#include "tests/flow/caller.h"
#include "tests/flow/pair.h"
#include "tests/support/run.h"

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

static struct callee established_with(const char *recv_info)
{
	struct callee c = callee_new();
	struct buf b = BUF_NULL;

	callee_called(&c, NULL);
	buf_printf(&b, "%s" WITH(ANSWER), recv_info);
	buf_putc(&b, '\0');
	callee_says(&c, 200, "b", b.p);
	buf_deinit(&b);
	(void)callee_acked(&c, "b");
	(void)world_expect_event(c.wu, UA_SESSION_ESTABLISHED);
	return c;
}

/* RFC 6086 4.2.1: 469 harms the request alone, and says what is welcome now. */
START_TEST(rfc6086_4_2_1_bad_package)
{
	struct callee c = established_with("Recv-Info: foo;p=1, bar\n");
	struct world_reply r = { 0 }, again = { 0 };

	ck_assert_int_eq(inform(c.s, "foo", &r), 0);
	world_reply(c.w, callee_expect(&c, "INFO", "b"), 469, "Recv-Info: bar\n");
	world_settle(c.w);
	pair_expect_reply(&r, 469, -EREMOTEIO, "");
	ck_assert_uint_eq(session_state(c.s), SESSION_ESTABLISHED);
	ck_assert_int_eq(inform(c.s, "foo", &r), -EOPNOTSUPP);
	ck_assert_int_eq(inform(c.s, "bar", &again), 0);
	callee_answers(&c, "INFO", "b", 200);
	pair_expect_reply(&again, 200, 0, "");
	finish(&c);
}
END_TEST

/* RFC 6086 5.2.2: nothing that the peer did not ask for; legacy INFO asks nobody. */
START_TEST(rfc6086_5_2_2_not_asked_for)
{
	struct callee c = established();
	struct world_reply r = { 0 };

	ck_assert_int_eq(inform(c.s, "foo", &r), -EOPNOTSUPP);
	ck_assert_int_eq(inform(c.s, "", &r), 0);
	callee_answers(&c, "INFO", "b", 200);
	finish(&c);
}
END_TEST

/* RFC 6086 5.2.4: a change that was refused changes nothing here either. */
START_TEST(rfc6086_5_2_4_fallback)
{
	static const char again[] = "Recv-Info: foo\n" WITH("v=0 again");
	struct session_body answer = world_sdp(ANSWER);
	struct callee c = established_with("Recv-Info: \n");
	struct world_reply r = { 0 };

	ck_assert_int_eq(inform(c.s, "foo", &r), -EOPNOTSUPP);
	callee_sends(&c, "INVITE", "b", again);
	(void)world_expect_event(c.wu, UA_SESSION_OFFER);
	ck_assert_int_eq(session_reject_offer(c.s, 488), 0);
	(void)world_expect_out(c.w, "488");
	ck_assert_int_eq(inform(c.s, "foo", &r), -EOPNOTSUPP);
	callee_sends(&c, "UPDATE", "b", again);
	(void)world_expect_event(c.wu, UA_SESSION_OFFER);
	ck_assert_int_eq(session_answer(c.s, &answer), 0);
	(void)world_expect_out(c.w, "200");
	ck_assert_int_eq(inform(c.s, "FOO", &r), 0);
	callee_answers(&c, "INFO", "b", 200);
	pair_expect_reply(&r, 200, 0, "");
	world_run(c.w, 40 * SEC);
	(void)world_skip_out(c.w);
	finish(&c);
}
END_TEST

/* RFC 6086 4.2.2: what our client did not say that it takes is refused, and named; legacy is not.
 */
START_TEST(rfc6086_4_2_2_packages)
{
	static const struct request_header recv[] = {
		{ SLICE_INIT("Recv-Info"), SLICE_INIT("foo, bar;x=1") },
		{ SLICE_INIT("Recv-Info"), SLICE_INIT("dtmf") },
	};
	static const char *const welcome[] = {
		"Info-Package: foo\n",
		"Info-Package: BAR\n",
		"Info-Package: bar;y=2\n",
		"Info-Package: dtmf\n",
	};
	struct session_spec spec = { .headers = { .list = recv, .n = ARRAY_LEN(recv) } };
	struct callee c = callee_new();

	callee_called(&c, &spec);
	callee_established(&c, "b");
	callee_sends(&c, "INFO", "b", "Info-Package: fo\n");
	callee_check_header(world_expect_out(c.w, "469"), HDR_RECV_INFO, "foo, bar;x=1,dtmf");
	world_expect_no_event(c.wu);
	for (size_t i = 0; i < ARRAY_LEN(welcome); i++) {
		callee_sends(&c, "INFO", "b", welcome[i]);
		(void)world_expect_out(c.w, "200");
		(void)world_expect_event(c.wu, UA_SESSION_INFO);
	}
	callee_sends(&c, "INFO", "b", "Content-Type: application/dtmf-relay\n\nSignal=5");
	(void)world_expect_out(c.w, "200");
	ck_assert_uint_eq(world_expect_event(c.wu, UA_SESSION_INFO)->event.package.n, 0);
	finish(&c);
}
END_TEST

/* RFC 6086 5.2.2: the called says in 1xx and 2xx what packages it takes; the last word counts. */
START_TEST(rfc6086_5_2_2_packages)
{
	static const struct request_header none = { SLICE_INIT("Recv-Info"), SLICE_INIT("") };
	static const struct request_header foo = { SLICE_INIT("Recv-Info"), SLICE_INIT("foo") };
	struct session_ring ring = { .headers = { .list = &none, .n = 1 } };
	struct session_headers headers = { .list = &foo, .n = 1 };
	struct session_body answer = world_sdp(ANSWER);
	struct caller c = caller_new();

	caller_calls(&c, NULL);
	ck_assert_int_eq(session_ring(c.s, &ring), 0);
	(void)caller_expect(&c, "180");
	caller_sends(&c, "INFO", "Info-Package: foo\n");
	callee_check_header(world_expect_out(c.w, "469"), HDR_RECV_INFO, "");
	world_expect_no_event(c.wu);
	ck_assert_int_eq(session_accept(c.s, &answer, &headers), 0);
	(void)caller_expect(&c, "200");
	caller_acks(&c, 1, NULL);
	(void)world_expect_event(c.wu, UA_SESSION_ESTABLISHED);
	caller_sends(&c, "INFO", "Info-Package: foo\n");
	(void)world_expect_out(c.w, "200");
	(void)world_expect_event(c.wu, UA_SESSION_INFO);
	caller_sends(&c, "BYE", NULL);
	(void)world_expect_out(c.w, "200");
	(void)world_expect_terminated(c.wu, 200, ORIGIN_REMOTE);
	caller_finish(&c);
}
END_TEST

/* Section 9: who said nothing of packages takes each INFO as a legacy one. */
START_TEST(rfc6086_9_legacy)
{
	struct callee c = established();

	callee_sends(&c, "INFO", "b", "Info-Package: foo\n");
	(void)world_expect_out(c.w, "200");
	(void)world_expect_event(c.wu, UA_SESSION_INFO);
	finish(&c);
}
END_TEST

/* RFC 5057 5.1: 481 ends the session, and what else pends is told so. */
START_TEST(rfc5057_5_1_no_dialog)
{
	struct callee c = established();
	struct world_reply first = { 0 }, second = { 0 };

	ck_assert_int_eq(inform(c.s, "", &first), 0);
	ck_assert_int_eq(say(c.s, &second), 0);
	callee_answers(&c, "INFO", "b", 481);
	pair_expect_reply(&first, 481, -EREMOTEIO, "");
	pair_expect_reply(&second, 0, -ECANCELED, "");
	(void)world_expect_terminated(c.wu, 481, ORIGIN_REMOTE);
	/* The MESSAGE is the transaction's own to repeat. */
	world_run(c.w, 40 * SEC);
	(void)world_skip_out(c.w);
	callee_finish(&c);
}
END_TEST

/* RFC 3261 11.2: what we are capable of, and no word to anybody. */
START_TEST(rfc3261_11_2_options)
{
	struct callee c = established();
	const struct msg *m;

	callee_sends(&c, "OPTIONS", "b", NULL);
	m = world_expect_out(c.w, "200");
	ck_assert(msg_has_token(m, HDR_ALLOW, SLICE("INVITE")));
	ck_assert_ptr_nonnull(msg_header(m, HDR_ACCEPT).p);
	finish(&c);
}
END_TEST

START_TEST(limits_sends)
{
	struct callee c = established();
	static struct world_reply r[LIMITS_SENDS_PER_SESSION];

	for (int i = 0; i < LIMITS_SENDS_PER_SESSION; i++)
		ck_assert_int_eq(say(c.s, &r[i]), 0);
	ck_assert_int_eq(say(c.s, &r[0]), -ENOSPC);
	for (int i = 0; i < LIMITS_SENDS_PER_SESSION; i++)
		world_reply(c.w, callee_expect(&c, "MESSAGE", "b"), 200, NULL);
	world_settle(c.w);
	for (int i = 0; i < LIMITS_SENDS_PER_SESSION; i++)
		pair_expect_reply(&r[i], 200, 0, "");
	finish(&c);
}
END_TEST

RUN_TESTS("session-message", rfc6086_4_2_1_bad_package, rfc6086_5_2_2_not_asked_for,
	rfc6086_5_2_4_fallback, rfc6086_4_2_2_packages, rfc6086_5_2_2_packages, rfc6086_9_legacy,
	rfc5057_5_1_no_dialog, rfc3261_11_2_options, limits_sends)
