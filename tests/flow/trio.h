/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
#include "protocol/ua/connect.h"
#include "protocol/ua/session-view.h"
#include "tests/support/world-peer.h"
#include "tests/support/world-record.h"
#include "tests/support/world-session.h"

/*
 * Carol, the user agent at 192.0.2.10, connects Anna at 192.0.2.1 with Bob at 192.0.2.20; both are
 * the test.
 */

#define SEC USEC_PER_SEC
#define MSEC USEC_PER_MSEC
/* What parties say of themselves. */
#define SDP(name, version, port)                                                   \
	"v=0\r\no=" name " 5 " version " IN IP4 " name ".test\r\ns=-\r\nt=0 0\r\n" \
	"c=IN IP4 " name ".test\r\nm=audio " port " RTP/AVP 0 97\r\na=rtpmap:97 x/8000\r\n"
/* The same from Carol, to Anna once she was held. */
#define SDP_AS(id_version, name, port)                                           \
	"v=0\r\no=- " id_version " IN IP4 anonymous.invalid\r\ns=-\r\nt=0 0\r\n" \
	"c=IN IP4 " name ".test\r\nm=audio " port " RTP/AVP 0 97\r\na=rtpmap:97 x/8000\r\n"
#define ANNA_1 SDP("anna", "1", "4000")
#define ANNA_2 SDP("anna", "2", "4002")
#define BOB_1 SDP("bob", "1", "5000")
#define BOB_2 SDP("bob", "2", "5002")
#define WITH(sdp) "Content-Type: application/sdp\n\n" sdp

struct trio_party {
	const char *name, *host;
	const struct msg *invite; /* the initial one */
	uint32_t cseq;            /* of its last request */
};

struct trio {
	struct world *w;
	struct world_ua *wu;
	struct endpoint *ep;
	struct session *s;
	struct trio_party anna, bob;
};

struct trio trio_new(void);
/* Carol connects, and Anna gets her INVITE, which has no description. */
void trio_connect(struct trio *t);
/* Anna answers with ANNA_1, and Bob gets that. */
void trio_first_answers(struct trio *t);
/* Bob answers with BOB_1, Anna gets that in her ACK, and Carol is told. */
void trio_second_answers(struct trio *t);
void trio_joined(struct trio *t);
/* Anna waits too long and is held. */
void trio_held(struct trio *t);
/* The network has forgotten everything, and nothing is left. */
void trio_leave(struct trio *t);
/* Carol hangs up with both; then the same. */
void trio_finish(struct trio *t);

/* A party answers a request, as the one dialog that it has; headers and body as in world_in(). */
void trio_says(struct trio *t, const struct trio_party *p, const struct msg *m, unsigned status,
	const char *headers);
/* A request of a party's in its dialog; "ACK" for a 2xx, "ACK refusal" or "CANCEL" of its last. */
void trio_sends(struct trio *t, struct trio_party *p, const char *method, const char *lines);
/* The next that Carol sends is that request or answer, to that party, with that body. */
const struct msg *trio_expect(
	struct trio *t, const struct trio_party *p, const char *what, const char *body);
/* The same, whatever the body. */
const struct msg *trio_expect_any(struct trio *t, const struct trio_party *p, const char *what);
/* A BYE comes, with that Reason or "" for none, and is answered. */
void trio_bye(struct trio *t, const struct trio_party *p, const char *reason);
