/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
#include "protocol/base/slice.h"
#include "protocol/msg/chars.h"

/*
 * A cursor over borrowed bytes. Every reader either moves it past what it took or leaves it. All is
 * inline or takes plain pointers, so that the cursor of a caller can live in registers.
 */
struct scan {
	const char *p, *end;
};

static inline struct scan scan_of(struct slice s)
{
	return (struct scan){ .p = s.p, .end = s.p ? s.p + s.n : s.p };
}

static inline bool scan_at_end(const struct scan *s)
{
	return s->p == s->end;
}

static inline bool scan_at(const struct scan *s, char c)
{
	return s->p != s->end && *s->p == c;
}

static inline bool scan_accept(struct scan *s, char c)
{
	if (!scan_at(s, c))
		return false;
	s->p++;
	return true;
}

static inline struct slice scan_since(const struct scan *s, const char *start)
{
	return slice_of(start, (size_t)(s->p - start));
}

static inline void scan_lws(struct scan *s)
{
	while (s->p != s->end && chars_is(*s->p, CHARS_LWS))
		s->p++;
}

/* Everything from the cursor on that is in mask; may be empty. */
static inline struct slice scan_run(struct scan *s, uint32_t mask)
{
	const char *start = s->p;

	s->p = chars_past(start, s->end, mask);
	return scan_since(s, start);
}

static inline struct slice scan_rest(const struct scan *s)
{
	return slice_of(s->p, (size_t)(s->end - s->p));
}

/* ( LWS ) c ( LWS ): COMMA, SLASH and their like. Leaves the cursor if c is not there. */
static inline bool scan_separator(struct scan *s, char c)
{
	struct scan t = *s;

	scan_lws(&t);
	if (!scan_accept(&t, c))
		return false;
	scan_lws(&t);
	*s = t;
	return true;
}

/* Behind an element of a list: true at the end, and behind a comma that one more follows. */
static inline bool scan_element_end(struct scan *s)
{
	scan_lws(s);
	return scan_at_end(s) || (scan_separator(s, ',') && !scan_at_end(s));
}

/* Behind the quoted-string that starts at p; NULL if it is malformed or unclosed. */
const char *scan_past_quoted(const char *p, const char *end);

/* A quoted-string with its quotes (RFC 3261 section 25.1); false if it is malformed or unclosed. */
static inline bool scan_quoted(struct scan *s, struct slice *ret)
{
	const char *close = scan_at(s, '"') ? scan_past_quoted(s->p, s->end) : NULL;

	if (!close)
		return false;
	*ret = slice_of(s->p, (size_t)(close - s->p));
	s->p = close;
	return true;
}

/* Like chars_past() from an escape on, where "%" HEX HEX counts too. */
const char *scan_past_escapes(const char *p, const char *end, uint32_t mask);

/* Like scan_run(), where "%" HEX HEX counts too; stops in front of a malformed escape. */
static inline struct slice scan_escaped(struct scan *s, uint32_t mask)
{
	const char *start = s->p;

	s->p = chars_past(start, s->end, mask);
	if (scan_at(s, '%'))
		s->p = scan_past_escapes(s->p, s->end, mask);
	return scan_since(s, start);
}

/* All of text is in mask, and there is some. */
static inline bool scan_all(struct slice text, uint32_t mask)
{
	return text.n > 0 && chars_past(text.p, text.p + text.n, mask) == text.p + text.n;
}
