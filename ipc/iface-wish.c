/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ipc/iface-wish.h"

#include "ipc/bus-call.h"
#include "ipc/bus-option.h"
#include "ipc/bus-value.h"
#include "ipc/iface-private.h"
#include "ipc/iface-subscription.h"
#include "protocol/base/err.h"
#include "protocol/msg/event.h"
#include "protocol/ua/limits.h"
#include "protocol/ua/request-headers.h"

/* ---- reading it ---- */

enum { EXPIRES, ACCEPT, CONTENT_TYPE, BODY, HEADERS, LIST, TARGETS, PRIVATE, REPLAY, SUMMARY };

const struct bus_option iface_subscribe_options[] = {
	[EXPIRES] = { "Expires", "u",
		"Seconds to ask for, each time anew until Unsubscribe; 3600 if absent. 0 fetches the "
		"state once (RFC 6665 section 4.4.3), for this client alone." },
	[ACCEPT] = { "Accept", "as",
		"Types of body that are understood; the package's if absent." },
	[CONTENT_TYPE] = { "ContentType", "s", "Of Body." },
	[BODY] = { "Body", "ay", "Of each SUBSCRIBE: a filter (RFC 4660) or the like." },
	[HEADERS] = { "Headers", "a(ss)",
		"Added to each SUBSCRIBE; those of the stack are refused." },
	[LIST] = { "List", "b", "The target may be a list of resources (RFC 4662)." },
	[TARGETS] = { "Targets", "as",
		"Resources to be watched in one subscription (RFC 5367), of which target, a server, has "
		"no list; excludes Body." },
	[PRIVATE] = { "Private", "b",
		"A subscription of its own, though another client may have the same." },
	[REPLAY] = { "Replay", "b",
		"Whether what is known already, since another client shares it, comes as Notified right "
		"after the reply: true if absent. If what came last was only a change, all there is is "
		"asked for instead, and comes to everybody." },
	[SUMMARY] = { "Summary", "b",
		"After each Notified comes Summarized, which says what is in it." },
	{ 0 },
};

static struct slice text_option(struct bus_call *c, unsigned row)
{
	const struct bus_value *v = bus_call_option(c, row);

	return v->given ? v->s : SLICE_NULL;
}

static bool flag_option(struct bus_call *c, unsigned row, bool otherwise)
{
	const struct bus_value *v = bus_call_option(c, row);

	return v->given ? v->b : otherwise;
}

/* What is wrong with what shall be asked; NULL: nothing. */
static const char *target_fault(struct slice target)
{
	struct uri uri;

	if (uri_parse(target, &uri) < 0)
		return "is no URI";
	return uri.headers.n ? "has header fields in it" : NULL;
}

/* Each text of an option that is a list of them. 0, or the call is answered. */
static int read_texts(
	struct bus_call *c, unsigned row, size_t max, struct slice **ret, size_t *ret_n)
{
	const struct bus_value *v = bus_call_option(c, row);
	const char *name = iface_subscribe_options[row].name;
	struct bus_reader items = v->items;
	struct slice *list;
	size_t n = 0;

	if (!v->given)
		return 0;
	*ret = list = mem_zalloc(max * sizeof(*list));
	for (; bus_more(&items); n++) {
		if (n == max)
			return bus_call_fail(c, -ENOSPC, "more than %zu elements in %s", max, name);
		list[n] = bus_read_s(&items);
		if (!list[n].n)
			return bus_call_fail(c, -EINVAL, "%s has an empty element", name);
	}
	*ret_n = n;
	return 0;
}

static int read_accept(struct bus_call *c, struct iface_wish *w)
{
	struct slice *list cleanup_free = NULL;
	struct buf b = BUF_NULL;
	size_t n = 0;
	int r = read_texts(c, ACCEPT, IFACE_WISH_ACCEPT, &list, &n);

	if (r < 0)
		return r;
	for (size_t i = 0; i < n; i++) {
		if (i)
			buf_lit(&b, ", ");
		buf_put(&b, list[i]);
	}
	w->accept = buf_take(&b);
	w->spec.accept = slice_str(w->accept);
	return 0;
}

static int read_body(struct bus_call *c, struct iface_wish *w)
{
	w->spec.content_type = text_option(c, CONTENT_TYPE);
	w->spec.body = text_option(c, BODY);
	if (w->spec.body.n && !w->spec.content_type.n)
		return bus_call_fail(c, -EINVAL, "Body needs ContentType");
	if (w->spec.content_type.n && !w->spec.body.n)
		return bus_call_fail(c, -EINVAL, "ContentType needs Body");
	return 0;
}

static int read_targets(struct bus_call *c, struct iface_wish *w)
{
	int r = read_texts(c, TARGETS, LIMITS_LIST_TARGETS, &w->targets, &w->spec.n_targets);

	if (r < 0)
		return r;
	w->spec.targets = w->targets;
	if (w->spec.n_targets && w->spec.body.n)
		return bus_call_fail(c, -EINVAL, "Targets and Body exclude each other");
	for (size_t i = 0; i < w->spec.n_targets; i++) {
		const char *fault = target_fault(w->targets[i]);

		if (fault)
			return bus_call_fail(c, -EINVAL, "Targets: \"%.*s\" %s",
				SLICE_ARGS(slice_head(w->targets[i], 64)), fault);
	}
	return 0;
}

int iface_wish_check_expires(struct bus_call *c, uint32_t seconds)
{
	if (seconds > LIMITS_EXPIRES)
		return bus_call_fail(c, -EINVAL, "Expires is more than %d seconds", LIMITS_EXPIRES);
	return 0;
}

static int read_expires(struct bus_call *c, struct iface_wish *w)
{
	const struct bus_value *v = bus_call_option(c, EXPIRES);

	w->spec.expires = v->given ? v->u : IFACE_WISH_EXPIRES;
	return iface_wish_check_expires(c, w->spec.expires);
}

static int read_arguments(struct bus_call *c, struct iface_wish *w)
{
	struct event event;
	const char *fault;

	w->spec.target = bus_read_s(bus_call_args(c));
	w->spec.event = bus_read_s(bus_call_args(c));
	fault = target_fault(w->spec.target);
	if (fault)
		return bus_call_fail(c, -EINVAL, "target %s", fault);
	if (event_parse(w->spec.event, &event) < 0)
		return bus_call_fail(c, -EINVAL, "event is no event package");
	return 0;
}

static int read_headers(struct bus_call *c, struct iface_wish *w)
{
	struct request_header_fault fault;
	int r = iface_headers_option(c, HEADERS, &w->headers, &w->spec.n_headers);

	if (r < 0)
		return r;
	w->spec.headers = w->headers;
	r = subscription_headers_check(w->headers, w->spec.n_headers, &fault);
	return r < 0 ? iface_fail_header(c, r, &fault) : 0;
}

int iface_wish_read(struct bus_call *c, struct iface_wish *ret)
{
	static int (*const parts[])(struct bus_call * c, struct iface_wish * w) = { read_arguments,
		read_expires, read_accept, read_body, read_targets, read_headers };
	int r = 0;

	*ret = (struct iface_wish){ .silent = !flag_option(c, REPLAY, true),
		.summary = flag_option(c, SUMMARY, false) };
	for (size_t i = 0; r == 0 && i < ARRAY_LEN(parts); i++)
		r = parts[i](c, ret);
	ret->spec.list = flag_option(c, LIST, false) ? SUBSCRIPTION_LIST : SUBSCRIPTION_NO_LIST;
	/* What is fetched is news to whom it comes, and nobody could join it in time. */
	ret->alone = flag_option(c, PRIVATE, false) || !ret->spec.expires;
	return r;
}

void iface_wish_deinit(struct iface_wish *w)
{
	free(w->accept);
	free(w->headers);
	free(w->targets);
	*w = (struct iface_wish){ 0 };
}

/* ---- sharing ---- */

/* With its length in front, so that no two lists of parts look alike. */
static void append_part(struct buf *b, struct slice part)
{
	buf_printf(b, "%zu:", part.n);
	buf_put(b, part);
}

static void append_target(struct buf *b, struct slice target)
{
	struct buf aor = BUF_NULL;
	struct uri uri;

	if (uri_parse(target, &uri) == 0)
		uri_append_aor(&aor, &uri);
	append_part(b, buf_slice(&aor));
	buf_deinit(&aor);
}

/* All but the body, which comes last. */
static void append_key(struct buf *b, const struct endpoint *ep, const struct iface_wish *w)
{
	const struct subscription_spec *spec = &w->spec;

	append_part(b, slice_str(ep->id));
	append_target(b, spec->target);
	append_part(b, spec->event);
	append_part(b, spec->accept);
	buf_printf(b, "%u %zu %zu ", spec->list, spec->n_headers, spec->n_targets);
	for (size_t i = 0; i < spec->n_headers; i++) {
		append_part(b, spec->headers[i].name);
		append_part(b, spec->headers[i].value);
	}
	for (size_t i = 0; i < spec->n_targets; i++)
		append_part(b, spec->targets[i]);
}

static void append_body(struct buf *b, struct slice content_type, struct slice body)
{
	append_part(b, content_type);
	append_part(b, body);
}

static bool has_target(const struct iface_subscription *sub, struct slice target)
{
	struct uri ours, theirs;

	return uri_parse(slice_str(sub->target), &ours) == 0 && uri_parse(target, &theirs) == 0 &&
	       uri_equal(&ours, &theirs);
}

struct iface_subscription *iface_wish_find(
	const struct iface_endpoint *ie, const struct iface_wish *w)
{
	struct buf key = BUF_NULL;
	struct iface_subscription *found = NULL;
	struct map_node *node;

	if (w->alone)
		return NULL;
	append_key(&key, ie->ep, w);
	append_body(&key, w->spec.content_type, w->spec.body);
	node = map_find(&ie->iface->shares, buf_slice(&key));
	for (; node && !found; node = map_find_next(node)) {
		struct iface_subscription *sub =
			container_of(node, struct iface_subscription, share.node);

		if (has_target(sub, w->spec.target))
			found = sub;
	}
	buf_deinit(&key);
	return found;
}

void iface_wish_share(struct iface_subscription *sub, const struct iface_wish *w)
{
	if (w->alone)
		return;
	append_key(&sub->share.key, sub->ep, w);
	append_body(&sub->share.key, w->spec.content_type, w->spec.body);
	map_insert(&sub->iface->shares, &sub->share.node, buf_slice(&sub->share.key));
}

void iface_wish_unshare(struct iface_subscription *sub)
{
	map_remove(&sub->iface->shares, &sub->share.node);
	buf_deinit(&sub->share.key);
}
