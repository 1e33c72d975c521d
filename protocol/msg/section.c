/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "protocol/msg/section.h"

#include <string.h>

#include "protocol/msg/scan.h"

/* The end of the line that starts at p, without its CR LF or LF; *ret_next is behind it. */
static const char *line_end(const char *p, const char *end, const char **ret_next)
{
	const char *lf = p == end ? NULL : memchr(p, '\n', (size_t)(end - p));

	if (!lf)
		return NULL;
	*ret_next = lf + 1;
	return lf > p && lf[-1] == '\r' ? lf - 1 : lf;
}

bool section_first_line(struct scan *s, struct slice *ret)
{
	const char *next, *end = line_end(s->p, s->end, &next);

	if (!end)
		return false;
	*ret = slice_of(s->p, (size_t)(end - s->p));
	s->p = next;
	return true;
}

static bool is_continuation(const char *p, const char *end)
{
	return p != end && (*p == ' ' || *p == '\t');
}

bool section_next_line(struct scan *s, struct section_line *ret)
{
	const char *next, *start = s->p, *end = line_end(start, s->end, &next);
	struct section_line line = { .folded = false };

	if (!end)
		return false;
	line.stray_cr = end > start && memchr(start, '\r', (size_t)(end - start));
	/* An empty line ends the section, whatever follows it. */
	while (end > start && is_continuation(next, s->end)) {
		const char *more = next;

		end = line_end(more, s->end, &next);
		if (!end)
			return false;
		line.stray_cr |= end > more && memchr(more, '\r', (size_t)(end - more));
		line.folded = true;
	}
	line.text = slice_of(start, (size_t)(end - start));
	*ret = line;
	s->p = next;
	return true;
}

bool section_split(struct slice line, struct hdr *ret)
{
	struct hdr h;

	if (!slice_cut(line, ':', &h.name, &h.value))
		return false;
	while (h.name.n && (h.name.p[h.name.n - 1] == ' ' || h.name.p[h.name.n - 1] == '\t'))
		h.name.n--;
	h.id = hdr_find(h.name);
	/* What the table knows is a token. */
	if (h.id == HDR_OTHER && !scan_all(h.name, CHARS_TOKEN))
		return false;
	h.value = slice_trim(h.value);
	*ret = h;
	return true;
}
