/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Two ends that talk to one another: handshakes, plain text, goodbye, and what breaks them. */
#include <string.h>

#include "daemon/tls-private.h"
#include "protocol/base/mem.h"
#include "tests/support/duo.h"
#include "tests/support/run.h"

static struct duo d;

static void set_up(void)
{
	duo_init(&d);
	duo_certify(&d, TLS_SERVER,
		&(struct cert_wish){ .name = "good", .san = { "uri:sip:example.com" } });
}

START_TEST(both_ways)
{
	const char *text;

	set_up();
	duo_start(&d);
	ck_assert_ptr_null(tls_peer(d.client));
	ck_assert_uint_eq(tls_certificate(d.client).n, 0);
	tls_send(d.client, SLICE("waits for the handshake"));
	duo_pump(&d);
	duo_expect_plain(d.server, "waits for the handshake");
	duo_expect_up(&d);
	ck_assert_int_eq((int)tls_failure(d.client, &text), (int)TLS_NO_FAILURE);
	ck_assert_str_eq(text, "");
	ck_assert_str_eq(tls_peer(d.client)->version, "TLS1.3");
	ck_assert_str_eq(tls_peer(d.client)->subject, "CN=good");
	ck_assert_str_eq(tls_peer(d.client)->issuer, "CN=Authority");
	ck_assert_str_eq(tls_peer(d.client)->matched, "example.com");
	ck_assert_uint_eq(strlen(tls_peer(d.client)->fingerprint), 64);
	ck_assert_uint_gt(tls_peer(d.client)->not_after, d.now);
	ck_assert_str_eq(tls_peer(d.server)->subject, "");
	ck_assert_ptr_null(tls_peer(d.server)->matched);
	duo_deinit(&d);
}
END_TEST

START_TEST(in_pieces)
{
	set_up();
	for (d.piece = 1; d.piece < 40; d.piece += 6) {
		duo_forget(&d);
		duo_shake(&d);
		duo_expect_up(&d);
	}
	duo_deinit(&d);
}
END_TEST

START_TEST(in_pieces_with_tls_1_2)
{
	set_up();
	d.server_priority = DUO_ONLY_12;
	for (d.piece = 1; d.piece < 40; d.piece += 6) {
		duo_forget(&d);
		duo_shake(&d);
		duo_expect_up(&d);
		ck_assert_str_eq(tls_peer(d.client)->version, "TLS1.2");
	}
	duo_deinit(&d);
}
END_TEST

/* More than one record holds. */
START_TEST(large)
{
	const size_t n = 100 * 1000;
	char *text = mem_alloc(n);

	set_up();
	for (size_t i = 0; i < n; i++)
		text[i] = (char)(i % 251);
	duo_shake(&d);
	tls_send(d.client, slice_of(text, n));
	duo_pump(&d);
	ck_assert_uint_eq(tls_plain(d.server)->n, n);
	ck_assert_mem_eq(tls_plain(d.server)->p, text, n);
	free(text);
	duo_deinit(&d);
}
END_TEST

START_TEST(queues_are_bounded)
{
	const size_t n = 1024 * 1024;
	char *text = mem_zalloc(n);

	set_up();
	duo_start(&d);
	tls_send(d.client, slice_of(text, n));
	ck_assert_int_eq(tls_state(d.client), TLS_HANDSHAKE);
	tls_send(d.client, slice_of(text, 1));
	duo_expect_failure(d.client, TLS_BROKEN, "wait for it");
	/* the peer takes nothing */
	duo_shake(&d);
	for (int i = 0; i < 4; i++)
		tls_send(d.client, slice_of(text, n));
	duo_expect_failure(d.client, TLS_BROKEN, "the peer takes nothing");
	/* we take nothing */
	duo_shake(&d);
	tls_send(d.client, slice_of(text, n));
	duo_pump(&d);
	ck_assert_int_eq(tls_state(d.server), TLS_UP);
	tls_send(d.client, slice_of(text, 1));
	duo_pump(&d);
	duo_expect_failure(d.server, TLS_BROKEN, "that nobody takes");
	free(text);
	duo_deinit(&d);
}
END_TEST

START_TEST(rested)
{
	set_up();
	duo_shake(&d);
	duo_expect_up(&d);
	tls_rest(d.client);
	tls_rest(d.server);
	ck_assert_ptr_null(tls_plain(d.client)->p);
	ck_assert_ptr_null(tls_output(d.client)->p);
	duo_expect_up(&d);
	/* what is not taken stays */
	tls_send(d.client, SLICE("stays"));
	tls_rest(d.client);
	duo_pump(&d);
	tls_rest(d.server);
	duo_expect_plain(d.server, "stays");
	duo_deinit(&d);
}
END_TEST

/* RFC 5246 section 7.2.1, RFC 8446 section 6.1. */
START_TEST(goodbye)
{
	set_up();
	duo_shake(&d);
	tls_send(d.client, SLICE("last words"));
	tls_close(d.client);
	duo_pump(&d);
	ck_assert_int_eq(tls_state(d.client), TLS_CLOSED);
	ck_assert_int_eq(tls_state(d.server), TLS_CLOSED);
	duo_expect_plain(d.server, "last words");
	/* and then nothing more, nor is the end of bytes a failure */
	tls_send(d.server, SLICE("too late"));
	tls_receive(d.server, SLICE("too late"), d.now);
	tls_end(d.server);
	tls_end(d.client);
	ck_assert_int_eq(tls_state(d.client), TLS_CLOSED);
	ck_assert_int_eq(tls_state(d.server), TLS_CLOSED);
	duo_deinit(&d);
}
END_TEST

START_TEST(goodbye_before_it_is_up)
{
	set_up();
	duo_start(&d);
	tls_close(d.client);
	tls_send(d.client, SLICE("too late"));
	duo_pump(&d);
	ck_assert_int_eq(tls_state(d.client), TLS_CLOSED);
	duo_deinit(&d);
}
END_TEST

START_TEST(cut_off)
{
	set_up();
	duo_shake(&d);
	tls_send(d.server, SLICE("half of a recor"));
	tls_output(d.server)->n -= 3;
	duo_pump(&d);
	tls_end(d.client);
	duo_expect_failure(d.client, TLS_BROKEN, "cut off");
	duo_start(&d);
	tls_end(d.client);
	duo_expect_failure(d.client, TLS_BROKEN, "cut off");
	tls_end(d.server);
	duo_expect_failure(d.server, TLS_BROKEN, "cut off");
	duo_deinit(&d);
}
END_TEST

/* Every prefix of what the other side says in a handshake, and then the end. */
static void truncate_at_each_point(enum tls_role victim)
{
	struct buf said = BUF_NULL;

	duo_start(&d);
	if (victim == TLS_CLIENT) {
		tls_receive(d.server, buf_slice(tls_output(d.client)), d.now);
		buf_put(&said, buf_slice(tls_output(d.server)));
	} else {
		buf_put(&said, buf_slice(tls_output(d.client)));
	}
	for (size_t n = 0; n < said.n; n += n < 64 ? 1 : 13) {
		struct tls *t =
			tls_new(victim == TLS_CLIENT ? d.client_identity : d.server_identity,
				victim == TLS_CLIENT ? &d.client_wish : &d.server_wish);
		char *copy = mem_alloc(n + 1);

		memcpy(copy, said.p, n);
		tls_start(t, d.now);
		tls_receive(t, slice_of(copy, n), d.now);
		tls_end(t);
		ck_assert_int_eq(tls_state(t), TLS_FAILED);
		free(copy);
		tls_free(t);
	}
	buf_deinit(&said);
}

START_TEST(truncated)
{
	set_up();
	truncate_at_each_point(TLS_SERVER);
	truncate_at_each_point(TLS_CLIENT);
	duo_deinit(&d);
}
END_TEST

START_TEST(not_tls)
{
	set_up();
	duo_start(&d);
	tls_receive(d.server,
		SLICE("OPTIONS sip:example.com SIP/2.0\r\nVia: SIP/2.0/TCP x\r\n\r\n"), d.now);
	duo_expect_failure(d.server, TLS_BROKEN, "");
	tls_receive(d.client, SLICE("SIP/2.0 400 Bad Request\r\n\r\n"), d.now);
	duo_expect_failure(d.client, TLS_BROKEN, "");
	duo_deinit(&d);
}
END_TEST

/* A flipped bit is noticed wherever it is (TLS_BROKEN by a record that does not authenticate). */
START_TEST(tampered)
{
	set_up();
	duo_shake(&d);
	duo_expect_up(&d);
	tls_send(d.client, SLICE("REGISTER"));
	tls_output(d.client)->p[7] ^= 1;
	duo_pump(&d);
	duo_expect_failure(d.server, TLS_BROKEN, "");
	duo_expect_failure(d.client, TLS_REFUSED_BY_PEER, "");
	duo_deinit(&d);
}
END_TEST

START_TEST(versions)
{
	set_up();
	d.server_priority = "NORMAL:-VERS-ALL:+VERS-TLS1.1";
	duo_shake(&d);
	duo_expect_failure(d.client, TLS_TOO_OLD, "");
	/* MinimumVersion=1.3, the client's and the server's */
	d.server_priority = DUO_ONLY_12;
	d.client_conf.minimum_version = mem_strdup("1.3");
	duo_forget(&d);
	duo_shake(&d);
	duo_expect_failure(d.client, TLS_TOO_OLD, "");
	d.server_priority = NULL;
	duo_shake(&d);
	duo_expect_up(&d);
	d.client_priority = DUO_ONLY_12;
	d.server_conf.minimum_version = mem_strdup("1.3");
	duo_forget(&d);
	duo_shake(&d);
	duo_expect_failure(d.server, TLS_TOO_OLD, "");
	duo_expect_failure(d.client, TLS_TOO_OLD, "its alert says");
	duo_deinit(&d);
}
END_TEST

/* Key exchange without forward secrecy is not offered, nor taken. */
START_TEST(old_algorithms)
{
	set_up();
	duo_certify(&d, TLS_SERVER,
		&(struct cert_wish){ .rsa_bits = 2048, .san = { "dns:example.com" } });
	d.server_priority = "NORMAL:-VERS-ALL:+VERS-TLS1.2:-KX-ALL:+RSA";
	duo_shake(&d);
	duo_expect_failure(d.server, TLS_TOO_OLD, "");
	duo_deinit(&d);
}
END_TEST

/* Its key share fits at once: no second round trip (facts say X25519 is the cheapest). */
START_TEST(one_key_share)
{
	set_up();
	duo_shake(&d);
	duo_expect_up(&d);
	ck_assert_int_eq(gnutls_group_get(d.client->session), GNUTLS_GROUP_X25519);
	duo_deinit(&d);
}
END_TEST

/* A server that begins anew within a connection (RFC 5246 section 7.4.1.1). */
START_TEST(renegotiation)
{
	set_up();
	d.server_priority = DUO_ONLY_12;
	duo_shake(&d);
	duo_expect_up(&d);
	ck_assert_int_eq(gnutls_rehandshake(d.server->session), 0);
	duo_pump(&d);
	duo_expect_failure(d.client, TLS_BROKEN, "renegotiate");
	duo_expect_failure(d.server, TLS_REFUSED_BY_PEER, "enegotiation");
	duo_deinit(&d);
}
END_TEST

/* And a client, which would be asked for another certificate. */
START_TEST(renegotiation_by_client)
{
	set_up();
	d.server_priority = DUO_ONLY_12;
	duo_shake(&d);
	duo_expect_up(&d);
	ck_assert_int_eq(gnutls_handshake(d.client->session), GNUTLS_E_AGAIN);
	duo_pump(&d);
	duo_expect_failure(d.server, TLS_BROKEN, "renegotiate");
	duo_deinit(&d);
}
END_TEST

/* RFC 8446 section 4.6.3: new keys in the middle of it are nothing special. */
START_TEST(key_update)
{
	set_up();
	duo_shake(&d);
	ck_assert_int_eq(gnutls_session_key_update(d.server->session, GNUTLS_KU_PEER), 0);
	duo_expect_up(&d);
	duo_expect_up(&d);
	duo_deinit(&d);
}
END_TEST

RUN_TESTS("daemon-tls", both_ways, in_pieces, in_pieces_with_tls_1_2, large, queues_are_bounded,
	rested, goodbye, goodbye_before_it_is_up, cut_off, truncated, not_tls, tampered, versions,
	old_algorithms, one_key_share, renegotiation, renegotiation_by_client, key_update)
