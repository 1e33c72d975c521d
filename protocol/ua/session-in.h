/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
#include "protocol/base/slice.h"

struct endpoint;
struct flow;
struct msg;
struct session;

/* A session that comes; session-in-private.h says what is in which file. */

/*
 * An INVITE outside of dialogs. 0, or with what the caller has to refuse it for a while, nothing
 * having been done: 486 if the endpoint has as many sessions as it may, 503 if the user agent has,
 * so that another server is tried (RFC 3263 section 4.3).
 */
unsigned session_in_receive(struct endpoint *ep, struct flow *reply_flow, struct msg *m);
/* The final answer, and the end by ourselves. Nothing happens once it was answered. */
void session_in_reject(
	struct session *s, unsigned status, struct slice reason, struct slice headers);
/* Our final answer; NULL: none went, or nobody can ask for it any more. */
const struct msg *session_in_final(const struct session *s);
void session_in_forget_final(struct session *s);
/* The PRACK came that a 2xx waited for. */
void session_in_pracked(struct session *s);
/* It will not come (RFC 3262 section 3). Nothing happens once the INVITE was answered. */
void session_in_unpracked(struct session *s);
/* The session is over, for whatever reason: an INVITE that is still open gets a 487 (15.1.2). */
void session_in_over(struct session *s);
/* At once, without a word. */
void session_in_free(struct session *s);
