/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ipc/bus-path.h"

#include "protocol/base/buf.h"

static bool is_plain(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       c == '_';
}

static int hex_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* s begins with an underscore: would it be taken for an escape, or for the empty id? */
static bool is_escape(struct slice s)
{
	return s.n >= 3 && hex_value(s.p[1]) >= 0 && hex_value(s.p[2]) >= 0;
}

void bus_path_append(struct buf *b, struct slice id)
{
	if (id.n == 0) {
		buf_putc(b, '_');
		return;
	}
	if (slice_eq(id, SLICE("_"))) {
		buf_lit(b, "_5f");
		return;
	}
	for (; id.n; id = slice_skip(id, 1)) {
		if (is_plain(id.p[0]) && !(id.p[0] == '_' && is_escape(id))) {
			buf_putc(b, id.p[0]);
		} else {
			buf_putc(b, '_');
			buf_hex(b, id.p, 1);
		}
	}
}

bool bus_path_decode(struct buf *b, struct slice element)
{
	struct buf again = BUF_NULL;
	struct slice rest = slice_eq(element, SLICE("_")) ? SLICE_NULL : element;
	size_t start = b->n;
	bool same;

	while (rest.n) {
		bool escape = rest.p[0] == '_' && is_escape(rest);

		buf_putc(b, escape ? (char)(unsigned char)(hex_value(rest.p[1]) * 16 +
							   hex_value(rest.p[2]))
				   : rest.p[0]);
		rest = slice_skip(rest, escape ? 3 : 1);
	}
	/* Only what the other direction makes counts, so that an object has one path. */
	bus_path_append(&again, slice_skip(buf_slice(b), start));
	same = slice_eq(buf_slice(&again), element);
	buf_deinit(&again);
	if (!same)
		b->n = start;
	return same;
}
