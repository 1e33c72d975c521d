/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "protocol/msg/frame.h"

#include "protocol/msg/msg.h"
#include "protocol/msg/scan.h"
#include "protocol/msg/section.h"

static enum frame_kind give_up(enum frame_kind kind, struct slice section, struct slice input,
	struct slice *ret_frame, size_t *ret_consumed)
{
	*ret_frame = section;
	*ret_consumed = input.n;
	return kind;
}

/* CR LF CR LF is a ping, CR LF alone the answer to ours or padding (RFC 5626 section 3.5.1). */
static enum frame_kind read_keepalive(
	struct frame_state *s, struct slice input, struct slice *ret_frame, size_t *ret_consumed)
{
	static const struct slice ping = SLICE_INIT("\r\n\r\n");

	if (input.p[0] == '\n') {
		*ret_consumed = 1;
		return FRAME_PONG;
	}
	if (input.n == 1)
		return FRAME_PARTIAL;
	if (input.p[1] != '\n')
		return give_up(FRAME_BAD, SLICE_NULL, input, ret_frame, ret_consumed);
	if (s->expect_pong) {
		s->expect_pong = false;
	} else if (slice_starts(input, ping)) {
		*ret_consumed = ping.n;
		return FRAME_PING;
	} else if (slice_starts(ping, input)) {
		return FRAME_PARTIAL;
	}
	*ret_consumed = 2;
	return FRAME_PONG;
}

/*
 * The length of the header section with its empty line, 0 if its end is not there yet. Looks only
 * at what is new.
 */
static size_t section_length(struct frame_state *s, struct slice input)
{
	for (;;) {
		size_t lf = s->searched + slice_find(slice_skip(input, s->searched), '\n');
		struct slice next = slice_skip(input, lf + 1);

		s->searched = lf;
		if (next.n == 0 || (next.n == 1 && next.p[0] == '\r'))
			return 0;
		if (next.p[0] == '\n')
			return lf + 2;
		if (next.p[0] == '\r' && next.p[1] == '\n')
			return lf + 3;
		s->searched = lf + 1;
	}
}

/* A start line of SIP, and not of something else that looks like it. */
static bool is_sip(struct slice first)
{
	static const struct slice version = SLICE_INIT("SIP/2.0");

	first = slice_trim(first);
	return slice_starts(first, version) ||
	       (first.n > version.n && slice_eq(slice_skip(first, first.n - version.n), version));
}

/*
 * The one Content-Length of the section; false if it is malformed or contradicts itself. RFC 3261
 * 18.3 wants one on a stream. RFC 2543 did not, and peers still leave it out where there is no body
 * (RFC 4475 3.4.1 asks to bear with them): absent, it is 0. A body that follows all the same is no
 * start of a message, which ends the stream there.
 */
static bool read_length(struct slice section, uint32_t *ret)
{
	struct scan s = scan_of(section);
	struct section_line line;
	struct slice first;
	struct hdr h;
	struct slice value = SLICE_NULL;

	if (!section_first_line(&s, &first))
		return false;
	while (section_next_line(&s, &line) && line.text.n) {
		if (!section_split(line.text, &h) || h.id != HDR_CONTENT_LENGTH)
			continue;
		if (value.p && !slice_eq(value, h.value))
			return false;
		value = h.value;
	}
	*ret = 0;
	return value.p ? slice_to_u32(value, UINT32_MAX, ret) : is_sip(first);
}

/* Finds the end of the message; FRAME_MESSAGE means that s->total is known. */
static enum frame_kind measure(
	struct frame_state *s, struct slice input, size_t max_bytes, struct slice *ret_section)
{
	size_t n = section_length(s, input), ceiling = MSG_MAX_HEADER_BYTES;
	uint32_t length;

	if (max_bytes < ceiling)
		ceiling = max_bytes;
	*ret_section = slice_head(input, n);
	if (n == 0)
		return input.n > ceiling ? FRAME_TOO_LARGE : FRAME_PARTIAL;
	if (n > ceiling)
		return FRAME_TOO_LARGE;
	if (!read_length(*ret_section, &length))
		return FRAME_BAD;
	if (length > max_bytes - n)
		return FRAME_TOO_LARGE;
	s->total = n + length;
	return FRAME_MESSAGE;
}

enum frame_kind frame_next(struct frame_state *s, struct slice input, size_t max_bytes,
	struct slice *ret_frame, size_t *ret_consumed)
{
	struct slice section = SLICE_NULL;
	enum frame_kind kind;

	if (input.n == 0)
		return FRAME_PARTIAL;
	if (s->total == 0) {
		if (input.p[0] == '\r' || input.p[0] == '\n')
			return read_keepalive(s, input, ret_frame, ret_consumed);
		/* Something else than SIP, such as the first bytes of a TLS handshake. */
		if (!chars_is(input.p[0], CHARS_TOKEN))
			return give_up(FRAME_BAD, section, input, ret_frame, ret_consumed);
		kind = measure(s, input, max_bytes, &section);
		if (kind == FRAME_PARTIAL)
			return kind;
		if (kind != FRAME_MESSAGE)
			return give_up(kind, section, input, ret_frame, ret_consumed);
	}
	if (input.n < s->total)
		return FRAME_PARTIAL;
	*ret_frame = slice_head(input, s->total);
	*ret_consumed = s->total;
	s->searched = s->total = 0;
	return FRAME_MESSAGE;
}
