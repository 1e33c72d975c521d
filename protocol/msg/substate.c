/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "protocol/msg/substate.h"

#include "protocol/base/err.h"
#include "protocol/msg/params.h"
#include "protocol/msg/scan.h"

static enum substate_word find_state(struct slice text)
{
	static const struct slice names[] = {
		[SUBSTATE_PENDING] = SLICE_INIT("pending"),
		[SUBSTATE_ACTIVE] = SLICE_INIT("active"),
		[SUBSTATE_TERMINATED] = SLICE_INIT("terminated"),
	};

	for (enum substate_word s = SUBSTATE_PENDING; s < SUBSTATE_OTHER; s++)
		if (slice_eq_ci(text, names[s]))
			return s;
	return SUBSTATE_OTHER;
}

/* The first of a name counts. */
static void note_param(struct substate *v, const struct param *param)
{
	if (slice_eq_ci(param->name, SLICE("reason"))) {
		if (!v->reason.p)
			v->reason = params_unquote(param->value);
	} else if (slice_eq_ci(param->name, SLICE("expires"))) {
		if (!v->has_expires)
			v->has_expires = slice_to_u32(param->value, UINT32_MAX, &v->expires);
	} else if (slice_eq_ci(param->name, SLICE("retry-after"))) {
		if (!v->has_retry_after)
			v->has_retry_after =
				slice_to_u32(param->value, UINT32_MAX, &v->retry_after);
	}
}

int substate_parse(struct slice value, struct substate *ret)
{
	struct scan s = scan_of(value);
	struct substate v = { .reason = SLICE_NULL };
	struct slice text, rest;
	struct param param;
	int r;

	scan_lws(&s);
	text = scan_run(&s, CHARS_TOKEN);
	if (text.n == 0)
		return -EBADMSG;
	v.state = find_state(text);
	rest = scan_rest(&s);
	while ((r = params_next(&rest, &param)) > 0)
		note_param(&v, &param);
	if (r == 0)
		*ret = v;
	return r;
}
