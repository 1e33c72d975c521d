/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* Private: who talks to us, and what is under way with them. */
#include <sys/types.h>

#include "ipc/bus-private.h"

struct bus_ask;
struct bus_call;
struct bus_method;

enum bus_uid_state { BUS_UID_UNKNOWN, BUS_UID_ASKED, BUS_UID_KNOWN };

/* Lives while somebody holds a reference; a known uid is one, until the client leaves. */
struct bus_client {
	struct bus *bus;
	struct map_node by_name;
	char *name;
	unsigned refs;
	enum bus_uid_state uid_state;
	uid_t uid;
	struct bus_ask *ask;
	struct list waiters, held, watches, calls;
	size_t n_held, held_bytes, n_calls;
};

/* bus-call.c */
struct bus_call *bus_call_new(
	struct bus *bus, struct bus_client *client, struct bus_object *o, DBusMessage *m);
/* The handler has returned r: answers what it left, and ends what was not kept. */
void bus_call_handled(struct bus_call *c, int r);
void bus_call_set_method(struct bus_call *c, const struct bus_method *method);
/* Reads the option dictionary at the end of the arguments; on -EINVAL the call is answered. */
int bus_call_read_options(struct bus_call *c);
const struct bus_client *bus_call_client(const struct bus_call *c);
/* The object or the caller goes: calls end or are let go. */
void bus_call_object_gone(struct bus_object *o);
void bus_call_client_gone(struct bus_client *client);
/* Other words for those that a client's calls would end with. */
void bus_call_silence(struct bus_client *client, void (*gone)(struct bus_call *c, void *ctx));

/* bus-client.c */
struct bus_client *bus_client_get(struct bus *bus, const char *name);
struct bus_client *bus_client_unref(struct bus_client *client);
/* Dispatches m now, or once the caller's uid is known. */
void bus_client_dispatch(struct bus_client *client, DBusMessage *m);
void bus_client_left(struct bus *bus, const char *name);
void bus_client_drop_all(struct bus *bus);

/* bus-ask.c */
enum bus_handled bus_ask_receive(struct bus *bus, DBusMessage *m);
void bus_ask_fail_all(struct bus *bus);
void bus_ask_drop_all(struct bus *bus);
