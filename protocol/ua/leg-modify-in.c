/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "protocol/base/err.h"
#include "protocol/msg/build.h"
#include "protocol/ua/leg-parts.h"
#include "protocol/ua/limits.h"
#include "protocol/ua/session-private.h"
#include "protocol/ua/uas.h"

/*
 * The peer changes the session: re-INVITE (RFC 3261 14.2) and UPDATE (RFC 3311 5.2), and the
 * client's answer to what they, or a PRACK, offer.
 *
 * What changes nothing is answered here: an UPDATE without body, an offer that is to the byte the
 * last one, as session timers send them (RFC 4028). Changes count from our 2xx on and not before,
 * so that a refusal undoes nothing (RFC 6141 3.3).
 */

enum { RETRY_AFTER_SECONDS = 11 }; /* 14.2: 0 to 10 */

static struct ua *ua_of(const struct leg *l)
{
	return l->s->ua;
}

/* ---- refusals ---- */

static void refuse_for_now(struct leg *l, struct flow *reply_flow, struct msg *m)
{
	struct buf lines = BUF_NULL;

	build_header_u64(&lines, HDR_RETRY_AFTER, ua_random_below(ua_of(l), RETRY_AFTER_SECONDS));
	leg_refuse(l, reply_flow, m, 500, buf_slice(&lines));
	buf_deinit(&lines);
}

static void refuse_glare(struct leg *l, struct flow *reply_flow, struct msg *m, bool ours)
{
	if (ours)
		leg_refuse(l, reply_flow, m, 491, SLICE_NULL);
	else
		refuse_for_now(l, reply_flow, m);
}

/* RFC 6337 4.3, UAS-IcI and UAS-UcI; an UPDATE that offers nothing is no obstacle (RFC 5407 3.3.2).
 * After our 2xx without its ACK, RFC 5407 3.1.5 has 491 rather than the 500 of UAS-IsI. */
static bool is_ours_in_the_way(const struct leg *l)
{
	if (l->ack.waits || leg_answer_waits(l) || l->offer.state == OFFER_LOCAL)
		return true;
	if (l->modify.request)
		return l->modify.method == METHOD_INVITE;
	return l->client && !l->confirmed;
}

static bool is_theirs_in_the_way(const struct leg *l)
{
	return l->asked.txn || l->s->invite_txn || l->offer.state == OFFER_REMOTE;
}

/* True: the request was refused because of what pends. */
static bool refuse_crossing(
	struct leg *l, struct flow *reply_flow, struct msg *m, enum offer_meaning what)
{
	bool ours = is_ours_in_the_way(l);

	if (m->method == METHOD_INVITE && (ours || is_theirs_in_the_way(l))) {
		refuse_glare(l, reply_flow, m, ours);
		return true;
	}
	/* RFC 3311 5.2: an UPDATE before the last one is answered, and one whose offer meets
	 * another; RFC 6337 figure 5: one that meets an INVITE without offer. */
	if (m->method == METHOD_UPDATE && l->asked.txn &&
		(what != OFFER_MEANS_NOTHING || l->asked.request->method == METHOD_UPDATE)) {
		refuse_for_now(l, reply_flow, m);
		return true;
	}
	if (what == OFFER_MEANS_GLARE) {
		refuse_glare(l, reply_flow, m, l->offer.state == OFFER_LOCAL);
		return true;
	}
	return false;
}

static bool refuse_interval(struct leg *l, struct flow *reply_flow, struct msg *m)
{
	struct buf lines = BUF_NULL;
	unsigned status = leg_timer_check(&lines, m);

	if (status)
		leg_refuse(l, reply_flow, m, status, buf_slice(&lines));
	buf_deinit(&lines);
	return status != 0;
}

/* ---- 2xx ---- */

static void append_2xx_lines(struct buf *b, struct leg *l, const struct txn *t)
{
	struct contact contact = leg_contact(l, txn_request(t), txn_flow(t));

	if (txn_request(t)->method == METHOD_PRACK)
		return;
	contact_append(b, &contact);
	session_append_capabilities(b);
	leg_timer_append_2xx(b, l, txn_request(t));
}

/* Sends 200 with that body; t is nobody's afterwards. */
static void send_2xx(struct leg *l, struct txn *t, const struct session_body *body)
{
	struct msg *m = msg_ref(txn_request(t));
	struct buf lines = BUF_NULL, b = BUF_NULL;
	struct uas_reply r = {
		.status = 200,
		.content_type = body->type,
		.body = body->bytes,
	};

	append_2xx_lines(&lines, l, t);
	r.headers = buf_slice(&lines);
	uas_build_reply(&b, ua_of(l), m, &r);
	if (m->method == METHOD_INVITE) {
		leg_answer_send(l, t, buf_slice(&b));
	} else {
		(void)txn_reply(t, 200, buf_slice(&b));
		txn_forget(t);
	}
	if (m->method != METHOD_PRACK) {
		leg_modify_target(l, m);
		leg_message_note_peer(l, m);
		leg_timer_answered(l, m);
	}
	buf_deinit(&lines);
	buf_deinit(&b);
	msg_unref(m);
}

/* Nobody has to be asked. */
static void accept_at_once(
	struct leg *l, struct flow *reply_flow, struct msg *m, const struct session_body *body)
{
	struct txn *t = txn_server_new(&ua_of(l)->txns, reply_flow, m, NULL, NULL);

	if (t)
		send_2xx(l, t, body);
	else
		uas_reject_stateless(ua_of(l), reply_flow, m, 503, SLICE_NULL);
}

static bool is_repetition(const struct leg *l, const struct session_body *body)
{
	struct session_body last = leg_body_get(&l->remote);

	return body->bytes.n && l->local.n && slice_eq(body->bytes, last.bytes) &&
	       slice_eq(body->type, last.type);
}

/* The exchange of a refresh: what stands is offered and answered anew. */
static void accept_repetition(struct leg *l, struct flow *reply_flow, struct msg *m)
{
	struct session_body answer = leg_body_get(&l->local);
	bool invite = m->method == METHOD_INVITE;

	offer_received(&l->offer, invite ? OFFER_IN_INVITE : OFFER_IN_UPDATE, OFFER_MEANS_OFFER);
	offer_sent(&l->offer, invite ? OFFER_IN_2XX : OFFER_IN_UPDATE_2XX, OFFER_MEANS_ANSWER);
	accept_at_once(l, reply_flow, m, &answer);
}

/* ---- asking the client ---- */

static enum offer_message kind_of(const struct msg *m)
{
	if (m->method == METHOD_PRACK)
		return OFFER_IN_PRACK;
	return m->method == METHOD_INVITE ? OFFER_IN_INVITE : OFFER_IN_UPDATE;
}

static enum offer_message answer_kind_of(const struct msg *m)
{
	if (m->method == METHOD_PRACK)
		return OFFER_IN_PRACK_2XX;
	return m->method == METHOD_INVITE ? OFFER_IN_2XX : OFFER_IN_UPDATE_2XX;
}

/* The question is closed; the transaction is the caller's, and a reference to the request. */
static struct txn *close_question(struct leg *l, struct msg **ret_request)
{
	struct leg_asked *a = &l->asked;

	timer_cancel(&ua_of(l)->timers, &a->deadline);
	session_mark(l->s, UA_SESSION_DESCRIPTION);
	*ret_request = mem_take(&a->request);
	return mem_take(&a->txn);
}

/* With a refusal, or without one if the transaction cannot carry it any more. */
static void refuse_asked(struct leg *l, unsigned status, struct slice lines)
{
	struct uas_reply r = { .status = status, .headers = lines };
	struct buf b = BUF_NULL;
	struct msg *m;
	struct txn *t = close_question(l, &m);

	offer_failed(&l->offer, kind_of(m));
	if (status) {
		uas_build_reply(&b, ua_of(l), m, &r);
		(void)txn_reply(t, status, buf_slice(&b));
	}
	txn_forget(t);
	buf_deinit(&b);
	msg_unref(m);
}

/* RFC 6337 2.3, pattern 5: there is no way to refuse an offer in PRACK but with the whole INVITE.
 */
static void refuse_offer(struct leg *l, unsigned status, struct slice why)
{
	bool prack = l->asked.request->method == METHOD_PRACK;
	struct buf lines = BUF_NULL;

	if (status == 488) {
		buf_lit(&lines, "Warning: 399 sipbus \"");
		buf_put(&lines, why);
		buf_lit(&lines, "\"\r\n");
	}
	refuse_asked(l, status, buf_slice(&lines));
	if (prack)
		session_in_reject(l->s, status, SLICE_NULL, buf_slice(&lines));
	buf_deinit(&lines);
}

/* 9.2: a re-INVITE taken back changes nothing; nothing was changed before its 2xx. */
static void on_cancelled(void *owner, struct txn *t, const struct msg *cancel)
{
	(void)t;
	(void)cancel;
	refuse_asked(owner, 487, SLICE_NULL);
}

static void on_failed(void *owner, struct txn *t, enum txn_failure why)
{
	(void)t;
	(void)why;
	refuse_asked(owner, 0, SLICE_NULL);
}

static void on_ended(void *owner, struct txn *t)
{
	struct leg *l = owner;

	(void)t;
	l->asked.txn = NULL;
	refuse_asked(l, 0, SLICE_NULL);
}

static const struct txn_server_ops ops = {
	.cancelled = on_cancelled,
	.failed = on_failed,
	.ended = on_ended,
};

/* RFC 3311 5.2: who cannot answer an UPDATE without asking says 504. */
static void on_deadline(struct timer *t)
{
	struct leg *l = container_of(t, struct leg, asked.deadline);

	refuse_offer(l, l->asked.request->method == METHOD_UPDATE ? 504 : 488,
		SLICE("nobody answered the offer in time"));
}

void leg_modify_ask(struct leg *l, struct flow *reply_flow, struct msg *m)
{
	struct leg_asked *a = &l->asked;
	struct session_body body = leg_body_of(m);
	struct ua_session_event e = {
		.news = UA_SESSION_OFFER,
		.fork = slice_str(l->fork),
		.content_type = body.type,
		.body = body.bytes,
		.message = m,
	};

	a->txn = txn_server_new(&ua_of(l)->txns, reply_flow, m, &ops, l);
	if (!a->txn) {
		uas_reject_stateless(ua_of(l), reply_flow, m, 503, SLICE_NULL);
		return;
	}
	a->request = msg_ref(m);
	a->deadline.fire = on_deadline;
	timer_arm(&ua_of(l)->timers, &a->deadline, LIMITS_ANSWER_SECONDS * USEC_PER_SEC);
	offer_received(&l->offer, kind_of(m), offer_meaning(&l->offer, kind_of(m), body.bytes.n));
	session_mark(l->s, UA_SESSION_DESCRIPTION);
	session_tell(l->s, &e);
}

bool leg_modify_request(struct leg *l, struct flow *reply_flow, struct msg *m)
{
	struct session_body body = leg_body_of(m);
	enum offer_meaning what = offer_meaning(&l->offer, kind_of(m), body.bytes.n > 0);

	if (refuse_crossing(l, reply_flow, m, what) || refuse_interval(l, reply_flow, m))
		return true;
	if (what == OFFER_MEANS_FAULT)
		leg_refuse(l, reply_flow, m, 488, SLICE_NULL);
	else if (what == OFFER_MEANS_NOTHING)
		accept_at_once(l, reply_flow, m, &(struct session_body){ 0 });
	else if (is_repetition(l, &body))
		accept_repetition(l, reply_flow, m);
	else
		leg_modify_ask(l, reply_flow, m);
	return true;
}

/* ---- the client's answer ---- */

/* What is agreed from now on; our own offer in a 2xx only from the ACK on. */
static void take_agreed(struct leg *l, const struct session_body *ours, const struct msg *m)
{
	struct session_body theirs = leg_body_of(m);

	if (theirs.bytes.n) {
		leg_body_set(&l->local, ours);
		leg_body_set(&l->remote, &theirs);
	} else {
		leg_body_set(&l->asked.offer, ours);
	}
}

int leg_modify_answer(struct leg *l, const struct session_body *answer)
{
	enum offer_message in;
	struct txn *t;
	struct msg *m;

	if (!l->asked.txn)
		return -ESTALE;
	if (!answer->bytes.n)
		return -EINVAL;
	in = answer_kind_of(l->asked.request);
	t = close_question(l, &m);
	offer_sent(&l->offer, in, offer_sendable(&l->offer, in, true));
	take_agreed(l, answer, m);
	send_2xx(l, t, answer);
	if (m->method == METHOD_PRACK)
		session_in_pracked(l->s);
	msg_unref(m);
	return 0;
}

int leg_modify_reject(struct leg *l, unsigned status)
{
	if (!l->asked.txn)
		return -ESTALE;
	if (status && (status < 300 || status > 699))
		return -EINVAL;
	refuse_offer(l, status ? status : 488, SLICE("the offer is not acceptable here"));
	return 0;
}

void leg_modify_forget(struct leg *l)
{
	leg_body_clear(&l->asked.offer);
	/* Freed without a word to the network, a session is ended already. */
	if (l->asked.txn)
		refuse_asked(l, l->s->ended ? 0 : 487, SLICE_NULL);
}
