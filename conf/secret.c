/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "conf/secret.h"

#include "protocol/base/mem.h"
#include "protocol/ua/profile.h"

/* The one line of a file, without its end. */
static struct slice line_of(struct slice s)
{
	if (s.n && s.p[s.n - 1] == '\n')
		s.n--;
	if (s.n && s.p[s.n - 1] == '\r')
		s.n--;
	return s;
}

static const char *complaint(const struct file *f, enum secret_access access)
{
	const struct slice s = line_of(file_slice(f));

	if (access == SECRET_PRIVATE && file_is_shared(f))
		return "may be read by others than its owner; chmod 600 helps";
	if (!s.n)
		return "is empty";
	if (slice_find(s, '\n') < s.n)
		return "has more than one line";
	return slice_is_utf8(s) ? NULL : "is not UTF-8 text";
}

/*
 * Reads a password: one line of UTF-8, its newline not counted. Returns NULL, or what is wrong with
 * the file, to follow its name in a message. The caller wipes and frees ret->bytes.
 */
const char *secret_read(const char *path, enum secret_access access, struct profile_secret *ret)
{
	const char *wrong;
	struct slice s;
	struct file f;
	int rc = file_read(path, SECRET_MAX, &f);

	if (rc < 0)
		return file_strerror(rc);
	wrong = complaint(&f, access);
	if (!wrong) {
		s = line_of(file_slice(&f));
		ret->bytes = slice_dup(s);
		ret->n = s.n;
	}
	file_deinit(&f);
	return wrong;
}
