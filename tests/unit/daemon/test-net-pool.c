/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Whose connection it is, ending it, and how long it may lie. */
#include <arpa/inet.h>
#include <check.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "protocol/base/mem.h"
#include "tests/unit/daemon/net-case.h"

/* ---- whose connection it is ---- */

/* One for each pool, registration flow and server: NULL is a pool of its own. */
START_TEST(pools_share_nothing)
{
	struct host_target target;
	int listener = net_peer_socket(SOCK_STREAM, &target), fds[4];
	struct flow *flows[4];
	static const struct {
		const char *pool;
		unsigned reg_id;
	} whose[] = { { NULL, 0 }, { "alice", 0 }, { "@office", 0 }, { "alice", 2 } };

	for (size_t i = 0; i < ARRAY_LEN(whose); i++) {
		target.pool = whose[i].pool;
		target.reg_id = whose[i].reg_id;
		flows[i] = net_connection(&target, listener, &fds[i]);
	}
	for (size_t i = 0; i < ARRAY_LEN(whose); i++) {
		target.pool = whose[i].pool;
		target.reg_id = whose[i].reg_id;
		ck_assert_ptr_eq(net_open(net, &target), flows[i]);
		for (size_t k = 0; k < i; k++)
			ck_assert_uint_ne(flows[i]->id, flows[k]->id);
	}
	ck_assert_uint_eq(net->counters.connections_out, ARRAY_LEN(whose));
	for (size_t i = 0; i < ARRAY_LEN(whose); i++) {
		flow_unref(flows[i]);
		(void)close(fds[i]);
	}
	(void)close(listener);
}
END_TEST

START_TEST(opening_connection_is_shared)
{
	struct host_target target;
	int listener = net_peer_socket(SOCK_STREAM, &target);
	struct flow *f;

	target.pool = "@office";
	f = flow_ref(net_open(net, &target));
	ck_assert_int_eq(f->state, FLOW_OPENING);
	ck_assert_ptr_eq(net_open(net, &target), f);
	flow_unref(f);
	(void)close(listener);
}
END_TEST

/* What broke is nobody's any more, even before the core was told. */
START_TEST(broken_connection_leaves_its_pool)
{
	struct host_target target;
	int listener = net_peer_socket(SOCK_STREAM, &target), fd;
	struct flow *f;

	target.pool = "alice";
	f = net_connection(&target, listener, &fd);
	flow_close(f, "asked to");
	ck_assert_int_eq(f->state, FLOW_UP);
	ck_assert_ptr_ne(net_open(net, &target), f);
	net_turn();
	ck_assert_int_eq(f->state, FLOW_DOWN);
	ck_assert_str_eq(container_of(f, struct net_flow, flow)->reason, "asked to");
	flow_unref(f);
	(void)close(fd);
	(void)close(listener);
}
END_TEST

/* ---- ending it, and how long it may lie ---- */

START_TEST(closing_sends_what_was_queued)
{
	struct host_target target;
	int listener = net_peer_socket(SOCK_STREAM, &target), fd;
	struct flow *f = net_connection(&target, listener, &fd);

	flow_send(f, SLICE("last words"));
	flow_close(f, "asked to");
	flow_close(f, "twice");
	net_turn();
	ck_assert_str_eq(net_hear(fd), "last words");
	ck_assert_str_eq(net_hear(fd), ""); /* the end */
	ck_assert_int_eq(f->state, FLOW_DOWN);
	flow_unref(f);
	(void)close(fd);
	(void)close(listener);
}
END_TEST

START_TEST(closing_while_it_opens)
{
	struct host_target target;
	int listener = net_peer_socket(SOCK_STREAM, &target);
	struct flow *f = flow_ref(net_open(net, &target));

	flow_close(f, "asked to");
	ck_assert_int_eq(f->state, FLOW_OPENING);
	net_turn();
	ck_assert_int_eq(f->state, FLOW_DOWN);
	flow_unref(f);
	(void)close(listener);
}
END_TEST

START_TEST(idle_time_of_one_connection)
{
	struct host_target target;
	int listener = net_peer_socket(SOCK_STREAM, &target), fd, fd2;
	struct flow *f = net_connection(&target, listener, &fd), *g;

	target.pool = "other";
	g = net_connection(&target, listener, &fd2);
	f->ops->set_idle(f, 5 * USEC_PER_SEC);
	g->ops->set_idle(g, 0);
	net_skip(60 * USEC_PER_SEC);
	ck_assert_int_eq(f->state, FLOW_UP); /* in use */
	flow_unref(f);
	net_skip(64 * USEC_PER_SEC);
	ck_assert_uint_eq(net->targets.n, 2);
	net_skip(66 * USEC_PER_SEC);
	ck_assert_uint_eq(net->targets.n, 1);
	flow_unref(g);
	net_skip(100000 * USEC_PER_SEC);
	ck_assert_uint_eq(net->targets.n, 1); /* for ever */
	(void)close(fd);
	(void)close(fd2);
	(void)close(listener);
}
END_TEST

START_TEST(udp_close_and_idle)
{
	struct host_target target, other;
	int fd = net_peer_socket(SOCK_DGRAM, &target), there = net_peer_socket(SOCK_DGRAM, &other);
	struct flow *f = flow_ref(net_open(net, &target)), *g = flow_ref(net_open(net, &other));

	flow_close(f, "asked to");
	ck_assert_int_eq(f->state, FLOW_UP);
	net_turn();
	ck_assert_int_eq(f->state, FLOW_DOWN);
	g->ops->set_idle(g, 3600 * USEC_PER_SEC);
	flow_unref(f);
	flow_unref(g);
	net_skip(NET_UDP_IDLE * 2);
	net_skip(NET_UDP_IDLE * 4);
	ck_assert_uint_eq(net->flows.n, 1);
	net_skip(3700 * USEC_PER_SEC);
	ck_assert_uint_eq(net->flows.n, 0);
	(void)close(fd);
	(void)close(there);
}
END_TEST

/* ---- registration flows of datagrams, RFC 5626 section 4.2 ---- */

static size_t count_sockets(void)
{
	size_t n = 0;

	list_for_each (node, &net->sockets)
		n++;
	return n;
}

/* To one registrar address flows differ by where they come from: each has a port of its own. */
START_TEST(udp_flows_have_own_sockets)
{
	static const struct {
		const char *pool;
		unsigned reg_id;
	} whose[] = { { "alice", 1 }, { "alice", 2 }, { "alice", 3 }, { "bob", 2 }, { NULL, 2 } };
	struct host_target target;
	int fd = net_peer_socket(SOCK_DGRAM, &target);
	struct flow *flows[ARRAY_LEN(whose)];

	for (size_t i = 0; i < ARRAY_LEN(whose); i++) {
		target.pool = whose[i].pool;
		target.reg_id = whose[i].reg_id;
		flows[i] = flow_ref(net_open(net, &target));
		ck_assert_int_eq(flows[i]->state, FLOW_UP);
		ck_assert_ptr_eq(net_open(net, &target), flows[i]);
		for (size_t k = 0; k < i; k++)
			ck_assert_uint_ne(flows[i]->local.port, flows[k]->local.port);
	}
	ck_assert_uint_eq(count_sockets(), ARRAY_LEN(whose));
	/* What is nobody's flow leaves from the common socket, as the first does. */
	target.pool = "alice";
	target.reg_id = 0;
	ck_assert_ptr_eq(net_open(net, &target), flows[0]);
	for (size_t i = 0; i < ARRAY_LEN(whose); i++)
		flow_unref(flows[i]);
	(void)close(fd);
}
END_TEST

/* What the peer sends there comes in over the flow, and is answered from there (section 8). */
START_TEST(udp_own_socket_receives)
{
	static const char binding_request[20] = "\0\1\0\0\x21\x12\xa4\x42zzzzzzzzzzzz";
	struct sockaddr_in at = { .sin_family = AF_INET, .sin_addr = { htonl(INADDR_LOOPBACK) } };
	struct host_target target;
	int fd = net_peer_socket(SOCK_DGRAM, &target);
	struct flow *f;

	target.pool = "alice";
	target.reg_id = 2;
	f = flow_ref(net_open(net, &target));
	at.sin_port = htons(f->local.port);
	ck_assert_int_eq(sendto(fd, binding_request, sizeof(binding_request), 0,
				 (const struct sockaddr *)&at, sizeof(at)),
		(ssize_t)sizeof(binding_request));
	net_turn();
	ck_assert_uint_eq(net->flows.n, 1);
	ck_assert_uint_eq(f->n_sent, 1);
	ck_assert_int_eq(memcmp(net_hear(fd), "\1\1", 2), 0);
	flow_unref(f);
	(void)close(fd);
}
END_TEST

/* The socket goes with its last flow, and a flow that failed is not found any more. */
START_TEST(udp_own_socket_closes)
{
	struct host_target target;
	int fd = net_peer_socket(SOCK_DGRAM, &target);
	struct flow *f, *g;

	target.pool = "alice";
	target.reg_id = 2;
	f = flow_ref(net_open(net, &target));
	flow_close(f, "no pong");
	g = flow_ref(net_open(net, &target));
	ck_assert_ptr_ne(g, f);
	ck_assert_uint_ne(g->local.port, f->local.port);
	net_turn();
	ck_assert_int_eq(f->state, FLOW_DOWN);
	flow_unref(f);
	net_turn();
	ck_assert_uint_eq(count_sockets(), 1);
	ck_assert_int_eq(g->state, FLOW_UP);
	flow_unref(g);
	net_skip(NET_UDP_IDLE * 2);
	net_skip(NET_UDP_IDLE * 4);
	ck_assert_uint_eq(net->flows.n, 0);
	ck_assert_uint_eq(count_sockets(), 0);
	(void)close(fd);
}
END_TEST

static void add_tests(TCase *tc)
{
	tcase_add_test(tc, pools_share_nothing);
	tcase_add_test(tc, opening_connection_is_shared);
	tcase_add_test(tc, broken_connection_leaves_its_pool);
	tcase_add_test(tc, closing_sends_what_was_queued);
	tcase_add_test(tc, closing_while_it_opens);
	tcase_add_test(tc, idle_time_of_one_connection);
	tcase_add_test(tc, udp_close_and_idle);
	tcase_add_test(tc, udp_flows_have_own_sockets);
	tcase_add_test(tc, udp_own_socket_receives);
	tcase_add_test(tc, udp_own_socket_closes);
}

int main(void)
{
	Suite *s = suite_create("net-pool");
	TCase *tc = tcase_create("net-pool");
	SRunner *sr = srunner_create(s);
	int failed;

	tcase_add_checked_fixture(tc, net_set_up, net_tear_down);
	tcase_set_timeout(tc, 120);
	add_tests(tc);
	suite_add_tcase(s, tc);
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
