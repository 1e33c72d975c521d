/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ipc/iface-begin.h"

#include <stdlib.h>

#include "ipc/bus-call.h"
#include "ipc/bus-option.h"
#include "ipc/bus-value.h"
#include "ipc/iface-private.h"
#include "protocol/base/err.h"
#include "protocol/ua/limits.h"
#include "protocol/ua/request-headers.h"
#include "protocol/ua/request-route.h"
#include "protocol/ua/session.h"

/* Route comes out of the list, in its order; the rest stays as it was. */
static void split(struct iface_begin *b)
{
	struct buf route = BUF_NULL;
	size_t kept = 0;

	for (size_t i = 0; i < b->n; i++) {
		if (hdr_find(b->list[i].name) != HDR_ROUTE) {
			b->list[kept++] = b->list[i];
			continue;
		}
		if (route.n)
			buf_putc(&route, ',');
		/* Not nothing: an empty one is refused like any other that is no address. */
		buf_put(&route, b->list[i].value.n ? b->list[i].value : SLICE(","));
	}
	b->n = kept;
	b->route = route.n ? buf_take(&route) : NULL;
	buf_deinit(&route);
}

static int read_list(struct bus_call *c, unsigned row, struct iface_begin *b)
{
	const struct bus_value *v = bus_call_option(c, row);
	int r = v->given ? iface_read_headers(v->items, &b->list, &b->n) : 0;

	return r < 0 ? bus_call_fail(c, r, "more than %d headers", LIMITS_USER_HEADERS) : 0;
}

static int fail(struct bus_call *c, int error, const struct request_header_fault *fault,
	struct iface_begin *b)
{
	int r = iface_fail_header(c, error, fault);

	iface_begin_deinit(b);
	return r;
}

int iface_begin_read(
	struct bus_call *c, unsigned row, const struct endpoint *ep, struct iface_begin *ret)
{
	struct request_header_fault fault;
	int r;

	*ret = (struct iface_begin){ 0 };
	r = read_list(c, row, ret);
	if (r < 0)
		return r;
	split(ret);
	r = request_headers_check(ret->list, ret->n, &fault);
	if (r < 0)
		return fail(c, r, &fault, ret);
	fault.name = SLICE("Route");
	r = request_route_check(ep, slice_str(ret->route), &fault.why);
	/* To the caller it is one more header that it may not give. */
	return r < 0 ? fail(c, r == -EOPNOTSUPP ? -EINVAL : r, &fault, ret) : 0;
}

int iface_begin_read_session(
	struct bus_call *c, unsigned row, const struct endpoint *ep, struct iface_begin *ret)
{
	struct request_header_fault fault;
	int r = iface_begin_read(c, row, ep, ret);

	if (r < 0)
		return r;
	r = session_headers_check(
		&(struct session_headers){ .list = ret->list, .n = ret->n }, &fault);
	return r < 0 ? fail(c, r, &fault, ret) : 0;
}

void iface_begin_deinit(struct iface_begin *b)
{
	free(b->list);
	free(b->route);
	*b = (struct iface_begin){ 0 };
}
