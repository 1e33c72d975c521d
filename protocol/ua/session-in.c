/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "protocol/base/err.h"
#include "protocol/msg/build.h"
#include "protocol/ua/limits.h"
#include "protocol/ua/session-identity.h"
#include "protocol/ua/session-in-private.h"
#include "protocol/ua/uas.h"

/*
 * A session that came: from the INVITE outside of dialogs to the end of its transaction (RFC 3261
 * section 13.3). The user agent says nothing but 100 by itself: it does not know whether anybody
 * will answer.
 */

enum { TO_TAG_BYTES = 8 };

bool session_in_is_open(const struct session *s)
{
	return s->in && s->invite_txn && !s->ended;
}

/* ---- until it is answered ---- */

/* 9.2. After our final answer the transaction does not tell of it any more. */
static void on_cancelled(void *owner, struct txn *t, const struct msg *cancel)
{
	struct session *s = owner;
	struct buf why = BUF_NULL;
	unsigned status = 487;

	(void)t;
	if (!leg_end_read_reason(cancel, &why, &status))
		buf_put(&why, build_reason(487));
	session_in_refuse(s, 487, SLICE_NULL, SLICE_NULL);
	/* Whoever took the call elsewhere (200) did not leave it unanswered here. */
	session_over(s, status, buf_slice(&why), ORIGIN_REMOTE);
	buf_deinit(&why);
}

static struct slice to_tag(void *owner)
{
	const struct session *s = owner;

	return slice_str(s->to_tag);
}

/* A provisional answer found no way, so a final one would not either. */
static void on_failed(void *owner, struct txn *t, enum txn_failure why)
{
	struct session *s = owner;

	(void)why;
	txn_forget(t);
	s->invite_txn = NULL;
	session_over(s, 0, SLICE("no way back to the caller"), ORIGIN_NETWORK);
}

static void on_ended(void *owner, struct txn *t)
{
	struct session *s = owner;

	(void)t;
	s->invite_txn = NULL;
}

static const struct txn_server_ops server_ops = {
	.to_tag = to_tag,
	.cancelled = on_cancelled,
	.failed = on_failed,
	.ended = on_ended,
};

/* 13.3.1: the caller said how long it would wait. */
static void on_expires(struct timer *t)
{
	struct session *s = container_of(t, struct session_in, expires)->s;

	session_in_refuse(s, 487, SLICE_NULL, SLICE_NULL);
	session_over(s, 487, SLICE("the invitation expired"), ORIGIN_TIMEOUT);
}

static void on_undecided(struct timer *t)
{
	struct session *s = container_of(t, struct session, ring);

	session_in_refuse(s, 480, SLICE_NULL, SLICE_NULL);
	session_over(s, 480, SLICE("nobody decided"), ORIGIN_TIMEOUT);
}

static void on_minute(struct timer *t)
{
	struct session *s = container_of(t, struct session, refresh_1xx);

	session_in_refresh(s);
	timer_arm(&s->ua->timers, t, LIMITS_REFRESH_SECONDS * USEC_PER_SEC);
}

static void arm_timers(struct session *s)
{
	struct timerq *timers = &s->ua->timers;
	uint32_t expires;

	s->ring.fire = on_undecided;
	s->refresh_1xx.fire = on_minute;
	s->in->expires.fire = on_expires;
	timer_arm(timers, &s->ring, LIMITS_UNDECIDED_SECONDS * USEC_PER_SEC);
	timer_arm(timers, &s->refresh_1xx, LIMITS_REFRESH_SECONDS * USEC_PER_SEC);
	if (msg_number(s->invite_msg, HDR_EXPIRES, UINT32_MAX, &expires))
		timer_arm(timers, &s->in->expires, expires * USEC_PER_SEC);
}

/* The dialog may end, by BYE for one, while the INVITE is still to be answered. */
void session_in_over(struct session *s)
{
	if (s->in && s->invite_txn)
		session_in_refuse(s, 487, SLICE_NULL, SLICE_NULL);
	if (s->in)
		timer_cancel(&s->ua->timers, &s->in->expires);
}

void session_in_free(struct session *s)
{
	txn_forget(mem_take(&s->invite_txn));
	if (!s->in)
		return;
	timer_cancel(&s->ua->timers, &s->in->expires);
	session_in_answer_free(s);
	free(mem_take(&s->in));
}

/* ---- what is read off the INVITE ---- */

static bool has_line(struct slice text, struct slice begin)
{
	struct slice line;

	while (slice_cut(text, '\n', &line, &text))
		if (slice_starts(line, begin))
			return true;
	return slice_starts(text, begin);
}

/* Instant messages are sessions of their own: SDP has "m=message" (RFC 4975, RTC). */
static bool is_im(const struct msg *m)
{
	return has_line(m->body, SLICE("m=message ")) ||
	       slice_starts_ci(m->content_type, SLICE("text/"));
}

static bool is_phone(const struct uri *u)
{
	struct slice user;

	return u->scheme == URI_TEL ||
	       (uri_param(u, SLICE("user"), &user) && slice_eq_ci(user, SLICE("phone")));
}

static const char *type_of(const struct msg *m)
{
	if (is_im(m))
		return "im";
	return is_phone(&m->from.uri) ? "ph2pc" : "pc2pc";
}

static void fill(struct session *s, struct msg *m, struct flow *f)
{
	const struct dialog *d = s->leg->usage.dialog;

	s->in = mem_new(struct session_in);
	s->in->s = s;
	s->in->trusted = session_identity_is_from_server(s->ep, f);
	s->invite_msg = msg_ref(m);
	s->last_msg = msg_ref(m);
	s->type = mem_strdup(type_of(m));
	s->party = mem_strdup("first");
	s->local = mem_strdup(d->local);
	s->remote = mem_strdup(d->remote);
	s->request_uri = slice_dup(m->request_uri);
	s->call_id = slice_dup(m->call_id);
	s->ask = true;
}

static void take_offer(struct leg *l, const struct msg *m)
{
	struct session_body body = leg_body_of(m);

	offer_received(&l->offer, OFFER_IN_INVITE,
		offer_meaning(&l->offer, OFFER_IN_INVITE, body.bytes.n > 0));
	leg_body_set(&l->remote, &body);
}

static void note_replaced(struct session *s, const struct session_in_verdict *v)
{
	struct session *other = v->replaces ? v->replaces : v->joins;

	s->replaces = v->replaces;
	s->joins = v->joins;
	s->in->early_only = v->early_only;
	if (other)
		list_append(&other->replaced_by, &s->replaces_node);
}

/* ---- beginning ---- */

/* Without a session: retransmissions are answered by the transaction, and the ACK goes there. */
static unsigned refuse(
	struct ua *ua, struct flow *reply_flow, struct msg *m, const struct session_in_verdict *v)
{
	struct txn *t = txn_server_new(&ua->txns, reply_flow, m, NULL, NULL);
	struct buf tag = BUF_NULL, b = BUF_NULL;
	struct uas_reply r = {
		.status = v->status, .reason = v->reason, .headers = buf_slice(&v->headers)
	};

	if (!t)
		return 503;
	ua_random_hex(ua, &tag, TO_TAG_BYTES);
	r.to_tag = buf_slice(&tag);
	uas_build_reply(&b, ua, m, &r);
	(void)txn_reply(t, r.status, buf_slice(&b));
	buf_deinit(&b);
	buf_deinit(&tag);
	return 0;
}

static void check(const struct endpoint *ep, const struct msg *m, struct session_in_verdict *v)
{
	session_in_check_replaces(ep, m, v);
	if (!v->status)
		v->status = leg_timer_check(&v->headers, m);
}

/* Joins the dialog into a new session, whose To tag it has; NULL: too many of something. */
static struct session *begin(
	struct endpoint *ep, struct flow *reply_flow, struct msg *m, struct dialog *d)
{
	struct session *s;

	if (session_make(ep, SLICE_NULL, &s) < 0) {
		dialog_free(d);
		return NULL;
	}
	s->to_tag = slice_dup(d->local_tag);
	s->leg = leg_new(s, d);
	s->invite_txn = txn_server_new(&ep->ua->txns, reply_flow, m, &server_ops, s);
	if (!s->invite_txn) {
		session_free(s);
		return NULL;
	}
	fill(s, m, reply_flow);
	leg_note_peer(s->leg, m, reply_flow);
	take_offer(s->leg, m);
	arm_timers(s);
	ep->ua->n_sessions_in++;
	return s;
}

static struct dialog *make_dialog(struct ua *ua, const struct msg *m, struct session_in_verdict *v)
{
	struct buf tag = BUF_NULL;
	struct dialog *d = NULL;

	ua_random_hex(ua, &tag, TO_TAG_BYTES);
	if (dialog_new_server(&ua->dialogs, m, buf_slice(&tag), &d) < 0) {
		v->status = 400;
		v->reason = SLICE("No usable Contact or Record-Route");
	}
	buf_deinit(&tag);
	return d;
}

unsigned session_in_receive(struct endpoint *ep, struct flow *reply_flow, struct msg *m)
{
	struct session_in_verdict v = { .headers = BUF_NULL };
	struct dialog *d = NULL;
	struct session *s = NULL;
	unsigned status = 0;

	check(ep, m, &v);
	if (!v.status)
		d = make_dialog(ep->ua, m, &v);
	if (d) {
		flow_hold_set(&d->in, reply_flow);
		s = begin(ep, reply_flow, m, d);
	}
	if (s)
		note_replaced(s, &v);
	else if (v.status)
		status = refuse(ep->ua, reply_flow, m, &v);
	else
		status = ep->n_sessions >= LIMITS_SESSIONS_PER_ENDPOINT ? 486 : 503;
	buf_deinit(&v.headers);
	return status;
}
