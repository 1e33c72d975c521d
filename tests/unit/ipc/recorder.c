/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tests/unit/ipc/recorder.h"

#include <string.h>

static uint32_t on_send(void *ctx, DBusMessage *m)
{
	struct recorder *r = ctx;

	ck_assert_uint_lt(r->n, RECORDER_MAX);
	if (r->broken)
		return 0;
	dbus_message_set_serial(m, ++r->serial);
	r->sent[r->n++] = dbus_message_ref(m);
	return r->serial;
}

static void on_wake(void *ctx)
{
	((struct recorder *)ctx)->wakes++;
}

static usec_t on_now(void *ctx)
{
	return ((struct recorder *)ctx)->now;
}

static void on_log(void *ctx, enum log_level level, const char *text)
{
	struct recorder *r = ctx;

	(void)level;
	(void)snprintf(r->logged, sizeof(r->logged), "%s", text);
}

void recorder_init(struct recorder *r)
{
	struct bus_host host = { on_send, on_wake, on_now, r };

	*r = (struct recorder){ .now = 5 * USEC_PER_SEC };
	r->log = (struct log_sink){ .write = on_log, .ctx = r, .max = LOG_LEVEL_DEBUG };
	r->bus = bus_new(&host, RECORDER_ROOT, &r->log);
	ck_assert_str_eq(dbus_message_get_member(recorder_next(r)), "AddMatch");
}

void recorder_deinit(struct recorder *r)
{
	bus_free(r->bus);
	for (size_t i = 0; i < r->n; i++)
		dbus_message_unref(r->sent[i]);
}

void recorder_forget(struct recorder *r)
{
	for (size_t i = 0; i < r->n; i++)
		dbus_message_unref(r->sent[i]);
	r->n = r->next = 0;
}

DBusMessage *recorder_next(struct recorder *r)
{
	return r->next < r->n ? r->sent[r->next++] : NULL;
}

DBusMessage *recorder_signal(struct recorder *r, const char *path, const char *name)
{
	DBusMessage *m = recorder_next(r);

	ck_assert_ptr_nonnull(m);
	ck_assert_int_eq(dbus_message_get_type(m), DBUS_MESSAGE_TYPE_SIGNAL);
	ck_assert_str_eq(dbus_message_get_path(m), path);
	ck_assert_str_eq(dbus_message_get_member(m), name);
	return m;
}

const char *recorder_error(struct recorder *r, const char *name)
{
	DBusMessage *m = recorder_next(r);
	const char *text;

	ck_assert_ptr_nonnull(m);
	ck_assert_int_eq(dbus_message_get_type(m), DBUS_MESSAGE_TYPE_ERROR);
	ck_assert_str_eq(dbus_message_get_error_name(m), name);
	ck_assert(dbus_message_get_args(m, NULL, DBUS_TYPE_STRING, &text, DBUS_TYPE_INVALID));
	return text;
}

DBusMessage *recorder_return(struct recorder *r, const char *signature)
{
	DBusMessage *m = recorder_next(r);

	ck_assert_ptr_nonnull(m);
	if (dbus_message_get_type(m) == DBUS_MESSAGE_TYPE_ERROR)
		ck_abort_msg("%s", dbus_message_get_error_name(m));
	ck_assert_int_eq(dbus_message_get_type(m), DBUS_MESSAGE_TYPE_METHOD_RETURN);
	ck_assert_str_eq(dbus_message_get_signature(m), signature);
	return m;
}

void recorder_silence(struct recorder *r)
{
	DBusMessage *m = recorder_next(r);

	if (m)
		ck_abort_msg("%s was sent",
			dbus_message_get_member(m) ? dbus_message_get_member(m) : "an answer");
}

DBusMessage *recorder_call(
	struct recorder *r, const char *path, const char *interface, const char *member)
{
	DBusMessage *m = dbus_message_new_method_call("org.sipbus1", path, interface, member);

	dbus_message_set_serial(m, ++r->client_serial);
	return m;
}

enum bus_handled recorder_deliver_from(struct recorder *r, DBusMessage *m, const char *sender)
{
	enum bus_handled handled;

	if (!dbus_message_get_serial(m))
		dbus_message_set_serial(m, ++r->client_serial);
	dbus_message_set_sender(m, sender);
	handled = bus_receive(r->bus, m);
	dbus_message_unref(m);
	return handled;
}

void recorder_deliver(struct recorder *r, DBusMessage *m)
{
	ck_assert_int_eq(recorder_deliver_from(r, m, RECORDER_CLIENT), BUS_HANDLED);
}

void recorder_leave(struct recorder *r, const char *client)
{
	const char *nobody = "";
	DBusMessage *m =
		dbus_message_new_signal(DBUS_PATH_DBUS, DBUS_INTERFACE_DBUS, "NameOwnerChanged");

	dbus_message_append_args(m, DBUS_TYPE_STRING, &client, DBUS_TYPE_STRING, &client,
		DBUS_TYPE_STRING, &nobody, DBUS_TYPE_INVALID);
	recorder_deliver_from(r, m, DBUS_SERVICE_DBUS);
}

void recorder_run(struct recorder *r, usec_t delay)
{
	r->now += delay;
	bus_work(r->bus);
}

int recorder_main(const char *name, const TTest *const *const *tests, size_t n)
{
	Suite *s = suite_create(name);
	TCase *tc = tcase_create(name);
	SRunner *sr;
	int failed;

	for (size_t i = 0; i < n; i++)
		tcase_add_test(tc, *tests[i]);
	suite_add_tcase(s, tc);
	sr = srunner_create(s);
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
