/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "protocol/msg/host.h"

#include <string.h>

bool host_is_ipv4(struct slice text)
{
	struct scan s = scan_of(text);

	for (int i = 0; i < 4; i++) {
		struct slice number;
		uint32_t v;

		if (i > 0 && !scan_accept(&s, '.'))
			return false;
		number = scan_run(&s, CHARS_DIGIT);
		if (number.n > 3 || !slice_to_u32(number, 255, &v))
			return false;
	}
	return scan_at_end(&s);
}

/* The last 32 bits may be written as a dotted quad, which counts for two groups. */
static bool ipv6_tail(struct slice text, unsigned groups, bool gap)
{
	if (!host_is_ipv4(text))
		return false;
	return gap ? groups <= 5 : groups == 6;
}

bool host_is_ipv6(struct slice text)
{
	struct scan s = scan_of(text);
	unsigned groups = 0;
	bool gap = false;

	if (text.n >= 2 && text.p[0] == ':' && text.p[1] == ':') {
		gap = true;
		s.p += 2;
	}
	while (!scan_at_end(&s)) {
		const char *start = s.p;
		struct slice group = scan_run(&s, CHARS_HEX);

		if (scan_at(&s, '.'))
			return ipv6_tail(slice_of(start, (size_t)(s.end - start)), groups, gap);
		if (group.n < 1 || group.n > 4 || ++groups > 8)
			return false;
		if (scan_at_end(&s))
			break;
		if (!scan_accept(&s, ':') || scan_at_end(&s))
			return false;
		if (scan_accept(&s, ':')) {
			if (gap)
				return false;
			gap = true;
		}
	}
	return gap ? groups < 8 : groups == 8;
}

const char *host_past_ipv6_reference(const char *p, const char *end)
{
	const char *close = p == end ? NULL : memchr(p, ']', (size_t)(end - p));

	if (!close || !host_is_ipv6(slice_of(p + 1, (size_t)(close - p - 1))))
		return NULL;
	return close + 1;
}
