/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A crowd of clients that subscribe, unsubscribe and vanish at random, against a model of who has
 * what. Bob is a user agent of the world, whose subscribers are what really is there.
 */
#include <string.h>

#include "protocol/ua/profile.h"
#include "tests/support/world-subscriber.h"
#include "tests/unit/ipc/stage-subscription.h"

enum { CLIENTS = 5, EVENTS = 3, STEPS = 200, SEEDS = 4, GRACE_SECONDS = 15 };

static const char *const clients[CLIENTS] = { ":1.20", ":1.21", ":1.22", ":1.23", ":1.24" };
static const char *const events[EVENTS] = { "presence", "dialog", "reg" };

/* What should be: the path, "" if there is none, and its clients in the order of arrival. */
struct model {
	char path[80];
	size_t members[CLIENTS], n;
	unsigned alone; /* seconds without any */
};

static struct stage_scene sc;
static struct stage *const s = &sc.s;
static struct model models[EVENTS];
static struct subscriber *subscribers[EVENTS];
static size_t n_subscribers;

/* ---- bob ---- */

static void on_incoming(struct world_ua *wu, struct subscriber *sub)
{
	const struct subscriber_body state = world_state("text/plain", "at first");

	(void)wu;
	ck_assert_uint_lt(n_subscribers, EVENTS);
	subscribers[n_subscribers++] = sub;
	ck_assert_int_eq(subscriber_accept(sub, SUBSCRIBER_ACCEPT, 0, &state), 0);
}

static void on_removed(
	struct world_ua *wu, struct subscriber *sub, const struct subscriber_end *end)
{
	size_t kept = 0;

	(void)wu;
	(void)end;
	for (size_t i = 0; i < n_subscribers; i++)
		if (subscribers[i] != sub)
			subscribers[kept++] = subscribers[i];
	ck_assert_uint_eq(kept + 1, n_subscribers);
	n_subscribers = kept;
}

static const struct world_subscriber_hooks hooks = {
	.incoming = on_incoming,
	.removed = on_removed,
};

/* ---- the model ---- */

static size_t find(const struct model *m, size_t client)
{
	size_t i = 0;

	while (i < m->n && m->members[i] != client)
		i++;
	return i;
}

static void take_out(struct model *m, size_t at)
{
	m->n--;
	memmove(&m->members[at], &m->members[at + 1], (m->n - at) * sizeof(m->members[0]));
	m->alone = 0;
}

/* ---- what clients do ---- */

static void subscribe(struct model *m, size_t client, const char *event)
{
	const char *path = stage_wish_for(
		s, &(struct stage_wish){ .client = clients[client], .event = event });

	if (m->path[0])
		ck_assert_str_eq(path, m->path);
	(void)snprintf(m->path, sizeof(m->path), "%s", path);
	if (find(m, client) == m->n)
		m->members[m->n++] = client;
}

static void unsubscribe(struct model *m, size_t client)
{
	size_t at = find(m, client);

	if (!m->path[0])
		return;
	stage_subscription_call(s, clients[client], m->path, "Unsubscribe");
	if (at == m->n && m->n) {
		(void)stage_error(s, DBUS_ERROR_ACCESS_DENIED);
		return;
	}
	(void)stage_return(s, "");
	if (m->n > 1)
		take_out(m, at);
	else
		*m = (struct model){ 0 };
}

static void vanish(size_t client)
{
	recorder_leave(&s->r, clients[client]);
	stage_client(s, clients[client], STAGE_USER_UID); /* another who is called so */
	for (size_t e = 0; e < EVENTS; e++) {
		size_t at = find(&models[e], client);

		if (at < models[e].n)
			take_out(&models[e], at);
	}
}

static void wait(unsigned seconds)
{
	stage_run(s, seconds * USEC_PER_SEC);
	for (size_t e = 0; e < EVENTS; e++) {
		struct model *m = &models[e];

		if (!m->path[0] || m->n)
			continue;
		m->alone += seconds;
		if (m->alone > GRACE_SECONDS)
			*m = (struct model){ 0 };
	}
}

/* Bob's state of everything changes: each share is one Notified, and nobody else hears of it. */
static void tell(void)
{
	const struct subscriber_body state = world_state("text/plain", "later");
	size_t shares = 0, heard = 0;

	stage_skip(s);
	for (size_t i = 0; i < n_subscribers; i++)
		ck_assert_int_eq(subscriber_notify(subscribers[i], &state), 0);
	ua_advance(sc.bob->ua, sc.bob->ua->timers.now);
	stage_settle(s);
	for (size_t e = 0; e < EVENTS; e++)
		shares += models[e].n;
	for (DBusMessage *m; (m = recorder_next(&s->r));)
		if (dbus_message_has_member(m, "Notified")) {
			stage_expect_bytes(m, "later");
			heard++;
		}
	ck_assert_uint_eq(heard, shares);
}

static void check(void)
{
	size_t there = 0;

	for (size_t e = 0; e < EVENTS; e++) {
		const struct model *m = &models[e];

		if (!m->path[0])
			continue;
		there++;
		ck_assert_uint_eq(stage_number_of(s, clients[0], m->path, "Shared"), m->n);
		ck_assert_str_eq(stage_text_of(s, clients[0], m->path, "Owner"),
			m->n ? clients[m->members[0]] : "");
	}
	ck_assert_uint_eq(s->iface->n_subscriptions, there);
	ck_assert_uint_eq(list_length(&s->iface->subscriptions), there);
	ck_assert_uint_eq(n_subscribers, there);
}

static void step(void)
{
	size_t client = world_random_below(s->w, CLIENTS), e = world_random_below(s->w, EVENTS);

	switch (world_random_below(s->w, 8)) {
	case 0:
	case 1:
	case 2:
		subscribe(&models[e], client, events[e]);
		break;
	case 3:
	case 4:
		unsubscribe(&models[e], client);
		break;
	case 5:
		vanish(client);
		break;
	case 6:
		wait(world_random_below(s->w, 3) ? 4 : 2 * GRACE_SECONDS);
		break;
	case 7:
		tell();
		break;
	}
	stage_settle(s);
	check();
	recorder_forget(&s->r);
}

START_TEST(everybody_has_what_it_wants_and_no_more)
{
	for (unsigned seed = 0; seed < SEEDS; seed++) {
		memset(models, 0, sizeof(models));
		n_subscribers = 0;
		stage_scene_init(&sc);
		sc.bob->subscribers = &hooks;
		s->profile->owner_grace = GRACE_SECONDS * USEC_PER_SEC;
		s->profile->on_owner_lost = PROFILE_OWNER_LOST_END;
		for (size_t i = 0; i < CLIENTS; i++)
			stage_client(s, clients[i], STAGE_USER_UID);
		for (unsigned i = 0; i < seed; i++)
			(void)world_random_below(s->w, 2);
		for (unsigned i = 0; i < STEPS; i++)
			step();
		stage_scene_deinit(&sc);
	}
}
END_TEST

int main(void)
{
	static const TTest *const *const tests[] = {
		&everybody_has_what_it_wants_and_no_more,
	};

	return recorder_main("subscription-crowd", tests, ARRAY_LEN(tests));
}
