/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
#include "protocol/ua/limits.h"
#include "tests/support/world-peer.h"
#include "tests/support/world-record.h"

/* The world of subscription-storm.c: who watches whom, what owners do, and what is true in the end.
 */

#define SEC USEC_PER_SEC

enum {
	PARTIES = 3,
	ENDPOINTS = 2, /* of each; the k-th has the k-th other party as its server */
	RESOURCES = PARTIES * ENDPOINTS,
	HASTE = 60,       /* seconds in which everything begins and much ends */
	ROUGH = 1800,     /* seconds until the weather is fine */
	CALM = 3 * 3600,  /* seconds after that, in which all settles: hourly attempts come round */
	ROOM = 64,        /* dialogs remembered as over, of one watch */
	PER_STEP = 2,     /* begun in a step at most */
	VERB_ODDS = 150,  /* one in so many steps, an owner does something */
	CHANGE_ODDS = 60, /* the same of a resource's state */
	BEGIN_ODDS = 4,   /* one in so many steps, somebody begins, once haste is over */
	FOR_GOOD = 8,     /* one in so many refusals and ends is the last word */
	REBOOT_ODDS = 500, /* the same of a party's memory */
	STAY_ODDS = 3,     /* one in so many stays until all ends */
	EXPIRES_LEAST = 20,
	EXPIRES_SPAN = 600,
	MIN_EXPIRES = 40,       /* of the compositor, seconds */
	REQUESTS_PER_HOUR = 40, /* of one owner, to somebody who is not there */
};

struct gale;
struct post;
struct watch;

/* Whose state is watched: an endpoint. */
struct resource {
	struct gale *g;
	unsigned party;
	struct endpoint *ep; /* NULL while the party is down */
	uint32_t version;
};

struct party {
	struct world_ua *wu; /* NULL: down */
	usec_t down_until;
	struct list entries; /* it is the compositor of whoever has it as server */
};

enum weather {
	WEATHER_ROUGH,
	WEATHER_REBOOTS, /* parties go down and come up again, with no memory */
	WEATHER_SILENCE, /* nothing arrives for a while */
	WEATHER_DEAD,    /* one party goes down for good */
};

struct gale {
	struct world *w;
	struct party parties[PARTIES];
	struct resource resources[RESOURCES];
	struct watch *watches;
	struct post *posts;
	unsigned n_watches, n_posts;
	struct list seats;
	enum weather weather;
	usec_t dies_at, recovers_at;
	unsigned victim; /* of WEATHER_DEAD */
	bool calm;       /* owners want no more changes, and everybody is let in */
	uint32_t n_etags, n_texts;
	unsigned n_seats, n_removed, n_lost_seats;
	unsigned n_waiting, n_answered, n_lost_replies;
	uint64_t n_unheard;            /* requests to somebody who is down */
	unsigned n_watching, n_posted; /* when all is calm */
};

extern const char *const gale_addresses[PARTIES];
extern const char *const gale_names[PARTIES][ENDPOINTS];

unsigned gale_below(struct gale *g, unsigned bound);
/* A resource at the server of that endpoint. */
struct resource *gale_target(struct gale *g, unsigned party, unsigned k);
void gale_append_uri(struct buf *b, const struct resource *r);

/* ---- gale-check.c ---- */

/* Whoever watches knows the last state. */
void gale_check_heard(const struct gale *g);
/* All is calm: who watches knows the last state, what is published is there. */
void gale_check_settled(struct gale *g);
/* All is over: each ended once. */
void gale_check_over(const struct gale *g);
