/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "protocol/dialog/usage.h"

#include "protocol/msg/method.h"
#include "tests/support/exact.h"
#include "tests/support/run.h"

static const char invite_text[] =
	"INVITE sip:b@b.example SIP/2.0\r\nVia: SIP/2.0/UDP a.example;branch=z9hG4bK1\r\n"
	"From: <sip:a@a.example>;tag=a\r\nTo: <sip:b@b.example>\r\nCall-ID: c1\r\n"
	"CSeq: 1 INVITE\r\nContact: <sip:a@a.example>\r\nContent-Length: 0\r\n\r\n";

enum { MAX_USAGES = 4 };

/* A dialog with some usages, each of which says what came to it and who leaves then. */
struct stage;

struct player {
	struct usage usage;
	struct stage *stage;
	unsigned leaves; /* mask of those that leave when this one is asked */
	unsigned asked, over_status;
	bool takes;
};

struct stage {
	struct dialog_table table;
	struct dialog *dialog;
	struct msg *m;
	struct player players[MAX_USAGES];
};

static bool asked(struct usage *u)
{
	struct player *p = container_of(u, struct player, usage);
	bool takes = p->takes;

	p->asked++;
	for (size_t i = 0; i < MAX_USAGES; i++)
		if (p->leaves & (1U << i))
			usage_leave(&p->stage->players[i].usage);
	return takes;
}

static bool on_request(struct usage *u, struct flow *reply_flow, struct msg *m)
{
	(void)reply_flow;
	(void)m;
	return asked(u);
}

static bool on_message(struct usage *u, const struct msg *m)
{
	(void)m;
	return asked(u);
}

static void on_over(struct usage *u, unsigned status, struct slice reason)
{
	container_of(u, struct player, usage)->over_status = status;
	assert_slice(reason, "Gone");
	asked(u);
}

static const struct usage_class everything = {
	.name = "everything",
	.request = on_request,
	.ack = on_message,
	.stray = on_message,
	.dialog_over = on_over,
};
static const struct usage_class nothing = { .name = "nothing" };

static void stage_init(struct stage *s, size_t n)
{
	*s = (struct stage){ .dialog = NULL };
	dialog_table_init(&s->table, 1);
	ck_assert_int_eq(msg_parse(SLICE(invite_text), MSG_DATAGRAM, &s->m), 0);
	ck_assert_int_eq(dialog_new_server(&s->table, s->m, SLICE("b"), &s->dialog), 0);
	for (size_t i = 0; i < n; i++) {
		s->players[i].stage = s;
		usage_join(&s->players[i].usage, &everything, s->dialog);
	}
}

static void stage_deinit(struct stage *s)
{
	for (size_t i = 0; i < MAX_USAGES; i++)
		usage_leave(&s->players[i].usage);
	ck_assert_uint_eq(s->table.n, 0);
	dialog_table_deinit(&s->table);
	msg_unref(s->m);
}

static void assert_asked(const struct stage *s, unsigned a, unsigned b, unsigned c)
{
	ck_assert_uint_eq(s->players[0].asked, a);
	ck_assert_uint_eq(s->players[1].asked, b);
	ck_assert_uint_eq(s->players[2].asked, c);
}

START_TEST(dialog_ends_with_the_last_usage_5057_2)
{
	struct stage s;

	stage_init(&s, 2);
	usage_leave(&s.players[0].usage);
	usage_leave(&s.players[0].usage);
	ck_assert_uint_eq(s.table.n, 1);
	usage_leave(&s.players[1].usage);
	ck_assert_uint_eq(s.table.n, 0);
	stage_deinit(&s);
}
END_TEST

START_TEST(first_that_takes_it_ends_the_round_5057_5_3)
{
	struct stage s;

	stage_init(&s, 3);
	s.players[1].takes = true;
	ck_assert(usage_dispatch_request(s.dialog, NULL, s.m));
	assert_asked(&s, 1, 1, 0);
	ck_assert(usage_dispatch_ack(s.dialog, s.m));
	ck_assert(usage_dispatch_stray(s.dialog, s.m));
	assert_asked(&s, 3, 3, 0);
	s.players[1].takes = false;
	ck_assert(!usage_dispatch_request(s.dialog, NULL, s.m));
	assert_asked(&s, 4, 4, 1);
	stage_deinit(&s);
}
END_TEST

START_TEST(not_interested)
{
	struct stage s;

	stage_init(&s, 1);
	usage_join(&s.players[1].usage, &nothing, s.dialog);
	usage_leave(&s.players[0].usage);
	ck_assert(!usage_dispatch_request(s.dialog, NULL, s.m));
	ck_assert(!usage_dispatch_ack(s.dialog, s.m));
	ck_assert(!usage_dispatch_stray(s.dialog, s.m));
	stage_deinit(&s);
}
END_TEST

/* Every set of those that may leave, by each of those that may be asked. */
START_TEST(any_may_leave_during_a_round)
{
	for (unsigned who = 0; who < 3; who++) {
		for (unsigned leaves = 0; leaves < 1U << 3; leaves++) {
			struct stage s;

			stage_init(&s, 3);
			s.players[who].leaves = leaves;
			ck_assert(!usage_dispatch_request(s.dialog, NULL, s.m));
			for (unsigned i = 0; i < 3; i++)
				ck_assert_uint_eq(
					s.players[i].asked, i <= who || !(leaves & (1U << i)));
			ck_assert_uint_eq(s.table.n, leaves != 7);
			stage_deinit(&s);
		}
	}
}
END_TEST

/* A usage that sends something on its way out may be asked while it is asked. */
static bool ask_again(struct usage *u, const struct msg *m)
{
	struct player *p = container_of(u, struct player, usage);

	p->asked++;
	ck_assert(!usage_dispatch_stray(u->dialog, m));
	return false;
}

static const struct usage_class nested = {
	.name = "nested", .ack = ask_again, .stray = on_message
};

START_TEST(rounds_nest)
{
	struct stage s;

	stage_init(&s, 0);
	for (size_t i = 0; i < 3; i++) {
		s.players[i].stage = &s;
		usage_join(&s.players[i].usage, &nested, s.dialog);
	}
	s.players[2].leaves = 7;
	ck_assert(!usage_dispatch_ack(s.dialog, s.m));
	assert_asked(&s, 2, 1, 1);
	ck_assert_uint_eq(s.table.n, 0);
	stage_deinit(&s);
}
END_TEST

START_TEST(siblings_are_told_5057_5_1)
{
	struct stage s;

	stage_init(&s, 3);
	s.players[0].leaves = 1;
	s.players[2].leaves = 4;
	usage_dialog_over(&s.players[1].usage, 404, SLICE("Gone"));
	assert_asked(&s, 1, 0, 1);
	ck_assert_uint_eq(s.players[0].over_status, 404);
	ck_assert_uint_eq(s.table.n, 1);
	usage_leave(&s.players[1].usage);
	usage_dialog_over(&s.players[1].usage, 404, SLICE("Gone")); /* in none any more */
	stage_deinit(&s);
}
END_TEST

/* ---- RFC 5057 section 5.1 ---- */

/* Table 2, whole. What is not in it: unknown 3xx (transaction), 2xx and 1xx (no failure). */
static const struct {
	unsigned status;
	enum usage_damage damage;
} table_2[] = {
	{ 400, USAGE_UNHARMED },
	{ 401, USAGE_UNHARMED },
	{ 402, USAGE_UNHARMED },
	{ 403, USAGE_UNHARMED },
	{ 404, USAGE_DIALOG_OVER },
	{ 405, USAGE_ENDED },
	{ 406, USAGE_UNHARMED },
	{ 407, USAGE_UNHARMED },
	{ 408, USAGE_ENDED }, /* note 4: as a timeout, 5.2 */
	{ 410, USAGE_DIALOG_OVER },
	{ 412, USAGE_UNHARMED },
	{ 413, USAGE_UNHARMED },
	{ 414, USAGE_UNHARMED },
	{ 415, USAGE_UNHARMED },
	{ 416, USAGE_DIALOG_OVER },
	{ 417, USAGE_UNHARMED },
	{ 420, USAGE_UNHARMED },
	{ 421, USAGE_UNHARMED },
	{ 422, USAGE_UNHARMED },
	{ 423, USAGE_UNHARMED },
	{ 428, USAGE_UNHARMED },
	{ 429, USAGE_UNHARMED },
	{ 436, USAGE_UNHARMED },
	{ 437, USAGE_UNHARMED },
	{ 438, USAGE_UNHARMED },
	{ 480, USAGE_ENDED },
	{ 481, USAGE_ENDED },
	{ 482, USAGE_DIALOG_OVER },
	{ 483, USAGE_DIALOG_OVER },
	{ 484, USAGE_DIALOG_OVER },
	{ 485, USAGE_DIALOG_OVER },
	{ 486, USAGE_UNHARMED },
	{ 487, USAGE_UNHARMED },
	{ 488, USAGE_UNHARMED },
	{ 489, USAGE_ENDED },
	{ 491, USAGE_UNHARMED },
	{ 493, USAGE_UNHARMED },
	{ 494, USAGE_UNHARMED },
	{ 500, USAGE_UNHARMED },
	{ 501, USAGE_ENDED },
	{ 502, USAGE_DIALOG_OVER },
	{ 503, USAGE_UNHARMED },
	{ 504, USAGE_UNHARMED },
	{ 505, USAGE_UNHARMED },
	{ 513, USAGE_UNHARMED },
	{ 580, USAGE_UNHARMED },
	{ 600, USAGE_UNHARMED },
	{ 603, USAGE_UNHARMED },
	{ 604, USAGE_DIALOG_OVER },
	{ 606, USAGE_UNHARMED },
	/* unknown ones count as x00 */
	{ 100, USAGE_UNHARMED },
	{ 200, USAGE_UNHARMED },
	{ 302, USAGE_UNHARMED },
	{ 499, USAGE_UNHARMED },
	{ 599, USAGE_UNHARMED },
	{ 699, USAGE_UNHARMED },
};

/* The survey speaks of a NOTIFY. */
START_TEST(table_2_of_5057_5_1)
{
	for (size_t i = 0; i < ARRAY_LEN(table_2); i++)
		ck_assert_msg(
			usage_damage_of(METHOD_NOTIFY, table_2[i].status) == table_2[i].damage,
			"%u", table_2[i].status);
}
END_TEST

/* What ends a dialog does so whichever request it answers; only CANCEL is hop by hop. */
START_TEST(dialogs_end_whatever_the_method_5057_5_3)
{
	static const enum method methods[] = { METHOD_INVITE, METHOD_UPDATE, METHOD_INFO,
		METHOD_PRACK, METHOD_BYE, METHOD_REFER, METHOD_OPTIONS, METHOD_MESSAGE,
		METHOD_SUBSCRIBE, METHOD_UNKNOWN };

	for (size_t i = 0; i < ARRAY_LEN(table_2); i++) {
		if (table_2[i].damage != USAGE_DIALOG_OVER)
			continue;
		for (size_t j = 0; j < ARRAY_LEN(methods); j++)
			ck_assert_uint_eq(
				usage_damage_of(methods[j], table_2[i].status), USAGE_DIALOG_OVER);
		ck_assert_uint_eq(
			usage_damage_of(METHOD_CANCEL, table_2[i].status), USAGE_UNHARMED);
	}
}
END_TEST

/* Whose failures depend on the method: the notes of 5.1, and 5.2 and 5.3. */
static const struct {
	enum method method;
	unsigned status;
	enum usage_damage damage;
} by_method[] = {
	{ METHOD_INVITE, 408, USAGE_ENDED },
	{ METHOD_INVITE, 481, USAGE_ENDED },
	{ METHOD_INVITE, 480, USAGE_ENDED },
	{ METHOD_INVITE, 405, USAGE_ENDED },
	{ METHOD_INVITE, 489, USAGE_UNHARMED }, /* note 12 */
	{ METHOD_INVITE, 491, USAGE_UNHARMED },
	{ METHOD_UPDATE, 408, USAGE_ENDED },
	{ METHOD_UPDATE, 481, USAGE_ENDED },
	{ METHOD_UPDATE, 501, USAGE_UNHARMED }, /* note 3: not integral */
	{ METHOD_INFO, 405, USAGE_UNHARMED },
	{ METHOD_INFO, 501, USAGE_UNHARMED },
	{ METHOD_INFO, 489, USAGE_UNHARMED },
	{ METHOD_INFO, 481, USAGE_ENDED },
	{ METHOD_PRACK, 408, USAGE_ENDED },
	{ METHOD_PRACK, 481, USAGE_UNHARMED }, /* RFC 3262 section 3 */
	{ METHOD_BYE, 481, USAGE_ENDED },
	{ METHOD_CANCEL, 481, USAGE_UNHARMED }, /* note 8 */
	{ METHOD_REFER, 429, USAGE_UNHARMED },  /* note 6 */
	{ METHOD_REFER, 405, USAGE_UNHARMED },
	{ METHOD_REFER, 480, USAGE_UNHARMED },
	{ METHOD_REFER, 481, USAGE_ENDED },
	{ METHOD_REFER, 408, USAGE_ENDED },
	{ METHOD_SUBSCRIBE, 408, USAGE_UNHARMED }, /* 5.2 */
	{ METHOD_SUBSCRIBE, 481, USAGE_ENDED },
	{ METHOD_OPTIONS, 408, USAGE_UNHARMED }, /* 5.3 */
	{ METHOD_OPTIONS, 481, USAGE_UNHARMED },
	{ METHOD_MESSAGE, 480, USAGE_UNHARMED },
	{ METHOD_UNKNOWN, 501, USAGE_UNHARMED },
};

START_TEST(methods_differ_5057_5_1)
{
	for (size_t i = 0; i < ARRAY_LEN(by_method); i++)
		ck_assert_msg(usage_damage_of(by_method[i].method, by_method[i].status) ==
				      by_method[i].damage,
			"%.*s %u", SLICE_ARGS(method_name(by_method[i].method)),
			by_method[i].status);
}
END_TEST

RUN_TESTS("usage", dialog_ends_with_the_last_usage_5057_2,
	first_that_takes_it_ends_the_round_5057_5_3, not_interested, any_may_leave_during_a_round,
	rounds_nest, siblings_are_told_5057_5_1, table_2_of_5057_5_1,
	dialogs_end_whatever_the_method_5057_5_3, methods_differ_5057_5_1)
