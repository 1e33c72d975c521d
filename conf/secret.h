/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
#include "conf/file.h"

struct profile_secret;

#define SECRET_MAX 4096 /* bytes of a password with its newline */

/* SECRET_PRIVATE: a file that group or others may touch is refused. */
enum secret_access { SECRET_PRIVATE, SECRET_ANY };

const char *secret_read(const char *path, enum secret_access access, struct profile_secret *ret);
