/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
#include <gnutls/x509.h>

#include "protocol/base/buf.h"

/* Whom a certificate stands for (RFC 5922 section 7). */

enum {
	TLS_MAX_NAMES = 256, /* of one certificate; what follows does not count */
	TLS_MAX_NAME = 255,
};

struct tls_name {
	char *text;   /* lower case, without a dot at the end */
	bool address; /* numeric, as inet_ntop() writes it */
};

struct tls_names {
	struct tls_name *all;
	size_t n;
};

/*
 * A domain or numeric address as it is compared: lower case, A-labels (RFC 5280 section 7.2), no
 * dot at the end, no brackets. NULL: it is none. The caller frees it.
 */
char *tls_name_canonical(const char *domain);
/* Section 7.1, and numeric addresses beside. */
void tls_names_read(struct tls_names *n, gnutls_x509_crt_t crt);
void tls_names_deinit(struct tls_names *n);
/* Section 7.2: the name that equals that domain, which may be a numeric address; NULL: none. */
const char *tls_names_match(const struct tls_names *n, const char *domain);
/*
 * Section 7.4, against a list of "host.example.com", ".example.com" (whatever is below) and "*"
 * (whatever is trusted). NULL: for none of them.
 */
const char *tls_names_allowed(const struct tls_names *n, char *const *allowed, size_t n_allowed);
/* "a, b and 3 more", for people. */
void tls_names_append(struct buf *b, const struct tls_names *n);
