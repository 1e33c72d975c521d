/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* An INVITE of ours up to the 2xx or the failure: RFC 3261 13.2, and what others add to it. */
#include <check.h>
#include <stdio.h>

#include "protocol/base/err.h"
#include "protocol/ua/limits.h"
#include "tests/flow/callee.h"
#include "tests/support/run.h"

static void check_state(const struct callee *c, const char *name)
{
	ck_assert_str_eq(session_state_name(session_state(c->s)), name);
}

static void end_by_peer(struct callee *c, const char *tag)
{
	callee_sends(c, "BYE", tag, NULL);
	(void)world_expect_out(c->w, "200");
	(void)world_expect_terminated(c->wu, 200, ORIGIN_REMOTE);
}

/* ---- what it says ---- */

START_TEST(rfc3261_13_2_1_invite_says_what_we_can)
{
	struct callee c = callee_new();

	callee_called(&c, NULL);
	ck_assert(slice_eq(c.invite->request_uri, SLICE("sip:bob@192.0.2.1")));
	ck_assert(slice_eq(c.invite->content_type, SLICE("application/sdp")));
	ck_assert(slice_eq(c.invite->body, SLICE(OFFER)));
	ck_assert_uint_eq(c.invite->cseq, 1);
	ck_assert(c.invite->contact.uri.text.n > 0);
	ck_assert(msg_has_token(c.invite, HDR_ALLOW, SLICE("BYE")));
	ck_assert(msg_has_token(c.invite, HDR_SUPPORTED, SLICE("100rel")));
	ck_assert(msg_has_token(c.invite, HDR_SUPPORTED, SLICE("timer")));
	check_state(&c, "trying");
	ck_assert(session_is_outgoing(c.s));
	ck_assert(slice_eq(session_type(c.s), SLICE("pc2pc")));
	ck_assert(slice_eq(session_party(c.s), SLICE("first")));
	ck_assert(slice_eq(session_remote(c.s), SLICE("<sip:bob@192.0.2.1>")));
	ck_assert(slice_eq(session_call_id(c.s), c.invite->call_id));
	ck_assert_int_eq(session_description_state(c.s), OFFER_LOCAL);
	callee_says(&c, 486, "b", NULL);
	(void)world_expect_out(c.w, "ACK");
	(void)world_expect_terminated(c.wu, 486, ORIGIN_REMOTE);
	callee_finish(&c);
}
END_TEST

/* What PrivacyLevel asks for, the Privacy header of it, and whether From hides the user. */
static const struct {
	const char *level, *header;
	bool hidden;
} privacies[] = {
	{ "none", "none", false },
	{ "id", "id", true },
	{ "user", "", true }, /* RFC 3323 4.2: not for the network to do */
	{ "user;critical", "", true },
	{ "header;session;critical", "header;session;critical", true },
	{ "session", "session", false },
	{ "critical; id; user", "id;critical", true },
};

static void check_rfc3323_4_privacy(size_t i)
{
	struct callee c = callee_new();
	struct session_spec spec = { .privacy = slice_str(privacies[i].level) };

	callee_called(&c, &spec);
	callee_check_header(c.invite, HDR_PRIVACY, privacies[i].header);
	if (privacies[i].hidden) {
		ck_assert(slice_eq(c.invite->from.display, SLICE("Anonymous")));
		ck_assert(slice_eq(
			c.invite->from.uri.text, SLICE("sip:anonymous@anonymous.invalid")));
	} else {
		ck_assert(slice_eq(c.invite->from.uri.text, SLICE("sip:alice@192.0.2.10")));
	}
	callee_says(&c, 603, "b", NULL);
	(void)world_expect_out(c.w, "ACK");
	(void)world_expect_terminated(c.wu, 603, ORIGIN_REMOTE);
	callee_finish(&c);
}

START_TEST(rfc3323_4_privacy)
{
	for (size_t i = 0; i < ARRAY_LEN(privacies); i++)
		check_rfc3323_4_privacy(i);
}
END_TEST

START_TEST(rfc3892_referred_by_and_headers_of_the_client)
{
	static const struct request_header headers[] = { { SLICE_INIT("Subject"),
		SLICE_INIT("lunch") } };
	struct session_spec spec = {
		.headers = { headers, 1 },
		.referred_by = SLICE("<sip:carol@example.com>"),
		.type = SLICE("im"),
	};
	struct callee c = callee_new();

	callee_called(&c, &spec);
	callee_check_header(c.invite, HDR_SUBJECT, "lunch");
	callee_check_header(c.invite, HDR_REFERRED_BY, "<sip:carol@example.com>");
	ck_assert(slice_eq(session_type(c.s), SLICE("im")));
	callee_says(&c, 603, "b", NULL);
	(void)world_expect_out(c.w, "ACK");
	(void)world_expect_terminated(c.wu, 603, ORIGIN_REMOTE);
	callee_finish(&c);
}
END_TEST

/* The tags are named as the peer sees them: its own is the to-tag. */
static void check_rfc3891_3_replaces_names_the_peers_dialog(size_t i)
{
	struct callee c = callee_new();
	struct session_spec spec = { 0 };
	struct session *first;
	struct buf names = BUF_NULL;
	bool join = i == 1; /* RFC 3911 section 4 */

	callee_called(&c, NULL);
	callee_established(&c, "b1");
	buf_printf(&names, "%.*s;to-tag=b1;from-tag=%.*s", SLICE_ARGS(c.invite->call_id),
		SLICE_ARGS(c.invite->from_tag));
	first = c.s;
	*(join ? &spec.join : &spec.replaces) = first;
	callee_called(&c, &spec);
	ck_assert(
		slice_eq(msg_header(c.invite, join ? HDR_JOIN : HDR_REPLACES), buf_slice(&names)));
	buf_deinit(&names);
	callee_says(&c, 481, "b2", NULL);
	(void)world_expect_out(c.w, "ACK");
	(void)world_expect_terminated(c.wu, 481, ORIGIN_REMOTE);
	session_terminate(first, NULL);
	world_reply(c.w, world_expect_out(c.w, "BYE"), 200, NULL);
	world_settle(c.w);
	(void)world_expect_terminated(c.wu, 0, ORIGIN_LOCAL);
	callee_finish(&c);
}

START_TEST(rfc3891_3_replaces_names_the_peers_dialog)
{
	for (size_t i = 0; i < 2; i++)
		check_rfc3891_3_replaces_names_the_peers_dialog(i);
}
END_TEST

#define TARGET .target = SLICE_INIT("sip:bob@192.0.2.1")
static const struct request_header bad_header = { SLICE_INIT("Via"), SLICE_INIT("x") };
static const struct {
	struct session_spec spec;
	int error;
} refused[] = {
	{ { .target = SLICE_INIT("bob") }, -EINVAL },
	{ { .target = SLICE_INIT("mailto:bob@example.com") }, -EINVAL },
	{ { .target = SLICE_INIT("sip:bob@192.0.2.1?Subject=x") }, -EINVAL },
	{ { .target = SLICE_INIT("tel:+12125551212") }, -EOPNOTSUPP },
	{ { TARGET, .id = SLICE_INIT("a/b") }, -EINVAL },
	{ { TARGET, .offer = { SLICE_INIT(""), SLICE_INIT("v=0") } }, -EINVAL },
	{ { TARGET, .offer = { SLICE_INIT("a/b\r\nX: y"), SLICE_INIT("v=0") } }, -EINVAL },
	{ { TARGET, .type = SLICE_INIT("fax") }, -EINVAL },
	{ { TARGET, .headers = { &bad_header, 1 } }, -EINVAL },
	{ { TARGET, .replaces_value = SLICE_INIT("abc") }, -EINVAL },
	{ { TARGET, .replaces_value = SLICE_INIT("a;to-tag=1;from-tag=2"),
		  .join_value = SLICE_INIT("a;to-tag=1;from-tag=2") },
		-EINVAL },
	{ { TARGET, .privacy = SLICE_INIT("none;id") }, -EINVAL },
	{ { TARGET, .privacy = SLICE_INIT(";") }, -EINVAL },
	{ { TARGET, .referred_by = SLICE_INIT("nobody at all") }, -EINVAL },
};

static void check_a_wish_that_cannot_be_is_refused_at_once(size_t i)
{
	struct callee c = callee_new();
	const char *why = NULL;

	ck_assert_int_eq(session_new(c.ep, &refused[i].spec, &c.s, &why), refused[i].error);
	ck_assert_ptr_nonnull(why);
	world_expect_silence(c.w, SEC);
	ck_assert_uint_eq(c.wu->ua->n_sessions, 0);
	callee_finish(&c);
}

START_TEST(a_wish_that_cannot_be_is_refused_at_once)
{
	for (size_t i = 0; i < ARRAY_LEN(refused); i++)
		check_a_wish_that_cannot_be_is_refused_at_once(i);
}
END_TEST

/* ---- provisional answers ---- */

START_TEST(rfc3261_13_2_2_1_provisional_answers)
{
	struct callee c = callee_new();
	const struct world_told *t;

	callee_called(&c, NULL);
	callee_says(&c, 100, "", NULL);
	world_expect_no_event(c.wu);
	check_state(&c, "trying");
	/* RFC 2543: no tag, no dialog. */
	callee_says(&c, 181, "", NULL);
	t = world_expect_progress(c.wu, 181);
	ck_assert_uint_eq(t->event.fork.n, 0);
	check_state(&c, "ringing");
	callee_says(&c, 180, "b", NULL);
	t = world_expect_progress(c.wu, 180);
	ck_assert(slice_eq(t->event.fork, SLICE("1")));
	ck_assert(slice_eq(t->event.reason, SLICE("Ringing")));
	callee_says(&c, 183, "b", WITH("v=0 preview"));
	t = world_expect_progress(c.wu, 183);
	ck_assert(slice_eq(t->event.fork, SLICE("1")));
	world_expect_body(t, "v=0 preview");
	check_state(&c, "early");
	ck_assert_int_eq(session_description_state(c.s), OFFER_LOCAL);
	callee_says(&c, 180, "b", NULL);
	(void)world_expect_progress(c.wu, 180);
	check_state(&c, "early");
	callee_established(&c, "b");
	ck_assert_int_eq(session_description_state(c.s), OFFER_STABLE);
	end_by_peer(&c, "b");
	callee_finish(&c);
}
END_TEST

/* ---- descriptions ---- */

START_TEST(rfc3261_13_2_2_4_every_2xx_that_comes_again_is_acknowledged)
{
	struct callee c = callee_new();
	const struct msg *first, *again;

	callee_called(&c, NULL);
	callee_says(&c, 200, "b", WITH(ANSWER));
	first = callee_acked(&c, "b");
	(void)world_expect_event(c.wu, UA_SESSION_ESTABLISHED);
	for (unsigned i = 0; i < 3; i++) {
		world_run(c.w, 4 * SEC);
		callee_says(&c, 200, "b", WITH(ANSWER));
		again = callee_acked(&c, "b");
		ck_assert(slice_eq(first->raw, again->raw));
	}
	world_expect_no_event(c.wu);
	/* 64*T1 after the last that can come nothing of it is left to repeat. */
	world_run(c.w, 33 * SEC);
	callee_says(&c, 200, "b", WITH(ANSWER));
	world_expect_silence(c.w, SEC);
	check_state(&c, "established");
	end_by_peer(&c, "b");
	callee_finish(&c);
}
END_TEST

/* 13.2.1 wants the answer in the 2xx too, but who only showed it before meant it. */
START_TEST(a_preview_is_the_answer_if_no_other_comes)
{
	struct callee c = callee_new();

	callee_called(&c, NULL);
	callee_says(&c, 183, "b", WITH("v=0 preview"));
	(void)world_expect_progress(c.wu, 183);
	callee_says(&c, 200, "b", NULL);
	(void)callee_acked(&c, "b");
	(void)world_expect_event(c.wu, UA_SESSION_ESTABLISHED);
	ck_assert_int_eq(session_description_state(c.s), OFFER_STABLE);
	end_by_peer(&c, "b");
	callee_finish(&c);
}
END_TEST

static void check_rfc3261_13_2_1_a_2xx_without_answer_is_ended(size_t i)
{
	struct callee c = callee_new();

	if (i == 0)
		callee_called(&c, NULL);
	else
		callee_called_without_offer(&c);
	callee_says(&c, 200, "b", NULL);
	(void)callee_acked(&c, "b");
	callee_answers(&c, "BYE", "b", 200);
	(void)world_expect_terminated(c.wu, 488, ORIGIN_LOCAL);
	callee_finish(&c);
}

START_TEST(rfc3261_13_2_1_a_2xx_without_answer_is_ended)
{
	for (size_t i = 0; i < 2; i++)
		check_rfc3261_13_2_1_a_2xx_without_answer_is_ended(i);
}
END_TEST

START_TEST(rfc3261_13_2_2_4_offer_in_the_2xx_is_answered_in_the_ack)
{
	struct callee c = callee_new();
	struct session_body answer = world_sdp(ANSWER);
	const struct msg *ack;

	callee_called_without_offer(&c);
	ck_assert_uint_eq(c.invite->body.n, 0);
	callee_says(&c, 200, "b", WITH(OFFER));
	world_expect_body(world_expect_event(c.wu, UA_SESSION_OFFER), OFFER);
	/* The 2xx comes again, and the client has not answered yet. */
	world_run(c.w, SEC);
	callee_says(&c, 200, "b", WITH(OFFER));
	world_expect_silence(c.w, SEC);
	ck_assert_int_eq(session_answer(c.s, &answer), 0);
	ack = callee_acked(&c, "b");
	ck_assert(slice_eq(ack->body, SLICE(ANSWER)));
	(void)world_expect_event(c.wu, UA_SESSION_ESTABLISHED);
	ck_assert_int_eq(session_description_state(c.s), OFFER_STABLE);
	ck_assert_int_eq(session_answer(c.s, &answer), -ESTALE);
	callee_says(&c, 200, "b", WITH(OFFER));
	ck_assert(slice_eq(callee_acked(&c, "b")->raw, ack->raw));
	end_by_peer(&c, "b");
	callee_finish(&c);
}
END_TEST

START_TEST(an_offer_in_the_2xx_that_nobody_answers_ends_in_time)
{
	struct callee c = callee_new();

	callee_called_without_offer(&c);
	callee_says(&c, 200, "b", WITH(OFFER));
	(void)world_expect_event(c.wu, UA_SESSION_OFFER);
	world_expect_silence(c.w, LIMITS_ANSWER_SECONDS * SEC - MSEC);
	(void)world_wait_out(c.w, "ACK", 2 * MSEC);
	callee_answers(&c, "BYE", "b", 200);
	(void)world_expect_terminated(c.wu, 408, ORIGIN_TIMEOUT);
	callee_finish(&c);
}
END_TEST

START_TEST(an_offer_in_the_2xx_that_is_refused_ends)
{
	struct callee c = callee_new();

	callee_called_without_offer(&c);
	callee_says(&c, 200, "b", WITH(OFFER));
	(void)world_expect_event(c.wu, UA_SESSION_OFFER);
	ck_assert_int_eq(session_reject_offer(c.s, 488), 0);
	ck_assert_uint_eq(callee_acked(&c, "b")->body.n, 0);
	callee_answers(&c, "BYE", "b", 200);
	(void)world_expect_event(c.wu, UA_SESSION_TERMINATED);
	callee_finish(&c);
}
END_TEST

/* RFC 2543 did not ask for a Contact in a 2xx: the Request-URI has to do. */
START_TEST(a_2xx_without_contact_is_taken)
{
	struct callee c = callee_new();

	callee_called(&c, NULL);
	world_reply_as(c.w, c.invite, 200, "b", WITH(ANSWER));
	ck_assert(slice_eq(callee_acked(&c, "b")->request_uri, SLICE("sip:bob@192.0.2.1")));
	(void)world_expect_event(c.wu, UA_SESSION_ESTABLISHED);
	end_by_peer(&c, "b");
	callee_finish(&c);
}
END_TEST

/* 12.1.2 and 12.2.1.1: the way is the Record-Route backwards, and the Contact the target. */
START_TEST(rfc3261_12_2_1_1_ack_takes_the_route_set)
{
	struct callee c = callee_new();
	const struct msg *ack;

	callee_called(&c, NULL);
	world_reply_as(c.w, c.invite, 200, "b",
		"Record-Route: <sip:192.0.2.3;lr>, <sip:192.0.2.2;lr>\n"
		"Contact: <sip:bob@192.0.2.7:5070>\n" WITH(ANSWER));
	ack = callee_acked(&c, "b");
	ck_assert(slice_eq(ack->request_uri, SLICE("sip:bob@192.0.2.7:5070")));
	callee_check_header(ack, HDR_ROUTE, "<sip:192.0.2.2;lr>");
	(void)world_expect_event(c.wu, UA_SESSION_ESTABLISHED);
	end_by_peer(&c, "b");
	callee_finish(&c);
}
END_TEST

/* 12.2.1.1: a first route without lr is an element of RFC 2543, which wants the Request-URI. */
START_TEST(rfc3261_12_2_1_1_strict_router)
{
	struct callee c = callee_new();
	const struct hdr *last;
	const struct msg *m;

	callee_called(&c, NULL);
	world_reply_as(c.w, c.invite, 200, "b",
		"Record-Route: <sip:192.0.2.3;lr>, <sip:192.0.2.1>\n"
		"Contact: <sip:bob@192.0.2.7:5070>\n" WITH(ANSWER));
	m = callee_acked(&c, "b");
	ck_assert(slice_eq(m->request_uri, SLICE("sip:192.0.2.1")));
	callee_check_header(m, HDR_ROUTE, "<sip:192.0.2.3;lr>");
	last = msg_header_next(m, HDR_ROUTE, msg_header_next(m, HDR_ROUTE, NULL));
	ck_assert(last && slice_eq(last->value, SLICE("<sip:bob@192.0.2.7:5070>")));
	(void)world_expect_event(c.wu, UA_SESSION_ESTABLISHED);
	ck_assert_int_eq(session_terminate(c.s, NULL), 0);
	m = callee_expect(&c, "BYE", "b");
	ck_assert(slice_eq(m->request_uri, SLICE("sip:192.0.2.1")));
	world_reply(c.w, m, 200, NULL);
	world_settle(c.w);
	(void)world_expect_terminated(c.wu, 0, ORIGIN_LOCAL);
	callee_finish(&c);
}
END_TEST

/* ---- failures ---- */

static const unsigned failures[] = { 302, 404, 480, 486, 488, 491, 500, 503, 600, 603 };

static void check_rfc3261_8_1_3_4_a_failure_is_told_as_it_came(size_t i)
{
	struct callee c = callee_new();
	const struct world_told *t;

	callee_called(&c, NULL);
	callee_says(&c, 180, "b", NULL);
	(void)world_expect_progress(c.wu, 180);
	callee_says(&c, failures[i], "b", NULL);
	(void)world_expect_out(c.w, "ACK");
	t = world_expect_terminated(c.wu, failures[i], ORIGIN_REMOTE);
	ck_assert_uint_gt(t->event.reason.n, 0);
	callee_finish(&c);
}

START_TEST(rfc3261_8_1_3_4_a_failure_is_told_as_it_came)
{
	for (size_t i = 0; i < ARRAY_LEN(failures); i++)
		check_rfc3261_8_1_3_4_a_failure_is_told_as_it_came(i);
}
END_TEST

START_TEST(rfc3261_17_1_1_2_nobody_there)
{
	struct callee c = callee_new();

	callee_called(&c, NULL);
	world_set_reach(c.w, "192.0.2.1", WORLD_SILENT);
	while (list_is_empty(&c.wu->told))
		world_run(c.w, SEC);
	(void)world_expect_terminated(c.wu, 0, ORIGIN_TIMEOUT);
	ck_assert_uint_le(world_now(c.w), 33 * SEC);
	(void)world_skip_out(c.w);
	callee_finish(&c);
}
END_TEST

START_TEST(rfc3261_8_1_3_4_a_redirection_is_followed)
{
	struct callee c = callee_new();
	struct slice call_id;

	callee_called(&c, NULL);
	call_id = c.invite->call_id;
	callee_says(&c, 180, "b", NULL);
	(void)world_expect_progress(c.wu, 180);
	callee_says(&c, 181, "other", NULL);
	(void)world_expect_progress(c.wu, 181);
	world_reply_as(c.w, c.invite, 302, "b", "Contact: <sip:carol@192.0.2.1>\n");
	(void)world_expect_out(c.w, "ACK");
	c.invite = world_expect_out(c.w, "INVITE");
	ck_assert(slice_eq(c.invite->request_uri, SLICE("sip:carol@192.0.2.1")));
	ck_assert(slice_eq(c.invite->call_id, call_id));
	ck_assert_uint_eq(c.invite->cseq, 2);
	/* 12.3: the early dialogs of the first INVITE ended with its refusal. */
	callee_says(&c, 180, "b", NULL);
	ck_assert(slice_eq(world_expect_progress(c.wu, 180)->event.fork, SLICE("3")));
	ck_assert_uint_eq(c.wu->ua->dialogs.by_id.n, 1);
	callee_established(&c, "b");
	end_by_peer(&c, "b");
	callee_finish(&c);
}
END_TEST

START_TEST(rfc4028_7_3_a_longer_interval_is_asked_for)
{
	struct callee c = callee_new();
	struct slice call_id, from_tag;
	char min_se[64];

	callee_called(&c, NULL);
	call_id = c.invite->call_id;
	from_tag = c.invite->from_tag;
	for (unsigned i = 1; i <= LIMITS_INTERVALS; i++) {
		(void)snprintf(min_se, sizeof(min_se), "Min-SE: %u\n", 4000 + i);
		callee_says(&c, 422, "b", min_se);
		(void)world_expect_out(c.w, "ACK");
		c.invite = world_expect_out(c.w, "INVITE");
		ck_assert(slice_eq(c.invite->call_id, call_id));
		ck_assert(slice_eq(c.invite->from_tag, from_tag));
		ck_assert_uint_eq(c.invite->cseq, 1 + i);
		(void)snprintf(min_se, sizeof(min_se), "%u", 4000 + i);
		callee_check_header(c.invite, HDR_MIN_SE, min_se);
	}
	/* A bounded number of times. */
	callee_says(&c, 422, "b", "Min-SE: 9000\n");
	(void)world_expect_out(c.w, "ACK");
	(void)world_expect_terminated(c.wu, 422, ORIGIN_REMOTE);
	callee_finish(&c);
}
END_TEST

/* Nor one that asks for no more than it had, or for nothing. */
static void check_rfc4028_6_a_422_without_sense_is_the_end(size_t i)
{
	struct callee c = callee_new();

	callee_called(&c, NULL);
	if (i == 0) {
		callee_says(&c, 422, "b", "Min-SE: 2000\n");
		(void)world_expect_out(c.w, "ACK");
		c.invite = world_expect_out(c.w, "INVITE");
		callee_says(&c, 422, "b", "Min-SE: 2000\n");
	} else {
		callee_says(&c, 422, "b", NULL);
	}
	(void)world_expect_out(c.w, "ACK");
	(void)world_expect_terminated(c.wu, 422, ORIGIN_REMOTE);
	callee_finish(&c);
}

START_TEST(rfc4028_6_a_422_without_sense_is_the_end)
{
	for (size_t i = 0; i < 2; i++)
		check_rfc4028_6_a_422_without_sense_is_the_end(i);
}
END_TEST

/* ---- nobody answers ---- */

START_TEST(nobody_answers_within_the_clients_patience)
{
	struct callee c = callee_new();
	struct session_spec spec = { .timeout = 20 * SEC };

	callee_called(&c, &spec);
	callee_says(&c, 180, "b", NULL);
	(void)world_expect_progress(c.wu, 180);
	world_run(c.w, 15 * SEC);
	callee_says(&c, 180, "b", NULL);
	(void)world_expect_progress(c.wu, 180);
	world_reply(c.w, world_wait_out(c.w, "CANCEL", 6 * SEC), 200, NULL);
	ck_assert_uint_eq(world_now(c.w) / SEC, 20);
	check_state(&c, "terminating");
	callee_says(&c, 487, "b", NULL);
	(void)world_expect_out(c.w, "ACK");
	(void)world_expect_terminated(c.wu, 408, ORIGIN_TIMEOUT);
	callee_finish(&c);
}
END_TEST

/* 13.3.1.1: who still rings says so each minute. */
START_TEST(ringing_goes_on_while_the_peer_says_so)
{
	struct callee c = callee_new();

	callee_called(&c, NULL);
	for (unsigned i = 0; i < 10; i++) {
		callee_says(&c, 180, "b", NULL);
		(void)world_expect_progress(c.wu, 180);
		world_expect_silence(c.w, (LIMITS_RING_SECONDS - 1) * SEC);
	}
	world_reply(c.w, world_wait_out(c.w, "CANCEL", 2 * SEC), 200, NULL);
	callee_says(&c, 487, "b", NULL);
	(void)world_expect_out(c.w, "ACK");
	(void)world_expect_terminated(c.wu, 408, ORIGIN_TIMEOUT);
	callee_finish(&c);
}
END_TEST

RUN_TESTS("session-out", rfc3261_13_2_1_invite_says_what_we_can, rfc3323_4_privacy,
	rfc3892_referred_by_and_headers_of_the_client, rfc3891_3_replaces_names_the_peers_dialog,
	a_wish_that_cannot_be_is_refused_at_once, rfc3261_13_2_2_1_provisional_answers,
	rfc3261_13_2_2_4_every_2xx_that_comes_again_is_acknowledged,
	a_preview_is_the_answer_if_no_other_comes, rfc3261_13_2_1_a_2xx_without_answer_is_ended,
	rfc3261_13_2_2_4_offer_in_the_2xx_is_answered_in_the_ack,
	an_offer_in_the_2xx_that_nobody_answers_ends_in_time,
	an_offer_in_the_2xx_that_is_refused_ends, a_2xx_without_contact_is_taken,
	rfc3261_12_2_1_1_ack_takes_the_route_set, rfc3261_12_2_1_1_strict_router,
	rfc3261_8_1_3_4_a_failure_is_told_as_it_came, rfc3261_17_1_1_2_nobody_there,
	rfc3261_8_1_3_4_a_redirection_is_followed, rfc4028_7_3_a_longer_interval_is_asked_for,
	rfc4028_6_a_422_without_sense_is_the_end, nobody_answers_within_the_clients_patience,
	ringing_goes_on_while_the_peer_says_so)
