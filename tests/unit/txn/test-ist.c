/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The INVITE server transaction, each timer to the microsecond. */
#include <check.h>
#include <stdlib.h>

#include "protocol/base/err.h"
#include "protocol/base/mem.h"
#include "tests/unit/txn/rig.h"

static const struct rig_request invite = { .method = "INVITE" };
/* The ACK for a refusal has the INVITE's branch (RFC 3261 17.1.1.3). */
static const struct rig_request ack = { .method = "ACK", .to_tag = "b" };
static const struct rig_request cancel = { .method = "CANCEL" };

/* Bob got an INVITE; alice hears nothing. */
static void start(struct rig *rig, enum transport transport)
{
	rig_init(rig, transport, 100);
	rig->alice.listening = RIG_DEAF;
	ck_assert_int_eq(rig_in_request(&rig->bob, &invite), TXN_RECV_REQUEST);
	ck_assert_int_eq(txn_state(rig->bob.txn), TXN_PROCEEDING);
	rig_clear(rig);
}

/* So that rig_deinit() finds nothing: an INVITE may wait for its owner without end. */
static void finish(struct rig *rig)
{
	if (rig->bob.txn)
		rig_reply(&rig->bob, 486);
	rig_deinit(rig);
}

/* RFC 3261 17.2.1: a 100 after 200 ms unless the user was quicker, over any flow. */
START_TEST(automatic_100)
{
	static const enum transport transports[] = { TRANSPORT_UDP, TRANSPORT_TCP };

	for (size_t i = 0; i < ARRAY_LEN(transports); i++) {
		struct rig rig;

		start(&rig, transports[i]);
		wire_run(&rig.wire, 600 * USEC_PER_SEC);
		rig_expect(&rig, "0.200000 bob > 100 INVITE\n");
		finish(&rig);
	}
}
END_TEST

START_TEST(no_automatic_100_after_180)
{
	struct rig rig;

	start(&rig, TRANSPORT_UDP);
	wire_run(&rig.wire, 199 * USEC_PER_MSEC);
	ck_assert_int_eq(rig_reply(&rig.bob, 180), 0);
	wire_run(&rig.wire, 10 * USEC_PER_SEC);
	rig_expect(&rig, "0.199000 bob > 180 INVITE\n");
	finish(&rig);
}
END_TEST

/* RFC 3261 17.2.1: an INVITE again gets the last provisional response; the owner knows nothing. */
START_TEST(retransmission_in_proceeding)
{
	struct rig rig;

	start(&rig, TRANSPORT_UDP);
	rig_in_request(&rig.bob, &invite);
	wire_run(&rig.wire, 500 * USEC_PER_MSEC);
	rig_in_request(&rig.bob, &invite);
	rig_reply(&rig.bob, 180);
	rig_reply(&rig.bob, 183);
	rig_in_request(&rig.bob, &invite);
	/* Nothing yet that an ACK could mean. */
	ck_assert_int_eq(rig_in_request(&rig.bob, &ack), TXN_RECV_DONE);
	ck_assert_int_eq(txn_state(rig.bob.txn), TXN_PROCEEDING);
	rig_expect(&rig, "0.200000 bob > 100 INVITE\n"
			 "0.500000 bob > 100 INVITE\n"
			 "0.500000 bob > 180 INVITE\n"
			 "0.500000 bob > 183 INVITE\n"
			 "0.500000 bob > 183 INVITE\n");
	ck_assert_uint_eq(rig.bob.table.n_retransmissions_in, 3);
	finish(&rig);
}
END_TEST

/* RFC 3261 17.2.1: Timer G 0.5, 1, 2, 4, 4, ...; the ACK is lost and Timer H ends it. */
START_TEST(timers_g_h_unreliable)
{
	struct rig rig;

	start(&rig, TRANSPORT_UDP);
	ck_assert_int_eq(rig_reply(&rig.bob, 486), 0);
	ck_assert_int_eq(txn_state(rig.bob.txn), TXN_COMPLETED);
	wire_run_dry(&rig.wire);
	rig_expect(&rig, "0.000000 bob > 486 INVITE\n"
			 "0.500000 bob > 486 INVITE\n"
			 "1.500000 bob > 486 INVITE\n"
			 "3.500000 bob > 486 INVITE\n"
			 "7.500000 bob > 486 INVITE\n"
			 "11.500000 bob > 486 INVITE\n"
			 "15.500000 bob > 486 INVITE\n"
			 "19.500000 bob > 486 INVITE\n"
			 "23.500000 bob > 486 INVITE\n"
			 "27.500000 bob > 486 INVITE\n"
			 "31.500000 bob > 486 INVITE\n"
			 "32.000000 bob: failed timeout\n"
			 "32.000000 bob: ended INVITE\n");
	rig_deinit(&rig);
}
END_TEST

START_TEST(timers_g_h_reliable)
{
	struct rig rig;

	start(&rig, TRANSPORT_TCP);
	rig_reply(&rig.bob, 486);
	wire_run_dry(&rig.wire);
	rig_expect(&rig, "0.000000 bob > 486 INVITE\n"
			 "32.000000 bob: failed timeout\n"
			 "32.000000 bob: ended INVITE\n");
	rig_deinit(&rig);
}
END_TEST

/* RFC 3261 17.2.1: Timer I, T4, absorbs further ACKs; Timer G is ignored in Confirmed. */
START_TEST(timer_i_unreliable)
{
	struct rig rig;

	start(&rig, TRANSPORT_UDP);
	rig_reply(&rig.bob, 486);
	wire_run(&rig.wire, 600 * USEC_PER_MSEC);
	rig_in_request(&rig.bob, &invite);
	ck_assert_int_eq(rig_in_request(&rig.bob, &ack), TXN_RECV_DONE);
	ck_assert_int_eq(txn_state(rig.bob.txn), TXN_CONFIRMED);
	ck_assert_int_eq(rig_in_request(&rig.bob, &ack), TXN_RECV_DONE);
	ck_assert_int_eq(rig_in_request(&rig.bob, &invite), TXN_RECV_DONE);
	ck_assert_int_eq(rig_reply(&rig.bob, 200), -ESTALE);
	wire_run_dry(&rig.wire);
	rig_expect(&rig, "0.000000 bob > 486 INVITE\n"
			 "0.500000 bob > 486 INVITE\n"
			 "0.600000 bob > 486 INVITE\n"
			 "0.600000 bob: acked\n"
			 "5.600000 bob: ended INVITE\n");
	rig_deinit(&rig);
}
END_TEST

START_TEST(timer_i_reliable)
{
	struct rig rig;

	start(&rig, TRANSPORT_TCP);
	rig_reply(&rig.bob, 302);
	rig_in_request(&rig.bob, &ack);
	rig_expect(&rig, "0.000000 bob > 302 INVITE\n"
			 "0.000000 bob: acked\n");
	wire_run(&rig.wire, 0);
	rig_expect(&rig, "0.000000 bob: ended INVITE\n");
	rig_deinit(&rig);
}
END_TEST

/* RFC 6026 7.1: Accepted absorbs INVITEs, sends 2xx for the user alone, lets ACKs pass; Timer L. */
static void accepted(enum transport transport)
{
	struct rig rig;

	start(&rig, transport);
	ck_assert_int_eq(rig_reply(&rig.bob, 200), 0);
	ck_assert_int_eq(txn_state(rig.bob.txn), TXN_ACCEPTED);
	wire_run(&rig.wire, 500 * USEC_PER_MSEC);
	ck_assert_int_eq(rig_in_request(&rig.bob, &invite), TXN_RECV_DONE);
	ck_assert_int_eq(rig_reply(&rig.bob, 200), 0);
	ck_assert_int_eq(rig_reply(&rig.bob, 180), -ESTALE);
	ck_assert_int_eq(rig_reply(&rig.bob, 500), -ESTALE);
	ck_assert_int_eq(rig_in_request(&rig.bob, &ack), TXN_RECV_ACK);
	wire_run_dry(&rig.wire);
	rig_expect(&rig, "0.000000 bob > 200 INVITE\n"
			 "0.500000 bob > 200 INVITE\n"
			 "0.500000 bob: ACK\n"
			 "32.000000 bob: ended INVITE\n");
	rig_deinit(&rig);
}

START_TEST(timer_l)
{
	accepted(TRANSPORT_UDP);
	accepted(TRANSPORT_TCP);
}
END_TEST

/* RFC 3261 13.3.1.4: the ACK for a 2xx has a branch of its own and is the core's. */
START_TEST(ack_for_2xx_passes_up)
{
	struct rig rig;

	start(&rig, TRANSPORT_UDP);
	rig_reply(&rig.bob, 200);
	ck_assert_int_eq(rig_in_request(&rig.bob,
				 &(struct rig_request){
					 .method = "ACK", .branch = "z9hG4bK-ack", .to_tag = "b" }),
		TXN_RECV_ACK);
	rig_deinit(&rig);
}
END_TEST

/* RFC 3261 9.2: the CANCEL is answered by the core, the INVITE by its owner. */
START_TEST(cancel_before_final)
{
	struct rig rig;

	start(&rig, TRANSPORT_UDP);
	rig_reply(&rig.bob, 180);
	rig_in_request(&rig.bob, &cancel);
	rig_in_request(&rig.bob, &cancel);
	rig_in_request(&rig.bob, &ack);
	rig_expect(&rig, "0.000000 bob > 180 INVITE\n"
			 "0.000000 bob: CANCEL\n"
			 "0.000000 bob > 200 CANCEL\n"
			 "0.000000 bob: cancelled\n"
			 "0.000000 bob > 487 INVITE\n"
			 "0.000000 bob > 200 CANCEL\n"
			 "0.000000 bob: acked\n");
	rig_deinit(&rig);
}
END_TEST

/* RFC 3261 9.2: after a final response a CANCEL has no effect, and is a 200 all the same. */
START_TEST(cancel_after_final)
{
	static const unsigned statuses[] = { 200, 486 };

	for (size_t i = 0; i < ARRAY_LEN(statuses); i++) {
		struct rig rig;
		enum txn_state state;

		start(&rig, TRANSPORT_UDP);
		rig_reply(&rig.bob, statuses[i]);
		state = txn_state(rig.bob.txn);
		rig_clear(&rig);
		rig_in_request(&rig.bob, &cancel);
		rig_expect(&rig, "0.000000 bob: CANCEL\n"
				 "0.000000 bob > 200 CANCEL\n");
		ck_assert_int_eq(txn_state(rig.bob.txn), state);
		rig_deinit(&rig);
	}
}
END_TEST

/* RFC 3261 9.2: nothing there to cancel. */
START_TEST(cancel_without_invite)
{
	struct rig rig;

	rig_init(&rig, TRANSPORT_UDP, 100);
	rig.alice.listening = RIG_DEAF;
	rig_in_request(&rig.bob, &cancel);
	rig_expect(&rig, "0.000000 bob: CANCEL\n"
			 "0.000000 bob > 481 CANCEL\n");
	rig_deinit(&rig);
}
END_TEST

/* RFC 6026 7.1: no flow for a response is told once and changes no state. */
START_TEST(flow_down_in_proceeding)
{
	struct rig rig;

	start(&rig, TRANSPORT_TCP);
	wire_break(rig.bob.flow);
	rig_reply(&rig.bob, 180);
	rig_expect(&rig, "");
	wire_run(&rig.wire, USEC_PER_SEC);
	ck_assert_int_eq(txn_state(rig.bob.txn), TXN_PROCEEDING);
	rig_in_request(&rig.bob, &invite);
	rig_reply(&rig.bob, 486);
	wire_run(&rig.wire, 0);
	ck_assert_int_eq(txn_state(rig.bob.txn), TXN_COMPLETED);
	wire_run_dry(&rig.wire);
	rig_expect(&rig, "0.000000 bob: failed transport\n"
			 "33.000000 bob: ended INVITE\n");
	rig_deinit(&rig);
}
END_TEST

START_TEST(flow_down_in_other_states)
{
	static const struct {
		unsigned status;
		const char *told;
	} rows[] = {
		{ 200, "0.000000 bob > 200 INVITE\n"
		       "1.000000 bob: failed transport\n"
		       "32.000000 bob: ended INVITE\n" },
		{ 486, "0.000000 bob > 486 INVITE\n"
		       "0.500000 bob > 486 INVITE\n"
		       "1.500000 bob: failed transport\n"
		       "32.000000 bob: ended INVITE\n" },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct rig rig;

		start(&rig, TRANSPORT_UDP);
		rig_reply(&rig.bob, rows[i].status);
		wire_run(&rig.wire, USEC_PER_SEC);
		wire_break(rig.bob.flow);
		if (rows[i].status == 200)
			rig_reply(&rig.bob, 200);
		wire_run_dry(&rig.wire);
		rig_expect(&rig, rows[i].told);
		rig_deinit(&rig);
	}
}
END_TEST

static struct flow *other_flow(void *ctx, const struct msg *request, struct flow *down)
{
	struct rig *rig = ctx;

	ck_assert_int_eq(request->method, METHOD_INVITE);
	ck_assert_ptr_eq(down, rig->bob.flow);
	return flow_ref(wire_connect(&rig->wire, TRANSPORT_TCP, &rig->bob.wire, &rig->alice.wire));
}

/* RFC 3261 18.2.2: the connection is gone, the response takes another. */
START_TEST(response_is_rerouted)
{
	struct rig rig;

	start(&rig, TRANSPORT_TCP);
	rig.bob.table.reroute = other_flow;
	rig.bob.table.reroute_ctx = &rig;
	wire_break(rig.bob.flow);
	rig_reply(&rig.bob, 180);
	ck_assert_ptr_ne(txn_flow(rig.bob.txn), rig.bob.flow);
	rig_reply(&rig.bob, 486);
	rig_in_request(&rig.bob, &ack);
	wire_run_dry(&rig.wire);
	rig_expect(&rig, "0.000000 bob > 180 INVITE\n"
			 "0.000000 bob > 486 INVITE\n"
			 "0.000000 bob: acked\n"
			 "0.000000 bob: ended INVITE\n");
	rig_deinit(&rig);
}
END_TEST

START_TEST(forgotten_in_callback)
{
	struct rig rig;

	/* acked */
	start(&rig, TRANSPORT_UDP);
	rig_reply(&rig.bob, 486);
	rig.bob.forgets = RIG_FORGETS;
	rig_in_request(&rig.bob, &ack);
	ck_assert_ptr_null(rig.bob.txn);
	rig_deinit(&rig);
	/* failed */
	start(&rig, TRANSPORT_UDP);
	rig_reply(&rig.bob, 486);
	rig.bob.forgets = RIG_FORGETS;
	rig_deinit(&rig);
	/* cancelled; nobody answers any more: Timer C */
	start(&rig, TRANSPORT_UDP);
	rig.bob.forgets = RIG_FORGETS;
	rig_in_request(&rig.bob, &cancel);
	ck_assert_ptr_null(rig.bob.txn);
	wire_run(&rig.wire, 179 * USEC_PER_SEC);
	ck_assert_uint_eq(rig.bob.table.n, 1);
	wire_run(&rig.wire, USEC_PER_SEC);
	ck_assert_uint_eq(rig.bob.table.n, 0);
	rig_deinit(&rig);
}
END_TEST

START_TEST(status_out_of_range)
{
	struct rig rig;

	start(&rig, TRANSPORT_UDP);
	ck_assert_int_eq(txn_reply(rig.bob.txn, 99, SLICE("x")), -EINVAL);
	ck_assert_int_eq(txn_reply(rig.bob.txn, 700, SLICE("x")), -EINVAL);
	finish(&rig);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("txn-ist");
	TCase *tc = tcase_create("ist");
	SRunner *sr;
	int failed;

	tcase_add_test(tc, automatic_100);
	tcase_add_test(tc, no_automatic_100_after_180);
	tcase_add_test(tc, retransmission_in_proceeding);
	tcase_add_test(tc, timers_g_h_unreliable);
	tcase_add_test(tc, timers_g_h_reliable);
	tcase_add_test(tc, timer_i_unreliable);
	tcase_add_test(tc, timer_i_reliable);
	tcase_add_test(tc, timer_l);
	tcase_add_test(tc, ack_for_2xx_passes_up);
	tcase_add_test(tc, cancel_before_final);
	tcase_add_test(tc, cancel_after_final);
	tcase_add_test(tc, cancel_without_invite);
	tcase_add_test(tc, flow_down_in_proceeding);
	tcase_add_test(tc, flow_down_in_other_states);
	tcase_add_test(tc, response_is_rerouted);
	tcase_add_test(tc, forgotten_in_callback);
	tcase_add_test(tc, status_out_of_range);
	suite_add_tcase(s, tc);
	sr = srunner_create(s);
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
