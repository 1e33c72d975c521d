/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "protocol/base/err.h"
#include "protocol/msg/build.h"
#include "protocol/ua/limits.h"
#include "protocol/ua/package.h"
#include "protocol/ua/request.h"
#include "protocol/ua/subscriber-private.h"

/*
 * NOTIFY (RFC 6665 4.2.2). One is on its way at a time: what changes meanwhile is told after its
 * answer, and of whole states only the last. The subscribers of an endpoint take turns: what a
 * NOTIFY says is chosen when it goes.
 */

enum {
	RETRY_DOUBLES = 5,
};

/* Seconds until a NOTIFY that could not go is tried again; doubled with each that is refused. */
static const uint32_t retry_first = 5;

static void tell(struct subscriber *s);

static usec_t now_of(const struct subscriber *s)
{
	return subscriber_timers(s)->now;
}

/* ---- what it says ---- */

static void append_event(struct buf *b, const struct subscriber *s)
{
	struct buf v = BUF_NULL;

	buf_str(&v, s->event);
	if (s->event_id) {
		buf_lit(&v, ";id=");
		buf_str(&v, s->event_id);
	}
	build_header(b, HDR_EVENT, buf_slice(&v));
	buf_deinit(&v);
}

static uint32_t seconds_left(const struct subscriber *s)
{
	usec_t now = now_of(s);

	return s->expires > now ? (uint32_t)((s->expires - now + USEC_PER_SEC - 1) / USEC_PER_SEC)
				: 0;
}

static void append_state(struct buf *b, const struct subscriber *s)
{
	struct buf v = BUF_NULL;

	if (s->why_over) {
		buf_printf(&v, "terminated;reason=%s", s->why_over);
		if (s->retry_after)
			buf_printf(&v, ";retry-after=%u", s->retry_after);
	} else {
		buf_printf(&v, "%s;expires=%u", subscriber_state_name(s->state), seconds_left(s));
		subscriber_rate_append(&v, &s->rate);
	}
	build_header(b, HDR_SUBSCRIPTION_STATE, buf_slice(&v));
	buf_deinit(&v);
}

static bool shows_state(const struct subscriber *s)
{
	return s->state != SUBSCRIBER_PENDING && !s->hidden;
}

bool subscriber_is_known(const struct subscriber *s)
{
	if (!s->known)
		return false;
	return strcmp(s->known, "*") == 0 ||
	       (shows_state(s) && s->queue.tag[0] && strcmp(s->known, s->queue.tag) == 0);
}

/* ---- answers ---- */

/* RFC 6446 9.3: all that it wants from now on, if it says anything. */
static void note_rate(struct subscriber *s, const struct msg *ok)
{
	struct slice value = msg_header(ok, HDR_EVENT);
	struct event e;

	if (event_parse(value, &e) == 0 && slice_eq(e.type, slice_str(s->event)))
		subscriber_rate_read(&s->rate, value, seconds_left(s), now_of(s));
}

/* Those that a server gives for a while. */
static bool may_pass(unsigned status)
{
	return status == 500 || status == 503 || status == 504;
}

/* It stays untold until then, or until it changes, whichever is later. */
static void try_later(struct subscriber *s, const struct outcome *o)
{
	uint32_t seconds = retry_first << s->n_refused;

	if (s->n_refused < RETRY_DOUBLES)
		s->n_refused++;
	if (o->response)
		(void)msg_retry_after(o->response, &seconds);
	if (seconds > LIMITS_RETRY_AFTER)
		seconds = LIMITS_RETRY_AFTER;
	s->retry_at = now_of(s) + seconds * USEC_PER_SEC;
	s->due = true;
}

static void end_refused(struct subscriber *s, const struct outcome *o)
{
	struct buf why = BUF_NULL;

	if (o->status)
		buf_printf(&why, "%u ", o->status);
	buf_put(&why, o->reason);
	subscriber_set_end(s, o->status, buf_slice(&why), o->origin);
	buf_deinit(&why);
	subscriber_over(s);
}

static void on_refused(struct subscriber *s, const struct outcome *o)
{
	/* Nothing heard, for whatever reason, is a timeout (RFC 6665 4.2.2, RFC 5057 5.2). */
	unsigned status = o->status ? o->status : 408;

	switch (usage_damage_of(METHOD_NOTIFY, status)) {
	case USAGE_DIALOG_OVER:
		usage_dialog_over(&s->usage, status, o->reason);
		end_refused(s, o);
		return;
	case USAGE_ENDED:
		end_refused(s, o);
		return;
	case USAGE_UNHARMED:
		break;
	}
	if (s->tells_change)
		s->queue.stale = true; /* and nobody knows what the subscriber knows */
	if (may_pass(status))
		try_later(s, o);
	else if (s->tells_change)
		s->due = true;
}

static void on_notified(void *owner, struct request *request, const struct outcome *o)
{
	struct subscriber *s = owner;

	(void)request;
	s->notify = NULL;
	turn_end(&s->ep->notifies, &s->turn);
	if (o->error == 0) {
		s->n_refused = 0;
		note_rate(s, o->response);
	} else {
		on_refused(s, o);
	}
	if (s->last_sent)
		subscriber_over(s);
	else if (s->due && !s->over)
		tell(s);
	else
		subscriber_go_on(s);
}

static const struct request_ops notify_ops = { .done = on_notified };

/* ---- sending ---- */

/* What goes now: the whole, a change, or NULL. A change is the caller's. */
static struct subscriber_told *choose(struct subscriber *s, struct subscriber_told **ret_change)
{
	struct subscriber_news_queue *q = &s->queue;

	*ret_change = NULL;
	if (!shows_state(s))
		return NULL;
	if (s->due || s->why_over)
		return q->stale ? NULL : q->whole;
	*ret_change = subscriber_queue_take(q);
	return *ret_change;
}

static int send(struct subscriber *s, const struct subscriber_told *t)
{
	struct request_spec spec = {
		.method = SLICE("NOTIFY"),
		.dialog = s->usage.dialog,
		.contact = REQUEST_CONTACT,
		.redirects = REQUEST_HAND_BACK,
	};
	struct buf lines = BUF_NULL, document = BUF_NULL;
	int error;

	append_event(&lines, s);
	append_state(&lines, s);
	if (t)
		build_header(&lines, HDR_SIP_ETAG, slice_str(t->tag));
	if (t && !subscriber_is_known(s)) {
		buf_str(&lines, t->lines);
		spec.content_type = slice_str(t->type);
		spec.body = slice_of(t->bytes, t->n);
		if (s->package) {
			package_append(&document, s->package, s->version++, spec.body);
			spec.body = buf_slice(&document);
		}
	}
	spec.lines = buf_slice(&lines);
	error = request_new(s->ep, &spec, &notify_ops, s, &s->notify);
	buf_deinit(&lines);
	buf_deinit(&document);
	return error;
}

static bool send_next(struct subscriber *s)
{
	struct subscriber_told *change;
	const struct subscriber_told *t = choose(s, &change);
	int error = send(s, t);

	subscriber_rate_sent(&s->rate, now_of(s));
	s->tells_change = change != NULL;
	subscriber_told_free(change);
	s->due = s->urgent = false;
	s->asked_until = 0;
	s->last_sent = s->why_over != NULL;
	if (error < 0) {
		subscriber_set_end(s, 0, SLICE("no NOTIFY could be sent"), ORIGIN_LOCAL);
		subscriber_over(s);
	}
	return error == 0;
}

/* When the next may go, at the earliest. */
static usec_t earliest(const struct subscriber *s)
{
	usec_t at = s->urgent ? 0 : subscriber_rate_earliest(&s->rate);

	if (s->why_over)
		return 0;
	if (s->retry_at > at)
		at = s->retry_at;
	return s->asked_until > at ? s->asked_until : at;
}

static bool is_due(const struct subscriber *s)
{
	return s->due || s->why_over || !list_is_empty(&s->queue.changes);
}

/* When the same is told again (RFC 6446 6.2), unless it is known (RFC 5839 6.3). */
static usec_t repeat_at(const struct subscriber *s)
{
	return subscriber_is_known(s) ? USEC_NEVER : subscriber_rate_latest(&s->rate);
}

void subscriber_go_on(struct subscriber *s)
{
	usec_t at;

	if (!s->usage.dialog || s->notify || s->last_sent)
		return;
	at = is_due(s) ? earliest(s) : repeat_at(s);
	if (at == USEC_NEVER)
		timer_cancel(subscriber_timers(s), &s->next);
	else if (at > now_of(s) || !is_due(s))
		timer_arm_at(subscriber_timers(s), &s->next, at);
	else
		turn_ask(&s->ep->notifies, &s->turn);
}

static bool on_turn(struct turn *t)
{
	struct subscriber *s = container_of(t, struct subscriber, turn);

	if (!is_due(s) || earliest(s) > now_of(s)) {
		subscriber_go_on(s); /* Not any more, or not yet: no turn is asked for. */
		return false;
	}
	if (s->ep->n_requests < LIMITS_REQUESTS_PER_ENDPOINT)
		return send_next(s);
	timer_arm(subscriber_timers(s), &s->next, retry_first * USEC_PER_SEC);
	return false;
}

/* ---- what is to be told ---- */

/* Whoever serves the package is asked for the whole, but not waited for for ever (4.2.1.2). */
static void ask(struct subscriber *s)
{
	if (s->asked_until)
		return;
	subscriber_queue_drop(&s->queue);
	s->asked_until = now_of(s) + LIMITS_SUBSCRIBER_STATE_SECONDS * USEC_PER_SEC;
	s->asks = true;
	subscriber_mark(s, 0);
}

static void tell(struct subscriber *s)
{
	s->due = true;
	if (s->queue.stale && shows_state(s) && !s->why_over)
		ask(s);
	subscriber_go_on(s);
}

static void on_next(struct timer *t)
{
	struct subscriber *s = container_of(t, struct subscriber, next);

	if (is_due(s))
		subscriber_go_on(s);
	else
		tell(s);
}

void subscriber_tell_whole(struct subscriber *s)
{
	s->urgent = true;
	tell(s);
}

static void take_whole(struct subscriber *s, struct subscriber_told *whole)
{
	subscriber_queue_put(&s->queue, whole);
	s->asked_until = 0;
	if (subscriber_is_known(s) && !s->urgent)
		s->due = false; /* RFC 5839 6.3: for as long as it is */
	else
		tell(s);
}

/*
 * While the whole is waited for, that has it. Of what throttling holds back only one change waits:
 * nobody here can merge them (RFC 6446 5.5.1).
 */
static void take_change(struct subscriber *s, struct subscriber_told *change)
{
	bool quenched = s->known && strcmp(s->known, "*") == 0;
	bool held = s->queue.n_changes && subscriber_rate_earliest(&s->rate) > now_of(s);

	if (s->asked_until || quenched || held) {
		subscriber_queue_skip(&s->queue, change);
		if (held)
			tell(s);
	} else if (subscriber_queue_add(&s->queue, change)) {
		subscriber_go_on(s);
	} else {
		tell(s);
	}
}

int subscriber_notify(struct subscriber *s, const struct subscriber_body *state)
{
	UA_SCOPE(s->ep->ua);
	struct subscriber_told *t;
	int error;

	if (s->state != SUBSCRIBER_PENDING && s->state != SUBSCRIBER_ACTIVE)
		return -ESTALE;
	error = subscriber_told_new(s->ep->ua, state, &t);
	if (error < 0)
		return error;
	if (s->state == SUBSCRIBER_PENDING) {
		/* Kept for the day when it becomes active. */
		subscriber_queue_put(&s->queue, t);
		s->queue.stale = state->partial;
	} else if (state->partial) {
		take_change(s, t);
	} else {
		take_whole(s, t);
	}
	return 0;
}

void subscriber_terminate(
	struct subscriber *s, struct slice on_wire, struct slice why, enum origin origin)
{
	if (s->why_over || s->over)
		return;
	s->hidden = s->state == SUBSCRIBER_PENDING;
	s->why_over = slice_dup(on_wire);
	subscriber_set_end(s, 0, why, origin);
	timer_cancel(subscriber_timers(s), &s->expiry);
	subscriber_set_state(s, SUBSCRIBER_TERMINATED);
	subscriber_go_on(s);
}

/* ---- life ---- */

void subscriber_notify_init(struct subscriber *s)
{
	s->next.fire = on_next;
	s->turn.go = on_turn;
}

void subscriber_notify_stop(struct subscriber *s)
{
	request_free(mem_take(&s->notify));
	turn_end(&s->ep->notifies, &s->turn);
	timer_cancel(subscriber_timers(s), &s->next);
}
