/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "protocol/msg/refer-sub.h"

#include <errno.h>

#include "tests/support/exact.h"
#include "tests/support/run.h"

/* RFC 4488 section 4 */
START_TEST(values)
{
	static const struct {
		const char *text;
		bool want;
	} rows[] = {
		{ "false", false },
		{ "true", true },
		{ " False ;x", false },
		{ "TRUE;x=\"false\"", true },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct slice text = exact_str(rows[i].text);
		bool got = !rows[i].want;

		ck_assert_msg(refer_sub_parse(text, &got) == 0, "%s", rows[i].text);
		ck_assert_msg(got == rows[i].want, "%s", rows[i].text);
		exact_free(text);
	}
}
END_TEST

START_TEST(refused)
{
	static const char *const bad[] = { "", "no", "falsely", "\"false\"", "false true",
		"false,true", "false;", ";false", "false\r\n;x" };

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct slice text = exact_str(bad[i]);
		bool got = true;

		ck_assert_msg(refer_sub_parse(text, &got) == -EBADMSG, "%s", bad[i]);
		ck_assert(got);
		exact_free(text);
	}
}
END_TEST

RUN_TESTS("msg-refer-sub", values, refused)
