/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
#include "protocol/base/timer.h"

/*
 * When whatever a server holds for us is refreshed, and when what failed is tried again:
 * registrations, subscriptions, publications. Plain arithmetic, so that tests can hold it against
 * numbers; random is any 64 bits.
 */

/* From a 2xx that granted so many seconds to the refresh. */
usec_t backoff_refresh_delay(uint32_t granted_seconds, uint64_t random);
/* After that many failures in a row, 1 or more: RFC 5626 section 4.5. */
usec_t backoff_delay(usec_t base, unsigned failures, uint64_t random);
/*
 * The next attempt while what was granted is still good for `left`: as the back-off says, but
 * leaving time for another one after it.
 */
usec_t backoff_hurry(usec_t back_off, usec_t left);
/* At least retry_after, a little more so that not everybody comes back at once. */
usec_t backoff_not_before(usec_t delay, uint32_t retry_after_seconds, uint64_t random);
/* About an hour, for refusals that somebody may have put right meanwhile. */
usec_t backoff_slow_delay(uint64_t random);
/* 0 to 2 s after a flow broke. */
usec_t backoff_flow_delay(uint64_t random);
/* 0 to 10 s, for timers that are late because the machine slept. */
usec_t backoff_resume_delay(uint64_t random);
