/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
#include "protocol/msg/sdp.h"
#include "protocol/ua/connect.h"
#include "protocol/ua/session-private.h"

/*
 * What the files of a connection share.
 *
 *   connect.c        life, and calling both parties
 *   connect-match.c  bringing their descriptions together, in the beginning and once they talk
 *
 *   FIRST -> SECOND ------------> JOINED <-> MATCH
 *                  \-> (held) MATCH -/
 *
 * A match (RFC 3725 4.4, messages 4 to 9, begun with the first): one party is asked for an offer,
 * the other for the answer to that. It joins a party that was held, and brings together again what
 * a lost exchange may have left apart.
 */
enum connect_phase {
	CONNECT_FIRST,  /* the first is called */
	CONNECT_SECOND, /* the second is called; the first waits for our ACK, or is held */
	CONNECT_MATCH,
	CONNECT_JOINED,
	CONNECT_OVER,
};

struct connect_side {
	struct connect *c;
	struct session *s; /* NULL: not there yet, or gone */
};

/* Lives as long as either session, or a verb inside them that waits. */
struct connect {
	struct endpoint *ep;
	enum connect_phase phase;
	struct connect_side first, second;
	bool untold;              /* the first was told to be established before they were joined */
	struct sdp_origin origin; /* what the first hears comes from it; version 0: never held */
	struct timer hold;
	unsigned n_waits;
	/* What the second is called with. */
	char *target, *privacy;
	struct request_header *headers;
	size_t n_headers;
	usec_t timeout;
};

static inline struct ua *connect_ua(const struct connect *c)
{
	return c->ep->ua;
}

static inline struct connect_side *connect_other(struct connect_side *side)
{
	return side == &side->c->first ? &side->c->second : &side->c->first;
}

/* ---- connect.c ---- */

/* Both parties end with that outcome, unless they do already. */
void connect_end(struct connect *c, const struct outcome *o);
void connect_end_here(struct connect *c, unsigned status, struct slice reason);
/* Frees c if neither session nor verb needs it. */
void connect_release(struct connect *c);

/* ---- connect-match.c ---- */

/* That party's offer waits for an answer, which is this: then they are joined. */
void connect_join(struct connect_side *side, const struct session_body *answer);
/* Asks that party for an offer and the other for the answer; then they are joined. */
void connect_match(struct connect_side *side);
/* What a party offers, answers and says, for the other. */
void connect_relay_offer(struct connect_side *side, const struct ua_session_event *e);
void connect_relay_answer(struct connect_side *side, const struct ua_session_event *e);
void connect_relay_message(struct connect_side *side, const struct ua_session_event *e);
