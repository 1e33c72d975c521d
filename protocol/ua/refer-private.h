/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
#include "protocol/msg/event.h"
#include "protocol/ua/leg.h"
#include "protocol/ua/refer.h"

struct uas_reply;

/*
 * What the files of a REFER share; nobody else includes this.
 *
 *   refer.c         what both sides have in common; the REFER outside of sessions
 *   refer-out.c     ours: the request, and the subscription from its NOTIFYs to its end
 *   refer-in.c      the peer's: from the request to the last of our NOTIFYs
 *   session-refer.c the verbs of sessions
 *
 * Each REFER is a usage of its own (RFC 5057). In a dialog of a session it may outlive the leg,
 * which then hears no more of it.
 */

/* A REFER of ours. */
struct refer {
	struct usage usage; /* in no dialog: outside of any, and no NOTIFY came yet */
	struct endpoint *ep;
	struct list node; /* in ep->refers */

	/* Who hears of it: a leg, or an owner, or, when the leg is over, nobody. */
	struct leg *leg;
	struct list in_leg;
	const struct refer_ops *ops;
	void *owner;

	struct request *request;   /* the REFER, until it is answered */
	struct request *subscribe; /* a refresh or the end of the subscription */
	uint32_t cseq;             /* of the REFER that was answered */
	bool no_subscription;      /* asked for: Refer-Sub: false */
	/* Outside of dialogs: what the first NOTIFY must name. */
	struct map_node by_call;
	char *call_key; /* Call-ID, line feed, our tag */
	struct slice call_id, tag;

	enum refer_state state;
	usec_t expires;
	struct timer timer; /* the first NOTIFY, the end of the subscription */
	struct msg *last;   /* NOTIFY */

	struct {
		bool known;
		unsigned status;
		char *reason;
		enum origin origin;
		char *why;
		uint32_t retry_after;
	} end;

	/* News for the owner. */
	struct later_note note;
	struct list news; /* of struct refer_news */
	bool delivering, dead;
};

/* ---- refer.c ---- */

/* The state of a reference, event "refer": true and what it says. */
bool refer_event(const struct msg *m, struct event *ret);
/* Is that the id of a REFER with this CSeq? None at all fits any: the oldest is asked first. */
bool refer_event_fits(const struct event *e, uint32_t cseq);
/* Contact of our answer to m, which came over f. */
void refer_append_contact(
	struct buf *b, const struct refer_in *r, const struct msg *m, const struct flow *f);
/* Queues a NOTIFY, or NULL: accepted, for r's owner. */
void refer_tell(struct refer *r, const struct msg *m);
void refer_drop_news(struct refer *r);

/* ---- refer-out.c ---- */

struct refer_wish {
	struct slice refer_to;    /* a URI, checked */
	struct slice referred_by; /* a header value */
	struct slice lines;       /* the client's headers and others, whole lines */
	struct slice target;      /* outside of dialogs: who is asked */
	struct slice route;       /* and by which way; empty: the endpoint's */
	bool no_subscription;
};
/* A client's headers have Referred-By (RFC 3892): no other is added. */
bool refer_names_referrer(const struct session_headers *h);
/* In leg's dialog, or with leg == NULL outside of any; the caller sets who hears of it. */
int refer_send(
	struct endpoint *ep, struct leg *leg, const struct refer_wish *w, struct refer **ret_refer);
/* What was asked for ended; only the first time counts. */
void refer_outcome(struct refer *r, unsigned status, struct slice reason, enum origin origin);
/* Nothing more comes: what is not known yet stays so. r is gone when nobody waits for its news. */
void refer_over(struct refer *r);
/* The first NOTIFY of a REFER outside of dialogs. false: nobody's. */
bool refer_first_notify(struct ua *ua, struct flow *reply_flow, struct msg *m);
/* Leaves everything at once; freed now, or when the owner's callback that runs returns. */
void refer_destroy(struct refer *r);
