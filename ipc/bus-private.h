/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* What the files of the object layer share with each other and with nobody else. */
#include <stdlib.h>

#include "ipc/bus-value.h"
#include "ipc/bus.h"
#include "protocol/base/list.h"
#include "protocol/base/log.h"
#include "protocol/base/map.h"

struct bus_access;
struct bus_client;
struct bus_interface;
struct bus_property;

struct bus {
	struct bus_host host;
	const char *root;
	const struct log_sink *log;
	struct timerq timers;
	struct map objects; /* by path, steps on the way included */
	struct list all;    /* those with interfaces, oldest first */
	struct list added;  /* those whose InterfacesAdded waits */
	struct list dirty;  /* those with marks */
	struct map clients; /* by unique name */
	struct map asks;    /* by serial */
	struct list unsent; /* questions that the host could not send */
	size_t held_bytes;
	bool guarded; /* an object with a guard exists or existed */
	bool lost;
};

struct bus_object {
	struct bus *bus;
	struct map_node by_path;
	struct bus_object *parent;
	struct list children, sibling;
	char *path;
	/* NULL: nothing but a step on the way to others. */
	const struct bus_interface *const *interfaces;
	void *user;
	uint64_t *dirty; /* a bit for each property, a word for each interface */
	struct list in_all, in_added, in_dirty;
	struct list calls; /* being handled or kept */
};

/* bus.c: flushes what has to go before, sends, and gives up the reference. The serial, or 0. */
uint32_t bus_send(struct bus *bus, struct bus_object *o, DBusMessage *m);
/* As it is, keeping the reference. */
uint32_t bus_send_raw(struct bus *bus, DBusMessage *m);

/* bus-write.c */
/* What a message is and where it goes; NULL and 0: it has no such field. */
struct bus_head {
	unsigned char type, flags; /* DBUS_MESSAGE_TYPE_*, DBUS_HEADER_FLAG_* */
	const char *path, *interface, *member, *error, *destination;
	uint32_t reply_serial;
	const char *sig; /* of its arguments; lives as long as the writer; NULL: none */
};
/* *ret_w is ready for its arguments. */
void bus_writer_init(struct bus_writer *ret_w, const struct bus_head *head);
void bus_writer_deinit(struct bus_writer *w);
/* Hands the message out if its arguments are what they should be; else NULL, with w->flaw set. */
DBusMessage *bus_writer_take(struct bus_writer *w);
/* It had no room, or will hardly have. */
bool bus_writer_is_full(const struct bus_writer *w);
/* As it is if it is UTF-8 without NUL; else with U+FFFD for each byte that is not. */
void bus_text_append(struct buf *b, struct slice s);

/* bus-object.c */
struct bus_object *bus_object_at(struct bus *bus, const char *path);
/* Names of the nodes right below, sorted; the caller frees the array, not the names. */
const char **bus_object_children(const struct bus_object *o, size_t *ret_n);

/* bus-change.c */
void bus_change_add(struct bus_object *o);
/* Everything that waits: objects that came, and marks. */
void bus_change_flush(struct bus *bus);
/* What has to be out before a message of o (NULL: of nobody) leaves. */
void bus_change_flush_before(struct bus *bus, struct bus_object *o);
void bus_change_remove(struct bus_object *o);
/* Whether the ObjectManager speaks of o: it does of what is below the root. */
bool bus_change_is_managed(const struct bus_object *o);
/* Entries of an a{sv}, one for every property that the client (NULL: everybody) may read. */
void bus_change_write_all(struct bus_writer *w, struct bus_object *o,
	const struct bus_interface *interface, const struct bus_client *client);

/* bus-dispatch.c */
void bus_dispatch(struct bus *bus, struct bus_client *client, DBusMessage *m);
/* 0 or -EPERM, as the interface's guard says. client NULL: for everybody. */
int bus_dispatch_allow_property(const struct bus_client *client,
	const struct bus_interface *interface, const struct bus_object *o,
	const struct bus_property *p);
int bus_dispatch_allow(const struct bus_client *client, const struct bus_interface *interface,
	const struct bus_object *o, const struct bus_access *what);

/* bus-standard.c: ends with NULL. */
extern const struct bus_interface *const bus_standard_interfaces[];
/* Whether o (NULL: no such object) answers to a standard interface. */
bool bus_standard_has(
	const struct bus *bus, const struct bus_object *o, const struct bus_interface *interface);
