/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
#include "protocol/txn/txn.h"

/* What the files of a transaction share; nobody outside protocol/txn/txn*.c includes this. */

enum { TXN_N_STATES = TXN_TERMINATED + 1 };

/* Legal steps are rows of bits: next[from] has bit `to`. */
#define TXN_STEP(to) (1U << (to))

/* What makes a kind of transaction that kind. */
struct txn_machine {
	const char *name;
	enum txn_state first;
	unsigned next[TXN_N_STATES];
	/* Arms and cancels the timers of t->state, which is new. */
	void (*enter)(struct txn *t);
	/* A message matches: a response for clients; the request again or its ACK for servers. */
	enum txn_recv (*receive)(struct txn *t, const struct msg *m);
	/* A client's flow is down, or no flow can carry what a server has to send. May free t. */
	void (*broken)(struct txn *t);
	/* Servers only. */
	int (*reply)(struct txn *t, unsigned status, struct slice bytes);
};

extern const struct txn_machine txn_ict, txn_nict, txn_ist, txn_nist;

enum txn_cancelling {
	TXN_CANCEL_NONE,
	TXN_CANCEL_WANTED, /* waits for the first provisional response */
	TXN_CANCEL_SENT,
};

struct txn {
	struct txn_table *table;
	const struct txn_machine *machine;
	enum txn_kind kind;
	enum txn_state state;
	enum txn_cancelling cancelling; /* of an ICT */
	bool told_failure;
	/* NULL once forgotten; which of them, kind says. */
	const struct txn_client_ops *client;
	const struct txn_server_ops *server;
	void *owner;

	struct flow *flow;   /* a reference */
	struct list on_flow; /* clients, in flow->txns */
	struct msg *request; /* a reference */
	/* What goes out again: the last response, the ACK of an ICT; before: its CANCEL's lines. */
	char *sent;
	size_t n_sent;

	/* What the table finds it by. The key is only a fingerprint; the message decides. */
	struct map_node by_id, by_merge;
	uint64_t id, merge_id;

	struct timer repeat;   /* A, E, G; before them the automatic 100 */
	usec_t interval;       /* of A, E, G */
	struct timer deadline; /* B, D, F, H, I, J, K, L, M: what ends the state */
};

/* ---- txn.c ---- */

/* The only writer of t->state. */
void txn_set_state(struct txn *t, enum txn_state to);
/* Into Terminated; the owner is told; t is gone. */
void txn_end(struct txn *t);
/* The same after a failure, which the owner is told first. */
void txn_fail(struct txn *t, enum txn_failure why);
void txn_tell_failed(struct txn *t, enum txn_failure why);
/* false: nobody listens. The last act of an input: t may have changed. */
bool txn_tell_response(struct txn *t, const struct msg *m);
/* Ends the transaction, or fails it with a timeout, when the deadline comes. */
void txn_on_end(struct timer *deadline);
void txn_on_timeout(struct timer *deadline);
void txn_arm_deadline(struct txn *t, void (*fire)(struct timer *deadline), usec_t delay);
void txn_arm_repeat(struct txn *t, void (*fire)(struct timer *repeat), usec_t interval);
/* An INVITE that nobody owns and nothing ends gets Timer C as its end. */
void txn_bound(struct txn *t);
/* Timer A, E or G: sends again and doubles the interval up to longest. */
void txn_repeat(struct txn *t, usec_t longest);
/* Remembers what will go out again. */
void txn_keep(struct txn *t, struct slice bytes);
struct slice txn_kept(const struct txn *t);
/* A server's bytes, over another flow if its own is down. If there is none: broken, later. */
void txn_send_response(struct txn *t, struct slice bytes);
/* A 100 made here is kept and sent. */
void txn_send_trying(struct txn *t);
/* A client without owner, over t's flow, that counts against no ceiling: for CANCEL. */
void txn_start_beside(struct txn *t, struct msg *request);

/* ---- txn-table.c ---- */

/* There is room for one more, both in all and among those that share its id. */
bool txn_table_takes_server(const struct txn_table *tt, const struct msg *request);
void txn_table_add(struct txn_table *tt, struct txn *t);
void txn_table_remove(struct txn_table *tt, struct txn *t);
