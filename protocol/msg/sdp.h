/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
#include <stdint.h>

#include "protocol/base/slice.h"

struct buf;

/*
 * The little of a session description (RFC 4566) that a third-party controller has to write itself
 * (RFC 3725 4.3, 4.4): nobody else here looks into one.
 */

/* Whose descriptions a party hears, as the origin line names it; "-" at anonymous.invalid. */
struct sdp_origin {
	uint32_t id;      /* the same for the whole call */
	uint32_t version; /* one more for each description (RFC 3264 section 8) */
};

/*
 * Appends an answer in which no media flows: RTP streams are inactive, at an address that leads
 * nowhere (RFC 3264 6.1, RFC 3725 section 5), all others refused (RFC 3264 section 6). -EBADMSG:
 * the offer is none, and b is as it was.
 */
int sdp_append_held(struct buf *b, struct slice offer, const struct sdp_origin *o);
/* Appends sdp with another origin line. -EBADMSG: it has none, and b is as it was. */
int sdp_append_as(struct buf *b, struct slice sdp, const struct sdp_origin *o);
