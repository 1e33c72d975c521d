/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A folder as a whole: which files count, who may read them, and what a reload finds changed. */
#include <check.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "conf/config.h"
#include "conf/daemon-conf.h"
#include "conf/file.h"
#include "conf/secret.h"
#include "protocol/base/buf.h"
#include "protocol/base/mem.h"
#include "protocol/ua/profile.h"

static char folder[64];

static void make_folder(void)
{
	strcpy(folder, "/tmp/sipbus-conf-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(folder));
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

static void remove_folder(void)
{
	nftw(folder, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

static char *path_of(const char *name)
{
	struct buf b = BUF_NULL;

	buf_printf(&b, "%s/%s", folder, name);
	return buf_take(&b);
}

static void put_bytes(const char *name, struct slice bytes, mode_t mode)
{
	char *path = path_of(name);
	FILE *f;

	if (strchr(name, '/')) {
		char *d = path_of("profiles.d");

		(void)mkdir(d, 0700);
		free(d);
	}
	f = fopen(path, "wb");
	ck_assert_ptr_nonnull(f);
	ck_assert_uint_eq(bytes.n ? fwrite(bytes.p, 1, bytes.n, f) : 0, bytes.n);
	ck_assert_int_eq(fclose(f), 0);
	ck_assert_int_eq(chmod(path, mode), 0);
	free(path);
}

static void put(const char *name, const char *text)
{
	put_bytes(name, slice_str(text), 0600);
}

static struct config *load(void)
{
	const struct config_source source = { .folder = folder, .credentials_folder = folder };

	return config_load(&source);
}

/* The folder's problems as --check prints them, with the folder's own name left out. */
static void expect(enum problem_severity least, const char *expected)
{
	const size_t n = strlen(folder) + 1;
	struct config *c = load();
	struct buf b = BUF_NULL, cut = BUF_NULL;
	char *said, *line, *found;

	for (size_t i = 0; i < c->problems.n; i++)
		if (c->problems.v[i].severity >= least)
			problem_append(&b, c->problems.v + i);
	said = buf_take(&b);
	for (line = said; (found = strstr(line, folder)); line = found + n) {
		buf_put(&cut, slice_of(line, (size_t)(found - line)));
	}
	buf_str(&cut, line);
	free(said);
	said = buf_take(&cut);
	ck_assert_str_eq(said, expected);
	ck_assert_int_eq(config_is_usable(c), c->daemon != NULL);
	if (!config_is_usable(c))
		ck_assert_uint_eq(c->n_profiles, 0);
	free(said);
	config_free(c);
}

static void expect_problems(const char *expected)
{
	expect(PROBLEM_WARNING, expected);
}

#define USER "[User]\nUri=sip:a@b\n"

START_TEST(config_empty)
{
	struct config *c = load();

	ck_assert(config_is_usable(c));
	ck_assert_uint_eq(c->problems.n, 0);
	ck_assert_uint_eq(c->n_profiles, 0);
	ck_assert_uint_eq(c->daemon->max_endpoints, 10000);
	config_free(c);
	config_free(NULL);
}
END_TEST

START_TEST(config_no_folder)
{
	const struct config_source source = { .folder = "/nonexistent/sipbus" };
	struct config *c = config_load(&source);

	ck_assert(config_is_usable(c));
	ck_assert_uint_eq(c->problems.n, 1);
	ck_assert_str_eq(c->problems.v[0].text, "does not exist; there are no profiles");
	config_free(c);
}
END_TEST

START_TEST(config_files)
{
	char *link = path_of("profiles.d/linked.conf");
	struct config *c;

	put("sipbus.conf", "[Daemon]\nMaximumEndpoints=5\n");
	put("profiles.d/zoe.conf", USER);
	put("profiles.d/bob.conf", USER);
	put("profiles.d/ann.conf", "[Profile]\nName=zz\n" USER);
	put("profiles.d/old.conf.example", "nonsense");
	put("profiles.d/bob.conf~", "nonsense");
	put("profiles.d/.hidden.conf", "nonsense");
	put("profiles.d/.conf", "nonsense");
	ck_assert_int_eq(symlink("zoe.conf", link), 0);
	c = load();
	ck_assert_uint_eq(c->problems.n, 0);
	ck_assert_uint_eq(c->daemon->max_endpoints, 5);
	ck_assert_uint_eq(c->n_profiles, 4);
	ck_assert_str_eq(c->profiles[0]->name, "bob");
	ck_assert_str_eq(c->profiles[1]->name, "linked");
	ck_assert_str_eq(c->profiles[2]->name, "zoe");
	ck_assert_str_eq(c->profiles[3]->name, "zz");
	ck_assert_ptr_eq(config_find_profile(c, "zoe"), c->profiles[2]);
	ck_assert_ptr_null(config_find_profile(c, "zo"));
	config_free(c);
	free(link);
}
END_TEST

START_TEST(config_all_problems)
{
	char *d = path_of("profiles.d/dir.conf"), *gone = path_of("profiles.d/gone.conf");

	put("sipbus.conf", "[Daemon]\nMaximumEndpoints=none\n");
	put("profiles.d/a.conf", "[User]\n");
	put("profiles.d/b.conf", USER "Colour=red\n");
	put("profiles.d/c.conf", USER "[Endpoint]\nFlows=x\n");
	put("profiles.d/rtc.xml", "<provision/>");
	ck_assert_int_eq(mkdir(d, 0700), 0);
	ck_assert_int_eq(symlink("nowhere", gone), 0);
	expect_problems(
		"sipbus.conf:2: error: [Daemon] MaximumEndpoints=none: expected a whole number "
		"from 1 to 100000\n"
		"profiles.d/a.conf:1: error: [User] Uri is missing; write "
		"Uri=sip:alice@example.com\n"
		"profiles.d/b.conf:3: warning: [User] Colour: unknown key, ignored\n"
		"profiles.d/c.conf:4: error: [Endpoint] Flows=x: expected a whole number from "
		"1 to 8\n"
		"profiles.d/dir.conf: error: is a directory\n"
		"profiles.d/gone.conf: error: does not exist\n"
		"profiles.d/rtc.xml: warning: RTC provisioning profiles are not supported yet "
		"by this version; ignored\n");
	free(d);
	free(gone);
}
END_TEST

START_TEST(config_broken_names)
{
	char *daemon = path_of("sipbus.conf"), *loop = path_of("profiles.d");

	ck_assert_int_eq(mkdir(daemon, 0700), 0);
	ck_assert_int_eq(symlink("profiles.d", loop), 0);
	expect_problems("sipbus.conf: error: is a directory\n"
			"profiles.d: error: is a symbolic link to itself\n");
	free(daemon);
	free(loop);
}
END_TEST

START_TEST(config_same_name)
{
	put("profiles.d/a.conf", "[Profile]\nName=c\n" USER);
	put("profiles.d/b.conf", "[Profile]\nName=c\n" USER);
	expect_problems("profiles.d/b.conf: error: the profile's name c is taken by "
			"profiles.d/a.conf; write another Name\n");
}
END_TEST

/* A FIFO would hold up whoever opens it. */
START_TEST(config_special_file)
{
	char *fifo = path_of("sipbus.conf");

	ck_assert_int_eq(mkfifo(fifo, 0600), 0);
	expect_problems("sipbus.conf: error: is no regular file\n");
	free(fifo);
}
END_TEST

START_TEST(config_file_limit)
{
	char *text = mem_alloc(CONFIG_FILE_MAX + 1);
	struct config *c;

	memset(text, '\n', CONFIG_FILE_MAX + 1);
	put_bytes("sipbus.conf", slice_of(text, CONFIG_FILE_MAX + 1), 0600);
	expect_problems("sipbus.conf: error: is too large\n");
	memset(text, '#', CONFIG_FILE_MAX);
	put_bytes("sipbus.conf", slice_of(text, CONFIG_FILE_MAX), 0600);
	c = load();
	ck_assert_uint_eq(c->problems.n, 0);
	config_free(c);
	free(text);
}
END_TEST

START_TEST(config_profile_limit)
{
	put("profiles.d/p0.conf", USER);
	for (int i = 1; i <= CONFIG_PROFILES_MAX; i++) {
		char name[64], *path;

		(void)snprintf(name, sizeof(name), "profiles.d/p%d.conf", i);
		path = path_of(name);
		ck_assert_int_eq(symlink("p0.conf", path), 0);
		free(path);
	}
	expect_problems("profiles.d: error: 10001 profiles, but 10000 are the most that can be "
			"loaded\n");
}
END_TEST

#define TLS "[Tls]\nCaFile=ca.pem\nCertificateFile=own.pem\nKeyFile=own.key\n"

START_TEST(config_tls_files)
{
	struct config *c;
	char *path;

	put("sipbus.conf", TLS);
	put("profiles.d/a.conf", USER TLS);
	put("ca.pem", "a");
	put("own.pem", "b");
	put("own.key", "c");
	c = load();
	ck_assert(config_is_usable(c));
	path = path_of("own.key");
	ck_assert_str_eq(c->daemon->tls.key_file, path);
	ck_assert_str_eq(config_find_profile(c, "a")->tls.key_file, path);
	free(path);
	config_free(c);
}
END_TEST

START_TEST(config_tls_files_bad)
{
	static const struct {
		const char *name, *text;
		mode_t mode;
		const char *said;
	} cases[] = {
		{ "ca.pem", "", 0600, "sipbus.conf:2: error: [Tls] CaFile: ca.pem is empty\n" },
		{ "own.key", "c", 0604,
			"sipbus.conf:4: error: [Tls] KeyFile: own.key may be read by others than its "
			"owner and group; chmod 640 helps\n" },
		{ "own.key", "c", 0640, "" },
		{ "own.pem", "b", 0644, "" },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		put("sipbus.conf", TLS);
		put("ca.pem", "a");
		put("own.pem", "b");
		put("own.key", "c");
		put_bytes(cases[i].name, slice_str(cases[i].text), cases[i].mode);
		expect(PROBLEM_ERROR, cases[i].said);
	}
}
END_TEST

START_TEST(config_password_file)
{
	struct config *c;

	put("profiles.d/a.conf", USER "PasswordFile=secret\n");
	put("secret", "hush\n");
	c = load();
	ck_assert_uint_eq(c->problems.n, 0);
	ck_assert_uint_eq(c->profiles[0]->secret.n, 4);
	ck_assert_mem_eq(c->profiles[0]->secret.bytes, "hush", 4);
	config_free(c);
}
END_TEST

static const struct {
	struct slice bytes;
	mode_t mode;
	const char *problem;
} secrets[] = {
	{ SLICE_INIT("hush"), 0600, NULL },
	{ SLICE_INIT("hush\r\n"), 0400, NULL },
	{ SLICE_INIT("hush\n"), 0640, "may be read by others than its owner; chmod 600 helps" },
	{ SLICE_INIT("hush\n"), 0604, "may be read by others than its owner; chmod 600 helps" },
	{ SLICE_INIT(""), 0600, "is empty" },
	{ SLICE_INIT("\n"), 0600, "is empty" },
	{ SLICE_INIT("hush\nhush\n"), 0600, "has more than one line" },
	{ SLICE_INIT("hu\0sh"), 0600, "is not UTF-8 text" },
	{ SLICE_INIT("hu\xffsh"), 0600, "is not UTF-8 text" },
};

START_TEST(config_secrets)
{
	struct profile_secret s = { 0 };
	char *path = path_of("secret");
	const char *wrong;

	put_bytes("secret", secrets[_i].bytes, secrets[_i].mode);
	wrong = secret_read(path, SECRET_PRIVATE, &s);
	ck_assert_pstr_eq(wrong, secrets[_i].problem);
	if (!wrong) {
		ck_assert_uint_eq(s.n, 4);
		ck_assert_mem_eq(s.bytes, "hush", 4);
	}
	free(s.bytes);
	free(path);
}
END_TEST

START_TEST(config_secret_limit)
{
	struct profile_secret s = { 0 };
	char text[SECRET_MAX + 1], *path = path_of("secret");

	memset(text, 'x', sizeof(text));
	put_bytes("secret", slice_of(text, SECRET_MAX), 0600);
	ck_assert_ptr_null(secret_read(path, SECRET_PRIVATE, &s));
	ck_assert_uint_eq(s.n, SECRET_MAX);
	free(s.bytes);
	put_bytes("secret", slice_of(text, SECRET_MAX + 1), 0600);
	ck_assert_str_eq(secret_read(path, SECRET_PRIVATE, &s), "is too large");
	free(path);
}
END_TEST

START_TEST(config_secret_problems)
{
	put("profiles.d/a.conf", USER "PasswordFile=secret\n");
	put_bytes("secret", SLICE("hush"), 0644);
	put_bytes("profiles.d/b.conf", SLICE(USER "Password=hush\n"), 0640);
	put("profiles.d/c.conf", USER "Credential=absent\n");
	/* What systemd hands over may be readable by a group of its choice. */
	put("profiles.d/d.conf", USER "Credential=secret\n");
	expect_problems(
		"profiles.d/a.conf:3: error: [User] PasswordFile: secret may be read by "
		"others than its owner; chmod 600 helps\n"
		"profiles.d/b.conf:3: error: [User] Password: others than the owner may read "
		"this file; chmod 600 helps, PasswordFile or Credential is better\n"
		"profiles.d/c.conf:3: error: [User] Credential: absent does not exist\n");
}
END_TEST

static void note_change(
	void *ctx, enum config_change change, struct profile *old, struct profile *now)
{
	static const char marks[] = { [CONFIG_ADDED] = '+',
		[CONFIG_REMOVED] = '-',
		[CONFIG_CHANGED] = '!',
		[CONFIG_UNCHANGED] = '=' };

	ck_assert_int_eq(old == NULL, change == CONFIG_ADDED);
	ck_assert_int_eq(now == NULL, change == CONFIG_REMOVED);
	buf_printf(ctx, "%c%s ", marks[change], now ? now->name : old->name);
}

static void expect_changes(const struct config *old, const struct config *now, const char *expected)
{
	struct buf b = BUF_NULL;
	char *said;

	config_compare(old, now, note_change, &b);
	said = buf_take(&b);
	ck_assert_str_eq(said, expected);
	free(said);
}

START_TEST(config_reload)
{
	char *path = path_of("profiles.d/b.conf");
	struct config *old, *now;

	put("profiles.d/b.conf", USER);
	put("profiles.d/c.conf", USER "PasswordFile=secret\n");
	put("profiles.d/d.conf", USER "[Server]\nAddr=a\n");
	put("profiles.d/e.conf", USER);
	put("secret", "hush");
	old = load();
	expect_changes(NULL, old, "+b +c +d +e ");
	expect_changes(old, old, "=b =c =d =e ");
	ck_assert_int_eq(remove(path), 0);
	put("profiles.d/a.conf", USER);
	put("profiles.d/d.conf", USER "# elsewhere\n\n[Server]\nAddr = a\n");
	put("profiles.d/e.conf", USER "DisplayName=E\n");
	put("profiles.d/f.conf", USER);
	/* Another password is another profile, even if no line of it changed. */
	put("secret", "hash");
	now = load();
	expect_changes(old, now, "+a -b !c =d !e +f ");
	ck_assert(daemon_conf_equal(old->daemon, now->daemon));
	config_free(old);
	config_free(now);
	free(path);
}
END_TEST

/* A profile that someone holds outlives the configuration that it came from. */
START_TEST(config_references)
{
	struct profile *p;
	struct config *c;

	put("profiles.d/b.conf", USER);
	c = load();
	p = profile_ref(c->profiles[0]);
	config_free(c);
	ck_assert_str_eq(p->uri, "sip:a@b");
	profile_unref(p);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("config");
	TCase *tc = tcase_create("config");
	SRunner *sr;
	int failed;

	tcase_add_checked_fixture(tc, make_folder, remove_folder);
	tcase_add_test(tc, config_empty);
	tcase_add_test(tc, config_no_folder);
	tcase_add_test(tc, config_files);
	tcase_add_test(tc, config_all_problems);
	tcase_add_test(tc, config_broken_names);
	tcase_add_test(tc, config_same_name);
	tcase_add_test(tc, config_special_file);
	tcase_add_test(tc, config_file_limit);
	tcase_add_test(tc, config_profile_limit);
	tcase_add_test(tc, config_password_file);
	tcase_add_loop_test(tc, config_secrets, 0, (int)ARRAY_LEN(secrets));
	tcase_add_test(tc, config_tls_files);
	tcase_add_test(tc, config_tls_files_bad);
	tcase_add_test(tc, config_secret_limit);
	tcase_add_test(tc, config_secret_problems);
	tcase_add_test(tc, config_reload);
	tcase_add_test(tc, config_references);
	suite_add_tcase(s, tc);
	sr = srunner_create(s);
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
