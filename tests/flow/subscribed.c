/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tests/flow/subscribed.h"

#include <check.h>
#include <stdio.h>
#include <string.h>

static void sign_in(struct subscribed *c)
{
	ck_assert_int_eq(
		registration_start(c->ep->registration, &(struct registration_options){ 0 }), 0);
	world_reply(c->w, world_expect_out(c->w, "REGISTER"), 200,
		"Contact: {contact};expires=360000\n");
	world_settle(c->w);
	(void)world_expect_done(c->wu, UA_REGISTER, 200, 0);
}

struct subscribed subscribed_new(void)
{
	static const struct world_account alice = {
		.id = "alice",
		.domain = "192.0.2.1",
		.registrar = "192.0.2.1",
		.expires = 360000,
	};
	struct subscribed c = { .w = world_new(1), .from = "udp:192.0.2.20:5060" };

	c.wu = world_ua(c.w, "192.0.2.10");
	c.ep = world_endpoint(c.wu, &alice);
	sign_in(&c);
	return c;
}

void subscribed_finish(struct subscribed *c)
{
	world_expect_no_subscriber(c->wu);
	ck_assert_uint_eq(world_skip_out(c->w), 0);
	endpoint_close(c->ep);
	world_reply(c->w, world_expect_out(c->w, "REGISTER"), 200, NULL);
	world_run(c->w, 180 * SEC);
	ck_assert_uint_eq(world_skip_out(c->w), 0);
	ck_assert_uint_eq(c->wu->ua->n_subscribers, 0);
	world_expect_idle(c->wu);
	world_free(c->w);
	free(c->to_tag);
	free(c->text);
}

/* ---- what Bob sends ---- */

static void send_text(struct subscribed *c, const char *method, const char *uri, const char *lines)
{
	bool tcp = slice_starts(slice_str(c->from), SLICE("tcp"));
	struct buf b = BUF_NULL;

	buf_printf(&b, "%s %s SIP/2.0\n", method, uri);
	buf_printf(&b, "Via: SIP/2.0/%s {peer};branch=z9hG4bK-%u-%u;rport\n", tcp ? "TCP" : "UDP",
		c->n_calls, c->cseq);
	buf_lit(&b, "Max-Forwards: 70\n");
	buf_lit(&b, "From: \"Bob\" <sip:bob@192.0.2.20>;tag=bob\n");
	buf_lit(&b, "To: <sip:alice@192.0.2.1>");
	if (c->to_tag)
		buf_printf(&b, ";tag=%s", c->to_tag);
	buf_printf(&b, "\nCall-ID: sub-%u\nCSeq: %u %s\n", c->n_calls, c->cseq, method);
	if (!strstr(lines, "Contact:"))
		buf_printf(&b, "Contact: <sip:bob@192.0.2.20%s>\n", tcp ? ";transport=tcp" : "");
	buf_str(&b, lines);
	if (!strstr(lines, "\n\n"))
		buf_lit(&b, "Content-Length: 0\n\n");
	free(c->text);
	c->text = buf_take(&b);
	subscribed_repeats(c);
}

void subscribed_repeats(struct subscribed *c)
{
	world_in(c->wu, c->from, c->text);
	world_settle(c->w);
}

void subscribed_asks(struct subscribed *c, const char *lines)
{
	c->n_calls++;
	c->cseq = 1;
	c->ours = 0;
	free(mem_take(&c->to_tag));
	send_text(c, "SUBSCRIBE", "{contact}", lines);
}

void subscribed_comes(struct subscribed *c, const char *lines)
{
	subscribed_asks(c, lines);
	c->s = world_expect_subscriber(c->wu);
	ck_assert_uint_eq(subscriber_state(c->s), SUBSCRIBER_INCOMING);
}

void subscribed_sends(struct subscribed *c, const char *method, const char *lines)
{
	c->cseq++;
	send_text(c, method, "{contact}", lines);
}

/* ---- what Alice says ---- */

const struct msg *subscribed_expect(struct subscribed *c, const char *status)
{
	const struct msg *m = world_expect_out(c->w, status);

	ck_assert_int_eq(m->cseq_method, METHOD_SUBSCRIBE);
	ck_assert_uint_eq(m->cseq, c->cseq);
	ck_assert_uint_gt(m->to_tag.n, 0);
	if (c->to_tag)
		ck_assert(slice_eq(m->to_tag, slice_str(c->to_tag)));
	else
		c->to_tag = slice_dup(m->to_tag);
	return m;
}

const struct msg *subscribed_hears(struct subscribed *c, const char *state, const char *body)
{
	const struct msg *m = world_expect_out(c->w, "NOTIFY");

	ck_assert(slice_eq(m->from_tag, slice_str(c->to_tag)));
	ck_assert(slice_eq(m->to_tag, SLICE("bob")));
	ck_assert_uint_gt(m->cseq, c->ours);
	c->ours = m->cseq;
	subscribed_check(m, HDR_SUBSCRIPTION_STATE, state);
	ck_assert_msg(slice_eq(m->body, slice_str(body)), "the body is '%.*s', not '%s'",
		SLICE_ARGS(m->body), body);
	ck_assert_uint_gt(m->contact.uri.text.n, 0); /* a target refresh request */
	return m;
}

void subscribed_heard(struct subscribed *c, const char *state, const char *body)
{
	world_reply(c->w, subscribed_hears(c, state, body), 200, NULL);
	world_settle(c->w);
}

void subscribed_active(struct subscribed *c, const char *body)
{
	struct subscriber_body state = world_state(TYPE, body);

	subscribed_comes(c, "Event: presence\nExpires: 600\n");
	ck_assert_int_eq(subscriber_accept(c->s, SUBSCRIBER_ACCEPT, 0, &state), 0);
	subscribed_check(subscribed_expect(c, "200"), HDR_EXPIRES, "600");
	subscribed_heard(c, "active;expires=600", body);
	world_expect_subscriber_changed(c->wu, SUBSCRIBER_CHANGE_STATE | SUBSCRIBER_CHANGE_EXPIRES);
}

void subscribed_tell(struct subscribed *c, const char *body)
{
	struct subscriber_body state = world_state(TYPE, body);

	ck_assert_int_eq(subscriber_notify(c->s, &state), 0);
}

void subscribed_check(const struct msg *m, enum hdr_id id, const char *value)
{
	struct slice is = msg_header(m, id);

	ck_assert_msg(slice_eq(is, slice_str(value)), "%s is '%.*s', not '%s'", hdr_name(id).p,
		SLICE_ARGS(is), value);
}
