/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
#include "protocol/ua/session-private.h"
#include "tests/support/world-peer.h"
#include "tests/support/world-record.h"
#include "tests/support/world-session.h"

/* An established call between alice, a peer-to-peer user agent, and the scripted bob. */

#define SEC USEC_PER_SEC
#define CALL_BOB "udp:192.0.2.20:5060"

struct call {
	struct world *w;
	struct world_ua *wu;
	struct endpoint *ep;
	struct session *s;
	char call_id[80], ours[40], theirs[40]; /* the dialog's names: Call-ID and tags */
	unsigned cseq;                          /* bob's last */
};

struct world_account;
/* Alice at 192.0.2.10, and nobody called yet. */
struct call call_scene(void);
/* Alice calls: contact is what bob puts in his 2xx, with brackets. */
void call_bob(struct call *c, const char *contact);
/* Another call in the same world, to whom, who is the test too; established. */
struct call call_another(const struct call *c, const char *target, const char *contact);
/* Bob sends a request in the dialog; text: header lines after CSeq, an empty line, the body. */
void call_send(struct call *c, const char *method, const char *text);
/* Bob hangs up, and what alice says and tells to that is taken. */
void call_ended(struct call *c);
/* Alice hangs up; nothing is left behind. */
void call_finish(struct call *c);
/* Nothing of the world may be left; frees it. */
void call_leave(struct call *c);
/* That header of a message has exactly this value. */
void call_expect_header(const struct msg *m, enum hdr_id id, const char *value);
