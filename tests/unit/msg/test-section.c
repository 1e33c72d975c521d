/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "protocol/msg/section.h"

#include "protocol/msg/scan.h"
#include "tests/support/exact.h"
#include "tests/support/run.h"

START_TEST(lines)
{
	struct slice text = exact_str("A: 1\r\nB: 2\n 3\r\n\t4\r\nC: \r5\r\n\r\n body\r\n");
	struct scan s = scan_of(text);
	struct section_line line;

	ck_assert(section_next_line(&s, &line));
	assert_slice(line.text, "A: 1");
	ck_assert(!line.folded && !line.stray_cr);
	/* RFC 3261 section 7.3.1: a line that begins with a blank belongs to the one before. */
	ck_assert(section_next_line(&s, &line));
	assert_slice(line.text, "B: 2\n 3\r\n\t4");
	ck_assert(line.folded && !line.stray_cr);
	ck_assert(section_next_line(&s, &line));
	assert_slice(line.text, "C: \r5");
	ck_assert(!line.folded && line.stray_cr);
	/* The empty line ends the section even if a blank follows it. */
	ck_assert(section_next_line(&s, &line));
	ck_assert(line.text.n == 0);
	assert_slice(scan_rest(&s), " body\r\n");
	exact_free(text);
}
END_TEST

START_TEST(incomplete)
{
	static const char *const texts[] = { "", "A", "A: 1\r", "A: 1\r\n b", "A: 1\r\n b\r",
		"\r" };

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		struct slice text = exact_str(texts[i]);
		struct scan s = scan_of(text);
		struct section_line line;

		ck_assert_msg(!section_next_line(&s, &line), "%s", texts[i]);
		ck_assert(s.p == text.p);
		exact_free(text);
	}
}
END_TEST

START_TEST(split)
{
	static const struct {
		const char *line, *name, *value; /* name NULL: refused */
		enum hdr_id id;
	} rows[] = {
		{ "To: x", "To", "x", HDR_TO },
		/* RFC 4475 3.1.1.1: LWS before the colon */
		{ "TO \t :\r\n x \t", "TO", "x", HDR_TO },
		{ "s :", "s", "", HDR_SUBJECT },
		{ "X-New:a:b", "X-New", "a:b", HDR_OTHER },
		{ "To", NULL, NULL, HDR_OTHER },
		{ ": x", NULL, NULL, HDR_OTHER },
		{ " To: x", NULL, NULL, HDR_OTHER },
		{ "T o: x", NULL, NULL, HDR_OTHER },
		{ "T\xc3\xb6: x", NULL, NULL, HDR_OTHER },
		{ "To\r\n : x", NULL, NULL, HDR_OTHER },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct slice line = exact_str(rows[i].line);
		struct hdr h;

		ck_assert_msg(
			section_split(line, &h) == (rows[i].name != NULL), "%s", rows[i].line);
		if (rows[i].name) {
			assert_slice(h.name, rows[i].name);
			assert_slice(h.value, rows[i].value);
			ck_assert_int_eq(h.id, rows[i].id);
		}
		exact_free(line);
	}
}
END_TEST

RUN_TESTS("msg-section", lines, incomplete, split)
