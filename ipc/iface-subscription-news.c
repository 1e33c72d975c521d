/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the clients of a subscription hear. State is content: to each of them, never broadcast. */
#include "ipc/body-extent.h"
#include "ipc/bus-object.h"
#include "ipc/bus-value.h"
#include "ipc/iface-digest.h"
#include "ipc/iface-private.h"
#include "ipc/iface-subscription.h"
#include "protocol/msg/msg.h"

void iface_subscription_write(struct bus_writer *w, const struct msg *m)
{
	bus_write_s(w, m->content_type);
	bus_write_ay(w, m->body);
	iface_write_headers(w, m);
}

static void tell(struct iface_subscription *sub, const struct msg *m, const char *client)
{
	struct bus_writer w;

	bus_signal_open(&w, sub->object, &iface_subscription, "Notified", client);
	iface_subscription_write(&w, m);
	bus_signal_send(&w);
}

/* ---- what is told of it to everybody ---- */

static uint64_t read_state(const struct iface_subscription *sub)
{
	return slice_hash(slice_str(sub->feed->state(sub->of)), 0);
}

static uint64_t read_expires(const struct iface_subscription *sub)
{
	return ua_epoch_seconds(sub->iface->ua, sub->feed->expires(sub->of));
}

static uint64_t read_next_attempt(const struct iface_subscription *sub)
{
	return ua_epoch_seconds(sub->iface->ua, sub->feed->next_attempt(sub->of));
}

static uint64_t read_last_error(const struct iface_subscription *sub)
{
	struct subscription_end e;

	return sub->feed->trouble(sub->of, &e) ? slice_hash(e.reason, e.status + 1) : 0;
}

static uint64_t read_dialogs(const struct iface_subscription *sub)
{
	return sub->feed->dialogs(sub->of);
}

/* NOTIFYs are many, and most of them change nothing but what they say to our clients. */
void iface_subscription_changed(struct iface_subscription *sub)
{
	static const struct {
		const char *property;
		uint64_t (*read)(const struct iface_subscription *sub);
	} rows[IFACE_TOLD] = {
		{ "State", read_state },
		{ "Expires", read_expires },
		{ "NextAttempt", read_next_attempt },
		{ "LastError", read_last_error },
		{ "Dialogs", read_dialogs },
	};

	for (size_t k = 0; k < ARRAY_LEN(rows); k++) {
		uint64_t now = sub->of ? rows[k].read(sub) : 0;

		if (now != sub->told[k])
			bus_changed(sub->object, &iface_subscription, rows[k].property);
		sub->told[k] = now;
	}
}

/* ---- what its clients hear ---- */

void iface_subscription_notified(struct iface_subscription *sub, const struct msg *m)
{
	struct list *at = NULL;

	sub->iface->n_notified++;
	for (const char *client; (client = iface_clients_next(&sub->clients, &at));)
		tell(sub, m, client);
	iface_digest_take(sub, m);
}

void iface_subscription_replay(struct iface_subscription *sub, const char *client)
{
	UA_SCOPE(sub->iface->ua);
	const struct msg *m = sub->feed->last(sub->of);

	if (!m)
		return;
	switch (body_extent_of(m->content_type, m->body)) {
	case BODY_FULL:
		tell(sub, m, client);
		break;
	case BODY_PARTIAL:
		/* Of no use without the rest, which a refresh brings (RFC 6665 section 5.3.2), or
		 * the next attempt. */
		if (!sub->ending && sub->feed->dialogs(sub->of))
			(void)sub->feed->refresh(sub->of, sub->expires);
		break;
	}
	iface_digest_replay(sub, client);
}

/* To one client, or to everybody. */
static void say_terminated(struct iface_subscription *sub, struct slice reason,
	uint32_t retry_after, const char *client)
{
	struct bus_writer w;

	bus_signal_open(&w, sub->object, &iface_subscription, "Terminated", client);
	bus_write_s(&w, reason);
	bus_write_u(&w, retry_after);
	bus_signal_send(&w);
}

void iface_subscription_dismiss(struct iface_subscription *sub, const char *client)
{
	say_terminated(sub, SLICE("unsubscribed"), 0, client);
}

void iface_subscription_over(
	struct iface_subscription *sub, struct slice reason, uint32_t retry_after)
{
	sub->of = NULL;
	iface_subscription_changed(sub);
	say_terminated(sub, reason, retry_after, NULL);
	iface_subscription_free(sub);
}
