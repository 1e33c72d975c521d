/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "protocol/base/err.h"
#include "protocol/msg/build.h"
#include "protocol/msg/event.h"
#include "protocol/ua/backoff.h"
#include "protocol/ua/limits.h"
#include "protocol/ua/publication-private.h"

/*
 * PUBLISHING -> PUBLISHED <-> WAITING     refreshed, modified, tried again
 *     |             |            |
 *     `-------------+------------+-> REMOVING -> REMOVED
 *
 * One PUBLISH at a time (section 4). publication-outcome.c says what follows it.
 */

enum { DEFAULT_EXPIRES = 3600 };
/* A timer that is later than this was not kept waiting by load: the machine slept. */
#define LATE (5 * USEC_PER_SEC)

const char *publication_state_name(enum publication_state s)
{
	switch (s) {
	case PUBLICATION_PUBLISHING:
		return "publishing";
	case PUBLICATION_PUBLISHED:
		return "published";
	case PUBLICATION_WAITING:
		return "waiting";
	case PUBLICATION_REMOVING:
		return "removing";
	case PUBLICATION_REMOVED:
		return "removed";
	}
	return "";
}

static uint64_t dice(const struct publication *p)
{
	return ua_random_below(p->ep->ua, UINT64_MAX);
}

/* ---- what is published ---- */

static struct publication_content *content_new(struct slice type, struct slice bytes)
{
	struct publication_content *c = mem_new(struct publication_content);

	c->type = slice_dup(type);
	c->bytes = slice_dup(bytes);
	c->n = bytes.n;
	return c;
}

void publication_content_free(struct publication_content *c)
{
	if (!c)
		return;
	free(c->type);
	free(c->bytes);
	free(c);
}

/* ---- state and time ---- */

static void arm(struct publication *p)
{
	struct timerq *timers = &p->ep->ua->timers;
	usec_t at = p->expires ? p->expires : USEC_NEVER;

	if (p->next_attempt && !p->request && p->next_attempt < at)
		at = p->next_attempt;
	if (at == USEC_NEVER || p->state == PUBLICATION_REMOVED)
		timer_cancel(timers, &p->timer);
	else
		timer_arm_at(timers, &p->timer, at);
}

void publication_set_state(struct publication *p, enum publication_state s)
{
	if (s != p->state)
		log_line(&p->ep->ua->host->log, LOG_LEVEL_DEBUG, "%s published by %s: %s -> %s",
			p->event, p->ep->id, publication_state_name(p->state),
			publication_state_name(s));
	p->state = s;
	publication_tell_changed(p);
}

void publication_forget_etag(struct publication *p)
{
	free(p->etag);
	p->etag = NULL;
	p->expires = 0;
	publication_tell_changed(p);
}

/* It has run out at the compositor: what is sent now begins anew (section 4.2). */
static void expire(struct publication *p)
{
	publication_forget_etag(p);
	if (p->state == PUBLICATION_PUBLISHED)
		publication_set_state(p, PUBLICATION_WAITING);
}

/* ---- one attempt ---- */

static void on_done(void *owner, struct request *request, const struct outcome *o)
{
	struct publication *p = owner;

	(void)request;
	p->request = NULL;
	publication_ended(p, o);
}

static const struct request_ops request_ops = { .done = on_done };

static void append_lines(struct buf *b, const struct publication *p)
{
	bool removes = p->running == PUBLICATION_REMOVE;

	build_header(b, HDR_EVENT, slice_str(p->event));
	build_header_u64(b, HDR_EXPIRES, removes ? 0 : p->wish);
	if (p->running != PUBLICATION_INITIAL)
		build_header(b, HDR_SIP_IF_MATCH, slice_str(p->etag));
	buf_str(b, p->lines);
}

static int send(struct publication *p)
{
	const struct publication_content *c = p->flying ? p->flying : p->now;
	struct request_spec spec = {
		.method = method_name(METHOD_PUBLISH),
		.uri = slice_str(p->target),
		/* Section 4: no two to one URI at a time, of other publications neither. */
		.order = REQUEST_IN_TURN,
		.winds_up = true,
	};
	struct buf lines = BUF_NULL;
	int error;

	append_lines(&lines, p);
	spec.lines = buf_slice(&lines);
	if (p->running == PUBLICATION_INITIAL || p->running == PUBLICATION_MODIFY) {
		spec.content_type = slice_str(c->type);
		spec.body = slice_of(c->bytes, c->n);
	}
	error = request_new(p->ep, &spec, &request_ops, p, &p->request);
	buf_deinit(&lines);
	return error;
}

void publication_send(struct publication *p)
{
	struct outcome o = { .origin = ORIGIN_LOCAL, .reason = SLICE("cannot be sent") };

	o.error = send(p);
	if (o.error < 0)
		publication_ended(p, &o);
}

void publication_board(struct publication *p)
{
	struct list *node;

	p->asked = false;
	while ((node = list_first(&p->waiting))) {
		list_remove(node);
		list_append(&p->aboard, node);
	}
	if (!p->next)
		return;
	publication_content_free(p->flying);
	p->flying = mem_take(&p->next);
}

static enum publication_operation operation_of(const struct publication *p)
{
	if (p->leaving)
		return PUBLICATION_REMOVE;
	if (!p->etag)
		return PUBLICATION_INITIAL;
	return p->flying ? PUBLICATION_MODIFY : PUBLICATION_REFRESH;
}

static void board(struct publication *p)
{
	publication_board(p);
	p->running = operation_of(p);
	p->raised = false;
	p->next_attempt = p->not_before = 0;
}

static void leave(struct publication *p)
{
	static const struct outcome nothing_there = { .origin = ORIGIN_LOCAL };
	static const struct outcome unknown = {
		.reason = SLICE_INIT("no answer: it may last until it expires"),
		.origin = ORIGIN_TIMEOUT,
		.error = -ETIMEDOUT,
	};

	if (!p->etag) {
		publication_over(p, p->lost ? &unknown : &nothing_there);
		return;
	}
	board(p);
	publication_send(p);
}

void publication_run(struct publication *p)
{
	if (p->request || p->state == PUBLICATION_REMOVED)
		return;
	if (p->leaving) {
		leave(p);
	} else if (p->asked) {
		board(p);
		publication_send(p);
	}
	arm(p);
}

static void on_timer(struct timer *t)
{
	struct publication *p = container_of(t, struct publication, timer);
	usec_t now = p->ep->ua->timers.now;
	bool due = p->next_attempt && !p->request;
	bool late = due && now > p->next_attempt + LATE;

	if (p->expires && now >= p->expires)
		expire(p);
	if (late) /* everybody's timers are */
		p->next_attempt = now + backoff_resume_delay(dice(p));
	else if (due && now >= p->next_attempt)
		p->asked = true;
	publication_run(p);
}

/* ---- the end ---- */

void publication_over(struct publication *p, const struct outcome *o)
{
	request_free(mem_take(&p->request));
	publication_forget_etag(p);
	p->next_attempt = 0;
	publication_set_state(p, PUBLICATION_REMOVED);
	arm(p);
	publication_tell_callers(p, &p->aboard, o);
	publication_tell_callers(p, &p->waiting, o);
	publication_tell_end(p, o);
}

void publication_destroy(struct publication *p)
{
	struct endpoint *ep = p->ep;

	if (list_is_linked(&p->node)) {
		request_free(mem_take(&p->request));
		timer_cancel(&ep->ua->timers, &p->timer);
		publication_forget_news(p);
		list_remove(&p->node);
		ep->n_publications--;
		if (ep->closing && !ep->leaving) /* which waits for this */
			endpoint_mark(ep, 0);
	}
	p->dead = true;
	if (p->delivering)
		return;
	publication_content_free(p->now);
	publication_content_free(p->next);
	publication_content_free(p->flying);
	free(p->target);
	free(p->event);
	free(p->lines);
	free(p->etag);
	free(p);
}

void publication_free(struct publication *p)
{
	if (p)
		publication_destroy(p);
}

/* ---- verbs ---- */

static bool is_ours(enum hdr_id id)
{
	return id == HDR_EVENT || id == HDR_EXPIRES || id == HDR_SIP_ETAG || id == HDR_SIP_IF_MATCH;
}

static int check_content(struct slice type, struct slice body)
{
	if (!body.n || !type.n || !build_header_is_safe(SLICE("Content-Type"), type))
		return -EINVAL;
	return 0;
}

static int check(const struct endpoint *ep, const struct publication_spec *spec)
{
	struct request_header_fault bad;
	struct event e;
	int error = request_headers_check(spec->headers, spec->n_headers, &bad);

	if (!ep->kind->subscribes)
		return -EOPNOTSUPP;
	if (ep->closing)
		return -ENOTCONN;
	if (error < 0)
		return error;
	for (size_t i = 0; i < spec->n_headers; i++)
		if (is_ours(hdr_find(spec->headers[i].name)))
			return -EINVAL;
	if (event_parse(spec->event, &e) < 0 ||
		!build_header_is_safe(SLICE("Event"), spec->event) ||
		spec->expires > LIMITS_EXPIRES)
		return -EINVAL;
	if (ep->n_publications >= LIMITS_PUBLICATIONS_PER_ENDPOINT)
		return -ENOSPC;
	return check_content(spec->content_type, spec->body);
}

static char *lines_of(const struct publication_spec *spec)
{
	struct buf b = BUF_NULL;

	for (size_t i = 0; i < spec->n_headers; i++)
		build_header_named(&b, spec->headers[i].name, spec->headers[i].value);
	return b.n ? buf_take(&b) : mem_strdup("");
}

static struct publication *make(struct endpoint *ep, const struct publication_spec *spec)
{
	struct publication *p = mem_new(struct publication);

	p->ep = ep;
	p->target = spec->target.n ? slice_dup(spec->target) : mem_strdup(ep->uri);
	p->event = slice_dup(spec->event);
	p->lines = lines_of(spec);
	p->wish = spec->expires ? spec->expires : DEFAULT_EXPIRES;
	p->next = content_new(spec->content_type, spec->body);
	p->timer.fire = on_timer;
	publication_news_init(p);
	list_append(&ep->publications, &p->node);
	ep->n_publications++;
	return p;
}

int publication_new(struct endpoint *ep, const struct publication_spec *spec,
	const struct publication_ops *ops, void *owner, struct publication **ret_publication)
{
	UA_SCOPE(ep->ua);
	struct publication *p;
	int error = check(ep, spec);

	if (error < 0)
		return error;
	p = make(ep, spec);
	p->ops = ops;
	p->owner = owner;
	publication_call(&p->waiting, &spec->first);
	board(p);
	error = send(p);
	if (error < 0) {
		publication_destroy(p);
		return error;
	}
	*ret_publication = p;
	return 0;
}

int publication_modify(struct publication *p, struct slice content_type, struct slice body,
	const struct publication_reply *reply)
{
	UA_SCOPE(p->ep->ua);

	if (p->leaving || p->state == PUBLICATION_REMOVED)
		return -ESTALE;
	if (check_content(content_type, body) < 0)
		return -EINVAL;
	publication_content_free(p->next);
	p->next = content_new(content_type, body);
	publication_call(&p->waiting, reply);
	p->asked = true;
	publication_run(p);
	return 0;
}

int publication_remove(struct publication *p, const struct publication_reply *reply)
{
	UA_SCOPE(p->ep->ua);
	static const struct outcome overtaken = {
		.reason = SLICE_INIT("removed meanwhile"),
		.origin = ORIGIN_LOCAL,
		.error = -ECANCELED,
	};

	if (p->state == PUBLICATION_REMOVED)
		return -ESTALE;
	if (!p->leaving)
		publication_tell_callers(p, &p->waiting, &overtaken);
	publication_call(&p->waiting, reply);
	p->leaving = true;
	publication_set_state(p, PUBLICATION_REMOVING);
	publication_run(p);
	return 0;
}

/* ---- looking at it ---- */

enum publication_state publication_state(const struct publication *p)
{
	return p->state;
}

struct slice publication_event(const struct publication *p)
{
	return slice_str(p->event);
}

const char *publication_etag(const struct publication *p)
{
	return p->etag ? p->etag : "";
}

usec_t publication_expires(const struct publication *p)
{
	return p->expires;
}

usec_t publication_next_attempt(const struct publication *p)
{
	return p->request ? 0 : p->next_attempt;
}

/* ---- for endpoints ---- */

static void end(struct publication *p)
{
	static const struct outcome closed = {
		.reason = SLICE_INIT("endpoint closed"),
		.origin = ORIGIN_LOCAL,
		.error = -ECANCELED,
	};

	if (p->state != PUBLICATION_REMOVED)
		publication_over(p, &closed);
}

void publication_endpoint_over(struct endpoint *ep, enum publication_farewell how)
{
	list_for_each_safe (node, next, &ep->publications) {
		struct publication *p = list_entry(node, struct publication, node);

		switch (how) {
		case PUBLICATION_WITHDRAWN:
			(void)publication_remove(p, NULL);
			break;
		case PUBLICATION_TOLD:
			end(p);
			break;
		case PUBLICATION_SILENT:
			publication_destroy(p);
			break;
		}
	}
}

static void hurry(struct publication *p)
{
	usec_t at = p->ep->ua->timers.now + backoff_flow_delay(dice(p));

	if (at < p->not_before)
		at = p->not_before;
	if (!p->next_attempt || at < p->next_attempt)
		p->next_attempt = at;
	publication_run(p);
}

void publication_endpoint_hint(struct endpoint *ep, enum publication_hint hint)
{
	list_for_each (node, &ep->publications) {
		struct publication *p = list_entry(node, struct publication, node);
		bool has_failed = p->failures && !p->refused;

		if (p->request || p->state == PUBLICATION_REMOVED)
			continue;
		if (hint == PUBLICATION_REGISTERED_ANEW || has_failed)
			hurry(p);
	}
}
