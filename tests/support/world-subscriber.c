/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tests/support/world-subscriber.h"

#include <check.h>
#include <stdio.h>

/* ---- the listener ---- */

static struct world_subscriber_told *add(
	struct world_ua *wu, enum world_subscriber_kind kind, struct subscriber *s)
{
	struct world_subscriber_told *t = mem_new(struct world_subscriber_told);

	t->kind = kind;
	t->s = s;
	list_append(&wu->subscriber_told, &t->node);
	return t;
}

void world_subscriber_incoming(void *ctx, struct subscriber *s)
{
	struct world_ua *wu = ctx;

	wu->n_subscribers++;
	if (wu->subscribers && wu->subscribers->incoming)
		wu->subscribers->incoming(wu, s);
	else
		(void)add(wu, WORLD_SUBSCRIBER_INCOMING, s);
}

void world_subscriber_changed(void *ctx, struct subscriber *s, unsigned changes)
{
	struct world_ua *wu = ctx;

	ck_assert_uint_ne(changes, 0);
	if (!wu->subscribers)
		add(wu, WORLD_SUBSCRIBER_CHANGED, s)->changes = changes;
}

void world_subscriber_event(
	void *ctx, struct subscriber *s, enum subscriber_news news, const struct msg *m)
{
	struct world_ua *wu = ctx;

	ck_assert_int_eq(news == SUBSCRIBER_NEW_BODY, m != NULL);
	if (wu->subscribers && wu->subscribers->event)
		wu->subscribers->event(wu, s, news);
	else
		add(wu, WORLD_SUBSCRIBER_EVENT, s)->news = news;
}

void world_subscriber_removed(void *ctx, struct subscriber *s, const struct subscriber_end *end)
{
	struct world_ua *wu = ctx;
	struct world_subscriber_told *t;

	ck_assert_uint_gt(wu->n_subscribers, 0);
	wu->n_subscribers--;
	list_for_each (node, &wu->subscriber_told) {
		t = list_entry(node, struct world_subscriber_told, node);
		if (t->s == s)
			t->s = NULL;
	}
	if (wu->subscribers && wu->subscribers->removed) {
		wu->subscribers->removed(wu, s, end);
		return;
	}
	t = add(wu, WORLD_SUBSCRIBER_REMOVED, NULL);
	t->status = end->status;
	t->origin = end->origin;
	(void)snprintf(t->reason, sizeof(t->reason), "%.*s", SLICE_ARGS(end->reason));
}

void world_subscriber_free_told(struct world_ua *wu)
{
	struct list *node;

	while ((node = list_first(&wu->subscriber_told))) {
		list_remove(node);
		free(list_entry(node, struct world_subscriber_told, node));
	}
}

/* ---- what a test expects ---- */

static const char *kind_name(enum world_subscriber_kind kind)
{
	static const char *const names[] = {
		[WORLD_SUBSCRIBER_INCOMING] = "incoming",
		[WORLD_SUBSCRIBER_CHANGED] = "changed",
		[WORLD_SUBSCRIBER_EVENT] = "event",
		[WORLD_SUBSCRIBER_REMOVED] = "removed",
	};

	return names[kind];
}

static struct world_subscriber_told pop(struct world_ua *wu, enum world_subscriber_kind kind)
{
	struct list *first = list_first(&wu->subscriber_told);
	struct world_subscriber_told t;

	ck_assert_msg(first != NULL, "nothing was told, %s expected", kind_name(kind));
	t = *list_entry(first, struct world_subscriber_told, node);
	ck_assert_msg(t.kind == kind, "%s (%s) was told, %s expected", kind_name(t.kind), t.reason,
		kind_name(kind));
	list_remove(first);
	free(list_entry(first, struct world_subscriber_told, node));
	return t;
}

struct subscriber *world_expect_subscriber(struct world_ua *wu)
{
	struct world_subscriber_told t = pop(wu, WORLD_SUBSCRIBER_INCOMING);

	ck_assert_msg(t.s != NULL, "the subscriber is gone");
	return t.s;
}

void world_expect_subscriber_changed(struct world_ua *wu, unsigned changes)
{
	ck_assert_uint_eq(pop(wu, WORLD_SUBSCRIBER_CHANGED).changes, changes);
}

void world_expect_subscriber_news(struct world_ua *wu, enum subscriber_news news)
{
	ck_assert_uint_eq(pop(wu, WORLD_SUBSCRIBER_EVENT).news, news);
}

void world_expect_subscriber_removed(struct world_ua *wu, const char *reason, enum origin origin)
{
	struct world_subscriber_told t = pop(wu, WORLD_SUBSCRIBER_REMOVED);

	ck_assert_str_eq(t.reason, reason);
	ck_assert_str_eq(outcome_origin_name(t.origin), outcome_origin_name(origin));
}

void world_expect_no_subscriber(struct world_ua *wu)
{
	struct list *first = list_first(&wu->subscriber_told);

	if (first)
		ck_abort_msg("%s was told",
			kind_name(list_entry(first, struct world_subscriber_told, node)->kind));
}

struct subscriber_body world_state(const char *type, const char *text)
{
	return (struct subscriber_body){ .content_type = slice_str(type),
		.bytes = slice_str(text) };
}
