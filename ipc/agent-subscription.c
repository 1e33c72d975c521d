/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Subscriptions that come: whose subscribers they will be. */
#include <dbus/dbus.h>
#include <string.h>

#include "ipc/agent-private.h"
#include "ipc/bus-value.h"
#include "ipc/iface-private.h"
#include "ipc/iface-subscriber.h"
#include "protocol/msg/msg.h"

enum { ALLOWED_BYTES = 1024 }; /* of Allow-Events; what is longer is not said */

static void write_subscribe(struct bus_writer *w, const struct iface_subscriber *is)
{
	const struct msg *m = subscriber_request(is->s);
	struct buf display = BUF_NULL;
	uint32_t expires;

	addr_append_display(&display, &m->from);
	bus_entry_s(w, "From", m->from.uri.text);
	bus_entry_s(w, "FromDisplayName", buf_slice(&display));
	bus_entry_s(w, "To", m->to.uri.text);
	bus_entry_s(w, "RequestUri", m->request_uri);
	bus_entry_s(w, "CallId", m->call_id);
	bus_entry_s(w, "EventParameters", iface_subscriber_event_parameters(m));
	bus_open_entry(w, "Accept", "as");
	iface_subscriber_write_accept(w, m);
	bus_close(w);
	/* Without it the package says how long (RFC 6665 section 3.1.1). */
	if (msg_number(m, HDR_EXPIRES, UINT32_MAX, &expires))
		bus_entry_u(w, "Expires", expires);
	bus_entry_s(w, "ContentType", m->content_type);
	bus_entry_ay(w, "Body", m->body);
	bus_open_entry(w, "Headers", "a(ss)");
	iface_subscriber_write_headers(w, is);
	bus_close(w);
	buf_deinit(&display);
}

void agent_subscription_write(struct bus_writer *w, const struct agent_ask *q)
{
	struct subscriber *s = q->subscriber->s;

	bus_write_o(w, iface_subscriber_path(q->subscriber));
	bus_open_dict(w);
	bus_entry_s(w, "Event", subscriber_event(s));
	bus_entry_o(w, "Endpoint", iface_endpoint_path(subscriber_endpoint(s)));
	write_subscribe(w, q->subscriber);
	bus_close(w);
}

/* Lets go of the subscriber before the question is freed. */
static struct iface_subscriber *let_go(struct agent_ask *q)
{
	struct iface_subscriber *is = mem_take(&q->subscriber);

	is->ask = NULL;
	return is;
}

bool agent_subscription_take(struct agent_ask *q, struct bus_reader *r)
{
	(void)r;
	iface_subscriber_take(let_go(q), q->client);
	return true;
}

/* Who has no such method, or no such object, serves no package; whoever else passes does. */
void agent_subscription_passed(struct agent_ask *q, const char *error)
{
	static const char *const not_served[] = { DBUS_ERROR_UNKNOWN_METHOD,
		DBUS_ERROR_UNKNOWN_INTERFACE, DBUS_ERROR_UNKNOWN_OBJECT, DBUS_ERROR_SERVICE_UNKNOWN,
		DBUS_ERROR_NAME_HAS_NO_OWNER };

	for (size_t k = 0; error && k < ARRAY_LEN(not_served); k++)
		if (strcmp(error, not_served[k]) == 0)
			return;
	q->is_served = true;
}

void agent_subscription_give_up(struct agent_ask *q)
{
	enum subscriber_audience who =
		q->is_served ? SUBSCRIBER_NOBODY_THERE : SUBSCRIBER_NO_PACKAGE;

	subscriber_pass(let_go(q)->s, who);
}

void agent_subscription_incoming(struct agents *all, struct iface_subscriber *is)
{
	is->ask = agent_ask_new(all, AGENT_SUBSCRIPTION, AGENT_ASK_TOTAL);
	is->ask->subscriber = is;
	agent_ask_start(is->ask);
}

void agent_subscription_gone(struct iface_subscriber *is)
{
	if (is->ask)
		agent_ask_free(is->ask);
}

/* ---- what is served ---- */

enum reach { REACH_NONE, REACH_SOME, REACH_ALL };

/* Of which loaded profiles' endpoints its user may take work. */
static enum reach reach_of(const struct agent *a)
{
	const struct iface_host *h = a->all->iface->host;
	bool any = false, all = true;

	if (h->is_administrator(h->ctx, a->uid) || list_is_empty(&a->all->iface->profiles))
		return REACH_ALL;
	list_for_each (node, &a->all->iface->profiles) {
		const struct iface_profile *p = list_entry(node, struct iface_profile, node);
		bool may = h->may_use(h->ctx, a->uid, p->profile);

		any |= may;
		all &= may;
	}
	return !any ? REACH_NONE : all ? REACH_ALL : REACH_SOME;
}

/* Asked about every endpoint's subscriptions, and only about those that it names. */
static bool is_plain(const struct agent *a)
{
	return a->events.list && !a->endpoints.list && reach_of(a) == REACH_ALL;
}

static bool counts(const struct agent *a)
{
	return agent_takes(a, AGENT_SUBSCRIPTION) && reach_of(a) != REACH_NONE;
}

static bool names(const struct agent *a, size_t n, const char *event)
{
	for (size_t k = 0; k < n; k++)
		if (strcmp(a->events.list[k], event) == 0)
			return true;
	return false;
}

/* Whether an agent before that one serves it, too. */
static bool is_said(const struct agents *all, const struct agent *until, const char *event)
{
	list_for_each (node, &all->agents) {
		const struct agent *a = list_entry(node, struct agent, node);

		if (a == until)
			return false;
		if (counts(a) && names(a, a->events.n, event))
			return true;
	}
	return false;
}

static void say(struct buf *b, const struct agent *a)
{
	for (size_t k = 0; k < a->events.n; k++) {
		if (is_said(a->all, a, a->events.list[k]) || names(a, k, a->events.list[k]))
			continue;
		if (b->n)
			buf_lit(b, ", ");
		buf_str(b, a->events.list[k]);
	}
}

/*
 * RFC 6665 section 4.4.4: the list is comprehensive or there is none. So there is none as soon as
 * an agent names no packages, or serves some endpoints alone; who may serve none does not count.
 */
void agent_subscription_allow(struct agents *all)
{
	struct buf packages = BUF_NULL;
	bool whole = true;

	list_for_each (node, &all->agents) {
		const struct agent *a = list_entry(node, struct agent, node);

		if (!counts(a))
			continue;
		whole &= is_plain(a);
		if (whole && packages.n <= ALLOWED_BYTES)
			say(&packages, a);
	}
	whole &= packages.n <= ALLOWED_BYTES;
	subscriber_allow(all->iface->ua, whole ? buf_slice(&packages) : SLICE_NULL);
	buf_deinit(&packages);
}

bool agent_would_take(struct agents *all, struct iface_subscriber *is)
{
	const struct agent_ask q = { .kind = AGENT_SUBSCRIPTION, .subscriber = is };

	list_for_each (node, &all->agents) {
		const struct agent *a = list_entry(node, struct agent, node);

		if (!a->observes && agent_serves(a, &q, subscriber_endpoint(is->s)))
			return true;
	}
	return false;
}
