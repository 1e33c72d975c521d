/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "daemon/access.h"

#include <grp.h>
#include <pwd.h>
#include <string.h>
#include <unistd.h>

#include "conf/daemon-conf.h"
#include "daemon/loop.h"
#include "protocol/base/mem.h"
#include "protocol/base/slice.h"
#include "protocol/ua/profile.h"

enum { GROUPS_MAX = 1024 };

struct group_name {
	gid_t gid;
	char *name; /* NULL: it has none */
};

struct access_user {
	uid_t uid;
	usec_t until;
	char *name; /* NULL: it has none */
	struct group_name *groups;
	size_t n_groups;
};

bool access_is_administrator(uid_t uid)
{
	return uid == 0 || (uid != ACCESS_NOBODY && uid == geteuid());
}

/* ---- what the system says ---- */

static void load_groups(struct access_user *u, gid_t primary)
{
	gid_t *gids cleanup_free = mem_alloc(GROUPS_MAX * sizeof(*gids));
	int n = GROUPS_MAX;

	if (getgrouplist(u->name, primary, gids, &n) < 0)
		return;
	u->groups = mem_zalloc((size_t)n * sizeof(*u->groups));
	for (int i = 0; i < n; i++) {
		const struct group *gr = getgrgid(gids[i]);

		u->groups[u->n_groups++] =
			(struct group_name){ gids[i], mem_strdup(gr ? gr->gr_name : NULL) };
	}
}

static struct access_user *load(uid_t uid)
{
	struct access_user *u = mem_new(struct access_user);
	const struct passwd *pw = getpwuid(uid);

	u->uid = uid;
	u->until = loop_now() + ACCESS_TTL;
	if (pw) {
		gid_t primary = pw->pw_gid;

		u->name = mem_strdup(pw->pw_name);
		load_groups(u, primary);
	}
	return u;
}

static void forget(struct access_user *u)
{
	if (!u)
		return;
	for (size_t i = 0; i < u->n_groups; i++)
		free(u->groups[i].name);
	free(u->groups);
	free(u->name);
	free(u);
}

static const struct access_user *get(struct access *a, uid_t uid)
{
	struct access_user **at = &a->users[uid % ACCESS_USERS];

	if (!*at || (*at)->uid != uid || (*at)->until <= loop_now()) {
		forget(*at);
		*at = load(uid);
	}
	return *at;
}

void access_deinit(struct access *a)
{
	for (size_t i = 0; i < ACCESS_USERS; i++)
		forget(mem_take(&a->users[i]));
}

/* ---- what the configuration says ---- */

/* A number of a user or group, or its name. */
static bool names(const char *text, uint32_t number, const char *name)
{
	uint32_t n;

	if (slice_to_u32(slice_str(text), UINT32_MAX - 1, &n))
		return n == number;
	return name && strcmp(text, name) == 0;
}

static bool in_groups(const struct access_user *u, const char *group)
{
	for (size_t i = 0; i < u->n_groups; i++)
		if (names(group, u->groups[i].gid, u->groups[i].name))
			return true;
	return false;
}

bool access_may_use(
	struct access *a, const struct daemon_conf *d, const struct profile *p, uid_t uid)
{
	bool own = p->n_users || p->n_groups;
	char *const *users = own ? p->users : d->users;
	char *const *groups = own ? p->groups : d->groups;
	size_t n_users = own ? p->n_users : d->n_users;
	size_t n_groups = own ? p->n_groups : d->n_groups;
	const struct access_user *u;

	if (access_is_administrator(uid))
		return true;
	if (uid == ACCESS_NOBODY || (n_users == 0 && n_groups == 0))
		return false;
	u = get(a, uid);
	for (size_t i = 0; i < n_users; i++)
		if (names(users[i], uid, u->name))
			return true;
	for (size_t i = 0; i < n_groups; i++)
		if (in_groups(u, groups[i]))
			return true;
	return false;
}
