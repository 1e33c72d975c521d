/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* libdbus on libevent: the only file of ipc/ that knows the loop. */
#include <dbus/dbus.h>

#include "protocol/base/timer.h"

struct bus;
struct bus_loop;
struct event_base;

enum { BUS_DISPATCH_BUDGET = 64 }; /* messages in one go before others have their turn */

/* Called around every run of handlers; members may be NULL. */
struct bus_loop_hooks {
	void (*enter)(void *ctx);
	void (*leave)(void *ctx);
	void *ctx;
};

/* Watches, timeouts and dispatch of connection, and bus_work() of bus, on base. All borrowed. */
struct bus_loop *bus_loop_new(struct event_base *base, DBusConnection *connection, struct bus *bus,
	const struct bus_loop_hooks *hooks);
/* NULL in, NULL out. */
struct bus_loop *bus_loop_free(struct bus_loop *l);
/* bus_work() wants to run: struct bus_host's wake. */
void bus_loop_wake(struct bus_loop *l);
/* CLOCK_MONOTONIC, as struct bus_host's now. */
usec_t bus_loop_now(void);
