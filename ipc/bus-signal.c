/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <string.h>

#include "ipc/bus-object.h"
#include "ipc/bus-private.h"
#include "ipc/bus-table.h"

static const struct bus_signal *find_row(const struct bus_interface *interface, const char *name)
{
	for (const struct bus_signal *s = interface->signals; s && s->name; s++)
		if (strcmp(s->name, name) == 0)
			return s;
	return NULL;
}

void bus_signal_open(struct bus_writer *ret_w, struct bus_object *o,
	const struct bus_interface *interface, const char *signal, const char *destination)
{
	const struct bus_signal *row = find_row(interface, signal);
	const struct bus_head head = { .type = DBUS_MESSAGE_TYPE_SIGNAL,
		.path = o ? o->path : "/",
		.interface = interface->name,
		.member = signal,
		.destination = destination,
		.sig = row ? row->sig : NULL };

	bus_writer_init(ret_w, &head);
	ret_w->object = o;
	if (!row)
		ret_w->flaw = "its table does not have it";
	else if (row->flags & BUS_UNICAST && !destination)
		ret_w->flaw = "content is not for everyone";
}

void bus_signal_send(struct bus_writer *w)
{
	struct bus_object *o = w->object;
	DBusMessage *m = o ? bus_writer_take(w) : NULL;

	if (m)
		bus_send(o->bus, o, m);
	else if (o)
		log_line(o->bus->log, LOG_LEVEL_ERROR, "bus: %s: signal %s was not sent: %s",
			o->path, w->member, w->flaw);
	bus_writer_deinit(w);
}
