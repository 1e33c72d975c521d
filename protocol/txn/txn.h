/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
#include "protocol/txn/timers.h"
#include "protocol/txn/txn-table.h"

/*
 * Transactions (RFC 3261 section 17 with RFC 6026, 4320 and 4321): the four machines behind one
 * face. The table owns every transaction until it terminates; an owner holds a pointer only until
 * it was told `ended`, or until it forgets.
 *
 * `failed` and `ended` come from timerq_run(), txn_table_flow_down() and txn_table_deinit() only,
 * never while the owner is inside one of its own calls nor from txn_table_receive(). What is over
 * at once (on a reliable flow, or because the flow is down already) waits for a timer of no delay.
 */

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
	TXN_TIMEOUT, /* Timer B, F or H; or a non-INVITE was not answered in time (RFC 4320 4.2) */
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
	/* The To tag of the answers to this INVITE, for the one to its CANCEL (9.2). */
	struct slice (*to_tag)(void *owner);
	/* A CANCEL for this INVITE arrived and no final response was sent (RFC 3261 9.2). */
	void (*cancelled)(void *owner, struct txn *t, const struct msg *cancel);
	/*
	 * No ACK came (Timer H), no answer to a non-INVITE within 64*T1, or no flow could carry a
	 * response; told once. The transaction may live on to absorb what still comes
	 * (RFC 6026 7.1), but txn_reply() of a non-INVITE is -ESTALE from now on.
	 */
	void (*failed)(void *owner, struct txn *t, enum txn_failure why);
	void (*ended)(void *owner, struct txn *t);
};

/* ---- client ---- */

/* Sends request (a reference is taken), whose top Via has our branch, over f. NULL when the table
 * is full. A flow that is still opening holds the bytes back; the timers run nevertheless. */
struct txn *txn_client_new(struct txn_table *tt, struct flow *f, struct msg *request,
	const struct txn_client_ops *ops, void *owner);
/*
 * Ends an INVITE early (RFC 3261 9.1): the CANCEL goes out at once if a provisional response was
 * there, or when the first one comes, and never after a final one. If no final response
 * follows within 64*T1 of the CANCEL, the owner is told TXN_TIMEOUT. A second call changes nothing.
 * -ESTALE after a final response, -EINVAL for anything but an INVITE client.
 */
int txn_cancel(struct txn *t);
/* The same with whole lines for the CANCEL, such as Reason (RFC 3326). */
int txn_cancel_with(struct txn *t, struct slice lines);

/* ---- server ---- */

/* For a request that txn_table_receive() called new. NULL when the table is full, or holds
 * TXN_SAME_ID_MAX that only the Request-URI and the To tag tell from it: answer 503. */
struct txn *txn_server_new(struct txn_table *tt, struct flow *reply_flow, const struct msg *request,
	const struct txn_server_ops *ops, void *owner);
/*
 * Sends a response with that status; bytes are copied for retransmission. -ESTALE after a final
 * one, except for further 2xx in Accepted, whose retransmission is the caller's (RFC 6026 7.1).
 * To a non-INVITE a provisional response other than 100, and a 408, are refused with -EINVAL; over
 * an unreliable flow a 100 is taken but not sent before Timer E would have reached T2, at which
 * time one leaves anyway (RFC 4320 4.1, 4.2).
 */
int txn_reply(struct txn *t, unsigned status, struct slice bytes);
/* The To tag of its answers, as sent or as the owner says; nothing if there is none yet. */
void txn_append_to_tag(struct buf *b, const struct txn *t);
/* What a server sent last, read back; the caller unreferences it. NULL if there is none. */
struct msg *txn_last_response(const struct txn *t);
/*
 * Tells the owner of an INVITE transaction without final response that it was cancelled (9.2). The
 * caller answers the CANCEL.
 */
void txn_server_cancelled(struct txn *t, const struct msg *cancel);

/* ---- both ---- */

/*
 * The owner is told nothing any more; the machine goes on by itself. An INVITE that nobody would
 * end any more goes silently after Timer C. NULL is fine.
 */
void txn_forget(struct txn *t);
/* From one owner of a server transaction to another. */
void txn_hand_over(struct txn *t, const struct txn_server_ops *ops, void *owner);
const struct msg *txn_request(const struct txn *t);
struct flow *txn_flow(const struct txn *t);
enum txn_kind txn_kind(const struct txn *t);
enum txn_state txn_state(const struct txn *t);
const char *txn_state_name(enum txn_state s);
