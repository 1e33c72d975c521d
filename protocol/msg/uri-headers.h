/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
#include "protocol/base/slice.h"

struct buf;

/*
 * Walks the headers of a URI, the text after its "?" (RFC 3261 section 19.1.1): 1 and one header,
 * 0 at the end. The name is as written: with an escape in it, it is nobody's. The value replaces
 * what *ret_value held, escapes resolved once. -EBADMSG, with *ret_value undefined, if malformed
 * (escapes too), and for what no message could hold, such as a name with "/" or a value with CR, LF
 * or NUL; in "body", which is no header, they may stand.
 */
int uri_header_next(struct slice *rest, struct slice *ret_name, struct buf *ret_value);
/* value with everything that may not stand in a header of a URI as %HH (RFC 3261 section 25.1). */
void uri_append_header_value(struct buf *b, struct slice value);
