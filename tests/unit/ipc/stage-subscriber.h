/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* Subscribers on the stage: alice is on the bus, whoever watches her is a script of the test. */
#include "tests/unit/ipc/stage-session.h"

#define STAGE_SUBSCRIBER "org.sipbus1.Subscriber"
#define STAGE_PIDF "application/pidf+xml"

/* One who watches, and its dialog. */
struct stage_watcher {
	const char *name;  /* of From and Call-ID */
	const char *event; /* value of Event; NULL: presence */
	unsigned cseq;
	char tag[64];   /* of To; empty until it was answered */
	char path[128]; /* of the object, once an agent was asked */
};

/* SUBSCRIBE; headers: lines that end with "\n"; body may be empty. */
void stage_subscribe(
	struct stage *s, struct stage_watcher *w, const char *headers, const char *body);
/* It is answered so. */
const struct msg *stage_subscribed(struct stage *s, struct stage_watcher *w, const char *status);
/* NOTIFY comes, whose Subscription-State begins so, and is answered 200. */
const struct msg *stage_notified(struct stage *s, const char *substate);
/* That client is asked about w; the serial of the question. */
uint32_t stage_asked_about(
	struct stage *s, const char *client, struct stage_watcher *w, DBusMessage **ret);
/* It returns. */
void stage_take(struct stage *s, const char *client, uint32_t serial);
/* All of that: client's agent took w, and accepted it with that state. */
void stage_watched(struct stage *s, const char *client, struct stage_watcher *w, const char *state);

/* A method of w's object: options NULL: it takes none. */
void stage_watcher_verb(struct stage *s, const char *client, const struct stage_watcher *w,
	const char *member, const struct stage_option *options);
/* How it ends: Reject with status and text, Finish with a text, Suspend with a number. */
void stage_reject(struct stage *s, const char *client, const struct stage_watcher *w,
	uint32_t status, const char *reason);
void stage_finish(
	struct stage *s, const char *client, const struct stage_watcher *w, const char *reason);
void stage_suspend(
	struct stage *s, const char *client, const struct stage_watcher *w, uint32_t seconds);
void stage_notify(struct stage *s, const char *client, const struct stage_watcher *w,
	const char *body, const struct stage_option *options);
/* A property that is a string, as that client reads it. */
const char *stage_watcher_read(
	struct stage *s, const char *client, const struct stage_watcher *w, const char *property);
/* Terminated of w comes, to everybody, with that reason. */
void stage_watcher_gone(struct stage *s, const struct stage_watcher *w, const char *reason);
/* Content was sent to nobody but by unicast; then the stage is over. */
void stage_watchers_deinit(struct stage *s);
