/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
#include "protocol/base/slice.h"

struct buf;
struct msg;

/* Who said so; the D-Bus contract's Origin. */
enum origin {
	ORIGIN_LOCAL,   /* we, or our client */
	ORIGIN_REMOTE,  /* a SIP response or request */
	ORIGIN_NETWORK, /* no flow, no address */
	ORIGIN_TIMEOUT,
};

/* How anything that reached out to the network ended. Slices live until the callback returns. */
struct outcome {
	unsigned status; /* SIP code; 0: none was received */
	struct slice reason;
	enum origin origin;
	int error; /* 0 for a 2xx, else a negative errno of err.h, for the bus error's name */
	const struct msg *response; /* NULL if none */
	const struct msg *request;  /* the attempt that it answers, as sent; NULL if none went */
};

/* "local", "remote", "network", "timeout" */
const char *outcome_origin_name(enum origin o);
/*
 * The reason, and what else the response says to whoever has to decide what to do now, in brackets:
 * "Service Unavailable (Retry-After: 30)". 3xx: the contacts.
 */
void outcome_append_reason(struct buf *b, const struct outcome *o);
