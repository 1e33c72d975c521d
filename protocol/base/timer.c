/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "protocol/base/timer.h"

#include <assert.h>

#include "protocol/base/mem.h"

enum { TIMERQ_FIRST_SIZE = 16 };

void timerq_init(struct timerq *q, usec_t now)
{
	*q = (struct timerq){ .now = now };
}

void timerq_deinit(struct timerq *q)
{
	for (size_t i = 0; i < q->n; i++)
		q->heap[i]->slot = 0;
	free(q->heap);
	*q = (struct timerq){ .now = q->now };
}

usec_t timerq_next(const struct timerq *q)
{
	return q->n ? q->heap[0]->at : USEC_NEVER;
}

static bool before(const struct timer *a, const struct timer *b)
{
	return a->at != b->at ? a->at < b->at : a->seq < b->seq;
}

static void put(struct timerq *q, size_t i, struct timer *t)
{
	q->heap[i] = t;
	t->slot = i + 1;
}

static void sift_up(struct timerq *q, size_t i, struct timer *t)
{
	while (i > 0 && before(t, q->heap[(i - 1) / 2])) {
		put(q, i, q->heap[(i - 1) / 2]);
		i = (i - 1) / 2;
	}
	put(q, i, t);
}

static void sift_down(struct timerq *q, size_t i, struct timer *t)
{
	for (;;) {
		size_t child = 2 * i + 1;

		if (child >= q->n)
			break;
		if (child + 1 < q->n && before(q->heap[child + 1], q->heap[child]))
			child++;
		if (!before(q->heap[child], t))
			break;
		put(q, i, q->heap[child]);
		i = child;
	}
	put(q, i, t);
}

void timer_cancel(struct timerq *q, struct timer *t)
{
	size_t i;
	struct timer *last;

	if (t->slot == 0)
		return;
	i = t->slot - 1;
	assert(i < q->n && q->heap[i] == t);
	last = q->heap[--q->n];
	t->slot = 0;
	if (last == t)
		return;
	if (i > 0 && before(last, q->heap[(i - 1) / 2]))
		sift_up(q, i, last);
	else
		sift_down(q, i, last);
}

static void resize(struct timerq *q, size_t cap)
{
	q->cap = cap;
	q->heap = mem_realloc(q->heap, cap * sizeof(struct timer *));
}

void timer_arm_at(struct timerq *q, struct timer *t, usec_t at)
{
	assert(t->fire);
	timer_cancel(q, t);
	if (q->n == q->cap)
		resize(q, q->cap ? 2 * q->cap : TIMERQ_FIRST_SIZE);
	else if (q->cap > TIMERQ_FIRST_SIZE && q->n < q->cap / 8)
		resize(q, q->cap / 2);
	t->at = at;
	t->seq = q->seq++;
	sift_up(q, q->n++, t);
}

void timer_arm(struct timerq *q, struct timer *t, usec_t delay)
{
	usec_t at;

	if (__builtin_add_overflow(q->now, delay, &at))
		at = USEC_NEVER;
	timer_arm_at(q, t, at);
}

bool timer_is_armed(const struct timer *t)
{
	return t->slot != 0;
}

void timerq_run(struct timerq *q, usec_t now)
{
	if (now > q->now)
		q->now = now;
	while (q->n && q->heap[0]->at <= q->now) {
		struct timer *t = q->heap[0];

		timer_cancel(q, t);
		t->fire(t);
	}
}
