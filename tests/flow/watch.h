/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
#include "protocol/ua/subscription-fork.h"
#include "tests/flow/call.h"

/* A subscription of alice's, who has a server, and scripted notifiers at its address. */

#define WATCH_CONTACT "<sip:bob@192.0.2.20>"
#define WATCH_TUPLE "Content-Type: text/plain\nContent-Length: {length}\n\nstate"
#define WATCH_EMPTY "Content-Length: 0\n\n"

/* What the owner hears, and what it does in its callbacks. */
struct watch {
	struct call c; /* the dialog's names: those of the notifier that speaks */
	struct subscription *s;
	unsigned n_notified, n_changed, n_terminated;
	char body[64];   /* of the last that was notified */
	char reason[80]; /* of the end */
	unsigned status;
	enum origin origin;
	uint32_t retry_after;
	bool frees; /* the subscription, in whichever callback comes first */
	const char *event;
};

/* Alice, and nothing subscribed yet. */
void watch_scene(struct watch *w);
/* Subscribes, which works, and returns the SUBSCRIBE. */
const struct msg *watch_subscribe(struct watch *w, const struct subscription_spec *spec);
/* sip:bob@example.com, that event, for so many seconds. */
const struct msg *watch_event(struct watch *w, const char *event, uint32_t expires);
/* The next SUBSCRIBE outside of dialogs, of another attempt, that comes within that time. */
const struct msg *watch_again(struct watch *w, usec_t limit);
/* The SUBSCRIBE that is there, or (limit not 0) comes in that time: in w->c.theirs's dialog. */
const struct msg *watch_refresh(struct watch *w, usec_t limit);
/* 200, with that Expires. */
void watch_grant(struct watch *w, const struct msg *subscribe, uint32_t expires);
/* A NOTIFY of the notifier with that tag: Subscription-State, and what follows it. */
void watch_notify(struct watch *w, const char *tag, const char *state, const char *rest);
/* The same, answered so. */
void watch_expect(struct watch *w, const char *state, const char *answer);
/* Both: granted, and heard of; the notifier's tag is "bob". */
void watch_active(struct watch *w, const char *event, uint32_t expires);
/* Ended with that reason, which nobody hears twice. */
void watch_ended(struct watch *w, const char *reason);
/* The endpoint closes, and nothing is left behind. */
void watch_leave(struct watch *w);
