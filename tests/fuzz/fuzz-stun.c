/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Bytes as a STUN message: what is made of it is bounded, and a request has an answer that can be
 * read. */
#include <stdlib.h>
#include <string.h>

#include "protocol/base/buf.h"
#include "protocol/msg/stun.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool condition)
{
	if (!condition)
		abort();
}

static void check_answer(const struct stun *request)
{
	struct stun_addr from = { .bytes = { 192, 0, 2, 1 }, .n = 4, .port = 5060 };
	struct buf b = BUF_NULL;
	struct stun s;

	stun_append_answer(&b, request, &from);
	require(b.n <= 96 && stun_is(buf_slice(&b)));
	require(stun_parse(buf_slice(&b), &s) == 0);
	require(memcmp(s.id, request->id, STUN_ID_BYTES) == 0);
	require(request->n_unknown ? s.kind == STUN_ERROR && s.error == 420
				   : s.kind == STUN_SUCCESS && stun_addr_equal(&s.mapped, &from));
	buf_deinit(&b);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice bytes = slice_of((const char *)data, size);
	struct stun_addr a;
	struct stun s;

	if (stun_addr_parse(bytes, 1, &a))
		require(a.n == 4 || a.n == 16);
	if (stun_parse(bytes, &s) < 0)
		return 0;
	require(size <= STUN_MAX_BYTES && stun_is(bytes));
	require(s.mapped.n == 0 || s.mapped.n == 4 || s.mapped.n == 16);
	require(s.error == 0 || (s.error >= 300 && s.error < 700));
	require(s.n_unknown <= 8);
	if (s.kind == STUN_REQUEST)
		check_answer(&s);
	return 0;
}
