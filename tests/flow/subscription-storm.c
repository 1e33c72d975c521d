/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * User agents watch one another's state and publish to one another over a network that loses a
 * fifth, doubles and reorders, and do whatever their owners may do at any moment: let in, leave
 * pending, refuse, finish, refresh, change, unsubscribe, remove. In some worlds a user agent loses
 * its memory and comes up again at the same address, or never, or the network is silent for a
 * while. Then the weather is fine, and after a time everybody who still watches has heard the last
 * state from the one seat that is his, and what is published is there, once. Each subscription,
 * each subscriber and each publication ends exactly once; nothing is told of a dialog after its
 * last NOTIFY; who is not there is asked only so often; in the end no transaction, dialog, timer,
 * request, flow or byte is left.
 *
 * Arguments: the first seed, how many seeds, subscriptions for each seed. STORM_TRACE=1 prints what
 * went over the network.
 */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>

#include "protocol/base/err.h"
#include "tests/flow/gale-post.h"
#include "tests/flow/gale-seat.h"
#include "tests/flow/gale-watch.h"

#define STEP (20 * USEC_PER_MSEC)
#define LONG_STEP (5 * SEC)

static unsigned first_seed = 1, n_seeds = 6, n_watches = 100;

const char *const gale_addresses[PARTIES] = { "192.0.2.10", "192.0.2.20", "192.0.2.30" };
const char *const gale_names[PARTIES][ENDPOINTS] = { { "alice", "anna" }, { "bob", "ben" },
	{ "carol", "clara" } };

unsigned gale_below(struct gale *g, unsigned bound)
{
	return (unsigned)world_random_below(g->w, bound);
}

/* ---- who is where ---- */

/* The one that is the server of the k-th endpoint of that party. */
static unsigned server_of(unsigned party, unsigned k)
{
	return (party + 1 + k) % PARTIES;
}

struct resource *gale_target(struct gale *g, unsigned party, unsigned k)
{
	return &g->resources[server_of(party, k) * ENDPOINTS + gale_below(g, ENDPOINTS)];
}

void gale_append_uri(struct buf *b, const struct resource *r)
{
	unsigned k = (unsigned)(r - r->g->resources) % ENDPOINTS;

	buf_printf(b, "sip:%s@%s", gale_names[r->party][k], gale_addresses[r->party]);
}

static void party_up(struct gale *g, unsigned i)
{
	struct party *p = &g->parties[i];

	p->wu = world_ua(g->w, gale_addresses[i]);
	p->wu->subscribers = &gale_seat_hooks;
	p->wu->on_incoming = gale_compose;
	p->wu->user = g;
	for (unsigned k = 0; k < ENDPOINTS; k++) {
		struct world_account a = { .id = gale_names[i][k],
			.domain = gale_addresses[i],
			.registrar = gale_addresses[server_of(i, k)] };

		g->resources[i * ENDPOINTS + k].ep = world_endpoint(p->wu, &a);
	}
}

/* Its owners are gone without a word. */
static void forget_party(struct gale *g, unsigned party)
{
	for (unsigned i = 0; i < g->n_watches; i++)
		if (g->watches[i].party == party && g->watches[i].s) {
			g->watches[i].vanished = true;
			g->watches[i].s = NULL;
		}
	for (unsigned i = 0; i < g->n_posts; i++)
		if (g->posts[i].party == party && g->posts[i].p) {
			g->posts[i].vanished = true;
			g->posts[i].p = NULL;
		}
	list_for_each_safe (node, next, &g->seats) {
		struct seat *seat = list_entry(node, struct seat, node);

		if (seat->of->party != party)
			continue;
		list_remove(&seat->node);
		free(seat);
		g->n_lost_seats++;
	}
	for (unsigned k = 0; k < ENDPOINTS; k++)
		g->resources[party * ENDPOINTS + k].ep = NULL;
	gale_expire(&g->parties[party], USEC_NEVER);
}

/* It loses its memory; its state, which it has from elsewhere, goes on. */
static void party_down(struct gale *g, unsigned i, usec_t until)
{
	struct party *p = &g->parties[i];

	forget_party(g, i);
	world_ua_free(mem_take(&p->wu));
	p->down_until = until;
}

/* ---- the weather ---- */

static void change_parties(struct gale *g)
{
	usec_t now = world_now(g->w);

	for (unsigned i = 0; i < PARTIES; i++)
		if (!g->parties[i].wu && now >= g->parties[i].down_until)
			party_up(g, i);
	if (g->weather == WEATHER_REBOOTS && !g->calm && gale_below(g, REBOOT_ODDS) == 0) {
		unsigned i = gale_below(g, PARTIES);

		if (g->parties[i].wu)
			party_down(g, i, now + world_random_below(g->w, 100 * SEC));
	}
	if (g->weather == WEATHER_DEAD && now >= g->dies_at && g->parties[g->victim].wu)
		party_down(g, g->victim, USEC_NEVER);
}

static void change_weather(struct gale *g)
{
	usec_t now = world_now(g->w);
	bool silent = g->weather == WEATHER_SILENCE && !g->calm && now >= g->dies_at &&
		      now < g->recovers_at;

	change_parties(g);
	for (unsigned i = 0; i < PARTIES; i++)
		world_set_reach(g->w, gale_addresses[i], silent ? WORLD_SILENT : WORLD_UP);
}

/* Who asks somebody who is down gets no answer. */
static bool on_mail(void *ctx, struct world_mail *mail)
{
	struct gale *g = ctx;

	g->n_unheard += mail->msg->is_request;
	return true;
}

/* ---- the run ---- */

static void act(struct gale *g, unsigned odds)
{
	for (unsigned i = 0; i < g->n_watches; i++) {
		struct watch *w = &g->watches[i];

		if (w->s && world_now(g->w) >= w->end_at && !w->ended_here)
			gale_watch_end(w);
		else if (w->s && !w->ended_here && gale_below(g, odds) == 0)
			gale_watch_act(w);
	}
	for (unsigned i = 0; i < g->n_posts; i++) {
		struct post *p = &g->posts[i];

		if (p->p && world_now(g->w) >= p->end_at && !p->removed_here)
			gale_post_end(p);
		else if (p->p && !p->removed_here && gale_below(g, odds) == 0)
			gale_post_act(p);
	}
	list_for_each_safe (node, next, &g->seats)
		if (gale_below(g, odds) == 0)
			gale_seat_act(list_entry(node, struct seat, node));
	if (gale_below(g, odds / 2) == 0)
		gale_changed(&g->resources[gale_below(g, RESOURCES)]);
}

static void begin(struct gale *g, unsigned most)
{
	for (unsigned n = gale_below(g, PER_STEP + 1); n && g->n_watches < most; n--) {
		gale_watch_begin(g);
		if (gale_below(g, 3) == 0)
			gale_post_begin(g);
	}
}

static void blow(struct gale *g)
{
	while (world_now(g->w) < ROUGH * SEC) {
		bool hasty = world_now(g->w) < HASTE * SEC;

		change_weather(g);
		if (hasty || gale_below(g, BEGIN_ODDS) == 0)
			begin(g, hasty ? n_watches / 2 : n_watches);
		act(g, hasty ? VERB_ODDS : 2 * VERB_ODDS);
		world_run(g->w, hasty ? STEP : LONG_STEP);
	}
}

/* What waits is let in, what is to end ends, and all is heard. */
static void calm_down(struct gale *g)
{
	usec_t until = world_now(g->w) + CALM * SEC;

	g->calm = true;
	*world_net(g->w) = (struct world_net){ .delay = 20 * USEC_PER_MSEC };
	change_weather(g);
	for (unsigned i = 0; i < PARTIES; i++)
		if (!g->parties[i].wu && g->weather != WEATHER_DEAD)
			party_up(g, i);
	act(g, UINT32_MAX / 4);
	while (world_now(g->w) < until) {
		list_for_each_safe (node, next, &g->seats)
			gale_seat_welcome(list_entry(node, struct seat, node));
		world_run(g->w, 60 * SEC);
	}
}

/*
 * Changes on the heels of one another, while a NOTIFY is under way: the last is heard by itself,
 * long before a refresh would bring it.
 */
static void flurry(struct gale *g)
{
	for (unsigned n = 0; n < 3; n++) {
		for (unsigned i = 0; i < RESOURCES; i++)
			gale_changed(&g->resources[i]);
		world_run(g->w, 10 * USEC_PER_MSEC);
	}
	world_run(g->w, 2 * SEC);
	gale_check_heard(g);
}

static void close_all(struct gale *g)
{
	for (unsigned i = 0; i < RESOURCES; i++)
		if (g->resources[i].ep)
			endpoint_close(g->resources[i].ep);
	world_run(g->w, 3 * 64 * TIMER_T1);
	for (unsigned i = 0; i < PARTIES; i++)
		if (g->parties[i].wu)
			world_expect_idle(g->parties[i].wu);
}

/* ---- the world ---- */

static struct gale *gale_new(uint64_t seed)
{
	struct gale *g = mem_new(struct gale);

	g->w = world_new(seed);
	if (getenv("STORM_TRACE")) {
		world_show(g->w, "Call-ID");
		world_show(g->w, "CSeq");
		world_show(g->w, "Subscription-State");
		world_show(g->w, "Expires");
	} else {
		world_hush(g->w);
	}
	*world_net(g->w) = (struct world_net){
		.delay = 20 * USEC_PER_MSEC,
		.jitter = 50 * USEC_PER_MSEC,
		.loss = 20,
		.duplicate = 10,
		.reorder = 10,
	};
	world_set_peer(g->w, on_mail, g);
	list_init(&g->seats);
	g->watches = mem_zalloc((n_watches + 1) * sizeof(*g->watches));
	g->posts = mem_zalloc((n_watches + 1) * sizeof(*g->posts));
	for (unsigned i = 0; i < RESOURCES; i++)
		g->resources[i] = (struct resource){ .g = g, .party = i / ENDPOINTS };
	for (unsigned i = 0; i < PARTIES; i++) {
		list_init(&g->parties[i].entries);
		party_up(g, i);
	}
	g->weather = gale_below(g, 4);
	g->victim = gale_below(g, PARTIES);
	g->dies_at = world_random_below(g->w, HASTE * SEC);
	g->recovers_at = g->dies_at + world_random_below(g->w, 600 * SEC);
	return g;
}

static void gale_free(struct gale *g)
{
	world_free(g->w);
	for (unsigned i = 0; i < PARTIES; i++)
		gale_expire(&g->parties[i], USEC_NEVER);
	free(g->watches);
	free(g->posts);
	free(g);
}

static void print_trace(struct gale *g)
{
	char *log = getenv("STORM_TRACE") ? world_take_log(g->w) : NULL;

	if (log)
		(void)fputs(log, stderr);
	free(log);
}

static void run(uint64_t seed)
{
	struct gale *g;
	uint64_t unheard;
	unsigned owners = 0;

	(void)fprintf(stderr, "# seed %u\n", (unsigned)seed);
	g = gale_new(seed);
	blow(g);
	unheard = g->n_unheard;
	calm_down(g);
	print_trace(g);
	gale_check_settled(g);
	flurry(g);
	for (unsigned i = 0; i < g->n_watches; i++)
		owners += g->watches[i].s && !g->parties[g->watches[i].of->party].wu;
	for (unsigned i = 0; i < g->n_posts; i++)
		owners += g->posts[i].p && !g->parties[g->posts[i].of->party].wu;
	if (g->weather == WEATHER_DEAD)
		ck_assert_msg(g->n_unheard - unheard <= owners * REQUESTS_PER_HOUR * (CALM / 3600),
			"%u of nobody's requests", (unsigned)(g->n_unheard - unheard));
	(void)fprintf(stderr,
		"# weather %d, %u of %u subscriptions last, %u seats, %u of %u publications last, "
		"%u asked %u times in vain\n",
		(int)g->weather, g->n_watching, g->n_watches, g->n_seats, g->n_posted, g->n_posts,
		owners, (unsigned)(g->n_unheard - unheard));
	close_all(g);
	gale_check_over(g);
	gale_free(g);
}

START_TEST(storm)
{
	run(first_seed + (unsigned)_i);
}
END_TEST

int main(int argc, char **argv)
{
	Suite *s = suite_create("subscription-storm");
	TCase *c = tcase_create("simulation");
	SRunner *r;
	int failed;

	if (argc > 1)
		first_seed = (unsigned)strtoul(argv[1], NULL, 10);
	if (argc > 2)
		n_seeds = (unsigned)strtoul(argv[2], NULL, 10);
	if (argc > 3)
		n_watches = (unsigned)strtoul(argv[3], NULL, 10);
	tcase_set_timeout(c, 0);
	tcase_add_loop_test(c, storm, 0, (int)n_seeds);
	suite_add_tcase(s, c);
	r = srunner_create(s);
	srunner_run_all(r, CK_ENV);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
