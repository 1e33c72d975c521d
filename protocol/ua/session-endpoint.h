/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
#include <stdbool.h>

struct endpoint;
struct msg;
struct ua;

/* What becomes of an endpoint's sessions when it goes. */
enum session_farewell {
	SESSION_ENDED,  /* BYE, CANCEL or refusal, and their answers are waited for */
	SESSION_TOLD,   /* nothing is waited for any more; the listener hears how they ended */
	SESSION_SILENT, /* at once, without a word to anybody */
};
void session_endpoint_over(struct endpoint *ep, enum session_farewell how);
/*
 * We are reached in another way now: peers of established sessions whose flow is gone are told by a
 * target refresh request (RFC 3261 12.2), UPDATE or re-INVITE, whose Contact is the new one. Not
 * those that have a GRUU of ours, which stays.
 */
void session_endpoint_moved(struct endpoint *ep);
/* A 2xx to an INVITE of ours that no transaction and no dialog takes (RFC 3261 13.2.2.4). */
void session_receive_stray(struct ua *ua, const struct msg *m);
/* An INVITE of ours has no final answer yet that may make the dialog which that request is in. */
bool session_awaits_dialog(const struct ua *ua, const struct msg *request);
