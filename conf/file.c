/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "conf/file.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "protocol/base/err.h"
#include "protocol/base/mem.h"

/* Fills f up to max bytes; -EMSGSIZE if there are more. */
static int fill(int fd, size_t max, struct file *f)
{
	char beyond;
	ssize_t n;

	/* One block of full size: growing would leave copies of a secret behind. */
	f->bytes = mem_alloc(max);
	while (f->n < max) {
		n = read(fd, f->bytes + f->n, max - f->n);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (n == 0)
			return 0;
		f->n += (size_t)n;
	}
	n = read(fd, &beyond, 1);
	if (n < 0)
		return -errno;
	return n == 0 ? 0 : -EMSGSIZE;
}

static int read_open(int fd, size_t max, struct file *f)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return -errno;
	if (S_ISDIR(st.st_mode))
		return -EISDIR;
	if (!S_ISREG(st.st_mode))
		return -EINVAL;
	if (st.st_size > (off_t)max)
		return -EMSGSIZE;
	f->mode = st.st_mode;
	/* The size may lie (a file being written, /proc), so it bounds the block and no more. */
	return fill(fd, st.st_size > 0 ? (size_t)st.st_size : max, f);
}

/*
 * Reads the regular file at path, following symbolic links, if it has at most max bytes. -EISDIR,
 * -EINVAL (neither file nor directory), -EMSGSIZE, or what the system said. file_deinit() frees.
 */
int file_read(const char *path, size_t max, struct file *ret)
{
	struct file f = { 0 };
	int fd, rc;

	/* Not blocking: a FIFO put in place of the file must not hang the daemon. */
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (fd < 0)
		return -errno;
	rc = read_open(fd, max, &f);
	(void)close(fd);
	if (rc < 0)
		file_deinit(&f);
	else
		*ret = f;
	return rc;
}

void file_deinit(struct file *f)
{
	mem_wipe(f->bytes, f->n);
	free(f->bytes);
	*f = (struct file){ 0 };
}

struct slice file_slice(const struct file *f)
{
	return slice_of(f->bytes, f->n);
}

bool file_is_shared(const struct file *f)
{
	return (f->mode & (S_IRWXG | S_IRWXO)) != 0;
}

const char *file_strerror(int error)
{
	switch (error) {
	case -EISDIR:
		return "is a directory";
	case -EINVAL:
		return "is no regular file";
	case -EMSGSIZE:
		return "is too large";
	case -ENOENT:
		return "does not exist";
	case -EACCES:
		return "may not be read (permission denied)";
	case -ELOOP:
		return "is a symbolic link to itself";
	}
	return strerror(-error);
}
