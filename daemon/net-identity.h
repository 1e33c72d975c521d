/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/*
 * What connections show and trust: one identity for each [Tls] that says something else, made when
 * first needed. Files that changed are read again before the next handshake.
 */
#include "daemon/tls-identity.h"
#include "protocol/base/list.h"
#include "protocol/base/timer.h"
#include "protocol/ua/profile.h"

struct log_sink;
struct tls_store;

struct net_identities {
	struct list all;             /* of struct identity */
	struct profile_tls defaults; /* the daemon's own [Tls] */
	struct tls_store *store;
	usec_t looked; /* when files were last compared */
};

/* state_folder as for tls_store_new(). */
void net_identities_init(
	struct net_identities *n, const char *state_folder, const struct log_sink *log);
void net_identities_deinit(struct net_identities *n);
/* The daemon's [Tls] is this from now on; all files are looked at again, and what nobody has asked
 * for since the last time is forgotten. */
void net_identities_configure(struct net_identities *n, const struct profile_tls *defaults);
/* Before a handshake: files that changed are read again, unless they were compared just now. */
void net_identities_look(struct net_identities *n);
/*
 * For a connection that begins now, of that profile's (NULL: nobody's). *ret_key says the same for
 * the same certificates and rules; both are borrowed. A negative errno, logged, if a file is bad.
 */
int net_identities_get(struct net_identities *n, const struct profile *profile, enum tls_role role,
	struct tls_identity **ret_identity, const char **ret_key);
