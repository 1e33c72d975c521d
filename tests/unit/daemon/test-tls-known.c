/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Trust on first use: the list of known servers, and the asking. */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "daemon/tls-known.h"
#include "protocol/base/err.h"
#include "protocol/base/mem.h"
#include "tests/support/duo.h"
#include "tests/support/run.h"

#define KEY_A "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define KEY_B "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"

static struct duo d;

/* A server with a certificate of its own making, and a client that may ask. */
static void show_own(const struct cert_wish *wish)
{
	struct cert own = cert_make(wish, NULL);

	duo_show(&d, TLS_SERVER, (const struct cert *[]){ &own, NULL });
	cert_free(&own);
}

static void set_up(void)
{
	duo_init(&d);
	d.client_conf.trust_on_first_use = true;
	show_own(&(struct cert_wish){ .name = "pbx" });
}

/* The process ends and begins again. */
static void restart(void)
{
	duo_forget(&d);
	tls_store_free(d.store);
	d.store = tls_store_new(d.folder, &d.log);
}

static void put_known(const char *text)
{
	char *path cleanup_free = duo_path(&d, "known-servers");
	FILE *f = fopen(path, "w");

	ck_assert_ptr_nonnull(f);
	(void)fputs(text, f);
	(void)fclose(f);
}

START_TEST(list_survives)
{
	struct tls_known k;
	struct stat st;
	char *path;

	duo_init(&d);
	path = duo_path(&d, "known-servers");
	tls_known_init(&k, d.folder, &d.log);
	ck_assert_ptr_null(tls_known_find(&k, "example.com"));
	ck_assert_int_eq(tls_known_add(&k, "Example.com.", KEY_A), 0);
	ck_assert_int_eq(tls_known_add(&k, "[2001:db8::1]", KEY_B), 0);
	ck_assert_int_eq(tls_known_add(&k, "example.COM", KEY_B), -EEXIST);
	ck_assert_int_eq(tls_known_add(&k, "exa mple", KEY_B), -EINVAL);
	tls_known_deinit(&k);
	ck_assert_int_eq(stat(path, &st), 0);
	ck_assert_int_eq(st.st_mode & 0777, 0600);
	tls_known_init(&k, d.folder, &d.log);
	ck_assert_str_eq(tls_known_find(&k, "example.com"), KEY_A);
	ck_assert_str_eq(tls_known_find(&k, "2001:db8:0::1"), KEY_B);
	tls_known_deinit(&k);
	ck_assert_str_eq(d.lines, "");
	free(path);
	duo_deinit(&d);
}
END_TEST

/* What a crash or an editor leaves: half a line is none, and the others stand. */
START_TEST(list_is_read_leniently)
{
	struct tls_known k;

	duo_init(&d);
	put_known("# comment " KEY_A "\n\nexample.com " KEY_A "\r\nexample.org aaaa\n nodomain\n"
		  "example.net " KEY_B);
	tls_known_init(&k, d.folder, &d.log);
	ck_assert_uint_eq(k.n, 2);
	ck_assert_str_eq(tls_known_find(&k, "example.com"), KEY_A);
	ck_assert_str_eq(tls_known_find(&k, "example.net"), KEY_B);
	tls_known_deinit(&k);
	duo_deinit(&d);
}
END_TEST

START_TEST(list_is_bounded)
{
	struct tls_known k;

	duo_init(&d);
	tls_known_init(&k, NULL, &d.log);
	for (int i = 0; i < TLS_MAX_KNOWN; i++) {
		char name[32];

		(void)snprintf(name, sizeof(name), "%d.example", i);
		ck_assert_int_eq(tls_known_add(&k, name, KEY_A), 0);
	}
	ck_assert_int_eq(tls_known_add(&k, "one.too.many", KEY_A), -ENOSPC);
	ck_assert_ptr_null(tls_known_find(&k, "one.too.many"));
	tls_known_deinit(&k);
	duo_deinit(&d);
}
END_TEST

START_TEST(asked_once)
{
	set_up();
	d.piece = 7;
	duo_start(&d);
	tls_send(d.client, SLICE("waits"));
	duo_pump(&d);
	/* the peer is not answered before somebody decided */
	ck_assert_int_eq(tls_state(d.client), TLS_ASKING);
	ck_assert_int_eq(tls_state(d.server), TLS_HANDSHAKE);
	ck_assert_str_eq(tls_peer(d.client)->subject, "CN=pbx");
	ck_assert_uint_gt(tls_certificate(d.client).n, 100);
	tls_decide(d.client, TLS_NO_FAILURE, d.now);
	duo_pump(&d);
	duo_expect_plain(d.server, "waits");
	duo_expect_up(&d);
	ck_assert_str_eq(tls_peer(d.client)->matched, "example.com");
	/* never again, even after a restart */
	restart();
	duo_shake(&d);
	duo_expect_up(&d);
	duo_deinit(&d);
}
END_TEST

START_TEST(asked_with_tls_1_2)
{
	set_up();
	d.server_priority = DUO_ONLY_12;
	duo_shake(&d);
	ck_assert_int_eq(tls_state(d.client), TLS_ASKING);
	tls_decide(d.client, TLS_NO_FAILURE, d.now);
	duo_pump(&d);
	duo_expect_up(&d);
	ck_assert_str_eq(tls_peer(d.client)->version, "TLS1.2");
	duo_deinit(&d);
}
END_TEST

START_TEST(refused_and_asked_again)
{
	set_up();
	duo_shake(&d);
	tls_decide(d.client, TLS_UNTRUSTED, d.now);
	duo_expect_failure(d.client, TLS_UNTRUSTED, "CN=pbx");
	duo_pump(&d);
	duo_expect_failure(d.server, TLS_REFUSED_BY_PEER, "");
	duo_shake(&d);
	ck_assert_int_eq(tls_state(d.client), TLS_ASKING);
	duo_deinit(&d);
}
END_TEST

START_TEST(changed_is_refused)
{
	set_up();
	duo_shake(&d);
	tls_decide(d.client, TLS_NO_FAILURE, d.now);
	duo_pump(&d);
	show_own(&(struct cert_wish){ .name = "pbx" });
	restart();
	duo_shake(&d);
	duo_expect_failure(d.client, TLS_CHANGED, "example.com had another key");
	duo_expect_failure(d.server, TLS_REFUSED_BY_PEER, "");
	/* until its line is removed */
	put_known("");
	tls_identity_refresh(d.client_identity);
	duo_shake(&d);
	ck_assert_int_eq(tls_state(d.client), TLS_ASKING);
	duo_deinit(&d);
}
END_TEST

/* The same key in a new certificate is the same server. */
START_TEST(renewed_with_its_key)
{
	struct cert old, renewed;

	set_up();
	old = cert_make(&(struct cert_wish){ .name = "pbx" }, NULL);
	duo_show(&d, TLS_SERVER, (const struct cert *[]){ &old, NULL });
	duo_shake(&d);
	tls_decide(d.client, TLS_NO_FAILURE, d.now);
	duo_pump(&d);
	renewed = cert_renew(&(struct cert_wish){ .name = "pbx", .ends = 30 * CERT_DAY }, &old);
	duo_show(&d, TLS_SERVER, (const struct cert *[]){ &renewed, NULL });
	restart();
	duo_shake(&d);
	duo_expect_up(&d);
	cert_free(&old);
	cert_free(&renewed);
	duo_deinit(&d);
}
END_TEST

/* Two connections at a time: the second decision does not bring in another key. */
START_TEST(decided_twice)
{
	struct tls *first;

	set_up();
	duo_shake(&d);
	first = mem_take(&d.client);
	show_own(&(struct cert_wish){ .name = "evil" });
	tls_identity_unref(mem_take(&d.server_identity));
	duo_shake(&d);
	ck_assert_int_eq(tls_state(d.client), TLS_ASKING);
	tls_decide(first, TLS_NO_FAILURE, d.now);
	tls_decide(d.client, TLS_NO_FAILURE, d.now);
	duo_expect_failure(d.client, TLS_CHANGED, "example.com");
	tls_free(first);
	duo_deinit(&d);
}
END_TEST

/* Only what nobody signed is asked about. */
START_TEST(not_asked)
{
	set_up();
	show_own(&(struct cert_wish){ .name = "pbx", .begins = -9 * CERT_DAY, .ends = -CERT_DAY });
	duo_shake(&d);
	duo_expect_failure(d.client, TLS_EXPIRED, "ended at");
	duo_forget(&d);
	duo_certify(&d, TLS_SERVER, &(struct cert_wish){ .san = { "dns:other.example" } });
	duo_shake(&d);
	duo_expect_failure(d.client, TLS_WRONG_NAME, "other.example, not for example.com");
	duo_forget(&d);
	/* and nothing of what is trusted anyway */
	duo_certify(&d, TLS_SERVER, &(struct cert_wish){ .san = { "dns:example.com" } });
	duo_shake(&d);
	duo_expect_up(&d);
	duo_deinit(&d);
}
END_TEST

/* With a list that can't be read, who is new and who has changed look the same. */
START_TEST(unreadable_list)
{
	char *path;

	set_up();
	path = duo_path(&d, "known-servers");
	ck_assert_int_eq(mkdir(path, 0700), 0);
	restart();
	duo_shake(&d);
	duo_expect_failure(d.client, TLS_UNTRUSTED, "not known whether it is new");
	ck_assert_ptr_nonnull(strstr(d.lines, "known-servers: is a directory"));
	ck_assert_int_eq(rmdir(path), 0);
	free(path);
	duo_deinit(&d);
}
END_TEST

/* What the peer sends while it is not decided is bounded, and its going away is noticed. */
START_TEST(while_asking)
{
	static char block[16 * 1024];

	set_up();
	duo_shake(&d);
	for (int i = 0; i < 3; i++)
		tls_receive(d.client, slice_of(block, sizeof(block)), d.now);
	ck_assert_int_eq(tls_state(d.client), TLS_ASKING);
	tls_receive(d.client, slice_of(block, sizeof(block)), d.now);
	duo_expect_failure(d.client, TLS_BROKEN, "before it is trusted");
	duo_shake(&d);
	tls_end(d.client);
	duo_expect_failure(d.client, TLS_BROKEN, "cut off");
	duo_deinit(&d);
}
END_TEST

RUN_TESTS("daemon-tls-known", list_survives, list_is_read_leniently, list_is_bounded, asked_once,
	asked_with_tls_1_2, refused_and_asked_again, changed_is_refused, renewed_with_its_key,
	decided_twice, not_asked, unreadable_list, while_asking)
