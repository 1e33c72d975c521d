/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The call flows of RFC 3665 section 3 as the caller's user agent sees them: Alice calls Bob
 * through a proxy that stays in the route. Transcripts are in golden/session-3665-*.txt; what a
 * flow there does behind the first proxy nobody sees here.
 */
#include <check.h>

#include "tests/flow/callee.h"
#include "tests/support/run.h"

#define ROUTE "Record-Route: <sip:192.0.2.1;lr>\nContact: <sip:bob@192.0.2.99>\n"
#define CHALLENGE                                                                                    \
	"Proxy-Authenticate: Digest realm=\"example.com\", nonce=\"f84f1cec41e6cbe5aea9c8e88d35\", " \
	"algorithm=MD5, qop=\"auth\"\n"

static void show(struct world *w)
{
	static const char *const shown[] = { "Route", "To", "CSeq", "Contact",
		"Proxy-Authorization", "Content-Type" };

	for (size_t i = 0; i < ARRAY_LEN(shown); i++)
		world_show(w, shown[i]);
}

static struct callee begin(void)
{
	struct callee c = callee_new_registered();

	show(c.w);
	return c;
}

/* The same with that as Alice's server, which may have several addresses. */
static struct callee begin_with(const char *server)
{
	struct world_account alice = {
		.id = "alice",
		.domain = "example.com",
		.registrar = server,
		.password = "secret",
	};
	struct callee c = { .w = world_new(1) };

	c.wu = world_ua(c.w, "192.0.2.10");
	c.ep = world_endpoint(c.wu, &alice);
	show(c.w);
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
}

static void rings(struct callee *c)
{
	says(c, 100, "", NULL);
	world_run(c->w, SEC);
	says(c, 180, "314159", ROUTE);
	(void)world_expect_progress(c->wu, 180);
	world_run(c->w, 3 * SEC);
}

static void answers(struct callee *c)
{
	says(c, 200, "314159", ROUTE WITH(ANSWER));
	(void)callee_acked(c, "314159");
	(void)world_expect_event(c->wu, UA_SESSION_ESTABLISHED);
}

static void bob_hangs_up(struct callee *c)
{
	world_run(c->w, 10 * SEC);
	callee_sends(c, "BYE", "314159", NULL);
	(void)world_expect_out(c->w, "200");
	(void)world_expect_terminated(c->wu, 200, ORIGIN_REMOTE);
}

static void alice_hangs_up(struct callee *c)
{
	world_run(c->w, 10 * SEC);
	ck_assert_int_eq(session_terminate(c->s, NULL), 0);
	callee_answers(c, "BYE", "314159", 200);
	(void)world_expect_terminated(c->wu, 0, ORIGIN_LOCAL);
}

static void challenged(struct callee *c)
{
	says(c, 407, "proxy", CHALLENGE);
	(void)world_expect_out(c->w, "ACK");
	c->invite = world_expect_out(c->w, "INVITE");
}

static void finish(struct callee *c, const char *name)
{
	world_log_golden(c->w, name);
	callee_finish(c);
}

START_TEST(rfc3665_3_1_success)
{
	struct callee c = begin();

	called(&c);
	rings(&c);
	answers(&c);
	bob_hangs_up(&c);
	finish(&c, "session-3665-3.1");
}
END_TEST

/* The BYE brings credentials of its own. */
START_TEST(rfc3665_3_2_through_proxies_with_authentication)
{
	struct callee c = begin();

	called(&c);
	challenged(&c);
	rings(&c);
	answers(&c);
	alice_hangs_up(&c);
	finish(&c, "session-3665-3.2");
}
END_TEST

/* Each proxy asks for credentials of its realm, and the last INVITE has both. */
START_TEST(rfc3665_3_3_with_multiple_proxy_authentication)
{
	struct callee c = begin();

	called(&c);
	challenged(&c);
	says(&c, 100, "", NULL);
	says(&c, 407, "proxy2",
		"Proxy-Authenticate: Digest realm=\"biloxi.example.com\", nonce=\"1\"\n");
	(void)world_expect_out(c.w, "ACK");
	c.invite = world_expect_out(c.w, "INVITE");
	rings(&c);
	answers(&c);
	bob_hangs_up(&c);
	finish(&c, "session-3665-3.3");
}
END_TEST

/* The first proxy is there but mute; the second one asks for credentials. The 100 of F13 is the
 * server transaction's of the proxy and comes before what it forwards. */
START_TEST(rfc3665_3_4_with_proxy_failure)
{
	struct callee c = begin_with("ss.example.com");

	world_set_name(c.w, "ss.example.com", "192.0.2.3");
	world_set_name(c.w, "ss.example.com", "192.0.2.1");
	called(&c); /* F1 */
	for (unsigned i = 0; i < 6; i++) {
		const struct msg *again = world_wait_out(c.w, "INVITE", 17 * SEC);

		ck_assert(slice_eq(again->raw, c.invite->raw)); /* F2 to F7 */
	}
	c.invite = world_wait_out(c.w, "INVITE", SEC);
	challenged(&c);
	rings(&c);
	answers(&c);
	bob_hangs_up(&c);
	finish(&c, "session-3665-3.4");
}
END_TEST

/* The gateway is the way out of here: it stands in Route from the first INVITE on, which brings
 * the credentials that the proxy behind it asked for before. */
START_TEST(rfc3665_3_5_through_a_gateway)
{
	struct callee c = begin_with("192.0.2.2");

	c.ep->outbound_proxy = mem_strdup("sip:192.0.2.1;lr");
	called(&c);
	challenged(&c);
	rings(&c);
	answers(&c);
	alice_hangs_up(&c);
	finish(&c, "session-3665-3.5");
}
END_TEST

START_TEST(rfc3665_3_6_via_redirect_with_sdp_in_ack)
{
	struct session_body answer = world_sdp(ANSWER);
	struct callee c = begin();
	struct session_spec spec = { .target = SLICE("sip:bob@biloxi.example.com") };
	const char *why;

	ck_assert_int_eq(session_new(c.ep, &spec, &c.s, &why), 0);
	c.invite = world_expect_out(c.w, "INVITE");
	says(&c, 302, "redirect", "Contact: <sip:bob@chicago.example.com>\n");
	(void)world_expect_out(c.w, "ACK");
	c.invite = world_expect_out(c.w, "INVITE");
	rings(&c);
	says(&c, 200, "314159", ROUTE WITH(OFFER));
	(void)world_expect_event(c.wu, UA_SESSION_OFFER);
	world_run(c.w, SEC);
	ck_assert_int_eq(session_answer(c.s, &answer), 0);
	(void)callee_acked(&c, "314159");
	(void)world_expect_event(c.wu, UA_SESSION_ESTABLISHED);
	bob_hangs_up(&c);
	finish(&c, "session-3665-3.6");
}
END_TEST

#define DIRECT "Contact: <sip:bob@192.0.2.99>\n"

/* Bob under his new address. */
static void bob_moves(struct callee *c)
{
	struct session_body answer = world_sdp("v=0 answer 2");
	struct buf b = BUF_NULL;
	const char *const methods[] = { "INVITE", "ACK" };

	for (size_t i = 0; i < ARRAY_LEN(methods); i++) {
		buf_printf(&b, "%s {contact} SIP/2.0\n", methods[i]);
		buf_lit(&b, "Via: SIP/2.0/UDP {peer};branch=z9hG4bK-bob-{n}\n"
			    "Max-Forwards: 70\n"
			    "From: Bob <sip:bob@biloxi.example.com>;tag=314159\n");
		buf_printf(&b, "To: <sip:alice@example.com>;tag=%.*s\nCall-ID: %.*s\nCSeq: 14 %s\n",
			SLICE_ARGS(c->invite->from_tag), SLICE_ARGS(c->invite->call_id),
			methods[i]);
		buf_str(&b, i ? "Content-Length: 0\n\n"
			      : "Contact: <sip:bob@192.0.2.100>\n" WITH("v=0 moved"));
		buf_putc(&b, '\0');
		world_in(c->wu, "udp:192.0.2.100:5060", b.p);
		world_settle(c->w);
		buf_deinit(&b);
		if (i)
			break;
		world_expect_body(world_expect_event(c->wu, UA_SESSION_OFFER), "v=0 moved");
		ck_assert_int_eq(session_answer(c->s, &answer), 0);
		(void)world_expect_out(c->w, "200");
	}
}

/* The proxy stays out of it after F7: what follows goes between the two, and after F9 to Bob's new
 * address. */
START_TEST(rfc3665_3_7_with_reinvite_of_new_address)
{
	struct callee c = begin();

	called(&c);
	says(&c, 100, "", NULL);
	says(&c, 180, "314159", DIRECT);
	(void)world_expect_progress(c.wu, 180);
	world_run(c.w, 3 * SEC);
	says(&c, 200, "314159", DIRECT WITH(ANSWER));
	(void)callee_acked(&c, "314159");
	(void)world_expect_event(c.wu, UA_SESSION_ESTABLISHED);
	world_run(c.w, 10 * SEC);
	bob_moves(&c);
	alice_hangs_up(&c);
	finish(&c, "session-3665-3.7");
}
END_TEST

START_TEST(rfc3665_3_8_no_answer)
{
	struct callee c = begin();

	called(&c);
	rings(&c);
	ck_assert_int_eq(session_terminate(c.s, NULL), 0);
	world_reply_as(c.w, world_expect_out(c.w, "CANCEL"), 200, "314159", NULL);
	says(&c, 487, "314159", NULL);
	(void)world_expect_out(c.w, "ACK");
	(void)world_expect_terminated(c.wu, 487, ORIGIN_LOCAL);
	finish(&c, "session-3665-3.8");
}
END_TEST

static void refused(unsigned status, const char *name)
{
	struct callee c = begin();

	called(&c);
	says(&c, 100, "", NULL);
	world_run(c.w, SEC);
	says(&c, status, "314159", NULL);
	(void)world_expect_out(c.w, "ACK");
	(void)world_expect_terminated(c.wu, status, ORIGIN_REMOTE);
	finish(&c, name);
}

START_TEST(rfc3665_3_9_busy)
{
	refused(486, "session-3665-3.9");
}
END_TEST

/* The proxy says 480 when the callee says nothing; 3.11 says so at once. */
START_TEST(rfc3665_3_11_temporarily_unavailable)
{
	refused(480, "session-3665-3.11");
}
END_TEST

/* And when no proxy is there to say so: timer A and B. */
START_TEST(rfc3665_3_10_no_response)
{
	struct callee c = begin();

	called(&c);
	while (list_is_empty(&c.wu->told))
		world_run(c.w, SEC);
	(void)world_expect_terminated(c.wu, 0, ORIGIN_TIMEOUT);
	ck_assert_uint_eq(world_skip_out(c.w), 6);
	finish(&c, "session-3665-3.10");
}
END_TEST

RUN_TESTS("session-3665", rfc3665_3_1_success, rfc3665_3_2_through_proxies_with_authentication,
	rfc3665_3_3_with_multiple_proxy_authentication, rfc3665_3_4_with_proxy_failure,
	rfc3665_3_5_through_a_gateway, rfc3665_3_6_via_redirect_with_sdp_in_ack,
	rfc3665_3_7_with_reinvite_of_new_address, rfc3665_3_8_no_answer, rfc3665_3_9_busy,
	rfc3665_3_11_temporarily_unavailable, rfc3665_3_10_no_response)
