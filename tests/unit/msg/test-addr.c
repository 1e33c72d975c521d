/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "protocol/msg/addr.h"

#include <errno.h>

#include "protocol/base/buf.h"
#include "tests/support/exact.h"
#include "tests/support/run.h"

static const struct {
	const char *text, *display, *uri, *params; /* display NULL: none */
} good[] = {
	/* RFC 3261 section 20.10 */
	{ "\"Bob\" <sips:bob@biloxi.com> ;tag=a48s", "Bob", "sips:bob@biloxi.com", ";tag=a48s" },
	{ "sip:+12125551212@phone2net.com;tag=887s", NULL, "sip:+12125551212@phone2net.com",
		";tag=887s" },
	{ "Anonymous <sip:c8oqz84zk7z@privacy.org>;tag=hyh8", "Anonymous",
		"sip:c8oqz84zk7z@privacy.org", ";tag=hyh8" },
	/* RFC 4475 3.1.1.1, 3.1.1.2, 3.1.1.6, 3.3.12, 3.3.13 */
	{ "\"J Rosenberg \\\\\\\"\"       <sip:jdrosen@example.com>    ;    tag = 98asjd8",
		"J Rosenberg \\\\\\\"", "sip:jdrosen@example.com", ";    tag = 98asjd8" },
	{ "token1~` token2'+_ token3*%!.- <sip:mundane@example.com>;fromParam''~+*_!.-%=\"\xd1\x80\"",
		"token1~` token2'+_ token3*%!.-", "sip:mundane@example.com",
		";fromParam''~+*_!.-%=\"\xd1\x80\"" },
	{ "caller<sip:caller@example.com>;tag=323", "caller", "sip:caller@example.com",
		";tag=323" },
	{ "sip:+19725552222@gw1.example.net;unknownparam", NULL, "sip:+19725552222@gw1.example.net",
		";unknownparam" },
	{ "<sip:+19725552222@gw1.example.net;unknownparam>", NULL,
		"sip:+19725552222@gw1.example.net;unknownparam", "" },
	{ "<sip:user@example.com?Route=%3Csip:sip.example.com%3E>", NULL,
		"sip:user@example.com?Route=%3Csip:sip.example.com%3E", "" },
	{ "\"\" <sip:a@b>", "", "sip:a@b", "" },
	{ "J\xc3\xbcrgen <sip:a@b>", "J\xc3\xbcrgen", "sip:a@b", "" },
	{ "isbn:2983792873", NULL, "isbn:2983792873", "" },
	{ "<sip:a@b>;+sip.instance=\"<urn:uuid:5f1e>\";q=0.5", NULL, "sip:a@b",
		";+sip.instance=\"<urn:uuid:5f1e>\";q=0.5" },
};

START_TEST(forms)
{
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		struct slice text = exact_str(good[i].text);
		struct addr a;

		ck_assert_msg(addr_parse(text, &a) == 0, "%s", good[i].text);
		assert_slice(a.uri.text, good[i].uri);
		assert_slice(a.params, good[i].params);
		assert_slice(a.display, good[i].display ? good[i].display : "");
		ck_assert(!a.display.p == !good[i].display);
		exact_free(text);
	}
}
END_TEST

START_TEST(refused)
{
	static const char *const bad[] = { "", " ", "<", "<>", "<sip:a@b", "sip:a@b>",
		"\"x <sip:a@b>", "\"x\"", "\"x\" sip:a@b", "<sip:a@b> x", "<sip:a@b>;",
		"<sip:a@b>;;x", "<sip:a@b>,", "<sip:a@b>, <sip:c@d>", "sip:a@b?x=y", "sip:a@b c",
		"<sip:a@b>;tag=", "<<sip:a@b>>",
		/* RFC 4475 3.1.2.6, 3.1.2.13 to 3.1.2.15 */
		"\"Mr. J. User <sip:j.user@example.com>",
		"sip:user@example.com?Route=%3Csip:e.com%3E",
		"\"Watson, Thomas\" < sip:t.watson@example.org >",
		"Bell, Alexander <sip:a.g.bell@example.com>;tag=43",
		/* header injection */
		"\"x\r\nEvil: y\" <sip:a@b>", "<sip:a@b>\r\n;x", "x\r\ny <sip:a@b>",
		"<sip:a@b\r\n>" };

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct slice text = exact_str(bad[i]);
		struct addr a = { .display = SLICE("untouched") };

		ck_assert_msg(addr_parse(text, &a) == -EBADMSG, "%s", bad[i]);
		assert_slice(a.display, "untouched");
		exact_free(text);
	}
}
END_TEST

START_TEST(lists)
{
	struct slice text = exact_str("\"a,b\" <sip:a,b@c>;q=1 , sip:d@e;x=\"1,2\",<sip:f@g>"),
		     rest = text;
	struct addr a;

	ck_assert_int_eq(addr_next(&rest, &a), 1);
	assert_slice(a.uri.text, "sip:a,b@c");
	assert_slice(a.params, ";q=1");
	ck_assert_int_eq(addr_next(&rest, &a), 1);
	assert_slice(a.uri.text, "sip:d@e");
	ck_assert_int_eq(addr_next(&rest, &a), 1);
	assert_slice(a.uri.text, "sip:f@g");
	ck_assert_int_eq(addr_next(&rest, &a), 0);
	exact_free(text);
	rest = SLICE("sip:a@b,");
	ck_assert_int_eq(addr_next(&rest, &a), -EBADMSG);
	rest = SLICE(",sip:a@b");
	ck_assert_int_eq(addr_next(&rest, &a), -EBADMSG);
	rest = SLICE("\"Joe\" <sip:joe@example.org>;;;;");
	ck_assert_int_eq(addr_next(&rest, &a), -EBADMSG);
}
END_TEST

START_TEST(tags)
{
	struct addr a;
	struct slice value;

	ck_assert_int_eq(addr_parse(SLICE("sip:a@b;TAG=x1"), &a), 0);
	assert_slice(addr_tag(&a), "x1");
	/* A tag of the URI is none of the header. */
	ck_assert_int_eq(addr_parse(SLICE("<sip:a@b;tag=x1>;expires=5"), &a), 0);
	ck_assert(addr_tag(&a).p == NULL);
	ck_assert(addr_param(&a, SLICE("expires"), &value));
	assert_slice(value, "5");
}
END_TEST

START_TEST(writes)
{
	struct buf cleanup_buf b = BUF_NULL;
	struct addr a;

	addr_append(&b, SLICE("A \"B\" \\C"), SLICE("sip:a@b"));
	assert_slice(buf_slice(&b), "\"A \\\"B\\\" \\\\C\" <sip:a@b>");
	ck_assert_int_eq(addr_parse(buf_slice(&b), &a), 0);
	{
		struct buf cleanup_buf display = BUF_NULL;

		addr_append_display(&display, &a);
		assert_slice(buf_slice(&display), "A \"B\" \\C");
	}
	buf_reset(&b);
	addr_append(&b, SLICE_NULL, SLICE("sip:a@b"));
	assert_slice(buf_slice(&b), "<sip:a@b>");
}
END_TEST

RUN_TESTS("msg-addr", forms, refused, lists, tags, writes)
