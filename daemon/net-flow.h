/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* What the transports share: the table of flows, sockets, and how the core is told. */
#include "daemon/net-addr.h"
#include "daemon/net-identity.h"
#include "daemon/net.h"
#include "protocol/base/map.h"

struct event;
struct daemon_listen;
struct tls_identity;

/* The peer, as bytes without holes. */
struct net_key {
	uint8_t transport, family;
	uint16_t port;
	uint8_t addr[16];
	uint32_t scope;
};

enum net_life {
	NET_ALIVE,
	NET_FAILED, /* broken; the core hears of it between two rounds */
	NET_TOLD,   /* goes as soon as nobody holds it */
};

struct net_flow {
	struct flow flow;
	struct net *net;
	void (*destroy)(struct net_flow *f);
	/* Alive, and nobody but us holds it any more. */
	void (*idle)(struct net_flow *f);
	enum net_life life;
	char *reason; /* why it failed */
	struct net_key key;
	struct map_node by_peer; /* in net->flows while alive, unless only its pool may have it */
	struct list node;        /* in net->failed, net->dead or net->idle_flows */
	struct list alive;       /* in net->alive until it fails */
	struct net_addr peer, local;
	usec_t since;        /* last used, for the idle rule */
	usec_t idle_timeout; /* how long it may lie unused; 0: for ever */
};

/* A host that has connections to us. */
struct net_peer {
	struct map_node node;
	struct net_key key;
	unsigned n, n_new; /* connections; those that sent no valid message yet */
};

/* Says something once in a while, however often it happens. */
struct net_quiet {
	usec_t until;
	unsigned missed;
};

struct net {
	struct loop *loop;
	const struct log_sink *log;
	struct map flows;        /* of net_flow, by key: those that live and are found so */
	struct map targets;      /* of net_conn, by whose and where to: those of ours that live */
	struct map peers;        /* of net_peer */
	struct list sockets;     /* of net_socket */
	struct list connections; /* of net_conn, all of them */
	struct list alive, failed, dead, idle_flows; /* of net_flow */
	size_t n_idle_flows, n_incoming, n_partial, n_queued;
	size_t max_message, max_incoming;
	unsigned max_per_peer, max_new_per_peer;
	uint64_t last_id; /* of a flow */
	struct timer work, sweep;
	struct net_quiet refusals, handshakes, starving;
	struct net_identities identities;
	net_ask_fn *ask;
	void *ask_ctx;
	struct net_counters counters;
	struct net_batch *batch; /* net-udp.c: where datagrams are received */
};

/* One reference, ours; not in the table yet. */
void net_flow_init(
	struct net_flow *f, struct net *net, const struct flow_ops *ops, enum transport transport);
/* Under f->peer, in the table; fills in flow.peer. */
void net_flow_link(struct net_flow *f);
/* The newest living flow to that peer; map_find_next() on by_peer gives the others. */
struct net_flow *net_flow_find(
	const struct net *net, enum transport transport, const struct net_addr *peer);
struct net_flow *net_flow_find_next(const struct net_flow *f);
/* Out of the table at once; the core is told between two rounds. */
void net_flow_fail(struct net_flow *f, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* A flow that fails and does nothing else, for what cannot even be tried. */
struct flow *net_flow_broken(struct net *net, const struct host_target *target, const char *reason);
/* The core is done with it: destroyed between two rounds. */
void net_flow_bury(struct net_flow *f);
/* struct flow_ops' unused for every transport. */
void net_flow_unused(struct flow *flow);
/* Frees what f owns in common; f itself is the caller's. */
void net_flow_deinit(struct net_flow *f);
/* Alive and unused: may be forgotten once the sweep finds it too old (UDP). */
void net_flow_park(struct net_flow *f);

void net_flow_work(struct timer *t);  /* what net->work fires */
void net_flow_sweep(struct timer *t); /* what net->sweep fires */
/* Logs that line unless the same kind was logged a moment ago. */
void net_quiet_log(struct net *net, struct net_quiet *q, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
