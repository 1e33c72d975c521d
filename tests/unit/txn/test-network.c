/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Both sides of each transaction over a network that loses, delays, doubles and reorders. */
#include <check.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "protocol/base/mem.h"
#include "protocol/msg/build.h"
#include "tests/unit/txn/rig.h"

/* ---- single losses, with the transcript of both sides ---- */

static void run(struct rig *rig, usec_t msec)
{
	wire_run(&rig->wire, msec * USEC_PER_MSEC);
}

/* RFC 3261 17.2.2: the lost 200 is sent again by the transaction, for the request sent again. */
START_TEST(lost_200)
{
	struct rig rig;

	rig_init(&rig, TRANSPORT_UDP, 100);
	rig_start(&rig.alice, "MESSAGE");
	run(&rig, 15);
	rig.wire.drop_next = 1;
	rig_reply(&rig.bob, 200);
	wire_run_dry(&rig.wire);
	rig_expect(&rig, "0.000000 alice > MESSAGE\n"
			 "0.010000 bob: MESSAGE\n"
			 "0.015000 bob > 200 MESSAGE lost\n"
			 "0.500000 alice > MESSAGE\n"
			 "0.510000 bob > 200 MESSAGE\n"
			 "0.520000 alice: 200 MESSAGE\n"
			 "5.520000 alice: ended MESSAGE\n"
			 "32.015000 bob: ended MESSAGE\n");
	rig_deinit(&rig);
}
END_TEST

/* RFC 3261 17.1.1.2 and 17.2.1: the lost ACK is sent again for the response sent again. */
START_TEST(lost_ack)
{
	struct rig rig;

	rig_init(&rig, TRANSPORT_UDP, 100);
	rig.bob.answers = 486;
	rig_start(&rig.alice, "INVITE");
	run(&rig, 15);
	rig.wire.drop_next = 1;
	wire_run_dry(&rig.wire);
	rig_expect(&rig, "0.000000 alice > INVITE\n"
			 "0.010000 bob: INVITE\n"
			 "0.010000 bob > 486 INVITE\n"
			 "0.020000 alice > ACK lost\n"
			 "0.020000 alice: 486 INVITE\n"
			 "0.510000 bob > 486 INVITE\n"
			 "0.520000 alice > ACK\n"
			 "0.530000 bob: acked\n"
			 "5.530000 bob: ended INVITE\n"
			 "32.020000 alice: ended INVITE\n");
	rig_deinit(&rig);
}
END_TEST

/* RFC 3261 9.2: the 200 to the INVITE and the CANCEL cross; both sides agree on the 200. */
START_TEST(cancel_crosses_200)
{
	struct rig rig;

	rig_init(&rig, TRANSPORT_UDP, 100);
	rig_start(&rig.alice, "INVITE");
	run(&rig, 10);
	rig_reply(&rig.bob, 180);
	run(&rig, 15);
	rig_reply(&rig.bob, 200);
	txn_cancel(rig.alice.txn);
	wire_run_dry(&rig.wire);
	rig_expect(&rig, "0.000000 alice > INVITE\n"
			 "0.010000 bob: INVITE\n"
			 "0.010000 bob > 180 INVITE\n"
			 "0.020000 alice: 180 INVITE\n"
			 "0.025000 bob > 200 INVITE\n"
			 "0.025000 alice > CANCEL\n"
			 "0.035000 alice: 200 INVITE\n"
			 "0.035000 bob: CANCEL\n"
			 "0.035000 bob > 200 CANCEL\n"
			 "32.025000 bob: ended INVITE\n"
			 "32.035000 alice: ended INVITE\n"
			 "32.035000 bob: ended CANCEL\n");
	rig_deinit(&rig);
}
END_TEST

/* RFC 3261 9.1, 9.2 from end to end, with the first CANCEL lost. */
START_TEST(cancelled_call)
{
	struct rig rig;

	rig_init(&rig, TRANSPORT_UDP, 100);
	rig_start(&rig.alice, "INVITE");
	txn_cancel(rig.alice.txn);
	run(&rig, 215);
	rig.wire.drop_next = 1;
	wire_run_dry(&rig.wire);
	rig_expect(&rig, "0.000000 alice > INVITE\n"
			 "0.010000 bob: INVITE\n"
			 "0.210000 bob > 100 INVITE\n"
			 "0.220000 alice > CANCEL lost\n"
			 "0.220000 alice: 100 INVITE\n"
			 "0.720000 alice > CANCEL\n"
			 "0.730000 bob: CANCEL\n"
			 "0.730000 bob > 200 CANCEL\n"
			 "0.730000 bob: cancelled\n"
			 "0.730000 bob > 487 INVITE\n"
			 "0.740000 alice > ACK\n"
			 "0.740000 alice: 487 INVITE\n"
			 "0.750000 bob: acked\n"
			 "5.750000 bob: ended INVITE\n"
			 "32.730000 bob: ended CANCEL\n"
			 "32.740000 alice: ended INVITE\n");
	rig_deinit(&rig);
}
END_TEST

/* ---- the storm ---- */

enum {
	STORM_CALLS = 3000,
	STORM_BEGIN = 120, /* seconds within which all begin */
};

struct call {
	struct storm *storm;
	unsigned number;
	bool is_invite;
	unsigned status; /* what the server answers, after a while */
	struct timer begin, cancel, answer, again;
	usec_t again_interval;
	struct txn *client, *server;
	struct msg *ok; /* 2xx to an INVITE: the server's user repeats it until the ACK */
	/* What each side was told. */
	unsigned n_finals, n_client_failed, n_client_ended;
	unsigned n_requests, n_answered, n_acked, n_server_failed, n_server_ended;
};

struct storm {
	struct timerq timers;
	struct wire wire;
	struct wire_side sides[2];
	struct txn_table client, server;
	struct flow *flow; /* of the client */
	struct call calls[STORM_CALLS];
	uint64_t n_cancels, n_cancels_ended;
};

static struct msg *storm_request(const struct call *c, const char *method, const char *suffix)
{
	char branch[48], call_id[32];

	(void)snprintf(branch, sizeof(branch), "z9hG4bK-%u%s", c->number, suffix);
	(void)snprintf(call_id, sizeof(call_id), "call-%u", c->number);
	return rig_request(&(struct rig_request){
		.method = method, .branch = branch, .call_id = call_id, .cseq = c->number + 1 });
}

static void storm_ack(struct call *c)
{
	struct msg *m = storm_request(c, "ACK", "-ack");

	flow_send(c->storm->flow, m->raw);
	msg_unref(m);
}

static void client_response(void *owner, struct txn *t, const struct msg *m)
{
	struct call *c = owner;

	ck_assert_ptr_eq(t, c->client);
	if (m->status < 200)
		return;
	if (c->is_invite && m->status < 300) {
		/* 13.2.2.4: each 2xx is acknowledged; the first is the outcome. */
		storm_ack(c);
		c->n_finals = 1;
		return;
	}
	c->n_finals++;
}

static void client_failed(void *owner, struct txn *t, enum txn_failure why)
{
	struct call *c = owner;

	(void)t;
	ck_assert_int_eq(why, TXN_TIMEOUT);
	c->n_client_failed++;
}

static void client_ended(void *owner, struct txn *t)
{
	struct call *c = owner;

	ck_assert_ptr_eq(t, c->client);
	c->client = NULL;
	c->n_client_ended++;
}

static const struct txn_client_ops storm_client_ops = {
	.response = client_response,
	.failed = client_failed,
	.ended = client_ended,
};

static void server_answer(struct call *c, unsigned status)
{
	struct msg *m;

	if (!c->server || c->n_answered || c->n_server_failed)
		return;
	timer_cancel(&c->storm->timers, &c->answer);
	m = rig_response(txn_request(c->server), status, "b");
	ck_assert_int_eq(txn_reply(c->server, status, m->raw), 0);
	c->n_answered++;
	if (c->is_invite && status < 300) {
		c->ok = msg_ref(m);
		c->again_interval = TIMER_T1;
		timer_arm(&c->storm->timers, &c->again, TIMER_T1);
	}
	msg_unref(m);
}

static void on_answer(struct timer *timer)
{
	struct call *c = container_of(timer, struct call, answer);

	server_answer(c, c->status);
}

/* RFC 6026 8.1: the user sends its 2xx again until the ACK or the end. */
static void on_again(struct timer *timer)
{
	struct call *c = container_of(timer, struct call, again);

	if (!c->server)
		return;
	ck_assert_int_eq(txn_reply(c->server, 200, c->ok->raw), 0);
	c->again_interval = c->again_interval < TIMER_T2 ? 2 * c->again_interval : TIMER_T2;
	timer_arm(&c->storm->timers, &c->again, c->again_interval);
}

static void server_acked(void *owner, struct txn *t, const struct msg *ack)
{
	struct call *c = owner;

	(void)t;
	(void)ack;
	c->n_acked++;
}

static void server_cancelled(void *owner, struct txn *t, const struct msg *cancel)
{
	(void)t;
	(void)cancel;
	server_answer(owner, 487);
}

static void server_failed(void *owner, struct txn *t, enum txn_failure why)
{
	struct call *c = owner;

	(void)t;
	ck_assert_int_eq(why, TXN_TIMEOUT);
	c->n_server_failed++;
}

static void server_ended(void *owner, struct txn *t)
{
	struct call *c = owner;

	ck_assert_ptr_eq(t, c->server);
	c->server = NULL;
	c->n_server_ended++;
	timer_cancel(&c->storm->timers, &c->answer);
}

static const struct txn_server_ops storm_server_ops = {
	.acked = server_acked,
	.cancelled = server_cancelled,
	.failed = server_failed,
	.ended = server_ended,
};

static void cancel_ended(void *owner, struct txn *t)
{
	(void)t;
	((struct storm *)owner)->n_cancels_ended++;
}

static const struct txn_server_ops storm_cancel_ops = { .ended = cancel_ended };

static void serve_cancel(struct storm *s, struct flow *f, const struct msg *m)
{
	struct txn *invite = txn_find_cancelled(&s->server, m);
	struct txn *t = txn_server_new(&s->server, f, m, &storm_cancel_ops, s);

	s->n_cancels++;
	ck_assert_int_eq(rig_reply_txn(t, invite ? 200 : 481, "b"), 0);
	if (invite)
		txn_server_cancelled(invite, m);
}

static void storm_serve(struct storm *s, struct flow *f, const struct msg *m)
{
	struct call *c;

	if (m->method == METHOD_CANCEL) {
		serve_cancel(s, f, m);
		return;
	}
	ck_assert(!txn_is_merged(&s->server, m));
	c = &s->calls[m->cseq - 1];
	c->n_requests++;
	c->server = txn_server_new(&s->server, f, m, &storm_server_ops, c);
	ck_assert_ptr_nonnull(c->server);
	timer_arm(&s->timers, &c->answer,
		wire_random(&s->wire, 2) ? 0 : wire_random(&s->wire, 40 * USEC_PER_SEC));
}

static void server_deliver(void *ctx, struct flow *f, struct slice bytes)
{
	struct storm *s = ctx;
	struct msg *m = NULL;

	ck_assert_int_eq(msg_parse(bytes, MSG_DATAGRAM, &m), 0);
	switch (txn_table_receive(&s->server, f, m)) {
	case TXN_RECV_DONE:
		break;
	case TXN_RECV_REQUEST:
		storm_serve(s, f, m);
		break;
	case TXN_RECV_ACK: {
		struct call *c = &s->calls[m->cseq - 1];

		timer_cancel(&s->timers, &c->again);
		c->n_acked += c->ok != NULL;
		break;
	}
	case TXN_RECV_STRAY_RESPONSE:
		ck_abort_msg("a response at the server");
	}
	msg_unref(m);
}

static void client_deliver(void *ctx, struct flow *f, struct slice bytes)
{
	struct storm *s = ctx;
	struct msg *m = NULL;

	ck_assert_int_eq(msg_parse(bytes, MSG_DATAGRAM, &m), 0);
	ck_assert(!m->is_request);
	if (txn_table_receive(&s->client, f, m) == TXN_RECV_STRAY_RESPONSE &&
		m->cseq_method == METHOD_INVITE && m->status >= 200 && m->status < 300)
		storm_ack(&s->calls[m->cseq - 1]);
	msg_unref(m);
}

static void on_begin(struct timer *timer)
{
	struct call *c = container_of(timer, struct call, begin);
	struct msg *m = storm_request(c, c->is_invite ? "INVITE" : "MESSAGE", "");

	c->client = txn_client_new(&c->storm->client, c->storm->flow, m, &storm_client_ops, c);
	ck_assert_ptr_nonnull(c->client);
	msg_unref(m);
}

static void on_cancel(struct timer *timer)
{
	struct call *c = container_of(timer, struct call, cancel);

	if (c->client)
		(void)txn_cancel(c->client);
}

static void init_call(struct storm *s, unsigned i)
{
	static const unsigned statuses[] = { 200, 200, 202, 404, 486, 603 };
	struct call *c = &s->calls[i];
	usec_t begin = wire_random(&s->wire, STORM_BEGIN * USEC_PER_SEC);

	c->storm = s;
	c->number = i;
	c->is_invite = i % 2;
	c->status = statuses[wire_random(&s->wire, ARRAY_LEN(statuses))];
	c->begin.fire = on_begin;
	c->cancel.fire = on_cancel;
	c->answer.fire = on_answer;
	c->again.fire = on_again;
	timer_arm(&s->timers, &c->begin, begin);
	if (c->is_invite && wire_random(&s->wire, 3) == 0)
		timer_arm(&s->timers, &c->cancel, begin + wire_random(&s->wire, 10 * USEC_PER_SEC));
}

static struct storm *storm_new(uint64_t seed)
{
	struct storm *s = mem_new(struct storm);

	timerq_init(&s->timers, 0);
	wire_init(&s->wire, &s->timers, seed);
	s->wire.silent = true;
	s->wire.knobs = (struct wire_knobs){
		.loss = 200,
		.duplicate = 100,
		.delay = 5 * USEC_PER_MSEC,
		.jitter = 1500 * USEC_PER_MSEC,
	};
	s->sides[0] = (struct wire_side){ .name = "client", .ctx = s, .deliver = client_deliver };
	s->sides[1] = (struct wire_side){ .name = "server", .ctx = s, .deliver = server_deliver };
	txn_table_init(&s->client, &s->timers, seed, STORM_CALLS);
	txn_table_init(&s->server, &s->timers, seed + 1, 2 * STORM_CALLS);
	s->flow = wire_connect(&s->wire, TRANSPORT_UDP, &s->sides[0], &s->sides[1]);
	for (unsigned i = 0; i < STORM_CALLS; i++)
		init_call(s, i);
	return s;
}

static void storm_free(struct storm *s)
{
	for (unsigned i = 0; i < STORM_CALLS; i++)
		msg_unref(s->calls[i].ok);
	txn_table_deinit(&s->client);
	txn_table_deinit(&s->server);
	wire_deinit(&s->wire);
	timerq_deinit(&s->timers);
	free(s);
}

/* Exactly one outcome for everybody who was there. */
static void check_call(const struct call *c)
{
	ck_assert_msg(c->n_finals + c->n_client_failed == 1,
		"call %u: client %u finals, %u failures", c->number, c->n_finals,
		c->n_client_failed);
	ck_assert_uint_eq(c->n_client_ended, 1);
	ck_assert_msg(c->n_requests <= 1, "call %u: %u new requests", c->number, c->n_requests);
	ck_assert_uint_eq(c->n_server_ended, c->n_requests);
	if (c->n_requests == 0)
		return;
	if (!c->is_invite)
		ck_assert_uint_eq(c->n_answered + c->n_server_failed, 1);
	else if (c->ok)
		ck_assert_uint_eq(c->n_server_failed, 0);
	else
		ck_assert_uint_eq(c->n_acked + c->n_server_failed, 1);
	/* What the client knows, the server has said. */
	if (c->n_finals)
		ck_assert_uint_eq(c->n_answered, 1);
}

static void storm_check(const struct storm *s)
{
	unsigned failed = 0;

	for (unsigned i = 0; i < STORM_CALLS; i++) {
		check_call(&s->calls[i]);
		failed += s->calls[i].n_client_failed;
	}
	ck_assert_uint_eq(s->n_cancels_ended, s->n_cancels);
	ck_assert_uint_eq(s->client.n, 0);
	ck_assert_uint_eq(s->server.n, 0);
	ck_assert_uint_eq(s->timers.n, 0);
	ck_assert_uint_eq(wire_in_flight(&s->wire), 0);
	ck_assert(flow_is_unused(s->flow) && flow_is_unused(wire_peer(s->flow)));
	/* A storm in which nothing happens proves nothing. */
	ck_assert(s->wire.n_lost > STORM_CALLS && s->wire.n_duplicated > STORM_CALLS / 2);
	ck_assert(s->n_cancels > 0 && s->client.n_retransmissions_in > 0 &&
		  s->server.n_retransmissions_in > 0);
	ck_assert(failed > 0 && failed < STORM_CALLS / 2);
	printf("# %" PRIu64 " sent, %" PRIu64 " lost, %" PRIu64 " doubled, %u of %d failed\n",
		s->wire.n_sent, s->wire.n_lost, s->wire.n_duplicated, failed, STORM_CALLS);
}

/* TXN_SEED=n runs that storm instead. */
START_TEST(storm)
{
	const char *given = getenv("TXN_SEED");
	uint64_t seed = (uint64_t)(given ? strtoll(given, NULL, 0) : _i);
	struct storm *s = storm_new(seed);

	printf("# seed %" PRIu64 "\n", seed);
	wire_run_dry(&s->wire);
	storm_check(s);
	storm_free(s);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("txn-network");
	TCase *tc = tcase_create("network");
	SRunner *sr;
	int failed;

	tcase_set_timeout(tc, 100);
	tcase_add_test(tc, lost_200);
	tcase_add_test(tc, lost_ack);
	tcase_add_test(tc, cancel_crosses_200);
	tcase_add_test(tc, cancelled_call);
	tcase_add_loop_test(tc, storm, 1, 4);
	suite_add_tcase(s, tc);
	sr = srunner_create(s);
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
