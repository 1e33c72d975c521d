/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Who may use a profile. */
#include <check.h>
#include <stdlib.h>
#include <unistd.h>

#include "conf/daemon-conf.h"
#include "daemon/access.h"
#include "protocol/ua/profile.h"

enum { LISTED = 123456, OTHER = 123457 };

static char listed[] = "123456", other[] = "123457";

START_TEST(administrators)
{
	ck_assert(access_is_administrator(0));
	ck_assert(access_is_administrator(geteuid()));
	ck_assert(!access_is_administrator(OTHER));
	ck_assert(!access_is_administrator(ACCESS_NOBODY));
}
END_TEST

START_TEST(users_by_number)
{
	char *of_daemon[] = { listed }, *of_profile[] = { other };
	struct daemon_conf d = { .users = of_daemon, .n_users = 1 };
	struct profile p = { 0 };

	ck_assert(access_may_use(&d, &p, 0));
	ck_assert(access_may_use(&d, &p, LISTED));
	ck_assert(!access_may_use(&d, &p, OTHER));
	ck_assert(!access_may_use(&d, &p, ACCESS_NOBODY));
	/* The profile's own list stands for the daemon's. */
	p.users = of_profile;
	p.n_users = 1;
	ck_assert(!access_may_use(&d, &p, LISTED));
	ck_assert(access_may_use(&d, &p, OTHER));
}
END_TEST

int main(void)
{
	Suite *s = suite_create("daemon-access");
	TCase *tc = tcase_create("access");
	SRunner *sr = srunner_create(s);
	int failed;

	tcase_add_test(tc, administrators);
	tcase_add_test(tc, users_by_number);
	suite_add_tcase(s, tc);
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
