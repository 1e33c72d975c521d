/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tests/unit/ua/try.h"

#include <check.h>
#include <stdio.h>
#include <string.h>

const struct world_account try_alice = {
	.id = "alice", .domain = "example.com", .registrar = TRY_SERVER, .password = "secret"
};
const struct world_account try_bob = { .id = "bob", .domain = "example.org" };

void try_init(struct try *t, const struct world_account *a)
{
	*t = (struct try){ .w = world_new(7) };
	world_net(t->w)->delay = 10 * USEC_PER_MSEC;
	t->wu = world_ua(t->w, TRY_UA);
	t->ua = t->wu->ua;
	t->ep = world_endpoint(t->wu, a);
}

void try_deinit(struct try *t)
{
	request_free(t->r);
	endpoint_free(t->ep);
	world_run(t->w, 70 * USEC_PER_SEC);
	world_expect_idle(t->wu);
	world_free(t->w);
}

static void on_progress(void *owner, struct request *r, const struct msg *m)
{
	struct try *t = owner;

	ck_assert_ptr_eq(r, t->r);
	t->n_progress++;
	t->last_progress = m->status;
	if (t->on_progress)
		t->on_progress(t, r);
}

static void on_done(void *owner, struct request *r, const struct outcome *o)
{
	struct try *t = owner;

	ck_assert_msg(!t->inside, "done was called before request_new() returned");
	ck_assert_ptr_eq(r, t->r);
	t->n_done++;
	t->status = o->status;
	t->origin = o->origin;
	t->error = o->error;
	(void)snprintf(t->reason, sizeof(t->reason), "%.*s", SLICE_ARGS(o->reason));
	ck_assert(!o->response || o->response->status == o->status);
	t->cseq = request_cseq(r);
	t->had_flow = request_flow(r) != NULL;
	t->r = NULL;
	if (t->on_done)
		t->on_done(t, r);
}

static const struct request_ops ops = { .progress = on_progress, .done = on_done };

struct request_spec try_spec(const char *target)
{
	return (struct request_spec){
		.method = SLICE("MESSAGE"),
		.uri = slice_str(target),
		.content_type = SLICE("text/plain"),
		.body = SLICE("hello"),
	};
}

void try_send(struct try *t, const struct request_spec *spec)
{
	t->inside = true;
	ck_assert_int_eq(request_new(t->ep, spec, &ops, t, &t->r), 0);
	t->inside = false;
}

void try_page(struct try *t, const char *target)
{
	struct request_spec spec = try_spec(target);

	try_send(t, &spec);
}

void try_expect(struct try *t, unsigned status, int error, enum origin origin)
{
	world_settle(t->w);
	ck_assert_uint_eq(t->n_done, 1);
	ck_assert_uint_eq(t->status, status);
	ck_assert_int_eq(t->error, error);
	ck_assert_int_eq(t->origin, origin);
	ck_assert_uint_eq(t->ep->n_requests, 0);
	t->n_done = 0;
}

void try_expect_pending(const struct try *t)
{
	ck_assert_uint_eq(t->n_done, 0);
	ck_assert_ptr_nonnull(t->r);
}

struct slice try_header(const struct msg *m, const char *name)
{
	struct slice v = msg_header_named(m, slice_str(name));

	ck_assert_msg(v.p != NULL, "no %s in %.*s", name, SLICE_ARGS(m->raw));
	return v;
}

bool try_has(struct slice text, const char *part)
{
	return text.n && memmem(text.p, text.n, part, strlen(part)) != NULL;
}
