/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ipc/bus-client.h"

#include <errno.h>

#include "ipc/bus-ask.h"
#include "ipc/bus-call.h"
#include "ipc/bus-peer.h"

/* A bus answers at once or is in trouble. */
#define UID_TIMEOUT (25 * USEC_PER_SEC)

struct bus_watch {
	struct bus_client *client;
	struct list node;
	bus_left_fn left;
	void *ctx;
	bool telling;
};

struct waiter {
	struct list node;
	bus_uid_fn fn;
	void *ctx;
};

struct held {
	struct list node;
	DBusMessage *message;
	size_t size;
};

struct bus_client *bus_client_get(struct bus *bus, const char *name)
{
	struct map_node *node = map_find(&bus->clients, slice_str(name));
	struct bus_client *client;

	if (node) {
		client = container_of(node, struct bus_client, by_name);
	} else {
		client = mem_new(struct bus_client);
		client->bus = bus;
		client->name = mem_strdup(name);
		map_insert(&bus->clients, &client->by_name, slice_str(client->name));
	}
	client->refs++;
	return client;
}

struct bus_client *bus_client_unref(struct bus_client *client)
{
	if (--client->refs)
		return NULL;
	map_remove(&client->bus->clients, &client->by_name);
	free(client->name);
	free(client);
	return NULL;
}

struct bus_watch *bus_watch_client(struct bus *bus, const char *client, bus_left_fn left, void *ctx)
{
	struct bus_watch *w = mem_new(struct bus_watch);

	w->client = bus_client_get(bus, client);
	w->left = left;
	w->ctx = ctx;
	list_append(&w->client->watches, &w->node);
	return w;
}

struct bus_watch *bus_unwatch(struct bus_watch *w)
{
	if (!w || w->telling)
		return NULL;
	list_remove(&w->node);
	bus_client_unref(w->client);
	free(w);
	return NULL;
}

static void tell_watches(struct bus_client *client)
{
	for (struct list *node; (node = list_first(&client->watches));) {
		struct bus_watch *w = list_entry(node, struct bus_watch, node);

		list_remove(&w->node);
		w->telling = true;
		w->left(w->ctx, client->name);
		w->telling = false;
		bus_unwatch(w);
	}
}

static void tell_waiters(struct bus_client *client, uid_t uid)
{
	for (struct list *node; (node = list_first(&client->waiters));) {
		struct waiter *w = list_entry(node, struct waiter, node);

		list_remove(&w->node);
		w->fn(w->ctx, client->name, uid);
		free(w);
	}
}

static DBusMessage *release(struct bus_client *client, struct held *h)
{
	DBusMessage *m = h->message;

	list_remove(&h->node);
	client->n_held--;
	client->held_bytes -= h->size;
	client->bus->held_bytes -= h->size;
	free(h);
	return m;
}

static struct held *first_held(const struct bus_client *client)
{
	struct list *node = list_first(&client->held);

	return node ? list_entry(node, struct held, node) : NULL;
}

static void drop_held(struct bus_client *client)
{
	for (struct held *h; (h = first_held(client));)
		dbus_message_unref(release(client, h));
}

static void refuse(struct bus_client *client, DBusMessage *m, int err, const char *text)
{
	struct bus_call *c = bus_call_new(client->bus, client, NULL, m);

	bus_call_handled(c, bus_call_fail(c, err, "%s", text));
}

static void dispatch_held(struct bus_client *client)
{
	for (struct held *h; (h = first_held(client));) {
		DBusMessage *m = release(client, h);

		if (client->uid_state == BUS_UID_KNOWN)
			bus_dispatch(client->bus, client, m);
		else
			refuse(client, m, -EPERM, "the bus does not say who you are");
		dbus_message_unref(m);
	}
}

static void on_uid(void *ctx, struct bus_reply *reply)
{
	struct bus_client *client = ctx;
	uid_t uid = (uid_t)-1;

	client->ask = NULL;
	client->uid_state = BUS_UID_UNKNOWN;
	if (!reply->error) {
		uid = bus_read_u(&reply->args);
		client->uid = uid;
		client->uid_state = BUS_UID_KNOWN;
		client->refs++; /* given up when it leaves */
	}
	tell_waiters(client, uid);
	dispatch_held(client);
	bus_client_unref(client); /* the question's reference */
}

static void ask_uid(struct bus_client *client)
{
	const struct bus_ask_target to = { DBUS_SERVICE_DBUS, DBUS_PATH_DBUS, DBUS_INTERFACE_DBUS,
		"GetConnectionUnixUser", "s", "u" };
	struct bus_writer w;

	if (client->uid_state != BUS_UID_UNKNOWN)
		return;
	client->uid_state = BUS_UID_ASKED;
	client->refs++;
	bus_ask_open(client->bus, &to, &w);
	bus_write_str(&w, client->name);
	client->ask = bus_ask_send(client->bus, &w, UID_TIMEOUT, on_uid, client);
}

void bus_caller_uid(struct bus *bus, const char *name, bus_uid_fn fn, void *ctx)
{
	struct bus_client *client = bus_client_get(bus, name);

	if (client->uid_state == BUS_UID_KNOWN) {
		fn(ctx, name, client->uid);
	} else {
		struct waiter *w = mem_new(struct waiter);

		w->fn = fn;
		w->ctx = ctx;
		list_append(&client->waiters, &w->node);
		ask_uid(client);
	}
	bus_client_unref(client);
}

/* The size on the wire. Copies once, for the few calls that arrive before their caller is known. */
static size_t wire_size(DBusMessage *m)
{
	char *bytes;
	int n;

	if (!dbus_message_marshal(m, &bytes, &n))
		abort();
	dbus_free(bytes);
	return (size_t)n;
}

static void hold(struct bus_client *client, DBusMessage *m)
{
	struct bus *bus = client->bus;
	size_t size = wire_size(m);
	struct held *h;

	if (client->n_held >= BUS_HELD_PER_CLIENT ||
		size > BUS_HELD_BYTES_PER_CLIENT - client->held_bytes ||
		size > BUS_HELD_BYTES - bus->held_bytes) {
		refuse(client, m, -ENOSPC, "too much at once from a caller not known yet");
		return;
	}
	h = mem_new(struct held);
	h->message = dbus_message_ref(m);
	h->size = size;
	list_append(&client->held, &h->node);
	client->n_held++;
	client->held_bytes += size;
	bus->held_bytes += size;
	ask_uid(client);
}

void bus_client_dispatch(struct bus_client *client, DBusMessage *m)
{
	if (client->bus->guarded && client->uid_state != BUS_UID_KNOWN && client->name[0])
		hold(client, m);
	else
		bus_dispatch(client->bus, client, m);
}

/* The bus does not know the name any more; who still refers to the client gets told. */
static void leave(struct bus_client *client)
{
	map_remove(&client->bus->clients, &client->by_name);
	client->refs++;
	drop_held(client);
	if (client->ask) {
		client->ask = bus_ask_cancel(client->ask);
		bus_client_unref(client);
	}
	if (client->uid_state == BUS_UID_KNOWN)
		bus_client_unref(client);
	client->uid_state = BUS_UID_UNKNOWN;
	tell_waiters(client, (uid_t)-1);
	bus_call_client_gone(client);
	tell_watches(client);
	bus_client_unref(client);
}

void bus_client_left(struct bus *bus, const char *name)
{
	struct map_node *node = map_find(&bus->clients, slice_str(name));

	if (node)
		leave(container_of(node, struct bus_client, by_name));
}

static void say_nothing_left(void *ctx, const char *name)
{
	(void)ctx;
	(void)name;
}

static void say_nothing_gone(struct bus_call *c, void *ctx)
{
	(void)c;
	(void)ctx;
}

static void say_nothing_uid(void *ctx, const char *name, uid_t uid)
{
	(void)ctx;
	(void)name;
	(void)uid;
}

void bus_client_drop_all(struct bus *bus)
{
	for (struct map_node *node; (node = map_any(&bus->clients));) {
		struct bus_client *client = container_of(node, struct bus_client, by_name);

		list_for_each (pos, &client->watches)
			list_entry(pos, struct bus_watch, node)->left = say_nothing_left;
		list_for_each (pos, &client->waiters)
			list_entry(pos, struct waiter, node)->fn = say_nothing_uid;
		bus_call_silence(client, say_nothing_gone);
		leave(client);
	}
}
