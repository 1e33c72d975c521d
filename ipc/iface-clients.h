/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/*
 * The clients that share an object: a set of them, of whom the one that is there longest is its
 * owner. Who leaves the bus leaves the set; when that was the last one, the object is nobody's for
 * the profile's owner-grace, in which somebody may join. Then the profile's policy is asked for.
 */
#include "protocol/base/list.h"
#include "protocol/base/timer.h"

struct iface;
struct iface_clients;

struct iface_clients_class {
	/* Who owns it, or how many there are. */
	void (*changed)(struct iface_clients *cs);
	/* How long it may be without any before `lost` is called. */
	usec_t (*grace)(struct iface_clients *cs);
	void (*lost)(struct iface_clients *cs);
};

struct iface_clients {
	const struct iface_clients_class *class;
	struct iface *iface;
	struct list seats; /* of struct iface_seat, in the order of arrival; one may be vacant */
	size_t n;          /* clients */
};

/* Nobody's, and without a word. */
void iface_clients_init(
	struct iface_clients *cs, struct iface *iface, const struct iface_clients_class *class);
void iface_clients_deinit(struct iface_clients *cs);
/* The unique name of who is there longest, "" if nobody is. */
const char *iface_clients_owner(const struct iface_clients *cs);
bool iface_clients_has(const struct iface_clients *cs, const char *client);
/*
 * The client, whose message is being handled, is one of them from now on. -ENOSPC: it owns too much
 * already (iface-owner.h).
 */
int iface_clients_join(struct iface_clients *cs, const char *client);
/* The client is none of them any more; no grace begins. */
void iface_clients_leave(struct iface_clients *cs, const char *client);
/* A mark for whatever the object wants to know of one of them; who joins has none. */
void iface_clients_mark(struct iface_clients *cs, const char *client);
bool iface_clients_is_marked(const struct iface_clients *cs, const char *client);
/* One after the other: the first after NULL, NULL after the last. */
const char *iface_clients_next(const struct iface_clients *cs, struct list **at);
