/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "protocol/msg/substate.h"

#include <errno.h>

#include "tests/support/exact.h"
#include "tests/support/run.h"

static struct substate parsed(const char *text)
{
	struct slice s = exact_str(text);
	struct substate v;

	ck_assert_msg(substate_parse(s, &v) == 0, "%s", text);
	exact_free(s);
	return v;
}

/* RFC 6665 section 8.4, substate-value; RFC 3261 section 7.3.1: ignoring case */
START_TEST(states)
{
	ck_assert_int_eq(parsed("active").state, SUBSTATE_ACTIVE);
	ck_assert_int_eq(parsed(" Pending ").state, SUBSTATE_PENDING);
	ck_assert_int_eq(parsed("TERMINATED;x").state, SUBSTATE_TERMINATED);
	ck_assert_int_eq(parsed("waiting").state, SUBSTATE_OTHER);
	ck_assert_int_eq(parsed("activ").state, SUBSTATE_OTHER);
}
END_TEST

/* RFC 6665 section 8.4, subexp-params */
START_TEST(parameters)
{
	struct slice text = exact_str("terminated ; Reason = probation;retry-after=4294967295"
				      ";expires=0;reason=giveup;expires=9;x=\"reason=y\"");
	struct substate v;

	ck_assert_int_eq(substate_parse(text, &v), 0);
	assert_slice(v.reason, "probation");
	ck_assert(v.has_expires && v.expires == 0);
	ck_assert(v.has_retry_after && v.retry_after == UINT32_MAX);
	exact_free(text);
	v = parsed("active");
	ck_assert(!v.reason.p && !v.has_expires && !v.has_retry_after);
	/* What is no delta-seconds is by the grammar a generic-param. */
	v = parsed("active;expires=never;retry-after=4294967296;reason");
	ck_assert(!v.reason.p && !v.has_expires && !v.has_retry_after);
	v = parsed("active;expires=-1;retry-after;expires=60");
	ck_assert(v.has_expires && v.expires == 60 && !v.has_retry_after);
	ck_assert(substate_parse(SLICE("terminated;reason=\"timeout\""), &v) == 0);
	assert_slice(v.reason, "timeout");
}
END_TEST

START_TEST(refused)
{
	static const char *const bad[] = { "", ";expires=1", "\"active\"", "active;", "active;;x",
		"active;expires=", "active,pending", "active pending", "active\r\n;x" };

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct slice text = exact_str(bad[i]);
		struct substate v = { .expires = 7 };

		ck_assert_msg(substate_parse(text, &v) == -EBADMSG, "%s", bad[i]);
		ck_assert_uint_eq(v.expires, 7);
		exact_free(text);
	}
}
END_TEST

RUN_TESTS("msg-subscription-state", states, parameters, refused)
