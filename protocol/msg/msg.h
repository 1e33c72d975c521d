/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
#include "protocol/msg/addr.h"
#include "protocol/msg/hdr.h"
#include "protocol/msg/method.h"
#include "protocol/msg/via.h"

/* Ceilings that hold before anything is allocated. */
enum {
	MSG_MAX_BYTES = 1024 * 1024, /* header section and body; the daemon may set less */
	MSG_MAX_HEADER_BYTES = 64 * 1024,
	MSG_MAX_HEADERS = 256,
	MSG_MAX_VIAS = 70, /* Max-Forwards starts at 70 */
};

/*
 * What is wrong with a message that has a start line and can be answered at all: the first fault
 * found. The parser goes on after it, so that a response can be built.
 */
struct msg_fault {
	unsigned status;    /* 400, 505, 513...; 0: none */
	const char *reason; /* a phrase for the status line and the log, e.g. "Bad CSeq" */
};

/*
 * A received (or built) message. Owns one buffer with all bytes, in which line folds became blanks;
 * every slice points into it. Immutable after parsing. Reference counted: the transaction keeps it
 * for retransmissions while others look at it.
 */
struct msg {
	unsigned refs;
	struct slice raw; /* from the start line to the end of the body, folds replaced */
	bool is_request;
	enum method method; /* of the request line, or of CSeq in a response */
	struct slice method_name;
	struct slice request_uri;
	struct uri uri; /* request_uri parsed; scheme_name.n == 0 if it could not be */
	unsigned status;
	struct slice reason;

	struct hdr *hdrs; /* in order of arrival */
	size_t n_hdrs;
	uint16_t first[HDR_COUNT]; /* index + 1 of the first header with that id; 0: absent */

	struct via via; /* the topmost */
	struct addr from, to;
	struct slice from_tag, to_tag; /* SLICE_NULL if absent */
	struct addr contact;           /* the first; uri.text.p == NULL if absent or "*" */
	struct slice call_id;
	uint32_t cseq;
	enum method cseq_method;
	struct slice cseq_method_name;
	struct slice content_type;
	struct slice body; /* exactly Content-Length bytes; over UDP without one: the rest */

	struct msg_fault fault;
	/*
	 * The first Via line as responses must copy it: received and rport filled in by the
	 * transport layer (RFC 3261 18.2.1, RFC 3581). Owned; NULL: as it arrived.
	 */
	char *top_via;
};

enum msg_framing {
	MSG_DATAGRAM, /* body ends with Content-Length or with the bytes; surplus is ignored */
	MSG_STREAM,   /* the bytes are one frame of frame.h */
	MSG_HEAD,     /* only the header section of what is too large: a fault 513 */
};

/*
 * Parses a copy of bytes. 0: *ret_msg is a message with one reference, whose fault may be set
 * (a faulty response must be dropped, a faulty request answered with fault.status if it has what an
 * answer needs, see msg_is_answerable). -EBADMSG: not SIP at all, drop silently. -EMSGSIZE: too
 * big.
 */
int msg_parse(struct slice bytes, enum msg_framing framing, struct msg **ret_msg);
/* Looking at a message is enough to keep it: the count is no part of what it says. */
struct msg *msg_ref(const struct msg *m);
void msg_unref(struct msg *m);
/* Replaces the first Via line in responses to m. Copied. Empty: as it arrived. */
void msg_set_top_via(struct msg *m, struct slice value);
/* Via, From, To, Call-ID and CSeq are good enough to build a response from. */
bool msg_is_answerable(const struct msg *m);

/* The first value with that id; SLICE_NULL (p == NULL) if absent. */
struct slice msg_header(const struct msg *m, enum hdr_id id);
/* The first header with that name, in long or compact form; works for unknown ones too. */
struct slice msg_header_named(const struct msg *m, struct slice name);
/* The next header with the same id after *h, NULL if none; h == NULL starts. */
const struct hdr *msg_header_next(const struct msg *m, enum hdr_id id, const struct hdr *h);

/* Walks elements of a HDR_LIST header across all its lines; zero-initialise. */
struct msg_list {
	const struct hdr *at;
	struct slice rest;
	bool started, plain_quotes, plain_brackets;
};
/* 1 and the next raw element (quotes and <> respected, trimmed, never empty), 0 at the end. */
int msg_list_next(const struct msg *m, enum hdr_id id, struct msg_list *it, struct slice *ret);
/* A list such as Supported or Allow has that token (ignoring case). */
bool msg_has_token(const struct msg *m, enum hdr_id id, struct slice token);
/* A decimal header such as Expires, Min-Expires; false if absent or malformed or over max. */
bool msg_number(const struct msg *m, enum hdr_id id, uint32_t max, uint32_t *ret);
/* Retry-After in seconds, comment and parameters ignored (RFC 3261 20.33). */
bool msg_retry_after(const struct msg *m, uint32_t *ret_seconds);
