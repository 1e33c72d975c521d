/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "protocol/ua/session-view.h"

#include "protocol/ua/session-private.h"

/* Before there is a leg that counts, the oldest one speaks. */
static const struct leg *any_leg(const struct session *s)
{
	struct list *first = list_first(&s->legs);

	if (s->leg)
		return s->leg;
	return first ? list_entry(first, struct leg, node) : NULL;
}

struct session *session_find(struct ua *ua, struct slice id)
{
	struct map_node *node = map_find(&ua->sessions, id);

	return node ? container_of(node, struct session, by_id) : NULL;
}

const char *session_id(const struct session *s)
{
	return s->id;
}

struct endpoint *session_endpoint(const struct session *s)
{
	return s->ep;
}

enum session_state session_state(const struct session *s)
{
	return s->state;
}

const char *session_state_name(enum session_state s)
{
	static const char *const names[] = {
		[SESSION_INCOMING] = "incoming",
		[SESSION_TRYING] = "trying",
		[SESSION_RINGING] = "ringing",
		[SESSION_EARLY] = "early",
		[SESSION_ESTABLISHED] = "established",
		[SESSION_TERMINATING] = "terminating",
		[SESSION_TERMINATED] = "terminated",
	};

	return names[s];
}

const struct msg *session_msg(const struct session *s, enum session_message which)
{
	switch (which) {
	case SESSION_INVITE:
		return s->invite ? request_sent(s->invite) : s->invite_msg;
	case SESSION_FINAL:
		return s->outgoing ? s->final_msg : session_in_final(s);
	case SESSION_LAST_RECEIVED:
		return s->last_msg;
	}
	return NULL;
}

bool session_is_outgoing(const struct session *s)
{
	return s->outgoing;
}

bool session_is_forked(const struct session *s)
{
	return s->forked;
}

enum offer_state session_description_state(const struct session *s)
{
	const struct leg *l = any_leg(s);

	return l ? l->offer.state : s->first_offer;
}

struct slice session_type(const struct session *s)
{
	return slice_str(s->type);
}

struct slice session_party(const struct session *s)
{
	return slice_str(s->party);
}

struct slice session_call_id(const struct session *s)
{
	return slice_str(s->call_id);
}

struct slice session_local(const struct session *s)
{
	return slice_str(s->local);
}

struct slice session_remote(const struct session *s)
{
	return slice_str(s->remote);
}

struct slice session_request_uri(const struct session *s)
{
	return slice_str(s->request_uri);
}

struct slice session_remote_target(const struct session *s)
{
	const struct leg *l = any_leg(s);

	return l ? slice_str(l->usage.dialog->remote_target) : SLICE_NULL;
}

/* From what we sent: the INVITE, or our 2xx to it. */
struct slice session_gruu(const struct session *s)
{
	const struct msg *m = session_msg(s, s->outgoing ? SESSION_INVITE : SESSION_FINAL);

	return m && m->contact.uri.text.p && gruu_is(&m->contact.uri) ? m->contact.uri.text
								      : SLICE_NULL;
}

usec_t session_start_time(const struct session *s)
{
	return s->start_time;
}

uint32_t session_expires(const struct session *s)
{
	const struct leg *l = s->leg;

	return l && !l->over ? l->timer.interval : 0;
}

const char *session_refresher(const struct session *s)
{
	if (!session_expires(s))
		return "";
	return s->leg->timer.ours ? "local" : "remote";
}

struct session *session_replaced(const struct session *s)
{
	return s->replaces;
}

struct session *session_joined(const struct session *s)
{
	return s->joins;
}

void session_set_user(struct session *s, void *user)
{
	s->user = user;
}

void *session_user(const struct session *s)
{
	return s->user;
}
