/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Reading headers of a parsed message. */
#include "protocol/msg/msg.h"
#include "protocol/msg/scan.h"

struct slice msg_header(const struct msg *m, enum hdr_id id)
{
	return m->first[id] ? m->hdrs[m->first[id] - 1].value : SLICE_NULL;
}

struct slice msg_header_named(const struct msg *m, struct slice name)
{
	enum hdr_id id = hdr_find(name);

	if (id != HDR_OTHER)
		return msg_header(m, id);
	for (size_t i = 0; i < m->n_hdrs; i++)
		if (m->hdrs[i].id == HDR_OTHER && slice_eq_ci(m->hdrs[i].name, name))
			return m->hdrs[i].value;
	return SLICE_NULL;
}

const struct hdr *msg_header_next(const struct msg *m, enum hdr_id id, const struct hdr *h)
{
	const struct hdr *end = m->hdrs + m->n_hdrs;

	if (!m->first[id])
		return NULL;
	for (h = h ? h + 1 : &m->hdrs[m->first[id] - 1]; h < end; h++)
		if (h->id == id)
			return h;
	return NULL;
}

/*
 * The length of the list element at the start of it->rest: commas in quotes and in "<>" are its
 * own. What never closes is an ordinary character, and so are all of its kind on the rest of the
 * line, for looking again and again would cost the square of its length.
 */
static size_t element_length(struct msg_list *it)
{
	struct scan s = scan_of(it->rest);
	struct slice quoted;
	size_t close;

	while (!scan_at_end(&s) && *s.p != ',') {
		if (*s.p == '"' && !it->plain_quotes) {
			if (scan_quoted(&s, &quoted))
				continue;
			it->plain_quotes = true;
		} else if (*s.p == '<' && !it->plain_brackets) {
			close = slice_find(scan_rest(&s), '>');
			it->plain_brackets = close == scan_rest(&s).n;
			s.p += it->plain_brackets ? 0 : close;
		}
		s.p++;
	}
	return (size_t)(s.p - it->rest.p);
}

int msg_list_next(const struct msg *m, enum hdr_id id, struct msg_list *it, struct slice *ret)
{
	for (;;) {
		while (it->rest.n) {
			size_t length = element_length(it);
			struct slice one = slice_trim(slice_head(it->rest, length));

			it->rest = slice_skip(it->rest, length + 1);
			if (one.n == 0)
				continue;
			*ret = one;
			return 1;
		}
		if (it->started && !it->at)
			return 0;
		it->at = msg_header_next(m, id, it->at);
		it->started = true;
		it->plain_quotes = it->plain_brackets = false;
		it->rest = it->at ? it->at->value : SLICE_NULL;
	}
}

bool msg_has_token(const struct msg *m, enum hdr_id id, struct slice token)
{
	struct msg_list it = { .started = false };
	struct slice one;

	while (msg_list_next(m, id, &it, &one) > 0)
		if (slice_eq_ci(one, token))
			return true;
	return false;
}

bool msg_number(const struct msg *m, enum hdr_id id, uint32_t max, uint32_t *ret)
{
	return slice_to_u32(msg_header(m, id), max, ret);
}

bool msg_retry_after(const struct msg *m, uint32_t *ret_seconds)
{
	struct scan s = scan_of(msg_header(m, HDR_RETRY_AFTER));
	struct slice number = scan_run(&s, CHARS_DIGIT);

	scan_lws(&s);
	if (!scan_at_end(&s) && *s.p != '(' && *s.p != ';')
		return false;
	return slice_to_u32(number, UINT32_MAX, ret_seconds);
}
