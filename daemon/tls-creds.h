/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
#include <gnutls/x509.h>
#include <stdbool.h>
#include <stdint.h>

#include "protocol/base/list.h"

struct log_sink;

/* What certificate files hold, as the library wants it; many identities may name the same. */

enum {
	TLS_MAX_FILE = 4 * 1024 * 1024, /* bytes of one file */
	TLS_FILES = 4,
};

enum tls_file {
	TLS_CA_FILE,
	TLS_CRL_FILE,
	TLS_CERTIFICATE_FILE,
	TLS_KEY_FILE,
};

/* One reading of the files. Connections keep the one that they began with. */
struct tls_creds {
	unsigned refs;
	uint64_t reading; /* of the source, from 1 on */
	gnutls_certificate_credentials_t cert;
	gnutls_priority_t priority;
	gnutls_x509_crl_t *crls;
	unsigned n_crls;
};

/* As stat() tells that a file is another one. */
struct tls_stamp {
	unsigned long long device, inode, size;
	long long seconds, nanoseconds;
};

/* The files, and what they held when they were read last. */
struct tls_source {
	struct list link; /* in the store */
	unsigned refs;
	char *path[TLS_FILES]; /* NULL: none; no CA: the system's */
	char *minimum_version; /* NULL: 1.2 */
	struct tls_stamp stamp[TLS_FILES];
	struct tls_creds *creds;
	const struct log_sink *log;
};

/* Zeroed if there is no such file. */
void tls_stamp_take(const char *path, struct tls_stamp *ret);
/* One reference; path and minimum_version are copied. Negative errno, logged. */
int tls_source_new(const char *const path[static TLS_FILES], const char *minimum_version,
	const struct log_sink *log, struct tls_source **ret);
bool tls_source_is(const struct tls_source *s, const char *const path[static TLS_FILES],
	const char *minimum_version);
struct tls_source *tls_source_ref(struct tls_source *s);
void tls_source_unref(struct tls_source *s);
/* Reads all of them again if one has changed; what can't be used is logged, and changes nothing. */
void tls_source_refresh(struct tls_source *s);

/* Whether the authority that issued it has a list here that is out of date; ret_until: since when.
 */
bool tls_creds_crl_ended(
	const struct tls_creds *c, gnutls_x509_crt_t crt, time_t now, time_t *ret_until);
struct tls_creds *tls_creds_ref(struct tls_creds *c);
void tls_creds_unref(struct tls_creds *c);
