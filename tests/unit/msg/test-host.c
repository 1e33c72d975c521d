/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "protocol/msg/host.h"

#include "protocol/msg/scan.h"
#include "tests/support/exact.h"
#include "tests/support/run.h"

static const struct {
	const char *text;
	bool ipv4, ipv6;
} numeric[] = {
	{ "192.0.2.1", true, false },
	{ "255.255.255.255", true, false },
	{ "256.0.2.1", false, false },
	{ "192.0.2", false, false },
	{ "192.0.2.1.", false, false },
	{ "192.0.2.1.5", false, false },
	{ "192.0..1", false, false },
	{ "0192.0.2.1", false, false },
	{ "", false, false },
	{ "a.b.c.d", false, false },
	/* RFC 4291 section 2.2 */
	{ "::", false, true },
	{ "::1", false, true },
	{ "1::", false, true },
	{ "2001:db8::1", false, true },
	{ "1:2:3:4:5:6:7:8", false, true },
	{ "1:2:3:4:5:6:7::", false, true },
	{ "::2:3:4:5:6:7:8", false, true },
	{ "::ffff:192.0.2.1", false, true },
	{ "1:2:3:4:5:6:192.0.2.1", false, true },
	{ "1::5:6:192.0.2.1", false, true },
	{ "ABCD:ef01::", false, true },
	{ "1:2:3:4:5:6:7", false, false },
	{ "1:2:3:4:5:6:7:8:9", false, false },
	{ "1:2:3:4:5:6:7:8::", false, false },
	{ "1::2::3", false, false },
	{ ":::", false, false },
	{ ":", false, false },
	{ ":1", false, false },
	{ "1:", false, false },
	{ "12345::", false, false },
	{ "::g", false, false },
	{ "::1%eth0", false, false },
	{ "1:2:3:4:5:6:7:192.0.2.1", false, false },
	{ "::192.0.2", false, false },
	{ "::192.0.2.1:1", false, false },
	{ "1:2:3:4:5::6:192.0.2.1", false, false },
};

START_TEST(addresses)
{
	for (size_t i = 0; i < sizeof(numeric) / sizeof(numeric[0]); i++) {
		struct slice text = exact_str(numeric[i].text);

		ck_assert_msg(host_is_ipv4(text) == numeric[i].ipv4, "%s", numeric[i].text);
		ck_assert_msg(host_is_ipv6(text) == numeric[i].ipv6, "%s", numeric[i].text);
		exact_free(text);
	}
}
END_TEST

/* host, and what stays behind it */
static const struct {
	const char *text, *host, *rest;
} hosts[] = {
	{ "example.com", "example.com", "" },
	{ "example.com:5060", "example.com", ":5060" },
	{ "a_b.example.com.;x", "a_b.example.com.", ";x" },
	{ "[2001:db8::1]:5060", "[2001:db8::1]", ":5060" },
	{ "192.0.2.1 ", "192.0.2.1", " " },
	{ "host\r\nEvil: x", "host", "\r\nEvil: x" },
	{ "a\"b", "a", "\"b" },
	{ "[2001:db8::1", NULL, "" },
	{ "[]", NULL, "" },
	{ "[", NULL, "" },
	{ "[192.0.2.1]", NULL, "" },
	{ "[::1 ]", NULL, "" },
	{ "[::1\n]", NULL, "" },
	{ "-a", NULL, "" },
	{ ".a", NULL, "" },
	{ "", NULL, "" },
	{ " a", NULL, "" },
	{ "\xc3\xa9", NULL, "" },
};

START_TEST(host_forms)
{
	for (size_t i = 0; i < sizeof(hosts) / sizeof(hosts[0]); i++) {
		struct slice text = exact_str(hosts[i].text), host = SLICE("untouched");
		struct scan s = scan_of(text);

		if (hosts[i].host) {
			ck_assert_msg(host_scan(&s, &host), "%s", hosts[i].text);
			assert_slice(host, hosts[i].host);
			assert_slice(scan_rest(&s), hosts[i].rest);
		} else {
			ck_assert_msg(!host_scan(&s, &host), "%s", hosts[i].text);
			assert_slice(host, "untouched");
			ck_assert(s.p == text.p);
		}
		exact_free(text);
	}
}
END_TEST

START_TEST(ports)
{
	static const struct {
		const char *text;
		uint16_t port; /* 0: refused */
	} rows[] = { { "1", 1 }, { "5060;x", 5060 }, { "65535", 65535 }, { "00005060", 5060 },
		{ "0", 0 }, { "65536", 0 }, { "", 0 }, { "-1", 0 }, { "+1", 0 },
		{ "4294967297", 0 } };

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct slice text = exact_str(rows[i].text);
		struct scan s = scan_of(text);
		uint16_t port = 7;

		ck_assert_msg(host_scan_port(&s, &port) == (rows[i].port != 0), "%s", rows[i].text);
		ck_assert_uint_eq(port, rows[i].port ? rows[i].port : 7);
		exact_free(text);
	}
}
END_TEST

RUN_TESTS("msg-host", addresses, host_forms, ports)
