/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the clients of a subscription hear. State is content: to each of them, never broadcast. */
#include "ipc/body-extent.h"
#include "ipc/bus-object.h"
#include "ipc/bus-value.h"
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

void iface_subscription_changed(struct iface_subscription *sub)
{
	static const char *const properties[] = { "State", "Expires", "NextAttempt", "LastError",
		"Dialogs" };

	for (size_t k = 0; k < ARRAY_LEN(properties); k++)
		bus_changed(sub->object, &iface_subscription, properties[k]);
}

void iface_subscription_notified(struct iface_subscription *sub, const struct msg *m)
{
	struct list *at = NULL;

	sub->iface->n_notified++;
	for (const char *client; (client = iface_clients_next(&sub->clients, &at));)
		tell(sub, m, client);
}

void iface_subscription_replay(struct iface_subscription *sub, const char *client)
{
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
