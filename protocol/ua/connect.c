/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "protocol/base/err.h"
#include "protocol/msg/build.h"
#include "protocol/msg/reason.h"
#include "protocol/ua/connect-private.h"
#include "protocol/ua/limits.h"
#include "protocol/ua/session-observer.h"
#include "protocol/ua/session-out.h"
#include "protocol/ua/session-refer.h"

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

void connect_release(struct connect *c)
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

void connect_end(struct connect *c, const struct outcome *o)
{
	if (c->phase == CONNECT_OVER)
		return;
	c->phase = CONNECT_OVER;
	timer_cancel(&connect_ua(c)->timers, &c->hold);
	end_side(&c->first, o);
	end_side(&c->second, o);
}

void connect_end_here(struct connect *c, unsigned status, struct slice reason)
{
	struct outcome o = { .status = status, .reason = reason, .origin = ORIGIN_LOCAL };

	connect_end(c, &o);
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
		connect_end(side->c, &o);
}

/* Without a word before, if the endpoint is freed: it does not outlive its sessions for us. */
static void on_gone(void *owner, struct session *s)
{
	struct connect_side *side = owner;

	timer_cancel(&s->ua->timers, &side->c->hold);
	side->c->phase = CONNECT_OVER;
	side->s = NULL;
	connect_release(side->c);
}

/* ---- until both have answered ---- */

static int hold(struct connect *c, const struct session_body *body)
{
	struct session_body held = { .type = body->type };
	struct buf b = BUF_NULL;
	int r = -EBADMSG;

	if (!c->origin.version) {
		ua_random(connect_ua(c), &c->origin.id, sizeof(c->origin.id));
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
		connect_end_here(c, 408, SLICE("the second party did not answer in time"));
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
		connect_end_here(c, r == -ENOSPC ? 503 : 500, slice_str(why));
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
		timer_arm(&connect_ua(c)->timers, &c->hold, LIMITS_HOLD_SECONDS * USEC_PER_SEC);
		call_second(c);
	} else if (hold(c, &body) < 0) {
		connect_end_here(c, 488, SLICE("an early offer that cannot be held"));
	}
}

static void second_answered(struct connect *c)
{
	struct session_body body = leg_body_get(&c->second.s->leg->remote);

	if (c->origin.version)
		connect_match(&c->first);
	else
		connect_join(&c->first, &body);
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
			connect_relay_offer(&c->first, e);
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
		connect_relay_offer(&c->second, e);
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
		connect_relay_answer(side, e);
		return true;
	case UA_SESSION_MESSAGE:
	case UA_SESSION_INFO:
		connect_relay_message(side, e);
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
