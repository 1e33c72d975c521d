/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "protocol/base/err.h"
#include "protocol/msg/build.h"
#include "protocol/msg/event.h"
#include "protocol/ua/contact.h"
#include "protocol/ua/limits.h"
#include "protocol/ua/session-identity.h"
#include "protocol/ua/subscriber-private.h"
#include "protocol/ua/uas.h"

enum {
	TAG_BYTES = 8,
	RETRY_AFTER_BUSY = 5,     /* seconds */
	EXPIRES_SHORT = 60 * 60,  /* only what is shorter may be refused (4.2.1.1) */
	EXPIRES_DEFAULT = 60 * 60 /* most packages', if the SUBSCRIBE does not say */
};

/* ---- what it says ---- */

/* 0: fetch, or the end. What is no number counts as absent. */
static uint32_t expires_of(const struct msg *m)
{
	uint32_t seconds;

	if (msg_number(m, HDR_EXPIRES, UINT32_MAX, &seconds))
		return seconds < LIMITS_SUBSCRIBER_MAX_SECONDS ? seconds
							       : LIMITS_SUBSCRIBER_MAX_SECONDS;
	return EXPIRES_DEFAULT;
}

/* 4.2.1.1: greater than zero, and smaller than an hour, and smaller than our minimum. */
static bool is_too_brief(uint32_t seconds)
{
	_Static_assert(
		(int)LIMITS_SUBSCRIBER_MIN_SECONDS <= (int)EXPIRES_SHORT, "of these the less");
	return seconds > 0 && seconds < LIMITS_SUBSCRIBER_MIN_SECONDS;
}

static bool event_fits(const struct subscriber *s, const struct event *e)
{
	struct event own = { .type = slice_str(s->event), .id = slice_str(s->event_id) };

	return event_equal(&own, e);
}

/* ---- answers ---- */

static void answer_too_brief(struct endpoint *ep, struct flow *reply_flow, struct msg *m)
{
	struct buf lines = BUF_NULL;

	build_header_u64(&lines, HDR_MIN_EXPIRES, LIMITS_SUBSCRIBER_MIN_SECONDS);
	uas_answer(ep->ua, reply_flow, m,
		&(struct uas_reply){ .status = 423, .headers = buf_slice(&lines) });
	buf_deinit(&lines);
}

static void append_contact(
	struct buf *b, const struct subscriber *s, const struct msg *m, const struct flow *f)
{
	const struct dialog *d = s->usage.dialog;
	struct contact c = {
		.ep = s->ep,
		.flow = f,
		.scheme = m->uri.scheme == URI_SIPS ? URI_SIPS : URI_SIP,
		.privacy = d && d->anonymous ? CONTACT_ANONYMOUS : CONTACT_OPEN,
	};

	contact_append(b, &c);
}

void subscriber_forget_request(struct subscriber *s)
{
	txn_forget(mem_take(&s->txn));
	flow_unref(mem_take(&s->flow));
	timer_cancel(subscriber_timers(s), &s->undecided);
}

void subscriber_answer(struct subscriber *s, unsigned status, struct slice reason,
	struct slice lines, struct slice to_tag)
{
	struct uas_reply r = {
		.status = status, .reason = reason, .headers = lines, .to_tag = to_tag
	};
	struct buf b = BUF_NULL;

	if (!s->txn)
		return;
	uas_build_reply(&b, s->ep->ua, s->request, &r);
	(void)txn_reply(s->txn, status, buf_slice(&b));
	buf_deinit(&b);
	subscriber_forget_request(s);
}

/* ---- for how long ---- */

static void on_expiry(struct timer *t)
{
	struct subscriber *s = container_of(t, struct subscriber, expiry);

	subscriber_terminate(s, SLICE("timeout"), SLICE("timeout"), ORIGIN_TIMEOUT);
}

static void set_expires(struct subscriber *s, uint32_t seconds)
{
	s->expires = subscriber_timers(s)->now + seconds * USEC_PER_SEC;
	timer_arm_at(subscriber_timers(s), &s->expiry, s->expires);
	subscriber_mark(s, SUBSCRIBER_CHANGE_EXPIRES);
}

/* How it wants to be told, until the next SUBSCRIBE. */
static void note_wishes(struct subscriber *s, const struct msg *m, uint32_t seconds)
{
	struct slice known = msg_header_named(m, SLICE("Suppress-If-Match"));

	subscriber_rate_read(
		&s->rate, msg_header(m, HDR_EVENT), seconds, subscriber_timers(s)->now);
	free(s->known);
	s->known = known.n ? slice_dup(known) : NULL;
}

/* ---- in its dialog ---- */

/* RFC 5839 6.3: 204 if no NOTIFY follows. */
static void answer_refresh(
	struct subscriber *s, struct flow *reply_flow, struct msg *m, uint32_t seconds)
{
	struct buf lines = BUF_NULL;

	build_header_u64(&lines, HDR_EXPIRES, seconds);
	append_contact(&lines, s, m, reply_flow);
	uas_answer(s->ep->ua, reply_flow, m,
		&(struct uas_reply){ .status = subscriber_is_known(s) ? 204 : 200,
			.headers = buf_slice(&lines) });
	buf_deinit(&lines);
}

static void note_body(struct subscriber *s, struct msg *m)
{
	if (!m->body.n)
		return;
	msg_unref(s->new_body);
	s->new_body = msg_ref(m);
	subscriber_mark(s, 0);
}

/* 4.2.1.4; RFC 5839 5.7 */
static void unsubscribe(struct subscriber *s)
{
	if (subscriber_is_known(s)) {
		subscriber_set_end(s, 0, SLICE("unsubscribed"), ORIGIN_REMOTE);
		subscriber_over(s);
	} else {
		subscriber_terminate(s, SLICE("timeout"), SLICE("unsubscribed"), ORIGIN_REMOTE);
	}
}

/* 4.2.1.4 */
static void refresh(struct subscriber *s, struct flow *reply_flow, struct msg *m)
{
	uint32_t seconds = expires_of(m);

	if (is_too_brief(seconds)) {
		answer_too_brief(s->ep, reply_flow, m);
		return;
	}
	if (seconds > s->max_seconds)
		seconds = s->max_seconds;
	dialog_refresh_target(s->usage.dialog, m);
	note_wishes(s, m, seconds);
	answer_refresh(s, reply_flow, m, seconds);
	if (seconds == 0) {
		unsubscribe(s);
		return;
	}
	note_body(s, m);
	set_expires(s, seconds);
	if (!subscriber_is_known(s))
		subscriber_tell_whole(s);
	else
		subscriber_go_on(s);
}

static void answer_status(
	struct subscriber *s, struct flow *reply_flow, struct msg *m, unsigned status)
{
	struct buf lines = BUF_NULL;

	if (status == 500)
		build_header_u64(&lines, HDR_RETRY_AFTER, RETRY_AFTER_BUSY);
	uas_answer(s->ep->ua, reply_flow, m,
		&(struct uas_reply){ .status = status, .headers = buf_slice(&lines) });
	buf_deinit(&lines);
}

static bool on_request(struct usage *u, struct flow *reply_flow, struct msg *m)
{
	struct subscriber *s = container_of(u, struct subscriber, usage);
	struct event e;

	if (m->method != METHOD_SUBSCRIBE || event_parse(msg_header(m, HDR_EVENT), &e) < 0 ||
		!event_fits(s, &e))
		return false;
	switch (s->state) {
	case SUBSCRIBER_INCOMING: /* the one before is not answered */
		answer_status(s, reply_flow, m, 500);
		break;
	case SUBSCRIBER_PENDING:
	case SUBSCRIBER_ACTIVE:
		refresh(s, reply_flow, m);
		break;
	case SUBSCRIBER_TERMINATED: /* it crossed our last NOTIFY */
		answer_status(s, reply_flow, m, 481);
		break;
	}
	return true;
}

static void on_dialog_over(struct usage *u, unsigned status, struct slice reason)
{
	struct subscriber *s = container_of(u, struct subscriber, usage);

	/* One that nobody decided about is in no dialog any more (RFC 3261 12.2.2). */
	subscriber_answer(s, 481, SLICE_NULL, SLICE_NULL, SLICE_NULL);
	subscriber_set_end(s, status, reason, ORIGIN_REMOTE);
	subscriber_over(s);
}

const struct usage_class subscriber_usage = {
	.name = "subscriber",
	.request = on_request,
	.dialog_over = on_dialog_over,
};

/* ---- accepted ---- */

static int join(struct subscriber *s, struct slice to_tag)
{
	struct dialog *d;
	int error;

	if (s->usage.dialog) {
		dialog_refresh_target(s->usage.dialog, s->request);
		return 0;
	}
	error = dialog_new_server(&s->ep->ua->dialogs, s->request, to_tag, &d);
	if (error < 0)
		return error;
	dialog_confirm(d, NULL);
	flow_hold_set(&d->in, s->flow);
	usage_join(&s->usage, &subscriber_usage, d);
	return 0;
}

static uint32_t granted(const struct subscriber *s)
{
	uint32_t seconds = expires_of(s->request);

	return seconds < s->max_seconds ? seconds : s->max_seconds;
}

static int answer_accepted(struct subscriber *s, uint32_t seconds)
{
	struct buf lines = BUF_NULL, tag = BUF_NULL;
	int error;

	if (!s->request->to_tag.n)
		ua_random_hex(s->ep->ua, &tag, TAG_BYTES);
	error = join(s, buf_slice(&tag));
	if (error == 0) {
		if (!s->request->to_tag.n)
			dialog_append_record_routes(&lines, s->request);
		append_contact(&lines, s, s->request, s->flow);
		build_header_u64(&lines, HDR_EXPIRES, seconds);
	}
	subscriber_answer(s, error < 0 ? 400 : 200, SLICE_NULL, buf_slice(&lines), buf_slice(&tag));
	buf_deinit(&lines);
	buf_deinit(&tag);
	return error;
}

static int accept_incoming(struct subscriber *s, uint32_t max_expires)
{
	uint32_t seconds;
	int error;

	if (max_expires && max_expires < s->max_seconds)
		s->max_seconds = max_expires;
	seconds = granted(s);
	note_wishes(s, s->request, seconds);
	error = answer_accepted(s, seconds);
	if (error < 0) {
		subscriber_set_end(s, 400, SLICE("Bad Contact or Record-Route"), ORIGIN_LOCAL);
		subscriber_over(s);
		return error;
	}
	if (seconds)
		set_expires(s, seconds);
	else /* 4.4.3: the one NOTIFY is the last */
		subscriber_terminate(s, SLICE("timeout"), SLICE("timeout"), ORIGIN_REMOTE);
	return 0;
}

static enum subscriber_state state_after(enum subscriber_decision d)
{
	switch (d) {
	case SUBSCRIBER_ACCEPT:
		return SUBSCRIBER_ACTIVE;
	case SUBSCRIBER_LEAVE_PENDING:
		break;
	}
	return SUBSCRIBER_PENDING;
}

int subscriber_accept(struct subscriber *s, enum subscriber_decision d, uint32_t max_expires,
	const struct subscriber_body *state)
{
	UA_SCOPE(s->ep->ua);
	bool first = s->state == SUBSCRIBER_INCOMING;
	struct subscriber_told *whole = NULL;
	int error = 0;

	if (!first && s->state != SUBSCRIBER_PENDING)
		return -ESTALE;
	if (state)
		error = subscriber_told_new(s->ep->ua, state, &whole);
	if (error < 0)
		return error;
	if (state) {
		subscriber_queue_put(&s->queue, whole);
		s->queue.stale = state->partial;
	}
	subscriber_set_state(s, state_after(d));
	if (first)
		error = accept_incoming(s, max_expires);
	if (error == 0)
		subscriber_tell_whole(s);
	return error;
}

/* ---- it came ---- */

static void on_failed(void *owner, struct txn *t, enum txn_failure why)
{
	struct subscriber *s = owner;

	(void)t;
	s->txn = NULL;
	subscriber_set_end(s, 0,
		why == TXN_TIMEOUT ? SLICE("nobody decided") : SLICE("no way back"),
		why == TXN_TIMEOUT ? ORIGIN_TIMEOUT : ORIGIN_NETWORK);
	txn_forget(t);
	subscriber_over(s);
}

static void on_ended(void *owner, struct txn *t)
{
	struct subscriber *s = owner;

	(void)t;
	s->txn = NULL;
	subscriber_set_end(s, 0, SLICE("no way back"), ORIGIN_NETWORK);
	subscriber_over(s);
}

static const struct txn_server_ops server_ops = { .failed = on_failed, .ended = on_ended };

/* Well before the subscriber's Timer F, and 408 is forbidden (RFC 4320 4.2). */
static void on_undecided(struct timer *t)
{
	subscriber_pass(container_of(t, struct subscriber, undecided), SUBSCRIBER_NOBODY_THERE);
}

static void make_id(struct subscriber *s)
{
	struct buf id = BUF_NULL;

	ua_random_hex(s->ep->ua, &id, (sizeof(s->id) - 1) / 2);
	memcpy(s->id, id.p, sizeof(s->id) - 1);
	buf_deinit(&id);
}

static struct subscriber *make(
	struct endpoint *ep, struct flow *reply_flow, struct msg *m, const struct event *e)
{
	struct subscriber *s = mem_new(struct subscriber);
	struct dialog *d = dialog_find_of_request(&ep->ua->dialogs, m);

	s->ep = ep;
	s->txn = txn_server_new(&ep->ua->txns, reply_flow, m, &server_ops, s);
	if (!s->txn) {
		free(s);
		return NULL;
	}
	make_id(s);
	s->event = slice_dup(e->type);
	s->event_id = e->id.p ? slice_dup(e->id) : NULL;
	s->request = msg_ref(m);
	s->flow = flow_ref(reply_flow);
	s->vouched_for = session_identity_is_from_server(ep, reply_flow);
	s->max_seconds = LIMITS_SUBSCRIBER_MAX_SECONDS;
	s->undecided.fire = on_undecided;
	s->expiry.fire = on_expiry;
	subscriber_notify_init(s);
	s->note.deliver = subscriber_deliver;
	if (d)
		usage_join(&s->usage, &subscriber_usage, d);
	list_append(&ep->subscribers, &s->node);
	ep->n_subscribers++;
	ep->ua->n_subscribers++;
	timer_arm(subscriber_timers(s), &s->undecided,
		LIMITS_SUBSCRIBER_UNDECIDED_SECONDS * USEC_PER_SEC);
	later_queue(&ep->ua->later, &s->note);
	return s;
}

/* 0, or what is wrong with it for good. */
static unsigned check(const struct msg *m, struct event *ret_event)
{
	struct slice event = msg_header(m, HDR_EVENT);

	if (!event.p) /* 4.2.3: no PINT here */
		return 489;
	if (event_parse(event, ret_event) < 0 || !m->contact.uri.text.p)
		return 400;
	if (slice_eq(ret_event->type, SLICE("refer"))) /* RFC 3515 2.4.4: only REFER makes those */
		return 403;
	if (m->to_tag.n && expires_of(m) == 0) /* the end of what is over already */
		return 481;
	return 0;
}

static void refuse(struct endpoint *ep, struct flow *reply_flow, struct msg *m, unsigned status)
{
	struct uas_reply r = { .status = status };
	struct buf lines = BUF_NULL;

	if (status == 489)
		subscriber_append_allowed(&lines, ep);
	else if (status == 403)
		r.reason = SLICE("Only REFER Makes Those");
	r.headers = buf_slice(&lines);
	uas_answer(ep->ua, reply_flow, m, &r);
	buf_deinit(&lines);
}

unsigned subscriber_receive(struct endpoint *ep, struct flow *reply_flow, struct msg *m)
{
	struct event e;
	unsigned status = check(m, &e);

	if (status) {
		refuse(ep, reply_flow, m, status);
		return 0;
	}
	if (is_too_brief(expires_of(m))) {
		answer_too_brief(ep, reply_flow, m);
		return 0;
	}
	if (ep->n_subscribers >= LIMITS_SUBSCRIBERS_PER_ENDPOINT ||
		ep->ua->n_subscribers >= ep->ua->max_subscribers)
		return 503;
	return make(ep, reply_flow, m, &e) ? 0 : 503;
}
