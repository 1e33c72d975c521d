/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Subscribers whose owner leaves, or gives them up: who gets them, and what they are told else. */
#include "ipc/iface-subscriber.h"
#include "protocol/msg/msg.h"
#include "protocol/ua/profile.h"
#include "tests/unit/ipc/stage-subscriber.h"

#define OWNER ":1.20"
#define OTHER ":1.21"
#define SEC USEC_PER_SEC

static struct stage st;
static struct stage *const s = &st;
static struct stage_watcher bob;

static void setup(void)
{
	stage_init(s);
	bob = (struct stage_watcher){ .name = "bob" };
	stage_client(s, OWNER, STAGE_USER_UID);
	stage_client(s, OTHER, STAGE_USER_UID);
	stage_agent(s, &(struct stage_agent){ .client = OWNER, .kind = "subscription" });
	s->profile->owner_grace = 15 * SEC;
}

static void teardown(void)
{
	stage_watchers_deinit(s);
}

static void adopt(const char *client)
{
	stage_watcher_verb(s, client, &bob, "Adopt", NULL);
}

/* The owner is gone, and its grace is over. */
static void lose(void)
{
	recorder_leave(&s->r, OWNER);
	stage_run(s, 14 * SEC);
	world_expect_silence(s->w, 0);
	stage_run(s, 2 * SEC);
	stage_settle(s);
}

START_TEST(somebody_adopts_it)
{
	setup();
	stage_watched(s, OWNER, &bob, "open");
	adopt(OTHER);
	stage_error(s, DBUS_ERROR_ACCESS_DENIED);
	recorder_leave(&s->r, OWNER);
	stage_run(s, 14 * SEC);
	adopt(OTHER);
	(void)stage_return(s, "");
	ck_assert_str_eq(stage_watcher_read(s, OTHER, &bob, "Owner"), OTHER);
	stage_run(s, 30 * SEC);
	world_expect_silence(s->w, 0);
	stage_notify(s, OTHER, &bob, "closed", NULL);
	(void)stage_return(s, "");
	stage_settle(s);
	(void)stage_notified(s, "active");
	teardown();
}
END_TEST

START_TEST(signals_wait_for_who_adopts)
{
	setup();
	stage_watched(s, OWNER, &bob, "all");
	stage_notify(
		s, OWNER, &bob, "one", (struct stage_option[]){ STAGE_FLAG("Partial", 1), { 0 } });
	(void)stage_return(s, "");
	stage_settle(s);
	(void)stage_notified(s, "active");
	recorder_leave(&s->r, OWNER);
	stage_subscribe(s, &bob, "Expires: 600\nContent-Type: text/x-filter\n", "first");
	(void)stage_subscribed(s, &bob, "200");
	stage_subscribe(s, &bob, "Expires: 600\nContent-Type: text/x-filter\n", "second");
	(void)stage_subscribed(s, &bob, "200");
	stage_no_signal(s, "StateWanted");
	stage_no_signal(s, "BodyReceived");
	adopt(OTHER);
	/* The last of each is what counts. */
	stage_expect_bytes(stage_signal(s, "BodyReceived", OTHER), "second");
	(void)stage_signal(s, "StateWanted", OTHER);
	(void)stage_return(s, "");
	stage_no_signal(s, "BodyReceived");
	stage_no_signal(s, "StateWanted");
	teardown();
}
END_TEST

START_TEST(it_is_given_up)
{
	setup();
	stage_watched(s, OWNER, &bob, "open");
	stage_watcher_verb(s, OWNER, &bob, "Release", NULL);
	(void)stage_return(s, "");
	ck_assert_str_eq(stage_watcher_read(s, OTHER, &bob, "Owner"), "");
	stage_watcher_verb(s, OTHER, &bob, "Release", NULL);
	stage_error(s, STAGE_ERROR("WrongState"));
	adopt(OWNER);
	(void)stage_return(s, "");
	ck_assert_str_eq(stage_watcher_read(s, OTHER, &bob, "Owner"), OWNER);
	teardown();
}
END_TEST

/* RFC 6665 section 4.1.3: nobody serves it now, so it shall come back later. */
START_TEST(nobody_is_left)
{
	setup();
	stage_watched(s, OWNER, &bob, "open");
	lose();
	(void)stage_notified(s, "terminated;reason=probation;retry-after=60");
	stage_watcher_gone(s, &bob, "probation");
	teardown();
}
END_TEST

/* RFC 6665 section 4.1.3: it moves to another notifier, at once. */
START_TEST(another_agent_is_there)
{
	setup();
	stage_watched(s, OWNER, &bob, "open");
	stage_agent(s, &(struct stage_agent){ .client = OTHER, .event = "presence" });
	lose();
	(void)stage_notified(s, "terminated;reason=deactivated");
	stage_watcher_gone(s, &bob, "deactivated");
	bob = (struct stage_watcher){ .name = "bob-again" };
	stage_subscribe(s, &bob, "Expires: 600\n", "");
	stage_take(s, OTHER, stage_asked_about(s, OTHER, &bob, NULL));
	teardown();
}
END_TEST

START_TEST(another_agent_serves_something_else)
{
	setup();
	stage_watched(s, OWNER, &bob, "open");
	stage_agent(s, &(struct stage_agent){ .client = OTHER, .event = "dialog" });
	stage_agent(s, &(struct stage_agent){ .client = OTHER, .path = "/o", .observes = true });
	lose();
	(void)stage_notified(s, "terminated;reason=probation");
	teardown();
}
END_TEST

/* RFC 6665 section 4.1.3: giveup, no authorization in time. */
START_TEST(it_was_never_decided)
{
	setup();
	stage_subscribe(s, &bob, "Expires: 600\n", "");
	stage_take(s, OWNER, stage_asked_about(s, OWNER, &bob, NULL));
	stage_watcher_verb(s, OWNER, &bob, "Accept",
		(struct stage_option[]){ STAGE_FLAG("Pending", 1), { 0 } });
	(void)stage_return(s, "");
	stage_settle(s);
	(void)stage_subscribed(s, &bob, "200");
	(void)stage_notified(s, "pending");
	lose();
	(void)stage_notified(s, "terminated;reason=giveup;retry-after=60");
	stage_watcher_gone(s, &bob, "giveup");
	teardown();
}
END_TEST

START_TEST(it_was_never_answered)
{
	setup();
	s->profile->owner_grace = 2 * SEC;
	stage_subscribe(s, &bob, "Expires: 600\n", "");
	stage_take(s, OWNER, stage_asked_about(s, OWNER, &bob, NULL));
	recorder_leave(&s->r, OWNER);
	stage_run(s, 3 * SEC);
	(void)stage_subscribed(s, &bob, "480");
	(void)stage_signal(s, "Terminated", NULL);
	teardown();
}
END_TEST

START_TEST(it_is_kept)
{
	const struct msg *m;

	setup();
	s->profile->on_owner_lost = PROFILE_OWNER_LOST_KEEP;
	stage_watched(s, OWNER, &bob, "open");
	recorder_leave(&s->r, OWNER);
	stage_run(s, 60 * SEC);
	world_expect_silence(s->w, 0);
	/* The whole state is known here. */
	stage_subscribe(s, &bob, "Expires: 600\n", "");
	(void)stage_subscribed(s, &bob, "200");
	m = stage_notified(s, "active");
	ck_assert(slice_eq(m->body, SLICE("open")));
	adopt(OTHER);
	(void)stage_return(s, "");
	teardown();
}
END_TEST

static void on_owner_news(struct iface_owned *o)
{
	(void)o;
}

static usec_t no_grace(struct iface_owned *o)
{
	(void)o;
	return 0;
}

/* A service has more watchers than one client may make objects, and takes them all over again. */
START_TEST(watchers_do_not_count)
{
	static struct iface_owned owned[IFACE_OWNED_PER_CLIENT];
	struct iface_owned_class theirs = { on_owner_news, no_grace, on_owner_news, true };
	struct iface_owned_class own = { on_owner_news, no_grace, on_owner_news, false };
	const struct iface_subscriber *is;
	struct list *first;

	setup();
	stage_watched(s, OWNER, &bob, "open");
	first = list_first(&s->iface->subscribers);
	ck_assert_ptr_nonnull(first);
	is = list_entry(first, struct iface_subscriber, node);
	ck_assert(is->owned.class->is_theirs);
	for (size_t i = 0; i < ARRAY_LEN(owned); i++) {
		iface_owned_init(&owned[i], s->iface, &theirs);
		iface_own(&owned[i], OWNER);
	}
	ck_assert(!iface_owner_is_full(s->iface, OWNER));
	for (size_t i = 0; i < ARRAY_LEN(owned); i++) {
		iface_owned_deinit(&owned[i]);
		iface_owned_init(&owned[i], s->iface, &own);
		iface_own(&owned[i], OWNER);
		ck_assert(iface_owner_is_full(s->iface, OWNER) == (i + 1 == ARRAY_LEN(owned)));
	}
	for (size_t i = 0; i < ARRAY_LEN(owned); i++)
		iface_owned_deinit(&owned[i]);
	teardown();
}
END_TEST

int main(void)
{
	static const TTest *const *const tests[] = {
		&somebody_adopts_it,
		&signals_wait_for_who_adopts,
		&it_is_given_up,
		&nobody_is_left,
		&another_agent_is_there,
		&another_agent_serves_something_else,
		&it_was_never_decided,
		&it_was_never_answered,
		&it_is_kept,
		&watchers_do_not_count,
	};

	return recorder_main("subscriber-owner", tests, ARRAY_LEN(tests));
}
