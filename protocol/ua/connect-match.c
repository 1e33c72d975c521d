/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "protocol/base/err.h"
#include "protocol/ua/connect-private.h"

/* Two parties that answered: what either describes, and what it says else, is for the other. */

/* The dialog that counts; NULL: there is none. */
static struct leg *leg_of(const struct connect_side *side)
{
	return side->s ? side->s->leg : NULL;
}

/* ---- descriptions ---- */

/*
 * What side may hear of the other's description. A party that we held once knows us by our own
 * origin line, which stays, with a version that counts up (RFC 3725 4.4). b is the caller's.
 */
static struct session_body fit(
	struct connect_side *side, const struct session_body *body, struct buf *b)
{
	struct connect *c = side->c;
	struct session_body out = *body;

	if (side != &c->first || !c->origin.version || !body->bytes.n)
		return out;
	c->origin.version++;
	if (sdp_append_as(b, body->bytes, &c->origin) == 0)
		out.bytes = buf_slice(b);
	return out;
}

/* What a peer brought is as little to be trusted as what a client brings. */
static int answer(struct connect_side *side, const struct session_body *body)
{
	struct buf b = BUF_NULL;
	struct session_body out;
	int r;

	if (!side->s)
		return -ESTALE;
	if (!session_body_is_safe(body))
		return -EINVAL;
	out = fit(side, body, &b);
	r = session_put_answer(side->s, &out);
	buf_deinit(&b);
	return r;
}

/* done is told with `owner`, in whatever phase we are then: end_wait(). */
static int offer(struct connect_side *side, const struct session_body *body, session_done_fn *done,
	struct connect_side *owner)
{
	struct session_reply reply = { .done = done, .owner = owner };
	struct leg *l = leg_of(side);
	struct buf b = BUF_NULL;
	struct session_body out;
	int r;

	if (!l)
		return -ESTALE;
	if (body->bytes.n && !session_body_is_safe(body))
		return -EINVAL;
	out = fit(side, body, &b);
	r = leg_modify_offer(l, &out, &reply);
	buf_deinit(&b);
	if (r == 0)
		side->c->n_waits++;
	return r;
}

/* False: nobody cares any more, and c may be gone. */
static bool end_wait(struct connect *c)
{
	bool over = c->phase == CONNECT_OVER;

	c->n_waits--;
	if (over)
		connect_release(c);
	return !over;
}

/* An offer of that party's is refused, if there still is one. */
static void refuse(struct connect_side *side, unsigned status)
{
	if (!side->s)
		return;
	list_for_each (node, &side->s->legs)
		(void)leg_modify_reject(list_entry(node, struct leg, node), status);
}

/* ---- joining ---- */

static void joined(struct connect *c)
{
	struct ua_session_event e = { .news = UA_SESSION_ESTABLISHED };

	timer_cancel(&connect_ua(c)->timers, &c->hold);
	c->phase = CONNECT_JOINED;
	if (c->untold)
		session_tell(c->first.s, &e);
	c->untold = false;
}

/* The answer goes into the ACK that the party waits for. */
void connect_join(struct connect_side *side, const struct session_body *body)
{
	if (answer(side, body) == 0)
		joined(side->c);
	else
		connect_end_here(side->c, 488, SLICE("nothing to answer with"));
}

/* The session ended; on_changed() of connect.c hears how. */
static bool is_end(const struct outcome *o)
{
	return o->error == -ECANCELED;
}

static void on_matched(void *owner, const struct outcome *o, const struct session_body *body)
{
	struct connect_side *side = owner;

	if (!end_wait(side->c))
		return;
	if (o->error && !is_end(o))
		connect_end(side->c, o);
	else if (!o->error)
		connect_join(side, body);
}

/*
 * That party's offer waits for an answer. The other needs no words if it was told just that before:
 * what it said then stands.
 */
static void match_offer(struct connect_side *side, const struct session_body *body)
{
	struct connect_side *other = connect_other(side);
	struct leg *l = leg_of(other);
	struct session_body said;

	refuse(other, 491);
	if (l && slice_eq(leg_body_get(&l->local).bytes, body->bytes)) {
		said = leg_body_get(&l->remote);
		connect_join(side, &said);
	} else if (offer(other, body, on_matched, side) < 0) {
		connect_end_here(side->c, 488, SLICE("the parties cannot be joined"));
	}
}

static void on_offered(void *owner, const struct outcome *o, const struct session_body *body)
{
	struct connect_side *side = owner;

	if (!end_wait(side->c))
		return;
	if (o->error && !is_end(o))
		connect_end(side->c, o);
	else if (!o->error)
		match_offer(side, body);
}

void connect_match(struct connect_side *side)
{
	struct leg *l = leg_of(side);
	struct session_body body;

	side->c->phase = CONNECT_MATCH;
	refuse(side, 491);
	if (l && l->ack.waits) {
		body = leg_body_get(&l->remote);
		match_offer(side, &body);
	} else if (offer(side, &(struct session_body){ 0 }, on_offered, side) < 0) {
		connect_end_here(side->c, 488, SLICE("the parties cannot be joined"));
	}
}

/* ---- once they are joined ---- */

/* A refusal as it may be handed on: credentials are between us and who asked for them. */
static unsigned refusal(const struct outcome *o)
{
	if (o->status < 400 || o->status == 401 || o->status == 407)
		return 488;
	return o->status;
}

/* side's offer, or its wish for one, has an answer: of the other's. */
static void on_relayed(void *owner, const struct outcome *o, const struct session_body *body)
{
	struct connect_side *side = owner;
	struct leg *l = leg_of(side);

	if (!end_wait(side->c))
		return;
	if (o->error)
		refuse(side, refusal(o));
	else if (!l || !l->asked.txn || answer(side, body) < 0)
		connect_match(connect_other(
			side)); /* the question was taken back: the other believes in it */
}

void connect_relay_offer(struct connect_side *side, const struct ua_session_event *e)
{
	struct session_body body = { .type = e->content_type, .bytes = e->body };
	int r = -ESTALE;

	if (side->c->phase == CONNECT_JOINED)
		r = offer(connect_other(side), &body, on_relayed, side);
	/* RFC 3725 section 6: 491 while something of the other's is under way. */
	if (r < 0)
		refuse(side, r == -ESTALE ? 491 : 488);
}

/* In the ACK that ends an offer of the other's; or a refresh of ours met a change. */
void connect_relay_answer(struct connect_side *side, const struct ua_session_event *e)
{
	struct session_body body = { .type = e->content_type, .bytes = e->body };
	struct connect_side *other = connect_other(side);
	struct leg *l = leg_of(other);

	if (side->c->phase != CONNECT_JOINED || !l)
		return;
	if (!l->ack.waits)
		connect_match(side);
	else if (answer(other, &body) < 0)
		connect_end_here(side->c, 488, SLICE("nothing to answer with"));
}

void connect_relay_message(struct connect_side *side, const struct ua_session_event *e)
{
	struct session_body body = { .type = e->content_type, .bytes = e->body };
	struct session *s = connect_other(side)->s;

	if (s && e->news == UA_SESSION_INFO)
		(void)session_info(s, e->package, &body, NULL, NULL);
	else if (s)
		(void)session_message(s, &body, NULL, NULL);
}
