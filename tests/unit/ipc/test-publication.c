/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* org.sipbus1.Publication: what a client publishes, whose it is, and how it hears what became of
 * it. */
#include <string.h>

#include "ipc/iface-owner.h"
#include "protocol/msg/msg.h"
#include "protocol/ua/limits.h"
#include "protocol/ua/profile.h"
#include "tests/unit/ipc/stage-session.h"

#define OWNER ":1.20"
#define FRIEND ":1.21"
#define STRANGER ":1.66"
#define PUBLICATION "org.sipbus1.Publication"
#define SEC USEC_PER_SEC

static struct stage stage;
static struct stage *const s = &stage;
static char path[64];

static void setup(void)
{
	stage_init(s);
	stage_client(s, OWNER, STAGE_USER_UID);
	stage_client(s, FRIEND, STAGE_USER_UID);
	stage_client(s, STRANGER, STAGE_OTHER_UID);
	s->profile->owner_grace = 15 * SEC;
	s->profile->on_owner_lost = PROFILE_OWNER_LOST_END;
}

static void teardown(void)
{
	stage_deinit(s);
}

/* ---- calls ---- */

static void append_content(DBusMessage *m, const char *body)
{
	const char *type = "application/pidf+xml";

	dbus_message_append_args(m, DBUS_TYPE_STRING, &type, DBUS_TYPE_ARRAY, DBUS_TYPE_BYTE, &body,
		(int)strlen(body), DBUS_TYPE_INVALID);
}

static void publish(
	const char *client, const char *event, const char *body, const struct stage_option *options)
{
	DBusMessage *m = stage_call(s, STAGE_ALICE, "Publish");

	dbus_message_append_args(m, DBUS_TYPE_STRING, &event, DBUS_TYPE_INVALID);
	append_content(m, body);
	stage_append_options(m, options);
	stage_deliver(s, client, m);
}

static void take_path(void)
{
	const char *text;

	ck_assert(dbus_message_get_args(
		stage_return(s, "o"), NULL, DBUS_TYPE_OBJECT_PATH, &text, DBUS_TYPE_INVALID));
	ck_assert_uint_lt(strlen(text), sizeof(path));
	(void)snprintf(path, sizeof(path), "%s", text);
}

static void modify(const char *client, const char *body)
{
	DBusMessage *m = recorder_call(&s->r, path, PUBLICATION, "Modify");

	append_content(m, body);
	stage_deliver(s, client, m);
}

static void call(const char *client, const char *member)
{
	stage_deliver(s, client, recorder_call(&s->r, path, PUBLICATION, member));
}

/* ---- properties ---- */

static void read_property(const char *client, const char *property, void *ret)
{
	DBusMessage *m = recorder_call(&s->r, path, DBUS_INTERFACE_PROPERTIES, "Get");
	const char *interface = PUBLICATION;
	DBusMessageIter at, variant;

	dbus_message_append_args(
		m, DBUS_TYPE_STRING, &interface, DBUS_TYPE_STRING, &property, DBUS_TYPE_INVALID);
	stage_deliver(s, client, m);
	dbus_message_iter_init(stage_return(s, "v"), &at);
	dbus_message_iter_recurse(&at, &variant);
	dbus_message_iter_get_basic(&variant, ret);
}

static const char *read_text(const char *property)
{
	const char *text;

	read_property(FRIEND, property, &text);
	return text;
}

static uint64_t read_time(const char *property)
{
	dbus_uint64_t t;

	read_property(FRIEND, property, &t);
	return t;
}

/* ---- the far end ---- */

static void answer(unsigned status, const char *headers)
{
	world_reply(s->w, world_wait_out(s->w, "PUBLISH", 2 * SEC), status, headers);
	world_settle(s->w);
	stage_run(s, 0);
}

static void accepted(const char *tag)
{
	char headers[80];

	(void)snprintf(headers, sizeof(headers), "SIP-ETag: %s\nExpires: 600\n", tag);
	answer(200, headers);
}

static void published(void)
{
	publish(OWNER, "presence", "open", stage_no_options);
	take_path();
	accepted("a1");
}

static void expect_terminated(unsigned status, const char *origin)
{
	const char *reason, *from;
	dbus_uint32_t n;

	ck_assert(dbus_message_get_args(stage_signal(s, "Terminated", NULL), NULL, DBUS_TYPE_UINT32,
		&n, DBUS_TYPE_STRING, &reason, DBUS_TYPE_STRING, &from, DBUS_TYPE_INVALID));
	ck_assert_uint_eq(n, status);
	ck_assert_str_eq(from, origin);
	(void)stage_signal(s, "InterfacesRemoved", NULL);
	ck_assert(list_is_empty(&s->iface->publications));
}

/* ---- the whole of it ---- */

START_TEST(from_publish_to_remove)
{
	setup();
	publish(OWNER, "presence", "open", stage_no_options);
	take_path();
	ck_assert_str_eq(read_text("State"), "publishing");
	ck_assert_str_eq(read_text("ETag"), "");
	ck_assert_str_eq(read_text("Owner"), OWNER);
	ck_assert_str_eq(read_text("Endpoint"), STAGE_ALICE);
	ck_assert_str_eq(read_text("Event"), "presence");
	ck_assert_str_eq(read_text("Target"), "sip:alice@example.com");
	accepted("a1");
	(void)stage_signal(s, "PropertiesChanged", NULL);
	ck_assert_str_eq(read_text("State"), "published");
	ck_assert_str_eq(read_text("ETag"), "a1");
	ck_assert_uint_gt(read_time("Expires"), read_time("NextAttempt"));
	modify(OWNER, "busy");
	stage_silence(s);
	accepted("b2");
	(void)stage_return(s, "");
	ck_assert_str_eq(read_text("ETag"), "b2");
	call(OWNER, "Remove");
	stage_silence(s);
	answer(200, NULL);
	(void)stage_return(s, "");
	expect_terminated(200, "remote");
	teardown();
}
END_TEST

START_TEST(options)
{
	const struct msg *m;
	uint32_t seconds;

	setup();
	publish(OWNER, "dialog", "state",
		(struct stage_option[]){ STAGE_NUMBER("Expires", 120),
			STAGE_TEXT("Target", "sip:team@example.com"),
			{ "Headers", 'h', "yes", 0, "X-Note" }, { 0 } });
	take_path();
	m = world_expect_out(s->w, "PUBLISH");
	ck_assert(slice_eq(m->uri.text, SLICE("sip:team@example.com")));
	ck_assert(slice_eq(msg_header(m, HDR_EVENT), SLICE("dialog")));
	ck_assert(msg_number(m, HDR_EXPIRES, 9999, &seconds) && seconds == 120);
	ck_assert(slice_eq(msg_header_named(m, SLICE("X-Note")), SLICE("yes")));
	ck_assert(slice_eq(m->body, SLICE("state")));
	teardown();
}
END_TEST

START_TEST(what_cannot_be_published)
{
	static const struct stage_option none[] = { STAGE_NUMBER("Expires", 0), { 0 } };
	static const struct stage_option unknown[] = { STAGE_NUMBER("Expire", 60), { 0 } };
	static const struct stage_option header[] = { { "Headers", 'h', "<sip:x@y>", 0, "Contact" },
		{ 0 } };
	static const struct stage_option tag[] = { { "Headers", 'h', "a1", 0, "SIP-If-Match" },
		{ 0 } };
	const struct stage_option *const bad[] = { none, unknown, header, tag };

	setup();
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		publish(OWNER, "presence", "open", bad[i]);
		stage_error(s, STAGE_ERROR("InvalidArgument"));
	}
	publish(OWNER, "presence", "", stage_no_options);
	stage_error(s, STAGE_ERROR("InvalidArgument"));
	publish(OWNER, "no token", "open", (struct stage_option[]){ STAGE_FLAG("Wait", 1), { 0 } });
	stage_error(s, STAGE_ERROR("InvalidArgument"));
	publish(STRANGER, "presence", "open", stage_no_options);
	stage_error(s, DBUS_ERROR_ACCESS_DENIED);
	ck_assert(list_is_empty(&s->iface->publications));
	ck_assert_uint_eq(s->ep->n_publications, 0);
	teardown();
}
END_TEST

/* ---- how it fails ---- */

START_TEST(refused_at_once)
{
	setup();
	publish(OWNER, "presence", "open", stage_no_options);
	take_path();
	answer(489, NULL);
	ck_assert_uint_eq(stage_status(stage_signal(s, "Failed", NULL)), 489);
	expect_terminated(489, "remote");
	teardown();
}
END_TEST

START_TEST(it_waits_for_the_server)
{
	setup();
	publish(OWNER, "presence", "open", stage_no_options);
	take_path();
	answer(503, NULL);
	ck_assert_uint_eq(stage_status(stage_signal(s, "Failed", NULL)), 503);
	stage_no_signal(s, "Terminated");
	ck_assert_str_eq(read_text("State"), "waiting");
	ck_assert_uint_gt(read_time("NextAttempt"), 0);
	call(OWNER, "Remove");
	(void)stage_return(s, "");
	expect_terminated(0, "local");
	teardown();
}
END_TEST

/* RFC 3903 section 4.4: a change that is refused leaves what was there. */
START_TEST(a_change_is_refused)
{
	setup();
	published();
	modify(OWNER, "nonsense");
	answer(415, NULL);
	ck_assert_ptr_nonnull(strstr(stage_error(s, STAGE_ERROR("Refused")), "415 "));
	ck_assert_str_eq(read_text("State"), "published");
	ck_assert_str_eq(read_text("ETag"), "a1");
	modify(OWNER, "");
	stage_error(s, STAGE_ERROR("InvalidArgument"));
	teardown();
}
END_TEST

START_TEST(waiting_for_the_first_answer)
{
	static const struct stage_option wait[] = { STAGE_FLAG("Wait", 1), { 0 } };

	setup();
	publish(OWNER, "presence", "open", wait);
	stage_silence(s);
	accepted("a1");
	take_path();
	ck_assert_str_eq(read_text("State"), "published");
	/* The error is the answer, and then nothing is left, whether or not that would pass. */
	publish(OWNER, "dialog", "open", wait);
	answer(503, NULL);
	ck_assert_ptr_nonnull(strstr(stage_error(s, STAGE_ERROR("Refused")), "503 "));
	(void)stage_signal(s, "Terminated", NULL);
	publish(OWNER, "dialog", "open", wait);
	answer(403, NULL);
	stage_error(s, STAGE_ERROR("Refused"));
	(void)stage_signal(s, "Terminated", NULL);
	ck_assert_uint_eq(list_length(&s->iface->publications), 1);
	teardown();
}
END_TEST

/* Who waits may leave; what was asked for goes on. */
START_TEST(who_waits_leaves)
{
	setup();
	s->profile->on_owner_lost = PROFILE_OWNER_LOST_KEEP;
	published();
	modify(OWNER, "busy");
	recorder_leave(&s->r, OWNER);
	accepted("b2");
	ck_assert_str_eq(read_text("ETag"), "b2");
	ck_assert_str_eq(read_text("Owner"), "");
	teardown();
}
END_TEST

/* ---- whose it is ---- */

START_TEST(others_may_read_and_not_act)
{
	DBusMessage *m;
	const char *interface = PUBLICATION;

	setup();
	published();
	modify(FRIEND, "busy");
	stage_error(s, DBUS_ERROR_ACCESS_DENIED);
	call(FRIEND, "Remove");
	stage_error(s, DBUS_ERROR_ACCESS_DENIED);
	call(FRIEND, "Release");
	stage_error(s, DBUS_ERROR_ACCESS_DENIED);
	call(FRIEND, "Adopt");
	stage_error(s, DBUS_ERROR_ACCESS_DENIED);
	m = recorder_call(&s->r, path, DBUS_INTERFACE_PROPERTIES, "GetAll");
	dbus_message_append_args(m, DBUS_TYPE_STRING, &interface, DBUS_TYPE_INVALID);
	stage_deliver(s, STRANGER, m);
	stage_error(s, DBUS_ERROR_ACCESS_DENIED);
	teardown();
}
END_TEST

START_TEST(it_is_removed_after_the_grace)
{
	setup();
	published();
	recorder_leave(&s->r, OWNER);
	stage_run(s, 14 * SEC);
	stage_no_signal(s, "Terminated");
	stage_run(s, 2 * SEC);
	answer(200, NULL);
	expect_terminated(200, "remote");
	teardown();
}
END_TEST

START_TEST(somebody_adopts_it)
{
	setup();
	published();
	call(OWNER, "Release");
	(void)stage_return(s, "");
	call(FRIEND, "Adopt");
	(void)stage_return(s, "");
	ck_assert_str_eq(read_text("Owner"), FRIEND);
	call(OWNER, "Remove");
	stage_error(s, DBUS_ERROR_ACCESS_DENIED);
	stage_run(s, 60 * SEC);
	ck_assert_str_eq(read_text("State"), "published");
	teardown();
}
END_TEST

START_TEST(it_is_kept_for_anybody)
{
	setup();
	s->profile->on_owner_lost = PROFILE_OWNER_LOST_KEEP;
	published();
	recorder_leave(&s->r, OWNER);
	stage_run(s, 60 * SEC);
	ck_assert_str_eq(read_text("State"), "published");
	call(FRIEND, "Remove");
	answer(200, NULL);
	(void)stage_return(s, "");
	expect_terminated(200, "remote");
	teardown();
}
END_TEST

/* A script whose every call is a client of its own gets along. */
START_TEST(it_outlasts_its_maker)
{
	static const struct stage_option daemon[] = { STAGE_TEXT("Lifetime", "daemon"), { 0 } };
	static const struct stage_option bad[] = { STAGE_TEXT("Lifetime", "long"), { 0 } };

	setup();
	publish(OWNER, "presence", "open", bad);
	stage_error(s, STAGE_ERROR("InvalidArgument"));
	publish(OWNER, "presence", "open", daemon);
	take_path();
	accepted("a1");
	ck_assert_str_eq(read_text("Owner"), "");
	recorder_leave(&s->r, OWNER);
	stage_run(s, 60 * SEC);
	ck_assert_str_eq(read_text("State"), "published");
	modify(FRIEND, "busy");
	accepted("b2");
	(void)stage_return(s, "");
	call(STRANGER, "Remove");
	stage_error(s, DBUS_ERROR_ACCESS_DENIED);
	teardown();
}
END_TEST

START_TEST(there_is_a_limit)
{
	char event[16];

	setup();
	for (unsigned i = 0; i < LIMITS_PUBLICATIONS_PER_ENDPOINT; i++) {
		(void)snprintf(event, sizeof(event), "e%u", i);
		publish(OWNER, event, "open", stage_no_options);
		(void)stage_return(s, "o");
	}
	publish(OWNER, "last", "open", stage_no_options);
	stage_error(s, STAGE_ERROR("LimitExceeded"));
	teardown();
}
END_TEST

/* The endpoint waits for it, and goes with it. */
START_TEST(the_daemon_ends_before_the_answer)
{
	setup();
	published();
	endpoint_close(s->ep);
	(void)world_wait_out(s->w, "PUBLISH", 2 * SEC);
	stage_run(s, 0);
	teardown();
}
END_TEST

/* Publish waits as a call of the endpoint's, which outlasts the publication. */
START_TEST(the_daemon_ends_before_the_first_answer)
{
	setup();
	publish(OWNER, "presence", "open", (struct stage_option[]){ STAGE_FLAG("Wait", 1), { 0 } });
	stage_silence(s);
	teardown();
}
END_TEST

/* ---- content ---- */

/* Where others are on the bus, the tag is not told to everybody. */
START_TEST(the_tag_is_not_broadcast)
{
	DBusMessage *m;
	DBusMessageIter at, dict;
	bool told = false;

	setup();
	published();
	s->r.next = 0;
	while ((m = recorder_next(&s->r))) {
		if (!dbus_message_has_member(m, "PropertiesChanged") ||
			strcmp(dbus_message_get_path(m), path) != 0)
			continue;
		told = true;
		dbus_message_iter_init(m, &at);
		dbus_message_iter_next(&at);
		dbus_message_iter_recurse(&at, &dict);
		while (dbus_message_iter_get_arg_type(&dict) == DBUS_TYPE_DICT_ENTRY) {
			DBusMessageIter entry;
			const char *name;

			dbus_message_iter_recurse(&dict, &entry);
			dbus_message_iter_get_basic(&entry, &name);
			ck_assert_str_ne(name, "ETag");
			dbus_message_iter_next(&dict);
		}
	}
	ck_assert(told);
	teardown();
}
END_TEST

int main(void)
{
	static const TTest *const *const tests[] = {
		&from_publish_to_remove,
		&options,
		&what_cannot_be_published,
		&refused_at_once,
		&it_waits_for_the_server,
		&a_change_is_refused,
		&waiting_for_the_first_answer,
		&who_waits_leaves,
		&others_may_read_and_not_act,
		&it_is_removed_after_the_grace,
		&somebody_adopts_it,
		&it_is_kept_for_anybody,
		&it_outlasts_its_maker,
		&there_is_a_limit,
		&the_daemon_ends_before_the_answer,
		&the_daemon_ends_before_the_first_answer,
		&the_tag_is_not_broadcast,
	};

	return recorder_main("publication", tests, ARRAY_LEN(tests));
}
