/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
#include <stdint.h>

#include "protocol/base/slice.h"
#include "protocol/ua/subscriber-news.h"

/* What the user agent tells: the core's one voice to the outside. */

struct endpoint;
struct incoming;
struct msg;
struct session;
struct subscriber;

/* What changed about an endpoint, as a mask, so that its watcher re-reads only that. */
enum ua_change {
	UA_CHANGE_REGISTRATION = 1 << 0, /* state, expiry, next attempt, last error */
	UA_CHANGE_BINDINGS = 1 << 1,
	UA_CHANGE_CONTACT = 1 << 2, /* contact, server, flow */
	UA_CHANGE_AUTH = 1 << 3,    /* scheme in use */
	UA_CHANGE_CONNECTIONS = 1 << 4,
	UA_CHANGE_MESSAGES = 1 << 5, /* what waits in the user's mailbox was said (again) */
};

/* What a registration verb asked for. */
enum ua_verb {
	UA_REGISTER,
	UA_UNREGISTER,
};

/* What changed about a session, as a mask. */
enum ua_session_change {
	UA_SESSION_STATE = 1 << 0,
	UA_SESSION_DESCRIPTION = 1 << 1, /* description state */
	UA_SESSION_REMOTE = 1 << 2,      /* remote target, asserted identity */
	UA_SESSION_TIMER = 1 << 3,       /* session expires, refresher */
	UA_SESSION_FORKED = 1 << 4,
	UA_SESSION_START = 1 << 5, /* start time */
};

/* What happens in a session, in order. */
enum ua_session_news {
	UA_SESSION_PROGRESS,       /* a 1xx: status, reason, fork, body (a preview or an answer) */
	UA_SESSION_ESTABLISHED,    /* 2xx and ACK: body is the answer if the peer gave it now */
	UA_SESSION_OFFER,          /* body; empty: the peer wants our offer */
	UA_SESSION_ANSWER,         /* an answer that no verb waits for */
	UA_SESSION_MESSAGE,        /* message */
	UA_SESSION_INFO,           /* message; package */
	UA_SESSION_REFER,          /* id, refer_to, referred_by */
	UA_SESSION_REFER_PROGRESS, /* status, reason */
	UA_SESSION_REFER_FINISHED, /* the same; once for each session_refer() */
	UA_SESSION_TERMINATED,     /* status, reason, origin; message: the refusal, if one */
};

struct ua_session_event {
	enum ua_session_news news;
	unsigned status;
	struct slice reason;
	enum origin origin;
	struct slice fork;
	struct slice content_type, body;
	struct slice package, refer_to, referred_by;
	uint32_t id;
	const struct msg *message; /* NULL: none */
};

/*
 * News, delivered when the outermost input or verb returns: a listener may call any verb, free
 * functions included. Every member must be set. Endpoints are told as added before anything else
 * and as removed after everything else.
 */
struct ua_listener {
	void (*endpoint_added)(void *ctx, struct endpoint *ep);
	/* The pointer is dead when this returns. */
	void (*endpoint_removed)(void *ctx, struct endpoint *ep);
	void (*endpoint_changed)(void *ctx, struct endpoint *ep, unsigned changes);
	/* A registration or un-registration that somebody asked for, or a refresh, ended. */
	void (*registration_done)(
		void *ctx, struct endpoint *ep, enum ua_verb verb, const struct outcome *o);
	/*
	 * A request outside any dialog waits for somebody's decision. The listener answers by
	 * incoming_reply() or incoming_pass(), now or later, exactly once (incoming.h).
	 */
	void (*incoming)(void *ctx, struct incoming *in);
	/*
	 * Nobody waits for the decision any more (the transaction ended, the endpoint closes): the
	 * pointer is dead after.
	 */
	void (*incoming_gone)(void *ctx, struct incoming *in);
	/* Made by session_new(), or came: before anything else about it. */
	void (*session_added)(void *ctx, struct session *s);
	/*
	 * A new one from outside waits for somebody: session_pass() when nobody takes it. Whoever
	 * takes it has the verbs of the called side.
	 */
	void (*session_incoming)(void *ctx, struct session *s);
	void (*session_changed)(void *ctx, struct session *s, unsigned changes);
	void (*session_event)(void *ctx, struct session *s, const struct ua_session_event *e);
	/* After UA_SESSION_TERMINATED. The pointer is dead when this returns. */
	void (*session_removed)(void *ctx, struct session *s);
	/* A new one waits for somebody: subscriber_pass() when nobody takes it (subscriber.h). */
	void (*subscriber_incoming)(void *ctx, struct subscriber *s);
	void (*subscriber_changed)(void *ctx, struct subscriber *s, unsigned changes);
	/* m: the SUBSCRIBE that it is about, or NULL. */
	void (*subscriber_event)(
		void *ctx, struct subscriber *s, enum subscriber_news news, const struct msg *m);
	/* Once for each that was incoming. The pointer is dead when this returns. */
	void (*subscriber_removed)(
		void *ctx, struct subscriber *s, const struct subscriber_end *end);
};
