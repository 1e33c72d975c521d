/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * User agents with two endpoints each call each other over a network that loses a fifth, doubles
 * and reorders, and do whatever their owners may do at any moment: cancel, ring, answer, refuse,
 * redirect, change, write, transfer, hang up, also both at once. In every fourth world the network
 * dies for good or for a while. Each session ends exactly once on each side, and what one side
 * says of how it ended is what the other side did; what was written arrived once; every verb that
 * waits is answered exactly once; in the end no transaction, dialog, timer, session, request, flow
 * or byte is left.
 *
 * Arguments: the first seed, how many seeds, sessions for each seed. STORM_TRACE=1 prints what went
 * over the network.
 */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>

#include "protocol/base/err.h"
#include "protocol/ua/request-headers.h"
#include "tests/flow/tempest.h"

#define STEP (20 * USEC_PER_MSEC)
#define LONG_STEP (5 * SEC)

static unsigned first_seed = 1, n_seeds = 6, n_calls = 120;

/* ---- what is told ---- */

static unsigned party_of(const struct tempest *st, const struct world_ua *wu)
{
	unsigned i = 0;

	while (st->parties[i].wu != wu)
		i++;
	return i;
}

static void on_incoming(struct world_ua *wu, struct session *s)
{
	struct tempest *st = wu->user;
	const struct msg *invite = session_msg(s, SESSION_INVITE);
	uint32_t number;
	struct call *c;
	struct side *side;

	ck_assert(slice_to_u32(
		msg_header_named(invite, SLICE("X-Number")), st->n_begun - 1, &number));
	c = &st->calls[number];
	ck_assert_msg(
		c->n_called == 0 || c->sides[c->n_called].redirected, "call %u came twice", number);
	side = &c->sides[++c->n_called];
	side->seen = true;
	side->s = s;
	side->party = party_of(st, wu);
	session_set_user(s, side);
	if (tempest_below(st, 20) == 0) {
		side->rejected = 480;
		session_pass(s);
	}
}

static void on_text(struct tempest *st, const struct side *side, const struct msg *m)
{
	uint32_t number;

	ck_assert(slice_to_u32(m->body, st->n_written - 1, &number));
	ck_assert_msg(
		st->written[number]++ == 0, "%u: a text came twice", tempest_number(side->call));
}

static void on_terminated(struct side *side, const struct ua_session_event *e)
{
	side->n_terminated++;
	side->status = e->status;
	side->origin = e->origin;
	(void)snprintf(side->reason, sizeof(side->reason), "%.*s", SLICE_ARGS(e->reason));
}

static void on_event(struct world_ua *wu, struct session *s, const struct ua_session_event *e)
{
	struct tempest *st = wu->user;
	struct side *side = session_user(s);

	/* Ended before anybody was asked. */
	if (!side)
		return;
	ck_assert_msg(side->n_terminated == 0, "told after the end");
	switch (e->news) {
	case UA_SESSION_ESTABLISHED:
		side->n_established++;
		break;
	case UA_SESSION_OFFER:
		side->offer_waits = true;
		if (tempest_below(st, 2))
			tempest_answer(st, side);
		break;
	case UA_SESSION_MESSAGE:
	case UA_SESSION_INFO:
		on_text(st, side, e->message);
		break;
	case UA_SESSION_REFER:
		tempest_referred(st, side, e->id);
		break;
	case UA_SESSION_REFER_FINISHED:
		side->n_refers_finished++;
		break;
	case UA_SESSION_TERMINATED:
		on_terminated(side, e);
		break;
	case UA_SESSION_PROGRESS:
	case UA_SESSION_ANSWER:
	case UA_SESSION_REFER_PROGRESS:
		break;
	}
}

static void on_removed(struct world_ua *wu, struct session *s)
{
	struct side *side = session_user(s);

	(void)wu;
	if (side)
		side->s = NULL;
}

static const struct world_session_hooks hooks = {
	.incoming = on_incoming,
	.event = on_event,
	.removed = on_removed,
};

/* ---- the run ---- */

static void begin(struct tempest *st)
{
	unsigned party = tempest_below(st, PARTIES);
	struct call *c = tempest_call(st, party);
	struct buf text = BUF_NULL, target = BUF_NULL;
	struct request_header header = { .name = SLICE("X-Number") };
	struct session_spec spec = { .headers = { &header, 1 } };
	const char *why = NULL;

	tempest_other_uri(st, party, &target);
	spec.target = buf_slice(&target);
	if (tempest_below(st, 4))
		spec.offer = tempest_body(st);
	if (tempest_below(st, 8) == 0)
		spec.timeout = 1 + world_random_below(st->w, 10 * SEC);
	buf_u64(&text, st->n_begun);
	header.value = buf_slice(&text);
	ck_assert_int_eq(session_new(st->parties[party].eps[tempest_below(st, ENDPOINTS)], &spec,
				 &c->sides[0].s, &why),
		0);
	tempest_begun(c);
	st->n_own++;
	buf_deinit(&text);
	buf_deinit(&target);
}

/* Whether anything of it lives. */
static bool live(struct call *c, unsigned odds)
{
	struct tempest *st = c->storm;
	bool alive = false;

	for (unsigned i = 0; i <= c->n_called; i++) {
		struct side *side = &c->sides[i];

		if (side->s && tempest_below(st, odds) == 0)
			tempest_act(side);
		if (side->s && world_now(st->w) >= c->end_at)
			tempest_end(st, side);
		alive = alive || side->s;
	}
	if (alive && tempest_below(st, 20 * odds) == 0)
		tempest_collide(c);
	return alive;
}

static void change_weather(struct tempest *st)
{
	usec_t now = world_now(st->w);
	bool dead = st->weather != WEATHER_ROUGH && now >= st->dies_at && now < st->recovers_at;

	for (unsigned i = 0; i < PARTIES; i++)
		world_set_reach(st->w, tempest_addresses[i], dead ? WORLD_SILENT : WORLD_UP);
}

/* Whether anything lives or is still to begin. */
static bool step(struct tempest *st)
{
	bool alive = st->n_own < n_calls, hasty = alive;

	change_weather(st);
	for (unsigned n = tempest_below(st, PER_STEP + 1); n && st->n_own < n_calls; n--)
		begin(st);
	for (unsigned i = 0; i < st->n_begun; i++) {
		struct call *c = &st->calls[i];
		bool stays = c->long_lived && world_now(st->w) + LIFE * SEC < c->end_at;

		if (!live(c, stays ? 20 * VERB_ODDS : VERB_ODDS))
			continue;
		alive = true;
		hasty = hasty || !stays;
	}
	world_run(st->w, hasty ? STEP : LONG_STEP);
	return alive;
}

/* ---- the world ---- */

static void expect_nothing_left(const struct party *p)
{
	world_expect_idle(p->wu);
	for (unsigned i = 0; i < ENDPOINTS; i++) {
		const struct endpoint *ep = p->eps[i];

		ck_assert(list_is_empty(&ep->sessions) && list_is_empty(&ep->requests));
		ck_assert(list_is_empty(&ep->refers_in));
		ck_assert_uint_eq(ep->n_sessions, 0);
		ck_assert_uint_eq(ep->n_refers_in, 0);
	}
}

static void add_party(struct tempest *st, unsigned i)
{
	struct party *p = &st->parties[i];

	p->wu = world_ua(st->w, tempest_addresses[i]);
	p->wu->sessions = &hooks;
	p->wu->user = st;
	for (unsigned k = 0; k < ENDPOINTS; k++) {
		struct world_account a = { .id = tempest_names[i][k],
			.domain = tempest_addresses[i] };

		p->eps[k] = world_endpoint(p->wu, &a);
	}
}

static struct tempest *tempest_new(uint64_t seed)
{
	struct tempest *st = mem_new(struct tempest);

	st->w = world_new(seed);
	if (getenv("STORM_TRACE")) {
		world_show(st->w, "Call-ID");
		world_show(st->w, "CSeq");
		world_show(st->w, "X-Number");
	} else {
		world_hush(st->w);
	}
	*world_net(st->w) = (struct world_net){
		.delay = 20 * USEC_PER_MSEC,
		.jitter = 50 * USEC_PER_MSEC,
		.loss = 20,
		.duplicate = 10,
		.reorder = 10,
	};
	st->n_room = 2 * n_calls;
	st->calls = mem_zalloc((st->n_room + 1) * sizeof(*st->calls));
	st->written = mem_zalloc(WRITTEN_MAX);
	for (unsigned i = 0; i < PARTIES; i++)
		add_party(st, i);
	st->weather = tempest_below(st, 4)   ? WEATHER_ROUGH
		      : tempest_below(st, 2) ? WEATHER_STORM_PASSES
					     : WEATHER_DEAD;
	st->dies_at = world_random_below(st->w, 2 * LIFE * SEC);
	st->recovers_at = st->weather == WEATHER_DEAD
				  ? USEC_NEVER
				  : st->dies_at + world_random_below(st->w, 100 * SEC);
	return st;
}

static void tempest_free(struct tempest *st)
{
	world_free(st->w);
	free(st->calls);
	free(st->written);
	free(st);
}

static void print_trace(struct tempest *st)
{
	char *log = getenv("STORM_TRACE") ? world_take_log(st->w) : NULL;

	if (log)
		(void)fputs(log, stderr);
	free(log);
}

static void run(uint64_t seed)
{
	struct tempest *st = tempest_new(seed);
	unsigned steps = 0;

	(void)fprintf(stderr, "# seed %u\n", (unsigned)seed);
	while (step(st))
		ck_assert_msg(++steps < 1000000, "a session never ends");
	world_run(st->w, AFTERWARDS * SEC);
	print_trace(st);
	tempest_check(st);
	for (unsigned i = 0; i < PARTIES; i++)
		expect_nothing_left(&st->parties[i]);
	(void)fprintf(stderr,
		"# %u sessions, %u established, %u not heard of in time, %u of %u verbs done\n",
		st->n_begun, st->n_established, st->n_unheard, st->n_verbs_ok, st->n_waiting);
	tempest_free(st);
}

START_TEST(storm)
{
	run(first_seed + (unsigned)_i);
}
END_TEST

int main(int argc, char **argv)
{
	Suite *s = suite_create("session-storm");
	TCase *c = tcase_create("simulation");
	SRunner *r;
	int failed;

	if (argc > 1)
		first_seed = (unsigned)strtoul(argv[1], NULL, 10);
	if (argc > 2)
		n_seeds = (unsigned)strtoul(argv[2], NULL, 10);
	if (argc > 3)
		n_calls = (unsigned)strtoul(argv[3], NULL, 10);
	tcase_set_timeout(c, 0);
	tcase_add_loop_test(c, storm, 0, (int)n_seeds);
	suite_add_tcase(s, c);
	r = srunner_create(s);
	srunner_run_all(r, CK_ENV);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
