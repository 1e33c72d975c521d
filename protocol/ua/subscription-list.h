/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
#include "protocol/base/buf.h"
#include "protocol/ua/subscription.h"

/*
 * What a SUBSCRIBE for several resources says of itself (RFC 4662 section 4, RFC 5367 section 3).
 * What comes back, documents of many parts, is whoever reads bodies' business.
 */

/* The body that names the resources. Zeroed: none. */
struct subscription_targets {
	struct slice content_type; /* static */
	struct slice lines;        /* static: what the first SUBSCRIBE says of that body */
	struct slice accept; /* static: types that an answer may have; empty: the usual ones */
	struct buf body;
	bool repeated; /* later SUBSCRIBEs have it too; RFC 5367 section 3.2 wants them without */
};
/*
 * 0; -EINVAL: a target is no URI that could be subscribed to; -ENOSPC: more than
 * LIMITS_LIST_TARGETS. Who is there twice goes once (RFC 5363 section 4.1).
 */
int subscription_targets_init(struct subscription_targets *t, const struct endpoint *ep,
	const struct subscription_spec *spec);
void subscription_targets_deinit(struct subscription_targets *t);

/*
 * The value of Accept for a list (RFC 4662 section 4.3): the types of lists beside those that were
 * given; nothing given: the package's own (event as in the spec).
 */
void subscription_list_append_accept(struct buf *b, struct slice accept, struct slice event);
