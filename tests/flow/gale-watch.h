/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
#include "protocol/ua/subscription.h"
#include "tests/flow/gale.h"

/* A subscription, and what its owner did and heard. */
struct watch {
	struct gale *g;
	struct subscription *s; /* NULL: over */
	unsigned party;
	struct resource *of;
	usec_t end_at; /* USEC_NEVER: it stays */
	bool seen, ended_here, freed, vanished, fetch;
	unsigned n_terminated, n_notified;
	uint32_t version;    /* heard last */
	uint64_t dialog;     /* in that */
	uint64_t over[ROOM]; /* dialogs of which the last NOTIFY was told */
	unsigned n_over;
};

void gale_watch_begin(struct gale *g);
void gale_watch_act(struct watch *w);
void gale_watch_end(struct watch *w);
