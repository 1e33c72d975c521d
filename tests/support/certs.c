/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tests/support/certs.h"

#include <arpa/inet.h>
#include <assert.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "protocol/base/buf.h"

static void must(int r)
{
	if (r < 0)
		abort();
}

static void put_file(const char *path, struct slice bytes)
{
	const int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	must(fd);
	if (write(fd, bytes.p, bytes.n) != (ssize_t)bytes.n)
		abort();
	(void)close(fd);
}

static void add_name(gnutls_x509_crt_t crt, const char *san)
{
	unsigned char bytes[16];
	int family = strchr(san + 3, '.') ? AF_INET : AF_INET6;

	if (strncmp(san, "dns:", 4) == 0) {
		must(gnutls_x509_crt_set_subject_alt_name(crt, GNUTLS_SAN_DNSNAME, san + 4,
			(unsigned)strlen(san + 4), GNUTLS_FSAN_APPEND));
	} else if (strncmp(san, "uri:", 4) == 0) {
		must(gnutls_x509_crt_set_subject_alt_name(crt, GNUTLS_SAN_URI, san + 4,
			(unsigned)strlen(san + 4), GNUTLS_FSAN_APPEND));
	} else {
		if (inet_pton(family, san + 3, bytes) != 1)
			abort();
		must(gnutls_x509_crt_set_subject_alt_name(crt, GNUTLS_SAN_IPADDRESS, bytes,
			family == AF_INET ? 4 : 16, GNUTLS_FSAN_APPEND));
	}
}

static void set_names(gnutls_x509_crt_t crt, const struct cert_wish *wish)
{
	const char *name = wish->name ? wish->name : "nobody";

	must(gnutls_x509_crt_set_dn_by_oid(
		crt, GNUTLS_OID_X520_COMMON_NAME, 0, name, (unsigned)strlen(name)));
	for (size_t i = 0; i < sizeof(wish->san) / sizeof(*wish->san) && wish->san[i]; i++)
		add_name(crt, wish->san[i]);
}

static void set_use(gnutls_x509_crt_t crt, const struct cert_wish *wish)
{
	must(gnutls_x509_crt_set_basic_constraints(crt, wish->authority, -1));
	must(gnutls_x509_crt_set_key_usage(
		crt, wish->authority ? GNUTLS_KEY_KEY_CERT_SIGN | GNUTLS_KEY_CRL_SIGN
				     : GNUTLS_KEY_DIGITAL_SIGNATURE));
	if (wish->purpose)
		must(gnutls_x509_crt_set_key_purpose_oid(crt, wish->purpose, 0));
	/* RFC 7633: a TLS feature extension with status_request. */
	if (wish->must_staple)
		must(gnutls_x509_crt_set_extension_by_oid(
			crt, "1.3.6.1.5.5.7.1.24", "\x30\x03\x02\x01\x05", 5, 0));
}

static void set_serial(gnutls_x509_crt_t crt)
{
	static uint32_t serial = 1000;
	unsigned char number[4];

	serial++;
	for (int i = 0; i < 4; i++)
		number[i] = (unsigned char)(serial >> (24 - 8 * i));
	must(gnutls_x509_crt_set_serial(crt, number, sizeof(number)));
}

static void set_dates(gnutls_x509_crt_t crt, const struct cert_wish *wish)
{
	const time_t now = time(NULL);

	must(gnutls_x509_crt_set_activation_time(
		crt, now + (wish->begins ? wish->begins : -CERT_HOUR)));
	must(gnutls_x509_crt_set_expiration_time(crt, now + (wish->ends ? wish->ends : CERT_DAY)));
}

static gnutls_x509_privkey_t make_key(unsigned rsa_bits)
{
	gnutls_x509_privkey_t key;

	must(gnutls_x509_privkey_init(&key));
	must(gnutls_x509_privkey_generate(key, rsa_bits ? GNUTLS_PK_RSA : GNUTLS_PK_ECDSA,
		rsa_bits ? rsa_bits : GNUTLS_CURVE_TO_BITS(GNUTLS_ECC_CURVE_SECP256R1), 0));
	return key;
}

/* As it comes over the wire: what was built can't be asked for everything. */
static int read_again(struct cert *c)
{
	gnutls_datum_t der;
	int r;

	must(gnutls_x509_crt_export2(c->crt, GNUTLS_X509_FMT_DER, &der));
	gnutls_x509_crt_deinit(c->crt);
	must(gnutls_x509_crt_init(&c->crt));
	r = gnutls_x509_crt_import(c->crt, &der, GNUTLS_X509_FMT_DER);
	gnutls_free(der.data);
	return r;
}

static struct cert sign(
	const struct cert_wish *wish, gnutls_x509_privkey_t key, const struct cert *by)
{
	struct cert c = { .key = key };
	unsigned char id[20];
	size_t n_id = sizeof(id);

	must(gnutls_x509_crt_init(&c.crt));
	must(gnutls_x509_crt_set_version(c.crt, 3));
	must(gnutls_x509_crt_set_key(c.crt, c.key));
	set_serial(c.crt);
	set_dates(c.crt, wish);
	set_names(c.crt, wish);
	set_use(c.crt, wish);
	must(gnutls_x509_crt_get_key_id(c.crt, 0, id, &n_id));
	must(gnutls_x509_crt_set_subject_key_id(c.crt, id, n_id));
	must(gnutls_x509_crt_sign2(c.crt, by ? by->crt : c.crt, by ? by->key : c.key,
		wish->digest ? wish->digest : GNUTLS_DIG_SHA256, 0));
	must(read_again(&c));
	return c;
}

struct cert cert_make(const struct cert_wish *wish, const struct cert *by)
{
	return sign(wish, make_key(wish->rsa_bits), by);
}

struct cert cert_renew(const struct cert_wish *wish, const struct cert *old)
{
	gnutls_x509_privkey_t key;

	must(gnutls_x509_privkey_init(&key));
	must(gnutls_x509_privkey_cpy(key, old->key));
	return sign(wish, key, NULL);
}

int cert_sign_again(struct cert *c)
{
	must(gnutls_x509_crt_sign2(c->crt, c->crt, c->key, GNUTLS_DIG_SHA256, 0));
	return read_again(c);
}

void cert_free(struct cert *c)
{
	gnutls_x509_crt_deinit(c->crt);
	gnutls_x509_privkey_deinit(c->key);
	*c = (struct cert){ 0 };
}

void cert_write(const char *path, const char *key_path, const struct cert *const *chain)
{
	struct buf b = { 0 };
	gnutls_datum_t d;

	for (size_t i = 0; chain[i]; i++) {
		must(gnutls_x509_crt_export2(chain[i]->crt, GNUTLS_X509_FMT_PEM, &d));
		buf_put(&b, slice_of((const char *)d.data, d.size));
		gnutls_free(d.data);
	}
	put_file(path, buf_slice(&b));
	buf_deinit(&b);
	if (!key_path)
		return;
	must(gnutls_x509_privkey_export2(chain[0]->key, GNUTLS_X509_FMT_PEM, &d));
	put_file(key_path, slice_of((const char *)d.data, d.size));
	gnutls_free(d.data);
}

void cert_write_crl(
	const char *path, const struct cert *by, const struct cert *const *revoked, long ends)
{
	const time_t now = time(NULL);
	gnutls_x509_crl_t crl;
	gnutls_datum_t d;

	must(gnutls_x509_crl_init(&crl));
	must(gnutls_x509_crl_set_version(crl, 2));
	must(gnutls_x509_crl_set_this_update(crl, now - CERT_DAY));
	must(gnutls_x509_crl_set_next_update(crl, now + ends));
	must(gnutls_x509_crl_set_number(crl, "\x01", 1));
	for (size_t i = 0; revoked[i]; i++)
		must(gnutls_x509_crl_set_crt(crl, revoked[i]->crt, now - CERT_HOUR));
	must(gnutls_x509_crl_sign2(crl, by->crt, by->key, GNUTLS_DIG_SHA256, 0));
	must(gnutls_x509_crl_export2(crl, GNUTLS_X509_FMT_PEM, &d));
	put_file(path, slice_of((const char *)d.data, d.size));
	gnutls_free(d.data);
	gnutls_x509_crl_deinit(crl);
}

void cert_pin(const struct cert *c, char ret[static 65])
{
	unsigned char hash[32];
	size_t n = sizeof(hash);
	struct buf b = { 0 };

	must(gnutls_x509_crt_get_key_id(c->crt, GNUTLS_KEYID_USE_SHA256, hash, &n));
	buf_hex(&b, hash, n);
	memcpy(ret, b.p, 64);
	ret[64] = '\0';
	buf_deinit(&b);
}
