/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
#include "protocol/base/buf.h"
#include "protocol/msg/hdr.h"
#include "protocol/msg/method.h"

struct msg;

/* Writing messages: appends to a buffer, no printf on the way. Header values are the caller's
 * bytes. */

void build_request_line(struct buf *b, struct slice method, struct slice request_uri);
void build_header(struct buf *b, enum hdr_id id, struct slice value);
void build_header_named(struct buf *b, struct slice name, struct slice value);
void build_header_u64(struct buf *b, enum hdr_id id, uint64_t value);
/* Via: SIP/2.0/UDP host:port;branch=...;rport (RFC 3581 section 3) */
struct build_via {
	struct slice transport; /* "UDP" */
	struct slice host;      /* without brackets: added where IPv6 asks for them */
	uint16_t port;
	struct slice branch;
	bool keep; /* we would send keep-alives (RFC 6223 section 4.3) */
};
void build_via(struct buf *b, const struct build_via *v);
void build_cseq(struct buf *b, uint32_t cseq, struct slice method);
/* Content-Type (if any), Content-Length, the empty line and the body. */
void build_body(struct buf *b, struct slice content_type, struct slice body);

/*
 * Status line and the headers that RFC 3261 section 8.2.6.2 copies: every Via, From, To, Call-ID,
 * CSeq, and Timestamp for a 100. to_tag is added to a To without tag, unless status is 100 or the
 * tag is empty. reason empty: the standard phrase. The caller appends more headers and
 * then build_body(). Record-Route is left to whoever makes a dialog.
 */
void build_response(struct buf *b, const struct msg *request, unsigned status, struct slice reason,
	struct slice to_tag);
/* "Not Found"; a phrase of the class for codes without one. */
struct slice build_reason(unsigned status);

/* host:port with brackets round IPv6; port 0 is left out. */
void build_hostport(struct buf *b, struct slice host, uint16_t port);
/* false if the value has CR, LF or NUL, or the name is no token: must not be written. */
bool build_header_is_safe(struct slice name, struct slice value);
