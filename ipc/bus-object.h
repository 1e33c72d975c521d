/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/*
 * Objects, what changes in them, and their signals. Parents on the path need not exist: they are
 * introspectable as soon as something lives below them.
 */
struct bus;
struct bus_interface;
struct bus_object;
struct bus_writer;

/*
 * Puts an object on the bus; InterfacesAdded goes out before the next message that leaves, or when
 * the loop is idle. `interfaces` ends with NULL and stays borrowed, the path is copied, `user` is
 * what handlers get. -EEXIST: the path is taken. -EINVAL: it is no object path, or a
 * table is larger than bus-table.h allows.
 */
int bus_object_new(struct bus *bus, const char *path, const struct bus_interface *const *interfaces,
	void *user, struct bus_object **ret_object);
/*
 * Takes it off the bus: what has changed goes out (getters run once more, so `user` has to be
 * intact still), then InterfacesRemoved; its kept calls fail with NoSuchObject after their keepers
 * have been told. NULL in, NULL out.
 */
struct bus_object *bus_object_free(struct bus_object *o);

const char *bus_object_path(const struct bus_object *o);
void *bus_object_user(const struct bus_object *o);
/* The user pointer of the object at path if it has that very interface, else NULL. */
void *bus_object_find(struct bus *bus, const char *path, const struct bus_interface *interface);

/*
 * Marks a property of o as changed. Marks are sent together, in the order of the table, before any
 * message of this object leaves and when the loop is idle. NULL for o does nothing.
 */
void bus_changed(struct bus_object *o, const struct bus_interface *interface, const char *property);

/*
 * Opens a signal of o; append its arguments to *ret_w, then bus_signal_send(). A destination of
 * NULL is a broadcast, which a BUS_UNICAST signal refuses: then nothing is sent, and the log says
 * so, as it does where arguments and table differ.
 */
void bus_signal_open(struct bus_writer *ret_w, struct bus_object *o,
	const struct bus_interface *interface, const char *signal, const char *destination);
void bus_signal_send(struct bus_writer *w);
