/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "protocol/msg/uri-headers.h"

#include <errno.h>

#include "protocol/base/buf.h"
#include "protocol/msg/uri.h"
#include "tests/support/exact.h"
#include "tests/support/run.h"

/* RFC 3261 sections 19.1.1 and 19.1.3 */
START_TEST(walk)
{
	struct slice text = exact_str("Replaces=1%40h%3Bto-tag%3D2%3Bfrom-tag%3d3&Subject="
				      "&body=v%3D0%0D%0A%00&%58-A=a+b=%2525"),
		     rest = text, name;
	struct buf cleanup_buf value = BUF_NULL;

	ck_assert_int_eq(uri_header_next(&rest, &name, &value), 1);
	assert_slice(name, "Replaces");
	assert_slice(buf_slice(&value), "1@h;to-tag=2;from-tag=3");
	ck_assert_int_eq(uri_header_next(&rest, &name, &value), 1);
	assert_slice(name, "Subject");
	ck_assert_uint_eq(value.n, 0);
	/* It is no header: it may have lines. */
	ck_assert_int_eq(uri_header_next(&rest, &name, &value), 1);
	assert_slice(name, "body");
	ck_assert(slice_eq(buf_slice(&value), SLICE("v=0\r\n\0")));
	ck_assert_int_eq(uri_header_next(&rest, &name, &value), 1);
	assert_slice(name, "%58-A");
	/* "+" is no blank, and an escape is resolved once. */
	assert_slice(buf_slice(&value), "a+b=%25");
	ck_assert_int_eq(uri_header_next(&rest, &name, &value), 0);
	exact_free(text);
}
END_TEST

START_TEST(refused)
{
	static const char *const bad[] = { "x", "=y", "&x=y", "x=y&", "x=y&&z=1", "x=%", "x=%4",
		"x=%4g", "x=%g4", "%=y", "x=a b", "x=\"", "x=<", "x=#", "/=y", "%0Ax=%0A",
		/* A value that would end its header and start another. */
		"Subject=x%0D%0AVia:%20y", "Subject=x%0Ay", "Subject=x%0dy", "Subject=x%00y" };

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct slice text = exact_str(bad[i]), rest = text, name;
		struct buf cleanup_buf value = BUF_NULL;
		int r;

		while ((r = uri_header_next(&rest, &name, &value)) > 0)
			;
		ck_assert_msg(r == -EBADMSG, "%s", bad[i]);
		exact_free(text);
	}
}
END_TEST

/* RFC 3261 section 25.1, hvalue */
START_TEST(escaped)
{
	struct buf cleanup_buf b = BUF_NULL;

	uri_append_header_value(&b, SLICE("1@h;to-tag=2&3%41 \"<>\",\\\x01\xc3\xa9"));
	assert_slice(buf_slice(&b), "1%40h%3Bto-tag%3D2%263%2541%20%22%3C%3E%22%2C%5C%01%C3%A9");
	buf_reset(&b);
	uri_append_header_value(&b, SLICE("[]/?:+$-_.!~*'()aZ09"));
	assert_slice(buf_slice(&b), "[]/?:+$-_.!~*'()aZ09");
}
END_TEST

/* Every byte that a header may hold comes back, out of a URI that holds nothing it may not. */
START_TEST(round_trip)
{
	struct buf cleanup_buf b = BUF_NULL, cleanup_buf value = BUF_NULL;
	struct slice rest, name;
	struct uri u;
	char all[256];
	size_t n = 0;

	for (int c = 1; c < 256; c++)
		if (c != '\r' && c != '\n')
			all[n++] = (char)c;
	buf_lit(&b, "sip:h?x=");
	uri_append_header_value(&b, slice_of(all, n));
	ck_assert_int_eq(uri_parse(buf_slice(&b), &u), 0);
	rest = u.headers;
	ck_assert_int_eq(uri_header_next(&rest, &name, &value), 1);
	ck_assert(slice_eq(buf_slice(&value), slice_of(all, n)));
}
END_TEST

RUN_TESTS("msg-uri-headers", walk, refused, escaped, round_trip)
