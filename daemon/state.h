/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
#include <stdint.h>

struct log_sink;

enum { STATE_SEED_BYTES = 32 };

/*
 * The state directory, made with mode 0700 where it is missing (its parents too). Negative errno,
 * logged: -EPERM if it belongs to somebody else or others may write in it.
 */
int state_open(const char *dir, const struct log_sink *log);
/*
 * The installation's seed: read from DIR/seed, or made at the first start, mode 0600, complete or
 * not at all. Negative errno, logged: -EBADMSG for a file that is not a seed, -EPERM for one that
 * others may read. Such a file is never overwritten: with it the instance ids would change.
 */
int state_seed(
	const char *dir, const struct log_sink *log, uint8_t ret_seed[static STATE_SEED_BYTES]);
