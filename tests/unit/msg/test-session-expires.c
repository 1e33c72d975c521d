/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "protocol/msg/session-expires.h"

#include <errno.h>

#include "protocol/base/buf.h"
#include "protocol/msg/min-se.h"
#include "tests/support/exact.h"
#include "tests/support/run.h"

/* RFC 4028 section 4 */
START_TEST(session_expires)
{
	static const struct {
		const char *text;
		uint32_t seconds;
		enum refresher refresher;
	} rows[] = {
		{ "4000", 4000, REFRESHER_NONE },
		{ "4000;refresher=uac", 4000, REFRESHER_UAC },
		{ " 1800 ; x ; Refresher = UAS ;y=\"a;refresher=uac\" ", 1800, REFRESHER_UAS },
		{ "0;refresher=uas;refresher=uac", 0, REFRESHER_UAS },
		/* By the grammar a generic-param. */
		{ "90;refresher=proxy", 90, REFRESHER_NONE },
		{ "90;refresher", 90, REFRESHER_NONE },
		{ "90;refresher=\"uac\"", 90, REFRESHER_NONE },
		{ "4294967295", UINT32_MAX, REFRESHER_NONE },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct slice text = exact_str(rows[i].text);
		struct session_expires v;

		ck_assert_msg(session_expires_parse(text, &v) == 0, "%s", rows[i].text);
		ck_assert_msg(v.seconds == rows[i].seconds, "%s", rows[i].text);
		ck_assert_msg(v.refresher == rows[i].refresher, "%s", rows[i].text);
		exact_free(text);
	}
}
END_TEST

/* Both, since they differ in their parameters alone. */
START_TEST(refused)
{
	static const char *const bad[] = { "", ";refresher=uac", "x", "-1", "1.5", "4294967296",
		"90;", "90;;x", "90;refresher=", "90 s", "90,91", "90;x=\"", "90\r\n;x" };

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct slice text = exact_str(bad[i]);
		struct session_expires v = { .seconds = 7 };
		uint32_t seconds = 7;

		ck_assert_msg(session_expires_parse(text, &v) == -EBADMSG, "%s", bad[i]);
		ck_assert_msg(min_se_parse(text, &seconds) == -EBADMSG, "%s", bad[i]);
		ck_assert(v.seconds == 7 && seconds == 7);
		exact_free(text);
	}
}
END_TEST

/* RFC 4028 section 5 */
START_TEST(min_se)
{
	uint32_t seconds;

	ck_assert_int_eq(min_se_parse(SLICE("120"), &seconds), 0);
	ck_assert_uint_eq(seconds, 120);
	ck_assert_int_eq(min_se_parse(SLICE(" 4294967295 ;lr;x=\"y\""), &seconds), 0);
	ck_assert_uint_eq(seconds, UINT32_MAX);
}
END_TEST

START_TEST(written)
{
	static const struct {
		enum refresher refresher;
		const char *want;
	} rows[] = {
		{ REFRESHER_NONE, "1800" },
		{ REFRESHER_UAC, "1800;refresher=uac" },
		{ REFRESHER_UAS, "1800;refresher=uas" },
	};
	struct buf cleanup_buf b = BUF_NULL;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct session_expires v = { .seconds = 1800, .refresher = rows[i].refresher };

		buf_reset(&b);
		session_expires_append(&b, &v);
		assert_slice(buf_slice(&b), rows[i].want);
	}
}
END_TEST

RUN_TESTS("msg-session-expires", session_expires, refused, min_se, written)
