/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tests/flow/poster.h"

#include <check.h>
#include <stdio.h>

static void copy(struct poster_reply *r, const struct outcome *o)
{
	r->n++;
	r->status = o->status;
	r->error = o->error;
	(void)snprintf(r->reason, sizeof(r->reason), "%.*s", SLICE_ARGS(o->reason));
}

static void on_changed(void *owner, struct publication *p)
{
	struct poster *t = owner;

	(void)p;
	t->n_changed++;
}

static void on_failed(void *owner, struct publication *p, const struct outcome *o)
{
	struct poster *t = owner;

	ck_assert_ptr_eq(p, t->p);
	t->n_failed++;
	t->failed_status = o->status;
}

static void on_ended(void *owner, struct publication *p, const struct outcome *o)
{
	struct poster *t = owner;

	ck_assert_ptr_eq(p, t->p);
	ck_assert_int_eq(publication_state(p), PUBLICATION_REMOVED);
	copy(&t->end, o);
	t->p = NULL;
}

static const struct publication_ops ops = {
	.changed = on_changed,
	.failed = on_failed,
	.ended = on_ended,
};

static void on_done(void *owner, const struct outcome *o)
{
	copy(owner, o);
}

struct publication_reply poster_reply(struct poster_reply *r)
{
	return (struct publication_reply){ .done = on_done, .owner = r };
}

struct poster *poster_new(void)
{
	struct poster *t = mem_new(struct poster);

	t->s = scene_new(&scene_alice);
	return t;
}

void poster_finish(struct poster *t)
{
	ck_assert_uint_eq(world_skip_out(t->s.w), 0);
	if (world_count_news(t->s.wu, WORLD_REMOVED)) {
		world_run(t->s.w, 64 * TIMER_T1);
		world_expect_idle(t->s.wu);
		world_free(t->s.w);
	} else {
		scene_finish(&t->s);
	}
	free(t);
}

const struct msg *poster_publish(struct poster *t)
{
	struct publication_spec spec = {
		.event = SLICE("presence"),
		.content_type = SLICE("application/pidf+xml"),
		.body = SLICE("one"),
		.first = poster_reply(&t->first),
	};

	ck_assert_int_eq(publication_new(t->s.ep, &spec, &ops, t, &t->p), 0);
	return world_expect_out(t->s.w, "PUBLISH");
}

void poster_published(struct poster *t, unsigned seconds)
{
	poster_accept(t, poster_publish(t), "a1", seconds);
	ck_assert_int_eq(publication_state(t->p), PUBLICATION_PUBLISHED);
	ck_assert_str_eq(publication_etag(t->p), "a1");
	poster_expect_reply(&t->first, 200, 0);
}

void poster_modify(struct poster *t, const char *body, struct poster_reply *r)
{
	struct publication_reply reply = poster_reply(r);

	ck_assert_int_eq(publication_modify(t->p, SLICE("application/pidf+xml"), slice_str(body),
				 r ? &reply : NULL),
		0);
}

void poster_remove(struct poster *t, struct poster_reply *r)
{
	struct publication_reply reply = poster_reply(r);

	ck_assert_int_eq(publication_remove(t->p, r ? &reply : NULL), 0);
}

const struct msg *poster_next(struct poster *t, usec_t limit)
{
	return world_wait_out(t->s.w, "PUBLISH", limit);
}

void poster_accept(struct poster *t, const struct msg *m, const char *tag, unsigned seconds)
{
	char headers[120];

	(void)snprintf(headers, sizeof(headers), "SIP-ETag: %s\nExpires: %u\n", tag, seconds);
	poster_answer(t, m, 200, headers);
}

void poster_answer(struct poster *t, const struct msg *m, unsigned status, const char *headers)
{
	world_reply(t->s.w, m, status, headers);
	world_settle(t->s.w);
}

void poster_expect(const struct msg *m, const char *tag, const char *body)
{
	struct slice names = msg_header(m, HDR_SIP_IF_MATCH);

	ck_assert(slice_eq(msg_header(m, HDR_EVENT), SLICE("presence")));
	if (tag)
		ck_assert(slice_eq(names, slice_str(tag)));
	else
		ck_assert_ptr_null(names.p);
	if (body)
		ck_assert(slice_eq(m->body, slice_str(body)));
	else
		ck_assert_uint_eq(m->body.n, 0);
	ck_assert_int_eq(m->content_type.n > 0, body != NULL);
}

void poster_expect_expires(const struct msg *m, unsigned seconds)
{
	uint32_t n;

	ck_assert(msg_number(m, HDR_EXPIRES, UINT32_MAX, &n));
	ck_assert_uint_eq(n, seconds);
}

void poster_expect_reply(const struct poster_reply *r, unsigned status, int error)
{
	ck_assert_uint_eq(r->n, 1);
	ck_assert_uint_eq(r->status, status);
	ck_assert_int_eq(r->error, error);
}
