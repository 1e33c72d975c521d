/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Manager.CreateEndpoint: an endpoint of a profile, or a peer-to-peer one from options alone. */
#include <string.h>

#include "ipc/bus-call.h"
#include "ipc/bus-client.h"
#include "ipc/bus-object.h"
#include "ipc/bus-option.h"
#include "ipc/iface-private.h"
#include "protocol/base/err.h"
#include "protocol/ua/endpoint.h"
#include "protocol/ua/registration.h"

enum {
	CREATE_ID,
	CREATE_KIND,
	CREATE_URI,
	CREATE_DISPLAY_NAME,
	CREATE_ENDPOINT_ID,
	CREATE_INSTANCE_ID,
	CREATE_TRANSPORT,
	CREATE_OUTBOUND_PROXY,
	CREATE_GRUU,
	CREATE_LISTEN,
	CREATE_REGISTER,
	CREATE_HEADERS,
	CREATE_LIFETIME,
};

const struct bus_option iface_create_options[] = {
	[CREATE_ID] = { "Id", "s", "Last element of the path: letters, digits and '_'." },
	[CREATE_KIND] = { "Kind", "s",
		"registered or peer-to-peer, instead of the profile's; without a profile "
		"peer-to-peer." },
	[CREATE_URI] = { "Uri", "s", "Address of record, instead of the profile's." },
	[CREATE_DISPLAY_NAME] = { "DisplayName", "s", "Instead of the profile's." },
	[CREATE_ENDPOINT_ID] = { "EndpointId", "s", "Tells points of presence of one URI apart." },
	[CREATE_INSTANCE_ID] = { "InstanceId", "s", "SIP instance, a URN (RFC 5626 section 4.1)." },
	[CREATE_TRANSPORT] = { "Transport", "s",
		"udp, tcp or tls, instead of the server's; for peers where their URI says none." },
	[CREATE_OUTBOUND_PROXY] = { "OutboundProxy", "s",
		"host[:port][;transport=tcp] or SIP URI." },
	[CREATE_GRUU] = { "Gruu", "s",
		"A URI that leads to it from everywhere (RFC 5627 section 4.3), for Contact; "
		"peer-to-peer endpoints only." },
	[CREATE_LISTEN] = { "Listen", "b",
		"Be reached by anybody; peer-to-peer endpoints only, the profile's Listen if "
		"absent." },
	[CREATE_REGISTER] = { "Register", "b",
		"Register at once; the profile's Register if absent." },
	[CREATE_HEADERS] = { "Headers", "a(ss)", "For the registration." },
	[CREATE_LIFETIME] = { "Lifetime", "s",
		"client: ends when the caller leaves the bus; daemon (the default): when the "
		"daemon ends, or it is closed." },
	{ 0 },
};

/* An option's text as a C string that lives as long as the message; NULL if it was not given. */
static const char *text_of(struct bus_call *c, unsigned row)
{
	const struct bus_value *v = bus_call_option(c, row);

	/* libdbus keeps strings NUL-terminated. */
	return v->given ? v->s.p : NULL;
}

/* ---- options ---- */

static int check_words(struct bus_call *c)
{
	const char *kind = text_of(c, CREATE_KIND), *lifetime = text_of(c, CREATE_LIFETIME);

	if (kind && strcmp(kind, "registered") != 0 && strcmp(kind, "peer-to-peer") != 0)
		return bus_call_fail(c, -EINVAL, "Kind is registered or peer-to-peer");
	if (lifetime && strcmp(lifetime, "client") != 0 && strcmp(lifetime, "daemon") != 0)
		return bus_call_fail(c, -EINVAL, "Lifetime is client or daemon");
	return 0;
}

static int read_create(struct bus_call *c, struct endpoint_config *ret)
{
	const struct bus_value *listen = bus_call_option(c, CREATE_LISTEN);
	const char *transport = text_of(c, CREATE_TRANSPORT);

	if (transport) {
		ret->transport = transport_parse(slice_str(transport));
		if (ret->transport == TRANSPORT_NONE)
			return bus_call_fail(c, -EINVAL, "Transport is udp, tcp or tls");
	}
	if (listen->given)
		ret->listen = listen->b ? ENDPOINT_LISTEN_YES : ENDPOINT_LISTEN_NO;
	ret->id = text_of(c, CREATE_ID);
	ret->kind = text_of(c, CREATE_KIND);
	ret->uri = text_of(c, CREATE_URI);
	ret->display_name = text_of(c, CREATE_DISPLAY_NAME);
	ret->endpoint_id = text_of(c, CREATE_ENDPOINT_ID);
	ret->instance_id = text_of(c, CREATE_INSTANCE_ID);
	ret->outbound_proxy = text_of(c, CREATE_OUTBOUND_PROXY);
	ret->gruu = text_of(c, CREATE_GRUU);
	return 0;
}

/* ---- of which profile ---- */

static bool is_administrator(const struct iface *i, struct bus_call *c)
{
	return i->host->is_administrator(i->host->ctx, bus_call_uid(c));
}

static bool may_use(const struct iface *i, struct bus_call *c, const struct profile *p)
{
	return is_administrator(i, c) || i->host->may_use(i->host->ctx, bus_call_uid(c), p);
}

static int find_profile(
	struct iface *i, struct bus_call *c, struct slice name, struct profile **ret)
{
	struct profile *p = i->host->find_profile(i->host->ctx, name);

	if (!p)
		return bus_call_fail(c, -ENOENT, "no profile is named %.*s", SLICE_ARGS(name));
	if (!p->enabled)
		return bus_call_fail(c, -ESTALE, "the profile is not enabled");
	if (!may_use(i, c, p))
		return -EPERM;
	*ret = profile_ref(p);
	return 0;
}

/* Whoever makes an endpoint without a profile is the one user of it beside administrators. */
static void give_to(struct profile *p, uid_t uid)
{
	struct buf b = BUF_NULL;

	buf_u64(&b, uid);
	p->users = mem_new(char *);
	p->users[0] = buf_take(&b);
	p->n_users = 1;
}

/* One that no file describes and no object shows. */
static int make_profile(struct iface *i, struct bus_call *c, struct profile **ret)
{
	const char *kind = text_of(c, CREATE_KIND);
	struct profile *p;

	if (kind && strcmp(kind, "registered") == 0)
		return bus_call_fail(c, -EINVAL, "what registers needs a profile");
	if (!text_of(c, CREATE_URI))
		return bus_call_fail(c, -EINVAL, "without a profile Uri is needed");
	p = profile_new();
	if (!may_use(i, c, p)) {
		profile_unref(p);
		return -EPERM;
	}
	p->name = mem_strdup("peer");
	p->kind = PROFILE_PEER_TO_PEER;
	p->registers = false;
	p->enabled = true;
	if (!is_administrator(i, c))
		give_to(p, bus_call_uid(c));
	*ret = p;
	return 0;
}

/* ---- the endpoint ---- */

/* A user whom the bus lets in does not keep others from making theirs. */
static bool has_too_many(const struct iface *i, struct bus_call *c)
{
	size_t n = 0;

	if (is_administrator(i, c))
		return false;
	list_for_each (node, &i->endpoints) {
		const struct iface_endpoint *ie = list_entry(node, struct iface_endpoint, node);

		n += ie->made && ie->uid == bus_call_uid(c);
	}
	return n >= IFACE_ENDPOINTS_PER_USER;
}

static int explain(struct bus_call *c, int r)
{
	switch (r) {
	case -EEXIST:
		return bus_call_fail(c, r, "an endpoint with this Id or Gruu exists");
	case -EINVAL:
		return bus_call_fail(c, r, "an option is malformed");
	case -EMSGSIZE:
		return bus_call_fail(c, r, "an option is too long");
	case -EADDRINUSE:
		return bus_call_fail(c, -EIO, "the port of Uri is taken");
	case -EOPNOTSUPP:
		return bus_call_fail(
			c, r, "a registered endpoint neither listens nor is given a GRUU");
	}
	return r;
}

static int register_new(struct bus_call *c, struct endpoint *ep)
{
	const struct bus_value *wish = bus_call_option(c, CREATE_REGISTER);
	struct registration_options o = { 0 };
	struct request_header *list cleanup_free = NULL;
	int r;

	if (wish->given && wish->b && !ep->registration)
		return bus_call_fail(c, -EOPNOTSUPP, "a peer-to-peer endpoint does not register");
	if (!ep->registration || !(wish->given ? wish->b : ep->profile->registers))
		return 0;
	r = iface_headers_option(c, CREATE_HEADERS, &list, &o.n_headers);
	if (r < 0)
		return r;
	o.headers = list;
	r = registration_start(ep->registration, &o);
	return r == -EINVAL ? bus_call_fail(c, r, "Expires is no header for an endpoint") : r;
}

static void on_creator_left(void *ctx, const char *client)
{
	struct iface_endpoint *ie = ctx;

	(void)client;
	ie->creator = NULL;
	endpoint_close(ie->ep);
}

static void keep_record(struct iface *i, struct bus_call *c, struct endpoint *ep)
{
	const char *lifetime = text_of(c, CREATE_LIFETIME);
	struct iface_endpoint *ie = ep->user;

	ie->made = true;
	ie->uid = bus_call_uid(c);
	if (!lifetime || strcmp(lifetime, "client") != 0)
		return;
	ie->creator = bus_watch_client(i->bus, bus_call_sender(c), on_creator_left, ie);
	bus_changed(ie->object, &iface_endpoint, "Lifetime");
}

static int create(struct iface *i, struct bus_call *c, struct profile *p)
{
	struct endpoint_config config = { .profile = p };
	struct endpoint *ep;
	struct bus_writer w;
	int r = read_create(c, &config);

	if (r < 0)
		return r;
	if (has_too_many(i, c))
		return bus_call_fail(c, -ENOSPC, "a user makes %u endpoints at most",
			(unsigned)IFACE_ENDPOINTS_PER_USER);
	r = endpoint_new(i->ua, &config, &ep);
	if (r < 0)
		return explain(c, r);
	r = register_new(c, ep);
	if (r < 0) {
		endpoint_close(ep);
		return r;
	}
	keep_record(i, c, ep);
	bus_call_open(c, &w);
	bus_write_o(&w, iface_endpoint_path(ep));
	bus_call_send(c, &w);
	return 0;
}

int iface_create_endpoint(struct bus_call *c, void *object)
{
	struct iface *i = object;
	struct slice name = bus_read_s(bus_call_args(c));
	struct profile *p = NULL;
	int r = check_words(c);

	if (r == 0)
		r = name.n ? find_profile(i, c, name, &p) : make_profile(i, c, &p);
	if (r < 0)
		return r;
	r = create(i, c, p);
	profile_unref(p);
	return r;
}
