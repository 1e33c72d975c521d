/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
#include "protocol/ua/endpoint.h"
#include "protocol/ua/request-headers.h"

struct dialog;

/*
 * A request outside of transactions: from the wish to the one outcome, whatever lies between.
 * Finding the target, opening flows, trying the next address, the 1300-byte rule, challenges,
 * redirects, Retry-After: all of it here, once for all methods (RFC 3261 section 8.1).
 */

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
	bool winds_up; /* gives back what is held elsewhere: goes on while the endpoint closes */
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
	/* From instead of the endpoint's own (RFC 3323 4.1.1.3); empty: the endpoint's. */
	struct slice from, from_display;
	/* Which of the profile's servers: the one that lists this kind of session. Empty: any. */
	struct slice session_type, session_party;
	/*
	 * Inside a dialog (RFC 3261 12.2.1): Request-URI, routes, To, From, Call-ID and each
	 * attempt's CSeq are its, and so is the way; redirections are handed back, credentials go
	 * only to the endpoint's own server. It must outlive the request. uri is not looked at.
	 */
	struct dialog *dialog;
	/*
	 * For ACK in a dialog: the INVITE whose 2xx it answers, as sent; CSeq and credentials are
	 * its (13.2.2.4). There is no answer: the request stays, unfinished, for request_repeat()
	 * until it is freed, and counts against no limit.
	 */
	const struct msg *acknowledges;
	struct slice route; /* checked: request_route_check(); not in a dialog. Empty: none */
	struct slice lines; /* whole lines, checked already, beside headers */
	unsigned reg_id;    /* REGISTER: of which flow (RFC 5626 section 4.2); 0: any */
};

struct request;

struct request_ops {
	/* Provisional responses; may be NULL. */
	void (*progress)(void *owner, struct request *r, const struct msg *m);
	/* The one outcome; the request is gone when this returns. */
	void (*done)(void *owner, struct request *r, const struct outcome *o);
};

/* Starts. The callbacks run from inputs only, never before this returns. 0, or -ENOSPC (too many
 * in flight), -EINVAL (malformed URI or header), -EOPNOTSUPP (no way to that kind of URI),
 * -ENOTCONN (the endpoint is closing). */
int request_new(struct endpoint *ep, const struct request_spec *spec, const struct request_ops *ops,
	void *owner, struct request **ret_request);
/* No callback any more; what is on the wire is forgotten. NULL is fine. */
void request_free(struct request *r);
/*
 * Takes an INVITE back (9.1): no further attempt is made, a CANCEL goes as soon as it may (lines:
 * whole header lines that it carries, such as Reason), and done still tells the one final outcome,
 * a 2xx that crossed included. What was never sent ends with -ECANCELED. A second call changes
 * nothing.
 */
void request_cancel(struct request *r, struct slice lines);
/* Sends an ACK once more, as it was. */
void request_repeat(struct request *r);
/* The last attempt as it went out; NULL before. Borrowed. */
const struct msg *request_sent(const struct request *r);
/* Ends it now with a local outcome. */
void request_abort(struct request *r, unsigned status, struct slice reason);
struct request *request_of_node(struct list *node); /* whose place in endpoint->requests */
/* It is an INVITE, inside a dialog, or winds up: whose it is ends it. */
bool request_outlives_closing(const struct request *r);
uint32_t request_cseq(const struct request *r); /* of the last attempt */
/* The flow over which the last attempt went; NULL if none did. */
struct flow *request_flow(const struct request *r);
/* Whom it was opened for: "udp:sip.example.com:0"; NULL before. */
const char *request_server_key(const struct request *r);
