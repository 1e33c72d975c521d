/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "protocol/base/err.h"
#include "protocol/msg/build.h"
#include "protocol/msg/privacy.h"
#include "protocol/ua/limits.h"
#include "protocol/ua/session-in-private.h"
#include "protocol/ua/uas.h"

/*
 * What the called side says: provisional answers, which make the dialog (RFC 3261 12.1.1) and are
 * repeated while nobody decides (13.3.1.1), and the one final answer. All have the same To tag.
 */

enum { SESSION_PROGRESS = 183 };

/* ---- the text of a response ---- */

static void append_contact(struct buf *b, const struct session *s)
{
	struct contact c = leg_contact(s->leg, s->invite_msg, txn_flow(s->invite_txn));

	contact_append(b, &c);
}

/* RFC 3323 4.2: who is called may hide as well. */
static void note_privacy(struct session *s, struct slice lines)
{
	if (privacy_in_lines(lines))
		s->leg->usage.dialog->anonymous = true;
}

/* What a response that makes a dialog has beside the names (12.1.1, 13.3.1.4). */
static void append_dialog(struct buf *b, const struct session *s)
{
	dialog_append_record_routes(b, s->invite_msg);
	append_contact(b, s);
	session_append_capabilities(b);
}

static void build(struct buf *b, const struct session *s, const struct uas_reply *r)
{
	struct uas_reply reply = *r;

	reply.to_tag = slice_str(s->to_tag);
	uas_build_reply(b, s->ua, s->invite_msg, &reply);
}

/* ---- provisional ---- */

static bool peer_supports_reliable(const struct session *s)
{
	return msg_has_token(s->invite_msg, HDR_SUPPORTED, SLICE("100rel")) ||
	       msg_has_token(s->invite_msg, HDR_REQUIRE, SLICE("100rel"));
}

/* RFC 3262 section 3: the caller wants all of them so. */
static bool peer_requires_reliable(const struct session *s)
{
	return msg_has_token(s->invite_msg, HDR_REQUIRE, SLICE("100rel"));
}

struct provisional {
	unsigned status;
	struct slice reason, lines;
	struct session_body body;
	bool reliable;
};

static int check_provisional(const struct session *s, const struct provisional *p)
{
	enum offer_message in = p->reliable ? OFFER_IN_RELIABLE : OFFER_IN_1XX;

	switch (offer_sendable(&s->leg->offer, in, p->body.bytes.n > 0)) {
	case OFFER_MEANS_NOTHING:
	case OFFER_MEANS_OFFER:
	case OFFER_MEANS_ANSWER:
	case OFFER_MEANS_PREVIEW:
		return 0;
	case OFFER_MEANS_WANTED: /* 13.2.1: the first reliable answer has the offer */
		return -EINVAL;
	case OFFER_MEANS_FAULT:
	case OFFER_MEANS_GLARE:
		break;
	}
	return -ESTALE;
}

static int send_provisional(struct session *s, const struct provisional *p)
{
	struct buf lines = BUF_NULL, b = BUF_NULL;
	struct uas_reply r = { .status = p->status, .reason = p->reason };
	int err = check_provisional(s, p);

	if (err < 0)
		return err;
	append_dialog(&lines, s);
	buf_put(&lines, p->lines);
	if (p->reliable) {
		err = leg_reliable_send(s->leg, p->status, p->reason, buf_slice(&lines), &p->body);
	} else {
		r.headers = buf_slice(&lines);
		r.content_type = p->body.bytes.n ? p->body.type : SLICE_NULL;
		r.body = p->body.bytes;
		build(&b, s, &r);
		err = txn_reply(s->invite_txn, p->status, buf_slice(&b));
	}
	buf_deinit(&b);
	buf_deinit(&lines);
	return err;
}

static char *replace(char *old, struct slice with)
{
	free(old);
	return slice_dup(with);
}

/* A preview is remembered: it is the answer, unless another is given (13.2.1). */
static void remember(struct session *s, const struct provisional *p)
{
	struct session_in *in = s->in;

	in->status = p->status;
	in->reason = replace(in->reason, p->reason);
	in->lines = replace(in->lines, p->lines);
	if (p->body.bytes.n && !p->reliable)
		leg_body_set(&in->preview, &p->body);
}

void session_in_refresh(struct session *s)
{
	const struct session_in *in = s->in;
	struct provisional p = {
		.status = in->status ? in->status : SESSION_PROGRESS,
		.reason = slice_str(in->reason),
		.lines = slice_str(in->lines),
		.reliable = peer_requires_reliable(s),
	};

	if (!p.reliable)
		p.body = leg_body_get(&in->preview);
	/* One that is not acknowledged yet is being repeated anyway. */
	(void)send_provisional(s, &p);
}

static bool ring_is_valid(const struct session_ring *r)
{
	return (!r->status || (r->status > 100 && r->status < 200)) &&
	       build_header_is_safe(SLICE("Reason-Phrase"), r->reason) &&
	       (!r->body.bytes.n || session_body_is_safe(&r->body));
}

/* 13.2.1: an offer of ours is in a reliable answer or in none before the 2xx. */
static bool has_offer(const struct session *s, const struct session_ring *r)
{
	return r->body.bytes.n && s->leg->offer.wanted;
}

static void has_rung(struct session *s, const struct provisional *p)
{
	bool described = p->body.bytes.n > 0;

	remember(s, p);
	if (described) {
		leg_body_set(&s->leg->local, &p->body);
		session_mark(s, UA_SESSION_DESCRIPTION);
	}
	if (described || s->state == SESSION_EARLY)
		session_set_state(s, SESSION_EARLY);
	else
		session_set_state(s, SESSION_RINGING);
	timer_arm(&s->ua->timers, &s->refresh_1xx, LIMITS_REFRESH_SECONDS * USEC_PER_SEC);
}

int session_ring(struct session *s, const struct session_ring *r)
{
	UA_SCOPE(s->ua);
	struct buf lines = BUF_NULL;
	struct provisional p = {
		.status = r->status ? r->status : 180,
		.reason = r->reason,
		.body = r->body,
	};
	int err;

	if (!session_in_is_open(s) || s->in->accepting)
		return -ESTALE;
	if (!ring_is_valid(r))
		return -EINVAL;
	if ((r->reliable == SESSION_RELIABLE || has_offer(s, r)) && !peer_supports_reliable(s))
		return -EOPNOTSUPP;
	p.reliable =
		r->reliable == SESSION_RELIABLE || has_offer(s, r) || peer_requires_reliable(s);
	err = session_append_headers(&lines, &r->headers);
	p.lines = buf_slice(&lines);
	note_privacy(s, p.lines);
	if (err == 0)
		err = send_provisional(s, &p);
	if (err == 0) {
		has_rung(s, &p);
		leg_message_note_packages(s, &r->headers);
	}
	buf_deinit(&lines);
	return err == -EBUSY ? -ESTALE : err;
}

/* ---- 2xx ---- */

/*
 * What stands in the 2xx: what the client gives; if that is nothing and an answer is owed, what was
 * previewed. -EINVAL: it would break the exchange (13.3.1.4).
 */
static int choose_body(
	const struct session *s, const struct session_body *given, struct session_body *ret_body)
{
	const struct offer *o = &s->leg->offer;
	struct session_body body = *given;
	enum offer_meaning what = offer_sendable(o, OFFER_IN_2XX, body.bytes.n > 0);

	if (what == OFFER_MEANS_WANTED && s->in->preview.n) {
		body = leg_body_get(&s->in->preview);
		what = offer_sendable(o, OFFER_IN_2XX, true);
	}
	if (what == OFFER_MEANS_WANTED || what == OFFER_MEANS_FAULT)
		return -EINVAL;
	*ret_body = body;
	return 0;
}

static void build_2xx(
	struct buf *b, struct session *s, const struct session_body *body, struct slice more)
{
	struct buf lines = BUF_NULL;
	struct uas_reply r = { .status = 200 };

	append_dialog(&lines, s);
	leg_timer_append_2xx(&lines, s->leg, s->invite_msg);
	buf_put(&lines, more);
	r.headers = buf_slice(&lines);
	r.content_type = body->bytes.n ? body->type : SLICE_NULL;
	r.body = body->bytes;
	build(b, s, &r);
	buf_deinit(&lines);
}

static void keep_final(struct session *s, struct slice bytes)
{
	session_in_forget_final(s);
	buf_put(&s->in->final, bytes);
}

const struct msg *session_in_final(const struct session *s)
{
	struct session_in *in = s->in;

	if (in && !in->final_msg && in->final.n)
		(void)msg_parse(buf_slice(&in->final), MSG_DATAGRAM, &in->final_msg);
	return in ? in->final_msg : NULL;
}

void session_in_forget_final(struct session *s)
{
	if (!s->in)
		return;
	buf_deinit(&s->in->final);
	msg_unref(mem_take(&s->in->final_msg));
}

static void describe(struct leg *l, const struct session_body *body)
{
	if (!body->bytes.n)
		return;
	offer_sent(&l->offer, OFFER_IN_2XX, offer_sendable(&l->offer, OFFER_IN_2XX, true));
	leg_body_set(&l->local, body);
	session_mark(l->s, UA_SESSION_DESCRIPTION);
}

static void stop_waiting(struct session *s)
{
	struct timerq *timers = &s->ua->timers;

	timer_cancel(timers, &s->ring);
	timer_cancel(timers, &s->refresh_1xx);
	timer_cancel(timers, &s->in->expires);
}

static void confirm(struct session *s)
{
	dialog_confirm(s->leg->usage.dialog, NULL);
	s->leg->confirmed = true;
	stop_waiting(s);
	leg_timer_answered(s->leg, s->invite_msg);
	session_set_state(s, SESSION_ESTABLISHED);
	session_mark(s, UA_SESSION_TIMER);
}

static int send_2xx(struct session *s, const struct session_body *given, struct slice lines)
{
	struct session_body body;
	struct buf b = BUF_NULL;
	int err = choose_body(s, given, &body);

	if (err < 0)
		return err;
	build_2xx(&b, s, &body, lines);
	describe(s->leg, &body);
	keep_final(s, buf_slice(&b));
	confirm(s);
	leg_answer_send(s->leg, mem_take(&s->invite_txn), buf_slice(&b));
	buf_deinit(&b);
	session_in_end_replaced(s);
	return 0;
}

/* RFC 3262 section 3: not before what described the session is acknowledged. */
static int accept_later(struct session *s, const struct session_body *given, struct slice lines)
{
	struct session_body body;
	int err = choose_body(s, given, &body);

	if (err < 0)
		return err;
	s->in->accepting = true;
	s->in->accept_lines = replace(s->in->accept_lines, lines);
	leg_body_set(&s->in->accept_body, given);
	return 0;
}

int session_accept(
	struct session *s, const struct session_body *body, const struct session_headers *headers)
{
	UA_SCOPE(s->ua);
	struct buf lines = BUF_NULL;
	int err;

	if (!session_in_is_open(s) || s->in->accepting)
		return -ESTALE;
	if (body->bytes.n && !session_body_is_safe(body))
		return -EINVAL;
	if (session_in_comes_late(s)) {
		session_in_reject(s, 486, SLICE_NULL, SLICE_NULL);
		return -ESTALE;
	}
	err = session_append_headers(&lines, headers);
	note_privacy(s, buf_slice(&lines));
	if (err == 0)
		err = leg_reliable_waits(s->leg) ? accept_later(s, body, buf_slice(&lines))
						 : send_2xx(s, body, buf_slice(&lines));
	if (err == 0)
		leg_message_note_packages(s, headers);
	buf_deinit(&lines);
	return err;
}

void session_in_pracked(struct session *s)
{
	struct session_body body;

	if (!session_in_is_open(s) || !s->in->accepting || leg_reliable_waits(s->leg))
		return;
	body = leg_body_get(&s->in->accept_body);
	if (send_2xx(s, &body, slice_str(s->in->accept_lines)) < 0)
		session_in_reject(s, 500, SLICE_NULL, SLICE_NULL);
}

/* ---- refusals ---- */

void session_in_refuse(
	struct session *s, unsigned status, struct slice reason, struct slice headers)
{
	struct buf b = BUF_NULL;

	stop_waiting(s);
	build(&b, s, &(struct uas_reply){ .status = status, .reason = reason, .headers = headers });
	keep_final(s, buf_slice(&b));
	(void)txn_reply(s->invite_txn, status, buf_slice(&b));
	/* Its ACK, or that none comes, is between the transactions. */
	txn_forget(mem_take(&s->invite_txn));
	buf_deinit(&b);
}

void session_in_reject(
	struct session *s, unsigned status, struct slice reason, struct slice headers)
{
	if (!session_in_is_open(s))
		return;
	session_in_refuse(s, status, reason, headers);
	session_over(s, status, reason.n ? reason : build_reason(status), ORIGIN_LOCAL);
}

void session_in_unpracked(struct session *s)
{
	if (!session_in_is_open(s))
		return;
	session_in_refuse(s, 504, SLICE("No PRACK"), SLICE_NULL);
	session_over(s, 504, SLICE("a provisional answer was not acknowledged"), ORIGIN_TIMEOUT);
}

/* lines: the client's own are added. */
static int refuse(struct session *s, const struct uas_reply *r, struct buf *lines,
	const struct session_headers *headers)
{
	int err = session_append_headers(lines, headers);

	if (err == 0)
		session_in_reject(s, r->status, r->reason, buf_slice(lines));
	return err;
}

int session_reject(struct session *s, unsigned status, struct slice reason,
	const struct session_headers *headers)
{
	UA_SCOPE(s->ua);
	struct uas_reply r = { .status = status, .reason = reason };
	struct buf lines = BUF_NULL;
	int err;

	if (!session_in_is_open(s))
		return -ESTALE;
	if (status < 300 || status > 699 || !build_header_is_safe(SLICE("Reason-Phrase"), reason))
		return -EINVAL;
	err = refuse(s, &r, &lines, headers);
	buf_deinit(&lines);
	return err;
}

static int append_target(struct buf *lines, struct slice target)
{
	struct buf v = BUF_NULL;
	struct uri u;

	if (uri_parse(target, &u) < 0 || !build_header_is_safe(SLICE("Contact"), target))
		return -EINVAL;
	addr_append(&v, SLICE_NULL, target);
	build_header(lines, HDR_CONTACT, buf_slice(&v));
	buf_deinit(&v);
	return 0;
}

int session_redirect(struct session *s, const struct slice *targets, size_t n,
	const struct session_headers *headers)
{
	UA_SCOPE(s->ua);
	struct uas_reply r = { .status = 302 };
	struct buf lines = BUF_NULL;
	int err = 0;

	if (!session_in_is_open(s))
		return -ESTALE;
	if (n == 0 || n > LIMITS_REDIRECT_TARGETS)
		return -EINVAL;
	for (size_t i = 0; i < n && err == 0; i++)
		err = append_target(&lines, targets[i]);
	if (err == 0)
		err = refuse(s, &r, &lines, headers);
	buf_deinit(&lines);
	return err;
}

void session_pass(struct session *s)
{
	UA_SCOPE(s->ua);

	session_in_reject(s, 480, SLICE_NULL, SLICE_NULL);
}

void session_in_answer_free(struct session *s)
{
	struct session_in *in = s->in;

	free(in->reason);
	free(in->lines);
	free(in->accept_lines);
	session_in_forget_final(s);
	leg_body_clear(&in->preview);
	leg_body_clear(&in->accept_body);
}
