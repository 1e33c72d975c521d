/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
#include "conf/problem.h"

struct buf;
struct daemon_conf;
struct profile;

/*
 * A configuration folder: sipbus.conf and profiles.d/NAME.conf, read as a whole or not at all.
 */
#define CONFIG_FILE_MAX (256 * 1024) /* bytes of one file */
#define CONFIG_PROFILES_MAX 10000    /* files in profiles.d */

struct config_source {
	const char *folder;             /* --config */
	const char *credentials_folder; /* $CREDENTIALS_DIRECTORY; NULL if unset */
};

/* While an error stands there is neither daemon nor profile in it. */
struct config {
	struct daemon_conf *daemon; /* NULL: not usable */
	struct profile **profiles;  /* by name, one reference each */
	size_t n_profiles;
	struct problem_list problems; /* warnings are here also when all is well */
};

struct config *config_load(const struct config_source *source);
void config_free(struct config *c);
bool config_is_usable(const struct config *c);
struct profile *config_find_profile(const struct config *c, const char *name);

enum config_change {
	CONFIG_ADDED,   /* old is NULL */
	CONFIG_REMOVED, /* now is NULL */
	CONFIG_CHANGED,
	CONFIG_UNCHANGED, /* both, equal in content */
};
typedef void config_change_fn(
	void *ctx, enum config_change change, struct profile *old, struct profile *now);
void config_compare(
	const struct config *old, const struct config *now, config_change_fn *tell, void *ctx);
void config_dump(struct buf *b);
