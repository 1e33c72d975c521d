/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
#include "protocol/ua/ua.h"

/*
 * The way of a response whose connection is gone (RFC 3261 18.2.2): a connection to the source of
 * the request at the port of sent-by, and if that fails to where sent-by leads by RFC 3263 section
 * 5. To the transaction it is one flow, which is down when nothing is left to try.
 */

/* With a reference for the caller; NULL: LIMITS_REPLY_WAYS of them are under way. */
struct flow *uas_way_new(struct ua *ua, const struct msg *request, const struct flow *down);
/* Ends them all, when no transaction is left. */
void uas_way_clear(struct ua *ua);
