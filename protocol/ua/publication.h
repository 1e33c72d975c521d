/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
#include "protocol/ua/endpoint.h"

/*
 * Event state that we publish (RFC 3903): it stays published, refreshed before it expires, taken up
 * again when the compositor has forgotten it, until it is removed.
 *
 * What follows a failure: what was never accepted and is refused is over, and so is what our
 * credentials do not suffice for. A change that is refused leaves what was accepted before. What
 * passes (no answer, no way, 408, 480, 5xx) is tried again, at intervals that grow and never below
 * Retry-After, and a refusal of what was accepted before about hourly.
 *
 * Of an answer that was lost nobody knows the entity tag: what was published by it cannot be
 * removed, and stays beside what is published after it, until it expires (section 8.2).
 */
struct publication;
struct request_header;

enum publication_state {
	PUBLICATION_PUBLISHING, /* the first PUBLISH is under way */
	PUBLICATION_PUBLISHED,  /* also while it is refreshed or modified */
	PUBLICATION_WAITING,    /* what is wanted may not be there; it is tried again by itself */
	PUBLICATION_REMOVING,   /* no more than the end is to come */
	PUBLICATION_REMOVED,    /* over: `ended` comes or came */
};
const char *publication_state_name(enum publication_state s);

/* Told by notes, never inside a verb. */
struct publication_ops {
	/* State, entity tag or expiry: look again. */
	void (*changed)(void *owner, struct publication *p);
	/* A PUBLISH failed, and that is not the end. */
	void (*failed)(void *owner, struct publication *p, const struct outcome *o);
	/*
	 * The last word, exactly once; then p is dead. error 0: removed as asked. Else why it is
	 * over, or why what was published may last until it expires.
	 */
	void (*ended)(void *owner, struct publication *p, const struct outcome *o);
};

/* How a verb that waits for the far end ends: exactly once, by a note, after `changed`. */
typedef void publication_done_fn(void *owner, const struct outcome *o);
struct publication_reply {
	publication_done_fn *done; /* NULL: nobody waits */
	void *owner;
};

struct publication_spec {
	struct slice target; /* empty: the endpoint's own address of record */
	struct slice event;  /* value of Event */
	uint32_t expires;    /* seconds; 0: 3600 */
	struct slice content_type, body;
	const struct request_header *headers; /* that go with every PUBLISH */
	size_t n_headers;
	/* Told how the first PUBLISH ended, which, if that passes, is not the end. */
	struct publication_reply first;
};

/*
 * 0; -EINVAL (target, event, header, no body or no type), -EMSGSIZE (too many headers), -ENOSPC
 * (too many), -EOPNOTSUPP (the kind of endpoint, or no way to that URI), -ENOTCONN (the endpoint
 * closes).
 */
int publication_new(struct endpoint *ep, const struct publication_spec *spec,
	const struct publication_ops *ops, void *owner, struct publication **ret_publication);
/*
 * Other state from now on (section 4.4), also while another PUBLISH is under way: they take turns,
 * and of several that wait the last counts; those before it end with its outcome. After an error
 * with PUBLICATION_WAITING it goes on being tried. -ESTALE at the end, -EINVAL as above. reply may
 * be NULL.
 */
int publication_modify(struct publication *p, struct slice content_type, struct slice body,
	const struct publication_reply *reply);
/* Section 4.5; once it is asked for, nothing else is told. -ESTALE at the end. reply: as above. */
int publication_remove(struct publication *p, const struct publication_reply *reply);
/* At once, without a word to anybody. NULL is fine. */
void publication_free(struct publication *p);

enum publication_state publication_state(const struct publication *p);
struct slice publication_event(const struct publication *p);
const char *publication_etag(const struct publication *p);    /* "" if there is none */
usec_t publication_expires(const struct publication *p);      /* 0: not known */
usec_t publication_next_attempt(const struct publication *p); /* 0: none is planned */

/* ---- for endpoints ---- */

enum publication_farewell {
	PUBLICATION_WITHDRAWN, /* removed as far as the server is there; that is waited for */
	PUBLICATION_TOLD,      /* nothing is waited for any more */
	PUBLICATION_SILENT,    /* at once, without a word to anybody */
};
void publication_endpoint_over(struct endpoint *ep, enum publication_farewell how);

enum publication_hint {
	PUBLICATION_NETWORK_CHANGED, /* what failed may work now */
	/* The server was gone, and may have lost what it knew: everything is refreshed. */
	PUBLICATION_REGISTERED_ANEW,
};
/* Something happened that makes it worth to try within seconds. */
void publication_endpoint_hint(struct endpoint *ep, enum publication_hint hint);
