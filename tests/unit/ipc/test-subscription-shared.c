/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* One subscription for all clients that want the same: who joins, who leaves, who hears what. */
#include <string.h>

#include "protocol/msg/msg.h"
#include "protocol/ua/profile.h"
#include "tests/unit/ipc/stage-subscription.h"

#define SEC USEC_PER_SEC
#define GRACE (15 * SEC)

static struct stage stage;
static struct stage *const s = &stage;
static const struct stage_wish anna = { .client = STAGE_ANNA };
static const struct stage_wish ben = { .client = STAGE_BEN };
static const struct stage_wish cleo = { .client = STAGE_CLEO };
static const char *path;

static const struct msg *setup(void)
{
	const struct msg *m;

	stage_subscription_init(s);
	s->profile->owner_grace = GRACE;
	s->profile->on_owner_lost = PROFILE_OWNER_LOST_END;
	m = stage_wish_out(s, &anna, &path);
	stage_bob_agrees(s, m, 86400);
	stage_bob_tells(s, m, "active;expires=86400", "open");
	stage_expect_notified(s, path, STAGE_ANNA, "open");
	return m;
}

static void teardown(void)
{
	stage_subscription_deinit(s);
}

static void expect_shared(const char *owner, unsigned n)
{
	ck_assert_str_eq(stage_text_of(s, STAGE_CLEO, path, "Owner"), owner);
	ck_assert_uint_eq(stage_number_of(s, STAGE_CLEO, path, "Shared"), n);
}

/* Nothing went out to bob since the last message that was expected. */
static void expect_no_request(void)
{
	stage_settle(s);
	ck_assert_uint_eq(world_skip_out(s->w), 0);
}

/* What ends it goes to bob, and he agrees. */
static void expect_end(const struct msg *first)
{
	const struct msg *m;

	stage_settle(s);
	m = world_expect_out(s->w, "SUBSCRIBE");
	ck_assert(slice_eq(msg_header(m, HDR_EXPIRES), SLICE("0")));
	(void)world_skip_out(s->w); /* the same again */
	stage_bob_agrees(s, m, 0);
	stage_bob_tells(s, first, "terminated;reason=timeout", "open");
	(void)stage_expect_terminated(s, path, NULL, "unsubscribed");
	stage_no_signal(s, "Terminated");
	ck_assert(list_is_empty(&s->iface->subscriptions));
}

static void unsubscribe(const char *client)
{
	stage_subscription_call(s, client, path, "Unsubscribe");
	(void)stage_return(s, "");
}

/* ---- who joins ---- */

START_TEST(one_dialog_for_all)
{
	const struct msg *m = setup();

	ck_assert_str_eq(stage_wish_for(s, &ben), path);
	/* Right after the reply, to who came late alone. */
	stage_expect_notified(s, path, STAGE_BEN, "open");
	stage_no_signal(s, "Notified");
	expect_no_request();
	expect_shared(STAGE_ANNA, 2);
	stage_bob_tells(s, m, "active;expires=86400", "busy");
	stage_expect_notified(s, path, STAGE_ANNA, "busy");
	stage_expect_notified(s, path, STAGE_BEN, "busy");
	stage_no_signal(s, "Notified");
	ck_assert_uint_eq(s->iface->n_subscriptions, 1);
	ck_assert_uint_eq(s->iface->n_subscribed, 1);
	ck_assert_uint_eq(s->iface->n_joined, 1);
	ck_assert_uint_eq(s->iface->n_notified, 2);
	teardown();
}
END_TEST

/* A set: asking twice is no second share. */
START_TEST(who_is_there_joins_once)
{
	setup();
	ck_assert_str_eq(stage_wish_for(s, &anna), path);
	stage_expect_notified(s, path, STAGE_ANNA, "open");
	expect_shared(STAGE_ANNA, 1);
	teardown();
}
END_TEST

START_TEST(nothing_is_replayed_that_is_not_there_or_not_wanted)
{
	static const struct stage_option no_replay[] = { STAGE_FLAG("Replay", 0), { 0 } };
	const struct stage_wish quiet = { .client = STAGE_CLEO, .options = no_replay };

	stage_subscription_init(s);
	(void)stage_wish_out(s, &anna, &path);
	ck_assert_str_eq(stage_wish_for(s, &ben), path);
	stage_no_signal(s, "Notified");
	teardown();
	setup();
	ck_assert_str_eq(stage_wish_for(s, &quiet), path);
	stage_no_signal(s, "Notified");
	teardown();
}
END_TEST

#define DIALOGS(state, version)                                                     \
	"<dialog-info xmlns='urn:ietf:params:xml:ns:dialog-info' version='" version \
	"' state='" state "' entity='" STAGE_BOB "'/>"

/* What only says what changed is of no use to who was not there: all there is is asked for. */
START_TEST(a_change_is_not_replayed)
{
	static const char type[] = "application/dialog-info+xml";
	const struct msg *m = setup(), *again;

	stage_bob_tells_as(s, m, type, DIALOGS("full", "1"));
	stage_expect_notified(s, path, STAGE_ANNA, DIALOGS("full", "1"));
	(void)stage_wish_for(s, &ben);
	stage_expect_notified(s, path, STAGE_BEN, DIALOGS("full", "1"));
	stage_bob_tells_as(s, m, type, DIALOGS("partial", "2"));
	stage_expect_notified(s, path, STAGE_ANNA, DIALOGS("partial", "2"));
	stage_expect_notified(s, path, STAGE_BEN, DIALOGS("partial", "2"));
	(void)stage_wish_for(s, &cleo);
	stage_settle(s);
	stage_no_signal(s, "Notified");
	again = world_expect_out(s->w, "SUBSCRIBE");
	ck_assert(slice_eq(msg_header(again, HDR_EXPIRES), SLICE("3600")));
	stage_bob_agrees(s, again, 600);
	stage_bob_tells_as(s, m, type, DIALOGS("full", "3"));
	stage_expect_notified(s, path, STAGE_ANNA, DIALOGS("full", "3"));
	stage_expect_notified(s, path, STAGE_BEN, DIALOGS("full", "3"));
	stage_expect_notified(s, path, STAGE_CLEO, DIALOGS("full", "3"));
	teardown();
}
END_TEST

static const struct {
	struct stage_option options[3];
	const char *target, *event;
	bool same;
} variants[] = {
	{ .same = true },
	{ .target = "sip:bob@EXAMPLE.com", .same = true },
	{ .target = "sip:%62ob@example.com", .same = true },
	{ .target = "sip:Bob@example.com" },
	{ .target = "sip:bob@example.com:5060" },
	{ .target = "sip:bob@example.com;transport=tcp" },
	{ .event = "presence;id=1" },
	{ .event = "dialog" },
	{ .options = { STAGE_NUMBER("Expires", 60) }, .same = true },
	{ .options = { STAGE_FLAG("Replay", 1), STAGE_FLAG("Private", 0) }, .same = true },
	{ .options = { STAGE_FLAG("Private", 1) } },
	{ .options = { STAGE_NUMBER("Expires", 0) } },
	{ .options = { STAGE_FLAG("List", 0) }, .same = true },
	{ .options = { STAGE_FLAG("List", 1) } },
	{ .options = { { "Accept", 'S', "application/pidf+xml", 0, NULL } } },
	{ .options = { STAGE_TEXT("ContentType", "a/b"), STAGE_BYTES("Body", "x") } },
	{ .options = { { "Headers", 'h', "low", 0, "Priority" } } },
};

START_TEST(what_the_same_wish_is)
{
	setup();
	for (size_t i = 0; i < ARRAY_LEN(variants); i++) {
		const struct stage_wish w = { STAGE_BEN, variants[i].target, variants[i].event,
			variants[i].options };
		bool same = strcmp(stage_wish_for(s, &w), path) == 0;

		ck_assert_msg(same == variants[i].same, "row %zu", i);
	}
	teardown();
}
END_TEST

/* The second of a kind that shares nothing with the first is shared by those who want that. */
START_TEST(each_variant_is_shared_in_turn)
{
	setup();
	for (size_t i = 0; i < ARRAY_LEN(variants); i++) {
		const struct stage_option *o = variants[i].options;
		bool alone = (o->name && strcmp(o->name, "Private") == 0) ||
			     (o->name && strcmp(o->name, "Expires") == 0 && !o->number);
		const struct stage_wish w = { STAGE_BEN, variants[i].target, variants[i].event, o };
		const char *one = stage_wish_for(s, &w), *other = stage_wish_for(s, &w);

		ck_assert_msg((strcmp(one, other) != 0) == alone, "row %zu", i);
	}
	teardown();
}
END_TEST

/* ---- who leaves ---- */

START_TEST(the_last_one_ends_it)
{
	const struct msg *m = setup();

	(void)stage_wish_for(s, &ben);
	stage_expect_notified(s, path, STAGE_BEN, "open");
	unsubscribe(STAGE_ANNA);
	(void)stage_expect_terminated(s, path, STAGE_ANNA, "unsubscribed");
	expect_no_request();
	expect_shared(STAGE_BEN, 1);
	stage_subscription_call(s, STAGE_ANNA, path, "Unsubscribe");
	stage_error(s, DBUS_ERROR_ACCESS_DENIED);
	stage_bob_tells(s, m, "active;expires=86400", "busy");
	stage_expect_notified(s, path, STAGE_BEN, "busy");
	stage_no_signal(s, "Notified");
	unsubscribe(STAGE_BEN);
	expect_end(m);
	teardown();
}
END_TEST

/* Who comes while the end is under way gets a new one. */
START_TEST(nobody_joins_what_ends)
{
	const struct msg *m = setup(), *first;
	const char *other;

	unsubscribe(STAGE_ANNA);
	stage_settle(s);
	first = world_expect_out(s->w, "SUBSCRIBE");
	other = stage_wish_for(s, &ben);
	ck_assert_str_ne(other, path);
	stage_settle(s);
	(void)world_expect_out(s->w, "SUBSCRIBE");
	ck_assert_str_eq(stage_wish_for(s, &cleo), other);
	stage_bob_agrees(s, first, 0);
	stage_bob_tells(s, m, "terminated;reason=timeout", "open");
	(void)stage_expect_terminated(s, path, NULL, "unsubscribed");
	ck_assert_uint_eq(stage_number_of(s, STAGE_CLEO, other, "Shared"), 2);
	teardown();
}
END_TEST

START_TEST(one_of_two_vanishes)
{
	const struct msg *m = setup();

	(void)stage_wish_for(s, &ben);
	stage_expect_notified(s, path, STAGE_BEN, "open");
	recorder_leave(&s->r, STAGE_ANNA);
	expect_shared(STAGE_BEN, 1);
	stage_run(s, 2 * GRACE);
	expect_no_request();
	stage_bob_tells(s, m, "active;expires=86400", "busy");
	stage_expect_notified(s, path, STAGE_BEN, "busy");
	stage_no_signal(s, "Notified");
	teardown();
}
END_TEST

/* It waits for somebody, who finds what is known by then. */
START_TEST(the_last_one_vanishes_and_another_comes)
{
	const struct msg *m = setup();

	recorder_leave(&s->r, STAGE_ANNA);
	expect_shared("", 0);
	stage_run(s, GRACE - SEC);
	stage_bob_tells(s, m, "active;expires=86400", "busy");
	stage_no_signal(s, "Notified");
	ck_assert_str_eq(stage_wish_for(s, &ben), path);
	stage_expect_notified(s, path, STAGE_BEN, "busy");
	expect_shared(STAGE_BEN, 1);
	stage_run(s, 2 * GRACE);
	expect_no_request();
	/* The next grace is a whole one. */
	recorder_leave(&s->r, STAGE_BEN);
	stage_run(s, GRACE - SEC);
	expect_no_request();
	stage_subscription_call(s, STAGE_CLEO, path, "Adopt");
	(void)stage_return(s, "");
	stage_expect_notified(s, path, STAGE_CLEO, "busy");
	expect_shared(STAGE_CLEO, 1);
	recorder_leave(&s->r, STAGE_CLEO);
	stage_run(s, GRACE + SEC);
	expect_end(m);
	teardown();
}
END_TEST

START_TEST(what_is_kept_is_anybodys)
{
	const struct msg *m = setup();

	s->profile->on_owner_lost = PROFILE_OWNER_LOST_KEEP;
	recorder_leave(&s->r, STAGE_ANNA);
	stage_run(s, 10 * GRACE);
	expect_no_request();
	stage_refresh(s, STAGE_CLEO, path, 600);
	(void)stage_return(s, "");
	stage_settle(s);
	stage_bob_agrees(s, world_expect_out(s->w, "SUBSCRIBE"), 600);
	ck_assert_str_eq(stage_wish_for(s, &ben), path);
	recorder_leave(&s->r, STAGE_BEN);
	unsubscribe(STAGE_CLEO);
	expect_end(m);
	teardown();
}
END_TEST

/* Its last client vanishes while the end that it asked for is under way. */
START_TEST(the_end_comes_once)
{
	const struct msg *m = setup(), *end;

	unsubscribe(STAGE_ANNA);
	stage_settle(s);
	end = world_expect_out(s->w, "SUBSCRIBE");
	stage_bob_agrees(s, end, 0);
	recorder_leave(&s->r, STAGE_ANNA);
	stage_run(s, GRACE + SEC);
	expect_no_request();
	stage_bob_tells(s, m, "terminated;reason=timeout", "open");
	(void)stage_expect_terminated(s, path, NULL, "unsubscribed");
	stage_no_signal(s, "Terminated");
	teardown();
}
END_TEST

/* ---- verbs of one that others share ---- */

START_TEST(an_update_would_change_what_others_want)
{
	static const struct stage_option filter[] = { STAGE_TEXT("ContentType",
							      "application/simple-filter+xml"),
		STAGE_BYTES("Body", "<filter/>"), { 0 } };
	const struct stage_wish filtered = { .client = STAGE_CLEO, .options = filter };

	setup();
	(void)stage_wish_for(s, &ben);
	stage_update(s, STAGE_ANNA, path, "<filter/>");
	ck_assert_ptr_nonnull(strstr(stage_error(s, STAGE_ERROR("WrongState")), "others share it"));
	unsubscribe(STAGE_BEN);
	(void)stage_expect_terminated(s, path, STAGE_BEN, "unsubscribed");
	stage_update(s, STAGE_ANNA, path, "<filter/>");
	(void)stage_return(s, "");
	/* What it has told so far is of another wish: who wants the filter begins anew. */
	ck_assert_str_ne(stage_wish_for(s, &filtered), path);
	ck_assert_str_ne(stage_wish_for(s, &ben), path);
	teardown();
}
END_TEST

START_TEST(a_refresh_is_for_all)
{
	const struct msg *m = setup();

	(void)stage_wish_for(s, &ben);
	stage_expect_notified(s, path, STAGE_BEN, "open");
	stage_refresh(s, STAGE_BEN, path, 600);
	(void)stage_return(s, "");
	stage_settle(s);
	stage_bob_agrees(s, world_expect_out(s->w, "SUBSCRIBE"), 600);
	stage_bob_tells(s, m, "active;expires=600", "open");
	stage_expect_notified(s, path, STAGE_ANNA, "open");
	stage_expect_notified(s, path, STAGE_BEN, "open");
	teardown();
}
END_TEST

/* ---- quotas ---- */

/* A share counts for who has it like a session of its own. */
START_TEST(no_client_shares_too_much)
{
	setup();
	stage_own_much(s, STAGE_BEN);
	stage_try_wish(s, &ben);
	stage_error(s, STAGE_ERROR("LimitExceeded"));
	stage_try_wish(s, &(struct stage_wish){ .client = STAGE_BEN, .event = "dialog" });
	stage_error(s, STAGE_ERROR("LimitExceeded"));
	recorder_leave(&s->r, STAGE_ANNA);
	stage_subscription_call(s, STAGE_BEN, path, "Adopt");
	stage_error(s, STAGE_ERROR("LimitExceeded"));
	expect_shared("", 0);
	expect_no_request();
	stage_own_less(s, 1);
	ck_assert_str_eq(stage_wish_for(s, &ben), path);
	/* What it shares already it may ask for again. */
	ck_assert_str_eq(stage_wish_for(s, &ben), path);
	teardown();
}
END_TEST

int main(void)
{
	static const TTest *const *const tests[] = {
		&one_dialog_for_all,
		&who_is_there_joins_once,
		&a_change_is_not_replayed,
		&nothing_is_replayed_that_is_not_there_or_not_wanted,
		&what_the_same_wish_is,
		&each_variant_is_shared_in_turn,
		&the_last_one_ends_it,
		&nobody_joins_what_ends,
		&one_of_two_vanishes,
		&the_last_one_vanishes_and_another_comes,
		&what_is_kept_is_anybodys,
		&the_end_comes_once,
		&an_update_would_change_what_others_want,
		&a_refresh_is_for_all,
		&no_client_shares_too_much,
	};

	return recorder_main("subscription-shared", tests, ARRAY_LEN(tests));
}
