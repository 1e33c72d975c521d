/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * How long the connections of peer-to-peer endpoints live: what a page opened goes a minute after
 * it, what a session uses stays for its life, whatever is idle goes after a quarter of an hour.
 */
#include <check.h>

#include "protocol/base/err.h"
#include "protocol/ua/page.h"
#include "tests/flow/pair.h"
#include "tests/support/run.h"
#include "tests/support/world-private.h"

#define MINUTE (60 * SEC)
#define BOB "192.0.2.20"

static struct pair start(void)
{
	struct pair p = pair_new();

	world_net(p.w)->linger = MINUTE;
	world_net(p.w)->idle = 15 * MINUTE;
	return p;
}

static void on_done(void *owner, struct request *r, const struct outcome *o)
{
	unsigned *status = owner;

	(void)r;
	*status = o->status;
}

static const struct request_ops ops = { .done = on_done };

static void page(struct pair *p, const char *target)
{
	unsigned status = 0;
	struct page_spec spec = {
		.target = slice_str(target),
		.content_type = SLICE("text/plain"),
		.body = SLICE("hi"),
		.ops = &ops,
		.owner = &status,
	};
	struct incoming_reply ok = { .status = 200 };
	struct request *r;
	const char *why;

	ck_assert_int_eq(page_send(p->ep_a, &spec, &r, &why), 0);
	world_settle(p->w);
	ck_assert_int_eq(incoming_reply(world_expect_incoming(p->b), &ok), 0);
	world_settle(p->w);
	ck_assert_uint_eq(status, 200);
}

/* Connections that are there, and how many of them somebody holds. */
static size_t count(const struct world_ua *wu, size_t *ret_held)
{
	size_t n = 0;

	*ret_held = 0;
	list_for_each (pos, &wu->flows) {
		const struct flow *f = &list_entry(pos, struct world_flow, node)->base;

		if (!flow_is_reliable(f) || f->state == FLOW_DOWN)
			continue;
		n++;
		*ret_held += !flow_is_unused(f);
	}
	return n;
}

static void expect(const struct pair *p, size_t n, size_t held)
{
	const struct world_ua *const ends[] = { p->a, p->b };

	for (size_t i = 0; i < ARRAY_LEN(ends); i++) {
		size_t is_held;

		ck_assert_uint_eq(count(ends[i], &is_held), n);
		ck_assert_uint_eq(is_held, held);
	}
}

static void check_page(const char *target)
{
	struct pair p = start();

	page(&p, target);
	/* Nobody holds it from now on. */
	expect(&p, 1, 0);
	ck_assert_uint_eq(p.a->next_port, 49153);
	world_run(p.w, 50 * SEC);
	page(&p, target);
	ck_assert_uint_eq(p.a->next_port, 49153);
	world_run(p.w, 50 * SEC);
	expect(&p, 1, 0);
	world_run(p.w, 11 * SEC);
	expect(&p, 0, 0);
	page(&p, target);
	ck_assert_uint_eq(p.a->next_port, 49154);
	world_run(p.w, 70 * SEC);
	pair_leave(&p);
}

/* Released with the answer, closed a minute later unless it is used again. */
START_TEST(a_page_opens_for_a_minute)
{
	check_page("sip:bob@" BOB ";transport=tcp");
	check_page("sips:bob@" BOB);
}
END_TEST

static void call(struct pair *p, const char *target)
{
	struct session_spec spec = { .target = slice_str(target), .offer = world_sdp("v=0 a1") };
	const char *why;

	ck_assert_int_eq(session_new(p->ep_a, &spec, &p->alice, &why), 0);
	world_settle(p->w);
	p->bob = world_expect_session(p->b);
	pair_accept(p);
}

/* A session keeps its connection, at both ends, however silent it is; then the minute counts. */
START_TEST(a_session_holds_its_connection)
{
	struct pair p = start();

	call(&p, "sip:bob@" BOB ";transport=tcp");
	world_run(p.w, 20 * MINUTE);
	expect(&p, 1, 1);
	ck_assert_int_eq(session_terminate(p.bob, NULL), 0);
	world_settle(p.w);
	ck_assert_uint_eq(p.b->next_port, 49152);
	(void)world_expect_event(p.a, UA_SESSION_TERMINATED);
	(void)world_expect_event(p.b, UA_SESSION_TERMINATED);
	/* An INVITE lingers for what other forks may still bring (13.2.2.4). */
	world_run(p.w, 40 * SEC);
	expect(&p, 1, 0);
	world_run(p.w, MINUTE);
	expect(&p, 0, 0);
	pair_leave(&p);
}
END_TEST

/* Over TLS as well, where who called has no other certificate than none. */
START_TEST(a_session_comes_back_over_its_connection)
{
	struct pair p = start();
	struct world_reply reply = { 0 };

	call(&p, "sips:bob@" BOB);
	pair_offer(p.bob, "v=0 b2", &reply);
	world_settle(p.w);
	pair_answer(p.a, p.alice, "v=0 b2", "v=0 a2");
	world_settle(p.w);
	pair_expect_reply(&reply, 200, 0, "v=0 a2");
	ck_assert_uint_eq(p.b->next_port, 49152);
	pair_finish(&p);
}
END_TEST

/* A connection that broke is made anew when the session says something. */
START_TEST(a_session_opens_anew)
{
	struct pair p = start();

	call(&p, "sip:bob@" BOB ";transport=tcp");
	world_cut(p.a);
	expect(&p, 0, 0);
	world_run(p.w, MINUTE);
	ck_assert_int_eq(session_terminate(p.alice, NULL), 0);
	world_settle(p.w);
	ck_assert_uint_eq(p.a->next_port, 49154);
	(void)world_expect_event(p.a, UA_SESSION_TERMINATED);
	(void)world_expect_event(p.b, UA_SESSION_TERMINATED);
	world_run(p.w, 3 * MINUTE);
	pair_leave(&p);
}
END_TEST

/* Whoever opened it may have forgotten to close it. */
START_TEST(idle_for_a_quarter_of_an_hour)
{
	struct pair p = start();

	world_net(p.w)->linger = 0;
	page(&p, "sip:bob@" BOB ";transport=tcp");
	world_run(p.w, 14 * MINUTE);
	expect(&p, 1, 0);
	world_run(p.w, 2 * MINUTE);
	expect(&p, 0, 0);
	pair_leave(&p);
}
END_TEST

/* ---- sockets to be met at ---- */

static struct endpoint *listener(
	struct world_ua *wu, const char *uri, enum transport transport, int error)
{
	struct profile *profile = profile_new();
	struct endpoint_config c = { .profile = profile, .uri = uri, .kind = "peer-to-peer" };
	struct endpoint *ep = NULL;

	profile->name = mem_strdup("peer");
	c.transport = transport;
	c.listen = ENDPOINT_LISTEN_YES;
	ck_assert_int_eq(endpoint_new(wu->ua, &c, &ep), error);
	profile_unref(profile);
	return ep;
}

/* The port of its URI, and for what is no TLS both transports (RFC 3261 section 18). */
START_TEST(rfc3261_18_listens_where_its_uri_says)
{
	struct pair p = start();
	unsigned before = p.a->n_listening;
	struct endpoint *plain = listener(p.a, "sip:carol@192.0.2.10:5070", TRANSPORT_NONE, 0);
	struct endpoint *secure;

	ck_assert_uint_eq(p.a->n_listening, before + 1);
	ck_assert_int_eq(p.a->listen.transport, TRANSPORT_UDP);
	ck_assert_uint_eq(p.a->listen.port, 5070);
	ck_assert_uint_eq(plain->listen_at.port, 5070);
	secure = listener(p.a, "sip:carol@example.com", TRANSPORT_TLS, 0);
	ck_assert_int_eq(p.a->listen.transport, TRANSPORT_TLS);
	ck_assert_uint_eq(p.a->listen.port, 0);
	endpoint_close(plain);
	endpoint_close(secure);
	world_settle(p.w);
	ck_assert_uint_eq(p.a->n_listening, before);
	pair_leave(&p);
}
END_TEST

/* Who cannot be met as wished is not made. */
START_TEST(cannot_listen)
{
	struct pair p = start();
	size_t n = p.a->ua->n_endpoints;

	p.a->listen_error = -EADDRINUSE;
	(void)listener(p.a, "sip:carol@192.0.2.10:5070", TRANSPORT_NONE, -EADDRINUSE);
	ck_assert_uint_eq(p.a->ua->n_endpoints, n);
	world_settle(p.w);
	pair_leave(&p);
}
END_TEST

RUN_TESTS("peer-connections", a_page_opens_for_a_minute, a_session_holds_its_connection,
	a_session_comes_back_over_its_connection, a_session_opens_anew,
	idle_for_a_quarter_of_an_hour, rfc3261_18_listens_where_its_uri_says, cannot_listen)
