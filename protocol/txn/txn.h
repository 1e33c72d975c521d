/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
#include "protocol/base/buf.h"
#include "protocol/base/map.h"
#include "protocol/msg/msg.h"
#include "protocol/txn/flow.h"
#include "protocol/txn/timers.h"

/*
 * Transactions (RFC 3261 section 17 with RFC 6026, 4320 and 4321): the four machines behind one
 * face. The table owns every transaction until it terminates; an owner holds a pointer only until
 * it was told `ended`, or until it forgets.
 */

struct log_sink;
struct txn;

enum txn_kind {
	TXN_ICT,  /* txn-ict.c: INVITE client */
	TXN_NICT, /* txn-nict.c: non-INVITE client */
	TXN_IST,  /* txn-ist.c: INVITE server */
	TXN_NIST, /* txn-nist.c: non-INVITE server */
};

enum txn_state {
	TXN_CALLING,
	TXN_TRYING,
	TXN_PROCEEDING,
	TXN_COMPLETED,
	TXN_ACCEPTED,
	TXN_CONFIRMED,
	TXN_TERMINATED,
};

enum txn_failure {
	TXN_TIMEOUT,   /* Timer B, F or H */
	TXN_TRANSPORT, /* the flow went down */
};

/*
 * What the owner of a client transaction is told, always as the last act of an input, so that it
 * may do anything, txn_forget() and new requests included. Any member may be NULL.
 */
struct txn_client_ops {
	/* Each provisional response, the first final one, and in Accepted every 2xx. */
	void (*response)(void *owner, struct txn *t, const struct msg *m);
	/* No final response came; told once, instead of it. */
	void (*failed)(void *owner, struct txn *t, enum txn_failure why);
	/* The transaction goes; the pointer is dead when this returns. */
	void (*ended)(void *owner, struct txn *t);
};

struct txn_server_ops {
	/* The ACK for a final response other than 2xx. */
	void (*acked)(void *owner, struct txn *t, const struct msg *ack);
	/* A CANCEL for this INVITE arrived and no final response was sent (RFC 3261 9.2). */
	void (*cancelled)(void *owner, struct txn *t, const struct msg *cancel);
	/* No ACK came (Timer H), or no flow could carry the response. */
	void (*failed)(void *owner, struct txn *t, enum txn_failure why);
	void (*ended)(void *owner, struct txn *t);
};

struct txn_table {
	struct timerq *timers;
	const struct log_sink *log;
	struct map clients, servers, merges;
	size_t n, max; /* transactions of all kinds, and their ceiling */
	/*
	 * Asked when a response should leave over a flow that is down: another flow to the same
	 * peer (RFC 3261 18.2.2) with a reference for the transaction, or NULL. May be NULL itself.
	 */
	struct flow *(*reroute)(void *ctx, const struct msg *request, struct flow *down);
	void *reroute_ctx;
	/* Counters for GetStatistics. */
	uint64_t n_requests_in, n_requests_out, n_retransmissions_in, n_retransmissions_out;
	uint64_t n_timeouts, n_stray_responses;
};

void txn_table_init(struct txn_table *tt, struct timerq *timers, uint64_t hash_seed, size_t max);
/* Ends every transaction at once, telling owners `ended`. */
void txn_table_deinit(struct txn_table *tt);

/* ---- input ---- */

enum txn_recv {
	TXN_RECV_DONE,           /* a transaction took it: retransmission, response, ACK */
	TXN_RECV_REQUEST,        /* a new request: answer it by txn_server_new() */
	TXN_RECV_ACK,            /* an ACK that no transaction waits for: for a 2xx, or a stray */
	TXN_RECV_STRAY_RESPONSE, /* a response to nothing: a late 2xx, or noise */
};

/*
 * A well-formed message arrived. Matching is by branch, sent-by and method; for a branch without
 * the cookie by the RFC 2543 rules of section 17.2.3.
 */
enum txn_recv txn_table_receive(struct txn_table *tt, struct flow *f, const struct msg *m);
/* The flow is FLOW_DOWN from now on: every transaction that still has to send fails. */
void txn_table_flow_down(struct txn_table *tt, struct flow *f);
/* The INVITE server transaction that a CANCEL means (RFC 3261 9.2), or NULL. */
struct txn *txn_find_cancelled(const struct txn_table *tt, const struct msg *cancel);
/*
 * A server transaction other than t with the same From tag, Call-ID and CSeq as m, which has no To
 * tag: m came over two paths and deserves a 482 (RFC 3261 8.2.2.2).
 */
bool txn_is_merged(const struct txn_table *tt, const struct msg *m);

/* ---- client ---- */

/*
 * Sends request (a reference is taken), whose top Via has our branch, over f. NULL when the table
 * is full. A flow that is still opening holds the bytes back; the timers run nevertheless.
 */
struct txn *txn_client_new(struct txn_table *tt, struct flow *f, struct msg *request,
	const struct txn_client_ops *ops, void *owner);
/*
 * Ends an INVITE early (RFC 3261 9.1): the CANCEL goes out at once if a provisional response was
 * there, or when the first one comes, and never after a final one. If no final response
 * follows within 64*T1 of the CANCEL, the owner is told TXN_TIMEOUT. -ESTALE after a final
 * response.
 */
int txn_cancel(struct txn *t);

/* ---- server ---- */

/* For a request that txn_table_receive() called new. NULL when the table is full: answer 503. */
struct txn *txn_server_new(struct txn_table *tt, struct flow *reply_flow, const struct msg *request,
	const struct txn_server_ops *ops, void *owner);
/*
 * Sends a response with that status; bytes are copied for retransmission. -ESTALE after a final
 * one, except for further 2xx in Accepted, whose retransmission is the caller's (RFC 6026 7.1).
 * A provisional response other than 100 to a non-INVITE is refused, and a 100 is not sent before
 * Timer E would have reached T2 (RFC 4320 4.1).
 */
int txn_reply(struct txn *t, unsigned status, struct slice bytes);
/* Tells the owner of an INVITE transaction that it was cancelled. The caller answers the CANCEL. */
void txn_server_cancelled(struct txn *t, const struct msg *cancel);

/* ---- both ---- */

/* The owner is told nothing any more; the machine goes on by itself. NULL is fine. */
void txn_forget(struct txn *t);
void txn_set_owner(struct txn *t, void *owner);
const struct msg *txn_request(const struct txn *t);
struct flow *txn_flow(const struct txn *t);
enum txn_kind txn_kind(const struct txn *t);
enum txn_state txn_state(const struct txn *t);
const char *txn_state_name(enum txn_state s);
