/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A subscriber's dialog: shared, lost, moved, too many of them (RFC 6665 section 4.5, RFC 5057). */
#include <check.h>
#include <stdio.h>
#include <string.h>

#include "protocol/base/err.h"
#include "protocol/ua/incoming.h"
#include "protocol/ua/limits.h"
#include "tests/flow/subscribed.h"
#include "tests/support/run.h"
#include "tests/support/world-session.h"

#define BOTH (SUBSCRIBER_CHANGE_STATE | SUBSCRIBER_CHANGE_EXPIRES)

static void gone(struct subscribed *c, const char *reason, enum origin origin)
{
	world_expect_subscriber_changed(c->wu, SUBSCRIBER_CHANGE_STATE);
	world_expect_subscriber_removed(c->wu, reason, origin);
}

static void leave(struct subscribed *c, const char *body)
{
	ck_assert_int_eq(subscriber_finish(c->s, SLICE_NULL, 0), 0);
	subscribed_heard(c, "terminated;reason=noresource", body);
	gone(c, "noresource", ORIGIN_LOCAL);
}

static void discard(struct subscribed *c)
{
	world_free(c->w);
	free(c->to_tag);
	free(c->text);
}

/* ---- SUBSCRIBE again ---- */

START_TEST(rfc3261_17_2_2_retransmitted)
{
	struct subscribed c = subscribed_new();
	struct subscriber_body open = world_state(TYPE, "open");

	subscribed_comes(&c, "Event: presence\nExpires: 600\n");
	subscribed_repeats(&c);
	ck_assert_uint_eq(world_skip_out(c.w), 0);
	ck_assert_int_eq(subscriber_accept(c.s, SUBSCRIBER_ACCEPT, 0, &open), 0);
	(void)subscribed_expect(&c, "200");
	subscribed_heard(&c, "active;expires=600", "open");
	world_expect_subscriber_changed(c.wu, BOTH);
	subscribed_repeats(&c);
	(void)subscribed_expect(&c, "200");
	world_expect_silence(c.w, 1 * SEC);
	leave(&c, "open");
	subscribed_finish(&c);
}
END_TEST

/* RFC 3261 12.2.2: the number counts, whatever it is for. */
START_TEST(rfc3261_12_2_2_out_of_order)
{
	struct subscribed c = subscribed_new();

	subscribed_active(&c, "open");
	c.cseq = 10;
	subscribed_sends(&c, "SUBSCRIBE", "Event: presence\nExpires: 600\n");
	(void)subscribed_expect(&c, "200");
	subscribed_heard(&c, "active;expires=600", "open");
	world_expect_subscriber_changed(c.wu, SUBSCRIBER_CHANGE_EXPIRES);
	c.cseq = 4;
	subscribed_sends(&c, "SUBSCRIBE", "Event: presence\nExpires: 0\n");
	ck_assert_uint_gt(msg_header(subscribed_expect(&c, "500"), HDR_RETRY_AFTER).n, 0);
	ck_assert_uint_eq(subscriber_state(c.s), SUBSCRIBER_ACTIVE);
	leave(&c, "open");
	subscribed_finish(&c);
}
END_TEST

/* RFC 3261 12.2.2: a target refresh request; the filter in it is for whoever serves the package. */
START_TEST(rfc6665_4_2_1_4_target_and_filter)
{
	struct subscribed c = subscribed_new();
	const struct msg *m;

	subscribed_active(&c, "open");
	subscribed_sends(&c, "SUBSCRIBE",
		"Event: presence\nExpires: 600\nContact: <sip:bob@192.0.2.21>\n"
		"Content-Type: application/simple-filter+xml\n\nfilter");
	(void)subscribed_expect(&c, "200");
	world_expect_subscriber_changed(c.wu, SUBSCRIBER_CHANGE_EXPIRES);
	world_expect_subscriber_news(c.wu, SUBSCRIBER_NEW_BODY);
	m = subscribed_hears(&c, "active;expires=600", "open");
	ck_assert(slice_eq(m->request_uri, SLICE("sip:bob@192.0.2.21")));
	world_reply(c.w, m, 200, NULL);
	leave(&c, "open");
	subscribed_finish(&c);
}
END_TEST

/* It crossed the last NOTIFY (4.2.1.4): no other subscription begins. */
START_TEST(refresh_after_the_end)
{
	struct subscribed c = subscribed_new();
	const struct msg *m;

	subscribed_active(&c, "open");
	ck_assert_int_eq(subscriber_finish(c.s, SLICE_NULL, 0), 0);
	m = subscribed_hears(&c, "terminated;reason=noresource", "open");
	subscribed_sends(&c, "SUBSCRIBE", "Event: presence\nExpires: 600\n");
	(void)subscribed_expect(&c, "481");
	world_reply(c.w, m, 200, NULL);
	world_settle(c.w);
	gone(&c, "noresource", ORIGIN_LOCAL);
	/* And when nothing is left of it. */
	subscribed_sends(&c, "SUBSCRIBE", "Event: presence\nExpires: 600\n");
	(void)subscribed_expect(&c, "481");
	subscribed_finish(&c);
}
END_TEST

/* 4.6: CANCEL changes nothing. */
START_TEST(rfc6665_4_6_cancel)
{
	struct subscribed c = subscribed_new();
	struct subscriber_body open = world_state(TYPE, "open");

	subscribed_comes(&c, "Event: presence\nExpires: 600\n");
	world_in(c.wu, c.from,
		"CANCEL {contact} SIP/2.0\nVia: SIP/2.0/UDP {peer};branch=z9hG4bK-1-1;rport\n"
		"Max-Forwards: 70\nFrom: \"Bob\" <sip:bob@192.0.2.20>;tag=bob\n"
		"To: <sip:alice@192.0.2.1>\nCall-ID: sub-1\nCSeq: 1 CANCEL\n\n");
	world_settle(c.w);
	ck_assert_uint_eq(world_skip_out(c.w), 1);
	world_expect_no_subscriber(c.wu);
	ck_assert_int_eq(subscriber_accept(c.s, SUBSCRIBER_ACCEPT, 0, &open), 0);
	(void)subscribed_expect(&c, "200");
	subscribed_heard(&c, "active;expires=600", "open");
	world_expect_subscriber_changed(c.wu, BOTH);
	leave(&c, "open");
	subscribed_finish(&c);
}
END_TEST

/* ---- one dialog for several ---- */

/* 4.5.2: told apart by event and id, each with an expiry of its own. */
START_TEST(rfc6665_4_5_2_several)
{
	struct subscribed c = subscribed_new();
	struct subscriber_body two = world_state(TYPE, "two");
	struct subscriber *first;
	const struct msg *m;

	subscribed_active(&c, "one");
	first = c.s;
	subscribed_sends(&c, "SUBSCRIBE", "Event: presence;id=2\nExpires: 300\n");
	c.s = world_expect_subscriber(c.wu);
	/* The same before it is decided. */
	subscribed_sends(&c, "SUBSCRIBE", "Event: presence;id=2\nExpires: 300\n");
	ck_assert_uint_gt(msg_header(subscribed_expect(&c, "500"), HDR_RETRY_AFTER).n, 0);
	ck_assert_int_eq(subscriber_accept(c.s, SUBSCRIBER_ACCEPT, 0, &two), 0);
	ck_assert_uint_eq(world_expect_out(c.w, "200")->cseq, 2);
	m = subscribed_hears(&c, "active;expires=300", "two");
	subscribed_check(m, HDR_EVENT, "presence;id=2");
	world_reply(c.w, m, 200, NULL);
	world_expect_subscriber_changed(c.wu, BOTH);
	world_run(c.w, 300 * SEC);
	subscribed_heard(&c, "terminated;reason=timeout", "two");
	gone(&c, "timeout", ORIGIN_TIMEOUT);
	c.s = first;
	subscribed_tell(&c, "still there");
	m = subscribed_hears(&c, "active;expires=300", "still there");
	subscribed_check(m, HDR_EVENT, "presence");
	world_reply(c.w, m, 200, NULL);
	leave(&c, "still there");
	subscribed_finish(&c);
}
END_TEST

/* RFC 5057 5.1: a 404 is the end of the dialog, and so of both. */
START_TEST(rfc5057_5_1_dialog_over)
{
	struct subscribed c = subscribed_new();

	subscribed_active(&c, "one");
	subscribed_sends(&c, "SUBSCRIBE", "Event: presence;id=2\nExpires: 600\n");
	c.s = world_expect_subscriber(c.wu);
	ck_assert_int_eq(subscriber_accept(c.s, SUBSCRIBER_ACCEPT, 0, NULL), 0);
	(void)subscribed_expect(&c, "200");
	world_reply(c.w, subscribed_hears(&c, "active;expires=600", ""), 404, NULL);
	world_settle(c.w);
	ck_assert_uint_eq(c.wu->n_subscribers, 0);
	world_subscriber_free_told(c.wu);
	subscribed_finish(&c);
}
END_TEST

/* 4.5.2: in the dialog of a session, which it outlives. */
START_TEST(rfc6665_4_5_2_in_a_session)
{
	struct subscribed c = subscribed_new();
	struct subscriber_body open = world_state(TYPE, "open");
	struct session_body answer = world_sdp("answer");
	struct session *s;
	const struct msg *m;

	c.n_calls = 1;
	subscribed_sends(&c, "INVITE", "Content-Type: application/sdp\n\noffer");
	s = world_expect_session(c.wu);
	ck_assert_int_eq(session_accept(s, &answer, NULL), 0);
	m = world_expect_out(c.w, "200");
	c.to_tag = slice_dup(m->to_tag);
	c.cseq--;
	subscribed_sends(&c, "ACK", "");
	(void)world_expect_event(c.wu, UA_SESSION_ESTABLISHED);
	subscribed_sends(&c, "SUBSCRIBE", "Event: kpml\nExpires: 600\n");
	c.s = world_expect_subscriber(c.wu);
	ck_assert_int_eq(subscriber_accept(c.s, SUBSCRIBER_ACCEPT, 0, &open), 0);
	(void)subscribed_expect(&c, "200");
	subscribed_heard(&c, "active;expires=600", "open");
	world_expect_subscriber_changed(c.wu, BOTH);
	subscribed_sends(&c, "BYE", "");
	ck_assert_int_eq(world_expect_out(c.w, "200")->cseq_method, METHOD_BYE);
	(void)world_expect_terminated(c.wu, 200, ORIGIN_REMOTE);
	subscribed_tell(&c, "busy");
	subscribed_heard(&c, "active;expires=600", "busy");
	leave(&c, "busy");
	subscribed_finish(&c);
}
END_TEST

/* RFC 5057 5.1: the session's dialog is over before anybody decided; a transaction has an answer.
 */
START_TEST(rfc5057_5_1_undecided_in_a_session)
{
	struct subscribed c = subscribed_new();
	struct session_body answer = world_sdp("answer");
	struct session *s;
	const struct msg *m;

	c.n_calls = 1;
	subscribed_sends(&c, "INVITE", "Content-Type: application/sdp\n\noffer");
	s = world_expect_session(c.wu);
	ck_assert_int_eq(session_accept(s, &answer, NULL), 0);
	m = world_expect_out(c.w, "200");
	c.to_tag = slice_dup(m->to_tag);
	c.cseq--;
	subscribed_sends(&c, "ACK", "");
	(void)world_expect_event(c.wu, UA_SESSION_ESTABLISHED);
	subscribed_sends(&c, "SUBSCRIBE", "Event: kpml\nExpires: 600\n");
	c.s = world_expect_subscriber(c.wu);
	ck_assert_int_eq(session_info(s, SLICE_NULL, &answer, NULL, NULL), 0);
	world_reply(c.w, world_expect_out(c.w, "INFO"), 404, NULL);
	world_settle(c.w);
	(void)subscribed_expect(&c, "481");
	gone(&c, "Not Found", ORIGIN_REMOTE);
	(void)world_expect_terminated(c.wu, 404, ORIGIN_REMOTE);
	subscribed_finish(&c);
}
END_TEST

/* ---- flows ---- */

START_TEST(connection_breaks)
{
	struct subscribed c = subscribed_new();
	const struct msg *m;

	c.from = "tcp:192.0.2.20:5060";
	subscribed_active(&c, "open");
	world_cut(c.wu);
	world_settle(c.w);
	subscribed_tell(&c, "busy");
	m = subscribed_hears(&c, "active;expires=600", "busy");
	ck_assert(slice_starts(msg_header(m, HDR_VIA), SLICE("SIP/2.0/TCP")));
	world_reply(c.w, m, 200, NULL);
	leave(&c, "busy");
	subscribed_finish(&c);
}
END_TEST

/* RFC 3261 12.2: NOTIFY says where we are now. */
START_TEST(rfc3261_12_2_we_move)
{
	struct subscribed c = subscribed_new();
	const struct msg *m;

	subscribed_active(&c, "open");
	world_move(c.wu, "192.0.2.11");
	m = world_wait_out(c.w, "NOTIFY", 10 * SEC);
	ck_assert(slice_eq(m->contact.uri.host, SLICE("192.0.2.11")));
	ck_assert(slice_eq(m->body, SLICE("open")));
	world_reply(c.w, m, 200, NULL);
	/* To send it was to notice that the registration is of another place. */
	world_reply(
		c.w, world_expect_out(c.w, "REGISTER"), 200, "Contact: {contact};expires=360000\n");
	world_settle(c.w);
	leave(&c, "open");
	endpoint_free(c.ep);
	discard(&c);
}
END_TEST

/* ---- the end of the endpoint ---- */

/* RFC 6665 4.1.3: a daemon that stops comes back, perhaps. Nobody answers: in bounded time. */
START_TEST(daemon_stops)
{
	struct subscribed c = subscribed_new();

	subscribed_active(&c, "open");
	ua_stop(c.wu->ua);
	(void)subscribed_hears(&c, "terminated;reason=probation;retry-after=30", "open");
	world_reply(c.w, world_expect_out(c.w, "REGISTER"), 200, NULL);
	world_run(c.w, 64 * TIMER_T1);
	(void)world_skip_out(c.w);
	gone(&c, "endpoint closed", ORIGIN_LOCAL);
	ck_assert(ua_is_stopped(c.wu->ua));
	discard(&c);
}
END_TEST

START_TEST(undecided_when_it_closes)
{
	struct subscribed c = subscribed_new();

	subscribed_comes(&c, "Event: presence\n");
	endpoint_close(c.ep);
	(void)subscribed_expect(&c, "480");
	world_reply(c.w, world_expect_out(c.w, "REGISTER"), 200, NULL);
	world_settle(c.w);
	gone(&c, "Temporarily Unavailable", ORIGIN_LOCAL);
	ck_assert_uint_eq(world_count_news(c.wu, WORLD_REMOVED), 1);
	discard(&c);
}
END_TEST

static void free_endpoint(struct world_ua *wu, struct subscriber *s)
{
	(void)wu;
	endpoint_free(subscriber_endpoint(s));
}

static void free_at_end(struct world_ua *wu, struct subscriber *s, const struct subscriber_end *end)
{
	ck_assert_uint_gt(end->reason.n, 0);
	free_endpoint(wu, s);
}

START_TEST(freed_in_a_callback)
{
	static const struct world_subscriber_hooks at_begin = { .incoming = free_endpoint };
	static const struct world_subscriber_hooks at_end = { .removed = free_at_end };
	struct subscribed c = subscribed_new();

	c.wu->subscribers = &at_begin;
	subscribed_asks(&c, "Event: presence\n");
	ck_assert_uint_eq(c.wu->ua->n_endpoints, 0);
	ck_assert_uint_eq(c.wu->ua->n_subscribers, 0);
	discard(&c);

	c = subscribed_new();
	c.wu->subscribers = &at_end;
	subscribed_comes(&c, "Event: presence\n");
	ck_assert_int_eq(subscriber_reject(c.s, 403, SLICE_NULL), 0);
	ck_assert_uint_eq(c.wu->ua->n_endpoints, 0);
	world_settle(c.w);
	discard(&c);
}
END_TEST

/* ---- limits ---- */

START_TEST(as_many_as_may_be)
{
	struct subscribed c = subscribed_new();
	const struct msg *m;

	world_hush(c.w);
	for (unsigned i = 0; i < LIMITS_SUBSCRIBERS_PER_ENDPOINT; i++)
		subscribed_asks(&c, "Event: presence\n");
	ck_assert_uint_eq(c.ep->n_subscribers, LIMITS_SUBSCRIBERS_PER_ENDPOINT);
	ck_assert_uint_eq(world_skip_out(c.w), 0);
	subscribed_asks(&c, "Event: presence\n");
	m = subscribed_expect(&c, "503");
	ck_assert_uint_gt(msg_header(m, HDR_RETRY_AFTER).n, 0);
	endpoint_free(c.ep);
	ck_assert_uint_eq(c.wu->ua->n_subscribers, 0);
	discard(&c);
}
END_TEST

START_TEST(as_many_as_may_be_in_all)
{
	struct subscribed c = subscribed_new();

	ck_assert_uint_eq(c.wu->ua->max_subscribers, LIMITS_SUBSCRIBERS);
	c.wu->ua->max_subscribers = 1;
	subscribed_active(&c, "open");
	subscribed_asks(&c, "Event: presence\n");
	(void)subscribed_expect(&c, "503");
	ck_assert_int_eq(subscriber_finish(c.s, SLICE_NULL, 0), 0);
	world_reply(c.w, world_expect_out(c.w, "NOTIFY"), 200, NULL);
	world_settle(c.w);
	gone(&c, "noresource", ORIGIN_LOCAL);
	subscribed_active(&c, "open");
	leave(&c, "open");
	subscribed_finish(&c);
}
END_TEST

/* A peer-to-peer endpoint has no subscribers: 489, unless an agent has another answer. */
START_TEST(peer_to_peer)
{
	static const struct world_account peer = { .id = "alice", .domain = "192.0.2.10" };
	struct world *w = world_new(1);
	struct world_ua *wu = world_ua(w, "192.0.2.10");

	(void)world_endpoint(wu, &peer);
	world_in(wu, "udp:192.0.2.20:5060",
		"SUBSCRIBE sip:alice@192.0.2.10 SIP/2.0\n"
		"Via: SIP/2.0/UDP {peer};branch=z9hG4bK{n};rport\nMax-Forwards: 70\n"
		"From: <sip:bob@192.0.2.20>;tag=bob\nTo: <sip:alice@192.0.2.10>\n"
		"Call-ID: 1\nCSeq: 1 SUBSCRIBE\nContact: <sip:bob@192.0.2.20>\n"
		"Event: presence\n\n");
	world_settle(w);
	incoming_pass(world_expect_incoming(wu));
	(void)world_expect_out(w, "489");
	ck_assert_uint_eq(wu->ua->n_subscribers, 0);
	world_free(w);
}
END_TEST

RUN_TESTS("subscriber-dialog", rfc3261_17_2_2_retransmitted, rfc3261_12_2_2_out_of_order,
	rfc6665_4_2_1_4_target_and_filter, refresh_after_the_end, rfc6665_4_6_cancel,
	rfc6665_4_5_2_several, rfc5057_5_1_dialog_over, rfc6665_4_5_2_in_a_session,
	rfc5057_5_1_undecided_in_a_session, connection_breaks, rfc3261_12_2_we_move, daemon_stops,
	undecided_when_it_closes, freed_in_a_callback, as_many_as_may_be, as_many_as_may_be_in_all,
	peer_to_peer)
