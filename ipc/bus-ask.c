/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ipc/bus-ask.h"

#include <string.h>

#include "ipc/bus-peer.h"

/* What could not be sent fails in a later turn of the loop, also for those who ask again at once.
 */
#define UNSENT_DELAY USEC_PER_MSEC

struct bus_ask {
	struct bus *bus;
	struct map_node by_serial;
	struct list in_unsent;
	uint32_t serial;
	struct timer timer;
	char *destination, *out;
	bus_reply_fn fn;
	void *ctx;
};

static struct slice key_of(const uint32_t *serial)
{
	return slice_of((const char *)serial, sizeof(*serial));
}

void bus_ask_open(struct bus *bus, const struct bus_ask_target *to, struct bus_writer *ret_w)
{
	const struct bus_head head = { .type = DBUS_MESSAGE_TYPE_METHOD_CALL,
		.flags = DBUS_HEADER_FLAG_NO_AUTO_START,
		.path = to->path,
		.interface = to->interface,
		.member = to->member,
		.destination = to->destination,
		.sig = to->in };

	(void)bus;
	bus_writer_init(ret_w, &head);
	ret_w->out = to->out ? to->out : "";
}

/* Unlinks and frees, and hands out what is left to say. */
static void end(struct bus_ask *a, struct bus_reply *reply)
{
	bus_reply_fn fn = a->fn;
	void *ctx = a->ctx;

	bus_ask_cancel(a);
	fn(ctx, reply);
}

static void fail(struct bus_ask *a, const char *name, const char *text)
{
	struct bus_reply reply = {
		.error = name, .text = slice_str(text), .args = { .bad = true }
	};

	end(a, &reply);
}

static void on_timer(struct timer *t)
{
	struct bus_ask *a = container_of(t, struct bus_ask, timer);

	if (a->serial)
		fail(a, DBUS_ERROR_NO_REPLY, "no answer in time");
	else
		fail(a, DBUS_ERROR_DISCONNECTED, "the message could not be sent");
}

/* The message if its arguments were written well; dbus_message_unref() it. */
static DBusMessage *finish(struct bus *bus, struct bus_writer *w)
{
	DBusMessage *m = bus_writer_take(w);

	if (!m)
		log_line(bus->log, LOG_LEVEL_ERROR, "bus: a call of %s was not sent: %s", w->member,
			w->flaw);
	return m;
}

struct bus_ask *bus_ask_send(
	struct bus *bus, struct bus_writer *w, usec_t timeout, bus_reply_fn fn, void *ctx)
{
	struct bus_ask *a = mem_new(struct bus_ask);
	DBusMessage *m;

	a->bus = bus;
	a->out = mem_strdup(w->out);
	a->fn = fn;
	a->ctx = ctx;
	a->timer.fire = on_timer;
	a->destination = mem_strdup(w->destination);
	m = finish(bus, w);
	bus_writer_deinit(w);
	if (m)
		a->serial = bus_send(bus, NULL, m);
	if (a->serial)
		map_insert(&bus->asks, &a->by_serial, key_of(&a->serial));
	else
		list_append(&bus->unsent, &a->in_unsent);
	timer_arm_at(&bus->timers, &a->timer,
		bus->host.now(bus->host.ctx) + (a->serial ? timeout : UNSENT_DELAY));
	bus->host.wake(bus->host.ctx);
	return a;
}

struct bus_ask *bus_ask_cancel(struct bus_ask *a)
{
	if (!a)
		return NULL;
	map_remove(&a->bus->asks, &a->by_serial);
	list_remove(&a->in_unsent);
	timer_cancel(&a->bus->timers, &a->timer);
	free(a->destination);
	free(a->out);
	free(a);
	return NULL;
}

void bus_ask_tell(struct bus *bus, struct bus_writer *w)
{
	DBusMessage *m = finish(bus, w);

	bus_writer_deinit(w);
	if (!m)
		return;
	dbus_message_set_no_reply(m, TRUE);
	bus_send(bus, NULL, m);
}

static void take_error(struct bus_ask *a, DBusMessage *m)
{
	DBusMessageIter it;
	const char *text = "";

	if (dbus_message_iter_init(m, &it) &&
		dbus_message_iter_get_arg_type(&it) == DBUS_TYPE_STRING)
		dbus_message_iter_get_basic(&it, &text);
	fail(a, dbus_message_get_error_name(m), text);
}

enum bus_handled bus_ask_receive(struct bus *bus, DBusMessage *m)
{
	uint32_t serial = dbus_message_get_reply_serial(m);
	struct map_node *node = map_find(&bus->asks, key_of(&serial));
	struct bus_ask *a = node ? container_of(node, struct bus_ask, by_serial) : NULL;
	bool is_error = dbus_message_get_type(m) == DBUS_MESSAGE_TYPE_ERROR;
	struct bus_reply reply = { 0 };

	/* Serials can be guessed, senders cannot be forged. */
	if (!a || !(dbus_message_has_sender(m, a->destination) ||
			  (is_error && dbus_message_has_sender(m, DBUS_SERVICE_DBUS))))
		return BUS_NOT_OURS;
	if (is_error) {
		take_error(a, m);
	} else if (!dbus_message_has_signature(m, a->out)) {
		fail(a, DBUS_ERROR_INVALID_SIGNATURE, "the answer has another type");
	} else {
		dbus_message_iter_init(m, &reply.args.at);
		end(a, &reply);
	}
	return BUS_HANDLED;
}

/* Those that the host could not send meanwhile keep their timers, so that this ends. */
void bus_ask_fail_all(struct bus *bus)
{
	for (struct map_node *node; (node = map_any(&bus->asks));)
		fail(container_of(node, struct bus_ask, by_serial), DBUS_ERROR_DISCONNECTED,
			"the bus is gone");
}

void bus_ask_drop_all(struct bus *bus)
{
	for (struct map_node *node; (node = map_any(&bus->asks));)
		bus_ask_cancel(container_of(node, struct bus_ask, by_serial));
	for (struct list *node; (node = list_first(&bus->unsent));)
		bus_ask_cancel(list_entry(node, struct bus_ask, in_unsent));
}
