/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The sockets' limits and clocks: real sockets on loopback, time as the test says. */
#include <arpa/inet.h>
#include <check.h>
#include <event2/event.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "conf/daemon-conf.h"
#include "daemon/loop.h"
#include "daemon/net-flow.h"
#include "daemon/net.h"
#include "daemon/random.h"
#include "protocol/base/log.h"
#include "protocol/base/mem.h"
#include "protocol/ua/host.h"
#include "protocol/ua/profile.h"
#include "protocol/ua/ua.h"

static struct loop loop;
static struct net *net;
static struct ua *ua;
static const struct log_sink sink;

static void fill(void *ctx, void *out, size_t n)
{
	(void)ctx;
	random_fill(out, n);
}

static const struct host_ops ops = { .random = fill };
static const struct host host = { .ops = &ops };

static void set_up(void)
{
	ck_assert_int_eq(loop_init(&loop, &sink), 0);
	net = net_new(&loop, &sink);
	ua = loop.ua = ua_new(&host, loop_now());
}

static void tear_down(void)
{
	loop.ua = NULL;
	ua_free(ua);
	net_free(net);
	loop_deinit(&loop);
}

/* Lets sockets and deadlines run as they would now. */
static void turn(void)
{
	for (int i = 0; i < 20; i++) {
		(void)event_base_loop(loop.base, EVLOOP_NONBLOCK);
		timerq_run(&loop.timers, loop_now());
	}
}

/* The deadlines of `later` microseconds from now have come. */
static void skip(usec_t later)
{
	timerq_run(&loop.timers, loop_now() + later);
	timerq_run(&loop.timers, loop_now() + later + 10); /* what was put off by loop_soon() */
	turn();
}

/* A listening or bound socket of our own on 127.0.0.1. */
static int peer_socket(int type, struct host_target *ret_target)
{
	struct sockaddr_in at = { .sin_family = AF_INET, .sin_addr = { htonl(INADDR_LOOPBACK) } };
	socklen_t n = sizeof(at);
	int fd = socket(AF_INET, type, 0);

	ck_assert_int_eq(bind(fd, (struct sockaddr *)&at, sizeof(at)), 0);
	if (type == SOCK_STREAM)
		ck_assert_int_eq(listen(fd, 0), 0);
	ck_assert_int_eq(getsockname(fd, (struct sockaddr *)&at, &n), 0);
	*ret_target = (struct host_target){
		.transport = type == SOCK_STREAM ? TRANSPORT_TCP : TRANSPORT_UDP,
		.addr = { .host = "127.0.0.1", .port = ntohs(at.sin_port) },
	};
	return fd;
}

/* What comes within reason; "" if nothing does. */
static const char *hear(int fd)
{
	static char text[256];
	struct pollfd p = { .fd = fd, .events = POLLIN };
	ssize_t n = poll(&p, 1, 0) == 1 ? recv(fd, text, sizeof(text) - 1, 0) : 0;

	text[n > 0 ? n : 0] = '\0';
	return text;
}

/* A connection that we opened and the peer's end of it; the flow is ours to give back. */
static struct flow *connection(const struct host_target *target, int listener, int *ret_fd)
{
	struct flow *f = flow_ref(net_open(net, target));

	ck_assert_int_eq(f->state, FLOW_OPENING);
	*ret_fd = accept(listener, NULL, NULL);
	turn();
	ck_assert_int_eq(f->state, FLOW_UP);
	return f;
}

/* ---- keep-alive, RFC 5626 section 4.4.1 ---- */

START_TEST(ping_is_sent_in_silence)
{
	struct host_target target;
	int listener = peer_socket(SOCK_STREAM, &target), fd;
	struct flow *f = connection(&target, listener, &fd);

	skip(94 * USEC_PER_SEC);
	ck_assert_str_eq(hear(fd), "");
	skip(121 * USEC_PER_SEC);
	ck_assert_str_eq(hear(fd), "\r\n\r\n");
	/* It never answered one: silence may be its habit. */
	skip(400 * USEC_PER_SEC);
	skip(500 * USEC_PER_SEC);
	ck_assert_int_eq(f->state, FLOW_UP);
	flow_unref(f);
	(void)close(fd);
	(void)close(listener);
}
END_TEST

START_TEST(ping_without_answer_ends_the_flow)
{
	struct host_target target;
	int listener = peer_socket(SOCK_STREAM, &target), fd;
	struct flow *f = connection(&target, listener, &fd);

	/* The second ping finds that the first was answered. */
	skip(121 * USEC_PER_SEC);
	ck_assert_int_eq(send(fd, "\r\n", 2, 0), 2);
	turn();
	skip(121 * USEC_PER_SEC);
	ck_assert_int_eq(send(fd, "\r\n", 2, 0), 2);
	turn();
	ck_assert_int_eq(f->state, FLOW_UP);
	skip(121 * USEC_PER_SEC);
	ck_assert_int_eq(f->state, FLOW_UP);
	skip(131 * USEC_PER_SEC);
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
	int listener = peer_socket(SOCK_STREAM, &target), fd;
	struct flow *f;

	p->connection_linger = 60 * USEC_PER_SEC;
	target.profile = p;
	f = connection(&target, listener, &fd);
	flow_unref(f);
	skip(59 * USEC_PER_SEC);
	ck_assert_ptr_eq(net_open(net, &target), f); /* used again */
	skip(61 * USEC_PER_SEC);
	ck_assert_ptr_ne(net_open(net, &target), f);
	profile_unref(p);
	(void)close(fd);
	(void)close(listener);
}
END_TEST

START_TEST(used_connection_stays)
{
	struct host_target target;
	int listener = peer_socket(SOCK_STREAM, &target), fd;
	struct flow *f = connection(&target, listener, &fd);

	skip(3600 * USEC_PER_SEC);
	ck_assert_int_eq(f->state, FLOW_UP);
	ck_assert_ptr_eq(net_open(net, &target), f);
	flow_unref(f);
	(void)close(fd);
	(void)close(listener);
}
END_TEST

/* ---- whose connection it is ---- */

/* One for each pool, registration flow and server: NULL is a pool of its own. */
START_TEST(pools_share_nothing)
{
	struct host_target target;
	int listener = peer_socket(SOCK_STREAM, &target), fds[4];
	struct flow *flows[4];
	static const struct {
		const char *pool;
		unsigned reg_id;
	} whose[] = { { NULL, 0 }, { "alice", 0 }, { "@office", 0 }, { "alice", 2 } };

	for (size_t i = 0; i < ARRAY_LEN(whose); i++) {
		target.pool = whose[i].pool;
		target.reg_id = whose[i].reg_id;
		flows[i] = connection(&target, listener, &fds[i]);
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
	int listener = peer_socket(SOCK_STREAM, &target);
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
	int listener = peer_socket(SOCK_STREAM, &target), fd;
	struct flow *f;

	target.pool = "alice";
	f = connection(&target, listener, &fd);
	flow_close(f, "asked to");
	ck_assert_int_eq(f->state, FLOW_UP);
	ck_assert_ptr_ne(net_open(net, &target), f);
	turn();
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
	int listener = peer_socket(SOCK_STREAM, &target), fd;
	struct flow *f = connection(&target, listener, &fd);

	flow_send(f, SLICE("last words"));
	flow_close(f, "asked to");
	flow_close(f, "twice");
	turn();
	ck_assert_str_eq(hear(fd), "last words");
	ck_assert_str_eq(hear(fd), ""); /* the end */
	ck_assert_int_eq(f->state, FLOW_DOWN);
	flow_unref(f);
	(void)close(fd);
	(void)close(listener);
}
END_TEST

START_TEST(closing_while_it_opens)
{
	struct host_target target;
	int listener = peer_socket(SOCK_STREAM, &target);
	struct flow *f = flow_ref(net_open(net, &target));

	flow_close(f, "asked to");
	ck_assert_int_eq(f->state, FLOW_OPENING);
	turn();
	ck_assert_int_eq(f->state, FLOW_DOWN);
	flow_unref(f);
	(void)close(listener);
}
END_TEST

START_TEST(idle_time_of_one_connection)
{
	struct host_target target;
	int listener = peer_socket(SOCK_STREAM, &target), fd, fd2;
	struct flow *f = connection(&target, listener, &fd), *g;

	target.pool = "other";
	g = connection(&target, listener, &fd2);
	f->ops->set_idle(f, 5 * USEC_PER_SEC);
	g->ops->set_idle(g, 0);
	skip(60 * USEC_PER_SEC);
	ck_assert_int_eq(f->state, FLOW_UP); /* in use */
	flow_unref(f);
	skip(64 * USEC_PER_SEC);
	ck_assert_uint_eq(net->targets.n, 2);
	skip(66 * USEC_PER_SEC);
	ck_assert_uint_eq(net->targets.n, 1);
	flow_unref(g);
	skip(100000 * USEC_PER_SEC);
	ck_assert_uint_eq(net->targets.n, 1); /* for ever */
	(void)close(fd);
	(void)close(fd2);
	(void)close(listener);
}
END_TEST

/* ---- what cannot be opened ---- */

START_TEST(nobody_listens)
{
	struct host_target target;
	int listener = peer_socket(SOCK_STREAM, &target);
	struct flow *f;

	(void)close(listener);
	f = flow_ref(net_open(net, &target));
	ck_assert_int_eq(f->state, FLOW_OPENING); /* never before open() has returned */
	turn();
	ck_assert_int_eq(f->state, FLOW_DOWN);
	flow_unref(f);
	turn();
}
END_TEST

START_TEST(nobody_answers)
{
	struct host_target target;
	int listener = peer_socket(SOCK_STREAM, &target), fillers[8];
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
	skip(14 * USEC_PER_SEC);
	ck_assert_int_eq(f->state, FLOW_OPENING);
	skip(16 * USEC_PER_SEC);
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
	{ .transport = TRANSPORT_TLS, .addr = { "127.0.0.1", 5061 } },
	{ .transport = TRANSPORT_NONE, .addr = { "127.0.0.1", 5060 } },
};

START_TEST(nothing_to_open)
{
	struct flow *f = flow_ref(net_open(net, &impossible[_i]));

	flow_send(f, SLICE("lost"));
	ck_assert_int_eq(f->state, FLOW_OPENING);
	turn();
	ck_assert_int_eq(f->state, FLOW_DOWN);
	/* Held for a moment by several, one after the other: buried once. */
	flow_unref(flow_ref(f));
	flow_unref(f);
	flow_unref(flow_ref(f));
	turn();
}
END_TEST

/* ---- UDP ---- */

START_TEST(udp_peers_are_shared_and_forgotten)
{
	struct host_target target;
	int fd = peer_socket(SOCK_DGRAM, &target);
	struct flow *f = flow_ref(net_open(net, &target));

	ck_assert_int_eq(f->state, FLOW_UP);
	ck_assert_str_eq(f->local.host, "127.0.0.1");
	ck_assert_uint_ne(f->local.port, 0);
	flow_send(f, SLICE("hello"));
	ck_assert_str_eq(hear(fd), "hello");
	ck_assert_ptr_eq(net_open(net, &target), f);
	skip(NET_UDP_IDLE * 2);
	ck_assert_uint_eq(net->flows.n, 1); /* in use */
	flow_unref(f);
	ck_assert_uint_eq(net->flows.n, 1);
	skip(NET_UDP_IDLE * 2);
	skip(NET_UDP_IDLE * 4);
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
	turn();
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
	int fd = peer_socket(SOCK_DGRAM, &target), there = peer_socket(SOCK_DGRAM, &other);
	struct flow *gone = flow_ref(net_open(net, &target));
	struct flow *stays = flow_ref(net_open(net, &other));

	(void)close(fd);
	flow_send(gone, SLICE("anybody?"));
	flow_send(stays, SLICE("hello")); /* the error of the other must not hit this one */
	ck_assert_str_eq(hear(there), "hello");
	turn();
	ck_assert_int_eq(gone->state, FLOW_DOWN);
	ck_assert_int_eq(stays->state, FLOW_UP);
	ck_assert_ptr_ne(net_open(net, &target), gone);
	flow_unref(gone);
	flow_unref(stays);
	(void)close(there);
}
END_TEST

START_TEST(udp_close_and_idle)
{
	struct host_target target, other;
	int fd = peer_socket(SOCK_DGRAM, &target), there = peer_socket(SOCK_DGRAM, &other);
	struct flow *f = flow_ref(net_open(net, &target)), *g = flow_ref(net_open(net, &other));

	flow_close(f, "asked to");
	ck_assert_int_eq(f->state, FLOW_UP);
	turn();
	ck_assert_int_eq(f->state, FLOW_DOWN);
	g->ops->set_idle(g, 3600 * USEC_PER_SEC);
	flow_unref(f);
	flow_unref(g);
	skip(NET_UDP_IDLE * 2);
	skip(NET_UDP_IDLE * 4);
	ck_assert_uint_eq(net->flows.n, 1);
	skip(3700 * USEC_PER_SEC);
	ck_assert_uint_eq(net->flows.n, 0);
	(void)close(fd);
	(void)close(there);
}
END_TEST

START_TEST(udp_too_large)
{
	struct host_target target;
	int fd = peer_socket(SOCK_DGRAM, &target);
	struct flow *f = flow_ref(net_open(net, &target));
	char *bytes = mem_zalloc(70000);

	flow_send(f, slice_of(bytes, 70000));
	turn();
	ck_assert_int_eq(f->state, FLOW_DOWN);
	flow_unref(f);
	free(bytes);
	(void)close(fd);
}
END_TEST

START_TEST(udp_beside)
{
	struct host_target target, other;
	int a = peer_socket(SOCK_DGRAM, &target), b = peer_socket(SOCK_DGRAM, &other);
	struct flow *f = flow_ref(net_open(net, &target)), *g;

	other.beside = f;
	g = flow_ref(net_open(net, &other));
	ck_assert(flow_addr_equal(&f->local, &g->local));
	flow_send(g, SLICE("x"));
	ck_assert_str_eq(hear(b), "x");
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

static int stranger(uint16_t port, uint32_t source)
{
	struct sockaddr_in at = { .sin_family = AF_INET, .sin_addr = { htonl(source) } };
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	ck_assert_int_eq(bind(fd, (struct sockaddr *)&at, sizeof(at)), 0);
	at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	at.sin_port = htons(port);
	ck_assert_int_eq(connect(fd, (struct sockaddr *)&at, sizeof(at)), 0);
	turn();
	return fd;
}

static bool is_closed(int fd)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };
	char byte;

	return poll(&p, 1, 0) == 1 && recv(fd, &byte, 1, MSG_PEEK) <= 0;
}

#define GOOD                                                                                \
	"OPTIONS sip:a@127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/TCP 127.0.0.1;branch=z9hG4bKa\r\n" \
	"To: <sip:a@h>\r\nFrom: <sip:b@h>;tag=1\r\nCall-ID: c\r\nCSeq: 1 OPTIONS\r\n"       \
	"Max-Forwards: 1\r\nContent-Length: "

static void say(int fd, const char *text)
{
	ck_assert_int_eq(send(fd, text, strlen(text), 0), (ssize_t)strlen(text));
	turn();
}

START_TEST(message_has_to_end)
{
	int fd = stranger(listen_tcp(), INADDR_LOOPBACK);

	say(fd, GOOD "0\r\n\r\n"); /* proven: only the unfinished one counts now */
	ck_assert_str_ne(hear(fd), "");
	say(fd, "OPT");
	skip(59 * USEC_PER_SEC);
	ck_assert(!is_closed(fd));
	skip(61 * USEC_PER_SEC);
	ck_assert(is_closed(fd));
	(void)close(fd);
}
END_TEST

START_TEST(proven_connection_may_be_silent)
{
	int fd = stranger(listen_tcp(), INADDR_LOOPBACK);
	int unproven = stranger(listen_tcp(), INADDR_LOOPBACK);

	say(fd, GOOD "0\r\n\r\n");
	ck_assert_str_ne(hear(fd), "");
	say(fd, "\r\n"); /* half of a keep-alive is no message that has to end */
	say(unproven, "\r\n");
	skip(61 * USEC_PER_SEC);
	ck_assert(!is_closed(fd));
	ck_assert(is_closed(unproven));
	skip(901 * USEC_PER_SEC);
	skip(1000 * USEC_PER_SEC);
	ck_assert(is_closed(fd));
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
		fds[n] = stranger(port, INADDR_LOOPBACK + (uint32_t)n);
		say(fds[n], GOOD "1040000\r\n\r\n");
		for (size_t at = 0; at < size;) {
			ssize_t sent =
				send(fds[n], bytes + at, size - at, MSG_DONTWAIT | MSG_NOSIGNAL);

			at += sent > 0 ? (size_t)sent : 0;
			turn();
			if (is_closed(fds[n]))
				break;
		}
	} while (!is_closed(fds[n++]) && n < 128);
	ck_assert_uint_gt(n, 20);
	ck_assert_uint_lt(n, 128);
	ck_assert(!is_closed(fds[0]));
	ck_assert_uint_le(net->n_partial, NET_MAX_PARTIAL);
	while (n-- > 0)
		(void)close(fds[n]);
	turn();
	ck_assert_uint_eq(net->n_partial, 0);
	ck_assert_uint_eq(net->n_incoming, 0);
	ck_assert_uint_eq(net->peers.n, 0);
	free(bytes);
}
END_TEST

START_TEST(silence_of_a_reader_is_limited)
{
	struct host_target target;
	int listener = peer_socket(SOCK_STREAM, &target), fd;
	struct flow *f = connection(&target, listener, &fd);
	char *bytes = mem_zalloc(100000);
	unsigned sent = 0;

	while (container_of(f, struct net_flow, flow)->life == NET_ALIVE && sent++ < 1000)
		flow_send(f, slice_of(bytes, 100000));
	turn();
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
	int listeners[MANY + 1], fds[MANY + 1], listener = peer_socket(SOCK_STREAM, &target), fd;
	char *bytes = mem_zalloc(100000);
	unsigned n = 0;

	reader = connection(&target, listener, &fd);
	do {
		listeners[n] = peer_socket(SOCK_STREAM, &target);
		flows[n] = connection(&target, listeners[n], &fds[n]);
		fill_queue(flows[n], slice_of(bytes, 100000));
		turn();
		ck_assert_uint_le(net->n_queued, NET_MAX_QUEUED_TOTAL);
	} while (flows[n++]->state == FLOW_UP && n <= MANY);
	ck_assert_uint_gt(n, NET_MAX_QUEUED_TOTAL / (2 * NET_MAX_QUEUED));
	ck_assert_int_eq(flows[n - 1]->state, FLOW_DOWN);
	ck_assert_int_eq(flows[n - 2]->state, FLOW_UP);
	ck_assert_int_eq(flows[0]->state, FLOW_UP);
	flow_send(reader, SLICE("hello"));
	ck_assert_str_eq(hear(fd), "hello");
	while (n-- > 0) {
		(void)close(fds[n]);
		(void)close(listeners[n]);
		turn();
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
	tcase_add_test(tc, pools_share_nothing);
	tcase_add_test(tc, opening_connection_is_shared);
	tcase_add_test(tc, broken_connection_leaves_its_pool);
	tcase_add_test(tc, closing_sends_what_was_queued);
	tcase_add_test(tc, closing_while_it_opens);
	tcase_add_test(tc, idle_time_of_one_connection);
	tcase_add_test(tc, udp_close_and_idle);
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

	tcase_add_checked_fixture(tc, set_up, tear_down);
	tcase_set_timeout(tc, 120);
	add_tests(tc);
	suite_add_tcase(s, tc);
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
