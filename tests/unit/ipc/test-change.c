/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Change signals: together, in order, and never too late; signals to one and to all. */
#include <string.h>

#include "ipc/bus-object.h"
#include "ipc/bus-value.h"
#include "protocol/base/buf.h"
#include "tests/unit/ipc/lamp.h"
#include "tests/unit/ipc/recorder.h"

#define LAMP "/org/sipbus1/desk"

static struct recorder r;
static struct lamp lamp;

static void setup(void)
{
	recorder_init(&r);
	lamp_init(&lamp, r.bus, LAMP, lamp_interfaces);
	recorder_run(&r, 0);
	recorder_signal(&r, RECORDER_ROOT, "InterfacesAdded");
	r.wakes = 0;
}

static void teardown(void)
{
	recorder_silence(&r);
	lamp_deinit(&lamp);
	recorder_deinit(&r);
}

/* The names in a PropertiesChanged: "interface|changed,...|invalidated,..." */
static const char *summary(DBusMessage *m)
{
	static char text[256];
	struct bus_reader args = { .bad = false }, items;
	struct buf b = BUF_NULL;

	ck_assert(dbus_message_has_signature(m, "sa{sv}as"));
	dbus_message_iter_init(m, &args.at);
	buf_put(&b, bus_read_s(&args));
	buf_putc(&b, '|');
	items = bus_enter(&args);
	while (bus_more(&items)) {
		struct bus_reader entry = bus_enter(&items);

		buf_put(&b, bus_read_s(&entry));
		buf_putc(&b, ',');
	}
	buf_putc(&b, '|');
	items = bus_enter(&args);
	while (bus_more(&items)) {
		buf_put(&b, bus_read_s(&items));
		buf_putc(&b, ',');
	}
	buf_putc(&b, '\0');
	ck_assert_uint_le(b.n, sizeof(text));
	memcpy(text, b.p, b.n);
	buf_deinit(&b);
	return text;
}

START_TEST(marks_are_sent_together)
{
	setup();
	bus_changed(lamp.bus, &iface_switch, "State");
	ck_assert_uint_eq(r.wakes, 1);
	ck_assert_uint_eq(bus_deadline(r.bus), 0);
	bus_changed(lamp.bus, &iface_lamp, "Label");
	bus_changed(lamp.bus, &iface_lamp, "Watts");
	bus_changed(lamp.bus, &iface_lamp, "Watts");
	ck_assert_uint_eq(r.wakes, 1);
	recorder_silence(&r);
	lamp.gets = 0;
	recorder_run(&r, 0);
	ck_assert_str_eq(summary(recorder_signal(&r, LAMP, "PropertiesChanged")),
		"org.example.Lamp|Watts,|Label,");
	ck_assert_str_eq(summary(recorder_signal(&r, LAMP, "PropertiesChanged")),
		"org.example.Switch|State,|");
	ck_assert_uint_eq(lamp.gets, 1);
	ck_assert_uint_eq(bus_deadline(r.bus), USEC_NEVER);
	recorder_run(&r, 0);
	teardown();
}
END_TEST

START_TEST(what_cannot_change_is_not_sent)
{
	setup();
	bus_changed(NULL, &iface_lamp, "Watts");
	bus_changed(lamp.bus, &iface_lamp, "Noise"); /* no change signal by its flags */
	ck_assert_str_eq(r.logged, "");
	bus_changed(lamp.bus, &iface_lamp, "Maker"); /* constant */
	ck_assert_ptr_nonnull(strstr(r.logged, "Maker"));
	bus_changed(lamp.bus, &iface_lamp, "Colour");
	ck_assert_ptr_nonnull(strstr(r.logged, "Colour"));
	bus_changed(lamp.bus, &iface_guarded, "Watts"); /* not an interface of it */
	recorder_run(&r, 0);
	teardown();
}
END_TEST

START_TEST(privileged_values_are_not_broadcast)
{
	setup();
	bus_changed(lamp.bus, &iface_lamp, "Secret");
	recorder_run(&r, 0);
	ck_assert_str_eq(summary(recorder_signal(&r, LAMP, "PropertiesChanged")),
		"org.example.Lamp||Secret,");
	teardown();
}
END_TEST

START_TEST(a_message_of_another_object_does_not_flush)
{
	struct lamp other;

	setup();
	lamp_init(&other, r.bus, "/org/sipbus1/attic", lamp_interfaces);
	bus_changed(lamp.bus, &iface_lamp, "Watts");
	recorder_deliver(&r, recorder_call(&r, "/org/sipbus1/attic", "org.example.Switch", "Off"));
	/* New objects are known before anything that may speak of them; marks still wait. */
	recorder_signal(&r, RECORDER_ROOT, "InterfacesAdded");
	recorder_return(&r, "");
	recorder_silence(&r);
	recorder_deliver(&r, recorder_call(&r, LAMP, "org.example.Switch", "Off"));
	recorder_signal(&r, LAMP, "PropertiesChanged");
	recorder_return(&r, "");
	lamp_deinit(&other);
	recorder_signal(&r, RECORDER_ROOT, "InterfacesRemoved");
	teardown();
}
END_TEST

START_TEST(objects_come_with_newest_values)
{
	struct lamp other;
	struct bus_reader args = { .bad = false }, interfaces, entry;
	DBusMessage *m;

	setup();
	lamp_init(&other, r.bus, "/org/sipbus1/attic", lamp_interfaces);
	ck_assert_uint_eq(r.wakes, 1);
	other.watts = 15;
	bus_changed(other.bus, &iface_lamp, "Watts");
	recorder_run(&r, 0);
	m = recorder_signal(&r, RECORDER_ROOT, "InterfacesAdded");
	ck_assert(dbus_message_has_signature(m, "oa{sa{sv}}"));
	dbus_message_iter_init(m, &args.at);
	ck_assert(slice_eq(bus_read_s(&args), SLICE("/org/sipbus1/attic")));
	interfaces = bus_enter(&args);
	entry = bus_enter(&interfaces);
	ck_assert(slice_eq(bus_read_s(&entry), SLICE("org.example.Lamp")));
	entry = bus_enter(&entry); /* its properties */
	entry = bus_enter(&entry); /* the first */
	ck_assert(slice_eq(bus_read_s(&entry), SLICE("Watts")));
	entry = bus_enter(&entry);
	ck_assert_uint_eq(bus_read_u(&entry), 15);
	ck_assert(!entry.bad);
	recorder_silence(&r);
	lamp_deinit(&other);
	recorder_signal(&r, RECORDER_ROOT, "InterfacesRemoved");
	teardown();
}
END_TEST

START_TEST(the_last_change_goes_before_the_object)
{
	setup();
	bus_changed(lamp.bus, &iface_switch, "State");
	lamp_deinit(&lamp);
	recorder_signal(&r, LAMP, "PropertiesChanged");
	ck_assert(dbus_message_has_signature(
		recorder_signal(&r, RECORDER_ROOT, "InterfacesRemoved"), "oas"));
	recorder_run(&r, 0);
	teardown();
}
END_TEST

START_TEST(short_lives_are_told_in_full)
{
	struct lamp other;

	setup();
	lamp_init(&other, r.bus, "/org/sipbus1/attic", lamp_interfaces);
	lamp_deinit(&other);
	recorder_signal(&r, RECORDER_ROOT, "InterfacesAdded");
	recorder_signal(&r, RECORDER_ROOT, "InterfacesRemoved");
	teardown();
}
END_TEST

static void tell(const char *signal, const char *destination)
{
	struct bus_writer w;

	bus_signal_open(&w, lamp.bus, &iface_lamp, signal, destination);
	bus_write_ay(&w, SLICE("\0\xff"));
	bus_signal_send(&w);
}

START_TEST(content_goes_to_one_alone)
{
	DBusMessage *m;

	setup();
	bus_changed(lamp.bus, &iface_lamp, "Watts");
	tell("Told", ":1.9");
	recorder_signal(&r, LAMP, "PropertiesChanged");
	m = recorder_signal(&r, LAMP, "Told");
	ck_assert_str_eq(dbus_message_get_destination(m), ":1.9");
	ck_assert(dbus_message_has_signature(m, "ay"));
	tell("Told", NULL);
	ck_assert_ptr_nonnull(strstr(r.logged, "not for everyone"));
	recorder_silence(&r);
	tell("Dimmed", NULL); /* has another type */
	ck_assert_ptr_nonnull(strstr(r.logged, "not those of the table"));
	tell("Sung", NULL);
	ck_assert_ptr_nonnull(strstr(r.logged, "Sung"));
	teardown();
}
END_TEST

START_TEST(guarded_values_are_not_broadcast)
{
	struct lamp other;

	setup();
	lamp_init(&other, r.bus, "/org/sipbus1/attic", guarded_interfaces);
	recorder_run(&r, 0);
	recorder_signal(&r, RECORDER_ROOT, "InterfacesAdded");
	bus_changed(other.bus, &iface_guarded, "Watts");
	recorder_run(&r, 0);
	ck_assert_str_eq(summary(recorder_signal(&r, "/org/sipbus1/attic", "PropertiesChanged")),
		"org.example.Lamp|Watts,|");
	other.watch_only = true;
	bus_changed(other.bus, &iface_guarded, "Watts");
	recorder_run(&r, 0);
	ck_assert_str_eq(summary(recorder_signal(&r, "/org/sipbus1/attic", "PropertiesChanged")),
		"org.example.Lamp||Watts,");
	lamp_deinit(&other);
	recorder_signal(&r, RECORDER_ROOT, "InterfacesRemoved");
	teardown();
}
END_TEST

int main(void)
{
	static const TTest *const *const tests[] = { &marks_are_sent_together,
		&what_cannot_change_is_not_sent, &privileged_values_are_not_broadcast,
		&a_message_of_another_object_does_not_flush, &objects_come_with_newest_values,
		&the_last_change_goes_before_the_object, &short_lives_are_told_in_full,
		&content_goes_to_one_alone, &guarded_values_are_not_broadcast };

	return recorder_main("change", tests, sizeof(tests) / sizeof(tests[0]));
}
