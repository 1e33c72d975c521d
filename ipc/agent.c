/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Who serves incoming work: registration, filters and order. The asking is in agent-ask.c. */
#include "ipc/agent.h"

#include <string.h>

#include "ipc/agent-private.h"
#include "ipc/bus-ask.h"
#include "ipc/bus-call.h"
#include "ipc/bus-client.h"
#include "ipc/bus-object.h"
#include "ipc/bus-option.h"
#include "ipc/iface-private.h"
#include "ipc/iface-session.h"
#include "ipc/iface-subscriber.h"
#include "protocol/base/err.h"
#include "protocol/msg/chars.h"
#include "protocol/ua/endpoint.h"
#include "protocol/ua/session-view.h"

const struct bus_interface iface_agent = {
	.name = AGENT_INTERFACE,
	.doc = "Implemented by clients. No answer within the profile's agent-timeout counts as passing; "
	       "so does the error org.sipbus1.Error.Pass, and any other error.",
	.methods =
		(const struct bus_method[]){
			{ .name = "SessionReceived",
				.in = "oa{sv}",
				.args = BUS_ARGS("session", "details"),
				.doc = "An INVITE arrived. Returning takes the session; who is asked may act "
				       "on it already. details: From s, FromDisplayName s, To s, RequestUri s, "
				       "ContentType s, Description ay, Headers a(ss), Type s, Forked b, and "
				       "where asked for Replaces o, Join o." },
			{ .name = "PageReceived",
				.in = "osssaya{sv}",
				.out = "us",
				.args = BUS_ARGS("endpoint", "id", "from", "content_type", "body",
					"details", "status", "reason"),
				.doc = "A page (MESSAGE) arrived; the status is sent to the far end. details: "
				       "To s, RequestUri s, FromDisplayName s, CallId s, Headers a(ss)." },
			{ .name = "SubscriptionReceived",
				.in = "oa{sv}",
				.args = BUS_ARGS("subscriber", "details"),
				.doc = "A SUBSCRIBE arrived (RFC 6665). Returning takes the subscriber, which "
				       "waits for Accept or Reject; who is asked may act on it already. No agent "
				       "takes it: 480, or 489 if none serves the event. details: Event s, "
				       "EventParameters s, Endpoint o, From s, FromDisplayName s, To s, "
				       "RequestUri s, CallId s, Accept as, Expires u (if given; 0 fetches "
				       "once), ContentType s, Body ay, Headers a(ss)." },
			{ .name = "RequestReceived",
				.in = "osa(ss)ay",
				.out = "usa(ss)say",
				.args = BUS_ARGS("endpoint", "method", "headers", "body", "status",
					"reason", "headers", "content_type", "body"),
				.doc = "Any other request outside a dialog arrived; the answer is sent to the "
				       "far end, but for BENOTIFY, which has none. Among them NOTIFY that "
				       "nobody asked for, from the endpoint's own server: if no agent takes "
				       "it, message-summary is answered 200, others 481." },
			{ .name = "CredentialsRequired",
				.in = "osasa{sv}",
				.out = "a{sv}",
				.args = BUS_ARGS(
					"endpoint", "realm", "schemes", "details", "credentials"),
				.doc = "A server asks for credentials that the profile does not hold. Answer: "
				       "User s (the profile's if absent), Password s; kept in memory only. "
				       "details: Profile o, Uri s." },
			{ .name = "CertificateReceived",
				.in = "osaya{sv}",
				.args = BUS_ARGS("endpoint", "server", "certificate", "details"),
				.doc = "No known authority issued the certificate (DER) of a server, and the "
				       "profile has TrustOnFirstUse. Returning trusts its key for that server "
				       "from now on, and another key is refused without asking; the error "
				       "org.sipbus1.Error.Refused refuses this connection. Details: Profile o, "
				       "Address s, Port u, Subject s, Issuer s, Fingerprint s (SHA-256), "
				       "NotAfter t. Who takes all kinds of work should know this one." },
			{ .name = "Released", .doc = "The agent is no longer used." },
			{ 0 },
		},
};

static const char *const kind_names[] = {
	[AGENT_SESSION] = "session",
	[AGENT_PAGE] = "page",
	[AGENT_SUBSCRIPTION] = "subscription",
	[AGENT_REQUEST] = "request",
	[AGENT_CREDENTIALS] = "credentials",
	[AGENT_CERTIFICATE] = "certificate",
};

struct agents *agent_list_new(struct iface *i)
{
	struct agents *all = mem_new(struct agents);

	all->iface = i;
	list_init(&all->agents);
	list_init(&all->asks);
	return all;
}

static void free_words(struct agent_words *w)
{
	for (size_t k = 0; k < w->n; k++)
		free(w->list[k]);
	free(w->list);
}

static void free_agent(struct agent *a)
{
	if (list_is_linked(&a->node))
		a->all->n--;
	list_remove(&a->node);
	bus_unwatch(a->watch);
	free_words(&a->endpoints);
	free_words(&a->types);
	free_words(&a->events);
	free(a->client);
	free(a->path);
	free(a);
}

struct agents *agent_list_free(struct agents *all)
{
	if (!all)
		return NULL;
	list_for_each_safe (node, next, &all->asks)
		agent_ask_free(list_entry(node, struct agent_ask, node));
	list_for_each_safe (node, next, &all->agents) {
		struct agent *a = list_entry(node, struct agent, node);
		struct bus_writer w;

		agent_open(a, "Released", &w);
		bus_ask_tell(all->iface->bus, &w);
		free_agent(a);
	}
	agent_subscription_allow(all);
	free(all);
	return NULL;
}

static void remove_agent(struct agent *a)
{
	struct agents *all = a->all;

	free_agent(a);
	agent_subscription_allow(all);
}

static void on_client_left(void *ctx, const char *client)
{
	struct agent *a = ctx;

	(void)client;
	a->watch = NULL;
	/* Questions to it end by themselves: the bus layer tells them that the client went. */
	remove_agent(a);
}

/* ---- the filter ---- */

static int read_kinds(struct bus_call *c, const struct bus_value *v, unsigned *ret_mask)
{
	struct bus_reader items = v->items;
	unsigned mask = 0;

	while (bus_more(&items)) {
		struct slice name = bus_read_s(&items);
		size_t k = 0;

		while (k < ARRAY_LEN(kind_names) && !slice_eq(name, slice_str(kind_names[k])))
			k++;
		if (k == ARRAY_LEN(kind_names))
			return bus_call_fail(
				c, -EINVAL, "no kind of work is named %.*s", SLICE_ARGS(name));
		mask |= 1u << k;
	}
	*ret_mask = mask;
	return 0;
}

static int read_words(struct bus_call *c, unsigned row, struct agent_words *w)
{
	const struct bus_value *v = bus_call_option(c, row);
	struct bus_reader items = v->items;

	if (!v->given)
		return 0;
	w->list = mem_zalloc(AGENT_FILTER_ITEMS * sizeof(*w->list));
	while (bus_more(&items)) {
		if (w->n == AGENT_FILTER_ITEMS)
			return bus_call_fail(c, -ENOSPC, "too much in the filter");
		w->list[w->n++] = slice_dup(bus_read_s(&items));
	}
	return 0;
}

/* RFC 6665 section 8.4: event-type; they go into headers as they are. */
static int read_events(struct bus_call *c, struct agent_words *w)
{
	int r = read_words(c, AGENT_EVENTS, w);

	for (size_t k = 0; r == 0 && k < w->n; k++) {
		const char *p = w->list[k], *end = p + strlen(p);

		if (p == end || chars_past(p, end, CHARS_TOKEN) != end)
			r = bus_call_fail(c, -EINVAL, "no event package is named %s", p);
	}
	return r;
}

static int read_filter(struct bus_call *c, struct agent *a)
{
	const struct bus_value *kinds = bus_call_option(c, AGENT_KINDS);
	const struct bus_value *priority = bus_call_option(c, AGENT_PRIORITY);
	const struct bus_value *observe = bus_call_option(c, AGENT_OBSERVE);
	int r = 0;

	a->kinds = ~0u;
	if (kinds->given)
		r = read_kinds(c, kinds, &a->kinds);
	if (r == 0)
		r = read_words(c, AGENT_ENDPOINTS, &a->endpoints);
	if (r == 0)
		r = read_words(c, AGENT_SESSION_TYPES, &a->types);
	if (r == 0)
		r = read_events(c, &a->events);
	a->priority = priority->given ? priority->i : 0;
	a->observes = observe->given && observe->b;
	return r;
}

/* ---- Manager.RegisterAgent ---- */

static struct agent *find(struct agents *all, const char *client, struct slice path)
{
	list_for_each (node, &all->agents) {
		struct agent *a = list_entry(node, struct agent, node);

		if (strcmp(a->client, client) == 0 && slice_eq(slice_str(a->path), path))
			return a;
	}
	return NULL;
}

static size_t count_of(struct agents *all, const char *client)
{
	size_t n = 0;

	list_for_each (node, &all->agents)
		n += strcmp(list_entry(node, struct agent, node)->client, client) == 0;
	return n;
}

/* Behind the last of at least its priority: higher first, then in order of registration. */
static void insert(struct agents *all, struct agent *a)
{
	struct list *at = &all->agents;

	list_for_each (node, &all->agents) {
		if (list_entry(node, struct agent, node)->priority < a->priority) {
			at = node;
			break;
		}
	}
	list_insert_before(at, &a->node);
	a->serial = ++all->serial;
	all->n++;
}

int agent_register(struct bus_call *c, void *object)
{
	struct agents *all = ((struct iface *)object)->agents;
	const char *client = bus_call_sender(c);
	struct slice path = bus_read_s(bus_call_args(c));
	struct agent *a;
	int r;

	if (find(all, client, path))
		return bus_call_fail(c, -EEXIST, "this agent is registered already");
	if (all->n >= AGENT_TOTAL || count_of(all, client) >= AGENT_PER_CLIENT)
		return bus_call_fail(c, -ENOSPC, "too many agents");
	a = mem_new(struct agent);
	a->all = all;
	a->client = mem_strdup(client);
	a->path = slice_dup(path);
	a->uid = bus_call_uid(c);
	r = read_filter(c, a);
	if (r < 0) {
		free_agent(a);
		return r;
	}
	insert(all, a);
	agent_subscription_allow(all);
	a->watch = bus_watch_client(all->iface->bus, client, on_client_left, a);
	return 0;
}

int agent_unregister(struct bus_call *c, void *object)
{
	struct agents *all = ((struct iface *)object)->agents;
	struct agent *a = find(all, bus_call_sender(c), bus_read_s(bus_call_args(c)));
	struct bus_writer w;

	if (!a)
		return bus_call_fail(c, -ENOENT, "this agent is not registered");
	bus_call_done(c);
	agent_open(a, "Released", &w);
	bus_ask_tell(all->iface->bus, &w);
	remove_agent(a);
	return 0;
}

/* ---- for the asking ---- */

void agent_open(const struct agent *a, const char *member, struct bus_writer *ret_w)
{
	const struct bus_method *row = iface_agent.methods;
	struct bus_ask_target to = {
		.destination = a->client,
		.path = a->path,
		.interface = AGENT_INTERFACE,
		.member = member,
	};

	while (strcmp(row->name, member) != 0)
		row++;
	to.in = row->in;
	to.out = row->out;
	bus_ask_open(a->all->iface->bus, &to, ret_w);
}

static bool lets_through(const struct agent_words *w, struct slice text)
{
	for (size_t k = 0; k < w->n; k++)
		if (slice_eq(slice_str(w->list[k]), text))
			return true;
	return !w->list;
}

bool agent_takes(const struct agent *a, enum agent_kind kind)
{
	return !a->observes && a->kinds & (1u << kind);
}

bool agent_serves(const struct agent *a, const struct agent_ask *q, const struct endpoint *ep)
{
	const struct iface_host *h = a->all->iface->host;

	if (!(a->kinds & (1u << q->kind)))
		return false;
	if (!lets_through(&a->endpoints, slice_str(iface_endpoint_path(ep))))
		return false;
	if (q->session && !lets_through(&a->types, session_type(q->session->s)))
		return false;
	if (q->subscriber && !lets_through(&a->events, subscriber_event(q->subscriber->s)))
		return false;
	return h->is_administrator(h->ctx, a->uid) || h->may_use(h->ctx, a->uid, ep->profile);
}
