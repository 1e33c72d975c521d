/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the kernel says of addresses and routes, and what anybody else might. */
#include <check.h>
#include <event2/event.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "daemon/loop.h"
#include "daemon/net-watch.h"
#include "daemon/random.h"
#include "protocol/base/buf.h"
#include "protocol/base/log.h"
#include "tests/support/exact.h"
#include "tests/support/run.h"

static void put(struct buf *b, uint16_t type, const void *payload, size_t n)
{
	struct nlmsghdr h = { .nlmsg_len = (uint32_t)(sizeof(h) + n), .nlmsg_type = type };

	buf_put(b, slice_of((const char *)&h, sizeof(h)));
	buf_put(b, slice_of(payload, n));
	while (b->n % NLMSG_ALIGNTO)
		buf_putc(b, '\0');
}

static enum net_watch_news parse(const struct buf *b)
{
	struct slice exact = exact_copy(buf_slice(b));
	enum net_watch_news news = net_watch_parse(exact);

	exact_free(exact);
	return news;
}

static enum net_watch_news of(uint16_t type, const void *payload, size_t n)
{
	struct buf b = BUF_NULL;
	enum net_watch_news news;

	put(&b, type, payload, n);
	news = parse(&b);
	buf_deinit(&b);
	return news;
}

START_TEST(addresses)
{
	struct ifaddrmsg m = { .ifa_family = AF_INET };

	ck_assert_int_eq(of(RTM_NEWADDR, &m, sizeof(m)), NET_WATCH_ADDRESSES);
	ck_assert_int_eq(of(RTM_DELADDR, &m, sizeof(m)), NET_WATCH_ADDRESSES);
	/* RFC 4862 section 5.4: not assigned yet, but it may be one that goes */
	m.ifa_flags = IFA_F_TENTATIVE;
	ck_assert_int_eq(of(RTM_NEWADDR, &m, sizeof(m)), NET_WATCH_NOTHING);
	ck_assert_int_eq(of(RTM_DELADDR, &m, sizeof(m)), NET_WATCH_ADDRESSES);
}
END_TEST

START_TEST(links)
{
	struct ifinfomsg m = { .ifi_index = 1 };

	ck_assert_int_eq(of(RTM_NEWLINK, &m, sizeof(m)), NET_WATCH_ADDRESSES);
	ck_assert_int_eq(of(RTM_DELLINK, &m, sizeof(m)), NET_WATCH_ADDRESSES);
	ck_assert_int_eq(of(RTM_NEWLINK, &m, sizeof(m) - 1), NET_WATCH_LOST);
}
END_TEST

START_TEST(routes)
{
	struct rtmsg m = { .rtm_table = RT_TABLE_MAIN, .rtm_type = RTN_UNICAST };

	ck_assert_int_eq(of(RTM_NEWROUTE, &m, sizeof(m)), NET_WATCH_ROUTES);
	ck_assert_int_eq(of(RTM_DELROUTE, &m, sizeof(m)), NET_WATCH_ROUTES);
	m.rtm_flags = RTM_F_CLONED;
	ck_assert_int_eq(of(RTM_NEWROUTE, &m, sizeof(m)), NET_WATCH_NOTHING);
	m.rtm_flags = 0;
	m.rtm_table = RT_TABLE_LOCAL;
	ck_assert_int_eq(of(RTM_NEWROUTE, &m, sizeof(m)), NET_WATCH_NOTHING);
	m.rtm_table = RT_TABLE_MAIN;
	m.rtm_type = RTN_MULTICAST;
	ck_assert_int_eq(of(RTM_NEWROUTE, &m, sizeof(m)), NET_WATCH_NOTHING);
}
END_TEST

/* Several in one datagram: what matters most counts; the last one may lack its padding. */
START_TEST(several)
{
	struct rtmsg route = { .rtm_table = RT_TABLE_MAIN, .rtm_type = RTN_UNICAST };
	struct ifaddrmsg address = { .ifa_family = AF_INET6 };
	struct buf b = BUF_NULL;

	ck_assert_int_eq(parse(&b), NET_WATCH_NOTHING);
	put(&b, NLMSG_NOOP, "", 0);
	put(&b, RTM_NEWNEIGH, "what this says is not looked at", 31);
	ck_assert_int_eq(parse(&b), NET_WATCH_NOTHING);
	put(&b, RTM_NEWADDR, &address, sizeof(address));
	ck_assert_int_eq(parse(&b), NET_WATCH_ADDRESSES);
	put(&b, RTM_DELROUTE, &route, sizeof(route));
	put(&b, RTM_NEWADDR, &address, sizeof(address));
	ck_assert_int_eq(parse(&b), NET_WATCH_ROUTES);
	put(&b, NLMSG_DONE, "x", 1);
	b.n -= 3;
	ck_assert_int_eq(parse(&b), NET_WATCH_ROUTES);
	put(&b, NLMSG_OVERRUN, "", 0);
	ck_assert_int_eq(parse(&b), NET_WATCH_LOST);
	buf_deinit(&b);
}
END_TEST

/* Cut off anywhere, lengths that lie, and noise: never beyond the end, and never for ever. */
START_TEST(hostile)
{
	struct ifaddrmsg address = { .ifa_family = AF_INET };
	struct buf b = BUF_NULL;
	uint8_t noise[64];

	put(&b, RTM_NEWADDR, &address, sizeof(address));
	for (size_t n = 1; n < b.n; n++) {
		struct buf part = BUF_NULL;

		buf_put(&part, slice_of(b.p, n));
		ck_assert_int_eq(parse(&part), NET_WATCH_LOST);
		buf_deinit(&part);
	}
	for (uint32_t length = 0; length < 64; length++) {
		memcpy(b.p, &length, sizeof(length));
		(void)parse(&b);
		if (length < sizeof(struct nlmsghdr) || length > b.n)
			ck_assert_int_eq(parse(&b), NET_WATCH_LOST);
	}
	for (unsigned i = 0; i < 20000; i++) {
		struct buf any = BUF_NULL;

		random_fill(noise, sizeof(noise));
		noise[1] = noise[2] = noise[3] = 0; /* else every length is too large */
		buf_put(&any, slice_of((const char *)noise, i % (sizeof(noise) + 1)));
		(void)parse(&any);
		buf_deinit(&any);
	}
	buf_deinit(&b);
}
END_TEST

static unsigned n_changed;

static void on_changed(void *ctx)
{
	(void)ctx;
	n_changed++;
}

/* News from the kernel alone: what any process may send to our socket is not believed. */
START_TEST(strangers)
{
	static const struct log_sink sink;
	struct sockaddr_nl at = { 0 };
	socklen_t len = sizeof(at);
	struct rtmsg route = { .rtm_table = RT_TABLE_MAIN, .rtm_type = RTN_UNICAST };
	struct net_watch w = { .changed = on_changed };
	struct buf b = BUF_NULL;
	struct loop loop;
	int fd;

	ck_assert_int_eq(loop_init(&loop, &sink), 0);
	ck_assert_int_eq(net_watch_init(&w, &loop, &sink), 0);
	ck_assert_int_eq(getsockname(w.fd, (struct sockaddr *)&at, &len), 0);
	at.nl_groups = 0;
	put(&b, RTM_NEWROUTE, &route, sizeof(route));
	fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
	/* The kernel itself refuses that without privileges. */
	(void)sendto(fd, b.p, b.n, 0, (const struct sockaddr *)&at, len);
	(void)event_base_loop(loop.base, EVLOOP_NONBLOCK);
	ck_assert(!timer_is_armed(&w.settle));
	/* Nothing has changed: nothing is told. */
	timer_arm(&loop.timers, &w.settle, 1);
	timerq_run(&loop.timers, loop_now() + USEC_PER_SEC);
	ck_assert_uint_eq(n_changed, 0);
	w.routes = true;
	timer_arm(&loop.timers, &w.settle, 1);
	timerq_run(&loop.timers, loop_now() + 2 * USEC_PER_SEC);
	ck_assert_uint_eq(n_changed, 1);
	(void)close(fd);
	net_watch_deinit(&w);
	net_watch_deinit(&w);
	loop_deinit(&loop);
	buf_deinit(&b);
}
END_TEST

RUN_TESTS("net-watch", addresses, links, routes, several, hostile, strangers)
