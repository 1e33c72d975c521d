/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "protocol/ua/locate.h"

#include <string.h>

#include "protocol/base/err.h"
#include "protocol/msg/uri.h"

enum { NAME_MAX_BYTES = 253 }; /* RFC 1035 section 2.3.4, as text */

static void set_addr(struct flow_addr *a, struct slice host, uint16_t port)
{
	size_t n = host.n < sizeof(a->host) ? host.n : sizeof(a->host) - 1;

	memset(a, 0, sizeof(*a));
	memcpy(a->host, host.p, n);
	a->port = port;
}

static void on_resolved(struct ua_query *q, const struct dns_answer *a)
{
	struct locate *l = container_of(q, struct locate, query);
	int error = a->error;

	l->n_addrs = a->n < LIMITS_ADDRESSES ? a->n : LIMITS_ADDRESSES;
	for (size_t i = 0; i < l->n_addrs; i++) {
		l->addrs[i] = a->addrs[i];
		l->addrs[i].port = l->port;
	}
	if (l->n_addrs)
		error = 0;
	else if (error == 0)
		error = -ENOENT;
	l->done(l, error);
}

int locate_start(struct locate *l, struct ua *ua, const struct locate_target *t)
{
	char name[NAME_MAX_BYTES + 1];

	locate_cancel(l);
	l->ua = ua;
	l->transport = t->transport ? t->transport : TRANSPORT_UDP;
	l->port = t->port ? t->port : transport_default_port(l->transport);
	l->n_addrs = 0;
	if (t->host.n == 0 || t->host.n > NAME_MAX_BYTES)
		return -EINVAL;
	if (uri_host_is_numeric(t->host)) {
		set_addr(&l->addrs[0], t->host, l->port);
		l->n_addrs = 1;
		return 1;
	}
	memcpy(name, t->host.p, t->host.n);
	name[t->host.n] = '\0';
	l->query.resolved = on_resolved;
	l->query.secret = NULL;
	ua_resolve(ua, &l->query, DNS_ADDRESSES, name);
	return 0;
}

void locate_cancel(struct locate *l)
{
	if (l->ua)
		ua_query_cancel(l->ua, &l->query);
}

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
	/* RFC 3261 26.2.2: sips means TLS on every hop. */
	if (u->scheme == URI_SIPS && t.transport != TRANSPORT_TLS)
		return -EOPNOTSUPP;
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
