/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "protocol/base/err.h"
#include "protocol/msg/build.h"
#include "protocol/msg/min-se.h"
#include "protocol/ua/leg-parts.h"
#include "protocol/ua/limits.h"
#include "protocol/ua/session-private.h"

/*
 * Our side of changing a session: re-INVITE (RFC 3261 14.1) and UPDATE (RFC 3311 5.1), what the
 * client offers and what the session timer refreshes. One at a time, and none while anything of
 * the peer's pends (RFC 6337 4.3). leg-modify-in.c is the other side.
 *
 *   due -> [blocked] -> under way -> 2xx, failure -> done
 *               \---- glare: waits ----/
 *
 * What fails leaves both descriptions as they were (RFC 3261 14.1). The peer may have answered in a
 * reliable 1xx before it refused: RFC 6141 3.4 then wants another offer, like the old one but for
 * its version, which only the client can write; it hears of the failure.
 */

/* RFC 3261 14.1: the owner of the Call-ID waits longer, so that the two do not meet again. */
enum {
	GLARE_UNIT_MSEC = 10,
	GLARE_UNITS_OWNER_MIN = 210,
	GLARE_UNITS_OWNER = 191, /* 2.1 to 4 s */
	GLARE_UNITS_OTHER = 201, /* 0 to 2 s */
	RETRY_AFTER_MAX = 10,    /* seconds: what a 500 may ask for (14.2) */
};

static void begin(struct leg *l);

static struct timerq *timers_of(const struct leg *l)
{
	return &l->s->ua->timers;
}

/* ---- waiting ---- */

static void on_wait(struct timer *t)
{
	struct leg *l = container_of(t, struct leg, modify.wait);

	if (!l->modify.request) {
		begin(l);
		return;
	}
	l->modify.cancelled = true;
	request_cancel(l->modify.request, SLICE_NULL);
}

static void wait_for(struct leg *l, usec_t delay)
{
	l->modify.wait.fire = on_wait;
	timer_arm(timers_of(l), &l->modify.wait, delay);
}

static usec_t glare_delay(const struct leg *l)
{
	struct ua *ua = l->s->ua;
	uint64_t units = l->client ? GLARE_UNITS_OWNER_MIN + ua_random_below(ua, GLARE_UNITS_OWNER)
				   : ua_random_below(ua, GLARE_UNITS_OTHER);

	return units * GLARE_UNIT_MSEC * USEC_PER_MSEC;
}

/*
 * 14.1: nothing begins before the last INVITE, in either direction, is done with, its ACK included,
 * nor in an early dialog before the PRACKs are (RFC 6337 4.3).
 */
static bool is_blocked(const struct leg *l)
{
	return l->asked.txn || l->ack.waits || leg_answer_waits(l) ||
	       l->offer.state == OFFER_LOCAL || l->offer.state == OFFER_REMOTE || l->offer.wanted ||
	       leg_reliable_waits(l) || !list_is_empty(&l->reliable.pracks);
}

/* ---- sending ---- */

static enum offer_message request_kind(enum method m)
{
	return m == METHOD_INVITE ? OFFER_IN_INVITE : OFFER_IN_UPDATE;
}

/*
 * RFC 3311 5.1 recommends the re-INVITE, which leaves the peer's user time, once there is a
 * choice; a refresh changes nothing, so it takes the cheaper UPDATE.
 */
static enum method choose_method(const struct leg *l)
{
	if (!l->confirmed)
		return METHOD_UPDATE;
	return !l->modify.offer_due && leg_peer_allows(l, METHOD_UPDATE) ? METHOD_UPDATE
									 : METHOD_INVITE;
}

/* What goes along: the new offer; a refreshing re-INVITE repeats the last, an UPDATE needs none. */
static struct session_body choose_body(const struct leg *l)
{
	if (l->modify.offer_due)
		return leg_body_get(&l->modify.body);
	return l->modify.method == METHOD_INVITE ? leg_body_get(&l->local)
						 : (struct session_body){ 0 };
}

static void on_progress(void *owner, struct request *r, const struct msg *m);
static void on_done(void *owner, struct request *r, const struct outcome *o);

static const struct request_ops ops = { .progress = on_progress, .done = on_done };

static int send(struct leg *l)
{
	struct leg_modify *m = &l->modify;
	struct request_spec spec = { 0 };
	struct session_body body;
	struct buf lines = BUF_NULL;
	enum offer_message in;
	int r;

	m->method = choose_method(l);
	body = choose_body(l);
	in = request_kind(m->method);
	session_append_capabilities(&lines);
	leg_timer_append_request(&lines, l, l->timer.min_se);
	spec.method = method_name(m->method);
	spec.content_type = body.type;
	spec.body = body.bytes;
	spec.lines = buf_slice(&lines);
	r = leg_request(l, &spec, &ops, l, &m->request);
	buf_deinit(&lines);
	if (r < 0)
		return r;
	m->refreshes = !m->offer_due;
	m->cancelled = false;
	m->n_tries++;
	if (body.bytes.n || m->method == METHOD_INVITE)
		offer_sent(&l->offer, in, offer_sendable(&l->offer, in, body.bytes.n > 0));
	if (m->method == METHOD_INVITE)
		wait_for(l, LIMITS_MODIFY_SECONDS * USEC_PER_SEC);
	session_mark(l->s, UA_SESSION_DESCRIPTION);
	return 0;
}

/* The client's offer is done with: it hears how, and the next may come. */
static void end_offer(struct leg *l, const struct outcome *o, const struct session_body *body)
{
	leg_body_clear(&l->modify.body);
	l->modify.offer_due = false;
	leg_reply(l, &l->modify.reply, o, body);
}

static void end_offer_local(struct leg *l, int error, struct slice reason)
{
	struct outcome o = { .reason = reason, .origin = ORIGIN_LOCAL, .error = error };

	end_offer(l, &o, NULL);
}

/* What is due goes, or waits for a while. The reply of an offer that cannot go is told. */
static void begin(struct leg *l)
{
	struct leg_modify *m = &l->modify;
	int r;

	if (l->over || m->request || timer_is_armed(&m->wait) || !(m->offer_due || m->refresh_due))
		return;
	if (is_blocked(l)) {
		wait_for(l, TIMER_T1);
		return;
	}
	r = send(l);
	if (r == 0)
		return;
	if (m->offer_due)
		end_offer_local(l, r, SLICE("the offer could not be sent"));
	m->refresh_due = false; /* the timer asks again */
}

static int check_offer(const struct leg *l, const struct session_body *offer)
{
	if (l->over || l->modify.offer_due || l->asked.txn || l->ack.waits)
		return -ESTALE;
	/* A refresh of ours, or an ACK that is late, is waited for. */
	if (l->confirmed)
		return 0;
	if (!leg_peer_allows(l, METHOD_UPDATE))
		return -EOPNOTSUPP;
	return offer->bytes.n && l->offer.state == OFFER_STABLE && !leg_reliable_waits(l) ? 0
											  : -ESTALE;
}

int leg_modify_offer(
	struct leg *l, const struct session_body *offer, const struct session_reply *reply)
{
	struct leg_modify *m = &l->modify;
	int r = check_offer(l, offer);

	if (r < 0)
		return r;
	leg_body_set(&m->body, offer);
	m->offer_due = true;
	m->n_tries = 0;
	if (!m->request && !timer_is_armed(&m->wait) && !is_blocked(l)) {
		r = send(l);
		if (r < 0) {
			m->offer_due = false;
			leg_body_clear(&m->body);
			return r;
		}
	}
	if (reply)
		m->reply = *reply;
	begin(l);
	return 0;
}

void leg_modify_refresh(struct leg *l)
{
	if (!l->modify.offer_due && !l->modify.request)
		l->modify.n_tries = 0;
	l->modify.refresh_due = true;
	begin(l);
}

/* ---- answers ---- */

void leg_modify_target(struct leg *l, const struct msg *m)
{
	struct dialog *d = l->usage.dialog;

	if (!m->contact.uri.text.p || slice_eq(m->contact.uri.text, slice_str(d->remote_target)))
		return;
	dialog_refresh_target(d, m);
	session_mark(l->s, UA_SESSION_REMOTE);
}

/* The peer's answer, or what it last said, stands beside what we offered. */
static void take_answer(struct leg *l, const struct session_body *body)
{
	if (!l->modify.refreshes)
		leg_body_set(&l->local,
			&(struct session_body){
				.type = slice_str(l->modify.body.type),
				.bytes = slice_of(l->modify.body.bytes, l->modify.body.n),
			});
	leg_body_set(&l->remote, body);
}

static void tell_response(struct leg *l, const struct msg *m, enum ua_session_news news,
	const struct session_body *body)
{
	struct ua_session_event e = {
		.news = news,
		.status = m->status,
		.reason = m->reason,
		.origin = ORIGIN_REMOTE,
		.fork = slice_str(l->fork),
		.content_type = body->type,
		.body = body->bytes,
		.message = m,
	};

	session_tell(l->s, &e);
}

static void on_progress(void *owner, struct request *r, const struct msg *m)
{
	struct leg *l = owner;
	struct session_body body = leg_body_of(m), none = { 0 };
	bool ours = l->offer.state == OFFER_LOCAL;

	if (l->over || m->status == 100)
		return;
	leg_note_peer(l, m, request_flow(r));
	if (leg_reliable_is(m) && leg_reliable_received(l, m) == -ESTALE)
		return;
	if (ours && l->offer.state == OFFER_STABLE)
		take_answer(l, &body);
	tell_response(l, m, UA_SESSION_PROGRESS, l->offer.state == OFFER_REMOTE ? &none : &body);
	if (l->offer.state == OFFER_REMOTE)
		tell_response(l, m, UA_SESSION_OFFER, &body);
}

/* A refresh is asked for by no verb: what it changed is told. */
static void tell_answer(struct leg *l, const struct session_body *body)
{
	struct ua_session_event e = {
		.news = UA_SESSION_ANSWER,
		.fork = slice_str(l->fork),
		.content_type = body->type,
		.body = body->bytes,
	};

	session_tell(l->s, &e);
}

/* Reads the description of a 2xx; returns what it was. */
static enum offer_meaning take_2xx(struct leg *l, const struct session_body *body)
{
	bool invite = l->modify.method == METHOD_INVITE;
	enum offer_message in = invite ? OFFER_IN_2XX : OFFER_IN_UPDATE_2XX;
	enum offer_meaning what = offer_meaning(&l->offer, in, body->bytes.n > 0);
	bool news = !slice_eq(body->bytes, leg_body_get(&l->remote).bytes);

	offer_received(&l->offer, in, what);
	switch (what) {
	case OFFER_MEANS_ANSWER:
		take_answer(l, body);
		if (l->modify.refreshes && news)
			tell_answer(l, body);
		break;
	case OFFER_MEANS_OFFER:
		leg_body_set(&l->remote, body);
		break;
	case OFFER_MEANS_WANTED: /* It owed us one: nothing was agreed. */
		offer_failed(&l->offer, request_kind(l->modify.method));
		break;
	case OFFER_MEANS_NOTHING:
	case OFFER_MEANS_PREVIEW:
	case OFFER_MEANS_GLARE:
	case OFFER_MEANS_FAULT:
		break;
	}
	session_mark(l->s, UA_SESSION_DESCRIPTION);
	return what;
}

/* The client's verb ends with the answer, wherever it came, or with the offer that it asked for. */
static void reply_2xx(struct leg *l, const struct outcome *o, enum offer_meaning what)
{
	struct session_body body = leg_body_get(&l->remote);
	struct outcome bad = *o;

	if (what != OFFER_MEANS_WANTED) {
		end_offer(l, o, &body);
		return;
	}
	bad.error = -EBADMSG;
	bad.reason = SLICE("2xx without a description");
	end_offer(l, &bad, NULL);
}

static void on_success(struct leg *l, const struct outcome *o)
{
	struct leg_modify *m = &l->modify;
	struct session_body body = leg_body_of(o->response);
	enum offer_meaning what;

	m->refresh_due = false;
	leg_modify_target(l, o->response);
	leg_timer_received(l, o->request, o->response);
	what = take_2xx(l, &body);
	if (m->method == METHOD_INVITE && what == OFFER_MEANS_OFFER)
		leg_ack_wait(l, o->request);
	else if (m->method == METHOD_INVITE)
		leg_ack(l, o->request, NULL);
	if (!m->refreshes)
		reply_2xx(l, o, what);
}

/* ---- failures ---- */

/* RFC 4028 7.4: from now on at least what a 422 asks for. */
static bool take_min_se(struct leg *l, const struct msg *m)
{
	uint32_t min_se;

	if (min_se_parse(msg_header(m, HDR_MIN_SE), &min_se) < 0 || min_se <= l->timer.min_se)
		return false;
	l->timer.min_se = min_se;
	return true;
}

/* Does the failure pass? Then *ret_delay says when to try again. */
static bool may_retry(struct leg *l, const struct outcome *o, usec_t *ret_delay)
{
	uint32_t seconds;

	if (l->modify.n_tries >= LIMITS_MODIFY_TRIES || !o->response)
		return false;
	switch (o->status) {
	case 422:
		*ret_delay = 0;
		return take_min_se(l, o->response);
	case 491:
		*ret_delay = glare_delay(l);
		return true;
	case 500:
		if (!msg_retry_after(o->response, &seconds) || seconds > RETRY_AFTER_MAX)
			return false;
		*ret_delay = seconds * USEC_PER_SEC;
		return true;
	}
	return false;
}

/* A peer that knows no UPDATE, whatever it said: the refresh goes by re-INVITE. */
static bool knows_no_update(const struct leg *l, const struct outcome *o)
{
	return l->modify.method == METHOD_UPDATE && (o->status == 405 || o->status == 501);
}

/* Told before it is judged: what ends the dialog is how the offer ended. */
static void fail_offer(struct leg *l, const struct outcome *o)
{
	struct outcome told = *o;

	if (l->modify.cancelled && o->status == 487) {
		told.origin = ORIGIN_TIMEOUT;
		told.error = -ETIMEDOUT;
		told.reason = SLICE("no final answer to the re-INVITE in time");
	}
	end_offer(l, &told, NULL);
	leg_judge(l, l->modify.method, o);
}

static void fail_refresh(struct leg *l, const struct outcome *o)
{
	if (knows_no_update(l, o))
		return;
	l->modify.refresh_due = false;
	leg_judge(l, l->modify.method, o);
}

static void on_failure(struct leg *l, const struct outcome *o)
{
	usec_t delay;

	offer_failed(&l->offer, request_kind(l->modify.method));
	if (l->modify.method == METHOD_INVITE)
		l->reliable.answer_due = false;
	session_mark(l->s, UA_SESSION_DESCRIPTION);
	if (!l->modify.cancelled && may_retry(l, o, &delay)) {
		wait_for(l, delay);
		return;
	}
	if (knows_no_update(l, o))
		l->peer_allows &= ~(1U << METHOD_UPDATE);
	if (l->modify.refreshes)
		fail_refresh(l, o);
	else
		fail_offer(l, o);
}

/* A BYE crossed it: acknowledged nevertheless (13.2.2.4). */
static void on_done_late(struct leg *l, const struct outcome *o)
{
	if (o->error == 0 && l->modify.method == METHOD_INVITE)
		leg_ack(l, o->request, NULL);
}

static void on_done(void *owner, struct request *r, const struct outcome *o)
{
	struct leg *l = owner;

	l->modify.request = NULL;
	if (l->over) {
		on_done_late(l, o);
		return;
	}
	timer_cancel(timers_of(l), &l->modify.wait);
	if (o->response)
		leg_note_peer(l, o->response, request_flow(r));
	if (o->response && o->error == 0)
		on_success(l, o);
	else
		on_failure(l, o);
	begin(l);
}

/* ---- the end ---- */

void leg_modify_acked(struct leg *l, const struct msg *ack)
{
	struct session_body body = leg_body_of(ack);

	if (!l->asked.offer.n)
		return;
	leg_body_clear(&l->local);
	l->local = l->asked.offer;
	l->asked.offer = (struct leg_body){ 0 };
	tell_answer(l, &body);
	session_mark(l->s, UA_SESSION_DESCRIPTION);
}

void leg_modify_stop(struct leg *l)
{
	struct leg_modify *m = &l->modify;

	if (m->method == METHOD_UPDATE)
		request_free(mem_take(&m->request));
	timer_cancel(timers_of(l), &m->wait);
	m->refresh_due = false;
	leg_modify_forget(l);
	end_offer_local(l, -ECANCELED, SLICE("the session ended"));
}
