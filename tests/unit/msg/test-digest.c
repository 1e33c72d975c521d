/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "protocol/msg/digest.h"

#include <errno.h>
#include <nettle/md5.h>
#include <nettle/sha2.h>

#include "tests/support/exact.h"
#include "tests/support/run.h"

/* The hashes of a library, as the daemon hands them in. */
static size_t nettle_hash(void *ctx, enum challenge_algorithm algorithm, const struct slice *pieces,
	size_t n, uint8_t out[static DIGEST_MAX_HASH])
{
	struct md5_ctx md5;
	struct sha256_ctx sha256;
	struct sha512_256_ctx sha512;

	(void)ctx;
	md5_init(&md5);
	sha256_init(&sha256);
	sha512_256_init(&sha512);
	for (size_t i = 0; i < n; i++) {
		md5_update(&md5, pieces[i].n, (const uint8_t *)pieces[i].p);
		sha256_update(&sha256, pieces[i].n, (const uint8_t *)pieces[i].p);
		sha512_256_update(&sha512, pieces[i].n, (const uint8_t *)pieces[i].p);
	}
	switch (algorithm) {
	case CHALLENGE_MD5:
		md5_digest(&md5, MD5_DIGEST_SIZE, out);
		return MD5_DIGEST_SIZE;
	case CHALLENGE_SHA256:
		sha256_digest(&sha256, SHA256_DIGEST_SIZE, out);
		return SHA256_DIGEST_SIZE;
	case CHALLENGE_SHA512_256:
		sha512_256_digest(&sha512, SHA512_256_DIGEST_SIZE, out);
		return SHA512_256_DIGEST_SIZE;
	case CHALLENGE_SHA1:
	case CHALLENGE_ALG_OTHER:
		break;
	}
	return 0;
}

static const struct digest_hasher hasher = { .hash = nettle_hash };

static struct challenge challenge(const char *text)
{
	struct slice rest = slice_str(text);
	struct challenge c;

	ck_assert_int_eq(challenge_next(&rest, &c), 1);
	return c;
}

static void assert_answer(const char *text, const struct digest_input *in, const char *want)
{
	struct challenge c = challenge(text);
	struct buf cleanup_buf b = BUF_NULL;

	ck_assert_int_eq(digest_append_answer(&b, &hasher, &c, in), 0);
	assert_slice(buf_slice(&b), want);
}

/* RFC 2617 section 3.5 */
START_TEST(rfc2617)
{
	assert_answer("Digest realm=\"testrealm@host.com\", qop=\"auth,auth-int\", "
		      "nonce=\"dcd98b7102dd2f0e8b11d0f600bfb0c093\", "
		      "opaque=\"5ccc069c403ebaf9f0171e9517f40e41\"",
		&(struct digest_input){ .user = SLICE("Mufasa"),
			.password = SLICE("Circle Of Life"),
			.method = SLICE("GET"),
			.uri = SLICE("/dir/index.html"),
			.cnonce = SLICE("0a4f113b"),
			.nc = 1,
			.qop = CHALLENGE_QOP_AUTH },
		"Digest username=\"Mufasa\", realm=\"testrealm@host.com\", "
		"nonce=\"dcd98b7102dd2f0e8b11d0f600bfb0c093\", uri=\"/dir/index.html\", "
		"response=\"6629fae49393a05397450978507c4ef1\", qop=auth, nc=00000001, "
		"cnonce=\"0a4f113b\", opaque=\"5ccc069c403ebaf9f0171e9517f40e41\"");
}
END_TEST

/* RFC 7616 section 3.9.1, both algorithms; RFC 8760 takes them over for SIP. */
START_TEST(rfc7616_md5_sha256)
{
	static const struct {
		const char *algorithm, *response;
	} rows[] = {
		{ "MD5", "8ca523f5e9506fed4657c9700eebdbec" },
		{ "SHA-256", "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1" },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char text[512], want[1024];

		(void)snprintf(text, sizeof(text),
			"Digest realm=\"http-auth@example.org\", qop=\"auth, auth-int\", algorithm=%s, "
			"nonce=\"7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v\", "
			"opaque=\"FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS\"",
			rows[i].algorithm);
		(void)snprintf(want, sizeof(want),
			"Digest username=\"Mufasa\", realm=\"http-auth@example.org\", "
			"nonce=\"7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v\", "
			"uri=\"/dir/index.html\", response=\"%s\", algorithm=%s, qop=auth, nc=00000001, "
			"cnonce=\"f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ\", "
			"opaque=\"FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS\"",
			rows[i].response, rows[i].algorithm);
		assert_answer(text,
			&(struct digest_input){ .user = SLICE("Mufasa"),
				.password = SLICE("Circle of Life"),
				.method = SLICE("GET"),
				.uri = SLICE("/dir/index.html"),
				.cnonce = SLICE("f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ"),
				.nc = 1,
				.qop = CHALLENGE_QOP_AUTH },
			want);
	}
}
END_TEST

/*
 * RFC 7616 section 3.9.2: SHA-512/256, UTF-8 user name, userhash. The hashes printed there were
 * made with SHA-512 cut short; these are the ones of its erratum, which are right for the
 * algorithm.
 */
START_TEST(rfc7616_sha512_256_userhash)
{
	assert_answer(
		"Digest realm=\"api@example.org\", qop=\"auth\", algorithm=SHA-512-256, "
		"nonce=\"5TsQWLVdgBdmrQ0XsxbDODV+57QdFR34I9HAbC/RVvkK\", "
		"opaque=\"HRPCssKJSGjCrkzDg8OhwpzCiGPChXYjwrI2QmXDnsOS\", charset=UTF-8, userhash=true",
		&(struct digest_input){ .user = SLICE("J\xc3\xa4s\xc3\xb8n Doe"),
			.password = SLICE("Secret, or not?"),
			.method = SLICE("GET"),
			.uri = SLICE("/doe.json"),
			.cnonce = SLICE("NTg6RKcb9boFIAS3KrFK9BGeh+iDa/sm6jUMp2wds69v"),
			.nc = 1,
			.qop = CHALLENGE_QOP_AUTH },
		"Digest username=\"793263caabb707a56211940d90411ea4a575adeccb7e360aeb624ed06ece9b0b\", "
		"userhash=true, realm=\"api@example.org\", "
		"nonce=\"5TsQWLVdgBdmrQ0XsxbDODV+57QdFR34I9HAbC/RVvkK\", uri=\"/doe.json\", "
		"response=\"3798d4131c277846293534c3edc11bd8a5e4cdcbff78b05db9d95eeb1cec68a5\", "
		"algorithm=SHA-512-256, qop=auth, nc=00000001, "
		"cnonce=\"NTg6RKcb9boFIAS3KrFK9BGeh+iDa/sm6jUMp2wds69v\", "
		"opaque=\"HRPCssKJSGjCrkzDg8OhwpzCiGPChXYjwrI2QmXDnsOS\"");
}
END_TEST

/* Every algorithm with every qop, computed by another implementation (Python's hashlib). */
static const struct {
	const char *algorithm;
	enum challenge_qop qop;
	const char *response, *rspauth;
} matrix[] = {
	{ "MD5", CHALLENGE_QOP_NONE, "bf57e4e0d0bffc0fbaedce64d59add5e",
		"748e424548c73d52e3bde6eef2d03c69" },
	{ "MD5", CHALLENGE_QOP_AUTH, "da61920429f958b1fe4eb4f5eebbc2cf",
		"4c93b3d63f1d1dce25a43e1f75af1f47" },
	{ "MD5", CHALLENGE_QOP_AUTH_INT, "9855c80e3610fac8933f2c676a44cb4b",
		"b0ba441e840646efc1ab5322304ae9bd" },
	{ "MD5-sess", CHALLENGE_QOP_NONE, "fff17611bcbbf00c9116a2c922dea8e1",
		"abc6748a0713f9ecca9aa388629d9090" },
	{ "MD5-sess", CHALLENGE_QOP_AUTH, "c0a5870829c575198432ba651b8a41de",
		"6c2dbda2b843a8948d635cc681c2fb9a" },
	{ "MD5-sess", CHALLENGE_QOP_AUTH_INT, "00ee96738abb1ce19ad845eae2775d15",
		"d4390551d5671fb9e70da088cc29c0b3" },
	{ "SHA-256", CHALLENGE_QOP_NONE,
		"38aad98c50c33abe72c5f88dd17246ffcfa6b1f68852c855719ff0659386c0ca",
		"a1423b6e354160f82dc8b2d959d0929697882718f960d1d2bd83077962d593c3" },
	{ "SHA-256", CHALLENGE_QOP_AUTH,
		"a0e65c11fd66ca05992cce3870640a3bf3b9cbec4819ab4d69d0065c2133db16",
		"823e1ca6e0926241bcea59202bd9799398c0a20eb48296aa287dcba724fbd9dd" },
	{ "SHA-256", CHALLENGE_QOP_AUTH_INT,
		"a2ec5c104d4e195ec9e0c8aecf6f20cf4a692a670134289d0bcee973e8a6f7fd",
		"9148e967562ecdc6054630721ae7c7e254ba318eaa0ae70277455181ef75420e" },
	{ "SHA-256-sess", CHALLENGE_QOP_NONE,
		"2ceb74b5bf787a27f00a80b94f397228de1a9bab1c3c56b7c6f984cf9f3ffdf7",
		"7f0365645a5ce13eda20adc5794bf94bc42750a7dd94f8c94b5b5e23deba29af" },
	{ "SHA-256-sess", CHALLENGE_QOP_AUTH,
		"8a60b78646a6e353ae8f4bfb727dca7b5f00f7f94f9ff2fc2aff7e192999cc04",
		"0eb49069418f4a346fe160449eca24b57335581f21659a1ecff6a5dd4b8a3214" },
	{ "SHA-256-sess", CHALLENGE_QOP_AUTH_INT,
		"7dcf1cf1b00925794110d603812151ab9c4ca20a747c9d6c4a97fdc321ca8445",
		"fb4ef79d3d6d2e548a1a303eb92bee491c8c449f16af4fae9793afc378b0f5db" },
	{ "SHA-512-256", CHALLENGE_QOP_NONE,
		"9e960b3a01beb63f1ea5d45d43bd8a2178879d3c9ddbbdb0624187ca823c6eca",
		"ce95c1d398864ebbee4c4707f825f61e7ea7be76960b3f6b0ad268173420ea8f" },
	{ "SHA-512-256", CHALLENGE_QOP_AUTH,
		"34537ce18a10282477c41f27afb9e7e07ae92c80308a4064b5e2acdb5fed50f4",
		"18bbbb4c82b2f1c4aa3521a7f71663cb6c8abec1e8d9d371274628e5b80a88dd" },
	{ "SHA-512-256", CHALLENGE_QOP_AUTH_INT,
		"5f6809882d8dac6dbbfec4269a94455035ebe0945d1dedcaced61f8e5ca08044",
		"f6dbde54bee16c5a04b0c8ccfe456359860d0bb8b3d5ef67175dfbed0242cc03" },
	{ "SHA-512-256-sess", CHALLENGE_QOP_NONE,
		"10f52db7e2818a98871fd94294a2593a22eeaf07e23dad0b2bb52694442db5dd",
		"0ca773af9dbc7a6d0c7d04a7469db4bdec6d14f84308b2078fbd8d119bc74268" },
	{ "SHA-512-256-sess", CHALLENGE_QOP_AUTH,
		"5c0c917e253d4a780e6d74d73289871f2f438a8e4c4282dd44c3c08912c59022",
		"bc25923c2766feebd0b1213fa042db64ccb3ea6e60280e45dade87021b41da02" },
	{ "SHA-512-256-sess", CHALLENGE_QOP_AUTH_INT,
		"af6b68faaa8a05d5ea6dd24a13d627408fd16e36e90d74a0c567d1484cbb3ee0",
		"b7e35f64fa33099af21e7f241e1ce9ba2dca73d21c18182ee8be7155416576d6" },
};

START_TEST(every_form)
{
	for (size_t i = 0; i < sizeof(matrix) / sizeof(matrix[0]); i++) {
		struct digest_input in = { .user = SLICE("bob"),
			.password = SLICE("zanzibar"),
			.method = SLICE("INVITE"),
			.uri = SLICE("sip:bob@biloxi.com"),
			.body = SLICE("v=0\r\n"),
			.cnonce = SLICE("0a4f113b"),
			.nc = 10,
			.qop = matrix[i].qop };
		struct buf cleanup_buf b = BUF_NULL;
		struct challenge c, answer;
		struct slice rest, value;
		char text[256];

		(void)snprintf(text, sizeof(text),
			"Digest realm=\"biloxi.com\",nonce=\"dcd98b7102dd2f0e8b11d0f600bfb0c093\","
			"algorithm=%s",
			matrix[i].algorithm);
		c = challenge(text);
		ck_assert_int_eq(digest_append_rspauth(&b, &hasher, &c, &in), 0);
		assert_slice(buf_slice(&b), matrix[i].rspauth);
		buf_reset(&b);
		ck_assert_int_eq(digest_append_answer(&b, &hasher, &c, &in), 0);
		rest = buf_slice(&b);
		ck_assert_int_eq(challenge_next(&rest, &answer), 1);
		ck_assert(challenge_param(answer.params, SLICE("response"), &value));
		assert_slice(value, matrix[i].response);
		/* RFC 2617 section 3.2.2: no cnonce and no nc without qop, but -sess needs its
		 * cnonce */
		ck_assert(challenge_param(answer.params, SLICE("nc"), &value) ==
			  (in.qop != CHALLENGE_QOP_NONE));
		ck_assert(challenge_param(answer.params, SLICE("cnonce"), &value) ==
			  (in.qop != CHALLENGE_QOP_NONE || c.sess));
	}
}
END_TEST

/* Escapes: resolved in what is hashed, as received in what goes back. */
START_TEST(escapes)
{
	assert_answer("Digest realm=\"re\\\"alm\",nonce=\"n\"",
		&(struct digest_input){ .user = SLICE("a\"b\\c"),
			.password = SLICE("p"),
			.method = SLICE("REGISTER"),
			.uri = SLICE("sip:h") },
		"Digest username=\"a\\\"b\\\\c\", realm=\"re\\\"alm\", nonce=\"n\", uri=\"sip:h\", "
		"response=\"83de5ee11d2c8d381655b3015410711c\"");
}
END_TEST

START_TEST(unknown_algorithm)
{
	struct challenge c = challenge("Digest realm=\"r\",nonce=\"n\",algorithm=AKAv1-MD5");
	struct digest_input in = { .user = SLICE("u") };
	struct buf cleanup_buf b = BUF_NULL;

	ck_assert_int_eq(digest_append_answer(&b, &hasher, &c, &in), -EOPNOTSUPP);
	ck_assert_int_eq(digest_append_rspauth(&b, &hasher, &c, &in), -EOPNOTSUPP);
	ck_assert_uint_eq(b.n, 0);
}
END_TEST

RUN_TESTS("msg-digest", rfc2617, rfc7616_md5_sha256, rfc7616_sha512_256_userhash, every_form,
	escapes, unknown_algorithm)
