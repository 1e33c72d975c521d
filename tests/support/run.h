/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
#include <check.h>
#include <stdlib.h>

/* The main function of a test program, as data. */
static inline int run_tests(const char *suite, const TTest *const *tests, size_t n)
{
	Suite *s = suite_create(suite);
	TCase *tc = tcase_create(suite);
	SRunner *sr;
	int failed;

	tcase_set_timeout(tc, 0);
	for (size_t i = 0; i < n; i++)
		tcase_add_test(tc, tests[i]);
	suite_add_tcase(s, tc);
	sr = srunner_create(s);
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}

#define RUN_TESTS(suite, ...)                                                   \
	int main(void)                                                          \
	{                                                                       \
		const TTest *const tests[] = { __VA_ARGS__ };                   \
                                                                                \
		return run_tests(suite, tests, sizeof(tests) / sizeof(*tests)); \
	}
