/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What happens in a session, as signals. They carry content and go to one client alone; while there
 * is none they wait, so that who takes a session over misses nothing.
 */
#include "ipc/agent.h"
#include "ipc/bus-object.h"
#include "ipc/bus-value.h"
#include "ipc/iface-private.h"
#include "ipc/iface-session.h"
#include "protocol/base/log.h"
#include "protocol/ua/session-refer.h"
#include "protocol/ua/session-view.h"

/* A copy of an event. */
struct iface_news {
	struct list node;
	struct ua_session_event event; /* of which everything is owned */
	size_t size;
};

/* ---- one signal for each kind ---- */

static void write_body(struct bus_writer *w, const struct ua_session_event *e)
{
	bus_write_s(w, e->content_type);
	bus_write_ay(w, e->body);
}

static void write_progress(struct bus_writer *w, const struct ua_session_event *e)
{
	bus_write_u(w, e->status);
	bus_write_s(w, e->reason);
	bus_write_s(w, e->fork);
	write_body(w, e);
}

static void write_message(struct bus_writer *w, const struct ua_session_event *e)
{
	write_body(w, e);
	iface_write_headers(w, e->message);
}

static void write_info(struct bus_writer *w, const struct ua_session_event *e)
{
	bus_write_s(w, e->package);
	write_body(w, e);
}

static void write_refer(struct bus_writer *w, const struct ua_session_event *e)
{
	bus_write_u(w, e->id);
	bus_write_s(w, e->refer_to);
	bus_write_s(w, e->referred_by);
}

static void write_status(struct bus_writer *w, const struct ua_session_event *e)
{
	bus_write_u(w, e->status);
	bus_write_s(w, e->reason);
}

static void write_terminated(struct bus_writer *w, const struct ua_session_event *e)
{
	write_status(w, e);
	bus_write_str(w, outcome_origin_name(e->origin));
}

static const struct {
	const char *signal;
	void (*write)(struct bus_writer *w, const struct ua_session_event *e);
} kinds[] = {
	[UA_SESSION_PROGRESS] = { "Progress", write_progress },
	[UA_SESSION_ESTABLISHED] = { "Established", write_body },
	[UA_SESSION_OFFER] = { "OfferReceived", write_body },
	[UA_SESSION_ANSWER] = { "AnswerReceived", write_body },
	[UA_SESSION_MESSAGE] = { "MessageReceived", write_message },
	[UA_SESSION_INFO] = { "InfoReceived", write_info },
	[UA_SESSION_REFER] = { "ReferReceived", write_refer },
	[UA_SESSION_REFER_PROGRESS] = { "ReferProgress", write_status },
	[UA_SESSION_REFER_FINISHED] = { "ReferFinished", write_status },
	[UA_SESSION_TERMINATED] = { "Terminated", write_terminated },
};

static void send(struct iface_session *is, const struct ua_session_event *e, const char *client)
{
	struct bus_writer w;

	bus_signal_open(&w, is->object, &iface_session, kinds[e->news].signal, client);
	kinds[e->news].write(&w, e);
	bus_signal_send(&w);
}

/* ---- waiting ---- */

static void own_slice(struct slice *s, size_t *size)
{
	*size += s->n;
	*s = slice_of(slice_dup(*s), s->n);
}

static void free_slice(struct slice s)
{
	free((char *)(uintptr_t)s.p);
}

static struct iface_news *copy(const struct ua_session_event *e)
{
	struct iface_news *n = mem_new(struct iface_news);
	struct ua_session_event *own = &n->event;

	*own = *e;
	own_slice(&own->reason, &n->size);
	own_slice(&own->fork, &n->size);
	own_slice(&own->content_type, &n->size);
	own_slice(&own->body, &n->size);
	own_slice(&own->package, &n->size);
	own_slice(&own->refer_to, &n->size);
	own_slice(&own->referred_by, &n->size);
	if (e->message) {
		own->message = msg_ref(e->message);
		n->size += e->message->raw.n;
	}
	return n;
}

static void drop(struct iface_session *is, struct iface_news *n)
{
	struct ua_session_event *own = &n->event;

	list_remove(&n->node);
	is->n_held--;
	is->held_bytes -= n->size;
	free_slice(own->reason);
	free_slice(own->fork);
	free_slice(own->content_type);
	free_slice(own->body);
	free_slice(own->package);
	free_slice(own->refer_to);
	free_slice(own->referred_by);
	if (own->message)
		msg_unref((struct msg *)(uintptr_t)own->message);
	free(n);
}

static struct iface_news *first(const struct iface_session *is)
{
	struct list *node = list_first(&is->held);

	return node ? list_entry(node, struct iface_news, node) : NULL;
}

static bool holds_too_much(const struct iface_session *is)
{
	return is->n_held > IFACE_HELD_NEWS ||
	       (is->held_bytes > IFACE_HELD_BYTES && is->n_held > 1);
}

static void hold(struct iface_session *is, const struct ua_session_event *e)
{
	struct iface_news *n = copy(e);

	list_append(&is->held, &n->node);
	is->n_held++;
	is->held_bytes += n->size;
	/* The oldest go: what a session has come to matters more than how. */
	while (holds_too_much(is) && (n = first(is))) {
		log_line(&is->iface->ua->host->log, LOG_LEVEL_WARNING,
			"session %s: nobody hears %s", session_id(is->s),
			kinds[n->event.news].signal);
		drop(is, n);
	}
}

/* What the far end waits for an answer to gets one, since nobody is there to give it. */
static bool refuse(struct iface_session *is, const struct ua_session_event *e)
{
	if (e->news == UA_SESSION_OFFER)
		(void)session_reject_offer(is->s, 0);
	else if (e->news == UA_SESSION_REFER)
		(void)session_reject_refer(is->s, e->id, 480);
	else
		return false;
	return true;
}

static const char *listener_of(const struct iface_session *is)
{
	const char *owner = iface_owned_by(&is->owned);

	if (*owner)
		return owner;
	return is->ask ? agent_asked(is->ask) : NULL;
}

void iface_news_tell(struct iface_session *is, const struct ua_session_event *e)
{
	const char *client = listener_of(is);

	if (e->news == UA_SESSION_TERMINATED)
		send(is, e, NULL);
	else if (client)
		send(is, e, client);
	else if (iface_is_in_grace(&is->owned) || !refuse(is, e))
		hold(is, e);
}

void iface_news_release(struct iface_session *is)
{
	for (struct iface_news *n; (n = first(is));) {
		send(is, &n->event, listener_of(is));
		drop(is, n);
	}
}

void iface_news_refuse(struct iface_session *is)
{
	list_for_each_safe (node, next, &is->held) {
		struct iface_news *n = list_entry(node, struct iface_news, node);

		if (refuse(is, &n->event))
			drop(is, n);
	}
}

void iface_news_drop(struct iface_session *is)
{
	for (struct iface_news *n; (n = first(is));)
		drop(is, n);
}
