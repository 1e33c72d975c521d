/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Whom a certificate stands for: RFC 5922 section 7. */
#include <stdio.h>
#include <string.h>

#include "daemon/tls-name.h"
#include "protocol/base/mem.h"
#include "tests/support/certs.h"
#include "tests/support/run.h"

/* The names of a certificate as text, one after the other. */
static char *names_of(const struct cert_wish *wish)
{
	struct cert c = cert_make(wish, NULL);
	struct tls_names names;
	struct buf b = BUF_NULL;

	tls_names_read(&names, c.crt);
	for (size_t i = 0; i < names.n; i++)
		buf_printf(&b, "%s%s", i ? " " : "", names.all[i].text);
	tls_names_deinit(&names);
	cert_free(&c);
	return buf_take(&b);
}

static void expect_names(const struct cert_wish *wish, const char *expected)
{
	char *text cleanup_free = names_of(wish);

	ck_assert_str_eq(text, expected);
}

/* The first of these that matches, or "". */
static void expect_match(const struct cert_wish *wish, const char *domain, const char *expected)
{
	struct cert c = cert_make(wish, NULL);
	struct tls_names names;
	const char *found;

	tls_names_read(&names, c.crt);
	found = tls_names_match(&names, domain);
	ck_assert_msg(strcmp(found ? found : "", expected) == 0, "%s: %s", domain,
		found ? found : "nothing");
	tls_names_deinit(&names);
	cert_free(&c);
}

START_TEST(rfc5922_7_1_uri)
{
	/* the scheme is case insensitive, parameters and port do not matter */
	expect_names(&(struct cert_wish){ .san = { "uri:SIP:Example.COM" } }, "example.com");
	expect_names(&(struct cert_wish){ .san = { "uri:sip:example.com:5061;transport=tls" } },
		"example.com");
	/* not sip: never */
	expect_names(
		&(struct cert_wish){ .name = "example.com", .san = { "uri:sips:example.com" } },
		"");
	expect_names(
		&(struct cert_wish){ .name = "example.com", .san = { "uri:https://example.com" } },
		"");
	/* with a user: a person, not a domain */
	expect_names(&(struct cert_wish){ .name = "example.com",
			     .san = { "uri:sip:alice@example.com" } },
		"");
	expect_names(
		&(struct cert_wish){ .name = "example.com", .san = { "uri:sip:@example.com" } },
		"");
	expect_names(&(struct cert_wish){ .name = "example.com", .san = { "uri:sip:" } }, "");
	expect_names(&(struct cert_wish){ .san = { "uri:sip:example.com", "uri:sip:example.org" } },
		"example.com example.org");
}
END_TEST

START_TEST(rfc5922_7_1_dns_if_and_only_if)
{
	expect_names(&(struct cert_wish){ .san = { "dns:example.com", "dns:sip.example.com" } },
		"example.com sip.example.com");
	/* a SIP URI hides them, wherever it stands */
	expect_names(&(struct cert_wish){ .san = { "dns:example.org", "uri:sip:example.com" } },
		"example.com");
	/* one that is no domain identity does not */
	expect_names(&(struct cert_wish){ .san = { "uri:sip:alice@example.com", "dns:example.org",
						  "uri:sips:x.org" } },
		"example.org");
}
END_TEST

START_TEST(rfc5922_7_1_common_name)
{
	expect_names(&(struct cert_wish){ .name = "Example.com" }, "example.com");
	/* if and only if there is no subjectAltName, of any kind */
	expect_names(&(struct cert_wish){ .name = "example.com", .san = { "ip:192.0.2.1" } },
		"192.0.2.1");
	/* only if it is a valid DNS name */
	expect_names(&(struct cert_wish){ .name = "Example Company" }, "");
	expect_names(&(struct cert_wish){ .name = "192.0.2.1" }, "");
	expect_names(&(struct cert_wish){ .name = "*.example.com" }, "");
	expect_names(&(struct cert_wish){ .name = "sip:example.com" }, "");
}
END_TEST

START_TEST(rfc5922_7_2_whole_names)
{
	const struct cert_wish below = { .san = { "dns:foo.example.com" } };
	const struct cert_wish star = { .san = { "dns:*.example.com" } };
	const struct cert_wish dot = { .san = { "dns:.example.com" } };

	expect_match(&below, "FOO.example.COM", "foo.example.com");
	expect_match(&below, "foo.example.com.", "foo.example.com");
	expect_match(&below, "example.com", "");
	expect_match(&below, "bar.foo.example.com", "");
	expect_match(&below, "", "");
	/* no form of wildcard, but itself */
	expect_match(&star, "foo.example.com", "");
	expect_match(&star, "*.example.com", "*.example.com");
	expect_match(&dot, "foo.example.com", "");
	expect_match(&dot, "example.com", "");
}
END_TEST

START_TEST(rfc5280_7_2_internationalized)
{
	const struct cert_wish wish = { .san = { "dns:xn--mnchen-3ya.example" } };

	expect_match(&wish, "m\xc3\xbcnchen.example", "xn--mnchen-3ya.example");
	expect_match(&wish, "XN--MNCHEN-3YA.example", "xn--mnchen-3ya.example");
	expect_match(&wish, "munchen.example", "");
}
END_TEST

START_TEST(numeric_addresses)
{
	const struct cert_wish wish = { .san = { "ip:192.0.2.1", "ip:2001:db8::1" } };
	const struct cert_wish uri = { .san = { "uri:sip:[2001:DB8:0::1]", "ip:192.0.2.1" } };
	const struct cert_wish dns = { .san = { "dns:192.0.2.1" } };

	expect_match(&wish, "192.0.2.1", "192.0.2.1");
	expect_match(&wish, "2001:db8:0:0::1", "2001:db8::1");
	expect_match(&wish, "[2001:DB8::1]", "2001:db8::1");
	expect_match(&wish, "192.0.2.2", "");
	expect_match(&uri, "2001:db8::1", "2001:db8::1");
	expect_match(&uri, "192.0.2.1", "192.0.2.1");
	/* an address is no DNS name */
	expect_match(&dns, "192.0.2.1", "");
}
END_TEST

START_TEST(rfc5922_7_4_allowed_domains)
{
	static const struct {
		const char *san, *allowed[3], *expected;
	} rows[] = {
		{ "dns:sip.example.com", { "sip.example.com" }, "sip.example.com" },
		{ "dns:sip.example.com", { "SIP.Example.com" }, "sip.example.com" },
		{ "dns:sip.example.com", { "example.com" }, NULL },
		{ "dns:sip.example.com", { ".example.com" }, "sip.example.com" },
		{ "dns:sip.example.com", { ".EXAMPLE.com" }, "sip.example.com" },
		{ "dns:a.b.example.com", { ".example.com" }, "a.b.example.com" },
		{ "dns:example.com", { ".example.com" }, NULL },
		{ "dns:badexample.com", { ".example.com" }, NULL },
		{ "dns:*.example.com", { ".example.com" }, NULL },
		{ "dns:.example.com", { ".example.com" }, NULL },
		{ "dns:example.org", { "example.com", "example.org" }, "example.org" },
		{ "dns:example.org", { 0 }, NULL },
		{ "dns:example.org", { "*" }, "example.org" },
		{ "uri:sip:bob@example.org", { "*" }, "*" },
		{ "uri:sip:bob@example.org", { "example.org", ".org" }, NULL },
		{ "ip:192.0.2.1", { "192.0.2.1" }, "192.0.2.1" },
		{ "ip:192.0.2.1", { ".2.1" }, NULL },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct cert c = cert_make(&(struct cert_wish){ .san = { rows[i].san } }, NULL);
		char *allowed[3];
		struct tls_names names;
		const char *found;
		size_t n = 0;

		while (n < 3 && rows[i].allowed[n]) {
			allowed[n] = mem_strdup(rows[i].allowed[n]);
			n++;
		}
		tls_names_read(&names, c.crt);
		found = tls_names_allowed(&names, allowed, n);
		ck_assert_msg(
			(!found && !rows[i].expected) ||
				(found && rows[i].expected && strcmp(found, rows[i].expected) == 0),
			"row %zu: %s", i, found ? found : "nobody");
		tls_names_deinit(&names);
		cert_free(&c);
		while (n)
			free(allowed[--n]);
	}
}
END_TEST

/* Names that would lie in a log, or seem to end early, are none. */
START_TEST(hostile_names)
{
	static const struct slice rows[] = {
		SLICE_INIT("example.com\0.evil.org"),
		SLICE_INIT("exa\nmple.com"),
		SLICE_INIT("exa mple.com"),
		SLICE_INIT("m\xc3\xbcnchen.example"),
		SLICE_INIT("example.com\0"),
		SLICE_INIT(""),
		SLICE_INIT("."),
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct cert c = cert_make(&(struct cert_wish){ .name = "example.com" }, NULL);
		char der[64] = { 0x30, (char)(rows[i].n + 2), (char)0x82, (char)rows[i].n };
		struct tls_names names;

		memcpy(der + 4, rows[i].p, rows[i].n);
		ck_assert_int_eq(gnutls_x509_crt_set_extension_by_oid(
					 c.crt, "2.5.29.17", der, rows[i].n + 4, 0),
			0);
		names = (struct tls_names){ 0 };
		/* Some of them are refused by the library as they are. */
		if (cert_sign_again(&c) >= 0)
			tls_names_read(&names, c.crt);
		ck_assert_msg(names.n == 0, "row %zu: %s", i, names.n ? names.all[0].text : "");
		tls_names_deinit(&names);
		cert_free(&c);
	}
}
END_TEST

START_TEST(no_more_than_the_limit)
{
	struct cert_wish wish = { .san = { "dns:0.example" } };
	struct cert c = cert_make(&wish, NULL);
	struct tls_names names;
	struct buf b = BUF_NULL;

	for (int i = 1; i < TLS_MAX_NAMES + 10; i++) {
		char name[32];

		(void)snprintf(name, sizeof(name), "%d.example", i);
		ck_assert_int_eq(gnutls_x509_crt_set_subject_alt_name(c.crt, GNUTLS_SAN_DNSNAME,
					 name, (unsigned)strlen(name), GNUTLS_FSAN_APPEND),
			0);
	}
	ck_assert_int_ge(cert_sign_again(&c), 0);
	tls_names_read(&names, c.crt);
	ck_assert_uint_eq(names.n, TLS_MAX_NAMES);
	tls_names_append(&b, &names);
	buf_putc(&b, '\0');
	ck_assert_str_eq(b.p, "0.example, 1.example, 2.example and 253 more");
	buf_deinit(&b);
	tls_names_deinit(&names);
	cert_free(&c);
}
END_TEST

RUN_TESTS("daemon-tls-name", rfc5922_7_1_uri, rfc5922_7_1_dns_if_and_only_if,
	rfc5922_7_1_common_name, rfc5922_7_2_whole_names, rfc5280_7_2_internationalized,
	numeric_addresses, rfc5922_7_4_allowed_domains, hostile_names, no_more_than_the_limit)
