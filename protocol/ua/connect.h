/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
#include "protocol/ua/session.h"

/*
 * Third-party call control (RFC 3725): two parties are called and talk to each other; we carry
 * their signalling and no media. One session is made for the first party, and stands for both.
 *
 * - Flow I (section 4.1): the first is asked for an offer, which goes to the second, whose answer
 *   goes back. A first party that would wait too long, LIMITS_HOLD_SECONDS, or that offers before
 *   it answers, is held meanwhile (4.3); then it is asked anew, and joined with what the second
 *   says to that, as in flow IV (4.4).
 * - UA_SESSION_PROGRESS with the fork "second" tells how the second is getting on, and
 *   UA_SESSION_ESTABLISHED when the two are joined.
 * - From then on what either offers goes to the other, and the answer back, changed in nothing but
 *   the origin line, for a first party that was held; INFO and MESSAGE are passed on, and our 200
 *   promises no more. Until then offers are refused with 491 (section 6).
 * - REFER is refused with 603: whom the parties talk to is our client's to say. An INVITE that
 *   wants the place of either by Replaces is, too.
 * - When either party ends or refuses, so does the other (sections 6 and 7), with a Reason that
 *   says why (RFC 3326), and the session, with the status that this had.
 *
 * The session's owner has every verb but those that bring a description: -ESTALE.
 */
struct connect_spec {
	struct slice id; /* as for session_spec */
	struct slice first, second;
	struct session_headers headers; /* of both INVITEs */
	struct slice privacy;
	usec_t timeout; /* until each of them answers */
};

/* As session_new(); the session is the first party's. */
int connect_new(struct endpoint *ep, const struct connect_spec *spec, struct session **ret_session,
	const char **ret_why);
