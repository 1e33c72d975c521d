/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
#include "protocol/ua/profile.h"

struct problem_list;
struct schema;

/* sipbus.conf: what holds for the daemon as a whole. Every string is owned by the struct. */

struct daemon_listen {
	enum transport transport;
	char *address; /* IPv4 or IPv6 without brackets; NULL: every address of both kinds */
	uint16_t port; /* 0: any */
	usec_t idle_timeout, first_message_timeout; /* 0: off */
	bool mutual_tls;
	char **allowed_domains;
	size_t n_allowed_domains;
};

struct daemon_conf {
	char *user_agent;
	uint32_t max_endpoints, max_sessions;
	uint32_t max_message_size; /* bytes */
	/* Connections of one address, and those of them without a valid message yet. */
	uint32_t max_per_peer, max_new_per_peer;
	char **dns_servers; /* address[:port], IPv6 in brackets when a port follows */
	size_t n_dns_servers;
	char *hep_target; /* host[:port]; NULL: no export */
	struct daemon_listen *listens;
	size_t n_listens; /* 0: the file says nothing about listening */
	struct profile_tls tls;
	/* Who may use a profile that names nobody itself. */
	char **users, **groups;
	size_t n_users, n_groups;
};

extern const struct schema daemon_conf_schema;

struct daemon_conf *daemon_conf_read(
	struct slice text, const char *file, struct problem_list *problems);
void daemon_conf_free(struct daemon_conf *c);
bool daemon_conf_equal(const struct daemon_conf *a, const struct daemon_conf *b);
