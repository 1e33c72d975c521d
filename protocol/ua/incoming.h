/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
#include "protocol/ua/endpoint.h"

struct request_header;

/*
 * A request outside any dialog that passed the checks of RFC 3261 section 8.2 and waits for
 * somebody's decision. Lives until it was answered.
 */
struct incoming {
	struct endpoint *ep;
	struct list node;
	struct txn *txn;     /* NULL: over, which the listener is about to be told */
	struct msg *request; /* a reference */
	struct later_note note;
	unsigned own_answer; /* if nobody takes it; 0: what incoming_pass() says */
	bool silent;         /* a BENOTIFY: there is no transaction, and nothing is answered */
	bool told;           /* the listener has it */
	void *user;          /* the listener's */
};

/*
 * Makes t's request wait for the listener's decision on behalf of ep. NULL when too many wait
 * already: nothing was done and the caller answers 503.
 */
struct incoming *incoming_new(struct endpoint *ep, struct flow *reply_flow, struct msg *request);
/* The same for a request that is never answered. */
struct incoming *incoming_new_silent(struct endpoint *ep, struct msg *request);
/* Without an answer or a word; the transaction goes on without an owner. */
void incoming_free(struct incoming *in);

struct incoming_reply {
	unsigned status;     /* 200..699 */
	struct slice reason; /* empty: the standard phrase */
	const struct request_header *headers;
	size_t n_headers;
	struct slice content_type, body;
};

/*
 * Answers and frees; the answer reaches nobody if the request is over already. -EINVAL (bad status
 * or header) leaves it open.
 */
int incoming_reply(struct incoming *in, const struct incoming_reply *r);
/*
 * Nobody takes it: the stack's own answer (MESSAGE: 480 if nobody is there; OPTIONS: 200; NOTIFY:
 * 481; SUBSCRIBE and PUBLISH: 489; others: 480). Frees.
 */
void incoming_pass(struct incoming *in);
/* The same without being asked to: a listener that was still to decide hears incoming_gone. */
void incoming_withdraw(struct incoming *in);
