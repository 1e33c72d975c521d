/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* An INVITE for the place of a session, or one beside it (RFC 3891 section 3, RFC 3911 section 4).
 */
#include <check.h>
#include <stdio.h>

#include "protocol/base/err.h"
#include "tests/flow/caller.h"

/* An INVITE that names Alice's dialog of call-1; more: "" or ";early-only". */
static void invites(struct caller *c, const char *header, const char *tag, const char *more)
{
	char lines[512];

	(void)snprintf(lines, sizeof(lines), "%s: call-1;to-tag=%s;from-tag=bob%s\n%s", header, tag,
		more, WITH(OFFER));
	caller_invites(c, lines);
}

/* Bob's second INVITE is refused with that, and the first session is as it was. */
static void refused(struct caller *c, const char *status)
{
	(void)caller_expect(c, status);
	caller_acks_refusal(c);
	world_expect_no_session(c->wu);
	world_expect_no_event(c->wu);
}

/* From now on Bob speaks in his first dialog again. */
static void back_to_first(struct caller *c, const char *tag)
{
	c->n_calls = 1;
	c->cseq = 10;
	free(c->to_tag);
	c->to_tag = slice_dup(slice_str(tag));
}

static void hang_up(struct caller *c)
{
	caller_sends(c, "BYE", NULL);
	ck_assert_int_eq(world_expect_out(c->w, "200")->cseq_method, METHOD_BYE);
	(void)world_expect_terminated(c->wu, 200, ORIGIN_REMOTE);
}

/* The session that is replaced ends with BYE once the other is accepted, not before. */
START_TEST(rfc3891_3_confirmed)
{
	struct caller c = caller_new();
	struct session *first;
	const struct msg *bye;
	char *tag;

	world_show(c.w, "CSeq");
	world_show(c.w, "Reason");
	caller_calls(&c, NULL);
	caller_established(&c);
	first = c.s;
	tag = mem_strdup(c.to_tag);
	invites(&c, "Replaces", tag, "");
	c.s = world_expect_session(c.wu);
	ck_assert_ptr_eq(session_replaced(c.s), first);
	ck_assert_ptr_null(session_joined(c.s));
	ck_assert_uint_eq(session_state(first), SESSION_ESTABLISHED);
	caller_accept(&c, ANSWER);
	(void)caller_expect(&c, "200");
	bye = world_expect_out(c.w, "BYE");
	ck_assert(slice_eq(bye->from_tag, slice_str(tag)));
	caller_check_header(bye, HDR_REASON, "SIP;cause=200;text=\"Replaced\"");
	world_reply(c.w, bye, 200, NULL);
	world_settle(c.w);
	ck_assert(slice_eq(
		world_expect_terminated(c.wu, 0, ORIGIN_LOCAL)->event.reason, SLICE("replaced")));
	caller_acks(&c, 1, NULL);
	(void)world_expect_event(c.wu, UA_SESSION_ESTABLISHED);
	ck_assert_ptr_null(session_replaced(c.s));
	world_log_golden(c.w, "session-replaces-confirmed");
	hang_up(&c);
	free(tag);
	caller_finish(&c);
}
END_TEST

/* Whom nobody takes changes nothing. */
START_TEST(rfc3891_3_refused_leaves_it)
{
	struct caller c = caller_new();
	struct session *first;
	char *tag;

	caller_calls(&c, NULL);
	caller_established(&c);
	first = c.s;
	tag = mem_strdup(c.to_tag);
	invites(&c, "Replaces", tag, "");
	session_pass(world_expect_session(c.wu));
	(void)caller_expect(&c, "480");
	caller_acks_refusal(&c);
	(void)world_expect_terminated(c.wu, 480, ORIGIN_LOCAL);
	ck_assert_uint_eq(session_state(first), SESSION_ESTABLISHED);
	back_to_first(&c, tag);
	hang_up(&c);
	free(tag);
	caller_finish(&c);
}
END_TEST

/* What was to be replaced may end first: then there is one session less to end. */
START_TEST(rfc3891_3_replaced_ends_first)
{
	struct caller c = caller_new();
	struct session *second;
	char *tag, *second_tag;

	caller_calls(&c, NULL);
	caller_established(&c);
	tag = mem_strdup(c.to_tag);
	invites(&c, "Replaces", tag, "");
	second = world_expect_session(c.wu);
	c.s = second;
	caller_rung(&c);
	second_tag = mem_strdup(c.to_tag);
	back_to_first(&c, tag);
	hang_up(&c);
	ck_assert_ptr_null(session_replaced(second));
	c.n_calls = 2;
	c.cseq = 1;
	free(c.to_tag);
	c.to_tag = second_tag;
	caller_established(&c);
	hang_up(&c);
	free(tag);
	caller_finish(&c);
}
END_TEST

START_TEST(rfc3891_3_early_only)
{
	struct caller c = caller_new();
	char *tag;

	caller_calls(&c, NULL);
	caller_established(&c);
	tag = mem_strdup(c.to_tag);
	invites(&c, "Replaces", tag, ";early-only");
	refused(&c, "486");
	back_to_first(&c, tag);
	hang_up(&c);
	free(tag);
	caller_finish(&c);
}
END_TEST

/* An early dialog that Alice did not begin is none to be replaced; to be joined it is. */
START_TEST(rfc3891_3_early_of_the_peer)
{
	struct caller c = caller_new();
	struct session *first, *second;
	char *tag;

	caller_calls(&c, NULL);
	caller_rung(&c);
	first = c.s;
	tag = mem_strdup(c.to_tag);
	invites(&c, "Replaces", tag, "");
	refused(&c, "481");
	invites(&c, "Join", tag, "");
	second = world_expect_session(c.wu);
	ck_assert_ptr_eq(session_joined(second), first);
	ck_assert_ptr_null(session_replaced(second));
	session_pass(second);
	(void)caller_expect(&c, "480");
	caller_acks_refusal(&c);
	(void)world_expect_terminated(c.wu, 480, ORIGIN_LOCAL);
	back_to_first(&c, tag);
	session_pass(first);
	(void)caller_expect(&c, "480");
	caller_acks_refusal(&c);
	(void)world_expect_terminated(c.wu, 480, ORIGIN_LOCAL);
	free(tag);
	caller_finish(&c);
}
END_TEST

/* Alice calls Carol, whose phone rings: the dialog that Bob wants, as a Replaces value. */
static struct session *rings_carol(struct caller *c, const struct msg **ret_invite, char *lines)
{
	struct session_spec spec = {
		.target = SLICE("sip:carol@192.0.2.1"),
		.offer = world_sdp(OFFER),
	};
	const struct msg *invite;
	struct session *s;
	const char *why;

	ck_assert_int_eq(session_new(c->ep, &spec, &s, &why), 0);
	invite = world_expect_out(c->w, "INVITE");
	world_reply_as(c->w, invite, 180, "carol", "Contact: <sip:carol@192.0.2.1>\n");
	world_settle(c->w);
	(void)world_expect_progress(c->wu, 180);
	(void)snprintf(lines, 512, "Replaces: %.*s;to-tag=%.*s;from-tag=carol;early-only\n%s",
		SLICE_ARGS(invite->call_id), SLICE_ARGS(invite->from_tag), WITH(OFFER));
	*ret_invite = invite;
	return s;
}

/* What rings at somebody's is taken back by CANCEL when the call is picked up elsewhere. */
START_TEST(rfc3891_3_early_of_ours)
{
	struct caller c = caller_new();
	const struct msg *invite;
	struct session *first;
	char lines[512];

	world_show(c.w, "CSeq");
	world_show(c.w, "Reason");
	first = rings_carol(&c, &invite, lines);
	caller_calls(&c, lines);
	ck_assert_ptr_eq(session_replaced(c.s), first);
	caller_accept(&c, ANSWER);
	(void)caller_expect(&c, "200");
	world_reply(c.w, world_expect_out(c.w, "CANCEL"), 200, NULL);
	ck_assert_uint_eq(session_state(first), SESSION_TERMINATING);
	world_reply_as(c.w, invite, 487, "carol", NULL);
	(void)world_expect_out(c.w, "ACK");
	ck_assert(slice_eq(
		world_expect_terminated(c.wu, 487, ORIGIN_LOCAL)->event.reason, SLICE("replaced")));
	caller_acks(&c, 1, NULL);
	(void)world_expect_event(c.wu, UA_SESSION_ESTABLISHED);
	world_log_golden(c.w, "session-replaces-early");
	hang_up(&c);
	caller_finish(&c);
}
END_TEST

/* Section 7.1: Carol answers before Alice takes Bob's call, which was not to break hers. */
START_TEST(rfc3891_7_1_answered_meanwhile)
{
	struct session_body answer = world_sdp(ANSWER);
	struct caller c = caller_new();
	const struct msg *invite;
	struct session *first;
	char lines[512];

	first = rings_carol(&c, &invite, lines);
	caller_calls(&c, lines);
	world_reply_as(c.w, invite, 200, "carol", "Contact: <sip:carol@192.0.2.1>\n" WITH(ANSWER));
	(void)world_expect_out(c.w, "ACK");
	(void)world_expect_event(c.wu, UA_SESSION_ESTABLISHED);
	ck_assert_int_eq(session_accept(c.s, &answer, NULL), -ESTALE);
	(void)caller_expect(&c, "486");
	caller_acks_refusal(&c);
	(void)world_expect_terminated(c.wu, 486, ORIGIN_LOCAL);
	ck_assert_uint_eq(session_state(first), SESSION_ESTABLISHED);
	ck_assert_int_eq(session_terminate(first, NULL), 0);
	world_reply(c.w, world_expect_out(c.w, "BYE"), 200, NULL);
	world_settle(c.w);
	(void)world_expect_terminated(c.wu, 0, ORIGIN_LOCAL);
	caller_finish(&c);
}
END_TEST

/* One INVITE takes one place. */
START_TEST(rfc3891_3_several)
{
	static const char *const rows[] = {
		"Replaces: call-1;to-tag=a;from-tag=b\nReplaces: call-1;to-tag=c;from-tag=b\n",
		"Replaces: call-1;to-tag=a;from-tag=b, call-2;to-tag=c;from-tag=b\n",
		"Join: call-1;to-tag=a;from-tag=b\nJoin: call-1;to-tag=c;from-tag=b\n",
		"Join: call-1;to-tag=a;from-tag=b\nReplaces: call-1;to-tag=a;from-tag=b\n",
	};
	struct caller c = caller_new();

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		char lines[512];

		(void)snprintf(lines, sizeof(lines), "%s%s", rows[i], WITH(OFFER));
		caller_invites(&c, lines);
		refused(&c, "400");
	}
	caller_finish(&c);
}
END_TEST

/* Who joins leaves the session that is joined as it is. */
START_TEST(rfc3911_4_joined)
{
	struct caller c = caller_new();
	struct session *first;
	char *tag;

	caller_calls(&c, NULL);
	caller_established(&c);
	first = c.s;
	tag = mem_strdup(c.to_tag);
	invites(&c, "Join", tag, "");
	c.s = world_expect_session(c.wu);
	caller_established(&c);
	ck_assert_uint_eq(session_state(first), SESSION_ESTABLISHED);
	hang_up(&c);
	back_to_first(&c, tag);
	hang_up(&c);
	free(tag);
	caller_finish(&c);
}
END_TEST

/* Neither a dialog that never was, nor one of other tags. */
START_TEST(rfc3891_3_no_match)
{
	struct caller c = caller_new();
	char *tag;

	invites(&c, "Replaces", "nobody", "");
	refused(&c, "481");
	invites(&c, "Join", "nobody", "");
	refused(&c, "481");
	caller_invites(&c, "Replaces: call-1;to-tag=a\n" WITH(OFFER));
	refused(&c, "400");
	c.n_calls = 0;
	world_run(c.w, 40 * SEC);
	caller_calls(&c, NULL);
	caller_established(&c);
	tag = mem_strdup(c.to_tag);
	invites(&c, "Replaces", "bob", "");
	refused(&c, "481");
	back_to_first(&c, tag);
	hang_up(&c);
	free(tag);
	caller_finish(&c);
}
END_TEST

/* One that has just ended is declined, so that nobody rings for it any more. */
START_TEST(rfc3891_3_ended)
{
	struct caller c = caller_new();
	char *tag;

	caller_calls(&c, NULL);
	caller_established(&c);
	tag = mem_strdup(c.to_tag);
	hang_up(&c);
	invites(&c, "Replaces", tag, "");
	refused(&c, "603");
	invites(&c, "Join", tag, "");
	refused(&c, "603");
	world_run(c.w, 64 * TIMER_T1);
	invites(&c, "Replaces", tag, "");
	refused(&c, "481");
	free(tag);
	caller_finish(&c);
}
END_TEST

/* The dialogs of another endpoint are nobody's business here. */
START_TEST(rfc3891_3_of_another_endpoint)
{
	static const struct world_account carol = { .id = "carol", .domain = "192.0.2.10" };
	struct caller c = caller_new();
	struct endpoint *other = world_endpoint(c.wu, &carol);
	char lines[512], *tag;

	caller_calls(&c, NULL);
	caller_established(&c);
	tag = mem_strdup(c.to_tag);
	(void)snprintf(lines, sizeof(lines),
		"INVITE sip:carol@192.0.2.10 SIP/2.0\n"
		"Via: SIP/2.0/UDP {peer};branch=z9hG4bK-carol;rport\nMax-Forwards: 70\n"
		"From: <sip:bob@192.0.2.1>;tag=eve\nTo: <sip:carol@192.0.2.10>\n"
		"Call-ID: carol\nCSeq: 1 INVITE\nContact: <sip:bob@192.0.2.1>\n"
		"Replaces: call-1;to-tag=%s;from-tag=bob\nContent-Length: 0\n\n",
		tag);
	world_in(c.wu, c.from, lines);
	(void)world_expect_out(c.w, "481");
	world_expect_no_session(c.wu);
	world_run(c.w, 64 * TIMER_T1);
	(void)world_skip_out(c.w);
	hang_up(&c);
	endpoint_close(other);
	free(tag);
	caller_finish(&c);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("session-replaces");
	TCase *tc = tcase_create("replaces");
	SRunner *sr;
	int failed;

	tcase_add_test(tc, rfc3891_3_confirmed);
	tcase_add_test(tc, rfc3891_3_refused_leaves_it);
	tcase_add_test(tc, rfc3891_3_replaced_ends_first);
	tcase_add_test(tc, rfc3891_3_early_only);
	tcase_add_test(tc, rfc3891_3_early_of_the_peer);
	tcase_add_test(tc, rfc3891_3_early_of_ours);
	tcase_add_test(tc, rfc3891_7_1_answered_meanwhile);
	tcase_add_test(tc, rfc3891_3_several);
	tcase_add_test(tc, rfc3911_4_joined);
	tcase_add_test(tc, rfc3891_3_no_match);
	tcase_add_test(tc, rfc3891_3_ended);
	tcase_add_test(tc, rfc3891_3_of_another_endpoint);
	suite_add_tcase(s, tc);
	sr = srunner_create(s);
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed ? 1 : 0;
}
