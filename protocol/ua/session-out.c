/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "protocol/ua/session-out.h"

#include "protocol/base/err.h"
#include "protocol/msg/min-se.h"
#include "protocol/ua/limits.h"

/*
 * A session of ours from the wish to the 2xx, or to the failure (RFC 3261 13.2).
 *
 *   INVITE -> 1xx: early dialogs, one leg for each fork -> 2xx: one leg is kept, ACK
 *                                                       -> failure: over
 *
 * Another 2xx, or one after CANCEL or the end, is acknowledged and its dialog ended (13.2.2.4).
 */

enum { TAG_BYTES = 8, CALL_ID_BYTES = 16 };

static void on_progress(void *owner, struct request *r, const struct msg *m);
static void on_done(void *owner, struct request *r, const struct outcome *o);

static const struct request_ops ops = { .progress = on_progress, .done = on_done };

/* ---- beginning ---- */

static int send_invite(struct session *s, uint32_t cseq)
{
	const struct session_out *o = s->out;
	struct session_body offer = leg_body_get(&o->offer);
	struct buf lines = BUF_NULL;
	struct request_spec spec = {
		.method = SLICE("INVITE"),
		.uri = slice_str(s->request_uri),
		.contact = REQUEST_CONTACT,
		.redirects = REQUEST_FOLLOW,
		.content_type = offer.type,
		.body = offer.bytes,
		.call_id = slice_str(s->call_id),
		.from = slice_str(o->from),
		.from_display = slice_str(o->from_display),
		.from_tag = slice_str(o->from_tag),
		.cseq = cseq,
		.route = slice_str(o->route),
		.session_type = slice_str(s->type),
		.session_party = slice_str(s->party),
	};
	int r;

	session_append_capabilities(&lines);
	leg_timer_append_request(&lines, NULL, o->min_se);
	buf_put(&lines, buf_slice(&o->lines));
	spec.lines = buf_slice(&lines);
	r = request_new(s->ep, &spec, &ops, s, &s->invite);
	buf_deinit(&lines);
	return r;
}

static void on_ring(struct timer *t)
{
	struct session *s = container_of(t, struct session, ring);

	session_ending(s, 408, SLICE("no answer in time"), ORIGIN_TIMEOUT);
	session_out_cancel(s, SLICE_NULL);
}

static void name_dialog(struct session *s)
{
	struct buf text = BUF_NULL;

	ua_random_hex(s->ua, &text, CALL_ID_BYTES);
	s->call_id = buf_take(&text);
	ua_random_hex(s->ua, &text, TAG_BYTES);
	s->out->from_tag = buf_take(&text);
	buf_printf(&text, "%s\n%s", s->call_id, s->out->from_tag);
	s->invite_key = buf_take(&text);
	map_insert(&s->ua->invites, &s->by_invite, slice_str(s->invite_key));
}

static const char *explain(int error)
{
	switch (error) {
	case -EOPNOTSUPP:
		return "no way to a URI of that kind";
	case -ENOTCONN:
		return "the endpoint closes";
	case -ENOSPC:
		return "too many requests or sessions";
	case -EEXIST:
		return "a session with that id is there already";
	}
	return "a part of the INVITE is malformed";
}

static int start(struct session *s, const struct session_spec *spec, const char **ret_why)
{
	usec_t patience = spec->timeout ? spec->timeout : LIMITS_RING_SECONDS * USEC_PER_SEC;
	int r;

	s->outgoing = true;
	s->state = SESSION_TRYING;
	r = session_out_read(s, spec, ret_why);
	if (r < 0)
		return r;
	name_dialog(s);
	s->ring.fire = on_ring;
	timer_arm(&s->ua->timers, &s->ring, patience);
	r = send_invite(s, 1);
	if (r < 0)
		*ret_why = explain(r);
	else
		s->ua->n_sessions_out++;
	return r;
}

static int make(struct endpoint *ep, const struct session_spec *spec, struct session **ret_session,
	const char **ret_why)
{
	struct session *s;
	int r = session_make(ep, spec->id, &s);

	if (r < 0) {
		*ret_why = r == -EINVAL ? "the id has something else than letters, digits and _"
					: explain(r);
		return r;
	}
	r = start(s, spec, ret_why);
	if (r < 0)
		session_free(s);
	else
		*ret_session = s;
	return r;
}

int session_new(struct endpoint *ep, const struct session_spec *spec, struct session **ret_session,
	const char **ret_why)
{
	struct later *later = &ep->ua->later;
	int r;

	later_enter(later);
	*ret_why = NULL;
	r = make(ep, spec, ret_session, ret_why);
	/* The caller has to know the session before it hears of it. */
	later_postpone(later);
	return r;
}

/* ---- forks ---- */

static struct leg *find_leg(const struct session *s, const struct msg *m)
{
	const struct dialog *d = dialog_find_of_response(&s->ua->dialogs, m);

	list_for_each (node, &s->legs) {
		struct leg *l = list_entry(node, struct leg, node);

		if (d && l->usage.dialog == d)
			return l;
	}
	return NULL;
}

/* The leg of a dialog that m, a response to invite, makes (12.1.2). */
static struct leg *make_leg(struct session *s, const struct msg *invite, const struct msg *m)
{
	struct dialog *d = dialog_find_of_response(&s->ua->dialogs, m);
	bool has_offer = s->out->offer.n > 0;
	struct session_body offer = leg_body_get(&s->out->offer);
	struct leg *l;

	/* Without a Contact the Request-URI has to do: RFC 2543 let the callee leave it out. */
	if (!d)
		(void)dialog_new_client(&s->ua->dialogs, invite, m, &d);
	l = leg_new(s, d);
	offer_sent(
		&l->offer, OFFER_IN_INVITE, offer_sendable(&l->offer, OFFER_IN_INVITE, has_offer));
	leg_body_set(&l->local, &offer);
	session_mark(s, UA_SESSION_REMOTE | UA_SESSION_DESCRIPTION);
	if (s->n_forks > 1 && !s->forked) {
		s->forked = true;
		session_mark(s, UA_SESSION_FORKED);
	}
	return l;
}

static void free_legs_but(struct session *s, const struct leg *kept)
{
	list_for_each_safe (node, next, &s->legs) {
		struct leg *l = list_entry(node, struct leg, node);

		if (l != kept)
			leg_free(l);
	}
}

/* ---- provisional responses ---- */

/* Another attempt is another INVITE: what the old one began ended with its refusal (12.3). */
static void note_attempt(struct session *s, const struct msg *m)
{
	struct session_out *o = s->out;

	if (o->branch && slice_eq(slice_str(o->branch), m->via.branch))
		return;
	free_legs_but(s, NULL);
	free(o->branch);
	o->branch = slice_dup(m->via.branch);
}

static void note_progress(struct session *s, bool described)
{
	if (described)
		session_set_state(s, SESSION_EARLY);
	else if (s->state == SESSION_TRYING)
		session_set_state(s, SESSION_RINGING);
}

static void tell_progress(struct session *s, const struct msg *m, const struct leg *l,
	const struct session_body *body)
{
	struct ua_session_event e = {
		.news = UA_SESSION_PROGRESS,
		.status = m->status,
		.reason = m->reason,
		.origin = ORIGIN_REMOTE,
		.fork = l ? slice_str(l->fork) : SLICE_NULL,
		.content_type = body->type,
		.body = body->bytes,
		.message = m,
	};

	session_tell(s, &e);
}

static void tell_offer(struct leg *l, const struct msg *m, const struct session_body *body)
{
	struct ua_session_event e = {
		.news = UA_SESSION_OFFER,
		.fork = slice_str(l->fork),
		.content_type = body->type,
		.body = body->bytes,
		.message = m,
	};

	session_tell(l->s, &e);
}

/* What a fork says. The description in it is for the client only if it means something. */
static void hear_fork(struct leg *l, const struct msg *m)
{
	struct session *s = l->s;
	bool reliable = leg_reliable_is(m);
	enum offer_message in = reliable ? OFFER_IN_RELIABLE : OFFER_IN_1XX;
	struct session_body body = leg_body_of(m), none = { 0 };
	enum offer_meaning what = offer_meaning(&l->offer, in, body.bytes.n > 0);
	bool shown = what == OFFER_MEANS_ANSWER || what == OFFER_MEANS_PREVIEW;

	if (reliable && leg_reliable_received(l, m) < 0)
		return;
	if (shown)
		leg_body_set(&l->remote, &body);
	note_progress(s, shown || what == OFFER_MEANS_OFFER);
	session_mark(s, UA_SESSION_DESCRIPTION);
	tell_progress(s, m, l, shown ? &body : &none);
	if (what == OFFER_MEANS_OFFER)
		tell_offer(l, m, &body);
}

/* RFC 6228 section 4: that fork will not answer; one that nobody knew of changes nothing. */
static void fork_ended(struct session *s, struct leg *l, const struct msg *m)
{
	static const struct session_body none = { 0 };

	if (!l)
		return;
	tell_progress(s, m, l, &none);
	session_leg_over(l, m->status, m->reason, ORIGIN_REMOTE);
}

static void on_fork(struct session *s, const struct request *r, const struct msg *m)
{
	struct leg *l = find_leg(s, m);

	if (l && l->over)
		return;
	if (m->status == 199 && !leg_reliable_is(m)) {
		fork_ended(s, l, m);
		return;
	}
	if (!l) {
		if (list_length(&s->legs) >= LIMITS_FORKS)
			return;
		l = make_leg(s, request_sent(r), m);
	}
	leg_note_peer(l, m, request_flow(r));
	hear_fork(l, m);
}

static void on_progress(void *owner, struct request *r, const struct msg *m)
{
	struct session *s = owner;
	struct session_body body = leg_body_of(m);

	session_note_message(s, m);
	if (s->out->cancelled)
		return;
	note_attempt(s, m);
	if (!s->out->timeout)
		timer_arm(&s->ua->timers, &s->ring, LIMITS_RING_SECONDS * USEC_PER_SEC);
	if (m->status == 100)
		return;
	if (m->to_tag.n) {
		on_fork(s, r, m);
		return;
	}
	/* RFC 2543 knew no tag in it: no dialog, but something to show. */
	note_progress(s, body.bytes.n > 0);
	tell_progress(s, m, NULL, &body);
}

/* ---- 2xx ---- */

/* The leg of a 2xx; one that is over already is begun anew. */
static struct leg *leg_of_2xx(struct session *s, const struct msg *invite, const struct msg *m)
{
	struct leg *l = find_leg(s, m);

	if (l && l->over) {
		leg_free(l);
		l = NULL;
	}
	if (!l)
		l = make_leg(s, invite, m);
	dialog_confirm(l->usage.dialog, m);
	l->confirmed = true;
	return l;
}

/* The peers are told that nothing comes of it, politely (13.2.2.4, 9.1). */
static void decline(struct leg *l, const struct msg *invite, struct slice lines)
{
	leg_ack(l, invite, NULL);
	leg_end(l, lines);
}

/*
 * What the 2xx describes. A peer that showed its answer in an unreliable 1xx alone, and not in the
 * 2xx as 13.2.1 asks for, meant it.
 */
static enum offer_meaning read_2xx(struct leg *l, const struct session_body *body)
{
	enum offer_meaning what = offer_meaning(&l->offer, OFFER_IN_2XX, body->bytes.n > 0);

	if (what == OFFER_MEANS_WANTED && l->remote.n)
		what = OFFER_MEANS_ANSWER;
	else if (what == OFFER_MEANS_ANSWER || what == OFFER_MEANS_OFFER)
		leg_body_set(&l->remote, body);
	offer_received(&l->offer, OFFER_IN_2XX, what);
	return what;
}

/* Neither the answer that we need nor an offer: there is nothing to be established. */
static void undescribed(struct leg *l, const struct msg *invite)
{
	session_ending(l->s, 488, SLICE("the answer has no description"), ORIGIN_LOCAL);
	decline(l, invite, SLICE_NULL);
}

static void establish(struct leg *l, const struct msg *invite, const struct msg *m)
{
	struct session *s = l->s;
	struct session_body body = leg_body_of(m);
	enum offer_meaning what = read_2xx(l, &body);

	session_mark(s, UA_SESSION_DESCRIPTION | UA_SESSION_REMOTE);
	if (what == OFFER_MEANS_WANTED) {
		undescribed(l, invite);
		return;
	}
	session_set_state(s, SESSION_ESTABLISHED);
	leg_timer_received(l, invite, m);
	if (what == OFFER_MEANS_OFFER) {
		leg_ack_wait(l, invite);
		tell_offer(l, m, &body);
	} else {
		leg_ack(l, invite, NULL);
		session_leg_acked(l, what == OFFER_MEANS_ANSWER ? m : NULL);
	}
}

static void accepted(struct session *s, struct flow *flow, const struct msg *m)
{
	struct leg *l = leg_of_2xx(s, s->invite_msg, m);

	free_legs_but(s, l);
	s->leg = l;
	leg_note_peer(l, m, flow);
	if (s->out->cancelled || s->ended)
		decline(l, s->invite_msg,
			buf_slice(&s->out->end_lines)); /* it crossed the CANCEL */
	else
		establish(l, s->invite_msg, m);
}

void session_out_stray(struct session *s, const struct msg *m)
{
	const struct msg *invite = s->invite_msg;
	struct leg *l = find_leg(s, m);

	if (!invite || invite->cseq != m->cseq || (l && !l->over) ||
		list_length(&s->legs) >= LIMITS_FORKS)
		return;
	session_note_message(s, m);
	if (l && l->confirmed) { /* our ACK was forgotten, but we have ended it since */
		leg_ack(l, invite, NULL);
		return;
	}
	decline(leg_of_2xx(s, invite, m), invite, buf_slice(&s->out->end_lines));
	/* Its retransmissions are to find us for as long as those of the first. */
	if (s->ended)
		timer_arm(&s->ua->timers, &s->linger, 64 * TIMER_T1);
}

/* ---- failure ---- */

/* RFC 4028 section 7.3: once more, with the interval that is wanted. */
static bool ask_longer(struct session *s, uint32_t cseq, const struct msg *m)
{
	struct session_out *o = s->out;
	uint32_t min_se;

	if (!m || m->status != 422 || o->n_intervals == LIMITS_INTERVALS || o->cancelled ||
		min_se_parse(msg_header(m, HDR_MIN_SE), &min_se) < 0 || min_se <= o->min_se)
		return false;
	o->n_intervals++;
	o->min_se = min_se;
	return send_invite(s, cseq + 1) == 0;
}

static void keep_messages(struct session *s, struct request *r, const struct msg *final)
{
	const struct msg *sent = request_sent(r);

	if (sent) {
		msg_unref(s->invite_msg);
		s->invite_msg = msg_ref(sent);
	}
	if (final) {
		msg_unref(s->final_msg);
		s->final_msg = msg_ref(final);
		session_note_message(s, final);
	}
}

static void refused(struct session *s, const struct outcome *o)
{
	struct buf reason = BUF_NULL;

	outcome_append_reason(&reason, o);
	session_over(s, o->status, buf_slice(&reason), o->origin);
	buf_deinit(&reason);
}

static void on_done(void *owner, struct request *r, const struct outcome *o)
{
	struct session *s = owner;

	s->invite = NULL;
	keep_messages(s, r, o->response);
	if (o->response)
		note_attempt(s, o->response);
	if (o->error == 0) {
		timer_cancel(&s->ua->timers, &s->ring);
		accepted(s, request_flow(r), o->response);
	} else if (!ask_longer(s, request_cseq(r), o->response)) {
		refused(s, o);
	}
}

/* ---- the end ---- */

void session_out_cancel(struct session *s, struct slice headers)
{
	s->out->cancelled = true;
	buf_put(&s->out->end_lines, headers);
	timer_cancel(&s->ua->timers, &s->ring);
	list_for_each (node, &s->legs)
		leg_retire(list_entry(node, struct leg, node));
	session_reap(s);
	if (s->invite)
		request_cancel(s->invite, headers);
	else
		session_over(s, 487, SLICE("cancelled"), ORIGIN_LOCAL);
}

void session_out_free(struct session *s)
{
	struct session_out *o = mem_take(&s->out);

	request_free(mem_take(&s->invite));
	if (!o)
		return;
	leg_body_clear(&o->offer);
	buf_deinit(&o->lines);
	buf_deinit(&o->end_lines);
	free(o->from);
	free(o->from_display);
	free(o->from_tag);
	free(o->route);
	free(o->branch);
	free(o);
}
