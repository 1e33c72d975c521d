/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* How often, and whether at all: RFC 6446's rates and RFC 5839's conditions, the notifier's side.
 */
#include <check.h>
#include <stdio.h>
#include <string.h>

#include "protocol/base/err.h"
#include "tests/flow/subscribed.h"
#include "tests/support/run.h"

static void leave(struct subscribed *c, const char *body)
{
	ck_assert_int_eq(subscriber_finish(c->s, SLICE_NULL, 0), 0);
	subscribed_heard(c, "terminated;reason=noresource", body);
	world_expect_subscriber_changed(c->wu, SUBSCRIBER_CHANGE_STATE);
	world_expect_subscriber_removed(c->wu, "noresource", ORIGIN_LOCAL);
	subscribed_finish(c);
}

/* Subscribed with those lines, and the first NOTIFY with that state and body. */
static void begin(struct subscribed *c, const char *lines, const char *state, const char *body)
{
	struct subscriber_body open = world_state(TYPE, "open");

	subscribed_comes(c, lines);
	ck_assert_int_eq(subscriber_accept(c->s, SUBSCRIBER_ACCEPT, 0, &open), 0);
	(void)subscribed_expect(c, "200");
	subscribed_heard(c, state, body);
	world_expect_subscriber_changed(c->wu, SUBSCRIBER_CHANGE_STATE | SUBSCRIBER_CHANGE_EXPIRES);
}

static void refresh(struct subscribed *c, const char *lines, const char *status)
{
	subscribed_sends(c, "SUBSCRIBE", lines);
	(void)subscribed_expect(c, status);
	world_expect_subscriber_changed(c->wu, SUBSCRIBER_CHANGE_EXPIRES);
}

/* ---- RFC 6446 ---- */

/* 5.2: no sooner than that, but after SUBSCRIBE and at the end; the last state counts (5.5.2). */
START_TEST(rfc6446_5_2_max_rate)
{
	struct subscribed c = subscribed_new();

	begin(&c, "Event: presence;max-rate=0.1\nExpires: 600\n", "active;expires=600;max-rate=0.1",
		"open");
	world_run(c.w, 4 * SEC);
	subscribed_tell(&c, "busy");
	subscribed_tell(&c, "away");
	world_expect_silence(c.w, 5 * SEC);
	world_run(c.w, 1 * SEC);
	subscribed_heard(&c, "active;expires=590;max-rate=0.1", "away");
	subscribed_tell(&c, "busy");
	world_expect_silence(c.w, 1 * SEC);
	refresh(&c, "Event: presence;max-rate=0.1\nExpires: 600\n", "200");
	subscribed_heard(&c, "active;expires=600;max-rate=0.1", "busy");
	/* 5.1: not asked for any more. */
	refresh(&c, "Event: presence\nExpires: 600\n", "200");
	subscribed_heard(&c, "active;expires=600", "busy");
	subscribed_tell(&c, "open");
	subscribed_heard(&c, "active;expires=600", "open");
	leave(&c, "open");
}
END_TEST

/* 5.2: from pending to active. */
START_TEST(rfc6446_5_2_pending)
{
	struct subscribed c = subscribed_new();
	struct subscriber_body open = world_state(TYPE, "open");

	subscribed_comes(&c, "Event: presence;max-rate=0.1\nExpires: 600\n");
	ck_assert_int_eq(subscriber_accept(c.s, SUBSCRIBER_LEAVE_PENDING, 0, NULL), 0);
	(void)subscribed_expect(&c, "200");
	subscribed_heard(&c, "pending;expires=600;max-rate=0.1", "");
	world_expect_subscriber_changed(c.wu, SUBSCRIBER_CHANGE_STATE | SUBSCRIBER_CHANGE_EXPIRES);
	ck_assert_int_eq(subscriber_accept(c.s, SUBSCRIBER_ACCEPT, 0, &open), 0);
	subscribed_heard(&c, "active;expires=600;max-rate=0.1", "open");
	world_expect_subscriber_changed(c.wu, SUBSCRIBER_CHANGE_STATE);
	leave(&c, "open");
}
END_TEST

/* 5.5.1: nobody here can merge changes, so the whole is asked for. */
START_TEST(rfc6446_5_5_1_changes)
{
	struct subscribed c = subscribed_new();
	struct subscriber_body change = world_state(TYPE, "change");

	change.partial = true;
	begin(&c, "Event: presence;max-rate=0.1\nExpires: 600\n", "active;expires=600;max-rate=0.1",
		"open");
	ck_assert_int_eq(subscriber_notify(c.s, &change), 0);
	world_expect_no_subscriber(c.wu);
	ck_assert_int_eq(subscriber_notify(c.s, &change), 0);
	world_expect_subscriber_news(c.wu, SUBSCRIBER_WANTS_STATE);
	subscribed_tell(&c, "both");
	world_expect_silence(c.w, 9 * SEC);
	world_run(c.w, 1 * SEC);
	subscribed_heard(&c, "active;expires=590;max-rate=0.1", "both");
	leave(&c, "both");
}
END_TEST

/* 6.2: told again though nothing changed. */
START_TEST(rfc6446_6_2_min_rate)
{
	struct subscribed c = subscribed_new();

	begin(&c, "Event: presence;min-rate=0.05\nExpires: 600\n",
		"active;expires=600;min-rate=0.05", "open");
	world_expect_silence(c.w, 19 * SEC);
	world_run(c.w, 1 * SEC);
	subscribed_heard(&c, "active;expires=580;min-rate=0.05", "open");
	world_run(c.w, 10 * SEC);
	subscribed_tell(&c, "busy");
	subscribed_heard(&c, "active;expires=570;min-rate=0.05", "busy");
	world_expect_silence(c.w, 19 * SEC);
	world_run(c.w, 1 * SEC);
	subscribed_heard(&c, "active;expires=550;min-rate=0.05", "busy");
	leave(&c, "busy");
}
END_TEST

/* 7.2, 7.4: a burst is followed by a longer pause, which shrinks again. */
START_TEST(rfc6446_7_4_adaptive)
{
	struct subscribed c = subscribed_new();

	/* One is in the count for each interval of 10 s, and the one that went. */
	begin(&c, "Event: presence;adaptive-min-rate=0.1\nExpires: 600\n",
		"active;expires=600;adaptive-min-rate=0.1", "open");
	world_expect_silence(c.w, 10 * SEC);
	world_run(c.w, 1 * SEC);
	subscribed_heard(&c, "active;expires=589;adaptive-min-rate=0.1", "open");
	for (unsigned i = 0; i < 5; i++) {
		subscribed_tell(&c, i % 2 ? "open" : "busy");
		subscribed_heard(
			&c, "active;expires=589;adaptive-min-rate=0.1", i % 2 ? "open" : "busy");
	}
	/* 9 of the beginning, 1 then, 6 now. */
	world_expect_silence(c.w, 15 * SEC);
	world_run(c.w, 1 * SEC);
	subscribed_heard(&c, "active;expires=573;adaptive-min-rate=0.1", "busy");
	leave(&c, "busy");
}
END_TEST

/* 9.3: the 2xx to a NOTIFY may say what is wanted from now on. */
START_TEST(rfc6446_9_3_in_2xx)
{
	struct subscribed c = subscribed_new();

	subscribed_active(&c, "open");
	subscribed_tell(&c, "busy");
	world_reply(c.w, subscribed_hears(&c, "active;expires=600", "busy"), 200,
		"Event: dialog;max-rate=0.1\n"); /* not ours */
	subscribed_tell(&c, "away");
	world_reply(c.w, subscribed_hears(&c, "active;expires=600", "away"), 200,
		"Event: presence;max-rate=0.1\n");
	world_settle(c.w);
	subscribed_tell(&c, "busy");
	world_expect_silence(c.w, 9 * SEC);
	world_run(c.w, 1 * SEC);
	world_reply(c.w, subscribed_hears(&c, "active;expires=590;max-rate=0.1", "busy"), 200,
		"Event: presence\n");
	world_settle(c.w);
	subscribed_tell(&c, "open");
	subscribed_heard(&c, "active;expires=590", "open");
	leave(&c, "open");
}
END_TEST

/* ---- RFC 5839 ---- */

static void tag_of(struct subscribed *c, char tag[static 40])
{
	(void)snprintf(tag, 40, "%s", c->s->queue.tag);
	ck_assert_uint_gt(strlen(tag), 0);
}

/* 6.1: one tag for one state, and each NOTIFY has it. */
START_TEST(rfc5839_6_1_tags)
{
	struct subscribed c = subscribed_new();
	const struct msg *m;
	char open[40], busy[40];

	subscribed_active(&c, "open");
	tag_of(&c, open);
	subscribed_tell(&c, "busy");
	tag_of(&c, busy);
	ck_assert_str_ne(open, busy);
	m = subscribed_hears(&c, "active;expires=600", "busy");
	subscribed_check(m, HDR_SIP_ETAG, busy);
	world_reply(c.w, m, 200, NULL);
	subscribed_tell(&c, "open");
	m = subscribed_hears(&c, "active;expires=600", "open");
	subscribed_check(m, HDR_SIP_ETAG, open);
	world_reply(c.w, m, 200, NULL);
	leave(&c, "open");
}
END_TEST

/* 6.4: after a change the tag is of the whole that nobody here knows, and new. */
START_TEST(rfc5839_6_4_changes)
{
	struct subscribed c = subscribed_new();
	struct subscriber_body change = world_state(TYPE, "open");
	char open[40], first[40], second[40];
	const struct msg *m;

	change.partial = true;
	subscribed_active(&c, "open");
	tag_of(&c, open);
	ck_assert_int_eq(subscriber_notify(c.s, &change), 0);
	tag_of(&c, first);
	m = subscribed_hears(&c, "active;expires=600", "open");
	subscribed_check(m, HDR_SIP_ETAG, first);
	world_reply(c.w, m, 200, NULL);
	ck_assert_int_eq(subscriber_notify(c.s, &change), 0);
	tag_of(&c, second);
	subscribed_heard(&c, "active;expires=600", "open");
	ck_assert_str_ne(open, first);
	ck_assert_str_ne(first, second);
	leave(&c, "");
}
END_TEST

/* 6.3: a refresh by who knows the state gets a 204 and no NOTIFY, until it changes. */
START_TEST(rfc5839_6_3_refresh)
{
	struct subscribed c = subscribed_new();
	char tag[40], lines[120];

	subscribed_active(&c, "open");
	tag_of(&c, tag);
	world_run(c.w, 100 * SEC);
	(void)snprintf(lines, sizeof(lines),
		"Event: presence;min-rate=0.1\nExpires: 600\nSuppress-If-Match: %s\n", tag);
	refresh(&c, lines, "204");
	world_expect_silence(c.w, 60 * SEC);
	subscribed_tell(&c, "open");
	world_expect_silence(c.w, 1 * SEC);
	subscribed_tell(&c, "busy");
	subscribed_heard(&c, "active;expires=539;min-rate=0.1", "busy");
	/* The condition does not hold. */
	refresh(&c, lines, "200");
	subscribed_heard(&c, "active;expires=600;min-rate=0.1", "busy");
	leave(&c, "busy");
}
END_TEST

/* 5.7 */
START_TEST(rfc5839_5_7_unsubscribe)
{
	struct subscribed c = subscribed_new();
	char tag[40], lines[120];

	subscribed_active(&c, "open");
	tag_of(&c, tag);
	(void)snprintf(
		lines, sizeof(lines), "Event: presence\nExpires: 0\nSuppress-If-Match: %s\n", tag);
	subscribed_sends(&c, "SUBSCRIBE", lines);
	subscribed_check(subscribed_expect(&c, "204"), HDR_EXPIRES, "0");
	world_expect_subscriber_changed(c.wu, SUBSCRIBER_CHANGE_STATE);
	world_expect_subscriber_removed(c.wu, "unsubscribed", ORIGIN_REMOTE);
	subscribed_finish(&c);
}
END_TEST

/* 6.2: outside of dialogs the NOTIFY goes without its body; the tag is known from another time. */
START_TEST(rfc5839_6_2_resumed)
{
	struct subscribed c = subscribed_new();
	char tag[40], lines[120];

	subscribed_active(&c, "open");
	tag_of(&c, tag);
	ck_assert_int_eq(subscriber_finish(c.s, SLICE_NULL, 0), 0);
	subscribed_heard(&c, "terminated;reason=noresource", "open");
	world_expect_subscriber_changed(c.wu, SUBSCRIBER_CHANGE_STATE);
	world_expect_subscriber_removed(c.wu, "noresource", ORIGIN_LOCAL);
	(void)snprintf(lines, sizeof(lines),
		"Event: presence\nExpires: 600\nSuppress-If-Match: %s\n", tag);
	begin(&c, lines, "active;expires=600", "");
	subscribed_tell(&c, "busy");
	subscribed_heard(&c, "active;expires=600", "busy");
	leave(&c, "busy");
}
END_TEST

/* 5.2: "*" is for who wants to hear nothing but the end. */
START_TEST(rfc5839_5_2_quenched)
{
	struct subscribed c = subscribed_new();
	struct subscriber_body change = world_state(TYPE, "change");

	change.partial = true;
	subscribed_active(&c, "open");
	refresh(&c, "Event: presence\nExpires: 600\nSuppress-If-Match: *\n", "204");
	subscribed_tell(&c, "busy");
	ck_assert_int_eq(subscriber_notify(c.s, &change), 0);
	world_expect_silence(c.w, 5 * SEC);
	subscribed_tell(&c, "away");
	refresh(&c, "Event: presence\nExpires: 600\n", "200");
	subscribed_heard(&c, "active;expires=600", "away");
	refresh(&c, "Event: presence\nExpires: 600\nSuppress-If-Match: *\n", "204");
	leave(&c, "");
}
END_TEST

RUN_TESTS("subscriber-rate", rfc6446_5_2_max_rate, rfc6446_5_2_pending, rfc6446_5_5_1_changes,
	rfc6446_6_2_min_rate, rfc6446_7_4_adaptive, rfc6446_9_3_in_2xx, rfc5839_6_1_tags,
	rfc5839_6_4_changes, rfc5839_6_3_refresh, rfc5839_5_7_unsubscribe, rfc5839_6_2_resumed,
	rfc5839_5_2_quenched)
