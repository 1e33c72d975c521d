/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tests/support/world-session.h"

#include <check.h>
#include <stdio.h>
#include <string.h>

/* A session that waits for somebody; its place in wu->asked. */
struct asked {
	struct list node;
	struct session *s;
};

/* ---- the listener ---- */

void world_session_added(void *ctx, struct session *s)
{
	struct world_ua *wu = ctx;

	ck_assert_ptr_nonnull(session_id(s));
	wu->n_sessions++;
}

void world_session_incoming(void *ctx, struct session *s)
{
	struct world_ua *wu = ctx;
	struct asked *a;

	ck_assert(!session_is_outgoing(s));
	if (wu->sessions && wu->sessions->incoming) {
		wu->sessions->incoming(wu, s);
		return;
	}
	a = mem_new(struct asked);
	a->s = s;
	list_append(&wu->asked, &a->node);
}

void world_session_changed(void *ctx, struct session *s, unsigned changes)
{
	(void)ctx;
	(void)s;
	ck_assert_uint_ne(changes, 0);
}

void world_session_event(void *ctx, struct session *s, const struct ua_session_event *e)
{
	struct world_ua *wu = ctx;
	struct world_told *t;
	struct slice *slices[7];

	if (wu->sessions && wu->sessions->event) {
		wu->sessions->event(wu, s, e);
		return;
	}
	t = mem_new(struct world_told);
	t->s = s;
	t->at = world_now(wu->w);
	t->event = *e;
	if (e->message)
		t->event.message = msg_ref(e->message);
	slices[0] = &t->event.reason;
	slices[1] = &t->event.fork;
	slices[2] = &t->event.content_type;
	slices[3] = &t->event.body;
	slices[4] = &t->event.package;
	slices[5] = &t->event.refer_to;
	slices[6] = &t->event.referred_by;
	for (size_t i = 0; i < ARRAY_LEN(slices); i++) {
		t->copies[i] = slice_dup(*slices[i]);
		*slices[i] = slice_of(t->copies[i], slices[i]->n);
	}
	list_append(&wu->told, &t->node);
}

static void forget(struct list *told, const struct session *s)
{
	list_for_each (node, told) {
		struct world_told *t = list_entry(node, struct world_told, node);

		if (t->s == s)
			t->s = NULL;
	}
}

void world_session_removed(void *ctx, struct session *s)
{
	struct world_ua *wu = ctx;

	ck_assert_uint_eq(session_state(s), SESSION_TERMINATED);
	ck_assert_uint_gt(wu->n_sessions, 0);
	wu->n_sessions--;
	if (wu->sessions && wu->sessions->removed)
		wu->sessions->removed(wu, s);
	forget(&wu->told, s);
	forget(&wu->seen, s);
	list_for_each_safe (node, next, &wu->asked) {
		struct asked *a = list_entry(node, struct asked, node);

		if (a->s != s)
			continue;
		list_remove(node);
		free(a);
	}
}

static void free_list(struct list *told)
{
	struct list *node;

	while ((node = list_first(told))) {
		struct world_told *t = list_entry(node, struct world_told, node);

		list_remove(node);
		for (size_t i = 0; i < ARRAY_LEN(t->copies); i++)
			free(t->copies[i]);
		msg_unref((struct msg *)(uintptr_t)t->event.message);
		free(t);
	}
}

void world_session_free_told(struct world_ua *wu)
{
	struct list *node;

	free_list(&wu->told);
	free_list(&wu->seen);
	while ((node = list_first(&wu->asked))) {
		list_remove(node);
		free(list_entry(node, struct asked, node));
	}
}

/* ---- what a test expects ---- */

struct session *world_expect_session(struct world_ua *wu)
{
	struct list *first = list_first(&wu->asked);
	struct session *s;

	ck_assert_msg(first != NULL, "no session came in");
	s = list_entry(first, struct asked, node)->s;
	list_remove(first);
	free(list_entry(first, struct asked, node));
	return s;
}

void world_expect_no_session(struct world_ua *wu)
{
	ck_assert_msg(list_is_empty(&wu->asked), "a session came in");
}

static const char *news_name(enum ua_session_news news)
{
	static const char *const names[] = {
		[UA_SESSION_PROGRESS] = "progress",
		[UA_SESSION_ESTABLISHED] = "established",
		[UA_SESSION_OFFER] = "offer",
		[UA_SESSION_ANSWER] = "answer",
		[UA_SESSION_MESSAGE] = "message",
		[UA_SESSION_INFO] = "info",
		[UA_SESSION_REFER] = "refer",
		[UA_SESSION_REFER_PROGRESS] = "refer progress",
		[UA_SESSION_REFER_FINISHED] = "refer finished",
		[UA_SESSION_TERMINATED] = "terminated",
	};

	return names[news];
}

const struct world_told *world_expect_event(struct world_ua *wu, enum ua_session_news news)
{
	struct list *first = list_first(&wu->told);
	struct world_told *t;

	ck_assert_msg(first != NULL, "nothing was told, %s expected", news_name(news));
	t = list_entry(first, struct world_told, node);
	ck_assert_msg(t->event.news == news, "%s (%u %.*s) was told, %s expected",
		news_name(t->event.news), t->event.status, SLICE_ARGS(t->event.reason),
		news_name(news));
	list_remove(first);
	list_append(&wu->seen, first);
	return t;
}

const struct world_told *world_expect_progress(struct world_ua *wu, unsigned status)
{
	const struct world_told *t = world_expect_event(wu, UA_SESSION_PROGRESS);

	ck_assert_uint_eq(t->event.status, status);
	return t;
}

const struct world_told *world_expect_terminated(
	struct world_ua *wu, unsigned status, enum origin origin)
{
	const struct world_told *t = world_expect_event(wu, UA_SESSION_TERMINATED);

	ck_assert_msg(t->event.status == status && t->event.origin == origin,
		"ended with %u %.*s (%s), %u (%s) expected", t->event.status,
		SLICE_ARGS(t->event.reason), outcome_origin_name(t->event.origin), status,
		outcome_origin_name(origin));
	ck_assert_msg(t->s == NULL, "terminated, but not removed");
	return t;
}

void world_expect_no_event(struct world_ua *wu)
{
	struct list *first = list_first(&wu->told);

	if (first)
		ck_abort_msg("%s was told",
			news_name(list_entry(first, struct world_told, node)->event.news));
}

void world_expect_body(const struct world_told *told, const char *body)
{
	ck_assert_msg(slice_eq(told->event.body, slice_str(body)), "the body is '%.*s', not '%s'",
		SLICE_ARGS(told->event.body), body);
}

static void on_done(void *owner, const struct outcome *o, const struct session_body *body)
{
	struct world_reply *r = owner;

	r->n++;
	r->status = o->status;
	r->error = o->error;
	r->origin = o->origin;
	(void)snprintf(r->type, sizeof(r->type), "%.*s", SLICE_ARGS(body->type));
	(void)snprintf(r->body, sizeof(r->body), "%.*s", SLICE_ARGS(body->bytes));
}

struct session_reply world_reply_of(struct world_reply *r)
{
	return (struct session_reply){ .done = on_done, .owner = r };
}

struct session_body world_sdp(const char *text)
{
	return (struct session_body){ .type = SLICE("application/sdp"), .bytes = slice_str(text) };
}
