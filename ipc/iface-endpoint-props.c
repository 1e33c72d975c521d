/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What can be read of an endpoint, and its one writable property. */
#include "ipc/bus-call.h"
#include "ipc/bus-object.h"
#include "ipc/bus-value.h"
#include "ipc/iface-connection.h"
#include "ipc/iface-private.h"
#include "ipc/iface-summary-write.h"
#include "protocol/msg/build.h"
#include "protocol/ua/keepalive.h"
#include "protocol/ua/messages.h"
#include "protocol/ua/registration-flows.h"

static struct endpoint *of(void *object)
{
	return ((struct iface_endpoint *)object)->ep;
}

static void get_kind(struct bus_writer *w, void *object)
{
	bus_write_str(w, of(object)->kind->name);
}

static void get_uri(struct bus_writer *w, void *object)
{
	bus_write_str(w, of(object)->uri);
}

static void get_display_name(struct bus_writer *w, void *object)
{
	bus_write_str(w, of(object)->display_name);
}

static void get_endpoint_id(struct bus_writer *w, void *object)
{
	bus_write_str(w, of(object)->endpoint_id);
}

static void get_instance_id(struct bus_writer *w, void *object)
{
	bus_write_str(w, of(object)->instance_id);
}

static void get_gruu(struct bus_writer *w, void *object)
{
	bus_write_str(w, gruu_get(of(object), GRUU_PUBLIC));
}

static void get_temporary_gruu(struct bus_writer *w, void *object)
{
	bus_write_str(w, gruu_get(of(object), GRUU_TEMPORARY));
}

static void get_profile(struct bus_writer *w, void *object)
{
	const struct iface_endpoint *ie = object;
	char *path cleanup_free = iface_profile_path(ie->ep->profile);

	bus_write_o(w, iface_profile_is_shown(ie->iface, ie->ep->profile) ? path : "/");
}

static void get_lifetime(struct bus_writer *w, void *object)
{
	const struct iface_endpoint *ie = object;

	bus_write_str(w, ie->creator ? "client" : "daemon");
}

static void get_listen(struct bus_writer *w, void *object)
{
	bus_write_b(w, of(object)->listens);
}

static enum transport transport_of(const struct endpoint *ep)
{
	const struct profile_server *s = profile_proxy(ep->profile);

	if (ep->flow)
		return ep->flow->transport;
	if (ep->transport)
		return ep->transport;
	return s ? s->protocol : TRANSPORT_UDP;
}

static void get_transport(struct bus_writer *w, void *object)
{
	bus_write_str(w, transport_name(transport_of(of(object))));
}

static void get_contact(struct bus_writer *w, void *object)
{
	const struct registration *r = registration_speaker(of(object));

	bus_write_str(w, r ? r->contact : NULL);
}

static void get_registration_state(struct bus_writer *w, void *object)
{
	bus_write_str(
		w, registration_state_name(registration_overall_state(of(object)->registration)));
}

static void get_registration_expires(struct bus_writer *w, void *object)
{
	const struct registration *r = of(object)->registration;

	bus_write_t(w, r ? ua_epoch_seconds(r->ep->ua, registration_overall_expires(r)) : 0);
}

static void get_next_attempt(struct bus_writer *w, void *object)
{
	const struct registration *r = of(object)->registration;

	bus_write_t(w, r ? ua_epoch_seconds(r->ep->ua, registration_overall_next_attempt(r)) : 0);
}

static void get_last_error(struct bus_writer *w, void *object)
{
	const struct registration *r = of(object)->registration;
	bool failed = r && r->last_reason;

	bus_open_struct(w);
	bus_write_u(w, failed ? r->last_status : 0);
	bus_write_str(w, failed ? r->last_reason : NULL);
	bus_write_str(w, failed ? outcome_origin_name(r->last_origin) : NULL);
	bus_close(w);
}

/* The core says both in one, as "Digest SHA-256": the scheme's word is that of AllowedAuth. */
static void get_authentication_scheme(struct bus_writer *w, void *object)
{
	struct slice text = slice_str(auth_scheme(&of(object)->auth));

	text = slice_head(text, slice_find(text, ' '));
	bus_write_str(w, slice_eq(text, SLICE("Digest"))  ? profile_auth_name(PROFILE_AUTH_DIGEST)
			 : slice_eq(text, SLICE("Basic")) ? profile_auth_name(PROFILE_AUTH_BASIC)
							  : NULL);
}

static void get_authentication_algorithm(struct bus_writer *w, void *object)
{
	struct slice text = slice_str(auth_scheme(&of(object)->auth));

	bus_write_s(w, slice_skip(text, slice_find(text, ' ') + 1));
}

static void write_binding(
	struct bus_writer *w, const struct ua *ua, const struct registration_binding *b)
{
	bus_open_dict(w);
	bus_entry_str(w, "Uri", b->uri);
	if (b->display_name)
		bus_entry_str(w, "DisplayName", b->display_name);
	bus_entry_t(w, "Expires", ua_epoch_seconds(ua, b->expires));
	bus_entry_u(w, "Q", b->q_thousandths);
	if (b->instance)
		bus_entry_str(w, "InstanceId", b->instance);
	if (b->reg_id)
		bus_entry_u(w, "RegId", b->reg_id);
	if (b->params)
		bus_entry_str(w, "Parameters", b->params);
	bus_entry_b(w, "Own", b->own);
	bus_close(w);
}

static void get_bindings(struct bus_writer *w, void *object)
{
	const struct registration *r = of(object)->registration;

	bus_open_array(w, "a{sv}");
	for (size_t i = 0; r && i < r->n_bindings; i++)
		write_binding(w, r->ep->ua, &r->bindings[i]);
	bus_close(w);
}

static void get_service_route(struct bus_writer *w, void *object)
{
	const struct registration *r = registration_speaker(of(object));

	bus_open_array(w, "s");
	for (size_t i = 0; r && i < r->n_service_route; i++)
		bus_write_str(w, r->service_route[i]);
	bus_close(w);
}

static void get_server(struct bus_writer *w, void *object)
{
	bus_write_str(w, of(object)->server);
}

static const char *keep_alive_name(const struct flow *f)
{
	if (!f || !f->keepalive)
		return "";
	return flow_is_reliable(f) ? "crlf" : "stun";
}

static void write_server(struct bus_writer *w, const struct flow *f)
{
	struct buf b = BUF_NULL;

	buf_str(&b, transport_name(f->transport));
	buf_putc(&b, ':');
	build_hostport(&b, slice_str(f->peer.host), f->peer.port);
	bus_entry_s(w, "Server", buf_slice(&b));
	buf_deinit(&b);
}

static void write_path(struct bus_writer *w, const struct registration *r)
{
	bus_open_entry(w, "Path", "as");
	bus_open_array(w, "s");
	for (size_t i = 0; i < r->n_path; i++)
		bus_write_str(w, r->path[i]);
	bus_close(w);
	bus_close(w);
}

static void write_flow(struct bus_writer *w, const struct registration *r)
{
	const struct ua *ua = r->ep->ua;

	bus_open_dict(w);
	bus_entry_u(w, "RegId", r->reg_id);
	bus_entry_str(w, "State", registration_state_name(r->state));
	bus_entry_str(w, "KeepAlive", keep_alive_name(r->flow));
	bus_entry_b(w, "Proven", r->flow && keepalive_is_proven(r->flow));
	bus_entry_u(w, "FlowTimer", r->flow_timer);
	bus_entry_t(w, "Expires", ua_epoch_seconds(ua, r->expires));
	bus_entry_t(w, "NextAttempt", ua_epoch_seconds(ua, r->next_attempt));
	write_path(w, r);
	if (r->contact)
		bus_entry_str(w, "Contact", r->contact);
	if (r->flow)
		write_server(w, r->flow);
	if (r->last_reason)
		bus_entry_str(w, "LastError", r->last_reason);
	bus_close(w);
}

static void get_flows(struct bus_writer *w, void *object)
{
	bus_open_array(w, "a{sv}");
	for (const struct registration *r = of(object)->registration; r; r = r->next)
		write_flow(w, r);
	bus_close(w);
}

static void get_message_summary(struct bus_writer *w, void *object)
{
	const struct endpoint *ep = of(object);
	const struct messages *m = ep->messages;

	bus_open_dict(w);
	if (m) {
		iface_summary_write_messages(w, &m->summary);
		bus_entry_t(w, "Received", ua_epoch_seconds(ep->ua, m->at));
	}
	bus_close(w);
}

static void get_auto_refresh(struct bus_writer *w, void *object)
{
	bus_write_b(w, of(object)->auto_refresh);
}

static int set_auto_refresh(struct bus_call *c, void *object)
{
	struct iface_endpoint *ie = object;

	ie->ep->auto_refresh = bus_read_b(bus_call_args(c));
	/* A connection that broke while nobody minded is missed from now on. */
	if (ie->ep->auto_refresh && ie->ep->registration)
		registration_touch(ie->ep->registration);
	bus_changed(ie->object, &iface_endpoint, "AutoRefresh");
	return 0;
}

const struct bus_property iface_endpoint_properties[] = {
	{ .name = "Kind",
		.sig = "s",
		.get = get_kind,
		.flags = BUS_CONST | BUS_STATE,
		.doc = "registered or peer-to-peer." },
	{ .name = "Uri",
		.sig = "s",
		.get = get_uri,
		.flags = BUS_CONST,
		.doc = "Address of record." },
	{ .name = "DisplayName",
		.sig = "s",
		.get = get_display_name,
		.flags = BUS_CONST,
		.doc = "Name shown to the far end." },
	{ .name = "EndpointId",
		.sig = "s",
		.get = get_endpoint_id,
		.flags = BUS_CONST,
		.doc = "Tells points of presence of one URI apart." },
	{ .name = "InstanceId",
		.sig = "s",
		.get = get_instance_id,
		.flags = BUS_CONST,
		.doc = "SIP instance (RFC 5626 section 4.1), the same after every restart." },
	{ .name = "Gruu",
		.sig = "s",
		.get = get_gruu,
		.flags = BUS_EMITS,
		.doc = "Public GRUU (RFC 5627); empty if the registrar gave none." },
	{ .name = "TemporaryGruu",
		.sig = "s",
		.get = get_temporary_gruu,
		.flags = BUS_EMITS,
		.doc = "Temporary GRUU (RFC 5627); empty if the registrar gave none." },
	{ .name = "Profile",
		.sig = "o",
		.get = get_profile,
		.flags = BUS_CONST | BUS_STATE,
		.doc = "The profile that it was made of; / if of none." },
	{ .name = "Lifetime",
		.sig = "s",
		.get = get_lifetime,
		.flags = BUS_EMITS | BUS_STATE,
		.doc = "client: it ends when its maker leaves the bus; daemon. No restart brings back "
		       "what CreateEndpoint made." },
	{ .name = "Listen",
		.sig = "b",
		.get = get_listen,
		.flags = BUS_CONST | BUS_STATE,
		.doc = "A peer-to-peer endpoint that anybody may reach; else only over connections of "
		       "its own and within its sessions." },
	{ .name = "Transport",
		.sig = "s",
		.get = get_transport,
		.flags = BUS_EMITS | BUS_STATE,
		.doc = "udp, tcp or tls: of the connection, or what the next one will be." },
	{ .name = "Contact",
		.sig = "s",
		.get = get_contact,
		.flags = BUS_EMITS,
		.doc = "Our Contact URI as registered; empty before." },
	{ .name = "RegistrationState",
		.sig = "s",
		.get = get_registration_state,
		.flags = BUS_EMITS | BUS_STATE,
		.doc = "unregistered, registering, registered, unregistering, waiting (tries again at NextAttempt) or failed." },
	{ .name = "RegistrationExpires",
		.sig = "t",
		.get = get_registration_expires,
		.flags = BUS_EMITS | BUS_STATE,
		.doc = "When the binding ends unless refreshed, seconds since the epoch; 0: none." },
	{ .name = "NextAttempt",
		.sig = "t",
		.get = get_next_attempt,
		.flags = BUS_EMITS | BUS_STATE,
		.doc = "When the next attempt is planned, seconds since the epoch; 0: none is." },
	{ .name = "LastError",
		.sig = "(uss)",
		.get = get_last_error,
		.flags = BUS_EMITS | BUS_STATE,
		.doc = "Why the last attempt failed: (status, reason, origin); zero and empty: it did not." },
	{ .name = "AuthenticationScheme",
		.sig = "s",
		.get = get_authentication_scheme,
		.flags = BUS_EMITS | BUS_STATE,
		.doc = "What was answered last, a word of AllowedAuth; empty: nothing was." },
	{ .name = "AuthenticationAlgorithm",
		.sig = "s",
		.get = get_authentication_algorithm,
		.flags = BUS_EMITS | BUS_STATE,
		.doc = "Its hash, for example SHA-256 (RFC 8760); empty: none." },
	{ .name = "Bindings",
		.sig = "aa{sv}",
		.get = get_bindings,
		.flags = BUS_EMITS,
		.doc = "Every contact that the registrar reported: Uri s, Expires t, Q u (thousandths), Own b, and where given DisplayName s, InstanceId s, RegId u, Parameters s." },
	{ .name = "ServiceRoute",
		.sig = "as",
		.get = get_service_route,
		.flags = BUS_EMITS,
		.doc = "Route that the registrar asked for (RFC 3608)." },
	{ .name = "Server",
		.sig = "s",
		.get = get_server,
		.flags = BUS_EMITS,
		.doc = "transport:address:port of the cached connection; empty: none." },
	{ .name = "Connections",
		.sig = "aa{sv}",
		.get = iface_connection_get,
		.flags = BUS_EMITS,
		.doc = IFACE_CONNECTION_KEYS
		"Told when one comes, is up, or goes; the latest 64 are shown." },
	{ .name = "Flows",
		.sig = "aa{sv}",
		.get = get_flows,
		.flags = BUS_EMITS,
		.doc = "Registrations over several connections (RFC 5626), one for each of the profile's Flows: RegId u, State s, KeepAlive s (crlf, stun, or empty: the far end has not asked for any), Proven b (one was answered: section 4.5), FlowTimer u (seconds; 0: none), Expires t, NextAttempt t, Path as (RFC 3327), and where there are such Contact s, Server s (transport:address:port), LastError s." },
	{ .name = "MessageSummary",
		.sig = "a{sv}",
		.get = get_message_summary,
		.flags = BUS_EMITS,
		.doc = "What waits in the user's mailbox (RFC 3842), as the endpoint's server said last by "
		       "itself or to a subscription to message-summary of the endpoint's Uri; empty: "
		       "nothing was said. MessagesWaiting b, Received t, and where told Account s, Voice, "
		       "Fax, Pager, Multimedia, Text, None (uuuu): new, old, and of these the urgent new "
		       "and urgent old." },
	{ .name = "AutoRefresh",
		.sig = "b",
		.get = get_auto_refresh,
		.set = set_auto_refresh,
		.flags = BUS_EMITS | BUS_STATE,
		.doc = "A lost connection is made anew at once, not only with the next request." },
	{ 0 },
};
