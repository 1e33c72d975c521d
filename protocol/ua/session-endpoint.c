/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "protocol/ua/session-endpoint.h"

#include "protocol/ua/gruu.h"
#include "protocol/ua/session-private.h"
#include "protocol/ua/session-view.h"

void session_endpoint_over(struct endpoint *ep, enum session_farewell how)
{
	list_for_each_safe (node, next, &ep->sessions) {
		struct session *s = list_entry(node, struct session, node);

		switch (how) {
		case SESSION_ENDED:
			/* 480 to who waits for an answer: others may still give one (21.4.18). */
			session_pass(s);
			(void)session_terminate(s, NULL);
			break;
		case SESSION_TOLD:
			session_over(s, 0, SLICE("endpoint closed"), ORIGIN_LOCAL);
			break;
		case SESSION_SILENT:
			session_free(s);
			break;
		}
	}
}

/* RFC 5627 section 4.4: the GRUU that we gave leads to wherever we are registered. */
static bool is_found_anyway(const struct session *s)
{
	struct slice gruu = session_gruu(s);
	struct uri uri;

	return gruu.n && uri_parse(gruu, &uri) == 0 && gruu_find(s->ua, &uri) == s->ep;
}

static void leg_moved(struct leg *l)
{
	if (l->confirmed && !l->over && l->flow && l->flow->state == FLOW_DOWN &&
		!is_found_anyway(l->s))
		leg_modify_refresh(l);
}

void session_endpoint_moved(struct endpoint *ep)
{
	list_for_each (node, &ep->sessions) {
		struct session *s = list_entry(node, struct session, node);

		list_for_each (at, &s->legs)
			leg_moved(list_entry(at, struct leg, node));
	}
}

/* Whose INVITE has that Call-ID and our tag. */
static struct session *find_out(const struct ua *ua, struct slice call_id, struct slice tag)
{
	struct buf key = BUF_NULL;
	struct map_node *node;

	buf_put(&key, call_id);
	buf_putc(&key, '\n');
	buf_put(&key, tag);
	node = map_find(&ua->invites, buf_slice(&key));
	buf_deinit(&key);
	return node ? container_of(node, struct session, by_invite) : NULL;
}

void session_receive_stray(struct ua *ua, const struct msg *m)
{
	struct session *s = find_out(ua, m->call_id, m->from_tag);

	if (s)
		session_out_stray(s, m);
}

bool session_awaits_dialog(const struct ua *ua, const struct msg *request)
{
	const struct session *s = find_out(ua, request->call_id, request->to_tag);

	return s && s->invite;
}
