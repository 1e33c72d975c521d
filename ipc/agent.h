/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/*
 * Agents: objects of clients that take incoming work (org.sipbus1.Agent in the contract). They are
 * asked by priority, one after the other, until one answers; observers are told and never asked.
 */
#include "ipc/iface.h"

struct agent_ask;
struct agents;
struct iface_certificate;
struct iface_session;
struct iface_subscriber;

enum {
	AGENT_PER_CLIENT = 64, /* registered by one client */
	AGENT_TOTAL = 4096,
	AGENT_FILTER_ITEMS = 256, /* endpoints, types or events in one filter */
};

/* Rows of the filter's option table. */
enum agent_filter {
	AGENT_ENDPOINTS,
	AGENT_KINDS,
	AGENT_SESSION_TYPES,
	AGENT_EVENTS,
	AGENT_PRIORITY,
	AGENT_OBSERVE,
};

struct agents *agent_list_new(struct iface *i);
/* Tells every agent Released. NULL in, NULL out. */
struct agents *agent_list_free(struct agents *a);

/* Manager.RegisterAgent and UnregisterAgent; handlers of the manager's table. */
int agent_register(struct bus_call *c, void *object);
int agent_unregister(struct bus_call *c, void *object);

/* A request waits: asks agents and answers it. */
void agent_incoming(struct agents *a, struct incoming *in);
/* The request was answered otherwise: stops asking. */
void agent_incoming_gone(struct agents *a, struct incoming *in);
/* A session waits for somebody to take it; is->ask stands for the question. */
void agent_session_incoming(struct agents *a, struct iface_session *is);
/* It is over: stops asking. */
void agent_session_gone(struct iface_session *is);
/* The same for a subscription, whose subscriber waits for somebody to take it. */
void agent_subscription_incoming(struct agents *a, struct iface_subscriber *is);
void agent_subscription_gone(struct iface_subscriber *is);
/* Some agent would be asked whether it takes that subscriber, were it new. */
bool agent_would_take(struct agents *a, struct iface_subscriber *is);
/* The client that is asked at the moment. */
const char *agent_asked(const struct agent_ask *q);
/* As iface_ask_certificate(). */
int agent_certificate(struct agents *a, const struct iface_certificate *what);
/* As iface_ask_secret(). */
int agent_secret(struct agents *a, uint64_t query, const struct host_secret_query *what);
