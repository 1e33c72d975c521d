/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* How long a DNS message may be kept: RFC 2181 section 8, RFC 2308 section 5. */
#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/resolver-ttl.h"
#include "protocol/base/mem.h"

enum { TYPE_CNAME = 5, TYPE_SOA = 6, TYPE_SRV = 33 };

/* A message, written one part after the other. */
struct message {
	uint8_t bytes[256];
	size_t n;
};

static void put(struct message *m, const void *p, size_t n)
{
	memcpy(m->bytes + m->n, p, n);
	m->n += n;
}

static void put32(struct message *m, uint32_t v)
{
	const uint8_t b[] = { (uint8_t)(v >> 24), (uint8_t)(v >> 16), (uint8_t)(v >> 8),
		(uint8_t)v };

	put(m, b, sizeof(b));
}

/* One question, for "a". */
static struct message begin(uint8_t n_answers, uint8_t n_authority)
{
	const uint8_t head[] = { 0, 1, 0x81, 0x80, 0, 1, 0, n_answers, 0, n_authority, 0, 0, 1, 'a',
		0, 0, TYPE_SRV, 0, 1 };
	struct message m = { .n = 0 };

	put(&m, head, sizeof(head));
	return m;
}

/* Its name is a pointer to the question's. */
static void record(struct message *m, uint8_t type, uint32_t ttl, uint8_t n_data)
{
	const uint8_t head[] = { 0xc0, 12, 0, type, 0, 1 }, length[] = { 0, n_data };

	put(m, head, sizeof(head));
	put32(m, ttl);
	put(m, length, sizeof(length));
}

static void srv(struct message *m, uint32_t ttl)
{
	record(m, TYPE_SRV, ttl, 8);
	put(m, "\0\1\0\1\x13\xc4\0", 8);
}

static void soa(struct message *m, uint32_t ttl, uint32_t minimum)
{
	record(m, TYPE_SOA, ttl, 1 + 2 + 20);
	put(m, "\0\xc0\x0c", 3);
	for (uint32_t i = 0; i < 4; i++)
		put32(m, i);
	put32(m, minimum);
}

/* Reads exactly what is there, and refuses each part of it. */
static int read_ttl(const struct message *m, uint32_t *ret_seconds)
{
	uint8_t *exact;

	for (size_t n = 0; n < m->n; n++) {
		uint32_t none = 77;

		exact = mem_alloc(n + 1);
		memcpy(exact, m->bytes, n);
		ck_assert_int_eq(resolver_ttl(exact, n, TYPE_SRV, &none), -EBADMSG);
		ck_assert_uint_eq(none, 77);
		free(exact);
	}
	return resolver_ttl(m->bytes, m->n, TYPE_SRV, ret_seconds);
}

START_TEST(the_least_of_all)
{
	struct message m = begin(3, 0);
	uint32_t seconds = 0;

	srv(&m, 300);
	record(&m, TYPE_CNAME, 20, 1);
	put(&m, "", 1);
	srv(&m, 100);
	ck_assert_int_eq(read_ttl(&m, &seconds), 0);
	ck_assert_uint_eq(seconds, 20);
}
END_TEST

/* RFC 2181 section 8 */
START_TEST(a_negative_time_is_none)
{
	struct message m = begin(1, 0);
	uint32_t seconds = 1;

	srv(&m, 0x80000000);
	ck_assert_int_eq(read_ttl(&m, &seconds), 0);
	ck_assert_uint_eq(seconds, 0);
}
END_TEST

/* RFC 2308 section 5: "the minimum of the MINIMUM field of the SOA record and the TTL of the SOA"
 */
START_TEST(nothing_is_kept_as_the_soa_says)
{
	static const struct {
		uint32_t ttl, minimum, seconds;
	} rows[] = { { 60, 30, 30 }, { 30, 60, 30 }, { 0, 60, 0 } };

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct message m = begin(0, 1);
		uint32_t seconds = 1;

		soa(&m, rows[i].ttl, rows[i].minimum);
		ck_assert_int_eq(read_ttl(&m, &seconds), 0);
		ck_assert_uint_eq(seconds, rows[i].seconds);
	}
}
END_TEST

START_TEST(nothing_is_said)
{
	struct message m = begin(0, 0);
	uint32_t seconds = 77;

	ck_assert_int_eq(resolver_ttl(m.bytes, m.n, TYPE_SRV, &seconds), -ENOENT);
	/* A name of a kind that there is not. */
	m = begin(1, 0);
	srv(&m, 1);
	m.bytes[12] = 0x41;
	ck_assert_int_eq(resolver_ttl(m.bytes, m.n, TYPE_SRV, &seconds), -EBADMSG);
	ck_assert_uint_eq(seconds, 77);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("daemon/resolver-ttl");
	TCase *tc = tcase_create("all");
	SRunner *sr = srunner_create(s);
	int failed;

	tcase_add_test(tc, the_least_of_all);
	tcase_add_test(tc, a_negative_time_is_none);
	tcase_add_test(tc, nothing_is_kept_as_the_soa_says);
	tcase_add_test(tc, nothing_is_said);
	suite_add_tcase(s, tc);
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
