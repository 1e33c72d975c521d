/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "protocol/ua/session-identity.h"

#include "protocol/ua/leg.h"
#include "protocol/ua/session-private.h"

/* The way by which the far end reaches us; NULL: none yet. */
static const struct flow *flow_of(const struct session *s)
{
	if (s->leg)
		return s->leg->flow;
	return s->invite ? request_flow(s->invite) : NULL;
}

/* What the far end's side said about it last. */
static const struct msg *message_of(const struct session *s)
{
	if (!s->outgoing)
		return s->invite_msg;
	return s->final_msg ? s->final_msg : s->last_msg;
}

void session_asserted_identities(
	const struct session *s, void (*each)(void *ctx, struct slice uri), void *ctx)
{
	const struct flow *flow = flow_of(s);
	const struct msg *m = message_of(s);
	struct msg_list it = { 0 };
	struct slice value;
	struct addr a;

	if (!m || !flow || flow != s->ep->flow)
		return;
	while (msg_list_next(m, HDR_P_ASSERTED_IDENTITY, &it, &value) == 1)
		if (addr_parse(value, &a) == 0)
			each(ctx, a.uri.text);
}
