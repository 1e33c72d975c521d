/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
#include "protocol/base/timer.h"
#include "protocol/txn/flow.h"

/* What the world's network is made of; tests don't look in here. */

struct world;
struct world_ua;

struct world_flow {
	struct flow base;
	struct world_ua *ua;
	struct list node;
	struct list queued;     /* of struct world_packet: sent while opening */
	struct timer connected; /* armed while opening */
	usec_t give_up;
	bool hopeless;       /* opening, and the peer is silent */
	struct flow_tls tls; /* base.tls points here */
	char *pool, *domain; /* whose it is, and for which name: "" for none */
	struct timer closed; /* armed once the core wants it to end */
	char close_reason[64];
	struct timer idle;   /* armed since nobody uses it, if the world closes what is idle */
	usec_t last_arrival; /* a stream keeps its order */
};

/* One message on its way. */
struct world_packet {
	struct timer timer;
	struct list node;
	struct world *w;
	enum transport transport;
	struct flow_addr from, to;
	size_t n;
	char *bytes; /* exactly n, so that reading past the end is seen */
};
