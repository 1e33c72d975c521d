/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A thousand endpoints and a registrar that is not there: nobody gives up, one looks whether it is
 * back, and then the others follow at a pace (RFC 5626 section 4.5, pace.h).
 */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>

#include "protocol/ua/registration.h"
#include "tests/support/world-peer.h"
#include "tests/support/world-record.h"

#define SEC USEC_PER_SEC
#define HOUR (3600 * SEC)

enum {
	ENDPOINTS = 1000,
	/* An even spread of refreshes over 30 per cent of the hour is 1; chance makes it more. */
	REFRESHES = 12,
};

struct storm {
	struct world *w;
	struct world_ua *wu;
	uint64_t seen;
};

static bool answer(void *ctx, struct world_mail *mail)
{
	(void)ctx;
	world_mail_reply(mail, 200, "Contact: {contact};expires=3600\n");
	return true;
}

static struct storm storm_new(uint64_t seed)
{
	struct storm s = { .w = world_new(seed) };

	world_hush(s.w);
	s.wu = world_ua(s.w, "192.0.2.10");
	world_set_peer(s.w, answer, NULL);
	for (int i = 0; i < ENDPOINTS; i++) {
		char id[16];
		struct world_account a = {
			.id = id,
			.domain = "example.com",
			.registrar = "192.0.2.1",
			.auto_refresh = true,
		};

		(void)snprintf(id, sizeof(id), "user%d", i);
		(void)world_endpoint(s.wu, &a);
	}
	return s;
}

static void start_all(const struct storm *s)
{
	list_for_each (pos, &s->wu->ua->endpoints) {
		struct endpoint *ep = list_entry(pos, struct endpoint, node);

		ck_assert_int_eq(
			registration_start(ep->registration,
				&(struct registration_options){ .haste = REGISTRATION_PACED }),
			0);
	}
}

static size_t count(const struct storm *s, enum registration_state state)
{
	size_t n = 0;

	list_for_each (pos, &s->wu->ua->endpoints)
		n += list_entry(pos, struct endpoint, node)->registration->state == state;
	return n;
}

/* The most new requests that left within a second of that time. */
static uint64_t watch(struct storm *s, usec_t duration)
{
	uint64_t most = 0;

	for (usec_t t = 0; t < duration; t += SEC) {
		uint64_t before = s->wu->ua->txns.n_requests_out, n;

		world_run(s->w, SEC);
		n = s->wu->ua->txns.n_requests_out - before;
		most = n > most ? n : most;
	}
	return most;
}

/* A probe, and nobody else before it has ended: its bound is Timer F and PACE_PROBE. */
static void stays_dead(struct storm *s, usec_t duration)
{
	uint64_t before = s->wu->ua->txns.n_requests_out;

	ck_assert_uint_le(watch(s, duration), 1);
	ck_assert_uint_le(
		s->wu->ua->txns.n_requests_out - before, duration / (TIMER_F + PACE_PROBE) + 1);
	ck_assert_uint_eq(count(s, REGISTRATION_REGISTERED), 0);
}

/* It is back: found by one, and then each second brings twice as many as the one before. */
static void recovers(struct storm *s)
{
	uint64_t bound = PACE_FIRST, begun;

	world_set_reach(s->w, "192.0.2.1", WORLD_UP);
	begun = s->wu->ua->txns.n_requests_out;
	for (usec_t t = 0; count(s, REGISTRATION_REGISTERED) == 0; t += SEC) {
		/* Within a probe's time; the answer to what was sent into the silence may be it. */
		ck_assert_uint_le(t, TIMER_F + PACE_PROBE + SEC);
		world_run(s->w, SEC);
	}
	begun = s->wu->ua->txns.n_requests_out - begun;
	ck_assert_uint_le(begun, 2 + PACE_BURST + PACE_FIRST);
	for (unsigned t = 0; t < 8; t++) {
		ck_assert_uint_le(watch(s, SEC), PACE_BURST + 2 * bound);
		bound = 2 * bound < PACE_MOST ? 2 * bound : PACE_MOST;
	}
	ck_assert_uint_eq(count(s, REGISTRATION_REGISTERED), ENDPOINTS);
}

START_TEST(dead_from_the_start)
{
	struct storm s = storm_new((uint64_t)_i);

	world_set_reach(s.w, "192.0.2.1", WORLD_SILENT);
	start_all(&s);
	world_run(s.w, SEC);
	ck_assert_uint_eq(s.wu->ua->txns.n_requests_out, PACE_UNPROVEN);
	world_run(s.w, TIMER_F);
	stays_dead(&s, HOUR);
	recovers(&s);
	/* And the refreshes stay spread: the load of an hour is even. */
	ck_assert_uint_le(watch(&s, 2 * HOUR), REFRESHES);
	ck_assert_uint_eq(count(&s, REGISTRATION_REGISTERED), ENDPOINTS);
	world_free(s.w);
}
END_TEST

START_TEST(dies_and_comes_back)
{
	struct storm s = storm_new((uint64_t)_i);

	start_all(&s);
	world_run(s.w, 10 * SEC);
	ck_assert_uint_eq(count(&s, REGISTRATION_REGISTERED), ENDPOINTS);
	world_set_reach(s.w, "192.0.2.1", WORLD_SILENT);
	ck_assert_uint_le(watch(&s, HOUR), REFRESHES);
	/* Each says why, those too whose turn to find out never came. */
	list_for_each (pos, &s.wu->ua->endpoints) {
		struct registration *r = list_entry(pos, struct endpoint, node)->registration;

		ck_assert(r->request || r->last_reason);
	}
	stays_dead(&s, 2 * HOUR);
	recovers(&s);
	world_free(s.w);
}
END_TEST

/* Connections are refused: found out sooner, and just as gently. */
START_TEST(refuses)
{
	struct storm s = storm_new((uint64_t)_i);
	uint64_t before;

	start_all(&s);
	world_run(s.w, 10 * SEC);
	world_set_reach(s.w, "192.0.2.1", WORLD_REFUSED);
	world_run(s.w, HOUR);
	ck_assert_uint_eq(count(&s, REGISTRATION_REGISTERED), 0);
	before = s.wu->ua->txns.n_requests_out;
	ck_assert_uint_le(watch(&s, HOUR), 1);
	ck_assert_uint_le(s.wu->ua->txns.n_requests_out - before, HOUR / PACE_PROBE + 1);
	recovers(&s);
	world_free(s.w);
}
END_TEST

static bool overloaded(void *ctx, struct world_mail *mail)
{
	(void)ctx;
	world_mail_reply(mail, 503, "Retry-After: 600\n");
	return true;
}

/* RFC 3261 21.5.4: what one endpoint was told holds for all who go to that server. */
START_TEST(asks_to_be_left_alone)
{
	struct storm s = storm_new((uint64_t)_i);
	uint64_t n;

	world_set_peer(s.w, overloaded, NULL);
	start_all(&s);
	world_run(s.w, SEC);
	n = s.wu->ua->txns.n_requests_out;
	ck_assert_uint_le(n, PACE_UNPROVEN);
	world_run(s.w, 598 * SEC);
	ck_assert_uint_eq(s.wu->ua->txns.n_requests_out, n);
	/* One looks, and is told the same. */
	world_run(s.w, 10 * SEC);
	ck_assert_uint_eq(s.wu->ua->txns.n_requests_out, n + 1);
	world_set_peer(s.w, answer, NULL);
	world_run(s.w, 580 * SEC);
	ck_assert_uint_eq(s.wu->ua->txns.n_requests_out, n + 1);
	recovers(&s);
	world_free(s.w);
}
END_TEST

/* The machine is somewhere else. */
START_TEST(moves)
{
	struct storm s = storm_new((uint64_t)_i);

	start_all(&s);
	world_run(s.w, 60 * SEC);
	world_move(s.wu, "192.0.2.77");
	ck_assert_uint_le(watch(&s, SEC), PACE_UNPROVEN + PACE_BURST + PACE_FIRST);
	ck_assert_uint_le(watch(&s, 20 * SEC), PACE_BURST + PACE_MOST);
	ck_assert_uint_eq(count(&s, REGISTRATION_REGISTERED), ENDPOINTS);
	/* Again and again, and each time each of them once. */
	for (unsigned i = 0; i < 5; i++) {
		world_move(s.wu, i % 2 ? "192.0.2.77" : "192.0.2.10");
		world_run(s.w, SEC);
	}
	ck_assert_uint_le(watch(&s, 20 * SEC), PACE_BURST + PACE_MOST);
	ck_assert_uint_eq(count(&s, REGISTRATION_REGISTERED), ENDPOINTS);
	world_free(s.w);
}
END_TEST

/* The machine slept over every refresh. */
START_TEST(resumes)
{
	struct storm s = storm_new((uint64_t)_i);

	start_all(&s);
	world_run(s.w, 10 * SEC);
	world_sleep(s.w, 5 * HOUR);
	ck_assert_uint_eq(count(&s, REGISTRATION_REGISTERED), 0);
	ck_assert_uint_le(watch(&s, SEC), PACE_UNPROVEN + PACE_BURST + PACE_FIRST);
	ck_assert_uint_le(watch(&s, 20 * SEC), PACE_BURST + PACE_MOST);
	ck_assert_uint_eq(count(&s, REGISTRATION_REGISTERED), ENDPOINTS);
	world_free(s.w);
}
END_TEST

/* Everybody leaves: as gently as they came. */
START_TEST(leaves)
{
	struct storm s = storm_new((uint64_t)_i);
	usec_t began;

	start_all(&s);
	world_run(s.w, 60 * SEC);
	began = world_now(s.w);
	ua_stop(s.wu->ua);
	ck_assert_uint_le(watch(&s, SEC), PACE_UNPROVEN + PACE_BURST + PACE_FIRST);
	while (!ua_is_stopped(s.wu->ua))
		ck_assert_uint_le(watch(&s, SEC), PACE_BURST + PACE_MOST);
	ck_assert_uint_le(world_now(s.w) - began, 10 * SEC);
	world_free(s.w);
}
END_TEST

static Suite *suite(void)
{
	Suite *s = suite_create("storm");
	TCase *c = tcase_create("flows");

	tcase_set_timeout(c, 120);
	tcase_add_loop_test(c, dead_from_the_start, 1, 2);
	tcase_add_loop_test(c, dies_and_comes_back, 1, 2);
	tcase_add_loop_test(c, refuses, 1, 2);
	tcase_add_loop_test(c, asks_to_be_left_alone, 1, 2);
	tcase_add_loop_test(c, moves, 1, 2);
	tcase_add_loop_test(c, resumes, 1, 2);
	tcase_add_loop_test(c, leaves, 1, 2);
	suite_add_tcase(s, c);
	return s;
}

int main(void)
{
	SRunner *r = srunner_create(suite());
	int failed;

	srunner_run_all(r, CK_ENV);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
