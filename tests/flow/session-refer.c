/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Transfer from the referrer's side: REFER in a session, and what its NOTIFYs say (RFC 3515, RFC
 * 6665, RFC 4488, RFC 5057, RFC 7647). Each REFER has one outcome, whatever the peer does.
 */
#include "protocol/ua/session-refer.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>

#include "protocol/base/err.h"
#include "protocol/ua/limits.h"
#include "tests/flow/call.h"

#define BOB "<sip:bob@192.0.2.20>"
#define CAROL "sip:carol@192.0.2.30"
#define EXPIRES "Event: refer\nSubscription-State: active;expires=60\n"
#define OVER "Event: refer\nSubscription-State: terminated;reason=noresource\n"
#define SIPFRAG "Content-Type: message/sipfrag;version=2.0\nContent-Length: {length}\n\n"

static struct call established(void)
{
	struct call c = call_scene();

	call_bob(&c, BOB);
	return c;
}

static const struct msg *refer(struct call *c, const struct session_refer *r)
{
	ck_assert_int_eq(session_refer(c->s, r), 0);
	return world_expect_out(c->w, "REFER");
}

static const struct msg *refer_to_carol(struct call *c)
{
	return refer(c, &(struct session_refer){ .target = SLICE(CAROL) });
}

static void accept(struct call *c, const struct msg *request)
{
	world_reply(c->w, request, 202, "Contact: " BOB "\n");
	world_settle(c->w);
	world_expect_no_event(c->wu);
}

static void notify(struct call *c, const char *text, const char *answer)
{
	call_send(c, "NOTIFY", text);
	(void)world_expect_out(c->w, answer);
}

static void expect_progress(struct call *c, unsigned status)
{
	ck_assert_uint_eq(
		world_expect_event(c->wu, UA_SESSION_REFER_PROGRESS)->event.status, status);
}

static void expect_finished(struct call *c, unsigned status, enum origin origin)
{
	const struct world_told *t = world_expect_event(c->wu, UA_SESSION_REFER_FINISHED);

	ck_assert_uint_eq(t->event.status, status);
	ck_assert_uint_eq(t->event.origin, origin);
}

static void finish(struct call *c)
{
	world_expect_no_event(c->wu);
	call_finish(c);
}

/* ---- the plain way ---- */

START_TEST(rfc3515_2_4_4_success)
{
	struct call c = established();
	const struct msg *m = refer_to_carol(&c);

	call_expect_header(m, HDR_REFER_TO, "<" CAROL ">");
	call_expect_header(m, HDR_REFERRED_BY, "<sip:alice@192.0.2.10>"); /* RFC 3892 */
	ck_assert(m->contact.uri.text.n);
	ck_assert(slice_eq(m->to_tag, slice_str(c.theirs)));
	accept(&c, m);
	notify(&c, EXPIRES SIPFRAG "SIP/2.0 100 Trying\r\n", "200");
	expect_progress(&c, 100);
	notify(&c, EXPIRES SIPFRAG "SIP/2.0 180 Ringing\r\n", "200");
	expect_progress(&c, 180);
	notify(&c, OVER SIPFRAG "SIP/2.0 200 OK\r\n", "200");
	expect_finished(&c, 200, ORIGIN_REMOTE);
	finish(&c);
}
END_TEST

START_TEST(rfc3515_2_4_4_notify_before_the_2xx)
{
	struct call c = established();
	const struct msg *m = refer_to_carol(&c);

	notify(&c, EXPIRES SIPFRAG "SIP/2.0 100 Trying\r\n", "200");
	expect_progress(&c, 100);
	notify(&c, OVER SIPFRAG "SIP/2.0 486 Busy Here\r\n", "200");
	expect_finished(&c, 486, ORIGIN_REMOTE);
	accept(&c, m);
	finish(&c);
}
END_TEST

/* The final status with a subscription that goes on: one outcome, and NOTIFYs are still answered.
 */
START_TEST(rfc3515_2_4_7_final_status_but_active)
{
	struct call c = established();

	accept(&c, refer_to_carol(&c));
	notify(&c, EXPIRES SIPFRAG "SIP/2.0 200 OK\r\n", "200");
	expect_finished(&c, 200, ORIGIN_REMOTE);
	notify(&c, OVER SIPFRAG "SIP/2.0 503 Service Unavailable\r\n", "200");
	finish(&c);
}
END_TEST

/* ---- no outcome from the peer ---- */

START_TEST(refused)
{
	struct call c = established();

	world_reply(c.w, refer_to_carol(&c), 603, NULL);
	world_settle(c.w);
	expect_finished(&c, 603, ORIGIN_REMOTE);
	notify(&c, EXPIRES SIPFRAG "SIP/2.0 100 Trying\r\n", "481");
	finish(&c);
}
END_TEST

START_TEST(rfc5057_5_1_refused_with_481_ends_the_session)
{
	struct call c = established();

	world_reply(c.w, refer_to_carol(&c), 481, NULL);
	world_settle(c.w);
	expect_finished(&c, 481, ORIGIN_REMOTE);
	(void)world_expect_event(c.wu, UA_SESSION_TERMINATED);
	(void)world_skip_out(c.w);
	call_leave(&c);
}
END_TEST

START_TEST(rfc6665_4_1_2_4_never_a_notify)
{
	struct call c = established();

	accept(&c, refer_to_carol(&c));
	world_run(c.w, 64 * TIMER_T1 - SEC);
	world_expect_no_event(c.wu);
	world_run(c.w, 2 * SEC);
	expect_finished(&c, 0, ORIGIN_TIMEOUT);
	notify(&c, EXPIRES SIPFRAG "SIP/2.0 100 Trying\r\n", "481");
	finish(&c);
}
END_TEST

START_TEST(subscription_expires)
{
	struct call c = established();

	accept(&c, refer_to_carol(&c));
	notify(&c, EXPIRES SIPFRAG "SIP/2.0 100 Trying\r\n", "200");
	expect_progress(&c, 100);
	/* A last NOTIFY may be on its way when it expires. */
	world_run(c.w, 60 * SEC + 64 * TIMER_T1 - SEC);
	world_expect_no_event(c.wu);
	world_run(c.w, 2 * SEC);
	expect_finished(&c, 0, ORIGIN_TIMEOUT);
	finish(&c);
}
END_TEST

START_TEST(rfc6665_4_1_3_terminated_without_outcome)
{
	static const char *const texts[] = {
		"Event: refer\nSubscription-State: terminated;reason=giveup\nContent-Length: 0\n\n",
		OVER SIPFRAG "SIP/2.0 100 Trying\r\n",
	};
	struct call c = established();

	accept(&c, refer_to_carol(&c));
	notify(&c, texts[_i], "200");
	if (_i == 1)
		expect_progress(&c, 100);
	expect_finished(&c, 0, ORIGIN_REMOTE);
	notify(&c, OVER SIPFRAG "SIP/2.0 200 OK\r\n", "481");
	finish(&c);
}
END_TEST

/* ---- without subscription ---- */

START_TEST(rfc4488_4_granted)
{
	struct call c = established();
	struct session_refer r = { .target = SLICE(CAROL), .no_subscription = true };
	const struct msg *m = refer(&c, &r);

	call_expect_header(m, HDR_REFER_SUB, "false");
	ck_assert(msg_has_token(m, HDR_SUPPORTED, SLICE("norefersub")));
	world_reply(c.w, m, 200, "Contact: " BOB "\nRefer-Sub: false\n");
	world_settle(c.w);
	expect_finished(&c, 200, ORIGIN_REMOTE);
	finish(&c);
}
END_TEST

START_TEST(rfc4488_4_not_granted)
{
	struct call c = established();
	struct session_refer r = { .target = SLICE(CAROL), .no_subscription = true };
	const struct msg *m = refer(&c, &r);

	world_reply(c.w, m, 202, _i ? "Contact: " BOB "\nRefer-Sub: true\n" : "Contact: " BOB "\n");
	world_settle(c.w);
	world_expect_no_event(c.wu);
	notify(&c, OVER SIPFRAG "SIP/2.0 200 OK\r\n", "200");
	expect_finished(&c, 200, ORIGIN_REMOTE);
	finish(&c);
}
END_TEST

/* ---- NOTIFYs that are no good ---- */

static const struct {
	const char *text, *answer;
} bad[] = {
	{ "Event: refer;id=4711\nSubscription-State: active;expires=60\n" SIPFRAG
	  "SIP/2.0 100 Trying\r\n",
		"481" },
	{ "Event: presence\nSubscription-State: active;expires=60\n" SIPFRAG
	  "SIP/2.0 100 Trying\r\n",
		"481" },
	{ "Event: refer\n" SIPFRAG "SIP/2.0 100 Trying\r\n", "400" },
	{ EXPIRES SIPFRAG "HTTP/1.1 200 OK\r\n", "400" },
	{ EXPIRES "Content-Length: 0\n\n", "400" },
	{ EXPIRES "Content-Type: text/plain\nContent-Length: {length}\n\nSIP/2.0 200 OK", "415" },
};

START_TEST(rfc6665_4_1_3_bad_notify)
{
	struct call c = established();

	accept(&c, refer_to_carol(&c));
	notify(&c, bad[_i].text, bad[_i].answer);
	world_expect_no_event(c.wu);
	notify(&c, OVER SIPFRAG "SIP/2.0 200 OK\r\n", "200");
	expect_finished(&c, 200, ORIGIN_REMOTE);
	finish(&c);
}
END_TEST

START_TEST(terminated_with_a_bad_body)
{
	struct call c = established();

	accept(&c, refer_to_carol(&c));
	notify(&c, OVER SIPFRAG "what?", "400");
	expect_finished(&c, 0, ORIGIN_REMOTE);
	finish(&c);
}
END_TEST

/* ---- several ---- */

static void notify_id(struct call *c, uint32_t id, const char *rest, const char *answer)
{
	struct buf b = BUF_NULL;

	buf_printf(&b, "Event: refer;id=%u\n%s", id, rest);
	buf_putc(&b, '\0');
	notify(c, b.p, answer);
	buf_deinit(&b);
}

START_TEST(rfc3515_2_4_6_by_id)
{
	struct call c = established();
	const struct msg *first = refer_to_carol(&c), *second;

	accept(&c, first);
	second = refer_to_carol(&c);
	accept(&c, second);
	notify_id(&c, second->cseq,
		"Subscription-State: terminated;reason=noresource\n" SIPFRAG "SIP/2.0 486 No\r\n",
		"200");
	expect_finished(&c, 486, ORIGIN_REMOTE);
	/* Without id: the first. */
	notify(&c, OVER SIPFRAG "SIP/2.0 200 OK\r\n", "200");
	expect_finished(&c, 200, ORIGIN_REMOTE);
	notify_id(
		&c, first->cseq, "Subscription-State: active\n" SIPFRAG "SIP/2.0 180 x\r\n", "481");
	finish(&c);
}
END_TEST

START_TEST(limit)
{
	struct call c = established();
	struct session_refer r = { .target = SLICE(CAROL) };

	for (unsigned i = 0; i < LIMITS_REFERS_PER_SESSION; i++)
		accept(&c, refer(&c, &r));
	ck_assert_int_eq(session_refer(c.s, &r), -ENOSPC);
	notify(&c, OVER SIPFRAG "SIP/2.0 200 OK\r\n", "200");
	expect_finished(&c, 200, ORIGIN_REMOTE);
	accept(&c, refer(&c, &r));
	world_run(c.w, 65 * TIMER_T1);
	for (unsigned i = 0; i < LIMITS_REFERS_PER_SESSION; i++)
		expect_finished(&c, 0, ORIGIN_TIMEOUT);
	finish(&c);
}
END_TEST

/* ---- the session ends first ---- */

START_TEST(rfc5057_4_2_outlives_the_session)
{
	struct call c = established();

	accept(&c, refer_to_carol(&c));
	notify(&c, EXPIRES SIPFRAG "SIP/2.0 100 Trying\r\n", "200");
	expect_progress(&c, 100);
	call_send(&c, "BYE", "Content-Length: 0\n\n");
	(void)world_expect_out(c.w, "200");
	ck_assert_uint_eq(session_state(c.s), SESSION_TERMINATING);
	notify(&c, EXPIRES SIPFRAG "SIP/2.0 180 Ringing\r\n", "200");
	expect_progress(&c, 180);
	world_run(c.w, 31 * SEC);
	world_expect_no_event(c.wu);
	/* LIMITS_REFER_LINGER_SECONDS */
	world_run(c.w, SEC);
	expect_finished(&c, 0, ORIGIN_LOCAL);
	(void)world_expect_terminated(c.wu, 200, ORIGIN_REMOTE);
	/* The peer still has a subscription, and is heard. */
	world_run(c.w, 8 * SEC);
	notify(&c, OVER SIPFRAG "SIP/2.0 200 OK\r\n", "200");
	notify(&c, OVER SIPFRAG "SIP/2.0 200 OK\r\n", "481");
	call_leave(&c);
}
END_TEST

START_TEST(session_ends_before_the_answer)
{
	struct call c = established();
	const struct msg *m = refer_to_carol(&c);

	ck_assert_int_eq(session_terminate(c.s, NULL), 0);
	world_reply(c.w, world_expect_out(c.w, "BYE"), 200, NULL);
	world_settle(c.w);
	world_expect_no_event(c.wu);
	world_reply(c.w, m, 202, "Contact: " BOB "\n");
	notify(&c, OVER SIPFRAG "SIP/2.0 200 OK\r\n", "200");
	expect_finished(&c, 200, ORIGIN_REMOTE);
	(void)world_expect_terminated(c.wu, 0, ORIGIN_LOCAL);
	call_leave(&c);
}
END_TEST

START_TEST(endpoint_closes)
{
	struct call c = established();

	accept(&c, refer_to_carol(&c));
	endpoint_close(c.ep);
	world_run(c.w, 2 * 64 * TIMER_T1);
	expect_finished(&c, 0, ORIGIN_LOCAL);
	ck_assert_uint_eq(c.wu->ua->refers.n, 0);
	world_free(c.w);
}
END_TEST

/* ---- attended ---- */

START_TEST(rfc5589_7_replaces)
{
	struct call c = established();
	struct call other = call_another(&c, CAROL, "<sip:carol@192.0.2.30:5090>");
	struct session_refer r = { .replaces = other.s };
	struct buf expected = BUF_NULL;

	/* RFC 3891 section 6.1: from-tag and to-tag as carol sees them. */
	buf_printf(&expected,
		"<sip:carol@192.0.2.30:5090?Replaces=%s%%3Bto-tag%%3D%s%%3Bfrom-tag%%3D%s"
		"&Require=replaces>",
		other.call_id, other.theirs, other.ours);
	buf_putc(&expected, '\0');
	call_expect_header(refer(&c, &r), HDR_REFER_TO, expected.p);
	buf_deinit(&expected);
	r.target = SLICE("sip:carol@example.com?Subject=x");
	accept(&c, refer(&c, &r));
	world_free(c.w);
}
END_TEST

START_TEST(wrong_state_and_arguments)
{
	struct call c = established();
	struct session_spec spec = { .target = SLICE(CAROL) };
	struct session_refer r = { .target = SLICE("no uri") };
	struct request_header own = { SLICE_INIT("Refer-To"), SLICE_INIT("<sip:x@y>") };
	const char *why;

	ck_assert_int_eq(session_refer(c.s, &r), -EINVAL);
	r.target = SLICE(CAROL);
	r.headers = (struct session_headers){ .list = &own, .n = 1 };
	ck_assert_int_eq(session_refer(c.s, &r), -EINVAL);
	r.headers.n = 0;
	ck_assert_int_eq(session_new(c.ep, &spec, &r.replaces, &why), 0);
	(void)world_expect_out(c.w, "INVITE");
	/* Not established: there is nothing that Replaces could name (RFC 3891 section 3). */
	ck_assert_int_eq(session_refer(c.s, &r), -ESTALE);
	ck_assert_int_eq(
		session_refer(r.replaces, &(struct session_refer){ .target = SLICE(CAROL) }),
		-ESTALE);
	ck_assert_uint_eq(c.ep->n_refers, 0);
	world_free(c.w);
}
END_TEST

/* ---- a peer with a GRUU ---- */

START_TEST(rfc7647_4_target_dialog)
{
	struct call c = call_scene();
	struct buf expected = BUF_NULL;
	const struct msg *m;

	call_bob(&c, "<sip:bob@192.0.2.20;gr=urn:uuid:1>");
	m = refer_to_carol(&c);
	ck_assert(!m->to_tag.p);
	ck_assert(slice_eq(m->request_uri, SLICE("sip:bob@192.0.2.20;gr=urn:uuid:1")));
	buf_printf(&expected, "%s;local-tag=%s;remote-tag=%s", c.call_id, c.theirs, c.ours);
	buf_putc(&expected, '\0');
	call_expect_header(m, HDR_TARGET_DIALOG, expected.p);
	buf_deinit(&expected);
	accept(&c, m);
	/* The subscription is in a dialog of its own. */
	notify(&c, OVER SIPFRAG "SIP/2.0 200 OK\r\n", "481");
	(void)snprintf(c.call_id, sizeof(c.call_id), "%.*s", SLICE_ARGS(m->call_id));
	(void)snprintf(c.ours, sizeof(c.ours), "%.*s", SLICE_ARGS(m->from_tag));
	notify(&c, "Contact: " BOB "\n" OVER SIPFRAG "SIP/2.0 200 OK\r\n", "200");
	expect_finished(&c, 200, ORIGIN_REMOTE);
	finish(&c);
}
END_TEST

static Suite *suite(void)
{
	Suite *s = suite_create("session-refer");
	TCase *t = tcase_create("referrer");

	tcase_add_test(t, rfc3515_2_4_4_success);
	tcase_add_test(t, rfc3515_2_4_4_notify_before_the_2xx);
	tcase_add_test(t, rfc3515_2_4_7_final_status_but_active);
	tcase_add_test(t, refused);
	tcase_add_test(t, rfc5057_5_1_refused_with_481_ends_the_session);
	tcase_add_test(t, rfc6665_4_1_2_4_never_a_notify);
	tcase_add_test(t, subscription_expires);
	tcase_add_loop_test(t, rfc6665_4_1_3_terminated_without_outcome, 0, 2);
	tcase_add_test(t, rfc4488_4_granted);
	tcase_add_loop_test(t, rfc4488_4_not_granted, 0, 2);
	tcase_add_loop_test(t, rfc6665_4_1_3_bad_notify, 0, (int)ARRAY_LEN(bad));
	tcase_add_test(t, terminated_with_a_bad_body);
	tcase_add_test(t, rfc3515_2_4_6_by_id);
	tcase_add_test(t, limit);
	tcase_add_test(t, rfc5057_4_2_outlives_the_session);
	tcase_add_test(t, session_ends_before_the_answer);
	tcase_add_test(t, endpoint_closes);
	tcase_add_test(t, rfc5589_7_replaces);
	tcase_add_test(t, wrong_state_and_arguments);
	tcase_add_test(t, rfc7647_4_target_dialog);
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
