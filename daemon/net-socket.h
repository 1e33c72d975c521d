/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* Bound sockets, for datagrams and for listening, and what each transport does with its own. */
#include "daemon/net-flow.h"

struct daemon_listen;
struct event;
struct tls_identity;

/* A bound socket, listening or not. */
struct net_socket {
	struct list node; /* in net->sockets */
	struct net *net;
	enum transport transport;
	struct net_addr asked, bound; /* asked may have port 0 */
	bool on_demand;               /* nobody listed it; made to send */
	bool wanted;                  /* the configuration being applied lists it */
	bool listed;                  /* the one that was applied last does */
	struct list uses;             /* by endpoints: net-serve.c */
	usec_t idle_timeout, first_timeout;
	struct tls_identity *identity; /* TLS */
	bool mutual;                   /* a certificate is asked for, good for one of these */
	char **allowed;
	size_t n_allowed;
	int fd;
	struct event *readable;
	void (*close)(struct net_socket *s);
};

/* Takes over who may connect, and what is shown to them, from the configuration. */
int net_socket_configure(struct net_socket *s, struct net *net, const struct daemon_listen *l);
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
