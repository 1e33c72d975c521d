/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "protocol/base/slice.h"

#include <string.h>

#include "protocol/base/mem.h"

static unsigned char fold(char c)
{
	return (unsigned char)(c >= 'A' && c <= 'Z' ? c | 0x20 : c);
}

bool slice_same_letters(const char *a, const char *b, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (a[i] != b[i] && fold(a[i]) != fold(b[i]))
			return false;
	return true;
}

int slice_cmp(struct slice a, struct slice b)
{
	size_t n = a.n < b.n ? a.n : b.n;
	int c = n ? memcmp(a.p, b.p, n) : 0;

	if (c != 0)
		return c;
	return (a.n > b.n) - (a.n < b.n);
}

bool slice_starts(struct slice s, struct slice prefix)
{
	return s.n >= prefix.n && slice_eq(slice_head(s, prefix.n), prefix);
}

bool slice_starts_ci(struct slice s, struct slice prefix)
{
	return s.n >= prefix.n && slice_eq_ci(slice_head(s, prefix.n), prefix);
}

/* A multiply-and-shift, so that each bit of the input reaches the low bits of the result. */
static uint64_t mix(uint64_t h)
{
	h ^= h >> 32;
	h *= UINT64_C(0x9fb21c651e98df25);
	return h ^ (h >> 28);
}

enum { HASH_STEP = sizeof(uint64_t) };

/* FNV-1a by words, each mixed, with the seed folded in. */
uint64_t slice_hash(struct slice s, uint64_t seed)
{
	uint64_t h = UINT64_C(0xcbf29ce484222325) ^ mix(seed ^ s.n), word;

	for (; s.n >= HASH_STEP; s = slice_skip(s, HASH_STEP)) {
		memcpy(&word, s.p, HASH_STEP);
		h = mix(h ^ word);
	}
	for (size_t i = 0; i < s.n; i++)
		h = (h ^ (unsigned char)s.p[i]) * UINT64_C(0x100000001b3);
	return mix(h ^ seed);
}

uint64_t slice_hash_ci(struct slice s, uint64_t seed)
{
	uint64_t h = UINT64_C(0xcbf29ce484222325) ^ mix(seed);

	for (size_t i = 0; i < s.n; i++)
		h = (h ^ fold(s.p[i])) * UINT64_C(0x100000001b3);
	return mix(h ^ seed);
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

struct slice slice_trim(struct slice s)
{
	while (s.n && is_blank(s.p[0]))
		s = slice_skip(s, 1);
	while (s.n && is_blank(s.p[s.n - 1]))
		s.n--;
	return s;
}

bool slice_cut(struct slice s, char c, struct slice *ret_head, struct slice *ret_tail)
{
	size_t i = slice_find(s, c);

	if (i == s.n)
		return false;
	*ret_head = slice_head(s, i);
	*ret_tail = slice_skip(s, i + 1);
	return true;
}

bool slice_to_u64(struct slice s, uint64_t max, uint64_t *ret)
{
	const uint64_t tenth = max / 10;
	uint64_t v = 0;

	if (s.n == 0)
		return false;
	for (size_t i = 0; i < s.n; i++) {
		unsigned d = (unsigned)((unsigned char)s.p[i] - '0');

		if (d > 9 || v > tenth || (v == tenth && d > max % 10))
			return false;
		v = v * 10 + d;
	}
	*ret = v;
	return true;
}

bool slice_to_u32(struct slice s, uint32_t max, uint32_t *ret)
{
	uint64_t v;

	if (!slice_to_u64(s, max, &v))
		return false;
	*ret = (uint32_t)v;
	return true;
}

char *slice_dup(struct slice s)
{
	char *c = mem_alloc(s.n + 1);

	if (s.n)
		memcpy(c, s.p, s.n);
	c[s.n] = '\0';
	return c;
}

/* Length of the well-formed sequence that starts at p, 0 if none does (Unicode table 3-7). */
static size_t utf8_length(const unsigned char *p, size_t n)
{
	unsigned char low = 0x80, high = 0xbf;
	size_t len;

	if (p[0] < 0x80)
		return p[0] ? 1 : 0;
	if (p[0] >= 0xc2 && p[0] <= 0xdf)
		len = 2;
	else if (p[0] >= 0xe0 && p[0] <= 0xef)
		len = 3;
	else if (p[0] >= 0xf0 && p[0] <= 0xf4)
		len = 4;
	else
		return 0;
	if (n < len)
		return 0;
	if (p[0] == 0xe0)
		low = 0xa0;
	else if (p[0] == 0xed)
		high = 0x9f;
	else if (p[0] == 0xf0)
		low = 0x90;
	else if (p[0] == 0xf4)
		high = 0x8f;
	if (p[1] < low || p[1] > high)
		return 0;
	for (size_t i = 2; i < len; i++)
		if ((p[i] & 0xc0) != 0x80)
			return 0;
	return len;
}

bool slice_is_utf8(struct slice s)
{
	while (s.n) {
		size_t len = utf8_length((const unsigned char *)s.p, s.n);

		if (len == 0)
			return false;
		s = slice_skip(s, len);
	}
	return true;
}
