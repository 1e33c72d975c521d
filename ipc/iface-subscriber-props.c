/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The properties of org.sipbus1.Subscriber. */
#include "ipc/bus-value.h"
#include "ipc/iface-private.h"
#include "ipc/iface-subscriber.h"
#include "protocol/msg/msg.h"

static const struct iface_subscriber *of(void *object)
{
	return object;
}

static const struct msg *request_of(void *object)
{
	return subscriber_request(of(object)->s);
}

/* ---- what a SUBSCRIBE says ---- */

void iface_subscriber_write_accept(struct bus_writer *w, const struct msg *m)
{
	struct msg_list it = { 0 };
	struct slice value;

	bus_open_array(w, "s");
	while (msg_list_next(m, HDR_ACCEPT, &it, &value) == 1)
		bus_write_s(w, value);
	bus_close(w);
}

struct slice iface_subscriber_event_parameters(const struct msg *m)
{
	struct slice value = msg_header(m, HDR_EVENT), type;

	return slice_cut(value, ';', &type, &value) ? slice_trim(value) : SLICE_NULL;
}

void iface_subscriber_write_headers(struct bus_writer *w, const struct iface_subscriber *is)
{
	/* Who sent a later one is not looked at. */
	bool believed = is->last == subscriber_request(is->s) && subscriber_is_vouched_for(is->s);

	iface_write_headers_but(w, is->last, believed ? HDR_COUNT : HDR_P_ASSERTED_IDENTITY);
}

/* ---- getters ---- */

static void get_endpoint(struct bus_writer *w, void *object)
{
	bus_write_o(w, iface_endpoint_path(subscriber_endpoint(of(object)->s)));
}

static void get_owner(struct bus_writer *w, void *object)
{
	bus_write_str(w, iface_owned_by(&of(object)->owned));
}

static void get_event(struct bus_writer *w, void *object)
{
	bus_write_s(w, subscriber_event(of(object)->s));
}

static void get_event_parameters(struct bus_writer *w, void *object)
{
	bus_write_s(w, iface_subscriber_event_parameters(request_of(object)));
}

static void get_from(struct bus_writer *w, void *object)
{
	bus_write_s(w, request_of(object)->from.uri.text);
}

static void get_from_display_name(struct bus_writer *w, void *object)
{
	struct buf name = BUF_NULL;

	addr_append_display(&name, &request_of(object)->from);
	bus_write_s(w, buf_slice(&name));
	buf_deinit(&name);
}

static void get_to(struct bus_writer *w, void *object)
{
	bus_write_s(w, request_of(object)->to.uri.text);
}

static void get_request_uri(struct bus_writer *w, void *object)
{
	bus_write_s(w, request_of(object)->request_uri);
}

static void get_call_id(struct bus_writer *w, void *object)
{
	bus_write_s(w, request_of(object)->call_id);
}

static void get_asserted_identity(struct bus_writer *w, void *object)
{
	struct msg_list it = { 0 };
	struct slice value;
	struct addr a;

	bus_open_array(w, "s");
	while (subscriber_is_vouched_for(of(object)->s) &&
		msg_list_next(request_of(object), HDR_P_ASSERTED_IDENTITY, &it, &value) == 1)
		if (addr_parse(value, &a) == 0)
			bus_write_s(w, a.uri.text);
	bus_close(w);
}

static void get_accept(struct bus_writer *w, void *object)
{
	iface_subscriber_write_accept(w, request_of(object));
}

static void get_state(struct bus_writer *w, void *object)
{
	bus_write_str(w, subscriber_state_name(subscriber_state(of(object)->s)));
}

static void get_expires(struct bus_writer *w, void *object)
{
	const struct iface_subscriber *is = of(object);

	bus_write_t(w, ua_epoch_seconds(is->iface->ua, subscriber_expires(is->s)));
}

/* ---- the table ---- */

const struct bus_property iface_subscriber_properties[] = {
	{ .name = "Endpoint",
		.sig = "o",
		.get = get_endpoint,
		.flags = BUS_CONST | BUS_STATE,
		.doc = "Whose state it wants." },
	{ .name = "Owner",
		.sig = "s",
		.get = get_owner,
		.flags = BUS_EMITS | BUS_STATE,
		.doc = "Unique name of the client that took it; empty: nobody, so Adopt can." },
	{ .name = "Event",
		.sig = "s",
		.get = get_event,
		.flags = BUS_CONST | BUS_STATE,
		.doc = "The event package, with its templates: presence, presence.winfo." },
	{ .name = "EventParameters",
		.sig = "s",
		.get = get_event_parameters,
		.flags = BUS_CONST,
		.doc = "What else Event says, as it came: id=7 (RFC 6665 section 8.2.1)." },
	{ .name = "From",
		.sig = "s",
		.get = get_from,
		.flags = BUS_CONST,
		.doc = "Who subscribed, as it calls itself." },
	{ .name = "FromDisplayName",
		.sig = "s",
		.get = get_from_display_name,
		.flags = BUS_CONST,
		.doc = "The name that it gives itself." },
	{ .name = "AssertedIdentity",
		.sig = "as",
		.get = get_asserted_identity,
		.flags = BUS_CONST,
		.doc = "URIs of P-Asserted-Identity (RFC 3325), if our own server sent it; else empty." },
	{ .name = "To",
		.sig = "s",
		.get = get_to,
		.flags = BUS_CONST,
		.doc = "Whose state it asked for." },
	{ .name = "RequestUri",
		.sig = "s",
		.get = get_request_uri,
		.flags = BUS_CONST,
		.doc = "Of the SUBSCRIBE: where that led it." },
	{ .name = "CallId", .sig = "s", .get = get_call_id, .flags = BUS_CONST, .doc = "Call-ID." },
	{ .name = "Accept",
		.sig = "as",
		.get = get_accept,
		.flags = BUS_CONST,
		.doc = "Content types that it understands; empty: the package's own (RFC 6665 section "
		       "3.1.3)." },
	{ .name = "State",
		.sig = "s",
		.get = get_state,
		.flags = BUS_EMITS | BUS_STATE,
		.doc = "incoming, pending, active or terminated." },
	{ .name = "Expires",
		.sig = "t",
		.get = get_expires,
		.flags = BUS_EMITS | BUS_STATE,
		.doc = "When it ends unless refreshed, seconds since the epoch; 0: not known yet." },
	{ 0 },
};
