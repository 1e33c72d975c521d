/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tests/bench/bench-lines.h"

static enum bench_line kind_of(struct slice line)
{
	switch (line.p[0]) {
	case 'V':
		return BENCH_LINE_VIA;
	case 'F':
		return BENCH_LINE_FROM;
	case 'T':
		return BENCH_LINE_TO;
	case 'C':
		if (line.p[1] == 'a')
			return BENCH_LINE_CALL_ID;
		if (line.p[1] == 'S')
			return BENCH_LINE_CSEQ;
		return line.p[3] == 't' && line.p[4] == 'a' ? BENCH_LINE_CONTACT : BENCH_LINE_OTHER;
	}
	return BENCH_LINE_OTHER;
}

void bench_lines_copy(struct buf *out, struct slice m, unsigned kinds)
{
	struct slice line;

	while (slice_cut(m, '\n', &line, &m) && line.n > 1) {
		enum bench_line kind = kind_of(line);

		if (!(kinds & kind))
			continue;
		if (kind == BENCH_LINE_TO && line.p[line.n - 2] == '>') {
			buf_put(out, slice_head(line, line.n - 1));
			buf_lit(out, ";tag=peer\r\n");
		} else {
			buf_put(out, slice_of(line.p, line.n + 1));
		}
	}
}
