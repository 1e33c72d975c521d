/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "protocol/msg/build.h"

#include "protocol/base/mem.h"
#include "protocol/msg/msg.h"
#include "protocol/msg/scan.h"

void build_request_line(struct buf *b, struct slice method, struct slice request_uri)
{
	buf_put(b, method);
	buf_putc(b, ' ');
	buf_put(b, request_uri);
	buf_lit(b, " SIP/2.0\r\n");
}

void build_header(struct buf *b, enum hdr_id id, struct slice value)
{
	build_header_named(b, hdr_name(id), value);
}

void build_header_named(struct buf *b, struct slice name, struct slice value)
{
	buf_put(b, name);
	buf_lit(b, ": ");
	buf_put(b, value);
	buf_lit(b, "\r\n");
}

void build_header_u64(struct buf *b, enum hdr_id id, uint64_t value)
{
	buf_put(b, hdr_name(id));
	buf_lit(b, ": ");
	buf_u64(b, value);
	buf_lit(b, "\r\n");
}

void build_hostport(struct buf *b, struct slice host, uint16_t port)
{
	/* Only an IPv6 address has a colon of its own (RFC 3261 section 25.1, IPv6reference). */
	bool bare_ipv6 = slice_find(host, ':') < host.n && host.p[0] != '[';

	if (bare_ipv6)
		buf_putc(b, '[');
	buf_put(b, host);
	if (bare_ipv6)
		buf_putc(b, ']');
	if (port) {
		buf_putc(b, ':');
		buf_u64(b, port);
	}
}

void build_via(struct buf *b, const struct build_via *v)
{
	buf_lit(b, "Via: SIP/2.0/");
	buf_put(b, v->transport);
	buf_putc(b, ' ');
	build_hostport(b, v->host, v->port);
	buf_lit(b, ";branch=");
	buf_put(b, v->branch);
	if (v->keep)
		buf_lit(b, ";keep");
	buf_lit(b, ";rport\r\n");
}

void build_cseq(struct buf *b, uint32_t cseq, struct slice method)
{
	buf_lit(b, "CSeq: ");
	buf_u64(b, cseq);
	buf_putc(b, ' ');
	buf_put(b, method);
	buf_lit(b, "\r\n");
}

void build_body(struct buf *b, struct slice content_type, struct slice body)
{
	if (content_type.n)
		build_header(b, HDR_CONTENT_TYPE, content_type);
	build_header_u64(b, HDR_CONTENT_LENGTH, body.n);
	buf_lit(b, "\r\n");
	buf_put(b, body);
}

static void copy_vias(struct buf *b, const struct msg *request)
{
	const struct hdr *h = msg_header_next(request, HDR_VIA, NULL);

	if (h && request->top_via) {
		build_header(b, HDR_VIA, slice_str(request->top_via));
		h = msg_header_next(request, HDR_VIA, h);
	}
	for (; h; h = msg_header_next(request, HDR_VIA, h))
		build_header(b, HDR_VIA, h->value);
}

static void copy_first(struct buf *b, const struct msg *request, enum hdr_id id)
{
	struct slice value = msg_header(request, id);

	if (value.p)
		build_header(b, id, value);
}

static void copy_to(struct buf *b, const struct msg *request, unsigned status, struct slice tag)
{
	struct slice value = msg_header(request, HDR_TO);

	if (status == 100 || tag.n == 0 || request->to_tag.p) {
		copy_first(b, request, HDR_TO);
		return;
	}
	buf_lit(b, "To: ");
	buf_put(b, value);
	buf_lit(b, ";tag=");
	buf_put(b, tag);
	buf_lit(b, "\r\n");
}

void build_response(struct buf *b, const struct msg *request, unsigned status, struct slice reason,
	struct slice to_tag)
{
	buf_lit(b, "SIP/2.0 ");
	buf_u64(b, status);
	buf_putc(b, ' ');
	buf_put(b, reason.n ? reason : build_reason(status));
	buf_lit(b, "\r\n");
	copy_vias(b, request);
	copy_first(b, request, HDR_FROM);
	copy_to(b, request, status, to_tag);
	copy_first(b, request, HDR_CALL_ID);
	copy_first(b, request, HDR_CSEQ);
	if (status == 100)
		copy_first(b, request, HDR_TIMESTAMP);
}

/* RFC 3261 section 21 and the registry of those after it; sorted. */
static const struct {
	unsigned status;
	struct slice phrase;
} reasons[] = {
	{ 100, SLICE_INIT("Trying") },
	{ 180, SLICE_INIT("Ringing") },
	{ 181, SLICE_INIT("Call Is Being Forwarded") },
	{ 182, SLICE_INIT("Queued") },
	{ 183, SLICE_INIT("Session Progress") },
	{ 199, SLICE_INIT("Early Dialog Terminated") },
	{ 200, SLICE_INIT("OK") },
	{ 202, SLICE_INIT("Accepted") },
	{ 204, SLICE_INIT("No Notification") },
	{ 300, SLICE_INIT("Multiple Choices") },
	{ 301, SLICE_INIT("Moved Permanently") },
	{ 302, SLICE_INIT("Moved Temporarily") },
	{ 305, SLICE_INIT("Use Proxy") },
	{ 380, SLICE_INIT("Alternative Service") },
	{ 400, SLICE_INIT("Bad Request") },
	{ 401, SLICE_INIT("Unauthorized") },
	{ 402, SLICE_INIT("Payment Required") },
	{ 403, SLICE_INIT("Forbidden") },
	{ 404, SLICE_INIT("Not Found") },
	{ 405, SLICE_INIT("Method Not Allowed") },
	{ 406, SLICE_INIT("Not Acceptable") },
	{ 407, SLICE_INIT("Proxy Authentication Required") },
	{ 408, SLICE_INIT("Request Timeout") },
	{ 410, SLICE_INIT("Gone") },
	{ 412, SLICE_INIT("Conditional Request Failed") },
	{ 413, SLICE_INIT("Request Entity Too Large") },
	{ 414, SLICE_INIT("Request-URI Too Long") },
	{ 415, SLICE_INIT("Unsupported Media Type") },
	{ 416, SLICE_INIT("Unsupported URI Scheme") },
	{ 417, SLICE_INIT("Unknown Resource-Priority") },
	{ 420, SLICE_INIT("Bad Extension") },
	{ 421, SLICE_INIT("Extension Required") },
	{ 422, SLICE_INIT("Session Interval Too Small") },
	{ 423, SLICE_INIT("Interval Too Brief") },
	{ 424, SLICE_INIT("Bad Location Information") },
	{ 425, SLICE_INIT("Bad Alert Message") },
	{ 428, SLICE_INIT("Use Identity Header") },
	{ 429, SLICE_INIT("Provide Referrer Identity") },
	{ 430, SLICE_INIT("Flow Failed") },
	{ 433, SLICE_INIT("Anonymity Disallowed") },
	{ 436, SLICE_INIT("Bad Identity Info") },
	{ 437, SLICE_INIT("Unsupported Credential") },
	{ 438, SLICE_INIT("Invalid Identity Header") },
	{ 439, SLICE_INIT("First Hop Lacks Outbound Support") },
	{ 440, SLICE_INIT("Max-Breadth Exceeded") },
	{ 469, SLICE_INIT("Bad Info Package") },
	{ 470, SLICE_INIT("Consent Needed") },
	{ 480, SLICE_INIT("Temporarily Unavailable") },
	{ 481, SLICE_INIT("Call/Transaction Does Not Exist") },
	{ 482, SLICE_INIT("Loop Detected") },
	{ 483, SLICE_INIT("Too Many Hops") },
	{ 484, SLICE_INIT("Address Incomplete") },
	{ 485, SLICE_INIT("Ambiguous") },
	{ 486, SLICE_INIT("Busy Here") },
	{ 487, SLICE_INIT("Request Terminated") },
	{ 488, SLICE_INIT("Not Acceptable Here") },
	{ 489, SLICE_INIT("Bad Event") },
	{ 491, SLICE_INIT("Request Pending") },
	{ 493, SLICE_INIT("Undecipherable") },
	{ 494, SLICE_INIT("Security Agreement Required") },
	{ 500, SLICE_INIT("Server Internal Error") },
	{ 501, SLICE_INIT("Not Implemented") },
	{ 502, SLICE_INIT("Bad Gateway") },
	{ 503, SLICE_INIT("Service Unavailable") },
	{ 504, SLICE_INIT("Server Time-out") },
	{ 505, SLICE_INIT("Version Not Supported") },
	{ 513, SLICE_INIT("Message Too Large") },
	{ 555, SLICE_INIT("Push Notification Service Not Supported") },
	{ 580, SLICE_INIT("Precondition Failure") },
	{ 600, SLICE_INIT("Busy Everywhere") },
	{ 603, SLICE_INIT("Decline") },
	{ 604, SLICE_INIT("Does Not Exist Anywhere") },
	{ 606, SLICE_INIT("Not Acceptable") },
	{ 607, SLICE_INIT("Unwanted") },
	{ 608, SLICE_INIT("Rejected") },
};

struct slice build_reason(unsigned status)
{
	static const struct slice classes[] = { SLICE_INIT("Unknown"), SLICE_INIT("Progress"),
		SLICE_INIT("Success"), SLICE_INIT("Redirection"), SLICE_INIT("Request Failure"),
		SLICE_INIT("Server Failure"), SLICE_INIT("Global Failure") };

	for (size_t i = 0; i < ARRAY_LEN(reasons); i++)
		if (reasons[i].status == status)
			return reasons[i].phrase;
	return classes[status >= 100 && status < 700 ? status / 100 : 0];
}

bool build_header_is_safe(struct slice name, struct slice value)
{
	return scan_all(name, CHARS_TOKEN) && slice_find(value, '\r') == value.n &&
	       slice_find(value, '\n') == value.n && slice_find(value, '\0') == value.n;
}
