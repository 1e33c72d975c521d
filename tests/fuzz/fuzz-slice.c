/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Cutting, trimming, numbers and UTF-8 over borrowed bytes, against what they promise each other.
 */
#include <stdint.h>
#include <stdlib.h>

#include "protocol/base/buf.h"
#include "protocol/base/slice.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool promise)
{
	if (!promise)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice s = slice_of((const char *)data, size), head, tail;
	cleanup_buf struct buf b = BUF_NULL;
	uint64_t number;

	if (slice_cut(s, ':', &head, &tail))
		check(head.n + 1 + tail.n == s.n && slice_find(s, ':') == head.n);
	check(slice_trim(slice_trim(s)).n == slice_trim(s).n);
	check(slice_eq_ci(s, s) && slice_cmp(s, s) == 0);
	if (slice_to_u64(s, UINT64_MAX, &number)) {
		uint64_t again = 0;

		buf_u64(&b, number);
		check(slice_to_u64(buf_slice(&b), UINT64_MAX, &again) && again == number);
	}
	slice_is_utf8(s);
	return 0;
}
