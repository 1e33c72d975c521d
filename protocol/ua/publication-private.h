/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
#include "protocol/ua/publication.h"
#include "protocol/ua/request.h"

/* What the files of a publication share; nobody else includes this. */

/* RFC 3903 section 4.1, table 1. */
enum publication_operation {
	PUBLICATION_INITIAL,
	PUBLICATION_REFRESH,
	PUBLICATION_MODIFY,
	PUBLICATION_REMOVE,
};

struct publication_content {
	char *type, *bytes;
	size_t n;
};

struct publication {
	struct endpoint *ep;
	struct list node; /* in ep->publications */
	const struct publication_ops *ops;
	void *owner;
	enum publication_state state;

	char *target, *event, *lines; /* lines: the client's headers */
	uint32_t wish;                /* seconds asked for, raised by a 423 */
	/*
	 * now: accepted by the compositor, and sent anew when that has forgotten it; NULL before.
	 * next: wanted in its place. flying: in the PUBLISH under way, if not now.
	 */
	struct publication_content *now, *next, *flying;

	char *etag;     /* NULL: nothing of ours is there as far as we know */
	usec_t expires; /* of what has that tag */
	struct timer timer;
	usec_t next_attempt; /* 0: none is planned */
	usec_t not_before;   /* Retry-After */
	unsigned failures;   /* in a row */
	bool refused;        /* the last one of them was no passing one */

	struct request *request;
	enum publication_operation running;
	bool raised; /* this attempt has answered a 423 */
	bool asked;  /* the next attempt is to be made now */
	bool lost;   /* nobody knows what became of the last one without a tag */
	bool leaving;

	struct list waiting, aboard; /* callers: of the next attempt, of that under way */
	struct list news;
	struct later_note note;
	bool changed, delivering, dead;
};

/* ---- publication.c ---- */

/* Sends what is running (again). */
void publication_send(struct publication *p);
/* The newest state and whoever waits for it go with the attempt under way. */
void publication_board(struct publication *p);
/* What is to be done now, unless something is under way; else arms for later. */
void publication_run(struct publication *p);
void publication_set_state(struct publication *p, enum publication_state s);
void publication_forget_etag(struct publication *p);
void publication_content_free(struct publication_content *c);
/* It is over, and that is told. */
void publication_over(struct publication *p, const struct outcome *o);

/* ---- publication-news.c: what is told; all of them copy ---- */

void publication_news_init(struct publication *p);
void publication_tell_changed(struct publication *p);
void publication_tell_failed(struct publication *p, const struct outcome *o);
void publication_tell_end(struct publication *p, const struct outcome *o);
/* Puts who waits into that list; reply may be NULL. */
void publication_call(struct list *callers, const struct publication_reply *reply);
void publication_tell_callers(struct publication *p, struct list *callers, const struct outcome *o);
/* Nobody hears anything any more. */
void publication_forget_news(struct publication *p);
/* What deliver does at its end, and free at once. */
void publication_destroy(struct publication *p);

/* ---- publication-outcome.c ---- */

/* The PUBLISH under way ended so. */
void publication_ended(struct publication *p, const struct outcome *o);
