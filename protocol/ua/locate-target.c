/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <string.h>

#include "protocol/base/err.h"
#include "protocol/msg/uri.h"
#include "protocol/ua/locate.h"

/* What a URI says about where it leads: RFC 3263 section 4, RFC 3261 sections 19.1 and 26.2.2. */

static struct slice without_brackets(struct slice host)
{
	if (host.n > 2 && host.p[0] == '[' && host.p[host.n - 1] == ']')
		return slice_of(host.p + 1, host.n - 2);
	return host;
}

int locate_target_of_uri(const struct uri *u, struct locate_target *ret)
{
	struct locate_target t = { .host = uri_bare_host(u), .port = u->port };
	struct slice value;

	if (u->scheme != URI_SIP && u->scheme != URI_SIPS)
		return -EOPNOTSUPP;
	if (uri_param(u, SLICE("transport"), &value) && transport_parse(value) == TRANSPORT_NONE)
		return -EOPNOTSUPP;
	t.transport = uri_transport(u);
	t.sips = u->scheme == URI_SIPS;
	/* RFC 3261 26.2.2: sips means TLS on every hop. */
	if (t.sips && t.transport != TRANSPORT_TLS)
		return -EOPNOTSUPP;
	/* That it is TLS anyway says nothing about where: 3263 4.1 looks at the parameter alone. */
	if (t.sips && !uri_param(u, SLICE("transport"), &value))
		t.transport = TRANSPORT_NONE;
	/* RFC 3263 4: maddr is the TARGET in place of the host. */
	if (uri_param(u, SLICE("maddr"), &value) && value.n)
		t.host = without_brackets(value);
	*ret = t;
	return 0;
}

static int of_text(struct slice text, struct locate_target *ret)
{
	struct uri u;

	if (uri_parse(text, &u) < 0 || locate_target_of_uri(&u, ret) < 0)
		return -EINVAL;
	return 0;
}

int locate_target_parse(struct slice text, struct locate_target *ret)
{
	struct buf b = BUF_NULL;
	struct locate_target t;
	int r;

	if (slice_starts_ci(text, SLICE("sip:")) || slice_starts_ci(text, SLICE("sips:")))
		return of_text(text, ret);
	/* A bare IPv6 address has colons that are no port's. */
	if (uri_host_is_numeric(text)) {
		*ret = (struct locate_target){ .host = without_brackets(text) };
		return 0;
	}
	buf_lit(&b, "sip:");
	buf_put(&b, text);
	r = of_text(buf_slice(&b), &t);
	if (r == 0) {
		/* The same place in the caller's bytes. */
		t.host.p = text.p + (t.host.p - b.p) - strlen("sip:");
		*ret = t;
	}
	buf_deinit(&b);
	return r;
}

bool locate_target_is_secure(const struct locate_target *t)
{
	return t->transport == TRANSPORT_TLS || t->sips;
}
