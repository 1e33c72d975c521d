/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "daemon/tls-creds.h"

#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "conf/file.h"
#include "protocol/base/err.h"
#include "protocol/base/log.h"
#include "protocol/base/mem.h"

/*
 * X25519 stands first: a client makes a key share of the first group only, and other orders cost
 * it one more. No key exchange without forward secrecy. PROFILE_MEDIUM: keys and signatures of at
 * least 112 bits, RSA from 2048.
 */
#define PRIORITY_GROUPS                                                            \
	"-GROUP-ALL:+GROUP-X25519:+GROUP-SECP256R1:+GROUP-SECP384R1:"              \
	"+GROUP-SECP521R1:+GROUP-X448:+GROUP-FFDHE2048:+GROUP-FFDHE3072:-RSA:-PSK" \
	":%PROFILE_MEDIUM"
#define PRIORITY_12 "NORMAL:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2:" PRIORITY_GROUPS
#define PRIORITY_13 "NORMAL:-VERS-ALL:+VERS-TLS1.3:" PRIORITY_GROUPS

/* Where Debian and others keep the system's trust; watched, while the library knows it itself. */
#define SYSTEM_TRUST "/etc/ssl/certs/ca-certificates.crt"

struct reading {
	struct file file[TLS_FILES];
	const struct log_sink *log;
};

struct tls_creds *tls_creds_ref(struct tls_creds *c)
{
	c->refs++;
	return c;
}

void tls_creds_unref(struct tls_creds *c)
{
	if (!c || --c->refs)
		return;
	gnutls_certificate_free_credentials(c->cert);
	for (unsigned i = 0; i < c->n_crls; i++)
		gnutls_x509_crl_deinit(c->crls[i]);
	gnutls_free(c->crls);
	gnutls_priority_deinit(c->priority);
	free(c);
}

static gnutls_datum_t datum(const struct file *f)
{
	return (gnutls_datum_t){ .data = (unsigned char *)f->bytes, .size = (unsigned)f->n };
}

static gnutls_x509_crt_fmt_t format_of(const struct file *f)
{
	return f->n && memmem(f->bytes, f->n, "-----BEGIN", 10) ? GNUTLS_X509_FMT_PEM
								: GNUTLS_X509_FMT_DER;
}

static int complain(const struct tls_source *s, enum tls_file f, int r, const char *why)
{
	log_line(s->log, LOG_LEVEL_ERROR, "%s: %s", s->path[f], why);
	return r;
}

static int use_trust(
	const struct tls_source *s, struct file *file, gnutls_certificate_credentials_t c)
{
	gnutls_datum_t d = datum(file + TLS_CA_FILE);
	int r;

	/* A system without any trusts nobody. */
	if (!s->path[TLS_CA_FILE]) {
		(void)gnutls_certificate_set_x509_system_trust(c);
		return 0;
	}
	r = gnutls_certificate_set_x509_trust_mem(c, &d, format_of(file + TLS_CA_FILE));
	if (r < 0)
		return complain(
			s, TLS_CA_FILE, -EBADMSG, "has nothing that reads as a certificate");
	return r ? 0 : complain(s, TLS_CA_FILE, -EBADMSG, "has no certificate");
}

/* Kept beside, for their dates: the library looks at the numbers in them only. */
static int use_crl(const struct tls_source *s, struct file *file, struct tls_creds *c)
{
	gnutls_datum_t d = datum(file + TLS_CRL_FILE);
	const gnutls_x509_crt_fmt_t format = format_of(file + TLS_CRL_FILE);
	int r;

	if (!s->path[TLS_CRL_FILE])
		return 0;
	r = gnutls_x509_crl_list_import2(&c->crls, &c->n_crls, &d, format, 0);
	if (r >= 0)
		r = gnutls_certificate_set_x509_crl_mem(c->cert, &d, format);
	if (r < 0)
		return complain(s, TLS_CRL_FILE, -EBADMSG, gnutls_strerror(r));
	return r ? 0 : complain(s, TLS_CRL_FILE, -EBADMSG, "has no list of a CA that is trusted");
}

static bool is_of(gnutls_x509_crl_t crl, gnutls_x509_crt_t crt)
{
	gnutls_datum_t a = { 0 }, b = { 0 };
	bool equal = false;

	if (gnutls_x509_crl_get_raw_issuer_dn(crl, &a) >= 0 &&
		gnutls_x509_crt_get_raw_issuer_dn(crt, &b) >= 0)
		equal = a.size == b.size && memcmp(a.data, b.data, a.size) == 0;
	gnutls_free(a.data);
	gnutls_free(b.data);
	return equal;
}

bool tls_creds_crl_ended(
	const struct tls_creds *c, gnutls_x509_crt_t crt, time_t now, time_t *ret_until)
{
	for (unsigned i = 0; i < c->n_crls; i++) {
		const time_t until = gnutls_x509_crl_get_next_update(c->crls[i]);

		if (until != (time_t)-1 && until < now && is_of(c->crls[i], crt)) {
			*ret_until = until;
			return true;
		}
	}
	return false;
}

/* Ours; told, but used: who sees it decides. */
static void tell_dates(const struct tls_source *s, gnutls_certificate_credentials_t c)
{
	gnutls_x509_crt_t *chain;
	const time_t now = time(NULL);
	const char *wrong = NULL;
	unsigned n;

	if (gnutls_certificate_get_x509_crt(c, 0, &chain, &n) < 0)
		return;
	if (n && gnutls_x509_crt_get_expiration_time(chain[0]) < now)
		wrong = "has expired; whoever is shown it may refuse it";
	else if (n && gnutls_x509_crt_get_activation_time(chain[0]) > now)
		wrong = "is not valid yet; whoever is shown it may refuse it";
	if (wrong)
		log_line(s->log, LOG_LEVEL_WARNING, "%s: %s", s->path[TLS_CERTIFICATE_FILE], wrong);
	for (unsigned i = 0; i < n; i++)
		gnutls_x509_crt_deinit(chain[i]);
	gnutls_free(chain);
}

static int use_key(
	const struct tls_source *s, struct file *file, gnutls_certificate_credentials_t c)
{
	const gnutls_datum_t cert = datum(file + TLS_CERTIFICATE_FILE);
	const gnutls_datum_t key = datum(file + TLS_KEY_FILE);
	int r;

	if (!s->path[TLS_CERTIFICATE_FILE])
		return 0;
	if (!s->path[TLS_KEY_FILE])
		return complain(s, TLS_CERTIFICATE_FILE, -EINVAL, "has no key beside it");
	if (file[TLS_KEY_FILE].mode & S_IRWXO)
		return complain(s, TLS_KEY_FILE, -EPERM, "may be read by others; chmod o= helps");
	r = gnutls_certificate_set_x509_key_mem2(c, &cert, &key, GNUTLS_X509_FMT_PEM, NULL, 0);
	if (r == GNUTLS_E_CERTIFICATE_KEY_MISMATCH)
		return complain(s, TLS_KEY_FILE, -EBADMSG, "is not the certificate's key");
	if (r < 0) {
		log_line(s->log, LOG_LEVEL_ERROR, "%s: cannot be used with the key in %s: %s",
			s->path[TLS_CERTIFICATE_FILE], s->path[TLS_KEY_FILE], gnutls_strerror(r));
		return -EBADMSG;
	}
	tell_dates(s, c);
	return 0;
}

static int make_creds(const struct tls_source *s, struct file *file, struct tls_creds **ret)
{
	const bool only_13 = s->minimum_version && strcmp(s->minimum_version, "1.3") == 0;
	struct tls_creds *c = mem_new(struct tls_creds);
	int r;

	c->refs = 1;
	c->reading = 1;
	if (gnutls_certificate_allocate_credentials(&c->cert) < 0 ||
		gnutls_priority_init(&c->priority, only_13 ? PRIORITY_13 : PRIORITY_12, NULL) < 0)
		abort(); /* no memory, or a library that does not know these words */
	r = use_trust(s, file, c->cert);
	if (r == 0)
		r = use_crl(s, file, c);
	if (r == 0)
		r = use_key(s, file, c->cert);
	if (r < 0)
		tls_creds_unref(c);
	else
		*ret = c;
	return r;
}

void tls_stamp_take(const char *path, struct tls_stamp *ret)
{
	struct stat st = { 0 };

	*ret = (struct tls_stamp){ 0 };
	if (stat(path, &st) < 0)
		return;
	ret->device = st.st_dev;
	ret->inode = st.st_ino;
	ret->size = (unsigned long long)st.st_size;
	ret->seconds = st.st_mtim.tv_sec;
	ret->nanoseconds = st.st_mtim.tv_nsec;
}

static void take_stamps(const struct tls_source *s, struct tls_stamp *ret)
{
	for (int i = 0; i < TLS_FILES; i++) {
		const char *path = !s->path[i] && i == TLS_CA_FILE ? SYSTEM_TRUST : s->path[i];

		ret[i] = (struct tls_stamp){ 0 };
		if (path)
			tls_stamp_take(path, &ret[i]);
	}
}

static int read_files(const struct tls_source *s, struct file *file)
{
	for (int i = 0; i < TLS_FILES; i++) {
		int r = s->path[i] ? file_read(s->path[i], TLS_MAX_FILE, file + i) : 0;

		if (r < 0)
			return complain(s, (enum tls_file)i, r, file_strerror(r));
	}
	return 0;
}

static int read_creds(const struct tls_source *s, struct tls_creds **ret)
{
	struct file file[TLS_FILES] = { 0 };
	int r = read_files(s, file);

	if (r == 0)
		r = make_creds(s, file, ret);
	for (int i = 0; i < TLS_FILES; i++)
		file_deinit(file + i);
	return r;
}

int tls_source_new(const char *const path[static TLS_FILES], const char *minimum_version,
	const struct log_sink *log, struct tls_source **ret)
{
	struct tls_source *s = mem_new(struct tls_source);
	int r;

	s->refs = 1;
	s->log = log;
	for (int i = 0; i < TLS_FILES; i++)
		s->path[i] = mem_strdup(path[i]);
	s->minimum_version = mem_strdup(minimum_version);
	/* Before they are read: what changes meanwhile is seen at the next look. */
	take_stamps(s, s->stamp);
	r = read_creds(s, &s->creds);
	if (r < 0)
		tls_source_unref(s);
	else
		*ret = s;
	return r;
}

static bool same(const char *a, const char *b)
{
	return a && b ? strcmp(a, b) == 0 : a == b;
}

bool tls_source_is(const struct tls_source *s, const char *const path[static TLS_FILES],
	const char *minimum_version)
{
	for (int i = 0; i < TLS_FILES; i++)
		if (!same(s->path[i], path[i]))
			return false;
	return same(s->minimum_version, minimum_version);
}

struct tls_source *tls_source_ref(struct tls_source *s)
{
	s->refs++;
	return s;
}

void tls_source_unref(struct tls_source *s)
{
	if (!s || --s->refs)
		return;
	list_remove(&s->link);
	for (int i = 0; i < TLS_FILES; i++)
		free(s->path[i]);
	free(s->minimum_version);
	tls_creds_unref(s->creds);
	free(s);
}

void tls_source_refresh(struct tls_source *s)
{
	struct tls_stamp now[TLS_FILES];
	struct tls_creds *c;

	take_stamps(s, now);
	if (memcmp(now, s->stamp, sizeof(now)) == 0)
		return;
	/* A file that can't be used is told once: until it changes again. */
	memcpy(s->stamp, now, sizeof(now));
	if (read_creds(s, &c) < 0)
		return;
	c->reading = s->creds->reading + 1;
	tls_creds_unref(s->creds);
	s->creds = c;
}
