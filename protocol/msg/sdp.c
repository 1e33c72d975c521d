/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "protocol/msg/sdp.h"

#include "protocol/base/buf.h"
#include "protocol/base/err.h"

/* Takes the next line off, without its end: CRLF, or LF alone (RFC 4566 section 5). */
static struct slice next_line(struct slice *rest)
{
	struct slice line = *rest;

	if (!slice_cut(*rest, '\n', &line, rest))
		*rest = SLICE_NULL;
	if (line.n && line.p[line.n - 1] == '\r')
		line.n--;
	return line;
}

static void append_line(struct buf *b, struct slice line)
{
	buf_put(b, line);
	buf_lit(b, "\r\n");
}

static void append_origin(struct buf *b, const struct sdp_origin *o)
{
	buf_printf(b, "o=- %u %u IN IP4 anonymous.invalid", o->id, o->version);
}

/* ---- an answer that holds ---- */

/* The first connection line decides; RFC 6157 4.1 forbids "::" for IPv6. */
static bool is_ipv6(struct slice offer)
{
	while (offer.n) {
		struct slice line = next_line(&offer);

		if (slice_starts(line, SLICE("c=")))
			return slice_starts(line, SLICE("c=IN IP6"));
	}
	return false;
}

static void append_session(struct buf *b, struct slice offer, const struct sdp_origin *o)
{
	buf_lit(b, "v=0\r\n");
	append_origin(b, o);
	buf_lit(b, "\r\ns=-\r\n");
	append_line(b, is_ipv6(offer) ? SLICE("c=IN IP6 held.invalid") : SLICE("c=IN IP4 0.0.0.0"));
}

struct media {
	struct slice name, port, protocol, formats;
};

static bool read_media(struct slice line, struct media *ret)
{
	struct slice rest = slice_skip(line, 2);

	return slice_cut(rest, ' ', &ret->name, &rest) && ret->name.n &&
	       slice_cut(rest, ' ', &ret->port, &rest) && ret->port.n &&
	       slice_cut(rest, ' ', &ret->protocol, &ret->formats) && ret->protocol.n &&
	       ret->formats.n;
}

/* What can be accepted without keys, fingerprints or a connection of our own. */
static bool is_plain_rtp(const struct media *m)
{
	return !slice_eq(m->port, SLICE("0")) && (slice_eq(m->protocol, SLICE("RTP/AVP")) ||
							 slice_eq(m->protocol, SLICE("RTP/AVPF")));
}

/* True: the stream goes on, inactive; false: it is refused. */
static bool append_media(struct buf *b, const struct media *m)
{
	bool accepted = is_plain_rtp(m);

	buf_lit(b, "m=");
	buf_put(b, m->name);
	/* 9 is the discard port: anything but 0 will do. */
	buf_put(b, accepted ? SLICE(" 9 ") : SLICE(" 0 "));
	buf_put(b, m->protocol);
	buf_putc(b, ' ');
	append_line(b, m->formats);
	if (accepted)
		buf_lit(b, "a=inactive\r\n");
	return accepted;
}

/* What tells which codecs the accepted formats are. */
static bool names_format(struct slice line)
{
	return slice_starts(line, SLICE("a=rtpmap:")) || slice_starts(line, SLICE("a=fmtp:"));
}

/* The lines after the session's own, in the order of the offer; times must equal it (RFC 3264 6).
 */
static int append_rest(struct buf *b, struct slice offer)
{
	bool in_media = false, accepted = false;
	struct media m;

	while (offer.n) {
		struct slice line = next_line(&offer);

		if (slice_starts(line, SLICE("m="))) {
			if (!read_media(line, &m))
				return -EBADMSG;
			in_media = true;
			accepted = append_media(b, &m);
		} else if (!in_media ? slice_starts(line, SLICE("t="))
				     : accepted && names_format(line)) {
			append_line(b, line);
		}
	}
	return 0;
}

int sdp_append_held(struct buf *b, struct slice offer, const struct sdp_origin *o)
{
	size_t before = b->n;
	struct slice rest = offer;
	int r;

	if (!slice_eq(next_line(&rest), SLICE("v=0")))
		return -EBADMSG;
	append_session(b, offer, o);
	r = append_rest(b, rest);
	if (r < 0)
		b->n = before;
	return r;
}

/* ---- another origin ---- */

int sdp_append_as(struct buf *b, struct slice sdp, const struct sdp_origin *o)
{
	struct slice rest = sdp, line;

	while (rest.n) {
		line = next_line(&rest);
		if (slice_starts(line, SLICE("m=")))
			break;
		if (!slice_starts(line, SLICE("o=")))
			continue;
		buf_put(b, slice_head(sdp, (size_t)(line.p - sdp.p)));
		append_origin(b, o);
		buf_put(b, slice_skip(sdp, (size_t)(line.p - sdp.p) + line.n));
		return 0;
	}
	return -EBADMSG;
}
