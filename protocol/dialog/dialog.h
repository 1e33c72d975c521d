/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
#include "protocol/base/list.h"
#include "protocol/base/map.h"
#include "protocol/msg/msg.h"
#include "protocol/txn/flow.h"

struct buf;
struct usage_walk;

/*
 * A peer-to-peer relationship of two user agents (RFC 3261 section 12): who, by which way, and the
 * sequence numbers. What it is used for is its usages' business (usage.h, RFC 5057): a dialog lives
 * as long as it has one.
 */
struct dialog_table {
	struct map by_id; /* by Call-ID and local tag: the forks of one INVITE share a key */
	size_t n;
	struct usage_walk *walks; /* over usages, under way: usage.c */
};

/* More Record-Route values than any request can pass proxies: Max-Forwards starts at 70. */
enum { DIALOG_MAX_ROUTES = 70 };

enum dialog_state {
	DIALOG_EARLY,
	DIALOG_CONFIRMED,
};

struct dialog {
	struct dialog_table *table;
	struct map_node by_id;
	char *key;                       /* Call-ID, a line feed, local tag */
	struct slice call_id, local_tag; /* in key */
	char *remote_tag;                /* "" for a peer of RFC 2543, which sends none */
	char *remote_epid;               /* the peer's endpoint id; NULL: it has none */
	char *local, *remote; /* name-addr of From and To as we write them, without tag */
	char *remote_target;  /* the peer's contact URI */
	char **routes;        /* each a URI, "sip:...;lr", in the order of our Route headers */
	size_t n_routes;
	uint32_t local_cseq; /* the last that we used; 0: none yet */
	uint32_t remote_cseq;
	bool has_remote_cseq;
	bool secure;    /* 12.1.1: sips */
	bool anonymous; /* our side hides who it is (RFC 3323) */
	enum dialog_state state;
	struct list usages; /* of struct usage */
	/* What the last request came over and ours went over: theirs is kept open as ours is. */
	struct flow_hold in, out;
};

void dialog_table_init(struct dialog_table *dt, uint64_t seed);
/* No dialog may be left. */
void dialog_table_deinit(struct dialog_table *dt);

/*
 * What a response to our request makes (12.1.2): 101-199 with a To tag an early, 2xx a confirmed
 * one. -EBADMSG: no usable Contact (the remote target is then the Request-URI, so that an ACK and a
 * BYE find a way) or Record-Route (there are no routes then); the dialog is made all the same and
 * *ret_dialog set. It has no usage yet: the caller adds one, or frees it.
 */
int dialog_new_client(struct dialog_table *dt, const struct msg *request,
	const struct msg *response, struct dialog **ret_dialog);
/* What our response to that request makes (12.1.1), early at first. -EBADMSG: no usable Contact or
 * Record-Route, nothing made. */
int dialog_new_server(struct dialog_table *dt, const struct msg *request, struct slice local_tag,
	struct dialog **ret_dialog);
/* Only without usages; usage_leave() does it with the last one. */
void dialog_free(struct dialog *d);

/* The dialog that a request of the peer belongs to (12.2.2), or NULL. */
struct dialog *dialog_find_of_request(const struct dialog_table *dt, const struct msg *request);
/* The dialog that a response to our request belongs to, or NULL. */
struct dialog *dialog_find_of_response(const struct dialog_table *dt, const struct msg *response);
/* By its names as we see them: for Replaces, Join, Target-Dialog. remote_tag "0" also matches a
 * peer that has none (RFC 3891 section 3). */
struct dialog *dialog_find(const struct dialog_table *dt, struct slice call_id,
	struct slice local_tag, struct slice remote_tag);

/*
 * A 2xx came or goes: confirmed. For clients the route set and the remote target are those of the
 * 2xx, once (13.2.2.4); servers give NULL.
 */
void dialog_confirm(struct dialog *d, const struct msg *response_to_us);
/* A target refresh request or its 2xx came from the peer: its Contact counts (12.2). */
void dialog_refresh_target(struct dialog *d, const struct msg *m);
/* The route set is that of the response to us, where the NOTIFY that made it had none. */
void dialog_adopt_routes(struct dialog *d, const struct msg *response_to_us);

/* The sequence number for our next request: one more than the last (12.2.1.1). */
uint32_t dialog_next_cseq(struct dialog *d);
/*
 * Takes a request's number in: 0, or -ESTALE for one lower than the last, which deserves a 500
 * (12.2.2). ACK and CANCEL are not asked for. The first one of a dialog sets it.
 */
int dialog_take_cseq(struct dialog *d, uint32_t cseq);

/* The Request-URI of our next request: the remote target, or a strict router (12.2.1.1). */
struct slice dialog_request_uri(const struct dialog *d);
/* Where it goes: the first route, else the remote target (8.1.2). A URI. */
struct slice dialog_next_hop(const struct dialog *d);
/*
 * Route headers, then From, To and Call-ID: whole lines. epid: ours ([MS-SIPRE] 3.2), beside which
 * the peer has its own; empty: neither.
 */
void dialog_append_routes(struct buf *b, const struct dialog *d);
void dialog_append_names(struct buf *b, const struct dialog *d, struct slice epid);
/* The Record-Route lines of the request for our responses that make a dialog (12.1.1). */
void dialog_append_record_routes(struct buf *b, const struct msg *request);
