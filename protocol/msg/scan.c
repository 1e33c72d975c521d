/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "protocol/msg/scan.h"

/* quoted-pair: any ASCII but CR and LF may follow the backslash, NUL too (RFC 4475 3.1.1.2). */
static bool is_quoted_pair(const char *p, const char *end)
{
	return end - p >= 2 && p[0] == '\\' && p[1] != '\r' && p[1] != '\n' &&
	       (unsigned char)p[1] <= 0x7f;
}

const char *scan_past_quoted(const char *p, const char *end)
{
	p = chars_past(p + 1, end, CHARS_QUOTED);
	while (is_quoted_pair(p, end))
		p = chars_past(p + 2, end, CHARS_QUOTED);
	return p != end && *p == '"' ? p + 1 : NULL;
}

static bool is_escape(const char *p, const char *end)
{
	return end - p >= 3 && p[0] == '%' && chars_is(p[1], CHARS_HEX) &&
	       chars_is(p[2], CHARS_HEX);
}

const char *scan_past_escapes(const char *p, const char *end, uint32_t mask)
{
	while (is_escape(p, end))
		p = chars_past(p + 3, end, mask);
	return p;
}
