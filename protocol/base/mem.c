/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "protocol/base/mem.h"

#include <string.h>

void *mem_alloc(size_t n)
{
	void *p = malloc(n ? n : 1);

	if (!p)
		abort();
	return p;
}

void *mem_zalloc(size_t n)
{
	void *p = calloc(1, n ? n : 1);

	if (!p)
		abort();
	return p;
}

void mem_zero(void *p, size_t n)
{
	memset(p, 0, n);
}

void *mem_realloc(void *old, size_t n)
{
	void *p = realloc(old, n ? n : 1);

	if (!p)
		abort();
	return p;
}

char *mem_strdup(const char *s)
{
	size_t n;
	char *c;

	if (!s)
		return NULL;
	n = strlen(s) + 1;
	c = mem_alloc(n);
	memcpy(c, s, n);
	return c;
}

void mem_wipe(void *p, size_t n)
{
	if (!p || !n)
		return;
	memset(p, 0, n);
	__asm__ volatile("" : : "r"(p) : "memory");
}
