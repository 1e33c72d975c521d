/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Session tickets, and files that change while the daemon runs. */
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "daemon/tls-private.h"
#include "protocol/base/err.h"
#include "protocol/base/mem.h"
#include "tests/support/duo.h"
#include "tests/support/run.h"

static struct duo d;

static const struct cert_wish good = { .name = "good", .san = { "uri:sip:example.com" } };

static void set_up(void)
{
	duo_init(&d);
	duo_certify(&d, TLS_SERVER, &good);
}

/* Another connection; whether both ends took it up where an old one was. */
static bool again(void)
{
	duo_shake(&d);
	duo_expect_up(&d);
	ck_assert_int_eq(tls_peer(d.client)->resumed, tls_peer(d.server)->resumed);
	return tls_peer(d.client)->resumed;
}

START_TEST(every_reconnect)
{
	set_up();
	ck_assert(!again());
	for (int i = 0; i < 5; i++) {
		ck_assert(again());
		ck_assert_str_eq(tls_peer(d.client)->subject, "CN=good");
		ck_assert_str_eq(tls_peer(d.client)->matched, "example.com");
	}
	duo_deinit(&d);
}
END_TEST

START_TEST(every_reconnect_with_tls_1_2)
{
	set_up();
	d.server_priority = DUO_ONLY_12;
	ck_assert(!again());
	for (int i = 0; i < 5; i++)
		ck_assert(again());
	duo_deinit(&d);
}
END_TEST

START_TEST(not_for_others)
{
	set_up();
	duo_certify(&d, TLS_SERVER,
		&(struct cert_wish){ .san = { "dns:example.com", "dns:example.org" } });
	ck_assert(!again());
	d.client_wish.ticket = "sip2.example.com:5061";
	ck_assert(!again());
	d.client_wish.domain = "example.org";
	ck_assert(!again());
	d.client_wish.ticket = "sip.example.com:5061";
	ck_assert(!again());
	d.client_wish.domain = "example.com";
	ck_assert(again());
	/* of another identity */
	tls_identity_unref(mem_take(&d.client_identity));
	ck_assert(!again());
	d.client_wish.ticket = NULL;
	ck_assert(!again());
	ck_assert(!again());
	duo_deinit(&d);
}
END_TEST

START_TEST(not_after_its_time)
{
	set_up();
	ck_assert(!again());
	/* the certificate's end is nearer than the ticket's */
	d.now += CERT_DAY - 60;
	ck_assert(again());
	d.now += 120;
	duo_shake(&d);
	duo_expect_failure(d.client, TLS_EXPIRED, "CN=good ended");
	duo_deinit(&d);
}
END_TEST

/* However often it is used. */
START_TEST(a_full_handshake_in_the_end)
{
	struct cert_wish w = good;

	set_up();
	w.ends = 100 * CERT_DAY;
	duo_certify(&d, TLS_SERVER, &w);
	ck_assert(!again());
	d.now += 4 * CERT_DAY;
	ck_assert(again());
	d.now += 4 * CERT_DAY;
	ck_assert(!again());
	duo_deinit(&d);
}
END_TEST

/* A server looks at the client's certificate again, by today's date and lists. */
START_TEST(mutual)
{
	char host[] = "client.example.com", other[] = "example.net";
	char *allowed[] = { host }, *others[] = { other };

	set_up();
	duo_certify(&d, TLS_CLIENT,
		&(struct cert_wish){ .name = "client", .san = { "dns:client.example.com" } });
	ck_assert(!again());
	d.server_wish.mutual = true;
	d.server_wish.allowed = allowed;
	d.server_wish.n_allowed = 1;
	/* a session without client certificate does not become one with */
	ck_assert(!again());
	ck_assert(again());
	ck_assert_str_eq(tls_peer(d.server)->matched, "client.example.com");
	ck_assert_str_eq(tls_peer(d.server)->subject, "CN=client");
	d.server_wish.allowed = others;
	duo_shake(&d);
	ck_assert(gnutls_session_is_resumed(d.server->session));
	duo_expect_failure(d.server, TLS_NOT_ALLOWED, "client.example.com");
	duo_deinit(&d);
}
END_TEST

START_TEST(no_more_than_the_limit)
{
	char ticket[32];

	set_up();
	d.client_wish.ticket = ticket;
	for (int i = 0; i < 70; i++) {
		(void)snprintf(ticket, sizeof(ticket), "s%d:5061", i);
		ck_assert(!again());
	}
	ck_assert_uint_eq(d.client_identity->n_tickets, 64);
	(void)snprintf(ticket, sizeof(ticket), "s69:5061");
	ck_assert(again());
	(void)snprintf(ticket, sizeof(ticket), "s0:5061");
	ck_assert(!again());
	duo_deinit(&d);
}
END_TEST

START_TEST(certificate_is_replaced)
{
	set_up();
	ck_assert(!again());
	/* nothing happens without a look at the files, nor to who is there already */
	duo_certify(&d, TLS_SERVER,
		&(struct cert_wish){ .name = "renewed", .san = { "dns:example.com" } });
	tls_identity_unref(mem_take(&d.client_identity));
	ck_assert(!again());
	ck_assert_str_eq(tls_peer(d.client)->subject, "CN=good");
	tls_identity_refresh(d.server_identity);
	duo_expect_up(&d);
	/* the old ticket is not worth anything to the server any more */
	ck_assert(!again());
	ck_assert_str_eq(tls_peer(d.client)->subject, "CN=renewed");
	ck_assert(again());
	duo_deinit(&d);
}
END_TEST

START_TEST(bad_replacement)
{
	struct cert other;

	set_up();
	ck_assert(!again());
	/* half of it is there: the key of another certificate */
	other = cert_make(&good, &d.ca);
	cert_write(d.server_conf.certificate_file, NULL, (const struct cert *[]){ &other, NULL });
	tls_identity_refresh(d.server_identity);
	tls_identity_refresh(d.server_identity);
	ck_assert(again());
	ck_assert_ptr_nonnull(strstr(d.lines, "server.key: is not the certificate's key\n"));
	ck_assert_ptr_eq(strchr(d.lines, '\n') + 1, d.lines + strlen(d.lines)); /* told once */
	/* the other half */
	duo_show(&d, TLS_SERVER, (const struct cert *[]){ &other, NULL });
	tls_identity_refresh(d.server_identity);
	ck_assert(!again());
	(void)unlink(d.server_conf.key_file);
	tls_identity_refresh(d.server_identity);
	ck_assert(again());
	cert_free(&other);
	duo_deinit(&d);
}
END_TEST

static void expect_unusable(
	const struct profile_tls *conf, enum tls_role role, int r, const char *part)
{
	struct tls_identity *i = NULL;

	d.lines[0] = '\0';
	ck_assert_int_eq(tls_identity_new(conf, NULL, role, d.store, &i), r);
	ck_assert_ptr_null(i);
	ck_assert_msg(strstr(d.lines, part) != NULL, "%s", d.lines);
}

START_TEST(unusable_files)
{
	struct profile_tls conf;

	set_up();
	conf = d.server_conf;
	conf.certificate_file = conf.key_file = NULL;
	expect_unusable(&conf, TLS_SERVER, -EINVAL, "CertificateFile and KeyFile are needed");
	conf = d.server_conf;
	conf.ca_file = (char *)(uintptr_t) "/nonexistent/ca.pem";
	expect_unusable(&conf, TLS_CLIENT, -ENOENT, "/nonexistent/ca.pem: does not exist");
	conf.ca_file = d.server_conf.key_file;
	expect_unusable(&conf, TLS_CLIENT, -EBADMSG, "server.key: ");
	conf = d.server_conf;
	conf.crl_file = conf.ca_file;
	expect_unusable(&conf, TLS_CLIENT, -EBADMSG, "ca.pem: ");
	ck_assert_int_eq(chmod(conf.key_file, 0644), 0);
	expect_unusable(&d.server_conf, TLS_SERVER, -EPERM, "may be read by others");
	duo_deinit(&d);
}
END_TEST

START_TEST(files_are_shared)
{
	struct tls_identity *a, *b;

	set_up();
	ck_assert_int_eq(tls_identity_new(&d.client_conf, NULL, TLS_CLIENT, d.store, &a), 0);
	d.client_conf.pin = mem_strdup("00");
	ck_assert_int_eq(tls_identity_new(&d.client_conf, NULL, TLS_CLIENT, d.store, &b), 0);
	ck_assert_ptr_eq(a->source, b->source);
	tls_identity_unref(a);
	tls_identity_unref(b);
	duo_deinit(&d);
}
END_TEST

START_TEST(fallback)
{
	const struct profile_tls empty = { .minimum_version = (char *)(uintptr_t) "1.2" };
	struct profile_tls b;
	struct tls_identity *i;

	set_up();
	b = d.server_conf;
	b.minimum_version = (char *)(uintptr_t) "1.3";
	ck_assert_int_eq(tls_identity_new(&empty, &b, TLS_SERVER, d.store, &i), 0);
	for (int f = 0; f < TLS_FILES; f++)
		ck_assert_int_eq(i->source->path[f] != NULL, f != TLS_CRL_FILE);
	ck_assert_str_eq(i->source->minimum_version, "1.3");
	tls_identity_unref(i);
	duo_deinit(&d);
}
END_TEST

START_TEST(key_log)
{
	char line[256], random[80];
	struct stat st;
	FILE *f;
	int lines = 0;

	set_up();
	duo_set_path(&d, &d.client_conf.key_log_file, "keys");
	ck_assert(!again());
	f = fopen(d.client_conf.key_log_file, "r");
	ck_assert_ptr_nonnull(f);
	ck_assert_int_eq(fstat(fileno(f), &st), 0);
	ck_assert_int_eq(st.st_mode & 0777, 0600);
	/* NSS format: label, 32 bytes of client random, secret */
	while (fgets(line, sizeof(line), f)) {
		ck_assert_int_eq(sscanf(line, "%*[A-Z_0-9] %79[0-9a-f] %*[0-9a-f]", random), 1);
		ck_assert_uint_eq(strlen(random), 64);
		lines++;
	}
	ck_assert_int_ge(lines, 4);
	(void)fclose(f);
	ck_assert_int_eq(chmod(d.client_conf.key_log_file, 0640), 0);
	expect_unusable(&d.client_conf, TLS_CLIENT, -EPERM, "keys: ");
	duo_deinit(&d);
}
END_TEST

RUN_TESTS("daemon-tls-ticket", every_reconnect, every_reconnect_with_tls_1_2, not_for_others,
	not_after_its_time, a_full_handshake_in_the_end, mutual, no_more_than_the_limit,
	certificate_is_replaced, bad_replacement, unusable_files, files_are_shared, fallback,
	key_log)
