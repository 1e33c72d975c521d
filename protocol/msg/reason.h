/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
#include "protocol/base/slice.h"

struct buf;

/* One value of Reason (RFC 3326 section 2). */
struct reason {
	struct slice protocol; /* "SIP", "Q.850", in any case */
	uint32_t cause;        /* if has_cause */
	struct slice text;     /* parsed: quotes taken off, escapes kept; SLICE_NULL if none */
	bool has_cause;
};

/* The next element of a list: 1 and *ret, 0 at the end, -EBADMSG. */
int reason_next(struct slice *rest, struct reason *ret);
/* The text of a parsed one with its escapes resolved. */
void reason_append_text(struct buf *b, const struct reason *r);
/* r as a value: text is plain here, quoted and escaped by this; left out if it is empty. */
void reason_append(struct buf *b, const struct reason *r);
