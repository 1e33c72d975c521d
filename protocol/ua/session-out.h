/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
#include "protocol/ua/session-private.h"

/* session-out.c's and session-out-wish.c's own: what an INVITE of ours says, for each attempt. */
struct session_out {
	char *from, *from_display; /* instead of the endpoint's; NULL: the endpoint's */
	char *from_tag;
	char *route;      /* of the client's making; NULL: none */
	struct buf lines; /* of the client's making */
	struct leg_body offer;
	uint32_t min_se; /* that a 422 asked for; 0: none did */
	unsigned n_intervals;
	char *branch; /* of the attempt that the legs belong to */
	usec_t timeout;
	bool cancelled;
	struct buf end_lines; /* of CANCEL, and of a BYE instead */
};

/* 0; -EINVAL with *ret_why: it cannot be called. */
int session_out_check_target(struct slice target, const char **ret_why);
/* Checks and copies: fills in s->out and what of s the wish says. -EINVAL, -EMSGSIZE with
 * *ret_why. */
int session_out_read(struct session *s, const struct session_spec *spec, const char **ret_why);
