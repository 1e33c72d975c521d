/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
#include "protocol/ua/leg-parts.h"
#include "protocol/ua/session-in.h"
#include "protocol/ua/session-view.h"

/*
 * What the files of a session share; nobody else includes this.
 *
 *   session.c       life, state, news and what can be looked at
 *   session-out.c   from session_new() to the 2xx: forks, CANCEL, redirection, several 2xx
 *   session-in.c    from the INVITE to our final answer; CANCEL, Replaces, Join
 *   session-verb.c  verbs within: to which leg they go
 *
 * legs are in leg.h: a session begins with none (outgoing) or one (incoming).
 */

struct session {
	struct ua *ua;
	struct endpoint *ep;
	struct list node;          /* in ep->sessions */
	struct map_node by_id;     /* in ua->sessions */
	struct map_node by_invite; /* in ua->invites: Call-ID, line feed, our tag; outgoing */
	char *id, *invite_key;
	bool outgoing, forked;
	enum session_state state;
	char *type, *party, *local, *remote, *request_uri, *call_id;
	usec_t start_time;
	enum offer_state first_offer; /* outgoing, before there is a leg: of the INVITE */
	void *user;                   /* the listener's */
	bool hidden;                  /* the listener never hears of it, its observer does */
	bool relayed;                 /* its descriptions are another party's (connect.h) */
	const struct session_observer *observer;
	void *observer_owner;

	struct list legs;    /* of struct leg, oldest first */
	struct leg *leg;     /* the one that counts: incoming at once, outgoing from the 2xx on */
	unsigned n_forks;    /* ids given */
	uint32_t n_referred; /* ids given to REFERs of the peer's */

	/* The initial INVITE. */
	struct request *invite;           /* outgoing, until its final response */
	struct txn *invite_txn;           /* incoming, until ours */
	struct msg *invite_msg;           /* as sent last, or as received */
	struct msg *final_msg, *last_msg; /* received; session_in_final() has ours */
	char *to_tag;                     /* incoming: ours, the same in every answer (12.1.1) */
	struct timer ring;                /* outgoing: nobody answers; incoming: nobody decides */
	struct timer refresh_1xx;         /* incoming: a 1xx each minute (13.3.1.1) */
	struct session_out *out;          /* session-out.c's own; NULL for incoming */
	struct session_in *in;            /* session-in.c's own; NULL for outgoing */
	char *recv_info; /* the packages that our client takes; NULL: said nothing */
	struct session *replaces, *joins; /* cleared when those go */
	struct list replaced_by; /* sessions that point at us through `replaces` or `joins` */
	struct list replaces_node;

	/* News for the listener. */
	struct later_note note;
	struct list news;
	unsigned changes;
	bool told_added, ask;   /* ask: session_incoming is due */
	bool over_waits, ended; /* over but for what its REFERs lead to; the end was told */
	bool told_established, reap, delivering, dead;
	struct {
		unsigned status;
		char *reason; /* NULL: not known yet */
		enum origin origin;
	} outcome;    /* told once */
	bool removed; /* session_removed told: only what the network may still want is left */
	struct timer linger; /* late 2xx and retransmissions find us so long */
};

/* ---- session.c ---- */

/* 0; -EINVAL (id), -EEXIST, -ENOTCONN (closing), -ENOSPC. id empty: made up. Nothing was sent: what
 * fails afterwards is undone by session_free(). */
int session_make(struct endpoint *ep, struct slice id, struct session **ret_session);
void session_set_state(struct session *s, enum session_state state);
void session_mark(struct session *s, unsigned changes);
/* Copies what e points at; delivered by a note, in order. */
void session_tell(struct session *s, const struct ua_session_event *e);
/* SESSION_LAST_RECEIVED from now on. */
void session_note_message(struct session *s, const struct msg *m);
/* The end, once the outcome of each REFER of ours came, or 32 s: state, UA_SESSION_TERMINATED,
 * removal; the first outcome counts. What the network may want goes on for 64*T1. */
void session_over(struct session *s, unsigned status, struct slice reason, enum origin origin);
void session_refer_ended(struct session *s); /* one of ours has its outcome */
/* After BYE or CANCEL: the outcome is remembered, SESSION_TERMINATING until session_over(). */
void session_ending(struct session *s, unsigned status, struct slice reason, enum origin origin);
/* What connect.c has instead of session_terminate() (lines: of BYE or CANCEL) and _answer(). */
void session_end_as(struct session *s, const struct outcome *o, struct slice lines);
int session_put_answer(struct session *s, const struct session_body *answer);
/* Legs that are over and wait for nothing go, by the session's note. */
void session_reap(struct session *s);
bool session_body_is_safe(const struct session_body *b); /* a client's: its type */
/* A client's header lines. -EINVAL, -EMSGSIZE: malformed, or on the stack's list for sessions. */
int session_append_headers(struct buf *b, const struct session_headers *h);
void session_append_capabilities(struct buf *b); /* of INVITE and its 2xx (13.2.1, 13.3.1.4) */

/* ---- what legs tell their session ---- */

/* A dialog is over: BYE came or was answered, or it broke. The last one ends the session. */
void session_leg_over(struct leg *l, unsigned status, struct slice reason, enum origin origin);
/* Our 2xx was acknowledged, or our ACK went: established on both sides. */
void session_leg_acked(struct leg *l, const struct msg *ack);

/* ---- session-out.c ---- */

/* CANCEL, whatever the INVITE's state is; what is established meanwhile gets BYE (9.1, 15). */
void session_out_cancel(struct session *s, struct slice headers);
/* A 2xx to our INVITE that no dialog knows: another fork, or after the end. ACK and BYE. */
void session_out_stray(struct session *s, const struct msg *m);
void session_out_free(struct session *s);

/* ---- refer-in.c and refer-out.c, the part that legs see; refer-private.h has the rest ---- */

/* The leg is over, for the peer's REFERs (RFC 5057); for ours, of which nobody knows more. */
void refer_retire(struct leg *l);
void refer_stop(struct leg *l);
/* REFER, and a SUBSCRIBE to the state of one that nobody has. */
bool refer_request(struct leg *l, struct flow *reply_flow, struct msg *m);
