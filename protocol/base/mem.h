/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
#include <stddef.h>
#include <stdlib.h>

/*
 * Allocation that aborts: everything that a peer or a client can make us allocate is bounded
 * beforehand (ua/limits.h), so a failed allocation means a machine out of memory, and hundreds of
 * branches that no test would ever enter disappear.
 */
void *mem_alloc(size_t n) __attribute__((returns_nonnull, warn_unused_result));
/* Zeroed. */
void *mem_zalloc(size_t n) __attribute__((returns_nonnull, warn_unused_result));
void *mem_realloc(void *p, size_t n) __attribute__((returns_nonnull, warn_unused_result));
/* For what is large: the library's loop is faster than what a compiler writes for a known size. */
void mem_zero(void *p, size_t n);
/* NULL in, NULL out. */
char *mem_strdup(const char *s) __attribute__((warn_unused_result));
/* Overwrites secrets; the compiler cannot drop it. */
void mem_wipe(void *p, size_t n);

#define mem_new(type) ((type *)mem_zalloc(sizeof(type)))

/* The object that embeds *ptr as its member. Through void *, because of clang's -Wcast-align. */
#define container_of(ptr, type, member) ((type *)(void *)((char *)(ptr)-offsetof(type, member)))

#define ARRAY_LEN(a) (sizeof(a) / sizeof((a)[0]))

/* Hands a pointer over: evaluates to *pp and leaves NULL behind. */
#define mem_take(pp)                          \
	({                                    \
		__typeof__(*(pp)) t_ = *(pp); \
		*(pp) = NULL;                 \
		t_;                           \
	})

static inline void mem_free_cleanup(void *pp)
{
	free(*(void **)pp);
}
/* char *s cleanup_free = ...; is freed when it goes out of scope. */
#define cleanup_free __attribute__((cleanup(mem_free_cleanup)))
