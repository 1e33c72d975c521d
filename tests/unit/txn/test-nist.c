/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The non-INVITE server transaction, each timer to the microsecond. */
#include <check.h>
#include <stdlib.h>

#include "protocol/base/err.h"
#include "protocol/base/mem.h"
#include "tests/unit/txn/rig.h"

static const struct rig_request options = { .method = "OPTIONS" };

static void start(struct rig *rig, enum transport transport)
{
	rig_init(rig, transport, 100);
	rig->alice.listening = RIG_DEAF;
	ck_assert_int_eq(rig_in_request(&rig->bob, &options), TXN_RECV_REQUEST);
	ck_assert_int_eq(txn_state(rig->bob.txn), TXN_TRYING);
	rig_clear(rig);
}

/* RFC 3261 17.2.2: Timer J, 64*T1; the request again is answered from here, the owner is not asked.
 */
START_TEST(timer_j_unreliable)
{
	struct rig rig;

	start(&rig, TRANSPORT_UDP);
	rig_in_request(&rig.bob, &options);
	ck_assert_int_eq(rig_reply(&rig.bob, 200), 0);
	ck_assert_int_eq(txn_state(rig.bob.txn), TXN_COMPLETED);
	wire_run(&rig.wire, 500 * USEC_PER_MSEC);
	ck_assert_int_eq(rig_in_request(&rig.bob, &options), TXN_RECV_DONE);
	ck_assert_int_eq(rig_reply(&rig.bob, 500), -ESTALE);
	wire_run_until(&rig.wire, 32 * USEC_PER_SEC - 1);
	ck_assert_int_eq(rig_in_request(&rig.bob, &options), TXN_RECV_DONE);
	wire_run_dry(&rig.wire);
	rig_expect(&rig, "0.000000 bob > 200 OPTIONS\n"
			 "0.500000 bob > 200 OPTIONS\n"
			 "31.999999 bob > 200 OPTIONS\n"
			 "32.000000 bob: ended OPTIONS\n");
	ck_assert_uint_eq(rig.bob.table.n_retransmissions_in, 3);
	rig_deinit(&rig);
}
END_TEST

START_TEST(timer_j_reliable)
{
	struct rig rig;

	start(&rig, TRANSPORT_TCP);
	rig_reply(&rig.bob, 200);
	rig_expect(&rig, "0.000000 bob > 200 OPTIONS\n");
	wire_run(&rig.wire, 0);
	rig_expect(&rig, "0.000000 bob: ended OPTIONS\n");
	rig_deinit(&rig);
}
END_TEST

/*
 * RFC 4320 4.1: a 100 when Timer E would have reached T2, over any flow; 4.2: no response at all
 * once the client must have given up. What it sent before is still absorbed.
 */
START_TEST(automatic_100_and_end)
{
	static const struct {
		enum transport transport;
		const char *told;
	} rows[] = {
		{ TRANSPORT_UDP, "32.000000 bob: failed timeout\n"
				 "64.000000 bob: ended OPTIONS\n" },
		{ TRANSPORT_TCP, "32.000000 bob: failed timeout\n"
				 "32.000000 bob: ended OPTIONS\n" },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct rig rig;

		start(&rig, rows[i].transport);
		wire_run(&rig.wire, 4 * USEC_PER_SEC);
		ck_assert_int_eq(txn_state(rig.bob.txn), TXN_PROCEEDING);
		rig_in_request(&rig.bob, &options);
		rig_expect(&rig, "3.500000 bob > 100 OPTIONS\n"
				 "4.000000 bob > 100 OPTIONS\n");
		timerq_run(&rig.timers, 32 * USEC_PER_SEC);
		if (rows[i].transport == TRANSPORT_UDP) {
			ck_assert_int_eq(rig_reply(&rig.bob, 200), -ESTALE);
			ck_assert_int_eq(rig_in_request(&rig.bob, &options), TXN_RECV_DONE);
		}
		wire_run_dry(&rig.wire);
		rig_expect(&rig, rows[i].told);
		rig_deinit(&rig);
	}
}
END_TEST

/* RFC 4320 4.1: over UDP a 100 of the user waits; over TCP it may go at once. */
START_TEST(early_100)
{
	struct rig rig;

	start(&rig, TRANSPORT_UDP);
	ck_assert_int_eq(rig_reply(&rig.bob, 100), 0);
	wire_run(&rig.wire, 3600 * USEC_PER_MSEC);
	ck_assert_int_eq(rig_reply(&rig.bob, 100), 0);
	rig_expect(&rig, "3.500000 bob > 100 OPTIONS\n"
			 "3.600000 bob > 100 OPTIONS\n");
	rig_deinit(&rig);
	start(&rig, TRANSPORT_TCP);
	ck_assert_int_eq(rig_reply(&rig.bob, 100), 0);
	wire_run(&rig.wire, 10 * USEC_PER_SEC);
	rig_expect(&rig, "0.000000 bob > 100 OPTIONS\n");
	rig_deinit(&rig);
}
END_TEST

/* RFC 4320 4.1 and 4.2. */
START_TEST(forbidden_responses)
{
	static const unsigned statuses[] = { 99, 101, 180, 199, 408, 700 };
	struct rig rig;

	start(&rig, TRANSPORT_TCP);
	for (size_t i = 0; i < ARRAY_LEN(statuses); i++)
		ck_assert_int_eq(txn_reply(rig.bob.txn, statuses[i], SLICE("x")), -EINVAL);
	rig_expect(&rig, "");
	ck_assert_int_eq(txn_state(rig.bob.txn), TXN_TRYING);
	rig_deinit(&rig);
}
END_TEST

/* A BENOTIFY gets no response, not even a 100 ([MS-SIP] 2.2). */
START_TEST(benotify_is_not_answered)
{
	struct rig rig;

	rig_init(&rig, TRANSPORT_UDP, 100);
	rig_in_request(&rig.bob, &(struct rig_request){ .method = "BENOTIFY" });
	txn_forget(rig.bob.txn);
	rig.bob.txn = NULL;
	rig.bob.n_txns = 0;
	wire_run_dry(&rig.wire);
	rig_expect(&rig, "0.000000 bob: BENOTIFY\n");
	rig_deinit(&rig);
}
END_TEST

/* RFC 3261 17.2.4: no flow for the response; told after the call that found it out. */
START_TEST(flow_down)
{
	struct rig rig;

	start(&rig, TRANSPORT_TCP);
	wire_break(rig.bob.flow);
	wire_run(&rig.wire, USEC_PER_SEC);
	ck_assert_int_eq(rig_reply(&rig.bob, 200), 0);
	rig_expect(&rig, "");
	wire_run(&rig.wire, 0);
	rig_expect(&rig, "1.000000 bob: failed transport\n"
			 "1.000000 bob: ended OPTIONS\n");
	rig_deinit(&rig);
	/* The automatic 100 finds it out. */
	start(&rig, TRANSPORT_UDP);
	wire_break(rig.bob.flow);
	wire_run_dry(&rig.wire);
	rig_expect(&rig, "3.500000 bob: failed transport\n"
			 "3.500000 bob: ended OPTIONS\n");
	rig_deinit(&rig);
	/* The request again finds it out. */
	start(&rig, TRANSPORT_UDP);
	rig_reply(&rig.bob, 200);
	wire_break(rig.bob.flow);
	rig_clear(&rig);
	rig_in_request(&rig.bob, &options);
	wire_run_dry(&rig.wire);
	rig_expect(&rig, "0.000000 bob: failed transport\n"
			 "0.000000 bob: ended OPTIONS\n");
	rig_deinit(&rig);
}
END_TEST

START_TEST(forgotten)
{
	struct rig rig;

	start(&rig, TRANSPORT_UDP);
	rig.bob.forgets = RIG_FORGETS; /* in failed */
	rig_deinit(&rig);
	start(&rig, TRANSPORT_UDP);
	rig_reply(&rig.bob, 200);
	txn_forget(rig.bob.txn);
	rig.bob.n_txns = 0;
	rig.bob.txn = NULL;
	rig_clear(&rig);
	ck_assert_int_eq(rig_in_request(&rig.bob, &options), TXN_RECV_DONE);
	wire_run_dry(&rig.wire);
	rig_expect(&rig, "0.000000 bob > 200 OPTIONS\n");
	rig_deinit(&rig);
	txn_forget(NULL);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("txn-nist");
	TCase *tc = tcase_create("nist");
	SRunner *sr;
	int failed;

	tcase_add_test(tc, timer_j_unreliable);
	tcase_add_test(tc, timer_j_reliable);
	tcase_add_test(tc, automatic_100_and_end);
	tcase_add_test(tc, early_100);
	tcase_add_test(tc, forbidden_responses);
	tcase_add_test(tc, benotify_is_not_answered);
	tcase_add_test(tc, flow_down);
	tcase_add_test(tc, forgotten);
	suite_add_tcase(s, tc);
	sr = srunner_create(s);
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
