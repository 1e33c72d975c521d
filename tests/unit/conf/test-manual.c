/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The tables, the manual page and the examples say the same. CONF_FOLDER is where the latter lie.
 */
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
#include "conf/profile-conf.h"
#include "conf/schema.h"
#include "protocol/base/buf.h"
#include "protocol/base/mem.h"
#include "protocol/ua/profile.h"

static struct file read_source(const char *name)
{
	struct file f = { 0 };
	struct buf path = BUF_NULL;
	char *p;

	buf_printf(&path, CONF_FOLDER "/%s", name);
	p = buf_take(&path);
	ck_assert_int_eq(file_read(p, CONFIG_FILE_MAX, &f), 0);
	free(p);
	return f;
}

/* "[Section] Key default" for each row of a schema, one a line. */
static char *keys_of(const struct schema *schema)
{
	struct buf b = BUF_NULL;

	for (size_t i = 0; i < schema->n_sections; i++) {
		const struct schema_section *row = &schema->sections[i];

		for (size_t j = 0; j < row->n_keys; j++) {
			const char *preset = row->keys[j].preset ? row->keys[j].preset : "";

			/* The manual is not written anew for each version. */
			if (strcmp(preset, "sipbus/" SIPBUS_VERSION) == 0)
				preset = "sipbus/VERSION";
			buf_printf(&b, "[%s] %s %s\n", row->name, row->keys[j].name, preset);
		}
	}
	return buf_take(&b);
}

/* Between two pieces of text, or SLICE_NULL. */
static struct slice between(struct slice s, const char *from, const char *to)
{
	const char *p = s.n ? memmem(s.p, s.n, from, strlen(from)) : NULL, *end;

	if (!p)
		return SLICE_NULL;
	p += strlen(from);
	end = memmem(p, s.n - (size_t)(p - s.p), to, strlen(to));
	return end ? slice_of(p, (size_t)(end - p)) : SLICE_NULL;
}

/* The same list from the manual: headings "[Section]", terms "``Key=``", "Default: ``x``". */
static char *keys_of_manual(struct slice page)
{
	struct slice line, section = SLICE_NULL, key, preset;
	struct buf b = BUF_NULL;

	while (slice_cut(page, '\n', &line, &page)) {
		if (slice_starts(line, SLICE("[")))
			section = line;
		if (!slice_starts(line, SLICE("``")) || !section.n)
			continue;
		key = between(line, "``", "=``");
		ck_assert_msg(key.n, "%.*s", SLICE_ARGS(line));
		/* The paragraph ends at the empty line, and breaks not before a default. */
		preset = between(page, "", "\n\n");
		preset = between(preset, "Default: ``", "``");
		buf_printf(&b, "%.*s %.*s %.*s\n", SLICE_ARGS(section), SLICE_ARGS(key),
			SLICE_ARGS(preset));
	}
	return buf_take(&b);
}

static void expect_same(const struct schema *schema, struct slice page)
{
	char *documented = keys_of_manual(page), *known = keys_of(schema);

	ck_assert_uint_gt(strlen(known), 0);
	ck_assert_str_eq(documented, known);
	free(documented);
	free(known);
}

START_TEST(manual_keys)
{
	struct file f = read_source("sipbus.conf.5.rst");

	expect_same(
		&daemon_conf_schema, between(file_slice(&f), "\nSIPBUS.CONF\n", "\nPROFILES.D/"));
	expect_same(&profile_conf_schema,
		between(file_slice(&f), "\nPROFILES.D/NAME.CONF\n", "\nEXAMPLE\n"));
	file_deinit(&f);
}
END_TEST

/* Every default is a value that its own row accepts. */
static void expect_valid_presets(const struct schema *schema)
{
	for (size_t i = 0; i < schema->n_sections; i++) {
		for (size_t j = 0; j < schema->sections[i].n_keys; j++) {
			struct schema_key key = schema->sections[i].keys[j];
			struct buf want = BUF_NULL;
			union {
				uint64_t number;
				char *text;
			} field = { .number = 0 };

			ck_assert_ptr_nonnull(key.doc);
			if (!key.preset)
				continue;
			key.offset = 0;
			ck_assert_msg(
				key.type->parse(&key, slice_str(key.preset), &field, &want) == 0,
				"%s", key.name);
			if (key.type->clear)
				key.type->clear(&key, &field);
			buf_deinit(&want);
		}
	}
}

START_TEST(manual_presets)
{
	expect_valid_presets(&daemon_conf_schema);
	expect_valid_presets(&profile_conf_schema);
}
END_TEST

START_TEST(manual_dump)
{
	cleanup_buf struct buf b = BUF_NULL;

	config_dump(&b);
	buf_putc(&b, '\0');
	ck_assert_ptr_nonnull(
		strstr(b.p, "\nDaemon.MaximumEndpoints = 10000\n    Endpoints that may"));
	ck_assert_ptr_nonnull(
		strstr(b.p, "\nListen.Transport = udp\n    What to listen for (one of: "
			    "udp, tcp, tls)\n"));
	ck_assert_ptr_nonnull(strstr(b.p, "\nUser.Password =\n"));
	ck_assert_ptr_nonnull(strstr(b.p, " [not supported yet]\n"));
}
END_TEST

static const char *const examples[] = { "example/sipbus.conf",
	"example/profiles.d/alice.conf.example" };

/* The files that an example names, beside it as its readers would put them. */
static void make_file(struct slice line)
{
	struct slice key, name;
	FILE *f;
	char *path;

	if (!slice_cut(line, '=', &key, &name) || key.n < 4 ||
		!slice_eq(slice_skip(key, key.n - 4), SLICE("File")))
		return;
	path = slice_dup(name);
	f = fopen(path, "we");
	ck_assert_ptr_nonnull(f);
	ck_assert_int_eq(fchmod(fileno(f), 0600), 0);
	ck_assert_int_ge(fputs("a certificate\n", f), 0);
	ck_assert_int_eq(fclose(f), 0);
	free(path);
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

static void read_example(size_t i, struct slice text, struct problem_list *problems)
{
	const struct profile_conf_source source = { .file = "alice.conf", .folder = "." };

	if (i == 0)
		daemon_conf_free(daemon_conf_read(text, "sipbus.conf", problems));
	else
		profile_unref(profile_conf_read(text, &source, problems));
}

/* As it stands, and with every line switched on that is commented out. */
START_TEST(manual_examples)
{
	char folder[] = "/tmp/sipbus-manual-XXXXXX";
	struct file f = read_source(examples[_i]);
	struct problem_list problems = { 0 };
	struct buf b = BUF_NULL;
	struct slice rest = file_slice(&f), line;

	ck_assert_ptr_nonnull(mkdtemp(folder));
	ck_assert_int_eq(chdir(folder), 0);
	read_example((size_t)_i, file_slice(&f), &problems);
	ck_assert_uint_eq(problems.n, 0);
	while (slice_cut(rest, '\n', &line, &rest)) {
		/* "# text" stays a comment; passwords need files that are not there. */
		if (slice_starts(line, SLICE("#")) && !slice_starts(line, SLICE("# ")) &&
			!slice_starts(line, SLICE("#PasswordFile")) &&
			!slice_starts(line, SLICE("#Credential")))
			line = slice_skip(line, 1);
		if (!slice_starts(line, SLICE("#")))
			make_file(line);
		buf_put(&b, line);
		buf_putc(&b, '\n');
	}
	read_example((size_t)_i, buf_slice(&b), &problems);
	if (problems.n)
		ck_abort_msg("%u: %s", problems.v[0].line, problems.v[0].text);
	buf_deinit(&b);
	file_deinit(&f);
	ck_assert_int_eq(chdir("/"), 0);
	ck_assert_int_eq(nftw(folder, remove_one, 8, FTW_DEPTH | FTW_PHYS), 0);
}
END_TEST

START_TEST(manual_example_prefixes)
{
	struct file f = read_source(examples[_i]);

	for (size_t n = 0; n <= f.n; n++) {
		struct problem_list problems = { 0 };
		char *exact = mem_alloc(n);

		memcpy(exact, f.bytes, n);
		read_example((size_t)_i, slice_of(exact, n), &problems);
		problem_list_deinit(&problems);
		free(exact);
	}
	file_deinit(&f);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("manual");
	TCase *tc = tcase_create("manual");
	SRunner *sr;
	int failed;

	tcase_add_test(tc, manual_keys);
	tcase_add_test(tc, manual_presets);
	tcase_add_test(tc, manual_dump);
	tcase_add_loop_test(tc, manual_examples, 0, (int)ARRAY_LEN(examples));
	tcase_add_loop_test(tc, manual_example_prefixes, 0, (int)ARRAY_LEN(examples));
	suite_add_tcase(s, tc);
	sr = srunner_create(s);
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
