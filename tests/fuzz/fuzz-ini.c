/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Any bytes as a configuration file: the INI form, the tables above it, and what is said of them.
 */
#include <stdint.h>
#include <stdlib.h>

#include "conf/daemon-conf.h"
#include "conf/problem.h"
#include "conf/profile-conf.h"
#include "protocol/base/buf.h"
#include "protocol/ua/profile.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Whatever a file holds, what is said about it can go out on the bus and to a terminal. */
static void check_problems(const struct problem_list *problems)
{
	for (size_t i = 0; i < problems->n; i++) {
		struct slice text = slice_str(problems->v[i].text);

		if (!slice_is_utf8(text) || slice_find(text, '\033') < text.n)
			abort();
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice text = slice_of((const char *)data, size);
	struct problem_list problems = { 0 };
	/* No folder holds the passwords that the text may name. */
	const struct profile_conf_source source = {
		.file = "fuzz", .folder = "/nonexistent", .credentials_folder = "/nonexistent"
	};
	struct daemon_conf *c = daemon_conf_read(text, "fuzz", &problems);
	struct profile *p;

	if (!daemon_conf_equal(c, c))
		abort();
	daemon_conf_free(c);
	p = profile_conf_read(text, &source, &problems);
	if (!profile_equal(p, p))
		abort();
	profile_unref(p);
	check_problems(&problems);
	problem_list_deinit(&problems);
	return 0;
}
