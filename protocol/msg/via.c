/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "protocol/msg/via.h"

#include "protocol/base/err.h"
#include "protocol/msg/host.h"
#include "protocol/msg/params.h"
#include "protocol/msg/scan.h"

/* sent-protocol: protocol-name SLASH protocol-version SLASH transport */
static bool read_protocol(struct scan *s, struct via *v)
{
	if (scan_run(s, CHARS_TOKEN).n == 0 || !scan_separator(s, '/'))
		return false;
	v->version = scan_run(s, CHARS_TOKEN);
	if (v->version.n == 0 || !scan_separator(s, '/'))
		return false;
	v->transport_name = scan_run(s, CHARS_TOKEN);
	v->transport = transport_parse(v->transport_name);
	return v->transport_name.n > 0;
}

/* LWS sent-by: host [ COLON port ] */
static bool read_sent_by(struct scan *s, struct via *v)
{
	struct slice host;
	const char *before = s->p;

	scan_lws(s);
	if (s->p == before || !host_scan(s, &host))
		return false;
	if (scan_separator(s, ':') && !host_scan_port(s, &v->port))
		return false;
	v->host = host;
	return true;
}

/* The parameters that the transport layer looks at for every message; the first of a name counts.
 */
static void note_param(struct via *v, const struct param *param)
{
	/* "rport" alone asks for a value (RFC 3581): present and empty is told from absent by p. */
	struct slice value = param->value.p ? param->value : slice_of(param->name.p, 0);
	struct slice *field;

	if (slice_eq_ci(param->name, SLICE("branch")))
		field = &v->branch;
	else if (slice_eq_ci(param->name, SLICE("received")))
		field = &v->received;
	else if (slice_eq_ci(param->name, SLICE("rport")))
		field = &v->rport;
	else if (slice_eq_ci(param->name, SLICE("maddr")))
		field = &v->maddr;
	else if (slice_eq_ci(param->name, SLICE("keep")))
		field = &v->keep;
	else
		return;
	if (!field->p)
		*field = value;
}

static bool read_params(struct scan *s, struct via *v)
{
	const char *start;
	struct param param;
	int r;

	scan_lws(s);
	start = s->p;
	while ((r = params_scan(s, &param)) > 0)
		note_param(v, &param);
	v->params = scan_since(s, start);
	return r == 0;
}

int via_next_partial(struct slice *rest, struct via *ret)
{
	struct scan s = scan_of(*rest);
	const char *start;

	*ret = (struct via){ .text = SLICE_NULL };
	scan_lws(&s);
	start = s.p;
	if (scan_at_end(&s)) {
		*rest = scan_rest(&s);
		return 0;
	}
	if (!read_protocol(&s, ret) || !read_sent_by(&s, ret) || !read_params(&s, ret))
		return -EBADMSG;
	ret->text = slice_trim(scan_since(&s, start));
	if (!scan_element_end(&s))
		return -EBADMSG;
	*rest = scan_rest(&s);
	return 1;
}

int via_next(struct slice *rest, struct via *ret)
{
	struct via v;
	int r = via_next_partial(rest, &v);

	if (r > 0)
		*ret = v;
	return r;
}

bool via_is_rfc3261(const struct via *v)
{
	return v->branch.n > sizeof(VIA_COOKIE) - 1 &&
	       slice_starts_ci(v->branch, SLICE(VIA_COOKIE));
}

static uint16_t port_of(const struct via *v)
{
	return v->port ? v->port : transport_default_port(v->transport);
}

bool via_sent_by_equal(const struct via *a, const struct via *b)
{
	return slice_eq_ci(a->host, b->host) && port_of(a) == port_of(b);
}
