/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* RFC 3263 4.3, RFC 3261 21.5.4: servers that are better left alone for a while. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "protocol/ua/health.h"
#include "protocol/ua/limits.h"
#include "protocol/ua/ua-network.h"
#include "protocol/ua/ua.h"
#include "tests/support/world.h"

static const struct flow_addr server = { "192.0.2.1", 5060 };
static struct world *w;
static struct ua *ua;

static void set_up(void)
{
	w = world_new(1);
	ua = world_ua(w, "192.0.2.10")->ua;
}

static void tear_down(void)
{
	world_free(w);
}

static void mark(const struct flow_addr *addr, usec_t how_long, uint32_t retry_after)
{
	struct health_trouble t = {
		.transport = TRANSPORT_UDP,
		.addr = addr,
		.reason = "test",
		.how_long = how_long,
		.retry_after = retry_after,
	};

	health_mark(ua, &t);
}

static bool is_bad(const struct flow_addr *addr)
{
	return health_is_bad(ua, TRANSPORT_UDP, addr);
}

/* Bad for exactly that many seconds from now. */
static void expect_bad_for(unsigned seconds)
{
	world_run(w, seconds * USEC_PER_SEC - 1);
	ck_assert(is_bad(&server));
	world_run(w, 1);
	ck_assert(!is_bad(&server));
}

START_TEST(longer_each_time)
{
	static const unsigned seconds[] = { 30, 60, 120, 240, 300, 300 };

	ck_assert(health_may_try(ua, TRANSPORT_UDP, &server));
	for (size_t i = 0; i < ARRAY_LEN(seconds); i++) {
		mark(&server, 0, 0);
		/* What was under way at the same time fails for the same reason. */
		mark(&server, 0, 0);
		expect_bad_for(seconds[i]);
	}
	health_good(ua, TRANSPORT_UDP, &server);
	mark(&server, 0, 0);
	expect_bad_for(seconds[0]);
	ck_assert(!health_is_bad(ua, TRANSPORT_TCP, &server));
}
END_TEST

START_TEST(one_request_probes)
{
	mark(&server, 0, 0);
	ck_assert(!health_may_try(ua, TRANSPORT_UDP, &server));
	world_run(w, 30 * USEC_PER_SEC);
	ck_assert(health_may_try(ua, TRANSPORT_UDP, &server));
	ck_assert(!health_may_try(ua, TRANSPORT_UDP, &server));
	/* Nothing came of it: another may. */
	world_run(w, 32 * USEC_PER_SEC);
	ck_assert(health_may_try(ua, TRANSPORT_UDP, &server));
	ck_assert(!health_may_try(ua, TRANSPORT_UDP, &server));
	health_good(ua, TRANSPORT_UDP, &server);
	ck_assert(health_may_try(ua, TRANSPORT_UDP, &server));
	ck_assert(health_may_try(ua, TRANSPORT_UDP, &server));
}
END_TEST

START_TEST(as_long_as_the_server_says)
{
	mark(&server, 0, 7);
	/* A shorter word does not undo a longer one. */
	mark(&server, 0, 3);
	expect_bad_for(7);
	mark(&server, 0, 1000000);
	expect_bad_for(LIMITS_RETRY_AFTER);
}
END_TEST

static void see(void *ctx, const struct health_view *v)
{
	struct health_view *seen = ctx;

	ck_assert_ptr_null(seen->reason);
	*seen = *v;
}

START_TEST(it_is_visible)
{
	struct health_view v = { .reason = NULL };
	struct health_trouble t = {
		.transport = TRANSPORT_TLS,
		.addr = &server,
		.target = "example.com",
		.reason = "503 Service Unavailable",
		.retry_after = 9,
	};

	health_for_each(ua, see, &v);
	ck_assert_ptr_null(v.reason);
	health_mark(ua, &t);
	health_for_each(ua, see, &v);
	ck_assert_int_eq(v.transport, TRANSPORT_TLS);
	ck_assert(flow_addr_equal(&v.addr, &server));
	ck_assert_str_eq(v.target, "example.com");
	ck_assert_str_eq(v.reason, "503 Service Unavailable");
	ck_assert_uint_eq(v.retry_after, 9);
	ck_assert_uint_eq(v.until, ua->timers.now + 9 * USEC_PER_SEC);
	health_clear(ua);
	v.reason = NULL;
	health_for_each(ua, see, &v);
	ck_assert_ptr_null(v.reason);
}
END_TEST

/* Another network has other servers behind the same addresses, or another way to them. */
START_TEST(forgotten_in_another_network)
{
	mark(&server, 0, 0);
	ua_network_changed(ua);
	ck_assert(!is_bad(&server));
}
END_TEST

/* LIMITS_SERVER_HEALTH */
START_TEST(limit_of_servers_remembered)
{
	struct flow_addr a = server;

	/* The one that would be forgotten first anyway makes room. */
	a.port = 1;
	mark(&a, USEC_PER_SEC, 0);
	for (unsigned i = 2; i <= LIMITS_SERVER_HEALTH + 1; i++) {
		a.port = (uint16_t)i;
		mark(&a, 2 * USEC_PER_SEC, 0);
	}
	ck_assert_uint_eq(ua->server_health.n, LIMITS_SERVER_HEALTH);
	ck_assert(is_bad(&a));
	a.port = 2;
	ck_assert(is_bad(&a));
	a.port = 1;
	ck_assert(!is_bad(&a));
}
END_TEST

int main(void)
{
	Suite *s = suite_create("ua/health");
	TCase *tc = tcase_create("all");
	SRunner *r;
	int failed;

	tcase_add_checked_fixture(tc, set_up, tear_down);
	tcase_add_test(tc, longer_each_time);
	tcase_add_test(tc, one_request_probes);
	tcase_add_test(tc, as_long_as_the_server_says);
	tcase_add_test(tc, it_is_visible);
	tcase_add_test(tc, forgotten_in_another_network);
	tcase_add_test(tc, limit_of_servers_remembered);
	suite_add_tcase(s, tc);
	r = srunner_create(s);
	srunner_run_all(r, CK_ENV);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
