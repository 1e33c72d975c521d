/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The interfaces of the D-Bus specification, on the same tables as all others. */
#include <errno.h>
#include <string.h>

#include "ipc/bus-call.h"
#include "ipc/bus-peer.h"
#include "ipc/bus-table.h"
#include "ipc/bus-xml.h"
#include "protocol/base/buf.h"

static int ping(struct bus_call *c, void *object)
{
	(void)object;
	bus_call_done(c);
	return 0;
}

static int get_machine_id(struct bus_call *c, void *object)
{
	char *id = dbus_try_get_local_machine_id(NULL);
	struct bus_writer w;

	(void)object;
	if (!id)
		return bus_call_fail(c, -EIO, "this machine has no id");
	bus_call_open(c, &w);
	bus_write_str(&w, id);
	dbus_free(id);
	bus_call_send(c, &w);
	return 0;
}

static const struct bus_interface peer = {
	.name = DBUS_INTERFACE_PEER,
	.methods =
		(const struct bus_method[]){
			{ .name = "Ping", .call = ping },
			{ .name = "GetMachineId",
				.out = "s",
				.args = BUS_ARGS("machine_uuid"),
				.call = get_machine_id },
			{ 0 },
		},
};

static void describe(struct buf *b, const struct bus_object *o)
{
	const char **children;
	size_t n;

	bus_xml_begin(b);
	for (size_t i = 0; o->interfaces && o->interfaces[i]; i++)
		bus_xml_interface(b, o->interfaces[i], BUS_XML_PLAIN);
	for (size_t i = 0; bus_standard_interfaces[i]; i++)
		if (bus_standard_has(o->bus, o, bus_standard_interfaces[i]))
			bus_xml_interface(b, bus_standard_interfaces[i], BUS_XML_PLAIN);
	children = bus_object_children(o, &n);
	for (size_t i = 0; i < n; i++)
		bus_xml_child(b, children[i]);
	free(children);
	bus_xml_end(b);
}

static int introspect(struct bus_call *c, void *object)
{
	struct buf xml = BUF_NULL;
	struct bus_writer w;

	(void)object;
	describe(&xml, bus_call_object(c));
	bus_call_open(c, &w);
	bus_write_s(&w, buf_slice(&xml));
	buf_deinit(&xml);
	bus_call_send(c, &w);
	return 0;
}

static const struct bus_interface introspectable = {
	.name = DBUS_INTERFACE_INTROSPECTABLE,
	.methods =
		(const struct bus_method[]){
			{ .name = "Introspect",
				.out = "s",
				.args = BUS_ARGS("xml_data"),
				.call = introspect },
			{ 0 },
		},
};

static int complain(struct bus_call *c, const char *error, const char *what, struct slice name)
{
	struct buf text = BUF_NULL;

	buf_printf(&text, "%s %s ", bus_call_object(c)->path, what);
	buf_put(&text, name);
	(void)bus_call_error(c, error, buf_slice(&text));
	buf_deinit(&text);
	return -EIO;
}

/* The interface that the arguments name; an empty name is NULL and stands for all. */
static int read_interface(struct bus_call *c, const struct bus_interface **ret_interface)
{
	const struct bus_object *o = bus_call_object(c);
	struct slice name = bus_read_s(bus_call_args(c));
	const struct bus_interface *found = NULL;

	for (size_t i = 0; o->interfaces[i] && !found; i++)
		if (slice_eq(name, slice_str(o->interfaces[i]->name)))
			found = o->interfaces[i];
	/* Ours have no properties, but they are there. */
	for (size_t i = 0; bus_standard_interfaces[i] && !found; i++)
		if (slice_eq(name, slice_str(bus_standard_interfaces[i]->name)) &&
			bus_standard_has(o->bus, o, bus_standard_interfaces[i]))
			found = bus_standard_interfaces[i];
	if (!found && name.n)
		return complain(c, DBUS_ERROR_UNKNOWN_INTERFACE, "has no interface", name);
	*ret_interface = found;
	return 0;
}

/* A property, and the interface that it was found in. */
struct found {
	const struct bus_interface *interface;
	const struct bus_property *row;
};

static bool look_in(const struct bus_interface *interface, struct slice name, struct found *ret)
{
	for (const struct bus_property *p = interface->properties; p && p->name; p++) {
		if (slice_eq(name, slice_str(p->name))) {
			*ret = (struct found){ .interface = interface, .row = p };
			return true;
		}
	}
	return false;
}

static int read_property(struct bus_call *c, enum bus_verb verb, struct found *ret_found)
{
	const struct bus_object *o = bus_call_object(c);
	const struct bus_interface *interface = NULL;
	int r = read_interface(c, &interface);
	struct bus_access what = { .verb = verb };
	struct slice name;
	bool found = false;

	if (r < 0)
		return r;
	name = bus_read_s(bus_call_args(c));
	for (size_t i = 0; o->interfaces[i] && !found; i++)
		if (!interface || interface == o->interfaces[i])
			found = look_in(o->interfaces[i], name, ret_found);
	if (!found)
		return complain(c, DBUS_ERROR_UNKNOWN_PROPERTY, "has no property", name);
	what.member = ret_found->row->name;
	what.flags = ret_found->row->flags;
	if (bus_dispatch_allow(bus_call_client(c), ret_found->interface, o, &what) < 0)
		return bus_call_fail(c, -EPERM, "you may not do that with %s", what.member);
	return 0;
}

static int get(struct bus_call *c, void *object)
{
	struct found f;
	struct bus_writer w;
	int r = read_property(c, BUS_VERB_READ, &f);

	if (r < 0)
		return r;
	bus_call_open(c, &w);
	bus_open_variant(&w, f.row->sig);
	f.row->get(&w, object);
	bus_close(&w);
	bus_call_send(c, &w);
	return 0;
}

static int set(struct bus_call *c, void *object)
{
	struct bus_reader *args = bus_call_args(c);
	struct found f;
	char *sig;
	bool fits;
	int r = read_property(c, BUS_VERB_WRITE, &f);

	if (r < 0)
		return r;
	if (!f.row->set)
		return complain(c, DBUS_ERROR_PROPERTY_READ_ONLY, "does not let anyone set",
			slice_str(f.row->name));
	*args = bus_enter(args);
	sig = dbus_message_iter_get_signature(&args->at);
	fits = sig && strcmp(sig, f.row->sig) == 0;
	dbus_free(sig);
	if (!fits)
		return complain(c, DBUS_ERROR_INVALID_ARGS, "wants another type for",
			slice_str(f.row->name));
	return f.row->set(c, object);
}

static void write_all(struct bus_writer *w, struct bus_call *c, const struct bus_interface *one)
{
	struct bus_object *o = bus_call_object(c);

	bus_open_dict(w);
	for (size_t i = 0; o->interfaces[i]; i++)
		if (!one || one == o->interfaces[i])
			bus_change_write_all(w, o, o->interfaces[i], bus_call_client(c));
	bus_close(w);
}

static int get_all(struct bus_call *c, void *object)
{
	const struct bus_interface *interface;
	const struct bus_access what = { .verb = BUS_VERB_READ };
	struct bus_writer w;
	int r = read_interface(c, &interface);

	(void)object;
	if (r < 0)
		return r;
	if (interface &&
		bus_dispatch_allow(bus_call_client(c), interface, bus_call_object(c), &what) < 0)
		return bus_call_fail(c, -EPERM, "you may not look at %s", interface->name);
	bus_call_open(c, &w);
	write_all(&w, c, interface);
	bus_call_send(c, &w);
	return 0;
}

static const struct bus_interface properties = {
	.name = DBUS_INTERFACE_PROPERTIES,
	.methods =
		(const struct bus_method[]){
			{ .name = "Get",
				.in = "ss",
				.out = "v",
				.args = BUS_ARGS("interface_name", "property_name", "value"),
				.call = get },
			{ .name = "GetAll",
				.in = "s",
				.out = "a{sv}",
				.args = BUS_ARGS("interface_name", "properties"),
				.call = get_all },
			{ .name = "Set",
				.in = "ssv",
				.args = BUS_ARGS("interface_name", "property_name", "value"),
				.call = set },
			{ 0 },
		},
	.signals =
		(const struct bus_signal[]){
			{ .name = "PropertiesChanged",
				.sig = "sa{sv}as",
				.args = BUS_ARGS("interface_name", "changed_properties",
					"invalidated_properties") },
			{ 0 },
		},
};

static void write_object(
	struct bus_writer *w, struct bus_object *o, const struct bus_client *client)
{
	const struct bus_access what = { .verb = BUS_VERB_READ };

	bus_open_pair_o(w, o->path);
	bus_open_array(w, "{sa{sv}}");
	for (size_t i = 0; o->interfaces[i]; i++) {
		if (bus_dispatch_allow(client, o->interfaces[i], o, &what) < 0)
			continue;
		bus_open_pair(w, o->interfaces[i]->name);
		bus_open_dict(w);
		bus_change_write_all(w, o, o->interfaces[i], client);
		bus_close(w);
		bus_close(w);
	}
	bus_close(w);
	bus_close(w);
}

static int get_managed_objects(struct bus_call *c, void *object)
{
	struct bus *bus = bus_call_bus(c);
	struct bus_writer w;

	(void)object;
	bus_call_open(c, &w);
	bus_open_array(&w, "{oa{sa{sv}}}");
	list_for_each (pos, &bus->all) {
		struct bus_object *o = list_entry(pos, struct bus_object, in_all);

		if (bus_change_is_managed(o))
			write_object(&w, o, bus_call_client(c));
	}
	bus_close(&w);
	bus_call_send(c, &w);
	return 0;
}

static const struct bus_interface object_manager = {
	.name = "org.freedesktop.DBus.ObjectManager",
	.methods =
		(const struct bus_method[]){
			{ .name = "GetManagedObjects",
				.out = "a{oa{sa{sv}}}",
				.args = BUS_ARGS("objpath_interfaces_and_properties"),
				.call = get_managed_objects },
			{ 0 },
		},
	.signals =
		(const struct bus_signal[]){
			{ .name = "InterfacesAdded",
				.sig = "oa{sa{sv}}",
				.args = BUS_ARGS("object_path", "interfaces_and_properties") },
			{ .name = "InterfacesRemoved",
				.sig = "oas",
				.args = BUS_ARGS("object_path", "interfaces") },
			{ 0 },
		},
};

const struct bus_interface *const bus_standard_interfaces[] = { &introspectable, &peer, &properties,
	&object_manager, NULL };

bool bus_standard_has(
	const struct bus *bus, const struct bus_object *o, const struct bus_interface *interface)
{
	if (interface == &peer)
		return true; /* on any path, says the specification */
	if (!o || interface == &introspectable)
		return o != NULL;
	return o->interfaces && (interface == &properties || strcmp(o->path, bus->root) == 0);
}
