/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* RFC 3261 sections 8.1.3.4, 8.1.3.5 and 22: challenges and redirects, on the wire. */
#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "protocol/ua/limits.h"
#include "tests/unit/ua/try.h"

#define BOB "sip:bob@example.com"
#define ASK(nonce)                                                             \
	"WWW-Authenticate: Digest realm=\"example.com\", nonce=\"" nonce "\"," \
	" qop=\"auth\", algorithm=SHA-256\n"
#define STALE(nonce) \
	"WWW-Authenticate: Digest realm=\"example.com\", nonce=\"" nonce "\", stale=true\n"

static const struct msg *next(struct try *t)
{
	return world_expect_out(t->w, "MESSAGE");
}

static void answer(struct try *t, unsigned status, const char *headers)
{
	world_reply(t->w, next(t), status, headers);
}

static bool has_credentials(const struct msg *m)
{
	return msg_header(m, HDR_AUTHORIZATION).p || msg_header(m, HDR_PROXY_AUTHORIZATION).p;
}

/* ---- 401 and 407 ---- */

START_TEST(challenged_and_answered)
{
	const struct msg *a, *b;
	struct try t;

	try_init(&t, &try_alice);
	try_page(&t, BOB);
	a = next(&t);
	ck_assert(!has_credentials(a));
	world_reply(t.w, a, 401, ASK("n1"));
	b = next(&t);
	ck_assert(try_has(try_header(b, "Authorization"), "nonce=\"n1\""));
	ck_assert(try_has(try_header(b, "Authorization"), "uri=\"" BOB "\""));
	/* 8.1.3.5: a new transaction, the same Call-ID, To and From, the CSeq one higher. */
	ck_assert(!slice_eq(a->via.branch, b->via.branch));
	ck_assert(slice_eq(a->call_id, b->call_id));
	ck_assert(slice_eq(a->from_tag, b->from_tag));
	ck_assert(slice_eq(try_header(a, "To"), try_header(b, "To")));
	ck_assert_uint_eq(b->cseq, a->cseq + 1);
	ck_assert(slice_eq(b->body, SLICE("hello")));
	world_reply(t.w, b, 200, NULL);
	try_expect(&t, 200, 0, ORIGIN_REMOTE);
	ck_assert_uint_eq(t.cseq, 2);
	/* 22.3: the next one brings its answer along. */
	try_page(&t, BOB);
	b = next(&t);
	ck_assert(try_has(try_header(b, "Authorization"), "nc=00000002"));
	ck_assert_uint_eq(b->cseq, 1);
	world_reply(t.w, b, 200, NULL);
	try_expect(&t, 200, 0, ORIGIN_REMOTE);
	try_deinit(&t);
}
END_TEST

START_TEST(wrong_password_two_requests)
{
	struct try t;

	try_init(&t, &try_alice);
	for (unsigned i = 0; i < 2; i++) {
		try_page(&t, BOB);
		answer(&t, 401, ASK("n1"));
		answer(&t, 401, ASK("n2"));
		try_expect(&t, 401, -EACCES, ORIGIN_REMOTE);
		ck_assert_str_eq(t.reason, "Unauthorized: credentials were not accepted");
		/* No third, ever. */
		world_expect_silence(t.w, 60 * USEC_PER_SEC);
	}
	try_deinit(&t);
}
END_TEST

START_TEST(the_right_one_after_all)
{
	struct try t;

	/* After a refusal the agent is asked again, and may know better by then. */
	try_init(&t, &try_alice);
	try_page(&t, BOB);
	answer(&t, 401, ASK("n1"));
	answer(&t, 401, ASK("n2"));
	try_expect(&t, 401, -EACCES, ORIGIN_REMOTE);
	world_set_secret(t.w, "alice", "alice", "better");
	try_page(&t, BOB);
	answer(&t, 401, ASK("n3"));
	answer(&t, 200, NULL);
	try_expect(&t, 200, 0, ORIGIN_REMOTE);
	try_deinit(&t);
}
END_TEST

START_TEST(stale_asks_nobody)
{
	uint64_t asked;
	const struct msg *m;
	struct try t;

	try_init(&t, &try_alice);
	try_page(&t, BOB);
	answer(&t, 401, ASK("n1"));
	answer(&t, 200, NULL);
	try_expect(&t, 200, 0, ORIGIN_REMOTE);
	asked = t.ua->query_serial;
	try_page(&t, BOB);
	answer(&t, 401, STALE("n2"));
	m = next(&t);
	ck_assert(try_has(try_header(m, "Authorization"), "nonce=\"n2\""));
	ck_assert_uint_eq(t.ua->query_serial, asked);
	world_reply(t.w, m, 200, NULL);
	try_expect(&t, 200, 0, ORIGIN_REMOTE);
	try_deinit(&t);
}
END_TEST

/* The second of two requests meets a new nonce without a word of stale. */
static void renewed_nonce(unsigned first_status, unsigned expected)
{
	struct try t;

	try_init(&t, &try_alice);
	try_page(&t, BOB);
	answer(&t, 401, ASK("n1"));
	answer(&t, first_status, NULL);
	world_settle(t.w);
	ck_assert_uint_eq(t.n_done, 1);
	t.n_done = 0;
	try_page(&t, BOB);
	answer(&t, 401, ASK("n2"));
	if (expected == 200)
		answer(&t, 200, NULL);
	world_settle(t.w);
	ck_assert_uint_eq(t.n_done, 1);
	ck_assert_uint_eq(t.status, expected);
	try_deinit(&t);
}

START_TEST(proven_credentials)
{
	renewed_nonce(200, 200);
	renewed_nonce(404, 200);
	renewed_nonce(302, 200);
	renewed_nonce(603, 200);
	renewed_nonce(403, 401);
	renewed_nonce(400, 401);
	renewed_nonce(500, 401);
}
END_TEST

START_TEST(limit_of_auth_rounds)
{
	struct try t;

	try_init(&t, &try_alice);
	try_page(&t, BOB);
	for (unsigned i = 0; i < LIMITS_AUTH_ROUNDS; i++)
		answer(&t, 401, STALE("n{n}"));
	try_expect_pending(&t);
	answer(&t, 401, STALE("n{n}"));
	try_expect(&t, 401, -EACCES, ORIGIN_REMOTE);
	ck_assert_str_eq(t.reason, "Unauthorized: asked too often");
	world_expect_silence(t.w, 60 * USEC_PER_SEC);
	try_deinit(&t);
}
END_TEST

START_TEST(proxy_and_server)
{
	const struct msg *m;
	struct try t;

	try_init(&t, &try_alice);
	try_page(&t, BOB);
	answer(&t, 407, "Proxy-Authenticate: Digest realm=\"p\", nonce=\"n1\", qop=\"auth\"\n");
	answer(&t, 401, ASK("n2"));
	m = next(&t);
	ck_assert(try_has(try_header(m, "Proxy-Authorization"), "realm=\"p\""));
	ck_assert(try_has(try_header(m, "Proxy-Authorization"), "nc=00000002"));
	ck_assert(try_has(try_header(m, "Authorization"), "realm=\"example.com\""));
	world_reply(t.w, m, 200, NULL);
	try_expect(&t, 200, 0, ORIGIN_REMOTE);
	ck_assert_uint_eq(t.cseq, 3);
	try_deinit(&t);
}
END_TEST

START_TEST(both_in_one_response)
{
	const struct msg *m;
	struct try t;

	/* 22.3: what a forking proxy collected; two realms, two questions. */
	try_init(&t, &try_alice);
	try_page(&t, BOB);
	answer(&t, 401,
		ASK("n2") "Proxy-Authenticate: Digest realm=\"p\", nonce=\"n1\", qop=\"auth\"\n");
	m = next(&t);
	ck_assert_uint_eq(t.ua->query_serial, 2);
	ck_assert(msg_header(m, HDR_PROXY_AUTHORIZATION).p && msg_header(m, HDR_AUTHORIZATION).p);
	world_reply(t.w, m, 200, NULL);
	try_expect(&t, 200, 0, ORIGIN_REMOTE);
	try_deinit(&t);
}
END_TEST

START_TEST(nothing_to_answer_with)
{
	struct try t;

	try_init(&t, &try_alice);
	world_set_secret(t.w, "alice", "alice", NULL);
	try_page(&t, BOB);
	answer(&t, 401, ASK("n1"));
	try_expect(&t, 401, -EACCES, ORIGIN_REMOTE);
	ck_assert_str_eq(t.reason, "Unauthorized: no credentials");
	try_page(&t, BOB);
	answer(&t, 407, NULL);
	try_expect(&t, 407, -EACCES, ORIGIN_REMOTE);
	ck_assert_str_eq(t.reason, "Proxy Authentication Required: no challenge");
	world_expect_silence(t.w, 60 * USEC_PER_SEC);
	try_deinit(&t);
}
END_TEST

START_TEST(weak_and_foreign_challenges)
{
	struct try t;

	try_init(&t, &try_alice);
	t.ep->profile->digest_floor = PROFILE_FLOOR_SHA256;
	t.ep->profile->realm = mem_strdup("example.com");
	try_page(&t, BOB);
	answer(&t, 401, "WWW-Authenticate: Digest realm=\"example.com\", nonce=\"n\"\n");
	try_expect(&t, 401, -EACCES, ORIGIN_REMOTE);
	ck_assert(try_has(slice_str(t.reason), "below the profile's floor"));
	try_page(&t, BOB);
	answer(&t, 401, "WWW-Authenticate: Digest realm=\"x\", nonce=\"n\", algorithm=SHA-256\n");
	try_expect(&t, 401, -EACCES, ORIGIN_REMOTE);
	ck_assert(try_has(slice_str(t.reason), "realm is not the profile's"));
	world_expect_silence(t.w, 60 * USEC_PER_SEC);
	/* Nobody was asked for a secret on their behalf. */
	ck_assert_uint_eq(t.ua->query_serial, 0);
	try_deinit(&t);
}
END_TEST

START_TEST(a_stranger_gets_nothing)
{
	struct try t;

	/* A profile without servers sends to the target itself, which is a stranger. */
	try_init(&t, &try_alice);
	t.ep->profile->servers[0].role = PROFILE_ROLE_PROXY;
	try_page(&t, BOB);
	answer(&t, 401, ASK("n1"));
	answer(&t, 200, NULL);
	try_expect(&t, 200, 0, ORIGIN_REMOTE);
	t.ep->profile->n_servers = 0;
	try_page(&t, "sip:mallory@192.0.2.66");
	ck_assert(!has_credentials(next(&t)));
	request_free(t.r);
	try_page(&t, "sip:mallory@192.0.2.66");
	answer(&t, 401, ASK("n1"));
	try_expect(&t, 401, -EACCES, ORIGIN_REMOTE);
	ck_assert_str_eq(t.reason, "Unauthorized: not asked by the endpoint's own server");
	t.ep->profile->n_servers = 1;
	try_deinit(&t);
	/* And a peer has no credentials at all. */
	try_init(&t, &try_bob);
	try_page(&t, "sip:mallory@192.0.2.66");
	answer(&t, 401, ASK("n1"));
	try_expect(&t, 401, -EACCES, ORIGIN_REMOTE);
	ck_assert_str_eq(t.reason, "Unauthorized: a peer-to-peer endpoint does not authenticate");
	ck_assert_uint_eq(t.ua->query_serial, 0);
	try_deinit(&t);
}
END_TEST

START_TEST(while_the_agent_thinks)
{
	struct try t;

	/* The transaction is long gone when the secret comes. */
	try_init(&t, &try_alice);
	t.wu->hold_secrets = true;
	try_page(&t, BOB);
	answer(&t, 401, ASK("n1"));
	world_run(t.w, 15 * USEC_PER_SEC);
	ck_assert_uint_eq(t.ua->txns.n, 0);
	try_expect_pending(&t);
	ua_secret(t.ua, t.ua->query_serial, SLICE("alice"), SLICE("secret"));
	answer(&t, 200, NULL);
	try_expect(&t, 200, 0, ORIGIN_REMOTE);
	/* The request ends before the agent has answered. */
	endpoint_free(t.ep);
	t.ep = world_endpoint(t.wu, &try_alice);
	try_page(&t, BOB);
	answer(&t, 401, ASK("n1"));
	world_settle(t.w);
	request_abort(t.r, 0, SLICE("enough"));
	ua_secret(t.ua, t.ua->query_serial, SLICE("alice"), SLICE("secret"));
	try_expect(&t, 0, -ECANCELED, ORIGIN_LOCAL);
	world_expect_silence(t.w, 60 * USEC_PER_SEC);
	endpoint_free(t.ep);
	ck_assert_uint_eq(t.ua->queries.n, 0);
	world_free(t.w);
}
END_TEST

START_TEST(the_connection_breaks_meanwhile)
{
	struct world_account a = try_alice;
	struct try t;

	a.transport = TRANSPORT_TCP;
	try_init(&t, &a);
	t.wu->hold_secrets = true;
	try_page(&t, BOB);
	answer(&t, 401, ASK("n1"));
	world_settle(t.w);
	world_cut(t.wu);
	ua_secret(t.ua, t.ua->query_serial, SLICE("alice"), SLICE("secret"));
	ck_assert(has_credentials(next(&t)));
	request_free(t.r);
	t.r = NULL;
	endpoint_free(t.ep);
	world_free(t.w);
}
END_TEST

static struct buf heard;

static void hear(void *ctx, enum log_level level, const char *text)
{
	(void)ctx;
	(void)level;
	buf_str(&heard, text);
}

static bool overhear(void *ctx, struct world_mail *mail)
{
	(void)ctx;
	buf_put(&heard, mail->msg->raw);
	return false;
}

START_TEST(the_secret_stays_secret)
{
	struct world_account a = try_alice;
	struct try t;

	a.password = "Tr0ub4dor";
	heard = BUF_NULL;
	try_init(&t, &a);
	t.wu->host.log = (struct log_sink){ hear, NULL, LOG_LEVEL_DEBUG };
	world_set_peer(t.w, overhear, NULL);
	try_page(&t, BOB);
	answer(&t, 401, ASK("n1"));
	answer(&t, 401, STALE("n2"));
	answer(&t, 401, ASK("n3"));
	try_expect(&t, 401, -EACCES, ORIGIN_REMOTE);
	ck_assert(try_has(buf_slice(&heard), "Authorization: Digest username=\"alice\""));
	ck_assert(try_has(buf_slice(&heard), "MESSAGE of alice ended: 401"));
	ck_assert(!try_has(buf_slice(&heard), "Tr0ub4dor"));
	try_deinit(&t);
	buf_deinit(&heard);
}
END_TEST

/* ---- 3xx ---- */

static void expect_target(struct try *t, const char *uri, unsigned status, const char *headers)
{
	const struct msg *m = next(t);

	ck_assert_msg(slice_eq(m->request_uri, slice_str(uri)), "%.*s is not %s",
		SLICE_ARGS(m->request_uri), uri);
	world_reply(t->w, m, status, headers);
}

START_TEST(redirected_by_q)
{
	const struct msg *a, *b;
	struct try t;

	try_init(&t, &try_alice);
	try_page(&t, BOB);
	a = next(&t);
	world_reply(t.w, a, 302,
		"Contact: <sip:low@example.com>;q=0.05, \"C, D\" <sip:high@example.com>;q=0.9\n"
		"m: <sip:first@example.com>, <mailto:bob@example.com>, <sip:mid@example.com>;q=0.5\n");
	b = next(&t);
	/* No q: 1, the first to be tried; through the endpoint's server all the same. */
	ck_assert(slice_eq(b->request_uri, SLICE("sip:first@example.com")));
	ck_assert(slice_eq(a->call_id, b->call_id));
	ck_assert(slice_eq(a->from_tag, b->from_tag));
	ck_assert(slice_eq(try_header(b, "To"), SLICE("<" BOB ">")));
	ck_assert_uint_eq(b->cseq, 2);
	world_reply(t.w, b, 404, NULL);
	expect_target(&t, "sip:high@example.com", 486, NULL);
	expect_target(&t, "sip:mid@example.com", 500, NULL);
	expect_target(&t, "sip:low@example.com", 480, NULL);
	try_expect(&t, 480, -EREMOTEIO, ORIGIN_REMOTE);
	try_deinit(&t);
}
END_TEST

START_TEST(each_uri_once)
{
	struct try t;

	/* 8.1.3.4: two that redirect to each other, and equal URIs in another spelling. */
	try_init(&t, &try_alice);
	try_page(&t, BOB);
	expect_target(&t, BOB, 302, "Contact: <sip:carol@example.com>\n");
	expect_target(&t, "sip:carol@example.com", 302,
		"Contact: <sip:bob@EXAMPLE.com>, <sip:c%61rol@example.com>\n");
	try_expect(&t, 302, -EREMOTEIO, ORIGIN_REMOTE);
	world_expect_silence(t.w, 60 * USEC_PER_SEC);
	try_deinit(&t);
}
END_TEST

START_TEST(limit_of_redirects)
{
	struct try t;

	try_init(&t, &try_alice);
	try_page(&t, BOB);
	for (unsigned i = 0; i < LIMITS_REDIRECTS; i++)
		answer(&t, 301, "Contact: <sip:hop{n}@example.com>\n");
	try_expect_pending(&t);
	answer(&t, 301, "Contact: <sip:hop{n}@example.com>\n");
	try_expect(&t, 301, -EREMOTEIO, ORIGIN_REMOTE);
	world_expect_silence(t.w, 60 * USEC_PER_SEC);
	try_deinit(&t);
}
END_TEST

START_TEST(limit_of_targets)
{
	struct buf b = BUF_NULL;
	struct try t;
	char *headers;

	try_init(&t, &try_alice);
	for (unsigned i = 0; i < 3 * LIMITS_ATTEMPTS; i++)
		buf_printf(&b, "Contact: <sip:c%u@example.com>\n", i);
	headers = buf_take(&b);
	try_page(&t, BOB);
	answer(&t, 300, headers);
	for (unsigned i = 1; i < LIMITS_ATTEMPTS - 1; i++)
		answer(&t, 404, NULL);
	try_expect_pending(&t);
	answer(&t, 404, NULL);
	try_expect(&t, 404, -EREMOTEIO, ORIGIN_REMOTE);
	world_expect_silence(t.w, 60 * USEC_PER_SEC);
	free(headers);
	try_deinit(&t);
}
END_TEST

START_TEST(a_global_refusal_ends_it)
{
	struct try t;

	try_init(&t, &try_alice);
	try_page(&t, BOB);
	answer(&t, 302, "Contact: <sip:a@example.com>, <sip:b@example.com>\n");
	answer(&t, 603, NULL);
	try_expect(&t, 603, -EREMOTEIO, ORIGIN_REMOTE);
	world_expect_silence(t.w, 60 * USEC_PER_SEC);
	try_deinit(&t);
}
END_TEST

START_TEST(what_is_not_followed)
{
	struct request_spec spec = try_spec(BOB);
	struct try t;

	try_init(&t, &try_alice);
	/* Not to a sips URI over UDP, not to a telephone, not to nobody. */
	try_page(&t, BOB);
	answer(&t, 302, "Contact: <sips:a@example.com>, <tel:+123>\n");
	try_expect(&t, 302, -EREMOTEIO, ORIGIN_REMOTE);
	try_page(&t, BOB);
	answer(&t, 302, NULL);
	try_expect(&t, 302, -EREMOTEIO, ORIGIN_REMOTE);
	spec.redirects = REQUEST_HAND_BACK;
	try_send(&t, &spec);
	answer(&t, 302, "Contact: <sip:a@example.com>\n");
	try_expect(&t, 302, -EREMOTEIO, ORIGIN_REMOTE);
	world_expect_silence(t.w, 60 * USEC_PER_SEC);
	try_deinit(&t);
}
END_TEST

START_TEST(a_contact_as_request_uri)
{
	const struct msg *m;
	struct try t;

	/* 8.1.3.4: neither the method parameter nor header fields get in. */
	try_init(&t, &try_alice);
	try_page(&t, BOB);
	answer(&t, 302,
		"Contact: <sip:a@example.com;user=phone;method=INVITE;lr?Subject=x&Route=y>\n");
	m = next(&t);
	ck_assert(slice_eq(m->request_uri, SLICE("sip:a@example.com;user=phone;lr")));
	ck_assert_ptr_null(msg_header(m, HDR_SUBJECT).p);
	ck_assert_ptr_null(msg_header(m, HDR_ROUTE).p);
	world_reply(t.w, m, 302, "Contact: <sip:b@example.com?Subject=x>\n");
	expect_target(&t, "sip:b@example.com", 200, NULL);
	try_expect(&t, 200, 0, ORIGIN_REMOTE);
	try_deinit(&t);
}
END_TEST

START_TEST(peers_follow_to_other_places)
{
	struct try t;

	try_init(&t, &try_bob);
	try_page(&t, "sip:carol@192.0.2.30");
	answer(&t, 302,
		"Contact: <sip:carol@192.0.2.31;transport=tcp>;q=0.9, "
		"<sip:carol@nowhere.example.com>, <sip:carol@192.0.2.32>;q=0.2\n");
	/* The name is not found, the next target is tried. */
	expect_target(&t, "sip:carol@192.0.2.31;transport=tcp", 480, NULL);
	expect_target(&t, "sip:carol@192.0.2.32", 200, NULL);
	try_expect(&t, 200, 0, ORIGIN_REMOTE);
	try_deinit(&t);
}
END_TEST

START_TEST(redirected_and_challenged)
{
	struct try t;

	try_init(&t, &try_alice);
	try_page(&t, BOB);
	answer(&t, 401, ASK("n1"));
	expect_target(&t, BOB, 302, "Contact: <sip:carol@example.com>\n");
	/* The answer is for the new Request-URI. */
	{
		const struct msg *m = next(&t);

		ck_assert(try_has(try_header(m, "Authorization"), "uri=\"sip:carol@example.com\""));
		ck_assert_uint_eq(m->cseq, 3);
		world_reply(t.w, m, 401, STALE("n2"));
	}
	expect_target(&t, "sip:carol@example.com", 200, NULL);
	try_expect(&t, 200, 0, ORIGIN_REMOTE);
	try_deinit(&t);
}
END_TEST

START_TEST(foreign_via)
{
	const struct msg *m;
	struct try t;

	/* 8.1.3.3: more than one Via, and it was not for us. */
	try_init(&t, &try_alice);
	try_page(&t, BOB);
	m = next(&t);
	world_reply(t.w, m, 200, "Via: SIP/2.0/UDP other.example.com;branch=z9hG4bKx\n");
	world_settle(t.w);
	try_expect_pending(&t);
	world_reply(t.w, m, 404, NULL);
	try_expect(&t, 404, -EREMOTEIO, ORIGIN_REMOTE);
	try_deinit(&t);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("ua/request-response");
	TCase *tc = tcase_create("all");
	SRunner *r;
	int failed;

	tcase_add_test(tc, challenged_and_answered);
	tcase_add_test(tc, wrong_password_two_requests);
	tcase_add_test(tc, the_right_one_after_all);
	tcase_add_test(tc, stale_asks_nobody);
	tcase_add_test(tc, proven_credentials);
	tcase_add_test(tc, limit_of_auth_rounds);
	tcase_add_test(tc, proxy_and_server);
	tcase_add_test(tc, both_in_one_response);
	tcase_add_test(tc, nothing_to_answer_with);
	tcase_add_test(tc, weak_and_foreign_challenges);
	tcase_add_test(tc, a_stranger_gets_nothing);
	tcase_add_test(tc, while_the_agent_thinks);
	tcase_add_test(tc, the_connection_breaks_meanwhile);
	tcase_add_test(tc, the_secret_stays_secret);
	tcase_add_test(tc, redirected_by_q);
	tcase_add_test(tc, each_uri_once);
	tcase_add_test(tc, limit_of_redirects);
	tcase_add_test(tc, limit_of_targets);
	tcase_add_test(tc, a_global_refusal_ends_it);
	tcase_add_test(tc, what_is_not_followed);
	tcase_add_test(tc, a_contact_as_request_uri);
	tcase_add_test(tc, peers_follow_to_other_places);
	tcase_add_test(tc, redirected_and_challenged);
	tcase_add_test(tc, foreign_via);
	suite_add_tcase(s, tc);
	r = srunner_create(s);
	srunner_run_all(r, CK_ENV);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
