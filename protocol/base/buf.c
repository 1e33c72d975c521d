/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "protocol/base/buf.h"

#include <stdio.h>
#include <string.h>

#include "protocol/base/mem.h"

void buf_deinit(struct buf *b)
{
	free(b->p);
	*b = BUF_NULL;
}

void buf_reset(struct buf *b)
{
	b->n = 0;
	b->overflow = false;
}

struct slice buf_slice(const struct buf *b)
{
	return slice_of(b->p, b->n);
}

static bool grow(struct buf *b, size_t more)
{
	size_t want, cap;

	if (b->overflow || __builtin_add_overflow(b->n, more, &want) || (b->max && want > b->max)) {
		b->overflow = true;
		return false;
	}
	if (want <= b->cap)
		return true;
	cap = b->cap ? b->cap : 256;
	while (cap < want)
		cap += cap / 2 + 64;
	if (b->max && cap > b->max)
		cap = b->max;
	b->p = mem_realloc(b->p, cap);
	b->cap = cap;
	return true;
}

char *buf_reserve(struct buf *b, size_t n)
{
	return grow(b, n) ? b->p + b->n : NULL;
}

void buf_grow_and_put(struct buf *b, struct slice s)
{
	if (s.n == 0 || !grow(b, s.n))
		return;
	memcpy(b->p + b->n, s.p, s.n);
	b->n += s.n;
}

void buf_putc(struct buf *b, char c)
{
	if (grow(b, 1))
		b->p[b->n++] = c;
}

void buf_str(struct buf *b, const char *s)
{
	buf_put(b, slice_str(s));
}

void buf_u64(struct buf *b, uint64_t v)
{
	char digits[20];
	size_t i = sizeof(digits);

	do {
		digits[--i] = (char)('0' + v % 10);
		v /= 10;
	} while (v);
	buf_put(b, slice_of(digits + i, sizeof(digits) - i));
}

void buf_hex(struct buf *b, const void *bytes, size_t n)
{
	static const char hex[] = "0123456789abcdef";
	const unsigned char *u = bytes;

	if (!grow(b, 2 * n))
		return;
	for (size_t i = 0; i < n; i++) {
		b->p[b->n++] = hex[u[i] >> 4];
		b->p[b->n++] = hex[u[i] & 15];
	}
}

void buf_vprintf(struct buf *b, const char *fmt, va_list ap)
{
	va_list again;
	int n;

	va_copy(again, ap);
	n = vsnprintf(NULL, 0, fmt, ap);
	/* One more for the terminator that vsnprintf insists on. */
	if (n >= 0 && grow(b, (size_t)n + 1)) {
		(void)vsnprintf(b->p + b->n, (size_t)n + 1, fmt, again);
		b->n += (size_t)n;
	}
	va_end(again);
}

void buf_printf(struct buf *b, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	buf_vprintf(b, fmt, ap);
	va_end(ap);
}

void buf_consume(struct buf *b, size_t n)
{
	if (n < b->n)
		memmove(b->p, b->p + n, b->n - n);
	b->n -= n < b->n ? n : b->n;
}

char *buf_take(struct buf *b)
{
	char *s = slice_dup(buf_slice(b));

	buf_deinit(b);
	return s;
}
