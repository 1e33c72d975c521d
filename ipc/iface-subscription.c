/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ipc/iface-subscription.h"

#include <string.h>

#include "ipc/bus-call.h"
#include "ipc/bus-object.h"
#include "ipc/bus-option.h"
#include "ipc/bus-value.h"
#include "ipc/iface-begin.h"
#include "ipc/iface-owner.h"
#include "ipc/iface-private.h"
#include "ipc/iface-session.h"
#include "protocol/base/err.h"
#include "protocol/ua/endpoint.h"
#include "protocol/ua/refer.h"

enum { ID_BYTES = 8 };

struct iface_subscription {
	struct list node; /* in iface->subscriptions */
	struct iface *iface;
	struct endpoint *ep;
	struct refer *r; /* NULL: over */
	struct bus_object *object;
	struct iface_owned owned;
	char *target;
};

/* ---- life ---- */

static struct iface_subscription *of_owned(struct iface_owned *o)
{
	return container_of(o, struct iface_subscription, owned);
}

static void drop(struct iface_subscription *sub)
{
	refer_free(sub->r);
	sub->r = NULL;
	bus_object_free(sub->object);
	iface_owned_deinit(&sub->owned);
	list_remove(&sub->node);
	free(sub->target);
	free(sub);
}

static void terminate(struct iface_subscription *sub, struct slice reason, uint32_t retry_after)
{
	struct bus_writer w;

	bus_changed(sub->object, &iface_subscription, "State");
	bus_signal_open(&w, sub->object, &iface_subscription, "Terminated", NULL);
	bus_write_s(&w, reason);
	bus_write_u(&w, retry_after);
	bus_signal_send(&w);
	drop(sub);
}

static void on_owner_changed(struct iface_owned *o)
{
	bus_changed(of_owned(o)->object, &iface_subscription, "Owner");
	bus_changed(of_owned(o)->object, &iface_subscription, "Shared");
}

static usec_t get_grace(struct iface_owned *o)
{
	return of_owned(o)->ep->profile->owner_grace;
}

static void on_owner_lost(struct iface_owned *o)
{
	struct iface_subscription *sub = of_owned(o);

	switch (sub->ep->profile->on_owner_lost) {
	case PROFILE_OWNER_LOST_END:
		/* Nobody is left to hear how it went, so nothing is lost if that cannot be sent. */
		if (refer_subscribe(sub->r, 0) < 0)
			terminate(sub, SLICE("Owner Gone"), 0);
		break;
	case PROFILE_OWNER_LOST_KEEP:
		break;
	}
}

static const struct iface_owned_class owned_class = {
	.changed = on_owner_changed,
	.grace = get_grace,
	.lost = on_owner_lost,
};

void iface_subscription_drop_all(struct iface *i)
{
	list_for_each_safe (node, next, &i->subscriptions)
		drop(list_entry(node, struct iface_subscription, node));
}

/* ---- the ua's news ---- */

static void write_state(struct bus_writer *w, const struct msg *m)
{
	bus_write_s(w, m->content_type);
	bus_write_ay(w, m->body);
	iface_write_headers(w, m);
}

static void on_notified(void *owner, struct refer *r, const struct msg *m)
{
	struct iface_subscription *sub = owner;
	const char *client = iface_owned_by(&sub->owned);
	struct bus_writer w;

	(void)r;
	bus_changed(sub->object, &iface_subscription, "State");
	bus_changed(sub->object, &iface_subscription, "Expires");
	/* Who adopts it later reads the last state by GetLast. */
	if (!m || !*client)
		return;
	bus_signal_open(&w, sub->object, &iface_subscription, "Notified", client);
	write_state(&w, m);
	bus_signal_send(&w);
}

static void on_terminated(void *owner, struct refer *r, const struct refer_end *end)
{
	struct iface_subscription *sub = owner;
	struct buf text = BUF_NULL;

	(void)r;
	sub->r = NULL;
	if (end->why.n)
		buf_put(&text, end->why);
	else if (end->status)
		buf_printf(&text, "%u %.*s", end->status, SLICE_ARGS(end->reason));
	else
		buf_put(&text, end->reason);
	terminate(sub, buf_slice(&text), end->retry_after);
	buf_deinit(&text);
}

static const struct refer_ops refer_ops = {
	.notified = on_notified,
	.terminated = on_terminated,
};

/* ---- methods ---- */

static int refresh(struct bus_call *c, void *object)
{
	struct iface_subscription *sub = object;
	uint32_t expires = bus_read_u(bus_call_args(c));

	if (!expires)
		return bus_call_fail(c, -EINVAL, "expires of 0 is what Unsubscribe is for");
	return refer_subscribe(sub->r, expires);
}

static int update(struct bus_call *c, void *object)
{
	(void)object;
	return bus_call_fail(c, -EOPNOTSUPP, "a REFER's subscription takes no bodies");
}

static int unsubscribe(struct bus_call *c, void *object)
{
	struct iface_subscription *sub = object;

	(void)c;
	return refer_subscribe(sub->r, 0);
}

static int adopt(struct bus_call *c, void *object)
{
	struct iface_subscription *sub = object;
	const char *owner = iface_owned_by(&sub->owned), *client = bus_call_sender(c);

	if (*owner && strcmp(owner, client) != 0)
		return bus_call_fail(c, -EPERM, "somebody else owns it");
	if (!*owner && iface_owner_is_full(sub->iface, client))
		return bus_call_fail(c, -ENOSPC, "you own too much already");
	iface_own(&sub->owned, client);
	return 0;
}

static int get_last(struct bus_call *c, void *object)
{
	struct iface_subscription *sub = object;
	const struct msg *m = refer_last(sub->r);
	struct bus_writer w;

	if (!m)
		return bus_call_fail(c, -ESTALE, "no state came yet");
	bus_call_open(c, &w);
	write_state(&w, m);
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
	bus_write_str(w, iface_owned_by(&((struct iface_subscription *)object)->owned));
}

static void get_target(struct bus_writer *w, void *object)
{
	bus_write_str(w, ((struct iface_subscription *)object)->target);
}

static void get_event(struct bus_writer *w, void *object)
{
	(void)object;
	bus_write_str(w, "refer");
}

static void get_state(struct bus_writer *w, void *object)
{
	const struct iface_subscription *sub = object;

	bus_write_str(w, refer_state_name(sub->r ? refer_state(sub->r) : REFER_TERMINATED));
}

static void get_expires(struct bus_writer *w, void *object)
{
	const struct iface_subscription *sub = object;

	bus_write_t(w, sub->r ? ua_epoch_seconds(sub->iface->ua, refer_expires(sub->r)) : 0);
}

static void get_shared(struct bus_writer *w, void *object)
{
	bus_write_u(w, *iface_owned_by(&((struct iface_subscription *)object)->owned) != '\0');
}

static int guard(const struct bus_access *a, void *object)
{
	const struct iface_subscription *sub = object;
	const char *owner = iface_owned_by(&sub->owned);
	int r = iface_guard(sub->iface, a, sub->ep->profile);

	if (r == 0 && a->flags & BUS_OWNER && *owner && strcmp(owner, a->sender) != 0)
		return -EPERM;
	return r;
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

/* ---- Endpoint.Refer ---- */

enum { REFER_HEADERS, REFER_NO_SUBSCRIPTION };

const struct bus_option iface_refer_options[] = {
	[REFER_HEADERS] = { "Headers", "a(ss)", IFACE_BEGIN_HEADERS },
	[REFER_NO_SUBSCRIPTION] = { "NoSubscription", "b",
		"Asks for no news (RFC 4488): the object ends with the answer." },
	{ 0 },
};

static void show(struct iface_subscription *sub)
{
	static const struct bus_interface *const interfaces[] = { &iface_subscription, NULL };
	struct buf path = BUF_NULL;
	char *text;

	buf_lit(&path, IFACE_ROOT "/subscription/");
	ua_random_hex(sub->iface->ua, &path, ID_BYTES);
	text = buf_take(&path);
	(void)bus_object_new(sub->iface->bus, text, interfaces, sub, &sub->object);
	free(text);
}

int iface_refer(struct bus_call *c, void *object)
{
	struct iface_endpoint *ie = object;
	struct iface_begin b;
	const struct bus_value *quiet = bus_call_option(c, REFER_NO_SUBSCRIPTION);
	struct refer_spec spec = { .target = bus_read_s(bus_call_args(c)),
		.no_subscription = quiet->given && quiet->b };
	struct iface_subscription *sub;
	struct bus_writer w;
	int r;

	spec.refer_to = bus_read_s(bus_call_args(c));
	if (iface_owner_is_full(ie->iface, bus_call_sender(c)))
		return bus_call_fail(c, -ENOSPC, "you own too much already");
	r = iface_begin_read_session(c, REFER_HEADERS, ie->ep, &b);
	if (r < 0)
		return r;
	spec.headers = (struct session_headers){ .list = b.list, .n = b.n };
	spec.route = slice_str(b.route);
	sub = mem_new(struct iface_subscription);
	r = refer_new(ie->ep, &spec, &refer_ops, sub, &sub->r);
	iface_begin_deinit(&b);
	if (r < 0) {
		free(sub);
		return r == -EINVAL ? bus_call_fail(c, r, "a URI cannot be used") : r;
	}
	sub->iface = ie->iface;
	sub->ep = ie->ep;
	sub->target = slice_dup(spec.target);
	iface_owned_init(&sub->owned, ie->iface, &owned_class);
	list_append(&ie->iface->subscriptions, &sub->node);
	show(sub);
	iface_own(&sub->owned, bus_call_sender(c));
	bus_call_open(c, &w);
	bus_write_o(&w, bus_object_path(sub->object));
	bus_call_send(c, &w);
	return 0;
}
