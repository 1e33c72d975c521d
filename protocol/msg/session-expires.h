/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
#include "protocol/base/slice.h"

struct buf;

enum refresher {
	REFRESHER_NONE, /* not said, or by a word that RFC 4028 does not know */
	REFRESHER_UAC,
	REFRESHER_UAS,
};

/* Session-Expires (RFC 4028 section 4). Whether the interval is long enough is for the caller. */
struct session_expires {
	uint32_t seconds;
	enum refresher refresher;
};

/* -EBADMSG if malformed, or over 2^32-1 seconds. */
int session_expires_parse(struct slice value, struct session_expires *ret);
void session_expires_append(struct buf *b, const struct session_expires *s);
