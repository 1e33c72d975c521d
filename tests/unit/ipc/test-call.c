/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Kept calls: one answer each, whatever goes first. */
#include <errno.h>

#include "ipc/bus-call.h"
#include "ipc/bus-object.h"
#include "ipc/bus-value.h"
#include "tests/unit/ipc/lamp.h"
#include "tests/unit/ipc/recorder.h"

#define LAMP "/org/sipbus1/desk"
#define IFACE "org.example.Lamp"

static struct recorder r;
static struct lamp lamp;

static void setup(void)
{
	recorder_init(&r);
	lamp_init(&lamp, r.bus, LAMP, lamp_interfaces);
	recorder_run(&r, 0);
	recorder_signal(&r, RECORDER_ROOT, "InterfacesAdded");
}

static void teardown(void)
{
	recorder_silence(&r);
	lamp_deinit(&lamp);
	recorder_deinit(&r);
}

static void call_wait(void)
{
	recorder_deliver(&r, recorder_call(&r, LAMP, IFACE, "Wait"));
}

static void answer_kept(uint32_t v)
{
	struct bus_writer w;

	bus_call_open(lamp.kept, &w);
	bus_write_u(&w, v);
	bus_call_send(lamp.kept, &w);
	lamp.kept = NULL;
}

START_TEST(a_kept_call_is_answered_later)
{
	DBusMessage *m;
	uint32_t v;

	setup();
	call_wait();
	recorder_silence(&r);
	ck_assert_str_eq(bus_call_sender(lamp.kept), RECORDER_CLIENT);
	ck_assert_ptr_eq(bus_call_object(lamp.kept), lamp.bus);
	ck_assert_ptr_eq(bus_call_bus(lamp.kept), r.bus);
	ck_assert_uint_eq(bus_call_uid(lamp.kept), (uid_t)-1);
	bus_changed(lamp.bus, &iface_lamp, "Watts");
	answer_kept(23);
	recorder_signal(&r, LAMP, "PropertiesChanged");
	m = recorder_return(&r, "u");
	ck_assert(dbus_message_get_args(m, NULL, DBUS_TYPE_UINT32, &v, DBUS_TYPE_INVALID));
	ck_assert_uint_eq(v, 23);
	ck_assert_uint_eq(dbus_message_get_reply_serial(m), r.client_serial);
	ck_assert_uint_eq(lamp.gone, 0);
	teardown();
}
END_TEST

START_TEST(a_kept_call_may_fail_later)
{
	setup();
	call_wait();
	ck_assert_int_eq(bus_call_fail(lamp.kept, -ETIMEDOUT, NULL), -ETIMEDOUT);
	ck_assert_str_eq(recorder_error(&r, "org.sipbus1.Error.Timeout"), "no answer in time");
	call_wait();
	ck_assert_int_eq(bus_call_refuse(lamp.kept, 603, SLICE("Not \xfe now")), -ECONNREFUSED);
	ck_assert_str_eq(
		recorder_error(&r, "org.sipbus1.Error.Refused"), "603 Not \xef\xbf\xbd now");
	teardown();
}
END_TEST

START_TEST(a_kept_call_ends_with_its_object)
{
	setup();
	call_wait();
	lamp_deinit(&lamp);
	recorder_signal(&r, RECORDER_ROOT, "InterfacesRemoved");
	ck_assert_str_eq(recorder_error(&r, "org.sipbus1.Error.NoSuchObject"), LAMP " is gone");
	ck_assert_uint_eq(lamp.gone, 1);
	ck_assert_ptr_null(lamp.kept);
	teardown();
}
END_TEST

START_TEST(its_keeper_may_say_why)
{
	setup();
	lamp.answers_gone = true;
	call_wait();
	call_wait();
	lamp_deinit(&lamp);
	recorder_signal(&r, RECORDER_ROOT, "InterfacesRemoved");
	ck_assert_str_eq(recorder_error(&r, "org.sipbus1.Error.Timeout"), "burnt out");
	ck_assert_str_eq(recorder_error(&r, "org.sipbus1.Error.Timeout"), "burnt out");
	ck_assert_uint_eq(lamp.gone, 2);
	teardown();
}
END_TEST

START_TEST(an_object_may_go_while_called)
{
	setup();
	recorder_deliver(&r, recorder_call(&r, LAMP, IFACE, "Explode"));
	recorder_signal(&r, RECORDER_ROOT, "InterfacesRemoved");
	recorder_return(&r, "");
	lamp_init(&lamp, r.bus, LAMP, lamp_interfaces);
	recorder_deliver(&r, recorder_call(&r, LAMP, IFACE, "Implode"));
	recorder_signal(&r, RECORDER_ROOT, "InterfacesAdded");
	recorder_signal(&r, RECORDER_ROOT, "InterfacesRemoved");
	recorder_error(&r, "org.sipbus1.Error.NoSuchObject");
	ck_assert_uint_eq(lamp.gone, 1);
	teardown();
}
END_TEST

START_TEST(a_kept_call_ends_with_its_caller)
{
	setup();
	lamp.answers_gone = true;
	call_wait();
	call_wait();
	recorder_leave(&r, ":1.8");
	ck_assert_uint_eq(lamp.gone, 0);
	recorder_leave(&r, RECORDER_CLIENT);
	ck_assert_uint_eq(lamp.gone, 2);
	/* Nobody is there to be told. */
	teardown();
}
END_TEST

START_TEST(only_the_bus_says_who_left)
{
	const char *name = RECORDER_CLIENT, *nobody = "";
	DBusMessage *m =
		dbus_message_new_signal(DBUS_PATH_DBUS, DBUS_INTERFACE_DBUS, "NameOwnerChanged");

	setup();
	call_wait();
	dbus_message_append_args(m, DBUS_TYPE_STRING, &name, DBUS_TYPE_STRING, &name,
		DBUS_TYPE_STRING, &nobody, DBUS_TYPE_INVALID);
	recorder_deliver_from(&r, m, ":1.66");
	ck_assert_uint_eq(lamp.gone, 0);
	answer_kept(1);
	recorder_return(&r, "u");
	teardown();
}
END_TEST

START_TEST(a_client_keeps_only_so_many)
{
	setup();
	for (unsigned i = 0; i < BUS_CALLS_PER_CLIENT; i++)
		call_wait();
	recorder_silence(&r);
	call_wait();
	recorder_error(&r, "org.sipbus1.Error.LimitExceeded");
	/* Others are not affected, and an answer makes room. */
	recorder_deliver_from(&r, recorder_call(&r, LAMP, IFACE, "Wait"), ":1.8");
	recorder_silence(&r);
	answer_kept(1);
	recorder_return(&r, "u");
	recorder_leave(&r, RECORDER_CLIENT);
	ck_assert_uint_eq(lamp.gone, BUS_CALLS_PER_CLIENT);
	call_wait();
	answer_kept(1);
	recorder_return(&r, "u");
	teardown();
}
END_TEST

START_TEST(a_kept_call_without_reply_stays_silent)
{
	DBusMessage *m;

	setup();
	m = recorder_call(&r, LAMP, IFACE, "Wait");
	dbus_message_set_no_reply(m, TRUE);
	recorder_deliver(&r, m);
	answer_kept(1);
	teardown();
}
END_TEST

START_TEST(the_bus_may_end_first)
{
	setup();
	call_wait();
	bus_lost(r.bus);
	ck_assert_uint_eq(lamp.gone, 1);
	/* From now on nothing leaves. */
	bus_changed(lamp.bus, &iface_lamp, "Watts");
	recorder_run(&r, 0);
	teardown();
}
END_TEST

int main(void)
{
	static const TTest *const *const tests[] = { &a_kept_call_is_answered_later,
		&a_kept_call_may_fail_later, &a_kept_call_ends_with_its_object,
		&its_keeper_may_say_why, &an_object_may_go_while_called,
		&a_kept_call_ends_with_its_caller, &only_the_bus_says_who_left,
		&a_client_keeps_only_so_many, &a_kept_call_without_reply_stays_silent,
		&the_bus_may_end_first };

	return recorder_main("call", tests, sizeof(tests) / sizeof(tests[0]));
}
