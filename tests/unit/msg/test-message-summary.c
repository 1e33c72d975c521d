/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "protocol/msg/message-summary.h"

#include <errno.h>

#include "tests/support/exact.h"
#include "tests/support/run.h"

static void expect_counts(const struct message_counts *c, uint32_t fresh, uint32_t old,
	uint32_t urgent_fresh, uint32_t urgent_old)
{
	ck_assert(c->told);
	ck_assert_uint_eq(c->fresh, fresh);
	ck_assert_uint_eq(c->old, old);
	ck_assert_uint_eq(c->urgent_fresh, urgent_fresh);
	ck_assert_uint_eq(c->urgent_old, urgent_old);
}

/* RFC 3842 section 3.5 and its examples. */
START_TEST(example)
{
	struct slice body = exact_str("Messages-Waiting: yes\r\n"
				      "Message-Account: sip:alice@vmail.example.com\r\n"
				      "Voice-Message: 4/8 (1/2)\r\n"
				      "Fax-Message: 2/4\r\n"
				      "\r\n"
				      "To: <alice@atlanta.example.com>\r\n"
				      "Subject: carpool tomorrow?\r\n");
	struct message_summary s;

	ck_assert_int_eq(message_summary_parse(body, &s), 0);
	ck_assert(s.waiting);
	assert_slice(s.account, "sip:alice@vmail.example.com");
	expect_counts(&s.counts[MESSAGE_VOICE], 4, 8, 1, 2);
	expect_counts(&s.counts[MESSAGE_FAX], 2, 4, 0, 0);
	ck_assert(!s.counts[MESSAGE_PAGER].told && !s.counts[MESSAGE_NONE].told);
	ck_assert(slice_starts(s.headers, SLICE("To: ")));
	exact_free(body);
}
END_TEST

/* Section 5.2: one line is enough. */
START_TEST(status_alone)
{
	struct message_summary s;

	ck_assert_int_eq(message_summary_parse(SLICE("Messages-Waiting: no\r\n"), &s), 0);
	ck_assert(!s.waiting && !s.account.n && !s.headers.n);
	for (unsigned i = 0; i < MESSAGE_CLASSES; i++)
		ck_assert(!s.counts[i].told);
}
END_TEST

/* Section 5.2: "all productions described here are case insensitive"; and what servers write. */
START_TEST(lenient)
{
	static const char *const texts[] = {
		"MESSAGES-WAITING : YES\nvoice-message:1/2(3/4)",
		"\r\nmessages-waiting:yes\r\nVOICE-MESSAGE: 1 / 2 ( 3 / 4 )\r\n\r\n",
		"Voice-Message: 1/2 (3/4)\r\nX-Vendor: y\r\nVideo-Message: 9/9\r\nno colon\r\n"
		"Messages-Waiting: yes\r\n",
		"Messages-Waiting: yes\r\nVoice-Message: 1/2 (3/4)\r\nVoice-Message: 7/7\r\n"
		"Messages-Waiting: no\r\n",
	};

	for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++) {
		struct slice body = exact_str(texts[i]);
		struct message_summary s;

		ck_assert_int_eq(message_summary_parse(body, &s), 0);
		ck_assert(s.waiting);
		expect_counts(&s.counts[MESSAGE_VOICE], 1, 2, 3, 4);
		exact_free(body);
	}
}
END_TEST

/* Section 3.5: "subscribers MUST treat a larger value as 2^32-1". */
START_TEST(large_numbers)
{
	struct message_summary s;

	ck_assert_int_eq(message_summary_parse(
				 SLICE("Messages-Waiting: yes\r\nPager-Message: "
				       "4294967295/4294967296 (99999999999999999999999/0)\r\n"),
				 &s),
		0);
	expect_counts(&s.counts[MESSAGE_PAGER], UINT32_MAX, UINT32_MAX, UINT32_MAX, 0);
}
END_TEST

START_TEST(what_cannot_be_read_is_left_out)
{
	static const char *const values[] = { "", "1", "1/", "/2", "a/b", "-1/2", "yes" };

	for (size_t i = 0; i < sizeof(values) / sizeof(*values); i++) {
		char text[80];
		struct message_summary s;
		int n = snprintf(
			text, sizeof(text), "Messages-Waiting: yes\nFax-Message: %s\n", values[i]);

		ck_assert_int_eq(message_summary_parse(slice_of(text, (size_t)n), &s), 0);
		ck_assert(!s.counts[MESSAGE_FAX].told);
	}
}
END_TEST

START_TEST(urgent_ones_that_cannot_be_read)
{
	static const char *const values[] = { "1/2 (", "1/2 (3", "1/2 (3/", "1/2 ()", "1/2 x" };

	for (size_t i = 0; i < sizeof(values) / sizeof(*values); i++) {
		char text[80];
		struct message_summary s;
		int n = snprintf(
			text, sizeof(text), "Messages-Waiting: no\nText-Message: %s", values[i]);

		ck_assert_int_eq(message_summary_parse(slice_of(text, (size_t)n), &s), 0);
		expect_counts(&s.counts[MESSAGE_TEXT], 1, 2, 0, 0);
	}
}
END_TEST

/* Section 3.5: no angle brackets; they are taken off. */
START_TEST(account)
{
	struct message_summary s;

	ck_assert_int_eq(message_summary_parse(SLICE("Messages-Waiting: no\n"
						     "Message-Account: <sips:a@example.com>\n"),
				 &s),
		0);
	assert_slice(s.account, "sips:a@example.com");
}
END_TEST

START_TEST(no_summary)
{
	static const char *const texts[] = { "", "\r\n", "Voice-Message: 1/2\r\n",
		"Messages-Waiting: perhaps\r\n", "Messages-Waiting\r\n",
		"<?xml version=\"1.0\"?>" };
	struct message_summary s;

	for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++)
		ck_assert_int_eq(message_summary_parse(slice_str(texts[i]), &s), -EBADMSG);
}
END_TEST

RUN_TESTS("message-summary", example, status_alone, lenient, large_numbers,
	what_cannot_be_read_is_left_out, urgent_ones_that_cannot_be_read, account, no_summary)
