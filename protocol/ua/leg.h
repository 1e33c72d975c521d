/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
#include "protocol/dialog/usage.h"
#include "protocol/ua/contact.h"
#include "protocol/ua/leg-state.h"

/*
 * A leg: the INVITE usage of one dialog (RFC 5057). A session that we called has one for each
 * early dialog until one of them is established; one that called us has one. Everything that goes
 * on inside a dialog is here, one file for each matter; what the session makes of it is not.
 *
 *   leg.c           life, and which file a request of the peer goes to
 *   leg-ack.c       ACK for the 2xx of our INVITEs
 *   leg-answer.c    our 2xx to the peer's INVITEs, repeated until the ACK
 *   leg-reliable.c  reliable provisional responses and PRACK, both sides (RFC 3262)
 *   leg-modify.c    re-INVITE and UPDATE, ours and the peer's, and their glare
 *   leg-timer.c     session timers (RFC 4028)
 *   leg-message.c   INFO, MESSAGE and OPTIONS in the dialog
 *   leg-end.c       BYE, ours and the peer's, and the failures that end a dialog
 */

struct leg {
	struct usage usage; /* first: the dialog's view of us */
	struct session *s;
	struct list node;     /* in s->legs */
	char *fork;           /* "1", "2"... unique in the session */
	bool client;          /* our INVITE made the dialog */
	bool confirmed;       /* by a 2xx */
	bool over;            /* BYE went or came, or it failed: nothing new begins */
	unsigned peer_allows; /* mask of 1 << enum method, of the last Allow; 0: none came */
	bool peer_timer;      /* Supported: timer */
	char *peer_packages;  /* of Recv-Info; NULL: it said nothing of any */
	struct flow *flow;    /* held for the life of the leg: what came or went last, or NULL */

	struct offer offer;
	struct leg_body local, remote; /* what is agreed, or proposed last */

	struct leg_ack ack;
	struct leg_answer answer;
	struct leg_modify modify;
	struct leg_asked asked;
	struct leg_reliable reliable;
	struct leg_timer timer;
	struct request *bye;
	char *bye_lines;   /* of a BYE that waits for an ACK of the peer's; NULL: none does */
	struct list sends; /* INFO and MESSAGE under way; leg-message.c */
	/* Of struct refer, ours, and of struct refer_in, the peer's; refer-private.h. */
	struct list refers, refers_in;
	bool referred; /* by the peer, at least once (RFC 3515 2.4.6) */
};

/* ---- leg.c ---- */

/* The leg whose dialog that is; NULL: it has no INVITE usage. */
struct leg *leg_of_dialog(const struct dialog *d);
/* Joins d, which has no other INVITE usage, and s->legs. */
struct leg *leg_new(struct session *s, struct dialog *d);
/* Everything that waits is done with -ECANCELED; leaves the dialog. No message. */
void leg_free(struct leg *l);
/*
 * It is over: everything inside stops and what waits is done with -ECANCELED. It stays in its
 * dialog, to acknowledge strays, until it is freed.
 */
void leg_retire(struct leg *l);
/* Reads what every message of the peer says in passing: Allow, Supported. f: the flow to hold,
 * NULL: as before. The target is the caller's to refresh, when it accepts (12.2.1.2, RFC 6141). */
void leg_note_peer(struct leg *l, const struct msg *m, struct flow *f);
bool leg_peer_allows(const struct leg *l, enum method m);
void leg_body_set(struct leg_body *b, const struct session_body *from);
void leg_body_clear(struct leg_body *b);
struct session_body leg_body_get(const struct leg_body *b);
/* The session body of a message: type and bytes; n == 0: none that counts. Multipart is handed on
 * as it is. */
struct session_body leg_body_of(const struct msg *m);
/* Ours in an answer to that request, over that flow: sips where 12.1.1 wants it. */
struct contact leg_contact(const struct leg *l, const struct msg *request, const struct flow *f);
/* Answers a request of the peer's at once, without an owner: a new transaction, or 503. */
void leg_refuse(struct leg *l, struct flow *reply_flow, struct msg *m, unsigned status,
	struct slice headers);
/* Sends a request in the leg's dialog: spec.dialog and spec.contact are filled in here. */
int leg_request(struct leg *l, struct request_spec *spec, const struct request_ops *ops,
	void *owner, struct request **ret_request);
/* Ends a waiting verb, if there is one, and forgets it. It is told by a note, even if the session
 * is gone by then. */
void leg_reply(struct leg *l, struct session_reply *r, const struct outcome *o,
	const struct session_body *body);
void leg_reply_local(struct leg *l, struct session_reply *r, int error, struct slice reason);
/* A final response, or none, to any request of ours in the dialog: RFC 5057 5.1. May end the leg.
 */
void leg_judge(struct leg *l, enum method method, const struct outcome *o);
