/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What can be read of a subscription. */
#include "ipc/bus-value.h"
#include "ipc/iface-private.h"
#include "ipc/iface-subscription.h"

static const struct iface_subscription *of(const void *object)
{
	return object;
}

static void get_endpoint(struct bus_writer *w, void *object)
{
	bus_write_o(w, iface_endpoint_path(of(object)->ep));
}

static void get_owner(struct bus_writer *w, void *object)
{
	bus_write_str(w, iface_clients_owner(&of(object)->clients));
}

static void get_target(struct bus_writer *w, void *object)
{
	bus_write_str(w, of(object)->target);
}

static void get_event(struct bus_writer *w, void *object)
{
	bus_write_str(w, of(object)->event);
}

static void get_state(struct bus_writer *w, void *object)
{
	const struct iface_subscription *sub = object;

	bus_write_str(w, sub->of ? sub->feed->state(sub->of) : "terminated");
}

static void write_time(
	struct bus_writer *w, const struct iface_subscription *sub, usec_t (*get)(const void *of))
{
	bus_write_t(w, sub->of ? ua_epoch_seconds(sub->iface->ua, get(sub->of)) : 0);
}

static void get_expires(struct bus_writer *w, void *object)
{
	write_time(w, object, of(object)->feed->expires);
}

static void get_next_attempt(struct bus_writer *w, void *object)
{
	write_time(w, object, of(object)->feed->next_attempt);
}

static void get_last_error(struct bus_writer *w, void *object)
{
	const struct iface_subscription *sub = object;
	struct subscription_end e = { 0 };
	bool is = sub->of && sub->feed->trouble(sub->of, &e);

	bus_open_struct(w);
	bus_write_u(w, e.status);
	bus_write_s(w, e.reason);
	bus_write_str(w, is ? outcome_origin_name(e.origin) : NULL);
	bus_close(w);
}

static void get_shared(struct bus_writer *w, void *object)
{
	bus_write_u(w, (uint32_t)of(object)->clients.n);
}

static void get_dialogs(struct bus_writer *w, void *object)
{
	const struct iface_subscription *sub = object;

	bus_write_u(w, sub->of ? (uint32_t)sub->feed->dialogs(sub->of) : 0);
}

const struct bus_property iface_subscription_properties[] = {
	{ .name = "Endpoint",
		.sig = "o",
		.get = get_endpoint,
		.flags = BUS_CONST | BUS_STATE,
		.doc = "Whose subscription it is." },
	{ .name = "Owner",
		.sig = "s",
		.get = get_owner,
		.flags = BUS_EMITS | BUS_STATE,
		.doc = "Unique name of the client that made it or, of those that share it, is there "
		       "longest; empty: nobody, so Adopt can." },
	{ .name = "Target",
		.sig = "s",
		.get = get_target,
		.flags = BUS_CONST,
		.doc = "Who was asked." },
	{ .name = "Event",
		.sig = "s",
		.get = get_event,
		.flags = BUS_CONST,
		.doc = "The event package, with its parameters; of Refer's: refer (RFC 3515)." },
	{ .name = "State",
		.sig = "s",
		.get = get_state,
		.flags = BUS_EMITS | BUS_STATE,
		.doc = "pending (nothing heard yet, or the far end waits for its user), active, waiting "
		       "(tries again at NextAttempt) or terminated." },
	{ .name = "Expires",
		.sig = "t",
		.get = get_expires,
		.flags = BUS_EMITS | BUS_STATE,
		.doc = "When it ends unless refreshed, seconds since the epoch; 0: not known." },
	{ .name = "NextAttempt",
		.sig = "t",
		.get = get_next_attempt,
		.flags = BUS_EMITS | BUS_STATE,
		.doc = "When it is tried again, seconds since the epoch; 0: it need not be." },
	{ .name = "LastError",
		.sig = "(uss)",
		.get = get_last_error,
		.flags = BUS_EMITS | BUS_STATE,
		.doc = "Why it waits: (status of a SUBSCRIBE, 0 if there was none, reason, origin); zero "
		       "and empty: it does not." },
	{ .name = "Shared",
		.sig = "u",
		.get = get_shared,
		.flags = BUS_EMITS | BUS_STATE,
		.doc = "How many clients share it." },
	{ .name = "Dialogs",
		.sig = "u",
		.get = get_dialogs,
		.flags = BUS_EMITS | BUS_STATE,
		.doc = "How many notifiers answered, each in a dialog of its own (RFC 6665 section "
		       "4.4.1)." },
	{ 0 },
};
