/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/*
 * The user agent's objects between a bus that is none and a network that is none: the recorder
 * plays the bus and its clients, the world plays the far end, and one clock drives both.
 */
#include "ipc/iface.h"
#include "tests/support/world-peer.h"
#include "tests/unit/ipc/recorder.h"

#define STAGE_PEER "udp:192.0.2.9:5060"
#define STAGE_ALICE "/org/sipbus1/endpoint/alice"
#define STAGE_MANAGER "org.sipbus1.Manager"
#define STAGE_ENDPOINT "org.sipbus1.Endpoint"
#define STAGE_AGENT_PATH "/agent"
#define STAGE_ERROR(name) "org.sipbus1.Error." name

enum {
	STAGE_ROOT_UID = 0,     /* the administrator */
	STAGE_USER_UID = 1000,  /* may use alice's profile */
	STAGE_GUEST_UID = 1001, /* let in, but not by alice's profile */
	STAGE_OTHER_UID = 2000, /* may not */
};

struct stage {
	struct recorder r;
	struct world *w;
	struct world_ua *alice; /* at 192.0.2.1, with the endpoint alice */
	struct endpoint *ep;
	struct profile *profile; /* alice's */
	struct iface_host host;
	struct iface *iface;
	/* The last answer to a question for credentials. */
	unsigned n_secrets;
	uint64_t query;
	char user[64], password[64]; /* "-": none was given */
	/* The last answer about a certificate. */
	unsigned n_trusts;
	enum iface_trust trust;
	struct iface_owned *things; /* stage_own_much() */
	size_t n_things;
};

/* What an agent asks for when it registers. */
struct stage_agent {
	const char *client, *path; /* path NULL: STAGE_AGENT_PATH */
	const char *kind;          /* NULL: all */
	const char *endpoint;      /* NULL: all */
	const char *type;          /* of sessions; NULL: all */
	const char *event;         /* of subscriptions; NULL: all */
	int32_t priority;
	bool observes;
};

void stage_init(struct stage *s);
void stage_deinit(struct stage *s);
/* Everything that was sent so far has been looked at. */
void stage_skip(struct stage *s);
/* Time passes for the core and the bus, at most a second at once. */
void stage_run(struct stage *s, usec_t duration);
/* Makes a client known to be that user's. */
void stage_client(struct stage *s, const char *client, uint32_t uid);
/* The next message that left is a call or an answer, whatever signals were sent before it. */
DBusMessage *stage_next(struct stage *s);
/* It is an error of that name; its text. */
const char *stage_error(struct stage *s, const char *name);
/* It is a method return of that signature. */
DBusMessage *stage_return(struct stage *s, const char *signature);
/* Nothing but signals was sent. */
void stage_silence(struct stage *s);

/* RegisterAgent, answered or not; UnregisterAgent. */
void stage_try_agent(struct stage *s, const struct stage_agent *a);
void stage_agent(struct stage *s, const struct stage_agent *a);
/* The next message asks that client's agent; its serial. */
uint32_t stage_asked(struct stage *s, const char *client, const char *member, DBusMessage **ret);
/* That client answers (u status, s reason). */
void stage_answer_page(
	struct stage *s, const char *client, uint32_t serial, uint32_t status, const char *reason);
void stage_answer_error(struct stage *s, const char *client, uint32_t serial, const char *error);

/* Options for an a{sv}: "Name" and its value, ended by NULL. */
struct stage_option {
	const char *name;
	/* DBUS_TYPE_*; 'h': a(ss) of one header, name and text; 'O', 'S', 'Y': ao, as, ay */
	int type;
	const char *text;
	uint32_t number;
	const char *header;
};
void stage_append_options(DBusMessage *m, const struct stage_option *options);
/* A call of an endpoint's or the manager's method from client, ready for its arguments. */
DBusMessage *stage_call(struct stage *s, const char *path, const char *member);
void stage_deliver(struct stage *s, const char *client, DBusMessage *m);
/* A request from bob to alice arrives and is handed to whom it concerns. */
void stage_request(struct stage *s, const char *method, const char *body);

/* The client owns as much as it may; stage_own_less() lets it own that many things again. */
void stage_own_much(struct stage *s, const char *client);
void stage_own_less(struct stage *s, size_t n);
