/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Transfer from the side that is transferred: a REFER of the peer's, the decision, and what our
 * NOTIFYs tell of the call that it led to (RFC 3515, RFC 6665, RFC 4488, RFC 3892, RFC 5589).
 */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>

#include "protocol/base/err.h"
#include "protocol/ua/limits.h"
#include "protocol/ua/session-refer.h"
#include "tests/flow/call.h"

#define BOB "<sip:bob@192.0.2.20>"
#define CAROL "sip:carol@192.0.2.30"
#define NONE "Content-Length: 0\n\n"
#define REFER_HEADERS \
	"Contact: " BOB "\nRefer-To: <" CAROL ">\nReferred-By: <sip:bob@example.com>;cid=\"1@x\"\n"

static struct call established(void)
{
	struct call c = call_scene();

	call_bob(&c, BOB);
	return c;
}

/* Bob refers; returns the id that alice hears. */
static uint32_t referred(struct call *c, const char *headers)
{
	struct buf b = BUF_NULL;
	const struct world_told *t;

	buf_str(&b, headers);
	buf_lit(&b, NONE);
	buf_putc(&b, '\0');
	call_send(c, "REFER", b.p);
	buf_deinit(&b);
	world_settle(c->w);
	t = world_expect_event(c->wu, UA_SESSION_REFER);
	return t->event.id;
}

/* A NOTIFY with that state and first line goes out, and bob answers it. */
static const struct msg *notified(struct call *c, const char *state, const char *line)
{
	const struct msg *m = world_wait_out(c->w, "NOTIFY", 2 * SEC);
	struct buf body = BUF_NULL;

	buf_printf(&body, "SIP/2.0 %s\r\n", line);
	call_expect_header(m, HDR_SUBSCRIPTION_STATE, state);
	ck_assert_msg(slice_eq(m->body, buf_slice(&body)), "%.*s", SLICE_ARGS(m->body));
	ck_assert(slice_eq(m->content_type, SLICE("message/sipfrag;version=2.0")));
	buf_deinit(&body);
	return m;
}

static void answer(struct call *c, const struct msg *m, unsigned status)
{
	world_reply(c->w, m, status, NULL);
	world_settle(c->w);
}

static void take_notify(struct call *c, const char *state, const char *line)
{
	answer(c, notified(c, state, line), 200);
}

static uint32_t accepted(struct call *c)
{
	uint32_t id = referred(c, REFER_HEADERS);

	ck_assert_int_eq(session_accept_refer(c->s, id), 0);
	(void)world_expect_out(c->w, "200");
	take_notify(c, "active;expires=300", "100 Trying");
	return id;
}

static void finish(struct call *c)
{
	world_expect_no_event(c->wu);
	call_finish(c);
}

/* ---- the decision ---- */

START_TEST(rfc3515_2_4_2_accepted)
{
	struct call c = established();
	const struct world_told *t;
	const struct msg *m;

	call_send(&c, "REFER", REFER_HEADERS NONE);
	world_settle(c.w);
	t = world_expect_event(c.wu, UA_SESSION_REFER);
	ck_assert(slice_eq(t->event.refer_to, SLICE(CAROL)));
	ck_assert(slice_eq(t->event.referred_by, SLICE("<sip:bob@example.com>;cid=\"1@x\"")));
	ck_assert_int_eq(session_notify_refer(c.s, t->event.id, 180, SLICE_NULL), -ESTALE);
	ck_assert_int_eq(session_accept_refer(c.s, t->event.id), 0);
	m = world_expect_out(c.w, "200"); /* RFC 7647 section 5: never 202 */
	ck_assert(m->contact.uri.text.n);
	m = notified(&c, "active;expires=300", "100 Trying");
	call_expect_header(m, HDR_EVENT, "refer");
	ck_assert(m->contact.uri.text.n);
	answer(&c, m, 200);
	ck_assert_int_eq(session_accept_refer(c.s, t->event.id), -ESTALE);
	ck_assert_int_eq(session_reject_refer(c.s, t->event.id, 0), -ESTALE);
	ck_assert_int_eq(session_notify_refer(c.s, t->event.id, 200, SLICE_NULL), 0);
	take_notify(&c, "terminated;reason=noresource", "200 OK");
	ck_assert_int_eq(session_notify_refer(c.s, t->event.id, 200, SLICE_NULL), -ENOENT);
	finish(&c);
}
END_TEST

START_TEST(rejected)
{
	static const struct {
		unsigned status;
		const char *answer;
	} rows[] = { { 0, "603" }, { 488, "488" } };
	struct call c = established();
	uint32_t id = referred(&c, REFER_HEADERS);

	ck_assert_int_eq(session_reject_refer(c.s, id, 200), -EINVAL);
	ck_assert_int_eq(session_reject_refer(c.s, id, rows[_i].status), 0);
	(void)world_expect_out(c.w, rows[_i].answer);
	ck_assert_int_eq(session_accept_refer(c.s, id), -ENOENT);
	finish(&c);
}
END_TEST

/* RFC 4320 leaves no time for people to think longer. */
START_TEST(nobody_decides)
{
	struct call c = established();
	uint32_t id = referred(&c, REFER_HEADERS);

	(void)world_wait_out(c.w, "100", 10 * SEC);
	(void)world_wait_out(c.w, "603", LIMITS_REFER_UNDECIDED_SECONDS * SEC);
	ck_assert_int_eq(session_accept_refer(c.s, id), -ENOENT);
	finish(&c);
}
END_TEST

START_TEST(rfc3515_2_4_2_bad_refer_to)
{
	static const char *const texts[] = {
		"",
		"Refer-To: <" CAROL ">\nRefer-To: <sip:dave@192.0.2.40>\n",
		"Refer-To: <" CAROL ">, <sip:dave@192.0.2.40>\n",
		"Refer-To: carol\n",
	};
	struct call c = established();
	struct buf b = BUF_NULL;

	buf_printf(&b, "Contact: " BOB "\n%s" NONE, texts[_i]);
	buf_putc(&b, '\0');
	call_send(&c, "REFER", b.p);
	buf_deinit(&b);
	(void)world_expect_out(c.w, "400");
	finish(&c);
}
END_TEST

START_TEST(limit)
{
	struct call c = established();

	for (unsigned i = 0; i < LIMITS_REFERS_PER_SESSION; i++)
		(void)referred(&c, REFER_HEADERS);
	call_send(&c, "REFER", REFER_HEADERS NONE);
	ck_assert(msg_header(world_expect_out(c.w, "500"), HDR_RETRY_AFTER).n);
	world_expect_no_event(c.wu);
	world_run(c.w, LIMITS_REFER_UNDECIDED_SECONDS * SEC);
	(void)world_skip_out(c.w);
	(void)referred(&c, REFER_HEADERS);
	world_run(c.w, LIMITS_REFER_UNDECIDED_SECONDS * SEC);
	(void)world_skip_out(c.w);
	finish(&c);
}
END_TEST

/* ---- NOTIFYs ---- */

/* Only the newest state is told, a second apart, and one at a time. */
START_TEST(rfc3515_3_10_pace)
{
	struct call c = established();
	uint32_t id = accepted(&c);
	const struct msg *m;

	ck_assert_int_eq(session_notify_refer(c.s, id, 180, SLICE_NULL), 0);
	ck_assert_int_eq(session_notify_refer(c.s, id, 183, SLICE("Soon")), 0);
	world_expect_silence(c.w, SEC / 2);
	m = notified(&c, "active;expires=299", "183 Soon");
	ck_assert_int_eq(session_notify_refer(c.s, id, 486, SLICE_NULL), 0);
	world_run(c.w, 3 * SEC);
	while (world_skip_out(c.w)) /* retransmissions of the one that is not answered */
		;
	answer(&c, m, 200);
	take_notify(&c, "terminated;reason=noresource", "486 Busy Here");
	finish(&c);
}
END_TEST

START_TEST(rfc3515_2_4_6_second_has_an_id)
{
	struct call c = established();
	struct buf expected = BUF_NULL;
	const struct msg *m;
	uint32_t id;

	ck_assert_int_eq(session_reject_refer(c.s, referred(&c, REFER_HEADERS), 0), 0);
	(void)world_expect_out(c.w, "603");
	id = referred(&c, REFER_HEADERS);
	buf_printf(&expected, "refer;id=%u", c.cseq);
	buf_putc(&expected, '\0');
	ck_assert_int_eq(session_accept_refer(c.s, id), 0);
	(void)world_expect_out(c.w, "200");
	m = notified(&c, "active;expires=300", "100 Trying");
	call_expect_header(m, HDR_EVENT, expected.p);
	answer(&c, m, 200);
	buf_deinit(&expected);
	ck_assert_int_eq(session_notify_refer(c.s, id, 603, SLICE_NULL), 0);
	take_notify(&c, "terminated;reason=noresource", "603 Decline");
	finish(&c);
}
END_TEST

START_TEST(rfc4488_4_no_subscription)
{
	struct call c = established();
	uint32_t id = referred(&c, REFER_HEADERS "Refer-Sub: false\n");

	ck_assert_int_eq(session_accept_refer(c.s, id), 0);
	call_expect_header(world_expect_out(c.w, "200"), HDR_REFER_SUB, "false");
	ck_assert_int_eq(session_notify_refer(c.s, id, 180, SLICE_NULL), 0);
	ck_assert_int_eq(session_notify_refer(c.s, id, 200, SLICE_NULL), 0);
	world_expect_silence(c.w, 5 * SEC);
	finish(&c);
}
END_TEST

/* Who does not listen any more is not told; the verbs do not care. */
START_TEST(rfc6665_4_2_2_refused_notify)
{
	struct call c = established();
	uint32_t id = accepted(&c);

	ck_assert_int_eq(session_notify_refer(c.s, id, 180, SLICE_NULL), 0);
	answer(&c, notified(&c, "active;expires=299", "180 Ringing"), 481);
	ck_assert_int_eq(session_notify_refer(c.s, id, 183, SLICE_NULL), 0);
	ck_assert_int_eq(session_notify_refer(c.s, id, 200, SLICE_NULL), 0);
	world_expect_silence(c.w, 5 * SEC);
	finish(&c);
}
END_TEST

START_TEST(rfc6665_4_2_2_unanswered_notify)
{
	struct call c = established();
	uint32_t id = accepted(&c);

	ck_assert_int_eq(session_notify_refer(c.s, id, 180, SLICE_NULL), 0);
	(void)notified(&c, "active;expires=299", "180 Ringing");
	world_run(c.w, 65 * TIMER_T1);
	(void)world_skip_out(c.w);
	ck_assert_int_eq(session_notify_refer(c.s, id, 200, SLICE_NULL), 0);
	world_expect_silence(c.w, 5 * SEC);
	finish(&c);
}
END_TEST

/* ---- SUBSCRIBE ---- */

static const struct msg *subscribed(struct call *c, const char *headers, const char *answer)
{
	call_send(c, "SUBSCRIBE", headers);
	return world_expect_out(c->w, answer);
}

START_TEST(rfc3515_2_4_4_refreshed)
{
	struct call c = established();
	uint32_t id = accepted(&c);
	const struct msg *m;

	world_run(c.w, 200 * SEC);
	m = subscribed(&c, "Event: refer\nExpires: 600\nContact: " BOB "\n" NONE, "200");
	call_expect_header(m, HDR_EXPIRES, "600");
	ck_assert(m->contact.uri.text.n);
	take_notify(&c, "active;expires=600", "100 Trying");
	/* A week is more than anybody is given. */
	m = subscribed(&c, "Event: refer\nExpires: 604800\n" NONE, "200");
	call_expect_header(m, HDR_EXPIRES, "3600");
	take_notify(&c, "active;expires=3599", "100 Trying");
	world_run(c.w, 500 * SEC);
	ck_assert_int_eq(session_notify_refer(c.s, id, 200, SLICE_NULL), 0);
	take_notify(&c, "terminated;reason=noresource", "200 OK");
	finish(&c);
}
END_TEST

START_TEST(rfc6665_4_2_1_4_unsubscribed)
{
	struct call c = established();
	uint32_t id = accepted(&c);

	world_run(c.w, SEC);
	(void)subscribed(&c, "Event: refer\nExpires: 0\n" NONE, "200");
	take_notify(&c, "terminated;reason=timeout", "100 Trying");
	ck_assert_int_eq(session_notify_refer(c.s, id, 200, SLICE_NULL), 0);
	world_expect_silence(c.w, 5 * SEC);
	finish(&c);
}
END_TEST

START_TEST(rfc3515_2_4_4_only_refer_subscribes)
{
	struct call c = established();

	(void)subscribed(&c, "Event: refer\nExpires: 60\n" NONE, "403");
	(void)accepted(&c);
	(void)subscribed(&c, "Event: refer;id=4711\nExpires: 60\n" NONE, "403");
	call_ended(&c);
	take_notify(&c, "terminated;reason=noresource", "100 Trying");
	call_leave(&c);
}
END_TEST

START_TEST(rfc6665_4_2_1_4_expired)
{
	struct call c = established();
	uint32_t id = accepted(&c);

	world_run(c.w, (LIMITS_REFER_SECONDS - 1) * SEC);
	take_notify(&c, "terminated;reason=timeout", "100 Trying");
	ck_assert_int_eq(session_notify_refer(c.s, id, 200, SLICE_NULL), 0);
	world_expect_silence(c.w, 5 * SEC);
	finish(&c);
}
END_TEST

/* ---- the session ends first ---- */

START_TEST(rfc3261_15_1_2_undecided)
{
	struct call c = established();

	(void)referred(&c, REFER_HEADERS);
	call_send(&c, "BYE", NONE);
	world_settle(c.w);
	(void)world_expect_out(c.w, "200");
	(void)world_expect_out(c.w, "487");
	(void)world_expect_event(c.wu, UA_SESSION_TERMINATED);
	call_leave(&c);
}
END_TEST

/* Nobody could say more: the peer hears at once that it will hear nothing. */
START_TEST(rfc5057_4_2_accepted)
{
	struct call c = established();

	(void)accepted(&c);
	world_run(c.w, SEC);
	call_send(&c, "BYE", NONE);
	world_settle(c.w);
	(void)world_expect_out(c.w, "200");
	take_notify(&c, "terminated;reason=noresource", "100 Trying");
	(void)world_expect_event(c.wu, UA_SESSION_TERMINATED);
	call_leave(&c);
}
END_TEST

/* ---- the call that it leads to ---- */

static struct session *followed(struct call *c, uint32_t id)
{
	struct session_spec spec = { .offer = world_sdp("offer 2") };
	struct session *s;
	const char *why;

	ck_assert_int_eq(session_follow_refer(c->s, id, &spec, &s, &why), 0);
	return s;
}

START_TEST(rfc5589_6_blind)
{
	struct call c = established();
	uint32_t id = referred(&c, REFER_HEADERS);
	struct session *s = followed(&c, id), *again;
	struct session_spec spec = { 0 };
	const struct msg *invite, *m;
	const char *why;

	invite = world_expect_out(c.w, "INVITE");
	ck_assert(slice_eq(invite->request_uri, SLICE(CAROL)));
	call_expect_header(invite, HDR_REFERRED_BY, "<sip:bob@example.com>;cid=\"1@x\"");
	ck_assert(!msg_header(invite, HDR_REPLACES).p);
	(void)world_expect_out(c.w, "200");
	m = notified(&c, "active;expires=300", "100 Trying");
	answer(&c, m, 200);
	ck_assert_int_eq(session_follow_refer(c.s, id, &spec, &again, &why), -ESTALE);
	ck_assert_int_eq(session_notify_refer(c.s, id, 200, SLICE_NULL), -ESTALE);
	world_reply(c.w, invite, 180, NULL);
	take_notify(&c, "active;expires=299", "180 Ringing");
	(void)world_expect_progress(c.wu, 180);
	/* Bob need not stay to hear how it ends. */
	call_ended(&c);
	world_run(c.w, SEC);
	world_reply(c.w, invite, 200,
		"Contact: <sip:carol@192.0.2.30>\nContent-Type: application/sdp\n"
		"Content-Length: {length}\n\nanswer");
	(void)world_expect_out(c.w, "ACK");
	take_notify(&c, "terminated;reason=noresource", "200 OK");
	(void)world_expect_event(c.wu, UA_SESSION_ESTABLISHED);
	c.s = s;
	finish(&c);
}
END_TEST

START_TEST(rfc5589_7_attended)
{
	struct call c = established();
	uint32_t id = referred(&c,
		"Contact: " BOB "\nRefer-To: <sip:carol@192.0.2.30;method=INVITE?Replaces=a%40b%3B"
		"to-tag%3D1%3Bfrom-tag%3D2&Route=%3Csip:evil%3E&Subject=why>\n");
	const struct msg *invite;
	struct session *s;

	/* Accepting before does no harm. */
	ck_assert_int_eq(session_accept_refer(c.s, id), 0);
	(void)world_expect_out(c.w, "200");
	take_notify(&c, "active;expires=300", "100 Trying");
	s = followed(&c, id);
	invite = world_expect_out(c.w, "INVITE");
	ck_assert(slice_eq(invite->request_uri, SLICE(CAROL)));
	call_expect_header(invite, HDR_REPLACES, "a@b;to-tag=1;from-tag=2");
	call_expect_header(invite, HDR_SUBJECT, "why");
	ck_assert(!msg_header(invite, HDR_ROUTE).p); /* RFC 3261 19.1.5 */
	world_reply(c.w, invite, 486, NULL);
	(void)world_expect_out(c.w, "ACK");
	world_settle(c.w);
	ck_assert_ptr_nonnull(s);
	(void)world_expect_terminated(c.wu, 486, ORIGIN_REMOTE);
	take_notify(&c, "terminated;reason=noresource", "486 Busy Here");
	finish(&c);
}
END_TEST

START_TEST(followed_call_is_given_up)
{
	struct call c = established();
	struct session *s = followed(&c, referred(&c, REFER_HEADERS));
	const struct msg *invite = world_expect_out(c.w, "INVITE");

	(void)world_expect_out(c.w, "200");
	take_notify(&c, "active;expires=300", "100 Trying");
	world_reply(c.w, invite, 100, NULL);
	world_settle(c.w);
	ck_assert_int_eq(session_terminate(s, NULL), 0);
	world_reply(c.w, world_expect_out(c.w, "CANCEL"), 200, NULL);
	world_reply(c.w, invite, 487, NULL);
	(void)world_expect_out(c.w, "ACK");
	take_notify(&c, "terminated;reason=noresource", "487 Request Terminated");
	(void)world_expect_event(c.wu, UA_SESSION_TERMINATED);
	finish(&c);
}
END_TEST

START_TEST(cannot_be_followed)
{
	static const char *const texts[] = {
		"Contact: " BOB "\nRefer-To: <https://example.com/>\n",
		"Contact: " BOB "\nRefer-To: <sip:carol@192.0.2.30;method=BYE>\n",
	};
	struct call c = established();
	uint32_t id = referred(&c, texts[_i]);
	struct session_spec spec = { 0 };
	struct session *s;
	const char *why;

	ck_assert_int_eq(session_follow_refer(c.s, id, &spec, &s, &why), -EOPNOTSUPP);
	ck_assert_int_eq(session_follow_refer(c.s, id + 1, &spec, &s, &why), -ENOENT);
	/* Nothing was decided. */
	ck_assert_int_eq(session_reject_refer(c.s, id, 0), 0);
	(void)world_expect_out(c.w, "603");
	finish(&c);
}
END_TEST

/* ---- outside of the dialog ---- */

static void refer_by_target_dialog(struct call *c, const char *local_tag)
{
	struct buf b = BUF_NULL;

	buf_printf(&b,
		"REFER {contact} SIP/2.0\n"
		"Via: SIP/2.0/UDP 192.0.2.20;branch=z9hG4bKbob{n};rport\n"
		"Max-Forwards: 70\n"
		"From: <sip:bob@192.0.2.20>;tag=new\n"
		"To: <sip:alice@192.0.2.10>\n"
		"Call-ID: new\n"
		"CSeq: 7 REFER\n"
		"Require: tdialog\n"
		"Target-Dialog: %s;local-tag=%s;remote-tag=%s\n" REFER_HEADERS NONE,
		c->call_id, local_tag, c->theirs);
	buf_putc(&b, '\0');
	world_in(c->wu, CALL_BOB, b.p);
	buf_deinit(&b);
	world_settle(c->w);
}

START_TEST(rfc7647_4_target_dialog)
{
	struct call c = established();
	const struct world_told *t;
	const struct msg *m;

	refer_by_target_dialog(&c, c.ours);
	t = world_expect_event(c.wu, UA_SESSION_REFER);
	ck_assert_ptr_eq(t->s, c.s);
	ck_assert_int_eq(session_accept_refer(c.s, t->event.id), 0);
	m = world_expect_out(c.w, "200");
	ck_assert(m->to_tag.n);
	ck_assert(!slice_eq(m->to_tag, slice_str(c.ours)));
	m = notified(&c, "active;expires=300", "100 Trying");
	ck_assert(slice_eq(m->call_id, SLICE("new")));
	ck_assert(slice_eq(m->to_tag, SLICE("new")));
	answer(&c, m, 200);
	ck_assert_int_eq(session_notify_refer(c.s, t->event.id, 200, SLICE_NULL), 0);
	take_notify(&c, "terminated;reason=noresource", "200 OK");
	finish(&c);
}
END_TEST

START_TEST(rfc4538_unknown_dialog)
{
	struct call c = established();

	refer_by_target_dialog(&c, "unknown");
	world_expect_no_event(c.wu);
	incoming_pass(world_expect_incoming(c.wu));
	(void)world_expect_out(c.w, "603");
	finish(&c);
}
END_TEST

static Suite *suite(void)
{
	Suite *s = suite_create("session-referred");
	TCase *t = tcase_create("referee");

	tcase_add_test(t, rfc3515_2_4_2_accepted);
	tcase_add_loop_test(t, rejected, 0, 2);
	tcase_add_test(t, nobody_decides);
	tcase_add_loop_test(t, rfc3515_2_4_2_bad_refer_to, 0, 4);
	tcase_add_test(t, limit);
	tcase_add_test(t, rfc3515_3_10_pace);
	tcase_add_test(t, rfc3515_2_4_6_second_has_an_id);
	tcase_add_test(t, rfc4488_4_no_subscription);
	tcase_add_test(t, rfc6665_4_2_2_refused_notify);
	tcase_add_test(t, rfc6665_4_2_2_unanswered_notify);
	tcase_add_test(t, rfc3515_2_4_4_refreshed);
	tcase_add_test(t, rfc6665_4_2_1_4_unsubscribed);
	tcase_add_test(t, rfc3515_2_4_4_only_refer_subscribes);
	tcase_add_test(t, rfc6665_4_2_1_4_expired);
	tcase_add_test(t, rfc3261_15_1_2_undecided);
	tcase_add_test(t, rfc5057_4_2_accepted);
	tcase_add_test(t, rfc5589_6_blind);
	tcase_add_test(t, rfc5589_7_attended);
	tcase_add_test(t, followed_call_is_given_up);
	tcase_add_loop_test(t, cannot_be_followed, 0, 2);
	tcase_add_test(t, rfc7647_4_target_dialog);
	tcase_add_test(t, rfc4538_unknown_dialog);
	suite_add_tcase(s, t);
	return s;
}

int main(void)
{
	SRunner *sr = srunner_create(suite());
	int failed;

	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
