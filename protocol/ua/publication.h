/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
#include "protocol/ua/endpoint.h"

/*
 * Event state that we publish (RFC 3903): it stays published, refreshed before it expires, taken up
 * again when the compositor has forgotten it, until it is removed.
 */
struct publication;
struct request_header;

enum publication_state {
	PUBLICATION_PUBLISHING, /* the first PUBLISH is under way */
	PUBLICATION_PUBLISHED,
	PUBLICATION_WAITING,  /* it may not be there at the moment; it is tried again by itself */
	PUBLICATION_REMOVING, /* PUBLISH with Expires: 0 is under way */
	PUBLICATION_REMOVED,  /* over: `ended` comes or came */
};
const char *publication_state_name(enum publication_state s);

/* Told by notes, never inside a verb. */
struct publication_ops {
	/* State, entity tag or expiry: look again. */
	void (*changed)(void *owner, struct publication *p);
	/* A PUBLISH failed for good or, with PUBLICATION_WAITING, for now. */
	void (*failed)(void *owner, struct publication *p, const struct outcome *o);
	/* The last word, exactly once: removed, refused, or the endpoint closed. Then p is dead. */
	void (*ended)(void *owner, struct publication *p, const struct outcome *o);
};

/* How a verb that waits for the far end ends: exactly once, by a note. */
typedef void publication_done_fn(void *owner, const struct outcome *o);
struct publication_reply {
	publication_done_fn *done; /* NULL: nobody waits */
	void *owner;
};

struct publication_spec {
	struct slice target; /* empty: the endpoint's own address of record */
	struct slice event;
	uint32_t expires; /* seconds; 0: 3600 */
	struct slice content_type, body;
	const struct request_header *headers;
	size_t n_headers;
};

/*
 * 0; -EINVAL (target, event, header, no body or no type), -ENOSPC (too many), -EOPNOTSUPP (the kind
 * of endpoint, or no way to that URI), -ENOTCONN (the endpoint closes).
 */
int publication_new(struct endpoint *ep, const struct publication_spec *spec,
	const struct publication_ops *ops, void *owner, const struct publication_reply *first,
	struct publication **ret_publication);
/*
 * Other state from now on (section 4.4), also while another PUBLISH is under way: they take turns,
 * and of several that wait the last counts; those before it end with its outcome. -ESTALE at the
 * end.
 */
int publication_modify(struct publication *p, struct slice content_type, struct slice body,
	const struct publication_reply *reply);
/* Section 4.5. -ESTALE at the end. */
int publication_remove(struct publication *p, const struct publication_reply *reply);
/* At once, without a word to anybody. NULL is fine. */
void publication_free(struct publication *p);

enum publication_state publication_state(const struct publication *p);
const char *publication_etag(const struct publication *p); /* "" if there is none */
usec_t publication_expires(const struct publication *p);   /* 0: not known */

/* ---- for endpoints ---- */

enum publication_farewell { PUBLICATION_TOLD, PUBLICATION_SILENT };
/* Told: removes what is published as far as the endpoint still reaches its server. */
void publication_endpoint_over(struct endpoint *ep, enum publication_farewell how);
