/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* RFC 3263 4.3: the next server when one fails; RFC 8305: the other family when one is slow. */
#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "protocol/ua/health.h"
#include "protocol/ua/limits.h"
#include "protocol/ua/request-private.h"
#include "tests/support/world-dns.h"
#include "tests/support/world-net.h"
#include "tests/support/world-private.h"
#include "tests/unit/ua/try.h"

#define CAROL "sip:carol@example.com"
#define ONE "192.0.2.21"
#define TWO "192.0.2.22"
#define SIX "2001:db8::21"

/* Two targets, one after the other, of one transport. */
#define TWO_TARGETS(transport)                                           \
	"SRV _sip._" transport ".example.com 1 0 5071 one.example.com\n" \
	"SRV _sip._" transport ".example.com 2 0 5072 two.example.com\n" \
	"A one.example.com " ONE "\nA two.example.com " TWO "\n"

static const struct world_mail *last_mail(const struct try *t)
{
	return list_entry(t->w->seen.prev, struct world_mail, node);
}

/* The next message to the outside, which has to come to that place. */
static const struct msg *expect_at(
	struct try *t, const char *what, enum transport transport, const char *host)
{
	const struct msg *m = world_wait_out(t->w, what, 40 * USEC_PER_SEC);

	ck_assert_str_eq(last_mail(t)->to.host, host);
	ck_assert_int_eq(last_mail(t)->transport, transport);
	return m;
}

static void expect_200_at(struct try *t, enum transport transport, const char *host)
{
	world_reply(t->w, expect_at(t, "MESSAGE", transport, host), 200, NULL);
	try_expect(t, 200, 0, ORIGIN_REMOTE);
}

static void init(struct try *t, const char *zone)
{
	try_init(t, &try_bob);
	world_dns_zone(t->w, zone);
}

/* 4.3: "identical to the previous, but has a different value of the Via branch ID" */
static void check_same(const struct msg *a, const struct msg *b)
{
	ck_assert(slice_eq(try_header(a, "Call-ID"), try_header(b, "Call-ID")));
	ck_assert(slice_eq(try_header(a, "CSeq"), try_header(b, "CSeq")));
	ck_assert(slice_eq(try_header(a, "From"), try_header(b, "From")));
	ck_assert(!slice_eq(a->via.branch, b->via.branch));
}

START_TEST(silent_then_the_next_target)
{
	const struct msg *first, *second;
	struct try t;

	init(&t, TWO_TARGETS("udp"));
	world_set_reach(t.w, ONE, WORLD_UP);
	try_page(&t, CAROL ";transport=udp");
	first = expect_at(&t, "MESSAGE", TRANSPORT_UDP, ONE);
	ck_assert_uint_eq(last_mail(&t)->to.port, 5071);
	ck_assert_str_eq(
		world_dns_asked(t.w), "SRV _sip._udp.example.com\nA and AAAA one.example.com\n");
	world_set_reach(t.w, ONE, WORLD_SILENT);
	second = expect_at(&t, "MESSAGE", TRANSPORT_UDP, TWO);
	ck_assert_uint_eq(last_mail(&t)->to.port, 5072);
	ck_assert_str_eq(world_dns_asked(t.w), "A and AAAA two.example.com\n");
	check_same(first, second);
	world_reply(t.w, second, 200, NULL);
	try_expect(&t, 200, 0, ORIGIN_REMOTE);
	/* The next one does not wait for the dead one. */
	try_page(&t, CAROL ";transport=udp");
	expect_200_at(&t, TRANSPORT_UDP, TWO);
	/* When its time is over it is tried once more, and is good again. */
	world_set_reach(t.w, ONE, WORLD_UP);
	world_run(t.w, 31 * USEC_PER_SEC);
	try_page(&t, CAROL ";transport=udp");
	expect_200_at(&t, TRANSPORT_UDP, ONE);
	ck_assert_uint_eq(t.ua->server_health.n, 0);
	try_deinit(&t);
}
END_TEST

START_TEST(refused_then_another_transport)
{
	struct try t;

	/* RFC 3403 4.1: the next preference of the same order. */
	init(&t, "NAPTR example.com 1 1 s SIP+D2T - _sip._tcp.example.com\n"
		 "NAPTR example.com 1 2 s SIP+D2U - _sip._udp.example.com\n"
		 "SRV _sip._tcp.example.com 1 0 5071 one.example.com\n"
		 "SRV _sip._udp.example.com 1 0 5072 two.example.com\n"
		 "A one.example.com " ONE "\nA two.example.com " TWO "\n");
	world_set_reach(t.w, ONE, WORLD_REFUSED);
	try_page(&t, CAROL);
	expect_200_at(&t, TRANSPORT_UDP, TWO);
	try_deinit(&t);
}
END_TEST

START_TEST(unavailable_then_the_next_target)
{
	const struct msg *first, *second;
	struct try t;

	init(&t, TWO_TARGETS("tcp"));
	try_page(&t, CAROL);
	first = expect_at(&t, "MESSAGE", TRANSPORT_TCP, ONE);
	world_reply(t.w, first, 503, "Retry-After: 100\n");
	second = expect_at(&t, "MESSAGE", TRANSPORT_TCP, TWO);
	check_same(first, second);
	world_reply(t.w, second, 503, NULL);
	/* The last word is the outcome. */
	try_expect(&t, 503, -EREMOTEIO, ORIGIN_REMOTE);
	/* 21.5.4: only the first asked to be left alone. */
	try_page(&t, CAROL);
	expect_200_at(&t, TRANSPORT_TCP, TWO);
	try_deinit(&t);
}
END_TEST

/* 4: CANCEL and the ACK for a refusal go where the INVITE went. */
START_TEST(invite_and_what_belongs_to_it)
{
	struct request_spec spec = try_spec(CAROL);
	struct try t;

	init(&t, TWO_TARGETS("udp"));
	spec.method = SLICE("INVITE");
	spec.contact = REQUEST_CONTACT;
	try_send(&t, &spec);
	world_reply(t.w, expect_at(&t, "INVITE", TRANSPORT_UDP, ONE), 503, NULL);
	(void)expect_at(&t, "ACK", TRANSPORT_UDP, ONE);
	world_reply(t.w, expect_at(&t, "INVITE", TRANSPORT_UDP, TWO), 180, NULL);
	world_settle(t.w);
	request_cancel(t.r, SLICE_NULL);
	world_reply(t.w, expect_at(&t, "CANCEL", TRANSPORT_UDP, TWO), 200, NULL);
	world_settle(t.w);
	request_free(mem_take(&t.r));
	(void)world_skip_out(t.w);
	try_deinit(&t);
}
END_TEST

/* The other server's certificate is good; when none is, the outcome says why. */
START_TEST(certificates)
{
	struct try t;

	init(&t, "SRV _sips._tcp.example.com 1 0 5061 one.example.com\n"
		 "SRV _sips._tcp.example.com 2 0 5061 two.example.com\n"
		 "A one.example.com " ONE "\nA two.example.com " TWO "\n");
	world_set_tls(t.w, ONE, "wrong name: one.example.com");
	try_page(&t, "sips:carol@example.com");
	expect_200_at(&t, TRANSPORT_TLS, TWO);
	/* Another profile may trust it. */
	ck_assert_uint_eq(t.ua->server_health.n, 0);
	world_cut(t.wu);
	world_settle(t.w);
	world_set_reach(t.w, TWO, WORLD_REFUSED);
	try_page(&t, "sips:carol@example.com");
	try_expect(&t, 0, -ECONNREFUSED, ORIGIN_NETWORK);
	ck_assert_str_eq(t.reason, "wrong name: one.example.com");
	try_deinit(&t);
}
END_TEST

START_TEST(named_errors)
{
	static const struct {
		const char *zone, *reason;
	} rows[] = {
		{ "", "host name has no address" },
		{ "FAIL A example.com server\n", "name server failed" },
		{ "FAIL NAPTR example.com timeout\nFAIL SRV _sips._tcp.example.com timeout\n",
			"name server did not answer" },
		{ "SRV _sip._udp.example.com 0 0 0 .\n", "the domain does not offer that service" },
	};
	struct try t;

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		init(&t, rows[i].zone);
		try_page(&t, CAROL);
		try_expect(&t, 0, -ECONNREFUSED, ORIGIN_NETWORK);
		ck_assert_str_eq(t.reason, rows[i].reason);
		try_deinit(&t);
	}
}
END_TEST

START_TEST(cancelled_while_names_are_asked_for)
{
	struct request_spec spec = try_spec(CAROL);
	struct try t;

	init(&t, TWO_TARGETS("udp"));
	world_net(t.w)->dns_delay = USEC_PER_SEC;
	spec.method = SLICE("INVITE");
	spec.contact = REQUEST_CONTACT;
	try_send(&t, &spec);
	world_run(t.w, USEC_PER_SEC / 2);
	request_cancel(t.r, SLICE_NULL);
	try_expect(&t, 0, -ECANCELED, ORIGIN_LOCAL);
	world_expect_silence(t.w, 10 * USEC_PER_SEC);
	try_deinit(&t);
}
END_TEST

/* ---- RFC 8305 ---- */

#define BOTH "A example.com " SIX "\nA example.com " ONE "\n"

static size_t count_flows(const struct try *t)
{
	return list_length(&t->wu->flows);
}

/* Section 5: the second starts after 250 ms, the first one up wins, the other is let go. */
START_TEST(slow_family_then_the_other)
{
	struct try t;

	init(&t, BOTH);
	world_set_reach(t.w, SIX, WORLD_MUTE_TCP);
	try_page(&t, CAROL ":5060;transport=tcp");
	world_run(t.w, 249 * USEC_PER_MSEC);
	ck_assert_uint_eq(count_flows(&t), 1);
	world_run(t.w, 2 * USEC_PER_MSEC);
	ck_assert_uint_eq(count_flows(&t), 2);
	expect_200_at(&t, TRANSPORT_TCP, ONE);
	/* 250 ms, a handshake of 20, 10 there and 10 back */
	ck_assert_uint_le(world_now(t.w), 300 * USEC_PER_MSEC);
	world_set_reach(t.w, SIX, WORLD_UP);
	world_expect_silence(t.w, 10 * USEC_PER_SEC);
	ck_assert_uint_eq(count_flows(&t), 1);
	try_deinit(&t);
}
END_TEST

START_TEST(quick_family_alone)
{
	struct try t;

	init(&t, BOTH);
	try_page(&t, CAROL ":5060;transport=tcp");
	expect_200_at(&t, TRANSPORT_TCP, SIX);
	world_run(t.w, USEC_PER_SEC);
	ck_assert_uint_eq(count_flows(&t), 1);
	try_deinit(&t);
}
END_TEST

/* Refused within the head start: the other need not wait for it. And known to others. */
START_TEST(refused_family_then_the_other)
{
	struct flow_addr six = { SIX, 5060 };
	struct try t;

	init(&t, BOTH);
	world_set_reach(t.w, SIX, WORLD_REFUSED);
	try_page(&t, CAROL ":5060;transport=tcp");
	expect_200_at(&t, TRANSPORT_TCP, ONE);
	ck_assert_uint_lt(world_now(t.w), 100 * USEC_PER_MSEC);
	ck_assert(health_is_bad(t.ua, TRANSPORT_TCP, &six));
	try_deinit(&t);
}
END_TEST

/* The winner fails later: the other is still to be tried. */
START_TEST(the_spare_is_tried_after_a_503)
{
	struct try t;

	init(&t, BOTH);
	try_page(&t, CAROL ":5060;transport=tcp");
	world_reply(t.w, expect_at(&t, "MESSAGE", TRANSPORT_TCP, SIX), 503, NULL);
	expect_200_at(&t, TRANSPORT_TCP, ONE);
	try_deinit(&t);
}
END_TEST

START_TEST(neither_family)
{
	struct try t;

	init(&t, BOTH);
	world_set_reach(t.w, SIX, WORLD_MUTE_TCP);
	world_set_reach(t.w, ONE, WORLD_MUTE_TCP);
	try_page(&t, CAROL ":5060;transport=tcp");
	world_run(t.w, 31 * USEC_PER_SEC);
	try_expect_pending(&t);
	world_run(t.w, 2 * USEC_PER_SEC);
	try_expect(&t, 0, -ECONNREFUSED, ORIGIN_NETWORK);
	ck_assert_str_eq(t.reason, "connection timed out");
	try_deinit(&t);
}
END_TEST

/* Whoever ends it in the middle of a race leaves nothing behind. */
START_TEST(given_up_in_a_race)
{
	struct try t;

	init(&t, BOTH);
	world_set_reach(t.w, SIX, WORLD_MUTE_TCP);
	world_set_reach(t.w, ONE, WORLD_MUTE_TCP);
	try_page(&t, CAROL ":5060;transport=tcp");
	world_run(t.w, USEC_PER_SEC);
	ck_assert_uint_eq(count_flows(&t), 2);
	request_free(mem_take(&t.r));
	world_run(t.w, USEC_PER_SEC);
	ck_assert_uint_eq(count_flows(&t), 0);
	try_deinit(&t);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("ua/request-failover");
	TCase *tc = tcase_create("all");
	SRunner *r;
	int failed;

	tcase_add_test(tc, silent_then_the_next_target);
	tcase_add_test(tc, refused_then_another_transport);
	tcase_add_test(tc, unavailable_then_the_next_target);
	tcase_add_test(tc, invite_and_what_belongs_to_it);
	tcase_add_test(tc, certificates);
	tcase_add_test(tc, named_errors);
	tcase_add_test(tc, cancelled_while_names_are_asked_for);
	tcase_add_test(tc, slow_family_then_the_other);
	tcase_add_test(tc, quick_family_alone);
	tcase_add_test(tc, refused_family_then_the_other);
	tcase_add_test(tc, the_spare_is_tried_after_a_503);
	tcase_add_test(tc, neither_family);
	tcase_add_test(tc, given_up_in_a_race);
	suite_add_tcase(s, tc);
	r = srunner_create(s);
	srunner_run_all(r, CK_ENV);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
