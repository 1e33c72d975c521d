/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "protocol/base/err.h"
#include "protocol/msg/build.h"
#include "protocol/ua/session-private.h"

/* The verbs of an owner inside a session: which leg they mean, and what the state asks for. */

static struct leg *only_leg(const struct session *s)
{
	struct list *first = list_first(&s->legs);

	return first && first->next == &s->legs ? list_entry(first, struct leg, node) : NULL;
}

/* The leg that a verb is about: by its fork, else the one that counts, else the only one. */
static struct leg *find_leg(const struct session *s, struct slice fork)
{
	struct leg *l = s->leg ? s->leg : only_leg(s);

	if (fork.n) {
		l = NULL;
		list_for_each (node, &s->legs) {
			struct leg *other = list_entry(node, struct leg, node);

			if (slice_eq(fork, slice_str(other->fork)))
				l = other;
		}
	}
	return l && !l->over ? l : NULL;
}

static bool is_live(const struct session *s)
{
	return s->state != SESSION_TERMINATING && s->state != SESSION_TERMINATED;
}

bool session_body_is_safe(const struct session_body *b)
{
	return b->type.n && build_header_is_safe(SLICE("Content-Type"), b->type);
}

int session_offer(struct session *s, const struct session_body *offer, struct slice fork,
	const struct session_reply *reply)
{
	UA_SCOPE(s->ua);
	struct leg *l = find_leg(s, fork);

	if (!is_live(s) || s->relayed || !l)
		return -ESTALE;
	if (offer->bytes.n && !session_body_is_safe(offer))
		return -EINVAL;
	return leg_modify_offer(l, offer, reply);
}

/* The 2xx had the offer: the ACK has the answer (13.2.2.4). */
static void answer_2xx(struct leg *l, const struct session_body *answer)
{
	leg_ack(l, l->ack.waits, answer);
	session_leg_acked(l, NULL);
}

static int answer_leg(struct leg *l, const struct session_body *answer)
{
	int r;

	if (l->ack.waits) {
		answer_2xx(l, answer);
		return 0;
	}
	r = leg_reliable_answer(l, answer);
	return r == -ESTALE ? leg_modify_answer(l, answer) : r;
}

int session_put_answer(struct session *s, const struct session_body *answer)
{
	int r = -ESTALE;

	if (!is_live(s))
		return -ESTALE;
	if (!answer->bytes.n || !session_body_is_safe(answer))
		return -EINVAL;
	if (s->leg)
		return answer_leg(s->leg, answer);
	/* Several forks: the oldest offer is answered first. */
	list_for_each_safe (node, next, &s->legs) {
		r = answer_leg(list_entry(node, struct leg, node), answer);
		if (r != -ESTALE)
			break;
	}
	return r;
}

int session_answer(struct session *s, const struct session_body *answer)
{
	UA_SCOPE(s->ua);

	return s->relayed ? -ESTALE : session_put_answer(s, answer);
}

int session_reject_offer(struct session *s, unsigned status)
{
	UA_SCOPE(s->ua);
	struct leg *l = find_leg(s, SLICE_NULL);
	struct session_end end = { .reason = SLICE("offer refused") };

	if (!is_live(s) || s->relayed || !l)
		return -ESTALE;
	if (status && (status < 300 || status > 699))
		return -EINVAL;
	if (!l->ack.waits)
		return leg_modify_reject(l, status ? status : 488);
	/* 13.2.2.4: a 2xx stands, whatever it offers; it is acknowledged and ended. */
	leg_ack(l, l->ack.waits, NULL);
	return session_terminate(s, &end);
}

/* ---- requests inside ---- */

static int send_inside(struct session *s, struct request_spec *spec,
	const struct session_body *body, const struct session_headers *headers,
	const struct session_reply *reply)
{
	struct leg *l = find_leg(s, SLICE_NULL);
	struct buf lines = BUF_NULL;
	int r;

	if (!is_live(s) || !l)
		return -ESTALE;
	if (body->bytes.n && !session_body_is_safe(body))
		return -EINVAL;
	buf_put(&lines, spec->lines);
	r = session_append_headers(&lines, headers);
	if (r == 0) {
		spec->lines = buf_slice(&lines);
		spec->content_type = body->bytes.n ? body->type : SLICE_NULL;
		spec->body = body->bytes;
		r = leg_message_send(l, spec, reply);
	}
	buf_deinit(&lines);
	return r;
}

int session_message(struct session *s, const struct session_body *body,
	const struct session_headers *headers, const struct session_reply *reply)
{
	UA_SCOPE(s->ua);
	struct request_spec spec = { .method = SLICE("MESSAGE") };

	return send_inside(s, &spec, body, headers, reply);
}

int session_info(struct session *s, struct slice package, const struct session_body *body,
	const struct session_headers *headers, const struct session_reply *reply)
{
	UA_SCOPE(s->ua);
	struct request_spec spec = { .method = SLICE("INFO") };
	struct leg *l = find_leg(s, SLICE_NULL);
	struct buf lines = BUF_NULL;
	int r;

	if (package.n && !build_header_is_safe(package, SLICE_NULL))
		return -EINVAL;
	if (package.n && is_live(s) && l && !leg_message_may_go(l, package))
		return -EOPNOTSUPP; /* RFC 6086 5.2.2 */
	if (package.n) {
		build_header(&lines, HDR_INFO_PACKAGE, package);
		/* RFC 6086 4.2.1: the body is the package's. */
		if (body->bytes.n)
			build_header(&lines, HDR_CONTENT_DISPOSITION, SLICE("Info-Package"));
	}
	spec.lines = buf_slice(&lines);
	r = send_inside(s, &spec, body, headers, reply);
	buf_deinit(&lines);
	return r;
}

/* ---- the end ---- */

static void refuse(struct session *s, const struct session_end *end, struct slice lines)
{
	unsigned status = end->status ? end->status : 603;

	session_in_reject(s, status, end->reason, lines);
}

void session_end_as(struct session *s, const struct outcome *o, struct slice lines)
{
	bool established = s->state == SESSION_ESTABLISHED;

	if (!is_live(s))
		return;
	session_ending(s, o->status, o->reason, o->origin);
	if (established)
		leg_end(s->leg, lines);
	else
		session_out_cancel(s, lines);
}

static void hang_up(struct session *s, const struct session_end *end, struct slice lines)
{
	struct slice reason = end->reason.n ? end->reason : SLICE("ended here");

	session_ending(s, end->status, reason, ORIGIN_LOCAL);
	leg_end(s->leg, lines);
}

static void cancel(struct session *s, const struct session_end *end, struct slice lines)
{
	unsigned status = end->status ? end->status : 487;
	struct slice reason = end->reason.n ? end->reason : SLICE("cancelled here");

	session_ending(s, status, reason, ORIGIN_LOCAL);
	session_out_cancel(s, lines);
}

int session_terminate(struct session *s, const struct session_end *end)
{
	UA_SCOPE(s->ua);
	static const struct session_end plain = { 0 };
	struct buf lines = BUF_NULL;
	int r;

	if (!is_live(s))
		return 0;
	if (!end)
		end = &plain;
	if ((end->status && (end->status < 300 || end->status > 699)) ||
		!build_header_is_safe(SLICE("Reason-Phrase"), end->reason))
		return -EINVAL;
	r = session_append_headers(&lines, &end->headers);
	if (r < 0) {
		buf_deinit(&lines);
		return r;
	}
	if (s->state == SESSION_ESTABLISHED)
		hang_up(s, end, buf_slice(&lines));
	else if (s->outgoing)
		cancel(s, end, buf_slice(&lines));
	else
		refuse(s, end, buf_slice(&lines));
	buf_deinit(&lines);
	return 0;
}
