/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "protocol/msg/dialog-id.h"

#include "protocol/base/buf.h"
#include "protocol/base/err.h"
#include "protocol/msg/params.h"
#include "protocol/msg/scan.h"

/* callid, as leniently as in Call-ID itself; a ";" is no part of a word (RFC 3261 section 25.1). */
static struct slice read_call_id(struct scan *s)
{
	const char *start;

	scan_lws(s);
	start = s->p;
	while (!scan_at_end(s) && chars_is(*s->p, CHARS_VISIBLE) && *s->p != ';')
		s->p++;
	return scan_since(s, start);
}

/* Each tag is a token, and stands there once. */
static bool note_tag(struct slice *tag, struct slice value)
{
	if (tag->p || !value.p || value.p[0] == '"')
		return false;
	*tag = value;
	return true;
}

int dialog_id_parse_named(
	struct slice value, struct slice to_tag, struct slice from_tag, struct dialog_id *ret)
{
	struct scan s = scan_of(value);
	struct dialog_id d = { .call_id = read_call_id(&s) };
	struct slice rest = scan_rest(&s);
	struct param param;
	int r;

	while ((r = params_next(&rest, &param)) > 0) {
		bool ok = true;

		if (slice_eq_ci(param.name, to_tag))
			ok = note_tag(&d.to_tag, param.value);
		else if (slice_eq_ci(param.name, from_tag))
			ok = note_tag(&d.from_tag, param.value);
		else if (slice_eq_ci(param.name, SLICE("early-only")))
			d.early_only = true;
		if (!ok)
			return -EBADMSG;
	}
	if (r < 0 || d.call_id.n == 0 || !d.to_tag.p || !d.from_tag.p)
		return -EBADMSG;
	*ret = d;
	return 0;
}

int dialog_id_parse(struct slice value, struct dialog_id *ret)
{
	return dialog_id_parse_named(value, SLICE("to-tag"), SLICE("from-tag"), ret);
}

bool dialog_id_tag_matches(struct slice asked, struct slice tag)
{
	return slice_eq(asked, tag) || (tag.n == 0 && slice_eq(asked, SLICE("0")));
}

void dialog_id_append_named(
	struct buf *b, struct slice to_tag, struct slice from_tag, const struct dialog_id *d)
{
	buf_put(b, d->call_id);
	buf_putc(b, ';');
	buf_put(b, to_tag);
	buf_putc(b, '=');
	buf_put(b, d->to_tag.n ? d->to_tag : SLICE("0"));
	buf_putc(b, ';');
	buf_put(b, from_tag);
	buf_putc(b, '=');
	buf_put(b, d->from_tag.n ? d->from_tag : SLICE("0"));
}

void dialog_id_append(struct buf *b, const struct dialog_id *d)
{
	dialog_id_append_named(b, SLICE("to-tag"), SLICE("from-tag"), d);
	if (d->early_only)
		buf_lit(b, ";early-only");
}
