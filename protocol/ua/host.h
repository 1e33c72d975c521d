/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
#include "protocol/base/log.h"
#include "protocol/base/timer.h"
#include "protocol/msg/digest.h"
#include "protocol/txn/flow.h"
#include "protocol/ua/dns.h"

struct profile;

/* Where a flow shall lead. */
struct host_target {
	enum transport transport;
	struct flow_addr addr;
	/* Leave from the socket of this UDP flow, so that an answer comes from where it was asked.
	 */
	const struct flow *beside;
	/* The profile on whose behalf, for TLS credentials and time limits; NULL: anybody's. */
	const struct profile *profile;
	/*
	 * Connections to one server are shared within a pool: that of an endpoint, by its id, or of
	 * a profile that says SharedConnections, by "@" and its name. NULL: everybody's.
	 */
	const char *pool;
	/* RFC 5626: flows with other numbers are other connections. 0: any of the pool does. */
	unsigned reg_id;
	/*
	 * Whom we mean, for the certificate: the domain that was located (RFC 5922 section 7.1),
	 * before NAPTR and SRV. NULL: the address itself.
	 */
	const char *domain;
};

struct host_secret_query {
	const char *endpoint_id;
	const struct profile *profile;
	struct slice realm;
	struct slice scheme; /* "digest" */
};

/* Where an endpoint wants to be met by anybody. */
struct host_listen {
	enum transport transport; /* UDP: TCP at the same port as well (RFC 3261 section 18) */
	struct slice host; /* numeric: there alone, if it is this machine's; else everywhere */
	uint16_t port;     /* 0: the transport's own, or any where somebody has that */
	const char *pool;  /* what that pool sends leaves from there, where it can */
	const struct profile *profile;
};
struct host_listener;

/*
 * The contract with the outside, implemented once in daemon/ and once in tests/support/world.c.
 * Members only queue: none may call back into the core before it returns; outcomes come later as
 * inputs (ua.h).
 */
struct host_ops {
	/*
	 * A flow to the target: one that exists or a new one, which may still be opening. Never
	 * NULL; failure is told by ua_flow_down(). The core takes its own reference.
	 */
	struct flow *(*open)(void *ctx, const struct host_target *target);
	/* Looks up records of that kind; answered by ua_resolved(query). */
	void (*resolve)(void *ctx, uint64_t query, enum dns_kind kind, const char *name);
	/* User and password for a realm; answered by ua_secret(query). */
	void (*secret)(void *ctx, uint64_t query, const struct host_secret_query *what);
	void (*random)(void *ctx, void *out, size_t n);
	digest_hash_fn *hash;
	/*
	 * Sockets that listen there until unlisten(): those that do already, or new ones. *ret_at:
	 * the first. 0, -EADDRINUSE, or -EIO, logged. NULL: what listens at all is listened to.
	 */
	int (*listen)(void *ctx, const struct host_listen *where, struct flow_addr *ret_at,
		struct host_listener **ret_listener);
	void (*unlisten)(void *ctx, struct host_listener *l);
};

struct host {
	const struct host_ops *ops;
	void *ctx;
	struct log_sink log;
	/* ua_network_changed() comes: nobody has to look again and again whether there is a
	 * network. */
	bool tells_network;
	const char *user_agent; /* for User-Agent and Server; NULL: neither is sent */
	/*
	 * 32 bytes that stay the same across restarts of this installation: SIP instance ids and
	 * contact tokens are derived from them.
	 */
	uint8_t seed[32];
};
