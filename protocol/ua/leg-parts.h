/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
#include "protocol/ua/leg.h"

/* The matters inside a leg, one file for each (leg.h has the list); only legs and sessions look. */

/* ---- leg-ack.c ---- */

/* A 2xx to our INVITE `sent` came: acknowledges it, with body as the answer, or without one. */
void leg_ack(struct leg *l, const struct msg *sent, const struct session_body *body);
/* The 2xx has an offer: the ACK waits for the client, for LIMITS_ANSWER_SECONDS. */
void leg_ack_wait(struct leg *l, const struct msg *sent);
/* usage_class.stray: the 2xx again, so the ACK again. */
bool leg_ack_stray(struct leg *l, const struct msg *m);
void leg_ack_stop(struct leg *l);

/* ---- leg-answer.c ---- */

/* Sends a 2xx to an INVITE (initial or re-) and repeats it until its ACK (13.3.1.4). Takes t over
 * from its owner, who is told nothing more. No ACK within 64*T1: leg_end(). */
void leg_answer_send(struct leg *l, struct txn *t, struct slice bytes);
/*
 * usage_class.ack. An answer in it is taken into l->offer and l->remote here, then a BYE that waits
 * goes (leg_end_acked()), or session_leg_acked() for the first INVITE and leg_modify_acked() for
 * the others tell of it. Without the answer that our offer asked for: leg_end().
 */
bool leg_answer_ack(struct leg *l, const struct msg *ack);
/* The last 2xx is not acknowledged yet: a BYE and a new offer have to wait (15, 14.1). */
bool leg_answer_waits(const struct leg *l);
void leg_answer_stop(struct leg *l);

/* ---- leg-reliable.c ---- */

/* Our side as the called: sends a provisional response so that it is acknowledged; headers are
 * whole lines, Contact and Record-Route among them; Require and RSeq are added, the To tag is
 * s->to_tag, and what body means is taken in here (offer_sent()). -EBUSY: an offer or answer in an
 * earlier one still waits for its PRACK. */
int leg_reliable_send(struct leg *l, unsigned status, struct slice reason, struct slice headers,
	const struct session_body *body);
/* Any with a description is unacknowledged, or an offer in a PRACK is not answered: a 2xx has to
 * wait (RFC 3262 section 3). */
bool leg_reliable_waits(const struct leg *l);
/* usage_class.request, PRACK */
bool leg_reliable_prack(struct leg *l, struct flow *reply_flow, struct msg *m);
/* Require: 100rel and an RSeq that can be read; else it is as good as unreliable. */
bool leg_reliable_is(const struct msg *m);
/*
 * Our side as the caller: a reliable 1xx came. 0: in order, its description is taken in, and a
 * PRACK is on its way (that for an offer, which is to be told, waits for the answer); -ESTALE: a
 * retransmission or out of order, to be ignored; -EBADMSG: it is not reliable.
 */
int leg_reliable_received(struct leg *l, const struct msg *m);
/* The client's answer to an offer in a reliable 1xx goes into the PRACK. -ESTALE: none waits. */
int leg_reliable_answer(struct leg *l, const struct session_body *answer);
void leg_reliable_stop(struct leg *l);
/* The caller's half of it; leg-prack.c has that, and the two functions above. */
void leg_prack_stop(struct leg *l);

/* ---- leg-modify.c ---- */

int leg_modify_offer(
	struct leg *l, const struct session_body *offer, const struct session_reply *reply);
/* The session timer's refresh: UPDATE without body, or re-INVITE with the last description. */
void leg_modify_refresh(struct leg *l);
bool leg_modify_request(struct leg *l, struct flow *reply_flow, struct msg *m);
/* Has the client answer m's offer, or its wish for one; no such question is open. */
void leg_modify_ask(struct leg *l, struct flow *reply_flow, struct msg *m);
/* Whom the client was to answer is told 487: nobody will (15.1.2). */
void leg_modify_forget(struct leg *l);
/* 12.2, RFC 6141 4.6, 4.7: m was accepted, or accepts, or is a reliable 1xx. */
void leg_modify_target(struct leg *l, const struct msg *m);
/* The client's part: -ESTALE if it was not asked. A refused offer in PRACK refuses the INVITE. */
int leg_modify_answer(struct leg *l, const struct session_body *answer);
int leg_modify_reject(struct leg *l, unsigned status);
/* A 2xx to a re-INVITE was acknowledged: ack has the answer if the 2xx had the offer. */
void leg_modify_acked(struct leg *l, const struct msg *ack);
/* What waits is over. A re-INVITE of ours on its way stays, its 2xx wants an ACK: leg_free(). */
void leg_modify_stop(struct leg *l);

/* ---- leg-timer.c ---- */

/* Lines for a request that may set the timer: INVITE (l may be NULL: the initial one) and UPDATE.
 * min_se as a 422 told, or 0. */
void leg_timer_append_request(struct buf *b, const struct leg *l, uint32_t min_se);
/* 0, or 422 with lines for the refusal. */
unsigned leg_timer_check(struct buf *b, const struct msg *request);
/* Lines for our 2xx to that request. */
void leg_timer_append_2xx(struct buf *b, struct leg *l, const struct msg *request);
/* The 2xx went or came: (re)starts or stops. */
void leg_timer_answered(struct leg *l, const struct msg *request);
void leg_timer_received(struct leg *l, const struct msg *sent, const struct msg *response);
void leg_timer_stop(struct leg *l);

/* ---- leg-message.c ---- */

int leg_message_send(
	struct leg *l, const struct request_spec *spec, const struct session_reply *reply);
bool leg_message_request(struct leg *l, struct flow *reply_flow, struct msg *m);
void leg_message_stop(struct leg *l);
/* Our client's Recv-Info, if it is among these, counts from now on (RFC 6086 5.2). */
void leg_message_note_packages(struct session *s, const struct session_headers *h);
/* The same of the peer's, and what it allows. */
void leg_message_note_peer(struct leg *l, const struct msg *m);
bool leg_message_may_go(const struct leg *l, struct slice package);

/* ---- leg-end.c ---- */

/* Sends BYE, after the ACK that is missing if need be (15); when it is answered, or nobody does,
 * session_leg_over(). headers: whole lines. */
void leg_end(struct leg *l, struct slice headers);
/* Nobody answers in the dialog (12.2.1.2): BYE, or, if it is early, the end of the INVITE. */
void leg_end_unheard(struct leg *l, const struct outcome *o);
/* The ACK came that a BYE of ours has to wait for while leg_answer_waits() (15), or never will. */
void leg_end_acked(struct leg *l);
/* BYE of the peer's. */
bool leg_end_request(struct leg *l, struct flow *reply_flow, struct msg *m);
/* Why a BYE or CANCEL of the peer's was sent (RFC 3326): words, and the status, which stays as it
 * is unless the reason is one of SIP's own. false: it does not say. */
bool leg_end_read_reason(const struct msg *m, struct buf *b, unsigned *ret_status);
void leg_end_stop(struct leg *l);
