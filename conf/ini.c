/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "conf/ini.h"

#include <string.h>

#include "protocol/base/buf.h"
#include "protocol/base/mem.h"

#define TEXT_(x) #x
#define TEXT(x) TEXT_(x)

enum ini_place {
	INI_OUTSIDE, /* before the first section */
	INI_INSIDE,
	INI_LOST, /* behind a broken section line: its entries belong nowhere, one error is enough
		   */
};

struct ini_state {
	const struct ini_sink *sink;
	struct buf logical; /* the line put together so far */
	unsigned line;      /* where it begins; 0: nothing begun */
	struct buf section;
	enum ini_place place;
};

static void fail(struct ini_state *p, const char *text)
{
	p->sink->error(p->sink->ctx, p->line, text);
}

static void section_line(struct ini_state *p, struct slice s)
{
	struct slice name = slice_trim(slice_of(s.p + 1, s.n - 1));

	p->place = INI_LOST;
	if (!name.n || name.p[name.n - 1] != ']') {
		fail(p, "a section line ends in ']', as in [Profile]");
		return;
	}
	name = slice_trim(slice_head(name, name.n - 1));
	if (!name.n || slice_find(name, '[') < name.n || slice_find(name, ']') < name.n) {
		fail(p, "a section line has one name between brackets, as in [Profile]");
		return;
	}
	p->place = INI_INSIDE;
	buf_reset(&p->section);
	buf_put(&p->section, name);
	p->sink->section(p->sink->ctx, name, p->line);
}

static void entry_line(struct ini_state *p, struct slice s)
{
	struct ini_entry e = { .section = buf_slice(&p->section), .line = p->line };

	if (!slice_cut(s, '=', &e.key, &e.value)) {
		fail(p, "expected Key=value, [Section] or a comment that begins with # or ;");
		return;
	}
	e.key = slice_trim(e.key);
	e.value = slice_trim(e.value);
	if (!e.key.n) {
		fail(p, "no key before '='");
		return;
	}
	if (p->place == INI_OUTSIDE)
		fail(p, "this entry stands before the first [Section]");
	else if (p->place == INI_INSIDE)
		p->sink->entry(p->sink->ctx, &e);
}

static void logical_line(struct ini_state *p)
{
	struct slice s = slice_trim(buf_slice(&p->logical));

	if (p->logical.overflow)
		fail(p, "longer than " TEXT(INI_LINE_MAX) " bytes");
	else if (s.n && memchr(s.p, '\0', s.n))
		fail(p, "contains a NUL byte; this is no text file");
	else if (!slice_is_utf8(s))
		fail(p, "is not UTF-8 text");
	else if (s.n && s.p[0] == '[')
		section_line(p, s);
	else if (s.n)
		entry_line(p, s);
	buf_reset(&p->logical);
	p->line = 0;
}

/* An even number of backslashes at the end escapes itself. */
static bool is_continued(struct slice s)
{
	size_t n = 0;

	while (n < s.n && s.p[s.n - 1 - n] == '\\')
		n++;
	return n % 2 == 1;
}

static void physical_line(struct ini_state *p, struct slice s, unsigned line)
{
	if (s.n && s.p[s.n - 1] == '\r')
		s.n--;
	while (s.n && (s.p[0] == ' ' || s.p[0] == '\t'))
		s = slice_skip(s, 1);
	if (s.n && (s.p[0] == '#' || s.p[0] == ';'))
		return;
	if (!p->line)
		p->line = line;
	if (!is_continued(s)) {
		buf_put(&p->logical, s);
		logical_line(p);
		return;
	}
	buf_put(&p->logical, slice_head(s, s.n - 1));
	buf_putc(&p->logical, ' ');
}

/* Reads text and hands sections, entries and errors to sink. Never fails as a whole. */
void ini_parse(struct slice text, const struct ini_sink *sink)
{
	struct ini_state p = { .sink = sink, .logical.max = INI_LINE_MAX };
	unsigned line = 0;
	struct slice s;

	/* Reserved at once: a password that stands in the text leaves no copies behind growing. */
	(void)buf_reserve(&p.logical, INI_LINE_MAX);
	if (slice_starts(text, SLICE("\xef\xbb\xbf")))
		text = slice_skip(text, 3);
	while (text.n && line < INI_LINES_MAX) {
		if (!slice_cut(text, '\n', &s, &text)) {
			s = text;
			text = SLICE_NULL;
		}
		physical_line(&p, s, ++line);
	}
	if (p.line)
		logical_line(&p);
	if (text.n) {
		p.line = line + 1;
		fail(&p, "more than " TEXT(INI_LINES_MAX) " lines; the rest was not read");
	}
	buf_deinit(&p.section);
	mem_wipe(p.logical.p, p.logical.cap);
	buf_deinit(&p.logical);
}
