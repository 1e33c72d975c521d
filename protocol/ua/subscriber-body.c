/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "protocol/ua/subscriber-body.h"

#include "protocol/base/err.h"
#include "protocol/msg/build.h"
#include "protocol/ua/limits.h"

enum { TAG_BYTES = 8 };

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

static void make_tag(struct ua *ua, const struct subscriber_body *b, struct subscriber_told *t)
{
	uint8_t hash[DIGEST_MAX_HASH];
	struct slice pieces[] = {
		slice_of((const char *)ua->host->seed, sizeof(ua->host->seed)),
		slice_of(t->type, strlen(t->type) + 1),
		slice_of(t->lines, strlen(t->lines) + 1),
		slice_of(t->bytes, t->n),
	};
	struct buf tag = BUF_NULL;

	if (b->partial)
		ua_random(ua, hash, TAG_BYTES);
	else
		(void)ua->host->ops->hash(
			ua->host->ctx, CHALLENGE_SHA256, pieces, ARRAY_LEN(pieces), hash);
	buf_hex(&tag, hash, TAG_BYTES);
	memcpy(t->tag, tag.p, 2 * TAG_BYTES);
	buf_deinit(&tag);
}

int subscriber_told_new(
	struct ua *ua, const struct subscriber_body *b, struct subscriber_told **ret)
{
	struct subscriber_told *t;
	int error = check(b);

	if (error < 0)
		return error;
	t = mem_new(struct subscriber_told);
	t->type = slice_dup(b->bytes.n ? b->content_type : SLICE(""));
	t->lines = lines_of(b);
	t->bytes = slice_dup(b->bytes);
	t->n = b->bytes.n;
	make_tag(ua, b, t);
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
	struct subscriber_told *change;

	while ((change = subscriber_queue_take(q)))
		subscriber_told_free(change);
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
	memcpy(q->tag, whole->tag, sizeof(q->tag));
}

void subscriber_queue_skip(struct subscriber_news_queue *q, struct subscriber_told *change)
{
	q->stale = true;
	memcpy(q->tag, change->tag, sizeof(q->tag));
	subscriber_told_free(change);
}

bool subscriber_queue_add(struct subscriber_news_queue *q, struct subscriber_told *change)
{
	if (q->n_changes >= LIMITS_SUBSCRIBER_CHANGES) {
		subscriber_queue_drop(q);
		subscriber_queue_skip(q, change);
		return false;
	}
	memcpy(q->tag, change->tag, sizeof(q->tag));
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
	q->stale = true;
	return list_entry(node, struct subscriber_told, node);
}
