/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "protocol/base/err.h"
#include "protocol/msg/build.h"
#include "protocol/ua/limits.h"
#include "protocol/ua/package.h"
#include "protocol/ua/session-observer.h"
#include "protocol/ua/session-private.h"
#include "protocol/ua/uas.h"

/*
 * The life of a session, whoever began it, and what its listener hears of it.
 *
 *   made -> told added -> news ... -> over -> told terminated, removed -> lingers -> freed
 *
 * What lingers is on nobody's list any more: it acknowledges and ends what the network may still
 * bring after our INVITE (RFC 3261 13.2.2.4).
 */

enum { ID_BYTES = 8 };

/* One event that waits to be told, with copies of everything it points at. */
struct session_news {
	struct list node;
	struct ua_session_event event;
	char *copies[7];
};

static void deliver(struct later_note *n);
static void on_linger(struct timer *t);

/* ---- life ---- */

static bool id_is_free(const struct ua *ua, struct slice id)
{
	return !map_find(&ua->sessions, id);
}

static char *make_id(struct ua *ua)
{
	struct buf b = BUF_NULL;

	do {
		buf_reset(&b);
		buf_putc(&b, 's');
		ua_random_hex(ua, &b, ID_BYTES);
	} while (!id_is_free(ua, buf_slice(&b)));
	return buf_take(&b);
}

int session_make(struct endpoint *ep, struct slice id, struct session **ret_session)
{
	struct ua *ua = ep->ua;
	struct session *s;

	if (id.n > LIMITS_ENDPOINT_TEXT || (id.n && !ua_id_is_valid(id)))
		return -EINVAL;
	if (id.n && !id_is_free(ua, id))
		return -EEXIST;
	if (ep->closing)
		return -ENOTCONN;
	if (ua->n_sessions >= ua->max_sessions || ep->n_sessions >= LIMITS_SESSIONS_PER_ENDPOINT)
		return -ENOSPC;
	s = mem_new(struct session);
	s->ua = ua;
	s->ep = ep;
	s->id = id.n ? slice_dup(id) : make_id(ua);
	s->note.deliver = deliver;
	s->linger.fire = on_linger;
	list_init(&s->legs);
	list_init(&s->news);
	list_init(&s->replaced_by);
	list_append(&ep->sessions, &s->node);
	ep->n_sessions++;
	ua->n_sessions++;
	map_insert(&ua->sessions, &s->by_id, slice_str(s->id));
	later_queue(&ua->later, &s->note);
	*ret_session = s;
	return 0;
}

/* Nobody finds it any more but the network. */
static void leave_lists(struct session *s)
{
	if (!map_is_linked(&s->by_id))
		return;
	map_remove(&s->ua->sessions, &s->by_id);
	s->ua->n_sessions--;
	s->ep->n_sessions--;
}

void session_observe(struct session *s, const struct session_observer *o, void *owner)
{
	s->observer = o;
	s->observer_owner = owner;
}

static void leave_observer(struct session *s)
{
	const struct session_observer *o = mem_take(&s->observer);

	if (o)
		o->gone(s->observer_owner, s);
}

static void free_news(struct session_news *news)
{
	list_remove(&news->node);
	for (size_t i = 0; i < ARRAY_LEN(news->copies); i++)
		free(news->copies[i]);
	msg_unref((struct msg *)(uintptr_t)news->event.message);
	free(news);
}

static void forget_replacement(struct session *s)
{
	struct list *node;

	list_remove(&s->replaces_node);
	s->replaces = s->joins = NULL;
	while ((node = list_first(&s->replaced_by))) {
		struct session *other = list_entry(node, struct session, replaces_node);

		list_remove(node);
		other->replaces = other->joins = NULL;
	}
}

static void destroy(struct session *s)
{
	msg_unref(s->invite_msg);
	msg_unref(s->final_msg);
	msg_unref(s->last_msg);
	free(s->outcome.reason);
	free(s->id);
	free(s->invite_key);
	free(s->type);
	free(s->party);
	free(s->local);
	free(s->remote);
	free(s->request_uri);
	free(s->call_id);
	free(s->to_tag);
	free(s->recv_info);
	free(s);
}

void session_free(struct session *s)
{
	struct timerq *timers = &s->ua->timers;
	struct list *node;

	s->ended = true;
	s->over_waits = false;
	while ((node = list_first(&s->legs)))
		leg_free(list_entry(node, struct leg, node));
	s->leg = NULL;
	leave_observer(s);
	session_out_free(s);
	session_in_free(s);
	forget_replacement(s);
	leave_lists(s);
	list_remove(&s->node);
	map_remove(&s->ua->invites, &s->by_invite);
	timer_cancel(timers, &s->ring);
	timer_cancel(timers, &s->refresh_1xx);
	timer_cancel(timers, &s->linger);
	later_cancel(&s->note);
	while ((node = list_first(&s->news)))
		free_news(list_entry(node, struct session_news, node));
	if (s->delivering)
		s->dead = true;
	else
		destroy(s);
}

/* ---- news ---- */

void session_set_state(struct session *s, enum session_state state)
{
	if (s->state == state)
		return;
	s->state = state;
	session_mark(s, UA_SESSION_STATE);
	if (state == SESSION_ESTABLISHED && !s->start_time) {
		s->start_time = s->ua->timers.now;
		session_mark(s, UA_SESSION_START);
	}
}

void session_mark(struct session *s, unsigned changes)
{
	s->changes |= changes;
	if (!s->removed)
		later_queue(&s->ua->later, &s->note);
}

void session_reap(struct session *s)
{
	s->reap = true;
	later_queue(&s->ua->later, &s->note);
}

void session_tell(struct session *s, const struct ua_session_event *e)
{
	struct session_news *news;
	struct slice *slices[7];

	if (s->removed)
		return;
	news = mem_new(struct session_news);
	news->event = *e;
	slices[0] = &news->event.reason;
	slices[1] = &news->event.fork;
	slices[2] = &news->event.content_type;
	slices[3] = &news->event.body;
	slices[4] = &news->event.package;
	slices[5] = &news->event.refer_to;
	slices[6] = &news->event.referred_by;
	for (size_t i = 0; i < ARRAY_LEN(slices); i++) {
		if (!slices[i]->p)
			continue;
		news->copies[i] = slice_dup(*slices[i]);
		*slices[i] = slice_of(news->copies[i], slices[i]->n);
	}
	if (e->message)
		news->event.message = msg_ref(e->message);
	list_append(&s->news, &news->node);
	later_queue(&s->ua->later, &s->note);
}

void session_note_message(struct session *s, const struct msg *m)
{
	struct msg *last = s->last_msg;

	if (s->removed)
		return;
	s->last_msg = msg_ref(m);
	msg_unref(last);
}

static void tell_changes(struct session *s, const struct ua_listener *l, void *ctx)
{
	unsigned changes = s->changes;

	s->changes = 0;
	if (s->hidden)
		return;
	if (!s->told_added) {
		s->told_added = true;
		l->session_added(ctx, s);
	} else if (changes) {
		l->session_changed(ctx, s, changes);
	}
	if (s->dead || !s->ask)
		return;
	s->ask = false;
	if (!s->ended)
		l->session_incoming(ctx, s);
}

static bool is_taken(struct session *s, const struct ua_session_event *e)
{
	return s->observer && s->observer->event(s->observer_owner, s, e);
}

static void tell_news(struct session *s, const struct ua_listener *l, void *ctx)
{
	struct list *node;

	while (!s->dead && (node = list_first(&s->news))) {
		struct session_news *news = list_entry(node, struct session_news, node);

		/* Off the list: the listener may end everything. */
		list_remove(node);
		if (!is_taken(s, &news->event) && !s->hidden)
			l->session_event(ctx, s, &news->event);
		free_news(news);
	}
}

static void drop_news(struct session *s)
{
	struct list *node;

	s->changes = 0;
	while ((node = list_first(&s->news)))
		free_news(list_entry(node, struct session_news, node));
	if (s->ask && !s->ended)
		session_pass(s);
	s->ask = false;
}

/* Forks that were acknowledged and ended leave nothing to wait for. */
static void reap_legs(struct session *s)
{
	s->reap = false;
	list_for_each_safe (node, next, &s->legs) {
		struct leg *l = list_entry(node, struct leg, node);

		if (l != s->leg && l->over && !l->bye && !l->ack.n_kept)
			leg_free(l);
	}
}

/* Those that were for the listener to look at. */
static void forget_messages(struct session *s)
{
	msg_unref(mem_take(&s->last_msg));
	session_in_forget_final(s);
	list_for_each (node, &s->legs) {
		struct leg *l = list_entry(node, struct leg, node);

		leg_body_clear(&l->local);
		leg_body_clear(&l->remote);
	}
}

static void leave(struct session *s)
{
	struct ua *ua = s->ua;

	s->removed = true;
	forget_replacement(s);
	leave_lists(s);
	leave_observer(s);
	if (ua->listener && !s->hidden)
		ua->listener->session_removed(ua->listener_ctx, s);
	s->user = NULL;
	forget_messages(s);
	if (s->ep->closing) /* It waits for us. */
		endpoint_mark(s->ep, 0);
	/* What we called may still be answered; who wants to replace what there was is declined
	 * (RFC 3891 section 3). */
	if (s->dead || ((s->outgoing || s->start_time) && s->invite_msg && !s->ep->closing))
		return;
	session_free(s);
}

static void show_changes(struct session *s)
{
	if (s->changes & UA_SESSION_STATE && s->observer && s->observer->changed)
		s->observer->changed(s->observer_owner, s);
}

static void deliver(struct later_note *n)
{
	struct session *s = container_of(n, struct session, note);
	struct ua *ua = s->ua;

	s->delivering = true;
	if (s->reap)
		reap_legs(s);
	show_changes(s);
	package_changed(s->ep, PROFILE_PACKAGE_DIALOG);
	if (ua->listener && !s->removed) {
		tell_changes(s, ua->listener, ua->listener_ctx);
		tell_news(s, ua->listener, ua->listener_ctx);
	} else {
		drop_news(s);
	}
	if (!s->dead && s->ended && !s->removed && list_is_empty(&s->news))
		leave(s);
	s->delivering = false;
	if (s->dead)
		destroy(s);
}

/* ---- the end ---- */

static void remember(struct session *s, unsigned status, struct slice reason, enum origin origin)
{
	if (s->outcome.reason)
		return;
	s->outcome.status = status;
	s->outcome.reason = slice_dup(reason.p ? reason : SLICE(""));
	s->outcome.origin = origin;
}

void session_ending(struct session *s, unsigned status, struct slice reason, enum origin origin)
{
	if (s->ended)
		return;
	remember(s, status, reason, origin);
	session_set_state(s, SESSION_TERMINATING);
}

static bool refers_pend(const struct session *s)
{
	list_for_each (node, &s->legs)
		if (!list_is_empty(&list_entry(node, struct leg, node)->refers))
			return true;
	return false;
}

/* What a REFER of ours led to is told before, or that nobody knows. */
static void end(struct session *s)
{
	struct ua_session_event e = { .news = UA_SESSION_TERMINATED };

	s->over_waits = false;
	list_for_each (node, &s->legs)
		refer_stop(list_entry(node, struct leg, node));
	s->ended = true;
	session_set_state(s, SESSION_TERMINATED);
	e.status = s->outcome.status;
	e.reason = slice_str(s->outcome.reason);
	e.origin = s->outcome.origin;
	if (s->outgoing && s->final_msg && s->final_msg->status == e.status)
		e.message = s->final_msg;
	session_tell(s, &e);
	session_in_over(s);
	timer_arm(&s->ua->timers, &s->linger, 64 * TIMER_T1);
}

void session_over(struct session *s, unsigned status, struct slice reason, enum origin origin)
{
	if (s->ended)
		return;
	remember(s, status, reason, origin);
	list_for_each (node, &s->legs)
		leg_retire(list_entry(node, struct leg, node));
	timer_cancel(&s->ua->timers, &s->ring);
	timer_cancel(&s->ua->timers, &s->refresh_1xx);
	if (!refers_pend(s) || s->ep->closing) {
		end(s);
	} else if (!s->over_waits) {
		s->over_waits = true;
		session_set_state(s, SESSION_TERMINATING);
		timer_arm(&s->ua->timers, &s->linger, LIMITS_REFER_LINGER_SECONDS * USEC_PER_SEC);
	}
}

void session_refer_ended(struct session *s)
{
	if (s->over_waits && !refers_pend(s))
		end(s);
}

static void on_linger(struct timer *t)
{
	struct session *s = container_of(t, struct session, linger);

	if (s->over_waits)
		end(s);
	else
		session_free(s);
}

void session_leg_over(struct leg *l, unsigned status, struct slice reason, enum origin origin)
{
	struct session *s = l->s;

	leg_retire(l);
	if (l == s->leg)
		session_over(s, status, reason, origin);
	else
		session_reap(s);
}

void session_leg_acked(struct leg *l, const struct msg *ack)
{
	struct session *s = l->s;
	struct ua_session_event e = { .news = UA_SESSION_ESTABLISHED };
	struct session_body body = { 0 };

	if (s->told_established || s->ended)
		return;
	s->told_established = true;
	if (ack)
		body = leg_body_of(ack);
	e.message = ack;
	e.content_type = body.type;
	e.body = body.bytes;
	session_tell(s, &e);
}

/* ---- headers ---- */

/* What verbs and options are there for, or what only the stack knows. */
static bool owns_header(enum hdr_id id)
{
	static const enum hdr_id own[] = {
		HDR_ALLOW,
		HDR_EVENT,
		HDR_INFO_PACKAGE,
		HDR_JOIN,
		HDR_MIN_SE,
		HDR_RACK,
		HDR_REFER_SUB,
		HDR_REFER_TO,
		HDR_REPLACES,
		HDR_REQUIRE,
		HDR_RSEQ,
		HDR_SERVER,
		HDR_SESSION_EXPIRES,
		HDR_SUBSCRIPTION_STATE,
		HDR_SUPPORTED,
		HDR_TARGET_DIALOG,
		HDR_UNSUPPORTED,
		HDR_USER_AGENT,
	};

	for (size_t i = 0; i < ARRAY_LEN(own); i++)
		if (own[i] == id)
			return true;
	return false;
}

int session_headers_check(const struct session_headers *h, struct request_header_fault *ret_fault)
{
	int r = request_headers_check(h->list, h->n, ret_fault);

	for (size_t i = 0; i < h->n && r == 0; i++) {
		if (!owns_header(hdr_find(h->list[i].name)))
			continue;
		ret_fault->name = h->list[i].name;
		ret_fault->why = "belongs to the stack";
		r = -EINVAL;
	}
	return r;
}

int session_append_headers(struct buf *b, const struct session_headers *h)
{
	struct request_header_fault bad;
	int r;

	if (!h)
		return 0;
	r = session_headers_check(h, &bad);
	if (r < 0)
		return r;
	for (size_t i = 0; i < h->n; i++)
		build_header_named(b, h->list[i].name, h->list[i].value);
	return 0;
}

void session_append_capabilities(struct buf *b)
{
	uas_append_methods(b);
}
