/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
#include "protocol/base/slice.h"

/*
 * The INI form that systemd reads, as a pure function over bytes:
 *
 *   [Section]            may repeat; what that means is the reader's business
 *   Key=value            blanks around both are dropped; the value may be empty
 *   # or ;               a comment when it is the first thing on a line, also between continued
 * lines trailing backslash   goes on in the next line that is no comment; it becomes one space
 *
 * Lines end in LF or CR LF, and a byte order mark in front is skipped. Everything else has to be
 * UTF-8 without NUL.
 */
#define INI_LINE_MAX 8192   /* bytes of one line with those that continue it */
#define INI_LINES_MAX 20000 /* lines of one file */

struct ini_entry {
	struct slice section, key, value; /* valid during the call only */
	unsigned line;                    /* from 1; where the entry begins */
};

/* Called in the order of the text. All three functions are needed. */
struct ini_sink {
	void (*section)(void *ctx, struct slice name, unsigned line);
	void (*entry)(void *ctx, const struct ini_entry *entry);
	/* text is constant; reading goes on behind the faulty line, so that one run tells
	 * everything. */
	void (*error)(void *ctx, unsigned line, const char *text);
	void *ctx;
};

void ini_parse(struct slice text, const struct ini_sink *sink);
