/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * From a method call to its handler. Everything that can be wrong with a call is found here, in the
 * order in which the specification names the errors: object, interface, method, arguments; then who
 * calls, then the options.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "ipc/bus-call.h"
#include "ipc/bus-peer.h"
#include "ipc/bus-table.h"

int bus_dispatch_allow(const struct bus_client *client, const struct bus_interface *interface,
	const struct bus_object *o, const struct bus_access *what)
{
	struct bus_access a = *what;

	if (!client && what->flags & BUS_PRIVILEGED)
		return -EPERM;
	if (!interface->guard)
		return 0;
	a.sender = client ? client->name : NULL;
	a.uid = client && client->uid_state == BUS_UID_KNOWN ? client->uid : (uid_t)-1;
	return interface->guard(&a, o->user);
}

int bus_dispatch_allow_property(const struct bus_client *client,
	const struct bus_interface *interface, const struct bus_object *o,
	const struct bus_property *p)
{
	const struct bus_access what = {
		.verb = BUS_VERB_READ, .member = p->name, .flags = p->flags
	};

	return bus_dispatch_allow(client, interface, o, &what);
}

/* What a call is for; either member may be missing. */
struct target {
	const struct bus_interface *interface;
	const struct bus_method *method;
};

static bool look_in(const struct bus_interface *interface, DBusMessage *m, struct target *t)
{
	const char *wanted = dbus_message_get_interface(m);
	const char *member = dbus_message_get_member(m);

	if (wanted && strcmp(wanted, interface->name) != 0)
		return false;
	t->interface = interface;
	for (const struct bus_method *row = interface->methods; row && row->name; row++) {
		if (strcmp(row->name, member) == 0) {
			t->method = row;
			return true;
		}
	}
	/* Without an interface in the call, another one may have the member. */
	return wanted != NULL;
}

static struct target find_target(struct bus *bus, const struct bus_object *o, DBusMessage *m)
{
	struct target t = { 0 };

	for (size_t i = 0; o && o->interfaces && o->interfaces[i]; i++)
		if (look_in(o->interfaces[i], m, &t))
			return t;
	for (size_t i = 0; bus_standard_interfaces[i]; i++)
		if (bus_standard_has(bus, o, bus_standard_interfaces[i]) &&
			look_in(bus_standard_interfaces[i], m, &t))
			return t;
	return t;
}

static int complain(struct bus_call *c, const char *name, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

static int complain(struct bus_call *c, const char *name, const char *fmt, ...)
{
	char text[512];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	return bus_call_error(c, name, slice_str(text));
}

static bool takes_options(const struct bus_method *method)
{
	size_t n = method->in ? strlen(method->in) : 0;

	return n >= 5 && strcmp(method->in + n - 5, "a{sv}") == 0;
}

static int call(struct bus_call *c, const struct target *t, DBusMessage *m)
{
	const struct bus_object *o = bus_call_object(c);
	const struct bus_access what = {
		.verb = BUS_VERB_CALL, .member = t->method->name, .flags = t->method->flags
	};
	const char *in = t->method->in ? t->method->in : "";
	int r;

	bus_call_set_method(c, t->method);
	if (!dbus_message_has_signature(m, in))
		return complain(c, DBUS_ERROR_INVALID_ARGS, "%s.%s takes (%s), not (%s)",
			t->interface->name, t->method->name, in, dbus_message_get_signature(m));
	if (o && o->interfaces &&
		bus_dispatch_allow(bus_call_client(c), t->interface, o, &what) < 0)
		return bus_call_fail(c, -EPERM, "you may not call %s here", t->method->name);
	if (takes_options(t->method)) {
		r = bus_call_read_options(c);
		if (r < 0)
			return r;
	}
	return t->method->call(c, o ? o->user : NULL);
}

static int find_and_call(struct bus_call *c, DBusMessage *m)
{
	struct bus_object *o = bus_call_object(c);
	struct target t = find_target(bus_call_bus(c), o, m);
	const char *interface = dbus_message_get_interface(m);

	if (t.method)
		return call(c, &t, m);
	if (!o)
		return complain(c, DBUS_ERROR_UNKNOWN_OBJECT, "there is no object %s",
			dbus_message_get_path(m));
	if (interface && !t.interface)
		return complain(c, DBUS_ERROR_UNKNOWN_INTERFACE, "%s has no interface %s", o->path,
			interface);
	return complain(c, DBUS_ERROR_UNKNOWN_METHOD, "%s has no method %s%s%s", o->path,
		interface ? interface : "", interface ? "." : "", dbus_message_get_member(m));
}

void bus_dispatch(struct bus *bus, struct bus_client *client, DBusMessage *m)
{
	struct bus_object *o = bus_object_at(bus, dbus_message_get_path(m));
	struct bus_call *c = bus_call_new(bus, client, o, m);

	bus_call_handled(c, find_and_call(c, m));
}
