/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
#include "protocol/ua/subscriber.h"
#include "tests/support/world.h"

/* What user agents tell about their subscribers, in the order in which they do. */

enum world_subscriber_kind {
	WORLD_SUBSCRIBER_INCOMING,
	WORLD_SUBSCRIBER_CHANGED,
	WORLD_SUBSCRIBER_EVENT,
	WORLD_SUBSCRIBER_REMOVED,
};

struct world_subscriber_told {
	struct list node;
	enum world_subscriber_kind kind;
	struct subscriber *s; /* NULL once it was removed */
	unsigned changes;
	enum subscriber_news news;
	unsigned status;
	enum origin origin;
	char reason[64];
};

/* The next that is told of any subscriber is that somebody subscribes. */
struct subscriber *world_expect_subscriber(struct world_ua *wu);
/* The next that is told is of that kind, and what it says. */
void world_expect_subscriber_changed(struct world_ua *wu, unsigned changes);
void world_expect_subscriber_news(struct world_ua *wu, enum subscriber_news news);
void world_expect_subscriber_removed(struct world_ua *wu, const char *reason, enum origin origin);
/* Nothing is told that was not expected. */
void world_expect_no_subscriber(struct world_ua *wu);
/* A whole state, as a body; no headers. */
struct subscriber_body world_state(const char *type, const char *text);

/* Set in a world_ua: called instead of queueing. */
struct world_subscriber_hooks {
	void (*incoming)(struct world_ua *wu, struct subscriber *s);
	void (*event)(struct world_ua *wu, struct subscriber *s, enum subscriber_news news);
	void (*removed)(
		struct world_ua *wu, struct subscriber *s, const struct subscriber_end *end);
};

/* ---- for world-record.c and world.c ---- */
void world_subscriber_incoming(void *ctx, struct subscriber *s);
void world_subscriber_changed(void *ctx, struct subscriber *s, unsigned changes);
void world_subscriber_event(
	void *ctx, struct subscriber *s, enum subscriber_news news, const struct msg *m);
void world_subscriber_removed(void *ctx, struct subscriber *s, const struct subscriber_end *end);
void world_subscriber_free_told(struct world_ua *wu);
