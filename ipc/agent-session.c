/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Sessions that come: whose they will be. */
#include "ipc/agent-private.h"
#include "ipc/bus-value.h"
#include "ipc/iface-private.h"
#include "ipc/iface-session.h"
#include "protocol/ua/limits.h"
#include "protocol/ua/session-view.h"

/* The far end hears 100 and waits; the session itself gives up in that time. */
#define ASK_SESSION (LIMITS_UNDECIDED_SECONDS * USEC_PER_SEC)

static void write_invite(struct bus_writer *w, const struct session *s)
{
	const struct msg *m = session_msg(s, SESSION_INVITE);
	/* RFC 3325 section 5: whom nobody vouches for asserts nothing. */
	enum hdr_id left_out = session_is_vouched_for(s) ? HDR_COUNT : HDR_P_ASSERTED_IDENTITY;
	struct buf display = BUF_NULL;

	addr_append_display(&display, &m->from);
	bus_entry_s(w, "From", m->from.uri.text);
	bus_entry_s(w, "FromDisplayName", buf_slice(&display));
	bus_entry_s(w, "To", m->to.uri.text);
	bus_entry_s(w, "RequestUri", m->request_uri);
	bus_entry_s(w, "ContentType", m->content_type);
	bus_entry_ay(w, "Description", m->body);
	bus_open_entry(w, "Headers", "a(ss)");
	iface_write_headers_but(w, m, left_out);
	bus_close(w);
	buf_deinit(&display);
}

void agent_session_write(struct bus_writer *w, const struct agent_ask *q)
{
	const struct session *s = q->session->s;

	bus_write_o(w, iface_session_path(s));
	bus_open_dict(w);
	write_invite(w, s);
	bus_entry_s(w, "Type", session_type(s));
	bus_entry_b(w, "Forked", session_is_forked(s));
	if (session_replaced(s))
		bus_entry_o(w, "Replaces", iface_session_path(session_replaced(s)));
	if (session_joined(s))
		bus_entry_o(w, "Join", iface_session_path(session_joined(s)));
	bus_close(w);
}

/* RFC 3891 section 3, RFC 3911 section 4: who takes it must be entitled to the session whose place
 * it wants, or that it joins. */
bool agent_session_is_for(const struct agent *a, const struct agent_ask *q)
{
	const struct session *other = NULL;

	if (q->session)
		other = session_replaced(q->session->s);
	if (q->session && !other)
		other = session_joined(q->session->s);
	return !other || iface_session_is_for(session_user(other), a->client);
}

/* Lets go of the session before the question is freed. */
static struct iface_session *let_go(struct agent_ask *q)
{
	struct iface_session *is = mem_take(&q->session);

	is->ask = NULL;
	return is;
}

bool agent_session_take(struct agent_ask *q, struct bus_reader *r)
{
	(void)r;
	iface_session_take(let_go(q), q->client);
	return true;
}

void agent_session_give_up(struct agent_ask *q)
{
	session_pass(let_go(q)->s);
}

void agent_session_incoming(struct agents *all, struct iface_session *is)
{
	is->ask = agent_ask_new(all, AGENT_SESSION, ASK_SESSION);
	is->ask->session = is;
	agent_ask_start(is->ask);
}

void agent_session_gone(struct iface_session *is)
{
	if (is->ask)
		agent_ask_free(is->ask);
}
