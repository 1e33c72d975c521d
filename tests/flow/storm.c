/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A thousand endpoints and a registrar that is not there: nobody gives up, and nobody comes back
 * in the same instant as everybody else (RFC 5626 section 4.5).
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
	/* An even spread over the first back-off, 30 to 60 s, is 34; chance makes it more. */
	BURST = 60,
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
			registration_start(ep->registration, &(struct registration_options){ 0 }),
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

START_TEST(dead_from_the_start)
{
	struct storm s = storm_new((uint64_t)_i);

	world_set_reach(s.w, "192.0.2.1", WORLD_SILENT);
	start_all(&s);
	/* That all of them began at once was the test's doing. */
	world_run(s.w, SEC);
	ck_assert_uint_le(watch(&s, HOUR), BURST);
	ck_assert_uint_eq(count(&s, REGISTRATION_REGISTERED), 0);
	world_set_reach(s.w, "192.0.2.1", WORLD_UP);
	ck_assert_uint_le(watch(&s, 1800 * SEC + 2 * TIMER_F), BURST);
	ck_assert_uint_eq(count(&s, REGISTRATION_REGISTERED), ENDPOINTS);
	/* And the refreshes stay spread: the load of an hour is even. */
	ck_assert_uint_le(watch(&s, 2 * HOUR), BURST / 2);
	ck_assert_uint_eq(count(&s, REGISTRATION_REGISTERED), ENDPOINTS);
	world_free(s.w);
}
END_TEST

START_TEST(dies_and_comes_back)
{
	struct storm s = storm_new((uint64_t)_i);

	start_all(&s);
	world_run(s.w, SEC);
	ck_assert_uint_eq(count(&s, REGISTRATION_REGISTERED), ENDPOINTS);
	world_set_reach(s.w, "192.0.2.1", WORLD_SILENT);
	ck_assert_uint_le(watch(&s, 3 * HOUR), BURST);
	ck_assert_uint_eq(count(&s, REGISTRATION_REGISTERED), 0);
	world_set_reach(s.w, "192.0.2.1", WORLD_UP);
	ck_assert_uint_le(watch(&s, 1800 * SEC + 2 * TIMER_F), BURST);
	ck_assert_uint_eq(count(&s, REGISTRATION_REGISTERED), ENDPOINTS);
	world_free(s.w);
}
END_TEST

/* The machine slept over every refresh. */
START_TEST(resumes)
{
	struct storm s = storm_new((uint64_t)_i);

	start_all(&s);
	world_run(s.w, SEC);
	world_sleep(s.w, 5 * HOUR);
	/* Ten seconds, evenly: a hundred in each. */
	ck_assert_uint_le(watch(&s, 11 * SEC), 2 * ENDPOINTS / 10);
	ck_assert_uint_eq(count(&s, REGISTRATION_REGISTERED), ENDPOINTS);
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
	tcase_add_loop_test(c, resumes, 1, 2);
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
