/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "protocol/msg/challenge.h"

#include <errno.h>

#include "tests/support/exact.h"
#include "tests/support/run.h"

static struct challenge next(struct slice *rest)
{
	struct challenge c;

	ck_assert_int_eq(challenge_next(rest, &c), 1);
	return c;
}

/* RFC 3261 section 22.4, RFC 7616 section 3.3 */
START_TEST(digest)
{
	struct slice
		text = exact_str(
			"Digest realm=\"atlanta.com\" , domain=\"sip:boxesbybob.com\", qop=\"auth, auth-int\","
			"nonce=\"f84f1cec41e6cbe5aea9c8e88d359\", opaque=\"\", stale=FALSE, algorithm=MD5"),
		rest = text;
	struct challenge c = next(&rest);

	ck_assert_int_eq(c.scheme, CHALLENGE_DIGEST);
	assert_slice(c.realm, "atlanta.com");
	assert_slice(c.domain, "sip:boxesbybob.com");
	assert_slice(c.nonce, "f84f1cec41e6cbe5aea9c8e88d359");
	ck_assert(c.opaque.p != NULL && c.opaque.n == 0);
	ck_assert_uint_eq(c.qop, CHALLENGE_QOP_AUTH | CHALLENGE_QOP_AUTH_INT);
	ck_assert_int_eq(c.algorithm, CHALLENGE_MD5);
	ck_assert(!c.stale && !c.sess && !c.userhash);
	ck_assert_int_eq(challenge_next(&rest, &c), 0);
	exact_free(text);
}
END_TEST

START_TEST(variants)
{
	static const struct {
		const char *text;
		enum challenge_algorithm algorithm;
		bool sess;
		unsigned qop;
		bool stale, userhash;
	} rows[] = {
		{ "Digest nonce=x", CHALLENGE_MD5, false, CHALLENGE_QOP_NONE, false, false },
		{ "digest nonce=x,qop=auth,stale=\"TRUE\"", CHALLENGE_MD5, false,
			CHALLENGE_QOP_AUTH, true, false },
		{ "Digest algorithm=\"md5-SESS\"", CHALLENGE_MD5, true, 0, false, false },
		{ "Digest algorithm=SHA-256,userhash=true", CHALLENGE_SHA256, false, 0, false,
			true },
		{ "Digest algorithm=SHA-256-sess", CHALLENGE_SHA256, true, 0, false, false },
		{ "Digest algorithm=SHA-512-256", CHALLENGE_SHA512_256, false, 0, false, false },
		{ "Digest algorithm=SHA-512-256-sess", CHALLENGE_SHA512_256, true, 0, false,
			false },
		{ "Digest algorithm=AKAv1-MD5", CHALLENGE_ALG_OTHER, false, 0, false, false },
		{ "Digest qop=\"auth-conf,,auth\"", CHALLENGE_MD5, false,
			CHALLENGE_QOP_AUTH | CHALLENGE_QOP_OTHER, false, false },
		{ "Digest , ,qop=\"\"", CHALLENGE_MD5, false, CHALLENGE_QOP_NONE, false, false },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct slice text = exact_str(rows[i].text), rest = text;
		struct challenge c = next(&rest);

		ck_assert_msg(c.algorithm == rows[i].algorithm, "%s", rows[i].text);
		ck_assert_msg(c.sess == rows[i].sess, "%s", rows[i].text);
		ck_assert_msg(c.qop == rows[i].qop, "%s", rows[i].text);
		ck_assert_msg(c.stale == rows[i].stale, "%s", rows[i].text);
		ck_assert_msg(c.userhash == rows[i].userhash, "%s", rows[i].text);
		ck_assert_int_eq(challenge_next(&rest, &c), 0);
		exact_free(text);
	}
}
END_TEST

START_TEST(several_in_a_line)
{
	struct slice
		text = exact_str(
			"NTLM realm=\"SIP Communications Service\", targetname=\"srv.example.com\", version=4,"
			"Kerberos realm=\"x\", targetname=\"sip/srv.example.com\", version=3, Negotiate ,"
			" Basic realm=\"a, b=c\", NTLM TlRMTVNTUAACAAAA+/==, NoOneKnowsThisScheme opaque-data=here,"
			"Digest nonce=\"n\\\"\", realm = \"r\""),
		rest = text, value;
	struct challenge c = next(&rest);

	ck_assert_int_eq(c.scheme, CHALLENGE_NTLM);
	assert_slice(c.realm, "SIP Communications Service");
	ck_assert(challenge_param(c.params, SLICE("TargetName"), &value));
	assert_slice(value, "srv.example.com");
	ck_assert(!challenge_param(c.params, SLICE("srv.example.com"), &value));
	c = next(&rest);
	ck_assert_int_eq(c.scheme, CHALLENGE_KERBEROS);
	ck_assert(challenge_param(c.params, SLICE("version"), &value));
	assert_slice(value, "3");
	c = next(&rest);
	ck_assert_int_eq(c.scheme, CHALLENGE_OTHER);
	assert_slice(c.scheme_name, "Negotiate");
	ck_assert_uint_eq(c.params.n, 0);
	c = next(&rest);
	ck_assert_int_eq(c.scheme, CHALLENGE_BASIC);
	assert_slice(c.realm, "a, b=c");
	c = next(&rest);
	ck_assert_int_eq(c.scheme, CHALLENGE_NTLM);
	assert_slice(c.params, "TlRMTVNTUAACAAAA+/==");
	c = next(&rest);
	assert_slice(c.scheme_name, "NoOneKnowsThisScheme");
	c = next(&rest);
	assert_slice(c.nonce, "n\\\"");
	assert_slice(c.realm, "r");
	ck_assert_int_eq(challenge_next(&rest, &c), 0);
	exact_free(text);
}
END_TEST

START_TEST(refused)
{
	static const char *const bad[] = { "=", "\"Digest\"", "Digest=x", "(x)",
		"Digest realm=\"a\" nonce=\"b\"", "Digest realm=\"a\"x" };

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct slice text = exact_str(bad[i]), rest = text;
		struct challenge c;

		ck_assert_msg(challenge_next(&rest, &c) == -EBADMSG, "%s", bad[i]);
		exact_free(text);
	}
}
END_TEST

/* What opens and never closes hides nothing: the rest is refused, not skipped. */
START_TEST(unclosed_quote)
{
	struct slice rest = SLICE("Digest nonce=\"n\", realm=\"r");
	struct challenge c = next(&rest);

	assert_slice(c.nonce, "n");
	ck_assert(c.realm.p == NULL);
	ck_assert_int_eq(challenge_next(&rest, &c), -EBADMSG);
}
END_TEST

START_TEST(first_counts)
{
	struct slice rest = SLICE("Digest nonce=\"1\",nonce=\"2\",algorithm=SHA-256,algorithm=MD5");
	struct challenge c = next(&rest);

	assert_slice(c.nonce, "1");
	ck_assert_int_eq(c.algorithm, CHALLENGE_SHA256);
}
END_TEST

RUN_TESTS(
	"msg-challenge", digest, variants, several_in_a_line, refused, unclosed_quote, first_counts)
