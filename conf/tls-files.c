/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "conf/tls-files.h"

#include <stdlib.h>
#include <sys/stat.h>

#include "conf/file.h"
#include "conf/schema.h"
#include "protocol/base/buf.h"
#include "protocol/base/mem.h"
#include "protocol/ua/profile.h"

static unsigned line_of(const struct schema_reader *r, const char *key)
{
	return schema_line(r, (struct schema_spot){ "Tls", key, 0 });
}

static void make_absolute(const char *folder, char **path)
{
	struct buf b = BUF_NULL;

	if (!*path || (*path)[0] == '/')
		return;
	buf_printf(&b, "%s/%s", folder, *path);
	free(*path);
	*path = buf_take(&b);
}

/* NULL: it can be used. */
static const char *complaint(const char *path, mode_t forbidden)
{
	struct file f = { 0 };
	int rc = file_read(path, TLS_FILES_MAX, &f);
	const char *wrong = NULL;

	if (rc < 0)
		return file_strerror(rc);
	if (!f.n)
		wrong = "is empty";
	else if (f.mode & forbidden)
		wrong = "may be read by others than its owner and group; chmod 640 helps";
	file_deinit(&f);
	return wrong;
}

static void check_pair(struct schema_reader *r, const struct profile_tls *tls)
{
	const char *there = tls->key_file ? "KeyFile" : "CertificateFile";
	const char *missing = tls->key_file ? "CertificateFile" : "KeyFile";

	if (!tls->key_file != !tls->certificate_file)
		schema_problem(r, PROBLEM_ERROR, line_of(r, there), "[Tls] %s needs %s too", there,
			missing);
}

void tls_files_check(struct schema_reader *r, const char *folder, struct profile_tls *tls)
{
	const struct {
		const char *key;
		char **path;
		mode_t forbidden;
	} files[] = {
		{ "CaFile", &tls->ca_file, 0 },
		{ "CrlFile", &tls->crl_file, 0 },
		{ "CertificateFile", &tls->certificate_file, 0 },
		{ "KeyFile", &tls->key_file, S_IRWXO },
	};

	check_pair(r, tls);
	make_absolute(folder, &tls->key_log_file);
	for (size_t i = 0; i < ARRAY_LEN(files); i++) {
		const char *wrong;

		make_absolute(folder, files[i].path);
		wrong = *files[i].path ? complaint(*files[i].path, files[i].forbidden) : NULL;
		if (wrong)
			schema_problem(r, PROBLEM_ERROR, line_of(r, files[i].key),
				"[Tls] %s: %s %s", files[i].key, *files[i].path, wrong);
	}
}
