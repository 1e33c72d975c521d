/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* org.sipbus1.Manager on the root object. */
#include "ipc/agent.h"
#include "ipc/bus-call.h"
#include "ipc/bus-object.h"
#include "ipc/bus-option.h"
#include "ipc/iface-connection.h"
#include "ipc/iface-private.h"
#include "ipc/iface-summary.h"
#include "protocol/base/err.h"

/* ---- configuration ---- */

static void write_problem(void *ctx, const struct iface_problem *p)
{
	struct bus_writer *w = ctx;

	bus_open_struct(w);
	bus_write_str(w, p->severity);
	bus_write_str(w, p->file);
	bus_write_u(w, p->line);
	bus_write_str(w, p->text);
	bus_close(w);
}

static int check_configuration(struct bus_call *c, void *object)
{
	struct iface *i = object;
	struct bus_writer w;

	bus_call_open(c, &w);
	bus_open_array(&w, "(ssus)");
	i->host->check(i->host->ctx, write_problem, &w);
	bus_close(&w);
	bus_call_send(c, &w);
	return 0;
}

static int reload(struct bus_call *c, void *object)
{
	struct iface *i = object;
	struct bus_writer w;

	/* Errors are the answer, not a failure of the call: the caller wants to read all of them.
	 */
	bus_call_open(c, &w);
	bus_open_array(&w, "(ssus)");
	(void)i->host->reload(i->host->ctx, write_problem, &w);
	bus_close(&w);
	bus_call_send(c, &w);
	return 0;
}

/* ---- statistics and properties ---- */

static void write_counter(struct bus_writer *w, const char *name, uint64_t v)
{
	bus_open_pair(w, name);
	bus_write_t(w, v);
	bus_close(w);
}

static void count(void *ctx, const char *name, uint64_t n)
{
	write_counter(ctx, name, n);
}

static int get_statistics(struct bus_call *c, void *object)
{
	const struct iface *i = object;
	const struct ua *ua = i->ua;
	const struct txn_table *t = &ua->txns;
	struct bus_writer w;

	bus_call_open(c, &w);
	bus_open_array(&w, "{st}");
	if (i->host->count)
		i->host->count(i->host->ctx, count, &w);
	write_counter(&w, "BadMessages", ua->n_bad_messages);
	write_counter(&w, "Endpoints", ua->n_endpoints);
	write_counter(&w, "NotificationsIn", i->n_notified);
	write_counter(&w, "PagesIn", ua->n_pages_in);
	write_counter(&w, "PagesOut", ua->n_pages_out);
	write_counter(&w, "RequestsIn", t->n_requests_in);
	write_counter(&w, "RequestsOut", t->n_requests_out);
	write_counter(&w, "RetransmissionsIn", t->n_retransmissions_in);
	write_counter(&w, "RetransmissionsOut", t->n_retransmissions_out);
	write_counter(&w, "Sessions", i->n_sessions);
	write_counter(&w, "SessionsIn", ua->n_sessions_in);
	write_counter(&w, "SessionsOut", ua->n_sessions_out);
	write_counter(&w, "StrayResponses", t->n_stray_responses);
	write_counter(&w, "Subscribers", i->n_subscribers);
	write_counter(&w, "SubscribersIn", i->n_subscribers_in);
	write_counter(&w, "Subscriptions", i->n_subscriptions);
	write_counter(&w, "SubscriptionsOut", i->n_subscribed);
	write_counter(&w, "SubscriptionsShared", i->n_joined);
	write_counter(&w, "Timeouts", t->n_timeouts);
	write_counter(&w, "Transactions", t->n);
	bus_close(&w);
	bus_call_send(c, &w);
	return 0;
}

static void get_version(struct bus_writer *w, void *object)
{
	(void)object;
	bus_write_str(w, SIPBUS_VERSION);
}

static void get_profiles(struct bus_writer *w, void *object)
{
	struct iface *i = object;

	bus_open_array(w, "o");
	list_for_each (node, &i->profiles)
		bus_write_o(
			w, bus_object_path(list_entry(node, struct iface_profile, node)->object));
	bus_close(w);
}

static void get_listeners(struct bus_writer *w, void *object)
{
	struct iface *i = object;

	bus_open_array(w, "(sss)");
	for (size_t k = 0; k < i->n_listeners; k++) {
		bus_open_struct(w);
		bus_write_str(w, i->listeners[k].transport);
		bus_write_str(w, i->listeners[k].address);
		bus_write_str(w, i->listeners[k].port);
		bus_close(w);
	}
	bus_close(w);
}

static void get_endpoint_count(struct bus_writer *w, void *object)
{
	bus_write_u(w, (uint32_t)((struct iface *)object)->ua->n_endpoints);
}

static void get_session_count(struct bus_writer *w, void *object)
{
	bus_write_u(w, (uint32_t)((struct iface *)object)->n_sessions);
}

/* Reading and agents are for whoever the bus lets in; what reads files is for administrators. */
static int guard(const struct bus_access *a, void *object)
{
	struct iface *i = object;

	if ((a->flags & BUS_PRIVILEGED) && !i->host->is_administrator(i->host->ctx, a->uid))
		return -EPERM;
	return 0;
}

static const struct bus_option filter_options[] = {
	[AGENT_ENDPOINTS] = { "Endpoints", "ao", "Only for these; all if absent." },
	[AGENT_KINDS] = { "Kinds", "as",
		"session, page, subscription, request, credentials, certificate; all if absent." },
	[AGENT_SESSION_TYPES] = { "SessionTypes", "as", "pc2pc, pc2ph, im; all if absent." },
	[AGENT_EVENTS] = { "Events", "as",
		"Event packages of subscriptions, as Event names them; all if absent." },
	[AGENT_PRIORITY] = { "Priority", "i", "Higher is asked first; 0 if absent." },
	[AGENT_OBSERVE] = { "Observe", "b", "Told, never asked." },
	{ 0 },
};

const struct bus_interface iface_manager = {
	.name = "org.sipbus1.Manager",
	.doc = "The daemon: configuration, endpoints and agents.",
	.guard = guard,
	.methods =
		(const struct bus_method[]){
			{ .name = "CreateEndpoint",
				.in = "sa{sv}",
				.out = "o",
				.args = BUS_ARGS("profile", "options", "endpoint"),
				.options = iface_create_options,
				.call = iface_create_endpoint,
				.doc = "Makes an endpoint of a loaded profile, or with an empty one a "
				       "peer-to-peer endpoint from options alone, of which Uri is needed, for "
				       "whomever Access in sipbus.conf lets in; nobody but its maker and "
				       "administrators may use that. Registration, if wanted, goes on after "
				       "the reply. Errors: NoSuchObject, InvalidArgument, NotSupported, "
				       "LimitExceeded, WrongState, AccessDenied, TransportFailed." },
			{ .name = "RegisterAgent",
				.in = "oa{sv}",
				.args = BUS_ARGS("agent", "filter"),
				.options = filter_options,
				.call = agent_register,
				.doc = "The caller's object serves incoming work until it is unregistered or the "
				       "caller leaves the bus. Errors: InvalidArgument (unknown kind, path "
				       "registered already), LimitExceeded." },
			{ .name = "UnregisterAgent",
				.in = "o",
				.args = BUS_ARGS("agent"),
				.call = agent_unregister,
				.doc = "Takes an agent of the caller out. Error: NoSuchObject." },
			{ .name = "CheckConfiguration",
				.out = "a(ssus)",
				.args = BUS_ARGS("problems"),
				.call = check_configuration,
				.flags = BUS_PRIVILEGED,
				.doc = "Reads the configuration and applies nothing: (severity, file, line, text). "
				       "Error: AccessDenied." },
			{ .name = "Reload",
				.out = "a(ssus)",
				.args = BUS_ARGS("problems"),
				.call = reload,
				.flags = BUS_PRIVILEGED,
				.doc = "Applies what changed and only that; nothing if any file has an error. "
				       "Error: AccessDenied." },
			{ .name = "Disconnect",
				.in = "ta{sv}",
				.args = BUS_ARGS("connection", "options"),
				.call = iface_connection_end_any,
				.flags = BUS_PRIVILEGED,
				.doc = "Ends any connection, by its Id in Connections. Errors: NoSuchObject, "
				       "AccessDenied." },
			{ .name = "GetStatistics",
				.out = "a{st}",
				.args = BUS_ARGS("counters"),
				.call = get_statistics,
				.doc = "Counters since the start, and how many of each thing there are." },
			{ .name = "ReadBody",
				.in = "say",
				.out = "a{sv}",
				.args = BUS_ARGS("content_type", "body", "summary"),
				.call = iface_summary_read,
				.doc = "What a body says that came from wherever, as far as its type is known. " IFACE_SUMMARY_DOC
				       " Errors: InvalidArgument and LimitExceeded (what is "
				       "wrong in the body, with the line), NotSupported (the type is not known)." },
			{ .name = "GetTargets",
				.out = "aa{sv}",
				.args = BUS_ARGS("targets"),
				.call = iface_target_list,
				.doc = "Servers that failed lately and so are tried after others, by all "
				       "endpoints: Target s (the name that led there), Transport s, Address s, "
				       "State s (avoided; probation: one request at a time tries it), Until t, "
				       "Reason s, RetryAfter u (seconds that it asked for; 0: it did not)." },
			{ 0 },
		},
	.properties =
		(const struct bus_property[]){
			{ .name = "Version",
				.sig = "s",
				.get = get_version,
				.flags = BUS_CONST,
				.doc = "Version of the daemon." },
			{ .name = "Profiles",
				.sig = "ao",
				.get = get_profiles,
				.flags = BUS_EMITS,
				.doc = "Every loaded profile." },
			{ .name = "Listeners",
				.sig = "a(sss)",
				.get = get_listeners,
				.flags = BUS_EMITS,
				.doc = "Where the daemon listens: (transport, address, port)." },
			{ .name = "Connections",
				.sig = "aa{sv}",
				.get = iface_connection_get_all,
				.flags = BUS_PRIVILEGED,
				.doc = "Every connection of the daemon, whoever uses it, 4096 at most; for "
				       "administrators, and not told when it changes. " IFACE_CONNECTION_KEYS },
			{ .name = "EndpointCount",
				.sig = "u",
				.get = get_endpoint_count,
				.flags = BUS_EMITS,
				.doc = "How many endpoints there are." },
			{ .name = "SessionCount",
				.sig = "u",
				.get = get_session_count,
				.flags = BUS_EMITS,
				.doc = "How many sessions there are." },
			{ 0 },
		},
};

int iface_manager_start(struct iface *i)
{
	static const struct bus_interface *const interfaces[] = { &iface_manager, NULL };

	return bus_object_new(i->bus, IFACE_ROOT, interfaces, i, &i->manager);
}

void iface_manager_changed(struct iface *i, const char *property)
{
	bus_changed(i->manager, &iface_manager, property);
}
