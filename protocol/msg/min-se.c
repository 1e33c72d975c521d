/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "protocol/msg/min-se.h"

#include "protocol/base/err.h"
#include "protocol/msg/params.h"
#include "protocol/msg/scan.h"

int min_se_parse(struct slice value, uint32_t *ret)
{
	struct scan s = scan_of(value);
	uint32_t seconds;

	scan_lws(&s);
	if (!slice_to_u32(scan_run(&s, CHARS_DIGIT), UINT32_MAX, &seconds) ||
		!params_valid(scan_rest(&s)))
		return -EBADMSG;
	*ret = seconds;
	return 0;
}
