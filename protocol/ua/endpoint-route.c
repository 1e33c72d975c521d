/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "protocol/ua/endpoint-route.h"

#include <string.h>

#include "protocol/msg/params.h"
#include "protocol/msg/uuid.h"
#include "protocol/ua/microsoft.h"
#include "protocol/ua/registration-flows.h"

/* Which endpoint a request from outside is for: RFC 3261 8.2.2.1, RFC 5627, MS-SIPRE 3.2. */

enum {
	OPAQUE_BYTES = 18, /* a GUID and two that are zero */
	OPAQUE_CHARS = 24,
};

/* ---- tables ---- */

static void append_lower(struct buf *b, struct slice s)
{
	for (size_t i = 0; i < s.n; i++)
		buf_putc(b, s.p[i] >= 'A' && s.p[i] <= 'Z' ? (char)(s.p[i] | 0x20) : s.p[i]);
}

/* One point of presence of an address of record. Both ids are hexadecimal in most cases. */
static char *point_key(struct slice aor, struct slice id)
{
	struct buf b = BUF_NULL;

	buf_put(&b, aor);
	buf_putc(&b, '\n');
	append_lower(&b, id);
	return buf_take(&b);
}

void endpoint_route_add(struct endpoint *ep)
{
	struct ua *ua = ep->ua;
	struct slice aor = slice_str(ep->aor);

	ep->endpoint_key = point_key(aor, slice_str(ep->endpoint_id));
	ep->instance_key = point_key(aor, slice_str(ep->instance_id));
	map_insert(&ua->endpoints_by_token, &ep->by_token, slice_str(ep->token));
	map_insert(&ua->endpoints_by_aor, &ep->by_aor, aor);
	if (microsoft_is_on(ep))
		map_insert(&ua->endpoints_by_opaque, &ep->by_opaque, microsoft_opaque(ep));
	map_insert(&ua->endpoints_by_point, &ep->by_endpoint, slice_str(ep->endpoint_key));
	map_insert(&ua->endpoints_by_instance, &ep->by_instance, slice_str(ep->instance_key));
}

void endpoint_route_remove(struct endpoint *ep)
{
	struct ua *ua = ep->ua;

	map_remove(&ua->endpoints_by_token, &ep->by_token);
	map_remove(&ua->endpoints_by_aor, &ep->by_aor);
	map_remove(&ua->endpoints_by_opaque, &ep->by_opaque);
	map_remove(&ua->endpoints_by_point, &ep->by_endpoint);
	map_remove(&ua->endpoints_by_instance, &ep->by_instance);
	free(ep->endpoint_key);
	free(ep->instance_key);
}

static struct endpoint *find_endpoint_id(const struct ua *ua, struct slice aor, struct slice id)
{
	char *key = point_key(aor, id);
	struct map_node *node = map_find(&ua->endpoints_by_point, slice_str(key));

	free(key);
	return node ? container_of(node, struct endpoint, by_endpoint) : NULL;
}

static struct endpoint *find_instance(const struct ua *ua, struct slice aor, struct slice id)
{
	char *key = point_key(aor, id);
	struct map_node *node = map_find(&ua->endpoints_by_instance, slice_str(key));

	free(key);
	return node ? container_of(node, struct endpoint, by_instance) : NULL;
}

/* ---- GRUU as Microsoft's servers make it: ";opaque=user:epid:<base64url>;gruu" ---- */

static int digit_of(char c)
{
	static const char digits[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
	const char *at = memchr(digits, c, sizeof(digits) - 1);

	return at ? (int)(at - digits) : -1;
}

static bool decode(struct slice text, uint8_t out[static OPAQUE_BYTES])
{
	uint32_t bits = 0;

	if (text.n != OPAQUE_CHARS)
		return false;
	for (size_t i = 0; i < text.n; i++) {
		int d = digit_of(text.p[i]);

		if (d < 0)
			return false;
		bits = bits << 6 | (uint32_t)d;
		if (i % 4 != 3)
			continue;
		*out++ = (uint8_t)(bits >> 16);
		*out++ = (uint8_t)(bits >> 8);
		*out++ = (uint8_t)bits;
	}
	return true;
}

/* The instance id in it: a GUID whose first three fields come with their low byte first. */
static bool instance_of_opaque(struct slice opaque, struct buf *ret)
{
	const struct slice begin = SLICE("user:epid:");
	uint8_t bytes[OPAQUE_BYTES];

	if (!slice_starts_ci(opaque, begin) || !decode(slice_skip(opaque, begin.n), bytes))
		return false;
	uuid_swap(bytes);
	buf_lit(ret, "urn:uuid:");
	uuid_append(ret, bytes);
	return true;
}

/* ---- what a request says ---- */

/*
 * [MS-SIPRE] 3.2: ms-opaque of the Contact, which the server puts into the URI of requests to a
 * GRUU. Its forty bits are few enough that the address of record is looked at as well.
 */
static struct endpoint *find_opaque(const struct ua *ua, struct slice aor, const struct uri *uri)
{
	struct map_node *n = NULL;
	struct slice value;

	if (!uri_param(uri, SLICE("ms-opaque"), &value) || !value.n)
		return NULL;
	for (n = map_find(&ua->endpoints_by_opaque, value); n; n = map_find_next(n)) {
		struct endpoint *ep = container_of(n, struct endpoint, by_opaque);

		if (!uri->user.n || slice_eq(slice_str(ep->aor), aor))
			return ep;
	}
	return NULL;
}

/*
 * The URI has the parameters of a GRUU, of either kind. It means this one instance and no other.
 * None that a registrar told us, but perhaps one of an earlier run: those tell the instance.
 */
static bool find_gruu(const struct ua *ua, struct slice aor, const struct uri *uri,
	struct endpoint **ret_endpoint)
{
	struct buf id = BUF_NULL;
	struct slice value;
	bool is_gruu = true;

	if (uri_param(uri, SLICE("gr"), &value) && value.n)
		uri_append_unescaped(&id, value); /* RFC 5627 3.1.1 */
	else
		is_gruu = uri_param(uri, SLICE("opaque"), &value) && instance_of_opaque(value, &id);
	if (is_gruu)
		*ret_endpoint = find_instance(ua, aor, buf_slice(&id));
	buf_deinit(&id);
	return is_gruu;
}

/* RFC 3840 section 9, RFC 3841 9.2: Accept-Contact: *;+sip.instance="<urn:uuid:...>" */
static struct endpoint *find_preferred(const struct ua *ua, struct slice aor, const struct msg *m)
{
	struct msg_list it = { 0 };
	struct slice value, id;

	while (msg_list_next(m, HDR_ACCEPT_CONTACT, &it, &value) == 1) {
		struct endpoint *ep;

		value = slice_skip(value, slice_find(value, ';'));
		if (!params_find(value, SLICE("+sip.instance"), &id))
			continue;
		id = params_unquote(id);
		if (id.n < 2 || id.p[0] != '<' || id.p[id.n - 1] != '>')
			continue;
		ep = find_instance(ua, aor, slice_of(id.p + 1, id.n - 2));
		if (ep)
			return ep;
	}
	return NULL;
}

static struct endpoint *find_named(const struct ua *ua, struct slice aor, const struct msg *m)
{
	struct endpoint *ep = NULL;
	struct slice id;

	if (uri_param(&m->uri, SLICE("epid"), &id) && id.n)
		ep = find_endpoint_id(ua, aor, id);
	if (!ep && addr_param(&m->to, SLICE("epid"), &id) && id.n)
		ep = find_endpoint_id(ua, aor, id);
	return ep ? ep : find_preferred(ua, aor, m);
}

/* ---- who may be begun with ---- */

/* Over a connection that the endpoint itself opened, whoever is there may speak. */
static bool is_own(const struct endpoint *ep, const struct flow *f)
{
	return !f->incoming && f->pool && strcmp(f->pool, ep->pool) == 0;
}

/*
 * A registrar sends what is for those that register. Others are reached if they listen, and those
 * that speak TLS over nothing weaker. Inside of dialogs nobody asks.
 */
static bool hears(const struct endpoint *ep, const struct flow *f)
{
	if (ep->kind->registers || is_own(ep, f))
		return true;
	return ep->listens && (ep->transport != TRANSPORT_TLS || f->transport == TRANSPORT_TLS);
}

/* ---- those that nothing tells apart ---- */

static bool registered_over(const struct endpoint *ep, const struct flow *f)
{
	const struct registration *r = registration_over(ep, f);

	return r && r->state == REGISTRATION_REGISTERED;
}

/* 19.1.1: what the URI of a listener's owner says beyond user and host tells it from others. */
static unsigned likeness(const struct endpoint *ep, const struct uri *uri)
{
	struct slice own, asked;
	unsigned n = 0;
	struct uri u;

	if (uri_parse(slice_str(ep->uri), &u) < 0)
		return 0;
	if (u.port && u.port == uri->port)
		n += 1;
	if (uri_param(&u, SLICE("ms-opaque"), &own) && uri_param(uri, SLICE("ms-opaque"), &asked) &&
		slice_eq(own, asked))
		n += 2;
	return n;
}

/* Does a fit better than b, which is older? */
static bool is_better(const struct endpoint *a, const struct endpoint *b, const struct flow *f,
	const struct uri *uri)
{
	bool here = registered_over(a, f);
	unsigned like = likeness(a, uri), less = likeness(b, uri);

	if (a->closing != b->closing)
		return !a->closing;
	if (like != less)
		return like > less;
	if (here != registered_over(b, f))
		return here;
	return here && a->registration->since > b->registration->since;
}

/* The map hands out the newest first. */
static struct endpoint *find_any(
	const struct ua *ua, struct slice aor, const struct flow *f, const struct uri *uri)
{
	struct endpoint *best = NULL;

	for (struct map_node *n = map_find(&ua->endpoints_by_aor, aor); n; n = map_find_next(n)) {
		struct endpoint *ep = container_of(n, struct endpoint, by_aor);

		if (hears(ep, f) && (!best || !is_better(best, ep, f, uri)))
			best = ep;
	}
	return best;
}

static struct endpoint *find(struct ua *ua, const struct flow *f, const struct msg *m)
{
	struct map_node *node = map_find(&ua->endpoints_by_token, m->uri.user);
	struct endpoint *ep = NULL;
	struct buf aor = BUF_NULL;

	if (node)
		return container_of(node, struct endpoint, by_token);
	uri_append_aor(&aor, &m->uri);
	ep = find_opaque(ua, buf_slice(&aor), &m->uri);
	if (!ep)
		ep = gruu_find(ua, &m->uri);
	if (!ep && !find_gruu(ua, buf_slice(&aor), &m->uri, &ep)) {
		ep = find_named(ua, buf_slice(&aor), m);
		if (!ep)
			ep = find_any(ua, buf_slice(&aor), f, &m->uri);
	}
	buf_deinit(&aor);
	return ep;
}

struct endpoint *endpoint_route(struct ua *ua, const struct flow *f, const struct msg *m)
{
	struct endpoint *ep = find(ua, f, m);

	return ep && hears(ep, f) ? ep : NULL;
}
