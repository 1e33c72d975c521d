/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* A bus without a bus: what leaves is kept, time stands still until told to move. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>

#include "ipc/bus-table.h"
#include "ipc/bus.h"
#include "protocol/base/log.h"

enum { RECORDER_MAX = 4096 };
#define RECORDER_CLIENT ":1.7"
#define RECORDER_ROOT "/org/sipbus1"

struct recorder {
	struct bus *bus;
	DBusMessage *sent[RECORDER_MAX];
	size_t n, next; /* sent so far, and looked at so far */
	uint32_t serial;
	uint32_t client_serial;
	unsigned wakes;
	usec_t now;
	bool broken; /* send fails */
	char logged[512];
	struct log_sink log;
};

/* A bus whose AddMatch has been looked at. */
void recorder_init(struct recorder *r);
void recorder_deinit(struct recorder *r);
/* Makes room: what was sent so far is gone. */
void recorder_forget(struct recorder *r);
/* The next message that left, NULL if there is none. Borrowed. */
DBusMessage *recorder_next(struct recorder *r);
/* The next message is the signal `name` of `path`, or the test fails. */
DBusMessage *recorder_signal(struct recorder *r, const char *path, const char *name);
/* The next message is the error `name` for RECORDER_CLIENT; its text. */
const char *recorder_error(struct recorder *r, const char *name);
/* The next message is a method return with that signature. */
DBusMessage *recorder_return(struct recorder *r, const char *signature);
void recorder_silence(struct recorder *r);

/* A call from RECORDER_CLIENT; append arguments, then recorder_deliver(). */
DBusMessage *recorder_call(
	struct recorder *r, const char *path, const char *interface, const char *member);
/* Receives m as if it had come from sender, and gives it up. */
enum bus_handled recorder_deliver_from(struct recorder *r, DBusMessage *m, const char *sender);
void recorder_deliver(struct recorder *r, DBusMessage *m);
/* The bus says that a client left. */
void recorder_leave(struct recorder *r, const char *client);
/* Time passes, and the loop has its turn. */
void recorder_run(struct recorder *r, usec_t delay);

/* Runs a suite made of tests[]; main's result. */
int recorder_main(const char *name, const TTest *const *const *tests, size_t n);
