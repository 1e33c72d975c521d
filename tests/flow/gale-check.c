/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <check.h>
#include <stdio.h>

#include "tests/flow/gale-post.h"
#include "tests/flow/gale-seat.h"
#include "tests/flow/gale-watch.h"

/* What is true when the weather was fine for long enough, and when all is over. */

static bool is_up(const struct gale *g, const struct resource *r)
{
	return g->parties[r->party].wu != NULL;
}

static const char *state_name(const struct watch *w)
{
	return subscription_state_name(subscription_state(w->s));
}

static void check_watch(const struct gale *g, const struct watch *w)
{
	unsigned n = (unsigned)(w - g->watches);

	if (!w->s || !is_up(g, w->of))
		return;
	ck_assert_msg(
		!w->ended_here && !w->fetch, "%u: nobody wants it, but it is %s", n, state_name(w));
	ck_assert_msg(
		subscription_state(w->s) == SUBSCRIPTION_ACTIVE, "%u: is %s", n, state_name(w));
	ck_assert_msg(w->version == w->of->version, "%u: heard of %u, but it is %u", n, w->version,
		w->of->version);
	ck_assert_uint_eq(subscription_dialogs(w->s), 1);
}

/* Nobody has a seat whom nobody watches from. */
static void check_seats(struct gale *g)
{
	unsigned n_active = 0;

	list_for_each (node, &g->seats) {
		const struct seat *seat = list_entry(node, struct seat, node);

		n_active += subscriber_state(seat->s) == SUBSCRIBER_ACTIVE;
		ck_assert_uint_ne(subscriber_state(seat->s), SUBSCRIBER_INCOMING);
	}
	for (unsigned i = 0; i < g->n_watches; i++)
		g->n_watching += g->watches[i].s && is_up(g, g->watches[i].of);
	ck_assert_uint_eq(n_active, g->n_watching);
}

static const struct entry *find(const struct party *p, const struct post *post)
{
	list_for_each (node, &p->entries) {
		const struct entry *e = list_entry(node, struct entry, node);

		if (e->text == post->text)
			return e;
	}
	return NULL;
}

static void check_post(const struct gale *g, const struct post *p)
{
	unsigned n = (unsigned)(p - g->posts);
	char etag[16];
	const struct entry *e;

	if (!p->p || !is_up(g, p->of))
		return;
	ck_assert_msg(!p->removed_here, "post %u: not removed", n);
	ck_assert_msg(publication_state(p->p) == PUBLICATION_PUBLISHED, "post %u: is %s", n,
		publication_state_name(publication_state(p->p)));
	e = find(&g->parties[p->of->party], p);
	ck_assert_msg(e != NULL, "post %u: %u is not there", n, p->text);
	(void)snprintf(etag, sizeof(etag), "%u", e->etag);
	ck_assert_str_eq(publication_etag(p->p), etag);
}

/* What is published is somebody's who is there. */
static void check_entries(struct gale *g)
{
	size_t n_entries = 0;

	for (unsigned i = 0; i < PARTIES; i++) {
		gale_expire(&g->parties[i], world_now(g->w));
		n_entries += list_length(&g->parties[i].entries);
	}
	for (unsigned i = 0; i < g->n_posts; i++)
		g->n_posted += g->posts[i].p && is_up(g, g->posts[i].of);
	ck_assert_uint_eq(n_entries, g->n_posted);
}

void gale_check_heard(const struct gale *g)
{
	for (unsigned i = 0; i < g->n_watches; i++)
		check_watch(g, &g->watches[i]);
}

void gale_check_settled(struct gale *g)
{
	gale_check_heard(g);
	check_seats(g);
	for (unsigned i = 0; i < g->n_posts; i++)
		check_post(g, &g->posts[i]);
	check_entries(g);
	/* Silence is no way to agree. */
	if (g->weather == WEATHER_ROUGH)
		ck_assert_uint_ge(g->n_watching, g->n_watches / 25);
}

void gale_check_over(const struct gale *g)
{
	for (unsigned i = 0; i < g->n_watches; i++) {
		const struct watch *w = &g->watches[i];

		ck_assert_msg(w->n_terminated + w->freed + w->vanished == 1, "%u: ended %u times",
			i, w->n_terminated);
		ck_assert_ptr_null(w->s);
	}
	for (unsigned i = 0; i < g->n_posts; i++) {
		const struct post *p = &g->posts[i];

		ck_assert_msg(
			p->n_ended + p->vanished == 1, "post %u: ended %u times", i, p->n_ended);
		ck_assert_ptr_null(p->p);
	}
	ck_assert(list_is_empty(&g->seats));
	ck_assert_uint_eq(g->n_removed + g->n_lost_seats, g->n_seats);
	ck_assert_uint_le(g->n_answered, g->n_waiting);
	if (g->weather == WEATHER_ROUGH)
		ck_assert_uint_eq(g->n_answered, g->n_waiting);
}
