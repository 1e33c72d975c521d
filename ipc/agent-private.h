/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* Shared by agent.c (who there is) and agent-ask.c (asking them). */
#include "ipc/agent.h"
#include "protocol/base/timer.h"

struct agent_certificate;
struct bus_ask;
struct bus_reader;
struct bus_watch;
struct bus_writer;
struct iface_session;
struct iface_subscriber;

#define AGENT_INTERFACE "org.sipbus1.Agent"

/*
 * All agents together get no longer than this for one request but INVITE: the far end's
 * transaction gives up after 32 s (Timer F), and an answer that comes too late helps nobody.
 */
#define AGENT_ASK_TOTAL (30 * USEC_PER_SEC)

enum agent_kind {
	AGENT_SESSION,
	AGENT_PAGE,
	AGENT_SUBSCRIPTION,
	AGENT_REQUEST,
	AGENT_CREDENTIALS,
	AGENT_CERTIFICATE,
};

struct agents {
	struct iface *iface;
	struct list agents; /* of struct agent, highest priority first */
	size_t n;
	uint64_t serial;
	struct list asks; /* of struct agent_ask */
};

/* What a filter lets through; list NULL: everything. */
struct agent_words {
	char **list;
	size_t n;
};

struct agent {
	struct agents *all;
	struct list node;
	char *client, *path;
	uid_t uid;
	struct bus_watch *watch;
	unsigned kinds;               /* mask of 1 << enum agent_kind */
	struct agent_words endpoints; /* object paths */
	struct agent_words types;     /* of sessions */
	struct agent_words events;    /* packages */
	int32_t priority;
	bool observes;
	uint64_t serial; /* order of registration among equals */
};

/* One piece of work on its way from agent to agent. */
struct agent_ask {
	struct agents *all;
	struct list node;
	enum agent_kind kind;
	/* The last one asked, by its place in the order, so that it may go meanwhile. */
	bool started;
	int32_t priority;
	uint64_t serial;
	struct bus_ask *ask;
	char *client;        /* whom */
	uint64_t deadline;   /* of the whole chain, on the ua's clock */
	struct incoming *in; /* page and request */
	struct iface_session *session;
	struct iface_subscriber *subscriber;
	bool is_served; /* somebody serves that event package, though it did not take this one */
	char *id;       /* page */
	/* credentials and certificate */
	uint64_t query;
	char *endpoint_id, *realm, *scheme;
	struct agent_certificate *certificate;
};

/* Opens a call of a method of iface_agent. */
void agent_open(const struct agent *a, const char *member, struct bus_writer *ret_w);
/* The filter lets this work for ep through and its user may use the endpoint's profile. */
bool agent_serves(const struct agent *a, const struct agent_ask *q, const struct endpoint *ep);
/* It is asked, not only told, about that kind of work. */
bool agent_takes(const struct agent *a, enum agent_kind kind);

/* agent-ask.c */
struct agent_ask *agent_ask_new(struct agents *all, enum agent_kind kind, usec_t limit);
/* Tells observers, then asks one agent after the other; the answer may come before this returns. */
void agent_ask_start(struct agent_ask *q);
/* The same for what observers do not hear of; -ENOENT: there is nobody to ask, and q is gone. */
int agent_ask_begin(struct agent_ask *q, const struct endpoint *ep);
/* Without an answer. */
void agent_ask_free(struct agent_ask *q);

/* agent-certificate.c */
void agent_certificate_write(struct bus_writer *w, const struct agent_ask *q);
bool agent_certificate_take(struct agent_ask *q, struct bus_reader *r);
void agent_certificate_give_up(struct agent_ask *q);
/* NULL is fine. */
void agent_certificate_free(struct agent_certificate *c);

/* agent-session.c */
bool agent_session_is_for(const struct agent *a, const struct agent_ask *q);
void agent_session_write(struct bus_writer *w, const struct agent_ask *q);
bool agent_session_take(struct agent_ask *q, struct bus_reader *r);
void agent_session_give_up(struct agent_ask *q);

/* agent-subscription.c */
void agent_subscription_write(struct bus_writer *w, const struct agent_ask *q);
bool agent_subscription_take(struct agent_ask *q, struct bus_reader *r);
/* The agent that was asked did not take it; error NULL: its answer could not be used. */
void agent_subscription_passed(struct agent_ask *q, const char *error);
void agent_subscription_give_up(struct agent_ask *q);
/* Agents came or went: which packages are served. */
void agent_subscription_allow(struct agents *all);
