/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
#include "protocol/ua/contact.h"
#include "protocol/ua/race.h"
#include "protocol/ua/request-way.h"

/* What the files of a request share; nobody else includes this. */

/* A Request-URI of the target set (RFC 3261 8.1.3.4). Each gets in at most once. */
struct request_target {
	char *uri;
	uint32_t q_thousandths;
	bool tried;
};

struct request {
	struct endpoint *ep;
	struct list node;
	const struct request_ops *ops;
	void *owner;

	/* The wish, copied. */
	struct request_way way;
	enum request_contact contact;
	enum contact_privacy privacy; /* of that Contact */
	enum request_redirects redirects;
	char *method, *contact_params, *stale_contact, *content_type, *body, *route;
	size_t body_n;
	/* Whole lines that every attempt repeats: Max-Forwards, From, To, Call-ID, client's. */
	struct buf common;
	uint32_t cseq;
	struct msg *acknowledges; /* NULL: no ACK */
	bool cancelled;           /* no further attempt */

	/* The target set: [0] is the wish's own Request-URI. */
	struct request_target targets[LIMITS_ATTEMPTS];
	size_t n_targets, target;

	/* The way to the current target. */
	struct locate locate;
	struct race race;      /* between two addresses of it */
	struct locate_hop hop; /* where the current attempt goes */
	char *server_key;      /* what was located: "udp:sip.example.com:5060" */
	char *domain;          /* its host alone, which a certificate has to be good for */
	bool to_server;        /* the endpoint's own server, which may ask for credentials */
	bool cached;           /* over the endpoint's cached flow, nothing was located yet */
	bool upgraded;         /* TCP because of the size (RFC 3261 18.1.1) */
	bool reached;          /* an attempt at this target was made, and its end noted */
	struct locate_hop failed, shared; /* where the cached flow led; request-connect.c */
	char *refused_tls; /* why a certificate was refused: better to know than the rest */
	struct flow *flow;
	struct txn *txn;
	struct msg *sent; /* the last attempt */
	bool answered;    /* the current attempt had a provisional response */

	struct map_node turn; /* in endpoint->turns if requests to one URI take turns */
	bool waits, winds_up; /* for its turn; request_spec */

	unsigned n_attempts, n_auth_rounds, n_redirects;
	struct ua_query secret;
	char *realm; /* that the secret is asked for */
	struct timer timeout;

	/* How it ended, or how the last attempt failed. */
	struct later_note note;
	bool finished, delivering;
	unsigned status;
	char *reason;
	enum origin origin;
	int error;
	struct msg *response;
};

/* How an attempt failed, and so what may be tried next. */
enum request_next {
	REQUEST_NEXT_ADDRESS, /* the next address of the server (RFC 3263 4.3), then as below */
	REQUEST_NEXT_TARGET,  /* the next of the target set (RFC 3261 8.1.3.4) */
	REQUEST_NEXT_NOTHING,
};

struct request_end {
	unsigned status;
	struct slice reason;
	enum origin origin;
	int error;
	const struct msg *response;
};

/* ---- request.c ---- */
/* Remembers how an attempt ended; copies. */
void request_note_end(struct request *r, const struct request_end *e);
/* Delivers what was noted, by a note; nothing else happens to the request any more. */
void request_finish(struct request *r);
void request_finish_local(struct request *r, int error, struct slice reason);

/* ---- request-send.c ---- */
/* Sends over f, which leads to r->hop. */
void request_send(struct request *r, struct flow *f);
/* Sends to the current target, whose way has to be found yet. */
void request_start(struct request *r);
/* Sends once more the way that the last attempt went, with the next CSeq. */
void request_again(struct request *r);
/* What was noted as the end is final unless something else is left to try. */
void request_try(struct request *r, enum request_next next);
/* Lets go of transaction, look-up and question. */
void request_stop(struct request *r);

/* ---- request-response.c ---- */
/* A final response came. */
void request_on_final(struct request *r, const struct msg *m);
/* Puts text into the target set unless it is there or may not be. */
void request_add_target(struct request *r, struct slice uri, uint32_t q_thousandths);

/* ---- request-build.c ---- */

/* Headers that all attempts share. */
void request_build_common(struct request *r, const struct request_spec *spec);
/* One attempt over f; credentials are whole header lines. */
void request_build(
	struct buf *b, struct request *r, const struct flow *f, struct slice credentials);
