/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A small service on the object layer and a real bus, for test-object-layer.py:
 * lamp-service ADDRESS NAME [guarded]. Ends on SIGTERM, and when the bus goes.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <event2/event.h>

#include "ipc/bus-ask.h"
#include "ipc/bus-call.h"
#include "ipc/bus-client.h"
#include "ipc/bus-connection.h"
#include "ipc/bus-object.h"
#include "ipc/bus-option.h"
#include "ipc/bus-path.h"
#include "ipc/bus-table.h"
#include "protocol/base/buf.h"
#include "protocol/base/list.h"
#include "protocol/base/log.h"

#define ROOT "/org/sipbus1"

struct house {
	struct event_base *base;
	struct bus_connection *connection;
	struct bus_object *bus;
	struct list lamps;
	uint32_t departed;
	bool guarded;
};

struct lamp {
	struct house *house;
	struct bus_object *bus;
	struct list in_house;
	uint32_t watts;
	struct bus_call *waiting;
};

enum { DIM_FADE, DIM_HEADERS };

static int lamp_guard(const struct bus_access *a, void *object);

static void lamp_on_gone(struct bus_call *c, void *ctx)
{
	(void)c;
	((struct lamp *)ctx)->waiting = NULL;
}

static int lamp_dim(struct bus_call *c, void *object);

static int lamp_wait(struct bus_call *c, void *object)
{
	struct lamp *l = object;
	int r;

	if (l->waiting)
		return -EBUSY;
	r = bus_call_keep(c, lamp_on_gone, l);
	if (r == 0)
		l->waiting = c;
	return r;
}

static int lamp_tell(struct bus_call *c, void *object);

static void get_watts(struct bus_writer *w, void *object)
{
	bus_write_u(w, ((struct lamp *)object)->watts);
}

static int set_watts(struct bus_call *c, void *object);

static const struct bus_interface iface_lamp = {
	.name = "org.example.Lamp",
	.methods =
		(const struct bus_method[]){
			{ .name = "Dim",
				.in = "ua{sv}",
				.out = "a(ss)",
				.args = BUS_ARGS("watts", "options", "headers"),
				.options =
					(const struct bus_option[]){
						[DIM_FADE] = { "Fade", "u", "Seconds." },
						[DIM_HEADERS] = { "Headers", "a(ss)", "Back." },
						{ 0 },
					},
				.call = lamp_dim },
			{ .name = "Wait",
				.out = "u",
				.args = BUS_ARGS("watts"),
				.call = lamp_wait },
			{ .name = "Tell", .in = "ay", .args = BUS_ARGS("body"), .call = lamp_tell },
			{ 0 },
		},
	.properties =
		(const struct bus_property[]){
			{ .name = "Watts",
				.sig = "u",
				.get = get_watts,
				.set = set_watts,
				.flags = BUS_EMITS },
			{ .name = "Hidden",
				.sig = "u",
				.get = get_watts,
				.flags = BUS_EMITS | BUS_PRIVILEGED },
			{ 0 },
		},
	.signals =
		(const struct bus_signal[]){
			{ .name = "Dimmed", .sig = "u", .args = BUS_ARGS("watts") },
			{ .name = "Told",
				.sig = "ay",
				.args = BUS_ARGS("body"),
				.flags = BUS_UNICAST },
			{ 0 },
		},
	.guard = lamp_guard,
};

static int lamp_guard(const struct bus_access *a, void *object)
{
	struct lamp *l = object;

	if (!l->house->guarded)
		return 0;
	/* Nobody in this test has that user id; it proves that the uid is known. */
	if (a->sender && a->uid == (uid_t)-1)
		return -EPERM;
	return a->flags & BUS_PRIVILEGED ? -EPERM : 0;
}

static void lamp_set(struct lamp *l, uint32_t watts)
{
	struct bus_call *c = l->waiting;
	struct bus_writer w;

	l->watts = watts;
	bus_changed(l->bus, &iface_lamp, "Watts");
	if (!c)
		return;
	l->waiting = NULL;
	bus_call_open(c, &w);
	bus_write_u(&w, watts);
	bus_call_send(c, &w);
}

static int lamp_dim(struct bus_call *c, void *object)
{
	struct lamp *l = object;
	uint32_t watts = bus_read_u(bus_call_args(c));
	const struct bus_value *headers = bus_call_option(c, DIM_HEADERS);
	struct bus_reader items = headers->items;
	struct bus_writer w;

	if (watts > 100)
		return bus_call_refuse(c, 486, SLICE("Busy Here"));
	/* Several changes, one signal. */
	for (uint32_t i = 0; i <= watts; i++)
		lamp_set(l, i);
	bus_signal_open(&w, l->bus, &iface_lamp, "Dimmed", NULL);
	bus_write_u(&w, watts);
	bus_signal_send(&w);
	bus_call_open(c, &w);
	bus_open_array(&w, "(ss)");
	while (headers->given && bus_more(&items)) {
		struct bus_reader pair = bus_enter(&items);
		struct slice name = bus_read_s(&pair);

		bus_write_ss(&w, name, bus_read_s(&pair));
	}
	bus_close(&w);
	bus_call_send(c, &w);
	return 0;
}

static int set_watts(struct bus_call *c, void *object)
{
	lamp_set(object, bus_read_u(bus_call_args(c)));
	return 0;
}

static int lamp_tell(struct bus_call *c, void *object)
{
	struct lamp *l = object;
	struct bus_writer w;

	bus_signal_open(&w, l->bus, &iface_lamp, "Told", bus_call_sender(c));
	bus_write_ay(&w, bus_read_ay(bus_call_args(c)));
	bus_signal_send(&w);
	return 0;
}

static const struct bus_interface *const lamp_interfaces[] = { &iface_lamp, NULL };

static void lamp_free(struct lamp *l)
{
	bus_object_free(l->bus);
	list_remove(&l->in_house);
	free(l);
}

static int house_add(struct bus_call *c, void *object)
{
	struct house *h = object;
	struct slice id = bus_read_s(bus_call_args(c));
	struct lamp *l = mem_new(struct lamp);
	struct buf path = BUF_NULL;
	struct bus_writer w;
	int r;

	l->house = h;
	buf_lit(&path, ROOT "/lamp/");
	bus_path_append(&path, id);
	buf_putc(&path, '\0');
	r = bus_object_new(bus_call_bus(c), path.p, lamp_interfaces, l, &l->bus);
	buf_deinit(&path);
	if (r < 0) {
		free(l);
		return r;
	}
	list_append(&h->lamps, &l->in_house);
	bus_call_open(c, &w);
	bus_write_o(&w, bus_object_path(l->bus));
	bus_call_send(c, &w);
	return 0;
}

static int house_remove(struct bus_call *c, void *object)
{
	struct slice path = bus_read_s(bus_call_args(c));
	struct lamp *l = bus_object_find(bus_call_bus(c), path.p, &iface_lamp);

	(void)object;
	if (!l)
		return -ENOENT;
	lamp_free(l);
	return 0;
}

static void on_left(void *ctx, const char *client);

static int house_watch(struct bus_call *c, void *object)
{
	bus_watch_client(bus_call_bus(c), bus_call_sender(c), on_left, object);
	return 0;
}

static void on_call_gone(struct bus_call *c, void *ctx)
{
	(void)c;
	*(struct bus_call **)ctx = NULL;
}

/* An agent was asked; what it says is what the caller gets. */
struct question {
	struct bus_call *call;
};

static void on_agent(void *ctx, struct bus_reply *reply)
{
	struct question *q = ctx;
	struct bus_writer w;

	if (!q->call) {
		/* The caller went meanwhile. */
	} else if (reply->error) {
		bus_call_error(q->call, reply->error, reply->text);
	} else {
		bus_call_open(q->call, &w);
		bus_write_u(&w, bus_read_u(&reply->args));
		bus_call_send(q->call, &w);
	}
	free(q);
}

static int house_ask(struct bus_call *c, void *object)
{
	struct slice path = bus_read_s(bus_call_args(c));
	uint32_t msec = bus_read_u(bus_call_args(c));
	const struct bus_ask_target to = { bus_call_sender(c), path.p, "org.example.Agent",
		"Choose", "ay", "u" };
	struct question *q = mem_new(struct question);
	struct bus_writer w;
	int r = bus_call_keep(c, on_call_gone, &q->call);

	(void)object;
	if (r < 0) {
		free(q);
		return r;
	}
	q->call = c;
	bus_ask_open(bus_call_bus(c), &to, &w);
	bus_write_ay(&w, SLICE("\0\xff"));
	bus_ask_send(bus_call_bus(c), &w, msec * USEC_PER_MSEC, on_agent, q);
	return 0;
}

static void get_departed(struct bus_writer *w, void *object)
{
	bus_write_u(w, ((struct house *)object)->departed);
}

static const struct bus_interface iface_house = {
	.name = "org.example.House",
	.methods =
		(const struct bus_method[]){
			{ .name = "Add",
				.in = "s",
				.out = "o",
				.args = BUS_ARGS("id", "lamp"),
				.call = house_add },
			{ .name = "Remove",
				.in = "o",
				.args = BUS_ARGS("lamp"),
				.call = house_remove },
			{ .name = "Watch", .call = house_watch },
			{ .name = "Ask",
				.in = "ou",
				.out = "u",
				.args = BUS_ARGS("agent", "msec", "choice"),
				.call = house_ask },
			{ 0 },
		},
	.properties =
		(const struct bus_property[]){
			{ .name = "Departed", .sig = "u", .get = get_departed, .flags = BUS_EMITS },
			{ 0 },
		},
};

static const struct bus_interface *const house_interfaces[] = { &iface_house, NULL };

static void on_left(void *ctx, const char *client)
{
	struct house *h = ctx;

	(void)client;
	h->departed++;
	bus_changed(h->bus, &iface_house, "Departed");
}

static void on_term(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	event_base_loopbreak(((struct house *)arg)->base);
}

static void on_lost(void *ctx)
{
	puts("lost");
	event_base_loopbreak(((struct house *)ctx)->base);
}

static void on_log(void *ctx, enum log_level level, const char *text)
{
	(void)ctx;
	(void)level;
	(void)fprintf(stderr, "%s\n", text);
}

static int serve(struct house *h, const char *name)
{
	struct event *term = evsignal_new(h->base, SIGTERM, on_term, h);
	int r = bus_object_new(
		bus_connection_bus(h->connection), ROOT, house_interfaces, h, &h->bus);

	if (r == 0)
		r = bus_connection_own(h->connection, name);
	event_add(term, NULL);
	if (r == 0) {
		puts(bus_connection_name(h->connection));
		(void)fflush(stdout);
		event_base_dispatch(h->base);
	}
	for (struct list *node; (node = list_first(&h->lamps));)
		lamp_free(list_entry(node, struct lamp, in_house));
	bus_object_free(h->bus);
	event_free(term);
	return r;
}

int main(int argc, char **argv)
{
	struct house h = { .guarded = argc > 3 && strcmp(argv[3], "guarded") == 0 };
	const struct log_sink log = { .write = on_log, .max = LOG_LEVEL_DEBUG };
	const struct bus_connection_setup setup = {
		.address = argv[1], .root = ROOT, .log = &log, .lost = on_lost, .ctx = &h
	};
	int r;

	if (argc < 3)
		return EXIT_FAILURE;
	h.base = event_base_new();
	r = bus_connection_new(h.base, &setup, &h.connection);
	if (r == 0) {
		r = serve(&h, argv[2]);
		bus_connection_free(h.connection);
	}
	event_base_free(h.base);
	return r < 0 ? -r : EXIT_SUCCESS;
}
