/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "conf/daemon-conf.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "conf/schema-rows.h"
#include "conf/schema-type.h"
#include "conf/tls-files.h"
#include "protocol/base/mem.h"

#define AT(member) .offset = offsetof(struct daemon_conf, member)
#define LISTEN_AT(member) .offset = offsetof(struct daemon_listen, member)

static const struct schema_key daemon_keys[] = {
	{ .name = "UserAgent",
		AT(user_agent),
		.type = &schema_text,
		.max = 128,
		.preset = "sipbus/" SIPBUS_VERSION,
		.doc = "The User-Agent header of every message" },
	{ .name = "MaximumEndpoints",
		AT(max_endpoints),
		.type = &schema_number,
		.min = 1,
		.max = 100000,
		.preset = "10000",
		.doc = "Endpoints that may exist at one time" },
	{ .name = "MaximumSessions",
		AT(max_sessions),
		.type = &schema_number,
		.min = 1,
		.max = 100000,
		.preset = "10000",
		.doc = "Sessions that may exist at one time" },
	{ .name = "MaximumMessageSize",
		AT(max_message_size),
		.type = &schema_size,
		.min = 4096,
		.max = 1048576,
		.preset = "64K",
		.doc = "Largest SIP message that is read or sent, headers and body" },
	{ .name = "ConnectionsPerPeer",
		AT(max_per_peer),
		.type = &schema_number,
		.min = 1,
		.max = 65536,
		.preset = "256",
		.doc = "Connections that one address may have to us at one time" },
	{ .name = "NewConnectionsPerPeer",
		AT(max_new_per_peer),
		.type = &schema_number,
		.min = 1,
		.max = 65536,
		.preset = "64",
		.doc = "Of them, those that have sent no valid message yet" },
	{ .name = "DnsServers",
		AT(dns_servers),
		.n_offset = offsetof(struct daemon_conf, n_dns_servers),
		.type = &schema_servers,
		.doc = "Name servers to ask in place of the system's" },
	{ .name = "HepTarget",
		AT(hep_target),
		.type = &schema_host,
		.support = SCHEMA_LATER_HINT,
		.doc = "Where every message is copied to as HEP version 3" },
};

static const struct schema_key listen_keys[] = {
	{ .name = "Transport",
		LISTEN_AT(transport),
		.type = &schema_word,
		.words = schema_transports,
		.preset = "udp",
		.doc = "What to listen for" },
	{ .name = "Address",
		LISTEN_AT(address),
		.type = &schema_address,
		.doc = "The local address, which may come later; without it every address, IPv4 "
		       "and IPv6. One of a single link has its interface behind it: fe80::1%eth0" },
	{ .name = "Port",
		LISTEN_AT(port),
		.type = &schema_port,
		.preset = "0",
		.doc = "The local port; 0 takes any free one" },
	{ .name = "IdleTimeout",
		LISTEN_AT(idle_timeout),
		.type = &schema_duration,
		.min = USEC_PER_SEC,
		.max = SCHEMA_DAY,
		.preset = "15min",
		.doc = "An accepted connection without traffic is closed after this" },
	{ .name = "FirstMessageTimeout",
		LISTEN_AT(first_message_timeout),
		.type = &schema_duration,
		.min = USEC_PER_SEC,
		.max = SCHEMA_HOUR,
		.preset = "1min",
		.doc = "An accepted connection without a valid message is closed after this" },
	{ .name = "MutualTls",
		LISTEN_AT(mutual_tls),
		.type = &schema_bool,
		.preset = "no",
		.doc = "Ask who connects for a certificate" },
	{ .name = "AllowedDomains",
		LISTEN_AT(allowed_domains),
		.n_offset = offsetof(struct daemon_listen, n_allowed_domains),
		.type = &schema_domains,
		.doc = "The domains whose certificates are let in with MutualTls" },
};

static const struct schema_key tls_keys[] = { SCHEMA_TLS_ROWS(struct daemon_conf, tls) };

static const struct schema_key access_keys[] = { SCHEMA_ACCESS_ROWS(struct daemon_conf) };

static void *whole(void *root)
{
	return root;
}

static void *next_listen(void *root)
{
	struct daemon_conf *c = root;

	c->listens = mem_realloc(c->listens, (c->n_listens + 1) * sizeof(*c->listens));
	c->listens[c->n_listens] = (struct daemon_listen){ .transport = TRANSPORT_NONE };
	return &c->listens[c->n_listens++];
}

enum { ROW_DAEMON, ROW_LISTEN, ROW_TLS, ROW_ACCESS };

static const struct schema_section sections[] = {
	[ROW_DAEMON] = { .name = "Daemon", SCHEMA_KEYS(daemon_keys), .base = whole },
	[ROW_LISTEN] = { .name = "Listen",
		SCHEMA_KEYS(listen_keys),
		.base = next_listen,
		.repeats = SCHEMA_REPEATS },
	[ROW_TLS] = { .name = "Tls", SCHEMA_KEYS(tls_keys), .base = whole },
	[ROW_ACCESS] = { .name = "Access", SCHEMA_KEYS(access_keys), .base = whole },
};
static_assert(ARRAY_LEN(sections) <= SCHEMA_ROWS_MAX, "the reader has too few places");

const struct schema daemon_conf_schema = { .sections = sections,
	.n_sections = ARRAY_LEN(sections) };

static bool same_text(const char *a, const char *b)
{
	return a == b || (a && b && strcmp(a, b) == 0);
}

/* TLS listens on TCP's ports. */
static bool same_socket_kind(enum transport a, enum transport b)
{
	return (a == TRANSPORT_UDP) == (b == TRANSPORT_UDP);
}

static void complain(struct schema_reader *r, size_t index, const char *key, const char *text)
{
	const struct schema_spot spot = { "Listen", key, (unsigned)index };

	schema_problem(r, PROBLEM_ERROR, schema_line(r, spot), "[Listen] %s", text);
}

/* Who would listen without what it takes, or let everybody in, or nobody. */
static void check_secure(struct schema_reader *r, const struct daemon_conf *c, size_t i)
{
	const struct daemon_listen *l = &c->listens[i];

	if (l->transport == TRANSPORT_TLS && !c->tls.certificate_file)
		complain(r, i, "Transport",
			"Transport=tls needs CertificateFile and KeyFile in [Tls]");
	if (l->mutual_tls && l->transport != TRANSPORT_TLS)
		complain(r, i, "MutualTls", "MutualTls needs Transport=tls");
	if (l->mutual_tls && !l->n_allowed_domains)
		complain(r, i, "MutualTls",
			"MutualTls without AllowedDomains lets nobody in; write the domains, or * for all");
	if (l->n_allowed_domains && !l->mutual_tls)
		complain(r, i, "AllowedDomains", "AllowedDomains needs MutualTls=yes");
}

/* Two sockets on one port would make the daemon fail only when it starts. */
static void check_listens(struct schema_reader *r, const struct daemon_conf *c)
{
	for (size_t i = 0; i < c->n_listens; i++) {
		const struct daemon_listen *a = &c->listens[i];
		const struct schema_spot here = { "Listen", NULL, (unsigned)i };

		check_secure(r, c, i);
		for (size_t j = 0; j < i; j++) {
			const struct daemon_listen *b = &c->listens[j];
			const struct schema_spot there = { "Listen", NULL, (unsigned)j };

			if (!same_socket_kind(a->transport, b->transport) || a->port == 0 ||
				a->port != b->port || !same_text(a->address, b->address))
				continue;
			schema_problem(r, PROBLEM_ERROR, schema_line(r, here),
				"[Listen] has the address and port of line %u",
				schema_line(r, there));
		}
	}
}

static char *folder_of(const char *file)
{
	const char *slash = strrchr(file, '/');

	return slash ? slice_dup(slice_of(file, (size_t)(slash - file))) : mem_strdup(".");
}

/*
 * Reads sipbus.conf; an empty text gives the defaults. Problems are added to the list; the result
 * is never NULL but means something only if no error was added. The caller frees it.
 */
struct daemon_conf *daemon_conf_read(
	struct slice text, const char *file, struct problem_list *problems)
{
	struct daemon_conf *c = mem_new(struct daemon_conf);
	struct schema_reader r = {
		.schema = &daemon_conf_schema, .root = c, .file = file, .problems = problems
	};
	char *folder;

	schema_read(&r, text);
	check_listens(&r, c);
	folder = folder_of(file);
	tls_files_check(&r, folder, &c->tls);
	free(folder);
	schema_reader_deinit(&r);
	return c;
}

void daemon_conf_free(struct daemon_conf *c)
{
	if (!c)
		return;
	for (size_t i = 0; i < ARRAY_LEN(sections); i++)
		if (sections[i].repeats == SCHEMA_ONCE)
			schema_clear(&sections[i], c);
	for (size_t i = 0; i < c->n_listens; i++)
		schema_clear(&sections[ROW_LISTEN], &c->listens[i]);
	free(c->listens);
	free(c);
}

/* Same content in every field. */
bool daemon_conf_equal(const struct daemon_conf *a, const struct daemon_conf *b)
{
	for (size_t i = 0; i < ARRAY_LEN(sections); i++)
		if (sections[i].repeats == SCHEMA_ONCE && !schema_equal(&sections[i], a, b))
			return false;
	if (a->n_listens != b->n_listens)
		return false;
	for (size_t i = 0; i < a->n_listens; i++)
		if (!schema_equal(&sections[ROW_LISTEN], &a->listens[i], &b->listens[i]))
			return false;
	return true;
}
