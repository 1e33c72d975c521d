/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
#include "protocol/base/slice.h"

struct msg;

/* What Privacy asks for (RFC 3323 section 4.2), a mask. */
enum {
	PRIVACY_HEADER = 1 << 0,
	PRIVACY_SESSION = 1 << 1,
	PRIVACY_USER = 1 << 2,
	PRIVACY_NONE = 1 << 3,
	PRIVACY_CRITICAL = 1 << 4,
	PRIVACY_ID = 1 << 5,      /* RFC 3325 section 9.3 */
	PRIVACY_HISTORY = 1 << 6, /* RFC 7044 section 10.1 */
	PRIVACY_OTHER = 1 << 7,   /* at least one that we do not know */
};

/*
 * One line; of several, the masks are joined. ";" separates, and "," which is met in the wild.
 * -EBADMSG if malformed or empty.
 */
int privacy_parse(struct slice value, unsigned *ret_mask);
/* Whole header lines, of which a Privacy asks not to say who the sender is: user, header or id. */
bool privacy_in_lines(struct slice lines);
/* The sender of m asks for that, or hides itself (RFC 3323 section 4.1.1.3). */
bool privacy_is_wanted(const struct msg *m);
