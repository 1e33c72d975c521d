/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/*
 * Objects that clients own. Whoever made or took one acts on it; when it leaves the bus or gives
 * the object up, the object has no owner, which lasts for the profile's owner-grace, in which
 * somebody else may take it. Then the profile's policy is asked for.
 */
#include "protocol/base/list.h"
#include "protocol/base/timer.h"

struct iface;
struct iface_owned;
struct iface_owner;

enum {
	IFACE_OWNED_PER_CLIENT = 8192
}; /* made, adopted or shared by one client, but for is_theirs */
#define IFACE_OWNS_TOO_MUCH "you own too much already"

struct iface_owned_class {
	/* Somebody else, or nobody, is the owner now. */
	void (*changed)(struct iface_owned *o);
	/* How long it may be without one before `lost` is called. */
	usec_t (*grace)(struct iface_owned *o);
	void (*lost)(struct iface_owned *o);
	/* Other people make them, so that other limits hold and the client's does not. */
	bool is_theirs;
};

struct iface_owned {
	const struct iface_owned_class *class;
	struct iface *iface;
	struct iface_owner *owner; /* NULL: nobody */
	struct list node;          /* in the owner's list */
	struct timer grace;
};

/* Nobody's, and without a word. */
void iface_owned_init(
	struct iface_owned *o, struct iface *iface, const struct iface_owned_class *class);
void iface_owned_deinit(struct iface_owned *o);
/* The owner's unique name, "" if there is none. */
const char *iface_owned_by(const struct iface_owned *o);
/* The client may not own more than it does. */
bool iface_owner_is_full(const struct iface *i, const char *client);
/* Makes the client, whose message is being handled, the owner; over any limit. */
void iface_own(struct iface_owned *o, const char *client);
/* The owner gives it up. Nothing happens to what has none. */
void iface_disown(struct iface_owned *o);
/* Nobody's for the time of grace, which begins now. */
bool iface_is_in_grace(const struct iface_owned *o);
