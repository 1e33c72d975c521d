/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
#include "protocol/dialog/usage.h"
#include "protocol/msg/event.h"
#include "protocol/ua/subscriber-body.h"
#include "protocol/ua/subscriber-rate.h"

/*
 * What the files of a subscriber share; nobody else includes this.
 *
 *   subscriber.c         life, what the listener hears, the verbs that end it
 *   subscriber-in.c      SUBSCRIBE: the first, its refreshes, and our answers
 *   subscriber-notify.c  NOTIFY: when, with which state, and what its answers mean
 *   subscriber-body.c    the states that are to be told
 *   subscriber-rate.c    how often (RFC 6446)
 *
 *   INCOMING -> refused
 *            -> PENDING or ACTIVE, NOTIFY ... NOTIFY -> TERMINATED, the last NOTIFY -> over
 */

struct subscriber {
	struct usage usage; /* in a dialog from its acceptance on, or from the beginning */
	struct endpoint *ep;
	struct list node; /* in ep->subscribers */
	char id[17];
	bool vouched_for; /* the endpoint's own server sent the first SUBSCRIBE */
	enum subscriber_state state;
	char *event, *event_id; /* event_id NULL: none */

	/* The SUBSCRIBE, as long as it waits for a decision. */
	struct txn *txn;
	struct flow *flow;   /* over which it came; a reference */
	struct msg *request; /* a reference, for good */
	struct timer undecided;

	usec_t expires;
	struct timer expiry;
	uint32_t max_seconds; /* that it may have */

	/* subscriber-notify.c */
	bool due;          /* the whole is to be told */
	bool urgent;       /* and no throttling delays that (RFC 6446 5.2) */
	bool tells_change; /* notify has a partial state */
	struct subscriber_news_queue queue;
	struct request *notify; /* one at a time */
	struct turn turn;       /* of it, among those of the endpoint */
	char *known;            /* Suppress-If-Match (RFC 5839): an entity-tag, "*"; NULL: none */
	struct subscriber_rate rate;
	usec_t asked_until; /* the whole was asked for, and is waited for; 0: it was not */
	usec_t retry_at;    /* the last NOTIFY was refused for a while */
	struct timer next;
	char *why_over;     /* the reason in the last NOTIFY; NULL: it goes on */
	unsigned n_refused; /* in a row */
	uint32_t retry_after;
	bool last_sent;
	bool hidden; /* it ended while pending: the last NOTIFY shows nothing either */

	/* News for the listener. */
	struct later_note note;
	unsigned changes; /* mask of enum subscriber_change */
	bool told, asks;  /* it was told incoming; SUBSCRIBER_WANTS_STATE is to be told */
	bool over, delivering, dead;
	struct msg *new_body; /* of a refresh, to be told */
	struct {
		char *reason;
		unsigned status;
		enum origin origin;
	} end;
	void *user;

	/* One of our own, which serves it; NULL: a client does. */
	const struct package *package;
	uint32_t version; /* of its next document */
	bool withdrawn;   /* the listener is to forget it, though it goes on */
};

/* ---- subscriber.c ---- */

struct timerq *subscriber_timers(const struct subscriber *s);
/* It goes on, but for the listener it is over. */
void subscriber_withdraw(struct subscriber *s);
/* Of s->note. */
void subscriber_deliver(struct later_note *n);
/* Queues what changed. */
void subscriber_mark(struct subscriber *s, unsigned changes);
void subscriber_set_state(struct subscriber *s, enum subscriber_state state);
/* How it ends: what is said first counts. */
void subscriber_set_end(
	struct subscriber *s, unsigned status, struct slice reason, enum origin origin);
/* Nothing more comes and nobody is told but the listener; s lives until that. */
void subscriber_over(struct subscriber *s);

/* Allow-Events, for a 489. */
void subscriber_append_allowed(struct buf *b, const struct endpoint *ep);

/* ---- subscriber-in.c ---- */

extern const struct usage_class subscriber_usage;
/* Answers the SUBSCRIBE that waits; lines: whole header lines. */
void subscriber_answer(struct subscriber *s, unsigned status, struct slice reason,
	struct slice lines, struct slice to_tag);
/* That is left to its own fate; nothing happens when none waits. */
void subscriber_forget_request(struct subscriber *s);

/* ---- subscriber-notify.c ---- */

/* The subscriber knows what there is to tell, or does not want to (RFC 5839 6.2). */
bool subscriber_is_known(const struct subscriber *s);
/* A NOTIFY with the whole state is due now (4.2.1.2). */
void subscriber_tell_whole(struct subscriber *s);
/* Sends what is to be told as soon as it may go. */
void subscriber_go_on(struct subscriber *s);
/*
 * The last NOTIFY, with that reason on the wire; why is for the listener. Nothing happens when it
 * is on its way already.
 */
void subscriber_terminate(
	struct subscriber *s, struct slice on_wire, struct slice why, enum origin origin);
void subscriber_notify_init(struct subscriber *s);
void subscriber_notify_stop(struct subscriber *s);
