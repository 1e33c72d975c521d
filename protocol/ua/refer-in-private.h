/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
#include "protocol/ua/refer-private.h"

/* A REFER of the peer's. */
struct refer_in {
	struct usage usage; /* in a dialog from its acceptance on, if NOTIFYs are wanted */
	struct endpoint *ep;
	struct list node; /* in ep->refers_in */
	struct leg *leg;  /* NULL: the session is over */
	struct list in_leg;
	uint32_t id;

	bool with_id; /* in Event: not the first of its dialog */
	bool accepted;
	bool dirty; /* there is something to be told */
	bool last_sent;
	struct txn *txn;     /* until it is decided */
	struct msg *request; /* a reference */
	struct flow *flow;   /* over which it came; a reference */
	struct timer undecided;

	struct session *follows; /* the call that it led to, whose news are what is told */
	char *reason;            /* with status: of what was asked for, as known */
	unsigned status;

	/* The subscription; over when it is in no dialog. */
	usec_t expires;
	struct timer expiry, pace;
	usec_t next_at; /* NOTIFYs come no closer than a second (RFC 3515 3.10) */
	struct request *notify;
	const char *why_over; /* the reason of the last NOTIFY; NULL: it goes on */
};

/* One that came for a leg, inside its dialog or by Target-Dialog. */
void refer_in_receive(struct leg *l, struct flow *reply_flow, struct msg *m);
/* At once, without a word. */
void refer_in_free(struct refer_in *r);
/* The session is over: what is told to the peer from now on is how the call fares that it led to.
 */
void refer_in_detach(struct refer_in *r);
/* 200 and the first NOTIFY; -ESTALE; -ENOENT: it was no good after all, got 400, and is gone. */
int refer_in_accept(struct refer_in *r);
/* r is gone. -ESTALE. */
int refer_in_reject(struct refer_in *r, unsigned status);
/* r may be gone. -ESTALE. */
int refer_in_notify(struct refer_in *r, unsigned status, struct slice reason);
/* From now on the news of s are what is told; r is accepted. */
void refer_in_follow(struct refer_in *r, struct session *s);
