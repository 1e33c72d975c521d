/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "protocol/ua/microsoft-notify.h"

#include "protocol/base/err.h"
#include "protocol/msg/build.h"
#include "protocol/msg/event.h"
#include "protocol/msg/params.h"
#include "protocol/ua/endpoint-route.h"
#include "protocol/ua/microsoft-private.h"
#include "protocol/ua/microsoft-redirect.h"
#include "protocol/ua/uas.h"

/* What follows from the end of a registration. */
enum sequel {
	SEQUEL_NONE,      /* not by ourselves: it would be ended again, or end another */
	SEQUEL_AGAIN,     /* at once, from the beginning */
	SEQUEL_ELSEWHERE, /* at once, where P-Preferred-Registrar says */
	SEQUEL_LATER,     /* as after a failure */
};

static enum sequel sequel_of(struct slice event)
{
	static const struct {
		struct slice word;
		enum sequel sequel;
	} rows[] = {
		/* Too many endpoints of one user, of which we are the oldest. */
		{ SLICE_INIT("unregistered"), SEQUEL_NONE },
		{ SLICE_INIT("rejected"), SEQUEL_NONE },     /* the user may not any more */
		{ SLICE_INIT("deactivated"), SEQUEL_AGAIN }, /* moved to another server */
		{ SLICE_INIT("preferred-registrar-change"), SEQUEL_ELSEWHERE },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		if (slice_eq_ci(event, rows[i].word))
			return rows[i].sequel;
	return SEQUEL_LATER;
}

/* "deregistered;event=rejected" */
static bool read_body(const struct msg *m, struct slice *ret_event)
{
	struct slice body = slice_trim(m->body), event;
	size_t end = slice_find(body, ';');

	if (!slice_eq_ci(slice_trim(slice_head(body, end)), SLICE("deregistered")))
		return false;
	if (!params_find(slice_skip(body, end), SLICE("event"), &event) || !event.p)
		event = SLICE_NULL;
	*ret_event = params_unquote(event);
	return true;
}

static void obey(struct registration *r, const struct msg *m, struct slice event)
{
	enum sequel sequel = sequel_of(event);
	struct outcome o = { .origin = ORIGIN_REMOTE, .error = -EREMOTEIO };
	struct buf reason = BUF_NULL;

	buf_lit(&reason, "the registrar ended it: ");
	buf_put(&reason, event.n ? event : SLICE("no reason given"));
	microsoft_append_diagnostics(&reason, m);
	o.reason = buf_slice(&reason);
	if (sequel == SEQUEL_AGAIN ||
		(sequel == SEQUEL_ELSEWHERE &&
			!microsoft_prefer(
				r->ep, msg_header_named(m, SLICE("P-Preferred-Registrar")))))
		microsoft_go_home(r->ep);
	switch (sequel) {
	case SEQUEL_NONE:
		registration_withdrawn(r, &o, REGISTRATION_NOT_AGAIN);
		break;
	case SEQUEL_AGAIN:
	case SEQUEL_ELSEWHERE:
		registration_withdrawn(r, &o, REGISTRATION_AGAIN);
		break;
	case SEQUEL_LATER:
		registration_withdrawn(r, &o, REGISTRATION_AGAIN_LATER);
		break;
	}
	buf_deinit(&reason);
}

/* [MS-SIPREGE] 3.2: it is about the registration that was made over this flow, and no other. */
static bool belongs(const struct registration *r, const struct flow *f, const struct msg *m)
{
	return f == r->ep->flow && slice_eq(m->call_id, slice_str(r->call_id)) &&
	       (!m->to_tag.n || slice_eq(m->to_tag, slice_str(r->from_tag)));
}

static unsigned judge(struct registration *r, const struct flow *f, const struct msg *m)
{
	struct slice type =
		slice_trim(slice_head(m->content_type, slice_find(m->content_type, ';')));
	struct slice event;

	if (!belongs(r, f, m))
		return 481;
	if (!slice_eq_ci(type, SLICE("text/registration-event")))
		return 415;
	if (!read_body(m, &event))
		return 400;
	/* An attempt under way will say how it stands; what is no more cannot end. */
	if (!r->request && r->state == REGISTRATION_REGISTERED)
		obey(r, m, event);
	return 200;
}

static void answer(struct ua *ua, struct flow *reply_flow, struct msg *m, unsigned status)
{
	struct buf headers = BUF_NULL;
	struct uas_reply r = { .status = status };

	if (status == 415)
		build_header(&headers, HDR_ACCEPT, SLICE("text/registration-event"));
	r.headers = buf_slice(&headers);
	uas_answer(ua, reply_flow, m, &r);
	buf_deinit(&headers);
}

bool microsoft_receive(struct ua *ua, struct flow *f, struct flow *reply_flow, struct msg *m)
{
	struct endpoint *ep;
	struct event e;

	if (m->method != METHOD_NOTIFY || event_parse(msg_header(m, HDR_EVENT), &e) < 0 ||
		!slice_eq_ci(e.type, SLICE("registration-notify")))
		return false;
	ep = endpoint_route(ua, f, m);
	if (!ep || !microsoft_is_on(ep) || !ep->registration)
		return false;
	answer(ua, reply_flow, m, judge(ep->registration, f, m));
	return true;
}
