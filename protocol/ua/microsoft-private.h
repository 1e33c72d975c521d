/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
#include "protocol/ua/limits.h"
#include "protocol/ua/microsoft.h"
#include "protocol/ua/registration-private.h"

/* What the files of Microsoft's dialect share; nobody else includes this. */

struct microsoft {
	struct endpoint *ep;
	/* microsoft-redirect.c: where the registrar is, which may not be where the profile says. */
	struct profile_server server;
	bool away;
	bool no_batches; /* its last 2xx did not say that it takes them */
	/* Whom this attempt has asked: "tls:sip.example.com:5061". */
	char *visited[LIMITS_REGISTER_REDIRECTIONS + 1];
	unsigned n_visited;
	/* microsoft-keepalive.c */
	struct timer keep_timer;
	usec_t keep_tick;     /* 0: no keep-alives */
	unsigned keep_silent; /* looks in a row at which nothing had gone out */
	uint64_t keep_seen;   /* the flow's count at the last tick */
};

/* ---- microsoft-redirect.c ---- */
void microsoft_redirect_init(struct microsoft *ms);
void microsoft_redirect_deinit(struct microsoft *ms);

/* ---- microsoft-keepalive.c ---- */
void microsoft_keepalive_init(struct microsoft *ms);
void microsoft_keepalive_deinit(struct microsoft *ms);
