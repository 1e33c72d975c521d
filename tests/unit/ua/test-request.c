/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The life of a request: one outcome, when and how; callbacks that do anything; limits. */
#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "protocol/ua/limits.h"
#include "tests/unit/ua/try.h"

#define BOB "sip:bob@example.com"

START_TEST(one_answer_one_outcome)
{
	struct try t;
	const struct msg *m;

	try_init(&t, &try_alice);
	try_page(&t, BOB);
	m = world_expect_out(t.w, "MESSAGE");
	try_expect_pending(&t);
	world_reply(t.w, m, 200, NULL);
	try_expect(&t, 200, 0, ORIGIN_REMOTE);
	ck_assert_str_eq(t.reason, "OK");
	ck_assert_uint_eq(t.cseq, 1);
	ck_assert(t.had_flow);
	/* RFC 3261 17.1.2.2: a second response is absorbed by the transaction. */
	world_reply(t.w, m, 500, NULL);
	world_settle(t.w);
	ck_assert_uint_eq(t.n_done, 0);
	try_deinit(&t);
}
END_TEST

START_TEST(provisional_responses_are_told)
{
	struct try t;
	const struct msg *m;

	try_init(&t, &try_alice);
	try_page(&t, BOB);
	m = world_expect_out(t.w, "MESSAGE");
	world_reply(t.w, m, 100, NULL);
	world_settle(t.w);
	ck_assert_uint_eq(t.n_progress, 1);
	ck_assert_uint_eq(t.last_progress, 100);
	world_reply(t.w, m, 202, NULL);
	try_expect(&t, 202, 0, ORIGIN_REMOTE);
	try_deinit(&t);
}
END_TEST

START_TEST(refusals)
{
	static const unsigned codes[] = { 305, 380, 403, 404, 413, 415, 416, 420, 480, 486, 500,
		603 };
	struct try t;

	/* 8.1.3.5 leaves to the client what only the client can mend. */
	for (size_t i = 0; i < ARRAY_LEN(codes); i++) {
		try_init(&t, &try_alice);
		try_page(&t, BOB);
		world_reply(t.w, world_expect_out(t.w, "MESSAGE"), codes[i],
			codes[i] < 400 ? "Contact: <sip:carol@example.com>\n" : NULL);
		try_expect(&t, codes[i], -EREMOTEIO, ORIGIN_REMOTE);
		world_expect_silence(t.w, 5 * USEC_PER_SEC);
		try_deinit(&t);
	}
}
END_TEST

START_TEST(nobody_answers)
{
	struct try t;
	usec_t begin;

	try_init(&t, &try_alice);
	world_set_reach(t.w, TRY_SERVER, WORLD_SILENT);
	begin = world_now(t.w);
	try_page(&t, BOB);
	world_run(t.w, 32 * USEC_PER_SEC - 1);
	try_expect_pending(&t);
	/* Timer F, and no 408 is made up: nobody sent one. */
	world_run(t.w, 1);
	ck_assert_uint_eq(world_now(t.w) - begin, 32 * USEC_PER_SEC);
	try_expect(&t, 0, -ETIMEDOUT, ORIGIN_TIMEOUT);
	ck_assert_str_eq(t.reason, "no answer from 192.0.2.1:5060");
	try_deinit(&t);
}
END_TEST

START_TEST(the_callers_patience)
{
	struct request_spec spec = try_spec(BOB);
	struct try t;

	try_init(&t, &try_alice);
	spec.timeout = 3 * USEC_PER_SEC;
	try_send(&t, &spec);
	world_reply(t.w, world_expect_out(t.w, "MESSAGE"), 100, NULL);
	world_run(t.w, 3 * USEC_PER_SEC);
	try_expect(&t, 0, -ETIMEDOUT, ORIGIN_TIMEOUT);
	ck_assert_str_eq(t.reason, "no final response in time");
	try_deinit(&t);
}
END_TEST

START_TEST(abort_tells_once)
{
	struct try t;
	const struct msg *m;

	try_init(&t, &try_alice);
	try_page(&t, BOB);
	m = world_expect_out(t.w, "MESSAGE");
	request_abort(t.r, 487, SLICE("changed my mind"));
	request_abort(t.r, 0, SLICE("twice"));
	/* Not before the next input: the caller is still at work. */
	try_expect_pending(&t);
	ck_assert_uint_eq(ua_deadline(t.ua), t.ua->timers.now);
	world_reply(t.w, m, 200, NULL);
	try_expect(&t, 487, -ECANCELED, ORIGIN_LOCAL);
	ck_assert_str_eq(t.reason, "changed my mind");
	try_deinit(&t);
}
END_TEST

START_TEST(an_invite_is_taken_back)
{
	struct request_spec spec = try_spec(BOB);
	const struct msg *m;
	struct try t;

	/* RFC 3261 9.1: CANCEL, once a provisional response has come. */
	try_init(&t, &try_alice);
	spec.method = SLICE("INVITE");
	spec.contact = REQUEST_CONTACT;
	try_send(&t, &spec);
	m = world_expect_out(t.w, "INVITE");
	world_reply(t.w, m, 180, NULL);
	world_settle(t.w);
	ck_assert_uint_eq(t.last_progress, 180);
	request_abort(t.r, 0, SLICE("nobody waits"));
	world_reply(t.w, world_expect_out(t.w, "CANCEL"), 200, NULL);
	world_reply(t.w, m, 487, NULL);
	(void)world_expect_out(t.w, "ACK");
	try_expect(&t, 0, -ECANCELED, ORIGIN_LOCAL);
	try_deinit(&t);
}
END_TEST

START_TEST(free_means_silence)
{
	struct try t;
	const struct msg *m;

	try_init(&t, &try_alice);
	try_page(&t, BOB);
	m = world_expect_out(t.w, "MESSAGE");
	request_free(t.r);
	ck_assert_uint_eq(t.ep->n_requests, 0);
	world_reply(t.w, m, 200, NULL);
	world_run(t.w, 40 * USEC_PER_SEC);
	/* Finished but not told yet. */
	try_page(&t, BOB);
	request_abort(t.r, 0, SLICE("x"));
	request_free(t.r);
	t.r = NULL;
	request_free(NULL);
	world_run(t.w, 40 * USEC_PER_SEC);
	ck_assert_uint_eq(t.n_done, 0);
	world_skip_out(t.w);
	try_deinit(&t);
}
END_TEST

static void free_it(struct try *t, struct request *r)
{
	request_free(r);
	t->r = NULL;
}

static void abort_it(struct try *t, struct request *r)
{
	(void)t;
	request_abort(r, 0, SLICE("enough"));
}

static void next_page(struct try *t, struct request *r)
{
	(void)r;
	t->on_done = NULL;
	try_page(t, BOB);
}

START_TEST(callbacks_may_do_anything)
{
	struct try t;

	/* free in progress */
	try_init(&t, &try_alice);
	t.on_progress = free_it;
	try_page(&t, BOB);
	world_reply(t.w, world_expect_out(t.w, "MESSAGE"), 100, NULL);
	world_settle(t.w);
	ck_assert_uint_eq(t.n_progress, 1);
	ck_assert_uint_eq(t.n_done, 0);
	try_deinit(&t);
	/* abort in progress */
	try_init(&t, &try_alice);
	t.on_progress = abort_it;
	try_page(&t, BOB);
	world_reply(t.w, world_expect_out(t.w, "MESSAGE"), 100, NULL);
	try_expect(&t, 0, -ECANCELED, ORIGIN_LOCAL);
	try_deinit(&t);
	/* free in done, which is needless */
	try_init(&t, &try_alice);
	t.on_done = free_it;
	try_page(&t, BOB);
	world_reply(t.w, world_expect_out(t.w, "MESSAGE"), 200, NULL);
	try_expect(&t, 200, 0, ORIGIN_REMOTE);
	try_deinit(&t);
	/* a new request in done */
	try_init(&t, &try_alice);
	t.on_done = next_page;
	try_page(&t, BOB);
	world_reply(t.w, world_expect_out(t.w, "MESSAGE"), 200, NULL);
	world_settle(t.w);
	ck_assert_uint_eq(t.n_done, 1);
	t.n_done = 0;
	world_reply(t.w, world_expect_out(t.w, "MESSAGE"), 200, NULL);
	try_expect(&t, 200, 0, ORIGIN_REMOTE);
	try_deinit(&t);
}
END_TEST

static void close_endpoint(struct try *t, struct request *r)
{
	(void)r;
	endpoint_close(t->ep);
}

START_TEST(the_endpoint_closes)
{
	struct request_spec spec = try_spec(BOB);
	struct request *r;
	struct try t;

	try_init(&t, &try_alice);
	t.on_done = close_endpoint;
	try_page(&t, BOB);
	world_reply(t.w, world_expect_out(t.w, "MESSAGE"), 200, NULL);
	world_settle(t.w);
	ck_assert_uint_eq(t.n_done, 1);
	ck_assert_uint_eq(world_count_news(t.wu, WORLD_REMOVED), 1);
	world_run(t.w, 70 * USEC_PER_SEC);
	world_expect_idle(t.wu);
	world_free(t.w);

	/* What is under way ends with it, and nothing new begins. */
	try_init(&t, &try_bob);
	try_page(&t, "sip:bob@192.0.2.1");
	endpoint_close(t.ep);
	ck_assert_uint_eq(t.n_done, 1);
	ck_assert_int_eq(t.error, -ECANCELED);
	world_free(t.w);
	try_init(&t, &try_bob);
	t.ep->closing = true;
	ck_assert_int_eq(request_new(t.ep, &spec, &(struct request_ops){ 0 }, NULL, &r), -ENOTCONN);
	t.ep->closing = false;
	try_deinit(&t);
}
END_TEST

START_TEST(limit_of_requests)
{
	struct request_spec spec = try_spec(BOB);
	struct request *first = NULL, *r;
	struct request_ops none = { 0 };
	struct try t;

	try_init(&t, &try_alice);
	for (unsigned i = 0; i < LIMITS_REQUESTS_PER_ENDPOINT; i++) {
		ck_assert_int_eq(request_new(t.ep, &spec, &none, NULL, &r), 0);
		first = first ? first : r;
	}
	ck_assert_int_eq(request_new(t.ep, &spec, &none, NULL, &r), -ENOSPC);
	request_free(first);
	ck_assert_int_eq(request_new(t.ep, &spec, &none, NULL, &r), 0);
	/* The endpoint takes them along. */
	endpoint_free(t.ep);
	world_run(t.w, 70 * USEC_PER_SEC);
	world_skip_out(t.w);
	world_expect_idle(t.wu);
	world_free(t.w);
}
END_TEST

START_TEST(limit_of_transactions)
{
	struct try t;

	try_init(&t, &try_alice);
	t.ua->txns.max = t.ua->txns.n;
	try_page(&t, BOB);
	try_expect_pending(&t);
	try_expect(&t, 0, -ENOSPC, ORIGIN_LOCAL);
	try_deinit(&t);
}
END_TEST

static int start(struct try *t, const struct request_spec *spec)
{
	struct request *r;
	int error = request_new(t->ep, spec, &(struct request_ops){ 0 }, NULL, &r);

	if (error == 0)
		request_free(r);
	return error;
}

START_TEST(what_cannot_be_sent)
{
	const struct request_header evil = { SLICE("X-A"), SLICE("a\r\nVia: x") };
	const struct request_header space = { SLICE("X A"), SLICE("a") };
	struct request_spec good = try_spec(BOB), spec;
	struct try t;

	try_init(&t, &try_alice);
	ck_assert_int_eq(start(&t, &good), 0);
	spec = good;
	spec.uri = SLICE("no uri");
	ck_assert_int_eq(start(&t, &spec), -EINVAL);
	spec = good;
	spec.to = SLICE("sip:");
	ck_assert_int_eq(start(&t, &spec), -EINVAL);
	spec = good;
	spec.method = SLICE("TWO WORDS");
	ck_assert_int_eq(start(&t, &spec), -EINVAL);
	spec.method = SLICE_NULL;
	ck_assert_int_eq(start(&t, &spec), -EINVAL);
	spec = good;
	spec.n_headers = 1;
	spec.headers = &evil;
	ck_assert_int_eq(start(&t, &spec), -EINVAL);
	spec.headers = &space;
	ck_assert_int_eq(start(&t, &spec), -EINVAL);
	spec = good;
	spec.content_type = SLICE("text/plain\r\nX: y");
	ck_assert_int_eq(start(&t, &spec), -EINVAL);
	spec = good;
	spec.contact_params = SLICE(";a\n");
	ck_assert_int_eq(start(&t, &spec), -EINVAL);
	spec = good;
	spec.to_display = SLICE("a\rb");
	ck_assert_int_eq(start(&t, &spec), -EINVAL);
	/* What only the parser sees is an outcome, and never on the wire. */
	world_run(t.w, 40 * USEC_PER_SEC);
	world_skip_out(t.w);
	spec = good;
	spec.content_type = SLICE("nonsense");
	try_send(&t, &spec);
	try_expect(&t, 0, -EINVAL, ORIGIN_LOCAL);
	world_expect_silence(t.w, USEC_PER_SEC);
	world_skip_out(t.w);
	try_deinit(&t);
}
END_TEST

START_TEST(a_clients_headers)
{
	static const char *const own[] = { "Via", "v", "From", "f", "To", "t", "Call-ID", "i",
		"CSeq", "Contact", "m", "Max-Forwards", "Route", "Record-Route", "Content-Length",
		"l", "Content-Type", "c", "authorization", "Proxy-Authorization",
		"Authentication-Info" };
	static const char *const no_names[] = { "", "X Y", "X:", "X\r\nY" };
	struct request_header many[LIMITS_USER_HEADERS + 1];
	struct request_header h = { SLICE_NULL, SLICE("x") };
	struct request_header_fault bad;
	struct request_header twice[] = { { SLICE("Subject"), SLICE("a") },
		{ SLICE("s"), SLICE("b") } };

	for (size_t i = 0; i < ARRAY_LEN(own); i++) {
		h.name = slice_str(own[i]);
		ck_assert_msg(request_headers_check(&h, 1, &bad) == -EINVAL, "%s", own[i]);
		ck_assert(slice_eq(bad.name, h.name));
		ck_assert_str_eq(bad.why, "belongs to the stack");
	}
	for (size_t i = 0; i < ARRAY_LEN(no_names); i++) {
		h.name = slice_str(no_names[i]);
		ck_assert_msg(request_headers_check(&h, 1, &bad) == -EINVAL, "%s", no_names[i]);
		ck_assert_str_eq(bad.why, "is no name of a header");
	}
	for (size_t i = 0; i < ARRAY_LEN(many); i++)
		many[i] = (struct request_header){ SLICE("Supported"), SLICE("a") };
	ck_assert_int_eq(request_headers_check(many, LIMITS_USER_HEADERS, &bad), 0);
	ck_assert_int_eq(request_headers_check(many, LIMITS_USER_HEADERS + 1, &bad), -EMSGSIZE);
	ck_assert_str_eq(bad.why, "is one too many");
	/* Whatever may stand only once. */
	ck_assert_int_eq(request_headers_check(twice, 2, &bad), -EINVAL);
	ck_assert(slice_eq(bad.name, SLICE("s")));
	ck_assert_str_eq(bad.why, "is there twice");
	h = (struct request_header){ SLICE("X-Any"), SLICE("a\nb") };
	ck_assert_int_eq(request_headers_check(&h, 1, &bad), -EINVAL);
	ck_assert_str_eq(bad.why, "has a line break in it");
	h.value = SLICE_NULL;
	ck_assert_int_eq(request_headers_check(&h, 1, &bad), 0);
	ck_assert_int_eq(request_headers_check(NULL, 0, &bad), 0);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("ua/request");
	TCase *tc = tcase_create("all");
	SRunner *r;
	int failed;

	tcase_add_test(tc, one_answer_one_outcome);
	tcase_add_test(tc, provisional_responses_are_told);
	tcase_add_test(tc, refusals);
	tcase_add_test(tc, nobody_answers);
	tcase_add_test(tc, the_callers_patience);
	tcase_add_test(tc, abort_tells_once);
	tcase_add_test(tc, an_invite_is_taken_back);
	tcase_add_test(tc, free_means_silence);
	tcase_add_test(tc, callbacks_may_do_anything);
	tcase_add_test(tc, the_endpoint_closes);
	tcase_add_test(tc, limit_of_requests);
	tcase_add_test(tc, limit_of_transactions);
	tcase_add_test(tc, what_cannot_be_sent);
	tcase_add_test(tc, a_clients_headers);
	suite_add_tcase(s, tc);
	r = srunner_create(s);
	srunner_run_all(r, CK_ENV);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
