/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
#include "protocol/txn/txn.h"
#include "tests/support/wire.h"

/*
 * Two sides with a transaction table each: alice asks, bob answers. Everything that leaves a side
 * and everything that an owner is told is one line of the transcript:
 *
 *	0.500000 alice > INVITE          sent
 *	0.510000 bob: OPTIONS            a new request arrived
 *	32.000000 alice: failed timeout  the owner was told
 */

enum rig_listening {
	RIG_LISTENS, /* what arrives goes into the table */
	RIG_DEAF,    /* what arrives is dropped: the test injects what it wants */
};

enum rig_forgets {
	RIG_KEEPS,
	RIG_FORGETS, /* inside the next callback, whichever it is */
};

struct rig_side {
	struct rig *rig;
	struct wire_side wire;
	struct txn_table table;
	struct flow *flow;
	enum rig_listening listening;
	enum rig_forgets forgets;
	unsigned answers; /* each new request at once with this status; 0: not */
	struct txn *txn;  /* the last one that was begun; NULL when it ended or was forgotten */
	struct txn *cancel_txn;
	unsigned n_txns; /* begun and not ended */
};

struct rig {
	struct timerq timers;
	struct wire wire;
	struct rig_side alice, bob;
};

/* What is not given is the same for all: a request of alice to bob. */
struct rig_request {
	const char *method, *uri, *transport, *sent_by, *branch;
	const char *from_tag, *to_tag, *call_id, *headers; /* headers end with CRLF */
	unsigned cseq;
};

/* 10 ms from side to side, no loss. max: ceiling of both tables */
void rig_init(struct rig *rig, enum transport transport, size_t max);
/* Nothing may be left: fails the test otherwise. */
void rig_deinit(struct rig *rig);
/* The transcript so far is exactly this; it is empty afterwards. */
void rig_expect(struct rig *rig, const char *transcript);
void rig_clear(struct rig *rig);

/* The caller unreferences it. */
struct msg *rig_request(const struct rig_request *r);
struct msg *rig_response(const struct msg *request, unsigned status, const char *to_tag);
/* Into the side's table, as if it had arrived. */
enum txn_recv rig_in(struct rig_side *side, const struct msg *m);
enum txn_recv rig_in_request(struct rig_side *side, const struct rig_request *r);
/* A response to what side->txn sent. */
enum txn_recv rig_in_response(struct rig_side *side, unsigned status, const char *to_tag);

/* Side becomes the client of a request with that method and the usual rest. */
struct txn *rig_start(struct rig_side *side, const char *method);
struct txn *rig_start_request(struct rig_side *side, const struct rig_request *r);
/* Side answers its last server transaction, To tag "b". */
int rig_reply(struct rig_side *side, unsigned status);
int rig_reply_txn(struct txn *t, unsigned status, const char *to_tag);
