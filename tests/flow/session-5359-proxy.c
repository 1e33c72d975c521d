/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The services of RFC 5359 that a proxy does for whoever is called, as Alice's user agent sees
 * them. Transcripts are in golden/session-5359-*.txt. Differences, on purpose: no SIPS, for this
 * world has no TLS; in 2.13 the 305 is handed back, for a stranger does not choose our proxy: its
 * Contact is told, and whoever agrees calls that way.
 */
#include <check.h>

#include "tests/flow/callee.h"
#include "tests/support/run.h"

#define ROUTE "Record-Route: <sip:192.0.2.1;lr>\n"
#define B1 ROUTE "Contact: <sip:b1@192.0.2.91>\n"
#define B2 ROUTE "Contact: <sip:b2@192.0.2.92>\n"
#define CHALLENGE                                                                                    \
	"Proxy-Authenticate: Digest realm=\"example.com\", nonce=\"f84f1cec41e6cbe5aea9c8e88d35\", " \
	"algorithm=MD5, qop=\"auth\"\n"

static struct callee begin(void)
{
	static const char *const shown[] = { "Route", "To", "CSeq", "Contact", "Error-Info" };
	struct callee c = callee_new_registered();

	for (size_t i = 0; i < ARRAY_LEN(shown); i++)
		world_show(c.w, shown[i]);
	return c;
}

static void says(struct callee *c, unsigned status, const char *tag, const char *headers)
{
	world_reply_as(c->w, c->invite, status, tag, headers);
	world_settle(c->w);
}

static void called(struct callee *c)
{
	callee_called(c, &(struct session_spec){ .target = SLICE("sip:bob@biloxi.example.com") });
	says(c, 100, "", NULL);
}

static void rings(struct callee *c, const char *tag, const char *who)
{
	says(c, 180, tag, who);
	(void)world_expect_progress(c->wu, 180);
	world_run(c->w, 3 * SEC);
}

/* The proxy acts as a user agent here: the dialog is its own and leads nowhere. */
static void forwarded(struct callee *c)
{
	says(c, 181, "proxy", NULL);
	(void)world_expect_progress(c->wu, 181);
}

static void b2_answers(struct callee *c)
{
	says(c, 200, "b2", B2 WITH(ANSWER));
	(void)callee_acked(c, "b2");
	(void)world_expect_event(c->wu, UA_SESSION_ESTABLISHED);
	ck_assert(slice_eq(session_remote_target(c->s), SLICE("sip:b2@192.0.2.92")));
	world_run(c->w, 10 * SEC);
	ck_assert_int_eq(session_terminate(c->s, NULL), 0);
	callee_answers(c, "BYE", "b2", 200);
	(void)world_expect_terminated(c->wu, 0, ORIGIN_LOCAL);
}

static void finish(struct callee *c, const char *name)
{
	world_log_golden(c->w, name);
	callee_finish(c);
}

START_TEST(rfc5359_2_7_call_forwarding_unconditional)
{
	struct callee c = begin();

	called(&c);
	forwarded(&c);
	rings(&c, "b2", B2);
	b2_answers(&c);
	finish(&c, "session-5359-2.7");
}
END_TEST

/* 2.8, busy, is the same from here but for the time that it takes. */
START_TEST(rfc5359_2_8_call_forwarding_busy)
{
	struct callee c = begin();

	called(&c);
	world_run(c.w, SEC);
	forwarded(&c);
	rings(&c, "b2", B2);
	b2_answers(&c);
	finish(&c, "session-5359-2.8");
}
END_TEST

START_TEST(rfc5359_2_9_call_forwarding_no_answer)
{
	struct callee c = begin();

	called(&c);
	rings(&c, "b1", B1);
	forwarded(&c);
	rings(&c, "b2", B2);
	ck_assert(session_is_forked(c.s));
	b2_answers(&c);
	finish(&c, "session-5359-2.9");
}
END_TEST

/* Four places one after the other, two of which ring. */
START_TEST(rfc5359_2_12_find_me)
{
	struct callee c = begin();

	called(&c);
	rings(&c, "b1", B1);
	rings(&c, "b2", B2);
	b2_answers(&c);
	finish(&c, "session-5359-2.12");
}
END_TEST

/* ---- screening ---- */

static void again(struct callee *c, const char *target)
{
	callee_called(c, &(struct session_spec){ .target = slice_str(target) });
}

static void challenged(struct callee *c)
{
	says(c, 407, "proxy", CHALLENGE);
	(void)world_expect_out(c->w, "ACK");
	c->invite = world_expect_out(c->w, "INVITE");
}

static void refused(struct callee *c, unsigned status, const char *headers)
{
	says(c, status, "refusal", headers);
	(void)world_expect_out(c->w, "ACK");
	(void)world_expect_terminated(c->wu, status, ORIGIN_REMOTE);
}

START_TEST(rfc5359_2_13_incoming_call_screening)
{
	struct callee c = begin();

	again(&c, "sip:bob@biloxi.example.com");
	refused(&c, 305, "Contact: <sip:192.0.2.1>\n");
	again(&c, "sip:bob@biloxi.example.com");
	challenged(&c);
	refused(&c, 403, "Error-Info: <sip:announcement@192.0.2.99>\n");
	again(&c, "sip:announcement@192.0.2.99");
	says(&c, 200, "a", "Contact: <sip:announcement@192.0.2.99>;automaton\n" WITH(ANSWER));
	(void)callee_acked(&c, "a");
	(void)world_expect_event(c.wu, UA_SESSION_ESTABLISHED);
	world_run(c.w, 10 * SEC);
	callee_sends(&c, "BYE", "a", NULL);
	(void)world_expect_out(c.w, "200");
	(void)world_expect_terminated(c.wu, 200, ORIGIN_REMOTE);
	finish(&c, "session-5359-2.13");
}
END_TEST

START_TEST(rfc5359_2_14_outgoing_call_screening)
{
	struct callee c = begin();

	again(&c, "sip:bob@biloxi.example.com");
	challenged(&c);
	refused(&c, 403, "Error-Info: <sip:announcement@192.0.2.99>\n");
	finish(&c, "session-5359-2.14");
}
END_TEST

RUN_TESTS("session-5359-proxy", rfc5359_2_7_call_forwarding_unconditional,
	rfc5359_2_8_call_forwarding_busy, rfc5359_2_9_call_forwarding_no_answer,
	rfc5359_2_12_find_me, rfc5359_2_13_incoming_call_screening,
	rfc5359_2_14_outgoing_call_screening)
