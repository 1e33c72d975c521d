/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "protocol/msg/params.h"

#include <errno.h>

#include "protocol/base/buf.h"
#include "tests/support/exact.h"
#include "tests/support/run.h"

START_TEST(walks)
{
	struct slice text = exact_str(";tag=1 ; flag;q = \"a;b\\\"c\";received=[2001:db8::1]"),
		     rest = text;
	struct param p;

	ck_assert_int_eq(params_next(&rest, &p), 1);
	assert_slice(p.name, "tag");
	assert_slice(p.value, "1");
	ck_assert_int_eq(params_next(&rest, &p), 1);
	assert_slice(p.name, "flag");
	ck_assert(p.value.p == NULL);
	ck_assert_int_eq(params_next(&rest, &p), 1);
	assert_slice(p.name, "q");
	assert_slice(p.value, "\"a;b\\\"c\"");
	assert_slice(params_unquote(p.value), "a;b\\\"c");
	ck_assert_int_eq(params_next(&rest, &p), 1);
	assert_slice(p.value, "[2001:db8::1]");
	ck_assert_int_eq(params_next(&rest, &p), 0);
	ck_assert_int_eq(params_next(&rest, &p), 0);
	exact_free(text);
}
END_TEST

START_TEST(validity)
{
	static const struct {
		const char *text;
		bool valid;
	} rows[] = {
		{ "", true },
		{ "  ", true },
		{ ";a", true },
		{ " ; a = b ", true },
		{ ";a=\"\"", true },
		{ ";a=\"\\\\\"", true },
		{ ";a=b=c", true },
		/* RFC 4475 3.1.2.1: extraneous separators */
		{ ";;", false },
		{ ";a;", false },
		{ ";,;,,", false },
		{ "a=b", false },
		{ ";a=", false },
		{ ";=b", false },
		{ ";a b", false },
		{ ";a=b c", false },
		{ ";a=\"b", false },
		{ ";a=\"b\\\"", false },
		{ ";a=\"b\"c", false },
		{ ";a=<b>", false },
		{ ";a\r\n=b", false },
		{ ";a=\"b\r\nX: y\"", false },
		{ ";\xc3\xa9=1", false },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct slice text = exact_str(rows[i].text);

		ck_assert_msg(params_valid(text) == rows[i].valid, "%s", rows[i].text);
		exact_free(text);
	}
	ck_assert(!params_valid(slice_of(";a\0b", 4)));
}
END_TEST

START_TEST(finds_the_first)
{
	struct slice value = SLICE("untouched");

	/* RFC 3261 section 7.3.1: parameter names ignore case; a name in a quoted value is none. */
	ck_assert(params_find(SLICE(";x=\";tag=no\";TAG=yes;tag=later"), SLICE("tag"), &value));
	assert_slice(value, "yes");
	ck_assert(!params_find(SLICE(";x=\";tag=no\""), SLICE("tag"), &value));
	assert_slice(value, "yes");
	ck_assert(params_find(SLICE(";lr"), SLICE("lr"), &value) && value.p == NULL);
	ck_assert(!params_find(SLICE(";;lr"), SLICE("lr"), &value));
}
END_TEST

START_TEST(quoting)
{
	struct buf cleanup_buf b = BUF_NULL;
	struct buf cleanup_buf back = BUF_NULL;

	params_append_quoted(&b, SLICE("a\"b\\c\td\xc3\xa9"));
	assert_slice(buf_slice(&b), "\"a\\\"b\\\\c\td\xc3\xa9\"");
	params_append_unescaped(&back, params_unquote(buf_slice(&b)));
	assert_slice(buf_slice(&back), "a\"b\\c\td\xc3\xa9");
	buf_reset(&b);
	params_append_quoted(&b, SLICE("a\r\nEvil: b"));
	assert_slice(buf_slice(&b), "\"a  Evil: b\"");
	buf_reset(&b);
	params_append_unescaped(&b, SLICE("a\\"));
	assert_slice(buf_slice(&b), "a\\");
	assert_slice(params_unquote(SLICE("\"")), "\"");
	assert_slice(params_unquote(SLICE("token")), "token");
}
END_TEST

RUN_TESTS("msg-params", walks, validity, finds_the_first, quoting)
