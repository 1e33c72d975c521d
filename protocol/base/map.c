/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "protocol/base/map.h"

#include "protocol/base/mem.h"

enum { MAP_FIRST_SIZE = 16 };

void map_init(struct map *m, uint64_t seed)
{
	*m = (struct map){ .seed = seed };
}

void map_deinit(struct map *m)
{
	for (size_t i = 0; i < m->n_buckets; i++)
		while (m->buckets[i])
			map_remove(m, m->buckets[i]);
	free(m->buckets);
	*m = (struct map){ .seed = m->seed };
}

static void link_node(struct map *m, struct map_node *node)
{
	struct map_node **head = &m->buckets[node->hash & (m->n_buckets - 1)];

	node->next = *head;
	if (node->next)
		node->next->link = &node->next;
	node->link = head;
	*head = node;
}

static void resize(struct map *m, size_t n_buckets)
{
	size_t old_n = m->n_buckets;
	struct map_node **old = m->buckets;

	m->n_buckets = n_buckets;
	m->buckets = mem_zalloc(m->n_buckets * sizeof(*m->buckets));
	for (size_t i = 0; i < old_n; i++) {
		/* Back to front, so that nodes with one key keep their order. */
		struct map_node *reversed = NULL;

		for (struct map_node *node = old[i], *next; node; node = next) {
			next = node->next;
			node->next = reversed;
			reversed = node;
		}
		for (struct map_node *node = reversed, *next; node; node = next) {
			next = node->next;
			link_node(m, node);
		}
	}
	free(old);
}

void map_insert(struct map *m, struct map_node *node, struct slice key)
{
	if (m->n >= m->n_buckets)
		resize(m, m->n_buckets ? 2 * m->n_buckets : MAP_FIRST_SIZE);
	else if (m->n_buckets > MAP_FIRST_SIZE && m->n < m->n_buckets / 8)
		resize(m, m->n_buckets / 2);
	node->key = key;
	node->hash = slice_hash(key, m->seed);
	link_node(m, node);
	m->n++;
}

void map_remove(struct map *m, struct map_node *node)
{
	if (!node->link)
		return;
	*node->link = node->next;
	if (node->next)
		node->next->link = node->link;
	node->next = NULL;
	node->link = NULL;
	m->n--;
}

static struct map_node *match(struct map_node *node, struct slice key, uint64_t hash)
{
	while (node && !(node->hash == hash && slice_eq(node->key, key)))
		node = node->next;
	return node;
}

struct map_node *map_find(const struct map *m, struct slice key)
{
	uint64_t hash;

	if (m->n == 0)
		return NULL;
	hash = slice_hash(key, m->seed);
	return match(m->buckets[hash & (m->n_buckets - 1)], key, hash);
}

struct map_node *map_find_next(const struct map_node *node)
{
	return match(node->next, node->key, node->hash);
}

bool map_is_linked(const struct map_node *node)
{
	return node->link != NULL;
}

struct map_node *map_any(const struct map *m)
{
	if (m->n == 0)
		return NULL;
	for (size_t i = 0; i < m->n_buckets; i++)
		if (m->buckets[i])
			return m->buckets[i];
	return NULL;
}
