/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "protocol/msg/uri.h"

#include "protocol/base/buf.h"
#include "protocol/base/err.h"
#include "protocol/msg/host.h"
#include "protocol/msg/params.h"
#include "protocol/msg/scan.h"

/* uri-parameters: *( ";" pname [ "=" pvalue ] ) */
static bool read_params(struct scan *s, struct slice *ret)
{
	const char *start = s->p;

	for (unsigned n = 0; scan_accept(s, ';'); n++) {
		struct slice param = scan_escaped(s, CHARS_PARAM);

		/* Neither the name nor, behind the first "=", the value may be empty. */
		if (n == URI_MAX_PARAMS || param.n == 0 || param.p[0] == '=')
			return false;
		if (param.p[param.n - 1] == '=' && slice_find(param, '=') == param.n - 1)
			return false;
	}
	*ret = scan_since(s, start);
	return true;
}

/* headers: "?" header *( "&" header ) */
static bool read_headers(struct scan *s, struct slice *ret)
{
	struct slice rest;

	if (!scan_accept(s, '?'))
		return true;
	*ret = rest = scan_escaped(s, CHARS_HEADER);
	for (unsigned n = 0; n < URI_MAX_HEADERS; n++) {
		struct slice one = rest;
		bool more = slice_cut(rest, '&', &one, &rest);
		size_t equals = slice_find(one, '=');

		if (equals == 0 || equals == one.n)
			return false;
		if (!more)
			return true;
	}
	return false;
}

/* userinfo without its "@": user [ ":" password ] */
static bool read_userinfo(struct slice text, struct uri *u)
{
	struct scan s = scan_of(text);

	u->user = scan_escaped(&s, CHARS_USER);
	if (scan_accept(&s, ':'))
		u->password = scan_escaped(&s, CHARS_PASSWORD);
	return u->user.n > 0 && scan_at_end(&s);
}

/* What follows "sip:" and "sips:" (RFC 3261 section 19.1.1). */
static bool read_sip(struct scan *s, struct uri *u)
{
	struct slice userinfo;
	/* "@" may stand nowhere else: everywhere but here it has to be escaped. */
	size_t at = slice_find(scan_rest(s), '@');

	if (at < (size_t)(s->end - s->p)) {
		userinfo = slice_of(s->p, at);
		if (!read_userinfo(userinfo, u))
			return false;
		s->p += at + 1;
	}
	if (!host_scan(s, &u->host))
		return false;
	if (scan_accept(s, ':') && !host_scan_port(s, &u->port))
		return false;
	return read_params(s, &u->params) && read_headers(s, &u->headers);
}

static bool is_visual_separator(char c)
{
	return c == '-' || c == '.' || c == '(' || c == ')';
}

static bool has_digit(struct slice number, uint32_t mask)
{
	for (size_t i = 0; i < number.n; i++)
		if (chars_is(number.p[i], mask) && !is_visual_separator(number.p[i]))
			return true;
	return false;
}

/* telephone-subscriber (RFC 3966 section 3) */
static bool read_tel(struct scan *s, struct uri *u)
{
	struct slice context;
	bool global = scan_at(s, '+');
	const char *start = s->p;

	if (global)
		s->p++;
	while (!scan_at_end(s) && *s->p != '+' && chars_is(*s->p, CHARS_PHONE)) {
		if (global && !chars_is(*s->p, CHARS_DIGIT) && !is_visual_separator(*s->p))
			return false;
		s->p++;
	}
	u->user = scan_since(s, start);
	if (!has_digit(slice_skip(u->user, global), CHARS_PHONE) || !read_params(s, &u->params))
		return false;
	/* A local number means nothing without its context, but phones send it; only an empty
	 * context is refused. */
	return !params_find(u->params, SLICE("phone-context"), &context) || context.n > 0;
}

static enum uri_scheme find_scheme(struct slice name)
{
	if (slice_eq(name, SLICE("sip")))
		return URI_SIP;
	switch (name.n) {
	case 3:
		if (slice_eq_ci(name, SLICE("sip")))
			return URI_SIP;
		return slice_eq_ci(name, SLICE("tel")) ? URI_TEL : URI_OTHER;
	case 4:
		return slice_eq_ci(name, SLICE("sips")) ? URI_SIPS : URI_OTHER;
	}
	return URI_OTHER;
}

static bool read_rest(struct scan *s, struct uri *u)
{
	switch (u->scheme) {
	case URI_SIP:
	case URI_SIPS:
		return read_sip(s, u);
	case URI_TEL:
		return read_tel(s, u);
	case URI_OTHER:
		return scan_escaped(s, CHARS_URIC).n > 0;
	}
	return false;
}

int uri_parse(struct slice text, struct uri *ret)
{
	struct scan s = scan_of(text);
	struct uri u = { .text = text };

	u.scheme_name = scan_run(&s, CHARS_SCHEME);
	if (u.scheme_name.n == 0 || !chars_is(u.scheme_name.p[0], CHARS_ALPHA) ||
		!scan_accept(&s, ':'))
		return -EBADMSG;
	u.scheme = find_scheme(u.scheme_name);
	if (!read_rest(&s, &u) || !scan_at_end(&s))
		return -EBADMSG;
	*ret = u;
	return 0;
}

bool uri_param(const struct uri *u, struct slice name, struct slice *ret_value)
{
	struct slice rest = u->params;
	struct param param;

	while (params_next(&rest, &param) > 0) {
		if (!uri_text_equal(param.name, name, URI_FOLD_CASE))
			continue;
		*ret_value = param.value;
		return true;
	}
	return false;
}

enum transport uri_transport(const struct uri *u)
{
	struct slice value = SLICE_NULL;
	enum transport t = TRANSPORT_NONE;

	if (uri_param(u, SLICE("transport"), &value))
		t = transport_parse(value);
	if (u->scheme != URI_SIPS)
		return t;
	/* RFC 3261 section 26.2.2: sips means TLS, and "transport=tcp" there is what it runs on. */
	return value.n == 0 || t == TRANSPORT_TCP || t == TRANSPORT_TLS ? TRANSPORT_TLS
									: TRANSPORT_NONE;
}

struct slice uri_bare_host(const struct uri *u)
{
	if (u->host.n >= 2 && u->host.p[0] == '[')
		return slice_of(u->host.p + 1, u->host.n - 2);
	return u->host;
}

bool uri_host_is_numeric(struct slice host)
{
	if (host.n >= 2 && host.p[0] == '[' && host.p[host.n - 1] == ']')
		return host_is_ipv6(slice_of(host.p + 1, host.n - 2));
	return host_is_ipv4(host) || host_is_ipv6(host);
}

static unsigned hex_value(char c)
{
	return chars_is(c, CHARS_DIGIT) ? (unsigned)(c - '0') : (unsigned)((c | 0x20) - 'a' + 10);
}

bool uri_next_char(struct slice *rest, unsigned char *ret)
{
	const char *p = rest->p;
	bool escaped = rest->n >= 3 && p[0] == '%' && chars_is(p[1], CHARS_HEX) &&
		       chars_is(p[2], CHARS_HEX);

	*ret = escaped ? (unsigned char)(hex_value(p[1]) << 4 | hex_value(p[2]))
		       : (unsigned char)p[0];
	*rest = slice_skip(*rest, escaped ? 3 : 1);
	return escaped;
}

void uri_append_unescaped(struct buf *b, struct slice text)
{
	unsigned char c;

	while (text.n) {
		(void)uri_next_char(&text, &c);
		buf_putc(b, (char)c);
	}
}

void uri_append_escape(struct buf *b, unsigned char c)
{
	static const char hex[] = "0123456789ABCDEF";

	buf_putc(b, '%');
	buf_putc(b, hex[c >> 4]);
	buf_putc(b, hex[c & 15]);
}

void uri_append_user(struct buf *b, struct slice text)
{
	for (size_t i = 0; i < text.n; i++) {
		if (chars_is(text.p[i], CHARS_USER))
			buf_putc(b, text.p[i]);
		else
			uri_append_escape(b, (unsigned char)text.p[i]);
	}
}

static void append_number(struct buf *b, struct slice number)
{
	for (size_t i = 0; i < number.n; i++)
		if (!is_visual_separator(number.p[i]))
			buf_putc(b, number.p[i]);
}

void uri_append_aor(struct buf *b, const struct uri *u)
{
	switch (u->scheme) {
	case URI_TEL:
		append_number(b, u->user);
		return;
	case URI_OTHER:
		buf_put(b, u->text);
		return;
	case URI_SIP:
	case URI_SIPS:
		break;
	}
	if (u->user.n) {
		uri_append_unescaped(b, u->user);
		buf_putc(b, '@');
	}
	for (size_t i = 0; i < u->host.n; i++) {
		char c = u->host.p[i];

		buf_putc(b, c >= 'A' && c <= 'Z' ? (char)(c | 0x20) : c);
	}
}
