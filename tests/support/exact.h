/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "protocol/base/slice.h"

/* Inputs in heap blocks of exactly their size, so that a sanitizer sees a read of one byte more. */

/* ck_assert() writes to a file each time it holds; this one is for conditions tried millions of
 * times. */
#define HOLDS(condition)                                \
	do {                                            \
		if (!(condition))                       \
			ck_abort_msg("%s", #condition); \
	} while (0)

static inline struct slice exact_copy(struct slice s)
{
	char *p = malloc(s.n ? s.n : 1);

	HOLDS(p != NULL);
	if (s.n)
		memcpy(p, s.p, s.n);
	/* An empty one borrows the end of its block. */
	return slice_of(s.n ? p : p + 1, s.n);
}

static inline struct slice exact_str(const char *text)
{
	return exact_copy(slice_str(text));
}

static inline void exact_free(struct slice s)
{
	free((char *)(uintptr_t)s.p - (s.n ? 0 : 1));
}

/* The file in a block of its size; the test fails if it cannot be read. */
static inline struct slice exact_file(const char *folder, const char *name)
{
	char path[1024];
	static char bytes[1 << 20];
	FILE *f;
	size_t n;

	ck_assert(snprintf(path, sizeof(path), "%s/%s", folder, name) < (int)sizeof(path));
	f = fopen(path, "rb");
	ck_assert_msg(f != NULL, "%s", path);
	n = fread(bytes, 1, sizeof(bytes), f);
	ck_assert(n < sizeof(bytes));
	(void)fclose(f);
	return exact_copy(slice_of(bytes, n));
}

/* Slices as the assertion that shows both. */
static inline void exact_assert(struct slice got, const char *want, const char *file, int line)
{
	if (!slice_eq(got, slice_str(want)))
		ck_abort_msg("%s:%d: got \"%.*s\", want \"%s\"", file, line, SLICE_ARGS(got), want);
}
#define assert_slice(got, want) exact_assert((got), (want), __FILE__, __LINE__)
