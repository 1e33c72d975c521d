/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Who calls, who may, and who left. */
#include <string.h>

#include "ipc/bus-client.h"
#include "tests/unit/ipc/lamp.h"
#include "tests/unit/ipc/recorder.h"

#define LAMP "/org/sipbus1/desk"
#define IFACE "org.example.Lamp"

static struct recorder r;
static struct lamp lamp;

static void setup(void)
{
	recorder_init(&r);
	lamp_init(&lamp, r.bus, LAMP, guarded_interfaces);
	recorder_run(&r, 0);
	recorder_signal(&r, RECORDER_ROOT, "InterfacesAdded");
}

static void teardown(void)
{
	recorder_silence(&r);
	lamp_deinit(&lamp);
	recorder_deinit(&r);
}

/* The next message asks the bus for the user behind name; its serial. */
static uint32_t expect_question(const char *name)
{
	DBusMessage *m = recorder_next(&r);
	const char *about;

	ck_assert_ptr_nonnull(m);
	ck_assert_str_eq(dbus_message_get_destination(m), DBUS_SERVICE_DBUS);
	ck_assert_str_eq(dbus_message_get_member(m), "GetConnectionUnixUser");
	ck_assert(dbus_message_get_args(m, NULL, DBUS_TYPE_STRING, &about, DBUS_TYPE_INVALID));
	ck_assert_str_eq(about, name);
	return dbus_message_get_serial(m);
}

static void reply_uid(uint32_t serial, uint32_t uid)
{
	DBusMessage *m = dbus_message_new(DBUS_MESSAGE_TYPE_METHOD_RETURN);

	dbus_message_set_reply_serial(m, serial);
	dbus_message_append_args(m, DBUS_TYPE_UINT32, &uid, DBUS_TYPE_INVALID);
	ck_assert_int_eq(recorder_deliver_from(&r, m, DBUS_SERVICE_DBUS), BUS_HANDLED);
}

static void call(const char *member)
{
	recorder_deliver(&r, recorder_call(&r, LAMP, IFACE, member));
}

START_TEST(calls_wait_for_their_user)
{
	uint32_t serial;

	setup();
	call("Sit");
	call("Twice");
	serial = expect_question(RECORDER_CLIENT);
	recorder_silence(&r);
	reply_uid(serial, 1000);
	/* In the order in which they came. */
	recorder_error(&r, DBUS_ERROR_UNKNOWN_METHOD);
	recorder_return(&r, "");
	/* It is known now. */
	call("Twice");
	recorder_return(&r, "");
	call("Explode");
	ck_assert_str_eq(
		recorder_error(&r, DBUS_ERROR_ACCESS_DENIED), "you may not call Explode here");
	/* A name is never used again, but what was known of it is forgotten. */
	recorder_leave(&r, RECORDER_CLIENT);
	call("Twice");
	reply_uid(expect_question(RECORDER_CLIENT), 0);
	recorder_return(&r, "");
	call("Explode");
	recorder_signal(&r, RECORDER_ROOT, "InterfacesRemoved");
	recorder_return(&r, "");
	teardown();
}
END_TEST

static DBusMessage *property_call(const char *member, const char *property)
{
	DBusMessage *m = recorder_call(&r, LAMP, DBUS_INTERFACE_PROPERTIES, member);
	const char *interface = IFACE;

	dbus_message_append_args(m, DBUS_TYPE_STRING, &interface, DBUS_TYPE_INVALID);
	if (property)
		dbus_message_append_args(m, DBUS_TYPE_STRING, &property, DBUS_TYPE_INVALID);
	return m;
}

static unsigned n_properties(DBusMessage *m)
{
	DBusMessageIter it, entry;
	unsigned n = 0;

	dbus_message_iter_init(m, &it);
	dbus_message_iter_recurse(&it, &entry);
	for (; dbus_message_iter_get_arg_type(&entry) != DBUS_TYPE_INVALID; n++)
		dbus_message_iter_next(&entry);
	return n;
}

START_TEST(guards_see_properties)
{
	DBusMessage *m;

	setup();
	recorder_deliver(&r, property_call("GetAll", NULL));
	reply_uid(expect_question(RECORDER_CLIENT), 1000);
	ck_assert_uint_eq(n_properties(recorder_return(&r, "a{sv}")), 4); /* without Secret */
	recorder_deliver(&r, property_call("Get", "Secret"));
	recorder_error(&r, DBUS_ERROR_ACCESS_DENIED);
	recorder_deliver(&r, property_call("Get", "Label"));
	recorder_return(&r, "v");
	lamp.denied = 1000;
	recorder_deliver(&r, property_call("GetAll", NULL));
	recorder_error(&r, DBUS_ERROR_ACCESS_DENIED);
	m = recorder_call(
		&r, RECORDER_ROOT, "org.freedesktop.DBus.ObjectManager", "GetManagedObjects");
	recorder_deliver(&r, m);
	recorder_error(&r, DBUS_ERROR_UNKNOWN_INTERFACE); /* nothing at the root here */
	teardown();
}
END_TEST

START_TEST(listings_leave_out_what_is_denied)
{
	struct lamp root;
	DBusMessageIter it, object, entry;

	setup();
	lamp_init(&root, r.bus, RECORDER_ROOT, lamp_interfaces);
	lamp.denied = 1000;
	recorder_deliver(&r, recorder_call(&r, RECORDER_ROOT, "org.freedesktop.DBus.ObjectManager",
				     "GetManagedObjects"));
	reply_uid(expect_question(RECORDER_CLIENT), 1000);
	dbus_message_iter_init(recorder_return(&r, "a{oa{sa{sv}}}"), &it);
	dbus_message_iter_recurse(&it, &object);
	dbus_message_iter_recurse(&object, &entry);
	dbus_message_iter_next(&entry);
	dbus_message_iter_recurse(&entry, &it);
	ck_assert_int_eq(dbus_message_iter_get_arg_type(&it), DBUS_TYPE_INVALID);
	lamp_deinit(&root);
	teardown();
}
END_TEST

START_TEST(a_user_unknown_to_the_bus_is_denied)
{
	DBusMessage *m;

	setup();
	call("Twice");
	m = dbus_message_new(DBUS_MESSAGE_TYPE_ERROR);
	dbus_message_set_reply_serial(m, expect_question(RECORDER_CLIENT));
	dbus_message_set_error_name(m, DBUS_ERROR_NAME_HAS_NO_OWNER);
	recorder_deliver_from(&r, m, DBUS_SERVICE_DBUS);
	recorder_error(&r, DBUS_ERROR_ACCESS_DENIED);
	/* Also when the bus does not answer at all. */
	call("Twice");
	expect_question(RECORDER_CLIENT);
	recorder_run(&r, 25 * USEC_PER_SEC);
	recorder_error(&r, DBUS_ERROR_ACCESS_DENIED);
	teardown();
}
END_TEST

START_TEST(held_calls_are_limited_in_number)
{
	uint32_t serial;

	setup();
	for (unsigned i = 0; i < BUS_HELD_PER_CLIENT; i++)
		call("Twice");
	serial = expect_question(RECORDER_CLIENT);
	recorder_silence(&r);
	call("Twice");
	recorder_error(&r, "org.sipbus1.Error.LimitExceeded");
	reply_uid(serial, 1000);
	for (unsigned i = 0; i < BUS_HELD_PER_CLIENT; i++)
		recorder_return(&r, "");
	teardown();
}
END_TEST

/* A call of some size, from a client of some name. */
static void deliver_block(size_t size, const char *sender)
{
	DBusMessage *m = recorder_call(&r, LAMP, IFACE, "Twice");
	char *block = calloc(1, size);

	dbus_message_append_args(
		m, DBUS_TYPE_ARRAY, DBUS_TYPE_BYTE, &block, (int)size, DBUS_TYPE_INVALID);
	recorder_deliver_from(&r, m, sender);
	free(block);
}

START_TEST(held_calls_are_limited_in_bytes)
{
	const size_t most = BUS_HELD_BYTES_PER_CLIENT - 512;
	char name[16];

	setup();
	deliver_block(BUS_HELD_BYTES_PER_CLIENT, RECORDER_CLIENT);
	recorder_error(&r, "org.sipbus1.Error.LimitExceeded");
	for (unsigned i = 0; i < BUS_HELD_BYTES / BUS_HELD_BYTES_PER_CLIENT; i++) {
		(void)snprintf(name, sizeof(name), ":2.%u", i);
		deliver_block(most, name);
		expect_question(name);
	}
	/* 16 times 512 bytes are left for all. */
	deliver_block(16384, ":3.1");
	recorder_error(&r, "org.sipbus1.Error.LimitExceeded");
	deliver_block(1024, ":3.1");
	expect_question(":3.1");
	/* Whoever leaves makes room. */
	recorder_leave(&r, ":2.0");
	deliver_block(16384, ":3.2");
	expect_question(":3.2");
	teardown();
}
END_TEST

static unsigned n_left;
static struct bus_watch *watch;

static void on_left(void *ctx, const char *client)
{
	ck_assert_str_eq(client, RECORDER_CLIENT);
	n_left++;
	/* Tidying up one's own watch here is natural, and harmless. */
	if (ctx)
		watch = bus_unwatch(watch);
}

START_TEST(watches_tell_once)
{
	struct bus_watch *other;

	setup();
	n_left = 0;
	watch = bus_watch_client(r.bus, RECORDER_CLIENT, on_left, &n_left);
	other = bus_watch_client(r.bus, RECORDER_CLIENT, on_left, NULL);
	bus_watch_client(r.bus, RECORDER_CLIENT, on_left, NULL);
	ck_assert_ptr_null(bus_unwatch(other));
	ck_assert_ptr_null(bus_unwatch(NULL));
	recorder_leave(&r, ":1.70");
	ck_assert_uint_eq(n_left, 0);
	recorder_leave(&r, RECORDER_CLIENT);
	recorder_leave(&r, RECORDER_CLIENT);
	ck_assert_uint_eq(n_left, 2);
	ck_assert_ptr_null(watch);
	/* One that still stands when the bus is freed is not told. */
	bus_watch_client(r.bus, RECORDER_CLIENT, on_left, NULL);
	teardown();
	ck_assert_uint_eq(n_left, 2);
}
END_TEST

static uid_t told;
static unsigned n_told;

static void on_uid(void *ctx, const char *client, uid_t uid)
{
	(void)ctx;
	ck_assert_str_eq(client, ":1.5");
	told = uid;
	n_told++;
}

START_TEST(users_are_asked_once)
{
	uint32_t serial;

	setup();
	n_told = 0;
	bus_caller_uid(r.bus, ":1.5", on_uid, NULL);
	bus_caller_uid(r.bus, ":1.5", on_uid, NULL);
	serial = expect_question(":1.5");
	recorder_silence(&r);
	reply_uid(serial, 1001);
	ck_assert_uint_eq(n_told, 2);
	ck_assert_uint_eq(told, 1001);
	bus_caller_uid(r.bus, ":1.5", on_uid, NULL);
	ck_assert_uint_eq(n_told, 3);
	recorder_leave(&r, ":1.5");
	bus_caller_uid(r.bus, ":1.5", on_uid, NULL);
	expect_question(":1.5");
	recorder_leave(&r, ":1.5");
	ck_assert_uint_eq(n_told, 4);
	ck_assert_uint_eq(told, (uid_t)-1);
	teardown();
}
END_TEST

int main(void)
{
	static const TTest *const *const tests[] = { &calls_wait_for_their_user,
		&guards_see_properties, &listings_leave_out_what_is_denied,
		&a_user_unknown_to_the_bus_is_denied, &held_calls_are_limited_in_number,
		&held_calls_are_limited_in_bytes, &watches_tell_once, &users_are_asked_once };

	return recorder_main("client", tests, sizeof(tests) / sizeof(tests[0]));
}
