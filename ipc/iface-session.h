/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* org.sipbus1.Session, what its files share: life and news, verbs, properties, news that wait. */
#include "ipc/bus-table.h"
#include "ipc/iface-owner.h"
#include "protocol/ua/ua-listener.h"

struct agent_ask;
struct bus_object;
struct session_headers;

extern const struct bus_interface iface_session;

enum {
	IFACE_HELD_NEWS = 64,       /* news of one session that wait for an owner */
	IFACE_HELD_BYTES = 1 << 18, /* and what they carry */
	IFACE_SESSION_TARGETS = 16, /* of Redirect */
};

struct iface_session {
	struct list node; /* in iface->sessions */
	struct iface *iface;
	struct session *s;
	struct bus_object *object;
	struct iface_owned owned;
	struct agent_ask *ask; /* agents are asked who takes it; NULL: not now */
	struct list held;      /* of struct iface_news: what nobody was there to hear */
	size_t n_held, held_bytes;
};

/* ---- iface-session.c ---- */

/* The ua's news. */
void iface_session_added(struct iface *i, struct session *s);
void iface_session_removed(struct iface *i, struct session *s);
void iface_session_changed(struct session *s, unsigned changes);
void iface_session_event(struct session *s, const struct ua_session_event *e);

const char *iface_session_path(const struct session *s);
/* The session at that path if the caller may act on it; else the call is answered and NULL. */
struct session *iface_session_of_path(struct bus_call *c, const struct iface *i, struct slice path);
/* Whether that client may act on it: its owner; nobody but who is asked; or anybody. */
bool iface_session_is_for(const struct iface_session *is, const char *client);
/* The client, whose message is being handled, owns it from now on, and hears what waited. */
void iface_session_take(struct iface_session *is, const char *client);

/* ---- iface-session-news.c ---- */

/* To the owner, or to the agent that is asked; waits for the next owner if there is none. */
void iface_news_tell(struct iface_session *is, const struct ua_session_event *e);
/* Somebody is there to hear what waits. */
void iface_news_release(struct iface_session *is);
/* Nobody will come: what waits for an answer is refused, the rest stays. */
void iface_news_refuse(struct iface_session *is);
void iface_news_drop(struct iface_session *is);

/* ---- iface-session-verbs.c ---- */

extern const struct bus_method iface_session_methods[];

/* ---- iface-session-props.c ---- */

extern const struct bus_property iface_session_properties[];
int iface_session_get_message(struct bus_call *c, void *object);

/* Headers of an option; *ret_list is the caller's to free. On failure the call is answered. */
struct request_header;
int iface_session_headers(struct bus_call *c, unsigned row, struct session_headers *ret,
	struct request_header **ret_list);

/* iface-endpoint-session.c: Endpoint.CreateSession, .ConnectParties and Session.FollowRefer. */
extern const struct bus_option iface_create_session_options[], iface_follow_refer_options[],
	iface_connect_options[];
int iface_create_session(struct bus_call *c, void *object);
int iface_connect(struct bus_call *c, void *object);
int iface_follow_refer(struct bus_call *c, void *object);
