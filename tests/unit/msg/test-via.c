/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "protocol/msg/via.h"

#include <errno.h>

#include "tests/support/exact.h"
#include "tests/support/run.h"

START_TEST(elements)
{
	/* RFC 4475 3.1.1.1 after its folds became blanks, and RFC 3581 */
	struct slice text = exact_str(
		"SIP  / 2.0  / TCP     spindle.example.com   ;  branch  =   z9hG4bK9ikj8  , "
		"SIP  /    2.0   / UDP  192.168.255.111:5070   ; branch= z9hG4bK30239;rport;received=::1,"
		"SIP/2.0/SCTP [2001:db8::9:1] : 5060;rport=99;maddr=224.2.0.1;x=\"a,b\"");
	struct slice rest = text;
	struct via v;

	ck_assert_int_eq(via_next(&rest, &v), 1);
	assert_slice(v.transport_name, "TCP");
	ck_assert_int_eq(v.transport, TRANSPORT_TCP);
	assert_slice(v.version, "2.0");
	assert_slice(v.host, "spindle.example.com");
	ck_assert_uint_eq(v.port, 0);
	assert_slice(v.branch, "z9hG4bK9ikj8");
	ck_assert(v.rport.p == NULL && v.received.p == NULL);
	ck_assert_int_eq(via_next(&rest, &v), 1);
	ck_assert_uint_eq(v.port, 5070);
	ck_assert(v.rport.p != NULL && v.rport.n == 0);
	assert_slice(v.received, "::1");
	assert_slice(v.text, "SIP  /    2.0   / UDP  192.168.255.111:5070   ; branch= "
			     "z9hG4bK30239;rport;received=::1");
	ck_assert_int_eq(via_next(&rest, &v), 1);
	ck_assert_int_eq(v.transport, TRANSPORT_NONE);
	assert_slice(v.host, "[2001:db8::9:1]");
	assert_slice(v.rport, "99");
	assert_slice(v.maddr, "224.2.0.1");
	ck_assert(v.branch.p == NULL);
	ck_assert_int_eq(via_next(&rest, &v), 0);
	exact_free(text);
}
END_TEST

START_TEST(refused)
{
	static const char *const bad[] = { "SIP", "SIP/2.0", "SIP/2.0/UDP", "SIP/2.0/UDP ",
		"SIP/2.0/UDPhost", "SIP/2.0/ host", "/2.0/UDP host",
		"SIP/2.0/UDP host:", "SIP/2.0/UDP host:0", "SIP/2.0/UDP host:x",
		"SIP/2.0/UDP host;", "SIP/2.0/UDP 192.0.2.15;;,;,,", "SIP/2.0/UDP host,",
		",SIP/2.0/UDP host", "SIP/2.0/UDP host x", "SIP/2.0/UDP [::1",
		"SIP/2.0/UDP \"host\"", "SIP/2.0/UDP host\r\n;x" };

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct slice text = exact_str(bad[i]), rest = text;
		struct via v = { .port = 77 };

		ck_assert_msg(via_next(&rest, &v) == -EBADMSG, "%s", bad[i]);
		ck_assert_uint_eq(v.port, 77);
		exact_free(text);
	}
}
END_TEST

/* A 400 has to find its way although the parameters are broken (RFC 4475 3.1.2.1). */
START_TEST(partial)
{
	struct slice rest = SLICE("SIP/2.0/UDP 192.0.2.15;;,;,,");
	struct via v;

	ck_assert_int_eq(via_next_partial(&rest, &v), -EBADMSG);
	assert_slice(v.host, "192.0.2.15");
	rest = SLICE("SIP/2.0/UDP");
	ck_assert_int_eq(via_next_partial(&rest, &v), -EBADMSG);
	ck_assert_uint_eq(v.host.n, 0);
}
END_TEST

static struct via parsed(const char *text)
{
	struct slice rest = slice_str(text);
	struct via v;

	ck_assert_msg(via_next(&rest, &v) == 1, "%s", text);
	return v;
}

/* RFC 3261 section 8.1.1.7; RFC 4475 3.2.1: the cookie alone is no branch of that kind. */
START_TEST(cookie)
{
	struct via v = parsed("SIP/2.0/UDP h;branch=z9hG4bKx");

	ck_assert(via_is_rfc3261(&v));
	v = parsed("SIP/2.0/UDP h;branch=z9hG4bK");
	ck_assert(!via_is_rfc3261(&v));
	v = parsed("SIP/2.0/UDP h;branch=390skdjuw");
	ck_assert(!via_is_rfc3261(&v));
	v = parsed("SIP/2.0/UDP h");
	ck_assert(!via_is_rfc3261(&v));
}
END_TEST

START_TEST(sent_by)
{
	struct via a = parsed("SIP/2.0/UDP Host.example.com"),
		   b = parsed("SIP/2.0/UDP host.EXAMPLE.com:5060"),
		   c = parsed("SIP/2.0/TLS host.example.com:5060"),
		   d = parsed("SIP/2.0/TLS host.example.com");

	ck_assert(via_sent_by_equal(&a, &b));
	ck_assert(via_sent_by_equal(&b, &c));
	ck_assert(!via_sent_by_equal(&c, &d));
	ck_assert(!via_sent_by_equal(&a, &d));
}
END_TEST

RUN_TESTS("msg-via", elements, refused, partial, cookie, sent_by)
