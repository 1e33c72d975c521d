/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Which transaction a message belongs to, and how many there may be. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>

#include "protocol/base/log.h"
#include "protocol/base/mem.h"
#include "tests/unit/txn/rig.h"

static void start(struct rig *rig, const struct rig_request *first)
{
	rig_init(rig, TRANSPORT_UDP, 100);
	rig->alice.listening = RIG_DEAF;
	rig->bob.answers = 404;
	ck_assert_int_eq(rig_in_request(&rig->bob, first), TXN_RECV_REQUEST);
}

/* RFC 3261 17.2.3: branch, sent-by and method together; 7.3.1: tokens ignore case. */
START_TEST(server_matching)
{
	static const struct rig_request first = { .method = "MESSAGE" };
	static const struct {
		struct rig_request again;
		enum txn_recv result;
	} rows[] = {
		{ { .method = "MESSAGE" }, TXN_RECV_DONE },
		{ { .method = "MESSAGE", .branch = "Z9HG4BK-1" }, TXN_RECV_DONE },
		{ { .method = "MESSAGE", .sent_by = "ALICE.invalid:5060" }, TXN_RECV_DONE },
		/* Equal branch from elsewhere, or of another method. */
		{ { .method = "MESSAGE", .sent_by = "mallory.invalid" }, TXN_RECV_REQUEST },
		{ { .method = "MESSAGE", .sent_by = "alice.invalid:5062" }, TXN_RECV_REQUEST },
		{ { .method = "OPTIONS" }, TXN_RECV_REQUEST },
		{ { .method = "NEWFANGLED" }, TXN_RECV_REQUEST },
		{ { .method = "NEWFANGLEd" }, TXN_RECV_REQUEST },
		{ { .method = "NEWFANGLED" }, TXN_RECV_DONE },
		/* Anything else plays no part. */
		{ { .method = "MESSAGE", .call_id = "other", .from_tag = "z", .cseq = 9 },
			TXN_RECV_DONE },
		{ { .method = "MESSAGE", .branch = "z9hG4bK-2" }, TXN_RECV_REQUEST },
	};
	struct rig rig;

	start(&rig, &first);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		ck_assert_msg(
			rig_in_request(&rig.bob, &rows[i].again) == rows[i].result, "row %zu", i);
	rig_deinit(&rig);
}
END_TEST

/* RFC 3261 17.2.3: without the cookie everything else decides. */
static void match_2543(const char *branch)
{
	const struct rig_request first = { .method = "INVITE", .branch = branch };
	const struct {
		struct rig_request again;
		enum txn_recv result;
	} rows[] = {
		{ { .method = "INVITE", .branch = branch }, TXN_RECV_DONE },
		{ { .method = "INVITE", .branch = branch, .uri = "sip:bob@BOB.invalid" },
			TXN_RECV_DONE },
		{ { .method = "ACK", .branch = branch, .to_tag = "wrong" }, TXN_RECV_ACK },
		{ { .method = "ACK", .branch = branch }, TXN_RECV_ACK },
		{ { .method = "ACK", .branch = branch, .to_tag = "b", .cseq = 2 }, TXN_RECV_ACK },
		{ { .method = "ACK", .branch = branch, .to_tag = "b" }, TXN_RECV_DONE },
		{ { .method = "CANCEL", .branch = branch }, TXN_RECV_REQUEST },
		{ { .method = "CANCEL", .branch = branch }, TXN_RECV_DONE },
		{ { .method = "INVITE", .branch = branch, .uri = "sip:eve@bob.invalid" },
			TXN_RECV_REQUEST },
		{ { .method = "INVITE", .branch = branch, .from_tag = "x" }, TXN_RECV_REQUEST },
		{ { .method = "INVITE", .branch = branch, .to_tag = "x" }, TXN_RECV_REQUEST },
		{ { .method = "INVITE", .branch = branch, .call_id = "x" }, TXN_RECV_REQUEST },
		{ { .method = "INVITE", .branch = branch, .cseq = 2 }, TXN_RECV_REQUEST },
		{ { .method = "INVITE", .branch = branch, .sent_by = "x.invalid" },
			TXN_RECV_REQUEST },
		{ { .method = "OPTIONS", .branch = branch }, TXN_RECV_REQUEST },
	};
	struct rig rig;

	start(&rig, &first);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		ck_assert_msg(
			rig_in_request(&rig.bob, &rows[i].again) == rows[i].result, "row %zu", i);
	rig_deinit(&rig);
}

START_TEST(rfc_2543_matching)
{
	match_2543("");
	match_2543("1");
}
END_TEST

/* RFC 3261 9.2 by the rules of RFC 2543. */
START_TEST(rfc_2543_cancel)
{
	struct rig rig;

	rig_init(&rig, TRANSPORT_UDP, 100);
	rig.alice.listening = RIG_DEAF;
	rig_in_request(&rig.bob, &(struct rig_request){ .method = "INVITE", .branch = "" });
	rig_reply(&rig.bob, 180);
	rig_in_request(&rig.bob, &(struct rig_request){ .method = "CANCEL", .branch = "" });
	rig_expect(&rig, "0.000000 bob: INVITE\n"
			 "0.000000 bob > 180 INVITE\n"
			 "0.000000 bob: CANCEL\n"
			 "0.000000 bob > 200 CANCEL\n"
			 "0.000000 bob: cancelled\n"
			 "0.000000 bob > 487 INVITE\n");
	rig_deinit(&rig);
}
END_TEST

/*
 * RFC 3261 17.2.3: without the cookie an id does not tell Request-URIs and To tags apart, so what
 * shares one is bounded; the top Via is part of it, so what differs there shares nothing.
 */
START_TEST(rfc_2543_same_id_is_bounded)
{
	struct rig rig;
	char tag[16], sent_by[32];

	rig_init(&rig, TRANSPORT_UDP, 1000);
	rig.alice.listening = RIG_DEAF;
	for (unsigned i = 0; i < 2 * TXN_SAME_ID_MAX; i++) {
		(void)snprintf(sent_by, sizeof(sent_by), "h%u.invalid", i);
		rig_in_request(
			&rig.bob, &(struct rig_request){ .branch = "1", .sent_by = sent_by });
	}
	ck_assert_uint_eq(rig.bob.table.n, 2 * TXN_SAME_ID_MAX);
	map_for_each (node, &rig.bob.table.servers)
		ck_assert_ptr_null(map_find_next(node));
	for (unsigned i = 0; i < TXN_SAME_ID_MAX; i++) {
		(void)snprintf(tag, sizeof(tag), "t%u", i);
		rig_in_request(&rig.bob, &(struct rig_request){ .branch = "1", .to_tag = tag });
	}
	ck_assert_uint_eq(rig.bob.table.n, 3 * TXN_SAME_ID_MAX);
	rig_clear(&rig);
	rig_in_request(&rig.bob, &(struct rig_request){ .branch = "1", .to_tag = "last" });
	rig_expect(&rig, "0.000000 bob: OPTIONS\n"
			 "0.000000 bob: full\n");
	/* Those that are there are found still, and another id has room. */
	ck_assert_int_eq(
		rig_in_request(&rig.bob, &(struct rig_request){ .branch = "1", .to_tag = "t0" }),
		TXN_RECV_DONE);
	rig_in_request(
		&rig.bob, &(struct rig_request){ .branch = "1", .to_tag = "last", .cseq = 2 });
	ck_assert_uint_eq(rig.bob.table.n, 3 * TXN_SAME_ID_MAX + 1);
	rig_deinit(&rig);
}
END_TEST

/* RFC 3261 17.1.3: branch and CSeq method; 18.1.2: a sent-by of ours. */
START_TEST(client_matching)
{
	static const struct {
		struct rig_request request;
		enum txn_recv result;
	} rows[] = {
		{ { .method = "INVITE", .branch = "z9hG4bK-2" }, TXN_RECV_STRAY_RESPONSE },
		{ { .method = "CANCEL" }, TXN_RECV_STRAY_RESPONSE },
		{ { .method = "INVITE", .sent_by = "mallory.invalid" }, TXN_RECV_STRAY_RESPONSE },
		{ { .method = "INVITE", .branch = "Z9hG4bK-1", .call_id = "x" }, TXN_RECV_DONE },
	};
	struct rig rig;

	rig_init(&rig, TRANSPORT_UDP, 100);
	rig.bob.listening = RIG_DEAF;
	rig_start(&rig.alice, "INVITE");
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct msg *request = rig_request(&rows[i].request);
		struct msg *response = rig_response(request, 486, "b");

		ck_assert_msg(rig_in(&rig.alice, response) == rows[i].result, "row %zu", i);
		msg_unref(response);
		msg_unref(request);
	}
	ck_assert_uint_eq(rig.alice.table.n_stray_responses, 3);
	rig_deinit(&rig);
}
END_TEST

/* RFC 3261 8.2.2.2: the same request over two paths. */
START_TEST(merged_requests)
{
	static const struct {
		struct rig_request request;
		bool merged;
	} rows[] = {
		{ { .method = "INVITE", .branch = "z9hG4bK-path2" }, true },
		{ { .method = "INVITE", .sent_by = "p.invalid" }, true },
		{ { .method = "INVITE", .branch = "z9hG4bK-x", .uri = "sip:bob@b.invalid" }, true },
		/* A fork to another endpoint of the same process. */
		{ { .method = "INVITE", .branch = "z9hG4bK-x", .uri = "sip:t0k@bob.invalid" },
			false },
		/* The request itself, before or after it has its transaction. */
		{ { .method = "INVITE" }, false },
		{ { .method = "INVITE", .branch = "z9hG4bK-x", .cseq = 2 }, false },
		{ { .method = "INVITE", .branch = "z9hG4bK-x", .call_id = "x" }, false },
		{ { .method = "INVITE", .branch = "z9hG4bK-x", .from_tag = "x" }, false },
		{ { .method = "INVITE", .branch = "z9hG4bK-x", .to_tag = "x" }, false },
		{ { .method = "CANCEL" }, false },
	};
	struct rig rig;

	start(&rig, &(struct rig_request){ .method = "INVITE" });
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct msg *m = rig_request(&rows[i].request);

		ck_assert_msg(txn_is_merged(&rig.bob.table, m) == rows[i].merged, "row %zu", i);
		msg_unref(m);
	}
	wire_run_dry(&rig.wire);
	rig_clear(&rig);
	rig_in_request(&rig.bob, &rows[0].request);
	rig_expect(&rig, "32.000000 bob: INVITE\n"
			 "32.000000 bob > 404 INVITE\n");
	rig_deinit(&rig);
}
END_TEST

/* Any number of methods may share the rest: each has a chain of its own, so none gets long. */
START_TEST(methods_are_not_merged)
{
	static const char *const methods[] = { "OPTIONS", "NEWFANGLED", "NEWFANGLEd", "MESSAGE" };
	struct rig rig;

	start(&rig, &(struct rig_request){ .method = "INVITE" });
	for (size_t i = 0; i < ARRAY_LEN(methods); i++)
		rig_in_request(&rig.bob,
			&(struct rig_request){ .method = methods[i], .branch = "z9hG4bK-x" });
	ck_assert_uint_eq(rig.bob.table.merges.n, ARRAY_LEN(methods) + 1);
	map_for_each (node, &rig.bob.table.merges)
		ck_assert_ptr_null(map_find_next(node));
	rig_deinit(&rig);
}
END_TEST

static void in_numbered(struct rig *rig, const char *method, unsigned i)
{
	char branch[32];

	(void)snprintf(branch, sizeof(branch), "z9hG4bK-n%u", i);
	rig_in_request(&rig->bob, &(struct rig_request){ .method = method, .branch = branch });
}

/* The ceiling holds for all kinds together; what is in is still served. */
START_TEST(full_table)
{
	enum { MAX = 3 };
	struct txn *invite = NULL;
	struct rig rig;

	rig_init(&rig, TRANSPORT_UDP, MAX);
	rig.alice.listening = RIG_DEAF;
	for (unsigned i = 0; i < MAX + 1; i++) {
		in_numbered(&rig, i % 2 ? "INVITE" : "OPTIONS", i);
		if (i == 1)
			invite = rig.bob.txn;
	}
	ck_assert_ptr_null(rig_start(&rig.bob, "OPTIONS"));
	ck_assert_uint_eq(rig.bob.table.n, MAX);
	rig_expect(&rig, "0.000000 bob: OPTIONS\n"
			 "0.000000 bob: INVITE\n"
			 "0.000000 bob: OPTIONS merged\n"
			 "0.000000 bob: INVITE merged\n"
			 "0.000000 bob: full\n");
	in_numbered(&rig, "OPTIONS", 0);
	rig_expect(&rig, "");
	/* Room again. */
	wire_run(&rig.wire, 64 * USEC_PER_SEC);
	ck_assert_uint_eq(rig.bob.table.n, 1);
	in_numbered(&rig, "OPTIONS", 9);
	ck_assert_uint_eq(rig.bob.table.n, 2);
	txn_forget(invite);
	rig.bob.n_txns--;
	rig_deinit(&rig);
}
END_TEST

/* A CANCEL is of no use if it finds no room: it may pass the ceiling. */
START_TEST(full_table_cancels)
{
	struct rig rig;

	rig_init(&rig, TRANSPORT_UDP, 1);
	rig.bob.listening = RIG_DEAF;
	rig_start(&rig.alice, "INVITE");
	rig_in_response(&rig.alice, 180, "b");
	rig_clear(&rig);
	ck_assert_int_eq(txn_cancel(rig.alice.txn), 0);
	rig_expect(&rig, "0.000000 alice > CANCEL\n");
	ck_assert_uint_eq(rig.alice.table.n, 2);
	rig_deinit(&rig);
}
END_TEST

/* The end of the table is the end of each transaction; nothing begins any more. */
START_TEST(deinit_ends_all)
{
	struct rig rig;

	rig_init(&rig, TRANSPORT_UDP, 100);
	rig.alice.listening = rig.bob.listening = RIG_DEAF;
	rig_start(&rig.alice, "INVITE");
	rig_in_response(&rig.alice, 180, "b");
	rig_start_request(
		&rig.alice, &(struct rig_request){ .method = "OPTIONS", .branch = "z9hG4bK-2" });
	in_numbered(&rig, "INVITE", 1);
	in_numbered(&rig, "OPTIONS", 2);
	rig_clear(&rig);
	txn_table_deinit(&rig.bob.table);
	ck_assert_uint_eq(rig.bob.n_txns, 0);
	txn_table_deinit(&rig.alice.table);
	ck_assert_uint_eq(rig.alice.n_txns, 0);
	rig_deinit(&rig);
}
END_TEST

/* A request that the loss of its flow brings forth anew, over the same flow, fails later. */
static const struct txn_client_ops again_ops;

static void start_again(void *owner, struct txn *t, enum txn_failure why)
{
	struct rig *rig = owner;
	struct msg *m = rig_request(&(struct rig_request){ 0 });

	ck_assert_int_eq(why, TXN_TRANSPORT);
	if (rig->alice.n_txns++ < 3)
		txn_client_new(&rig->alice.table, txn_flow(t), m, &again_ops, rig);
	msg_unref(m);
}

static const struct txn_client_ops again_ops = { .failed = start_again };

START_TEST(flow_down_and_again)
{
	struct rig rig;
	struct msg *m = rig_request(&(struct rig_request){ 0 });

	rig_init(&rig, TRANSPORT_TCP, 100);
	txn_client_new(&rig.alice.table, rig.alice.flow, m, &again_ops, &rig);
	msg_unref(m);
	wire_break(rig.alice.flow);
	ck_assert_uint_eq(rig.alice.n_txns, 1);
	wire_run(&rig.wire, 0);
	ck_assert_uint_eq(rig.alice.n_txns, 4);
	rig.alice.n_txns = 0;
	rig_deinit(&rig);
}
END_TEST

static void write_line(void *ctx, enum log_level level, const char *text)
{
	struct buf *b = ctx;

	ck_assert_int_eq(level, LOG_LEVEL_DEBUG);
	buf_str(b, text);
	buf_putc(b, '\n');
}

START_TEST(steps_are_logged)
{
	cleanup_buf struct buf b = BUF_NULL;
	const struct log_sink sink = { .write = write_line, .ctx = &b, .max = LOG_LEVEL_DEBUG };
	struct rig rig;

	rig_init(&rig, TRANSPORT_TCP, 100);
	rig.bob.answers = 200;
	rig.alice.table.log = &sink;
	rig_start(&rig.alice, "OPTIONS");
	rig_deinit(&rig);
	buf_putc(&b, '\0');
	ck_assert_str_eq(b.p, "NICT OPTIONS z9hG4bK-1: trying -> completed\n"
			      "NICT OPTIONS z9hG4bK-1: completed -> terminated\n");
}
END_TEST

static void count_cancel(void *owner, struct txn *t, const struct msg *cancel)
{
	(void)t;
	(void)cancel;
	(*(unsigned *)owner)++;
}

/* The new owner is told by its own ops, the old one nothing more. */
START_TEST(server_is_handed_over)
{
	static const struct txn_server_ops ops = { .cancelled = count_cancel };
	unsigned n_cancelled = 0;
	struct rig rig;
	struct txn *t;

	rig_init(&rig, TRANSPORT_UDP, 100);
	rig_in_request(&rig.bob, &(struct rig_request){ .method = "INVITE" });
	t = rig.bob.txn;
	rig.bob.txn = NULL;
	rig.bob.n_txns--;
	rig_clear(&rig);
	txn_hand_over(t, &ops, &n_cancelled);
	rig_in_request(&rig.bob, &(struct rig_request){ .method = "CANCEL" });
	rig_expect(&rig, "0.000000 bob: CANCEL\n"
			 "0.000000 bob > 200 CANCEL\n");
	ck_assert_uint_eq(n_cancelled, 1);
	ck_assert_int_eq(txn_kind(t), TXN_IST);
	ck_assert_str_eq(txn_state_name(txn_state(t)), "proceeding");
	txn_forget(t);
	rig_deinit(&rig);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("txn-table");
	TCase *tc = tcase_create("table");
	SRunner *sr;
	int failed;

	tcase_add_test(tc, server_matching);
	tcase_add_test(tc, rfc_2543_matching);
	tcase_add_test(tc, rfc_2543_cancel);
	tcase_add_test(tc, rfc_2543_same_id_is_bounded);
	tcase_add_test(tc, client_matching);
	tcase_add_test(tc, merged_requests);
	tcase_add_test(tc, methods_are_not_merged);
	tcase_add_test(tc, full_table);
	tcase_add_test(tc, full_table_cancels);
	tcase_add_test(tc, deinit_ends_all);
	tcase_add_test(tc, flow_down_and_again);
	tcase_add_test(tc, steps_are_logged);
	tcase_add_test(tc, server_is_handed_over);
	suite_add_tcase(s, tc);
	sr = srunner_create(s);
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
