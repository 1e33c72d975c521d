/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "protocol/msg/addr.h"

#include "protocol/base/buf.h"
#include "protocol/base/err.h"
#include "protocol/msg/params.h"
#include "protocol/msg/scan.h"

/* What stands in front of "<": a quoted-string, or tokens (and UTF-8, which is met in the wild). */
static bool read_display(struct scan *s, struct slice *ret)
{
	struct slice display;

	if (scan_quoted(s, &display)) {
		*ret = params_unquote(display);
		scan_lws(s);
	} else {
		display = slice_trim(scan_run(s, CHARS_DISPLAY));
		*ret = display.n ? display : SLICE_NULL;
	}
	return scan_accept(s, '<');
}

/* name-addr: the URI in "<>" may hold anything that a URI may */
static bool read_name_addr(struct scan *s, struct addr *a)
{
	size_t close;

	if (!read_display(s, &a->display))
		return false;
	close = slice_find(scan_rest(s), '>');
	if (close == (size_t)(s->end - s->p) || uri_parse(slice_of(s->p, close), &a->uri) < 0)
		return false;
	s->p += close + 1;
	return true;
}

/*
 * addr-spec: a URI in which "," and ";" end it and "?" is not allowed, since RFC 3261 section 20
 * wants "<>" round such URIs.
 */
static bool read_addr_spec(struct scan *s, struct addr *a)
{
	const char *start = s->p;

	while (!scan_at_end(s) && chars_is(*s->p, CHARS_URIC | CHARS_TOKEN) && *s->p != ',' &&
		*s->p != ';' && *s->p != '?')
		s->p++;
	a->display = SLICE_NULL;
	return uri_parse(scan_since(s, start), &a->uri) == 0;
}

static bool read_params(struct scan *s, struct addr *a)
{
	const char *start;
	struct param param;
	int r;

	scan_lws(s);
	start = s->p;
	while ((r = params_scan(s, &param)) > 0) {
		if (param.name.n != 3 || a->tag.p || !slice_eq_ci(param.name, SLICE("tag")))
			continue;
		a->tag = param.value.p ? param.value : slice_of(param.name.p, 0);
	}
	a->params = scan_since(s, start);
	scan_lws(s);
	return r == 0;
}

/* On failure the cursor has moved and *ret is half filled; the callers have copies of both. */
static bool addr_scan(struct scan *s, struct addr *ret)
{
	struct scan start;

	scan_lws(s);
	start = *s;
	ret->tag = SLICE_NULL;
	if (!read_name_addr(s, ret)) {
		*s = start;
		if (!read_addr_spec(s, ret))
			return false;
	}
	return read_params(s, ret);
}

int addr_parse(struct slice value, struct addr *ret)
{
	struct scan s = scan_of(value);
	struct addr a;

	if (!addr_scan(&s, &a) || !scan_at_end(&s))
		return -EBADMSG;
	*ret = a;
	return 0;
}

int addr_next(struct slice *rest, struct addr *ret)
{
	struct scan s = scan_of(*rest);
	struct addr a;

	scan_lws(&s);
	if (scan_at_end(&s)) {
		*rest = scan_rest(&s);
		return 0;
	}
	if (!addr_scan(&s, &a) || !scan_element_end(&s))
		return -EBADMSG;
	*rest = scan_rest(&s);
	*ret = a;
	return 1;
}

bool addr_param(const struct addr *a, struct slice name, struct slice *ret_value)
{
	return params_find(a->params, name, ret_value);
}

struct slice addr_tag(const struct addr *a)
{
	return a->tag.n ? a->tag : SLICE_NULL;
}

uint32_t addr_q(const struct addr *a)
{
	enum { Q_MAX = 1000, DECIMALS = 3 };
	struct slice q, whole, decimals = SLICE_NULL;
	uint32_t v, fraction = 0;

	if (!addr_param(a, SLICE("q"), &q))
		return Q_MAX;
	whole = q;
	if (slice_cut(q, '.', &whole, &decimals) && decimals.n > DECIMALS)
		return Q_MAX;
	if (!slice_to_u32(whole, 1, &v))
		return Q_MAX;
	if (decimals.n && !slice_to_u32(decimals, Q_MAX, &fraction))
		return Q_MAX;
	for (size_t i = decimals.n; i < DECIMALS; i++)
		fraction *= 10;
	return v ? Q_MAX : fraction;
}

void addr_append_display(struct buf *b, const struct addr *a)
{
	params_append_unescaped(b, a->display);
}

void addr_append(struct buf *b, struct slice display, struct slice uri)
{
	if (display.n) {
		params_append_quoted(b, display);
		buf_putc(b, ' ');
	}
	buf_putc(b, '<');
	buf_put(b, uri);
	buf_putc(b, '>');
}
