/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "protocol/msg/refer-sub.h"

#include "protocol/base/err.h"
#include "protocol/msg/params.h"
#include "protocol/msg/scan.h"

int refer_sub_parse(struct slice value, bool *ret)
{
	struct scan s = scan_of(value);
	struct slice word;
	bool yes;

	scan_lws(&s);
	word = scan_run(&s, CHARS_TOKEN);
	yes = slice_eq_ci(word, SLICE("true"));
	if ((!yes && !slice_eq_ci(word, SLICE("false"))) || !params_valid(scan_rest(&s)))
		return -EBADMSG;
	*ret = yes;
	return 0;
}
