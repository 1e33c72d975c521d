/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What becomes of published state when the compositor forgets, refuses, is silent or gone (RFC 3903
 * section 5).
 */
#include <check.h>
#include <string.h>

#include "protocol/base/err.h"
#include "protocol/ua/ua-network.h"
#include "tests/flow/poster.h"
#include "tests/support/run.h"

static void expect_state(const struct poster *t, enum publication_state s)
{
	ck_assert_str_eq(
		publication_state_name(publication_state(t->p)), publication_state_name(s));
}

static void drop(struct poster *t)
{
	publication_free(t->p);
	poster_finish(t);
}

/* ---- 412 ---- */

/* The tag is discarded, and the whole goes anew without one. */
START_TEST(forgotten)
{
	struct poster *t = poster_new();
	const struct msg *m;

	poster_published(t, 100);
	poster_answer(t, poster_next(t, 100 * SEC), 412, NULL);
	m = poster_next(t, SEC);
	poster_expect(m, NULL, "one");
	poster_accept(t, m, "b2", 100);
	expect_state(t, PUBLICATION_PUBLISHED);
	ck_assert_str_eq(publication_etag(t->p), "b2");
	ck_assert_uint_eq(t->n_failed, 0);
	poster_expect(poster_next(t, 100 * SEC), "b2", NULL);
	drop(t);
}
END_TEST

/* A change that finds nothing to change is the whole. What is wanted meanwhile goes with it. */
START_TEST(forgotten_before_a_change)
{
	struct poster *t = poster_new();
	struct poster_reply r[2] = { 0 };
	const struct msg *m;

	poster_published(t, 100);
	poster_modify(t, "two", &r[0]);
	m = poster_next(t, SEC);
	poster_modify(t, "three", &r[1]);
	poster_answer(t, m, 412, NULL);
	m = poster_next(t, SEC);
	poster_expect(m, NULL, "three");
	poster_accept(t, m, "b2", 100);
	poster_expect_reply(&r[0], 200, 0);
	poster_expect_reply(&r[1], 200, 0);
	world_expect_silence(t->s.w, SEC);
	drop(t);
}
END_TEST

/* "MUST NOT reattempt": one that says so to what names no tag is left alone for a while. */
START_TEST(forgotten_again)
{
	struct poster *t = poster_new();
	struct poster_reply r = { 0 };
	const struct msg *m;

	poster_published(t, 100);
	poster_modify(t, "two", &r);
	poster_answer(t, poster_next(t, SEC), 412, NULL);
	poster_answer(t, poster_next(t, SEC), 412, NULL);
	poster_expect_reply(&r, 412, -EREMOTEIO);
	expect_state(t, PUBLICATION_WAITING);
	ck_assert_uint_eq(t->n_failed, 1);
	world_expect_silence(t->s.w, 15 * SEC);
	m = poster_next(t, 60 * SEC);
	poster_expect(m, NULL, "two");
	poster_accept(t, m, "b2", 100);
	expect_state(t, PUBLICATION_PUBLISHED);
	drop(t);
}
END_TEST

/* What is not there need not be removed. */
START_TEST(forgotten_before_the_end)
{
	struct poster *t = poster_new();
	struct poster_reply r = { 0 };

	poster_published(t, 100);
	poster_remove(t, &r);
	poster_answer(t, poster_next(t, SEC), 412, NULL);
	poster_expect_reply(&r, 412, 0);
	poster_expect_reply(&t->end, 412, 0);
	poster_finish(t);
}
END_TEST

/* ---- 423 ---- */

START_TEST(too_brief)
{
	struct poster *t = poster_new();
	const struct msg *m = poster_publish(t);

	poster_expect_expires(m, 3600);
	poster_answer(t, m, 423, "Min-Expires: 7200\n");
	m = poster_next(t, SEC);
	poster_expect(m, NULL, "one");
	poster_expect_expires(m, 7200);
	poster_accept(t, m, "a1", 7200);
	ck_assert_uint_eq(scene_in_seconds(&t->s, publication_expires(t->p)), 7200);
	drop(t);
}
END_TEST

/* Who wants more and more, or says nothing that could be done, has refused. */
START_TEST(always_too_brief)
{
	static const char *const second[] = { "Min-Expires: 9999\n", "Min-Expires: 10\n", NULL };

	for (size_t i = 0; i < ARRAY_LEN(second); i++) {
		struct poster *t = poster_new();

		poster_answer(t, poster_publish(t), 423, "Min-Expires: 7200\n");
		poster_answer(t, poster_next(t, SEC), 423, second[i]);
		poster_expect_reply(&t->first, 423, -EREMOTEIO);
		poster_expect_reply(&t->end, 423, -EREMOTEIO);
		poster_finish(t);
	}
}
END_TEST

/* ---- refusals ---- */

/* Section 6: what was never accepted is over. */
START_TEST(refused)
{
	static const unsigned statuses[] = { 400, 403, 404, 405, 413, 415, 489, 501, 603, 604 };

	for (size_t i = 0; i < ARRAY_LEN(statuses); i++) {
		struct poster *t = poster_new();

		poster_answer(t, poster_publish(t), statuses[i],
			statuses[i] == 489 ? "Allow-Events: dialog\n" : NULL);
		poster_expect_reply(&t->first, statuses[i], -EREMOTEIO);
		poster_expect_reply(&t->end, statuses[i], -EREMOTEIO);
		ck_assert_uint_eq(t->n_failed, 0);
		world_expect_silence(t->s.w, 2 * HOUR);
		poster_finish(t);
	}
}
END_TEST

/* A change that is refused changes nothing: what was accepted is refreshed as before. */
START_TEST(change_refused)
{
	struct poster *t = poster_new();
	struct poster_reply r = { 0 };

	poster_published(t, 100);
	poster_modify(t, "nonsense", &r);
	poster_answer(t, poster_next(t, SEC), 415, NULL);
	poster_expect_reply(&r, 415, -EREMOTEIO);
	expect_state(t, PUBLICATION_PUBLISHED);
	ck_assert_uint_eq(t->failed_status, 415);
	poster_answer(t, poster_next(t, 100 * SEC), 412, NULL);
	poster_expect(poster_next(t, SEC), NULL, "one");
	drop(t);
}
END_TEST

/* Nor if the compositor had forgotten it meanwhile. */
START_TEST(change_refused_and_all_forgotten)
{
	struct poster *t = poster_new();
	struct poster_reply r = { 0 };

	poster_published(t, 100);
	poster_modify(t, "nonsense", &r);
	poster_answer(t, poster_next(t, SEC), 412, NULL);
	poster_answer(t, poster_next(t, SEC), 415, NULL);
	poster_expect_reply(&r, 415, -EREMOTEIO);
	expect_state(t, PUBLICATION_WAITING);
	poster_expect(poster_next(t, 60 * SEC), NULL, "one");
	drop(t);
}
END_TEST

/* What was accepted once is asked for about hourly. */
START_TEST(refresh_refused)
{
	struct poster *t = poster_new();
	const struct msg *m;

	poster_published(t, 100);
	poster_answer(t, poster_next(t, 100 * SEC), 403, NULL);
	expect_state(t, PUBLICATION_WAITING);
	ck_assert_uint_eq(t->failed_status, 403);
	world_expect_silence(t->s.w, 40 * 60 * SEC);
	ck_assert_str_eq(publication_etag(t->p), "");
	m = poster_next(t, HOUR);
	poster_expect(m, NULL, "one");
	poster_accept(t, m, "b2", 100);
	expect_state(t, PUBLICATION_PUBLISHED);
	drop(t);
}
END_TEST

/* ---- 401 and 407 ---- */

static const char challenge[] = "WWW-Authenticate: Digest realm=\"example.com\", nonce=\"n{n}\", "
				"qop=\"auth\", algorithm=SHA-256\n";

START_TEST(authenticated)
{
	struct poster *t = poster_new();
	const struct msg *m = poster_publish(t), *again;

	poster_answer(t, m, 401, challenge);
	again = poster_next(t, SEC);
	poster_expect(again, NULL, "one");
	ck_assert(msg_header(again, HDR_AUTHORIZATION).n > 0);
	ck_assert(slice_eq(again->call_id, m->call_id));
	ck_assert_uint_eq(again->cseq, m->cseq + 1);
	poster_accept(t, again, "a1", 100);
	poster_expect_reply(&t->first, 200, 0);
	drop(t);
}
END_TEST

START_TEST(not_accepted)
{
	struct poster *t = poster_new();

	poster_answer(t, poster_publish(t), 401, challenge);
	poster_answer(t, poster_next(t, SEC), 401, challenge);
	world_settle(t->s.w);
	poster_expect_reply(&t->end, 401, -EACCES);
	world_expect_silence(t->s.w, 2 * HOUR);
	poster_finish(t);
}
END_TEST

/* ---- what passes ---- */

/* RFC 3261 21.5.4, 20.33. */
START_TEST(retry_after)
{
	struct poster *t = poster_new();

	poster_answer(t, poster_publish(t), 503, "Retry-After: 300\n");
	poster_expect_reply(&t->first, 503, -EREMOTEIO);
	expect_state(t, PUBLICATION_WAITING);
	ck_assert_uint_ge(scene_in_seconds(&t->s, publication_next_attempt(t->p)), 300);
	/* Nothing that happens meanwhile makes it sooner. */
	ua_network_changed(t->s.wu->ua);
	world_expect_silence(t->s.w, 299 * SEC);
	poster_accept(t, poster_next(t, 60 * SEC), "a1", 100);
	expect_state(t, PUBLICATION_PUBLISHED);
	drop(t);
}
END_TEST

/* Intervals grow, up to half an hour. */
START_TEST(silence)
{
	struct poster *t = poster_new();
	usec_t last = 0;

	(void)poster_publish(t);
	for (unsigned i = 0; i < 12; i++) {
		(void)world_skip_out(t->s.w);
		world_run(t->s.w, 33 * SEC);
		(void)world_skip_out(t->s.w);
		ck_assert_uint_eq(t->n_failed, i + 1);
		expect_state(t, PUBLICATION_WAITING);
		last = publication_next_attempt(t->p) - t->s.wu->ua->timers.now;
		ck_assert_uint_le(last, 1800 * SEC);
		poster_expect(poster_next(t, 1801 * SEC), NULL, "one");
	}
	ck_assert_uint_ge(last, 800 * SEC);
	poster_expect_reply(&t->first, 0, -ETIMEDOUT);
	(void)world_skip_out(t->s.w);
	drop(t);
}
END_TEST

/* Section 4.4 after a change whose answer is lost: it is still wanted, and is tried again. */
START_TEST(lost_change)
{
	struct poster *t = poster_new();
	struct poster_reply r = { 0 };
	const struct msg *m;

	poster_published(t, 3600);
	poster_modify(t, "two", &r);
	world_run(t->s.w, 33 * SEC);
	(void)world_skip_out(t->s.w);
	poster_expect_reply(&r, 0, -ETIMEDOUT);
	expect_state(t, PUBLICATION_WAITING);
	m = poster_next(t, 61 * SEC);
	poster_expect(m, "a1", "two");
	/* It had arrived: that state has a tag that nobody knows here. */
	poster_answer(t, m, 412, NULL);
	m = poster_next(t, SEC);
	poster_expect(m, NULL, "two");
	poster_accept(t, m, "c3", 3600);
	expect_state(t, PUBLICATION_PUBLISHED);
	drop(t);
}
END_TEST

/* A refresh that fails leaves what is there until it expires, and is tried again before. */
START_TEST(failing_refresh)
{
	struct poster *t = poster_new();
	const struct msg *m;
	unsigned n = 0;

	poster_published(t, 600);
	m = poster_next(t, 600 * SEC);
	while (publication_state(t->p) == PUBLICATION_PUBLISHED) {
		poster_expect(m, "a1", NULL);
		n++;
		poster_answer(t, m, 500, NULL);
		m = poster_next(t, 700 * SEC);
	}
	ck_assert_uint_ge(n, 3);
	ck_assert_uint_eq(t->n_failed, n);
	ck_assert_str_eq(publication_etag(t->p), "");
	poster_expect(m, NULL, "one");
	drop(t);
}
END_TEST

/* ---- odd answers ---- */

/* Section 6: "MUST also contain a SIP-ETag". */
START_TEST(without_tag)
{
	static const char *const odd[] = { "Expires: 100\n", "SIP-ETag: \nExpires: 100\n",
		"SIP-ETag: a b\nExpires: 100\n", "SIP-ETag: a,b\nExpires: 100\n" };

	for (size_t i = 0; i < ARRAY_LEN(odd); i++) {
		struct poster *t = poster_new();

		poster_answer(t, poster_publish(t), 200, odd[i]);
		poster_expect_reply(&t->end, 200, -EBADMSG);
		ck_assert_ptr_nonnull(strstr(t->end.reason, "SIP-ETag"));
		poster_finish(t);
	}
}
END_TEST

/* A refresh without a new one: the old one may be good still. */
START_TEST(without_new_tag)
{
	struct poster *t = poster_new();

	poster_published(t, 100);
	poster_answer(t, poster_next(t, 100 * SEC), 200, "Expires: 100\n");
	expect_state(t, PUBLICATION_PUBLISHED);
	poster_expect(poster_next(t, 100 * SEC), "a1", NULL);
	drop(t);
}
END_TEST

START_TEST(for_no_time)
{
	struct poster *t = poster_new();

	poster_accept(t, poster_publish(t), "a1", 0);
	poster_expect_reply(&t->end, 200, -EBADMSG);
	poster_finish(t);
}
END_TEST

/* ---- the end ---- */

/* What nobody knows of may be there all the same. */
START_TEST(removed_unheard)
{
	struct poster *t = poster_new();
	struct poster_reply r = { 0 };

	(void)poster_publish(t);
	world_run(t->s.w, 33 * SEC);
	(void)world_skip_out(t->s.w);
	poster_remove(t, &r);
	world_settle(t->s.w);
	poster_expect_reply(&r, 0, -ETIMEDOUT);
	poster_expect_reply(&t->end, 0, -ETIMEDOUT);
	poster_finish(t);
}
END_TEST

START_TEST(removal_fails)
{
	struct poster *t = poster_new();
	struct poster_reply r = { 0 };

	poster_published(t, 100);
	poster_remove(t, &r);
	poster_answer(t, poster_next(t, SEC), 500, NULL);
	poster_expect_reply(&r, 500, -EREMOTEIO);
	poster_expect_reply(&t->end, 500, -EREMOTEIO);
	world_expect_silence(t->s.w, HOUR);
	poster_finish(t);
}
END_TEST

/* An endpoint that closes takes back what it has published. */
START_TEST(endpoint_closes)
{
	struct poster *t = poster_new();
	const struct msg *m;

	poster_published(t, 100);
	endpoint_close(t->s.ep);
	m = poster_next(t, SEC);
	poster_expect(m, "a1", NULL);
	poster_expect_expires(m, 0);
	ck_assert_uint_eq(world_count_news(t->s.wu, WORLD_REMOVED), 0);
	poster_answer(t, m, 200, NULL);
	poster_expect_reply(&t->end, 200, 0);
	world_settle(t->s.w);
	poster_finish(t);
}
END_TEST

/* ... and what is on its way, as soon as its tag is known. */
START_TEST(endpoint_closes_early)
{
	struct poster *t = poster_new();
	const struct msg *m = poster_publish(t);

	endpoint_close(t->s.ep);
	world_expect_silence(t->s.w, SEC / 4);
	poster_accept(t, m, "a1", 100);
	m = poster_next(t, SEC);
	poster_expect(m, "a1", NULL);
	poster_expect_expires(m, 0);
	poster_answer(t, m, 200, NULL);
	poster_expect_reply(&t->end, 200, 0);
	poster_finish(t);
}
END_TEST

/* ... and does not wait for ever. */
START_TEST(endpoint_closes_unheard)
{
	struct poster *t = poster_new();

	poster_published(t, 100);
	endpoint_close(t->s.ep);
	world_run(t->s.w, 64 * TIMER_T1 + SEC);
	ck_assert_uint_gt(world_skip_out(t->s.w), 0);
	ck_assert_uint_eq(t->end.n, 1);
	ck_assert_int_ne(t->end.error, 0);
	ck_assert_uint_eq(world_count_news(t->s.wu, WORLD_REMOVED), 1);
	poster_finish(t);
}
END_TEST

/* Several to one URI leave one after the other (section 4). */
START_TEST(several_leave)
{
	struct poster *a = poster_new(), b = { .s = a->s };
	const struct msg *m;

	poster_published(a, 100);
	poster_published(&b, 100);
	endpoint_close(a->s.ep);
	for (unsigned i = 0; i < 2; i++) {
		m = poster_next(a, SEC);
		poster_expect_expires(m, 0);
		world_expect_silence(a->s.w, SEC / 4);
		poster_answer(a, m, 200, NULL);
	}
	poster_expect_reply(&a->end, 200, 0);
	poster_expect_reply(&b.end, 200, 0);
	poster_finish(a);
}
END_TEST

/* ---- the server comes back ---- */

/* It may have lost everything: who registers anew finds out. */
START_TEST(registered_anew)
{
	static const char bound[] = "Contact: {contact};expires=600\n";
	struct poster *t = poster_new();
	const struct msg *m;

	scene_registered(&t->s, bound);
	poster_published(t, 3600);
	/* A refresh of the registration is no news. */
	world_reply(t->s.w, scene_next(&t->s, 600 * SEC), 200, bound);
	world_expect_silence(t->s.w, 10 * SEC);
	/* The registrar is gone until that has expired, and comes back without memory. */
	while (t->s.r->state == REGISTRATION_REGISTERED) {
		(void)world_skip_out(t->s.w);
		world_run(t->s.w, 60 * SEC);
	}
	(void)world_skip_out(t->s.w);
	world_reply(t->s.w, scene_next(&t->s, 600 * SEC), 200, bound);
	m = poster_next(t, 3 * SEC);
	poster_expect(m, "a1", NULL);
	poster_answer(t, m, 412, NULL);
	m = poster_next(t, SEC);
	poster_expect(m, NULL, "one");
	poster_accept(t, m, "b2", 3600);
	drop(t);
}
END_TEST

START_TEST(another_network)
{
	struct poster *t = poster_new();

	(void)poster_publish(t);
	world_run(t->s.w, 33 * SEC);
	(void)world_skip_out(t->s.w);
	expect_state(t, PUBLICATION_WAITING);
	ua_network_changed(t->s.wu->ua);
	poster_accept(t, poster_next(t, 3 * SEC), "a1", 100);
	/* Where nothing is wrong, nothing is to be done. */
	ua_network_changed(t->s.wu->ua);
	world_expect_silence(t->s.w, 10 * SEC);
	drop(t);
}
END_TEST

/* The machine slept beyond the end: it is published anew, and not everybody's at once. */
START_TEST(slept)
{
	struct poster *t = poster_new();

	poster_published(t, 100);
	world_sleep(t->s.w, HOUR);
	expect_state(t, PUBLICATION_WAITING);
	poster_expect(poster_next(t, 10 * SEC), NULL, "one");
	drop(t);
}
END_TEST

RUN_TESTS("publication-failure", forgotten, forgotten_before_a_change, forgotten_again,
	forgotten_before_the_end, too_brief, always_too_brief, refused, change_refused,
	change_refused_and_all_forgotten, refresh_refused, authenticated, not_accepted, retry_after,
	silence, lost_change, failing_refresh, without_tag, without_new_tag, for_no_time,
	removed_unheard, removal_fails, endpoint_closes, endpoint_closes_early,
	endpoint_closes_unheard, several_leave, registered_anew, another_network, slept)
