/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "protocol/ua/keepalive.h"

#include <string.h>

#include "protocol/base/buf.h"
#include "protocol/base/mem.h"
#include "protocol/txn/flow.h"
#include "protocol/ua/registration-flows.h"
#include "protocol/ua/ua.h"

#define PONG_TIMEOUT (10 * USEC_PER_SEC) /* RFC 5626 4.4.1 */
#define KEEPALIVE_FIRST USEC_PER_SEC
#define STUN_RTO (USEC_PER_SEC / 2) /* RFC 8489 6.2.1 */
enum {
	STUN_RM = 16, /* times the RTO, after the last request */
};

/* ---- when ---- */

usec_t keepalive_interval(enum transport transport, uint32_t seconds, uint64_t random)
{
	usec_t high = seconds * USEC_PER_SEC, low = high / 5 * 4;

	if (seconds == 0 && transport_is_reliable(transport)) {
		low = 95 * USEC_PER_SEC;
		high = 120 * USEC_PER_SEC;
	} else if (seconds == 0) {
		low = 24 * USEC_PER_SEC;
		high = 29 * USEC_PER_SEC;
	}
	return low + random % (high - low + 1);
}

usec_t keepalive_patience(unsigned n_sent)
{
	return n_sent < KEEPALIVE_SENDS ? STUN_RTO << (n_sent - 1) : STUN_RM * STUN_RTO;
}

/* ---- asking ---- */

static void rest(struct keepalive *k)
{
	usec_t gap = keepalive_interval(
		k->flow->transport, k->seconds, ua_random_below(k->ua, UINT64_MAX));

	k->state = KEEPALIVE_IDLE;
	/*
	 * RFC 5626 4.5: only the first answer makes the flow a success. Were it awaited for a
	 * whole interval, a flow that is cut meanwhile would be missed for minutes.
	 */
	timer_arm(&k->ua->timers, &k->timer, k->proven ? gap : KEEPALIVE_FIRST);
}

static void send_stun(struct keepalive *k)
{
	struct buf b = BUF_NULL;

	stun_append_request(&b, k->id);
	flow_send(k->flow, buf_slice(&b));
	buf_deinit(&b);
	timer_arm(&k->ua->timers, &k->timer, keepalive_patience(++k->n_sent));
}

static void ask(struct keepalive *k)
{
	k->state = KEEPALIVE_ASKED;
	if (flow_is_reliable(k->flow)) {
		flow_send(k->flow, SLICE("\r\n\r\n"));
		timer_arm(&k->ua->timers, &k->timer, PONG_TIMEOUT);
		return;
	}
	/* RFC 8489 section 5: another id for each, that nobody can guess. */
	ua_random(k->ua, k->id, sizeof(k->id));
	k->n_sent = 0;
	send_stun(k);
}

/* The host tells the end of it, and then everybody lets go. */
static void fail(struct keepalive *k, const char *why)
{
	timer_cancel(&k->ua->timers, &k->timer);
	k->state = KEEPALIVE_IDLE;
	flow_close(k->flow, why);
}

static void on_timer(struct timer *t)
{
	struct keepalive *k = container_of(t, struct keepalive, timer);

	switch (k->state) {
	case KEEPALIVE_IDLE:
		ask(k);
		break;
	case KEEPALIVE_ASKED:
		if (!flow_is_reliable(k->flow) && k->n_sent < KEEPALIVE_SENDS)
			send_stun(k);
		else
			fail(k, "a keep-alive was not answered");
		break;
	}
}

/* ---- life ---- */

void keepalive_start(struct ua *ua, struct flow *f, uint32_t seconds)
{
	struct keepalive *k = f->keepalive;

	if (k && k->seconds == seconds)
		return;
	if (!k) {
		k = f->keepalive = mem_new(struct keepalive);
		k->ua = ua;
		k->flow = f;
		k->timer.fire = on_timer;
		f->kept = true;
	}
	k->seconds = seconds;
	if (k->state == KEEPALIVE_IDLE)
		rest(k);
}

void keepalive_stop(struct flow *f)
{
	struct keepalive *k = mem_take(&f->keepalive);

	if (!k)
		return;
	f->kept = false;
	timer_cancel(&k->ua->timers, &k->timer);
	free(k);
}

bool keepalive_is_proven(const struct flow *f)
{
	return f->keepalive && f->keepalive->proven;
}

/* ---- answers ---- */

static void answered(struct keepalive *k)
{
	if (!k->proven) {
		k->proven = true;
		registration_flow_proven(k->flow);
	}
	rest(k);
}

void keepalive_pong(struct flow *f)
{
	struct keepalive *k = f->keepalive;

	if (k && k->state == KEEPALIVE_ASKED && flow_is_reliable(f))
		answered(k);
}

static void take_answer(struct keepalive *k, const struct stun *s)
{
	if (k->state != KEEPALIVE_ASKED || memcmp(s->id, k->id, sizeof(k->id)) != 0)
		return;
	if (s->kind == STUN_ERROR) {
		fail(k, "a keep-alive was refused");
	} else if (k->mapped.n && s->mapped.n && !stun_addr_equal(&k->mapped, &s->mapped)) {
		fail(k, "our address has changed"); /* RFC 5626 4.4.2 */
	} else {
		if (s->mapped.n)
			k->mapped = s->mapped;
		answered(k);
	}
}

static void answer(struct flow *f, const struct stun *request)
{
	struct stun_addr from;
	struct buf b = BUF_NULL;

	if (!stun_addr_parse(flow_addr_host(&f->peer), f->peer.port, &from))
		return;
	stun_append_answer(&b, request, &from);
	flow_send(f, buf_slice(&b));
	buf_deinit(&b);
}

void keepalive_stun(struct flow *f, struct slice datagram)
{
	struct stun s;

	if (flow_is_reliable(f) || stun_parse(datagram, &s) < 0)
		return;
	switch (s.kind) {
	case STUN_REQUEST:
		answer(f, &s);
		break;
	case STUN_INDICATION:
		break;
	case STUN_SUCCESS:
	case STUN_ERROR:
		if (f->keepalive)
			take_answer(f->keepalive, &s);
		break;
	}
}
