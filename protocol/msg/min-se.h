/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
#include "protocol/base/slice.h"

/* Min-SE in seconds, its parameters checked and ignored (RFC 4028 section 5). -EBADMSG. */
int min_se_parse(struct slice value, uint32_t *ret);
