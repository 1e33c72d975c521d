/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ipc/body-multipart.h"

#include "ipc/body-fault.h"
#include "protocol/base/buf.h"
#include "protocol/base/err.h"
#include "protocol/base/mem.h"
#include "protocol/msg/params.h"
#include "protocol/msg/scan.h"
#include "protocol/msg/section.h"

/* ---- types ---- */

static void split_type(struct slice content_type, struct slice *ret_type, struct slice *ret_params)
{
	size_t n = slice_find(content_type, ';');

	*ret_type = slice_trim(slice_head(content_type, n));
	*ret_params = slice_skip(content_type, n);
}

bool body_type_is(struct slice content_type, struct slice type)
{
	struct slice have, params;

	split_type(content_type, &have, &params);
	return slice_eq_ci(have, type);
}

static struct slice param(struct slice content_type, struct slice name)
{
	struct slice type, params, value;

	split_type(content_type, &type, &params);
	return params_find(params, name, &value) ? params_unquote(value) : SLICE("");
}

/* ---- delimiters: RFC 2046 section 5.1.1 ---- */

/* boundary := 0*69<bchars> bcharsnospace */
static bool is_boundary(struct slice text)
{
	static const char marks[] = "'()+_,-./:=? ";

	if (!text.n || text.n > BODY_MULTIPART_BOUNDARY_MAX || text.p[text.n - 1] == ' ')
		return false;
	for (size_t i = 0; i < text.n; i++)
		if (!chars_is(text.p[i], CHARS_ALPHA | CHARS_DIGIT) &&
			!memchr(marks, text.p[i], sizeof(marks) - 1))
			return false;
	return true;
}

enum line { LINE_OTHER, LINE_DELIMITER, LINE_CLOSE };

/* A longer boundary that begins like ours is another one, so the line has to end behind it. */
static enum line classify(struct slice line, struct slice boundary)
{
	enum line kind = LINE_DELIMITER;

	if (!slice_starts(line, SLICE("--")) || !slice_starts(slice_skip(line, 2), boundary))
		return LINE_OTHER;
	line = slice_skip(line, 2 + boundary.n);
	if (slice_starts(line, SLICE("--"))) {
		kind = LINE_CLOSE;
		line = slice_skip(line, 2);
	}
	return slice_trim(line).n ? LINE_OTHER : kind;
}

struct walk {
	struct slice rest, boundary;
};

/*
 * What stands before the next delimiter line, the line end that belongs to the delimiter included;
 * LINE_OTHER: there is none.
 */
static enum line next_delimiter(struct walk *w, struct slice *ret_before)
{
	const char *begin = w->rest.p;

	while (w->rest.n) {
		struct slice line = slice_head(w->rest, slice_find(w->rest, '\n'));
		enum line kind = classify(line, w->boundary);
		struct slice before = slice_of(begin, (size_t)(w->rest.p - begin));

		w->rest = slice_skip(w->rest, line.n + 1);
		if (kind != LINE_OTHER) {
			*ret_before = before;
			return kind;
		}
	}
	return LINE_OTHER;
}

static struct slice without_line_end(struct slice s)
{
	if (s.n && s.p[s.n - 1] == '\n')
		s.n--;
	if (s.n && s.p[s.n - 1] == '\r')
		s.n--;
	return s;
}

/* ---- parts ---- */

static struct slice without_brackets(struct slice id)
{
	id = slice_trim(id);
	if (id.n >= 2 && id.p[0] == '<' && id.p[id.n - 1] == '>')
		return slice_of(id.p + 1, id.n - 2);
	return id;
}

/* In place: m owns its bytes. */
static struct slice unfold(struct body_multipart *m, struct slice value)
{
	char *p = m->bytes + (value.p - m->bytes);

	for (size_t i = 0; i < value.n; i++)
		if (p[i] == '\r' || p[i] == '\n')
			p[i] = ' ';
	return value;
}

static void take_header(struct body_part *part, const struct hdr *h, struct slice value)
{
	if (h->id == HDR_CONTENT_TYPE)
		part->content_type = value;
	else if (slice_eq_ci(h->name, SLICE("Content-ID")))
		part->id = without_brackets(value);
	else if (slice_eq_ci(h->name, SLICE("Content-Transfer-Encoding")))
		part->encoding = value;
}

static int read_headers(
	struct body_multipart *m, struct body_part *part, struct scan *s, struct body_fault *fault)
{
	struct section_line line;
	struct hdr h;
	enum section_kind kind;

	for (size_t n = 0; (kind = section_next(s, &line, &h)) == SECTION_HEADER; n++) {
		if (n == BODY_MULTIPART_HEADERS_MAX)
			return body_fault_set(
				fault, -EMSGSIZE, "part %zu has too many headers", m->n);
		take_header(part, &h, unfold(m, h.value));
	}
	if (kind == SECTION_MALFORMED)
		return body_fault_set(
			fault, -EBADMSG, "part %zu has a line that is no header", m->n);
	return 0;
}

static bool is_plain(struct slice encoding)
{
	return !encoding.n || slice_eq_ci(encoding, SLICE("binary")) ||
	       slice_eq_ci(encoding, SLICE("8bit")) || slice_eq_ci(encoding, SLICE("7bit"));
}

/* encapsulation: headers, an empty line, content; all of which may be missing (section 5.1). */
static int take_part(struct body_multipart *m, struct slice text, struct body_fault *fault)
{
	struct body_part *part = &m->parts[m->n++];
	struct slice content = without_line_end(text);
	struct scan s = scan_of(text);
	int r;

	*part = (struct body_part){ .content_type = SLICE("text/plain") };
	r = read_headers(m, part, &s, fault);
	if (r < 0)
		return r;
	if (!is_plain(part->encoding))
		return body_fault_set(fault, -EBADMSG, "part %zu is encoded as '%.*s'", m->n,
			SLICE_ARGS(slice_head(part->encoding, 32)));
	/* The empty line may be the one that belongs to the delimiter. */
	part->content = s.p < content.p + content.n
				? slice_of(s.p, (size_t)(content.p + content.n - s.p))
				: SLICE("");
	return 0;
}

static int take_parts(struct body_multipart *m, struct slice body, struct slice boundary,
	struct body_fault *fault)
{
	struct walk w = { .rest = body, .boundary = boundary };
	struct slice before;
	size_t cap = 0;
	enum line kind = next_delimiter(&w, &before);

	if (kind != LINE_DELIMITER)
		return body_fault_set(fault, -EBADMSG, "the boundary is nowhere in the body");
	while (kind == LINE_DELIMITER) {
		int r;

		kind = next_delimiter(&w, &before);
		if (kind == LINE_OTHER)
			return body_fault_set(fault, -EBADMSG, "the closing boundary is missing");
		if (m->n == BODY_MULTIPART_PARTS_MAX)
			return body_fault_set(fault, -EMSGSIZE, "there are too many parts");
		if (m->n == cap) {
			cap = cap ? 2 * cap : 8;
			m->parts = mem_realloc(m->parts, cap * sizeof(*m->parts));
		}
		r = take_part(m, before, fault);
		if (r < 0)
			return r;
	}
	return 0;
}

/* ---- the whole ---- */

/* The number of parts is small enough for whatever a stranger's ids hash to. */
static void index_parts(struct body_multipart *m)
{
	map_init(&m->by_id, 0);
	for (size_t i = 0; i < m->n; i++)
		if (m->parts[i].id.n && !map_find(&m->by_id, m->parts[i].id))
			map_insert(&m->by_id, &m->parts[i].by_id, m->parts[i].id);
}

/* RFC 2387 section 3.2 */
static int find_root(struct body_multipart *m, struct slice content_type, struct body_fault *fault)
{
	struct slice start = without_brackets(param(content_type, SLICE("start")));
	const struct body_part *part = start.n ? body_multipart_find(m, start) : m->parts;

	if (!part)
		return body_fault_set(fault, -EBADMSG, "no part has the id of the root, '%.*s'",
			SLICE_ARGS(slice_head(start, 80)));
	m->root = (size_t)(part - m->parts);
	return 0;
}

int body_multipart_parse(struct slice content_type, struct slice body, struct body_fault *ret_fault,
	struct body_multipart *ret)
{
	struct slice boundary = param(content_type, SLICE("boundary"));
	struct body_multipart m = { 0 };
	int r;

	ret_fault->text[0] = '\0';
	if (!is_boundary(boundary))
		return body_fault_set(
			ret_fault, -EBADMSG, "the content type has no usable boundary");
	m.bytes = slice_dup(body);
	r = take_parts(&m, slice_of(m.bytes, body.n), boundary, ret_fault);
	if (r == 0) {
		index_parts(&m);
		r = find_root(&m, content_type, ret_fault);
	}
	if (r < 0)
		body_multipart_deinit(&m);
	else
		*ret = m;
	return r;
}

void body_multipart_deinit(struct body_multipart *m)
{
	map_deinit(&m->by_id);
	free(m->parts);
	free(m->bytes);
	*m = (struct body_multipart){ 0 };
}

const struct body_part *body_multipart_find(const struct body_multipart *m, struct slice id)
{
	struct map_node *found = map_find(&m->by_id, id);

	return found ? container_of(found, struct body_part, by_id) : NULL;
}
