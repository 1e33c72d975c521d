/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
#include "protocol/base/list.h"
#include "protocol/msg/transport.h"

/*
 * What the core knows of a way to a peer: a connection, or for UDP a socket together with a remote
 * address. The host makes flows and owns what is behind them; the core holds references to those
 * that it uses.
 */
enum flow_state {
	FLOW_OPENING, /* bytes are queued until it is up */
	FLOW_UP,
	FLOW_DOWN, /* for good: a new flow must be asked for */
};

/* Numeric address as text without brackets, as getnameinfo() gives it. */
struct flow_addr {
	char host[48];
	uint16_t port;
};

struct flow;

/* Filled in by the host. Neither may call back into the core before it returns. */
struct flow_ops {
	/* Queues one whole message or keep-alive. A failure is told later, by ua_flow_down(). */
	void (*send)(struct flow *f, struct slice bytes);
	/*
	 * The last reference but the host's own is gone: nobody needs the flow at the moment. The
	 * host may keep a connection for later use, start its idle timer, or end it.
	 */
	void (*unused)(struct flow *f);
};

struct flow {
	const struct flow_ops *ops;
	unsigned refs; /* one is the host's */
	enum transport transport;
	enum flow_state state;
	bool incoming; /* the peer opened it */
	/* What Via and Contact say: where the peer can reach us. Set by the host before FLOW_UP. */
	struct flow_addr local;
	struct flow_addr peer;
	struct list txns;      /* of struct txn: those that a broken flow concerns */
	struct list endpoints; /* of struct endpoint: those that keep it as their connection */
};

/* One reference: the host's. */
void flow_init(struct flow *f, const struct flow_ops *ops, enum transport transport);
struct flow *flow_ref(struct flow *f);
/* Gives a reference back that flow_ref() took. NULL is fine. */
void flow_unref(struct flow *f);
/* Only the host's own reference is left: it may free the flow. */
bool flow_is_unused(const struct flow *f);
/* Dropped if the flow is down. */
void flow_send(struct flow *f, struct slice bytes);
bool flow_is_reliable(const struct flow *f);
/* local.host, or "0.0.0.0" for what could not even be begun and so has no address of ours. */
struct slice flow_local_host(const struct flow *f);
bool flow_addr_equal(const struct flow_addr *a, const struct flow_addr *b);
