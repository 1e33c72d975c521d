/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
#include "protocol/base/slice.h"

/* RSeq: 1 to 2^32-1 (RFC 3262 section 7.1). -EBADMSG for anything else. */
int rseq_parse(struct slice value, uint32_t *ret);
