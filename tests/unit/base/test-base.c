/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* slice, buf, list, map, timer, later: the toolbox below everything. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "protocol/base/buf.h"
#include "protocol/base/later.h"
#include "protocol/base/list.h"
#include "protocol/base/map.h"
#include "protocol/base/slice.h"
#include "protocol/base/timer.h"

START_TEST(list_links)
{
	struct list head = { 0 }, a = { 0 }, b = { 0 };

	ck_assert_uint_eq(list_length(&head), 0);
	list_append(&head, &a);
	list_append(&head, &b);
	ck_assert_uint_eq(list_length(&head), 2);
	ck_assert_ptr_eq(list_first(&head), &a);
	list_remove(&a);
	list_remove(&a);
	ck_assert_uint_eq(list_length(&head), 1);
	list_remove(&b);
	ck_assert(list_is_empty(&head));
	ck_assert_uint_eq(list_length(&head), 0);
}
END_TEST

START_TEST(slice_numbers)
{
	uint32_t v = 7;

	ck_assert(slice_to_u32(SLICE("0"), 10, &v) && v == 0);
	ck_assert(slice_to_u32(SLICE("4294967295"), UINT32_MAX, &v) && v == UINT32_MAX);
	v = 7;
	ck_assert(!slice_to_u32(SLICE("4294967296"), UINT32_MAX, &v));
	ck_assert(!slice_to_u32(SLICE(""), 10, &v));
	ck_assert(!slice_to_u32(SLICE("-1"), 10, &v));
	ck_assert(!slice_to_u32(SLICE(" 1"), 10, &v));
	ck_assert(!slice_to_u32(SLICE("5"), 4, &v));
	ck_assert(slice_to_u32(SLICE("0000000000000000000004"), 4, &v) && v == 4);
	ck_assert(!slice_to_u32(SLICE("36893488147419103232"), UINT32_MAX, &v));
}
END_TEST

START_TEST(slice_text)
{
	struct slice head = SLICE("x"), tail = SLICE("y");

	ck_assert(slice_eq_ci(SLICE("Via"), SLICE("vIA")));
	ck_assert(!slice_eq_ci(SLICE("Via"), SLICE("vI")));
	ck_assert(!slice_eq_ci(SLICE("["), SLICE("{")));
	ck_assert(slice_eq(slice_trim(SLICE(" \t a b\r\n")), SLICE("a b")));
	ck_assert(slice_cut(SLICE("a:b:c"), ':', &head, &tail));
	ck_assert(slice_eq(head, SLICE("a")) && slice_eq(tail, SLICE("b:c")));
	ck_assert(!slice_cut(SLICE("abc"), ':', &head, &tail));
	ck_assert(slice_eq(head, SLICE("a")));
	ck_assert(slice_cmp(SLICE("a"), SLICE("ab")) < 0);
	ck_assert(slice_hash_ci(SLICE("Via"), 3) == slice_hash_ci(SLICE("VIA"), 3));
	ck_assert(slice_hash(SLICE("Via"), 3) != slice_hash(SLICE("VIA"), 3));
	ck_assert(slice_hash(SLICE("Via"), 3) != slice_hash(SLICE("Via"), 4));
}
END_TEST

START_TEST(slice_utf8)
{
	ck_assert(slice_is_utf8(SLICE("")));
	ck_assert(slice_is_utf8(SLICE("plain \xc3\xbc \xe2\x82\xac \xf0\x9f\x98\x80")));
	ck_assert(!slice_is_utf8(SLICE("\xc0\x80")));         /* overlong NUL */
	ck_assert(!slice_is_utf8(SLICE("\xed\xa0\x80")));     /* surrogate */
	ck_assert(!slice_is_utf8(SLICE("\xf4\x90\x80\x80"))); /* beyond U+10FFFF */
	ck_assert(!slice_is_utf8(SLICE("\xe2\x82")));         /* cut short */
	ck_assert(!slice_is_utf8(slice_of("a\0b", 3)));
}
END_TEST

START_TEST(buf_grows_and_stops)
{
	struct buf b = BUF_NULL;

	for (unsigned i = 0; i < 1000; i++)
		buf_printf(&b, "%u,", i);
	buf_u64(&b, UINT64_MAX);
	ck_assert(slice_starts(buf_slice(&b), SLICE("0,1,2,")));
	ck_assert(strncmp(b.p + b.n - 20, "18446744073709551615", 20) == 0);
	buf_consume(&b, 2);
	ck_assert(slice_starts(buf_slice(&b), SLICE("1,2,")));
	buf_deinit(&b);
	b.max = 4;
	buf_lit(&b, "abc");
	buf_lit(&b, "de");
	buf_putc(&b, 'x');
	ck_assert(b.overflow);
	ck_assert(slice_eq(buf_slice(&b), SLICE("abc")));
	buf_deinit(&b);
	buf_hex(&b, "\x00\xff", 2);
	ck_assert(slice_eq(buf_slice(&b), SLICE("00ff")));
	buf_deinit(&b);
}
END_TEST

struct thing {
	struct map_node node;
	char name[16];
};

START_TEST(map_many)
{
	static struct thing things[2000];
	struct map m;
	size_t seen = 0;

	map_init(&m, 42);
	ck_assert_ptr_null(map_find(&m, SLICE("t1")));
	for (size_t i = 0; i < 2000; i++) {
		int n = snprintf(things[i].name, sizeof(things[i].name), "t%zu", i % 1000);

		map_insert(&m, &things[i].node, slice_of(things[i].name, (size_t)n));
	}
	/* Two of each: the newer first, through every rehash. */
	for (size_t i = 0; i < 1000; i++) {
		struct map_node *node = map_find(&m, slice_str(things[i].name));

		ck_assert_ptr_eq(node, &things[i + 1000].node);
		ck_assert_ptr_eq(map_find_next(node), &things[i].node);
		ck_assert_ptr_null(map_find_next(map_find_next(node)));
	}
	map_for_each (pos, &m)
		seen++;
	ck_assert_uint_eq(seen, 2000);
	map_remove(&m, &things[5].node);
	map_remove(&m, &things[5].node);
	ck_assert_uint_eq(m.n, 1999);
	ck_assert(!map_is_linked(&things[5].node));
	map_deinit(&m);
	ck_assert(!map_is_linked(&things[6].node));
}
END_TEST

/* After a flood the tables are small again as soon as ordinary work goes on. */
START_TEST(map_shrinks)
{
	static struct thing things[2000];
	struct map m;

	map_init(&m, 1);
	for (size_t i = 0; i < 2000; i++) {
		int n = snprintf(things[i].name, sizeof(things[i].name), "t%zu", i);

		map_insert(&m, &things[i].node, slice_of(things[i].name, (size_t)n));
	}
	ck_assert_uint_ge(m.n_buckets, 2000);
	for (size_t i = 10; i < 2000; i++)
		map_remove(&m, &things[i].node);
	for (size_t i = 0; i < 20; i++) {
		map_insert(&m, &things[100].node, SLICE("t100"));
		map_remove(&m, &things[100].node);
	}
	ck_assert_uint_le(m.n_buckets, 128);
	for (size_t i = 0; i < 10; i++)
		ck_assert_ptr_eq(map_find(&m, slice_str(things[i].name)), &things[i].node);
	map_deinit(&m);
}
END_TEST

struct alarm {
	struct timer timer;
	struct timerq *q;
	unsigned fired;
	usec_t at;
	struct alarm *cancels;
};

static unsigned order;

static void ring(struct timer *t)
{
	struct alarm *a = container_of(t, struct alarm, timer);

	a->fired = ++order;
	a->at = a->q->now;
	if (a->cancels)
		timer_cancel(a->q, &a->cancels->timer);
}

START_TEST(timer_order)
{
	struct timerq q;
	struct alarm a[4] = { 0 };

	order = 0;
	timerq_init(&q, 100);
	for (size_t i = 0; i < 4; i++) {
		a[i].q = &q;
		a[i].timer.fire = ring;
	}
	ck_assert(timerq_next(&q) == USEC_NEVER);
	timer_arm(&q, &a[0].timer, 50);
	timer_arm(&q, &a[1].timer, 20);
	timer_arm(&q, &a[2].timer, 20);
	timer_arm(&q, &a[3].timer, 60);
	a[1].cancels = &a[3];
	ck_assert(timerq_next(&q) == 120);
	timerq_run(&q, 119);
	ck_assert_uint_eq(order, 0);
	timerq_run(&q, 500);
	ck_assert_uint_eq(a[1].fired, 1); /* equal deadlines: in arming order */
	ck_assert_uint_eq(a[2].fired, 2);
	ck_assert_uint_eq(a[0].fired, 3);
	ck_assert_uint_eq(a[3].fired, 0);
	ck_assert(a[0].at == 500); /* late timers see the real now */
	timerq_run(&q, 10);
	ck_assert(q.now == 500); /* time never goes back */
	timer_arm(&q, &a[0].timer, USEC_NEVER);
	ck_assert(timerq_next(&q) == USEC_NEVER);
	timerq_deinit(&q);
	ck_assert(!timer_is_armed(&a[0].timer));
}
END_TEST

/* A thousand timers armed, moved and cancelled at random come out sorted. */
START_TEST(timer_heap)
{
	static struct alarm a[1000];
	struct timerq q;
	usec_t last = 0;
	unsigned r = 12345, fired = 0;

	order = 0;
	timerq_init(&q, 0);
	for (unsigned round = 0; round < 5; round++)
		for (size_t i = 0; i < 1000; i++) {
			r = r * 1103515245 + 12345;
			a[i].q = &q;
			a[i].timer.fire = ring;
			if ((r >> 16) % 5 == 0)
				timer_cancel(&q, &a[i].timer);
			else
				timer_arm(&q, &a[i].timer, (r >> 16) % 10000);
		}
	ck_assert_uint_ge(q.cap, 500);
	while (timerq_next(&q) != USEC_NEVER) {
		usec_t next = timerq_next(&q);

		ck_assert(next >= last);
		last = next;
		timerq_run(&q, next);
		fired++;
	}
	ck_assert_uint_gt(fired, 0);
	for (size_t i = 0; i < 1000; i++)
		ck_assert(!timer_is_armed(&a[i].timer));
	for (unsigned round = 0; round < 10; round++)
		timer_arm(&q, &a[0].timer, 1);
	ck_assert_uint_le(q.cap, 16);
	timerq_deinit(&q);
}
END_TEST

static struct later queue;
static char said[16];
static struct later_note note_a, note_b;

static void say_a(struct later_note *n)
{
	(void)n;
	strcat(said, "a");
	/* A listener enters again and queues more: delivered after, not inside. */
	later_enter(&queue);
	later_queue(&queue, &note_b);
	strcat(said, "(");
	later_leave(&queue);
	strcat(said, ")");
}

static void say_b(struct later_note *n)
{
	(void)n;
	strcat(said, "b");
}

START_TEST(later_order)
{
	note_a.deliver = say_a;
	note_b.deliver = say_b;
	later_enter(&queue);
	later_queue(&queue, &note_a);
	later_queue(&queue, &note_a);
	ck_assert_str_eq(said, "");
	later_leave(&queue);
	ck_assert_str_eq(said, "a()b");
	later_enter(&queue);
	later_queue(&queue, &note_b);
	later_cancel(&note_b);
	later_leave(&queue);
	ck_assert_str_eq(said, "a()b");
}
END_TEST

int main(void)
{
	Suite *s = suite_create("base");
	TCase *tc = tcase_create("base");
	SRunner *sr;
	int failed;

	tcase_add_test(tc, list_links);
	tcase_add_test(tc, slice_numbers);
	tcase_add_test(tc, slice_text);
	tcase_add_test(tc, slice_utf8);
	tcase_add_test(tc, buf_grows_and_stops);
	tcase_add_test(tc, map_many);
	tcase_add_test(tc, map_shrinks);
	tcase_add_test(tc, timer_order);
	tcase_add_test(tc, timer_heap);
	tcase_add_test(tc, later_order);
	suite_add_tcase(s, tc);
	sr = srunner_create(s);
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
