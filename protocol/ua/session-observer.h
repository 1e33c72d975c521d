/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
#include <stdbool.h>

struct session;
struct ua_session_event;

/*
 * Who inside the stack runs a session as part of something larger: a call that the peer of another
 * session asked for, one side of a connection.
 */
struct session_observer {
	/* News, before the listener; true: the listener is not told. */
	bool (*event)(void *owner, struct session *s, const struct ua_session_event *e);
	/* The state changed, perhaps: before the news that came of it. May be NULL. */
	void (*changed)(void *owner, struct session *s);
	/* No more news will come; the observer is forgotten. */
	void (*gone)(void *owner, struct session *s);
};

/* There is one at most; o == NULL: none any more. */
void session_observe(struct session *s, const struct session_observer *o, void *owner);
