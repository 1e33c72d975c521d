/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
#include "protocol/ua/session-private.h"

/*
 * What the files of a called session share; nobody else includes this.
 *
 *   session-in.c           the INVITE comes, and what the caller does until it is answered
 *   session-in-answer.c    our answers, provisional and final
 *   session-in-replaces.c  the dialog that Replaces or Join names
 *   session-identity.c     whom the caller is said to be, and by whom
 */
struct session_in {
	struct session *s;
	struct timer expires; /* the caller's patience (13.3.1) */
	bool trusted;         /* came from the endpoint's own server */
	bool early_only;      /* replaces nothing that was answered (RFC 3891 section 3) */

	/* The provisional answer that is sent again; status 0: none was sent. */
	unsigned status;
	char *reason, *lines;
	struct leg_body preview;

	/* The 2xx waits for a PRACK (RFC 3262 section 3). */
	bool accepting;
	char *accept_lines;
	struct leg_body accept_body;

	struct buf final;      /* our final answer */
	struct msg *final_msg; /* the same, read back when somebody asked for it */
};

/* What an INVITE gets before there is a session; status 0: nothing speaks against one. */
struct session_in_verdict {
	unsigned status;
	struct slice reason;
	struct buf headers;
	struct session *replaces, *joins;
	bool early_only;
};

/* Neither answered for good nor over. */
bool session_in_is_open(const struct session *s);
/* Replaces and Join (RFC 3891 section 3, RFC 3911 section 4). */
void session_in_check_replaces(
	const struct endpoint *ep, const struct msg *m, struct session_in_verdict *v);
/* What s was to replace while it rang has been answered meanwhile. */
bool session_in_comes_late(const struct session *s);
/* The session that is replaced by s ends, because s was accepted. */
void session_in_end_replaced(struct session *s);
/* Answers with a refusal, without a word to the listener. */
void session_in_refuse(
	struct session *s, unsigned status, struct slice reason, struct slice headers);
/* Another minute: the last provisional answer again, or a first one (13.3.1.1). */
void session_in_refresh(struct session *s);
/* Forgets what session-in-answer.c remembers. */
void session_in_answer_free(struct session *s);
