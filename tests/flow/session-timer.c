/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Session timers, RFC 4028: alice, and a scripted peer at 192.0.2.20 that is called or calls. */
#include <check.h>
#include <inttypes.h>
#include <stdio.h>

#include "protocol/ua/session-view.h"
#include "tests/support/exact.h"
#include "tests/support/run.h"
#include "tests/support/world-peer.h"
#include "tests/support/world-session.h"

#define SEC USEC_PER_SEC
#define MSEC USEC_PER_MSEC
#define PEER "udp:192.0.2.20:5060"
#define SUPPORTED "Supported: timer\n"
#define UPDATES "Allow: INVITE, ACK, BYE, CANCEL, UPDATE\n"
#define NO_UPDATES "Allow: INVITE, ACK, BYE, CANCEL\n"
#define ANSWER "Content-Type: application/sdp\nContent-Length: {length}\n\nv=0 peer"

struct timers {
	struct world *w;
	struct world_ua *wu;
	struct endpoint *ep;
	struct session *s;
	char call_id[64], ours[64], theirs[64]; /* tags */
	unsigned cseq;                          /* of the peer */
	usec_t began;                           /* the last 2xx */
};

static struct timers start(void)
{
	static const struct world_account alice = { .id = "alice", .domain = "example.com" };
	struct timers t = { .w = world_new(1), .cseq = 1 };

	*world_net(t.w) = (struct world_net){ .delay = 0 };
	t.wu = world_ua(t.w, "192.0.2.10");
	t.ep = world_endpoint(t.wu, &alice);
	return t;
}

/* Nothing may be left once the late could not come any more. */
static void finish(struct timers *t)
{
	world_expect_silence(t->w, 40 * SEC);
	ck_assert_uint_eq(t->wu->n_sessions, 0);
	world_expect_idle(t->wu);
	world_free(t->w);
}

static void keep(char *out, struct slice s)
{
	(void)snprintf(out, 64, "%.*s", SLICE_ARGS(s));
}

static void assert_header(const struct msg *m, const char *name, const char *value)
{
	assert_slice(msg_header_named(m, slice_str(name)), value ? value : "");
}

/* ---- alice calls ---- */

static const struct msg *call(struct timers *t)
{
	const struct session_spec spec = {
		.target = SLICE("sip:peer@192.0.2.20"),
		.offer = world_sdp("v=0 alice"),
	};
	const char *why;
	const struct msg *m;

	ck_assert_int_eq(session_new(t->ep, &spec, &t->s, &why), 0);
	m = world_expect_out(t->w, "INVITE");
	ck_assert(msg_has_token(m, HDR_SUPPORTED, SLICE("timer")));
	return m;
}

static void answered(struct timers *t, const struct msg *invite, const char *lines)
{
	const struct msg *ack;
	char text[512];

	(void)snprintf(text, sizeof(text), "Contact: <sip:peer@192.0.2.20>\n%s%s", lines, ANSWER);
	world_reply(t->w, invite, 200, text);
	ack = world_expect_out(t->w, "ACK");
	world_expect_event(t->wu, UA_SESSION_ESTABLISHED);
	keep(t->call_id, ack->call_id);
	keep(t->ours, ack->from_tag);
	keep(t->theirs, ack->to_tag);
	t->began = world_now(t->w);
}

static struct timers called(const char *lines)
{
	struct timers t = start();

	answered(&t, call(&t), lines);
	return t;
}

/* ---- the peer calls ---- */

static struct timers calling(const char *lines)
{
	struct timers t = start();
	char text[512];

	(void)snprintf(text, sizeof(text),
		"INVITE {contact} SIP/2.0\nVia: SIP/2.0/UDP {peer};branch=z9hG4bK{n}\n"
		"From: <sip:peer@192.0.2.20>;tag=peer\nTo: <sip:alice@example.com>\n"
		"Call-ID: c1\nCSeq: 1 INVITE\nMax-Forwards: 70\n"
		"Contact: <sip:peer@192.0.2.20>\n%s" ANSWER,
		lines);
	world_in(t.wu, PEER, text);
	keep(t.call_id, SLICE("c1"));
	keep(t.theirs, SLICE("peer"));
	return t;
}

/* A request of the peer's in the dialog; body and headers are lines. */
static void peer_sends(struct timers *t, const char *method, const char *lines)
{
	char text[1024];

	if (strcmp(method, "ACK") != 0)
		t->cseq++;
	(void)snprintf(text, sizeof(text),
		"%s {contact} SIP/2.0\nVia: SIP/2.0/UDP {peer};branch=z9hG4bK{n}\n"
		"From: <sip:peer@192.0.2.20>;tag=%s\nTo: <sip:alice@example.com>;tag=%s\n"
		"Call-ID: %s\nCSeq: %u %s\nMax-Forwards: 70\n"
		"Contact: <sip:peer@192.0.2.20>\n%s%s",
		method, t->theirs, t->ours, t->call_id, t->cseq, method, lines,
		strstr(lines, "\n\n") ? "" : "Content-Length: 0\n\n");
	world_in(t->wu, PEER, text);
}

/* Accepts what the peer asked for; returns the 200. */
static const struct msg *accept_call(struct timers *t)
{
	const struct session_body answer = world_sdp("v=0 alice");
	const struct msg *ok;

	world_settle(t->w);
	(void)world_skip_out(t->w);
	t->s = world_expect_session(t->wu);
	ck_assert_int_eq(session_accept(t->s, &answer, &(struct session_headers){ 0 }), 0);
	ok = world_expect_out(t->w, "200");
	keep(t->ours, ok->to_tag);
	t->began = world_now(t->w);
	peer_sends(t, "ACK", "");
	world_settle(t->w);
	world_expect_event(t->wu, UA_SESSION_ESTABLISHED);
	return ok;
}

/* ---- moments ---- */

/* The next message of alice comes so long after the last 2xx, and nothing before. */
static const struct msg *at(struct timers *t, usec_t after, const char *what)
{
	world_expect_silence(t->w, t->began + after - 1 - world_now(t->w));
	world_run(t->w, 1);
	return world_expect_out(t->w, what);
}

static void assert_expired(struct timers *t, usec_t after)
{
	const struct msg *bye = at(t, after, "BYE");

	assert_header(bye, "Reason", "SIP;cause=408;text=\"Session Expired\"");
	world_reply(t->w, bye, 200, NULL);
	world_settle(t->w);
	world_expect_terminated(t->wu, 0, ORIGIN_TIMEOUT);
	finish(t);
}

static void hang_up(struct timers *t)
{
	ck_assert_int_eq(session_terminate(t->s, NULL), 0);
	world_reply(t->w, world_expect_out(t->w, "BYE"), 200, NULL);
	world_settle(t->w);
	world_expect_event(t->wu, UA_SESSION_TERMINATED);
	finish(t);
}

static void assert_timer(const struct timers *t, uint32_t expires, const char *refresher)
{
	ck_assert_uint_eq(session_expires(t->s), expires);
	ck_assert_str_eq(session_refresher(t->s), refresher);
}

/* ---- we refresh ---- */

START_TEST(refreshed_by_update_4028_7_4)
{
	struct timers t = called("Session-Expires: 600;refresher=uac\nRequire: timer\n" UPDATES);
	const struct msg *m;

	assert_timer(&t, 600, "local");
	for (unsigned i = 0; i < 3; i++) {
		m = at(&t, 300 * SEC, "UPDATE");
		assert_header(m, "Session-Expires", "600;refresher=uac");
		assert_header(m, "Min-SE", NULL);
		ck_assert(msg_has_token(m, HDR_SUPPORTED, SLICE("timer")));
		ck_assert_uint_eq(m->body.n, 0);
		world_reply(t.w, m, 200,
			"Contact: <sip:peer@192.0.2.20>\nRequire: timer\n"
			"Session-Expires: 600;refresher=uac\n");
		world_settle(t.w);
		t.began = world_now(t.w);
	}
	world_expect_no_event(t.wu);
	hang_up(&t);
}
END_TEST

/* A peer without UPDATE: the last description again. */
START_TEST(refreshed_by_invite_4028_7_4)
{
	struct timers t = called("Session-Expires: 600;refresher=uac\nRequire: timer\n" NO_UPDATES);
	const struct msg *m;

	for (unsigned i = 0; i < 2; i++) {
		m = at(&t, 300 * SEC, "INVITE");
		assert_header(m, "Session-Expires", "600;refresher=uac");
		assert_slice(m->body, "v=0 alice");
		world_reply(t.w, m, 200,
			"Contact: <sip:peer@192.0.2.20>\nRequire: timer\n"
			"Session-Expires: 600;refresher=uac\n" ANSWER);
		world_expect_out(t.w, "ACK");
		t.began = world_now(t.w);
	}
	world_expect_no_event(t.wu);
	hang_up(&t);
}
END_TEST

/* The answer to a refresh may turn the timer off, or the roles round. */
START_TEST(turned_off_in_the_middle_4028_7_2)
{
	struct timers t = called("Session-Expires: 600;refresher=uac\nRequire: timer\n" UPDATES);

	world_reply(t.w, at(&t, 300 * SEC, "UPDATE"), 200, "Contact: <sip:peer@192.0.2.20>\n");
	world_settle(t.w);
	assert_timer(&t, 0, "");
	world_expect_silence(t.w, 7200 * SEC);
	hang_up(&t);
}
END_TEST

START_TEST(roles_turned_round_4028_7_2)
{
	struct timers t = called("Session-Expires: 600;refresher=uac\nRequire: timer\n" UPDATES);

	world_reply(t.w, at(&t, 300 * SEC, "UPDATE"), 200,
		"Contact: <sip:peer@192.0.2.20>\nRequire: timer\n"
		"Session-Expires: 120;refresher=uas\n");
	world_settle(t.w);
	t.began = world_now(t.w);
	assert_timer(&t, 120, "remote");
	assert_expired(&t, 88 * SEC);
}
END_TEST

/* Refused for another reason: once more at three quarters, and then it is over. */
START_TEST(refresh_refused_4028_10)
{
	struct timers t = called("Session-Expires: 600;refresher=uac\nRequire: timer\n" UPDATES);

	world_reply(t.w, at(&t, 300 * SEC, "UPDATE"), 503, NULL);
	world_reply(t.w, at(&t, 450 * SEC, "UPDATE"), 503, NULL);
	assert_timer(&t, 600, "local");
	assert_expired(&t, 600 * SEC);
}
END_TEST

START_TEST(second_refresh_succeeds_4028_10)
{
	struct timers t = called("Session-Expires: 600;refresher=uac\nRequire: timer\n" UPDATES);

	world_reply(t.w, at(&t, 300 * SEC, "UPDATE"), 503, NULL);
	world_reply(t.w, at(&t, 450 * SEC, "UPDATE"), 200,
		"Contact: <sip:peer@192.0.2.20>\nSession-Expires: 600;refresher=uac\n");
	world_settle(t.w);
	t.began = world_now(t.w);
	world_reply(t.w, at(&t, 300 * SEC, "UPDATE"), 200,
		"Contact: <sip:peer@192.0.2.20>\nSession-Expires: 600;refresher=uac\n");
	hang_up(&t);
}
END_TEST

START_TEST(refresh_answered_481_4028_10)
{
	struct timers t = called("Session-Expires: 600;refresher=uac\nRequire: timer\n" UPDATES);

	world_reply(t.w, at(&t, 300 * SEC, "UPDATE"), 481, NULL);
	world_settle(t.w);
	(void)world_skip_out(t.w); /* a BYE may go, nobody has to answer it */
	world_expect_terminated(t.wu, 481, ORIGIN_REMOTE);
	finish(&t);
}
END_TEST

START_TEST(refresh_answered_408_4028_10)
{
	struct timers t = called("Session-Expires: 600;refresher=uac\nRequire: timer\n" UPDATES);

	world_reply(t.w, at(&t, 300 * SEC, "UPDATE"), 408, NULL);
	world_reply(t.w, world_expect_out(t.w, "BYE"), 200, NULL);
	world_settle(t.w);
	world_expect_terminated(t.wu, 408, ORIGIN_REMOTE);
	finish(&t);
}
END_TEST

/* Nobody answers at all: BYE when the transaction gives up, 64*T1 later. */
START_TEST(refresh_unanswered_4028_10)
{
	struct timers t = called("Session-Expires: 600;refresher=uac\nRequire: timer\n" UPDATES);

	(void)at(&t, 300 * SEC, "UPDATE");
	world_run(t.w, 32 * SEC - 1);
	while (world_skip_out(t.w))
		; /* retransmissions */
	world_run(t.w, 1);
	world_reply(t.w, world_expect_out(t.w, "BYE"), 200, NULL);
	world_settle(t.w);
	world_expect_terminated(t.wu, 0, ORIGIN_TIMEOUT);
	finish(&t);
}
END_TEST

/* ---- 422, section 7.3 ---- */

START_TEST(first_invite_too_small_4028_7_3)
{
	struct timers t = start();
	const struct msg *m = call(&t);
	uint32_t cseq = m->cseq;

	assert_header(m, "Session-Expires", "1800");
	assert_header(m, "Min-SE", NULL);
	keep(t.call_id, m->call_id);
	keep(t.ours, m->from_tag);
	world_reply(t.w, m, 422, "Min-SE: 2400\n");
	world_expect_out(t.w, "ACK");
	m = world_expect_out(t.w, "INVITE");
	assert_slice(m->call_id, t.call_id);
	assert_slice(m->from_tag, t.ours);
	ck_assert_uint_eq(m->cseq, cseq + 1);
	assert_header(m, "Session-Expires", "2400");
	assert_header(m, "Min-SE", "2400");
	/* the largest that was ever named, 7.4 */
	world_reply(t.w, m, 422, "Min-SE: 3600\n");
	world_expect_out(t.w, "ACK");
	m = world_expect_out(t.w, "INVITE");
	assert_header(m, "Session-Expires", "3600");
	assert_header(m, "Min-SE", "3600");
	answered(&t, m, "Session-Expires: 3600;refresher=uas\nRequire: timer\n" UPDATES);
	assert_timer(&t, 3600, "remote");
	/* cleared once there is a dialog, 7.4 */
	hang_up(&t);
}
END_TEST

/* A proxy that always wants more is not followed for ever. */
START_TEST(endless_422_4028_10)
{
	struct timers t = start();
	const struct msg *m = call(&t);
	char min_se[64];
	unsigned n = 0;

	for (;; n++) {
		(void)snprintf(min_se, sizeof(min_se), "Min-SE: %u\n", 2000 + n);
		world_reply(t.w, m, 422, min_se);
		world_expect_out(t.w, "ACK");
		world_settle(t.w);
		if (t.wu->n_sessions == 0)
			break;
		ck_assert_uint_lt(n, 20);
		m = world_expect_out(t.w, "INVITE");
	}
	world_expect_terminated(t.wu, 422, ORIGIN_REMOTE);
	finish(&t);
}
END_TEST

START_TEST(refresh_too_small_4028_7_4)
{
	struct timers t = called("Session-Expires: 600;refresher=uac\nRequire: timer\n" UPDATES);
	const struct msg *m = at(&t, 300 * SEC, "UPDATE");

	world_reply(t.w, m, 422, "Min-SE: 900\n");
	m = world_expect_out(t.w, "UPDATE");
	assert_header(m, "Session-Expires", "900;refresher=uac");
	assert_header(m, "Min-SE", "900");
	assert_timer(&t, 600, "local"); /* the end has not moved, section 10 */
	world_reply(t.w, m, 200,
		"Contact: <sip:peer@192.0.2.20>\nSession-Expires: 900;refresher=uac\n"
		"Require: timer\n");
	world_settle(t.w);
	t.began = world_now(t.w);
	assert_timer(&t, 900, "local");
	m = at(&t, 450 * SEC, "UPDATE");
	assert_header(m, "Session-Expires", "900;refresher=uac");
	assert_header(m, "Min-SE", "900");
	world_reply(t.w, m, 200, "Contact: <sip:peer@192.0.2.20>\n");
	hang_up(&t);
}
END_TEST

START_TEST(incoming_too_small_4028_9)
{
	struct timers t = calling(SUPPORTED "Session-Expires: 60\n");
	const struct msg *m = world_expect_out(t.w, "422");

	assert_header(m, "Min-SE", "90");
	t.ours[0] = '\0';
	world_expect_no_session(t.wu);
	world_run(t.w, 40 * SEC);
	(void)world_skip_out(t.w);
	world_free(t.w);
}
END_TEST

START_TEST(refresh_of_the_peer_too_small_4028_9)
{
	struct timers t = called("Session-Expires: 600;refresher=uas\nRequire: timer\n" UPDATES);

	peer_sends(&t, "UPDATE", SUPPORTED "Session-Expires: 89;refresher=uac\n");
	assert_header(world_expect_out(t.w, "422"), "Min-SE", "90");
	assert_timer(&t, 600, "remote");
	assert_expired(&t, 568 * SEC);
}
END_TEST

/* ---- the peer refreshes ---- */

START_TEST(peer_refreshes_by_update_4028_9)
{
	struct timers t = called("Session-Expires: 600;refresher=uas\nRequire: timer\n" UPDATES);
	const struct msg *m;

	for (unsigned i = 0; i < 3; i++) {
		world_expect_silence(t.w, 300 * SEC);
		peer_sends(&t, "UPDATE", SUPPORTED "Session-Expires: 600;refresher=uac\n");
		m = world_expect_out(t.w, "200");
		assert_header(m, "Session-Expires", "600;refresher=uac");
		assert_header(m, "Require", "timer");
		t.began = world_now(t.w);
	}
	world_expect_no_event(t.wu);
	assert_expired(&t, 568 * SEC);
}
END_TEST

/* The re-INVITE repeats the description: nobody has to be asked. */
START_TEST(peer_refreshes_by_invite_4028_9)
{
	struct timers t = called("Session-Expires: 600;refresher=uas\nRequire: timer\n" NO_UPDATES);
	const struct msg *m;

	world_expect_silence(t.w, 300 * SEC);
	peer_sends(&t, "INVITE", SUPPORTED "Session-Expires: 600;refresher=uac\n" ANSWER);
	m = world_expect_out(t.w, "200");
	assert_header(m, "Session-Expires", "600;refresher=uac");
	assert_header(m, "Require", "timer");
	assert_slice(m->body, "v=0 alice");
	t.began = world_now(t.w);
	peer_sends(&t, "ACK", "");
	world_settle(t.w);
	world_expect_no_event(t.wu);
	assert_expired(&t, 568 * SEC);
}
END_TEST

/* A third of a short interval. */
START_TEST(refresh_of_the_peer_lost_4028_10)
{
	struct timers t = calling(SUPPORTED "Session-Expires: 90;refresher=uac\n" UPDATES);
	const struct msg *m = accept_call(&t);

	assert_header(m, "Session-Expires", "90;refresher=uac");
	assert_header(m, "Require", "timer");
	assert_timer(&t, 90, "remote");
	assert_expired(&t, 60 * SEC);
}
END_TEST

/* ---- who supports what, section 9 ---- */

START_TEST(caller_asks_us_to_refresh_4028_9)
{
	struct timers t = calling(SUPPORTED "Session-Expires: 200;refresher=uas\n" UPDATES);
	const struct msg *m = accept_call(&t);

	assert_header(m, "Session-Expires", "200;refresher=uas");
	assert_header(m, "Require", "timer");
	m = at(&t, 100 * SEC, "UPDATE");
	assert_header(m, "Session-Expires", "200;refresher=uac");
	world_reply(t.w, m, 200,
		"Contact: <sip:peer@192.0.2.20>\nSession-Expires: 200;refresher=uac\n");
	hang_up(&t);
}
END_TEST

/* A proxy wants it, the caller cannot: ours to do, and no Require. */
START_TEST(proxy_asks_for_a_caller_without_support_4028_9)
{
	struct timers t = calling("Session-Expires: 200\n" NO_UPDATES);
	const struct msg *m = accept_call(&t);

	assert_header(m, "Session-Expires", "200;refresher=uas");
	assert_header(m, "Require", NULL);
	m = at(&t, 100 * SEC, "INVITE");
	assert_slice(m->body, "v=0 alice");
	world_reply(t.w, m, 200, "Contact: <sip:peer@192.0.2.20>\n" ANSWER);
	world_expect_out(t.w, "ACK");
	assert_timer(&t, 0, "");
	hang_up(&t);
}
END_TEST

START_TEST(caller_leaves_it_to_us_4028_9)
{
	struct timers t = calling(SUPPORTED UPDATES);
	const struct msg *m = accept_call(&t);

	assert_header(m, "Session-Expires", "1800;refresher=uas");
	assert_timer(&t, 1800, "local");
	world_reply(t.w, at(&t, 900 * SEC, "UPDATE"), 200,
		"Contact: <sip:peer@192.0.2.20>\nSession-Expires: 1800;refresher=uac\n");
	hang_up(&t);
}
END_TEST

START_TEST(neither_supports_4028_9)
{
	struct timers t = calling(NO_UPDATES);

	assert_header(accept_call(&t), "Session-Expires", NULL);
	assert_timer(&t, 0, "");
	world_expect_silence(t.w, 86400 * SEC);
	hang_up(&t);
}
END_TEST

START_TEST(called_peer_without_support_4028_7_2)
{
	struct timers t = called(UPDATES);

	assert_timer(&t, 0, "");
	world_expect_silence(t.w, 86400 * SEC);
	hang_up(&t);
}
END_TEST

/* A change of the description refreshes too (7.2). */
START_TEST(any_offer_refreshes_4028_7_2)
{
	struct timers t = called("Session-Expires: 600;refresher=uac\nRequire: timer\n" UPDATES);
	const struct session_body offer = world_sdp("v=0 alice 2");
	struct world_reply reply = { 0 };
	struct session_reply r = world_reply_of(&reply);
	const struct msg *m;

	world_expect_silence(t.w, 200 * SEC);
	ck_assert_int_eq(session_offer(t.s, &offer, SLICE_NULL, &r), 0);
	world_settle(t.w);
	m = world_expect_out(t.w, "INVITE");
	assert_header(m, "Session-Expires", "600;refresher=uac");
	world_reply(t.w, m, 200,
		"Contact: <sip:peer@192.0.2.20>\nSession-Expires: 600;refresher=uac\n" ANSWER);
	world_expect_out(t.w, "ACK");
	ck_assert_uint_eq(reply.n, 1);
	t.began = world_now(t.w);
	world_reply(t.w, at(&t, 300 * SEC, "UPDATE"), 200, "Contact: <sip:peer@192.0.2.20>\n");
	hang_up(&t);
}
END_TEST

/* Two of us: a day on the line, with a network that loses a fifth. */
START_TEST(a_day_between_two_user_agents)
{
	static const struct world_account bob = { .id = "bob", .domain = "192.0.2.30" };
	const struct session_spec spec = {
		.target = SLICE("sip:bob@192.0.2.30"),
		.offer = world_sdp("v=0 alice"),
	};
	const struct session_body answer = world_sdp("v=0 bob");
	struct timers t = start();
	struct world_ua *other = world_ua(t.w, "192.0.2.30");
	const char *why;

	world_endpoint(other, &bob);
	ck_assert_int_eq(session_new(t.ep, &spec, &t.s, &why), 0);
	world_settle(t.w);
	ck_assert_int_eq(session_accept(world_expect_session(other), &answer,
				 &(struct session_headers){ 0 }),
		0);
	world_settle(t.w);
	assert_timer(&t, 1800, "local");
	*world_net(t.w) = (struct world_net){ .delay = 20 * MSEC, .loss = 20 };
	world_run(t.w, 86400 * SEC);
	ck_assert_uint_eq(session_state(t.s), SESSION_ESTABLISHED);
	*world_net(t.w) = (struct world_net){ .delay = 0 };
	world_run(t.w, 64 * SEC);
	ck_assert_int_eq(session_terminate(t.s, NULL), 0);
	world_run(t.w, 64 * SEC);
	ck_assert_uint_eq(t.wu->n_sessions + other->n_sessions, 0);
	world_expect_idle(t.wu);
	world_expect_idle(other);
	world_free(t.w);
}
END_TEST

RUN_TESTS("session-timer", refreshed_by_update_4028_7_4, refreshed_by_invite_4028_7_4,
	turned_off_in_the_middle_4028_7_2, roles_turned_round_4028_7_2, refresh_refused_4028_10,
	second_refresh_succeeds_4028_10, refresh_answered_481_4028_10, refresh_answered_408_4028_10,
	refresh_unanswered_4028_10, first_invite_too_small_4028_7_3, endless_422_4028_10,
	refresh_too_small_4028_7_4, incoming_too_small_4028_9, refresh_of_the_peer_too_small_4028_9,
	peer_refreshes_by_update_4028_9, peer_refreshes_by_invite_4028_9,
	refresh_of_the_peer_lost_4028_10, caller_asks_us_to_refresh_4028_9,
	proxy_asks_for_a_caller_without_support_4028_9, caller_leaves_it_to_us_4028_9,
	neither_supports_4028_9, called_peer_without_support_4028_7_2, any_offer_refreshes_4028_7_2,
	a_day_between_two_user_agents)
