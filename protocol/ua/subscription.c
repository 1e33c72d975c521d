/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "protocol/base/err.h"
#include "protocol/msg/build.h"
#include "protocol/msg/event.h"
#include "protocol/ua/limits.h"
#include "protocol/ua/messages.h"
#include "protocol/ua/microsoft-subscribe.h"
#include "protocol/ua/request-way.h"
#include "protocol/ua/subscription-fork.h"

/* ---- news for the owner ---- */

struct subscription_news {
	struct list node;
	struct msg *m; /* a NOTIFY; NULL: something changed */
};

static void free_news(struct subscription_news *news)
{
	list_remove(&news->node);
	msg_unref(news->m);
	free(news);
}

static void queue(struct subscription *s, const struct msg *m)
{
	struct subscription_news *news = mem_new(struct subscription_news);

	news->m = m ? msg_ref(m) : NULL;
	list_append(&s->news, &news->node);
	later_queue(&s->ep->ua->later, &s->note);
}

/* What our own mailbox holds is the endpoint's to know, too. */
static void note_messages(const struct subscription *s, const struct msg *m)
{
	struct uri target, own;
	struct event e;

	if (event_parse(slice_str(s->event), &e) < 0 ||
		!slice_eq_ci(e.type, SLICE("message-summary")) ||
		uri_parse(slice_str(s->target), &target) < 0 ||
		uri_parse(slice_str(s->ep->uri), &own) < 0 || !uri_equal(&target, &own))
		return;
	(void)messages_take(s->ep, m);
}

void subscription_tell(struct subscription *s, const struct msg *m)
{
	note_messages(s, m);
	queue(s, m);
}

void subscription_changed(struct subscription *s)
{
	struct list *last = s->news.prev;

	if (s->state == SUBSCRIPTION_TERMINATED)
		return;
	if (list_is_empty(&s->news) || list_entry(last, struct subscription_news, node)->m)
		queue(s, NULL);
}

/* Nothing leads to it any more but its owner. */
static void stop(struct subscription *s)
{
	request_free(mem_take(&s->request));
	turn_end(&s->ep->subscribes, &s->turn);
	list_for_each_safe (node, next, &s->forks)
		subscription_fork_free(list_entry(node, struct subscription_fork, node));
	timer_cancel(&s->ep->ua->timers, &s->timer);
	subscription_forget_call(s);
	s->next_attempt = 0;
}

static void destroy(struct subscription *s)
{
	struct list *node;

	if (list_is_linked(&s->node)) {
		stop(s);
		list_remove(&s->node);
		if (--s->ep->n_subscriptions == 0 && s->ep->closing)
			later_queue(&s->ep->ua->later, &s->ep->note);
	}
	s->dead = true;
	if (s->delivering)
		return;
	later_cancel(&s->note);
	while ((node = list_first(&s->news)))
		free_news(list_entry(node, struct subscription_news, node));
	msg_unref(s->last);
	buf_deinit(&s->lines);
	subscription_targets_deinit(&s->targets);
	free(s->target);
	free(s->event);
	free(s->accept);
	free(s->content_type);
	free(s->body);
	free(s->call_key);
	free(s->etag);
	free(s->reason);
	free(s);
}

static void tell_end(struct subscription *s)
{
	struct subscription_end end = {
		.reason = slice_str(s->reason),
		.status = s->status,
		.origin = s->origin,
		.retry_after = s->retry_after,
	};

	s->dead = true;
	s->ops->terminated(s->owner, s, &end);
}

static void tell_news(struct subscription *s, struct subscription_news *news)
{
	if (news->m) {
		msg_unref(s->last);
		s->last = msg_ref(news->m);
		s->ops->notified(s->owner, s, news->m);
	} else {
		s->ops->changed(s->owner, s);
	}
	free_news(news);
}

static void deliver(struct later_note *n)
{
	struct subscription *s = container_of(n, struct subscription, note);
	struct list *node;

	s->delivering = true;
	while (!s->dead && (node = list_first(&s->news))) {
		/* Off the list: the owner may free everything. */
		list_remove(node);
		tell_news(s, list_entry(node, struct subscription_news, node));
	}
	if (!s->dead && s->state == SUBSCRIPTION_TERMINATED)
		tell_end(s);
	s->delivering = false;
	if (s->dead)
		destroy(s);
}

/* ---- state ---- */

static enum subscription_state state_of(const struct subscription *s)
{
	list_for_each (node, &s->forks)
		if (list_entry(node, struct subscription_fork, node)->state == SUBSTATE_ACTIVE)
			return SUBSCRIPTION_ACTIVE;
	return s->next_attempt ? SUBSCRIPTION_WAITING : SUBSCRIPTION_PENDING;
}

void subscription_update_state(struct subscription *s)
{
	enum subscription_state state = state_of(s);

	if (s->state == state || s->state == SUBSCRIPTION_TERMINATED)
		return;
	s->state = state;
	subscription_changed(s);
}

void subscription_note_end(struct subscription *s, const struct subscription_end *e)
{
	char *reason = slice_dup(e->reason);

	free(s->reason);
	s->reason = reason;
	s->status = e->status;
	s->origin = e->origin;
	s->retry_after = e->retry_after;
}

void subscription_over(struct subscription *s, const struct subscription_end *e)
{
	if (s->state == SUBSCRIPTION_TERMINATED)
		return;
	subscription_note_end(s, e);
	s->state = SUBSCRIPTION_TERMINATED;
	stop(s);
	later_queue(&s->ep->ua->later, &s->note);
}

/* ---- verbs ---- */

/* There is one already, of a package that may be there once. */
static bool is_taken(const struct endpoint *ep, struct slice event)
{
	if (!microsoft_is_exclusive(ep, event))
		return false;
	list_for_each (node, &ep->subscriptions) {
		const struct subscription *s = list_entry(node, struct subscription, node);

		if (s->state != SUBSCRIPTION_TERMINATED &&
			microsoft_is_exclusive(ep, slice_str(s->event)))
			return true;
	}
	return false;
}

static bool owns_header(enum hdr_id id)
{
	return id == HDR_EVENT || id == HDR_EXPIRES || id == HDR_ACCEPT ||
	       id == HDR_SUBSCRIPTION_STATE;
}

int subscription_headers_check(
	const struct request_header *h, size_t n, struct request_header_fault *ret_fault)
{
	int r = request_headers_check(h, n, ret_fault);

	for (size_t i = 0; i < n && r == 0; i++) {
		if (!owns_header(hdr_find(h[i].name)))
			continue;
		ret_fault->name = h[i].name;
		ret_fault->why = "belongs to the stack";
		r = -EINVAL;
	}
	return r;
}

/* The SUBSCRIBE may have to wait for its turn, but what is wrong with it is said at once. */
static int check_way(const struct endpoint *ep, struct slice target)
{
	struct request_spec spec = { .uri = target };
	struct request_way way;
	struct request_hop hop;
	struct uri uri;

	/* Header fields in it are for whoever makes a request of it (RFC 3261 19.1.5). */
	if (uri_parse(target, &uri) < 0 || uri.headers.n)
		return -EINVAL;
	request_way_init(&way, ep, &spec);
	return request_way_find(ep, &way, &uri, &hop);
}

static int check(const struct endpoint *ep, const struct subscription_spec *spec)
{
	struct request_header_fault fault;
	struct event e;

	if (!ep->kind->subscribes)
		return -EOPNOTSUPP;
	if (ep->closing)
		return -ENOTCONN;
	if (ep->n_subscriptions >= LIMITS_SUBSCRIPTIONS_PER_ENDPOINT)
		return -ENOSPC;
	if (event_parse(spec->event, &e) < 0 ||
		!build_header_is_safe(SLICE("Event"), spec->event) ||
		!build_header_is_safe(SLICE("Accept"), spec->accept) ||
		!build_header_is_safe(SLICE("Content-Type"), spec->content_type))
		return -EINVAL;
	if (spec->body.n && (!slice_trim(spec->content_type).n || spec->n_targets))
		return -EINVAL;
	if (is_taken(ep, spec->event))
		return -EBUSY;
	if (subscription_headers_check(spec->headers, spec->n_headers, &fault) < 0)
		return -EINVAL;
	return check_way(ep, spec->target);
}

static void set_body(struct subscription *s, struct slice content_type, struct slice body)
{
	free(s->content_type);
	free(s->body);
	s->content_type = slice_dup(content_type);
	s->body = slice_dup(body);
	s->body_n = body.n;
}

static uint32_t bounded(uint32_t expires)
{
	return expires < LIMITS_EXPIRES ? expires : LIMITS_EXPIRES;
}

static char *accept_of(const struct subscription *s, const struct subscription_spec *spec)
{
	struct slice accept = slice_trim(spec->accept);
	struct buf b = BUF_NULL;

	if (s->list == SUBSCRIPTION_NO_LIST)
		return slice_dup(accept);
	subscription_list_append_accept(&b, accept.n ? accept : s->targets.accept, spec->event);
	return buf_take(&b);
}

static struct subscription *make(struct endpoint *ep, const struct subscription_spec *spec)
{
	struct subscription *s = mem_new(struct subscription);

	s->ep = ep;
	s->target = slice_dup(spec->target);
	s->event = slice_dup(slice_trim(spec->event));
	s->ask = bounded(spec->expires);
	s->list = spec->n_targets ? SUBSCRIPTION_LIST : spec->list;
	set_body(s, spec->content_type, spec->body);
	for (size_t i = 0; i < spec->n_headers; i++)
		build_header_named(&s->lines, spec->headers[i].name, spec->headers[i].value);
	s->turn.go = subscription_on_turn;
	s->timer.fire = subscription_on_timer;
	s->note.deliver = deliver;
	list_init(&s->forks);
	list_init(&s->news);
	list_append(&ep->subscriptions, &s->node);
	ep->n_subscriptions++;
	return s;
}

int subscription_new(struct endpoint *ep, const struct subscription_spec *spec,
	const struct subscription_ops *ops, void *owner, struct subscription **ret_subscription)
{
	UA_SCOPE(ep->ua);
	struct subscription *s;
	int error = check(ep, spec);

	if (error < 0)
		return error;
	s = make(ep, spec);
	s->ops = ops;
	s->owner = owner;
	error = subscription_targets_init(&s->targets, ep, spec);
	s->accept = accept_of(s, spec);
	if (error < 0) {
		destroy(s);
		return error;
	}
	subscription_attempt(s);
	*ret_subscription = s;
	return 0;
}

/* The wish is another one: everybody is told. */
static void tell_wish(struct subscription *s)
{
	s->version++;
	free(mem_take(&s->etag));
	list_for_each_safe (node, next, &s->forks)
		subscription_fork_refresh(list_entry(node, struct subscription_fork, node));
	if (s->next_attempt)
		subscription_attempt(s);
}

static bool is_leaving(const struct subscription *s)
{
	return s->ending || s->state == SUBSCRIPTION_TERMINATED;
}

int subscription_refresh(struct subscription *s, uint32_t expires)
{
	UA_SCOPE(s->ep->ua);

	/* A fetch has its end in it. */
	if (!expires)
		return -EINVAL;
	if (is_leaving(s) || !s->ask)
		return -ESTALE;
	s->ask = bounded(expires);
	tell_wish(s);
	return 0;
}

int subscription_update(struct subscription *s, struct slice content_type, struct slice body)
{
	UA_SCOPE(s->ep->ua);

	if (!build_header_is_safe(SLICE("Content-Type"), content_type) ||
		(body.n && (!slice_trim(content_type).n || s->targets.body.n)))
		return -EINVAL;
	if (is_leaving(s) || !s->ask)
		return -ESTALE;
	set_body(s, body.n ? content_type : SLICE_NULL, body);
	tell_wish(s);
	return 0;
}

void subscription_end(struct subscription *s)
{
	UA_SCOPE(s->ep->ua);
	struct subscription_end gone = { .reason = SLICE("unsubscribed"), .origin = ORIGIN_LOCAL };

	if (is_leaving(s))
		return;
	s->ending = true;
	/* Whoever has accepted it already says so by a NOTIFY, which names whom to tell. */
	if (s->next_attempt || list_is_linked(&s->turn.node))
		subscription_over(s, &gone);
	else if (s->ask)
		tell_wish(s);
}

void subscription_free(struct subscription *s)
{
	if (s)
		destroy(s);
}

/* ---- looking at it ---- */

const char *subscription_state_name(enum subscription_state s)
{
	switch (s) {
	case SUBSCRIPTION_PENDING:
		return "pending";
	case SUBSCRIPTION_ACTIVE:
		return "active";
	case SUBSCRIPTION_WAITING:
		return "waiting";
	case SUBSCRIPTION_TERMINATED:
		return "terminated";
	}
	return "";
}

enum subscription_state subscription_state(const struct subscription *s)
{
	return s->state;
}

struct endpoint *subscription_endpoint(const struct subscription *s)
{
	return s->ep;
}

usec_t subscription_expires(const struct subscription *s)
{
	usec_t latest = 0;

	list_for_each (node, &s->forks) {
		usec_t at = list_entry(node, struct subscription_fork, node)->expires;

		if (at > latest)
			latest = at;
	}
	return latest;
}

usec_t subscription_next_attempt(const struct subscription *s)
{
	return s->next_attempt;
}

const struct msg *subscription_last(const struct subscription *s)
{
	return s->last;
}

bool subscription_trouble(const struct subscription *s, struct subscription_end *ret)
{
	if (s->state != SUBSCRIPTION_WAITING)
		return false;
	*ret = (struct subscription_end){
		.reason = slice_str(s->reason),
		.status = s->status,
		.origin = s->origin,
		.retry_after = s->retry_after,
	};
	return true;
}

size_t subscription_dialogs(const struct subscription *s)
{
	return s->n_forks;
}

/* ---- for endpoints ---- */

void subscription_endpoint_over(struct endpoint *ep, enum subscription_farewell how)
{
	struct subscription_end closed = { .reason = SLICE("endpoint closed"),
		.origin = ORIGIN_LOCAL };

	if (how != SUBSCRIPTION_ENDED)
		turn_forget(&ep->subscribes);
	list_for_each_safe (node, next, &ep->subscriptions) {
		struct subscription *s = list_entry(node, struct subscription, node);

		switch (how) {
		case SUBSCRIPTION_ENDED:
			if (s->n_forks)
				subscription_end(s);
			else
				subscription_over(s, &closed);
			break;
		case SUBSCRIPTION_TOLD:
			subscription_over(s, &closed);
			break;
		case SUBSCRIPTION_SILENT:
			subscription_free(s);
			break;
		}
	}
}
