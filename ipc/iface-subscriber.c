/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* org.sipbus1.Subscriber: its life, who may act on it, and its table. */
#include "ipc/iface-subscriber.h"

#include <string.h>

#include "ipc/agent.h"
#include "ipc/bus-object.h"
#include "ipc/bus-path.h"
#include "ipc/bus-value.h"
#include "ipc/iface-private.h"
#include "protocol/base/err.h"
#include "protocol/msg/msg.h"

/* ---- ownership ---- */

static struct iface_subscriber *of_owned(struct iface_owned *o)
{
	return container_of(o, struct iface_subscriber, owned);
}

static const struct profile *profile_of(const struct iface_subscriber *is)
{
	return subscriber_endpoint(is->s)->profile;
}

static void on_owner_changed(struct iface_owned *o)
{
	bus_changed(of_owned(o)->object, &iface_subscriber, "Owner");
}

static usec_t get_grace(struct iface_owned *o)
{
	return profile_of(of_owned(o))->owner_grace;
}

/*
 * Nobody is left to know the state. RFC 6665 section 4.1.3: "deactivated" brings the subscriber
 * back at once, to another agent; "probation" brings it back later, when there may be one; and
 * "giveup" tells one that never heard whether it is authorized.
 */
static void end(struct iface_subscriber *is)
{
	if (subscriber_state(is->s) == SUBSCRIBER_INCOMING)
		subscriber_pass(is->s, SUBSCRIBER_NOBODY_THERE);
	else if (agent_would_take(is->iface->agents, is))
		(void)subscriber_finish(is->s, SLICE("deactivated"), 0);
	else if (subscriber_state(is->s) == SUBSCRIBER_PENDING)
		(void)subscriber_finish(is->s, SLICE("giveup"), IFACE_SUBSCRIBER_RETRY_SECONDS);
	else
		(void)subscriber_finish(is->s, SLICE("probation"), IFACE_SUBSCRIBER_RETRY_SECONDS);
}

static void on_owner_lost(struct iface_owned *o)
{
	struct iface_subscriber *is = of_owned(o);

	switch (profile_of(is)->on_owner_lost) {
	case PROFILE_OWNER_LOST_END:
		end(is);
		break;
	case PROFILE_OWNER_LOST_KEEP:
		/* The state told last is told again where that is the whole; who adopts it later
		 * hears what waits. A question cannot wait. */
		if (subscriber_state(is->s) == SUBSCRIBER_INCOMING)
			end(is);
		break;
	}
}

static const struct iface_owned_class owned_class = {
	.changed = on_owner_changed,
	.grace = get_grace,
	.lost = on_owner_lost,
	.is_theirs = true,
};

bool iface_subscriber_is_for(const struct iface_subscriber *is, const char *client)
{
	const char *owner = iface_owned_by(&is->owned);

	if (!*owner && is->ask)
		owner = agent_asked(is->ask);
	return !*owner || strcmp(owner, client) == 0;
}

static int guard(const struct bus_access *a, void *object)
{
	const struct iface_subscriber *is = object;
	int r = iface_guard(is->iface, a, profile_of(is));

	if (r == 0 && a->flags & BUS_OWNER && !iface_subscriber_is_for(is, a->sender))
		return -EPERM;
	return r;
}

/* ---- what its owner hears ---- */

/* NULL: nobody. */
static const char *listener_of(const struct iface_subscriber *is)
{
	const char *owner = iface_owned_by(&is->owned);

	if (*owner)
		return owner;
	return is->ask ? agent_asked(is->ask) : NULL;
}

/* Only the last of each kind counts, so that what waits is two flags. */
static void tell(struct iface_subscriber *is)
{
	const char *client = listener_of(is);
	struct bus_writer w;

	if (!client)
		return;
	if (is->body_came) {
		is->body_came = false;
		bus_signal_open(&w, is->object, &iface_subscriber, "BodyReceived", client);
		bus_write_s(&w, is->last->content_type);
		bus_write_ay(&w, is->last->body);
		iface_subscriber_write_headers(&w, is);
		bus_signal_send(&w);
	}
	if (is->state_wanted) {
		is->state_wanted = false;
		bus_signal_open(&w, is->object, &iface_subscriber, "StateWanted", client);
		bus_signal_send(&w);
	}
}

void iface_subscriber_take(struct iface_subscriber *is, const char *client)
{
	/* Whoever was to be asked next is not: it is somebody's. */
	agent_subscription_gone(is);
	iface_own(&is->owned, client);
	tell(is);
}

/* ---- the table ---- */

static const struct bus_signal signals[] = {
	{ .name = "StateWanted",
		.flags = BUS_UNICAST,
		.doc = "To the owner, who owes Notify with the whole state: a NOTIFY with it is due, "
		       "after a refresh or a loss, and the last Notify was Partial." },
	{ .name = "BodyReceived",
		.sig = "saya(ss)",
		.args = BUS_ARGS("content_type", "body", "headers"),
		.flags = BUS_UNICAST,
		.doc = "To the owner: a SUBSCRIBE within the subscription brought another body, such as a "
		       "filter (RFC 4660), or took it away. StateWanted follows if state is due." },
	{ .name = "Terminated",
		.sig = "sus",
		.args = BUS_ARGS("reason", "status", "origin"),
		.doc = "The subscription is over, once; then the object goes. reason: of the last NOTIFY "
		       "(RFC 6665 section 4.1.3), unsubscribed, or why there was none; status: of the "
		       "refusal that ended it, ours, whose phrase reason is, or of a NOTIFY, else 0; "
		       "origin: local, remote, network or timeout." },
	{ 0 },
};

const struct bus_interface iface_subscriber = {
	.name = "org.sipbus1.Subscriber",
	.doc = "Somebody who subscribed to an event package of an endpoint (RFC 6665 section 4.2). The "
	       "client that took it serves the package: it accepts, tells the state and every change "
	       "of it, and hears when state is wanted; refreshes, expiry, throttling (RFC 6446) and "
	       "unsubscribing are looked after. Without an owner, whoever may use the profile may "
	       "act, and signals wait for Adopt.",
	.guard = guard,
	.methods = iface_subscriber_methods,
	.properties = iface_subscriber_properties,
	.signals = signals,
};

/* ---- the ua's news ---- */

static void show(struct iface_subscriber *is)
{
	static const struct bus_interface *const interfaces[] = { &iface_subscriber, NULL };
	struct buf path = BUF_NULL;
	char *text;

	buf_lit(&path, IFACE_ROOT "/subscriber/");
	bus_path_append(&path, slice_str(subscriber_id(is->s)));
	text = buf_take(&path);
	(void)bus_object_new(is->iface->bus, text, interfaces, is, &is->object);
	free(text);
}

void iface_subscriber_incoming(struct iface *i, struct subscriber *s)
{
	struct iface_subscriber *is = mem_new(struct iface_subscriber);

	is->iface = i;
	is->s = s;
	is->last = msg_ref(subscriber_request(s));
	iface_owned_init(&is->owned, i, &owned_class);
	list_append(&i->subscribers, &is->node);
	i->n_subscribers++;
	i->n_subscribers_in++;
	subscriber_set_user(s, is);
	show(is);
	agent_subscription_incoming(i->agents, is);
}

static void drop(struct iface_subscriber *is)
{
	agent_subscription_gone(is);
	/* The object's last words need all of it still. */
	bus_object_free(is->object);
	subscriber_set_user(is->s, NULL);
	iface_owned_deinit(&is->owned);
	list_remove(&is->node);
	is->iface->n_subscribers--;
	msg_unref(is->last);
	free(is);
}

void iface_subscriber_removed(struct subscriber *s, const struct subscriber_end *end)
{
	struct iface_subscriber *is = subscriber_user(s);
	struct bus_writer w;

	if (!is)
		return;
	bus_signal_open(&w, is->object, &iface_subscriber, "Terminated", NULL);
	bus_write_s(&w, end->reason);
	bus_write_u(&w, end->status);
	bus_write_str(&w, outcome_origin_name(end->origin));
	bus_signal_send(&w);
	drop(is);
}

void iface_subscriber_drop_all(struct iface *i)
{
	list_for_each_safe (node, next, &i->subscribers)
		drop(list_entry(node, struct iface_subscriber, node));
}

void iface_subscriber_changed(struct subscriber *s, unsigned changes)
{
	struct iface_subscriber *is = subscriber_user(s);

	if (is && changes & SUBSCRIBER_CHANGE_STATE)
		bus_changed(is->object, &iface_subscriber, "State");
	if (is && changes & SUBSCRIBER_CHANGE_EXPIRES)
		bus_changed(is->object, &iface_subscriber, "Expires");
}

void iface_subscriber_event(struct subscriber *s, enum subscriber_news news, const struct msg *m)
{
	struct iface_subscriber *is = subscriber_user(s);

	if (!is)
		return;
	switch (news) {
	case SUBSCRIBER_WANTS_STATE:
		is->state_wanted = true;
		break;
	case SUBSCRIBER_NEW_BODY:
		msg_unref(is->last);
		is->last = msg_ref(m);
		is->body_came = true;
		break;
	}
	tell(is);
}

const char *iface_subscriber_path(const struct iface_subscriber *is)
{
	return bus_object_path(is->object);
}
