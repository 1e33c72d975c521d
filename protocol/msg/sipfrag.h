/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
#include "protocol/base/slice.h"

struct buf;

/*
 * The status of a message/sipfrag body (RFC 3420) as a NOTIFY after REFER has it (RFC 3515 section
 * 2.4.5): its first line must be a status line, what follows is ignored. LF alone ends a line too,
 * the last line end may be missing, and so may the blank before an empty phrase. -EBADMSG.
 */
int sipfrag_status(struct slice body, unsigned *ret_status, struct slice *ret_reason);
/* The status line with its CRLF. reason has no line end; empty: the standard phrase. */
void sipfrag_append_status(struct buf *b, unsigned status, struct slice reason);
