/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Who may use a profile. */
#include <check.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "conf/daemon-conf.h"
#include "daemon/access.h"
#include "protocol/ua/profile.h"

enum { LISTED = 123456, OTHER = 123457 };

static struct access cache;
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

	ck_assert(access_may_use(&cache, &d, &p, 0));
	ck_assert(access_may_use(&cache, &d, &p, LISTED));
	ck_assert(!access_may_use(&cache, &d, &p, OTHER));
	ck_assert(!access_may_use(&cache, &d, &p, ACCESS_NOBODY));
	/* The profile's own list stands for the daemon's. */
	p.users = of_profile;
	p.n_users = 1;
	ck_assert(!access_may_use(&cache, &d, &p, LISTED));
	ck_assert(access_may_use(&cache, &d, &p, OTHER));
	access_deinit(&cache);
}
END_TEST

/* Every system has the user daemon with a group of his own, and nobody, who is not in it. */
START_TEST(users_and_groups_by_name)
{
	const struct passwd *pw = getpwnam("daemon");
	const struct group *gr = pw ? getgrgid(pw->pw_gid) : NULL;
	uid_t uid = pw ? pw->pw_uid : ACCESS_NOBODY;
	char group[64], user[] = "daemon";
	char *users[] = { user }, *groups[] = { group };
	struct daemon_conf d = { .users = users, .n_users = 1 };
	struct profile p = { 0 };
	uid_t nobody;

	ck_assert_ptr_nonnull(gr);
	(void)snprintf(group, sizeof(group), "%s", gr->gr_name);
	pw = getpwnam("nobody");
	ck_assert_ptr_nonnull(pw);
	nobody = pw->pw_uid;
	/* The second time it is remembered. */
	for (unsigned i = 0; i < 2; i++) {
		ck_assert(access_may_use(&cache, &d, &p, uid));
		ck_assert(!access_may_use(&cache, &d, &p, nobody));
	}
	p.groups = groups;
	p.n_groups = 1;
	d.n_users = 0;
	for (unsigned i = 0; i < 2; i++) {
		ck_assert(access_may_use(&cache, &d, &p, uid));
		ck_assert(!access_may_use(&cache, &d, &p, nobody));
	}
	access_deinit(&cache);
}
END_TEST

/* Two whose numbers share a place take turns, and are never taken for each other. */
START_TEST(users_are_not_confused)
{
	char *users[] = { listed };
	struct daemon_conf d = { .users = users, .n_users = 1 };
	struct profile p = { 0 };

	for (unsigned i = 0; i < 3; i++) {
		ck_assert(access_may_use(&cache, &d, &p, LISTED));
		ck_assert(!access_may_use(&cache, &d, &p, LISTED + ACCESS_USERS));
	}
	access_deinit(&cache);
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
	tcase_add_test(tc, users_and_groups_by_name);
	tcase_add_test(tc, users_are_not_confused);
	suite_add_tcase(s, tc);
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
