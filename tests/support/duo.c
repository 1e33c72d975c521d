/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tests/support/duo.h"

#include <check.h>
#include <dirent.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "daemon/tls-private.h"
#include "protocol/base/mem.h"

/* For programs that are no tests, too: the library's macros work within a test alone. */
static void must(bool holds)
{
	if (!holds)
		abort();
}

static void note(void *ctx, enum log_level level, const char *text)
{
	struct duo *d = ctx;
	const size_t n = strlen(d->lines);

	(void)level;
	(void)snprintf(d->lines + n, sizeof(d->lines) - n, "%s\n", text);
}

char *duo_path(struct duo *d, const char *name)
{
	struct buf b = { 0 };

	buf_printf(&b, "%s/%s", d->folder, name);
	return buf_take(&b);
}

void duo_set_path(struct duo *d, char **member, const char *name)
{
	free(*member);
	*member = duo_path(d, name);
}

void duo_init(struct duo *d)
{
	const struct cert_wish authority = { .name = "Authority", .authority = true };

	*d = (struct duo){ 0 };
	(void)snprintf(d->folder, sizeof(d->folder), "%s/sipbus-tls-XXXXXX",
		getenv("TMPDIR") ? getenv("TMPDIR") : "/tmp");
	must(mkdtemp(d->folder) != NULL);
	d->log = (struct log_sink){ .write = note, .ctx = d, .max = LOG_LEVEL_DEBUG };
	d->store = tls_store_new(d->folder, &d->log);
	d->ca = cert_make(&authority, NULL);
	d->now = (uint64_t)time(NULL);
	duo_set_path(d, &d->client_conf.ca_file, "ca.pem");
	duo_set_path(d, &d->server_conf.ca_file, "ca.pem");
	cert_write(d->client_conf.ca_file, NULL, (const struct cert *[]){ &d->ca, NULL });
	d->client_wish = (struct tls_wish){
		.role = TLS_CLIENT, .domain = "example.com", .ticket = "sip.example.com:5061"
	};
	d->server_wish = (struct tls_wish){ .role = TLS_SERVER };
}

static void free_conf(struct profile_tls *c)
{
	free(c->ca_file);
	free(c->crl_file);
	free(c->certificate_file);
	free(c->key_file);
	free(c->server_name);
	free(c->pin);
	free(c->key_log_file);
	free(c->minimum_version);
}

static void remove_folder(const char *folder)
{
	DIR *dir = opendir(folder);

	for (struct dirent *e = readdir(dir); e; e = readdir(dir))
		(void)unlinkat(dirfd(dir), e->d_name, 0);
	(void)closedir(dir);
	(void)rmdir(folder);
}

void duo_hang_up(struct duo *d)
{
	tls_free(mem_take(&d->client));
	tls_free(mem_take(&d->server));
}

void duo_forget(struct duo *d)
{
	duo_hang_up(d);
	tls_identity_unref(mem_take(&d->client_identity));
	tls_identity_unref(mem_take(&d->server_identity));
}

void duo_deinit(struct duo *d)
{
	duo_forget(d);
	tls_store_free(d->store);
	cert_free(&d->ca);
	free_conf(&d->client_conf);
	free_conf(&d->server_conf);
	remove_folder(d->folder);
}

void duo_show(struct duo *d, enum tls_role role, const struct cert *const *chain)
{
	struct profile_tls *conf = role == TLS_CLIENT ? &d->client_conf : &d->server_conf;

	duo_set_path(d, &conf->certificate_file, role == TLS_CLIENT ? "client.pem" : "server.pem");
	duo_set_path(d, &conf->key_file, role == TLS_CLIENT ? "client.key" : "server.key");
	cert_write(conf->certificate_file, conf->key_file, chain);
}

void duo_certify(struct duo *d, enum tls_role role, const struct cert_wish *wish)
{
	struct cert c = cert_make(wish, &d->ca);

	duo_show(d, role, (const struct cert *[]){ &c, NULL });
	cert_free(&c);
}

static void prefer(struct tls *t, const char *priority)
{
	if (priority)
		must(gnutls_priority_set_direct(t->session, priority, NULL) == 0);
}

void duo_start(struct duo *d)
{
	duo_hang_up(d);
	if (!d->client_identity)
		must(tls_identity_new(&d->client_conf, NULL, TLS_CLIENT, d->store,
			     &d->client_identity) == 0);
	if (!d->server_identity)
		must(tls_identity_new(&d->server_conf, NULL, TLS_SERVER, d->store,
			     &d->server_identity) == 0);
	d->client = tls_new(d->client_identity, &d->client_wish);
	d->server = tls_new(d->server_identity, &d->server_wish);
	prefer(d->client, d->client_priority);
	prefer(d->server, d->server_priority);
	tls_start(d->server, d->now);
	tls_start(d->client, d->now);
}

/* At the exact size, so that a sanitizer sees a byte too many that is read. */
static bool carry(struct duo *d, struct tls *from, struct tls *to)
{
	struct buf *b = tls_output(from);
	const size_t n = d->piece && d->piece < b->n ? d->piece : b->n;
	char *copy;

	if (!n)
		return false;
	copy = mem_alloc(n);
	memcpy(copy, b->p, n);
	buf_consume(b, n);
	tls_receive(to, slice_of(copy, n), d->now);
	free(copy);
	return true;
}

void duo_pump(struct duo *d)
{
	bool moved = true;

	while (moved) {
		moved = carry(d, d->client, d->server);
		moved = carry(d, d->server, d->client) || moved;
	}
}

void duo_shake(struct duo *d)
{
	duo_start(d);
	duo_pump(d);
}

void duo_expect_plain(struct tls *t, const char *text)
{
	struct buf *b = tls_plain(t);

	ck_assert_uint_eq(b->n, strlen(text));
	ck_assert_mem_eq(b->p, text, b->n);
	buf_consume(b, b->n);
}

void duo_expect_failure(struct tls *t, enum tls_failure f, const char *part)
{
	const char *text;
	const enum tls_failure got = tls_failure(t, &text);
	const char *name = tls_failure_name(f);

	ck_assert_msg(tls_state(t) == TLS_FAILED, "state %d", (int)tls_state(t));
	ck_assert_msg(got == f, "not %s but %s", name, text);
	ck_assert_msg(
		strncmp(text, name, strlen(name)) == 0 && text[strlen(name)] == ':', "%s", text);
	ck_assert_msg(strstr(text, part) != NULL, "\"%s\" lacks \"%s\"", text, part);
}

static void expect_state_up(const struct tls *t, const char *who)
{
	const char *text;

	(void)tls_failure(t, &text);
	ck_assert_msg(tls_state(t) == TLS_UP, "%s: %s", who, text);
}

void duo_expect_up(struct duo *d)
{
	expect_state_up(d->client, "client");
	expect_state_up(d->server, "server");
	tls_send(d->client, SLICE("from the client"));
	tls_send(d->server, SLICE("from the server"));
	duo_pump(d);
	duo_expect_plain(d->server, "from the client");
	duo_expect_plain(d->client, "from the server");
}
