/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "protocol/msg/message-summary.h"

#include "protocol/base/err.h"
#include "protocol/base/mem.h"
#include "protocol/msg/scan.h"

static struct slice next_line(struct slice *rest)
{
	size_t n = slice_find(*rest, '\n');
	struct slice line = slice_head(*rest, n);

	*rest = slice_skip(*rest, n < rest->n ? n + 1 : n);
	return line.n && line.p[line.n - 1] == '\r' ? slice_head(line, line.n - 1) : line;
}

/* 1*DIGIT; section 3.5: a larger value is as if it were 2^32-1. */
static bool read_count(struct scan *s, uint32_t *ret)
{
	struct slice digits = scan_run(s, CHARS_DIGIT);
	uint64_t n = 0;

	for (size_t i = 0; i < digits.n; i++) {
		n = n * 10 + (uint64_t)(digits.p[i] - '0');
		if (n > UINT32_MAX)
			n = UINT32_MAX;
	}
	*ret = (uint32_t)n;
	return digits.n > 0;
}

static bool read_pair(struct scan *s, uint32_t *ret_fresh, uint32_t *ret_old)
{
	return read_count(s, ret_fresh) && scan_separator(s, '/') && read_count(s, ret_old);
}

/* newmsgs SLASH oldmsgs [ LPAREN new-urgentmsgs SLASH old-urgentmsgs RPAREN ] */
static bool read_counts(struct slice value, struct message_counts *ret)
{
	struct scan s = scan_of(value);
	struct message_counts c = { .told = true };

	if (!read_pair(&s, &c.fresh, &c.old))
		return false;
	/* Urgent ones that cannot be read leave the others. */
	if (scan_separator(&s, '(') && !read_pair(&s, &c.urgent_fresh, &c.urgent_old))
		c.urgent_fresh = c.urgent_old = 0;
	*ret = c;
	return true;
}

static void take_counts(struct message_summary *sum, struct slice name, struct slice value)
{
	static const struct slice names[] = {
		[MESSAGE_VOICE] = SLICE_INIT("voice-message"),
		[MESSAGE_FAX] = SLICE_INIT("fax-message"),
		[MESSAGE_PAGER] = SLICE_INIT("pager-message"),
		[MESSAGE_MULTIMEDIA] = SLICE_INIT("multimedia-message"),
		[MESSAGE_TEXT] = SLICE_INIT("text-message"),
		[MESSAGE_NONE] = SLICE_INIT("none"),
	};

	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		if (slice_eq_ci(name, names[i]) && !sum->counts[i].told)
			(void)read_counts(value, &sum->counts[i]);
}

/* Section 3.5: no brackets; some write them. */
static struct slice without_brackets(struct slice v)
{
	if (v.n >= 2 && v.p[0] == '<' && v.p[v.n - 1] == '>')
		return slice_trim(slice_of(v.p + 1, v.n - 2));
	return v;
}

/* What a status line says: 1 yes, 0 no, -1 neither. */
static int read_status(struct slice value)
{
	if (slice_eq_ci(value, SLICE("yes")))
		return 1;
	return slice_eq_ci(value, SLICE("no")) ? 0 : -1;
}

static void take_line(struct message_summary *sum, struct slice line, int *status)
{
	struct slice name, value;

	if (!slice_cut(line, ':', &name, &value))
		return;
	name = slice_trim(name);
	value = slice_trim(value);
	if (slice_eq_ci(name, SLICE("Messages-Waiting"))) {
		if (*status < 0)
			*status = read_status(value);
	} else if (slice_eq_ci(name, SLICE("Message-Account"))) {
		if (!sum->account.n)
			sum->account = without_brackets(value);
	} else {
		take_counts(sum, name, value);
	}
}

int message_summary_parse(struct slice body, struct message_summary *ret)
{
	struct message_summary sum = { 0 };
	int status = -1;

	while (body.n) {
		struct slice line = next_line(&body);

		/* opt-msg-headers begin with an empty line; some send one before everything. */
		if (!line.n && status >= 0)
			break;
		take_line(&sum, line, &status);
	}
	if (status < 0)
		return -EBADMSG;
	sum.waiting = status > 0;
	sum.headers = body;
	*ret = sum;
	return 0;
}
