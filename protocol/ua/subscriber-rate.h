/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
#include "protocol/base/buf.h"
#include "protocol/base/timer.h"

/*
 * How often a subscriber wants to hear (RFC 6446): max-rate, min-rate and adaptive-min-rate of
 * Event, as they hold, and what follows for the time of the next NOTIFY.
 */

/* The rolling period of the adaptive rate, in intervals of that rate: "several" (7.4). */
enum { SUBSCRIBER_RATE_PERIOD = 10 };

struct subscriber_rate {
	uint64_t max, min, adaptive; /* notifications in 10^10 seconds; 0: not asked for */
	usec_t sent_at;              /* the last NOTIFY; 0: none */
	/* Those of the adaptive rate's period: one count for each interval since `began`. */
	usec_t began;
	uint64_t slot;
	uint32_t counts[SUBSCRIBER_RATE_PERIOD];
};

/*
 * Takes the wishes from the value of an Event header, adjusted to what makes sense for a
 * subscription of that many seconds (5.3, 8). What is malformed was not asked for.
 */
void subscriber_rate_read(
	struct subscriber_rate *r, struct slice event, uint32_t seconds, usec_t now);
/* What holds, as parameters of Subscription-State (5.2, 6.2, 7.2). */
void subscriber_rate_append(struct buf *b, const struct subscriber_rate *r);
/* A NOTIFY goes. */
void subscriber_rate_sent(struct subscriber_rate *r, usec_t now);
/* When the next may go, but for those that nothing holds back (5.2). */
usec_t subscriber_rate_earliest(const struct subscriber_rate *r);
/* When the state is told again though it did not change (6.2, 7.4). USEC_NEVER: never. */
usec_t subscriber_rate_latest(const struct subscriber_rate *r);
