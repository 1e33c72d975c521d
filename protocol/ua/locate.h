/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
#include "protocol/ua/limits.h"
#include "protocol/ua/ua.h"

/*
 * Where a request goes: turns a server of the profile, or a URI, into an ordered list of transport
 * addresses. Host names are looked up for A and AAAA (RFC 3263 section 4.2; NAPTR and SRV come with
 * the connection work). Zeroed is idle.
 */
struct locate {
	struct ua *ua;
	struct ua_query query;
	enum transport transport;
	uint16_t port;
	struct flow_addr addrs[LIMITS_ADDRESSES]; /* in order of preference */
	size_t n_addrs;
	/* Set before the start. error 0: addrs are filled; else a negative errno. */
	void (*done)(struct locate *l, int error);
};

/* What to locate: host without brackets; port 0 takes the transport's default. */
struct locate_target {
	enum transport transport; /* NONE: UDP, the default of RFC 3263 4.1 without NAPTR */
	struct slice host;
	uint16_t port;
};

/*
 * 1: the host is a numeric address (RFC 3263 4.2) and addrs are filled now, done() is not called.
 * 0: done() is called by a later input. -EINVAL: that can be no host name.
 */
int locate_start(struct locate *l, struct ua *ua, const struct locate_target *t);
/* done() is not called any more. Does nothing to an idle one. */
void locate_cancel(struct locate *l);
/* What a URI says (maddr, transport, port, sips); -EOPNOTSUPP for tel, unknown schemes and
 * transports that we do not speak. Borrows from u. */
int locate_target_of_uri(const struct uri *u, struct locate_target *ret);
/* "host[:port][;transport=tcp]" or a whole SIP URI, as OutboundProxy takes it. -EINVAL. */
int locate_target_parse(struct slice text, struct locate_target *ret);
