/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "protocol/ua/request-way.h"

#include "protocol/base/err.h"
#include "protocol/ua/microsoft-redirect.h"
#include "protocol/ua/request-route.h"
#include "protocol/ua/request.h"

/* Whom a request is handed to: RFC 3261 sections 8.1.2 and 12.2.1.1. */

static int way_to_proxy(
	const struct endpoint *ep, const struct profile_server *s, struct request_hop *w)
{
	if (locate_target_parse(slice_str(ep->outbound_proxy), &w->to) < 0)
		return -EINVAL;
	if (w->to.transport == TRANSPORT_NONE && !w->to.sips)
		w->to.transport = ep->transport || !s ? ep->transport : s->protocol;
	w->own = ep->kind->authenticates;
	return 0;
}

/* Where that server of the profile is now: a registrar may have led us to another. */
static const struct profile_server *server_now(
	const struct endpoint *ep, const struct profile_server *s)
{
	const struct profile_server *home = microsoft_home(ep);

	return home && s && s == profile_registrar(ep->profile) ? home : s;
}

static void way_to_server(
	const struct endpoint *ep, const struct profile_server *s, struct request_hop *w)
{
	w->to.host = slice_str(s->host);
	w->to.port = s->port;
	w->to.transport = ep->transport && s != microsoft_home(ep) ? ep->transport : s->protocol;
	w->own = ep->kind->authenticates;
}

static int way_to_target(const struct endpoint *ep, const struct uri *uri, struct request_hop *w)
{
	int r = locate_target_of_uri(uri, &w->to);

	if (r == 0 && w->to.transport == TRANSPORT_NONE && !w->to.sips)
		w->to.transport = ep->transport;
	return r;
}

/* Where nothing was said of the transport TLS may be asked for; false: something else was said. */
static bool make_secure(struct locate_target *t)
{
	if (t->transport == TRANSPORT_NONE)
		t->sips = true;
	return locate_target_is_secure(t);
}

static uint16_t port_of(const struct locate_target *t)
{
	if (t->port)
		return t->port;
	return transport_default_port(locate_target_is_secure(t) ? TRANSPORT_TLS : TRANSPORT_UDP);
}

static bool leads_to(const struct locate_target *to, const struct locate_target *server)
{
	/* What is meant for TLS is shown over nothing weaker. */
	return slice_eq_ci(to->host, server->host) && port_of(to) == port_of(server) &&
	       (!locate_target_is_secure(server) || locate_target_is_secure(to));
}

/* Whether that is one of the endpoint's own servers, which alone get credentials (section 22). */
static bool is_own_server(const struct endpoint *ep, const struct locate_target *to)
{
	const struct profile *p = ep->profile;
	struct locate_target proxy;

	if (!ep->kind->authenticates)
		return false;
	for (size_t i = 0; i < p->n_servers; i++) {
		struct request_hop server = { .own = true };

		way_to_server(ep, server_now(ep, &p->servers[i]), &server);
		if (leads_to(to, &server.to))
			return true;
	}
	return ep->outbound_proxy &&
	       locate_target_parse(slice_str(ep->outbound_proxy), &proxy) == 0 &&
	       leads_to(to, &proxy);
}

/* 12.2.1.1 with 8.1.2: the first route, else the remote target, by RFC 3263. */
static int way_in_dialog(
	const struct endpoint *ep, const struct request_way *way, struct request_hop *w)
{
	struct uri hop;
	int r;

	if (uri_parse(dialog_next_hop(way->dialog), &hop) < 0)
		return -EINVAL;
	r = way_to_target(ep, &hop, w);
	if (r < 0)
		return r;
	if (way->dialog->secure && !make_secure(&w->to))
		return -EOPNOTSUPP;
	w->own = is_own_server(ep, &w->to);
	return 0;
}

/* 8.1.2: its first, whether loose or strict. A peer's servers are its own business. */
static int way_by_route(
	const struct endpoint *ep, const struct request_way *way, struct request_hop *w)
{
	struct uri first;

	if (!request_route_first(way->route, &first))
		return -EINVAL;
	return way_to_target(ep, &first, w);
}

/*
 * A registered endpoint sends everything to its server, which so plays the default outbound proxy
 * of RFC 3261 8.1.2: a Service-Route says where it goes from there. Without a server, and for
 * peers, RFC 3263 on the Request-URI decides.
 */
int request_way_find(const struct endpoint *ep, const struct request_way *way,
	const struct uri *uri, struct request_hop *ret)
{
	const struct profile_server *s = way->proxy;
	struct request_hop w = { .own = false };
	int r = 0;

	if (way->server == REQUEST_TO_REGISTRAR && !s)
		return -EOPNOTSUPP;
	if (way->dialog)
		r = way_in_dialog(ep, way, &w);
	else if (way->route.n)
		r = way_by_route(ep, way, &w);
	else if (ep->outbound_proxy)
		r = way_to_proxy(ep, s, &w);
	else if (s)
		way_to_server(ep, s, &w);
	else
		r = way_to_target(ep, uri, &w);
	if (r < 0)
		return r;
	/* RFC 3261 8.1.2: whatever stands between, a sips URI is reached over TLS. */
	if (uri->scheme == URI_SIPS && !make_secure(&w.to))
		return -EOPNOTSUPP;
	*ret = w;
	return 0;
}

void request_way_init(
	struct request_way *w, const struct endpoint *ep, const struct request_spec *spec)
{
	*w = (struct request_way){
		.server = spec->server,
		.dialog = spec->dialog,
		.reg_id = spec->reg_id,
		.route = spec->dialog ? SLICE_NULL : spec->route,
	};
	if (!ep->kind->registers)
		return;
	if (spec->server == REQUEST_TO_REGISTRAR)
		w->proxy = profile_registrar(ep->profile);
	else
		w->proxy = profile_server_for(ep->profile, spec->session_type, spec->session_party);
	w->proxy = server_now(ep, w->proxy);
}
