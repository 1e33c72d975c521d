/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
#include <stdbool.h>
#include <stddef.h>

#include "protocol/base/mem.h"

/*
 * Intrusive doubly linked list. A zeroed node is unlinked and may be removed any number of times;
 * a zeroed head is empty. The head is a node of its own.
 */
struct list {
	struct list *next, *prev;
};

static inline void list_init(struct list *head)
{
	head->next = head->prev = head;
}

static inline bool list_is_empty(const struct list *head)
{
	return head->next == NULL || head->next == head;
}

static inline bool list_is_linked(const struct list *node)
{
	return node->next != NULL;
}

static inline void list_insert_before(struct list *at, struct list *node)
{
	node->next = at;
	node->prev = at->prev;
	at->prev->next = node;
	at->prev = node;
}

static inline void list_append(struct list *head, struct list *node)
{
	if (!head->next)
		list_init(head);
	list_insert_before(head, node);
}

/* To the front; head must have been initialised. */
static inline void list_prepend(struct list *head, struct list *node)
{
	node->prev = head;
	node->next = head->next;
	head->next->prev = node;
	head->next = node;
}

static inline void list_remove(struct list *node)
{
	if (!node->next)
		return;
	node->next->prev = node->prev;
	node->prev->next = node->next;
	node->next = node->prev = NULL;
}

/* The first node, or NULL. */
static inline struct list *list_first(const struct list *head)
{
	return list_is_empty(head) ? NULL : head->next;
}

#define list_entry(node, type, member) container_of(node, type, member)

/* Walks the list: for short ones. */
static inline size_t list_length(const struct list *head)
{
	size_t n = 0;

	for (const struct list *node = head->next; node && node != head; node = node->next)
		n++;
	return n;
}

/* The loop body may not remove nodes; list_for_each_safe lets it remove the current one. */
#define list_for_each(pos, head) \
	for (struct list *pos = (head)->next; pos && pos != (head); pos = pos->next)
#define list_for_each_safe(pos, tmp, head)                                                         \
	for (struct list *pos = (head)->next, *tmp = pos ? pos->next : NULL; pos && pos != (head); \
		pos = tmp, tmp = tmp->next)
