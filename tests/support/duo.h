/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
#include "daemon/tls.h"
#include "protocol/base/log.h"
#include "protocol/ua/profile.h"
#include "tests/support/certs.h"

/* Two ends of TLS that talk to one another in memory, and the files that they read. */

#define DUO_ONLY_12 "NORMAL:-VERS-ALL:+VERS-TLS1.2"

struct duo {
	char folder[64];
	char lines[4096]; /* what was logged */
	struct log_sink log;
	struct tls_store *store;
	struct cert ca;
	struct profile_tls client_conf, server_conf;
	struct tls_identity *client_identity, *server_identity;
	struct tls_wish client_wish, server_wish;
	struct tls *client, *server;
	uint64_t now;
	size_t piece; /* bytes at a time; 0: all there are */
	/* What the library is told instead of ours; NULL: ours. */
	const char *client_priority, *server_priority;
};

/*
 * An authority in "ca.pem" that the client trusts, and no certificate yet: duo_server() has it
 * made. The client wishes for example.com.
 */
void duo_init(struct duo *d);
void duo_deinit(struct duo *d);
/* A path in the folder, freed with duo. */
char *duo_path(struct duo *d, const char *name);
/* A member of a configuration becomes the path of that file in the folder. */
void duo_set_path(struct duo *d, char **member, const char *name);
/* Makes a certificate of the authority and gives it to that side. */
void duo_certify(struct duo *d, enum tls_role role, const struct cert_wish *wish);
/* The same with a certificate at hand: chain[0]'s key is used. */
void duo_show(struct duo *d, enum tls_role role, const struct cert *const *chain);
/* New ends with the identities, which are made if they are missing; both are started. */
void duo_start(struct duo *d);
/* Moves bytes until nothing moves. */
void duo_pump(struct duo *d);
/* Both of them. */
void duo_shake(struct duo *d);
void duo_hang_up(struct duo *d);
/* With new identities at the next start. */
void duo_forget(struct duo *d);

/* What the other side said is that, and is taken. */
void duo_expect_plain(struct tls *t, const char *text);
/* Failed for that reason, with a text that begins with its name and has that part. */
void duo_expect_failure(struct tls *t, enum tls_failure f, const char *part);
/* Both are up, and plain text goes both ways. */
void duo_expect_up(struct duo *d);
