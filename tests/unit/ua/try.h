/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
#include "protocol/ua/request.h"
#include "tests/support/world-peer.h"
#include "tests/support/world-record.h"

/* One user agent with one endpoint in a world, and what became of a request that it sent. */
struct
try {
	struct world *w;
	struct world_ua *wu;
	struct ua *ua;
	struct endpoint *ep;

	struct request *r; /* NULL once it is done */
	unsigned n_done, n_progress, last_progress;
	unsigned status;
	char reason[128];
	enum origin origin;
	int error;
	uint32_t cseq; /* of the last attempt */
	bool had_flow;
	bool inside; /* request_new() has not returned */
	/* Called in the callbacks, after recording; may be NULL. */
	void (*on_done)(struct try * t, struct request * r);
	void (*on_progress)(struct try * t, struct request * r);
};

#define TRY_UA "192.0.2.10"
#define TRY_SERVER "192.0.2.1"

/* alice, registered at TRY_SERVER, "secret" */
extern const struct world_account try_alice;
/* bob, a peer */
extern const struct world_account try_bob;

void try_init(struct try *t, const struct world_account *a);
/* Lets everything end, and checks that nothing is left. */
void try_deinit(struct try *t);

/* A MESSAGE with a short body. */
struct request_spec try_spec(const char *target);
void try_send(struct try *t, const struct request_spec *spec);
void try_page(struct try *t, const char *target);
/* The request ended, once, in that way. */
void try_expect(struct try *t, unsigned status, int error, enum origin origin);
void try_expect_pending(const struct try *t);

/* The whole first line with that header name, without line end; fails if there is none. */
struct slice try_header(const struct msg *m, const char *name);
bool try_has(struct slice text, const char *part);
