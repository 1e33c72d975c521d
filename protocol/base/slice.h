/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/*
 * A counted string that borrows its bytes. Bytes may hold anything, NUL too. An empty slice may
 * have p == NULL. Passed by value: it is two registers.
 */
struct slice {
	const char *p;
	size_t n;
};

/* A slice of a string literal, usable as a constant expression in tables. */
#define SLICE_INIT(lit)                          \
	{                                        \
		.p = (lit), .n = sizeof(lit) - 1 \
	}
#define SLICE(lit) ((struct slice)SLICE_INIT(lit))
#define SLICE_NULL ((struct slice){ .p = NULL, .n = 0 })
/* For "%.*s" */
#define SLICE_ARGS(s) (int)(s).n, (s).p ? (s).p : ""

/* The few that every line of parsing and writing calls are inline: a call costs more than they do.
 */
static inline struct slice slice_of(const char *p, size_t n)
{
	return (struct slice){ .p = p, .n = n };
}

static inline struct slice slice_str(const char *nul_terminated)
{
	return slice_of(nul_terminated, nul_terminated ? strlen(nul_terminated) : 0);
}

static inline bool slice_eq(struct slice a, struct slice b)
{
	return a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0);
}

/* n bytes each; slice_eq_ci() is what to call. */
bool slice_same_letters(const char *a, const char *b, size_t n);

static inline bool slice_eq_ci(struct slice a, struct slice b)
{
	return a.n == b.n && slice_same_letters(a.p, b.p, a.n);
}

int slice_cmp(struct slice a, struct slice b);
bool slice_starts(struct slice s, struct slice prefix);
bool slice_starts_ci(struct slice s, struct slice prefix);
/* 64-bit hash; with fold_case equal-ignoring-ASCII-case slices hash alike. seed keeps peers from
 * choosing collisions. */
uint64_t slice_hash(struct slice s, uint64_t seed);
uint64_t slice_hash_ci(struct slice s, uint64_t seed);

/* Without leading and trailing SP, HTAB, CR and LF. */
struct slice slice_trim(struct slice s);
static inline struct slice slice_skip(struct slice s, size_t n)
{
	if (n >= s.n)
		return slice_of(s.p ? s.p + s.n : NULL, 0);
	return slice_of(s.p + n, s.n - n);
}

static inline struct slice slice_head(struct slice s, size_t n)
{
	return slice_of(s.p, n < s.n ? n : s.n);
}

/*
 * Cuts s at the first c: *ret_head gets what stands before it, *ret_tail what follows. Returns
 * false and leaves both untouched when there is no c. ret_head or ret_tail may alias the input.
 */
bool slice_cut(struct slice s, char c, struct slice *ret_head, struct slice *ret_tail);
/* Index of the first c, or s.n. */
static inline size_t slice_find(struct slice s, char c)
{
	const char *q = s.n ? (const char *)memchr(s.p, c, s.n) : NULL;

	return q ? (size_t)(q - s.p) : s.n;
}

/* Decimal digits only, no sign, no blanks; false on anything else and on a value over max. */
bool slice_to_u32(struct slice s, uint32_t max, uint32_t *ret);
bool slice_to_u64(struct slice s, uint64_t max, uint64_t *ret);

/* A NUL-terminated copy owned by the caller (free()). A NUL inside stays inside. */
char *slice_dup(struct slice s);
/* Valid UTF-8 without NUL (RFC 3629: no overlong forms, no surrogates, at most U+10FFFF). */
bool slice_is_utf8(struct slice s);
