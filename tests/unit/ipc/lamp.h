/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* A small object with everything that tables offer, for the tests of the object layer. */
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct bus;
struct bus_call;
struct bus_interface;
struct bus_object;

struct lamp {
	struct bus_object *bus;
	uint32_t watts;
	const char *label;
	unsigned gets;         /* how often Watts was read */
	struct bus_call *kept; /* the last call of Wait */
	unsigned gone;         /* calls of Wait that ended without us */
	bool answers_gone;     /* ...and then we say something ourselves */
	bool watch_only;       /* the guard hides Secret and Watts from everybody */
	uid_t denied;          /* the guard denies this user everything, if not 0 */
};

/* Dim(u watts, a{sv}), Wait() -> u, Fade(i) -> i, Blink(), Explode(); Watts, Label, Secret... */
extern const struct bus_interface iface_lamp;
/* Off(); State */
extern const struct bus_interface iface_switch;
/* As iface_lamp, with a guard. */
extern const struct bus_interface iface_guarded;
extern const struct bus_interface *const lamp_interfaces[];
extern const struct bus_interface *const guarded_interfaces[];

enum { LAMP_FADE, LAMP_NAMES, LAMP_TAG, LAMP_COLOUR, LAMP_UNTIL, LAMP_OFFSET, LAMP_SMOOTH };

/* "/org/sipbus1/NAME"; its InterfacesAdded waits. */
void lamp_init(struct lamp *l, struct bus *bus, const char *path,
	const struct bus_interface *const *interfaces);
void lamp_deinit(struct lamp *l);
