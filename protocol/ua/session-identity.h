/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
#include "protocol/base/slice.h"

struct session;

/*
 * Who the far end is according to the endpoint's own server: URIs of P-Asserted-Identity in the
 * INVITE that came, or in the last answer to ours. Only what that server sent over the endpoint's
 * connection counts (RFC 3325 section 8: nobody else is trusted).
 */
void session_asserted_identities(
	const struct session *s, void (*each)(void *ctx, struct slice uri), void *ctx);
