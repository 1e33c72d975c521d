/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "protocol/msg/uri.h"

#include <errno.h>

#include "protocol/base/buf.h"
#include "tests/support/exact.h"
#include "tests/support/run.h"

static const struct {
	const char *text;
	enum uri_scheme scheme;
	const char *user, *password, *host; /* NULL: absent */
	uint16_t port;
	const char *params, *headers;
} good[] = {
	/* RFC 3261 section 19.1.3 */
	{ "sip:alice@atlanta.com", URI_SIP, "alice", NULL, "atlanta.com", 0, "", "" },
	{ "sip:alice:secretword@atlanta.com;transport=tcp", URI_SIP, "alice", "secretword",
		"atlanta.com", 0, ";transport=tcp", "" },
	{ "sips:alice@atlanta.com?subject=project%20x&priority=urgent", URI_SIPS, "alice", NULL,
		"atlanta.com", 0, "", "subject=project%20x&priority=urgent" },
	{ "sip:+1-212-555-1212:1234@gateway.com;user=phone", URI_SIP, "+1-212-555-1212", "1234",
		"gateway.com", 0, ";user=phone", "" },
	{ "sips:1212@gateway.com", URI_SIPS, "1212", NULL, "gateway.com", 0, "", "" },
	{ "sip:alice@192.0.2.4", URI_SIP, "alice", NULL, "192.0.2.4", 0, "", "" },
	{ "sip:atlanta.com;method=REGISTER?to=alice%40atlanta.com", URI_SIP, NULL, NULL,
		"atlanta.com", 0, ";method=REGISTER", "to=alice%40atlanta.com" },
	{ "sip:alice;day=tuesday@atlanta.com", URI_SIP, "alice;day=tuesday", NULL, "atlanta.com", 0,
		"", "" },
	{ "SIP:a@[2001:db8::10]:5070;lr", URI_SIP, "a", NULL, "[2001:db8::10]", 5070, ";lr", "" },
	{ "sip:%00@h", URI_SIP, "%00", NULL, "h", 0, "", "" },
	{ "sip:a:@h", URI_SIP, "a", "", "h", 0, "", "" },
	{ "sip:h?a=&b=c", URI_SIP, NULL, NULL, "h", 0, "", "a=&b=c" },
	{ "sip:a@h;gr=urn:uuid:f81d4fae;x=a==", URI_SIP, "a", NULL, "h", 0,
		";gr=urn:uuid:f81d4fae;x=a==", "" },
	/* RFC 4475 3.1.1.2, 3.1.1.9 */
	{ "sip:1_unusual.URI~(to-be!sure)&isn't+it$/crazy?,/;;*:&it+has=1,weird!*pas$wo~d_too."
	  "(doesn't-it)@example.com",
		URI_SIP, "1_unusual.URI~(to-be!sure)&isn't+it$/crazy?,/;;*",
		"&it+has=1,weird!*pas$wo~d_too.(doesn't-it)", "example.com", 0, "", "" },
	{ "sip:user;par=u%40example.net@example.com", URI_SIP, "user;par=u%40example.net", NULL,
		"example.com", 0, "", "" },
	/* RFC 3966 */
	{ "tel:+1-201-555-0123", URI_TEL, "+1-201-555-0123", NULL, NULL, 0, "", "" },
	{ "TEL:7042;phone-context=example.com;ext=5", URI_TEL, "7042", NULL, NULL, 0,
		";phone-context=example.com;ext=5", "" },
	{ "tel:*31#;phone-context=+49", URI_TEL, "*31#", NULL, NULL, 0, ";phone-context=+49", "" },
	/* RFC 4475 3.3.2 to 3.3.4: a stranger's scheme is no fault */
	{ "nobodyKnowsThisScheme:totallyopaquecontent", URI_OTHER, NULL, NULL, NULL, 0, NULL,
		NULL },
	{ "soap.beep://192.0.2.103:3002", URI_OTHER, NULL, NULL, NULL, 0, NULL, NULL },
	{ "urn:service:sos", URI_OTHER, NULL, NULL, NULL, 0, NULL, NULL },
};

static void assert_optional(struct slice got, const char *want)
{
	if (want)
		assert_slice(got, want);
	else
		ck_assert(got.p == NULL && got.n == 0);
}

START_TEST(parts)
{
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		struct slice text = exact_str(good[i].text);
		struct uri u;

		ck_assert_msg(uri_parse(text, &u) == 0, "%s", good[i].text);
		ck_assert_int_eq(u.scheme, good[i].scheme);
		assert_slice(u.text, good[i].text);
		assert_optional(u.user, good[i].user);
		assert_optional(u.password, good[i].password);
		assert_optional(u.host, good[i].host);
		ck_assert_uint_eq(u.port, good[i].port);
		assert_slice(u.params, good[i].params ? good[i].params : "");
		assert_slice(u.headers, good[i].headers ? good[i].headers : "");
		ck_assert(uri_equal(&u, &u));
		exact_free(text);
	}
}
END_TEST

START_TEST(refused)
{
	static const char *const bad[] = { "", "sip", "sip:", ":", "1sip:a@b", "sip:@b", "sip:a@",
		"sip:a@b@c", "sip:a b@c", "sip:a@b c", "sip:a@b;x y", "sip:a@b;", "sip:a@b;;x",
		"sip:a@b;=x", "sip:a@b;x=", "sip:a@b:", "sip:a@b:0", "sip:a@b:65536",
		"sip:a@b:5060x", "sip:a%4@b", "sip:a%zz@b", "sip:a%@b", "sip:a@b%41", "sip:a@b?",
		"sip:a@b?x", "sip:a@b?=x", "sip:a@b?x=y&", "sip:a@b?&x=y", "sip:a@b;x=\"y\"",
		"sip:a@b\r\n", "sip:a\r\n@b", "<sip:a@b>", "sip:a@<b>", "sip:\"a\"@b", "sip:a@b>",
		"sip:a@[::1", "sip:a@[zz]", "sip:a@[::1]x", "sip:a@-b", "sip:\xc3\xa9@b",
		"sip:a@\xc3\xa9", "tel:", "tel:+", "tel:-", "tel:+a", "tel:+1+2", "tel:12 34",
		"tel:12;phone-context", "tel:1;", "http:", "x:a b", "x:a\"b", "x:<y>", "x:a%4",
		"x:\x7f" };

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct slice text = exact_str(bad[i]);
		struct uri u = { .port = 77 };

		ck_assert_msg(uri_parse(text, &u) == -EBADMSG, "%s", bad[i]);
		ck_assert_uint_eq(u.port, 77);
		exact_free(text);
	}
	/* A NUL is a byte like any other that does not belong there. */
	ck_assert_int_eq(
		uri_parse(slice_of("sip:a\0b@c", 9), &(struct uri){ .port = 0 }), -EBADMSG);
	ck_assert_int_eq(
		uri_parse(slice_of("sip:a@c\0d", 9), &(struct uri){ .port = 0 }), -EBADMSG);
}
END_TEST

/* Comparing costs the square of these. */
START_TEST(ceilings)
{
	struct buf cleanup_buf b = BUF_NULL;
	struct uri u;

	buf_lit(&b, "sip:h");
	for (int i = 0; i < URI_MAX_PARAMS; i++)
		buf_lit(&b, ";a");
	ck_assert_int_eq(uri_parse(buf_slice(&b), &u), 0);
	buf_lit(&b, ";a");
	ck_assert_int_eq(uri_parse(buf_slice(&b), &u), -EBADMSG);
	buf_reset(&b);
	buf_lit(&b, "sip:h?a=");
	for (int i = 1; i < URI_MAX_HEADERS; i++)
		buf_lit(&b, "&a=");
	ck_assert_int_eq(uri_parse(buf_slice(&b), &u), 0);
	buf_lit(&b, "&a=");
	ck_assert_int_eq(uri_parse(buf_slice(&b), &u), -EBADMSG);
}
END_TEST

static const struct {
	const char *a, *b;
	bool equal;
} pairs[] = {
	/* RFC 3261 section 19.1.4, every example */
	{ "sip:%61lice@atlanta.com;transport=TCP", "sip:alice@AtLanTa.CoM;Transport=tcp", true },
	{ "sip:carol@chicago.com", "sip:carol@chicago.com;newparam=5", true },
	{ "sip:carol@chicago.com", "sip:carol@chicago.com;security=on", true },
	{ "sip:carol@chicago.com;newparam=5", "sip:carol@chicago.com;security=on", true },
	{ "sip:biloxi.com;transport=tcp;method=REGISTER?to=sip:bob%40biloxi.com",
		"sip:biloxi.com;method=REGISTER;transport=tcp?to=sip:bob%40biloxi.com", true },
	{ "sip:alice@atlanta.com?subject=project%20x&priority=urgent",
		"sip:alice@atlanta.com?priority=urgent&subject=project%20x", true },
	{ "SIP:ALICE@AtLanTa.CoM;Transport=udp", "sip:alice@AtLanTa.CoM;Transport=UDP", false },
	{ "sip:bob@biloxi.com", "sip:bob@biloxi.com:5060", false },
	{ "sip:bob@biloxi.com", "sip:bob@biloxi.com;transport=udp", false },
	{ "sip:bob@biloxi.com", "sip:bob@biloxi.com:6000;transport=tcp", false },
	{ "sip:carol@chicago.com", "sip:carol@chicago.com?Subject=next%20meeting", false },
	{ "sip:bob@phone21.boxesbybob.com", "sip:bob@192.0.2.4", false },
	{ "sip:carol@chicago.com;security=on", "sip:carol@chicago.com;security=off", false },
	/* the rules of the section that have no example */
	{ "sip:a@h", "sips:a@h", false },
	{ "sip:h", "sip:a@h", false },
	{ "sip:a:p@h", "sip:a@h", false },
	{ "sip:a:p@h", "sip:a:P@h", false },
	{ "sip:a:@h", "sip:a@h", false },
	{ "sip:a@h;user=phone", "sip:a@h", false },
	{ "sip:a@h", "sip:a@h;ttl=1", false },
	{ "sip:a@h;method=INVITE", "sip:a@h", false },
	{ "sip:a@h;maddr=192.0.2.1", "sip:a@h", false },
	{ "sip:a@h;maddr=192.0.2.1", "sip:a@h;maddr=192.0.2.2", false },
	{ "sip:a@h;lr", "sip:a@h", true },
	{ "sip:a@h;lr", "sip:a@h;lr=on", false },
	{ "sip:a@h;%6C%72", "sip:a@h;LR", true },
	{ "sip:a@h;x=%41", "sip:a@h;x=a", true },
	{ "sip:a@h;x=1;x=2", "sip:a@h;x=1;x=2", true },
	{ "sip:a@h;x=1;x=2", "sip:a@h;x=2;x=1", false },
	/* an escape equals its character unless that is reserved */
	{ "sip:a%40b@h", "sip:a%40b@h", true },
	{ "sip:a%3Bb@h", "sip:a;b@h", false },
	{ "sip:a%3bb@h", "sip:a%3Bb@h", true },
	{ "sip:%2561@h", "sip:%61@h", false },
	{ "sip:null-%00-null@h", "sip:null-%00-null@h", true },
	{ "sip:%00@h", "sip:%00%00@h", false },
	{ "sip:h?a=1&a=1&b=2", "sip:h?a=1&b=2&a=1", true },
	{ "sip:h?a=1&a=1&b=2", "sip:h?a=1&b=2&b=2", false },
	{ "sip:h?a=1", "sip:h?a=2", false },
	/* RFC 3966 section 4 */
	{ "tel:+1-201-555-0123", "tel:+12015550123", true },
	{ "tel:+1-201-555-0123", "tel:12015550123", false },
	{ "tel:+1(201)5550123", "tel:+12015550124", false },
	{ "tel:7042;phone-context=Example.com", "TEL:7042;phone-context=example.COM", true },
	{ "tel:863;phone-context=+1-914-555", "tel:863;phone-context=+1914555", true },
	{ "tel:863;phone-context=+1-914-555", "tel:863;phone-context=+1914556", false },
	{ "tel:1;a=1;b=2", "tel:1;b=2;a=1", true },
	{ "tel:1;a=1", "tel:1", false },
	{ "tel:1;ext=1-2", "tel:1;ext=12", true },
	{ "tel:1", "sip:1@h", false },
	{ "urn:a", "urn:a", true },
	{ "urn:a", "urn:A", false },
};

START_TEST(equality)
{
	for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++) {
		struct slice sa = exact_str(pairs[i].a), sb = exact_str(pairs[i].b);
		struct uri a, b;

		ck_assert_msg(uri_parse(sa, &a) == 0, "%s", pairs[i].a);
		ck_assert_msg(uri_parse(sb, &b) == 0, "%s", pairs[i].b);
		ck_assert_msg(uri_equal(&a, &b) == pairs[i].equal, "%s %s", pairs[i].a, pairs[i].b);
		ck_assert_msg(uri_equal(&b, &a) == pairs[i].equal, "%s %s", pairs[i].b, pairs[i].a);
		exact_free(sa);
		exact_free(sb);
	}
}
END_TEST

static struct uri parsed(const char *text)
{
	struct uri u;

	ck_assert_msg(uri_parse(slice_str(text), &u) == 0, "%s", text);
	return u;
}

START_TEST(transports)
{
	static const struct {
		const char *text;
		enum transport transport;
	} rows[] = {
		{ "sip:h", TRANSPORT_NONE },
		{ "sip:h;transport=UDP", TRANSPORT_UDP },
		{ "sip:h;transport=tcp", TRANSPORT_TCP },
		{ "sip:h;transport=tls", TRANSPORT_TLS },
		{ "sip:h;transport=sctp", TRANSPORT_NONE },
		/* RFC 3261 section 26.2.2 */
		{ "sips:h", TRANSPORT_TLS },
		{ "sips:h;transport=tcp", TRANSPORT_TLS },
		{ "sips:h;transport=udp", TRANSPORT_NONE },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct uri u = parsed(rows[i].text);

		ck_assert_msg(uri_transport(&u) == rows[i].transport, "%s", rows[i].text);
	}
}
END_TEST

START_TEST(params_by_name)
{
	struct uri u = parsed("sip:cal%6Cer@host5.example.net;%6C%72;n%61me=v%61lue%25%34%31");
	struct slice value = SLICE("untouched");
	struct buf cleanup_buf b = BUF_NULL;

	/* RFC 4475 3.1.1.3: escapes are resolved once */
	ck_assert(uri_param(&u, SLICE("lr"), &value) && value.p == NULL);
	ck_assert(uri_param(&u, SLICE("NAME"), &value));
	uri_append_unescaped(&b, value);
	assert_slice(buf_slice(&b), "value%41");
	ck_assert(!uri_param(&u, SLICE("maddr"), &value));
}
END_TEST

START_TEST(canonical)
{
	static const struct {
		const char *text, *aor;
	} rows[] = {
		{ "sip:%61lice:pw@AtLanTa.CoM:5070;x=y", "alice@atlanta.com" },
		{ "sips:Alice@h", "Alice@h" },
		{ "sip:Example.com", "example.com" },
		{ "sip:sips%3Auser%40example.com@example.net",
			"sips:user@example.com@example.net" },
		{ "sip:a@[2001:DB8::1]", "a@[2001:db8::1]" },
		{ "tel:+1-201-555-0123;ext=5", "+12015550123" },
		{ "urn:Service:sos", "urn:Service:sos" },
	};
	struct buf cleanup_buf b = BUF_NULL;
	struct uri u;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		u = parsed(rows[i].text);
		buf_reset(&b);
		uri_append_aor(&b, &u);
		assert_slice(buf_slice(&b), rows[i].aor);
	}
	/* RFC 4475 3.1.1.4: a NUL does not end it */
	u = parsed("sip:null-%00-null@example.com");
	buf_reset(&b);
	uri_append_aor(&b, &u);
	ck_assert(slice_eq(buf_slice(&b), slice_of("null-\0-null@example.com", 23)));
}
END_TEST

START_TEST(user_part_round_trip)
{
	char all[256];
	struct buf cleanup_buf b = BUF_NULL;
	struct buf cleanup_buf back = BUF_NULL;
	struct uri u;

	for (int i = 0; i < 256; i++)
		all[i] = (char)i;
	buf_lit(&b, "sip:");
	uri_append_user(&b, slice_of(all, sizeof(all)));
	buf_lit(&b, "@h");
	ck_assert_int_eq(uri_parse(buf_slice(&b), &u), 0);
	uri_append_unescaped(&back, u.user);
	ck_assert(slice_eq(buf_slice(&back), slice_of(all, sizeof(all))));
}
END_TEST

START_TEST(numeric_hosts)
{
	struct uri u = parsed("sip:a@[2001:db8::1]:5060");

	assert_slice(uri_bare_host(&u), "2001:db8::1");
	u = parsed("sip:a@example.com");
	assert_slice(uri_bare_host(&u), "example.com");
	ck_assert(uri_host_is_numeric(SLICE("192.0.2.1")));
	ck_assert(uri_host_is_numeric(SLICE("[2001:db8::1]")));
	ck_assert(uri_host_is_numeric(SLICE("2001:db8::1")));
	ck_assert(!uri_host_is_numeric(SLICE("[192.0.2.1]")));
	ck_assert(!uri_host_is_numeric(SLICE("example.com")));
	ck_assert(!uri_host_is_numeric(SLICE("")));
}
END_TEST

RUN_TESTS("msg-uri", parts, refused, ceilings, equality, transports, params_by_name, canonical,
	user_part_round_trip, numeric_hosts)
