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

static void free_list(char ***list, size_t *n)
{
	for (size_t i = 0; i < *n; i++)
		free((*list)[i]);
	free(*list);
	*list = NULL;
	*n = 0;
}

void registration_free_routes(struct registration *r)
{
	free_list(&r->service_route, &r->n_service_route);
	free_list(&r->path, &r->n_path);
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
	MATCH_URI,  /* RFC 3261 19.1.4 */
	MATCH_FLOW, /* RFC 5626 section 6: instance and reg-id */
};

static enum match match_of(
	const struct registration *r, const struct addr *a, const struct uri *contact)
{
	uint32_t reg_id = reg_id_of(a);
	bool same = slice_eq_ci(instance_of(a), slice_str(r->ep->instance_id));

	if (!contact)
		return MATCH_NONE;
	if (same && reg_id)
		return reg_id == r->reg_id ? MATCH_FLOW : MATCH_NONE;
	if (uri_equal(&a->uri, contact))
		return MATCH_URI;
	return same ? MATCH_INSTANCE : MATCH_NONE;
}

/* One of our flows: this one is found by match_of(). */
static bool is_of_us(const struct endpoint *ep, const struct addr *a)
{
	uint32_t reg_id = reg_id_of(a);

	if (!slice_eq_ci(instance_of(a), slice_str(ep->instance_id)))
		return false;
	for (const struct registration *r = ep->registration; r; r = r->next)
		if (r->contact && r->reg_id == reg_id)
			return true;
	return false;
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
		.own = is_of_us(r->ep, a),
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
	struct registration *all = r->ep->registration;
	size_t at = LIMITS_BINDINGS;
	enum match match;
	struct addr a;

	if (addr_parse(value, &a) < 0)
		return;
	match = match_of(r, &a, contact);
	if (all->n_bindings < LIMITS_BINDINGS) {
		at = all->n_bindings++;
		fill(r, m, &a, &all->bindings[at]);
	}
	if (match > best->match)
		*best = (struct best){ match, a, at };
}

uint32_t registration_take_bindings(
	struct registration *r, const struct msg *m, const char *contact)
{
	struct registration *all = r->ep->registration; /* the first has the list */
	struct best best = { MATCH_NONE };
	struct msg_list it = { 0 };
	struct slice value;
	struct uri ours;
	bool any = false;

	registration_free_bindings(all);
	all->bindings = mem_zalloc(LIMITS_BINDINGS * sizeof(*all->bindings));
	if (contact && uri_parse(slice_str(contact), &ours) < 0)
		contact = NULL;
	while (msg_list_next(m, HDR_CONTACT, &it, &value) == 1) {
		any = true;
		take_contact(r, m, contact ? &ours : NULL, &best, value);
	}
	all->bindings = mem_realloc(all->bindings, all->n_bindings * sizeof(*all->bindings));
	if (best.match && best.at < LIMITS_BINDINGS)
		all->bindings[best.at].own = true;
	if (!contact)
		return 0;
	if (best.match)
		return expires_of(r, m, &best.addr);
	/* Some registrars answer without a list; had they refused, they would have said so. */
	return any ? 0 : expires_of(r, m, NULL);
}

/* ---- Service-Route and Path ---- */

static void take_list(const struct msg *m, enum hdr_id id, char ***list, size_t *n)
{
	struct msg_list it = { 0 };
	struct slice value;
	struct addr a;

	free_list(list, n);
	*list = mem_zalloc(LIMITS_ROUTES * sizeof(**list));
	while (msg_list_next(m, id, &it, &value) == 1) {
		/* Half a route leads nowhere. */
		if (*n == LIMITS_ROUTES || addr_parse(value, &a) < 0) {
			free_list(list, n);
			return;
		}
		(*list)[(*n)++] = slice_dup(value);
	}
	if (*n == 0)
		free_list(list, n);
}

void registration_take_routes(struct registration *r, const struct msg *m)
{
	take_list(m, HDR_SERVICE_ROUTE, &r->service_route, &r->n_service_route);
	take_list(m, HDR_PATH, &r->path, &r->n_path);
}
