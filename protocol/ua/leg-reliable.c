/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <string.h>

#include "protocol/base/err.h"
#include "protocol/msg/build.h"
#include "protocol/msg/rack.h"
#include "protocol/ua/leg-parts.h"
#include "protocol/ua/limits.h"
#include "protocol/ua/session-private.h"
#include "protocol/ua/uas.h"

/*
 * The called side of reliable provisional responses (RFC 3262 section 3): one is on the wire at a
 * time, repeated until its PRACK, and the others wait behind it. leg-prack.c is the caller's side.
 */

#define GIVE_UP (64 * TIMER_T1)
#define RSEQ_FIRST_MAX UINT32_C(0x7fffffff)

struct response {
	struct list node; /* in leg->reliable.queue */
	unsigned status;
	uint32_t rseq;
	bool describes; /* has an offer or an answer */
	char *bytes;
	size_t n;
};

static struct timerq *timers_of(const struct leg *l)
{
	return &l->s->ua->timers;
}

static struct response *first_of(const struct leg *l)
{
	struct list *node = list_first(&l->reliable.queue);

	return node ? list_entry(node, struct response, node) : NULL;
}

static void free_response(struct response *r)
{
	list_remove(&r->node);
	free(r->bytes);
	free(r);
}

static void stop_repeating(struct leg *l)
{
	timer_cancel(timers_of(l), &l->reliable.repeat);
	timer_cancel(timers_of(l), &l->reliable.deadline);
}

/* ---- on the wire ---- */

/* False: the INVITE has its final answer, after which nothing is repeated. */
static bool transmit(struct leg *l)
{
	const struct response *r = first_of(l);

	return r && l->s->invite_txn &&
	       txn_reply(l->s->invite_txn, r->status, slice_of(r->bytes, r->n)) == 0;
}

/* No T2 here: PRACKs are not sent again because a response comes again (section 3). */
static void on_repeat(struct timer *t)
{
	struct leg *l = container_of(t, struct leg, reliable.repeat);

	if (!transmit(l)) {
		stop_repeating(l);
		return;
	}
	l->reliable.interval *= 2;
	timer_arm(timers_of(l), t, l->reliable.interval);
}

static void on_deadline(struct timer *t)
{
	struct leg *l = container_of(t, struct leg, reliable.deadline);

	stop_repeating(l);
	session_in_unpracked(l->s);
}

static void send_first(struct leg *l)
{
	struct leg_reliable *rel = &l->reliable;

	if (!first_of(l) || !transmit(l))
		return;
	rel->interval = TIMER_T1;
	rel->repeat.fire = on_repeat;
	rel->deadline.fire = on_deadline;
	timer_arm(timers_of(l), &rel->repeat, rel->interval);
	timer_arm(timers_of(l), &rel->deadline, GIVE_UP);
}

/* ---- making one ---- */

static bool any_describes(const struct leg *l)
{
	list_for_each (node, &l->reliable.queue)
		if (list_entry(node, struct response, node)->describes)
			return true;
	return false;
}

/* Section 3: random at first, then one more each time. */
static uint32_t next_rseq(struct leg *l)
{
	struct leg_reliable *rel = &l->reliable;

	rel->rseq_out = rel->rseq_out ? rel->rseq_out + 1
				      : 1 + (uint32_t)ua_random_below(l->s->ua, RSEQ_FIRST_MAX);
	return rel->rseq_out;
}

static void enqueue(struct leg *l, const struct uas_reply *reply, struct slice headers)
{
	struct response *r = mem_new(struct response);
	struct uas_reply full = *reply;
	struct buf lines = BUF_NULL, b = BUF_NULL;

	r->status = reply->status;
	r->rseq = next_rseq(l);
	r->describes = reply->body.n > 0;
	buf_put(&lines, headers);
	build_header(&lines, HDR_REQUIRE, SLICE("100rel"));
	build_header_u64(&lines, HDR_RSEQ, r->rseq);
	full.headers = buf_slice(&lines);
	uas_build_reply(&b, l->s->ua, l->s->invite_msg, &full);
	r->n = b.n;
	r->bytes = buf_take(&b);
	buf_deinit(&lines);
	list_append(&l->reliable.queue, &r->node);
}

/* What the description would be; RFC 6337 2.1 has at most one exchange in the responses. */
static int check_body(const struct leg *l, bool has_body, enum offer_meaning *ret_what)
{
	enum offer_meaning what = offer_sendable(&l->offer, OFFER_IN_RELIABLE, has_body);

	if (has_body && leg_reliable_waits(l))
		return -EBUSY;
	if (what == OFFER_MEANS_FAULT || what == OFFER_MEANS_WANTED)
		return -EINVAL;
	*ret_what = what;
	return 0;
}

int leg_reliable_send(struct leg *l, unsigned status, struct slice reason, struct slice headers,
	const struct session_body *body)
{
	struct uas_reply reply = {
		.status = status,
		.reason = reason,
		.to_tag = slice_str(l->s->to_tag),
		.content_type = body->type,
		.body = body->bytes,
	};
	enum offer_meaning what;
	bool first = list_is_empty(&l->reliable.queue);
	int r = check_body(l, body->bytes.n > 0, &what);

	if (r < 0)
		return r;
	if (!l->s->invite_txn)
		return -ESTALE;
	if (list_length(&l->reliable.queue) >= LIMITS_RELIABLE)
		return -ENOSPC;
	enqueue(l, &reply, headers);
	offer_sent(&l->offer, OFFER_IN_RELIABLE, what);
	if (body->bytes.n) {
		leg_body_set(&l->local, body);
		session_mark(l->s, UA_SESSION_DESCRIPTION);
	}
	if (first)
		send_first(l);
	return 0;
}

bool leg_reliable_waits(const struct leg *l)
{
	return any_describes(l) || (l->asked.txn && l->asked.request->method == METHOD_PRACK);
}

/* ---- PRACK ---- */

/* Section 3: the numbers and the method of one that is not acknowledged yet, and only of the one
 * that is on the wire. */
static struct response *find_acknowledged(const struct leg *l, const struct rack *rack)
{
	struct response *r = first_of(l);

	return r && l->s->invite_msg && rack->rseq == r->rseq &&
			       rack->cseq == l->s->invite_msg->cseq &&
			       slice_eq(rack->method, SLICE("INVITE"))
		       ? r
		       : NULL;
}

/* The answer to our offer that no verb waits for. */
static void take_answer(struct leg *l, const struct session_body *body)
{
	struct ua_session_event e = {
		.news = UA_SESSION_ANSWER,
		.fork = slice_str(l->fork),
		.content_type = body->type,
		.body = body->bytes,
	};

	offer_received(&l->offer, OFFER_IN_PRACK, OFFER_MEANS_ANSWER);
	leg_body_set(&l->remote, body);
	session_mark(l->s, UA_SESSION_DESCRIPTION);
	session_tell(l->s, &e);
}

/* Acknowledged: the next one goes, and a 2xx that waited may. */
static void go_on(struct leg *l, struct response *acknowledged)
{
	stop_repeating(l);
	free_response(acknowledged);
	send_first(l);
}

static void take_prack(struct leg *l, struct response *r, struct flow *reply_flow, struct msg *m)
{
	struct session_body body = leg_body_of(m);

	switch (offer_meaning(&l->offer, OFFER_IN_PRACK, body.bytes.n > 0)) {
	case OFFER_MEANS_OFFER:
		go_on(l, r);
		leg_modify_ask(l, reply_flow, m);
		return;
	case OFFER_MEANS_ANSWER:
		take_answer(l, &body);
		break;
	case OFFER_MEANS_WANTED:
		/* Section 5: without the answer that it owes, the INVITE leads nowhere. */
		leg_refuse(l, reply_flow, m, 200, SLICE_NULL);
		session_in_reject(l->s, 400, SLICE("No Answer In PRACK"), SLICE_NULL);
		return;
	case OFFER_MEANS_GLARE:
		/* RFC 6337 figure 11: our UPDATE crossed it and will hear 491. */
		leg_refuse(l, reply_flow, m, 491, SLICE_NULL);
		return;
	case OFFER_MEANS_NOTHING:
	case OFFER_MEANS_PREVIEW:
	case OFFER_MEANS_FAULT:
		break;
	}
	leg_refuse(l, reply_flow, m, 200, SLICE_NULL);
	go_on(l, r);
	session_in_pracked(l->s);
}

bool leg_reliable_prack(struct leg *l, struct flow *reply_flow, struct msg *m)
{
	struct rack rack;
	struct response *r;

	if (rack_parse(msg_header(m, HDR_RACK), &rack) < 0) {
		leg_refuse(l, reply_flow, m, 400, SLICE_NULL);
		return true;
	}
	r = find_acknowledged(l, &rack);
	if (r)
		take_prack(l, r, reply_flow, m);
	else
		leg_refuse(l, reply_flow, m, 481, SLICE_NULL);
	return true;
}

void leg_reliable_stop(struct leg *l)
{
	struct response *r;

	stop_repeating(l);
	while ((r = first_of(l)))
		free_response(r);
	leg_prack_stop(l);
}
