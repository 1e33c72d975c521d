/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "protocol/base/err.h"
#include "protocol/msg/build.h"
#include "protocol/ua/leg-parts.h"
#include "protocol/ua/limits.h"
#include "protocol/ua/session-private.h"
#include "protocol/ua/uas.h"

/*
 * What passes through a dialog without changing it: INFO (RFC 6086), MESSAGE (RFC 3428), OPTIONS
 * (RFC 3261 section 11). None refreshes the target.
 *
 * Which Info Packages a session takes is the client's affair: it says so by a Recv-Info header of
 * its own in INVITE, 1xx or 2xx. What was not in the last of them is refused with 469 (RFC 6086
 * 4.2.2), everything else is told and answered 200. Without Recv-Info we claim no support of the
 * package mechanism, and what comes nevertheless is as good as legacy INFO (section 9). What the
 * peer takes, by its Recv-Info, is all that may be sent to it (5.2.2).
 */

struct send {
	struct list node; /* in leg->sends */
	struct leg *leg;
	struct request *request;
	enum method method;
	struct session_reply reply;
};

static void free_send(struct send *s)
{
	list_remove(&s->node);
	request_free(s->request);
	free(s);
}

static void on_done(void *owner, struct request *r, const struct outcome *o)
{
	struct send *s = owner;
	struct leg *l = s->leg;
	enum method method = s->method;
	struct session_body body = { 0 };

	(void)r;
	if (o->response) {
		leg_message_note_peer(l, o->response); /* 469 */
		body.type = o->response->content_type;
		body.bytes = o->response->body;
	}
	leg_reply(l, &s->reply, o, &body);
	s->request = NULL;
	free_send(s);
	if (o->error)
		leg_judge(l, method, o);
}

static const struct request_ops ops = { .done = on_done };

int leg_message_send(
	struct leg *l, const struct request_spec *spec, const struct session_reply *reply)
{
	struct request_spec full = *spec;
	struct send *s;
	int r;

	if (l->over)
		return -ESTALE;
	if (list_length(&l->sends) >= LIMITS_SENDS_PER_SESSION)
		return -ENOSPC;
	s = mem_new(struct send);
	s->leg = l;
	s->method = method_parse(spec->method);
	r = leg_request(l, &full, &ops, s, &s->request);
	if (r < 0) {
		free(s);
		return r;
	}
	if (reply)
		s->reply = *reply;
	list_append(&l->sends, &s->node);
	return 0;
}

/* ---- the peer's ---- */

static void tell(struct leg *l, const struct msg *m)
{
	struct ua_session_event e = {
		.news = m->method == METHOD_INFO ? UA_SESSION_INFO : UA_SESSION_MESSAGE,
		.fork = slice_str(l->fork),
		.content_type = m->content_type,
		.body = m->body,
		.package = msg_header(m, HDR_INFO_PACKAGE),
		.message = m,
	};

	session_tell(l->s, &e);
}

/* The name alone: parameters say more about a package, not which it is (RFC 6086 7.2). */
static struct slice package_of(struct slice element)
{
	struct slice name = element, rest;

	(void)slice_cut(element, ';', &name, &rest);
	return slice_trim(name);
}

static bool is_listed(const char *list, struct slice package)
{
	struct slice element, rest = slice_str(list);

	while (rest.n) {
		if (!slice_cut(rest, ',', &element, &rest)) {
			element = rest;
			rest = SLICE_NULL;
		}
		if (slice_eq_ci(package_of(element), package_of(package)))
			return true;
	}
	return false;
}

void leg_message_note_peer(struct leg *l, const struct msg *m)
{
	const struct hdr *h = NULL;
	struct buf list = BUF_NULL;

	if (!msg_header(m, HDR_RECV_INFO).p)
		return;
	while ((h = msg_header_next(m, HDR_RECV_INFO, h))) {
		buf_put(&list, list.n ? SLICE(",") : SLICE_NULL);
		buf_put(&list, h->value);
	}
	free(l->peer_packages);
	l->peer_packages = buf_take(&list);
}

bool leg_message_may_go(const struct leg *l, struct slice package)
{
	return l->peer_packages && is_listed(l->peer_packages, package);
}

void leg_message_note_packages(struct session *s, const struct session_headers *h)
{
	struct buf list = BUF_NULL;
	size_t n = 0;

	for (size_t i = 0; h && i < h->n; i++)
		if (hdr_find(h->list[i].name) == HDR_RECV_INFO) {
			buf_put(&list, n++ ? SLICE(",") : SLICE_NULL);
			buf_put(&list, h->list[i].value);
		}
	if (n) {
		free(s->recv_info);
		s->recv_info = slice_dup(buf_slice(&list));
	}
	buf_deinit(&list);
}

/* RFC 6086 4.2.2 */
static void refuse_package(struct leg *l, struct flow *reply_flow, struct msg *m)
{
	struct buf lines = BUF_NULL;

	build_header(&lines, HDR_RECV_INFO, slice_str(l->s->recv_info));
	leg_refuse(l, reply_flow, m, 469, buf_slice(&lines));
	buf_deinit(&lines);
}

bool leg_message_request(struct leg *l, struct flow *reply_flow, struct msg *m)
{
	struct slice package = msg_header(m, HDR_INFO_PACKAGE);
	struct buf lines = BUF_NULL;

	if (m->method == METHOD_INFO && package.n && l->s->recv_info &&
		!is_listed(l->s->recv_info, package)) {
		refuse_package(l, reply_flow, m);
		return true;
	}
	if (m->method == METHOD_OPTIONS)
		uas_append_capabilities(&lines); /* 11.2 */
	else
		tell(l, m);
	leg_refuse(l, reply_flow, m, 200, buf_slice(&lines));
	buf_deinit(&lines);
	return true;
}

void leg_message_stop(struct leg *l)
{
	struct list *node;

	while ((node = list_first(&l->sends))) {
		struct send *s = list_entry(node, struct send, node);

		leg_reply_local(l, &s->reply, -ECANCELED, SLICE("the session ended"));
		free_send(s);
	}
}
