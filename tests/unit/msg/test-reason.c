/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "protocol/msg/reason.h"

#include <errno.h>

#include "protocol/base/buf.h"
#include "tests/support/exact.h"
#include "tests/support/run.h"

/* RFC 3326 section 2 with its examples */
START_TEST(list)
{
	struct slice
		text = exact_str(
			"SIP ;cause=200 ;text=\"Call completed elsewhere\" , "
			"q.850 ; Cause = 16 ;TEXT=\"Terminated, \\\"now\\\"\";x=\"cause=1\","
			"preemption,FAX;cause=none;cause=4294967296;cause=\"7\";text=a;text=b"),
		rest = text;
	struct reason r;

	ck_assert_int_eq(reason_next(&rest, &r), 1);
	assert_slice(r.protocol, "SIP");
	ck_assert(r.has_cause && r.cause == 200);
	assert_slice(r.text, "Call completed elsewhere");
	ck_assert_int_eq(reason_next(&rest, &r), 1);
	assert_slice(r.protocol, "q.850");
	ck_assert(r.has_cause && r.cause == 16);
	assert_slice(r.text, "Terminated, \\\"now\\\"");
	ck_assert_int_eq(reason_next(&rest, &r), 1);
	assert_slice(r.protocol, "preemption");
	ck_assert(!r.has_cause && !r.text.p);
	/* What is no number is by the grammar a reason-extension. */
	ck_assert_int_eq(reason_next(&rest, &r), 1);
	ck_assert(r.has_cause && r.cause == 7);
	assert_slice(r.text, "a");
	ck_assert_int_eq(reason_next(&rest, &r), 0);
	exact_free(text);
	/* An empty element is met when its turn comes. */
	rest = SLICE("SIP,,Q.850");
	ck_assert_int_eq(reason_next(&rest, &r), 1);
	ck_assert_int_eq(reason_next(&rest, &r), -EBADMSG);
}
END_TEST

START_TEST(refused)
{
	static const char *const bad[] = { ",", ";cause=1", "SIP,", ",SIP", "SIP;", "SIP x",
		"SIP;cause=", "SIP;text=\"", "SIP;text=a b", "\"SIP\"", "SIP;cause=1;;",
		"SIP\r\n;x" };

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct slice text = exact_str(bad[i]), rest = text;
		struct reason r = { .cause = 7 };

		ck_assert_msg(reason_next(&rest, &r) == -EBADMSG, "%s", bad[i]);
		ck_assert(r.cause == 7 && rest.p == text.p && rest.n == text.n);
		exact_free(text);
	}
}
END_TEST

START_TEST(written)
{
	static const struct {
		struct reason reason;
		const char *want;
	} rows[] = {
		{ { .protocol = SLICE_INIT("SIP"), .cause = 200, .has_cause = true },
			"SIP;cause=200" },
		{ { .protocol = SLICE_INIT("Q.850"),
			  .cause = 0,
			  .has_cause = true,
			  .text = SLICE_INIT("a \"b\" \\ c\r\nVia: x") },
			"Q.850;cause=0;text=\"a \\\"b\\\" \\\\ c  Via: x\"" },
		{ { .protocol = SLICE_INIT("x"), .cause = 9, .text = SLICE_INIT("") }, "x" },
		{ { .protocol = SLICE_INIT("x"), .text = SLICE_INIT("t") }, "x;text=\"t\"" },
	};
	struct buf cleanup_buf b = BUF_NULL;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		buf_reset(&b);
		reason_append(&b, &rows[i].reason);
		assert_slice(buf_slice(&b), rows[i].want);
	}
}
END_TEST

/* What is written is read again, escapes and all. */
START_TEST(round_trip)
{
	struct reason r = { .protocol = SLICE("SIP"), .text = SLICE("\\\"\\\\\xc3\xa9 ,;") };
	struct buf cleanup_buf b = BUF_NULL, cleanup_buf text = BUF_NULL;
	struct slice rest;

	reason_append(&b, &r);
	rest = buf_slice(&b);
	ck_assert_int_eq(reason_next(&rest, &r), 1);
	reason_append_text(&text, &r);
	assert_slice(buf_slice(&text), "\\\"\\\\\xc3\xa9 ,;");
}
END_TEST

RUN_TESTS("msg-reason", list, refused, written, round_trip)
