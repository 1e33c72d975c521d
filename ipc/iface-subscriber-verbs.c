/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The methods of org.sipbus1.Subscriber, and Endpoint.NotifyAll. */
#include <string.h>

#include "ipc/bus-call.h"
#include "ipc/bus-object.h"
#include "ipc/bus-option.h"
#include "ipc/bus-value.h"
#include "ipc/iface-private.h"
#include "ipc/iface-session.h"
#include "ipc/iface-subscriber.h"
#include "protocol/base/err.h"
#include "protocol/msg/msg.h"
#include "protocol/ua/session.h"

static struct subscriber *of(void *object)
{
	return ((struct iface_subscriber *)object)->s;
}

static bool flag_option(struct bus_call *c, unsigned row)
{
	const struct bus_value *v = bus_call_option(c, row);

	return v->given && v->b;
}

static int finish_call(struct bus_call *c, int r, const char *wrong)
{
	return r == -EINVAL ? bus_call_fail(c, r, "%s", wrong) : r;
}

/* ---- a state to tell ---- */

/* Options that every state has; those of one method alone come after. */
enum { STATE_PARTIAL, STATE_HEADERS, STATE_MORE };

/* clang-format off */
#define STATE_OPTIONS \
	[STATE_PARTIAL] = { "Partial", "b", \
		"It is a change: the whole is asked for by StateWanted when it is needed. Else it is " \
		"the whole, and is told again by itself." }, \
	[STATE_HEADERS] = { "Headers", "a(ss)", "Of the NOTIFY; those of the stack are refused." }
/* clang-format on */

#define STATE_WRONG "the content type cannot be used"

/* The state itself is wrong, to whomever it is told. */
static bool is_bad_state(int r)
{
	return r == -EINVAL || r == -EMSGSIZE;
}

/* *ret_list is the caller's to free. On failure the call is answered. */
static int read_state(
	struct bus_call *c, struct subscriber_body *state, struct request_header **ret_list)
{
	struct session_headers headers = { 0 };
	int r = iface_session_headers(c, STATE_HEADERS, &headers, ret_list);

	state->partial = flag_option(c, STATE_PARTIAL);
	state->headers = headers.list;
	state->n_headers = headers.n;
	return r;
}

/* Content type and bytes among the arguments. */
static int read_told(
	struct bus_call *c, struct subscriber_body *ret, struct request_header **ret_list)
{
	ret->content_type = bus_read_s(bus_call_args(c));
	ret->bytes = bus_read_ay(bus_call_args(c));
	return read_state(c, ret, ret_list);
}

/* ---- the decision ---- */

enum { ACCEPT_TYPE = STATE_MORE, ACCEPT_BODY, ACCEPT_EXPIRES, ACCEPT_PENDING };

static const struct bus_option accept_options[] = {
	STATE_OPTIONS,
	[ACCEPT_TYPE] = { "ContentType", "s", "Of Body." },
	[ACCEPT_BODY] = { "Body", "ay",
		"The state, for the first NOTIFY; absent: neutral, and Notify is to follow." },
	[ACCEPT_EXPIRES] = { "Expires", "u",
		"Seconds at most; what was asked for if that is less (RFC 6665 section 4.2.1.1)." },
	[ACCEPT_PENDING] = { "Pending", "b",
		"Whether it may see the state is not decided yet: accept it again, or reject it." },
	{ 0 },
};

static int accept_subscriber(struct bus_call *c, void *object)
{
	struct iface_subscriber *is = object;
	struct request_header *list cleanup_free = NULL;
	const struct bus_value *type = bus_call_option(c, ACCEPT_TYPE);
	const struct bus_value *body = bus_call_option(c, ACCEPT_BODY);
	const struct bus_value *expires = bus_call_option(c, ACCEPT_EXPIRES);
	struct subscriber_body state = { .content_type = type->given ? type->s : SLICE_NULL,
		.bytes = body->given ? body->s : SLICE_NULL };
	int r = read_state(c, &state, &list);

	if (r < 0)
		return r;
	if (expires->given && expires->u == 0)
		return bus_call_fail(c, -EINVAL, "Expires of 0 is what Reject is for");
	r = subscriber_accept(is->s,
		flag_option(c, ACCEPT_PENDING) ? SUBSCRIBER_LEAVE_PENDING : SUBSCRIBER_ACCEPT,
		expires->given ? expires->u : 0, &state);
	/* An agent need not return first. The subscriber may be gone already: it wanted it once. */
	if (r == 0 && bus_call_object(c) && is->ask)
		iface_subscriber_take(is, bus_call_sender(c));
	if (r == -EBADMSG)
		return bus_call_fail(c, -ESTALE, "the SUBSCRIBE was no good, and got 400");
	return finish_call(c, r, STATE_WRONG);
}

static int reject(struct bus_call *c, void *object)
{
	uint32_t status = bus_read_u(bus_call_args(c));
	int r = subscriber_reject(of(object), status, bus_read_s(bus_call_args(c)));

	return finish_call(c, r, "status has to be 300 to 699, or the reason cannot be used");
}

/* ---- the state ---- */

static const struct bus_option notify_options[] = {
	STATE_OPTIONS,
	{ 0 },
};

static int notify(struct bus_call *c, void *object)
{
	struct request_header *list cleanup_free = NULL;
	struct subscriber_body state;
	int r = read_told(c, &state, &list);

	if (r < 0)
		return r;
	return finish_call(c, subscriber_notify(of(object), &state), STATE_WRONG);
}

enum { ALL_SUBSCRIBERS = STATE_MORE };

const struct bus_option iface_notify_all_options[] = {
	STATE_OPTIONS,
	[ALL_SUBSCRIBERS] = { "Subscribers", "ao",
		"Only to these, others of which are passed over; for a state that not everybody may see." },
	{ 0 },
};

/* It is one of ep's for that event, active, and the caller's. */
static bool hears(const struct iface_subscriber *is, const struct endpoint *ep, struct slice event,
	const char *client)
{
	return subscriber_endpoint(is->s) == ep && subscriber_state(is->s) == SUBSCRIBER_ACTIVE &&
	       slice_eq(subscriber_event(is->s), event) &&
	       strcmp(iface_owned_by(&is->owned), client) == 0;
}

static int tell_some(struct bus_call *c, const struct iface_endpoint *ie, struct slice event,
	const struct subscriber_body *state, uint32_t *ret_n)
{
	struct bus_reader items = bus_call_option(c, ALL_SUBSCRIBERS)->items;
	uint32_t n = 0;
	int r = 0;

	while (!is_bad_state(r) && bus_more(&items)) {
		struct slice path = bus_read_s(&items);
		/* libdbus keeps strings NUL-terminated. */
		struct iface_subscriber *is =
			bus_object_find(ie->iface->bus, path.p, &iface_subscriber);

		if (!is || !hears(is, ie->ep, event, bus_call_sender(c)))
			continue;
		r = subscriber_notify(is->s, state);
		n += r == 0;
	}
	*ret_n = n;
	return is_bad_state(r) ? r : 0;
}

static int tell_all(struct bus_call *c, const struct iface_endpoint *ie, struct slice event,
	const struct subscriber_body *state, uint32_t *ret_n)
{
	uint32_t n = 0;
	int r = 0;

	list_for_each (node, &ie->iface->subscribers) {
		struct iface_subscriber *is = list_entry(node, struct iface_subscriber, node);

		if (!hears(is, ie->ep, event, bus_call_sender(c)))
			continue;
		r = subscriber_notify(is->s, state);
		if (is_bad_state(r))
			return r;
		n += r == 0;
	}
	*ret_n = n;
	return 0;
}

int iface_notify_all(struct bus_call *c, void *object)
{
	struct iface_endpoint *ie = object;
	struct request_header *list cleanup_free = NULL;
	struct slice event = bus_read_s(bus_call_args(c));
	/* Nobody goes while we walk among them. */
	UA_SCOPE(ie->iface->ua);
	struct subscriber_body state;
	struct bus_writer w;
	uint32_t n = 0;
	int r = read_told(c, &state, &list);

	if (r < 0)
		return r;
	if (bus_call_option(c, ALL_SUBSCRIBERS)->given)
		r = tell_some(c, ie, event, &state, &n);
	else
		r = tell_all(c, ie, event, &state, &n);
	if (r < 0)
		return finish_call(c, r, STATE_WRONG);
	bus_call_open(c, &w);
	bus_write_u(&w, n);
	bus_call_send(c, &w);
	return 0;
}

static int get_request(struct bus_call *c, void *object)
{
	const struct iface_subscriber *is = object;
	struct bus_writer w;

	bus_call_open(c, &w);
	bus_write_s(&w, is->last->content_type);
	bus_write_ay(&w, is->last->body);
	iface_subscriber_write_headers(&w, is);
	bus_call_send(c, &w);
	return 0;
}

/* ---- the end, and whose it is ---- */

static int finish(struct bus_call *c, void *object)
{
	struct slice reason = bus_read_s(bus_call_args(c));

	return finish_call(c, subscriber_finish(of(object), reason, 0), "the reason is no token");
}

static int suspend(struct bus_call *c, void *object)
{
	uint32_t seconds = bus_read_u(bus_call_args(c));

	return subscriber_finish(of(object), SLICE("probation"), seconds);
}

static int adopt(struct bus_call *c, void *object)
{
	struct iface_subscriber *is = object;
	const char *client = bus_call_sender(c);

	/* Nobody's, that is: nor is anybody asked whether it will be his. */
	if (is->ask || !iface_subscriber_is_for(is, client))
		return bus_call_fail(c, -EPERM, "somebody else owns it or decides about it");
	iface_subscriber_take(is, client);
	return 0;
}

static int release(struct bus_call *c, void *object)
{
	struct iface_subscriber *is = object;

	if (!*iface_owned_by(&is->owned))
		return bus_call_fail(c, -ESTALE, "nobody owns it");
	bus_call_done(c);
	iface_disown(&is->owned);
	return 0;
}

/* ---- the table ---- */

#define VERB(member) .name = #member, .flags = BUS_OWNER

const struct bus_method iface_subscriber_methods[] = {
	{ VERB(Accept), .in = "a{sv}", .args = BUS_ARGS("options"), .options = accept_options,
		.call = accept_subscriber,
		.doc = "Answers 200, and with the NOTIFY that has to follow (RFC 6665 section 4.2.1.2). A "
		       "pending one may be accepted again. Errors: WrongState, InvalidArgument, "
		       "LimitExceeded." },
	{ VERB(Reject), .in = "us", .args = BUS_ARGS("status", "reason"), .call = reject,
		.doc = "Refuses for good, 300 to 699; a pending one by a last NOTIFY with "
		       "reason=rejected. Errors: WrongState, InvalidArgument." },
	{ VERB(Notify), .in = "saya{sv}", .args = BUS_ARGS("content_type", "body", "options"),
		.options = notify_options, .call = notify,
		.doc = "The state is that now. Told at once, or when the subscriber wants to hear again "
		       "(RFC 6446), and then the latest; an empty body is neutral. Errors: WrongState, "
		       "InvalidArgument, LimitExceeded (too large)." },
	{ VERB(Finish), .in = "s", .args = BUS_ARGS("reason"), .call = finish,
		.doc = "Ends it with a last NOTIFY. reason, of RFC 6665 section 4.1.3: deactivated (come "
		       "back at once), probation, giveup (come back later), rejected, invariant, "
		       "noresource (the default if empty: do not come back). Errors: WrongState, "
		       "InvalidArgument." },
	{ VERB(Suspend), .in = "u", .args = BUS_ARGS("retry_after"), .call = suspend,
		.doc = "Ends it for now: reason=probation, and the subscriber shall come back after that "
		       "many seconds. Error: WrongState." },
	{ .name = "GetRequest",
		.out = "saya(ss)",
		.args = BUS_ARGS("content_type", "body", "headers"),
		.call = get_request,
		.doc = "The SUBSCRIBE whose body is in force, for who adopts it." },
	{ .name = "Adopt",
		.call = adopt,
		.doc = "Takes one that nobody owns, and hears the signals that waited. Error: "
		       "AccessDenied." },
	{ VERB(Release), .call = release,
		.doc = "Gives it up, as if the caller had left the bus: unless somebody adopts it within "
		       "the profile's OwnerGrace, OnOwnerLost applies: end tells the subscriber to come "
		       "back, at once if another agent serves the package, else later. Error: "
		       "WrongState." },
	{ 0 },
};
