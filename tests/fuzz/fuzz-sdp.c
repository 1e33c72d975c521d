/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Bytes as a description: what is made of it can be made again, is bounded, and has as many
 * streams. */
#include <stdlib.h>

#include "protocol/base/buf.h"
#include "protocol/msg/sdp.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool condition)
{
	if (!condition)
		abort();
}

static size_t count_streams(struct slice sdp)
{
	struct slice line;
	size_t n = 0;

	while (sdp.n) {
		line = sdp;
		if (!slice_cut(sdp, '\n', &line, &sdp))
			sdp = SLICE_NULL;
		n += slice_starts(line, SLICE("m="));
	}
	return n;
}

static void check_held(struct slice offer, const struct sdp_origin *o)
{
	struct buf b = BUF_NULL, again = BUF_NULL;

	if (sdp_append_held(&b, offer, o) == 0) {
		/* RFC 3264 section 6; each line grows by a line end and an attribute at most. */
		require(count_streams(buf_slice(&b)) == count_streams(offer));
		require(b.n <= 128 + 4 * offer.n);
		require(sdp_append_held(&again, buf_slice(&b), o) == 0);
		require(count_streams(buf_slice(&again)) == count_streams(offer));
		buf_reset(&again);
		require(sdp_append_as(&again, buf_slice(&b), o) == 0);
		require(slice_eq(buf_slice(&again), buf_slice(&b)));
	} else {
		require(b.n == 0);
	}
	buf_deinit(&b);
	buf_deinit(&again);
}

static void check_as(struct slice sdp, const struct sdp_origin *o)
{
	struct buf b = BUF_NULL, again = BUF_NULL;

	if (sdp_append_as(&b, sdp, o) == 0) {
		require(b.n <= sdp.n + 64);
		require(sdp_append_as(&again, buf_slice(&b), o) == 0);
		require(slice_eq(buf_slice(&again), buf_slice(&b)));
	} else {
		require(b.n == 0);
	}
	buf_deinit(&b);
	buf_deinit(&again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct sdp_origin o = { .id = 1, .version = 2 };
	struct slice text = slice_of((const char *)data, size);

	check_held(text, &o);
	check_as(text, &o);
	return 0;
}
