/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
#include "protocol/ua/session.h"

/* Transfer: REFER inside a session, both sides (RFC 3515, 4488, 3892); refer.c. */

struct session_refer {
	struct slice target;
	struct session *replaces; /* attended: Replaces of that session's dialog in Refer-To */
	struct session_headers headers;
	bool no_subscription; /* Refer-Sub: false (RFC 4488) */
};
int session_refer(struct session *s, const struct session_refer *r);
int session_accept_refer(struct session *s, uint32_t id);
int session_reject_refer(struct session *s, uint32_t id, unsigned status);
/* Progress of an accepted one; a final status ends it. */
int session_notify_refer(struct session *s, uint32_t id, unsigned status, struct slice reason);
