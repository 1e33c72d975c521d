/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
#include "protocol/ua/registration.h"
#include "protocol/ua/subscriber-private.h"
#include "tests/support/world-peer.h"
#include "tests/support/world-record.h"
#include "tests/support/world-subscriber.h"

/* Alice, registered at 192.0.2.1, is subscribed to by sip:bob@192.0.2.20, which is the test. */

#define SEC USEC_PER_SEC
#define MSEC USEC_PER_MSEC
#define TYPE "application/pidf+xml"

struct subscribed {
	struct world *w;
	struct world_ua *wu;
	struct endpoint *ep;
	struct subscriber *s;
	const char *from; /* "udp:192.0.2.20:5060" */
	unsigned n_calls; /* each has a Call-ID of its own */
	uint32_t cseq;    /* Bob's last in the dialog */
	uint32_t ours;    /* of Alice's last NOTIFY */
	char *to_tag;     /* Alice's, once she said so */
	char *text;       /* as sent last */
};

struct subscribed subscribed_new(void);
/* Nothing is left behind. */
void subscribed_finish(struct subscribed *c);

/* Outside of dialogs; lines: with "Event: ...\n", and a body behind an empty line if one. */
void subscribed_asks(struct subscribed *c, const char *lines);
/* The same, and somebody is asked: c->s. */
void subscribed_comes(struct subscribed *c, const char *lines);
/* A request of Bob's in the dialog, with the next CSeq. */
void subscribed_sends(struct subscribed *c, const char *method, const char *lines);
/* What was sent last, once more. */
void subscribed_repeats(struct subscribed *c);
/* The answer to his last SUBSCRIBE: learns the tag. */
const struct msg *subscribed_expect(struct subscribed *c, const char *status);
/* The next is a NOTIFY in the dialog with that Subscription-State and that body ("": none). */
const struct msg *subscribed_hears(struct subscribed *c, const char *state, const char *body);
/* The same, and Bob says 200. */
void subscribed_heard(struct subscribed *c, const char *state, const char *body);
/* Accepted with that body: 200 for 600 s, the first NOTIFY and its 200; what is told is taken. */
void subscribed_active(struct subscribed *c, const char *body);
/* Alice says what is now. */
void subscribed_tell(struct subscribed *c, const char *body);
/* The first header of that kind in m is this one; "": there is none. */
void subscribed_check(const struct msg *m, enum hdr_id id, const char *value);
