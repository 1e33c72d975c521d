/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "protocol/msg/refer-to.h"

#include "protocol/base/buf.h"
#include "protocol/base/err.h"
#include "protocol/msg/params.h"

static bool is_sip(const struct uri *u)
{
	return u->scheme == URI_SIP || u->scheme == URI_SIPS;
}

/* The value of ;method=, in which escapes may stand for letters. */
static enum method find_method(const struct uri *u)
{
	struct slice value;

	if (!is_sip(u) || !uri_param(u, SLICE("method"), &value))
		return METHOD_INVITE;
	for (enum method m = METHOD_ACK; m <= METHOD_UPDATE; m++)
		if (uri_text_equal(value, method_name(m), URI_KEEP_CASE))
			return m;
	return METHOD_UNKNOWN;
}

int refer_to_parse(struct slice value, struct refer_to *ret)
{
	struct refer_to v;
	const struct uri *u = &v.addr.uri;

	if (addr_parse(value, &v.addr) < 0)
		return -EBADMSG;
	v.method = find_method(u);
	v.uri = u->text;
	if (u->headers.p)
		v.uri.n = (size_t)(u->headers.p - 1 - u->text.p);
	*ret = v;
	return 0;
}

void refer_to_append_target(struct buf *b, const struct refer_to *r)
{
	const struct uri *u = &r->addr.uri;
	struct slice rest = u->params;
	struct param param;

	if (!is_sip(u) || !u->params.n) {
		buf_put(b, r->uri);
		return;
	}
	buf_put(b, slice_of(u->text.p, (size_t)(u->params.p - u->text.p)));
	while (params_next(&rest, &param) > 0) {
		if (uri_text_equal(param.name, SLICE("method"), URI_FOLD_CASE))
			continue;
		buf_putc(b, ';');
		buf_put(b, param.name);
		if (param.value.p) {
			buf_putc(b, '=');
			buf_put(b, param.value);
		}
	}
}
