/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* org.sipbus1.Publication: event state that a client publishes (RFC 3903), and Endpoint.Publish. */
#include "ipc/iface-publication.h"

#include <string.h>

#include "ipc/bus-call.h"
#include "ipc/bus-object.h"
#include "ipc/bus-option.h"
#include "ipc/bus-value.h"
#include "ipc/iface-owner.h"
#include "ipc/iface-private.h"
#include "protocol/base/err.h"
#include "protocol/ua/publication.h"
#include "protocol/ua/request-headers.h"

enum { ID_BYTES = 8 };

struct iface_publication {
	struct list node; /* in iface->publications */
	struct iface *iface;
	struct endpoint *ep;
	struct publication *p;
	struct bus_object *object;
	struct iface_owned owned;
	struct list waiting; /* of struct iface_waiter */
	char *target;
};

/* A call that waits for the far end; its caller may be gone by then. */
struct iface_waiter {
	struct list node;
	struct iface_publication *ip;
	struct bus_call *call;
};

/* ---- ownership ---- */

static struct iface_publication *of_owned(struct iface_owned *o)
{
	return container_of(o, struct iface_publication, owned);
}

static void on_owner_changed(struct iface_owned *o)
{
	bus_changed(of_owned(o)->object, &iface_publication, "Owner");
}

static usec_t get_grace(struct iface_owned *o)
{
	return of_owned(o)->ep->profile->owner_grace;
}

static void on_owner_lost(struct iface_owned *o)
{
	struct iface_publication *ip = of_owned(o);

	switch (ip->ep->profile->on_owner_lost) {
	case PROFILE_OWNER_LOST_END:
		(void)publication_remove(ip->p, NULL);
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

/* Nobody's is everybody's who may use the profile. */
static bool is_for(const struct iface_publication *ip, const char *client)
{
	const char *owner = iface_owned_by(&ip->owned);

	return !*owner || strcmp(owner, client) == 0;
}

static int guard(const struct bus_access *a, void *object)
{
	const struct iface_publication *ip = object;
	int r = iface_guard(ip->iface, a, ip->ep->profile);

	return r == 0 && a->flags & BUS_OWNER && !is_for(ip, a->sender) ? -EPERM : r;
}

/* ---- calls that wait ---- */

static void free_waiter(struct iface_waiter *w)
{
	list_remove(&w->node);
	free(w);
}

static void on_caller_gone(struct bus_call *c, void *ctx)
{
	struct iface_waiter *w = ctx;

	(void)c;
	w->call = NULL;
}

static void on_done(void *owner, const struct outcome *o)
{
	struct iface_waiter *w = owner;

	if (w->call && o->error)
		(void)iface_fail(w->call, o);
	else if (w->call)
		bus_call_done(w->call);
	free_waiter(w);
}

/* Who waits for the first PUBLISH gets the object, or the error and no object. */
static void on_first_done(void *owner, const struct outcome *o)
{
	struct iface_waiter *w = owner;
	struct iface_publication *ip = w->ip;
	struct bus_writer out;

	if (o->error)
		(void)publication_remove(ip->p, NULL);
	if (w->call && o->error) {
		(void)iface_fail(w->call, o);
	} else if (w->call) {
		bus_call_open(w->call, &out);
		bus_write_o(&out, bus_object_path(ip->object));
		bus_call_send(w->call, &out);
	}
	free_waiter(w);
}

/* Keeps the call, since from the verb on its answer may come any time. */
static int expect(struct bus_call *c, struct iface_publication *ip, publication_done_fn *done,
	struct publication_reply *ret)
{
	struct iface_waiter *w = mem_new(struct iface_waiter);
	int r;

	w->ip = ip;
	w->call = c;
	r = bus_call_keep(c, on_caller_gone, w);
	if (r < 0) {
		free(w);
		return r;
	}
	list_append(&ip->waiting, &w->node);
	*ret = (struct publication_reply){ .done = done, .owner = w };
	return 0;
}

/* The verb failed at once: the call that was kept for it is answered with that. */
static int expected(struct bus_call *c, const struct publication_reply *reply, int r)
{
	if (r < 0) {
		free_waiter(reply->owner);
		(void)bus_call_fail(
			c, r, r == -EINVAL ? "there is no body, or no content type" : NULL);
	}
	return 0;
}

/* ---- the ua's news ---- */

static void free_object(struct iface_publication *ip)
{
	/* Fails what waits here; the object's last words need all of it still. */
	bus_object_free(ip->object);
	list_for_each_safe (node, next, &ip->waiting)
		free_waiter(list_entry(node, struct iface_waiter, node));
	iface_owned_deinit(&ip->owned);
	list_remove(&ip->node);
	free(ip->target);
	free(ip);
}

static void on_changed(void *owner, struct publication *p)
{
	static const char *const names[] = { "State", "ETag", "Expires", "NextAttempt" };
	const struct iface_publication *ip = owner;

	(void)p;
	for (size_t k = 0; k < ARRAY_LEN(names); k++)
		bus_changed(ip->object, &iface_publication, names[k]);
}

static void on_failed(void *owner, struct publication *p, const struct outcome *o)
{
	const struct iface_publication *ip = owner;
	struct buf reason = BUF_NULL;
	struct bus_writer w;

	(void)p;
	outcome_append_reason(&reason, o);
	bus_signal_open(&w, ip->object, &iface_publication, "Failed", NULL);
	bus_write_u(&w, o->status);
	bus_write_s(&w, buf_slice(&reason));
	bus_signal_send(&w);
	buf_deinit(&reason);
}

static void on_ended(void *owner, struct publication *p, const struct outcome *o)
{
	struct iface_publication *ip = owner;
	struct bus_writer w;

	if (o->error)
		on_failed(ip, p, o);
	bus_signal_open(&w, ip->object, &iface_publication, "Terminated", NULL);
	bus_write_u(&w, o->status);
	bus_write_s(&w, o->reason);
	bus_write_str(&w, outcome_origin_name(o->origin));
	bus_signal_send(&w);
	free_object(ip);
}

static const struct publication_ops ops = {
	.changed = on_changed,
	.failed = on_failed,
	.ended = on_ended,
};

/* Publish is a call of the endpoint's, and would outlast who waits for its answer. */
static void fail_waiting(struct iface_publication *ip)
{
	list_for_each (node, &ip->waiting) {
		struct iface_waiter *w = list_entry(node, struct iface_waiter, node);

		if (w->call)
			(void)bus_call_fail(mem_take(&w->call), -ENOENT, NULL);
	}
}

void iface_publication_drop_all(struct iface *i)
{
	list_for_each_safe (node, next, &i->publications) {
		struct iface_publication *ip = list_entry(node, struct iface_publication, node);
		struct publication *p = ip->p;

		fail_waiting(ip);
		free_object(ip);
		publication_free(p);
	}
}

/* ---- Endpoint.Publish ---- */

enum { PUBLISH_EXPIRES, PUBLISH_TARGET, PUBLISH_HEADERS, PUBLISH_WAIT, PUBLISH_LIFETIME };

const struct bus_option iface_publish_options[] = {
	[PUBLISH_EXPIRES] = { "Expires", "u",
		"Seconds to ask for; 3600 if absent. It is refreshed before they are over." },
	[PUBLISH_TARGET] = { "Target", "s", "Whose state it is; the endpoint's own if absent." },
	[PUBLISH_HEADERS] = { "Headers", "a(ss)",
		"Added to every PUBLISH; those of the stack are refused." },
	[PUBLISH_WAIT] = { "Wait", "b",
		"Returns only once the far end has accepted it; a failure is an error, and then there is "
		"no object." },
	[PUBLISH_LIFETIME] = { "Lifetime", "s",
		"client (the default): the caller owns it; daemon: nobody does, so that it outlasts the "
		"caller, and whoever may use the profile acts on it or adopts it." },
	{ 0 },
};

static struct iface_publication *make(
	const struct iface_endpoint *ie, const struct publication_spec *spec)
{
	struct iface_publication *ip = mem_new(struct iface_publication);

	ip->iface = ie->iface;
	ip->ep = ie->ep;
	ip->target = spec->target.n ? slice_dup(spec->target) : mem_strdup(ie->ep->uri);
	list_init(&ip->waiting);
	iface_owned_init(&ip->owned, ie->iface, &owned_class);
	list_append(&ie->iface->publications, &ip->node);
	return ip;
}

/* owner NULL: nobody. */
static void show(struct iface_publication *ip, const char *owner)
{
	static const struct bus_interface *const interfaces[] = { &iface_publication, NULL };
	struct buf path = BUF_NULL;
	char *text;

	buf_lit(&path, IFACE_ROOT "/publication/");
	ua_random_hex(ip->ep->ua, &path, ID_BYTES);
	text = buf_take(&path);
	(void)bus_object_new(ip->iface->bus, text, interfaces, ip, &ip->object);
	free(text);
	if (owner)
		iface_own(&ip->owned, owner);
}

/* Answers the call: kept, if it waits. */
static int fail(struct bus_call *c, bool kept, int error)
{
	(void)bus_call_fail(c, error,
		error == -EINVAL ? "event, content type, body, Target, Expires or a header (Event, "
				   "SIP-If-Match and such have their place) cannot be used"
				 : NULL);
	return kept ? 0 : error;
}

static bool is_lasting(struct bus_call *c)
{
	const struct bus_value *v = bus_call_option(c, PUBLISH_LIFETIME);

	return v->given && slice_eq(v->s, SLICE("daemon"));
}

static int check_lifetime(struct bus_call *c, const struct iface *i)
{
	const struct bus_value *v = bus_call_option(c, PUBLISH_LIFETIME);

	if (is_lasting(c))
		return 0;
	if (v->given && !slice_eq(v->s, SLICE("client")))
		return bus_call_fail(c, -EINVAL, "Lifetime is client or daemon");
	if (iface_owner_is_full(i, bus_call_sender(c)))
		return bus_call_fail(c, -ENOSPC, "you own too much already");
	return 0;
}

/* News waits until the reply is written. */
static int begin(struct bus_call *c, const struct iface_endpoint *ie, struct publication_spec *spec)
{
	UA_SCOPE(ie->ep->ua);
	const struct bus_value *wait = bus_call_option(c, PUBLISH_WAIT);
	bool waits = wait->given && wait->b;
	struct iface_publication *ip = make(ie, spec);
	struct bus_writer w;
	int r = waits ? expect(c, ip, on_first_done, &spec->first) : 0;

	if (r < 0) {
		free_object(ip);
		return r;
	}
	r = publication_new(ie->ep, spec, &ops, ip, &ip->p);
	if (r < 0) {
		free_object(ip);
		return fail(c, waits, r);
	}
	show(ip, is_lasting(c) ? NULL : bus_call_sender(c));
	if (waits)
		return 0;
	bus_call_open(c, &w);
	bus_write_o(&w, bus_object_path(ip->object));
	bus_call_send(c, &w);
	return 0;
}

int iface_publish(struct bus_call *c, void *object)
{
	const struct iface_endpoint *ie = object;
	struct bus_reader *args = bus_call_args(c);
	const struct bus_value *expires = bus_call_option(c, PUBLISH_EXPIRES);
	const struct bus_value *target = bus_call_option(c, PUBLISH_TARGET);
	struct request_header *list cleanup_free = NULL;
	struct publication_spec spec = { .event = bus_read_s(args) };
	int r;

	spec.content_type = bus_read_s(args);
	spec.body = bus_read_ay(args);
	if (expires->given && !expires->u)
		return bus_call_fail(c, -EINVAL, "Expires of 0 is what Remove is for");
	if (expires->given)
		spec.expires = expires->u;
	if (target->given)
		spec.target = target->s;
	r = check_lifetime(c, ie->iface);
	if (r < 0)
		return r;
	r = iface_headers_option(c, PUBLISH_HEADERS, &list, &spec.n_headers);
	if (r < 0)
		return r;
	spec.headers = list;
	return begin(c, ie, &spec);
}

/* ---- methods ---- */

static int modify(struct bus_call *c, void *object)
{
	struct iface_publication *ip = object;
	struct slice content_type = bus_read_s(bus_call_args(c));
	struct slice body = bus_read_ay(bus_call_args(c));
	struct publication_reply reply;
	int r = expect(c, ip, on_done, &reply);

	if (r < 0)
		return r;
	return expected(c, &reply, publication_modify(ip->p, content_type, body, &reply));
}

static int remove_it(struct bus_call *c, void *object)
{
	struct iface_publication *ip = object;
	struct publication_reply reply;
	int r = expect(c, ip, on_done, &reply);

	return r < 0 ? r : expected(c, &reply, publication_remove(ip->p, &reply));
}

static int adopt(struct bus_call *c, void *object)
{
	struct iface_publication *ip = object;
	const char *client = bus_call_sender(c);

	if (!is_for(ip, client))
		return bus_call_fail(c, -EPERM, "somebody else owns it");
	if (!*iface_owned_by(&ip->owned) && iface_owner_is_full(ip->iface, client))
		return bus_call_fail(c, -ENOSPC, "you own too much already");
	iface_own(&ip->owned, client);
	return 0;
}

static int release(struct bus_call *c, void *object)
{
	struct iface_publication *ip = object;

	if (!*iface_owned_by(&ip->owned))
		return bus_call_fail(c, -ESTALE, "nobody owns it");
	iface_disown(&ip->owned);
	return 0;
}

/* ---- properties ---- */

static const struct iface_publication *of(void *object)
{
	return object;
}

static void write_time(struct bus_writer *w, const struct iface_publication *ip, usec_t at)
{
	bus_write_t(w, ua_epoch_seconds(ip->iface->ua, at));
}

static void get_endpoint(struct bus_writer *w, void *object)
{
	bus_write_o(w, iface_endpoint_path(of(object)->ep));
}

static void get_owner(struct bus_writer *w, void *object)
{
	bus_write_str(w, iface_owned_by(&of(object)->owned));
}

static void get_target(struct bus_writer *w, void *object)
{
	bus_write_str(w, of(object)->target);
}

static void get_event(struct bus_writer *w, void *object)
{
	bus_write_s(w, publication_event(of(object)->p));
}

static void get_etag(struct bus_writer *w, void *object)
{
	bus_write_str(w, publication_etag(of(object)->p));
}

static void get_expires(struct bus_writer *w, void *object)
{
	write_time(w, object, publication_expires(of(object)->p));
}

static void get_next_attempt(struct bus_writer *w, void *object)
{
	write_time(w, object, publication_next_attempt(of(object)->p));
}

static void get_state(struct bus_writer *w, void *object)
{
	bus_write_str(w, publication_state_name(publication_state(of(object)->p)));
}

/* ---- the table ---- */

static const struct bus_method methods[] = {
	{ .name = "Modify",
		.in = "say",
		.args = BUS_ARGS("content_type", "body"),
		.call = modify,
		.flags = BUS_OWNER,
		.doc = "Publishes other state in place of what is there, and waits for the far end (RFC "
		       "3903 section 4.4). If another change waits already, the last counts and both end "
		       "alike. After Refused the old state stands, unless State is waiting, as after "
		       "Timeout and TransportFailed: then the new one is tried again. Errors: Refused, "
		       "AuthenticationFailed, Timeout, TransportFailed, WrongState, InvalidArgument." },
	{ .name = "Remove",
		.call = remove_it,
		.flags = BUS_OWNER,
		.doc = "Takes it back, and waits for the far end (RFC 3903 section 4.5); Terminated "
		       "follows in any case. After an error it may last until it expires. Errors: "
		       "Refused, AuthenticationFailed, Timeout, TransportFailed, WrongState." },
	{ .name = "Adopt",
		.call = adopt,
		.doc = "Takes one that nobody owns. Errors: AccessDenied, LimitExceeded." },
	{ .name = "Release",
		.call = release,
		.flags = BUS_OWNER,
		.doc = "Gives it up, as if its owner had left the bus. Error: WrongState." },
	{ 0 },
};

static const struct bus_property properties[] = {
	{ .name = "Endpoint",
		.sig = "o",
		.get = get_endpoint,
		.flags = BUS_CONST | BUS_STATE,
		.doc = "Who publishes." },
	{ .name = "Owner",
		.sig = "s",
		.get = get_owner,
		.flags = BUS_EMITS | BUS_STATE,
		.doc = "Unique name of the client that made or took it; empty: nobody, so Adopt can." },
	{ .name = "Target",
		.sig = "s",
		.get = get_target,
		.flags = BUS_CONST,
		.doc = "Whose state it is." },
	{ .name = "Event",
		.sig = "s",
		.get = get_event,
		.flags = BUS_CONST,
		.doc = "The event package." },
	{ .name = "ETag",
		.sig = "s",
		.get = get_etag,
		.flags = BUS_EMITS,
		.doc = "What the far end calls it now (SIP-ETag); empty: nothing is there, or nobody "
		       "knows." },
	{ .name = "Expires",
		.sig = "t",
		.get = get_expires,
		.flags = BUS_EMITS | BUS_STATE,
		.doc = "When it ends unless refreshed, seconds since the epoch; 0: nothing is there." },
	{ .name = "NextAttempt",
		.sig = "t",
		.get = get_next_attempt,
		.flags = BUS_EMITS | BUS_STATE,
		.doc = "When it is refreshed or tried next, seconds since the epoch; 0: it is now." },
	{ .name = "State",
		.sig = "s",
		.get = get_state,
		.flags = BUS_EMITS | BUS_STATE,
		.doc = "publishing (the first time), published, waiting (what is wanted may not be "
		       "there; it is tried again), removing or removed." },
	{ 0 },
};

static const struct bus_signal signals[] = {
	{ .name = "Failed",
		.sig = "us",
		.args = BUS_ARGS("status", "reason"),
		.doc = "A PUBLISH failed; 0: no answer came. Unless Terminated follows, it is tried "
		       "again, or what was accepted before stands." },
	{ .name = "Terminated",
		.sig = "uss",
		.args = BUS_ARGS("status", "reason", "origin"),
		.doc = "It is over, once; then the object goes. origin: local, remote, network or "
		       "timeout." },
	{ 0 },
};

const struct bus_interface iface_publication = {
	.name = "org.sipbus1.Publication",
	.doc = "Event state that a client publishes (RFC 3903): refreshed, published anew when the "
	       "far end has forgotten it, and tried again when that is not there. Its owner acts on "
	       "it.",
	.guard = guard,
	.methods = methods,
	.properties = properties,
	.signals = signals,
};
