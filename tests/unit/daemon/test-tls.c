/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Two ends that talk to one another: handshakes, plain text, goodbye, and what breaks them. */
#include "tests/support/duo.h"
#include "tests/support/run.h"

#include <string.h>

static struct duo d;

static const struct cert_wish good = { .name = "example.com", .san = { "uri:sip:example.com" } };

static void set_up(void)
{
	duo_init(&d);
	duo_certify(&d, TLS_SERVER, &good);
}

static void tear_down(void)
{
	duo_deinit(&d);
}

static void expect_plain(struct tls *t, const char *text)
{
	struct buf *b = tls_plain(t);

	ck_assert_uint_eq(b->n, strlen(text));
	ck_assert_mem_eq(b->p, text, b->n);
	buf_consume(b, b->n);
}

static void expect_failure(struct tls *t, enum tls_failure f, const char *part)
{
	const char *text;

	ck_assert_int_eq(tls_state(t), TLS_FAILED);
	ck_assert_int_eq((int)tls_failure(t, &text), (int)f);
	ck_assert_msg(
		strncmp(text, tls_failure_name(f), strlen(tls_failure_name(f))) == 0, "%s", text);
	ck_assert_msg(strstr(text, part) != NULL, "\"%s\" lacks \"%s\"", text, part);
}

static void expect_up(void)
{
	const char *text;

	(void)tls_failure(d.client, &text);
	ck_assert_msg(tls_state(d.client) == TLS_UP, "client: %s", text);
	(void)tls_failure(d.server, &text);
	ck_assert_msg(tls_state(d.server) == TLS_UP, "server: %s", text);
}

START_TEST(both_ways)
{
	set_up();
	duo_start(&d);
	tls_send(d.client, SLICE("waits for the handshake"));
	duo_pump(&d);
	expect_up();
	expect_plain(d.server, "waits for the handshake");
	tls_send(d.server, SLICE("hello"));
	duo_pump(&d);
	expect_plain(d.client, "hello");
	ck_assert_str_eq(tls_peer(d.client)->version, "TLS1.3");
	ck_assert_str_eq(tls_peer(d.client)->subject, "CN=example.com");
	ck_assert_str_eq(tls_peer(d.client)->issuer, "CN=Authority");
	ck_assert_str_eq(tls_peer(d.client)->matched, "example.com");
	ck_assert_uint_eq(strlen(tls_peer(d.client)->fingerprint), 64);
	ck_assert_str_eq(tls_peer(d.server)->subject, "");
	ck_assert_ptr_null(tls_peer(d.server)->matched);
	tear_down();
}
END_TEST

START_TEST(byte_by_byte)
{
	set_up();
	d.piece = 1;
	duo_shake(&d);
	expect_up();
	tls_send(d.client, SLICE("0123456789"));
	duo_pump(&d);
	expect_plain(d.server, "0123456789");
	tear_down();
}
END_TEST

START_TEST(another_name)
{
	set_up();
	d.client_wish.domain = "example.org";
	duo_shake(&d);
	expect_failure(d.client, TLS_WRONG_NAME, "example.com, not for example.org");
	expect_failure(d.server, TLS_REFUSED_BY_PEER, "");
	tear_down();
}
END_TEST

START_TEST(goodbye)
{
	set_up();
	duo_shake(&d);
	tls_close(d.client);
	duo_pump(&d);
	ck_assert_int_eq(tls_state(d.client), TLS_CLOSED);
	ck_assert_int_eq(tls_state(d.server), TLS_CLOSED);
	tear_down();
}
END_TEST

START_TEST(cut_off)
{
	set_up();
	duo_shake(&d);
	tls_end(d.client);
	expect_failure(d.client, TLS_BROKEN, "cut off");
	tear_down();
}
END_TEST

RUN_TESTS("daemon-tls", both_ways, byte_by_byte, another_name, goodbye, cut_off)
