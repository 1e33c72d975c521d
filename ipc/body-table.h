/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
#include "protocol/base/list.h"
#include "protocol/base/map.h"

/*
 * State that comes in pieces, put together again: rows of text, each with a key of its first cells.
 * What one document told is what it told of; documents are counted, so that what was not told again
 * can be found. Bounded, since a far end may send pieces for ever.
 */
enum {
	BODY_TABLE_ROWS_MAX = 8192,
	BODY_TABLE_BYTES_MAX = 4 << 20,
	BODY_TABLE_CELLS_MAX = 24, /* of a row */
};

struct body_row {
	struct map_node in_map;
	struct list node; /* in rows */
	size_t bytes;
	unsigned told; /* by which document last */
	/* Rows of another table that are its, where somebody gathers them when all are read. */
	struct list below, in_below;
	struct slice cells[];
};

struct body_table {
	struct map map;
	struct list rows; /* in the order in which they came first */
	size_t n_cells, n_keys, n, bytes;
	unsigned document; /* the one that is being read */
};

/* The first n_keys of n_cells say which row it is. */
void body_table_init(struct body_table *t, size_t n_cells, size_t n_keys, uint64_t seed);
void body_table_deinit(struct body_table *t);
/* Puts a row of copies in the place of the one with its key, or at the end. -ENOSPC. */
int body_table_put(struct body_table *t, const struct slice *cells, struct body_row **ret_row);
/* NULL: there is none. */
struct body_row *body_table_find(const struct body_table *t, const struct slice *keys);
/* Takes it out; the caller frees it. */
void body_table_unlink(struct body_table *t, struct body_row *row);
void body_table_remove(struct body_table *t, struct body_row *row);
static inline bool body_row_is_new(const struct body_table *t, const struct body_row *row)
{
	return row->told == t->document;
}
static inline struct body_row *body_row_of(struct list *node)
{
	return list_entry(node, struct body_row, node);
}

/*
 * The number of a document and what follows from it, by which RFC 4235 section 4.3, RFC 3680
 * section 5.2 and RFC 4662 section 5.6 agree but for one case: a full document with the number of
 * the last one.
 */
enum body_news {
	BODY_NEWS,       /* use it */
	BODY_NEWS_STALE, /* it is older than what is known: nothing changed */
	BODY_NEWS_GAP,   /* use it, and ask for full state, since something was lost */
};
enum body_extent { BODY_PARTIAL, BODY_FULL };

struct body_version {
	bool known, complete; /* complete: nothing is missing since the last full state */
	uint32_t number;
};

enum body_news body_version_take(struct body_version *v, uint32_t number, enum body_extent extent);
