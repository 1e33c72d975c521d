/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The arithmetic of registrations: when to refresh, when to try again. */
#include <check.h>
#include <errno.h>

#include "protocol/ua/registration-private.h"
#include "tests/support/run.h"
#include "tests/support/world.h"

#define SEC USEC_PER_SEC

/* Any 64 bits count as random: the extremes, and a spread of others. */
static uint64_t random_at(unsigned i)
{
	return i == 0 ? 0 : i == 1 ? UINT64_MAX : i * 0x9e3779b97f4a7c15u;
}

enum { SAMPLES = 2000 };

struct range {
	usec_t low, high;
};

static void note(struct range *r, usec_t v)
{
	r->low = v < r->low ? v : r->low;
	r->high = v > r->high ? v : r->high;
}

/* RFC 3261 10.2.4: before it expires, with time for the attempt to fail; and spread */
START_TEST(refresh_range)
{
	static const struct {
		uint32_t granted;
		usec_t low, high; /* seconds */
	} rows[] = {
		{ 3600, 2160, 3240 },
		{ 604800, 362880, 544320 },
		{ 1000, 600, 900 },
		{ 340, 204, 306 },
		/* 34 s are left for the attempt, */
		{ 120, 57, 86 },
		/* or half of what there is. */
		{ 60, 20, 30 },
		{ 10, 3, 5 },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct range r = { USEC_NEVER, 0 };

		for (unsigned n = 0; n < SAMPLES; n++)
			note(&r, backoff_refresh_delay(rows[i].granted, random_at(n)));
		ck_assert_uint_ge(r.low, rows[i].low * SEC);
		ck_assert_uint_le(r.high, rows[i].high * SEC);
		/* All of the range is used. */
		ck_assert_uint_le(r.low, r.high - (rows[i].high - rows[i].low - 1) * SEC * 9 / 10);
	}
}
END_TEST

/* However little a registrar grants: some time passes, and the binding is not over. */
START_TEST(refresh_of_little)
{
	for (uint32_t granted = 1; granted < 200; granted++)
		for (unsigned n = 0; n < 50; n++) {
			usec_t d = backoff_refresh_delay(granted, random_at(n));

			ck_assert_uint_ge(d, granted * SEC / 4);
			ck_assert_uint_le(d, granted * SEC - granted * SEC / 10);
		}
}
END_TEST

/* RFC 5626 section 4.5, the table at its end: 30 s base when all flows failed, 1800 s at most */
START_TEST(back_off)
{
	static const struct {
		unsigned failures;
		usec_t bound;
	} rows[] = {
		{ 1, 60 },
		{ 2, 120 },
		{ 3, 240 },
		{ 4, 480 },
		{ 5, 960 },
		{ 6, 1800 },
		{ 7, 1800 },
		{ 1000, 1800 },
		{ UINT32_MAX, 1800 },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct range r = { USEC_NEVER, 0 };

		for (unsigned n = 0; n < SAMPLES; n++)
			note(&r, backoff_delay(
					 REGISTRATION_BASE_ALL, rows[i].failures, random_at(n)));
		ck_assert_uint_eq(r.low, rows[i].bound * SEC / 2);
		ck_assert_uint_le(r.high, rows[i].bound * SEC);
		ck_assert_uint_ge(r.high, rows[i].bound * SEC * 98 / 100);
	}
}
END_TEST

START_TEST(hurry)
{
	/* Half of what is left, */
	ck_assert_uint_eq(backoff_hurry(60 * SEC, 100 * SEC), 50 * SEC);
	/* not later than the back-off says, */
	ck_assert_uint_eq(backoff_hurry(60 * SEC, 3600 * SEC), 60 * SEC);
	/* and not in a hail at the end. */
	ck_assert_uint_eq(backoff_hurry(60 * SEC, 3 * SEC), 5 * SEC);
}
END_TEST

/* RFC 3261 section 20.33 */
START_TEST(retry_after)
{
	for (unsigned n = 0; n < SAMPLES; n++) {
		usec_t d = backoff_not_before(40 * SEC, 100, random_at(n));

		ck_assert_uint_ge(d, 100 * SEC);
		ck_assert_uint_le(d, 110 * SEC);
		ck_assert_uint_eq(backoff_not_before(40 * SEC, 39, random_at(n)), 40 * SEC);
		d = backoff_not_before(40 * SEC, UINT32_MAX, random_at(n));
		ck_assert_uint_ge(d, 24 * 3600 * SEC);
		ck_assert_uint_le(d, 24 * 3600 * SEC + 30 * SEC);
	}
}
END_TEST

START_TEST(other_delays)
{
	for (unsigned n = 0; n < SAMPLES; n++) {
		usec_t slow = backoff_slow_delay(random_at(n));
		usec_t again = backoff_delay(REGISTRATION_BASE_OTHERS, 1, random_at(n));

		ck_assert_uint_ge(slow, 45 * 60 * SEC);
		ck_assert_uint_le(slow, 75 * 60 * SEC);
		ck_assert_uint_le(backoff_flow_delay(random_at(n)), 2 * SEC);
		/* RFC 5626 section 4.5: longer while another flow lives. */
		ck_assert_uint_ge(again, 90 * SEC);
		ck_assert_uint_le(again, 180 * SEC);
		ck_assert_uint_le(backoff_resume_delay(random_at(n)), 10 * SEC);
	}
}
END_TEST

START_TEST(names)
{
	ck_assert_str_eq(registration_state_name(REGISTRATION_UNREGISTERED), "unregistered");
	ck_assert_str_eq(registration_state_name(REGISTRATION_REGISTERING), "registering");
	ck_assert_str_eq(registration_state_name(REGISTRATION_REGISTERED), "registered");
	ck_assert_str_eq(registration_state_name(REGISTRATION_UNREGISTERING), "unregistering");
	ck_assert_str_eq(registration_state_name(REGISTRATION_WAITING), "waiting");
	ck_assert_str_eq(registration_state_name(REGISTRATION_FAILED), "failed");
}
END_TEST

/* A profile without a registrar: both verbs say so. */
START_TEST(no_registrar)
{
	struct world *w = world_new(1);
	struct world_ua *wu = world_ua(w, "192.0.2.10");
	struct profile *p = profile_new();
	struct endpoint_config c = { .profile = p };
	struct registration_options o = { 0 };
	struct endpoint *ep;

	p->name = mem_strdup("alice");
	p->uri = mem_strdup("sip:alice@example.com");
	p->kind = PROFILE_REGISTERED;
	ck_assert_int_eq(endpoint_new(wu->ua, &c, &ep), 0);
	ck_assert_int_eq(registration_start(ep->registration, &o), -EOPNOTSUPP);
	ck_assert_int_eq(registration_stop(ep->registration, REGISTRATION_ALL), -EOPNOTSUPP);
	profile_unref(p);
	world_free(w);
}
END_TEST

RUN_TESTS("registration", refresh_range, refresh_of_little, back_off, hurry, retry_after,
	other_delays, names, no_registrar)
