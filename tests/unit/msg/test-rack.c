/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "protocol/msg/rack.h"

#include <errno.h>

#include "protocol/msg/rseq.h"
#include "tests/support/exact.h"
#include "tests/support/run.h"

/* RFC 3262 sections 7.2 and 10 */
START_TEST(rack)
{
	struct slice text = exact_str("776656 1 INVITE");
	struct rack r;

	ck_assert_int_eq(rack_parse(text, &r), 0);
	ck_assert_uint_eq(r.rseq, 776656);
	ck_assert_uint_eq(r.cseq, 1);
	assert_slice(r.method, "INVITE");
	exact_free(text);
	text = exact_str(" 4294967295 \t2147483647   x-M! ");
	ck_assert_int_eq(rack_parse(text, &r), 0);
	ck_assert_uint_eq(r.rseq, UINT32_MAX);
	ck_assert_uint_eq(r.cseq, INT32_MAX);
	assert_slice(r.method, "x-M!");
	exact_free(text);
}
END_TEST

START_TEST(rack_refused)
{
	static const char *const bad[] = { "", "1", "1 2", "1 2 ", "1 INVITE", "1 2INVITE",
		"12INVITE", "0 1 INVITE", "4294967296 1 INVITE", "1 2147483648 INVITE",
		"-1 1 INVITE", "1 2 INVITE x", "1 2 INVITE;x", "1 2 \"I\"", "1,2 INVITE",
		"1\r\n2 INVITE" };

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct slice text = exact_str(bad[i]);
		struct rack r = { .rseq = 7 };

		ck_assert_msg(rack_parse(text, &r) == -EBADMSG, "%s", bad[i]);
		ck_assert_uint_eq(r.rseq, 7);
		exact_free(text);
	}
}
END_TEST

/* RFC 3262 section 7.1: "from 1 to 2**32 - 1" */
START_TEST(rseq)
{
	static const char *const bad[] = { "", "0", "4294967296", "99999999999999999999999", "-1",
		"+1", "1 2", "1;x", "0x1" };
	uint32_t v = 0;

	ck_assert_int_eq(rseq_parse(SLICE("1"), &v), 0);
	ck_assert_uint_eq(v, 1);
	ck_assert_int_eq(rseq_parse(SLICE(" 0004294967295 "), &v), 0);
	ck_assert_uint_eq(v, UINT32_MAX);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct slice text = exact_str(bad[i]);

		ck_assert_msg(rseq_parse(text, &v) == -EBADMSG, "%s", bad[i]);
		ck_assert_uint_eq(v, UINT32_MAX);
		exact_free(text);
	}
}
END_TEST

RUN_TESTS("msg-rack", rack, rack_refused, rseq)
