/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
#include "protocol/ua/session.h"

/* Looking at a session. Slices live until the next input. */

enum session_state {
	SESSION_INCOMING,    /* came, no provisional answer with a tag was sent */
	SESSION_TRYING,      /* went out, nothing but 100 came */
	SESSION_RINGING,     /* 1xx without description */
	SESSION_EARLY,       /* a description travelled in a provisional answer */
	SESSION_ESTABLISHED, /* 2xx */
	SESSION_TERMINATING, /* BYE or CANCEL is on its way */
	SESSION_TERMINATED,
};

struct session *session_find(struct ua *ua, struct slice id);
const char *session_id(const struct session *s);
struct endpoint *session_endpoint(const struct session *s);
enum session_state session_state(const struct session *s);
/* The name that the contract has for a state. */
const char *session_state_name(enum session_state s);
enum session_message {
	SESSION_INVITE,
	SESSION_FINAL,
	SESSION_LAST_RECEIVED,
};
/* NULL if there is none yet. Borrowed; credentials are the caller's to blank. */
const struct msg *session_msg(const struct session *s, enum session_message which);
bool session_is_outgoing(const struct session *s);
bool session_is_forked(const struct session *s);
enum offer_state session_description_state(const struct session *s);
struct slice session_type(const struct session *s);
struct slice session_party(const struct session *s);
struct slice session_call_id(const struct session *s);
/* Name-addr values as written in From and To, without tag. */
struct slice session_local(const struct session *s);
struct slice session_remote(const struct session *s);
struct slice session_request_uri(const struct session *s);
struct slice session_remote_target(const struct session *s);
/* The GRUU that we gave as Contact (RFC 5627 4.4); empty: none. */
struct slice session_gruu(const struct session *s);
/* The i-th identity that the endpoint's own server asserts of the far end, in its INVITE or in its
 * final answer to ours (RFC 3325), as a header value; p == NULL: no more, or nobody to be believed
 * said so. */
struct slice session_asserted(const struct session *s, unsigned i);
/* Whether that server passed on what the peer said: else its assertions are its own. */
bool session_is_vouched_for(const struct session *s);
/* When it was established, on the core's clock; 0: not yet. */
usec_t session_start_time(const struct session *s);
/* RFC 4028: 0 and "" without a timer; else seconds and "local" or "remote". */
uint32_t session_expires(const struct session *s);
const char *session_refresher(const struct session *s);
/* The session that an incoming one wants to replace or join; NULL: none. */
struct session *session_replaced(const struct session *s);
struct session *session_joined(const struct session *s);
void session_set_user(struct session *s, void *user);
void *session_user(const struct session *s);
