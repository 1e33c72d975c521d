/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* RFC 3261 section 22, RFC 7616, RFC 8760: which challenge is answered, how, and which is not. */
#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "protocol/ua/limits.h"
#include "tests/unit/ua/try.h"

/* A request on its way, so far as authentication sees it. */
struct fixture {
	struct try t;
	enum transport transport;
	struct msg *sent;
	struct slice realm;
	const char *why;
};

static struct slice body = SLICE_INIT("hello");

/* Builds the request with whatever credentials there are by now. */
static void send_again(struct fixture *f)
{
	struct auth_request r = { SLICE("MESSAGE"), SLICE("sip:bob@example.com"), body,
		f->transport };
	struct buf b = BUF_NULL;

	buf_lit(&b, "MESSAGE sip:bob@example.com SIP/2.0\r\n");
	buf_printf(&b, "Via: SIP/2.0/%s 192.0.2.10;branch=z9hG4bK1\r\n",
		transport_via_name(f->transport));
	buf_lit(&b, "Max-Forwards: 70\r\nFrom: <sip:alice@example.com>;tag=1\r\n"
		    "To: <sip:bob@example.com>\r\nCall-ID: 1\r\nCSeq: 1 MESSAGE\r\n");
	auth_append(&b, f->t.ep, &r);
	buf_lit(&b, "Content-Length: 5\r\n\r\nhello");
	msg_unref(f->sent);
	f->sent = NULL;
	ck_assert_int_eq(msg_parse(buf_slice(&b), MSG_DATAGRAM, &f->sent), 0);
	ck_assert_uint_eq(f->sent->fault.status, 0);
	buf_deinit(&b);
}

static void setup(struct fixture *f)
{
	*f = (struct fixture){ .transport = TRANSPORT_UDP };
	try_init(&f->t, &try_alice);
	send_again(f);
}

static void teardown(struct fixture *f)
{
	msg_unref(f->sent);
	try_deinit(&f->t);
}

static struct msg *response(unsigned status, const char *headers)
{
	struct buf b = BUF_NULL;
	struct msg *m = NULL;

	buf_printf(&b, "SIP/2.0 %u Whatever\r\nVia: SIP/2.0/UDP 192.0.2.10;branch=z9hG4bK1\r\n",
		status);
	buf_lit(&b, "From: <sip:alice@example.com>;tag=1\r\nTo: <sip:bob@example.com>;tag=2\r\n"
		    "Call-ID: 1\r\nCSeq: 1 MESSAGE\r\n");
	buf_str(&b, headers);
	buf_lit(&b, "Content-Length: 0\r\n\r\n");
	ck_assert_int_eq(msg_parse(buf_slice(&b), MSG_DATAGRAM, &m), 0);
	buf_deinit(&b);
	return m;
}

static enum auth_verdict challenge(struct fixture *f, unsigned status, const char *headers)
{
	struct msg *m = response(status, headers);
	enum auth_verdict v;

	f->why = NULL;
	f->realm = SLICE_NULL;
	v = auth_challenged(f->t.ep, f->sent, m, &f->realm, &f->why);
	msg_unref(m);
	return v;
}

static void accept(struct fixture *f, const char *headers)
{
	struct msg *m = response(200, headers);

	auth_accepted(f->t.ep, f->sent, m);
	msg_unref(m);
}

static void give_secret(struct fixture *f, const char *realm)
{
	auth_set_secret(f->t.ep, slice_str(realm), SLICE("alice"), SLICE("secret"));
	send_again(f);
}

static void expect_impossible(struct fixture *f, const char *headers, const char *why)
{
	ck_assert_int_eq(challenge(f, 401, headers), AUTH_IMPOSSIBLE);
	ck_assert_str_eq(f->why, why);
	send_again(f);
	ck_assert_ptr_null(msg_header(f->sent, HDR_AUTHORIZATION).p);
}

/* The named parameter of the first Authorization, as it stands between its quotes. */
static struct slice param(const struct msg *m, const char *name)
{
	struct slice rest = msg_header(m, HDR_AUTHORIZATION), value = SLICE_NULL;
	struct challenge c;

	if (rest.p && challenge_next(&rest, &c) == 1)
		(void)challenge_param(c.params, slice_str(name), &value);
	return value;
}

static void expect_param(const struct fixture *f, const char *name, const char *value)
{
	struct slice v = param(f->sent, name);

	ck_assert_msg(slice_eq(v, slice_str(value)), "%s is %.*s, not %s", name, SLICE_ARGS(v),
		value ? value : "absent");
}

static size_t count(const struct msg *m, enum hdr_id id)
{
	const struct hdr *h = NULL;
	size_t n = 0;

	while ((h = msg_header_next(m, id, h)))
		n++;
	return n;
}

#define MD5 "WWW-Authenticate: Digest realm=\"example.com\", nonce=\"n1\", qop=\"auth\"\r\n"
#define SHA256                                                                        \
	"WWW-Authenticate: Digest realm=\"example.com\", nonce=\"n2\", qop=\"auth\"," \
	" algorithm=SHA-256\r\n"
#define SHA512                                                                        \
	"WWW-Authenticate: Digest realm=\"example.com\", nonce=\"n3\", qop=\"auth\"," \
	" algorithm=SHA-512-256\r\n"

START_TEST(asks_once_and_counts)
{
	struct fixture f;
	struct slice first;
	char cnonce[64];

	setup(&f);
	ck_assert_str_eq(auth_scheme(&f.t.ep->auth), "");
	ck_assert_int_eq(challenge(&f, 401, MD5), AUTH_NEED_SECRET);
	ck_assert(slice_eq(f.realm, SLICE("example.com")));
	world_run(f.t.w, 1);
	f.t.wu->changes = 0;
	give_secret(&f, "example.com");
	expect_param(&f, "username", "alice");
	expect_param(&f, "realm", "example.com");
	expect_param(&f, "nonce", "n1");
	expect_param(&f, "uri", "sip:bob@example.com");
	expect_param(&f, "qop", "auth");
	expect_param(&f, "nc", "00000001");
	ck_assert_uint_eq(param(f.sent, "response").n, 32);
	ck_assert_str_eq(auth_scheme(&f.t.ep->auth), "Digest MD5");
	ck_assert(f.t.wu->changes & UA_CHANGE_AUTH);
	/* RFC 7616 3.4: the count goes up, the cnonce is a new one. */
	first = param(f.sent, "cnonce");
	ck_assert_uint_ge(first.n, 16);
	(void)snprintf(cnonce, sizeof(cnonce), "%.*s", SLICE_ARGS(first));
	send_again(&f);
	expect_param(&f, "nc", "00000002");
	ck_assert(!slice_eq(param(f.sent, "cnonce"), slice_str(cnonce)));
	teardown(&f);
}
END_TEST

START_TEST(the_strongest_is_taken)
{
	static const char *const orders[] = { MD5 SHA256 SHA512, SHA512 SHA256 MD5,
		SHA256 SHA512 MD5 };
	struct fixture f;

	/* RFC 8760 2.4 lets local policy stand above the order. */
	for (size_t i = 0; i < ARRAY_LEN(orders); i++) {
		setup(&f);
		ck_assert_int_eq(challenge(&f, 401, orders[i]), AUTH_NEED_SECRET);
		give_secret(&f, "example.com");
		expect_param(&f, "algorithm", "SHA-512-256");
		expect_param(&f, "nonce", "n3");
		ck_assert_uint_eq(count(f.sent, HDR_AUTHORIZATION), 1);
		ck_assert_str_eq(auth_scheme(&f.t.ep->auth), "Digest SHA-512-256");
		teardown(&f);
	}
}
END_TEST

START_TEST(among_equals_the_topmost)
{
	struct fixture f;

	setup(&f);
	ck_assert_int_eq(challenge(&f, 401,
				 MD5 "WWW-Authenticate: Digest realm=\"example.com\", "
				     "nonce=\"other\", qop=\"auth\"\r\n"),
		AUTH_NEED_SECRET);
	give_secret(&f, "example.com");
	expect_param(&f, "nonce", "n1");
	teardown(&f);
}
END_TEST

START_TEST(the_floor_holds)
{
	struct fixture f;

	setup(&f);
	f.t.ep->profile->digest_floor = PROFILE_FLOOR_SHA256;
	expect_impossible(&f, MD5, "Digest algorithm is below the profile's floor");
	ck_assert_int_eq(challenge(&f, 401, MD5 SHA256), AUTH_NEED_SECRET);
	give_secret(&f, "example.com");
	expect_param(&f, "algorithm", "SHA-256");
	teardown(&f);

	setup(&f);
	f.t.ep->profile->digest_floor = PROFILE_FLOOR_SHA512_256;
	expect_impossible(&f, MD5 SHA256, "Digest algorithm is below the profile's floor");
	ck_assert_int_eq(challenge(&f, 401, SHA512), AUTH_NEED_SECRET);
	teardown(&f);
}
END_TEST

START_TEST(what_is_not_understood_is_ignored)
{
	struct fixture f;

	setup(&f);
	/* RFC 8760 2.4 */
	expect_impossible(&f,
		"WWW-Authenticate: Digest realm=\"example.com\", nonce=\"n\", algorithm=X\r\n",
		"unknown Digest algorithm");
	expect_impossible(&f, "WWW-Authenticate: NTLM realm=\"x\"\r\n",
		"authentication scheme is not supported");
	expect_impossible(&f, "WWW-Authenticate: Digest realm=\"example.com\", qop=\"auth\"\r\n",
		"challenge without nonce");
	expect_impossible(&f, "WWW-Authenticate: Digest nonce=\"n\", qop=\"auth\"\r\n",
		"challenge without realm");
	/* RFC 7616 3.3: unrecognized options are ignored, so none is left. */
	expect_impossible(&f,
		"WWW-Authenticate: Digest realm=\"example.com\", nonce=\"n\", qop=\"sign\"\r\n",
		"unknown quality of protection");
	expect_impossible(&f, "", "no challenge");
	ck_assert_int_eq(challenge(&f, 401,
				 "WWW-Authenticate: Digest realm=\"example.com\", nonce=\"n\", "
				 "algorithm=X\r\n" MD5),
		AUTH_NEED_SECRET);
	teardown(&f);
}
END_TEST

START_TEST(quality_of_protection)
{
	struct fixture f;

	setup(&f);
	ck_assert_int_eq(challenge(&f, 401,
				 "WWW-Authenticate: Digest realm=\"example.com\", nonce=\"n\", "
				 "qop=\"sign,auth-int,auth\"\r\n"),
		AUTH_NEED_SECRET);
	give_secret(&f, "example.com");
	expect_param(&f, "qop", "auth");
	teardown(&f);
	setup(&f);
	ck_assert_int_eq(challenge(&f, 401,
				 "WWW-Authenticate: Digest realm=\"example.com\", nonce=\"n\", "
				 "qop=\"auth-int\"\r\n"),
		AUTH_NEED_SECRET);
	give_secret(&f, "example.com");
	expect_param(&f, "qop", "auth-int");
	expect_param(&f, "nc", "00000001");
	teardown(&f);
	/* RFC 3261 22.4: no qop asked for, none given, and no count. */
	setup(&f);
	ck_assert_int_eq(challenge(&f, 401,
				 "WWW-Authenticate: Digest realm=\"example.com\", "
				 "nonce=\"n\", opaque=\"o\"\r\n"),
		AUTH_NEED_SECRET);
	give_secret(&f, "example.com");
	expect_param(&f, "qop", NULL);
	expect_param(&f, "nc", NULL);
	expect_param(&f, "cnonce", NULL);
	expect_param(&f, "opaque", "o");
	teardown(&f);
}
END_TEST

START_TEST(a_foreign_realm_gets_nothing)
{
	struct fixture f;

	setup(&f);
	f.t.ep->profile->realm = mem_strdup("example.com");
	expect_impossible(&f,
		"WWW-Authenticate: Digest realm=\"evil.example\", nonce=\"n\", qop=\"auth\"\r\n",
		"realm is not the profile's");
	ck_assert_uint_eq(f.t.ep->auth.n_realms, 0);
	ck_assert_int_eq(challenge(&f, 401,
				 "WWW-Authenticate: Digest realm=\"evil.example\", nonce=\"n\", "
				 "qop=\"auth\"\r\n" MD5),
		AUTH_NEED_SECRET);
	ck_assert(slice_eq(f.realm, SLICE("example.com")));
	give_secret(&f, "example.com");
	ck_assert_uint_eq(count(f.sent, HDR_AUTHORIZATION), 1);
	expect_param(&f, "realm", "example.com");
	teardown(&f);
}
END_TEST

START_TEST(the_mask_holds)
{
	struct fixture f;

	setup(&f);
	f.t.ep->profile->allowed_auth = PROFILE_AUTH_NTLM | PROFILE_AUTH_BASIC;
	expect_impossible(&f, MD5, "Digest is not allowed by the profile");
	teardown(&f);
}
END_TEST

#define BASIC "WWW-Authenticate: Basic realm=\"example.com\"\r\n"

START_TEST(basic_needs_tls_and_leave)
{
	struct fixture f;

	setup(&f);
	expect_impossible(&f, BASIC, "Basic is not allowed by the profile");
	f.t.ep->profile->allowed_auth |= PROFILE_AUTH_BASIC;
	expect_impossible(&f, BASIC, "Basic is only answered over TLS");
	f.transport = TRANSPORT_TCP;
	send_again(&f);
	expect_impossible(&f, BASIC, "Basic is only answered over TLS");
	f.transport = TRANSPORT_TLS;
	send_again(&f);
	/* Digest comes first, wherever it stands. */
	ck_assert_int_eq(challenge(&f, 401, BASIC MD5), AUTH_NEED_SECRET);
	give_secret(&f, "example.com");
	expect_param(&f, "nonce", "n1");
	teardown(&f);

	setup(&f);
	f.t.ep->profile->allowed_auth |= PROFILE_AUTH_BASIC;
	f.transport = TRANSPORT_TLS;
	send_again(&f);
	ck_assert_int_eq(challenge(&f, 401, BASIC), AUTH_NEED_SECRET);
	auth_set_secret(f.t.ep, SLICE("example.com"), SLICE("Aladdin"), SLICE("open sesame"));
	send_again(&f);
	/* RFC 7617 section 2 */
	ck_assert(slice_eq(msg_header(f.sent, HDR_AUTHORIZATION),
		SLICE("Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==")));
	ck_assert_str_eq(auth_scheme(&f.t.ep->auth), "Basic");
	/* Nothing of it where anybody can read it. */
	f.transport = TRANSPORT_TCP;
	send_again(&f);
	ck_assert_ptr_null(msg_header(f.sent, HDR_AUTHORIZATION).p);
	f.transport = TRANSPORT_TLS;
	send_again(&f);
	ck_assert_int_eq(challenge(&f, 401, BASIC), AUTH_REFUSED);
	teardown(&f);
}
END_TEST

START_TEST(base64_of_every_length)
{
	static const struct {
		const char *password, *text;
	} rows[] = { { "", "Basic dTo=" }, { "a", "Basic dTph" }, { "ab", "Basic dTphYg==" },
		{ "\xff\xfe\xfd", "Basic dTr//v0=" } };
	struct fixture f;

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		setup(&f);
		f.t.ep->profile->allowed_auth |= PROFILE_AUTH_BASIC;
		f.transport = TRANSPORT_TLS;
		send_again(&f);
		ck_assert_int_eq(challenge(&f, 401, BASIC), AUTH_NEED_SECRET);
		auth_set_secret(
			f.t.ep, SLICE("example.com"), SLICE("u"), slice_str(rows[i].password));
		send_again(&f);
		ck_assert(slice_eq(msg_header(f.sent, HDR_AUTHORIZATION), slice_str(rows[i].text)));
		teardown(&f);
	}
}
END_TEST

#define PROXY \
	"Proxy-Authenticate: Digest realm=\"proxy.example.com\", nonce=\"p1\", qop=\"auth\"\r\n"

START_TEST(two_realms_in_one_response)
{
	struct fixture f;

	setup(&f);
	/* RFC 3261 22.3: what a forking proxy collected. */
	ck_assert_int_eq(challenge(&f, 407, MD5 PROXY), AUTH_NEED_SECRET);
	ck_assert(slice_eq(f.realm, SLICE("example.com")));
	auth_set_secret(f.t.ep, f.realm, SLICE("alice"), SLICE("secret"));
	ck_assert_int_eq(challenge(&f, 407, MD5 PROXY), AUTH_NEED_SECRET);
	ck_assert(slice_eq(f.realm, SLICE("proxy.example.com")));
	auth_set_secret(f.t.ep, f.realm, SLICE("alice"), SLICE("other"));
	ck_assert_int_eq(challenge(&f, 407, MD5 PROXY), AUTH_RETRY);
	send_again(&f);
	expect_param(&f, "realm", "example.com");
	ck_assert(try_has(
		msg_header(f.sent, HDR_PROXY_AUTHORIZATION), "realm=\"proxy.example.com\""));
	/* Both again: both are refused. */
	ck_assert_int_eq(challenge(&f, 407, MD5 PROXY), AUTH_REFUSED);
	teardown(&f);
}
END_TEST

START_TEST(one_realm_on_both_sides)
{
	struct fixture f;

	setup(&f);
	ck_assert_int_eq(challenge(&f, 401, MD5), AUTH_NEED_SECRET);
	give_secret(&f, "example.com");
	/* The proxy of the same realm is answered without another question. */
	ck_assert_int_eq(
		challenge(&f, 407,
			"Proxy-Authenticate: Digest realm=\"example.com\", nonce=\"p\"\r\n"),
		AUTH_RETRY);
	send_again(&f);
	ck_assert_uint_eq(count(f.sent, HDR_AUTHORIZATION), 1);
	ck_assert_uint_eq(count(f.sent, HDR_PROXY_AUTHORIZATION), 1);
	teardown(&f);
}
END_TEST

START_TEST(a_refusal_is_the_end)
{
	struct fixture f;

	setup(&f);
	ck_assert_int_eq(challenge(&f, 401, MD5), AUTH_NEED_SECRET);
	give_secret(&f, "example.com");
	/* The same nonce or a new one: it makes no difference (RFC 7616 3.3, stale). */
	ck_assert_int_eq(challenge(&f, 401, SHA256), AUTH_REFUSED);
	/* The secret is forgotten: the next request goes without, and asks anew. */
	send_again(&f);
	ck_assert_ptr_null(msg_header(f.sent, HDR_AUTHORIZATION).p);
	ck_assert_int_eq(challenge(&f, 401, MD5), AUTH_NEED_SECRET);
	teardown(&f);
}
END_TEST

START_TEST(stale_is_no_refusal)
{
	struct fixture f;

	setup(&f);
	ck_assert_int_eq(challenge(&f, 401, MD5), AUTH_NEED_SECRET);
	give_secret(&f, "example.com");
	send_again(&f);
	expect_param(&f, "nc", "00000002");
	ck_assert_int_eq(challenge(&f, 401,
				 "WWW-Authenticate: Digest realm=\"example.com\", nonce=\"n9\", "
				 "qop=\"auth\", stale=TRUE\r\n"),
		AUTH_RETRY);
	send_again(&f);
	expect_param(&f, "nonce", "n9");
	expect_param(&f, "nc", "00000001");
	teardown(&f);
}
END_TEST

START_TEST(servers_forget_to_say_stale)
{
	struct fixture f;

	setup(&f);
	ck_assert_int_eq(challenge(&f, 401, MD5), AUTH_NEED_SECRET);
	give_secret(&f, "example.com");
	accept(&f, "");
	send_again(&f);
	/* These credentials were good a moment ago: another nonce is all it wants. */
	ck_assert_int_eq(challenge(&f, 401,
				 "WWW-Authenticate: Digest realm=\"example.com\", nonce=\"n9\", "
				 "qop=\"auth\"\r\n"),
		AUTH_RETRY);
	send_again(&f);
	expect_param(&f, "nonce", "n9");
	/* But only once. */
	ck_assert_int_eq(challenge(&f, 401,
				 "WWW-Authenticate: Digest realm=\"example.com\", nonce=\"n10\", "
				 "qop=\"auth\"\r\n"),
		AUTH_REFUSED);
	teardown(&f);
	/* The nonce that was just answered is no new one. */
	setup(&f);
	ck_assert_int_eq(challenge(&f, 401, MD5), AUTH_NEED_SECRET);
	give_secret(&f, "example.com");
	accept(&f, "");
	ck_assert_int_eq(challenge(&f, 401, MD5), AUTH_REFUSED);
	teardown(&f);
}
END_TEST

START_TEST(requests_cross)
{
	struct fixture f;
	struct msg *old;

	setup(&f);
	ck_assert_int_eq(challenge(&f, 401, MD5), AUTH_NEED_SECRET);
	give_secret(&f, "example.com");
	old = msg_ref(f.sent);
	/* Another request brings a newer challenge. */
	ck_assert_int_eq(challenge(&f, 401,
				 "WWW-Authenticate: Digest realm=\"example.com\", nonce=\"n5\", "
				 "qop=\"auth\", stale=true\r\n"),
		AUTH_RETRY);
	/* What was answered before that says nothing about the secret. */
	msg_unref(f.sent);
	f.sent = old;
	ck_assert_int_eq(challenge(&f, 401,
				 "WWW-Authenticate: Digest realm=\"example.com\", nonce=\"n6\", "
				 "qop=\"auth\"\r\n"),
		AUTH_RETRY);
	/* Nor does it prove it, or bring a nonce. */
	accept(&f, "Authentication-Info: nextnonce=\"n7\"\r\n");
	send_again(&f);
	expect_param(&f, "nonce", "n6");
	ck_assert_int_eq(challenge(&f, 401, MD5), AUTH_REFUSED);
	teardown(&f);
}
END_TEST

START_TEST(the_next_nonce)
{
	struct fixture f;

	setup(&f);
	ck_assert_int_eq(challenge(&f, 401, MD5), AUTH_NEED_SECRET);
	give_secret(&f, "example.com");
	/* RFC 7616 3.5 */
	accept(&f, "Authentication-Info: nextnonce=\"next\", qop=auth\r\n");
	send_again(&f);
	expect_param(&f, "nonce", "next");
	expect_param(&f, "nc", "00000001");
	/* It is as good as the one of a challenge. */
	accept(&f, "Authentication-Info: nextnonce=\"next\"\r\n");
	send_again(&f);
	expect_param(&f, "nc", "00000002");
	ck_assert_int_eq(challenge(&f, 401, MD5), AUTH_RETRY);
	teardown(&f);
	/* It names no realm: with two of them it could be anybody's. */
	setup(&f);
	ck_assert_int_eq(challenge(&f, 401,
				 MD5 "WWW-Authenticate: Digest realm=\"b\", nonce=\"nb\", "
				     "qop=\"auth\"\r\n"),
		AUTH_NEED_SECRET);
	auth_set_secret(f.t.ep, SLICE("b"), SLICE("u"), SLICE("p"));
	give_secret(&f, "example.com");
	ck_assert_uint_eq(count(f.sent, HDR_AUTHORIZATION), 2);
	accept(&f, "Authentication-Info: nextnonce=\"next\"\r\n");
	send_again(&f);
	ck_assert(!try_has(f.sent->raw, "next"));
	teardown(&f);
}
END_TEST

START_TEST(a_session_keeps_its_cnonce)
{
	struct fixture f;
	char cnonce[64];

	setup(&f);
	ck_assert_int_eq(challenge(&f, 401,
				 "WWW-Authenticate: Digest realm=\"example.com\", nonce=\"n\", "
				 "qop=\"auth\", algorithm=SHA-256-sess\r\n"),
		AUTH_NEED_SECRET);
	give_secret(&f, "example.com");
	expect_param(&f, "algorithm", "SHA-256-sess");
	ck_assert_str_eq(auth_scheme(&f.t.ep->auth), "Digest SHA-256-sess");
	(void)snprintf(cnonce, sizeof(cnonce), "%.*s", SLICE_ARGS(param(f.sent, "cnonce")));
	ck_assert_uint_ge(strlen(cnonce), 16);
	send_again(&f);
	/* RFC 7616 3.4.2: the first cnonce is in the key. */
	expect_param(&f, "cnonce", cnonce);
	expect_param(&f, "nc", "00000002");
	teardown(&f);
}
END_TEST

START_TEST(limit_of_realms)
{
	struct fixture f;
	char line[128];

	setup(&f);
	for (unsigned i = 0; i <= LIMITS_REALMS; i++) {
		(void)snprintf(line, sizeof(line),
			"WWW-Authenticate: Digest realm=\"r%u\", nonce=\"n\"\r\n", i);
		ck_assert_int_eq(challenge(&f, 401, line), AUTH_NEED_SECRET);
		(void)snprintf(line, sizeof(line), "r%u", i);
		auth_set_secret(f.t.ep, slice_str(line), SLICE("u"), SLICE("p"));
	}
	ck_assert_uint_eq(f.t.ep->auth.n_realms, LIMITS_REALMS);
	send_again(&f);
	ck_assert_uint_eq(count(f.sent, HDR_AUTHORIZATION), LIMITS_REALMS);
	ck_assert(!try_has(f.sent->raw, "realm=\"r0\""));
	ck_assert(try_has(f.sent->raw, "realm=\"r1\""));
	auth_forget(&f.t.ep->auth);
	send_again(&f);
	ck_assert_uint_eq(count(f.sent, HDR_AUTHORIZATION), 0);
	teardown(&f);
}
END_TEST

START_TEST(limit_of_realms_in_one_response)
{
	struct fixture f;
	struct buf b = BUF_NULL;
	char *text;

	setup(&f);
	for (unsigned i = 0; i < LIMITS_REALMS + 3; i++)
		buf_printf(&b, "WWW-Authenticate: Digest realm=\"r%u\", nonce=\"n\"\r\n", i);
	text = buf_take(&b);
	ck_assert_int_eq(challenge(&f, 401, text), AUTH_NEED_SECRET);
	ck_assert(slice_eq(f.realm, SLICE("r0")));
	ck_assert_uint_eq(f.t.ep->auth.n_realms, LIMITS_REALMS);
	free(text);
	teardown(&f);
}
END_TEST

START_TEST(who_the_user_is)
{
	struct fixture f;

	setup(&f);
	ck_assert_int_eq(challenge(&f, 401, MD5), AUTH_NEED_SECRET);
	free(f.t.ep->profile->account);
	f.t.ep->profile->account = mem_strdup("account");
	auth_set_secret(f.t.ep, SLICE("example.com"), SLICE_NULL, SLICE("secret"));
	send_again(&f);
	expect_param(&f, "username", "account");
	free(f.t.ep->profile->account);
	f.t.ep->profile->account = NULL;
	free(f.t.ep->uri);
	f.t.ep->uri = mem_strdup("sip:al%69ce@example.com");
	auth_set_secret(f.t.ep, SLICE("example.com"), SLICE_NULL, SLICE("secret"));
	send_again(&f);
	expect_param(&f, "username", "alice");
	teardown(&f);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("ua/auth");
	TCase *tc = tcase_create("all");
	SRunner *r;
	int failed;

	tcase_add_test(tc, asks_once_and_counts);
	tcase_add_test(tc, the_strongest_is_taken);
	tcase_add_test(tc, among_equals_the_topmost);
	tcase_add_test(tc, the_floor_holds);
	tcase_add_test(tc, what_is_not_understood_is_ignored);
	tcase_add_test(tc, quality_of_protection);
	tcase_add_test(tc, a_foreign_realm_gets_nothing);
	tcase_add_test(tc, the_mask_holds);
	tcase_add_test(tc, basic_needs_tls_and_leave);
	tcase_add_test(tc, base64_of_every_length);
	tcase_add_test(tc, two_realms_in_one_response);
	tcase_add_test(tc, one_realm_on_both_sides);
	tcase_add_test(tc, a_refusal_is_the_end);
	tcase_add_test(tc, stale_is_no_refusal);
	tcase_add_test(tc, servers_forget_to_say_stale);
	tcase_add_test(tc, requests_cross);
	tcase_add_test(tc, the_next_nonce);
	tcase_add_test(tc, a_session_keeps_its_cnonce);
	tcase_add_test(tc, limit_of_realms);
	tcase_add_test(tc, limit_of_realms_in_one_response);
	tcase_add_test(tc, who_the_user_is);
	suite_add_tcase(s, tc);
	r = srunner_create(s);
	srunner_run_all(r, CK_ENV);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
