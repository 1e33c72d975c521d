/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
#include <gnutls/x509.h>
#include <stdbool.h>

/* Certificates of the tests, made by the library that has to judge them. */

#define CERT_HOUR 3600
#define CERT_DAY (24 * 3600)

struct cert {
	gnutls_x509_crt_t crt;
	gnutls_x509_privkey_t key;
};

/* Zeroed: an EC key, valid from an hour ago until tomorrow, no name at all, for any purpose. */
struct cert_wish {
	const char *name;   /* common name; NULL: "nobody" */
	const char *san[6]; /* "dns:example.com", "uri:sip:example.com", "ip:192.0.2.1" */
	long begins, ends;  /* seconds from now */
	bool authority;
	const char *purpose;              /* an OID; NULL: no extended key usage */
	unsigned rsa_bits;                /* 0: P-256 */
	gnutls_digest_algorithm_t digest; /* 0: SHA-256 */
	bool must_staple;
};

/* by NULL: self-signed. */
struct cert cert_make(const struct cert_wish *wish, const struct cert *by);
/* A new self-signed one with the key of an old one. */
struct cert cert_renew(const struct cert_wish *wish, const struct cert *old);
/* Self-signed with what was added to crt meanwhile; negative if it can't even be read then. */
int cert_sign_again(struct cert *c);
void cert_free(struct cert *c);
/* PEM, the first one's key beside it if key_path is not NULL. */
void cert_write(const char *path, const char *key_path, const struct cert *const *chain);
/* A list of by's that revokes the certificates (NULL at the end), valid until then. */
void cert_write_crl(
	const char *path, const struct cert *by, const struct cert *const *revoked, long ends);
/* SHA-256 of the public key, lower-case hexadecimal. */
void cert_pin(const struct cert *c, char ret[static 65]);
