/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/*
 * The user agent's objects on the bus: the daemon makes one struct iface, which listens to the
 * ua and keeps the tree of objects in step with it. One file for each interface of docs' D-Bus
 * contract.
 */
#include <sys/types.h>

#include "ipc/iface-certificate.h"
#include "protocol/base/list.h"
#include "protocol/base/map.h"
#include "protocol/base/slice.h"

struct agents;
struct buf;
struct bus;
struct bus_access;
struct bus_call;
struct bus_object;
struct bus_writer;
struct endpoint;
struct flow;
struct host_secret_query;
struct incoming;
struct outcome;
struct profile;
struct ua;

/* A finding about the configuration; strings live until the report returns. */
struct iface_problem {
	const char *severity; /* "error", "warning" */
	const char *file;
	unsigned line;
	const char *text;
};
typedef void iface_count_fn(void *ctx, const char *name, uint64_t n);
typedef void iface_report_fn(void *ctx, const struct iface_problem *p);

/* What only the daemon can do. */
struct iface_host {
	/* Reads the configuration without applying anything. */
	void (*check)(void *ctx, iface_report_fn *report, void *report_ctx);
	/* Applies what changed: -EINVAL, and nothing applied, if a file has an error. */
	int (*reload)(void *ctx, iface_report_fn *report, void *report_ctx);
	/* The profile's own Users and Groups, else the daemon's, let this user in. */
	bool (*may_use)(void *ctx, uid_t uid, const struct profile *p);
	/* Root, or the user whom the daemon runs as. */
	bool (*is_administrator)(void *ctx, uid_t uid);
	/* Answers a question that iface_ask_secret() took on; password.p NULL: nobody knows. */
	void (*secret)(void *ctx, uint64_t query, struct slice user, struct slice password);
	/* Answers a question that iface_ask_certificate() took on. */
	void (*certificate)(void *ctx, uint64_t query, enum iface_trust trust);
	/* The loaded profile of that name, NULL if there is none. Borrowed. */
	struct profile *(*find_profile)(void *ctx, struct slice name);
	/* Every connection, one after the other: the first after NULL, NULL after the last. May be
	 * NULL itself, as count may. */
	struct flow *(*next_flow)(void *ctx, const struct flow *after);
	/* The daemon's own counters, for GetStatistics. */
	void (*count)(void *ctx, iface_count_fn *report, void *report_ctx);
	/* Everybody on this bus is the user whom we run as: broadcasts may carry every value. */
	bool one_user;
	void *ctx;
};

/* Where the daemon listens, as text. */
struct iface_listener {
	const char *transport, *address, *port;
};

struct iface {
	struct bus *bus;
	struct ua *ua;
	const struct iface_host *host;
	struct bus_object *manager;
	struct list profiles;  /* of struct iface_profile */
	struct list endpoints; /* of struct iface_endpoint */
	struct list sessions;  /* of struct iface_session */
	size_t n_sessions;
	struct list subscriptions; /* of struct iface_subscription */
	size_t n_subscriptions;
	uint64_t n_subscribed, n_joined, n_notified; /* made, shared once more, states that came */
	struct list publications;                    /* of struct iface_publication */
	struct list subscribers;                     /* of struct iface_subscriber */
	size_t n_subscribers;
	uint64_t n_subscribers_in; /* ever */
	struct map shares;         /* of subscriptions that clients may join (iface-wish.h) */
	struct map owners;         /* of struct iface_owner, by name */
	struct agents *agents;
	struct iface_listener *listeners; /* owned strings */
	size_t n_listeners;
};

/* Puts the manager on the bus and listens to the ua. host must outlive it. */
int iface_new(
	struct bus *bus, struct ua *ua, const struct iface_host *host, struct iface **ret_iface);
/* Takes every object off the bus and stops listening. NULL in, NULL out. */
struct iface *iface_free(struct iface *i);

/* A profile was loaded, or is no longer: its object comes or goes. */
void iface_profile_add(struct iface *i, struct profile *p);
void iface_profile_remove(struct iface *i, const struct profile *p);
/* Replaces Manager.Listeners; strings are copied. */
void iface_set_listeners(struct iface *i, const struct iface_listener *list, size_t n);
/*
 * Asks agents for credentials: 0, and iface_host.secret answers later in any case; -ENOENT: no
 * agent would be asked.
 */
int iface_ask_secret(struct iface *i, uint64_t query, const struct host_secret_query *what);

/* The documented introspection of every interface, agents' included: needs no bus. */
void iface_introspect(struct buf *b);
