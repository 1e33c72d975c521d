/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "protocol/msg/build.h"

#include "protocol/msg/msg.h"
#include "tests/support/exact.h"
#include "tests/support/run.h"

START_TEST(request)
{
	struct buf cleanup_buf b = BUF_NULL;
	struct msg *m;

	build_request_line(&b, SLICE("MESSAGE"), SLICE("sip:bob@biloxi.com"));
	build_via(&b, &(struct build_via){ .transport = SLICE("UDP"),
			      .host = SLICE("2001:db8::1"),
			      .port = 5070,
			      .branch = SLICE("z9hG4bK1") });
	build_header_u64(&b, HDR_MAX_FORWARDS, 70);
	build_header(&b, HDR_FROM, SLICE("<sip:a@b>;tag=1"));
	build_header(&b, HDR_TO, SLICE("<sip:bob@biloxi.com>"));
	build_header(&b, HDR_CALL_ID, SLICE("x@y"));
	build_cseq(&b, 7, SLICE("MESSAGE"));
	build_header_named(&b, SLICE("X-Mine"), SLICE("1"));
	build_body(&b, SLICE("text/plain"), slice_of("a\0b", 3));
	ck_assert(slice_eq(buf_slice(&b),
		SLICE("MESSAGE sip:bob@biloxi.com SIP/2.0\r\n"
		      "Via: SIP/2.0/UDP [2001:db8::1]:5070;branch=z9hG4bK1;rport\r\n"
		      "Max-Forwards: 70\r\nFrom: <sip:a@b>;tag=1\r\nTo: <sip:bob@biloxi.com>\r\n"
		      "Call-ID: x@y\r\nCSeq: 7 MESSAGE\r\nX-Mine: 1\r\nContent-Type: text/plain\r\n"
		      "Content-Length: 3\r\n\r\na\0b")));
	ck_assert_int_eq(msg_parse(buf_slice(&b), MSG_STREAM, &m), 0);
	ck_assert_uint_eq(m->fault.status, 0);
	ck_assert_uint_eq(m->cseq, 7);
	ck_assert(slice_eq(m->body, slice_of("a\0b", 3)));
	msg_unref(m);
}
END_TEST

static struct msg *invite(const char *to)
{
	struct buf cleanup_buf b = BUF_NULL;
	struct msg *m;

	buf_lit(&b,
		"INVITE sip:h SIP/2.0\r\nv: SIP/2.0/UDP a;branch=z9hG4bK1,\r\n SIP/2.0/UDP b\r\n"
		"Via: SIP/2.0/UDP c\r\nf: <sip:a@b>;tag=1\r\ni: x\r\nCSeq: 1 INVITE\r\n"
		"Timestamp: 54\r\nRecord-Route: <sip:p;lr>\r\nt: ");
	buf_str(&b, to);
	buf_lit(&b, "\r\nl: 0\r\n\r\n");
	ck_assert_int_eq(msg_parse(buf_slice(&b), MSG_DATAGRAM, &m), 0);
	return m;
}

static void assert_response(const struct msg *m, unsigned status, const char *tag, const char *want)
{
	struct buf cleanup_buf b = BUF_NULL;

	build_response(&b, m, status, SLICE_NULL, slice_str(tag));
	assert_slice(buf_slice(&b), want);
}

#define VIAS "Via: SIP/2.0/UDP a;branch=z9hG4bK1,   SIP/2.0/UDP b\r\nVia: SIP/2.0/UDP c\r\n"
#define REST "Call-ID: x\r\nCSeq: 1 INVITE\r\n"

/* RFC 3261 section 8.2.6.2 */
START_TEST(response)
{
	struct msg *m = invite("<sip:b@c>");

	assert_response(m, 486, "t1",
		"SIP/2.0 486 Busy Here\r\n" VIAS
		"From: <sip:a@b>;tag=1\r\nTo: <sip:b@c>;tag=t1\r\n" REST);
	assert_response(m, 100, "t1",
		"SIP/2.0 100 Trying\r\n" VIAS "From: <sip:a@b>;tag=1\r\nTo: <sip:b@c>\r\n" REST
		"Timestamp: 54\r\n");
	assert_response(m, 200, "",
		"SIP/2.0 200 OK\r\n" VIAS "From: <sip:a@b>;tag=1\r\nTo: <sip:b@c>\r\n" REST);
	/* RFC 3261 section 18.2.1: the transport layer wrote into the top line. */
	msg_set_top_via(m, SLICE("SIP/2.0/UDP a;received=192.0.2.1"));
	msg_set_top_via(m, SLICE("SIP/2.0/UDP a;received=192.0.2.2"));
	assert_response(m, 200, "",
		"SIP/2.0 200 OK\r\nVia: SIP/2.0/UDP a;received=192.0.2.2\r\nVia: SIP/2.0/UDP c\r\n"
		"From: <sip:a@b>;tag=1\r\nTo: <sip:b@c>\r\n" REST);
	msg_unref(m);
	m = invite("sip:b@c;tag=there");
	assert_response(m, 200, "t1",
		"SIP/2.0 200 OK\r\n" VIAS
		"From: <sip:a@b>;tag=1\r\nTo: sip:b@c;tag=there\r\n" REST);
	msg_unref(m);
}
END_TEST

START_TEST(reasons)
{
	assert_slice(build_reason(404), "Not Found");
	assert_slice(build_reason(100), "Trying");
	assert_slice(build_reason(608), "Rejected");
	/* RFC 3261 section 8.1.3.2: an unknown code counts as the first of its class. */
	assert_slice(build_reason(299), "Success");
	assert_slice(build_reason(699), "Global Failure");
	assert_slice(build_reason(7), "Unknown");
	assert_slice(build_reason(700), "Unknown");
}
END_TEST

static const struct {
	unsigned status;
	const char *phrase;
} phrases_wanted[] = {
	/* RFC 3261 section 21 */
	{ 100, "Trying" },
	{ 180, "Ringing" },
	{ 181, "Call Is Being Forwarded" },
	{ 182, "Queued" },
	{ 183, "Session Progress" },
	{ 200, "OK" },
	{ 300, "Multiple Choices" },
	{ 301, "Moved Permanently" },
	{ 302, "Moved Temporarily" },
	{ 305, "Use Proxy" },
	{ 380, "Alternative Service" },
	{ 400, "Bad Request" },
	{ 401, "Unauthorized" },
	{ 402, "Payment Required" },
	{ 403, "Forbidden" },
	{ 404, "Not Found" },
	{ 405, "Method Not Allowed" },
	{ 406, "Not Acceptable" },
	{ 407, "Proxy Authentication Required" },
	{ 408, "Request Timeout" },
	{ 410, "Gone" },
	{ 413, "Request Entity Too Large" },
	{ 414, "Request-URI Too Long" },
	{ 415, "Unsupported Media Type" },
	{ 416, "Unsupported URI Scheme" },
	{ 420, "Bad Extension" },
	{ 421, "Extension Required" },
	{ 423, "Interval Too Brief" },
	{ 480, "Temporarily Unavailable" },
	{ 481, "Call/Transaction Does Not Exist" },
	{ 482, "Loop Detected" },
	{ 483, "Too Many Hops" },
	{ 484, "Address Incomplete" },
	{ 485, "Ambiguous" },
	{ 486, "Busy Here" },
	{ 487, "Request Terminated" },
	{ 488, "Not Acceptable Here" },
	{ 491, "Request Pending" },
	{ 493, "Undecipherable" },
	{ 500, "Server Internal Error" },
	{ 501, "Not Implemented" },
	{ 502, "Bad Gateway" },
	{ 503, "Service Unavailable" },
	{ 504, "Server Time-out" },
	{ 505, "Version Not Supported" },
	{ 513, "Message Too Large" },
	{ 600, "Busy Everywhere" },
	{ 603, "Decline" },
	{ 604, "Does Not Exist Anywhere" },
	{ 606, "Not Acceptable" },
	/* RFC 3312 section 8 */
	{ 580, "Precondition Failure" },
	/* RFC 3329 section 6.4 */
	{ 494, "Security Agreement Required" },
	/* RFC 3892 section 5 */
	{ 429, "Provide Referrer Identity" },
	/* RFC 3903 section 11.2.1 */
	{ 412, "Conditional Request Failed" },
	/* RFC 4028 section 6 */
	{ 422, "Session Interval Too Small" },
	/* RFC 4412 section 12.4 */
	{ 417, "Unknown Resource-Priority" },
	/* RFC 5079 section 5 */
	{ 433, "Anonymity Disallowed" },
	/* RFC 5360 section 5.9.2 */
	{ 470, "Consent Needed" },
	/* RFC 5393 section 6.2 */
	{ 440, "Max-Breadth Exceeded" },
	/* RFC 5626 sections 11.5 and 11.6 */
	{ 430, "Flow Failed" },
	{ 439, "First Hop Lacks Outbound Support" },
	/* RFC 5839 section 7.1 */
	{ 204, "No Notification" },
	/* RFC 6086 section 11.6 */
	{ 469, "Bad Info Package" },
	/* RFC 6228 section 11.1 */
	{ 199, "Early Dialog Terminated" },
	/* RFC 6442 section 4.3 */
	{ 424, "Bad Location Information" },
	/* RFC 6665 section 8.3, as RFC 3265 section 7.3 */
	{ 202, "Accepted" },
	{ 489, "Bad Event" },
	/* RFC 8197 section 5.1 */
	{ 607, "Unwanted" },
	/* RFC 8224 section 6.2.2, which renames two of RFC 4474 */
	{ 428, "Use Identity Header" },
	{ 436, "Bad Identity Info" },
	{ 437, "Unsupported Credential" },
	{ 438, "Invalid Identity Header" },
	/* RFC 8599 section 8.1 */
	{ 555, "Push Notification Service Not Supported" },
	/* RFC 8688 section 5.1 */
	{ 608, "Rejected" },
	/* RFC 8876 section 5.1 */
	{ 425, "Bad Alert Message" },
};

/* Each status under the name that the document which defines it gives it. */
START_TEST(phrases)
{
	for (size_t i = 0; i < sizeof(phrases_wanted) / sizeof(phrases_wanted[0]); i++)
		assert_slice(build_reason(phrases_wanted[i].status), phrases_wanted[i].phrase);
}
END_TEST

START_TEST(hostports)
{
	static const struct {
		const char *host;
		uint16_t port;
		const char *want;
	} rows[] = {
		{ "example.com", 0, "example.com" },
		{ "example.com", 65535, "example.com:65535" },
		{ "::1", 5060, "[::1]:5060" },
		{ "[::1]", 5060, "[::1]:5060" },
		{ "192.0.2.1", 5061, "192.0.2.1:5061" },
	};
	struct buf cleanup_buf b = BUF_NULL;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		buf_reset(&b);
		build_hostport(&b, slice_str(rows[i].host), rows[i].port);
		assert_slice(buf_slice(&b), rows[i].want);
	}
}
END_TEST

/* What a client hands in must not become a header of its own. */
START_TEST(injection)
{
	ck_assert(build_header_is_safe(SLICE("X-A"), SLICE("any \xc3\xa9 \"text\"")));
	ck_assert(build_header_is_safe(SLICE("X-A"), SLICE("")));
	ck_assert(!build_header_is_safe(SLICE("X-A"), SLICE("a\r\nVia: x")));
	ck_assert(!build_header_is_safe(SLICE("X-A"), SLICE("a\rb")));
	ck_assert(!build_header_is_safe(SLICE("X-A"), SLICE("a\nb")));
	ck_assert(!build_header_is_safe(SLICE("X-A"), slice_of("a\0b", 3)));
	ck_assert(!build_header_is_safe(SLICE(""), SLICE("a")));
	ck_assert(!build_header_is_safe(SLICE("X A"), SLICE("a")));
	ck_assert(!build_header_is_safe(SLICE("X:"), SLICE("a")));
	ck_assert(!build_header_is_safe(SLICE("X\r\nY"), SLICE("a")));
}
END_TEST

RUN_TESTS("msg-build", request, response, reasons, phrases, hostports, injection)
