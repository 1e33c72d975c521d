/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * org.sipbus1.Endpoint: life and registration. Properties are in iface-endpoint-props.c; what waits
 * for the far end is in iface-page.c.
 */
#include <string.h>

#include "ipc/bus-call.h"
#include "ipc/bus-client.h"
#include "ipc/bus-object.h"
#include "ipc/bus-option.h"
#include "ipc/iface-begin.h"
#include "ipc/iface-connection.h"
#include "ipc/iface-private.h"
#include "ipc/iface-publication.h"
#include "ipc/iface-session.h"
#include "ipc/iface-subscriber.h"
#include "ipc/iface-subscription.h"
#include "protocol/base/err.h"
#include "protocol/ua/registration-flows.h"

/* A Register or Unregister that waits for the registrar. */
struct iface_wait {
	struct list node;
	struct bus_call *call;
	enum ua_verb verb;
};

static struct endpoint *of(void *object)
{
	return ((struct iface_endpoint *)object)->ep;
}

/* ---- methods ---- */

static void drop_wait(struct iface_wait *wait)
{
	list_remove(&wait->node);
	free(wait);
}

static void on_caller_gone(struct bus_call *c, void *ctx)
{
	(void)c;
	drop_wait(ctx);
}

/* Keeps the call until registration_done; told never before the verb returns, so first keep. */
static int wait_for(struct bus_call *c, struct iface_endpoint *ie, enum ua_verb verb)
{
	struct iface_wait *wait = mem_new(struct iface_wait);
	int r;

	wait->call = c;
	wait->verb = verb;
	r = bus_call_keep(c, on_caller_gone, wait);
	if (r < 0) {
		free(wait);
		return r;
	}
	list_append(&ie->waiting, &wait->node);
	return 0;
}

/* The verb failed at once: the call that was just kept for it is answered with that. */
static int unwait(struct iface_endpoint *ie, int error, const char *why)
{
	struct iface_wait *wait = list_entry(ie->waiting.prev, struct iface_wait, node);
	struct bus_call *c = wait->call;

	drop_wait(wait);
	(void)bus_call_fail(c, error, "%s", why);
	return 0;
}

enum { REGISTER_HEADERS, REGISTER_EXPIRES };

static const struct bus_option register_options[] = {
	[REGISTER_HEADERS] = { "Headers", "a(ss)", "Added to this and the following REGISTERs." },
	[REGISTER_EXPIRES] = { "Expires", "u", "Seconds to ask for; the profile's if absent." },
	{ 0 },
};

static int do_register(struct bus_call *c, void *object)
{
	struct iface_endpoint *ie = object;
	const struct bus_value *expires = bus_call_option(c, REGISTER_EXPIRES);
	struct registration_options o = { 0 };
	struct request_header *list cleanup_free = NULL;
	int r;

	if (!ie->ep->registration)
		return bus_call_fail(c, -EOPNOTSUPP, "a peer-to-peer endpoint does not register");
	if (expires->given && expires->u == 0)
		return bus_call_fail(c, -EINVAL, "Expires of 0 is what Unregister is for");
	if (expires->given)
		o.expires = expires->u;
	r = iface_headers_option(c, REGISTER_HEADERS, &list, &o.n_headers);
	if (r == 0)
		r = wait_for(c, ie, UA_REGISTER);
	if (r < 0)
		return r;
	o.headers = list;
	r = registration_start(ie->ep->registration, &o);
	if (r == -EINVAL)
		return unwait(ie, r, "Expires is too large, or among Headers");
	return r < 0 ? unwait(ie, r, "the profile has no registrar") : 0;
}

enum { UNREGISTER_ALL };

static const struct bus_option unregister_options[] = {
	[UNREGISTER_ALL] = { "All", "b", "Removes every binding of the address of record." },
	{ 0 },
};

static int do_unregister(struct bus_call *c, void *object)
{
	struct iface_endpoint *ie = object;
	const struct bus_value *all = bus_call_option(c, UNREGISTER_ALL);
	int r;

	if (!ie->ep->registration)
		return bus_call_fail(c, -EOPNOTSUPP, "a peer-to-peer endpoint does not register");
	r = wait_for(c, ie, UA_UNREGISTER);
	if (r < 0)
		return r;
	r = registration_stop(
		ie->ep->registration, all->given && all->b ? REGISTRATION_ALL : REGISTRATION_OWN);
	return r < 0 ? unwait(ie, r, "the profile has no registrar") : 0;
}

static int do_close(struct bus_call *c, void *object)
{
	/* The object goes when the registrar has answered; the reply only says that it will. */
	bus_call_done(c);
	endpoint_close(of(object));
	return 0;
}

static int guard(const struct bus_access *a, void *object)
{
	struct iface_endpoint *ie = object;

	return iface_guard(ie->iface, a, ie->ep->profile);
}

static const struct bus_option page_options[] = {
	[IFACE_PAGE_METHOD] = { "Method", "s",
		"MESSAGE (the default), INFO, OPTIONS, SERVICE or NOTIFY." },
	[IFACE_PAGE_HEADERS] = { "Headers", "a(ss)", IFACE_BEGIN_HEADERS },
	[IFACE_PAGE_TIMEOUT] = { "Timeout", "u", "Seconds in all; SIP's own limits if absent." },
	{ 0 },
};

static const struct bus_option query_options[] = {
	[IFACE_QUERY_HEADERS] = { "Headers", "a(ss)", IFACE_BEGIN_HEADERS },
	[IFACE_QUERY_TIMEOUT] = { "Timeout", "u", "Seconds in all; SIP's own limits if absent." },
	{ 0 },
};

static const struct bus_method methods[] = {
	{ .name = "Register",
		.in = "a{sv}",
		.args = BUS_ARGS("options"),
		.options = register_options,
		.call = do_register,
		.doc = "Registers, or refreshes at once; waits for the registrar's final answer (RFC "
		       "3261 section 10). Errors: AuthenticationFailed, Refused, Timeout, "
		       "TransportFailed, NotSupported, InvalidArgument." },
	{ .name = "Unregister",
		.in = "a{sv}",
		.args = BUS_ARGS("options"),
		.options = unregister_options,
		.call = do_unregister,
		.doc = "Removes our binding, or all; waits for the registrar's final answer (RFC 3261 "
		       "section 10.2.2). Errors as for Register." },
	{ .name = "CreateSession",
		.in = "sa{sv}",
		.out = "o",
		.args = BUS_ARGS("target", "options", "session"),
		.options = iface_create_session_options,
		.call = iface_create_session,
		.doc = "Sends INVITE and returns at once; the caller owns the session and hears its "
		       "signals. Errors: InvalidArgument, NoSuchObject, AccessDenied, LimitExceeded, "
		       "NotSupported, NotRegistered." },
	{ .name = "ConnectParties",
		.in = "ssa{sv}",
		.out = "o",
		.args = BUS_ARGS("first", "second", "options", "session"),
		.options = iface_connect_options,
		.call = iface_connect,
		.doc = "Third-party call control (RFC 3725): calls first, then second, and hands what "
		       "each describes to the other, so that they talk without any media of ours. "
		       "Returns at once; the session stands for both: Progress with the fork second "
		       "tells how the second party is getting on, Established that they are joined, "
		       "Terminated that either ended or refused; Terminate ends both. It has no Offer, "
		       "Answer and RejectOffer (WrongState). INFO and MESSAGE pass between the parties, "
		       "REFER is refused. Errors as for CreateSession." },
	{ .name = "Subscribe",
		.in = "ssa{sv}",
		.out = "o",
		.args = BUS_ARGS("target", "event", "options", "subscription"),
		.options = iface_subscribe_options,
		.call = iface_subscribe,
		.doc = "Subscribes to an event package at target (RFC 6665) and returns at once; the "
		       "caller hears the object's signals. Who asks for the same, in everything but "
		       "Expires, Replay and Summary, gets the same object, and what is known already as Notified. "
		       "Refusals come as Terminated. Errors: InvalidArgument, NotSupported (a "
		       "peer-to-peer endpoint), LimitExceeded, NotRegistered (the endpoint closes), "
		       "WrongState (a Microsoft server's package that is there once)." },
	{ .name = "Refer",
		.in = "ssa{sv}",
		.out = "o",
		.args = BUS_ARGS("target", "refer_to", "options", "subscription"),
		.options = iface_refer_options,
		.call = iface_refer,
		.doc = "Asks target to contact refer_to by a REFER outside of sessions (RFC 3515), and "
		       "returns at once; the object is the subscription that tells how it goes, and the "
		       "caller owns it. Errors as for CreateSession." },
	{ .name = "Publish",
		.in = "ssaya{sv}",
		.out = "o",
		.args = BUS_ARGS("event", "content_type", "body", "options", "publication"),
		.options = iface_publish_options,
		.call = iface_publish,
		.doc = "Publishes event state by PUBLISH (RFC 3903), and returns at once unless Wait says "
		       "otherwise; the object keeps it published, and the caller owns it. Errors: "
		       "InvalidArgument, LimitExceeded, NotSupported, NotRegistered; with Wait Refused, "
		       "AuthenticationFailed, Timeout, TransportFailed." },
	{ .name = "SendPage",
		.in = "ssaya{sv}",
		.out = "us",
		.args = BUS_ARGS("target", "content_type", "body", "options", "status", "reason"),
		.options = page_options,
		.call = iface_page_send,
		.doc = "Sends one request outside any dialog (RFC 3428) and waits for its final answer. "
		       "Errors: Refused (text: code and phrase), AuthenticationFailed, Timeout, "
		       "TransportFailed, InvalidArgument, LimitExceeded, NotRegistered." },
	{ .name = "QueryCapabilities",
		.in = "sa{sv}",
		.out = "ua(ss)say",
		.args = BUS_ARGS("target", "options", "status", "headers", "content_type", "body"),
		.options = query_options,
		.call = iface_page_query,
		.doc = "Sends OPTIONS (RFC 3261 section 11) and waits for its final answer, which is "
		       "returned whatever it is. Errors: Timeout, TransportFailed, "
		       "AuthenticationFailed, InvalidArgument, LimitExceeded, NotRegistered." },
	{ .name = "NotifyAll",
		.in = "ssaya{sv}",
		.out = "u",
		.args = BUS_ARGS("event", "content_type", "body", "options", "told"),
		.options = iface_notify_all_options,
		.call = iface_notify_all,
		.doc = "Notify for every active subscriber to that event that the caller owns, or those of "
		       "them that it lists; returns how many that are. Errors: InvalidArgument, "
		       "LimitExceeded (too large)." },
	{ .name = "Disconnect",
		.in = "ta{sv}",
		.args = BUS_ARGS("connection", "options"),
		.call = iface_connection_end,
		.doc = "Ends the connection of that Id. A registration is made anew over another as "
		       "AutoRefresh says, sessions go on over another with their next message. Errors: "
		       "NoSuchObject, AccessDenied (endpoints of other profiles use it, too)." },
	{ .name = "SetIdleTimeout",
		.in = "tu",
		.args = BUS_ARGS("connection", "seconds"),
		.call = iface_connection_set_idle,
		.doc = "How long the connection of that Id may lie idle once nothing needs it, instead of "
		       "what the configuration says; 0: for ever. Errors: NoSuchObject, AccessDenied (as "
		       "for Disconnect)." },
	{ .name = "Close",
		.call = do_close,
		.doc = "Ends what is under way and the registration, then the object." },
	{ 0 },
};

static const struct bus_signal signals[] = {
	{ .name = "RegistrationChanged",
		.sig = "ssus",
		.args = BUS_ARGS("old", "new", "status", "reason"),
		.doc = "RegistrationState went from old to new; status and reason of the answer that "
		       "caused it, 0 and a text where there was none." },
	{ .name = "MessagesChanged",
		.sig = "",
		.doc = "MessageSummary was said, perhaps the same again: who may read it looks there." },
	{ 0 },
};

const struct bus_interface iface_endpoint = {
	.name = "org.sipbus1.Endpoint",
	.doc = "A routable entity: an address of record at one point of presence.",
	.guard = guard,
	.methods = methods,
	.properties = iface_endpoint_properties,
	.signals = signals,
};

/* ---- the ua's news ---- */

void iface_endpoint_added(struct iface *i, struct endpoint *ep)
{
	static const struct bus_interface *const interfaces[] = { &iface_endpoint, NULL };
	struct iface_endpoint *ie = mem_new(struct iface_endpoint);
	struct buf path = BUF_NULL;
	char *text;

	buf_printf(&path, IFACE_ROOT "/endpoint/%s", ep->id);
	text = buf_take(&path);
	ie->iface = i;
	ie->ep = ep;
	ie->told_state = REGISTRATION_UNREGISTERED;
	list_init(&ie->waiting);
	list_append(&i->endpoints, &ie->node);
	ep->user = ie;
	(void)bus_object_new(i->bus, text, interfaces, ie, &ie->object);
	free(text);
	iface_manager_changed(i, "EndpointCount");
	/* What happened before the first news was told comes as its first change. */
	iface_endpoint_changed(ep, UA_CHANGE_REGISTRATION);
}

void iface_endpoint_removed(struct iface *i, struct endpoint *ep)
{
	struct iface_endpoint *ie = ep->user;

	ep->user = NULL;
	bus_unwatch(ie->creator);
	/* Fails what waits here; the keepers free their notes. */
	bus_object_free(ie->object);
	list_remove(&ie->node);
	free(ie);
	iface_manager_changed(i, "EndpointCount");
}

static void signal_state(struct iface_endpoint *ie)
{
	const struct registration *r = ie->ep->registration;
	enum registration_state state = registration_overall_state(r);
	struct bus_writer w;

	if (!r || (unsigned)state == ie->told_state)
		return;
	if (state == REGISTRATION_REGISTERED)
		r = registration_speaker(ie->ep);
	bus_signal_open(&w, ie->object, &iface_endpoint, "RegistrationChanged", NULL);
	bus_write_str(&w, registration_state_name((enum registration_state)ie->told_state));
	bus_write_str(&w, registration_state_name(state));
	bus_write_u(&w, r->last_status);
	bus_write_str(&w, r->last_reason);
	bus_signal_send(&w);
	ie->told_state = state;
}

static void signal_messages(struct iface_endpoint *ie)
{
	struct bus_writer w;

	bus_signal_open(&w, ie->object, &iface_endpoint, "MessagesChanged", NULL);
	bus_signal_send(&w);
}

void iface_endpoint_changed(struct endpoint *ep, unsigned changes)
{
	static const struct {
		enum ua_change change;
		const char *property;
	} rows[] = {
		{ UA_CHANGE_REGISTRATION, "RegistrationState" },
		{ UA_CHANGE_REGISTRATION, "RegistrationExpires" },
		{ UA_CHANGE_REGISTRATION, "NextAttempt" },
		{ UA_CHANGE_REGISTRATION, "LastError" },
		{ UA_CHANGE_REGISTRATION, "Flows" },
		{ UA_CHANGE_REGISTRATION, "Contact" },
		{ UA_CHANGE_BINDINGS, "Bindings" },
		{ UA_CHANGE_BINDINGS, "ServiceRoute" },
		{ UA_CHANGE_CONTACT, "Server" },
		{ UA_CHANGE_CONNECTIONS, "Connections" },
		{ UA_CHANGE_CONTACT, "Transport" },
		{ UA_CHANGE_CONTACT, "Gruu" },
		{ UA_CHANGE_CONTACT, "TemporaryGruu" },
		{ UA_CHANGE_MESSAGES, "MessageSummary" },
		{ UA_CHANGE_AUTH, "AuthenticationScheme" },
		{ UA_CHANGE_AUTH, "AuthenticationAlgorithm" },
	};
	struct iface_endpoint *ie = ep->user;

	if (!ie)
		return;
	for (size_t k = 0; k < ARRAY_LEN(rows); k++)
		if (changes & rows[k].change)
			bus_changed(ie->object, &iface_endpoint, rows[k].property);
	if (changes & UA_CHANGE_REGISTRATION)
		signal_state(ie);
	if (changes & UA_CHANGE_MESSAGES)
		signal_messages(ie);
}

void iface_endpoint_done(struct endpoint *ep, enum ua_verb verb, const struct outcome *o)
{
	struct iface_endpoint *ie = ep->user;

	if (!ie)
		return;
	list_for_each_safe (node, next, &ie->waiting) {
		struct iface_wait *wait = list_entry(node, struct iface_wait, node);
		struct bus_call *c = wait->call;

		if (wait->verb != verb)
			continue;
		drop_wait(wait);
		if (o->error)
			(void)iface_fail(c, o);
		else
			bus_call_done(c);
	}
}

const char *iface_endpoint_path(const struct endpoint *ep)
{
	const struct iface_endpoint *ie = ep->user;

	return ie ? bus_object_path(ie->object) : "/";
}
