/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
#include "protocol/ua/request.h"
#include "protocol/ua/subscription-list.h"
#include "protocol/ua/turn.h"

struct substate;

/*
 * What the files of a subscription share; nobody else includes this.
 *
 *   subscription.c        the verbs, the news for the owner, the view
 *   subscription-send.c   what a SUBSCRIBE says, the first of an attempt and the others
 *   subscription-fork.c   one dialog: its NOTIFYs, its expiry, its refreshes
 *   subscription-retry.c  what comes after the last dialog's end, or a refusal
 */

/* What follows when there is no dialog any more. */
enum subscription_next {
	SUBSCRIPTION_NEVER,   /* over */
	SUBSCRIPTION_AT_ONCE, /* a new dialog */
	SUBSCRIPTION_LATER,   /* the same, not before retry_after, or after a growing pause */
};

struct subscription_verdict {
	enum subscription_next next;
	struct subscription_end end;
};

struct subscription {
	struct endpoint *ep;
	struct list node; /* in ep->subscriptions */
	const struct subscription_ops *ops;
	void *owner;

	/* The wish, copied. */
	unsigned version; /* counts its changes */
	uint32_t ask;     /* seconds, raised by a 423; 0: fetch */
	char *target, *event, *accept, *content_type, *body;
	size_t body_n;
	struct buf lines; /* the client's headers, whole lines */
	char *etag;       /* of the state that the last dialog told; NULL: none */
	enum subscription_list list;
	bool plain;                          /* no condition of ours in it (RFC 5839 5.8) */
	struct subscription_targets targets; /* body.n == 0: none are named */

	/* The attempt: what the first NOTIFYs must name, as long as they are waited for. */
	struct map_node by_call;
	char *call_key; /* Call-ID, line feed, our tag */
	struct slice call_id, tag;
	struct turn turn;
	struct request *request;   /* the first SUBSCRIBE */
	uint32_t cseq;             /* of it, once it was answered */
	unsigned told;             /* version of the wish that it tells */
	uint32_t asked, granted;   /* seconds: in it, and in its 2xx */
	bool hides, raised, heard; /* it says not who we are; it follows a 423; a NOTIFY came */
	struct msg *accepted;      /* its 2xx, as long as first NOTIFYs are waited for */
	struct list forks;
	struct timer timer;  /* Timer N, or the next attempt */
	usec_t next_attempt; /* 0: none is planned */
	usec_t since;        /* the attempt began */
	usec_t hears_until;  /* Timer N, however short it is made */
	size_t n_forks;
	unsigned failures; /* attempts in a row that came to nothing soon */
	bool judged;       /* a dialog, or the attempt, has ended: so, and what is below says why */
	bool ending;       /* nobody wants it any more */
	enum subscription_next next;
	enum subscription_state state;

	struct msg *last;
	/* How it ended, or why there is no dialog at the moment. */
	char *reason;
	unsigned status;
	enum origin origin;
	uint32_t retry_after;

	struct later_note note;
	struct list news; /* of struct subscription_news */
	bool delivering, dead;
};

/* ---- subscription.c ---- */

/* Queues a NOTIFY for the owner. */
void subscription_tell(struct subscription *s, const struct msg *m);
/* Queues that something about it changed, unless that is queued last already. */
void subscription_changed(struct subscription *s);
/* Works its state out of its dialogs and attempts. */
void subscription_update_state(struct subscription *s);
void subscription_note_end(struct subscription *s, const struct subscription_end *e);
/* The last word is queued. */
void subscription_over(struct subscription *s, const struct subscription_end *e);

/* ---- subscription-send.c ---- */

/* The first SUBSCRIBE of an attempt, with names of its own. As request_new(). */
int subscription_send(struct subscription *s);
/* The same attempt once more, for a 423. */
int subscription_send_again(struct subscription *s);
/* 423: true if it says how many seconds to ask for instead, and s does. */
bool subscription_raise(struct subscription *s, const struct msg *response);
/* NOTIFYs of new notifiers are not waited for any more. */
void subscription_forget_call(struct subscription *s);

/* ---- subscription-retry.c ---- */

/* What a terminated NOTIFY means (4.1.3). */
void subscription_judge_notify(const struct substate *sub, struct subscription_verdict *ret);
/* What the failure of a SUBSCRIBE that made no dialog means. */
void subscription_judge_outcome(const struct outcome *o, struct subscription_verdict *ret);
/* One dialog, or the attempt itself, came to nothing. s may be over afterwards. */
void subscription_ended(struct subscription *s, const struct subscription_verdict *v);
/* Draws the consequence, if there is nobody left who may have something to say. */
void subscription_settle(struct subscription *s);
/* Begins an attempt, when its turn comes. */
void subscription_attempt(struct subscription *s);
/* turn.go: it comes. */
bool subscription_on_turn(struct turn *t);
/* Timer N, or the next attempt. */
void subscription_on_timer(struct timer *t);
