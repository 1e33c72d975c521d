/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "protocol/msg/privacy.h"

#include "protocol/base/err.h"
#include "protocol/base/mem.h"
#include "protocol/msg/msg.h"
#include "protocol/msg/scan.h"

static unsigned find_flag(struct slice word)
{
	static const struct {
		struct slice word;
		unsigned flag;
	} rows[] = {
		{ SLICE_INIT("header"), PRIVACY_HEADER },
		{ SLICE_INIT("session"), PRIVACY_SESSION },
		{ SLICE_INIT("user"), PRIVACY_USER },
		{ SLICE_INIT("none"), PRIVACY_NONE },
		{ SLICE_INIT("critical"), PRIVACY_CRITICAL },
		{ SLICE_INIT("id"), PRIVACY_ID },
		{ SLICE_INIT("history"), PRIVACY_HISTORY },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		if (slice_eq_ci(word, rows[i].word))
			return rows[i].flag;
	return PRIVACY_OTHER;
}

/* priv-value *(";" priv-value) */
int privacy_parse(struct slice value, unsigned *ret_mask)
{
	struct scan s = scan_of(slice_trim(value));
	unsigned mask = 0;

	do {
		struct slice word = scan_run(&s, CHARS_TOKEN);

		if (word.n == 0)
			return -EBADMSG;
		mask |= find_flag(word);
	} while (scan_separator(&s, ';') || scan_separator(&s, ','));
	if (!scan_at_end(&s))
		return -EBADMSG;
	*ret_mask = mask;
	return 0;
}

static bool hides(struct slice value)
{
	unsigned mask;

	return privacy_parse(value, &mask) == 0 &&
	       (mask & (PRIVACY_USER | PRIVACY_HEADER | PRIVACY_ID));
}

bool privacy_is_wanted(const struct msg *m)
{
	const struct hdr *h = NULL;

	if (slice_eq_ci(m->from.uri.host, SLICE("anonymous.invalid")))
		return true;
	while ((h = msg_header_next(m, HDR_PRIVACY, h)))
		if (hides(h->value))
			return true;
	return false;
}

bool privacy_in_lines(struct slice lines)
{
	struct slice line, name, value;

	while (slice_cut(lines, '\n', &line, &lines))
		if (slice_cut(line, ':', &name, &value) &&
			hdr_find(slice_trim(name)) == HDR_PRIVACY && hides(slice_trim(value)))
			return true;
	return false;
}
