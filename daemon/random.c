/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "daemon/random.h"

#include <gnutls/crypto.h>
#include <gnutls/gnutls.h>
#include <stdio.h>
#include <stdlib.h>

void random_fill(void *out, size_t n)
{
	if (n > 0 && gnutls_rnd(GNUTLS_RND_RANDOM, out, n) < 0) {
		(void)fputs("sipbusd: the random generator failed\n", stderr);
		abort();
	}
}
