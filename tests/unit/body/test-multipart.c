/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ipc/body-multipart.h"

#include "ipc/body-fault.h"
#include "protocol/base/buf.h"
#include "protocol/base/err.h"
#include "protocol/base/mem.h"
#include "tests/support/exact.h"
#include "tests/support/run.h"

#define TYPE "multipart/related;boundary=b"

static struct body_multipart read_as(const char *type, const char *text)
{
	struct slice exact = exact_str(text);
	struct body_multipart m = { 0 };
	struct body_fault fault;

	if (body_multipart_parse(slice_str(type), exact, &fault, &m) != 0)
		ck_abort_msg("%s", fault.text);
	exact_free(exact);
	return m;
}

/* RFC 2046 section 5.1.1: the example, with its preamble and epilogue. */
START_TEST(rfc2046_5_1_1_example)
{
	struct body_multipart m = read_as("multipart/mixed; boundary=\"simple boundary\"",
		"This is the preamble.\r\n\r\n--simple boundary\r\n\r\n"
		"This is implicitly typed plain US-ASCII text.\r\n"
		"It does NOT end with a linebreak.\r\n--simple boundary  \r\n"
		"Content-type: text/plain; charset=us-ascii\r\n\r\n"
		"This is explicitly typed plain US-ASCII text.\r\n"
		"It DOES end with a linebreak.\r\n\r\n--simple boundary--\r\n\r\nepilogue");

	ck_assert_uint_eq(m.n, 2);
	assert_slice(m.parts[0].content_type, "text/plain");
	assert_slice(m.parts[0].content,
		"This is implicitly typed plain US-ASCII text.\r\nIt does NOT end with a linebreak.");
	assert_slice(m.parts[1].content_type, "text/plain; charset=us-ascii");
	assert_slice(m.parts[1].content,
		"This is explicitly typed plain US-ASCII text.\r\nIt DOES end with a linebreak.\r\n");
	body_multipart_deinit(&m);
}
END_TEST

/* RFC 2046 section 5.1.1: body-part := MIME-part-headers [CRLF *OCTET] */
START_TEST(rfc2046_5_1_1_empty_parts)
{
	struct body_multipart m = read_as(TYPE,
		"--b\r\n\r\n--b\r\nContent-Type: a/a\r\n\r\n--b\r\nContent-Type: a/b\r\n--b\r\n"
		"Content-Type: a/c\r\n\r\n\r\n--b\r\n--b--");
	static const char *const types[] = { "text/plain", "a/a", "a/b", "a/c", "text/plain" };

	ck_assert_uint_eq(m.n, ARRAY_LEN(types));
	for (size_t i = 0; i < ARRAY_LEN(types); i++) {
		assert_slice(m.parts[i].content_type, types[i]);
		assert_slice(m.parts[i].content, "");
	}
	body_multipart_deinit(&m);
}
END_TEST

/* LF alone ends a line, too; what a fold was is a blank. */
START_TEST(lines_and_folds)
{
	struct body_multipart m = read_as(TYPE,
		"--b\ncontent-type: a/b;\n\tx=1\nContent-ID : <1@h>\n\nA\nB\n\n--b\r\n"
		"Content-Type: a/b;\r\n x=1\r\nContent-Transfer-Encoding: Binary\r\n\r\n\r\n--b--\n");

	assert_slice(m.parts[0].content_type, "a/b; \tx=1");
	assert_slice(m.parts[0].id, "1@h");
	assert_slice(m.parts[0].content, "A\nB\n");
	assert_slice(m.parts[1].content_type, "a/b;   x=1");
	assert_slice(m.parts[1].content, "");
	body_multipart_deinit(&m);
}
END_TEST

/* A boundary that begins like another, and lines that look like one. */
START_TEST(rfc2046_5_1_1_boundary_tricks)
{
	struct body_multipart m = read_as(TYPE,
		"--bb\r\n--b\r\n\r\n--bb\r\nx --b\r\n -- b\r\n---b\r\n--b--c\r\n--b-\r\n--B\r\n"
		"--b.\r\n\r\n--b--");

	ck_assert_uint_eq(m.n, 1);
	assert_slice(m.parts[0].content,
		"--bb\r\nx --b\r\n -- b\r\n---b\r\n--b--c\r\n--b-\r\n--B\r\n--b.\r\n");
	body_multipart_deinit(&m);
}
END_TEST

/* RFC 2387 section 3.2: the root is what start says, or the first. */
START_TEST(rfc2387_3_2_root)
{
	static const char body[] =
		"--b\r\nContent-ID: <1@h>\r\n\r\none\r\n--b\r\nContent-ID: 2@h\r\n\r\n"
		"two\r\n--b\r\nContent-ID: <1@h>\r\n\r\nthree\r\n--b--\r\n";
	struct body_multipart m = read_as(TYPE, body);

	ck_assert_uint_eq(m.root, 0);
	assert_slice(body_multipart_find(&m, SLICE("2@h"))->content, "two");
	/* Of two with one id it is the first. */
	assert_slice(body_multipart_find(&m, SLICE("1@h"))->content, "one");
	ck_assert_ptr_null(body_multipart_find(&m, SLICE("3@h")));
	ck_assert_ptr_null(body_multipart_find(&m, SLICE("")));
	body_multipart_deinit(&m);
	m = read_as("Multipart/Related;type=\"a/b\";start=\"<2@h>\";boundary=\"b\"", body);
	ck_assert_uint_eq(m.root, 1);
	body_multipart_deinit(&m);
}
END_TEST

static const struct {
	const char *type, *text, *why;
} bad[] = {
	{ "multipart/related", "--b\r\n\r\n--b--", "the content type has no usable boundary" },
	{ "multipart/related;boundary=", "--\r\n\r\n----",
		"the content type has no usable boundary" },
	{ "multipart/related;boundary=\"b \"", "--b \r\n--b --",
		"the content type has no usable boundary" },
	{ "multipart/related;boundary=\"a\\\"b\"", "--a",
		"the content type has no usable boundary" },
	{ TYPE, "", "the boundary is nowhere in the body" },
	{ TYPE, "--c\r\n\r\n--c--", "the boundary is nowhere in the body" },
	{ TYPE, "--b--", "the boundary is nowhere in the body" },
	{ TYPE, "--b\r\n\r\ntext\r\n", "the closing boundary is missing" },
	{ TYPE, "--b\r\n\r\ntext\r\n--b\r\n", "the closing boundary is missing" },
	{ TYPE, "--b\r\nno header\r\n\r\n--b--", "part 1 has a line that is no header" },
	{ TYPE, "--b\r\n\r\n\r\n--b\r\nContent-Transfer-Encoding: base64\r\n\r\neA==\r\n--b--",
		"part 2 is encoded as 'base64'" },
	{ TYPE ";start=\"<9@h>\"", "--b\r\nContent-ID: <1@h>\r\n\r\n--b--",
		"no part has the id of the root, '9@h'" },
};

START_TEST(bad_bodies)
{
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		struct slice exact = exact_str(bad[i].text);
		struct body_multipart m;
		struct body_fault fault;

		ck_assert_int_eq(
			body_multipart_parse(slice_str(bad[i].type), exact, &fault, &m), -EBADMSG);
		ck_assert_str_eq(fault.text, bad[i].why);
		exact_free(exact);
	}
}
END_TEST

START_TEST(bounds)
{
	struct body_multipart m;
	struct body_fault fault;
	struct buf b = BUF_NULL;
	char type[160];

	for (unsigned i = 0; i < BODY_MULTIPART_PARTS_MAX; i++)
		buf_lit(&b, "--b\r\n\r\n\r\n");
	buf_lit(&b, "--b--");
	ck_assert_int_eq(body_multipart_parse(SLICE(TYPE), buf_slice(&b), &fault, &m), 0);
	body_multipart_deinit(&m);
	b.n -= 2;
	buf_lit(&b, "\r\n\r\n\r\n--b--");
	ck_assert_int_eq(body_multipart_parse(SLICE(TYPE), buf_slice(&b), &fault, &m), -EMSGSIZE);
	ck_assert_str_eq(fault.text, "there are too many parts");
	buf_reset(&b);
	buf_lit(&b, "--b\r\n");
	for (unsigned i = 0; i <= BODY_MULTIPART_HEADERS_MAX; i++)
		buf_lit(&b, "X: y\r\n");
	buf_lit(&b, "\r\n--b--");
	ck_assert_int_eq(body_multipart_parse(SLICE(TYPE), buf_slice(&b), &fault, &m), -EMSGSIZE);
	ck_assert_str_eq(fault.text, "part 1 has too many headers");
	buf_deinit(&b);
	(void)snprintf(type, sizeof(type), "a/b;boundary=%.*d", BODY_MULTIPART_BOUNDARY_MAX + 1, 0);
	ck_assert_int_eq(body_multipart_parse(slice_str(type), SLICE("x"), &fault, &m), -EBADMSG);
	ck_assert_str_eq(fault.text, "the content type has no usable boundary");
	(void)snprintf(type, sizeof(type), "a/b;boundary=%.*d", BODY_MULTIPART_BOUNDARY_MAX, 0);
	ck_assert_int_eq(body_multipart_parse(slice_str(type), SLICE("x"), &fault, &m), -EBADMSG);
	ck_assert_str_eq(fault.text, "the boundary is nowhere in the body");
}
END_TEST

START_TEST(types)
{
	ck_assert(body_type_is(SLICE("a/b"), SLICE("a/b")));
	ck_assert(body_type_is(SLICE(" A/b ;charset=x"), SLICE("a/B")));
	ck_assert(!body_type_is(SLICE("a/bc"), SLICE("a/b")));
	ck_assert(!body_type_is(SLICE(""), SLICE("a/b")));
}
END_TEST

RUN_TESTS("body-multipart", rfc2046_5_1_1_example, rfc2046_5_1_1_empty_parts, lines_and_folds,
	rfc2046_5_1_1_boundary_tricks, rfc2387_3_2_root, bad_bodies, bounds, types)
