/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
#include "protocol/ua/endpoint.h"

/*
 * A request outside of transactions: from the wish to the one outcome, whatever lies between.
 * Finding the target, opening flows, trying the next address, the 1300-byte rule, challenges,
 * redirects, Retry-After: all of it here, once for all methods (RFC 3261 section 8.1).
 */

struct request_header {
	struct slice name, value;
};

/* Whether a Contact goes along: RFC 3428 section 4 forbids it in MESSAGE. */
enum request_contact {
	REQUEST_NO_CONTACT,
	REQUEST_CONTACT,
};

enum request_redirects {
	REQUEST_FOLLOW,    /* 3xx: try the contacts in order of q, RFC 3261 8.1.3.4 */
	REQUEST_HAND_BACK, /* 3xx ends the request */
};

enum request_order {
	REQUEST_AT_ONCE,
	/*
	 * Waits until no other such request of the endpoint to the same URI is pending: RFC 3428
	 * section 8 forbids overlapping MESSAGE transactions.
	 */
	REQUEST_IN_TURN,
};

enum request_server {
	REQUEST_TO_PROXY,     /* the profile's proxy, through the Service-Route if there is one */
	REQUEST_TO_REGISTRAR, /* the profile's registrar, no Service-Route (RFC 3608 6.1) */
};

/* The wish. Slices need to live only until request_new() returns. */
struct request_spec {
	struct slice method;
	struct slice uri; /* Request-URI */
	struct slice to;  /* URI of To; empty: uri */
	struct slice to_display;
	enum request_server server;
	enum request_contact contact;
	enum request_redirects redirects;
	enum request_order order;
	const struct request_header *headers; /* checked already: request_headers_check() */
	size_t n_headers;
	struct slice contact_params; /* ";expires=60" and the like, for the default Contact */
	/*
	 * URI of another Contact that goes with expires=0 beside the default one, unless they are
	 * the same: where we are no longer (RFC 3261 10.2.2). Empty: none.
	 */
	struct slice stale_contact;
	struct slice content_type, body;
	/* Given: used and counted up by the caller (registration); empty: fresh ones. */
	struct slice call_id, from_tag;
	uint32_t cseq;  /* 0: 1 */
	usec_t timeout; /* in all, 0: only the transactions' own */
};

struct request;

struct request_ops {
	/* Provisional responses; may be NULL. */
	void (*progress)(void *owner, struct request *r, const struct msg *m);
	/* The one outcome; the request is gone when this returns. */
	void (*done)(void *owner, struct request *r, const struct outcome *o);
};

/*
 * Starts. The callbacks run from inputs only, never before this returns. 0, or -ENOSPC (too many
 * in flight), -EINVAL (malformed URI or header), -EOPNOTSUPP (no way to that kind of URI),
 * -ENOTCONN (the endpoint is closing).
 */
int request_new(struct endpoint *ep, const struct request_spec *spec, const struct request_ops *ops,
	void *owner, struct request **ret_request);
/* No callback any more; what is on the wire is forgotten. NULL is fine. */
void request_free(struct request *r);
/* Ends it now with a local outcome, delivered through done. */
void request_abort(struct request *r, unsigned status, struct slice reason);
/* The request whose place in endpoint->requests this is. */
struct request *request_of_node(struct list *node);
/* Forgets what ua->server_health remembers. */
void request_health_clear(struct ua *ua);
/* The CSeq number that the last attempt used. */
uint32_t request_cseq(const struct request *r);
/* The flow over which the last attempt went; NULL if none did. */
struct flow *request_flow(const struct request *r);

/*
 * Headers that a client brings: -EINVAL with *ret_bad pointing at the first that is malformed or
 * belongs to the stack (Via, From, To, Call-ID, CSeq, Contact, Max-Forwards, Route, Record-Route,
 * Content-Length, Content-Type, Authorization, Proxy-Authorization, ...); -EMSGSIZE if too many.
 */
int request_headers_check(
	const struct request_header *h, size_t n, const struct request_header **ret_bad);
