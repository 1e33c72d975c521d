/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Names: against a name server of the test's own, in the test's time. */
#include <arpa/inet.h>
#include <check.h>
#include <event2/event.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "daemon/loop.h"
#include "daemon/random.h"
#include "daemon/resolver.h"
#include "protocol/base/err.h"
#include "protocol/base/log.h"
#include "protocol/base/mem.h"
#include "protocol/ua/limits.h"
#include "protocol/ua/ua.h"

#define LATER ((RESOLVER_FAILURE_TTL + 1) * USEC_PER_SEC)

static struct loop loop;
static struct resolver resolver;
static struct ua *ua;
static const struct log_sink sink;
static int server;
static unsigned n_asked;     /* questions that the server got */
static unsigned n_a, n_aaaa; /* addresses that it gives */
static uint8_t ttl, rcode;

static struct {
	unsigned n; /* answers */
	int error;
	size_t n_addrs;
	char first[sizeof(((struct flow_addr *)0)->host)];
} told;

static void fill(void *ctx, void *out, size_t n)
{
	(void)ctx;
	random_fill(out, n);
}

static void resolve(void *ctx, uint64_t query, enum dns_kind kind, const char *name)
{
	resolver_ask(ctx, query, kind, name);
}

static const struct host_ops ops = { .random = fill, .resolve = resolve };
static const struct host host = { .ops = &ops, .ctx = &resolver };

static void on_resolved(struct ua_query *q, const struct dns_answer *a)
{
	(void)q;
	told.n++;
	told.error = a->error;
	told.n_addrs = a->n;
	(void)snprintf(told.first, sizeof(told.first), "%s", a->n ? a->addrs[0].host : "");
}

static void set_up(void)
{
	struct sockaddr_in at = { .sin_family = AF_INET, .sin_addr = { htonl(INADDR_LOOPBACK) } };
	socklen_t n = sizeof(at);
	char text[32], *servers[] = { text };

	server = socket(AF_INET, SOCK_DGRAM, 0);
	ck_assert_int_eq(bind(server, (struct sockaddr *)&at, sizeof(at)), 0);
	ck_assert_int_eq(getsockname(server, (struct sockaddr *)&at, &n), 0);
	(void)snprintf(text, sizeof(text), "127.0.0.1:%u", ntohs(at.sin_port));
	ck_assert_int_eq(loop_init(&loop, &sink), 0);
	ck_assert_int_eq(resolver_init(&resolver, &loop, &sink), 0);
	ck_assert_int_eq(resolver_set_servers(&resolver, servers, 1), 0);
	ua = loop.ua = ua_new(&host, loop_now());
	memset(&told, 0, sizeof(told));
	n_asked = 0;
	n_a = 1;
	n_aaaa = 0;
	ttl = 60;
	rcode = 0;
}

static void tear_down(void)
{
	loop.ua = NULL;
	resolver_deinit(&resolver);
	ua_free(ua);
	loop_deinit(&loop);
	(void)close(server);
}

/* Answers one question, or says that there is none. */
static bool serve(void)
{
	struct pollfd p = { .fd = server, .events = POLLIN };
	struct sockaddr_in from;
	socklen_t n_from = sizeof(from);
	uint8_t m[4096];
	ssize_t got;
	size_t n;
	bool six;

	if (poll(&p, 1, 0) != 1)
		return false;
	got = recvfrom(server, m, 512, 0, (struct sockaddr *)&from, &n_from);
	ck_assert_int_gt(got, 16);
	n_asked++;
	for (n = 12; m[n]; n += 1U + m[n])
		;
	six = m[n + 2] == 28;
	n += 5;
	m[2] = 0x81;
	m[3] = (uint8_t)(0x80 | rcode);
	memset(&m[6], 0, 6);
	m[7] = (uint8_t)(rcode ? 0 : six ? n_aaaa : n_a);
	for (unsigned i = 0; i < m[7]; i++) {
		const uint8_t head[] = { 0xc0, 12, 0, six ? 28 : 1, 0, 1, 0, 0, 0, ttl, 0,
			six ? 16 : 4 };

		memcpy(&m[n], head, sizeof(head));
		n += sizeof(head);
		memset(&m[n], 0, head[11]);
		m[n] = six ? 0xfd : 10;
		m[n + head[11] - 1] = (uint8_t)(i + 1);
		n += head[11];
	}
	(void)sendto(server, m, n, 0, (struct sockaddr *)&from, n_from);
	return true;
}

/* Until n answers are there; later: how far the clock is ahead of the real one. */
static void wait_for(unsigned n, usec_t later)
{
	while (told.n < n) {
		(void)serve();
		(void)event_base_loop(loop.base, EVLOOP_NONBLOCK);
		timerq_run(&loop.timers, loop_now() + later);
	}
	ck_assert_uint_eq(told.n, n);
}

static struct ua_query query = { .resolved = on_resolved };

static void ask(const char *name)
{
	unsigned before = told.n;

	ua_resolve(ua, &query, DNS_ADDRESSES, name);
	ck_assert_uint_eq(told.n, before); /* never before it returns */
}

START_TEST(both_families)
{
	n_a = 2;
	n_aaaa = 1;
	ask("sip.example.com");
	wait_for(1, 0);
	ck_assert_int_eq(told.error, 0);
	ck_assert_uint_eq(told.n_addrs, 3);
	ck_assert_uint_eq(n_asked, 2);
}
END_TEST

START_TEST(too_many_addresses)
{
	n_a = LIMITS_ADDRESSES + 8;
	ask("many.example.com");
	wait_for(1, 0);
	ck_assert_int_eq(told.error, 0);
	ck_assert_uint_eq(told.n_addrs, LIMITS_ADDRESSES);
}
END_TEST

START_TEST(remembered_for_its_time)
{
	ask("A.example.com");
	wait_for(1, 0);
	ask("a.EXAMPLE.com");
	wait_for(2, 0);
	ck_assert_str_eq(told.first, "10.0.0.1");
	ck_assert_uint_eq(n_asked, 2);
	timerq_run(&loop.timers, loop_now() + 61 * USEC_PER_SEC);
	ask("a.example.com");
	wait_for(3, 61 * USEC_PER_SEC);
	ck_assert_uint_eq(n_asked, 4);
}
END_TEST

START_TEST(no_time_to_live)
{
	ttl = 0;
	ask("a.example.com");
	wait_for(1, 0);
	ask("a.example.com");
	wait_for(2, 0);
	ck_assert_uint_eq(n_asked, 4);
}
END_TEST

static const struct {
	uint8_t rcode;
	int error;
} failures[] = {
	{ 0, -ENOENT }, /* the name is there, addresses are not */
	{ 3, -ENOENT },
	{ 2, -ECONNREFUSED },
	{ 5, -ECONNREFUSED },
};

START_TEST(no_answer_to_use)
{
	n_a = 0;
	rcode = failures[_i].rcode;
	ask("a.example.com");
	wait_for(1, 0);
	ck_assert_int_eq(told.error, failures[_i].error);
	ck_assert_uint_eq(told.n_addrs, 0);
	/* RFC 2308: remembered, but not for long. */
	n_a = 1;
	rcode = 0;
	n_asked = 0;
	ask("a.example.com");
	wait_for(2, 0);
	ck_assert_int_eq(told.error, failures[_i].error);
	ck_assert_uint_eq(n_asked, 0);
	timerq_run(&loop.timers, loop_now() + LATER);
	ask("a.example.com");
	wait_for(3, LATER);
	ck_assert_int_eq(told.error, 0);
}
END_TEST

static const char *const impossible[] = { "", ".", "a..b", ".a",
	"a123456789b123456789c123456789d123456789e123456789f123456789g123.example.com" };

START_TEST(no_name_at_all)
{
	ask(impossible[_i]);
	wait_for(1, 0);
	ck_assert_int_eq(told.error, -ENOENT);
	ck_assert_uint_eq(n_asked, 0);
}
END_TEST

START_TEST(other_servers)
{
	char none[] = "not an address", *bad[] = { none };

	ask("a.example.com");
	wait_for(1, 0);
	ck_assert_int_eq(resolver_set_servers(&resolver, bad, 1), -EINVAL);
	ask("a.example.com");
	wait_for(2, 0);
	ck_assert_uint_eq(n_asked, 2); /* nothing changed */
	/* With questions under way: they fail, and are not forgotten. */
	ask("b.example.com");
	ck_assert_int_eq(resolver_set_servers(&resolver, NULL, 0), 0);
	wait_for(3, 0);
	ck_assert_int_ne(told.error, 0);
}
END_TEST

/* RESOLVER_MAX_NAMES */
START_TEST(names_are_limited)
{
	struct ua_query *queries = mem_zalloc((RESOLVER_MAX_NAMES + 1) * sizeof(*queries));
	char name[32];

	for (unsigned i = 0; i <= RESOLVER_MAX_NAMES; i++) {
		queries[i].resolved = on_resolved;
		(void)snprintf(name, sizeof(name), "n%u.example.com", i);
		ua_resolve(ua, &queries[i], DNS_ADDRESSES, name);
	}
	timerq_run(&loop.timers, loop_now() + 10);
	ck_assert_uint_eq(told.n, 1);
	ck_assert_int_eq(told.error, -ENOSPC);
	for (unsigned i = 0; i <= RESOLVER_MAX_NAMES; i++)
		ua_query_cancel(ua, &queries[i]);
	free(queries);
}
END_TEST

/* RESOLVER_MAX_WAITERS */
START_TEST(waiters_are_limited)
{
	struct ua_query *queries = mem_zalloc((RESOLVER_MAX_WAITERS + 1) * sizeof(*queries));

	for (unsigned i = 0; i <= RESOLVER_MAX_WAITERS; i++) {
		queries[i].resolved = on_resolved;
		ua_resolve(ua, &queries[i], DNS_ADDRESSES, "same.example.com");
	}
	timerq_run(&loop.timers, loop_now() + 10);
	ck_assert_uint_eq(told.n, 1);
	ck_assert_int_eq(told.error, -ENOSPC);
	wait_for(RESOLVER_MAX_WAITERS + 1, 0);
	ck_assert_int_eq(told.error, 0);
	ck_assert_uint_eq(n_asked, 2);
	free(queries);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("resolver");
	TCase *tc = tcase_create("resolver");
	SRunner *sr = srunner_create(s);
	int failed;

	tcase_add_checked_fixture(tc, set_up, tear_down);
	tcase_set_timeout(tc, 120);
	tcase_add_test(tc, both_families);
	tcase_add_test(tc, too_many_addresses);
	tcase_add_test(tc, remembered_for_its_time);
	tcase_add_test(tc, no_time_to_live);
	tcase_add_loop_test(tc, no_answer_to_use, 0, (int)ARRAY_LEN(failures));
	tcase_add_loop_test(tc, no_name_at_all, 0, (int)ARRAY_LEN(impossible));
	tcase_add_test(tc, other_servers);
	tcase_add_test(tc, names_are_limited);
	tcase_add_test(tc, waiters_are_limited);
	suite_add_tcase(s, tc);
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
