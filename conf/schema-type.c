/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "conf/schema-type.h"

#include <ctype.h>
#include <string.h>

#include "conf/value.h"
#include "protocol/base/buf.h"
#include "protocol/base/err.h"
#include "protocol/base/mem.h"

static void *field(const struct schema_key *key, void *base)
{
	return (char *)base + key->offset;
}

static int parse_bool(
	const struct schema_key *key, struct slice value, void *base, struct buf *want)
{
	if (value_parse_bool(value, field(key, base)) == 0)
		return 0;
	buf_lit(want, "expected yes or no");
	return -EINVAL;
}

const struct schema_type schema_bool = {
	.parse = parse_bool, .size = sizeof(bool), .syntax = "yes or no"
};

static int parse_number(
	const struct schema_key *key, struct slice value, void *base, struct buf *want)
{
	uint32_t n;

	if (slice_to_u32(value, UINT32_MAX, &n) && n >= key->min && n <= key->max) {
		memcpy(field(key, base), &n, sizeof(n));
		return 0;
	}
	buf_lit(want, "expected a whole number from ");
	buf_u64(want, key->min);
	buf_lit(want, " to ");
	buf_u64(want, key->max);
	return -EINVAL;
}

const struct schema_type schema_number = {
	.parse = parse_number, .size = sizeof(uint32_t), .syntax = "number"
};

static int parse_port(
	const struct schema_key *key, struct slice value, void *base, struct buf *want)
{
	uint32_t n;
	uint16_t port;

	if (!slice_to_u32(value, UINT16_MAX, &n)) {
		buf_lit(want, "expected a port from 1 to 65535, or 0 for any");
		return -EINVAL;
	}
	port = (uint16_t)n;
	memcpy(field(key, base), &port, sizeof(port));
	return 0;
}

const struct schema_type schema_port = {
	.parse = parse_port, .size = sizeof(uint16_t), .syntax = "port"
};

static int parse_size(
	const struct schema_key *key, struct slice value, void *base, struct buf *want)
{
	uint64_t n;
	uint32_t size;

	if (value_parse_size(value, &n) < 0 || n < key->min || n > key->max) {
		buf_printf(want, "expected bytes from %llu to %llu, such as 64K",
			(unsigned long long)key->min, (unsigned long long)key->max);
		return -EINVAL;
	}
	size = (uint32_t)n;
	memcpy(field(key, base), &size, sizeof(size));
	return 0;
}

const struct schema_type schema_size = {
	.parse = parse_size, .size = sizeof(uint32_t), .syntax = "bytes; K, M, G"
};

/* "1h 30min"; used for limits in messages, so that microseconds need no name. */
static void append_duration(struct buf *b, usec_t t)
{
	static const struct {
		const char *name;
		usec_t usec;
	} units[] = {
		{ "d", 86400 * USEC_PER_SEC },
		{ "h", 3600 * USEC_PER_SEC },
		{ "min", 60 * USEC_PER_SEC },
		{ "s", USEC_PER_SEC },
		{ "ms", USEC_PER_MSEC },
	};
	bool first = true;

	for (size_t i = 0; i < ARRAY_LEN(units); i++) {
		if (t < units[i].usec)
			continue;
		if (!first)
			buf_putc(b, ' ');
		first = false;
		buf_u64(b, t / units[i].usec);
		buf_str(b, units[i].name);
		t %= units[i].usec;
	}
}

/* A duration in range; 0 besides, where the row's type lets it mean "off". */
static int duration(const struct schema_key *key, struct slice value, usec_t *ret, struct buf *want)
{
	const bool may_be_off = key->type == &schema_duration;
	usec_t t;

	if (value_parse_duration(value, &t) == 0 &&
		((t >= key->min && t <= key->max) || (t == 0 && may_be_off))) {
		*ret = t;
		return 0;
	}
	buf_lit(want, "expected a duration from ");
	append_duration(want, key->min);
	buf_lit(want, " to ");
	append_duration(want, key->max);
	buf_str(want, may_be_off ? ", or 0 for off" : ", such as 30s or 5min");
	return -EINVAL;
}

static int parse_duration(
	const struct schema_key *key, struct slice value, void *base, struct buf *want)
{
	return duration(key, value, field(key, base), want);
}

const struct schema_type schema_duration = {
	.parse = parse_duration, .size = sizeof(usec_t), .syntax = "duration or 0 for off"
};
const struct schema_type schema_delay = {
	.parse = parse_duration, .size = sizeof(usec_t), .syntax = "duration"
};

static int parse_seconds(
	const struct schema_key *key, struct slice value, void *base, struct buf *want)
{
	uint32_t seconds;
	usec_t t;

	if (duration(key, value, &t, want) < 0)
		return -EINVAL;
	seconds = (uint32_t)(t / USEC_PER_SEC);
	memcpy(field(key, base), &seconds, sizeof(seconds));
	return 0;
}

const struct schema_type schema_seconds = {
	.parse = parse_seconds, .size = sizeof(uint32_t), .syntax = "duration"
};

static const struct schema_word *word_find(const struct schema_key *key, struct slice text)
{
	for (const struct schema_word *w = key->words; w->name; w++)
		if (slice_eq_ci(slice_str(w->name), text))
			return w;
	return NULL;
}

static void want_words(const struct schema_key *key, struct buf *want)
{
	const struct schema_word *w = key->words;

	buf_lit(want, "expected ");
	for (; w->name; w++) {
		if (w != key->words)
			buf_str(want, w[1].name ? ", " : " or ");
		buf_str(want, w->name);
	}
}

static int parse_word(
	const struct schema_key *key, struct slice value, void *base, struct buf *want)
{
	const struct schema_word *w = word_find(key, value);

	if (!w) {
		want_words(key, want);
		return -EINVAL;
	}
	/* Kept also when it is for later, so that rules across keys see what was meant. */
	memcpy(field(key, base), &w->value, sizeof(w->value));
	if (w->support == SCHEMA_NOW)
		return 0;
	buf_str(want, w->name);
	return w->support == SCHEMA_LATER ? -EOPNOTSUPP : SCHEMA_PARTLY;
}

const struct schema_type schema_word = {
	.parse = parse_word, .size = sizeof(unsigned), .syntax = "one of"
};

static int parse_mask(
	const struct schema_key *key, struct slice value, void *base, struct buf *want)
{
	bool any_now = false, any_later = false;
	unsigned mask = 0;
	struct slice word;

	while (value_next_word(&value, &word)) {
		const struct schema_word *w = word_find(key, word);

		if (!w) {
			buf_reset(want);
			want_words(key, want);
			buf_lit(want, ", separated by blanks");
			return -EINVAL;
		}
		mask |= w->value;
		if (w->support == SCHEMA_NOW) {
			any_now = true;
			continue;
		}
		if (any_later)
			buf_lit(want, ", ");
		buf_str(want, w->name);
		any_later = true;
	}
	*(unsigned *)field(key, base) |= mask;
	if (!any_later)
		return 0;
	return any_now ? SCHEMA_PARTLY : -EOPNOTSUPP;
}

static void clear_mask(const struct schema_key *key, void *base)
{
	*(unsigned *)field(key, base) = 0;
}

const struct schema_type schema_mask = {
	.parse = parse_mask,
	.clear = clear_mask,
	.size = sizeof(unsigned),
	.again = SCHEMA_ADDS,
	.syntax = "any of",
};

static void clear_text(const struct schema_key *key, void *base)
{
	char **p = field(key, base);

	free(*p);
	*p = NULL;
}

static const void *const_field(const struct schema_key *key, const void *base)
{
	return (const char *)base + key->offset;
}

static bool equal_text(const struct schema_key *key, const void *a, const void *b)
{
	const char *const *x = const_field(key, a), *const *y = const_field(key, b);

	return *x == *y || (*x && *y && strcmp(*x, *y) == 0);
}

static void clear_secret(const struct schema_key *key, void *base)
{
	char **p = field(key, base);

	if (*p)
		mem_wipe(*p, strlen(*p));
	clear_text(key, base);
}

static int set_text(const struct schema_key *key, struct slice value, void *base, struct buf *want)
{
	const size_t max = key->max ? (size_t)key->max : SCHEMA_TEXT_MAX;
	char **p = field(key, base);

	if (value.n > max) {
		buf_printf(want, "longer than %zu bytes", max);
		return -EINVAL;
	}
	key->type->clear(key, base);
	*p = slice_dup(value);
	return 0;
}

/* What ends up in a header may hold no control character. */
static int parse_text(
	const struct schema_key *key, struct slice value, void *base, struct buf *want)
{
	for (size_t i = 0; i < value.n; i++) {
		if ((unsigned char)value.p[i] < 0x20 || value.p[i] == 0x7f) {
			buf_lit(want, "contains a control character");
			return -EINVAL;
		}
	}
	return set_text(key, value, base, want);
}

static int parse_choice(
	const struct schema_key *key, struct slice value, void *base, struct buf *want)
{
	if (!word_find(key, value)) {
		want_words(key, want);
		return -EINVAL;
	}
	return set_text(key, value, base, want);
}

static int parse_file(
	const struct schema_key *key, struct slice value, void *base, struct buf *want)
{
	if (slice_find(value, '/') < value.n || value.p[0] == '.') {
		buf_lit(want, "expected a name without '/' that does not begin with '.'");
		return -EINVAL;
	}
	return parse_text(key, value, base, want);
}

static int parse_token(
	const struct schema_key *key, struct slice value, void *base, struct buf *want)
{
	static const char punctuation[] = "-.!%*_+`'~";

	for (size_t i = 0; i < value.n; i++) {
		const char c = value.p[i];

		if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
			(c && strchr(punctuation, c)))
			continue;
		buf_printf(want, "expected letters, digits and any of %s", punctuation);
		return -EINVAL;
	}
	return set_text(key, value, base, want);
}

enum { SCOPE_BYTES = 16 }; /* an interface's name with its end: IF_NAMESIZE */

/* An address of one link with that link (RFC 4007 section 11): whether it is there, is seen later.
 */
static bool is_scoped(struct slice value)
{
	size_t at = 0;
	struct slice scope;
	struct value_host h;

	while (at < value.n && value.p[at] != '%')
		at++;
	scope = slice_skip(value, at + 1);
	if (!scope.n || scope.n >= SCOPE_BYTES)
		return false;
	for (size_t i = 0; i < scope.n; i++)
		if (scope.p[i] <= ' ' || scope.p[i] == '/' || scope.p[i] == '%' ||
			scope.p[i] == ']')
			return false;
	return slice_starts_ci(value, SLICE("fe")) &&
	       value_parse_host(slice_head(value, at), &h) == 0 && h.is_address;
}

static int parse_address(
	const struct schema_key *key, struct slice value, void *base, struct buf *want)
{
	struct value_host h;

	if (is_scoped(value))
		return set_text(key, value, base, want);
	if (value_parse_host(value, &h) < 0 || !h.is_address || h.port) {
		buf_lit(want, "expected an IPv4 or IPv6 address without port");
		return -EINVAL;
	}
	return set_text(key, h.host, base, want);
}

static int parse_host(
	const struct schema_key *key, struct slice value, void *base, struct buf *want)
{
	struct value_host h;

	if (value_parse_host(value, &h) < 0) {
		buf_lit(want, "expected host or host:port, an IPv6 address as [2001:db8::1]:5060");
		return -EINVAL;
	}
	return set_text(key, value, base, want);
}

static bool is_domain(struct slice value)
{
	struct value_host h;

	return value_parse_host(value, &h) == 0 && !h.is_address && !h.port;
}

static int parse_domain(
	const struct schema_key *key, struct slice value, void *base, struct buf *want)
{
	if (!is_domain(value)) {
		buf_lit(want, "expected a host name, such as sip.example.com");
		return -EINVAL;
	}
	return set_text(key, value, base, want);
}

static int parse_name(
	const struct schema_key *key, struct slice value, void *base, struct buf *want)
{
	if (value_check_path_element(value) < 0) {
		buf_lit(want, "a name consists of A-Z, a-z, 0-9 and _");
		return -EINVAL;
	}
	return set_text(key, value, base, want);
}

static int parse_aor(const struct schema_key *key, struct slice value, void *base, struct buf *want)
{
	if (value_check_aor(value) < 0) {
		buf_lit(want, "expected a URI without parameters, such as sip:alice@example.com");
		return -EINVAL;
	}
	return set_text(key, value, base, want);
}

static int parse_instance(
	const struct schema_key *key, struct slice value, void *base, struct buf *want)
{
	struct buf urn = BUF_NULL;
	int rc;

	if (value_append_instance(&urn, value) < 0) {
		buf_lit(want, "expected a UUID, such as 00000000-0000-1000-8000-000a95a0e128");
		return -EINVAL;
	}
	rc = set_text(key, buf_slice(&urn), base, want);
	buf_deinit(&urn);
	return rc;
}

static int parse_pin(const struct schema_key *key, struct slice value, void *base, struct buf *want)
{
	size_t n = 0;

	while (n < value.n && isxdigit((unsigned char)value.p[n]))
		n++;
	if (n != value.n || n != 64) {
		buf_lit(want, "expected the 64 hexadecimal digits of a SHA-256");
		return -EINVAL;
	}
	return set_text(key, value, base, want);
}

#define TEXT_TYPE(parse_fn, syntax_text)                                       \
	{                                                                      \
		.parse = (parse_fn), .clear = clear_text, .equal = equal_text, \
		.syntax = (syntax_text)                                        \
	}

const struct schema_type schema_text = TEXT_TYPE(parse_text, "text");
const struct schema_type schema_choice = TEXT_TYPE(parse_choice, "one of");
const struct schema_type schema_path = TEXT_TYPE(parse_text, "file");
const struct schema_type schema_file = TEXT_TYPE(parse_file, "file name");
const struct schema_type schema_token = TEXT_TYPE(parse_token, "token");
const struct schema_type schema_address = TEXT_TYPE(parse_address, "IP address");
const struct schema_type schema_host = TEXT_TYPE(parse_host, "host[:port]");
const struct schema_type schema_domain = TEXT_TYPE(parse_domain, "host name");
const struct schema_type schema_name = TEXT_TYPE(parse_name, "name");
const struct schema_type schema_aor = TEXT_TYPE(parse_aor, "SIP URI");
const struct schema_type schema_pin = TEXT_TYPE(parse_pin, "SHA-256");
const struct schema_type schema_instance = TEXT_TYPE(parse_instance, "UUID");
const struct schema_type schema_secret = { .parse = parse_text,
	.clear = clear_secret,
	.equal = equal_text,
	.show = SCHEMA_SECRET,
	.syntax = "text" };

static void clear_list(const struct schema_key *key, void *base)
{
	char ***p = field(key, base);
	size_t *n = (size_t *)(void *)((char *)base + key->n_offset);

	for (size_t i = 0; i < *n; i++)
		free((*p)[i]);
	free(*p);
	*p = NULL;
	*n = 0;
}

static bool equal_list(const struct schema_key *key, const void *a, const void *b)
{
	char *const *const *x = const_field(key, a), *const *const *y = const_field(key, b);
	size_t n, n_b;

	memcpy(&n, (const char *)a + key->n_offset, sizeof(n));
	memcpy(&n_b, (const char *)b + key->n_offset, sizeof(n_b));
	if (n != n_b)
		return false;
	for (size_t i = 0; i < n; i++)
		if (strcmp((*x)[i], (*y)[i]) != 0)
			return false;
	return true;
}

static int add_words(const struct schema_key *key, struct slice value, void *base, struct buf *want)
{
	char ***p = field(key, base);
	size_t *n = (size_t *)(void *)((char *)base + key->n_offset);
	struct slice word;

	while (value_next_word(&value, &word)) {
		if (*n == SCHEMA_LIST_MAX) {
			buf_printf(want, "more than %d words", SCHEMA_LIST_MAX);
			return -EINVAL;
		}
		*p = mem_realloc(*p, (*n + 1) * sizeof(**p));
		(*p)[(*n)++] = slice_dup(word);
	}
	return 0;
}

static int parse_servers(
	const struct schema_key *key, struct slice value, void *base, struct buf *want)
{
	struct slice rest = value, word;
	struct value_host h;

	while (value_next_word(&rest, &word)) {
		if (value_parse_host(word, &h) == 0 && h.is_address)
			continue;
		buf_lit(want, "expected addresses as 192.0.2.1:53 or [2001:db8::1]:53, "
			      "separated by blanks");
		return -EINVAL;
	}
	return add_words(key, value, base, want);
}

static int parse_domains(
	const struct schema_key *key, struct slice value, void *base, struct buf *want)
{
	struct slice rest = value, word;

	while (value_next_word(&rest, &word)) {
		struct slice name = word.p[0] == '.' ? slice_skip(word, 1) : word;

		if (is_domain(name) || slice_eq(word, SLICE("*")))
			continue;
		buf_lit(want, "expected domains such as example.com, .example.com or *, "
			      "separated by blanks");
		return -EINVAL;
	}
	return add_words(key, value, base, want);
}

static int parse_aors(
	const struct schema_key *key, struct slice value, void *base, struct buf *want)
{
	struct slice rest = value, word;

	while (value_next_word(&rest, &word)) {
		if (value_check_aor(word) == 0)
			continue;
		buf_lit(want, "expected URIs without parameters, such as sip:alice@example.com, "
			      "separated by blanks");
		return -EINVAL;
	}
	return add_words(key, value, base, want);
}

#define LIST_TYPE(parse_fn, syntax_text)                                       \
	{                                                                      \
		.parse = (parse_fn), .clear = clear_list, .equal = equal_list, \
		.again = SCHEMA_ADDS, .syntax = (syntax_text)                  \
	}

const struct schema_type schema_list = LIST_TYPE(add_words, "list");
const struct schema_type schema_servers = LIST_TYPE(parse_servers, "list of address[:port]");
const struct schema_type schema_aors = LIST_TYPE(parse_aors, "list of SIP URIs");
const struct schema_type schema_domains = LIST_TYPE(parse_domains, "list of domains");
