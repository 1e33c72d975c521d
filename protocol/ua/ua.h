/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
#include "protocol/base/later.h"
#include "protocol/base/map.h"
#include "protocol/dialog/dialog.h"
#include "protocol/msg/msg.h"
#include "protocol/txn/txn.h"
#include "protocol/ua/host.h"
#include "protocol/ua/ua-listener.h"

struct ua_query;

/* The root: tables, timers and the routing of inputs; nothing else is decided here. */
struct ua {
	const struct host *host;
	struct timerq timers;
	struct later later;
	struct txn_table txns;
	const struct ua_listener *listener;
	void *listener_ctx;

	struct list endpoints; /* of struct endpoint, in order of creation */
	size_t n_endpoints, max_endpoints;
	struct map endpoints_by_id;
	struct map endpoints_by_token; /* user part of our contacts: constant-time routing */
	struct map endpoints_by_aor;   /* several may share one */
	struct map endpoints_by_point, endpoints_by_instance; /* endpoint-route.c */
	struct map gruus;                                     /* gruu.c */
	struct map endpoints_by_opaque;                       /* microsoft.h */
	struct dialog_table dialogs;
	struct map sessions; /* by id */
	struct map invites;  /* outgoing sessions by Call-ID and our tag, for late 2xx */
	size_t n_sessions, max_sessions, n_subscribers, max_subscribers;
	char *packages;           /* that clients serve (subscriber.h); NULL: none */
	struct map refers;        /* REFERs outside dialogs that no NOTIFY came for yet */
	struct map subscriptions; /* those of which new notifiers may be heard, as refers */
	struct map queries;       /* questions to the host under way */
	uint64_t query_serial;
	struct list ways; /* of responses: uas-way.h */
	size_t n_ways;
	struct map paces;         /* of struct pace: registrars, and how fast we may come to them */
	struct map server_health; /* health.h, shared by all endpoints */
	int64_t wall_offset;      /* epoch microseconds minus our clock */
	const char *flow_error;   /* why the flow that is going down does so */
	bool stopping;
	uint64_t n_pages_in, n_pages_out, n_bad_messages, n_sessions_in, n_sessions_out;
};

/* host must outlive the ua. listener may be set later, before the first input. */
struct ua *ua_new(const struct host *host, usec_t now);
/* Ends everything at once, without a word to the network. NULL is fine. */
void ua_free(struct ua *ua);
void ua_set_listener(struct ua *ua, const struct ua_listener *l, void *ctx);

/* ---- inputs: each delivers news before it returns ---- */

void ua_advance(struct ua *ua, usec_t now);
/* When ua_advance() is due next; USEC_NEVER: not before another input. */
usec_t ua_deadline(const struct ua *ua);
/* Whole datagram or frame. */
void ua_receive(struct ua *ua, struct flow *f, struct slice bytes, enum msg_framing framing);
/* Between messages: a single CRLF (RFC 5626 section 4.4.1), a datagram that stun_is(). */
void ua_pong(struct ua *ua, struct flow *f);
void ua_stun(struct ua *ua, struct flow *f, struct slice bytes);
void ua_flow_up(struct ua *ua, struct flow *f);
/* f->state is FLOW_DOWN; reason is for people ("connection refused"). */
void ua_flow_down(struct ua *ua, struct flow *f, const char *reason);
void ua_resolved(struct ua *ua, uint64_t query, const struct dns_answer *a);
/* password.p == NULL: nobody has one. Bytes are wiped by the caller. */
void ua_secret(struct ua *ua, uint64_t query, struct slice user, struct slice password);
/* Wall clock at the core's `now`, in epoch microseconds; tell again when it was set. */
void ua_set_wall(struct ua *ua, int64_t epoch_usec);

/* Unregisters what is registered; then ua_is_stopped() says when the last answer came. */
void ua_stop(struct ua *ua);
bool ua_is_stopped(const struct ua *ua);

/* ---- for the parts of the ua ---- */

/* Epoch seconds of a moment on the core's clock; 0 stays 0. */
uint64_t ua_epoch_seconds(const struct ua *ua, usec_t at);
void ua_random(struct ua *ua, void *out, size_t n);
/* n random bytes as 2n hex digits, for tags, branches and Call-IDs. */
void ua_random_hex(struct ua *ua, struct buf *b, size_t n);
uint64_t ua_random_below(struct ua *ua, uint64_t bound);
/* What a client may call an object: letters, digits and _, because it ends an object path. */
bool ua_id_is_valid(struct slice id);

/*
 * A question to the host. Embedded in who asks; cancelled when the asker goes, and then a late
 * answer finds nobody. Exactly one of the two callbacks is set.
 */
struct ua_query {
	struct map_node node;
	uint64_t id;
	void (*resolved)(struct ua_query *q, const struct dns_answer *a);
	void (*secret)(struct ua_query *q, struct slice user, struct slice password);
};
void ua_resolve(struct ua *ua, struct ua_query *q, enum dns_kind kind, const char *name);
void ua_ask_secret(struct ua *ua, struct ua_query *q, const struct host_secret_query *what);
void ua_query_cancel(struct ua *ua, struct ua_query *q);

/* Wraps a public verb: news is delivered when the outermost scope ends. */
#define UA_SCOPE(of) \
	__attribute__((cleanup(ua_scope_leave), unused)) struct ua *ua_scope_ = ua_scope_enter(of)
struct ua *ua_scope_enter(struct ua *ua);
void ua_scope_leave(struct ua **ua);
