/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "protocol/ua/request-route.h"

#include "protocol/base/err.h"
#include "protocol/msg/addr.h"
#include "protocol/msg/build.h"
#include "protocol/ua/endpoint.h"
#include "protocol/ua/limits.h"

/* 20.34: name-addr; 19.1.1, table 1: neither headers nor method in its URI. */
static const char *find_fault(struct slice element, const struct addr *a)
{
	struct slice value;

	if (a->uri.scheme != URI_SIP && a->uri.scheme != URI_SIPS)
		return "is not of sip or sips URIs";
	if (!element.n || element.p[0] == ',' || a->uri.text.p == element.p)
		return "needs its URIs in <>";
	if (a->uri.headers.p || uri_param(&a->uri, SLICE("method"), &value))
		return "has headers or a method in a URI";
	return NULL;
}

static int check_list(struct slice route, const char **ret_why)
{
	struct addr a;
	size_t n = 0;
	int got;

	do {
		struct slice element = slice_trim(route);

		got = addr_next(&route, &a);
		*ret_why = got < 0 ? "is no list of addresses"
			   : got   ? find_fault(element, &a)
				   : NULL;
		if (*ret_why)
			return -EINVAL;
		n += got == 1;
		if (n > LIMITS_ROUTES) {
			*ret_why = "has too many addresses";
			return -EMSGSIZE;
		}
	} while (got == 1);
	return 0;
}

int request_route_check(const struct endpoint *ep, struct slice route, const char **ret_why)
{
	*ret_why = NULL;
	if (!route.n)
		return 0;
	if (ep->kind->registers) {
		*ret_why = "is for peer-to-peer endpoints: one that registers sends everything to "
			   "its server";
		return -EOPNOTSUPP;
	}
	if (!build_header_is_safe(SLICE("Route"), route)) {
		*ret_why = "has a line break in it";
		return -EINVAL;
	}
	return check_list(route, ret_why);
}

bool request_route_first(struct slice route, struct uri *ret)
{
	struct addr a;

	if (addr_next(&route, &a) != 1)
		return false;
	*ret = a.uri;
	return true;
}

static bool is_strict(struct slice route)
{
	struct slice value;
	struct uri first;

	return request_route_first(route, &first) && !uri_param(&first, SLICE("lr"), &value);
}

void request_route_append_uri(struct buf *b, struct slice route, struct slice target)
{
	struct uri first;

	if (is_strict(route) && request_route_first(route, &first))
		buf_put(b, first.text);
	else
		buf_put(b, target);
}

static void append_one(struct buf *b, struct slice uri, struct slice params)
{
	struct buf v = BUF_NULL;

	addr_append(&v, SLICE_NULL, uri);
	buf_put(&v, params);
	build_header(b, HDR_ROUTE, buf_slice(&v));
	buf_deinit(&v);
}

void request_route_append(struct buf *b, struct slice route, struct slice target)
{
	bool strict = is_strict(route), visited = strict;
	struct addr a;

	while (addr_next(&route, &a) == 1) {
		if (!visited)
			append_one(b, a.uri.text, a.params);
		visited = false;
	}
	if (strict)
		append_one(b, target, SLICE_NULL);
}
