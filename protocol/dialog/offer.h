/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
#include <stdbool.h>

#include "protocol/msg/method.h"

/*
 * Offer and answer in one dialog, whatever they describe (RFC 3264, as RFC 3261 13.2.1, RFC 3262
 * section 5, RFC 3311 5.1, RFC 6337 and RFC 6141 have it): what the body of a message means, and
 * what may be sent. No media here, bodies are opaque.
 */
enum offer_state {
	OFFER_NONE,   /* nothing was described yet */
	OFFER_LOCAL,  /* ours waits for their answer */
	OFFER_REMOTE, /* theirs waits for our answer */
	OFFER_STABLE,
};

/* Which transaction the pending offer belongs to: an answer is looked for in that one alone. */
enum offer_carrier {
	OFFER_BY_NONE,
	OFFER_BY_INVITE,   /* in the request: answered in a reliable 1xx or the 2xx */
	OFFER_BY_RELIABLE, /* in a reliable 1xx: answered in PRACK */
	OFFER_BY_2XX,      /* of an INVITE without one: answered in ACK */
	OFFER_BY_PRACK,    /* answered in its 2xx */
	OFFER_BY_UPDATE,   /* answered in its 2xx */
};

struct offer {
	enum offer_state state;
	enum offer_carrier by;
	bool wanted; /* an INVITE without offer is under way: its first reliable response has one */
	bool ever;   /* an exchange was completed: failures fall back to OFFER_STABLE (RFC 6141) */
};

/* What a session body in a message means to who receives it. */
enum offer_meaning {
	OFFER_MEANS_NOTHING, /* no body, or one that does not count (a copy of the answer) */
	OFFER_MEANS_OFFER,
	OFFER_MEANS_ANSWER,
	OFFER_MEANS_PREVIEW, /* an unreliable 1xx: like the answer to come, RFC 3261 13.2.1 */
	/*
	 * An offer, or an INVITE without one, while an exchange is pending: 491 if our offer is
	 * (OFFER_LOCAL), else 500 with Retry-After (RFC 3261 14.2, RFC 3311 5.2).
	 */
	OFFER_MEANS_GLARE,
	OFFER_MEANS_FAULT, /* not allowed there: ignored in a response, 488/400 in a request */
	/* No body: an INVITE that asks for an offer, or anything else that owed one or an answer.
	 */
	OFFER_MEANS_WANTED,
};

/* The kinds of message that may carry a description. */
enum offer_message {
	OFFER_IN_INVITE,
	OFFER_IN_1XX,      /* to INVITE, unreliable */
	OFFER_IN_RELIABLE, /* to INVITE, RFC 3262 */
	OFFER_IN_2XX,      /* to INVITE */
	OFFER_IN_ACK,
	OFFER_IN_PRACK,
	OFFER_IN_PRACK_2XX,
	OFFER_IN_UPDATE,
	OFFER_IN_UPDATE_2XX,
};

/* Reads a message of the peer's without taking it in. */
enum offer_meaning offer_meaning(const struct offer *o, enum offer_message in, bool has_body);
/*
 * Takes in what offer_meaning() said: an OFFER, an ANSWER, or that an INVITE asks for an offer.
 * Others change nothing.
 */
void offer_received(struct offer *o, enum offer_message in, enum offer_meaning what);
/*
 * What a body of ours in that message would be: OFFER, ANSWER, PREVIEW, or FAULT if it may not go
 * now. Without a body: NOTHING; WANTED for an INVITE, which then asks for an offer, and for what
 * would break the exchange (a 2xx without the answer).
 */
enum offer_meaning offer_sendable(const struct offer *o, enum offer_message in, bool has_body);
/* The counterpart of offer_received(): call it for an INVITE without body too. */
void offer_sent(struct offer *o, enum offer_message in, enum offer_meaning what);
/*
 * The request of that kind, OFFER_IN_INVITE, _PRACK or _UPDATE, failed, whosever it was: if an
 * exchange pends in it, back to what was before.
 */
void offer_failed(struct offer *o, enum offer_message in);
/* "none", "local-offer", "remote-offer", "stable": the contract's DescriptionState. */
const char *offer_state_name(enum offer_state s);
