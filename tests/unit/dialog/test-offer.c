/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "protocol/dialog/offer.h"

#include "protocol/base/mem.h"
#include "tests/support/exact.h"
#include "tests/support/run.h"

/*
 * Both ends of a dialog. Each message is what its sender may send and what its receiver reads, so
 * that the two halves of the rules are held against each other.
 */
struct pair {
	struct offer ends[2];
};

enum { A, B };
enum { EMPTY, BODY };

static void say(struct pair *p, int from, enum offer_message in, int body, enum offer_meaning want)
{
	struct offer *sender = &p->ends[from], *receiver = &p->ends[!from];
	enum offer_meaning sent = offer_sendable(sender, in, body == BODY);
	enum offer_meaning received = offer_meaning(receiver, in, body == BODY);

	ck_assert_uint_eq(sent, want);
	ck_assert_uint_eq(received, want);
	offer_sent(sender, in, sent);
	offer_received(receiver, in, received);
}

static void assert_states(const struct pair *p, enum offer_state a, enum offer_state b)
{
	ck_assert_str_eq(offer_state_name(p->ends[A].state), offer_state_name(a));
	ck_assert_str_eq(offer_state_name(p->ends[B].state), offer_state_name(b));
}

/* An offer of one end waits for the other's answer. */
static void assert_open(const struct pair *p, int offerer)
{
	assert_states(p, offerer == A ? OFFER_LOCAL : OFFER_REMOTE,
		offerer == B ? OFFER_LOCAL : OFFER_REMOTE);
}

static void assert_stable(const struct pair *p)
{
	assert_states(p, OFFER_STABLE, OFFER_STABLE);
}

/* Pattern 1, with which most tests begin: A called B. */
static struct pair established(void)
{
	struct pair p = { 0 };

	say(&p, A, OFFER_IN_INVITE, BODY, OFFER_MEANS_OFFER);
	say(&p, B, OFFER_IN_2XX, BODY, OFFER_MEANS_ANSWER);
	say(&p, A, OFFER_IN_ACK, EMPTY, OFFER_MEANS_NOTHING);
	return p;
}

/* ---- RFC 6337 section 2.2, table 1: the columns Ini, Est, Early ---- */

static void pattern_1(struct pair *p, int a)
{
	say(p, a, OFFER_IN_INVITE, BODY, OFFER_MEANS_OFFER);
	assert_open(p, a);
	say(p, !a, OFFER_IN_2XX, BODY, OFFER_MEANS_ANSWER);
	assert_stable(p);
	say(p, a, OFFER_IN_ACK, EMPTY, OFFER_MEANS_NOTHING);
}

static void pattern_2(struct pair *p, int a)
{
	say(p, a, OFFER_IN_INVITE, EMPTY, OFFER_MEANS_WANTED);
	say(p, !a, OFFER_IN_2XX, BODY, OFFER_MEANS_OFFER);
	assert_open(p, !a);
	say(p, a, OFFER_IN_ACK, BODY, OFFER_MEANS_ANSWER);
	assert_stable(p);
}

static void pattern_3(struct pair *p, int a)
{
	say(p, a, OFFER_IN_INVITE, BODY, OFFER_MEANS_OFFER);
	say(p, !a, OFFER_IN_RELIABLE, BODY, OFFER_MEANS_ANSWER);
	assert_stable(p);
	say(p, a, OFFER_IN_PRACK, EMPTY, OFFER_MEANS_NOTHING);
	say(p, !a, OFFER_IN_PRACK_2XX, EMPTY, OFFER_MEANS_NOTHING);
	say(p, !a, OFFER_IN_2XX, EMPTY, OFFER_MEANS_NOTHING);
	say(p, a, OFFER_IN_ACK, EMPTY, OFFER_MEANS_NOTHING);
	assert_stable(p);
}

static void pattern_4(struct pair *p, int a)
{
	say(p, a, OFFER_IN_INVITE, EMPTY, OFFER_MEANS_WANTED);
	say(p, !a, OFFER_IN_RELIABLE, BODY, OFFER_MEANS_OFFER);
	assert_open(p, !a);
	say(p, a, OFFER_IN_PRACK, BODY, OFFER_MEANS_ANSWER);
	say(p, !a, OFFER_IN_PRACK_2XX, EMPTY, OFFER_MEANS_NOTHING);
	assert_stable(p);
	say(p, !a, OFFER_IN_2XX, EMPTY, OFFER_MEANS_NOTHING);
	say(p, a, OFFER_IN_ACK, EMPTY, OFFER_MEANS_NOTHING);
}

static void pattern_5(struct pair *p, int a)
{
	say(p, a, OFFER_IN_PRACK, BODY, OFFER_MEANS_OFFER);
	assert_open(p, a);
	say(p, !a, OFFER_IN_PRACK_2XX, BODY, OFFER_MEANS_ANSWER);
	assert_stable(p);
}

static void pattern_6(struct pair *p, int a)
{
	say(p, a, OFFER_IN_UPDATE, BODY, OFFER_MEANS_OFFER);
	assert_open(p, a);
	say(p, !a, OFFER_IN_UPDATE_2XX, BODY, OFFER_MEANS_ANSWER);
	assert_stable(p);
}

START_TEST(table_1_initial_6337_2_2)
{
	static void (*const patterns[])(
		struct pair *, int) = { pattern_1, pattern_2, pattern_3, pattern_4 };

	for (size_t i = 0; i < ARRAY_LEN(patterns); i++) {
		struct pair p = { 0 };

		patterns[i](&p, A);
	}
}
END_TEST

/* "N" of patterns 5 and 6 in the column Ini. */
START_TEST(table_1_not_initial_6337_2_2)
{
	struct pair p = { 0 };

	say(&p, A, OFFER_IN_UPDATE, BODY, OFFER_MEANS_FAULT);
	say(&p, A, OFFER_IN_PRACK, BODY, OFFER_MEANS_FAULT);
	assert_states(&p, OFFER_NONE, OFFER_NONE);
}
END_TEST

START_TEST(table_1_established_6337_2_2)
{
	static void (*const patterns[])(
		struct pair *, int) = { pattern_1, pattern_2, pattern_3, pattern_4, pattern_6 };

	for (size_t i = 0; i < ARRAY_LEN(patterns); i++)
		for (int who = A; who <= B; who++) {
			struct pair p = established();

			patterns[i](&p, who);
		}
}
END_TEST

/* Once an early dialog has had an exchange: PRACK of the answer, UPDATE of either side. */
START_TEST(table_1_early_6337_2_2)
{
	struct pair p = { 0 };

	say(&p, A, OFFER_IN_INVITE, BODY, OFFER_MEANS_OFFER);
	say(&p, B, OFFER_IN_RELIABLE, BODY, OFFER_MEANS_ANSWER);
	pattern_5(&p, A);
	pattern_6(&p, A);
	pattern_6(&p, B);
	say(&p, B, OFFER_IN_2XX, EMPTY, OFFER_MEANS_NOTHING);
	say(&p, A, OFFER_IN_ACK, EMPTY, OFFER_MEANS_NOTHING);
	assert_stable(&p);
}
END_TEST

/* ---- RFC 6337 section 2.3, table 2: how each pattern is refused ---- */

static void refuse(struct pair *p, enum offer_message in)
{
	offer_failed(&p->ends[A], in);
	offer_failed(&p->ends[B], in);
}

/* Rows 1 and 3: 488 to the INVITE. */
START_TEST(table_2_invite_6337_2_3)
{
	struct pair p = { 0 };

	say(&p, A, OFFER_IN_INVITE, BODY, OFFER_MEANS_OFFER);
	refuse(&p, OFFER_IN_INVITE);
	assert_states(&p, OFFER_NONE, OFFER_NONE);
	p = established();
	say(&p, B, OFFER_IN_INVITE, BODY, OFFER_MEANS_OFFER);
	refuse(&p, OFFER_IN_INVITE);
	assert_stable(&p);
	pattern_6(&p, A);
}
END_TEST

/* Rows 2 and 4: answered, and offered anew. */
START_TEST(table_2_responses_6337_2_3)
{
	struct pair p = { 0 };

	pattern_2(&p, A);
	pattern_1(&p, A);
	p = (struct pair){ 0 };
	say(&p, A, OFFER_IN_INVITE, EMPTY, OFFER_MEANS_WANTED);
	say(&p, B, OFFER_IN_RELIABLE, BODY, OFFER_MEANS_OFFER);
	say(&p, A, OFFER_IN_PRACK, BODY, OFFER_MEANS_ANSWER);
	pattern_6(&p, A);
}
END_TEST

/* Row 5: 200 with an answer, then a new offer; and the 488 that is to be put up with. */
START_TEST(table_2_prack_6337_2_3)
{
	struct pair p = { 0 };

	say(&p, A, OFFER_IN_INVITE, BODY, OFFER_MEANS_OFFER);
	say(&p, B, OFFER_IN_RELIABLE, BODY, OFFER_MEANS_ANSWER);
	pattern_5(&p, A);
	pattern_6(&p, B);
	say(&p, A, OFFER_IN_PRACK, BODY, OFFER_MEANS_OFFER);
	refuse(&p, OFFER_IN_PRACK);
	assert_stable(&p);
}
END_TEST

/* Row 6 */
START_TEST(table_2_update_6337_2_3)
{
	struct pair p = established();

	say(&p, A, OFFER_IN_UPDATE, BODY, OFFER_MEANS_OFFER);
	refuse(&p, OFFER_IN_UPDATE);
	assert_stable(&p);
	pattern_1(&p, B);
}
END_TEST

/* ---- RFC 6337 section 3.1, RFC 3261 13.2.1 ---- */

/* Figure 1: previews, a reliable 1xx without body, and bodies that come too late. */
START_TEST(figure_1_6337_3_1_1)
{
	struct pair p = { 0 };

	say(&p, A, OFFER_IN_INVITE, BODY, OFFER_MEANS_OFFER);
	say(&p, B, OFFER_IN_1XX, BODY, OFFER_MEANS_PREVIEW);
	say(&p, B, OFFER_IN_RELIABLE, EMPTY, OFFER_MEANS_NOTHING);
	ck_assert_uint_eq(offer_sendable(&p.ends[A], OFFER_IN_PRACK, true), OFFER_MEANS_FAULT);
	say(&p, A, OFFER_IN_PRACK, EMPTY, OFFER_MEANS_NOTHING);
	say(&p, B, OFFER_IN_PRACK_2XX, EMPTY, OFFER_MEANS_NOTHING);
	assert_open(&p, A);
	say(&p, B, OFFER_IN_RELIABLE, BODY, OFFER_MEANS_ANSWER);
	for (enum offer_message in = OFFER_IN_1XX; in <= OFFER_IN_2XX; in++) {
		ck_assert_uint_eq(offer_sendable(&p.ends[B], in, true), OFFER_MEANS_FAULT);
		ck_assert_uint_eq(offer_meaning(&p.ends[A], in, true), OFFER_MEANS_NOTHING);
	}
	assert_stable(&p);
}
END_TEST

/* Figure 2: an INVITE that asks. An unreliable 1xx cannot have the offer. */
START_TEST(figure_2_6337_3_1_2)
{
	struct pair p = { 0 };

	say(&p, A, OFFER_IN_INVITE, EMPTY, OFFER_MEANS_WANTED);
	ck_assert_uint_eq(offer_sendable(&p.ends[B], OFFER_IN_1XX, true), OFFER_MEANS_FAULT);
	ck_assert_uint_eq(offer_meaning(&p.ends[A], OFFER_IN_1XX, true), OFFER_MEANS_NOTHING);
	say(&p, B, OFFER_IN_1XX, EMPTY, OFFER_MEANS_NOTHING);
	/* The first reliable one has it; a peer whose has not may still bring it in the 2xx. */
	ck_assert_uint_eq(offer_sendable(&p.ends[B], OFFER_IN_RELIABLE, false), OFFER_MEANS_WANTED);
	ck_assert_uint_eq(offer_meaning(&p.ends[A], OFFER_IN_RELIABLE, false), OFFER_MEANS_NOTHING);
	say(&p, B, OFFER_IN_RELIABLE, BODY, OFFER_MEANS_OFFER);
	say(&p, A, OFFER_IN_PRACK, EMPTY, OFFER_MEANS_WANTED);
	say(&p, A, OFFER_IN_PRACK, BODY, OFFER_MEANS_ANSWER);
	ck_assert_uint_eq(offer_meaning(&p.ends[A], OFFER_IN_RELIABLE, true), OFFER_MEANS_NOTHING);
	ck_assert_uint_eq(offer_meaning(&p.ends[A], OFFER_IN_2XX, true), OFFER_MEANS_NOTHING);
	ck_assert_uint_eq(offer_sendable(&p.ends[B], OFFER_IN_2XX, true), OFFER_MEANS_FAULT);
}
END_TEST

/* Each message that owes an answer. */
START_TEST(answers_are_owed_3264_4)
{
	struct pair p = { 0 };

	say(&p, A, OFFER_IN_INVITE, BODY, OFFER_MEANS_OFFER);
	say(&p, B, OFFER_IN_2XX, EMPTY, OFFER_MEANS_WANTED);
	assert_open(&p, A);
	p = (struct pair){ 0 };
	say(&p, A, OFFER_IN_INVITE, EMPTY, OFFER_MEANS_WANTED);
	say(&p, B, OFFER_IN_2XX, EMPTY, OFFER_MEANS_WANTED);
	say(&p, B, OFFER_IN_2XX, BODY, OFFER_MEANS_OFFER);
	say(&p, A, OFFER_IN_ACK, EMPTY, OFFER_MEANS_WANTED);
	p = established();
	say(&p, A, OFFER_IN_UPDATE, BODY, OFFER_MEANS_OFFER);
	say(&p, B, OFFER_IN_UPDATE_2XX, EMPTY, OFFER_MEANS_WANTED);
	p = established();
	say(&p, A, OFFER_IN_PRACK, BODY, OFFER_MEANS_OFFER);
	say(&p, B, OFFER_IN_PRACK_2XX, EMPTY, OFFER_MEANS_WANTED);
	assert_open(&p, A);
}
END_TEST

/* What nobody asked for is not sent, and does not count when it comes. */
START_TEST(bodies_out_of_place)
{
	static const enum offer_message in[] = { OFFER_IN_1XX, OFFER_IN_RELIABLE, OFFER_IN_2XX,
		OFFER_IN_ACK, OFFER_IN_PRACK_2XX, OFFER_IN_UPDATE_2XX };
	struct pair p = established();

	for (size_t i = 0; i < ARRAY_LEN(in); i++) {
		ck_assert_uint_eq(offer_sendable(&p.ends[A], in[i], true), OFFER_MEANS_FAULT);
		ck_assert_uint_eq(offer_meaning(&p.ends[A], in[i], true), OFFER_MEANS_NOTHING);
	}
}
END_TEST

/* ---- glare: RFC 3261 14.2, RFC 3311 5.1 and 5.2, RFC 6337 section 4 ---- */

/* Whoever has an exchange pending neither offers nor takes one. */
static void assert_closed(const struct offer *o)
{
	static const enum offer_message in[] = { OFFER_IN_INVITE, OFFER_IN_UPDATE, OFFER_IN_PRACK };

	for (size_t i = 0; i < ARRAY_LEN(in); i++) {
		ck_assert_uint_eq(offer_sendable(o, in[i], true), OFFER_MEANS_FAULT);
		ck_assert_uint_eq(offer_meaning(o, in[i], true), OFFER_MEANS_GLARE);
	}
	ck_assert_uint_eq(offer_sendable(o, OFFER_IN_INVITE, false), OFFER_MEANS_FAULT);
	ck_assert_uint_eq(offer_meaning(o, OFFER_IN_INVITE, false), OFFER_MEANS_GLARE);
	/* An UPDATE without one is a refresh of other things. */
	ck_assert_uint_eq(offer_sendable(o, OFFER_IN_UPDATE, false), OFFER_MEANS_NOTHING);
	ck_assert_uint_eq(offer_meaning(o, OFFER_IN_UPDATE, false), OFFER_MEANS_NOTHING);
}

START_TEST(one_exchange_at_a_time_6337_4)
{
	struct pair p = established();

	say(&p, A, OFFER_IN_INVITE, BODY, OFFER_MEANS_OFFER);
	assert_closed(&p.ends[A]);
	assert_closed(&p.ends[B]);
	p = established();
	say(&p, A, OFFER_IN_UPDATE, BODY, OFFER_MEANS_OFFER);
	assert_closed(&p.ends[A]);
	assert_closed(&p.ends[B]);
	/* Figures 4, 5, 12 and 13: an INVITE that asks is as good as an offer. */
	p = established();
	say(&p, A, OFFER_IN_INVITE, EMPTY, OFFER_MEANS_WANTED);
	assert_closed(&p.ends[A]);
	assert_closed(&p.ends[B]);
	say(&p, B, OFFER_IN_2XX, BODY, OFFER_MEANS_OFFER);
	ck_assert_uint_eq(offer_meaning(&p.ends[B], OFFER_IN_UPDATE, true), OFFER_MEANS_GLARE);
	ck_assert_uint_eq(offer_meaning(&p.ends[B], OFFER_IN_INVITE, true), OFFER_MEANS_GLARE);
}
END_TEST

/* Table 3: an offer that overtakes the answer is not taken for the answer. */
START_TEST(table_3_crossing_6337_4_1)
{
	struct pair p = established();
	const struct offer *a = &p.ends[A];

	say(&p, A, OFFER_IN_UPDATE, BODY, OFFER_MEANS_OFFER);
	ck_assert_uint_eq(offer_meaning(a, OFFER_IN_UPDATE, true), OFFER_MEANS_GLARE);
	ck_assert_uint_eq(offer_meaning(a, OFFER_IN_INVITE, true), OFFER_MEANS_GLARE);
	ck_assert_uint_eq(offer_meaning(a, OFFER_IN_PRACK, true), OFFER_MEANS_GLARE);
	ck_assert_uint_eq(offer_meaning(a, OFFER_IN_2XX, true), OFFER_MEANS_NOTHING);
	p = established();
	say(&p, A, OFFER_IN_PRACK, BODY, OFFER_MEANS_OFFER);
	ck_assert_uint_eq(offer_meaning(a, OFFER_IN_UPDATE, true), OFFER_MEANS_GLARE);
	p = (struct pair){ 0 };
	say(&p, B, OFFER_IN_INVITE, EMPTY, OFFER_MEANS_WANTED);
	say(&p, A, OFFER_IN_RELIABLE, BODY, OFFER_MEANS_OFFER);
	ck_assert_uint_eq(
		offer_meaning(a, OFFER_IN_UPDATE, true), OFFER_MEANS_GLARE); /* figure 6 */
	p = established();
	say(&p, A, OFFER_IN_INVITE, BODY, OFFER_MEANS_OFFER);
	ck_assert_uint_eq(offer_meaning(a, OFFER_IN_UPDATE, true), OFFER_MEANS_GLARE); /* 7, 8 */
	ck_assert_uint_eq(offer_meaning(a, OFFER_IN_UPDATE_2XX, true), OFFER_MEANS_NOTHING);
}
END_TEST

/* ---- what fails, RFC 6141, RFC 3261 14.1 ---- */

/* Each failure undoes the exchange that pends in its own transaction, and no other. */
START_TEST(failures_reach_their_own_exchange)
{
	static const struct {
		enum offer_carrier by;
		bool invite, prack, update; /* undone by the failure of that */
	} rows[] = {
		{ OFFER_BY_INVITE, true, false, false },
		{ OFFER_BY_2XX, true, false, false },
		{ OFFER_BY_RELIABLE, true, true, false },
		{ OFFER_BY_PRACK, true, true, false },
		{ OFFER_BY_UPDATE, false, false, true },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		static const enum offer_message in[] = { OFFER_IN_INVITE, OFFER_IN_PRACK,
			OFFER_IN_UPDATE };
		const bool undone[] = { rows[i].invite, rows[i].prack, rows[i].update };

		for (size_t j = 0; j < ARRAY_LEN(in); j++) {
			struct offer o = { .state = OFFER_LOCAL, .by = rows[i].by, .ever = true };

			offer_failed(&o, in[j]);
			ck_assert_uint_eq(o.state, undone[j] ? OFFER_STABLE : OFFER_LOCAL);
			ck_assert_uint_eq(o.by, undone[j] ? OFFER_BY_NONE : rows[i].by);
		}
	}
}
END_TEST

START_TEST(invite_that_asked_fails)
{
	struct pair p = established();

	say(&p, A, OFFER_IN_INVITE, EMPTY, OFFER_MEANS_WANTED);
	refuse(&p, OFFER_IN_UPDATE);
	assert_closed(&p.ends[A]);
	refuse(&p, OFFER_IN_INVITE);
	assert_stable(&p);
	pattern_6(&p, A);
}
END_TEST

/* What a re-INVITE agreed on before it failed stays agreed as far as we know. */
START_TEST(reinvite_fails_after_its_exchange_6141)
{
	struct pair p = established();

	say(&p, A, OFFER_IN_INVITE, BODY, OFFER_MEANS_OFFER);
	say(&p, B, OFFER_IN_RELIABLE, BODY, OFFER_MEANS_ANSWER);
	say(&p, A, OFFER_IN_UPDATE, BODY, OFFER_MEANS_OFFER);
	refuse(&p, OFFER_IN_INVITE);
	assert_open(&p, A);
	say(&p, B, OFFER_IN_UPDATE_2XX, BODY, OFFER_MEANS_ANSWER);
	assert_stable(&p);
}
END_TEST

START_TEST(names)
{
	ck_assert_str_eq(offer_state_name(OFFER_NONE), "none");
	ck_assert_str_eq(offer_state_name(OFFER_LOCAL), "local-offer");
	ck_assert_str_eq(offer_state_name(OFFER_REMOTE), "remote-offer");
	ck_assert_str_eq(offer_state_name(OFFER_STABLE), "stable");
}
END_TEST

RUN_TESTS("offer", table_1_initial_6337_2_2, table_1_not_initial_6337_2_2,
	table_1_established_6337_2_2, table_1_early_6337_2_2, table_2_invite_6337_2_3,
	table_2_responses_6337_2_3, table_2_prack_6337_2_3, table_2_update_6337_2_3,
	figure_1_6337_3_1_1, figure_2_6337_3_1_2, answers_are_owed_3264_4, bodies_out_of_place,
	one_exchange_at_a_time_6337_4, table_3_crossing_6337_4_1, failures_reach_their_own_exchange,
	invite_that_asked_fails, reinvite_fails_after_its_exchange_6141, names)
