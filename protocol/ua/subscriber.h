/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
#include "protocol/ua/endpoint.h"

/*
 * Somebody who subscribed to us (RFC 6665 section 4.2): the notifier's side, for a client that
 * serves an event package, or for the daemon's own packages. What the state is, is the client's;
 * when a NOTIFY is due, with which expiry, how often, and when it is all over is ours.
 */
struct request_header;
struct subscriber;

enum subscriber_state {
	SUBSCRIBER_INCOMING,   /* a SUBSCRIBE waits for accept or reject */
	SUBSCRIBER_PENDING,    /* accepted, but whether it may see the state is not decided */
	SUBSCRIBER_ACTIVE,     /* hears of every change */
	SUBSCRIBER_TERMINATED, /* subscriber_removed() comes, when the last NOTIFY is answered */
};
const char *subscriber_state_name(enum subscriber_state s);

/* A state to tell. */
struct subscriber_body {
	struct slice content_type, bytes; /* n == 0: neutral */
	/*
	 * It is a change, of which nobody can tell the whole: the whole is asked for
	 * (SUBSCRIBER_WANTS_STATE) when it is needed, after a refresh or a loss. Otherwise it is
	 * the whole, and is told again by ourselves.
	 */
	bool partial;
	const struct request_header *headers;
	size_t n_headers;
};

enum subscriber_decision { SUBSCRIBER_ACCEPT, SUBSCRIBER_LEAVE_PENDING };

/*
 * All verbs: 0; -ESTALE in another state; -EINVAL (bad status, header, content type), -EMSGSIZE
 * (too many headers, too large a body): nothing was done.
 */

/*
 * 200 with at most max_expires seconds (0: what was asked for, up to our limit), and the NOTIFY
 * that must follow at once (4.2.1.2), with that state, or, while pending, without a body. state
 * NULL: none yet. A pending one may be accepted again, to become active. -EBADMSG: the SUBSCRIBE
 * was no good after all and got a 400; it is over.
 */
int subscriber_accept(struct subscriber *s, enum subscriber_decision d, uint32_t max_expires,
	const struct subscriber_body *state);
/* 300..699; a pending one ends by a NOTIFY with reason=rejected. */
int subscriber_reject(struct subscriber *s, unsigned status, struct slice reason);
/*
 * The state is that now: tells it as soon as throttling allows (RFC 6446), or when it becomes
 * active.
 */
int subscriber_notify(struct subscriber *s, const struct subscriber_body *state);
/*
 * The last NOTIFY, with the state told last. reason: a token of RFC 6665 4.1.3; empty:
 * "noresource". retry_after: seconds; 0: none is said.
 */
int subscriber_finish(struct subscriber *s, struct slice reason, uint32_t retry_after);
/*
 * Nobody takes it: our own package does (package.h), or it is refused. NOBODY_THERE: some agent
 * serves that package, but none took it: 480, else 489.
 */
enum subscriber_audience { SUBSCRIBER_NO_PACKAGE, SUBSCRIBER_NOBODY_THERE };
void subscriber_pass(struct subscriber *s, enum subscriber_audience who);

/* ---- looking at it ---- */

enum subscriber_state subscriber_state(const struct subscriber *s);
struct endpoint *subscriber_endpoint(const struct subscriber *s);
const char *subscriber_id(const struct subscriber *s);            /* unique in the ua: [0-9a-f]+ */
const struct msg *subscriber_request(const struct subscriber *s); /* the first SUBSCRIBE */
struct slice subscriber_event(const struct subscriber *s);        /* "presence" */
/* That came from our own server, so that what it asserts counts (RFC 3325 section 5). */
bool subscriber_is_vouched_for(const struct subscriber *s);
/* When it ends unless refreshed, on the core's clock; 0: not accepted yet, or over. */
usec_t subscriber_expires(const struct subscriber *s);
/* The listener's. */
void subscriber_set_user(struct subscriber *s, void *user);
void *subscriber_user(const struct subscriber *s);

/* The packages that clients serve, "presence, dialog", for Allow-Events (8.2.2). Copied. */
void subscriber_allow(struct ua *ua, struct slice packages);

/* ---- for endpoints and uas ---- */

/* What becomes of an endpoint's subscribers when it goes; see enum session_farewell. */
enum subscriber_farewell { SUBSCRIBER_ENDED, SUBSCRIBER_TOLD, SUBSCRIBER_SILENT };
void subscriber_endpoint_over(struct endpoint *ep, enum subscriber_farewell how);
/* We are reached in another way now, as in session_endpoint_moved(): NOTIFY says where. */
void subscriber_endpoint_moved(struct endpoint *ep);
/*
 * A SUBSCRIBE outside of dialogs, or in one of which no usage takes it (RFC 6665 4.5.2: the dialog
 * is shared). 0: it is or will be answered; else the status that refuses it for a while.
 */
unsigned subscriber_receive(struct endpoint *ep, struct flow *reply_flow, struct msg *m);
