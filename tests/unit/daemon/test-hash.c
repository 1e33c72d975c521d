/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Digest algorithms against the vectors of their standards. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/hash.h"
#include "protocol/base/buf.h"

/* The hash as hex; "" if there is none. */
static char *hex(enum challenge_algorithm algorithm, const struct slice *pieces, size_t n)
{
	uint8_t out[DIGEST_MAX_HASH];
	struct buf b = BUF_NULL;

	buf_hex(&b, out, hash_pieces(NULL, algorithm, pieces, n, out));
	buf_putc(&b, '\0');
	return buf_take(&b);
}

static const struct {
	enum challenge_algorithm algorithm;
	const char *input, *hash;
} rows[] = {
	/* RFC 1321 A.5 */
	{ CHALLENGE_MD5, "", "d41d8cd98f00b204e9800998ecf8427e" },
	{ CHALLENGE_MD5, "abc", "900150983cd24fb0d6963f7d28e17f72" },
	{ CHALLENGE_MD5, "message digest", "f96b697d7cb7938d525a2f31aaf161d0" },
	/* RFC 6234 8.5 */
	{ CHALLENGE_SHA1, "abc", "a9993e364706816aba3e25717850c26c9cd0d89d" },
	{ CHALLENGE_SHA256, "abc",
		"ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad" },
	{ CHALLENGE_SHA256, "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
		"248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1" },
	/* FIPS 180-4, NIST's example values for SHA-512/256 */
	{ CHALLENGE_SHA512_256, "abc",
		"53048e2681941ef99b2e29b76b4c7dabe4c2d0c634fc6d46e0e2f13107e7af23" },
	{ CHALLENGE_SHA512_256,
		"abcdefghbcdefghicdefghijdefghijkefghijklfghijklmghijklmn"
		"hijklmnoijklmnopjklmnopqklmnopqrlmnopqrsmnopqrstnopqrstu",
		"3928e184fb8690f840da3988121d31be65cb9d3ef83ee6146feac861e19b563a" },
};

START_TEST(standard_vectors)
{
	struct slice input = slice_str(rows[_i].input);
	char *got = hex(rows[_i].algorithm, &input, 1);

	ck_assert_str_eq(got, rows[_i].hash);
	free(got);
}
END_TEST

START_TEST(pieces_are_one_text)
{
	const struct slice pieces[] = { SLICE("a"), SLICE_NULL, SLICE("b"), SLICE("c") };
	const enum challenge_algorithm all[] = { CHALLENGE_MD5, CHALLENGE_SHA256,
		CHALLENGE_SHA512_256 };
	const struct slice whole = SLICE("abc");
	char *a = hex(all[_i], pieces, 4), *b = hex(all[_i], &whole, 1);

	ck_assert_str_eq(a, b);
	ck_assert_str_ne(a, "");
	free(a);
	free(b);
}
END_TEST

START_TEST(unknown_algorithm)
{
	char *got = hex(CHALLENGE_ALG_OTHER, NULL, 0);

	ck_assert_str_eq(got, "");
	free(got);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("hash");
	TCase *tc = tcase_create("hash");
	SRunner *sr = srunner_create(s);
	int failed;

	tcase_add_loop_test(tc, standard_vectors, 0, sizeof(rows) / sizeof(rows[0]));
	tcase_add_loop_test(tc, pieces_are_one_text, 0, 3);
	tcase_add_test(tc, unknown_algorithm);
	suite_add_tcase(s, tc);
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
