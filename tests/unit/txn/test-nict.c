/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The non-INVITE client transaction, each timer to the microsecond. */
#include <check.h>
#include <stdlib.h>

#include "protocol/base/mem.h"
#include "tests/unit/txn/rig.h"

static void start(struct rig *rig, enum transport transport)
{
	rig_init(rig, transport, 100);
	rig->bob.listening = RIG_DEAF;
	ck_assert_ptr_nonnull(rig_start(&rig->alice, "OPTIONS"));
	ck_assert_int_eq(txn_state(rig->alice.txn), TXN_TRYING);
}

/* RFC 3261 17.1.2.2: Timer E 0.5, 1, 2, 4, 4, ...; Timer F. */
START_TEST(timers_e_f_unreliable)
{
	struct rig rig;

	start(&rig, TRANSPORT_UDP);
	wire_run_dry(&rig.wire);
	rig_expect(&rig, "0.000000 alice > OPTIONS\n"
			 "0.500000 alice > OPTIONS\n"
			 "1.500000 alice > OPTIONS\n"
			 "3.500000 alice > OPTIONS\n"
			 "7.500000 alice > OPTIONS\n"
			 "11.500000 alice > OPTIONS\n"
			 "15.500000 alice > OPTIONS\n"
			 "19.500000 alice > OPTIONS\n"
			 "23.500000 alice > OPTIONS\n"
			 "27.500000 alice > OPTIONS\n"
			 "31.500000 alice > OPTIONS\n"
			 "32.000000 alice: failed timeout\n"
			 "32.000000 alice: ended OPTIONS\n");
	rig_deinit(&rig);
}
END_TEST

START_TEST(timers_e_f_reliable)
{
	struct rig rig;

	start(&rig, TRANSPORT_TLS);
	wire_run(&rig.wire, USEC_PER_SEC);
	rig_in_response(&rig.alice, 100, "");
	wire_run_dry(&rig.wire);
	rig_expect(&rig, "0.000000 alice > OPTIONS\n"
			 "1.000000 alice: 100 OPTIONS\n"
			 "32.000000 alice: failed timeout\n"
			 "32.000000 alice: ended OPTIONS\n");
	rig_deinit(&rig);
}
END_TEST

/* RFC 3261 17.1.2.2: after a 100 the running Timer E fires once more, then every T2; F stays. */
START_TEST(timer_e_in_proceeding)
{
	struct rig rig;

	start(&rig, TRANSPORT_UDP);
	wire_run(&rig.wire, 600 * USEC_PER_MSEC);
	rig_in_response(&rig.alice, 100, "");
	ck_assert_int_eq(txn_state(rig.alice.txn), TXN_PROCEEDING);
	wire_run_dry(&rig.wire);
	rig_expect(&rig, "0.000000 alice > OPTIONS\n"
			 "0.500000 alice > OPTIONS\n"
			 "0.600000 alice: 100 OPTIONS\n"
			 "1.500000 alice > OPTIONS\n"
			 "5.500000 alice > OPTIONS\n"
			 "9.500000 alice > OPTIONS\n"
			 "13.500000 alice > OPTIONS\n"
			 "17.500000 alice > OPTIONS\n"
			 "21.500000 alice > OPTIONS\n"
			 "25.500000 alice > OPTIONS\n"
			 "29.500000 alice > OPTIONS\n"
			 "32.000000 alice: failed timeout\n"
			 "32.000000 alice: ended OPTIONS\n");
	rig_deinit(&rig);
}
END_TEST

/* RFC 3261 17.1.2.2: Timer K, T4; the owner sees one final response only. */
START_TEST(timer_k_unreliable)
{
	struct rig rig;

	start(&rig, TRANSPORT_UDP);
	wire_run(&rig.wire, 20 * USEC_PER_MSEC);
	rig_in_response(&rig.alice, 200, "b");
	rig_in_response(&rig.alice, 200, "b");
	rig_in_response(&rig.alice, 500, "c");
	wire_run_dry(&rig.wire);
	rig_expect(&rig, "0.000000 alice > OPTIONS\n"
			 "0.020000 alice: 200 OPTIONS\n"
			 "5.020000 alice: ended OPTIONS\n");
	ck_assert_uint_eq(rig.alice.table.n_retransmissions_in, 2);
	rig_deinit(&rig);
}
END_TEST

START_TEST(timer_k_reliable)
{
	struct rig rig;

	start(&rig, TRANSPORT_TCP);
	rig_in_response(&rig.alice, 100, "");
	rig_in_response(&rig.alice, 486, "b");
	rig_expect(&rig, "0.000000 alice > OPTIONS\n"
			 "0.000000 alice: 100 OPTIONS\n"
			 "0.000000 alice: 486 OPTIONS\n");
	wire_run(&rig.wire, 0);
	rig_expect(&rig, "0.000000 alice: ended OPTIONS\n");
	rig_deinit(&rig);
}
END_TEST

/* RFC 4321 1.2: what comes after Timer F matches nothing. */
START_TEST(late_200_is_stray)
{
	struct rig rig;
	struct msg *ok;

	start(&rig, TRANSPORT_UDP);
	ok = rig_response(txn_request(rig.alice.txn), 200, "b");
	wire_run(&rig.wire, 32 * USEC_PER_SEC);
	ck_assert_ptr_null(rig.alice.txn);
	ck_assert_int_eq(rig_in(&rig.alice, ok), TXN_RECV_STRAY_RESPONSE);
	msg_unref(ok);
	rig_deinit(&rig);
}
END_TEST

/* Woken late: one request, not the eight that were missed; after the end none. */
START_TEST(late_timers_do_not_burst)
{
	struct rig rig;

	start(&rig, TRANSPORT_UDP);
	rig_clear(&rig);
	timerq_run(&rig.timers, 25 * USEC_PER_SEC);
	rig_expect(&rig, "25.000000 alice > OPTIONS\n");
	timerq_run(&rig.timers, 50 * USEC_PER_SEC);
	rig_expect(&rig, "50.000000 alice: failed timeout\n"
			 "50.000000 alice: ended OPTIONS\n");
	rig_deinit(&rig);
}
END_TEST

/* RFC 3261 17.1.4. */
START_TEST(flow_down)
{
	static const struct {
		unsigned status;
		const char *told;
	} rows[] = {
		{ 0, "0.000000 alice: failed transport\n0.000000 alice: ended OPTIONS\n" },
		{ 100, "0.000000 alice: failed transport\n0.000000 alice: ended OPTIONS\n" },
		{ 200, "5.000000 alice: ended OPTIONS\n" },
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

/* A response on a flow that just broke under a new request settles it before the failure is told.
 */
START_TEST(flow_already_down)
{
	struct rig rig;

	rig_init(&rig, TRANSPORT_UDP, 100);
	wire_break(rig.alice.flow);
	rig_start(&rig.alice, "OPTIONS");
	rig_in_response(&rig.alice, 200, "b");
	wire_run_dry(&rig.wire);
	rig_expect(&rig, "0.000000 alice: 200 OPTIONS\n"
			 "5.000000 alice: ended OPTIONS\n");
	rig_start(&rig.alice, "OPTIONS");
	wire_run(&rig.wire, 0);
	rig_expect(&rig, "5.000000 alice: failed transport\n"
			 "5.000000 alice: ended OPTIONS\n");
	rig_deinit(&rig);
}
END_TEST

START_TEST(forgotten_in_callback)
{
	static const unsigned statuses[] = { 100, 200, 0 };

	for (size_t i = 0; i < ARRAY_LEN(statuses); i++) {
		struct rig rig;

		start(&rig, TRANSPORT_UDP);
		rig.alice.forgets = RIG_FORGETS;
		if (statuses[i]) {
			rig_in_response(&rig.alice, statuses[i], "b");
			ck_assert_ptr_null(rig.alice.txn);
			ck_assert_uint_eq(rig.alice.table.n, 1);
		}
		wire_run_dry(&rig.wire);
		rig_deinit(&rig);
	}
}
END_TEST

int main(void)
{
	Suite *s = suite_create("txn-nict");
	TCase *tc = tcase_create("nict");
	SRunner *sr;
	int failed;

	tcase_add_test(tc, timers_e_f_unreliable);
	tcase_add_test(tc, timers_e_f_reliable);
	tcase_add_test(tc, timer_e_in_proceeding);
	tcase_add_test(tc, timer_k_unreliable);
	tcase_add_test(tc, timer_k_reliable);
	tcase_add_test(tc, late_200_is_stray);
	tcase_add_test(tc, late_timers_do_not_burst);
	tcase_add_test(tc, flow_down);
	tcase_add_test(tc, flow_already_down);
	tcase_add_test(tc, forgotten_in_callback);
	suite_add_tcase(s, tc);
	sr = srunner_create(s);
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
