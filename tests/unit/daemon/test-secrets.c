/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Where user and password come from, and what SASLprep (RFC 4013) makes of them. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/loop.h"
#include "daemon/random.h"
#include "daemon/secrets.h"
#include "protocol/base/buf.h"
#include "protocol/base/log.h"
#include "protocol/base/mem.h"
#include "protocol/ua/profile.h"
#include "protocol/ua/ua.h"

static struct loop loop;
static struct secrets secrets;
static struct ua *ua;
static struct host host;
static struct ua_query query;
static struct profile *profile;
static char *told[4]; /* "user password", "nobody" */
static unsigned n_told, n_logged;
static char logged[1024];

static void write_log(void *ctx, enum log_level level, const char *text)
{
	(void)ctx;
	(void)level;
	n_logged++;
	(void)snprintf(logged, sizeof(logged), "%s", text);
}

static const struct log_sink sink = { .write = write_log, .max = LOG_LEVEL_INFO };

static void fill(void *ctx, void *out, size_t n)
{
	(void)ctx;
	random_fill(out, n);
}

/* What the core is told ends up here. */
static void on_secret(struct ua_query *q, struct slice user, struct slice password)
{
	struct buf b = BUF_NULL;

	(void)q;
	buf_put(&b, password.p ? user : SLICE("nobody"));
	if (password.p) {
		buf_putc(&b, ' ');
		buf_put(&b, password);
	}
	told[n_told++] = buf_take(&b);
}

static void ask_secrets(void *ctx, uint64_t id, const struct host_secret_query *what)
{
	secrets_ask(ctx, id, what);
}

static const struct host_ops ops = { .random = fill, .secret = ask_secrets };

static void set_up(void)
{
	n_told = n_logged = 0;
	ck_assert_int_eq(loop_init(&loop, &sink), 0);
	ck_assert_int_eq(secrets_init(&secrets, &loop, &sink), 0);
	host = (struct host){ .ops = &ops, .ctx = &secrets };
	ua = loop.ua = ua_new(&host, loop_now());
	profile = profile_new();
	query = (struct ua_query){ .secret = on_secret };
}

static void tear_down(void)
{
	for (unsigned i = 0; i < n_told; i++)
		free(told[i]);
	secrets_deinit(&secrets);
	ua_free(ua);
	profile_unref(profile);
	loop_deinit(&loop);
}

static void set_secret(const char *password, size_t n)
{
	profile->secret.bytes = mem_alloc(n);
	memcpy(profile->secret.bytes, password, n);
	profile->secret.n = n;
}

/* Asks as the core does, and lets the loop deliver. */
static void ask(void)
{
	const struct host_secret_query what = { .endpoint_id = "e",
		.profile = profile,
		.realm = SLICE("r"),
		.scheme = SLICE("digest") };

	ua_ask_secret(ua, &query, &what);
	ck_assert_uint_eq(n_told, 0); /* never before it returns */
	timerq_run(&loop.timers, loop_now() + 1000);
}

static const struct {
	const char *uri, *account, *password, *want;
} rows[] = {
	{ "sip:alice@example.com", NULL, "open sesame", "alice open sesame" },
	{ "sip:alice@example.com", "al", "x", "al x" },
	/* RFC 3261 19.1.4: an escape stands for its character */
	{ "sip:al%40ice@example.com", NULL, "x", "al@ice x" },
	/* RFC 4013 section 3, examples 1 to 5 (the last by its result) */
	{ "sip:a@h", NULL, "I\xc2\xadX", "a IX" },
	{ "sip:a@h", NULL, "user", "a user" },
	{ "sip:a@h", NULL, "USER", "a USER" },
	{ "sip:a@h", NULL, "\xc2\xaa", "a a" },
	{ "sip:a@h", NULL, "\xe2\x85\xa8", "a IX" },
	/* 2.1: another blank becomes a blank; the user is prepared as well */
	{ "sip:a@h", "\xc2\xaa", "p\xc2\xa0q", "a p q" },
	/* decomposed is the same as composed */
	{ "sip:a@h", NULL, "u\xcc\x88", "a \xc3\xbc" },
	/* RFC 4013 section 3, examples 6 and 7: a control character, and mixed directions */
	{ "sip:a@h", NULL, "\x07", "nobody" },
	{ "sip:a@h", NULL, "\xd8\xa7\x31", "nobody" },
	{ "sip:a@h", "a\x7f", "fine", "nobody" },
	/* not UTF-8 */
	{ "sip:a@h", NULL, "\xff\xfe", "nobody" },
};

START_TEST(from_the_profile)
{
	profile->uri = mem_strdup(rows[_i].uri);
	profile->account = mem_strdup(rows[_i].account);
	set_secret(rows[_i].password, strlen(rows[_i].password));
	ask();
	ck_assert_uint_eq(n_told, 1);
	ck_assert_str_eq(told[0], rows[_i].want);
	ck_assert_uint_eq(n_logged, strcmp(rows[_i].want, "nobody") == 0 ? 1 : 0);
	ck_assert_ptr_null(strstr(n_logged ? logged : "", rows[_i].password));
}
END_TEST

START_TEST(nul_inside)
{
	profile->uri = mem_strdup("sip:a@h");
	set_secret("one\0two", 7);
	ask();
	ck_assert_uint_eq(n_told, 1);
	ck_assert_str_eq(told[0], "nobody");
}
END_TEST

START_TEST(nobody_to_ask)
{
	profile->uri = mem_strdup("sip:a@h");
	ask();
	ck_assert_uint_eq(n_told, 1);
	ck_assert_str_eq(told[0], "nobody");
	ck_assert_uint_eq(n_logged, 0);
}
END_TEST

static uint64_t asked;

static void agent(void *ctx, uint64_t id, const struct host_secret_query *what)
{
	(void)ctx;
	ck_assert_str_eq(what->endpoint_id, "e");
	asked = id;
}

START_TEST(an_agent_is_asked)
{
	profile->uri = mem_strdup("sip:a@h");
	secrets.ask_agent = agent;
	asked = 0;
	ask();
	ck_assert_uint_eq(n_told, 0);
	ck_assert_uint_ne(asked, 0);
	secrets_answer(&secrets, asked, SLICE("bob"), SLICE("I\xc2\xadX"));
	ck_assert_uint_eq(n_told, 0);
	timerq_run(&loop.timers, loop_now() + 1000);
	ck_assert_uint_eq(n_told, 1);
	ck_assert_str_eq(told[0], "bob IX");
}
END_TEST

START_TEST(a_profile_with_a_password_asks_nobody)
{
	profile->uri = mem_strdup("sip:a@h");
	set_secret("p", 1);
	secrets.ask_agent = agent;
	asked = 0;
	ask();
	ck_assert_uint_eq(asked, 0);
	ck_assert_str_eq(told[0], "a p");
}
END_TEST

int main(void)
{
	Suite *s = suite_create("secrets");
	TCase *tc = tcase_create("secrets");
	SRunner *sr = srunner_create(s);
	int failed;

	tcase_add_checked_fixture(tc, set_up, tear_down);
	tcase_add_loop_test(tc, from_the_profile, 0, sizeof(rows) / sizeof(rows[0]));
	tcase_add_test(tc, nul_inside);
	tcase_add_test(tc, nobody_to_ask);
	tcase_add_test(tc, an_agent_is_asked);
	tcase_add_test(tc, a_profile_with_a_password_asks_nobody);
	suite_add_tcase(s, tc);
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
