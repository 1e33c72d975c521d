/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
#include <sys/types.h>

#include "protocol/base/slice.h"

/* A whole file in memory. The bytes are wiped when it goes, since it may hold a password. */
struct file {
	char *bytes;
	size_t n;
	mode_t mode;
};

int file_read(const char *path, size_t max, struct file *ret);
void file_deinit(struct file *f);
struct slice file_slice(const struct file *f);
/* Whether group or others have any permission on it. */
bool file_is_shared(const struct file *f);
/* What a negative result of file_read says to a person: "no such file or directory". */
const char *file_strerror(int error);
