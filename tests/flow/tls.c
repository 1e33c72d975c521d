/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Pages, sessions and a registration over TLS, and what sips asks for (RFC 3261 26.2.2). */
#include <check.h>
#include <stdio.h>

#include "protocol/base/err.h"
#include "protocol/ua/page.h"
#include "tests/flow/pair.h"
#include "tests/flow/scene.h"
#include "tests/support/run.h"

#define BOB "192.0.2.20"

struct end {
	unsigned n, status;
	int error;
	enum origin origin;
	char reason[128];
};

static void on_done(void *owner, struct request *r, const struct outcome *o)
{
	struct end *e = owner;

	(void)r;
	e->n++;
	e->status = o->status;
	e->error = o->error;
	e->origin = o->origin;
	(void)snprintf(e->reason, sizeof(e->reason), "%.*s", SLICE_ARGS(o->reason));
}

static const struct request_ops ops = { .done = on_done };

static void page(const struct pair *p, const char *target, struct end *e)
{
	struct page_spec spec = {
		.target = slice_str(target),
		.content_type = SLICE("text/plain"),
		.body = SLICE("hello"),
		.ops = &ops,
		.owner = e,
	};
	struct request *r;
	const char *why;

	ck_assert_int_eq(page_send(p->ep_a, &spec, &r, &why), 0);
}

static void leave(struct pair *p)
{
	world_run(p->w, 70 * SEC);
	pair_leave(p);
}

/* ---- pages ---- */

/* 26.2.2: a sips URI is reached over TLS at its port, and Via says so (18.1.1). */
START_TEST(rfc3261_26_2_2_page)
{
	struct pair p = pair_new();
	struct incoming_reply ok = { .status = 200 };
	struct end e = { 0 };
	struct incoming *in;

	page(&p, "sips:bob@" BOB, &e);
	world_settle(p.w);
	in = world_expect_incoming(p.b);
	ck_assert(slice_starts(msg_header(in->request, HDR_VIA), SLICE("SIP/2.0/TLS ")));
	ck_assert_int_eq(incoming_reply(in, &ok), 0);
	world_settle(p.w);
	ck_assert_uint_eq(e.n, 1);
	ck_assert_uint_eq(e.status, 200);
	world_log_golden(p.w, "tls-page");
	leave(&p);
}
END_TEST

/* 19.1.2: a sip URI asks for TLS by its parameter. */
START_TEST(rfc3261_19_1_2_transport_parameter)
{
	struct pair p = pair_new();
	struct end e = { 0 };
	struct incoming *in;

	page(&p, "sip:bob@" BOB ";transport=tls", &e);
	world_settle(p.w);
	in = world_expect_incoming(p.b);
	ck_assert(slice_starts(msg_header(in->request, HDR_VIA), SLICE("SIP/2.0/TLS ")));
	world_run(p.w, 70 * SEC);
	ck_assert_uint_eq(e.n, 1);
	leave(&p);
}
END_TEST

/* The reason that the handshake was refused for is what the client reads. */
START_TEST(refusal_names_its_reason)
{
	struct pair p = pair_new();
	struct end e = { 0 };

	world_set_tls(p.w, BOB, "expired: the certificate ended 2025-01-01");
	page(&p, "sips:bob@" BOB, &e);
	world_settle(p.w);
	ck_assert_uint_eq(e.n, 1);
	ck_assert_uint_eq(e.status, 0);
	ck_assert_int_eq(e.error, -ECONNREFUSED);
	ck_assert_int_eq(e.origin, ORIGIN_NETWORK);
	ck_assert_str_eq(e.reason, "expired: the certificate ended 2025-01-01");
	leave(&p);
}
END_TEST

/* 26.2.2: nothing weaker stands in for TLS, and nobody there means that. */
START_TEST(rfc3261_26_2_2_nothing_weaker)
{
	struct pair p = pair_new();
	struct end e = { 0 };

	world_set_reach(p.w, BOB, WORLD_NO_TCP);
	page(&p, "sips:bob@" BOB, &e);
	world_run(p.w, 70 * SEC);
	ck_assert_uint_eq(e.n, 1);
	ck_assert_int_eq(e.error, -ECONNREFUSED);
	ck_assert_str_eq(e.reason, "connection refused");
	ck_assert_uint_eq(world_count_news(p.b, WORLD_INCOMING), 0);
	leave(&p);
}
END_TEST

/* ---- sessions ---- */

static void call(struct pair *p, const char *target)
{
	const char *why = NULL;
	struct session_spec spec = {
		.target = slice_str(target),
		.offer = world_sdp("v=0 a1"),
	};

	ck_assert_int_eq(session_new(p->ep_a, &spec, &p->alice, &why), 0);
	world_settle(p->w);
	p->bob = world_expect_session(p->b);
}

/* 8.1.1.8 and 12.1.1: sips in the Request-URI makes both Contacts sips, and so what follows. */
START_TEST(rfc3261_12_1_1_call)
{
	struct pair p = pair_new();
	struct world_reply reply = { 0 };

	world_show(p.w, "Contact");
	call(&p, "sips:bob@" BOB);
	pair_accept(&p);
	pair_offer(p.bob, "v=0 b2", &reply);
	world_settle(p.w);
	pair_answer(p.a, p.alice, "v=0 b2", "v=0 a2");
	world_settle(p.w);
	pair_expect_reply(&reply, 200, 0, "v=0 a2");
	ck_assert_int_eq(session_terminate(p.bob, NULL), 0);
	world_settle(p.w);
	(void)world_expect_terminated(p.a, 200, ORIGIN_REMOTE);
	(void)world_expect_event(p.b, UA_SESSION_TERMINATED);
	world_log_golden(p.w, "tls-call");
	pair_leave(&p);
}
END_TEST

/* 12.1.1: TLS by parameter is no sips; the Contacts say how they are reached. */
START_TEST(rfc3261_12_1_1_call_by_parameter)
{
	struct pair p = pair_new();

	world_show(p.w, "Contact");
	call(&p, "sip:bob@" BOB ";transport=tls");
	pair_accept(&p);
	world_log_golden(p.w, "tls-call-parameter");
	pair_finish(&p);
}
END_TEST

/* A session that could not even begin says why. */
START_TEST(call_refused)
{
	struct pair p = pair_new();
	const char *why = NULL;
	struct session_spec spec = {
		.target = SLICE("sips:bob@" BOB),
		.offer = world_sdp("v=0 a1"),
	};
	const struct world_told *told;

	world_set_tls(p.w, BOB, "wrong-name: the certificate is for example.org");
	ck_assert_int_eq(session_new(p.ep_a, &spec, &p.alice, &why), 0);
	world_settle(p.w);
	told = world_expect_terminated(p.a, 0, ORIGIN_NETWORK);
	ck_assert(slice_eq(
		told->event.reason, SLICE("wrong-name: the certificate is for example.org")));
	pair_leave(&p);
}
END_TEST

/* ---- a registration ---- */

static const struct world_account account = {
	.id = "alice",
	.domain = "example.com",
	.sips = true,
	.registrar = "192.0.2.1",
	.password = "secret",
	.transport = TRANSPORT_TLS,
	.auto_refresh = true,
};

/* 10.2.1 and 8.1.1.8: a sips address of record registers a sips Contact. */
START_TEST(rfc3261_10_2_1_registers)
{
	struct scene s = scene_new(&account);

	world_show(s.w, "Contact");
	scene_registered(&s, "Contact: {contact};expires=3600\n");
	ck_assert_int_eq(s.ep->flow->transport, TRANSPORT_TLS);
	ck_assert_str_eq(s.ep->server, "tls:192.0.2.1:5061");
	ck_assert_ptr_nonnull(s.ep->flow->tls);
	ck_assert_str_eq(s.ep->flow->tls->matched, "192.0.2.1");
	world_log_golden(s.w, "tls-register");
	scene_finish(&s);
}
END_TEST

/* What the handshake was refused for is LastError, and the next attempt may succeed. */
START_TEST(registration_refused_then_well)
{
	struct scene s = scene_new(&account);
	struct world_news news;

	world_set_tls(s.w, "192.0.2.1", "revoked: by the issuer's list");
	scene_start(&s);
	world_settle(s.w);
	news = world_expect_done(s.wu, UA_REGISTER, 0, -ECONNREFUSED);
	ck_assert_str_eq(news.reason, "revoked: by the issuer's list");
	world_set_tls(s.w, "192.0.2.1", NULL);
	world_reply(s.w, scene_next(&s, 600 * SEC), 200, "Contact: {contact};expires=3600\n");
	world_settle(s.w);
	ck_assert_int_eq(s.r->state, REGISTRATION_REGISTERED);
	scene_finish(&s);
}
END_TEST

RUN_TESTS("tls", rfc3261_26_2_2_page, rfc3261_19_1_2_transport_parameter, refusal_names_its_reason,
	rfc3261_26_2_2_nothing_weaker, rfc3261_12_1_1_call, rfc3261_12_1_1_call_by_parameter,
	call_refused, rfc3261_10_2_1_registers, registration_refused_then_well)
