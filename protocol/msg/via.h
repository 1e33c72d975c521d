/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
#include "protocol/msg/transport.h"

/* One Via value (RFC 3261 section 20.42, RFC 3581). Slices borrow from the message. */
struct via {
	struct slice text;    /* all of it, trimmed */
	struct slice version; /* "2.0" */
	struct slice transport_name;
	enum transport transport; /* TRANSPORT_NONE for what we do not speak */
	struct slice host;        /* IPv6 with brackets */
	uint16_t port;            /* 0: none given */
	struct slice params;      /* from the first ";" on */
	struct slice branch;      /* SLICE_NULL if absent */
	struct slice received, maddr;
	/* p == NULL: absent; n == 0: present without value */
	struct slice rport, keep; /* RFC 3581; RFC 6223 */
};

#define VIA_COOKIE "z9hG4bK"

/* The next element of a Via list: 1, 0 at the end, -EBADMSG. */
int via_next(struct slice *rest, struct via *ret);
/*
 * The same, but on -EBADMSG *ret keeps what could be read before the fault, so that a 400 finds its
 * way: usable if host.n > 0.
 */
int via_next_partial(struct slice *rest, struct via *ret);
/* Branch begins with the magic cookie and has more (RFC 3261 8.1.1.7, RFC 4475 3.2.1). */
bool via_is_rfc3261(const struct via *v);
/* sent-by compares host ignoring case, and port with its default (RFC 3261 18.1.1). */
bool via_sent_by_equal(const struct via *a, const struct via *b);
