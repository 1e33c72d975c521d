/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
#include <stddef.h>

/*
 * n bytes that nobody can guess. Ends the process if the generator fails: whatever went on without
 * would have tags, branches and nonces that a stranger can foresee.
 */
void random_fill(void *out, size_t n);
