/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "protocol/ua/page.h"

#include "protocol/base/err.h"
#include "protocol/msg/build.h"
#include "protocol/ua/request-route.h"

/*
 * RFC 3428 section 4 forbids a Contact in MESSAGE, and section 8 overlapping ones to the same URI;
 * the others name where we can be reached.
 */
static const struct {
	enum method method;
	enum request_contact contact;
	enum request_order order;
} methods[] = {
	{ METHOD_MESSAGE, REQUEST_NO_CONTACT, REQUEST_IN_TURN },
	{ METHOD_INFO, REQUEST_CONTACT, REQUEST_AT_ONCE },
	{ METHOD_OPTIONS, REQUEST_CONTACT, REQUEST_AT_ONCE },
	{ METHOD_SERVICE, REQUEST_CONTACT, REQUEST_AT_ONCE },
	{ METHOD_NOTIFY, REQUEST_CONTACT, REQUEST_AT_ONCE },
};

static int find_method(struct slice name, size_t *ret_row)
{
	enum method m = name.n ? method_parse(name) : METHOD_MESSAGE;

	for (size_t i = 0; i < ARRAY_LEN(methods); i++)
		if (methods[i].method == m) {
			*ret_row = i;
			return 0;
		}
	return -EINVAL;
}

static int check(const struct endpoint *ep, const struct page_spec *p, const char **ret_why)
{
	struct request_header_fault bad;
	struct uri uri;
	int r;

	if (uri_parse(p->target, &uri) < 0) {
		*ret_why = "the target is no URI";
		return -EINVAL;
	}
	if (uri.scheme == URI_OTHER) {
		*ret_why = "the target's scheme is none of sip, sips and tel";
		return -EINVAL;
	}
	if (p->body.n && !p->content_type.n) {
		*ret_why = "a body needs a content type";
		return -EINVAL;
	}
	if (!build_header_is_safe(SLICE("Content-Type"), p->content_type)) {
		*ret_why = "the content type has a line break in it";
		return -EINVAL;
	}
	r = request_headers_check(p->headers, p->n_headers, &bad);
	if (r < 0) {
		*ret_why = bad.why;
		return r;
	}
	return request_route_check(ep, p->route, ret_why);
}

int page_send(struct endpoint *ep, const struct page_spec *p, struct request **ret_request,
	const char **ret_why)
{
	struct request_spec spec = {
		.uri = p->target,
		.headers = p->headers,
		.n_headers = p->n_headers,
		.route = p->route,
		.content_type = p->content_type,
		.body = p->body,
		.timeout = p->timeout,
	};
	size_t row;
	int r;

	*ret_why = NULL;
	if (find_method(p->method, &row) < 0) {
		*ret_why = "Method is none of MESSAGE, INFO, OPTIONS, SERVICE and NOTIFY";
		return -EINVAL;
	}
	r = check(ep, p, ret_why);
	if (r < 0)
		return r;
	spec.method = method_name(methods[row].method);
	spec.contact = methods[row].contact;
	spec.order = methods[row].order;
	r = request_new(ep, &spec, p->ops, p->owner, ret_request);
	if (r == 0)
		ep->ua->n_pages_out++;
	return r;
}
