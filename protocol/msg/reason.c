/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "protocol/msg/reason.h"

#include "protocol/base/buf.h"
#include "protocol/base/err.h"
#include "protocol/msg/params.h"
#include "protocol/msg/scan.h"

/* The first of a name counts. A cause in quotes and a text without them are met in the wild. */
static void note_param(struct reason *v, const struct param *param)
{
	struct slice value = params_unquote(param->value);

	if (slice_eq_ci(param->name, SLICE("cause"))) {
		if (!v->has_cause)
			v->has_cause = slice_to_u32(value, UINT32_MAX, &v->cause);
	} else if (slice_eq_ci(param->name, SLICE("text"))) {
		if (!v->text.p)
			v->text = value;
	}
}

int reason_next(struct slice *rest, struct reason *ret)
{
	struct scan s = scan_of(*rest);
	struct reason v = { .text = SLICE_NULL };
	struct param param;
	int r;

	scan_lws(&s);
	if (scan_at_end(&s)) {
		*rest = scan_rest(&s);
		return 0;
	}
	v.protocol = scan_run(&s, CHARS_TOKEN);
	while ((r = params_scan(&s, &param)) > 0)
		note_param(&v, &param);
	if (v.protocol.n == 0 || r < 0 || !scan_element_end(&s))
		return -EBADMSG;
	*rest = scan_rest(&s);
	*ret = v;
	return 1;
}

void reason_append_text(struct buf *b, const struct reason *r)
{
	params_append_unescaped(b, r->text);
}

void reason_append(struct buf *b, const struct reason *r)
{
	buf_put(b, r->protocol);
	if (r->has_cause) {
		buf_lit(b, ";cause=");
		buf_u64(b, r->cause);
	}
	if (r->text.n) {
		buf_lit(b, ";text=");
		params_append_quoted(b, r->text);
	}
}
