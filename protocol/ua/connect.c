/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "protocol/ua/connect.h"

#include "protocol/base/err.h"
#include "protocol/msg/build.h"
#include "protocol/msg/reason.h"
#include "protocol/msg/sdp.h"
#include "protocol/ua/limits.h"
#include "protocol/ua/session-observer.h"
#include "protocol/ua/session-out.h"
#include "protocol/ua/session-refer.h"

/*
 *   FIRST -> SECOND ------------> JOINED <-> MATCH
 *                  \-> (held) MATCH -/
 *
 * A match (RFC 3725 4.4, messages 4 to 9, begun with the first): one party is asked for an offer,
 * the other for the answer to that. It joins a party that was held, and brings together again what
 * a lost exchange may have left apart.
 */
enum connect_phase {
	CONNECT_FIRST,  /* the first is called */
	CONNECT_SECOND, /* the second is called; the first waits for our ACK, or is held */
	CONNECT_MATCH,
	CONNECT_JOINED,
	CONNECT_OVER,
};

struct connect_side {
	struct connect *c;
	struct session *s; /* NULL: not there yet, or gone */
};

/* Lives as long as either session, or a verb inside them that waits. */
struct connect {
	struct endpoint *ep;
	enum connect_phase phase;
	struct connect_side first, second;
	bool untold;              /* the first was told to be established before they were joined */
	struct sdp_origin origin; /* what the first hears comes from it; version 0: never held */
	struct timer hold;
	unsigned n_waits;
	/* What the second is called with. */
	char *target, *privacy;
	struct request_header *headers;
	size_t n_headers;
	usec_t timeout;
};

static struct ua *ua_of(const struct connect *c)
{
	return c->ep->ua;
}

static struct connect_side *other_of(struct connect_side *side)
{
	return side == &side->c->first ? &side->c->second : &side->c->first;
}

/* The dialog that counts; NULL: there is none. */
static struct leg *leg_of(const struct connect_side *side)
{
	return side->s ? side->s->leg : NULL;
}

/* ---- life ---- */

static void keep_headers(struct connect *c, const struct session_headers *h)
{
	if (!h->n)
		return;
	c->headers = mem_alloc(h->n * sizeof(*c->headers));
	c->n_headers = h->n;
	for (size_t i = 0; i < h->n; i++) {
		c->headers[i].name = slice_of(slice_dup(h->list[i].name), h->list[i].name.n);
		c->headers[i].value = slice_of(slice_dup(h->list[i].value), h->list[i].value.n);
	}
}

static void drop_headers(struct connect *c)
{
	for (size_t i = 0; i < c->n_headers; i++) {
		free((char *)(uintptr_t)c->headers[i].name.p);
		free((char *)(uintptr_t)c->headers[i].value.p);
	}
	free(c->headers);
}

static void free_if_unused(struct connect *c)
{
	if (c->first.s || c->second.s || c->n_waits)
		return;
	drop_headers(c);
	free(c->target);
	free(c->privacy);
	free(c);
}

/* ---- the end ---- */

/* RFC 3725 section 6: why, if it was a failure. */
static void append_reason(struct buf *b, const struct outcome *o)
{
	struct reason why = {
		.protocol = SLICE("SIP"),
		.cause = o->status,
		.has_cause = true,
		.text = o->reason,
	};
	struct buf v = BUF_NULL;

	if (o->status < 300)
		return;
	reason_append(&v, &why);
	build_header(b, HDR_REASON, buf_slice(&v));
	buf_deinit(&v);
}

static void end_side(struct connect_side *side, const struct outcome *o)
{
	struct buf lines = BUF_NULL;

	if (!side->s)
		return;
	append_reason(&lines, o);
	session_end_as(side->s, o, buf_slice(&lines));
	buf_deinit(&lines);
}

static void end_both(struct connect *c, const struct outcome *o)
{
	if (c->phase == CONNECT_OVER)
		return;
	c->phase = CONNECT_OVER;
	timer_cancel(&ua_of(c)->timers, &c->hold);
	end_side(&c->first, o);
	end_side(&c->second, o);
}

static void end_here(struct connect *c, unsigned status, struct slice reason)
{
	struct outcome o = { .status = status, .reason = reason, .origin = ORIGIN_LOCAL };

	end_both(c, &o);
}

/* One of them ends, whoever wants it. */
static void on_changed(void *owner, struct session *s)
{
	struct connect_side *side = owner;
	struct outcome o = {
		.status = s->outcome.status,
		.reason = slice_str(s->outcome.reason),
		.origin = s->outcome.origin,
	};

	if (s->state == SESSION_TERMINATING || s->state == SESSION_TERMINATED)
		end_both(side->c, &o);
}

/* Without a word before, if the endpoint is freed: it does not outlive its sessions for us. */
static void on_gone(void *owner, struct session *s)
{
	struct connect_side *side = owner;

	timer_cancel(&s->ua->timers, &side->c->hold);
	side->c->phase = CONNECT_OVER;
	side->s = NULL;
	free_if_unused(side->c);
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
		free_if_unused(c);
	return !over;
}

/* An offer of that party's is refused, if there still is one. */
static void refuse(struct connect_side *side, unsigned status)
{
	struct leg *l = leg_of(side);

	if (l)
		(void)leg_modify_reject(l, status);
}

/* ---- joining ---- */

static void joined(struct connect *c)
{
	struct ua_session_event e = { .news = UA_SESSION_ESTABLISHED };

	timer_cancel(&ua_of(c)->timers, &c->hold);
	c->phase = CONNECT_JOINED;
	if (c->untold)
		session_tell(c->first.s, &e);
	c->untold = false;
}

/* The answer goes into the ACK that the party waits for. */
static void close_match(struct connect_side *side, const struct session_body *body)
{
	if (answer(side, body) == 0)
		joined(side->c);
	else
		end_here(side->c, 488, SLICE("nothing to answer with"));
}

static void on_matched(void *owner, const struct outcome *o, const struct session_body *body)
{
	struct connect_side *side = owner;

	if (!end_wait(side->c))
		return;
	if (o->error)
		end_both(side->c, o);
	else
		close_match(side, body);
}

/*
 * That party's offer waits for an answer. The other needs no words if it was told just that before:
 * what it said then stands.
 */
static void match_offer(struct connect_side *side, const struct session_body *body)
{
	struct connect_side *other = other_of(side);
	struct leg *l = leg_of(other);
	struct session_body said;

	refuse(other, 491);
	if (l && slice_eq(leg_body_get(&l->local).bytes, body->bytes)) {
		said = leg_body_get(&l->remote);
		close_match(side, &said);
	} else if (offer(other, body, on_matched, side) < 0) {
		end_here(side->c, 488, SLICE("the parties cannot be joined"));
	}
}

static void on_offered(void *owner, const struct outcome *o, const struct session_body *body)
{
	struct connect_side *side = owner;

	if (!end_wait(side->c))
		return;
	if (o->error)
		end_both(side->c, o);
	else
		match_offer(side, body);
}

static void match(struct connect_side *side)
{
	struct leg *l = leg_of(side);
	struct session_body body;

	side->c->phase = CONNECT_MATCH;
	refuse(side, 491);
	if (l && l->ack.waits) {
		body = leg_body_get(&l->remote);
		match_offer(side, &body);
	} else if (offer(side, &(struct session_body){ 0 }, on_offered, side) < 0) {
		end_here(side->c, 488, SLICE("the parties cannot be joined"));
	}
}

/* ---- until both have answered ---- */

static int hold(struct connect *c, const struct session_body *body)
{
	struct session_body held = { .type = body->type };
	struct buf b = BUF_NULL;
	int r = -EBADMSG;

	if (!c->origin.version) {
		ua_random(ua_of(c), &c->origin.id, sizeof(c->origin.id));
		c->origin.version = 1;
	}
	if (slice_eq_ci(body->type, SLICE("application/sdp")))
		r = sdp_append_held(&b, body->bytes, &c->origin);
	held.bytes = buf_slice(&b);
	if (r == 0)
		r = session_put_answer(c->first.s, &held);
	buf_deinit(&b);
	return r;
}

/* RFC 3725 4.1: its 2xx may not go without an ACK for longer. */
static void on_hold(struct timer *t)
{
	struct connect *c = container_of(t, struct connect, hold);
	struct session_body body = leg_body_get(&c->first.s->leg->remote);

	if (hold(c, &body) < 0)
		end_here(c, 408, SLICE("the second party did not answer in time"));
}

static const struct session_observer observer;

static void observe(struct connect_side *side, struct session *s)
{
	side->s = s;
	s->relayed = true;
	session_observe(s, &observer, side);
}

static void call_second(struct connect *c)
{
	struct session_spec spec = {
		.target = slice_str(c->target),
		.offer = leg_body_get(&c->first.s->leg->remote),
		.type = SLICE("ph2ph"),
		.headers = { .list = c->headers, .n = c->n_headers },
		.privacy = slice_str(c->privacy),
		.timeout = c->timeout,
	};
	struct session *s;
	const char *why;
	int r = session_new(c->ep, &spec, &s, &why);

	if (r < 0) {
		end_here(c, r == -ENOSPC ? 503 : 500, slice_str(why));
		return;
	}
	s->hidden = true;
	observe(&c->second, s);
	c->phase = CONNECT_SECOND;
}

static void first_offered(struct connect *c, const struct ua_session_event *e)
{
	struct session_body body = { .type = e->content_type, .bytes = e->body };

	if (c->first.s->state == SESSION_ESTABLISHED) {
		/* Another fork of the first may have been held. */
		c->origin.version = 0;
		timer_arm(&ua_of(c)->timers, &c->hold, LIMITS_HOLD_SECONDS * USEC_PER_SEC);
		call_second(c);
	} else if (hold(c, &body) < 0) {
		end_here(c, 488, SLICE("an early offer that cannot be held"));
	}
}

static void second_answered(struct connect *c)
{
	struct session_body body = leg_body_get(&c->second.s->leg->remote);

	if (c->origin.version)
		match(&c->first);
	else
		close_match(&c->first, &body);
}

static void tell_second(struct connect *c, const struct ua_session_event *e)
{
	struct ua_session_event told = {
		.news = UA_SESSION_PROGRESS,
		.status = e->status,
		.reason = e->reason,
		.origin = e->origin,
		.fork = SLICE("second"),
	};

	if (c->first.s)
		session_tell(c->first.s, &told);
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
		match(other_of(side)); /* the question was taken back: the other believes in it */
}

static void relay_offer(struct connect_side *side, const struct ua_session_event *e)
{
	struct session_body body = { .type = e->content_type, .bytes = e->body };
	int r = -ESTALE;

	if (side->c->phase == CONNECT_JOINED)
		r = offer(other_of(side), &body, on_relayed, side);
	/* RFC 3725 section 6: 491 while something of the other's is under way. */
	if (r < 0)
		refuse(side, r == -ESTALE ? 491 : 488);
}

/* In the ACK that ends an offer of the other's; or a refresh of ours met a change. */
static void relay_answer(struct connect_side *side, const struct ua_session_event *e)
{
	struct session_body body = { .type = e->content_type, .bytes = e->body };
	struct connect_side *other = other_of(side);
	struct leg *l = leg_of(other);

	if (side->c->phase != CONNECT_JOINED || !l)
		return;
	if (!l->ack.waits)
		match(side);
	else if (answer(other, &body) < 0)
		end_here(side->c, 488, SLICE("nothing to answer with"));
}

static void relay_message(struct connect_side *side, const struct ua_session_event *e)
{
	struct session_body body = { .type = e->content_type, .bytes = e->body };
	struct session *s = other_of(side)->s;

	if (s && e->news == UA_SESSION_INFO)
		(void)session_info(s, e->package, &body, NULL, NULL);
	else if (s)
		(void)session_message(s, &body, NULL, NULL);
}

/* ---- news ---- */

static bool on_first(struct connect *c, const struct ua_session_event *e)
{
	switch (e->news) {
	case UA_SESSION_ESTABLISHED:
		if (c->phase == CONNECT_FIRST)
			call_second(c);
		c->untold = c->phase != CONNECT_JOINED;
		return c->untold;
	case UA_SESSION_OFFER:
		if (c->phase == CONNECT_FIRST)
			first_offered(c, e);
		else
			relay_offer(&c->first, e);
		return true;
	case UA_SESSION_ANSWER:
	case UA_SESSION_MESSAGE:
	case UA_SESSION_INFO:
	case UA_SESSION_REFER:
	case UA_SESSION_PROGRESS:
	case UA_SESSION_REFER_PROGRESS:
	case UA_SESSION_REFER_FINISHED:
	case UA_SESSION_TERMINATED:
		break;
	}
	return false;
}

static void on_second(struct connect *c, const struct ua_session_event *e)
{
	switch (e->news) {
	case UA_SESSION_PROGRESS:
		if (c->phase == CONNECT_SECOND)
			tell_second(c, e);
		break;
	case UA_SESSION_ESTABLISHED:
		if (c->phase == CONNECT_SECOND)
			second_answered(c);
		break;
	case UA_SESSION_OFFER:
		relay_offer(&c->second, e);
		break;
	case UA_SESSION_ANSWER:
	case UA_SESSION_MESSAGE:
	case UA_SESSION_INFO:
	case UA_SESSION_REFER:
	case UA_SESSION_REFER_PROGRESS:
	case UA_SESSION_REFER_FINISHED:
	case UA_SESSION_TERMINATED:
		break;
	}
}

/* What is the same for both. True: it was dealt with. */
static bool on_either(struct connect_side *side, const struct ua_session_event *e)
{
	switch (e->news) {
	case UA_SESSION_ANSWER:
		relay_answer(side, e);
		return true;
	case UA_SESSION_MESSAGE:
	case UA_SESSION_INFO:
		relay_message(side, e);
		return true;
	case UA_SESSION_REFER:
		(void)session_reject_refer(side->s, e->id, 603);
		return true;
	case UA_SESSION_PROGRESS:
	case UA_SESSION_ESTABLISHED:
	case UA_SESSION_OFFER:
	case UA_SESSION_REFER_PROGRESS:
	case UA_SESSION_REFER_FINISHED:
	case UA_SESSION_TERMINATED:
		break;
	}
	return false;
}

static bool on_event(void *owner, struct session *s, const struct ua_session_event *e)
{
	struct connect_side *side = owner;

	(void)s;
	if (on_either(side, e))
		return true;
	if (side == &side->c->first)
		return on_first(side->c, e);
	on_second(side->c, e);
	return true;
}

static const struct session_observer observer = {
	.event = on_event,
	.changed = on_changed,
	.gone = on_gone,
};

/* ---- beginning ---- */

static struct connect *make(struct endpoint *ep, const struct connect_spec *spec)
{
	struct connect *c = mem_new(struct connect);

	c->ep = ep;
	c->first.c = c->second.c = c;
	c->hold.fire = on_hold;
	c->target = slice_dup(spec->second);
	c->privacy = slice_dup(spec->privacy);
	c->timeout = spec->timeout;
	keep_headers(c, &spec->headers);
	return c;
}

int connect_new(struct endpoint *ep, const struct connect_spec *spec, struct session **ret_session,
	const char **ret_why)
{
	struct session_spec first = {
		.id = spec->id,
		.target = spec->first,
		.type = SLICE("ph2ph"),
		.headers = spec->headers,
		.privacy = spec->privacy,
		.timeout = spec->timeout,
	};
	int r = session_out_check_target(spec->second, ret_why);

	if (r == 0)
		r = session_new(ep, &first, ret_session, ret_why);
	if (r == 0)
		observe(&make(ep, spec)->first, *ret_session);
	return r;
}
