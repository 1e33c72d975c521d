/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
#include "protocol/ua/session.h"

/* Transfer: REFER inside a session, both sides (RFC 3515, 3892, 4488, 5589, 7647). */

/* ---- our side as the one that refers ---- */

struct session_refer {
	struct slice target;      /* any URI; empty: the remote target of `replaces` */
	struct session *replaces; /* attended: Replaces of that session's dialog in Refer-To */
	struct session_headers headers;
	/* Refer-Sub: false (RFC 4488): if the peer grants it, its consent is the outcome. */
	bool no_subscription;
};
/*
 * Asks the peer to contact target. UA_SESSION_REFER_PROGRESS tells what becomes of it and
 * UA_SESSION_REFER_FINISHED, once, how it ended: status 0 if that stays unknown, because the peer
 * or the session ended its reports, or none came. 0; -EINVAL (target, header), -ESTALE (this
 * session or the one to replace is not established), -ENOSPC (too many under way).
 */
int session_refer(struct session *s, const struct session_refer *r);

/* ---- our side as the one that is referred; id: of UA_SESSION_REFER ---- */

/* 200 (RFC 7647 section 5), and the first NOTIFY. -ENOENT, -ESTALE (decided already). */
int session_accept_refer(struct session *s, uint32_t id);
/* 300..699, 0: 603. -EINVAL, -ENOENT, -ESTALE. */
int session_reject_refer(struct session *s, uint32_t id, unsigned status);
/*
 * Progress of an accepted one; a final status ends it. 0 also when the peer does not listen any
 * more. -EINVAL (status, reason), -ENOENT, -ESTALE (not accepted, or session_follow_refer() does
 * the telling).
 */
int session_notify_refer(struct session *s, uint32_t id, unsigned status, struct slice reason);
/*
 * Does what the peer asks for: accepts the REFER unless that was done, and calls Refer-To, with
 * Replaces and Referred-By as it says. spec gives the rest: target, replaces, join and referred_by
 * are not looked at. How the new session fares is told to the peer without further verbs, even
 * after s has ended. -ENOENT, -ESTALE, -EOPNOTSUPP (not an INVITE to a SIP or tel URI), or what
 * session_new() returns: then the REFER is as it was.
 */
int session_follow_refer(struct session *s, uint32_t id, const struct session_spec *spec,
	struct session **ret_session, const char **ret_why);
