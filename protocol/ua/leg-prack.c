/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "protocol/base/err.h"
#include "protocol/msg/build.h"
#include "protocol/msg/rseq.h"
#include "protocol/ua/leg-parts.h"
#include "protocol/ua/session-private.h"

/*
 * The calling side of reliable provisional responses (RFC 3262 section 4): they are taken in their
 * order, and each gets one PRACK, whose own repetition is its transaction's.
 */

struct prack {
	struct list node; /* in leg->reliable.pracks */
	struct leg *leg;
	struct request *request;
};

static void free_prack(struct prack *p)
{
	list_remove(&p->node);
	request_free(p->request);
	free(p);
}

/* A PRACK that fails says what becomes of its early dialog (RFC 5057); the INVITE goes on. */
static void on_done(void *owner, struct request *r, const struct outcome *o)
{
	struct prack *p = owner;
	struct leg *l = p->leg;

	(void)r;
	p->request = NULL;
	free_prack(p);
	if (o->error)
		leg_judge(l, METHOD_PRACK, o);
}

static const struct request_ops ops = { .done = on_done };

/* Acknowledges the last response that came in order. */
static int acknowledge(struct leg *l, const struct session_body *body)
{
	struct request_spec spec = {
		.method = SLICE("PRACK"),
		.content_type = body->type,
		.body = body->bytes,
	};
	struct prack *p = mem_new(struct prack);
	struct buf line = BUF_NULL;
	int r;

	buf_printf(&line, "RAck: %u %u INVITE\r\n", l->reliable.rseq_in, l->reliable.cseq_in);
	spec.lines = buf_slice(&line);
	p->leg = l;
	r = leg_request(l, &spec, &ops, p, &p->request);
	buf_deinit(&line);
	if (r < 0)
		free(p);
	else
		list_append(&l->reliable.pracks, &p->node);
	return r;
}

/* Each INVITE in the dialog counts anew, the first number is the peer's choice. */
static bool is_in_order(const struct leg *l, const struct msg *m, uint32_t rseq)
{
	return l->reliable.cseq_in != m->cseq || rseq == l->reliable.rseq_in + 1;
}

bool leg_reliable_is(const struct msg *m)
{
	uint32_t rseq;

	return msg_has_token(m, HDR_REQUIRE, SLICE("100rel")) &&
	       rseq_parse(msg_header(m, HDR_RSEQ), &rseq) == 0;
}

int leg_reliable_received(struct leg *l, const struct msg *m)
{
	struct leg_reliable *rel = &l->reliable;
	struct session_body body = leg_body_of(m);
	enum offer_meaning what;
	uint32_t rseq, last = rel->rseq_in, cseq = rel->cseq_in;

	if (rseq_parse(msg_header(m, HDR_RSEQ), &rseq) < 0)
		return -EBADMSG;
	if (!is_in_order(l, m, rseq))
		return -ESTALE;
	what = offer_meaning(&l->offer, OFFER_IN_RELIABLE, body.bytes.n > 0);
	rel->rseq_in = rseq;
	rel->cseq_in = m->cseq;
	rel->answer_due = what == OFFER_MEANS_OFFER;
	if (!rel->answer_due && acknowledge(l, &(struct session_body){ 0 }) < 0) {
		/* As if it had been lost: it comes again. */
		rel->rseq_in = last;
		rel->cseq_in = cseq;
		return -ESTALE;
	}
	leg_modify_target(l, m);
	offer_received(&l->offer, OFFER_IN_RELIABLE, what);
	if (what == OFFER_MEANS_OFFER || what == OFFER_MEANS_ANSWER) {
		leg_body_set(&l->remote, &body);
		session_mark(l->s, UA_SESSION_DESCRIPTION);
	}
	return 0;
}

int leg_reliable_answer(struct leg *l, const struct session_body *answer)
{
	int r;

	if (l->over || !l->reliable.answer_due)
		return -ESTALE;
	if (!answer->bytes.n)
		return -EINVAL;
	r = acknowledge(l, answer);
	if (r < 0)
		return r;
	l->reliable.answer_due = false;
	offer_sent(&l->offer, OFFER_IN_PRACK, OFFER_MEANS_ANSWER);
	leg_body_set(&l->local, answer);
	session_mark(l->s, UA_SESSION_DESCRIPTION);
	return 0;
}

void leg_prack_stop(struct leg *l)
{
	struct list *node;

	l->reliable.answer_due = false;
	while ((node = list_first(&l->reliable.pracks)))
		free_prack(list_entry(node, struct prack, node));
}
