/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
#include <stddef.h>

#include "protocol/base/slice.h"

/* A header field of a client's. */
struct request_header {
	struct slice name, value;
};

/* The first of a client's headers that cannot be used. */
struct request_header_fault {
	struct slice name;
	const char *why; /* follows the name in a sentence: "belongs to the stack" */
};

/*
 * Headers that a client brings: -EINVAL if one is malformed, there twice though it may not be, or
 * the stack's own (Via, From, To, Call-ID, CSeq, Contact, Max-Forwards, Route, Record-Route,
 * Content-Length, Content-Type, Authorization, Proxy-Authorization, ...); -EMSGSIZE if too many.
 */
int request_headers_check(
	const struct request_header *h, size_t n, struct request_header_fault *ret_fault);
