/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Addresses come and go, the network is away, the machine sleeps: registrations and sessions stay.
 */
#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "protocol/ua/page.h"
#include "protocol/ua/ua-network.h"
#include "tests/flow/call.h"
#include "tests/flow/scene.h"
#include "tests/support/exact.h"
#include "tests/support/run.h"

#define ANOTHER "192.0.2.77"

/* ---- another address ---- */

static struct scene registered(enum transport transport, bool auto_refresh)
{
	struct world_account a = scene_alice;
	struct scene s;

	a.transport = transport;
	a.auto_refresh = auto_refresh;
	s = scene_new(&a);
	world_show(s.w, "Contact");
	scene_registered(&s, "Contact: {contact};expires=3600\n");
	world_run(s.w, 100 * SEC);
	return s;
}

static char *stale_contact(const struct scene *s)
{
	static char text[160];

	(void)snprintf(text, sizeof(text), "<%s>;expires=0", s->r->contact);
	return text;
}

/* The REGISTER that says where we are now and where we are no more (RFC 3261 10.2.2). */
static void answer_move(const struct scene *s, const struct msg *m, const char *stale)
{
	char old[160];

	(void)snprintf(old, sizeof(old), "%s", stale);
	ck_assert_uint_eq(scene_count_contacts(m), 2);
	ck_assert(scene_has_contact(m, old));
	ck_assert(slice_eq(m->via.host, SLICE(ANOTHER)));
	world_reply(s->w, m, 200, "Contact: {contact};expires=3600\n");
	world_settle(s->w);
	ck_assert_int_eq(s->r->state, REGISTRATION_REGISTERED);
	ck_assert_ptr_nonnull(strstr(s->r->contact, "@" ANOTHER));
	ck_assert_ptr_null(s->r->last_reason);
}

static void moves(enum transport transport, const char *golden)
{
	struct scene s = registered(transport, true);
	char *stale = stale_contact(&s);

	world_move(s.wu, ANOTHER);
	ck_assert_int_eq(s.r->state, REGISTRATION_WAITING);
	ck_assert_str_eq(s.r->last_reason, "the address 192.0.2.10 is gone");
	ck_assert_int_eq(s.r->last_origin, ORIGIN_NETWORK);
	answer_move(&s, world_expect_out(s.w, "REGISTER"), stale);
	world_log_golden(s.w, golden);
	world_free(s.w);
}

START_TEST(moves_over_udp)
{
	moves(TRANSPORT_UDP, "network-moves-udp");
}
END_TEST

START_TEST(moves_over_tcp)
{
	moves(TRANSPORT_TCP, "network-moves-tcp");
}
END_TEST

START_TEST(moves_over_tls)
{
	moves(TRANSPORT_TLS, "network-moves-tls");
}
END_TEST

static void send_page(const struct scene *s, struct request **ret)
{
	static const struct request_ops ops = { 0 };
	struct page_spec page = {
		.target = SLICE_INIT("sip:bob@example.com"),
		.content_type = SLICE_INIT("text/plain"),
		.body = SLICE_INIT("hello"),
		.ops = &ops,
	};
	const char *why;

	ck_assert_int_eq(page_send(s->ep, &page, ret, &why), 0);
	(void)world_expect_out(s->w, "MESSAGE");
}

/* AutoRefresh=no: with the next message, or once somebody turns it on. */
static void moves_lazily(enum transport transport)
{
	struct scene s = registered(transport, false);
	char *stale = stale_contact(&s);
	struct request *request;

	world_move(s.wu, ANOTHER);
	world_expect_silence(s.w, 60 * SEC);
	ck_assert_int_eq(s.r->state, REGISTRATION_WAITING);
	send_page(&s, &request);
	answer_move(&s, world_expect_out(s.w, "REGISTER"), stale);
	request_free(request);
	/* What the property's setter does. */
	world_cut(s.wu);
	world_move(s.wu, "192.0.2.78");
	world_expect_silence(s.w, 60 * SEC);
	s.ep->auto_refresh = true;
	registration_touch(s.r);
	(void)world_expect_out(s.w, "REGISTER");
	world_free(s.w);
}

START_TEST(moves_with_the_next_message)
{
	moves_lazily(TRANSPORT_UDP);
	moves_lazily(TRANSPORT_TCP);
	moves_lazily(TRANSPORT_TLS);
}
END_TEST

/* RFC 5626 section 4.4: each flow is made anew with its own reg-id; none holds the other up. */
START_TEST(both_flows_move)
{
	struct world_account a = scene_alice;
	struct scene s;

	a.transport = TRANSPORT_TCP;
	a.flows = 2;
	s = scene_new(&a);
	scene_registered(&s, "Require: outbound\nContact: {contact};expires=3600\n");
	for (int i = 0; i < 3; i++) {
		world_reply(s.w, world_expect_out(s.w, "REGISTER"), 200,
			"Require: outbound\nContact: {contact};expires=3600\n");
		world_settle(s.w);
		if (i == 0) {
			world_run(s.w, 100 * SEC);
			(void)world_skip_out(s.w);
			world_move(s.wu, ANOTHER);
			ck_assert_int_eq(s.r->next->state, REGISTRATION_WAITING);
		}
	}
	for (const struct registration *r = s.r; r; r = r->next) {
		ck_assert_int_eq(r->state, REGISTRATION_REGISTERED);
		ck_assert_ptr_nonnull(strstr(r->contact, "@" ANOTHER));
	}
	ck_assert_ptr_ne(s.r->flow, s.r->next->flow);
	world_free(s.w);
}
END_TEST

/* ---- no network at all ---- */

/* Nothing is sent, however long it lasts, and then at once. */
START_TEST(away)
{
	struct scene s = registered(TRANSPORT_UDP, true);

	world_move(s.wu, "");
	world_expect_silence(s.w, 10 * HOUR);
	ck_assert_int_eq(s.r->state, REGISTRATION_WAITING);
	ck_assert_str_eq(s.r->last_reason, "Network is unreachable");
	ck_assert_uint_eq(s.r->failures, 0);
	world_move(s.wu, ANOTHER);
	world_reply(s.w, world_expect_out(s.w, "REGISTER"), 200, "Contact: {contact}\n");
	world_settle(s.w);
	ck_assert_int_eq(s.r->state, REGISTRATION_REGISTERED);
	world_free(s.w);
}
END_TEST

START_TEST(begins_without_network)
{
	struct world_account a = scene_alice;
	struct scene s;

	a.transport = TRANSPORT_TLS;
	s = scene_new(&a);
	world_move(s.wu, "");
	scene_start(&s);
	world_settle(s.w);
	(void)world_expect_done(s.wu, UA_REGISTER, 0, -ENETUNREACH);
	world_expect_silence(s.w, HOUR);
	/* One that does not help. */
	ua_network_changed(s.wu->ua);
	world_expect_silence(s.w, HOUR);
	world_move(s.wu, ANOTHER);
	(void)world_expect_out(s.w, "REGISTER");
	world_free(s.w);
}
END_TEST

/* A host that does not tell: back-offs as for any failure. */
START_TEST(nobody_tells)
{
	struct scene s = scene_new(&scene_alice);

	s.wu->host.tells_network = false;
	world_move(s.wu, "");
	scene_start(&s);
	world_run(s.w, SEC);
	ck_assert_uint_le(s.r->next_attempt, s.wu->ua->timers.now + 60 * SEC);
	(void)snprintf(s.wu->address, sizeof(s.wu->address), ANOTHER);
	(void)scene_next(&s, 60 * SEC);
	world_free(s.w);
}
END_TEST

/* What failed for other reasons has a new chance where we are now, once. */
START_TEST(back_off_begins_anew)
{
	struct scene s = scene_new(&scene_alice);

	world_set_reach(s.w, "192.0.2.1", WORLD_SILENT);
	scene_start(&s);
	world_run(s.w, 2 * HOUR);
	ck_assert_uint_gt(s.r->failures, 4);
	while (s.r->request)
		world_run(s.w, SEC);
	world_set_reach(s.w, "192.0.2.1", WORLD_UP);
	world_move(s.wu, ANOTHER);
	world_reply(s.w, world_expect_out(s.w, "REGISTER"), 500, NULL);
	world_settle(s.w);
	ck_assert_uint_eq(s.r->failures, 1);
	/* Its own refusal is not the network's fault. */
	world_move(s.wu, "192.0.2.78");
	world_expect_silence(s.w, 20 * SEC);
	world_free(s.w);
}
END_TEST

/* ---- sessions ---- */

static void expect_contact(const struct msg *m, const char *host)
{
	ck_assert(slice_eq(m->contact.uri.host, slice_str(host)));
}

/* RFC 3261 12.2: the peer is told where we are now, by INVITE since it allows no UPDATE. */
START_TEST(session_moves)
{
	struct call c = call_scene();
	const struct msg *m;

	call_bob(&c, "<sip:bob@192.0.2.20>");
	world_show(c.w, "Contact");
	world_run(c.w, 10 * SEC);
	world_move(c.wu, ANOTHER);
	m = world_expect_out(c.w, "INVITE");
	expect_contact(m, ANOTHER);
	assert_slice(slice_of(m->body.p, m->body.n), "offer"); /* the last that stood */
	world_reply(c.w, m, 200,
		"Contact: <sip:bob@192.0.2.20>\nContent-Type: application/sdp\n"
		"Content-Length: {length}\n\nanswer");
	(void)world_expect_out(c.w, "ACK");
	ck_assert_int_eq(c.s->state, SESSION_ESTABLISHED);
	/* Only once. */
	ua_network_changed(c.wu->ua);
	world_expect_silence(c.w, 20 * SEC);
	world_log_golden(c.w, "network-session-moves");
	call_finish(&c);
}
END_TEST

/* Without any network the session stays, and goes on where there is one again. */
START_TEST(session_waits_for_network)
{
	struct call c = call_scene();
	const struct msg *m;

	call_bob(&c, "<sip:bob@192.0.2.20>\nAllow: INVITE, ACK, BYE, UPDATE");
	world_move(c.wu, "");
	world_expect_silence(c.w, 60 * SEC);
	ck_assert_int_eq(c.s->state, SESSION_ESTABLISHED);
	world_move(c.wu, ANOTHER);
	m = world_expect_out(c.w, "UPDATE"); /* RFC 3311 */
	expect_contact(m, ANOTHER);
	world_reply(c.w, m, 200, "Contact: <sip:bob@192.0.2.20>\n");
	world_settle(c.w);
	ck_assert_int_eq(c.s->state, SESSION_ESTABLISHED);
	call_finish(&c);
}
END_TEST

/* Registered first: a proxy that finds us again lets the session's request pass. */
START_TEST(session_follows_registration)
{
	struct scene s = registered(TRANSPORT_TLS, true);
	struct session_spec spec = { .target = SLICE("sip:bob@example.com"),
		.offer = world_sdp("offer") };
	struct session *session;
	const struct msg *m;
	const char *why;

	ck_assert_int_eq(session_new(s.ep, &spec, &session, &why), 0);
	world_reply(s.w, world_expect_out(s.w, "INVITE"), 200,
		"Record-Route: <sip:192.0.2.1:5061;transport=tls;lr>\n"
		"Contact: <sip:bob@192.0.2.20>\nAllow: INVITE, ACK, BYE, UPDATE\n"
		"Content-Type: application/sdp\nContent-Length: {length}\n\nanswer");
	(void)world_expect_out(s.w, "ACK");
	(void)world_expect_event(s.wu, UA_SESSION_ESTABLISHED);
	world_move(s.wu, ANOTHER);
	m = world_expect_out(s.w, "REGISTER");
	world_expect_silence(s.w, 5 * SEC);
	world_reply(s.w, m, 200, "Contact: {contact};expires=3600\n");
	m = world_expect_out(s.w, "UPDATE");
	expect_contact(m, ANOTHER);
	world_reply(s.w, m, 200, "Contact: <sip:bob@192.0.2.20>\n");
	world_settle(s.w);
	ck_assert_int_eq(session->state, SESSION_ESTABLISHED);
	world_free(s.w);
}
END_TEST

/* ---- asleep ---- */

/* A registration that is still good is confirmed within seconds, whatever was planned. */
START_TEST(resumes_registered)
{
	struct scene s = registered(TRANSPORT_TCP, true);

	world_sleep(s.w, 600 * SEC);
	ck_assert_int_eq(s.r->state, REGISTRATION_REGISTERED);
	world_reply(s.w, scene_next(&s, 10 * SEC), 200, "Contact: {contact};expires=3600\n");
	world_settle(s.w);
	world_expect_silence(s.w, 2000 * SEC);
	world_free(s.w);
}
END_TEST

#define TIMER_90 "\nSession-Expires: 90;refresher=%s\nRequire: timer"

static struct call timed_call(const char *refresher)
{
	struct call c = call_scene();
	char contact[160];

	(void)snprintf(contact, sizeof(contact),
		"<sip:bob@192.0.2.20>\nAllow: INVITE, ACK, BYE, UPDATE" TIMER_90, refresher);
	call_bob(&c, contact);
	return c;
}

/* RFC 4028 section 10: its time ran out in our sleep, it ends with a BYE and nothing before it. */
static void sleeps_too_long(const char *refresher)
{
	struct call c = timed_call(refresher);

	world_sleep(c.w, 600 * SEC);
	world_reply(c.w, world_expect_out(c.w, "BYE"), 481, NULL);
	world_settle(c.w);
	(void)world_expect_event(c.wu, UA_SESSION_TERMINATED);
	ck_assert_uint_eq(c.wu->n_sessions, 0);
	call_leave(&c);
}

START_TEST(session_ran_out)
{
	sleeps_too_long("uac");
	sleeps_too_long("uas");
}
END_TEST

/* Late, but in time: one refresh for both that were due. */
START_TEST(session_is_refreshed_late)
{
	struct call c = timed_call("uac");

	world_sleep(c.w, 80 * SEC);
	world_reply(c.w, world_expect_out(c.w, "UPDATE"), 200,
		"Contact: <sip:bob@192.0.2.20>\nSession-Expires: 90;refresher=uac\n");
	world_settle(c.w);
	world_expect_silence(c.w, 40 * SEC);
	ck_assert_int_eq(c.s->state, SESSION_ESTABLISHED);
	call_finish(&c);
}
END_TEST

RUN_TESTS("network", moves_over_udp, moves_over_tcp, moves_over_tls, moves_with_the_next_message,
	both_flows_move, away, begins_without_network, nobody_tells, back_off_begins_anew,
	session_moves, session_waits_for_network, session_follows_registration, resumes_registered,
	session_ran_out, session_is_refreshed_late)
