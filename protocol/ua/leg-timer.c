/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "protocol/msg/build.h"
#include "protocol/msg/min-se.h"
#include "protocol/msg/session-expires.h"
#include "protocol/ua/limits.h"
#include "protocol/ua/session-private.h"

/* Session timers (RFC 4028). */

enum {
	INTERVAL_WANTED = 1800, /* seconds, section 4 */
	INTERVAL_FLOOR = 90,    /* no Min-SE may be lower, section 5 */
	BYE_AHEAD = 32,         /* seconds before the end, a third of the interval at most: 10 */
	REFRESHES = 2,          /* at half of the interval, and once more at three quarters */
};

static uint32_t larger(uint32_t a, uint32_t b)
{
	return a > b ? a : b;
}

/* What is malformed counts as absent. */
static bool read_expires(const struct msg *m, struct session_expires *ret)
{
	return session_expires_parse(msg_header(m, HDR_SESSION_EXPIRES), ret) == 0;
}

static uint32_t read_min_se(const struct msg *m)
{
	uint32_t seconds = 0;

	(void)min_se_parse(msg_header(m, HDR_MIN_SE), &seconds);
	return seconds;
}

/* Its sender says so, or names a refresher, which no proxy may (section 8.1). */
static bool supports_timer(const struct msg *m)
{
	struct session_expires expires;

	return msg_has_token(m, HDR_SUPPORTED, SLICE("timer")) ||
	       (read_expires(m, &expires) && expires.refresher != REFRESHER_NONE);
}

static void append_expires(struct buf *b, uint32_t seconds, enum refresher refresher)
{
	struct session_expires expires = { .seconds = seconds, .refresher = refresher };
	struct buf v = BUF_NULL;

	session_expires_append(&v, &expires);
	build_header(b, HDR_SESSION_EXPIRES, buf_slice(&v));
	buf_deinit(&v);
}

/* ---- the clock ---- */

static void expire(struct leg *l)
{
	static const struct slice reason = SLICE_INIT("Session Expired");

	if (l == l->s->leg)
		session_ending(l->s, 0, reason, ORIGIN_TIMEOUT);
	leg_end(l, SLICE("Reason: SIP;cause=408;text=\"Session Expired\"\r\n"));
}

/* Only a 2xx moves the end (section 10): a refresh that failed is tried once more before. */
static void on_timer(struct timer *t)
{
	struct leg *l = container_of(t, struct leg, timer.timer);
	usec_t quarter = l->timer.interval * USEC_PER_SEC / 4, now = l->s->ua->timers.now;

	/* Late after a sleep: what should have been done meanwhile is not done in a row now. */
	if (!l->timer.ours || l->timer.n_refreshes == REFRESHES || now >= l->timer.expires_at) {
		expire(l);
		return;
	}
	do
		l->timer.n_refreshes++;
	while (l->timer.n_refreshes < REFRESHES &&
		l->timer.expires_at - quarter * (REFRESHES - l->timer.n_refreshes) <= now);
	timer_arm_at(&l->s->ua->timers, t,
		l->timer.expires_at - quarter * (REFRESHES - l->timer.n_refreshes));
	leg_modify_refresh(l);
}

static usec_t first_delay(const struct leg_timer *lt)
{
	usec_t interval = lt->interval * USEC_PER_SEC, ahead = BYE_AHEAD * USEC_PER_SEC;

	if (lt->ours)
		return interval / 2;
	return interval - (interval / 3 < ahead ? interval / 3 : ahead);
}

void leg_timer_stop(struct leg *l)
{
	timer_cancel(&l->s->ua->timers, &l->timer.timer);
	l->timer.interval = 0;
	l->timer.ours = false;
}

/* A session refresh succeeded: interval 0 turns the timer off (section 7.2). */
static void restart(struct leg *l, uint32_t interval, bool ours)
{
	struct leg_timer *lt = &l->timer;
	struct timerq *q = &l->s->ua->timers;

	if (lt->interval != interval || lt->ours != ours)
		session_mark(l->s, UA_SESSION_TIMER);
	leg_timer_stop(l);
	if (!interval)
		return;
	lt->interval = interval;
	lt->ours = ours;
	lt->n_refreshes = 0;
	lt->expires_at = q->now + interval * USEC_PER_SEC;
	lt->timer.fire = on_timer;
	timer_arm(q, &lt->timer, first_delay(lt));
}

/* ---- our requests ---- */

/* Section 7.4: roles stay as they are, and so does the interval unless somebody wants it longer. */
void leg_timer_append_request(struct buf *b, const struct leg *l, uint32_t min_se)
{
	if (l)
		min_se = larger(min_se, l->timer.min_se);
	if (!l)
		append_expires(b, larger(INTERVAL_WANTED, min_se), REFRESHER_NONE);
	else if (l->timer.interval)
		append_expires(b, larger(l->timer.interval, larger(min_se, INTERVAL_FLOOR)),
			l->timer.ours ? REFRESHER_UAC : REFRESHER_UAS);
	if (min_se)
		build_header_u64(b, HDR_MIN_SE, min_se);
}

/* An UPDATE before the first 2xx refreshes nothing: there is no session yet. */
static bool is_refresh(const struct leg *l, const struct msg *request)
{
	return request->method == METHOD_INVITE || l->confirmed;
}

void leg_timer_received(struct leg *l, const struct msg *sent, const struct msg *response)
{
	struct session_expires expires;

	if (!is_refresh(l, sent))
		return;
	if (read_expires(response, &expires))
		restart(l, larger(expires.seconds, LIMITS_SESSION_INTERVAL),
			expires.refresher != REFRESHER_UAS);
	else
		restart(l, 0, false);
}

/* ---- requests of the peer: section 9 ---- */

unsigned leg_timer_check(struct buf *b, const struct msg *request)
{
	struct session_expires expires;

	if (!supports_timer(request) || !read_expires(request, &expires) ||
		expires.seconds >= INTERVAL_FLOOR)
		return 0;
	build_header_u64(b, HDR_MIN_SE, INTERVAL_FLOOR);
	return 422;
}

/* What our 2xx says. interval 0: nothing. */
struct terms {
	uint32_t interval;
	bool ours;
};

/* The peer, or a proxy, asks for a timer. One that supports none would not refresh; one that left
 * the choice to us does what it asked for (table 2). */
static struct terms terms_asked(
	const struct session_expires *asked, uint32_t min_se, bool peer_supports)
{
	struct terms t = { 0 };

	if (asked->seconds < INTERVAL_FLOOR)
		return t;
	t.interval = larger(asked->seconds, min_se);
	t.ours = !peer_supports || asked->refresher == REFRESHER_UAS;
	return t;
}

static struct terms negotiate(const struct leg *l, const struct msg *request)
{
	struct terms t = { .interval = INTERVAL_WANTED, .ours = true };
	bool peer_supports = supports_timer(request);
	uint32_t min_se = read_min_se(request);
	struct session_expires asked;

	if (!is_refresh(l, request))
		return (struct terms){ 0 };
	if (read_expires(request, &asked))
		return terms_asked(&asked, min_se, peer_supports);
	if (!peer_supports)
		return (struct terms){ 0 };
	if (l->timer.interval) {
		t.interval = l->timer.interval;
		t.ours = l->timer.ours;
	}
	t.interval = larger(t.interval, min_se);
	return t;
}

void leg_timer_append_2xx(struct buf *b, struct leg *l, const struct msg *request)
{
	struct terms t = negotiate(l, request);

	if (!t.interval)
		return;
	append_expires(b, t.interval, t.ours ? REFRESHER_UAS : REFRESHER_UAC);
	if (supports_timer(request))
		build_header(b, HDR_REQUIRE, SLICE("timer"));
}

void leg_timer_answered(struct leg *l, const struct msg *request)
{
	struct terms t = negotiate(l, request);

	if (!is_refresh(l, request))
		return;
	l->timer.min_se = larger(l->timer.min_se, read_min_se(request));
	restart(l, t.interval, t.ours);
}
