/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "protocol/ua/subscriber-rate.h"

#include "protocol/msg/params.h"

enum { INT_DIGITS = 2, FRACTION_DIGITS = 10 }; /* 9.2 */

/* One notification a second. */
#define ONE UINT64_C(10000000000)
/* We repeat an unchanged state no more often than that (6.3, 7.3). */
#define MAX_REPEAT ONE

/* ---- values ---- */

/* 1*2DIGIT ["." 1*10DIGIT]; 0: it is none. */
static uint64_t parse(struct slice v)
{
	struct slice whole = v, fraction = SLICE_NULL;
	uint64_t n, part = 0;
	bool has_fraction = slice_cut(v, '.', &whole, &fraction);

	if (whole.n > INT_DIGITS || fraction.n > FRACTION_DIGITS ||
		!slice_to_u64(whole, UINT64_MAX, &n))
		return 0;
	if (has_fraction && !slice_to_u64(fraction, UINT64_MAX, &part))
		return 0;
	for (size_t i = fraction.n; i < FRACTION_DIGITS; i++)
		part *= 10;
	return n * ONE + part;
}

static uint64_t find(struct slice params, struct slice name)
{
	struct slice value;

	return params_find(params, name, &value) ? parse(value) : 0;
}

static void append(struct buf *b, const char *name, uint64_t rate)
{
	uint64_t part = rate % ONE;
	unsigned digits = FRACTION_DIGITS;

	if (!rate)
		return;
	buf_printf(b, ";%s=%llu", name, (unsigned long long)(rate / ONE));
	if (!part)
		return;
	for (; part % 10 == 0; part /= 10)
		digits--;
	buf_printf(b, ".%0*llu", (int)digits, (unsigned long long)part);
}

static usec_t interval(uint64_t rate)
{
	return ONE * USEC_PER_SEC / rate;
}

static uint64_t least(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

/* ---- the adaptive rate ---- */

/* 7.2 1): as if what is asked for had been sent. */
static void begin(struct subscriber_rate *r, usec_t now)
{
	r->began = now;
	r->slot = 0;
	for (size_t i = 0; i < SUBSCRIBER_RATE_PERIOD; i++)
		r->counts[i] = 1;
}

/* Intervals that passed since the last look leave the period. */
static void move_on(struct subscriber_rate *r, usec_t now)
{
	uint64_t slot = (now - r->began) / interval(r->adaptive);

	for (uint64_t i = 0; i < SUBSCRIBER_RATE_PERIOD && r->slot + i < slot; i++)
		r->counts[(r->slot + 1 + i) % SUBSCRIBER_RATE_PERIOD] = 0;
	r->slot = slot;
}

/*
 * 7.4: count / (rate^2 * period), the period being so many intervals of 1 / rate, which leaves
 * count / period of one.
 */
static usec_t timeout(const struct subscriber_rate *r)
{
	uint64_t count = 0;
	usec_t t;

	for (size_t i = 0; i < SUBSCRIBER_RATE_PERIOD; i++)
		count += r->counts[i];
	t = interval(r->adaptive) / SUBSCRIBER_RATE_PERIOD * count;
	return r->max && t < interval(r->max) ? interval(r->max) : t;
}

/* ---- the three together ---- */

void subscriber_rate_read(
	struct subscriber_rate *r, struct slice event, uint32_t seconds, usec_t now)
{
	struct slice params = slice_skip(event, slice_find(event, ';'));
	uint64_t before = r->adaptive;

	r->max = find(params, SLICE("max-rate"));
	r->min = least(find(params, SLICE("min-rate")), MAX_REPEAT);
	r->adaptive = least(find(params, SLICE("adaptive-min-rate")), MAX_REPEAT);
	/* 5.3: nothing would be told before the end. */
	if (r->max && seconds && r->max < ONE / seconds)
		r->max = ONE / seconds;
	if (r->max) { /* 8 */
		r->min = least(r->min, r->max);
		r->adaptive = least(r->adaptive, r->max);
	}
	if (r->adaptive && r->min >= r->adaptive)
		r->min = 0;
	if (r->adaptive && r->adaptive != before)
		begin(r, now);
}

void subscriber_rate_append(struct buf *b, const struct subscriber_rate *r)
{
	append(b, "max-rate", r->max);
	append(b, "min-rate", r->min);
	append(b, "adaptive-min-rate", r->adaptive);
}

void subscriber_rate_sent(struct subscriber_rate *r, usec_t now)
{
	r->sent_at = now;
	if (!r->adaptive)
		return;
	move_on(r, now);
	r->counts[r->slot % SUBSCRIBER_RATE_PERIOD]++;
}

usec_t subscriber_rate_earliest(const struct subscriber_rate *r)
{
	return r->max && r->sent_at ? r->sent_at + interval(r->max) : 0;
}

usec_t subscriber_rate_latest(const struct subscriber_rate *r)
{
	usec_t at = USEC_NEVER;

	if (!r->sent_at)
		return USEC_NEVER;
	if (r->adaptive)
		at = r->sent_at + timeout(r);
	if (r->min && r->sent_at + interval(r->min) < at)
		at = r->sent_at + interval(r->min);
	return at;
}
