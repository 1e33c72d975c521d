/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Whose certificate is let through, and the reason that is given for every other. */
#include <gnutls/ocsp.h>
#include <stdio.h>
#include <string.h>

#include "daemon/tls-private.h"
#include "protocol/base/mem.h"
#include "tests/support/duo.h"
#include "tests/support/run.h"
#include "tests/support/staple.h"

static struct duo d;

static const struct cert_wish good = { .name = "good", .san = { "uri:sip:example.com" } };

/* The server shows that certificate of the authority; both ends say why not. */
static void expect_refused(const struct cert_wish *wish, enum tls_failure f, const char *part)
{
	duo_init(&d);
	duo_certify(&d, TLS_SERVER, wish);
	duo_shake(&d);
	duo_expect_failure(d.client, f, part);
	duo_expect_failure(d.server, TLS_REFUSED_BY_PEER, "its alert says");
	duo_deinit(&d);
}

static void expect_good(const struct cert_wish *wish)
{
	duo_init(&d);
	duo_certify(&d, TLS_SERVER, wish);
	duo_shake(&d);
	duo_expect_up(&d);
	duo_deinit(&d);
}

START_TEST(dates)
{
	struct cert_wish w = good;

	w.begins = -9 * CERT_DAY;
	w.ends = -CERT_HOUR;
	expect_refused(&w, TLS_EXPIRED, "the certificate of CN=good ended at 20");
	w.begins = CERT_HOUR;
	w.ends = CERT_DAY;
	expect_refused(&w, TLS_EXPIRED, "the certificate of CN=good begins at 20");
}
END_TEST

START_TEST(keys)
{
	struct cert_wish w = good;

	w.rsa_bits = 2048;
	expect_good(&w);
	w.rsa_bits = 1024;
	expect_refused(&w, TLS_TOO_OLD, "CN=good has a key of 1024 bits (RSA)");
	w.rsa_bits = 0;
	w.digest = GNUTLS_DIG_SHA1;
	expect_refused(&w, TLS_TOO_OLD, "CN=good is signed with too weak an algorithm");
}
END_TEST

START_TEST(self_signed)
{
	struct cert own;

	duo_init(&d);
	own = cert_make(&good, NULL);
	duo_show(&d, TLS_SERVER, (const struct cert *[]){ &own, NULL });
	duo_shake(&d);
	duo_expect_failure(d.client, TLS_UNTRUSTED, "CN=good is self-signed");
	/* unless it is what CaFile says */
	cert_write(d.client_conf.ca_file, NULL, (const struct cert *[]){ &own, NULL });
	duo_forget(&d);
	duo_shake(&d);
	duo_expect_up(&d);
	cert_free(&own);
	duo_deinit(&d);
}
END_TEST

START_TEST(unknown_authority)
{
	const struct cert_wish authority = { .name = "Stranger", .authority = true };
	struct cert stranger = cert_make(&authority, NULL), c = cert_make(&good, &stranger);

	duo_init(&d);
	duo_show(&d, TLS_SERVER, (const struct cert *[]){ &c, &stranger, NULL });
	duo_shake(&d);
	duo_expect_failure(
		d.client, TLS_UNTRUSTED, "CN=good is issued by CN=Stranger, who is not known");
	duo_deinit(&d);
	cert_free(&c);
	cert_free(&stranger);
}
END_TEST

static void with_intermediate(
	const struct cert_wish *middle_wish, enum tls_failure f, const char *part)
{
	struct cert middle, c;

	duo_init(&d);
	middle = cert_make(middle_wish, &d.ca);
	c = cert_make(&good, &middle);
	duo_show(&d, TLS_SERVER, (const struct cert *[]){ &c, &middle, NULL });
	duo_shake(&d);
	if (f == TLS_NO_FAILURE)
		duo_expect_up(&d);
	else
		duo_expect_failure(d.client, f, part);
	/* and never without it */
	duo_show(&d, TLS_SERVER, (const struct cert *[]){ &c, NULL });
	duo_forget(&d);
	duo_shake(&d);
	duo_expect_failure(d.client, TLS_UNTRUSTED, "CN=good is issued by CN=Middle");
	cert_free(&c);
	cert_free(&middle);
	duo_deinit(&d);
}

START_TEST(intermediate)
{
	struct cert_wish w = { .name = "Middle", .authority = true };

	with_intermediate(&w, TLS_NO_FAILURE, NULL);
	w.authority = false;
	with_intermediate(&w, TLS_UNTRUSTED, "CN=good");
	w.authority = true;
	w.begins = -9 * CERT_DAY;
	w.ends = -CERT_HOUR;
	with_intermediate(&w, TLS_EXPIRED, "the certificate of CN=Middle ended at");
}
END_TEST

START_TEST(too_long_a_chain)
{
	const struct cert *chain[TLS_MAX_CHAIN + 2] = { NULL };
	struct cert all[TLS_MAX_CHAIN + 1];
	char name[16];
	struct cert_wish w = { .name = name, .authority = true };

	duo_init(&d);
	for (int i = TLS_MAX_CHAIN; i >= 0; i--) {
		(void)snprintf(name, sizeof(name), "number %d", i);
		all[i] = cert_make(i ? &w : &good, i == TLS_MAX_CHAIN ? &d.ca : &all[i + 1]);
		chain[i] = &all[i];
	}
	duo_show(&d, TLS_SERVER, chain);
	duo_shake(&d);
	duo_expect_failure(d.client, TLS_UNTRUSTED, "a chain of 11 certificates is too long");
	for (int i = 0; i <= TLS_MAX_CHAIN; i++)
		cert_free(&all[i]);
	duo_deinit(&d);
}
END_TEST

/* RFC 5280 section 4.2.1.12, RFC 5922 section 7.1 and RFC 5924. */
START_TEST(purposes)
{
	struct cert_wish w = good;

	w.purpose = GNUTLS_KP_TLS_WWW_SERVER;
	expect_good(&w);
	w.purpose = "1.3.6.1.5.5.7.3.20";
	expect_good(&w);
	w.purpose = GNUTLS_KP_ANY;
	expect_good(&w);
	w.purpose = GNUTLS_KP_TLS_WWW_CLIENT;
	expect_refused(&w, TLS_UNTRUSTED, "may not be used for this");
	w.purpose = GNUTLS_KP_CODE_SIGNING;
	expect_refused(&w, TLS_UNTRUSTED, "may not be used for this");
}
END_TEST

/* RFC 5922 section 7.3. The rest of the names is in test-tls-name.c. */
START_TEST(names)
{
	expect_refused(&(struct cert_wish){ .san = { "dns:*.com", "dns:example.org" } },
		TLS_WRONG_NAME, "the certificate is for *.com, example.org, not for example.com");
	expect_refused(&(struct cert_wish){ .name = "Example Company" }, TLS_WRONG_NAME,
		"the certificate is for no SIP domain, not for example.com");
	duo_init(&d);
	duo_certify(&d, TLS_SERVER, &(struct cert_wish){ .san = { "ip:2001:db8::1" } });
	d.client_wish.domain = "2001:db8:0::1";
	duo_shake(&d);
	duo_expect_up(&d);
	ck_assert_str_eq(tls_peer(d.client)->matched, "2001:db8::1");
	duo_deinit(&d);
}
END_TEST

START_TEST(server_name)
{
	duo_init(&d);
	d.client_conf.server_name = mem_strdup("pbx.example.org");
	duo_certify(&d, TLS_SERVER, &good);
	duo_shake(&d);
	duo_expect_failure(d.client, TLS_WRONG_NAME, "example.com, not for pbx.example.org");
	duo_forget(&d);
	duo_certify(&d, TLS_SERVER, &(struct cert_wish){ .san = { "dns:pbx.example.org" } });
	duo_shake(&d);
	duo_expect_up(&d);
	duo_deinit(&d);
}
END_TEST

/* Nothing to compare with is nobody's name. */
START_TEST(no_domain)
{
	duo_init(&d);
	duo_certify(&d, TLS_SERVER, &good);
	d.client_wish.domain = NULL;
	duo_shake(&d);
	duo_expect_failure(d.client, TLS_WRONG_NAME, "example.com");
	duo_deinit(&d);
}
END_TEST

static void pin_server(const struct cert *pinned, const struct cert *shown)
{
	char pin[65];

	cert_pin(pinned, pin);
	pin[0] = (char)(pin[0] >= 'a' ? pin[0] & ~0x20 : pin[0]);
	free(d.client_conf.pin);
	d.client_conf.pin = mem_strdup(pin);
	duo_show(&d, TLS_SERVER, (const struct cert *[]){ shown, NULL });
	duo_forget(&d);
	duo_shake(&d);
}

START_TEST(pin)
{
	struct cert one, two, expired, wrong;

	duo_init(&d);
	one = cert_make(&(struct cert_wish){ .name = "pbx" }, NULL);
	two = cert_make(&(struct cert_wish){ .name = "pbx" }, NULL);
	wrong = cert_make(&(struct cert_wish){ .san = { "dns:example.org" } }, &d.ca);
	expired = cert_renew(
		&(struct cert_wish){ .name = "pbx", .begins = -CERT_DAY, .ends = -CERT_HOUR },
		&one);
	/* the key alone */
	free(mem_take(&d.client_conf.ca_file));
	pin_server(&one, &one);
	duo_expect_up(&d);
	ck_assert_str_eq(tls_peer(d.client)->matched, "example.com");
	pin_server(&two, &one);
	duo_expect_failure(d.client, TLS_PIN, "CN=pbx");
	pin_server(&expired, &expired);
	duo_expect_failure(d.client, TLS_EXPIRED, "CN=pbx ended");
	/* with a CaFile everything else, too */
	duo_set_path(&d, &d.client_conf.ca_file, "ca.pem");
	pin_server(&one, &one);
	duo_expect_failure(d.client, TLS_UNTRUSTED, "self-signed");
	pin_server(&wrong, &wrong);
	duo_expect_failure(d.client, TLS_WRONG_NAME, "example.org");
	cert_free(&one);
	cert_free(&two);
	cert_free(&expired);
	cert_free(&wrong);
	duo_deinit(&d);
}
END_TEST

static void revoke(const struct cert *revoked, long ends)
{
	duo_set_path(&d, &d.client_conf.crl_file, "crl.pem");
	cert_write_crl(
		d.client_conf.crl_file, &d.ca, (const struct cert *[]){ revoked, NULL }, ends);
}

START_TEST(crl)
{
	struct cert c, other;

	duo_init(&d);
	c = cert_make(&good, &d.ca);
	other = cert_make(&good, &d.ca);
	duo_show(&d, TLS_SERVER, (const struct cert *[]){ &c, NULL });
	revoke(&other, CERT_DAY);
	duo_shake(&d);
	duo_expect_up(&d);
	/* read again when it changed, and without a restart */
	revoke(&c, CERT_DAY);
	duo_hang_up(&d);
	tls_identity_refresh(d.client_identity);
	duo_shake(&d);
	duo_expect_failure(d.client, TLS_REVOKED, "CN=good, or one above it, was revoked (CRL)");
	revoke(&other, -CERT_HOUR);
	tls_identity_refresh(d.client_identity);
	duo_shake(&d);
	duo_expect_failure(d.client, TLS_UNTRUSTED, "list of revoked certificates");
	cert_free(&c);
	cert_free(&other);
	duo_deinit(&d);
}
END_TEST

static int show_answer(gnutls_session_t session, void *ctx, gnutls_datum_t *ret)
{
	const struct buf *answer = ctx;

	(void)session;
	ret->data = gnutls_malloc(answer->n);
	ret->size = (unsigned)answer->n;
	memcpy(ret->data, answer->p, answer->n);
	return 0;
}

static struct buf answer;

/* The server shows an answer about its certificate, which is of that wish. */
static void staple(const struct cert_wish *wish, enum staple_says says, long ends)
{
	struct cert c;

	duo_init(&d);
	c = cert_make(wish, &d.ca);
	duo_show(&d, TLS_SERVER, (const struct cert *[]){ &c, NULL });
	duo_start(&d);
	buf_reset(&answer);
	staple_append(&answer, &c, &d.ca, says, ends);
	ck_assert_int_eq(gnutls_certificate_set_ocsp_status_request_function2(
				 d.server->creds->cert, 0, show_answer, &answer),
		0);
	duo_shake(&d);
	cert_free(&c);
}

/* RFC 6066 section 8, RFC 6960. */
START_TEST(stapled)
{
	staple(&good, STAPLE_GOOD, CERT_DAY);
	duo_expect_up(&d);
	ck_assert_uint_ne(
		gnutls_ocsp_status_request_is_checked(d.client->session, GNUTLS_OCSP_SR_IS_AVAIL),
		0);
	duo_deinit(&d);
	staple(&good, STAPLE_REVOKED, CERT_DAY);
	duo_expect_failure(d.client, TLS_REVOKED,
		"CN=good, or one above it, was revoked (stapled OCSP answer)");
	duo_expect_failure(d.server, TLS_REFUSED_BY_PEER, "revoked");
	duo_deinit(&d);
	staple(&good, STAPLE_GOOD, -CERT_HOUR);
	duo_expect_failure(d.client, TLS_UNTRUSTED, "stapled OCSP answer");
	duo_deinit(&d);
}
END_TEST

/* RFC 7633: a certificate that promises an answer and comes without. */
START_TEST(must_staple)
{
	struct cert_wish w = good;

	w.must_staple = true;
	expect_refused(&w, TLS_UNTRUSTED, "has to come with a stapled OCSP answer");
	staple(&w, STAPLE_GOOD, CERT_DAY);
	duo_expect_up(&d);
	/* and what is resumed was looked at when it began */
	duo_shake(&d);
	duo_expect_up(&d);
	ck_assert(tls_peer(d.client)->resumed);
	duo_deinit(&d);
	/* as long as the answer counts */
	staple(&w, STAPLE_GOOD, CERT_HOUR);
	duo_expect_up(&d);
	d.now += 2 * CERT_HOUR;
	duo_shake(&d);
	duo_expect_up(&d);
	ck_assert(!tls_peer(d.client)->resumed);
	duo_deinit(&d);
	buf_deinit(&answer);
}
END_TEST

START_TEST(mutual)
{
	char host[] = "client.example.com", below[] = ".example.org";
	char *allowed[] = { host, below };

	duo_init(&d);
	duo_certify(&d, TLS_SERVER, &good);
	d.server_wish.mutual = true;
	d.server_wish.allowed = allowed;
	d.server_wish.n_allowed = 2;
	duo_shake(&d);
	duo_expect_failure(d.server, TLS_NO_CERTIFICATE, "");
	duo_expect_failure(d.client, TLS_REFUSED_BY_PEER, "ertificate");
	duo_forget(&d);
	duo_certify(&d, TLS_CLIENT, &(struct cert_wish){ .san = { "dns:client.example.com" } });
	duo_shake(&d);
	duo_expect_up(&d);
	ck_assert_str_eq(tls_peer(d.server)->matched, "client.example.com");
	ck_assert_str_eq(tls_peer(d.server)->subject, "CN=nobody");
	duo_forget(&d);
	duo_certify(&d, TLS_CLIENT, &(struct cert_wish){ .san = { "dns:client.example.net" } });
	duo_shake(&d);
	duo_expect_failure(d.server, TLS_NOT_ALLOWED,
		"the certificate is for client.example.net: none of the allowed domains");
	duo_expect_failure(d.client, TLS_REFUSED_BY_PEER, "ccess");
	/* nobody, unless it is said */
	d.server_wish.n_allowed = 0;
	duo_shake(&d);
	duo_expect_failure(d.server, TLS_NOT_ALLOWED, "client.example.net");
	duo_deinit(&d);
}
END_TEST

START_TEST(mutual_refusals)
{
	char all[] = "*", *allowed[] = { all };
	struct cert own;

	duo_init(&d);
	duo_certify(&d, TLS_SERVER, &good);
	d.server_wish = (struct tls_wish){
		.role = TLS_SERVER, .mutual = true, .allowed = allowed, .n_allowed = 1
	};
	own = cert_make(&good, NULL);
	duo_show(&d, TLS_CLIENT, (const struct cert *[]){ &own, NULL });
	duo_shake(&d);
	duo_expect_failure(d.server, TLS_UNTRUSTED, "CN=good is self-signed");
	duo_forget(&d);
	duo_certify(&d, TLS_CLIENT,
		&(struct cert_wish){ .name = "old", .begins = -CERT_DAY, .ends = -CERT_HOUR });
	duo_shake(&d);
	duo_expect_failure(d.server, TLS_EXPIRED, "CN=old");
	duo_forget(&d);
	duo_certify(&d, TLS_CLIENT,
		&(struct cert_wish){ .name = "web", .purpose = GNUTLS_KP_TLS_WWW_SERVER });
	duo_shake(&d);
	duo_expect_failure(d.server, TLS_UNTRUSTED, "may not be used for this");
	duo_forget(&d);
	duo_certify(&d, TLS_CLIENT,
		&(struct cert_wish){ .name = "sip", .purpose = "1.3.6.1.5.5.7.3.20" });
	duo_shake(&d);
	duo_expect_up(&d);
	cert_free(&own);
	duo_deinit(&d);
}
END_TEST

/* A distinguished name is a stranger's text: nothing of it may forge a line of a log. */
START_TEST(hostile_subject)
{
	expect_refused(&(struct cert_wish){ .name = "a\nsipbusd: all is well\x1b[2J",
			       .san = { "dns:example.org" },
			       .begins = -CERT_DAY,
			       .ends = -CERT_HOUR },
		TLS_EXPIRED, "CN=a?sipbusd: all is well?[2J ended");
}
END_TEST

RUN_TESTS("daemon-tls-verify", dates, keys, self_signed, unknown_authority, intermediate,
	too_long_a_chain, purposes, names, server_name, no_domain, pin, crl, stapled, must_staple,
	mutual, mutual_refusals, hostile_subject)
