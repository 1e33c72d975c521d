/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The INVITE client transaction, each timer to the microsecond. */
#include <check.h>
#include <stdlib.h>

#include "protocol/base/err.h"
#include "protocol/base/mem.h"
#include "tests/unit/txn/rig.h"

/* A rig whose bob says nothing by himself; the INVITE has left. */
static void start(struct rig *rig, enum transport transport)
{
	rig_init(rig, transport, 100);
	rig->bob.listening = RIG_DEAF;
	ck_assert_ptr_nonnull(rig_start(&rig->alice, "INVITE"));
}

static void start_ringing(struct rig *rig, enum transport transport)
{
	start(rig, transport);
	rig_in_response(&rig->alice, 180, "b");
	ck_assert_int_eq(txn_state(rig->alice.txn), TXN_PROCEEDING);
	rig_clear(rig);
}

/* RFC 3261 17.1.1.2: Timer A doubles without limit, seven sends in 64*T1; Timer B ends it. */
START_TEST(timers_a_b_unreliable)
{
	struct rig rig;

	start(&rig, TRANSPORT_UDP);
	ck_assert_int_eq(txn_state(rig.alice.txn), TXN_CALLING);
	wire_run_dry(&rig.wire);
	rig_expect(&rig, "0.000000 alice > INVITE\n"
			 "0.500000 alice > INVITE\n"
			 "1.500000 alice > INVITE\n"
			 "3.500000 alice > INVITE\n"
			 "7.500000 alice > INVITE\n"
			 "15.500000 alice > INVITE\n"
			 "31.500000 alice > INVITE\n"
			 "32.000000 alice: failed timeout\n"
			 "32.000000 alice: ended INVITE\n");
	ck_assert_uint_eq(rig.alice.table.n_timeouts, 1);
	ck_assert_uint_eq(rig.alice.table.n_retransmissions_out, 6);
	rig_deinit(&rig);
}
END_TEST

/* RFC 3261 17.1.1.2: no Timer A over a reliable flow, Timer B over any. */
START_TEST(timers_a_b_reliable)
{
	struct rig rig;

	start(&rig, TRANSPORT_TCP);
	wire_run_dry(&rig.wire);
	rig_expect(&rig, "0.000000 alice > INVITE\n"
			 "32.000000 alice: failed timeout\n"
			 "32.000000 alice: ended INVITE\n");
	rig_deinit(&rig);
}
END_TEST

/* A sleeper that wakes after the end sends nothing stale; one that wakes before sends once. */
START_TEST(late_timers_do_not_burst)
{
	struct rig rig;

	start(&rig, TRANSPORT_UDP);
	rig_clear(&rig);
	timerq_run(&rig.timers, 10 * USEC_PER_SEC);
	rig_expect(&rig, "10.000000 alice > INVITE\n");
	wire_run_until(&rig.wire, 11 * USEC_PER_SEC);
	rig_expect(&rig, "11.000000 alice > INVITE\n");
	timerq_run(&rig.timers, 90 * USEC_PER_SEC);
	rig_expect(&rig, "90.000000 alice: failed timeout\n"
			 "90.000000 alice: ended INVITE\n");
	rig_deinit(&rig);
}
END_TEST

/* RFC 3261 17.1.1.2: a provisional response stops A and B; each one goes to the owner. */
START_TEST(proceeding_waits_for_ever)
{
	struct rig rig;

	start(&rig, TRANSPORT_UDP);
	wire_run(&rig.wire, 600 * USEC_PER_MSEC);
	rig_in_response(&rig.alice, 100, "");
	rig_in_response(&rig.alice, 180, "b");
	rig_in_response(&rig.alice, 180, "c");
	wire_run(&rig.wire, 3600 * USEC_PER_SEC);
	rig_in_response(&rig.alice, 486, "b");
	wire_run_dry(&rig.wire);
	rig_expect(&rig, "0.000000 alice > INVITE\n"
			 "0.500000 alice > INVITE\n"
			 "0.600000 alice: 100 INVITE\n"
			 "0.600000 alice: 180 INVITE\n"
			 "0.600000 alice: 180 INVITE\n"
			 "3600.600000 alice > ACK\n"
			 "3600.600000 alice: 486 INVITE\n"
			 "3632.600000 alice: ended INVITE\n");
	rig_deinit(&rig);
}
END_TEST

/* RFC 3261 17.1.1.2, RFC 6026 8.4: Timer D, 32 s; each retransmission is acknowledged again. */
START_TEST(timer_d_unreliable)
{
	struct rig rig;

	start(&rig, TRANSPORT_UDP);
	wire_run(&rig.wire, 100 * USEC_PER_MSEC);
	rig_in_response(&rig.alice, 404, "b");
	ck_assert_int_eq(txn_state(rig.alice.txn), TXN_COMPLETED);
	wire_run(&rig.wire, 500 * USEC_PER_MSEC);
	rig_in_response(&rig.alice, 404, "b");
	rig_in_response(&rig.alice, 180, "b");
	wire_run_dry(&rig.wire);
	rig_expect(&rig, "0.000000 alice > INVITE\n"
			 "0.100000 alice > ACK\n"
			 "0.100000 alice: 404 INVITE\n"
			 "0.600000 alice > ACK\n"
			 "32.100000 alice: ended INVITE\n");
	ck_assert_uint_eq(rig.alice.table.n_retransmissions_in, 2);
	rig_deinit(&rig);
}
END_TEST

/* RFC 3261 17.1.1.2: Timer D is zero over a reliable flow, and still no surprise to the owner. */
START_TEST(timer_d_reliable)
{
	struct rig rig;

	start_ringing(&rig, TRANSPORT_TCP);
	rig_in_response(&rig.alice, 603, "b");
	rig_expect(&rig, "0.000000 alice > ACK\n"
			 "0.000000 alice: 603 INVITE\n");
	wire_run(&rig.wire, 0);
	rig_expect(&rig, "0.000000 alice: ended INVITE\n");
	rig_deinit(&rig);
}
END_TEST

/* RFC 6026 7.2: Timer M; every 2xx goes to the owner, and no ACK is made here. */
static void accepted(enum transport transport)
{
	struct rig rig;

	start_ringing(&rig, transport);
	rig_in_response(&rig.alice, 200, "b");
	ck_assert_int_eq(txn_state(rig.alice.txn), TXN_ACCEPTED);
	wire_run(&rig.wire, USEC_PER_SEC);
	rig_in_response(&rig.alice, 200, "b");
	rig_in_response(&rig.alice, 200, "other-fork");
	rig_in_response(&rig.alice, 180, "b");
	rig_in_response(&rig.alice, 486, "b");
	wire_run_dry(&rig.wire);
	rig_expect(&rig, "0.000000 alice: 200 INVITE\n"
			 "1.000000 alice: 200 INVITE\n"
			 "1.000000 alice: 200 INVITE\n"
			 "32.000000 alice: ended INVITE\n");
	rig_deinit(&rig);
}

START_TEST(timer_m)
{
	accepted(TRANSPORT_UDP);
	accepted(TRANSPORT_TCP);
}
END_TEST

/* The 2xx comes after Timer B: nobody knows it any more, the core is told. */
START_TEST(late_200_is_stray)
{
	struct rig rig;
	struct msg *ok;

	start(&rig, TRANSPORT_UDP);
	ok = rig_response(txn_request(rig.alice.txn), 200, "b");
	wire_run(&rig.wire, 33 * USEC_PER_SEC);
	rig_clear(&rig);
	ck_assert_int_eq(rig_in(&rig.alice, ok), TXN_RECV_STRAY_RESPONSE);
	ck_assert_uint_eq(rig.alice.table.n_stray_responses, 1);
	msg_unref(ok);
	rig_deinit(&rig);
}
END_TEST

/* A fork that accepts after a refusal reached us is the core's to end (RFC 3261 13.2.2.4). */
START_TEST(accepted_after_refusal_is_stray)
{
	struct rig rig;

	start(&rig, TRANSPORT_UDP);
	rig_in_response(&rig.alice, 486, "b");
	ck_assert_int_eq(rig_in_response(&rig.alice, 200, "c"), TXN_RECV_STRAY_RESPONSE);
	rig_deinit(&rig);
}
END_TEST

struct catcher {
	struct buf bytes;
	const char *method;
};

static bool catch (void *ctx, const struct wire_side *from, struct slice bytes)
{
	struct catcher *c = ctx;

	(void)from;
	if (slice_starts(bytes, slice_str(c->method))) {
		buf_reset(&c->bytes);
		buf_put(&c->bytes, bytes);
	}
	return false;
}

#define ROUTED                                                           \
	"Route: <sip:p1.invalid;lr>, <sip:p2.invalid;lr>\r\n"            \
	"Proxy-Authorization: Digest username=\"a\", response=\"0\"\r\n" \
	"Route: <sip:p3.invalid;lr>\r\n"                                 \
	"Via: SIP/2.0/UDP further.invalid;branch=z9hG4bK-2\r\n"          \
	"Require: x\r\n"

/* Bytes of the first such request that alice sends while status arrives. */
static void companion(const char *method, unsigned status, struct buf *ret)
{
	static const struct rig_request invite = {
		.method = "INVITE", .cseq = 7, .headers = ROUTED
	};
	struct catcher c = { .method = method };
	struct rig rig;

	rig_init(&rig, TRANSPORT_TCP, 100);
	rig.bob.listening = RIG_DEAF;
	rig.wire.filter = catch;
	rig.wire.filter_ctx = &c;
	ck_assert_ptr_nonnull(rig_start_request(&rig.alice, &invite));
	ck_assert_int_eq(txn_cancel(rig.alice.txn), 0);
	rig_in_response(&rig.alice, status, "b");
	rig_deinit(&rig);
	buf_put(ret, buf_slice(&c.bytes));
	buf_putc(ret, '\0');
	buf_deinit(&c.bytes);
}

/* RFC 3261 17.1.1.3, and 22.1 for the credentials. */
START_TEST(ack_is_built_from_both)
{
	cleanup_buf struct buf b = BUF_NULL;

	companion("ACK", 404, &b);
	ck_assert_str_eq(b.p, "ACK sip:bob@bob.invalid SIP/2.0\r\n"
			      "Via: SIP/2.0/UDP alice.invalid;branch=z9hG4bK-1\r\n"
			      "Route: <sip:p1.invalid;lr>, <sip:p2.invalid;lr>\r\n"
			      "Route: <sip:p3.invalid;lr>\r\n"
			      "Max-Forwards: 70\r\n"
			      "From: <sip:alice@alice.invalid>;tag=a\r\n"
			      "To: <sip:bob@bob.invalid>;tag=b\r\n"
			      "Call-ID: call-1\r\n"
			      "CSeq: 7 ACK\r\n"
			      "Proxy-Authorization: Digest username=\"a\", response=\"0\"\r\n"
			      "Content-Length: 0\r\n\r\n");
}
END_TEST

/* RFC 3261 9.1: the same but for the method; no Require. */
START_TEST(cancel_is_built_from_the_invite)
{
	cleanup_buf struct buf b = BUF_NULL;

	companion("CANCEL", 180, &b);
	ck_assert_str_eq(b.p, "CANCEL sip:bob@bob.invalid SIP/2.0\r\n"
			      "Via: SIP/2.0/UDP alice.invalid;branch=z9hG4bK-1\r\n"
			      "Route: <sip:p1.invalid;lr>, <sip:p2.invalid;lr>\r\n"
			      "Route: <sip:p3.invalid;lr>\r\n"
			      "Max-Forwards: 70\r\n"
			      "From: <sip:alice@alice.invalid>;tag=a\r\n"
			      "To: <sip:bob@bob.invalid>\r\n"
			      "Call-ID: call-1\r\n"
			      "CSeq: 7 CANCEL\r\n"
			      "Content-Length: 0\r\n\r\n");
}
END_TEST

/* RFC 3261 9.1: held back until a provisional response; never after a final one. */
START_TEST(cancel_waits_for_provisional)
{
	struct rig rig;

	start(&rig, TRANSPORT_UDP);
	ck_assert_int_eq(txn_cancel(rig.alice.txn), 0);
	ck_assert_int_eq(txn_cancel(rig.alice.txn), 0);
	wire_run(&rig.wire, 100 * USEC_PER_MSEC);
	rig_in_response(&rig.alice, 100, "");
	rig_in_response(&rig.alice, 180, "b");
	ck_assert_int_eq(txn_cancel(rig.alice.txn), 0);
	rig_in_response(&rig.alice, 487, "b");
	ck_assert_int_eq(txn_cancel(rig.alice.txn), -ESTALE);
	rig_expect(&rig, "0.000000 alice > INVITE\n"
			 "0.100000 alice > CANCEL\n"
			 "0.100000 alice: 100 INVITE\n"
			 "0.100000 alice: 180 INVITE\n"
			 "0.100000 alice > ACK\n"
			 "0.100000 alice: 487 INVITE\n");
	rig_deinit(&rig);
}
END_TEST

START_TEST(cancel_never_after_final)
{
	struct rig rig;

	start(&rig, TRANSPORT_UDP);
	ck_assert_int_eq(txn_cancel(rig.alice.txn), 0);
	rig_in_response(&rig.alice, 486, "b");
	wire_run_dry(&rig.wire);
	rig_expect(&rig, "0.000000 alice > INVITE\n"
			 "0.000000 alice > ACK\n"
			 "0.000000 alice: 486 INVITE\n"
			 "32.000000 alice: ended INVITE\n");
	rig_deinit(&rig);
	start(&rig, TRANSPORT_UDP);
	ck_assert_int_eq(txn_cancel(rig.alice.txn), 0);
	rig_in_response(&rig.alice, 200, "b");
	ck_assert_int_eq(txn_cancel(rig.alice.txn), -ESTALE);
	rig_expect(&rig, "0.000000 alice > INVITE\n"
			 "0.000000 alice: 200 INVITE\n");
	rig_deinit(&rig);
}
END_TEST

/* RFC 3261 9.1: an RFC 2543 server sends no 487; 64*T1 after the CANCEL we give up. */
START_TEST(cancel_gives_up)
{
	struct rig rig;

	start_ringing(&rig, TRANSPORT_TCP);
	wire_run(&rig.wire, 5 * USEC_PER_SEC);
	ck_assert_int_eq(txn_cancel(rig.alice.txn), 0);
	wire_run_dry(&rig.wire);
	rig_expect(&rig, "5.000000 alice > CANCEL\n"
			 "37.000000 alice: failed timeout\n"
			 "37.000000 alice: ended INVITE\n");
	rig_deinit(&rig);
}
END_TEST

/* RFC 3261 9.1 and 17.1.2: the CANCEL is a transaction of its own and sent again. */
START_TEST(cancel_is_retransmitted)
{
	struct rig rig;

	start_ringing(&rig, TRANSPORT_UDP);
	ck_assert_int_eq(txn_cancel(rig.alice.txn), 0);
	ck_assert_uint_eq(rig.alice.table.n, 2);
	wire_run(&rig.wire, 2 * USEC_PER_SEC);
	rig_in_response(&rig.alice, 200, "b");
	wire_run(&rig.wire, 2 * USEC_PER_SEC);
	rig_expect(&rig, "0.000000 alice > CANCEL\n"
			 "0.500000 alice > CANCEL\n"
			 "1.500000 alice > CANCEL\n"
			 "2.000000 alice: 200 INVITE\n"
			 "3.500000 alice > CANCEL\n");
	rig_deinit(&rig);
}
END_TEST

/* CANCEL is for INVITE alone (RFC 3261 9.1). */
START_TEST(cancel_of_other_methods)
{
	struct rig rig;

	rig_init(&rig, TRANSPORT_UDP, 100);
	rig.bob.answers = 200;
	rig_start(&rig.alice, "OPTIONS");
	ck_assert_int_eq(txn_cancel(rig.alice.txn), -EINVAL);
	rig_deinit(&rig);
}
END_TEST

/* RFC 3261 17.1.4, RFC 6026 figure 5: the flow breaks in each state. */
START_TEST(flow_down)
{
	static const struct {
		unsigned status;
		const char *told;
	} rows[] = {
		{ 0, "0.000000 alice: failed transport\n0.000000 alice: ended INVITE\n" },
		{ 180, "0.000000 alice: failed transport\n0.000000 alice: ended INVITE\n" },
		{ 486, "0.000000 alice: ended INVITE\n" },
		{ 200, "32.000000 alice: ended INVITE\n" },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct rig rig;

		start(&rig, TRANSPORT_UDP);
		if (rows[i].status)
			rig_in_response(&rig.alice, rows[i].status, "b");
		rig_clear(&rig);
		wire_break(rig.alice.flow);
		wire_run_dry(&rig.wire);
		rig_expect(&rig, rows[i].told);
		rig_deinit(&rig);
	}
}
END_TEST

/* A flow that is down already: the failure waits until the caller has its pointer. */
START_TEST(flow_already_down)
{
	struct rig rig;

	rig_init(&rig, TRANSPORT_TCP, 100);
	wire_break(rig.alice.flow);
	ck_assert_ptr_nonnull(rig_start(&rig.alice, "INVITE"));
	rig_expect(&rig, "");
	wire_run(&rig.wire, 0);
	rig_expect(&rig, "0.000000 alice: failed transport\n"
			 "0.000000 alice: ended INVITE\n");
	rig_deinit(&rig);
}
END_TEST

/* The owner lets go in each callback; the machine goes on without a word. */
START_TEST(forgotten_in_callback)
{
	static const unsigned statuses[] = { 180, 486, 200, 0 };

	for (size_t i = 0; i < ARRAY_LEN(statuses); i++) {
		struct rig rig;
		struct txn *t;

		start(&rig, TRANSPORT_UDP);
		t = rig.alice.txn;
		rig_clear(&rig);
		rig.alice.forgets = RIG_FORGETS;
		if (statuses[i]) {
			rig_in_response(&rig.alice, statuses[i], "b");
			ck_assert_ptr_null(rig.alice.txn);
			rig_clear(&rig);
			ck_assert_uint_eq(rig.alice.table.n, 1);
			ck_assert_int_ne(txn_state(t), TXN_TERMINATED);
			/* Ringing without owner or end: Timer C. */
			wire_run(&rig.wire, 179 * USEC_PER_SEC);
			ck_assert_uint_eq(rig.alice.table.n, statuses[i] == 180);
		}
		wire_run_dry(&rig.wire);
		if (statuses[i])
			rig_expect(&rig, "");
		rig_deinit(&rig);
	}
}
END_TEST

/* A forgotten INVITE that succeeds leaves a dialog that somebody must end. */
START_TEST(forgotten_invite_accepted)
{
	struct rig rig;
	struct txn *t;
	struct msg *ok, *busy;

	start_ringing(&rig, TRANSPORT_UDP);
	t = rig.alice.txn;
	ok = rig_response(txn_request(t), 200, "b");
	busy = rig_response(txn_request(t), 486, "b");
	txn_cancel(t);
	txn_forget(t);
	rig.alice.n_txns = 0;
	ck_assert_int_eq(rig_in(&rig.alice, ok), TXN_RECV_STRAY_RESPONSE);
	ck_assert_int_eq(txn_state(t), TXN_ACCEPTED);
	ck_assert_int_eq(rig_in(&rig.alice, ok), TXN_RECV_STRAY_RESPONSE);
	ck_assert_int_eq(rig_in(&rig.alice, busy), TXN_RECV_DONE);
	msg_unref(ok);
	msg_unref(busy);
	rig_deinit(&rig);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("txn-ict");
	TCase *tc = tcase_create("ict");
	SRunner *sr;
	int failed;

	tcase_add_test(tc, timers_a_b_unreliable);
	tcase_add_test(tc, timers_a_b_reliable);
	tcase_add_test(tc, late_timers_do_not_burst);
	tcase_add_test(tc, proceeding_waits_for_ever);
	tcase_add_test(tc, timer_d_unreliable);
	tcase_add_test(tc, timer_d_reliable);
	tcase_add_test(tc, timer_m);
	tcase_add_test(tc, late_200_is_stray);
	tcase_add_test(tc, accepted_after_refusal_is_stray);
	tcase_add_test(tc, ack_is_built_from_both);
	tcase_add_test(tc, cancel_is_built_from_the_invite);
	tcase_add_test(tc, cancel_waits_for_provisional);
	tcase_add_test(tc, cancel_never_after_final);
	tcase_add_test(tc, cancel_gives_up);
	tcase_add_test(tc, cancel_is_retransmitted);
	tcase_add_test(tc, cancel_of_other_methods);
	tcase_add_test(tc, flow_down);
	tcase_add_test(tc, flow_already_down);
	tcase_add_test(tc, forgotten_in_callback);
	tcase_add_test(tc, forgotten_invite_accepted);
	suite_add_tcase(s, tc);
	sr = srunner_create(s);
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
