/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
#include "protocol/base/list.h"
#include "protocol/ua/request-headers.h"
#include "protocol/ua/subscriber.h"

/* What a subscriber is to be told: the whole state, and changes of it in order. */

/* One state as it is told; owned. */
struct subscriber_told {
	struct list node; /* in changes */
	char *type, *lines, *bytes;
	size_t n;
	char tag[17]; /* entity-tag (RFC 5839 6.1) of the state as it is then */
};

/* What is to be told. The whole counts as stale once changes of it were told. */
struct subscriber_news_queue {
	struct subscriber_told *whole; /* NULL: none was said */
	struct list changes;           /* partial states after it, not told yet */
	unsigned n_changes;
	char tag[17]; /* of the last that was said; "": nothing was */
	bool stale;   /* changes of it were told, or lost: who serves the package has to be asked */
};

/*
 * 0, -EINVAL, -EMSGSIZE. A whole state has the same tag whenever it is the same, so that it is
 * known again in another subscription (RFC 5839 5.4, 5.5); after a change the tag is new.
 */
int subscriber_told_new(
	struct ua *ua, const struct subscriber_body *b, struct subscriber_told **ret);
void subscriber_told_free(struct subscriber_told *t);
void subscriber_queue_clear(struct subscriber_news_queue *q);
/* The changes that wait, which the whole to come has. */
void subscriber_queue_drop(struct subscriber_news_queue *q);
/* The whole is that now. */
void subscriber_queue_put(struct subscriber_news_queue *q, struct subscriber_told *whole);
/* A change that is not told for itself. */
void subscriber_queue_skip(struct subscriber_news_queue *q, struct subscriber_told *change);
/* The next change, which the caller frees; NULL: none waits. */
struct subscriber_told *subscriber_queue_take(struct subscriber_news_queue *q);
/* A change; false: too many wait, they are dropped with it. */
bool subscriber_queue_add(struct subscriber_news_queue *q, struct subscriber_told *change);
