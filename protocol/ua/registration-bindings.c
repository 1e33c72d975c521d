/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "protocol/msg/params.h"
#include "protocol/ua/limits.h"
#include "protocol/ua/registration-private.h"

/* What a registrar's 2xx says: the bindings (RFC 3261 10.3 step 8) and the Service-Route. */

enum {
	/* RFC 3261 20.19 and 10.2.1.1: what a malformed expires counts as. */
	MALFORMED_EXPIRES = 3600,
};

void registration_free_bindings(struct registration *r)
{
	for (size_t i = 0; i < r->n_bindings; i++) {
		free(r->bindings[i].uri);
		free(r->bindings[i].display_name);
		free(r->bindings[i].instance);
		free(r->bindings[i].params);
	}
	free(r->bindings);
	r->bindings = NULL;
	r->n_bindings = 0;
}

void registration_free_route(struct registration *r)
{
	for (size_t i = 0; i < r->n_service_route; i++)
		free(r->service_route[i]);
	free(r->service_route);
	r->service_route = NULL;
	r->n_service_route = 0;
}

/* ---- one contact ---- */

static uint32_t seconds_of(struct slice value)
{
	uint32_t v;

	if (!slice_to_u32(value, UINT32_MAX, &v))
		return MALFORMED_EXPIRES;
	return v < LIMITS_EXPIRES ? v : LIMITS_EXPIRES;
}

/* The contact's own parameter, else the Expires header, else what we asked for (10.2.4). */
static uint32_t expires_of(const struct registration *r, const struct msg *m, const struct addr *a)
{
	struct slice value;

	if (a && addr_param(a, SLICE("expires"), &value))
		return seconds_of(value);
	value = msg_header(m, HDR_EXPIRES);
	return value.p ? seconds_of(value) : r->ask_expires;
}

/* The URN of +sip.instance, without quotes and brackets (RFC 5626 section 4.1). */
static struct slice instance_of(const struct addr *a)
{
	struct slice v;

	if (!addr_param(a, SLICE("+sip.instance"), &v) || !v.p)
		return SLICE_NULL;
	v = params_unquote(v);
	if (v.n >= 2 && v.p[0] == '<' && v.p[v.n - 1] == '>')
		v = slice_of(v.p + 1, v.n - 2);
	return v;
}

static uint32_t reg_id_of(const struct addr *a)
{
	struct slice v;
	uint32_t id = 0;

	if (addr_param(a, SLICE("reg-id"), &v))
		(void)slice_to_u32(v, INT32_MAX, &id);
	return id;
}

/* How well a contact fits ours: registrars behind an address translator rewrite the URI. */
enum match {
	MATCH_NONE,
	MATCH_INSTANCE,
	MATCH_URI, /* RFC 3261 19.1.4 */
};

static enum match match_of(
	const struct registration *r, const struct addr *a, const struct uri *contact)
{
	if (!contact)
		return MATCH_NONE;
	if (uri_equal(&a->uri, contact))
		return MATCH_URI;
	return slice_eq_ci(instance_of(a), slice_str(r->ep->instance_id)) ? MATCH_INSTANCE
									  : MATCH_NONE;
}

static void fill(struct registration *r, const struct msg *m, const struct addr *a,
	struct registration_binding *b)
{
	struct slice instance = instance_of(a);
	struct buf display = BUF_NULL;

	*b = (struct registration_binding){
		.uri = slice_dup(a->uri.text),
		.params = slice_dup(a->params),
		.instance = instance.p ? slice_dup(instance) : NULL,
		.expires = r->ep->ua->timers.now + expires_of(r, m, a) * USEC_PER_SEC,
		.q_thousandths = addr_q(a),
		.reg_id = reg_id_of(a),
	};
	if (a->display.p) {
		addr_append_display(&display, a);
		b->display_name = buf_take(&display);
	}
}

/* ---- all of them ---- */

struct best {
	enum match match;
	struct addr addr;
	size_t at; /* its place among the bindings, or LIMITS_BINDINGS if there was no room */
};

static void take_contact(struct registration *r, const struct msg *m, const struct uri *contact,
	struct best *best, struct slice value)
{
	size_t at = LIMITS_BINDINGS;
	enum match match;
	struct addr a;

	if (addr_parse(value, &a) < 0)
		return;
	match = match_of(r, &a, contact);
	if (r->n_bindings < LIMITS_BINDINGS) {
		at = r->n_bindings++;
		fill(r, m, &a, &r->bindings[at]);
	}
	if (match > best->match)
		*best = (struct best){ match, a, at };
}

uint32_t registration_take_bindings(
	struct registration *r, const struct msg *m, const char *contact)
{
	struct best best = { MATCH_NONE };
	struct msg_list it = { 0 };
	struct slice value;
	struct uri ours;
	bool any = false;

	registration_free_bindings(r);
	r->bindings = mem_zalloc(LIMITS_BINDINGS * sizeof(*r->bindings));
	if (contact && uri_parse(slice_str(contact), &ours) < 0)
		contact = NULL;
	while (msg_list_next(m, HDR_CONTACT, &it, &value) == 1) {
		any = true;
		take_contact(r, m, contact ? &ours : NULL, &best, value);
	}
	r->bindings = mem_realloc(r->bindings, r->n_bindings * sizeof(*r->bindings));
	if (best.match && best.at < LIMITS_BINDINGS)
		r->bindings[best.at].own = true;
	if (!contact)
		return 0;
	if (best.match)
		return expires_of(r, m, &best.addr);
	/* Some registrars answer without a list; had they refused, they would have said so. */
	return any ? 0 : expires_of(r, m, NULL);
}

/* ---- Service-Route ---- */

void registration_take_route(struct registration *r, const struct msg *m)
{
	struct msg_list it = { 0 };
	struct slice value;
	struct addr a;

	registration_free_route(r);
	r->service_route = mem_zalloc(LIMITS_ROUTES * sizeof(*r->service_route));
	while (msg_list_next(m, HDR_SERVICE_ROUTE, &it, &value) == 1) {
		/* Half a route leads nowhere. */
		if (r->n_service_route == LIMITS_ROUTES || addr_parse(value, &a) < 0) {
			registration_free_route(r);
			return;
		}
		r->service_route[r->n_service_route++] = slice_dup(value);
	}
	if (r->n_service_route == 0)
		registration_free_route(r);
}
