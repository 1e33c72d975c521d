/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Two parties that were joined by third-party call control: what passes between them. */
#include <check.h>

#include "protocol/base/err.h"
#include "protocol/ua/limits.h"
#include "protocol/ua/request-headers.h"
#include "tests/flow/trio.h"
#include "tests/support/run.h"

static struct trio joined(void)
{
	struct trio t = trio_new();

	trio_joined(&t);
	return t;
}

/* RFC 3725 section 7: re-INVITE, either way. */
START_TEST(rfc3725_7_reinvite)
{
	struct trio t = joined();
	const struct msg *m;

	world_show(t.w, "CSeq");
	trio_sends(&t, &t.bob, "INVITE", WITH(BOB_2));
	m = trio_expect(&t, &t.anna, "INVITE", BOB_2);
	trio_says(&t, &t.anna, m, 200, WITH(ANNA_2));
	(void)trio_expect(&t, &t.anna, "ACK", "");
	(void)trio_expect(&t, &t.bob, "200", ANNA_2);
	trio_sends(&t, &t.bob, "ACK", NULL);
	world_run(t.w, SEC);
	trio_sends(&t, &t.anna, "INVITE", WITH(ANNA_1));
	m = trio_expect(&t, &t.bob, "INVITE", ANNA_1);
	trio_says(&t, &t.bob, m, 200, WITH(BOB_1));
	(void)trio_expect(&t, &t.bob, "ACK", "");
	(void)trio_expect(&t, &t.anna, "200", BOB_1);
	trio_sends(&t, &t.anna, "ACK", NULL);
	trio_finish(&t);
}
END_TEST

START_TEST(rfc3725_7_update)
{
	struct trio t = joined();
	const struct msg *m;

	trio_sends(&t, &t.anna, "UPDATE", WITH(ANNA_2));
	m = trio_expect(&t, &t.bob, "INVITE", ANNA_2);
	trio_says(&t, &t.bob, m, 200, WITH(BOB_2));
	(void)trio_expect(&t, &t.bob, "ACK", "");
	(void)trio_expect(&t, &t.anna, "200", BOB_2);
	trio_finish(&t);
}
END_TEST

/* RFC 3261 14.1, 14.2: no offer, so it is the other's; the answer comes and goes in ACKs. */
START_TEST(rfc3261_14_2_offerless)
{
	struct trio t = joined();
	const struct msg *m;

	trio_sends(&t, &t.bob, "INVITE", NULL);
	m = trio_expect(&t, &t.anna, "INVITE", "");
	trio_says(&t, &t.anna, m, 200, WITH(ANNA_2));
	(void)trio_expect(&t, &t.bob, "200", ANNA_2);
	trio_sends(&t, &t.bob, "ACK", WITH(BOB_2));
	(void)trio_expect(&t, &t.anna, "ACK", BOB_2);
	trio_finish(&t);
}
END_TEST

/* The ACK that never comes ends both. */
START_TEST(offerless_without_ack)
{
	struct trio t = joined();
	const struct msg *m;

	trio_sends(&t, &t.bob, "INVITE", NULL);
	m = trio_expect(&t, &t.anna, "INVITE", "");
	trio_says(&t, &t.anna, m, 200, WITH(ANNA_2));
	(void)trio_expect(&t, &t.bob, "200", ANNA_2);
	world_run(t.w, 40 * SEC);
	ck_assert_uint_ne(world_skip_out(t.w), 0);
	world_run(t.w, 2 * 64 * TIMER_T1);
	(void)world_skip_out(t.w);
	(void)world_expect_terminated(t.wu, 408, ORIGIN_TIMEOUT);
	trio_leave(&t);
}
END_TEST

START_TEST(refused)
{
	static const struct {
		unsigned by_bob;
		const char *to_anna;
	} rows[] = { { 488, "488" }, { 415, "415" }, { 407, "488" }, { 603, "603" } };

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct trio t = joined();

		trio_sends(&t, &t.anna, "INVITE", WITH(ANNA_2));
		trio_says(&t, &t.bob, trio_expect(&t, &t.bob, "INVITE", ANNA_2), rows[i].by_bob,
			NULL);
		(void)trio_expect(&t, &t.bob, "ACK", "");
		(void)trio_expect(&t, &t.anna, rows[i].to_anna, "");
		trio_sends(&t, &t.anna, "ACK refusal", NULL);
		trio_finish(&t);
	}
}
END_TEST

/* ---- glare ---- */

/* RFC 3725 section 6 and RFC 3261 14.1: one is told to try again, the other goes through. */
START_TEST(rfc3261_14_1_glare)
{
	struct trio t = joined();
	const struct msg *m, *again;

	world_show(t.w, "CSeq");
	free(world_take_log(t.w));
	trio_sends(&t, &t.anna, "INVITE", WITH(ANNA_2));
	m = trio_expect(&t, &t.bob, "INVITE", ANNA_2);
	/* Bob's crosses it: he says 491, and hears it. */
	trio_sends(&t, &t.bob, "INVITE", WITH(BOB_2));
	(void)trio_expect(&t, &t.bob, "491", "");
	trio_sends(&t, &t.bob, "ACK refusal", NULL);
	trio_says(&t, &t.bob, m, 491, NULL);
	(void)trio_expect(&t, &t.bob, "ACK", "");
	(void)world_wait_out(t.w, "100", SEC);
	again = world_wait_out(t.w, "INVITE", 5 * SEC);
	ck_assert(slice_eq(again->body, SLICE(ANNA_2)));
	trio_says(&t, &t.bob, again, 200, WITH(BOB_1));
	(void)trio_expect(&t, &t.bob, "ACK", "");
	(void)trio_expect(&t, &t.anna, "200", BOB_1);
	trio_sends(&t, &t.anna, "ACK", NULL);
	world_log_golden(t.w, "session-connect-glare");
	trio_finish(&t);
}
END_TEST

/* While ours waits to be tried again, Bob tries too. */
START_TEST(rfc3261_14_1_glare_again)
{
	struct trio t = joined();
	const struct msg *m;

	trio_sends(&t, &t.anna, "INVITE", WITH(ANNA_2));
	trio_says(&t, &t.bob, trio_expect(&t, &t.bob, "INVITE", ANNA_2), 491, NULL);
	(void)trio_expect(&t, &t.bob, "ACK", "");
	trio_sends(&t, &t.bob, "INVITE", WITH(BOB_2));
	(void)trio_expect(&t, &t.bob, "491", "");
	trio_sends(&t, &t.bob, "ACK refusal", NULL);
	(void)world_wait_out(t.w, "100", SEC);
	m = world_wait_out(t.w, "INVITE", 5 * SEC);
	trio_says(&t, &t.bob, m, 200, WITH(BOB_1));
	(void)trio_expect(&t, &t.bob, "ACK", "");
	(void)trio_expect(&t, &t.anna, "200", BOB_1);
	trio_sends(&t, &t.anna, "ACK", NULL);
	trio_finish(&t);
}
END_TEST

/* ---- an exchange that falls apart ---- */

/* Bob agreed to what Anna has taken back: they are brought together again. */
START_TEST(taken_back)
{
	struct trio t = joined();
	const struct msg *m;

	trio_sends(&t, &t.anna, "INVITE", WITH(ANNA_2));
	m = trio_expect(&t, &t.bob, "INVITE", ANNA_2);
	trio_sends(&t, &t.anna, "CANCEL", NULL);
	(void)trio_expect(&t, &t.anna, "200", "");
	(void)trio_expect(&t, &t.anna, "487", "");
	trio_sends(&t, &t.anna, "ACK refusal", NULL);
	trio_says(&t, &t.bob, m, 200, WITH(BOB_2));
	(void)trio_expect(&t, &t.bob, "ACK", "");
	m = trio_expect(&t, &t.bob, "INVITE", "");
	trio_says(&t, &t.bob, m, 200, WITH(BOB_1));
	/* What Anna heard last is this already. */
	(void)trio_expect(&t, &t.bob, "ACK", ANNA_1);
	trio_finish(&t);
}
END_TEST

/* The same when Bob was asked for an offer, which is there to be answered. */
START_TEST(wish_taken_back)
{
	struct trio t = joined();
	const struct msg *m;

	trio_sends(&t, &t.anna, "INVITE", NULL);
	m = trio_expect(&t, &t.bob, "INVITE", "");
	trio_sends(&t, &t.anna, "CANCEL", NULL);
	(void)trio_expect(&t, &t.anna, "200", "");
	(void)trio_expect(&t, &t.anna, "487", "");
	trio_sends(&t, &t.anna, "ACK refusal", NULL);
	trio_says(&t, &t.bob, m, 200, WITH(BOB_2));
	m = trio_expect(&t, &t.anna, "INVITE", BOB_2);
	trio_says(&t, &t.anna, m, 200, WITH(ANNA_2));
	(void)trio_expect(&t, &t.anna, "ACK", "");
	(void)trio_expect(&t, &t.bob, "ACK", ANNA_2);
	trio_finish(&t);
}
END_TEST

/* ---- the end ---- */

START_TEST(rfc3725_7_bye)
{
	struct trio t = joined();

	trio_sends(&t, &t.anna, "BYE", "Reason: SIP;cause=480;text=\"Off\"\n");
	(void)trio_expect(&t, &t.anna, "200", "");
	trio_bye(&t, &t.bob, "SIP;cause=480;text=\"Off\"");
	(void)world_expect_terminated(t.wu, 480, ORIGIN_REMOTE);
	trio_leave(&t);
}
END_TEST

START_TEST(both_hang_up)
{
	struct trio t = joined();
	const struct msg *bye;

	trio_sends(&t, &t.anna, "BYE", NULL);
	(void)trio_expect(&t, &t.anna, "200", "");
	(void)world_expect_terminated(t.wu, 200, ORIGIN_REMOTE);
	bye = trio_expect(&t, &t.bob, "BYE", "");
	trio_sends(&t, &t.bob, "BYE", NULL);
	(void)trio_expect(&t, &t.bob, "200", "");
	trio_says(&t, &t.bob, bye, 481, NULL);
	trio_leave(&t);
}
END_TEST

/* RFC 5057 5.1: the dialog is gone; the other party hears of it. */
START_TEST(dialog_is_gone)
{
	struct trio t = joined();
	const struct msg *m;

	trio_sends(&t, &t.anna, "INVITE", WITH(ANNA_2));
	m = trio_expect(&t, &t.bob, "INVITE", ANNA_2);
	trio_says(&t, &t.bob, m, 481, NULL);
	(void)trio_expect(&t, &t.bob, "ACK", "");
	(void)trio_expect(&t, &t.anna, "487", "");
	trio_sends(&t, &t.anna, "ACK refusal", NULL);
	trio_bye(&t, &t.anna, "SIP;cause=481;text=\"Call/Transaction Does Not Exist\"");
	(void)world_expect_terminated(t.wu, 481, ORIGIN_REMOTE);
	trio_leave(&t);
}
END_TEST

START_TEST(ended_while_an_offer_is_under_way)
{
	struct trio t = joined();
	const struct msg *m;

	trio_sends(&t, &t.anna, "INVITE", WITH(ANNA_2));
	m = trio_expect(&t, &t.bob, "INVITE", ANNA_2);
	ck_assert_int_eq(session_terminate(t.s, NULL), 0);
	(void)trio_expect(&t, &t.anna, "487", "");
	trio_sends(&t, &t.anna, "ACK refusal", NULL);
	trio_bye(&t, &t.anna, "");
	trio_bye(&t, &t.bob, "");
	(void)world_expect_terminated(t.wu, 0, ORIGIN_LOCAL);
	trio_says(&t, &t.bob, m, 487, NULL);
	(void)trio_expect(&t, &t.bob, "ACK", "");
	trio_leave(&t);
}
END_TEST

/* ---- what else passes, and what does not ---- */

START_TEST(messages_pass)
{
	struct trio t = joined();
	const struct msg *m;

	trio_sends(&t, &t.anna, "INFO",
		"Content-Type: application/dtmf-relay\nContent-Length: {length}\n\nSignal=5");
	(void)trio_expect(&t, &t.anna, "200", "");
	m = trio_expect(&t, &t.bob, "INFO", "Signal=5");
	ck_assert(slice_eq(m->content_type, SLICE("application/dtmf-relay")));
	trio_says(&t, &t.bob, m, 415, NULL);
	/* RFC 6086 5.2.2: a package for who takes it. */
	trio_sends(&t, &t.anna, "UPDATE", "Recv-Info: p\n");
	(void)trio_expect(&t, &t.anna, "200", "");
	trio_sends(&t, &t.bob, "INFO", "Info-Package: p\nContent-Type: text/plain\n\nx");
	(void)trio_expect(&t, &t.bob, "200", "");
	m = trio_expect(&t, &t.anna, "INFO", "x");
	ck_assert(slice_eq(msg_header(m, HDR_INFO_PACKAGE), SLICE("p")));
	trio_says(&t, &t.anna, m, 200, NULL);
	trio_sends(&t, &t.bob, "MESSAGE", "Content-Type: text/plain\n\nhello");
	(void)trio_expect(&t, &t.bob, "200", "");
	trio_says(&t, &t.anna, trio_expect(&t, &t.anna, "MESSAGE", "hello"), 200, NULL);
	trio_finish(&t);
}
END_TEST

START_TEST(refer_is_refused)
{
	struct trio t = joined();

	trio_sends(&t, &t.anna, "REFER", "Refer-To: <sip:dave@192.0.2.30>\n");
	(void)trio_expect(&t, &t.anna, "603", "");
	trio_sends(&t, &t.bob, "REFER", "Refer-To: <sip:dave@192.0.2.30>\n");
	(void)trio_expect(&t, &t.bob, "603", "");
	trio_finish(&t);
}
END_TEST

/* RFC 3891 section 3: whoever wants the place of a party is declined. */
START_TEST(rfc3891_3_replaces)
{
	struct trio t = joined();
	const struct trio_party *parties[] = { &t.anna, &t.bob };

	for (size_t i = 0; i < ARRAY_LEN(parties); i++) {
		const struct msg *invite = parties[i]->invite;
		struct buf b = BUF_NULL;
		char *text;

		buf_printf(&b,
			"INVITE {contact} SIP/2.0\n"
			"Via: SIP/2.0/UDP {peer};branch=z9hG4bK-dave-%zu\nMax-Forwards: 70\n"
			"From: <sip:dave@192.0.2.30>;tag=d\nTo: <sip:carol@192.0.2.10>\n"
			"Call-ID: dave-%zu\nCSeq: 1 INVITE\nContact: <sip:dave@192.0.2.30>\n"
			"Replaces: %.*s;to-tag=%.*s;from-tag=%s\nContent-Length: 0\n\n",
			i, i, SLICE_ARGS(invite->call_id), SLICE_ARGS(invite->from_tag),
			parties[i]->name);
		text = buf_take(&b);
		world_in(t.wu, "udp:192.0.2.30:5060", text);
		free(text);
		(void)world_expect_out(t.w, "603");
		world_expect_no_session(t.wu);
	}
	world_run(t.w, 40 * SEC);
	(void)world_skip_out(t.w);
	trio_finish(&t);
}
END_TEST

/* Descriptions are the parties' own; what else an owner may do is as ever. */
START_TEST(verbs)
{
	struct trio t = joined();
	struct session_body body = world_sdp(ANNA_1);

	ck_assert_int_eq(session_offer(t.s, &body, SLICE_NULL, NULL), -ESTALE);
	ck_assert_int_eq(session_answer(t.s, &body), -ESTALE);
	ck_assert_int_eq(session_reject_offer(t.s, 488), -ESTALE);
	ck_assert_int_eq(session_message(t.s, &body, NULL, NULL), 0);
	trio_says(&t, &t.anna, trio_expect(&t, &t.anna, "MESSAGE", ANNA_1), 200, NULL);
	trio_finish(&t);
}
END_TEST

/* Both INVITEs say what the client wants them to. */
START_TEST(headers)
{
	struct request_header subject = { SLICE_INIT("Subject"), SLICE_INIT("click to dial") };
	struct connect_spec spec = {
		.id = SLICE("mine"),
		.first = SLICE("sip:anna@192.0.2.1"),
		.second = SLICE("sip:bob@192.0.2.20"),
		.headers = { &subject, 1 },
		.privacy = SLICE("id"),
	};
	struct trio t = trio_new();
	const char *why;

	ck_assert_int_eq(connect_new(t.ep, &spec, &t.s, &why), 0);
	ck_assert_str_eq(session_id(t.s), "mine");
	subject = (struct request_header){ 0 };
	t.anna.invite = trio_expect(&t, &t.anna, "INVITE", "");
	trio_first_answers(&t);
	ck_assert(slice_eq(msg_header(t.anna.invite, HDR_SUBJECT), SLICE("click to dial")));
	ck_assert(slice_eq(msg_header(t.bob.invite, HDR_SUBJECT), SLICE("click to dial")));
	ck_assert(slice_eq(msg_header(t.anna.invite, HDR_PRIVACY), SLICE("id")));
	ck_assert(slice_eq(msg_header(t.bob.invite, HDR_PRIVACY), SLICE("id")));
	trio_second_answers(&t);
	trio_finish(&t);
}
END_TEST

RUN_TESTS("session-connected", rfc3725_7_reinvite, rfc3725_7_update, rfc3261_14_2_offerless,
	offerless_without_ack, refused, rfc3261_14_1_glare, rfc3261_14_1_glare_again, taken_back,
	wish_taken_back, rfc3725_7_bye, both_hang_up, dialog_is_gone,
	ended_while_an_offer_is_under_way, messages_pass, refer_is_refused, rfc3891_3_replaces,
	verbs, headers)
