/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
#include "protocol/msg/uri.h"

struct buf;
struct endpoint;
struct flow;

/* Where we can be reached, as Contact says it outside of REGISTER. */

enum contact_privacy {
	CONTACT_OPEN,
	CONTACT_ANONYMOUS, /* nothing that names the address of record (RFC 3323 section 4.1) */
};

struct contact {
	const struct endpoint *ep;
	const struct flow *flow; /* that the message goes over */
	enum uri_scheme scheme;  /* URI_SIPS where RFC 3261 8.1.1.8 and 12.1.1 want that */
	enum contact_privacy privacy;
};

/*
 * Appends the URI without brackets: a GRUU of the endpoint while it is registered, or need not be,
 * and has one of that kind and scheme (RFC 5627 4.4), else where it is reached over the flow,
 * with "ob" if the endpoint is registered over that one by RFC 5626 (section 4.3).
 */
void contact_append_uri(struct buf *b, const struct contact *c);
/* The same as a whole Contact line. */
void contact_append(struct buf *b, const struct contact *c);
