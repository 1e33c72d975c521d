/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "protocol/base/err.h"
#include "protocol/msg/build.h"
#include "protocol/msg/refer-to.h"
#include "protocol/msg/sipfrag.h"
#include "protocol/ua/incoming.h"
#include "protocol/ua/limits.h"
#include "protocol/ua/refer-in-private.h"
#include "protocol/ua/session-observer.h"
#include "protocol/ua/session-private.h"
#include "protocol/ua/uas.h"

/*
 * A REFER of the peer's (RFC 3515, RFC 6665, RFC 4488).
 *
 *   came -> refused, or nobody decides: 603
 *        -> accepted, 200 -> [in the dialog: NOTIFY 100 ... NOTIFY with a final status] -> over
 *
 * What is in brackets is left out if the peer asked so by Refer-Sub: false. Only the newest state
 * is told: a NOTIFY waits for the answer to the one before, and a second.
 */

enum {
	TAG_BYTES = 8,
	RETRY_AFTER_BUSY = 5, /* seconds */
};

/* RFC 3515 3.10 */
#define PACE USEC_PER_SEC

static void go_on(struct refer_in *r);

static struct timerq *timers_of(const struct refer_in *r)
{
	return &r->ep->ua->timers;
}

static uint32_t cseq_of(const struct refer_in *r)
{
	return r->request->cseq;
}

static bool is_final(const struct refer_in *r)
{
	return r->status >= 200;
}

/* ---- the end ---- */

static void forget_transaction(struct refer_in *r)
{
	txn_forget(mem_take(&r->txn));
	timer_cancel(timers_of(r), &r->undecided);
}

/* Nobody is told any more; the record stays while its session may still ask for it. */
static void stop_notifying(struct refer_in *r)
{
	request_free(mem_take(&r->notify));
	timer_cancel(timers_of(r), &r->expiry);
	timer_cancel(timers_of(r), &r->pace);
	usage_leave(&r->usage);
}

void refer_in_free(struct refer_in *r)
{
	if (r->follows)
		session_observe(mem_take(&r->follows), NULL, NULL);
	forget_transaction(r);
	stop_notifying(r);
	list_remove(&r->in_leg);
	list_remove(&r->node);
	r->ep->n_refers_in--;
	msg_unref(r->request);
	flow_unref(r->flow);
	free(r->reason);
	free(r);
}

/* The subscription is over. */
static void over(struct refer_in *r)
{
	stop_notifying(r);
	/* Its session may still say how it went, in vain, unless that was said. */
	if (!r->leg || is_final(r))
		refer_in_free(r);
}

/* ---- NOTIFY ---- */

static void append_event(struct buf *b, const struct refer_in *r)
{
	struct buf v = BUF_NULL;

	buf_lit(&v, "refer");
	if (r->with_id) {
		buf_lit(&v, ";id=");
		buf_u64(&v, cseq_of(r));
	}
	build_header(b, HDR_EVENT, buf_slice(&v));
	buf_deinit(&v);
}

static uint32_t seconds_left(const struct refer_in *r)
{
	usec_t now = timers_of(r)->now;

	return r->expires > now ? (uint32_t)((r->expires - now + USEC_PER_SEC - 1) / USEC_PER_SEC)
				: 0;
}

static void append_state(struct buf *b, const struct refer_in *r)
{
	struct buf v = BUF_NULL;

	if (r->why_over)
		buf_printf(&v, "terminated;reason=%s", r->why_over);
	else
		buf_printf(&v, "active;expires=%u", seconds_left(r));
	build_header(b, HDR_SUBSCRIPTION_STATE, buf_slice(&v));
	buf_deinit(&v);
}

static void on_notified(void *owner, struct request *request, const struct outcome *o)
{
	struct refer_in *r = owner;
	/* Nothing heard, for whatever reason, is a timeout (RFC 6665 4.2.2, RFC 5057 5.2). */
	unsigned status = o->status ? o->status : 408;
	enum usage_damage damage = usage_damage_of(METHOD_NOTIFY, status);

	(void)request;
	r->notify = NULL;
	if (damage == USAGE_DIALOG_OVER)
		usage_dialog_over(&r->usage, status, o->reason);
	if (damage != USAGE_UNHARMED || r->last_sent)
		over(r);
	else
		go_on(r);
}

static const struct request_ops notify_ops = { .done = on_notified };

static void send_notify(struct refer_in *r)
{
	struct request_spec spec = {
		.method = SLICE("NOTIFY"),
		.dialog = r->usage.dialog,
		.contact = REQUEST_CONTACT,
		.redirects = REQUEST_HAND_BACK,
		.content_type = SLICE("message/sipfrag;version=2.0"),
	};
	struct buf lines = BUF_NULL, body = BUF_NULL;
	int error;

	append_event(&lines, r);
	append_state(&lines, r);
	sipfrag_append_status(&body, r->status, slice_str(r->reason));
	spec.lines = buf_slice(&lines);
	spec.body = buf_slice(&body);
	error = request_new(r->ep, &spec, &notify_ops, r, &r->notify);
	buf_deinit(&lines);
	buf_deinit(&body);
	r->dirty = false;
	r->last_sent = r->why_over != NULL;
	r->next_at = timers_of(r)->now + PACE;
	if (error < 0) {
		r->why_over = "giveup";
		timer_arm(timers_of(r), &r->expiry, 0);
	}
}

/* Sends what is to be told as soon as it may go. */
static void go_on(struct refer_in *r)
{
	if (!r->usage.dialog || r->notify || !r->dirty)
		return;
	if (r->next_at > timers_of(r)->now)
		timer_arm_at(timers_of(r), &r->pace, r->next_at);
	else
		send_notify(r);
}

static void on_pace(struct timer *t)
{
	go_on(container_of(t, struct refer_in, pace));
}

static void tell(struct refer_in *r)
{
	r->dirty = true;
	go_on(r);
}

static void end_subscription(struct refer_in *r, const char *why)
{
	if (r->why_over)
		return;
	r->why_over = why;
	timer_cancel(timers_of(r), &r->expiry);
	tell(r);
}

static void on_expiry(struct timer *t)
{
	struct refer_in *r = container_of(t, struct refer_in, expiry);

	if (r->why_over) /* and that could not be sent */
		over(r);
	else
		end_subscription(r, "timeout");
}

/* What was asked for goes on, or ended: the status and, if final, the end of the reports. */
static void note_status(struct refer_in *r, unsigned status, struct slice reason)
{
	char *copy;

	if (is_final(r))
		return;
	copy = slice_dup(reason);
	free(r->reason);
	r->reason = copy;
	r->status = status;
	if (is_final(r))
		end_subscription(r, "noresource");
	else
		tell(r);
	if (is_final(r) && !r->usage.dialog)
		refer_in_free(r);
}

/* ---- SUBSCRIBE to what is there: refreshed, or ended (RFC 3515 2.4.4, RFC 6665 4.2.1.4) ---- */

static void answer_subscribe(
	struct refer_in *r, struct flow *reply_flow, struct msg *m, uint32_t seconds)
{
	struct buf lines = BUF_NULL;

	build_header_u64(&lines, HDR_EXPIRES, seconds);
	refer_append_contact(&lines, r, m, reply_flow);
	uas_answer(r->ep->ua, reply_flow, m,
		&(struct uas_reply){ .status = 200, .headers = buf_slice(&lines) });
	buf_deinit(&lines);
}

static bool on_request(struct usage *u, struct flow *reply_flow, struct msg *m)
{
	struct refer_in *r = container_of(u, struct refer_in, usage);
	uint32_t seconds = LIMITS_REFER_SECONDS;
	struct event e;

	if (m->method != METHOD_SUBSCRIBE || !refer_event(m, &e) ||
		!refer_event_fits(&e, cseq_of(r)) || r->why_over)
		return false;
	if (msg_header(m, HDR_EXPIRES).p &&
		!msg_number(m, HDR_EXPIRES, LIMITS_REFER_MAX_SECONDS, &seconds))
		seconds = LIMITS_REFER_MAX_SECONDS;
	dialog_refresh_target(u->dialog, m);
	answer_subscribe(r, reply_flow, m, seconds);
	if (seconds == 0) {
		end_subscription(r, "timeout");
		return true;
	}
	r->expires = timers_of(r)->now + seconds * USEC_PER_SEC;
	timer_arm_at(timers_of(r), &r->expiry, r->expires);
	tell(r);
	return true;
}

static void on_dialog_over(struct usage *u, unsigned status, struct slice reason)
{
	(void)status;
	(void)reason;
	over(container_of(u, struct refer_in, usage));
}

static const struct usage_class usage_class = {
	.name = "referred",
	.request = on_request,
	.dialog_over = on_dialog_over,
};

/* A SUBSCRIBE that no REFER of this dialog takes: only a REFER makes such a subscription (2.4.4) */
static bool refuse_subscribe(struct leg *l, struct flow *reply_flow, struct msg *m)
{
	struct event e;

	if (!refer_event(m, &e))
		return false;
	list_for_each (node, &l->usage.dialog->usages) {
		struct usage *u = list_entry(node, struct usage, node);
		const struct refer_in *r = container_of(u, struct refer_in, usage);

		if (u->class == &usage_class && refer_event_fits(&e, cseq_of(r)) && !r->why_over)
			return false;
	}
	leg_refuse(l, reply_flow, m, 403, SLICE_NULL);
	return true;
}

/* ---- the decision ---- */

static bool wants_no_subscription(const struct refer_in *r)
{
	struct slice v = msg_header(r->request, HDR_REFER_SUB);

	return slice_eq_ci(slice_trim(slice_head(v, slice_find(v, ';'))), SLICE("false"));
}

static void reply(struct refer_in *r, unsigned status, struct slice headers, struct slice to_tag)
{
	struct uas_reply reply = { .status = status, .headers = headers, .to_tag = to_tag };
	struct buf b = BUF_NULL;

	uas_build_reply(&b, r->ep->ua, r->request, &reply);
	(void)txn_reply(r->txn, status, buf_slice(&b));
	buf_deinit(&b);
	forget_transaction(r);
}

/* In the dialog of the REFER, which is one of its own outside of any (RFC 7647 section 4). */
static int join(struct refer_in *r, struct slice to_tag)
{
	struct dialog *d = dialog_find_of_request(&r->ep->ua->dialogs, r->request);
	int error;

	if (!d) {
		error = dialog_new_server(&r->ep->ua->dialogs, r->request, to_tag, &d);
		if (error < 0)
			return error;
		dialog_confirm(d, NULL);
		flow_hold_set(&d->in, r->flow);
	}
	usage_join(&r->usage, &usage_class, d);
	r->expires = timers_of(r)->now + LIMITS_REFER_SECONDS * USEC_PER_SEC;
	timer_arm_at(timers_of(r), &r->expiry, r->expires);
	return 0;
}

/* Joins a dialog unless nobody wants that, and says what the 2xx carries. */
static int consent(struct refer_in *r, struct slice to_tag, struct buf *lines)
{
	bool silent = wants_no_subscription(r);
	int error = silent ? 0 : join(r, to_tag);

	if (error < 0)
		return error;
	r->accepted = true;
	if (r->request->to_tag.p == NULL)
		dialog_append_record_routes(lines, r->request);
	refer_append_contact(lines, r, r->request, r->flow);
	if (silent)
		build_header(lines, HDR_REFER_SUB, SLICE("false"));
	build_header(lines, HDR_SUPPORTED, SLICE("norefersub, tdialog"));
	return 0;
}

static int accept_with(struct refer_in *r, struct slice to_tag)
{
	struct buf lines = BUF_NULL;
	int error = consent(r, to_tag, &lines);

	reply(r, error < 0 ? 400 : 200, buf_slice(&lines), to_tag);
	buf_deinit(&lines);
	if (error < 0) {
		refer_in_free(r);
		return -ENOENT;
	}
	tell(r);
	return 0;
}

int refer_in_accept(struct refer_in *r)
{
	struct buf tag = BUF_NULL;
	int error;

	if (!r->txn)
		return -ESTALE;
	ua_random_hex(r->ep->ua, &tag, TAG_BYTES);
	error = accept_with(r, buf_slice(&tag));
	buf_deinit(&tag);
	return error;
}

int refer_in_reject(struct refer_in *r, unsigned status)
{
	struct buf tag = BUF_NULL;

	if (!r->txn)
		return -ESTALE;
	ua_random_hex(r->ep->ua, &tag, TAG_BYTES);
	reply(r, status, SLICE_NULL, buf_slice(&tag));
	buf_deinit(&tag);
	refer_in_free(r);
	return 0;
}

int refer_in_notify(struct refer_in *r, unsigned status, struct slice reason)
{
	if (!r->accepted || r->follows || is_final(r))
		return -ESTALE;
	note_status(r, status, reason);
	return 0;
}

/* 603 harms neither dialog nor session, unlike 480 (RFC 5057 5.1). */
static void on_undecided(struct timer *t)
{
	(void)refer_in_reject(container_of(t, struct refer_in, undecided), 603);
}

/* ---- the call that it led to ---- */

/* What a call that ended without an answer counts as, if nobody said more. */
static unsigned status_of_end(const struct ua_session_event *e)
{
	if (e->status >= 300)
		return e->status;
	switch (e->origin) {
	case ORIGIN_TIMEOUT:
		return 408;
	case ORIGIN_NETWORK:
		return 503;
	case ORIGIN_LOCAL:
	case ORIGIN_REMOTE:
		break;
	}
	return 487;
}

/* The peer's words are passed on; our own explanations are for whoever is here. */
static struct slice reason_of_end(const struct ua_session_event *e)
{
	return e->message && e->origin == ORIGIN_REMOTE ? e->message->reason : SLICE_NULL;
}

static bool on_event(void *owner, struct session *s, const struct ua_session_event *e)
{
	struct refer_in *r = owner;

	(void)s;
	switch (e->news) {
	case UA_SESSION_PROGRESS:
		note_status(r, e->status, e->reason);
		break;
	case UA_SESSION_ESTABLISHED:
		note_status(r, 200, SLICE("OK"));
		break;
	case UA_SESSION_TERMINATED:
		note_status(r, status_of_end(e), reason_of_end(e));
		break;
	case UA_SESSION_OFFER:
	case UA_SESSION_ANSWER:
	case UA_SESSION_MESSAGE:
	case UA_SESSION_INFO:
	case UA_SESSION_REFER:
	case UA_SESSION_REFER_PROGRESS:
	case UA_SESSION_REFER_FINISHED:
		break;
	}
	return false;
}

static void on_gone(void *owner, struct session *s)
{
	struct refer_in *r = owner;

	(void)s;
	r->follows = NULL;
	note_status(r, 503, SLICE_NULL);
}

static const struct session_observer observer = { .event = on_event, .gone = on_gone };

void refer_in_follow(struct refer_in *r, struct session *s)
{
	r->follows = s;
	session_observe(s, &observer, r);
}

/* ---- coming and going ---- */

static void on_failed(void *owner, struct txn *t, enum txn_failure why)
{
	struct refer_in *r = owner;

	(void)t;
	(void)why;
	refer_in_free(r);
}

static void on_ended(void *owner, struct txn *t)
{
	(void)t;
	refer_in_free(owner);
}

static const struct txn_server_ops server_ops = { .failed = on_failed, .ended = on_ended };

static void tell_session(struct refer_in *r, const struct refer_to *to)
{
	struct ua_session_event e = {
		.news = UA_SESSION_REFER,
		.origin = ORIGIN_REMOTE,
		.id = r->id,
		.refer_to = to->addr.uri.text,
		.referred_by = msg_header(r->request, HDR_REFERRED_BY),
		.message = r->request,
	};

	session_tell(r->leg->s, &e);
}

static struct refer_in *make(struct endpoint *ep, struct flow *reply_flow, struct msg *m)
{
	struct refer_in *r = mem_new(struct refer_in);

	r->ep = ep;
	r->request = msg_ref(m);
	r->flow = flow_ref(reply_flow);
	r->status = 100;
	r->reason = slice_dup(SLICE("Trying"));
	r->undecided.fire = on_undecided;
	r->expiry.fire = on_expiry;
	r->pace.fire = on_pace;
	list_append(&ep->refers_in, &r->node);
	ep->n_refers_in++;
	return r;
}

static struct refer_in *make_for(struct leg *l, struct flow *reply_flow, struct msg *m)
{
	struct refer_in *r = make(l->s->ep, reply_flow, m);

	r->txn = txn_server_new(&l->s->ua->txns, reply_flow, m, &server_ops, r);
	if (!r->txn) {
		refer_in_free(r);
		return NULL;
	}
	r->leg = l;
	r->id = ++l->s->n_referred;
	list_append(&l->refers_in, &r->in_leg);
	timer_arm(timers_of(r), &r->undecided, LIMITS_REFER_UNDECIDED_SECONDS * USEC_PER_SEC);
	return r;
}

static bool is_full(const struct leg *l)
{
	return list_length(&l->refers_in) >= LIMITS_REFERS_PER_SESSION ||
	       l->s->ep->n_refers_in >= LIMITS_REFERS_PER_ENDPOINT;
}

/* 2.4.2: exactly one; what kind of URI it is is for the owner of the session to judge. */
static unsigned check(const struct leg *l, const struct msg *m, struct refer_to *ret)
{
	struct slice value = msg_header(m, HDR_REFER_TO);

	if (!value.n || refer_to_parse(value, ret) < 0)
		return 400;
	if (l->s->state == SESSION_TERMINATING)
		return 487;
	return is_full(l) ? 500 : 0;
}

void refer_in_receive(struct leg *l, struct flow *reply_flow, struct msg *m)
{
	struct endpoint *ep = l->s->ep;
	struct buf headers = BUF_NULL, tag = BUF_NULL;
	struct uas_reply refusal = { 0 };
	struct refer_in *r;
	struct refer_to to;

	refusal.status = check(l, m, &to);
	if (!refusal.status) {
		r = make_for(l, reply_flow, m);
		if (r) {
			/* RFC 3515 2.4.6; one outside of dialogs is the first of its own. */
			r->with_id = m->to_tag.n && l->referred;
			l->referred = l->referred || m->to_tag.n;
			tell_session(r, &to);
			return;
		}
		refusal.status = 503;
	}
	if (refusal.status == 500)
		build_header_u64(&headers, HDR_RETRY_AFTER, RETRY_AFTER_BUSY);
	if (refusal.status == 400)
		refusal.reason = SLICE("Bad Refer-To");
	ua_random_hex(ep->ua, &tag, TAG_BYTES);
	refusal.to_tag = buf_slice(&tag);
	refusal.headers = buf_slice(&headers);
	uas_answer(ep->ua, reply_flow, m, &refusal);
	buf_deinit(&headers);
	buf_deinit(&tag);
}

bool refer_request(struct leg *l, struct flow *reply_flow, struct msg *m)
{
	if (m->method == METHOD_SUBSCRIBE)
		return refuse_subscribe(l, reply_flow, m);
	dialog_refresh_target(l->usage.dialog, m);
	refer_in_receive(l, reply_flow, m);
	return true;
}

void refer_in_detach(struct refer_in *r)
{
	if (r->txn) {
		/* 15.1.2: what waits for an answer when BYE comes gets 487. */
		(void)refer_in_reject(r, 487);
		return;
	}
	list_remove(&r->in_leg);
	r->leg = NULL;
	if (!r->usage.dialog)
		refer_in_free(r);
	else if (!r->follows)
		end_subscription(r, "noresource"); /* nobody is left who could say more */
}

/* ---- outside of sessions ---- */

int refer_consent(
	struct incoming *in, struct slice to_tag, struct buf *lines, struct refer_in **ret_refer)
{
	struct refer_in *r;
	int error;

	if (in->ep->n_refers_in >= LIMITS_REFERS_PER_ENDPOINT)
		return -ENOSPC;
	r = make(in->ep, txn_flow(in->txn), in->request);
	error = consent(r, to_tag, lines);
	if (error < 0)
		refer_in_free(r);
	else
		*ret_refer = r;
	return error;
}

void refer_report_nothing(struct refer_in *r)
{
	if (!r->usage.dialog)
		refer_in_free(r);
	else
		end_subscription(r, "noresource");
}
