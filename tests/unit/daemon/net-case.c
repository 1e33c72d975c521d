/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tests/unit/daemon/net-case.h"

#include <arpa/inet.h>
#include <check.h>
#include <event2/event.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "daemon/hash.h"
#include "daemon/loop.h"
#include "daemon/random.h"
#include "protocol/base/log.h"
#include "protocol/ua/ua.h"

struct loop net_loop;
struct net *net;
struct ua *net_ua;
static const struct log_sink sink;

static void fill(void *ctx, void *out, size_t n)
{
	(void)ctx;
	random_fill(out, n);
}

static const struct host_ops ops = { .random = fill, .hash = hash_pieces };
static const struct host host = { .ops = &ops };

void net_set_up(void)
{
	ck_assert_int_eq(loop_init(&net_loop, &sink), 0);
	net = net_new(&net_loop, &sink, NULL);
	net_ua = net_loop.ua = ua_new(&host, loop_now());
}

void net_tear_down(void)
{
	net_loop.ua = NULL;
	ua_free(net_ua);
	net_free(net);
	loop_deinit(&net_loop);
}

/* Lets sockets and deadlines run as they would now. */
void net_turn(void)
{
	for (int i = 0; i < 20; i++) {
		(void)event_base_loop(net_loop.base, EVLOOP_NONBLOCK);
		timerq_run(&net_loop.timers, loop_now());
	}
}

/* The deadlines of `later` microseconds from now have come. */
void net_skip(usec_t later)
{
	timerq_run(&net_loop.timers, loop_now() + later);
	timerq_run(&net_loop.timers, loop_now() + later + 10); /* what was put off by loop_soon() */
	net_turn();
}

/* A listening or bound socket of our own on 127.0.0.1. */
int net_peer_socket(int type, struct host_target *ret_target)
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
const char *net_hear(int fd)
{
	static char text[256];
	struct pollfd p = { .fd = fd, .events = POLLIN };
	ssize_t n = poll(&p, 1, 0) == 1 ? recv(fd, text, sizeof(text) - 1, 0) : 0;

	text[n > 0 ? n : 0] = '\0';
	return text;
}

/* A connection that we opened and the peer's end of it; the flow is ours to give back. */
struct flow *net_connection(const struct host_target *target, int listener, int *ret_fd)
{
	struct flow *f = flow_ref(net_open(net, target));

	ck_assert_int_eq(f->state, FLOW_OPENING);
	*ret_fd = accept(listener, NULL, NULL);
	net_turn();
	ck_assert_int_eq(f->state, FLOW_UP);
	return f;
}

int net_stranger(uint16_t port, uint32_t source)
{
	struct sockaddr_in at = { .sin_family = AF_INET, .sin_addr = { htonl(source) } };
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	ck_assert_int_eq(bind(fd, (struct sockaddr *)&at, sizeof(at)), 0);
	at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	at.sin_port = htons(port);
	ck_assert_int_eq(connect(fd, (struct sockaddr *)&at, sizeof(at)), 0);
	net_turn();
	return fd;
}

bool net_is_closed(int fd)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };
	char byte;

	return poll(&p, 1, 0) == 1 && recv(fd, &byte, 1, MSG_PEEK) <= 0;
}

void net_say(int fd, const char *text)
{
	ck_assert_int_eq(send(fd, text, strlen(text), 0), (ssize_t)strlen(text));
	net_turn();
}
