/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Every ceiling on what a peer or a client can make the user agent hold. Each has a test. */
enum {
	LIMITS_TRANSACTIONS = 200000,        /* all kinds together; beyond: 503, stateless */
	LIMITS_ENDPOINTS = 200000,           /* Daemon.MaximumEndpoints may set less */
	LIMITS_REQUESTS_PER_ENDPOINT = 1024, /* own requests in flight */
	LIMITS_INCOMING_PER_ENDPOINT = 256,  /* requests waiting for an agent; beyond: 503 */
	LIMITS_ATTEMPTS = 16,        /* targets, challenges and redirects tried for one request */
	LIMITS_AUTH_ROUNDS = 4,      /* answers to challenges for one request */
	LIMITS_REDIRECTS = 5,        /* 3xx followed for one request */
	LIMITS_REALMS = 16,          /* challenges remembered by one endpoint */
	LIMITS_BINDINGS = 64,        /* contacts kept of a registrar's answer */
	LIMITS_EXPIRES = 604800,     /* seconds of a registration asked for, or believed */
	LIMITS_ROUTES = 16,          /* Service-Route values kept, Route values of a client's */
	LIMITS_REPLY_WAYS = 1024,    /* responses that look for a way at a time */
	LIMITS_ADDRESSES = 16,       /* addresses kept of one look-up */
	LIMITS_LOCATE_STEPS = 64,    /* services, targets and addresses of one located domain */
	LIMITS_LOCATE_QUERIES = 32,  /* look-ups for one located domain */
	LIMITS_LOCATE_NAPTR = 4,     /* of them, of NAPTR records that lead to others */
	LIMITS_SERVER_HEALTH = 1024, /* servers remembered as failing */
	LIMITS_RETRY_AFTER = 3600,   /* seconds that a 503 keeps us away at most */
	LIMITS_UDP_REQUEST = 1300,   /* RFC 3261 18.1.1: larger requests take TCP */
	LIMITS_ENDPOINT_CONNECTIONS = 64, /* of one endpoint that it shows: the latest */
	LIMITS_ENDPOINT_TEXT = 1024,      /* bytes of an endpoint's name, URI or id */
	LIMITS_TEMPORARY_GRUUS = 64, /* kept of one registration: RFC 5627 4.2 lets us drop any */
	LIMITS_SESSIONS = 100000,    /* Daemon.MaximumSessions may set less; beyond: 503 */
	LIMITS_SESSIONS_PER_ENDPOINT = 4096, /* beyond: 486 */
	LIMITS_FORKS = 16,           /* early dialogs of one session; others are not followed */
	LIMITS_RING_SECONDS = 200,   /* without 1xx or final answer to our INVITE: we cancel */
	LIMITS_REFRESH_SECONDS = 60, /* between our 1xx to one INVITE (13.3.1.1) */
	LIMITS_REDIRECT_TARGETS = 64,
	LIMITS_REGISTER_REDIRECTIONS = 5,
	LIMITS_UNDECIDED_SECONDS = 600,      /* an incoming session that its owner leaves ringing */
	LIMITS_SENDS_PER_SESSION = 64,       /* INFO and MESSAGE in flight in one dialog */
	LIMITS_REFERS_PER_SESSION = 16,      /* in each direction, until their outcome is told */
	LIMITS_REFERS_PER_ENDPOINT = 1024,   /* in each direction, with their subscriptions */
	LIMITS_REFER_UNDECIDED_SECONDS = 20, /* a REFER that nobody takes or refuses: 603 */
	LIMITS_REFER_LINGER_SECONDS = 32, /* that a session waits for the outcome of its REFERs */
	LIMITS_REFER_SECONDS = 300,       /* of the subscription that a REFER makes here */
	LIMITS_REFER_MAX_SECONDS = 3600,  /* the same, refreshed, or as a peer may have it */
	LIMITS_SUBSCRIBERS = 100000,      /* who subscribed to us; beyond: 503 */
	LIMITS_SUBSCRIBERS_PER_ENDPOINT = 4096,
	LIMITS_SUBSCRIBER_MIN_SECONDS = 10,       /* RFC 6665 4.2.1.1; below: 423 */
	LIMITS_SUBSCRIBER_MAX_SECONDS = 86400,    /* at most that is granted */
	LIMITS_SUBSCRIBER_UNDECIDED_SECONDS = 25, /* until Timer F: 480 */
	LIMITS_SUBSCRIBER_STATE_SECONDS = 5,      /* to say the whole state, when asked */
	LIMITS_SUBSCRIBER_CHANGES = 16,           /* partial states that wait for one NOTIFY */
	LIMITS_SUBSCRIBER_BYTES = 256 * 1024,     /* of one state */
	LIMITS_SUBSCRIPTIONS_PER_ENDPOINT = 20000,
	LIMITS_SUBSCRIBES_PER_ENDPOINT = 256, /* under way at a time; others wait */
	LIMITS_NOTIFIES_PER_ENDPOINT = 256,   /* the same; less than all its requests */
	LIMITS_PACKAGE_ROWS = 64,     /* sessions or bindings in a document of our own packages */
	LIMITS_ANSWER_SECONDS = 20,   /* for an offer of the peer's, which waits 32 s at most */
	LIMITS_HOLD_SECONDS = 15,     /* a party waits for the other; less than the one above */
	LIMITS_MODIFY_SECONDS = 120,  /* for the peer to answer a re-INVITE; then it is cancelled */
	LIMITS_MODIFY_TRIES = 8,      /* of one new offer of ours against glare */
	LIMITS_ACKS = 8,              /* kept in one dialog for 2xx that come again */
	LIMITS_INTERVALS = 4,         /* 422s that one INVITE obeys */
	LIMITS_RELIABLE = 8,          /* reliable 1xx of ours not acknowledged */
	LIMITS_SESSION_INTERVAL = 10, /* seconds: the shortest session timer that we keep to */
	LIMITS_LIST_TARGETS = 256,    /* that one SUBSCRIBE names (RFC 5367) */
	LIMITS_USER_HEADERS = 64,     /* header fields that a client may add to a request */
	LIMITS_PUBLICATIONS_PER_ENDPOINT = 256,
};
