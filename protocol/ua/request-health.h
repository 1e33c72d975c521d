/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
#include "protocol/base/timer.h"
#include "protocol/txn/flow.h"

struct ua;

/* Servers to be passed over while others are there; request_health_clear() is in request.h. */

bool request_health_is_bad(
	const struct ua *ua, enum transport transport, const struct flow_addr *addr);
void request_health_mark(
	struct ua *ua, enum transport transport, const struct flow_addr *addr, usec_t how_long);
