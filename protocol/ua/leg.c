/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "protocol/ua/leg.h"

#include "protocol/base/err.h"
#include "protocol/msg/build.h"
#include "protocol/msg/params.h"
#include "protocol/ua/endpoint-flow.h"
#include "protocol/ua/session-private.h"
#include "protocol/ua/uas.h"

/* ---- what the dialog hands us ---- */

static struct leg *of(struct usage *u)
{
	return container_of(u, struct leg, usage);
}

static bool on_request(struct usage *u, struct flow *reply_flow, struct msg *m)
{
	struct leg *l = of(u);

	leg_note_peer(l, m, reply_flow);
	switch (m->method) {
	case METHOD_BYE:
		return leg_end_request(l, reply_flow, m);
	case METHOD_INVITE:
	case METHOD_UPDATE:
		return !l->over && leg_modify_request(l, reply_flow, m);
	case METHOD_PRACK:
		return !l->over && leg_reliable_prack(l, reply_flow, m);
	case METHOD_INFO:
	case METHOD_MESSAGE:
	case METHOD_OPTIONS:
		return !l->over && leg_message_request(l, reply_flow, m);
	case METHOD_REFER:
	case METHOD_SUBSCRIBE:
		return !l->over && refer_request(l, reply_flow, m);
	case METHOD_ACK:
	case METHOD_BENOTIFY:
	case METHOD_CANCEL:
	case METHOD_NOTIFY: /* belongs to a subscription beside us */
	case METHOD_PUBLISH:
	case METHOD_REGISTER:
	case METHOD_SERVICE:
	case METHOD_UNKNOWN:
		break;
	}
	return false;
}

static bool on_ack(struct usage *u, const struct msg *m)
{
	return leg_answer_ack(of(u), m);
}

static bool on_stray(struct usage *u, const struct msg *m)
{
	return leg_ack_stray(of(u), m);
}

static void on_dialog_over(struct usage *u, unsigned status, struct slice reason)
{
	session_leg_over(of(u), status, reason, ORIGIN_REMOTE);
}

static const struct usage_class usage_class = {
	.name = "session",
	.request = on_request,
	.ack = on_ack,
	.stray = on_stray,
	.dialog_over = on_dialog_over,
};

struct leg *leg_of_dialog(const struct dialog *d)
{
	list_for_each (node, &d->usages) {
		struct usage *u = list_entry(node, struct usage, node);

		if (u->class == &usage_class)
			return of(u);
	}
	return NULL;
}

/* ---- life ---- */

struct leg *leg_new(struct session *s, struct dialog *d)
{
	struct leg *l = mem_new(struct leg);
	struct buf fork = BUF_NULL;

	l->s = s;
	l->client = s->outgoing;
	buf_u64(&fork, ++s->n_forks);
	l->fork = buf_take(&fork);
	list_init(&l->reliable.queue);
	list_init(&l->reliable.pracks);
	list_init(&l->sends);
	list_init(&l->refers);
	list_append(&s->legs, &l->node);
	usage_join(&l->usage, &usage_class, d);
	return l;
}

void leg_retire(struct leg *l)
{
	l->over = true;
	leg_timer_stop(l);
	leg_answer_stop(l);
	leg_modify_stop(l);
	leg_reliable_stop(l);
	leg_message_stop(l);
	refer_retire(l);
	flow_unref(mem_take(&l->flow));
}

void leg_free(struct leg *l)
{
	leg_retire(l);
	refer_stop(l);
	leg_ack_stop(l);
	leg_end_stop(l);
	request_free(mem_take(&l->modify.request));
	if (l->s->leg == l)
		l->s->leg = NULL;
	list_remove(&l->node);
	usage_leave(&l->usage);
	leg_body_clear(&l->local);
	leg_body_clear(&l->remote);
	free(l->peer_packages);
	free(l->fork);
	free(l);
}

/* ---- the peer ---- */

static unsigned read_allow(const struct msg *m)
{
	struct msg_list it = { 0 };
	struct slice name;
	unsigned mask = 0;

	while (msg_list_next(m, HDR_ALLOW, &it, &name) == 1)
		mask |= 1U << method_parse(name);
	return mask;
}

void leg_note_peer(struct leg *l, const struct msg *m, struct flow *f)
{
	session_note_message(l->s, m);
	if (msg_header(m, HDR_ALLOW).p)
		l->peer_allows = read_allow(m);
	if (msg_header(m, HDR_SUPPORTED).p)
		l->peer_timer = msg_has_token(m, HDR_SUPPORTED, SLICE("timer"));
	/* RFC 6086 5.2.4: what would change the session counts when it is accepted. */
	if (!m->is_request || !l->confirmed ||
		(m->method != METHOD_INVITE && m->method != METHOD_UPDATE))
		leg_message_note_peer(l, m);
	if (f && f != l->flow && !l->over) {
		flow_unref(l->flow);
		l->flow = flow_ref(f);
		endpoint_flow_use(l->s->ep, f);
	}
}

bool leg_peer_allows(const struct leg *l, enum method m)
{
	return l->peer_allows & (1U << m);
}

/* ---- descriptions ---- */

void leg_body_clear(struct leg_body *b)
{
	free(b->type);
	free(b->bytes);
	*b = (struct leg_body){ 0 };
}

void leg_body_set(struct leg_body *b, const struct session_body *from)
{
	struct leg_body copy = { 0 };

	if (from->bytes.n) {
		copy.type = slice_dup(from->type);
		copy.bytes = slice_dup(from->bytes);
		copy.n = from->bytes.n;
	}
	leg_body_clear(b);
	*b = copy;
}

struct session_body leg_body_get(const struct leg_body *b)
{
	struct session_body body = { 0 };

	if (b->n) {
		body.type = slice_str(b->type);
		body.bytes = slice_of(b->bytes, b->n);
	}
	return body;
}

/* RFC 3261 20.11: without a disposition SDP describes a session; others say so themselves. */
static bool is_session(const struct msg *m)
{
	struct slice disposition = msg_header(m, HDR_CONTENT_DISPOSITION);

	if (!disposition.n)
		return true;
	disposition = slice_trim(slice_head(disposition, slice_find(disposition, ';')));
	return slice_eq_ci(disposition, SLICE("session")) ||
	       slice_eq_ci(disposition, SLICE("early-session"));
}

struct session_body leg_body_of(const struct msg *m)
{
	struct session_body body = { 0 };

	if (m->body.n && is_session(m)) {
		body.type = m->content_type;
		body.bytes = m->body;
	}
	return body;
}

/* ---- requests, ours and theirs ---- */

static enum uri_scheme contact_scheme(const struct leg *l, const struct msg *request)
{
	struct slice route = msg_header(request, HDR_RECORD_ROUTE);
	struct addr first = { .uri = request->contact.uri };
	struct msg_list it = { 0 };

	if (l->usage.dialog->secure || request->uri.scheme == URI_SIPS)
		return URI_SIPS;
	if (route.p && (msg_list_next(request, HDR_RECORD_ROUTE, &it, &route) != 1 ||
			       addr_parse(route, &first) < 0))
		return URI_SIP;
	return first.uri.scheme == URI_SIPS ? URI_SIPS : URI_SIP;
}

struct contact leg_contact(const struct leg *l, const struct msg *request, const struct flow *f)
{
	return (struct contact){
		.ep = l->s->ep,
		.flow = f,
		.scheme = contact_scheme(l, request),
		.privacy = l->usage.dialog->anonymous ? CONTACT_ANONYMOUS : CONTACT_OPEN,
	};
}

void leg_refuse(struct leg *l, struct flow *reply_flow, struct msg *m, unsigned status,
	struct slice headers)
{
	struct ua *ua = l->s->ua;
	struct uas_reply r = { .status = status, .headers = headers };
	struct txn *t = txn_server_new(&ua->txns, reply_flow, m, NULL, NULL);
	struct buf b = BUF_NULL;

	if (!t) {
		uas_reject_stateless(ua, reply_flow, m, 503, SLICE_NULL);
		return;
	}
	uas_build_reply(&b, ua, m, &r);
	(void)txn_reply(t, status, buf_slice(&b));
	buf_deinit(&b);
}

/* 12.2: who refreshes the target says where it is. */
static bool refreshes_target(enum method m)
{
	return m == METHOD_INVITE || m == METHOD_UPDATE || m == METHOD_REFER ||
	       m == METHOD_SUBSCRIBE || m == METHOD_NOTIFY;
}

int leg_request(struct leg *l, struct request_spec *spec, const struct request_ops *ops,
	void *owner, struct request **ret_request)
{
	spec->dialog = l->usage.dialog;
	spec->contact =
		refreshes_target(method_parse(spec->method)) ? REQUEST_CONTACT : REQUEST_NO_CONTACT;
	spec->redirects = REQUEST_HAND_BACK;
	return request_new(l->s->ep, spec, ops, owner, ret_request);
}

/* The end of a verb, until it is told; with copies. */
struct told {
	struct later_note note;
	struct session_reply reply;
	struct outcome o;
	struct leg_body body;
	char *reason;
};

static void deliver_reply(struct later_note *n)
{
	struct told *t = container_of(n, struct told, note);
	struct session_body body = leg_body_get(&t->body);

	t->reply.done(t->reply.owner, &t->o, &body);
	/* Looking at a message is all that an outcome may do with it; the references are ours. */
	msg_unref((struct msg *)(uintptr_t)t->o.response);
	msg_unref((struct msg *)(uintptr_t)t->o.request);
	leg_body_clear(&t->body);
	free(t->reason);
	free(t);
}

void leg_reply(struct leg *l, struct session_reply *r, const struct outcome *o,
	const struct session_body *body)
{
	struct buf reason = BUF_NULL;
	struct told *t;

	if (!r->done)
		return;
	t = mem_new(struct told);
	t->note.deliver = deliver_reply;
	t->reply = *r;
	*r = (struct session_reply){ 0 };
	t->o = *o;
	outcome_append_reason(&reason, o);
	t->reason = buf_take(&reason);
	t->o.reason = slice_str(t->reason);
	t->o.response = o->response ? msg_ref(o->response) : NULL;
	t->o.request = o->request ? msg_ref(o->request) : NULL;
	if (body)
		leg_body_set(&t->body, body);
	later_queue(&l->s->ua->later, &t->note);
}

void leg_reply_local(struct leg *l, struct session_reply *r, int error, struct slice reason)
{
	struct outcome o = { .reason = reason, .origin = ORIGIN_LOCAL, .error = error };

	leg_reply(l, r, &o, NULL);
}

void leg_judge(struct leg *l, enum method method, const struct outcome *o)
{
	unsigned status = o->origin == ORIGIN_TIMEOUT ? 408 : o->status;

	if (l->over || l->bye || !status)
		return;
	switch (usage_damage_of(method, status)) {
	case USAGE_UNHARMED:
		return;
	case USAGE_DIALOG_OVER:
		usage_dialog_over(&l->usage, status, o->reason);
		break;
	case USAGE_ENDED:
		break;
	}
	/* 12.2.1.2: what may have only gone unheard is ended in order; 481 knows of no dialog. */
	if (status == 408)
		leg_end_unheard(l, o);
	else
		session_leg_over(l, o->status, o->reason, o->origin);
}
