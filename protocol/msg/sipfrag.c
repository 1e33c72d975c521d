/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "protocol/msg/sipfrag.h"

#include "protocol/base/err.h"
#include "protocol/msg/build.h"
#include "protocol/msg/scan.h"

static struct slice first_line(struct slice body)
{
	struct slice line = slice_head(body, slice_find(body, '\n'));

	return line.n && line.p[line.n - 1] == '\r' ? slice_head(line, line.n - 1) : line;
}

/* No control characters: whoever shows the phrase need not look again. */
static bool is_phrase(struct slice text)
{
	for (size_t i = 0; i < text.n; i++)
		if (!chars_is(text.p[i], CHARS_VISIBLE | CHARS_QUOTED))
			return false;
	return true;
}

/* Status-Line = SIP-Version SP Status-Code SP Reason-Phrase */
int sipfrag_status(struct slice body, unsigned *ret_status, struct slice *ret_reason)
{
	static const struct slice version = SLICE_INIT("SIP/2.0 ");
	struct slice line = first_line(body), code, reason;
	uint32_t status;

	if (!slice_starts_ci(line, version))
		return -EBADMSG;
	line = slice_skip(line, version.n);
	code = slice_head(line, slice_find(line, ' '));
	reason = slice_skip(line, code.n + 1);
	if (code.n != 3 || !slice_to_u32(code, 699, &status) || status < 100 || !is_phrase(reason))
		return -EBADMSG;
	*ret_status = status;
	*ret_reason = reason;
	return 0;
}

void sipfrag_append_status(struct buf *b, unsigned status, struct slice reason)
{
	buf_lit(b, "SIP/2.0 ");
	buf_u64(b, status);
	buf_putc(b, ' ');
	buf_put(b, reason.n ? reason : build_reason(status));
	buf_lit(b, "\r\n");
}
