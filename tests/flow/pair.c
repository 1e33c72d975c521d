/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tests/flow/pair.h"

#include <check.h>

struct pair pair_new(void)
{
	static const struct world_account alice = { .id = "alice", .domain = "192.0.2.10" };
	static const struct world_account bob = { .id = "bob", .domain = "192.0.2.20" };
	struct pair p = { .w = world_new(1) };

	world_net(p.w)->delay = 10 * MSEC;
	p.a = world_ua(p.w, "192.0.2.10");
	p.b = world_ua(p.w, "192.0.2.20");
	p.ep_a = world_endpoint(p.a, &alice);
	p.ep_b = world_endpoint(p.b, &bob);
	return p;
}

void pair_call(struct pair *p)
{
	const char *why = NULL;
	struct session_spec spec = {
		.target = SLICE("sip:bob@192.0.2.20"),
		.offer = world_sdp("v=0 a1"),
	};

	ck_assert_int_eq(session_new(p->ep_a, &spec, &p->alice, &why), 0);
	world_settle(p->w);
	p->bob = world_expect_session(p->b);
}

void pair_accept(struct pair *p)
{
	struct session_body answer = world_sdp("v=0 b1");

	ck_assert_int_eq(session_accept(p->bob, &answer, NULL), 0);
	world_settle(p->w);
	(void)world_expect_event(p->a, UA_SESSION_ESTABLISHED);
	(void)world_expect_event(p->b, UA_SESSION_ESTABLISHED);
}

void pair_leave(struct pair *p)
{
	world_expect_no_event(p->a);
	world_expect_no_event(p->b);
	/* What the network may still bring after the end (13.2.2.4). */
	world_run(p->w, 70 * SEC);
	endpoint_close(p->ep_a);
	endpoint_close(p->ep_b);
	world_run(p->w, 200 * SEC);
	world_expect_idle(p->a);
	world_expect_idle(p->b);
	world_free(p->w);
}

void pair_finish(struct pair *p)
{
	ck_assert_int_eq(session_terminate(p->alice, NULL), 0);
	world_settle(p->w);
	(void)world_expect_event(p->a, UA_SESSION_TERMINATED);
	(void)world_expect_event(p->b, UA_SESSION_TERMINATED);
	pair_leave(p);
}

void pair_offer(struct session *s, const char *text, struct world_reply *r)
{
	struct session_body offer = world_sdp(text);
	struct session_reply reply = world_reply_of(r);

	ck_assert_int_eq(session_offer(s, &offer, SLICE_NULL, &reply), 0);
}

void pair_answer(struct world_ua *wu, struct session *s, const char *offer, const char *answer)
{
	struct session_body body = world_sdp(answer);

	world_expect_body(world_expect_event(wu, UA_SESSION_OFFER), offer);
	ck_assert_int_eq(session_answer(s, &body), 0);
}

void pair_expect_reply(const struct world_reply *r, unsigned status, int error, const char *body)
{
	ck_assert_uint_eq(r->n, 1);
	ck_assert_uint_eq(r->status, status);
	ck_assert_int_eq(r->error, error);
	ck_assert_str_eq(r->body, body);
}
