/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
#include "tests/support/world-flow.h"
#include "tests/support/world-keepalive.h"
#include "tests/support/world-peer.h"

/* Shared by the files of the world; tests don't look in here. */
enum {
	WORLD_NAMES = 64,
	WORLD_SHOWN = 16,
	/* Steps within one instant: more means that something spins. */
	WORLD_MAX_STEPS = 200000,
};
/* The clock does not start at zero, which is a special value for some moments. */
#define WORLD_BEGIN (1000 * USEC_PER_SEC)
/* 2026-01-01 00:00:00 UTC at WORLD_BEGIN */
#define WORLD_EPOCH_USEC (INT64_C(1767225600) * 1000000)

struct world_secret {
	char *endpoint_id, *user, *password;
};

struct world {
	struct timerq timers; /* the wire's, the resolver's and the secrets' */
	struct list uas;
	struct world_net net;
	uint64_t net_rng, ua_rng;
	bool garbage;      /* some flow may be freed */
	uint64_t n_flows;  /* made so far */
	size_t n_hopeless; /* timers of connections that nobody takes */

	struct world_secret *secrets;
	size_t n_secrets;
	struct list dns; /* of struct world_dns */
	struct buf dns_asked;
	char *dns_told;
	struct {
		char address[48];
		enum world_reach reach;
		char tls[64]; /* why handshakes fail; "": they don't */
	} reach[WORLD_NAMES];
	size_t n_reach;

	struct list packets; /* in flight */
	struct list inbox;   /* of struct world_mail, not yet expected */
	struct list seen;    /* expected; kept for the test */
	world_peer_fn *peer;
	void *peer_ctx;
	uint64_t serial; /* for {n} */

	struct world_pings pings;
	bool hushed;
	struct buf log;
	const char *shown[WORLD_SHOWN];
	size_t n_shown;
};

/* A question that the host answers a little later, as it promised. */
struct world_answer {
	struct timer timer;
	struct list node;
	struct world_ua *ua;
	uint64_t query;
	enum dns_kind kind;
	char name[DNS_NAME_BYTES];
};

/* world.c */
struct world_answer *world_answer_new(
	struct world_ua *wu, uint64_t query, const char *name, void (*fire)(struct timer *));
void world_answer_free(struct world_answer *a);
uint64_t world_rng(uint64_t *state);
/* To the next event, but not beyond limit, a moment on the world's own clock. */
void world_step(struct world *w, usec_t limit);
struct world_ua *world_find_ua(const struct world *w, const char *address);

/* world-dns.c */
void world_dns_resolve(void *ctx, uint64_t query, enum dns_kind kind, const char *name);
void world_dns_deinit(struct world *w);

/* world-keepalive.c */
bool world_keepalive_is(const struct world_packet *p);
void world_keepalive_take(struct world *w, const struct world_packet *p);
void world_keepalive_deliver(struct world_ua *wu, struct flow *f, const struct world_packet *p);

/* world-net.c */
struct flow *world_net_open(void *ctx, const struct host_target *target);
void world_net_deinit(struct world *w);
void world_net_free_flows(struct world_ua *wu);
/* Frees flows that are down or datagram ways, once nobody holds them. */
void world_net_collect(struct world *w);
/* bytes leave from `from`; the network decides. */
void world_net_send(struct world *w, const struct world_packet *p);
enum world_reach world_net_reach(const struct world *w, const char *address);

/* world-peer.c */
void world_peer_deinit(struct world *w);
/* Something arrived where no user agent is. */
void world_peer_receive(struct world *w, const struct world_packet *p);

/* world-record.c */
extern const struct ua_listener world_listener;
void world_record_free_news(struct world_ua *wu);
/* A line in the transcript; note NULL or what became of it ("lost"). */
void world_record_packet(struct world *w, const struct world_packet *p, const char *note);
