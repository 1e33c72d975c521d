/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
#include "protocol/base/slice.h"

/* What a Via or a transport parameter may name and this user agent speaks (RFC 3261 section 18). */
enum transport {
	TRANSPORT_NONE, /* not said, or not one of ours */
	TRANSPORT_UDP,
	TRANSPORT_TCP,
	TRANSPORT_TLS,
};

/* "UDP", "tcp", ... ignoring case; TRANSPORT_NONE for anything else. */
enum transport transport_parse(struct slice text);
/* Lower case, as a URI parameter wants it; "" for TRANSPORT_NONE. */
const char *transport_name(enum transport t);
/* Upper case, as a Via wants it. */
const char *transport_via_name(enum transport t);
/* TCP and TLS: no retransmission by transactions. */
bool transport_is_reliable(enum transport t);
/* 5060, or 5061 for TLS (RFC 3261 section 19.1.2). */
uint16_t transport_default_port(enum transport t);
