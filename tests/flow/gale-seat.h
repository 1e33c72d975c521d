/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
#include "tests/flow/gale.h"
#include "tests/support/world-subscriber.h"

/* Somebody who subscribed. */
struct seat {
	struct list node; /* in gale.seats */
	struct subscriber *s;
	struct resource *of;
	bool slow; /* nobody has decided yet */
};

extern const struct world_subscriber_hooks gale_seat_hooks;
/* Its state is another now, and whoever watches it is told. */
void gale_changed(struct resource *r);
void gale_seat_act(struct seat *seat);
/* Lets in who waits, ends nobody. */
void gale_seat_welcome(struct seat *seat);
