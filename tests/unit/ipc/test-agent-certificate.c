/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Trust on first use: which agents are asked about a certificate, and what their answers mean. */
#include "protocol/base/err.h"
#include "protocol/ua/profile.h"
#include "tests/support/run.h"
#include "tests/unit/ipc/stage.h"

#define HIGH ":1.20"
#define LOW ":1.21"
#define STRANGER ":1.23"
#define SEC USEC_PER_SEC

static struct stage s;

static void setup(void)
{
	stage_init(&s);
	stage_client(&s, HIGH, STAGE_USER_UID);
	stage_client(&s, LOW, STAGE_USER_UID);
	stage_client(&s, STRANGER, STAGE_OTHER_UID);
}

static void teardown(void)
{
	stage_silence(&s);
	stage_deinit(&s);
}

static int ask(uint64_t query)
{
	const struct iface_certificate what = { .query = query,
		.profile = s.profile,
		.server = "example.com",
		.address = "192.0.2.9",
		.port = 5061,
		.subject = "CN=pbx",
		.issuer = "CN=pbx",
		.fingerprint = "00ff",
		.not_after = 1900000000,
		.bytes = SLICE("\x30\x00") };

	return iface_ask_certificate(s.iface, &what);
}

static void answer_yes(const char *client, uint32_t serial)
{
	DBusMessage *m = dbus_message_new(DBUS_MESSAGE_TYPE_METHOD_RETURN);

	dbus_message_set_reply_serial(m, serial);
	(void)recorder_deliver_from(&s.r, m, client);
}

static void expect_answer(uint64_t query, enum iface_trust trust)
{
	ck_assert_uint_eq(s.n_trusts, 1);
	ck_assert_uint_eq(s.query, query);
	ck_assert_int_eq((int)s.trust, (int)trust);
}

START_TEST(returning_trusts)
{
	const char *endpoint, *server;
	DBusMessageIter it, bytes;
	DBusMessage *m;

	setup();
	stage_agent(&s, &(struct stage_agent){ .client = HIGH, .kind = "certificate" });
	ck_assert_int_eq(ask(7), 0);
	stage_asked(&s, HIGH, "CertificateReceived", &m);
	ck_assert_str_eq(dbus_message_get_signature(m), "osaya{sv}");
	ck_assert(dbus_message_iter_init(m, &it));
	dbus_message_iter_get_basic(&it, &endpoint);
	ck_assert_str_eq(endpoint, "/org/sipbus1/endpoint/alice");
	dbus_message_iter_next(&it);
	dbus_message_iter_get_basic(&it, &server);
	ck_assert_str_eq(server, "example.com");
	dbus_message_iter_next(&it);
	dbus_message_iter_recurse(&it, &bytes);
	ck_assert_int_eq(dbus_message_iter_get_element_count(&it), 2);
	ck_assert_uint_eq(s.n_trusts, 0);
	answer_yes(HIGH, dbus_message_get_serial(m));
	expect_answer(7, IFACE_TRUSTED);
	teardown();
}
END_TEST

START_TEST(refused_by_the_first)
{
	setup();
	stage_agent(&s, &(struct stage_agent){ .client = LOW, .priority = -3 });
	stage_agent(&s, &(struct stage_agent){ .client = HIGH, .priority = 5 });
	ck_assert_int_eq(ask(8), 0);
	stage_answer_error(&s, HIGH, stage_asked(&s, HIGH, "CertificateReceived", NULL),
		STAGE_ERROR("Refused"));
	expect_answer(8, IFACE_NOT_TRUSTED);
	teardown();
}
END_TEST

START_TEST(passed_to_the_next)
{
	setup();
	stage_agent(&s, &(struct stage_agent){ .client = LOW, .priority = -3 });
	stage_agent(&s, &(struct stage_agent){ .client = HIGH, .priority = 5 });
	ck_assert_int_eq(ask(9), 0);
	stage_answer_error(
		&s, HIGH, stage_asked(&s, HIGH, "CertificateReceived", NULL), STAGE_ERROR("Pass"));
	/* one that does not know the method has nothing to say either */
	stage_answer_error(&s, LOW, stage_asked(&s, LOW, "CertificateReceived", NULL),
		"org.freedesktop.DBus.Error.UnknownMethod");
	expect_answer(9, IFACE_NOT_TRUSTED);
	teardown();
}
END_TEST

START_TEST(nobody_answers)
{
	setup();
	stage_agent(&s, &(struct stage_agent){ .client = HIGH });
	ck_assert_int_eq(ask(10), 0);
	stage_asked(&s, HIGH, "CertificateReceived", NULL);
	stage_run(&s, 31 * SEC);
	expect_answer(10, IFACE_NOT_TRUSTED);
	teardown();
}
END_TEST

START_TEST(nobody_to_ask)
{
	setup();
	ck_assert_int_eq(ask(11), -ENOENT);
	/* who may not use the profile has no say, nor who takes other work */
	stage_agent(&s, &(struct stage_agent){ .client = STRANGER, .kind = "certificate" });
	stage_agent(&s, &(struct stage_agent){ .client = HIGH, .kind = "page" });
	ck_assert_int_eq(ask(12), -ENOENT);
	ck_assert_uint_eq(s.n_trusts, 0);
	teardown();
}
END_TEST

/* A question does not outlive whom it is asked for. */
START_TEST(the_endpoint_closes_while_asking)
{
	uint32_t serial;

	setup();
	stage_agent(&s, &(struct stage_agent){ .client = HIGH });
	stage_agent(&s, &(struct stage_agent){ .client = LOW, .priority = -3 });
	ck_assert_int_eq(ask(13), 0);
	serial = stage_asked(&s, HIGH, "CertificateReceived", NULL);
	endpoint_close(s.ep);
	stage_run(&s, 1 * SEC);
	stage_answer_error(&s, HIGH, serial, STAGE_ERROR("Pass"));
	expect_answer(13, IFACE_NOT_TRUSTED);
	teardown();
}
END_TEST

RUN_TESTS("agent-certificate", returning_trusts, refused_by_the_first, passed_to_the_next,
	nobody_answers, nobody_to_ask, the_endpoint_closes_while_asking)
