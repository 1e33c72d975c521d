/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* Subscriptions on the stage: alice is on the bus, bob, whom she subscribes to, is the test. */
#include "tests/unit/ipc/stage-session.h"

#define STAGE_SUBSCRIPTION "org.sipbus1.Subscription"
#define STAGE_BOB "sip:bob@example.com"

/* A call of Endpoint.Subscribe; NULL members: bob, presence, no options. */
struct stage_wish {
	const char *client, *target, *event;
	const struct stage_option *options;
};

/* With three clients of alice's user. */
#define STAGE_ANNA ":1.20"
#define STAGE_BEN ":1.21"
#define STAGE_CLEO ":1.22"
void stage_subscription_init(struct stage *s);
/* Fails if content of a subscription was broadcast at any time. */
void stage_subscription_deinit(struct stage *s);

/* Subscribes, answered or not; the path, which lives as long as the recorder's messages. */
void stage_try_wish(struct stage *s, const struct stage_wish *w);
const char *stage_wish_for(struct stage *s, const struct stage_wish *w);
/* Subscribes to something that nobody had yet: the SUBSCRIBE that goes out. */
const struct msg *stage_wish_out(
	struct stage *s, const struct stage_wish *w, const char **ret_path);
/* A method that takes nothing. */
void stage_subscription_call(
	struct stage *s, const char *client, const char *path, const char *member);
void stage_refresh(struct stage *s, const char *client, const char *path, uint32_t seconds);
void stage_update(struct stage *s, const char *client, const char *path, const char *body);

/* Bob agrees for that many seconds. */
void stage_bob_agrees(struct stage *s, const struct msg *subscribe, unsigned expires);
/* A NOTIFY of bob's in the dialog of that SUBSCRIBE, for its event, which is answered by 200. */
void stage_bob_tells(
	struct stage *s, const struct msg *subscribe, const char *state, const char *body);
/* The same with a body of that type, and active. */
void stage_bob_tells_as(
	struct stage *s, const struct msg *subscribe, const char *type, const char *body);
/* The next Notified for that client, with that body, from that object. */
void stage_expect_notified(struct stage *s, const char *path, const char *client, const char *body);
/* The next Terminated for that client, NULL: for everybody; the seconds. */
uint32_t stage_expect_terminated(
	struct stage *s, const char *path, const char *client, const char *reason);

/* Properties, as that client reads them. */
const char *stage_text_of(
	struct stage *s, const char *client, const char *path, const char *property);
uint64_t stage_number_of(
	struct stage *s, const char *client, const char *path, const char *property);
/* LastError as "503 Service Unavailable (remote)", until the next call. */
const char *stage_last_error(struct stage *s, const char *client, const char *path);
