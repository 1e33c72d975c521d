/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
#include <stddef.h>

#include "protocol/base/slice.h"

/* A header field of a client's. */
struct request_header {
	struct slice name, value;
};

/*
 * Headers that a client brings: -EINVAL with *ret_bad pointing at the first that is malformed or
 * belongs to the stack (Via, From, To, Call-ID, CSeq, Contact, Max-Forwards, Route, Record-Route,
 * Content-Length, Content-Type, Authorization, Proxy-Authorization, ...); -EMSGSIZE if too many.
 */
int request_headers_check(
	const struct request_header *h, size_t n, const struct request_header **ret_bad);
