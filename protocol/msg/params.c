/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "protocol/msg/params.h"

#include "protocol/base/buf.h"
#include "protocol/base/err.h"
#include "protocol/msg/scan.h"

int params_scan(struct scan *s, struct param *ret)
{
	struct scan t = *s;
	struct param param = { .value = SLICE_NULL };

	if (!scan_separator(&t, ';'))
		return 0;
	param.name = scan_run(&t, CHARS_PNAME);
	if (param.name.n == 0)
		return -EBADMSG;
	if (scan_separator(&t, '=') && !scan_quoted(&t, &param.value)) {
		param.value = scan_run(&t, CHARS_PVALUE);
		if (param.value.n == 0)
			return -EBADMSG;
	}
	*ret = param;
	*s = t;
	return 1;
}

int params_next(struct slice *rest, struct param *ret)
{
	struct scan s = scan_of(*rest);
	int r = params_scan(&s, ret);

	if (r == 0) {
		scan_lws(&s);
		r = scan_at_end(&s) ? 0 : -EBADMSG;
	}
	if (r >= 0)
		*rest = scan_rest(&s);
	return r;
}

bool params_valid(struct slice params)
{
	struct param param;
	int r;

	while ((r = params_next(&params, &param)) > 0)
		;
	return r == 0;
}

bool params_find(struct slice params, struct slice name, struct slice *ret_value)
{
	struct param param;

	while (params_next(&params, &param) > 0) {
		if (!slice_eq_ci(param.name, name))
			continue;
		*ret_value = param.value;
		return true;
	}
	return false;
}

struct slice params_unquote(struct slice value)
{
	if (value.n >= 2 && value.p[0] == '"' && value.p[value.n - 1] == '"')
		return slice_of(value.p + 1, value.n - 2);
	return value;
}

void params_append_unescaped(struct buf *b, struct slice inside)
{
	for (size_t i = 0; i < inside.n; i++) {
		if (inside.p[i] == '\\' && i + 1 < inside.n)
			i++;
		buf_putc(b, inside.p[i]);
	}
}

void params_append_quoted(struct buf *b, struct slice text)
{
	buf_putc(b, '"');
	for (size_t i = 0; i < text.n; i++) {
		char c = text.p[i];

		/* CR and LF cannot be written in any form. */
		if (c == '\r' || c == '\n')
			c = ' ';
		if (!chars_is(c, CHARS_QUOTED))
			buf_putc(b, '\\');
		buf_putc(b, c);
	}
	buf_putc(b, '"');
}
