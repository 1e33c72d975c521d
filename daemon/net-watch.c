/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "daemon/net-watch.h"

#include <event2/event.h>
#include <ifaddrs.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "daemon/loop.h"
#include "daemon/net-addr.h"
#include "protocol/base/buf.h"
#include "protocol/base/err.h"
#include "protocol/base/log.h"
#include "protocol/base/mem.h"
#include "protocol/txn/flow.h"

/* ---- what the kernel says ---- */

/* The fixed part of a message's payload, copied since nothing says how it is aligned. */
static bool take(struct slice payload, void *out, size_t n)
{
	if (payload.n < n)
		return false;
	memcpy(out, payload.p, n);
	return true;
}

/* One that is still being checked for duplicates is not ours yet (RFC 4862 section 5.4). */
static enum net_watch_news of_address(uint16_t type, struct slice payload)
{
	struct ifaddrmsg m;

	if (!take(payload, &m, sizeof(m)))
		return NET_WATCH_LOST;
	if (type == RTM_NEWADDR && (m.ifa_flags & IFA_F_TENTATIVE))
		return NET_WATCH_NOTHING;
	return NET_WATCH_ADDRESSES;
}

/* Addresses bring local and connected routes with them, of which the list knows already. */
static enum net_watch_news of_route(struct slice payload)
{
	struct rtmsg m;

	if (!take(payload, &m, sizeof(m)))
		return NET_WATCH_LOST;
	if ((m.rtm_flags & RTM_F_CLONED) || m.rtm_table == RT_TABLE_LOCAL ||
		m.rtm_type == RTN_MULTICAST || m.rtm_type == RTN_BROADCAST)
		return NET_WATCH_NOTHING;
	return NET_WATCH_ROUTES;
}

static enum net_watch_news of_message(uint16_t type, struct slice payload)
{
	switch (type) {
	case RTM_NEWADDR:
	case RTM_DELADDR:
		return of_address(type, payload);
	case RTM_NEWLINK:
	case RTM_DELLINK:
		return payload.n < sizeof(struct ifinfomsg) ? NET_WATCH_LOST : NET_WATCH_ADDRESSES;
	case RTM_NEWROUTE:
	case RTM_DELROUTE:
		return of_route(payload);
	case NLMSG_OVERRUN:
		return NET_WATCH_LOST;
	}
	return NET_WATCH_NOTHING;
}

enum net_watch_news net_watch_parse(struct slice bytes)
{
	enum net_watch_news all = NET_WATCH_NOTHING;

	while (bytes.n && all != NET_WATCH_LOST) {
		struct nlmsghdr h;
		enum net_watch_news one;

		if (!take(bytes, &h, sizeof(h)) || h.nlmsg_len < sizeof(h) || h.nlmsg_len > bytes.n)
			return NET_WATCH_LOST;
		one = of_message(
			h.nlmsg_type, slice_of(bytes.p + sizeof(h), h.nlmsg_len - sizeof(h)));
		all = one > all ? one : all;
		/* The last one need not be padded. */
		bytes = slice_skip(bytes,
			NLMSG_ALIGN(h.nlmsg_len) < bytes.n ? NLMSG_ALIGN(h.nlmsg_len) : bytes.n);
	}
	return all;
}

/* ---- what there is ---- */

static int compare(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* That of an interface that is up; nobody minds loopback, nor what is good for one link alone. */
static bool matters(const struct ifaddrs *i, struct flow_addr *ret)
{
	struct net_addr a = { 0 };

	if (!i->ifa_addr || !(i->ifa_flags & IFF_UP) || (i->ifa_flags & IFF_LOOPBACK))
		return false;
	if (i->ifa_addr->sa_family == AF_INET)
		a.len = sizeof(a.v4);
	else if (i->ifa_addr->sa_family == AF_INET6)
		a.len = sizeof(a.v6);
	else
		return false;
	memcpy(&a.sa, i->ifa_addr, a.len);
	if (a.sa.sa_family == AF_INET6 && IN6_IS_ADDR_LINKLOCAL(&a.v6.sin6_addr))
		return false;
	net_addr_show(&a, ret);
	return true;
}

/* In order, so that two lists can be compared. */
static char *list_addresses(void)
{
	char *texts[NET_WATCH_MAX_ADDRESSES];
	struct buf all = BUF_NULL;
	struct ifaddrs *first;
	struct flow_addr text;
	size_t n = 0;

	if (getifaddrs(&first) < 0)
		return mem_strdup("");
	for (const struct ifaddrs *i = first; i && n < NET_WATCH_MAX_ADDRESSES; i = i->ifa_next)
		if (matters(i, &text))
			texts[n++] = mem_strdup(text.host);
	freeifaddrs(first);
	qsort(texts, n, sizeof(*texts), compare);
	for (size_t i = 0; i < n; i++) {
		buf_printf(&all, "%s%s", i ? " " : "", texts[i]);
		free(texts[i]);
	}
	return buf_take(&all);
}

/* ---- the socket ---- */

static void on_settled(struct timer *t)
{
	struct net_watch *w = container_of(t, struct net_watch, settle);
	char *now = list_addresses();
	bool same = strcmp(now, w->known) == 0;

	free(w->known);
	w->known = now;
	if (same && !w->routes)
		return;
	w->routes = false;
	log_line(w->log, LOG_LEVEL_INFO, "the network has changed: %s", *now ? now : "no address");
	w->changed(w->ctx);
}

static void note(struct net_watch *w, enum net_watch_news news)
{
	switch (news) {
	case NET_WATCH_NOTHING:
		return;
	case NET_WATCH_ADDRESSES:
		break;
	case NET_WATCH_ROUTES:
	case NET_WATCH_LOST:
		w->routes = true;
		break;
	}
	/* From the first news on: those that never end are told all the same. */
	if (!timer_is_armed(&w->settle))
		timer_arm(&w->loop->timers, &w->settle, NET_WATCH_SETTLE);
}

/* One datagram. False: there is none, for now. */
static bool read_one(struct net_watch *w, char *bytes)
{
	struct sockaddr_nl from = { 0 };
	struct iovec iov = { .iov_base = bytes, .iov_len = NET_WATCH_DATAGRAM };
	struct msghdr m = {
		.msg_name = &from, .msg_namelen = sizeof(from), .msg_iov = &iov, .msg_iovlen = 1
	};
	ssize_t n = recvmsg(w->fd, &m, MSG_DONTWAIT);

	if (n < 0 && errno == ENOBUFS) /* more than the socket holds: news was lost */
		note(w, NET_WATCH_LOST);
	else if (n < 0)
		return errno == EINTR;
	else if (from.nl_pid == 0) /* others than the kernel may write to us, too */
		note(w, m.msg_flags & MSG_TRUNC ? NET_WATCH_LOST
						: net_watch_parse(slice_of(bytes, (size_t)n)));
	return true;
}

static void on_readable(evutil_socket_t fd, short what, void *ctx)
{
	struct net_watch *w = ctx;
	char *bytes cleanup_free = mem_alloc(NET_WATCH_DATAGRAM);

	(void)fd;
	(void)what;
	loop_enter(w->loop);
	for (unsigned i = 0; i < NET_WATCH_ROUNDS && read_one(w, bytes); i++)
		;
}

static int open_socket(void)
{
	struct sockaddr_nl groups = { .nl_family = AF_NETLINK,
		.nl_groups = RTMGRP_LINK | RTMGRP_IPV4_IFADDR | RTMGRP_IPV6_IFADDR |
			     RTMGRP_IPV4_ROUTE | RTMGRP_IPV6_ROUTE };
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, NETLINK_ROUTE), r;

	if (fd < 0)
		return -errno;
	if (bind(fd, (const struct sockaddr *)&groups, sizeof(groups)) == 0)
		return fd;
	r = -errno;
	(void)close(fd);
	return r;
}

int net_watch_init(struct net_watch *w, struct loop *loop, const struct log_sink *log)
{
	w->loop = loop;
	w->log = log;
	w->settle.fire = on_settled;
	w->fd = open_socket();
	if (w->fd < 0) {
		int r = w->fd;

		log_line(log, LOG_LEVEL_WARNING,
			"changes of the network will not be noticed: rtnetlink: %s", strerror(-r));
		w->loop = NULL;
		return r;
	}
	w->known = list_addresses();
	w->readable = event_new(loop->base, w->fd, EV_READ | EV_PERSIST, on_readable, w);
	(void)event_add(w->readable, NULL);
	return 0;
}

void net_watch_deinit(struct net_watch *w)
{
	if (!w->loop)
		return;
	timer_cancel(&w->loop->timers, &w->settle);
	event_free(w->readable);
	(void)close(w->fd);
	free(w->known);
	*w = (struct net_watch){ 0 };
}
