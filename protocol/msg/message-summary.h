/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
#include <stdbool.h>

#include "protocol/base/slice.h"

/* application/simple-message-summary: what waits in a mailbox (RFC 3842 section 5.2). */

/* message-context-class (RFC 3458 section 6.2). */
enum message_class {
	MESSAGE_VOICE,
	MESSAGE_FAX,
	MESSAGE_PAGER,
	MESSAGE_MULTIMEDIA,
	MESSAGE_TEXT,
	MESSAGE_NONE,
	MESSAGE_CLASSES,
};

/* How many; all of them include the urgent ones. */
struct message_counts {
	bool told;
	uint32_t fresh, old, urgent_fresh, urgent_old;
};

struct message_summary {
	bool waiting;
	struct slice account; /* a URI; empty: not said */
	struct message_counts counts[MESSAGE_CLASSES];
	/* Lines about messages that are new, those of one and the next an empty line apart. */
	struct slice headers;
};

/*
 * Slices borrow from body. -EBADMSG: no line says whether messages wait. Whatever else cannot be
 * read is left out, numbers are cut off at 2^32-1 (section 3.5), LF alone ends a line, too, and of
 * two lines with one name the first counts.
 */
int message_summary_parse(struct slice body, struct message_summary *ret);
