/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The messages of RFC 4475, what became of each, and what hostile hands make of them. */
#include "protocol/base/buf.h"
#include "protocol/msg/build.h"
#include "protocol/msg/msg.h"
#include "tests/support/exact.h"
#include "tests/support/run.h"

enum verdict { ACCEPT, REJECT, EITHER };

/* udp: the outcomes that the manifest allows at an endpoint */
static const struct row {
	const char *file, *section;
	bool is_request;
	enum verdict verdict;
	const char *udp;
} rows[] = {
#include "tests/unit/msg/torture-rows.h"
};

enum { N_ROWS = sizeof(rows) / sizeof(rows[0]) };

static struct slice load(const char *name)
{
	return exact_file(getenv("TORTURE_DIR"), name);
}

static struct msg *parse_file(const char *name)
{
	struct slice bytes = load(name);
	struct msg *m = NULL;

	ck_assert_msg(msg_parse(bytes, MSG_DATAGRAM, &m) == 0, "%s", name);
	exact_free(bytes);
	return m;
}

static bool allows(const struct row *row, unsigned status)
{
	char code[16];

	(void)snprintf(code, sizeof(code), "%u", status);
	return strstr(row->udp, code) != NULL && strstr(row->udp, "not:") == NULL;
}

START_TEST(verdicts)
{
	ck_assert_int_eq(N_ROWS, 49);
	for (size_t i = 0; i < N_ROWS; i++) {
		struct msg *m = parse_file(rows[i].file);
		unsigned fault = m->fault.status;
		const char *reason = m->fault.reason ? m->fault.reason : "";

		ck_assert_msg(m->is_request == rows[i].is_request, "%s", rows[i].file);
		switch (rows[i].verdict) {
		case ACCEPT:
			ck_assert_msg(
				fault == 0, "%s %s: %s", rows[i].file, rows[i].section, reason);
			break;
		case REJECT:
			ck_assert_msg(fault != 0, "%s %s", rows[i].file, rows[i].section);
			break;
		case EITHER:
			break;
		}
		if (fault && m->is_request)
			ck_assert_msg(allows(&rows[i], fault), "%s: %u", rows[i].file, fault);
		msg_unref(m);
	}
}
END_TEST

/* What is rejected, and why: a message that fails for another reason than its own tests nothing. */
START_TEST(reasons)
{
	static const struct {
		const char *file;
		unsigned status;
		const char *reason;
		bool answerable;
	} faults[] = {
		{ "badinv01.dat", 400, "Bad Via", true },
		{ "clerr.dat", 400, "Content-Length Beyond Message", true },
		{ "ncl.dat", 400, "Bad Content-Length", true },
		{ "scalar02.dat", 400, "Bad CSeq", true },
		{ "scalarlg.dat", 400, "Bad CSeq", false },
		{ "quotbal.dat", 400, "Bad To", true },
		{ "ltgtruri.dat", 400, "Bad Request-URI", true },
		{ "lwsruri.dat", 400, "Bad Request-URI", true },
		{ "lwsstart.dat", 400, "Bad Request-URI", true },
		{ "trws.dat", 400, "Bad Request Line", true },
		{ "escruri.dat", 400, "Bad Request-URI", true },
		{ "baddate.dat", 0, NULL, true },
		{ "regbadct.dat", 400, "Bad Contact", true },
		{ "badaspec.dat", 400, "Bad To", true },
		{ "badvers.dat", 505, "Version Not Supported", true },
		{ "mismatch01.dat", 400, "CSeq Method Mismatch", true },
		{ "mismatch02.dat", 400, "CSeq Method Mismatch", true },
		{ "bigcode.dat", 400, "Bad Status Code", false },
		{ "badbranch.dat", 0, NULL, true },
		{ "insuf.dat", 400, "Missing From", false },
		{ "multi01.dat", 400, "Repeated Header Field", true },
		{ "mcl01.dat", 400, "Repeated Header Field", true },
	};

	for (size_t i = 0; i < sizeof(faults) / sizeof(faults[0]); i++) {
		struct msg *m = parse_file(faults[i].file);

		ck_assert_msg(m->fault.status == faults[i].status, "%s", faults[i].file);
		if (faults[i].reason)
			ck_assert_str_eq(m->fault.reason, faults[i].reason);
		ck_assert_msg(msg_is_answerable(m) == faults[i].answerable, "%s", faults[i].file);
		msg_unref(m);
	}
}
END_TEST

/* RFC 4475 3.1.2.15; the file of the RFC lacks its empty line, which comes first as a fault. */
START_TEST(baddn)
{
	struct slice bytes = load("baddn.dat");
	struct buf cleanup_buf b = BUF_NULL;
	struct msg *m;

	buf_put(&b, bytes);
	if (!slice_eq(slice_skip(bytes, bytes.n - 4), SLICE("\r\n\r\n")))
		buf_lit(&b, "\r\n");
	ck_assert_int_eq(msg_parse(buf_slice(&b), MSG_DATAGRAM, &m), 0);
	ck_assert_str_eq(m->fault.reason, "Bad From");
	msg_unref(m);
	exact_free(bytes);
}
END_TEST

/* RFC 4475 3.1.1.1 */
START_TEST(wsinv)
{
	struct msg *m = parse_file("wsinv.dat");
	struct msg_list it = { .started = false };
	struct buf cleanup_buf display = BUF_NULL;
	struct slice one, value;
	uint32_t hops;
	int vias = 0;

	while (msg_list_next(m, HDR_VIA, &it, &one) > 0)
		vias++;
	ck_assert_int_eq(vias, 3);
	assert_slice(m->via.host, "192.0.2.2");
	assert_slice(m->to_tag, "1918181833n");
	assert_slice(m->from_tag, "98asjd8");
	addr_append_display(&display, &m->from);
	assert_slice(buf_slice(&display), "J Rosenberg \\\"");
	ck_assert_uint_eq(m->cseq, 9);
	ck_assert(msg_number(m, HDR_MAX_FORWARDS, 255, &hops) && hops == 68);
	ck_assert(addr_param(&m->contact, SLICE("q"), &value));
	assert_slice(value, "0.33");
	ck_assert(addr_param(&m->contact, SLICE("secondparam"), &value) && value.p == NULL);
	ck_assert(msg_header(m, HDR_SUBJECT).p != NULL && msg_header(m, HDR_SUBJECT).n == 0);
	assert_slice(msg_header_named(m, SLICE("UnknownHeaderWithUnusualValue")), ";;,,;;,;");
	ck_assert_uint_eq(m->body.n, 150);
	msg_unref(m);
}
END_TEST

static void assert_aor(const struct uri *u, struct slice want)
{
	struct buf cleanup_buf b = BUF_NULL;

	uri_append_aor(&b, u);
	ck_assert_msg(slice_eq(buf_slice(&b), want), "%.*s", SLICE_ARGS(buf_slice(&b)));
}

/* RFC 4475 3.1.1.3 to 3.1.1.5, 3.1.1.9 */
START_TEST(escapes)
{
	struct msg *m = parse_file("esc01.dat");
	struct slice rest, value;
	struct addr a, b;

	ck_assert_int_eq(m->uri.scheme, URI_SIP);
	assert_aor(&m->uri, SLICE("sips:user@example.com@example.net"));
	assert_aor(&m->to.uri, SLICE("user@example.com"));
	assert_aor(&m->from.uri, SLICE("I have spaces@example.net"));
	assert_aor(&m->contact.uri, SLICE("caller@host5.example.net"));
	ck_assert(uri_param(&m->contact.uri, SLICE("lr"), &value));
	msg_unref(m);

	m = parse_file("escnull.dat");
	assert_aor(&m->to.uri, slice_of("null-\0-null@example.com", 23));
	rest = msg_header(m, HDR_CONTACT);
	ck_assert_int_eq(addr_next(&rest, &a), 1);
	rest = msg_header_next(m, HDR_CONTACT, msg_header_next(m, HDR_CONTACT, NULL))->value;
	ck_assert_int_eq(addr_next(&rest, &b), 1);
	ck_assert(!uri_equal(&a.uri, &b.uri));
	msg_unref(m);

	m = parse_file("esc02.dat");
	ck_assert_int_eq(m->method, METHOD_UNKNOWN);
	assert_slice(m->from.display, "%Z%45");
	msg_unref(m);

	m = parse_file("semiuri.dat");
	assert_aor(&m->uri, SLICE("user;par=u@example.net@example.com"));
	ck_assert_uint_eq(m->uri.params.n, 0);
	msg_unref(m);
}
END_TEST

START_TEST(details)
{
	struct msg *m = parse_file("mpart01.dat");
	struct slice value;

	/* 3.1.1.11: NUL octets in the body */
	ck_assert_uint_eq(m->body.n, 553);
	ck_assert(memchr(m->body.p, 0, m->body.n) != NULL);
	ck_assert(m->via.rport.p != NULL);
	msg_unref(m);
	/* 3.1.1.8: what follows Content-Length: 0 in a datagram is ignored */
	m = parse_file("dblreq.dat");
	ck_assert_uint_eq(m->body.n, 0);
	ck_assert(slice_eq(slice_skip(m->raw, m->raw.n - 4), SLICE("\r\n\r\n")));
	msg_unref(m);
	/* 3.3.2, 3.3.3 */
	m = parse_file("unkscm.dat");
	ck_assert_int_eq(m->uri.scheme, URI_OTHER);
	assert_slice(m->uri.scheme_name, "nobodyKnowsThisScheme");
	msg_unref(m);
	m = parse_file("novelsc.dat");
	assert_slice(m->uri.scheme_name, "soap.beep");
	msg_unref(m);
	/* 3.3.12, 3.3.13 */
	m = parse_file("cparam01.dat");
	ck_assert(addr_param(&m->contact, SLICE("unknownparam"), &value));
	ck_assert(!uri_param(&m->contact.uri, SLICE("unknownparam"), &value));
	msg_unref(m);
	m = parse_file("cparam02.dat");
	ck_assert(!addr_param(&m->contact, SLICE("unknownparam"), &value));
	ck_assert(uri_param(&m->contact.uri, SLICE("unknownparam"), &value));
	msg_unref(m);
	/* 3.2.1: the bare cookie */
	m = parse_file("badbranch.dat");
	ck_assert(!via_is_rfc3261(&m->via));
	msg_unref(m);
	/* 3.4.1 */
	m = parse_file("inv2543.dat");
	ck_assert(m->from_tag.p == NULL && m->via.branch.p == NULL);
	ck_assert_uint_eq(m->body.n, 105);
	msg_unref(m);
}
END_TEST

static bool inside(struct slice outer, struct slice s)
{
	return !s.p || s.n == 0 || (s.p >= outer.p && s.p + s.n <= outer.p + outer.n);
}

/* What holds for whatever was parsed. */
static void check_sound(const struct msg *m)
{
	for (size_t i = 0; i < m->n_hdrs; i++) {
		HOLDS(inside(m->raw, m->hdrs[i].name) && inside(m->raw, m->hdrs[i].value));
		HOLDS(m->hdrs[i].name.n > 0);
		HOLDS(slice_find(m->hdrs[i].value, '\r') == m->hdrs[i].value.n);
		HOLDS(slice_find(m->hdrs[i].value, '\n') == m->hdrs[i].value.n);
	}
	HOLDS(inside(m->raw, m->body) && inside(m->raw, m->request_uri));
	HOLDS(inside(m->raw, m->via.text) && inside(m->raw, m->from.uri.text));
	HOLDS(inside(m->raw, m->to_tag) && inside(m->raw, m->call_id));
	HOLDS(m->fault.status == 0 || m->fault.reason != NULL);
	if (m->fault.status == 0)
		HOLDS(m->via.host.n && m->from.uri.text.n && m->to.uri.text.n && m->call_id.n);
}

static void check_response(const struct msg *m)
{
	struct buf cleanup_buf b = BUF_NULL;
	struct msg *answer = NULL;

	build_response(&b, m, m->fault.status ? m->fault.status : 200, SLICE_NULL, SLICE("t"));
	build_body(&b, SLICE_NULL, SLICE_NULL);
	HOLDS(msg_parse(buf_slice(&b), MSG_STREAM, &answer) == 0);
	HOLDS(slice_eq(msg_header(answer, HDR_CALL_ID), msg_header(m, HDR_CALL_ID)));
	HOLDS(slice_eq(msg_header(answer, HDR_CSEQ), msg_header(m, HDR_CSEQ)));
	if (m->fault.status == 0) {
		HOLDS(answer->fault.status == 0);
		HOLDS(answer->cseq == m->cseq && slice_eq(answer->from_tag, m->from_tag));
		HOLDS(slice_eq(answer->to_tag, m->to_tag.p ? m->to_tag : SLICE("t")));
	}
	msg_unref(answer);
}

/* Parses whatever that is out of a block of its size, and checks what came of it. */
static void survive(struct slice text, enum msg_framing framing)
{
	struct slice bytes = exact_copy(text);
	struct msg *m = NULL;

	if (msg_parse(bytes, framing, &m) == 0) {
		check_sound(m);
		if (msg_is_answerable(m))
			check_response(m);
		msg_unref(m);
	}
	exact_free(bytes);
}

START_TEST(every_prefix)
{
	for (size_t i = 0; i < N_ROWS; i++) {
		struct slice bytes = load(rows[i].file);

		for (size_t n = 0; n <= bytes.n; n++)
			survive(slice_head(bytes, n), n % 2 ? MSG_DATAGRAM : MSG_STREAM);
		exact_free(bytes);
	}
}
END_TEST

/* A header section that was cut short is never taken for a message. */
START_TEST(no_prefix_passes)
{
	for (size_t i = 0; i < N_ROWS; i++) {
		struct slice bytes = load(rows[i].file);

		for (size_t n = 0; n < bytes.n; n++) {
			struct msg *m;
			struct slice head = slice_head(bytes, n);

			if (memmem(head.p, head.n, "\r\n\r\n", 4) != NULL)
				break;
			if (msg_parse(head, MSG_DATAGRAM, &m) < 0)
				continue;
			ck_assert_uint_ne(m->fault.status, 0);
			msg_unref(m);
		}
		exact_free(bytes);
	}
}
END_TEST

START_TEST(single_byte_mutations)
{
	static const char values[] = { '\0', '\r', '\n', ' ', ';', ',', ':', '"', '<', (char)0xff };

	for (size_t i = 0; i < N_ROWS; i++) {
		struct slice bytes = load(rows[i].file);
		const char *end = memmem(bytes.p, bytes.n, "\r\n\r\n", 4);
		size_t n = end ? (size_t)(end + 4 - bytes.p) : bytes.n;
		struct buf cleanup_buf b = BUF_NULL;

		buf_put(&b, bytes);
		/* Nobody reads the body; the one very long message repeats itself. */
		for (size_t at = 0; at < n; at += n < 1024 ? 1 : 7) {
			for (size_t v = 0; v < sizeof(values); v++) {
				b.p[at] = values[v];
				survive(buf_slice(&b), MSG_DATAGRAM);
			}
			b.p[at] = bytes.p[at];
		}
		exact_free(bytes);
	}
}
END_TEST

/* Writing what was read and reading it again gives the same message. */
START_TEST(round_trip)
{
	for (size_t i = 0; i < N_ROWS; i++) {
		struct msg *m = parse_file(rows[i].file), *again = NULL;
		struct buf cleanup_buf b = BUF_NULL;

		if (m->fault.status == 0 && m->is_request) {
			build_request_line(&b, m->method_name, m->request_uri);
			for (size_t h = 0; h < m->n_hdrs; h++)
				build_header_named(&b, m->hdrs[h].name, m->hdrs[h].value);
			buf_lit(&b, "\r\n");
			buf_put(&b, m->body);
			ck_assert_int_eq(msg_parse(buf_slice(&b), MSG_DATAGRAM, &again), 0);
			ck_assert_uint_eq(again->fault.status, 0);
			ck_assert(slice_eq(again->body, m->body));
			ck_assert(uri_equal(&again->uri, &m->uri));
			ck_assert_uint_eq(again->n_hdrs, m->n_hdrs);
			for (size_t h = 0; h < m->n_hdrs; h++)
				ck_assert(slice_eq(again->hdrs[h].value, m->hdrs[h].value));
			msg_unref(again);
		}
		msg_unref(m);
	}
}
END_TEST

RUN_TESTS("msg-torture", verdicts, reasons, baddn, wsinv, escapes, details, every_prefix,
	no_prefix_passes, single_byte_mutations, round_trip)
