/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
#include "protocol/base/slice.h"

/* RAck: which reliable provisional response a PRACK acknowledges (RFC 3262 sections 7.2 and 10). */
struct rack {
	uint32_t rseq;       /* 1 to 2^32-1 */
	uint32_t cseq;       /* at most 2^31-1 */
	struct slice method; /* as written: it has to equal that of CSeq, case and all */
};

/* -EBADMSG unless the whole value is one RAck. */
int rack_parse(struct slice value, struct rack *ret);
