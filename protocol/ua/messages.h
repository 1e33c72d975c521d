/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
#include "protocol/base/timer.h"
#include "protocol/msg/message-summary.h"

struct endpoint;
struct msg;

/*
 * What waits in the mailbox of an endpoint's user (RFC 3842), as it was said last: by the
 * endpoint's own server without being asked, or to a subscription of ours to its address of record.
 */
struct messages {
	struct message_summary summary; /* without headers, which are for who hears of the NOTIFY */
	char *account;                  /* what summary.account borrows */
	usec_t at;                      /* on the core's clock */
};

/*
 * Takes in the body of m, whose sender is believed. 0; 415 or 400 if that is none that can be read:
 * then nothing changed. No body says nothing, and is taken.
 */
unsigned messages_take(struct endpoint *ep, const struct msg *m);
/* Nothing is known any more. */
void messages_forget(struct endpoint *ep);
