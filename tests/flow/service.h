/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
#include "protocol/ua/session-refer.h"
#include "tests/support/world-peer.h"
#include "tests/support/world-record.h"
#include "tests/support/world-session.h"

/* Three user agents in one world, peer to peer: Alice at 192.0.2.10, Bob at .20, Carol at .30. */

#define SEC USEC_PER_SEC
#define MSEC USEC_PER_MSEC
#define ALICE "sip:alice@192.0.2.10"
#define BOB "sip:bob@192.0.2.20"
#define CAROL "sip:carol@192.0.2.30"

struct party {
	struct world_ua *wu;
	struct endpoint *ep;
};

struct service {
	struct world *w;
	struct party alice, bob, carol;
	struct endpoint *extra; /* another one of a test's own, closed with the others */
};

/* One session and both its ends. */
struct line {
	struct party *caller, *callee;
	struct session *out, *in;
};

/* With a transcript. */
struct service service_new(void);
/* Nothing is left behind; the transcript equals golden/NAME.txt. */
void service_finish(struct service *t, const char *name);

/* The callee is asked, and rings. target: NULL is the callee's own URI. */
struct line service_ring(
	struct service *t, struct party *from, struct party *to, const struct session_spec *spec);
/* The callee accepts; both are told. */
void service_accept(struct service *t, struct line *l);
/* Both of the above. */
struct line service_call(struct service *t, struct party *from, struct party *to);
/* One side offers, and the other one answers: re-INVITE. */
enum service_side { SERVICE_CALLER, SERVICE_CALLEE };
void service_offer(struct service *t, const struct line *l, enum service_side who,
	const char *offer, const char *answer);
/* s ends its session; both are told. */
void service_hang_up(struct service *t, struct party *p, struct session *s, struct party *other);
/* Bob's dialog with somebody as that somebody finds it in Replaces or Join; caller frees. */
char *service_names(const struct session *s);
