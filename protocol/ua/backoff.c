/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "protocol/ua/backoff.h"

#define MAX_TIME (1800 * USEC_PER_SEC) /* RFC 5626 4.5 */
/* An attempt may take Timer F; this is what it needs to be over before the binding is. */
#define REFRESH_MARGIN (34 * USEC_PER_SEC)
#define HURRY_LEAST (5 * USEC_PER_SEC)
#define SLOW_LEAST (45 * 60 * USEC_PER_SEC)
#define SLOW_SPREAD (30 * 60 * USEC_PER_SEC)
#define RETRY_AFTER_SPREAD (30 * USEC_PER_SEC)
#define RETRY_AFTER_MOST (24 * 3600 * USEC_PER_SEC) /* a typing error must not silence us */
#define FLOW_SPREAD (2 * USEC_PER_SEC)
#define RESUME_SPREAD (10 * USEC_PER_SEC)

static usec_t least(usec_t a, usec_t b)
{
	return a < b ? a : b;
}

static usec_t most(usec_t a, usec_t b)
{
	return a > b ? a : b;
}

/* Uniform in [low, high]. */
static usec_t between(usec_t low, usec_t high, uint64_t random)
{
	return low + random % (high - low + 1);
}

/*
 * From 60 to 90 per cent, so that endpoints that began together drift apart and the registrar's
 * load evens out. Where the margin cuts the end off, the beginning moves with it.
 */
usec_t backoff_refresh_delay(uint32_t granted_seconds, uint64_t random)
{
	usec_t granted = granted_seconds * USEC_PER_SEC;
	usec_t high = least(granted / 10 * 9, granted - least(REFRESH_MARGIN, granted / 2));

	return between(least(granted / 10 * 6, high / 3 * 2), high, random);
}

usec_t backoff_delay(usec_t base, unsigned failures, uint64_t random)
{
	usec_t bound = base;

	while (failures-- && bound < MAX_TIME)
		bound *= 2;
	bound = least(bound, MAX_TIME);
	return between(bound / 2, bound, random);
}

usec_t backoff_hurry(usec_t back_off, usec_t left)
{
	return least(back_off, most(left / 2, HURRY_LEAST));
}

usec_t backoff_not_before(usec_t delay, uint32_t retry_after_seconds, uint64_t random)
{
	usec_t earliest = least(retry_after_seconds * USEC_PER_SEC, RETRY_AFTER_MOST);

	if (delay >= earliest)
		return delay;
	return earliest + between(0, least(earliest / 10, RETRY_AFTER_SPREAD), random);
}

usec_t backoff_slow_delay(uint64_t random)
{
	return SLOW_LEAST + between(0, SLOW_SPREAD, random);
}

usec_t backoff_flow_delay(uint64_t random)
{
	return between(0, FLOW_SPREAD, random);
}

usec_t backoff_resume_delay(uint64_t random)
{
	return between(0, RESUME_SPREAD, random);
}
