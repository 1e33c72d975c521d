/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
#include "protocol/dialog/offer.h"
#include "protocol/ua/request.h"
#include "protocol/ua/session.h"

/* What each matter inside a leg remembers; leg.h says which file it belongs to. */

/* A description that was exchanged; owned. */
struct leg_body {
	char *type, *bytes;
	size_t n;
};

/* Our ACKs for the 2xx of our INVITEs; leg-ack.c. */
struct leg_ack {
	struct list kept; /* those that went, to be repeated */
	unsigned n_kept;
	struct msg *
		waits; /* INVITE whose 2xx has an offer that the client has to answer; NULL: none */
	struct timer deadline;
};

/* Our 2xx that waits for its ACK. */
struct leg_answer {
	struct txn *txn; /* NULL: none waits */
	char *bytes;
	size_t n;
	uint32_t cseq;
	usec_t interval;
	struct timer repeat, deadline;
};

/* A re-INVITE or UPDATE of ours: the client's new offer, or the session timer's refresh. */
struct leg_modify {
	enum method method;      /* of what is under way */
	struct request *request; /* NULL: none is under way */
	bool refreshes;          /* what is under way is the refresh */
	bool cancelled;          /* it took too long */
	bool offer_due;          /* body is under way, or waits to be */
	bool refresh_due;
	struct leg_body body; /* the offer; empty: the peer is asked for one */
	struct session_reply reply;
	struct timer wait; /* until it may go (glare), or for the final answer */
	unsigned n_tries;
};

/* An offer of the peer's, in a re-INVITE, UPDATE or PRACK, or its wish for one, until the client
 * says what becomes of it. */
struct leg_asked {
	struct txn *txn; /* NULL: none */
	struct msg *request;
	struct timer deadline;
	struct leg_body offer; /* ours in the 2xx to an INVITE without one, until the ACK */
};

/* Reliable provisional responses, ours or the peer's (RFC 3262). */
struct leg_reliable {
	struct list queue; /* of those not acknowledged; only the first is on the wire */
	struct timer repeat, deadline;
	usec_t interval;
	uint32_t rseq_out;  /* the last that we sent; 0: none */
	uint32_t rseq_in;   /* the last in order that came; 0: none */
	uint32_t cseq_in;   /* of the INVITE that rseq_in belongs to */
	bool answer_due;    /* rseq_in brought an offer: its PRACK waits for the client */
	struct list pracks; /* ours under way */
};

struct leg_timer {
	uint32_t interval;    /* seconds; 0: none runs */
	uint32_t min_se;      /* what we ask for at least: the largest that the peer named */
	bool ours;            /* we refresh */
	unsigned n_refreshes; /* tried since the last 2xx */
	usec_t expires_at;
	struct timer timer;
};
