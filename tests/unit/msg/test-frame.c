/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "protocol/msg/frame.h"

#include "protocol/base/buf.h"
#include "protocol/msg/msg.h"
#include "tests/support/exact.h"
#include "tests/support/run.h"

enum { CEILING = 4096 };

static const char *const kinds[] = { "partial", "message", "ping", "pong", "bad", "too large" };

static enum frame_kind once(const char *text, struct slice *ret_frame, size_t *ret_consumed)
{
	struct slice input = exact_str(text);
	struct frame_state s = { 0 };
	enum frame_kind kind = frame_next(&s, input, CEILING, ret_frame, ret_consumed);

	exact_free(input);
	return kind;
}

#define HEAD "OPTIONS sip:h SIP/2.0\r\n"

START_TEST(verdicts)
{
	static const struct {
		const char *text;
		enum frame_kind kind;
		size_t consumed; /* 0: all */
	} rows[] = {
		{ HEAD "l: 3\r\n\r\nabcd", FRAME_MESSAGE, sizeof(HEAD "l: 3\r\n\r\nabc") - 1 },
		{ HEAD "l:\r\n 3\r\n\r\nabc", FRAME_MESSAGE, 0 },
		{ HEAD "Content-Length : 003\r\n\r\nabc", FRAME_MESSAGE, 0 },
		{ HEAD "l: 0\n\n", FRAME_MESSAGE, 0 },
		{ HEAD "l: 0\n\r\n", FRAME_MESSAGE, 0 },
		{ HEAD "l: 0\r\nl: 0\r\n\r\n", FRAME_MESSAGE, 0 },
		{ HEAD "l: 3\r\n\r\nab", FRAME_PARTIAL, 0 },
		{ HEAD "l: 3\r\n\r", FRAME_PARTIAL, 0 },
		{ HEAD "l: 3\r\n", FRAME_PARTIAL, 0 },
		{ "", FRAME_PARTIAL, 0 },
		{ "O", FRAME_PARTIAL, 0 },
		/* RFC 4475 3.4.1: without Content-Length, no body; what follows is another message
		 */
		{ HEAD "\r\n", FRAME_MESSAGE, 0 },
		{ HEAD "X-l: 3\r\n\r\n", FRAME_MESSAGE, 0 },
		{ "SIP/2.0 200 OK\r\n\r\n", FRAME_MESSAGE, 0 },
		{ "GET / HTTP/1.1\r\nHost: x\r\n\r\n", FRAME_BAD, 0 },
		{ HEAD "\r\nv=0\r\n", FRAME_MESSAGE, sizeof(HEAD "\r\n") - 1 },
		/* RFC 4475 3.1.2.3, 3.3.9 */
		{ HEAD "l: -999\r\n\r\n", FRAME_BAD, 0 },
		{ HEAD "l: 1\r\nContent-Length: 2\r\n\r\nab", FRAME_BAD, 0 },
		{ HEAD "l: 1\r\nl: x\r\n\r\nab", FRAME_BAD, 0 },
		{ HEAD "l: 1 2\r\n\r\n", FRAME_BAD, 0 },
		{ HEAD "l: 1\r\n 2\r\n\r\n", FRAME_BAD, 0 },
		{ HEAD "l:\r\n\r\n", FRAME_BAD, 0 },
		{ HEAD "l: +1\r\n\r\n", FRAME_BAD, 0 },
		{ HEAD "l: 18446744073709551617\r\n\r\n", FRAME_BAD, 0 },
		{ HEAD "l: 4294967295\r\n\r\n", FRAME_TOO_LARGE, 0 },
		{ HEAD "l: 4096\r\n\r\n", FRAME_TOO_LARGE, 0 },
		/* no SIP: the start of a TLS handshake, a blank, a lone CR */
		{ "\x16\x03\x01", FRAME_BAD, 0 },
		{ " OPTIONS", FRAME_BAD, 0 },
		{ "\rX", FRAME_BAD, 0 },
		/* RFC 5626 section 3.5.1 */
		{ "\r\n\r\n", FRAME_PING, 4 },
		{ "\r\n\r\n\r\n", FRAME_PING, 4 },
		{ "\r\n\r\n" HEAD, FRAME_PING, 4 },
		{ "\r\n" HEAD, FRAME_PONG, 2 },
		{ "\r", FRAME_PARTIAL, 0 },
		{ "\r\n", FRAME_PARTIAL, 0 },
		{ "\r\n\r", FRAME_PARTIAL, 0 },
		{ "\n" HEAD, FRAME_PONG, 1 },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct slice frame;
		size_t consumed = 0;
		enum frame_kind kind = once(rows[i].text, &frame, &consumed);

		ck_assert_msg(kind == rows[i].kind, "row %zu: %s", i, kinds[kind]);
		if (kind != FRAME_PARTIAL)
			ck_assert_uint_eq(consumed,
				rows[i].consumed ? rows[i].consumed : strlen(rows[i].text));
	}
}
END_TEST

/* A 400 can be built from the header section of a message that cannot be framed. */
START_TEST(bad_gives_the_section)
{
	struct slice input = SLICE(HEAD "l: -1\r\n\r\nbody"), frame;
	struct frame_state s = { 0 };
	size_t consumed;

	ck_assert_int_eq(frame_next(&s, input, CEILING, &frame, &consumed), FRAME_BAD);
	assert_slice(frame, HEAD "l: -1\r\n\r\n");
	s = (struct frame_state){ 0 };
	ck_assert_int_eq(frame_next(&s, SLICE("\x16\x03"), CEILING, &frame, &consumed), FRAME_BAD);
	ck_assert_uint_eq(frame.n, 0);
}
END_TEST

/* RFC 5626 section 4.4.1: the answer to a ping is one CRLF and silence. */
START_TEST(pong)
{
	struct frame_state s = { .expect_pong = true };
	struct slice frame;
	size_t consumed;

	ck_assert_int_eq(frame_next(&s, SLICE("\r"), CEILING, &frame, &consumed), FRAME_PARTIAL);
	ck_assert_int_eq(frame_next(&s, SLICE("\r\n"), CEILING, &frame, &consumed), FRAME_PONG);
	ck_assert_uint_eq(consumed, 2);
	ck_assert(!s.expect_pong);
	ck_assert_int_eq(frame_next(&s, SLICE("\r\n\r\n"), CEILING, &frame, &consumed), FRAME_PING);
	/* A message in between leaves the ping open. */
	s.expect_pong = true;
	ck_assert_int_eq(frame_next(&s, SLICE(HEAD "l: 0\r\n\r\n"), CEILING, &frame, &consumed),
		FRAME_MESSAGE);
	ck_assert(s.expect_pong);
}
END_TEST

#define STREAM                                                   \
	"\r\n\r\n" HEAD "l: 3\r\n\r\nabc"                        \
	"\r\n" HEAD "X: y\r\n z\nContent-Length: 0\r\n\r\n" HEAD \
	"l: 2\r\n\r\n\r\n\r\n\r\n\r\n" HEAD "l: 0\r\n\r\n"

/* What a stream is cut into does not depend on how it arrives. */
static void feed(struct slice stream, size_t step, struct buf *transcript)
{
	struct frame_state s = { 0 };
	struct buf cleanup_buf in = BUF_NULL;
	struct slice frame;
	size_t consumed;

	for (size_t at = 0; at < stream.n; at += step) {
		enum frame_kind kind;

		buf_put(&in, slice_head(slice_skip(stream, at), step));
		for (;;) {
			struct slice input = exact_copy(buf_slice(&in));

			kind = frame_next(&s, input, CEILING, &frame, &consumed);
			if (kind == FRAME_PARTIAL) {
				exact_free(input);
				break;
			}
			buf_str(transcript, kinds[kind]);
			buf_putc(transcript, ' ');
			if (kind == FRAME_MESSAGE)
				buf_put(transcript, frame);
			buf_consume(&in, consumed);
			exact_free(input);
		}
	}
}

START_TEST(any_arrival)
{
	struct slice stream = SLICE(STREAM);
	struct buf cleanup_buf whole = BUF_NULL;

	feed(stream, stream.n, &whole);
	assert_slice(buf_slice(&whole), "ping message " HEAD "l: 3\r\n\r\nabc"
					"pong message " HEAD "X: y\r\n z\nContent-Length: 0\r\n\r\n"
					"message " HEAD "l: 2\r\n\r\n\r\n"
					"ping pong message " HEAD "l: 0\r\n\r\n");
	for (size_t step = 1; step < stream.n; step++) {
		struct buf cleanup_buf pieces = BUF_NULL;

		feed(stream, step, &pieces);
		ck_assert_msg(slice_eq(buf_slice(&pieces), buf_slice(&whole)), "step %zu", step);
	}
}
END_TEST

/* Byte by byte, nothing is looked at twice: the mark moves with the input. */
START_TEST(linear)
{
	struct buf cleanup_buf b = BUF_NULL;
	struct frame_state s = { 0 };
	struct slice frame;
	size_t consumed;

	buf_lit(&b, HEAD "X: ");
	for (size_t i = 0; i < 2000; i++) {
		buf_putc(&b, 'x');
		ck_assert_int_eq(
			frame_next(&s, buf_slice(&b), CEILING, &frame, &consumed), FRAME_PARTIAL);
		ck_assert_uint_eq(s.searched, b.n);
	}
}
END_TEST

START_TEST(ceilings)
{
	struct buf cleanup_buf b = BUF_NULL;
	struct frame_state s = { 0 };
	struct slice frame;
	size_t consumed;

	/* The header section may not pass MSG_MAX_HEADER_BYTES, however much a message may hold. */
	buf_lit(&b, HEAD "X: ");
	while (b.n < MSG_MAX_HEADER_BYTES)
		buf_putc(&b, 'x');
	ck_assert_int_eq(
		frame_next(&s, buf_slice(&b), MSG_MAX_BYTES, &frame, &consumed), FRAME_PARTIAL);
	buf_putc(&b, 'x');
	ck_assert_int_eq(
		frame_next(&s, buf_slice(&b), MSG_MAX_BYTES, &frame, &consumed), FRAME_TOO_LARGE);
	ck_assert_uint_eq(consumed, b.n);
	/* And a message may just reach max_bytes. */
	s = (struct frame_state){ 0 };
	ck_assert_int_eq(frame_next(&s, SLICE(HEAD "l: 1\r\n\r\nx"),
				 sizeof(HEAD "l: 1\r\n\r\nx") - 1, &frame, &consumed),
		FRAME_MESSAGE);
	ck_assert_int_eq(frame_next(&s, SLICE(HEAD "l: 1\r\n\r\nx"),
				 sizeof(HEAD "l: 1\r\n\r\nx") - 2, &frame, &consumed),
		FRAME_TOO_LARGE);
}
END_TEST

RUN_TESTS("msg-frame", verdicts, bad_gives_the_section, pong, any_arrival, linear, ceilings)
