/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
#include "protocol/base/buf.h"
#include "protocol/ua/ua.h"

/* The server side that is the same for every method (RFC 3261 sections 8.2, 11.2 and 18.2). */

/* A request that no transaction knows: checks it, answers what can be answered, else hands it on.
 */
void uas_receive(struct ua *ua, struct flow *f, struct msg *m);
/* Answers a request that could not be parsed well, without a transaction (8.2.7). */
void uas_reject_stateless(
	struct ua *ua, struct flow *f, const struct msg *m, unsigned status, struct slice reason);
/*
 * The flow for responses to m, which came over f (18.2.2, RFC 3581 section 4): f itself, or for UDP
 * without rport one to the sent-by port. Borrowed.
 */
struct flow *uas_reply_flow(struct ua *ua, struct flow *f, const struct msg *m);
/* Writes received and rport into the top Via of bytes (18.2.1, RFC 3581 section 4). */
void uas_stamp_via(struct buf *b, struct slice bytes, const struct via *via, const struct flow *f);
/* Allow, Supported, Accept and the like for an OPTIONS answer or a 405, 415, 420 */
void uas_append_capabilities(struct buf *b, const struct ua *ua);
