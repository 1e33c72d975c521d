/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The state directory and the seed in it. */
#include <check.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "daemon/state.h"
#include "protocol/base/err.h"
#include "protocol/base/log.h"

static char folder[64], path[128];
static unsigned n_lines;

static void count(void *ctx, enum log_level level, const char *text)
{
	(void)ctx;
	(void)level;
	(void)text;
	n_lines++;
}

static const struct log_sink sink = { .write = count, .max = LOG_LEVEL_DEBUG };

static void set_up(void)
{
	(void)snprintf(folder, sizeof(folder), "%s/sipbus-state-XXXXXX",
		getenv("TMPDIR") ? getenv("TMPDIR") : "/tmp");
	ck_assert_ptr_nonnull(mkdtemp(folder));
	(void)snprintf(path, sizeof(path), "%s/seed", folder);
	n_lines = 0;
}

static void tear_down(void)
{
	(void)unlink(path);
	ck_assert_int_eq(rmdir(folder), 0); /* and nothing else was left there */
}

static void put(const char *bytes, size_t n, mode_t mode)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL, 0600);

	ck_assert_int_eq(write(fd, bytes, n), (ssize_t)n);
	ck_assert_int_eq(fchmod(fd, mode), 0);
	(void)close(fd);
}

START_TEST(seed_stays)
{
	uint8_t a[STATE_SEED_BYTES] = { 0 }, b[STATE_SEED_BYTES] = { 0 };
	static const uint8_t zero[STATE_SEED_BYTES];
	struct stat st;

	ck_assert_int_eq(state_seed(folder, &sink, a), 0);
	ck_assert_int_eq(state_seed(folder, &sink, b), 0);
	ck_assert_mem_eq(a, b, sizeof(a));
	ck_assert_mem_ne(a, zero, sizeof(a));
	ck_assert_int_eq(stat(path, &st), 0);
	ck_assert_uint_eq(st.st_mode & 0777, 0600);
	ck_assert_int_eq(st.st_size, STATE_SEED_BYTES);
	ck_assert_uint_eq(n_lines, 0);
}
END_TEST

START_TEST(seed_of_wrong_size)
{
	uint8_t seed[STATE_SEED_BYTES] = { 7 };

	put("half", 4, 0600);
	ck_assert_int_eq(state_seed(folder, &sink, seed), -EBADMSG);
	ck_assert_uint_eq(seed[0], 7); /* untouched */
	ck_assert_uint_eq(n_lines, 1);
}
END_TEST

START_TEST(seed_that_others_read)
{
	uint8_t seed[STATE_SEED_BYTES];

	put("0123456789abcdef0123456789abcdef", 32, 0640);
	ck_assert_int_eq(state_seed(folder, &sink, seed), -EPERM);
	ck_assert_uint_eq(n_lines, 1);
}
END_TEST

START_TEST(seed_behind_a_link)
{
	uint8_t seed[STATE_SEED_BYTES];

	ck_assert_int_eq(symlink("elsewhere", path), 0);
	ck_assert_int_eq(state_seed(folder, &sink, seed), -ELOOP);
	ck_assert_uint_eq(n_lines, 1);
}
END_TEST

START_TEST(folder_is_made)
{
	char deep[128], middle[128];
	struct stat st;

	(void)snprintf(middle, sizeof(middle), "%s/a", folder);
	(void)snprintf(deep, sizeof(deep), "%s/a/b", folder);
	ck_assert_int_eq(state_open(deep, &sink), 0);
	ck_assert_int_eq(state_open(deep, &sink), 0);
	ck_assert_int_eq(stat(deep, &st), 0);
	ck_assert_uint_eq(st.st_mode & 0777, 0700);
	ck_assert_int_eq(rmdir(deep), 0);
	ck_assert_int_eq(rmdir(middle), 0);
	ck_assert_uint_eq(n_lines, 0);
}
END_TEST

START_TEST(folder_that_is_none)
{
	put("", 0, 0600);
	ck_assert_int_eq(state_open(path, &sink), -ENOTDIR);
	ck_assert_uint_eq(n_lines, 1);
	ck_assert_int_eq(state_open("", &sink), -ENOENT);
	ck_assert_uint_eq(n_lines, 2);
}
END_TEST

START_TEST(folder_that_others_write)
{
	ck_assert_int_eq(chmod(folder, 0777), 0);
	ck_assert_int_eq(state_open(folder, &sink), -EPERM);
	ck_assert_uint_eq(n_lines, 1);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("state");
	TCase *tc = tcase_create("state");
	SRunner *sr = srunner_create(s);
	int failed;

	tcase_add_checked_fixture(tc, set_up, tear_down);
	tcase_add_test(tc, seed_stays);
	tcase_add_test(tc, seed_of_wrong_size);
	tcase_add_test(tc, seed_that_others_read);
	tcase_add_test(tc, seed_behind_a_link);
	tcase_add_test(tc, folder_is_made);
	tcase_add_test(tc, folder_that_is_none);
	tcase_add_test(tc, folder_that_others_write);
	suite_add_tcase(s, tc);
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
