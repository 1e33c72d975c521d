/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "protocol/base/err.h"
#include "protocol/msg/build.h"
#include "protocol/msg/sipfrag.h"
#include "protocol/msg/substate.h"
#include "protocol/ua/limits.h"
#include "protocol/ua/refer-in-private.h"
#include "protocol/ua/session-private.h"
#include "protocol/ua/uas.h"

/*
 * A REFER of ours, from the request to its one outcome (RFC 3515, RFC 6665, RFC 4488).
 *
 *   sent -> refused                                                          outcome, over
 *        -> granted without subscription (Refer-Sub: false)                  outcome, over
 *        -> accepted -> NOTIFY 1xx... -> NOTIFY with a final status          outcome
 *                                     -> terminated, expired, never a NOTIFY outcome if none, over
 *
 * A NOTIFY may come before the answer to the REFER (2.4.4), and the leg may be over before either.
 */

enum {
	CALL_ID_BYTES = 16,
	TAG_BYTES = 8,
	/* A terminal NOTIFY may be on its way when a subscription expires (RFC 6665 4.2.1.4). */
	GRACE_T1 = 64,
};

static struct refer *of(struct usage *u)
{
	return container_of(u, struct refer, usage);
}

/* ---- the end ---- */

void refer_outcome(struct refer *r, unsigned status, struct slice reason, enum origin origin)
{
	struct ua_session_event e = {
		.news = UA_SESSION_REFER_FINISHED,
		.status = status,
		.reason = reason,
		.origin = origin,
	};

	if (r->end.known)
		return;
	r->end.known = true;
	r->end.status = status;
	r->end.reason = slice_dup(reason);
	r->end.origin = origin;
	if (!r->leg)
		return;
	session_tell(r->leg->s, &e);
	/* From here on the session neither counts it nor hears of it. */
	list_remove(&r->in_leg);
	session_refer_ended(mem_take(&r->leg)->s);
}

static void stop(struct refer *r)
{
	struct ua *ua = r->ep->ua;

	request_free(mem_take(&r->request));
	request_free(mem_take(&r->subscribe));
	timer_cancel(&ua->timers, &r->timer);
	map_remove(&ua->refers, &r->by_call);
	list_remove(&r->in_leg);
	r->leg = NULL;
	usage_leave(&r->usage);
}

void refer_destroy(struct refer *r)
{
	if (list_is_linked(&r->node)) {
		stop(r);
		list_remove(&r->node);
		r->ep->n_refers--;
	}
	r->dead = true;
	if (r->delivering)
		return;
	refer_drop_news(r);
	msg_unref(r->last);
	free(r->call_key);
	free(r->end.reason);
	free(r->end.why);
	free(r);
}

void refer_over(struct refer *r)
{
	refer_outcome(r, 0, SLICE("the peer told no outcome"), ORIGIN_REMOTE);
	r->state = REFER_TERMINATED;
	if (!r->ops) {
		refer_destroy(r);
		return;
	}
	stop(r);
	later_queue(&r->ep->ua->later, &r->note);
}

void refer_retire(struct leg *l)
{
	list_for_each_safe (node, next, &l->refers_in)
		refer_in_detach(list_entry(node, struct refer_in, in_leg));
}

void refer_stop(struct leg *l)
{
	list_for_each_safe (node, next, &l->refers)
		refer_outcome(list_entry(node, struct refer, in_leg), 0, SLICE("the session ended"),
			ORIGIN_LOCAL);
	refer_retire(l);
}

static void on_timer(struct timer *t)
{
	struct refer *r = container_of(t, struct refer, timer);

	if (r->last)
		refer_outcome(r, 0, SLICE("the subscription expired"), ORIGIN_TIMEOUT);
	else /* RFC 6665 4.1.2.4, Timer N */
		refer_outcome(r, 0, SLICE("no NOTIFY came"), ORIGIN_TIMEOUT);
	refer_over(r);
}

/* ---- NOTIFY ---- */

/* What a NOTIFY says, and what it deserves. */
struct notice {
	unsigned answer;
	struct slice answer_reason, answer_headers;
	struct substate sub;
	unsigned status; /* of what was asked for; 0: not said */
	struct slice reason;
};

static bool is_sipfrag(struct slice content_type)
{
	struct slice type = slice_trim(slice_head(content_type, slice_find(content_type, ';')));

	return slice_eq_ci(type, SLICE("message/sipfrag"));
}

static void refuse(struct notice *n, unsigned status, struct slice reason)
{
	n->answer = status;
	n->answer_reason = reason;
}

/* RFC 3515 2.4.5: a body always; but the end may be told without one by who knows nothing. */
static void read_notice(const struct msg *m, struct notice *n)
{
	*n = (struct notice){ .answer = 200, .sub.state = SUBSTATE_ACTIVE };
	if (substate_parse(msg_header(m, HDR_SUBSCRIPTION_STATE), &n->sub) < 0) {
		refuse(n, 400, SLICE("Bad Subscription-State"));
	} else if (!m->body.n) {
		if (n->sub.state != SUBSTATE_TERMINATED)
			refuse(n, 400, SLICE("Missing sipfrag"));
	} else if (!is_sipfrag(m->content_type)) {
		refuse(n, 415, SLICE_NULL);
		n->answer_headers = SLICE("Accept: message/sipfrag\r\n");
	} else if (sipfrag_status(m->body, &n->status, &n->reason) < 0) {
		refuse(n, 400, SLICE("Bad sipfrag"));
	}
}

static void answer(struct refer *r, struct flow *reply_flow, struct msg *m, const struct notice *n)
{
	uas_answer(r->ep->ua, reply_flow, m,
		&(struct uas_reply){ .status = n->answer,
			.reason = n->answer_reason,
			.headers = n->answer_headers });
}

static void tell_progress(struct refer *r, const struct notice *n)
{
	struct ua_session_event e = {
		.news = UA_SESSION_REFER_PROGRESS,
		.status = n->status,
		.reason = n->reason,
		.origin = ORIGIN_REMOTE,
	};

	if (n->status >= 200)
		refer_outcome(r, n->status, n->reason, ORIGIN_REMOTE);
	else if (n->status && r->leg)
		session_tell(r->leg->s, &e);
}

/* The subscription is over, whatever was wrong with the message that says so (RFC 6665 4.1.3). */
static void terminated(struct refer *r, const struct notice *n)
{
	struct buf b = BUF_NULL;

	r->end.why = slice_dup(n->sub.reason);
	r->end.retry_after = n->sub.retry_after;
	buf_lit(&b, "the peer ended its reports");
	if (n->sub.reason.n)
		buf_printf(&b, ": %.*s", SLICE_ARGS(n->sub.reason));
	refer_outcome(r, 0, buf_slice(&b), ORIGIN_REMOTE);
	buf_deinit(&b);
	timer_cancel(&r->ep->ua->timers, &r->timer);
	r->state = REFER_TERMINATED;
	/* The answer to the REFER is still to come, in this dialog. */
	if (!r->request)
		refer_over(r);
}

static void go_on(struct refer *r, const struct notice *n)
{
	struct timerq *timers = &r->ep->ua->timers;
	uint32_t seconds = n->sub.has_expires ? n->sub.expires : LIMITS_REFER_SECONDS;

	if (seconds > LIMITS_REFER_MAX_SECONDS)
		seconds = LIMITS_REFER_MAX_SECONDS;
	r->state = REFER_ACTIVE;
	/* RFC 3265 let expires be left out: then what was said before holds. */
	if (r->expires && !n->sub.has_expires)
		return;
	r->expires = timers->now + seconds * USEC_PER_SEC;
	timer_arm_at(timers, &r->timer, r->expires + GRACE_T1 * TIMER_T1);
}

static void receive(struct refer *r, struct flow *reply_flow, struct msg *m)
{
	struct notice n;

	read_notice(m, &n);
	answer(r, reply_flow, m, &n);
	if (n.answer == 200) {
		dialog_refresh_target(r->usage.dialog, m);
		msg_unref(r->last);
		r->last = msg_ref(m);
		refer_tell(r, m);
		tell_progress(r, &n);
	}
	if (n.sub.state == SUBSTATE_TERMINATED)
		terminated(r, &n);
	else if (n.answer == 200)
		go_on(r, &n);
}

static uint32_t cseq_of(const struct refer *r)
{
	return r->request ? request_cseq(r->request) : r->cseq;
}

static bool on_request(struct usage *u, struct flow *reply_flow, struct msg *m)
{
	struct refer *r = of(u);
	struct event e;

	if (m->method != METHOD_NOTIFY || r->state == REFER_TERMINATED || !refer_event(m, &e) ||
		!refer_event_fits(&e, cseq_of(r)))
		return false;
	receive(r, reply_flow, m);
	return true;
}

static void on_dialog_over(struct usage *u, unsigned status, struct slice reason)
{
	struct refer *r = of(u);
	struct buf b = BUF_NULL;

	buf_printf(&b, "the dialog ended: %u %.*s", status, SLICE_ARGS(reason));
	refer_outcome(r, 0, buf_slice(&b), ORIGIN_REMOTE);
	buf_deinit(&b);
	refer_over(r);
}

static const struct usage_class usage_class = {
	.name = "refer",
	.request = on_request,
	.dialog_over = on_dialog_over,
};

/*
 * RFC 6665 4.4.1: the NOTIFY makes the dialog, and says which way it goes. The first one counts;
 * other recipients of a REFER that was forked have nobody here who would listen (RFC 3515 3.9 lets
 * them be followed each by itself).
 */
bool refer_first_notify(struct ua *ua, struct flow *reply_flow, struct msg *m)
{
	struct buf key = BUF_NULL;
	struct map_node *node;
	struct refer *r;
	struct dialog *d;
	struct event e;

	buf_put(&key, m->call_id);
	buf_putc(&key, '\n');
	buf_put(&key, m->to_tag);
	node = map_find(&ua->refers, buf_slice(&key));
	buf_deinit(&key);
	if (!node || !refer_event(m, &e))
		return false;
	r = container_of(node, struct refer, by_call);
	if (!refer_event_fits(&e, cseq_of(r)))
		return false;
	if (dialog_new_server(&ua->dialogs, m, r->tag, &d) < 0) {
		uas_answer(r->ep->ua, reply_flow, m,
			&(struct uas_reply){ .status = 400, .reason = SLICE("Bad Contact") });
		return true;
	}
	dialog_confirm(d, NULL);
	flow_hold_set(&d->in, reply_flow);
	d->local_cseq = cseq_of(r);
	map_remove(&ua->refers, &r->by_call);
	usage_join(&r->usage, &usage_class, d);
	receive(r, reply_flow, m);
	return true;
}

/* ---- the request ---- */

/* Refer-Sub: false in a 2xx: nothing more will be told (RFC 4488 section 4). */
static bool is_granted(const struct msg *m)
{
	struct slice v = msg_header(m, HDR_REFER_SUB);

	return slice_eq_ci(slice_trim(slice_head(v, slice_find(v, ';'))), SLICE("false"));
}

static void on_accepted(struct refer *r, const struct msg *m)
{
	if (r->usage.dialog)
		dialog_refresh_target(r->usage.dialog, m);
	if (r->no_subscription && is_granted(m)) {
		refer_outcome(r, m->status, m->reason, ORIGIN_REMOTE);
		refer_over(r);
	} else if (r->state == REFER_TERMINATED) {
		refer_over(r);
	} else {
		refer_tell(r, NULL);
		if (!r->last)
			timer_arm(&r->ep->ua->timers, &r->timer, 64 * TIMER_T1);
	}
}

static void on_done(void *owner, struct request *request, const struct outcome *o)
{
	struct refer *r = owner;
	bool inside = r->leg && r->usage.dialog == r->leg->usage.dialog;
	struct leg *l = inside ? r->leg : NULL;

	r->cseq = request_cseq(request);
	r->request = NULL;
	if (o->error == 0) {
		on_accepted(r, o->response);
		return;
	}
	refer_outcome(r, o->status, o->reason, o->origin);
	refer_over(r);
	if (l)
		leg_judge(l, METHOD_REFER, o);
}

static const struct request_ops request_ops = { .done = on_done };

/* The id that a refresh names: ours is the first only where no other REFER went (2.4.6). */
static void append_event(struct buf *b, const struct refer *r)
{
	struct event e;
	struct buf v = BUF_NULL;

	buf_lit(&v, "refer");
	if (r->last && refer_event(r->last, &e) && e.id.p) {
		buf_lit(&v, ";id=");
		buf_put(&v, e.id);
	}
	build_header(b, HDR_EVENT, buf_slice(&v));
	buf_deinit(&v);
}

static void on_subscribed(void *owner, struct request *request, const struct outcome *o)
{
	struct refer *r = owner;
	unsigned status = o->origin == ORIGIN_TIMEOUT ? 408 : o->status;

	(void)request;
	r->subscribe = NULL;
	if (o->error == 0)
		return;
	switch (usage_damage_of(METHOD_SUBSCRIBE, status)) {
	case USAGE_UNHARMED:
		return;
	case USAGE_DIALOG_OVER:
		usage_dialog_over(&r->usage, status, o->reason);
		break;
	case USAGE_ENDED:
		break;
	}
	refer_outcome(r, 0, o->reason, o->origin);
	refer_over(r);
}

static const struct request_ops subscribe_ops = { .done = on_subscribed };

int refer_subscribe(struct refer *r, uint32_t expires)
{
	UA_SCOPE(r->ep->ua);
	struct request_spec spec = {
		.method = SLICE("SUBSCRIBE"),
		.dialog = r->usage.dialog,
		.contact = REQUEST_CONTACT,
		.redirects = REQUEST_HAND_BACK,
	};
	struct buf lines = BUF_NULL;
	int error;

	if (!r->usage.dialog || r->state == REFER_TERMINATED)
		return -ESTALE;
	if (r->subscribe)
		return -EBUSY;
	append_event(&lines, r);
	build_header_u64(&lines, HDR_EXPIRES, expires);
	spec.lines = buf_slice(&lines);
	error = request_new(r->ep, &spec, &subscribe_ops, r, &r->subscribe);
	buf_deinit(&lines);
	/* The terminal NOTIFY is the end; whoever never sends it is not waited for. */
	if (error == 0 && expires == 0)
		timer_arm(&r->ep->ua->timers, &r->timer, GRACE_T1 * TIMER_T1);
	return error;
}

static void append_lines(struct buf *b, const struct refer_wish *w)
{
	struct buf v = BUF_NULL;

	buf_putc(&v, '<');
	buf_put(&v, w->refer_to);
	buf_putc(&v, '>');
	build_header(b, HDR_REFER_TO, buf_slice(&v));
	buf_deinit(&v);
	if (w->referred_by.n)
		build_header(b, HDR_REFERRED_BY, w->referred_by);
	if (w->no_subscription)
		build_header(b, HDR_REFER_SUB, SLICE("false"));
	build_header(b, HDR_SUPPORTED, SLICE("norefersub, tdialog"));
	buf_put(b, w->lines);
}

/* Names of its own, by which the first NOTIFY finds us. */
static void name_call(struct refer *r)
{
	struct ua *ua = r->ep->ua;
	struct buf b = BUF_NULL;
	size_t n;

	ua_random_hex(ua, &b, CALL_ID_BYTES);
	n = b.n;
	buf_putc(&b, '\n');
	ua_random_hex(ua, &b, TAG_BYTES);
	r->call_key = buf_take(&b);
	r->call_id = slice_of(r->call_key, n);
	r->tag = slice_str(r->call_key + n + 1);
	map_insert(&ua->refers, &r->by_call, slice_str(r->call_key));
}

static int send(struct refer *r, struct leg *leg, const struct refer_wish *w)
{
	struct request_spec spec = {
		.method = SLICE("REFER"),
		.uri = w->target,
		.route = w->route,
		.contact = REQUEST_CONTACT,
	};
	struct buf lines = BUF_NULL;
	int error;

	append_lines(&lines, w);
	spec.lines = buf_slice(&lines);
	if (leg) {
		usage_join(&r->usage, &usage_class, leg->usage.dialog);
		error = leg_request(leg, &spec, &request_ops, r, &r->request);
	} else {
		name_call(r);
		spec.call_id = r->call_id;
		spec.from_tag = r->tag;
		error = request_new(r->ep, &spec, &request_ops, r, &r->request);
	}
	buf_deinit(&lines);
	return error;
}

int refer_send(
	struct endpoint *ep, struct leg *leg, const struct refer_wish *w, struct refer **ret_refer)
{
	struct refer *r;
	int error;

	if (ep->n_refers >= LIMITS_REFERS_PER_ENDPOINT)
		return -ENOSPC;
	r = mem_new(struct refer);
	r->ep = ep;
	r->no_subscription = w->no_subscription;
	r->timer.fire = on_timer;
	list_append(&ep->refers, &r->node);
	ep->n_refers++;
	error = send(r, leg, w);
	if (error < 0) {
		refer_destroy(r);
		return error;
	}
	*ret_refer = r;
	return 0;
}
