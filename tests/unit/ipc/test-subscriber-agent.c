/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Subscriptions that come: who is asked, in which order, and whose subscribers they become. */
#include <string.h>

#include "ipc/bus.h"
#include "protocol/msg/msg.h"
#include "protocol/ua/endpoint.h"
#include "protocol/ua/profile.h"
#include "tests/unit/ipc/stage-subscriber.h"

#define HIGH ":1.20"
#define LOW ":1.21"
#define OBSERVER ":1.22"
#define STRANGER ":1.66"
#define PASS STAGE_ERROR("Pass")
#define SEC USEC_PER_SEC

static struct stage st;
static struct stage *const s = &st;
static struct stage_watcher bob;

static void setup(void)
{
	stage_init(s);
	bob = (struct stage_watcher){ .name = "bob" };
	stage_client(s, HIGH, STAGE_USER_UID);
	stage_client(s, LOW, STAGE_USER_UID);
	stage_client(s, OBSERVER, STAGE_USER_UID);
	stage_client(s, STRANGER, STAGE_OTHER_UID);
	s->profile->agent_timeout = 20 * SEC;
}

static void teardown(void)
{
	stage_watchers_deinit(s);
}

static void two_agents(void)
{
	stage_agent(s, &(struct stage_agent){ .client = LOW, .priority = -3 });
	stage_agent(s, &(struct stage_agent){ .client = HIGH, .priority = 5 });
}

static void subscribe(void)
{
	stage_subscribe(s, &bob, "Expires: 600\n", "");
}

static uint32_t asked(const char *client)
{
	return stage_asked_about(s, client, &bob, NULL);
}

static void fails(const char *client, uint32_t serial, const char *error)
{
	stage_answer_error(s, client, serial, error);
	stage_settle(s);
}

static void accept(const char *client)
{
	stage_watcher_verb(s, client, &bob, "Accept", stage_no_options);
}

static void expect_refused(const char *status)
{
	stage_settle(s);
	(void)stage_subscribed(s, &bob, status);
	(void)stage_signal(s, "Terminated", NULL);
	ck_assert_uint_eq(s->iface->n_subscribers, 0);
}

/* ---- one after the other ---- */

START_TEST(who_returns_takes_it)
{
	uint32_t serial;

	setup();
	two_agents();
	subscribe();
	serial = asked(HIGH);
	/* The object was there before the question. */
	ck_assert_uint_eq(s->iface->n_subscribers, 1);
	ck_assert_str_eq(stage_watcher_read(s, LOW, &bob, "Owner"), "");
	ck_assert_str_eq(stage_watcher_read(s, LOW, &bob, "State"), "incoming");
	stage_take(s, HIGH, serial);
	stage_silence(s);
	ck_assert_str_eq(stage_watcher_read(s, LOW, &bob, "Owner"), HIGH);
	accept(LOW);
	stage_error(s, DBUS_ERROR_ACCESS_DENIED);
	accept(HIGH);
	(void)stage_return(s, "");
	stage_settle(s);
	(void)stage_subscribed(s, &bob, "200");
	(void)stage_notified(s, "active");
	teardown();
}
END_TEST

START_TEST(who_passes_hands_it_on)
{
	setup();
	two_agents();
	subscribe();
	fails(HIGH, asked(HIGH), PASS);
	stage_take(s, LOW, asked(LOW));
	accept(HIGH);
	stage_error(s, DBUS_ERROR_ACCESS_DENIED);
	accept(LOW);
	(void)stage_return(s, "");
	teardown();
}
END_TEST

/* RFC 6665 section 4.2.1.1: 489 is for a package that is not served, and for nothing else. */
START_TEST(nobody_serves_the_package)
{
	setup();
	subscribe();
	expect_refused("489");
	stage_agent(s, &(struct stage_agent){ .client = LOW, .kind = "page" });
	stage_agent(s, &(struct stage_agent){ .client = HIGH, .path = "/b", .event = "dialog" });
	bob = (struct stage_watcher){ .name = "bob2" };
	subscribe();
	expect_refused("489");
	/* One that takes every kind of work, and has never heard of this one. */
	stage_agent(s, &(struct stage_agent){ .client = LOW, .path = "/c" });
	bob = (struct stage_watcher){ .name = "bob3" };
	subscribe();
	fails(LOW, asked(LOW), DBUS_ERROR_UNKNOWN_METHOD);
	expect_refused("489");
	teardown();
}
END_TEST

START_TEST(somebody_serves_it_and_none_takes_it)
{
	setup();
	two_agents();
	subscribe();
	fails(HIGH, asked(HIGH), PASS);
	fails(LOW, asked(LOW), DBUS_ERROR_UNKNOWN_METHOD);
	expect_refused("480");
	teardown();
}
END_TEST

START_TEST(silence_passes)
{
	uint32_t late;

	setup();
	two_agents();
	s->profile->agent_timeout = 5 * SEC;
	subscribe();
	late = asked(HIGH);
	stage_run(s, 4 * SEC);
	stage_silence(s);
	stage_run(s, 1 * SEC);
	(void)asked(LOW);
	/* Too late: somebody else decides now. */
	stage_take(s, HIGH, late);
	accept(HIGH);
	stage_error(s, DBUS_ERROR_ACCESS_DENIED);
	(void)world_skip_out(s->w); /* 100, by RFC 4320 */
	stage_run(s, 5 * SEC);
	(void)world_wait_out(s->w, "480", 0);
	teardown();
}
END_TEST

START_TEST(an_agent_leaves_while_asked)
{
	uint32_t serial;

	setup();
	two_agents();
	subscribe();
	serial = asked(HIGH);
	recorder_leave(&s->r, HIGH);
	fails(DBUS_SERVICE_DBUS, serial, DBUS_ERROR_NO_REPLY);
	stage_take(s, LOW, asked(LOW));
	accept(LOW);
	(void)stage_return(s, "");
	teardown();
}
END_TEST

/* As an agent does that calls methods before it returns. */
START_TEST(who_is_asked_may_act)
{
	uint32_t serial;

	setup();
	two_agents();
	subscribe();
	serial = asked(HIGH);
	accept(LOW);
	stage_error(s, DBUS_ERROR_ACCESS_DENIED);
	stage_watcher_verb(s, HIGH, &bob, "Adopt", NULL);
	stage_error(s, DBUS_ERROR_ACCESS_DENIED);
	stage_watcher_verb(s, LOW, &bob, "Adopt", NULL);
	stage_error(s, DBUS_ERROR_ACCESS_DENIED);
	accept(HIGH);
	(void)stage_return(s, "");
	ck_assert_str_eq(stage_watcher_read(s, LOW, &bob, "Owner"), HIGH);
	stage_notify(s, HIGH, &bob, "open", NULL);
	(void)stage_return(s, "");
	/* It has decided; what it returns changes nothing. */
	fails(HIGH, serial, PASS);
	ck_assert_str_eq(stage_watcher_read(s, LOW, &bob, "Owner"), HIGH);
	stage_silence(s);
	teardown();
}
END_TEST

START_TEST(who_is_asked_may_refuse)
{
	setup();
	two_agents();
	subscribe();
	(void)asked(HIGH);
	stage_reject(s, HIGH, &bob, 403, "Not You");
	stage_settle(s);
	(void)stage_subscribed(s, &bob, "403");
	stage_watcher_gone(s, &bob, "Not You");
	ck_assert_uint_eq(s->iface->n_subscribers, 0);
	teardown();
}
END_TEST

/* Nothing is to be returned: who returns something means another question. */
START_TEST(an_answer_of_another_type_passes)
{
	setup();
	two_agents();
	subscribe();
	stage_answer_page(s, HIGH, asked(HIGH), 200, "OK");
	stage_settle(s);
	stage_take(s, LOW, asked(LOW));
	ck_assert_str_eq(stage_watcher_read(s, LOW, &bob, "Owner"), LOW);
	teardown();
}
END_TEST

/* ---- who is asked at all ---- */

START_TEST(the_filter_decides)
{
	struct stage_watcher carol = { .name = "carol", .event = "dialog;sla" };
	struct stage_watcher dave = { .name = "dave", .event = "presence.winfo" };

	setup();
	stage_agent(s, &(struct stage_agent){ .client = HIGH, .path = "/a", .event = "dialog" });
	stage_agent(s, &(struct stage_agent){ .client = HIGH, .path = "/b", .kind = "session" });
	stage_agent(s, &(struct stage_agent){ .client = STRANGER, .path = "/c" });
	stage_agent(s, &(struct stage_agent){ .client = LOW,
			       .kind = "subscription",
			       .event = "presence",
			       .endpoint = STAGE_ALICE });
	subscribe();
	stage_take(s, LOW, asked(LOW));
	stage_subscribe(s, &carol, "", "");
	stage_take(s, HIGH, stage_asked_about(s, HIGH, &carol, NULL));
	/* RFC 6665 section 7: a template makes another package. */
	stage_subscribe(s, &dave, "", "");
	(void)stage_subscribed(s, &dave, "489");
	stage_silence(s);
	teardown();
}
END_TEST

START_TEST(observers_are_told_and_never_asked)
{
	DBusMessage *m;

	setup();
	stage_agent(
		s, &(struct stage_agent){ .client = OBSERVER, .priority = 9, .observes = true });
	stage_agent(s, &(struct stage_agent){ .client = LOW });
	subscribe();
	(void)stage_asked_about(s, OBSERVER, &bob, &m);
	ck_assert(dbus_message_get_no_reply(m));
	stage_take(s, OBSERVER, dbus_message_get_serial(m));
	stage_take(s, LOW, asked(LOW));
	accept(OBSERVER);
	stage_error(s, DBUS_ERROR_ACCESS_DENIED);
	teardown();
}
END_TEST

/* ---- what is served ---- */

static struct slice allowed(void)
{
	const struct msg *m;

	bob.event = "nothing";
	bob.tag[0] = '\0';
	subscribe();
	m = stage_subscribed(s, &bob, "489");
	stage_skip(s); /* observers were told */
	return msg_header(m, HDR_ALLOW_EVENTS);
}

static void expect_allowed(const char *packages)
{
	ck_assert(slice_eq(allowed(), slice_str(packages)));
}

static void release(const char *path)
{
	DBusMessage *m = stage_call(s, RECORDER_ROOT, "UnregisterAgent");

	dbus_message_append_args(m, DBUS_TYPE_OBJECT_PATH, &path, DBUS_TYPE_INVALID);
	stage_deliver(s, HIGH, m);
	(void)stage_return(s, "");
	(void)stage_asked(s, HIGH, "Released", NULL);
}

/* RFC 6665 section 4.4.4: all of them, or no list at all. */
START_TEST(the_packages_are_said)
{
	setup();
	stage_agent(s, &(struct stage_agent){ .client = HIGH, .path = "/a", .event = "presence" });
	stage_agent(s, &(struct stage_agent){ .client = HIGH, .path = "/b", .event = "dialog" });
	stage_agent(s, &(struct stage_agent){ .client = LOW, .path = "/c", .event = "presence" });
	stage_agent(s, &(struct stage_agent){ .client = LOW, .path = "/d", .kind = "page" });
	stage_agent(s, &(struct stage_agent){ .client = LOW, .path = "/e", .observes = true });
	expect_allowed("refer, presence, dialog");
	stage_agent(
		s, &(struct stage_agent){
			   .client = HIGH, .path = "/f", .event = "reg", .endpoint = STAGE_ALICE });
	expect_allowed("refer");
	release("/f");
	expect_allowed("refer, presence, dialog");
	recorder_leave(&s->r, LOW);
	release("/a");
	expect_allowed("refer, dialog");
	release("/b");
	expect_allowed("refer");
	teardown();
}
END_TEST

/* Who may use no profile says nothing about what is served. */
START_TEST(a_stranger_serves_nothing)
{
	setup();
	stage_agent(s, &(struct stage_agent){ .client = HIGH, .path = "/a", .event = "presence" });
	stage_agent(s, &(struct stage_agent){ .client = STRANGER, .path = "/b", .event = "reg" });
	stage_agent(s, &(struct stage_agent){ .client = STRANGER, .path = "/c" });
	expect_allowed("refer, presence");
	teardown();
}
END_TEST

/* An answer has to fit its datagram. */
START_TEST(too_many_packages_are_not_said)
{
	char name[1025];

	setup();
	memset(name, 'x', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	stage_agent(s, &(struct stage_agent){ .client = HIGH, .path = "/a", .event = name + 1 });
	ck_assert_uint_eq(allowed().n, strlen("refer, ") + sizeof(name) - 2);
	stage_agent(s, &(struct stage_agent){ .client = HIGH, .path = "/b", .event = name });
	expect_allowed("refer");
	teardown();
}
END_TEST

START_TEST(packages_are_tokens)
{
	setup();
	stage_try_agent(s, &(struct stage_agent){ .client = HIGH, .event = "presence\r\nEvil: 1" });
	stage_error(s, STAGE_ERROR("InvalidArgument"));
	stage_try_agent(s, &(struct stage_agent){ .client = HIGH, .event = "" });
	stage_error(s, STAGE_ERROR("InvalidArgument"));
	teardown();
}
END_TEST

/* ---- what is asked ---- */

/* The value of a key of the details, if it is there. */
static bool detail(DBusMessage *m, const char *key, DBusMessageIter *ret)
{
	DBusMessageIter at, dict, entry;
	const char *text;

	dbus_message_iter_init(m, &at);
	dbus_message_iter_next(&at);
	for (dbus_message_iter_recurse(&at, &dict);
		dbus_message_iter_get_arg_type(&dict) == DBUS_TYPE_DICT_ENTRY;
		dbus_message_iter_next(&dict)) {
		dbus_message_iter_recurse(&dict, &entry);
		dbus_message_iter_get_basic(&entry, &text);
		if (strcmp(text, key) != 0)
			continue;
		dbus_message_iter_next(&entry);
		dbus_message_iter_recurse(&entry, ret);
		return true;
	}
	return false;
}

static void expect_text(DBusMessage *m, const char *key, const char *value)
{
	DBusMessageIter variant;
	const char *text;

	ck_assert_msg(detail(m, key, &variant), "there is no %s", key);
	dbus_message_iter_get_basic(&variant, &text);
	ck_assert_str_eq(text, value);
}

START_TEST(a_subscription_is_shown_whole)
{
	DBusMessageIter variant, list;
	const char *text;
	uint32_t expires;
	DBusMessage *m;

	setup();
	stage_agent(s, &(struct stage_agent){ .client = HIGH });
	bob.event = "presence ; id=7;x=\"a;b\"";
	stage_subscribe(s, &bob,
		"Expires: 0\nAccept: " STAGE_PIDF ", text/plain\nContent-Type: text/x-filter\n",
		"less");
	(void)stage_asked_about(s, HIGH, &bob, &m);
	ck_assert_str_eq(dbus_message_get_signature(m), "oa{sv}");
	expect_text(m, "Event", "presence");
	expect_text(m, "EventParameters", "id=7;x=\"a;b\"");
	expect_text(m, "Endpoint", STAGE_ALICE);
	expect_text(m, "From", "sip:bob@example.com");
	expect_text(m, "FromDisplayName", "Mr bob");
	expect_text(m, "To", "sip:alice@example.com");
	expect_text(m, "RequestUri", "sip:alice@example.com");
	expect_text(m, "CallId", "bob");
	expect_text(m, "ContentType", "text/x-filter");
	ck_assert(detail(m, "Body", &variant));
	ck_assert(detail(m, "Headers", &variant));
	ck_assert(detail(m, "Accept", &variant));
	dbus_message_iter_recurse(&variant, &list);
	dbus_message_iter_get_basic(&list, &text);
	ck_assert_str_eq(text, STAGE_PIDF);
	ck_assert(dbus_message_iter_next(&list));
	dbus_message_iter_get_basic(&list, &text);
	ck_assert_str_eq(text, "text/plain");
	ck_assert(detail(m, "Expires", &variant));
	dbus_message_iter_get_basic(&variant, &expires);
	ck_assert_uint_eq(expires, 0);
	/* What is not said is not made up. */
	bob = (struct stage_watcher){ .name = "bob2" };
	stage_subscribe(s, &bob, "", "");
	(void)stage_asked_about(s, HIGH, &bob, &m);
	ck_assert(!detail(m, "Expires", &variant));
	expect_text(m, "EventParameters", "");
	teardown();
}
END_TEST

/* RFC 3325 section 5: whom nobody vouches for asserts nothing. */
START_TEST(what_a_stranger_asserts_is_not_shown)
{
	DBusMessageIter variant, list, pair;
	const char *name;
	DBusMessage *m;

	setup();
	stage_agent(s, &(struct stage_agent){ .client = HIGH });
	stage_subscribe(
		s, &bob, "P-Asserted-Identity: <sip:boss@example.com>\nPriority: urgent\n", "");
	(void)stage_asked_about(s, HIGH, &bob, &m);
	ck_assert(detail(m, "Headers", &variant));
	for (dbus_message_iter_recurse(&variant, &list);
		dbus_message_iter_get_arg_type(&list) == DBUS_TYPE_STRUCT;
		dbus_message_iter_next(&list)) {
		dbus_message_iter_recurse(&list, &pair);
		dbus_message_iter_get_basic(&pair, &name);
		ck_assert_str_ne(name, "P-Asserted-Identity");
	}
	teardown();
}
END_TEST

/* ---- the end of other things ---- */

START_TEST(the_bus_is_lost_while_asking)
{
	setup();
	two_agents();
	subscribe();
	(void)asked(HIGH);
	bus_lost(s->r.bus);
	stage_run(s, 1 * SEC);
	stage_settle(s);
	ck_assert_uint_eq(s->iface->n_subscribers, 0);
	teardown();
}
END_TEST

START_TEST(the_endpoint_closes_while_asking)
{
	uint32_t serial;

	setup();
	two_agents();
	subscribe();
	serial = asked(HIGH);
	endpoint_close(s->ep);
	stage_settle(s);
	stage_run(s, 40 * SEC);
	stage_take(s, HIGH, serial);
	ck_assert_uint_eq(s->iface->n_subscribers, 0);
	teardown();
}
END_TEST

START_TEST(the_interfaces_go_while_asking)
{
	setup();
	two_agents();
	subscribe();
	(void)asked(HIGH);
	s->iface = iface_free(s->iface);
	teardown();
}
END_TEST

int main(void)
{
	static const TTest *const *const tests[] = {
		&who_returns_takes_it,
		&who_passes_hands_it_on,
		&nobody_serves_the_package,
		&somebody_serves_it_and_none_takes_it,
		&silence_passes,
		&an_agent_leaves_while_asked,
		&who_is_asked_may_act,
		&who_is_asked_may_refuse,
		&an_answer_of_another_type_passes,
		&the_filter_decides,
		&observers_are_told_and_never_asked,
		&the_packages_are_said,
		&a_stranger_serves_nothing,
		&too_many_packages_are_not_said,
		&packages_are_tokens,
		&a_subscription_is_shown_whole,
		&what_a_stranger_asserts_is_not_shown,
		&the_bus_is_lost_while_asking,
		&the_endpoint_closes_while_asking,
		&the_interfaces_go_while_asking,
	};

	return recorder_main("subscriber-agent", tests, ARRAY_LEN(tests));
}
