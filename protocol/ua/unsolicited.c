/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "protocol/ua/unsolicited.h"

#include "protocol/msg/build.h"
#include "protocol/msg/event.h"
#include "protocol/ua/incoming.h"
#include "protocol/ua/messages.h"
#include "protocol/ua/microsoft.h"
#include "protocol/ua/registration-flows.h"
#include "protocol/ua/session-identity.h"
#include "protocol/ua/uas.h"

static bool is_from_server(const struct endpoint *ep, const struct flow *f)
{
	return session_identity_is_from_server(ep, f) || registration_over(ep, f);
}

static bool is_about_messages(const struct msg *m)
{
	struct event e;

	return event_parse(msg_header(m, HDR_EVENT), &e) == 0 &&
	       slice_eq_ci(e.type, SLICE("message-summary"));
}

/* What is answered if no agent says otherwise; 0: the stack's own. */
static unsigned take(struct endpoint *ep, const struct msg *m)
{
	unsigned refusal;

	if (!is_about_messages(m))
		return 0;
	refusal = messages_take(ep, m);
	return refusal ? refusal : 200;
}

static void answer(struct endpoint *ep, struct flow *reply_flow, struct msg *m, unsigned status)
{
	uas_answer(ep->ua, reply_flow, m, &(struct uas_reply){ .status = status });
}

void unsolicited_receive(
	struct endpoint *ep, struct flow *f, struct flow *reply_flow, struct msg *m)
{
	bool best_effort = m->method == METHOD_BENOTIFY;
	bool trusted = is_from_server(ep, f);
	struct incoming *in;
	unsigned status;

	if (best_effort && !(microsoft_is_on(ep) && trusted))
		return;
	if (ep->registration && !trusted) {
		answer(ep, reply_flow, m, 481);
		return;
	}
	status = trusted ? take(ep, m) : 0;
	in = best_effort ? incoming_new_silent(ep, m) : incoming_new(ep, reply_flow, m);
	if (in)
		in->own_answer = status;
	else
		answer(ep, reply_flow, m, status ? status : 503);
}
