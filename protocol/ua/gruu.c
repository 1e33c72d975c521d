/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "protocol/ua/gruu.h"

#include "protocol/base/err.h"
#include "protocol/base/mem.h"
#include "protocol/msg/params.h"
#include "protocol/ua/endpoint.h"
#include "protocol/ua/limits.h"

struct gruu {
	struct map_node by_key; /* in ua->gruus */
	struct list node;       /* in the set's list, if temporary */
	struct endpoint *ep;
	char *uri, *key;
};

/* ---- what tells GRUUs apart ---- */

/* draft-ietf-sip-gruu-10 section 6: a flag, and the instance in opaque. */
static bool is_old(const struct uri *uri)
{
	struct slice value;

	return uri_param(uri, SLICE("gruu"), &value) && uri_param(uri, SLICE("opaque"), &value);
}

bool gruu_is(const struct uri *uri)
{
	struct slice value;

	return uri_param(uri, SLICE("gr"), &value) || is_old(uri);
}

/*
 * Equal URIs have equal keys (RFC 3261 19.1.4): user and host, and the parameter's value with
 * escapes resolved, in lower case. What else distinguishes them is compared afterwards.
 */
static char *make_key(const struct uri *uri)
{
	struct buf b = BUF_NULL, id = BUF_NULL;
	struct slice value;

	if (!uri_param(uri, SLICE("gr"), &value) && !uri_param(uri, SLICE("opaque"), &value))
		value = SLICE_NULL;
	uri_append_unescaped(&id, value);
	uri_append_aor(&b, uri);
	buf_putc(&b, '\n');
	for (size_t i = 0; i < id.n; i++) {
		char c = buf_slice(&id).p[i];

		buf_putc(&b, c >= 'A' && c <= 'Z' ? (char)(c | 0x20) : c);
	}
	buf_deinit(&id);
	return buf_take(&b);
}

static bool is_same(const struct gruu *g, const struct uri *uri)
{
	struct uri own;

	if (uri_parse(slice_str(g->uri), &own) < 0)
		return false;
	/* RFC 5630 3.1.3: sip and sips name the same resource. */
	own.scheme = uri->scheme;
	return uri_equal(&own, uri);
}

static struct gruu *find(const struct ua *ua, const struct uri *uri)
{
	char *key = make_key(uri);
	struct map_node *n;

	for (n = map_find(&ua->gruus, slice_str(key)); n; n = map_find_next(n))
		if (is_same(container_of(n, struct gruu, by_key), uri))
			break;
	free(key);
	return n ? container_of(n, struct gruu, by_key) : NULL;
}

struct endpoint *gruu_find(const struct ua *ua, const struct uri *uri)
{
	struct gruu *g = gruu_is(uri) ? find(ua, uri) : NULL;

	return g ? g->ep : NULL;
}

/* ---- the set ---- */

static struct gruu *gruu_new(struct endpoint *ep, const struct uri *uri)
{
	struct gruu *g = mem_new(struct gruu);

	g->ep = ep;
	g->uri = slice_dup(uri->text);
	g->key = make_key(uri);
	map_insert(&ep->ua->gruus, &g->by_key, slice_str(g->key));
	return g;
}

static void gruu_free(struct gruu *g)
{
	if (!g)
		return;
	map_remove(&g->ep->ua->gruus, &g->by_key);
	list_remove(&g->node);
	free(g->uri);
	free(g->key);
	free(g);
}

static struct gruu *oldest(const struct gruu_set *set)
{
	return list_entry(list_first(&set->temporary), struct gruu, node);
}

static void add_temporary(struct endpoint *ep, const struct uri *uri)
{
	struct gruu_set *set = &ep->gruus;
	struct gruu *g = find(ep->ua, uri);

	if (!g || g->ep != ep || g == set->public) {
		g = gruu_new(ep, uri);
		set->n_temporary++;
	}
	/* The last one told is the newest, should a registrar repeat itself. */
	list_remove(&g->node);
	list_append(&set->temporary, &g->node);
	if (set->n_temporary > LIMITS_TEMPORARY_GRUUS) {
		gruu_free(oldest(set));
		set->n_temporary--;
	}
}

static void set_public(struct endpoint *ep, const struct uri *uri)
{
	struct gruu_set *set = &ep->gruus;

	if (uri && set->public && slice_eq(slice_str(set->public->uri), uri->text))
		return;
	gruu_free(set->public);
	set->public = uri ? gruu_new(ep, uri) : NULL;
}

void gruu_forget(struct endpoint *ep)
{
	struct gruu_set *set = &ep->gruus;

	set_public(ep, NULL);
	while (set->n_temporary) {
		gruu_free(oldest(set));
		set->n_temporary--;
	}
}

const char *gruu_get(const struct endpoint *ep, enum gruu_kind kind)
{
	struct list *last = ep->gruus.temporary.prev;

	switch (kind) {
	case GRUU_PUBLIC:
		return ep->gruus.public ? ep->gruus.public->uri : NULL;
	case GRUU_TEMPORARY:
		return ep->gruus.n_temporary ? list_entry(last, struct gruu, node)->uri : NULL;
	}
	return NULL;
}

/* ---- a registrar's answer ---- */

static bool is_usable(const struct uri *uri)
{
	return uri->text.n <= LIMITS_ENDPOINT_TEXT &&
	       (uri->scheme == URI_SIP || uri->scheme == URI_SIPS) && !uri->headers.p &&
	       gruu_is(uri);
}

/* The URI in a quoted parameter of a contact, which has to be a GRUU. text: where it lives. */
static bool read_param(const struct addr *a, struct slice name, struct buf *text, struct uri *ret)
{
	struct slice value;

	if (!addr_param(a, name, &value) || !value.p)
		return false;
	params_append_unescaped(text, params_unquote(value));
	return uri_parse(buf_slice(text), ret) == 0 && is_usable(ret);
}

static bool is_ours(const struct endpoint *ep, const struct addr *a)
{
	struct slice id;

	if (!addr_param(a, SLICE("+sip.instance"), &id) || !id.p)
		return false;
	id = params_unquote(id);
	return id.n >= 2 && id.p[0] == '<' && id.p[id.n - 1] == '>' &&
	       slice_eq_ci(slice_of(id.p + 1, id.n - 2), slice_str(ep->instance_id));
}

/* The standard one is preferred to Microsoft's. */
static bool take_public(struct endpoint *ep, const struct addr *a)
{
	struct buf text = BUF_NULL;
	struct uri uri;
	bool found = read_param(a, SLICE("pub-gruu"), &text, &uri);

	if (!found && ep->profile->microsoft_extensions) {
		buf_reset(&text);
		found = read_param(a, SLICE("gruu"), &text, &uri);
	}
	if (found)
		set_public(ep, &uri);
	buf_deinit(&text);
	return found;
}

static void take_temporary(struct endpoint *ep, const struct addr *a)
{
	struct buf text = BUF_NULL;
	struct uri uri;

	if (read_param(a, SLICE("temp-gruu"), &text, &uri))
		add_temporary(ep, &uri);
	buf_deinit(&text);
}

void gruu_take(struct endpoint *ep, const struct msg *response)
{
	struct msg_list it = { 0 };
	struct slice value;
	bool found = false;
	struct addr a;

	while (msg_list_next(response, HDR_CONTACT, &it, &value) == 1) {
		if (addr_parse(value, &a) < 0 || !is_ours(ep, &a))
			continue;
		found = take_public(ep, &a) || found;
		take_temporary(ep, &a);
	}
	if (!found)
		set_public(ep, NULL);
}

/* ---- somebody's word ---- */

/* Nobody takes requests from another endpoint by saying so. */
static bool is_anothers(const struct endpoint *ep, const struct uri *uri)
{
	struct buf aor = BUF_NULL;
	bool own, known;

	uri_append_aor(&aor, uri);
	own = slice_eq(slice_str(ep->aor), buf_slice(&aor));
	known = map_find(&ep->ua->endpoints_by_aor, buf_slice(&aor)) != NULL;
	buf_deinit(&aor);
	return (known && !own) || find(ep->ua, uri);
}

int gruu_give(struct endpoint *ep, const char *text)
{
	struct uri uri;

	if (ep->kind->registers)
		return -EOPNOTSUPP;
	if (uri_parse(slice_str(text), &uri) < 0 || !is_usable(&uri))
		return -EINVAL;
	if (is_anothers(ep, &uri))
		return -EEXIST;
	set_public(ep, &uri);
	return 0;
}
