/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Any bytes as a message: what comes out lies inside the copy, and can be answered and read again.
 */
#include <stdlib.h>

#include "protocol/base/buf.h"
#include "protocol/msg/build.h"
#include "protocol/msg/challenge.h"
#include "protocol/msg/msg.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool condition)
{
	if (!condition)
		abort();
}

static bool inside(struct slice outer, struct slice s)
{
	return s.n == 0 || (s.p >= outer.p && s.p + s.n <= outer.p + outer.n);
}

static void check_lists(const struct msg *m)
{
	for (enum hdr_id id = HDR_OTHER; id < HDR_COUNT; id++) {
		struct msg_list it = { .started = false };
		struct slice one;

		while (msg_list_next(m, id, &it, &one) > 0)
			require(one.n > 0 && inside(m->raw, one));
	}
}

static void check_challenges(const struct msg *m)
{
	const struct hdr *h = NULL;
	struct challenge c;

	while ((h = msg_header_next(m, HDR_WWW_AUTHENTICATE, h))) {
		struct slice rest = h->value;
		size_t before = rest.n;

		while (challenge_next(&rest, &c) > 0) {
			require(rest.n < before && c.scheme_name.n > 0);
			require(inside(m->raw, c.params) && inside(m->raw, c.nonce));
			before = rest.n;
		}
	}
}

static void check_fields(const struct msg *m)
{
	for (size_t i = 0; i < m->n_hdrs; i++) {
		const struct hdr *h = &m->hdrs[i];

		require(h->name.n > 0 && inside(m->raw, h->name) && inside(m->raw, h->value));
		require(slice_find(h->value, '\r') == h->value.n);
		require(slice_find(h->value, '\n') == h->value.n);
	}
	require(inside(m->raw, m->body) && inside(m->raw, m->via.text));
	require(inside(m->raw, m->from.uri.text) && inside(m->raw, m->to_tag));
	if (m->fault.status)
		return;
	require(m->via.host.n && m->call_id.n && m->cseq <= INT32_MAX);
	require(m->from.uri.text.n && m->to.uri.text.n);
	require(m->is_request ? m->request_uri.n > 0 : m->status >= 100 && m->status <= 699);
}

/* An answer to whatever may be answered is a message without fault if the request was one. */
static void check_answer(const struct msg *m)
{
	struct buf b = BUF_NULL;
	struct msg *answer;

	build_response(&b, m, 480, SLICE_NULL, SLICE("t"));
	build_body(&b, SLICE_NULL, SLICE_NULL);
	require(msg_parse(buf_slice(&b), MSG_STREAM, &answer) == 0);
	require(slice_eq(msg_header(answer, HDR_CSEQ), msg_header(m, HDR_CSEQ)));
	if (!m->fault.status) {
		require(!answer->fault.status && slice_eq(answer->call_id, m->call_id));
		require(slice_eq(answer->from_tag, m->from_tag) && answer->to_tag.n > 0);
	}
	msg_unref(answer);
	buf_deinit(&b);
}

static void one(struct slice bytes, enum msg_framing framing)
{
	struct msg *m;

	if (msg_parse(bytes, framing, &m) < 0)
		return;
	check_fields(m);
	check_lists(m);
	check_challenges(m);
	if (msg_is_answerable(m))
		check_answer(m);
	msg_unref(m);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	one(slice_of((const char *)data, size), MSG_DATAGRAM);
	one(slice_of((const char *)data, size), MSG_STREAM);
	return 0;
}
