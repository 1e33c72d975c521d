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

/* Lines that begin with a blank go on with the line in *ret, which ends in front of next. */
static bool join_folds(struct scan *s, const char *next, struct section_line *ret)
{
	const char *end = NULL;

	do {
		const char *more = next;

		end = line_end(more, s->end, &next);
		if (!end)
			return false;
		ret->stray_cr |= has_cr(more, end);
	} while (is_continuation(next, s->end));
	ret->text.n = (size_t)(end - ret->text.p);
	ret->folded = true;
	s->p = next;
	return true;
}

static inline bool next_line(struct scan *s, struct section_line *ret)
{
	const char *start = s->p;
	const char *lf = start == s->end ? NULL : memchr(start, '\n', (size_t)(s->end - start));
	const char *end = lf, *cr;

	if (!lf)
		return false;
	cr = memchr(start, '\r', (size_t)(lf - start));
	if (cr && lf[-1] == '\r')
		end--;
	ret->text = slice_of(start, (size_t)(end - start));
	ret->folded = false;
	ret->stray_cr = cr && cr != end;
	/* An empty line ends the section, whatever follows it. */
	if (end > start && is_continuation(lf + 1, s->end))
		return join_folds(s, lf + 1, ret);
	s->p = lf + 1;
	return true;
}

/* By their capital, the headers that most messages carry, the most frequent first. */
enum { LIKELY_MAX = 6 };

static const uint8_t likely[26][LIKELY_MAX] = {
	['A' - 'A'] = { HDR_ALLOW, HDR_AUTHORIZATION, HDR_ALLOW_EVENTS, HDR_ACCEPT },
	['C' - 'A'] = { HDR_CALL_ID, HDR_CSEQ, HDR_CONTACT, HDR_CONTENT_LENGTH, HDR_CONTENT_TYPE },
	['E' - 'A'] = { HDR_EXPIRES, HDR_EVENT },
	['F' - 'A'] = { HDR_FROM },
	['M' - 'A'] = { HDR_MAX_FORWARDS, HDR_MIN_SE },
	['P' - 'A'] = { HDR_P_ASSERTED_IDENTITY, HDR_PROXY_AUTHORIZATION, HDR_PATH },
	['R' - 'A'] = { HDR_RECORD_ROUTE, HDR_ROUTE, HDR_REQUIRE },
	['S' - 'A'] = { HDR_SUPPORTED, HDR_SERVER, HDR_SESSION_EXPIRES, HDR_SUBSCRIPTION_STATE },
	['T' - 'A'] = { HDR_TO },
	['U' - 'A'] = { HDR_USER_AGENT },
	['V' - 'A'] = { HDR_VIA },
	['W' - 'A'] = { HDR_WWW_AUTHENTICATE },
};

/*
 * For a line that begins with a full name as everyone writes it and the colon right behind: its id,
 * without a search for the colon. HDR_OTHER says no more than that hdr_find() has to look.
 */
static inline enum hdr_id guess(struct slice line)
{
	unsigned char letter = line.n ? (unsigned char)(line.p[0] - 'A') : UINT8_MAX;

	if (letter > 'Z' - 'A')
		return HDR_OTHER;
	/* The last of a row is always HDR_OTHER. */
	for (const uint8_t *id = likely[letter]; *id != HDR_OTHER; id++) {
		struct slice name = hdr_names[*id];

		if (name.n < line.n && line.p[name.n] == ':' && memcmp(name.p, line.p, name.n) == 0)
			return *id;
	}
	return HDR_OTHER;
}

/* The blanks of what stands between the colon and the end of the line, folds among them. */
static inline bool is_blank(char c)
{
	if ((unsigned char)c > ' ')
		return false;
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* The name is the first name_n bytes, the value is what lies between colon and end, trimmed. */
static inline void fill(struct slice line, size_t name_n, size_t colon, struct hdr *ret)
{
	const char *end = line.p + line.n, *value = line.p + colon + 1;

	while (value < end && is_blank(*value))
		value++;
	while (end > value && is_blank(end[-1]))
		end--;
	ret->name = slice_of(line.p, name_n);
	ret->value = slice_of(value, (size_t)(end - value));
}

/* For a name that was not guessed. */
static bool search(struct slice line, struct hdr *ret)
{
	size_t colon = slice_find(line, ':');
	struct slice name = slice_head(line, colon);

	if (colon == line.n)
		return false;
	while (name.n && (name.p[name.n - 1] == ' ' || name.p[name.n - 1] == '\t'))
		name.n--;
	ret->id = hdr_find(name);
	/* What the table knows is a token. */
	if (ret->id == HDR_OTHER && !scan_all(name, CHARS_TOKEN))
		return false;
	fill(line, name.n, colon, ret);
	return true;
}

static inline bool split(struct slice line, struct hdr *ret)
{
	enum hdr_id id = guess(line);

	if (id == HDR_OTHER)
		return search(line, ret);
	ret->id = id;
	fill(line, hdr_names[id].n, hdr_names[id].n, ret);
	return true;
}

bool section_next_line(struct scan *s, struct section_line *ret)
{
	return next_line(s, ret);
}

bool section_split(struct slice line, struct hdr *ret)
{
	return split(line, ret);
}

enum section_kind section_next(struct scan *s, struct section_line *ret, struct hdr *ret_hdr)
{
	if (!next_line(s, ret))
		return SECTION_CUT_OFF;
	if (ret->text.n == 0)
		return SECTION_END;
	return split(ret->text, ret_hdr) ? SECTION_HEADER : SECTION_MALFORMED;
}
