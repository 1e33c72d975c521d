/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
#include "protocol/base/list.h"
#include "protocol/msg/transport.h"

/*
 * What the core knows of a way to a peer: a connection, or for UDP a socket together with a remote
 * address. The host makes flows and owns what is behind them; the core holds references to those
 * that it uses.
 */
enum flow_state {
	FLOW_OPENING, /* bytes are queued until it is up */
	FLOW_UP,
	FLOW_DOWN, /* for good: a new flow must be asked for */
};

/* Numeric, without brackets, as getnameinfo() gives it: "fe80::1%eth0" has its scope behind it. */
struct flow_addr {
	char host[64];
	uint16_t port;
};

struct flow;
struct keepalive;

/* Filled in by the host. Neither may call back into the core before it returns. */
struct flow_ops {
	/* Queues one whole message or keep-alive. A failure is told later, by ua_flow_down(). */
	void (*send)(struct flow *f, struct slice bytes);
	/*
	 * The last reference but the host's own is gone: nobody needs the flow at the moment. The
	 * host may keep a connection for later use, start its idle timer, or end it.
	 */
	void (*unused)(struct flow *f);
	/* Ends it between two rounds, with that reason; ua_flow_down() follows. NULL: cannot. */
	void (*close)(struct flow *f, const char *reason);
	/* How long it may lie idle, in microseconds; 0: for ever. NULL: the host decides alone. */
	void (*set_idle)(struct flow *f, uint64_t timeout);
};

/* Who is at the other end of a TLS connection. Text, never NULL but where it says so. */
struct flow_tls {
	const char *version, *cipher; /* "TLS1.3", as the library names it */
	const char *subject, *issuer; /* of the peer's certificate; "" if it showed none */
	const char *fingerprint;      /* SHA-256 of its bytes, lower-case hex; "" if none */
	const char *matched; /* the domain it is good for (RFC 5922 section 7); NULL: none asked */
	uint64_t not_after;  /* of the certificate, epoch seconds; 0: none */
	bool resumed;        /* by a session ticket */
};

/*
 * Somebody who uses a flow, or did, and holds no reference for it. Told when the flow comes up, and
 * for the last time when it ends or the host forgets it: it is unlinked then.
 */
struct flow_link {
	struct list node; /* in flow->links */
	void (*changed)(struct flow_link *l);
};

struct flow {
	const struct flow_ops *ops;
	unsigned refs; /* one is the host's */
	enum transport transport;
	enum flow_state state;
	bool incoming;   /* the peer opened it */
	bool no_way;     /* down before it was up: no address or route of ours leads there */
	bool kept;       /* the core sends keep-alives itself: the host sends none */
	uint64_t n_sent; /* messages and keep-alives of ours */
	uint64_t id;     /* never used twice in a process; 0: nobody counts */
	unsigned reg_id; /* RFC 5626: which of its pool's; 0: no matter */
	/* On the core's clock, set by the host: since when it exists, and the last bytes on it. */
	uint64_t since, used;
	/* On whose behalf the host opened this connection (host.h); NULL: nobody's, or a datagram's
	 * way. As long as the flow. */
	const char *pool;
	/* Set before FLOW_UP and good as long as the flow; NULL: no TLS. */
	const struct flow_tls *tls;
	/* What Via and Contact say: where the peer can reach us. Set by the host before FLOW_UP. */
	struct flow_addr local;
	struct flow_addr peer;
	struct list txns;          /* of struct txn: those that a broken flow concerns */
	struct list endpoints;     /* of struct endpoint: those that keep it as their connection */
	struct list racers;        /* of struct race_lane: those that wait for it to be up */
	struct list registrations; /* of struct registration: those that were made over it */
	struct keepalive *keepalive; /* the core's, while it keeps the flow alive; else NULL */
	struct list links;           /* of struct flow_link */
	struct list holds;           /* of struct flow_hold */
};

/* A reference that is given back when the flow goes down. Zeroed: holds nothing. */
struct flow_hold {
	struct list node;
	struct flow *flow;
};

/* One reference: the host's. */
void flow_init(struct flow *f, const struct flow_ops *ops, enum transport transport);
struct flow *flow_ref(struct flow *f);
/* Gives a reference back that flow_ref() took. NULL is fine. */
void flow_unref(struct flow *f);
/* Everybody who is linked hears that it changed; flow_forget(): that it is no more. */
void flow_changed(struct flow *f);
/* By the core when it is down, and by the host before it frees what is not. */
void flow_forget(struct flow *f);
/* Only the host's own reference is left: it may free the flow. */
bool flow_is_unused(const struct flow *f);
/* Asks the host to end it. Nothing if it is down, or the host cannot. */
void flow_close(struct flow *f, const char *reason);
/* Dropped if the flow is down. */
void flow_send(struct flow *f, struct slice bytes);
bool flow_is_reliable(const struct flow *f);
/* local.host, or "0.0.0.0" for what could not even be begun and so has no address of ours. */
struct slice flow_local_host(const struct flow *f);
struct slice flow_addr_host(const struct flow_addr *a); /* without scope: for messages */
bool flow_addr_equal(const struct flow_addr *a, const struct flow_addr *b);

/* Holds f instead of what it holds; NULL, or one that is down: nothing. */
void flow_hold_set(struct flow_hold *h, struct flow *f);
/* f is down: all who hold it let go. */
void flow_drop_holds(struct flow *f);
