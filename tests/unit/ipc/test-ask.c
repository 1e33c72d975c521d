/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Questions to clients: one answer, from the right one, in time, or an error. */
#include <string.h>

#include "ipc/bus-ask.h"
#include "tests/unit/ipc/recorder.h"

#define AGENT ":1.20"

static struct recorder r;

/* What the callback heard. */
static struct {
	unsigned n;
	char error[128], text[128];
	uint32_t value;
	bool asks_again;
} heard;

static struct bus_ask *ask(void);

static void on_reply(void *ctx, struct bus_reply *reply)
{
	ck_assert_ptr_eq(ctx, &heard);
	heard.n++;
	(void)snprintf(heard.error, sizeof(heard.error), "%s", reply->error ? reply->error : "");
	(void)snprintf(heard.text, sizeof(heard.text), "%.*s", SLICE_ARGS(reply->text));
	heard.value = reply->error ? 0 : bus_read_u(&reply->args);
	if (heard.asks_again)
		ask();
}

static struct bus_ask *ask(void)
{
	const struct bus_ask_target to = { AGENT, "/agent", "org.sipbus1.Agent", "PageReceived",
		"s", "us" };
	struct bus_writer w;

	bus_ask_open(r.bus, &to, &w);
	bus_write_str(&w, "caf\xe9");
	return bus_ask_send(r.bus, &w, 20 * USEC_PER_SEC, on_reply, &heard);
}

static void setup(void)
{
	recorder_init(&r);
	memset(&heard, 0, sizeof(heard));
}

static void teardown(void)
{
	recorder_silence(&r);
	recorder_deinit(&r);
}

static enum bus_handled answer(uint32_t serial, const char *sender, uint32_t v)
{
	DBusMessage *m = dbus_message_new(DBUS_MESSAGE_TYPE_METHOD_RETURN);
	const char *reason = "OK";

	dbus_message_set_reply_serial(m, serial);
	dbus_message_append_args(
		m, DBUS_TYPE_UINT32, &v, DBUS_TYPE_STRING, &reason, DBUS_TYPE_INVALID);
	return recorder_deliver_from(&r, m, sender);
}

static enum bus_handled answer_error(uint32_t serial, const char *sender, const char *name)
{
	DBusMessage *m = dbus_message_new(DBUS_MESSAGE_TYPE_ERROR);
	const char *text = "no thanks";

	dbus_message_set_reply_serial(m, serial);
	dbus_message_set_error_name(m, name);
	dbus_message_append_args(m, DBUS_TYPE_STRING, &text, DBUS_TYPE_INVALID);
	return recorder_deliver_from(&r, m, sender);
}

START_TEST(an_answer_arrives)
{
	DBusMessage *m;
	const char *arg;

	setup();
	ask();
	ck_assert_uint_gt(r.wakes, 0);
	ck_assert_uint_eq(bus_deadline(r.bus), r.now + 20 * USEC_PER_SEC);
	m = recorder_next(&r);
	ck_assert_str_eq(dbus_message_get_destination(m), AGENT);
	ck_assert_str_eq(dbus_message_get_member(m), "PageReceived");
	ck_assert(!dbus_message_get_auto_start(m));
	ck_assert(!dbus_message_get_no_reply(m));
	ck_assert(dbus_message_get_args(m, NULL, DBUS_TYPE_STRING, &arg, DBUS_TYPE_INVALID));
	ck_assert_str_eq(arg, "caf\xef\xbf\xbd");
	ck_assert_int_eq(answer(dbus_message_get_serial(m), AGENT, 202), BUS_HANDLED);
	ck_assert_uint_eq(heard.n, 1);
	ck_assert_str_eq(heard.error, "");
	ck_assert_uint_eq(heard.value, 202);
	/* The same answer once more is nobody's. */
	ck_assert_int_eq(answer(dbus_message_get_serial(m), AGENT, 202), BUS_NOT_OURS);
	ck_assert_uint_eq(bus_deadline(r.bus), USEC_NEVER);
	teardown();
}
END_TEST

START_TEST(only_who_was_asked_can_answer)
{
	uint32_t serial;

	setup();
	ask();
	serial = dbus_message_get_serial(recorder_next(&r));
	ck_assert_int_eq(answer(serial, ":1.66", 200), BUS_NOT_OURS);
	ck_assert_int_eq(answer_error(serial, ":1.66", DBUS_ERROR_FAILED), BUS_NOT_OURS);
	ck_assert_int_eq(answer(serial, DBUS_SERVICE_DBUS, 200), BUS_NOT_OURS);
	ck_assert_int_eq(answer(serial + 1, AGENT, 200), BUS_NOT_OURS);
	ck_assert_uint_eq(heard.n, 0);
	/* The bus itself tells that the client is gone. */
	ck_assert_int_eq(answer_error(serial, DBUS_SERVICE_DBUS, DBUS_ERROR_NO_REPLY), BUS_HANDLED);
	ck_assert_str_eq(heard.error, DBUS_ERROR_NO_REPLY);
	teardown();
}
END_TEST

START_TEST(errors_arrive_with_their_text)
{
	setup();
	ask();
	answer_error(dbus_message_get_serial(recorder_next(&r)), AGENT, "org.sipbus1.Error.Pass");
	ck_assert_str_eq(heard.error, "org.sipbus1.Error.Pass");
	ck_assert_str_eq(heard.text, "no thanks");
	teardown();
}
END_TEST

START_TEST(another_type_is_an_error)
{
	DBusMessage *m = dbus_message_new(DBUS_MESSAGE_TYPE_METHOD_RETURN);

	setup();
	ask();
	dbus_message_set_reply_serial(m, dbus_message_get_serial(recorder_next(&r)));
	recorder_deliver_from(&r, m, AGENT);
	ck_assert_str_eq(heard.error, DBUS_ERROR_INVALID_SIGNATURE);
	ck_assert_uint_eq(heard.n, 1);
	teardown();
}
END_TEST

START_TEST(silence_ends_in_time)
{
	setup();
	ask();
	recorder_next(&r);
	recorder_run(&r, 20 * USEC_PER_SEC - 1);
	ck_assert_uint_eq(heard.n, 0);
	recorder_run(&r, 1);
	ck_assert_uint_eq(heard.n, 1);
	ck_assert_str_eq(heard.error, DBUS_ERROR_NO_REPLY);
	/* What comes too late, comes for nobody. */
	ck_assert_int_eq(answer(r.serial, AGENT, 200), BUS_NOT_OURS);
	teardown();
}
END_TEST

START_TEST(a_cancelled_question_stays_silent)
{
	setup();
	ck_assert_ptr_null(bus_ask_cancel(ask()));
	ck_assert_ptr_null(bus_ask_cancel(NULL));
	ck_assert_int_eq(
		answer(dbus_message_get_serial(recorder_next(&r)), AGENT, 200), BUS_NOT_OURS);
	recorder_run(&r, 60 * USEC_PER_SEC);
	ck_assert_uint_eq(heard.n, 0);
	teardown();
}
END_TEST

START_TEST(a_broken_bus_fails_later)
{
	setup();
	r.broken = true;
	ask();
	ck_assert_uint_eq(heard.n, 0);
	recorder_run(&r, USEC_PER_MSEC);
	ck_assert_uint_eq(heard.n, 1);
	ck_assert_str_eq(heard.error, DBUS_ERROR_DISCONNECTED);
	teardown();
}
END_TEST

START_TEST(a_lost_bus_fails_what_is_asked)
{
	setup();
	ask();
	recorder_next(&r);
	heard.asks_again = true;
	bus_lost(r.bus);
	ck_assert_uint_eq(heard.n, 1);
	ck_assert_str_eq(heard.error, DBUS_ERROR_DISCONNECTED);
	/* Who asks again hears it again, each time from the loop. */
	recorder_run(&r, USEC_PER_MSEC);
	ck_assert_uint_eq(heard.n, 2);
	recorder_run(&r, USEC_PER_MSEC);
	ck_assert_uint_eq(heard.n, 3);
	teardown();
}
END_TEST

START_TEST(telling_wants_no_answer)
{
	const struct bus_ask_target to = { AGENT, "/agent", "org.sipbus1.Agent", "Released", NULL,
		NULL };
	const struct bus_ask_target odd = { AGENT, "/agent", "org.sipbus1.Agent", "Odd", "(s)",
		NULL };
	struct bus_writer w;

	setup();
	bus_ask_open(r.bus, &to, &w);
	bus_ask_tell(r.bus, &w);
	ck_assert(dbus_message_get_no_reply(recorder_next(&r)));
	ck_assert_uint_eq(bus_deadline(r.bus), USEC_NEVER);
	bus_ask_open(r.bus, &odd, &w);
	bus_open_struct(&w);
	bus_ask_tell(r.bus, &w);
	ck_assert_ptr_nonnull(strstr(r.logged, "left open"));
	teardown();
}
END_TEST

int main(void)
{
	static const TTest *const *const tests[] = { &an_answer_arrives,
		&only_who_was_asked_can_answer, &errors_arrive_with_their_text,
		&another_type_is_an_error, &silence_ends_in_time,
		&a_cancelled_question_stays_silent, &a_broken_bus_fails_later,
		&a_lost_bus_fails_what_is_asked, &telling_wants_no_answer };

	return recorder_main("ask", tests, sizeof(tests) / sizeof(tests[0]));
}
