/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "protocol/dialog/dialog.h"

#include <assert.h>

#include "protocol/base/buf.h"
#include "protocol/base/err.h"
#include "protocol/msg/build.h"
#include "protocol/msg/dialog-id.h"
#include "protocol/msg/params.h"
#include "protocol/msg/privacy.h"
#include "protocol/msg/scan.h"

void dialog_table_init(struct dialog_table *dt, uint64_t seed)
{
	*dt = (struct dialog_table){ .n = 0 };
	map_init(&dt->by_id, seed);
}

void dialog_table_deinit(struct dialog_table *dt)
{
	assert(dt->n == 0);
	map_deinit(&dt->by_id);
}

/* ---- what a dialog keeps of URIs ---- */

static bool is_sip(const struct uri *u)
{
	return u->scheme == URI_SIP || u->scheme == URI_SIPS;
}

/* Neither a method parameter nor headers may stand in a Contact, a Record-Route, or where those go
 * (19.1.1, table 1). u is of a sip scheme. */
static char *dup_uri(const struct uri *u)
{
	struct slice value, rest = u->params;
	struct buf b = BUF_NULL;
	struct param one;

	if (!u->headers.p && !uri_param(u, SLICE("method"), &value))
		return slice_dup(u->text);
	buf_put(&b, slice_of(u->text.p, (size_t)(u->host.p + u->host.n - u->text.p)));
	if (u->port)
		buf_printf(&b, ":%u", (unsigned)u->port);
	while (params_next(&rest, &one) > 0) {
		if (slice_eq_ci(one.name, SLICE("method")))
			continue;
		buf_putc(&b, ';');
		buf_put(&b, one.name);
		if (one.value.p) {
			buf_putc(&b, '=');
			buf_put(&b, one.value);
		}
	}
	return buf_take(&b);
}

/* ---- the route set ---- */

static void drop_routes(struct dialog *d)
{
	for (size_t i = 0; i < d->n_routes; i++)
		free(d->routes[i]);
	free(d->routes);
	d->routes = NULL;
	d->n_routes = 0;
}

static bool add_route(struct dialog *d, struct slice value)
{
	struct addr a;

	if (d->n_routes == DIALOG_MAX_ROUTES || addr_parse(value, &a) < 0 || !is_sip(&a.uri))
		return false;
	d->routes = mem_realloc(d->routes, (d->n_routes + 1) * sizeof(*d->routes));
	d->routes[d->n_routes++] = dup_uri(&a.uri);
	return true;
}

static void reverse_routes(struct dialog *d)
{
	for (size_t i = 0; i < d->n_routes / 2; i++) {
		char *other = d->routes[d->n_routes - 1 - i];

		d->routes[d->n_routes - 1 - i] = d->routes[i];
		d->routes[i] = other;
	}
}

/* In the order of the message (12.1.1). Nothing is kept of a list that is broken. */
static int read_routes(struct dialog *d, const struct msg *m)
{
	struct msg_list it = { .started = false };
	struct slice one;

	drop_routes(d);
	while (msg_list_next(m, HDR_RECORD_ROUTE, &it, &one) > 0) {
		if (add_route(d, one))
			continue;
		drop_routes(d);
		return -EBADMSG;
	}
	return 0;
}

/* A client takes the route set in reverse order (12.1.2). */
static int read_routes_of_response(struct dialog *d, const struct msg *response)
{
	int r = read_routes(d, response);

	reverse_routes(d);
	return r;
}

/* ---- life ---- */

static int set_target(struct dialog *d, const struct msg *m)
{
	if (!m->contact.uri.text.p || !is_sip(&m->contact.uri))
		return -EBADMSG;
	free(d->remote_target);
	d->remote_target = dup_uri(&m->contact.uri);
	return 0;
}

/* Name and URI as they came: a peer of RFC 2543 compares them to find the call (12.2.1.1). */
static char *dup_party(const struct addr *a)
{
	struct buf b = BUF_NULL;

	if (a->display.n) {
		buf_putc(&b, '"');
		buf_put(&b, a->display);
		buf_lit(&b, "\" ");
	}
	buf_putc(&b, '<');
	buf_put(&b, a->uri.text);
	buf_putc(&b, '>');
	return buf_take(&b);
}

static char *dup_epid(const struct addr *a)
{
	struct slice value;

	return addr_param(a, SLICE("epid"), &value) && value.n && scan_all(value, CHARS_TOKEN)
		       ? slice_dup(value)
		       : NULL;
}

static char *make_key(struct slice call_id, struct slice local_tag)
{
	struct buf b = BUF_NULL;

	buf_put(&b, call_id);
	buf_putc(&b, '\n');
	buf_put(&b, local_tag);
	return buf_take(&b);
}

static struct dialog *dialog_new(struct dialog_table *dt, struct slice call_id,
	struct slice local_tag, struct slice remote_tag)
{
	struct dialog *d = mem_new(struct dialog);

	d->table = dt;
	d->key = make_key(call_id, local_tag);
	d->call_id = slice_of(d->key, call_id.n);
	d->local_tag = slice_of(d->key + call_id.n + 1, local_tag.n);
	d->remote_tag = slice_dup(remote_tag);
	list_init(&d->usages);
	map_insert(&dt->by_id, &d->by_id, slice_str(d->key));
	dt->n++;
	return d;
}

void dialog_free(struct dialog *d)
{
	if (!d)
		return;
	assert(list_is_empty(&d->usages));
	map_remove(&d->table->by_id, &d->by_id);
	d->table->n--;
	flow_hold_set(&d->in, NULL);
	flow_hold_set(&d->out, NULL);
	drop_routes(d);
	free(d->key);
	free(d->remote_tag);
	free(d->remote_epid);
	free(d->local);
	free(d->remote);
	free(d->remote_target);
	free(d);
}

int dialog_new_client(struct dialog_table *dt, const struct msg *request,
	const struct msg *response, struct dialog **ret_dialog)
{
	struct dialog *d = dialog_new(dt, request->call_id, request->from_tag, response->to_tag);
	int r = read_routes_of_response(d, response);

	d->local = dup_party(&request->from);
	d->remote = dup_party(&request->to);
	d->remote_epid = dup_epid(&response->to);
	d->local_cseq = request->cseq;
	d->secure = request->uri.scheme == URI_SIPS;
	d->anonymous = privacy_is_wanted(request);
	d->state = response->status < 200 ? DIALOG_EARLY : DIALOG_CONFIRMED;
	if (set_target(d, response) < 0) {
		d->remote_target = slice_dup(request->request_uri);
		r = -EBADMSG;
	}
	*ret_dialog = d;
	return r;
}

int dialog_new_server(struct dialog_table *dt, const struct msg *request, struct slice local_tag,
	struct dialog **ret_dialog)
{
	struct dialog *d = dialog_new(dt, request->call_id, local_tag, request->from_tag);

	d->local = dup_party(&request->to);
	d->remote = dup_party(&request->from);
	d->remote_epid = dup_epid(&request->from);
	d->remote_cseq = request->cseq;
	d->has_remote_cseq = true;
	d->secure = request->uri.scheme == URI_SIPS;
	if (set_target(d, request) < 0 || read_routes(d, request) < 0) {
		dialog_free(d);
		return -EBADMSG;
	}
	*ret_dialog = d;
	return 0;
}

/* ---- finding ---- */

/* The dialogs of one Call-ID and local tag: forks differ in the remote tag alone. */
static struct dialog *find_first(
	const struct dialog_table *dt, struct slice call_id, struct slice local_tag)
{
	char *key cleanup_free = make_key(call_id, local_tag);
	struct map_node *node = map_find(&dt->by_id, slice_str(key));

	return node ? container_of(node, struct dialog, by_id) : NULL;
}

static struct dialog *find_next(const struct dialog *d)
{
	struct map_node *node = map_find_next(&d->by_id);

	return node ? container_of(node, struct dialog, by_id) : NULL;
}

struct dialog *dialog_find(const struct dialog_table *dt, struct slice call_id,
	struct slice local_tag, struct slice remote_tag)
{
	struct dialog *d = find_first(dt, call_id, local_tag);

	while (d && !dialog_id_tag_matches(remote_tag, slice_str(d->remote_tag)))
		d = find_next(d);
	return d;
}

/* As it stands in a message: "0" is a tag like any other there, and none is the empty one. */
static struct dialog *find_exactly(const struct dialog_table *dt, struct slice call_id,
	struct slice local_tag, struct slice remote_tag)
{
	struct dialog *d = find_first(dt, call_id, local_tag);

	while (d && !slice_eq(remote_tag, slice_str(d->remote_tag)))
		d = find_next(d);
	return d;
}

struct dialog *dialog_find_of_request(const struct dialog_table *dt, const struct msg *request)
{
	return find_exactly(dt, request->call_id, request->to_tag, request->from_tag);
}

struct dialog *dialog_find_of_response(const struct dialog_table *dt, const struct msg *response)
{
	return find_exactly(dt, response->call_id, response->from_tag, response->to_tag);
}

/* ---- state ---- */

void dialog_confirm(struct dialog *d, const struct msg *response_to_us)
{
	if (d->state == DIALOG_EARLY && response_to_us) {
		read_routes_of_response(d, response_to_us);
		set_target(d, response_to_us);
	}
	d->state = DIALOG_CONFIRMED;
}

void dialog_refresh_target(struct dialog *d, const struct msg *m)
{
	set_target(d, m);
}

void dialog_adopt_routes(struct dialog *d, const struct msg *response_to_us)
{
	(void)read_routes_of_response(d, response_to_us);
}

uint32_t dialog_next_cseq(struct dialog *d)
{
	return ++d->local_cseq;
}

int dialog_take_cseq(struct dialog *d, uint32_t cseq)
{
	if (d->has_remote_cseq && cseq < d->remote_cseq)
		return -ESTALE;
	d->remote_cseq = cseq;
	d->has_remote_cseq = true;
	return 0;
}

/* ---- what our requests carry ---- */

static bool is_loose(const char *route)
{
	struct slice value;
	struct uri u;

	return uri_parse(slice_str(route), &u) == 0 && uri_param(&u, SLICE("lr"), &value);
}

/* The first route is an element of RFC 2543, which expects itself in the Request-URI. */
static bool is_strict(const struct dialog *d)
{
	return d->n_routes && !is_loose(d->routes[0]);
}

struct slice dialog_request_uri(const struct dialog *d)
{
	return slice_str(is_strict(d) ? d->routes[0] : d->remote_target);
}

struct slice dialog_next_hop(const struct dialog *d)
{
	return slice_str(d->n_routes ? d->routes[0] : d->remote_target);
}

static void append_route(struct buf *b, const char *uri)
{
	buf_put(b, hdr_name(HDR_ROUTE));
	buf_lit(b, ": <");
	buf_str(b, uri);
	buf_lit(b, ">\r\n");
}

void dialog_append_routes(struct buf *b, const struct dialog *d)
{
	bool strict = is_strict(d);

	for (size_t i = strict; i < d->n_routes; i++)
		append_route(b, d->routes[i]);
	if (strict)
		append_route(b, d->remote_target);
}

static void append_param(struct buf *b, const char *name, struct slice value)
{
	if (!value.n)
		return;
	buf_str(b, name);
	buf_put(b, value);
}

void dialog_append_names(struct buf *b, const struct dialog *d, struct slice epid)
{
	buf_printf(b, "From: %s", d->local);
	append_param(b, ";tag=", d->local_tag);
	append_param(b, ";epid=", epid);
	buf_printf(b, "\r\nTo: %s", d->remote);
	append_param(b, ";tag=", slice_str(d->remote_tag));
	append_param(b, ";epid=", epid.n ? slice_str(d->remote_epid) : SLICE_NULL);
	buf_lit(b, "\r\n");
	build_header(b, HDR_CALL_ID, d->call_id);
}

void dialog_append_record_routes(struct buf *b, const struct msg *request)
{
	const struct hdr *h = NULL;

	while ((h = msg_header_next(request, HDR_RECORD_ROUTE, h)))
		build_header(b, HDR_RECORD_ROUTE, h->value);
}
