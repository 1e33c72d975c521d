/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
#include "protocol/ua/endpoint.h"

/*
 * A subscription of ours (RFC 6665 section 4.1): from the wish to the one end, whatever lies
 * between: NOTIFYs that overtake the answer, forks, refreshes, refusals that say when to come
 * again, a notifier that has lost its memory. Any event package; bodies are opaque here.
 */
struct request_header;
struct request_header_fault;
struct subscription;

enum subscription_state {
	SUBSCRIPTION_PENDING,    /* nothing heard yet, or the notifier waits for its user */
	SUBSCRIPTION_ACTIVE,     /* one dialog at least has state to tell */
	SUBSCRIPTION_WAITING,    /* there is none at the moment; it is tried again by itself */
	SUBSCRIPTION_TERMINATED, /* over: `terminated` comes or came */
};
const char *subscription_state_name(enum subscription_state s);

/* How it ended. Slices live until the callback returns. */
struct subscription_end {
	/*
	 * "noresource" and the like as Subscription-State said it; else the phrase of a refusal, or
	 * what became of us ("endpoint closed").
	 */
	struct slice reason;
	unsigned status; /* of a SUBSCRIBE that was refused; 0: none was */
	enum origin origin;
	uint32_t retry_after; /* seconds; 0: not said */
};

/* Told by notes in the order in which things happened, never inside a verb. */
struct subscription_ops {
	/*
	 * State came: the body of m and its headers; mostly a NOTIFY, but also the 2xx of a server
	 * that carries the first state. An empty body is neutral state (4.1.3); a last NOTIFY
	 * without one (4.1.2.3) has none, and is told by `terminated` alone.
	 */
	void (*notified)(void *owner, struct subscription *s, const struct msg *m);
	/* State, expiry, or when it is tried next: look again. */
	void (*changed)(void *owner, struct subscription *s);
	/* The last word, exactly once; the pointer is dead when this returns. */
	void (*terminated)(void *owner, struct subscription *s, const struct subscription_end *end);
};

enum subscription_list {
	SUBSCRIPTION_NO_LIST, /* the target is one resource */
	SUBSCRIPTION_LIST,    /* it may be a list (RFC 4662): Supported: eventlist */
};

/* The wish; slices need to live only until subscription_new() returns. */
struct subscription_spec {
	struct slice target;
	struct slice event;              /* value of Event, parameters included: "dialog;sla" */
	uint32_t expires;                /* seconds; 0: fetches the state once (4.4.3) */
	struct slice accept;             /* value of Accept; empty: none */
	struct slice content_type, body; /* a filter or the like; none: empty */
	const struct request_header *headers;
	size_t n_headers;
	enum subscription_list list;
	/*
	 * Resources to be watched in one subscription (RFC 5367), of which no list exists at the
	 * server; n_targets == 0: none. Excludes a body. target: the server of lists.
	 */
	const struct slice *targets;
	size_t n_targets;
};

/*
 * 0; -EINVAL (target, event, header, body without type, targets and a body), -ENOSPC (too many),
 * -EOPNOTSUPP (the kind of endpoint, or no way to that URI), -ENOTCONN (the endpoint closes),
 * -EBUSY (there is one already of a package that may be there once: vnd-microsoft-roaming-self).
 */
int subscription_new(struct endpoint *ep, const struct subscription_spec *spec,
	const struct subscription_ops *ops, void *owner, struct subscription **ret_subscription);
/* As request_headers_check(), and without what a SUBSCRIBE says by itself: Event and the like. */
int subscription_headers_check(
	const struct request_header *h, size_t n, struct request_header_fault *ret_fault);
/* Asks for that many seconds from now on, 0 excluded: -EINVAL; -ESTALE after the end. */
int subscription_refresh(struct subscription *s, uint32_t expires);
/* The body of this and later SUBSCRIBEs: it goes at once (4.1.2.1). Errors as above. */
int subscription_update(struct subscription *s, struct slice content_type, struct slice body);
/* Wants no more: `terminated` follows, when the notifier's last word came or after 64*T1. */
void subscription_end(struct subscription *s);
/* At once, without a word to anybody. NULL is fine. */
void subscription_free(struct subscription *s);

/* ---- looking at it ---- */

enum subscription_state subscription_state(const struct subscription *s);
struct endpoint *subscription_endpoint(const struct subscription *s);
/* On the core's clock: when it ends unless refreshed; when it is tried again. 0: not known. */
usec_t subscription_expires(const struct subscription *s);
usec_t subscription_next_attempt(const struct subscription *s);
/* What `notified` told last; NULL before. Borrowed. */
const struct msg *subscription_last(const struct subscription *s);
/* Why it waits, if it does: slices are borrowed until anything happens. */
bool subscription_trouble(const struct subscription *s, struct subscription_end *ret);
/* Dialogs that it has, one for each fork that answered (4.4.1, 5.4.9). */
size_t subscription_dialogs(const struct subscription *s);

/* ---- for endpoints and uas ---- */

/* Everything of the endpoint's is over. */
enum subscription_farewell {
	SUBSCRIPTION_ENDED,  /* notifiers are told first */
	SUBSCRIPTION_TOLD,   /* owners are, at once */
	SUBSCRIPTION_SILENT, /* gone without a word to anybody */
};
void subscription_endpoint_over(struct endpoint *ep, enum subscription_farewell how);
/* We are reached in another way: notifiers that cannot know are told by a SUBSCRIBE (12.2). */
void subscription_endpoint_moved(struct endpoint *ep);
/* The same; and the server answers again: what failed for want of an answer is tried now. */
void subscription_endpoint_revived(struct endpoint *ep);
/* Outside of our dialogs m is a NOTIFY that makes one, for a SUBSCRIBE of ours (4.4.1). */
bool subscription_awaits(const struct ua *ua, const struct msg *m);
/* Takes such a NOTIFY, and answers it. */
void subscription_receive(struct ua *ua, struct flow *reply_flow, struct msg *m);
