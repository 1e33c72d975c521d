/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The services of RFC 5359 between user agents: Alice, Bob and Carol are three of ours, each acting
 * on what it is told. Transcripts are in golden/session-5359-*.txt; those that go through a proxy
 * are in session-5359-proxy.c. Where we differ from the text, on purpose:
 *
 *   no SIPS, for this world has no TLS; descriptions are opaque, so that hold is an offer like any;
 *   2.1, 2.2, 2.10, 2.11  no +sip.rendering and isfocus in Contact, which is the stack's: a media
 *         feature is announced by who handles media;
 *   2.3, 2.15  the music or park server, which is us as well, agrees to a REFER outside of dialogs
 *         without promising reports: its one NOTIFY (RFC 3515 2.4.4) has 100 and the end in it;
 *   2.15, 2.16  the dialogs' names, which SUBSCRIBE to package dialog would bring, are just known;
 *   2.4, 2.5, 2.18  REFER is answered 200 (RFC 7647 section 5) and not 202;
 *   2.17  is 486, a subscription to package dialog and another call: nothing here beyond those.
 */
#include <check.h>
#include <string.h>

#include "protocol/base/err.h"
#include "protocol/msg/uri-headers.h"
#include "protocol/ua/page.h"
#include "protocol/ua/refer.h"
#include "tests/flow/service.h"
#include "tests/support/run.h"

#define HOLD "v=0 hold"
#define HELD "v=0 held"

/* ---- steps that several share ---- */

static void hold(struct service *t, struct line *l)
{
	service_offer(t, l, SERVICE_CALLEE, HOLD, HELD);
}

/* p, whom somebody asked to take a session's place, accepts: its old session ends by itself. */
static struct session *replaced(struct service *t, struct party *p, struct session *expected)
{
	struct session_body answer = world_sdp("v=0 answer");
	struct session *s;

	world_settle(t->w);
	s = world_expect_session(p->wu);
	ck_assert_ptr_eq(session_replaced(s), expected);
	ck_assert_int_eq(session_accept(s, &answer, NULL), 0);
	world_settle(t->w);
	return s;
}

static void established(struct party *p)
{
	(void)world_expect_event(p->wu, UA_SESSION_ESTABLISHED);
}

/* p calls with that Replaces or Join. */
static struct session *call(
	struct service *t, struct party *p, const char *target, const struct session_spec *with)
{
	struct session_spec spec = *with;
	struct session *s;
	const char *why = NULL;
	int r;

	spec.target = slice_str(target);
	spec.offer = world_sdp("v=0 offer");
	r = session_new(p->ep, &spec, &s, &why);
	ck_assert_msg(r == 0, "%s", why);
	world_settle(t->w);
	return s;
}

/* "sip:alice@192.0.2.10?Replaces=...&Require=replaces" */
static char *pick_up_uri(const struct session *s)
{
	char *names cleanup_free = service_names(s);
	struct buf b = BUF_NULL;

	buf_lit(&b, ALICE "?Replaces=");
	uri_append_header_value(&b, slice_str(names));
	buf_lit(&b, "&Require=replaces");
	return buf_take(&b);
}

/* ---- hold ---- */

START_TEST(rfc5359_2_1_call_hold)
{
	struct service t = service_new();
	struct line l = service_call(&t, &t.alice, &t.bob);

	hold(&t, &l);
	service_offer(&t, &l, SERVICE_CALLEE, "v=0 again", "v=0 answer 2");
	service_hang_up(&t, &t.alice, l.out, &t.bob);
	service_finish(&t, "session-5359-2.1");
}
END_TEST

START_TEST(rfc5359_2_2_consultation_hold)
{
	struct service t = service_new();
	struct line l = service_call(&t, &t.alice, &t.bob), other;

	hold(&t, &l);
	other = service_call(&t, &t.bob, &t.carol);
	service_hang_up(&t, &t.bob, other.out, &t.carol);
	service_offer(&t, &l, SERVICE_CALLEE, "v=0 again", "v=0 answer 2");
	service_hang_up(&t, &t.alice, l.out, &t.bob);
	service_finish(&t, "session-5359-2.2");
}
END_TEST

/* ---- REFER outside of dialogs ---- */

/* How Bob's REFER fared. */
struct heard {
	unsigned n, status;
};

static void on_terminated(void *owner, struct refer *r, const struct refer_end *end)
{
	struct heard *h = owner;

	(void)r;
	h->n++;
	h->status = end->status;
}

static const struct refer_ops refer_ops = { .terminated = on_terminated };

/* Carol's server is Bob's, for who registers nowhere subscribes to nothing. */
static struct endpoint *subscriber(struct service *t)
{
	static const struct world_account account = {
		.id = "bob2", .domain = "192.0.2.20", .registrar = "192.0.2.30"
	};

	t->extra = world_endpoint(t->bob.wu, &account);
	return t->extra;
}

/* Bob asks Carol's server to call that, and it does so; returned is its session. */
static struct session *parked(struct service *t, const char *refer_to, const char *names)
{
	struct refer_spec spec = { .target = SLICE(CAROL), .refer_to = slice_str(refer_to) };
	struct session_spec wish = { .replaces_value = slice_str(names),
		.replaces_required = true,
		.referred_by = SLICE("<" BOB ">") };
	struct incoming_reply ok = { .status = 202 };
	struct heard h = { 0 };
	struct refer *r;

	world_run(t->w, SEC);
	ck_assert_int_eq(refer_new(subscriber(t), &spec, &refer_ops, &h, &r), 0);
	world_settle(t->w);
	ck_assert_int_eq(incoming_reply(world_expect_incoming(t->carol.wu), &ok), 0);
	world_settle(t->w);
	ck_assert_uint_eq(h.n, 1); /* RFC 3515 2.4.4: nothing is known, and nothing will be */
	ck_assert_uint_eq(h.status, 0);
	return call(t, &t->carol, ALICE, &wish);
}

/* Alice's call to Bob goes to Carol's server. */
static struct session *park(struct service *t, struct line *l, struct session **ret_alices)
{
	char *names cleanup_free = service_names(l->in);
	char *refer_to cleanup_free = pick_up_uri(l->in);
	struct session *server = parked(t, refer_to, names);

	*ret_alices = replaced(t, &t->alice, l->out);
	established(&t->carol);
	established(&t->alice);
	(void)world_expect_terminated(t->alice.wu, 0, ORIGIN_LOCAL);
	(void)world_expect_terminated(t->bob.wu, 200, ORIGIN_REMOTE);
	return server;
}

/* Who calls Alice with that takes her from Carol's server. */
static struct session *pick_up(
	struct service *t, struct party *p, struct session *server, struct session *alices)
{
	char *names cleanup_free = service_names(server);
	struct session_spec spec = { .replaces_value = slice_str(names),
		.replaces_required = true };
	struct session *s, *came;

	world_run(t->w, SEC);
	s = call(t, p, ALICE, &spec);
	came = replaced(t, &t->alice, alices);
	established(p);
	established(&t->alice);
	(void)world_expect_terminated(t->alice.wu, 0, ORIGIN_LOCAL);
	(void)world_expect_terminated(t->carol.wu, 200, ORIGIN_REMOTE);
	ck_assert_uint_eq(session_state(came), SESSION_ESTABLISHED);
	return s;
}

START_TEST(rfc5359_2_3_music_on_hold)
{
	struct service t = service_new();
	struct line l = service_call(&t, &t.alice, &t.bob);
	struct session *server, *alices, *bobs;

	hold(&t, &l);
	server = park(&t, &l, &alices);
	bobs = pick_up(&t, &t.bob, server, alices);
	service_hang_up(&t, &t.bob, bobs, &t.alice);
	service_finish(&t, "session-5359-2.3");
}
END_TEST

START_TEST(rfc5359_2_15_call_park)
{
	struct service t = service_new();
	struct line l = service_call(&t, &t.alice, &t.bob);
	struct session *server, *alices, *carols;

	server = park(&t, &l, &alices);
	/* Carol and her server are one user agent here, and one endpoint. */
	carols = pick_up(&t, &t.carol, server, alices);
	service_hang_up(&t, &t.carol, carols, &t.alice);
	service_finish(&t, "session-5359-2.15");
}
END_TEST

START_TEST(rfc5359_2_18_click_to_dial)
{
	struct service t = service_new();
	struct refer_spec spec = {
		.target = SLICE(BOB),
		.refer_to = SLICE(CAROL),
		.no_subscription = true,
	};
	struct incoming_reply ok = { .status = 202 };
	struct heard h = { 0 };
	struct refer *r;
	struct session_body answer = world_sdp("v=0 answer");
	struct session *s;

	/* Alice's user agent is Bob's PC. */
	ck_assert_int_eq(refer_new(t.alice.ep, &spec, &refer_ops, &h, &r), 0);
	world_settle(t.w);
	ck_assert_int_eq(incoming_reply(world_expect_incoming(t.bob.wu), &ok), 0);
	world_settle(t.w);
	ck_assert_uint_eq(h.n, 1);
	ck_assert_uint_eq(h.status, 200);
	s = call(&t, &t.bob, CAROL, &(struct session_spec){ 0 });
	ck_assert_int_eq(session_accept(world_expect_session(t.carol.wu), &answer, NULL), 0);
	world_settle(t.w);
	established(&t.bob);
	established(&t.carol);
	service_hang_up(&t, &t.bob, s, &t.carol);
	service_finish(&t, "session-5359-2.18");
}
END_TEST

/* ---- transfer ---- */

/* The peer of s hears of a REFER and does as it says. */
static struct session *follow(struct service *t, struct party *p, struct session *s)
{
	struct session_spec spec = { .offer = world_sdp("v=0 offer") };
	const struct world_told *told = world_expect_event(p->wu, UA_SESSION_REFER);
	struct session *followed;
	const char *why = NULL;
	int r = session_follow_refer(s, told->event.id, &spec, &followed, &why);

	ck_assert_msg(r == 0, "%s", why);
	world_settle(t->w);
	return followed;
}

/* Bob called Alice, who transfers him to Carol and leaves at once; the outcome still comes. */
START_TEST(rfc5359_2_4_unattended_transfer)
{
	struct service t = service_new();
	struct line l = service_call(&t, &t.bob, &t.alice);
	struct session_refer to = { .target = SLICE(CAROL) };
	struct session_body answer = world_sdp("v=0 answer");
	struct session *bobs;

	world_run(t.w, SEC);
	ck_assert_int_eq(session_refer(l.in, &to), 0);
	world_settle(t.w);
	bobs = follow(&t, &t.bob, l.out);
	(void)world_expect_event(t.alice.wu, UA_SESSION_REFER_PROGRESS); /* 100 */
	ck_assert_int_eq(session_terminate(l.in, NULL), 0);
	world_settle(t.w);
	(void)world_expect_terminated(t.bob.wu, 200, ORIGIN_REMOTE);
	world_run(t.w, 3 * SEC);
	ck_assert_int_eq(session_accept(world_expect_session(t.carol.wu), &answer, NULL), 0);
	world_settle(t.w);
	established(&t.bob);
	established(&t.carol);
	ck_assert_uint_eq(
		world_expect_event(t.alice.wu, UA_SESSION_REFER_FINISHED)->event.status, 200);
	(void)world_expect_terminated(t.alice.wu, 0, ORIGIN_LOCAL);
	service_hang_up(&t, &t.bob, bobs, &t.carol);
	service_finish(&t, "session-5359-2.4");
}
END_TEST

START_TEST(rfc5359_2_5_attended_transfer)
{
	struct service t = service_new();
	struct line l = service_call(&t, &t.alice, &t.bob), other;
	struct session_refer to = { 0 };
	struct session *alices;

	hold(&t, &l);
	other = service_call(&t, &t.bob, &t.carol);
	service_offer(&t, &other, SERVICE_CALLER, HOLD, HELD);
	to.replaces = other.out;
	world_run(t.w, SEC);
	ck_assert_int_eq(session_refer(l.in, &to), 0);
	world_settle(t.w);
	alices = follow(&t, &t.alice, l.out);
	(void)replaced(&t, &t.carol, other.in);
	established(&t.alice);
	established(&t.carol);
	(void)world_expect_terminated(t.carol.wu, 0, ORIGIN_LOCAL);
	world_run(t.w, SEC);
	(void)world_expect_event(t.bob.wu, UA_SESSION_REFER_PROGRESS);
	(void)world_expect_terminated(t.bob.wu, 200, ORIGIN_REMOTE); /* Carol's BYE */
	ck_assert_uint_eq(
		world_expect_event(t.bob.wu, UA_SESSION_REFER_FINISHED)->event.status, 200);
	service_hang_up(&t, &t.bob, l.in, &t.alice);
	service_hang_up(&t, &t.alice, alices, &t.carol);
	service_finish(&t, "session-5359-2.5");
}
END_TEST

static void on_paged(void *owner, struct request *r, const struct outcome *o)
{
	unsigned *status = owner;

	(void)r;
	*status = o->status;
}

/* Bob sends Carol a link to Alice, which she follows. */
START_TEST(rfc5359_2_6_transfer_by_instant_message)
{
	static const struct request_ops ops = { .done = on_paged };
	struct service t = service_new();
	struct line l = service_call(&t, &t.alice, &t.bob);
	char *names cleanup_free = service_names(l.in);
	char *uri cleanup_free = pick_up_uri(l.in);
	struct session_spec spec = { .replaces_value = slice_str(names),
		.replaces_required = true };
	struct incoming_reply ok = { .status = 200 };
	unsigned status = 0;
	struct page_spec page = {
		.target = SLICE(CAROL),
		.content_type = SLICE("text/plain"),
		.body = slice_str(uri),
		.ops = &ops,
		.owner = &status,
	};
	struct request *r;
	struct session *carols, *alices;
	const char *why;

	world_run(t.w, SEC);
	ck_assert_int_eq(page_send(t.bob.ep, &page, &r, &why), 0);
	world_settle(t.w);
	ck_assert_int_eq(incoming_reply(world_expect_incoming(t.carol.wu), &ok), 0);
	world_settle(t.w);
	ck_assert_uint_eq(status, 200);
	carols = call(&t, &t.carol, ALICE, &spec);
	alices = replaced(&t, &t.alice, l.out);
	established(&t.carol);
	established(&t.alice);
	(void)world_expect_terminated(t.alice.wu, 0, ORIGIN_LOCAL);
	(void)world_expect_terminated(t.bob.wu, 200, ORIGIN_REMOTE);
	ck_assert_uint_eq(session_state(alices), SESSION_ESTABLISHED);
	service_hang_up(&t, &t.carol, carols, &t.alice);
	service_finish(&t, "session-5359-2.6");
}
END_TEST

/* ---- conference: who mixes is a client's business ---- */

START_TEST(rfc5359_2_10_third_party_is_added)
{
	struct service t = service_new();
	struct line l = service_call(&t, &t.alice, &t.bob), other;

	service_offer(&t, &l, SERVICE_CALLEE, "v=0 mixer", "v=0 answer 2");
	other = service_call(&t, &t.bob, &t.carol);
	service_hang_up(&t, &t.bob, other.out, &t.carol);
	service_hang_up(&t, &t.bob, l.in, &t.alice);
	service_finish(&t, "session-5359-2.10");
}
END_TEST

START_TEST(rfc5359_2_11_third_party_joins)
{
	static const struct session_ring ringing = { .status = 180 };
	struct service t = service_new();
	struct line l = service_call(&t, &t.alice, &t.bob);
	/* As Bob finds the dialog: Alice's names of it. */
	char *names cleanup_free = service_names(l.out);
	struct session_spec spec = { .join_value = slice_str(names) };
	struct session_body answer = world_sdp("v=0 answer");
	struct session *carols, *bobs;

	world_run(t.w, SEC);
	carols = call(&t, &t.carol, BOB, &spec);
	bobs = world_expect_session(t.bob.wu);
	ck_assert_ptr_eq(session_joined(bobs), l.in);
	ck_assert_int_eq(session_ring(bobs, &ringing), 0);
	world_settle(t.w);
	(void)world_expect_progress(t.carol.wu, 180);
	service_offer(&t, &l, SERVICE_CALLEE, "v=0 mixer", "v=0 answer 2");
	ck_assert_int_eq(session_accept(bobs, &answer, NULL), 0);
	world_settle(t.w);
	established(&t.carol);
	established(&t.bob);
	ck_assert_uint_eq(session_state(l.in), SESSION_ESTABLISHED);
	service_hang_up(&t, &t.carol, carols, &t.bob);
	service_hang_up(&t, &t.alice, l.out, &t.bob);
	service_finish(&t, "session-5359-2.11");
}
END_TEST

/* ---- pickup ---- */

/* Bob's phone rings, and Carol, who is Bill here, takes the call. */
START_TEST(rfc5359_2_16_call_pickup)
{
	struct service t = service_new();
	struct line l = service_ring(&t, &t.alice, &t.bob, NULL);
	char *names cleanup_free = service_names(l.in);
	struct buf value = BUF_NULL;
	struct session_spec spec = { .replaces_required = true };
	struct session *carols, *alices;

	buf_printf(&value, "%s;early-only", names);
	spec.replaces_value = buf_slice(&value);
	world_run(t.w, SEC);
	carols = call(&t, &t.carol, ALICE, &spec);
	alices = replaced(&t, &t.alice, l.out);
	established(&t.carol);
	established(&t.alice);
	(void)world_expect_terminated(t.alice.wu, 487, ORIGIN_LOCAL);
	(void)world_expect_terminated(t.bob.wu, 200, ORIGIN_REMOTE);
	service_hang_up(&t, &t.alice, alices, &t.carol);
	ck_assert_ptr_nonnull(carols);
	buf_deinit(&value);
	service_finish(&t, "session-5359-2.16");
}
END_TEST

/* The same too late: Bob has answered, so that Carol hears that he has it. */
START_TEST(rfc5359_2_16_call_pickup_too_late)
{
	struct service t = service_new();
	struct line l = service_ring(&t, &t.alice, &t.bob, NULL);
	char *names cleanup_free = service_names(l.in);
	struct buf value = BUF_NULL;
	struct session_spec spec = { .replaces_required = true };

	buf_printf(&value, "%s;early-only", names);
	spec.replaces_value = buf_slice(&value);
	service_accept(&t, &l);
	(void)call(&t, &t.carol, ALICE, &spec);
	(void)world_expect_terminated(t.carol.wu, 486, ORIGIN_REMOTE);
	world_expect_no_session(t.alice.wu);
	service_hang_up(&t, &t.alice, l.out, &t.bob);
	buf_deinit(&value);
	service_finish(&t, "session-5359-2.16-late");
}
END_TEST

RUN_TESTS("session-5359", rfc5359_2_1_call_hold, rfc5359_2_2_consultation_hold,
	rfc5359_2_3_music_on_hold, rfc5359_2_4_unattended_transfer, rfc5359_2_5_attended_transfer,
	rfc5359_2_6_transfer_by_instant_message, rfc5359_2_10_third_party_is_added,
	rfc5359_2_11_third_party_joins, rfc5359_2_15_call_park, rfc5359_2_16_call_pickup,
	rfc5359_2_16_call_pickup_too_late, rfc5359_2_18_click_to_dial)
