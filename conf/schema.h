/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
#include "conf/problem.h"
#include "protocol/base/slice.h"

struct buf;

/*
 * A configuration file as const tables: one row says where a key stands, how its text becomes a
 * value, what it is without any text, and what it means. The same rows read files, print the
 * defaults and are held against the manual page.
 */
#define SCHEMA_SECTIONS_MAX 16 /* sections of one kind in one file, such as [Listen] */
#define SCHEMA_ROWS_MAX 8      /* sections of one schema */
#define SCHEMA_LIST_MAX 64     /* words of one list */

/* The column that says what this version does with a key. Lifting a limit is deleting a word. */
enum schema_support {
	SCHEMA_NOW,
	SCHEMA_LATER,      /* error unless the value is the default */
	SCHEMA_LATER_HINT, /* warning: working without it is harmless */
};

/* What a word of an enumeration or of a mask stands for; a NULL name ends the array. */
struct schema_word {
	const char *name;
	unsigned value;
	enum schema_support support;
};

struct schema_key;

/* Positive results of schema_type.parse. */
enum { SCHEMA_PARTLY = 1 }; /* some words are for a later version, and it works without them */

struct schema_type {
	/*
	 * Turns value, never empty, into *field. On -EINVAL, *want gets what would be right; on
	 * -EOPNOTSUPP and SCHEMA_PARTLY the words that are for later; the field is set then.
	 */
	int (*parse)(
		const struct schema_key *key, struct slice value, void *base, struct buf *want);
	/* Frees what the field owns and empties it. NULL: a plain number. */
	void (*clear)(const struct schema_key *key, void *base);
	/* NULL: plain numbers, of which size bytes are compared. */
	bool (*equal)(const struct schema_key *key, const void *a, const void *b);
	size_t size;                                 /* of a plain number; 0 for what is owned */
	enum { SCHEMA_REPLACES, SCHEMA_ADDS } again; /* lists grow with every line, as in systemd */
	enum { SCHEMA_SHOWN, SCHEMA_SECRET } show;
	const char *syntax;
};

struct schema_key {
	const char *name;
	const struct schema_type *type;
	size_t offset, n_offset; /* in the section's struct; n_offset: a list's size_t */
	const char *preset;      /* the text that counts without one; NULL: nothing */
	uint64_t min, max;       /* numbers; durations in microseconds */
	const struct schema_word *words;
	enum schema_support support;
	const char *doc;
};

struct schema_section {
	const char *name; /* several rows may share it, to fill several structs */
	const struct schema_key *keys;
	size_t n_keys;
	/* The struct that the offsets count from; called once for each [section] if it repeats. */
	void *(*base)(void *root);
	enum { SCHEMA_ONCE, SCHEMA_REPEATS } repeats;
};

struct schema {
	const struct schema_section *sections;
	size_t n_sections;
};

struct schema_seen;

/* Set the first four; zero the rest. */
struct schema_reader {
	const struct schema *schema;
	void *root;
	const char *file; /* its name in problems */
	struct problem_list *problems;

	void *base[SCHEMA_ROWS_MAX]; /* of each row of the schema */
	unsigned count[SCHEMA_ROWS_MAX];
	struct schema_seen *seen;
	size_t n_seen;
};

/* A key of the index-th [section] of its kind, from 0; key NULL: the section line itself. */
struct schema_spot {
	const char *section, *key;
	unsigned index;
};

void schema_read(struct schema_reader *r, struct slice text);
unsigned schema_line(const struct schema_reader *r, struct schema_spot spot);
void schema_problem(struct schema_reader *r, enum problem_severity severity, unsigned line,
	const char *fmt, ...) __attribute__((format(printf, 4, 5)));
void schema_reader_deinit(struct schema_reader *r);
void schema_preset(const struct schema_section *section, void *base);
void schema_clear(const struct schema_section *section, void *base);
bool schema_equal(const struct schema_section *section, const void *a, const void *b);
void schema_dump(struct buf *b, const struct schema *schema);
