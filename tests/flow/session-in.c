/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A session comes: from the INVITE to our answer (RFC 3261 sections 9.2, 12.1.1 and 13.3). */
#include <check.h>
#include <string.h>

#include "protocol/base/err.h"
#include "protocol/ua/limits.h"
#include "protocol/ua/session-private.h"
#include "tests/flow/caller.h"

/* ---- RFC 3665, the called side ---- */

static void show(struct caller *c)
{
	world_show(c->w, "To");
	world_show(c->w, "CSeq");
	world_show(c->w, "Contact");
	world_show(c->w, "Content-Type");
}

START_TEST(rfc3665_3_1_session)
{
	struct caller c = caller_new();

	show(&c);
	caller_calls(&c, NULL);
	caller_rung(&c);
	world_run(c.w, 3 * SEC);
	caller_established(&c);
	world_run(c.w, 10 * SEC);
	caller_sends(&c, "BYE", NULL);
	(void)world_expect_out(c.w, "200");
	(void)world_expect_terminated(c.wu, 200, ORIGIN_REMOTE);
	world_log_golden(c.w, "session-in-3665-3.1");
	caller_finish(&c);
}
END_TEST

/* The SDP in the ACK, which also says that somebody answered. */
START_TEST(rfc3665_3_6_offer_in_2xx)
{
	struct caller c = caller_new();

	show(&c);
	caller_calls(&c, "Content-Length: 0\n\n");
	ck_assert_uint_eq(session_description_state(c.s), OFFER_NONE);
	/* 13.3.1.4: the 2xx has to have the offer. */
	ck_assert_int_eq(session_accept(c.s, &(struct session_body){ 0 }, NULL), -EINVAL);
	caller_accept(&c, OFFER);
	ck_assert_uint_eq(session_description_state(c.s), OFFER_LOCAL);
	ck_assert(slice_eq(caller_expect(&c, "200")->body, SLICE(OFFER)));
	caller_acks(&c, 1, WITH(ANSWER));
	world_expect_body(world_expect_event(c.wu, UA_SESSION_ESTABLISHED), ANSWER);
	ck_assert_uint_eq(session_description_state(c.s), OFFER_STABLE);
	world_log_golden(c.w, "session-in-3665-3.6");
	caller_sends(&c, "BYE", NULL);
	(void)world_expect_out(c.w, "200");
	(void)world_expect_terminated(c.wu, 200, ORIGIN_REMOTE);
	caller_finish(&c);
}
END_TEST

START_TEST(rfc3665_3_8_no_answer)
{
	struct caller c = caller_new();
	const struct world_told *t;

	show(&c);
	caller_calls(&c, NULL);
	caller_rung(&c);
	world_run(c.w, 30 * SEC);
	caller_cancels(&c, NULL);
	(void)caller_expect(&c, "487");
	caller_acks_refusal(&c);
	t = world_expect_terminated(c.wu, 487, ORIGIN_REMOTE);
	ck_assert(slice_eq(t->event.reason, SLICE("Request Terminated")));
	world_log_golden(c.w, "session-in-3665-3.8");
	caller_finish(&c);
}
END_TEST

START_TEST(rfc3665_3_9_busy)
{
	struct caller c = caller_new();

	show(&c);
	caller_calls(&c, NULL);
	ck_assert_int_eq(session_reject(c.s, 486, SLICE("Busy Here"), NULL), 0);
	(void)caller_expect(&c, "486");
	caller_acks_refusal(&c);
	(void)world_expect_terminated(c.wu, 486, ORIGIN_LOCAL);
	world_log_golden(c.w, "session-in-3665-3.9");
	caller_finish(&c);
}
END_TEST

/* The retransmitted refusal, too, comes from the transaction; Timer H is nobody's news. */
START_TEST(refusal_without_ack)
{
	struct caller c = caller_new();

	caller_calls(&c, NULL);
	session_pass(c.s);
	(void)caller_expect(&c, "480");
	(void)world_expect_terminated(c.wu, 480, ORIGIN_LOCAL);
	world_run(c.w, 64 * TIMER_T1);
	ck_assert_uint_eq(world_skip_out(c.w), 10);
	world_expect_no_event(c.wu);
	caller_finish(&c);
}
END_TEST

/* ---- the INVITE ---- */

START_TEST(what_is_read_off_the_invite)
{
	struct caller c = caller_new();

	caller_calls(&c, "Subject: lunch\n" WITH(OFFER));
	ck_assert(!session_is_outgoing(c.s));
	ck_assert(slice_eq(session_type(c.s), SLICE("pc2pc")));
	ck_assert(slice_eq(session_party(c.s), SLICE("first")));
	ck_assert(slice_eq(session_call_id(c.s), SLICE("call-1")));
	ck_assert(slice_eq(session_remote(c.s), SLICE("\"Bob\" <sip:bob@192.0.2.1>")));
	ck_assert(slice_eq(session_local(c.s), SLICE("<sip:alice@192.0.2.10>")));
	ck_assert(slice_eq(session_request_uri(c.s), SLICE("sip:alice@192.0.2.10")));
	ck_assert(slice_eq(session_remote_target(c.s), SLICE("sip:bob@192.0.2.1")));
	ck_assert_uint_eq(session_description_state(c.s), OFFER_REMOTE);
	ck_assert(slice_eq(session_msg(c.s, SESSION_INVITE)->body, SLICE(OFFER)));
	ck_assert_ptr_null(session_msg(c.s, SESSION_FINAL));
	session_pass(c.s);
	ck_assert_uint_eq(caller_expect(&c, "480")->status, 480);
	(void)world_expect_terminated(c.wu, 480, ORIGIN_LOCAL);
	caller_acks_refusal(&c);
	caller_finish(&c);
}
END_TEST

START_TEST(type_by_description)
{
	static const struct {
		const char *lines, *type;
	} rows[] = {
		{ WITH("v=0\r\nm=message 5060 sip null\r\n"), "im" },
		{ WITH("v=0\r\nm=audio 4000 RTP/AVP 0\r\na=m=message\r\n"), "pc2pc" },
		{ WITH("m=message 9 TCP/MSRP *"), "im" },
		{ "Content-Length: 0\n\n", "pc2pc" },
	};
	struct caller c = caller_new();

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		caller_calls(&c, rows[i].lines);
		ck_assert(slice_eq(session_type(c.s), slice_str(rows[i].type)));
		session_pass(c.s);
		(void)caller_expect(&c, "480");
		(void)world_expect_terminated(c.wu, 480, ORIGIN_LOCAL);
		caller_acks_refusal(&c);
	}
	caller_finish(&c);
}
END_TEST

/* RFC 3323, 3326, 5806, 7044, 8224: nobody here acts upon them; the client reads what came. */
START_TEST(passed_on_as_it_came)
{
	static const struct {
		enum hdr_id id;
		const char *value;
	} rows[] = {
		{ HDR_PRIVACY, "id" },
		{ HDR_REASON, "SIP;cause=302;text=\"Moved\"" },
		{ HDR_DIVERSION, "<sip:carol@example.com>;reason=no-answer;counter=1" },
		{ HDR_HISTORY_INFO, "<sip:carol@example.com>;index=1" },
		{ HDR_IDENTITY, "c2lnbmF0dXJl;info=<https://example.com/cert>;alg=ES256" },
	};
	struct caller c = caller_new();
	struct buf lines = BUF_NULL;

	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		buf_printf(&lines, "%.*s: %s\n", SLICE_ARGS(hdr_name(rows[i].id)), rows[i].value);
	buf_lit(&lines, WITH(OFFER));
	buf_putc(&lines, '\0');
	caller_calls(&c, lines.p);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		caller_check_header(session_msg(c.s, SESSION_INVITE), rows[i].id, rows[i].value);
	session_pass(c.s);
	(void)caller_expect(&c, "480");
	(void)world_expect_terminated(c.wu, 480, ORIGIN_LOCAL);
	caller_acks_refusal(&c);
	buf_deinit(&lines);
	caller_finish(&c);
}
END_TEST

/* What cannot become a session is refused without one. */
START_TEST(refused_at_once)
{
	static const struct {
		const char *lines, *status;
		enum hdr_id id;
		const char *value;
	} rows[] = {
		{ "Require: teleport\n" WITH(OFFER), "420", HDR_UNSUPPORTED,
			"teleport" }, /* 8.2.2.3 */
		{ "Record-Route: <tel:1>\n" WITH(OFFER), "400", HDR_UNSUPPORTED, "" },
		{ "Supported: timer\nSession-Expires: 30\n" WITH(OFFER), "422", HDR_MIN_SE, "90" },
		{ "Replaces: a;from-tag=1;to-tag=2\nJoin: a;from-tag=1;to-tag=2\n" WITH(OFFER),
			"400", HDR_UNSUPPORTED, "" }, /* RFC 3891 section 3 */
	};
	struct caller c = caller_new();

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		caller_invites(&c, rows[i].lines);
		caller_check_header(caller_expect(&c, rows[i].status), rows[i].id, rows[i].value);
		caller_acks_refusal(&c);
		world_expect_no_session(c.wu);
	}
	ck_assert_uint_eq(c.wu->ua->n_sessions, 0);
	ck_assert_uint_eq(c.wu->ua->dialogs.n, 0);
	caller_finish(&c);
}
END_TEST

/* 8.1.1.8: without a Contact there is no way to answer a dialog's requests. */
START_TEST(rfc3261_8_1_1_8_no_contact)
{
	struct caller c = caller_new();
	struct buf b = BUF_NULL;

	buf_lit(&b, "INVITE sip:alice@192.0.2.10 SIP/2.0\n"
		    "Via: SIP/2.0/TCP {peer};branch=z9hG4bK-1\nMax-Forwards: 70\n"
		    "From: <sip:bob@192.0.2.1>;tag=b\nTo: <sip:alice@192.0.2.10>\n"
		    "Call-ID: 1\nCSeq: 1 INVITE\nContent-Length: 0\n\n");
	buf_putc(&b, '\0');
	world_in(c.wu, "tcp:192.0.2.1:5060", b.p);
	(void)world_expect_out(c.w, "400");
	world_expect_no_session(c.wu);
	buf_deinit(&b);
	caller_finish(&c);
}
END_TEST

/* 12.1.1: a caller that is reached by sips is to reach us so. */
START_TEST(rfc3261_12_1_1_sips_contact)
{
	static const struct {
		const char *lines;
		enum uri_scheme scheme;
	} rows[] = {
		{ WITH(OFFER), URI_SIP },
		{ "Record-Route: <sips:192.0.2.1;lr>, <sip:192.0.2.2;lr>\n" WITH(OFFER), URI_SIPS },
		{ "Record-Route: <sip:192.0.2.1;lr>\nRecord-Route: <sips:192.0.2.2;lr>\n" WITH(
			  OFFER),
			URI_SIP },
	};
	struct caller c = caller_new();

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		caller_calls(&c, rows[i].lines);
		ck_assert_int_eq(session_ring(c.s, &(struct session_ring){ 0 }), 0);
		ck_assert_int_eq(caller_expect(&c, "180")->contact.uri.scheme, rows[i].scheme);
		session_pass(c.s);
		(void)caller_expect(&c, "480");
		(void)world_expect_terminated(c.wu, 480, ORIGIN_LOCAL);
		caller_acks_refusal(&c);
	}
	caller_finish(&c);
}
END_TEST

/* 12.2.2: what overtook another request comes too late; 14.2 has it try again. */
START_TEST(rfc3261_12_2_2_lower_cseq)
{
	static const char *const methods[] = { "OPTIONS", "INFO", "INVITE" };
	struct caller c = caller_new();
	uint32_t seconds;

	c.from = "tcp:192.0.2.1:5060";
	caller_calls(&c, NULL);
	caller_established(&c);
	c.cseq = 10;
	caller_sends(&c, "OPTIONS", NULL);
	(void)world_expect_out(c.w, "200");
	for (size_t i = 0; i < ARRAY_LEN(methods); i++) {
		const struct msg *m;

		c.cseq = 8;
		caller_sends(&c, methods[i], NULL);
		m = world_expect_out(c.w, "500");
		ck_assert(msg_number(m, HDR_RETRY_AFTER, UINT32_MAX, &seconds));
		ck_assert_uint_le(seconds, 10);
	}
	world_expect_no_event(c.wu);
	ck_assert_uint_eq(session_state(c.s), SESSION_ESTABLISHED);
	c.cseq = 10;
	caller_sends(&c, "BYE", NULL);
	(void)world_expect_out(c.w, "200");
	(void)world_expect_terminated(c.wu, 200, ORIGIN_REMOTE);
	caller_finish(&c);
}
END_TEST

/* 17.2.1: a 100 after 200 ms, and a retransmission gets what was sent last; nobody is asked twice.
 */
START_TEST(retransmitted_invite)
{
	struct caller c = caller_new();

	caller_calls(&c, NULL);
	world_run(c.w, 200 * MSEC);
	(void)caller_expect(&c, "100");
	caller_repeats(&c);
	(void)caller_expect(&c, "100");
	caller_rung(&c);
	caller_repeats(&c);
	(void)caller_expect(&c, "180");
	world_expect_no_session(c.wu);
	session_pass(c.s);
	(void)caller_expect(&c, "480");
	(void)world_expect_terminated(c.wu, 480, ORIGIN_LOCAL);
	caller_acks_refusal(&c);
	caller_finish(&c);
}
END_TEST

/* 8.2.2.2: the same INVITE by another way. */
START_TEST(merged_invite)
{
	struct caller c = caller_new();
	char *second, *branch;

	caller_calls(&c, NULL);
	second = mem_strdup(c.invite);
	branch = strstr(second, "call-1;");
	memcpy(branch, "CALL-2;", strlen("CALL-2;"));
	world_in(c.wu, c.from, second);
	ck_assert_int_eq(world_expect_out(c.w, "482")->cseq_method, METHOD_INVITE);
	world_expect_no_session(c.wu);
	free(second);
	/* The 482 is repeated until its ACK, which the other way's transaction waits for. */
	world_run(c.w, 64 * TIMER_T1);
	ck_assert_uint_gt(world_skip_out(c.w), 5);
	session_pass(c.s);
	(void)caller_expect(&c, "480");
	(void)world_expect_terminated(c.wu, 480, ORIGIN_LOCAL);
	caller_acks_refusal(&c);
	caller_finish(&c);
}
END_TEST

/* 16.6: a proxy forks to two endpoints of one address of record that both live here. Each is a user
 * agent server of its own, so that neither copy is merged with the other. */
START_TEST(forked_to_two_endpoints)
{
	static const struct world_account office = { .id = "office", .domain = "192.0.2.10" };
	struct caller c = caller_new();
	struct endpoint *second = world_endpoint(c.wu, &office);
	struct buf b = BUF_NULL;
	struct session *s;
	char *copy, *branch;

	caller_calls(&c, NULL);
	buf_printf(&b, "INVITE sip:%s@192.0.2.10 SIP/2.0%s", second->token, strchr(c.invite, '\n'));
	copy = buf_take(&b);
	branch = strstr(copy, "call-1;");
	memcpy(branch, "CALL-2;", strlen("CALL-2;"));
	world_in(c.wu, c.from, copy);
	world_settle(c.w);
	free(copy);
	s = world_expect_session(c.wu);
	ck_assert_ptr_eq(session_endpoint(s), second);
	session_pass(s);
	(void)world_expect_out(c.w, "480");
	(void)world_expect_terminated(c.wu, 480, ORIGIN_LOCAL);
	/* Repeated until its ACK, which is the proxy's to send. */
	world_run(c.w, 64 * TIMER_T1);
	ck_assert_uint_gt(world_skip_out(c.w), 5);
	session_pass(c.s);
	(void)caller_expect(&c, "480");
	(void)world_expect_terminated(c.wu, 480, ORIGIN_LOCAL);
	caller_acks_refusal(&c);
	endpoint_close(second);
	caller_finish(&c);
}
END_TEST

START_TEST(two_invites_at_once)
{
	struct caller c = caller_new();
	struct session *first;
	char *first_tag;

	caller_calls(&c, NULL);
	first = c.s;
	caller_rung(&c);
	first_tag = mem_take(&c.to_tag);
	caller_calls(&c, NULL);
	ck_assert_ptr_ne(c.s, first);
	caller_rung(&c);
	ck_assert_str_ne(c.to_tag, first_tag);
	/* The first one is not touched by the end of the second. */
	caller_cancels(&c, NULL);
	(void)caller_expect(&c, "487");
	caller_acks_refusal(&c);
	(void)world_expect_terminated(c.wu, 487, ORIGIN_REMOTE);
	ck_assert_uint_eq(session_state(first), SESSION_RINGING);
	c.s = first;
	c.n_calls = 1;
	free(c.to_tag);
	c.to_tag = first_tag;
	caller_established(&c);
	caller_sends(&c, "BYE", NULL);
	(void)world_expect_out(c.w, "200");
	(void)world_expect_terminated(c.wu, 200, ORIGIN_REMOTE);
	caller_finish(&c);
}
END_TEST

/* 21.5.4: another server may have room. Nothing is kept of those that are one too many. */
START_TEST(too_many_sessions)
{
	struct caller c = caller_new();

	c.wu->ua->max_sessions = 1;
	caller_calls(&c, NULL);
	free(mem_take(&c.to_tag));
	caller_invites(&c, NULL);
	ck_assert_uint_gt(msg_header(caller_expect(&c, "503"), HDR_RETRY_AFTER).n, 0);
	caller_acks_refusal(&c);
	world_expect_no_session(c.wu);
	ck_assert_uint_eq(c.wu->ua->dialogs.n, 1);
	c.n_calls = 1;
	free(mem_take(&c.to_tag));
	session_pass(c.s);
	(void)caller_expect(&c, "480");
	(void)world_expect_terminated(c.wu, 480, ORIGIN_LOCAL);
	caller_acks_refusal(&c);
	caller_finish(&c);
}
END_TEST

/* 21.4.24: it is this callee who has enough to do. */
START_TEST(too_many_for_the_endpoint)
{
	struct caller c = caller_new();

	c.from = "tcp:192.0.2.1:5060";
	for (unsigned i = 0; i < LIMITS_SESSIONS_PER_ENDPOINT; i++)
		caller_calls(&c, NULL);
	caller_invites(&c, NULL);
	ck_assert_uint_gt(msg_header(caller_expect(&c, "486"), HDR_RETRY_AFTER).n, 0);
	caller_acks_refusal(&c);
	world_expect_no_session(c.wu);
	ck_assert_uint_eq(c.wu->ua->dialogs.n, LIMITS_SESSIONS_PER_ENDPOINT);
	for (unsigned i = 0; i < LIMITS_SESSIONS_PER_ENDPOINT; i++)
		session_pass(list_entry(list_first(&c.ep->sessions), struct session, node));
	for (unsigned i = 0; i < LIMITS_SESSIONS_PER_ENDPOINT; i++)
		(void)world_expect_terminated(c.wu, 480, ORIGIN_LOCAL);
	ck_assert_uint_eq(world_skip_out(c.w), LIMITS_SESSIONS_PER_ENDPOINT);
	caller_finish(&c);
}
END_TEST

/* ---- CANCEL ---- */

/* RFC 3326 section 2: why, in the words of whoever knows. */
START_TEST(rfc3326_reason_of_cancel)
{
	static const struct {
		const char *lines, *reason;
		unsigned status;
	} rows[] = {
		{ "Reason: SIP;cause=200;text=\"Call completed elsewhere\"\n",
			"Call completed elsewhere", 200 },
		{ "Reason: Q.850;cause=16;text=\"Terminated\", SIP;cause=600\n", "Busy Everywhere",
			600 },
		{ "Reason: Q.850;cause=16;text=\"Terminated\"\n", "Terminated", 487 },
		{ "Reason: SIP;;\n", "Request Terminated", 487 },
	};
	struct caller c = caller_new();

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const struct world_told *t;

		caller_calls(&c, NULL);
		caller_cancels(&c, rows[i].lines);
		(void)caller_expect(&c, "487");
		caller_acks_refusal(&c);
		t = world_expect_terminated(c.wu, rows[i].status, ORIGIN_REMOTE);
		ck_assert_msg(slice_eq(t->event.reason, slice_str(rows[i].reason)), "%.*s",
			SLICE_ARGS(t->event.reason));
	}
	caller_finish(&c);
}
END_TEST

/* 9.2: it is answered, and changes nothing. */
START_TEST(cancel_crosses_2xx)
{
	struct caller c = caller_new();

	show(&c);
	caller_calls(&c, NULL);
	caller_accept(&c, ANSWER);
	(void)caller_expect(&c, "200");
	caller_cancels(&c, NULL);
	ck_assert_uint_eq(session_state(c.s), SESSION_ESTABLISHED);
	caller_acks(&c, 1, NULL);
	(void)world_expect_event(c.wu, UA_SESSION_ESTABLISHED);
	/* 15: who cancelled says BYE then. */
	caller_sends(&c, "BYE", NULL);
	(void)world_expect_out(c.w, "200");
	(void)world_expect_terminated(c.wu, 200, ORIGIN_REMOTE);
	world_log_golden(c.w, "session-in-cancel-crosses-2xx");
	caller_finish(&c);
}
END_TEST

START_TEST(cancel_crosses_refusal)
{
	struct caller c = caller_new();

	caller_calls(&c, NULL);
	ck_assert_int_eq(session_reject(c.s, 603, SLICE_NULL, NULL), 0);
	(void)caller_expect(&c, "603");
	caller_cancels(&c, NULL);
	caller_acks_refusal(&c);
	(void)world_expect_terminated(c.wu, 603, ORIGIN_LOCAL);
	caller_finish(&c);
}
END_TEST

/* 15.1.2: a caller may end its early dialog by BYE; the INVITE is answered all the same. */
START_TEST(bye_before_the_answer)
{
	struct caller c = caller_new();

	caller_calls(&c, NULL);
	caller_rung(&c);
	caller_sends(&c, "BYE", NULL);
	ck_assert_int_eq(world_expect_out(c.w, "200")->cseq_method, METHOD_BYE);
	(void)caller_expect(&c, "487");
	caller_acks_refusal(&c);
	(void)world_expect_terminated(c.wu, 200, ORIGIN_REMOTE);
	caller_finish(&c);
}
END_TEST

/* ---- nobody decides ---- */

/* 13.3.1: the caller's patience. */
START_TEST(invitation_expires)
{
	struct caller c = caller_new();
	const struct world_told *t;

	caller_calls(&c, "Expires: 20\n" WITH(OFFER));
	caller_rung(&c);
	world_run(c.w, 20 * SEC - 200 * MSEC);
	world_expect_no_event(c.wu);
	world_run(c.w, 200 * MSEC);
	(void)caller_expect(&c, "487");
	caller_acks_refusal(&c);
	t = world_expect_terminated(c.wu, 487, ORIGIN_TIMEOUT);
	ck_assert(slice_eq(t->event.reason, SLICE("the invitation expired")));
	caller_finish(&c);
}
END_TEST

/* What was accepted in time does not expire. */
START_TEST(accepted_does_not_expire)
{
	struct caller c = caller_new();

	caller_calls(&c, "Expires: 20\n" WITH(OFFER));
	caller_established(&c);
	world_run(c.w, 700 * SEC);
	ck_assert_uint_eq(session_state(c.s), SESSION_ESTABLISHED);
	caller_sends(&c, "BYE", NULL);
	(void)world_expect_out(c.w, "200");
	(void)world_expect_terminated(c.wu, 200, ORIGIN_REMOTE);
	caller_finish(&c);
}
END_TEST

/* 13.3.1.1: each minute something that is not 100, and in the end 480. */
START_TEST(left_undecided)
{
	struct caller c = caller_new();

	caller_calls(&c, NULL);
	world_run(c.w, SEC);
	(void)caller_expect(&c, "100");
	for (unsigned i = LIMITS_REFRESH_SECONDS; i < LIMITS_UNDECIDED_SECONDS;
		i += LIMITS_REFRESH_SECONDS) {
		(void)world_wait_out(c.w, "183", LIMITS_REFRESH_SECONDS * SEC);
		ck_assert_uint_eq(world_now(c.w) / SEC, i);
		world_run(c.w, SEC);
	}
	ck_assert_uint_eq(session_state(c.s), SESSION_INCOMING);
	world_run(c.w, (LIMITS_REFRESH_SECONDS - 1) * SEC);
	(void)caller_expect(&c, "480");
	caller_acks_refusal(&c);
	(void)world_expect_terminated(c.wu, 480, ORIGIN_TIMEOUT);
	caller_finish(&c);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("session-in");
	TCase *tc = tcase_create("in");
	SRunner *sr;
	int failed;

	tcase_add_test(tc, rfc3665_3_1_session);
	tcase_add_test(tc, rfc3665_3_6_offer_in_2xx);
	tcase_add_test(tc, rfc3665_3_8_no_answer);
	tcase_add_test(tc, rfc3665_3_9_busy);
	tcase_add_test(tc, refusal_without_ack);
	tcase_add_test(tc, what_is_read_off_the_invite);
	tcase_add_test(tc, type_by_description);
	tcase_add_test(tc, passed_on_as_it_came);
	tcase_add_test(tc, refused_at_once);
	tcase_add_test(tc, rfc3261_8_1_1_8_no_contact);
	tcase_add_test(tc, rfc3261_12_1_1_sips_contact);
	tcase_add_test(tc, rfc3261_12_2_2_lower_cseq);
	tcase_add_test(tc, retransmitted_invite);
	tcase_add_test(tc, merged_invite);
	tcase_add_test(tc, forked_to_two_endpoints);
	tcase_add_test(tc, two_invites_at_once);
	tcase_add_test(tc, too_many_sessions);
	tcase_add_test(tc, too_many_for_the_endpoint);
	tcase_add_test(tc, rfc3326_reason_of_cancel);
	tcase_add_test(tc, cancel_crosses_2xx);
	tcase_add_test(tc, cancel_crosses_refusal);
	tcase_add_test(tc, bye_before_the_answer);
	tcase_add_test(tc, invitation_expires);
	tcase_add_test(tc, accepted_does_not_expire);
	tcase_add_test(tc, left_undecided);
	suite_add_tcase(s, tc);
	sr = srunner_create(s);
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed ? 1 : 0;
}
