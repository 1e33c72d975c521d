/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "protocol/ua/registration.h"

#include <assert.h>
#include <string.h>

#include "protocol/base/err.h"
#include "protocol/ua/keepalive.h"
#include "protocol/ua/limits.h"
#include "protocol/ua/microsoft.h"
#include "protocol/ua/registration-flows.h"
#include "protocol/ua/registration-private.h"

/*
 *                    .--------------- refresh ---------------.
 *                    v                                       |
 * UNREGISTERED -> REGISTERING -> REGISTERED -----------------'
 *      ^            |  ^  |          | expired, flow gone
 *      |            |  |  v          v
 *      |            |  `- WAITING <--'      timer, or somebody asks
 *      |            v
 *      |          FAILED                    slow timer, or somebody asks
 *      |
 *      `--------- UNREGISTERING             from everywhere
 *
 * One attempt at a time (RFC 3261 10.2: no new request before the last one has its final answer).
 * registration-outcome.c says what follows an attempt.
 */

enum {
	CALL_ID_BYTES = 16,
	TAG_BYTES = 8,
};
/* A timer that is later than this was not kept waiting by load: the machine slept. */
#define LATE (5 * USEC_PER_SEC)

static void on_timer(struct timer *t);
static void on_turn(struct pace_ticket *t);
static void on_revived(struct pace_ticket *t);
static void run(struct registration *r);

const char *registration_state_name(enum registration_state s)
{
	switch (s) {
	case REGISTRATION_UNREGISTERED:
		return "unregistered";
	case REGISTRATION_REGISTERING:
		return "registering";
	case REGISTRATION_REGISTERED:
		return "registered";
	case REGISTRATION_UNREGISTERING:
		return "unregistering";
	case REGISTRATION_WAITING:
		return "waiting";
	case REGISTRATION_FAILED:
		return "failed";
	}
	return "";
}

static char *random_name(struct ua *ua, size_t n)
{
	struct buf b = BUF_NULL;

	ua_random_hex(ua, &b, n);
	return buf_take(&b);
}

/* Whose registrations share a pace: those that go to one server, as configured. */
static void join_pace(struct registration *r)
{
	const struct profile_server *s = profile_registrar(r->ep->profile);
	struct buf key = BUF_NULL;

	if (r->ep->outbound_proxy)
		buf_str(&key, r->ep->outbound_proxy);
	else if (s)
		buf_printf(&key, "%s:%u", s->host, s->port);
	r->ticket.go = on_turn;
	r->ticket.revived = on_revived;
	pace_join(&r->ticket, r->ep->ua, buf_slice(&key));
	buf_deinit(&key);
}

static struct registration *make(struct endpoint *ep, unsigned reg_id)
{
	struct registration *r = mem_new(struct registration);

	r->ep = ep;
	r->reg_id = reg_id;
	r->timer.fire = on_timer;
	/*
	 * RFC 3261 10.2: the same for all registrations, so that the registrar sees their order;
	 * RFC 5626 4.2.1: each flow has its own.
	 */
	r->call_id = random_name(ep->ua, CALL_ID_BYTES);
	r->from_tag = random_name(ep->ua, TAG_BYTES);
	r->ask_expires = ep->profile->register_expires;
	list_init(&r->news);
	if (microsoft_is_on(ep)) /* their servers know nothing of it */
		r->outbound = REGISTRATION_OUTBOUND_REFUSED;
	join_pace(r);
	return r;
}

struct registration *registration_new(struct endpoint *ep)
{
	struct registration *first = NULL;

	for (unsigned id = ep->profile->flows; id > 0; id--) {
		struct registration *r = make(ep, id);

		r->next = first;
		r->paced = id > 1;
		first = r;
	}
	return first;
}

static void free_headers(struct registration *r)
{
	free(r->headers);
	free(r->header_bytes);
	r->headers = NULL;
	r->header_bytes = NULL;
	r->n_headers = 0;
}

static void free_one(struct registration *r)
{
	timer_cancel(&r->ep->ua->timers, &r->timer);
	pace_part(&r->ticket);
	request_free(r->request);
	registration_forget_news(r);
	registration_free_bindings(r);
	registration_free_routes(r);
	registration_set_flow(r, NULL, NULL);
	free_headers(r);
	free(r->call_id);
	free(r->from_tag);
	free(r->contact);
	free(r->last_reason);
	free(r);
}

void registration_free(struct registration *first)
{
	while (first) {
		struct registration *next = first->next;

		free_one(first);
		first = next;
	}
}

/* ---- state and time ---- */

static void arm(struct registration *r)
{
	struct timerq *timers = &r->ep->ua->timers;
	usec_t at = USEC_NEVER;

	if (r->expires)
		at = r->expires;
	if (r->next_attempt && !r->request && !pace_waits(&r->ticket) && r->next_attempt < at)
		at = r->next_attempt;
	if (at == USEC_NEVER)
		timer_cancel(timers, &r->timer);
	else
		timer_arm_at(timers, &r->timer, at);
}

void registration_set_state(struct registration *r, enum registration_state state)
{
	/* May follow: a bit for each state. The same again only means that times have changed. */
	static const unsigned legal[] = {
		[REGISTRATION_UNREGISTERED] =
			1 << REGISTRATION_REGISTERING | 1 << REGISTRATION_UNREGISTERING,
		[REGISTRATION_REGISTERING] = 1 << REGISTRATION_REGISTERED |
					     1 << REGISTRATION_WAITING | 1 << REGISTRATION_FAILED,
		[REGISTRATION_REGISTERED] = 1 << REGISTRATION_REGISTERING |
					    1 << REGISTRATION_UNREGISTERING |
					    1 << REGISTRATION_WAITING | 1 << REGISTRATION_FAILED,
		[REGISTRATION_UNREGISTERING] = 1 << REGISTRATION_UNREGISTERED,
		[REGISTRATION_WAITING] = 1 << REGISTRATION_REGISTERING |
					 1 << REGISTRATION_UNREGISTERING |
					 1 << REGISTRATION_UNREGISTERED,
		[REGISTRATION_FAILED] = 1 << REGISTRATION_REGISTERING |
					1 << REGISTRATION_UNREGISTERING |
					1 << REGISTRATION_UNREGISTERED,
	};

	assert(state == r->state || legal[r->state] & 1u << state);
	if (state != r->state)
		log_line(&r->ep->ua->host->log, LOG_LEVEL_DEBUG, "registration of %s: %s -> %s",
			r->ep->id, registration_state_name(r->state),
			registration_state_name(state));
	r->state = state;
	if (state != REGISTRATION_REGISTERED)
		r->expires = 0;
	arm(r);
	endpoint_mark(r->ep, UA_CHANGE_REGISTRATION);
}

void registration_set_flow(struct registration *r, struct flow *f, const char *key)
{
	char *copy = mem_strdup(key);

	flow_ref(f);
	list_remove(&r->by_flow);
	if (r->flow && r->flow != f && list_is_empty(&r->flow->registrations))
		keepalive_stop(r->flow);
	flow_unref(r->flow);
	free(r->server_key);
	r->flow = f;
	r->server_key = copy;
	if (f)
		list_append(&f->registrations, &r->by_flow);
}

void registration_forget_contact(struct registration *r)
{
	if (!r->contact)
		return;
	free(r->contact);
	r->contact = NULL;
	registration_free_routes(r);
	if (!registration_has_contact(r->ep->registration))
		gruu_forget(r->ep);
	endpoint_mark(r->ep, UA_CHANGE_CONTACT);
}

/* ---- one attempt ---- */

static void on_done(void *owner, struct request *request, const struct outcome *o)
{
	struct registration *r = owner;

	r->request = NULL;
	r->cseq = request_cseq(request);
	registration_ended(r, o, request);
	run(r);
	arm(r);
}

static const struct request_ops request_ops = { .done = on_done };

/* RFC 3261 10.2: the domain, without user and "@". */
static void append_request_uri(struct buf *b, const struct endpoint *ep)
{
	struct uri u;

	if (uri_parse(slice_str(ep->uri), &u) < 0)
		return;
	buf_put(b, u.scheme_name);
	buf_putc(b, ':');
	buf_put(b, u.host);
	if (u.port)
		buf_printf(b, ":%u", u.port);
}

/* What one attempt is made of. */
struct attempt {
	struct request_header headers[LIMITS_USER_HEADERS + 3];
	size_t n_headers;
	struct buf uri, expires, contact, lines;
};

static void add_header(struct attempt *a, struct slice name, struct slice value)
{
	a->headers[a->n_headers++] = (struct request_header){ name, value };
}

/* RFC 5626 sections 4.1 and 4.2.1. */
static void append_names(struct buf *b, const struct registration *r)
{
	buf_printf(b, ";+sip.instance=\"<%s>\"", r->ep->instance_id);
	if (r->outbound != REGISTRATION_OUTBOUND_REFUSED)
		buf_printf(b, ";reg-id=%u", r->reg_id);
}

static void prepare_register(
	const struct registration *r, struct attempt *a, struct request_spec *spec)
{
	buf_u64(&a->expires, r->ask_expires);
	if (microsoft_is_on(r->ep))
		microsoft_append_contact_params(&a->contact);
	buf_printf(&a->contact, ";expires=%u", r->ask_expires);
	append_names(&a->contact, r);
	spec->contact = REQUEST_CONTACT;
	spec->contact_params = buf_slice(&a->contact);
	/*
	 * Where we were before, if the flow is another one now (RFC 3261 10.2.2). A registrar that
	 * knows flows replaces it by itself (RFC 5626 section 6).
	 */
	if (r->outbound != REGISTRATION_OUTBOUND_YES)
		spec->stale_contact = slice_str(r->contact);
}

static void prepare_unregister(
	const struct registration *r, struct attempt *a, struct request_spec *spec)
{
	spec->contact = REQUEST_NO_CONTACT;
	buf_putc(&a->expires, '0');
	if (r->running_all) { /* RFC 5626 section 4.2.3: neither instance nor reg-id */
		buf_putc(&a->contact, '*');
	} else {
		buf_printf(&a->contact, "<%s>;expires=0", r->contact);
		append_names(&a->contact, r);
	}
	add_header(a, SLICE("Contact"), buf_slice(&a->contact));
}

void registration_send(struct registration *r)
{
	const struct registration *first = r->ep->registration;
	struct attempt a = { 0 };
	struct request_spec spec = {
		.method = method_name(METHOD_REGISTER),
		.to = slice_str(r->ep->uri),
		.server = REQUEST_TO_REGISTRAR,
		/* Credentials are for the endpoint's own registrar: nobody leads us elsewhere. */
		.redirects = REQUEST_HAND_BACK,
		.call_id = slice_str(r->call_id),
		.from_tag = slice_str(r->from_tag),
		.cseq = r->cseq + 1,
		.reg_id = r->reg_id,
	};
	struct outcome o = { .origin = ORIGIN_LOCAL, .reason = SLICE("cannot be sent") };

	append_request_uri(&a.uri, r->ep);
	for (size_t i = 0; i < first->n_headers; i++)
		a.headers[a.n_headers++] = first->headers[i];
	if (r->running == UA_REGISTER)
		prepare_register(r, &a, &spec);
	else
		prepare_unregister(r, &a, &spec);
	add_header(&a, hdr_name(HDR_EXPIRES), buf_slice(&a.expires));
	add_header(&a, hdr_name(HDR_SUPPORTED),
		r->outbound == REGISTRATION_OUTBOUND_REFUSED ? SLICE("path, gruu")
							     : SLICE("path, outbound, gruu"));
	if (microsoft_is_on(r->ep))
		microsoft_append_register(&a.lines, r);
	spec.lines = buf_slice(&a.lines);
	spec.uri = buf_slice(&a.uri);
	spec.headers = a.headers;
	spec.n_headers = a.n_headers;
	o.error = request_new(r->ep, &spec, &request_ops, r, &r->request);
	buf_deinit(&a.uri);
	buf_deinit(&a.expires);
	buf_deinit(&a.contact);
	buf_deinit(&a.lines);
	if (o.error < 0)
		registration_ended(r, &o, NULL);
}

static void launch(struct registration *r, enum ua_verb verb)
{
	r->running = verb;
	r->running_all = verb == UA_UNREGISTER && r->wanted_all;
	r->raised = false;
	r->next_attempt = 0;
	pace_begin(&r->ticket);
	if (verb == UA_UNREGISTER)
		registration_set_state(r, REGISTRATION_UNREGISTERING);
	else if (r->state != REGISTRATION_REGISTERED)
		registration_set_state(r, REGISTRATION_REGISTERING);
	registration_send(r);
	arm(r);
}

/* Nothing on the wire: we are not registered. */
static void stop_quietly(struct registration *r)
{
	struct outcome o = { .origin = ORIGIN_LOCAL, .reason = SLICE("not registered") };

	r->next_attempt = 0;
	registration_set_state(r, REGISTRATION_UNREGISTERED);
	registration_tell(r, UA_UNREGISTER, &o);
}

static void carry_out(struct registration *r)
{
	r->pending = false;
	if (r->wanted == UA_UNREGISTER && !r->wanted_all && !r->contact)
		stop_quietly(r);
	else
		launch(r, r->wanted);
}

void registration_want(struct registration *r, enum ua_verb verb, enum registration_scope scope)
{
	r->wanted_all = scope == REGISTRATION_ALL;
	r->wanted = verb;
	r->pending = true;
	if (verb == UA_UNREGISTER) /* everybody may be leaving */
		r->paced = r->ep->closing && (r->wanted_all || r->contact);
	run(r);
}

/* Carries out what is wanted, unless something is under way. */
static void run(struct registration *r)
{
	if (r->request || !r->pending)
		return;
	if (r->paced)
		pace_ask(&r->ticket);
	else
		carry_out(r);
}

/* ---- in its turn ---- */

static void on_turn(struct pace_ticket *t)
{
	struct registration *r = container_of(t, struct registration, ticket);

	if (r->request)
		return;
	if (r->pending)
		carry_out(r);
	else if (r->next_attempt)
		launch(r, UA_REGISTER);
}

static void on_revived(struct pace_ticket *t)
{
	registration_revived(container_of(t, struct registration, ticket));
}

/* Until its turn comes, the next attempt is when that may be at the earliest. */
static void ask_for_turn(struct registration *r)
{
	r->next_attempt = pace_earliest(r->ticket.pace);
	endpoint_mark(r->ep, UA_CHANGE_REGISTRATION);
	pace_ask(&r->ticket);
	arm(r);
}

/* ---- the timer ---- */

static void expire(struct registration *r)
{
	struct registration *first = r->ep->registration;

	if (pace_waits(&r->ticket))
		registration_overtaken(r);
	registration_forget_contact(r);
	registration_set_state(r, r->request ? REGISTRATION_REGISTERING : REGISTRATION_WAITING);
	if (registration_overall_state(first) != REGISTRATION_REGISTERED)
		registration_free_bindings(first);
	endpoint_mark(r->ep, UA_CHANGE_BINDINGS);
}

static void on_timer(struct timer *t)
{
	struct registration *r = container_of(t, struct registration, timer);
	struct ua *ua = r->ep->ua;
	usec_t now = ua->timers.now;
	bool waits = r->request || pace_waits(&r->ticket);
	bool late = r->next_attempt && !waits && now > r->next_attempt + LATE;

	if (r->expires && now >= r->expires)
		expire(r);
	if (late) /* everybody's timers are: RFC 5626 4.5 in spirit */
		r->next_attempt = now + backoff_resume_delay(ua_random_below(ua, UINT64_MAX));
	if (!waits && r->next_attempt && now >= r->next_attempt)
		ask_for_turn(r);
	else
		arm(r);
}

/* ---- verbs ---- */

static int check_start(const struct registration *r, const struct registration_options *o)
{
	struct request_header_fault bad;
	int e;

	if (!profile_registrar(r->ep->profile))
		return -EOPNOTSUPP;
	if (r->ep->closing)
		return -ESTALE;
	e = request_headers_check(o->headers, o->n_headers, &bad);
	if (e < 0)
		return e;
	/* Expires has its own option. */
	for (size_t i = 0; i < o->n_headers; i++)
		if (hdr_find(o->headers[i].name) == HDR_EXPIRES)
			return -EINVAL;
	return o->expires > LIMITS_EXPIRES ? -EINVAL : 0;
}

static uint32_t wish(const struct registration *r, const struct registration_options *o)
{
	return o->expires ? o->expires : r->ep->profile->register_expires;
}

static bool same_headers(const struct registration *r, const struct registration_options *o)
{
	if (r->n_headers != o->n_headers)
		return false;
	for (size_t i = 0; i < o->n_headers; i++)
		if (!slice_eq(r->headers[i].name, o->headers[i].name) ||
			!slice_eq(r->headers[i].value, o->headers[i].value))
			return false;
	return true;
}

static struct slice stow(char **at, struct slice s)
{
	struct slice copy = slice_of(*at, s.n);

	if (s.n)
		memcpy(*at, s.p, s.n);
	*at += s.n;
	return copy;
}

static void set_headers(struct registration *r, const struct registration_options *o)
{
	size_t n = 0;
	char *at;

	free_headers(r);
	if (!o->n_headers)
		return;
	for (size_t i = 0; i < o->n_headers; i++)
		n += o->headers[i].name.n + o->headers[i].value.n;
	r->header_bytes = at = mem_alloc(n);
	r->headers = mem_zalloc(o->n_headers * sizeof(*r->headers));
	r->n_headers = o->n_headers;
	for (size_t i = 0; i < o->n_headers; i++) {
		r->headers[i].name = stow(&at, o->headers[i].name);
		r->headers[i].value = stow(&at, o->headers[i].value);
	}
}

/* A wish of the other kind that has not begun ends here: what was asked last counts. */
static void overtake(struct registration *r, enum ua_verb verb)
{
	struct outcome o = {
		.origin = ORIGIN_LOCAL,
		.error = -ECANCELED,
		.reason = SLICE("overtaken by a later request"),
	};

	if (r->pending && r->wanted != verb) {
		r->pending = false;
		registration_tell(r, r->wanted, &o);
	}
}

int registration_start(struct registration *r, const struct registration_options *o)
{
	UA_SCOPE(r->ep->ua);
	bool same = same_headers(r, o) && (r->ask_expires == wish(r, o) || r->raised);
	int e = check_start(r, o);

	if (e < 0)
		return e;
	overtake(r, UA_REGISTER);
	if (r->request && r->running == UA_REGISTER && same && !r->pending)
		return 0;
	set_headers(r, o);
	if (!same)
		r->ask_expires = wish(r, o);
	r->paced = o->haste == REGISTRATION_PACED;
	registration_want(r, UA_REGISTER, REGISTRATION_OWN);
	if (r->outbound == REGISTRATION_OUTBOUND_YES)
		registration_flows_retry(r);
	return 0;
}

int registration_stop(struct registration *r, enum registration_scope scope)
{
	UA_SCOPE(r->ep->ua);
	bool all = scope == REGISTRATION_ALL;

	if (!profile_registrar(r->ep->profile))
		return -EOPNOTSUPP;
	overtake(r, UA_UNREGISTER);
	if (r->request && r->running == UA_UNREGISTER && (r->running_all || !all) && !r->pending)
		return 0;
	all = all || (r->pending && r->wanted_all);
	if (all)
		registration_flows_forget(r);
	registration_flows_end(r);
	registration_want(r, UA_UNREGISTER, all ? REGISTRATION_ALL : REGISTRATION_OWN);
	return 0;
}
