/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
#include <stdbool.h>

#include "protocol/base/timer.h"

/* One contact that the registrar reported: a point of presence. Strings are owned. */
struct registration_binding {
	char *uri, *display_name, *instance, *params;
	usec_t expires;         /* moment on the core's clock */
	uint32_t q_thousandths; /* 1000 if absent */
	uint32_t reg_id;        /* 0 if absent */
	bool own;
};

/* What the last 2xx and 439 say of RFC 5626. */
enum registration_outbound {
	REGISTRATION_OUTBOUND_UNKNOWN,
	REGISTRATION_OUTBOUND_YES,     /* Require: outbound in the 2xx (section 4.2.1) */
	REGISTRATION_OUTBOUND_NO,      /* the registrar ignores our reg-id */
	REGISTRATION_OUTBOUND_REFUSED, /* 439: neither reg-id nor the option tag is sent */
};
