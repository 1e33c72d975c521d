/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "daemon/state.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "daemon/random.h"
#include "protocol/base/buf.h"
#include "protocol/base/err.h"
#include "protocol/base/log.h"
#include "protocol/base/mem.h"

#define SEED_NAME "seed"

/* mkdir -p, with 0700 for what it makes. */
static int make_all(const char *dir)
{
	char *path cleanup_free = mem_strdup(dir);

	for (char *p = path + 1; *p; p++) {
		if (*p != '/')
			continue;
		*p = '\0';
		if (mkdir(path, 0700) < 0 && errno != EEXIST)
			return -errno;
		*p = '/';
	}
	return mkdir(path, 0700) < 0 && errno != EEXIST ? -errno : 0;
}

int state_open(const char *dir, const struct log_sink *log)
{
	struct stat st = { 0 };
	int r = *dir ? make_all(dir) : -ENOENT;

	if (r == 0 && stat(dir, &st) < 0)
		r = -errno;
	if (r < 0) {
		log_line(log, LOG_LEVEL_ERROR, "state directory %s: %s", dir, strerror(-r));
		return r;
	}
	if (!S_ISDIR(st.st_mode)) {
		log_line(log, LOG_LEVEL_ERROR, "state directory %s: not a directory", dir);
		return -ENOTDIR;
	}
	if (st.st_uid != geteuid() || (st.st_mode & (S_IWGRP | S_IWOTH))) {
		log_line(log, LOG_LEVEL_ERROR,
			"state directory %s: has to belong to user %u and to be writable by nobody else",
			dir, (unsigned)geteuid());
		return -EPERM;
	}
	return 0;
}

static int check_seed(const char *dir, const struct log_sink *log, int fd)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return -errno;
	if (!S_ISREG(st.st_mode) || st.st_size != STATE_SEED_BYTES) {
		log_line(log, LOG_LEVEL_ERROR,
			"%s/" SEED_NAME
			" is not a seed of %d bytes; with it removed a new one is made, "
			"and registrars see new devices",
			dir, (int)STATE_SEED_BYTES);
		return -EBADMSG;
	}
	if (st.st_uid != geteuid() || (st.st_mode & (S_IRWXG | S_IRWXO))) {
		log_line(log, LOG_LEVEL_ERROR,
			"%s/" SEED_NAME " has to be owned and readable by user %u alone", dir,
			(unsigned)geteuid());
		return -EPERM;
	}
	return 0;
}

static int read_seed(int at, const char *dir, const struct log_sink *log, uint8_t *seed)
{
	int fd = openat(at, SEED_NAME, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	int r;

	if (fd < 0 && errno == ENOENT)
		return -ENOENT;
	if (fd < 0) {
		r = -errno;
		log_line(log, LOG_LEVEL_ERROR, "%s/" SEED_NAME ": %s", dir, strerror(-r));
		return r;
	}
	r = check_seed(dir, log, fd);
	if (r == 0 && read(fd, seed, STATE_SEED_BYTES) != STATE_SEED_BYTES) {
		log_line(log, LOG_LEVEL_ERROR, "%s/" SEED_NAME " cannot be read", dir);
		r = -EIO;
	}
	(void)close(fd);
	return r;
}

/*
 * Under another name first, on disk, then linked: a crash leaves no half of a seed, and of two
 * daemons that start at once the second finds the name taken.
 */
static int write_seed(int at)
{
	uint8_t seed[STATE_SEED_BYTES];
	char name[40];
	uint64_t nonce;
	int fd, r = 0;

	random_fill(seed, sizeof(seed));
	random_fill(&nonce, sizeof(nonce));
	(void)snprintf(name, sizeof(name), SEED_NAME ".%016llx", (unsigned long long)nonce);
	fd = openat(at, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return -errno;
	if (write(fd, seed, sizeof(seed)) != (ssize_t)sizeof(seed) || fsync(fd) < 0)
		r = errno ? -errno : -EIO;
	(void)close(fd);
	if (r == 0 && linkat(at, name, at, SEED_NAME, 0) < 0 && errno != EEXIST)
		r = -errno;
	(void)unlinkat(at, name, 0);
	if (r == 0 && fsync(at) < 0)
		r = -errno;
	mem_wipe(seed, sizeof(seed));
	return r;
}

int state_seed(
	const char *dir, const struct log_sink *log, uint8_t ret_seed[static STATE_SEED_BYTES])
{
	uint8_t seed[STATE_SEED_BYTES];
	int at = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int r;

	if (at < 0) {
		r = -errno;
		log_line(log, LOG_LEVEL_ERROR, "state directory %s: %s", dir, strerror(-r));
		return r;
	}
	r = read_seed(at, dir, log, seed);
	if (r == -ENOENT) {
		r = write_seed(at);
		if (r < 0)
			log_line(log, LOG_LEVEL_ERROR, "%s/" SEED_NAME " cannot be made: %s", dir,
				strerror(-r));
		else
			r = read_seed(at, dir, log, seed);
	}
	(void)close(at);
	if (r == 0)
		memcpy(ret_seed, seed, sizeof(seed));
	return r;
}
