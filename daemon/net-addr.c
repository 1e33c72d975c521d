/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "daemon/net-addr.h"

#include <arpa/inet.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "protocol/base/err.h"
#include "protocol/txn/flow.h"

/* 0: there is no such interface. */
static uint32_t scope_of(const char *text)
{
	unsigned by_name = if_nametoindex(text);
	unsigned long n;
	char *end;

	if (by_name || text[0] < '0' || text[0] > '9')
		return by_name;
	n = strtoul(text, &end, 10);
	return *end || n > UINT32_MAX ? 0 : (uint32_t)n;
}

static bool parse_v6(const char *text, struct sockaddr_in6 *ret)
{
	size_t n = strcspn(text, "%");
	char host[INET6_ADDRSTRLEN];

	if (n >= sizeof(host))
		return false;
	memcpy(host, text, n);
	host[n] = '\0';
	if (inet_pton(AF_INET6, host, &ret->sin6_addr) != 1)
		return false;
	if (!text[n])
		return true;
	ret->sin6_scope_id = scope_of(text + n + 1);
	return ret->sin6_scope_id && IN6_IS_ADDR_LINKLOCAL(&ret->sin6_addr);
}

bool net_addr_parse(const struct flow_addr *text, struct net_addr *ret)
{
	struct net_addr a = net_addr_any(AF_INET, text->port);

	if (inet_pton(AF_INET, text->host, &a.v4.sin_addr) == 1) {
		*ret = a;
		return true;
	}
	a = net_addr_any(AF_INET6, text->port);
	if (!parse_v6(text->host, &a.v6))
		return false;
	if (IN6_IS_ADDR_V4MAPPED(&a.v6.sin6_addr)) {
		/* Our IPv6 sockets do not carry IPv4. */
		struct net_addr v4 = net_addr_any(AF_INET, text->port);

		memcpy(&v4.v4.sin_addr, &a.v6.sin6_addr.s6_addr[12], sizeof(v4.v4.sin_addr));
		a = v4;
	}
	*ret = a;
	return true;
}

void net_addr_show(const struct net_addr *a, struct flow_addr *ret)
{
	*ret = (struct flow_addr){ .port = net_addr_port(a) };
	if (a->sa.sa_family == AF_INET)
		(void)inet_ntop(AF_INET, &a->v4.sin_addr, ret->host, sizeof(ret->host));
	else
		(void)inet_ntop(AF_INET6, &a->v6.sin6_addr, ret->host, sizeof(ret->host));
}

void net_addr_show_scoped(const struct net_addr *a, struct flow_addr *ret)
{
	char name[IF_NAMESIZE];
	size_t n;

	net_addr_show(a, ret);
	if (a->sa.sa_family != AF_INET6 || !a->v6.sin6_scope_id)
		return;
	n = strlen(ret->host);
	if (if_indextoname(a->v6.sin6_scope_id, name))
		(void)snprintf(ret->host + n, sizeof(ret->host) - n, "%%%s", name);
	else
		(void)snprintf(ret->host + n, sizeof(ret->host) - n, "%%%u", a->v6.sin6_scope_id);
}

struct net_addr net_addr_any(int family, uint16_t port)
{
	struct net_addr a = { 0 };

	a.sa.sa_family = (sa_family_t)family;
	a.len = family == AF_INET ? sizeof(a.v4) : sizeof(a.v6);
	net_addr_set_port(&a, port);
	return a;
}

bool net_addr_is_any(const struct net_addr *a)
{
	if (a->sa.sa_family == AF_INET)
		return a->v4.sin_addr.s_addr == htonl(INADDR_ANY);
	return IN6_IS_ADDR_UNSPECIFIED(&a->v6.sin6_addr);
}

uint16_t net_addr_port(const struct net_addr *a)
{
	return ntohs(a->sa.sa_family == AF_INET ? a->v4.sin_port : a->v6.sin6_port);
}

void net_addr_set_port(struct net_addr *a, uint16_t port)
{
	if (a->sa.sa_family == AF_INET)
		a->v4.sin_port = htons(port);
	else
		a->v6.sin6_port = htons(port);
}

bool net_addr_same_host(const struct net_addr *a, const struct net_addr *b)
{
	if (a->sa.sa_family != b->sa.sa_family)
		return false;
	if (a->sa.sa_family == AF_INET)
		return a->v4.sin_addr.s_addr == b->v4.sin_addr.s_addr;
	/* Each link has its own; where none is said, any of them is meant. */
	if (a->v6.sin6_scope_id && b->v6.sin6_scope_id &&
		a->v6.sin6_scope_id != b->v6.sin6_scope_id)
		return false;
	return IN6_ARE_ADDR_EQUAL(&a->v6.sin6_addr, &b->v6.sin6_addr);
}

bool net_addr_equal(const struct net_addr *a, const struct net_addr *b)
{
	return net_addr_same_host(a, b) && net_addr_port(a) == net_addr_port(b);
}

static bool is_that(const struct ifaddrs *i, const struct net_addr *a)
{
	struct net_addr b = { .len = a->len };

	if (!i->ifa_addr || i->ifa_addr->sa_family != a->sa.sa_family)
		return false;
	memcpy(&b.sa, i->ifa_addr, a->sa.sa_family == AF_INET ? sizeof(b.v4) : sizeof(b.v6));
	return net_addr_same_host(a, &b);
}

/* Of an interface that is down it can be bound to as before, but nothing comes or goes. */
static bool is_down(const struct net_addr *a)
{
	bool up = false, down = false;
	struct ifaddrs *first;

	if (getifaddrs(&first) < 0)
		return false;
	for (const struct ifaddrs *i = first; i; i = i->ifa_next) {
		if (!is_that(i, a))
			continue;
		up = up || (i->ifa_flags & IFF_UP);
		down = down || !(i->ifa_flags & IFF_UP);
	}
	freeifaddrs(first);
	return down && !up;
}

bool net_addr_is_ours(const struct net_addr *a)
{
	struct net_addr at = *a;
	int fd = socket(a->sa.sa_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	bool gone;

	if (fd < 0)
		return true;
	net_addr_set_port(&at, 0);
	gone = bind(fd, &at.sa, at.len) < 0 && errno == EADDRNOTAVAIL;
	(void)close(fd);
	return !gone && !is_down(a);
}

bool net_addr_is_no_way(int error)
{
	return error == ENETUNREACH || error == EHOSTUNREACH || error == ENETDOWN ||
	       error == EADDRNOTAVAIL;
}

int net_addr_source(const struct net_addr *to, struct net_addr *ret)
{
	struct net_addr a = { .len = sizeof(a.v6) }, there = *to;
	int fd = socket(to->sa.sa_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	int r = 0;

	if (fd < 0)
		return -errno;
	/* Connecting a datagram socket sends nothing; it only asks routing. */
	if (net_addr_port(&there) == 0)
		net_addr_set_port(&there, 5060);
	if (connect(fd, &there.sa, there.len) < 0 || getsockname(fd, &a.sa, &a.len) < 0)
		r = -errno;
	(void)close(fd);
	if (r == 0) {
		net_addr_set_port(&a, 0);
		*ret = a;
	}
	return r;
}
