/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* org.sipbus1.Session: its life, who may act on it, and its table. */
#include "ipc/iface-session.h"

#include <string.h>

#include "ipc/agent.h"
#include "ipc/bus-call.h"
#include "ipc/bus-object.h"
#include "ipc/bus-path.h"
#include "ipc/bus-value.h"
#include "ipc/iface-private.h"
#include "protocol/base/err.h"
#include "protocol/ua/endpoint.h"
#include "protocol/ua/session-view.h"

/* ---- ownership ---- */

static struct iface_session *of_owned(struct iface_owned *o)
{
	return container_of(o, struct iface_session, owned);
}

static const struct profile *profile_of(const struct iface_session *is)
{
	return session_endpoint(is->s)->profile;
}

static void on_owner_changed(struct iface_owned *o)
{
	bus_changed(of_owned(o)->object, &iface_session, "Owner");
}

static usec_t get_grace(struct iface_owned *o)
{
	return profile_of(of_owned(o))->owner_grace;
}

/* Nobody came for it in time. */
static void on_owner_lost(struct iface_owned *o)
{
	static const struct session_end end = { .status = 480, .reason = SLICE("Owner Gone") };
	struct iface_session *is = of_owned(o);

	switch (profile_of(is)->on_owner_lost) {
	case PROFILE_OWNER_LOST_END:
		(void)session_terminate(is->s, &end);
		break;
	case PROFILE_OWNER_LOST_KEEP:
		iface_news_refuse(is);
		break;
	}
}

static const struct iface_owned_class owned_class = {
	.changed = on_owner_changed,
	.grace = get_grace,
	.lost = on_owner_lost,
};

bool iface_session_is_for(const struct iface_session *is, const char *client)
{
	const char *owner = iface_owned_by(&is->owned);

	if (!*owner && is->ask)
		owner = agent_asked(is->ask);
	return !*owner || strcmp(owner, client) == 0;
}

void iface_session_take(struct iface_session *is, const char *client)
{
	/* Whoever was to be asked next is not: it is somebody's. */
	agent_session_gone(is);
	iface_own(&is->owned, client);
	iface_news_release(is);
}

static int guard(const struct bus_access *a, void *object)
{
	const struct iface_session *is = object;
	int r = iface_guard(is->iface, a, profile_of(is));

	if (r == 0 && a->flags & BUS_OWNER && !iface_session_is_for(is, a->sender))
		return -EPERM;
	return r;
}

/* ---- the table ---- */

static const struct bus_signal signals[] = {
	{ .name = "Progress",
		.sig = "usssay",
		.args = BUS_ARGS("status", "reason", "fork", "content_type", "description"),
		.flags = BUS_UNICAST,
		.doc = "To the owner: a provisional answer came. fork tells early dialogs apart; a "
		       "description is the answer, or what it will be (RFC 3261 section 13.2.1)." },
	{ .name = "Established",
		.sig = "say",
		.args = BUS_ARGS("content_type", "description"),
		.flags = BUS_UNICAST,
		.doc = "To the owner: 2xx and ACK have passed. The description is what the far end gave "
		       "in them, if anything." },
	{ .name = "OfferReceived",
		.sig = "say",
		.args = BUS_ARGS("content_type", "description"),
		.flags = BUS_UNICAST,
		.doc = "To the owner, who owes Answer or RejectOffer: the far end offers; empty: it wants "
		       "our offer (RFC 3261 section 14.2, RFC 3311)." },
	{ .name = "AnswerReceived",
		.sig = "say",
		.args = BUS_ARGS("content_type", "description"),
		.flags = BUS_UNICAST,
		.doc = "To the owner: an answer for which no call waits, such as that to the offer of "
		       "Ring, Accept or Answer." },
	{ .name = "MessageReceived",
		.sig = "saya(ss)",
		.args = BUS_ARGS("content_type", "body", "headers"),
		.flags = BUS_UNICAST,
		.doc = "To the owner: a MESSAGE in the dialog (RFC 3428)." },
	{ .name = "InfoReceived",
		.sig = "ssay",
		.args = BUS_ARGS("package", "content_type", "body"),
		.flags = BUS_UNICAST,
		.doc = "To the owner: an INFO (RFC 6086); no package: the legacy use." },
	{ .name = "ReferReceived",
		.sig = "uss",
		.args = BUS_ARGS("id", "refer_to", "referred_by"),
		.flags = BUS_UNICAST,
		.doc = "To the owner, who owes AcceptRefer or RejectRefer: the far end asks us to call "
		       "refer_to (RFC 3515)." },
	{ .name = "ReferProgress",
		.sig = "us",
		.args = BUS_ARGS("status", "reason"),
		.flags = BUS_UNICAST,
		.doc = "To the owner: how the transfer goes that Refer asked for." },
	{ .name = "ReferFinished",
		.sig = "us",
		.args = BUS_ARGS("status", "reason"),
		.flags = BUS_UNICAST,
		.doc = "To the owner: how it ended, once for each Refer." },
	{ .name = "Terminated",
		.sig = "uss",
		.args = BUS_ARGS("status", "reason", "origin"),
		.doc = "The session is over, once; then the object goes. origin: local, remote, network "
		       "or timeout." },
	{ 0 },
};

const struct bus_interface iface_session = {
	.name = "org.sipbus1.Session",
	.doc = "What began with one INVITE, with all its forks. Its owner acts on it and hears its "
	       "signals. Without an owner, whoever may use the profile may act, and signals wait for "
	       "Adopt.",
	.guard = guard,
	.methods = iface_session_methods,
	.properties = iface_session_properties,
	.signals = signals,
};

/* ---- the ua's news ---- */

void iface_session_added(struct iface *i, struct session *s)
{
	static const struct bus_interface *const interfaces[] = { &iface_session, NULL };
	struct iface_session *is = mem_new(struct iface_session);
	struct buf path = BUF_NULL;
	char *text;

	buf_lit(&path, IFACE_ROOT "/session/");
	bus_path_append(&path, slice_str(session_id(s)));
	text = buf_take(&path);
	is->iface = i;
	is->s = s;
	iface_owned_init(&is->owned, i, &owned_class);
	list_append(&i->sessions, &is->node);
	i->n_sessions++;
	session_set_user(s, is);
	(void)bus_object_new(i->bus, text, interfaces, is, &is->object);
	free(text);
	iface_manager_changed(i, "SessionCount");
}

void iface_session_removed(struct iface *i, struct session *s)
{
	struct iface_session *is = session_user(s);

	agent_session_gone(is);
	/* Fails what waits here; the object's last words need all of it still. */
	bus_object_free(is->object);
	session_set_user(s, NULL);
	iface_owned_deinit(&is->owned);
	iface_news_drop(is);
	list_remove(&is->node);
	i->n_sessions--;
	free(is);
	iface_manager_changed(i, "SessionCount");
}

void iface_session_changed(struct session *s, unsigned changes)
{
	static const struct {
		unsigned changes; /* of enum ua_session_change */
		const char *property;
	} rows[] = {
		{ UA_SESSION_STATE, "State" },
		{ UA_SESSION_FORKED, "Forked" },
		{ UA_SESSION_START, "StartTime" },
		{ UA_SESSION_DESCRIPTION, "DescriptionState" },
		{ UA_SESSION_REMOTE, "RemoteTarget" },
		{ UA_SESSION_REMOTE, "AssertedIdentity" },
		{ UA_SESSION_REMOTE | UA_SESSION_START, "Gruu" },
		{ UA_SESSION_TIMER, "SessionExpires" },
		{ UA_SESSION_TIMER, "Refresher" },
	};
	struct iface_session *is = session_user(s);

	if (!is)
		return;
	for (size_t k = 0; k < ARRAY_LEN(rows); k++)
		if (changes & rows[k].changes)
			bus_changed(is->object, &iface_session, rows[k].property);
}

void iface_session_event(struct session *s, const struct ua_session_event *e)
{
	struct iface_session *is = session_user(s);

	if (is)
		iface_news_tell(is, e);
}

const char *iface_session_path(const struct session *s)
{
	const struct iface_session *is = s ? session_user(s) : NULL;

	return is ? bus_object_path(is->object) : "/";
}

struct session *iface_session_of_path(struct bus_call *c, const struct iface *i, struct slice path)
{
	/* libdbus keeps strings NUL-terminated. */
	struct iface_session *is = bus_object_find(i->bus, path.p, &iface_session);
	const struct bus_access a = { .sender = bus_call_sender(c),
		.uid = bus_call_uid(c),
		.verb = BUS_VERB_CALL,
		.flags = BUS_OWNER };

	if (!is)
		(void)bus_call_fail(c, -ENOENT, "there is no session %.*s", SLICE_ARGS(path));
	else if (guard(&a, is) < 0)
		(void)bus_call_fail(c, -EPERM, "%.*s is somebody else's", SLICE_ARGS(path));
	else
		return is->s;
	return NULL;
}
