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
/* txn_table.reroute: where a response goes when its connection broke (18.2.2). ctx is the ua. */
struct flow *uas_reroute(void *ctx, const struct msg *request, struct flow *down);
/*
 * Appends the value of a top Via line with received and rport as the source address of f asks
 * (18.2.1, RFC 3581 section 4); what the sender wrote there itself is dropped.
 */
void uas_append_via(struct buf *b, const struct msg *m, const struct flow *f);
/* A response to m in full; to_tag as build_response() takes it. */
struct uas_reply {
	unsigned status;
	struct slice reason; /* empty: the standard phrase */
	struct slice to_tag;
	struct slice headers; /* whole lines, CRLF included */
	struct slice content_type, body;
};
void uas_build_reply(
	struct buf *b, const struct ua *ua, const struct msg *m, const struct uas_reply *r);
/*
 * Answers a request at once, with a transaction that nobody owns: retransmissions are answered
 * alike and an ACK is awaited. It gets a To tag if it brings none. 503 where no transaction can be.
 * A BENOTIFY gets nothing.
 */
void uas_answer(
	struct ua *ua, struct flow *reply_flow, struct msg *m, const struct uas_reply *answer);
/* Allow and Supported, as whole lines: what INVITE and its 2xx carry (13.2.1, 13.3.1.4). */
void uas_append_methods(struct buf *b);
/* These with Accept and its like: for OPTIONS, 405, 415 and 501. */
void uas_append_capabilities(struct buf *b);
