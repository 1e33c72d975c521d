/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
#include <stdbool.h>

#include "protocol/base/list.h"
#include "protocol/base/map.h"
#include "protocol/base/timer.h"
#include "protocol/ua/dns.h"

struct log_sink;
struct loop;

enum {
	RESOLVER_MAX_NAMES = 4096,     /* looked up at once or remembered */
	RESOLVER_MAX_WAITERS = 100000, /* questions that wait for an answer */
	RESOLVER_MAX_TTL = 300,        /* seconds that an answer is remembered at most */
	RESOLVER_FAILURE_TTL = 5,      /* seconds, of what did not say how long it is not there */
	RESOLVER_TRIES = 3,
	RESOLVER_TIMEOUT_MS = 1000, /* for the first try; it doubles with each */
	/* RFC 8305 section 3: addresses of one family wait so long for those of the other. */
	RESOLVER_PATIENCE_MS = 50,
};

/*
 * Names by c-ares: A and AAAA, with /etc/hosts before DNS, SRV and NAPTR. Questions for one name
 * at one time cause one look-up, and its answer is remembered for its time to live, that there is
 * nothing as well (RFC 2308).
 */
struct resolver {
	struct loop *loop;
	const struct log_sink *log;
	void *channel;
	char *servers;       /* "address:port,..." or NULL: as /etc/resolv.conf says */
	struct map names;    /* of struct name, private */
	struct list sockets; /* of struct watch, private */
	struct list answers; /* of struct waiter: told between two rounds */
	size_t n_waiters, n_running;
	struct timer tell, expire;
	int64_t config_stamp; /* of /etc/resolv.conf, when the channel was made */
};

/* 0 or -EIO, logged. */
int resolver_init(struct resolver *r, struct loop *loop, const struct log_sink *log);
void resolver_deinit(struct resolver *r);
/*
 * Other servers from now on, "address[:port]" each; n == 0: the system's. What is remembered is
 * forgotten if they differ. -EINVAL: not addresses, and nothing changed.
 */
int resolver_set_servers(struct resolver *r, char *const *servers, size_t n);
/* Forgets what is remembered: the network may be another one, or somebody asked for it. */
void resolver_flush(struct resolver *r);
/* The network is another one: what is remembered is forgotten, and the system's servers are read.
 */
void resolver_forget(struct resolver *r);
/* struct host_ops' resolve: ua_resolved() follows, never before this returns. */
void resolver_ask(struct resolver *r, uint64_t query, enum dns_kind kind, const char *name);
