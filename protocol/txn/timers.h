/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
#include "protocol/base/timer.h"

/* The timers of RFC 3261 (table 4), RFC 6026 (L, M) and RFC 4320, in microseconds. */
#define TIMER_T1 (500 * USEC_PER_MSEC) /* round-trip estimate, 17.1.1.1 */
#define TIMER_T2 (4 * USEC_PER_SEC)    /* longest interval of non-INVITE and 2xx retransmissions */
#define TIMER_T4 (5 * USEC_PER_SEC)    /* longest time a message stays in the network */

#define TIMER_A TIMER_T1             /* INVITE request, unreliable: doubles, 17.1.1.2 */
#define TIMER_B (64 * TIMER_T1)      /* INVITE client gives up */
#define TIMER_C (180 * USEC_PER_SEC) /* here: an INVITE without owner, see txn_forget() */
#define TIMER_D_UNRELIABLE \
	(32 * USEC_PER_SEC) /* waits for retransmitted responses; 0 if reliable */
#define TIMER_E TIMER_T1    /* non-INVITE request: doubles up to T2, 17.1.2.2 */
#define TIMER_F (64 * TIMER_T1)
#define TIMER_G TIMER_T1        /* INVITE response, unreliable: doubles up to T2, 17.2.1 */
#define TIMER_H (64 * TIMER_T1) /* waits for the ACK */
#define TIMER_I_UNRELIABLE TIMER_T4
#define TIMER_J_UNRELIABLE (64 * TIMER_T1) /* waits for retransmitted requests, 17.2.2 */
#define TIMER_K_UNRELIABLE TIMER_T4
#define TIMER_L (64 * TIMER_T1) /* server Accepted, RFC 6026 7.1 */
#define TIMER_M (64 * TIMER_T1) /* client Accepted, RFC 6026 7.2 */

/* A 100 goes out if the user has not answered an INVITE within this time, 17.2.1. */
#define TIMER_TRYING (200 * USEC_PER_MSEC)
/* And to a non-INVITE once the client's Timer E has reached T2: 0.5 + 1 + 2 s, RFC 4320 4.1. */
#define TIMER_TRYING_NON_INVITE (7 * TIMER_T1)
