/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
#include "protocol/base/buf.h"
#include "protocol/msg/challenge.h"

enum { DIGEST_MAX_HASH = 32 };

/*
 * Hashes the concatenation of n pieces. Handed in by the host, since hashing is a library's work.
 * Returns the number of bytes written to out (16, 20 or 32), or 0 if it cannot do that algorithm.
 */
typedef size_t digest_hash_fn(void *ctx, enum challenge_algorithm algorithm,
	const struct slice *pieces, size_t n_pieces, uint8_t out[static DIGEST_MAX_HASH]);

struct digest_hasher {
	digest_hash_fn *hash;
	void *ctx;
};

/* What an answer is made of; the arithmetic of RFC 7616 section 3.4, RFC 8760. */
struct digest_input {
	struct slice user, password;
	struct slice method, uri; /* uri as it stands in the request line */
	struct slice body;        /* for auth-int */
	struct slice cnonce;
	uint32_t nc;
	enum challenge_qop qop; /* the one chosen: NONE, AUTH or AUTH_INT */
};

/*
 * Appends the value of an Authorization or Proxy-Authorization header that answers c.
 * -EOPNOTSUPP if the algorithm is not ours, nothing appended.
 */
int digest_append_answer(struct buf *b, const struct digest_hasher *h, const struct challenge *c,
	const struct digest_input *in);
/*
 * The rspauth of an Authentication-Info (RFC 7616 section 3.5): as hex into b. Same input as the
 * request's, body that of the response.
 */
int digest_append_rspauth(struct buf *b, const struct digest_hasher *h, const struct challenge *c,
	const struct digest_input *in);
