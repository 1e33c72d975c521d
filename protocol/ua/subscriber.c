/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "protocol/ua/subscriber.h"

#include "protocol/base/err.h"
#include "protocol/msg/build.h"
#include "protocol/msg/chars.h"
#include "protocol/ua/gruu.h"
#include "protocol/ua/package.h"
#include "protocol/ua/subscriber-private.h"

enum { RETRY_AFTER_RESTART = 30 }; /* seconds that a daemon that stops may be away */

struct timerq *subscriber_timers(const struct subscriber *s)
{
	return &s->ep->ua->timers;
}

/* ---- the end ---- */

/* From here on nobody finds it but who holds it. */
static void leave(struct subscriber *s)
{
	subscriber_forget_request(s);
	subscriber_notify_stop(s);
	timer_cancel(subscriber_timers(s), &s->expiry);
	usage_leave(&s->usage);
	later_cancel(&s->note);
	if (!list_is_linked(&s->node))
		return;
	list_remove(&s->node);
	s->ep->n_subscribers--;
	s->ep->ua->n_subscribers--;
	if (s->ep->closing) /* It waits for us. */
		endpoint_mark(s->ep, 0);
}

static void destroy(struct subscriber *s)
{
	subscriber_queue_clear(&s->queue);
	msg_unref(s->request);
	msg_unref(s->new_body);
	free(s->event);
	free(s->event_id);
	free(s->why_over);
	free(s->known);
	free(s->end.reason);
	free(s);
}

/* At once, without a word; freed now, or when the listener's callback that runs returns. */
static void drop(struct subscriber *s)
{
	leave(s);
	s->dead = true;
	if (!s->delivering)
		destroy(s);
}

void subscriber_set_end(
	struct subscriber *s, unsigned status, struct slice reason, enum origin origin)
{
	if (s->end.reason)
		return;
	s->end.reason = slice_dup(reason);
	s->end.status = status;
	s->end.origin = origin;
}

void subscriber_over(struct subscriber *s)
{
	if (s->over)
		return;
	s->over = true;
	subscriber_forget_request(s);
	subscriber_notify_stop(s);
	timer_cancel(subscriber_timers(s), &s->expiry);
	usage_leave(&s->usage);
	subscriber_set_state(s, SUBSCRIBER_TERMINATED);
	subscriber_mark(s, 0);
}

/* ---- news ---- */

void subscriber_mark(struct subscriber *s, unsigned changes)
{
	s->changes |= changes;
	later_queue(&s->ep->ua->later, &s->note);
}

void subscriber_set_state(struct subscriber *s, enum subscriber_state state)
{
	if (state == s->state)
		return;
	s->state = state;
	subscriber_mark(s, SUBSCRIBER_CHANGE_STATE);
}

static void tell_incoming(struct subscriber *s)
{
	struct ua *ua = s->ep->ua;

	if (!ua->listener || s->ep->closing) {
		subscriber_pass(s, SUBSCRIBER_NOBODY_THERE);
		return;
	}
	s->told = true;
	ua->listener->subscriber_incoming(ua->listener_ctx, s);
}

static void tell_changes(struct subscriber *s)
{
	struct ua *ua = s->ep->ua;
	unsigned changes = s->changes;

	s->changes = 0;
	if (changes && s->told && ua->listener)
		ua->listener->subscriber_changed(ua->listener_ctx, s, changes);
}

static void tell_new_body(struct subscriber *s)
{
	struct ua *ua = s->ep->ua;
	struct msg *m = mem_take(&s->new_body);

	if (m && s->told && ua->listener)
		ua->listener->subscriber_event(ua->listener_ctx, s, SUBSCRIBER_NEW_BODY, m);
	msg_unref(m);
}

static void tell_question(struct subscriber *s)
{
	struct ua *ua = s->ep->ua;
	bool asks = s->asks;

	s->asks = false;
	if (asks && s->told && ua->listener)
		ua->listener->subscriber_event(ua->listener_ctx, s, SUBSCRIBER_WANTS_STATE, NULL);
}

static void tell_end(struct subscriber *s)
{
	struct ua *ua = s->ep->ua;
	struct subscriber_end end = {
		.reason = slice_str(s->end.reason),
		.status = s->end.status,
		.origin = s->end.origin,
	};

	leave(s);
	s->dead = true;
	if (s->told && ua->listener)
		ua->listener->subscriber_removed(ua->listener_ctx, s, &end);
}

static void tell_withdrawn(struct subscriber *s)
{
	struct ua *ua = s->ep->ua;
	struct subscriber_end end = { .reason = SLICE("served by ourselves"),
		.origin = ORIGIN_LOCAL };
	bool told = s->told && s->withdrawn;

	s->withdrawn = false;
	if (!told)
		return;
	s->told = false;
	if (ua->listener)
		ua->listener->subscriber_removed(ua->listener_ctx, s, &end);
	s->user = NULL;
}

void subscriber_withdraw(struct subscriber *s)
{
	s->withdrawn = true;
	subscriber_mark(s, 0);
}

/* In this order; any of them may free the endpoint, and us with it. */
void subscriber_deliver(struct later_note *n)
{
	struct subscriber *s = container_of(n, struct subscriber, note);

	s->delivering = true;
	if (!s->told && s->state == SUBSCRIBER_INCOMING)
		tell_incoming(s);
	if (!s->dead)
		tell_withdrawn(s);
	if (!s->dead)
		tell_changes(s);
	if (!s->dead)
		tell_new_body(s);
	if (!s->dead)
		tell_question(s);
	if (!s->dead && s->over)
		tell_end(s);
	s->delivering = false;
	if (s->dead)
		destroy(s);
}

/* ---- verbs that end it ---- */

static void refuse(struct subscriber *s, unsigned status, struct slice reason, struct slice lines)
{
	struct buf tag = BUF_NULL;

	if (!s->request->to_tag.n)
		ua_random_hex(s->ep->ua, &tag, sizeof(uint64_t));
	subscriber_answer(s, status, reason, lines, buf_slice(&tag));
	buf_deinit(&tag);
	subscriber_set_end(s, status, reason.n ? reason : build_reason(status), ORIGIN_LOCAL);
	subscriber_over(s);
}

int subscriber_reject(struct subscriber *s, unsigned status, struct slice reason)
{
	UA_SCOPE(s->ep->ua);

	if (status < 300 || status > 699 || !build_header_is_safe(SLICE("Reason"), reason))
		return -EINVAL;
	switch (s->state) {
	case SUBSCRIBER_INCOMING:
		refuse(s, status, reason, SLICE_NULL);
		return 0;
	case SUBSCRIBER_PENDING:
		subscriber_terminate(s, SLICE("rejected"), SLICE("rejected"), ORIGIN_LOCAL);
		return 0;
	case SUBSCRIBER_ACTIVE:
	case SUBSCRIBER_TERMINATED:
		break;
	}
	return -ESTALE;
}

static bool is_token(struct slice s)
{
	return chars_past(s.p, s.p + s.n, CHARS_TOKEN) == s.p + s.n;
}

int subscriber_finish(struct subscriber *s, struct slice reason, uint32_t retry_after)
{
	UA_SCOPE(s->ep->ua);
	struct slice why = reason.n ? reason : SLICE("noresource");

	if (!is_token(why))
		return -EINVAL;
	if (s->state != SUBSCRIBER_PENDING && s->state != SUBSCRIBER_ACTIVE)
		return -ESTALE;
	s->retry_after = retry_after;
	subscriber_terminate(s, why, why, ORIGIN_LOCAL);
	return 0;
}

void subscriber_pass(struct subscriber *s, enum subscriber_audience who)
{
	UA_SCOPE(s->ep->ua);
	struct buf lines = BUF_NULL;

	if (s->state != SUBSCRIBER_INCOMING || (!s->ep->closing && package_take(s)))
		return;
	switch (who) {
	case SUBSCRIBER_NO_PACKAGE:
		subscriber_append_allowed(&lines, s->ep);
		refuse(s, 489, SLICE_NULL, buf_slice(&lines));
		break;
	case SUBSCRIBER_NOBODY_THERE:
		refuse(s, 480, SLICE_NULL, SLICE_NULL);
		break;
	}
	buf_deinit(&lines);
}

/* ---- packages ---- */

void subscriber_allow(struct ua *ua, struct slice packages)
{
	free(ua->packages);
	ua->packages = packages.n ? slice_dup(packages) : NULL;
}

/* RFC 6665 4.4.4: "refer" is one that we notify of as well. */
void subscriber_append_allowed(struct buf *b, const struct endpoint *ep)
{
	struct buf v = BUF_NULL;

	buf_lit(&v, "refer");
	if (ep->ua->packages) {
		buf_lit(&v, ", ");
		buf_str(&v, ep->ua->packages);
	}
	package_append_names(&v, ep);
	build_header(b, HDR_ALLOW_EVENTS, buf_slice(&v));
	buf_deinit(&v);
}

/* ---- looking at it ---- */

const char *subscriber_state_name(enum subscriber_state s)
{
	switch (s) {
	case SUBSCRIBER_INCOMING:
		return "incoming";
	case SUBSCRIBER_PENDING:
		return "pending";
	case SUBSCRIBER_ACTIVE:
		return "active";
	case SUBSCRIBER_TERMINATED:
		return "terminated";
	}
	return "";
}

enum subscriber_state subscriber_state(const struct subscriber *s)
{
	return s->state;
}

struct endpoint *subscriber_endpoint(const struct subscriber *s)
{
	return s->ep;
}

const char *subscriber_id(const struct subscriber *s)
{
	return s->id;
}

const struct msg *subscriber_request(const struct subscriber *s)
{
	return s->request;
}

struct slice subscriber_event(const struct subscriber *s)
{
	return slice_str(s->event);
}

usec_t subscriber_expires(const struct subscriber *s)
{
	return s->state == SUBSCRIBER_TERMINATED ? 0 : s->expires;
}

bool subscriber_is_vouched_for(const struct subscriber *s)
{
	return s->vouched_for;
}

void subscriber_set_user(struct subscriber *s, void *user)
{
	s->user = user;
}

void *subscriber_user(const struct subscriber *s)
{
	return s->user;
}

/* ---- for endpoints ---- */

/*
 * RFC 6665 4.1.3: who subscribed to a daemon that stops may try again, in a while; an endpoint that
 * was closed is no more.
 */
static void say_goodbye(struct subscriber *s)
{
	bool stopping = s->ep->ua->stopping;

	if (s->state == SUBSCRIBER_INCOMING) {
		subscriber_pass(s, SUBSCRIBER_NOBODY_THERE);
		return;
	}
	if (stopping && !s->why_over)
		s->retry_after = RETRY_AFTER_RESTART;
	subscriber_terminate(s, stopping ? SLICE("probation") : SLICE("noresource"),
		SLICE("endpoint closed"), ORIGIN_LOCAL);
}

void subscriber_endpoint_over(struct endpoint *ep, enum subscriber_farewell how)
{
	if (how != SUBSCRIBER_ENDED)
		turn_forget(&ep->notifies);
	list_for_each_safe (node, next, &ep->subscribers) {
		struct subscriber *s = list_entry(node, struct subscriber, node);

		switch (how) {
		case SUBSCRIBER_ENDED:
			say_goodbye(s);
			break;
		case SUBSCRIBER_TOLD:
			subscriber_set_end(s, 0, SLICE("endpoint closed"), ORIGIN_LOCAL);
			subscriber_over(s);
			break;
		case SUBSCRIBER_SILENT:
			drop(s);
			break;
		}
	}
}

/* A GRUU leads to wherever we are registered (RFC 5627 4.4). */
static bool is_lost(const struct subscriber *s)
{
	const struct dialog *d = s->usage.dialog;

	return d && !d->in.flow && !d->out.flow && !gruu_get(s->ep, GRUU_PUBLIC);
}

void subscriber_endpoint_moved(struct endpoint *ep)
{
	list_for_each_safe (node, next, &ep->subscribers) {
		struct subscriber *s = list_entry(node, struct subscriber, node);

		if (is_lost(s) && !s->why_over && s->state != SUBSCRIBER_INCOMING)
			subscriber_tell_whole(s);
	}
}
