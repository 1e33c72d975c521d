/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Publishing event state as RFC 3903 has it: created, refreshed, modified and removed, one PUBLISH
 * at a time.
 */
#include <check.h>

#include "protocol/base/err.h"
#include "protocol/ua/limits.h"
#include "tests/flow/poster.h"
#include "tests/support/run.h"

/* Section 4.2: no SIP-If-Match, a body, Expires as suggested; to the own address of record. */
START_TEST(initial)
{
	struct poster *t = poster_new();
	const struct msg *m = poster_publish(t);

	poster_expect(m, NULL, "one");
	poster_expect_expires(m, 3600);
	ck_assert(slice_eq(m->uri.text, SLICE("sip:alice@example.com")));
	ck_assert_ptr_null(msg_header(m, HDR_CONTACT).p);
	ck_assert_int_eq(publication_state(t->p), PUBLICATION_PUBLISHING);
	poster_accept(t, m, "dx200xyz", 1800);
	poster_expect_reply(&t->first, 200, 0);
	ck_assert_str_eq(publication_etag(t->p), "dx200xyz");
	/* The compositor may lower the lifetime. */
	ck_assert_uint_eq(scene_in_seconds(&t->s, publication_expires(t->p)), 1800);
	ck_assert(slice_eq(publication_event(t->p), SLICE("presence")));
	publication_free(t->p);
	poster_finish(t);
}
END_TEST

/* ... but never extend it, and what it does not say is what was asked for. */
START_TEST(lifetime)
{
	static const char *const answers[] = { "SIP-ETag: a\nExpires: 7200\n", "SIP-ETag: a\n",
		"SIP-ETag: a\nExpires: soon\n" };

	for (size_t i = 0; i < ARRAY_LEN(answers); i++) {
		struct poster *t = poster_new();

		poster_answer(t, poster_publish(t), 200, answers[i]);
		ck_assert_uint_eq(scene_in_seconds(&t->s, publication_expires(t->p)), 3600);
		publication_free(t->p);
		poster_finish(t);
	}
}
END_TEST

/* Section 4.3: before the end, with the tag and without a body; each answer brings another tag. */
START_TEST(refresh)
{
	static const char *const tags[] = { "a1", "b2", "c3", "d4" };
	struct poster *t = poster_new();

	poster_published(t, 100);
	for (size_t i = 0; i + 1 < ARRAY_LEN(tags); i++) {
		usec_t begun = world_now(t->s.w);
		const struct msg *m = poster_next(t, 100 * SEC);

		ck_assert_uint_lt(world_now(t->s.w) - begun, 70 * SEC);
		poster_expect(m, tags[i], NULL);
		poster_expect_expires(m, 3600);
		ck_assert_int_eq(publication_state(t->p), PUBLICATION_PUBLISHED);
		poster_accept(t, m, tags[i + 1], 100);
		ck_assert_str_eq(publication_etag(t->p), tags[i + 1]);
	}
	ck_assert_uint_eq(t->n_failed, 0);
	publication_free(t->p);
	poster_finish(t);
}
END_TEST

/* Section 4.4: tag and body. */
START_TEST(modify)
{
	struct poster *t = poster_new();
	struct poster_reply r = { 0 };
	const struct msg *m;

	poster_published(t, 100);
	poster_modify(t, "two", &r);
	m = poster_next(t, SEC);
	poster_expect(m, "a1", "two");
	ck_assert_uint_eq(r.n, 0);
	poster_accept(t, m, "b2", 100);
	poster_expect_reply(&r, 200, 0);
	ck_assert_str_eq(publication_etag(t->p), "b2");
	poster_expect(poster_next(t, 100 * SEC), "b2", NULL);
	publication_free(t->p);
	poster_finish(t);
}
END_TEST

/* Section 4.5: tag, Expires: 0, no body. */
START_TEST(remove_it)
{
	struct poster *t = poster_new();
	struct poster_reply r = { 0 };
	const struct msg *m;

	poster_published(t, 100);
	poster_remove(t, &r);
	ck_assert_int_eq(publication_state(t->p), PUBLICATION_REMOVING);
	m = poster_next(t, SEC);
	poster_expect(m, "a1", NULL);
	poster_expect_expires(m, 0);
	poster_answer(t, m, 200, "SIP-ETag: z\nExpires: 0\n");
	poster_expect_reply(&r, 200, 0);
	poster_expect_reply(&t->end, 200, 0);
	ck_assert_ptr_null(t->p);
	poster_finish(t);
}
END_TEST

/* Section 4: none before the last one has its final response; of those that wait the last counts.
 */
START_TEST(in_turn)
{
	struct poster *t = poster_new();
	struct poster_reply r[4] = { 0 };
	const struct msg *m = poster_publish(t);

	poster_modify(t, "two", &r[0]);
	poster_modify(t, "three", &r[1]);
	world_expect_silence(t->s.w, SEC / 4);
	poster_accept(t, m, "a1", 100);
	poster_expect_reply(&t->first, 200, 0);
	ck_assert_uint_eq(r[0].n + r[1].n, 0);
	m = poster_next(t, SEC);
	poster_expect(m, "a1", "three");
	poster_modify(t, "four", &r[2]);
	world_expect_silence(t->s.w, SEC / 4);
	poster_accept(t, m, "b2", 100);
	poster_expect_reply(&r[0], 200, 0);
	poster_expect_reply(&r[1], 200, 0);
	ck_assert_uint_eq(r[2].n, 0);
	m = poster_next(t, SEC);
	poster_expect(m, "b2", "four");
	poster_remove(t, &r[3]);
	poster_accept(t, m, "c3", 100);
	poster_expect_reply(&r[2], 200, 0);
	m = poster_next(t, SEC);
	poster_expect(m, "c3", NULL);
	poster_expect_expires(m, 0);
	poster_answer(t, m, 200, NULL);
	poster_expect_reply(&r[3], 200, 0);
	poster_finish(t);
}
END_TEST

/* A change that waits for a PUBLISH under way never goes once it is to be removed. */
START_TEST(removed_meanwhile)
{
	struct poster *t = poster_new();
	struct poster_reply change = { 0 }, away[2] = { 0 };
	const struct msg *m = poster_publish(t);

	poster_modify(t, "two", &change);
	poster_remove(t, &away[0]);
	poster_remove(t, &away[1]);
	ck_assert_int_eq(
		publication_modify(t->p, SLICE("text/plain"), SLICE("late"), NULL), -ESTALE);
	world_settle(t->s.w);
	poster_expect_reply(&change, 0, -ECANCELED);
	poster_accept(t, m, "a1", 100);
	m = poster_next(t, SEC);
	poster_expect(m, "a1", NULL);
	poster_expect_expires(m, 0);
	poster_answer(t, m, 200, NULL);
	poster_expect_reply(&away[0], 200, 0);
	poster_expect_reply(&away[1], 200, 0);
	poster_finish(t);
}
END_TEST

static void on_changed(void *owner, struct publication *p)
{
	(void)owner;
	(void)p;
}

static const struct publication_ops quiet = { .changed = on_changed };

/* Section 4: two publications to one URI take turns, too. */
START_TEST(two_of_them)
{
	struct poster *t = poster_new();
	const struct msg *m = poster_publish(t);
	struct publication *other;
	struct publication_spec spec = {
		.event = SLICE("dialog"),
		.content_type = SLICE("text/plain"),
		.body = SLICE("d"),
	};

	ck_assert_int_eq(publication_new(t->s.ep, &spec, &quiet, NULL, &other), 0);
	world_expect_silence(t->s.w, SEC / 4);
	poster_accept(t, m, "a1", 100);
	m = poster_next(t, SEC);
	ck_assert(slice_eq(msg_header(m, HDR_EVENT), SLICE("dialog")));
	ck_assert_ptr_null(msg_header(m, HDR_SIP_IF_MATCH).p);
	publication_free(other);
	publication_free(t->p);
	poster_finish(t);
}
END_TEST

/* What may be published, and what not. */
START_TEST(checks)
{
	static const struct request_header header = { SLICE_INIT("SIP-If-Match"), SLICE_INIT("x") };
	struct poster *t = poster_new();
	const struct publication_spec good = {
		.event = SLICE("presence"),
		.content_type = SLICE("text/plain"),
		.body = SLICE("b"),
	};
	struct publication_spec bad[8];
	struct publication *p;

	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		bad[i] = good;
	bad[0].event = SLICE("");
	bad[1].event = SLICE("presence\r\nX: y");
	bad[2].content_type = SLICE("");
	bad[3].body = SLICE("");
	bad[4].target = SLICE("nonsense");
	bad[5].expires = LIMITS_EXPIRES + 1;
	bad[6].headers = &header;
	bad[6].n_headers = 1;
	bad[7].content_type = SLICE("text/plain\r\nX: y");
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		ck_assert_int_eq(publication_new(t->s.ep, &bad[i], &quiet, NULL, &p), -EINVAL);
	ck_assert_uint_eq(t->s.ep->n_publications, 0);
	poster_finish(t);
}
END_TEST

START_TEST(peer_to_peer_does_not_publish)
{
	static const struct world_account bob = { .id = "bob", .domain = "192.0.2.20" };
	static const struct publication_spec spec = {
		.target = SLICE_INIT("sip:alice@192.0.2.1"),
		.event = SLICE_INIT("presence"),
		.content_type = SLICE_INIT("text/plain"),
		.body = SLICE_INIT("b"),
	};
	struct poster *t = poster_new();
	struct world_ua *wu = world_ua(t->s.w, "192.0.2.20");
	struct publication *p;

	ck_assert_int_eq(
		publication_new(world_endpoint(wu, &bob), &spec, &quiet, NULL, &p), -EOPNOTSUPP);
	poster_finish(t);
}
END_TEST

/* Section 15, what goes between the presence user agent and the presence agent; and the end. */
START_TEST(rfc3903_15)
{
	static const char *const shown[] = { "CSeq", "Event", "Expires", "SIP-If-Match", "SIP-ETag",
		"Content-Type", "Content-Length" };
	struct poster *t = poster_new();

	for (size_t i = 0; i < ARRAY_LEN(shown); i++)
		world_show(t->s.w, shown[i]);
	poster_accept(t, poster_publish(t), "dx200xyz", 1800);         /* M5, M6 */
	poster_accept(t, poster_next(t, 1800 * SEC), "kwj449x", 1800); /* M9, M10 */
	world_run(t->s.w, 60 * SEC);
	poster_modify(t, "two", NULL);
	poster_accept(t, poster_next(t, SEC), "qwi982ks", 3600); /* M11, M12 */
	world_run(t->s.w, 60 * SEC);
	poster_remove(t, NULL);
	poster_answer(t, poster_next(t, SEC), 200, "Expires: 0\n");
	ck_assert_ptr_null(t->p);
	world_log_golden(t->s.w, "publication-3903-15");
	poster_finish(t);
}
END_TEST

RUN_TESTS("publication", initial, lifetime, refresh, modify, remove_it, in_turn, removed_meanwhile,
	two_of_them, checks, peer_to_peer_does_not_publish, rfc3903_15)
