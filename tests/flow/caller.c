/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tests/flow/caller.h"

#include <check.h>
#include <stdio.h>
#include <string.h>

struct caller caller_new(void)
{
	static const struct world_account alice = { .id = "alice", .domain = "192.0.2.10" };
	struct caller c = { .w = world_new(1), .from = "udp:192.0.2.1:5060" };

	c.wu = world_ua(c.w, "192.0.2.10");
	c.ep = world_endpoint(c.wu, &alice);
	return c;
}

void caller_finish(struct caller *c)
{
	world_expect_no_event(c->wu);
	world_expect_no_session(c->wu);
	ck_assert_uint_eq(world_skip_out(c->w), 0);
	endpoint_close(c->ep);
	world_run(c->w, 180 * SEC);
	ck_assert_uint_eq(world_skip_out(c->w), 0);
	world_expect_idle(c->wu);
	world_free(c->w);
	free(c->to_tag);
	free(c->invite);
}

/* ---- what Bob sends ---- */

/* uri: of the request line; branch "": one that is new. */
static void append_head(struct buf *b, const struct caller *c, const char *method, const char *uri,
	const char *branch)
{
	bool tcp = slice_starts(slice_str(c->from), SLICE("tcp"));

	buf_printf(b, "%s %s SIP/2.0\n", method, uri);
	buf_printf(
		b, "Via: SIP/2.0/%s {peer};branch=z9hG4bK-%s;rport\n", tcp ? "TCP" : "UDP", branch);
	buf_lit(b, "Max-Forwards: 70\n");
	buf_lit(b, "From: \"Bob\" <sip:bob@192.0.2.1>;tag=bob\n");
	buf_lit(b, "To: <sip:alice@192.0.2.10>");
	if (c->to_tag && strcmp(method, "CANCEL") != 0)
		buf_printf(b, ";tag=%s", c->to_tag);
	buf_printf(b, "\nCall-ID: call-%u\n", c->n_calls);
}

static char *finish(struct buf *b, uint32_t cseq, const char *method, const char *lines)
{
	buf_printf(b, "CSeq: %u %s\n", cseq, method);
	if (strcmp(method, "ACK") != 0 && strcmp(method, "CANCEL") != 0)
		buf_lit(b, "Contact: <sip:bob@192.0.2.1>\n");
	if (lines)
		buf_str(b, lines);
	if (!lines || !strstr(lines, "\n\n"))
		buf_lit(b, "Content-Length: 0\n\n");
	return buf_take(b);
}

static void send_and_free(struct caller *c, char *text)
{
	world_in(c->wu, c->from, text);
	world_settle(c->w);
	free(text);
}

void caller_invites(struct caller *c, const char *lines)
{
	struct buf b = BUF_NULL;
	char branch[32];

	c->n_calls++;
	c->cseq = 1;
	free(mem_take(&c->to_tag));
	free(mem_take(&c->invite));
	(void)snprintf(branch, sizeof(branch), "call-%u", c->n_calls);
	append_head(&b, c, "INVITE", "sip:alice@192.0.2.10", branch);
	c->invite = finish(&b, c->cseq, "INVITE", lines ? lines : WITH(OFFER));
	caller_repeats(c);
}

void caller_repeats(struct caller *c)
{
	world_in(c->wu, c->from, c->invite);
	world_settle(c->w);
}

void caller_calls(struct caller *c, const char *lines)
{
	caller_invites(c, lines);
	c->s = world_expect_session(c->wu);
	ck_assert_uint_eq(session_state(c->s), SESSION_INCOMING);
}

void caller_sends(struct caller *c, const char *method, const char *lines)
{
	struct buf b = BUF_NULL;

	append_head(&b, c, method, "{contact}", "bob-{n}");
	send_and_free(c, finish(&b, ++c->cseq, method, lines));
}

void caller_acks(struct caller *c, uint32_t cseq, const char *lines)
{
	struct buf b = BUF_NULL;

	append_head(&b, c, "ACK", "{contact}", "ack-{n}");
	send_and_free(c, finish(&b, cseq, "ACK", lines));
}

static void send_beside(struct caller *c, const char *method, const char *lines)
{
	struct buf b = BUF_NULL;
	char branch[32];

	(void)snprintf(branch, sizeof(branch), "call-%u", c->n_calls);
	append_head(&b, c, method, "sip:alice@192.0.2.10", branch);
	send_and_free(c, finish(&b, 1, method, lines));
}

void caller_acks_refusal(struct caller *c)
{
	send_beside(c, "ACK", NULL);
}

void caller_cancels(struct caller *c, const char *lines)
{
	const struct msg *ok;

	send_beside(c, "CANCEL", lines);
	ok = world_expect_out(c->w, "200");
	ck_assert_int_eq(ok->cseq_method, METHOD_CANCEL);
	/* 9.2: the tag of the answers to the INVITE. */
	if (c->to_tag)
		ck_assert(slice_eq(ok->to_tag, slice_str(c->to_tag)));
	else
		c->to_tag = slice_dup(ok->to_tag);
}

/* ---- what Alice does ---- */

const struct msg *caller_expect(struct caller *c, const char *status)
{
	const struct msg *m = world_expect_out(c->w, status);

	ck_assert_int_eq(m->cseq_method, METHOD_INVITE);
	if (m->status == 100)
		return m;
	ck_assert_uint_gt(m->to_tag.n, 0);
	if (c->to_tag)
		ck_assert(slice_eq(m->to_tag, slice_str(c->to_tag))); /* 12.1.1 */
	else
		c->to_tag = slice_dup(m->to_tag);
	return m;
}

const struct msg *caller_expect_request(struct caller *c, const char *method)
{
	const struct msg *m = world_expect_out(c->w, method);

	ck_assert(slice_eq(m->from_tag, slice_str(c->to_tag)));
	ck_assert(slice_eq(m->to_tag, SLICE("bob")));
	return m;
}

void caller_rung(struct caller *c)
{
	ck_assert_int_eq(session_ring(c->s, &(struct session_ring){ 0 }), 0);
	(void)caller_expect(c, "180");
}

void caller_accept(struct caller *c, const char *description)
{
	struct session_body body = { 0 };

	if (description)
		body = world_sdp(description);
	ck_assert_int_eq(session_accept(c->s, &body, NULL), 0);
}

void caller_established(struct caller *c)
{
	caller_accept(c, ANSWER);
	(void)caller_expect(c, "200");
	caller_acks(c, 1, NULL);
	world_expect_body(world_expect_event(c->wu, UA_SESSION_ESTABLISHED), "");
	ck_assert_uint_eq(session_state(c->s), SESSION_ESTABLISHED);
}

void caller_check_header(const struct msg *m, enum hdr_id id, const char *value)
{
	struct slice is = msg_header(m, id);

	ck_assert_msg(slice_eq(is, slice_str(value)), "%s is '%.*s', not '%s'", hdr_name(id).p,
		SLICE_ARGS(is), value);
}
