/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
#include "protocol/base/map.h"
#include "protocol/msg/msg.h"
#include "protocol/txn/flow.h"

/* All transactions of a user agent, and the messages that arrive for them. */

struct log_sink;
struct txn;

/*
 * Server transactions of RFC 2543 clients with the same method, Call-ID, From tag, CSeq and top
 * Via, which are told apart one by one. A fork has a few; beyond: 503, stateless.
 */
enum { TXN_SAME_ID_MAX = 16 };

struct txn_table {
	struct timerq *timers;
	const struct log_sink *log;
	struct map clients, servers, merges;
	size_t n, max; /* transactions of all kinds; the ceiling, which CANCELs may pass */
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

enum txn_recv {
	TXN_RECV_DONE,    /* a transaction took it: retransmission, response, ACK */
	TXN_RECV_REQUEST, /* a new request: answer it by txn_server_new() */
	TXN_RECV_ACK,     /* an ACK that no transaction waits for: for a 2xx, or a stray */
	/*
	 * A response to nothing: a late 2xx, or noise. Also a 2xx to an INVITE that its owner has
	 * forgotten, or that followed another final response: somebody must acknowledge it.
	 */
	TXN_RECV_STRAY_RESPONSE,
};

/*
 * A well-formed message arrived. Matching is by branch, sent-by and method; for a branch without
 * the cookie by the RFC 2543 rules of section 17.2.3.
 */
enum txn_recv txn_table_receive(struct txn_table *tt, struct flow *f, const struct msg *m);
/*
 * The flow is FLOW_DOWN from now on: client transactions without a final response fail. Server
 * transactions look for another flow when they have something to send (18.2.2, 17.2.4).
 */
void txn_table_flow_down(struct txn_table *tt, struct flow *f);
/* The INVITE server transaction that a CANCEL means (RFC 3261 9.2), or NULL. */
struct txn *txn_find_cancelled(const struct txn_table *tt, const struct msg *cancel);
/*
 * A server transaction that m does not match has the same From tag, Call-ID and CSeq as m, which
 * has no To tag: m came over two paths and deserves a 482 (RFC 3261 8.2.2.2). Where the users in
 * the Request-URIs differ, two servers are asked that both live here, which is no merge.
 */
bool txn_is_merged(const struct txn_table *tt, const struct msg *m);
