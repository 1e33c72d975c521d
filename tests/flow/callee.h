/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
#include "protocol/ua/request-headers.h"
#include "protocol/ua/session-view.h"
#include "tests/support/world-peer.h"
#include "tests/support/world-record.h"
#include "tests/support/world-session.h"

/* Alice, a user agent at 192.0.2.10, calls sip:bob@192.0.2.1, which is the test. */

#define SEC USEC_PER_SEC
#define MSEC USEC_PER_MSEC
#define OFFER "v=0 offer"
#define ANSWER "v=0 answer"
/* Headers and body of an answer with that description. */
#define WITH(sdp) "Content-Type: application/sdp\n\n" sdp

struct callee {
	struct world *w;
	struct world_ua *wu;
	struct endpoint *ep;
	struct session *s;
	const struct msg *invite; /* the last that came */
	uint32_t cseq;            /* of the last request of Bob's */
};

struct callee callee_new(void);
/* The same, through the proxy and registrar of her domain, which is the test as well. */
struct callee callee_new_registered(void);
/* Nothing is left behind once the network has forgotten the session. */
void callee_finish(struct callee *c);

/* Alice sends that, with OFFER unless the spec has another offer, and Bob gets the INVITE. */
void callee_called(struct callee *c, const struct session_spec *spec);
void callee_called_without_offer(struct callee *c);
/* Bob answers the INVITE, as the fork with that tag; his Contact and Allow are added. */
void callee_says(struct callee *c, unsigned status, const char *tag, const char *headers);
/* The INVITE's ACK for a 2xx of that fork came; returned. */
const struct msg *callee_acked(struct callee *c, const char *tag);
/* 200 with ANSWER, ACK, "established" was told. */
void callee_established(struct callee *c, const char *tag);
/* A request of Bob's in the dialog of that fork; lines and body as in world_in(). */
void callee_sends(struct callee *c, const char *method, const char *tag, const char *lines);
/* The next thing that Alice sends is that request in that dialog. */
const struct msg *callee_expect(struct callee *c, const char *method, const char *tag);
/* The same, and it is answered. */
void callee_answers(struct callee *c, const char *method, const char *tag, unsigned status);

/* The only header of that kind in m is this one; "": there is none. */
void callee_check_header(const struct msg *m, enum hdr_id id, const char *value);
