/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Method calls: found, checked, answered; and the interfaces of the specification. */
#include <errno.h>
#include <string.h>

#include "ipc/bus-object.h"
#include "tests/unit/ipc/lamp.h"
#include "tests/unit/ipc/recorder.h"

#define LAMP "/org/sipbus1/lamp/desk"
#define IFACE "org.example.Lamp"
#define PROPERTIES DBUS_INTERFACE_PROPERTIES
#define MANAGER "org.freedesktop.DBus.ObjectManager"

static struct recorder r;
static struct lamp lamp, root;

static void setup(void)
{
	recorder_init(&r);
	lamp_init(&root, r.bus, RECORDER_ROOT, lamp_interfaces);
	lamp_init(&lamp, r.bus, LAMP, lamp_interfaces);
	recorder_run(&r, 0);
	recorder_signal(&r, RECORDER_ROOT, "InterfacesAdded");
	recorder_silence(&r);
}

static void teardown(void)
{
	recorder_silence(&r);
	lamp_deinit(&lamp);
	lamp_deinit(&root);
	recorder_deinit(&r);
}

/* A call without arguments that ends in an error; its text. */
static const char *error_of(
	const char *path, const char *interface, const char *member, const char *name)
{
	recorder_deliver(&r, recorder_call(&r, path, interface, member));
	return recorder_error(&r, name);
}

/* Appends (u, a{sv} with one entry of a basic type). */
static DBusMessage *dim_with(uint32_t watts, const char *key, int type, const void *value)
{
	DBusMessage *m = recorder_call(&r, LAMP, IFACE, "Dim");
	char sig[] = { (char)type, '\0' };
	DBusMessageIter it, dict, entry, variant;

	dbus_message_iter_init_append(m, &it);
	dbus_message_iter_append_basic(&it, DBUS_TYPE_UINT32, &watts);
	dbus_message_iter_open_container(&it, DBUS_TYPE_ARRAY, "{sv}", &dict);
	if (key) {
		dbus_message_iter_open_container(&dict, DBUS_TYPE_DICT_ENTRY, NULL, &entry);
		dbus_message_iter_append_basic(&entry, DBUS_TYPE_STRING, &key);
		dbus_message_iter_open_container(&entry, DBUS_TYPE_VARIANT, sig, &variant);
		dbus_message_iter_append_basic(&variant, type, value);
		dbus_message_iter_close_container(&entry, &variant);
		dbus_message_iter_close_container(&dict, &entry);
	}
	dbus_message_iter_close_container(&it, &dict);
	return m;
}

START_TEST(a_call_is_answered)
{
	DBusMessage *m;
	uint32_t fade = 3, watts;

	setup();
	recorder_deliver(&r, dim_with(60, "Fade", DBUS_TYPE_UINT32, &fade));
	/* Marks go out before the first message of the object: here the signal, then the reply. */
	m = recorder_signal(&r, LAMP, "PropertiesChanged");
	ck_assert_ptr_null(dbus_message_get_destination(m));
	m = recorder_signal(&r, LAMP, "Dimmed");
	ck_assert(dbus_message_get_args(m, NULL, DBUS_TYPE_UINT32, &watts, DBUS_TYPE_INVALID));
	ck_assert_uint_eq(watts, 60);
	m = recorder_return(&r, "");
	ck_assert_str_eq(dbus_message_get_destination(m), RECORDER_CLIENT);
	ck_assert_uint_eq(dbus_message_get_reply_serial(m), r.client_serial);
	ck_assert(dbus_message_get_no_reply(m));
	ck_assert_uint_eq(lamp.watts, 60);
	teardown();
}
END_TEST

START_TEST(what_is_not_there_is_named)
{
	DBusMessage *m;

	setup();
	ck_assert_str_eq(error_of("/nowhere", IFACE, "Dim", DBUS_ERROR_UNKNOWN_OBJECT),
		"there is no object /nowhere");
	ck_assert_str_eq(error_of("/org/sipbus1/lamp", IFACE, "Dim", DBUS_ERROR_UNKNOWN_INTERFACE),
		"/org/sipbus1/lamp has no interface " IFACE);
	error_of(LAMP, "org.example.Sofa", "Dim", DBUS_ERROR_UNKNOWN_INTERFACE);
	error_of("/org/sipbus1/lamp", PROPERTIES, "Get", DBUS_ERROR_UNKNOWN_INTERFACE);
	error_of(LAMP, MANAGER, "GetManagedObjects", DBUS_ERROR_UNKNOWN_INTERFACE);
	ck_assert_str_eq(error_of(LAMP, IFACE, "Sit", DBUS_ERROR_UNKNOWN_METHOD),
		LAMP " has no method " IFACE ".Sit");
	/* A member of another interface of the same object. */
	error_of(LAMP, IFACE, "Off", DBUS_ERROR_UNKNOWN_METHOD);
	ck_assert_str_eq(error_of(LAMP, IFACE, "Dim", DBUS_ERROR_INVALID_ARGS),
		IFACE ".Dim takes (ua{sv}), not ()");
	m = recorder_call(&r, LAMP, IFACE, "Wait");
	dbus_message_append_args(m, DBUS_TYPE_STRING, &(const char *){ "x" }, DBUS_TYPE_INVALID);
	recorder_deliver(&r, m);
	ck_assert_str_eq(
		recorder_error(&r, DBUS_ERROR_INVALID_ARGS), IFACE ".Wait takes (), not (s)");
	teardown();
}
END_TEST

START_TEST(the_interface_may_be_left_out)
{
	setup();
	recorder_deliver(&r, recorder_call(&r, LAMP, NULL, "Off"));
	recorder_return(&r, "");
	ck_assert_str_eq(
		error_of(LAMP, NULL, "Sit", DBUS_ERROR_UNKNOWN_METHOD), LAMP " has no method Sit");
	recorder_deliver(&r, recorder_call(&r, LAMP, NULL, "Introspect"));
	recorder_return(&r, "s");
	teardown();
}
END_TEST

START_TEST(options_are_held_to_the_table)
{
	DBusMessage *m;
	const char *text = "red";
	uint32_t slow = 11;

	setup();
	recorder_deliver(&r, dim_with(1, "Speed", DBUS_TYPE_UINT32, &slow));
	ck_assert_str_eq(recorder_error(&r, "org.sipbus1.Error.InvalidArgument"),
		"option \"Speed\" is not known here");
	recorder_deliver(&r, dim_with(1, "Fade", DBUS_TYPE_INT32, &slow));
	ck_assert_str_eq(recorder_error(&r, "org.sipbus1.Error.InvalidArgument"),
		"option \"Fade\" has to be of type u");
	recorder_deliver(&r, dim_with(1, "Fade", DBUS_TYPE_STRING, &text));
	recorder_error(&r, "org.sipbus1.Error.InvalidArgument");
	recorder_deliver(&r, dim_with(1, "Fade", DBUS_TYPE_UINT32, &slow));
	ck_assert_str_eq(recorder_error(&r, "org.sipbus1.Error.InvalidArgument"), "11 is too slow");
	ck_assert_uint_eq(lamp.watts, 40);
	/* A method without a table of options takes none. */
	m = dim_with(1, "Fade", DBUS_TYPE_UINT32, &slow);
	dbus_message_set_member(m, "Plain");
	recorder_deliver(&r, m);
	recorder_error(&r, DBUS_ERROR_INVALID_ARGS);
	teardown();
}
END_TEST

START_TEST(errno_becomes_an_error)
{
	static const struct {
		int err;
		const char *name;
	} rows[] = {
		{ EINVAL, "org.sipbus1.Error.InvalidArgument" },
		{ EMSGSIZE, "org.sipbus1.Error.LimitExceeded" },
		{ ENOENT, "org.sipbus1.Error.NoSuchObject" },
		{ EOPNOTSUPP, "org.sipbus1.Error.NotSupported" },
		{ ENOTCONN, "org.sipbus1.Error.NotRegistered" },
		{ ESTALE, "org.sipbus1.Error.WrongState" },
		{ EACCES, "org.sipbus1.Error.AuthenticationFailed" },
		{ ECONNREFUSED, "org.sipbus1.Error.TransportFailed" },
		{ ETIMEDOUT, "org.sipbus1.Error.Timeout" },
		{ EPERM, "org.freedesktop.DBus.Error.AccessDenied" },
		{ EXDEV, "org.freedesktop.DBus.Error.Failed" },
	};

	setup();
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		DBusMessage *m = recorder_call(&r, LAMP, IFACE, "Fail");

		dbus_message_append_args(m, DBUS_TYPE_INT32, &rows[i].err, DBUS_TYPE_INVALID);
		recorder_deliver(&r, m);
		ck_assert_uint_gt(strlen(recorder_error(&r, rows[i].name)), 0);
	}
	ck_assert_str_eq(
		error_of(LAMP, IFACE, "Busy", "org.sipbus1.Error.Refused"), "486 Busy Here");
	teardown();
}
END_TEST

START_TEST(handlers_that_err_do_no_harm)
{
	setup();
	error_of(LAMP, IFACE, "Forget", DBUS_ERROR_FAILED);
	error_of(LAMP, IFACE, "Lie", DBUS_ERROR_FAILED);
	ck_assert_ptr_nonnull(strstr(r.logged, "Lie"));
	/* A second answer and an error after the answer are not sent. */
	recorder_deliver(&r, recorder_call(&r, LAMP, IFACE, "Twice"));
	recorder_return(&r, "");
	/* A reply larger than a bus lets through would cost us the connection. */
	error_of(LAMP, IFACE, "Flood", "org.sipbus1.Error.LimitExceeded");
	teardown();
}
END_TEST

START_TEST(no_reply_means_no_reply)
{
	DBusMessage *m;

	setup();
	m = recorder_call(&r, LAMP, "org.example.Switch", "Off");
	dbus_message_set_no_reply(m, TRUE);
	recorder_deliver(&r, m);
	recorder_silence(&r);
	m = recorder_call(&r, LAMP, IFACE, "Sit");
	dbus_message_set_no_reply(m, TRUE);
	recorder_deliver(&r, m);
	recorder_silence(&r);
	m = recorder_call(&r, LAMP, IFACE, "Lie");
	dbus_message_set_no_reply(m, TRUE);
	recorder_deliver(&r, m);
	teardown();
}
END_TEST

START_TEST(peer_answers_everywhere)
{
	setup();
	recorder_deliver(&r, recorder_call(&r, "/nowhere", DBUS_INTERFACE_PEER, "Ping"));
	recorder_return(&r, "");
	recorder_deliver(&r, recorder_call(&r, LAMP, DBUS_INTERFACE_PEER, "Ping"));
	recorder_return(&r, "");
	error_of("/nowhere", DBUS_INTERFACE_PEER, "Pong", DBUS_ERROR_UNKNOWN_OBJECT);
	recorder_deliver(&r, recorder_call(&r, LAMP, DBUS_INTERFACE_PEER, "GetMachineId"));
	/* A build machine may have none. */
	ck_assert_int_eq(dbus_message_get_type(r.sent[r.next]) == DBUS_MESSAGE_TYPE_ERROR ||
				 dbus_message_has_signature(r.sent[r.next], "s"),
		1);
	r.next++;
	teardown();
}
END_TEST

static const char *introspect(const char *path)
{
	const char *xml;

	recorder_deliver(&r, recorder_call(&r, path, DBUS_INTERFACE_INTROSPECTABLE, "Introspect"));
	ck_assert(dbus_message_get_args(
		recorder_return(&r, "s"), NULL, DBUS_TYPE_STRING, &xml, DBUS_TYPE_INVALID));
	return xml;
}

START_TEST(introspection_comes_from_tables)
{
	struct lamp other, deeper;
	const char *xml;

	setup();
	lamp_init(&other, r.bus, "/org/sipbus1/lamp/attic", lamp_interfaces);
	lamp_init(&deeper, r.bus, "/org/sipbus1/lamp/attic/left", lamp_interfaces);
	recorder_run(&r, 0);
	r.next = r.n;
	xml = introspect(LAMP);
	ck_assert_ptr_nonnull(
		strstr(xml, "<interface name=\"org.example.Lamp\">\n"
			    "    <method name=\"Dim\">\n"
			    "      <arg name=\"watts\" type=\"u\" direction=\"in\"/>\n"
			    "      <arg name=\"options\" type=\"a{sv}\" direction=\"in\"/>\n"
			    "    </method>\n"));
	ck_assert_ptr_nonnull(
		strstr(xml, "<property name=\"Watts\" type=\"u\" access=\"readwrite\"/>"));
	ck_assert_ptr_nonnull(strstr(xml, "EmitsChangedSignal\" value=\"invalidates\""));
	ck_assert_ptr_nonnull(strstr(xml, "EmitsChangedSignal\" value=\"const\""));
	ck_assert_ptr_nonnull(strstr(xml, "EmitsChangedSignal\" value=\"false\""));
	ck_assert_ptr_nonnull(strstr(xml, "Deprecated\" value=\"true\""));
	ck_assert_ptr_nonnull(strstr(xml, "Method.NoReply\" value=\"true\""));
	ck_assert_ptr_nonnull(strstr(xml, "<signal name=\"Told\">\n"
					  "      <arg name=\"body\" type=\"ay\"/>\n"));
	ck_assert_ptr_nonnull(strstr(xml, PROPERTIES));
	ck_assert_ptr_null(strstr(xml, MANAGER));
	ck_assert_ptr_null(strstr(xml, "<!-- "));
	ck_assert_ptr_nonnull(strstr(introspect(RECORDER_ROOT), MANAGER));
	/* Sorted, and each level lists only its own. */
	xml = introspect("/org/sipbus1/lamp");
	ck_assert_ptr_nonnull(
		strstr(xml, "  <node name=\"attic\"/>\n  <node name=\"desk\"/>\n</node>"));
	ck_assert_ptr_null(strstr(xml, "left"));
	ck_assert_ptr_null(strstr(xml, PROPERTIES));
	ck_assert_ptr_nonnull(strstr(introspect("/"), "<node name=\"org\"/>"));
	/* What has no object below it any more is gone; what has, stays. */
	lamp_deinit(&other);
	r.next = r.n;
	ck_assert_ptr_nonnull(strstr(introspect("/org/sipbus1/lamp/attic"), "left"));
	lamp_deinit(&deeper);
	r.next = r.n;
	error_of("/org/sipbus1/lamp/attic", NULL, "Introspect", DBUS_ERROR_UNKNOWN_OBJECT);
	teardown();
}
END_TEST

START_TEST(paths_are_checked_and_unique)
{
	struct bus_object *o = NULL;

	setup();
	ck_assert_int_eq(bus_object_new(r.bus, LAMP, lamp_interfaces, NULL, &o), -EEXIST);
	ck_assert_int_eq(bus_object_new(r.bus, "no/path", lamp_interfaces, NULL, &o), -EINVAL);
	ck_assert_int_eq(bus_object_new(r.bus, "/a-b", lamp_interfaces, NULL, &o), -EINVAL);
	ck_assert_ptr_null(o);
	ck_assert_ptr_eq(bus_object_find(r.bus, LAMP, &iface_lamp), &lamp);
	ck_assert_ptr_null(bus_object_find(r.bus, LAMP, &iface_guarded));
	ck_assert_ptr_null(bus_object_find(r.bus, "/org", &iface_lamp));
	ck_assert_ptr_null(bus_object_find(r.bus, "junk", &iface_lamp));
	ck_assert_str_eq(bus_object_path(lamp.bus), LAMP);
	ck_assert_ptr_eq(bus_object_user(lamp.bus), &lamp);
	teardown();
}
END_TEST

/* A call of Get, or of Set when there is a value. */
static void deliver_property(const char *interface, const char *name, int type, const void *value)
{
	DBusMessage *m = recorder_call(&r, LAMP, PROPERTIES, value ? "Set" : "Get");
	char sig[] = { (char)type, '\0' };
	DBusMessageIter it, variant;

	dbus_message_append_args(
		m, DBUS_TYPE_STRING, &interface, DBUS_TYPE_STRING, &name, DBUS_TYPE_INVALID);
	if (value) {
		dbus_message_iter_init_append(m, &it);
		dbus_message_iter_open_container(&it, DBUS_TYPE_VARIANT, sig, &variant);
		dbus_message_iter_append_basic(&variant, type, value);
		dbus_message_iter_close_container(&it, &variant);
	}
	recorder_deliver(&r, m);
}

START_TEST(properties_get)
{
	DBusMessageIter it, variant;
	dbus_uint32_t watts;

	setup();
	deliver_property(IFACE, "Watts", 0, NULL);
	dbus_message_iter_init(recorder_return(&r, "v"), &it);
	dbus_message_iter_recurse(&it, &variant);
	ck_assert_int_eq(dbus_message_iter_get_arg_type(&variant), DBUS_TYPE_UINT32);
	dbus_message_iter_get_basic(&variant, &watts);
	ck_assert_uint_eq(watts, 40);
	deliver_property("", "State", 0, NULL); /* any interface */
	recorder_return(&r, "v");
	deliver_property(IFACE, "State", 0, NULL);
	ck_assert_str_eq(
		recorder_error(&r, DBUS_ERROR_UNKNOWN_PROPERTY), LAMP " has no property State");
	deliver_property("org.example.Sofa", "Watts", 0, NULL);
	ck_assert_str_eq(recorder_error(&r, DBUS_ERROR_UNKNOWN_INTERFACE),
		LAMP " has no interface org.example.Sofa");
	deliver_property(PROPERTIES, "Watts", 0, NULL);
	recorder_error(&r, DBUS_ERROR_UNKNOWN_PROPERTY);
	teardown();
}
END_TEST

START_TEST(properties_set)
{
	const char *text = "bright";
	uint32_t watts = 99;

	setup();
	deliver_property(IFACE, "Watts", DBUS_TYPE_UINT32, &watts);
	recorder_signal(&r, LAMP, "PropertiesChanged");
	recorder_return(&r, "");
	ck_assert_uint_eq(lamp.watts, 99);
	watts = 101;
	deliver_property(IFACE, "Watts", DBUS_TYPE_UINT32, &watts);
	ck_assert_str_eq(recorder_error(&r, "org.sipbus1.Error.InvalidArgument"), "101 W melts it");
	deliver_property(IFACE, "Watts", DBUS_TYPE_STRING, &text);
	recorder_error(&r, DBUS_ERROR_INVALID_ARGS);
	deliver_property(IFACE, "Label", DBUS_TYPE_STRING, &text);
	recorder_error(&r, DBUS_ERROR_PROPERTY_READ_ONLY);
	deliver_property(IFACE, "Colour", DBUS_TYPE_STRING, &text);
	recorder_error(&r, DBUS_ERROR_UNKNOWN_PROPERTY);
	ck_assert_uint_eq(lamp.watts, 99);
	teardown();
}
END_TEST

/* How many items the array (or dictionary) at *it has. */
static unsigned count(DBusMessageIter *it)
{
	DBusMessageIter item;
	unsigned n = 0;

	dbus_message_iter_recurse(it, &item);
	for (; dbus_message_iter_get_arg_type(&item) != DBUS_TYPE_INVALID; n++)
		dbus_message_iter_next(&item);
	return n;
}

START_TEST(properties_get_all)
{
	static const struct {
		const char *interface;
		unsigned n;
	} rows[] = { { IFACE, 5 }, { "org.example.Switch", 1 }, { "", 6 }, { PROPERTIES, 0 } };
	const char *unknown = "org.example.Sofa";
	DBusMessage *m;
	DBusMessageIter it;

	setup();
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		m = recorder_call(&r, LAMP, PROPERTIES, "GetAll");
		dbus_message_append_args(
			m, DBUS_TYPE_STRING, &rows[i].interface, DBUS_TYPE_INVALID);
		recorder_deliver(&r, m);
		dbus_message_iter_init(recorder_return(&r, "a{sv}"), &it);
		ck_assert_uint_eq(count(&it), rows[i].n);
	}
	m = recorder_call(&r, LAMP, PROPERTIES, "GetAll");
	dbus_message_append_args(m, DBUS_TYPE_STRING, &unknown, DBUS_TYPE_INVALID);
	recorder_deliver(&r, m);
	recorder_error(&r, DBUS_ERROR_UNKNOWN_INTERFACE);
	teardown();
}
END_TEST

START_TEST(managed_objects_are_those_below)
{
	struct lamp outside;
	DBusMessageIter it, dict, entry;
	const char *path;

	setup();
	lamp_init(&outside, r.bus, "/org/sipbus10", lamp_interfaces);
	recorder_deliver(&r, recorder_call(&r, RECORDER_ROOT, MANAGER, "GetManagedObjects"));
	dbus_message_iter_init(recorder_return(&r, "a{oa{sa{sv}}}"), &it);
	ck_assert_uint_eq(count(&it), 1);
	dbus_message_iter_recurse(&it, &dict);
	dbus_message_iter_recurse(&dict, &entry);
	dbus_message_iter_get_basic(&entry, &path);
	ck_assert_str_eq(path, LAMP);
	dbus_message_iter_next(&entry);
	ck_assert_uint_eq(count(&entry), 2);
	lamp_deinit(&outside);
	teardown();
}
END_TEST

START_TEST(other_messages_are_ignored)
{
	DBusMessage *m;

	setup();
	m = dbus_message_new(DBUS_MESSAGE_TYPE_METHOD_RETURN);
	dbus_message_set_reply_serial(m, 1);
	ck_assert_int_eq(recorder_deliver_from(&r, m, ":1.9"), BUS_NOT_OURS);
	m = dbus_message_new(DBUS_MESSAGE_TYPE_ERROR);
	dbus_message_set_reply_serial(m, 77);
	dbus_message_set_error_name(m, DBUS_ERROR_FAILED);
	ck_assert_int_eq(recorder_deliver_from(&r, m, ":1.9"), BUS_NOT_OURS);
	m = dbus_message_new_signal(LAMP, IFACE, "Dimmed");
	ck_assert_int_eq(recorder_deliver_from(&r, m, ":1.9"), BUS_NOT_OURS);
	teardown();
}
END_TEST

int main(void)
{
	static const TTest *const *const tests[] = { &a_call_is_answered,
		&what_is_not_there_is_named, &the_interface_may_be_left_out,
		&options_are_held_to_the_table, &errno_becomes_an_error,
		&handlers_that_err_do_no_harm, &no_reply_means_no_reply, &peer_answers_everywhere,
		&introspection_comes_from_tables, &paths_are_checked_and_unique, &properties_get,
		&properties_set, &properties_get_all, &managed_objects_are_those_below,
		&other_messages_are_ignored };

	return recorder_main("dispatch", tests, sizeof(tests) / sizeof(tests[0]));
}
