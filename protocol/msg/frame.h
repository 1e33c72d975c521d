/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
#include "protocol/base/slice.h"

/* Cutting a byte stream into messages (RFC 3261 sections 7.5 and 18.3, RFC 5626 section 3.5.1). */
enum frame_kind {
	FRAME_PARTIAL, /* more bytes are needed */
	FRAME_MESSAGE, /* *ret_frame is one whole message */
	FRAME_PING,    /* CRLF CRLF at a message's place: answer with one CRLF (RFC 5626 4.4.1) */
	FRAME_PONG,    /* a lone CRLF: answering our ping, or in front of something else */
	FRAME_BAD,     /* the stream can't be followed any more: *ret_frame holds the header section
			  if it could be delimited (a 400 may be sent), then close */
	FRAME_TOO_LARGE, /* Content-Length or header section over the limit: 513, then close */
};

/*
 * Remembers how far the input was searched, so that a peer that sends byte by byte costs linear
 * time. Zeroed at the start; frame_next() resets it after each frame.
 */
struct frame_state {
	size_t searched;
	size_t total; /* header section + body once known */
	/*
	 * Set by the caller while a ping of its own waits for an answer, cleared by FRAME_PONG.
	 * Then one CRLF is reported as soon as it is there; otherwise it may be the first half of a
	 * ping and the rest is waited for.
	 */
	bool expect_pong;
};

/*
 * Looks at what has arrived. Except for FRAME_PARTIAL *ret_consumed says how many bytes the caller
 * drops from the front. max_bytes bounds one message.
 */
enum frame_kind frame_next(struct frame_state *s, struct slice input, size_t max_bytes,
	struct slice *ret_frame, size_t *ret_consumed);
