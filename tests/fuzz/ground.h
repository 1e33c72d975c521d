/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
#include "protocol/ua/host.h"
#include "protocol/ua/profile.h"

/* What a fuzzed user agent stands on: two flows that are up, no names, repeatable randomness. */

struct ground;
struct msg;
struct ua;

struct ground_flow {
	struct flow flow;
	struct ground *ground;
};

struct ground {
	struct host host;
	struct ground_flow udp, tcp;
	uint64_t random, secret_query; /* the last question for a secret; 0: none waits */
	uint64_t *names;               /* questions for names that wait */
	enum dns_kind kind;            /* of the last one */
	size_t n_names;
	/* What was sent, parsed: the core sends nothing faulty. */
	void (*sent)(void *ctx, struct flow *f, struct msg *m);
	void *ctx;
};

/* Aborts, so that the engine keeps the input. */
void ground_expect(bool holds);
void ground_init(
	struct ground *g, void (*sent)(void *ctx, struct flow *f, struct msg *m), void *ctx);
/* Nobody holds a flow any more. */
void ground_deinit(struct ground *g);
/* The TCP flow breaks, and the same address is up again. */
void ground_break(struct ground *g, struct ua *ua);
/* There are no names: each question that waits is answered so, as every host must (host.h). */
void ground_resolve(struct ground *g, struct ua *ua);
/* alice@example.com with one server, 192.0.2.1, in that role. */
struct profile *ground_profile(enum profile_role role);
