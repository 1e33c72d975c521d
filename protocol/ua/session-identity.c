/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "protocol/ua/session-identity.h"

#include "protocol/ua/leg.h"
#include "protocol/ua/session-in-private.h"
#include "protocol/ua/session-view.h"

bool session_identity_is_from_server(const struct endpoint *ep, const struct flow *f)
{
	const struct flow *server = ep->flow;

	if (!server || !f || !profile_proxy(ep->profile))
		return false;
	if (server == f)
		return true;
	return server->transport == f->transport &&
	       slice_eq(slice_str(server->peer.host), slice_str(f->peer.host)) &&
	       (flow_is_reliable(f) || server->peer.port == f->peer.port);
}

/* The message that says who the far end is, if it came from whom we believe. */
static const struct msg *believed(const struct session *s)
{
	if (s->in)
		return s->in->trusted ? s->invite_msg : NULL;
	if (!s->leg || !session_identity_is_from_server(s->ep, s->leg->flow))
		return NULL;
	return s->final_msg;
}

bool session_is_vouched_for(const struct session *s)
{
	return believed(s) != NULL;
}

struct slice session_asserted(const struct session *s, unsigned i)
{
	const struct msg *m = believed(s);
	struct msg_list it = { 0 };
	struct slice value;

	while (m && msg_list_next(m, HDR_P_ASSERTED_IDENTITY, &it, &value) == 1)
		if (i-- == 0)
			return value;
	return SLICE_NULL;
}
