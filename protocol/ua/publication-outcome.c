/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "protocol/base/err.h"
#include "protocol/msg/build.h"
#include "protocol/msg/msg.h"
#include "protocol/ua/backoff.h"
#include "protocol/ua/limits.h"
#include "protocol/ua/publication-private.h"

/* How a PUBLISH ended, and what follows (RFC 3903 section 5). */

#define BASE_DELAY (30 * USEC_PER_SEC)

static uint64_t dice(const struct publication *p)
{
	return ua_random_below(p->ep->ua, UINT64_MAX);
}

/* ---- 2xx ---- */

/* Opaque to us (section 8.2): anything that can be written back as one value. */
static struct slice etag_of(const struct msg *m)
{
	struct slice tag = slice_trim(msg_header(m, HDR_SIP_ETAG));

	for (size_t i = 0; i < tag.n; i++)
		if (tag.p[i] <= ' ' || tag.p[i] > '~' || tag.p[i] == ',')
			return SLICE_NULL;
	return tag;
}

/* Section 4.2: never more than was asked for, and that where nothing is said. */
static uint32_t granted_by(const struct publication *p, const struct msg *m)
{
	uint32_t seconds;

	if (!msg_number(m, HDR_EXPIRES, UINT32_MAX, &seconds) || seconds > p->wish)
		return p->wish;
	return seconds;
}

static void take(struct publication *p, const struct outcome *o, uint32_t granted)
{
	usec_t now = p->ep->ua->timers.now;
	struct slice tag = etag_of(o->response);

	/* One without it: the one that we have may still hold, else 412 will tell. */
	if (tag.n) {
		free(p->etag);
		p->etag = slice_dup(tag);
	}
	if (p->flying) {
		publication_content_free(p->now);
		p->now = mem_take(&p->flying);
	}
	p->failures = 0;
	p->lost = false;
	p->expires = now + granted * USEC_PER_SEC;
	p->next_attempt = now + backoff_refresh_delay(granted, dice(p));
	publication_set_state(p, p->leaving ? PUBLICATION_REMOVING : PUBLICATION_PUBLISHED);
	publication_tell_callers(p, &p->aboard, o);
}

/* ---- failures ---- */

enum verdict {
	VERDICT_PASSES,
	VERDICT_REFUSED,
	VERDICT_CREDENTIALS,
};

static enum verdict judge_status(unsigned status)
{
	switch (status) {
	case 408:
	case 412: /* to one that names no entity tag, or again: the compositor is confused */
	case 430:
	case 480:
	case 491:
	case 600:
		return VERDICT_PASSES;
	case 501: /* does not know the method, the version, or that much at once */
	case 505:
	case 513:
		return VERDICT_REFUSED;
	default:
		return status >= 500 && status < 600 ? VERDICT_PASSES : VERDICT_REFUSED;
	}
}

static enum verdict judge(const struct outcome *o)
{
	switch (o->origin) {
	case ORIGIN_NETWORK:
	case ORIGIN_TIMEOUT:
		return VERDICT_PASSES;
	case ORIGIN_LOCAL: /* a full table passes, a request that cannot be made does not */
		return o->error == -ENOSPC ? VERDICT_PASSES : VERDICT_REFUSED;
	case ORIGIN_REMOTE:
		break;
	}
	return o->error == -EACCES ? VERDICT_CREDENTIALS : judge_status(o->status);
}

static void put_off(struct publication *p, usec_t delay, const struct outcome *o)
{
	usec_t now = p->ep->ua->timers.now;
	uint32_t seconds;

	if (o->response && msg_retry_after(o->response, &seconds)) {
		delay = backoff_not_before(delay, seconds, dice(p));
		p->not_before = now + delay;
	}
	p->next_attempt = now + delay;
}

/* What was to be published still is, in place of what is there or beside what nobody knows of. */
static void put_back(struct publication *p)
{
	if (!p->next)
		p->next = mem_take(&p->flying);
	publication_content_free(mem_take(&p->flying));
}

static void passes(struct publication *p, const struct outcome *o)
{
	usec_t now = p->ep->ua->timers.now;
	usec_t delay = backoff_delay(BASE_DELAY, p->failures, dice(p));
	bool good;

	put_back(p);
	good = p->etag && p->expires > now && !p->next;
	put_off(p, good ? backoff_hurry(delay, p->expires - now) : delay, o);
	if (!good && !p->leaving)
		publication_set_state(p, PUBLICATION_WAITING);
}

/* Sections 4.4 and 6: a change that is refused leaves what is there as it was. */
static void refused(struct publication *p, const struct outcome *o)
{
	bool change = p->flying != NULL;
	usec_t now = p->ep->ua->timers.now;

	publication_content_free(mem_take(&p->flying));
	if (change && p->etag) {
		uint32_t left = (uint32_t)((p->expires - now) / USEC_PER_SEC);

		p->next_attempt = now + backoff_refresh_delay(left, dice(p));
		return;
	}
	p->refused = !change;
	put_off(p,
		change ? backoff_delay(BASE_DELAY, p->failures, dice(p))
		       : backoff_slow_delay(dice(p)),
		o);
	if (!p->leaving)
		publication_set_state(p, PUBLICATION_WAITING);
}

static void fail(struct publication *p, const struct outcome *o)
{
	enum verdict verdict = judge(o);

	if (p->running == PUBLICATION_REMOVE || verdict == VERDICT_CREDENTIALS ||
		(verdict == VERDICT_REFUSED && !p->now)) {
		publication_over(p, o);
		return;
	}
	if (p->failures < UINT32_MAX)
		p->failures++;
	p->refused = false;
	if (p->running == PUBLICATION_INITIAL)
		p->lost = o->origin == ORIGIN_TIMEOUT || o->status == 408;
	if (verdict == VERDICT_PASSES)
		passes(p, o);
	else
		refused(p, o);
	publication_tell_callers(p, &p->aboard, o);
	if (!p->leaving)
		publication_tell_failed(p, o);
}

/* ---- what goes on at once ---- */

/* Section 5: the tag is no good any more. The whole state goes anew, without one, and once. */
static bool renew(struct publication *p, const struct outcome *o)
{
	if (o->status != 412 || p->running == PUBLICATION_INITIAL)
		return false;
	publication_forget_etag(p);
	if (p->leaving) /* there is nothing that had to be removed */
		return false;
	publication_board(p);
	p->running = PUBLICATION_INITIAL;
	publication_send(p);
	return true;
}

/* Section 5: once for each attempt; who wants more and more has refused. */
static bool raise_wish(struct publication *p, const struct outcome *o)
{
	uint32_t min;

	if (o->status != 423 || !o->response || p->raised || p->leaving ||
		!msg_number(o->response, HDR_MIN_EXPIRES, LIMITS_EXPIRES, &min) || min <= p->wish)
		return false;
	p->raised = true;
	p->wish = min;
	if (!p->etag) /* it expired meanwhile */
		p->running = PUBLICATION_INITIAL;
	publication_send(p);
	return true;
}

/* ---- all of them ---- */

static void removed(struct publication *p, const struct outcome *o)
{
	struct outcome gone = *o;

	if (o->status == 412)
		gone.error = 0;
	publication_over(p, &gone);
}

static void accepted(struct publication *p, const struct outcome *o)
{
	struct outcome odd = *o;
	uint32_t granted = granted_by(p, o->response);

	odd.error = -EBADMSG;
	if (!etag_of(o->response).n && !p->etag) {
		odd.reason = SLICE("the answer has no SIP-ETag");
		fail(p, &odd);
	} else if (granted == 0) {
		odd.reason = SLICE("the server keeps it for no time");
		publication_forget_etag(p);
		fail(p, &odd);
	} else {
		take(p, o, granted);
	}
}

void publication_ended(struct publication *p, const struct outcome *o)
{
	if (p->running == PUBLICATION_REMOVE && (o->error == 0 || o->status == 412))
		removed(p, o);
	else if (o->error == 0)
		accepted(p, o);
	else if (!renew(p, o) && !raise_wish(p, o))
		fail(p, o);
	publication_run(p);
}
