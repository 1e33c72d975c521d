/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
#include "protocol/ua/session-view.h"
#include "tests/support/world-peer.h"
#include "tests/support/world-record.h"
#include "tests/support/world-session.h"

/* Alice, a user agent at 192.0.2.10, is called by sip:bob@192.0.2.1, which is the test. */

#define SEC USEC_PER_SEC
#define MSEC USEC_PER_MSEC
#define OFFER "v=0 offer"
#define ANSWER "v=0 answer"
/* Headers and body of a message with that description. */
#define WITH(sdp) "Content-Type: application/sdp\n\n" sdp

struct caller {
	struct world *w;
	struct world_ua *wu;
	struct endpoint *ep;
	struct session *s;
	const char *from; /* "udp:192.0.2.1:5060" */
	unsigned n_calls; /* each has a Call-ID and branch of its own */
	uint32_t cseq;    /* of the last request */
	char *to_tag;     /* Alice's, once she said so */
	char *invite;     /* as sent last, to be sent again */
};

struct caller caller_new(void);
/* Nothing is left behind once the network has forgotten the session. */
void caller_finish(struct caller *c);

/* An INVITE outside of dialogs; lines and body as in world_in(), NULL: OFFER alone. */
void caller_invites(struct caller *c, const char *lines);
/* The same text again, as a retransmission. */
void caller_repeats(struct caller *c);
/* The same, and somebody is asked: c->s. */
void caller_calls(struct caller *c, const char *lines);
/* Alice rings. */
void caller_rung(struct caller *c);
/* Alice accepts with ANSWER, Bob acknowledges, "established" was told. */
void caller_established(struct caller *c);

/* The next thing that Alice sends is a response with that status to the INVITE, with her one tag.
 */
const struct msg *caller_expect(struct caller *c, const char *status);
/* The next thing is a request of hers in the dialog. */
const struct msg *caller_expect_request(struct caller *c, const char *method);
/* A request of Bob's in the dialog, with the next CSeq. */
void caller_sends(struct caller *c, const char *method, const char *lines);
/* ACK for the 2xx to the INVITE with that CSeq. */
void caller_acks(struct caller *c, uint32_t cseq, const char *lines);
/* ACK of the transaction, for a refusal. */
void caller_acks_refusal(struct caller *c);
/* Bob gives up, and gets his 200 for that. */
void caller_cancels(struct caller *c, const char *lines);

/* Alice accepts, with that description. */
void caller_accept(struct caller *c, const char *description);
/* The first header of that kind in m is this one; "": there is none. */
void caller_check_header(const struct msg *m, enum hdr_id id, const char *value);
