/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <gnutls/ocsp.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "daemon/tls-name.h"
#include "daemon/tls-private.h"
#include "daemon/tls-store.h"
#include "protocol/base/mem.h"

/* RFC 5924: good for a SIP domain, on either side. */
#define OID_SIP_DOMAIN "1.3.6.1.5.5.7.3.20"

/* Nothing else than that nobody whom we trust has signed: the case for trust on first use. */
#define ONLY_UNKNOWN \
	(GNUTLS_CERT_INVALID | GNUTLS_CERT_SIGNER_NOT_FOUND | GNUTLS_CERT_SIGNER_NOT_CA)

static char *date_text(time_t when, char ret[static 24])
{
	struct tm tm;

	if (!gmtime_r(&when, &tm) || !strftime(ret, 24, "%Y-%m-%d %H:%M UTC", &tm))
		(void)snprintf(ret, 24, "an unknown time");
	return ret;
}

/* What a stranger wrote, fit for a log: the controls and what is not UTF-8 are gone. */
static char *printable(const gnutls_datum_t *dn)
{
	struct buf b = { 0 };
	const struct slice s = slice_of((const char *)dn->data, dn->size);
	const bool utf8 = slice_is_utf8(s);

	for (size_t i = 0; i < s.n; i++) {
		const unsigned char c = (unsigned char)s.p[i];

		buf_putc(&b, c < ' ' || c == 0x7f || (c > 0x7f && !utf8) ? '?' : s.p[i]);
	}
	return buf_take(&b);
}

static char *dn_text(gnutls_x509_crt_t crt,
	int (*get)(gnutls_x509_crt_t crt, gnutls_datum_t *dn, unsigned flags))
{
	gnutls_datum_t dn = { 0 };
	char *text;

	if (get(crt, &dn, 0) < 0)
		return mem_strdup("");
	text = printable(&dn);
	gnutls_free(dn.data);
	return text;
}

static void hex_of(const void *bytes, size_t n, char ret[static TLS_PIN_DIGITS + 1])
{
	struct buf b = { 0 };
	char *text;

	buf_hex(&b, bytes, n);
	text = buf_take(&b);
	memcpy(ret, text, TLS_PIN_DIGITS + 1);
	free(text);
}

/* How long the stapled answer counts, if there is one; whether it is good is the library's to say.
 */
static void learn_staple(struct tls *t)
{
	gnutls_ocsp_resp_t answer;
	gnutls_datum_t der;
	time_t until = -1;

	if (gnutls_ocsp_status_request_get(t->session, &der) < 0 ||
		gnutls_ocsp_resp_init(&answer) < 0)
		return;
	if (gnutls_ocsp_resp_import(answer, &der) == 0 &&
		gnutls_ocsp_resp_get_single(
			answer, 0, NULL, NULL, NULL, NULL, NULL, NULL, &until, NULL, NULL) == 0 &&
		until > 0 && (uint64_t)until < t->good_until)
		t->good_until = (uint64_t)until;
	gnutls_ocsp_resp_deinit(answer);
}

static void learn(struct tls *t, gnutls_x509_crt_t crt, const gnutls_datum_t *der)
{
	uint8_t hash[32];
	size_t n = sizeof(hash);

	buf_reset(&t->der);
	buf_put(&t->der, slice_of((const char *)der->data, der->size));
	free(t->subject);
	free(t->issuer);
	t->subject = dn_text(crt, gnutls_x509_crt_get_dn3);
	t->issuer = dn_text(crt, gnutls_x509_crt_get_issuer_dn3);
	if (gnutls_fingerprint(GNUTLS_DIG_SHA256, der, hash, &n) == 0)
		hex_of(hash, n, t->fingerprint);
	n = sizeof(hash);
	/* Over the SubjectPublicKeyInfo, where somebody wants to know it. */
	if ((t->identity->pin || t->identity->trust_on_first_use) &&
		gnutls_x509_crt_get_key_id(crt, GNUTLS_KEYID_USE_SHA256, hash, &n) == 0)
		hex_of(hash, n, t->key_pin);
	t->peer.subject = t->subject;
	t->peer.issuer = t->issuer;
	t->peer.fingerprint = t->fingerprint;
	t->peer.not_after = (uint64_t)gnutls_x509_crt_get_expiration_time(crt);
	t->good_until = t->peer.not_after;
	learn_staple(t);
}

static enum tls_verdict check_dates(struct tls *t, gnutls_x509_crt_t crt)
{
	const time_t now = (time_t)t->now;
	const time_t from = gnutls_x509_crt_get_activation_time(crt);
	const time_t until = gnutls_x509_crt_get_expiration_time(crt);
	char *who cleanup_free = NULL;
	char text[24];

	if (now >= from && now <= until)
		return TLS_GOOD;
	who = dn_text(crt, gnutls_x509_crt_get_dn3);
	if (now < from)
		tls_blame(t, TLS_EXPIRED, "the certificate of %s begins at %s only", who,
			date_text(from, text));
	else
		tls_blame(t, TLS_EXPIRED, "the certificate of %s ended at %s", who,
			date_text(until, text));
	return TLS_BAD;
}

static enum tls_verdict check_key(struct tls *t, gnutls_x509_crt_t crt)
{
	unsigned bits = 0;
	const int algorithm = gnutls_x509_crt_get_pk_algorithm(crt, &bits);

	if (algorithm >= 0 && gnutls_pk_bits_to_sec_param((gnutls_pk_algorithm_t)algorithm, bits) >=
				      GNUTLS_SEC_PARAM_MEDIUM)
		return TLS_GOOD;
	tls_blame(t, TLS_TOO_OLD, "the certificate of %s has a key of %u bits (%s)", t->subject,
		bits, gnutls_pk_algorithm_get_name((gnutls_pk_algorithm_t)algorithm));
	return TLS_BAD;
}

/* For TLS of that side (RFC 5280 section 4.2.1.12), else for SIP (RFC 5924 section 4). */
static int verify_chain(const struct tls *t, unsigned *ret_status)
{
	const char *side =
		t->role == TLS_CLIENT ? GNUTLS_KP_TLS_WWW_SERVER : GNUTLS_KP_TLS_WWW_CLIENT;
	gnutls_typed_vdata_st purpose = { .type = GNUTLS_DT_KEY_PURPOSE_OID };
	int r;

	purpose.data = (unsigned char *)(uintptr_t)side;
	r = gnutls_certificate_verify_peers(t->session, &purpose, 1, ret_status);
	if (r < 0 || !(*ret_status & GNUTLS_CERT_PURPOSE_MISMATCH))
		return r;
	purpose.data = (unsigned char *)(uintptr_t)OID_SIP_DOMAIN;
	return gnutls_certificate_verify_peers(t->session, &purpose, 1, ret_status);
}

/* Until one of them is bad; what can't be read is the library's to judge. */
static enum tls_verdict for_each_of_chain(struct tls *t, unsigned first,
	enum tls_verdict (*look)(struct tls *t, gnutls_x509_crt_t crt))
{
	enum tls_verdict v = TLS_GOOD;
	unsigned n = 0;
	const gnutls_datum_t *list = gnutls_certificate_get_peers(t->session, &n);

	for (unsigned i = first; i < n && v == TLS_GOOD; i++) {
		gnutls_x509_crt_t crt;

		if (gnutls_x509_crt_init(&crt) < 0)
			abort(); /* no memory */
		if (gnutls_x509_crt_import(crt, list + i, GNUTLS_X509_FMT_DER) == 0)
			v = look(t, crt);
		gnutls_x509_crt_deinit(crt);
	}
	return v;
}

static void blame_expired(struct tls *t)
{
	if (for_each_of_chain(t, 1, check_dates) == TLS_GOOD)
		tls_blame(t, TLS_EXPIRED, "an authority above %s ended, or has not begun",
			t->subject);
}

static const char *untrusted_why(unsigned status)
{
	if (status & GNUTLS_CERT_PURPOSE_MISMATCH)
		return "may not be used for this (extended key usage)";
	if (status & GNUTLS_CERT_MISSING_OCSP_STATUS)
		return "has to come with a stapled OCSP answer, and there is none";
	if (status & GNUTLS_CERT_INVALID_OCSP_STATUS)
		return "came with a stapled OCSP answer that is not good";
	if (status & (GNUTLS_CERT_REVOCATION_DATA_SUPERSEDED |
			     GNUTLS_CERT_REVOCATION_DATA_ISSUED_IN_FUTURE))
		return "came with a stapled OCSP answer that is not of today";
	if (status & GNUTLS_CERT_SIGNATURE_FAILURE)
		return "bears a signature that is not its issuer's";
	if (status & GNUTLS_CERT_SIGNER_CONSTRAINTS_FAILURE)
		return "is beyond what its issuer may sign";
	if (status & GNUTLS_CERT_SIGNER_NOT_CA)
		return "was issued by one that is no authority";
	return NULL;
}

static enum tls_verdict blame_chain(struct tls *t, unsigned status)
{
	const char *why = untrusted_why(status);

	if (status & GNUTLS_CERT_REVOKED)
		tls_blame(t, TLS_REVOKED,
			"the certificate of %s, or one above it, was revoked (%s)", t->subject,
			gnutls_ocsp_status_request_is_checked(t->session, GNUTLS_OCSP_SR_IS_AVAIL)
				? "stapled OCSP answer"
				: "CRL");
	else if (status & (GNUTLS_CERT_EXPIRED | GNUTLS_CERT_NOT_ACTIVATED))
		blame_expired(t);
	else if (status & GNUTLS_CERT_INSECURE_ALGORITHM)
		tls_blame(t, TLS_TOO_OLD,
			"the certificate of %s is signed with too weak an algorithm", t->subject);
	else if (why)
		tls_blame(t, TLS_UNTRUSTED, "the certificate of %s %s", t->subject, why);
	else if (strcmp(t->subject, t->issuer) == 0)
		tls_blame(t, TLS_UNTRUSTED, "the certificate of %s is self-signed", t->subject);
	else
		tls_blame(t, TLS_UNTRUSTED,
			"the certificate of %s is issued by %s, who is not known", t->subject,
			t->issuer);
	return TLS_BAD;
}

static enum tls_verdict check_chain(struct tls *t, unsigned *ret_status)
{
	unsigned status = 0;
	const int r = verify_chain(t, &status);

	if (r < 0) {
		tls_blame(t, TLS_UNTRUSTED, "the certificate of %s: %s", t->subject,
			gnutls_strerror(r));
		return TLS_BAD;
	}
	/* What was stapled belongs to the handshake that is resumed; tickets end before it does. */
	if (gnutls_session_is_resumed(t->session) && (status & GNUTLS_CERT_MISSING_OCSP_STATUS)) {
		status &= ~(unsigned)GNUTLS_CERT_MISSING_OCSP_STATUS;
		if (status == GNUTLS_CERT_INVALID)
			status = 0;
	}
	*ret_status = status;
	return status ? TLS_BAD : TLS_GOOD;
}

static enum tls_verdict check_list(struct tls *t, gnutls_x509_crt_t crt)
{
	char text[24];
	time_t until;

	if (!tls_creds_crl_ended(t->creds, crt, (time_t)t->now, &until))
		return TLS_GOOD;
	tls_blame(t, TLS_UNTRUSTED,
		"the certificate of %s can't be looked up: the list of revoked certificates ended at %s",
		t->subject, date_text(until, text));
	return TLS_BAD;
}

/* RFC 5280 section 6.3.3: an old list says nothing, and somebody wanted one. */
static enum tls_verdict check_lists(struct tls *t)
{
	return t->creds->n_crls ? for_each_of_chain(t, 0, check_list) : TLS_GOOD;
}

/* Client: RFC 5922 section 7.3. Server: section 7.4. */
static enum tls_verdict check_names(struct tls *t, gnutls_x509_crt_t crt)
{
	struct tls_names names;
	struct buf text = { 0 };
	const char *matched;

	tls_names_read(&names, crt);
	matched = t->role == TLS_SERVER ? tls_names_allowed(&names, t->allowed, t->n_allowed)
		  : t->domain           ? tls_names_match(&names, t->domain)
					: NULL;
	free(t->matched);
	t->matched = mem_strdup(matched);
	t->peer.matched = t->matched;
	if (!matched) {
		tls_names_append(&text, &names);
		if (t->role == TLS_SERVER)
			tls_blame(t, TLS_NOT_ALLOWED,
				"the certificate is for %.*s: none of the allowed domains",
				SLICE_ARGS(buf_slice(&text)));
		else
			tls_blame(t, TLS_WRONG_NAME, "the certificate is for %.*s, not for %s",
				SLICE_ARGS(buf_slice(&text)), t->domain ? t->domain : "\"\"");
	}
	buf_deinit(&text);
	tls_names_deinit(&names);
	return matched ? TLS_GOOD : TLS_BAD;
}

/* Trusted for what it is, not for what it says: the domain is what was wished. */
static enum tls_verdict trust_key(struct tls *t)
{
	free(t->matched);
	t->matched = mem_strdup(t->domain);
	t->peer.matched = t->matched;
	return TLS_GOOD;
}

/* Trust on first use. A server that is known is never asked about again. */
static enum tls_verdict check_known(struct tls *t)
{
	const struct tls_known *known = &t->identity->store->known;
	const char *key = t->domain ? tls_known_find(known, t->domain) : NULL;

	if (key ? strcmp(key, t->key_pin) == 0 : t->trusted)
		return trust_key(t);
	if (key)
		tls_blame(t, TLS_CHANGED,
			"%s had another key (%s) when it was trusted; if it is right that it is %s now, "
			"remove its line from known-servers",
			t->domain, key, t->key_pin);
	else if (known->unreadable || !t->domain)
		tls_blame(t, TLS_UNTRUSTED,
			"the certificate of %s: it is not known whether it is new", t->subject);
	else
		return TLS_ASK;
	return TLS_BAD;
}

/* Beside the signatures. */
static enum tls_verdict check_contents(struct tls *t, gnutls_x509_crt_t crt)
{
	return check_lists(t) == TLS_GOOD ? check_names(t, crt) : TLS_BAD;
}

/*
 * A ticket ends when the files change, so the signatures above a resumed session are those that
 * were found good by the same authorities. Dates and names are looked at again.
 */
static bool is_settled(const struct tls *t)
{
	return gnutls_session_is_resumed(t->session) && !t->identity->trust_on_first_use;
}

static enum tls_verdict check_trust(struct tls *t, gnutls_x509_crt_t crt)
{
	const struct tls_identity *i = t->identity;
	unsigned status = 0;

	if (t->role == TLS_CLIENT && i->pin) {
		if (strcmp(i->pin, t->key_pin) != 0) {
			tls_blame(t, TLS_PIN, "the key of %s is %s, not the pinned one", t->subject,
				t->key_pin);
			return TLS_BAD;
		}
		if (!i->has_ca_file)
			return trust_key(t);
	}
	if (is_settled(t) ? for_each_of_chain(t, 1, check_dates) == TLS_GOOD
			  : check_chain(t, &status) == TLS_GOOD)
		return check_contents(t, crt);
	if (!status)
		return TLS_BAD;
	if (t->role == TLS_CLIENT && i->trust_on_first_use && !(status & ~(unsigned)ONLY_UNKNOWN))
		return check_known(t);
	return blame_chain(t, status);
}

static enum tls_verdict verify_crt(struct tls *t, gnutls_x509_crt_t crt)
{
	if (check_dates(t, crt) == TLS_BAD || check_key(t, crt) == TLS_BAD)
		return TLS_BAD;
	return check_trust(t, crt);
}

enum tls_verdict tls_verify(struct tls *t)
{
	enum tls_verdict v = TLS_BAD;
	unsigned n = 0;
	const gnutls_datum_t *list = gnutls_certificate_get_peers(t->session, &n);
	gnutls_x509_crt_t crt;

	if (!list || !n) {
		tls_blame(t, TLS_NO_CERTIFICATE, "the peer showed none");
		return TLS_BAD;
	}
	if (n > TLS_MAX_CHAIN) {
		tls_blame(t, TLS_UNTRUSTED, "a chain of %u certificates is too long", n);
		return TLS_BAD;
	}
	if (gnutls_x509_crt_init(&crt) < 0)
		abort(); /* no memory */
	if (gnutls_x509_crt_import(crt, list, GNUTLS_X509_FMT_DER) < 0) {
		tls_blame(t, TLS_UNTRUSTED, "the peer's certificate can't be read");
	} else {
		learn(t, crt, list);
		v = verify_crt(t, crt);
	}
	gnutls_x509_crt_deinit(crt);
	return v;
}

gnutls_alert_description_t tls_verify_alert(enum tls_failure f)
{
	switch (f) {
	case TLS_EXPIRED:
		return GNUTLS_A_CERTIFICATE_EXPIRED;
	case TLS_WRONG_NAME:
	case TLS_PIN:
	case TLS_CHANGED:
		return GNUTLS_A_BAD_CERTIFICATE;
	case TLS_UNTRUSTED:
		return GNUTLS_A_UNKNOWN_CA;
	case TLS_REVOKED:
		return GNUTLS_A_CERTIFICATE_REVOKED;
	case TLS_TOO_OLD:
		return GNUTLS_A_INSUFFICIENT_SECURITY;
	case TLS_NO_CERTIFICATE:
		return GNUTLS_A_CERTIFICATE_REQUIRED;
	case TLS_NOT_ALLOWED:
		return GNUTLS_A_ACCESS_DENIED;
	case TLS_REFUSED_BY_PEER:
	case TLS_BROKEN:
	case TLS_NO_FAILURE:
		break;
	}
	return GNUTLS_A_INTERNAL_ERROR;
}
