/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tests/support/staple.h"

#include <gnutls/abstract.h>
#include <gnutls/crypto.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static void must(int r)
{
	if (r < 0)
		abort();
}

/* One DER element; content is emptied. */
static void put(struct buf *b, unsigned char tag, struct buf *content)
{
	buf_putc(b, (char)tag);
	if (content->n >= 256) {
		buf_putc(b, (char)0x82);
		buf_putc(b, (char)(content->n >> 8));
	} else if (content->n >= 128) {
		buf_putc(b, (char)0x81);
	}
	buf_putc(b, (char)(content->n & 0xff));
	buf_put(b, buf_slice(content));
	buf_deinit(content);
}

static void put_bytes(struct buf *b, unsigned char tag, const void *bytes, size_t n)
{
	struct buf content = BUF_NULL;

	buf_put(&content, slice_of(bytes, n));
	put(b, tag, &content);
}

static void put_time(struct buf *b, time_t when)
{
	char text[32];
	struct tm tm;

	(void)gmtime_r(&when, &tm);
	put_bytes(b, 0x18, text, strftime(text, sizeof(text), "%Y%m%d%H%M%SZ", &tm));
}

/* Of the public key's bits alone (RFC 6960 section 4.1.1): an uncompressed point. */
static void hash_key(const struct cert *by, unsigned char ret[static 20])
{
	unsigned char point[65] = { 4 };
	gnutls_datum_t x, y;
	gnutls_pubkey_t key;

	must(gnutls_pubkey_init(&key));
	must(gnutls_pubkey_import_x509(key, by->crt, 0));
	must(gnutls_pubkey_export_ecc_raw2(key, NULL, &x, &y, GNUTLS_EXPORT_FLAG_NO_LZ));
	memcpy(point + 1 + 32 - x.size, x.data, x.size);
	memcpy(point + 33 + 32 - y.size, y.data, y.size);
	must(gnutls_hash_fast(GNUTLS_DIG_SHA1, point, sizeof(point), ret));
	gnutls_free(x.data);
	gnutls_free(y.data);
	gnutls_pubkey_deinit(key);
}

static void put_id(struct buf *b, const struct cert *c, const struct cert *by)
{
	static const char sha1[] = "\x30\x09\x06\x05\x2b\x0e\x03\x02\x1a\x05";
	unsigned char hash[20], serial[20];
	size_t n = sizeof(serial);
	struct buf id = BUF_NULL;
	gnutls_datum_t name;

	buf_put(&id, slice_of(sha1, sizeof(sha1))); /* with the NUL: its length */
	must(gnutls_x509_crt_get_raw_dn(by->crt, &name));
	must(gnutls_hash_fast(GNUTLS_DIG_SHA1, name.data, name.size, hash));
	gnutls_free(name.data);
	put_bytes(&id, 0x04, hash, sizeof(hash));
	hash_key(by, hash);
	put_bytes(&id, 0x04, hash, sizeof(hash));
	must(gnutls_x509_crt_get_serial(c->crt, serial, &n));
	put_bytes(&id, 0x02, serial, n);
	put(b, 0x30, &id);
}

static void put_answer(struct buf *b, const struct cert *c, const struct cert *by,
	enum staple_says says, long ends)
{
	const time_t now = time(NULL);
	struct buf single = BUF_NULL, when = BUF_NULL, all = BUF_NULL;

	put_id(&single, c, by);
	if (says == STAPLE_REVOKED)
		put_time(&when, now - CERT_HOUR);
	put(&single, says == STAPLE_REVOKED ? 0xa1 : 0x80, &when);
	put_time(&single, now - CERT_DAY);
	put_time(&when, now + ends);
	put(&single, 0xa0, &when);
	put(&all, 0x30, &single);
	put(b, 0x30, &all);
}

static void put_signed(struct buf *b, struct buf *tbs, const struct cert *by)
{
	static const char ecdsa[] = "\x30\x0a\x06\x08\x2a\x86\x48\xce\x3d\x04\x03\x02";
	const gnutls_datum_t data = { (unsigned char *)tbs->p, (unsigned)tbs->n };
	struct buf basic = BUF_NULL, bits = BUF_NULL;
	gnutls_datum_t signature;
	gnutls_privkey_t key;

	must(gnutls_privkey_init(&key));
	must(gnutls_privkey_import_x509(key, by->key, 0));
	must(gnutls_privkey_sign_data(key, GNUTLS_DIG_SHA256, 0, &data, &signature));
	gnutls_privkey_deinit(key);
	buf_put(&basic, buf_slice(tbs));
	buf_put(&basic, slice_of(ecdsa, sizeof(ecdsa) - 1));
	buf_putc(&bits, '\0'); /* no unused ones */
	buf_put(&bits, slice_of((const char *)signature.data, signature.size));
	gnutls_free(signature.data);
	put(&basic, 0x03, &bits);
	put(b, 0x30, &basic);
}

void staple_append(struct buf *b, const struct cert *c, const struct cert *by,
	enum staple_says says, long ends)
{
	static const char basic_oid[] = "\x06\x09\x2b\x06\x01\x05\x05\x07\x30\x01\x01";
	struct buf tbs = BUF_NULL, data = BUF_NULL, basic = BUF_NULL, all = BUF_NULL;
	gnutls_datum_t name;

	must(gnutls_x509_crt_get_raw_dn(by->crt, &name));
	put_bytes(&data, 0xa1, name.data, name.size);
	gnutls_free(name.data);
	put_time(&data, time(NULL) - CERT_DAY);
	put_answer(&data, c, by, says, ends);
	put(&tbs, 0x30, &data);
	put_signed(&basic, &tbs, by);
	buf_deinit(&tbs);
	buf_put(&data, slice_of(basic_oid, sizeof(basic_oid) - 1));
	put(&data, 0x04, &basic);
	put(&basic, 0x30, &data);
	buf_lit(&all, "\x0a\x01");
	buf_putc(&all, '\0'); /* successful */
	put(&all, 0xa0, &basic);
	put(b, 0x30, &all);
}
