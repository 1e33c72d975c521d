/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
#include <gnutls/gnutls.h>
#include <gnutls/x509.h>

#include "daemon/tls-creds.h"
#include "daemon/tls.h"
#include "protocol/base/list.h"

/* What tls*.c know of one another. */

enum {
	TLS_PIN_DIGITS = 64,
	TLS_MAX_CHAIN = 10,               /* certificates that the peer shows */
	TLS_MAX_HANDSHAKE = 48 * 1024,    /* one handshake message; the chain is the longest */
	TLS_MAX_EARLY = 64 * 1024,        /* from the peer, while somebody is asked about it */
	TLS_MAX_WAITING = 1024 * 1024,    /* of ours, before it is up */
	TLS_MAX_OUTPUT = 4 * 1024 * 1024, /* of ours, that the peer does not take */
	TLS_MAX_PLAIN = 1024 * 1024,      /* of the peer's, that nobody takes */
};

struct tls_identity {
	unsigned refs;
	struct tls_store *store;
	struct tls_source *source; /* the files; shared with whoever names the same */
	char *server_name;         /* in place of the domain; NULL: none */
	char *pin;                 /* lower-case hex; NULL: none */
	bool trust_on_first_use;
	bool has_ca_file;
	char *key_log_file;
	int key_log; /* descriptor; -1: none */
	struct list tickets;
	size_t n_tickets;
	gnutls_datum_t ticket_keys[2]; /* of a server: without and with client certificates */
	uint64_t tickets_of;           /* reading of the files */
};

struct tls {
	struct tls_identity *identity;
	struct tls_creds *creds; /* those it began with */
	gnutls_session_t session;
	enum tls_role role;
	enum tls_state state;
	enum tls_failure failure;
	struct buf text;
	struct buf in, out, plain, waiting;
	struct slice feed; /* what of the input is not read yet, while a verb runs */
	bool ended;        /* there will be no more input */
	bool trusted;      /* tls_decide() said so */
	bool ticket_kept;
	uint64_t ticket_until; /* of the one that is used */
	uint64_t good_until;   /* what was found out about the peer, by epoch seconds */
	char *domain, *ticket;
	bool mutual;
	char **allowed;
	size_t n_allowed;
	uint64_t now;
	/* The peer. */
	struct buf der;
	struct flow_tls peer;
	char *subject, *issuer, *matched;
	char fingerprint[TLS_PIN_DIGITS + 1], key_pin[TLS_PIN_DIGITS + 1];
};

/* Sets failure and text, unless there is one already. */
void tls_blame(struct tls *t, enum tls_failure f, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/* tls-verify.c */
enum tls_verdict {
	TLS_GOOD,
	TLS_BAD, /* tls_blame() was called */
	TLS_ASK, /* trust on first use */
};
/* The peer's certificate, of this handshake or of the one that is resumed. Fills in the peer. */
enum tls_verdict tls_verify(struct tls *t);
gnutls_alert_description_t tls_verify_alert(enum tls_failure f);

/* tls-ticket.c */
void tls_ticket_init(struct tls_identity *i);
/* Wipes them: what was verified with other files does not count any more. */
void tls_ticket_drop_all(struct tls_identity *i);
/* Before the handshake: what is kept for this server, if it is good still. */
void tls_ticket_use(struct tls *t);
/* Whenever something came: keeps a new one. */
void tls_ticket_keep(struct tls *t);
/* A server's: gives and takes them. */
void tls_ticket_serve(struct tls *t);
