/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "protocol/msg/refer-to.h"

#include <errno.h>

#include "protocol/base/buf.h"
#include "protocol/msg/dialog-id.h"
#include "protocol/msg/hdr.h"
#include "protocol/msg/uri-headers.h"
#include "tests/support/exact.h"
#include "tests/support/run.h"

/* RFC 3515 section 2.1 with its examples; RFC 3261 section 19.1.1 for method and headers */
START_TEST(targets)
{
	static const struct {
		const char *text;
		enum method method;
		const char *uri, *headers, *target;
	} rows[] = {
		{ "sip:alice@atlanta.example.com", METHOD_INVITE, "sip:alice@atlanta.example.com",
			"", "sip:alice@atlanta.example.com" },
		{ "<sip:bob@biloxi.example.net?Accept-Contact=sip:bobsdesk."
		  "biloxi.example.net&Call-ID=55432%40alicepc.atlanta.example.com>",
			METHOD_INVITE, "sip:bob@biloxi.example.net",
			"Accept-Contact=sip:bobsdesk.biloxi.example.net&"
			"Call-ID=55432%40alicepc.atlanta.example.com",
			"sip:bob@biloxi.example.net" },
		{ "<sip:dave@denver.example.org?Replaces=12345%40192.168.118.3%3B"
		  "to-tag%3D12345%3Bfrom-tag%3D5FFE-3994>",
			METHOD_INVITE, "sip:dave@denver.example.org",
			"Replaces=12345%40192.168.118.3%3Bto-tag%3D12345%3Bfrom-tag%3D5FFE-3994",
			"sip:dave@denver.example.org" },
		{ "\"C\" <sip:carol@cleveland.example.org;method=SUBSCRIBE>;x=y", METHOD_SUBSCRIBE,
			"sip:carol@cleveland.example.org;method=SUBSCRIBE", "",
			"sip:carol@cleveland.example.org" },
		{ "<sips:c@h;transport=tcp;METHOD=B%59E;lr;x=%41?a=b>", METHOD_BYE,
			"sips:c@h;transport=tcp;METHOD=B%59E;lr;x=%41", "a=b",
			"sips:c@h;transport=tcp;lr;x=%41" },
		/* RFC 3261 section 7.1: method names are case-sensitive. */
		{ "<sip:h;method=bye>", METHOD_UNKNOWN, "sip:h;method=bye", "", "sip:h" },
		{ "<sip:h;method=FLY>", METHOD_UNKNOWN, "sip:h;method=FLY", "", "sip:h" },
		{ "<sip:h;method>", METHOD_UNKNOWN, "sip:h;method", "", "sip:h" },
		/* RFC 3261 section 20.10: without "<>" it is a parameter of the header. */
		{ "sip:h;method=BYE", METHOD_INVITE, "sip:h", "", "sip:h" },
		/* No SIP URI: what looks like headers and a method is part of it. */
		{ "<tel:+4930123;method=BYE>", METHOD_INVITE, "tel:+4930123;method=BYE", "",
			"tel:+4930123;method=BYE" },
		{ "<http://www.example.com/x;method=BYE?q=1>", METHOD_INVITE,
			"http://www.example.com/x;method=BYE?q=1", "",
			"http://www.example.com/x;method=BYE?q=1" },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct slice text = exact_str(rows[i].text);
		struct buf cleanup_buf b = BUF_NULL;
		struct refer_to r;

		ck_assert_msg(refer_to_parse(text, &r) == 0, "%s", rows[i].text);
		ck_assert_msg(r.method == rows[i].method, "%s", rows[i].text);
		assert_slice(r.uri, rows[i].uri);
		assert_slice(r.addr.uri.headers, rows[i].headers);
		refer_to_append_target(&b, &r);
		assert_slice(buf_slice(&b), rows[i].target);
		exact_free(text);
	}
}
END_TEST

START_TEST(refused)
{
	static const char *const bad[] = { "", "*", "<>", "sip:", "<sip:a@b>, <sip:c@d>",
		"<sip:a@b", "<sip:a@b> x", "<sip:a@b>;", "<sip:a@b?>", "<sip:a@b?x>",
		/* RFC 3261 section 20: a URI with "?" needs its "<>". */
		"sip:a@b?Replaces=x" };

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct slice text = exact_str(bad[i]);
		struct refer_to r = { .method = METHOD_ACK };

		ck_assert_msg(refer_to_parse(text, &r) == -EBADMSG, "%s", bad[i]);
		ck_assert(r.method == METHOD_ACK && !r.uri.p);
		exact_free(text);
	}
}
END_TEST

/* RFC 3891 section 4: an attended transfer names the dialog in the URI that it refers to. */
START_TEST(attended_transfer)
{
	struct slice text = exact_str(
			     "<sips:b@h:5061;transport=tcp?Replaces=425928%40bobster."
			     "example.org%3Bto-tag%3D7743%3Bfrom-tag%3D6472&Require=replaces>"),
		     rest, name;
	struct buf cleanup_buf value = BUF_NULL;
	struct dialog_id d;
	struct refer_to r;

	ck_assert_int_eq(refer_to_parse(text, &r), 0);
	rest = r.addr.uri.headers;
	ck_assert_int_eq(uri_header_next(&rest, &name, &value), 1);
	ck_assert_int_eq(hdr_find(name), HDR_REPLACES);
	ck_assert_int_eq(dialog_id_parse(buf_slice(&value), &d), 0);
	assert_slice(d.call_id, "425928@bobster.example.org");
	assert_slice(d.to_tag, "7743");
	assert_slice(d.from_tag, "6472");
	ck_assert_int_eq(uri_header_next(&rest, &name, &value), 1);
	ck_assert_int_eq(hdr_find(name), HDR_REQUIRE);
	ck_assert_int_eq(uri_header_next(&rest, &name, &value), 0);
	exact_free(text);
}
END_TEST

RUN_TESTS("msg-refer-to", targets, refused, attended_transfer)
