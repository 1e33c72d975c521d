/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
#include "protocol/base/timer.h"
#include "protocol/msg/transport.h"

/*
 * A server profile as configuration describes it: plain data, immutable once loaded, shared by
 * reference. conf/ fills it, the user agent obeys it, the bus shows it. Every string is owned by
 * the profile, NUL-terminated, and NULL where nothing was said.
 */

struct buf;

enum profile_kind { PROFILE_REGISTERED, PROFILE_PEER_TO_PEER };

enum profile_role {
	PROFILE_ROLE_PROXY,
	PROFILE_ROLE_REGISTRAR, /* registers, and serves as proxy when no server has that role */
};

/* Bits of an authentication mask. */
enum profile_auth {
	PROFILE_AUTH_BASIC = 1 << 0,
	PROFILE_AUTH_DIGEST = 1 << 1,
	PROFILE_AUTH_NTLM = 1 << 2,
	PROFILE_AUTH_KERBEROS = 1 << 3,
};

/* The weakest Digest algorithm that the profile answers (RFC 8760 section 2.4). */
enum profile_digest_floor {
	PROFILE_FLOOR_MD5,
	PROFILE_FLOOR_SHA256,
	PROFILE_FLOOR_SHA512_256,
};

/* Bits of a mask: event packages that are served without a client (package.h). */
enum profile_package { PROFILE_PACKAGE_DIALOG = 1 << 0, PROFILE_PACKAGE_REG = 1 << 1 };

enum profile_owner_lost { PROFILE_OWNER_LOST_END, PROFILE_OWNER_LOST_KEEP };

/* A session kind that a server serves, e.g. "pc2pc" / "first". */
struct profile_session {
	char *type;
	char *party;
};

struct profile_server {
	char *host;    /* name or address, IPv6 without brackets */
	uint16_t port; /* 0: as RFC 3263 says */
	enum transport protocol;
	enum profile_role role;
	unsigned auth; /* mask of enum profile_auth */
	struct profile_session *sessions;
	size_t n_sessions;
};

/* Secrets are wiped when the profile goes and never logged or shown. */
struct profile_secret {
	char *bytes;
	size_t n;
};

struct profile_tls {
	char *ca_file, *crl_file, *certificate_file, *key_file, *server_name, *pin, *key_log_file;
	char *minimum_version;
	bool trust_on_first_use;
};

struct profile {
	unsigned refs;
	char *name;   /* a D-Bus path element */
	char *source; /* the file it came from */
	enum profile_kind kind;
	bool enabled, autostart, registers, microsoft_extensions;

	/* [User] */
	char *uri; /* the address of record, "sip:alice@example.com" */
	char *display_name, *account, *realm;
	unsigned allowed_auth; /* mask; already combined: AllowedAuth overrides the servers' Auth */
	struct profile_secret secret; /* bytes == NULL: an agent is asked */
	char *endpoint_id, *instance_id;

	struct profile_server *servers;
	size_t n_servers;

	/* [Endpoint]; durations in microseconds, 0: off */
	enum transport transport; /* TRANSPORT_NONE: the server's protocol */
	char *outbound_proxy;
	bool listen, auto_refresh, inbox, delivery_reports, shared_connections;
	uint32_t register_expires;      /* seconds */
	unsigned flows, own_packages;   /* that one a mask of enum profile_package */
	unsigned register_redirections; /* followed in one attempt; of Microsoft's dialect */
	usec_t idle_timeout, connection_linger, owner_grace, agent_timeout, outbox_expires;
	enum profile_owner_lost on_owner_lost;
	enum profile_digest_floor digest_floor;

	struct profile_tls tls;
	/* [Access]; empty: the daemon's default */
	char **users, **groups, **package_watchers; /* those are URIs */
	size_t n_users, n_groups, n_package_watchers;
};

/* Zeroed but for the defaults that the configuration manual names; one reference. */
struct profile *profile_new(void);
struct profile *profile_ref(struct profile *p);
/* The last one frees everything and wipes the secret. NULL is fine. */
void profile_unref(struct profile *p);
/* Same content in every field, secret and source included. */
bool profile_equal(const struct profile *a, const struct profile *b);
/* The server that takes registrations; NULL if the profile has none. */
const struct profile_server *profile_registrar(const struct profile *p);
/* Where requests other than REGISTER go: proxy, else registrar; NULL: RFC 3263 on the target. */
const struct profile_server *profile_proxy(const struct profile *p);
/* The one of these that lists that kind of session, type and party rather than the type alone. */
const struct profile_server *profile_server_for(
	const struct profile *p, struct slice type, struct slice party);
/* Who answers challenges: the account, else the user part of the address of record unescaped. */
void profile_append_user(struct buf *b, const struct profile *p);
/* "digest" and so on; NULL for a mask that is not one bit. */
const char *profile_auth_name(enum profile_auth bit);
