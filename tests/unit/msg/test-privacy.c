/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "protocol/msg/privacy.h"

#include <errno.h>

#include "tests/support/exact.h"
#include "tests/support/run.h"

/* RFC 3323 section 4.2, RFC 3325 section 9.3, RFC 7044 section 10.1 */
START_TEST(masks)
{
	static const struct {
		const char *text;
		unsigned mask;
	} rows[] = {
		{ "header", PRIVACY_HEADER },
		{ "session", PRIVACY_SESSION },
		{ "user", PRIVACY_USER },
		{ "None", PRIVACY_NONE },
		{ "critical", PRIVACY_CRITICAL },
		{ "id", PRIVACY_ID },
		{ "history", PRIVACY_HISTORY },
		{ "later", PRIVACY_OTHER },
		{ " ID ; user;CRITICAL\t", PRIVACY_ID | PRIVACY_USER | PRIVACY_CRITICAL },
		{ "id;x-y;id", PRIVACY_ID | PRIVACY_OTHER },
		/* Not in the grammar, but asked for none the less. */
		{ "id, header", PRIVACY_ID | PRIVACY_HEADER },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct slice text = exact_str(rows[i].text);
		unsigned mask;

		ck_assert_msg(privacy_parse(text, &mask) == 0, "%s", rows[i].text);
		ck_assert_msg(mask == rows[i].mask, "%s", rows[i].text);
		exact_free(text);
	}
}
END_TEST

START_TEST(refused)
{
	static const char *const bad[] = { "", " ", ";", "id;", ";id", "id;;user", "id user",
		"\"id\"", "id=1", "id\r\n;user" };

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct slice text = exact_str(bad[i]);
		unsigned mask = 7;

		ck_assert_msg(privacy_parse(text, &mask) == -EBADMSG, "%s", bad[i]);
		ck_assert_uint_eq(mask, 7);
		exact_free(text);
	}
}
END_TEST

/* RFC 3323 4.2: "session" and "none" do not ask to hide the name; RFC 3325 9.3 "id" does. */
START_TEST(lines)
{
	static const struct {
		const char *text;
		bool hides;
	} rows[] = {
		{ "Privacy: id\r\n", true },
		{ "X-A: 1\r\nprivacy : session;user\r\nX-B: 2\r\n", true },
		{ "Privacy: none\r\nPrivacy: header\r\n", true },
		{ "Privacy: none\r\n", false },
		{ "Privacy: session;critical;history\r\n", false },
		{ "X-Privacy: id\r\n", false },
		{ "Subject: Privacy: id\r\n", false },
		{ "Privacy: id id\r\n", false },
		{ "\r\n", false },
		{ "", false },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct slice text = exact_str(rows[i].text);

		ck_assert_msg(privacy_in_lines(text) == rows[i].hides, "%s", rows[i].text);
		exact_free(text);
	}
}
END_TEST

RUN_TESTS("msg-privacy", masks, refused, lines)
