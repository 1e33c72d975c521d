/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The three rates of RFC 6446, without a user agent. */
#include <check.h>

#include "protocol/ua/subscriber-rate.h"
#include "tests/support/run.h"

static void expect(const char *event, uint32_t seconds, const char *holds)
{
	struct subscriber_rate r = { 0 };
	struct buf b = BUF_NULL;

	subscriber_rate_read(&r, slice_str(event), seconds, USEC_PER_SEC);
	subscriber_rate_append(&b, &r);
	ck_assert_msg(slice_eq(buf_slice(&b), slice_str(holds)), "%s gives '%.*s', not '%s'", event,
		SLICE_ARGS(buf_slice(&b)), holds);
	buf_deinit(&b);
}

/* 9.2; what is malformed was not asked for. */
START_TEST(rfc6446_9_2_values)
{
	expect("a", 600, "");
	expect("a;max-rate=0.5", 600, ";max-rate=0.5");
	expect("a;id=1;max-rate=99.9999999999", 600, ";max-rate=99.9999999999");
	expect("a;MAX-RATE=07.50", 600, ";max-rate=7.5");
	expect("a;max-rate=12", 600, ";max-rate=12");
	expect("a;max-rate=0", 600, "");
	expect("a;max-rate=0.0000000000", 600, "");
	expect("a;max-rate=100", 600, "");
	expect("a;max-rate=1.00000000001", 600, "");
	expect("a;max-rate=-1", 600, "");
	expect("a;max-rate=", 600, "");
	expect("a;max-rate", 600, "");
	expect("a;max-rate=.5", 600, "");
	expect("a;max-rate=1.", 600, "");
}
END_TEST

/* 5.3: at least one before the end. */
START_TEST(rfc6446_5_3_subscription_is_shorter)
{
	expect("a;max-rate=0.0000000001", 100, ";max-rate=0.01");
	expect("a;max-rate=0.02", 100, ";max-rate=0.02");
	expect("a;max-rate=0.02", 0, ";max-rate=0.02");
}
END_TEST

/* 6.3, 7.3, 8 */
START_TEST(rfc6446_8_together)
{
	expect("a;max-rate=0.5;min-rate=0.8", 600, ";max-rate=0.5;min-rate=0.5");
	expect("a;max-rate=0.5;adaptive-min-rate=0.8", 600, ";max-rate=0.5;adaptive-min-rate=0.5");
	expect("a;min-rate=0.5;adaptive-min-rate=0.5", 600, ";adaptive-min-rate=0.5");
	expect("a;min-rate=0.1;adaptive-min-rate=0.5", 600, ";min-rate=0.1;adaptive-min-rate=0.5");
	expect("a;min-rate=50", 600, ";min-rate=1");
	expect("a;adaptive-min-rate=50", 600, ";adaptive-min-rate=1");
}
END_TEST

/* 7.4: timeout = count / (rate^2 * period), the period being ten intervals. */
START_TEST(rfc6446_7_4_formula)
{
	struct subscriber_rate r = { 0 };
	usec_t now = 1000 * USEC_PER_SEC;

	subscriber_rate_read(&r, SLICE("a;adaptive-min-rate=0.5"), 600, now);
	ck_assert_uint_eq(subscriber_rate_latest(&r), USEC_NEVER);
	subscriber_rate_sent(&r, now);
	/* 11 / (0.25 * 20) = 2.2 s */
	ck_assert_uint_eq(subscriber_rate_latest(&r) - now, 2200 * USEC_PER_MSEC);
	for (unsigned i = 0; i < 9; i++)
		subscriber_rate_sent(&r, now);
	ck_assert_uint_eq(subscriber_rate_latest(&r) - now, 4 * USEC_PER_SEC);
	/* A whole period later there is only this one. */
	now += 100 * USEC_PER_SEC;
	subscriber_rate_sent(&r, now);
	ck_assert_uint_eq(subscriber_rate_latest(&r) - now, 200 * USEC_PER_MSEC);
	/* (2): never sooner than max-rate lets it. */
	subscriber_rate_read(&r, SLICE("a;adaptive-min-rate=0.5;max-rate=1"), 600, now);
	ck_assert_uint_eq(subscriber_rate_latest(&r) - now, 1 * USEC_PER_SEC);
	ck_assert_uint_eq(subscriber_rate_earliest(&r) - now, 1 * USEC_PER_SEC);
}
END_TEST

RUN_TESTS("subscriber-rate", rfc6446_9_2_values, rfc6446_5_3_subscription_is_shorter,
	rfc6446_8_together, rfc6446_7_4_formula)
