/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "daemon/tls-known.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "conf/file.h"
#include "daemon/tls-name.h"
#include "daemon/tls-private.h"
#include "protocol/base/err.h"
#include "protocol/base/log.h"
#include "protocol/base/mem.h"

#define FILE_NAME "known-servers"

struct tls_server {
	char *domain;
	char key[TLS_PIN_DIGITS + 1];
};

static void forget(struct tls_known *k)
{
	for (size_t i = 0; i < k->n; i++)
		free(k->servers[i].domain);
	free(k->servers);
	k->servers = NULL;
	k->n = 0;
}

static void add(struct tls_known *k, struct slice domain, struct slice key)
{
	struct tls_server *s;

	k->servers = mem_realloc(k->servers, (k->n + 1) * sizeof(*k->servers));
	s = &k->servers[k->n++];
	s->domain = slice_dup(domain);
	memcpy(s->key, key.p, TLS_PIN_DIGITS);
	s->key[TLS_PIN_DIGITS] = '\0';
}

static char *path_of(const struct tls_known *k)
{
	struct buf b = BUF_NULL;

	buf_printf(&b, "%s/" FILE_NAME, k->folder);
	return buf_take(&b);
}

/* Lines that are none of ours, comments among them, are passed over. */
static void parse(struct tls_known *k, struct slice text)
{
	while (text.n && k->n < TLS_MAX_KNOWN) {
		struct slice line = slice_head(text, slice_find(text, '\n'));
		struct slice domain, key;

		text = slice_skip(text, line.n + 1);
		if (slice_cut(slice_trim(line), ' ', &domain, &key) && key.n == TLS_PIN_DIGITS &&
			domain.p[0] != '#')
			add(k, domain, key);
	}
}

static void read_file(struct tls_known *k, const char *path)
{
	struct file f;
	int r = file_read(path, TLS_MAX_KNOWN_FILE, &f);

	forget(k);
	k->unreadable = r < 0 && r != -ENOENT;
	if (k->unreadable)
		log_line(k->log, LOG_LEVEL_ERROR, "%s: %s; no server is trusted on first use", path,
			file_strerror(r));
	if (r < 0)
		return;
	parse(k, file_slice(&f));
	file_deinit(&f);
}

void tls_known_init(struct tls_known *k, const char *folder, const struct log_sink *log)
{
	*k = (struct tls_known){ .folder = mem_strdup(folder), .log = log };
	tls_known_refresh(k);
}

void tls_known_deinit(struct tls_known *k)
{
	forget(k);
	free(k->folder);
}

void tls_known_refresh(struct tls_known *k)
{
	char *path cleanup_free = k->folder ? path_of(k) : NULL;
	struct tls_stamp now;

	if (!path)
		return;
	tls_stamp_take(path, &now);
	if (memcmp(&now, &k->stamp, sizeof(now)) == 0)
		return;
	k->stamp = now;
	read_file(k, path);
}

static struct tls_server *find(const struct tls_known *k, const char *canonical)
{
	for (size_t i = 0; i < k->n; i++)
		if (strcmp(k->servers[i].domain, canonical) == 0)
			return &k->servers[i];
	return NULL;
}

const char *tls_known_find(const struct tls_known *k, const char *domain)
{
	char *canonical cleanup_free = tls_name_canonical(domain);
	const struct tls_server *s = canonical ? find(k, canonical) : NULL;

	return s ? s->key : NULL;
}

static int write_text(int at, const char *name, struct slice text)
{
	const int fd =
		openat(at, name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
	int r = fd < 0 ? -errno : 0;

	if (r == 0 && write(fd, text.p, text.n) != (ssize_t)text.n)
		r = errno ? -errno : -EIO;
	if (r == 0 && fsync(fd) < 0)
		r = -errno;
	if (fd >= 0)
		(void)close(fd);
	return r;
}

/* Under another name first and on disk, then in the place of the old one. */
static int replace_file(const char *folder, struct slice text)
{
	const int at = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int r = at < 0 ? -errno : write_text(at, FILE_NAME ".new", text);

	if (r == 0 && (renameat(at, FILE_NAME ".new", at, FILE_NAME) < 0 || fsync(at) < 0))
		r = -errno;
	if (at >= 0)
		(void)close(at);
	return r;
}

static int save(struct tls_known *k)
{
	char *path cleanup_free = path_of(k);
	struct buf text = BUF_NULL;
	int r;

	buf_lit(&text, "# domain and SHA-256 of the public key that was trusted on first use\n");
	for (size_t i = 0; i < k->n; i++)
		buf_printf(&text, "%s %s\n", k->servers[i].domain, k->servers[i].key);
	r = replace_file(k->folder, buf_slice(&text));
	buf_deinit(&text);
	if (r < 0)
		log_line(k->log, LOG_LEVEL_ERROR, "%s: %s", path, strerror(-r));
	else
		tls_stamp_take(path, &k->stamp);
	return r;
}

int tls_known_add(struct tls_known *k, const char *domain, const char *key)
{
	char *canonical cleanup_free = tls_name_canonical(domain);

	if (!canonical || strlen(key) != TLS_PIN_DIGITS)
		return -EINVAL;
	if (find(k, canonical))
		return -EEXIST;
	if (k->n == TLS_MAX_KNOWN) {
		log_line(k->log, LOG_LEVEL_WARNING, "more than %d servers trusted on first use",
			(int)TLS_MAX_KNOWN);
		return -ENOSPC;
	}
	add(k, slice_str(canonical), slice_str(key));
	return k->folder ? save(k) : 0;
}
