/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "protocol/ua/subscriber-body.h"

#include "protocol/base/err.h"
#include "protocol/msg/build.h"
#include "protocol/ua/limits.h"

static int check(const struct subscriber_body *b)
{
	struct request_header_fault bad;
	int error = request_headers_check(b->headers, b->n_headers, &bad);

	if (error < 0)
		return error;
	if (!build_header_is_safe(SLICE("Content-Type"), b->content_type) ||
		(b->bytes.n && !b->content_type.n))
		return -EINVAL;
	return b->bytes.n > LIMITS_SUBSCRIBER_BYTES ? -EMSGSIZE : 0;
}

static char *lines_of(const struct subscriber_body *b)
{
	struct buf lines = BUF_NULL;

	for (size_t i = 0; i < b->n_headers; i++)
		build_header_named(&lines, b->headers[i].name, b->headers[i].value);
	return buf_take(&lines);
}

int subscriber_told_new(const struct subscriber_body *b, struct subscriber_told **ret)
{
	struct subscriber_told *t;
	int error = check(b);

	if (error < 0)
		return error;
	if (!b->bytes.n && !b->n_headers) {
		*ret = NULL;
		return 0;
	}
	t = mem_new(struct subscriber_told);
	t->type = slice_dup(b->bytes.n ? b->content_type : SLICE_NULL);
	t->lines = lines_of(b);
	t->bytes = slice_dup(b->bytes);
	t->n = b->bytes.n;
	*ret = t;
	return 0;
}

void subscriber_told_free(struct subscriber_told *t)
{
	if (!t)
		return;
	list_remove(&t->node);
	free(t->type);
	free(t->lines);
	free(t->bytes);
	free(t);
}

void subscriber_queue_drop(struct subscriber_news_queue *q)
{
	struct list *node;

	while ((node = list_first(&q->changes)))
		subscriber_told_free(list_entry(node, struct subscriber_told, node));
	q->n_changes = 0;
}

void subscriber_queue_clear(struct subscriber_news_queue *q)
{
	subscriber_queue_drop(q);
	subscriber_told_free(mem_take(&q->whole));
}

void subscriber_queue_put(struct subscriber_news_queue *q, struct subscriber_told *whole)
{
	subscriber_queue_clear(q);
	q->whole = whole;
	q->stale = false;
}

bool subscriber_queue_add(struct subscriber_news_queue *q, struct subscriber_told *change)
{
	q->stale = true;
	if (q->n_changes >= LIMITS_SUBSCRIBER_CHANGES) {
		subscriber_told_free(change);
		subscriber_queue_drop(q);
		return false;
	}
	list_append(&q->changes, &change->node);
	q->n_changes++;
	return true;
}

struct subscriber_told *subscriber_queue_take(struct subscriber_news_queue *q)
{
	struct list *node = list_first(&q->changes);

	if (!node)
		return NULL;
	list_remove(node);
	q->n_changes--;
	return list_entry(node, struct subscriber_told, node);
}
