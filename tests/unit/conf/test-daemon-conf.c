/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* sipbus.conf through the tables: values, defaults, and each complaint word for word. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "conf/daemon-conf.h"
#include "conf/problem.h"
#include "conf/schema.h"
#include "protocol/base/buf.h"
#include "protocol/base/mem.h"

/* What is said about a text, one problem a line; "" if all is well. */
static char *complaints(const char *text)
{
	struct problem_list problems = { 0 };
	struct buf b = BUF_NULL;

	daemon_conf_free(daemon_conf_read(slice_str(text), "f", &problems));
	problem_list_append(&b, &problems);
	problem_list_deinit(&problems);
	return buf_take(&b);
}

START_TEST(daemon_defaults)
{
	struct problem_list problems = { 0 };
	struct daemon_conf *c = daemon_conf_read(SLICE_NULL, "f", &problems);

	ck_assert_uint_eq(problems.n, 0);
	ck_assert_str_eq(c->user_agent, "sipbus/" SIPBUS_VERSION);
	ck_assert_uint_eq(c->max_endpoints, 10000);
	ck_assert_uint_eq(c->max_sessions, 10000);
	ck_assert_uint_eq(c->max_message_size, 65536);
	ck_assert_uint_eq(c->n_listens, 0);
	ck_assert_ptr_null(c->hep_target);
	daemon_conf_free(c);
}
END_TEST

START_TEST(daemon_everything)
{
	struct problem_list problems = { 0 };
	struct daemon_conf *c = daemon_conf_read(SLICE("[Daemon]\n"
						       "UserAgent=test/1\n"
						       "MaximumEndpoints=7\n"
						       "DnsServers=127.0.0.1:5353\n"
						       "DnsServers=[::1]:53 ::2\n"
						       "[Listen]\n"
						       "Transport=TCP\n"
						       "Address=[::1]\n"
						       "Port=5070\n"
						       "IdleTimeout=0\n"
						       "[Listen]\n"
						       "[Daemon]\n"
						       "MaximumSessions=3\n"
						       "[Access]\n"
						       "Users=alice bob\n"
						       "Users=\n"
						       "Users=carol\n"
						       "Groups=sip\n"),
		"f", &problems);

	ck_assert_uint_eq(problems.n, 0);
	ck_assert_str_eq(c->user_agent, "test/1");
	ck_assert_uint_eq(c->max_endpoints, 7);
	ck_assert_uint_eq(c->max_sessions, 3);
	ck_assert_uint_eq(c->n_dns_servers, 3);
	ck_assert_str_eq(c->dns_servers[2], "::2");
	ck_assert_uint_eq(c->n_listens, 2);
	ck_assert_int_eq(c->listens[0].transport, TRANSPORT_TCP);
	ck_assert_str_eq(c->listens[0].address, "::1");
	ck_assert_uint_eq(c->listens[0].port, 5070);
	ck_assert_uint_eq(c->listens[0].idle_timeout, 0);
	ck_assert_uint_eq(c->listens[0].first_message_timeout, 60 * USEC_PER_SEC);
	ck_assert_int_eq(c->listens[1].transport, TRANSPORT_UDP);
	ck_assert_ptr_null(c->listens[1].address);
	ck_assert_uint_eq(c->listens[1].idle_timeout, 900 * USEC_PER_SEC);
	/* An empty value empties a list. */
	ck_assert_uint_eq(c->n_users, 1);
	ck_assert_str_eq(c->users[0], "carol");
	ck_assert_uint_eq(c->n_groups, 1);
	daemon_conf_free(c);
}
END_TEST

#define CERTIFICATE "[Tls]\nCertificateFile=/etc/passwd\nKeyFile=/etc/shadow\n"

static const struct {
	const char *text, *complaints;
} rows[] = {
	{ "[Daemon]\nMaximumEndpoints=0\n",
		"f:2: error: [Daemon] MaximumEndpoints=0: expected a whole number from 1 to 100000\n" },
	{ "[Daemon]\nMaximumEndpoints=100000\n", "" },
	{ "[Daemon]\nMaximumEndpoints=100001\n",
		"f:2: error: [Daemon] MaximumEndpoints=100001: expected a whole number from 1 to "
		"100000\n" },
	{ "[Daemon]\nMaximumMessageSize=1K\n",
		"f:2: error: [Daemon] MaximumMessageSize=1K: expected bytes from 4096 to 1048576, such "
		"as 64K\n" },
	{ "[Daemon]\nUserAgent=a\x1b[31mb\n",
		"f:2: error: [Daemon] UserAgent=a?[31mb: contains a control character\n" },
	{ "[Daemon]\nDnsServers=192.0.2.1 ns.example.com\n",
		"f:2: error: [Daemon] DnsServers=192.0.2.1 ns.example.com: expected addresses as "
		"192.0.2.1:53 or [2001:db8::1]:53, separated by blanks\n" },
	{ "[Daemon]\nHepTarget=hep.example.com:9060\n",
		"f:2: warning: [Daemon] HepTarget=hep.example.com:9060: not supported yet by this "
		"version\n" },
	{ "[Daemon]\nHepTarget=x:y\n",
		"f:2: error: [Daemon] HepTarget=x:y: expected host or host:port, an IPv6 address as "
		"[2001:db8::1]:5060\n" },
	/* An empty value is the default, whatever stood before. */
	{ "[Daemon]\nMaximumEndpoints=3\nMaximumEndpoints=\n", "" },
	{ "[Daemon]\nmaximumendpoints=3\n",
		"f:2: warning: [Daemon] maximumendpoints: unknown key, ignored; did you mean [Daemon] "
		"MaximumEndpoints?\n" },
	{ "[Daemon]\nTransport=udp\n",
		"f:2: warning: [Daemon] Transport: unknown key, ignored; did you mean [Listen] "
		"Transport?\n" },
	{ "[Daemon]\nColour=red\n", "f:2: warning: [Daemon] Colour: unknown key, ignored\n" },
	{ "[Deamon]\nColour=red\n", "f:1: warning: [Deamon]: unknown section, ignored\n" },
	{ "[Listen]\nTransport=sctp\n",
		"f:2: error: [Listen] Transport=sctp: expected udp, tcp or tls\n" },
	{ "[Listen]\nTransport=tls\n",
		"f:2: error: [Listen] Transport=tls needs CertificateFile and KeyFile in [Tls]\n" },
	{ "[Listen]\nTransport=tls\n" CERTIFICATE, "" },
	{ "[Listen]\nAddress=localhost\n",
		"f:2: error: [Listen] Address=localhost: expected an IPv4 or IPv6 address without "
		"port\n" },
	{ "[Listen]\nAddress=fe80::1%eth0\n", "" },
	{ "[Listen]\nAddress=fe80::1%\n",
		"f:2: error: [Listen] Address=fe80::1%: expected an IPv4 or IPv6 address without "
		"port\n" },
	{ "[Listen]\nAddress=fe80::1%sixteen-letters-\n",
		"f:2: error: [Listen] Address=fe80::1%sixteen-letters-: expected an IPv4 or IPv6 "
		"address without port\n" },
	{ "[Listen]\nAddress=192.0.2.1%eth0\n",
		"f:2: error: [Listen] Address=192.0.2.1%eth0: expected an IPv4 or IPv6 address "
		"without port\n" },
	{ "[Listen]\nPort=65536\n",
		"f:2: error: [Listen] Port=65536: expected a port from 1 to 65535, or 0 for any\n" },
	{ "[Listen]\nIdleTimeout=1ms\n",
		"f:2: error: [Listen] IdleTimeout=1ms: expected a duration from 1s to 1d, or 0 for "
		"off\n" },
	{ "[Listen]\nMutualTls=no\n", "" },
	{ "[Listen]\nMutualTls=off\nMutualTls=on\n",
		"f:3: error: [Listen] MutualTls needs Transport=tls\n"
		"f:3: error: [Listen] MutualTls without AllowedDomains lets nobody in; write the "
		"domains, or * for all\n" },
	{ "[Listen]\nTransport=tls\nMutualTls=yes\nAllowedDomains=a.example.com .example.com *\n" CERTIFICATE,
		"" },
	{ "[Listen]\nTransport=tls\nMutualTls=yes\nAllowedDomains=*.example.com\n" CERTIFICATE,
		"f:4: error: [Listen] AllowedDomains=*.example.com: expected domains such as "
		"example.com, .example.com or *, separated by blanks\n"
		"f:3: error: [Listen] MutualTls without AllowedDomains lets nobody in; write the "
		"domains, or * for all\n" },
	{ "[Listen]\nMutualTls=maybe\n",
		"f:2: error: [Listen] MutualTls=maybe: expected yes or no\n" },
	{ "[Listen]\nAllowedDomains=example.com\n",
		"f:2: error: [Listen] AllowedDomains needs MutualTls=yes\n" },
	{ "[Listen]\nPort=5060\n[Listen]\nPort=5060\nTransport=tcp\n[Listen]\nPort=5060\n",
		"f:6: error: [Listen] has the address and port of line 1\n" },
	{ "[Listen]\nPort=5061\nTransport=tcp\n[Listen]\nPort=5061\nTransport=tls\n" CERTIFICATE,
		"f:4: error: [Listen] has the address and port of line 1\n" },
	{ "[Listen]\n[Listen]\n", "" },
	{ "[Tls]\nKeyFile=nonexistent\n",
		"f:2: error: [Tls] KeyFile needs CertificateFile too\n"
		"f:2: error: [Tls] KeyFile: ./nonexistent does not exist\n" },
	{ "[Tls]\nCertificateFile=/dev/null\n",
		"f:2: error: [Tls] CertificateFile needs KeyFile too\n"
		"f:2: error: [Tls] CertificateFile: /dev/null is no regular file\n" },
	{ "[Tls]\nMinimumVersion=1.0\n",
		"f:2: error: [Tls] MinimumVersion=1.0: expected 1.2 or 1.3\n" },
	/* All at once, in the order of the lines. */
	{ "x\n[Daemon]\nMaximumSessions=many\n[Listen\n[Listen]\nPort=-1\n",
		"f:1: error: expected Key=value, [Section] or a comment that begins with # or ;\n"
		"f:3: error: [Daemon] MaximumSessions=many: expected a whole number from 1 to 100000\n"
		"f:4: error: a section line ends in ']', as in [Profile]\n"
		"f:6: error: [Listen] Port=-1: expected a port from 1 to 65535, or 0 for any\n" },
};

START_TEST(daemon_rows)
{
	char *said = complaints(rows[_i].text);

	ck_assert_str_eq(said, rows[_i].complaints);
	free(said);
}
END_TEST

START_TEST(daemon_listen_limit)
{
	struct buf b = BUF_NULL;
	char *text, *said;

	for (int i = 0; i < SCHEMA_SECTIONS_MAX; i++)
		buf_lit(&b, "[Listen]\n");
	buf_lit(&b, "[Listen]\nPort=bad\n[Daemon]\nMaximumSessions=0\n");
	text = buf_take(&b);
	said = complaints(text);
	ck_assert_str_eq(said,
		"f:17: error: more than 16 [Listen] sections\n"
		"f:20: error: [Daemon] MaximumSessions=0: expected a whole number from 1 to 100000\n");
	free(said);
	free(text);
}
END_TEST

START_TEST(daemon_list_limit)
{
	struct buf b = BUF_NULL;
	char *text, *said;

	buf_lit(&b, "[Access]\nUsers=");
	for (int i = 0; i < SCHEMA_LIST_MAX; i++)
		buf_lit(&b, " u");
	buf_lit(&b, "\nUsers=v\n");
	text = buf_take(&b);
	said = complaints(text);
	ck_assert_str_eq(said, "f:3: error: [Access] Users=v: more than 64 words\n");
	free(said);
	free(text);
}
END_TEST

START_TEST(daemon_text_limit)
{
	struct buf b = BUF_NULL;
	char *text, *said;

	buf_lit(&b, "[Daemon]\nUserAgent=");
	for (int i = 0; i < 65; i++)
		buf_lit(&b, "\xc3\xa4");
	text = buf_take(&b);
	said = complaints(text);
	/* Shortened between characters, so that it can go out on the bus. */
	ck_assert_ptr_nonnull(strstr(said, "\xc3\xa4: longer than 128 bytes\n"));
	ck_assert(slice_is_utf8(slice_str(said)));
	ck_assert_uint_lt(strlen(said), 160);
	free(said);
	free(text);
}
END_TEST

START_TEST(daemon_problem_limit)
{
	struct buf b = BUF_NULL;
	char *text, *said;

	for (int i = 0; i < PROBLEM_MAX + 2; i++)
		buf_lit(&b, "x\n");
	text = buf_take(&b);
	said = complaints(text);
	ck_assert_ptr_nonnull(strstr(said, "\nf:500: error: "));
	ck_assert_ptr_null(strstr(said, "f:501:"));
	ck_assert_ptr_nonnull(strstr(said, "\n(2 more)\n"));
	free(said);
	free(text);
}
END_TEST

START_TEST(daemon_equal)
{
	static const char *const texts[] = { "", "[Daemon]\nMaximumEndpoints=3\n",
		"[Daemon]\nUserAgent=x\n", "[Listen]\n", "[Listen]\n[Listen]\n",
		"[Listen]\nPort=5060\n", "[Listen]\nAddress=::1\n", "[Access]\nUsers=a\n",
		"[Access]\nUsers=a b\n", "[Access]\nGroups=a b\n", "[Tls]\nCaFile=x\n" };

	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		for (size_t j = 0; j < ARRAY_LEN(texts); j++) {
			struct problem_list problems = { 0 };
			struct daemon_conf *a, *b;

			a = daemon_conf_read(slice_str(texts[i]), "a", &problems);
			b = daemon_conf_read(slice_str(texts[j]), "b", &problems);
			ck_assert_int_eq(daemon_conf_equal(a, b), i == j);
			daemon_conf_free(a);
			daemon_conf_free(b);
			problem_list_deinit(&problems);
		}
	}
}
END_TEST

int main(void)
{
	Suite *s = suite_create("daemon-conf");
	TCase *tc = tcase_create("daemon-conf");
	SRunner *sr;
	int failed;

	tcase_add_test(tc, daemon_defaults);
	tcase_add_test(tc, daemon_everything);
	tcase_add_loop_test(tc, daemon_rows, 0, (int)ARRAY_LEN(rows));
	tcase_add_test(tc, daemon_listen_limit);
	tcase_add_test(tc, daemon_list_limit);
	tcase_add_test(tc, daemon_text_limit);
	tcase_add_test(tc, daemon_problem_limit);
	tcase_add_test(tc, daemon_equal);
	suite_add_tcase(s, tc);
	sr = srunner_create(s);
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
