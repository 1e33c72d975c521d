/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "protocol/ua/profile.h"

#include <string.h>

#include "protocol/base/buf.h"
#include "protocol/base/mem.h"
#include "protocol/msg/uri.h"

enum {
	DEFAULT_EXPIRES = 3600, /* RFC 3261 section 10.2.1.1 suggests an hour */
	DEFAULT_IDLE_MIN = 15,  /* UCMA's idle limit of a connection */
	DEFAULT_LINGER_MIN = 1, /* UCMA keeps what a page opened for about a minute */
	DEFAULT_GRACE_SEC = 15,
	DEFAULT_REDIRECTIONS = 3, /* UCMA's MaximumRegisterRedirectionAttempts */
	DEFAULT_AGENT_SEC = 20,   /* below the 32 s that a client transaction waits (Timer F) */
	DEFAULT_OUTBOX_HOURS = 24,
};

struct profile *profile_new(void)
{
	struct profile *p = mem_new(struct profile);

	p->refs = 1;
	p->enabled = p->autostart = p->registers = true;
	p->auto_refresh = p->inbox = true;
	p->allowed_auth = PROFILE_AUTH_DIGEST;
	p->register_expires = DEFAULT_EXPIRES;
	p->flows = 1;
	p->register_redirections = DEFAULT_REDIRECTIONS;
	p->idle_timeout = DEFAULT_IDLE_MIN * 60 * USEC_PER_SEC;
	p->connection_linger = DEFAULT_LINGER_MIN * 60 * USEC_PER_SEC;
	p->owner_grace = DEFAULT_GRACE_SEC * USEC_PER_SEC;
	p->agent_timeout = DEFAULT_AGENT_SEC * USEC_PER_SEC;
	p->outbox_expires = DEFAULT_OUTBOX_HOURS * 3600 * USEC_PER_SEC;
	return p;
}

struct profile *profile_ref(struct profile *p)
{
	if (p)
		p->refs++;
	return p;
}

/* Every plain string of the profile, for freeing and comparing alike. */
static const size_t strings[] = {
	offsetof(struct profile, name),
	offsetof(struct profile, source),
	offsetof(struct profile, uri),
	offsetof(struct profile, display_name),
	offsetof(struct profile, account),
	offsetof(struct profile, realm),
	offsetof(struct profile, endpoint_id),
	offsetof(struct profile, instance_id),
	offsetof(struct profile, outbound_proxy),
	offsetof(struct profile, tls.ca_file),
	offsetof(struct profile, tls.crl_file),
	offsetof(struct profile, tls.certificate_file),
	offsetof(struct profile, tls.key_file),
	offsetof(struct profile, tls.server_name),
	offsetof(struct profile, tls.pin),
	offsetof(struct profile, tls.key_log_file),
	offsetof(struct profile, tls.minimum_version),
};

static char *string_at(const struct profile *p, size_t offset)
{
	char *s;

	memcpy(&s, (const char *)p + offset, sizeof(s));
	return s;
}

static void free_strings(char **list, size_t n)
{
	for (size_t i = 0; i < n; i++)
		free(list[i]);
	free(list);
}

static void free_server(struct profile_server *s)
{
	for (size_t i = 0; i < s->n_sessions; i++) {
		free(s->sessions[i].type);
		free(s->sessions[i].party);
	}
	free(s->sessions);
	free(s->host);
}

void profile_unref(struct profile *p)
{
	if (!p || --p->refs)
		return;
	for (size_t i = 0; i < ARRAY_LEN(strings); i++)
		free(string_at(p, strings[i]));
	for (size_t i = 0; i < p->n_servers; i++)
		free_server(&p->servers[i]);
	free(p->servers);
	free_strings(p->package_watchers, p->n_package_watchers);
	free_strings(p->users, p->n_users);
	free_strings(p->groups, p->n_groups);
	mem_wipe(p->secret.bytes, p->secret.n);
	free(p->secret.bytes);
	free(p);
}

static bool same(const char *a, const char *b)
{
	return a == b || (a && b && strcmp(a, b) == 0);
}

static bool same_list(char *const *a, size_t n_a, char *const *b, size_t n_b)
{
	if (n_a != n_b)
		return false;
	for (size_t i = 0; i < n_a; i++)
		if (!same(a[i], b[i]))
			return false;
	return true;
}

static bool same_server(const struct profile_server *a, const struct profile_server *b)
{
	if (!same(a->host, b->host) || a->port != b->port || a->protocol != b->protocol ||
		a->role != b->role || a->auth != b->auth || a->n_sessions != b->n_sessions)
		return false;
	for (size_t i = 0; i < a->n_sessions; i++)
		if (!same(a->sessions[i].type, b->sessions[i].type) ||
			!same(a->sessions[i].party, b->sessions[i].party))
			return false;
	return true;
}

static bool same_settings(const struct profile *a, const struct profile *b)
{
	return a->kind == b->kind && a->enabled == b->enabled && a->autostart == b->autostart &&
	       a->registers == b->registers && a->microsoft_extensions == b->microsoft_extensions &&
	       a->allowed_auth == b->allowed_auth && a->transport == b->transport &&
	       a->listen == b->listen && a->auto_refresh == b->auto_refresh &&
	       a->inbox == b->inbox && a->delivery_reports == b->delivery_reports &&
	       a->shared_connections == b->shared_connections &&
	       a->register_expires == b->register_expires && a->flows == b->flows &&
	       a->register_redirections == b->register_redirections &&
	       a->idle_timeout == b->idle_timeout && a->connection_linger == b->connection_linger &&
	       a->owner_grace == b->owner_grace && a->agent_timeout == b->agent_timeout &&
	       a->outbox_expires == b->outbox_expires && a->on_owner_lost == b->on_owner_lost &&
	       a->digest_floor == b->digest_floor && a->own_packages == b->own_packages &&
	       a->tls.trust_on_first_use == b->tls.trust_on_first_use;
}

bool profile_equal(const struct profile *a, const struct profile *b)
{
	for (size_t i = 0; i < ARRAY_LEN(strings); i++)
		if (!same(string_at(a, strings[i]), string_at(b, strings[i])))
			return false;
	if (!same_settings(a, b) || a->n_servers != b->n_servers)
		return false;
	for (size_t i = 0; i < a->n_servers; i++)
		if (!same_server(&a->servers[i], &b->servers[i]))
			return false;
	return a->secret.n == b->secret.n &&
	       (a->secret.n == 0 || memcmp(a->secret.bytes, b->secret.bytes, a->secret.n) == 0) &&
	       same_list(a->package_watchers, a->n_package_watchers, b->package_watchers,
		       b->n_package_watchers) &&
	       same_list(a->users, a->n_users, b->users, b->n_users) &&
	       same_list(a->groups, a->n_groups, b->groups, b->n_groups);
}

static const struct profile_server *server_with(const struct profile *p, enum profile_role role)
{
	for (size_t i = 0; i < p->n_servers; i++)
		if (p->servers[i].role == role)
			return &p->servers[i];
	return NULL;
}

const struct profile_server *profile_registrar(const struct profile *p)
{
	return server_with(p, PROFILE_ROLE_REGISTRAR);
}

const struct profile_server *profile_proxy(const struct profile *p)
{
	const struct profile_server *s = server_with(p, PROFILE_ROLE_PROXY);

	return s ? s : profile_registrar(p);
}

static bool names(const char *listed, struct slice asked)
{
	return listed && slice_eq_ci(slice_str(listed), asked);
}

/* 2: type and party; 1: the type, for any party; 0: not listed. */
static int serves(const struct profile_server *s, struct slice type, struct slice party)
{
	int best = 0;

	for (size_t i = 0; i < s->n_sessions; i++) {
		if (!names(s->sessions[i].type, type))
			continue;
		if (names(s->sessions[i].party, party))
			return 2;
		best = 1;
	}
	return best;
}

const struct profile_server *profile_server_for(
	const struct profile *p, struct slice type, struct slice party)
{
	const struct profile_server *found = NULL, *proxy = profile_proxy(p);
	int best = 0;

	for (size_t i = 0; i < p->n_servers && type.n; i++) {
		const struct profile_server *s = &p->servers[i];
		int fits = serves(s, type, party);

		/* A registrar is a proxy only where no server has that role. */
		if (fits > best && (!proxy || s->role == proxy->role)) {
			best = fits;
			found = s;
		}
	}
	return found ? found : proxy;
}

const char *profile_auth_name(enum profile_auth bit)
{
	switch (bit) {
	case PROFILE_AUTH_BASIC:
		return "basic";
	case PROFILE_AUTH_DIGEST:
		return "digest";
	case PROFILE_AUTH_NTLM:
		return "ntlm";
	case PROFILE_AUTH_KERBEROS:
		return "kerberos";
	}
	return NULL;
}

void profile_append_user(struct buf *b, const struct profile *p)
{
	struct uri uri;
	unsigned char c;

	if (p->account) {
		buf_str(b, p->account);
		return;
	}
	if (!p->uri || uri_parse(slice_str(p->uri), &uri) < 0)
		return;
	while (uri.user.n > 0) {
		(void)uri_next_char(&uri.user, &c);
		buf_putc(b, (char)c);
	}
}
