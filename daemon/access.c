/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "daemon/access.h"

#include <grp.h>
#include <pwd.h>
#include <string.h>
#include <unistd.h>

#include "conf/daemon-conf.h"
#include "protocol/base/mem.h"
#include "protocol/base/slice.h"
#include "protocol/ua/profile.h"

enum { GROUPS_MAX = 1024 };

bool access_is_administrator(uid_t uid)
{
	return uid == 0 || (uid != ACCESS_NOBODY && uid == geteuid());
}

static bool is_user(const char *who, uid_t uid)
{
	uint32_t number;
	const struct passwd *pw;

	if (slice_to_u32(slice_str(who), UINT32_MAX - 1, &number))
		return number == uid;
	pw = getpwnam(who);
	return pw && pw->pw_uid == uid;
}

static bool is_group(const char *which, const gid_t *gids, int n)
{
	uint32_t number;
	const struct group *gr = NULL;
	gid_t gid;

	if (slice_to_u32(slice_str(which), UINT32_MAX - 1, &number)) {
		gid = number;
	} else {
		gr = getgrnam(which);
		if (!gr)
			return false;
		gid = gr->gr_gid;
	}
	for (int i = 0; i < n; i++)
		if (gids[i] == gid)
			return true;
	return false;
}

static bool in_groups(char *const *groups, size_t n_groups, uid_t uid)
{
	gid_t *gids cleanup_free = mem_alloc(GROUPS_MAX * sizeof(*gids));
	const struct passwd *pw = n_groups ? getpwuid(uid) : NULL;
	int n = GROUPS_MAX;

	if (!pw || getgrouplist(pw->pw_name, pw->pw_gid, gids, &n) < 0)
		return false;
	for (size_t i = 0; i < n_groups; i++)
		if (is_group(groups[i], gids, n))
			return true;
	return false;
}

bool access_may_use(const struct daemon_conf *d, const struct profile *p, uid_t uid)
{
	bool own = p->n_users || p->n_groups;
	char *const *users = own ? p->users : d->users;
	size_t n_users = own ? p->n_users : d->n_users;

	/* A broadcast asks for each property: nobody's name needs to be looked up for that. */
	if (uid == ACCESS_NOBODY)
		return false;
	if (access_is_administrator(uid))
		return true;
	for (size_t i = 0; i < n_users; i++)
		if (is_user(users[i], uid))
			return true;
	return in_groups(own ? p->groups : d->groups, own ? p->n_groups : d->n_groups, uid);
}
