/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "conf/problem.h"

#include <stdarg.h>

#include "protocol/base/buf.h"
#include "protocol/base/mem.h"

/* What a file holds must not reach a terminal as a control sequence. */
static void make_printable(char *s)
{
	for (; *s; s++) {
		if ((unsigned char)s[0] < 0x20 || s[0] == 0x7f)
			s[0] = '?';
		/* U+0080 to U+009F are controls as well. */
		if ((unsigned char)s[0] == 0xc2 && (unsigned char)s[1] < 0xa0)
			s[0] = s[1] = '?';
	}
}

/*
 * Appends a problem; at.line 0 speaks of the file as a whole. The text says what is wrong and what
 * would be right. Control characters in it become '?'.
 */
void problem_add(struct problem_list *l, enum problem_severity severity, struct problem_place at,
	const char *fmt, ...)
{
	struct buf b = BUF_NULL;
	struct problem *p;
	va_list ap;

	if (severity == PROBLEM_ERROR)
		l->n_errors++;
	if (l->n == PROBLEM_MAX) {
		l->n_dropped++;
		return;
	}
	va_start(ap, fmt);
	buf_vprintf(&b, fmt, ap);
	va_end(ap);
	l->v = mem_realloc(l->v, (l->n + 1) * sizeof(*l->v));
	p = &l->v[l->n++];
	*p = (struct problem){ .severity = severity,
		.file = mem_strdup(at.file),
		.line = at.line,
		.text = buf_take(&b) };
	make_printable(p->text);
}

/* Empty again. */
void problem_list_deinit(struct problem_list *l)
{
	for (size_t i = 0; i < l->n; i++) {
		free(l->v[i].file);
		free(l->v[i].text);
	}
	free(l->v);
	*l = (struct problem_list){ 0 };
}

const char *problem_severity_name(enum problem_severity severity)
{
	switch (severity) {
	case PROBLEM_WARNING:
		return "warning";
	case PROBLEM_ERROR:
		return "error";
	}
	return "error";
}

/* FILE:LINE: error: text and a newline; without the line where the whole file is meant. */
void problem_append(struct buf *b, const struct problem *p)
{
	buf_str(b, p->file);
	if (p->line)
		buf_printf(b, ":%u", p->line);
	buf_printf(b, ": %s: %s\n", problem_severity_name(p->severity), p->text);
}

/* All of them, and how many more there were. */
void problem_list_append(struct buf *b, const struct problem_list *l)
{
	for (size_t i = 0; i < l->n; i++)
		problem_append(b, &l->v[i]);
	if (l->n_dropped)
		buf_printf(b, "(%zu more)\n", l->n_dropped);
}
