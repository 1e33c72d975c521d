/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
#include "protocol/base/slice.h"

enum substate_word {
	SUBSTATE_PENDING,
	SUBSTATE_ACTIVE,
	SUBSTATE_TERMINATED,
	SUBSTATE_OTHER, /* an extension that nobody has defined yet */
};

/* Subscription-State (RFC 6665 section 8.4). */
struct substate {
	enum substate_word state;
	struct slice reason; /* SLICE_NULL if there is none */
	bool has_expires;
	uint32_t expires; /* seconds */
	bool has_retry_after;
	uint32_t retry_after; /* seconds */
};

/* -EBADMSG if malformed; a number that is none counts as absent. */
int substate_parse(struct slice value, struct substate *ret);
