/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* What the transports share: the table of flows, sockets, and how the core is told. */
#include "daemon/net-addr.h"
#include "daemon/net.h"
#include "protocol/base/map.h"

struct event;

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

/* A bound socket, listening or not. */
struct net_socket {
	struct list node; /* in net->sockets */
	struct net *net;
	enum transport transport;
	struct net_addr asked, bound; /* asked may have port 0 */
	bool on_demand;               /* nobody listed it; made to send */
	bool wanted;                  /* the configuration being applied lists it */
	usec_t idle_timeout, first_timeout;
	int fd;
	struct event *readable;
	void (*close)(struct net_socket *s);
};

struct net {
	struct loop *loop;
	const struct log_sink *log;
	struct map flows;        /* of net_flow, by key: those that live and are found so */
	struct map targets;      /* of net_conn, by whose and where to: those of ours that live */
	struct map peers;        /* of net_peer */
	struct list sockets;     /* of net_socket */
	struct list connections; /* of net_conn, all of them */
	struct list failed, dead, idle_flows;
	size_t n_idle_flows, n_incoming, n_partial, n_queued;
	size_t max_message, max_incoming;
	uint64_t last_id; /* of a flow */
	struct timer work, sweep;
	usec_t quiet_until; /* refusals are logged once a minute */
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

/* A bound, non-blocking socket of that type, or a negative errno, logged. */
int net_socket_open(struct net_socket *s, struct net *net, int type);
void net_socket_close(struct net_socket *s);

int net_udp_listen(struct net *net, const struct net_socket *as);
struct flow *net_udp_open(
	struct net *net, const struct host_target *target, const struct net_addr *to);
void net_udp_deinit(struct net *net);
/* net-listen.c */
int net_listen(struct net *net, const struct net_socket *as);
/* One connection of p's is gone; NULL: of ours. */
void net_listen_forget(struct net *net, struct net_peer *p);
void net_conn_accepted(const struct net_socket *listener, struct net_peer *peer, int fd,
	const struct net_addr *from);
struct flow *net_conn_open(
	struct net *net, const struct host_target *target, const struct net_addr *to);
void net_conn_deinit(struct net *net);
