/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * libdbus says which descriptors and timeouts it wants watched and when it has messages to
 * dispatch. Dispatching never happens from inside one of its callbacks, only from an event of its
 * own, a limited number of messages at a time.
 */
#include "ipc/bus-loop.h"

#include <time.h>

#include <event2/event.h>

#include "ipc/bus.h"
#include "protocol/base/mem.h"

/* When libdbus is out of memory. */
static const struct timeval dispatch_retry = { .tv_usec = 100 * 1000 };
static const struct timeval at_once = { 0 };

struct bus_loop {
	struct event_base *base;
	DBusConnection *connection;
	struct bus *bus;
	struct event *dispatch, *work;
	struct bus_loop_hooks hooks;
};

/* What hangs on a watch or timeout of libdbus. */
struct source {
	struct bus_loop *loop;
	struct event *event;
	DBusWatch *watch;
	DBusTimeout *timeout;
};

usec_t bus_loop_now(void)
{
	struct timespec ts;

	(void)clock_gettime(CLOCK_MONOTONIC, &ts);
	return (usec_t)ts.tv_sec * USEC_PER_SEC + (usec_t)ts.tv_nsec / 1000;
}

static void enter(const struct bus_loop *l)
{
	if (l->hooks.enter)
		l->hooks.enter(l->hooks.ctx);
}

static void leave(const struct bus_loop *l)
{
	if (l->hooks.leave)
		l->hooks.leave(l->hooks.ctx);
}

static void arm_work(struct bus_loop *l)
{
	usec_t deadline = bus_deadline(l->bus);
	usec_t now = bus_loop_now();
	usec_t delay = deadline > now ? deadline - now : 0;
	struct timeval tv = { .tv_sec = (time_t)(delay / USEC_PER_SEC),
		.tv_usec = (suseconds_t)(delay % USEC_PER_SEC) };

	if (deadline == USEC_NEVER)
		(void)event_del(l->work);
	else
		(void)event_add(l->work, &tv);
}

static void on_work(evutil_socket_t fd, short what, void *arg)
{
	struct bus_loop *l = arg;

	(void)fd;
	(void)what;
	enter(l);
	bus_work(l->bus);
	leave(l);
	arm_work(l);
}

void bus_loop_wake(struct bus_loop *l)
{
	(void)event_add(l->work, &at_once);
}

static void on_dispatch(evutil_socket_t fd, short what, void *arg)
{
	struct bus_loop *l = arg;
	DBusDispatchStatus status = dbus_connection_get_dispatch_status(l->connection);

	(void)fd;
	(void)what;
	enter(l);
	for (int n = 0; status == DBUS_DISPATCH_DATA_REMAINS && n < BUS_DISPATCH_BUDGET; n++)
		status = dbus_connection_dispatch(l->connection);
	leave(l);
	if (status != DBUS_DISPATCH_COMPLETE)
		(void)event_add(l->dispatch,
			status == DBUS_DISPATCH_NEED_MEMORY ? &dispatch_retry : &at_once);
}

static void on_dispatch_status(DBusConnection *connection, DBusDispatchStatus status, void *data)
{
	struct bus_loop *l = data;

	(void)connection;
	if (status != DBUS_DISPATCH_COMPLETE)
		(void)event_add(l->dispatch, &at_once);
}

static void on_watch(evutil_socket_t fd, short what, void *arg)
{
	struct source *s = arg;
	DBusConnection *connection = dbus_connection_ref(s->loop->connection);
	unsigned flags = 0;

	(void)fd;
	if (what & EV_READ)
		flags |= DBUS_WATCH_READABLE;
	if (what & EV_WRITE)
		flags |= DBUS_WATCH_WRITABLE;
	/* This may remove the watch, and with it s. */
	(void)dbus_watch_handle(s->watch, flags);
	dbus_connection_unref(connection);
}

static void on_timeout(evutil_socket_t fd, short what, void *arg)
{
	struct source *s = arg;
	DBusConnection *connection = dbus_connection_ref(s->loop->connection);

	(void)fd;
	(void)what;
	(void)dbus_timeout_handle(s->timeout);
	dbus_connection_unref(connection);
}

static void source_free(void *data)
{
	struct source *s = data;

	event_free(s->event);
	free(s);
}

static void toggle_watch(DBusWatch *watch, void *data)
{
	struct source *s = dbus_watch_get_data(watch);

	(void)data;
	if (dbus_watch_get_enabled(watch))
		(void)event_add(s->event, NULL);
	else
		(void)event_del(s->event);
}

static dbus_bool_t add_watch(DBusWatch *watch, void *data)
{
	struct bus_loop *l = data;
	struct source *s = mem_new(struct source);
	unsigned flags = dbus_watch_get_flags(watch);
	short what = EV_PERSIST;

	if (flags & DBUS_WATCH_READABLE)
		what |= EV_READ;
	if (flags & DBUS_WATCH_WRITABLE)
		what |= EV_WRITE;
	s->loop = l;
	s->watch = watch;
	s->event = event_new(l->base, dbus_watch_get_unix_fd(watch), what, on_watch, s);
	if (!s->event) {
		free(s);
		return FALSE;
	}
	dbus_watch_set_data(watch, s, source_free);
	toggle_watch(watch, l);
	return TRUE;
}

static void remove_watch(DBusWatch *watch, void *data)
{
	(void)data;
	dbus_watch_set_data(watch, NULL, NULL);
}

static void toggle_timeout(DBusTimeout *timeout, void *data)
{
	struct source *s = dbus_timeout_get_data(timeout);
	int ms = dbus_timeout_get_interval(timeout);
	struct timeval tv = { .tv_sec = ms / 1000, .tv_usec = ms % 1000 * 1000 };

	(void)data;
	if (dbus_timeout_get_enabled(timeout))
		(void)event_add(s->event, &tv);
	else
		(void)event_del(s->event);
}

static dbus_bool_t add_timeout(DBusTimeout *timeout, void *data)
{
	struct bus_loop *l = data;
	struct source *s = mem_new(struct source);

	s->loop = l;
	s->timeout = timeout;
	s->event = event_new(l->base, -1, EV_PERSIST, on_timeout, s);
	if (!s->event) {
		free(s);
		return FALSE;
	}
	dbus_timeout_set_data(timeout, s, source_free);
	toggle_timeout(timeout, l);
	return TRUE;
}

static void remove_timeout(DBusTimeout *timeout, void *data)
{
	(void)data;
	dbus_timeout_set_data(timeout, NULL, NULL);
}

struct bus_loop *bus_loop_new(struct event_base *base, DBusConnection *connection, struct bus *bus,
	const struct bus_loop_hooks *hooks)
{
	struct bus_loop *l = mem_new(struct bus_loop);

	l->base = base;
	l->connection = connection;
	l->bus = bus;
	if (hooks)
		l->hooks = *hooks;
	l->dispatch = event_new(base, -1, 0, on_dispatch, l);
	l->work = event_new(base, -1, 0, on_work, l);
	if (!l->dispatch || !l->work ||
		!dbus_connection_set_watch_functions(
			connection, add_watch, remove_watch, toggle_watch, l, NULL) ||
		!dbus_connection_set_timeout_functions(
			connection, add_timeout, remove_timeout, toggle_timeout, l, NULL))
		abort();
	dbus_connection_set_dispatch_status_function(connection, on_dispatch_status, l, NULL);
	/* What came in during the greeting waits already. */
	(void)event_add(l->dispatch, &at_once);
	arm_work(l);
	return l;
}

struct bus_loop *bus_loop_free(struct bus_loop *l)
{
	if (!l)
		return NULL;
	dbus_connection_set_dispatch_status_function(l->connection, NULL, NULL, NULL);
	(void)dbus_connection_set_watch_functions(l->connection, NULL, NULL, NULL, NULL, NULL);
	(void)dbus_connection_set_timeout_functions(l->connection, NULL, NULL, NULL, NULL, NULL);
	event_free(l->dispatch);
	event_free(l->work);
	free(l);
	return NULL;
}
