/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
#include "protocol/msg/scan.h"

/* Dotted quad with every number below 256. */
bool host_is_ipv4(struct slice text);
/* Without brackets; RFC 4291 section 2.2, no zone. */
bool host_is_ipv6(struct slice text);
/* Behind the "[" IPv6 "]" that starts at p; NULL if none does. */
const char *host_past_ipv6_reference(const char *p, const char *end);

/*
 * host of RFC 3261 section 25.1, with "_" let in: a hostname, an IPv4 address or "[" IPv6 "]".
 * Takes it off the cursor; false, and the cursor stays, if none is there.
 */
static inline bool host_scan(struct scan *s, struct slice *ret)
{
	const char *start = s->p, *past;

	if (scan_at(s, '['))
		past = host_past_ipv6_reference(start, s->end);
	else if (scan_at(s, '.') || scan_at(s, '-'))
		past = NULL;
	else
		past = chars_past(start, s->end, CHARS_HOST);
	if (!past || past == start)
		return false;
	*ret = slice_of(start, (size_t)(past - start));
	s->p = past;
	return true;
}

/* Decimal digits from 1 to 65535; false, and the cursor stays, otherwise. */
static inline bool host_scan_port(struct scan *s, uint16_t *ret)
{
	const char *p = s->p;
	uint32_t port = 0;

	for (; p != s->end && chars_is(*p, CHARS_DIGIT); p++) {
		port = port * 10 + (uint32_t)(*p - '0');
		if (port > UINT16_MAX)
			return false;
	}
	if (port == 0)
		return false;
	*ret = (uint16_t)port;
	s->p = p;
	return true;
}
