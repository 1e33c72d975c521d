/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
#include "protocol/base/slice.h"

struct problem_list;
struct profile;
struct schema;

/* profiles.d/NAME.conf, read into a struct profile. */

/* Where a profile's text comes from. */
struct profile_conf_source {
	const char *file;               /* its path; names the profile unless Name does */
	const char *folder;             /* of the configuration; what PasswordFile is relative to */
	const char *credentials_folder; /* $CREDENTIALS_DIRECTORY, or NULL */
	enum {
		PROFILE_CONF_PRIVATE, /* the owner alone may read the file */
		PROFILE_CONF_SHARED,
	} access;
};

extern const struct schema profile_conf_schema;

struct profile *profile_conf_read(
	struct slice text, const struct profile_conf_source *source, struct problem_list *problems);
