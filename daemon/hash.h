/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
#include "protocol/msg/digest.h"

/* struct host_ops' hash: SHA-512/256 by nettle, others by GnuTLS. ctx is not looked at. */
size_t hash_pieces(void *ctx, enum challenge_algorithm algorithm, const struct slice *pieces,
	size_t n_pieces, uint8_t out[static DIGEST_MAX_HASH]);
