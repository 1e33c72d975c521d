/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/*
 * Connections, ours and those of others, TCP with or without TLS: alike once they are open. Each
 * has one timer; what is due is worked out when it fires, so that a message costs no timer
 * operation. net-conn.c has their life, net-stream.c what goes over them.
 */
#include "daemon/loop.h"
#include "daemon/net-socket.h"
#include "protocol/base/buf.h"
#include "protocol/msg/frame.h"

enum net_conn_phase {
	NET_CONN_CONNECTING,
	NET_CONN_SECURING, /* the handshake of TLS */
	NET_CONN_OPEN,
	NET_CONN_DRAINING, /* the last bytes go out, what comes in is thrown away */
	NET_CONN_DRAINED,
};

struct net_conn {
	struct net_flow base;
	struct list node; /* in net->connections */
	int fd;
	enum net_conn_phase phase;
	struct event *readable, *writable;
	struct buf in, out;
	size_t out_at;   /* what of out is sent */
	struct tls *tls; /* NULL: plain TCP */
	/* Ours, until the handshake is done: on whose behalf, and whom we mean. */
	struct profile *profile;
	char *domain;
	usec_t asked;   /* since when somebody is asked about the certificate; 0: nobody is */
	bool spoken;    /* the peer has sent something */
	size_t n_early; /* bytes that wait in tls for the handshake */
	struct frame_state frame;
	/* Ours: whose it is and where it leads, while it may be shared: in net->targets. */
	struct map_node by_target;
	char *target;
	char *pool;            /* whose: flow.pool */
	struct net_peer *peer; /* NULL: we opened it */
	bool proven;           /* sent a valid message */
	bool pongs;            /* answered a ping, so silence means something */
	usec_t pinged;         /* when the ping went out that waits for its answer; 0: none does */
	bool abandoned;        /* the core is done with it; goes when drained */
	struct timer timer;
	usec_t first_timeout;
	usec_t started;  /* accepted, or began to connect; when draining: began to drain */
	usec_t partial;  /* when the first byte of what is in `in` came */
	usec_t stuck;    /* since when `out` waits without progress */
	usec_t heard;    /* last bytes from the peer */
	usec_t ping_gap; /* silence before a ping */
};

static inline struct net_conn *net_conn_of(struct net_flow *f)
{
	return container_of(f, struct net_conn, base);
}

static inline usec_t net_conn_now(const struct net_conn *c)
{
	return c->base.net->loop->timers.now;
}

/* net-conn.c */

/* Works out anew when the timer has to fire. */
void net_conn_rearm(struct net_conn *c);
/* Drains it, and logs why: a stranger who is turned away. */
void net_conn_refuse(struct net_conn *c, const char *why);
/* Closing with unread input would reset the connection and take our last answer with it. */
void net_conn_drain(struct net_conn *c, const char *why);
/* It has sent a valid message. */
void net_conn_prove(struct net_conn *c);
/* Broken: nothing more is read or written. */
void net_conn_break(struct net_conn *c, const char *why);

/* The way is open for messages. */
void net_conn_open_up(struct net_conn *c);
/* Pings as soon as it may, if it pings at all. */
void net_conn_probe(struct net_conn *c);

/* net-tls.c */

struct tls_identity;
void net_tls_connect(
	struct net_conn *c, struct tls_identity *identity, const struct host_target *target);
void net_tls_accept(struct net_conn *c, const struct net_socket *listener);
/* The socket is connected: the handshake begins. */
void net_tls_begin(struct net_conn *c);
/* Bytes from the peer; none: it sends no more. Messages in them are taken. */
void net_tls_receive(struct net_conn *c, struct slice bytes);
void net_tls_send(struct net_conn *c, struct slice bytes);
/* Says goodbye to the peer. */
void net_tls_close(struct net_conn *c);
/* What waited for the handshake has gone out, or never will. */
void net_tls_forget(struct net_conn *c);
void net_tls_free(struct net_conn *c);

/* net-stream.c */

/* Whole messages and keep-alives for the peer; what does not go out at once waits. */
void net_stream_put(struct net_conn *c, struct slice bytes);
/* As much of what waits as the socket takes. */
void net_stream_flush(struct net_conn *c);
/* Bytes as they go over the wire, behind what waits already; goes out as far as the socket takes.
 */
void net_stream_queue(struct net_conn *c, struct slice bytes);
/* Takes whole messages off c->in. */
void net_stream_take(struct net_conn *c);
/* What the socket has, up to a bound for the sake of others. */
void net_stream_read(struct net_conn *c);
/* A part of a message, and not just of a keep-alive, has arrived. */
bool net_stream_is_unfinished(const struct net_conn *c);
/* Nothing of what waits is to be sent any more. */
void net_stream_drop(struct net_conn *c);
