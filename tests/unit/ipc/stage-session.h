/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* Sessions on the stage: alice is on the bus, bob is a user agent of the world. */
#include "protocol/ua/session.h"
#include "tests/support/world-session.h"
#include "tests/unit/ipc/stage.h"

#define STAGE_SESSION "org.sipbus1.Session"
#define STAGE_C1 "/org/sipbus1/session/c1"
#define STAGE_SDP "application/sdp"

#define STAGE_TEXT(name, value)                          \
	{                                                \
		name, DBUS_TYPE_STRING, (value), 0, NULL \
	}
#define STAGE_NUMBER(name, value)                           \
	{                                                   \
		name, DBUS_TYPE_UINT32, NULL, (value), NULL \
	}
#define STAGE_FLAG(name, value)                              \
	{                                                    \
		name, DBUS_TYPE_BOOLEAN, NULL, (value), NULL \
	}
#define STAGE_BYTES(name, value)            \
	{                                   \
		name, 'Y', (value), 0, NULL \
	}
#define STAGE_PATH(name, value)                               \
	{                                                     \
		name, DBUS_TYPE_OBJECT_PATH, (value), 0, NULL \
	}

extern const struct stage_option stage_no_options[];

struct stage_scene {
	struct stage s;
	struct world_ua *bob; /* where alice's requests go: her registrar's address */
	struct endpoint *bobs;
};

void stage_scene_init(struct stage_scene *sc);
/* Fails if content of a session was broadcast at any time. */
void stage_scene_deinit(struct stage_scene *sc);
/* The world settles, then the bus says what it has to. */
void stage_settle(struct stage *s);

/* ---- calls ---- */

/* CreateSession to bob, unanswered yet. */
void stage_try_create(struct stage *s, const char *client, const char *target,
	const struct stage_option *options);
/* The same with Id c1 and an offer, answered. */
void stage_create(struct stage *s, const char *client);
/* A method of a session, ready for its arguments. */
DBusMessage *stage_session_call(struct stage *s, const char *path, const char *member);
/* One that takes options alone, or, options being NULL, nothing. */
void stage_verb(struct stage *s, const char *client, const char *member,
	const struct stage_option *options);
/* One that takes type and bytes, and options unless they are NULL. */
void stage_body_verb(struct stage *s, const char *client, const char *member, const char *body,
	const struct stage_option *options);

/*
 * What a method with that signature takes, up to its options: texts for s and as in turn, NULL for
 * ones that nothing is wrong with.
 */
void stage_append_arguments(DBusMessage *m, const char *in, const char *const *texts);

/* ---- what comes ---- */

/*
 * The next signal of that name that was sent, whatever lies before it, to that client; NULL: to
 * everybody.
 */
DBusMessage *stage_signal(struct stage *s, const char *name, const char *client);
/* No signal of that name was sent since the last one expected. */
void stage_no_signal(struct stage *s, const char *name);
/* The status in front of a signal's arguments. */
uint32_t stage_status(DBusMessage *m);
/* Its last byte array is that text. */
void stage_expect_bytes(DBusMessage *m, const char *text);
/* A property of c1 that is a string, as that client reads it. */
const char *stage_read(struct stage *s, const char *client, const char *property);

/* ---- from bob ---- */

/* Bob calls alice; the session on bob's side. */
struct session *stage_bob_calls(struct stage_scene *sc);
/* c1 is established, from client to bob; the session on bob's side. */
struct session *stage_established(struct stage_scene *sc, const char *client);
