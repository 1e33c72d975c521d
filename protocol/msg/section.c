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

static bool has_cr(const char *p, const char *end)
{
	return end > p && memchr(p, '\r', (size_t)(end - p));
}

bool section_next_line(struct scan *s, struct section_line *ret)
{
	const char *next, *start = s->p, *end = line_end(start, s->end, &next);
	bool folded = false, stray_cr;

	if (!end)
		return false;
	stray_cr = has_cr(start, end);
	/* An empty line ends the section, whatever follows it. */
	while (end > start && is_continuation(next, s->end)) {
		const char *more = next;

		end = line_end(more, s->end, &next);
		if (!end)
			return false;
		stray_cr |= has_cr(more, end);
		folded = true;
	}
	ret->text = slice_of(start, (size_t)(end - start));
	ret->folded = folded;
	ret->stray_cr = stray_cr;
	s->p = next;
	return true;
}

/* The blanks of what stands between the colon and the end of the line, folds among them. */
static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

bool section_split(struct slice line, struct hdr *ret)
{
	const char *end = line.p + line.n;
	const char *colon = line.n ? memchr(line.p, ':', line.n) : NULL;
	const char *name_end = colon, *value;
	struct slice name;
	enum hdr_id id;

	if (!colon)
		return false;
	while (name_end > line.p && (name_end[-1] == ' ' || name_end[-1] == '\t'))
		name_end--;
	name = slice_of(line.p, (size_t)(name_end - line.p));
	id = hdr_find(name);
	/* What the table knows is a token. */
	if (id == HDR_OTHER && !scan_all(name, CHARS_TOKEN))
		return false;
	value = colon + 1;
	while (value < end && is_blank(*value))
		value++;
	while (end > value && is_blank(end[-1]))
		end--;
	ret->id = id;
	ret->name = name;
	ret->value = slice_of(value, (size_t)(end - value));
	return true;
}
