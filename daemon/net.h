/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
#include "daemon/tls.h"
#include "protocol/base/slice.h"
#include "protocol/base/timer.h"
#include "protocol/txn/flow.h"

struct daemon_conf;
struct host_target;
struct log_sink;
struct loop;
struct net;

/* Every ceiling on what strangers can make us hold. Each has a test. */
enum {
	NET_MAX_PER_PEER = 256,      /* connections from one IPv4 address, or one IPv6 /64 */
	NET_MAX_NEW_PER_PEER = 64,   /* of them: without a valid message yet, handshakes included */
	NET_MAX_CONNECTIONS = 65536, /* incoming ones; the file-descriptor limit may set less */
	NET_RESERVED_FDS = 128,      /* kept back for everything else */
	NET_MAX_PARTIAL = 64 << 20,  /* bytes of unfinished messages, all connections together */
	NET_MAX_QUEUED = 4 << 20,    /* bytes that one connection's peer has not taken yet */
	NET_MAX_QUEUED_TOTAL = 64 << 20, /* bytes held for that, all connections together */
	NET_MAX_UDP_QUEUED = 1 << 20,    /* bytes that one socket could not send yet; then: lost */
	NET_MAX_IDLE_FLOWS = 8192,       /* UDP peers remembered without anybody using them */
};

#define NET_UDP_IDLE (60 * USEC_PER_SEC)        /* an unused UDP peer is forgotten after this */
#define NET_CONNECT_TIMEOUT (15 * USEC_PER_SEC) /* for the handshake of TCP */
#define NET_FRAME_TIMEOUT (60 * USEC_PER_SEC)   /* from the first byte of a message to its last */
#define NET_WRITE_TIMEOUT (60 * USEC_PER_SEC)   /* a peer that takes nothing for so long is gone */
#define NET_DRAIN_TIMEOUT (2 * USEC_PER_SEC)    /* for the last answer on its way out */
#define NET_ASK_TIMEOUT (60 * USEC_PER_SEC)     /* for somebody's word on a certificate */
#define NET_PONG_TIMEOUT (10 * USEC_PER_SEC)    /* RFC 5626 section 4.4.1 */
#define NET_FIRST_TIMEOUT (60 * USEC_PER_SEC)   /* for a stranger's first message, by default */
#define NET_IDLE_TIMEOUT (15 * 60 * USEC_PER_SEC)

/* What went through the sockets since the start. */
struct net_counters {
	uint64_t datagrams_in, datagrams_out, datagrams_dropped;
	uint64_t frames_in, frames_bad, connections_in, connections_out, connections_refused;
	uint64_t handshakes, handshakes_failed; /* of TLS, done and failed */
};

/* Hears nothing and sends nothing until asked to. log and loop are borrowed; state_folder, which
 * may be NULL, is where servers that were trusted on first use are remembered. */
struct net *net_new(struct loop *loop, const struct log_sink *log, const char *state_folder);
/* After the user agent is gone: nobody holds a flow any more. NULL is fine. */
void net_free(struct net *net);
/*
 * Opens what c lists under [Listen], closes what it lists no more, and leaves alone what stays.
 * The first error as negative errno, every one logged; what could be opened is open then.
 */
int net_configure(struct net *net, const struct daemon_conf *c);
/*
 * net-move.c: addresses or routes of ours have changed. Flows whose own address is gone end now,
 * and so do endpoints' UDP flows whose peers would be sent to from another one; the core has heard
 * of it when this returns.
 */
void net_moved(struct net *net);
/* The machine slept: connections that somebody needs are asked whether they are still there. */
void net_resumed(struct net *net);
/* struct host_ops' open. */
struct flow *net_open(struct net *net, const struct host_target *target);

/* A certificate that nobody vouches for waits for somebody's word: trust on first use. */
struct net_question {
	uint64_t flow; /* its id, for net_decide() */
	struct profile *profile;
	const char *domain; /* whom we mean */
	struct flow_addr at;
	const struct flow_tls *peer;
	struct slice certificate; /* DER */
};
/* Everything in q is good until it returns. Negative: there is nobody to ask, which refuses. */
typedef int net_ask_fn(void *ctx, const struct net_question *q);
/* Who is asked; with NULL, as at first, nobody is, and such a certificate is refused. */
void net_set_ask(struct net *net, net_ask_fn *ask, void *ctx);
/* The answer, not from within the question: TLS_NO_FAILURE goes on. Late ones find nobody. */
void net_decide(struct net *net, uint64_t flow, enum tls_failure verdict);

struct net_listening {
	enum transport transport;
	struct flow_addr at;
};
/* At most max; the number of all. */
size_t net_listening(const struct net *net, struct net_listening *ret, size_t max);
const struct net_counters *net_counters(const struct net *net);
/* Every connection, one after the other: the first after NULL, NULL after the last. */
struct flow *net_next_connection(const struct net *net, const struct flow *after);
