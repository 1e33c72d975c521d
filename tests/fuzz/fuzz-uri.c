/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Lines as URIs, addresses and Vias: parts lie inside, equality is reflexive and symmetric. */
#include <stdlib.h>

#include "protocol/base/buf.h"
#include "protocol/msg/addr.h"
#include "protocol/msg/params.h"
#include "protocol/msg/via.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool condition)
{
	if (!condition)
		abort();
}

static bool inside(struct slice outer, struct slice s)
{
	return s.n == 0 || (s.p >= outer.p && s.p + s.n <= outer.p + outer.n);
}

static void check_uri(const struct uri *u)
{
	struct buf b = BUF_NULL;
	struct uri again;

	require(inside(u->text, u->user) && inside(u->text, u->host) && inside(u->text, u->params));
	require(inside(u->text, u->password) && inside(u->text, u->headers));
	require(slice_find(u->text, '\r') == u->text.n && slice_find(u->text, ' ') == u->text.n);
	require(slice_find(u->text, '"') == u->text.n && slice_find(u->text, '>') == u->text.n);
	require(params_valid(u->params) && uri_equal(u, u));
	uri_append_aor(&b, u);
	if (u->scheme == URI_SIP && u->user.n) {
		/* The user part, unescaped and escaped again, is the same user. */
		struct buf user = BUF_NULL, text = BUF_NULL;

		uri_append_unescaped(&user, u->user);
		buf_lit(&text, "sip:");
		uri_append_user(&text, buf_slice(&user));
		buf_lit(&text, "@h");
		require(uri_parse(buf_slice(&text), &again) == 0);
		buf_reset(&b);
		uri_append_unescaped(&b, again.user);
		require(slice_eq(buf_slice(&b), buf_slice(&user)));
		buf_deinit(&user);
		buf_deinit(&text);
	}
	buf_deinit(&b);
}

static void check_addrs(struct slice rest)
{
	struct slice whole = rest;
	struct addr a, again;

	while (addr_next(&rest, &a) > 0) {
		struct buf b = BUF_NULL, display = BUF_NULL;

		require(inside(whole, a.display) && inside(whole, a.params));
		check_uri(&a.uri);
		addr_append_display(&display, &a);
		addr_append(&b, buf_slice(&display), a.uri.text);
		require(addr_parse(buf_slice(&b), &again) == 0);
		require(uri_equal(&a.uri, &again.uri));
		buf_deinit(&b);
		buf_deinit(&display);
	}
}

static void check_vias(struct slice rest)
{
	struct slice whole = rest;
	struct via v, again;

	while (via_next(&rest, &v) > 0) {
		struct slice text = v.text;

		require(inside(whole, v.text) && v.host.n && inside(v.text, v.branch));
		require(via_next(&text, &again) == 1 && via_sent_by_equal(&v, &again));
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice rest = slice_of((const char *)data, size), line, before = SLICE_NULL;
	struct uri a, b;

	if (size > 4096)
		return 0;
	while (rest.n) {
		line = rest;
		if (!slice_cut(rest, '\n', &line, &rest))
			rest = SLICE_NULL;
		check_addrs(line);
		check_vias(line);
		if (uri_parse(line, &a) == 0) {
			check_uri(&a);
			if (uri_parse(before, &b) == 0)
				require(uri_equal(&a, &b) == uri_equal(&b, &a));
		}
		before = line;
	}
	return 0;
}
