/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
#include "protocol/ua/auth.h"
#include "protocol/ua/gruu.h"
#include "protocol/ua/outcome.h"
#include "protocol/ua/profile.h"
#include "protocol/ua/turn.h"
#include "protocol/ua/ua.h"

struct host_listener;
struct messages;
struct microsoft;
struct registration;

/* Whether anybody may begin something with a peer-to-peer endpoint, or only its own peers. */
enum endpoint_listen { ENDPOINT_LISTEN_AS_PROFILE, ENDPOINT_LISTEN_NO, ENDPOINT_LISTEN_YES };

/* What makes an endpoint; NULL members take the profile's value or a derived one. */
struct endpoint_config {
	const char *id; /* D-Bus path element, unique; NULL: made from the profile's name */
	struct profile *profile; /* never NULL; a reference is taken */
	const char *kind;        /* "registered", "peer-to-peer" */
	const char *uri, *display_name, *endpoint_id, *instance_id;
	enum transport transport; /* TRANSPORT_NONE: the profile's */
	const char *outbound_proxy;
	const char *gruu; /* of one that does not register (gruu.h); NULL: none */
	enum endpoint_listen listen;
};

/* What a kind may do: const tables, so that a verb asks the table and no `if` asks the kind. */
struct endpoint_kind {
	const char *name; /* "registered", "peer-to-peer" */
	bool registers, authenticates, subscribes;
};

/* A routable entity: an address of record together with an endpoint id, one point of presence. */
struct endpoint {
	struct ua *ua;
	struct list node;
	struct map_node by_id, by_token, by_aor, by_endpoint, by_instance, by_opaque;
	const struct endpoint_kind *kind;
	struct profile *profile;

	char *id, *uri, *display_name, *endpoint_id, *instance_id;
	char *aor;                         /* canonical "user@host" of uri */
	char *token;                       /* user part of the contact */
	char *endpoint_key, *instance_key; /* aor with either id: endpoint-route.c */
	enum transport transport;
	char *outbound_proxy;
	char *pool; /* host.h: whose connections it shares */

	struct auth auth;
	struct registration *registration; /* NULL if the kind does not register */
	struct gruu_set gruus;             /* of that registration */
	struct messages *messages;         /* messages.h; NULL: nobody said anything */
	struct microsoft *microsoft;       /* NULL: the profile does not speak it */
	/* The cached connection to the server, NULL until something was sent. */
	struct flow *flow;
	struct list by_flow; /* in flow->endpoints */
	char *server;        /* "udp:192.0.2.1:5060", whom flow leads to */
	/* The server as configured that flow was opened for, "udp:sip.example.com:0". */
	char *flow_key;
	struct host_listener *listener; /* NULL: it does not listen, or needs no socket for it */
	struct flow_addr listen_at;
	bool auto_refresh, listens;
	bool closing, leaving;

	struct list requests;          /* of struct request: own requests in flight */
	struct list incoming;          /* of struct incoming: waiting for a decision */
	struct list sessions;          /* of struct session */
	struct list refers, refers_in; /* of struct refer and refer_in */
	struct list subscribers;       /* of struct subscriber */
	struct list subscriptions;     /* of struct subscription */
	struct map turns; /* of struct request, by Request-URI: those that go one by one */
	struct turn_queue subscribes, notifies; /* who sends one next */
	size_t n_requests, n_incoming, n_sessions, n_refers, n_refers_in, n_publications;
	size_t n_subscribers, n_subscriptions;
	struct list publications; /* of struct publication */
	struct list connections;  /* of struct endpoint_connection (endpoint-flow.h) */
	size_t n_connections;
	unsigned changes; /* mask of enum ua_change not told yet */
	bool told_added;
	struct later_note note;
	struct timer close_timer;
	void *user; /* the listener's */
};

/*
 * 0; -EEXIST: the id or the GRUU is taken; -EINVAL: a member is malformed; -EMSGSIZE: one is longer
 * than LIMITS_ENDPOINT_TEXT; -ENOSPC: too many; -EOPNOTSUPP: what registers does not listen, and
 * has its registrar's GRUU; -EADDRINUSE, -EIO: it cannot listen there. Does not register by itself.
 */
int endpoint_new(struct ua *ua, const struct endpoint_config *c, struct endpoint **ret_endpoint);
/*
 * Unregisters if registered, ends what is under way with a local outcome, then goes: the listener's
 * endpoint_removed is the last word, within 64*T1.
 */
void endpoint_close(struct endpoint *ep);
/* At once, without a word to network or listener. */
void endpoint_free(struct endpoint *ep);
struct endpoint *endpoint_find(struct ua *ua, struct slice id);

/* Marks for endpoint_changed. */
void endpoint_mark(struct endpoint *ep, unsigned changes);

/*
 * Appends our contact URI as reachable over f: "sip:token@host:port;transport=tcp", no brackets.
 * URI_SIPS where RFC 3261 8.1.1.8 and 12.1.1 want that: "sips:token@host:port".
 */
void endpoint_append_contact_uri(
	struct buf *b, const struct endpoint *ep, const struct flow *f, enum uri_scheme scheme);
/* Its connection broke: goes on over another flow that it registered over, if there is one. */
void endpoint_flow_down(struct endpoint *ep);
/* Uses f as the cached flow from now on (a reference is taken); NULL lets go of it. */
void endpoint_set_flow(struct endpoint *ep, struct flow *f);
/* The same, for those requests that go to that server: struct endpoint's flow_key. Copied. */
void endpoint_keep_flow(struct endpoint *ep, struct flow *f, const char *key);
