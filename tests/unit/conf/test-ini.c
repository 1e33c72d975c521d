/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The INI form: what each line means, and which line is blamed for what. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "conf/ini.h"
#include "protocol/base/buf.h"
#include "protocol/base/mem.h"

/* Writes down what the parser says: "1[S]", "2 S.k=v", "3!text". */
static void note_section(void *ctx, struct slice name, unsigned line)
{
	buf_printf(ctx, "%u[%.*s]\n", line, SLICE_ARGS(name));
}

static void note_entry(void *ctx, const struct ini_entry *e)
{
	buf_printf(ctx, "%u %.*s.%.*s=%.*s\n", e->line, SLICE_ARGS(e->section), SLICE_ARGS(e->key),
		SLICE_ARGS(e->value));
}

static void note_error(void *ctx, unsigned line, const char *text)
{
	buf_printf(ctx, "%u!%s\n", line, text);
}

static char *parsed(struct slice text)
{
	struct buf notes = BUF_NULL;
	/* An exactly-sized block, so that a sanitizer sees one byte of over-read. */
	char *copy = mem_alloc(text.n);
	const struct ini_sink sink = {
		.section = note_section, .entry = note_entry, .error = note_error, .ctx = &notes
	};

	if (text.n)
		memcpy(copy, text.p, text.n);
	ini_parse(slice_of(copy, text.n), &sink);
	free(copy);
	return buf_take(&notes);
}

static const struct {
	struct slice text;
	const char *notes;
} rows[] = {
	{ SLICE_INIT(""), "" },
	{ SLICE_INIT("\n\r\n  \t\n"), "" },
	{ SLICE_INIT("[A]\nk=v\n"), "1[A]\n2 A.k=v\n" },
	{ SLICE_INIT("[A]\r\nk=v\r\n"), "1[A]\n2 A.k=v\n" },
	{ SLICE_INIT("[A]\nk=v"), "1[A]\n2 A.k=v\n" },
	{ SLICE_INIT(" [ A ] \n\tk \t= v w \t\n"), "1[A]\n2 A.k=v w\n" },
	{ SLICE_INIT("\xef\xbb\xbf[A]\n"), "1[A]\n" },
	{ SLICE_INIT("[A]\nk=\n"), "1[A]\n2 A.k=\n" },
	{ SLICE_INIT("[A]\nk==v=#;\n"), "1[A]\n2 A.k==v=#;\n" },
	{ SLICE_INIT("# c\n ; d\n[A]\n#k=v\n"), "3[A]\n" },
	/* A section may come again, and its name does not depend on the one before. */
	{ SLICE_INIT("[A]\nk=1\n[B]\nk=2\n[A]\nk=3\n"),
		"1[A]\n2 A.k=1\n3[B]\n4 B.k=2\n5[A]\n6 A.k=3\n" },
	/* systemd.syntax(7): a backslash at the end becomes one space, comments between are
	   skipped. */
	{ SLICE_INIT("[A]\nk=a \\\n  b\nl=c\n"), "1[A]\n2 A.k=a  b\n4 A.l=c\n" },
	{ SLICE_INIT("[A]\nk=a\\\r\n# no\n\t; no\nb\\\nc\n"), "1[A]\n2 A.k=a b c\n" },
	{ SLICE_INIT("[A]\nk=a\\\n\nl=b\n"), "1[A]\n2 A.k=a\n4 A.l=b\n" },
	{ SLICE_INIT("[A]\nk=a\\"), "1[A]\n2 A.k=a\n" },
	{ SLICE_INIT("[A]\nk=a\\\\\nl=b\n"), "1[A]\n2 A.k=a\\\\\n3 A.l=b\n" },
	{ SLICE_INIT("[A]\nk=a\\\\\\\nl=b\n"), "1[A]\n2 A.k=a\\\\ l=b\n" },
	{ SLICE_INIT("[A]\nk=a\\ \nl=b\n"), "1[A]\n2 A.k=a\\\n3 A.l=b\n" },
	/* A comment has no continuation. */
	{ SLICE_INIT("[A]\n# k\\\nl=b\n"), "1[A]\n3 A.l=b\n" },
	/* Errors, each with its line; reading goes on. */
	{ SLICE_INIT("k=v\n[A]\nk=v\n"),
		"1!this entry stands before the first [Section]\n2[A]\n3 A.k=v\n" },
	{ SLICE_INIT("[A\nk=v\n[B]\nk=v\n"),
		"1!a section line ends in ']', as in [Profile]\n3[B]\n4 B.k=v\n" },
	{ SLICE_INIT("["), "1!a section line ends in ']', as in [Profile]\n" },
	{ SLICE_INIT("[]\n[ ]\n"),
		"1!a section line has one name between brackets, as in [Profile]\n"
		"2!a section line has one name between brackets, as in [Profile]\n" },
	{ SLICE_INIT("[A][B]\n"),
		"1!a section line has one name between brackets, as in [Profile]\n" },
	{ SLICE_INIT("[A]\nword\nk=v\n"),
		"1[A]\n2!expected Key=value, [Section] or a comment that begins with # or ;\n"
		"3 A.k=v\n" },
	{ SLICE_INIT("[A]\n = v\n"), "1[A]\n2!no key before '='\n" },
	{ SLICE_INIT("[A]\nk=a\0b\nl=c\n"),
		"1[A]\n2!contains a NUL byte; this is no text file\n3 A.l=c\n" },
	{ SLICE_INIT("[A]\nk=caf\xe9\nl=caf\xc3\xa9\n"),
		"1[A]\n2!is not UTF-8 text\n3 A.l=caf\xc3\xa9\n" },
	/* A fault in a continued line is blamed on the line where it begins. */
	{ SLICE_INIT("[A]\n\nk=a\\\n\xff\n"), "1[A]\n3!is not UTF-8 text\n" },
};

START_TEST(ini_rows)
{
	char *notes = parsed(rows[_i].text);

	ck_assert_str_eq(notes, rows[_i].notes);
	free(notes);
}
END_TEST

/* Every prefix is read without a crash, and blames no line that is not there. */
START_TEST(ini_prefixes)
{
	for (size_t n = 0; n <= rows[_i].text.n; n++)
		free(parsed(slice_head(rows[_i].text, n)));
}
END_TEST

static void put_n(struct buf *b, const char *s, size_t n)
{
	while (n--)
		buf_str(b, s);
}

START_TEST(ini_longest_line)
{
	cleanup_buf struct buf text = BUF_NULL;
	char *notes;

	buf_lit(&text, "[A]\nk=");
	put_n(&text, "x", INI_LINE_MAX - 2);
	buf_lit(&text, "\nl=");
	put_n(&text, "x", INI_LINE_MAX - 1);
	/* Continued lines count together. */
	buf_lit(&text, "\nm=");
	put_n(&text, "xxxxxxx\\\n", INI_LINE_MAX / 8);
	buf_lit(&text, "\nn=v\n");
	notes = parsed(buf_slice(&text));
	ck_assert_ptr_nonnull(strstr(notes, "2 A.k=xxx"));
	ck_assert_ptr_nonnull(strstr(notes, "x\n3!longer than 8192 bytes\n4!longer than 8192"));
	ck_assert_ptr_nonnull(strstr(notes, " A.n=v\n"));
	free(notes);
}
END_TEST

START_TEST(ini_most_lines)
{
	cleanup_buf struct buf text = BUF_NULL;
	char *notes;

	put_n(&text, "\n", INI_LINES_MAX - 1);
	buf_lit(&text, "[A]\n");
	notes = parsed(buf_slice(&text));
	ck_assert_str_eq(notes, "20000[A]\n");
	free(notes);
	buf_lit(&text, "k=v\n");
	notes = parsed(buf_slice(&text));
	ck_assert_str_eq(notes, "20000[A]\n20001!more than 20000 lines; the rest was not read\n");
	free(notes);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("ini");
	TCase *tc = tcase_create("ini");
	SRunner *sr;
	int failed;

	tcase_add_loop_test(tc, ini_rows, 0, (int)ARRAY_LEN(rows));
	tcase_add_loop_test(tc, ini_prefixes, 0, (int)ARRAY_LEN(rows));
	tcase_add_test(tc, ini_longest_line);
	tcase_add_test(tc, ini_most_lines);
	suite_add_tcase(s, tc);
	sr = srunner_create(s);
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
