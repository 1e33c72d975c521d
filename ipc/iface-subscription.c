/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* org.sipbus1.Subscription: an object's life, who may act on it, its verbs and its table. */
#include "ipc/iface-subscription.h"

#include "ipc/bus-call.h"
#include "ipc/bus-object.h"
#include "ipc/bus-value.h"
#include "ipc/iface-private.h"
#include "protocol/base/err.h"
#include "protocol/ua/endpoint.h"

enum { ID_BYTES = 8 };

/* ---- its clients ---- */

static struct iface_subscription *of_clients(struct iface_clients *cs)
{
	return container_of(cs, struct iface_subscription, clients);
}

static void on_clients_changed(struct iface_clients *cs)
{
	bus_changed(of_clients(cs)->object, &iface_subscription, "Owner");
	bus_changed(of_clients(cs)->object, &iface_subscription, "Shared");
}

static usec_t get_grace(struct iface_clients *cs)
{
	return of_clients(cs)->ep->profile->owner_grace;
}

static void on_clients_lost(struct iface_clients *cs)
{
	struct iface_subscription *sub = of_clients(cs);

	switch (sub->ep->profile->on_owner_lost) {
	case PROFILE_OWNER_LOST_END:
		/* Nobody is left to hear how it went, so nothing is lost if that cannot be sent. */
		if (sub->feed->end(sub->of) < 0) {
			sub->feed->free(sub->of);
			iface_subscription_over(sub, SLICE("Owner Gone"), 0);
		}
		break;
	case PROFILE_OWNER_LOST_KEEP:
		break;
	}
}

static const struct iface_clients_class clients_class = {
	.changed = on_clients_changed,
	.grace = get_grace,
	.lost = on_clients_lost,
};

/* Nobody's is everybody's who may use the profile. */
static int guard(const struct bus_access *a, void *object)
{
	const struct iface_subscription *sub = object;
	int r = iface_guard(sub->iface, a, sub->ep->profile);

	if (r == 0 && a->flags & BUS_OWNER && sub->clients.n &&
		!iface_clients_has(&sub->clients, a->sender))
		return -EPERM;
	return r;
}

/* ---- life ---- */

struct iface_subscription *iface_subscription_new(
	const struct iface_endpoint *ie, const struct iface_feed *feed, struct slice target)
{
	struct iface_subscription *sub = mem_new(struct iface_subscription);

	sub->iface = ie->iface;
	sub->ep = ie->ep;
	sub->feed = feed;
	sub->target = slice_dup(target);
	iface_clients_init(&sub->clients, ie->iface, &clients_class);
	return sub;
}

void iface_subscription_show(struct iface_subscription *sub, struct bus_call *c)
{
	static const struct bus_interface *const interfaces[] = { &iface_subscription, NULL };
	struct buf path = BUF_NULL;
	struct bus_writer w;
	char *text;

	buf_lit(&path, IFACE_ROOT "/subscription/");
	ua_random_hex(sub->iface->ua, &path, ID_BYTES);
	text = buf_take(&path);
	list_append(&sub->iface->subscriptions, &sub->node);
	(void)bus_object_new(sub->iface->bus, text, interfaces, sub, &sub->object);
	free(text);
	(void)iface_clients_join(&sub->clients, bus_call_sender(c));
	bus_call_open(c, &w);
	bus_write_o(&w, bus_object_path(sub->object));
	bus_call_send(c, &w);
}

void iface_subscription_free(struct iface_subscription *sub)
{
	if (sub->of)
		sub->feed->free(mem_take(&sub->of));
	bus_object_free(sub->object);
	iface_clients_deinit(&sub->clients);
	list_remove(&sub->node);
	free(sub->target);
	free(sub);
}

void iface_subscription_drop_all(struct iface *i)
{
	list_for_each_safe (node, next, &i->subscriptions)
		iface_subscription_free(list_entry(node, struct iface_subscription, node));
}

/* ---- methods ---- */

static int refresh(struct bus_call *c, void *object)
{
	struct iface_subscription *sub = object;
	uint32_t expires = bus_read_u(bus_call_args(c));

	if (!expires)
		return bus_call_fail(c, -EINVAL, "expires of 0 is what Unsubscribe is for");
	return sub->feed->refresh(sub->of, expires);
}

static int update(struct bus_call *c, void *object)
{
	struct iface_subscription *sub = object;
	struct slice content_type = bus_read_s(bus_call_args(c));

	if (!sub->feed->update)
		return bus_call_fail(c, -EOPNOTSUPP, "a REFER's subscription takes no bodies");
	if (sub->clients.n > 1)
		return bus_call_fail(c, -ESTALE, "others share it, and want what they asked for");
	return sub->feed->update(sub->of, content_type, bus_read_ay(bus_call_args(c)));
}

static int unsubscribe(struct bus_call *c, void *object)
{
	struct iface_subscription *sub = object;

	(void)c;
	return sub->feed->end(sub->of);
}

static int adopt(struct bus_call *c, void *object)
{
	struct iface_subscription *sub = object;
	const char *client = bus_call_sender(c);
	int r;

	if (sub->clients.n && !iface_clients_has(&sub->clients, client))
		return bus_call_fail(c, -EPERM, "somebody else owns it");
	r = iface_clients_join(&sub->clients, client);
	return r < 0 ? bus_call_fail(c, r, "you own too much already") : 0;
}

static int get_last(struct bus_call *c, void *object)
{
	struct iface_subscription *sub = object;
	const struct msg *m = sub->feed->last(sub->of);
	struct bus_writer w;

	if (!m)
		return bus_call_fail(c, -ESTALE, "no state came yet");
	bus_call_open(c, &w);
	iface_subscription_write(&w, m);
	bus_call_send(c, &w);
	return 0;
}

/* ---- properties ---- */

static void get_endpoint(struct bus_writer *w, void *object)
{
	bus_write_o(w, iface_endpoint_path(((struct iface_subscription *)object)->ep));
}

static void get_owner(struct bus_writer *w, void *object)
{
	bus_write_str(w, iface_clients_owner(&((struct iface_subscription *)object)->clients));
}

static void get_target(struct bus_writer *w, void *object)
{
	bus_write_str(w, ((struct iface_subscription *)object)->target);
}

static void get_event(struct bus_writer *w, void *object)
{
	bus_write_str(w, ((struct iface_subscription *)object)->feed->event);
}

static void get_state(struct bus_writer *w, void *object)
{
	const struct iface_subscription *sub = object;

	bus_write_str(w, sub->of ? sub->feed->state(sub->of) : "terminated");
}

static void get_expires(struct bus_writer *w, void *object)
{
	const struct iface_subscription *sub = object;

	bus_write_t(w, sub->of ? ua_epoch_seconds(sub->iface->ua, sub->feed->expires(sub->of)) : 0);
}

static void get_shared(struct bus_writer *w, void *object)
{
	bus_write_u(w, (uint32_t)((struct iface_subscription *)object)->clients.n);
}

/* ---- the table ---- */

static const struct bus_method methods[] = {
	{ .name = "Refresh",
		.in = "u",
		.args = BUS_ARGS("expires"),
		.call = refresh,
		.flags = BUS_OWNER,
		.doc = "Asks the far end to go on for that many seconds. Errors: WrongState, "
		       "InvalidArgument, LimitExceeded." },
	{ .name = "Update",
		.in = "say",
		.args = BUS_ARGS("content_type", "body"),
		.call = update,
		.flags = BUS_OWNER,
		.doc = "Sends a body with a refresh. Error: NotSupported, as long as Refer alone makes "
		       "subscriptions." },
	{ .name = "Unsubscribe",
		.call = unsubscribe,
		.flags = BUS_OWNER,
		.doc = "Wants no more news; Terminated follows. Errors: WrongState, LimitExceeded." },
	{ .name = "Adopt",
		.call = adopt,
		.doc = "Takes one that nobody owns. Errors: AccessDenied, LimitExceeded." },
	{ .name = "GetLast",
		.out = "saya(ss)",
		.args = BUS_ARGS("content_type", "body", "headers"),
		.call = get_last,
		.doc = "The state that came last. Error: WrongState (none yet)." },
	{ 0 },
};

static const struct bus_property properties[] = {
	{ .name = "Endpoint",
		.sig = "o",
		.get = get_endpoint,
		.flags = BUS_CONST | BUS_STATE,
		.doc = "Whose subscription it is." },
	{ .name = "Owner",
		.sig = "s",
		.get = get_owner,
		.flags = BUS_EMITS | BUS_STATE,
		.doc = "Unique name of the client that made or took it; empty: nobody, so Adopt can." },
	{ .name = "Target",
		.sig = "s",
		.get = get_target,
		.flags = BUS_CONST,
		.doc = "Who was asked." },
	{ .name = "Event",
		.sig = "s",
		.get = get_event,
		.flags = BUS_CONST | BUS_STATE,
		.doc = "The event package: refer (RFC 3515)." },
	{ .name = "State",
		.sig = "s",
		.get = get_state,
		.flags = BUS_EMITS | BUS_STATE,
		.doc = "pending, active, waiting or terminated." },
	{ .name = "Expires",
		.sig = "t",
		.get = get_expires,
		.flags = BUS_EMITS | BUS_STATE,
		.doc = "When it ends unless refreshed, seconds since the epoch; 0: not known." },
	{ .name = "Shared",
		.sig = "u",
		.get = get_shared,
		.flags = BUS_EMITS | BUS_STATE,
		.doc = "How many clients share the dialog." },
	{ 0 },
};

static const struct bus_signal signals[] = {
	{ .name = "Notified",
		.sig = "saya(ss)",
		.args = BUS_ARGS("content_type", "body", "headers"),
		.flags = BUS_UNICAST,
		.doc = "To the owner: NOTIFY came; after Refer its body is how far the target has come "
		       "(message/sipfrag)." },
	{ .name = "Terminated",
		.sig = "su",
		.args = BUS_ARGS("reason", "retry_after"),
		.doc = "It is over, once; then the object goes. The reason of Subscription-State, or "
		       "status and phrase of a refusal; seconds after which to try again, 0: not said." },
	{ 0 },
};

const struct bus_interface iface_subscription = {
	.name = "org.sipbus1.Subscription",
	.doc = "What the far end keeps us informed about. Its owner acts on it and hears its signals.",
	.guard = guard,
	.methods = methods,
	.properties = properties,
	.signals = signals,
};
