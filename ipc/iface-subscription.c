/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* org.sipbus1.Subscription: an object's life, who may act on it, its verbs and its table. */
#include "ipc/iface-subscription.h"

#include "ipc/bus-call.h"
#include "ipc/bus-object.h"
#include "ipc/bus-value.h"
#include "ipc/iface-digest.h"
#include "ipc/iface-owner.h"
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

/*
 * No more is wanted: Terminated comes with the last word of its feed, which may be before this
 * returns: whoever calls has done with sub.
 */
static int end(struct iface_subscription *sub)
{
	UA_SCOPE(sub->iface->ua);
	int r;

	if (sub->ending)
		return -ESTALE;
	r = sub->feed->end(sub->of);
	if (r < 0)
		return r;
	sub->ending = true;
	iface_wish_unshare(sub);
	return 0;
}

static void on_clients_lost(struct iface_clients *cs)
{
	struct iface_subscription *sub = of_clients(cs);

	switch (sub->ep->profile->on_owner_lost) {
	case PROFILE_OWNER_LOST_END:
		/* Nobody is left to hear how it went, so nothing is lost if that cannot be sent. */
		if (!sub->ending && end(sub) < 0) {
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

struct iface_subscription *iface_subscription_new(const struct iface_endpoint *ie,
	const struct iface_feed *feed, struct slice target, struct slice event)
{
	struct iface_subscription *sub = mem_new(struct iface_subscription);

	sub->iface = ie->iface;
	sub->ep = ie->ep;
	sub->feed = feed;
	sub->target = slice_dup(target);
	sub->event = slice_dup(event);
	iface_clients_init(&sub->clients, ie->iface, &clients_class);
	return sub;
}

void iface_subscription_show(struct iface_subscription *sub)
{
	static const struct bus_interface *const interfaces[] = { &iface_subscription, NULL };
	struct buf path = BUF_NULL;
	char *text;

	buf_lit(&path, IFACE_ROOT "/subscription/");
	ua_random_hex(sub->iface->ua, &path, ID_BYTES);
	text = buf_take(&path);
	list_append(&sub->iface->subscriptions, &sub->node);
	sub->iface->n_subscriptions++;
	sub->iface->n_subscribed++;
	iface_subscription_changed(sub);
	(void)bus_object_new(sub->iface->bus, text, interfaces, sub, &sub->object);
	free(text);
}

int iface_subscription_give(struct iface_subscription *sub, struct bus_call *c)
{
	int r = iface_clients_join(&sub->clients, bus_call_sender(c));
	struct bus_writer w;

	if (r < 0)
		return bus_call_fail(c, r, IFACE_OWNS_TOO_MUCH);
	bus_call_open(c, &w);
	bus_write_o(&w, bus_object_path(sub->object));
	bus_call_send(c, &w);
	return 0;
}

void iface_subscription_free(struct iface_subscription *sub)
{
	if (sub->of)
		sub->feed->free(mem_take(&sub->of));
	iface_wish_unshare(sub);
	if (list_is_linked(&sub->node))
		sub->iface->n_subscriptions--;
	bus_object_free(sub->object);
	iface_clients_deinit(&sub->clients);
	list_remove(&sub->node);
	iface_digest_free(sub->digest);
	free(sub->target);
	free(sub->event);
	free(sub);
}

void iface_subscription_drop_all(struct iface *i)
{
	list_for_each_safe (node, next, &i->subscriptions)
		iface_subscription_free(list_entry(node, struct iface_subscription, node));
}

/* ---- methods ---- */

static int fail_ending(struct bus_call *c)
{
	return bus_call_fail(c, -ESTALE, "it is being ended");
}

static int refresh(struct bus_call *c, void *object)
{
	struct iface_subscription *sub = object;
	UA_SCOPE(sub->iface->ua);
	uint32_t expires = bus_read_u(bus_call_args(c));
	int r;

	if (!expires)
		return bus_call_fail(c, -EINVAL, "expires of 0 is what Unsubscribe is for");
	if (sub->ending)
		return fail_ending(c);
	r = iface_wish_check_expires(c, expires);
	if (r < 0)
		return r;
	r = sub->feed->refresh(sub->of, expires);
	if (r == 0)
		sub->expires = expires;
	return r;
}

static int update(struct bus_call *c, void *object)
{
	struct iface_subscription *sub = object;
	UA_SCOPE(sub->iface->ua);
	struct slice content_type = bus_read_s(bus_call_args(c));
	struct slice body = bus_read_ay(bus_call_args(c));
	int r;

	if (!sub->feed->update)
		return bus_call_fail(c, -EOPNOTSUPP, "a REFER's subscription takes no bodies");
	if (sub->ending)
		return fail_ending(c);
	if (sub->clients.n > 1)
		return bus_call_fail(c, -ESTALE, "others share it, and want what they asked for");
	if (!body.n)
		content_type = SLICE_NULL;
	r = sub->feed->update(sub->of, content_type, body);
	if (r == -EINVAL)
		return bus_call_fail(c, r, "content_type is none, or Subscribe had Targets");
	if (r == 0)
		iface_wish_unshare(sub); /* its state is of another wish as yet */
	return r;
}

static int unsubscribe(struct bus_call *c, void *object)
{
	struct iface_subscription *sub = object;
	const char *client = bus_call_sender(c);

	if (sub->clients.n < 2)
		return sub->ending ? fail_ending(c) : end(sub);
	iface_clients_leave(&sub->clients, client);
	bus_call_done(c);
	iface_subscription_dismiss(sub, client);
	return 0;
}

static int adopt(struct bus_call *c, void *object)
{
	struct iface_subscription *sub = object;
	const char *client = bus_call_sender(c);
	int r;

	if (iface_clients_has(&sub->clients, client))
		return 0;
	if (sub->clients.n)
		return bus_call_fail(c, -EPERM, "it is somebody's: Subscribe shares it");
	r = iface_clients_join(&sub->clients, client);
	if (r < 0)
		return bus_call_fail(c, r, IFACE_OWNS_TOO_MUCH);
	bus_call_done(c);
	iface_subscription_replay(sub, client);
	return 0;
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

/* ---- the table ---- */

static const struct bus_method methods[] = {
	{ .name = "Refresh",
		.in = "u",
		.args = BUS_ARGS("expires"),
		.call = refresh,
		.flags = BUS_OWNER,
		.doc = "Asks the far end at once to go on for that many seconds, for all who share it; "
		       "it answers with its whole state. Nobody has to: what Subscribe made is "
		       "refreshed until Unsubscribe. Errors: WrongState, InvalidArgument, "
		       "LimitExceeded." },
	{ .name = "Update",
		.in = "say",
		.args = BUS_ARGS("content_type", "body"),
		.call = update,
		.flags = BUS_OWNER,
		.doc = "Sends another body, as of a filter, now and with each refresh; empty: none. Nobody joins it "
		       "from then on. Errors: WrongState "
		       "(others share it), InvalidArgument, NotSupported (Refer made it)." },
	{ .name = "Unsubscribe",
		.call = unsubscribe,
		.flags = BUS_OWNER,
		.doc = "The caller wants no more news, and Terminated follows: at once and to the caller "
		       "alone, with the reason unsubscribed, while others share it; else to everybody "
		       "when the far end has ended it, and what that still has to say comes as "
		       "Notified. Errors: WrongState, LimitExceeded." },
	{ .name = "Adopt",
		.call = adopt,
		.doc = "Takes one that is nobody's; what is known already comes as Notified right after "
		       "the reply. Errors: AccessDenied, LimitExceeded." },
	{ .name = "GetLast",
		.out = "saya(ss)",
		.args = BUS_ARGS("content_type", "body", "headers"),
		.call = get_last,
		.doc = "The state that came last. Error: WrongState (none yet)." },
	{ .name = "GetSummary",
		.out = "a{sv}",
		.args = BUS_ARGS("summary"),
		.call = iface_digest_get_summary,
		.doc = "What that state says, with the keys of Manager.ReadBody; empty if there is none "
		       "for now. What comes in pieces is put together; of a list that happens if List "
		       "or Targets was asked for. Of several notifiers (Dialogs) it is what the last that "
		       "spoke said; if that were changes only, among what others said, and Complete is "
		       "false. Errors: WrongState (none yet), NotSupported (nothing is known about its "
		       "type), InvalidArgument, LimitExceeded (what is wrong in it)." },
	{ .name = "GetResources",
		.out = "a(ssssaya{sv})",
		.args = BUS_ARGS("resources"),
		.call = iface_digest_get_resources,
		.doc = "The list that is watched, as far as it was told: " IFACE_DIGEST_RESOURCE_DOC
		       ". Error: NotSupported (neither List nor Targets was asked for)." },
	{ 0 },
};

static const struct bus_signal signals[] = {
	{ .name = "Notified",
		.sig = "saya(ss)",
		.args = BUS_ARGS("content_type", "body", "headers"),
		.flags = BUS_UNICAST,
		.doc = "To each of its clients: state came, mostly by NOTIFY; an empty body says that "
		       "there is none for now. After Refer it is how far the target has come "
		       "(message/sipfrag)." },
	{ .name = "Summarized",
		.sig = "a{sv}",
		.args = BUS_ARGS("summary"),
		.flags = BUS_UNICAST,
		.doc = "To each client that asked for Summary in Subscribe, after Notified: what "
		       "GetSummary gives now; empty when there is no state any more. It does not come if "
		       "the body cannot be read or is older than what is known, or if there was no state "
		       "before either." },
	{ .name = "ResourceNotified",
		.sig = "ssssaya{sv}",
		.args = BUS_ARGS("uri", "name", "state", "content_type", "body", "details"),
		.flags = BUS_UNICAST,
		.doc = "To each client of a list (List or Targets in Subscribe), after Notified, for "
		       "each resource that this told of: " IFACE_DIGEST_RESOURCE_DOC
		       ", and Summary a{sv} for who asked for that. A list in the list is told as its "
		       "resources." },
	{ .name = "Terminated",
		.sig = "su",
		.args = BUS_ARGS("reason", "retry_after"),
		.doc = "It is over, once; then the object goes. The reason of Subscription-State, or "
		       "status and phrase of a refusal; seconds after which to try again, 0: not said. "
		       "To one client alone: see Unsubscribe." },
	{ 0 },
};

const struct bus_interface iface_subscription = {
	.name = "org.sipbus1.Subscription",
	.doc = "What the far end keeps us informed about. Clients that want the same from one "
	       "endpoint share one object, one dialog and what it tells; each of them acts on it. It "
	       "ends when the last of them wants no more, or has left the bus for the profile's "
	       "OwnerGrace.",
	.guard = guard,
	.methods = methods,
	.properties = iface_subscription_properties,
	.signals = signals,
};
