/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
#include "protocol/ua/limits.h"
#include "protocol/ua/ua.h"

/*
 * Where a request goes, RFC 3263 section 4: turns a server of the profile, or a URI, into transport
 * addresses, best first, one at a time. What comes later is looked up only when it is asked for,
 * so that the fallback of a dead first SRV target costs nobody else a question. Zeroed is idle.
 *
 *   locate_start -> locate_next -> a hop -> failed? -> locate_next -> ... -> nothing is left
 *                      \-> [look-up] -> ready() -> locate_next
 *
 * Servers that failed others lately (health.h) come last.
 */

/* One place to try. */
struct locate_hop {
	enum transport transport;
	struct flow_addr addr;
};

struct locate {
	struct ua *ua; /* NULL: idle */
	struct ua_query query;
	/* Set before the start: an answer came, locate_next() says what it brought. */
	void (*ready)(struct locate *l);
	/* Private. */
	struct list steps, given; /* of struct locate_step */
	size_t n_steps;
	unsigned n_queries, n_naptr, n_silent;
	bool sips, has_srv;
	int error;
};

/* What to locate: host without brackets. */
struct locate_target {
	enum transport transport; /* NONE: NAPTR, SRV and at last the default decide (4.1) */
	struct slice host;
	uint16_t port; /* 0: SRV decides, then the default of the transport (4.2) */
	bool sips;     /* nothing but TLS will do */
};

/* 0, and what was located before is forgotten; -EINVAL: that can be no host name. */
int locate_start(struct locate *l, struct ua *ua, const struct locate_target *t);
/*
 * 1: *ret_hop is the next place to try. 0: ready() is called by a later input. Else nothing is
 * left: -ENOENT (no such name or address), -ETIMEDOUT (no name server answered), -ECONNREFUSED
 * (they failed), -EOPNOTSUPP (the domain says that it does not offer SIP), -ENOSPC.
 */
int locate_next(struct locate *l, struct locate_hop *ret_hop);
/*
 * The place with an address of the other family that would come soon after hop, and then does not
 * come any more: for a race (RFC 8305). False: there is none.
 */
bool locate_take_rival(struct locate *l, const struct locate_hop *hop, struct locate_hop *ret_hop);
/* It was not used after all: the next locate_next() gives it. */
void locate_give_back(struct locate *l, const struct locate_hop *hop);
/* ready() is not called any more, nothing is left. Does nothing to an idle one. */
void locate_cancel(struct locate *l);
/* For people, of what locate_next() returned. */
const char *locate_error_text(int error);

/* What a URI says (maddr, transport, port, sips); -EOPNOTSUPP for tel, unknown schemes and
 * transports that we do not speak. Borrows from u. */
int locate_target_of_uri(const struct uri *u, struct locate_target *ret);
/* "host[:port][;transport=tcp]" or a whole SIP URI, as OutboundProxy takes it. -EINVAL. */
int locate_target_parse(struct slice text, struct locate_target *ret);
/* Whether nothing but TLS can come of it. */
bool locate_target_is_secure(const struct locate_target *t);
