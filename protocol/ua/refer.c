/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "protocol/base/err.h"
#include "protocol/msg/build.h"
#include "protocol/msg/target-dialog.h"
#include "protocol/ua/refer-in-private.h"
#include "protocol/ua/session-private.h"
#include "protocol/ua/uas.h"

/* One NOTIFY, or that the REFER was accepted, until the owner is told. */
struct refer_news {
	struct list node;
	struct msg *m;
};

/* ---- both sides ---- */

bool refer_event(const struct msg *m, struct event *ret)
{
	return event_parse(msg_header(m, HDR_EVENT), ret) == 0 &&
	       slice_eq(ret->type, SLICE("refer"));
}

bool refer_event_fits(const struct event *e, uint32_t cseq)
{
	uint32_t id;

	return !e->id.p || (slice_to_u32(e->id, UINT32_MAX, &id) && id == cseq);
}

void refer_append_contact(
	struct buf *b, const struct refer_in *r, const struct msg *m, const struct flow *f)
{
	const struct dialog *d = r->usage.dialog;
	struct contact c = {
		.ep = r->ep,
		.flow = f,
		.scheme = m->uri.scheme == URI_SIPS ? URI_SIPS : URI_SIP,
		.privacy = d && d->anonymous ? CONTACT_ANONYMOUS : CONTACT_OPEN,
	};

	contact_append(b, &c);
}

/* ---- outside of sessions: news for the owner ---- */

static void free_news(struct refer_news *news)
{
	list_remove(&news->node);
	msg_unref(news->m);
	free(news);
}

void refer_drop_news(struct refer *r)
{
	struct list *node;

	later_cancel(&r->note);
	while ((node = list_first(&r->news)))
		free_news(list_entry(node, struct refer_news, node));
}

void refer_tell(struct refer *r, const struct msg *m)
{
	struct refer_news *news;

	if (!r->ops)
		return;
	news = mem_new(struct refer_news);
	news->m = m ? msg_ref(m) : NULL;
	list_append(&r->news, &news->node);
	later_queue(&r->ep->ua->later, &r->note);
}

static void tell_end(struct refer *r)
{
	struct refer_end end = {
		.status = r->end.status,
		.reason = slice_str(r->end.reason),
		.origin = r->end.origin,
		.why = slice_str(r->end.why),
		.retry_after = r->end.retry_after,
	};

	r->dead = true;
	r->ops->terminated(r->owner, r, &end);
}

static void deliver(struct later_note *n)
{
	struct refer *r = container_of(n, struct refer, note);
	struct list *node;

	r->delivering = true;
	while (!r->dead && (node = list_first(&r->news))) {
		struct refer_news *news = list_entry(node, struct refer_news, node);

		/* Off the list: the owner may free everything. */
		list_remove(node);
		if (r->ops->notified)
			r->ops->notified(r->owner, r, news->m);
		free_news(news);
	}
	if (!r->dead && r->state == REFER_TERMINATED)
		tell_end(r);
	r->delivering = false;
	if (r->dead)
		refer_destroy(r);
}

/* ---- outside of sessions: verbs ---- */

static int check(struct endpoint *ep, const struct refer_spec *spec, struct buf *lines)
{
	struct uri uri;

	if (!ep->kind->subscribes && !spec->no_subscription)
		return -EOPNOTSUPP;
	if (uri_parse(spec->refer_to, &uri) < 0)
		return -EINVAL;
	return session_append_headers(lines, &spec->headers);
}

bool refer_names_referrer(const struct session_headers *h)
{
	for (size_t i = 0; i < h->n; i++)
		if (hdr_find(h->list[i].name) == HDR_REFERRED_BY)
			return true;
	return false;
}

int refer_new(struct endpoint *ep, const struct refer_spec *spec, const struct refer_ops *ops,
	void *owner, struct refer **ret_refer)
{
	UA_SCOPE(ep->ua);
	struct buf lines = BUF_NULL, by = BUF_NULL;
	struct refer_wish w = {
		.refer_to = spec->refer_to,
		.target = spec->target,
		.route = spec->route,
		.no_subscription = spec->no_subscription,
	};
	struct refer *r = NULL;
	int error = check(ep, spec, &lines);

	if (error == 0) {
		if (!refer_names_referrer(&spec->headers))
			addr_append(&by, slice_str(ep->display_name), slice_str(ep->uri));
		w.lines = buf_slice(&lines);
		w.referred_by = buf_slice(&by);
		error = refer_send(ep, NULL, &w, &r);
	}
	buf_deinit(&lines);
	buf_deinit(&by);
	if (!r)
		return error;
	r->ops = ops;
	r->owner = owner;
	r->note.deliver = deliver;
	*ret_refer = r;
	return 0;
}

void refer_free(struct refer *r)
{
	if (r)
		refer_destroy(r);
}

/* ---- looking at it ---- */

enum refer_state refer_state(const struct refer *r)
{
	return r->state;
}

const char *refer_state_name(enum refer_state s)
{
	switch (s) {
	case REFER_PENDING:
		return "pending";
	case REFER_ACTIVE:
		return "active";
	case REFER_TERMINATED:
		return "terminated";
	}
	return "";
}

usec_t refer_expires(const struct refer *r)
{
	return r->expires;
}

const struct msg *refer_last(const struct refer *r)
{
	return r->last;
}

/* ---- for endpoints and uas ---- */

void refer_endpoint_over(struct endpoint *ep, enum refer_farewell how)
{
	list_for_each_safe (node, next, &ep->refers_in)
		refer_in_free(list_entry(node, struct refer_in, node));
	list_for_each_safe (node, next, &ep->refers) {
		struct refer *r = list_entry(node, struct refer, node);

		switch (how) {
		case REFER_TOLD:
			refer_outcome(r, 0, SLICE("endpoint closed"), ORIGIN_LOCAL);
			refer_over(r);
			break;
		case REFER_SILENT:
			refer_free(r);
			break;
		}
	}
}

/* RFC 7647 section 4: a REFER outside of a dialog may name one that it is about. */
static bool receive_for_session(struct ua *ua, struct flow *reply_flow, struct msg *m)
{
	struct dialog_id id;
	struct dialog *d;
	struct leg *l;

	if (m->to_tag.n || target_dialog_parse(msg_header(m, HDR_TARGET_DIALOG), &id) < 0)
		return false;
	d = dialog_find(&ua->dialogs, id.call_id, id.to_tag, id.from_tag);
	l = d ? leg_of_dialog(d) : NULL;
	if (!l || l->over)
		return false;
	refer_in_receive(l, reply_flow, m);
	return true;
}

bool refer_receive(struct ua *ua, struct flow *reply_flow, struct msg *m)
{
	if (m->method == METHOD_NOTIFY)
		return refer_first_notify(ua, reply_flow, m);
	return m->method == METHOD_REFER && receive_for_session(ua, reply_flow, m);
}
