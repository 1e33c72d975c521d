/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A byte stream, cut once as a whole and once as it dribbles in: both give the same frames. The
 * first byte says in how large pieces.
 */
#include <stdlib.h>

#include "protocol/base/buf.h"
#include "protocol/msg/frame.h"
#include "protocol/msg/msg.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { CEILING = 2048 };

static void require(bool condition)
{
	if (!condition)
		abort();
}

/* false when the stream is over */
static bool take(struct frame_state *s, struct buf *in, struct buf *transcript)
{
	struct slice frame = SLICE_NULL, input = buf_slice(in);
	struct msg *m;
	size_t consumed = 0;
	enum frame_kind kind = frame_next(s, input, CEILING, &frame, &consumed);

	if (kind == FRAME_PARTIAL)
		return false;
	require(consumed > 0 && consumed <= input.n);
	buf_putc(transcript, (char)('0' + kind));
	if (kind == FRAME_BAD || kind == FRAME_TOO_LARGE) {
		buf_reset(in);
		return false;
	}
	if (kind == FRAME_MESSAGE) {
		require(frame.p == input.p && frame.n == consumed && frame.n <= CEILING);
		buf_put(transcript, frame);
		/* The parser finds the same end. */
		if (msg_parse(frame, MSG_STREAM, &m) == 0) {
			require(m->fault.status || m->raw.n == frame.n);
			msg_unref(m);
		}
	}
	buf_consume(in, consumed);
	return true;
}

static bool is_over(struct slice transcript)
{
	return transcript.n && (transcript.p[transcript.n - 1] == '0' + FRAME_BAD ||
				       transcript.p[transcript.n - 1] == '0' + FRAME_TOO_LARGE);
}

static void feed(struct slice stream, size_t step, struct buf *transcript)
{
	struct frame_state s = { 0 };
	struct buf in = BUF_NULL;

	for (size_t at = 0; at < stream.n; at += step) {
		bool more = true;

		buf_put(&in, slice_head(slice_skip(stream, at), step));
		while (more)
			more = take(&s, &in, transcript);
		if (in.n == 0 && is_over(buf_slice(transcript)))
			break;
	}
	buf_deinit(&in);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct buf whole = BUF_NULL, pieces = BUF_NULL;
	struct slice stream;

	if (size < 2 || size > 8192)
		return 0;
	stream = slice_of((const char *)data + 1, size - 1);
	feed(stream, stream.n, &whole);
	feed(stream, (size_t)data[0] % 64 + 1, &pieces);
	require(slice_starts(buf_slice(&whole), buf_slice(&pieces)) ||
		slice_starts(buf_slice(&pieces), buf_slice(&whole)));
	buf_deinit(&whole);
	buf_deinit(&pieces);
	return 0;
}
