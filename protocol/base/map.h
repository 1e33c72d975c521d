/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
#include "protocol/base/slice.h"

/*
 * Intrusive hash table keyed by slices. The key belongs to the object that embeds the node and must
 * not change while it is linked. Keys compare byte by byte; callers fold case beforehand where a
 * comparison ignores it. Several nodes with one key may be linked; map_find gives the newest and
 * map_find_next the others. Set `seed` from the host's randomness before the first insertion.
 */
struct map_node {
	struct map_node *next;
	struct map_node **link; /* what points at us; NULL while unlinked */
	struct slice key;
	uint64_t hash;
};

struct map {
	struct map_node **buckets;
	size_t n_buckets, n;
	uint64_t seed;
};

void map_init(struct map *m, uint64_t seed);
/* The table grows and shrinks on insertion only: whoever walks it by hand may remove. */
void map_insert(struct map *m, struct map_node *node, struct slice key);
/* Frees the table, not the objects, which become unlinked. */
void map_deinit(struct map *m);
/* Does nothing to an unlinked node. */
void map_remove(struct map *m, struct map_node *node);
struct map_node *map_find(const struct map *m, struct slice key);
struct map_node *map_find_next(const struct map_node *node);
bool map_is_linked(const struct map_node *node);
/* Any node, NULL when empty: for tearing a table down one object at a time. */
struct map_node *map_any(const struct map *m);

/* Visits every node in no particular order; the body may not change the table. */
#define map_for_each(pos, m)                                          \
	for (size_t i_##pos = 0; i_##pos < (m)->n_buckets; i_##pos++) \
		for (struct map_node *pos = (m)->buckets[i_##pos]; pos; pos = pos->next)
