/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tests/flow/callee.h"

#include <check.h>
#include <stdio.h>

static const char contact[] = "Contact: <sip:bob@192.0.2.1>\n"
			      "Allow: INVITE, ACK, BYE, CANCEL, INFO\n";

static struct callee new_of(const struct world_account *alice)
{
	struct callee c = { .w = world_new(1) };

	c.wu = world_ua(c.w, "192.0.2.10");
	c.ep = world_endpoint(c.wu, alice);
	return c;
}

struct callee callee_new(void)
{
	static const struct world_account alice = { .id = "alice", .domain = "192.0.2.10" };

	return new_of(&alice);
}

struct callee callee_new_registered(void)
{
	static const struct world_account alice = {
		.id = "alice",
		.domain = "example.com",
		.registrar = "192.0.2.1",
		.password = "secret",
	};

	return new_of(&alice);
}

void callee_finish(struct callee *c)
{
	world_expect_no_event(c->wu);
	ck_assert_uint_eq(world_skip_out(c->w), 0);
	world_run(c->w, 180 * SEC);
	endpoint_close(c->ep);
	world_settle(c->w);
	ck_assert_uint_eq(world_skip_out(c->w), 0);
	world_expect_idle(c->wu);
	world_free(c->w);
}

static void call(struct callee *c, const struct session_spec *spec)
{
	const char *why = NULL;
	int r = session_new(c->ep, spec, &c->s, &why);

	ck_assert_msg(r == 0, "session_new: %d %s", r, why);
	c->invite = world_expect_out(c->w, "INVITE");
}

void callee_called(struct callee *c, const struct session_spec *spec)
{
	struct session_spec s = spec ? *spec : (struct session_spec){ 0 };

	if (!s.target.n)
		s.target = SLICE("sip:bob@192.0.2.1");
	if (!s.offer.bytes.n)
		s.offer = world_sdp(OFFER);
	call(c, &s);
}

void callee_called_without_offer(struct callee *c)
{
	call(c, &(struct session_spec){ .target = SLICE("sip:bob@192.0.2.1") });
}

void callee_says(struct callee *c, unsigned status, const char *tag, const char *headers)
{
	struct buf b = BUF_NULL;
	char *text;

	if (status > 100 && status < 300)
		buf_str(&b, contact);
	if (headers)
		buf_str(&b, headers);
	text = buf_take(&b);
	world_reply_as(c->w, c->invite, status, tag, text);
	free(text);
	world_settle(c->w);
}

const struct msg *callee_acked(struct callee *c, const char *tag)
{
	const struct msg *ack = callee_expect(c, "ACK", tag);

	ck_assert_uint_eq(ack->cseq, c->invite->cseq); /* RFC 3261 13.2.2.4 */
	ck_assert(!slice_eq(ack->via.branch, c->invite->via.branch));
	return ack;
}

void callee_established(struct callee *c, const char *tag)
{
	callee_says(c, 200, tag, WITH(ANSWER));
	(void)callee_acked(c, tag);
	world_expect_body(world_expect_event(c->wu, UA_SESSION_ESTABLISHED), ANSWER);
	ck_assert_uint_eq(session_state(c->s), SESSION_ESTABLISHED);
}

void callee_sends(struct callee *c, const char *method, const char *tag, const char *lines)
{
	struct buf b = BUF_NULL;
	char *text;

	buf_printf(&b, "%s {contact} SIP/2.0\n", method);
	buf_lit(&b, "Via: SIP/2.0/UDP {peer};branch=z9hG4bK-bob-{n};rport\nMax-Forwards: 70\n");
	buf_printf(&b, "From: <sip:bob@192.0.2.1>;tag=%s\n", tag);
	buf_printf(&b, "To: <sip:alice@192.0.2.10>;tag=%.*s\n", SLICE_ARGS(c->invite->from_tag));
	buf_printf(&b, "Call-ID: %.*s\n", SLICE_ARGS(c->invite->call_id));
	buf_printf(&b, "CSeq: %u %s\n", ++c->cseq, method);
	buf_printf(&b, "Contact: <sip:bob@192.0.2.1>\n%s", lines ? lines : "");
	if (!lines || !strstr(lines, "\n\n"))
		buf_lit(&b, "Content-Length: 0\n\n");
	text = buf_take(&b);
	world_in(c->wu, "udp:192.0.2.1:5060", text);
	free(text);
	world_settle(c->w);
}

const struct msg *callee_expect(struct callee *c, const char *method, const char *tag)
{
	const struct msg *m = world_expect_out(c->w, method);

	ck_assert(slice_eq(m->call_id, c->invite->call_id));
	ck_assert(slice_eq(m->from_tag, c->invite->from_tag));
	ck_assert(slice_eq(m->to_tag, slice_str(tag)));
	return m;
}

void callee_answers(struct callee *c, const char *method, const char *tag, unsigned status)
{
	world_reply(c->w, callee_expect(c, method, tag), status, NULL);
	world_settle(c->w);
}

void callee_check_header(const struct msg *m, enum hdr_id id, const char *value)
{
	struct slice found = msg_header(m, id);

	ck_assert_msg(slice_eq(found, slice_str(value)), "%.*s is '%.*s', not '%s'",
		SLICE_ARGS(hdr_name(id)), SLICE_ARGS(found), value);
}
