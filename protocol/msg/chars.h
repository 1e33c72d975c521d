/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
#include <stdbool.h>
#include <stdint.h>

/* The character classes of RFC 3261 section 25.1 and RFC 3966, one bit each, one table for all. */
enum {
	CHARS_TOKEN = 1 << 0,
	CHARS_USER = 1 << 1,     /* of the user part, but for escapes */
	CHARS_PASSWORD = 1 << 2, /* the same of the password */
	CHARS_PARAM = 1 << 3,    /* paramchar of a URI, and "=" in a value, but for escapes */
	CHARS_HEADER = 1 << 4,   /* hname and hvalue of a URI with their "=" and "&" */
	CHARS_URIC = 1 << 5,     /* reserved, unreserved, and "[" "]" "#" */
	CHARS_HOST = 1 << 6,     /* hostname, and "_", which is met in the wild */
	CHARS_SCHEME = 1 << 7,   /* after the first letter */
	CHARS_HEX = 1 << 8,
	CHARS_DIGIT = 1 << 9,
	CHARS_ALPHA = 1 << 10,
	CHARS_LWS = 1 << 11,     /* SP and HTAB: the parser replaced folds by blanks */
	CHARS_PNAME = 1 << 12,   /* name of a parameter, of a header or of a URI */
	CHARS_PVALUE = 1 << 13,  /* its unquoted value: token, host, and what is met in the wild */
	CHARS_DISPLAY = 1 << 14, /* unquoted display name: tokens, LWS and UTF-8 */
	CHARS_QUOTED = 1 << 15,  /* qdtext */
	CHARS_VISIBLE = 1 << 16, /* 0x21 to 0x7e: Call-ID, more than its word asks for */
	CHARS_PHONE = 1 << 17,   /* phonedigit-hex and "+" */
};

extern const uint32_t chars_table[256];

static inline bool chars_is(char c, uint32_t mask)
{
	return (chars_table[(unsigned char)c] & mask) != 0;
}

/* Where the run of characters in mask that starts at p ends. */
static inline const char *chars_past(const char *p, const char *end, uint32_t mask)
{
	for (; end - p >= 4; p += 4) {
		if (!chars_is(p[0], mask))
			return p;
		if (!chars_is(p[1], mask))
			return p + 1;
		if (!chars_is(p[2], mask))
			return p + 2;
		if (!chars_is(p[3], mask))
			return p + 3;
	}
	while (p != end && chars_is(*p, mask))
		p++;
	return p;
}
