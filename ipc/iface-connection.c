/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ipc/iface-connection.h"

#include "ipc/bus-call.h"
#include "ipc/bus-value.h"
#include "ipc/iface-private.h"
#include "protocol/base/err.h"
#include "protocol/msg/build.h"
#include "protocol/ua/endpoint-flow.h"

/* ---- what is shown ---- */

static void write_address(struct bus_writer *w, const char *key, const struct flow_addr *a)
{
	struct buf b = BUF_NULL;

	build_hostport(&b, slice_str(a->host), a->port);
	bus_entry_s(w, key, buf_slice(&b));
	buf_deinit(&b);
}

static void write_certificate(struct bus_writer *w, const struct flow_tls *t)
{
	bus_open_entry(w, "Certificate", "a{sv}");
	bus_open_dict(w);
	bus_entry_str(w, "Subject", t->subject);
	bus_entry_str(w, "Issuer", t->issuer);
	bus_entry_str(w, "Fingerprint", t->fingerprint);
	bus_entry_t(w, "Expires", t->not_after);
	bus_close(w);
	bus_close(w);
}

static void write_tls(struct bus_writer *w, const struct flow_tls *t)
{
	bus_entry_str(w, "TlsVersion", t->version);
	bus_entry_str(w, "TlsCipher", t->cipher);
	bus_entry_b(w, "Resumed", t->resumed);
	if (t->fingerprint[0])
		write_certificate(w, t);
	if (t->matched)
		bus_entry_str(w, "MatchedDomain", t->matched);
}

static uint32_t idle_seconds(const struct ua *ua, const struct flow *f)
{
	usec_t now = ua->timers.now;

	return now > f->used ? (uint32_t)((now - f->used) / USEC_PER_SEC) : 0;
}

static void write_flow(struct bus_writer *w, const struct ua *ua, const struct flow *f)
{
	bus_open_dict(w);
	bus_entry_t(w, "Id", f->id);
	bus_entry_str(w, "Transport", transport_name(f->transport));
	write_address(w, "Local", &f->local);
	write_address(w, "Remote", &f->peer);
	bus_entry_b(w, "Incoming", f->incoming);
	bus_entry_str(w, "State", f->state == FLOW_UP ? "up" : "opening");
	bus_entry_t(w, "Since", ua_epoch_seconds(ua, f->since));
	bus_entry_u(w, "Idle", idle_seconds(ua, f));
	if (f->reg_id)
		bus_entry_u(w, "RegId", f->reg_id);
	if (f->tls)
		write_tls(w, f->tls);
	bus_close(w);
}

void iface_connection_get(struct bus_writer *w, void *object)
{
	const struct endpoint *ep = ((struct iface_endpoint *)object)->ep;

	bus_open_array(w, "a{sv}");
	list_for_each (node, &ep->connections)
		write_flow(w, ep->ua, list_entry(node, struct endpoint_connection, node)->flow);
	bus_close(w);
}

static struct flow *next_of_all(const struct iface *i, const struct flow *after)
{
	return i->host->next_flow ? i->host->next_flow(i->host->ctx, after) : NULL;
}

void iface_connection_get_all(struct bus_writer *w, void *object)
{
	const struct iface *i = object;
	const struct flow *f = NULL;

	bus_open_array(w, "a{sv}");
	for (size_t n = 0; n < IFACE_CONNECTIONS_MAX && (f = next_of_all(i, f)); n++)
		write_flow(w, i->ua, f);
	bus_close(w);
}

/* ---- what is done ---- */

static int no_such(struct bus_call *c)
{
	return bus_call_fail(c, -ENOENT, "no connection has that Id");
}

/*
 * What other profiles' endpoints use as well is not for whoever may use this one. Else the caller
 * has its answer, and *ret_flow is as it was.
 */
static int find_own(struct bus_call *c, const struct endpoint *ep, struct flow **ret_flow)
{
	struct flow *f = endpoint_flow_find(ep, bus_read_t(bus_call_args(c)));

	if (!f)
		return no_such(c);
	if (endpoint_flow_has_others(ep, f))
		return bus_call_fail(c, -EPERM, "endpoints of other profiles use it, too");
	*ret_flow = f;
	return 0;
}

int iface_connection_end(struct bus_call *c, void *object)
{
	const struct endpoint *ep = ((struct iface_endpoint *)object)->ep;
	struct flow *f = NULL;
	int r = find_own(c, ep, &f);

	if (f)
		flow_close(f, "disconnected by a client");
	return r;
}

int iface_connection_set_idle(struct bus_call *c, void *object)
{
	const struct endpoint *ep = ((struct iface_endpoint *)object)->ep;
	struct flow *f = NULL;
	int r = find_own(c, ep, &f);

	if (!f)
		return r;
	if (!f->ops->set_idle)
		return bus_call_fail(c, -EOPNOTSUPP, "it has no such time");
	f->ops->set_idle(f, bus_read_u(bus_call_args(c)) * USEC_PER_SEC);
	return 0;
}

int iface_connection_end_any(struct bus_call *c, void *object)
{
	const struct iface *i = object;
	uint64_t id = bus_read_t(bus_call_args(c));
	struct flow *f = NULL;

	while ((f = next_of_all(i, f)))
		if (f->id == id) {
			flow_close(f, "disconnected by an administrator");
			return 0;
		}
	return no_such(c);
}
