/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * From bytes to a message, in three steps: the header section is cut into lines where the bytes
 * lie, then one block is allocated for the message, its header array and a copy of the bytes, and
 * last the fields that every transaction needs are decoded from the copy.
 */
#include "protocol/msg/msg.h"

#include <string.h>

#include "protocol/base/err.h"
#include "protocol/base/mem.h"
#include "protocol/msg/msg-decode.h"
#include "protocol/msg/scan.h"
#include "protocol/msg/section.h"

/* The header section as it lies in the input. */
struct cut {
	struct slice start_line;
	size_t lines_at; /* where the first header begins */
	size_t body_at;  /* behind the empty line */
	bool rewrite;    /* folds or stray CRs are to be replaced */
	struct msg_fault fault;
	size_t n_hdrs;
	struct hdr hdrs[MSG_MAX_HEADERS + 1]; /* the last is where one too many is read */
};

void msg_set_fault(struct msg *m, unsigned status, const char *reason)
{
	if (!m->fault.status)
		m->fault = (struct msg_fault){ .status = status, .reason = reason };
}

static void cut_fault(struct cut *c, unsigned status, const char *reason)
{
	if (!c->fault.status)
		c->fault = (struct msg_fault){ .status = status, .reason = reason };
}

static void cut_line(struct cut *c, const struct section_line *line, enum section_kind kind)
{
	c->rewrite |= line->folded || line->stray_cr;
	if (line->stray_cr)
		cut_fault(c, 400, "Bad Line End");
	if (c->n_hdrs == MSG_MAX_HEADERS)
		cut_fault(c, 513, "Too Many Header Fields");
	else if (kind == SECTION_HEADER)
		c->n_hdrs++;
	else
		cut_fault(c, 400, "Bad Header Field");
}

static int cut_section(struct slice bytes, struct cut *c)
{
	struct scan s = scan_of(bytes);
	struct section_line line;
	enum section_kind kind;

	if (!section_first_line(&s, &c->start_line))
		return -EBADMSG;
	c->lines_at = (size_t)(s.p - bytes.p);
	while ((kind = section_next(&s, &line, &c->hdrs[c->n_hdrs])) <= SECTION_MALFORMED)
		cut_line(c, &line, kind);
	if (kind == SECTION_CUT_OFF)
		cut_fault(c, 400, "Header Section Without End");
	c->body_at = kind == SECTION_END ? (size_t)(s.p - bytes.p) : bytes.n;
	return c->body_at > MSG_MAX_HEADER_BYTES ? -EMSGSIZE : 0;
}

/* Every fold and stray CR becomes blanks, byte for byte, so that all slices keep their place. */
static void blank_folds(char *p, size_t n)
{
	struct scan s = { .p = p, .end = p + n };
	struct section_line line;

	while (section_next_line(&s, &line) && line.text.n) {
		char *at = p + (line.text.p - p);

		for (size_t i = 0; i < line.text.n; i++)
			if (at[i] == '\r' || at[i] == '\n')
				at[i] = ' ';
	}
}

/* One block: the message, its headers, its bytes. The bytes come last, so that a sanitizer sees
 * whoever reads past them. */
static struct msg *msg_new(struct slice bytes, const struct cut *c)
{
	size_t hdrs_size = c->n_hdrs * sizeof(struct hdr);
	struct msg *m = mem_alloc(sizeof(*m) + hdrs_size + bytes.n);
	char *copy = (char *)(m + 1) + hdrs_size;

	mem_zero(m, sizeof(*m));
	memcpy(copy, bytes.p, bytes.n);
	if (c->rewrite)
		blank_folds(copy + c->lines_at, c->body_at - c->lines_at);
	m->refs = 1;
	m->raw = slice_of(copy, bytes.n);
	m->hdrs = (struct hdr *)(m + 1);
	m->n_hdrs = c->n_hdrs;
	for (size_t i = 0; i < c->n_hdrs; i++) {
		const struct hdr *h = &c->hdrs[i];

		m->hdrs[i] = (struct hdr){
			.id = h->id,
			.name = { .p = copy + (h->name.p - bytes.p), .n = h->name.n },
			.value = { .p = copy + (h->value.p - bytes.p), .n = h->value.n },
		};
	}
	return m;
}

/* The body ends with Content-Length or with the bytes; what follows it is no part of the message
 * (RFC 3261 section 18.3). */
static void find_body(struct msg *m, size_t body_at, enum msg_framing framing)
{
	struct slice rest = slice_skip(m->raw, body_at), value = msg_header(m, HDR_CONTENT_LENGTH);
	uint32_t length = 0;

	m->body = rest;
	if (framing == MSG_HEAD) {
		msg_set_fault(m, 513, "Message Too Large");
	} else if (value.p && !slice_to_u32(value, MSG_MAX_BYTES, &length)) {
		msg_set_fault(m, 400, "Bad Content-Length");
	} else if (value.p && length > rest.n) {
		msg_set_fault(m, 400, "Content-Length Beyond Message");
	} else if (value.p) {
		m->body = slice_head(rest, length);
		m->raw = slice_head(m->raw, body_at + length);
	}
}

/* RFC 3261 section 7.5: CR LF in front of a start line is ignored. */
static struct slice skip_empty_lines(struct slice bytes)
{
	while (bytes.n && (bytes.p[0] == '\r' || bytes.p[0] == '\n'))
		bytes = slice_skip(bytes, 1);
	return bytes;
}

int msg_parse(struct slice bytes, enum msg_framing framing, struct msg **ret_msg)
{
	struct cut c;
	struct slice line;
	struct msg *m;
	enum msg_start start;
	int r;

	bytes = skip_empty_lines(bytes);
	if (bytes.n > MSG_MAX_BYTES)
		return -EMSGSIZE;
	/* Everything but the array, of which only what is filled is read. */
	memset(&c, 0, offsetof(struct cut, hdrs));
	r = cut_section(bytes, &c);
	if (r < 0)
		return r;
	start = msg_start_kind(c.start_line);
	if (start == MSG_START_NONE)
		return -EBADMSG;

	m = msg_new(bytes, &c);
	line = slice_head(m->raw, c.start_line.n);
	if (start == MSG_START_REQUEST)
		msg_decode_request_line(m, line);
	else
		msg_decode_status_line(m, line);
	if (c.fault.status)
		msg_set_fault(m, c.fault.status, c.fault.reason);
	msg_decode_headers(m);
	find_body(m, c.body_at, framing);
	*ret_msg = m;
	return 0;
}

struct msg *msg_ref(const struct msg *m)
{
	/* A reference count is no part of what const promises. */
	struct msg *counted = (struct msg *)(uintptr_t)m;

	counted->refs++;
	return counted;
}

void msg_unref(struct msg *m)
{
	if (!m || --m->refs > 0)
		return;
	free(m->top_via);
	free(m);
}

void msg_set_top_via(struct msg *m, struct slice value)
{
	char *via = value.n ? slice_dup(value) : NULL;

	free(m->top_via);
	m->top_via = via;
}

bool msg_is_answerable(const struct msg *m)
{
	return m->is_request && m->method != METHOD_ACK && m->via.host.n &&
	       msg_header(m, HDR_FROM).n && msg_header(m, HDR_TO).n &&
	       msg_header(m, HDR_CALL_ID).n && msg_header(m, HDR_CSEQ).n;
}
