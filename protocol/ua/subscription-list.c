/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "protocol/ua/subscription-list.h"

#include "protocol/base/err.h"
#include "protocol/msg/resource-list.h"
#include "protocol/msg/uri.h"
#include "protocol/ua/limits.h"
#include "protocol/ua/microsoft-subscribe.h"

/* ---- Accept ---- */

/* Takes the next element off *rest, quotes respected. false at the end. */
static bool next_range(struct slice *rest, struct slice *ret)
{
	bool quoted = false;
	size_t i = 0;

	if (!rest->n)
		return false;
	for (; i < rest->n && (quoted || rest->p[i] != ','); i++) {
		if (rest->p[i] == '"')
			quoted = !quoted;
		else if (quoted && rest->p[i] == '\\')
			i++;
	}
	*ret = slice_head(*rest, i);
	*rest = slice_skip(*rest, i + 1);
	return true;
}

/* A refusal by q=0 is a word of its own, which the client gave: it stands. */
static bool names_type(struct slice accept, struct slice type)
{
	struct slice range;

	while (next_range(&accept, &range))
		if (slice_eq_ci(slice_trim(slice_head(range, slice_find(range, ';'))), type))
			return true;
	return false;
}

/* What a package's notifiers send when nothing was asked for (RFC 6665 section 8.2.3.4). */
static struct slice type_of(struct slice event)
{
	static const struct {
		struct slice event, type;
	} rows[] = {
		{ SLICE_INIT("conference"), SLICE_INIT("application/conference-info+xml") },
		{ SLICE_INIT("dialog"), SLICE_INIT("application/dialog-info+xml") },
		{ SLICE_INIT("message-summary"), SLICE_INIT("application/simple-message-summary") },
		{ SLICE_INIT("presence"), SLICE_INIT("application/pidf+xml") },
		{ SLICE_INIT("presence.winfo"), SLICE_INIT("application/watcherinfo+xml") },
		{ SLICE_INIT("reg"), SLICE_INIT("application/reginfo+xml") },
	};
	struct slice name = slice_trim(slice_head(event, slice_find(event, ';')));

	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		if (slice_eq(name, rows[i].event))
			return rows[i].type;
	return SLICE("*/*");
}

void subscription_list_append_accept(struct buf *b, struct slice accept, struct slice event)
{
	static const struct slice needed[] = { SLICE_INIT("application/rlmi+xml"),
		SLICE_INIT("multipart/related") };

	if (!slice_trim(accept).n)
		accept = type_of(event);
	buf_put(b, slice_trim(accept));
	for (size_t i = 0; i < ARRAY_LEN(needed); i++) {
		if (names_type(accept, needed[i]))
			continue;
		buf_lit(b, ", ");
		buf_put(b, needed[i]);
	}
}

/* ---- targets ---- */

static bool is_there(const struct uri *uris, size_t n, const struct uri *wanted)
{
	for (size_t i = 0; i < n; i++)
		if (uri_equal(&uris[i], wanted))
			return true;
	return false;
}

/* A list is flat, and is asked for by SUBSCRIBE: a URI that says otherwise is none of it. */
static bool is_resource(struct slice text, struct uri *ret)
{
	return uri_parse(text, ret) == 0 && !ret->headers.n &&
	       (ret->scheme != URI_OTHER || slice_eq_ci(ret->scheme_name, SLICE("pres")));
}

/* Each once; ret has room for all of them. */
static int collect(const struct subscription_spec *spec, struct slice *ret, size_t *ret_n)
{
	struct uri *uris = mem_zalloc(spec->n_targets * sizeof(*uris));
	size_t n = 0;
	int r = 0;

	for (size_t i = 0; i < spec->n_targets && r == 0; i++) {
		if (!is_resource(spec->targets[i], &uris[n]))
			r = -EINVAL;
		else if (!is_there(uris, n, &uris[n]))
			ret[n++] = spec->targets[i];
	}
	free(uris);
	*ret_n = n;
	return r;
}

static void write_list(struct subscription_targets *t, const struct slice *uris, size_t n)
{
	t->content_type = SLICE(RESOURCE_LIST_TYPE);
	t->lines = SLICE("Require: recipient-list-subscribe\r\n"
			 "Content-Disposition: recipient-list\r\n");
	resource_list_append(&t->body, uris, n);
}

int subscription_targets_init(struct subscription_targets *t, const struct endpoint *ep,
	const struct subscription_spec *spec)
{
	struct slice uris[LIMITS_LIST_TARGETS];
	size_t n;
	int r;

	*t = (struct subscription_targets){ .body = BUF_NULL };
	if (spec->n_targets > LIMITS_LIST_TARGETS)
		return -ENOSPC;
	if (!spec->n_targets)
		return 0;
	r = collect(spec, uris, &n);
	if (r < 0)
		return r;
	if (!microsoft_batch(t, ep, spec, uris, n))
		write_list(t, uris, n);
	return 0;
}

void subscription_targets_deinit(struct subscription_targets *t)
{
	buf_deinit(&t->body);
}
