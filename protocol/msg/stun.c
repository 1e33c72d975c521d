/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "protocol/msg/stun.h"

#include <string.h>

#include "protocol/base/buf.h"
#include "protocol/base/err.h"
#include "protocol/msg/host.h"

/* Section numbers are those of RFC 8489. */

enum {
	HEADER_BYTES = 20,
	METHOD_BINDING = 0x0001,
	CLASS_MASK = 0x0110, /* section 5, figure 3: the two bits between those of the method */
	METHOD_MASK = 0x3eef,
	TYPE_REQUEST = 0x0001,
	TYPE_INDICATION = 0x0011,
	TYPE_SUCCESS = 0x0101,
	TYPE_ERROR = 0x0111,
	ATTR_ERROR_CODE = 0x0009,
	ATTR_UNKNOWN = 0x000a,
	ATTR_XOR_MAPPED = 0x0020,
	ATTR_FINGERPRINT = 0x8028,
	ATTR_OPTIONAL = 0x8000, /* from here on comprehension is optional */
	FAMILY_IPV4 = 1,
	FAMILY_IPV6 = 2,
	UNKNOWN_ATTRIBUTE = 420,
};
#define COOKIE UINT32_C(0x2112a442)
#define FINGERPRINT_XOR UINT32_C(0x5354554e)

static uint16_t get16(const uint8_t *p)
{
	return (uint16_t)(p[0] << 8 | p[1]);
}

static uint32_t get32(const uint8_t *p)
{
	return (uint32_t)get16(p) << 16 | get16(p + 2);
}

static void put16(struct buf *b, unsigned v)
{
	buf_putc(b, (char)(v >> 8));
	buf_putc(b, (char)v);
}

static void put32(struct buf *b, uint32_t v)
{
	put16(b, v >> 16);
	put16(b, v & 0xffff);
}

static const uint8_t *bytes_of(struct slice s)
{
	return (const uint8_t *)s.p;
}

/* CRC-32 of ITU V.42, as section 14.7 asks for. Bit by bit: messages are short. */
static uint32_t crc32_of(struct slice s)
{
	uint32_t crc = UINT32_MAX;

	for (size_t i = 0; i < s.n; i++) {
		crc ^= bytes_of(s)[i];
		for (int bit = 0; bit < 8; bit++)
			crc = crc >> 1 ^ (crc & 1 ? UINT32_C(0xedb88320) : 0);
	}
	return ~crc;
}

/* ---- reading ---- */

/* Behind the header. */
struct attr {
	unsigned type;
	struct slice value;
	size_t at; /* where it begins in the message */
};

/* 1, 0 at the end, -EBADMSG. Attributes are padded to four bytes (section 14). */
static int next_attr(struct slice message, size_t *at, struct attr *ret)
{
	const uint8_t *p = bytes_of(message) + *at;
	size_t left = message.n - *at, n;

	if (left == 0)
		return 0;
	if (left < 4)
		return -EBADMSG;
	n = get16(p + 2);
	if (n > left - 4 || (n + 3) / 4 * 4 > left - 4)
		return -EBADMSG;
	*ret = (struct attr){ get16(p), slice_of((const char *)p + 4, n), *at };
	*at += 4 + (n + 3) / 4 * 4;
	return 1;
}

/* Section 14.2. */
static int read_mapped(struct slice v, const uint8_t *key, struct stun_addr *ret)
{
	const uint8_t *p = bytes_of(v);
	struct stun_addr a = { .n = 4 };

	if (ret->n)
		return 0;
	if (v.n < 8)
		return -EBADMSG;
	if (p[1] == FAMILY_IPV6)
		a.n = 16;
	else if (p[1] != FAMILY_IPV4)
		return -EBADMSG;
	if (v.n != 4u + a.n)
		return -EBADMSG;
	a.port = get16(p + 2) ^ (uint16_t)(COOKIE >> 16);
	for (size_t i = 0; i < a.n; i++)
		a.bytes[i] = p[4 + i] ^ key[i];
	*ret = a;
	return 0;
}

/* Section 14.8: 21 bits that are reserved, the class, the number. */
static int read_error(struct slice v, unsigned *ret)
{
	const uint8_t *p = bytes_of(v);

	if (*ret)
		return 0;
	if (v.n < 4 || (p[2] & 7) < 3 || (p[2] & 7) > 6 || p[3] > 99)
		return -EBADMSG;
	*ret = (p[2] & 7u) * 100 + p[3];
	return 0;
}

/* Section 14.7: the last one, over what stands before it. */
static int check_fingerprint(struct slice message, const struct attr *a)
{
	bool last = a->at + 8 == message.n;

	if (!last || a->value.n != 4 ||
		get32(bytes_of(a->value)) !=
			(crc32_of(slice_head(message, a->at)) ^ FINGERPRINT_XOR))
		return -EBADMSG;
	return 0;
}

static void note_unknown(struct stun *s, unsigned type)
{
	if (type < ATTR_OPTIONAL && s->n_unknown < sizeof(s->unknown) / sizeof(s->unknown[0]))
		s->unknown[s->n_unknown++] = (uint16_t)type;
}

static int read_attr(struct slice message, const struct attr *a, struct stun *s)
{
	switch (a->type) {
	case ATTR_XOR_MAPPED: /* the cookie and the id, one after the other, are the key */
		return s->kind == STUN_SUCCESS
			       ? read_mapped(a->value, bytes_of(message) + 4, &s->mapped)
			       : 0;
	case ATTR_ERROR_CODE:
		return s->kind == STUN_ERROR ? read_error(a->value, &s->error) : 0;
	case ATTR_UNKNOWN:
		return 0;
	case ATTR_FINGERPRINT:
		return check_fingerprint(message, a);
	}
	note_unknown(s, a->type);
	return 0;
}

bool stun_is(struct slice datagram)
{
	return datagram.n > 0 && bytes_of(datagram)[0] < 4;
}

static int kind_of(unsigned type, enum stun_kind *ret)
{
	if ((type & METHOD_MASK) != METHOD_BINDING)
		return -EOPNOTSUPP;
	switch (type) {
	case TYPE_REQUEST:
		*ret = STUN_REQUEST;
		return 0;
	case TYPE_INDICATION:
		*ret = STUN_INDICATION;
		return 0;
	case TYPE_SUCCESS:
		*ret = STUN_SUCCESS;
		return 0;
	case TYPE_ERROR:
		*ret = STUN_ERROR;
		return 0;
	}
	return -EBADMSG;
}

int stun_parse(struct slice datagram, struct stun *ret)
{
	const uint8_t *p = bytes_of(datagram);
	struct stun s = { .kind = STUN_REQUEST };
	size_t at = HEADER_BYTES;
	unsigned n = 0;
	struct attr a;
	int r;

	if (datagram.n < HEADER_BYTES || datagram.n > STUN_MAX_BYTES || p[0] > 0x3f ||
		get32(p + 4) != COOKIE || get16(p + 2) != datagram.n - HEADER_BYTES ||
		datagram.n % 4)
		return -EBADMSG;
	r = kind_of(get16(p), &s.kind);
	if (r < 0)
		return r;
	memcpy(s.id, p + 8, STUN_ID_BYTES);
	while ((r = next_attr(datagram, &at, &a)) == 1) {
		if (++n > STUN_MAX_ATTRIBUTES || read_attr(datagram, &a, &s) < 0)
			return -EBADMSG;
	}
	if (r < 0)
		return r;
	*ret = s;
	return 0;
}

/* ---- writing ---- */

/* The header of a message that begins at the end of b; the length is set by finish(). */
static size_t begin(struct buf *b, unsigned type, const uint8_t *id)
{
	size_t start = b->n;

	put16(b, type);
	put16(b, 0);
	put32(b, COOKIE);
	buf_put(b, slice_of((const char *)id, STUN_ID_BYTES));
	return start;
}

/* FINGERPRINT, and the length, which counts it before it is computed (section 14.7). */
static void finish(struct buf *b, size_t start)
{
	size_t n = b->n - start - HEADER_BYTES + 8;

	b->p[start + 2] = (char)(n >> 8);
	b->p[start + 3] = (char)n;
	n = crc32_of(slice_of(b->p + start, b->n - start)) ^ FINGERPRINT_XOR;
	put16(b, ATTR_FINGERPRINT);
	put16(b, 4);
	put32(b, (uint32_t)n);
}

void stun_append_request(struct buf *b, const uint8_t id[static STUN_ID_BYTES])
{
	finish(b, begin(b, TYPE_REQUEST, id));
}

static void append_mapped(struct buf *b, size_t start, const struct stun_addr *a)
{
	put16(b, ATTR_XOR_MAPPED);
	put16(b, 4u + a->n);
	put16(b, a->n == 16 ? FAMILY_IPV6 : FAMILY_IPV4);
	put16(b, a->port ^ COOKIE >> 16);
	for (size_t i = 0; i < a->n; i++)
		buf_putc(b, (char)(a->bytes[i] ^ (uint8_t)b->p[start + 4 + i]));
}

/* Section 14.8 and 14.9, with the phrase that belongs to it. */
static void append_unknown(struct buf *b, size_t start, const struct stun *request)
{
	const struct slice phrase = SLICE("Unknown Attribute"); /* 17 bytes */

	put16(b, ATTR_ERROR_CODE);
	put16(b, 4 + (unsigned)phrase.n);
	put16(b, 0);
	buf_putc(b, UNKNOWN_ATTRIBUTE / 100);
	buf_putc(b, UNKNOWN_ATTRIBUTE % 100);
	buf_put(b, phrase);
	while ((b->n - start) % 4)
		buf_putc(b, '\0');
	put16(b, ATTR_UNKNOWN);
	put16(b, 2 * request->n_unknown);
	for (unsigned i = 0; i < request->n_unknown; i++)
		put16(b, request->unknown[i]);
	if (request->n_unknown % 2)
		put16(b, 0);
}

void stun_append_answer(struct buf *b, const struct stun *request, const struct stun_addr *from)
{
	size_t start = begin(b, request->n_unknown ? TYPE_ERROR : TYPE_SUCCESS, request->id);

	if (request->n_unknown)
		append_unknown(b, start, request);
	else
		append_mapped(b, start, from);
	finish(b, start);
}

/* ---- addresses ---- */

static bool parse_ipv4(struct slice host, uint8_t *ret)
{
	uint32_t v;

	if (!host_is_ipv4(host))
		return false;
	for (int i = 0; i < 4; i++) {
		struct slice number = slice_head(host, slice_find(host, '.'));

		(void)slice_to_u32(number, 255, &v);
		ret[i] = (uint8_t)v;
		host = slice_skip(host, number.n + 1);
	}
	return true;
}

static unsigned hex_of(char c)
{
	return c <= '9' ? (unsigned)(c - '0') : ((unsigned)c | 0x20) - 'a' + 10;
}

/* Well-formed already: groups to the left and to the right of "::". */
static void parse_ipv6(struct slice host, uint8_t *ret)
{
	uint8_t right[16] = { 0 };
	size_t n = 0, gap = SIZE_MAX;

	while (host.n) {
		struct slice group = slice_head(host, slice_find(host, ':'));
		unsigned v = 0;

		if (group.n == 0 && gap == SIZE_MAX) {
			/* "::": of two at the beginning, the first has nothing before it */
			gap = n;
			host = slice_skip(host, host.n > 1 && host.p[1] == ':' ? 2 : 1);
			continue;
		}
		if (parse_ipv4(group, right + n)) {
			n += 4;
			break;
		}
		for (size_t i = 0; i < group.n; i++)
			v = v << 4 | hex_of(group.p[i]);
		right[n++] = (uint8_t)(v >> 8);
		right[n++] = (uint8_t)v;
		host = slice_skip(host, group.n + 1);
	}
	if (gap == SIZE_MAX)
		gap = n;
	memset(ret, 0, 16);
	memcpy(ret, right, gap);
	memcpy(ret + 16 - (n - gap), right + gap, n - gap);
}

bool stun_addr_parse(struct slice host, uint16_t port, struct stun_addr *ret)
{
	struct stun_addr a = { .port = port };

	host = slice_head(host, slice_find(host, '%')); /* a zone is ours alone */
	if (parse_ipv4(host, a.bytes)) {
		a.n = 4;
	} else if (host_is_ipv6(host)) {
		a.n = 16;
		parse_ipv6(host, a.bytes);
	} else {
		return false;
	}
	*ret = a;
	return true;
}

bool stun_addr_equal(const struct stun_addr *a, const struct stun_addr *b)
{
	return a->n == b->n && a->port == b->port && memcmp(a->bytes, b->bytes, a->n) == 0;
}
