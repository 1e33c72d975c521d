/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The sockets' limits and clocks: real sockets on loopback, time as the test says. */
#include <arpa/inet.h>
#include <check.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "conf/daemon-conf.h"
#include "daemon/loop.h"
#include "protocol/base/mem.h"
#include "protocol/ua/profile.h"
#include "protocol/ua/ua.h"
#include "tests/unit/daemon/net-case.h"

/* ---- keep-alive, RFC 5626 section 4.4.1 ---- */

START_TEST(ping_is_sent_in_silence)
{
	struct host_target target;
	int listener = net_peer_socket(SOCK_STREAM, &target), fd;
	struct flow *f = net_connection(&target, listener, &fd);

	net_skip(94 * USEC_PER_SEC);
	ck_assert_str_eq(net_hear(fd), "");
	net_skip(121 * USEC_PER_SEC);
	ck_assert_str_eq(net_hear(fd), "\r\n\r\n");
	/* It never answered one: silence may be its habit. */
	net_skip(400 * USEC_PER_SEC);
	net_skip(500 * USEC_PER_SEC);
	ck_assert_int_eq(f->state, FLOW_UP);
	flow_unref(f);
	(void)close(fd);
	(void)close(listener);
}
END_TEST

START_TEST(ping_without_answer_ends_the_flow)
{
	struct host_target target;
	int listener = net_peer_socket(SOCK_STREAM, &target), fd;
	struct flow *f = net_connection(&target, listener, &fd);

	/* The second ping finds that the first was answered. */
	net_skip(121 * USEC_PER_SEC);
	ck_assert_int_eq(send(fd, "\r\n", 2, 0), 2);
	net_turn();
	net_skip(121 * USEC_PER_SEC);
	ck_assert_int_eq(send(fd, "\r\n", 2, 0), 2);
	net_turn();
	ck_assert_int_eq(f->state, FLOW_UP);
	net_skip(121 * USEC_PER_SEC);
	ck_assert_int_eq(f->state, FLOW_UP);
	net_skip(131 * USEC_PER_SEC);
	ck_assert_int_eq(f->state, FLOW_DOWN);
	flow_unref(f);
	(void)close(fd);
	(void)close(listener);
}
END_TEST

/* ---- idle connections ---- */

START_TEST(connection_lingers)
{
	struct profile *p = profile_new();
	struct host_target target;
	int listener = net_peer_socket(SOCK_STREAM, &target), fd;
	struct flow *f;

	p->connection_linger = 60 * USEC_PER_SEC;
	target.profile = p;
	f = net_connection(&target, listener, &fd);
	flow_unref(f);
	net_skip(59 * USEC_PER_SEC);
	ck_assert_ptr_eq(net_open(net, &target), f); /* used again */
	net_skip(61 * USEC_PER_SEC);
	ck_assert_ptr_ne(net_open(net, &target), f);
	profile_unref(p);
	(void)close(fd);
	(void)close(listener);
}
END_TEST

START_TEST(used_connection_stays)
{
	struct host_target target;
	int listener = net_peer_socket(SOCK_STREAM, &target), fd;
	struct flow *f = net_connection(&target, listener, &fd);

	net_skip(3600 * USEC_PER_SEC);
	ck_assert_int_eq(f->state, FLOW_UP);
	ck_assert_ptr_eq(net_open(net, &target), f);
	flow_unref(f);
	(void)close(fd);
	(void)close(listener);
}
END_TEST

/* ---- what cannot be opened ---- */

START_TEST(nobody_listens)
{
	struct host_target target;
	int listener = net_peer_socket(SOCK_STREAM, &target);
	struct flow *f;

	(void)close(listener);
	f = flow_ref(net_open(net, &target));
	ck_assert_int_eq(f->state, FLOW_OPENING); /* never before open() has returned */
	net_turn();
	ck_assert_int_eq(f->state, FLOW_DOWN);
	flow_unref(f);
	net_turn();
}
END_TEST

START_TEST(nobody_answers)
{
	struct host_target target;
	int listener = net_peer_socket(SOCK_STREAM, &target), fillers[8];
	struct flow *f;

	/* A full queue of connections: the handshake hangs. */
	for (int i = 0; i < 8; i++) {
		struct sockaddr_in at = { .sin_family = AF_INET,
			.sin_port = htons(target.addr.port),
			.sin_addr = { htonl(INADDR_LOOPBACK) } };

		fillers[i] = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
		(void)connect(fillers[i], (struct sockaddr *)&at, sizeof(at));
	}
	f = flow_ref(net_open(net, &target));
	net_skip(14 * USEC_PER_SEC);
	ck_assert_int_eq(f->state, FLOW_OPENING);
	net_skip(16 * USEC_PER_SEC);
	ck_assert_int_eq(f->state, FLOW_DOWN);
	flow_unref(f);
	for (int i = 0; i < 8; i++)
		(void)close(fillers[i]);
	(void)close(listener);
}
END_TEST

static const struct host_target impossible[] = {
	{ .transport = TRANSPORT_UDP, .addr = { "example.com", 5060 } },
	{ .transport = TRANSPORT_UDP, .addr = { "127.0.0.1", 0 } },
	{ .transport = TRANSPORT_TCP, .addr = { "", 5060 } },
	{ .transport = TRANSPORT_NONE, .addr = { "127.0.0.1", 5060 } },
};

START_TEST(nothing_to_open)
{
	struct flow *f = flow_ref(net_open(net, &impossible[_i]));

	flow_send(f, SLICE("lost"));
	ck_assert_int_eq(f->state, FLOW_OPENING);
	net_turn();
	ck_assert_int_eq(f->state, FLOW_DOWN);
	/* Held for a moment by several, one after the other: buried once. */
	flow_unref(flow_ref(f));
	flow_unref(f);
	flow_unref(flow_ref(f));
	net_turn();
}
END_TEST

/* ---- UDP ---- */

START_TEST(udp_peers_are_shared_and_forgotten)
{
	struct host_target target;
	int fd = net_peer_socket(SOCK_DGRAM, &target);
	struct flow *f = flow_ref(net_open(net, &target));

	ck_assert_int_eq(f->state, FLOW_UP);
	ck_assert_str_eq(f->local.host, "127.0.0.1");
	ck_assert_uint_ne(f->local.port, 0);
	flow_send(f, SLICE("hello"));
	ck_assert_str_eq(net_hear(fd), "hello");
	ck_assert_ptr_eq(net_open(net, &target), f);
	net_skip(NET_UDP_IDLE * 2);
	ck_assert_uint_eq(net->flows.n, 1); /* in use */
	flow_unref(f);
	ck_assert_uint_eq(net->flows.n, 1);
	net_skip(NET_UDP_IDLE * 2);
	net_skip(NET_UDP_IDLE * 4);
	ck_assert_uint_eq(net->flows.n, 0);
	(void)close(fd);
}
END_TEST

START_TEST(udp_peers_are_limited)
{
	struct host_target target = { .transport = TRANSPORT_UDP, .addr = { "127.0.0.1", 1 } };
	struct flow *kept = flow_ref(net_open(net, &target));

	for (unsigned port = 2; port < NET_MAX_IDLE_FLOWS + 1000; port++) {
		target.addr.port = (uint16_t)port;
		(void)net_open(net, &target);
	}
	net_turn();
	ck_assert_uint_le(net->flows.n, NET_MAX_IDLE_FLOWS + 1);
	ck_assert_int_eq(kept->state, FLOW_UP);
	target.addr.port = 1;
	ck_assert_ptr_eq(net_open(net, &target), kept);
	flow_unref(kept);
}
END_TEST

START_TEST(udp_port_unreachable)
{
	struct host_target target, other;
	int fd = net_peer_socket(SOCK_DGRAM, &target), there = net_peer_socket(SOCK_DGRAM, &other);
	struct flow *gone = flow_ref(net_open(net, &target));
	struct flow *stays = flow_ref(net_open(net, &other));

	(void)close(fd);
	flow_send(gone, SLICE("anybody?"));
	flow_send(stays, SLICE("hello")); /* the error of the other must not hit this one */
	ck_assert_str_eq(net_hear(there), "hello");
	net_turn();
	ck_assert_int_eq(gone->state, FLOW_DOWN);
	ck_assert_int_eq(stays->state, FLOW_UP);
	ck_assert_ptr_ne(net_open(net, &target), gone);
	flow_unref(gone);
	flow_unref(stays);
	(void)close(there);
}
END_TEST

START_TEST(udp_too_large)
{
	struct host_target target;
	int fd = net_peer_socket(SOCK_DGRAM, &target);
	struct flow *f = flow_ref(net_open(net, &target));
	char *bytes = mem_zalloc(70000);

	flow_send(f, slice_of(bytes, 70000));
	net_turn();
	ck_assert_int_eq(f->state, FLOW_DOWN);
	flow_unref(f);
	free(bytes);
	(void)close(fd);
}
END_TEST

START_TEST(udp_beside)
{
	struct host_target target, other;
	int a = net_peer_socket(SOCK_DGRAM, &target), b = net_peer_socket(SOCK_DGRAM, &other);
	struct flow *f = flow_ref(net_open(net, &target)), *g;

	other.beside = f;
	g = flow_ref(net_open(net, &other));
	ck_assert(flow_addr_equal(&f->local, &g->local));
	flow_send(g, SLICE("x"));
	ck_assert_str_eq(net_hear(b), "x");
	flow_unref(f);
	flow_unref(g);
	(void)close(a);
	(void)close(b);
}
END_TEST

/* ---- connections of others ---- */

static uint16_t listen_tcp(void)
{
	char address[] = "127.0.0.1";
	struct daemon_listen l = { .transport = TRANSPORT_TCP,
		.address = address,
		.idle_timeout = 900 * USEC_PER_SEC,
		.first_message_timeout = 60 * USEC_PER_SEC };
	struct daemon_conf c = { .listens = &l, .n_listens = 1, .max_message_size = 1 << 20 };
	struct net_listening at;

	ck_assert_int_eq(net_configure(net, &c), 0);
	ck_assert_uint_eq(net_listening(net, &at, 1), 1);
	return at.at.port;
}

#define GOOD                                                                                \
	"OPTIONS sip:a@127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/TCP 127.0.0.1;branch=z9hG4bKa\r\n" \
	"To: <sip:a@h>\r\nFrom: <sip:b@h>;tag=1\r\nCall-ID: c\r\nCSeq: 1 OPTIONS\r\n"       \
	"Max-Forwards: 1\r\nContent-Length: "

START_TEST(message_has_to_end)
{
	int fd = net_stranger(listen_tcp(), INADDR_LOOPBACK);

	net_say(fd, GOOD "0\r\n\r\n"); /* proven: only the unfinished one counts now */
	ck_assert_str_ne(net_hear(fd), "");
	net_say(fd, "OPT");
	net_skip(59 * USEC_PER_SEC);
	ck_assert(!net_is_closed(fd));
	net_skip(61 * USEC_PER_SEC);
	ck_assert(net_is_closed(fd));
	(void)close(fd);
}
END_TEST

START_TEST(proven_connection_may_be_silent)
{
	int fd = net_stranger(listen_tcp(), INADDR_LOOPBACK);
	int unproven = net_stranger(listen_tcp(), INADDR_LOOPBACK);

	net_say(fd, GOOD "0\r\n\r\n");
	ck_assert_str_ne(net_hear(fd), "");
	net_say(fd, "\r\n"); /* half of a keep-alive is no message that has to end */
	net_say(unproven, "\r\n");
	net_skip(61 * USEC_PER_SEC);
	ck_assert(!net_is_closed(fd));
	ck_assert(net_is_closed(unproven));
	net_skip(901 * USEC_PER_SEC);
	net_skip(1000 * USEC_PER_SEC);
	ck_assert(net_is_closed(fd));
	(void)close(fd);
	(void)close(unproven);
}
END_TEST

/* NET_MAX_PARTIAL: who would hold more unfinished bytes than all may is closed, the others not. */
START_TEST(unfinished_bytes_are_limited)
{
	uint16_t port = listen_tcp();
	size_t size = 1000000, n = 0;
	char *bytes = mem_alloc(size);
	int fds[128];

	memset(bytes, 'x', size);
	do {
		fds[n] = net_stranger(port, INADDR_LOOPBACK + (uint32_t)n);
		net_say(fds[n], GOOD "1040000\r\n\r\n");
		for (size_t at = 0; at < size;) {
			ssize_t sent =
				send(fds[n], bytes + at, size - at, MSG_DONTWAIT | MSG_NOSIGNAL);

			at += sent > 0 ? (size_t)sent : 0;
			net_turn();
			if (net_is_closed(fds[n]))
				break;
		}
	} while (!net_is_closed(fds[n++]) && n < 128);
	ck_assert_uint_gt(n, 20);
	ck_assert_uint_lt(n, 128);
	ck_assert(!net_is_closed(fds[0]));
	ck_assert_uint_le(net->n_partial, NET_MAX_PARTIAL);
	while (n-- > 0)
		(void)close(fds[n]);
	net_turn();
	ck_assert_uint_eq(net->n_partial, 0);
	ck_assert_uint_eq(net->n_incoming, 0);
	ck_assert_uint_eq(net->peers.n, 0);
	free(bytes);
}
END_TEST

START_TEST(silence_of_a_reader_is_limited)
{
	struct host_target target;
	int listener = net_peer_socket(SOCK_STREAM, &target), fd;
	struct flow *f = net_connection(&target, listener, &fd);
	char *bytes = mem_zalloc(100000);
	unsigned sent = 0;

	while (container_of(f, struct net_flow, flow)->life == NET_ALIVE && sent++ < 1000)
		flow_send(f, slice_of(bytes, 100000));
	net_turn();
	ck_assert_int_eq(f->state, FLOW_DOWN);
	flow_unref(f);
	free(bytes);
	(void)close(fd);
	(void)close(listener);
}
END_TEST

/* A megabyte and more waits for the peer, or the flow has failed. */
static void fill_queue(struct flow *f, struct slice bytes)
{
	const struct net_flow *nf = container_of(f, struct net_flow, flow);
	size_t before = net->n_queued;

	while (nf->life == NET_ALIVE && net->n_queued < before + (1 << 20))
		flow_send(f, bytes);
}

/* NET_MAX_QUEUED_TOTAL: who would make us hold more is cut off, the others and readers are not. */
START_TEST(silence_of_readers_is_limited)
{
	enum { MANY = NET_MAX_QUEUED_TOTAL >> 20 };
	struct host_target target;
	struct flow *flows[MANY + 1], *reader;
	int listeners[MANY + 1], fds[MANY + 1], listener = net_peer_socket(SOCK_STREAM, &target),
						fd;
	char *bytes = mem_zalloc(100000);
	unsigned n = 0;

	reader = net_connection(&target, listener, &fd);
	do {
		listeners[n] = net_peer_socket(SOCK_STREAM, &target);
		flows[n] = net_connection(&target, listeners[n], &fds[n]);
		fill_queue(flows[n], slice_of(bytes, 100000));
		net_turn();
		ck_assert_uint_le(net->n_queued, NET_MAX_QUEUED_TOTAL);
	} while (flows[n++]->state == FLOW_UP && n <= MANY);
	ck_assert_uint_gt(n, NET_MAX_QUEUED_TOTAL / (2 * NET_MAX_QUEUED));
	ck_assert_int_eq(flows[n - 1]->state, FLOW_DOWN);
	ck_assert_int_eq(flows[n - 2]->state, FLOW_UP);
	ck_assert_int_eq(flows[0]->state, FLOW_UP);
	flow_send(reader, SLICE("hello"));
	ck_assert_str_eq(net_hear(fd), "hello");
	while (n-- > 0) {
		(void)close(fds[n]);
		(void)close(listeners[n]);
		net_turn();
		ck_assert_int_eq(flows[n]->state, FLOW_DOWN);
		flow_unref(flows[n]);
	}
	ck_assert_uint_eq(net->n_queued, 0);
	flow_unref(reader);
	free(bytes);
	(void)close(fd);
	(void)close(listener);
}
END_TEST

static void add_tests(TCase *tc)
{
	tcase_add_test(tc, ping_is_sent_in_silence);
	tcase_add_test(tc, ping_without_answer_ends_the_flow);
	tcase_add_test(tc, connection_lingers);
	tcase_add_test(tc, used_connection_stays);
	tcase_add_test(tc, nobody_listens);
	tcase_add_test(tc, nobody_answers);
	tcase_add_loop_test(tc, nothing_to_open, 0, (int)ARRAY_LEN(impossible));
	tcase_add_test(tc, udp_peers_are_shared_and_forgotten);
	tcase_add_test(tc, udp_peers_are_limited);
	tcase_add_test(tc, udp_port_unreachable);
	tcase_add_test(tc, udp_too_large);
	tcase_add_test(tc, udp_beside);
	tcase_add_test(tc, message_has_to_end);
	tcase_add_test(tc, proven_connection_may_be_silent);
	tcase_add_test(tc, unfinished_bytes_are_limited);
	tcase_add_test(tc, silence_of_a_reader_is_limited);
	tcase_add_test(tc, silence_of_readers_is_limited);
}

int main(void)
{
	Suite *s = suite_create("net");
	TCase *tc = tcase_create("net");
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
