/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Endpoint.Refer: a REFER outside of sessions, of which the object is the subscription. */
#include "protocol/ua/refer.h"

#include "ipc/bus-call.h"
#include "ipc/bus-option.h"
#include "ipc/bus-value.h"
#include "ipc/iface-begin.h"
#include "ipc/iface-owner.h"
#include "ipc/iface-private.h"
#include "ipc/iface-subscription.h"
#include "protocol/base/err.h"
#include "protocol/ua/endpoint.h"

/* ---- the feed ---- */

static const char *get_state(const void *of)
{
	return refer_state_name(refer_state(of));
}

static usec_t get_expires(const void *of)
{
	return refer_expires(of);
}

/* It is not tried again. */
static usec_t get_next_attempt(const void *of)
{
	(void)of;
	return 0;
}

static bool get_trouble(const void *of, struct subscription_end *ret)
{
	(void)of;
	(void)ret;
	return false;
}

static size_t get_dialogs(const void *of)
{
	return refer_state(of) == REFER_ACTIVE;
}

static const struct msg *get_last(const void *of)
{
	return refer_last(of);
}

static int refresh(void *of, uint32_t expires)
{
	return refer_subscribe(of, expires);
}

static int end(void *of)
{
	return refer_subscribe(of, 0);
}

static void free_feed(void *of)
{
	refer_free(of);
}

static const struct iface_feed feed = {
	.state = get_state,
	.expires = get_expires,
	.next_attempt = get_next_attempt,
	.dialogs = get_dialogs,
	.trouble = get_trouble,
	.last = get_last,
	.refresh = refresh,
	.end = end,
	.free = free_feed,
};

/* ---- the ua's news ---- */

static void on_notified(void *owner, struct refer *r, const struct msg *m)
{
	(void)r;
	iface_subscription_changed(owner);
	if (m)
		iface_subscription_notified(owner, m);
}

static void on_terminated(void *owner, struct refer *r, const struct refer_end *e)
{
	struct buf text = BUF_NULL;

	(void)r;
	if (e->why.n)
		buf_put(&text, e->why);
	else if (e->status)
		buf_printf(&text, "%u %.*s", e->status, SLICE_ARGS(e->reason));
	else
		buf_put(&text, e->reason);
	iface_subscription_over(owner, buf_slice(&text), e->retry_after);
	buf_deinit(&text);
}

static const struct refer_ops ops = {
	.notified = on_notified,
	.terminated = on_terminated,
};

/* ---- the method ---- */

enum { REFER_HEADERS, REFER_NO_SUBSCRIPTION };

const struct bus_option iface_refer_options[] = {
	[REFER_HEADERS] = { "Headers", "a(ss)", IFACE_BEGIN_HEADERS },
	[REFER_NO_SUBSCRIPTION] = { "NoSubscription", "b",
		"Asks for no news (RFC 4488): the object ends with the answer." },
	{ 0 },
};

/* News waits until the reply is written. */
static int begin(struct bus_call *c, struct iface_endpoint *ie, const struct refer_spec *spec)
{
	struct iface_subscription *sub =
		iface_subscription_new(ie, &feed, spec->target, SLICE("refer"));
	struct refer *refer;
	UA_SCOPE(ie->ep->ua);
	int r = refer_new(ie->ep, spec, &ops, sub, &refer);

	if (r < 0) {
		iface_subscription_free(sub);
		return r == -EINVAL ? bus_call_fail(c, r, "a URI cannot be used") : r;
	}
	sub->of = refer;
	iface_subscription_show(sub);
	return iface_subscription_give(sub, c);
}

int iface_refer(struct bus_call *c, void *object)
{
	struct iface_endpoint *ie = object;
	struct iface_begin b;
	const struct bus_value *quiet = bus_call_option(c, REFER_NO_SUBSCRIPTION);
	struct refer_spec spec = { .target = bus_read_s(bus_call_args(c)),
		.no_subscription = quiet->given && quiet->b };
	int r;

	spec.refer_to = bus_read_s(bus_call_args(c));
	if (iface_owner_is_full(ie->iface, bus_call_sender(c)))
		return bus_call_fail(c, -ENOSPC, IFACE_OWNS_TOO_MUCH);
	r = iface_begin_read_session(c, REFER_HEADERS, ie->ep, &b);
	if (r < 0)
		return r;
	spec.headers = (struct session_headers){ .list = b.list, .n = b.n };
	spec.route = slice_str(b.route);
	r = begin(c, ie, &spec);
	iface_begin_deinit(&b);
	return r;
}
