/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "conf/value.h"

#include <arpa/inet.h>
#include <string.h>

#include "protocol/base/buf.h"
#include "protocol/base/err.h"
#include "protocol/base/mem.h"
#include "protocol/msg/uri.h"

enum {
	HOST_NAME_MAX_LEN = 253, /* RFC 1035 section 2.3.4, without the root's dot */
	HOST_LABEL_MAX_LEN = 63,
};

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool is_alpha(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool is_hex(char c)
{
	return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static size_t span(struct slice s, bool (*is)(char))
{
	size_t n = 0;

	while (n < s.n && is(s.p[n]))
		n++;
	return n;
}

bool value_next_word(struct slice *rest, struct slice *ret)
{
	struct slice s = slice_skip(*rest, span(*rest, is_blank));
	size_t n = 0;

	while (n < s.n && !is_blank(s.p[n]))
		n++;
	*rest = slice_skip(s, n);
	if (!n)
		return false;
	*ret = slice_head(s, n);
	return true;
}

int value_parse_bool(struct slice s, bool *ret)
{
	static const struct {
		struct slice text;
		bool value;
	} words[] = {
		{ SLICE_INIT("yes"), true },
		{ SLICE_INIT("no"), false },
		{ SLICE_INIT("true"), true },
		{ SLICE_INIT("false"), false },
		{ SLICE_INIT("on"), true },
		{ SLICE_INIT("off"), false },
		{ SLICE_INIT("1"), true },
		{ SLICE_INIT("0"), false },
	};

	for (size_t i = 0; i < ARRAY_LEN(words); i++) {
		if (slice_eq_ci(s, words[i].text)) {
			*ret = words[i].value;
			return 0;
		}
	}
	return -EINVAL;
}

/* The units of systemd.time(7); they are told apart by case (M is a month, m a minute). */
static bool unit_find(struct slice name, usec_t *ret)
{
	const usec_t sec = USEC_PER_SEC, min = 60 * sec, hour = 60 * min, day = 24 * hour;
	const struct {
		const char *names;
		usec_t usec;
	} units[] = {
		{ "s sec second seconds", sec },
		{ "m min minute minutes", min },
		{ "ms msec", USEC_PER_MSEC },
		{ "us usec \xc2\xb5s \xce\xbcs", 1 },
		{ "h hr hour hours", hour },
		{ "d day days", day },
		{ "w week weeks", 7 * day },
		/* As systemd counts: 30.44 and 365.25 days. */
		{ "M month months", 2629800 * sec },
		{ "y year years", 31557600 * sec },
	};

	for (size_t i = 0; i < ARRAY_LEN(units); i++) {
		struct slice rest = slice_str(units[i].names), word;

		while (value_next_word(&rest, &word)) {
			if (slice_eq(word, name)) {
				*ret = units[i].usec;
				return true;
			}
		}
	}
	return false;
}

/* The decimals of "1.25": 25 hundredths of a unit, cut below a microsecond. */
static usec_t fraction(struct slice digits, usec_t unit)
{
	usec_t sum = 0;

	for (size_t i = 0; i < digits.n; i++) {
		unit /= 10;
		sum += unit * (usec_t)(digits.p[i] - '0');
	}
	return sum;
}

static bool is_unit_char(char c)
{
	return !is_blank(c) && !is_digit(c) && c != '.' && c != '-' && c != '+';
}

/* Takes one "number[.decimals][unit]" off the front of *s and adds it to *sum. */
static int duration_part(struct slice *s, usec_t *sum)
{
	struct slice whole = slice_head(*s, span(*s, is_digit)), decimals = SLICE_NULL, name;
	usec_t unit = USEC_PER_SEC, part;
	uint64_t number;

	if (!slice_to_u64(whole, UINT64_MAX, &number))
		return -EINVAL;
	*s = slice_skip(*s, whole.n);
	if (s->n && s->p[0] == '.') {
		decimals = slice_skip(*s, 1);
		decimals = slice_head(decimals, span(decimals, is_digit));
		if (!decimals.n)
			return -EINVAL;
		*s = slice_skip(*s, decimals.n + 1);
	}
	*s = slice_skip(*s, span(*s, is_blank));
	name = slice_head(*s, span(*s, is_unit_char));
	*s = slice_skip(*s, name.n);
	*s = slice_skip(*s, span(*s, is_blank));
	if (name.n && !unit_find(name, &unit))
		return -EINVAL;
	if (__builtin_mul_overflow(number, unit, &part) ||
		__builtin_add_overflow(part, fraction(decimals, unit), &part) ||
		__builtin_add_overflow(*sum, part, sum))
		return -EINVAL;
	return 0;
}

int value_parse_duration(struct slice s, usec_t *ret)
{
	usec_t sum = 0;

	if (slice_eq(s, SLICE("infinity"))) {
		*ret = 0;
		return 0;
	}
	do {
		if (duration_part(&s, &sum) < 0)
			return -EINVAL;
	} while (s.n);
	*ret = sum;
	return 0;
}

int value_parse_size(struct slice s, uint64_t *ret)
{
	unsigned shift = 0;
	uint64_t number;

	if (s.n && s.p[s.n - 1] == 'K')
		shift = 10;
	else if (s.n && s.p[s.n - 1] == 'M')
		shift = 20;
	else if (s.n && s.p[s.n - 1] == 'G')
		shift = 30;
	if (shift)
		s.n--;
	if (!slice_to_u64(s, UINT64_MAX >> shift, &number))
		return -EINVAL;
	*ret = number << shift;
	return 0;
}

static bool is_inet(int family, struct slice s)
{
	char text[INET6_ADDRSTRLEN], address[sizeof(struct in6_addr)];

	if (!s.n || s.n >= sizeof(text))
		return false;
	memcpy(text, s.p, s.n);
	text[s.n] = '\0';
	return strlen(text) == s.n && inet_pton(family, text, address) == 1;
}

static bool is_label(struct slice s)
{
	if (!s.n || s.n > HOST_LABEL_MAX_LEN || s.p[0] == '-' || s.p[s.n - 1] == '-')
		return false;
	for (size_t i = 0; i < s.n; i++)
		if (!is_alpha(s.p[i]) && !is_digit(s.p[i]) && s.p[i] != '-')
			return false;
	return true;
}

/* RFC 3261 section 25.1: hostname = *( domainlabel "." ) toplabel [ "." ]; toplabel begins with a
 * letter, so that "1.2.3" is no name but a broken address. */
static bool is_host_name(struct slice s)
{
	struct slice label;

	if (s.n && s.p[s.n - 1] == '.')
		s.n--;
	if (s.n > HOST_NAME_MAX_LEN)
		return false;
	while (slice_cut(s, '.', &label, &s))
		if (!is_label(label))
			return false;
	return is_label(s) && is_alpha(s.p[0]);
}

static int parse_port(struct slice s, uint16_t *ret)
{
	uint32_t port;

	if (!slice_to_u32(s, UINT16_MAX, &port) || port == 0)
		return -EINVAL;
	*ret = (uint16_t)port;
	return 0;
}

/* Cuts "[v6]:port", "v6", "host:port" and "host" at the right colon. */
static int split_host(struct slice s, struct slice *ret_host, struct slice *ret_port)
{
	struct slice tail;

	*ret_port = SLICE_NULL;
	if (s.n && s.p[0] == '[') {
		if (!slice_cut(slice_skip(s, 1), ']', ret_host, &tail) ||
			!is_inet(AF_INET6, *ret_host))
			return -EINVAL;
		if (tail.n && tail.p[0] != ':')
			return -EINVAL;
		*ret_port = slice_skip(tail, 1);
		return tail.n == 1 ? -EINVAL : 0;
	}
	*ret_host = s;
	if (is_inet(AF_INET6, s))
		return 0;
	if (slice_cut(s, ':', ret_host, ret_port) && !ret_port->n)
		return -EINVAL;
	return 0;
}

int value_parse_host(struct slice s, struct value_host *ret)
{
	struct value_host h = { .port = 0 };
	struct slice port;

	if (split_host(s, &h.host, &port) < 0)
		return -EINVAL;
	h.is_address = is_inet(AF_INET, h.host) || is_inet(AF_INET6, h.host);
	if (!h.is_address && !is_host_name(h.host))
		return -EINVAL;
	if (port.n && parse_port(port, &h.port) < 0)
		return -EINVAL;
	*ret = h;
	return 0;
}

static bool is_one_of(struct slice s, const char *words)
{
	struct slice rest = slice_str(words), word;

	while (value_next_word(&rest, &word))
		if (slice_eq_ci(word, s))
			return true;
	return false;
}

int value_parse_session(struct slice s, struct value_session *ret)
{
	struct value_session v;

	if (!slice_cut(s, '/', &v.type, &v.party) || !is_one_of(v.type, "pc2pc pc2ph ph2ph im") ||
		!is_one_of(v.party, "first third"))
		return -EINVAL;
	*ret = v;
	return 0;
}

/* No password, parameters or headers: an address of record is an identity, not a route. */
int value_check_aor(struct slice s)
{
	struct value_host host;
	struct uri u;

	if (uri_parse(s, &u) < 0 || (u.scheme != URI_SIP && u.scheme != URI_SIPS))
		return -EINVAL;
	if (!u.user.n || u.password.p || u.params.n || u.headers.n)
		return -EINVAL;
	return value_parse_host(uri_bare_host(&u), &host);
}

int value_check_path_element(struct slice s)
{
	if (!s.n)
		return -EINVAL;
	for (size_t i = 0; i < s.n; i++)
		if (!is_digit(s.p[i]) && !is_alpha(s.p[i]) && s.p[i] != '_')
			return -EINVAL;
	return 0;
}

int value_append_instance(struct buf *b, struct slice s)
{
	static const char shape[] = "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx";

	if (slice_starts_ci(s, SLICE("urn:uuid:")))
		s = slice_skip(s, 9);
	if (s.n != sizeof(shape) - 1)
		return -EINVAL;
	for (size_t i = 0; i < s.n; i++) {
		if (shape[i] == '-' ? s.p[i] != '-' : !is_hex(s.p[i]))
			return -EINVAL;
	}
	buf_lit(b, "urn:uuid:");
	for (size_t i = 0; i < s.n; i++)
		buf_putc(b, is_alpha(s.p[i]) ? (char)(s.p[i] | 0x20) : s.p[i]);
	return 0;
}
