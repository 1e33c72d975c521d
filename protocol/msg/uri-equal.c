/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Equality of URIs: RFC 3261 section 19.1.4, RFC 3966 section 4. */
#include "protocol/base/mem.h"
#include "protocol/msg/params.h"
#include "protocol/msg/uri.h"

static bool is_reserved(unsigned char c)
{
	static const struct slice reserved = SLICE_INIT(";/?:@&=+$,");

	return slice_find(reserved, (char)c) < reserved.n;
}

/*
 * The next character as it compares: an escape equals its character, unless that one is reserved,
 * which is told apart by a bit above the byte.
 */
static unsigned next_unit(struct slice *rest, enum uri_case fold)
{
	unsigned char c;
	bool escaped = uri_next_char(rest, &c);

	if (fold == URI_FOLD_CASE && c >= 'A' && c <= 'Z')
		c |= 0x20;
	return escaped && is_reserved(c) ? c | 0x100u : c;
}

bool uri_text_equal(struct slice a, struct slice b, enum uri_case fold)
{
	while (a.n && b.n)
		if (next_unit(&a, fold) != next_unit(&b, fold))
			return false;
	return a.n == b.n;
}

/* Both absent, or both present and equal. */
static bool component_equal(struct slice a, struct slice b, enum uri_case fold)
{
	return !a.p == !b.p && uri_text_equal(a, b, fold);
}

/* Parameters that may not stand in one URI alone; transport by the examples of the section. */
static bool counts_alone(struct slice name)
{
	static const struct slice names[] = { SLICE_INIT("user"), SLICE_INIT("ttl"),
		SLICE_INIT("method"), SLICE_INIT("maddr"), SLICE_INIT("transport") };

	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		if (uri_text_equal(name, names[i], URI_FOLD_CASE))
			return true;
	return false;
}

typedef bool value_equal_fn(struct slice name, struct slice a, struct slice b);

static bool sip_value_equal(struct slice name, struct slice a, struct slice b)
{
	(void)name;
	return component_equal(a, b, URI_FOLD_CASE);
}

static bool number_equal(struct slice a, struct slice b)
{
	static const struct slice separators = SLICE_INIT("-.()");

	for (;;) {
		while (a.n && slice_find(separators, a.p[0]) < separators.n)
			a = slice_skip(a, 1);
		while (b.n && slice_find(separators, b.p[0]) < separators.n)
			b = slice_skip(b, 1);
		if (a.n == 0 || b.n == 0)
			return a.n == b.n;
		if (!slice_eq_ci(slice_head(a, 1), slice_head(b, 1)))
			return false;
		a = slice_skip(a, 1);
		b = slice_skip(b, 1);
	}
}

static bool tel_value_equal(struct slice name, struct slice a, struct slice b)
{
	bool number = slice_eq_ci(name, SLICE("ext")) ||
		      (slice_eq_ci(name, SLICE("phone-context")) && a.n && a.p[0] == '+');

	return number ? number_equal(a, b) : component_equal(a, b, URI_FOLD_CASE);
}

/* Every parameter of a is in b with an equal value, or is of no weight alone. Of a name that stands
 * there twice, against section 19.1.1, the first counts on both sides. */
static bool params_within(const struct uri *a, const struct uri *b, value_equal_fn *equal)
{
	struct slice rest = a->params, value = SLICE_NULL, other;
	struct param param;

	while (params_next(&rest, &param) > 0) {
		if (!uri_param(b, param.name, &other)) {
			if (a->scheme == URI_TEL || counts_alone(param.name))
				return false;
		} else if (!uri_param(a, param.name, &value) || !equal(param.name, value, other)) {
			return false;
		}
	}
	return true;
}

static void next_header(struct slice *rest, struct slice *ret_name, struct slice *ret_value)
{
	struct slice one = *rest;

	if (!slice_cut(*rest, '&', &one, rest))
		*rest = SLICE_NULL;
	if (!slice_cut(one, '=', ret_name, ret_value)) {
		*ret_name = one;
		*ret_value = SLICE_NULL;
	}
}

/* How often a header with that name and value stands in the list. */
static size_t count_header(struct slice headers, struct slice name, struct slice value)
{
	struct slice n, v;
	size_t count = 0;

	while (headers.n) {
		next_header(&headers, &n, &v);
		if (uri_text_equal(n, name, URI_FOLD_CASE) &&
			uri_text_equal(v, value, URI_FOLD_CASE))
			count++;
	}
	return count;
}

/* Each header of a stands as often in b; with the lengths of both lists equal, that is a bijection
 * once it holds both ways. */
static bool headers_within(struct slice a, struct slice b)
{
	struct slice rest = a, name, value;

	while (rest.n) {
		next_header(&rest, &name, &value);
		if (count_header(a, name, value) != count_header(b, name, value))
			return false;
	}
	return true;
}

static bool sip_equal(const struct uri *a, const struct uri *b)
{
	return component_equal(a->user, b->user, URI_KEEP_CASE) &&
	       component_equal(a->password, b->password, URI_KEEP_CASE) &&
	       slice_eq_ci(a->host, b->host) && a->port == b->port &&
	       params_within(a, b, sip_value_equal) && params_within(b, a, sip_value_equal) &&
	       headers_within(a->headers, b->headers) && headers_within(b->headers, a->headers);
}

bool uri_equal(const struct uri *a, const struct uri *b)
{
	if (a->scheme != b->scheme)
		return false;
	switch (a->scheme) {
	case URI_SIP:
	case URI_SIPS:
		return sip_equal(a, b);
	case URI_TEL:
		/* "+" makes a number global and is compared as one of its characters. */
		return number_equal(a->user, b->user) && params_within(a, b, tel_value_equal) &&
		       params_within(b, a, tel_value_equal);
	case URI_OTHER:
		break;
	}
	return slice_eq(a->text, b->text);
}
