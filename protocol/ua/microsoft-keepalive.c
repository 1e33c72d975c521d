/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "protocol/msg/params.h"
#include "protocol/ua/microsoft-private.h"

/*
 * [MS-CONMGMT]: the server tells after which silence it gives a connection up, and whoever is on it
 * says an empty line before. Looked at four times in that while: a connection that was silent at
 * two looks gets one, so that it is for half of it, or three quarters at most.
 */

enum {
	TICKS = 4,
	LEAST_TIMEOUT = 4,    /* seconds: who wants less wants too much */
	MOST_TIMEOUT = 86400, /* beyond a day nothing is won */
};

static void arm(struct microsoft *ms)
{
	timer_arm(&ms->ep->ua->timers, &ms->keep_timer, ms->keep_tick);
}

static bool is_kept(const struct microsoft *ms)
{
	const struct flow *f = ms->ep->flow;

	return f && ms->keep_tick && f->state == FLOW_UP && flow_is_reliable(f);
}

static void on_tick(struct timer *t)
{
	struct microsoft *ms = container_of(t, struct microsoft, keep_timer);
	struct flow *f = ms->ep->flow;

	if (!is_kept(ms)) /* The next REGISTER makes it anew, with the server that it finds. */
		return;
	ms->keep_silent = f->n_sent == ms->keep_seen ? ms->keep_silent + 1 : 0;
	if (ms->keep_silent == TICKS / 2) {
		flow_send(f, SLICE("\r\n\r\n"));
		ms->keep_silent = 0;
	}
	ms->keep_seen = f->n_sent;
	arm(ms);
}

/* "UAS; tcp=no; hop-hop=yes; end-end=no; timeout=300" */
static uint32_t read_timeout(const struct msg *m)
{
	struct slice value = msg_header_named(m, SLICE("ms-keep-alive"));
	struct slice hop, text;
	uint32_t seconds;

	value = slice_skip(value, slice_find(value, ';'));
	if (!params_find(value, SLICE("hop-hop"), &hop) || !slice_eq_ci(hop, SLICE("yes")) ||
		!params_find(value, SLICE("timeout"), &text) ||
		!slice_to_u32(text, MOST_TIMEOUT, &seconds) || seconds == 0)
		return 0;
	return seconds < LEAST_TIMEOUT ? LEAST_TIMEOUT : seconds;
}

void microsoft_keepalive_obey(struct endpoint *ep, const struct msg *m)
{
	struct microsoft *ms = ep->microsoft;

	if (!ms)
		return;
	ms->keep_tick = read_timeout(m) * USEC_PER_SEC / TICKS;
	if (!is_kept(ms)) {
		timer_cancel(&ep->ua->timers, &ms->keep_timer);
		if (ep->flow && !ep->flow->keepalive)
			ep->flow->kept = false; /* The host may take over. */
		return;
	}
	ep->flow->kept = true;
	ms->keep_seen = ep->flow->n_sent;
	ms->keep_silent = 0;
	arm(ms);
}

void microsoft_keepalive_init(struct microsoft *ms)
{
	ms->keep_timer.fire = on_tick;
}

void microsoft_keepalive_deinit(struct microsoft *ms)
{
	timer_cancel(&ms->ep->ua->timers, &ms->keep_timer);
}
