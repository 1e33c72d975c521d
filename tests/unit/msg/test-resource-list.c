/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "protocol/msg/resource-list.h"

#include "protocol/base/buf.h"
#include "tests/support/exact.h"
#include "tests/support/run.h"

static void expect(struct buf *b, const char *text)
{
	ck_assert_msg(slice_eq(buf_slice(b), slice_str(text)), "%.*s", SLICE_ARGS(buf_slice(b)));
	buf_deinit(b);
}

/* RFC 5367 section 4: flat, and no references to other lists. */
START_TEST(rfc5367_4_flat_list)
{
	const struct slice uris[] = { exact_str("sip:bill@example.com"),
		exact_str("sip:joe@example.org;method=SUBSCRIBE?a=%3C&b='\"<>") };
	struct buf b = BUF_NULL;

	resource_list_append(&b, uris, 2);
	expect(&b, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\r\n"
		   "<resource-lists xmlns=\"urn:ietf:params:xml:ns:resource-lists\">\r\n"
		   "<list>\r\n"
		   "<entry uri=\"sip:bill@example.com\"/>\r\n"
		   "<entry uri=\"sip:joe@example.org;method=SUBSCRIBE?a=%3C&amp;b=&apos;&quot;"
		   "&lt;&gt;\"/>\r\n"
		   "</list>\r\n"
		   "</resource-lists>\r\n");
	exact_free(uris[0]);
	exact_free(uris[1]);
}
END_TEST

START_TEST(nobody)
{
	struct buf b = BUF_NULL;

	resource_list_append_escaped(&b, SLICE_NULL);
	ck_assert_uint_eq(b.n, 0);
	resource_list_append(&b, NULL, 0);
	ck_assert(b.n > 0);
	buf_deinit(&b);
}
END_TEST

RUN_TESTS("msg-resource-list", rfc5367_4_flat_list, nobody)
