/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* Calls in the other direction: to an object of a client (an agent), or of the bus itself. */
#include "ipc/bus-value.h"
#include "protocol/base/timer.h"

struct bus;
struct bus_ask;

/* Whom and what, with the signatures of the arguments and of the reply (NULL: none). All live until
 * it is sent. */
struct bus_ask_target {
	const char *destination, *path, *interface, *member, *in, *out;
};

struct bus_reply {
	const char *error; /* D-Bus error name, NULL: success */
	struct slice text; /* of the error */
	struct bus_reader args;
};

typedef void (*bus_reply_fn)(void *ctx, struct bus_reply *reply);

/* Opens the call; append the arguments to *ret_w, then bus_ask_send(). */
void bus_ask_open(struct bus *bus, const struct bus_ask_target *to, struct bus_writer *ret_w);
/*
 * Sends it. fn runs exactly once and never before this returns: with the reply, with an error that
 * came back, with org.freedesktop.DBus.Error.NoReply after `timeout` or when the client went, with
 * ...Disconnected when the bus did, with ...InvalidSignature when the reply has another type. Only
 * the one who was asked, or the bus itself, can answer; so the destination has to be a unique name
 * or org.freedesktop.DBus. The result is valid until fn runs.
 */
struct bus_ask *bus_ask_send(
	struct bus *bus, struct bus_writer *w, usec_t timeout, bus_reply_fn fn, void *ctx);
/* Wants no answer any more: fn will not run. NULL in, NULL out. */
struct bus_ask *bus_ask_cancel(struct bus_ask *a);
/* Sends it and wants no answer at all. */
void bus_ask_tell(struct bus *bus, struct bus_writer *w);
