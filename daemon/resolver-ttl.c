/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "daemon/resolver-ttl.h"

#include <stdbool.h>

#include "protocol/base/err.h"

/* c-ares tells no time to live of SRV and NAPTR records, nor that of an empty answer. */

enum {
	HEADER_BYTES = 12,
	RECORD_BYTES = 10, /* type, class, time to live, length: what follows the name */
	TYPE_SOA = 6,
	POINTER = 0xc0, /* RFC 1035 section 4.1.4 */
};

struct cursor {
	const uint8_t *p;
	size_t n;
};

struct record {
	uint16_t type;
	uint32_t ttl;
	struct cursor data;
};

static uint16_t get16(const uint8_t *p)
{
	return (uint16_t)(p[0] << 8 | p[1]);
}

static uint32_t get32(const uint8_t *p)
{
	return (uint32_t)get16(p) << 16 | get16(p + 2);
}

static bool skip(struct cursor *c, size_t n)
{
	if (n > c->n)
		return false;
	c->p += n;
	c->n -= n;
	return true;
}

/* Where a pointer leads does not matter here, so none is followed. */
static bool skip_name(struct cursor *c)
{
	while (c->n) {
		uint8_t length = c->p[0];

		if ((length & POINTER) == POINTER)
			return skip(c, 2);
		if (length & POINTER)
			return false;
		if (!skip(c, 1U + length))
			return false;
		if (length == 0)
			return true;
	}
	return false;
}

static bool next_record(struct cursor *c, struct record *ret)
{
	struct record r;
	uint16_t length;

	if (!skip_name(c) || c->n < RECORD_BYTES)
		return false;
	r.type = get16(c->p);
	r.ttl = get32(c->p + 4);
	/* RFC 2181 section 8: a time with the highest bit is none. */
	if (r.ttl > INT32_MAX)
		r.ttl = 0;
	length = get16(c->p + 8);
	(void)skip(c, RECORD_BYTES);
	r.data = (struct cursor){ c->p, length };
	if (!skip(c, length))
		return false;
	*ret = r;
	return true;
}

static uint32_t least(uint32_t a, uint32_t b)
{
	return a < b ? a : b;
}

/* RFC 2308 section 5: the lesser of its own time and of its MINIMUM, the last field. */
static bool read_soa(const struct record *r, uint32_t *ret_seconds)
{
	struct cursor data = r->data;

	if (!skip_name(&data) || !skip_name(&data) || data.n != 5 * sizeof(uint32_t))
		return false;
	*ret_seconds = least(r->ttl, get32(data.p + 4 * sizeof(uint32_t)));
	return true;
}

int resolver_ttl(const uint8_t *bytes, size_t n, uint16_t type, uint32_t *ret_seconds)
{
	struct cursor c = { bytes, n };
	uint32_t seconds = UINT32_MAX;
	struct record r;
	bool found = false;

	if (!skip(&c, HEADER_BYTES))
		return -EBADMSG;
	for (unsigned i = get16(bytes + 4); i > 0; i--)
		if (!skip_name(&c) || !skip(&c, 2 * sizeof(uint16_t)))
			return -EBADMSG;
	for (unsigned i = get16(bytes + 6); i > 0; i--) {
		if (!next_record(&c, &r))
			return -EBADMSG;
		/* A CNAME on the way may be the first that changes. */
		seconds = least(seconds, r.ttl);
		found = found || r.type == type;
	}
	for (unsigned i = get16(bytes + 8); i > 0 && !found; i--) {
		if (!next_record(&c, &r))
			return -EBADMSG;
		found = r.type == TYPE_SOA && read_soa(&r, &seconds);
	}
	if (!found)
		return -ENOENT;
	*ret_seconds = seconds;
	return 0;
}
