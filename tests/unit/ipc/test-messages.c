/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Endpoint.MessageSummary: what waits in a mailbox, told by NOTIFY that nobody asked for. */
#include <string.h>

#include "tests/unit/ipc/stage-session.h"

#define USER ":1.20"
#define OTHER ":1.66"

static struct stage stage;
static struct stage *const s = &stage;

/* Alice has registered over UDP, so that her server is known. */
static void setup(void)
{
	DBusMessage *m;

	stage_init(s);
	stage_client(s, USER, STAGE_USER_UID);
	stage_client(s, OTHER, STAGE_OTHER_UID);
	m = stage_call(s, STAGE_ALICE, "Register");
	stage_append_options(m, stage_no_options);
	stage_deliver(s, USER, m);
	world_reply(
		s->w, world_expect_out(s->w, "REGISTER"), 200, "Contact: {contact};expires=600\n");
	world_settle(s->w);
	stage_run(s, 0);
	(void)stage_return(s, "");
	stage_skip(s);
}

static void teardown(void)
{
	stage_deinit(s);
}

static void notify(const char *body)
{
	char text[1024];

	(void)snprintf(text, sizeof(text),
		"NOTIFY sip:alice@example.com SIP/2.0\n"
		"Via: SIP/2.0/UDP 192.0.2.9;branch=z9hG4bK{n};rport\n"
		"Max-Forwards: 70\n"
		"From: <sip:alice@example.com>;tag=v\n"
		"To: <sip:alice@example.com>\n"
		"Call-ID: v{n}\n"
		"CSeq: 1 NOTIFY\n"
		"Event: message-summary\n"
		"Content-Type: application/simple-message-summary\n"
		"Content-Length: {length}\n\n%s",
		body);
	world_in(s->alice, STAGE_PEER, text);
	world_settle(s->w);
	stage_run(s, 0);
}

/* The dictionary, as that client reads it. */
static void read_summary(const char *client, DBusMessageIter *ret)
{
	DBusMessage *m = recorder_call(&s->r, STAGE_ALICE, DBUS_INTERFACE_PROPERTIES, "Get");
	const char *interface = STAGE_ENDPOINT, *property = "MessageSummary";
	DBusMessageIter at, variant;

	dbus_message_append_args(
		m, DBUS_TYPE_STRING, &interface, DBUS_TYPE_STRING, &property, DBUS_TYPE_INVALID);
	stage_deliver(s, client, m);
	dbus_message_iter_init(stage_return(s, "v"), &at);
	dbus_message_iter_recurse(&at, &variant);
	dbus_message_iter_recurse(&variant, ret);
}

/* The value of that key; false: there is none. */
static bool find_entry(const char *key, DBusMessageIter *ret)
{
	DBusMessageIter dict, entry;
	const char *name;

	read_summary(USER, &dict);
	while (dbus_message_iter_get_arg_type(&dict) == DBUS_TYPE_DICT_ENTRY) {
		dbus_message_iter_recurse(&dict, &entry);
		dbus_message_iter_get_basic(&entry, &name);
		dbus_message_iter_next(&entry);
		dbus_message_iter_recurse(&entry, ret);
		if (strcmp(name, key) == 0)
			return true;
		dbus_message_iter_next(&dict);
	}
	return false;
}

static void expect_counts(const char *key, const dbus_uint32_t *counts)
{
	DBusMessageIter value, part;

	ck_assert(find_entry(key, &value));
	dbus_message_iter_recurse(&value, &part);
	for (unsigned i = 0; i < 4; i++) {
		dbus_uint32_t n;

		dbus_message_iter_get_basic(&part, &n);
		ck_assert_uint_eq(n, counts[i]);
		dbus_message_iter_next(&part);
	}
}

START_TEST(the_property)
{
	static const dbus_uint32_t voice[] = { 2, 8, 1, 0 }, fax[] = { 0, 3, 0, 0 };
	DBusMessageIter value;
	dbus_bool_t waiting;
	const char *account;

	setup();
	ck_assert(!find_entry("MessagesWaiting", &value));
	notify("Messages-Waiting: yes\nMessage-Account: sip:alice@example.com\n"
	       "Voice-Message: 2/8 (1/0)\nFax-Message: 0/3\n");
	/* No agent is there. */
	(void)world_expect_out(s->w, "200");
	(void)stage_signal(s, "PropertiesChanged", NULL);
	(void)stage_signal(s, "MessagesChanged", NULL);
	ck_assert(find_entry("MessagesWaiting", &value));
	dbus_message_iter_get_basic(&value, &waiting);
	ck_assert(waiting);
	ck_assert(find_entry("Account", &value));
	dbus_message_iter_get_basic(&value, &account);
	ck_assert_str_eq(account, "sip:alice@example.com");
	expect_counts("Voice", voice);
	expect_counts("Fax", fax);
	ck_assert(!find_entry("Pager", &value));
	teardown();
}
END_TEST

/* On a bus of many users the name is told, and who may reads the value. */
START_TEST(it_is_not_broadcast)
{
	DBusMessage *m;
	const char *interface = STAGE_ENDPOINT, *property = "MessageSummary";
	DBusMessageIter at, dict;

	setup();
	notify("Messages-Waiting: yes\n");
	m = stage_signal(s, "PropertiesChanged", NULL);
	dbus_message_iter_init(m, &at);
	dbus_message_iter_next(&at);
	dbus_message_iter_recurse(&at, &dict);
	ck_assert_int_eq(dbus_message_iter_get_arg_type(&dict), DBUS_TYPE_INVALID);
	dbus_message_iter_next(&at);
	dbus_message_iter_recurse(&at, &dict);
	dbus_message_iter_get_basic(&dict, &property);
	ck_assert_str_eq(property, "MessageSummary");
	m = recorder_call(&s->r, STAGE_ALICE, DBUS_INTERFACE_PROPERTIES, "Get");
	dbus_message_append_args(
		m, DBUS_TYPE_STRING, &interface, DBUS_TYPE_STRING, &property, DBUS_TYPE_INVALID);
	stage_deliver(s, OTHER, m);
	stage_error(s, DBUS_ERROR_ACCESS_DENIED);
	teardown();
}
END_TEST

/* An agent for requests hears it as well, and its answer counts. */
START_TEST(an_agent_is_asked)
{
	DBusMessage *m;
	DBusMessageIter at;
	uint32_t serial;
	const char *method;

	setup();
	stage_agent(s, &(struct stage_agent){ .client = USER, .kind = "request" });
	notify("Messages-Waiting: yes\n");
	serial = stage_asked(s, USER, "RequestReceived", &m);
	dbus_message_iter_init(m, &at);
	dbus_message_iter_next(&at);
	dbus_message_iter_get_basic(&at, &method);
	ck_assert_str_eq(method, "NOTIFY");
	ck_assert_uint_eq(world_skip_out(s->w), 0);
	stage_answer_error(s, USER, serial, "org.sipbus1.Error.Pass");
	world_settle(s->w);
	(void)world_expect_out(s->w, "200");
	teardown();
}
END_TEST

int main(void)
{
	static const TTest *const *const tests[] = {
		&the_property,
		&it_is_not_broadcast,
		&an_agent_is_asked,
	};

	return recorder_main("messages", tests, ARRAY_LEN(tests));
}
