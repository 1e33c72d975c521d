/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Endpoint.Subscribe: an object for each thing that is wanted, which its clients share. */
#include "ipc/bus-call.h"
#include "ipc/iface-owner.h"
#include "ipc/iface-private.h"
#include "ipc/iface-subscription.h"
#include "protocol/base/err.h"
#include "protocol/ua/endpoint.h"

/* ---- the feed ---- */

static const char *get_state(const void *of)
{
	return subscription_state_name(subscription_state(of));
}

static usec_t get_expires(const void *of)
{
	return subscription_expires(of);
}

static usec_t get_next_attempt(const void *of)
{
	return subscription_next_attempt(of);
}

static size_t get_dialogs(const void *of)
{
	return subscription_dialogs(of);
}

static bool get_trouble(const void *of, struct subscription_end *ret)
{
	return subscription_trouble(of, ret);
}

static const struct msg *get_last(const void *of)
{
	return subscription_last(of);
}

static int refresh(void *of, uint32_t expires)
{
	return subscription_refresh(of, expires);
}

static int update(void *of, struct slice content_type, struct slice body)
{
	return subscription_update(of, content_type, body);
}

static int end(void *of)
{
	subscription_end(of);
	return 0;
}

static void free_feed(void *of)
{
	subscription_free(of);
}

static const struct iface_feed feed = {
	.state = get_state,
	.expires = get_expires,
	.next_attempt = get_next_attempt,
	.dialogs = get_dialogs,
	.trouble = get_trouble,
	.last = get_last,
	.refresh = refresh,
	.update = update,
	.end = end,
	.free = free_feed,
};

/* ---- the ua's news ---- */

static void on_notified(void *owner, struct subscription *s, const struct msg *m)
{
	(void)s;
	iface_subscription_notified(owner, m);
}

static void on_changed(void *owner, struct subscription *s)
{
	(void)s;
	iface_subscription_changed(owner);
}

static void on_terminated(void *owner, struct subscription *s, const struct subscription_end *e)
{
	struct buf text = BUF_NULL;

	(void)s;
	if (e->status)
		buf_printf(&text, "%u ", e->status);
	buf_put(&text, e->reason);
	iface_subscription_over(owner, buf_slice(&text), e->retry_after);
	buf_deinit(&text);
}

static const struct subscription_ops ops = {
	.notified = on_notified,
	.changed = on_changed,
	.terminated = on_terminated,
};

/* ---- the method ---- */

static int fail(struct bus_call *c, int error)
{
	static const struct {
		int error;
		const char *text;
	} rows[] = {
		{ -EINVAL, "event, Accept or ContentType cannot stand in a SUBSCRIBE" },
		{ -EBUSY, "the server lets an endpoint have one subscription of that package" },
		{ -ENOSPC, "the endpoint has too many subscriptions" },
		{ -EOPNOTSUPP, "no way leads to that target" },
		{ -ENOTCONN, "the endpoint closes" },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		if (rows[i].error == error)
			return bus_call_fail(c, error, "%s", rows[i].text);
	return error;
}

static int give(struct bus_call *c, struct iface_subscription *sub, const struct iface_wish *w)
{
	int r = iface_subscription_give(sub, c);

	if (r == 0 && w->summary)
		iface_clients_mark(&sub->clients, bus_call_sender(c));
	return r;
}

/* News waits until the reply is written. */
static int begin(struct bus_call *c, const struct iface_endpoint *ie, const struct iface_wish *w)
{
	struct iface_subscription *sub;
	struct subscription *s;
	UA_SCOPE(ie->ep->ua);
	int r;

	if (iface_owner_is_full(ie->iface, bus_call_sender(c)))
		return bus_call_fail(c, -ENOSPC, IFACE_OWNS_TOO_MUCH);
	sub = iface_subscription_new(ie, &feed, w->spec.target, w->spec.event);
	r = subscription_new(ie->ep, &w->spec, &ops, sub, &s);
	if (r < 0) {
		iface_subscription_free(sub);
		return fail(c, r);
	}
	sub->of = s;
	sub->expires = w->spec.expires;
	iface_wish_share(sub, w);
	sub->is_list = w->spec.list == SUBSCRIPTION_LIST || w->spec.n_targets;
	iface_subscription_show(sub);
	return give(c, sub, w);
}

static int join(struct bus_call *c, struct iface_subscription *sub, const struct iface_wish *w)
{
	int r = give(c, sub, w);

	if (r < 0)
		return r;
	sub->iface->n_joined++;
	if (!w->silent)
		iface_subscription_replay(sub, bus_call_sender(c));
	return 0;
}

int iface_subscribe(struct bus_call *c, void *object)
{
	const struct iface_endpoint *ie = object;
	struct iface_subscription *sub;
	struct iface_wish w;
	int r;

	if (!ie->ep->kind->subscribes)
		return bus_call_fail(c, -EOPNOTSUPP,
			"a peer-to-peer endpoint does not subscribe: that is what registered ones are for");
	r = iface_wish_read(c, &w);
	if (r == 0) {
		sub = iface_wish_find(ie, &w);
		r = sub ? join(c, sub, &w) : begin(c, ie, &w);
	}
	iface_wish_deinit(&w);
	return r;
}
