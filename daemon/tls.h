/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
#include "daemon/tls-identity.h"
#include "protocol/base/buf.h"
#include "protocol/txn/flow.h"

struct tls;

/*
 * One TLS connection over byte queues, after the shape of a message exchange: bytes from the peer
 * go in, bytes for the peer and plain text come out, and whoever has it moves them. No socket, so
 * that two of them talk to one another in a test. GnuTLS is seen by tls*.c alone.
 */

enum tls_state {
	TLS_HANDSHAKE,
	TLS_ASKING, /* the peer's certificate waits for tls_decide(): trust on first use */
	TLS_UP,
	TLS_CLOSED, /* the peer said goodbye, or we did */
	TLS_FAILED, /* tls_failure() says why */
};

/* Why a connection was refused. The text begins with the name: "expired: ...". */
enum tls_failure {
	TLS_NO_FAILURE,
	TLS_EXPIRED,         /* or not valid yet */
	TLS_WRONG_NAME,      /* RFC 5922 section 7 */
	TLS_UNTRUSTED,       /* no chain to what is trusted, self-signed, not to be used for this */
	TLS_REVOKED,         /* by CRL or stapled OCSP */
	TLS_TOO_OLD,         /* the peer's version, algorithms or keys */
	TLS_NO_CERTIFICATE,  /* mutual TLS, and the peer showed none */
	TLS_NOT_ALLOWED,     /* good, but for none of the allowed domains */
	TLS_PIN,             /* not the pinned key */
	TLS_CHANGED,         /* not the key that was trusted on first use */
	TLS_REFUSED_BY_PEER, /* an alert: it did not want ours */
	TLS_BROKEN,          /* not TLS, or cut off */
};

/* What one connection needs beside. Strings are copied. */
struct tls_wish {
	enum tls_role role;
	/* Client: for whom the certificate has to be good; a numeric address is one, too. */
	const char *domain;
	/* Client: "name:port" under which session tickets are kept in the identity. */
	const char *ticket;
	/* Server: a certificate is required, and has to be good for one of the domains
	 * ("host.example.com", ".example.com"); n == 0: nobody's is, unless "*" is there. */
	bool mutual;
	char *const *allowed;
	size_t n_allowed;
};

struct tls *tls_new(struct tls_identity *i, const struct tls_wish *wish);
/* NULL is fine. */
void tls_free(struct tls *t);

/*
 * The verbs. Each moves on as far as it gets; afterwards tls_output() has bytes for the peer and
 * tls_plain() has what it said. now is epoch seconds, for certificates.
 */
void tls_start(struct tls *t, uint64_t now);
void tls_receive(struct tls *t, struct slice bytes, uint64_t now);
/* The peer sends no more: TLS_FAILED (cut off) if it did not say goodbye before. */
void tls_end(struct tls *t);
/* Plain text; before TLS_UP it waits. */
void tls_send(struct tls *t, struct slice bytes);
/* The answer to TLS_ASKING. With TLS_NO_FAILURE the server is known from now on. */
void tls_decide(struct tls *t, enum tls_failure verdict, uint64_t now);
/* Goodbye: a close_notify is put into the output. */
void tls_close(struct tls *t);

enum tls_state tls_state(const struct tls *t);
/* Why, with the text for people; it begins with the failure's name and a colon. */
enum tls_failure tls_failure(const struct tls *t, const char **ret_text);
const char *tls_failure_name(enum tls_failure f);
/* Taken by the caller: buf_consume() what was moved. There is output in TLS_FAILED, too: the alert
 * that tells the peer why. */
struct buf *tls_output(struct tls *t);
struct buf *tls_plain(struct tls *t);
/* Nothing goes on at the moment: empty queues give their memory back. */
void tls_rest(struct tls *t);
/* Good while t lives; NULL before the certificate is known. */
const struct flow_tls *tls_peer(const struct tls *t);
/* The peer's certificate as it came (DER); empty if none. */
struct slice tls_certificate(const struct tls *t);
