/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "protocol/base/buf.h"
#include "protocol/msg/build.h"
#include "protocol/msg/reason.h"
#include "protocol/ua/session-private.h"

/* BYE, ours and the peer's (RFC 3261 section 15). */

/* What goes on inside ends, but what acknowledges a 2xx does not. */
static void quiet(struct leg *l)
{
	l->over = true;
	leg_timer_stop(l);
	leg_modify_stop(l);
	leg_reliable_stop(l);
	leg_message_stop(l);
}

/* ---- ours ---- */

/* 15.1.1: whatever the peer says, or does not say, the session has ended. */
static void on_done(void *owner, struct request *r, const struct outcome *o)
{
	struct leg *l = owner;

	(void)r;
	l->bye = NULL;
	session_leg_over(l, o->status, o->reason, o->origin);
}

static const struct request_ops ops = { .done = on_done };

static void send_bye(struct leg *l, struct slice lines)
{
	struct request_spec spec = { .method = SLICE("BYE"), .lines = lines };

	if (leg_request(l, &spec, &ops, l, &l->bye) < 0)
		session_leg_over(l, 0, SLICE("no way to send BYE"), ORIGIN_LOCAL);
}

void leg_end(struct leg *l, struct slice headers)
{
	if (l->over)
		return;
	quiet(l);
	if (l->ack.waits)
		leg_ack(l, l->ack.waits, NULL);
	if (leg_answer_waits(l))
		l->bye_lines = slice_dup(headers);
	else
		send_bye(l, headers);
}

void leg_end_acked(struct leg *l)
{
	char *lines = mem_take(&l->bye_lines);

	if (lines)
		send_bye(l, slice_str(lines));
	free(lines);
}

/* ---- the peer's ---- */

/* The first reason of SIP's own counts, else the first of another protocol (RFC 3326 section 2). */
static bool find_reason(const struct msg *m, struct reason *ret)
{
	const struct hdr *h = NULL;
	bool found = false;

	while ((h = msg_header_next(m, HDR_REASON, h))) {
		struct slice rest = h->value;
		struct reason r;

		while (reason_next(&rest, &r) == 1) {
			bool sip = slice_eq_ci(r.protocol, SLICE("SIP"));

			if (sip || !found)
				*ret = r;
			found = true;
			if (sip)
				return true;
		}
	}
	return found;
}

/* "Q.850 16" for a reason without text. */
static void append_phrase(struct buf *b, const struct reason *r, bool sip)
{
	if (r->text.n)
		reason_append_text(b, r);
	else if (sip && r->has_cause)
		buf_put(b, build_reason(r->cause));
	else
		buf_put(b, r->protocol);
	if (!r->text.n && !sip && r->has_cause) {
		buf_putc(b, ' ');
		buf_u64(b, r->cause);
	}
}

bool leg_end_read_reason(const struct msg *m, struct buf *b, unsigned *ret_status)
{
	struct reason r;
	bool sip;

	if (!find_reason(m, &r))
		return false;
	sip = slice_eq_ci(r.protocol, SLICE("SIP"));
	append_phrase(b, &r, sip);
	if (sip && r.has_cause && r.cause >= 200 && r.cause <= 699)
		*ret_status = r.cause;
	return true;
}

static bool has_other_forks(const struct leg *l)
{
	list_for_each (node, &l->s->legs) {
		struct leg *other = list_entry(node, struct leg, node);

		if (other != l && !other->over)
			return true;
	}
	return false;
}

/* Nothing in it is heard, and no other fork could answer: the INVITE is all that is left. */
static void give_up_early(struct leg *l, const struct outcome *o)
{
	struct session *s = l->s;

	session_ending(s, o->status, o->reason, o->origin);
	if (l->client)
		session_out_cancel(s, SLICE_NULL);
	else
		session_in_reject(s, 487, SLICE_NULL, SLICE_NULL);
}

void leg_end_unheard(struct leg *l, const struct outcome *o)
{
	if (!l->confirmed && !(l->client && has_other_forks(l))) {
		give_up_early(l, o);
		return;
	}
	/* A fork of several is told alone (15). */
	if (l->confirmed)
		session_ending(l->s, o->status, o->reason, o->origin);
	leg_end(l, SLICE_NULL);
}

/*
 * An early dialog is ended by the caller alone, who may do so (15): the INVITE is answered 487
 * then. To a caller it happens when the callee's 2xx got lost and it gave up waiting for the ACK:
 * nobody else will answer unless there are other forks.
 */
static void ended_early(struct leg *l, unsigned status, struct slice reason)
{
	struct outcome o = { .status = status, .reason = reason, .origin = ORIGIN_REMOTE };

	if (l->client && has_other_forks(l))
		session_leg_over(l, status, reason, ORIGIN_REMOTE);
	else
		give_up_early(l, &o);
}

bool leg_end_request(struct leg *l, struct flow *reply_flow, struct msg *m)
{
	struct buf reason = BUF_NULL;
	unsigned status = 200;

	if (l->over && !l->bye && !l->bye_lines)
		return false;
	leg_refuse(l, reply_flow, m, 200, SLICE_NULL);
	/* Ours crosses it: the answer to that ends the leg. */
	if (l->bye)
		return true;
	free(mem_take(&l->bye_lines));
	if (!leg_end_read_reason(m, &reason, &status))
		buf_lit(&reason, "ended by the peer");
	quiet(l);
	if (l->ack.waits)
		leg_ack(l, l->ack.waits, NULL);
	if (l->confirmed)
		session_leg_over(l, status, buf_slice(&reason), ORIGIN_REMOTE);
	else
		ended_early(l, status, buf_slice(&reason));
	buf_deinit(&reason);
	return true;
}

void leg_end_stop(struct leg *l)
{
	request_free(mem_take(&l->bye));
	free(mem_take(&l->bye_lines));
}
