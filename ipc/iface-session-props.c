/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What can be read of a session: properties and messages. */
#include "ipc/bus-call.h"
#include "ipc/bus-value.h"
#include "ipc/iface-private.h"
#include "ipc/iface-session.h"
#include "protocol/base/err.h"
#include "protocol/ua/session-view.h"

static struct session *of(void *object)
{
	return ((struct iface_session *)object)->s;
}

/* ---- properties ---- */

static void get_endpoint(struct bus_writer *w, void *object)
{
	bus_write_o(w, iface_endpoint_path(session_endpoint(of(object))));
}

static void get_owner(struct bus_writer *w, void *object)
{
	bus_write_str(w, iface_owned_by(&((struct iface_session *)object)->owned));
}

static void get_outgoing(struct bus_writer *w, void *object)
{
	bus_write_b(w, session_is_outgoing(of(object)));
}

static void get_state(struct bus_writer *w, void *object)
{
	bus_write_str(w, session_state_name(session_state(of(object))));
}

static void get_type(struct bus_writer *w, void *object)
{
	bus_write_s(w, session_type(of(object)));
}

static void get_party(struct bus_writer *w, void *object)
{
	bus_write_s(w, session_party(of(object)));
}

/* The URI of a name-addr; what cannot be read is shown as it is. */
static void write_uri(struct bus_writer *w, struct slice value)
{
	struct addr a;

	bus_write_s(w, addr_parse(value, &a) == 0 ? a.uri.text : value);
}

static void get_remote_uri(struct bus_writer *w, void *object)
{
	write_uri(w, session_remote(of(object)));
}

static void get_remote_display_name(struct bus_writer *w, void *object)
{
	struct buf display = BUF_NULL;
	struct addr a;

	if (addr_parse(session_remote(of(object)), &a) == 0)
		addr_append_display(&display, &a);
	bus_write_s(w, buf_slice(&display));
	buf_deinit(&display);
}

static void get_local_uri(struct bus_writer *w, void *object)
{
	write_uri(w, session_local(of(object)));
}

static void get_request_uri(struct bus_writer *w, void *object)
{
	bus_write_s(w, session_request_uri(of(object)));
}

static void get_call_id(struct bus_writer *w, void *object)
{
	bus_write_s(w, session_call_id(of(object)));
}

static void get_asserted_identity(struct bus_writer *w, void *object)
{
	struct slice value;

	bus_open_array(w, "s");
	for (unsigned i = 0; (value = session_asserted(of(object), i)).p; i++)
		write_uri(w, value);
	bus_close(w);
}

static void get_forked(struct bus_writer *w, void *object)
{
	bus_write_b(w, session_is_forked(of(object)));
}

static void get_start_time(struct bus_writer *w, void *object)
{
	const struct iface_session *is = object;

	bus_write_t(w, ua_epoch_seconds(is->iface->ua, session_start_time(is->s)));
}

static void get_session_expires(struct bus_writer *w, void *object)
{
	bus_write_u(w, session_expires(of(object)));
}

static void get_refresher(struct bus_writer *w, void *object)
{
	bus_write_str(w, session_refresher(of(object)));
}

static void get_remote_target(struct bus_writer *w, void *object)
{
	bus_write_s(w, session_remote_target(of(object)));
}

static void get_description_state(struct bus_writer *w, void *object)
{
	bus_write_str(w, offer_state_name(session_description_state(of(object))));
}

static void get_gruu(struct bus_writer *w, void *object)
{
	bus_write_s(w, session_gruu(of(object)));
}

const struct bus_property iface_session_properties[] = {
	{ .name = "Endpoint",
		.sig = "o",
		.get = get_endpoint,
		.flags = BUS_CONST | BUS_STATE,
		.doc = "Whose session it is." },
	{ .name = "Owner",
		.sig = "s",
		.get = get_owner,
		.flags = BUS_EMITS | BUS_STATE,
		.doc = "Unique name of the client that made or took it; empty: nobody, so Adopt can." },
	{ .name = "Outgoing",
		.sig = "b",
		.get = get_outgoing,
		.flags = BUS_CONST | BUS_STATE,
		.doc = "The INVITE was ours." },
	{ .name = "State",
		.sig = "s",
		.get = get_state,
		.flags = BUS_EMITS | BUS_STATE,
		.doc = "incoming, trying, ringing, early, established, terminating or terminated." },
	{ .name = "Type",
		.sig = "s",
		.get = get_type,
		.flags = BUS_CONST | BUS_STATE,
		.doc = "pc2pc, pc2ph, im and such, as in the profile's list of sessions." },
	{ .name = "Party",
		.sig = "s",
		.get = get_party,
		.flags = BUS_CONST | BUS_STATE,
		.doc = "first or third, as in the profile's list of sessions." },
	{ .name = "RemoteUri",
		.sig = "s",
		.get = get_remote_uri,
		.flags = BUS_EMITS,
		.doc = "The far end, of From or To." },
	{ .name = "RemoteDisplayName",
		.sig = "s",
		.get = get_remote_display_name,
		.flags = BUS_EMITS,
		.doc = "The name that it gives itself." },
	{ .name = "LocalUri",
		.sig = "s",
		.get = get_local_uri,
		.flags = BUS_CONST,
		.doc = "Who we are in this session." },
	{ .name = "RequestUri",
		.sig = "s",
		.get = get_request_uri,
		.flags = BUS_CONST,
		.doc = "Of the INVITE: whom it was for." },
	{ .name = "CallId", .sig = "s", .get = get_call_id, .flags = BUS_CONST, .doc = "Call-ID." },
	{ .name = "AssertedIdentity",
		.sig = "as",
		.get = get_asserted_identity,
		.flags = BUS_EMITS,
		.doc = "URIs of P-Asserted-Identity (RFC 3325), if our own server sent it; else empty." },
	{ .name = "Forked",
		.sig = "b",
		.get = get_forked,
		.flags = BUS_EMITS | BUS_STATE,
		.doc = "Ours: more than one dialog came of it. Theirs: it came by a fork." },
	{ .name = "StartTime",
		.sig = "t",
		.get = get_start_time,
		.flags = BUS_EMITS | BUS_STATE,
		.doc = "When it was established, seconds since the epoch; 0: not yet." },
	{ .name = "SessionExpires",
		.sig = "u",
		.get = get_session_expires,
		.flags = BUS_EMITS | BUS_STATE,
		.doc = "Interval of the session timer in seconds (RFC 4028); 0: there is none." },
	{ .name = "Refresher",
		.sig = "s",
		.get = get_refresher,
		.flags = BUS_EMITS | BUS_STATE,
		.doc = "local or remote: who refreshes; empty without a timer." },
	{ .name = "RemoteTarget",
		.sig = "s",
		.get = get_remote_target,
		.flags = BUS_EMITS,
		.doc = "Contact URI of the far end." },
	{ .name = "DescriptionState",
		.sig = "s",
		.get = get_description_state,
		.flags = BUS_EMITS | BUS_STATE,
		.doc = "none, local-offer, remote-offer or stable (RFC 3264)." },
	{ .name = "Gruu",
		.sig = "s",
		.get = get_gruu,
		.flags = BUS_EMITS,
		.doc = "The GRUU that we gave as Contact (RFC 5627); empty: none." },
	{ 0 },
};

/* ---- GetMessage ---- */

static bool is_credential(const struct hdr *h)
{
	return h->id == HDR_AUTHORIZATION || h->id == HDR_PROXY_AUTHORIZATION;
}

/* The message as it was, but for the values of headers that hold credentials. */
static void append_without_credentials(struct buf *b, const struct msg *m)
{
	const char *at = m->raw.p, *end = m->raw.p + m->raw.n;

	for (size_t k = 0; k < m->n_hdrs; k++) {
		const struct hdr *h = &m->hdrs[k];

		if (!is_credential(h))
			continue;
		buf_put(b, slice_of(at, (size_t)(h->value.p - at)));
		at = h->value.p + h->value.n;
	}
	buf_put(b, slice_of(at, (size_t)(end - at)));
}

int iface_session_get_message(struct bus_call *c, void *object)
{
	static const char *const names[] = {
		[SESSION_INVITE] = "invite",
		[SESSION_FINAL] = "final",
		[SESSION_LAST_RECEIVED] = "last-received",
	};
	struct slice which = bus_read_s(bus_call_args(c));
	const struct msg *m;
	struct buf bytes = BUF_NULL;
	struct bus_writer w;
	size_t k = 0;

	while (k < ARRAY_LEN(names) && !slice_eq(which, slice_str(names[k])))
		k++;
	if (k == ARRAY_LEN(names))
		return bus_call_fail(c, -EINVAL, "invite, final or last-received");
	m = session_msg(of(object), (enum session_message)k);
	if (!m)
		return bus_call_fail(c, -ESTALE, "there is no such message yet");
	append_without_credentials(&bytes, m);
	bus_call_open(c, &w);
	bus_write_ay(&w, buf_slice(&bytes));
	bus_call_send(c, &w);
	buf_deinit(&bytes);
	return 0;
}
