/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
#include "protocol/ua/request.h"

/* A single request outside any dialog that carries a body and waits for its answer (RFC 3428). */
struct page_spec {
	struct slice target; /* sip, sips or tel URI */
	struct slice method; /* empty: MESSAGE; else INFO, OPTIONS, SERVICE or NOTIFY */
	struct slice content_type, body;
	struct slice route; /* request-route.h; empty: none */
	const struct request_header *headers;
	size_t n_headers;
	usec_t timeout; /* 0: the transactions' own */
	const struct request_ops *ops;
	void *owner;
};

/*
 * A MESSAGE waits until earlier ones of this endpoint to the same URI have their answers.
 * Sends it by request_new(), whose errors it returns, after checks of its own: -EINVAL with
 * *ret_why saying what is wrong (a method that is no page, a body without type, a header that is
 * the stack's).
 */
int page_send(struct endpoint *ep, const struct page_spec *p, struct request **ret_request,
	const char **ret_why);
