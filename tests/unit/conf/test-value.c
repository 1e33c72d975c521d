/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Texts of values: a table for each kind. */
#include <check.h>
#include <stdlib.h>

#include "conf/value.h"
#include "protocol/base/buf.h"
#include "protocol/base/mem.h"

#define MIN_ (60 * USEC_PER_SEC)
#define HOUR_ (60 * MIN_)

START_TEST(value_bool)
{
	static const char *const yes[] = { "yes", "true", "on", "1", "YES", "True" };
	static const char *const no[] = { "no", "false", "off", "0", "NO", "oFF" };
	static const char *const bad[] = { "", "y", "n", "2", "yess", "enabled", "yes " };
	bool v;

	for (size_t i = 0; i < ARRAY_LEN(yes); i++) {
		v = false;
		ck_assert(value_parse_bool(slice_str(yes[i]), &v) == 0 && v);
	}
	for (size_t i = 0; i < ARRAY_LEN(no); i++) {
		v = true;
		ck_assert(value_parse_bool(slice_str(no[i]), &v) == 0 && !v);
	}
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		ck_assert_int_lt(value_parse_bool(slice_str(bad[i]), &v), 0);
}
END_TEST

static const struct {
	const char *text;
	usec_t usec;
} durations[] = {
	{ "0", 0 },
	{ "infinity", 0 },
	{ "30", 30 * USEC_PER_SEC },
	{ "30s", 30 * USEC_PER_SEC },
	{ "30 s", 30 * USEC_PER_SEC },
	{ "500ms", 500 * USEC_PER_MSEC },
	{ "7us", 7 },
	{ "7\xc2\xb5s", 7 },
	{ "15min", 15 * MIN_ },
	{ "2m", 2 * MIN_ },
	{ "1h", HOUR_ },
	{ "2 h 30min", 2 * HOUR_ + 30 * MIN_ },
	{ "2hours30minutes", 2 * HOUR_ + 30 * MIN_ },
	{ "55s500ms", 55500 * USEC_PER_MSEC },
	{ "5min 20", 5 * MIN_ + 20 * USEC_PER_SEC },
	{ "1.5s", 1500 * USEC_PER_MSEC },
	{ "0.25h", 15 * MIN_ },
	{ "1.0000001s", USEC_PER_SEC },
	{ "1d", 24 * HOUR_ },
	{ "2weeks", 14 * 24 * HOUR_ },
	{ "1M", 2629800 * USEC_PER_SEC },
	{ "1y", 31557600 * USEC_PER_SEC },
};

START_TEST(value_durations)
{
	usec_t t = 1;

	ck_assert_int_eq(value_parse_duration(slice_str(durations[_i].text), &t), 0);
	ck_assert_uint_eq(t, durations[_i].usec);
}
END_TEST

START_TEST(value_no_durations)
{
	static const char *const bad[] = { "", "s", "-1s", "+1s", "1 fortnight", "1S", "1.s", ".5s",
		"1.2.3s", "1s,2s", "0x10", "99999999999999999999", "18446744073709551615s",
		"600000y", "1e3s", "s1" };
	usec_t t = 42;

	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		ck_assert_int_lt(value_parse_duration(slice_str(bad[i]), &t), 0);
		ck_assert_uint_eq(t, 42);
	}
}
END_TEST

START_TEST(value_sizes)
{
	static const char *const bad[] = { "", "K", "1k", "1 K", "-1", "1.5M", "1KK",
		"18014398509481984K" };
	uint64_t n;

	ck_assert(value_parse_size(SLICE("0"), &n) == 0 && n == 0);
	ck_assert(value_parse_size(SLICE("64K"), &n) == 0 && n == 65536);
	ck_assert(value_parse_size(SLICE("2M"), &n) == 0 && n == 2097152);
	ck_assert(value_parse_size(SLICE("1G"), &n) == 0 && n == 1073741824);
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		ck_assert_int_lt(value_parse_size(slice_str(bad[i]), &n), 0);
}
END_TEST

static const struct {
	const char *text, *host;
	uint16_t port;
	bool is_address;
} hosts[] = {
	{ "example.com", "example.com", 0, false },
	{ "example.com.", "example.com.", 0, false },
	{ "example.com:5060", "example.com", 5060, false },
	{ "a", "a", 0, false },
	{ "3com.example", "3com.example", 0, false },
	{ "x--1.a-b", "x--1.a-b", 0, false },
	{ "192.0.2.1", "192.0.2.1", 0, true },
	{ "192.0.2.1:65535", "192.0.2.1", 65535, true },
	{ "::1", "::1", 0, true },
	{ "[::1]", "::1", 0, true },
	{ "[2001:db8::1]:5061", "2001:db8::1", 5061, true },
	{ "[::ffff:192.0.2.1]:1", "::ffff:192.0.2.1", 1, true },
};

START_TEST(value_hosts)
{
	struct value_host h;

	ck_assert_int_eq(value_parse_host(slice_str(hosts[_i].text), &h), 0);
	ck_assert(slice_eq(h.host, slice_str(hosts[_i].host)));
	ck_assert_uint_eq(h.port, hosts[_i].port);
	ck_assert_int_eq(h.is_address, hosts[_i].is_address);
}
END_TEST

START_TEST(value_no_hosts)
{
	static const char *const bad[] = { "", ".", ":5060", "a:", "a:0", "a:65536", "a:b", "a:-1",
		"[::1", "::1]", "[::1]:", "[::1]x", "[::1]5060", "[192.0.2.1]", "[example.com]",
		"[]", "1.2.3", "1.2.3.4.5", "256.1.1.1", "a..b", "-a", "a-", "a b", "a_b", "a/b",
		"sip:a", "a@b", "\xc3\xa4.example", "a.1" };
	char label[65];
	struct value_host h;

	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		ck_assert_msg(value_parse_host(slice_str(bad[i]), &h) < 0, "%s", bad[i]);
	/* RFC 1035 section 2.3.4: 63 octets for a label */
	for (size_t i = 0; i < 64; i++)
		label[i] = 'a';
	ck_assert_int_eq(value_parse_host(slice_of(label, 63), &h), 0);
	ck_assert_int_lt(value_parse_host(slice_of(label, 64), &h), 0);
	ck_assert_int_lt(value_parse_host(slice_of("a\0b", 3), &h), 0);
	ck_assert_int_lt(value_parse_host(slice_of("1.1.1.1\0", 8), &h), 0);
}
END_TEST

START_TEST(value_sessions)
{
	static const char *const bad[] = { "", "/", "im", "im/", "/first", "im/second", "mim/first",
		"im/first/", "im /first" };
	struct value_session v;

	ck_assert_int_eq(value_parse_session(SLICE("PC2PC/Third"), &v), 0);
	ck_assert(slice_eq(v.type, SLICE("PC2PC")) && slice_eq(v.party, SLICE("Third")));
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		ck_assert_int_lt(value_parse_session(slice_str(bad[i]), &v), 0);
}
END_TEST

START_TEST(value_aors)
{
	static const char *const good[] = { "sip:alice@example.com", "SIPS:a.b%20c@[::1]:5061",
		"sip:+4930123@192.0.2.1", "sip:a;b=c@example.com" };
	static const char *const bad[] = { "", "alice@example.com", "sip:example.com", "sip:@a",
		"tel:+4930123", "sip:alice@", "sip:alice@example.com;transport=tcp", "sip:a@b?c=d",
		"sip:a b@c", "<sip:a@b>", "sip:a@b@c", "sip:a:pw@c" };

	for (size_t i = 0; i < ARRAY_LEN(good); i++)
		ck_assert_int_eq(value_check_aor(slice_str(good[i])), 0);
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		ck_assert_msg(value_check_aor(slice_str(bad[i])) < 0, "%s", bad[i]);
}
END_TEST

START_TEST(value_names)
{
	ck_assert_int_eq(value_check_path_element(SLICE("Alice_01")), 0);
	ck_assert_int_lt(value_check_path_element(SLICE("")), 0);
	ck_assert_int_lt(value_check_path_element(SLICE("a-b")), 0);
	ck_assert_int_lt(value_check_path_element(SLICE("a.b")), 0);
	ck_assert_int_lt(value_check_path_element(SLICE("\xc3\xa4")), 0);
}
END_TEST

START_TEST(value_instances)
{
	static const char *const bad[] = { "", "urn:uuid:", "00000000-0000-1000-8000-000A95A0E12",
		"00000000-0000-1000-8000-000A95A0E12G", "000000000-000-1000-8000-000A95A0E128",
		"{0000000-0000-1000-8000-000A95A0E128" };
	cleanup_buf struct buf b = BUF_NULL;

	ck_assert_int_eq(
		value_append_instance(&b, SLICE("00000000-0000-1000-8000-000A95A0E128")), 0);
	ck_assert(slice_eq(buf_slice(&b), SLICE("urn:uuid:00000000-0000-1000-8000-000a95a0e128")));
	buf_reset(&b);
	ck_assert_int_eq(
		value_append_instance(&b, SLICE("URN:UUID:00000000-0000-1000-8000-000a95a0e128")),
		0);
	ck_assert_uint_eq(b.n, 45);
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		ck_assert_int_lt(value_append_instance(&b, slice_str(bad[i])), 0);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("value");
	TCase *tc = tcase_create("value");
	SRunner *sr;
	int failed;

	tcase_add_test(tc, value_bool);
	tcase_add_loop_test(tc, value_durations, 0, (int)ARRAY_LEN(durations));
	tcase_add_test(tc, value_no_durations);
	tcase_add_test(tc, value_sizes);
	tcase_add_loop_test(tc, value_hosts, 0, (int)ARRAY_LEN(hosts));
	tcase_add_test(tc, value_no_hosts);
	tcase_add_test(tc, value_sessions);
	tcase_add_test(tc, value_aors);
	tcase_add_test(tc, value_names);
	tcase_add_test(tc, value_instances);
	suite_add_tcase(s, tc);
	sr = srunner_create(s);
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
