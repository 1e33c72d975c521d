/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
#include "protocol/ua/session-view.h"
#include "tests/support/world-record.h"
#include "tests/support/world-session.h"

/* Alice at 192.0.2.10 and Bob at 192.0.2.20: two user agents in one world, and a call. */

#define SEC USEC_PER_SEC
#define MSEC USEC_PER_MSEC

struct pair {
	struct world *w;
	struct world_ua *a, *b;
	struct endpoint *ep_a, *ep_b;
	struct session *alice, *bob;
};

struct pair pair_new(void);
/* Alice calls with "v=0 a1" and Bob is asked. */
void pair_call(struct pair *p);
/* Bob accepts with "v=0 b1"; both were told. */
void pair_accept(struct pair *p);
/* Alice hangs up; both are told, and nothing is left behind. */
void pair_finish(struct pair *p);
/* The same when both sessions have ended already. */
void pair_leave(struct pair *p);

/* An offer with that text; *r is told how it ends. */
void pair_offer(struct session *s, const char *text, struct world_reply *r);
/* wu hears that offer, and s answers it with that text. */
void pair_answer(struct world_ua *wu, struct session *s, const char *offer, const char *answer);
/* The reply came, once, with that status, error and body. */
void pair_expect_reply(const struct world_reply *r, unsigned status, int error, const char *body);
