/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A profile's text through the tables and the rules across keys, each complaint word for word. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "conf/problem.h"
#include "conf/profile-conf.h"
#include "protocol/base/buf.h"
#include "protocol/base/mem.h"
#include "protocol/ua/profile.h"

static const struct profile_conf_source private_source = { .file = "d/alice.conf", .folder = "d" };

static struct profile *read_profile(
	const char *text, const struct profile_conf_source *source, char **ret_said)
{
	struct problem_list problems = { 0 };
	struct buf b = BUF_NULL;
	struct profile *p = profile_conf_read(slice_str(text), source, &problems);

	problem_list_append(&b, &problems);
	problem_list_deinit(&problems);
	*ret_said = buf_take(&b);
	return p;
}

/* The manual's defaults are those that a profile made without configuration has. */
START_TEST(profile_defaults)
{
	struct profile *p, *plain = profile_new();
	char *said;

	p = read_profile("[User]\nUri=sip:alice@example.com\n", &private_source, &said);
	ck_assert_str_eq(said, "");
	ck_assert_str_eq(p->name, "alice");
	ck_assert_str_eq(p->source, "d/alice.conf");
	ck_assert_str_eq(p->tls.minimum_version, "1.2");
	plain->name = mem_strdup("alice");
	plain->source = mem_strdup("d/alice.conf");
	plain->uri = mem_strdup("sip:alice@example.com");
	plain->tls.minimum_version = mem_strdup("1.2");
	ck_assert(profile_equal(p, plain));
	profile_unref(plain);
	profile_unref(p);
	free(said);
}
END_TEST

START_TEST(profile_everything)
{
	char *said;
	struct profile *p =
		read_profile("[Profile]\n"
			     "Name=work\nAutostart=no\nRegister=off\nEnabled=0\n"
			     "[User]\n"
			     "Uri=sips:alice@example.com\nDisplayName=Alice A.\n"
			     "Account=alice1\nRealm=example.com\nPassword=s3 cret\n"
			     "EndpointId=8248ca9ebb\n"
			     "InstanceId=00000000-0000-1000-8000-000A95A0E128\n"
			     "[Server]\n"
			     "Addr=[2001:db8::1]:5070\nProtocol=tcp\nRole=registrar\n"
			     "Auth=digest\n"
			     "[Server]\n"
			     "Addr=proxy.example.com\nRole=proxy\n"
			     "Sessions=pc2pc/first IM/Third\nSessions=ph2ph/third\n"
			     "[Endpoint]\n"
			     "Transport=tcp\nRegisterExpires=90\nAutoRefresh=no\n"
			     "MaximumRegisterRedirections=5\n"
			     "IdleTimeout=0\nOwnerGrace=500ms\nAgentTimeout=5s\nInbox=no\n"
			     "DigestFloor=sha512-256\n"
			     "[Access]\nUsers=alice\nGroups=a b\n",
			&private_source, &said);

	ck_assert_str_eq(said,
		"d/alice.conf:11: warning: [User] Password: a password is safer in a file of its "
		"own, named by PasswordFile or Credential\n");
	ck_assert_str_eq(p->name, "work");
	ck_assert(!p->autostart && !p->registers && !p->enabled && !p->auto_refresh && !p->inbox);
	ck_assert_str_eq(p->display_name, "Alice A.");
	ck_assert_uint_eq(p->secret.n, 7);
	ck_assert_mem_eq(p->secret.bytes, "s3 cret", 7);
	ck_assert_str_eq(p->instance_id, "urn:uuid:00000000-0000-1000-8000-000a95a0e128");
	ck_assert_uint_eq(p->n_servers, 2);
	ck_assert_str_eq(p->servers[0].host, "2001:db8::1");
	ck_assert_uint_eq(p->servers[0].port, 5070);
	ck_assert_int_eq(p->servers[0].protocol, TRANSPORT_TCP);
	ck_assert_ptr_eq(profile_registrar(p), &p->servers[0]);
	ck_assert_ptr_eq(profile_proxy(p), &p->servers[1]);
	ck_assert_uint_eq(p->servers[1].port, 0);
	ck_assert_int_eq(p->servers[1].protocol, TRANSPORT_UDP);
	ck_assert_uint_eq(p->servers[1].n_sessions, 3);
	ck_assert_str_eq(p->servers[1].sessions[1].type, "im");
	ck_assert_str_eq(p->servers[1].sessions[1].party, "third");
	ck_assert_uint_eq(p->allowed_auth, PROFILE_AUTH_DIGEST);
	ck_assert_uint_eq(p->register_expires, 90);
	ck_assert_uint_eq(p->register_redirections, 5);
	ck_assert_uint_eq(p->idle_timeout, 0);
	ck_assert_uint_eq(p->owner_grace, 500 * USEC_PER_MSEC);
	ck_assert_int_eq(p->digest_floor, PROFILE_FLOOR_SHA512_256);
	ck_assert_uint_eq(p->n_groups, 2);
	profile_unref(p);
	free(said);
}
END_TEST

#define USER "[User]\nUri=sip:a@b\n"
#define F "d/alice.conf:"
#define LATER "not supported yet by this version\n"
#define LATER_WORD "not supported yet by this version: "

static const struct {
	const char *text, *said;
} rows[] = {
	{ "", "d/alice.conf: error: [User] Uri is missing; write Uri=sip:alice@example.com\n" },
	{ "[User]\nUri=\n",
		F "1: error: [User] Uri is missing; write Uri=sip:alice@example.com\n" },
	{ "[User]\nUri=alice@example.com\n", F
		"2: error: [User] Uri=alice@example.com: expected a URI without parameters, such as "
		"sip:alice@example.com\n" },
	{ "[Profile]\nName=a-b\n" USER,
		F "2: error: [Profile] Name=a-b: a name consists of A-Z, a-z, 0-9 and _\n" },
	{ "[Profile]\nName=ab\nName=\n" USER, "" },
	{ "[Profile]\nKind=peer-to-peer\nRegister=yes\n" USER,
		F "3: error: [Profile] Register: a peer-to-peer endpoint does not register; leave "
		  "it out\n" },
	{ "[Profile]\nKind=peer-to-peer\n" USER "[Server]\nAddr=a\n",
		F "5: error: [Server] a peer-to-peer profile has no server; write OutboundProxy "
		  "into [Endpoint] if one stands between\n" },
	{ USER "[Endpoint]\nListen=yes\n",
		F "4: error: [Endpoint] Listen: a registered endpoint is reached through its "
		  "registrar; write Kind=peer-to-peer into [Profile], or Listen=no\n" },
	{ "[Profile]\nKind=server\n" USER,
		F "2: error: [Profile] Kind=server: expected registered or peer-to-peer\n" },
	{ "[Profile]\nMicrosoftExtensions=yes\n" USER, "" },
	{ USER "EndpointId=a b\n",
		F "3: error: [User] EndpointId=a b: expected letters, digits and any of "
		  "-.!%*_+`'~\n" },
	{ USER "InstanceId=me\n", F "3: error: [User] InstanceId=me: expected a UUID, such as "
				    "00000000-0000-1000-8000-000a95a0e128\n" },
	/* Servers */
	{ USER "[Server]\nProtocol=udp\n",
		F "3: error: [Server] Addr is missing; write Addr=sip.example.com\n" },
	{ USER "[Server]\nAddr=\n",
		F "3: error: [Server] Addr is missing; write Addr=sip.example.com\n" },
	{ USER "[Server]\nAddr=a:b\n",
		F "4: error: [Server] Addr=a:b: expected host or host:port, an IPv6 address as "
		  "[2001:db8::1]:5060\n" },
	{ USER "[Server]\nAddr=a\nProtocol=tls\n", "" },
	{ USER "[Server]\nAddr=a\nRole=gateway\n",
		F "5: error: [Server] Role=gateway: expected proxy or registrar\n" },
	{ USER "[Server]\nAddr=a\nSessions=im/first fax/first\n", F
		"5: error: [Server] Sessions=im/first fax/first: expected TYPE/PARTY, separated by "
		"blanks; TYPE is pc2pc, pc2ph, ph2ph or im, PARTY is first or third\n" },
	/* RTC_E_PROFILE_MULTIPLE_REGISTRARS */
	{ USER "[Server]\nAddr=a\nRole=registrar\n[Server]\nAddr=b\nRole=registrar\n",
		F "8: error: [Server] a second registrar after the one in line 3; one at most has "
		  "Role=registrar, which is the default, the others Role=proxy\n" },
	{ USER "[Server]\nAddr=a\n[Server]\nAddr=b\n",
		F "5: error: [Server] a second registrar after the one in line 3; one at most has "
		  "Role=registrar, which is the default, the others Role=proxy\n" },
	{ USER "[Server]\nAddr=a\nRole=proxy\n[Server]\nAddr=b\nRole=proxy\n", "" },
	/* RTC_E_BASIC_AUTH_SET_TLS */
	{ USER "Realm=r\n[Server]\nAddr=a\nProtocol=tcp\nAuth=basic\n", F
		"7: error: [Server] Auth=basic: " LATER_WORD "basic\n" F
		"7: error: [Server] Auth: basic sends the password readable and needs a server with "
		"Protocol=tls\n" },
	{ USER "Realm=r\nAllowedAuth=digest basic\n[Server]\nAddr=a\nProtocol=tcp\nAuth=digest\n", F
		"4: warning: [User] AllowedAuth=digest basic: " LATER_WORD "basic\n" F
		"4: error: [User] AllowedAuth: basic sends the password readable and needs a server "
		"with Protocol=tls\n" },
	{ USER "Realm=r\n[Server]\nAddr=a\nProtocol=tls\nAuth=basic digest\n",
		F "7: warning: [Server] Auth=basic digest: " LATER_WORD "basic\n" },
	{ USER "[Server]\nAddr=a\nProtocol=tls\nAuth=basic digest\n", F
		"6: warning: [Server] Auth=basic digest: " LATER_WORD "basic\n" F
		"6: error: [User] Realm is missing, which basic needs; write the server's realm\n" },
	/* RTC_E_UDP_NOT_SUPPORTED */
	{ USER "[Server]\nAddr=a\nAuth=digest ntlm kerberos\n", F
		"5: warning: [Server] Auth=digest ntlm kerberos: " LATER_WORD "ntlm, kerberos\n" F
		"5: error: [Server] Auth: over UDP digest is the only scheme; write Protocol=tcp or "
		"Protocol=tls\n" },
	{ USER "AllowedAuth=kerberos\n[Server]\nAddr=a\nAuth=digest\n", F
		"3: error: [User] AllowedAuth=kerberos: " LATER_WORD "kerberos\n" F
		"3: error: [User] AllowedAuth: over UDP digest is the only scheme; write Protocol=tcp "
		"or Protocol=tls\n" },
	{ USER "[Server]\nAddr=a\nProtocol=tcp\nAuth=digest ntlm\n[Endpoint]\nTransport=udp\n", F
		"6: warning: [Server] Auth=digest ntlm: " LATER_WORD "ntlm\n" F
		"6: error: [Server] Auth: over UDP digest is the only scheme; write Protocol=tcp or "
		"Protocol=tls\n" },
	{ USER "AllowedAuth=digest md5\n", F
		"3: error: [User] AllowedAuth=digest md5: expected digest, basic, ntlm or kerberos, "
		"separated by blanks\n" },
	/* AllowedAuth comes before Auth: what Auth says does not matter then. */
	{ USER "AllowedAuth=digest\n[Server]\nAddr=a\nAuth=ntlm digest\n",
		F "6: warning: [Server] Auth=ntlm digest: " LATER_WORD "ntlm\n" },
	/* Passwords */
	{ USER "Password=x\nCredential=y\n", F
		"3: error: [User] Password: keep one of PasswordFile, Credential and Password\n" },
	{ USER "PasswordFile=x\nCredential=y\n", F
		"4: error: [User] Credential: keep one of PasswordFile, Credential and Password\n" },
	{ USER "Credential=../y\n", F
		"3: error: [User] Credential=../y: expected a name without '/' that does not begin "
		"with '.'\n" },
	{ USER "Credential=y\n",
		F "3: error: [User] Credential: the service manager passed none; write "
		  "LoadCredential=y:PATH into the unit, or use PasswordFile\n" },
	{ USER "PasswordFile=/nonexistent/x\n",
		F "3: error: [User] PasswordFile: /nonexistent/x does not exist\n" },
	{ USER "PasswordFile=nonexistent\n",
		F "3: error: [User] PasswordFile: d/nonexistent does not exist\n" },
	{ USER "Password=hush\x01hush\n", F "3: error: [User] Password=...: contains a control "
					    "character\n" },
	/* Endpoint */
	{ USER "[Endpoint]\nFlows=1\n", "" },
	{ USER "[Endpoint]\nFlows=2\n", "" },
	{ USER "[Endpoint]\nFlows=9\n",
		F "4: error: [Endpoint] Flows=9: expected a whole number from 1 to 8\n" },
	{ USER "[Endpoint]\nMaximumRegisterRedirections=0\n", "" },
	{ USER "[Endpoint]\nMaximumRegisterRedirections=6\n", F
		"4: error: [Endpoint] MaximumRegisterRedirections=6: expected a whole number from "
		"0 to 5\n" },
	{ USER "[Endpoint]\nTransport=tls\n", "" },
	{ USER "[Endpoint]\nRegisterExpires=0\n", F
		"4: error: [Endpoint] RegisterExpires=0: expected a duration from 1s to 30d, such as "
		"30s or 5min\n" },
	{ USER "[Endpoint]\nAgentTimeout=31s\n", F
		"4: error: [Endpoint] AgentTimeout=31s: expected a duration from 100ms to 30s, such "
		"as 30s or 5min\n" },
	{ USER "[Endpoint]\nOnOwnerLost=keep\n", "" },
	{ USER "[Endpoint]\nOnOwnerLost=drop\n",
		F "4: error: [Endpoint] OnOwnerLost=drop: expected end or keep\n" },
	{ USER "[Endpoint]\nConnectionLinger=60s\n", "" },
	{ USER "[Endpoint]\nConnectionLinger=61s\n", "" },
	{ USER "[Endpoint]\nConnectionLinger=2d\n", F
		"4: error: [Endpoint] ConnectionLinger=2d: expected a duration from 1s to 1d, or 0 for "
		"off\n" },
	{ "[Profile]\nKind=peer-to-peer\n[User]\nUri=sip:a@b:5070\n"
	  "[Endpoint]\nListen=yes\nTransport=tcp\nOutboundProxy=a\n",
		"" },
	{ USER "[Endpoint]\nOutboxExpires=2h\nDeliveryReports=yes\nOutboundProxy=a\n",
		F "4: warning: [Endpoint] OutboxExpires=2h: " LATER F
		  "5: warning: [Endpoint] DeliveryReports=yes: " LATER },
	{ USER "[Endpoint]\nDigestFloor=sha1\n",
		F "4: error: [Endpoint] DigestFloor=sha1: expected md5, sha256 or sha512-256\n" },
	{ USER "[Tls]\nTrustOnFirstUse=yes\n", "" },
	{ USER "[Tls]\nCertificateFile=/nonexistent/c\n",
		F "4: error: [Tls] CertificateFile needs KeyFile too\n" F
		  "4: error: [Tls] CertificateFile: /nonexistent/c does not exist\n" },
	{ USER "[Tls]\nCaFile=nonexistent\n",
		F "4: error: [Tls] CaFile: d/nonexistent does not exist\n" },
	{ USER "[Tls]\nServerName=1.2.3.4\n",
		F "4: error: [Tls] ServerName=1.2.3.4: expected a host name, such as "
		  "sip.example.com\n" },
};

START_TEST(profile_rows)
{
	char *said;
	struct profile *p = read_profile(rows[_i].text, &private_source, &said);

	ck_assert_str_eq(said, rows[_i].said);
	profile_unref(p);
	free(said);
}
END_TEST

START_TEST(profile_auth)
{
	static const struct {
		const char *text;
		unsigned mask;
	} auths[] = {
		{ USER, PROFILE_AUTH_DIGEST },
		{ USER "[Server]\nAddr=a\n", PROFILE_AUTH_DIGEST },
		{ USER "[Server]\nAddr=a\nProtocol=tcp\nAuth=ntlm\n[Server]\nAddr=b\nRole=proxy\n"
		       "Auth=digest\n",
			PROFILE_AUTH_NTLM | PROFILE_AUTH_DIGEST },
		{ USER "AllowedAuth=kerberos\n[Server]\nAddr=a\nAuth=digest\n",
			PROFILE_AUTH_KERBEROS },
		/* As in RTC's allowedauth="": no challenge is ever answered. */
		{ USER "AllowedAuth=\n[Server]\nAddr=a\nAuth=digest\n", 0 },
		{ USER "AllowedAuth=ntlm\nAllowedAuth=\nAllowedAuth=digest\nAllowedAuth=basic\n",
			PROFILE_AUTH_DIGEST | PROFILE_AUTH_BASIC },
	};

	for (size_t i = 0; i < ARRAY_LEN(auths); i++) {
		char *said;
		struct profile *p = read_profile(auths[i].text, &private_source, &said);

		ck_assert_uint_eq(p->allowed_auth, auths[i].mask);
		profile_unref(p);
		free(said);
	}
}
END_TEST

START_TEST(profile_names)
{
	struct profile_conf_source source = private_source;
	struct profile *p;
	char *said;

	source.file = "d/alice-b.c.conf";
	p = read_profile(USER, &source, &said);
	ck_assert_str_eq(said,
		"d/alice-b.c.conf: error: \"alice-b.c\" can't be a name on the bus, which consists of "
		"A-Z, a-z, 0-9 and _; rename the file or write Name=alice_b_c into [Profile]\n");
	ck_assert_ptr_null(p->name);
	profile_unref(p);
	free(said);
	p = read_profile("[Profile]\nName=alice_b_c\n" USER, &source, &said);
	ck_assert_str_eq(said, "");
	ck_assert_str_eq(p->name, "alice_b_c");
	profile_unref(p);
	free(said);
}
END_TEST

START_TEST(profile_shared_password)
{
	struct profile_conf_source source = private_source;
	struct profile *p;
	char *said;

	source.access = PROFILE_CONF_SHARED;
	p = read_profile(USER "Password=hush\n", &source, &said);
	ck_assert_str_eq(said,
		F "3: error: [User] Password: others than the owner may read this file; chmod 600 "
		  "helps, PasswordFile or Credential is better\n");
	ck_assert_ptr_null(p->secret.bytes);
	profile_unref(p);
	free(said);
}
END_TEST

START_TEST(profile_session_limit)
{
	struct buf b = BUF_NULL;
	struct profile *p;
	char *text, *said;

	buf_lit(&b, USER "[Server]\nAddr=a\nSessions=");
	for (int i = 0; i < 64; i++)
		buf_lit(&b, " im/first");
	buf_lit(&b, "\nSessions=im/third\n");
	text = buf_take(&b);
	p = read_profile(text, &private_source, &said);
	ck_assert_str_eq(said, F "6: error: [Server] Sessions=im/third: more than 64 words\n");
	profile_unref(p);
	free(text);
	free(said);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("profile-conf");
	TCase *tc = tcase_create("profile-conf");
	SRunner *sr;
	int failed;

	tcase_add_test(tc, profile_defaults);
	tcase_add_test(tc, profile_everything);
	tcase_add_loop_test(tc, profile_rows, 0, (int)ARRAY_LEN(rows));
	tcase_add_test(tc, profile_auth);
	tcase_add_test(tc, profile_names);
	tcase_add_test(tc, profile_shared_password);
	tcase_add_test(tc, profile_session_limit);
	suite_add_tcase(s, tc);
	sr = srunner_create(s);
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
