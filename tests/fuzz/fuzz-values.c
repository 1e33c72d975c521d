/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Lines as the header values that sessions read: parts lie inside, what is written is read again.
 */
#include <stdlib.h>

#include "protocol/base/buf.h"
#include "protocol/msg/build.h"
#include "protocol/msg/event.h"
#include "protocol/msg/message-summary.h"
#include "protocol/msg/min-se.h"
#include "protocol/msg/privacy.h"
#include "protocol/msg/rack.h"
#include "protocol/msg/reason.h"
#include "protocol/msg/refer-sub.h"
#include "protocol/msg/refer-to.h"
#include "protocol/msg/rseq.h"
#include "protocol/msg/session-expires.h"
#include "protocol/msg/sipfrag.h"
#include "protocol/msg/substate.h"
#include "protocol/msg/target-dialog.h"
#include "protocol/msg/uri-headers.h"

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

static void check_same_dialog(const struct dialog_id *a, const struct dialog_id *b)
{
	require(slice_eq(a->call_id, b->call_id) && a->early_only == b->early_only);
	require(slice_eq(a->to_tag, b->to_tag) && slice_eq(a->from_tag, b->from_tag));
}

static void check_dialog_ids(struct slice line)
{
	struct buf cleanup_buf b = BUF_NULL;
	struct dialog_id d, again;

	if (dialog_id_parse(line, &d) == 0) {
		require(d.call_id.n && d.to_tag.n && d.from_tag.n);
		require(inside(line, d.call_id) && inside(line, d.to_tag));
		dialog_id_append(&b, &d);
		require(dialog_id_parse(buf_slice(&b), &again) == 0);
		check_same_dialog(&d, &again);
		buf_reset(&b);
	}
	if (target_dialog_parse(line, &d) == 0) {
		target_dialog_append(&b, &d);
		require(target_dialog_parse(buf_slice(&b), &again) == 0);
		check_same_dialog(&d, &again);
	}
}

static void check_numbers(struct slice line)
{
	struct rack rack;
	uint32_t n;

	if (rack_parse(line, &rack) == 0)
		require(rack.rseq && rack.cseq <= INT32_MAX && inside(line, rack.method));
	if (rseq_parse(line, &n) == 0)
		require(n > 0);
}

static void check_timers(struct slice line)
{
	struct buf cleanup_buf b = BUF_NULL;
	struct session_expires v, again;
	uint32_t min;

	/* The one is the other without a word for its parameters. */
	require(session_expires_parse(line, &v) == min_se_parse(line, &min));
	if (session_expires_parse(line, &v) < 0)
		return;
	require(v.seconds == min);
	session_expires_append(&b, &v);
	require(session_expires_parse(buf_slice(&b), &again) == 0);
	require(again.seconds == v.seconds && again.refresher == v.refresher);
}

static void check_uri_headers(struct slice rest)
{
	struct buf cleanup_buf value = BUF_NULL, cleanup_buf text = BUF_NULL,
			       cleanup_buf again = BUF_NULL;
	struct slice whole = rest, name, other;
	size_t before = rest.n;

	while (uri_header_next(&rest, &name, &value) > 0) {
		struct slice one;

		require(name.n && inside(whole, name) && rest.n < before);
		before = rest.n;
		buf_reset(&text);
		buf_put(&text, name);
		buf_putc(&text, '=');
		uri_append_header_value(&text, buf_slice(&value));
		one = buf_slice(&text);
		require(uri_header_next(&one, &other, &again) == 1 && one.n == 0);
		require(slice_eq(name, other) && slice_eq(buf_slice(&value), buf_slice(&again)));
	}
}

static void check_refer_to(struct slice line)
{
	struct buf cleanup_buf b = BUF_NULL, cleanup_buf value = BUF_NULL;
	struct slice rest, ignored;
	struct refer_to r, again;
	struct uri u;

	if (refer_to_parse(line, &r) < 0)
		return;
	require(inside(line, r.uri) && uri_parse(r.uri, &u) == 0 && !u.headers.p);
	buf_putc(&b, '<');
	refer_to_append_target(&b, &r);
	buf_putc(&b, '>');
	require(refer_to_parse(buf_slice(&b), &again) == 0);
	require(again.method == METHOD_INVITE && !again.addr.uri.headers.p);
	rest = r.addr.uri.headers;
	while (uri_header_next(&rest, &ignored, &value) > 0)
		;
}

static void check_subscription(struct slice line)
{
	struct substate v;
	struct event e;

	if (event_parse(line, &e) == 0)
		require(e.type.n && inside(line, e.type) && inside(line, e.id) &&
			event_equal(&e, &e));
	if (substate_parse(line, &v) == 0)
		require(inside(line, v.reason) && v.state <= SUBSTATE_OTHER);
}

static void check_reasons(struct slice rest)
{
	struct slice whole = rest;
	struct reason r, again;

	while (reason_next(&rest, &r) > 0) {
		struct buf cleanup_buf plain = BUF_NULL, cleanup_buf b = BUF_NULL,
				       cleanup_buf text = BUF_NULL;
		struct slice one;

		require(r.protocol.n && inside(whole, r.protocol) && inside(whole, r.text));
		reason_append_text(&plain, &r);
		r.text = buf_slice(&plain);
		reason_append(&b, &r);
		one = buf_slice(&b);
		require(reason_next(&one, &again) == 1 && one.n == 0);
		reason_append_text(&text, &again);
		require(slice_eq(buf_slice(&text), buf_slice(&plain)));
		require(again.has_cause == r.has_cause && (!r.has_cause || again.cause == r.cause));
	}
}

static void check_sipfrag(struct slice body)
{
	struct buf cleanup_buf b = BUF_NULL;
	struct slice reason, again;
	unsigned status, other;

	if (sipfrag_status(body, &status, &reason) < 0)
		return;
	require(inside(body, reason) && status >= 100 && status <= 699);
	sipfrag_append_status(&b, status, reason);
	require(sipfrag_status(buf_slice(&b), &other, &again) == 0 && other == status);
	require(slice_eq(again, reason.n ? reason : build_reason(status)));
}

static void check_summary(struct slice body)
{
	struct message_summary s;

	if (message_summary_parse(body, &s) < 0)
		return;
	require(inside(body, s.account) && inside(body, s.headers));
	for (unsigned i = 0; i < MESSAGE_CLASSES; i++)
		require(s.counts[i].told || !(s.counts[i].fresh | s.counts[i].urgent_old));
}

static void check_line(struct slice line)
{
	unsigned mask;
	bool sub;

	check_dialog_ids(line);
	check_numbers(line);
	check_timers(line);
	check_uri_headers(line);
	check_refer_to(line);
	check_subscription(line);
	check_reasons(line);
	if (privacy_parse(line, &mask) == 0)
		require(mask != 0 && mask < PRIVACY_OTHER << 1);
	/* They share no word. */
	if (refer_sub_parse(line, &sub) == 0)
		require(session_expires_parse(line, &(struct session_expires){ 0 }) < 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice rest = slice_of((const char *)data, size), line;

	if (size > 4096)
		return 0;
	while (rest.n) {
		check_sipfrag(rest);
		check_summary(rest);
		line = rest;
		if (!slice_cut(rest, '\n', &line, &rest))
			rest = SLICE_NULL;
		check_line(line);
	}
	return 0;
}
