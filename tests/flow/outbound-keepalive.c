/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Keep-alives and what follows when they fail (RFC 5626 sections 4.4 and 4.5, RFC 6223). */
#include <check.h>

#include "protocol/ua/keepalive.h"
#include "protocol/ua/registration-flows.h"
#include "tests/flow/scene.h"
#include "tests/support/run.h"
#include "tests/support/world-keepalive.h"
#include "tests/support/world-net.h"

#define OUTBOUND "Require: outbound\nContact: {contact};expires=3600\n"

static struct scene registered(enum transport transport, const char *headers)
{
	struct world_account a = scene_alice;
	struct scene s;

	a.transport = transport;
	s = scene_new(&a);
	world_pings(s.w)->answered = true;
	scene_registered(&s, headers);
	return s;
}

/* Time passes until one more came; how long that took. */
static usec_t wait_ping(const struct scene *s, usec_t limit)
{
	size_t n = world_pings(s->w)->n;
	usec_t begin = world_now(s->w);

	while (world_pings(s->w)->n == n && world_now(s->w) < begin + limit)
		world_run(s->w, SEC / 10);
	ck_assert_uint_eq(world_pings(s->w)->n, n + 1);
	return world_pings(s->w)->last - begin;
}

/* Section 4.5: whether the flow is a success is asked soon, not after a whole interval */
static void expect_proof(const struct scene *s)
{
	ck_assert_uint_le(wait_ping(s, 3 * SEC), 2 * SEC);
}

/* Sections 4.4, 4.4.1 and 4.4.2: as often as Flow-Timer says, or keep, or else the defaults */
START_TEST(rfc5626_4_4_interval)
{
	static const struct {
		enum transport transport;
		const char *headers;
		usec_t low, high;
	} rows[] = {
		{ TRANSPORT_TCP, OUTBOUND, 95, 120 },
		{ TRANSPORT_UDP, OUTBOUND, 24, 29 },
		{ TRANSPORT_TCP, OUTBOUND "Flow-Timer: 50\n", 40, 50 },
		{ TRANSPORT_UDP, OUTBOUND "Flow-Timer: 100\n", 80, 100 },
		{ TRANSPORT_UDP,
			"Contact: {contact};expires=3600\n"
			"Supported: path\nPath: <sip:edge.example.com;lr;ob>\n",
			24, 29 },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct scene s = registered(rows[i].transport, rows[i].headers);
		usec_t first, second;

		expect_proof(&s);
		first = wait_ping(&s, 200 * SEC);
		ck_assert_uint_ge(first + SEC / 5, rows[i].low * SEC);
		ck_assert_uint_le(first, rows[i].high * SEC + SEC / 5);
		second = wait_ping(&s, 200 * SEC);
		ck_assert_uint_ge(second + SEC / 5, rows[i].low * SEC);
		ck_assert_uint_le(second, rows[i].high * SEC + SEC / 5);
		ck_assert_uint_ne(first, second); /* drawn anew each time */
		ck_assert(keepalive_is_proven(s.r->flow));
		scene_finish(&s);
	}
}
END_TEST

/* Section 8: nobody who did not ask for it is sent STUN; the host is left to ping connections */
START_TEST(rfc5626_8_not_asked_for)
{
	static const enum transport transports[] = { TRANSPORT_UDP, TRANSPORT_TCP };

	for (size_t i = 0; i < ARRAY_LEN(transports); i++) {
		struct scene s = registered(
			transports[i], "Contact: {contact};expires=3600\nFlow-Timer: 9\n");

		ck_assert(!s.r->flow->kept);
		world_expect_silence(s.w, 300 * SEC);
		ck_assert_uint_eq(world_pings(s.w)->n, 0);
		scene_finish(&s);
	}
}
END_TEST

/* RFC 6223 sections 4.3 and 5: a value of keep in the Via of the answer */
START_TEST(rfc6223_4_3_keep)
{
	static const struct {
		const char *value;
		usec_t low, high;
	} rows[] = { { "keep=30", 24, 30 }, { "keep=0", 24, 29 } };

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct scene s = scene_new(&scene_alice);
		struct buf b = BUF_NULL;
		const struct msg *m;
		usec_t first;

		world_pings(s.w)->answered = true;
		scene_start(&s);
		m = world_expect_out(s.w, "REGISTER");
		buf_printf(&b,
			"SIP/2.0 200 OK\nVia: SIP/2.0/UDP 192.0.2.10:5060;branch=%.*s;%s\n"
			"From: <sip:alice@example.com>;tag=%.*s\nTo: <sip:alice@example.com>;tag=z\n"
			"Call-ID: %.*s\nCSeq: %u REGISTER\nContact: {contact};expires=3600\n"
			"Content-Length: 0\n\n",
			SLICE_ARGS(m->via.branch), rows[i].value, SLICE_ARGS(m->from_tag),
			SLICE_ARGS(m->call_id), m->cseq);
		buf_putc(&b, '\0');
		world_in(s.wu, "udp:192.0.2.1:5060", b.p);
		buf_deinit(&b);
		world_settle(s.w);
		ck_assert_int_eq(s.r->state, REGISTRATION_REGISTERED);
		expect_proof(&s);
		first = wait_ping(&s, 60 * SEC);
		ck_assert_uint_ge(first + SEC / 5, rows[i].low * SEC);
		ck_assert_uint_le(first, rows[i].high * SEC + SEC / 5);
		world_free(s.w);
	}
}
END_TEST

/* The flow is a success; from now on no keep-alive is answered. */
static void answered_no_more(const struct scene *s)
{
	(void)wait_ping(s, 200 * SEC);
	world_run(s->w, SEC);
	ck_assert(keepalive_is_proven(s->r->flow));
	world_pings(s->w)->answered = false;
}

/* At once, as after any flow that was a success (section 4.5). */
static void comes_back(struct scene *s)
{
	world_reply(s->w, scene_next(s, 3 * SEC), 200, OUTBOUND);
	world_settle(s->w);
	ck_assert_int_eq(s->r->state, REGISTRATION_REGISTERED);
	scene_finish(s);
}

/* Section 4.4.1: ten seconds for the pong; then the flow is dead and registered anew */
START_TEST(rfc5626_4_4_1_no_pong)
{
	struct scene s = registered(TRANSPORT_TCP, OUTBOUND);
	usec_t asked;

	answered_no_more(&s);
	(void)wait_ping(&s, 200 * SEC);
	asked = world_pings(s.w)->last;
	world_run(s.w, asked + 10 * SEC - world_now(s.w) - 1);
	ck_assert_int_eq(s.r->state, REGISTRATION_REGISTERED);
	world_run(s.w, 2);
	ck_assert_int_eq(s.r->state, REGISTRATION_WAITING);
	comes_back(&s);
}
END_TEST

/* RFC 5626 4.4.2 and RFC 8489 6.2.1: seven requests, 39.5 s, the same id */
START_TEST(rfc5626_4_4_2_no_answer)
{
	struct scene s = registered(TRANSPORT_UDP, OUTBOUND);
	size_t n;

	answered_no_more(&s);
	n = world_pings(s.w)->n;
	(void)wait_ping(&s, 60 * SEC);
	world_run(s.w, 39 * SEC);
	ck_assert_int_eq(s.r->state, REGISTRATION_REGISTERED);
	ck_assert_uint_eq(world_pings(s.w)->n, n + 7);
	world_run(s.w, SEC);
	ck_assert_int_eq(s.r->state, REGISTRATION_WAITING);
	comes_back(&s);
}
END_TEST

/* Section 4.4.2: another mapped address, or an error, and the flow has failed */
START_TEST(rfc5626_4_4_2_mapped_address_changes)
{
	for (int i = 0; i < 2; i++) {
		struct scene s = registered(TRANSPORT_UDP, OUTBOUND);

		(void)wait_ping(&s, 60 * SEC);
		(void)wait_ping(&s, 60 * SEC);
		world_run(s.w, SEC);
		ck_assert_int_eq(s.r->state, REGISTRATION_REGISTERED);
		if (i)
			world_pings(s.w)->refused = true;
		else
			world_pings(s.w)->mapped = "203.0.113.99";
		(void)wait_ping(&s, 60 * SEC);
		comes_back(&s);
	}
}
END_TEST

/* Section 4.5: a flow on which no keep-alive was ever answered is no success: pauses grow */
START_TEST(rfc5626_4_5_never_answered)
{
	struct scene s = registered(TRANSPORT_TCP, OUTBOUND);
	usec_t bound = 60;

	world_pings(s.w)->answered = false;
	for (unsigned n = 1; n <= 3; n++) {
		usec_t pause;

		while (s.r->state == REGISTRATION_REGISTERED)
			world_run(s.w, SEC / 10);
		ck_assert_uint_eq(s.r->failures, n);
		pause = s.r->next_attempt - s.wu->ua->timers.now;
		ck_assert_uint_ge(pause + SEC, bound * SEC / 2);
		ck_assert_uint_le(pause, bound * SEC);
		bound *= 2;
		world_reply(s.w, scene_next(&s, HOUR), 200, OUTBOUND);
		world_settle(s.w);
	}
	/* Until one is. */
	world_pings(s.w)->answered = true;
	(void)wait_ping(&s, 200 * SEC);
	world_run(s.w, 60 * SEC); /* nor one of a series that breaks at once */
	world_cut_flow(s.wu, s.r->flow);
	ck_assert_uint_le(s.r->next_attempt - s.wu->ua->timers.now, 2 * SEC);
	world_free(s.w);
}
END_TEST

/* RFC 6223 4.2.2: what a refresh does not negotiate again ceases */
START_TEST(rfc6223_4_2_2_ceases)
{
	struct scene s = registered(TRANSPORT_UDP, OUTBOUND);

	ck_assert_ptr_nonnull(s.r->flow->keepalive);
	scene_registered(&s, "Contact: {contact};expires=3600\n");
	ck_assert_ptr_null(s.r->flow->keepalive);
	ck_assert(!s.r->flow->kept);
	scene_finish(&s);
}
END_TEST

/* Section 8: who keeps us alive is answered, whether we know it or not */
START_TEST(rfc5626_8_peers_are_answered)
{
	struct world *w = world_new(1);
	struct world_ua *one = world_ua(w, "192.0.2.10"), *two = world_ua(w, "2001:db8::2");
	struct world_account a = scene_alice;
	struct endpoint *ep = world_endpoint(one, &a);
	struct host_target t = { .transport = TRANSPORT_UDP, .addr = { "192.0.2.10", 5060 } };
	struct flow *f = flow_ref(two->host.ops->open(two, &t));

	(void)ep;
	keepalive_start(two->ua, f, 20);
	world_run(w, 25 * SEC);
	ck_assert(keepalive_is_proven(f));
	keepalive_stop(f);
	flow_unref(f);
	world_free(w);
}
END_TEST

/* What a peer sends unasked changes nothing */
START_TEST(strange_answers)
{
	struct scene s = registered(TRANSPORT_UDP, OUTBOUND);
	struct flow *f = s.r->flow;

	ua_pong(s.wu->ua, f);
	ua_stun(s.wu->ua, f, SLICE("\1\1\0\0\x21\x12\xa4\x42zzzzzzzzzzzz"));
	ua_stun(s.wu->ua, f, SLICE("\1\x11\0\0\x21\x12\xa4\x42zzzzzzzzzzzz"));
	ua_stun(s.wu->ua, f, SLICE("\1"));
	ck_assert(!keepalive_is_proven(f));
	ck_assert_int_eq(s.r->state, REGISTRATION_REGISTERED);
	scene_finish(&s);
}
END_TEST

RUN_TESTS("outbound-keepalive", rfc5626_4_4_interval, rfc5626_8_not_asked_for, rfc6223_4_3_keep,
	rfc5626_4_4_1_no_pong, rfc5626_4_4_2_no_answer, rfc5626_4_4_2_mapped_address_changes,
	rfc5626_4_5_never_answered, rfc6223_4_2_2_ceases, rfc5626_8_peers_are_answered,
	strange_answers)
