/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ipc/iface.h"

#include "ipc/agent.h"
#include "ipc/bus-call.h"
#include "ipc/bus-object.h"
#include "ipc/bus-option.h"
#include "ipc/bus-value.h"
#include "ipc/bus-xml.h"
#include "ipc/iface-private.h"
#include "ipc/iface-publication.h"
#include "ipc/iface-session.h"
#include "ipc/iface-subscriber.h"
#include "ipc/iface-subscription.h"
#include "protocol/base/err.h"
#include "protocol/msg/msg.h"
#include "protocol/ua/endpoint.h"
#include "protocol/ua/incoming.h"
#include "protocol/ua/limits.h"
#include "protocol/ua/request.h"
#include "protocol/ua/session-view.h"
#include "protocol/ua/subscriber.h"

/* ---- the ua's news ---- */

static void on_added(void *ctx, struct endpoint *ep)
{
	iface_endpoint_added(ctx, ep);
}

static void on_removed(void *ctx, struct endpoint *ep)
{
	iface_endpoint_removed(ctx, ep);
}

static void on_changed(void *ctx, struct endpoint *ep, unsigned changes)
{
	(void)ctx;
	iface_endpoint_changed(ep, changes);
}

static void on_registration_done(
	void *ctx, struct endpoint *ep, enum ua_verb verb, const struct outcome *o)
{
	(void)ctx;
	iface_endpoint_done(ep, verb, o);
}

static void on_incoming(void *ctx, struct incoming *in)
{
	struct iface *i = ctx;

	agent_incoming(i->agents, in);
}

static void on_incoming_gone(void *ctx, struct incoming *in)
{
	struct iface *i = ctx;

	agent_incoming_gone(i->agents, in);
}

static void on_session_added(void *ctx, struct session *s)
{
	iface_session_added(ctx, s);
}

static void on_session_incoming(void *ctx, struct session *s)
{
	struct iface *i = ctx;

	agent_session_incoming(i->agents, session_user(s));
}

static void on_session_changed(void *ctx, struct session *s, unsigned changes)
{
	(void)ctx;
	iface_session_changed(s, changes);
}

static void on_session_event(void *ctx, struct session *s, const struct ua_session_event *e)
{
	(void)ctx;
	iface_session_event(s, e);
}

static void on_session_removed(void *ctx, struct session *s)
{
	iface_session_removed(ctx, s);
}

static void on_subscriber_incoming(void *ctx, struct subscriber *s)
{
	iface_subscriber_incoming(ctx, s);
}

static void on_subscriber_changed(void *ctx, struct subscriber *s, unsigned changes)
{
	(void)ctx;
	iface_subscriber_changed(s, changes);
}

static void on_subscriber_event(
	void *ctx, struct subscriber *s, enum subscriber_news news, const struct msg *m)
{
	(void)ctx;
	iface_subscriber_event(s, news, m);
}

static void on_subscriber_removed(void *ctx, struct subscriber *s, const struct subscriber_end *end)
{
	(void)ctx;
	iface_subscriber_removed(s, end);
}

static const struct ua_listener listener = {
	.endpoint_added = on_added,
	.endpoint_removed = on_removed,
	.endpoint_changed = on_changed,
	.registration_done = on_registration_done,
	.incoming = on_incoming,
	.incoming_gone = on_incoming_gone,
	.session_added = on_session_added,
	.session_incoming = on_session_incoming,
	.session_changed = on_session_changed,
	.session_event = on_session_event,
	.session_removed = on_session_removed,
	.subscriber_incoming = on_subscriber_incoming,
	.subscriber_changed = on_subscriber_changed,
	.subscriber_event = on_subscriber_event,
	.subscriber_removed = on_subscriber_removed,
};

/* ---- life ---- */

int iface_new(
	struct bus *bus, struct ua *ua, const struct iface_host *host, struct iface **ret_iface)
{
	struct iface *i = mem_new(struct iface);
	int r;

	i->bus = bus;
	i->ua = ua;
	i->host = host;
	list_init(&i->profiles);
	list_init(&i->endpoints);
	list_init(&i->sessions);
	list_init(&i->subscriptions);
	list_init(&i->publications);
	list_init(&i->subscribers);
	map_init(&i->owners, (uint64_t)(uintptr_t)i);
	map_init(&i->shares, (uint64_t)(uintptr_t)i);
	r = iface_manager_start(i);
	if (r < 0) {
		map_deinit(&i->owners);
		map_deinit(&i->shares);
		free(i);
		return r;
	}
	i->agents = agent_list_new(i);
	ua_set_listener(ua, &listener, i);
	*ret_iface = i;
	return 0;
}

static void free_listeners(struct iface *i)
{
	for (size_t k = 0; k < i->n_listeners; k++) {
		free((char *)(uintptr_t)i->listeners[k].transport);
		free((char *)(uintptr_t)i->listeners[k].address);
		free((char *)(uintptr_t)i->listeners[k].port);
	}
	free(i->listeners);
	i->listeners = NULL;
	i->n_listeners = 0;
}

/* An endpoint may go with the last thing that it waits for, but not before we let go of it. */
static void let_go(struct iface *i)
{
	UA_SCOPE(i->ua);

	ua_set_listener(i->ua, NULL, NULL);
	i->agents = agent_list_free(i->agents);
	list_for_each_safe (node, next, &i->sessions)
		iface_session_removed(i, list_entry(node, struct iface_session, node)->s);
	iface_subscription_drop_all(i);
	iface_publication_drop_all(i);
	iface_subscriber_drop_all(i);
	list_for_each_safe (node, next, &i->endpoints)
		iface_endpoint_removed(i, list_entry(node, struct iface_endpoint, node)->ep);
	list_for_each_safe (node, next, &i->profiles)
		iface_profile_remove(i, list_entry(node, struct iface_profile, node)->profile);
}

struct iface *iface_free(struct iface *i)
{
	if (!i)
		return NULL;
	let_go(i);
	bus_object_free(i->manager);
	free_listeners(i);
	map_deinit(&i->owners);
	map_deinit(&i->shares);
	free(i);
	return NULL;
}

void iface_set_listeners(struct iface *i, const struct iface_listener *list, size_t n)
{
	free_listeners(i);
	i->listeners = mem_zalloc(n * sizeof(*list));
	for (size_t k = 0; k < n; k++) {
		i->listeners[k].transport = mem_strdup(list[k].transport);
		i->listeners[k].address = mem_strdup(list[k].address);
		i->listeners[k].port = mem_strdup(list[k].port);
	}
	i->n_listeners = n;
	iface_manager_changed(i, "Listeners");
}

int iface_ask_secret(struct iface *i, uint64_t query, const struct host_secret_query *what)
{
	return agent_secret(i->agents, query, what);
}

int iface_ask_certificate(struct iface *i, const struct iface_certificate *what)
{
	return agent_certificate(i->agents, what);
}

const struct bus_interface *const iface_tables[] = {
	&iface_manager,
	&iface_profile,
	&iface_endpoint,
	&iface_session,
	&iface_subscription,
	&iface_publication,
	&iface_subscriber,
	&iface_agent,
	NULL,
};

void iface_introspect(struct buf *b)
{
	bus_xml_begin(b);
	for (size_t k = 0; iface_tables[k]; k++)
		bus_xml_interface(b, iface_tables[k], BUS_XML_DOCUMENTED);
	bus_xml_end(b);
}

/* ---- shared by the interfaces ---- */

int iface_guard(const struct iface *i, const struct bus_access *a, const struct profile *p)
{
	const struct iface_host *h = i->host;

	/* Whom a broadcast reaches the bus decides, not the profile: states and codes alone. */
	if (!a->sender)
		return h->one_user || (a->flags & BUS_STATE) ? 0 : -EPERM;
	if (h->is_administrator(h->ctx, a->uid))
		return 0;
	return (a->flags & BUS_PRIVILEGED) || !h->may_use(h->ctx, a->uid, p) ? -EPERM : 0;
}

int iface_fail(struct bus_call *c, const struct outcome *o)
{
	if (o->error == -EREMOTEIO)
		return bus_call_refuse(c, o->status, o->reason);
	if (o->status)
		return bus_call_fail(c, o->error, "%u %.*s", o->status, SLICE_ARGS(o->reason));
	if (o->reason.n)
		return bus_call_fail(c, o->error, "%.*s", SLICE_ARGS(o->reason));
	return bus_call_fail(c, o->error, NULL);
}

void iface_write_headers(struct bus_writer *w, const struct msg *m)
{
	iface_write_headers_but(w, m, HDR_COUNT);
}

void iface_write_headers_but(struct bus_writer *w, const struct msg *m, enum hdr_id left_out)
{
	bus_open_array(w, "(ss)");
	for (size_t k = 0; k < m->n_hdrs; k++) {
		const struct hdr *h = &m->hdrs[k];

		if (h->id == left_out)
			continue;
		/* Compact forms under their full name, so that clients compare one spelling. */
		bus_write_ss(w, h->id == HDR_OTHER ? h->name : hdr_name(h->id), h->value);
	}
	bus_close(w);
}

int iface_read_headers(struct bus_reader items, struct request_header **ret_headers, size_t *ret_n)
{
	struct request_header *list = mem_zalloc(LIMITS_USER_HEADERS * sizeof(*list));
	size_t n = 0;

	while (bus_more(&items)) {
		struct bus_reader pair = bus_enter(&items);

		if (n == LIMITS_USER_HEADERS) {
			free(list);
			return -ENOSPC;
		}
		list[n].name = bus_read_s(&pair);
		list[n].value = bus_read_s(&pair);
		n++;
	}
	*ret_headers = list;
	*ret_n = n;
	return 0;
}

int iface_fail_header(struct bus_call *c, int error, const struct request_header_fault *fault)
{
	return bus_call_fail(c, error, "header \"%.*s\" %s", SLICE_ARGS(fault->name), fault->why);
}

int iface_headers_option(
	struct bus_call *c, unsigned row, struct request_header **ret_headers, size_t *ret_n)
{
	const struct bus_value *v = bus_call_option(c, row);
	struct request_header_fault fault;
	struct request_header *list;
	size_t n;
	int r;

	*ret_headers = NULL;
	*ret_n = 0;
	if (!v->given)
		return 0;
	r = iface_read_headers(v->items, &list, &n);
	if (r < 0)
		return bus_call_fail(c, r, "more than %d headers", LIMITS_USER_HEADERS);
	r = request_headers_check(list, n, &fault);
	if (r < 0) {
		r = iface_fail_header(c, r, &fault);
		free(list);
		return r;
	}
	*ret_headers = list;
	*ret_n = n;
	return 0;
}
