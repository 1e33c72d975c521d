/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "protocol/base/err.h"
#include "protocol/msg/msg.h"
#include "protocol/ua/keepalive.h"
#include "protocol/ua/limits.h"
#include "protocol/ua/microsoft-redirect.h"
#include "protocol/ua/microsoft-subscribe.h"
#include "protocol/ua/microsoft.h"
#include "protocol/ua/publication.h"
#include "protocol/ua/registration-flows.h"
#include "protocol/ua/registration-private.h"
#include "protocol/ua/session-endpoint.h"
#include "protocol/ua/subscriber.h"
#include "protocol/ua/subscription.h"

/* How attempts end, what is told of it and what follows from it. */

/* A flow that breaks sooner than this after a registration is a failure of its own. */
#define STABLE (60 * USEC_PER_SEC)

/* ---- telling ---- */

/* An outcome on its way to the listener. */
struct news {
	struct later_note note;
	struct list node;
	struct endpoint *ep;
	enum ua_verb verb;
	struct outcome outcome;
	char *reason;
	struct msg *response;
};

static void news_free(struct news *n)
{
	later_cancel(&n->note);
	list_remove(&n->node);
	msg_unref(n->response);
	free(n->reason);
	free(n);
}

static void deliver(struct later_note *note)
{
	struct news *n = container_of(note, struct news, note);
	struct ua *ua = n->ep->ua;

	/* Off the list first: the listener may free the endpoint. */
	list_remove(&n->node);
	if (ua->listener)
		ua->listener->registration_done(ua->listener_ctx, n->ep, n->verb, &n->outcome);
	news_free(n);
}

void registration_tell(struct registration *r, enum ua_verb verb, const struct outcome *o)
{
	struct news *n;

	/* After the endpoint's own note: who hears the outcome finds the properties changed. */
	endpoint_mark(r->ep, UA_CHANGE_REGISTRATION);
	if (r != r->ep->registration)
		return; /* The first speaks for all. */
	n = mem_new(struct news);
	n->ep = r->ep;
	n->verb = verb;
	n->reason = slice_dup(o->reason);
	n->response = o->response ? msg_ref(o->response) : NULL;
	n->outcome = *o;
	n->outcome.reason = slice_str(n->reason);
	n->note.deliver = deliver;
	list_append(&r->news, &n->node);
	if (verb == UA_REGISTER || !registration_is_busy(r->next))
		later_queue(&r->ep->ua->later, &n->note);
}

void registration_release_news(struct registration *first)
{
	if (registration_is_busy(first->next))
		return;
	list_for_each (node, &first->news)
		later_queue(&first->ep->ua->later, &list_entry(node, struct news, node)->note);
}

void registration_forget_news(struct registration *r)
{
	struct list *node;

	while ((node = list_first(&r->news)))
		news_free(list_entry(node, struct news, node));
}

/* ---- what a failure means ---- */

enum verdict {
	VERDICT_PASSES,
	VERDICT_NO_WAY,      /* tried again when the network is back */
	VERDICT_REFUSED,     /* tried again slowly */
	VERDICT_CREDENTIALS, /* not tried again */
};

static enum verdict judge_status(unsigned status)
{
	switch (status) {
	case 408:
	case 430: /* RFC 5626 11.5: the flow failed */
	case 480:
		return VERDICT_PASSES;
	case 603: /* declined */
	case 604: /* does not exist anywhere */
	case 607: /* unwanted, RFC 8197 */
	case 608: /* rejected, RFC 8688 */
		return VERDICT_REFUSED;
	default:
		return status < 500 ? VERDICT_REFUSED : VERDICT_PASSES;
	}
}

static enum verdict judge(const struct outcome *o)
{
	switch (o->origin) {
	case ORIGIN_NETWORK:
		return o->error == -ENETUNREACH ? VERDICT_NO_WAY : VERDICT_PASSES;
	case ORIGIN_TIMEOUT:
		return VERDICT_PASSES;
	case ORIGIN_LOCAL: /* a full table passes, a request that cannot be made does not */
		return o->error == -ENOSPC ? VERDICT_PASSES : VERDICT_REFUSED;
	case ORIGIN_REMOTE:
		break;
	}
	if (o->error == -EACCES)
		return VERDICT_CREDENTIALS;
	/* Of the 2xx only those come here that did not register us. */
	return o->status < 300 ? VERDICT_PASSES : judge_status(o->status);
}

static char *explain(const struct registration *r, const struct outcome *o)
{
	struct buf b = BUF_NULL;

	buf_put(&b, o->reason);
	if (o->response && microsoft_is_on(r->ep))
		microsoft_append_diagnostics(&b, o->response);
	return buf_take(&b);
}

static void remember(struct registration *r, const struct outcome *o)
{
	free(r->last_reason);
	r->last_status = o->status;
	r->last_reason = o->error ? explain(r, o) : NULL;
	r->last_origin = o->origin;
}

void registration_overtaken(struct registration *r)
{
	const struct outcome o = {
		.reason = SLICE("expired: the registrar does not answer others either"),
		.origin = ORIGIN_TIMEOUT,
		.error = -ETIMEDOUT,
	};

	remember(r, &o);
}

static uint64_t dice(const struct registration *r)
{
	uint64_t random;

	ua_random(r->ep->ua, &random, sizeof(random));
	return random;
}

/* ---- REGISTER failed ---- */

/* RFC 5626 section 4.5: whether all flows have failed sets the pace. */
static usec_t back_off(const struct registration *r, unsigned failures)
{
	const struct registration *other = registration_other_flow(r->ep, r->flow);

	return backoff_delay(
		other ? REGISTRATION_BASE_OTHERS : REGISTRATION_BASE_ALL, failures, dice(r));
}

static void try_again_later(struct registration *r, const struct outcome *o)
{
	usec_t now = r->ep->ua->timers.now;
	usec_t delay = back_off(r, r->failures);
	bool still_good = r->state == REGISTRATION_REGISTERED && !r->flow_gone && r->expires > now;
	uint32_t seconds;

	if (still_good)
		delay = backoff_hurry(delay, r->expires - now);
	if (o->response && msg_retry_after(o->response, &seconds))
		delay = backoff_not_before(delay, seconds, dice(r));
	r->next_attempt = now + delay;
	if (!still_good)
		registration_set_state(r, REGISTRATION_WAITING);
}

/*
 * There is neither address nor route that leads to the registrar. Trying would send nothing: we
 * wait until the host says that the network has changed, and look by ourselves now and then.
 */
static void wait_for_network(struct registration *r, const struct outcome *o)
{
	r->failures--; /* it says nothing of the registrar */
	if (!r->ep->ua->host->tells_network) {
		try_again_later(r, o);
		return;
	}
	r->next_attempt = r->ep->ua->timers.now + backoff_slow_delay(dice(r));
	if (r->state != REGISTRATION_REGISTERED || r->flow_gone)
		registration_set_state(r, REGISTRATION_WAITING);
}

static void fail(struct registration *r, const struct outcome *o)
{
	if (r->failures < UINT32_MAX)
		r->failures++;
	remember(r, o);
	switch (judge(o)) {
	case VERDICT_PASSES:
		try_again_later(r, o);
		break;
	case VERDICT_NO_WAY:
		wait_for_network(r, o);
		break;
	case VERDICT_REFUSED:
		r->next_attempt = r->ep->ua->timers.now + backoff_slow_delay(dice(r));
		registration_set_state(r, REGISTRATION_FAILED);
		break;
	case VERDICT_CREDENTIALS:
		r->next_attempt = 0;
		registration_set_state(r, REGISTRATION_FAILED);
		break;
	}
	registration_tell(r, UA_REGISTER, o);
	microsoft_redirect_ended(r->ep);
	/* What is left of a binding is where it was made. */
	if (r->state != REGISTRATION_REGISTERED)
		microsoft_go_home(r->ep);
}

/* ---- REGISTER succeeded ---- */

static char *contact_over(const struct registration *r, const struct flow *flow)
{
	struct buf b = BUF_NULL;
	struct uri aor;
	bool sips = uri_parse(slice_str(r->ep->uri), &aor) == 0 && aor.scheme == URI_SIPS;

	/* As request-build.c wrote it for the Request-URI, which has the scheme of the AOR. */
	endpoint_append_contact_uri(&b, r->ep, flow, sips ? URI_SIPS : URI_SIP);
	return buf_take(&b);
}

static void succeed(struct registration *r, const struct outcome *o, uint32_t granted)
{
	usec_t now = r->ep->ua->timers.now;
	bool moved = r->flow_gone;
	bool anew =
		moved || registration_overall_state(r->ep->registration) != REGISTRATION_REGISTERED;

	r->failures = 0;
	r->flow_gone = false;
	r->since = now;
	r->expires = now + granted * USEC_PER_SEC;
	r->next_attempt = now + backoff_refresh_delay(granted, dice(r));
	remember(r, o);
	microsoft_redirect_ended(r->ep);
	microsoft_keepalive_obey(r->ep, o->response);
	microsoft_learn_batches(r->ep, o->response);
	registration_set_state(r, REGISTRATION_REGISTERED);
	registration_tell(r, UA_REGISTER, o);
	if (moved) {
		session_endpoint_moved(r->ep);
		subscriber_endpoint_moved(r->ep);
	}
	if (anew) {
		publication_endpoint_hint(r->ep, PUBLICATION_REGISTERED_ANEW);
		subscription_endpoint_revived(r->ep);
	}
}

/* RFC 5626 section 4.2.1: Require says that registrar and first hop do what it asks for. */
static void take_outbound(struct registration *r, const struct msg *m)
{
	bool yes = msg_has_token(m, HDR_REQUIRE, SLICE("outbound"));

	r->flow_timer = 0;
	if (r->outbound == REGISTRATION_OUTBOUND_REFUSED)
		return;
	r->outbound = yes ? REGISTRATION_OUTBOUND_YES : REGISTRATION_OUTBOUND_NO;
	/* Section 11.1: only together with the option tag. */
	if (yes && !msg_number(m, HDR_FLOW_TIMER, LIMITS_EXPIRES, &r->flow_timer))
		r->flow_timer = 0;
}

/* RFC 5626 section 8: "ob" in the URI of the first edge proxy says so too. */
static bool edge_says_ob(const struct registration *r)
{
	struct slice v;
	struct addr a;

	return r->n_path && addr_parse(slice_str(r->path[0]), &a) == 0 &&
	       uri_param(&a.uri, SLICE("ob"), &v);
}

/* Section 4.2.1; RFC 6223 section 4.3: a value of "keep" says so, and how often, unless it is 0. */
static void keep_alive(struct registration *r, const struct msg *m)
{
	uint32_t seconds = r->flow_timer;
	bool keep = m->via.keep.n > 0;

	if (keep && !seconds && !slice_to_u32(m->via.keep, LIMITS_EXPIRES, &seconds))
		keep = false;
	if (r->outbound == REGISTRATION_OUTBOUND_YES || keep || edge_says_ob(r))
		keepalive_start(r->ep->ua, r->flow, seconds);
	else
		keepalive_stop(r->flow);
}

/*
 * What a success means for the others: they begin when the registrar can tell flows apart, and end
 * when it cannot any more. One of them that is alone in that takes its contact back.
 */
static void settle_flows(struct registration *r)
{
	struct registration *first = r->ep->registration;
	struct outcome o = { .reason = SLICE("several flows are not supported here") };

	if (r == first && r->outbound == REGISTRATION_OUTBOUND_YES) {
		registration_flows_begin(first);
	} else if (r == first) {
		registration_flows_end(first);
	} else if (r->outbound != REGISTRATION_OUTBOUND_YES) {
		o.error = -EOPNOTSUPP;
		remember(r, &o);
		registration_want(r, UA_UNREGISTER, REGISTRATION_OWN);
	}
}

static void registered(
	struct registration *r, const struct outcome *o, const struct request *request)
{
	struct outcome odd = *o;
	char *contact = contact_over(r, request_flow(request));
	uint32_t granted = registration_take_bindings(r, o->response, contact);
	bool lost = microsoft_has_lost(r, o->response);

	endpoint_mark(r->ep, UA_CHANGE_BINDINGS | UA_CHANGE_CONTACT);
	take_outbound(r, o->response);
	if (granted == 0 || lost) {
		free(contact);
		registration_forget_contact(r);
		odd.reason = lost ? SLICE("the registrar had lost our registration")
				  : SLICE("the registrar did not keep our contact");
		odd.error = -EBADMSG;
		r->expires = 0; /* nothing is left that could be still good */
		fail(r, &odd);
		if (lost) /* the server is there, and takes us in anew */
			r->next_attempt = r->ep->ua->timers.now + backoff_flow_delay(dice(r));
		return;
	}
	registration_take_routes(r, o->response);
	gruu_take(r->ep, o->response);
	registration_set_flow(r, request_flow(request), request_server_key(request));
	keep_alive(r, o->response);
	r->failures_before = r->flow->keepalive && !keepalive_is_proven(r->flow) ? r->failures : 0;
	free(r->contact);
	r->contact = contact;
	succeed(r, o, granted);
	settle_flows(r);
}

/*
 * RFC 3261 10.2.8: 423 says what would do. Once for each attempt; a registrar that wants more
 * and more, or an absurd amount, has refused.
 */
static bool raise_wish(struct registration *r, const struct outcome *o)
{
	uint32_t min;

	if (o->status != 423 || !o->response || r->raised ||
		!msg_number(o->response, HDR_MIN_EXPIRES, LIMITS_EXPIRES, &min) ||
		min <= r->ask_expires)
		return false;
	r->raised = true;
	r->ask_expires = min;
	registration_send(r);
	return true;
}

/* To another registrar; true: the attempt goes on there, or has ended with what is wrong with it.
 */
static bool redirected(struct registration *r, const struct outcome *o)
{
	struct outcome odd = *o;
	struct buf why = BUF_NULL;
	bool follows = o->response && microsoft_redirect(r->ep, o->response, &why);

	if (follows) {
		registration_send(r);
	} else if (why.n) {
		odd.reason = buf_slice(&why);
		fail(r, &odd);
	}
	follows = follows || why.n;
	buf_deinit(&why);
	return follows;
}

/*
 * RFC 5626 section 4.2.1: 439, the first hop lacks support. Then without: what is lost is that
 * several flows are told apart. Once for each attempt, as what follows has no reason to be refused
 * so.
 */
static bool renounce_outbound(struct registration *r, const struct outcome *o)
{
	if (o->status != 439 || r->outbound == REGISTRATION_OUTBOUND_REFUSED ||
		r != r->ep->registration)
		return false;
	log_line(&r->ep->ua->host->log, LOG_LEVEL_INFO,
		"registration of %s: the first hop lacks outbound support", r->ep->id);
	r->outbound = REGISTRATION_OUTBOUND_REFUSED;
	registration_send(r);
	return true;
}

/* ---- the end of an attempt ---- */

static void unregistered(struct registration *r, const struct outcome *o)
{
	remember(r, o);
	r->failures = 0;
	r->next_attempt = 0;
	if (o->error == 0) {
		registration_forget_contact(r);
		registration_set_flow(r, NULL, NULL);
		(void)registration_take_bindings(r, o->response, NULL);
		endpoint_mark(r->ep, UA_CHANGE_BINDINGS);
	}
	microsoft_redirect_ended(r->ep);
	microsoft_go_home(r->ep);
	registration_set_state(r, REGISTRATION_UNREGISTERED);
	registration_tell(r, UA_UNREGISTER, o);
	registration_release_news(r->ep->registration);
}

/* What an outcome says of the server. 408 and 504 are of one before it that waited in vain. */
static enum pace_verdict verdict_of(const struct outcome *o)
{
	switch (o->origin) {
	case ORIGIN_NETWORK:
		return o->error == -ENETUNREACH ? PACE_NEUTRAL : PACE_SILENT;
	case ORIGIN_TIMEOUT:
		return PACE_SILENT;
	case ORIGIN_LOCAL:
		return PACE_NEUTRAL;
	case ORIGIN_REMOTE:
		break;
	}
	return o->status == 408 || o->status == 503 || o->status == 504 ? PACE_SILENT
									: PACE_ANSWERED;
}

/*
 * RFC 3261 20.33: with 503 Retry-After is about the server, which every endpoint then leaves alone
 * (21.5.4); with 500 about this request, with 404, 480, 486, 600 and 603 about this user.
 */
static void note_server(struct registration *r, const struct outcome *o)
{
	uint32_t seconds;

	if (o->status == 503 && o->response && msg_retry_after(o->response, &seconds)) {
		seconds = seconds < LIMITS_RETRY_AFTER ? seconds : LIMITS_RETRY_AFTER;
		pace_close(r->ticket.pace, r->ep->ua->timers.now + seconds * USEC_PER_SEC);
	}
	pace_end(&r->ticket, verdict_of(o));
}

void registration_ended(
	struct registration *r, const struct outcome *o, const struct request *request)
{
	note_server(r, o);
	if (r->running == UA_UNREGISTER) {
		unregistered(r, o);
		return;
	}
	if (o->error == 0)
		registered(r, o, request);
	else if (!raise_wish(r, o) && !renounce_outbound(r, o) && !redirected(r, o))
		fail(r, o);
}

void registration_withdrawn(
	struct registration *r, const struct outcome *o, enum registration_again again)
{
	usec_t now = r->ep->ua->timers.now;

	registration_forget_contact(r);
	registration_free_bindings(r);
	endpoint_mark(r->ep, UA_CHANGE_BINDINGS);
	remember(r, o);
	switch (again) {
	case REGISTRATION_NOT_AGAIN:
		r->next_attempt = 0;
		registration_set_state(r, REGISTRATION_FAILED);
		return;
	case REGISTRATION_AGAIN:
		r->next_attempt = now + backoff_flow_delay(dice(r));
		break;
	case REGISTRATION_AGAIN_LATER:
		r->next_attempt = now + back_off(r, ++r->failures);
		break;
	}
	registration_set_state(r, REGISTRATION_WAITING);
}

/* ---- the flow ---- */

/* RFC 5626 4.5: a flow on which keep-alives are in use and none was answered was no success. */
static usec_t new_flow_delay(struct registration *r, bool unproven)
{
	if (unproven) {
		r->failures = r->failures_before + 1;
		return back_off(r, r->failures);
	}
	return r->drops > 1 ? back_off(r, r->drops - 1) : backoff_flow_delay(dice(r));
}

/*
 * RFC 5626 section 4.3: sessions that went over it go on over another flow at once, if one leads to
 * the same edge, which their routes name. Others wait until this one has been made anew.
 */
static void move_sessions(struct registration *r)
{
	struct endpoint *ep = r->ep;

	if (!r->flow || !registration_flow_to(ep, r->flow->transport, &r->flow->peer))
		return;
	if (ep->flow && ep->flow->state == FLOW_DOWN)
		endpoint_flow_down(ep);
	session_endpoint_moved(ep);
	subscriber_endpoint_moved(ep);
	subscription_endpoint_moved(ep);
}

void registration_flow_down(struct registration *r)
{
	UA_SCOPE(r->ep->ua);
	const char *why = r->ep->ua->flow_error;
	usec_t now = r->ep->ua->timers.now;
	struct outcome o = {
		.reason = why ? slice_str(why) : SLICE("the connection broke"),
		.origin = ORIGIN_NETWORK,
		.error = -ECONNREFUSED,
	};

	bool unproven = r->flow && r->flow->keepalive && !keepalive_is_proven(r->flow);

	move_sessions(r);
	registration_set_flow(r, NULL, NULL);
	r->flow_gone = true;
	pace_doubt(r->ticket.pace);
	/* What is under way finds another flow, or says that there is none. */
	if (r->request || r->state != REGISTRATION_REGISTERED)
		return;
	r->drops = now - r->since < STABLE ? r->drops + 1 : 0;
	if (r->ep->auto_refresh)
		r->next_attempt = now + new_flow_delay(r, unproven);
	remember(r, &o);
	registration_set_state(r, REGISTRATION_WAITING);
}

static void touch(struct registration *r)
{
	/* Not if an attempt has failed since: the back-off counts for everybody. */
	if (r->state != REGISTRATION_WAITING || !r->flow_gone || r->failures)
		return;
	r->next_attempt = r->ep->ua->timers.now;
	registration_set_state(r, REGISTRATION_WAITING);
}

void registration_touch(struct registration *first)
{
	for (struct registration *r = first; r; r = r->next)
		touch(r);
}
