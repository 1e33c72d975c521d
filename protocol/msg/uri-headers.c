/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "protocol/msg/uri-headers.h"

#include "protocol/base/buf.h"
#include "protocol/base/err.h"
#include "protocol/msg/build.h"
#include "protocol/msg/scan.h"
#include "protocol/msg/uri.h"

/* Reserved and unreserved characters, and "%" only in front of two digits. */
static bool is_well_formed(struct slice text)
{
	struct scan s = scan_of(text);

	(void)scan_escaped(&s, CHARS_HEADER);
	return scan_at_end(&s);
}

int uri_header_next(struct slice *rest, struct slice *ret_name, struct buf *ret_value)
{
	struct slice one = *rest, left = SLICE_NULL, name, value;
	bool more;

	if (rest->n == 0)
		return 0;
	more = slice_cut(*rest, '&', &one, &left);
	if ((more && left.n == 0) || !is_well_formed(one) || !slice_cut(one, '=', &name, &value))
		return -EBADMSG;
	buf_reset(ret_value);
	uri_append_unescaped(ret_value, value);
	if (!build_header_is_safe(name, buf_slice(ret_value)) && !slice_eq_ci(name, SLICE("body")))
		return -EBADMSG;
	*rest = left;
	*ret_name = name;
	return 1;
}

void uri_append_header_value(struct buf *b, struct slice value)
{
	for (size_t i = 0; i < value.n; i++) {
		char c = value.p[i];

		/* CHARS_HEADER has what separates headers, too. */
		if (chars_is(c, CHARS_HEADER) && c != '=' && c != '&')
			buf_putc(b, c);
		else
			uri_append_escape(b, (unsigned char)c);
	}
}
