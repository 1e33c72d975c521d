/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* RFC 3263 section 4, RFC 3261 sections 8.1.2 and 18.1.1: where a request goes, and what if not. */
#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "protocol/ua/health.h"
#include "protocol/ua/limits.h"
#include "protocol/ua/request-private.h"
#include "tests/support/world-private.h"
#include "tests/unit/ua/try.h"

#define BOB "sip:bob@example.com"
#define FIRST "192.0.2.21"
#define SECOND "192.0.2.22"

/* The next request, which has to come to that address over that transport. */
static const struct msg *expect_at(struct try *t, const char *host, enum transport transport)
{
	const struct msg *m = world_wait_out(t->w, "MESSAGE", 40 * USEC_PER_SEC);
	const struct world_mail *mail = list_entry(t->w->seen.prev, struct world_mail, node);

	ck_assert_str_eq(mail->to.host, host);
	ck_assert_int_eq(mail->transport, transport);
	return m;
}

static void expect_200_at(struct try *t, const char *host, enum transport transport)
{
	world_reply(t->w, expect_at(t, host, transport), 200, NULL);
	try_expect(t, 200, 0, ORIGIN_REMOTE);
}

/* alice, whose server has a name with two addresses */
static void init_two(struct try *t, enum transport transport)
{
	struct world_account a = try_alice;

	a.registrar = "sip.example.com";
	a.transport = transport;
	try_init(t, &a);
	world_set_name(t->w, "sip.example.com", FIRST);
	world_set_name(t->w, "sip.example.com", SECOND);
}

/* ---- the way ---- */

START_TEST(everything_goes_to_the_server)
{
	struct try t;
	struct flow *f;

	try_init(&t, &try_alice);
	try_page(&t, "sip:carol@192.0.2.99:5099;transport=tcp");
	expect_200_at(&t, TRY_SERVER, TRANSPORT_UDP);
	f = t.ep->flow;
	ck_assert_ptr_nonnull(f);
	ck_assert_str_eq(t.ep->server, "udp:192.0.2.1:5060");
	/* The cached flow serves the next one as well. */
	try_page(&t, "tel:+123");
	expect_200_at(&t, TRY_SERVER, TRANSPORT_UDP);
	ck_assert_ptr_eq(t.ep->flow, f);
	try_deinit(&t);
}
END_TEST

START_TEST(a_name_is_looked_up_once)
{
	struct try t;

	init_two(&t, TRANSPORT_TCP);
	world_net(t.w)->dns_delay = 50 * USEC_PER_MSEC;
	try_page(&t, BOB);
	world_expect_silence(t.w, 49 * USEC_PER_MSEC);
	expect_200_at(&t, FIRST, TRANSPORT_TCP);
	ck_assert_uint_eq(t.ua->query_serial, 1);
	try_page(&t, BOB);
	expect_200_at(&t, FIRST, TRANSPORT_TCP);
	ck_assert_uint_eq(t.ua->query_serial, 1);
	/* A lost connection is made anew when the next message goes out. */
	world_cut(t.wu);
	ck_assert_ptr_null(t.ep->flow);
	try_page(&t, BOB);
	expect_200_at(&t, FIRST, TRANSPORT_TCP);
	ck_assert_uint_eq(t.ua->query_serial, 2);
	try_deinit(&t);
}
END_TEST

START_TEST(the_server_has_no_address)
{
	struct world_account a = try_alice;
	struct try t;

	a.registrar = "nowhere.example.com";
	try_init(&t, &a);
	try_page(&t, BOB);
	try_expect(&t, 0, -ECONNREFUSED, ORIGIN_NETWORK);
	ck_assert_str_eq(t.reason, "host name has no address");
	ck_assert(!t.had_flow);
	try_deinit(&t);
}
END_TEST

START_TEST(peers_go_to_the_target)
{
	struct try t;

	try_init(&t, &try_bob);
	try_page(&t, "sip:carol@192.0.2.30");
	expect_200_at(&t, "192.0.2.30", TRANSPORT_UDP);
	try_page(&t, "sip:carol@192.0.2.30;transport=tcp");
	expect_200_at(&t, "192.0.2.30", TRANSPORT_TCP);
	try_page(&t, "sip:carol@example.com;maddr=192.0.2.31");
	expect_200_at(&t, "192.0.2.31", TRANSPORT_UDP);
	/* The endpoint's transport, unless the URI says another. */
	t.ep->transport = TRANSPORT_TCP;
	try_page(&t, "sip:carol@192.0.2.30");
	expect_200_at(&t, "192.0.2.30", TRANSPORT_TCP);
	try_page(&t, "sip:carol@192.0.2.30;transport=udp");
	expect_200_at(&t, "192.0.2.30", TRANSPORT_UDP);
	/* No cached connection. */
	ck_assert_ptr_null(t.ep->flow);
	t.ep->outbound_proxy = mem_strdup("192.0.2.40;transport=udp");
	try_page(&t, "sip:carol@192.0.2.30;transport=tcp");
	expect_200_at(&t, "192.0.2.40", TRANSPORT_UDP);
	ck_assert_ptr_null(t.ep->flow);
	try_deinit(&t);
}
END_TEST

START_TEST(the_outbound_proxy_gets_the_bytes)
{
	struct try t;

	try_init(&t, &try_alice);
	t.ep->outbound_proxy = mem_strdup("192.0.2.40");
	try_page(&t, BOB);
	expect_200_at(&t, "192.0.2.40", TRANSPORT_UDP);
	try_deinit(&t);
}
END_TEST

static int start(struct try *t, enum request_server server, const char *uri)
{
	struct request_spec spec = try_spec(uri);
	struct request *r;
	int error;

	spec.server = server;
	error = request_new(t->ep, &spec, &(struct request_ops){ 0 }, NULL, &r);
	if (error == 0)
		request_free(r);
	return error;
}

START_TEST(no_way)
{
	struct try t;

	try_init(&t, &try_bob);
	ck_assert_int_eq(start(&t, REQUEST_TO_PROXY, "tel:+123"), -EOPNOTSUPP);
	ck_assert_int_eq(start(&t, REQUEST_TO_PROXY, "im:a@example.com"), -EOPNOTSUPP);
	ck_assert_int_eq(start(&t, REQUEST_TO_PROXY, "sip:a@b;transport=ws"), -EOPNOTSUPP);
	ck_assert_int_eq(start(&t, REQUEST_TO_REGISTRAR, "sip:example.org"), -EOPNOTSUPP);
	t.ep->outbound_proxy = mem_strdup("what is this");
	ck_assert_int_eq(start(&t, REQUEST_TO_PROXY, BOB), -EINVAL);
	try_deinit(&t);
	/* RFC 3261 8.1.2: sips is reached over TLS or not at all. */
	try_init(&t, &try_alice);
	ck_assert_int_eq(start(&t, REQUEST_TO_PROXY, "sips:bob@example.com"), -EOPNOTSUPP);
	ck_assert_int_eq(start(&t, REQUEST_TO_PROXY, "tel:+123"), 0);
	world_skip_out(t.w);
	try_deinit(&t);
}
END_TEST

/* Two servers: the flow that incoming requests come over is the registrar's. */
START_TEST(the_registrars_flow_is_kept)
{
	struct profile_server *s;
	struct request_spec spec = try_spec("sip:example.com");
	struct try t;

	try_init(&t, &try_alice);
	s = mem_zalloc(2 * sizeof(*s));
	s[0] = t.ep->profile->servers[0];
	s[1] = s[0];
	s[1].host = mem_strdup("192.0.2.2");
	s[1].role = PROFILE_ROLE_PROXY;
	free(t.ep->profile->servers);
	t.ep->profile->servers = s;
	t.ep->profile->n_servers = 2;
	try_page(&t, BOB);
	expect_200_at(&t, "192.0.2.2", TRANSPORT_UDP);
	ck_assert_str_eq(t.ep->server, "udp:192.0.2.2:5060");
	spec.server = REQUEST_TO_REGISTRAR;
	try_send(&t, &spec);
	expect_200_at(&t, TRY_SERVER, TRANSPORT_UDP);
	ck_assert_str_eq(t.ep->server, "udp:192.0.2.1:5060");
	try_page(&t, BOB);
	expect_200_at(&t, "192.0.2.2", TRANSPORT_UDP);
	ck_assert_str_eq(t.ep->server, "udp:192.0.2.1:5060");
	try_deinit(&t);
}
END_TEST

/* ---- failover, RFC 3263 4.3 ---- */

START_TEST(refused_then_the_next_address)
{
	const struct msg *m;
	struct try t;

	init_two(&t, TRANSPORT_TCP);
	world_set_reach(t.w, FIRST, WORLD_REFUSED);
	try_page(&t, BOB);
	m = expect_at(&t, SECOND, TRANSPORT_TCP);
	/* The same request in a new transaction. */
	ck_assert_uint_eq(m->cseq, 1);
	world_reply(t.w, m, 200, NULL);
	try_expect(&t, 200, 0, ORIGIN_REMOTE);
	try_deinit(&t);

	init_two(&t, TRANSPORT_TCP);
	world_set_reach(t.w, FIRST, WORLD_REFUSED);
	world_set_reach(t.w, SECOND, WORLD_REFUSED);
	try_page(&t, BOB);
	try_expect(&t, 0, -ECONNREFUSED, ORIGIN_NETWORK);
	ck_assert_str_eq(t.reason, "connection refused");
	try_deinit(&t);
}
END_TEST

START_TEST(silent_then_the_next_address)
{
	const struct msg *m;
	struct try t;
	usec_t begin;

	init_two(&t, TRANSPORT_UDP);
	world_set_reach(t.w, FIRST, WORLD_SILENT);
	begin = world_now(t.w);
	try_page(&t, BOB);
	m = expect_at(&t, SECOND, TRANSPORT_UDP);
	ck_assert_uint_eq(world_now(t.w) - begin, 32 * USEC_PER_SEC + world_net(t.w)->delay);
	world_reply(t.w, m, 200, NULL);
	try_expect(&t, 200, 0, ORIGIN_REMOTE);
	/* Others pass over it at once. */
	endpoint_set_flow(t.ep, NULL);
	begin = world_now(t.w);
	try_page(&t, BOB);
	expect_200_at(&t, SECOND, TRANSPORT_UDP);
	ck_assert_uint_lt(world_now(t.w) - begin, USEC_PER_SEC);
	/* Until some time has passed. */
	world_set_reach(t.w, FIRST, WORLD_UP);
	world_run(t.w, 31 * USEC_PER_SEC);
	endpoint_set_flow(t.ep, NULL);
	try_page(&t, BOB);
	expect_200_at(&t, FIRST, TRANSPORT_UDP);
	try_deinit(&t);
}
END_TEST

START_TEST(somebody_was_there)
{
	struct try t;

	/* A provisional response, then nothing: another server might do it twice. */
	init_two(&t, TRANSPORT_UDP);
	try_page(&t, BOB);
	world_reply(t.w, expect_at(&t, FIRST, TRANSPORT_UDP), 100, NULL);
	world_settle(t.w);
	world_set_reach(t.w, FIRST, WORLD_SILENT);
	world_expect_silence(t.w, 40 * USEC_PER_SEC);
	try_expect(&t, 0, -ETIMEDOUT, ORIGIN_TIMEOUT);
	try_deinit(&t);
}
END_TEST

START_TEST(unavailable_then_the_next_address)
{
	struct try t;

	init_two(&t, TRANSPORT_UDP);
	try_page(&t, BOB);
	world_reply(t.w, expect_at(&t, FIRST, TRANSPORT_UDP), 503, NULL);
	expect_200_at(&t, SECOND, TRANSPORT_UDP);
	/* RFC 3261 21.5.4: without Retry-After it said nothing about other requests. */
	endpoint_set_flow(t.ep, NULL);
	try_page(&t, BOB);
	world_reply(t.w, expect_at(&t, FIRST, TRANSPORT_UDP), 503, "Retry-After: 120 (busy)\n");
	expect_200_at(&t, SECOND, TRANSPORT_UDP);
	/* With it, everybody stays away so long, be their flow cached or not. */
	endpoint_set_flow(t.ep, NULL);
	try_page(&t, BOB);
	expect_200_at(&t, SECOND, TRANSPORT_UDP);
	world_run(t.w, 121 * USEC_PER_SEC);
	endpoint_set_flow(t.ep, NULL);
	try_page(&t, BOB);
	expect_200_at(&t, FIRST, TRANSPORT_UDP);
	/* Both: the last answer is the outcome. */
	try_page(&t, BOB);
	world_reply(t.w, expect_at(&t, FIRST, TRANSPORT_UDP), 503, "Retry-After: 9\n");
	world_reply(t.w, expect_at(&t, SECOND, TRANSPORT_UDP), 503, NULL);
	try_expect(&t, 503, -EREMOTEIO, ORIGIN_REMOTE);
	try_deinit(&t);
}
END_TEST

START_TEST(the_only_server_is_asked_all_the_same)
{
	struct try t;

	try_init(&t, &try_alice);
	try_page(&t, BOB);
	world_reply(t.w, expect_at(&t, TRY_SERVER, TRANSPORT_UDP), 503, "Retry-After: 120\n");
	try_expect(&t, 503, -EREMOTEIO, ORIGIN_REMOTE);
	try_page(&t, BOB);
	expect_200_at(&t, TRY_SERVER, TRANSPORT_UDP);
	try_deinit(&t);
}
END_TEST

START_TEST(a_cached_connection_breaks)
{
	struct try t;

	init_two(&t, TRANSPORT_TCP);
	try_page(&t, BOB);
	expect_200_at(&t, FIRST, TRANSPORT_TCP);
	/* It breaks under a request: the same server is tried anew, then the other. */
	try_page(&t, BOB);
	(void)expect_at(&t, FIRST, TRANSPORT_TCP);
	world_cut(t.wu);
	expect_200_at(&t, FIRST, TRANSPORT_TCP);
	try_page(&t, BOB);
	(void)expect_at(&t, FIRST, TRANSPORT_TCP);
	world_set_reach(t.w, FIRST, WORLD_REFUSED);
	world_cut(t.wu);
	expect_200_at(&t, SECOND, TRANSPORT_TCP);
	try_deinit(&t);
}
END_TEST

START_TEST(a_cached_flow_falls_silent)
{
	struct try t;

	init_two(&t, TRANSPORT_UDP);
	try_page(&t, BOB);
	expect_200_at(&t, FIRST, TRANSPORT_UDP);
	world_set_reach(t.w, FIRST, WORLD_SILENT);
	try_page(&t, BOB);
	expect_200_at(&t, SECOND, TRANSPORT_UDP);
	ck_assert_str_eq(t.ep->server, "udp:192.0.2.22:5060");
	try_deinit(&t);
	/* With one address there is nothing left to try. */
	try_init(&t, &try_alice);
	try_page(&t, BOB);
	expect_200_at(&t, TRY_SERVER, TRANSPORT_UDP);
	world_set_reach(t.w, TRY_SERVER, WORLD_SILENT);
	try_page(&t, BOB);
	world_run(t.w, 32 * USEC_PER_SEC);
	try_expect(&t, 0, -ETIMEDOUT, ORIGIN_TIMEOUT);
	try_deinit(&t);
}
END_TEST

/* As many servers as attempts are made; the last of them says that. */
static void last_attempt(unsigned status, const char *headers, int error)
{
	struct world_account a = try_alice;
	char address[16] = "192.0.2.0";
	struct try t;

	a.registrar = "sip.example.com";
	try_init(&t, &a);
	for (unsigned i = 0; i < LIMITS_ATTEMPTS; i++) {
		address[8] = (char)('a' + i);
		world_set_name(t.w, "sip.example.com", address);
	}
	try_page(&t, BOB);
	for (unsigned i = 0; i < LIMITS_ATTEMPTS - 1; i++) {
		world_reply(t.w, world_expect_out(t.w, "MESSAGE"), 503, NULL);
		world_settle(t.w);
	}
	try_expect_pending(&t);
	world_reply(t.w, world_expect_out(t.w, "MESSAGE"), status, headers);
	try_expect(&t, status, error, ORIGIN_REMOTE);
	world_expect_silence(t.w, 60 * USEC_PER_SEC);
	try_deinit(&t);
}

START_TEST(limit_of_attempts)
{
	last_attempt(503, NULL, -EREMOTEIO);
	last_attempt(302, "Contact: <sip:carol@example.com>\n", -EREMOTEIO);
	last_attempt(401, "WWW-Authenticate: Digest realm=\"x\", nonce=\"n\"\n", -EACCES);
}
END_TEST

/* ---- size, RFC 3261 18.1.1 ---- */

static char large[70000];

static void page_of(struct try *t, size_t n)
{
	struct request_spec spec = try_spec(BOB);

	memset(large, 'x', sizeof(large));
	spec.body = slice_of(large, n);
	try_send(t, &spec);
}

START_TEST(large_requests_take_tcp)
{
	const struct msg *m;
	struct try t;
	size_t around;

	try_init(&t, &try_alice);
	page_of(&t, 900);
	m = expect_at(&t, TRY_SERVER, TRANSPORT_UDP);
	around = m->raw.n - 900;
	/* Content-Length has as many digits then. */
	ck_assert_uint_lt(LIMITS_UDP_REQUEST - around + 1, 1000);
	world_reply(t.w, m, 200, NULL);
	try_expect(&t, 200, 0, ORIGIN_REMOTE);
	page_of(&t, LIMITS_UDP_REQUEST - around);
	m = expect_at(&t, TRY_SERVER, TRANSPORT_UDP);
	ck_assert_uint_eq(m->raw.n, LIMITS_UDP_REQUEST);
	world_reply(t.w, m, 200, NULL);
	try_expect(&t, 200, 0, ORIGIN_REMOTE);
	page_of(&t, LIMITS_UDP_REQUEST - around + 1);
	m = expect_at(&t, TRY_SERVER, TRANSPORT_TCP);
	ck_assert_int_eq(m->via.transport, TRANSPORT_TCP);
	world_reply(t.w, m, 200, NULL);
	try_expect(&t, 200, 0, ORIGIN_REMOTE);
	/* The endpoint's own flow stays what it is. */
	ck_assert_str_eq(t.ep->server, "udp:192.0.2.1:5060");
	try_deinit(&t);
}
END_TEST

static void register_large(struct try *t)
{
	struct request_spec spec = try_spec("sip:example.com");

	spec.method = SLICE("REGISTER");
	spec.server = REQUEST_TO_REGISTRAR;
	memset(large, 'x', sizeof(large));
	spec.body = slice_of(large, LIMITS_UDP_REQUEST);
	try_send(t, &spec);
}

static void expect_registered(struct try *t)
{
	world_reply(t->w, world_expect_out(t->w, "REGISTER"), 200, NULL);
	try_expect(t, 200, 0, ORIGIN_REMOTE);
}

/*
 * The Contact of a large REGISTER is that of its connection, over which requests arrive from then
 * on: the endpoint hears of its end. Without TCP it is UDP that is kept.
 */
START_TEST(large_register_keeps_its_flow)
{
	struct try t;

	try_init(&t, &try_alice);
	register_large(&t);
	expect_registered(&t);
	ck_assert_ptr_nonnull(t.ep->server);
	ck_assert_str_eq(t.ep->server, "tcp:192.0.2.1:5060");
	world_cut(t.wu);
	world_settle(t.w);
	ck_assert_ptr_null(t.ep->flow);
	world_set_reach(t.w, TRY_SERVER, WORLD_NO_TCP);
	register_large(&t);
	expect_registered(&t);
	ck_assert_str_eq(t.ep->server, "udp:192.0.2.1:5060");
	try_deinit(&t);
}
END_TEST

START_TEST(no_tcp_there_then_udp)
{
	const struct msg *m;
	struct try t;

	try_init(&t, &try_alice);
	world_set_reach(t.w, TRY_SERVER, WORLD_NO_TCP);
	page_of(&t, 2000);
	m = expect_at(&t, TRY_SERVER, TRANSPORT_UDP);
	ck_assert_int_eq(m->via.transport, TRANSPORT_UDP);
	world_reply(t.w, m, 200, NULL);
	try_expect(&t, 200, 0, ORIGIN_REMOTE);
	/* Remembered for a while, then tried again. */
	world_set_reach(t.w, TRY_SERVER, WORLD_UP);
	page_of(&t, 2000);
	expect_200_at(&t, TRY_SERVER, TRANSPORT_UDP);
	world_run(t.w, 301 * USEC_PER_SEC);
	page_of(&t, 2000);
	expect_200_at(&t, TRY_SERVER, TRANSPORT_TCP);
	/* What no datagram can hold has no other way. */
	world_set_reach(t.w, TRY_SERVER, WORLD_NO_TCP);
	world_cut(t.wu);
	page_of(&t, 66000);
	try_expect(&t, 0, -EMSGSIZE, ORIGIN_LOCAL);
	try_deinit(&t);
	/* A packet filter in place of a refusal. */
	try_init(&t, &try_alice);
	world_set_reach(t.w, TRY_SERVER, WORLD_MUTE_TCP);
	page_of(&t, 2000);
	expect_200_at(&t, TRY_SERVER, TRANSPORT_UDP);
	try_deinit(&t);
}
END_TEST

/* ---- health ---- */

START_TEST(limit_of_retry_after)
{
	struct flow_addr a = { .host = FIRST, .port = 5060 };
	struct try t;

	init_two(&t, TRANSPORT_UDP);
	try_page(&t, BOB);
	world_reply(t.w, expect_at(&t, FIRST, TRANSPORT_UDP), 503, "Retry-After: 4000000000\n");
	expect_200_at(&t, SECOND, TRANSPORT_UDP);
	world_run(t.w, (LIMITS_RETRY_AFTER - 1) * USEC_PER_SEC);
	ck_assert(health_is_bad(t.ua, TRANSPORT_UDP, &a));
	world_run(t.w, USEC_PER_SEC);
	ck_assert(!health_is_bad(t.ua, TRANSPORT_UDP, &a));
	try_deinit(&t);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("ua/request-send");
	TCase *tc = tcase_create("all");
	SRunner *r;
	int failed;

	tcase_add_test(tc, everything_goes_to_the_server);
	tcase_add_test(tc, a_name_is_looked_up_once);
	tcase_add_test(tc, the_server_has_no_address);
	tcase_add_test(tc, peers_go_to_the_target);
	tcase_add_test(tc, the_outbound_proxy_gets_the_bytes);
	tcase_add_test(tc, no_way);
	tcase_add_test(tc, the_registrars_flow_is_kept);
	tcase_add_test(tc, refused_then_the_next_address);
	tcase_add_test(tc, silent_then_the_next_address);
	tcase_add_test(tc, somebody_was_there);
	tcase_add_test(tc, unavailable_then_the_next_address);
	tcase_add_test(tc, the_only_server_is_asked_all_the_same);
	tcase_add_test(tc, a_cached_connection_breaks);
	tcase_add_test(tc, a_cached_flow_falls_silent);
	tcase_add_test(tc, limit_of_attempts);
	tcase_add_test(tc, large_requests_take_tcp);
	tcase_add_test(tc, large_register_keeps_its_flow);
	tcase_add_test(tc, no_tcp_there_then_udp);
	tcase_add_test(tc, limit_of_retry_after);
	suite_add_tcase(s, tc);
	r = srunner_create(s);
	srunner_run_all(r, CK_ENV);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
