/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "protocol/ua/request.h"

#include <string.h>

#include "protocol/base/err.h"
#include "protocol/msg/build.h"
#include "protocol/msg/privacy.h"
#include "protocol/ua/registration.h"
#include "protocol/ua/request-private.h"
#include "protocol/ua/request-route.h"

/*
 * The life of a request; request-send.c finds the way and sends, request-response.c reads the
 * answers, request-build.c writes the text.
 *
 *   new -> [locating] -> sent -> final response, failure -> another attempt ... -> finished -> done
 *                           \-> challenged -> [secret] -> sent again
 *
 * What is in brackets waits for an answer of the host.
 */

static void deliver(struct later_note *n);
static void on_timeout(struct timer *t);

static bool is_method(struct slice method)
{
	return build_header_is_safe(method, SLICE_NULL);
}

static struct slice request_uri(const struct request_spec *spec)
{
	return spec->dialog ? dialog_request_uri(spec->dialog) : spec->uri;
}

static int check_texts(const struct request_spec *spec)
{
	const struct slice values[] = { spec->contact_params, spec->stale_contact, spec->to_display,
		spec->from_display, spec->content_type };

	for (size_t i = 0; i < ARRAY_LEN(values); i++)
		if (!build_header_is_safe(SLICE("Contact"), values[i]))
			return -EINVAL;
	for (size_t i = 0; i < spec->n_headers; i++)
		if (!build_header_is_safe(spec->headers[i].name, spec->headers[i].value))
			return -EINVAL;
	return is_method(spec->method) ? 0 : -EINVAL;
}

static int check(const struct endpoint *ep, const struct request_spec *spec)
{
	struct request_way way;
	struct request_hop hop;
	struct uri uri, other;
	const char *why;
	int error;

	if (check_texts(spec) < 0 || uri_parse(request_uri(spec), &uri) < 0)
		return -EINVAL;
	if (spec->to.n && uri_parse(spec->to, &other) < 0)
		return -EINVAL;
	if (spec->from.n && uri_parse(spec->from, &other) < 0)
		return -EINVAL;
	/* Leaving, an endpoint still unregisters, and ends what it has elsewhere. */
	if (ep->closing && spec->server != REQUEST_TO_REGISTRAR && !spec->dialog && !spec->winds_up)
		return -ENOTCONN;
	if (ep->n_requests >= LIMITS_REQUESTS_PER_ENDPOINT && !spec->acknowledges)
		return -ENOSPC;
	error = request_route_check(ep, spec->route, &why);
	if (error < 0)
		return error;
	request_way_init(&way, ep, spec);
	return request_way_find(ep, &way, &uri, &hop);
}

/* A client asks for it by a header; who hides its name means its Contact, too. */
static enum contact_privacy privacy_of(const struct request *r, const struct request_spec *spec)
{
	bool hides = spec->dialog ? spec->dialog->anonymous
				  : spec->from.n || privacy_in_lines(buf_slice(&r->common));

	return hides ? CONTACT_ANONYMOUS : CONTACT_OPEN;
}

static struct request *make(struct endpoint *ep, const struct request_spec *spec)
{
	struct request *r = mem_new(struct request);

	r->ep = ep;
	request_way_init(&r->way, ep, spec);
	r->route = slice_dup(r->way.route);
	r->way.route = slice_of(r->route, r->way.route.n);
	r->acknowledges = spec->acknowledges ? msg_ref(spec->acknowledges) : NULL;
	r->contact = spec->contact;
	r->winds_up = spec->winds_up;
	/* 12.2.1.2: what is sent in a dialog goes to its peer alone. */
	r->redirects = spec->dialog ? REQUEST_HAND_BACK : spec->redirects;
	r->method = slice_dup(spec->method);
	r->contact_params = slice_dup(spec->contact_params);
	r->stale_contact = slice_dup(spec->stale_contact);
	r->content_type = slice_dup(spec->content_type);
	r->body = slice_dup(spec->body);
	r->body_n = spec->body.n;
	r->cseq = spec->cseq ? spec->cseq : 1;
	if (r->acknowledges)
		r->cseq = r->acknowledges->cseq; /* 13.2.2.4 */
	r->note.deliver = deliver;
	r->timeout.fire = on_timeout;
	request_build_common(r, spec);
	r->privacy = privacy_of(r, spec);
	request_add_target(r, request_uri(spec), 0);
	list_append(&ep->requests, &r->node);
	if (!r->acknowledges)
		ep->n_requests++;
	return r;
}

/* ---- one by one to the same URI, RFC 3428 section 8 ---- */

static struct request *of_turn(struct map_node *node)
{
	return container_of(node, struct request, turn);
}

static void take_turn(struct request *r)
{
	struct slice uri = slice_str(r->targets[0].uri);

	for (struct map_node *n = map_find(&r->ep->turns, uri); n; n = map_find_next(n))
		r->waits = r->waits || !of_turn(n)->waits;
	map_insert(&r->ep->turns, &r->turn, uri);
}

/* The longest waiting one goes next: the map hands out the newest first. */
static void pass_turn(struct request *r)
{
	struct slice uri = r->turn.key;
	struct request *next = NULL;

	if (!map_is_linked(&r->turn))
		return;
	map_remove(&r->ep->turns, &r->turn);
	if (r->waits)
		return;
	/* When the endpoint closes, all but those that wind up have finished. */
	for (struct map_node *n = map_find(&r->ep->turns, uri); n; n = map_find_next(n))
		if (!of_turn(n)->finished)
			next = of_turn(n);
	if (next) {
		next->waits = false;
		request_start(next);
	}
}

int request_new(struct endpoint *ep, const struct request_spec *spec, const struct request_ops *ops,
	void *owner, struct request **ret_request)
{
	struct ua *ua = ep->ua;
	struct request *r;
	int error = check(ep, spec);

	if (error < 0)
		return error;
	later_enter(&ua->later);
	r = make(ep, spec);
	r->ops = ops;
	r->owner = owner;
	if (spec->timeout)
		timer_arm(&ua->timers, &r->timeout, spec->timeout);
	if (spec->order == REQUEST_IN_TURN)
		take_turn(r);
	if (!r->waits)
		request_start(r);
	/* A registration whose flow broke is made anew now (registration.h). */
	if (ep->registration && spec->server != REQUEST_TO_REGISTRAR)
		registration_touch(ep->registration);
	*ret_request = r;
	/* The caller has to know the request before it hears of it. */
	later_postpone(&ua->later);
	return 0;
}

static void leave_endpoint(struct request *r)
{
	if (!list_is_linked(&r->node))
		return;
	request_stop(r);
	locate_cancel(&r->locate);
	timer_cancel(&r->ep->ua->timers, &r->timeout);
	later_cancel(&r->note);
	list_remove(&r->node);
	if (!r->acknowledges)
		r->ep->n_requests--;
	pass_turn(r);
}

static void destroy(struct request *r)
{
	for (size_t i = 0; i < r->n_targets; i++)
		free(r->targets[i].uri);
	flow_unref(r->flow);
	msg_unref(r->sent);
	msg_unref(r->acknowledges);
	msg_unref(r->response);
	buf_deinit(&r->common);
	free(r->route);
	free(r->method);
	free(r->contact_params);
	free(r->stale_contact);
	free(r->content_type);
	free(r->body);
	free(r->server_key);
	free(r->domain);
	free(r->refused_tls);
	free(r->realm);
	free(r->reason);
	free(r);
}

void request_free(struct request *r)
{
	if (!r || r->delivering)
		return;
	leave_endpoint(r);
	destroy(r);
}

/* ---- the end ---- */

void request_note_end(struct request *r, const struct request_end *e)
{
	struct msg *response = e->response ? msg_ref(e->response) : NULL;

	free(r->reason);
	r->status = e->status;
	r->reason = slice_dup(e->reason);
	r->origin = e->origin;
	r->error = e->error;
	msg_unref(r->response);
	r->response = response;
}

/* That a certificate was refused tells more than that the next address did not answer either. */
static void prefer_tls_reason(struct request *r)
{
	struct request_end end = { .origin = ORIGIN_NETWORK, .error = -ECONNREFUSED };

	if (!r->refused_tls || (r->origin != ORIGIN_NETWORK && r->origin != ORIGIN_TIMEOUT))
		return;
	end.reason = slice_str(r->refused_tls);
	request_note_end(r, &end);
}

void request_finish(struct request *r)
{
	struct ua *ua = r->ep->ua;

	if (r->finished)
		return;
	r->finished = true;
	request_stop(r);
	locate_cancel(&r->locate);
	prefer_tls_reason(r);
	timer_cancel(&ua->timers, &r->timeout);
	log_line(&ua->host->log, LOG_LEVEL_DEBUG, "%s of %s ended: %u %s (%s)", r->method,
		r->ep->id, r->status, r->reason, outcome_origin_name(r->origin));
	later_queue(&ua->later, &r->note);
}

void request_finish_local(struct request *r, int error, struct slice reason)
{
	struct request_end end = { .reason = reason, .origin = ORIGIN_LOCAL, .error = error };

	request_note_end(r, &end);
	request_finish(r);
}

static void deliver(struct later_note *n)
{
	struct request *r = container_of(n, struct request, note);
	struct outcome o = {
		.status = r->status,
		.reason = slice_str(r->reason),
		.origin = r->origin,
		.error = r->error,
		.response = r->response,
		.request = r->sent,
	};

	/* The owner may end the endpoint in its callback: by then nothing leads from it to us. */
	leave_endpoint(r);
	r->delivering = true;
	r->ops->done(r->owner, r, &o);
	destroy(r);
}

static void on_timeout(struct timer *t)
{
	struct request *r = container_of(t, struct request, timeout);
	struct request_end end = {
		.reason = SLICE("no final response in time"),
		.origin = ORIGIN_TIMEOUT,
		.error = -ETIMEDOUT,
	};

	request_note_end(r, &end);
	request_finish(r);
}

void request_abort(struct request *r, unsigned status, struct slice reason)
{
	struct request_end end = {
		.status = status,
		.reason = reason,
		.origin = ORIGIN_LOCAL,
		.error = -ECANCELED,
	};

	if (r->finished)
		return;
	request_note_end(r, &end);
	request_finish(r);
}

void request_cancel(struct request *r, struct slice lines)
{
	if (r->finished || r->cancelled)
		return;
	r->cancelled = true;
	if (r->txn && txn_cancel_with(r->txn, lines) == 0)
		return;
	/* Between attempts, or before the first: the far end has nothing to take back. */
	request_abort(r, 0, SLICE("cancelled"));
}

/* ---- looking at it ---- */

struct request *request_of_node(struct list *node)
{
	return list_entry(node, struct request, node);
}

const struct msg *request_sent(const struct request *r)
{
	return r->sent;
}

bool request_outlives_closing(const struct request *r)
{
	return r->way.dialog || r->winds_up || method_parse(slice_str(r->method)) == METHOD_INVITE;
}

uint32_t request_cseq(const struct request *r)
{
	return r->cseq;
}

struct flow *request_flow(const struct request *r)
{
	return r->flow;
}

const char *request_server_key(const struct request *r)
{
	return r->server_key;
}
