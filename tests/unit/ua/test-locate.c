/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* RFC 3263 section 4, RFC 2782, RFC 3403: where requests go, and where when that is of no use. */
#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "protocol/msg/build.h"
#include "protocol/ua/health.h"
#include "protocol/ua/locate.h"
#include "tests/support/world-dns.h"

/* What is asked and what comes of it, as text: a row is a case of the RFC. */
struct way {
	const char *section;
	const char *uri;
	const char *zone;
	const char *asked; /* all questions, in order; NULL: not looked at */
	const char *hops;  /* all places to try, then how it ends */
};

struct fixture {
	struct world *w;
	struct world_ua *wu;
	struct locate l;
	bool ready;
};

static void on_ready(struct locate *l)
{
	container_of(l, struct fixture, l)->ready = true;
}

static void setup(struct fixture *f)
{
	*f = (struct fixture){ .w = world_new(1), .l = { .ready = on_ready } };
	f->wu = world_ua(f->w, "192.0.2.10");
}

static void teardown(struct fixture *f)
{
	locate_cancel(&f->l);
	ck_assert_uint_eq(f->wu->ua->queries.n, 0);
	world_free(f->w);
}

/* The next place, however long the names take. */
static int next(struct fixture *f, struct locate_hop *hop)
{
	int got = locate_next(&f->l, hop);

	while (got == 0) {
		f->ready = false;
		world_settle(f->w);
		ck_assert(f->ready);
		got = locate_next(&f->l, hop);
	}
	return got;
}

static void append_hop(struct buf *b, const struct locate_hop *hop)
{
	buf_printf(b, "%s ", transport_name(hop->transport));
	build_hostport(b, slice_str(hop->addr.host), hop->addr.port);
	buf_putc(b, '\n');
}

static int start(struct fixture *f, const char *uri)
{
	struct locate_target t;
	struct uri u;

	ck_assert_int_eq(uri_parse(slice_str(uri), &u), 0);
	ck_assert_int_eq(locate_target_of_uri(&u, &t), 0);
	return locate_start(&f->l, f->wu->ua, &t);
}

/* Every place there is. */
static char *walk(struct fixture *f)
{
	struct buf b = BUF_NULL;
	struct locate_hop hop;
	int got;

	while ((got = next(f, &hop)) == 1)
		append_hop(&b, &hop);
	buf_str(&b, locate_error_text(got));
	return buf_take(&b);
}

static void check_way(const struct way *way)
{
	struct fixture f;
	char *hops;

	setup(&f);
	world_dns_zone(f.w, way->zone);
	ck_assert_int_eq(start(&f, way->uri), 0);
	hops = walk(&f);
	ck_assert_msg(strcmp(hops, way->hops) == 0, "%s, %s:\n%s", way->section, way->uri, hops);
	if (way->asked) {
		const char *asked = world_dns_asked(f.w);

		ck_assert_msg(strcmp(asked, way->asked) == 0, "%s, %s:\n%s", way->section, way->uri,
			asked);
	}
	free(hops);
	teardown(&f);
}

#define NOTHING "host name has no address"
#define A_1 "A one.example.com 192.0.2.1\n"
#define A_2 "A two.example.com 192.0.2.2\n"
#define A_HOST "A example.com 192.0.2.9\n"
#define SRV_UDP "SRV _sip._udp.example.com 0 0 5060 one.example.com\n"
#define SRV_TCP "SRV _sip._tcp.example.com 0 0 5062 two.example.com\n"
#define SRV_TLS "SRV _sips._tcp.example.com 0 0 5061 one.example.com\n"
#define NAPTR_UDP "NAPTR example.com 100 50 s SIP+D2U - _sip._udp.example.com\n"
#define NAPTR_TCP "NAPTR example.com 90 50 S SIP+D2T - _sip._tcp.example.com\n"
#define NAPTR_TLS "NAPTR example.com 50 50 s SIPS+D2T - _sips._tcp.example.com\n"
#define ASK_ALL                                                                      \
	"NAPTR example.com\nSRV _sips._tcp.example.com\nSRV _sip._tcp.example.com\n" \
	"SRV _sip._udp.example.com\n"

static const struct way transports[] = {
	{ "4.1: numeric, no transport: UDP", "sip:192.0.2.1", "", "",
		"udp 192.0.2.1:5060\n" NOTHING },
	{ "4.1: numeric, sips: TLS", "sips:192.0.2.1", "", "", "tls 192.0.2.1:5061\n" NOTHING },
	{ "4.1: the parameter decides", "sip:192.0.2.1;transport=tcp", "", "",
		"tcp 192.0.2.1:5060\n" NOTHING },
	{ "4.2: numeric and port", "sip:[2001:db8::1]:5070", "", "",
		"udp [2001:db8::1]:5070\n" NOTHING },
	{ "4: maddr is the target", "sip:example.com;maddr=192.0.2.1", "", "",
		"udp 192.0.2.1:5060\n" NOTHING },
	{ "4.1: port, no transport: UDP; 4.2: no SRV", "sip:example.com:5060", A_HOST SRV_TCP,
		"A and AAAA example.com\n", "udp 192.0.2.9:5060\n" NOTHING },
	{ "4.1: port, sips: TLS", "sips:example.com:5071", A_HOST, "A and AAAA example.com\n",
		"tls 192.0.2.9:5071\n" NOTHING },
	{ "4.2: a transport and no port: SRV, no NAPTR", "sip:example.com;transport=udp",
		NAPTR_TCP SRV_UDP SRV_TCP A_1 A_2,
		"SRV _sip._udp.example.com\nA and AAAA one.example.com\n",
		"udp 192.0.2.1:5060\n" NOTHING },
	{ "4.2: sip over TLS is _sips as well", "sip:example.com;transport=tls", SRV_TLS A_1,
		"SRV _sips._tcp.example.com\nA and AAAA one.example.com\n",
		"tls 192.0.2.1:5061\n" NOTHING },
	{ "4.2: sips and tcp is _sips._tcp", "sips:example.com;transport=tcp", SRV_TLS SRV_TCP A_1,
		NULL, "tls 192.0.2.1:5061\n" NOTHING },
	{ "4.2: no SRV, then addresses at the default port", "sip:example.com;transport=tcp",
		A_HOST, "SRV _sip._tcp.example.com\nA and AAAA example.com\n",
		"tcp 192.0.2.9:5060\n" NOTHING },
	{ "4.1: NAPTR by order, and no other order after a match (RFC 3403 4.1)", "sip:example.com",
		NAPTR_UDP NAPTR_TCP NAPTR_TLS SRV_UDP SRV_TCP SRV_TLS A_1 A_2,
		"NAPTR example.com\nSRV _sips._tcp.example.com\nA and AAAA one.example.com\n",
		"tls 192.0.2.1:5061\n" NOTHING },
	{ "4.1: what we do not speak is discarded", "sip:example.com",
		"NAPTR example.com 10 50 s SIP+D2S - _sip._sctp.example.com\n" NAPTR_UDP SRV_UDP
			A_1,
		"NAPTR example.com\nSRV _sip._udp.example.com\nA and AAAA one.example.com\n",
		"udp 192.0.2.1:5060\n" NOTHING },
	{ "4.1: sips keeps SIPS alone", "sips:example.com",
		NAPTR_UDP
		"NAPTR example.com 10 1 s SIP+D2T - _sip._tcp.example.com\n" NAPTR_TLS SRV_TCP
			SRV_TLS A_1 A_2,
		"NAPTR example.com\nSRV _sips._tcp.example.com\nA and AAAA one.example.com\n",
		"tls 192.0.2.1:5061\n" NOTHING },
	{ "4.1: SIPS+D2U makes no sense", "sips:example.com",
		"NAPTR example.com 10 1 s SIPS+D2U - _sips._udp.example.com\n" SRV_TLS A_1,
		"NAPTR example.com\nSRV _sips._tcp.example.com\nA and AAAA one.example.com\n",
		"tls 192.0.2.1:5061\n" NOTHING },
	{ "4.1: preference within one order", "sip:example.com",
		"NAPTR example.com 10 20 s SIP+D2U - _sip._udp.example.com\n"
		"NAPTR example.com 10 10 s SIP+D2T - _sip._tcp.example.com\n" SRV_UDP SRV_TCP A_1
			A_2,
		NULL, "tcp 192.0.2.2:5062\nudp 192.0.2.1:5060\n" NOTHING },
	{ "4.1: a replacement in another domain", "sip:example.com",
		"NAPTR example.com 10 10 s SIP+D2T - _sip._tcp.school.edu\n"
		"SRV _sip._tcp.school.edu 0 0 5066 one.example.com\n" A_1,
		"NAPTR example.com\nSRV _sip._tcp.school.edu\nA and AAAA one.example.com\n",
		"tcp 192.0.2.1:5066\n" NOTHING },
	{ "4.1: no regular expressions, no other flags, no root", "sip:example.com",
		"NAPTR example.com 1 1 u SIP+D2U !^.*$!sip:x! .\n"
		"NAPTR example.com 1 2 a SIP+D2U - one.example.com\n"
		"NAPTR example.com 1 3 s SIP+D2U !x!y! _sip._udp.example.com\n"
		"NAPTR example.com 1 4 s SIP+D2U - .\n"
		"NAPTR example.com 1 5 ss SIP+D2U - _sip._udp.example.com\n"
		"NAPTR example.com 1 6 s E2U+sip - _sip._udp.example.com\n" A_HOST,
		ASK_ALL "A and AAAA example.com\n", "udp 192.0.2.9:5060\n" NOTHING },
	{ "4.1: no NAPTR, SRV for each transport, the safest first", "sip:example.com",
		SRV_UDP SRV_TCP SRV_TLS A_1 A_2, NULL,
		"tls 192.0.2.1:5061\ntcp 192.0.2.2:5062\nudp 192.0.2.1:5060\n" NOTHING },
	{ "4.1: neither, then UDP", "sip:example.com", A_HOST, ASK_ALL "A and AAAA example.com\n",
		"udp 192.0.2.9:5060\n" NOTHING },
	{ "4.1: neither, then TLS for sips", "sips:example.com", A_HOST,
		"NAPTR example.com\nSRV _sips._tcp.example.com\nA and AAAA example.com\n",
		"tls 192.0.2.9:5061\n" NOTHING },
	{ "4.2: NAPTR and no SRV: addresses, by the transport selected", "sip:example.com",
		NAPTR_TCP A_HOST,
		"NAPTR example.com\nSRV _sip._tcp.example.com\nA and AAAA example.com\n",
		"tcp 192.0.2.9:5060\n" NOTHING },
	{ "a last dot", "sip:example.com.;transport=udp", SRV_UDP A_1, NULL,
		"udp 192.0.2.1:5060\n" NOTHING },
};

START_TEST(selects_a_transport)
{
	check_way(&transports[_i]);
}
END_TEST

static const struct way trouble[] = {
	{ "3403 4.1: what is not the end leads to other NAPTR", "sip:example.com",
		"NAPTR example.com 1 1 - - - next.example.com\n"
		"NAPTR next.example.com 1 1 s SIP+D2T - _sip._tcp.example.com\n" SRV_TCP A_2,
		"NAPTR example.com\nNAPTR next.example.com\nSRV _sip._tcp.example.com\n"
		"A and AAAA two.example.com\n",
		"tcp 192.0.2.2:5062\n" NOTHING },
	{ "a circle of NAPTR ends: LIMITS_LOCATE_NAPTR", "sip:example.com",
		"NAPTR example.com 1 1 - - - other.example.com\n"
		"NAPTR other.example.com 1 1 - - - example.com\n" A_HOST,
		"NAPTR example.com\nNAPTR other.example.com\nNAPTR example.com\n"
		"NAPTR other.example.com\nNAPTR example.com\nA and AAAA example.com\n",
		"udp 192.0.2.9:5060\n" NOTHING },
	{ "2782: the target . says no", "sip:example.com;transport=udp",
		"SRV _sip._udp.example.com 0 0 0 .\n" A_HOST, "SRV _sip._udp.example.com\n",
		"the domain does not offer that service" },
	{ "2782: . for one transport alone", "sip:example.com",
		"SRV _sips._tcp.example.com 0 0 0 .\n" SRV_UDP A_1, NULL,
		"udp 192.0.2.1:5060\nthe domain does not offer that service" },
	{ "2782: by priority, whatever the order of the answer", "sip:example.com;transport=udp",
		"SRV _sip._udp.example.com 20 9 5060 two.example.com\n"
		"SRV _sip._udp.example.com 10 0 5060 one.example.com\n" A_1 A_2,
		NULL, "udp 192.0.2.1:5060\nudp 192.0.2.2:5060\n" NOTHING },
	{ "a target without address: the next", "sip:example.com;transport=udp",
		"SRV _sip._udp.example.com 1 0 5060 none.example.com\n"
		"SRV _sip._udp.example.com 2 0 5060 two.example.com\n" A_2,
		NULL, "udp 192.0.2.2:5060\n" NOTHING },
	{ "SRV records and no target with an address: no way back to A",
		"sip:example.com;transport=udp", SRV_UDP A_HOST,
		"SRV _sip._udp.example.com\nA and AAAA one.example.com\n", NOTHING },
	{ "a target that is an address", "sip:example.com;transport=udp",
		"SRV _sip._udp.example.com 1 0 5070 192.0.2.7\n", "SRV _sip._udp.example.com\n",
		"udp 192.0.2.7:5070\n" NOTHING },
	{ "port 0 leads nowhere", "sip:example.com;transport=udp",
		"SRV _sip._udp.example.com 1 0 0 one.example.com\n" A_1, NULL,
		"the domain does not offer that service" },
	{ "the same place twice is tried once", "sip:example.com;transport=udp",
		SRV_UDP SRV_UDP "SRV _sip._udp.example.com 3 0 5060 two.example.com\n"
				"A two.example.com 192.0.2.1\n" A_1,
		NULL, "udp 192.0.2.1:5060\n" NOTHING },
	{ "nothing at all", "sip:example.com", "", ASK_ALL "A and AAAA example.com\n", NOTHING },
	{ "a server that fails NAPTR and SRV alone", "sip:example.com",
		"FAIL NAPTR example.com server\nFAIL SRV _sips._tcp.example.com server\n" A_HOST,
		ASK_ALL "A and AAAA example.com\n", "udp 192.0.2.9:5060\nname server failed" },
	{ "a server that fails", "sip:example.com:5060", "FAIL A example.com server\n", NULL,
		"name server failed" },
	{ "one that swallows NAPTR alone", "sip:example.com",
		"FAIL NAPTR example.com timeout\n" SRV_TLS A_1, NULL,
		"tls 192.0.2.1:5061\nname server did not answer" },
	{ "silence is not asked for ever", "sip:example.com",
		"FAIL NAPTR example.com timeout\nFAIL SRV _sips._tcp.example.com timeout\n" A_HOST,
		"NAPTR example.com\nSRV _sips._tcp.example.com\n", "name server did not answer" },
	{ "a silent first target, then the second", "sip:example.com;transport=udp",
		"SRV _sip._udp.example.com 1 0 5060 one.example.com\n"
		"SRV _sip._udp.example.com 2 0 5060 two.example.com\n"
		"FAIL A one.example.com timeout\n" A_2,
		NULL, "udp 192.0.2.2:5060\nname server did not answer" },
	{ "4.2: one family alone", "sip:example.com:5060", "A example.com 2001:db8::9\n", NULL,
		"udp [2001:db8::9]:5060\n" NOTHING },
	{ "4.2: all addresses in the order of the answer", "sip:example.com:5060",
		"A example.com 2001:db8::9\n" A_HOST "A example.com 192.0.2.8\n", NULL,
		"udp [2001:db8::9]:5060\nudp 192.0.2.9:5060\nudp 192.0.2.8:5060\n" NOTHING },
};

START_TEST(lives_with_what_is_there)
{
	check_way(&trouble[_i]);
}
END_TEST

/* 4.3: the fallback of a first target that works costs no question. */
START_TEST(looks_up_target_by_target)
{
	struct locate_hop hop;
	struct fixture f;

	setup(&f);
	world_dns_zone(f.w, "SRV _sip._udp.example.com 1 0 5060 one.example.com\n"
			    "SRV _sip._udp.example.com 2 0 5060 two.example.com\n" A_1 A_2);
	ck_assert_int_eq(start(&f, "sip:example.com;transport=udp"), 0);
	ck_assert_int_eq(next(&f, &hop), 1);
	ck_assert_str_eq(
		world_dns_asked(f.w), "SRV _sip._udp.example.com\nA and AAAA one.example.com\n");
	ck_assert_int_eq(next(&f, &hop), 1);
	ck_assert_str_eq(world_dns_asked(f.w), "A and AAAA two.example.com\n");
	teardown(&f);
}
END_TEST

/* RFC 2782: 0, 1 and 3 of 4; the world's randomness is the same each time. */
START_TEST(draws_by_weight)
{
	static const char zone[] = "SRV _sip._udp.example.com 1 3 5060 192.0.2.3\n"
				   "SRV _sip._udp.example.com 1 0 5060 192.0.2.4\n"
				   "SRV _sip._udp.example.com 1 1 5060 192.0.2.1\n"
				   "SRV _sip._udp.example.com 9 9 5060 192.0.2.9\n";
	unsigned first[5] = { 0 };
	struct locate_hop hop;
	struct fixture f;

	setup(&f);
	world_dns_zone(f.w, zone);
	for (unsigned i = 0; i < 2000; i++) {
		ck_assert_int_eq(start(&f, "sip:example.com;transport=udp"), 0);
		ck_assert_int_eq(next(&f, &hop), 1);
		ck_assert_str_ne(hop.addr.host, "192.0.2.9");
		first[hop.addr.host[8] - '0']++;
		for (unsigned k = 0; k < 3; k++)
			ck_assert_int_eq(next(&f, &hop), 1);
		ck_assert_str_eq(hop.addr.host, "192.0.2.9");
	}
	/* A number from 0 to 4 is drawn: 0 is the weightless, 1 the light one, the rest the heavy.
	 */
	ck_assert_uint_gt(first[4], 300);
	ck_assert_uint_lt(first[4], 500);
	ck_assert_uint_gt(first[1], 300);
	ck_assert_uint_lt(first[1], 500);
	ck_assert_uint_gt(first[3], 1050);
	ck_assert_uint_lt(first[3], 1350);
	teardown(&f);
}
END_TEST

/* 4.3 with health.h: what failed others comes last, and when its time is over once again first. */
START_TEST(passes_over_the_bad)
{
	struct flow_addr bad = { "192.0.2.1", 5060 };
	struct health_trouble t = { .transport = TRANSPORT_UDP, .addr = &bad, .reason = "test" };
	struct fixture f;
	char *hops;

	setup(&f);
	world_dns_zone(f.w, "SRV _sip._udp.example.com 1 0 5060 one.example.com\n"
			    "SRV _sip._udp.example.com 2 0 5060 two.example.com\n" A_1 A_2);
	health_mark(f.wu->ua, &t);
	ck_assert_int_eq(start(&f, "sip:example.com;transport=udp"), 0);
	hops = walk(&f);
	ck_assert_str_eq(hops, "udp 192.0.2.2:5060\nudp 192.0.2.1:5060\n" NOTHING);
	free(hops);
	world_run(f.w, 30 * USEC_PER_SEC);
	ck_assert_int_eq(start(&f, "sip:example.com;transport=udp"), 0);
	hops = walk(&f);
	ck_assert_str_eq(hops, "udp 192.0.2.1:5060\nudp 192.0.2.2:5060\n" NOTHING);
	free(hops);
	/* That one is on probation: others wait for what comes of it. */
	ck_assert_int_eq(start(&f, "sip:example.com;transport=udp"), 0);
	hops = walk(&f);
	ck_assert_str_eq(hops, "udp 192.0.2.2:5060\nudp 192.0.2.1:5060\n" NOTHING);
	free(hops);
	teardown(&f);
}
END_TEST

START_TEST(rivals_are_of_the_other_family)
{
	struct locate_hop first, second, third;
	struct fixture f;

	setup(&f);
	world_dns_zone(f.w, "A example.com 2001:db8::1\nA example.com 2001:db8::2\n"
			    "A example.com 192.0.2.1\n");
	ck_assert_int_eq(start(&f, "sip:example.com:5060;transport=tcp"), 0);
	ck_assert_int_eq(next(&f, &first), 1);
	ck_assert(locate_take_rival(&f.l, &first, &second));
	ck_assert_str_eq(second.addr.host, "192.0.2.1");
	ck_assert(!locate_take_rival(&f.l, &first, &third));
	ck_assert_int_eq(next(&f, &third), 1);
	ck_assert_str_eq(third.addr.host, "2001:db8::2");
	/* Given back it comes; once more it does not. */
	locate_give_back(&f.l, &second);
	ck_assert_int_eq(next(&f, &third), 1);
	ck_assert_str_eq(third.addr.host, "192.0.2.1");
	ck_assert_int_eq(next(&f, &third), -ENOENT);
	teardown(&f);
}
END_TEST

START_TEST(cancelled_means_silent)
{
	struct locate_hop hop;
	struct fixture f;

	setup(&f);
	world_dns_zone(f.w, A_HOST);
	locate_cancel(&f.l); /* idle */
	ck_assert_int_eq(start(&f, "sip:example.com:5060"), 0);
	ck_assert_int_eq(locate_next(&f.l, &hop), 0);
	locate_cancel(&f.l);
	world_settle(f.w);
	ck_assert(!f.ready);
	ck_assert_uint_eq(f.wu->ua->queries.n, 0);
	/* A new question forgets the old one. */
	ck_assert_int_eq(start(&f, "sip:other.example.com:5060"), 0);
	ck_assert_int_eq(locate_next(&f.l, &hop), 0);
	ck_assert_int_eq(start(&f, "sip:example.com:5060"), 0);
	ck_assert_int_eq(next(&f, &hop), 1);
	ck_assert_str_eq(hop.addr.host, "192.0.2.9");
	teardown(&f);
}
END_TEST

/* LIMITS_ADDRESSES, LIMITS_LOCATE_STEPS, LIMITS_LOCATE_QUERIES */
START_TEST(limits)
{
	struct flow_addr many[LIMITS_ADDRESSES + 4] = { 0 };
	struct locate_hop hop;
	struct fixture f;
	size_t n = 0;

	setup(&f);
	for (size_t i = 0; i < ARRAY_LEN(many); i++)
		many[i].host[0] = (char)('a' + i);
	ck_assert_int_eq(start(&f, "sip:example.com:5060"), 0);
	ck_assert_int_eq(locate_next(&f.l, &hop), 0);
	ua_resolved(f.wu->ua, f.l.query.id,
		&(struct dns_answer){ .addrs = many, .n = ARRAY_LEN(many) });
	while (locate_next(&f.l, &hop) == 1)
		n++;
	ck_assert_uint_eq(n, LIMITS_ADDRESSES);
	world_settle(f.w);
	/* Three services with as many targets as an answer may have: no more than the steps. */
	for (unsigned i = 0; i < DNS_MAX_RECORDS; i++) {
		struct dns_srv srv = { .port = (uint16_t)(5060 + i), .target = "one.example.com" };

		world_dns_srv(f.w, "_sip._udp.example.com", &srv);
		world_dns_srv(f.w, "_sip._tcp.example.com", &srv);
		world_dns_srv(f.w, "_sips._tcp.example.com", &srv);
	}
	world_dns_zone(f.w, A_1);
	ck_assert_int_eq(start(&f, "sip:example.com"), 0);
	for (n = 0; next(&f, &hop) == 1; n++)
		ck_assert_uint_le(f.l.n_steps, LIMITS_LOCATE_STEPS);
	ck_assert_uint_eq(f.l.n_queries, LIMITS_LOCATE_QUERIES);
	ck_assert_uint_le(n, LIMITS_LOCATE_QUERIES);
	teardown(&f);
}
END_TEST

START_TEST(a_name_has_a_length)
{
	char name[254];
	struct locate_target t = { .host = { name, sizeof(name) } };
	struct fixture f;

	setup(&f);
	for (size_t i = 0; i < sizeof(name); i++)
		name[i] = 'a';
	ck_assert_int_eq(locate_start(&f.l, f.wu->ua, &t), -EINVAL);
	t.host.n--;
	ck_assert_int_eq(locate_start(&f.l, f.wu->ua, &t), 0);
	t.host.n = 0;
	ck_assert_int_eq(locate_start(&f.l, f.wu->ua, &t), -EINVAL);
	teardown(&f);
}
END_TEST

struct row {
	const char *text;
	int error;
	enum transport transport;
	const char *host;
	uint16_t port;
};

static void check_row(const struct row *row, int error, const struct locate_target *t)
{
	ck_assert_msg(error == row->error, "%s: %d", row->text, error);
	if (error)
		return;
	ck_assert_msg(slice_eq(t->host, slice_str(row->host)), "%s: %.*s", row->text,
		SLICE_ARGS(t->host));
	ck_assert_msg(t->port == row->port, "%s: %u", row->text, t->port);
	ck_assert_msg(t->transport == row->transport, "%s: %d", row->text, (int)t->transport);
	ck_assert_msg(
		t->sips == slice_starts_ci(slice_str(row->text), SLICE("sips:")), "%s", row->text);
}

START_TEST(what_a_uri_says)
{
	static const struct row rows[] = {
		{ "sip:alice@example.com", 0, TRANSPORT_NONE, "example.com", 0 },
		{ "sip:alice@[2001:db8::1]:5070", 0, TRANSPORT_NONE, "2001:db8::1", 5070 },
		/* 4.1: the parameter decides */
		{ "sip:example.com;transport=TCP", 0, TRANSPORT_TCP, "example.com", 0 },
		{ "sip:example.com;transport=udp", 0, TRANSPORT_UDP, "example.com", 0 },
		{ "sip:example.com;transport=sctp", -EOPNOTSUPP, 0, NULL, 0 },
		/* 4: maddr is the target */
		{ "sip:a@example.com:5080;maddr=192.0.2.7", 0, TRANSPORT_NONE, "192.0.2.7", 5080 },
		{ "sip:a@example.com;maddr=[2001:db8::7]", 0, TRANSPORT_NONE, "2001:db8::7", 0 },
		/* RFC 3261 26.2.2 */
		{ "sips:alice@example.com", 0, TRANSPORT_NONE, "example.com", 0 },
		{ "sips:alice@example.com;transport=tcp", 0, TRANSPORT_TLS, "example.com", 0 },
		{ "sips:alice@example.com;transport=udp", -EOPNOTSUPP, 0, NULL, 0 },
		{ "tel:+123", -EOPNOTSUPP, 0, NULL, 0 },
		{ "mailto:a@example.com", -EOPNOTSUPP, 0, NULL, 0 },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct locate_target t = { 0 };
		struct uri u;

		ck_assert_int_eq(uri_parse(slice_str(rows[i].text), &u), 0);
		check_row(&rows[i], locate_target_of_uri(&u, &t), &t);
	}
}
END_TEST

START_TEST(what_an_outbound_proxy_says)
{
	static const struct row rows[] = {
		{ "proxy.example.com", 0, TRANSPORT_NONE, "proxy.example.com", 0 },
		{ "proxy.example.com:5070", 0, TRANSPORT_NONE, "proxy.example.com", 5070 },
		{ "192.0.2.1:5070;transport=tcp", 0, TRANSPORT_TCP, "192.0.2.1", 5070 },
		{ "[2001:db8::1]:5070", 0, TRANSPORT_NONE, "2001:db8::1", 5070 },
		{ "[2001:db8::1]", 0, TRANSPORT_NONE, "2001:db8::1", 0 },
		{ "2001:db8::1", 0, TRANSPORT_NONE, "2001:db8::1", 0 },
		{ "sip:proxy.example.com;lr", 0, TRANSPORT_NONE, "proxy.example.com", 0 },
		{ "SIPS:proxy.example.com", 0, TRANSPORT_NONE, "proxy.example.com", 0 },
		{ "proxy.example.com;transport=sctp", -EINVAL, 0, NULL, 0 },
		{ "proxy.example.com:99999", -EINVAL, 0, NULL, 0 },
		{ "two words", -EINVAL, 0, NULL, 0 },
		{ "", -EINVAL, 0, NULL, 0 },
		{ "tel:+123", -EINVAL, 0, NULL, 0 },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct locate_target t = { 0 };

		check_row(&rows[i], locate_target_parse(slice_str(rows[i].text), &t), &t);
	}
}
END_TEST

int main(void)
{
	Suite *s = suite_create("ua/locate");
	TCase *tc = tcase_create("all");
	SRunner *r;
	int failed;

	tcase_add_loop_test(tc, selects_a_transport, 0, (int)ARRAY_LEN(transports));
	tcase_add_loop_test(tc, lives_with_what_is_there, 0, (int)ARRAY_LEN(trouble));
	tcase_add_test(tc, looks_up_target_by_target);
	tcase_add_test(tc, draws_by_weight);
	tcase_add_test(tc, passes_over_the_bad);
	tcase_add_test(tc, rivals_are_of_the_other_family);
	tcase_add_test(tc, cancelled_means_silent);
	tcase_add_test(tc, limits);
	tcase_add_test(tc, a_name_has_a_length);
	tcase_add_test(tc, what_a_uri_says);
	tcase_add_test(tc, what_an_outbound_proxy_says);
	suite_add_tcase(s, tc);
	r = srunner_create(s);
	srunner_run_all(r, CK_ENV);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
