/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
#include "protocol/base/buf.h"
#include "tests/support/certs.h"

/* OCSP answers (RFC 6960), which the library reads and does not write. */

enum staple_says {
	STAPLE_GOOD,
	STAPLE_REVOKED,
};

/* What by, with an EC key, says of c: from a day ago until `ends` seconds from now. DER. */
void staple_append(struct buf *b, const struct cert *c, const struct cert *by,
	enum staple_says says, long ends);
