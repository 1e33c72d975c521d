/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "protocol/msg/hdr.h"

#include "tests/support/exact.h"
#include "tests/support/run.h"

static const struct {
	const char *name;
	char compact;
	enum hdr_id id;
} rows[] = {
#define X(id, name, compact, multi, severity) { name, compact, HDR_##id },
	HDR_TABLE(X)
#undef X
};

static void flip_case(char *p)
{
	for (; *p; p++)
		if ((*p >= 'a' && *p <= 'z') || (*p >= 'A' && *p <= 'Z'))
			*p ^= 0x20;
}

/* RFC 3261 section 7.3.1: names ignore case; section 7.3.3: compact forms. */
START_TEST(every_name_is_found)
{
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct slice name = exact_str(rows[i].name);
		char flipped[64], letter = rows[i].compact;

		ck_assert_int_eq(hdr_find(name), rows[i].id);
		ck_assert(slice_eq(hdr_name(rows[i].id), name));
		(void)strcpy(flipped, rows[i].name);
		flip_case(flipped);
		ck_assert_int_eq(hdr_find(slice_str(flipped)), rows[i].id);
		if (name.n > 2) /* a single letter is a compact form */
			ck_assert_int_eq(hdr_find(slice_head(name, name.n - 1)), HDR_OTHER);
		exact_free(name);
		if (!letter)
			continue;
		ck_assert_int_eq(hdr_find(slice_of(&letter, 1)), rows[i].id);
		letter ^= 0x20;
		ck_assert_int_eq(hdr_find(slice_of(&letter, 1)), rows[i].id);
	}
}
END_TEST

/* No letter stands for a header that the table does not give it to. */
START_TEST(no_other_letter)
{
	for (int c = 0; c < 256; c++) {
		char letter = (char)c;
		enum hdr_id want = HDR_OTHER;

		for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
			if (rows[i].compact &&
				(rows[i].compact == c || (rows[i].compact ^ 0x20) == c))
				want = rows[i].id;
		ck_assert_int_eq(hdr_find(slice_of(&letter, 1)), want);
	}
}
END_TEST

START_TEST(strangers)
{
	static const char *const names[] = { "", "Vi", "Viaa", "To\r", "X-To", "-", "@o", "Zzz",
		"\x56\xefia", "Fro\x4d\x4d", "Call\rID", "CSe\x11", "FROM:", "~rom", "k2" };

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		struct slice name = exact_str(names[i]);

		ck_assert_msg(hdr_find(name) == HDR_OTHER, "%s", names[i]);
		exact_free(name);
	}
	assert_slice(hdr_name(HDR_OTHER), "");
}
END_TEST

START_TEST(traits)
{
	ck_assert_int_eq(hdr_multiplicity(HDR_VIA), HDR_LIST);
	ck_assert_int_eq(hdr_multiplicity(HDR_CSEQ), HDR_ONE);
	/* RFC 3261 section 7.3.1: challenges and credentials are never joined or split. */
	ck_assert_int_eq(hdr_multiplicity(HDR_WWW_AUTHENTICATE), HDR_MANY);
	ck_assert_int_eq(hdr_multiplicity(HDR_AUTHORIZATION), HDR_MANY);
	ck_assert_int_eq(hdr_severity(HDR_CSEQ), HDR_FATAL);
	ck_assert_int_eq(hdr_severity(HDR_DATE), HDR_DROP);
}
END_TEST

RUN_TESTS("msg-hdr", every_name_is_found, no_other_letter, strangers, traits)
