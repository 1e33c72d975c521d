/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "protocol/base/err.h"
#include "protocol/msg/build.h"
#include "protocol/msg/privacy.h"
#include "protocol/ua/limits.h"
#include "protocol/ua/microsoft-subscribe.h"
#include "protocol/ua/subscription-fork.h"

enum {
	CALL_ID_BYTES = 16,
	TAG_BYTES = 8,
	TIMER_N_T1 = 64, /* RFC 6665 4.1.2.4 */
};

/* ---- what a SUBSCRIBE says ---- */

enum place { OUTSIDE, IN_DIALOG };

/* Whether it names its resources: once for a dialog (RFC 5367 3.2), or each time. */
static bool names_targets(const struct subscription *s, enum place place)
{
	return s->targets.body.n && (place == OUTSIDE || s->targets.repeated);
}

static void append_lines(
	struct buf *b, const struct subscription *s, uint32_t expires, enum place place)
{
	build_header(b, HDR_EVENT, slice_str(s->event));
	build_header_u64(b, HDR_EXPIRES, expires);
	if (s->accept[0])
		build_header(b, HDR_ACCEPT, slice_str(s->accept));
	/* RFC 4662 4.1: in every one, for each may be where the list is first heard of. */
	if (s->list == SUBSCRIPTION_LIST)
		build_header(b, HDR_SUPPORTED, SLICE("eventlist"));
	if (names_targets(s, place))
		buf_put(b, s->targets.lines);
	microsoft_append_subscribe(b, s->ep);
	buf_put(b, buf_slice(&s->lines));
}

/* RFC 5839 5.2: what is known already need not be told again. */
static void append_condition(struct buf *b, const char *etag)
{
	build_header_named(b, SLICE("Suppress-If-Match"), slice_str(etag));
}

static void fill(struct request_spec *spec, const struct subscription *s, struct buf *lines,
	enum place place)
{
	spec->method = SLICE("SUBSCRIBE");
	spec->contact = REQUEST_CONTACT;
	spec->lines = buf_slice(lines);
	spec->content_type = slice_str(s->content_type);
	spec->body = slice_of(s->body, s->body_n);
	if (names_targets(s, place)) {
		spec->content_type = s->targets.content_type;
		spec->body = buf_slice(&s->targets.body);
	}
}

/* ---- the first of an attempt ---- */

void subscription_forget_call(struct subscription *s)
{
	map_remove(&s->ep->ua->subscriptions, &s->by_call);
	msg_unref(mem_take(&s->accepted));
}

/* 4.1.2.2: a fresh Call-ID and a new tag, for it has nothing to do with what was before. */
static void name_call(struct subscription *s)
{
	struct ua *ua = s->ep->ua;
	struct buf b = BUF_NULL;
	size_t n;

	subscription_forget_call(s);
	free(s->call_key);
	ua_random_hex(ua, &b, CALL_ID_BYTES);
	n = b.n;
	buf_putc(&b, '\n');
	ua_random_hex(ua, &b, TAG_BYTES);
	s->call_key = buf_take(&b);
	s->call_id = slice_of(s->call_key, n);
	s->tag = slice_str(s->call_key + n + 1);
	map_insert(&ua->subscriptions, &s->by_call, slice_str(s->call_key));
}

/* A 2xx may come after the NOTIFYs that it announces (4.1.2.4), or after their end. */
static void on_accepted(struct subscription *s, const struct outcome *o)
{
	const struct msg *m = o->response;
	uint32_t seconds;

	s->accepted = msg_ref(m);
	s->granted = s->asked;
	if (msg_number(m, HDR_EXPIRES, UINT32_MAX, &seconds) && seconds < s->granted)
		s->granted = seconds;
	list_for_each_safe (node, next, &s->forks) {
		struct subscription_fork *f = list_entry(node, struct subscription_fork, node);

		if (f->usage.dialog->local_cseq < s->cseq)
			f->usage.dialog->local_cseq = s->cseq;
		subscription_fork_route(f);
		subscription_fork_granted(f, s->granted);
	}
	/*
	 * Timer N: counted from here, as the SUBSCRIBE may have tried several ways and credentials
	 * before it got where the NOTIFY comes from.
	 */
	s->hears_until = s->ep->ua->timers.now + TIMER_N_T1 * TIMER_T1;
	timer_arm_at(&s->ep->ua->timers, &s->timer, s->hears_until);
	if (s->judged) {
		subscription_settle(s);
	} else {
		subscription_update_state(s);
		subscription_fork_ride(s, o);
	}
}

static void on_refused(struct subscription *s, const struct outcome *o)
{
	struct buf why cleanup_buf = BUF_NULL;
	struct subscription_verdict v;

	if (o->status == 423 && !s->n_forks && !s->raised && subscription_raise(s, o->response)) {
		s->raised = true;
		if (subscription_send_again(s) == 0)
			return;
	}
	turn_end(&s->ep->subscribes, &s->turn);
	if (s->n_forks || s->judged) {
		/* Somebody did accept it, whatever became of the answer, and as it was asked. */
		list_for_each (node, &s->forks)
			subscription_fork_granted(
				list_entry(node, struct subscription_fork, node), s->asked);
		subscription_settle(s);
		return;
	}
	/* What is not understood, or has to be, says more than "420 Bad Extension". */
	outcome_append_reason(&why, o);
	subscription_judge_outcome(o, &v);
	v.end.reason = buf_slice(&why);
	subscription_ended(s, &v);
}

static void on_done(void *owner, struct request *request, const struct outcome *o)
{
	struct subscription *s = owner;

	s->cseq = request_cseq(request);
	s->request = NULL;
	if (o->error < 0) {
		on_refused(s, o);
		return;
	}
	turn_end(&s->ep->subscribes, &s->turn);
	on_accepted(s, o);
}

static const struct request_ops request_ops = { .done = on_done };

int subscription_send_again(struct subscription *s)
{
	struct request_spec spec = {
		.uri = slice_str(s->target),
		.call_id = s->call_id,
		.from_tag = s->tag,
		.cseq = s->cseq + 1,
	};
	struct buf lines = BUF_NULL;
	int error;

	append_lines(&lines, s, s->ask, OUTSIDE);
	if (s->etag && !s->plain) /* RFC 5839 5.5: it is resumed */
		append_condition(&lines, s->etag);
	fill(&spec, s, &lines, OUTSIDE);
	s->asked = s->ask;
	s->granted = 0;
	s->told = s->version;
	s->hides = privacy_in_lines(buf_slice(&lines));
	error = request_new(s->ep, &spec, &request_ops, s, &s->request);
	buf_deinit(&lines);
	return error;
}

int subscription_send(struct subscription *s)
{
	name_call(s);
	s->cseq = 0;
	s->judged = s->raised = s->heard = false;
	s->hears_until = 0;
	return subscription_send_again(s);
}

bool subscription_raise(struct subscription *s, const struct msg *response)
{
	uint32_t least;

	if (!s->ask || !msg_number(response, HDR_MIN_EXPIRES, LIMITS_EXPIRES, &least) ||
		least <= s->ask)
		return false;
	s->ask = least;
	return true;
}

/* ---- in a dialog ---- */

int subscription_send_in(
	struct subscription_fork *f, uint32_t expires, const struct request_ops *ops)
{
	struct request_spec spec = {
		.dialog = f->usage.dialog,
		.redirects = REQUEST_HAND_BACK,
	};
	struct buf lines = BUF_NULL;
	int error;

	append_lines(&lines, f->s, expires, IN_DIALOG);
	f->conditional = f->etag && !f->s->plain;
	if (f->conditional)
		append_condition(&lines, expires ? f->etag : "*");
	fill(&spec, f->s, &lines, IN_DIALOG);
	error = request_new(f->s->ep, &spec, ops, f, &f->request);
	buf_deinit(&lines);
	return error;
}
