/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Asking agents, one after the other, until somebody takes the work. */
#include <string.h>

#include "ipc/agent-private.h"
#include "ipc/bus-ask.h"
#include "ipc/bus-error.h"
#include "ipc/bus-option.h"
#include "ipc/iface-private.h"
#include "ipc/iface-session.h"
#include "ipc/iface-subscriber.h"
#include "protocol/base/err.h"
#include "protocol/base/log.h"
#include "protocol/ua/endpoint.h"
#include "protocol/ua/incoming.h"
#include "protocol/ua/request.h"
#include "protocol/ua/session-view.h"

enum { PAGE_ID_BYTES = 8 };

static struct ua *ua_of(const struct agent_ask *q)
{
	return q->all->iface->ua;
}

struct agent_ask *agent_ask_new(struct agents *all, enum agent_kind kind, usec_t limit)
{
	struct agent_ask *q = mem_new(struct agent_ask);

	q->all = all;
	q->kind = kind;
	q->deadline = all->iface->ua->timers.now + limit;
	list_append(&all->asks, &q->node);
	return q;
}

void agent_ask_free(struct agent_ask *q)
{
	bus_ask_cancel(q->ask);
	if (q->in)
		q->in->user = NULL;
	if (q->session)
		q->session->ask = NULL;
	if (q->subscriber)
		q->subscriber->ask = NULL;
	list_remove(&q->node);
	free(q->client);
	free(q->id);
	free(q->endpoint_id);
	free(q->realm);
	free(q->scheme);
	agent_certificate_free(q->certificate);
	free(q);
}

static struct endpoint *endpoint_of(const struct agent_ask *q)
{
	if (q->session)
		return session_endpoint(q->session->s);
	if (q->subscriber)
		return subscriber_endpoint(q->subscriber->s);
	return q->in ? q->in->ep : endpoint_find(ua_of(q), slice_str(q->endpoint_id));
}

/* Whether a's turn comes after the one asked last. */
static bool follows(const struct agent *a, const struct agent_ask *q)
{
	if (!q->started || a->priority < q->priority)
		return true;
	return a->priority == q->priority && a->serial > q->serial;
}

static struct agent *next_agent(const struct agent_ask *q, const struct endpoint *ep)
{
	list_for_each (node, &q->all->agents) {
		struct agent *a = list_entry(node, struct agent, node);

		if (!a->observes && follows(a, q) && agent_serves(a, q, ep) &&
			agent_session_is_for(a, q))
			return a;
	}
	return NULL;
}

/* ---- the questions ---- */

static void write_page(struct bus_writer *w, const struct agent_ask *q)
{
	const struct msg *m = q->in->request;
	struct buf display = BUF_NULL;

	bus_write_o(w, iface_endpoint_path(q->in->ep));
	bus_write_str(w, q->id);
	bus_write_s(w, m->from.uri.text);
	bus_write_s(w, m->content_type);
	bus_write_ay(w, m->body);
	addr_append_display(&display, &m->from);
	bus_open_dict(w);
	bus_entry_s(w, "To", m->to.uri.text);
	bus_entry_s(w, "RequestUri", m->request_uri);
	bus_entry_s(w, "FromDisplayName", buf_slice(&display));
	bus_entry_s(w, "CallId", m->call_id);
	bus_open_entry(w, "Headers", "a(ss)");
	iface_write_headers(w, m);
	bus_close(w);
	bus_close(w);
	buf_deinit(&display);
}

static void write_request(struct bus_writer *w, const struct agent_ask *q)
{
	const struct msg *m = q->in->request;

	bus_write_o(w, iface_endpoint_path(q->in->ep));
	bus_write_s(w, m->method_name);
	iface_write_headers(w, m);
	bus_write_ay(w, m->body);
}

static void write_credentials(struct bus_writer *w, const struct agent_ask *q)
{
	const struct endpoint *ep = endpoint_of(q);
	char *profile cleanup_free = iface_profile_path(ep->profile);

	bus_write_o(w, iface_endpoint_path(ep));
	bus_write_str(w, q->realm);
	bus_open_array(w, "s");
	bus_write_str(w, q->scheme);
	bus_close(w);
	bus_open_dict(w);
	bus_entry_o(w, "Profile", profile);
	bus_entry_str(w, "Uri", ep->uri);
	bus_close(w);
}

/* ---- the answers: false when the answer is no answer and the next agent is asked ---- */

static bool take_page(struct agent_ask *q, struct bus_reader *r)
{
	struct incoming_reply reply = { .status = bus_read_u(r) };

	reply.reason = bus_read_s(r);
	return incoming_reply(q->in, &reply) == 0;
}

static bool take_request(struct agent_ask *q, struct bus_reader *r)
{
	struct incoming_reply reply = { .status = bus_read_u(r) };
	struct request_header *headers;
	bool taken;

	reply.reason = bus_read_s(r);
	if (iface_read_headers(bus_enter(r), &headers, &reply.n_headers) < 0)
		return false;
	reply.headers = headers;
	reply.content_type = bus_read_s(r);
	reply.body = bus_read_ay(r);
	taken = incoming_reply(q->in, &reply) == 0;
	free(headers);
	return taken;
}

static const struct bus_option credential_options[] = {
	{ "User", "s", "The profile's account if absent." },
	{ "Password", "s", "" },
	{ 0 },
};

static bool take_credentials(struct agent_ask *q, struct bus_reader *r)
{
	const struct iface_host *h = q->all->iface->host;
	const struct endpoint *ep = endpoint_of(q);
	struct bus_value values[2];
	struct bus_option_error error;
	struct buf user = BUF_NULL;

	if (!ep || bus_option_read(r, credential_options, values, &error) < 0 || !values[1].given)
		return false;
	buf_reserve(&user, 1); /* so that not even an empty name is no name */
	if (values[0].given)
		buf_put(&user, values[0].s);
	else
		profile_append_user(&user, ep->profile);
	h->secret(h->ctx, q->query, buf_slice(&user), values[1].s);
	buf_deinit(&user);
	return true;
}

/* Nobody took it. */
static void give_up(struct agent_ask *q)
{
	const struct iface_host *h = q->all->iface->host;

	if (q->session)
		agent_session_give_up(q);
	else if (q->subscriber)
		agent_subscription_give_up(q);
	else if (q->in)
		incoming_pass(q->in);
	else if (q->certificate)
		agent_certificate_give_up(q);
	else
		h->secret(h->ctx, q->query, SLICE_NULL, SLICE_NULL);
}

static const struct {
	const char *member;
	void (*write)(struct bus_writer *w, const struct agent_ask *q);
	bool (*take)(struct agent_ask *q, struct bus_reader *r);
} kinds[] = {
	[AGENT_SESSION] = { "SessionReceived", agent_session_write, agent_session_take },
	[AGENT_PAGE] = { "PageReceived", write_page, take_page },
	[AGENT_SUBSCRIPTION] = { "SubscriptionReceived", agent_subscription_write,
		agent_subscription_take },
	[AGENT_REQUEST] = { "RequestReceived", write_request, take_request },
	[AGENT_CREDENTIALS] = { "CredentialsRequired", write_credentials, take_credentials },
	[AGENT_CERTIFICATE] = { "CertificateReceived", agent_certificate_write,
		agent_certificate_take },
};

/* ---- the chain ---- */

static void ask_next(struct agent_ask *q);

/* q is freed once `in` was answered: what is left of it must not be touched by incoming_gone. */
static void finish(struct agent_ask *q)
{
	q->in = NULL;
	agent_ask_free(q);
}

const char *agent_asked(const struct agent_ask *q)
{
	return q->client;
}

static void on_reply(void *ctx, struct bus_reply *reply)
{
	struct agent_ask *q = ctx;

	q->ask = NULL;
	if (!reply->error && kinds[q->kind].take(q, &reply->args)) {
		finish(q);
		return;
	}
	if (reply->error && q->certificate && strcmp(reply->error, BUS_ERROR_REFUSED) == 0) {
		give_up(q);
		finish(q);
		return;
	}
	if (q->subscriber)
		agent_subscription_passed(q, reply->error);
	if (reply->error)
		log_line(&ua_of(q)->host->log, LOG_LEVEL_DEBUG, "agent passes %s: %s",
			kinds[q->kind].member, reply->error);
	else
		log_line(&ua_of(q)->host->log, LOG_LEVEL_WARNING,
			"agent's answer to %s cannot be used", kinds[q->kind].member);
	ask_next(q);
}

static void ask_next(struct agent_ask *q)
{
	struct endpoint *ep = endpoint_of(q);
	usec_t now = ua_of(q)->timers.now, timeout;
	struct agent *a = ep && now < q->deadline ? next_agent(q, ep) : NULL;
	struct bus_writer w;

	if (!a) {
		give_up(q);
		finish(q);
		return;
	}
	q->started = true;
	q->priority = a->priority;
	q->serial = a->serial;
	free(q->client);
	q->client = mem_strdup(a->client);
	timeout = q->deadline - now;
	if (ep->profile->agent_timeout && ep->profile->agent_timeout < timeout)
		timeout = ep->profile->agent_timeout;
	agent_open(a, kinds[q->kind].member, &w);
	kinds[q->kind].write(&w, q);
	q->ask = bus_ask_send(q->all->iface->bus, &w, timeout, on_reply, q);
}

static void tell_observers(const struct agent_ask *q, const struct endpoint *ep)
{
	list_for_each (node, &q->all->agents) {
		const struct agent *a = list_entry(node, struct agent, node);
		struct bus_writer w;

		if (!a->observes || !agent_serves(a, q, ep))
			continue;
		agent_open(a, kinds[q->kind].member, &w);
		kinds[q->kind].write(&w, q);
		bus_ask_tell(q->all->iface->bus, &w);
	}
}

void agent_ask_start(struct agent_ask *q)
{
	tell_observers(q, endpoint_of(q));
	ask_next(q);
}

void agent_incoming(struct agents *all, struct incoming *in)
{
	struct agent_ask *q = agent_ask_new(all,
		in->request->method == METHOD_MESSAGE ? AGENT_PAGE : AGENT_REQUEST,
		AGENT_ASK_TOTAL);
	struct buf id = BUF_NULL;

	ua_random_hex(ua_of(q), &id, PAGE_ID_BYTES);
	q->id = buf_take(&id);
	q->in = in;
	in->user = q;
	agent_ask_start(q);
}

void agent_incoming_gone(struct agents *all, struct incoming *in)
{
	struct agent_ask *q = in->user;

	(void)all;
	if (q)
		finish(q);
}

int agent_ask_begin(struct agent_ask *q, const struct endpoint *ep)
{
	if (!ep || !next_agent(q, ep)) {
		agent_ask_free(q);
		return -ENOENT;
	}
	ask_next(q);
	return 0;
}

int agent_secret(struct agents *all, uint64_t query, const struct host_secret_query *what)
{
	struct endpoint *ep = endpoint_find(all->iface->ua, slice_str(what->endpoint_id));
	struct agent_ask *q = agent_ask_new(all, AGENT_CREDENTIALS, AGENT_ASK_TOTAL);

	q->query = query;
	q->endpoint_id = mem_strdup(what->endpoint_id);
	q->realm = slice_dup(what->realm);
	q->scheme = slice_dup(what->scheme);
	return agent_ask_begin(q, ep);
}
