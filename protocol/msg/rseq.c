/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "protocol/msg/rseq.h"

#include "protocol/base/err.h"

int rseq_parse(struct slice value, uint32_t *ret)
{
	uint32_t v;

	if (!slice_to_u32(slice_trim(value), UINT32_MAX, &v) || v == 0)
		return -EBADMSG;
	*ret = v;
	return 0;
}
