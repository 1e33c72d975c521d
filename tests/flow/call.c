/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tests/flow/call.h"

#include <check.h>
#include <stdio.h>

struct call call_scene(void)
{
	static const struct world_account alice = { .id = "alice", .domain = "192.0.2.10" };
	struct call c = { .cseq = 100 };

	c.w = world_new(1);
	c.wu = world_ua(c.w, "192.0.2.10");
	c.ep = world_endpoint(c.wu, &alice);
	return c;
}

static void learn_names(struct call *c)
{
	const struct dialog *d = c->s->leg->usage.dialog;

	(void)snprintf(c->call_id, sizeof(c->call_id), "%.*s", SLICE_ARGS(d->call_id));
	(void)snprintf(c->ours, sizeof(c->ours), "%.*s", SLICE_ARGS(d->local_tag));
	(void)snprintf(c->theirs, sizeof(c->theirs), "%s", d->remote_tag);
}

static void place(struct call *c, const char *target, const char *contact)
{
	struct session_spec spec = { .target = slice_str(target), .offer = world_sdp("offer") };
	const struct msg *invite;
	struct buf ok = BUF_NULL;
	const char *why;

	ck_assert_int_eq(session_new(c->ep, &spec, &c->s, &why), 0);
	invite = world_expect_out(c->w, "INVITE");
	buf_printf(&ok,
		"Contact: %s\nContent-Type: application/sdp\nContent-Length: {length}\n\n"
		"answer",
		contact);
	buf_putc(&ok, '\0');
	world_reply(c->w, invite, 200, ok.p);
	buf_deinit(&ok);
	(void)world_expect_out(c->w, "ACK");
	(void)world_expect_event(c->wu, UA_SESSION_ESTABLISHED);
	learn_names(c);
}

void call_bob(struct call *c, const char *contact)
{
	place(c, "sip:bob@192.0.2.20", contact);
}

struct call call_another(const struct call *c, const char *target, const char *contact)
{
	struct call other = *c;

	other.cseq = 100;
	place(&other, target, contact);
	return other;
}

void call_send(struct call *c, const char *method, const char *text)
{
	struct buf b = BUF_NULL;

	buf_printf(&b,
		"%s {contact} SIP/2.0\n"
		"Via: SIP/2.0/UDP 192.0.2.20;branch=z9hG4bKbob{n};rport\n"
		"Max-Forwards: 70\n"
		"From: <sip:bob@192.0.2.20>;tag=%s\n"
		"To: <sip:alice@192.0.2.10>;tag=%s\n"
		"Call-ID: %s\n"
		"CSeq: %u %s\n"
		"%s",
		method, c->theirs, c->ours, c->call_id, ++c->cseq, method, text);
	buf_putc(&b, '\0');
	world_in(c->wu, CALL_BOB, b.p);
	buf_deinit(&b);
}

void call_ended(struct call *c)
{
	call_send(c, "BYE", "Content-Length: 0\n\n");
	(void)world_expect_out(c->w, "200");
	(void)world_expect_event(c->wu, UA_SESSION_TERMINATED);
}

void call_finish(struct call *c)
{
	ck_assert_int_eq(session_terminate(c->s, NULL), 0);
	world_reply(c->w, world_expect_out(c->w, "BYE"), 200, NULL);
	world_settle(c->w);
	(void)world_expect_event(c->wu, UA_SESSION_TERMINATED);
	call_leave(c);
}

void call_leave(struct call *c)
{
	world_run(c->w, 2 * 64 * TIMER_T1);
	world_expect_no_event(c->wu);
	world_expect_silence(c->w, 0);
	ck_assert_uint_eq(c->ep->n_refers, 0);
	ck_assert_uint_eq(c->ep->n_refers_in, 0);
	world_expect_idle(c->wu);
	world_free(c->w);
}

void call_expect_header(const struct msg *m, enum hdr_id id, const char *value)
{
	struct slice found = msg_header(m, id);

	ck_assert_msg(slice_eq(found, slice_str(value)), "%.*s is '%.*s', not '%s'",
		SLICE_ARGS(hdr_name(id)), SLICE_ARGS(found), value);
}
