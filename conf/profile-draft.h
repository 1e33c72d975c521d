/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
#include "conf/schema.h"

struct profile;
struct profile_conf_source;

/* A profile between its text and its use: what the rules across keys work on. */
struct profile_draft {
	struct profile *profile;
	const struct profile_conf_source *source;
	struct schema_reader *reader;
	/* The three ways to a password; the draft's maker frees them. */
	char *password_file, *credential, *password;
};

void profile_draft_finish(struct profile_draft *d);
