/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "protocol/msg/dialog-id.h"
#include "protocol/ua/session-in-private.h"

/*
 * An INVITE that wants the place of another session, or a place beside it. Whether its sender may
 * have that is for the agent who takes it: the caller's identity and Referred-By are there to be
 * read (RFC 3891 section 3).
 */

static struct slice tag_of(const struct msg *m)
{
	return m ? m->to_tag : SLICE_NULL;
}

/* A session that has ended, of which the network may still know more than we do. */
static bool was(const struct session *s, const struct dialog_id *id)
{
	const struct msg *invite = s->invite_msg;
	struct slice ours, theirs;

	if (s->state != SESSION_TERMINATED || !invite)
		return false;
	ours = s->outgoing ? invite->from_tag : slice_str(s->to_tag);
	theirs = s->outgoing ? tag_of(s->final_msg) : invite->from_tag;
	return slice_eq(id->call_id, invite->call_id) && slice_eq(id->to_tag, ours) &&
	       dialog_id_tag_matches(id->from_tag, theirs);
}

static bool has_ended(const struct endpoint *ep, const struct dialog_id *id)
{
	list_for_each (node, &ep->sessions)
		if (was(list_entry(node, struct session, node), id))
			return true;
	return false;
}

static struct leg *find_leg(const struct endpoint *ep, const struct dialog_id *id)
{
	struct dialog *d = dialog_find(&ep->ua->dialogs, id->call_id, id->to_tag, id->from_tag);
	struct leg *l = d ? leg_of_dialog(d) : NULL;

	/* Another endpoint's dialogs are none of this caller's business. */
	return l && l->s->ep == ep ? l : NULL;
}

static unsigned judge(const struct leg *l, const struct dialog_id *id, enum hdr_id header)
{
	if (l->over || l->s->state == SESSION_TERMINATING || l->s->state == SESSION_TERMINATED)
		return 603;
	/* Who talks to whom through us is for our client to say (RFC 3891 section 3). */
	if (l->s->relayed)
		return 603;
	if (header == HDR_JOIN)
		return 0;
	if (l->confirmed)
		return id->early_only ? 486 : 0;
	return l->client ? 0 : 481;
}

static void check(const struct endpoint *ep, enum hdr_id header, struct slice value,
	struct session_in_verdict *v)
{
	struct dialog_id id;
	struct leg *l;

	if (dialog_id_parse(value, &id) < 0) {
		v->status = 400;
		return;
	}
	l = find_leg(ep, &id);
	if (!l) {
		v->status = has_ended(ep, &id) ? 603 : 481;
		return;
	}
	v->status = judge(l, &id, header);
	if (v->status)
		return;
	if (header == HDR_JOIN)
		v->joins = l->s;
	else
		v->replaces = l->s;
	v->early_only = id.early_only;
}

void session_in_check_replaces(
	const struct endpoint *ep, const struct msg *m, struct session_in_verdict *v)
{
	struct slice replaces = msg_header(m, HDR_REPLACES), join = msg_header(m, HDR_JOIN);

	if (replaces.p && join.p) {
		v->status = 400;
		v->reason = SLICE("Replaces and Join");
	} else if (replaces.p) {
		check(ep, HDR_REPLACES, replaces, v);
	} else if (join.p) {
		check(ep, HDR_JOIN, join, v);
	}
}

bool session_in_comes_late(const struct session *s)
{
	return s->replaces && s->in->early_only && s->replaces->state == SESSION_ESTABLISHED;
}

void session_in_end_replaced(struct session *s)
{
	static const struct request_header why = { SLICE_INIT("Reason"),
		SLICE_INIT("SIP;cause=200;text=\"Replaced\"") };
	struct session_end end = { .reason = SLICE("replaced"), .headers = { &why, 1 } };
	struct session *replaced = s->replaces;

	if (!replaced)
		return;
	s->replaces = NULL;
	list_remove(&s->replaces_node);
	(void)session_terminate(replaced, &end);
}
