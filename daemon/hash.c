/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "daemon/hash.h"

#include <gnutls/crypto.h>
#include <gnutls/gnutls.h>
#include <nettle/sha2.h>

static size_t by_gnutls(
	gnutls_digest_algorithm_t algorithm, const struct slice *pieces, size_t n, uint8_t *out)
{
	gnutls_hash_hd_t h;
	int r = 0;

	/* MD5 is refused where a policy forbids it (FIPS 140 mode). */
	if (gnutls_hash_init(&h, algorithm) < 0)
		return 0;
	for (size_t i = 0; i < n && r == 0; i++)
		r = gnutls_hash(h, pieces[i].p, pieces[i].n);
	gnutls_hash_deinit(h, out);
	return r == 0 ? (size_t)gnutls_hash_get_len(algorithm) : 0;
}

/* RFC 8760's SHA-512-256 is SHA-512/256 of FIPS 180-4, which GnuTLS 3.7 does not have. */
static size_t by_nettle(const struct slice *pieces, size_t n, uint8_t *out)
{
	struct sha512_ctx h;

	sha512_256_init(&h);
	for (size_t i = 0; i < n; i++)
		sha512_update(&h, pieces[i].n, (const uint8_t *)pieces[i].p);
	sha512_256_digest(&h, SHA512_256_DIGEST_SIZE, out);
	return SHA512_256_DIGEST_SIZE;
}

size_t hash_pieces(void *ctx, enum challenge_algorithm algorithm, const struct slice *pieces,
	size_t n_pieces, uint8_t out[static DIGEST_MAX_HASH])
{
	(void)ctx;
	switch (algorithm) {
	case CHALLENGE_MD5:
		return by_gnutls(GNUTLS_DIG_MD5, pieces, n_pieces, out);
	case CHALLENGE_SHA256:
		return by_gnutls(GNUTLS_DIG_SHA256, pieces, n_pieces, out);
	case CHALLENGE_SHA512_256:
		return by_nettle(pieces, n_pieces, out);
	case CHALLENGE_SHA1:
		return by_gnutls(GNUTLS_DIG_SHA1, pieces, n_pieces, out);
	case CHALLENGE_ALG_OTHER:
		return 0;
	}
	return 0;
}
