/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "protocol/msg/sipfrag.h"

#include <errno.h>

#include "protocol/base/buf.h"
#include "tests/support/exact.h"
#include "tests/support/run.h"

/* RFC 3515 section 2.4.5, RFC 3420 section 2 */
START_TEST(status)
{
	static const struct {
		const char *text;
		unsigned status;
		const char *reason;
	} rows[] = {
		{ "SIP/2.0 100 Trying\r\n", 100, "Trying" },
		{ "SIP/2.0 200 OK", 200, "OK" },
		{ "sip/2.0 603 Declined by \"\xc3\xa9\"\n", 603, "Declined by \"\xc3\xa9\"" },
		{ "SIP/2.0 486 \r\n", 486, "" },
		{ "SIP/2.0 699\r\n", 699, "" },
		{ "SIP/2.0 603 Declined\r\nReason: SIP;cause=603\r\n\r\nSIP/2.0 200 OK", 603,
			"Declined" },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct slice text = exact_str(rows[i].text), reason;
		unsigned code;

		ck_assert_msg(sipfrag_status(text, &code, &reason) == 0, "%s", rows[i].text);
		ck_assert_msg(code == rows[i].status, "%s", rows[i].text);
		assert_slice(reason, rows[i].reason);
		exact_free(text);
	}
}
END_TEST

START_TEST(refused)
{
	static const char *const bad[] = { "", "\r\nSIP/2.0 200 OK\r\n", " SIP/2.0 200 OK",
		"SIP/2.0", "SIP/2.0 ", "SIP/2.0 20", "SIP/2.0 2000 OK", "SIP/2.0 099 x",
		"SIP/2.0 700 x", "SIP/2.0 2x0 OK", "SIP/2.0  200 OK", "SIP/3.0 200 OK",
		"SIP/2.0 200\tOK", "SIP/2.0 200 a\rb\r\n", "SIP/2.0 200 \x1b[2J",
		"SIP/2.0 200 \x7f",
		/* RFC 3420 allows it, as the progress of a REFER it says nothing. */
		"INVITE sip:a@b SIP/2.0\r\n", "From: <sip:a@b>\r\nSIP/2.0 200 OK\r\n" };

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct slice text = exact_str(bad[i]), reason = SLICE_NULL;
		unsigned code = 7;

		ck_assert_msg(sipfrag_status(text, &code, &reason) == -EBADMSG, "%s", bad[i]);
		ck_assert(code == 7 && !reason.p);
		exact_free(text);
	}
}
END_TEST

START_TEST(written)
{
	struct buf cleanup_buf b = BUF_NULL;

	sipfrag_append_status(&b, 100, SLICE_NULL);
	assert_slice(buf_slice(&b), "SIP/2.0 100 Trying\r\n");
	buf_reset(&b);
	sipfrag_append_status(&b, 404, SLICE("Nobody here"));
	assert_slice(buf_slice(&b), "SIP/2.0 404 Nobody here\r\n");
}
END_TEST

RUN_TESTS("msg-sipfrag", status, refused, written)
