/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "protocol/msg/msg-decode.h"

#include <string.h>

#include "protocol/msg/msg.h"
#include "protocol/msg/params.h"
#include "protocol/msg/scan.h"

static const struct slice sip_slash = SLICE_INIT("SIP/");

/* What stands behind the last blank that is not itself at the end. */
static struct slice last_word(struct slice line)
{
	const char *blank;

	line = slice_trim(line);
	blank = line.n ? memrchr(line.p, ' ', line.n) : NULL;
	return blank ? slice_skip(line, (size_t)(blank + 1 - line.p)) : line;
}

enum msg_start msg_start_kind(struct slice line)
{
	if (slice_starts_ci(line, sip_slash))
		return MSG_START_RESPONSE;
	if (line.n && line.p[0] != ' ' && slice_starts_ci(last_word(line), sip_slash))
		return MSG_START_REQUEST;
	return MSG_START_NONE;
}

/* SIP-Version: "SIP/2.0", ignoring case; any other well-formed one is 505 (RFC 3261 21.5.6). */
static void check_version(struct msg *m, struct slice version)
{
	struct scan s = scan_of(slice_skip(version, sip_slash.n));

	if (slice_eq(version, SLICE("SIP/2.0")) || slice_eq_ci(version, SLICE("SIP/2.0")))
		return;
	if (scan_run(&s, CHARS_DIGIT).n && scan_accept(&s, '.') && scan_run(&s, CHARS_DIGIT).n &&
		scan_at_end(&s))
		msg_set_fault(m, 505, "Version Not Supported");
	else
		msg_set_fault(m, 400, "Bad SIP Version");
}

/* Request-Line = Method SP Request-URI SP SIP-Version: single blanks and none at the end. */
void msg_decode_request_line(struct msg *m, struct slice line)
{
	struct slice version = last_word(line);
	struct slice rest = slice_head(line, (size_t)(version.p - line.p));
	struct slice uri = SLICE_NULL;

	m->is_request = true;
	m->method_name = slice_head(rest, slice_find(rest, ' '));
	m->method = method_parse(m->method_name);
	if (rest.n >= m->method_name.n + 2)
		uri = slice_of(rest.p + m->method_name.n + 1, rest.n - m->method_name.n - 2);
	m->request_uri = uri;
	check_version(m, version);
	if (!scan_all(m->method_name, CHARS_TOKEN))
		msg_set_fault(m, 400, "Bad Method");
	if (version.p + version.n != line.p + line.n)
		msg_set_fault(m, 400, "Bad Request Line");
	if (uri_parse(uri, &m->uri) < 0 || m->uri.headers.p)
		/* RFC 3261 section 19.1.1: no headers in a Request-URI. */
		msg_set_fault(m, 400, "Bad Request-URI");
}

/* Status-Line = SIP-Version SP Status-Code SP Reason-Phrase; the last SP may be missing. */
void msg_decode_status_line(struct msg *m, struct slice line)
{
	struct slice version = line, rest = SLICE_NULL, code;
	uint32_t status = 0;

	(void)slice_cut(line, ' ', &version, &rest);
	check_version(m, version);
	code = slice_head(rest, slice_find(rest, ' '));
	m->reason = slice_skip(rest, code.n + 1);
	if (code.n != 3 || !slice_to_u32(code, 699, &status) || status < 100)
		msg_set_fault(m, 400, "Bad Status Code");
	else
		m->status = status;
}

static bool same_value(const struct msg *m, enum hdr_id id, struct slice value)
{
	return slice_eq(m->hdrs[m->first[id] - 1].value, value);
}

/* Commas and one more: never less than there are elements. */
static size_t count_elements(struct slice list)
{
	struct slice one;
	size_t n = 1;

	while (slice_cut(list, ',', &one, &list))
		n++;
	return n;
}

/* Remembers the first header of each kind and counts what is bounded. */
static void index_headers(struct msg *m)
{
	size_t vias = 0;

	for (size_t i = 0; i < m->n_hdrs; i++) {
		const struct hdr *h = &m->hdrs[i];

		if (h->id == HDR_VIA)
			vias += count_elements(h->value);
		if (!m->first[h->id])
			m->first[h->id] = (uint16_t)(i + 1);
		else if (hdr_multiplicity(h->id) == HDR_ONE &&
			 (m->is_request || hdr_severity(h->id) == HDR_FATAL) &&
			 !(h->id == HDR_CONTENT_LENGTH && same_value(m, h->id, h->value)))
			msg_set_fault(m, 400, "Repeated Header Field");
	}
	if (vias > MSG_MAX_VIAS)
		msg_set_fault(m, 400, "Too Many Via");
}

static void decode_via(struct msg *m)
{
	struct slice rest = msg_header(m, HDR_VIA);

	if (via_next_partial(&rest, &m->via) <= 0)
		msg_set_fault(m, 400, rest.p ? "Bad Via" : "Missing Via");
}

/* From and To: an address whose tag, if there is one, has a value. */
static bool read_party(struct slice value, struct addr *ret, struct slice *ret_tag)
{
	if (addr_parse(value, ret) < 0 || (ret->tag.p && ret->tag.n == 0))
		return false;
	*ret_tag = ret->tag;
	return true;
}

static void decode_from_to(struct msg *m)
{
	struct slice from = msg_header(m, HDR_FROM), to = msg_header(m, HDR_TO);

	if (!read_party(from, &m->from, &m->from_tag))
		msg_set_fault(m, 400, from.p ? "Bad From" : "Missing From");
	if (!read_party(to, &m->to, &m->to_tag))
		msg_set_fault(m, 400, to.p ? "Bad To" : "Missing To");
}

static void decode_call_id(struct msg *m)
{
	m->call_id = msg_header(m, HDR_CALL_ID);
	if (!scan_all(m->call_id, CHARS_VISIBLE))
		msg_set_fault(m, 400, m->call_id.p ? "Bad Call-ID" : "Missing Call-ID");
}

/* 1*DIGIT LWS Method, below 2**31 (RFC 3261 section 8.1.1.5) */
static bool read_cseq(struct msg *m, struct slice value)
{
	struct scan s = scan_of(value);
	struct slice number = scan_run(&s, CHARS_DIGIT);

	if (scan_at_end(&s) || !chars_is(*s.p, CHARS_LWS))
		return false;
	scan_lws(&s);
	m->cseq_method_name = scan_rest(&s);
	return slice_to_u32(number, INT32_MAX, &m->cseq) &&
	       scan_all(m->cseq_method_name, CHARS_TOKEN);
}

static void decode_cseq(struct msg *m)
{
	struct slice value = msg_header(m, HDR_CSEQ);

	if (!read_cseq(m, value)) {
		msg_set_fault(m, 400, value.p ? "Bad CSeq" : "Missing CSeq");
		return;
	}
	if (m->is_request && slice_eq(m->cseq_method_name, m->method_name)) {
		m->cseq_method = m->method;
		return;
	}
	m->cseq_method = method_parse(m->cseq_method_name);
	if (m->is_request) {
		msg_set_fault(m, 400, "CSeq Method Mismatch");
	} else {
		m->method = m->cseq_method;
		m->method_name = m->cseq_method_name;
	}
}

/* "*" alone, or addresses (RFC 3261 section 20.10). */
static bool read_contacts(struct msg *m)
{
	const struct hdr *h = msg_header_next(m, HDR_CONTACT, NULL);
	struct addr contact;

	if (h && slice_eq(h->value, SLICE("*")))
		return !msg_header_next(m, HDR_CONTACT, h);
	for (; h; h = msg_header_next(m, HDR_CONTACT, h)) {
		struct slice rest = h->value;
		int r;

		while ((r = addr_next(&rest, &contact)) > 0)
			if (!m->contact.uri.text.p)
				m->contact = contact;
		if (r < 0)
			return false;
	}
	return true;
}

/* m-type SLASH m-subtype *( SEMI m-parameter ); an empty value says no more than none. */
static void decode_content_type(struct msg *m)
{
	struct slice value = msg_header(m, HDR_CONTENT_TYPE);
	struct scan s = scan_of(value);

	if (value.n == 0)
		return;
	m->content_type = value;
	if (scan_run(&s, CHARS_TOKEN).n == 0 || !scan_separator(&s, '/') ||
		scan_run(&s, CHARS_TOKEN).n == 0 || !params_valid(scan_rest(&s)))
		msg_set_fault(m, 400, "Bad Content-Type");
}

void msg_decode_headers(struct msg *m)
{
	index_headers(m);
	decode_via(m);
	decode_from_to(m);
	decode_call_id(m);
	decode_cseq(m);
	if (!read_contacts(m))
		msg_set_fault(m, 400, "Bad Contact");
	decode_content_type(m);
}
