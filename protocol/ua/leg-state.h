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

/* A re-INVITE or UPDATE of ours. */
struct leg_modify {
	enum method method;
	struct request *request;
	struct leg_body body;
	struct session_reply reply;
	struct timer glare; /* 491: waits before it tries again */
	unsigned n_tries;
	bool refresh; /* of the session timer: nobody waits */
};

/* A re-INVITE or UPDATE of the peer's, until it is answered. */
struct leg_asked {
	struct txn *txn; /* NULL: none */
	struct msg *request;
};

/* One of our reliable provisional responses; leg-reliable.c. */
struct leg_reliable {
	struct list queue; /* of those not acknowledged; only the first is on the wire */
	struct timer repeat, deadline;
	usec_t interval;
	uint32_t rseq_out;  /* the last that we sent; 0: none */
	uint32_t rseq_in;   /* the last in order that came; 0: none */
	uint32_t cseq_in;   /* of the INVITE that rseq_in belongs to */
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
