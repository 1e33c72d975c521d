/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
#include <netinet/in.h>
#include <stdbool.h>
#include <sys/socket.h>

struct flow_addr;

/* A socket address of one of the two families that we use. Zeroed is of neither. */
struct net_addr {
	union {
		struct sockaddr sa;
		struct sockaddr_in v4;
		struct sockaddr_in6 v6;
	};
	socklen_t len;
};

/*
 * Numeric text to address; false for names and anything else. A link-local IPv6 address may have a
 * scope, an interface that exists by name or number: "fe80::1%eth0" (RFC 4007 section 11).
 */
bool net_addr_parse(const struct flow_addr *text, struct net_addr *ret);
/* Without the scope of a link-local address, which means nothing to anybody else. */
void net_addr_show(const struct net_addr *a, struct flow_addr *ret);
/* With it, by its name if it has one: what net_addr_parse() takes. */
void net_addr_show_scoped(const struct net_addr *a, struct flow_addr *ret);
/* The address with no host set: 0.0.0.0 or ::. */
struct net_addr net_addr_any(int family, uint16_t port);
bool net_addr_is_any(const struct net_addr *a);
uint16_t net_addr_port(const struct net_addr *a);
void net_addr_set_port(struct net_addr *a, uint16_t port);
bool net_addr_same_host(const struct net_addr *a, const struct net_addr *b);
bool net_addr_equal(const struct net_addr *a, const struct net_addr *b);
/* A socket of ours can have that address, and its interface is up; the port does not matter. */
bool net_addr_is_ours(const struct net_addr *a);
/* That errno of connect() says that no address or route of ours leads there. */
bool net_addr_is_no_way(int error);
/*
 * Our own address as it would stand on packets to `to`, with port 0: what routing says now.
 * -ENETUNREACH and the like.
 */
int net_addr_source(const struct net_addr *to, struct net_addr *ret);
