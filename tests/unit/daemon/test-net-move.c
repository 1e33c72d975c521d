/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Flows when the machine moves or slept. */
#include <arpa/inet.h>
#include <check.h>
#include <errno.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "daemon/loop.h"
#include "daemon/net-conn.h"
#include "protocol/base/mem.h"
#include "protocol/ua/endpoint.h"
#include "tests/unit/daemon/net-case.h"

static struct net_flow *of(struct flow *f)
{
	return container_of(f, struct net_flow, flow);
}

/* As if that had been the flow's own address from the beginning. */
static void pretend(struct flow *f, const char *address)
{
	(void)inet_pton(AF_INET, address, &of(f)->local.v4.sin_addr);
	net_addr_show(&of(f)->local, &f->local);
}

static struct flow *hold(struct flow *f)
{
	return flow_ref(f);
}

START_TEST(addresses_that_are_ours)
{
	const struct {
		const char *text;
		bool ours;
	} rows[] = {
		{ "127.0.0.1", true },
		{ "127.9.9.9", true },
		{ "192.0.2.1", false },
		{ "2001:db8::1", false },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct flow_addr text = { .port = 5060 };
		struct net_addr a;

		(void)snprintf(text.host, sizeof(text.host), "%s", rows[i].text);
		ck_assert(net_addr_parse(&text, &a));
		if (a.sa.sa_family == AF_INET || access("/proc/net/if_inet6", F_OK) == 0)
			ck_assert_int_eq(net_addr_is_ours(&a), rows[i].ours);
	}
}
END_TEST

/* RFC 4007 section 11: an address of one link is known with that link, and told to nobody else. */
START_TEST(rfc4007_11_scope)
{
	static const char *const good[] = { "fe80::1%lo", "fe80::1%1" }, *const bad[] = {
		"fe80::1%", "fe80::1%nosuch0", "fe80::1%0", "fe80::1%1x", "fe80::1%4294967297",
		"fe80::1%lo%lo", "%lo", "::1%lo", "2001:db8::1%lo", "127.0.0.1%lo"
	};
	struct flow_addr text = { .port = 5060 }, shown;
	struct net_addr a, plain, other;

	ck_assert_uint_eq(if_nametoindex("lo"), 1);
	for (size_t i = 0; i < ARRAY_LEN(good); i++) {
		(void)snprintf(text.host, sizeof(text.host), "%s", good[i]);
		ck_assert_msg(net_addr_parse(&text, &a), "%s", good[i]);
		ck_assert_uint_eq(a.v6.sin6_scope_id, 1);
		net_addr_show_scoped(&a, &shown);
		ck_assert_str_eq(shown.host, "fe80::1%lo");
		ck_assert(slice_eq(flow_addr_host(&shown), SLICE("fe80::1")));
		net_addr_show(&a, &shown);
		ck_assert_str_eq(shown.host, "fe80::1");
		ck_assert(net_addr_parse(&shown, &plain));
		ck_assert_uint_eq(plain.v6.sin6_scope_id, 0);
		ck_assert(net_addr_same_host(&a, &plain));
		other = a;
		other.v6.sin6_scope_id = 2;
		ck_assert(!net_addr_same_host(&a, &other));
	}
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		(void)snprintf(text.host, sizeof(text.host), "%s", bad[i]);
		ck_assert_msg(!net_addr_parse(&text, &a), "%s", bad[i]);
	}
}
END_TEST

/* The one that is gone takes its flows with it, at once and with the reason; others stay. */
START_TEST(address_is_gone)
{
	struct host_target udp, tcp;
	int peer = net_peer_socket(SOCK_DGRAM, &udp), far;
	int listener = net_peer_socket(SOCK_STREAM, &tcp);
	struct flow *connection = net_connection(&tcp, listener, &far);
	struct flow *datagrams = hold(net_open(net, &udp));

	net_moved(net);
	ck_assert_int_eq(connection->state, FLOW_UP);
	ck_assert_int_eq(datagrams->state, FLOW_UP);
	pretend(datagrams, "192.0.2.1");
	net_moved(net);
	ck_assert_int_eq(datagrams->state, FLOW_DOWN);
	ck_assert_str_eq(of(datagrams)->reason, "the address 192.0.2.1 is gone");
	ck_assert_int_eq(connection->state, FLOW_UP);
	pretend(connection, "192.0.2.1");
	net_moved(net);
	ck_assert_int_eq(connection->state, FLOW_DOWN);
	ck_assert_str_eq(of(connection)->reason, "the address 192.0.2.1 is gone");
	flow_unref(connection);
	flow_unref(datagrams);
	net_turn();
	ck_assert(list_is_empty(&net->alive));
	(void)close(far);
	(void)close(listener);
	(void)close(peer);
}
END_TEST

static struct endpoint *endpoint_over(struct flow *f)
{
	struct profile *p = profile_new();
	const struct endpoint_config c = { .profile = p };
	struct endpoint *ep;

	p->name = mem_strdup("alice");
	p->uri = mem_strdup("sip:alice@example.com");
	p->kind = PROFILE_PEER_TO_PEER;
	ck_assert_int_eq(endpoint_new(net_ua, &c, &ep), 0);
	profile_unref(p);
	endpoint_set_flow(ep, f);
	return ep;
}

/* Still ours, but not where packets to that peer leave from: what an endpoint keeps moves. */
START_TEST(better_way)
{
	struct host_target udp;
	int peer = net_peer_socket(SOCK_DGRAM, &udp);
	struct flow *f = hold(net_open(net, &udp));
	struct endpoint *ep;

	pretend(f, "127.0.0.9");
	net_moved(net);
	ck_assert_int_eq(f->state, FLOW_UP); /* a peer found us there */
	ep = endpoint_over(f);
	net_moved(net);
	ck_assert_int_eq(f->state, FLOW_DOWN);
	ck_assert_str_eq(of(f)->reason, "the way to 127.0.0.1 begins at 127.0.0.1 now");
	ck_assert_ptr_null(ep->flow);
	endpoint_free(ep);
	flow_unref(f);
	net_turn();
	(void)close(peer);
}
END_TEST

/* No route and no address is something else than a peer that is not there. */
START_TEST(no_way)
{
	struct host_target t = { .transport = TRANSPORT_UDP, .addr = { .port = 5060 } };
	struct flow *f;

	(void)snprintf(t.addr.host, sizeof(t.addr.host), "%s", "2001:db8::99");
	f = hold(net_open(net, &t));
	net_turn();
	ck_assert(f->state == FLOW_UP || f->no_way);
	flow_unref(f);
	ck_assert(net_addr_is_no_way(ENETUNREACH));
	ck_assert(!net_addr_is_no_way(ECONNREFUSED));
	net_turn();
}
END_TEST

/* A connection that is needed is asked at once; one that nobody needs is let lie. */
START_TEST(awake)
{
	struct host_target t;
	int listener = net_peer_socket(SOCK_STREAM, &t), far;
	struct flow *f = net_connection(&t, listener, &far);

	net_skip(USEC_PER_SEC);
	ck_assert_str_eq(net_hear(far), "");
	net_resumed(net);
	net_skip(1);
	ck_assert_str_eq(net_hear(far), "\r\n\r\n");
	flow_unref(f);
	net_resumed(net);
	net_skip(1);
	ck_assert_str_eq(net_hear(far), "");
	(void)close(far);
	(void)close(listener);
}
END_TEST

static unsigned n_resumed;

static void on_resume(void *ctx)
{
	n_resumed++;
	loop_quit(ctx);
}

/* CLOCK_BOOTTIME has gone on without CLOCK_MONOTONIC. */
START_TEST(notices_sleep)
{
	net_loop.on_resume = on_resume;
	net_loop.on_resume_ctx = &net_loop;
	net_loop.slept -= 3 * USEC_PER_SEC;
	timer_arm(&net_loop.timers, &net->work, 1); /* so that the loop turns */
	ck_assert_int_eq(loop_run(&net_loop), 0);
	ck_assert_uint_eq(n_resumed, 1);
}
END_TEST

/* Configured before it is there: open all the same, and so at once when it comes (IP_FREEBIND). */
START_TEST(listener_without_address)
{
	struct net_socket as = { .transport = TRANSPORT_TCP };
	struct flow_addr text = { .host = "192.0.2.1" };
	struct net_listening at;

	ck_assert(net_addr_parse(&text, &as.asked));
	ck_assert_int_eq(net_listen(net, &as), 0);
	ck_assert_uint_eq(net_listening(net, &at, 1), 1);
	ck_assert_str_eq(at.at.host, "192.0.2.1");
	ck_assert_uint_ne(at.at.port, 0);
}
END_TEST

int main(void)
{
	const TTest *const tests[] = { addresses_that_are_ours, rfc4007_11_scope, address_is_gone,
		better_way, no_way, awake, notices_sleep, listener_without_address };
	Suite *s = suite_create("net-move");
	TCase *tc = tcase_create("net-move");
	SRunner *sr = srunner_create(s);
	int failed;

	tcase_add_checked_fixture(tc, net_set_up, net_tear_down);
	tcase_set_timeout(tc, 120);
	for (size_t i = 0; i < ARRAY_LEN(tests); i++)
		tcase_add_test(tc, tests[i]);
	suite_add_tcase(s, tc);
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
