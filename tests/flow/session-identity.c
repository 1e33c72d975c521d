/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Who the far end is said to be, and who is believed (RFC 3325 section 5). */
#include <check.h>

#include "protocol/ua/registration.h"
#include "tests/flow/callee.h"
#include "tests/support/run.h"

#define BOSS "<sip:boss@example.com>"
#define SERVER "udp:192.0.2.1:5060"

static struct callee registered(void)
{
	const struct registration_options plain = { 0 };
	struct callee c = callee_new_registered();

	ck_assert_int_eq(registration_start(c.ep->registration, &plain), 0);
	world_reply(
		c.w, world_expect_out(c.w, "REGISTER"), 200, "Contact: {contact};expires=3600\n");
	world_settle(c.w);
	return c;
}

static void finish(struct callee *c)
{
	endpoint_close(c->ep);
	world_reply(c->w, world_expect_out(c->w, "REGISTER"), 200, "");
	world_run(c->w, 180 * SEC);
	world_expect_idle(c->wu);
	world_free(c->w);
}

static void check_asserted(const struct callee *c, unsigned i, const char *value)
{
	struct slice asserted = session_asserted(c->s, i);

	ck_assert_msg(slice_eq(asserted, slice_str(value)), "%.*s", SLICE_ARGS(asserted));
	ck_assert_int_eq(asserted.p != NULL, *value != '\0');
}

/* An INVITE from there; then nobody takes it. */
static void check_caller(struct callee *c, const char *from, const char *asserted)
{
	world_in(c->wu, from,
		"INVITE {contact} SIP/2.0\n"
		"Via: SIP/2.0/UDP {peer};branch=z9hG4bK-{n};rport\n"
		"Max-Forwards: 70\n"
		"From: Anonymous <sip:anonymous@anonymous.invalid>;tag=1\n"
		"To: <sip:alice@example.com>\n"
		"Call-ID: {n}\n"
		"CSeq: 1 INVITE\n"
		"Contact: <sip:bob@192.0.2.1>\n"
		"P-Asserted-Identity: \"Boss\" " BOSS ", tel:+15551234\n"
		"Privacy: id\n" WITH(OFFER));
	world_settle(c->w);
	c->s = world_expect_session(c->wu);
	check_asserted(c, 0, asserted);
	check_asserted(c, 1, *asserted ? "tel:+15551234" : "");
	check_asserted(c, 2, "");
	session_pass(c->s);
	(void)world_expect_out(c->w, "480");
	(void)world_expect_terminated(c->wu, 480, ORIGIN_LOCAL);
	/* No ACK comes: the transaction ends by Timer H (RFC 3261 section 17.2.1). */
	world_run(c->w, 40 * SEC);
	(void)world_skip_out(c->w);
}

START_TEST(rfc3325_5_a_caller_by_the_own_server)
{
	struct callee c = registered();

	check_caller(&c, SERVER, "\"Boss\" " BOSS);
	finish(&c);
}
END_TEST

START_TEST(rfc3325_5_a_caller_from_elsewhere)
{
	struct callee c = registered();

	check_caller(&c, "udp:192.0.2.66:5060", "");
	/* The server's host alone is not the server. */
	check_caller(&c, "udp:192.0.2.1:5999", "");
	finish(&c);
}
END_TEST

/* Whom we reached, which need not be whom we called. */
START_TEST(rfc3325_5_a_callee_by_the_own_server)
{
	struct callee c = registered();

	callee_called(&c, NULL);
	check_asserted(&c, 0, "");
	callee_says(&c, 200, "b", "P-Asserted-Identity: " BOSS "\n" WITH(ANSWER));
	(void)callee_acked(&c, "b");
	(void)world_expect_event(c.wu, UA_SESSION_ESTABLISHED);
	check_asserted(&c, 0, BOSS);
	check_asserted(&c, 1, "");
	ck_assert_int_eq(session_terminate(c.s, NULL), 0);
	callee_answers(&c, "BYE", "b", 200);
	(void)world_expect_event(c.wu, UA_SESSION_TERMINATED);
	finish(&c);
}
END_TEST

/* Without a server that speaks for others nobody is believed. */
START_TEST(rfc3325_5_a_callee_without_a_server)
{
	struct callee c = callee_new();

	callee_called(&c, NULL);
	callee_says(&c, 200, "b", "P-Asserted-Identity: " BOSS "\n" WITH(ANSWER));
	(void)callee_acked(&c, "b");
	(void)world_expect_event(c.wu, UA_SESSION_ESTABLISHED);
	check_asserted(&c, 0, "");
	ck_assert_int_eq(session_terminate(c.s, NULL), 0);
	callee_answers(&c, "BYE", "b", 200);
	(void)world_expect_event(c.wu, UA_SESSION_TERMINATED);
	callee_finish(&c);
}
END_TEST

RUN_TESTS("session-identity", rfc3325_5_a_caller_by_the_own_server,
	rfc3325_5_a_caller_from_elsewhere, rfc3325_5_a_callee_by_the_own_server,
	rfc3325_5_a_callee_without_a_server)
