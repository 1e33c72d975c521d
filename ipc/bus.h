/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/*
 * The object layer without a connection: messages go in by bus_receive() and out by the host's
 * send(). bus-connection.h joins it to a real bus, tests to a recorder. Nothing here blocks.
 */
#include <dbus/dbus.h>

#include "protocol/base/timer.h"

struct bus;
struct log_sink;

/* What the outside does for a bus. None of these may call back into it before returning. */
struct bus_host {
	/* Sends, keeping a reference of its own if it needs one. The serial; 0: the bus is gone. */
	uint32_t (*send)(void *ctx, DBusMessage *m);
	/* Something waits: call bus_work() from the loop, or look at bus_deadline() again. */
	void (*wake)(void *ctx);
	/* Now, on any clock that does not go back. */
	usec_t (*now)(void *ctx);
	void *ctx;
};

enum bus_handled { BUS_HANDLED, BUS_NOT_OURS };

/*
 * A bus whose object at the path root is the ObjectManager of everything below it. log may be NULL;
 * host is copied, log and root are not.
 */
struct bus *bus_new(const struct bus_host *host, const char *root, const struct log_sink *log);
/*
 * Every object has to be gone. Whoever asked or watched something is told nothing more. NULL in,
 * NULL out.
 */
struct bus *bus_free(struct bus *bus);

/* A message arrived: calls are dispatched, replies find who asked, lost clients are noticed. */
enum bus_handled bus_receive(struct bus *bus, DBusMessage *m);
/* When bus_work() has to run at the latest; USEC_NEVER: not until wake(). */
usec_t bus_deadline(const struct bus *bus);
/* Fires deadlines that are due and sends all change signals that wait. */
void bus_work(struct bus *bus);
/* A timer of whoever uses the bus, on its clock; t->fire must be set. Fires from bus_work(). */
void bus_timer_arm(struct bus *bus, struct timer *t, usec_t delay);
/* Does nothing to an idle timer. */
void bus_timer_cancel(struct bus *bus, struct timer *t);
/* The connection broke: kept calls, questions and watched clients all end here. */
void bus_lost(struct bus *bus);
