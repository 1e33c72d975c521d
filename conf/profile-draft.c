/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The rules of a profile that concern more than one key. Those of servers and schemes are the RTC
 * Client API's: one registrar, Basic over TLS alone, Digest alone over UDP, AllowedAuth before
 * Auth.
 */
#include "conf/profile-draft.h"

#include <string.h>

#include "conf/profile-conf.h"
#include "conf/secret.h"
#include "conf/value.h"
#include "protocol/base/buf.h"
#include "protocol/base/mem.h"
#include "protocol/ua/profile.h"

static unsigned line_of(const struct profile_draft *d, const char *section, const char *key)
{
	return schema_line(d->reader, (struct schema_spot){ section, key, 0 });
}

/* The line of a server's key, or of its section where the key has its default. */
static unsigned server_line(const struct profile_draft *d, size_t i, const char *key)
{
	const unsigned line =
		schema_line(d->reader, (struct schema_spot){ "Server", key, (unsigned)i });

	return line ? line
		    : schema_line(d->reader, (struct schema_spot){ "Server", NULL, (unsigned)i });
}

/* A name that resembles what can't be one. */
static char *proposed_name(struct slice stem)
{
	char *name = slice_dup(stem);

	for (size_t i = 0; i < stem.n; i++)
		if (value_check_path_element(slice_of(&name[i], 1)) < 0)
			name[i] = '_';
	return name;
}

static void finish_name(struct profile_draft *d)
{
	const char *slash = strrchr(d->source->file, '/');
	struct slice stem = slice_str(slash ? slash + 1 : d->source->file);
	char *name;

	if (d->profile->name)
		return;
	if (stem.n > 5 && slice_eq(slice_skip(stem, stem.n - 5), SLICE(".conf")))
		stem.n -= 5;
	if (value_check_path_element(stem) == 0) {
		d->profile->name = slice_dup(stem);
		return;
	}
	if (line_of(d, "Profile", "Name"))
		return;
	name = proposed_name(stem);
	schema_problem(d->reader, PROBLEM_ERROR, 0,
		"\"%.*s\" can't be a name on the bus, which consists of A-Z, a-z, 0-9 and _; rename "
		"the file or write Name=%s into [Profile]",
		SLICE_ARGS(stem), name);
	free(name);
}

/* Peers have no server, and what registers needs no port of its own. */
static void finish_kind(struct profile_draft *d)
{
	struct profile *p = d->profile;
	const unsigned line = line_of(d, "Profile", "Register");

	if (p->kind == PROFILE_REGISTERED) {
		if (p->listen)
			schema_problem(d->reader, PROBLEM_ERROR, line_of(d, "Endpoint", "Listen"),
				"[Endpoint] Listen: a registered endpoint is reached through its "
				"registrar; write Kind=peer-to-peer into [Profile], or Listen=no");
		return;
	}
	if (p->n_servers)
		schema_problem(d->reader, PROBLEM_ERROR, server_line(d, 0, NULL),
			"[Server] a peer-to-peer profile has no server; write OutboundProxy into "
			"[Endpoint] if one stands between");
	if (line && p->registers)
		schema_problem(d->reader, PROBLEM_ERROR, line,
			"[Profile] Register: a peer-to-peer endpoint does not register; leave it "
			"out");
	p->registers = false;
}

static void check_servers(struct profile_draft *d)
{
	const struct profile *p = d->profile;
	size_t registrar = p->n_servers;

	for (size_t i = 0; i < p->n_servers; i++) {
		const struct profile_server *s = &p->servers[i];

		if (!s->host && server_line(d, i, "Addr") == server_line(d, i, NULL))
			schema_problem(d->reader, PROBLEM_ERROR, server_line(d, i, NULL),
				"[Server] Addr is missing; write Addr=sip.example.com");
		if (s->role != PROFILE_ROLE_REGISTRAR)
			continue;
		if (registrar == p->n_servers)
			registrar = i;
		else
			schema_problem(d->reader, PROBLEM_ERROR, server_line(d, i, "Role"),
				"[Server] a second registrar after the one in line %u; one at most "
				"has Role=registrar, which is the default, the others Role=proxy",
				server_line(d, registrar, NULL));
	}
}

/* One transport and the schemes that are answered over it. */
struct auth_use {
	unsigned mask, line;
	const char *where; /* "[User] AllowedAuth" */
	enum transport transport;
};

/* Says whether the use is fine. */
static bool check_auth(struct profile_draft *d, const struct auth_use *use)
{
	const unsigned beside_digest = use->mask & ~(unsigned)PROFILE_AUTH_DIGEST;
	const bool basic = use->mask & PROFILE_AUTH_BASIC;

	if (basic && use->transport != TRANSPORT_TLS) {
		schema_problem(d->reader, PROBLEM_ERROR, use->line,
			"%s: basic sends the password readable and needs a server with Protocol=tls",
			use->where);
		return false;
	}
	if (beside_digest && use->transport == TRANSPORT_UDP) {
		schema_problem(d->reader, PROBLEM_ERROR, use->line,
			"%s: over UDP digest is the only scheme; write Protocol=tcp or Protocol=tls",
			use->where);
		return false;
	}
	return true;
}

static void check_realm(struct profile_draft *d, unsigned mask, unsigned line)
{
	if ((mask & PROFILE_AUTH_BASIC) && !d->profile->realm)
		schema_problem(d->reader, PROBLEM_ERROR, line,
			"[User] Realm is missing, which basic needs; write the server's realm");
}

/* AllowedAuth counts for every server. */
static void check_allowed_auth(struct profile_draft *d, unsigned line)
{
	struct auth_use use = {
		.mask = d->profile->allowed_auth, .line = line, .where = "[User] AllowedAuth"
	};
	bool fine = true;

	for (size_t i = 0; fine && i < d->profile->n_servers; i++) {
		use.transport = d->profile->servers[i].protocol;
		fine = check_auth(d, &use);
	}
	use.transport = d->profile->transport;
	if (fine && use.transport != TRANSPORT_NONE)
		(void)check_auth(d, &use);
	check_realm(d, use.mask, line);
}

static void finish_auth(struct profile_draft *d)
{
	const unsigned line = line_of(d, "User", "AllowedAuth");
	unsigned all = 0;

	if (line) {
		check_allowed_auth(d, line);
		return;
	}
	for (size_t i = 0; i < d->profile->n_servers; i++) {
		struct auth_use use = { .mask = d->profile->servers[i].auth,
			.line = server_line(d, i, "Auth"),
			.where = "[Server] Auth",
			.transport = d->profile->servers[i].protocol };
		const bool fine = check_auth(d, &use);

		use.transport = d->profile->transport;
		if (fine && use.transport != TRANSPORT_NONE)
			(void)check_auth(d, &use);
		check_realm(d, use.mask, use.line);
		all |= use.mask;
	}
	d->profile->allowed_auth = all ? all : PROFILE_AUTH_DIGEST;
}

/* Reads folder/name, or name alone if it is absolute, and says with its key what is wrong. */
static void read_secret(struct profile_draft *d, const char *folder, const char *name)
{
	const bool is_file = name == d->password_file;
	const char *key = is_file ? "PasswordFile" : "Credential";
	struct buf path = BUF_NULL;
	const char *wrong;
	char *p;

	if (name[0] != '/')
		buf_printf(&path, "%s/", folder);
	buf_str(&path, name);
	p = buf_take(&path);
	/* systemd itself sees to who may read a credential. */
	wrong = secret_read(p, is_file ? SECRET_PRIVATE : SECRET_ANY, &d->profile->secret);
	if (wrong)
		schema_problem(d->reader, PROBLEM_ERROR, line_of(d, "User", key),
			"[User] %s: %s %s", key, p, wrong);
	free(p);
}

static void take_password(struct profile_draft *d)
{
	const unsigned line = line_of(d, "User", "Password");

	if (d->source->access == PROFILE_CONF_SHARED) {
		schema_problem(d->reader, PROBLEM_ERROR, line,
			"[User] Password: others than the owner may read this file; chmod 600 helps, "
			"PasswordFile or Credential is better");
		return;
	}
	schema_problem(d->reader, PROBLEM_WARNING, line,
		"[User] Password: a password is safer in a file of its own, named by PasswordFile "
		"or Credential");
	d->profile->secret.n = strlen(d->password);
	d->profile->secret.bytes = mem_take(&d->password);
}

static void finish_secret(struct profile_draft *d)
{
	const char *credentials = d->source->credentials_folder;
	const int n = !!d->password_file + !!d->credential + !!d->password;

	if (n > 1) {
		const char *key = d->password ? "Password" : "Credential";

		schema_problem(d->reader, PROBLEM_ERROR, line_of(d, "User", key),
			"[User] %s: keep one of PasswordFile, Credential and Password", key);
		return;
	}
	if (d->password_file)
		read_secret(d, d->source->folder, d->password_file);
	else if (d->credential && credentials)
		read_secret(d, credentials, d->credential);
	else if (d->credential)
		schema_problem(d->reader, PROBLEM_ERROR, line_of(d, "User", "Credential"),
			"[User] Credential: the service manager passed none; write "
			"LoadCredential=%s:PATH into the unit, or use PasswordFile",
			d->credential);
	else if (d->password)
		take_password(d);
}

/* Applies the rules to a draft that was read, completes the profile and reads its password. */
void profile_draft_finish(struct profile_draft *d)
{
	if (!d->profile->uri && !line_of(d, "User", "Uri"))
		schema_problem(d->reader, PROBLEM_ERROR, line_of(d, "User", NULL),
			"[User] Uri is missing; write Uri=sip:alice@example.com");
	finish_name(d);
	finish_kind(d);
	check_servers(d);
	finish_auth(d);
	finish_secret(d);
}
