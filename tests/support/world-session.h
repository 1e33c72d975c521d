/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
#include "protocol/ua/session-view.h"
#include "tests/support/world.h"

/* What user agents tell about sessions, in the order in which they do. */

/* One event, with copies; lives as long as its user agent. */
struct world_told {
	struct list node;
	struct session *s; /* NULL once it was removed */
	usec_t at;
	struct ua_session_event event; /* message is NULL unless a reference is held for it */
	char *copies[7];
};

/* A session that came and waits for somebody: the oldest one not expected yet. */
struct session *world_expect_session(struct world_ua *wu);
/* Nobody is asked. */
void world_expect_no_session(struct world_ua *wu);
/* The next event of any session of wu is of that kind. */
const struct world_told *world_expect_event(struct world_ua *wu, enum ua_session_news news);
/* The same with that status; for UA_SESSION_TERMINATED also the origin, and the session is gone. */
const struct world_told *world_expect_progress(struct world_ua *wu, unsigned status);
const struct world_told *world_expect_terminated(
	struct world_ua *wu, unsigned status, enum origin origin);
void world_expect_no_event(struct world_ua *wu);
/* The body of an event is that text. */
void world_expect_body(const struct world_told *told, const char *body);

/* How a verb ended: give world_reply_of() to the verb. Zeroed before. */
struct world_reply {
	unsigned n; /* how often it was told: must be 1 in the end */
	unsigned status;
	int error;
	enum origin origin;
	char type[64], body[2048];
};
struct session_reply world_reply_of(struct world_reply *r);

/* A description; SLICE literals of "v=0..." are as good as real ones: nobody reads them. */
struct session_body world_sdp(const char *text);

/* Set in a world_ua: called instead of queueing. */
struct world_session_hooks {
	void (*incoming)(struct world_ua *wu, struct session *s);
	void (*event)(struct world_ua *wu, struct session *s, const struct ua_session_event *e);
	void (*removed)(struct world_ua *wu, struct session *s);
};

/* ---- for world-record.c and world.c ---- */
void world_session_added(void *ctx, struct session *s);
void world_session_incoming(void *ctx, struct session *s);
void world_session_changed(void *ctx, struct session *s, unsigned changes);
void world_session_event(void *ctx, struct session *s, const struct ua_session_event *e);
void world_session_removed(void *ctx, struct session *s);
void world_session_free_told(struct world_ua *wu);
