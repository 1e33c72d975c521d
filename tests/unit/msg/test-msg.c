/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "protocol/msg/msg.h"

#include <errno.h>
#include <string.h>

#include "protocol/base/buf.h"
#include "tests/support/exact.h"
#include "tests/support/run.h"

static struct msg *parse(struct slice text, enum msg_framing framing)
{
	struct slice bytes = exact_copy(text);
	struct msg *m = NULL;

	ck_assert_msg(msg_parse(bytes, framing, &m) == 0, "%.*s", SLICE_ARGS(text));
	/* The message owns its bytes. */
	exact_free(bytes);
	return m;
}

/* A request that has everything but what extra says, and extra at the end of its headers. */
#define TOP                                                                                \
	"Via: SIP/2.0/UDP h;branch=z9hG4bK1\r\nFrom: <sip:a@b>;tag=1\r\nTo: <sip:c@d>\r\n" \
	"Call-ID: x\r\nCSeq: 1 OPTIONS\r\n"

static void assert_fault(const char *text, unsigned status, const char *reason)
{
	struct msg *m = parse(slice_str(text), MSG_DATAGRAM);

	ck_assert_msg(m->fault.status == status, "%s: %u %s", text, m->fault.status,
		m->fault.reason ? m->fault.reason : "");
	if (reason)
		ck_assert_str_eq(m->fault.reason, reason);
	msg_unref(m);
}

START_TEST(request)
{
	struct msg *m =
		parse(SLICE("\r\n\r\nSUBSCRIBE sips:bob@h:5070;x SIP/2.0\r\n"
			    "v: SIP/2.0/TLS h;branch=z9hG4bK1\r\n"
			    "f: Al <sip:a@b>;tag=1\r\nt: <sip:c@d>;tag=2\r\ni: x@y\r\n"
			    "CSeq: 0009  SUBSCRIBE\r\nm: <sip:a@1.2.3.4>\r\nc: a/b ; c=\"d\"\r\n"
			    "l: 2\r\n\r\nabcdef"),
			MSG_DATAGRAM);

	ck_assert_uint_eq(m->fault.status, 0);
	ck_assert(m->is_request && msg_is_answerable(m));
	ck_assert_int_eq(m->method, METHOD_SUBSCRIBE);
	assert_slice(m->method_name, "SUBSCRIBE");
	assert_slice(m->request_uri, "sips:bob@h:5070;x");
	ck_assert_int_eq(m->uri.scheme, URI_SIPS);
	ck_assert_int_eq(m->via.transport, TRANSPORT_TLS);
	assert_slice(m->from.display, "Al");
	assert_slice(m->from_tag, "1");
	assert_slice(m->to_tag, "2");
	assert_slice(m->call_id, "x@y");
	ck_assert_uint_eq(m->cseq, 9);
	ck_assert_int_eq(m->cseq_method, METHOD_SUBSCRIBE);
	assert_slice(m->contact.uri.text, "sip:a@1.2.3.4");
	assert_slice(m->content_type, "a/b ; c=\"d\"");
	/* RFC 3261 section 18.3: what follows the body of a datagram is no part of it. */
	assert_slice(m->body, "ab");
	ck_assert(slice_starts(m->raw, SLICE("SUBSCRIBE ")));
	ck_assert(m->raw.p + m->raw.n == m->body.p + m->body.n);
	msg_unref(msg_ref(m));
	assert_slice(m->body, "ab");
	msg_unref(m);
	msg_unref(NULL);
}
END_TEST

START_TEST(response)
{
	struct msg *m =
		parse(SLICE("SIP/2.0 487 Request Terminated\r\n" TOP "\r\nbody"), MSG_DATAGRAM);

	ck_assert(!m->is_request && !msg_is_answerable(m));
	ck_assert_uint_eq(m->fault.status, 0);
	ck_assert_uint_eq(m->status, 487);
	assert_slice(m->reason, "Request Terminated");
	ck_assert_int_eq(m->method, METHOD_OPTIONS);
	assert_slice(m->body, "body");
	ck_assert(m->to_tag.p == NULL);
	msg_unref(m);
	m = parse(SLICE("sip/2.0 100\r\n" TOP "\r\n"), MSG_DATAGRAM);
	ck_assert_uint_eq(m->fault.status, 0);
	ck_assert_uint_eq(m->status, 100);
	ck_assert_uint_eq(m->reason.n, 0);
	msg_unref(m);
}
END_TEST

START_TEST(start_lines)
{
	static const struct {
		const char *line;
		unsigned fault;
	} rows[] = {
		{ "OPTIONS sip:h SIP/2.0", 0 },
		{ "OPTIONS sip:h sip/2.0", 0 },
		{ "OPTIONS urn:x SIP/2.0", 0 },
		{ "OPTIONS sip:h SIP/3.0", 505 },
		{ "OPTIONS sip:h SIP/2.00", 505 },
		{ "OPTIONS sip:h SIP/2", 400 },
		{ "OPTIONS sip:h SIP/2.0x", 400 },
		{ "OPTIONS sip:h SIP/2.0 ", 400 },
		{ "OPTIONS  sip:h SIP/2.0", 400 },
		{ "OPTIONS sip:h  SIP/2.0", 400 },
		{ "OPTIONS SIP/2.0", 400 },
		{ "OPTIONS  SIP/2.0", 400 },
		{ "OPTIONS <sip:h> SIP/2.0", 400 },
		{ "OPTIONS sip:h?a=b SIP/2.0", 400 },
		{ "OPT@IONS sip:h SIP/2.0", 400 },
		{ "OPTIONS\tsip:h SIP/2.0", 400 },
		{ "SIP/2.0 099 x", 400 },
		{ "SIP/2.0 700 x", 400 },
		{ "SIP/2.0 20 x", 400 },
		{ "SIP/2.0 2000 x", 400 },
		{ "SIP/2.0  200 x", 400 },
		{ "SIP/2.0 20x x", 400 },
		{ "SIP/2.0 ", 400 },
		{ "SIP/2.0", 400 },
		{ "SIP/7.0 200 x", 505 },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char text[512];

		(void)snprintf(text, sizeof(text), "%s\r\n" TOP "\r\n", rows[i].line);
		assert_fault(text, rows[i].fault, NULL);
	}
}
END_TEST

START_TEST(not_sip)
{
	static const char *const texts[] = { "", "\r\n\r\n", "\r\n", "OPTIONS sip:h SIP/2.0",
		"GET / HTTP/1.1\r\n\r\n", "\r\n OPTIONS sip:h SIP/2.0\r\n\r\n", "hello\r\n\r\n",
		" SIP/2.0\r\n\r\n", "SIP\r\n\r\n", "\x16\x03\x01\n" };

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		struct slice bytes = exact_str(texts[i]);
		struct msg *m = NULL;

		ck_assert_msg(msg_parse(bytes, MSG_DATAGRAM, &m) == -EBADMSG, "%s", texts[i]);
		ck_assert(m == NULL);
		exact_free(bytes);
	}
}
END_TEST

/* What is wrong with headers, each alone in a message that is right otherwise. */
START_TEST(header_faults)
{
	static const struct {
		const char *extra;
		unsigned fault;
		const char *reason;
	} rows[] = {
		{ "", 0, NULL },
		{ "Contact: *\r\n", 0, NULL },
		{ "Contact: <sip:a@b>;q=1, sip:c@d\r\nm: <sip:e@f>\r\n", 0, NULL },
		{ "Contact: \r\n", 0, NULL },
		{ "Contact: <sip:a@b>,\r\n", 400, "Bad Contact" },
		{ "Contact: sip:a@b?x=y\r\n", 400, "Bad Contact" },
		{ "m: <sip:a@b>\r\nm: *\r\n", 400, "Bad Contact" },
		{ "m: *, <sip:a@b>\r\n", 400, "Bad Contact" },
		{ "Content-Type: \r\n", 0, NULL },
		{ "Content-Type: text\r\n", 400, "Bad Content-Type" },
		{ "Content-Type: text/plain;\r\n", 400, "Bad Content-Type" },
		{ "Content-Length: 0\r\nl: 0\r\n", 0, NULL },
		{ "Content-Length: 0\r\nl: 1\r\n", 400, "Repeated Header Field" },
		{ "Content-Length: 1\r\n", 400, "Content-Length Beyond Message" },
		{ "Content-Length: -1\r\n", 400, "Bad Content-Length" },
		{ "Content-Length: 1 1\r\n", 400, "Bad Content-Length" },
		{ "Content-Length:\r\n", 400, "Bad Content-Length" },
		{ "Content-Length: 18446744073709551616\r\n", 400, "Bad Content-Length" },
		{ "To: <sip:e@f>\r\n", 400, "Repeated Header Field" },
		{ "Expires: 1\r\nExpires: 1\r\n", 400, "Repeated Header Field" },
		{ "Accept: a/b\r\nAccept: c/d\r\n", 0, NULL },
		{ "X-A: 1\r\nX-A: 2\r\n", 0, NULL },
		{ "NoColon\r\n", 400, "Bad Header Field" },
		{ "Bad Name: x\r\n", 400, "Bad Header Field" },
		{ ": x\r\n", 400, "Bad Header Field" },
		{ "X: a\rb\r\n", 400, "Bad Line End" },
		{ "Max-Forwards: 300\r\nDate: yesterday\r\nExpires: 1e9\r\nWarning: x\r\n", 0,
			NULL },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char text[1024];

		(void)snprintf(text, sizeof(text), "OPTIONS sip:h SIP/2.0\r\n" TOP "%s\r\n",
			rows[i].extra);
		assert_fault(text, rows[i].fault, rows[i].reason);
	}
}
END_TEST

START_TEST(missing_and_bad)
{
	static const struct {
		const char *via, *from, *to, *call_id, *cseq;
		const char *reason; /* NULL: none */
		bool answerable;
	} rows[] = {
#define V "Via: SIP/2.0/UDP h\r\n"
#define F "From: <sip:a@b>\r\n"
#define T "To: <sip:a@b>\r\n"
#define I "Call-ID: x\r\n"
#define C "CSeq: 1 OPTIONS\r\n"
		/* RFC 2543 forms: no branch, no tag (RFC 4475 3.4.1) */
		{ V, F, T, I, C, NULL, true },
		{ "", F, T, I, C, "Missing Via", false },
		{ V, "", T, I, C, "Missing From", false },
		{ V, F, "", I, C, "Missing To", false },
		{ V, F, T, "", C, "Missing Call-ID", false },
		{ V, F, T, I, "", "Missing CSeq", false },
		{ "Via: x\r\n", F, T, I, C, "Bad Via", false },
		{ "Via: SIP/2.0/UDP h;;\r\n", F, T, I, C, "Bad Via", true },
		{ "Via:\r\n", F, T, I, C, "Bad Via", false },
		{ V, "From: \"x <sip:a@b>\r\n", T, I, C, "Bad From", true },
		{ V, F, "To: a b\r\n", I, C, "Bad To", true },
		{ V, F, "To: <sip:a@b>;tag\r\n", I, C, "Bad To", true },
		{ V, F, T, "Call-ID: a b\r\n", C, "Bad Call-ID", true },
		{ V, F, T, "Call-ID:\r\n", C, "Bad Call-ID", false },
		{ V, F, T, I, "CSeq: 1\r\n", "Bad CSeq", true },
		{ V, F, T, I, "CSeq: OPTIONS\r\n", "Bad CSeq", true },
		{ V, F, T, I, "CSeq: 1OPTIONS\r\n", "Bad CSeq", true },
		{ V, F, T, I, "CSeq: 1 OPTIONS x\r\n", "Bad CSeq", true },
		{ V, F, T, I, "CSeq: 2147483648 OPTIONS\r\n", "Bad CSeq", true },
		{ V, F, T, I, "CSeq: 2147483647 OPTIONS\r\n", NULL, true },
		{ V, F, T, I, "CSeq: 36893488147419103233 OPTIONS\r\n", "Bad CSeq", true },
		{ V, F, T, I, "CSeq: 1 options\r\n", "CSeq Method Mismatch", true },
#undef V
#undef F
#undef T
#undef I
#undef C
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct msg *m;
		char text[512];

		(void)snprintf(text, sizeof(text), "OPTIONS sip:h SIP/2.0\r\n%s%s%s%s%s\r\n",
			rows[i].via, rows[i].from, rows[i].to, rows[i].call_id, rows[i].cseq);
		m = parse(slice_str(text), MSG_DATAGRAM);
		if (rows[i].reason)
			ck_assert_str_eq(m->fault.reason, rows[i].reason);
		else
			ck_assert_uint_eq(m->fault.status, 0);
		ck_assert_msg(msg_is_answerable(m) == rows[i].answerable, "%s", text);
		msg_unref(m);
	}
}
END_TEST

/* RFC 3261 section 17.1.1.3: an ACK is never answered. */
START_TEST(ack)
{
	struct msg *m = parse(SLICE("ACK sip:h SIP/2.0\r\nVia: SIP/2.0/UDP h\r\nFrom: <sip:a@b>\r\n"
				    "To: x\r\nCall-ID: x\r\nCSeq: 1 ACK\r\n\r\n"),
		MSG_DATAGRAM);

	ck_assert_uint_eq(m->fault.status, 400);
	ck_assert(!msg_is_answerable(m));
	msg_unref(m);
}
END_TEST

/* A response with a repeated header that does not matter is still a response. */
START_TEST(lenient_responses)
{
	assert_fault("SIP/2.0 200 OK\r\n" TOP "Server: a\r\nServer: b\r\n\r\n", 0, NULL);
	assert_fault("SIP/2.0 200 OK\r\n" TOP "CSeq: 2 OPTIONS\r\n\r\n", 400, NULL);
}
END_TEST

START_TEST(streams)
{
	struct msg *m = parse(SLICE("OPTIONS sip:h SIP/2.0\r\n" TOP "\r\n"), MSG_STREAM);

	/* RFC 4475 3.4.1: the frame ends with the header section, and so does the message */
	ck_assert_uint_eq(m->fault.status, 0);
	ck_assert_uint_eq(m->body.n, 0);
	msg_unref(m);
	m = parse(SLICE("OPTIONS sip:h SIP/2.0\r\n" TOP "l: 1\r\n\r\nab"), MSG_STREAM);
	ck_assert_uint_eq(m->fault.status, 0);
	assert_slice(m->body, "a");
	msg_unref(m);
}
END_TEST

/* RFC 3261 section 7.3.1: folds mean one blank; each of their bytes becomes one, so that nothing
 * moves. LF alone ends lines too. */
START_TEST(folds)
{
	struct msg *m = parse(
		SLICE("OPTIONS sip:h SIP/2.0\n" TOP "Subject:\n I know\r\n\t you 're  \r\n \r\n"
		      "X-Y:\r\n z\n\nbody\r\n fold"),
		MSG_DATAGRAM);

	ck_assert_uint_eq(m->fault.status, 0);
	assert_slice(msg_header(m, HDR_SUBJECT), "I know  \t you 're");
	assert_slice(msg_header_named(m, SLICE("x-y")), "z");
	assert_slice(m->body, "body\r\n fold");
	msg_unref(m);
	/* A stray CR is a fault, and does not get out again either. */
	m = parse(
		SLICE("OPTIONS sip:h SIP/2.0\r\n" TOP "Subject: a\rVia: b\r\n\r\n"), MSG_DATAGRAM);
	ck_assert_uint_eq(m->fault.status, 400);
	assert_slice(msg_header(m, HDR_SUBJECT), "a Via: b");
	msg_unref(m);
	/* Nothing can be folded onto the start line. */
	assert_fault("OPTIONS sip:h SIP/2.0\r\n X: y\r\n" TOP "\r\n", 400, "Bad Header Field");
	assert_fault("OPTIONS sip:h SIP/2.0\r\n" TOP, 400, "Header Section Without End");
}
END_TEST

START_TEST(limits)
{
	struct buf cleanup_buf b = BUF_NULL;
	struct msg *m;

	/* MSG_MAX_HEADERS */
	buf_lit(&b, "OPTIONS sip:h SIP/2.0\r\n" TOP);
	for (int i = 5; i < MSG_MAX_HEADERS; i++)
		buf_lit(&b, "Z: y\r\n");
	buf_lit(&b, "\r\n");
	m = parse(buf_slice(&b), MSG_DATAGRAM);
	ck_assert_msg(m->fault.status == 0, "%s", m->fault.reason);
	ck_assert_uint_eq(m->n_hdrs, MSG_MAX_HEADERS);
	msg_unref(m);
	b.n -= 2;
	buf_lit(&b, "Z: y\r\n\r\n");
	m = parse(buf_slice(&b), MSG_DATAGRAM);
	ck_assert_uint_eq(m->fault.status, 513);
	ck_assert_uint_eq(m->n_hdrs, MSG_MAX_HEADERS);
	ck_assert(msg_is_answerable(m));
	msg_unref(m);

	/* MSG_MAX_VIAS, lines and elements */
	buf_reset(&b);
	buf_lit(&b, "OPTIONS sip:h SIP/2.0\r\n" TOP);
	for (int i = 1; i < MSG_MAX_VIAS; i++)
		buf_str(&b, i % 2 ? "Via: SIP/2.0/UDP h" : ",SIP/2.0/UDP h\r\n");
	buf_lit(&b, "\r\n\r\n");
	buf_putc(&b, '\0');
	assert_fault(b.p, 0, NULL);
	b.n -= 3;
	buf_lit(&b, "Via: SIP/2.0/UDP h\r\n\r\n");
	buf_putc(&b, '\0');
	assert_fault(b.p, 400, "Too Many Via");

	/* MSG_MAX_HEADER_BYTES */
	buf_reset(&b);
	buf_lit(&b, "OPTIONS sip:h SIP/2.0\r\n" TOP "X: ");
	while (b.n < MSG_MAX_HEADER_BYTES - 4)
		buf_putc(&b, 'x');
	buf_lit(&b, "\r\n\r\n");
	m = parse(buf_slice(&b), MSG_DATAGRAM);
	ck_assert_uint_eq(m->fault.status, 0);
	msg_unref(m);
	b.n -= 4;
	buf_lit(&b, "x\r\n\r\n");
	ck_assert_int_eq(msg_parse(buf_slice(&b), MSG_DATAGRAM, &m), -EMSGSIZE);

	/* MSG_MAX_BYTES */
	buf_reset(&b);
	buf_lit(&b, "OPTIONS sip:h SIP/2.0\r\n" TOP "\r\n");
	while (b.n < MSG_MAX_BYTES)
		buf_putc(&b, 'x');
	m = parse(buf_slice(&b), MSG_DATAGRAM);
	ck_assert_uint_eq(m->fault.status, 0);
	msg_unref(m);
	buf_putc(&b, 'x');
	ck_assert_int_eq(msg_parse(buf_slice(&b), MSG_DATAGRAM, &m), -EMSGSIZE);
}
END_TEST

START_TEST(access)
{
	struct msg *m = parse(SLICE("OPTIONS sip:h SIP/2.0\r\n" TOP
				    "k: path, gruu\r\nX-A: 1\r\nSupported: ,, timer ,\r\nX-A: 2\r\n"
				    "Route: <sip:a,b@c;lr>, \"x,y\" <sip:d>\r\nExpires: 0060\r\n"
				    "Min-Expires: 99999999999\r\nMin-SE: soon\r\n\r\n"),
		MSG_DATAGRAM);
	struct msg_list it = { .started = false };
	struct slice one;
	const struct hdr *h;
	uint32_t v = 7;

	assert_slice(msg_header(m, HDR_SUPPORTED), "path, gruu");
	assert_slice(msg_header_named(m, SLICE("supported")), "path, gruu");
	assert_slice(msg_header_named(m, SLICE("x-a")), "1");
	ck_assert(msg_header_named(m, SLICE("X-B")).p == NULL);
	ck_assert(msg_header(m, HDR_EVENT).p == NULL);
	h = msg_header_next(m, HDR_SUPPORTED, NULL);
	h = msg_header_next(m, HDR_SUPPORTED, h);
	assert_slice(h->value, ",, timer ,");
	ck_assert(msg_header_next(m, HDR_SUPPORTED, h) == NULL);
	ck_assert(msg_header_next(m, HDR_EVENT, NULL) == NULL);
	h = msg_header_next(m, HDR_OTHER, NULL);
	assert_slice(h->value, "1");
	assert_slice(msg_header_next(m, HDR_OTHER, h)->value, "2");

	ck_assert_int_eq(msg_list_next(m, HDR_SUPPORTED, &it, &one), 1);
	assert_slice(one, "path");
	ck_assert_int_eq(msg_list_next(m, HDR_SUPPORTED, &it, &one), 1);
	assert_slice(one, "gruu");
	ck_assert_int_eq(msg_list_next(m, HDR_SUPPORTED, &it, &one), 1);
	assert_slice(one, "timer");
	ck_assert_int_eq(msg_list_next(m, HDR_SUPPORTED, &it, &one), 0);
	ck_assert_int_eq(msg_list_next(m, HDR_SUPPORTED, &it, &one), 0);
	it = (struct msg_list){ .started = false };
	ck_assert_int_eq(msg_list_next(m, HDR_ROUTE, &it, &one), 1);
	assert_slice(one, "<sip:a,b@c;lr>");
	ck_assert_int_eq(msg_list_next(m, HDR_ROUTE, &it, &one), 1);
	assert_slice(one, "\"x,y\" <sip:d>");
	ck_assert_int_eq(msg_list_next(m, HDR_ROUTE, &it, &one), 0);
	it = (struct msg_list){ .started = false };
	ck_assert_int_eq(msg_list_next(m, HDR_EVENT, &it, &one), 0);

	ck_assert(msg_has_token(m, HDR_SUPPORTED, SLICE("TIMER")));
	ck_assert(!msg_has_token(m, HDR_SUPPORTED, SLICE("time")));
	ck_assert(msg_number(m, HDR_EXPIRES, 100, &v) && v == 60);
	ck_assert(!msg_number(m, HDR_EXPIRES, 59, &v));
	ck_assert(!msg_number(m, HDR_MIN_EXPIRES, UINT32_MAX, &v));
	ck_assert(!msg_number(m, HDR_MIN_SE, UINT32_MAX, &v));
	ck_assert(!msg_number(m, HDR_EVENT, UINT32_MAX, &v));
	ck_assert_uint_eq(v, 60);
	msg_unref(m);
}
END_TEST

/* Brackets and quotes that never close hide nothing and cost no more than their length. */
START_TEST(unclosed_lists)
{
	struct msg *m =
		parse(SLICE("OPTIONS sip:h SIP/2.0\r\n" TOP "Allow: a<b, \"c, d<<, e\r\n\r\n"),
			MSG_DATAGRAM);
	struct msg_list it = { .started = false };
	static const char *const want[] = { "a<b", "\"c", "d<<", "e" };
	struct slice one;

	for (size_t i = 0; i < 4; i++) {
		ck_assert_int_eq(msg_list_next(m, HDR_ALLOW, &it, &one), 1);
		assert_slice(one, want[i]);
	}
	ck_assert_int_eq(msg_list_next(m, HDR_ALLOW, &it, &one), 0);
	msg_unref(m);
}
END_TEST

/* The same at full length, with every second character a place to begin anew. */
static void long_unclosed(const char *piece)
{
	enum { LENGTH = 60000 };
	struct msg_list it = { .started = false };
	struct slice one = SLICE_NULL;
	struct buf b = BUF_NULL;
	size_t n = 0, commas = 0;
	struct msg *m;

	buf_lit(&b, "OPTIONS sip:h SIP/2.0\r\n" TOP "Require: \"");
	while (b.n < LENGTH) {
		buf_str(&b, piece);
		commas += strchr(piece, ',') ? 1 : 0;
	}
	buf_lit(&b, "x,");
	buf_lit(&b, "last");
	buf_lit(&b, "\r\n\r\n");
	m = parse(buf_slice(&b), MSG_DATAGRAM);
	while (msg_list_next(m, HDR_REQUIRE, &it, &one) == 1) {
		/* Looked for once, which is what keeps this from taking seconds. */
		ck_assert(it.plain_quotes || it.plain_brackets);
		n++;
	}
	ck_assert_uint_eq(n, commas + 2);
	assert_slice(one, "last");
	msg_unref(m);
	buf_deinit(&b);
}

START_TEST(long_unclosed_lists)
{
	long_unclosed("\\\"");
	long_unclosed("\\\",");
	long_unclosed("<,");
	long_unclosed("<\\\",");
}
END_TEST

/* RFC 3261 section 20.33 */
START_TEST(retry_after)
{
	static const struct {
		const char *value;
		bool valid;
		uint32_t seconds;
	} rows[] = { { "18000;duration=3600", true, 18000 },
		{ "120 (I'm in a meeting)", true, 120 }, { "0", true, 0 }, { "", false, 0 },
		{ "soon", false, 0 }, { "12 34", false, 0 }, { "36893488147419103232", false, 0 },
		{ "-1", false, 0 } };

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char text[512];
		struct msg *m;
		uint32_t v = 7;

		(void)snprintf(text, sizeof(text),
			"SIP/2.0 503 x\r\n" TOP "Retry-After: %s\r\n\r\n", rows[i].value);
		m = parse(slice_str(text), MSG_DATAGRAM);
		ck_assert_msg(msg_retry_after(m, &v) == rows[i].valid, "%s", rows[i].value);
		ck_assert_uint_eq(v, rows[i].valid ? rows[i].seconds : 7);
		msg_unref(m);
	}
}
END_TEST

RUN_TESTS("msg-msg", request, response, start_lines, not_sip, header_faults, missing_and_bad, ack,
	lenient_responses, streams, folds, limits, access, unclosed_lists, long_unclosed_lists,
	retry_after)
