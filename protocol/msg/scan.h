/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
#include "protocol/base/slice.h"
#include "protocol/msg/chars.h"

/* A cursor over borrowed bytes. Every reader either moves it past what it took or leaves it. */
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

static inline void scan_lws(struct scan *s)
{
	while (s->p != s->end && chars_is(*s->p, CHARS_LWS))
		s->p++;
}

/* Everything from the cursor on that is in mask; may be empty. */
static inline struct slice scan_run(struct scan *s, uint32_t mask)
{
	const char *start = s->p;

	while (s->p != s->end && chars_is(*s->p, mask))
		s->p++;
	return slice_of(start, (size_t)(s->p - start));
}

static inline struct slice scan_since(const struct scan *s, const char *start)
{
	return slice_of(start, (size_t)(s->p - start));
}

static inline struct slice scan_rest(const struct scan *s)
{
	return slice_of(s->p, (size_t)(s->end - s->p));
}

/* ( LWS ) c ( LWS ): COMMA, SLASH and their like. Leaves the cursor if c is not there. */
bool scan_separator(struct scan *s, char c);
/* A quoted-string with its quotes (RFC 3261 section 25.1); false if it is malformed or unclosed. */
bool scan_quoted(struct scan *s, struct slice *ret);
/* Like scan_run(), where "%" HEX HEX counts too; stops in front of a malformed escape. */
struct slice scan_escaped(struct scan *s, uint32_t mask);
/* All of text is in mask or well-formed escapes; text may be empty. */
bool scan_all_escaped(struct slice text, uint32_t mask);
/* All of text is in mask, and there is some. */
bool scan_all(struct slice text, uint32_t mask);
