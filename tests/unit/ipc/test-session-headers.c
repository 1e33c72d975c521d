/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Headers in and out of sessions: which a client may bring, what it may not smuggle in, what it
 * sees. */
#include <string.h>

#include "ipc/iface-private.h"
#include "ipc/iface-session.h"
#include "protocol/msg/msg.h"
#include "protocol/ua/limits.h"
#include "protocol/ua/request-headers.h"
#include "tests/unit/ipc/stage-session.h"

#define USER ":1.20"
#define INVALID STAGE_ERROR("InvalidArgument")

static struct stage_scene sc;
static struct stage *const s = &sc.s;

static void setup(void)
{
	stage_scene_init(&sc);
	stage_client(s, USER, STAGE_USER_UID);
}

static void teardown(void)
{
	stage_scene_deinit(&sc);
}

/* ---- every method that takes headers ---- */

static bool takes_headers(const struct bus_method *row)
{
	for (const struct bus_option *o = row->options; o && o->name; o++)
		if (strcmp(o->name, "Headers") == 0)
			return true;
	return false;
}

static void call_with(const struct bus_interface *interface, const struct bus_method *row,
	const struct stage_option *options)
{
	/* The one method that looks at what is no URI before it looks at the headers. */
	static const char *const subscribe[] = { "sip:carol@example.com", "presence" };
	const char *path = interface == &iface_session ? STAGE_C1 : STAGE_ALICE;
	DBusMessage *m = recorder_call(&s->r, path, interface->name, row->name);

	stage_append_arguments(m, row->in, strcmp(row->name, "Subscribe") == 0 ? subscribe : NULL);
	stage_append_options(m, options);
	stage_deliver(s, USER, m);
}

static unsigned try_all(
	const struct bus_interface *interface, const struct stage_option *options, const char *text)
{
	unsigned n = 0;

	for (const struct bus_method *row = interface->methods; row->name; row++) {
		const char *got;

		if (!takes_headers(row))
			continue;
		call_with(interface, row, options);
		got = stage_error(s, INVALID);
		ck_assert_msg(strcmp(got, text) == 0, "%s: %s", row->name, got);
		n++;
	}
	return n;
}

/* Whatever the state, and before anything is sent. */
START_TEST(every_method_names_the_header_that_it_refuses)
{
	static const struct {
		const char *name, *value, *text;
	} rows[] = {
		{ "Via", "x", "header \"Via\" belongs to the stack" },
		{ "record-route", "<sip:x;lr>", "header \"record-route\" belongs to the stack" },
		{ "X Y", "x", "header \"X Y\" is no name of a header" },
		{ "Subject", "a\r\nVia: b", "header \"Subject\" has a line break in it" },
		{ "X-A", "a\nb", "header \"X-A\" has a line break in it" },
		{ "X-A\r\nX-B", "a", "header \"X-A\r\nX-B\" is no name of a header" },
	};

	setup();
	(void)stage_established(&sc, USER);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const struct stage_option options[] = {
			{ "Headers", 'h', rows[i].value, 0, rows[i].name }, { 0 }
		};

		ck_assert_uint_ge(try_all(&iface_session, options, rows[i].text), 9);
		ck_assert_uint_ge(try_all(&iface_endpoint, options, rows[i].text), 5);
	}
	stage_settle(s);
	world_expect_no_event(sc.bob);
	ck_assert_str_eq(stage_read(s, USER, "State"), "established");
	teardown();
}
END_TEST

/* RFC 3261 8.1.2: the way of what is registered leads to its server. */
START_TEST(rfc3261_8_1_2_route_of_a_registered_one)
{
	setup();
	stage_try_create(s, USER, "sip:bob@example.com",
		(struct stage_option[]){ { "Headers", 'h', "<sip:x;lr>", 0, "route" }, { 0 } });
	ck_assert_str_eq(stage_error(s, INVALID),
		"header \"Route\" is for peer-to-peer endpoints: one that registers sends everything "
		"to its server");
	stage_settle(s);
	ck_assert_uint_eq(s->iface->n_sessions, 0);
	teardown();
}
END_TEST

/* RFC 3261 section 20 and what others add: routing, identification, framing, extensions. */
START_TEST(headers_of_the_stack)
{
	static const char *const own[] = { "Allow", "Authentication-Info", "Authorization",
		"Call-ID", "CSeq", "Contact", "Content-Length", "Content-Type", "Event", "From",
		"Info-Package", "Join", "Max-Forwards", "Min-SE", "Path", "Proxy-Authenticate",
		"Proxy-Authentication-Info", "Proxy-Authorization", "RAck", "RSeq", "Record-Route",
		"Refer-Sub", "Refer-To", "Replaces", "Require", "Server", "Service-Route",
		"Session-Expires", "Subscription-State", "Supported", "Target-Dialog", "To",
		"Unsupported", "User-Agent", "Via", "WWW-Authenticate",
		/* compact forms (section 7.3.3) */
		"c", "f", "i", "k", "l", "m", "o", "r", "t", "v", "x",
		/* section 7.3.1 */
		"VIA", "call-id", "cSEQ" };
	char text[128];

	setup();
	for (size_t i = 0; i < ARRAY_LEN(own); i++) {
		stage_try_create(s, USER, "sip:bob@example.com",
			(struct stage_option[]){ { "Headers", 'h', "1", 0, own[i] }, { 0 } });
		(void)snprintf(text, sizeof(text), "header \"%s\" belongs to the stack", own[i]);
		ck_assert_str_eq(stage_error(s, INVALID), text);
	}
	stage_settle(s);
	world_expect_no_session(sc.bob);
	ck_assert_uint_eq(s->iface->n_sessions, 0);
	teardown();
}
END_TEST

static const char *const identity[][2] = {
	{ "Alert-Info", "<urn:alert:source:external>" },
	{ "Call-Info", "<https://example.com/bob.png>;purpose=icon" },
	{ "Diversion", "<sip:carol@example.com>;reason=unconditional" },
	{ "History-Info", "<sip:carol@example.com>;index=1" },
	{ "Identity", "abc;info=<https://example.com/cert>" },
	{ "P-Asserted-Identity", "\"Boss\" <sip:boss@example.com>" },
	{ "P-Preferred-Identity", "<sip:bob@example.com>" },
	{ "Priority", "urgent" },
	{ "Privacy", "id" },
	{ "Reason", "SIP;cause=302" },
	{ "Subject", "lunch" },
	{ "X-Anything", "" },
};

/* What belongs to nobody goes as it is. */
START_TEST(headers_of_the_client)
{
	const struct msg *invite;

	setup();
	for (size_t i = 0; i < ARRAY_LEN(identity); i++) {
		struct session *in;

		stage_try_create(s, USER, "sip:bob@example.com",
			(struct stage_option[]){
				{ "Headers", 'h', identity[i][1], 0, identity[i][0] }, { 0 } });
		(void)stage_return(s, "o");
		stage_settle(s);
		in = world_expect_session(sc.bob);
		invite = session_msg(in, SESSION_INVITE);
		ck_assert_msg(slice_eq(msg_header_named(invite, slice_str(identity[i][0])),
				      slice_str(identity[i][1])),
			"%s", identity[i][0]);
		session_pass(in);
		stage_settle(s);
	}
	teardown();
}
END_TEST

/* ---- what else could carry a line break ---- */

static void refused(const struct bus_interface *interface, const char *path, const char *member,
	const char *const *texts)
{
	DBusMessage *m = recorder_call(&s->r, path, interface->name, member);
	const struct bus_method *row = interface->methods;

	while (strcmp(row->name, member) != 0)
		row++;
	stage_append_arguments(m, row->in, texts);
	if (strstr(row->in, "a{sv}"))
		stage_append_options(m, stage_no_options);
	stage_deliver(s, USER, m);
	(void)stage_error(s, INVALID);
}

#define EVIL "\r\nX-Evil: 1"
#define TEXTS(...) ((const char *const[]){ __VA_ARGS__ })

START_TEST(no_argument_carries_a_line_break)
{
	setup();
	(void)stage_established(&sc, USER);
	refused(&iface_session, STAGE_C1, "Offer", TEXTS("a/b" EVIL));
	refused(&iface_session, STAGE_C1, "SendMessage", TEXTS("a/b" EVIL));
	refused(&iface_session, STAGE_C1, "SendInfo", TEXTS("pack" EVIL, "a/b"));
	refused(&iface_session, STAGE_C1, "SendInfo", TEXTS("", "a/b" EVIL));
	refused(&iface_session, STAGE_C1, "Refer", TEXTS("sip:x@example.com" EVIL));
	refused(&iface_endpoint, STAGE_ALICE, "CreateSession", TEXTS("sip:x@example.com" EVIL));
	refused(&iface_endpoint, STAGE_ALICE, "Refer",
		TEXTS("sip:x@example.com" EVIL, "sip:x@example.com"));
	refused(&iface_endpoint, STAGE_ALICE, "Refer",
		TEXTS("sip:x@example.com", "sip:x@example.com" EVIL));
	stage_verb(s, USER, "Terminate",
		(struct stage_option[]){ STAGE_TEXT("Reason", "gone" EVIL), { 0 } });
	(void)stage_error(s, INVALID);
	stage_settle(s);
	world_expect_no_event(sc.bob);
	teardown();
}
END_TEST

START_TEST(no_answer_carries_a_line_break)
{
	static const struct stage_option options[][2] = {
		{ STAGE_TEXT("Reason", "Ringing" EVIL) },
		{ STAGE_NUMBER("Status", 200) },
		{ STAGE_NUMBER("Status", 100) },
		{ STAGE_BYTES("Description", "of no type") },
	};
	const struct session_spec spec = { .target = SLICE("sip:alice@example.com") };
	struct session *out;
	const char *path, *why;
	DBusMessage *m;

	setup();
	stage_agent(s, &(struct stage_agent){ .client = USER });
	ck_assert_int_eq(session_new(sc.bobs, &spec, &out, &why), 0);
	stage_settle(s);
	(void)stage_asked(s, USER, "SessionReceived", &m);
	ck_assert(dbus_message_get_args(m, NULL, DBUS_TYPE_OBJECT_PATH, &path, DBUS_TYPE_INVALID));
	refused(&iface_session, path, "Accept", TEXTS("a/b" EVIL));
	refused(&iface_session, path, "Reject", TEXTS("Busy" EVIL));
	refused(&iface_session, path, "Redirect", TEXTS("sip:x@example.com" EVIL));
	for (size_t i = 0; i < ARRAY_LEN(options); i++) {
		m = stage_session_call(s, path, "Ring");
		stage_append_options(m, options[i]);
		stage_deliver(s, USER, m);
		(void)stage_error(s, INVALID);
	}
	stage_settle(s);
	world_expect_no_event(sc.bob);
	teardown();
}
END_TEST

/* ---- what comes ---- */

/* The dictionary's a(ss) has that pair. */
static bool has_header(DBusMessage *m, const char *name, const char *value)
{
	DBusMessageIter at, dict, entry, variant, list, pair;
	const char *text;

	dbus_message_iter_init(m, &at);
	dbus_message_iter_next(&at);
	dbus_message_iter_recurse(&at, &dict);
	do {
		dbus_message_iter_recurse(&dict, &entry);
		dbus_message_iter_get_basic(&entry, &text);
	} while (strcmp(text, "Headers") != 0 && dbus_message_iter_next(&dict));
	dbus_message_iter_next(&entry);
	dbus_message_iter_recurse(&entry, &variant);
	dbus_message_iter_recurse(&variant, &list);
	do {
		dbus_message_iter_recurse(&list, &pair);
		dbus_message_iter_get_basic(&pair, &text);
		if (strcmp(text, name) != 0)
			continue;
		dbus_message_iter_next(&pair);
		dbus_message_iter_get_basic(&pair, &text);
		if (strcmp(text, value) == 0)
			return true;
	} while (dbus_message_iter_next(&list));
	return false;
}

/* RFC 3323, 7044, 5806, 3326, 8224: reported, whatever they are worth; but RFC 3325 section 5: what
 * is asserted only if the endpoint's server said so, which has not been here. */
START_TEST(what_the_caller_says_is_reported)
{
	struct request_header list[ARRAY_LEN(identity)];
	const struct session_spec spec = { .target = SLICE("sip:alice@example.com"),
		.headers = { list, ARRAY_LEN(list) } };
	struct session *out;
	const char *why;
	DBusMessage *m;

	setup();
	for (size_t i = 0; i < ARRAY_LEN(list); i++)
		list[i] = (struct request_header){ slice_str(identity[i][0]),
			slice_str(identity[i][1]) };
	stage_agent(s, &(struct stage_agent){ .client = USER });
	ck_assert_int_eq(session_new(sc.bobs, &spec, &out, &why), 0);
	stage_settle(s);
	(void)stage_asked(s, USER, "SessionReceived", &m);
	for (size_t i = 0; i < ARRAY_LEN(list); i++)
		ck_assert_msg(has_header(m, identity[i][0], identity[i][1]) ==
				      (strcmp(identity[i][0], "P-Asserted-Identity") != 0),
			"%s", identity[i][0]);
	teardown();
}
END_TEST

int main(void)
{
	static const TTest *const *const tests[] = {
		&every_method_names_the_header_that_it_refuses,
		&headers_of_the_stack,
		&rfc3261_8_1_2_route_of_a_registered_one,
		&headers_of_the_client,
		&no_argument_carries_a_line_break,
		&no_answer_carries_a_line_break,
		&what_the_caller_says_is_reported,
	};

	return recorder_main("session-headers", tests, ARRAY_LEN(tests));
}
