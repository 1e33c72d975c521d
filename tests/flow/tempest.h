/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
#include "protocol/ua/limits.h"
#include "tests/support/world-peer.h"
#include "tests/support/world-record.h"
#include "tests/support/world-session.h"

/* The world of session-storm.c: who calls whom, what owners do, and what is true in the end. */

#define SEC USEC_PER_SEC

enum {
	PARTIES = 3,
	ENDPOINTS = 2, /* of each */
	ATTEMPTS = 4,  /* called sides of a call: the redirected ones, and the last */
	LIFE = 25,     /* seconds after which a session that still stands is ended */
	LONG_LIFE = 7200,
	LONG_ODDS = 40, /* one in so many sessions has that */
	PER_STEP = 2,   /* sessions begun in a step at most */
	VERB_ODDS = 40, /* one in so many steps, an owner does something */
	WRITTEN_MAX = 1 << 16,
	/* After the last session: what ends one after the other, and subscriptions of REFERs. */
	AFTERWARDS = LIMITS_REFER_SECONDS + 5 * 33,
};

/* What one side of a session did and saw. */
struct side {
	struct session *s; /* NULL: not yet, or gone */
	struct call *call;
	unsigned party;
	bool seen, accepted, redirected, replaced, offer_waits, offer_refused;
	bool ended_here;
	char why[24];        /* Reason of the BYE or CANCEL */
	unsigned why_status; /* its cause */
	unsigned rejected;   /* the status; why has the phrase */
	unsigned n_established, n_terminated;
	unsigned status;
	char reason[64];
	enum origin origin;
	unsigned n_refers, n_refers_finished;
	uint32_t refer; /* to be notified; 0: none */
};

struct call {
	struct tempest *storm;
	struct side sides[1 + ATTEMPTS]; /* the caller's, the called's */
	unsigned n_called;
	bool long_lived;
	usec_t end_at;
};

/* One who calls and is called. */
struct party {
	struct world_ua *wu;
	struct endpoint *eps[ENDPOINTS];
};

enum weather {
	WEATHER_ROUGH,
	WEATHER_STORM_PASSES, /* nothing arrives for a while */
	WEATHER_DEAD,         /* nothing arrives any more */
};

struct tempest {
	struct world *w;
	struct party parties[PARTIES];
	struct call *calls;
	unsigned n_room, n_begun, n_own; /* n_own: not led to by a REFER */
	enum weather weather;
	usec_t dies_at, recovers_at;
	unsigned n_waiting, n_answered;
	unsigned char *written; /* how often each text arrived */
	unsigned n_written;
	unsigned n_established, n_unheard, n_verbs_ok;
};

extern const char *const tempest_addresses[PARTIES];
extern const char *const tempest_names[PARTIES][ENDPOINTS];

unsigned tempest_below(struct tempest *st, unsigned bound);
struct session_body tempest_body(struct tempest *st);
unsigned tempest_number(const struct call *c);
/* A URI of somebody who is not that party. */
void tempest_other_uri(struct tempest *st, unsigned party, struct buf *b);

/* ---- tempest-verbs.c ---- */

/* The next call, of that party, until tempest_begun(): its caller's session is there. */
struct call *tempest_call(struct tempest *st, unsigned party);
void tempest_begun(struct call *c);
/* Whatever may be done now. */
void tempest_act(struct side *side);
/* The same verb on both sides in the same instant. */
void tempest_collide(struct call *c);
void tempest_answer(struct tempest *st, struct side *side);
void tempest_end(struct tempest *st, struct side *side);
/* A REFER came. */
void tempest_referred(struct tempest *st, struct side *side, uint32_t id);

/* ---- tempest-check.c ---- */

/* Each session ended once on each side, and what one says of the other is true. */
void tempest_check(struct tempest *st);
