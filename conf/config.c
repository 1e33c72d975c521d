/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "conf/config.h"

#include <dirent.h>
#include <string.h>

#include "conf/daemon-conf.h"
#include "conf/file.h"
#include "conf/profile-conf.h"
#include "conf/schema.h"
#include "protocol/base/buf.h"
#include "protocol/base/err.h"
#include "protocol/base/mem.h"
#include "protocol/ua/profile.h"

static char *join(const char *folder, const char *name)
{
	struct buf b = BUF_NULL;

	buf_printf(&b, "%s/%s", folder, name);
	return buf_take(&b);
}

static void complain(
	struct config *c, enum problem_severity severity, const char *path, const char *text)
{
	problem_add(&c->problems, severity, (struct problem_place){ .file = path }, "%s", text);
}

static void load_daemon(struct config *c, const char *path)
{
	struct file f = { 0 };
	int rc = file_read(path, CONFIG_FILE_MAX, &f);

	/* Without the file everything has its default. */
	if (rc < 0 && rc != -ENOENT)
		complain(c, PROBLEM_ERROR, path, file_strerror(rc));
	c->daemon = daemon_conf_read(file_slice(&f), path, &c->problems);
	file_deinit(&f);
}

static void load_profile(struct config *c, const struct config_source *source, const char *path)
{
	struct profile_conf_source s = { .file = path,
		.folder = source->folder,
		.credentials_folder = source->credentials_folder };
	struct profile *p;
	struct file f;
	int rc = file_read(path, CONFIG_FILE_MAX, &f);

	if (rc < 0) {
		complain(c, PROBLEM_ERROR, path, file_strerror(rc));
		return;
	}
	s.access = file_is_shared(&f) ? PROFILE_CONF_SHARED : PROFILE_CONF_PRIVATE;
	p = profile_conf_read(file_slice(&f), &s, &c->problems);
	file_deinit(&f);
	/* A name that is missing or wrong was complained about. */
	if (!p->name) {
		profile_unref(p);
		return;
	}
	c->profiles = mem_realloc(c->profiles, (c->n_profiles + 1) * sizeof(struct profile *));
	c->profiles[c->n_profiles++] = p;
}

static bool ends_with(const char *name, const char *end)
{
	const size_t n = strlen(name), n_end = strlen(end);

	return n > n_end && strcmp(name + n - n_end, end) == 0;
}

static int is_profile(const struct dirent *e)
{
	return e->d_name[0] != '.' &&
	       (ends_with(e->d_name, ".conf") || ends_with(e->d_name, ".xml"));
}

/* By bytes: the order of files must not depend on the locale. */
static int by_file_name(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

static void load_entry(
	struct config *c, const struct config_source *source, const char *folder, const char *name)
{
	char *path = join(folder, name);

	if (ends_with(name, ".conf"))
		load_profile(c, source, path);
	else
		complain(c, PROBLEM_WARNING, path,
			"RTC provisioning profiles are not supported yet by this version; ignored");
	free(path);
}

static void load_profiles(struct config *c, const struct config_source *source, const char *folder)
{
	struct dirent **entries;
	int n = scandir(folder, &entries, is_profile, by_file_name);

	if (n < 0) {
		if (errno != ENOENT)
			complain(c, PROBLEM_ERROR, folder, file_strerror(-errno));
		return;
	}
	if (n > CONFIG_PROFILES_MAX)
		problem_add(&c->problems, PROBLEM_ERROR, (struct problem_place){ .file = folder },
			"%d profiles, but %d are the most that can be loaded", n,
			CONFIG_PROFILES_MAX);
	for (int i = 0; i < n; i++) {
		if (n <= CONFIG_PROFILES_MAX)
			load_entry(c, source, folder, entries[i]->d_name);
		free(entries[i]);
	}
	free(entries);
}

/* Of one name the file that sorts first comes first, so that the later one is blamed. */
static int by_name(const void *a, const void *b)
{
	const struct profile *x = *(struct profile *const *)a, *y = *(struct profile *const *)b;
	const int order = strcmp(x->name, y->name);

	return order ? order : strcmp(x->source, y->source);
}

static void check_names(struct config *c)
{
	for (size_t i = 1; i < c->n_profiles; i++) {
		const struct profile *p = c->profiles[i - 1], *q = c->profiles[i];

		if (strcmp(p->name, q->name) == 0)
			problem_add(&c->problems, PROBLEM_ERROR,
				(struct problem_place){ .file = q->source },
				"the profile's name %s is taken by %s; write another Name", q->name,
				p->source);
	}
}

static void drop(struct config *c)
{
	for (size_t i = 0; i < c->n_profiles; i++)
		profile_unref(c->profiles[i]);
	free(c->profiles);
	c->profiles = NULL;
	c->n_profiles = 0;
	daemon_conf_free(c->daemon);
	c->daemon = NULL;
}

static void check_folder(struct config *c, const char *folder)
{
	DIR *d = opendir(folder);

	if (d)
		(void)closedir(d);
	else if (errno == ENOENT)
		complain(c, PROBLEM_WARNING, folder, "does not exist; there are no profiles");
	else
		complain(c, PROBLEM_ERROR, folder, file_strerror(-errno));
}

/*
 * Reads the folder. Never NULL; ask config_is_usable(). All problems of all files are in the
 * result, sipbus.conf's first, then those of the profiles by file name. Free with config_free().
 */
struct config *config_load(const struct config_source *source)
{
	struct config *c = mem_new(struct config);
	char *daemon = join(source->folder, "sipbus.conf");
	char *profiles = join(source->folder, "profiles.d");

	check_folder(c, source->folder);
	load_daemon(c, daemon);
	load_profiles(c, source, profiles);
	if (c->n_profiles)
		qsort(c->profiles, c->n_profiles, sizeof(struct profile *), by_name);
	check_names(c);
	if (c->problems.n_errors)
		drop(c);
	free(daemon);
	free(profiles);
	return c;
}

/* Lets go of its profiles; those who took a reference keep them. */
void config_free(struct config *c)
{
	if (!c)
		return;
	drop(c);
	problem_list_deinit(&c->problems);
	free(c);
}

bool config_is_usable(const struct config *c)
{
	return c->problems.n_errors == 0;
}

/* Borrowed; NULL if there is none of that name. */
struct profile *config_find_profile(const struct config *c, const char *name)
{
	for (size_t i = 0; i < c->n_profiles; i++)
		if (strcmp(c->profiles[i]->name, name) == 0)
			return c->profiles[i];
	return NULL;
}

/*
 * Tells for every profile of either, by name, what became of it from old to now. old may be NULL:
 * all are added. Whether the daemon's part changed is daemon_conf_equal()'s to say.
 */
void config_compare(
	const struct config *old, const struct config *now, config_change_fn *tell, void *ctx)
{
	const size_t n_old = old ? old->n_profiles : 0;
	size_t i = 0, j = 0;

	while (i < n_old || j < now->n_profiles) {
		struct profile *p = i < n_old ? old->profiles[i] : NULL;
		struct profile *q = j < now->n_profiles ? now->profiles[j] : NULL;
		const int order = !p ? 1 : !q ? -1 : strcmp(p->name, q->name);

		if (order <= 0)
			i++;
		if (order >= 0)
			j++;
		if (order < 0)
			tell(ctx, CONFIG_REMOVED, p, NULL);
		else if (order > 0)
			tell(ctx, CONFIG_ADDED, NULL, q);
		else
			tell(ctx, profile_equal(p, q) ? CONFIG_UNCHANGED : CONFIG_CHANGED, p, q);
	}
}

/* Every key with its default and meaning, for `sipbusd --dump-config`. */
void config_dump(struct buf *b)
{
	buf_lit(b, "# sipbus.conf\n");
	schema_dump(b, &daemon_conf_schema);
	buf_lit(b, "\n# profiles.d/NAME.conf\n");
	schema_dump(b, &profile_conf_schema);
}
