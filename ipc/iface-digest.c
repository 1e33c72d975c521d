/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ipc/iface-digest.h"

#include "ipc/body-fault.h"
#include "ipc/body-list.h"
#include "ipc/bus-call.h"
#include "ipc/bus-object.h"
#include "ipc/bus-value.h"
#include "ipc/iface-private.h"
#include "ipc/iface-subscription.h"
#include "ipc/iface-summary-write.h"
#include "ipc/iface-summary.h"
#include "protocol/base/err.h"
#include "protocol/msg/msg.h"

struct iface_digest {
	struct iface_summary *summary;
	char *dialog; /* whose versions the summary counts; NULL: nothing came yet */
	/* How reading the last notification went: an enum body_news, negative errno, and why. */
	int result;
	struct body_fault fault;
	bool none;    /* the last notification said that there is no state for now */
	usec_t asked; /* for the whole state, which has not come yet; 0: it was not */
};

void iface_digest_free(struct iface_digest *d)
{
	if (!d)
		return;
	iface_summary_free(d->summary);
	free(d->dialog);
	free(d);
}

/* ---- resources of a list ---- */

/* The body, and what it says; l NULL: who is told that did not ask for a summary. */
static void write_state(
	struct bus_writer *w, const struct body_row *instance, const struct body_list *l)
{
	struct slice type = instance ? instance->cells[BODY_INSTANCE_CONTENT_TYPE] : SLICE("");
	struct slice body = instance ? instance->cells[BODY_INSTANCE_CONTENT] : SLICE("");

	bus_write_s(w, type);
	bus_write_ay(w, body);
	bus_open_dict(w);
	if (instance)
		iface_summary_write_instance(w, instance);
	if (l && body.n) {
		bus_open_entry(w, "Summary", "a{sv}");
		iface_summary_write_body(w, l->seed, type, body);
		bus_close(w);
	}
	bus_close(w);
}

/* instance NULL: there is none. */
static void write_resource(struct bus_writer *w, const struct slice *resource,
	const struct body_row *instance, const struct body_list *l)
{
	bus_write_s(w, resource[BODY_RESOURCE_URI]);
	bus_write_s(w, resource[BODY_RESOURCE_NAME]);
	bus_write_s(w, instance ? instance->cells[BODY_INSTANCE_STATE] : SLICE(""));
	write_state(w, instance, l);
}

static void tell_instance(struct iface_subscription *sub, const struct body_list *l,
	const struct body_row *instance, const char *client)
{
	struct bus_writer w;

	bus_signal_open(&w, sub->object, &iface_subscription, "ResourceNotified", client);
	write_resource(&w, body_list_resource_of(l, instance)->cells, instance,
		iface_clients_is_marked(&sub->clients, client) ? l : NULL);
	bus_signal_send(&w);
}

static void tell_gone(
	struct iface_subscription *sub, const struct slice *resource, const char *client)
{
	struct bus_writer w;

	bus_signal_open(&w, sub->object, &iface_subscription, "ResourceNotified", client);
	bus_write_s(&w, resource[BODY_RESOURCE_URI]);
	bus_write_s(&w, resource[BODY_RESOURCE_NAME]);
	bus_write_str(&w, "removed");
	write_state(&w, NULL, NULL);
	bus_signal_send(&w);
}

enum extent { NEWS, EVERYTHING };

static void tell_resources(struct iface_subscription *sub, const char *client, enum extent extent)
{
	const struct body_list *l = iface_summary_list(sub->digest->summary);

	if (!l || !sub->is_list)
		return;
	list_for_each (node, &l->instances.rows) {
		struct body_row *row = body_row_of(node);

		if (extent == EVERYTHING || body_row_is_new(&l->instances, row))
			tell_instance(sub, l, row, client);
	}
	if (extent == NEWS)
		list_for_each (node, &l->gone)
			tell_gone(sub, body_row_of(node)->cells, client);
}

/* ---- what is told ---- */

static void write_summary(struct bus_writer *w, const struct iface_digest *d)
{
	if (!d->none) {
		iface_summary_write(w, d->summary);
		return;
	}
	bus_open_dict(w);
	bus_close(w);
}

static void tell_summary(struct iface_subscription *sub, const char *client)
{
	struct bus_writer w;

	if (!iface_clients_is_marked(&sub->clients, client))
		return;
	bus_signal_open(&w, sub->object, &iface_subscription, "Summarized", client);
	write_summary(&w, sub->digest);
	bus_signal_send(&w);
}

static void tell_all(struct iface_subscription *sub)
{
	struct list *at = NULL;

	if (sub->digest->result == BODY_NEWS_STALE)
		return;
	for (const char *client; (client = iface_clients_next(&sub->clients, &at));) {
		tell_resources(sub, client, NEWS);
		tell_summary(sub, client);
	}
}

/* ---- reading ---- */

/* Versions are scoped within a subscription (RFC 4235 section 4.1), which is a dialog. */
static void note_dialog(struct iface_digest *d, const struct msg *m)
{
	struct slice tag = m->is_request ? m->from_tag : m->to_tag;
	struct buf b = BUF_NULL;
	char *dialog;

	buf_printf(&b, "%.*s %.*s", SLICE_ARGS(m->call_id), SLICE_ARGS(tag));
	dialog = buf_take(&b);
	if (d->dialog && strcmp(d->dialog, dialog) != 0)
		iface_summary_restart(d->summary);
	free(d->dialog);
	d->dialog = dialog;
}

/* What somebody wants to have read, or what others build on. */
static bool is_wanted(const struct iface_subscription *sub, const struct msg *m)
{
	struct list *at = NULL;

	if (iface_summary_is_piece(m->content_type))
		return true;
	if (sub->is_list && iface_summary_is_list(m->content_type))
		return true;
	for (const char *client; (client = iface_clients_next(&sub->clients, &at));)
		if (iface_clients_is_marked(&sub->clients, client))
			return true;
	return false;
}

/*
 * RFC 4235 section 4.3, RFC 4662 section 5.6.2: a refresh brings full state. Not too often, since a
 * notifier may never send any. A fetch cannot ask again. Of several notifiers none speaks of what
 * another told, so something would be missing for ever.
 */
static void ask(struct iface_subscription *sub)
{
	struct iface_digest *d = sub->digest;
	usec_t now = sub->iface->ua->timers.now;

	if (iface_summary_is_complete(d->summary)) {
		d->asked = 0;
		return;
	}
	if (!sub->expires || sub->ending || sub->feed->dialogs(sub->of) > 1 ||
		(d->asked && now - d->asked < IFACE_DIGEST_ASK * USEC_PER_SEC))
		return;
	d->asked = now;
	(void)sub->feed->refresh(sub->of, sub->expires);
}

static struct iface_summary *new_summary(const struct iface_subscription *sub)
{
	return iface_summary_new(sub->iface->ua->queries.seed);
}

static struct iface_digest *make(const struct iface_subscription *sub)
{
	struct iface_digest *d = mem_new(struct iface_digest);

	d->summary = new_summary(sub);
	return d;
}

/* False: it cannot be read. */
static bool read_state(struct iface_subscription *sub, const struct msg *m)
{
	struct iface_digest *d;

	if (!sub->digest)
		sub->digest = make(sub);
	d = sub->digest;
	d->none = false;
	note_dialog(d, m);
	d->result = iface_summary_take(d->summary, m->content_type, m->body, &d->fault);
	return d->result >= 0;
}

/*
 * RFC 6665 section 4.2.1.2 lets a body be empty: there is no state for now. Nobody is told the
 * last one any more. It stays as far as changes may follow, and resources be removed, but full
 * state replaces it, whatever its version.
 */
static void take_none(struct iface_subscription *sub)
{
	struct list *at = NULL;

	if (!sub->digest || sub->digest->none)
		return;
	sub->digest->none = true;
	iface_summary_restart(sub->digest->summary);
	for (const char *client; (client = iface_clients_next(&sub->clients, &at));)
		tell_summary(sub, client);
}

void iface_digest_take(struct iface_subscription *sub, const struct msg *m)
{
	if (!m->body.n) {
		take_none(sub);
		return;
	}
	if (!is_wanted(sub, m)) {
		iface_digest_free(mem_take(&sub->digest));
		return;
	}
	if (read_state(sub, m))
		tell_all(sub);
	/* The part that was too much is missing; the whole may have become less. */
	else if (sub->digest->result != -EMSGSIZE)
		return;
	ask(sub);
}

void iface_digest_replay(struct iface_subscription *sub, const char *client)
{
	const struct msg *m = sub->feed->last(sub->of);

	if (!sub->digest && m->body.n && is_wanted(sub, m))
		(void)read_state(sub, m);
	if (!sub->digest || sub->digest->result < 0)
		return;
	tell_resources(sub, client, EVERYTHING);
	if (!sub->digest->none)
		tell_summary(sub, client);
}

/* ---- methods ---- */

static int reply_summary(struct bus_call *c, const struct iface_summary *s)
{
	struct bus_writer w;

	bus_call_open(c, &w);
	iface_summary_write(&w, s);
	bus_call_send(c, &w);
	return 0;
}

/* Nobody wanted to have it read when it came, or there is nothing to read. */
static int reply_last(struct bus_call *c, const struct iface_subscription *sub, const struct msg *m)
{
	struct iface_summary *s = new_summary(sub);
	struct body_fault fault;
	int r = m->body.n ? iface_summary_take(s, m->content_type, m->body, &fault) : 0;

	r = r < 0 ? iface_summary_fail(c, r, m->content_type, &fault) : reply_summary(c, s);
	iface_summary_free(s);
	return r;
}

int iface_digest_get_summary(struct bus_call *c, void *object)
{
	const struct iface_subscription *sub = object;
	const struct msg *m = sub->feed->last(sub->of);

	if (!m)
		return bus_call_fail(c, -ESTALE, "no state came yet");
	if (!sub->digest || !m->body.n)
		return reply_last(c, sub, m);
	if (sub->digest->result < 0)
		return iface_summary_fail(
			c, sub->digest->result, m->content_type, &sub->digest->fault);
	return reply_summary(c, sub->digest->summary);
}

static void write_resources(struct bus_writer *w, const struct body_list *l)
{
	list_for_each (node, &l->instances.rows) {
		struct body_row *row = body_row_of(node);

		bus_open_struct(w);
		write_resource(w, body_list_resource_of(l, row)->cells, row, NULL);
		bus_close(w);
	}
	list_for_each (node, &l->resources.rows) {
		struct body_row *row = body_row_of(node);

		if (!list_is_empty(&row->below))
			continue;
		bus_open_struct(w);
		write_resource(w, row->cells, NULL, NULL);
		bus_close(w);
	}
}

int iface_digest_get_resources(struct bus_call *c, void *object)
{
	const struct iface_subscription *sub = object;
	const struct body_list *l = sub->digest ? iface_summary_list(sub->digest->summary) : NULL;
	struct bus_writer w;

	if (!sub->is_list)
		return bus_call_fail(
			c, -EOPNOTSUPP, "neither List nor Targets was asked for in Subscribe");
	bus_call_open(c, &w);
	bus_open_array(&w, "(ssssaya{sv})");
	if (l)
		write_resources(&w, l);
	bus_close(&w);
	bus_call_send(c, &w);
	return 0;
}
