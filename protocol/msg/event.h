/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
#include "protocol/base/slice.h"

/* Event (RFC 6665 section 8.4; RFC 3265 section 7.2.1). */
struct event {
	struct slice type; /* with its templates: "presence.winfo" */
	struct slice id;   /* SLICE_NULL if there is none */
};

/* -EBADMSG if malformed. */
int event_parse(struct slice value, struct event *ret);
/* The same subscription: type and id equal, byte for byte (RFC 6665 section 8.2.1). */
bool event_equal(const struct event *a, const struct event *b);
