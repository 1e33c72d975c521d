/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
#include "protocol/base/timer.h"
#include "protocol/txn/flow.h"

struct ua;

/*
 * Which servers are better left alone for a while: those that said so by 503 with Retry-After (RFC
 * 3261 21.5.4), that did not answer (RFC 3263 4.3), or that take no TCP. Shared by all requests of
 * all endpoints, keyed by transport and address. When the time is over one request at a time may
 * try again; an answer forgets the trouble, another failure lasts twice as long.
 */

struct health_trouble {
	enum transport transport;
	const struct flow_addr *addr;
	const char *target;   /* what was located, for people; NULL: the address */
	const char *reason;   /* for people */
	uint32_t retry_after; /* seconds that the server asked for; 0: it did not */
	usec_t how_long;      /* 0: as retry_after says, else the longer the more often it failed */
};

/* What is known of a server in trouble. Lent. */
struct health_view {
	enum transport transport;
	struct flow_addr addr;
	const char *target, *reason;
	uint32_t retry_after;
	usec_t until; /* on the core's clock; over: one request at a time may try */
};

void health_mark(struct ua *ua, const struct health_trouble *t);
/* It answered. */
void health_good(struct ua *ua, enum transport transport, const struct flow_addr *addr);
/* Its time is not over. */
bool health_is_bad(const struct ua *ua, enum transport transport, const struct flow_addr *addr);
/*
 * Whether a request should go there before others were tried. What is on probation is tried by who
 * asks first; others may do so when that one should have an answer.
 */
bool health_may_try(struct ua *ua, enum transport transport, const struct flow_addr *addr);
/* In no order. each may not change anything. */
void health_for_each(
	const struct ua *ua, void (*each)(void *ctx, const struct health_view *v), void *ctx);
/* Forgets everything: another network, other servers. */
void health_clear(struct ua *ua);
