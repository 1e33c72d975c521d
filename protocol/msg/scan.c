/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "protocol/msg/scan.h"

bool scan_separator(struct scan *s, char c)
{
	struct scan t = *s;

	scan_lws(&t);
	if (!scan_accept(&t, c))
		return false;
	scan_lws(&t);
	*s = t;
	return true;
}

/* quoted-pair: any ASCII but CR and LF may follow the backslash, NUL too (RFC 4475 3.1.1.2). */
static bool quoted_pair(struct scan *s)
{
	if (s->end - s->p < 2 || s->p[0] != '\\')
		return false;
	if (s->p[1] == '\r' || s->p[1] == '\n' || (unsigned char)s->p[1] > 0x7f)
		return false;
	s->p += 2;
	return true;
}

bool scan_quoted(struct scan *s, struct slice *ret)
{
	struct scan t = *s;

	if (!scan_accept(&t, '"'))
		return false;
	do
		(void)scan_run(&t, CHARS_QUOTED);
	while (quoted_pair(&t));
	if (!scan_accept(&t, '"'))
		return false;
	*ret = scan_since(&t, s->p);
	*s = t;
	return true;
}

struct slice scan_escaped(struct scan *s, uint32_t mask)
{
	const char *start = s->p;

	for (;;) {
		(void)scan_run(s, mask);
		if (s->end - s->p < 3 || s->p[0] != '%' || !chars_is(s->p[1], CHARS_HEX) ||
			!chars_is(s->p[2], CHARS_HEX))
			return scan_since(s, start);
		s->p += 3;
	}
}

bool scan_all_escaped(struct slice text, uint32_t mask)
{
	struct scan s = scan_of(text);

	(void)scan_escaped(&s, mask);
	return scan_at_end(&s);
}

bool scan_all(struct slice text, uint32_t mask)
{
	struct scan s = scan_of(text);

	(void)scan_run(&s, mask);
	return text.n > 0 && scan_at_end(&s);
}
