/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
#include "protocol/dialog/usage.h"
#include "protocol/msg/substate.h"
#include "protocol/ua/subscription-private.h"

/* A subscription in one dialog, made by the first NOTIFY of a notifier (RFC 6665 4.4.1). */
struct subscription_fork {
	struct usage usage;
	struct subscription *s;
	struct list node; /* in s->forks */
	enum substate_word state;
	bool has_cseq;
	uint32_t cseq; /* of the last NOTIFY */
	struct turn turn;
	struct request *request; /* a SUBSCRIBE in the dialog */
	uint32_t asked;          /* seconds that it, or the last one, asked for; 0: the end */
	unsigned version;        /* of the wish, that it told */
	bool conditional;        /* it asked for no NOTIFY of what is known (RFC 5839) */
	bool heard, said;        /* since it was sent a NOTIFY came, and said an expiry */
	bool raised;             /* it was sent again for a 423 */
	unsigned failures;       /* of refreshes, in a row */
	/* On the core's clock; 0: none. The timer is set to the earliest. */
	usec_t expires, refresh, notify_by;
	usec_t not_before; /* what a Retry-After said */
	struct timer timer;
	char *etag; /* of the state that was told last (RFC 5839); NULL: none */
};

/* Leaves it without a word. */
void subscription_fork_free(struct subscription_fork *f);
/* A NOTIFY in it: it is answered. f may be gone afterwards, and s too. */
void subscription_fork_receive(struct subscription_fork *f, struct flow *reply_flow, struct msg *m);
/* What is wanted changed: says so, unless a SUBSCRIBE is under way, which another follows then. */
void subscription_fork_refresh(struct subscription_fork *f);
/* We are reached in another way: says so if the notifier cannot know. */
void subscription_fork_moved(struct subscription_fork *f);
/* The server answers again: a refresh that failed for want of that is due. */
void subscription_fork_revived(struct subscription_fork *f);
/* RFC 3265: where the NOTIFY that made it had no route set, it is that of s->accepted. */
void subscription_fork_route(struct subscription_fork *f);
/* The SUBSCRIBE that made it was answered: so many seconds, unless a NOTIFY said. */
void subscription_fork_granted(struct subscription_fork *f, uint32_t seconds);

/*
 * A 2xx to the SUBSCRIBE of s, which may have the state in it ([MS-SIP] 3.4.5.1): it makes the
 * dialog then, unless a NOTIFY did. s may be over afterwards.
 */
void subscription_fork_ride(struct subscription *s, const struct outcome *o);

/* subscription-send.c: in its dialog, for so many seconds; f is the owner. As request_new(). */
int subscription_send_in(
	struct subscription_fork *f, uint32_t expires, const struct request_ops *ops);
