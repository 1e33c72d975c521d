/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
#include "protocol/base/buf.h"

/* Header lines as the core writes them, for a peer that costs as little as a peer can. */
enum bench_line {
	BENCH_LINE_VIA = 1 << 0,
	BENCH_LINE_FROM = 1 << 1,
	BENCH_LINE_TO = 1 << 2,
	BENCH_LINE_CALL_ID = 1 << 3,
	BENCH_LINE_CSEQ = 1 << 4,
	BENCH_LINE_CONTACT = 1 << 5,
	BENCH_LINE_OTHER = 1 << 6,
};
/* The lines of m that are of those kinds; a To without tag gets one. */
void bench_lines_copy(struct buf *out, struct slice m, unsigned kinds);
