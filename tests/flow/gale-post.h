/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
#include "protocol/ua/publication.h"
#include "tests/flow/gale.h"

/* A publication. */
struct post {
	struct gale *g;
	struct publication *p; /* NULL: over */
	unsigned party;
	struct resource *of;
	usec_t end_at;
	bool seen, freed, vanished, removed_here;
	unsigned n_ended;
	uint32_t text; /* what is to be published */
};

/* What a compositor has. */
struct entry {
	struct list node; /* in party.entries */
	uint32_t etag, text;
	usec_t expires;
};

void gale_post_begin(struct gale *g);
void gale_post_act(struct post *p);
void gale_post_end(struct post *p);
/* The compositor: a PUBLISH came. */
void gale_compose(struct world_ua *wu, struct incoming *in);
/* What has expired goes. */
void gale_expire(struct party *p, usec_t now);
