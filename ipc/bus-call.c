/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A call holds its message only while the handler runs. A kept call is sender and serial: clients
 * cannot fill the connection's receive quota with what they make us remember.
 */
#include "ipc/bus-call.h"

#include <errno.h>
#include <stdarg.h>
#include <string.h>

#include "ipc/bus-client.h"
#include "ipc/bus-error.h"
#include "ipc/bus-object.h"
#include "ipc/bus-option.h"
#include "ipc/bus-peer.h"
#include "ipc/bus-table.h"
#include "protocol/base/buf.h"

struct bus_call {
	struct bus *bus;
	struct bus_client *client;
	struct bus_object *object; /* NULL: there is none, or not any more */
	const struct bus_method *method;
	uint32_t serial;
	bool wants_reply, answered, kept, in_handler;
	struct bus_reader args;
	struct bus_value *options;
	bus_gone_fn gone;
	void *ctx;
	struct list of_object, of_client;
};

struct bus_call *bus_call_new(
	struct bus *bus, struct bus_client *client, struct bus_object *o, DBusMessage *m)
{
	struct bus_call *c = mem_new(struct bus_call);

	c->bus = bus;
	c->client = client;
	client->refs++;
	c->object = o;
	if (o)
		list_append(&o->calls, &c->of_object);
	c->serial = dbus_message_get_serial(m);
	c->wants_reply = !dbus_message_get_no_reply(m);
	c->in_handler = true;
	dbus_message_iter_init(m, &c->args.at);
	return c;
}

static void let_go(struct bus_call *c)
{
	list_remove(&c->of_object);
	c->object = NULL;
	if (c->kept) {
		list_remove(&c->of_client);
		c->client->n_calls--;
		c->kept = false;
	}
}

static void destroy(struct bus_call *c)
{
	let_go(c);
	bus_client_unref(c->client);
	free(c->options);
	free(c);
}

/* Nothing more is to be said; the handler may still be looking at the call, though. */
static void end(struct bus_call *c)
{
	c->answered = true;
	if (c->in_handler)
		let_go(c);
	else
		destroy(c);
}

void bus_call_handled(struct bus_call *c, int r)
{
	const char *out = c->method && c->method->out ? c->method->out : "";

	if (!c->answered && r < 0)
		bus_call_fail(c, r, NULL);
	else if (!c->answered && !c->kept && !*out)
		bus_call_done(c);
	else if (!c->answered && !c->kept)
		bus_call_error(c, DBUS_ERROR_FAILED, SLICE("the handler gave no answer"));
	c->in_handler = false;
	/* Their memory goes with the message. */
	free(mem_take(&c->options));
	c->args = (struct bus_reader){ .bad = true };
	if (c->answered)
		destroy(c);
}

void bus_call_set_method(struct bus_call *c, const struct bus_method *method)
{
	c->method = method;
}

int bus_call_read_options(struct bus_call *c)
{
	struct bus_reader r = c->args;
	struct bus_option_error e;

	c->options = mem_zalloc(BUS_OPTIONS_MAX * sizeof(*c->options));
	while (dbus_message_iter_has_next(&r.at))
		dbus_message_iter_next(&r.at);
	if (bus_option_read(&r, c->method->options, c->options, &e) < 0)
		return bus_call_fail(c, -EINVAL, "%s", e.text);
	return 0;
}

struct bus_reader *bus_call_args(struct bus_call *c)
{
	return &c->args;
}

const struct bus_value *bus_call_option(struct bus_call *c, unsigned row)
{
	static const struct bus_value none;

	return c->options && row < BUS_OPTIONS_MAX ? &c->options[row] : &none;
}

const char *bus_call_sender(const struct bus_call *c)
{
	return c->client->name;
}

const struct bus_client *bus_call_client(const struct bus_call *c)
{
	return c->client;
}

uid_t bus_call_uid(const struct bus_call *c)
{
	return c->client->uid_state == BUS_UID_KNOWN ? c->client->uid : (uid_t)-1;
}

struct bus *bus_call_bus(const struct bus_call *c)
{
	return c->bus;
}

struct bus_object *bus_call_object(const struct bus_call *c)
{
	return c->object;
}

/* The answer's beginning: to whom, and to which of its messages. */
static void open_answer(struct bus_call *c, struct bus_head *head, struct bus_writer *ret_w)
{
	head->flags = DBUS_HEADER_FLAG_NO_REPLY_EXPECTED;
	head->destination = c->client->name[0] ? c->client->name : NULL;
	head->reply_serial = c->serial;
	bus_writer_init(ret_w, head);
	ret_w->object = c->object;
}

void bus_call_open(struct bus_call *c, struct bus_writer *ret_w)
{
	struct bus_head head = { .type = DBUS_MESSAGE_TYPE_METHOD_RETURN,
		.sig = c->method ? c->method->out : NULL };

	open_answer(c, &head, ret_w);
}

/* Sends the one answer; m is given up in any case. */
static void answer(struct bus_call *c, DBusMessage *m)
{
	if (m && c->wants_reply && !c->answered)
		bus_send(c->bus, c->object, m);
	else if (m)
		dbus_message_unref(m);
	if (!c->answered)
		end(c);
}

void bus_call_send(struct bus_call *c, struct bus_writer *w)
{
	DBusMessage *m = bus_writer_take(w);

	if (m) {
		answer(c, m);
		return;
	}
	log_line(c->bus->log, LOG_LEVEL_ERROR, "bus: the reply of %s was not sent: %s",
		c->method ? c->method->name : "?", w->flaw);
	bus_call_error(c, bus_writer_is_full(w) ? bus_error_name(-ENOSPC) : DBUS_ERROR_FAILED,
		slice_str(w->flaw));
	bus_writer_deinit(w);
}

void bus_call_done(struct bus_call *c)
{
	struct bus_writer w;

	bus_call_open(c, &w);
	bus_call_send(c, &w);
}

int bus_call_error(struct bus_call *c, const char *name, struct slice text)
{
	struct bus_head head = { .type = DBUS_MESSAGE_TYPE_ERROR,
		.error = dbus_validate_error_name(name, NULL) ? name : DBUS_ERROR_FAILED,
		.sig = "s" };
	struct bus_writer w;

	open_answer(c, &head, &w);
	bus_write_s(&w, text);
	answer(c, bus_writer_take(&w));
	bus_writer_deinit(&w);
	return -EIO;
}

int bus_call_fail(struct bus_call *c, int err, const char *fmt, ...)
{
	struct buf text = BUF_NULL;
	va_list ap;

	if (fmt) {
		va_start(ap, fmt);
		buf_vprintf(&text, fmt, ap);
		va_end(ap);
	} else {
		buf_str(&text, bus_error_text(err));
	}
	bus_call_error(c, bus_error_name(err), buf_slice(&text));
	buf_deinit(&text);
	return err;
}

int bus_call_refuse(struct bus_call *c, unsigned status, struct slice reason)
{
	struct buf text = BUF_NULL;

	buf_printf(&text, "%u ", status);
	buf_put(&text, reason);
	bus_call_error(c, BUS_ERROR_REFUSED, buf_slice(&text));
	buf_deinit(&text);
	return -ECONNREFUSED;
}

int bus_call_keep(struct bus_call *c, bus_gone_fn gone, void *ctx)
{
	if (c->kept || c->answered)
		return -ESTALE;
	if (c->client->n_calls >= BUS_CALLS_PER_CLIENT)
		return -ENOSPC;
	c->kept = true;
	c->gone = gone;
	c->ctx = ctx;
	c->client->n_calls++;
	list_append(&c->client->calls, &c->of_client);
	return 0;
}

/* A kept call loses what it needs; whatever its keeper does about that, it ends here. */
static void forsake(struct bus_call *c, const char *what)
{
	bool in_handler = c->in_handler;

	c->in_handler = true;
	c->gone(c, c->ctx);
	if (!c->answered)
		bus_call_fail(c, -ENOENT, "%s is gone", what);
	c->in_handler = in_handler;
	if (!in_handler)
		destroy(c);
}

void bus_call_object_gone(struct bus_object *o)
{
	for (struct list *node; (node = list_first(&o->calls));) {
		struct bus_call *c = list_entry(node, struct bus_call, of_object);

		list_remove(&c->of_object);
		c->object = NULL;
		/* If not kept, its handler is at work and will answer. */
		if (c->kept)
			forsake(c, o->path);
	}
}

void bus_call_client_gone(struct bus_client *client)
{
	for (struct list *node; (node = list_first(&client->calls));) {
		struct bus_call *c = list_entry(node, struct bus_call, of_client);

		c->wants_reply = false;
		forsake(c, client->name);
	}
}

void bus_call_silence(struct bus_client *client, bus_gone_fn gone)
{
	list_for_each (pos, &client->calls)
		list_entry(pos, struct bus_call, of_client)->gone = gone;
}
