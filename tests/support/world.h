/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
#include "protocol/ua/endpoint.h"
#include "protocol/ua/incoming.h"
#include "tests/support/world-net.h"

/*
 * A world of its own: virtual time, a network, a resolver, secrets and randomness, with any number
 * of user agents in it. The second implementation of protocol/ua/host.h beside the daemon. What is
 * sent to an address that no user agent has goes to the scripted peer, that is, to the test. The
 * same seed gives the same run, byte for byte.
 */
struct world;

enum world_news_kind {
	WORLD_ADDED,
	WORLD_REMOVED,
	WORLD_DONE, /* registration_done */
	WORLD_INCOMING,
	WORLD_GONE,
};

/* What a user agent told its listener. endpoint_changed is only counted. */
struct world_news {
	struct list node;
	enum world_news_kind kind;
	usec_t at;           /* since the world began */
	struct endpoint *ep; /* valid unless it was removed since */
	enum ua_verb verb;
	unsigned status;
	char reason[64];
	enum origin origin;
	int error;
	struct incoming *in; /* NULL once it is gone */
};

/* One user agent with its address. */
struct world_ua {
	struct world *w;
	struct ua *ua;
	struct list node, flows, answers, news;
	struct host host;
	char address[48];
	uint16_t next_port;
	unsigned changes; /* endpoint_changed masks, or-ed; the test may clear them */
	size_t n_changed;
	bool hold_secrets; /* questions for secrets are left open */
	/* Called instead of queueing WORLD_INCOMING; may be NULL. */
	void (*on_incoming)(struct world_ua *wu, struct incoming *in);
	/* Called beside queueing WORLD_GONE; may be NULL. The pointer is dead after it. */
	void (*on_gone)(struct world_ua *wu, struct incoming *in);
	/* Called after queueing WORLD_DONE; may be NULL. */
	void (*on_done)(struct world_ua *wu, struct endpoint *ep, const struct outcome *o);
	/* world-session.h */
	const struct world_session_hooks *sessions; /* NULL: everything is queued */
	struct list asked, told, seen;
	size_t n_sessions; /* told added and not removed */
	/* world-subscriber.h */
	const struct world_subscriber_hooks *subscribers; /* NULL: everything is queued */
	struct list subscriber_told;
	size_t n_subscribers; /* told incoming and not removed */
	unsigned n_listening;
	int listen_error;          /* what the next listen() says; 0: it works */
	struct host_listen listen; /* the last wish; host is not kept */
	void *user;
};

/* ---- the world and its time ---- */

struct world *world_new(uint64_t seed);
/* User agents go with it, without a word. */
void world_free(struct world *w);
/* Since the world began. */
usec_t world_now(const struct world *w);
void world_run(struct world *w, usec_t duration);
/* The machine sleeps: time passes in one step, and timers find out afterwards. */
void world_sleep(struct world *w, usec_t duration);
/* Until nothing is in flight and nothing is due: time passes only as packets need it. */
void world_settle(struct world *w);
/* Below bound, from the generator that drives the network. */
uint64_t world_random_below(struct world *w, uint64_t bound);

/* A user agent at that address, port 5060 for UDP and TCP, 5061 for TLS, IPv4 or IPv6. */
struct world_ua *world_ua(struct world *w, const char *address);
void world_ua_free(struct world_ua *wu);
/* Nothing is left: no transaction, no timer, no flow that somebody holds, no packet. */
void world_expect_idle(struct world_ua *wu);

/* ---- who is who ---- */

struct world_account {
	const char *id;        /* also the user part of the address of record */
	const char *domain;    /* "example.com" */
	const char *registrar; /* numeric or a name; NULL: no server, peer-to-peer */
	const char *password;  /* NULL: nobody has one */
	enum transport transport;
	bool sips; /* the address of record is a sips URI */
	bool deaf; /* peer-to-peer, and does not listen */
	bool auto_refresh;
	bool microsoft;          /* MicrosoftExtensions */
	uint32_t expires, flows; /* 0: the default, and one */
};
/* Makes a profile and an endpoint of it. */
struct endpoint *world_endpoint(struct world_ua *wu, const struct world_account *a);
/* From now on the host answers so for that endpoint; password NULL: nobody has one. */
void world_set_secret(
	struct world *w, const char *endpoint_id, const char *user, const char *password);
/* Adds an address to a name. */
void world_set_name(struct world *w, const char *name, const char *address);
