/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
#include <stdarg.h>
#include <stdbool.h>

#include "protocol/base/slice.h"

/*
 * A growing output buffer. Zeroed is empty and valid. With a max set (before anything else), an
 * append that would pass it is dropped and the buffer remembers: `overflow` is sticky, so a writer
 * checks once, at the end.
 */
struct buf {
	char *p;
	size_t n, cap;
	size_t max; /* 0: no ceiling */
	bool overflow;
};

#define BUF_NULL ((struct buf){ 0 })

void buf_deinit(struct buf *b);
/* Empty again, storage kept, overflow forgotten. */
void buf_reset(struct buf *b);
struct slice buf_slice(const struct buf *b);

/* The part of buf_put() that makes room first. */
void buf_grow_and_put(struct buf *b, struct slice s);
static inline void buf_put(struct buf *b, struct slice s)
{
	if (!b->p || b->overflow || s.n > b->cap - b->n) {
		buf_grow_and_put(b, s);
	} else if (s.n) {
		memcpy(b->p + b->n, s.p, s.n);
		b->n += s.n;
	}
}
void buf_putc(struct buf *b, char c);
/* For literals: buf_lit(b, "SIP/2.0 ") */
#define buf_lit(b, lit) buf_put((b), SLICE(lit))
void buf_str(struct buf *b, const char *nul_terminated);
void buf_u64(struct buf *b, uint64_t v);
void buf_hex(struct buf *b, const void *bytes, size_t n);
void buf_printf(struct buf *b, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void buf_vprintf(struct buf *b, const char *fmt, va_list ap) __attribute__((format(printf, 2, 0)));
/* Makes room for n more bytes and returns where they go; the caller adds to b->n what it wrote. */
char *buf_reserve(struct buf *b, size_t n);
/* Removes n bytes from the front (n <= b->n). */
void buf_consume(struct buf *b, size_t n);

/* Takes the content out as a NUL-terminated string that the caller frees; the buffer is empty then.
 */
char *buf_take(struct buf *b);

#define cleanup_buf __attribute__((cleanup(buf_deinit)))
