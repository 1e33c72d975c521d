/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
#include "protocol/msg/addr.h"
#include "protocol/msg/method.h"

struct buf;

/* Refer-To (RFC 3515 section 2.1): one address, and what a request to it would be. */
struct refer_to {
	struct addr addr;   /* addr.uri.headers is what uri_header_next() walks */
	enum method method; /* INVITE unless the URI has ;method=; UNKNOWN for one we do not know */
	struct slice uri;   /* the target without its headers; ;method= still in it */
};

/* -EBADMSG unless the whole value is one address. */
int refer_to_parse(struct slice value, struct refer_to *ret);
/* The target as a Request-URI: no headers and no ;method= (RFC 3261 section 19.1.5). */
void refer_to_append_target(struct buf *b, const struct refer_to *r);
