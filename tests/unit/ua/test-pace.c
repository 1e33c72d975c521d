/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* How fast many go to one server. */
#include <check.h>
#include <string.h>

#include "protocol/ua/pace.h"
#include "protocol/ua/ua.h"
#include "tests/support/run.h"

#define SEC USEC_PER_SEC
#define START (1000 * SEC)

enum { MANY = 3000 };

struct member {
	struct pace_ticket ticket;
	unsigned n_turns, n_revived;
	bool asks_when_revived;
};

static struct ua ua;
static struct member all[MANY];
static size_t n_out; /* turns that were had */
static bool answers; /* a turn is answered in the same instant */

static void on_go(struct pace_ticket *t)
{
	container_of(t, struct member, ticket)->n_turns++;
	n_out++;
	pace_begin(t);
	if (answers)
		pace_end(t, PACE_ANSWERED);
}

static void on_revived(struct pace_ticket *t)
{
	struct member *m = container_of(t, struct member, ticket);

	m->n_revived++;
	if (m->asks_when_revived)
		pace_ask(t);
}

static void set_up(void)
{
	memset(&ua, 0, sizeof(ua));
	memset(all, 0, sizeof(all));
	n_out = 0;
	answers = false;
	timerq_init(&ua.timers, START);
	map_init(&ua.paces, 1);
	for (size_t i = 0; i < MANY; i++) {
		all[i].ticket.go = on_go;
		all[i].ticket.revived = on_revived;
		pace_join(&all[i].ticket, &ua, SLICE("192.0.2.1:5060"));
	}
}

static void tear_down(void)
{
	for (size_t i = 0; i < MANY; i++)
		pace_part(&all[i].ticket);
	ck_assert_uint_eq(ua.paces.n, 0);
	ck_assert_uint_eq(ua.timers.n, 0);
	map_deinit(&ua.paces);
	timerq_deinit(&ua.timers);
}

static struct pace *server(void)
{
	return all[0].ticket.pace;
}

/* From deadline to deadline; how many turns were had meanwhile. */
static size_t run(usec_t duration)
{
	usec_t end = ua.timers.now + duration;
	size_t before = n_out;

	while (timerq_next(&ua.timers) <= end)
		timerq_run(&ua.timers, timerq_next(&ua.timers));
	timerq_run(&ua.timers, end);
	return n_out - before;
}

static void ask_all(void)
{
	for (size_t i = 0; i < MANY; i++)
		pace_ask(&all[i].ticket);
}

/* Nobody knows whether anybody is there: a few find out. */
START_TEST(unknown)
{
	set_up();
	ask_all();
	ck_assert_uint_eq(n_out, PACE_UNPROVEN);
	ck_assert_uint_eq(run(3600 * SEC), 0);
	ck_assert_uint_eq(pace_earliest(server()), ua.timers.now);
	/* Each that ends without a word about the server lets the next one in. */
	pace_end(&all[3].ticket, PACE_NEUTRAL);
	ck_assert_uint_eq(n_out, PACE_UNPROVEN + 1);
	ck_assert_uint_eq(all[PACE_UNPROVEN].n_turns, 1);
	tear_down();
}
END_TEST

/* Twice as many in each second, up to the most, in the order in which they asked. */
START_TEST(alive)
{
	uint64_t rate = PACE_FIRST;
	size_t n;

	set_up();
	answers = true;
	ask_all();
	ck_assert_uint_eq(n_out, 1 + PACE_BURST); /* the first answer is the proof */
	for (n = n_out; n < MANY - PACE_MOST; rate = 2 * rate < PACE_MOST ? 2 * rate : PACE_MOST) {
		size_t now = run(SEC);

		ck_assert_uint_le(now, rate + 1); /* a fraction of the second before */
		ck_assert_uint_ge(now, rate * 9 / 10);
		n += now;
		ck_assert_uint_eq(all[n - 1].n_turns, 1);
		ck_assert_uint_eq(all[n].n_turns, 0);
	}
	ck_assert_uint_eq(rate, PACE_MOST);
	(void)run(60 * SEC);
	ck_assert_uint_eq(n_out, MANY);
	for (size_t i = 0; i < MANY; i++)
		ck_assert_uint_eq(all[i].n_turns, 1);
	tear_down();
}
END_TEST

/* A pause saves up a burst and no more, and a long one proves nothing any more. */
START_TEST(burst)
{
	set_up();
	answers = true;
	pace_ask(&all[0].ticket);
	(void)run(20 * SEC);
	ask_all();
	ck_assert_uint_eq(n_out, 1 + PACE_BURST);
	(void)run(3600 * SEC);
	answers = false;
	ck_assert_int_eq(server()->state, PACE_ALIVE);
	ask_all();
	ck_assert_int_eq(server()->state, PACE_UNKNOWN);
	ck_assert_uint_eq(n_out, 1 + MANY + PACE_UNPROVEN);
	tear_down();
}
END_TEST

/* Dead: one at a time, never sooner than PACE_PROBE after the last, whoever else is waiting. */
START_TEST(dead)
{
	set_up();
	pace_ask(&all[0].ticket);
	pace_end(&all[0].ticket, PACE_SILENT);
	ask_all();
	ck_assert_uint_eq(n_out, 1);
	ck_assert_uint_eq(pace_earliest(server()), ua.timers.now + PACE_PROBE);
	for (size_t i = 0; i < 10; i++) {
		ck_assert_uint_eq(run(PACE_PROBE - 1), 0);
		ck_assert_uint_eq(run(1), 1);
		ck_assert(all[i].ticket.out);
		ck_assert_uint_eq(run(31 * SEC), 0); /* until it has ended */
		pace_end(&all[i].ticket, i % 2 ? PACE_SILENT : PACE_NEUTRAL);
	}
	tear_down();
}
END_TEST

/* The answer to a probe calls everybody, once. */
START_TEST(revived)
{
	set_up();
	for (size_t i = 0; i < MANY; i++)
		all[i].asks_when_revived = true;
	pace_ask(&all[0].ticket);
	pace_end(&all[0].ticket, PACE_SILENT);
	pace_ask(&all[1].ticket);
	ck_assert_uint_eq(run(PACE_PROBE), 1);
	answers = true;
	pace_end(&all[1].ticket, PACE_ANSWERED);
	for (size_t i = 0; i < MANY; i++)
		ck_assert_uint_eq(all[i].n_revived, 1);
	ck_assert_uint_eq(n_out, 2 + PACE_BURST);
	ck_assert_uint_le(run(SEC), PACE_FIRST);
	(void)run(60 * SEC);
	ck_assert_uint_eq(n_out, 2 + MANY);
	tear_down();
}
END_TEST

/* One that began before others were answered says nothing about the server when it fails. */
START_TEST(one_of_many_fails)
{
	set_up();
	pace_ask(&all[0].ticket);
	pace_ask(&all[1].ticket);
	(void)run(SEC);
	pace_end(&all[1].ticket, PACE_ANSWERED);
	pace_end(&all[0].ticket, PACE_SILENT);
	ck_assert_int_eq(server()->state, PACE_ALIVE);
	(void)run(SEC);
	pace_ask(&all[0].ticket);
	pace_end(&all[0].ticket, PACE_SILENT);
	ck_assert_int_eq(server()->state, PACE_DEAD);
	tear_down();
}
END_TEST

/* RFC 3261 21.5.4: Retry-After is obeyed by everybody; then one looks first. */
START_TEST(closed)
{
	set_up();
	pace_ask(&all[0].ticket);
	pace_ask(&all[1].ticket);
	pace_close(server(), ua.timers.now + 60 * SEC);
	pace_end(&all[0].ticket, PACE_SILENT);
	pace_end(&all[1].ticket, PACE_ANSWERED); /* was on its way already */
	ask_all();
	ck_assert_uint_eq(pace_earliest(server()), ua.timers.now + 60 * SEC);
	ck_assert_uint_eq(run(60 * SEC - 1), 0);
	ck_assert_uint_eq(run(SEC), 1);
	/* A shorter wish does not take the longer one back. */
	pace_close(server(), ua.timers.now + 60 * SEC);
	pace_close(server(), ua.timers.now + 10 * SEC);
	pace_end(&all[0].ticket, PACE_SILENT);
	ck_assert_uint_eq(run(59 * SEC), 0);
	ck_assert_uint_eq(run(SEC), 1);
	tear_down();
}
END_TEST

/* Who means now does not wait, and what the server says to them is good for all. */
START_TEST(at_once)
{
	set_up();
	pace_close(server(), ua.timers.now + 60 * SEC);
	ask_all();
	ck_assert(pace_waits(&all[5].ticket));
	(void)run(SEC);
	pace_begin(&all[5].ticket);
	ck_assert(!pace_waits(&all[5].ticket));
	pace_ask(&all[5].ticket); /* is under way */
	ck_assert(!pace_waits(&all[5].ticket));
	answers = true;
	pace_end(&all[5].ticket, PACE_ANSWERED);
	ck_assert_int_eq(server()->state, PACE_ALIVE);
	ck_assert_uint_ge(run(SEC), PACE_FIRST * 9 / 10);
	tear_down();
}
END_TEST

/* A broken connection, or another network: nothing is known. */
START_TEST(doubt)
{
	set_up();
	answers = true;
	pace_ask(&all[0].ticket);
	answers = false;
	pace_doubt(server());
	ask_all();
	ck_assert_uint_eq(n_out, 1 + PACE_UNPROVEN);
	for (size_t i = 0; i < PACE_UNPROVEN; i++)
		pace_end(&all[i].ticket, PACE_SILENT);
	ck_assert_uint_eq(run(1), 0);
	pace_doubt(server());
	ck_assert_int_eq(server()->state, PACE_DEAD);
	pace_forget(server());
	ck_assert_uint_eq(n_out, 1 + 2 * PACE_UNPROVEN);
	tear_down();
}
END_TEST

/* Leaving frees the place, and who is left over goes on. */
START_TEST(parting)
{
	set_up();
	ask_all();
	for (size_t i = 0; i < 2 * PACE_UNPROVEN; i++)
		pace_part(&all[i].ticket);
	pace_part(&all[0].ticket);
	ck_assert_uint_eq(run(1), PACE_UNPROVEN);
	pace_give_up(&all[2 * PACE_UNPROVEN + 50].ticket);
	answers = true;
	pace_end(&all[2 * PACE_UNPROVEN].ticket, PACE_ANSWERED);
	(void)run(600 * SEC);
	ck_assert_uint_eq(all[2 * PACE_UNPROVEN + 50].n_turns, 0);
	ck_assert_uint_eq(all[2 * PACE_UNPROVEN + 51].n_turns, 1);
	tear_down();
}
END_TEST

RUN_TESTS("pace", unknown, alive, burst, dead, revived, one_of_many_fails, closed, at_once, doubt,
	parting)
