/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

struct log_sink;
struct profile_tls;
struct tls_identity;
struct tls_store;

enum tls_role {
	TLS_CLIENT,
	TLS_SERVER,
};

/*
 * What the identities of one process have in common: files that several of them name are in memory
 * once, and the servers that were trusted on first use. Outlives its identities.
 */

/* state_dir keeps the known servers; NULL: only as long as the store lives. */
struct tls_store *tls_store_new(const char *state_dir, const struct log_sink *log);
/* NULL is fine. */
void tls_store_free(struct tls_store *store);

/*
 * What our side shows and trusts: files of a [Tls] section, read once and again when they change.
 * Shared by reference; connections keep the one they began with.
 */

/* conf's empty members take those of fallback (NULL: none), then the system's trust and the
 * defaults. A negative errno, logged with file and reason; nothing is kept then. */
int tls_identity_new(const struct profile_tls *conf, const struct profile_tls *fallback,
	enum tls_role role, struct tls_store *store, struct tls_identity **ret_identity);
struct tls_identity *tls_identity_ref(struct tls_identity *i);
/* NULL is fine. */
void tls_identity_unref(struct tls_identity *i);
/*
 * Reads again what changed on disk since; connections that are up keep what they have. A file that
 * can't be read leaves everything as it was and is logged once.
 */
void tls_identity_refresh(struct tls_identity *i);
