/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
#include "protocol/base/slice.h"

enum subscription_state {
	SUBSCRIPTION_PENDING,
	SUBSCRIPTION_ACTIVE,
	SUBSCRIPTION_TERMINATED,
	SUBSCRIPTION_OTHER, /* an extension that nobody has defined yet */
};

/* Subscription-State (RFC 6665 section 8.4). */
struct subscription_state_value {
	enum subscription_state state;
	struct slice reason; /* SLICE_NULL if there is none */
	bool has_expires;
	uint32_t expires; /* seconds */
	bool has_retry_after;
	uint32_t retry_after; /* seconds */
};

/* -EBADMSG if malformed; a number that is none counts as absent. */
int subscription_state_parse(struct slice value, struct subscription_state_value *ret);
