/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
#include <stdbool.h>
#include <stddef.h>

struct buf;

/* Everything that is wrong with a configuration, in the order in which it was read. */
#define PROBLEM_MAX 500 /* kept; those beyond are counted */

enum problem_severity { PROBLEM_WARNING, PROBLEM_ERROR };

struct problem {
	enum problem_severity severity;
	char *file;    /* as the reader was told to name it */
	unsigned line; /* 0: the file as a whole */
	char *text;    /* one line of UTF-8 without control characters, never a secret */
};

/* Zeroed is empty and valid. */
struct problem_list {
	struct problem *v;
	size_t n;
	size_t n_errors;  /* of all, the dropped ones included */
	size_t n_dropped; /* came after PROBLEM_MAX */
};

struct problem_place {
	const char *file;
	unsigned line;
};

void problem_add(struct problem_list *l, enum problem_severity severity, struct problem_place at,
	const char *fmt, ...) __attribute__((format(printf, 4, 5)));
void problem_list_deinit(struct problem_list *l);

/* "error" or "warning", as D-Bus and the command line show it. */
const char *problem_severity_name(enum problem_severity severity);
void problem_append(struct buf *b, const struct problem *p);
void problem_list_append(struct buf *b, const struct problem_list *l);
