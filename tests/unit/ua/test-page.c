/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Pages out: one by one to the same URI (RFC 3428 section 8), and what is no page. */
#include <check.h>
#include <stdlib.h>

#include "protocol/base/err.h"
#include "protocol/ua/page.h"
#include "tests/support/run.h"
#include "tests/support/world-peer.h"
#include "tests/support/world-record.h"

struct end {
	unsigned n, status;
	int error;
};

static void on_done(void *owner, struct request *r, const struct outcome *o)
{
	struct end *end = owner;

	(void)r;
	end->n++;
	end->status = o->status;
	end->error = o->error;
}

static const struct request_ops ops = { .done = on_done };

struct fixture {
	struct world *w;
	struct world_ua *wu;
	struct endpoint *ep;
};

static struct fixture fixture_new(void)
{
	struct fixture f = { .w = world_new(3) };

	f.wu = world_ua(f.w, "192.0.2.1");
	f.ep = world_endpoint(f.wu, &(struct world_account){ .id = "alice",
					    .domain = "example.com",
					    .registrar = "192.0.2.9",
					    .transport = TRANSPORT_UDP });
	return f;
}

static struct request *page(
	const struct fixture *f, struct slice target, struct slice body, struct end *end)
{
	const struct page_spec spec = {
		.target = target,
		.content_type = SLICE("text/plain"),
		.body = body,
		.ops = &ops,
		.owner = end,
	};
	struct request *r;
	const char *why;

	ck_assert_int_eq(page_send(f->ep, &spec, &r, &why), 0);
	return r;
}

#define BOB SLICE("sip:bob@example.com")
#define CAROL SLICE("sip:carol@example.com")

static void expect_body(const struct fixture *f, const char *body, unsigned status)
{
	const struct msg *m = world_expect_out(f->w, "MESSAGE");

	ck_assert(slice_eq(m->body, slice_str(body)));
	world_reply(f->w, m, status, NULL);
	world_settle(f->w);
}

/* In their order, each after the outcome of the one before; another URI does not wait. */
START_TEST(rfc3428_8_one_by_one)
{
	struct fixture f = fixture_new();
	struct end ends[4] = { 0 };
	const struct msg *first;

	(void)page(&f, BOB, SLICE("1"), &ends[0]);
	(void)page(&f, BOB, SLICE("2"), &ends[1]);
	(void)page(&f, BOB, SLICE("3"), &ends[2]);
	first = world_expect_out(f.w, "MESSAGE");
	ck_assert(slice_eq(first->body, SLICE("1")));
	(void)page(&f, CAROL, SLICE("4"), &ends[3]);
	expect_body(&f, "4", 200);
	ck_assert_uint_eq(ends[3].status, 200);
	ck_assert_uint_eq(world_skip_out(f.w), 0);
	/* Refused or not makes no difference to the next. */
	world_reply(f.w, first, 486, NULL);
	world_settle(f.w);
	ck_assert_int_eq(ends[0].error, -EREMOTEIO);
	expect_body(&f, "2", 200);
	expect_body(&f, "3", 200);
	for (size_t i = 0; i < 4; i++)
		ck_assert_uint_eq(ends[i].n, 1);
	/* And whoever comes later finds the way free. */
	(void)page(&f, BOB, SLICE("5"), &ends[0]);
	expect_body(&f, "5", 200);
	world_free(f.w);
}
END_TEST

/* What is given up while it waits, or while others wait for it, holds nobody up. */
START_TEST(turns_pass_over_what_is_gone)
{
	struct fixture f = fixture_new();
	struct end ends[4] = { 0 };
	struct request *r[4];

	r[0] = page(&f, BOB, SLICE("0"), &ends[0]);
	r[1] = page(&f, BOB, SLICE("1"), &ends[1]);
	r[2] = page(&f, BOB, SLICE("2"), &ends[2]);
	r[3] = page(&f, BOB, SLICE("3"), &ends[3]);
	(void)world_expect_out(f.w, "MESSAGE");
	request_free(r[1]);
	request_abort(r[2], 0, SLICE("no more"));
	world_settle(f.w);
	ck_assert_uint_eq(world_skip_out(f.w), 0);
	request_free(r[0]);
	expect_body(&f, "3", 200);
	ck_assert_uint_eq(ends[0].n + ends[1].n, 0);
	ck_assert_int_eq(ends[2].error, -ECANCELED);
	ck_assert_uint_eq(ends[3].status, 200);
	world_free(f.w);
}
END_TEST

/* An endpoint that closes ends all of them, and none goes out any more. */
START_TEST(closing_sends_none_of_those_that_wait)
{
	struct fixture f = fixture_new();
	struct end ends[3] = { 0 };

	for (size_t i = 0; i < 3; i++)
		(void)page(&f, BOB, SLICE("x"), &ends[i]);
	(void)world_expect_out(f.w, "MESSAGE");
	endpoint_close(f.ep);
	world_settle(f.w);
	ck_assert_uint_eq(world_skip_out(f.w), 0);
	for (size_t i = 0; i < 3; i++)
		ck_assert_int_eq(ends[i].error, -ECANCELED);
	world_free(f.w);
}
END_TEST

/* Each refusal says why. */
START_TEST(what_is_no_page)
{
	static const struct request_header via = { SLICE_INIT("Via"), SLICE_INIT("x") };
	static const struct page_spec rows[] = {
		{ .target = SLICE_INIT("bob") },
		{ .target = SLICE_INIT("http://example.com") },
		{ .target = SLICE_INIT("sip:b@c"), .method = SLICE_INIT("INVITE") },
		{ .target = SLICE_INIT("sip:b@c"), .method = SLICE_INIT("message") },
		{ .target = SLICE_INIT("sip:b@c"), .body = SLICE_INIT("x") },
		{ .target = SLICE_INIT("sip:b@c"), .content_type = SLICE_INIT("a/b\r\nX: y") },
		{ .target = SLICE_INIT("sip:b@c"), .headers = &via, .n_headers = 1 },
	};
	struct fixture f = fixture_new();

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct request *r;
		const char *why = NULL;

		ck_assert_int_eq(page_send(f.ep, &rows[i], &r, &why), -EINVAL);
		ck_assert_ptr_nonnull(why);
	}
	ck_assert_uint_eq(f.ep->n_requests, 0);
	world_free(f.w);
}
END_TEST

RUN_TESTS("page", rfc3428_8_one_by_one, turns_pass_over_what_is_gone,
	closing_sends_none_of_those_that_wait, what_is_no_page)
