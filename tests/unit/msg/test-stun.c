/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* STUN as keep-alives need it (RFC 8489), against the vectors of RFC 5769. */
#include <check.h>
#include <errno.h>
#include <string.h>

#include "protocol/base/buf.h"
#include "protocol/msg/stun.h"
#include "tests/support/exact.h"
#include "tests/support/run.h"

/* RFC 5769 section 2.2, without MESSAGE-INTEGRITY, the length and FINGERPRINT are ours. */
static const char vector_ipv4[] =
	"\x01\x01\x00\x0c\x21\x12\xa4\x42\xb7\xe7\xa7\x01\xbc\x34\xd6\x86"
	"\xfa\x87\xdf\xae\x00\x20\x00\x08\x00\x01\xa1\x47\xe1\x12\xa6\x43";
/* RFC 5769 section 2.3, so as well */
static const char vector_ipv6[] = "\x01\x01\x00\x18\x21\x12\xa4\x42\xb7\xe7\xa7\x01\xbc\x34\xd6\x86"
				  "\xfa\x87\xdf\xae\x00\x20\x00\x14\x00\x02\xa1\x47\x01\x13\xa9\xfa"
				  "\xa5\xd3\xf1\x79\xbc\x25\xf4\xb5\xbe\xd2\xb9\xd9";
static const uint8_t an_id[STUN_ID_BYTES] = { 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12 };

static struct slice of(const char *bytes, size_t n)
{
	return slice_of(bytes, n - 1);
}

/* RFC 8489 section 14.2 */
START_TEST(xor_mapped_address)
{
	struct stun_addr want;
	struct stun s;

	ck_assert_int_eq(stun_parse(of(vector_ipv4, sizeof(vector_ipv4)), &s), 0);
	ck_assert_int_eq(s.kind, STUN_SUCCESS);
	ck_assert(stun_addr_parse(SLICE("192.0.2.1"), 32853, &want));
	ck_assert(stun_addr_equal(&s.mapped, &want));
	ck_assert_int_eq(stun_parse(of(vector_ipv6, sizeof(vector_ipv6)), &s), 0);
	ck_assert(stun_addr_parse(SLICE("2001:db8:1234:5678:11:2233:4455:6677"), 32853, &want));
	ck_assert(stun_addr_equal(&s.mapped, &want));
	want.port++;
	ck_assert(!stun_addr_equal(&s.mapped, &want));
}
END_TEST

/* Sections 5 and 14.7: what we send can be read, and one changed bit is noticed */
START_TEST(request_round_trip)
{
	struct buf b = BUF_NULL;
	struct stun s;

	stun_append_request(&b, an_id);
	ck_assert_uint_eq(b.n, 28);
	ck_assert(stun_is(buf_slice(&b)));
	ck_assert_int_eq(stun_parse(buf_slice(&b), &s), 0);
	ck_assert_int_eq(s.kind, STUN_REQUEST);
	ck_assert_mem_eq(s.id, an_id, sizeof(an_id));
	for (size_t i = 0; i < 8 * b.n; i++) {
		int r;

		if (i / 8 == 20 || i / 8 == 21)
			continue; /* another attribute is none at all */
		b.p[i / 8] = (char)(b.p[i / 8] ^ 1 << i % 8);
		r = stun_parse(buf_slice(&b), &s);
		/* In the type it is another message, which FINGERPRINT does not fit either. */
		ck_assert_int_lt(r, 0);
		b.p[i / 8] = (char)(b.p[i / 8] ^ 1 << i % 8);
	}
	buf_deinit(&b);
}
END_TEST

/* RFC 5626 section 8: the answer tells where the request came from */
START_TEST(answer)
{
	static const char *const hosts[] = { "198.51.100.7", "2001:db8::9", "::1", "fe80::1%eth0",
		"::ffff:192.0.2.3", "1::", "1:2:3:4:5:6:7:8" };

	for (size_t i = 0; i < sizeof(hosts) / sizeof(hosts[0]); i++) {
		struct stun request, s;
		struct stun_addr from;
		struct buf b = BUF_NULL;

		stun_append_request(&b, an_id);
		ck_assert_int_eq(stun_parse(buf_slice(&b), &request), 0);
		buf_reset(&b);
		ck_assert(stun_addr_parse(slice_str(hosts[i]), 5060, &from));
		stun_append_answer(&b, &request, &from);
		ck_assert_int_eq(stun_parse(buf_slice(&b), &s), 0);
		ck_assert_int_eq(s.kind, STUN_SUCCESS);
		ck_assert_mem_eq(s.id, an_id, sizeof(an_id));
		ck_assert(stun_addr_equal(&s.mapped, &from));
		buf_deinit(&b);
	}
}
END_TEST

START_TEST(addresses)
{
	static const uint8_t mapped[16] = { [10] = 0xff, 0xff, 192, 0, 2, 3 };
	struct stun_addr a;

	ck_assert(stun_addr_parse(SLICE("::ffff:192.0.2.3"), 1, &a));
	ck_assert_mem_eq(a.bytes, mapped, sizeof(mapped));
	ck_assert(stun_addr_parse(SLICE("1::AbC"), 1, &a));
	ck_assert_uint_eq(a.bytes[1], 1);
	ck_assert_uint_eq(a.bytes[14] * 256u + a.bytes[15], 0xabc);
	ck_assert(stun_addr_parse(SLICE("::"), 1, &a));
	ck_assert(!stun_addr_parse(SLICE("example.com"), 1, &a));
	ck_assert(!stun_addr_parse(SLICE("[::1]"), 1, &a));
	ck_assert(!stun_addr_parse(SLICE("1.2.3"), 1, &a));
}
END_TEST

/* Section 6.3.1: what had to be understood and was not is answered by 420 with its name */
START_TEST(unknown_attribute)
{
	static const char request[] = "\x00\x01\x00\x08\x21\x12\xa4\x42zzzzzzzzzzzz"
				      "\x00\x03\x00\x04\x00\x00\x00\x06";
	struct stun_addr from = { .n = 4 };
	struct buf b = BUF_NULL;
	struct stun s;

	ck_assert_int_eq(stun_parse(of(request, sizeof(request)), &s), 0);
	ck_assert_uint_eq(s.n_unknown, 1);
	ck_assert_uint_eq(s.unknown[0], 3);
	buf_lit(&b, "x"); /* it need not begin at a multiple of four */
	stun_append_answer(&b, &s, &from);
	ck_assert_int_eq(stun_parse(slice_skip(buf_slice(&b), 1), &s), 0);
	ck_assert_int_eq(s.kind, STUN_ERROR);
	ck_assert_uint_eq(s.error, 420);
	buf_deinit(&b);
}
END_TEST

START_TEST(malformed)
{
	static const struct {
		const char *bytes;
		size_t n;
		int error;
	} rows[] = {
#define ROW(text, e) { text, sizeof(text), e }
		ROW("", -EBADMSG),
		/* no magic cookie: RFC 3489 */
		ROW("\x00\x01\x00\x00zzzzzzzzzzzzzzzz", -EBADMSG),
		/* length that is not there, and not a multiple of four */
		ROW("\x00\x01\x00\x04\x21\x12\xa4\x42zzzzzzzzzzzz", -EBADMSG),
		ROW("\x00\x01\x00\x02\x21\x12\xa4\x42zzzzzzzzzzzzab", -EBADMSG),
		/* an attribute that is longer than what is left */
		ROW("\x00\x01\x00\x04\x21\x12\xa4\x42zzzzzzzzzzzz\x80\x22\x00\x01", -EBADMSG),
		/* an address of no family, and one that is too short */
		ROW("\x01\x01\x00\x0c\x21\x12\xa4\x42zzzzzzzzzzzz\x00\x20\x00\x08\x00\x03zzzzzz",
			-EBADMSG),
		ROW("\x01\x01\x00\x0c\x21\x12\xa4\x42zzzzzzzzzzzz\x00\x20\x00\x08\x00\x02zzzzzz",
			-EBADMSG),
		/* an error that is none */
		ROW("\x01\x11\x00\x08\x21\x12\xa4\x42zzzzzzzzzzzz\x00\x09\x00\x04\x00\x00\x02\x01",
			-EBADMSG),
		/* Allocate */
		ROW("\x00\x03\x00\x00\x21\x12\xa4\x42zzzzzzzzzzzz", -EOPNOTSUPP),
#undef ROW
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct slice copy = exact_copy(of(rows[i].bytes, rows[i].n));
		struct stun s;

		ck_assert_int_eq(stun_parse(copy, &s), rows[i].error);
		exact_free(copy);
	}
}
END_TEST

/* Every beginning of a whole message is none. */
START_TEST(prefixes)
{
	struct stun s;

	for (size_t n = 0; n < sizeof(vector_ipv6) - 1; n++) {
		struct slice copy = exact_copy(slice_of(vector_ipv6, n));

		ck_assert_int_lt(stun_parse(copy, &s), 0);
		exact_free(copy);
	}
}
END_TEST

/* STUN_MAX_ATTRIBUTES, STUN_MAX_BYTES */
START_TEST(limits)
{
	char bytes[STUN_MAX_BYTES + 4] = "\x00\x01\x00\x00\x21\x12\xa4\x42zzzzzzzzzzzz";
	struct stun s;

	for (unsigned n = 1; n <= STUN_MAX_ATTRIBUTES + 1; n++) {
		memcpy(bytes + 16 + 4 * n, "\x80\x22\x00\x00", 4);
		bytes[3] = (char)(4 * n);
		ck_assert_int_eq(stun_parse(slice_of(bytes, 20 + 4 * n), &s),
			n <= STUN_MAX_ATTRIBUTES ? 0 : -EBADMSG);
	}
	memset(bytes + 20, 0, sizeof(bytes) - 20);
	memcpy(bytes + 20, "\x80\x22\x02\x0c", 4); /* 524 */
	memcpy(bytes + 2, "\x02\x10", 2);
	ck_assert_int_eq(stun_parse(slice_of(bytes, STUN_MAX_BYTES), &s), 0);
	memcpy(bytes + 20, "\x80\x22\x02\x10", 4);
	memcpy(bytes + 2, "\x02\x14", 2);
	ck_assert_int_eq(stun_parse(slice_of(bytes, STUN_MAX_BYTES + 4), &s), -EBADMSG);
}
END_TEST

RUN_TESTS("msg/stun", xor_mapped_address, request_round_trip, answer, addresses, unknown_attribute,
	malformed, prefixes, limits)
