/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
#include "protocol/base/slice.h"
#include "protocol/ua/outcome.h"

/* What the listener hears of a subscriber (subscriber.h). */

/* What changed, as a mask. */
enum subscriber_change {
	SUBSCRIBER_CHANGE_STATE = 1 << 0,
	SUBSCRIBER_CHANGE_EXPIRES = 1 << 1,
};

enum subscriber_news {
	SUBSCRIBER_WANTS_STATE, /* a NOTIFY with the whole state is due: subscriber_notify() */
	SUBSCRIBER_NEW_BODY,    /* a refresh brought another filter: message */
};

/* How it ended. Slices live until the callback returns. */
struct subscriber_end {
	/*
	 * What the last NOTIFY said ("timeout", "rejected", "noresource"; "unsubscribed" when it
	 * was the subscriber's wish), or in words why there was none.
	 */
	struct slice reason;
	unsigned status; /* of a NOTIFY that was refused, or of our own refusal; 0: none */
	enum origin origin;
};
