/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
#include <stdbool.h>
#include <sys/types.h>

#include "protocol/base/timer.h"

struct daemon_conf;
struct profile;

/* Whoever hears a broadcast, or a client whose user is not known: never let in. */
#define ACCESS_NOBODY ((uid_t)-1)

enum { ACCESS_USERS = 16 }; /* remembered at once */
#define ACCESS_TTL (10 * USEC_PER_SEC)

/*
 * Users and their groups as the system knows them, remembered for a while: every property that
 * somebody reads is a question of access, and a look-up may go over a network. Zeroed is empty.
 */
struct access {
	struct access_user *users[ACCESS_USERS];
};

/* Forgets all. */
void access_deinit(struct access *a);
/*
 * Who may use a profile: root, the user whom we run as, and whom the profile's Users and Groups
 * name, by name or number; the daemon's own lists where the profile has none.
 */
bool access_may_use(
	struct access *a, const struct daemon_conf *d, const struct profile *p, uid_t uid);
/* Root, or the user whom we run as. */
bool access_is_administrator(uid_t uid);
